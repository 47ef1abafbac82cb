"""The map of a run: that it can be read back, that nobody else can read it, and what it is never written over."""

from __future__ import annotations

import csv
import os
import stat
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmveil.errors import OutputError
from dcmveil.mapping import map_to
from dcmveil.pseudonyms import read_pairs

PAIRS = [("1.2.3", "2.25.1"), ("DOE, JOHN", "ABCDEFGHIJKL"), ("4711", "")]
WRITTEN = b'id_old,id_new\n1.2.3,2.25.1\n"DOE, JOHN",ABCDEFGHIJKL\n4711,\n'

values = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["\r", "\n", "\r\n", '"', ",", " "]
)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def write(path: Path, *additions: list[tuple[str, str]]) -> bytes:
    with map_to(str(path)) as add:
        for pairs in additions:
            add(pairs)
    return path.read_bytes()


def rows_of(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file, strict=True))


def test_pairs_are_written_once_below_a_header(tmp_path: Path) -> None:
    path = tmp_path / "map.csv"
    assert write(path, PAIRS, PAIRS[::-1], [], PAIRS[:1] * 3) == WRITTEN
    assert write(path) == b"id_old,id_new\n"
    assert write(path, [("4711", "A"), ("4711", "B"), ("471", "1A")]) == b"id_old,id_new\n4711,A\n4711,B\n471,1A\n"


@given(st.lists(st.tuples(values, values), max_size=6))
def test_any_pairs_can_be_read_back(pairs: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "map.csv"
        write(path, pairs)
        wanted = dict.fromkeys([("id_old", "id_new"), *pairs])
        assert rows_of(path) == [list(pair) for pair in wanted]


def test_a_map_serves_as_the_pairs_of_another_run(tmp_path: Path) -> None:
    write(tmp_path / "map.csv", PAIRS)
    assert read_pairs(str(tmp_path / "map.csv")) == dict(PAIRS)


def test_text_that_is_no_unicode_is_written_with_backslashes(tmp_path: Path) -> None:
    undecodable = b"M\xfcller".decode("utf-8", "surrogateescape")
    assert write(tmp_path / "map.csv", [(undecodable, "\u00fc")]) == b"id_old,id_new\nM\\udcfcller,\xc3\xbc\n"


def test_pairs_are_in_the_file_as_soon_as_they_are_known(tmp_path: Path) -> None:
    path = tmp_path / "map.csv"
    with map_to(str(path)) as add:
        assert path.read_bytes() == b"id_old,id_new\n"
        add(PAIRS)
        assert path.read_bytes() == WRITTEN


def test_what_is_written_stays_if_the_run_is_interrupted(tmp_path: Path) -> None:
    path, run = tmp_path / "map.csv", ExitStack()
    run.enter_context(map_to(str(path)))(PAIRS)
    interrupted = run.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert not interrupted
    assert path.read_bytes() == WRITTEN


# ---- whose it is -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_new_map_is_for_its_owner_only(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write(tmp_path / "map.csv", PAIRS)
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "map.csv") == 0o600


@pytest.mark.parametrize("content", [b"", WRITTEN])
@pytest.mark.parametrize("mode", [0o604, 0o640, 0o602, 0o666, 0o777])
def test_a_wider_one_is_narrowed_before_anything_is_in_it(tmp_path: Path, content: bytes, mode: int) -> None:
    path = tmp_path / "map.csv"
    path.write_bytes(content)
    path.chmod(mode)
    with map_to(str(path)) as add:
        assert mode_of(path) == 0o600
        add(PAIRS)
    assert path.read_bytes() == WRITTEN


def test_one_that_cannot_be_narrowed_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "map.csv"
    path.write_bytes(WRITTEN)
    path.chmod(0o644)

    def refuse(_fd: int, _mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchmod", refuse)
    with pytest.raises(OutputError, match=r"map not written: Operation not permitted$"):
        write(path, [("5.6", "2.25.5")])
    assert path.read_bytes() == WRITTEN


# ---- what is not written over ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [b"\0" * 128 + b"DICM", b"4711,A\n", b"id_old,id_new", b"id_old,id_new,more\n", b"\n", b"\xef\xbb\xbf" + WRITTEN],
)
def test_what_is_no_map_is_not_overwritten(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "map.csv"
    path.write_bytes(content)
    path.chmod(0o644)
    with pytest.raises(OutputError, match=r"exists and is no map$"):
        write(path, PAIRS)
    assert path.read_bytes() == content
    assert mode_of(path) == 0o644


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "map.csv").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="map not written: "):
        write(tmp_path / "map.csv", PAIRS)
    assert not (tmp_path / "elsewhere").exists()


def test_only_regular_files_are_written(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path, problem in [(tmp_path / "fifo", "is not a regular file"), (tmp_path, "map not written: Is a directory")]:
        with pytest.raises(OutputError, match=f"{problem}$"):
            write(path, PAIRS)
    with pytest.raises(OutputError, match=r"is not a regular file$"):
        write(Path("/dev/null"), PAIRS)


# ---- what goes wrong -------------------------------------------------------------------------------------------


def test_errors_name_the_file_on_one_line(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught:
        write(tmp_path / "none\n" / "map.csv", PAIRS)
    assert str(caught.value).isprintable()
    assert str(caught.value).endswith(": map not written: No such file or directory")


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc to find the file among the open ones")
def test_a_map_that_cannot_be_written_is_an_error_without_a_value(tmp_path: Path) -> None:
    """The descriptor under it is made one of a full disk; to close the file then does not hide what was told."""
    path = tmp_path / "map.csv"
    with map_to(str(path)) as add:
        (fd,) = [int(fd) for fd in os.listdir("/proc/self/fd") if linked(fd) == str(path)]
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, fd)
        os.close(full)
        with pytest.raises(OutputError) as caught:
            add(PAIRS)
    assert str(caught.value) == f"{path}: map not written: No space left on device"
    assert path.read_bytes() == b"id_old,id_new\n"


def linked(fd: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return ""


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"other")
    before = len(os.listdir("/dev/fd"))
    write(tmp_path / "map.csv", PAIRS)
    with pytest.raises(OutputError):
        write(tmp_path / "other", PAIRS)
    assert len(os.listdir("/dev/fd")) == before

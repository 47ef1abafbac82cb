"""Folders: which files are taken, what becomes of the others, and that one bad file among many is only one."""

from __future__ import annotations

import inspect
import os
import stat
import sys
from pathlib import Path
from socket import AF_UNIX, socket

import pytest

from dcmveil import Policy, cli, folders, trees
from dcmveil.batch import Failure, jobs_of, outcomes_of
from dcmveil.tasks import Deidentify
from tests.cli.support import BAD, MARK, image, invoke, listing, one_line, tally

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Files at three levels, dot files, and nothing that is wrong."""
    source = tmp_path / "in"
    for name in ("b", "a", "sub/c", "sub/deep/d", ".hidden", ".git/e", "sub/.f", "no/.g"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(image())
    (source / "empty").mkdir()
    return source


def test_a_folder_without_r_is_its_own_files(tree: Path, tmp_path: Path, capfd: Capture) -> None:
    assert invoke(capfd, tree, tmp_path / "out") == (0, "", "")
    assert listing(tmp_path / "out") == ["a", "b"]


def test_a_folder_with_r_is_all_below_it(tree: Path, tmp_path: Path, capfd: Capture) -> None:
    """Dot files and dot folders are left out; folders are made where the input has them."""
    assert invoke(capfd, "-r", tree, tmp_path / "new" / "out") == (0, "", "")
    found = listing(tmp_path / "new" / "out")
    assert found == ["a", "b", "empty", "no", "sub", "sub/c", "sub/deep", "sub/deep/d"]
    assert not any(MARK in path.read_bytes() for path in (tmp_path / "new" / "out").rglob("*") if path.is_file())


def test_one_bad_file_does_not_stop_the_others(tree: Path, tmp_path: Path, capfd: Capture) -> None:
    bad = tree / "aa"
    bad.write_bytes(BAD)
    one_line(invoke(capfd, "-r", tree, tmp_path / "out"), f"{bad}: ", "not a DICOM file")
    assert [name for name in listing(tmp_path / "out") if "/" not in name] == ["a", "b", "empty", "no", "sub"]


def test_each_bad_file_is_one_line_in_the_order_of_names(tree: Path, tmp_path: Path, capfd: Capture) -> None:
    for name in ("z", "aa", "sub/x", "sub/deep/y\n2"):
        (tree / name).write_bytes(BAD)
    said = invoke(capfd, "-r", tree, tmp_path / "out")
    assert said.status == 1
    names = [line.split(": ")[1] for line in said.err.splitlines()]
    assert names == [f"{tree}/aa", repr(f"{tree}/sub/deep/y\n2"), f"{tree}/sub/x", f"{tree}/z"]


def test_case_41_the_output_folder_may_lie_within_the_input(tree: Path, capfd: Capture) -> None:
    """It is not taken for input, now or the next time."""
    for _ in range(2):
        assert invoke(capfd, "-r", tree, tree / "out") == (0, "", "")
        assert listing(tree / "out") == ["a", "b", "empty", "no", "sub", "sub/c", "sub/deep", "sub/deep/d"]


@pytest.mark.parametrize("way", ["same", "dot", "link", "slash"])
def test_case_41_the_input_folder_is_not_the_output(way: str, tree: Path, tmp_path: Path, capfd: Capture) -> None:
    """However it is written: refused, and nothing changes."""
    (tmp_path / "link").symlink_to(tree)
    target = {"same": tree, "dot": tree / "sub" / "..", "link": tmp_path / "link", "slash": f"{tree}/"}[way]
    before = {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    one_line(invoke(capfd, "-r", tree, target), "must differ")
    assert {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()} == before


def test_case_41_the_input_is_not_written_over_from_above(tmp_path: Path, capfd: Capture) -> None:
    """data/in/in/x would go to data/in/x, which is an input yet to be read."""
    source = tmp_path / "data" / "in"
    (source / "in").mkdir(parents=True)
    (source / "x").write_bytes(image())
    (source / "in" / "x").write_bytes(BAD)
    one_line(invoke(capfd, "-r", source, tmp_path / "data"), source / "in", "would fall into the input folder")
    assert (source / "x").read_bytes() == image()
    assert (tmp_path / "data" / "x").exists()


def test_case_41_the_input_is_not_written_over_by_a_link(tree: Path, tmp_path: Path, capfd: Capture) -> None:
    """A link in the output folder that leads back into the input."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").symlink_to(tree / "sub")
    one_line(invoke(capfd, "-r", tree, tmp_path / "out"), tree / "sub", "is no folder, or a symbolic link")
    assert (tree / "sub" / "c").read_bytes() == image()


def test_cases_20_and_21_what_is_no_file_is_told_of_and_not_read(tree: Path, tmp_path: Path, capfd: Capture) -> None:
    """None of it ends the run, as it does gdcmanon's, and the exit status says so."""
    (tmp_path / "secret").write_bytes(image())
    (tree / "sub" / "back").symlink_to("..")
    (tree / "link").symlink_to(tmp_path / "secret")
    (tree / "loop").symlink_to(tree)
    (tree / "nowhere").symlink_to("nothing")
    (tree / "ring").symlink_to("ring")
    (tree / "special").symlink_to("/dev/null")
    os.mkfifo(tree / "pipe")
    (tree / "to pipe").symlink_to("pipe")
    with socket(AF_UNIX) as listener:
        listener.bind(os.path.relpath(tree / "socket"))
        said = invoke(capfd, "-r", tree, tmp_path / "out")
    assert said.status == 1
    assert dict(line.removeprefix(f"dcmveil: {tree}/").split(": ", 1) for line in said.err.splitlines()) == {
        "link": "is a symbolic link that leads out of the input: not followed",
        "loop": "is a symbolic link to a folder: not followed",
        "nowhere": "is a symbolic link that cannot be followed: No such file or directory",
        "pipe": "is no regular file: not read",
        "ring": "is a symbolic link that cannot be followed: Too many levels of symbolic links",
        "socket": "is no regular file: not read",
        "special": "is a symbolic link that leads out of the input: not followed",
        "sub/back": "is a symbolic link to a folder: not followed",
        "to pipe": "is a symbolic link to no regular file: not followed",
    }
    assert listing(tmp_path / "out") == ["a", "b", "empty", "no", "sub", "sub/c", "sub/deep", "sub/deep/d"]


def test_a_link_within_the_input_is_followed_to_its_file(tree: Path, tmp_path: Path, capfd: Capture) -> None:
    """The output is a file of its own."""
    (tree / "link").symlink_to("sub/c")
    (tree / "sub" / "up").symlink_to(tree / ".hidden")
    (tree / "twice").symlink_to("link")
    assert invoke(capfd, "-r", tree, tmp_path / "out") == (0, "", "")
    for name in ("link", "sub/up", "twice"):
        assert stat.S_ISREG((tmp_path / "out" / name).lstat().st_mode)
        assert MARK not in (tmp_path / "out" / name).read_bytes()


def test_a_link_to_an_output_is_not_followed(tree: Path, capfd: Capture) -> None:
    assert invoke(capfd, tree, tree / "out").status == 0
    (tree / "link").symlink_to("out/a")
    one_line(invoke(capfd, "-r", tree, tree / "out"), tree / "link", "leads out of the input")


def test_case_34_no_link_is_followed_below_the_output_folder(tree: Path, tmp_path: Path, capfd: Capture) -> None:
    """Whoever has put it there decides where it leads. That the output folder itself is a link is the caller's wish."""
    (tmp_path / "disk" / "elsewhere").mkdir(parents=True)
    (tmp_path / "out").symlink_to("disk")
    (tmp_path / "disk" / "sub").symlink_to("elsewhere")
    one_line(invoke(capfd, "-r", tree, tmp_path / "out"), tree / "sub", tmp_path / "out" / "sub", "not followed")
    assert listing(tmp_path / "disk") == ["a", "b", "elsewhere", "empty", "no", "sub"]


def test_no_listing_is_held_whole(tree: Path, tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of a folder come in batches: all of them, in order, and each once."""
    for number in range(20):
        (tree / f"{number}").write_bytes(BAD)
    monkeypatch.setattr(trees, "_NAMES", 3)
    assert invoke(capfd, "-r", tree, tmp_path / "out").status == 1
    names = [found.source for found in folders.Walk(str(tree), None, recursive=True)]
    assert names == sorted(names)
    assert len(names) == 24


def test_a_file_that_vanishes_is_only_one(tree: Path) -> None:
    outcomes = outcomes_of(jobs_of(str(tree), None, recursive=True), Deidentify(Policy()))
    assert next(outcomes).status == "ok"
    (tree / "b").unlink()
    assert next(outcomes).failure == Failure("InputError", "cannot be opened: No such file or directory")
    assert next(outcomes).job.source == f"{tree}/sub/c"


def test_the_last_line_counts_what_became_of_the_files(tree: Path, tmp_path: Path, capfd: Capture) -> None:
    (tree / "bad").write_bytes(BAD)
    (tree / "cut").write_bytes(image()[:-1])
    (tree / "nowhere").symlink_to("nothing")
    counts = {"done": 4, "refused": 1, "failed": 2, "there": 0}
    assert tally(capfd, "-r", tree, tmp_path / "out") == counts
    assert tally(capfd, "-r", "--dry-run", tree) == counts
    assert tally(capfd, tree / "empty", tmp_path / "new") == dict.fromkeys(counts, 0)
    assert cli.run([str(tree / "a"), str(tmp_path / "one")]) == 0
    assert capfd.readouterr() == ("", "")


def test_a_link_given_by_name_is_followed(tree: Path, tmp_path: Path, capfd: Capture) -> None:
    (tmp_path / "file").symlink_to(tree / "a")
    (tmp_path / "folder").symlink_to(tree)
    assert invoke(capfd, tmp_path / "file", tmp_path / "out1") == (0, "", "")
    assert invoke(capfd, tmp_path / "folder", tmp_path / "out2") == (0, "", "")
    assert listing(tmp_path / "out2") == ["a", "b"]


def test_a_folder_does_not_go_into_a_file(tree: Path, tmp_path: Path, capfd: Capture) -> None:
    (tmp_path / "file\n").write_bytes(b"old")
    one_line(invoke(capfd, tree, tmp_path / "file\n"), "is no folder, but the input is one")
    assert (tmp_path / "file\n").read_bytes() == b"old"


def test_a_file_does_not_go_into_a_folder(tree: Path, tmp_path: Path, capfd: Capture) -> None:
    before = listing(tmp_path)
    one_line(invoke(capfd, tree / "a", tree / "sub"), tree / "sub", "is no regular file")
    one_line(invoke(capfd, tree / "a", tmp_path / "no" / "out"), tmp_path / "no" / "out", "No such file")
    one_line(invoke(capfd, tree / "a", tree / "b" / "out"), "Not a directory")
    assert listing(tmp_path) == before


def test_a_file_in_the_way_of_a_folder_stops_only_that_folder(tree: Path, tmp_path: Path, capfd: Capture) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").write_bytes(b"old")
    one_line(invoke(capfd, "-r", tree, tmp_path / "out"), tree / "sub", tmp_path / "out" / "sub", "is no folder")
    assert (tmp_path / "out" / "sub").read_bytes() == b"old"
    assert (tmp_path / "out" / "b").exists()


def test_an_empty_folder_is_no_error(tmp_path: Path, capfd: Capture) -> None:
    (tmp_path / "in").mkdir()
    assert invoke(capfd, "-r", tmp_path / "in", tmp_path / "out") == (0, "", "")


def test_folders_may_be_nested_deeper_than_python_calls(tmp_path: Path, capfd: Capture) -> None:
    """Deeper than Python calls may be here: those of other places need a path that is too long for clean-up."""
    below = Path(*["d"] * 150)
    (tmp_path / "in" / below).mkdir(parents=True)
    (tmp_path / "in" / below / "file").write_bytes(image())
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 100)
    try:
        said = invoke(capfd, "-r", tmp_path / "in", tmp_path / "out")
    finally:
        sys.setrecursionlimit(limit)
    assert said == (0, "", "")
    assert (tmp_path / "out" / below / "file").exists()


def test_uids_agree_over_a_folder(tree: Path, tmp_path: Path, capfd: Capture) -> None:
    """R14: one UID is replaced by one other, in all files of a run."""
    assert invoke(capfd, tree, tmp_path / "out").status == 0
    assert (tmp_path / "out" / "a").read_bytes() == (tmp_path / "out" / "b").read_bytes()

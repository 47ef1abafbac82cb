"""Sources give the bytes that are there; a deflated Data Set is read and written back in fixed windows."""

from __future__ import annotations

import errno
import os
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dcmveil.errors import InputError, ParseError
from dcmveil.sinks import DeflateWriter, FileOutput, copy_script
from dcmveil.sources import DeflatedSource, FileSource
from tests.sink.scripts import (
    INPUT,
    KIB,
    MIB,
    Segment,
    copy,
    data,
    forward_segment_lists,
    meaning_of,
    opened,
    run_python,
    script_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

META = b"File Meta Information, as it is. "
DATA_SET = INPUT[:300_000] + b"\0" * 700_000
LOGICAL = META + DATA_SET


def deflated(data_set: bytes, wbits: int = -zlib.MAX_WBITS) -> bytes:
    deflater = zlib.compressobj(wbits=wbits)
    return deflater.compress(data_set) + deflater.flush()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeflatedSource]:
    path = tmp_path_factory.mktemp("deflated") / "in"
    path.write_bytes(META + deflated(DATA_SET))
    with opened(path) as fd:
        yield DeflatedSource(FileSource(fd), len(META))


def read_all(path: Path, start: int = len(META)) -> bytes:
    with opened(path) as fd:
        return DeflatedSource(FileSource(fd), start).read(10 * MIB)


def test_file_source_reads_by_position(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(INPUT)
    with opened(tmp_path / "in") as fd:
        source = FileSource(fd)
        assert source.size == len(INPUT)
        assert source.read_at(1000, 50) == INPUT[1000:1050]
        assert source.read_at(len(INPUT) - 3, 50) == INPUT[-3:]
        assert source.read_at(len(INPUT) + 3, 50) == b""
        assert os.lseek(fd, 0, os.SEEK_CUR) == 0


def test_file_source_takes_no_memory_for_a_length_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"small")
    with opened(tmp_path / "in") as fd:
        assert FileSource(fd).read_at(1, 1 << 62) == b"mall"


@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 400_000)), max_size=12))
@settings(max_examples=60, deadline=None)
def test_reads_and_skips_the_logical_stream(source: DeflatedSource, steps: list[tuple[bool, int]]) -> None:
    source.rewind()
    for reads, count in steps:
        at = source.position
        wanted = LOGICAL[at : at + count]
        if reads:
            assert source.read(count) == wanted
        else:
            assert source.skip(count) == len(wanted)
        assert source.position == at + len(wanted)


def test_rewind_gives_a_second_pass(source: DeflatedSource) -> None:
    source.rewind()
    assert source.skip(500_000) == 500_000
    source.rewind()
    assert source.read(len(LOGICAL) + 1) == LOGICAL
    assert source.read(1) == b""


def test_reads_a_data_set_in_a_zlib_envelope(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(META + deflated(DATA_SET, wbits=zlib.MAX_WBITS))
    assert read_all(tmp_path / "in") == LOGICAL


@pytest.mark.parametrize("tail", [b"\0", b"trailing", deflated(b"second stream"), b"\0" * 200_000])
def test_ignores_what_follows_the_deflate_stream(tmp_path: Path, tail: bytes) -> None:
    (tmp_path / "in").write_bytes(META + deflated(DATA_SET) + tail)
    assert read_all(tmp_path / "in") == LOGICAL


@pytest.mark.parametrize("wbits", [-zlib.MAX_WBITS, zlib.MAX_WBITS], ids=["raw", "zlib"])
def test_every_cut_is_an_error(tmp_path: Path, wbits: int) -> None:
    stream = deflated(INPUT[:40] + b"\0" * 600_000, wbits)
    for length in range(len(stream)):
        (tmp_path / "in").write_bytes(META + stream[:length])
        with pytest.raises(ParseError, match="cut short"):
            read_all(tmp_path / "in")


def test_a_file_that_ends_before_its_data_set_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(META)
    with pytest.raises(ParseError, match="ends before its Data Set") as caught:
        read_all(tmp_path / "in", len(META) + 10)
    assert caught.value.offset == 0


@pytest.mark.parametrize(
    "stream", [b"\xff" * 100, b"\x78\x9c" + b"\xff" * 100, deflated(DATA_SET)[:200_000] + b"\xff" * 9]
)
def test_corrupt_stream_is_an_error_without_content(tmp_path: Path, stream: bytes) -> None:
    (tmp_path / "in").write_bytes(META + stream)
    with pytest.raises(ParseError, match=r"corrupt|cut short") as caught:
        read_all(tmp_path / "in")
    assert caught.value.offset is not None
    assert caught.value.offset >= len(META)


@given(noise=st.binary(max_size=200), at=st.integers(0, 400))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_or_refused(tmp_path: Path, noise: bytes, at: int) -> None:
    stream = deflated(INPUT[:500])
    (tmp_path / "in").write_bytes(stream[:at] + noise + stream[at:])
    with suppress(ParseError):
        read_all(tmp_path / "in", 0)


@given(segments=forward_segment_lists)
@settings(max_examples=100, deadline=None)
def test_copy_script_does_what_the_naive_executor_does(source: DeflatedSource, segments: list[Segment]) -> None:
    fitting = [s for s in segments if isinstance(s, bytes) or sum(s) <= len(LOGICAL)]
    pieces = list[bytes]()
    source.rewind()
    copy_script(source, script_of(fitting), pieces.append)
    assert b"".join(pieces) == meaning_of(fitting, LOGICAL)
    assert max(map(len, pieces), default=0) <= 256 * KIB


@pytest.mark.parametrize(
    "script",
    [b"\0" * 7, data(b"four")[:-1], copy(0, 1)[:-1], copy(10, 5) + copy(14, 1)],
)
def test_copy_script_refuses_a_malformed_script(source: DeflatedSource, script: bytes) -> None:
    source.rewind()
    with pytest.raises(ValueError, match="malformed segment script"):
        copy_script(source, script, lambda _: None)


@pytest.mark.parametrize("segment", [(len(LOGICAL) - 5, 6), (len(LOGICAL) + 1, 1), (0, 1 << 62)])
def test_copy_script_notices_an_input_that_shrank(source: DeflatedSource, segment: tuple[int, int]) -> None:
    source.rewind()
    with pytest.raises(OSError, match="the input shrank") as caught:
        copy_script(source, copy(*segment), lambda _: None)
    assert caught.value.errno == errno.ENODATA


@given(
    pieces=st.lists(st.binary(max_size=50) | st.sampled_from([INPUT[:MIB], b"\0" * MIB]), max_size=8),
    raw_length=st.sampled_from([0, 2, 30, 1 << 19]),
    level=st.sampled_from([0, 1, 6]),
)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_deflate_writer_deflates_all_but_the_head(
    tmp_path: Path, pieces: list[bytes], raw_length: int, level: int
) -> None:
    with opened(tmp_path / "out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as fd:
        writer = DeflateWriter(FileOutput(fd, fd, 0).write, level, raw_length=raw_length)
        for piece in pieces:
            writer.write(piece)
        writer.finish()
    logical, written = b"".join(pieces), (tmp_path / "out").read_bytes()
    raw_length = min(raw_length, len(logical))
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    assert writer.written == len(written)
    assert written[:raw_length] + inflater.decompress(written[raw_length:]) == logical
    assert inflater.eof
    assert inflater.unused_data == b"\0" * ((len(written) - raw_length - len(inflater.unused_data)) % 2)


def test_deflate_writer_continues_short_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, value: write(fd, value[:1000]))
    with opened(tmp_path / "out", os.O_WRONLY | os.O_CREAT) as fd:
        writer = DeflateWriter(FileOutput(fd, fd, 0).write, 0, raw_length=len(META))
        writer.write(LOGICAL)
        writer.finish()
    assert read_all(tmp_path / "out") == LOGICAL


def test_deflate_writer_reports_a_full_device() -> None:
    with opened(Path("/dev/full"), os.O_WRONLY) as full:
        writer = DeflateWriter(FileOutput(full, full, 0).write, raw_length=0)
        writer.write(b"x")
        with pytest.raises(OSError, match="No space left on device"):
            writer.finish()


def test_memory_is_flat_for_a_bomb(tmp_path: Path) -> None:
    """100 MB of zeros and a 1 MB of them: the same peak, through the whole way from inflating to deflating."""
    code = """if True:
        import os, re, sys
        from dcmveil.sinks import DeflateWriter, copy_script
        from dcmveil.sources import DeflatedSource, FileSource
        from tests.sink.scripts import copy, data
        source = DeflatedSource(FileSource(os.open(sys.argv[1], os.O_RDONLY)), 0)
        length = int(sys.argv[2])
        null = os.open(os.devnull, os.O_WRONLY)
        writer = DeflateWriter(lambda data: os.write(null, data), 1, raw_length=4)
        copy_script(source, data(b"head") + copy(0, length), writer.write)
        writer.finish()
        source.rewind()
        assert source.skip(1 << 62) == length
        print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
    """
    peaks = list[int]()
    for length in (MIB, 100 * MIB):
        bomb = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
        pieces = [bomb.compress(bytes(MIB)) for _ in range(length // MIB)]
        (tmp_path / "bomb").write_bytes(b"".join(pieces) + bomb.flush())
        peaks.append(int(run_python(code, tmp_path / "bomb", str(length))))
    assert peaks[1] - peaks[0] < 4 * KIB


@pytest.mark.parametrize("deflated", [False, True])
def test_an_input_that_cannot_be_read_is_an_error_of_the_input(deflated: bool, tmp_path: Path) -> None:
    """Also for a deflated Data Set, which is read while the output is open: a folder stands in for a bad disk."""
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(InputError, match="cannot be read"):
            DeflatedSource(FileSource(fd), 10).read(5) if deflated else FileSource(fd).read_at(0, 5)
    finally:
        os.close(fd)

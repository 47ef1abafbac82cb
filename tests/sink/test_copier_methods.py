"""Whatever moves a long COPY, the output is the same; and the kernel moves what it can."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dcmveil._copier import Copier
from tests.sink.mounts import shared_bytes, xfs
from tests.sink.scripts import (
    BLOCK,
    HOLES,
    KIB,
    MIB,
    SPARSE,
    Segment,
    congruent,
    congruent_ranges,
    copy,
    data,
    meaning_of,
    opened,
    script_of,
    segment_lists,
    write_sparse,
)
from tests.sink.signals import Interrupted, interrupts

if TYPE_CHECKING:
    from collections.abc import Iterator

METHODS = ("auto", "reflink", "splice", "readwrite")
ALLOWED = {
    "auto": {"reflink", "splice", "readwrite"},
    "reflink": {"reflink", "readwrite"},
    "splice": {"splice", "readwrite"},
    "readwrite": {"readwrite"},
}
LENGTH = len(SPARSE)
TO_TARGET = os.O_RDWR | os.O_CREAT | os.O_TRUNC

methods = pytest.mark.parametrize("method", METHODS)
shared_fixtures = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module", params=["tmp", "xfs"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a sparse file "in": of whatever file system the machine has, and of one that can reflink."""
    root = tmp_path_factory.mktemp("methods")
    if request.param == "xfs":
        with xfs(root) as mounted:
            write_sparse(mounted / "in")
            yield mounted
    else:
        write_sparse(root / "in")
        yield root


@pytest.fixture(scope="module")
def reflinking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with xfs(tmp_path_factory.mktemp("reflinking")) as mounted:
        write_sparse(mounted / "in")
        yield mounted


def moved_by(folder: Path, method: str, *segments: Segment) -> dict[str, int]:
    """Execute and compare with what was meant; returns the bytes by method."""
    with opened(folder / "in") as source, opened(folder / "out", TO_TARGET) as target:
        copier = Copier(source, target, size=LENGTH, method=method)
        copier.run(script_of(list(segments)))
        copier.finish()
        assert os.pread(target, 2 * LENGTH, 0) == meaning_of(list(segments), SPARSE)
        return copier.methods


# ---- the same output ------------------------------------------------------------------------------------------


def test_the_sparse_input_is_sparse(folder: Path) -> None:
    assert (folder / "in").read_bytes() == SPARSE
    assert (folder / "in").stat().st_blocks * 512 < LENGTH - MIB
    for start, stop in HOLES:
        assert not any(SPARSE[start:stop])


def check(folder: Path, method: str, long_copy: int, base: int, segments: list[Segment], in_one: bool) -> None:
    """All that must hold of an execution after `base` bytes that are there already."""
    head = bytes(base)
    wanted = meaning_of(segments, SPARSE)
    scripts = [script_of(segments)] if in_one else [script_of([segment]) for segment in segments]
    with opened(folder / "in") as source, opened(folder / "out", TO_TARGET) as target:
        os.write(target, head)
        copier = Copier(source, target, size=LENGTH, method=method, long_copy=long_copy)
        for script in scripts:
            copier.run(script)
        copier.finish()
        assert copier.written == len(wanted)
        assert os.lseek(target, 0, os.SEEK_CUR) == base + len(wanted)
        os.write(target, b"after")
        assert os.pread(target, base + len(wanted) + 99, 0) == head + wanted + b"after"
        assert copier.methods.keys() <= ALLOWED[method]
        assert sum(copier.methods.values()) == sum(s[1] for s in segments if isinstance(s, tuple))


bases = st.sampled_from([0, 1, BLOCK, BLOCK + 1000])
thresholds = st.sampled_from([0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 64 * KIB, 128 * KIB, 256 * KIB, MIB])


@methods
@given(ranges=congruent_ranges, base=bases, long_copy=thresholds, in_one=st.booleans())
@settings(shared_fixtures, max_examples=60)
def test_congruent_ranges_arrive_whole(
    folder: Path, method: str, ranges: list[tuple[int, int, int]], base: int, long_copy: int, in_one: bool
) -> None:
    check(folder, method, long_copy, base, congruent(ranges, base), in_one)


@methods
@given(segments=segment_lists, base=bases, long_copy=thresholds, in_one=st.booleans())
@settings(shared_fixtures, max_examples=30)
def test_any_ranges_arrive_whole(
    folder: Path, method: str, segments: list[Segment], base: int, long_copy: int, in_one: bool
) -> None:
    check(folder, method, long_copy, base, segments, in_one)


@methods
def test_the_output_takes_no_more_space_than_its_length(folder: Path, method: str) -> None:
    moved_by(folder, method, b"x", (0, LENGTH))
    status = (folder / "out").stat()
    assert status.st_blocks * 512 <= status.st_size + 64 * KIB


@methods
def test_what_stood_behind_the_output_stays(folder: Path, method: str) -> None:
    """A reflink up to an end that is no border of a block is refused there."""
    (folder / "out").write_bytes(b"o" * (LENGTH + MIB))
    with opened(folder / "in") as source, opened(folder / "out", os.O_RDWR) as target:
        copier = Copier(source, target, size=LENGTH, method=method)
        copier.run(copy(0, LENGTH))
        copier.finish()
    assert (folder / "out").read_bytes() == SPARSE + b"o" * MIB


@methods
def test_an_input_that_has_grown_is_copied_as_long_as_it_was(folder: Path, method: str) -> None:
    (folder / "grown").write_bytes(SPARSE + b"more")
    with opened(folder / "grown") as source, opened(folder / "out", TO_TARGET) as target:
        copier = Copier(source, target, size=LENGTH, method=method)
        copier.run(copy(0, LENGTH))
        copier.finish()
    assert (folder / "out").read_bytes() == SPARSE


# ---- by which method ------------------------------------------------------------------------------------------


def test_reflinks_what_stands_alike_up_to_the_end(reflinking: Path) -> None:
    assert moved_by(reflinking, "auto", (0, LENGTH)) == {"reflink": LENGTH}
    with opened(reflinking / "out") as fd:
        assert shared_bytes(fd) >= LENGTH - sum(stop - start for start, stop in HOLES)


@pytest.mark.parametrize("method", ["auto", "reflink"])
def test_reflinks_whole_blocks_and_copies_what_is_around_them(reflinking: Path, method: str) -> None:
    segments: list[Segment] = [b"x" * (BLOCK + 100), (2 * BLOCK + 100, MIB + 200), b"y"]
    middle = (MIB + 200 - (BLOCK - 100)) // BLOCK * BLOCK
    assert moved_by(reflinking, method, *segments) == {"reflink": middle, "readwrite": MIB + 200 - middle}
    with opened(reflinking / "out") as fd:
        assert 0 < shared_bytes(fd) <= middle


@pytest.mark.parametrize("method", ["splice", "readwrite"])
def test_shares_no_block_unless_told_to(reflinking: Path, method: str) -> None:
    assert moved_by(reflinking, method, (0, LENGTH)) == {method: LENGTH}
    with opened(reflinking / "out") as fd:
        assert shared_bytes(fd) == 0


def test_splices_what_stands_alike(folder: Path) -> None:
    segments: list[Segment] = [b"x" * 100, (BLOCK + 100, 2 * MIB)]
    assert moved_by(folder, "splice", *segments) == {"splice": 2 * MIB - (BLOCK - 100), "readwrite": BLOCK - 100}


@methods
@pytest.mark.parametrize(
    "segments",
    [[b"x", (0, 2 * MIB)], [(0, 256 * KIB - 1)], [(0, 128 * KIB), (128 * KIB, 128 * KIB)]],
    ids=["shifted", "too short", "in two parts"],
)
def test_reads_and_writes_what_the_kernel_had_better_not_move(
    folder: Path, method: str, segments: list[Segment]
) -> None:
    copied = sum(s[1] for s in segments if isinstance(s, tuple))
    assert moved_by(folder, method, *segments) == {"readwrite": copied}


def test_a_copier_that_has_copied_nothing_has_used_no_method(folder: Path) -> None:
    assert moved_by(folder, "auto", b"x" * MIB) == {}


@pytest.mark.parametrize(("method", "error"), [("mmap", ValueError), ("", ValueError), (None, TypeError)])
def test_refuses_a_method_that_it_does_not_know(method: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        Copier(0, 1, size=0, method=method)


# ---- what is held meanwhile -----------------------------------------------------------------------------------


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_the_pipe_is_closed_at_the_end_and_opened_again(folder: Path) -> None:
    with opened(folder / "in") as source, opened(folder / "out", TO_TARGET) as target:
        before = descriptors()
        copier = Copier(source, target, size=LENGTH, method="splice")
        for _ in range(2):
            copier.run(copy(0, 2 * MIB))
            assert descriptors() == before + 2
            copier.finish()
            assert descriptors() == before
        assert copier.methods == {"splice": 4 * MIB}


def test_the_pipe_is_closed_with_a_copier_that_never_came_to_its_end(folder: Path) -> None:
    with opened(folder / "in") as source, opened(folder / "out", TO_TARGET) as target:
        before = descriptors()
        copier = Copier(source, target, size=LENGTH, method="splice")
        copier.run(copy(0, MIB))
        copier.__init__(source, target, size=LENGTH, method="splice")
        assert descriptors() == before
        copier.run(copy(0, MIB))
        del copier
        assert descriptors() == before


@pytest.mark.parametrize("method", ["splice", "readwrite"])
def test_a_signal_is_heeded_in_the_midst_of_a_range(tmp_path: Path, method: str) -> None:
    size = 512 * MIB
    with (tmp_path / "in").open("wb") as file:
        file.truncate(size)

    with opened(tmp_path / "in") as source, opened(tmp_path / "out", TO_TARGET) as target:
        copier = Copier(source, target, size=size, method=method)
        copier.run(data(b"x" * BLOCK))
        with pytest.raises(Interrupted), interrupts(0.001, lambda: copier.written > BLOCK):
            copier.run(copy(BLOCK, size - BLOCK))
        assert BLOCK < copier.written < size
        assert os.fstat(target).st_size < size
    (tmp_path / "out").unlink()

"""Whole files: one call in a running interpreter, one process per file, and 1 GiB next to `cp`.

Sources are real blocks, not holes, since `cp` leaves holes out. `extra_info` has the bytes of the source and,
where a process is timed, its peak resident memory in KiB.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.commands import HAVE_GDCMANON, Command
from dcmveil import Policy, deidentify_file
from tests.synthetic import Chunk, ct_image, encapsulated_image, native_image, write_stream
from tests.synthetic.rss import peak_rss

GIBIBYTE = 1 << 30
TOOLS = ["cp", "dcmveil", *(["gdcmanon"] if HAVE_GDCMANON else [])]
SMALL: dict[str, Callable[[], Iterable[Chunk]]] = {"CT 512x512": ct_image, "CT 64x64": lambda: ct_image(64, 64)}
BIG: dict[str, Callable[[], Iterable[Chunk]]] = {
    "native": lambda: native_image(GIBIBYTE),
    "encapsulated": lambda: encapsulated_image(1024, GIBIBYTE >> 10),
}


@pytest.fixture(scope="module", params=SMALL)
def small(request: pytest.FixtureRequest, folder: Path) -> Path:
    path = folder / "small.dcm"
    write_stream(path, SMALL[request.param](), sparse=False)
    return path


@pytest.fixture(scope="module", params=BIG)
def big(request: pytest.FixtureRequest, folder: Path) -> Iterator[Path]:
    path = folder / f"{request.param}.dcm"
    write_stream(path, BIG[request.param](), sparse=False)
    yield path
    path.unlink()


def time_process(benchmark: BenchmarkFixture, command: Command, source: Path, rounds: int) -> None:
    """Time `command`; each round writes a target that was not there before."""
    target = source.with_suffix(".out")
    argv = command(source, target)

    def remove() -> None:
        target.unlink(missing_ok=True)

    benchmark.pedantic(lambda: subprocess.run(argv, check=True), setup=remove, rounds=rounds, warmup_rounds=1)
    remove()
    status, peak = peak_rss(argv)
    assert status == 0
    assert target.stat().st_size > source.stat().st_size // 2
    remove()
    benchmark.extra_info.update(bytes=source.stat().st_size, peak_rss_kib=peak)


@pytest.mark.benchmark(group="one file in a running interpreter")
def test_call(benchmark: BenchmarkFixture, small: Path) -> None:
    policy = Policy(secret=b"a secret of more than 16 bytes")
    benchmark(deidentify_file, small, small.with_suffix(".out"), policy)
    benchmark.extra_info["bytes"] = small.stat().st_size


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.benchmark(group="one process per file")
def test_process(benchmark: BenchmarkFixture, small: Path, tools: dict[str, Command], tool: str) -> None:
    time_process(benchmark, tools[tool], small, rounds=10)


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.benchmark(group="1 GiB")
def test_gibibyte(benchmark: BenchmarkFixture, big: Path, tools: dict[str, Command], tool: str) -> None:
    time_process(benchmark, tools[tool], big, rounds=3)

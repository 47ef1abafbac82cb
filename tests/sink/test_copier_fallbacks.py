"""What the kernel cannot move is read and written, and a real failure is one, whichever method meets it."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dcmveil._copier import Copier
from tests.sink.mounts import tmpfs, xfs
from tests.sink.scripts import BLOCK, INPUT, KIB, MIB, copy, data, opened, run_python

if TYPE_CHECKING:
    from collections.abc import Iterator

LENGTH = len(INPUT)
TO_TARGET = os.O_RDWR | os.O_CREAT | os.O_TRUNC
MEMORY = Path("/dev/shm")

methods = pytest.mark.parametrize("method", ["auto", "reflink", "splice", "readwrite"])


@pytest.fixture(scope="module", params=["tmp", "xfs"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a file "in": of whatever file system the machine has, and of one that can reflink."""
    root = tmp_path_factory.mktemp("fallbacks")
    if request.param == "xfs":
        with xfs(root) as mounted:
            (mounted / "in").write_bytes(INPUT)
            yield mounted
    else:
        (root / "in").write_bytes(INPUT)
        yield root


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A file with INPUT on another file system than `tmp_path`."""
    if not MEMORY.is_dir() or MEMORY.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip(f"{MEMORY} is no other file system")
    path = MEMORY / f"dcmveil-{os.urandom(8).hex()}"
    path.write_bytes(INPUT)
    yield path
    path.unlink()


# ---- the next method ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "by"), [("auto", "splice"), ("splice", "splice"), ("reflink", "readwrite")])
def test_across_file_systems(tmp_path: Path, elsewhere: Path, method: str, by: str) -> None:
    with opened(elsewhere) as source, opened(tmp_path / "out", TO_TARGET) as target:
        copier = Copier(source, target, size=LENGTH, method=method)
        copier.run(copy(0, LENGTH))
        copier.finish()
        assert copier.methods == {by: LENGTH}
    assert (tmp_path / "out").read_bytes() == INPUT


@methods
def test_a_pipe_gets_everything(folder: Path, method: str) -> None:
    read_end, write_end = os.pipe()
    received = list[bytes]()

    def drain() -> None:
        while piece := os.read(read_end, MIB):
            received.append(piece)

    reader = threading.Thread(target=drain)
    reader.start()
    with opened(folder / "in") as source:
        copier = Copier(source, write_end, size=LENGTH, method=method)
        copier.run(copy(0, LENGTH))
        copier.finish()
    os.close(write_end)
    reader.join()
    os.close(read_end)
    assert b"".join(received) == INPUT
    assert copier.methods == {"readwrite": LENGTH}


@methods
def test_a_file_that_is_appended_to(folder: Path, method: str) -> None:
    """Where it stands says nothing of where it is written."""
    (folder / "out").write_bytes(b"h" * BLOCK)
    with opened(folder / "in") as source, opened(folder / "out", os.O_WRONLY | os.O_APPEND) as target:
        copier = Copier(source, target, size=LENGTH, method=method)
        copier.run(copy(0, LENGTH))
        copier.finish()
        assert copier.methods == {"readwrite": LENGTH}
    assert (folder / "out").read_bytes() == b"h" * BLOCK + INPUT


@methods
def test_a_target_that_takes_no_more_of_it_from_the_pipe(folder: Path, method: str) -> None:
    """It becomes one that is appended to: neither a reflink nor what is in the pipe by then can go there."""
    with opened(folder / "in") as source, opened(folder / "out", TO_TARGET) as target:
        copier = Copier(source, target, size=LENGTH, method=method)
        copier.run(copy(0, 2 * MIB))
        before = copier.methods
        fcntl.fcntl(target, fcntl.F_SETFL, os.O_APPEND)
        copier.run(copy(0, 2 * MIB) + data(b"and") + copy(0, MIB))
        fcntl.fcntl(target, fcntl.F_SETFL, 0)
        copier.run(data(bytes(BLOCK - 3)) + copy(0, 2 * MIB))
        copier.finish()
        by_kernel = {name: count for name, count in before.items() if name != "readwrite"}
        assert copier.methods == {"readwrite": 7 * MIB - sum(by_kernel.values()), **by_kernel}
        assert os.lseek(target, 0, os.SEEK_CUR) == copier.written
    wanted = [INPUT[: 2 * MIB], INPUT[: 2 * MIB], b"and", INPUT[:MIB], bytes(BLOCK - 3), INPUT[: 2 * MIB]]
    assert (folder / "out").read_bytes() == b"".join(wanted)


def test_no_descriptors_left_for_a_pipe_and_no_second_try(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(INPUT)
    code = """if True:
        import os, resource, sys
        from dcmveil._copier import Copier
        from tests.sink.scripts import INPUT, MIB, copy
        source = os.open(sys.argv[1], os.O_RDONLY)
        target = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT, 0o600)
        copier = Copier(source, target, size=len(INPUT), method="splice")
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (target + 1, hard))
        copier.run(copy(0, 2 * MIB))
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        copier.run(copy(0, 2 * MIB))
        copier.finish()
        print(copier.methods)
    """
    assert run_python(code, tmp_path / "in", tmp_path / "out") == str({"readwrite": 4 * MIB})
    assert (tmp_path / "out").read_bytes() == 2 * INPUT[: 2 * MIB]


# ---- real failures --------------------------------------------------------------------------------------------


@methods
def test_file_size_limit_is_an_error(folder: Path, method: str) -> None:
    (folder / "out").unlink(missing_ok=True)
    code = """if True:
        import os, resource, sys
        from dcmveil._copier import Copier
        from tests.sink.scripts import INPUT, copy
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))
        source = os.open(sys.argv[1], os.O_RDONLY)
        target = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            Copier(source, target, size=len(INPUT), method=sys.argv[3]).run(copy(0, len(INPUT)))
        except OSError as error:
            print(error.errno, "reading" in str(error), os.fstat(target).st_size)
    """
    printed = run_python(code, folder / "in", folder / "out", method)
    assert printed == f"{errno.EFBIG} False 1500000"


@methods
def test_a_full_file_system_is_an_error(tmp_path: Path, method: str) -> None:
    (tmp_path / "in").write_bytes(INPUT)
    with (
        tmpfs(tmp_path, 2 * MIB) as small,
        opened(tmp_path / "in") as source,
        opened(small / "out", TO_TARGET) as target,
    ):
        copier = Copier(source, target, size=LENGTH, method=method)
        with pytest.raises(OSError, match=r"^.Errno 28. No space left on device$") as caught:
            copier.run(copy(0, LENGTH))
        assert caught.value.errno == errno.ENOSPC
        with pytest.raises(ValueError, match="has failed"):
            copier.finish()


@methods
@pytest.mark.parametrize("missing", [1, 9, BLOCK, MIB, 2 * MIB + 5])
@pytest.mark.parametrize("shift", [0, 1], ids=["congruent", "shifted"])
def test_input_that_shrinks_is_an_error(folder: Path, method: str, missing: int, shift: int) -> None:
    path = folder / "shrinking"
    path.write_bytes(INPUT)
    with opened(path) as source, opened(folder / "out", TO_TARGET) as target:
        copier = Copier(source, target, size=LENGTH, method=method)
        os.truncate(path, LENGTH - missing)
        with pytest.raises(OSError, match="the input shrank") as caught:
            copier.run(data(b"x" * shift) + copy(0, LENGTH))
        assert caught.value.errno == errno.ENODATA


@methods
def test_an_input_that_cannot_be_read_is_an_error_that_says_so(folder: Path, method: str) -> None:
    """Bytes of one's own memory that are not there, asked for as a file."""
    with opened(Path("/proc/self/mem")) as source, opened(folder / "out", TO_TARGET) as target:
        copier = Copier(source, target, size=4 * MIB, method=method)
        with pytest.raises(OSError, match=r"^.Errno 5. reading the input: Input/output error$"):
            copier.run(copy(0, 2 * MIB + 64 * KIB))

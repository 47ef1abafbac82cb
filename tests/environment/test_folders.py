"""Folders that others work in as well: links put where folders were, names that are one, a second run."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dcmveil import batch, folders, output, trees
from tests.cli.support import MARK, image, invoke, listing, one_line, tally
from tests.environment.folding import fold_case

Capture = pytest.CaptureFixture[str]
OLD = b"an output that was there before"
FOLLOWED = b"VEILME, in a file that no link must lead to"
TAKEN = "there is a file by now, of another run or of a name that differs in case only"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A file, another one in a folder below, and a folder elsewhere with a file of the same name."""
    source = tmp_path / "in"
    for path in (source / "a", source / "sub" / "c"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(image())
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "c").write_bytes(FOLLOWED)
    return source


def swap(folder: Path, away: str) -> None:
    """Put a symbolic link in the place of a folder, once."""
    if folder.is_symlink():
        return
    if away == "moved":
        folder.rename(folder.with_name("moved"))
    else:
        shutil.rmtree(folder)
    folder.symlink_to(folder.parents[1] / "elsewhere")


def before_each_file(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    """Something happens when a file has been found, and before it is opened, in whichever process."""
    do = batch._do

    def done(job: batch.Job, *arguments: Any) -> batch.Outcome:
        if job.source.endswith("/c"):
            happens()
        return do(job, *arguments)

    monkeypatch.setattr(batch, "_do", done)


# ---- a folder is replaced by a link ----------------------------------------------------------------------------


@pytest.mark.parametrize("away", ["moved", "removed"])
@pytest.mark.parametrize("jobs", [1, pytest.param(3, marks=pytest.mark.ci)])
@pytest.mark.parametrize("top", ["in", "out"])
def test_case_34_a_folder_swapped_for_a_link_between_listing_and_opening(
    top: str, jobs: int, away: str, tree: Path, tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is read or written where the link leads: an error, or all is done where the folder is now."""
    before_each_file(monkeypatch, lambda: swap(tmp_path / top / "sub", away))
    said = invoke(capfd, "-r", "--jobs", jobs, tree, tmp_path / "out")
    if away == "moved" and said.status == 0:  # the folder was held open still
        assert (tmp_path / "out" / ("sub" if top == "in" else "moved") / "c").exists()
    else:
        one_line(said, tree / "sub" / "c")
        assert jobs > 1 or away == "removed"
    assert listing(tmp_path / "elsewhere") == ["c"]
    assert (tmp_path / "elsewhere" / "c").read_bytes() == FOLLOWED
    outputs = [path for path in (tmp_path / "out").rglob("*") if stat.S_ISREG(path.lstat().st_mode)]
    assert not any(MARK in path.read_bytes() for path in outputs)


def test_case_34_a_folder_swapped_for_a_link_before_it_is_entered(
    tree: Path, tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told of and not entered; the others are done."""
    entries = folders.Walk._entries

    def entered(walk: folders.Walk, folder: str) -> object:
        if folder == "sub":
            swap(tree / "sub", "moved")
        return entries(walk, folder)

    monkeypatch.setattr(folders.Walk, "_entries", entered)
    said = invoke(capfd, "-r", tree, tmp_path / "out")
    one_line(said, f"{tree / 'sub'}: folder cannot be used: is no folder, or a symbolic link: not followed")
    assert listing(tmp_path / "out") == ["a"]


def test_case_34_the_folder_behind_a_link_swapped_for_another_link(
    tree: Path, tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link that is followed is looked at once: where it leads is opened by name."""
    (tree / "sub").rename(tree / ".sub")
    (tree / "link").symlink_to(".sub/c")
    follow = trees.Tree.follow

    def followed(inputs: trees.Tree, relative: str) -> trees.Beneath:
        place = follow(inputs, relative)
        inputs.folder("")
        swap(tree / ".sub", "removed")
        return place

    monkeypatch.setattr(trees.Tree, "follow", followed)
    one_line(invoke(capfd, tree, tmp_path / "out"), tree / "link", "cannot be opened: is no folder, or a symbolic link")
    assert listing(tmp_path / "out") == ["a"]


def test_case_34_folders_deeper_than_there_are_descriptors(tmp_path: Path) -> None:
    """Of all the folders on the way one is held open."""
    below = Path(*["d"] * 40)
    (tmp_path / "in" / below).mkdir(parents=True)
    for place in (tmp_path / "in" / below, *(tmp_path / "in" / below).parents[:40]):
        (place / "z").write_bytes(image())
    limit = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12))"
    script = f"{limit}; import sys; from dcmveil import cli; sys.exit(cli.run(sys.argv[1:]))"
    command = [sys.executable, "-c", script, "-r", tmp_path / "in", tmp_path / "out"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr.startswith("dcmveil: 41 done, 0 refused, 0 failed"), done
    assert len([path for path in (tmp_path / "out").rglob("z") if path.is_file()]) == 41


# ---- names that are one ----------------------------------------------------------------------------------------


@pytest.fixture(params=["nameless", "named", "no hard links"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How an output gets its name."""
    if request.param != "nameless":
        monkeypatch.setattr(output, "_NAMELESS", 0)
    return str(request.param)


@pytest.mark.parametrize("jobs", [1, pytest.param(3, marks=pytest.mark.ci)])
def test_case_28_names_that_differ_in_case_only(
    jobs: int, way: str, tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of them is written, the other one is told of, in the first run and in a second one: none is written over."""
    source, target = tmp_path / "in", tmp_path / "out"
    (source / "Sub").mkdir(parents=True)
    (source / "sub").mkdir()
    for name in ("A.dcm", "a.dcm", "B.dcm", "c.dcm", "Sub/x", "sub/X"):
        (source / name).write_bytes(image())
    target.mkdir()
    fold_case(monkeypatch, target, hard_links=way != "no hard links")
    runs = []
    for _run in range(2):
        said = invoke(capfd, "-r", "--jobs", jobs, source, target)
        assert said.status == 1
        taken, folder = said.err.splitlines()
        assert (taken.split(": ")[1].lower(), taken.endswith(TAKEN)) == (f"{source}/a.dcm".lower(), True)
        assert folder.startswith(f"dcmveil: {source}/sub: folder cannot be used: its output would fall among that")
        runs.append({path.relative_to(target) for path in target.rglob("*") if path.is_file()})
    assert runs[0] == runs[1]
    assert sorted(str(path).lower() for path in runs[0]) == ["a.dcm", "b.dcm", "c.dcm", "sub/x"]


def test_case_28_resume_does_not_take_one_for_the_other(
    tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is there already is there under its own name."""
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    target.mkdir()
    for name in ("A.dcm", "a.dcm"):
        (source / name).write_bytes(image())
    fold_case(monkeypatch, target)
    counts = {"refused": 0, "failed": 1}
    assert tally(capfd, source, target) == {"done": 1, "there": 0, **counts}
    assert tally(capfd, "--resume", source, target) == {"done": 0, "there": 1, **counts}


# ---- two runs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, 3])
def test_case_29_an_output_that_another_run_has_made_meanwhile(
    jobs: int, tree: Path, tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays, and the run says so. What was there before is replaced."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_bytes(OLD)
    before_each_file(monkeypatch, lambda: (tmp_path / "out" / "sub" / "c").write_bytes(OLD))
    one_line(invoke(capfd, "-r", "--jobs", jobs, tree, tmp_path / "out"), tree / "sub" / "c", TAKEN)
    assert (tmp_path / "out" / "sub" / "c").read_bytes() == OLD
    assert (tmp_path / "out" / "a").read_bytes() != OLD
    assert listing(tmp_path / "out") == ["a", "sub", "sub/c"]

"""A copy of the checkout, in which is built and run what is measured. The build of the checkout stays as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "coverage"
CONFIGURATION = Path(__file__).with_name("coverage.ini")
MEASURED = "not slow"
# As coverage.py's own .pth does, which is not read where its folder has been put into the path by another one.
EVERY_PROCESS = "import coverage\n\ncoverage.process_startup()\n"


class Copy(NamedTuple):
    """Where it all is. `tree` is the copy, `data` what was measured, `site` what every process runs first."""

    tree: Path
    data: Path
    site: Path

    def python(self, *arguments: object, quiet: bool = False) -> int:
        """Run this interpreter in the copy with its package in front; returns its status."""
        command = [sys.executable, *map(str, arguments)]
        path = os.pathsep.join(map(str, (self.tree / "src", self.tree, self.site)))
        environment = {**os.environ, "PYTHONPATH": path, "COVERAGE_FILE": str(self.data / "python")}
        output = subprocess.DEVNULL if quiet else None
        return subprocess.run(command, cwd=self.tree, env=environment, stdout=output, check=False).returncode


def make(folder: Path = FOLDER) -> Copy:
    """Copy what git knows of, or would take, and put the corpus beside it."""
    shutil.rmtree(folder, ignore_errors=True)
    copy = Copy(folder / "checkout", folder / "data", folder / "site")
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, os.fsdecode(names).split("\0")):
        if (ROOT / name).exists():
            (copy.tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy.tree / name)
    copy.site.mkdir()
    (copy.site / "sitecustomize.py").write_text(EVERY_PROCESS, encoding="utf-8")
    copy.data.mkdir()
    copy.data.chmod(0o777)  # some tests become somebody else
    if (ROOT.parent / "shared").exists():
        (folder / "shared").symlink_to((ROOT.parent / "shared").resolve())
    return copy


def build(copy: Copy) -> None:
    """The extension modules, each with its conditions counted."""
    if copy.python("-m", "tests.coverage.build", copy.data, quiet=True):
        raise SystemExit("the extension modules could not be built")


def run_tests(copy: Copy, *arguments: str) -> None:
    """As pytest is called, or all but the slow ones."""
    measured = ["-m", "coverage", "run", f"--rcfile={CONFIGURATION}", "-m", "pytest"]
    copy.python(*measured, *(arguments or ("-m", MEASURED)))
    copy.python("-m", "coverage", "combine", "--quiet", f"--rcfile={CONFIGURATION}")

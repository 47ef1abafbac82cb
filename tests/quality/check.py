"""All checks of the sources in one command: `python tests/quality/check.py`, with dcmveil built or installed.

One line per check, and below it what the check had to say if it failed. Exit status 0 if all passed, else 1.
Cython is given the directives of setup.py. It prints a "performance hint" where a call without the GIL would have
to take it back, and does so whatever -Werror says: here a hint is a failure.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
ALLOWLIST = Path(__file__).with_name("stubtest_allowlist.txt")
PYTHON_SOURCES = ("src", "tests", "benchmarks", "ext/tables", "setup.py")


class Check(NamedTuple):
    """A command to be run as `python -m ...`, and a text that must not be in its output whatever its status."""

    name: str
    arguments: Sequence[str]
    forbidden: str | None = None


def extension_sources() -> list[Path]:
    """The Cython modules of ext, each of which is one extension module."""
    return sorted((ROOT / "ext" / "dcmveil").glob("*.pyx"))


def directives() -> list[str]:
    """Cython's directives as setup.py has them, as options of its command line."""
    for statement in ast.parse((ROOT / "setup.py").read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "DIRECTIVES":
            found: dict[str, Any] = ast.literal_eval(statement.value)
            return [part for name, value in found.items() for part in ("-X", f"{name}={value}")]
    raise LookupError("setup.py has no DIRECTIVES")


def checks(folder: Path) -> Iterator[Check]:
    """All checks, in the order of the time they take. `folder` is for output that nobody wants."""
    yield Check("ruff check", ["ruff", "check", "--quiet", *PYTHON_SOURCES])
    yield Check("ruff format", ["ruff", "format", "--check", "--quiet", "--diff", *PYTHON_SOURCES])
    yield Check("cython-lint", ["cython_lint.cython_lint", "ext"])
    yield Check("mypy --strict", ["mypy"])
    modules = [f"dcmveil.{source.stem}" for source in extension_sources()]
    configuration = ["--mypy-config-file", "pyproject.toml", "--allowlist", str(ALLOWLIST)]
    yield Check("stubtest", ["mypy.stubtest", "--concise", *configuration, *modules])
    # Not warn.unused: it takes the typed variable of a comprehension for an unused one. cython-lint does better.
    options = ["-Wextra", "-Werror", "-X", "warn.unused=False", "-I", "ext", *directives()]
    for source in extension_sources():
        output = ["-o", str(folder / f"{source.stem}.c")]
        yield Check(f"cython {source.name}", ["cython", *options, *output, str(source)], forbidden="performance hint")


def environment() -> dict[str, str]:
    """Ours, with the folder of this interpreter's programs in front: cython-lint calls pycodestyle by its name."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path}


def run(check: Check) -> bool:
    """Run one check and print what came of it."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", *check.arguments],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    passed = done.returncode == 0 and (check.forbidden is None or check.forbidden not in done.stdout)
    print(f"{'ok' if passed else 'FAILED':6} {check.name} ({time.monotonic() - began:.1f} s)", flush=True)
    if not passed:
        print(done.stdout.rstrip(), flush=True)
    return passed


def main() -> int:
    """Run all checks, also after one that failed."""
    with tempfile.TemporaryDirectory() as folder:
        failed = [check.name for check in checks(Path(folder)) if not run(check)]
    print(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())

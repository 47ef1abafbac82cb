"""What the tests start is the same whoever has started them: an activated environment, a shell's background."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(sys.executable).parent
OURS = [SCRIPTS / "gdcmanon"] if sys.prefix != sys.base_prefix and (SCRIPTS / "gdcmanon").exists() else []


@pytest.mark.parametrize("module", ["tests", "benchmarks"])
@pytest.mark.parametrize("wrapper", OURS, ids=lambda path: path.name)
def test_programs_of_the_environment_are_no_judges(module: str, wrapper: Path) -> None:
    """python-gdcm's own, which comes first where it is activated, ends with status 0 for every error."""
    path = os.pathsep.join([str(wrapper.parent), os.environ["PATH"]])
    command = [sys.executable, "-c", f"import {module}, shutil; print(shutil.which('gdcmanon'))"]
    done = subprocess.run(command, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=True)
    assert done.stdout.strip() != str(wrapper)


def test_interrupts_reach_what_is_started_in_the_background() -> None:
    """Where a shell without job control has them ignored."""
    started = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', sys.argv[1]]))"
    tell = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    code = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nimport tests\n{started}"
    done = subprocess.run([sys.executable, "-c", code, tell], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"

"""Other toolkits read what is written."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dcmveil import Policy, deidentify_file
from dcmveil.errors import DcmveilError
from tests.engine.support import SECRET
from tests.reference.files import samples

POLICY = Policy(secret=SECRET, existing_encrypted="keep", allow_embedded_overlays=True)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Path]:
    """Output -> input, for every file that can be de-identified."""
    folder = tmp_path_factory.mktemp("outputs")
    made = {}
    for number, sample in enumerate(samples()):
        target = folder / f"{number:04}.dcm"
        try:
            deidentify_file(sample.path, target, POLICY)
        except DcmveilError:
            continue
        made[target] = sample.path
    return made


def complaints(command: list[str], paths: list[Path]) -> str:
    done = subprocess.run([*command, *map(str, paths)], capture_output=True, check=False)
    text = (done.stdout + done.stderr).decode("latin-1")
    return text if done.returncode or re.search(r"^[EF]: ", text, re.MULTILINE) else ""


# gdcmdump takes a process for each file.
TOOLS = {"dcmdump": [], "gdcmdump": [pytest.mark.ci]}


@pytest.mark.parametrize(
    "tool", [pytest.param(tool, marks=marks) for tool, marks in TOOLS.items() if shutil.which(tool)]
)
def test_what_reads_the_input_reads_the_output(tool: str, outputs: dict[Path, Path]) -> None:
    command = [tool, "-q"] if tool == "dcmdump" else [tool]
    groups = [list(outputs)] if tool == "dcmdump" else [[path] for path in outputs]
    unread = [path for group in groups if complaints(command, group) for path in group]
    unread = [path for path in unread if complaints(command, [path])]
    assert [outputs[path].name for path in unread if not complaints(command, [outputs[path]])] == []

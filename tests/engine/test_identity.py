"""What is kept is kept byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcmveil import Policy, deidentify_file
from dcmveil.errors import DcmveilError
from tests.engine.support import SECRET, execute, logical, segments
from tests.reference.files import Sample

KEEP = Policy.identity()
POLICY = Policy(secret=SECRET, existing_encrypted="keep", allow_embedded_overlays=True)


def test_a_policy_that_keeps_everything_yields_the_identical_file(sample: Sample, tmp_path: Path) -> None:
    target = tmp_path / "out"
    try:
        deidentify_file(sample.path, target, KEEP)
    except DcmveilError:
        assert sample.is_doubtful()
        assert not target.exists()
    else:
        assert target.read_bytes() == sample.path.read_bytes()


def test_what_is_not_edited_is_copied(sample: Sample) -> None:
    """Segments copy in ascending order and never twice; DATA makes up for what was edited only."""
    data = logical(sample.path)
    try:
        script = segments([data], POLICY)
    except DcmveilError:
        return
    position = 0
    for part in script:
        if part[0] == "copy":
            assert position <= part[1] < part[2] <= len(data)
            position = part[2]
    written = execute(data, script)
    inserted = sum(len(part[1]) for part in script if part[0] == "data")
    assert len(written) == inserted + sum(part[2] - part[1] for part in script if part[0] == "copy")


def test_twice_is_once(sample: Sample, tmp_path: Path) -> None:
    """De-identifying the output again changes nothing but the UIDs that are mapped anew (R14, R17)."""
    once, twice = tmp_path / "once", tmp_path / "twice"
    try:
        first = deidentify_file(sample.path, once, POLICY)
    except DcmveilError:
        return
    second = deidentify_file(once, twice, POLICY)
    assert set(second.counts) <= {
        (reason, what)
        for reason, what in {**first.counts, **second.counts}
        if "Table" in reason
        or "UID" in reason
        or reason.startswith("R")
        or reason.startswith("not in Table E.1-1")
        or (reason.startswith("only Defined Terms") and what == "keep")
    }
    removed = sum(count for (_reason, what), count in second.counts.items() if what == "remove")
    assert removed == 0


@pytest.mark.parametrize("name", ["sample.dcm"])
def test_same_secret_same_file(name: str, tmp_path: Path) -> None:
    """R14: the same secret gives the same output in any run, another one does not."""
    source = Path(__file__).parents[1] / "data" / name
    outputs = []
    for secret in (b"x" * 16, b"x" * 16, b"y" * 16):
        deidentify_file(source, tmp_path / "out", Policy(secret=secret))
        outputs.append((tmp_path / "out").read_bytes())
    assert outputs[0] == outputs[1] != outputs[2]

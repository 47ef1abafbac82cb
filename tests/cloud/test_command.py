"""URLs on the command line: what comes of them, what is said, and that nothing of a query is shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.support import invoke, one_line
from tests.cloud.support import BUCKET, Store

Capture = pytest.CaptureFixture[str]
SECRET = b"sixteen bytes or more"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_bytes(SECRET)
    (tmp_path / "secret").chmod(0o600)
    return tmp_path / "secret"


def test_objects_and_files_either_way(
    store: Store, sample_image: Path, secret: Path, tmp_path: Path, capfd: Capture
) -> None:
    store.put("in", sample_image.read_bytes())
    options = ["--secret-file", secret]
    assert invoke(capfd, *options, sample_image, tmp_path / "expected") == (0, "", "")
    expected = (tmp_path / "expected").read_bytes()
    report = tmp_path / "report"
    assert invoke(capfd, *options, "--report", report, f"s3://{BUCKET}/in", f"s3://{BUCKET}/out") == (0, "", "")
    assert store.get("out") == expected
    said = json.loads(report.read_text())
    assert (said["source"], said["target"], said["status"]) == (f"s3://{BUCKET}/in", f"s3://{BUCKET}/out", "ok")
    assert invoke(capfd, *options, f"s3://{BUCKET}/in", tmp_path / "out") == (0, "", "")
    assert (tmp_path / "out").read_bytes() == expected
    assert invoke(capfd, *options, sample_image, f"s3://{BUCKET}/other") == (0, "", "")
    assert store.get("other") == expected


def test_a_dry_run_and_edits(store: Store, sample_image: Path, tmp_path: Path, capfd: Capture) -> None:
    store.put("in", sample_image.read_bytes())
    assert f"# s3://{BUCKET}/in: " in invoke(capfd, "--dry-run", f"s3://{BUCKET}/in").out
    assert invoke(capfd, "--dumb", "--remove", "10,10", f"s3://{BUCKET}/in", f"s3://{BUCKET}/out").status == 0
    assert invoke(capfd, "--dumb", "--remove", "10,10", sample_image, tmp_path / "expected").status == 0
    found = store.get("out")
    assert found == (tmp_path / "expected").read_bytes()


def test_failures_are_one_line_without_the_query(store: Store, tmp_path: Path, capfd: Capture) -> None:
    url = f"s3://{BUCKET}/nothing?versionId=VEILME0001"
    said = invoke(capfd, "--report", tmp_path / "report", url, tmp_path / "out")
    one_line(said, f"s3://{BUCKET}/nothing")
    assert "VEILME" not in (tmp_path / "report").read_text()
    assert not (tmp_path / "out").exists()
    one_line(invoke(capfd, "--resume", f"s3://{BUCKET}/a", f"s3://{BUCKET}/b"), "--resume is for files")

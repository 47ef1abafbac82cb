"""That the benchmark page can be made, and that what measures does so: no figure is judged.

python -m pytest -n0 -m slow benchmarks
"""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmarks.measure import Failed, Spread, ratios, run
from benchmarks.peers import make_certificate, peers

ROOT = Path(__file__).parents[1]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.slow
def test_the_page_is_made(tmp_path: Path) -> None:
    words = ["-m", "benchmarks.page", "--quick", "--folder", str(tmp_path), "--output", str(tmp_path / "page")]
    subprocess.run([sys.executable, *words], cwd=ROOT, check=True)
    text = (tmp_path / "page" / "PAGE.md").read_text(encoding="utf-8")
    assert "failed" not in text
    for tool in peers(make_certificate(tmp_path)):
        assert text.count(f"| `{tool.name}` |") >= (3 if tool.folders_only else 6)
    for plot in ("folders", "large-time", "large-memory", "single"):
        assert f"(plots/{plot}.svg)" in text
        root = ET.parse(tmp_path / "page" / "plots" / f"{plot}.svg").getroot()
        assert root.get("aria-labelledby") == "t d"
        assert root.findtext(f"{SVG}title")
        assert "dcmveil -e" in (root.findtext(f"{SVG}desc") or "")


def test_a_command_that_fails_has_no_figure() -> None:
    with pytest.raises(Failed, match="exit status 3: oh no"):
        run(["sh", "-c", "echo oh no; exit 3"])
    with pytest.raises(Failed, match="could not be started"):
        run(["/nowhere"])


def test_memory_is_that_of_the_command() -> None:
    floor = run(["true"]).peak
    ballast = bytearray(200 << 20)  # of ours, which must not count
    assert run(["true"]).peak < floor + (len(ballast) >> 11)
    assert run([sys.executable, "-c", "bytearray(100 << 20)"]).peak > 100 << 10


def test_processor_time_is_that_of_children_too() -> None:
    spin = "import time\nwhile time.process_time() < 0.2: pass"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {spin!r}])"
    assert run([sys.executable, "-c", child]).processor >= 0.2


def test_ratios_are_taken_within_rounds() -> None:
    assert ratios([2.0, 20.0, 6.0], [1.0, 10.0, 2.0]) == Spread(2.0, 2.0, 3.0)

"""Builds the extension modules of a copy of the checkout with every condition counted.

`python -m tests.coverage.build FOLDER`, run in the copy: FOLDER gets places.json, the conditions in order of their
numbers, and `seen`, what the modules note outcomes in. How many conditions there are the C compiler has to know; no
source has as many as LIMIT.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from pathlib import Path

from tests.coverage.branches import Places, count_conditions

LIMIT = 8192


def build(folder: Path) -> None:
    """setup.py build_ext --inplace"""
    seen = folder / "seen"
    seen.write_bytes(bytes(2 * LIMIT))
    seen.chmod(0o666)  # some tests become somebody else
    header = folder / "seen.h"
    constants = f'#define DCMVEIL_PLACES {LIMIT}\n#define DCMVEIL_SEEN "{seen}"\n'
    header.write_text(constants + Path(__file__).with_name("seen.h.in").read_text(encoding="utf-8"), encoding="utf-8")
    os.environ["CFLAGS"] = f"-include {header}"
    places = Places()
    count_conditions(places)
    sys.argv = ["setup.py", "-q", "build_ext", "--inplace", "--force", f"-j{os.cpu_count()}"]
    runpy.run_path("setup.py", run_name="__main__")
    if len(places.found) > LIMIT:
        raise SystemExit(f"more than {LIMIT} conditions")
    (folder / "places.json").write_text(json.dumps(places.found), encoding="utf-8")


if __name__ == "__main__":
    build(Path(sys.argv[1]).resolve())

"""Every leak channel that cannot be put into a file has tests with its number in their names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

NUMBER = re.compile(r"test_leak_channel_(\d+)_")


def test_no_leak_channel_is_without_a_test() -> None:
    names = [
        node.name
        for path in Path(__file__).parent.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    ]
    assert {int(found[1]) for found in map(NUMBER.match, names) if found} == set(range(16, 29))

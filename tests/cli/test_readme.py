"""What the README promises of the command line is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.support import invoke

README = Path(__file__).resolve().parents[2] / "README.md"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]*|-[a-zA-Z])(?![\w-])")


def section(title: str) -> str:
    """The text under a heading of level two."""
    text = README.read_text(encoding="utf-8")
    assert f"\n## {title}\n" in text
    return text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_the_quick_start_is_two_blocks_of_one_line() -> None:
    blocks = [(language, body.splitlines()) for language, body in FENCE.findall(section("Quick start"))]
    assert [language for language, _lines in blocks] == ["sh", "sh"]
    assert [len(lines) for _language, lines in blocks] == [1, 1]


def test_the_worked_rules_decide(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    ((language, rules),) = FENCE.findall(section("Rules of your own"))
    assert language == "toml"
    (tmp_path / "rules.toml").write_text(rules, encoding="utf-8")
    said = invoke(capfd, "--dry-run", "--rules", tmp_path / "rules.toml", README.parent / "tests/data/sample.dcm").out
    assert re.search(r"^\(0008,1010\)\tStationName\thash\t.*\trules.toml:1: hash$", said, re.MULTILINE)
    assert re.search(r"^\(0032,4000\)\tStudyComments\t.*\trules.toml:18: remove$", said, re.MULTILINE)


def test_every_option_of_the_readme_exists(capfd: pytest.CaptureFixture[str]) -> None:
    """Those after `dcmveil` in a command, and those that stand alone in a code span."""
    text = README.read_text(encoding="utf-8")
    commands = [line for _language, body in FENCE.findall(text) for line in body.splitlines()]
    commands += SPAN.findall(FENCE.sub("", text))
    named = set()
    for command in commands:
        _before, found, behind = command.partition("dcmveil ")
        if found or command.startswith("-"):
            named.update(OPTION.findall(behind if found else command))
    options = set(OPTION.findall(invoke(capfd, "-h").out))
    assert named <= options

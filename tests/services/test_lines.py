"""Lines of a dry run, held deflated: a sequence like any other."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest

from dcmveil import Policy, plan_file
from dcmveil.lines import Lines
from dcmveil.report import EditLine
from dcmveil.tags import MOST_STEPS, format_path
from tests.hostile.forms import EXPLICIT
from tests.mutation.shapes import leaves_on_the_way
from tests.mutation.work import steps


def line(number: int) -> EditLine:
    return EditLine(f"(0040,A730)[{number}]>(0010,0010)", 0x00100010, "Z", "replace", number, 8, "Table E.1-1: Z")


@pytest.mark.parametrize("count", [0, 1, 1023, 1024, 1025, 5000])
def test_a_sequence(count: int) -> None:
    expected = [line(number) for number in range(count)]
    lines = Lines(expected[: count // 3])
    lines.extend(expected[count // 3 :])
    assert len(lines) == count
    assert list(lines) == expected
    assert lines == expected
    assert lines == tuple(expected)
    assert lines != [*expected, line(0)]
    assert all(isinstance(one, EditLine) for one in lines)
    assert lines[5:3000:7] == expected[5:3000:7]
    assert pickle.loads(pickle.dumps(lines)) == expected
    assert repr(lines) == f"Lines({count})"
    for place in range(-count, count, 341):
        assert lines[place] == expected[place]
    with pytest.raises(IndexError):
        lines[count]


def test_lines_take_a_few_bytes_each() -> None:
    lines = Lines(line(number) for number in range(102_400))
    assert sum(map(sys.getsizeof, lines._blocks)) < 102_400 * 16
    assert lines._newest == []


def test_the_middle_of_a_long_path_is_left_out() -> None:
    enclosing = [(0x0040A730, number + 1) for number in range(MOST_STEPS + 1)]
    assert format_path(enclosing, 0x00100010).count(">") == MOST_STEPS + 1
    whole = format_path([*enclosing, (0x0040A168, 7)], 0x00100010)
    assert whole.count(">") == MOST_STEPS + 1
    assert whole.startswith("(0040,A730)[1]>")
    assert "(0040,A730)[16]>(2 more)>(0040,A730)[19]>" in whole
    assert whole.endswith(">(0040,A168)[7]>(0010,0010)")


def test_a_dry_run_of_deep_edits_takes_linear_time(tmp_path: Path) -> None:
    """An edit at each of 200 and 800 levels: with whole paths it would be sixteen times the work."""
    costs = []
    for depth in (200, 200, 800):
        (tmp_path / "in").write_bytes(leaves_on_the_way(EXPLICIT, depth))
        costs.append(steps(lambda: plan_file(tmp_path / "in", Policy(secret=bytes(16)))))
    assert costs[2] < 5 * costs[1]
    paths = [edit.path for edit in plan_file(tmp_path / "in", Policy()).edits]
    assert max(map(len, paths)) < 600
    longest = "(0040,A043)[1]>" * 16 + "(768 more)>" + "(0040,A043)[1]>" * 16 + "(0010,0010)"
    assert longest in paths

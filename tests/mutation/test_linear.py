"""Twice as much takes twice as long, not four times: a few shapes here; all: `python -m tests.mutation linear`."""

from __future__ import annotations

import pytest

from tests.hostile.forms import EXPLICIT, IMPLICIT, PLAIN_FORMS, Form
from tests.mutation.linear import MODES, NAMED, by_command, growth
from tests.mutation.shapes import DEPTH, SHAPES

LEAST = 2.5  # four times as many take less than so many times four times as long; sixteen times would be quadratic
SHORT = ("kept elements", "every other one", "nests that change on each level", "mixed Items", "names and descriptions",
         "private blocks", "Fragments", "open nests")  # fmt: skip


@pytest.mark.slow  # by the clock, if of the process alone
@pytest.mark.parametrize("mode", ["-e", "Options", "--dumb"])
@pytest.mark.parametrize("name", SHORT)
def test_some_shapes_in_some_modes(name: str, mode: str) -> None:
    assert growth(name, EXPLICIT, mode, 0.02) < 4 * LEAST


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", [name for name in SHAPES if not name.startswith("one ")])
def test_every_shape_in_every_mode(name: str, mode: str) -> None:
    assert growth(name, EXPLICIT, mode, 0.05) < 4 * LEAST


@pytest.mark.slow
@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("name", NAMED)
def test_the_time_of_the_command_is_within_ten_times_that_of_a_plain_file(name: str, form: Form) -> None:
    assert by_command(name, form).times < 10


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_grow_with_their_number(name: str) -> None:
    """Else there would be nothing to see."""
    form = IMPLICIT if name == "long texts" else EXPLICIT
    make, _number = SHAPES[name]
    least = DEPTH if "nest" in name else 70_000 // 2 if name.startswith(("texts", "lists")) else 100
    small, large = len(make(form, least)), len(make(form, 4 * least))
    assert large > 2.5 * small or name.startswith("one ")

"""Which of many texts are in one: the same as asking for each, and not slower for asking for many."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dcmveil import stems
from dcmveil.cleaning import Cleaner
from dcmveil.identity import Identity
from dcmveil.stems import LONGEST, Stems
from tests.mutation.work import steps

FEW_LETTERS = st.text("abé山", min_size=1, max_size=6)
MANY = [f"{letter}{number}" for letter in "xyz" for number in range(stems._FEW)]  # so that there is an order to be used


@given(st.sets(FEW_LETTERS, max_size=40), st.text("abé山x1", max_size=30))
def test_those_that_are_in_a_text(wanted: set[str], text: str) -> None:
    for more in ([], MANY):
        found = Stems([*wanted, *more])
        expected = {stem for stem in (*wanted, *more) if stem in text}
        assert set(found.all_in(text)) == expected
        assert len(found.all_in(text)) == len(expected)
        assert found.any_in(text) == bool(expected)


def test_the_longest_ones_and_those_that_they_begin_with() -> None:
    wanted = ["a" * length for length in range(1, LONGEST + 1)]
    assert set(Stems(wanted).all_in("b" + "a" * LONGEST)) == set(wanted)
    assert set(Stems(wanted).all_in("b" + "a" * (LONGEST - 1))) == set(wanted[:-1])
    assert Stems(wanted).any_in("b") is False
    assert "a" not in repr(Stems(wanted)).removeprefix("Stems")


def people(count: int) -> Identity:
    return Identity.of([("PN", f"Miller{number:04}^Jane{number:04}") for number in range(count)])


def cleaning(count: int) -> None:
    """Texts in which one of so many people is named each, and as many texts as people."""
    identity, cleaner = people(count), Cleaner()
    for number in range(count):
        assert cleaner.clean(f"scan {number} Miller{number:04} again", identity) == f"scan {number} again"


def test_as_many_names_as_texts_take_linear_time() -> None:
    """For four times as many. Asking each text for each name would be ten times the work by then, and soon sixteen."""
    cleaning(400)  # what is made once
    small, large = steps(lambda: cleaning(100)), steps(lambda: cleaning(400))
    assert large < 5 * small


def test_a_text_that_may_have_too_many_names_in_it_is_given_up() -> None:
    """All have the same family name: what could be found of them in a text would take time for each."""
    identity = Identity.of([("PN", f"Miller^Jane{number}") for number in range(1000)])
    assert Cleaner().clean("CT of Miller today", identity) == ""
    assert Cleaner().clean("CT of Jane7 today", identity) == "CT of today"
    assert Cleaner().clean("CT of nobody", identity) == "CT of nobody"


def test_a_text_with_many_names_in_it_is_cleaned_of_all() -> None:
    text = " ".join(f"Miller{number:04} and" for number in range(300))
    assert Cleaner().clean(text, people(300)).split() == ["and"] * 300

"""When a rule of the user's own applies: what Attributes of the object, at top level, must hold.

`equals` and `contains` compare text, `contains` without regard to case; `matches` searches for a regular expression of
Python; `exists` is about the Data Element, be it empty or not. Padding does not count. Of several Values one has to
pass, unless the text to compare with is one of several Values itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, get_args

from dcmveil import _tables
from dcmveil.selection import EXACT, Dictionary, RuleProblem, quoted, read_attribute
from dcmveil.tags import format_tag

__all__ = ["Condition", "read_conditions"]

_Test = Literal["equals", "contains", "matches", "exists"]
_TESTS: tuple[_Test, ...] = get_args(_Test)
_NO_TEXT = sum(1 << _tables.vr_index(vr) for vr in "OB OD OF OL OV OW SQ UN".split())
_PADDING = " \0"
_YES, _NO = "true", "false"


class Condition(NamedTuple):
    """One test of one Attribute; any of `texts` will do. Those of "matches" are compiled as well, in `patterns`."""

    tag: int
    test: _Test
    texts: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...] = ()

    def __repr__(self) -> str:
        return f"Condition({format_tag(self.tag)} {self.test} ...)"

    def holds(self, value: str | None) -> bool:
        """Does the Value field, decoded, pass? None for an Attribute that is absent."""
        if self.test == "exists":
            return (value is not None) == (self.texts == (_YES,))
        if value is None:
            return False
        values = [part.strip(_PADDING) for part in value.split("\\")]
        if self.test == "matches":
            return any(pattern.search(part) for pattern in self.patterns for part in values)
        return any(self._compare(text, values, value.strip(_PADDING)) for text in self.texts)

    def _compare(self, text: str, values: list[str], whole: str) -> bool:
        compared = [whole] if "\\" in text else values
        if self.test == "equals":
            return text in compared
        return any(text.casefold() in part.casefold() for part in compared)


def read_conditions(when: object, dictionary: Dictionary) -> tuple[Condition, ...]:
    """All that the table `when` of a rule asks for, in an order of its own. RuleProblem for what cannot be asked."""
    if not isinstance(when, Mapping) or not when:
        raise RuleProblem('when must be a table of Attributes, such as { Modality = "CT" }', "when")
    return tuple(sorted(condition for key, test in when.items() for condition in _read(key, test, dictionary)))


def _read(key: object, test: object, dictionary: Dictionary) -> Iterator[Condition]:
    keys = ("when", str(key))
    tag, mask = read_attribute(key, dictionary, *keys)
    if mask != EXACT:
        raise RuleProblem("a condition is about one Attribute, not a repeating group or wildcards", *keys)
    tests = test if isinstance(test, Mapping) else {"equals": test}
    if not tests:
        raise RuleProblem(f"one of {', '.join(_TESTS)} expected", *keys)
    for name, wanted in tests.items():
        yield _read_test(tag, name, wanted, *keys)


def _read_test(tag: int, name: object, wanted: object, *keys: str) -> Condition:
    test = next((test for test in _TESTS if test == name), None)
    if test is None:
        raise RuleProblem(f"unknown test {quoted(str(name))}: one of {', '.join(_TESTS)} expected", *keys)
    if test == "exists":
        if not isinstance(wanted, bool):
            raise RuleProblem("exists is true or false", *keys)
        return Condition(tag, test, (_YES if wanted else _NO,))
    if _tables.dictionary_vrs(tag) & _NO_TEXT:
        raise RuleProblem(f"{format_tag(tag)} has no text: only exists can be asked", *keys)
    texts = _read_texts(wanted, *keys)
    if test != "equals" and "" in texts:
        raise RuleProblem(f"{test} with an empty text would always hold", *keys)
    return Condition(tag, test, texts, _compiled(texts, *keys) if test == "matches" else ())


def _read_texts(wanted: object, *keys: str) -> tuple[str, ...]:
    texts = wanted if isinstance(wanted, Sequence) and not isinstance(wanted, str) else [wanted]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise RuleProblem("a text in quotes expected, or a list of such", *keys)
    return tuple(sorted(set(texts)))


def _compiled(texts: tuple[str, ...], *keys: str) -> tuple[re.Pattern[str], ...]:
    try:
        return tuple(map(re.compile, texts))
    except re.error as error:
        raise RuleProblem(f"not a regular expression: {error.msg} at position {error.pos}", *keys) from None
    except (OverflowError, RecursionError):
        raise RuleProblem("not a regular expression that can be used: too large", *keys) from None

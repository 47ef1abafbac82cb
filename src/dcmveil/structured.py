"""What becomes of Content Items and their Values (PS3.15 E.3.4).

An Item that has to go goes whole, unless the object refers to Items by their numbers: then it stays where it is, and
its Values become dummies. A type of Value that Table E.3.4-1 does not list for a concept is treated as the Basic
Profile treats what it holds: text is cleaned or replaced, a person is nobody, a date as any other date.
"""

from __future__ import annotations

from dcmveil.contents import NAMED_LATE, ORDINARY_TAGS, VALUE_TAGS, VALUE_TYPES, Contents
from dcmveil.options import Options
from dcmveil.questions import Question
from dcmveil.rules import Rule

__all__ = ["goes", "value_rule"]

_UNFORMATTED_TEXT = 0x00700006
_WAVEFORM_ANNOTATION_SEQUENCE = 0x0040B020
_TIMES = frozenset({"DATE", "DATETIME", "TIME"})
_REPLACING = {0x0040A168: "D", 0x0040A300: "Z", 0x0040A30A: "D"}
_DUMMY = frozenset({"X", "X/D", "D"})


def goes(contents: Contents, asked: Question, *, are_counted: bool) -> bool:
    """Does a Content Item have to go? Where Items are referred to by their numbers, only one that has been treated as
    if it had no name."""
    if asked.name == NAMED_LATE:
        return True
    return not are_counted and contents.action(asked.name, asked.value_type) == "X"


def value_rule(rule: Rule, asked: Question, contents: Contents, options: Options) -> Rule:
    """The rule for the Value of a Content Item that stays; for the same element elsewhere the ordinary one."""
    ordinary: Rule = rule.detail
    if not asked.name or (asked.tag == _UNFORMATTED_TEXT and asked.parent != _WAVEFORM_ANNOTATION_SEQUENCE):
        return ordinary
    action = contents.action(asked.name, asked.value_type)
    if asked.tag in ORDINARY_TAGS:
        return (
            Rule(_REPLACING[asked.tag], f"{rule.reason}: X, but Items are referred to") if action == "X" else ordinary
        )
    kind = VALUE_TAGS[asked.tag]
    if action in ("K", "C") and VALUE_TYPES[asked.value_type - 1] != kind:
        action = None  # said of a Value of another type than this one
    reason = f"{rule.reason}: {action or 'not listed'}"
    done = _action(kind, action, options)
    return Rule(done, reason, "" if done == "U" else "D")


def _action(kind: str, action: str | None, options: Options) -> str:
    """What to do with the Value of this type, for an action of the table or None."""
    if action == "K":
        return "K"
    if kind == "UIDREF":
        return "K" if action is None and options.retain_uids else "U"
    if kind == "TEXT":
        cleans = action == "C" or (action is None and options.clean_descriptors)
        return "clean" if cleans else "D"
    if kind in _TIMES and action not in _DUMMY:
        return _date_action(action, options)
    return "D"


def _date_action(action: str | None, options: Options) -> str:
    if action is None and options.retain_full_dates:
        return "K"
    return "shift" if action == "C" or options.modify_dates else "D"

"""What becomes of Content Items and their Values (PS3.15 E.3.4).

An Item that has to go goes whole, unless the object refers to Items by their numbers: then it stays where it is, and
its Values become dummies. A type of Value that Table E.3.4-1 does not list for a concept is treated as the Basic
Profile treats what it holds: text is cleaned or replaced, a person is nobody, a date as any other date.
"""

from __future__ import annotations

from dcmveil.contents import VALUE_SEQUENCES, VALUE_TAGS, Contents
from dcmveil.options import Options
from dcmveil.questions import Question
from dcmveil.rules import Rule

__all__ = ["goes", "value_rule"]

_TIMES = frozenset({"DATE", "DATETIME", "TIME"})
_DUMMY = frozenset({"X", "X/D", "D"})


def goes(contents: Contents, asked: Question) -> bool:
    """Does a Content Item have to go?"""
    return contents.action(asked.name, asked.value_type) == "X"


def value_rule(rule: Rule, asked: Question, contents: Contents, options: Options) -> Rule:
    """The rule for the Value of a Content Item that stays; for the same element elsewhere the ordinary one."""
    ordinary: Rule = rule.detail
    if not asked.name:
        return ordinary
    action = contents.action(asked.name, asked.value_type)
    if asked.tag in VALUE_SEQUENCES:
        if action != "X":
            return ordinary
        return Rule(
            "D" if VALUE_SEQUENCES[asked.tag] == "CODE" else "Z", f"{rule.reason}: X, but Items are referred to"
        )
    reason = f"{rule.reason}: {action or 'not listed'}"
    return Rule(_action(VALUE_TAGS[asked.tag], action, options), reason, "D")


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

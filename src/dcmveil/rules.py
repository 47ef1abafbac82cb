"""Rules: what a number in the Policy's table means.

A rule couples an action (a code of PS3.15 Table E.1-1a, or one of this package's own in lower case) with the
behaviour it needs of the Planner and the reason a dry run gives for it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from dcmveil.iods import X_UNLESS_TYPE_1

__all__ = ["BEHAVIOUR_OF", "KEEP", "Rule"]

# What the Planner has to do for an action: see `Behaviour` in ext/dcmveil/_policy.pxd. All others: "edit".
BEHAVIOUR_OF = {
    "K": "keep",
    "X": "remove",
    "U": "capture",
    "X/Z/U*": "descend",
    X_UNLESS_TYPE_1: "edit",
    "method text": "value",
    "method codes": "append",
    "members": "members",
    # Options
    "shift": "capture",
    "clean": "prose",
    "clean identity": "prose",
    "defined term": "capture",
    "ae title": "capture",
    "pseudonym": "text",
    "content items": "content",
    "content value": "named",
    "content ordinary": "named sequence",
    # rules of the user's own
    "retain": "descend",
    "choice": "choice",
    "replace": "text",
    "hash": "text",
    "call": "text",
}


class Rule(NamedTuple):
    """An action and why it applies; neither depends on any object.

    `base` is the action where this one cannot be done, such as where a date is none. `detail` is what else the action
    needs: a text, a function, other rules.
    """

    action: str
    reason: str
    base: str = ""
    detail: Any = None

    @property
    def behaviour(self) -> str:
        """What the Planner has to do for it."""
        return BEHAVIOUR_OF.get(self.action, "edit")


KEEP = Rule("K", "not in Table E.1-1")

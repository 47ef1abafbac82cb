"""Compound actions (PS3.15 Table E.1-1a) resolved by the Type the IOD gives an Attribute at its place.

"X unless Z or D is required to maintain IOD conformance": Type 3 may be removed, Type 2 must stay but may be
empty, Type 1 must stay with a Value. At top level the strictest Type over all modules of the IOD counts, in
an Item the strictest over all uses of the Sequence; conditional Types count as fulfilled, since the Attribute
is there. With an IOD that is not known every Attribute might be Type 1, and what is left must carry no
identity (note in E.1.1).
"""

from __future__ import annotations

from dcmveil import _tables

__all__ = ["ACTIONS", "X_UNLESS_TYPE_1", "is_known", "resolve"]

# Not a code of the Standard: plain X of Table E.1-1 on Attributes that some IODs require with a Value
# (0070,0082), (0070,0083), (0008,0201). E.1.1 makes the De-identifier answer for conformance with the IOD, by
# dummies if need be.
X_UNLESS_TYPE_1 = "X/D!"

# Result for Type 1, 2, 3, and for an unknown IOD.
_RESULTS = {
    "X/Z": ("D", "Z", "X", "Z"),
    "X/D": ("D", "D", "X", "D"),
    "Z/D": ("D", "Z", "Z", "D"),
    "X/Z/D": ("D", "Z", "X", "D"),
    "X/Z/U*": ("descend", "Z", "X", "descend"),
    X_UNLESS_TYPE_1: ("D", "X", "X", "X"),
}
_SIMPLE = frozenset({"X", "Z", "D", "U", "K"})

ACTIONS = _SIMPLE | _RESULTS.keys()


def is_known(sop_class: str | None) -> bool:
    """Whether the IOD of a SOP Class UID, and so the Types of its Attributes, are known."""
    return sop_class is not None and _tables.iod_of(sop_class) >= 0


def resolve(action: str, sop_class: str | None, parent: int, tag: int) -> str:
    """What to do with an Attribute: "X", "Z", "D", "U", "K", or "descend": keep the Items, rules apply inside.

    `action` is one of ACTIONS, `sop_class` the SOP Class UID (0008,0016) of the Data Set without padding, None
    if it has none, `parent` the tag of the immediately enclosing Sequence, 0 at top level. KeyError for an
    action that is not of ACTIONS.
    """
    if action in _SIMPLE:
        return action
    by_type = _RESULTS[action]
    iod = _tables.iod_of(sop_class) if sop_class is not None else -1
    if iod < 0:
        return by_type[3]
    required = _tables.nested_type(parent, tag) if parent else _tables.iod_type(iod, tag)
    return by_type[required - 1]

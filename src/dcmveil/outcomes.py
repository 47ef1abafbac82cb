"""What becomes of each Attribute, as the Conformance Statement tells it: those of Table E.1-1 by their action, all
others, and the dummies (PS3.15 E.1.3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from dcmveil import _tables
from dcmveil.dummies import dummy_value
from dcmveil.encode import Encoding
from dcmveil.layout import paragraphs, points
from dcmveil.options import COLUMNS, combined

__all__ = ["Row", "attributes", "dummies", "others", "rows_of"]

_PADDING = b" \0"
_DUMMY_VRS = ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT")


class Row(NamedTuple):
    """An Attribute, what becomes of it, and the columns that say so."""

    tag: int
    mask: int
    vr: str
    basic: str
    action: str
    columns: tuple[str, ...]

    @property
    def name(self) -> str:
        digits = "".join(
            f"{self.tag >> shift & 0xF:X}" if self.mask >> shift & 0xF else "x" for shift in range(28, -1, -4)
        )
        return f"({digits[:4]},{digits[4:]}) {_tables.keyword(self.tag) or 'whole group'}"


def rows_of(chosen: Sequence[str]) -> list[Row]:
    """Table E.1-1 for the chosen columns of Options, in its order."""
    rows = []
    for tag, mask, basic, by_column in _tables.confidentiality():
        vr = _tables.dictionary_vr(tag) or ""
        action = combined(basic, by_column, chosen)
        columns = tuple(column for column in chosen if by_column.get(column))
        rows.append(Row(tag, mask, vr, basic, "U" if (vr, action) == ("UI", "D") else action, columns))
    return rows


class _Heading(NamedTuple):
    actions: tuple[str, ...]
    title: str
    explanation: str
    detail: Callable[[Row], str]


def attributes(chosen: Sequence[str]) -> list[str]:
    """Title and blocks of the section: each Attribute of the table below its action."""
    rows = rows_of(chosen)
    blocks = [
        "Attributes of Table E.1-1",
        *paragraphs("Each action applies at every depth, in every Item of every Sequence that stays."),
    ]
    for heading in _HEADINGS:
        lines = [f"{row.name:<66} {heading.detail(row)}".rstrip() for row in rows if row.action in heading.actions]
        if lines:
            blocks += [f"### {heading.title}: {len(lines)}", *paragraphs(heading.explanation), "\n".join(lines)]
    return blocks


def _dummy_of(row: Row) -> str:
    if row.vr == "SQ":
        return "SQ  one Item with dummies"
    return f"{row.vr}  {_shown_dummy(row.vr)}" if row.vr else ""


def _options_of(row: Row) -> str:
    names = [COLUMNS[column].partition("_")[2] for column in row.columns]
    return ", ".join(names).replace("_", " ")


def _otherwise(row: Row) -> str:
    return f"{_options_of(row)}; else {row.basic}"


_COMPOUND = ("X/Z", "X/D", "Z/D", "X/Z/D", "X/Z/U*")
_HEADINGS = (
    _Heading(
        ("X",),
        "Removed (X)",
        "A Sequence with all its Items. (0008,0201), (0070,0082) and (0070,0083) become dummies where the IOD gives "
        "them Type 1.",
        lambda row: "",
    ),
    _Heading(
        _COMPOUND,
        "Removed, emptied or made a dummy, as the IOD requires",
        "The first action that the strictest Type of the Attribute in the IOD of the SOP Class allows, nested ones by "
        "the enclosing Sequence: Type 3 X, Type 2 Z, Type 1 D, or U* for the UIDs within. In an unknown SOP Class all "
        "count as Type 1, but X/Z becomes Z.",
        lambda row: row.action,
    ),
    _Heading(("Z",), "Emptied (Z)", "The Value Length becomes zero.", lambda row: ""),
    _Heading(
        ("D",),
        "Made a dummy (D)",
        "The whole Value is replaced by a constant.",
        _dummy_of,
    ),
    _Heading(
        ("U",),
        "UIDs replaced (U)",
        "By others, see Consistency; also where the table says D, for references have to match.",
        lambda row: "",
    ),
    _Heading(
        ("K",),
        "Retained (K)",
        "Byte for byte if the VR is that of the dictionary, else removed; the Items of Sequences by their own rules.",
        _options_of,
    ),
    _Heading(
        ("C",),
        "Cleaned (C)",
        "In the manner of the Option, see below; what cannot be cleaned gets the action of the Basic Profile.",
        _otherwise,
    ),
)


def others(chosen: Sequence[str]) -> list[str]:
    """Title and blocks of the section: what the table does not list."""
    identities = {"rtn_dev_id", "rtn_inst_id"} & set(chosen)
    gaps = [tag for tag, role in _tables.gaps() if role in ("temporal", "person-name")]
    dates = "retained" if "rtn_full_dates" in chosen else "modified" if "rtn_modif_dates" in chosen else "removed"
    private = "all but those of section 6" if "rtn_safe_priv" in chosen else "all"
    return [
        "Attributes that are not in Table E.1-1",
        points(
            [
                f"Private Attributes are removed: {private}.",
                "Group lengths, and groups 0000, 0002, 0004 and 0006 within a Data Set, are removed; so are overlays "
                "(60xx), MAC Parameters Sequence (4FFE,0001), and what is not in the dictionary of PS3.6.",
                "A kept Attribute whose VR is not that of the dictionary is removed.",
                f"UIDs that refer to instances are {'retained' if 'rtn_uids' in chosen else 'replaced'}, those of "
                f"equipment and organizations {'retained' if identities else 'replaced'}, well-known ones never.",
                f"Dates and times that the table does not name are {dates}; names of persons are removed ({len(gaps)} "
                "Attributes in all).",
                "All others are retained byte for byte.",
            ]
        ),
    ]


# ---- dummies -------------------------------------------------------------------------------------------------------


def _shown_dummy(vr: str) -> str:
    value = dummy_value(0, vr, Encoding.EXPLICIT_LE).strip(_PADDING)
    return value.decode("ascii") if vr in _DUMMY_VRS else "zero"


def dummies(chosen: Sequence[str]) -> list[str]:
    """Title and blocks of the section: the constants that action D writes, by VR."""
    by_value: dict[str, list[str]] = {}
    for vr in _DUMMY_VRS:
        by_value.setdefault(_shown_dummy(vr), []).append(vr)
    return [
        "Dummy Values",
        *paragraphs("Constants, the same for every object; they tell nothing of the original, not even its length:"),
        "\n".join(f"{', '.join(vrs):<36} {value}" for value, vrs in by_value.items()),
        *paragraphs(
            "Timezone Offset From UTC (0008,0201) becomes +0000; Values of binary VRs become zero, one number or two "
            "bytes long; a Sequence gets one Item that is valid for its macro."
        ),
    ]

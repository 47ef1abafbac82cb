"""Clean Structured Content (PS3.15 E.3.4): Content Items by the name of their concept, and what becomes of values."""

from __future__ import annotations

from . import tables
from .model import Element, Settings, first_value
from .options import decided

# Content, Acquisition Context, Specimen Preparation Step Content Item and Waveform Annotation Sequence.
ANNOTATION = 0x0040B020
CONTENT_SEQUENCES = (0x0040A730, 0x00400555, 0x00400612, ANNOTATION)
CONCEPT_NAME, VALUE_TYPE, REFERENCED_ITEM = 0x0040A043, 0x0040A040, 0x0040DB73
CODE, LONG_CODE, SCHEME = 0x00080100, 0x00080119, 0x00080102
UNFORMATTED_TEXT = 0x00700006
VALUES = {
    0x0040A120: "DATETIME",
    0x0040A121: "DATE",
    0x0040A122: "TIME",
    0x0040A123: "PNAME",
    0x0040A124: "UIDREF",
    0x0040A160: "TEXT",
}
# Values for which the ordinary rules are good, unless the Item should go and cannot: then they are replaced.
ORDINARY_VALUES = {0x0040A168: ("CODE", "D"), 0x0040A300: ("NUM", "Z"), 0x0040A30A: ("NUM", "D")}


def has_references(elements: list[Element]) -> bool:
    """Whether Content Items are referenced: by their number, so none of them may go."""
    return any(element.tag == REFERENCED_ITEM or any(map(has_references, element.items)) for element in elements)


def value_actions(item: list[Element], parent: int, settings: Settings, referenced: bool) -> dict[int, str] | None:
    """For each element with a value of the Content Item what is done with it; None if the Item goes."""
    values = VALUES | ({UNFORMATTED_TEXT: "TEXT"} if parent == ANNOTATION else {})
    type_ = value_type(item, values)
    action, column = listed_action(item, type_, settings)
    if action == "X" and not referenced:
        return None
    actions = {tag: replacing for tag, (_, replacing) in ORDINARY_VALUES.items() if action == "X"}
    for tag, of in values.items():
        is_meant = of == type_ or action not in ("K", "C")  # what is kept or cleaned is a value of the listed type only
        actions[tag] = listed_value(of, action, column) if action and is_meant else unlisted_value(of, settings)
    return actions


def value_type(item: list[Element], values: dict[int, str]) -> str:
    """What Value Type (0040,A040) says, or else the first element with a value."""
    declared = first_value(item, VALUE_TYPE, "CS").decode("latin-1")
    told = values | {tag: of for tag, (of, _) in ORDINARY_VALUES.items()}
    return declared or next((told[element.tag] for element in item if element.tag in told), "")


def listed_action(item: list[Element], type_: str, settings: Settings) -> tuple[str, str]:
    """(action, column) of the row for the concept of the Item and its type; both empty if there is none."""
    name = next((element.items[0] for element in item if element.tag == CONCEPT_NAME and element.items), [])
    code = first_value(name, CODE, "SH") or first_value(name, LONG_CODE, "UC")
    scheme = first_value(name, SCHEME, "SH")
    row = tables.concepts().get((code.decode("latin-1"), scheme.decode("latin-1"), type_))
    return decided(row, settings) if row else ("", "")


def listed_value(type_: str, action: str, column: str) -> str:
    """What is done with a value of a listed concept."""
    if action == "K":
        return "retain"
    if action == "C":
        return "shift" if column == "rtn_modif_dates" else "clean"
    return "U" if type_ == "UIDREF" else "D"


def unlisted_value(type_: str, settings: Settings) -> str:
    """What is done with a value of any other concept."""
    if type_ == "UIDREF":
        return "retain" if settings.retain_uids else "U"
    if type_ == "TEXT":
        return "clean" if settings.clean_descriptors else "D"
    if type_ == "PNAME":
        return "D"
    return "retain" if settings.retain_full_dates else "shift" if settings.modify_dates else "D"

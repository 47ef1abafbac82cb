"""The Options of the Basic Profile (PS3.15 E.3): which are chosen, and what that makes of a row of a table.

An Option is a column of Table E.1-1 and of Table E.3.4-1. The two that change pixels (E.3.1, E.3.2) are not among
them: nothing here looks at pixels.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

__all__ = ["COLUMNS", "Options", "combined"]

# The column of each Option, in the order of the tables.
COLUMNS = {
    "rtn_safe_priv": "retain_safe_private",
    "rtn_uids": "retain_uids",
    "rtn_dev_id": "retain_device_identity",
    "rtn_inst_id": "retain_institution_identity",
    "rtn_pat_chars": "retain_patient_characteristics",
    "rtn_full_dates": "retain_full_dates",
    "rtn_modif_dates": "modify_dates",
    "clean_desc": "clean_descriptors",
    "clean_struct": "clean_structured_content",
    "clean_graph": "clean_graphics",
}
_MOST_PRIVATE_FIRST = ("X", "X/Z", "X/D", "X/Z/D", "Z", "Z/D", "D", "X/Z/U*", "U", "C", "K")


class Options(NamedTuple):
    """Which Options are chosen; none: the Basic Profile alone."""

    retain_uids: bool = False
    retain_device_identity: bool = False
    retain_institution_identity: bool = False
    retain_patient_characteristics: bool = False
    retain_full_dates: bool = False
    modify_dates: bool = False
    clean_descriptors: bool = False
    clean_structured_content: bool = False
    clean_graphics: bool = False
    retain_safe_private: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the chosen Options, in the order of the tables."""
        return tuple(column for column, name in COLUMNS.items() if getattr(self, name))

    def check(self) -> None:
        """ValueError for Options that exclude each other: (0028,0303) can say one thing of the dates only."""
        if self.retain_full_dates and self.modify_dates:
            raise ValueError("dates can be kept in full or modified, not both")


def combined(basic: str, row: Mapping[str, str], columns: Collection[str]) -> str:
    """The action for a row: that of the chosen columns where any says something, else that of the Basic Profile.

    An Option's requirement overrides the Profile's (E.3); where two Options meet, the more private action wins.
    """
    said = [row[column] for column in columns if row.get(column)]
    return min(said, key=_MOST_PRIVATE_FIRST.index) if said else basic

"""The Options of PS3.15 E.3: the columns of the tables that are chosen, and what the object says of them afterwards."""

from __future__ import annotations

from . import tables
from .model import Settings

# Option -> its column in Tables E.1-1 and E.3.4-1.
COLUMNS = {
    "retain_uids": "rtn_uids",
    "retain_device_identity": "rtn_dev_id",
    "retain_institution_identity": "rtn_inst_id",
    "retain_patient_characteristics": "rtn_pat_chars",
    "retain_full_dates": "rtn_full_dates",
    "modify_dates": "rtn_modif_dates",
    "clean_descriptors": "clean_desc",
    "clean_structured_content": "clean_struct",
    "clean_graphics": "clean_graph",
    "retain_safe_private": "rtn_safe_priv",
}
METHOD_TEXT = b"dcmveil: PS3.15 2026d Basic Application Confidentiality Profile"


def chosen_columns(settings: Settings) -> list[str]:
    """The columns of the Options that are on."""
    return [column for option, column in COLUMNS.items() if getattr(settings, option)]


def decided(row: dict[str, str], settings: Settings) -> tuple[str, str]:
    """(action, column it is from) for a row of either table: C before K before what the Basic Profile says."""
    actions = {column: row[column] for column in chosen_columns(settings) if row.get(column)}
    for action in ("C", "K"):
        for column, said in actions.items():
            if said == action:
                return action, column
    return row["basic"], "basic"


def methods(settings: Settings) -> list[tuple[bytes, bytes]]:
    """(code, meaning) of CID 7050 for the Basic Profile and for each Option, in the order of the table."""
    columns = ["basic", *chosen_columns(settings)]
    return [(code.encode(), meaning.encode()) for code, meaning, column in tables.codes() if column in columns]


def method_texts(settings: Settings) -> list[bytes]:
    """The Values of De-identification Method (0012,0063): ours, and the meaning of each Option's code."""
    return [METHOD_TEXT, *(meaning for _, meaning in methods(settings)[1:])]


def temporal_information(settings: Settings) -> bytes:
    """Longitudinal Temporal Information Modified (0028,0303)."""
    if settings.retain_full_dates:
        return b"UNMODIFIED"
    return b"MODIFIED" if settings.modify_dates else b"REMOVED"


def gap_action(role: str, settings: Settings) -> str:
    """For attributes of VR UI, DA, DT, TM and PN that are not in Table E.1-1, by their role."""
    if role in ("structural", ""):
        return "keep"
    if role == "person-name":
        return "X"
    if role == "temporal":
        return "keep" if settings.retain_full_dates else "shift" if settings.modify_dates else "X"
    if role == "organization-or-equipment":
        kept = settings.retain_device_identity or settings.retain_institution_identity
    else:
        kept = settings.retain_uids
    return "keep" if kept else "U"

"""The facts of the Standard as the reference reads them: straight from ext/tables/*.tsv.

Patterns (`60xx,3000`) become regular expressions over the printed tag. Types are the strictest over every
module of an IOD (M, C and U alike), 1C counting as 1 and 2C as 2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "ext" / "tables"
UNUSABLE = {"RTV_ONLY", "NOT_A_DATASET_ENCODING", "PAPYRUS"}


def rows(name: str) -> Iterator[dict[str, str]]:
    """The rows of one table as dictionaries: no quoting, one header line."""
    lines = (FOLDER / name).read_text(encoding="utf-8").split("\n")
    header = lines[0].split("\t")
    for line in lines[1:]:
        if line and not line.startswith("#"):
            yield dict(zip(header, line.split("\t"), strict=False))


def printed(tag: int) -> str:
    """`0010,0010` as the tables write it."""
    return f"{tag >> 16:04X},{tag & 0xFFFF:04X}"


@cache
def _dictionary() -> tuple[dict[str, tuple[str, ...]], list[tuple[re.Pattern[str], tuple[str, ...]]]]:
    exact, patterns = {}, []
    for row in rows("dictionary.tsv"):
        vrs = tuple(row["vr"].split(" or ")) if row["vr"] not in ("", "NONE") else ()
        if "x" in row["tag"]:
            patterns.append((re.compile(row["tag"].replace("x", "[0-9A-F]")), vrs))
        else:
            exact[row["tag"]] = vrs
    return exact, patterns


@cache
def dictionary_vrs(tag: int) -> tuple[str, ...]:
    """The VR alternatives of PS3.6 in its order; empty for a tag that is not there or has no VR."""
    exact, patterns = _dictionary()
    name = printed(tag)
    if name in exact:
        return exact[name]
    return next((vrs for pattern, vrs in patterns if pattern.fullmatch(name)), ())


@cache
def basic_actions() -> dict[str, str]:
    """Table E.1-1: printed tag -> action of the Basic Profile. Patterns are left to the rules."""
    listed = {row["tag"]: row["basic"] for row in rows("confidentiality.tsv")}
    return {tag: action for tag, action in listed.items() if not set(tag) & set("xge")}


@cache
def gap_roles() -> dict[str, str]:
    """Printed tag -> role, for UI, DA, DT, TM and PN attributes that Table E.1-1 does not list."""
    return {row["tag"]: row["role"] for row in rows("vr_gaps.tsv")}


@cache
def well_known_uids() -> frozenset[str]:
    """Every UID of PS3.6 Annex A."""
    return frozenset(row["uid"] for row in rows("uids.tsv"))


@cache
def transfer_syntaxes() -> dict[str, frozenset[str]]:
    """Usable Transfer Syntax UID -> its flags."""
    flags = {row["uid"]: frozenset(row["ts_flags"].split()) for row in rows("uids.tsv") if row["ts_flags"]}
    return {uid: words for uid, words in flags.items() if not words & UNUSABLE}


@cache
def _module_types() -> dict[str, dict[str, int]]:
    types: dict[str, dict[str, int]] = {}
    for row in rows("module_types.tsv"):
        types.setdefault(row["module"], {})[row["tag"]] = int(row["type"][0])
    return types


@cache
def iod_types(sop_class: str) -> dict[str, int] | None:
    """Printed tag -> strictest Type (1, 2, 3) at top level of the SOP Class's IOD; None if unknown."""
    iod = next((row["iod"] for row in rows("iod_sop.tsv") if row["sop_class_uid"] == sop_class), None)
    listed = next((row for row in rows("iod_modules.tsv") if row["iod"] == iod), None)
    if iod is None or listed is None:
        return None
    strictest: dict[str, int] = {}
    for usage_and_module in listed["modules(usage:module)"].split():
        for tag, type_ in _module_types().get(usage_and_module.split(":", 1)[1], {}).items():
            strictest[tag] = min(type_, strictest.get(tag, 3))
    return strictest


@cache
def nested_types() -> dict[tuple[str, str], int]:
    """(printed parent Sequence, printed tag) -> strictest Type anywhere."""
    return {(row["parent_sequence"], row["tag"]): int(row["type"][0]) for row in rows("nested_types.tsv")}


@cache
def dummy_items() -> dict[str, list[tuple[list[int], str, str]]]:
    """Printed Sequence tag -> rows (path of tags, VR, value) of its one dummy Item."""
    found: dict[str, list[tuple[list[int], str, str]]] = {}
    for row in rows("dummy_items.tsv"):
        path = [int(step.replace(",", ""), 16) for step in row["path"].split("/")]
        found.setdefault(row["sequence"], []).append((path, row["vr"], row.get("value", "")))
    return found

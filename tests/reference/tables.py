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
SNOMED_BEFORE_SCT = ("SRT", "SNM3", "99SDM")


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
def most_values(tag: int) -> int:
    """How many Values there may be (PS3.6, column VM)."""
    found = [row for row in rows("dictionary.tsv") if matches(row["tag"], tag)]
    exact_first = sorted(found, key=lambda row: "x" in row["tag"])
    vm = exact_first[0]["vm"].rpartition("-")[2] if found else "n"
    return int(vm) if vm.isdigit() else 1 << 32


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace("x", "[0-9A-F]"))


def matches(pattern: str, tag: int) -> bool:
    return _expression(pattern).fullmatch(printed(tag)) is not None


@cache
def profile() -> dict[str, dict[str, str]]:
    """Table E.1-1: printed tag -> its row. Patterns are left to the rules."""
    return {row["tag"]: row for row in rows("confidentiality.tsv") if not set(row["tag"]) & set("xge")}


@cache
def basic_actions() -> dict[str, str]:
    """Table E.1-1: printed tag -> action of the Basic Profile."""
    return {tag: row["basic"] for tag, row in profile().items()}


@cache
def concepts() -> dict[tuple[str, str, str], dict[str, str]]:
    """Table E.3.4-1: (code, scheme, value type) -> its row; of SNOMED CT also by the codes there were before."""
    found = {}
    for row in rows("structured_content.tsv"):
        scheme = row["scheme"].split(" [")[0]
        found[row["code_value"], scheme, row["value_type"]] = row
        if row["srt_code"]:
            found |= {(row["srt_code"], former, row["value_type"]): row for former in SNOMED_BEFORE_SCT}
    return found


@cache
def safe_private() -> dict[tuple[str, int, int], tuple[str, ...]]:
    """Table E.3.10-1: (Private Creator, group, low byte) -> VRs; none if the table names none."""
    found = {}
    for row in rows("safe_private.tsv"):
        key = row["private_creator"], int(row["group"], 16), int(row["element_low_byte"], 16)
        found[key] = tuple(row["vr"].split("/")) if row["vr"] else ()
    return found


@cache
def safe_creators() -> frozenset[str]:
    """Every Private Creator of Table E.3.10-1."""
    return frozenset(creator for creator, _, _ in safe_private())


@cache
def codes() -> list[tuple[str, str, str]]:
    """CID 7050: (code, meaning, column of Table E.1-1)."""
    return [(row["code_value"], row["code_meaning"], row["option_column"]) for row in rows("codes.tsv")]


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
def module_types() -> dict[str, dict[str, int]]:
    """Module -> printed tag -> Type at top level."""
    types: dict[str, dict[str, int]] = {}
    for row in rows("module_types.tsv"):
        types.setdefault(row["module"], {})[row["tag"]] = int(row["type"][0])
    return types


@cache
def modules_of() -> dict[str, list[str]]:
    """SOP Class UID -> the modules of its IOD, whatever their usage."""
    listed = {row["iod"]: row["modules(usage:module)"].split() for row in rows("iod_modules.tsv")}
    known = {row["sop_class_uid"]: row["iod"] for row in rows("iod_sop.tsv") if row["iod"] in listed}
    return {sop_class: [module.split(":", 1)[1] for module in listed[iod]] for sop_class, iod in known.items()}


@cache
def iod_types(sop_class: str) -> dict[str, int] | None:
    """Printed tag -> strictest Type (1, 2, 3) at top level of the SOP Class's IOD; None if unknown."""
    if sop_class not in modules_of():
        return None
    strictest: dict[str, int] = {}
    for module in modules_of()[sop_class]:
        for tag, type_ in module_types().get(module, {}).items():
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

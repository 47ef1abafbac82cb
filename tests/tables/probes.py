"""Objects in which every row of the tables is at work, and what dcmveil makes of them with tables that were changed.

A probe of the profile has each attribute of Table E.1-1 once, at top level; one of the nested Types has each Sequence
with an Item of what can be in it. Values come in three kinds, for rules that look at them. As a program, with a folder
of tables and a list of probes, this prints where dcmveil and the reference, which has the tables as they are, disagree.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from dcmveil.resources import load_resources
from tests.reference import tables
from tests.reference.agreement import actual, disagreement, expectation
from tests.reference.encode import ITEM, element, padded
from tests.reference.model import EXPLICIT_LITTLE, Encoding, Settings
from tests.reference.structured import CONTENT_SEQUENCES

EXPLICIT = Encoding(implicit=False, little=True)
SECRET = b"the secret of all probes"
UNKNOWN_CLASS = "1.2.3.4.5"
SOP_CLASS, EVALUATOR_NAME, CODE_MEANING, REFERENCED_INSTANCE = 0x00080016, 0x00142006, 0x00080104, 0x00081155
TEXT_VALUE, PREPARATION, PREPARATION_STEP = 0x0040A160, 0x00400610, 0x00400612
# What no rule of the tables decides on, or what decides on others.
NOT_PROBED_GROUPS = (0x0000, 0x0002, 0x0004)
VALUES = {
    "DA": (b"20200229", b"20190229", b""),
    "DT": (b"202002291200", b"20190229", b""),
    "TM": (b"1200", b"noon", b""),
    "AE": (b"STORE", b"STORE", b""),
    "CS": (b"COERCE", b"OTHER", b""),
    "UI": (b"1.2.3", b"1.2.840.10008.1.1", b""),
    "PN": (b"Doe^Jane", b"", b""),
    "OB": (b"\0\0\x5e\x0b\xe1\0\1\2\3\4", b"\1\2", b""),
}
IDS = {0x00100020: b"PID4711", 0x00080050: b"A0815"}
NUMBERS = {"DS": b"7", "IS": b"7", "AS": b"007Y", "UR": b"http://example.org", "US": b"\7\0", "FD": bytes(7) + b"\x40"}


class Probe(NamedTuple):
    """One object and the settings it is processed with."""

    sop_class: str
    kind: int
    nested: bool
    options: tuple[str, ...]

    @property
    def settings(self) -> Settings:
        chosen: dict[str, Any] = dict.fromkeys(self.options, True)
        return Settings(SECRET, patient_id="empty", patient_name="empty", accession_number="empty", study_id="empty",
                        existing_encrypted="keep", allow_embedded_overlays=True, **chosen)  # fmt: skip

    def write(self, path: Path) -> None:
        """The object as a file."""
        elements = nested_elements(self.kind) if self.nested else profile_elements(self.kind)
        elements[SOP_CLASS] = element(EXPLICIT, SOP_CLASS, "UI", padded(self.sop_class.encode()))
        data = b"".join(elements[tag] for tag in sorted(elements))
        syntax = element(EXPLICIT, 0x00020010, "UI", padded(EXPLICIT_LITTLE.encode()))
        path.write_bytes(bytes(128) + b"DICM" + syntax + data)


def number(printed: str) -> int:
    return int(printed.replace(",", ""), 16)


def profile_elements(kind: int) -> dict[int, bytes]:
    """Each attribute of Table E.1-1 that a Data Set can have, and the name of a person."""
    tags = [number(printed) for printed in tables.profile()]
    found = {tag: made(tag, kind) for tag in tags if tag >> 16 not in NOT_PROBED_GROUPS}
    return found | {EVALUATOR_NAME: element(EXPLICIT, EVALUATOR_NAME, "PN", b"Quimby^Ada")}


def nested_elements(kind: int) -> dict[int, bytes]:
    """Each Sequence of the nested Types that a Data Set can have, with one Item."""
    inner: dict[int, list[int]] = {}
    for parent, printed in tables.nested_types():
        if number(parent) >> 16 not in NOT_PROBED_GROUPS and "x" not in printed:
            inner.setdefault(number(parent), []).append(number(printed))
    return {parent: sequence(parent, [made(tag, kind) for tag in sorted(tags)]) for parent, tags in inner.items()}


def made(tag: int, kind: int) -> bytes:
    """The attribute with a Value, or with an Item that has some."""
    vr = tables.dictionary_vrs(tag)[0]
    if vr == "SQ":
        return sequence(tag, content(tag))
    value = VALUES[vr][kind] if vr in VALUES else NUMBERS.get(vr) or text(tag, kind)
    return element(EXPLICIT, tag, vr, padded(IDS.get(tag, value)))


def text(tag: int, kind: int) -> bytes:
    """With a name and a date; a word that no other attribute has; nothing but a name."""
    word = bytes(b"ghijklmnopqrstuv"[tag >> shift & 15] for shift in range(28, -4, -4))
    return (word + b" of Quimby, 2020-02-29", word, b"Quimby")[kind]


def content(tag: int) -> list[bytes]:
    """What is in the Item of a Sequence: what rules are about that go into Items."""
    if tag == PREPARATION:
        return [sequence(PREPARATION_STEP, content(PREPARATION_STEP))]
    text = [element(EXPLICIT, TEXT_VALUE, "UT", b"mild")] if tag in CONTENT_SEQUENCES else []
    meaning = element(EXPLICIT, CODE_MEANING, "LO", b"knee")
    return [meaning, element(EXPLICIT, REFERENCED_INSTANCE, "UI", b"1.2.3\0"), *text]


def sequence(tag: int, elements: Iterable[bytes]) -> bytes:
    return element(EXPLICIT, tag, "SQ", element(EXPLICIT, ITEM, None, b"".join(elements)))


def disagreements(probe: Probe, folder: Path) -> list[str]:
    """Where, as `gggg,eeee` or `gggg,eeee>gggg,eeee`, dcmveil does not do what the reference expects."""
    source, target = folder / "in.dcm", folder / "out.dcm"
    probe.write(source)
    target.unlink(missing_ok=True)
    outcome = actual(source, target, probe.settings)
    found = disagreement(expectation(source, probe.settings), outcome, target)
    return [">".join(re.findall(r"[0-9A-F]{4},[0-9A-F]{4}", text.partition(": ")[0])) for text in found]


def main(tables_folder: str, probes: str) -> None:
    load_resources(tables_folder)
    with TemporaryDirectory() as folder:
        found = [place for row in json.loads(probes) for place in disagreements(Probe(*row), Path(folder))]
    print(json.dumps(sorted(set(found))))


if __name__ == "__main__":
    main(*sys.argv[1:])

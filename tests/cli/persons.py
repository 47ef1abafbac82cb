"""Small objects of invented persons, with something for each Option to act on, and what is in an output.

`VEILME` or `Mustermann` is in whatever tells who it is.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from dcmveil import _tables
from tests.hostile.forms import EXPLICIT, SC_IMAGE, Form

__all__ = ["ALL", "FLAGS", "MODIFIED", "at", "person", "read", "uids", "write_secret"]

# The Options of PS3.15 E.3, as they are written on a command line.
FLAGS = (
    "--retain-uids", "--retain-device-identity", "--retain-institution-identity", "--retain-patient-characteristics",
    "--retain-full-dates", "--modify-dates", "--clean-descriptors", "--clean-structured-content", "--clean-graphics",
    "--retain-safe-private",
)  # fmt: skip
# As many at once as there can be, and the same with new UIDs.
ALL = tuple(flag for flag in FLAGS if flag != "--retain-full-dates")
MODIFIED = tuple(flag for flag in ALL if flag != "--retain-uids")
# UIDs of SOP Classes, of an implementation, of coding schemes: whatever stands there is kept.
NO_OBJECT = (0x00020002, 0x00020012, 0x00080016, 0x0008010C, 0x00081150)


def person(number: int = 1, form: Form = EXPLICIT, **other: bytes) -> bytes:
    """An object of the person with this number. `other` has further Values by tag, such as ``x00100020=b"4711"``."""
    rows: list[tuple[int, str, str | bytes]] = [
        (0x00080005, "CS", "ISO_IR 100"),
        (0x00080016, "UI", SC_IMAGE),
        (0x00080018, "UI", f"2.999.{number}.3"),
        (0x00080020, "DA", "20240115"),
        (0x00080022, "DA", "20240229"),
        (0x0008002A, "DT", "20240115101500.5"),
        (0x00080030, "TM", "101500"),
        (0x00080050, "SH", f"VEILME/A{number}"),
        (0x00080054, "AE", "VEILME_AE"),
        (0x00080060, "CS", "MR"),
        (0x00080080, "LO", "VEILME Infirmary"),
        (0x00081010, "SH", "VEILME_STATION"),
        (0x00081030, "LO", "Thorax of Mustermann, contrast"),
        (0x00090010, "LO", "ACME"),
        (0x00091001, "LO", "VEILME"),
        (0x00100010, "PN", f"Mustermann^Jana{number}"),
        (0x00100020, "LO", f"VEILME-{number}"),
        (0x00100030, "DA", "19480317"),
        (0x00101010, "AS", "076Y"),
        (0x00102110, "LO", "penicillin, says Mustermann"),
        (0x00181000, "LO", "VEILME_SERIAL"),
        (0x00190010, "LO", "SIEMENS MR HEADER"),
        (0x0019100C, "IS", "800"),
        (0x0020000D, "UI", f"2.999.{number}.1"),
        (0x0020000E, "UI", f"2.999.{number}.2"),
        (0x00200010, "SH", f"VEILME/S{number}"),
        (0x00280010, "US", form.pack("H", 8)),
    ]
    given = {int(name[1:], 16): value for name, value in other.items()}
    elements = {tag: form.element(tag, vr, given.pop(tag, value)) for tag, vr, value in rows}
    elements |= {tag: form.element(tag, _vr(tag), value) for tag, value in given.items()}
    elements[0x0040A730] = form.sequence(0x0040A730, *_contents(form, number))
    label = form.item(form.element(0x00700006, "ST", "arrow of Mustermann"))
    elements[0x00700001] = form.sequence(0x00700001, form.item(form.sequence(0x00700008, label)))
    return form.file(b"".join(elements[tag] for tag in sorted(elements)))


def _vr(tag: int) -> str:
    return pydicom.datadict.dictionary_VR(tag).split()[-1]  # "OB or OW"


def _contents(form: Form, number: int) -> Iterator[bytes]:
    """Content Items: a finding in words, who saw it, and a UID."""
    rows = (
        ("TEXT", "121071", "Finding", form.element(0x0040A160, "UT", "lesion of Mustermann")),
        ("PNAME", "121008", "Person Observer Name", form.element(0x0040A123, "PN", "Mustermann^Olga")),
        ("UIDREF", "112040", "Tracking Unique Identifier", form.element(0x0040A124, "UI", f"2.999.{number}.4")),
    )
    for kind, code, meaning, value in rows:
        concept = form.element(0x00080100, "SH", code) + form.element(0x00080102, "SH", "DCM")
        name = form.sequence(0x0040A043, form.item(concept + form.element(0x00080104, "LO", meaning)))
        parts = {0x0040A040: form.element(0x0040A040, "CS", kind), 0x0040A043: name}
        parts[{"TEXT": 0x0040A160, "PNAME": 0x0040A123, "UIDREF": 0x0040A124}[kind]] = value
        yield form.item(b"".join(parts[tag] for tag in sorted(parts)))


def write_secret(path: Path, secret: bytes = b"sixteen bytes or more") -> Path:
    """A file that only its owner can read."""
    path.write_bytes(secret)
    path.chmod(0o600)
    return path


# ---- what is in a file ---------------------------------------------------------------------------------------------


def read(path: Path) -> Dataset:
    """As pydicom reads it; File Meta Information and all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path, force=True)
        dataset.decode()
        return dataset


def at(dataset: Dataset, place: str) -> str | None:
    """The Value as text, None for an Attribute that is absent; `place` is NAME or SEQUENCE/ITEM/NAME."""
    *way, name = place.split("/")
    for sequence, number in zip(way[::2], way[1::2], strict=True):
        if sequence not in dataset or len(dataset[sequence].value) <= int(number):
            return None
        dataset = dataset[sequence].value[int(number)]
    tag = int(name, 16) if name.isdecimal() or name[:1].isdecimal() else pydicom.datadict.tag_for_keyword(name)
    assert tag is not None, name
    if tag not in dataset:
        return None
    value = dataset[tag].value
    if isinstance(value, bytes):
        return value.decode("latin-1").rstrip(" \0")
    return "\\".join(map(str, value)) if isinstance(value, MultiValue) else str("" if value is None else value)


def uids(dataset: Dataset) -> set[str]:
    """All UIDs of objects in a file, at every depth."""
    found: set[str] = uids(dataset.file_meta) if hasattr(dataset, "file_meta") else set()
    for element in dataset:
        if element.VR == "SQ":
            found |= {uid for item in element.value for uid in uids(item)}
        elif element.VR == "UI" and element.tag not in NO_OBJECT:
            found |= {str(uid) for uid in (element.value if isinstance(element.value, MultiValue) else [element.value])}
    return {uid for uid in found if uid and not _tables.is_well_known_uid(uid.encode())}

"""Identity that works for research: pseudonyms in place of IDs and names (PS3.15 E.1.1, notes; E.3.8 for AE titles).

A keyed pseudonym is short: 60 bits of HMAC-SHA256 with the secret over ``b"dcmveil/" + kind + b"\\0" + value``, as 12
letters and digits, which fit into every VR for IDs and are in every character set. The same Value gives the same
pseudonym in any run, and without the secret no guess can be tested. Instead of it a site may give its own, as a CSV of
old and new Values; what that does not list is refused, never made up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal, NamedTuple

from dcmveil.encode import pad
from dcmveil.errors import Refused, ResourceError, show_path
from dcmveil.memos import Remembering
from dcmveil.tags import format_tag
from dcmveil.textfiles import read_text
from dcmveil.uids import MIN_SECRET_BYTES

__all__ = ["Choice", "Pseudonyms", "pseudonym", "read_pairs"]

# What becomes of an Attribute: what the Profile says, a keyed pseudonym, or the new Value that is listed for the old.
Choice = Literal["empty", "keyed"] | Mapping[str, str]

ACCESSION_NUMBER = 0x00080050
PATIENT_NAME = 0x00100010
PATIENT_ID = 0x00100020
STUDY_ID = 0x00200010

CHARACTERS = 12  # of 5 bits each
_DIGEST_BYTES = 10  # that they come from: two groups of 5
MEMO_ENTRIES = 4096
MAX_NEW_CHARACTERS = 64
MAX_BYTES = 64 << 20

_PADDING = " \0"
_HEADERS = (["id_old", "id_new"], ["old", "new"])
_FORBIDDEN = re.compile(r"[\0-\x1f\x7f-\x9f\\]")


class _Attribute(NamedTuple):
    name: str
    kind: bytes
    most: int  # characters that its VR allows


_ATTRIBUTES = {
    ACCESSION_NUMBER: _Attribute("Accession Number", b"accession-number", 16),
    PATIENT_NAME: _Attribute("Patient's Name", b"patient-name", 64),
    PATIENT_ID: _Attribute("Patient ID", b"patient-id", 64),
    STUDY_ID: _Attribute("Study ID", b"study-id", 16),
}


def pseudonym(secret: bytes, kind: bytes, value: bytes) -> str:
    """The keyed pseudonym of a Value without padding; `kind` is a word for what it is the Value of."""
    import hmac  # both here: loading OpenSSL takes milliseconds
    from base64 import b32encode

    digest = hmac.digest(secret, b"dcmveil/%s\0%s" % (kind, value), "sha256")
    return b32encode(digest[:_DIGEST_BYTES]).decode("ascii")[:CHARACTERS]


class Pseudonyms:
    """What to put in the place of IDs and names, with a secret of at least 16 bytes and a choice for each Attribute.

    ValueError for a secret that is too short, for an unknown choice, and for a new Value that its VR cannot have.
    May be used by several threads.
    """

    attributes: ClassVar[tuple[int, ...]] = tuple(_ATTRIBUTES)

    def __init__(
        self,
        secret: bytes,
        *,
        patient_id: Choice = "empty",
        patient_name: Choice = "empty",
        accession_number: Choice = "empty",
        study_id: Choice = "empty",
    ) -> None:
        if len(secret) < MIN_SECRET_BYTES:
            raise ValueError(f"the secret must have at least {MIN_SECRET_BYTES} bytes")
        choices = {
            ACCESSION_NUMBER: accession_number,
            PATIENT_NAME: patient_name,
            PATIENT_ID: patient_id,
            STUDY_ID: study_id,
        }
        self._choices = {tag: _checked(_ATTRIBUTES[tag], choice) for tag, choice in choices.items()}
        known = bytes(secret)
        self._pseudonym = Remembering(MEMO_ENTRIES, lambda value, kind: pseudonym(known, kind, value))

    def __repr__(self) -> str:
        return "Pseudonyms(...)"

    def replacement(self, tag: int, value: str, *, patient_id: str) -> str | None:
        """The new Value for that of one of `attributes`; `patient_id` is the object's Patient ID, "" if it has none.

        None if the choice is "empty". An empty Value stays empty. Refused ("not-in-map") if there is a map, and the
        Value is not in it. KeyError for other tags.
        """
        choice, value = self._choices[tag], value.strip(_PADDING)
        if choice == "empty":
            return None
        if not value:
            return ""
        if choice == "keyed":
            return self._keyed(tag, value, patient_id.strip(_PADDING))
        try:
            return choice[value]
        except KeyError:
            raise Refused("not-in-map", f"{format_tag(tag)}: this {_ATTRIBUTES[tag].name} is not in the map") from None

    def ae_title(self, value: bytes) -> bytes:
        """The new Value field, padded to even length, for that of an AE element. Empty Values stay empty."""
        titles = [title.strip(_PADDING.encode("ascii")) for title in value.split(b"\\")]
        new = [self._pseudonym(title, b"ae-title").encode("ascii") if title else b"" for title in titles]
        return pad("AE", b"\\".join(new))

    def _keyed(self, tag: int, value: str, patient_id: str) -> str:
        """A patient is called by the pseudonym of the Patient ID, which may be spelled in fewer ways than the name."""
        if tag == PATIENT_NAME and patient_id:
            tag, value = PATIENT_ID, patient_id
        return self._pseudonym(value.encode("utf-8", "surrogatepass"), _ATTRIBUTES[tag].kind)


def _checked(attribute: _Attribute, choice: Choice) -> Choice:
    if isinstance(choice, str):
        if choice not in ("empty", "keyed"):
            raise ValueError(f'{attribute.name}: "empty", "keyed" or a mapping expected')
        return choice
    fault = next(filter(None, (_fault(new, attribute.most) for new in choice.values())), None)
    if fault is not None:
        raise ValueError(f"{attribute.name}: a new Value in the map {fault}")
    return {old.strip(_PADDING): new for old, new in choice.items()}


def _fault(new: str, most: int) -> str | None:
    """What is wrong with a new Value, if anything is."""
    if len(new) > most:
        return f"has more than {most} characters"
    return "holds a control character or a backslash" if _FORBIDDEN.search(new) else None


# ---- files -----------------------------------------------------------------------------------------------------


def read_pairs(path: str) -> dict[str, str]:
    """New Values by old ones, from the two columns of a CSV file in UTF-8, without padding.

    A header ``id_old,id_new`` or ``old,new`` may be there or not. ResourceError for whatever is wrong: one
    line that names file and line, and no Value.
    """
    pairs: dict[str, str] = {}
    for where, old, new in _rows(path):
        if not old:
            raise ResourceError(f"{where}: the old Value is empty")
        fault = _fault(new, MAX_NEW_CHARACTERS)
        if fault is not None:
            raise ResourceError(f"{where}: the new Value {fault}")
        if pairs.setdefault(old, new) != new:
            raise ResourceError(f"{where}: the old Value has another new Value further up")
    return pairs


def _rows(path: str) -> Iterator[tuple[str, str, str]]:
    """Where each row of a file stands, and its two columns."""
    import csv
    import io

    reader = csv.reader(io.StringIO(read_text(path, MAX_BYTES), newline=""), strict=True)
    try:
        for number, row in enumerate(reader):
            columns = [column.strip(_PADDING) for column in row]
            if not row or (number == 0 and columns in _HEADERS):
                continue
            where = f"{show_path(path)}:{reader.line_num}"
            if len(columns) != 2:
                raise ResourceError(f"{where}: two columns expected, found {len(columns)}")
            yield where, columns[0], columns[1]
    except csv.Error:
        raise ResourceError(f"{show_path(path)}:{reader.line_num}: is not CSV: a quote or a column too long") from None

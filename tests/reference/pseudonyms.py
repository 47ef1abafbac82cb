"""Names and IDs that are replaced by keyed pseudonyms, and AE titles (PS3.15 E.3.8)."""

from __future__ import annotations

import base64
import hmac

from .model import Element, Settings, padded
from .texts import decoded

PATIENT_NAME, PATIENT_ID, ACCESSION_NUMBER, STUDY_ID = 0x00100010, 0x00100020, 0x00080050, 0x00200010
KINDS = {PATIENT_ID: "patient-id", PATIENT_NAME: "patient-name", ACCESSION_NUMBER: "accession-number"}
KINDS |= {STUDY_ID: "study-id"}


def is_keyed(tag: int, settings: Settings) -> bool:
    """Whether the attribute gets a pseudonym: the default, for there is always a secret here."""
    choices = {PATIENT_ID: settings.patient_id, PATIENT_NAME: settings.patient_name}
    choices |= {ACCESSION_NUMBER: settings.accession_number, STUDY_ID: settings.study_id}
    return tag in choices and choices[tag] != "empty"


def pseudonym(kind: str, text: str, settings: Settings) -> bytes:
    """12 characters of base 32."""
    message = b"dcmveil/" + kind.encode() + b"\0" + text.encode()
    return base64.b32encode(hmac.new(settings.secret, message, "sha256").digest())[:12]


def keyed(element: Element, charset: bytes, patient_id: str, settings: Settings) -> bytes:
    """The new Value of a name or an ID: a patient is named by the Patient ID if there is one."""
    text = decoded(element.value, charset).strip("\0 ") if isinstance(element.value, bytes) else ""
    if not text:
        return b""
    if element.tag == PATIENT_NAME and patient_id:
        return pseudonym(KINDS[PATIENT_ID], patient_id, settings)
    return pseudonym(KINDS[element.tag], text, settings)


def keyed_titles(value: bytes, settings: Settings) -> bytes:
    """The Value of an AE: each title replaced."""
    titles = [title.strip(b"\0 ").decode("latin-1") for title in value.split(b"\\")]
    return padded(b"\\".join(pseudonym("ae-title", title, settings) if title else b"" for title in titles), "AE")

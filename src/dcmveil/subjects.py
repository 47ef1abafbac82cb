"""Whose object it is: what new Values depend on besides the old ones.

The days that dates are shifted by, the Values that are looked for in texts, the Patient ID that names go by, and the
Specific Character Set that holds at a place. Worked out when first asked for: most objects need little of it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from dcmveil import _tables
from dcmveil.contents import Contents
from dcmveil.memos import Memo
from dcmveil.questions import Facts
from dcmveil.uids import UidMapper

if TYPE_CHECKING:  # loaded when they are needed
    from dcmveil.cleaning import Cleaner
    from dcmveil.dates import DateShifter
    from dcmveil.identity import Identity
    from dcmveil.pseudonyms import Choice, Pseudonyms

__all__ = ["PATIENT_ID", "PSEUDONYMS", "Means", "Subject"]

PATIENT_ID = 0x00100020
# The Attributes that can have a pseudonym, by the names of their choices.
PSEUDONYMS = {
    "patient_id": PATIENT_ID, "patient_name": 0x00100010, "accession_number": 0x00080050, "study_id": 0x00200010,
}  # fmt: skip
MOST_SUBJECTS = 16
MOST_VALUES = 1024
_STUDY_INSTANCE_UID = 0x0020000D
_PADDING = " \0"
# Where a text ends that has code extensions (PS3.5 6.1.2.5.3), by VR.
_DELIMITERS = {"LO": "\\", "PN": "\\^=", "SH": "\\", "UC": "\\"}


class Means:
    """What new Values are made with, the same for all objects: made when first needed, and then kept.

    Files of a series mostly have the same Values that identify, so a `Subject` serves for all objects that are alike in
    what it depends on. With `has_secret` the secret is the site's, not one of this run only. `choices` are those of
    `Pseudonyms`. It holds secrets, its repr does not. ValueError for a bad choice or window.
    """

    def __init__(
        self,
        secret: bytes,
        *,
        uids: UidMapper,
        has_secret: bool = False,
        contents: Contents | None = None,
        date_window: int | None = None,
        choices: Mapping[str, Choice] | None = None,
        keep_words: Sequence[str] = (),
        drop_words: Sequence[str] = (),
    ) -> None:
        self.secret = secret
        self.has_secret = has_secret
        self.uids = uids
        self.contents = contents
        self._date_window = date_window
        self._choices = dict(choices or {})
        self._words = tuple(keep_words), tuple(drop_words)
        self._subjects: Memo[Hashable, Subject] = Memo(MOST_SUBJECTS)

    def __repr__(self) -> str:
        return "Means(...)"

    def settings(self) -> tuple[object, object]:
        """What the user has set that anyone may know, and what may have Values in it."""
        kinds = [(name, choice if isinstance(choice, str) else "listed") for name, choice in self._choices.items()]
        lists = [sorted(choice.items()) for choice in self._choices.values() if not isinstance(choice, str)]
        return (self._date_window, sorted(kinds)), [*lists, *filter(None, self._words)]

    def subject(self, facts: Facts) -> Subject:
        """Whose object this is."""
        subject: Subject | None = facts.common.get("subject")
        if subject is None or subject.is_full:
            subject = facts.common["subject"] = self._subject(facts)
        return subject

    def _subject(self, facts: Facts) -> Subject:
        key = (
            facts.first.get(PATIENT_ID),
            facts.first.get(_STUDY_INSTANCE_UID),
            facts.sop_class,
            facts.character_set,
            facts.has_late_set,
            tuple(facts.sets),
            tuple(facts.identifying),
        )
        known = self._subjects.find(key)
        return self._subjects.keep(key, Subject(facts, self)) if known is None or known.is_full else known

    def check(self) -> None:
        """Make now what can be wrong, if it is going to be needed."""
        if self._date_window is not None:
            _ = self.dates
        if any(choice != "empty" for choice in self._choices.values()):
            _ = self.pseudonyms

    @cached_property
    def dates(self) -> DateShifter:
        from dcmveil.dates import DEFAULT_WINDOW, DateShifter

        return DateShifter(self.secret, DEFAULT_WINDOW if self._date_window is None else self._date_window)

    @cached_property
    def pseudonyms(self) -> Pseudonyms:
        from dcmveil.pseudonyms import Pseudonyms

        return Pseudonyms(self.secret, **self._choices)

    @cached_property
    def cleaner(self) -> Cleaner:
        from dcmveil.cleaning import Cleaner

        keep, drop = self._words
        return Cleaner(keep_words=keep, drop_words=drop)


class Subject:
    """What objects have in common that are of one patient, of one SOP Class, and have the same Values that identify.

    `renewed` remembers what has become of Values, `made` shifted dates. It holds Values, its repr does not.
    """

    def __init__(self, facts: Facts, means: Means) -> None:
        self._facts = facts
        self._means = means
        self.renewed: Memo[Hashable, bytes | None] = Memo(MOST_VALUES)
        self.made: set[bytes] = set()

    def __repr__(self) -> str:
        return "Subject(...)"

    @property
    def is_full(self) -> bool:
        """Has it remembered so much that the next object is to begin with another one?"""
        return len(self.made) > MOST_VALUES

    @cached_property
    def patient_id(self) -> str:
        """Patient ID as text, "" if there is none."""
        return self.text_of(self._facts.first.get(PATIENT_ID, b""), "LO", 0)

    def remarks_on_dates(self) -> tuple[str, ...]:
        """What there is to be said of dates that are shifted."""
        said = [] if self._means.has_secret else ["without a secret the days that dates are shifted by are of this run"]
        if PATIENT_ID not in self._facts.first:
            by = "by its Study Instance UID" if _STUDY_INSTANCE_UID in self._facts.first else "as in all such objects"
            said.append(f"has no Patient ID: dates are shifted {by}")
        return tuple(said)

    @cached_property
    def days(self) -> int:
        """What dates are shifted by: keyed by Patient ID, or by Study Instance UID where there is none."""
        first = self._facts.first
        return self._means.dates.days(first.get(PATIENT_ID) or first.get(_STUDY_INSTANCE_UID) or b"")

    @cached_property
    def identity(self) -> Identity:
        """The Values that identify, as texts."""
        from dcmveil.identity import Identity

        return Identity.of(self._identifying())

    def _identifying(self) -> Iterable[tuple[str, str]]:
        for tag, number, value in self._facts.identifying:
            vr = _tables.dictionary_vr(tag) or "LO"
            yield vr, self.text_of(value, vr, number)

    def decode(self, value: bytes, vr: str, number: int, *, is_nested: bool = False) -> str | None:
        """The text of a Value where the set with this number holds, None if it is none."""
        if value.isascii() and b"\x1b" not in value:  # the same in every set
            return value.decode("ascii").rstrip(_PADDING)
        if (number or is_nested) and self._facts.has_late_set:
            return None
        from dcmveil.charsets import TextError, decode_text

        try:
            return decode_text(value, self._facts.set_at(number), delimiters=_DELIMITERS.get(vr, "")).rstrip(_PADDING)
        except TextError:
            return None

    def encode(self, text: str, vr: str, number: int) -> bytes | None:
        """The Value for a text, None if the set lacks one of its characters."""
        from dcmveil.charsets import TextError, encode_text

        try:
            return encode_text(text, self._facts.set_at(number), delimiters=_DELIMITERS.get(vr, ""))
        except TextError:
            return None

    def text_of(self, value: bytes, vr: str, number: int) -> str:
        """As `decode`; what is no text is read byte by byte, so that equal Values stay equal."""
        text = self.decode(value, vr, number)
        return (value.decode("latin-1") if text is None else text).strip(_PADDING)

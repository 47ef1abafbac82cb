"""The Conformance Statement that PS3.15 E.1.3 asks for, generated from the tables for the Options that are given.

What E.1.3 lists is all there, in this order: Profile and Options, Attributes by what becomes of them, dummies, scope of
consistency, the manner of each Option, Attributes inserted, encryption, restrictions. Lists come from the tables, so
they follow another edition; sentences say what is the same for all objects.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from dcmveil import _tables, provenance
from dcmveil.dummies import dummy_value
from dcmveil.encode import Encoding
from dcmveil.options import COLUMNS, Options, combined

__all__ = ["statement"]

_WIDTH = 100
_PADDING = b" \0"


def statement(columns: Sequence[str], *, settings: Mapping[str, str]) -> str:
    """The statement for the Options whose columns of Table E.1-1 are given, as text of about 100 columns.

    `settings` are told as they are: whatever else the user has chosen, by name. ValueError for a column that is none,
    and for Options that exclude each other.
    """
    unknown = set(columns) - COLUMNS.keys()
    if unknown:
        raise ValueError(f"no column of an Option: {', '.join(sorted(unknown))}")
    Options(**{COLUMNS[column]: True for column in columns}).check()
    chosen = [column for column in COLUMNS if column in columns]
    sections = (_profile, _attributes, _others, _dummies, _consistency, _manner, _inserted, _encryption, _restrictions)
    blocks = [f"# Conformance Statement: de-identification by dcmveil, PS3.15 {_tables.edition()} Annex E"]
    for number, section in enumerate(sections, 1):
        title, *content = section(chosen)
        blocks += [f"## {number} {title}", *content]
    if settings:
        rows = [f"{name:<28} {value}" for name, value in settings.items()]
        blocks += [f"## {len(sections) + 1} Settings", "\n".join(rows)]
    return "\n\n".join(blocks) + "\n"


def _text(*paragraphs: str) -> list[str]:
    return [textwrap.fill(paragraph, _WIDTH) for paragraph in paragraphs]


def _points(points: Iterable[str]) -> str:
    return "\n".join(textwrap.fill(point, _WIDTH, initial_indent="- ", subsequent_indent="  ") for point in points)


def _list(words: Iterable[str]) -> str:
    """Words that are not broken, as many to a line as fit."""
    joined = " ".join(word.replace(" ", "\0") for word in words)
    return textwrap.fill(joined, _WIDTH, break_on_hyphens=False, break_long_words=False).replace("\0", " ")


# ---- Profile and Options -------------------------------------------------------------------------------------------

_PIXEL_OPTIONS = "Clean Pixel Data and Clean Recognizable Visual Features are not supported: pixels are not looked at."


def _profile(chosen: Sequence[str]) -> list[str]:
    codes = [f"{value} DCM {meaning}" for value, meaning, column in _tables.codes() if column in ("basic", *chosen)]
    left_out = [meaning for _value, meaning, column in _tables.codes() if column in COLUMNS and column not in chosen]
    return [
        "Profile and Options (E.2, E.3)",
        *_text("Implemented as De-identifier (E.1.1) and Re-identifier (E.1.2); here applied:"),
        _points(codes),
        *_text(
            "Not applied: " + ", ".join(left_out) + "." if left_out else "All Options that are supported are applied.",
            _PIXEL_OPTIONS,
            "Where the columns of the chosen Options give a row of a table more than one action, the more private one "
            "is taken: cleaned rather than retained. Where they give none, it is that of the Basic Profile.",
        ),
    ]


# ---- Attributes of Table E.1-1 -------------------------------------------------------------------------------------


class _Row(NamedTuple):
    """An Attribute, what becomes of it, and the columns that say so."""

    tag: int
    mask: int
    vr: str
    basic: str
    action: str
    columns: tuple[str, ...]

    @property
    def name(self) -> str:
        digits = "".join(
            f"{self.tag >> shift & 0xF:X}" if self.mask >> shift & 0xF else "x" for shift in range(28, -1, -4)
        )
        return f"({digits[:4]},{digits[4:]}) {_tables.keyword(self.tag) or 'whole group'}"


def _rows(chosen: Sequence[str]) -> list[_Row]:
    rows = []
    for tag, mask, basic, by_column in _tables.confidentiality():
        vr = _tables.dictionary_vr(tag) or ""
        action = combined(basic, by_column, chosen)
        columns = tuple(column for column in chosen if by_column.get(column))
        rows.append(_Row(tag, mask, vr, basic, "U" if (vr, action) == ("UI", "D") else action, columns))
    return rows


class _Heading(NamedTuple):
    actions: tuple[str, ...]
    title: str
    explanation: str
    detail: Callable[[_Row], str]


def _attributes(chosen: Sequence[str]) -> list[str]:
    rows = _rows(chosen)
    blocks = [
        "Attributes of Table E.1-1",
        *_text("Each action applies at every depth, in every Item of every Sequence that stays."),
    ]
    for heading in _HEADINGS:
        lines = [f"{row.name:<66} {heading.detail(row)}".rstrip() for row in rows if row.action in heading.actions]
        if lines:
            blocks += [f"### {heading.title}: {len(lines)}", *_text(heading.explanation), "\n".join(lines)]
    return blocks


def _dummy_of(row: _Row) -> str:
    if row.vr == "SQ":
        return "SQ  one Item with dummies"
    return f"{row.vr}  {_shown_dummy(row.vr)}" if row.vr else ""


def _options_of(row: _Row) -> str:
    names = [COLUMNS[column].partition("_")[2] for column in row.columns]
    return ", ".join(names).replace("_", " ")


def _otherwise(row: _Row) -> str:
    return f"{_options_of(row)}; else {row.basic}"


_COMPOUND = ("X/Z", "X/D", "Z/D", "X/Z/D", "X/Z/U*")
_HEADINGS = (
    _Heading(
        ("X",),
        "Removed (X)",
        "A Sequence with all its Items. (0008,0201), (0070,0082) and (0070,0083) become dummies where the IOD gives "
        "them Type 1.",
        lambda row: "",
    ),
    _Heading(
        _COMPOUND,
        "Removed, emptied or made a dummy, as the IOD requires",
        "The first action that the strictest Type of the Attribute in the IOD of the SOP Class allows, nested ones by "
        "the enclosing Sequence: Type 3 X, Type 2 Z, Type 1 D, or U* for the UIDs within. In an unknown SOP Class all "
        "count as Type 1, but X/Z becomes Z.",
        lambda row: row.action,
    ),
    _Heading(("Z",), "Emptied (Z)", "The Value Length becomes zero.", lambda row: ""),
    _Heading(
        ("D",),
        "Made a dummy (D)",
        "The whole Value is replaced by a constant.",
        _dummy_of,
    ),
    _Heading(
        ("U",),
        "UIDs replaced (U)",
        "By others, see Consistency; also where the table says D, for references have to match.",
        lambda row: "",
    ),
    _Heading(
        ("K",),
        "Retained (K)",
        "Byte for byte if the VR is that of the dictionary, else removed; the Items of Sequences by their own rules.",
        _options_of,
    ),
    _Heading(
        ("C",),
        "Cleaned (C)",
        "In the manner of the Option, see below; what cannot be cleaned gets the action of the Basic Profile.",
        _otherwise,
    ),
)


def _others(chosen: Sequence[str]) -> list[str]:
    identities = {"rtn_dev_id", "rtn_inst_id"} & set(chosen)
    gaps = [tag for tag, role in _tables.gaps() if role in ("temporal", "person-name")]
    dates = "retained" if "rtn_full_dates" in chosen else "modified" if "rtn_modif_dates" in chosen else "removed"
    private = "all but those of section 6" if "rtn_safe_priv" in chosen else "all"
    return [
        "Attributes that are not in Table E.1-1",
        _points(
            [
                f"Private Attributes are removed: {private}.",
                "Group lengths, and groups 0000, 0002, 0004 and 0006 within a Data Set, are removed; so are overlays "
                "(60xx), MAC Parameters Sequence (4FFE,0001), and what is not in the dictionary of PS3.6.",
                "A kept Attribute whose VR is not that of the dictionary is removed.",
                f"UIDs that refer to instances are {'retained' if 'rtn_uids' in chosen else 'replaced'}, those of "
                f"equipment and organizations {'retained' if identities else 'replaced'}, well-known ones never.",
                f"Dates and times that the table does not name are {dates}; names of persons are removed ({len(gaps)} "
                "Attributes in all).",
                "All others are retained byte for byte.",
            ]
        ),
    ]


# ---- dummies and consistency ---------------------------------------------------------------------------------------

_DUMMY_VRS = ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT")


def _shown_dummy(vr: str) -> str:
    value = dummy_value(0, vr, Encoding.EXPLICIT_LE).strip(_PADDING)
    return value.decode("ascii") if vr in _DUMMY_VRS else "zero"


def _dummies(chosen: Sequence[str]) -> list[str]:
    by_value: dict[str, list[str]] = {}
    for vr in _DUMMY_VRS:
        by_value.setdefault(_shown_dummy(vr), []).append(vr)
    return [
        "Dummy Values",
        *_text("Constants, the same for every object; they tell nothing of the original, not even its length:"),
        "\n".join(f"{', '.join(vrs):<36} {value}" for value, vrs in by_value.items()),
        *_text(
            "Timezone Offset From UTC (0008,0201) becomes +0000; Values of binary VRs become zero, one number or two "
            "bytes long; a Sequence gets one Item that is valid for its macro."
        ),
    ]


def _consistency(chosen: Sequence[str]) -> list[str]:
    return [
        "Consistency (E.1.3: its scope)",
        _points(
            [
                "UIDs: HMAC-SHA256 of the UID with a secret of the user, as a UUID under 2.25 or as 96 bits or more "
                "under a root of the user. With the same secret the same UID becomes the same new one in every object, "
                "run and machine. Without a secret that holds for one run.",
                "Patient ID, Patient's Name, Accession Number and Study ID are emptied or, if they are to be keyed, "
                "become pseudonyms: 60 bits of HMAC-SHA256 with the secret, with the same scope as UIDs; or what a "
                "list of the user says, and an object whose Value is not listed is refused.",
                "UIDs of the Standard (1.2.840.10008 and all of PS3.6 Annex A) are never replaced.",
            ]
        ),
    ]


# ---- the manner of each Option -------------------------------------------------------------------------------------


def _manner(chosen: Sequence[str]) -> list[str]:
    blocks = ["The manner of the Options"]
    for column in chosen:
        blocks += [f"### {COLUMNS[column].replace('_', ' ')}", *_MANNERS[column](chosen)]
    if "clean_struct" not in chosen:
        blocks += _text(
            "Content Sequence (0040,A730), Acquisition Context Sequence (0040,0555), Specimen Preparation Sequence "
            "(0040,0610) and Waveform Annotation Sequence (0040,B020) are replaced or removed as a whole."
        )
    if not {"rtn_full_dates", "rtn_modif_dates"} & set(chosen):
        blocks += _text("Dates and times are removed, emptied or made dummies.")
    return blocks


def _full_dates(chosen: Sequence[str]) -> list[str]:
    return _text("Dates and times are retained as they are.")


def _modified_dates(chosen: Sequence[str]) -> list[str]:
    return [
        _points(
            [
                "All dates of a patient are moved into the past by the same number of whole days, from one to the size "
                "of the window (365 unless set otherwise), keyed: HMAC-SHA256 with the secret over the Patient ID. So "
                "it is the same in every object of a patient, in every run and on every machine.",
                "Times of day, time zones, fractions, partial precision and all intervals are retained; so is the "
                "order of events.",
                "The same goes for Timezone Offset From UTC (0008,0201), retained, and for Frame Origin Timestamp "
                "(0034,0007), moved.",
                "A Value that is no possible date gets the action of the Basic Profile, and so does Certified "
                "Timestamp (0400,0310), which is signed.",
            ]
        )
    ]


def _descriptors(chosen: Sequence[str]) -> list[str]:
    return [
        _points(
            [
                "From text (LO, SH, ST, LT, UT, UC) is cut: every identifying Value of the same object, in the "
                "object's character set, whatever its case, names in all orders of their components; dates, times, "
                "telephone numbers, addresses of mail and web, long numbers, and names behind titles, by rule; words "
                "that the user lists. Words that the user wants kept stay unless they identify in the object.",
                "If nothing is left of a text, or it cannot be decoded, it gets the action of the Basic Profile.",
                "Code Meaning (0008,0104) is treated likewise. From all other text that is retained, identifying "
                "Values of the object are cut.",
                "Reason For The Attribute Modification (0400,0565) is retained if it is a Defined Term.",
            ]
        )
    ]


def _characteristics(chosen: Sequence[str]) -> list[str]:
    cleaned = [row.name for row in _rows(chosen) if row.action == "C" and "rtn_pat_chars" in row.columns]
    return [*_text("Retained Values are as they were. Cleaned in the manner of descriptors:"), "\n".join(cleaned)]


def _device(chosen: Sequence[str]) -> list[str]:
    return _text(
        "Retained Values are as they were. Application Entity Titles and Network IDs are replaced by pseudonyms, keyed "
        "with the secret like UIDs."
    )


def _institution(chosen: Sequence[str]) -> list[str]:
    return _text("Retained Values are as they were.")


def _uids(chosen: Sequence[str]) -> list[str]:
    return _text("UIDs are retained as they are, also those that Table E.1-1 does not name.")


def _graphics(chosen: Sequence[str]) -> list[str]:
    return _text(
        "Graphic Annotation Sequence (0070,0001) is retained, its Items by the rules of each Attribute: text is "
        "removed or, with clean descriptors, cleaned. Drawings are not looked at. Curves and overlays are removed."
    )


def _structured(chosen: Sequence[str]) -> list[str]:
    named: dict[str, list[str]] = {}
    for scheme, code, _older, value_type, basic, row in _tables.structured_content():
        named.setdefault(combined(basic, row, chosen), []).append(f"{code.decode()} {scheme.decode()} {value_type}")
    blocks = _text(
        "Content Items of (0040,A730), (0040,0555), (0040,0612) and (0040,B020), at every depth, by Concept Name and "
        "Value Type (Table E.3.4-1); codes of SNOMED also in their SRT and SNM3 forms. Where Items are referred to "
        "by their position, none is removed: its Values become dummies. Items of other concepts: text is cleaned "
        "with clean descriptors, else a dummy; names become dummies, dates and UIDs are treated like those of "
        "other Attributes; codes, numbers and references stay, each Attribute by its own rule."
    )
    for action, items in named.items():
        blocks += [f"{_CONTENT_ACTIONS[action]} ({action}): {len(items)}", _list(f"[{item}]" for item in items)]
    return blocks


_CONTENT_ACTIONS = {
    "X": "Item removed",
    "D": "Values made dummies, UIDs replaced",
    "X/D": "Values made dummies, UIDs replaced",
    "K": "Retained",
    "C": "Cleaned: dates modified, text as descriptors are",
}


def _safe_private(chosen: Sequence[str]) -> list[str]:
    blocks = _text(
        "The following private Attributes are retained if Private Creator, group, the low byte of the element and VR "
        "are as listed (UN, or no VR in the list: any but SQ), in any block, with their Private Creator. UIDs in them "
        "are treated like others, Sequences by the rules of what is in them; so are private Sequences that are not "
        "listed, in blocks of the creators below. Private Data Element Characteristics Sequence (0008,0300) adds "
        "blocks and elements that it calls safe, and takes away those that it calls unsafe or identifying, by their "
        "Deidentification Action."
    )
    for creator, rows in groupby(sorted(_tables.safe_private()), key=lambda row: row[0]):
        elements = [f"({group:04X},xx{low:02X}){_vrs(bits)}" for _creator, group, low, bits in rows]
        blocks.append(f"{creator.decode('ascii')}\n{textwrap.indent(_list(elements), '  ')}")
    return blocks


def _vrs(bits: int) -> str:
    names = [_tables.vr_name(index) for index in range(bits.bit_length()) if bits >> index & 1]
    return f" {'/'.join(names)}" if names else ""


_MANNERS: dict[str, Callable[[Sequence[str]], list[str]]] = {
    "rtn_safe_priv": _safe_private,
    "rtn_uids": _uids,
    "rtn_dev_id": _device,
    "rtn_inst_id": _institution,
    "rtn_pat_chars": _characteristics,
    "rtn_full_dates": _full_dates,
    "rtn_modif_dates": _modified_dates,
    "clean_desc": _descriptors,
    "clean_struct": _structured,
    "clean_graph": _graphics,
}


# ---- what is inserted, encryption, restrictions --------------------------------------------------------------------


def _inserted(chosen: Sequence[str]) -> list[str]:
    codes = [value for value, _meaning, column in _tables.codes() if column in ("basic", *chosen)]
    rows = (
        ("(0012,0062) PatientIdentityRemoved", "YES"),
        ("(0012,0063) DeidentificationMethod", f"{provenance.method().decode('ascii')}; Options by Code Meaning"),
        ("(0012,0064) DeidentificationMethodCodeSequence", f"CID 7050: {', '.join(codes)}"),
        ("(0028,0303) LongitudinalTemporalInformationModified", _temporal_information(chosen)),
        ("(0400,0500) EncryptedAttributesSequence", "if the originals are encrypted"),
    )
    return [
        "Attributes inserted or replaced",
        "\n".join(textwrap.fill(f"{name:<52} {value}", _WIDTH, subsequent_indent=" " * 53) for name, value in rows),
        *_text(
            "What (0012,0063) and (0012,0064) held stays, and a code that is there is not repeated. Preamble and File "
            "Meta Information are written anew; of the old nothing but the Transfer Syntax is left. Burned In "
            "Annotation (0028,0301) and Recognizable Visual Features (0028,0302) are never set."
        ),
    ]


def _temporal_information(chosen: Collection[str]) -> str:
    if "rtn_full_dates" in chosen:
        return "UNMODIFIED"
    return "MODIFIED" if "rtn_modif_dates" in chosen else "REMOVED"


def _encryption(chosen: Sequence[str]) -> list[str]:
    return [
        "Encryption of the originals (E.1.1, optional)",
        _points(
            [
                "Encrypted: every Attribute of the top level that was changed or removed, as a whole, and what it "
                "takes to restore the file byte for byte.",
                "Encrypted Attributes Sequence (0400,0500) has one Item; Encrypted Content Transfer Syntax UID is "
                "1.2.840.10008.1.2.1, Explicit VR Little Endian.",
                "Encrypted Content is a CMS EnvelopedData (RFC 5652); optionally AuthEnvelopedData with AES-GCM.",
                "Content encryption: AES-256-CBC, on request AES-192, AES-128 or Triple-DES (168 bits), with a new key "
                "for every object.",
                "Keys: that of each recipient whose certificate the user gives, RSA (PKCS #1 v1.5, on request OAEP), "
                "at least 2048 bits unless weak keys are allowed; and a password, by PBKDF2 with HMAC-SHA256, 600,000 "
                "rounds. Any one of them opens.",
                "The Re-identifier decrypts all of these, whatever their key length; it sets (0012,0062) to NO and "
                "removes (0012,0063) and (0012,0064).",
            ]
        ),
    ]


def _restrictions(chosen: Sequence[str]) -> list[str]:
    return [
        "Restrictions, and what is not done",
        _points(
            [
                "Pixel Data is copied as it is, in every Transfer Syntax: burned-in text, recognizable faces, comments "
                "within compressed frames, sound in video and the content of encapsulated documents stay.",
                "Refused: DICOMDIR, objects with an Encrypted Attributes Sequence unless told what to do with it, "
                "overlay bits that may be embedded in Pixel Data unless allowed, private Transfer Syntaxes, what is "
                "not well formed.",
                "Every SOP Class is accepted; for those unknown, compound actions are resolved as said above.",
                "Transfer Syntaxes: all of PS3.6 Table A-1 that encode a Data Set; the output has that of the input.",
                "Digital signatures are removed, and none is made.",
                "Limits: nesting of 1,024 Sequences; 16 MiB of originals to encrypt unless set otherwise, 100 at most.",
            ]
        ),
    ]

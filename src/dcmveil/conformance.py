"""The Conformance Statement that PS3.15 E.1.3 asks for, generated from the tables for the Options that are given.

What E.1.3 lists is all there, in this order: Profile and Options, Attributes by what becomes of them, dummies, scope of
consistency, the manner of each Option, Attributes inserted, encryption, restrictions. Lists come from the tables, so
they follow another edition; sentences say what is the same for all objects.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping, Sequence

from dcmveil import _tables, provenance
from dcmveil.layout import WIDTH, paragraphs, points
from dcmveil.manners import manner
from dcmveil.options import COLUMNS, Options
from dcmveil.outcomes import attributes, dummies, others

__all__ = ["statement"]


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
    sections = (_profile, attributes, others, dummies, _consistency, manner, _inserted, _encryption, _restrictions)
    blocks = [f"# Conformance Statement: de-identification by dcmveil, PS3.15 {_tables.edition()} Annex E"]
    for number, section in enumerate(sections, 1):
        title, *content = section(chosen)
        blocks += [f"## {number} {title}", *content]
    if settings:
        rows = [f"{name:<28} {value}" for name, value in settings.items()]
        blocks += [f"## {len(sections) + 1} Settings", "\n".join(rows)]
    return "\n\n".join(blocks) + "\n"


# ---- Profile, Options, consistency ---------------------------------------------------------------------------------

_PIXEL_OPTIONS = "Clean Pixel Data and Clean Recognizable Visual Features are not supported: pixels are not looked at."


def _profile(chosen: Sequence[str]) -> list[str]:
    codes = [f"{value} DCM {meaning}" for value, meaning, column in _tables.codes() if column in ("basic", *chosen)]
    left_out = [meaning for _value, meaning, column in _tables.codes() if column in COLUMNS and column not in chosen]
    return [
        "Profile and Options (E.2, E.3)",
        *paragraphs("Implemented as De-identifier (E.1.1) and Re-identifier (E.1.2); here applied:"),
        points(codes),
        *paragraphs(
            "Not applied: " + ", ".join(left_out) + "." if left_out else "All Options that are supported are applied.",
            _PIXEL_OPTIONS,
            "Where the columns of the chosen Options give a row of a table more than one action, the more private one "
            "is taken: cleaned rather than retained. Where they give none, it is that of the Basic Profile.",
        ),
    ]


def _consistency(chosen: Sequence[str]) -> list[str]:
    return [
        "Consistency (E.1.3: its scope)",
        points(
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
        "\n".join(textwrap.fill(f"{name:<52} {value}", WIDTH, subsequent_indent=" " * 53) for name, value in rows),
        *paragraphs(
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
        points(
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
        points(
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

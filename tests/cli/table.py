"""Command lines, and what comes of each: exit status, message, effect, and where gdcmanon differs on purpose.

They are run in a folder that has in.dcm, an object of Jane Doe in ASCII, with two Items in Request Attributes Sequence
(0040,0275) and a private block of ACME; crypt.dcm, the same as `-c cert.pem -p pw` leaves it; cut.dcm, cut short;
text.dcm, no DICOM; ids.csv, a new Patient ID for hers, and others.csv, without hers; rules.toml, which keeps the
private block; dir with a.dcm, b.dcm, .dot and below/c.dcm; bad with a.dcm, b.dcm, which is no DICOM, and c.dcm;
and the keys, certificates and passwords that their names tell of.

An effect names the files that there are afterwards and were not before, or have changed, with what is in them by
keyword or tag: a text, "" for a Value that is zero-length, None for an Attribute that is absent, RETURNED for the
original byte for byte; nothing else has changed. `gdcmanon` is "" where gdcmanon has the same exit status and effect.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["RETURNED", "ROWS", "Effect", "Row"]

RETURNED: Final = "as it was"

Content = dict[str, str | None] | str
Effect = dict[str, Content]


class Row(NamedTuple):
    """One command line. `says` is a regular expression for stdout and stderr; "" if nothing is said."""

    arguments: str
    status: int
    says: str
    effect: Effect
    gdcmanon: str = ""


DONE: Content = {"PatientName": "", "PatientID": "", "PatientIdentityRemoved": "YES", "Rows": "8"}
PLAIN: Content = DONE | {"EncryptedAttributesSequence": None, "00091001": None}
BACK: Content = {"PatientName": "Doe^Jane", "PatientID": "4711", "EncryptedAttributesSequence": None, "00091001": "one"}
TOLD = r"\d+ done, "
SEEN = r"\Adcmveil: warning: -p: other users of this machine could see the password at the start; .*\n\Z"

ONE_STEP = "fails without -c and -p, though its newest manual promises this"
# With a secret patients do not merge: a pseudonym from it.
KEYED = PLAIN | {"PatientName": "5UFUO7LL5GE3", "PatientID": "5UFUO7LL5GE3"}
NO_OPTION = "has no such option"
WRITES = "fails, and writes the file all the same"
EVERY_BYTE = "restores every Attribute, not every byte"
ONLY_CHECKS = "has no use for it, and checks it"
GOES_ON = "tells of an option that it does not know and goes on without"
WEAK = "encrypts for any certificate"


def cipher(name: str) -> Effect:
    return {"out.dcm": DONE | {"cipher": name}}


def edited(**attributes: str | None) -> Effect:
    return {"out.dcm": {name.lstrip("x"): value for name, value in attributes.items()}}


DEIDENTIFY = [
    Row("in.dcm out.dcm", 0, "", {"out.dcm": PLAIN}, ONE_STEP),
    Row("-e in.dcm out.dcm", 0, "", {"out.dcm": PLAIN}, ONE_STEP),
    Row("-e -k key.pem in.dcm out.dcm", 0, "note: -k is for -d", {"out.dcm": PLAIN}, ONE_STEP),
    Row("-e -c cert.pem in.dcm out.dcm", 0, "", {"out.dcm": DONE}),
    Row("-c cert.pem in.dcm out.dcm", 0, "", {"out.dcm": DONE}),
    Row("-c cert.pem -e -i in.dcm -o out.dcm", 0, "", {"out.dcm": DONE}),
    Row("in.dcm out.dcm --certificate=cert.pem --de-identify", 0, "", {"out.dcm": DONE}),
    Row("in.dcm --cert cert.pem out.dcm", 0, "", {"out.dcm": DONE}),
    Row("-ccert.pem -- in.dcm out.dcm", 0, "", {"out.dcm": DONE}),
    Row("-c cert.pem in.dcm in.dcm", 0, "", {"in.dcm": DONE}),
    Row("-e -p pw in.dcm out.dcm", 0, SEEN, {"out.dcm": DONE}),
    Row("-V -p pw in.dcm out.dcm", 0, SEEN, {"out.dcm": DONE}),
    Row("-c cert.pem -p pw in.dcm out.dcm", 0, SEEN, {"out.dcm": DONE}),
    Row("-c cert.pem -c cert2.pem in.dcm out.dcm", 0, "", {"out.dcm": DONE}, "aborts: takes one certificate"),
    Row("--password-file password in.dcm out.dcm", 0, "", {"out.dcm": DONE}, NO_OPTION),
    Row("--password-file open in.dcm out.dcm", 0, "may get at this password", {"out.dcm": DONE}, NO_OPTION),
    Row("--password-file no in.dcm out.dcm", 1, "no: password cannot be read: No such file", {}, NO_OPTION),
    Row("--password-file empty in.dcm out.dcm", 1, "the password is empty", {}, NO_OPTION),
    Row("-p pw --password-file password in.dcm out.dcm", 1, "only one of", {}, NO_OPTION),
    Row("-c cert.pem --des3 in.dcm out.dcm", 0, "Triple-DES is weak", cipher("des3")),
    Row("-c cert.pem --des in.dcm out.dcm", 0, "note: --des means --des3", cipher("des3")),
    Row("-c cert.pem --aes128 in.dcm out.dcm", 0, "", cipher("aes128")),
    Row("-c cert.pem --aes192 in.dcm out.dcm", 0, "", cipher("aes192")),
    Row("-c cert.pem --aes256 in.dcm out.dcm", 0, "", cipher("aes256")),
    Row("-p pw --aes256 --aes192 in.dcm out.dcm", 0, SEEN, cipher("aes192")),
    Row("-c cert.pem --aes128 --aes256 --des3 in.dcm out.dcm", 0, "Triple-DES is weak", cipher("des3")),
    Row("--aes128 in.dcm out.dcm", 1, "--aes128 needs a certificate", {}),
    Row("--oaep in.dcm out.dcm", 1, "--oaep needs a certificate", {}),
    Row("-c cert.pem --oaep in.dcm out.dcm", 0, "", cipher("aes256"), NO_OPTION),
    Row("-c cert.pem --authenticated in.dcm out.dcm", 0, "", cipher("aes256-gcm"), NO_OPTION),
    Row("-c cert.pem --authenticated --des3 in.dcm out.dcm", 1, "cipher must be one of", {}, NO_OPTION),
    Row("-c cert.pem --crypto=openssl in.dcm out.dcm", 0, "", {"out.dcm": DONE}),
    Row("-c cert.pem --crypto openssl-p7 in.dcm out.dcm", 0, "note: --crypto .*cryptography", {"out.dcm": DONE}),
    Row("-c cert.pem --crypto capi in.dcm out.dcm", 0, "note: --crypto capi", {"out.dcm": DONE}, "has it on Windows"),
    Row("-c cert.pem --crypto rot13 in.dcm out.dcm", 1, "--crypto", {}),
    Row("-c no.pem in.dcm out.dcm", 1, "no.pem: .*No such file", {}),
    Row("-c key.pem in.dcm out.dcm", 1, "key.pem: holds a private key, not a certificate", {}),
    Row("-c text.dcm in.dcm out.dcm", 1, "text.dcm: ", {}),
    Row("-c weak.pem in.dcm out.dcm", 1, "weak.pem: .*--allow-weak", {}, WEAK),
    Row("-c weak.pem --allow-weak in.dcm out.dcm", 0, "warning: weak.pem: ", {"out.dcm": DONE}, NO_OPTION),
    Row("-c old.pem in.dcm out.dcm", 1, "old.pem: .*expired.*--allow-weak", {}, WEAK),
    Row("-c old.pem --allow-weak in.dcm out.dcm", 0, "warning: old.pem: ", {"out.dcm": DONE}, NO_OPTION),
    Row("-c ec.pem in.dcm out.dcm", 1, "ec.pem: .*RSA", {}, WEAK),
    Row("-c cert.pem --max-originals 1 in.dcm out.dcm", 0, "", {"out.dcm": DONE}, NO_OPTION),
    Row("-c cert.pem --max-originals 0 in.dcm out.dcm", 1, "--max-originals: a number from 1", {}, NO_OPTION),
    Row("--drop-large-originals in.dcm out.dcm", 1, "--drop-large-originals needs a certificate", {}),
    Row("-c cert.pem crypt.dcm out.dcm", 1, "crypt.dcm: .*--existing-encrypted", {}),
    Row("-c cert.pem --remove 10,10 in.dcm out.dcm", 1, "--remove is for --dumb only", {}, "ignores the edit"),
    Row("-c cert.pem --root-uid 1.2.3 in.dcm out.dcm", 0, "", {"out.dcm": DONE | {"StudyInstanceUID": "1.2.3.*"}}),
    Row("-c cert.pem --root-uid abc in.dcm out.dcm", 1, "UID root", {}),
    Row(f"-c cert.pem --root-uid 1.{'2' * 58} in.dcm out.dcm", 1, "too long", {}, "makes UIDs of three random digits"),
    Row("--secret-file secret in.dcm out.dcm", 0, "", {"out.dcm": KEYED}, NO_OPTION),
    Row("--dry-run in.dcm", 0, r"\(0010,0010\)\tPatientName\tZ\treplace", {}, NO_OPTION),
    Row("-c cert.pem text.dcm out.dcm", 1, "text.dcm: not a DICOM file", {}),
    Row("-c cert.pem cut.dcm out.dcm", 1, "cut.dcm: offset .*input ends inside", {}, "aborts"),
    Row("-c cert.pem in.dcm no/out.dcm", 1, "no/out.dcm: not written: No such file", {}, "aborts"),
    Row("-c cert.pem in.dcm dir", 1, "dir: not written: exists and is no regular file", {}, "aborts"),
]  # fmt: skip

MODIFIED = {"LongitudinalTemporalInformationModified": "MODIFIED", "PatientBirthDate": ""}
UNMODIFIED = {"LongitudinalTemporalInformationModified": "UNMODIFIED", "PatientBirthDate": ""}


def option(code: str, **more: str | None) -> Effect:
    """An output that claims an Option besides the Profile."""
    claimed: Content = {"DeidentificationMethodCodeSequence/1/CodeValue": code}
    return {"out.dcm": PLAIN | claimed | {name.lstrip("x"): value for name, value in more.items()}}


_OPTIONS = [
    Row("--retain-uids in.dcm out.dcm", 0, "", option("113110", StudyInstanceUID="2.999.5.5")),
    Row("--retain-device-identity in.dcm out.dcm", 0, "", option("113109")),
    Row("--retain-institution-identity in.dcm out.dcm", 0, "", option("113112")),
    Row("--retain-patient-characteristics in.dcm out.dcm", 0, "", option("113108")),
    Row("--retain-full-dates in.dcm out.dcm", 0, "", option("113106", **UNMODIFIED)),
    Row("--modify-dates in.dcm out.dcm", 0, "warning: --modify-dates without", option("113107", **MODIFIED)),
    Row("--modify-dates --patient-id empty --patient-name empty --secret-file secret in.dcm out.dcm", 0, "",
        option("113107", **MODIFIED)),
    Row("--clean-descriptors in.dcm out.dcm", 0, "", option("113105")),
    Row("--clean-structured-content in.dcm out.dcm", 0, "", option("113104")),
    Row("--clean-graphics in.dcm out.dcm", 0, "", option("113103")),
    Row("--retain-safe-private in.dcm out.dcm", 0, "", option("113111", x00090010=None)),
    Row("--retain-s --retain-u --clean-g in.dcm out.dcm", 0, "", {"out.dcm": {"StudyInstanceUID": "2.999.5.5"}}),
    Row("--retain-full-dates --modify-dates in.dcm out.dcm", 1, "exclude each other", {}),
    Row("--date-window 9 in.dcm out.dcm", 1, "--date-window needs --modify-dates", {}),
    Row("--keep-words ids.csv in.dcm out.dcm", 1, "need --clean-descriptors", {}),
    Row("--retain in.dcm out.dcm", 1, "ambiguous option: --retain could match --retain-uids", {}),
    Row("--patient-id ids.csv in.dcm out.dcm", 0, "", {"out.dcm": PLAIN | {"PatientID": "P-1"}}),
    Row("--patient-id others.csv in.dcm out.dcm", 1, r"\(0010,0020\): this Patient ID is not in the map", {}),
    Row("--patient-id empty --secret-file secret in.dcm out.dcm", 0, "",
        {"out.dcm": KEYED | {"PatientID": ""}}),
    Row("--patient-name ids.csv in.dcm out.dcm", 1, r"\(0010,0010\): this Patient's Name is not in the map", {}),
    Row("--trial ClinicalTrialSiteID=07 in.dcm out.dcm", 0, "", {"out.dcm": PLAIN | {"ClinicalTrialSiteID": "07"}}),
    Row("--trial PatientID=07 in.dcm out.dcm", 1, "--trial PatientID: is no Clinical Trial Attribute", {}),
    Row("--rules rules.toml in.dcm out.dcm", 0, "",
        {"out.dcm": DONE | {"EncryptedAttributesSequence": None, "00091001": "one"}}),
    Row("--rules rules.toml --verify in.dcm out.dcm", 0, "", {"out.dcm": DONE | {"00091001": "one"}}),
    Row("--rules rules.toml --dry-run in.dcm", 0, r"\(0010,0030\)\tPatientBirthDate\tX\t.*rules.toml:5: remove", {}),
    Row("--rules ids.csv in.dcm out.dcm", 1, "ids.csv:1: not TOML", {}),
    Row("--verify in.dcm out.dcm", 0, "", {"out.dcm": PLAIN}),
    Row("--verify -c cert.pem in.dcm out.dcm", 0, "", {"out.dcm": DONE}),
    Row("--refuse-risky in.dcm out.dcm", 0, "", {"out.dcm": PLAIN}),
    Row("--conformance", 0, "^# Conformance Statement", {}),
    Row("--conformance --clean-graphics", 0, "^- 113103 DCM Clean Graphics Option", {}),
    Row("--map text.dcm in.dcm out.dcm", 1, "text.dcm: exists and is no map", {}),
    Row("--map out.dcm in.dcm out.dcm", 1, "OUT and the map are the same", {}),
    Row("--map map.csv --resume in.dcm out.dcm", 1, "--resume and --map do not go together", {}),
    Row("-d -k key.pem --retain-uids crypt.dcm out.dcm", 1, "--retain-uids is for -e only", {}),
    Row("--dumb --remove 10,10 --clean-descriptors in.dcm out.dcm", 1, "--clean-descriptors is for -e only", {}),
]  # fmt: skip
OPTIONS = [row._replace(gdcmanon=NO_OPTION) for row in _OPTIONS]

REIDENTIFY = [
    Row("-d -k key.pem crypt.dcm out.dcm", 0, "", {"out.dcm": BACK}),
    Row("-d -k key.pem -i crypt.dcm -o out.dcm", 0, "", {"out.dcm": RETURNED}, EVERY_BYTE),
    Row("--re-identify --key=key.pem --input=crypt.dcm --output=out.dcm", 0, "", {"out.dcm": BACK}),
    Row("--re-id --key key.pem crypt.dcm out.dcm", 0, "", {"out.dcm": BACK}),
    Row("-dk key.pem crypt.dcm crypt.dcm", 0, "", {"crypt.dcm": BACK}),
    Row("-d -p pw crypt.dcm out.dcm", 0, SEEN, {"out.dcm": BACK}),
    Row("-d --password-file password crypt.dcm out.dcm", 0, "", {"out.dcm": BACK}, NO_OPTION),
    Row("-d -k key.pem -p pw crypt.dcm out.dcm", 0, SEEN, {"out.dcm": BACK}),
    Row("-d -k key.pem -p wrong crypt.dcm out.dcm", 0, SEEN, {"out.dcm": BACK}, "tries the password only"),
    Row("-d -k key.pem -c cert.pem --aes128 crypt.dcm out.dcm", 0, "note: -c is for -e", {"out.dcm": BACK}),
    Row("-d -k key2.pem crypt.dcm out.dcm", 1, "crypt.dcm: the Encrypted Attributes cannot be decrypted", {}),
    Row("-d -p wrong crypt.dcm out.dcm", 1, "crypt.dcm: the Encrypted Attributes cannot be decrypted", {}),
    Row("-d crypt.dcm out.dcm", 1, r"-d needs a private key \(-k\) or a password", {}),
    Row("-d -c cert.pem crypt.dcm out.dcm", 1, "-d needs a private key", {}),
    Row("-d -k cert.pem crypt.dcm out.dcm", 1, "cert.pem: holds a certificate, not a private key", {}),
    Row("-d -k no.pem crypt.dcm out.dcm", 1, "no.pem: .*No such file", {}),
    Row("-d -k key.pem in.dcm out.dcm", 1, "in.dcm: .*nothing to restore", {}),
    Row("-d -k key.pem text.dcm out.dcm", 1, "text.dcm: ", {}),
    Row("-d -k locked.pem --key-password-file password crypt.dcm out.dcm", 0, "", {"out.dcm": BACK}, NO_OPTION),
    Row("-d -k locked.pem --key-password-file secret crypt.dcm out.dcm", 1, "locked.pem: wrong", {}, NO_OPTION),
    Row("-d -k key.pem --dry-run crypt.dcm", 1, "--dry-run is for -e and --dumb only", {}, NO_OPTION),
    Row("-d -k key.pem --secret-file secret crypt.dcm out.dcm", 1, "--secret-file is for -e only", {}, NO_OPTION),
    Row("-d -k key.pem --root-uid 1.2 crypt.dcm out.dcm", 1, "--root-uid is for -e only", {}, ONLY_CHECKS),
    Row("-e -d -k key.pem crypt.dcm out.dcm", 1, "only one of -e, -d and --dumb", {}),
    Row("-d --dumb -k key.pem --remove 10,10 crypt.dcm out.dcm", 1, "only one of -e, -d and --dumb", {}),
    Row("-e --dumb --remove 10,10 in.dcm out.dcm", 1, "only one of -e, -d and --dumb", {}),
]  # fmt: skip

DUMB = [
    Row("--dumb in.dcm out.dcm", 1, "--dumb needs an edit", {}),
    Row("--dumb --remove 10,10 in.dcm out.dcm", 0, "", edited(PatientName=None, PatientID="4711", x00091001="one")),
    Row("--dumb --remove 0010,0010 in.dcm out.dcm", 0, "", edited(PatientName=None)),
    Row("--dumb --remove 0x10,0x10 in.dcm out.dcm", 0, "", edited(PatientName=None)),
    Row("--dumb --remove '(0010,0010)' in.dcm out.dcm", 0, "", edited(PatientName=None), "has no parentheses"),
    Row("--dumb --remove PatientName in.dcm out.dcm", 0, "", edited(PatientName=None), "has no keywords"),
    Row("--dumb --rem 10,10 in.dcm out.dcm", 0, "", edited(PatientName=None)),
    Row("--dumb --remove 10,4000 in.dcm out.dcm", 0, "", edited(PatientComments=None)),
    Row("--dumb --empty 10,10 in.dcm out.dcm", 0, "", edited(PatientName="")),
    Row("--dumb --empty 10,4000 in.dcm out.dcm", 0, "", edited(PatientComments="")),
    Row("--dumb --clear 10,10 in.dcm out.dcm", 0, "", edited(PatientName="")),
    Row("--dumb --clear 10,4000 in.dcm out.dcm", 0, "", edited(PatientComments=None)),
    Row("--dumb --replace 0010,0010,Jane_Doe in.dcm out.dcm", 0, "", edited(PatientName="Jane_Doe")),
    Row("--dumb --replace 10,10=Jane_Doe in.dcm out.dcm", 0, "", edited(PatientName="Jane_Doe")),
    Row("--dumb --replace=PatientName=J_D in.dcm out.dcm", 0, "", edited(PatientName="J_D"), "has no keywords"),
    Row("--dumb --replace '10,4000=a, b = c' in.dcm out.dcm", 0, "", edited(PatientComments="a, b = c")),
    Row("--dumb --replace 10,10= in.dcm out.dcm", 0, "", edited(PatientName="")),
    Row("--dumb --replace 10,10 in.dcm out.dcm", 0, "", edited(PatientName="")),
    Row("--dumb --replace 28,10=16 in.dcm out.dcm", 0, "", edited(Rows="16"), "replaces no binary Value"),
    Row("--dumb --replace 28,10=many in.dcm out.dcm", 1, r"\(0028,0010\) US: ", {}, WRITES),
    Row("--dumb --replace 10,30=yesterday in.dcm out.dcm", 1, r"\(0010,0030\) DA: a date YYYYMMDD", {}, "writes it"),
    Row("--dumb --replace 10,10=Müller in.dcm out.dcm", 1, r"\(0010,0010\) PN: ", {}, "writes it into ASCII"),
    Row("--dumb --replace 40,275=x in.dcm out.dcm", 1, r"\(0040,0275\) SQ: ", {}, WRITES),
    Row("--dumb --empty 40,275 in.dcm out.dcm", 0, "", edited(RequestAttributesSequence=""), "does it, and fails"),
    Row("--dumb --clear 40,275 in.dcm out.dcm", 0, "", edited(RequestAttributesSequence="")),
    Row("--dumb --remove 40,275 in.dcm out.dcm", 0, "", edited(RequestAttributesSequence=None)),
    Row("--dumb --remove 40,275[2]>40,9 in.dcm out.dcm", 0, "",
        {"out.dcm": {"RequestAttributesSequence/1/00400009": None, "RequestAttributesSequence/0/00400009": "S1"}},
        "edits the top level only"),
    Row("--dumb --replace 'RequestAttributesSequence > 40,9 = S9' in.dcm out.dcm", 1, "= or , and", {}, "has no paths"),
    Row("--dumb --replace 'RequestAttributesSequence > 40,9=S9' in.dcm out.dcm", 0, "",
        {"out.dcm": {"RequestAttributesSequence/1/00400009": "S9", "RequestAttributesSequence/0/00400009": "S9"}},
        "edits the top level only"),
    Row("--dumb --remove 9,1,ACME in.dcm out.dcm", 0, "", edited(x00091001=None, x00090010="ACME")),
    Row("--dumb --remove 9,1001,acme in.dcm out.dcm", 0, "", edited(x00091001=None)),
    Row("--dumb --remove 9,1,OTHER in.dcm out.dcm", 0, "", edited(x00091001="one")),
    Row("--dumb --remove 9,1001 in.dcm out.dcm", 0, "", edited(x00091001=None)),
    Row("--dumb --empty 9,1,ACME in.dcm out.dcm", 0, "", edited(x00091001="")),
    Row("--dumb --empty 9,2,ACME in.dcm out.dcm", 0, "", edited(x00091001="one", x00091002="")),
    Row("--dumb --clear 9,1,ACME in.dcm out.dcm", 0, "", edited(x00091001="")),
    Row("--dumb --replace 9,1,ACME=two in.dcm out.dcm", 0, "", edited(x00091001="two"), "fails, despite its help"),
    Row("--dumb --replace 9,1001=two in.dcm out.dcm", 0, "", edited(x00091001="two"), "replaces no private Value"),
    Row("--dumb --remove 10,ACME,10 in.dcm out.dcm", 1, "a tag such as 10,10", {}, "reads 10,AC and ignores the rest"),
    Row("--dumb --remove 10,10,ACME in.dcm out.dcm", 1, "nothing may follow the tag", {}, "ignores the rest"),
    Row("--dumb --remove 10,1002,10,20 in.dcm out.dcm", 1, "nothing may follow the tag", {}, "ignores the rest"),
    Row("--dumb --remove 10 in.dcm out.dcm", 1, "a tag such as 10,10", {}),
    Row("--dumb --remove NoSuchKeyword in.dcm out.dcm", 1, "no Attribute has this keyword", {}),
    Row("--dumb --remove 10,10 --replace 10,10=X in.dcm out.dcm", 0, "", edited(PatientName=None)),
    Row("--dumb --empty 10,20 --replace 10,20=X in.dcm out.dcm", 0, "", edited(PatientID="")),
    Row("--dumb --replace 2,16=ARCHIVE in.dcm out.dcm", 1, "File Meta Information cannot be edited", {},
        WRITES),
    Row("--dumb --remove 8,18 in.dcm out.dcm", 0, "", edited(SOPInstanceUID=None), "writes no file without it"),
    Row("--dumb --remove 10,10 -i in.dcm -o in.dcm", 0, "", {"in.dcm": {"PatientName": None}}),
    Row("-V --dumb -i in.dcm --replace 10,10='x' --replace 10,20='y' -o in.dcm", 0, "",
        {"in.dcm": {"PatientName": "x", "PatientID": "y"}}),
    Row("--dumb --remove 10,10 text.dcm out.dcm", 1, "text.dcm: not a DICOM file", {}),
    Row("--dumb --remove 10,10 -c cert.pem in.dcm out.dcm", 1, "--certificate is for -e and -d only", {}, "ignores -c"),
    Row("--dumb --remove 10,10 --aes128 in.dcm out.dcm", 1, "--aes128 is for -e and -d only", {}, "ignores it"),
    Row("--dumb --remove 10,10 --root-uid 1.2 in.dcm out.dcm", 1, "--root-uid is for -e only", {}, ONLY_CHECKS),
    Row("--dumb --dry-run --remove 10,10 in.dcm", 0, r"\(0010,0010\)\tPatientName\tX\tremove", {}, NO_OPTION),
]  # fmt: skip

TREE: Effect = {"out/a.dcm": DONE, "out/b.dcm": DONE}
NO_NAMES: Effect = {"out/a.dcm": {"PatientName": None}, "out/b.dcm": {"PatientName": None}}
BELOW: Effect = {"out/below/c.dcm": {"PatientName": None}}

FOLDERS = [
    Row("-e -c cert.pem dir out", 0, TOLD, TREE),
    Row("-c cert.pem -e -r --continue dir out", 0, TOLD, TREE | {"out/below/c.dcm": DONE}),
    Row("-rc cert.pem dir out", 0, TOLD, TREE | {"out/below/c.dcm": DONE}),
    Row("--dumb --remove 10,10 --remove 12,62 --remove 12,63 -r --continue dir out", 0, TOLD, NO_NAMES | BELOW),
    Row("--dumb -r --continue --remove 0010,0010 -i dir -o out", 0, TOLD, NO_NAMES | BELOW),
    Row("--dumb --remove 10,10 dir dir/out", 0, TOLD, {f"dir/{name}": content for name, content in NO_NAMES.items()}),
    Row("--dumb --remove 10,10 -r dir new/out", 0, TOLD,
        {f"new/{name}": content for name, content in (NO_NAMES | BELOW).items()}),
    Row("--dumb --remove 10,10 --jobs 2 -r dir out", 0, "3 done", NO_NAMES | BELOW, NO_OPTION),
    Row("--dumb --remove 10,10 --resume dir out", 0, "2 done, 0 refused, 0 failed, 0 already", NO_NAMES, NO_OPTION),
    Row("--resume dir dir/below", 0, "warning: --resume without --secret-file",
        {f"dir/below/{name}.dcm": PLAIN for name in "ab"}, NO_OPTION),
    Row("--dumb --remove 10,10 bad out", 1, "bad/b.dcm: not a DICOM file",
        {"out/a.dcm": {"PatientName": None}, "out/c.dcm": {"PatientName": None}}, "stops at the first file that fails"),
    Row("--dumb --remove 10,10 --continue bad out", 1, "2 done, 1 refused",
        {"out/a.dcm": {"PatientName": None}, "out/c.dcm": {"PatientName": None}}, "goes on, and the exit status is 0"),
    Row("--dumb --remove 10,10 dir dir", 1, "input and output folder must differ", {}),
    Row("--dumb --remove 10,10 dir dir/", 1, "input and output folder must differ", {}, "overwrites the input"),
    Row("--dumb --remove 10,10 dir dir/below/..", 1, "input and output folder must differ", {}, "overwrites the input"),
    Row("--dumb --remove 10,10 dir in.dcm", 1, "in.dcm: is no folder, but the input is one", {}),
    Row("--dumb --remove 10,10 --jobs 0 dir out", 1, "--jobs: a number from 1", {}, NO_OPTION),
    Row("--dry-run -r dir", 0, r"# dir/below/c.dcm: \d+ edits", {}, NO_OPTION),
]  # fmt: skip

USAGE = [
    Row("", 1, "IN and OUT expected", {}),
    Row("in.dcm", 1, "IN and OUT expected", {}),
    Row("-c cert.pem in.dcm out.dcm more", 1, "IN and OUT expected", {}),
    Row("-c cert.pem -i in.dcm out.dcm", 1, "either by position or by -i and -o", {}),
    Row("-c cert.pem -i in.dcm -i in.dcm -o out.dcm", 0, "", {"out.dcm": DONE}, "aborts"),
    Row("-c cert.pem no.dcm out.dcm", 1, "no.dcm: .*No such file", {}),
    Row("-c cert.pem --nonsense in.dcm out.dcm", 1, "unrecognized: --nonsense", {}, GOES_ON),
    Row("-c cert.pem --replaec=10,10=VEILME in.dcm out.dcm", 1, "unrecognized: --replaec", {}, GOES_ON),
    Row("-c cert.pem --re in.dcm out.dcm", 1, "ambiguous", {}, GOES_ON),
    Row("--dumb --rep=10,10=VEILME in.dcm out.dcm", 1, "ambiguous.*--report, --replace", {}, "has no --report"),
    Row("--dumb=VEILME in.dcm out.dcm", 1, "--dumb", {}),
    Row("in.dcm out.dcm -c", 1, "--certificate: expected one argument", {}),
    Row("-h", 0, "--de-identify", {}),
    Row("-v", 0, r"^dcmveil \d", {}),
    Row("-V -W -E -D -c cert.pem in.dcm out.dcm", 0, "Patient Identity Removed", {"out.dcm": DONE}),
    Row("--resources-path no -c cert.pem in.dcm out.dcm", 1, "no: ", {}),
    Row("--resources-path dir -c cert.pem in.dcm out.dcm", 0, "note: dir: has no tables", {"out.dcm": DONE}),
]  # fmt: skip

ROWS = [*DEIDENTIFY, *OPTIONS, *REIDENTIFY, *DUMB, *FOLDERS, *USAGE]

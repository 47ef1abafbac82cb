"""Tables with mistakes in them, for those that read tables: the generator at build time, the program at run time."""

from __future__ import annotations

from pathlib import Path

# Table, a text that stands in it once, what it becomes, and what is said of that.
MISTAKES = [
    ("dictionary.tsv", "0010,0020\tPatientID\tLO", "0010,0020\tPatientID\tLL", "unknown VR 'LL'"),
    ("dictionary.tsv", "0010,0020\tPatientID", "0010,002G\tPatientID", "not a tag"),
    ("dictionary.tsv", "0010,0020\tPatientID", "0010,0020\tPatient\0ID", "keyword 'Patient\\x00ID' holds other"),
    ("dictionary.tsv", "0010,0020\tPatientID", "0010,0020\tPatientÏD", "keyword 'Patient\\xcfD' holds other"),
    ("dictionary.tsv", "0010,0020\tPatientID", f"0010,0020\t{'P' * 65}", f"'{'P' * 40}'... has more than 64"),
    ("dictionary.tsv", "0010,0020\tPatientID\tLO\t1", "0010,0020\tPatientID\tLO\tone", "vm 'one' is not a Value"),
    ("dictionary.tsv", "0010,0021\tIssuer", "0010,0020\tIssuer", "already in line"),
    ("confidentiality.tsv", "PatientID\tLO\t1\tN\tY\tZ/D", "PatientID\tLO\t1\tN\tY\tZD", "basic 'ZD' is none of"),
    ("confidentiality.tsv", "PatientID\tLO\t1\tN\tY\tZ/D", "PatientID\tLO\t1\tN\tY\tC", "basic 'C' is none of"),
    ("confidentiality.tsv", "PatientID\tLO\t1\tN\tY\tZ/D", "PatientID\tLO\t1\tN\tY\t", "no action in column basic"),
    ("vr_gaps.tsv", "SOPClassesSupported\tUI\tstructural", "SOPClassesSupported\tUI\tother", "role 'other'"),
    ("uids.tsv", "1.2.840.10008.1.2.2\t", "1.2.840.10008.01.2.2\t", "is not a UID"),
    ("uids.tsv", "\tEVR BE\t", "\tEVR XE\t", "unknown flag 'XE'"),
    ("uids.tsv", "\tEVR BE\t", "\tIVR BE\t", "cannot be the encoding"),
    ("uids.tsv", "\tEVR BE\t", "\tEVR LE\t", "cannot be the encoding"),
    ("iod_sop.tsv", "1.2.840.10008.1.3.10\tbasic", "1.2.840.10008.1.3.10 \tbasic", "is not a UID"),
    ("iod_modules.tsv", "\nct-image\tC:", "\nct-image\tX:", "modules must be written"),
    ("module_types.tsv", "acquisition-context\t0040,0555\t2", "acquisition-context\t0040,0555\t4", "type '4'"),
    ("nested_types.tsv", "0008,1111\t0008,1155", "0008,11xx\t0008,1155", "must not hold wildcards"),
    ("dummy_items.tsv", "0034,0001\t0034,0002\tOB", "0034,0001\t0034,0009\tOB", "tag order"),
    ("dummy_items.tsv", "0034,0001\t0034,0002\tOB\t", "0034,0001\t0034,0002\tOB", "3 columns instead of 4"),
    ("dummy_items.tsv", "\tUS\t1\\0", "\tUS\t1\\65536", "numbers that US can hold"),
    ("dummy_items.tsv", "\tUS\t1\\0", "\tUS\tone", "numbers that US can hold"),
    ("dummy_items.tsv", "\tUS\t1\\0", "\tOW\t1", "vr 'OW' is none of"),
    ("dummy_items.tsv", "\tUS\t1\\0", "\tSQ\t1", "an SQ is empty"),
    ("codes.tsv", "113100\tDCM", "113101\tDCM", "already in line"),
    ("codes.tsv", "113100\tDCM", "113100\tSCT", "scheme 'SCT'"),
    ("safe_private.tsv", "ELSCINT1\t00E1\t21\tDS", "\t00E1\t21\tDS", "private_creator '' is empty"),
    ("safe_private.tsv", "ELSCINT1\t00E1\t21\tDS", "ELSCINT1 \t00E1\t21\tDS", "'ELSCINT1 ' is empty, or has"),
    ("safe_private.tsv", "ELSCINT1\t00E1\t21\tDS", "EL\\1\t00E1\t21\tDS", "has a backslash or a space at an end"),
    ("safe_private.tsv", "ELSCINT1\t00E1\t21\tDS", "ELSCÎNT1\t00E1\t21\tDS", "holds other characters"),
    ("safe_private.tsv", "ELSCINT1\t00E1\t21\tDS", f"{'E' * 65}\t00E1\t21\tDS", "has more than 64"),
    ("safe_private.tsv", "ELSCINT1\t00E1\t21\tDS", "ELSCINT1\t00E0\t21\tDS", "not one of private Attributes"),
    ("safe_private.tsv", "ELSCINT1\t00E1\t21\tDS", "ELSCINT1\t0007\t21\tDS", "not one of private Attributes"),
    ("safe_private.tsv", "ELSCINT1\t00E1\t21\tDS", "ELSCINT1\tFFFF\t21\tDS", "not one of private Attributes"),
    ("safe_private.tsv", "ELSCINT1\t00E1\t21\tDS", "ELSCINT1\t00e1\t21\tDS", "is not 4 hexadecimal digits"),
    ("safe_private.tsv", "ELSCINT1\t00E1\t21\tDS", "ELSCINT1\t00E1\txx21\tDS", "is not 2 hexadecimal digits"),
    ("safe_private.tsv", "ELSCINT1\t00E1\t21\tDS", "ELSCINT1\t00E1\t21\tDS ", "unknown VR 'DS '"),
    ("safe_private.tsv", "ELSCINT1\t00E1\t21\tDS", "ELSCINT1\t00E1\t21\tDS/", "unknown VR ''"),
    ("safe_private.tsv", "ELSCINT1\t00E1\t21\tDS", "ELSCINT1\t00E1\t50\tDS", "already in line"),
    ("structured_content.tsv", "\t109054\tDCM\t\tTEXT", "\t109054\tDCM\t\tWORD", "value_type 'WORD' is none of"),
    ("structured_content.tsv", "\t109054\tDCM\t\tTEXT", "\t109054\t\t\tTEXT", "scheme '' is empty"),
    ("structured_content.tsv", "\t109054\tDCM\t\tTEXT", "\t\tDCM\t\tTEXT", "code_value '' is empty"),
    ("structured_content.tsv", "\t109054\tDCM\t\tTEXT", "\t109054\tDCM\tT-1\tTEXT", "only a code of scheme SCT"),
    (
        "structured_content.tsv",
        "\t109054\tDCM\t\tTEXT\tN\tY\tX",
        "\t109054\tDCM\t\tTEXT\tN\tY\tC",
        "basic 'C' is none of",
    ),
    (
        "structured_content.tsv",
        "\t110180\tDCM\t\tUIDREF\tN\tY\tD\tK",
        "\t110180\tDCM\t\tUIDREF\tN\tY\tD\tU",
        "rtn_uids 'U'",
    ),
]


def spoil(folder: Path, name: str, old: str, new: str) -> int:
    """Replaces a text that stands once in a table; the number of the line where its first word is."""
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1 + old.startswith("\n")

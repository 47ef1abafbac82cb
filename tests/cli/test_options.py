"""Options, identity for research, rules: what each comes to on the command line, as pydicom and dcmdump see it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from dcmveil import _tables
from dcmveil.options import COLUMNS
from tests.cli.persons import ALL, FLAGS, MODIFIED, at, person, read, write_secret
from tests.cli.support import Said, invoke, one_line
from tests.data.identity import MARKERS
from tests.hostile.forms import FORMS, Form
from tests.reversible.support import bundled

Capture = pytest.CaptureFixture[str]
RULES = Path(__file__).parents[1] / "data" / "rules.toml"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("in.dcm").write_bytes(person())
    write_secret(Path("secret"))
    return tmp_path


def found(capfd: Capture, *options: str, says: str = "") -> dict[str, str | None]:
    """What is in the output at `PLACES`."""
    said = invoke(capfd, *options, "in.dcm", "out.dcm")
    assert said == (0, "", says)
    dataset = read(Path("out.dcm"))
    return {name: at(dataset, name) for name in PLACES}


# ---- one Option at a time ------------------------------------------------------------------------------------------

TEXT, NAME, UID = "ContentSequence/0/TextValue", "ContentSequence/1/PersonName", "ContentSequence/2/UID"
LABEL = "GraphicAnnotationSequence/0/TextObjectSequence/0/UnformattedTextValue"
# Of these the Basic Profile leaves what is here, but for UIDs.
BASIC = {
    "RetrieveAETitle": None, "StationName": None, "DeviceSerialNumber": None, "InstitutionName": None,
    "PatientAge": None, "Allergies": None, "StudyDate": "", "AcquisitionDate": None, "AcquisitionDateTime": None,
    "StudyTime": "", "PatientBirthDate": "", "StudyDescription": None, "0019100C": None, "00190010": None,
    "00091001": None, "00090010": None, TEXT: "REMOVED", NAME: None, UID: None, LABEL: "REMOVED",
    "LongitudinalTemporalInformationModified": "REMOVED",
}  # fmt: skip
PLACES = (*BASIC, "StudyInstanceUID")
KEPT_DATES = {
    "StudyDate": "20240115", "AcquisitionDate": "20240229", "AcquisitionDateTime": "20240115101500.5",
    "StudyTime": "101500", "LongitudinalTemporalInformationModified": "UNMODIFIED",
}  # fmt: skip
# 329 days back: what this secret makes of this Patient ID.
SHIFTED_DATES = {
    "StudyDate": "20230220", "AcquisitionDate": "20230406", "AcquisitionDateTime": "20230220101500.5",
    "StudyTime": "101500", "LongitudinalTemporalInformationModified": "MODIFIED",
}  # fmt: skip
NEW_STUDY, NEW_TRACK = "2.25.246982361112783710760812246618164750599", "2.25.275313134298732543150072274067458688805"
EFFECTS = {
    "": {},
    "--retain-uids": {"StudyInstanceUID": "2.999.1.1"},
    "--retain-device-identity": {
        "RetrieveAETitle": "QDVANW3XXFLX", "StationName": "VEILME_STATION", "DeviceSerialNumber": "VEILME_SERIAL",
    },
    "--retain-institution-identity": {"InstitutionName": "VEILME Infirmary"},
    "--retain-patient-characteristics": {"PatientAge": "076Y", "Allergies": "penicillin, says"},
    "--retain-full-dates": KEPT_DATES,
    "--modify-dates": SHIFTED_DATES,
    "--clean-descriptors": {"StudyDescription": "Thorax of, contrast", "Allergies": "penicillin, says"},
    "--clean-structured-content": {NAME: "REMOVED", UID: NEW_TRACK},
    "--clean-structured-content --clean-descriptors": {
        "StudyDescription": "Thorax of, contrast", "Allergies": "penicillin, says", TEXT: "lesion of", NAME: "REMOVED",
        UID: NEW_TRACK,
    },
    "--clean-structured-content --retain-uids": {
        "StudyInstanceUID": "2.999.1.1", NAME: "REMOVED", UID: "2.999.1.4",
    },
    "--clean-graphics": {},
    "--clean-graphics --clean-descriptors": {
        "StudyDescription": "Thorax of, contrast", "Allergies": "penicillin, says", LABEL: "arrow of",
    },
    "--retain-safe-private": {"0019100C": "800", "00190010": "SIEMENS MR HEADER"},
}  # fmt: skip


@pytest.mark.parametrize("options", EFFECTS)
def test_an_option_does_what_it_is_for(options: str, place: Path, capfd: Capture) -> None:
    """R45 to R66: this much is kept or cleaned, all else is as by the Basic Profile, and it says which Options."""
    flags = options.split()
    expected = {**BASIC, "StudyInstanceUID": NEW_STUDY, **EFFECTS[options]}
    assert found(capfd, "--secret-file", "secret", *flags) == expected
    dataset = read(Path("out.dcm"))
    chosen = {flag.removeprefix("--").replace("-", "_") for flag in flags}
    codes = [code for code, _meaning, column in _tables.codes() if COLUMNS.get(column, "") in chosen]
    assert [item.CodeValue for item in dataset.DeidentificationMethodCodeSequence] == ["113100", *codes]
    assert len(codes) == len(flags)
    assert ("BurnedInAnnotation" in dataset, "RecognizableVisualFeatures" in dataset) == (False, False)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_all_options_in_every_encoding(form: Form, place: Path, capfd: Capture) -> None:
    """The Values are the same, and dcmdump reads what was written."""
    Path("in.dcm").write_bytes(person(form=form))
    expected = dict(BASIC)
    for options, effect in EFFECTS.items():
        if set(options.split()) <= set(ALL):
            expected.update(effect)
    expected.update({"StudyInstanceUID": "2.999.1.1", UID: "2.999.1.4"})
    values = found(capfd, "--secret-file", "secret", *ALL)
    assert {name: value for name, value in values.items() if value != expected[name]} == {}
    if shutil.which("dcmdump"):
        read_by = subprocess.run(["dcmdump", "-q", "out.dcm"], capture_output=True, check=False)
        assert (read_by.returncode, read_by.stderr) == (0, b"")


def test_a_window_limits_the_shift(place: Path, capfd: Capture) -> None:
    """R52: from one day to so many back; the same for the same secret."""
    one_day = found(capfd, "--secret-file", "secret", "--modify-dates", "--date-window", "1")
    assert (one_day["StudyDate"], one_day["AcquisitionDate"]) == ("20240114", "20240228")
    no_secret = "dcmveil: warning: --modify-dates without --secret-file: keyed at random, for this run only\n"
    dates = {found(capfd, "--modify-dates", says=no_secret)["StudyDate"] for _ in range(5)}
    assert len(dates) > 1


def test_words_to_keep_and_to_drop(place: Path, capfd: Capture) -> None:
    """A word that names the patient is dropped though it is to be kept."""
    Path("keep").write_text("Mustermann\n", encoding="utf-8")
    Path("drop").write_text("contrast\nlesion\n", encoding="utf-8")
    words = ["--keep-words", "keep", "--drop-words", "drop"]
    assert found(capfd, "--clean-descriptors", *words)["StudyDescription"] == "Thorax of"
    texts = found(capfd, "--clean-descriptors", "--clean-structured-content", *words)
    assert texts[TEXT] == "of"


# ---- identity for research -----------------------------------------------------------------------------------------

IDENTIFIERS = {
    "--patient-id": ("PatientID", "VEILME-1"),
    "--patient-name": ("PatientName", "Mustermann^Jana1"),
    "--accession-number": ("AccessionNumber", "VEILME/A1"),
    "--study-id": ("StudyID", "VEILME/S1"),
}


def identifiers(capfd: Capture, *options: str) -> dict[str, str]:
    said = invoke(capfd, *options, "in.dcm", "out.dcm")
    assert (said.status, said.out) == (0, "")
    dataset = read(Path("out.dcm"))
    return {keyword: str(dataset[keyword].value or "") for keyword, _old in IDENTIFIERS.values()}


@pytest.mark.parametrize("secret", [[], ["--secret-file", "secret"]], ids=["no secret", "secret"])
@pytest.mark.parametrize("option", IDENTIFIERS)
def test_what_comes_in_place_of_an_identifier(option: str, secret: list[str], place: Path, capfd: Capture) -> None:
    """Keyed if there is a secret and nothing else is said; each of the four by itself."""
    keyword, old = IDENTIFIERS[option]
    Path("ids.csv").write_text(f"id_old,id_new\n{old},New 1\nVEILME-2,New 2\n", encoding="utf-8")
    default = identifiers(capfd, *secret)
    others = {name: value for name, value in default.items() if name != keyword}
    for how, expected in (("empty", ""), ("keyed", None), ("ids.csv", "New 1")):
        values = identifiers(capfd, *secret, option, how)
        value = values.pop(keyword)
        assert values == others
        assert value == expected if expected is not None else len(value) == 12
        if secret:
            assert (value == default[keyword]) is (how == "keyed")
    assert all(len(value) == 12 for value in default.values()) if secret else set(default.values()) == {""}


@pytest.mark.parametrize("option", IDENTIFIERS)
def test_who_is_not_in_the_list_is_refused(option: str, place: Path, capfd: Capture) -> None:
    """Not given a default: two patients would become one."""
    Path("ids.csv").write_text("id_old,id_new\nVEILME-9,New 9\n", encoding="utf-8")
    Path("out.dcm").write_bytes(b"as it was")
    said = invoke(capfd, option, "ids.csv", "--report", "report", "in.dcm", "out.dcm")
    one_line(said, "in.dcm", "is not in the map")
    assert Path("out.dcm").read_bytes() == b"as it was"
    line = json.loads(Path("report").read_text())
    assert (line["status"], line["reason"]) == ("refused", "not-in-map")
    assert "VEILME" not in Path("report").read_text()


def test_pseudonyms_without_a_secret_are_warned_of(place: Path, capfd: Capture) -> None:
    said = invoke(capfd, "--patient-id", "keyed", "--study-id", "keyed", "in.dcm", "out.dcm")
    assert said.err.splitlines() == [
        f"dcmveil: warning: --{name} keyed without --secret-file: keyed at random, for this run only"
        for name in ("patient-id", "study-id")
    ]


def test_attributes_of_a_trial_are_set_and_inserted(place: Path, capfd: Capture) -> None:
    """In the character set of the file; of two Values for one the later counts."""
    Path("in.dcm").write_bytes(person(x00120010=b"VEILME Pharma", x00120040=b"VEILME subject"))
    settings = {
        "ClinicalTrialSponsorName": "M\u00fcller = S\u00f6hne, Ltd", "ClinicalTrialProtocolID": "P-1",
        "ClinicalTrialSiteID": "", "ClinicalTrialSubjectID": "S1",
    }  # fmt: skip
    flags = [f"--trial={name}={value}" for name, value in settings.items()]
    assert invoke(capfd, "--trial", "ClinicalTrialSubjectID=S0", *flags, "in.dcm", "out.dcm") == (0, "", "")
    dataset = read(Path("out.dcm"))
    assert {name: at(dataset, name) for name in settings} == settings
    assert dataset.SpecificCharacterSet == "ISO_IR 100"
    assert b"VEILME" not in Path("out.dcm").read_bytes()


def test_a_trial_attribute_that_the_character_set_lacks_refuses_the_file(place: Path, capfd: Capture) -> None:
    said = invoke(capfd, "--trial", "ClinicalTrialSiteName=\u624b\u672c", "in.dcm", "out.dcm")
    one_line(said, "in.dcm", "(0012,0031)")
    assert not Path("out.dcm").exists()


# ---- rules ---------------------------------------------------------------------------------------------------------


def test_a_dry_run_tells_which_rule_decided(place: Path, sample_image: Path, capfd: Capture) -> None:
    """By file and line: that of the rule's head."""
    said = invoke(capfd, "--secret-file", "secret", "--rules", RULES, "--dry-run", sample_image)
    assert (said.status, said.err) == (0, "")
    reasons = {row.split("\t")[0]: row.split("\t")[-1] for row in said.out.splitlines()[2:]}
    lines = ["", *RULES.read_text(encoding="utf-8").splitlines()]
    expected = {"(0010,0020)": "PatientID", "(0010,0010)": "PatientName", "(0010,21F0)": "(0010,21F0)"}
    expected |= {"(0008,0050)": "AccessionNumber", "(0020,0010)": "AccessionNumber", "(0010,0030)": "PatientBirthDate"}
    expected |= {"(0008,1048)": '"PN"', "(0008,0022)": '["DA", "DT"]', "(0020,0052)": "FrameOfReferenceUID"}
    for path, selector in expected.items():
        where = reasons[path].split(":")
        assert where[0] == "rules.toml"
        assert lines[int(where[1])] == "[[rule]]"
        assert selector in lines[int(where[1]) + 1], path
    assert reasons["(0008,0080)"] == "Table E.1-1: X/Z/D"


def test_a_rule_that_keeps_what_the_profile_removes_is_named(place: Path, capfd: Capture) -> None:
    """In the report, with what it is in spite of. One that keeps what stays anyway is not said to be in spite of it."""
    keeping = "StationName StudyInstanceUID Rows".split()
    rules = "".join(f'[[rule]]\ntag = "{keyword}"\naction = "keep"\n' for keyword in keeping)
    Path("rules.toml").write_text(rules, encoding="utf-8")
    assert invoke(capfd, "--rules", "rules.toml", "--report", "report", "in.dcm", "out.dcm") == (0, "", "")
    counts = json.loads(Path("report").read_text())["counts"]
    kept = {row["reason"]: row["elements"] for row in counts if row["decision"] == "keep"}
    assert kept["rules.toml:1: keep, in spite of Table E.1-1: X/Z/D"] == 1
    assert kept["rules.toml:4: keep, in spite of Table E.1-1: U"] == 1
    assert kept["rules.toml:7: keep"] == 1
    dataset = read(Path("out.dcm"))
    assert (dataset.StationName, dataset.StudyInstanceUID) == ("VEILME_STATION", "2.999.1.1")


# ---- no Value anywhere ---------------------------------------------------------------------------------------------


def everything(capfd: Capture, *arguments: object) -> str:
    said: Said = invoke(capfd, *arguments)
    return said.out + said.err


@pytest.mark.parametrize("options", [ALL, MODIFIED, FLAGS[4:5]], ids=["all", "new UIDs", "full dates"])
def test_no_value_is_told(options: tuple[str, ...], place: Path, sample_image: Path, capfd: Capture) -> None:
    """By messages, report, dry run or Conformance Statement."""
    shutil.copy(sample_image, "sample.dcm")
    Path("broken.dcm").write_bytes(person()[:-5])
    Path("unlisted.csv").write_text("VEILME-9,VEILME-10\n", encoding="utf-8")
    trial = ["--trial", "ClinicalTrialSiteName=VEILME site"]
    told = ""
    for name in ("in.dcm", "sample.dcm", "broken.dcm", str(bundled("test-SR.dcm"))):
        common = ["--secret-file", "secret", *options, *trial, "--rules", RULES, "-D"]
        told += everything(capfd, *common, "--dry-run", name)
        for more in (["--verify"], ["--refuse-risky"], ["--accession-number", "unlisted.csv"]):
            told += everything(capfd, *common, *more, "--report", "report", "--map", "map.csv", name, "out.dcm")
            told += Path("report").read_text(encoding="utf-8")
    told += everything(capfd, "--conformance", *options, *trial)
    leaks = [
        marker
        for marker in ("VEILME", "Mustermann", "2.999", "20240115", *(one.decode() for one in MARKERS))
        if marker in told
    ]
    assert leaks == []

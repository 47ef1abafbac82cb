"""--verify, --refuse-risky, --report and --conformance: what is proved, and what is said of what cannot be."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tests.cli.persons import ALL, FLAGS, person, read, write_secret
from tests.cli.support import invoke, one_line
from tests.hostile.forms import DEFLATED, EXPLICIT, FORMS, Form
from tests.services.certificates import certificate, key_bytes, pem_of, rsa_key, write

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_secret(Path("secret"))
    return tmp_path


def report(name: str = "report") -> dict[str, Any]:
    (line,) = Path(name).read_text("ascii").splitlines()
    return dict(json.loads(line))


# ---- --verify ------------------------------------------------------------------------------------------------------


def indiscreet(form: Form = EXPLICIT) -> bytes:
    """The patient's name in a Code Meaning, which is kept."""
    code = form.element(0x00080100, "SH", "T-1") + form.element(0x00080104, "LO", "arm of Mustermann")
    elements = form.common() + form.sequence(0x00082218, form.item(code))
    return form.file(elements + form.element(0x00100010, "PN", "Mustermann^Erika"))


@pytest.mark.parametrize("reversible", [False, True], ids=["plain", "encrypted"])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_what_is_left_of_a_name_refuses_the_file(form: Form, reversible: bool, place: Path, capfd: Capture) -> None:
    """Both places are told and no Value, and the old output stays; cleaning makes it pass."""
    write(place / "cert.pem", pem_of(certificate(rsa_key())))
    options = ["-c", "cert.pem"] if reversible else []
    Path("in.dcm").write_bytes(indiscreet(form))
    assert invoke(capfd, *options, "in.dcm", "out.dcm") == (0, "", "")
    Path("out.dcm").write_bytes(b"as it was")
    said = invoke(capfd, *options, "--verify", "--report", "report", "in.dcm", "out.dcm")
    one_line(said, "in.dcm", "(0010,0010)", "(0008,2218)[1]>(0008,0104)")
    assert "ustermann" not in (said.err + Path("report").read_text()).casefold()
    assert (report()["status"], report()["reason"]) == ("refused", "not-clean")
    assert Path("out.dcm").read_bytes() == b"as it was"
    assert {path.name for path in place.iterdir()} == {"cert.pem", "in.dcm", "out.dcm", "report", "secret"}
    assert invoke(capfd, *options, "--verify", "--clean-descriptors", "in.dcm", "out.dcm") == (0, "", "")
    assert read(Path("out.dcm")).AnatomicRegionSequence[0].CodeMeaning == "arm of"
    if reversible:
        write(place / "key.pem", key_bytes(rsa_key()))
        assert invoke(capfd, "-d", "-k", "key.pem", "out.dcm", "back.dcm") == (0, "", "")
        assert Path("back.dcm").read_bytes() == indiscreet(form)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("options", [(), ALL, ("--retain-full-dates", "--clean-descriptors")], ids=len)
def test_what_is_clean_or_wanted_passes(options: tuple[str, ...], form: Form, place: Path, capfd: Capture) -> None:
    """What Options keep, shifted dates and pseudonyms may stand in the output."""
    Path("in.dcm").write_bytes(person(form=form))
    assert invoke(capfd, "--secret-file", "secret", *options, "--verify", "in.dcm", "out.dcm") == (0, "", "")
    plain = Path("out.dcm").read_bytes()
    assert invoke(capfd, "--secret-file", "secret", *options, "in.dcm", "out.dcm") == (0, "", "")
    assert Path("out.dcm").read_bytes() == plain


def test_a_rule_that_keeps_too_much_is_found_out(place: Path, capfd: Capture) -> None:
    """A comment that has the name in it, by order of a rule."""
    Path("in.dcm").write_bytes(person(x00104000=b"Mustermann called"))
    Path("rules.toml").write_text('[[rule]]\ntag = "PatientComments"\naction = "keep"\n', encoding="utf-8")
    said = invoke(capfd, "--rules", "rules.toml", "--verify", "in.dcm", "out.dcm")
    one_line(said, "(0010,0010)", "(0010,4000)")
    assert not Path("out.dcm").exists()


# ---- risks, problems, and the report -------------------------------------------------------------------------------

RISKY = {"x00280301": b"YES", "x7FE00010": b"VEILME00"}
RISK = "Burned In Annotation is YES: text stays in the pixels"


def test_risks_and_problems_are_told_from_v_on(place: Path, capfd: Capture) -> None:
    Path("in.dcm").write_bytes(person(**RISKY, x00080020=b"20240230", x00080022=b"VEILME"))
    options = ["--secret-file", "secret", "--modify-dates", "in.dcm", "out.dcm"]
    assert invoke(capfd, *options) == (0, "", "")
    for level in ("-V", "-W", "-D"):
        said = invoke(capfd, level, *options)
        lines = said.err.splitlines()
        assert f"dcmveil: in.dcm: risk: {RISK}" in lines
        problems = [line for line in lines if ": problem: " in line]
        assert len(problems) == 2
        assert all(line.endswith("impossible date or time") for line in problems)
        assert "VEILME" not in said.err


def test_a_report_tells_how_it_was_done_and_what_remains(place: Path, capfd: Capture) -> None:
    Path("in.dcm").write_bytes(person(**RISKY, x00080020=b"20240230", x00080022=b"VEILME"))
    said = invoke(capfd, "--secret-file", "secret", *ALL, "--report", "report", "in.dcm", "out.dcm")
    assert said == (0, "", "")
    line = report()
    assert line["options"] == sorted((flag[2:].replace("-", "_") for flag in ALL), key=line["options"].index)
    assert len(line["options"]) == len(ALL)
    assert (line["status"], line["edition"], line["notice"]) == ("ok", "2026d", None)
    assert sorted((problem["decision"], problem["elements"]) for problem in line["problems"]) == [
        ("remove", 1),
        ("replace", 1),
    ]
    assert line["risks"][0] == {"risk": "burned-in-annotation", "text": RISK}
    assert len(line["digest"]) == 32
    assert "VEILME" not in Path("report").read_text()


def test_the_digest_tells_policies_apart_and_not_files(place: Path, capfd: Capture) -> None:
    """Nor secrets, of which it must tell nothing."""
    write_secret(Path("other"), b"another secret of sixteen bytes")
    Path("rules.toml").write_text('[[rule]]\ntag = "StationName"\naction = "keep"\n', encoding="utf-8")

    def digest(*options: str, number: int = 1) -> str:
        Path("in.dcm").write_bytes(person(number))
        assert invoke(capfd, *options, "--report", "report", "in.dcm", "out.dcm") == (0, "", "")
        return str(report()["digest"])

    same = {digest("--secret-file", "secret"), digest("--secret-file", "other", number=2)}
    assert len(same) == 1
    changed = [digest("--secret-file", "secret", *more) for more in (["--rules", "rules.toml"], ["--retain-uids"])]
    assert len({*same, *changed}) == 3


def test_without_a_patient_id_that_is_said(place: Path, capfd: Capture) -> None:
    """R52: whose dates cannot be shifted alike in all studies."""
    Path("in.dcm").write_bytes(person(x00100020=b""))
    said = invoke(capfd, "--secret-file", "secret", "--modify-dates", "--report", "report", "-V", "in.dcm", "out.dcm")
    assert (said.status, said.out) == (0, "")
    assert "has no Patient ID" in said.err
    assert any("has no Patient ID" in text for text in report()["remarks"])


@pytest.mark.parametrize("options", [[], ["--report", "report"], ["-V"], ["--dry-run"], list(ALL)], ids=len)
def test_risky_files_are_refused_on_demand(options: list[str], place: Path, capfd: Capture) -> None:
    """The word for the risk is told, whether or not there is a report. Others pass."""
    Path("in").mkdir()
    Path("in", "a.dcm").write_bytes(person(1, x00280301=b"NO", x7FE00010=b"VEILME00", x00080008=b"ORIGINAL"))
    Path("in", "b.dcm").write_bytes(person(2, **RISKY))
    keep = [option for option in options if "graphics" not in option]  # graphics that are kept are a risk
    said = invoke(capfd, "--secret-file", "secret", *keep, "--refuse-risky", "in", "out")
    assert said.status == 1
    assert [line for line in said.err.splitlines() if "risk" in line and "a.dcm" not in line] == [
        "dcmveil: in/b.dcm: headers cannot settle: burned-in-annotation (--refuse-risky)"
    ]
    if "--dry-run" not in options:
        assert [path.name for path in Path("out").iterdir()] == ["a.dcm"]


# ---- --conformance -------------------------------------------------------------------------------------------------

SETS = [(), *((flag,) for flag in FLAGS), ALL, *combinations(("--retain-full-dates", *FLAGS[6:]), 4)]


@pytest.mark.parametrize("options", SETS, ids=" ".join)
def test_a_conformance_statement_needs_no_file(options: tuple[str, ...], place: Path, capfd: Capture) -> None:
    """R41: for the options given; the codes that files get are those it names."""
    said = invoke(capfd, "--conformance", *options)
    assert said.status == 0
    assert said.err == "" or "--modify-dates" in options
    Path("in.dcm").write_bytes(person(form=DEFLATED))
    invoke(capfd, *options, "in.dcm", "out.dcm")
    items = read(Path("out.dcm")).DeidentificationMethodCodeSequence
    head = said.out.split("Not applied:")[0].split("not supported")[0]
    assert [f"{item.CodeValue} DCM {item.CodeMeaning}" in head for item in items] == [True] * (len(options) + 1)
    assert head.count(" DCM ") == len(items)


def test_a_conformance_statement_has_the_settings(place: Path, capfd: Capture) -> None:
    """By their names; never a Value, nor what is in a file."""
    Path("ids.csv").write_text("VEILME1,VEILME2\n", encoding="utf-8")
    settings = ["--trial", "ClinicalTrialSiteID=VEILME", "--patient-id", "ids.csv", "--date-window", "99"]
    said = invoke(capfd, "--conformance", "--secret-file", "secret", "--modify-dates", *settings)
    assert (said.status, said.err) == (0, "")
    for part in ("ClinicalTrialSiteID", "99 days", "by a list of the site's own", "keyed", "113107"):
        assert part in said.out
    assert "VEILME" not in said.out
    assert invoke(capfd, "--conformance", "whatever", "is", "here") == invoke(capfd, "--conformance")

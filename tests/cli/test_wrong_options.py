"""Options that are wrong, do not go together, or name files that cannot be used: one line, and nothing is done."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dcmveil.arguments import IDENTIFIERS
from tests.cli.persons import FLAGS, person, write_secret
from tests.cli.support import invoke, one_line

Capture = pytest.CaptureFixture[str]

CSVS = {
    "columns.csv": (b"id_old,id_new\nVEILME1,VEILME2\nVEILME3\n", "columns.csv:3: two columns"),
    "quote.csv": (b'old,new\n"VEILME1,VEILME2\n', "quote.csv:2: is not CSV"),
    "twice.csv": (b"VEILME1,VEILME2\nVEILME1,VEILME3\n", "twice.csv:2: the old Value has another"),
    "nothing.csv": (b",VEILME2\n", "nothing.csv:1: the old Value is empty"),
    "long.csv": (b"VEILME1," + b"VEILME" * 20, "long.csv:1: the new Value has more than"),
    "control.csv": (b"VEILME1,VEILME\x07\n", "control.csv:1: the new Value holds a control"),
    "bytes.csv": (b"a,b\nVEILME1,VEILME\xff\xfe\n", "bytes.csv:2: is not UTF-8"),
}
RULES = {
    "keyword.toml": (b'[[rule]]\ntag = "PatientNam"\naction = "keep"\n', "keyword.toml:2: no Attribute"),
    "head.toml": (b'[[rule]\nvalue = "VEILME"', "head.toml:1: not TOML"),
    "action.toml": (b'[[rule]]\ntag = "PatientID"\naction = "VEILME"\n', "action.toml:3: the action must be one of"),
    "value.toml": (
        b'[[rule]]\ntag = "Rows"\naction = "replace"\nvalue = "VEILME"\n',
        "value.toml:4: not a Value of (0028,0010) US",
    ),
    "conflict.toml": (
        b'[[rule]]\ntag = "Rows"\naction = "keep"\n[[rule]]\ntag = "Rows"\naction = "remove"\n',
        "conflict.toml:4: at odds with conflict.toml:1",
    ),
    "bytes.toml": (b"# VEILME\n# \xff\n", "bytes.toml:2: is not UTF-8"),
    "none.toml": (b"# VEILME\n", "none.toml:1: no rules"),
}
WORDS = {"bytes.txt": (b"VEILME\n\xff\n", "bytes.txt")}
FILES = {**CSVS, **RULES, **WORDS}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with `in.dcm`, and a secret."""
    monkeypatch.chdir(tmp_path)
    Path("in.dcm").write_bytes(person())
    write_secret(Path("secret"))
    return tmp_path


def refused(capfd: Capture, *arguments: str, says: str) -> None:
    """One line says so, and nothing has become of it."""
    before = states()
    one_line(invoke(capfd, *arguments), says)
    assert states() == before


def states() -> dict[Path, tuple[int, ...]]:
    """All there is, and whether it has been written; when it was read does not matter."""
    found = {path: path.lstat() for path in Path().rglob("*")}
    return {path: (stat.st_ino, stat.st_mode, stat.st_size, stat.st_mtime_ns) for path, stat in found.items()}


# ---- what goes together --------------------------------------------------------------------------------------------


FOR_DEIDENTIFYING = [
    *([flag] for flag in FLAGS),
    *([f"--{name.replace('_', '-')}", "empty"] for name in IDENTIFIERS),
    ["--date-window", "9"],
    ["--keep-words", "words"],
    ["--drop-words", "words"],
    ["--trial", "ClinicalTrialSiteID=VEILME"],
    ["--map", "map.csv"],
    ["--rules", "rules.toml"],
    ["--verify"],
    ["--refuse-risky"],
    ["--conformance"],
]


@pytest.mark.parametrize("mode", [["-d", "-p", "pw"], ["--dumb", "--remove", "10,10"]], ids=["-d", "--dumb"])
@pytest.mark.parametrize("option", FOR_DEIDENTIFYING, ids=" ".join)
def test_what_a_profile_needs_is_for_e_only(option: list[str], mode: list[str], place: Path, capfd: Capture) -> None:
    refused(capfd, *mode, *option, "in.dcm", "out.dcm", says=f"{option[0]} is for -e only")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("--retain-full-dates --modify-dates", "exclude each other"),
        ("--conformance --retain-full-dates --modify-dates", "exclude each other"),
        ("--date-window 9", "--date-window needs --modify-dates"),
        ("--retain-full-dates --date-window 9", "--date-window needs --modify-dates"),
        ("--keep-words words", "need --clean-descriptors"),
        ("--retain-uids --drop-words words", "need --clean-descriptors"),
        ("--drop-words=", "need --clean-descriptors"),
        ("--map map.csv --resume", "--resume and --map do not go together"),
        ("--map map.csv --dry-run", "--dry-run and --map need --secret-file"),
        ("--verify --dry-run", "--dry-run and --verify do not go together"),
        ("--patient VEILME", "--patient-id, --patient-name"),
        ("--patient=VEILME", "--patient-id, --patient-name"),
        ("--retain", "ambiguous option: --retain could match --retain-uids"),
        ("--cle 10,10", "--clean-descriptors, --clean-structured-content, --clean-graphics, --clear"),
        ("--d", "--de-identify, --dumb, --dry-run, --date-window"),
        ("--retain-uids=VEILME", "--retain-uids"),
        ("--verify=VEILME", "--verify"),
    ],
)
def test_what_does_not_go_together(arguments: str, says: str, place: Path, capfd: Capture) -> None:
    refused(capfd, *arguments.split(), "in.dcm", "out.dcm", says=says)


@pytest.mark.parametrize("days", ["0", "-1", "36501", "1.5", "VEILME", "", "1e3", "\u0661", "9" * 5000])
def test_a_window_is_a_number_of_days(days: str, place: Path, capfd: Capture) -> None:
    refused(capfd, "--modify-dates", f"--date-window={days}", "in.dcm", "out.dcm", says="a number from 1 to 36500")


@pytest.mark.parametrize(
    "abbreviated",
    ["--cert c.pem", "--re-id", "--rem 10,10", "--emp 10,10", "--clear 10,10", "--rec", "--inp x", "--out x", "--sec x",
     "--root 1.2", "--exist keep", "--oaep", "--auth", "--max 1", "--cr openssl", "--jo 2", "--warn", "--err", "--verb",
     "--deb", "--hel", "--vers", "--dumb", "--dry", "--rep x", "--repl 10,10", "--resu", "--reso x", "--cont",
     "--allow-e", "--allow-w", "--drop-l", "--password-f x", "--key-p x", "--des3", "--aes1"],
)  # fmt: skip
def test_what_was_short_for_an_option_is_so_still_or_is_said_to_be_several(
    abbreviated: str, place: Path, capfd: Capture
) -> None:
    """None of these has come to mean another option."""
    said = invoke(capfd, *abbreviated.split())
    assert (said.status == 0) is (abbreviated in ("--hel", "--vers"))
    assert "unrecognized" not in said.err
    if "ambiguous" in said.err:
        assert abbreviated in ("--rep x", "--aes1")  # so they were before


# ---- files that cannot be used -------------------------------------------------------------------------------------


def options_for(name: str) -> list[str]:
    if name.endswith(".csv"):
        return ["--patient-id", name]
    return ["--rules", name] if name.endswith(".toml") else ["--clean-descriptors", "--keep-words", name]


@pytest.mark.parametrize("name", FILES)
def test_a_file_with_something_wrong_in_it(name: str, place: Path, capfd: Capture) -> None:
    """File and line are told, and nothing of what stands there."""
    content, says = FILES[name]
    Path(name).write_bytes(content)
    refused(capfd, *options_for(name), "in.dcm", "out.dcm", says=says)
    refused(capfd, "--conformance", *options_for(name), says=says)


@pytest.mark.parametrize("option", ["--patient-id", "--patient-name", "--accession-number", "--study-id", "--rules"])
@pytest.mark.parametrize("kind", ["missing", "", ".", "pipe", "/dev/zero"])
def test_a_file_that_is_none(kind: str, option: str, place: Path, capfd: Capture) -> None:
    """It is not waited for either, nor read without end."""
    os.mkfifo("pipe")
    refused(capfd, option, kind, "in.dcm", "out.dcm", says=f"{kind}: ")


@pytest.mark.parametrize("option", ["--keep-words", "--drop-words"])
@pytest.mark.parametrize("kind", ["missing", "", "."])
def test_words_that_cannot_be_read(kind: str, option: str, place: Path, capfd: Capture) -> None:
    refused(capfd, "--clean-descriptors", option, kind, "in.dcm", "out.dcm", says=f"{kind}: ")


@pytest.mark.parametrize("kind", ["pipe", "in.dcm", "link", "/dev/null", ".", "no/map"])
def test_a_map_that_would_be_no_file_of_its_own(kind: str, place: Path, capfd: Capture) -> None:
    """Nor is anything written over that is no map, not even through a link."""
    os.mkfifo("pipe")
    Path("link").symlink_to("new")
    refused(capfd, "--map", kind, "in.dcm", "out.dcm", says=f"{kind}: ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("--map x --report x in.dcm out.dcm", "the report and the map are the same"),
        ("--map ./out.dcm in.dcm out.dcm", "OUT and the map are the same"),
        ("--report sub/../out.dcm in.dcm out.dcm", "OUT and the report are the same"),
        ("--patient-id ids.csv --map ids.csv in.dcm out.dcm", "--patient-id and the map are the same"),
        ("--study-id ids.csv --map link.csv in.dcm out.dcm", "--study-id and the map are the same"),
        ("--patient-name ids.csv in.dcm ids.csv", "--patient-name and OUT are the same"),
        ("--study-id ids.csv --report ids.csv in.dcm out.dcm", "--study-id and the report are the same"),
        ("--rules rules.toml in.dcm rules.toml", "--rules and OUT are the same"),
        ("--rules rules.toml --report rules.toml in.dcm out.dcm", "--rules and the report are the same"),
        ("--clean-descriptors --drop-words words in.dcm words", "--drop-words and OUT are the same"),
        ("--secret-file secret in.dcm secret", "--secret-file and OUT are the same"),
        ("--secret-file secret --map secret in.dcm out.dcm", "--secret-file and the map are the same"),
        ("-c in.pem in.dcm in.pem", "--certificate and OUT are the same"),
        ("-d -k key.pem in.dcm key.pem", "--key and OUT are the same"),
        ("--map out/map.csv sub out", "the map must not lie in OUT"),
        ("--map out/b/map.csv -r sub ./out/", "the map must not lie in OUT"),
    ],
)  # fmt: skip
def test_files_that_must_not_be_the_same(arguments: str, says: str, place: Path, capfd: Capture) -> None:
    """What was written would be lost, or what was read; and the map would go to those who must not have it."""
    Path("sub").mkdir()
    Path("out").mkdir()
    Path("sub", "in.dcm").write_bytes(person())
    Path("ids.csv").write_bytes(b"id_old,id_new\nVEILME-1,P1\n")
    Path("link.csv").symlink_to("ids.csv")
    Path("rules.toml").write_bytes(b'[[rule]]\ntag = "Rows"\naction = "keep"\n')
    Path("words").write_bytes(b"contrast\n")
    refused(capfd, *arguments.split(), says=says)


def test_in_may_be_out_and_a_choice_is_no_file(place: Path, capfd: Capture) -> None:
    Path("empty").write_bytes(person())
    assert invoke(capfd, "--patient-id", "empty", "empty", "empty") == (0, "", "")
    assert b"VEILME-1" not in Path("empty").read_bytes()


# ---- --trial -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("PatientName=VEILME", "--trial PatientName: is no Clinical Trial Attribute"),
        ("PatientIdentityRemoved=VEILME", "--trial PatientIdentityRemoved: is no"),
        ("DeidentificationMethod=VEILME", "--trial DeidentificationMethod: is no"),
        ("ConsentForClinicalTrialUseSequence=VEILME", "--trial ConsentForClinicalTrialUseSequence: is no"),
        ("ClinicalTrialSponsorNam=VEILME", "--trial wants KEYWORD=VALUE"),
        ("ClinicalTrialSponsorName", "--trial wants KEYWORD=VALUE"),
        ("0012,0010=VEILME", "--trial wants KEYWORD=VALUE"),
        ("VEILME", "--trial wants KEYWORD=VALUE"),
        ("=VEILME", "--trial wants KEYWORD=VALUE"),
        ("", "--trial wants KEYWORD=VALUE"),
        ("VEILME=ClinicalTrialSponsorName", "--trial wants KEYWORD=VALUE"),
        ("ClinicalTrialSponsorName=" + "VEILME" * 20, "--trial ClinicalTrialSponsorName: (0012,0010) LO: up to 64"),
        ("ClinicalTrialSponsorName=VEILME\nVEILME", "--trial ClinicalTrialSponsorName: (0012,0010) LO: text without"),
        ("ClinicalTrialSponsorName=VEILME\udcff", "--trial ClinicalTrialSponsorName: (0012,0010) LO: the text is not"),
        ("ConsentForDistributionFlag=veilme?", "--trial ConsentForDistributionFlag: (0012,0085) CS"),
    ],
)
def test_a_trial_attribute_that_cannot_be_set(setting: str, says: str, place: Path, capfd: Capture) -> None:
    refused(capfd, "--trial", setting, "in.dcm", "out.dcm", says=says)
    refused(capfd, "--conformance", f"--trial={setting}", says=says)

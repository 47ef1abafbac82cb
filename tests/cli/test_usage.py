"""Command lines that are wrong, options and what they do, and the levels of messages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dcmveil
from tests.cli.support import BAD, MARK, image, invoke, one_line
from tests.hostile.forms import EXPLICIT

Capture = pytest.CaptureFixture[str]
SECRET = b"sixteen bytes or more"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.dcm"
    path.write_bytes(image())
    return path


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_bytes(SECRET)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "IN and OUT expected"),
        (["in"], "IN and OUT expected"),
        (["in", "out", "more"], "IN and OUT expected"),
        (["-e"], "IN and OUT expected"),
        (["--dry-run"], "IN and OUT expected"),
        (["-i", "in"], "IN and OUT expected"),
        (["-o", "out"], "IN and OUT expected"),
        (["--dry-run", "-o", "out"], "IN and OUT expected"),
        (["-i", "in", "out"], "either by position or by -i and -o"),
        (["-i", "in", "-o", "out", "more"], "either by position or by -i and -o"),
        (["--nonsense", "in", "out"], "--nonsense"),
        (["-x", "in", "out"], "-x"),
        (["in", "out", "--line\nbreak"], "break"),
        (["in", "out", "-i"], "expected one argument"),
        (["in", "out", "--existing-encrypted", "maybe"], "--existing-encrypted"),
        (["in", "out", "--existing-encrypted"], "--existing-encrypted"),
        (["in", "out", "--root-uid", "1.2.x"], "UID root"),
        (["in", "out", "--root-uid", "1.02"], "UID root"),
        (["in", "out", "--root-uid", "1.2."], "UID root"),
        (["in", "out", "--root-uid", "1.2\n3"], "UID root"),
        (["in", "out", "--root-uid", "1.2.840.10008.5"], "UID root"),
        (["in", "out", "--root-uid", "1." + "2" * 40], "too long"),
        (["in", "out", "--root-uid", "\u0661.2"], "UID root"),
        (["in", "out", "--secret-file", "missing"], "missing: secret cannot be read"),
        (["in", "out", "--secret-file", "."], ".: secret cannot be read"),
        (["in", "out", "--report", "missing/report"], "missing/report"),
        (["in", "out", "--report", "."], "report not written"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_nothing_is_done(
    arguments: list[str], says: str, source: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(source.parent)
    source.rename(source.with_name("in"))
    one_line(invoke(capfd, *arguments), says)
    assert [path.name for path in source.parent.iterdir()] == ["in"]


def test_help_names_every_option_and_version_the_standard(capfd: Capture) -> None:
    said = invoke(capfd, "-h")
    assert (said.status, said.err) == (0, "")
    options = "-e -i -o -r -V -W -E -D -h -v --dry-run --report --secret-file --root-uid --existing-encrypted"
    assert [option for option in [*options.split(), "--allow-embedded-overlays"] if option not in said.out] == []
    assert invoke(capfd, "--help", "whatever") == said
    said = invoke(capfd, "-v")
    assert said == (0, f"dcmveil {dcmveil.__version__} (PS3.15 2026d)\n", "")
    assert invoke(capfd, "--version", "-D") == said


ARRANGEMENTS = [
    ["{i}", "{o}"],
    ["-e", "{i}", "{o}"],
    ["-i", "{i}", "-o", "{o}"],
    ["--output", "{o}", "--input", "{i}"],
    ["{i}", "-E", "{o}"],
    ["{i}", "{o}", "-e", "-E"],
    ["-E", "{i}", "--root-uid", "2.999", "{o}"],
    ["--", "{i}", "{o}"],
    ["-E", "{i}", "--", "{o}"],
]


@pytest.mark.parametrize("arguments", ARRANGEMENTS, ids=" ".join)
def test_options_may_stand_anywhere(arguments: list[str], source: Path, capfd: Capture) -> None:
    target = source.with_name("out.dcm")
    said = invoke(capfd, *(part.format(i=source, o=target) for part in arguments))
    assert said == (0, "", "")
    assert MARK not in target.read_bytes()


@pytest.mark.parametrize("name", ["-in", "--", "-h", "with space", "n\nl", "\u00e4", "\udcff", "%s", "{0}"])
def test_any_file_name_will_do(name: str, source: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows `--` is no option; a bad file's name is one line whatever it is made of."""
    monkeypatch.chdir(source.parent)
    source.rename(name)
    assert invoke(capfd, "--", name, name + "out").status == 0
    assert Path(name + "out").exists()
    Path(name).write_bytes(BAD)
    one_line(invoke(capfd, "--", name, name + "out"), "not a DICOM file")
    one_line(invoke(capfd, f"--input=missing{name}", f"--output={name}out"), "No such file")


# ---- what options do -------------------------------------------------------------------------------------------


def study_uid(path: Path) -> bytes:
    """The Value of Study Instance UID in an Explicit VR Little Endian output."""
    data = path.read_bytes()
    at = data.index(b"\x20\0\x0d\0UI") + 6
    return data[at + 2 : at + 2 + data[at]].rstrip(b"\0")


def mapped(capfd: Capture, source: Path, *options: object) -> bytes:
    target = source.with_name("mapped.dcm")
    said = invoke(capfd, *options, source, target)
    assert said == (0, "", "")
    return study_uid(target)


def test_the_secret_decides_the_uids(source: Path, secret: Path, capfd: Capture) -> None:
    """R8, R14: the same in each run with one secret, others without."""
    once = mapped(capfd, source, "--secret-file", secret)
    assert once == mapped(capfd, source, "--secret-file", secret)
    assert once.startswith(b"2.25.")
    assert mapped(capfd, source) != mapped(capfd, source)
    for line_end in (b"\n", b"\r\n"):
        secret.write_bytes(SECRET + line_end)
        assert mapped(capfd, source, "--secret-file", secret) == once
    secret.write_bytes(SECRET + b" ")
    assert mapped(capfd, source, "--secret-file", secret) != once


@pytest.mark.parametrize("content", [b"", b"VEILME0001", b"fifteen bytes..\n", b"\n" * 40])
def test_a_short_secret_is_refused(content: bytes, source: Path, secret: Path, capfd: Capture) -> None:
    secret.write_bytes(content)
    one_line(invoke(capfd, "--secret-file", secret, source, source.with_name("out")), "at least 16 bytes")
    assert not source.with_name("out").exists()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o602, 0o666])
def test_a_secret_that_others_can_read_is_warned_of(mode: int, source: Path, secret: Path, capfd: Capture) -> None:
    secret.chmod(mode)
    said = invoke(capfd, "--secret-file", secret, source, source.with_name("out"))
    assert said.status == 0
    assert said.err == f"dcmveil: warning: {secret}: others than its owner may get at this secret (mode {mode:04o})\n"


def test_the_root_of_new_uids(source: Path, secret: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """As gdcmanon has it: by option, or from the environment, which counts for less."""
    assert mapped(capfd, source, "--root-uid", "2.999.1").startswith(b"2.999.1.")
    monkeypatch.setenv("GDCM_ROOT_UID", "2.999.2")
    assert mapped(capfd, source).startswith(b"2.999.2.")
    assert mapped(capfd, source, "--root-uid", "2.999.1").startswith(b"2.999.1.")
    monkeypatch.setenv("GDCM_ROOT_UID", "")
    assert mapped(capfd, source).startswith(b"2.25.")
    monkeypatch.setenv("GDCM_ROOT_UID", "2.999.x")
    one_line(invoke(capfd, source, source.with_name("out")), "UID root")


def test_what_to_do_with_encrypted_attributes(source: Path, capfd: Capture) -> None:
    """R37: refused unless told otherwise."""
    item = EXPLICIT.item(EXPLICIT.element(0x04000520, "OB", b"cipher"))
    source.write_bytes(image(EXPLICIT, EXPLICIT.sequence(0x04000500, item)))
    target = source.with_name("out")
    one_line(invoke(capfd, source, target), source, "--existing-encrypted")
    for choice, stays in (("remove", False), ("keep", True)):
        assert invoke(capfd, "--existing-encrypted", choice, source, target) == (0, "", "")
        assert (b"cipher" in target.read_bytes()) is stays


def test_embedded_overlays(source: Path, capfd: Capture) -> None:
    """R22: overlay bits in Pixel Data are refused unless allowed."""
    source.write_bytes(image(EXPLICIT, EXPLICIT.element(0x60000102, "US", b"\x0c\0")))
    target = source.with_name("out")
    one_line(invoke(capfd, source, target), source, "--allow-embedded-overlays")
    assert not target.exists()
    assert invoke(capfd, "--allow-embedded-overlays", source, target) == (0, "", "")


ODD = EXPLICIT.element(0x0008FFFE, "LO", MARK)  # in no dictionary: the one thing here that is worth a warning


@pytest.mark.parametrize(
    ("options", "warns", "debugs"),
    [
        ([], False, False),
        (["-E"], False, False),
        (["-W"], True, False),
        (["-V"], True, False),
        (["-D"], True, True),
        (["-D", "-E"], False, False),
        (["-E", "-D"], True, True),
        (["--debug", "--warning"], True, False),
    ],
)
def test_levels_of_messages(options: list[str], warns: bool, debugs: bool, source: Path, capfd: Capture) -> None:
    """The last one given counts. No level has a Value."""
    source.write_bytes(image(EXPLICIT, ODD))
    said = invoke(capfd, *options, source, source.with_name("out"))
    assert (said.status, said.out) == (0, "")
    assert ("1 x remove: not in the dictionary" in said.err) is warns
    assert ("R16: Patient Identity Removed" in said.err) is debugs
    assert all(re.fullmatch(rf"dcmveil: {source}: \d+ x \w+: .*", line) for line in said.err.splitlines())
    assert "VEILME" not in said.err

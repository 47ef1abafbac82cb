"""Every command line of the table, run by us and, where the table says that it does the same, by gdcmanon."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import warnings
from pathlib import Path

import pydicom
import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from dcmveil import cli
from tests.cli.support import BAD
from tests.cli.table import RETURNED, ROWS, Effect, Row
from tests.hostile.forms import EXPLICIT
from tests.services.certificates import certificate, ec_key, key_bytes, pem_of, rsa_key, write

# Object identifiers of content-encryption algorithms, in DER. No password's key is wrapped with another one.
_CIPHERS = {
    "des3": "06082a864886f70d0307",
    "aes128": "0609608648016503040102",
    "aes192": "0609608648016503040116",
    "aes256": "060960864801650304012a",
    "aes256-gcm": "060960864801650304012e",
}
TEXTS = {
    "ids.csv": "id_old,id_new\n4711,P-1\n",
    "others.csv": "old,new\n4712,P-2\n",
    "rules.toml": """\
[[rule]]
private = { creator = "ACME", group = "0009" }
action = "keep"

[[rule]]
tag = "PatientBirthDate"
action = "remove"
""",
}


def jane() -> bytes:
    """An object that gdcmanon takes as well."""
    requests = [EXPLICIT.item(EXPLICIT.element(0x00400009, "SH", text)) for text in ("S1", "S2")]
    elements = [
        EXPLICIT.common(),
        EXPLICIT.element(0x00090010, "LO", "ACME"),
        EXPLICIT.element(0x00091001, "LO", "one"),
        EXPLICIT.element(0x00100010, "PN", "Doe^Jane"),
        EXPLICIT.element(0x00100020, "LO", "4711"),
        EXPLICIT.element(0x00100030, "DA", "19480317"),
        EXPLICIT.element(0x0020000D, "UI", "2.999.5.5"),
        EXPLICIT.element(0x00280010, "US", b"\x08\0"),
        EXPLICIT.sequence(0x00400275, *requests),
    ]
    return EXPLICIT.file(b"".join(elements))


@pytest.fixture(scope="session")
def materials(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that each command line finds."""
    folder = tmp_path_factory.mktemp("materials")
    for name in ("in.dcm", "dir/a.dcm", "dir/b.dcm", "dir/.dot", "dir/below/c.dcm", "bad/a.dcm", "bad/c.dcm"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(jane())
    (folder / "cut.dcm").write_bytes(jane()[:200])
    for name in ("text.dcm", "bad/b.dcm"):
        (folder / name).write_bytes(BAD)
    for name, data in {"password": b"pw\n", "empty": b"\n", "secret": b"sixteen bytes or more"}.items():
        write(folder / name, data)
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    write(folder / "open", b"pw", 0o644)
    _write_keys(folder)
    arguments = ["-c", f"{folder}/cert.pem", "-p", "pw", f"{folder}/in.dcm", f"{folder}/crypt.dcm"]
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GDCM_RESOURCES_PATH", raising=False)
        assert cli.run(arguments) == 0
    return folder


def _write_keys(folder: Path) -> None:
    for name, key in {"": rsa_key(), "2": rsa_key(1)}.items():
        write(folder / f"key{name}.pem", key_bytes(key))
        write(folder / f"cert{name}.pem", pem_of(certificate(key)))
    write(folder / "locked.pem", key_bytes(rsa_key(), passphrase=b"pw"))
    write(folder / "weak.pem", pem_of(certificate(rsa_key(0, 1024))))
    write(folder / "old.pem", pem_of(certificate(rsa_key(), days=(-20, -10))))
    write(folder / "ec.pem", pem_of(certificate(ec_key(), usage=None)))


@pytest.fixture
def place(materials: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which is the current folder."""
    folder = tmp_path / "here"
    shutil.copytree(materials, folder)
    monkeypatch.chdir(folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def changes(before: dict[str, bytes], after: dict[str, bytes]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def check_effect(effect: Effect, before: dict[str, bytes], folder: Path) -> None:
    """These files and no others are new or have changed, and this is in them."""
    assert changes(before, contents(folder)) == effect.keys()
    for name, content in effect.items():
        if content == RETURNED:
            assert (folder / name).read_bytes() == before["in.dcm"]
            continue
        assert isinstance(content, dict)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(folder / name)
            found = {path: value_at(dataset, path) for path in content}
        assert {path: value if same(content[path], value) else content[path] for path, value in found.items()} == found


def same(expected: str | None, found: str | None) -> bool:
    if expected is not None and expected.endswith("*"):
        return found is not None and found.startswith(expected[:-1])
    return found == expected


def value_at(dataset: Dataset, path: str) -> str | None:
    """The Value as text, None for an Attribute that is absent. `path` is NAME or SEQUENCE/ITEM/NAME."""
    if path == "cipher":
        blob = bytes(dataset.EncryptedAttributesSequence[0].EncryptedContent)
        return next(name for name, identifier in _CIPHERS.items() if bytes.fromhex(identifier) in blob)
    *way, name = path.split("/")
    if way:
        dataset = dataset[way[0]].value[int(way[1])]
    tag = int(name, 16) if name.isdecimal() else tag_for_keyword(name)
    if tag not in dataset:
        return None
    value = dataset[tag].value
    if isinstance(value, bytes):
        return value.rstrip(b" \0").decode()
    return str(value) if value else ""


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.arguments)
def test_a_command_line(row: Row, place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = contents(place)
    status = cli.run(shlex.split(row.arguments))
    out, err = capfd.readouterr()
    assert (status, out + err) == (row.status, out + err)
    assert re.search(row.says, out + err, re.MULTILINE) if row.says else out + err == ""
    assert "VEILME" not in out + err
    check_effect(row.effect, before, place)


ALIKE = [row for row in ROWS if not row.gdcmanon] if shutil.which("gdcmanon") else []


@pytest.mark.parametrize("row", ALIKE, ids=lambda row: row.arguments)
def test_gdcmanon_does_the_same(row: Row, place: Path) -> None:
    """As the table says; its messages are its own, and what it leaves where it fails does not count."""
    before = contents(place)
    command = ["gdcmanon", *shlex.split(row.arguments)]
    done = subprocess.run(command, check=False, capture_output=True, stdin=subprocess.DEVNULL, timeout=20)
    assert (done.returncode, done.stdout + done.stderr) == (row.status, done.stdout + done.stderr)
    check_effect(row.effect, before, place)


def test_the_table_is_long_enough() -> None:
    """And has each command line once."""
    assert len({row.arguments for row in ROWS}) == len(ROWS) >= 80

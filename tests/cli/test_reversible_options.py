"""With all Options the originals go along as well: -d gives back every byte, and gdcmanon opens what was encrypted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.persons import ALL, MODIFIED, person, write_secret
from tests.cli.support import invoke
from tests.hostile.forms import FORMS
from tests.reversible.compare import (
    LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED,
    METHOD_CODE_SEQUENCE,
    differences,
    elements,
)
from tests.reversible.support import bundled, run, tools
from tests.services.certificates import certificate, key_bytes, pem_of, rsa_key, write

Capture = pytest.CaptureFixture[str]

REAL = (
    "CT_small.dcm", "ExplVR_BigEnd.dcm", "JPEG-lossy.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm",
    "UN_sequence.dcm", "chrH32.dcm", "image_dfl.dcm", "liver_1frame.dcm", "nested_priv_SQ.dcm", "reportsi.dcm",
    "rtplan.dcm", "test-SR.dcm",
)  # fmt: skip
# What gdcmanon takes: it needs to know the SOP Class.
FOR_GDCMANON = (*(f"{form.name}.dcm" for form in FORMS), "CT_small.dcm", "MR_small_implicit.dcm", "test-SR.dcm")
RULES = """
[[rule]]
private = { creator = "ACME", group = "0009" }
action = "keep"

[[rule]]
tag = "StationName"
action = "hash"

[[rule]]
path = "ContentSequence[1] > TextValue"
action = "replace"
value = "as the rule says"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`in`, keys, a secret, rules."""
    folder = tmp_path_factory.mktemp("reversible")
    source = folder / "in"
    source.mkdir()
    for form in FORMS:
        more = {"x00120040": b"VEILME", "x00080020": b"20240230", "x7FE00010": bytes(5000)}
        (source / f"{form.name}.dcm").write_bytes(person(1, form, **more))
    for name in REAL:
        shutil.copy(bundled(name), source / name)
    write(folder / "cert.pem", pem_of(certificate(rsa_key())))
    write(folder / "key.pem", key_bytes(rsa_key()))
    write_secret(folder / "secret")
    (folder / "rules.toml").write_text(RULES, encoding="utf-8")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("rules", [[], ["--rules", "rules.toml"]], ids=["", "rules"])
@pytest.mark.parametrize("options", [ALL, MODIFIED, ("--retain-full-dates", *ALL[-2:])], ids=len)
def test_every_byte_comes_back(
    options: tuple[str, ...], rules: list[str], jobs: int, folder: Path, tmp_path: Path, capfd: Capture
) -> None:
    """R31: whatever Options, rules, pseudonyms and settings have made of it."""
    named = [str(folder / part) if part.endswith(".toml") else part for part in rules]
    common = ["--secret-file", folder / "secret", *options, *named, "--trial", "ClinicalTrialSponsorName=Sponsor"]
    there, back = tmp_path / "there", tmp_path / "back"
    said = invoke(capfd, "-e", "-c", folder / "cert.pem", "--jobs", jobs, *common, folder / "in", there)
    assert said.status == 0, said
    assert contents(there).keys() == contents(folder / "in").keys()
    said = invoke(capfd, "-d", "-k", folder / "key.pem", "--jobs", jobs, there, back)
    assert said == (0, "", "")
    originals, restored = contents(folder / "in"), contents(back)
    assert [name for name in originals if originals[name] != restored.get(name)] == []
    assert not [name for name, data in contents(there).items() if b"VEILME/S1" in data]


@pytest.mark.parametrize("options", [ALL, MODIFIED], ids=["all", "new UIDs"])
@pytest.mark.parametrize("gdcmanon", tools("gdcmanon"))
def test_gdcmanon_opens_it_too(
    gdcmanon: str, options: tuple[str, ...], folder: Path, tmp_path: Path, capfd: Capture
) -> None:
    """Element by element, with SOP Instance UIDs that were kept as well."""
    common = ["--secret-file", folder / "secret", *options, "-c", folder / "cert.pem"]
    for name in FOR_GDCMANON:
        original, there, back = folder / "in" / name, tmp_path / "there", tmp_path / "back"
        assert invoke(capfd, *common, original, there).status == 0
        run(gdcmanon, "-d", "-k", folder / "key.pem", there, back)
        ours = (METHOD_CODE_SEQUENCE, LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED)
        assert differences(elements(original), elements(back), added=ours) == [], name

"""gdcmanon and GDCM restore what we de-identified, and we what they did: every original element, as pydicom reads it.

Whole folders at a time, since gdcmanon takes long to start. It stops at the first file that it does not take: one
without SOP Instance UID, of a SOP Class that it does not know, or that says that it is de-identified.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from pydicom import dcmread

from dcmveil import cms
from dcmveil.cms import CIPHERS, Opener
from tests.reversible.compare import (
    LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED,
    METHOD_CODE_SEQUENCE,
    differences,
    elements,
    original,
)
from tests.reversible.support import (
    PASSWORD,
    WHO,
    bundled,
    deidentify,
    digest,
    envelope,
    opener,
    reidentify,
    run,
    tools,
)
from tests.services.certificates import rsa_key

KINDS = {
    "explicit": "CT_small.dcm MR_small.dcm MR_small_padded.dcm SC_rgb_small_odd.dcm badVR.dcm chrFren.dcm chrH32.dcm "
    "ExplVR_LitEndNoMeta.dcm liver_1frame.dcm reportsi.dcm test-SR.dcm",
    "implicit": "MR_small_implicit.dcm rtdose_1frame.dcm rtplan.dcm rtstruct.dcm",
    "big endian": "ExplVR_BigEnd.dcm MR_small_bigendian.dcm SC_rgb_small_odd_big_endian.dcm rtdose_expb_1frame.dcm",
    "deflated": "image_dfl.dcm",
    "encapsulated": "JPEG-lossy.dcm JPEG2000.dcm JPEGLSNearLossless_08.dcm JPGExtended.dcm MR_small_RLE.dcm "
    "MR_small_jp2klossless.dcm MR_small_jpeg_ls_lossless.dcm SC_rgb_dcmtk_+eb+cr.dcm SC_rgb_gdcm_KY.dcm "
    "SC_rgb_jpeg_gdcm.dcm SC_rgb_rle_16bit_2frame.dcm SC_rgb_small_odd_jpeg.dcm rtdose_rle_1frame.dcm",
}
SYNTAXES = {
    "1.2.840.10008.1.2": "implicit",
    "1.2.840.10008.1.2.1": "explicit",
    "1.2.840.10008.1.2.2": "big endian",
    "1.2.840.10008.1.2.1.99": "deflated",
}
BY_ENCODING = {
    (True, True): "1.2.840.10008.1.2",
    (False, True): "1.2.840.10008.1.2.1",
    (False, False): "1.2.840.10008.1.2.2",
}
FILES = [bundled(name) for names in KINDS.values() for name in names.split()]
FEW = [bundled(names.split()[0]) for names in KINDS.values()]
GDCMANON = tools("gdcmanon")
GDCM = ["python-gdcm"] if find_spec("gdcm") else []
# What gdcmanon -d leaves of what we added: of the markers it takes away those that gdcmanon -e makes.
OUR_MARKERS = (METHOD_CODE_SEQUENCE, LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The originals, as links: all in one folder."""
    folder = tmp_path_factory.mktemp("originals")
    for path in FILES:
        (folder / path.name).symlink_to(path)
    return folder


@pytest.fixture
def _few_iterations(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password costs gdcmanon as much for each file as us for all of them."""
    monkeypatch.setattr(cms, "ITERATIONS", 2048)


_SEEN: set[tuple[str, str]] = set()


def assert_restored(path: Path, restored: Path, added: tuple[str, ...] = ()) -> None:
    """By pydicom, unless the same bytes have been compared already: who can decrypt makes no difference to them."""
    seen = path.name, digest(restored)
    if seen not in _SEEN:
        assert differences(original(path), elements(restored), added=added) == [], path.name
        assert meta(restored) == meta(path), path.name
        _SEEN.add(seen)


def meta(path: Path) -> tuple[object, ...]:
    """What a file's File Meta Information says about its Data Set; of a file without, what it would have to say."""
    dataset = dcmread(path, force=True, stop_before_pixels=True)
    syntax = dataset.file_meta.get("TransferSyntaxUID", BY_ENCODING[dataset.original_encoding])
    return dataset.SOPClassUID, dataset.SOPInstanceUID, syntax


def secrets(who: str, *, reading: bool, keys: Path) -> list[str | Path]:
    """Options of gdcmanon."""
    key = ["-k", keys / "key.pem"] if reading else ["-c", keys / "cert.pem"]
    return (key if who != "password" else []) + (["-p", PASSWORD.decode()] if who != "certificate" else [])


def readers(who: str) -> Iterator[str]:
    """Who can read what was made for `who`: either recipient alone."""
    yield from WHO[:2] if who == "both" else (who,)


def test_there_are_enough_files_of_each_kind(tmp_path: Path) -> None:
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for path in FILES:
        report = deidentify(path, tmp_path / "output.dcm")
        found[SYNTAXES.get(report.transfer_syntax, "encapsulated")].append(path.name)
    assert found == {kind: names.split() for kind, names in KINDS.items()}
    assert len(FILES) >= 25


def test_the_comparison_sees_what_is_missing(tmp_path: Path) -> None:
    for path in FILES:
        deidentify(path, tmp_path / "output.dcm")
        assert differences(original(path), elements(tmp_path / "output.dcm"), added=["("]) != []


@pytest.mark.usefixtures("_few_iterations")
@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("gdcmanon", GDCMANON)
def test_gdcmanon_restores_ours(gdcmanon: str, cipher: str, who: str, keys: Path, tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    ours.mkdir()
    sealing = envelope(who, cipher=cipher)
    for path in FILES:
        deidentify(path, ours / path.name, sealing)
    for reader in readers(who):
        back = tmp_path / reader
        run(gdcmanon, "-d", *secrets(reader, reading=True, keys=keys), "-i", ours, "-o", back)
        assert len(list(back.iterdir())) == len(FILES)
        for path in FILES:
            assert_restored(path, back / path.name, added=OUR_MARKERS)


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("gdcmanon", GDCMANON)
def test_we_restore_what_gdcmanon_made(
    gdcmanon: str, cipher: str, who: str, folder: Path, keys: Path, tmp_path: Path
) -> None:
    theirs, back = tmp_path / "theirs", tmp_path / "back.dcm"
    run(gdcmanon, "-e", f"--{cipher}", *secrets(who, reading=False, keys=keys), "-i", folder, "-o", theirs)
    assert len(list(theirs.iterdir())) == len(FILES)
    for reader in readers(who):
        opening = opener(reader)
        for path in FILES:
            assert reidentify(theirs / path.name, back, opening).notice is None
            assert_restored(path, back)


@pytest.mark.parametrize("options", [{"authenticated": True}, {"oaep": True}], ids=["authenticated", "oaep"])
@pytest.mark.parametrize("gdcmanon", GDCMANON)
def test_gdcmanon_reads_what_it_does_not_write(
    gdcmanon: str, options: dict[str, bool], keys: Path, tmp_path: Path
) -> None:
    path, ours, back = FILES[0], tmp_path / "ours.dcm", tmp_path / "back.dcm"
    deidentify(path, ours, envelope(**options))
    run(gdcmanon, "-d", "-k", keys / "key.pem", ours, back)
    assert_restored(path, back, added=OUR_MARKERS)


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("gdcmanon", GDCMANON)
def test_gdcmanon_reads_a_password_as_we_write_it(gdcmanon: str, cipher: str, tmp_path: Path) -> None:
    path, ours, back = FILES[0], tmp_path / "ours.dcm", tmp_path / "back.dcm"
    deidentify(path, ours, envelope("password", cipher=cipher))
    run(gdcmanon, "-d", "-p", PASSWORD.decode(), ours, back)
    assert_restored(path, back, added=OUR_MARKERS)


@pytest.mark.parametrize("gdcmanon", GDCMANON)
def test_what_gdcmanon_made_can_be_deidentified_and_restored_in_turn(gdcmanon: str, keys: Path, tmp_path: Path) -> None:
    theirs, ours, back, first = (tmp_path / name for name in ("theirs.dcm", "ours.dcm", "back.dcm", "first.dcm"))
    for path in FEW:
        run(gdcmanon, "-e", "-c", keys / "other.pem", path, theirs)
        deidentify(theirs, ours, existing_encrypted="remove")
        assert reidentify(ours, back).notice is None
        assert digest(back) == digest(theirs)
        reidentify(back, first, Opener(rsa_key(1)))
        assert_restored(path, first)


# (0008,0018) of these is one of the Standard's, or empty: nothing to replace.
@pytest.mark.parametrize("kind", ["well-known", "empty"])
@pytest.mark.parametrize("gdcmanon", GDCMANON)
def test_gdcmanon_restores_an_object_whose_sop_instance_uid_was_kept(
    gdcmanon: str, kind: str, keys: Path, tmp_path: Path
) -> None:
    path, ours, back = tmp_path / "original.dcm", tmp_path / "ours.dcm", tmp_path / "back.dcm"
    dataset = dcmread(bundled("MR_small.dcm"))
    dataset.SOPInstanceUID = "1.2.840.10008.1.5.1" if kind == "well-known" else ""
    dataset.save_as(path)
    deidentify(path, ours)
    run(gdcmanon, "-d", "-k", keys / "key.pem", ours, back)
    assert differences(elements(path), elements(back), added=OUR_MARKERS) == []


# ---- GDCM, as Python sees it -----------------------------------------------------------------------------------

# Apart: what GDCM does not like can end the process. Arguments: e or d, certificate, key; then cipher, input, output
# for each file.
GDCM_SCRIPT = """
import sys
import gdcm
gdcm.Global.GetInstance().LoadResourcesFiles()
mode, certificate, key, *rest = sys.argv[1:]
for cipher, source, target in zip(rest[::3], rest[1::3], rest[2::3]):
    reader = gdcm.Reader()
    reader.SetFileName(source)
    assert reader.Read(), source
    cms = gdcm.CryptoFactory.GetFactoryInstance().CreateCMSProvider()
    cms.SetCipherType(getattr(gdcm.CryptographicMessageSyntax, cipher))
    assert cms.ParseCertificateFile(certificate) if mode == "e" else cms.ParseKeyFile(key)
    anonymizer = gdcm.Anonymizer()
    anonymizer.SetFile(reader.GetFile())
    anonymizer.SetCryptographicMessageSyntax(cms)
    assert anonymizer.BasicApplicationLevelConfidentialityProfile(mode == "e"), source
    writer = gdcm.Writer()
    writer.SetFileName(target)
    writer.SetFile(anonymizer.GetFile())
    assert writer.Write(), target
"""
GDCM_CIPHERS = {"des3": "DES3_CIPHER", "aes128": "AES128_CIPHER", "aes192": "AES192_CIPHER", "aes256": "AES256_CIPHER"}


def gdcm(mode: str, keys: Path, jobs: list[tuple[str, Path, Path]]) -> None:
    """Run GDCM over (cipher, input, output)."""
    arguments = [part for cipher, source, target in jobs for part in (GDCM_CIPHERS[cipher], source, target)]
    run(sys.executable, "-c", GDCM_SCRIPT, mode, keys / "cert.pem", keys / "key.pem", *arguments)


@pytest.mark.parametrize("wheel", GDCM)
def test_the_gdcm_wheel_restores_ours(wheel: str, keys: Path, tmp_path: Path) -> None:
    jobs = []
    for cipher in CIPHERS:
        for path in FEW:
            jobs.append((cipher, tmp_path / f"{cipher} {path.name}", tmp_path / f"{cipher} {path.name} back"))
            deidentify(path, jobs[-1][1], envelope(cipher=cipher))
    gdcm("d", keys, jobs)
    for (_cipher, _ours, back), path in zip(jobs, FEW * len(CIPHERS), strict=True):
        assert_restored(path, back, added=OUR_MARKERS)


@pytest.mark.parametrize("wheel", GDCM)
def test_we_restore_what_the_gdcm_wheel_made(wheel: str, keys: Path, tmp_path: Path) -> None:
    jobs = [(cipher, path, tmp_path / f"{cipher} {path.name}") for cipher in CIPHERS for path in FEW]
    gdcm("e", keys, jobs)
    for _cipher, path, theirs in jobs:
        reidentify(theirs, tmp_path / "back.dcm")
        assert_restored(path, tmp_path / "back.dcm")


# ---- openssl ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("openssl", tools("openssl"))
def test_openssl_decrypts_the_encrypted_content(
    openssl: str, cipher: str, who: str, keys: Path, tmp_path: Path
) -> None:
    ours, blob = tmp_path / "ours.dcm", tmp_path / "blob"
    deidentify(FILES[0], ours, envelope(who, cipher=cipher))
    item = dcmread(ours).EncryptedAttributesSequence[0]
    assert item.EncryptedContentTransferSyntaxUID == "1.2.840.10008.1.2.1"
    blob.write_bytes(item.EncryptedContent)
    for reader in readers(who):
        secret = ["-pwri_password", PASSWORD.decode()] if reader == "password" else ["-inkey", keys / "key.pem"]
        plaintext = run(openssl, "cms", "-decrypt", "-binary", "-inform", "DER", "-in", blob, *secret)
        assert plaintext.startswith(bytes.fromhex("0004 5005") + b"SQ")
        assert len(plaintext) % 4096 == 0

"""Encrypted messages: ours read by ours, and by openssl and gdcmanon; theirs read by ours; damaged ones by nobody."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.asn1 import TLV, Null, decode_der, encode_der
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.data import get_testdata_file

from dcmveil import cms, cms_algorithms
from dcmveil.cms import CIPHERS, Envelope, Opener
from dcmveil.cms_structures import MAX_BYTES, KeyTransRecipientInfo, PasswordRecipientInfo, read_message
from dcmveil.errors import DecryptionError
from tests.services.certificates import certificate, ec_key, key_bytes, pem_of, rsa_key, write

PASSWORD = b"s3cret"
PLAINTEXT = bytes(range(256)) * 9 + b"odd"
MESSAGE = "the Encrypted Attributes cannot be decrypted: wrong key or password, or damaged"
WHO = ("certificate", "password", "both")

OPENSSL = [tool for tool in ("openssl",) if shutil.which(tool)]
GDCMANON = [tool for tool in ("gdcmanon",) if shutil.which(tool)]

CERTIFICATE = certificate(rsa_key())
OTHER_CERTIFICATE = certificate(rsa_key(1), name="somebody else")


@pytest.fixture
def _few_iterations(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of something else than how many there are."""
    monkeypatch.setattr(cms, "ITERATIONS", 10)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """cert.pem and key.pem, other.pem and other-key.pem, and the plaintext."""
    folder = tmp_path_factory.mktemp("cms")
    write(folder / "cert.pem", pem_of(CERTIFICATE))
    write(folder / "key.pem", key_bytes(rsa_key()))
    write(folder / "other.pem", pem_of(OTHER_CERTIFICATE))
    write(folder / "other-key.pem", key_bytes(rsa_key(1)))
    write(folder / "ec.pem", pem_of(certificate(ec_key(), usage="key_agreement")))
    write(folder / "plain", PLAINTEXT)
    return folder


def envelope(who: str = "certificate", **options: Any) -> Envelope:
    certificates = [] if who == "password" else [CERTIFICATE]
    return Envelope(certificates, None if who == "certificate" else PASSWORD, **options)


def openers(who: str) -> Iterator[Opener]:
    if who != "password":
        yield Opener(rsa_key())
    if who != "certificate":
        yield Opener(password=PASSWORD)


def run(folder: Path, *command: str | Path) -> bytes:
    done = subprocess.run([*map(str, command)], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def fails(opener: Opener, blob: bytes) -> None:
    with pytest.raises(DecryptionError) as caught:
        opener.open(blob)
    assert str(caught.value) == MESSAGE
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


# ---- ours by ours ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_few_iterations")
@pytest.mark.parametrize("oaep", [False, True], ids=["v1.5", "oaep"])
@pytest.mark.parametrize("authenticated", [False, True], ids=["cbc", "gcm"])
@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("cipher", CIPHERS)
def test_what_is_sealed_can_be_opened(cipher: str, who: str, authenticated: bool, oaep: bool) -> None:
    if authenticated and cipher == "des3":
        with pytest.raises(ValueError, match="cipher"):
            envelope(who, cipher=cipher, authenticated=True)
        return
    sealed = envelope(who, cipher=cipher, authenticated=authenticated, oaep=oaep).seal(PLAINTEXT)
    for opener in openers(who):
        assert opener.open(sealed) == PLAINTEXT


@given(st.integers(0, 70_000), st.sampled_from(CIPHERS), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_any_length_comes_back(size: int, cipher: str, padding: int) -> None:
    plaintext = random.Random(size).randbytes(size)
    sealed = envelope(cipher=cipher).seal(plaintext)
    assert Opener(rsa_key()).open(sealed + b"\0" * padding) == plaintext


@given(st.binary(max_size=100))
@settings(max_examples=20, deadline=None)
def test_a_message_of_zero_bytes_only_after_its_end_is_not_cut(tail: bytes) -> None:
    sealed = envelope(authenticated=True).seal(tail)
    assert Opener(rsa_key()).open(sealed + b"\0\0") == tail


@pytest.mark.usefixtures("_few_iterations")
def test_the_layout_is_that_of_gdcmanon() -> None:
    message = read_message(envelope("both").seal(b""))
    kinds = [type(recipient) for recipient in message.recipients]
    assert kinds == [KeyTransRecipientInfo, PasswordRecipientInfo]  # 30 before A3: a SET in the order of DER
    name = message.recipients[0].recipient.parse(_name_type())
    assert encode_der(name.issuer) == CERTIFICATE.issuer.public_bytes()
    assert name.serial.parse(int) == CERTIFICATE.serial_number
    assert versions(envelope("both")) == (3, 0, 0)
    assert versions(envelope()) == (0, 0)


def _name_type() -> Any:
    from dcmveil.cms_structures import _IssuerAndSerialNumber

    return _IssuerAndSerialNumber


def versions(sealing: Envelope) -> tuple[int, ...]:
    sealed = sealing.seal(b"")
    recipients = read_message(sealed).recipients
    start = sealed.index(bytes.fromhex("020100" if len(recipients) == 1 else "020103"))
    return sealed[start + 2], *(recipient.version for recipient in recipients)


def test_keys_and_vectors_are_new_each_time_and_the_salt_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    derive = cms_algorithms.KeyDerivation.derive
    monkeypatch.setattr(cms, "ITERATIONS", 10)
    monkeypatch.setattr(cms_algorithms.KeyDerivation, "derive", lambda *args: calls.append(args) or derive(*args))
    sealing = envelope("both")
    assert len(calls) == 1
    sealed: list[bytes] = []
    threads = [threading.Thread(target=lambda: sealed.append(sealing.seal(PLAINTEXT))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    messages = [read_message(blob) for blob in sealed]
    assert len({message.content.encrypted for message in messages}) == 4
    assert len({encode_der(message.recipients[1].key_derivation[1]) for message in messages}) == 1
    assert len({message.recipients[1].encrypted_key for message in messages}) == 4
    opener = Opener(password=PASSWORD)
    assert {opener.open(blob) for blob in sealed} == {PLAINTEXT}
    assert len(calls) == 2


def test_without_any_recipient_there_is_no_envelope() -> None:
    for arguments in ((), ((), b""), ([CERTIFICATE], b"")):
        with pytest.raises(ValueError, match=r"needed|empty"):
            Envelope(*arguments)
    with pytest.raises(ValueError, match="needed"):
        Opener()
    with pytest.raises(ValueError, match="cipher"):
        envelope(cipher="des")
    with pytest.raises(ValueError, match="RSA"):
        Envelope([certificate(ec_key())])


def test_nothing_secret_is_shown() -> None:
    for shown in (repr(envelope("both")), repr(Opener(rsa_key(), PASSWORD))):
        assert shown in {"Envelope(...)", "Opener(...)"}


@pytest.mark.usefixtures("_few_iterations")
def test_each_of_several_recipients_can_open() -> None:
    sealed = Envelope([OTHER_CERTIFICATE, CERTIFICATE, OTHER_CERTIFICATE], PASSWORD).seal(PLAINTEXT)
    for opener in (Opener(rsa_key()), Opener(rsa_key(1)), Opener(password=PASSWORD), Opener(rsa_key(2), PASSWORD)):
        assert opener.open(sealed, accept=PLAINTEXT.__eq__) == PLAINTEXT


def test_what_is_not_accepted_is_not_opened() -> None:
    with pytest.raises(DecryptionError):
        Opener(rsa_key()).open(envelope().seal(PLAINTEXT), accept=lambda _plaintext: False)


# ---- openssl ---------------------------------------------------------------------------------------------------


def all_options(cipher: str, who: str) -> list[dict[str, bool]]:
    """What else an Envelope can be told, where it makes a difference."""
    oaep = [] if who == "password" else [{"oaep": True}]
    return [{}, *oaep, *([] if cipher == "des3" else [{"authenticated": True}])]


def of_real_cost_only_once(cipher: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The iterations of PBKDF2 are what a password takes time for: all 600,000 with the default cipher only."""
    if cipher != "aes256":
        monkeypatch.setattr(cms, "ITERATIONS", 1000)


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("tool", OPENSSL)
def test_openssl_opens_ours(tool: str, cipher: str, who: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of_real_cost_only_once(cipher, monkeypatch)
    for number, options in enumerate(all_options(cipher, who)):
        write(folder / "ours", envelope(who, cipher=cipher, **options).seal(PLAINTEXT))
        decrypt = (tool, "cms", "-decrypt", "-inform", "DER", "-in", "ours")
        if who != "password":
            assert run(folder, *decrypt, "-inkey", "key.pem") == PLAINTEXT, number
        if who != "certificate":
            assert run(folder, *decrypt, "-pwri_password", PASSWORD.decode()) == PLAINTEXT, number


FORMS: dict[str, str] = {
    "plain": "cert.pem",
    "stream": "-stream cert.pem",
    "keyid": "-keyid cert.pem",
    "several": "other.pem cert.pem other.pem",
    "EC beside": "-recip ec.pem -recip cert.pem",
    "KEK beside": "-secretkey 000102030405060708090a0b0c0d0e0f -secretkeyid 01 -recip cert.pem",
    "stream of several": "-stream -keyid other.pem cert.pem",
    "oaep": "-recip cert.pem -keyopt rsa_padding_mode:oaep",
    "oaep sha256": "-recip cert.pem -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256",
    "oaep sha512 sha1": "-recip cert.pem -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha512 "
    "-keyopt rsa_mgf1_md:sha1",
    "oaep label": "-recip cert.pem -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_label:0102",
    "password": "-pwri_password s3cret",
    "password and certificate": "-stream -pwri_password s3cret -recip cert.pem",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("tool", OPENSSL)
def test_messages_of_openssl_are_opened(tool: str, form: str, folder: Path) -> None:
    for cipher in ("des3", "aes128", "aes192", "aes256", "aes-128-gcm", "aes-256-gcm"):
        if "password" in form and "gcm" in cipher:
            continue  # openssl wraps the key with the content cipher, which GCM is not made for
        options = FORMS[form].split()
        sealed = run(folder, tool, *f"cms -encrypt -binary -in plain -outform DER -{cipher}".split(), *options)
        if "pwri" not in FORMS[form] or "cert" in FORMS[form]:
            assert Opener(rsa_key()).open(sealed + b"\0", accept=PLAINTEXT.__eq__) == PLAINTEXT
        if "pwri" in FORMS[form]:
            assert Opener(password=PASSWORD).open(sealed + b"\0\0") == PLAINTEXT
        fails(Opener(rsa_key(2), b"another"), sealed)


# ---- gdcmanon --------------------------------------------------------------------------------------------------


def gdcmanon(folder: Path, *arguments: str | Path) -> None:
    run(folder, "gdcmanon", *arguments)


def encrypted_content(path: Path) -> Any:
    return dcmread(path)[0x04000500].value[0][0x04000520]


@pytest.fixture(scope="module")
def image() -> Path:
    return Path(str(get_testdata_file("CT_small.dcm")))


def options_of(who: str, certificate_option: tuple[str, str]) -> list[str]:
    options = [] if who == "password" else list(certificate_option)
    return options if who == "certificate" else [*options, "-p", PASSWORD.decode()]


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("tool", GDCMANON)
def test_gdcmanon_and_we_open_each_other(
    tool: str, cipher: str, who: str, folder: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_real_cost_only_once(cipher, monkeypatch)
    theirs, ours, back = folder / "theirs.dcm", folder / "ours.dcm", folder / "back.dcm"
    gdcmanon(folder, f"--{cipher}", *options_of(who, ("-c", "cert.pem")), "-e", image, theirs)
    for opener in openers(who):
        plaintext = opener.open(encrypted_content(theirs).value)
        assert plaintext.startswith(b"\x00\x04\x50\x05SQ")
    for options in all_options(cipher, who):
        sealed = envelope(who, cipher=cipher, **options).seal(plaintext)
        dataset = dcmread(theirs)
        dataset[0x04000500].value[0][0x04000520].value = sealed + b"\0" * (len(sealed) % 2)
        dataset.save_as(ours)
        for decrypting in WHO[:2] if who == "both" else (who,):
            gdcmanon(folder, *options_of(decrypting, ("-k", "key.pem")), "-d", ours, back)
            assert dcmread(back).PatientName == dcmread(image).PatientName
            assert dcmread(back).SOPInstanceUID == dcmread(image).SOPInstanceUID
            back.unlink()


# ---- damaged and hostile ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("authenticated", [False, True], ids=["cbc", "gcm"])
@pytest.mark.parametrize("who", WHO[:2])
@pytest.mark.usefixtures("_few_iterations")
def test_flipped_bits_never_raise_anything_else(who: str, authenticated: bool) -> None:
    plaintext = PLAINTEXT[:40]
    sealed = envelope(who, authenticated=authenticated).seal(plaintext)
    opener = next(openers(who))
    opened = {flipped(sealed, bit, opener) for bit in random.Random(7).sample(range(8 * len(sealed)), 1000)}
    assert None in opened
    if authenticated:
        assert opened <= {None, plaintext}


def flipped(sealed: bytes, bit: int, opener: Opener) -> bytes | None:
    damaged = bytearray(sealed)
    damaged[bit // 8] ^= 1 << bit % 8
    try:
        return opener.open(bytes(damaged))
    except DecryptionError as error:
        assert str(error) == MESSAGE
        return None


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda tail: b"\x30\x80\x06\x09" + tail))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes_are_one_error(blob: bytes) -> None:
    fails(Opener(rsa_key()), blob)


@given(st.integers(0, 679), st.sampled_from([b"", b"\0", b"\x30\x80"]))
@settings(max_examples=100, deadline=None)
def test_a_message_cut_off_is_one_error(end: int, tail: bytes) -> None:
    sealed = envelope().seal(PLAINTEXT[:256])
    assert end < len(sealed)
    fails(Opener(rsa_key()), sealed[:end] + tail)


def hostile() -> dict[str, Callable[[], bytes]]:
    enveloped = bytes.fromhex("06092a864886f70d010703")
    return {
        "nothing": lambda: b"",
        "zeros": lambda: bytes(100),
        "too large": lambda: envelope().seal(b"") + bytes(MAX_BYTES),
        "deep": lambda: b"\x30\x80" * 100_000 + bytes(200_000),
        "deep strings": lambda: b"\x30\x80" + enveloped + b"\xa0\x80\x30\x80\x02\x01\x00" + b"\x24\x80" * 50_000,
        "tiny pieces": lambda: in_pieces(b"\x04\x01a" * 100_000),
        "many recipients": lambda: many_recipients(300_000),
        "lengths that lie": lambda: b"\x30\x84\xff\xff\xff\xff" + enveloped,
    }


def in_pieces(pieces: bytes) -> bytes:
    """BER for a recipient of another kind, with the encrypted content in pieces."""
    content = bytes.fromhex("3080 06092a864886f70d010701 300b 060960864801650304012a a080") + pieces
    head = bytes.fromhex("3080 06092a864886f70d010703 a080 3080 020100 3107a40506012a0500")
    return head + content + bytes(2 * 5)


def test_a_message_in_tiny_pieces_is_given_up_early() -> None:
    assert read_message(in_pieces(b"\x04\x01a" * 100)).content.encrypted == b"a" * 100
    with pytest.raises(ValueError, match="BER") as caught:
        read_message(in_pieces(b"\x04\x01a" * 100_000))
    assert str(caught.value.__cause__) == "BER in too many pieces"


def many_recipients(count: int) -> bytes:
    message = wrapped(b"\x02\x01\x00" + wrapped(b"\xa4\x05\x06\x01\x2a\x05\x00" * count, 0x31) + b"\x30\x00", 0x30)
    return wrapped(bytes.fromhex("06092a864886f70d010703") + wrapped(message, 0xA0), 0x30)


def wrapped(content: bytes, tag: int) -> bytes:
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8 or 1, "big")
    head = bytes([tag, len(content)]) if len(content) < 128 else bytes([tag, 0x80 | len(length)]) + length
    return head + content


@pytest.mark.parametrize("kind", hostile())
def test_hostile_messages_are_one_error(kind: str) -> None:
    fails(Opener(rsa_key(), PASSWORD), hostile()[kind]())


def test_iterations_are_bounded_over_all_recipients(monkeypatch: pytest.MonkeyPatch) -> None:
    derived: list[int] = []
    monkeypatch.setattr(cms, "ITERATIONS", 4_000_000)
    monkeypatch.setattr(
        cms_algorithms.KeyDerivation, "derive", lambda self, *_rest: derived.append(self.iterations) or bytes(32)
    )
    sealing = envelope("password")
    sealing._makers *= 9
    fails(Opener(password=b"another"), resealed_with_other_key(sealing))
    assert sum(derived) - 4_000_000 <= cms.MAX_ITERATIONS


def resealed_with_other_key(sealing: Envelope) -> bytes:
    sealed = bytearray(sealing.seal(PLAINTEXT))
    for recipient in read_message(bytes(sealed)).recipients:
        at = sealed.index(recipient.encrypted_key)
        sealed[at : at + 1] = bytes([sealed[at] ^ 1])
    return bytes(sealed)


def test_tries_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[object] = []
    decrypt = cms_algorithms.Encryption.decrypt
    monkeypatch.setattr(cms_algorithms.Encryption, "decrypt", lambda *args: tries.append(args) or decrypt(*args))
    sealed = Envelope([OTHER_CERTIFICATE] * 100).seal(PLAINTEXT)
    with pytest.raises(DecryptionError):
        Opener(rsa_key()).open(sealed, accept=lambda _plaintext: False)
    assert len(tries) == cms.MAX_TRIES


def test_a_key_that_cannot_be_unwrapped_costs_a_decryption_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """No oracle for PKCS #1 v1.5: a random key takes the place of the one that was not there."""
    used: list[bytes] = []
    decrypt = cms_algorithms.Encryption.decrypt
    monkeypatch.setattr(
        cms_algorithms.Encryption, "decrypt", lambda self, *rest: used.append(rest[0]) or decrypt(self, *rest)
    )
    for oaep in (False, True):
        fails(Opener(rsa_key()), resealed_with_other_key(envelope(oaep=oaep)))
    assert [len(key) for key in used] == [32, 32]


def test_gcm_without_a_mac_and_cbc_with_one_are_refused() -> None:
    sealed = envelope(authenticated=True).seal(PLAINTEXT)
    enveloped, auth = bytes.fromhex("06092a864886f70d010703"), bytes.fromhex("060b2a864886f70d0109100117")
    assert auth in sealed
    for blob in (sealed.replace(auth, enveloped), envelope().seal(PLAINTEXT).replace(enveloped, auth)):
        size = len(blob) - 4
        fails(Opener(rsa_key()), blob[:2] + size.to_bytes(2, "big") + blob[4:])


def test_algorithms_that_nobody_knows_are_passed_over() -> None:
    transport = cms_algorithms.KeyTransport
    for identifier in ([], [decode_der(TLV, encode_der(Null()))] * 3):
        with pytest.raises(ValueError, match="AlgorithmIdentifier"):
            transport.of(identifier)


def test_cryptography_is_loaded_only_when_it_is_needed() -> None:
    script = "import sys, dcmveil.cli, dcmveil.files; print(*[m for m in sys.modules if 'crypto' in m or 'asn1' in m])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "\n"


def test_neither_certificates_nor_ber_are_loaded_before_they_are_needed() -> None:
    script = "import sys, dcmveil.cms; print(*{'cryptography.x509', 'pyasn1'} & sys.modules.keys())"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "\n"

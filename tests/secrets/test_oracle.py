"""Leak channel 23: whatever is wrong with a blob, there is one message, one exit status, and the same is done."""

from __future__ import annotations

import hashlib
import subprocess
from collections import Counter
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from dcmveil import cms, deidentify_file, reidentifying, reversal
from dcmveil.cms import Opener
from dcmveil.cms_algorithms import BlockCipher
from dcmveil.errors import DecryptionError
from dcmveil.reidentifying import reidentify_file
from dcmveil.reversal import pack
from tests.cli.support import image, invoke, process
from tests.hostile.forms import EXPLICIT
from tests.reversible.keys import EXPLICIT_SYNTAX, encrypted_attributes, envelope, reversible
from tests.secrets.__main__ import main
from tests.secrets.blobs import KINDS, Blob, blob, mutated
from tests.services.certificates import key_bytes, rsa_key, write

NAME = EXPLICIT.element(0x00100010, "PN", "DOE^JOHN")
PLAINTEXT = pack(NAME, None, added=[])


@pytest.fixture(scope="module")
def sealed() -> Blob:
    return blob(PLAINTEXT)


def sent(data: bytes) -> bytes:
    """An object with a blob for its Encrypted Content."""
    return EXPLICIT.file(EXPLICIT.common() + encrypted_attributes(EXPLICIT, data + bytes(len(data) % 2)))


@pytest.mark.parametrize("authenticated", [False, True])
@pytest.mark.parametrize("count", [90, pytest.param(1000, marks=pytest.mark.ci)])
def test_leak_channel_23_all_blobs_have_one_error(count: int, authenticated: bool, tmp_path: Path) -> None:
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    said: Counter[tuple[str, str]] = Counter()
    for _kind, data in mutated(blob(PLAINTEXT, authenticated=authenticated), count):
        source.write_bytes(sent(data))
        with pytest.raises(DecryptionError) as caught:
            reidentify_file(source, target, Opener(rsa_key()))
        said[type(caught.value).__name__, str(caught.value)] += 1
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert said == {("DecryptionError", str(DecryptionError())): count}
    assert not target.exists()


@pytest.mark.ci
@pytest.mark.parametrize("kind", KINDS)
def test_leak_channel_23_the_command_line_says_one_thing(
    kind: str, sealed: Blob, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = dict(mutated(sealed, len(KINDS)))[kind]
    write(tmp_path / "key", key_bytes(rsa_key()))
    write(tmp_path / "in.dcm", sent(data))
    said = invoke(capfd, "-d", "-D", "-k", tmp_path / "key", tmp_path / "in.dcm", tmp_path / "out.dcm")
    assert said == (1, "", f"dcmveil: {tmp_path}/in.dcm: {DecryptionError()}\n")
    assert not (tmp_path / "out.dcm").exists()


# ---- the same is done ------------------------------------------------------------------------------------------


class Steps(list[tuple[str, int]]):
    """What is done to open a blob, and to how many bytes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        decrypt = BlockCipher.decrypt

        def content(cipher: BlockCipher, key: bytes, iv: bytes, blocks: bytes) -> bytes:
            found = decrypt(cipher, key, iv, blocks)
            self.append(("content", len(found)))
            return found

        def digest(data: bytes) -> Any:
            self.append(("digest", len(data)))
            return hashlib.sha256(data)

        monkeypatch.setattr(BlockCipher, "decrypt", content)
        monkeypatch.setattr(reversal, "hashlib", SimpleNamespace(sha256=digest))

    def opening(self, data: bytes) -> list[tuple[str, int]]:
        self.clear()
        with pytest.raises(DecryptionError):
            reidentifying._open(Opener(Key(self)), EXPLICIT_SYNTAX, data)  # type: ignore[arg-type]
        return list(self)


class Key:
    """The private key 0, telling when it is used."""

    key_size = 2048

    def __init__(self, steps: list[tuple[str, int]]) -> None:
        self._steps = steps

    def decrypt(self, data: bytes, padding: Any) -> bytes:
        self._steps.append(("key", len(data)))
        return rsa_key().decrypt(data, padding)


@pytest.mark.parametrize("kind", KINDS)
def test_leak_channel_23_the_same_is_done_whatever_is_wrong(
    kind: str, sealed: Blob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that could not be decrypted is replaced by a random one, and what has no padding is parsed all the same."""
    steps = Steps(monkeypatch)
    size = sealed.content.stop - sealed.content.start
    *first, (last, digested) = steps.opening(dict(mutated(sealed, len(KINDS)))[kind])
    assert [*first, last] == [("key", 256), ("content", size), "digest"]
    assert size - 48 <= digested <= size - 32  # padding is a block at most


def test_leak_channel_23_what_has_no_padding_is_never_accepted(sealed: Blob) -> None:
    """Not even if it makes sense: it only is parsed for the time that takes."""
    for kind, data in mutated(sealed, len(KINDS)):
        if "key" in kind or "wrong" in kind:
            with pytest.raises(DecryptionError):
                Opener(rsa_key()).open(data, accept=lambda _plaintext: True)


def test_leak_channel_23_a_key_that_was_drawn_never_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even if it happens to be the right one."""
    monkeypatch.setattr(cms.os, "urandom", lambda size: b"r" * size)
    found = blob(PLAINTEXT)
    data = KINDS["key of zeros"](found, Random(0))
    with pytest.raises(DecryptionError):
        Opener(rsa_key()).open(data, accept=lambda _plaintext: True)


def test_leak_channel_23_what_was_parsed_in_vain_is_not_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two recipients the first of which gives what makes sense without a padding, the second one counts."""
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    source.write_bytes(image())
    deidentify_file(source, target, reversible(envelope()))
    opener = Opener(rsa_key())
    open_it = cms.Opener.open

    def first_in_vain(self: Opener, data: bytes, *, accept: Any) -> bytes:
        assert accept(pack(EXPLICIT.element(0x00100020, "LO", "of another"), None, added=[]))
        return open_it(self, data, accept=accept)

    monkeypatch.setattr(cms.Opener, "open", first_in_vain)
    reidentify_file(target, tmp_path / "back.dcm", opener)
    assert (tmp_path / "back.dcm").read_bytes() == image()


def test_leak_channel_23_the_time_it_takes_can_be_measured(capsys: pytest.CaptureFixture[str]) -> None:
    """By a command, which says what is noise; no time is asserted here."""
    assert main(["oracle", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(KINDS) + 1 + 1
    assert main(["oracle", "x"]) == 1


@pytest.mark.ci
@pytest.mark.parametrize("kind", KINDS)
def test_leak_channel_23_a_pipe_gets_one_message_and_nothing_else(kind: str, sealed: Blob, tmp_path: Path) -> None:
    write(tmp_path / "key", key_bytes(rsa_key()))
    write(tmp_path / "in.dcm", sent(dict(mutated(sealed, len(KINDS)))[kind]))
    with (tmp_path / "in.dcm").open("rb") as source, subprocess.Popen(["cat"], stdin=source, stdout=-1) as pipe:
        said = process("-d", "-D", "-k", tmp_path / "key", "-", "-", stdin=pipe.stdout)
    assert said == (1, "", f"dcmveil: standard input: {DecryptionError()}\n")

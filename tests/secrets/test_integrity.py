"""Leak channel 22: of a blob that was changed nothing comes but the original, or an error and no file."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcmveil.errors import DecryptionError
from dcmveil.reidentifying import reidentify_file
from tests.hostile.forms import EXPLICIT
from tests.reversible.keys import ENCRYPTED_ATTRIBUTES, envelope, opener, sent
from tests.reversible.test_flips import outcomes
from tests.reversible.test_hostile import REFUSED, plaintext

MESSAGE = str(DecryptionError())


@pytest.mark.parametrize(
    "count", [pytest.param(1_000, marks=pytest.mark.ci), pytest.param(10_000, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("authenticated", [False, True])
def test_leak_channel_22_no_flipped_bit_is_accepted(authenticated: bool, count: int, tmp_path: Path) -> None:
    """Nearly all are an error. What names the recipient is not covered: there a flip does nothing."""
    ends = outcomes(tmp_path, envelope(authenticated=authenticated), opener(), count)
    assert ends.keys() <= {"identical", MESSAGE}
    assert ends[MESSAGE] > count * 9 // 10
    assert ends.total() == count


@pytest.mark.parametrize("inner", REFUSED.values(), ids=REFUSED)
def test_leak_channel_22_what_is_decrypted_is_hostile_too(inner: bytes, tmp_path: Path) -> None:
    """Anybody with the certificate makes a blob of what they like, with a key, padding and MAC that are right."""
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    source.write_bytes(sent(inner, seals=envelope(authenticated=True)))
    with pytest.raises(DecryptionError) as caught:
        reidentify_file(source, target, opener())
    assert str(caught.value) == MESSAGE
    assert not target.exists()


def test_leak_channel_22_what_is_decrypted_is_not_decrypted_again(tmp_path: Path) -> None:
    """A blob within a blob comes out as it is: no recursion, and no key is used on what is inside."""
    name = EXPLICIT.element(0x00100010, "PN", "DOE^JOHN")
    inner = sent(plaintext(name), seals=envelope())
    nested = inner[inner.index(EXPLICIT.header(ENCRYPTED_ATTRIBUTES, "SQ", 0)[:6]) :]
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    source.write_bytes(sent(plaintext(nested), seals=envelope()))
    reidentify_file(source, target, opener())
    assert nested in target.read_bytes()
    assert b"DOE" not in target.read_bytes()

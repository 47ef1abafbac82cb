"""Single bits of Encrypted Content (0400,0520) flipped: the identical original comes back, or one error and no file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from dcmveil import deidentify_file
from dcmveil.cms import Envelope, Opener
from dcmveil.errors import DecryptionError
from dcmveil.reidentifying import reidentify_file
from tests.hostile.forms import EXPLICIT, PLAIN_FORMS, Form
from tests.reversible.keys import CONTENT, envelope, opener, reversible
from tests.services.certificates import certificate, rsa_key

FLIPS, SEED = 1000, 20260
SAMPLE_ROWS = ((0x00100010, "PN", "DOE^JOHN"), (0x00100020, "LO", "12345"), (0x00100030, "DA", "19700101"))


def original(form: Form) -> bytes:
    rows = b"".join(form.element(*row) for row in SAMPLE_ROWS)
    request = form.sequence(0x00400275, form.item(form.element(0x00400007, "LO", "knee")))
    return form.file(form.common() + rows + request + form.element(0x7FE00010, "OW", bytes(500)))


def content_range(form: Form, data: bytes) -> tuple[int, int]:
    """Where the Value of (0400,0520) stands in the file."""
    header = form.header(CONTENT, "OB", 0)[:-4]
    start = data.index(header) + len(header)
    length = int.from_bytes(data[start : start + 4], "big" if form.big else "little")
    return start + 4, start + 4 + length


def encrypted(folder: Path, seals: Envelope, form: Form = EXPLICIT) -> tuple[bytes, bytes]:
    """An original, and what -e makes of it."""
    source, target = folder / "original.dcm", folder / "encrypted.dcm"
    source.write_bytes(original(form))
    deidentify_file(source, target, reversible(seals))
    return source.read_bytes(), target.read_bytes()


def outcomes(folder: Path, seals: Envelope, opens: Opener, count: int, form: Form = EXPLICIT) -> Counter[str]:
    """What `count` flips, spread over all of the Value, end in: "identical", "changed", or a message."""
    before, data = encrypted(folder, seals, form)
    start, stop = content_range(form, data)
    random, ends = Random(SEED), Counter[str]()
    flipped, restored = folder / "flipped.dcm", folder / "restored.dcm"
    for number in range(count):
        low, high = (start + (stop - start) * step // count for step in (number, number + 1))
        at, bit = random.randrange(low, max(low + 1, high)), random.randrange(8)
        flipped.write_bytes(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :])
        try:
            reidentify_file(flipped, restored, opens)
        except DecryptionError as error:
            ends[str(error)] += 1
            assert not restored.exists()
        else:
            ends["identical" if restored.read_bytes() == before else "changed"] += 1
            restored.unlink()
    assert sorted(path.name for path in folder.iterdir()) == ["encrypted.dcm", "flipped.dcm", "original.dcm"]
    return ends


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"cipher": "aes256"}, FLIPS),
        ({"authenticated": True}, FLIPS),
        ({"cipher": "des3"}, FLIPS // 4),
        ({"oaep": True, "authenticated": True}, FLIPS // 4),
    ],
    ids=["aes256", "authenticated", "des3", "oaep"],
)
def test_no_flipped_bit_restores_anything_different(options: dict[str, str], count: int, tmp_path: Path) -> None:
    ends = outcomes(tmp_path, envelope(**options), opener(), count)
    assert ends["changed"] == 0
    assert set(ends) <= {"identical", str(DecryptionError())}
    assert ends[str(DecryptionError())] > count * 9 // 10
    assert sum(ends.values()) == count


@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
def test_in_every_encoding(form: Form, tmp_path: Path) -> None:
    ends = outcomes(tmp_path, envelope(), opener(), 150, form)
    assert set(ends) <= {"identical", str(DecryptionError())}


def test_with_two_recipients_the_other_ones_bits_do_not_matter(tmp_path: Path) -> None:
    """Whoever has the second key is not disturbed by a flip in what is for the first; no error tells them apart."""
    seals = Envelope([certificate(rsa_key(1)), certificate(rsa_key())])
    ends = outcomes(tmp_path, seals, opener(), 300)
    assert set(ends) == {"identical", str(DecryptionError())}
    assert ends["identical"] > 5


@pytest.mark.slow
@pytest.mark.parametrize("authenticated", [False, True])
def test_every_bit_of_the_message_around_the_ciphertext(authenticated: bool, tmp_path: Path) -> None:
    """The structure of the CMS message has more ways to go wrong than what is encrypted."""
    before, data = encrypted(tmp_path, envelope(authenticated=authenticated))
    start, _stop = content_range(EXPLICIT, data)
    flipped, restored = tmp_path / "flipped.dcm", tmp_path / "restored.dcm"
    for at in range(8 * start, 8 * (start + 600)):
        flipped.write_bytes(data[: at // 8] + bytes([data[at // 8] ^ 1 << at % 8]) + data[at // 8 + 1 :])
        try:
            reidentify_file(flipped, restored, opener())
        except DecryptionError:
            continue
        assert restored.read_bytes() == before

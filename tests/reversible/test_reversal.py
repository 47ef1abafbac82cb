"""The plaintext: packed and taken apart again, of one size whatever the names, and no byte of it can change unseen."""

from __future__ import annotations

import resource
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcmveil import deidentify_file
from dcmveil.errors import DecryptionError
from dcmveil.recompressing import Settings
from dcmveil.reversal import Deflated, Way, pack, unpack
from tests.hostile.forms import BIG, EXPLICIT, IMPLICIT, UNDEFINED, Form
from tests.reversible.keys import (
    BIG_SYNTAX,
    DEFLATED_SYNTAX,
    EXPLICIT_SYNTAX,
    IMPLICIT_SYNTAX,
    MODIFIED,
    envelope,
    reversible,
)

EXAMPLES = settings(max_examples=150, deadline=None)
STEP = 4096
NAME = EXPLICIT.element(0x00100010, "PN", "DOE^JOHN")


@st.composite
def elements(draw: st.DrawFn) -> list[bytes]:
    """Original Attributes in tag order, of any VR and length; odd lengths too, which no Value should have."""
    tags = draw(st.lists(st.integers(0x00080001, 0xFFFCFFFF), unique=True, max_size=6))
    found = []
    for tag in sorted(tags):
        value = draw(st.binary(max_size=30))
        vr = draw(st.sampled_from(["LO", "PN", "UI", "US", "OB", "UN", "UT", "OW"]))
        found.append(EXPLICIT.element(tag, vr, value, length=len(value)))
    return found


@st.composite
def ways(draw: st.DrawFn) -> Way:
    prefix, digests = st.integers(0, 1 << 40), st.binary(min_size=32, max_size=32)
    made = st.builds(
        Settings, st.integers(-1, 9), st.sampled_from([8, 9]), st.just(-15), st.binary(max_size=9), digests
    )  # fmt: skip
    deflated = st.builds(Deflated, prefix, st.binary(max_size=30), st.none()) | st.builds(
        Deflated, prefix, st.just(b""), made
    )  # fmt: skip
    operations = draw(st.binary(max_size=40).map(lambda data: data[: len(data) // 4 * 4]))
    raw = draw(st.binary(max_size=40).map(lambda data: data[: len(data) // 2 * 2]))
    return Way(operations, raw, draw(st.integers(0, (1 << 64) - 1)), draw(digests), draw(st.none() | deflated))


@EXAMPLES
@given(elements(), st.none() | ways(), st.lists(st.integers(0, 0xFFFFFFFF), max_size=5), st.integers(0, 9))
def test_what_is_packed_is_unpacked(originals: list[bytes], way: Way | None, added: list[int], left_out: int) -> None:
    plaintext = pack(b"".join(originals), way, added=added, left_out=left_out)
    assert len(plaintext) % STEP == 0
    found = unpack(plaintext, EXPLICIT_SYNTAX)
    assert [original.element for original in found.originals] == originals
    assert found.content == b"".join(originals)
    assert (found.is_ours, found.added, found.left_out, found.way) == (True, tuple(added), left_out, way)


@given(st.binary(max_size=3 * STEP))
@settings(max_examples=60, deadline=None)
def test_plaintexts_grow_by_steps(value: bytes) -> None:
    content = EXPLICIT.element(0x00204000, "UT", value)
    least = len(pack(b"", None, added=[])) + len(content) - STEP
    assert least <= len(pack(content, None, added=[])) <= least + 2 * STEP


def test_a_uid_of_the_syntax_may_be_padded() -> None:
    for padding in (b"", b"\0", b" "):
        assert len(unpack(pack(NAME, None, added=[]), EXPLICIT_SYNTAX + padding).originals) == 1


# ---- what its length tells -------------------------------------------------------------------------------------


@pytest.mark.parametrize("authenticated", [False, True])
def test_short_and_long_names_give_blobs_of_one_length(authenticated: bool, tmp_path: Path) -> None:
    sizes = set()
    for name in ("DOE^J", "D" * 60, "", "DOE^JOHN^ADAM^DR^III"):
        source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
        source.write_bytes(EXPLICIT.file(EXPLICIT.common() + EXPLICIT.element(0x00100010, "PN", name)))
        deidentify_file(source, target, reversible(envelope(authenticated=authenticated), patient_name="empty"))
        sizes.add(target.stat().st_size)
    assert len(sizes) == 1


# ---- changed plaintexts ----------------------------------------------------------------------------------------


def whole() -> bytes:
    way = Way(b"\1\0\0\0" * 3, b"raw!", 99, bytes(range(32)), None)
    return pack(NAME + EXPLICIT.element(0x00100030, "DA", ""), way, added=[0x00120062])


@pytest.mark.parametrize("change", [0x01, 0x20, 0x80, 0xFF])
def test_no_byte_can_change(change: int) -> None:
    plaintext = bytearray(whole())
    for at in range(len(plaintext)):
        plaintext[at] ^= change
        with pytest.raises(DecryptionError):
            unpack(bytes(plaintext), EXPLICIT_SYNTAX)
        plaintext[at] ^= change
    assert unpack(bytes(plaintext), EXPLICIT_SYNTAX).is_ours


def test_no_block_can_change() -> None:
    """What a flipped bit does in CBC: 16 bytes anywhere are noise, and one bit behind them is another."""
    plaintext = whole()
    for at in range(0, len(plaintext), 16):
        noise = bytes((byte * 7 + at + 13) & 0xFF for byte in range(16))
        changed = bytearray(plaintext[:at] + noise + plaintext[at + 16 :])
        if at + 16 < len(changed):
            changed[at + 16 + at // 16 % 16] ^= 1 << at // 16 % 8
        with pytest.raises(DecryptionError):
            unpack(bytes(changed), EXPLICIT_SYNTAX)


def test_no_end_can_be_missing_and_nothing_follow() -> None:
    """Not even whole steps of it."""
    plaintext = whole() + whole()
    for size in [*range(0, STEP, 97), *range(STEP + 1, 2 * STEP, 97), 2 * STEP]:
        with pytest.raises(DecryptionError):
            unpack(plaintext[:size], EXPLICIT_SYNTAX)


# ---- odd originals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 1, 7])
def test_originals_may_be_empty_and_odd_in_length(length: int) -> None:
    element = EXPLICIT.element(0x00100010, "PN", b"A" * length, length=length)
    found = unpack(pack(element, None, added=[]), EXPLICIT_SYNTAX)
    assert [(original.tag, original.element, original.header) for original in found.originals] == [
        (0x00100010, element, 8)
    ]


def test_there_may_be_no_originals() -> None:
    found = unpack(pack(b"", None, added=[]), EXPLICIT_SYNTAX)
    assert (found.originals, found.content) == ((), b"")


def modified(*items: bytes, form: Form = EXPLICIT, open_end: bool = False, tag: int = MODIFIED) -> bytes:
    """A plaintext of another implementation."""
    return form.sequence(tag, *items, open_end=open_end)


@pytest.mark.parametrize("open_end", [False, True])
@pytest.mark.parametrize("open_item", [False, True])
@pytest.mark.parametrize(
    ("form", "syntax"), [(EXPLICIT, EXPLICIT_SYNTAX), (IMPLICIT, IMPLICIT_SYNTAX), (BIG, BIG_SYNTAX)]
)
def test_plaintexts_of_others_in_any_encoding(form: Form, syntax: bytes, open_item: bool, open_end: bool) -> None:
    names = form.element(0x00100010, "PN", "DOE^JOHN") + form.element(0x00280010, "US", form.pack("H", 7))
    item = form.open_item(names) if open_item else form.item(names)
    found = unpack(modified(item, form=form, open_end=open_end) + form.element(0x04001111, "OB", b"more"), syntax)
    assert [original.element for original in found.originals] == [NAME, EXPLICIT.element(0x00280010, "US", b"\7\0")]
    assert (found.is_ours, found.way, found.added) == (False, None, ())


def test_a_plaintext_may_be_deflated() -> None:
    deflater = zlib.compressobj(wbits=-15)
    data = deflater.compress(modified(EXPLICIT.item(NAME))) + deflater.flush()
    for plaintext in (data, data + b"\0"):
        assert [original.element for original in unpack(plaintext, DEFLATED_SYNTAX).originals] == [NAME]
    with pytest.raises(DecryptionError):
        unpack(data[:-4], DEFLATED_SYNTAX)


def test_what_inflates_without_end_is_not_held() -> None:
    bomb = zlib.compressobj(9, wbits=-15)
    data = b"".join([bomb.compress(bytes(1 << 20)) for _ in range(160)]) + bomb.flush()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DecryptionError):
        unpack(data, DEFLATED_SYNTAX)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 130 << 10  # KiB


def deep(depth: int) -> bytes:
    inner = EXPLICIT.header(0x00081140, "SQ", UNDEFINED) + EXPLICIT.item(length=UNDEFINED)
    return inner * depth + (EXPLICIT.item(tag=0xFFFEE00D) + EXPLICIT.item(tag=0xFFFEE0DD)) * depth


def test_sequences_in_originals_go_along_whole() -> None:
    found = unpack(modified(EXPLICIT.item(NAME + deep(1000))), EXPLICIT_SYNTAX)
    assert [original.element for original in found.originals] == [NAME, deep(1000)]


MALFORMED = {
    "nothing": b"",
    "no Item": modified(),
    "two Items": modified(EXPLICIT.item(NAME), EXPLICIT.item(NAME)),
    "two Items, one empty": modified(EXPLICIT.item(NAME), EXPLICIT.item()),
    "another Sequence": modified(EXPLICIT.item(NAME), tag=0x04000551),
    "something before": NAME + modified(EXPLICIT.item(NAME)),
    "no Sequence": EXPLICIT.element(MODIFIED, "OB", EXPLICIT.item(NAME)),
    "no Items in it": EXPLICIT.element(MODIFIED, "SQ", NAME),
    "a repeated Attribute": modified(EXPLICIT.item(NAME + NAME)),
    "group 0000": modified(EXPLICIT.item(EXPLICIT.element(0x00000002, "UI", "1.2") + NAME)),
    "group 0002": modified(EXPLICIT.item(EXPLICIT.element(0x00020010, "UI", "1.2") + NAME)),
    "group 0004": modified(EXPLICIT.item(EXPLICIT.element(0x00041130, "CS", "A") + NAME)),
    "group 0006": modified(EXPLICIT.item(EXPLICIT.element(0x00060001, "CS", "A") + NAME)),
    "group FFFE": modified(EXPLICIT.item(NAME + EXPLICIT.element(0xFFFE0001, "CS", "A"))),
    "a length past the end": modified(EXPLICIT.item(EXPLICIT.element(0x7FE00010, "OW", b"12", length=0x7FFFFFFF))),
    "a length past the Item": modified(EXPLICIT.item(EXPLICIT.element(0x00100010, "PN", b"1", length=99))) + NAME * 9,
    "no end": modified(EXPLICIT.item(NAME), open_end=True)[:-8],
    "a mark at one end": whole()[:-64],
    "nested too deeply": modified(EXPLICIT.item(deep(10_000))),
    "nested too deeply, without end": modified(EXPLICIT.item(deep(10_000)[: 200 * 1000], length=UNDEFINED)),
    "half an element behind": modified(EXPLICIT.item(NAME)) + b"\x01\x04",
}  # fmt: skip


@pytest.mark.parametrize("plaintext", MALFORMED.values(), ids=MALFORMED)
def test_malformed_plaintexts_are_one_error(plaintext: bytes) -> None:
    with pytest.raises(DecryptionError) as caught:
        unpack(plaintext, EXPLICIT_SYNTAX)
    assert str(caught.value) == str(DecryptionError())
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("syntax", [b"", b"1.2.840.10008.1.2.4.50", b"1.2.840.10008.1.2.1.98", b"\xff", b"1.2.3"])
def test_an_unknown_syntax_is_the_same_error(syntax: bytes) -> None:
    with pytest.raises(DecryptionError):
        unpack(whole(), syntax)


@EXAMPLES
@given(st.binary(max_size=200), st.sampled_from([EXPLICIT_SYNTAX, IMPLICIT_SYNTAX, BIG_SYNTAX, DEFLATED_SYNTAX]))
def test_any_plaintext_is_originals_or_that_error(plaintext: bytes, syntax: bytes) -> None:
    for data in (plaintext, modified(EXPLICIT.item(plaintext)), pack(plaintext, None, added=[])):
        try:
            found = unpack(data, syntax)
        except DecryptionError:
            continue
        assert all(original.element in data for original in found.originals) or syntax != EXPLICIT_SYNTAX

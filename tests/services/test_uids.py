"""New UIDs against a computation of their own, and the properties all of them have."""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import threading
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmveil import uids
from dcmveil.uids import UidMapper, check_root, is_well_formed, new_secret

SECRET = bytes(range(32))
ROOT = "1.2.826.0.1.3680043.10.99999"
CT = b"1.2.840.10008.5.1.4.1.1.2"

components = st.integers(0, 10**12).map(str)
well_formed = (
    st.lists(components, min_size=1, max_size=8).map(lambda parts: ".".join(parts).encode()[:64]).filter(is_well_formed)
)
originals = well_formed.filter(lambda uid: not uid.startswith(b"1.2.840.10008"))
texts = st.binary(min_size=1, max_size=80).filter(lambda text: b"\\" not in text and text == text.strip(b"\0 "))


def digest(uid: bytes, secret: bytes = SECRET) -> bytes:
    return hmac.new(secret, b"dcmveil/uid\x00" + uid, hashlib.sha256).digest()


def as_uuid8(uid: bytes, secret: bytes = SECRET) -> bytes:
    octets = bytearray(digest(uid, secret)[:16])
    octets[6] = octets[6] & 0x0F | 0x80
    octets[8] = octets[8] & 0x3F | 0x80
    return b"2.25." + str(uuid.UUID(bytes=bytes(octets)).int).encode()


def test_maps_to_a_frozen_value() -> None:
    """R14: what was mapped once must be mapped so by every later version."""
    assert UidMapper(SECRET).map(b"1.2.3") == b"2.25.272918558777102984317958323631130194309"
    assert UidMapper(SECRET, ROOT).map(b"1.2.3") == b"1.2.826.0.1.3680043.10.99999.66630507513941010705673054272000843"


@given(texts | originals)
def test_without_root_is_a_uuid_of_version_8(uid: bytes) -> None:
    """R8 R14"""
    new = UidMapper(SECRET).map(uid)
    assert new == as_uuid8(uid)
    made = uuid.UUID(int=int(new.removeprefix(b"2.25.")))
    assert (made.version, made.variant) == (8, uuid.RFC_4122)


@given(texts | originals, st.sampled_from(["1", "2.25", ROOT, "1." + "2" * 32]))
def test_with_root_is_the_head_of_the_digest(uid: bytes, root: str) -> None:
    """R8 R14"""
    bits = min(128, math.floor((64 - len(root) - 1) * math.log2(10)))
    number = int.from_bytes(digest(uid), "big") >> (256 - bits)
    new = UidMapper(SECRET, root).map(uid)
    assert new == f"{root}.{number}".encode()
    assert is_well_formed(new)


@given(st.lists(originals, min_size=1, max_size=5), st.sampled_from([None, ROOT]))
def test_maps_every_value_of_an_element(values: list[bytes], root: str | None) -> None:
    """R13 R14"""
    mapper = UidMapper(SECRET, root)
    new = mapper.map_value(b"\\".join(values))
    assert new is not None
    assert len(new) % 2 == 0
    assert new.removesuffix(b"\0").split(b"\\") == [mapper.map(uid) for uid in values]


@given(st.lists(originals | st.just(CT) | st.just(b""), max_size=6), st.sampled_from([b"", b"\0", b" ", b"  \0"]))
def test_padding_of_a_value_does_not_matter(values: list[bytes], padding: bytes) -> None:
    """R14 R15"""
    mapper = UidMapper(SECRET)
    new = mapper.map_value(b"\\".join(padding + uid + padding for uid in values))
    if not any(uid and uid != CT for uid in values):
        assert new is None
    else:
        assert new is not None
        assert new == mapper.map_value(b"\\".join(values))


@pytest.mark.parametrize(
    "value",
    [
        b"", b" ", b"\0\0", b"\\", CT, CT + b"\0", CT + b" ", b"1.2.840.10008", b"1.2.840.10008.9.77.1\\" + CT,
        b"\\" + CT + b"\\\0",
    ],
)  # fmt: skip
def test_leaves_well_known_and_empty_values(value: bytes) -> None:
    """R15"""
    assert UidMapper(SECRET).map_value(value) is None


@pytest.mark.parametrize(
    "value",
    [
        b"1.2.840.10008.05.1", b"1.2.840.10008.", b"1.2.840.100081", b"1.2.840.10008..1", b"1.2.840.10008.1\0.2",
        b"1.2.840.10008.DOE^JOHN", b"1.2.840.10008." + b"1" * 51, b"JOHN DOE", b"\xff\xfe",
    ],
)  # fmt: skip
def test_replaces_what_only_looks_well_known(value: bytes) -> None:
    """R1 R8"""
    new = UidMapper(SECRET).map_value(value)
    assert new is not None
    assert new.rstrip(b"\0") == as_uuid8(value)


def test_empty_values_between_others_stay_empty() -> None:
    new = UidMapper(SECRET).map_value(b"1.2.3\\ \\" + CT + b"\\1.2.4 ")
    assert new is not None
    assert new.rstrip(b"\0").split(b"\\") == [as_uuid8(b"1.2.3"), b"", CT, as_uuid8(b"1.2.4")]


@given(originals, st.binary(min_size=16, max_size=40), st.binary(min_size=16, max_size=40))
def test_depends_on_the_secret_alone(uid: bytes, secret: bytes, other: bytes) -> None:
    """R14 R28"""
    assert UidMapper(secret).map(uid) == UidMapper(bytes(secret)).map(uid) == as_uuid8(uid, secret)
    if digest(b"", secret) != digest(b"", other):
        assert UidMapper(secret).map(uid) != UidMapper(other).map(uid)


def test_memo_is_bounded_and_forgetting_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uids, "MEMO_ENTRIES", 8)
    mapper = UidMapper(SECRET)
    first = [mapper.map(b"1.2.%d" % number) for number in range(50)]
    assert first == [mapper.map(b"1.2.%d" % number) for number in range(50)]
    assert mapper._new_uid.cache_info().currsize == 8


def test_threads_agree() -> None:
    mapper, found = UidMapper(SECRET), []
    work = [b"1.2.%d" % number for number in range(200)]
    threads = [threading.Thread(target=lambda: found.append([mapper.map(uid) for uid in work])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[as_uuid8(uid) for uid in work]] * 4


@pytest.mark.parametrize("root", ["", ".", "1.", "1..2", "01.2", "1.02", "a.b", "1.2 ", "1.\u0662", "1.2\n", "-1"])
def test_refuses_roots_that_are_no_uids(root: str) -> None:
    with pytest.raises(ValueError, match="without leading zeros"):
        check_root(root)


@pytest.mark.parametrize("root", ["1.2.840.10008", "1.2.840.10008.5.1"])
def test_refuses_roots_of_the_standard(root: str) -> None:
    """R15"""
    with pytest.raises(ValueError, match="DICOM Standard"):
        check_root(root)


def test_refuses_roots_that_leave_too_few_bits() -> None:
    check_root("1." + "2" * 32)
    for length in (33, 60, 62, 63):
        with pytest.raises(ValueError, match=r"too long|without leading"):
            UidMapper(SECRET, "1." + "2" * length)


def test_refuses_short_secrets_and_never_shows_one() -> None:
    with pytest.raises(ValueError, match="at least 16 bytes"):
        UidMapper(b"fifteen bytes!!")
    assert re.fullmatch(r"UidMapper\(\.\.\.\)", repr(UidMapper(b"a secret that is long", ROOT)))


def test_new_secrets_are_long_and_differ() -> None:
    """R28"""
    assert len(new_secret()) == 32
    assert new_secret() != new_secret()

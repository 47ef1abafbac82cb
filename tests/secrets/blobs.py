"""Encrypted Content (0400,0520) of one object, and what somebody makes of it who asks what comes of that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from dcmveil.cms import Envelope
from dcmveil.cms_structures import read_message
from tests.services.certificates import certificate, rsa_key

__all__ = ["KINDS", "Blob", "blob", "mutated"]

SEED = 20261
BLOCK = 16


class Blob(NamedTuple):
    """A message, and where in it the encrypted key, the encrypted content and the MAC stand."""

    data: bytes
    key: slice
    content: slice
    mac: slice


def blob(plaintext: bytes, **options: bool) -> Blob:
    """A plaintext encrypted for the holder of key 0."""
    data = Envelope([certificate(rsa_key())], **options).seal(plaintext)
    message = read_message(data)
    recipient = message.recipients[0]

    def place(part: bytes) -> slice:
        return slice(at := data.index(part), at + len(part))

    mac = place(message.mac) if message.mac else slice(0, 0)
    return Blob(data, place(recipient.encrypted_key), place(message.content.encrypted), mac)


def with_bytes(data: bytes, place: slice, new: bytes) -> bytes:
    assert len(new) == place.stop - place.start
    return data[: place.start] + new + data[place.stop :]


def flipped(data: bytes, place: slice, random: Random) -> bytes:
    """With a byte of a part changed."""
    at = random.randrange(place.start, place.stop)
    return with_bytes(data, slice(at, at + 1), bytes([data[at] ^ random.randrange(1, 256)]))


def other_key(key: bytes) -> Callable[[Blob, Random], bytes]:
    """Well padded, as only whoever has the private key can tell; what it is good for is another matter."""

    def make(found: Blob, _random: Random) -> bytes:
        return with_bytes(found.data, found.key, rsa_key().public_key().encrypt(key, PKCS1v15()))

    return make


def with_padding(last: int) -> Callable[[Blob, Random], bytes]:
    """As one asks a padding oracle: the last byte of what is encrypted, 16 for a block of padding, becomes `last`."""

    def make(found: Blob, _random: Random) -> bytes:
        at = found.content.stop - BLOCK - 1
        return with_bytes(found.data, slice(at, at + 1), bytes([found.data[at] ^ BLOCK ^ last]))

    return make


# What is wrong with a blob. Somebody who is told one of them from another, by a message or by time, is told of the key.
KINDS: dict[str, Callable[[Blob, Random], bytes]] = {
    "key that was not encrypted so": lambda found, random: flipped(found.data, found.key, random),
    "key of zeros": lambda found, _random: with_bytes(found.data, found.key, bytes(found.key.stop - found.key.start)),
    "another key": other_key(bytes(32)),
    "key that is too short": other_key(bytes(16)),
    "key that is too long": other_key(bytes(64)),
    "no key": other_key(b""),
    "content": lambda found, random: flipped(found.data, found.content, random),
    "padding that is wrong": with_padding(0),
    "padding of one byte": with_padding(1),
}


def mutated(found: Blob, count: int) -> Iterator[tuple[str, bytes]]:
    """So many blobs that cannot be decrypted, of each kind in turn."""
    random = Random(SEED)
    for number in range(count):
        kind = list(KINDS)[number % len(KINDS)]
        yield kind, KINDS[kind](found, random)

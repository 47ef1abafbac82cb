"""The structures of the Cryptographic Message Syntax that PS3.15 annex E.1 uses, as ASN.1 types (RFC 5652, 5083).

What depends on an algorithm (ANY) is a TLV: kept as it is, and parsed where the algorithm is known. An
AlgorithmIdentifier is a list of one or two TLVs, the second being its parameters: an optional ANY cannot be
declared. `read_message` reads DER and, by way of pyasn1, which is loaded only then, BER as streaming writers make
it: indefinite lengths, strings in pieces, sets in any order.

Messages to be read are hostile. Parsed, a TLV of two bytes takes a hundred, so all but the encrypted content is
measured before it is parsed, and the reader of BER is allowed so many steps for so many bytes.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Annotated, Any, NamedTuple, TypeVar

from cryptography.hazmat import asn1

# Not from cryptography.x509, which is the same class: that takes longer to load than all the rest of this module.
from cryptography.hazmat._oid import ObjectIdentifier
from cryptography.hazmat.asn1 import TLV, Default, Explicit, Implicit, SetOf, decode_der, encode_der

__all__ = [
    "AUTH_ENVELOPED_DATA",
    "DATA",
    "ENVELOPED_DATA",
    "AuthEnvelopedData",
    "AuthEnvelopedDataInfo",
    "ContentInfo",
    "EncryptedContentInfo",
    "EnvelopedData",
    "EnvelopedDataInfo",
    "GcmParameters",
    "KeyTransRecipientInfo",
    "Message",
    "OaepParameters",
    "ObjectIdentifier",
    "PasswordRecipientInfo",
    "Pbkdf2Parameters",
    "RecipientInfo",
    "algorithm",
    "algorithm_of",
    "as_tlv",
    "identifier_of",
    "issuer_and_serial_number",
    "parameters_of",
    "read_message",
    "tlv",
]

DATA = ObjectIdentifier("1.2.840.113549.1.7.1")
ENVELOPED_DATA = ObjectIdentifier("1.2.840.113549.1.7.3")
AUTH_ENVELOPED_DATA = ObjectIdentifier("1.2.840.113549.1.9.16.1.23")

MAX_BYTES = 256 << 20  # of a whole message: more than twice the most originals that can be put into one
MAX_PART_BYTES = 1 << 20  # of everything in it but the encrypted content: a thousand recipients and more
MAX_PADDING = 16  # zero bytes behind a message: one makes the Value even, some writers put more

_T = TypeVar("_T")


# ---- recipients (RFC 5652 6.2) ---------------------------------------------------------------------------------


@asn1.sequence
class KeyTransRecipientInfo:
    version: int
    recipient: TLV  # IssuerAndSerialNumber or [0] SubjectKeyIdentifier
    key_encryption: list[TLV]
    encrypted_key: bytes


@asn1.sequence
class _KeyAgreeRecipientInfo:
    version: int
    originator: Annotated[TLV, Explicit(0)]
    user_keying_material: Annotated[bytes | None, Explicit(1)]
    key_encryption: list[TLV]
    encrypted_keys: list[TLV]


@asn1.sequence
class _KekRecipientInfo:
    version: int
    kek: TLV
    key_encryption: list[TLV]
    encrypted_key: bytes


@asn1.sequence
class PasswordRecipientInfo:
    version: int
    key_derivation: Annotated[list[TLV] | None, Implicit(0)]
    key_encryption: list[TLV]
    encrypted_key: bytes


@asn1.sequence
class _OtherRecipientInfo:
    kind: ObjectIdentifier
    value: TLV


RecipientInfo = (
    KeyTransRecipientInfo
    | Annotated[_KeyAgreeRecipientInfo, Implicit(1)]
    | Annotated[_KekRecipientInfo, Implicit(2)]
    | Annotated[PasswordRecipientInfo, Implicit(3)]
    | Annotated[_OtherRecipientInfo, Implicit(4)]
)


@asn1.sequence
class _IssuerAndSerialNumber:
    issuer: TLV
    serial: TLV


@asn1.sequence
class _TbsCertificate:
    value: list[TLV]


# ---- content as it is written (RFC 5652 6.1, RFC 5083 2.1) -----------------------------------------------------


@asn1.sequence
class EncryptedContentInfo:
    content_type: ObjectIdentifier
    encryption: list[TLV]
    encrypted: Annotated[bytes, Implicit(0)]


@asn1.sequence
class EnvelopedData:
    version: int
    recipients: SetOf[RecipientInfo]
    content: EncryptedContentInfo


@asn1.sequence
class AuthEnvelopedData:
    version: int
    recipients: SetOf[RecipientInfo]
    content: EncryptedContentInfo
    mac: bytes


@asn1.sequence
class ContentInfo:
    content_type: ObjectIdentifier
    content: Annotated[TLV, Explicit(0)]


@asn1.sequence
class EnvelopedDataInfo:
    """The ContentInfo of an EnvelopedData."""

    content_type: ObjectIdentifier
    content: Annotated[EnvelopedData, Explicit(0)]


@asn1.sequence
class AuthEnvelopedDataInfo:
    """The ContentInfo of an AuthEnvelopedData."""

    content_type: ObjectIdentifier
    content: Annotated[AuthEnvelopedData, Explicit(0)]


# ---- parameters of algorithms ----------------------------------------------------------------------------------


@asn1.sequence
class GcmParameters:
    """RFC 5084 3.2"""

    nonce: bytes
    mac_bytes: Annotated[int, Default(12)]


@asn1.sequence
class Pbkdf2Parameters:
    """RFC 8018 A.2"""

    salt: bytes  # one from elsewhere is for future versions there, and not supported here
    iterations: int
    key_bytes: int | None
    pseudo_random: list[TLV] | None  # HMAC-SHA1 if absent


@asn1.sequence
class OaepParameters:
    """RFC 4055 4.1: SHA-1, MGF1 with SHA-1 and an empty label if absent."""

    digest: Annotated[list[TLV] | None, Explicit(0)]
    mask: Annotated[list[TLV] | None, Explicit(1)]
    label: Annotated[list[TLV] | None, Explicit(2)]


def tlv(value: Any) -> TLV:
    """A value (bytes, ObjectIdentifier, Null, a structure) as it is put where anything may stand."""
    return decode_der(TLV, encode_der(value))


_tlv_once = lru_cache(64)(tlv)  # of the few identifiers there are


def algorithm(identifier: ObjectIdentifier, *parameters: Any) -> list[TLV]:
    """An AlgorithmIdentifier with at most one parameter."""
    return [_tlv_once(identifier), *map(tlv, parameters)]


def identifier_of(found: list[TLV]) -> ObjectIdentifier:
    """Which algorithm an AlgorithmIdentifier tells. ValueError if it is none."""
    if not 1 <= len(found) <= 2:
        raise ValueError("not an AlgorithmIdentifier")
    identifier: ObjectIdentifier = found[0].parse(ObjectIdentifier)
    return identifier


def parameters_of(found: list[TLV], kind: type[_T]) -> _T:
    """The parameters of an AlgorithmIdentifier. ValueError if it has none, or of another kind."""
    if len(found) != 2:
        raise ValueError("an AlgorithmIdentifier without parameters")
    parameters: _T = found[1].parse(kind)
    return parameters


def as_tlv(parts: list[TLV]) -> TLV:
    """An AlgorithmIdentifier, to be the parameter of another one."""
    return decode_der(_Single, encode_der(_Algorithm(value=parts))).value


def algorithm_of(found: TLV) -> list[TLV]:
    """An AlgorithmIdentifier that is the parameter of another one. ValueError if it is none."""
    parts: list[TLV] = _within(found, _Algorithm)
    return parts


def issuer_and_serial_number(tbs_certificate: bytes) -> TLV:
    """What names a recipient (RFC 5652 10.2.4), in the very bytes of the TBSCertificate."""
    parts = _within(decode_der(TLV, tbs_certificate), _TbsCertificate)
    serial = 1 if parts[0].tag_bytes == b"\xa0" else 0  # behind the version, which version 1 has not
    return tlv(_IssuerAndSerialNumber(issuer=parts[serial + 2], serial=parts[serial]))


# ---- reading ---------------------------------------------------------------------------------------------------


@asn1.sequence
class _Single:
    """To take a TLV for something that has no type of its own, such as a list."""

    value: TLV


@asn1.sequence
class _Recipients:
    value: SetOf[RecipientInfo]


@asn1.sequence
class _Attributes:
    value: Annotated[SetOf[TLV], Implicit(1)]


@asn1.sequence
class _Algorithm:
    value: list[TLV]


@asn1.sequence
class _EncryptedContentOutline:
    content_type: TLV
    encryption: TLV
    encrypted: Annotated[bytes, Implicit(0)]


def _outline(parts: int) -> type:
    """A SEQUENCE of so many TLVs: which of them are there is told by their tags."""
    return asn1.sequence(type(f"_Outline{parts}", (), {"__annotations__": {f"part{n}": TLV for n in range(parts)}}))


# version, OriginatorInfo?, recipients, content, attributes?, and of AuthEnvelopedData the MAC and more attributes?
_OUTLINES = [_outline(parts) for parts in range(3, 8)]
_RECIPIENTS, _CONTENT, _AUTHENTICATED, _MAC = b"\x31", b"\x30", b"\xa1", b"\x04"


class Message(NamedTuple):
    """What is needed of an EnvelopedData or, if there is a MAC, an AuthEnvelopedData."""

    recipients: list[Any]
    content: EncryptedContentInfo
    mac: bytes | None
    authenticated: bytes  # the DER of the authenticated attributes, empty without any


def read_message(blob: bytes) -> Message:
    """The message at the start of a blob, behind which there may be zero bytes. ValueError if there is none."""
    if len(blob) > MAX_BYTES:
        raise ValueError("a message of more than 64 MiB")
    try:
        return _message(_content_info(blob))
    except ValueError:
        return _message(decode_der(ContentInfo, _as_der(blob)))


def _content_info(blob: bytes) -> ContentInfo:
    """The message without the padding. DER that has an end of its own fits one length only."""
    for end in range(len(blob), max(len(blob) - MAX_PADDING, 0), -1):
        try:
            return decode_der(ContentInfo, blob[:end])
        except ValueError:
            if blob[end - 1] != 0:
                break
    raise ValueError("not a message in DER")


def _message(found: ContentInfo) -> Message:
    parts = _parts(found.content)
    mac = parts.get(_MAC)
    if found.content_type != (ENVELOPED_DATA if mac is None else AUTH_ENVELOPED_DATA):
        raise ValueError("not an encrypted message")
    attributes = None if mac is None else parts.get(_AUTHENTICATED)
    return Message(
        _within(parts[_RECIPIENTS], _Recipients).as_list(),
        _encrypted_content(parts[_CONTENT]),
        None if mac is None else mac.parse(bytes),
        b"" if attributes is None else encode_der(_within(attributes, _Attributes)),
    )


def _parts(content: TLV) -> dict[bytes, TLV]:
    """The parts of EnvelopedData or AuthEnvelopedData by their tags; none but the content is large."""
    for outline in _OUTLINES:
        try:
            found = content.parse(outline)
        except ValueError:
            continue
        parts = {part.tag_bytes: part for part in vars(found).values()}
        large = {tag for tag, part in parts.items() if len(part.data) > MAX_PART_BYTES}
        if large <= {_CONTENT} and parts.keys() >= {_RECIPIENTS, _CONTENT}:
            return parts
    raise ValueError("not an encrypted message")


def _encrypted_content(content: TLV) -> EncryptedContentInfo:
    found = content.parse(_EncryptedContentOutline)
    if len(found.encryption.data) > MAX_PART_BYTES:
        raise ValueError("an AlgorithmIdentifier of more than 1 MiB")
    return EncryptedContentInfo(
        content_type=found.content_type.parse(ObjectIdentifier),
        encryption=algorithm_of(found.encryption),
        encrypted=found.encrypted,
    )


def _within(found: TLV, kind: type) -> Any:
    """A TLV as the type of the one field `value` of `kind`."""
    return decode_der(kind, encode_der(_Single(value=found))).value


# ---- BER -------------------------------------------------------------------------------------------------------

_STEPS = 10_000
_BYTES_PER_STEP = 128  # a piece of a string takes five steps, and writers make pieces of a thousand bytes and more


class _MeteredStream(io.BytesIO):
    """Ends after so many reads for so many bytes, so that a message of tiny pieces does not take minutes."""

    def __init__(self, blob: bytes) -> None:
        super().__init__(blob)
        self._steps = _STEPS + len(blob) // _BYTES_PER_STEP

    def read(self, size: int | None = -1, /) -> bytes:
        self._steps -= 1
        if self._steps < 0:
            raise ValueError("BER in too many pieces")
        return super().read(size)


def _as_der(blob: bytes) -> bytes:
    """A message in BER as DER. ValueError whatever is wrong with it."""
    from pyasn1.codec.ber import decoder
    from pyasn1.codec.der import encoder
    from pyasn1_modules import rfc5083, rfc5652

    is_authenticated = encode_der(AUTH_ENVELOPED_DATA) in blob[:32]
    kind = rfc5083.AuthEnvelopedData if is_authenticated else rfc5652.EnvelopedData
    try:
        message, rest = decoder.decode(_MeteredStream(blob), asn1Spec=_schema(kind))
        der: bytes = encoder.encode(message)
    except Exception as error:  # pyasn1 promises no class of exceptions for what nobody should have written
        raise ValueError("not a message in BER") from error
    if any(rest):
        raise ValueError("something behind the message")
    return der


def _schema(content: Any) -> Any:
    """ContentInfo with its content: as ANY, pyasn1 would take it without the end of an indefinite length."""
    from pyasn1.type import namedtype, tag, univ

    explicit = tag.Tag(tag.tagClassContext, tag.tagFormatConstructed, 0)
    fields = namedtype.NamedTypes(
        namedtype.NamedType("contentType", univ.ObjectIdentifier()),
        namedtype.NamedType("content", content().subtype(explicitTag=explicit)),
    )
    return univ.Sequence(componentType=fields)

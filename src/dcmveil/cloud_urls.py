"""URLs of objects in stores: which texts are some, and how they may be shown. Loads nothing."""

from __future__ import annotations

__all__ = ["is_url", "scheme_of", "shown"]

_WEB = ("http", "https")


def scheme_of(text: str) -> str:
    """The scheme of a URL in small letters, "" for what is none (RFC 3986 3.1)."""
    scheme, separator, _rest = text.partition("://")
    plain = scheme.replace("+", "").replace("-", "").replace(".", "")
    if separator and plain.isascii() and plain.isalnum() and scheme[0].isalpha():
        return scheme.lower()
    return ""


def is_url(text: str) -> bool:
    """Does it name an object in a store, and not a file?"""
    return scheme_of(text) != ""


def shown(text: str) -> str:
    """A URL as it may be shown: without user, password, query and fragment, which may let anyone in. Paths as they are.

    The container that stands before the @ of an `abfs://` URL stays, unless a colon says that it is no container.
    """
    scheme = scheme_of(text)
    if not scheme:
        return text
    start, _separator, rest = text.partition("://")
    rest, question, _query = rest.partition("?")
    if scheme in _WEB:
        rest, hash_sign, _fragment = rest.partition("#")
        question = question or hash_sign
    place, slash, path = rest.partition("/")
    user, _at, host = place.rpartition("@")
    if scheme in _WEB or ":" in user:
        place = host
    return f"{start}://{place}{slash}{path}" + "?..." * bool(question)

"""Stores as fsspec has them: their file systems, what may be wrong with them, and their objects, read by ranges.

Messages of stores and libraries are never passed on: they have URLs with their queries in them, and who knows what
else. What went wrong is told by its kind, or by the store's own word for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from dcmveil.cloud_urls import scheme_of, shown
from dcmveil.errors import DcmveilError, InputError, OutputError

__all__ = [
    "CHANGED",
    "CHANGED_CODES",
    "EXTRA",
    "LOST",
    "Remote",
    "StoredObject",
    "code_of",
    "file_system",
    "reading",
    "writing",
]

CHANGED = "changed while it was being read"
CHANGED_CODES = ("PreconditionFailed", "412", "InvalidRange", "416")

EXTRA = "URLs need the extra: pip install 'dcmveil[cloud]'"
_SCHEMES = {
    "s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "abfs", "abfss": "abfs",
    "http": "http", "https": "http",
}  # fmt: skip
_PIECE = 1 << 22
_MARKS = (
    "size", "ETag", "etag", "generation", "md5Hash", "content_md5", "mtime", "updated", "last_modified", "LastModified",
)  # fmt: skip
# A connection that breaks off, as the libraries call it.
LOST = (
    "ResponseStreamingError", "ClientPayloadError", "IncompleteReadError", "ServerDisconnectedError",
    "ConnectionClosedError", "ClientOSError",
)  # fmt: skip
_BY_NAME = {
    "NoCredentialsError": "no credentials were found",
    "PartialCredentialsError": "the credentials are not complete",
    "CredentialRetrievalError": "no credentials could be had",
    "NoAuthWithAnonymousError": "no credentials were found",
    "EndpointConnectionError": "the store cannot be reached",
    "ClientConnectorError": "the server cannot be reached",
    "ClientConnectorDNSError": "the server cannot be found",
    "NoRegionError": "no region is set",
    **dict.fromkeys(LOST, "the connection was lost"),
}
_BY_KIND: tuple[tuple[type[BaseException], str], ...] = (
    (FileNotFoundError, "is not there"),
    (PermissionError, "access is denied"),
    (TimeoutError, "there was no answer in time"),
    (ConnectionError, "the connection was lost"),
)


class Remote(Protocol):
    """An object in a store as it was when it was opened: of `size` bytes, the first ones of which may be here."""

    size: int
    head: bytes

    def read(self, start: int, stop: int) -> bytes:
        """All bytes from `start` to `stop`. Raises InputError."""

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        """The same, as they come."""

    def check(self) -> None:
        """Raises InputError if it is no longer what it was."""


def file_system(url: str, **options: Any) -> Any:
    """What fsspec has for a URL. DcmveilError if what that needs is not installed, InputError if there is none."""
    scheme = scheme_of(url)
    if scheme not in _SCHEMES:
        raise InputError(f"{scheme}:// is no kind of store that is known here: {', '.join(_SCHEMES)}")
    try:
        import fsspec
    except ImportError:
        raise DcmveilError(EXTRA) from None
    try:
        return fsspec.filesystem(_SCHEMES[scheme], **options)
    except ImportError:
        raise DcmveilError(EXTRA) from None
    except Exception as error:  # what libraries of stores raise has no common base
        raise InputError(f"cannot be opened: {_problem_of(error)}") from None


# ---- what went wrong -------------------------------------------------------------------------------------------------


@contextmanager
def reading() -> Iterator[None]:
    """Around calls that read: whatever they raise becomes an InputError that may be shown."""
    try:
        yield
    except DcmveilError:
        raise
    except Exception as error:
        if code_of(error) in CHANGED_CODES:
            raise InputError(CHANGED) from None
        raise InputError(f"cannot be read: {_problem_of(error)}") from None


@contextmanager
def writing(url: str) -> Iterator[None]:
    """Around calls that write to a URL: whatever they raise becomes an OutputError that may be shown."""
    try:
        yield
    except DcmveilError:
        raise
    except Exception as error:
        raise OutputError(f"{shown(url)}: not written: {_problem_of(error)}") from None


def code_of(error: BaseException | None) -> str:
    """The store's own word for an error, such as NoSuchKey; "" if it has said nothing."""
    while error is not None:
        response = getattr(error, "response", None)
        if isinstance(response, dict):
            code = str(response.get("Error", {}).get("Code", ""))
            return code if code.isascii() and code.isalnum() else ""
        error = error.__cause__
    return ""


def _problem_of(error: BaseException) -> str:
    by_name = _BY_NAME.get(type(error).__name__)
    if by_name is not None:
        return by_name
    code = code_of(error)
    found = next((text for kind, text in _BY_KIND if isinstance(error, kind)), None)
    if found is not None:
        return f"{found} ({code})" if code and not code.isdecimal() else found
    if code:
        return f"the store says {code}"
    status = getattr(error, "status", None)
    return f"the server says {status}" if isinstance(status, int) else f"failed ({type(error).__name__})"


# ---- objects ---------------------------------------------------------------------------------------------------------


class StoredObject:
    """An object of any store, by what all file systems of fsspec can do."""

    head = b""

    def __init__(self, fs: Any, url: str) -> None:
        with reading():
            self._fs = fs
            self._path = fs._strip_protocol(url)
            self._marks = self._look()
        self.size = int(self._marks["size"])

    def _look(self) -> dict[str, Any]:
        """What tells one state of the object from another."""
        self._fs.invalidate_cache()
        found = self._fs.info(self._path)
        if found.get("type") == "directory":
            raise InputError("is no object, but a folder of them")
        return {name: found.get(name) for name in _MARKS}

    def read(self, start: int, stop: int) -> bytes:
        with reading():
            data = self._fs.cat_file(self._path, start=start, end=stop)
        if len(data) != stop - start:
            raise InputError(CHANGED)
        return bytes(data)

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        for at in range(start, stop, _PIECE):
            yield self.read(at, min(stop, at + _PIECE))

    def check(self) -> None:
        with reading():
            if self._look() != self._marks:
                raise InputError(CHANGED)

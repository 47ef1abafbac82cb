"""Objects of servers that answer to ranges with a stream of bytes: S3 and HTTP. A stream that breaks off is resumed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from typing import Any
from urllib.parse import urlsplit

from dcmveil.cloud_stores import CHANGED, LOST, file_system, reading
from dcmveil.errors import InputError

__all__ = ["HttpObject", "RangedObject", "S3Object", "place_of"]

_PIECE = 1 << 18
_FIRST = 1 << 16
_PATIENCE = 60  # seconds without a byte; how long all of it takes nobody can know
_TRIES = 4  # in a row without a byte
_OK, _PARTIAL, _CHANGED, _NO_SUCH_RANGE = 200, 206, 412, 416
_IDENTITY = {"Accept-Encoding": "identity"}  # ranges are of the bytes as they are stored


class RangedObject(ABC):
    """What both have in common; `dcmveil.cloud_stores.Remote` says what is offered."""

    size: int
    head = b""

    def __init__(self, fs: Any) -> None:
        from fsspec.asyn import sync

        self._fs = fs
        self._sync = sync

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.size} bytes)"

    @abstractmethod
    async def _open(self, start: int, stop: int) -> Any:
        """The stream of a range: what has `read(count)` and can be closed. InputError if the object has changed."""

    @abstractmethod
    def check(self) -> None:
        """Raises InputError if it is no longer what it was."""

    def read(self, start: int, stop: int) -> bytes:
        return b"".join(self.pieces(start, stop))

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        tries = 0
        while start < stop:
            tries += 1
            try:
                for piece in self._stream(start, stop):
                    start, tries = start + len(piece), 0
                    yield piece
            except Exception as error:
                if tries == _TRIES or not _is_lost(error):
                    with reading():
                        raise

    def _stream(self, start: int, stop: int) -> Iterator[bytes]:
        """A range until its stream ends, which may be too early."""
        stream = self._sync(self._fs.loop, self._open, start, stop)
        try:
            while start < stop and (piece := self._sync(self._fs.loop, stream.read, min(_PIECE, stop - start))):
                start += len(piece)
                yield bytes(piece)
        finally:
            stream.close()
        if start < stop:
            raise ConnectionResetError


def _is_lost(error: Exception) -> bool:
    return isinstance(error, (ConnectionError, TimeoutError)) or type(error).__name__ in LOST


# ---- S3 --------------------------------------------------------------------------------------------------------------


def place_of(fs: Any, url: str) -> dict[str, str]:
    """Bucket, Key and, if the URL ends with `?versionId=`, VersionId. fsspec's own answer forgets that."""
    url, _separator, version = url.partition("?versionId=")
    bucket, key, _version = fs.split_path(url)
    return {"Bucket": bucket, "Key": key, **({"VersionId": version} if version else {})}


class S3Object(RangedObject):
    """An object in S3, or what speaks like it. All is read on the condition that its ETag is the same."""

    def __init__(self, fs: Any, url: str) -> None:
        super().__init__(fs)
        self.place = place_of(fs, url)
        if not self.place["Key"]:
            raise InputError("is no object, but a bucket")
        with reading():
            found = fs.call_s3("head_object", **self.place)
        self.size = int(found["ContentLength"])
        self.etag = str(found["ETag"])

    async def _open(self, start: int, stop: int) -> Any:
        found = await self._fs._call_s3(
            "get_object", **self.place, Range=f"bytes={start}-{stop - 1}", IfMatch=self.etag
        )  # fmt: skip
        if found["ETag"] != self.etag or found["ContentLength"] != stop - start:
            found["Body"].close()
            raise InputError(CHANGED)
        return found["Body"]

    def check(self) -> None:
        with reading():
            found = self._fs.call_s3("head_object", **self.place)
        if (found["ETag"], found["ContentLength"]) != (self.etag, self.size):
            raise InputError(CHANGED)


# ---- HTTP ------------------------------------------------------------------------------------------------------------


class _Body:
    """The stream of an answer. Closing it early drops the connection."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    async def read(self, count: int) -> bytes:
        return bytes(await self._answer.content.read(count))

    def close(self) -> None:
        self._answer.close()


class HttpObject(RangedObject):
    """What a web server gives for a URL. `whole` is the stream of all of it if the server does not do ranges."""

    def __init__(self, url: str) -> None:
        super().__init__(file_system(url))
        if not urlsplit(url).hostname:
            raise InputError("is no URL of a server")
        self._url = self._fs.encode_url(url)
        self.whole: Generator[bytes, None, None] | None = None
        self._marks: tuple[str | None, ...] = ()
        with reading():
            self._sync(self._fs.loop, self._begin)

    async def _begin(self) -> None:
        answer = await self._get({"Range": f"bytes=0-{_FIRST - 1}"})
        self._marks = _marks_of(answer)
        self.size = 0
        if answer.status == _PARTIAL and (size := _size_of(answer)) is not None:
            self.size = size
            self.head = await answer.content.readexactly(min(_FIRST, size))
        elif answer.status == _OK:
            self.whole = self._all_of(_Body(answer), answer.headers.get("Content-Length"))
        elif answer.status != _NO_SUCH_RANGE or _size_of(answer) != 0:
            answer.close()
            raise InputError(_refusal(answer.status))

    async def _get(self, headers: dict[str, str]) -> Any:
        from aiohttp import ClientTimeout

        session = await self._fs.set_session()
        options = {"timeout": ClientTimeout(total=None, sock_connect=_PATIENCE, sock_read=_PATIENCE), **self._fs.kwargs}
        headers = {**options.pop("headers", {}), **_IDENTITY, **headers}
        answer = await session.get(self._url, headers=headers, **options)
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            answer.close()
            raise InputError("cannot be read: the server compresses it")
        return answer

    def _all_of(self, body: _Body, length: str | None) -> Generator[bytes, None, None]:
        """Everything, once. The answer tells its end by its length, or by its last chunk; else there is none."""
        try:
            with reading():
                while piece := self._sync(self._fs.loop, body.read, _PIECE):
                    self.size += len(piece)
                    yield piece
        finally:
            body.close()
        if length is not None and self.size != int(length):
            raise InputError("cannot be read: the connection was lost")

    async def _open(self, start: int, stop: int) -> Any:
        etag = self._marks[0]
        condition = {"If-Match": etag} if etag is not None and not etag.startswith("W/") else {}
        answer = await self._get({"Range": f"bytes={start}-{stop - 1}", **condition})
        if answer.status == _PARTIAL and _marks_of(answer) == self._marks and _starts_at(answer) == start:
            return _Body(answer)
        answer.close()
        changed = (_OK, _PARTIAL, _CHANGED, _NO_SUCH_RANGE)
        raise InputError(CHANGED if answer.status in changed else _refusal(answer.status))

    def check(self) -> None:
        """By reading the first byte once more: servers that let nobody ask for headers alone are not rare."""
        if self.whole is None and self.size:
            with reading():
                self.read(0, 1)


def _refusal(status: int) -> str:
    words = {401: "access is denied", 403: "access is denied", 404: "is not there", 410: "is not there"}
    return f"cannot be read: {words.get(status, f'the server says {status}')}"


def _marks_of(answer: Any) -> tuple[str | None, ...]:
    """What tells one state of the object from another."""
    headers = answer.headers
    total = headers.get("Content-Range", "").rpartition("/")[2]
    return headers.get("ETag"), headers.get("Last-Modified"), total


def _size_of(answer: Any) -> int | None:
    """The last part of Content-Range (RFC 9110 14.4)."""
    total = answer.headers.get("Content-Range", "").rpartition("/")[2]
    return int(total) if total.isascii() and total.isdecimal() else None


def _starts_at(answer: Any) -> int | None:
    first = answer.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
    return int(first) if first.isascii() and first.isdecimal() else None

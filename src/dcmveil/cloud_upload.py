"""An object in S3 made of parts, of which the store copies those that are ranges of an object it has.

Of an upload in parts every part but the last must have 5 MiB. A header has not. With AWS it is therefore joined by the
first bytes of what follows it, which have to be read and sent for that: 5 MiB, however long the object is. Other stores
need not have that rule. There the header is a part of its own at first; and if the store does not want it when it is to
put the parts together, that part and the one after it are made anew as one.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from io import SEEK_END, BytesIO
from itertools import pairwise
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit
from zlib import crc32

from dcmveil.cloud_ranges import S3Object, place_of
from dcmveil.cloud_reading import Input, RemoteInput
from dcmveil.cloud_stores import CHANGED, CHANGED_CODES, code_of, writing
from dcmveil.errors import InputError, OutputError

__all__ = ["S3Target"]

_LEAST = 5 << 20
_MOST_PARTS = 9_000  # of the 10,000 there may be
_MOST_COPIED = 256 << 20  # bytes of a part: 5 GiB may be, but a request has to be answered in time
_AT_ONCE = 4
_SHORT = 1 << 20  # bytes of a header that are worth a part of their own
_TOO_SMALL = "EntityTooSmall"
_OF_AWS = (".amazonaws.com", ".amazonaws.com.cn")


class _Short(NamedTuple):
    """A part that is shorter than it may have to be, and the range of the input that the next part has."""

    number: int
    data: bytes
    source: Input
    start: int
    stop: int


class S3Target:
    """A Target (`dcmveil.cloud_writing`)."""

    def __init__(self, fs: Any, url: str, size: int | None) -> None:
        """`size`: of the input in bytes, if it is known; the output is about as long."""
        place = place_of(fs, url)
        if not place["Key"] or "VersionId" in place:
            raise OutputError("is no name of an object that could be written")
        self._fs = fs
        self._url = url
        self._place = place
        self._part_size = max(_LEAST, (size or 0) // _MOST_PARTS)
        self._most_copied = max(_MOST_COPIED, (size or 0) // _MOST_PARTS)
        self._upload: str | None = None
        self._etags: dict[int, str] = {}  # by the numbers of the parts
        self._last_number = 0
        self._gathered = BytesIO()
        self._range: tuple[RemoteInput, int, int] | None = None  # seen, but not yet in any part
        self._short: _Short | None = None
        self._copies = True
        self._read = self._copied = 0
        with writing(url):
            host = urlsplit(str(fs.s3.meta.endpoint_url)).hostname or ""
        self._is_strict = host.endswith(_OF_AWS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._upload is not None:
            with suppress(Exception):  # what led here is what has to be told
                self._fs.call_s3("abort_multipart_upload", **self._place, UploadId=self._upload)
            self._upload = None

    @property
    def methods(self) -> Mapping[str, int]:
        found = {"server": self._copied, "readwrite": self._read}
        return {name: count for name, count in found.items() if count}

    # -- in --

    def write(self, data: bytes | memoryview) -> None:
        self.settle()
        self._gather(data)

    def copy(self, source: Input, start: int, stop: int) -> None:
        if not (self._copies and isinstance(source, RemoteInput) and isinstance(source.remote, S3Object)):
            self.settle()
            self._take(source, start, stop)
        elif self._range is not None and self._range[2] == start:
            self._range = source, self._range[1], stop
        else:
            self.settle()
            self._range = source, start, stop

    def settle(self) -> None:
        """Give the range that is pending its parts."""
        if self._range is None:
            return
        (source, start, stop), self._range = self._range, None
        if stop - start < 2 * _LEAST:
            self._take(source, start, stop)
            return
        self._copy_range(source, self._join(source, start), stop)

    def commit(self) -> None:
        self.settle()
        with writing(self._url):
            if self._upload is None:
                self._fs.call_s3("put_object", **self._place, **_body_of(self._gathered))
                return
            self._flush()
            self._complete()
        self._upload = None

    def _gather(self, data: bytes | memoryview) -> None:
        if self._gathered.tell() + len(data) > _SHORT:
            _reserve(self._gathered, self._part_size)
        with memoryview(data) as view:
            at = 0
            while at < len(view):
                at += self._gathered.write(view[at : at + self._part_size - self._gathered.tell()])
                if self._gathered.tell() == self._part_size:
                    self._flush()

    def _take(self, source: Input, start: int, stop: int) -> None:
        """A range by reading it."""
        for piece in source.pieces(start, stop):
            self._read += len(piece)
            self._gather(piece)

    # -- parts --

    def _join(self, source: Input, start: int) -> int:
        """Let what is gathered be a part, with bytes from `start` on if it needs them. Returns where the rest is."""
        count = self._gathered.tell()
        if not count:
            return start
        if self._is_strict or self._short is not None or count > _SHORT:
            end = start + max(0, _LEAST - count)
            self._take(source, start, end)
            self._flush()
            return end
        self._short = _Short(self._last_number + 1, self._gathered.getvalue()[:count], source, start, start + _LEAST)
        self._flush()
        return start

    def _copy_range(self, source: RemoteInput, start: int, stop: int) -> None:
        """By the store if it does that. The first part tells."""
        first, *others = pairwise([start, *self._bounds(start, stop)])
        with writing(self._url):
            self._begin()
            try:
                self._run([self._copied_part(source, *first)])
            except InputError:
                raise
            except Exception:
                self._copies = False
            else:
                self._run([self._copied_part(source, *bounds) for bounds in others])
                self._copied += stop - start
                return
        self._last_number -= 1
        self._take_back_short()
        self._take(source, start, stop)

    def _take_back_short(self) -> None:
        """Nothing is copied behind it."""
        if self._short is not None and self._short.number == self._last_number:
            del self._etags[self._last_number]
            self._last_number -= 1
            self._gathered.write(self._short.data)
            self._short = None

    def _bounds(self, start: int, stop: int) -> list[int]:
        """Where parts of a range end: alike, but for the one that may have to be made anew."""
        bounds = []
        if self._short is not None and self._short.start == start:
            start = self._short.stop
            bounds = [start]
        count = -(-(stop - start) // self._most_copied)
        return bounds + [start + (stop - start) * number // count for number in range(1, count + 1)]

    def _run(self, calls: list[Coroutine[Any, Any, None]]) -> None:
        """All of them, some at once; an error is raised when none is under way any more."""
        import asyncio

        from fsspec.asyn import sync

        async def run() -> None:
            turns = asyncio.Semaphore(_AT_ONCE)

            async def in_turn(call: Coroutine[Any, Any, None]) -> None:
                async with turns:
                    await call

            for error in await asyncio.gather(*map(in_turn, calls), return_exceptions=True):
                if error is not None:
                    raise error

        sync(self._fs.loop, run)

    def _copied_part(self, source: RemoteInput, start: int, stop: int) -> Coroutine[Any, Any, None]:
        number = self._next_number()
        remote = source.remote
        assert isinstance(remote, S3Object)

        async def copy() -> None:
            try:
                found = await self._fs._call_s3(
                    "upload_part_copy", **self._place, UploadId=self._upload, PartNumber=number,
                    CopySource=remote.place, CopySourceRange=f"bytes={start}-{stop - 1}", CopySourceIfMatch=remote.etag,
                )  # fmt: skip
            except Exception as error:
                if code_of(error) in CHANGED_CODES:
                    raise InputError(CHANGED) from None
                raise
            self._etags[number] = found["CopyPartResult"]["ETag"]

        return copy()

    def _flush(self) -> None:
        """Make a part of what is gathered."""
        if self._gathered.tell():
            data, self._gathered = self._gathered, BytesIO()
            with writing(self._url):
                self._begin()
                self._put(self._next_number(), data)

    def _put(self, number: int, data: BytesIO) -> None:
        found = self._fs.call_s3(
            "upload_part", **self._place, UploadId=self._upload, PartNumber=number, **_body_of(data)
        )  # fmt: skip
        self._etags[number] = found["ETag"]

    def _begin(self) -> None:
        if self._upload is None:
            self._upload = self._fs.call_s3("create_multipart_upload", **self._place)["UploadId"]

    def _next_number(self) -> int:
        self._last_number += 1
        return self._last_number

    # -- the end --

    def _complete(self) -> None:
        try:
            self._put_together()
        except Exception as error:
            if self._short is None or code_of(error) != _TOO_SMALL:
                raise
            self._mend(self._short)
            self._put_together()

    def _put_together(self) -> None:
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in sorted(self._etags.items())]
        self._fs.call_s3(
            "complete_multipart_upload", **self._place, UploadId=self._upload, MultipartUpload={"Parts": parts}
        )  # fmt: skip

    def _mend(self, short: _Short) -> None:
        """One part of the short one and the next."""
        data = BytesIO()
        _reserve(data, len(short.data) + short.stop - short.start)
        data.write(short.data)
        data.writelines(short.source.pieces(short.start, short.stop))
        self._put(short.number, data)
        del self._etags[short.number + 1]
        self._read += short.stop - short.start
        self._copied -= short.stop - short.start


def _reserve(data: BytesIO, size: int) -> None:
    """Room for so many bytes at once: growing there it would be twice as large for a moment."""
    at = data.tell()
    if data.seek(0, SEEK_END) < size:
        data.seek(size - 1)
        data.write(b"\0")
    data.seek(at)


def _body_of(data: BytesIO) -> dict[str, Any]:
    """What is to be sent, as a stream, which is not copied on its way. Sent once more from anywhere but its beginning
    it would not have its checksum, so that the store would not take it."""
    data.truncate()
    with data.getbuffer() as view:
        checksum = crc32(view).to_bytes(4, "big")
    data.seek(0)
    return {"Body": data, "ChecksumCRC32": b64encode(checksum).decode("ascii")}

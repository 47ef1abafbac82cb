"""What stores and servers had better not answer, and files that shrink: an error, and nothing taken for whole."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dcmveil import cloud
from dcmveil.cloud_ranges import HttpObject, RangedObject, S3Object
from dcmveil.cloud_reading import LocalInput
from dcmveil.cloud_stores import StoredObject
from dcmveil.cloud_writing import ScriptOutput
from dcmveil.errors import InputError
from dcmveil.held import Segment


class Body:
    """A stream that ends after what it was given."""

    def __init__(self, data: bytes) -> None:
        self._left = data
        self.is_closed = False

    async def read(self, count: int) -> bytes:
        piece, self._left = self._left[:count], self._left[count:]
        return piece

    def close(self) -> None:
        self.is_closed = True


def run(_loop: object, work: Callable[..., Any], *arguments: object) -> Any:
    """What fsspec's sync does."""
    return asyncio.run(work(*arguments))


def made(kind: type, **attributes: Any) -> Any:
    """An object of a store that nobody was asked for."""
    found = object.__new__(kind)
    vars(found).update({"_fs": SimpleNamespace(loop=None), "_sync": run, **attributes})
    return found


class Ranged(RangedObject):
    body: Body

    async def _open(self, start: int, stop: int) -> Body:
        return self.body

    def check(self) -> None:
        """Nothing to be asked."""


def test_a_range_that_ends_too_early_is_a_lost_connection() -> None:
    whole, cut = made(Ranged, body=Body(b"0123456789")), made(Ranged, body=Body(b"0123"))
    assert b"".join(whole._stream(0, 10)) == b"0123456789"
    with pytest.raises(ConnectionResetError):
        list(cut._stream(0, 10))
    assert whole.body.is_closed
    assert cut.body.is_closed


@pytest.mark.parametrize("answer", [{"ETag": "other", "ContentLength": 10}, {"ETag": "mine", "ContentLength": 9}])
def test_another_object_under_the_same_key_is_not_read_on(answer: dict[str, Any]) -> None:
    body = Body(b"VEILME")

    async def call(*_arguments: object, **_options: object) -> dict[str, Any]:
        return {**answer, "Body": body}

    found = made(S3Object, etag="mine", place={"Bucket": "b", "Key": "k"})
    found._fs = SimpleNamespace(loop=None, _call_s3=call)
    with pytest.raises(InputError, match="changed"):
        asyncio.run(found._open(0, 10))
    assert body.is_closed


def test_an_answer_shorter_than_it_says_is_not_whole() -> None:
    for length, is_whole in (("6", True), (None, True), ("7", False)):
        body, found = Body(b"VEILME"), made(HttpObject, size=0)
        if is_whole:
            assert b"".join(found._all_of(body, length)) == b"VEILME"
        else:
            with pytest.raises(InputError, match="the connection was lost"):
                list(found._all_of(body, length))
        assert body.is_closed


def test_what_comes_as_one_stream_is_not_asked_for_again() -> None:
    def never(*_arguments: object) -> bytes:
        raise AssertionError("asked for a range")

    made(HttpObject, whole=iter([b"VEILME"]), size=6, read=never).check()
    made(HttpObject, whole=None, size=0, read=never).check()


def store(**answers: Any) -> Any:
    return SimpleNamespace(
        _strip_protocol=lambda url: url,
        invalidate_cache=lambda: None,
        info=lambda _path: answers["info"],
        cat_file=lambda _path, start, end: b"VEILME"[start:end],
    )


def test_a_folder_of_a_store_is_no_object() -> None:
    with pytest.raises(InputError, match="a folder of them"):
        StoredObject(store(info={"type": "directory", "size": 0}), "memory://folder")


def test_an_object_of_a_store_that_shrinks_has_changed() -> None:
    found = StoredObject(store(info={"type": "file", "size": 10}), "memory://object")
    assert found.read(0, 6) == b"VEILME"
    with pytest.raises(InputError, match="changed"):
        found.read(0, 10)


def test_a_file_that_shrinks_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "in"
    path.write_bytes(b"VEILME" * 10)
    fd = os.open(path, os.O_RDONLY)
    try:
        found = LocalInput(fd)
        assert b"".join(found.pieces(0, 60)) == b"VEILME" * 10
        os.truncate(path, 30)
        with pytest.raises(InputError, match="shrank"):
            list(found.pieces(0, 60))
    finally:
        os.close(fd)


def test_what_was_never_had_is_not_passed_on() -> None:
    target = SimpleNamespace(write=lambda _data: None, methods={})
    with pytest.raises(ValueError, match="never passed over"):
        cloud._pass_on([Segment(0, 10, None)], target)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="was not to be kept"):
        ScriptOutput(SimpleNamespace(size=10), target, keeps=False).source()  # type: ignore[arg-type]

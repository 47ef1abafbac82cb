"""Stores of which nothing is known but what all file systems of fsspec can do: `gs://`, `az://`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import _registry
from fsspec.spec import AbstractBufferedFile

from dcmveil import Policy, deidentify_file, plan_file
from dcmveil.cloud import deidentify_url, plan_url
from dcmveil.errors import InputError, OutputError, ParseError
from tests.cloud.objects import native
from tests.reversible.keys import SECRET

MIB = 1 << 20
POLICY = Policy(secret=SECRET)
BULK = b"".join(native(12 * MIB))


class StoreFile(AbstractBufferedFile):
    """Goes out in blocks, and is there when it has been closed: as those of gcsfs, adlfs and s3fs."""

    def _initiate_upload(self) -> None:
        self.blocks: list[bytes] = []

    def _upload_chunk(self, final: bool = False) -> bool:
        if self.fs.fails:
            raise OSError("https://host/VEILME0001?SECRET")
        self.blocks.append(self.buffer.getvalue())
        if final:
            self.fs.objects[self.path] = b"".join(self.blocks)
        return True


class StoreOfBlocks(MemoryFileSystem):
    """A store in memory."""

    protocol = "gs"
    cachable = False
    objects: ClassVar[dict[str, bytes]] = {}
    asked: ClassVar[list[int]] = []
    fails = False

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path.removeprefix("gs://")

    def info(self, path: str, **_more: Any) -> dict[str, Any]:
        if path not in self.objects:
            raise FileNotFoundError(path)
        data = self.objects[path]
        return {"name": path, "size": len(data), "type": "file", "generation": str(hash(data))}

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **_more: Any) -> bytes:
        data = self.objects[path][start:end]
        self.asked.append(len(data))
        return data

    def _open(self, path: str, mode: str = "rb", **_more: Any) -> Any:
        return StoreFile(self, path, mode)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> type[StoreOfBlocks]:
    monkeypatch.setitem(_registry, "gs", StoreOfBlocks)
    StoreOfBlocks.objects.clear()
    StoreOfBlocks.asked.clear()
    return StoreOfBlocks


def expected_of(data: bytes, folder: Path) -> bytes:
    (folder / "in.dcm").write_bytes(data)
    deidentify_file(folder / "in.dcm", folder / "expected.dcm", POLICY)
    return (folder / "expected.dcm").read_bytes()


def test_there_and_back(store: type[StoreOfBlocks], tmp_path: Path) -> None:
    expected = expected_of(BULK, tmp_path)
    store.objects["b/in.dcm"] = BULK
    deidentify_url("gs://b/in.dcm", "gs://b/out.dcm", POLICY)
    assert store.objects["b/out.dcm"] == expected
    deidentify_url("gs://b/in.dcm", str(tmp_path / "out.dcm"), POLICY)
    assert (tmp_path / "out.dcm").read_bytes() == expected
    deidentify_url(str(tmp_path / "in.dcm"), "gs://b/in.dcm", POLICY)
    assert store.objects["b/in.dcm"] == expected


def test_of_bulk_a_dry_run_reads_nothing(store: type[StoreOfBlocks], tmp_path: Path) -> None:
    store.objects["b/in.dcm"] = BULK
    (tmp_path / "in.dcm").write_bytes(BULK)
    assert plan_url("gs://b/in.dcm", POLICY).edits == plan_file(tmp_path / "in.dcm", POLICY).edits
    assert sum(store.asked) < MIB


def test_what_fails_leaves_what_was_there(store: type[StoreOfBlocks], monkeypatch: pytest.MonkeyPatch) -> None:
    store.objects |= {"b/in.dcm": BULK[:-1], "b/out.dcm": b"before"}
    with pytest.raises(ParseError):
        deidentify_url("gs://b/in.dcm", "gs://b/out.dcm", POLICY)
    store.objects["b/in.dcm"] = BULK
    monkeypatch.setattr(store, "fails", True)
    with pytest.raises(OutputError) as failed:
        deidentify_url("gs://b/in.dcm", "gs://b/out.dcm", POLICY)
    assert str(failed.value) == "gs://b/out.dcm: not written: failed (OSError)"
    assert store.objects["b/out.dcm"] == b"before"


@pytest.mark.parametrize("data", [bytes(len(BULK)), BULK + b"\0", None])
def test_a_change_meanwhile_is_noticed(
    data: bytes | None, store: type[StoreOfBlocks], monkeypatch: pytest.MonkeyPatch
) -> None:
    store.objects["b/in.dcm"] = BULK
    real = Policy.planner

    def then_it_changes(*arguments: Any, **more: Any) -> Any:
        planner = real(*arguments, **more)
        monkeypatch.setattr(Policy, "planner", real)
        changes.append(store.objects.pop("b/in.dcm"))
        if data is not None:
            store.objects["b/in.dcm"] = data
        return planner

    changes = list[bytes]()
    monkeypatch.setattr(StoreOfBlocks, "cat_file", lambda self, path, start, end, **more: BULK[start:end])
    monkeypatch.setattr(Policy, "planner", then_it_changes)
    with pytest.raises(InputError, match=r"changed while it was being read|is not there"):
        deidentify_url("gs://b/in.dcm", "gs://b/out.dcm", POLICY)
    assert changes
    assert "b/out.dcm" not in store.objects


def test_what_is_not_there_is_said(store: type[StoreOfBlocks]) -> None:
    with pytest.raises(InputError, match=r"^cannot be read: is not there$"):
        deidentify_url("gs://b/none.dcm", "gs://b/out.dcm", POLICY)

"""How much is read and held of an object whose bulk stays where it is, counted outside of the process that does it."""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from dcmveil import Policy, deidentify_file
from dcmveil.cloud import plan_url
from dcmveil.cloud_ranges import RangedObject
from tests.cloud.objects import filled, native
from tests.cloud.support import BUCKET, CREDENTIALS, Store, passage, served
from tests.reversible.keys import SECRET
from tests.synthetic import encapsulated_image
from tests.synthetic.rss import peak_rss

pytestmark = pytest.mark.ci

MIB = 1 << 20
LEAST_PART = 5 * MIB
POLICY = Policy(secret=SECRET)
CLIENT = (
    "import sys\nfrom dcmveil import Policy\nfrom dcmveil.cloud import deidentify_url\n"
    f"deidentify_url(sys.argv[1], sys.argv[2], Policy(secret={SECRET!r}))"
)


def moved(store: Store, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Bytes that a process receives, and its peak of resident memory, which de-identifies `large.dcm` in a store."""
    with passage(store) as counted:
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{counted.port}"}.items():
            monkeypatch.setenv(name, value)
        command = [sys.executable, "-c", CLIENT, f"s3://{BUCKET}/large.dcm", f"s3://{BUCKET}/out.dcm"]
        status, peak = peak_rss(command)
        assert status == 0
        return counted.received, peak * 1024


def assert_moved(store: Store, size: int, folder: Path) -> None:
    """What is in the store is what would be in a file. Compared piece by piece."""
    with open(folder / "in.dcm", "wb") as file:
        file.writelines(native(size))
    deidentify_file(folder / "in.dcm", folder / "out.dcm", POLICY)
    os.unlink(folder / "in.dcm")
    body = store.client.get_object(Bucket=BUCKET, Key="out.dcm")["Body"]
    with open(folder / "out.dcm", "rb") as file:
        while piece := file.read(MIB):
            assert body.read(MIB) == piece
    assert body.read(1) == b""


@pytest.mark.parametrize(
    ("size", "least_part", "most_read", "most_held"),
    [
        (96 * MIB, 1, 2 * MIB, 64 * MIB),
        (96 * MIB, LEAST_PART, LEAST_PART + 2 * MIB, 72 * MIB),
        pytest.param(1 << 30, 1, 2 * MIB, 64 * MIB, marks=pytest.mark.slow),
        pytest.param(1 << 30, LEAST_PART, LEAST_PART + 2 * MIB, 72 * MIB, marks=pytest.mark.slow),
    ],
    ids=["96 MiB", "96 MiB, parts of 5 MiB", "1 GiB", "1 GiB, parts of 5 MiB"],
)
def test_bulk_stays_where_it_is(
    size: int, least_part: int, most_read: int, most_held: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where parts of an upload need not have 5 MiB, less than 2 MiB are read; where they do, as with AWS, the first 5
    MiB of bulk have to be joined to the header, which the client has."""
    with served(str(size // MIB), least_part=least_part) as store:
        received, peak = moved(store, monkeypatch)
        assert_moved(store, size, tmp_path)
        assert store.uploads() == 0
    print(f"{size // MIB} MiB, parts of at least {least_part}: {received} bytes received, {peak / MIB:.1f} MiB held")
    assert received < most_read
    assert peak < most_held


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The ranges that are asked for."""
    asked = list[tuple[int, int]]()
    real = RangedObject.pieces

    def pieces(self: RangedObject, start: int, stop: int) -> Any:
        asked.append((start, stop))
        return real(self, start, stop)

    monkeypatch.setattr(RangedObject, "pieces", pieces)
    return asked


def test_small_fragments_are_read_in_large_windows(store: Store, requests: list[tuple[int, int]]) -> None:
    data = b"".join(filled(encapsulated_image(20_000, 600)))
    plan_url(store.put("in.dcm", data), POLICY)
    assert len(requests) < 8 + len(data) // MIB


def test_long_fragments_are_passed_over(store: Store, requests: list[tuple[int, int]]) -> None:
    data = b"".join(filled(encapsulated_image(12, 2 * MIB)))
    plan_url(store.put("in.dcm", data), POLICY)
    assert len(requests) < 16
    assert sum(stop - start for start, stop in requests) < MIB


def test_no_range_is_asked_for_twice(store: Store, requests: list[tuple[int, int]]) -> None:
    plan_url(store.put("in.dcm", b"".join(native(64 * MIB))), POLICY)
    assert all(before[1] <= after[0] for before, after in pairwise(requests))
    assert sum(stop - start for start, stop in requests) < MIB

"""What comes out is what comes out of files, wherever it comes from and wherever it goes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from dcmveil import Edits, Policy, deidentify_file, edit_file, parse_operation, plan_edits, plan_file
from dcmveil.cloud import deidentify_url, edit_url, plan_edits_url, plan_url, reidentify_url
from dcmveil.options import Options
from tests.cli.support import image
from tests.cloud.objects import filled, native
from tests.cloud.support import BUCKET, Store
from tests.hostile.forms import BIG, DEFLATED, EXPLICIT, IMPLICIT
from tests.reversible.keys import SECRET, envelope, opener
from tests.synthetic import ct_image, encapsulated_image, enhanced_ct

pytestmark = pytest.mark.ci

MIB = 1 << 20
POLICY = Policy(secret=SECRET)
ALL_OPTIONS = Policy(secret=SECRET, options=Options(clean_descriptors=True, modify_dates=True), verifies=True)
EDITS = Edits([parse_operation("replace", "PatientName=Nobody"), parse_operation("remove", "9,2,SOMEBODY")])

MADE: dict[str, Callable[[], bytes]] = {
    "ct": lambda: b"".join(filled(ct_image())),
    "implicit": lambda: image(IMPLICIT),
    "big-endian": lambda: image(BIG),
    "deflated": lambda: image(DEFLATED, *[DEFLATED.element(0x00204000, "LT", "VEILME" * 9000)] * 9),
    "long-header": lambda: b"".join(filled(enhanced_ct(400))),
    "fragments": lambda: b"".join(filled(encapsulated_image(3000, 700))),
    "long-fragments": lambda: b"".join(filled(encapsulated_image(3, 11 * MIB))),
    "bulk": lambda: b"".join(native(24 * MIB)) + EXPLICIT.element(0xFFFCFFFC, "OB", bytes(200)),
}


@cache
def data_of(name: str) -> bytes:
    return MADE[name]()


def from_file(data: bytes, folder: Path, work: Callable[[Path, Path], Any]) -> bytes:
    (folder / "file-in.dcm").write_bytes(data)
    work(folder / "file-in.dcm", folder / "file-out.dcm")
    return (folder / "file-out.dcm").read_bytes()


@pytest.mark.parametrize("name", MADE)
def test_in_a_store(name: str, any_store: Store, tmp_path: Path) -> None:
    expected = from_file(data_of(name), tmp_path, lambda source, target: deidentify_file(source, target, POLICY))
    url = any_store.put("in.dcm", data_of(name))
    report = deidentify_url(url, f"s3://{BUCKET}/out.dcm", POLICY)
    assert any_store.get("out.dcm") == expected
    assert (report.bytes_in, report.bytes_out) == (len(data_of(name)), len(expected))
    assert (report.source, report.target) == (url, f"s3://{BUCKET}/out.dcm")
    assert any_store.uploads() == 0


@pytest.mark.parametrize("name", ["ct", "deflated", "long-fragments", "bulk"])
def test_from_a_store_to_a_file_and_back(name: str, store: Store, tmp_path: Path) -> None:
    expected = from_file(data_of(name), tmp_path, lambda source, target: deidentify_file(source, target, POLICY))
    deidentify_url(store.put("in.dcm", data_of(name)), str(tmp_path / "out.dcm"), POLICY)
    assert (tmp_path / "out.dcm").read_bytes() == expected
    deidentify_url(str(tmp_path / "file-in.dcm"), f"s3://{BUCKET}/out.dcm", POLICY)
    assert store.get("out.dcm") == expected


def test_the_sample_with_options(store: Store, sample_image: Path, tmp_path: Path) -> None:
    data = sample_image.read_bytes()
    expected = from_file(data, tmp_path, lambda source, target: deidentify_file(source, target, ALL_OPTIONS))
    deidentify_url(store.put("in.dcm", data), f"s3://{BUCKET}/out.dcm", ALL_OPTIONS)
    assert store.get("out.dcm") == expected


@pytest.mark.parametrize("name", ["implicit", "deflated", "long-fragments", "bulk"])
def test_there_and_back_again(name: str, any_store: Store) -> None:
    url = any_store.put("in.dcm", data_of(name))
    deidentify_url(url, f"s3://{BUCKET}/hidden.dcm", Policy(secret=SECRET, envelope=envelope()))
    assert any_store.get("hidden.dcm") != data_of(name)
    report = reidentify_url(f"s3://{BUCKET}/hidden.dcm", f"s3://{BUCKET}/again.dcm", opener())
    assert any_store.get("again.dcm") == data_of(name)
    assert report.notice is None


@pytest.mark.parametrize("name", ["implicit", "bulk"])
def test_edits(name: str, store: Store, tmp_path: Path) -> None:
    expected = from_file(data_of(name), tmp_path, lambda source, target: edit_file(source, target, EDITS))
    edit_url(store.put("in.dcm", data_of(name)), f"s3://{BUCKET}/out.dcm", EDITS)
    assert store.get("out.dcm") == expected


def test_source_and_target_may_be_the_same(any_store: Store, tmp_path: Path) -> None:
    expected = from_file(data_of("bulk"), tmp_path, lambda source, target: deidentify_file(source, target, POLICY))
    url = any_store.put("in.dcm", data_of("bulk"))
    deidentify_url(url, url, POLICY)
    assert any_store.get("in.dcm") == expected


@pytest.mark.parametrize("name", ["ct", "bulk"])
def test_a_dry_run_says_the_same(name: str, store: Store, tmp_path: Path) -> None:
    (tmp_path / "in.dcm").write_bytes(data_of(name))
    url = store.put("in.dcm", data_of(name))
    assert plan_url(url, POLICY).edits == plan_file(tmp_path / "in.dcm", POLICY).edits
    assert plan_edits_url(url, EDITS).edits == plan_edits(tmp_path / "in.dcm", EDITS).edits
    assert store.names() == ["in.dcm"]


def test_a_name_may_have_anything_in_it(store: Store) -> None:
    url = store.put("a b/é#+%20.dcm", data_of("bulk"))
    deidentify_url(url, f"s3://{BUCKET}/c d/é#+%20.dcm", POLICY)
    assert store.names() == ["a b/é#+%20.dcm", "c d/é#+%20.dcm"]
    assert len(store.get("c d/é#+%20.dcm")) > 24 * MIB

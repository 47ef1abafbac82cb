"""From web servers, with ranges and without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dcmveil import Policy, deidentify_file, plan_file
from dcmveil.cloud import deidentify_url, plan_url, reidentify_url
from dcmveil.errors import DcmveilError, InputError, OutputError, ParseError
from tests.cloud.objects import filled, native
from tests.cloud.support import BUCKET, Store
from tests.cloud.web import serving
from tests.hostile.forms import DEFLATED
from tests.push.objects import PIXELS, uid_free
from tests.reversible.keys import SECRET, envelope, opener
from tests.synthetic import ct_image

MIB = 1 << 20
POLICY = Policy(secret=SECRET)
CT = b"".join(filled(ct_image()))
BULK = b"".join(native(12 * MIB))


def expected_of(data: bytes, folder: Path) -> bytes:
    (folder / "file-in.dcm").write_bytes(data)
    deidentify_file(folder / "file-in.dcm", folder / "file-out.dcm", POLICY)
    return (folder / "file-out.dcm").read_bytes()


@pytest.mark.parametrize("data", [CT, BULK], ids=["ct", "bulk"])
@pytest.mark.parametrize(
    "manners",
    [{}, {"etag": None}, {"etag": 'W/"weak"'}, {"ranges": False}, {"ranges": False, "length": False}],
    ids=["ranges", "no ETag", "weak ETag", "no ranges", "no length"],
)
def test_the_output_is_that_of_a_file(data: bytes, manners: dict[str, Any], tmp_path: Path) -> None:
    with serving(data, **manners) as web:
        report = deidentify_url(web.url, str(tmp_path / "out.dcm"), POLICY)
    assert (tmp_path / "out.dcm").read_bytes() == expected_of(data, tmp_path)
    assert (report.bytes_in, report.source) == (len(data), web.url)


@pytest.mark.parametrize("ranges", [True, False])
def test_into_a_store(ranges: bool, store: Store, tmp_path: Path) -> None:
    with serving(BULK, ranges=ranges) as web:
        deidentify_url(web.url, f"s3://{BUCKET}/out.dcm", POLICY)
    assert store.get("out.dcm") == expected_of(BULK, tmp_path)


def test_of_a_long_value_a_dry_run_reads_nothing(tmp_path: Path) -> None:
    (tmp_path / "in.dcm").write_bytes(BULK)
    with serving(BULK) as web:
        assert plan_url(web.url, POLICY).edits == plan_file(tmp_path / "in.dcm", POLICY).edits
        assert len(web.asked) <= 2
        assert all(int(asked.rpartition("-")[2]) < MIB // 2 for asked in web.asked if asked)
        web.ranges = False
        assert plan_url(web.url, POLICY).edits == plan_file(tmp_path / "in.dcm", POLICY).edits


def test_what_has_to_be_held_is_set_aside(tmp_path: Path) -> None:
    """An object with Encrypted Attributes is held to its end: not in memory if it is long."""
    with serving(BULK, ranges=False) as web:
        deidentify_url(web.url, str(tmp_path / "hidden.dcm"), Policy(secret=SECRET, envelope=envelope()))
    with serving((tmp_path / "hidden.dcm").read_bytes(), ranges=False) as web:
        reidentify_url(web.url, str(tmp_path / "again.dcm"), opener())
    assert (tmp_path / "again.dcm").read_bytes() == BULK


def test_what_is_long_only_when_inflated_is_set_aside(tmp_path: Path) -> None:
    """More than may be held comes out of a few bytes at once, as through a pipe."""
    data = uid_free(DEFLATED, DEFLATED.element(PIXELS, "OW", bytes(100 * MIB)))
    with serving(data, ranges=False) as web:
        deidentify_url(web.url, str(tmp_path / "out.dcm"), POLICY)
    assert (tmp_path / "out.dcm").read_bytes() == expected_of(data, tmp_path)


def test_a_lost_connection_is_taken_up_again(tmp_path: Path) -> None:
    with serving(BULK, cuts=[1 << 16, 100_000, 0, 3 * MIB]) as web:
        deidentify_url(web.url, str(tmp_path / "out.dcm"), POLICY)
        assert len(web.asked) > 4
    assert (tmp_path / "out.dcm").read_bytes() == expected_of(BULK, tmp_path)


@pytest.mark.parametrize("length", [True, False])
def test_without_ranges_it_is_not(length: bool, tmp_path: Path) -> None:
    """Nobody can tell the end of an answer without a length from a lost connection; the object can."""
    with serving(BULK, ranges=False, length=length, cuts=[MIB]) as web, pytest.raises((InputError, ParseError)):
        deidentify_url(web.url, str(tmp_path / "out.dcm"), POLICY)
    assert list(tmp_path.iterdir()) == []


def test_who_gives_up_says_so(tmp_path: Path) -> None:
    with serving(BULK, cuts=[1 << 16, *[0] * 99]) as web, pytest.raises(InputError, match="connection was lost"):
        deidentify_url(web.url, str(tmp_path / "out.dcm"), POLICY)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("heeds_conditions", [True, False])
@pytest.mark.parametrize("etag", ['"two"', 'W/"two"', None])
def test_a_change_meanwhile_is_noticed(
    heeds_conditions: bool, etag: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(BULK, heeds_conditions=heeds_conditions) as web:
        first = Policy.planner

        def then_it_changes(*arguments: Any, **more: Any) -> Any:
            web.etag = etag
            return first(*arguments, **more)

        monkeypatch.setattr(Policy, "planner", then_it_changes)
        with pytest.raises(InputError, match="changed while it was being read"):
            deidentify_url(web.url, str(tmp_path / "out.dcm"), POLICY)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("status", "said"), [(404, "is not there"), (403, "access is denied"), (500, "the server says 500")]
)
def test_what_a_server_refuses(status: int, said: str, tmp_path: Path) -> None:
    with serving(b"", status=status) as web, pytest.raises(InputError, match=said):
        deidentify_url(web.url, str(tmp_path / "out.dcm"), POLICY)


def test_what_is_compressed_on_the_way_has_no_ranges(tmp_path: Path) -> None:
    with serving(CT, encoding="gzip") as web, pytest.raises(InputError, match="compresses"):
        deidentify_url(web.url, str(tmp_path / "out.dcm"), POLICY)


def test_an_empty_object_is_no_object(tmp_path: Path) -> None:
    with serving(b"") as web, pytest.raises(DcmveilError) as empty:
        deidentify_url(web.url, str(tmp_path / "out.dcm"), POLICY)
    (tmp_path / "in.dcm").write_bytes(b"")
    with pytest.raises(type(empty.value)) as as_file:
        deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm", POLICY)
    assert str(empty.value) == str(as_file.value)


def test_web_servers_are_not_written_to(tmp_path: Path, sample_image: Path) -> None:
    with pytest.raises(OutputError, match=r"http://host/out\.dcm\?\.\.\.: not written: web servers are read from only"):
        deidentify_url(str(sample_image), "http://host/out.dcm?SECRET", POLICY)

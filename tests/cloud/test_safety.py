"""All or nothing, and nothing that is secret in what is said."""

from __future__ import annotations

import logging
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dcmveil import Policy, cloud_upload, deidentify_file
from dcmveil.cloud import deidentify_url, plan_url
from dcmveil.cloud_ranges import RangedObject
from dcmveil.cloud_reading import s3_file_system
from dcmveil.cloud_upload import S3Target
from dcmveil.errors import DcmveilError, InputError, OutputError, ParseError, Refused
from tests.cloud.conftest import entered
from tests.cloud.objects import native
from tests.cloud.support import BUCKET, CREDENTIALS, Store
from tests.cloud.web import serving
from tests.reversible.keys import SECRET

pytestmark = pytest.mark.ci

MIB = 1 << 20
POLICY = Policy(secret=SECRET)
BULK = b"".join(native(24 * MIB))
OUT = f"s3://{BUCKET}/out.dcm"


def before(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, action: Callable[[], object]) -> None:
    """Have something happen before a method is called for the first time."""
    real, done = getattr(owner, name), list[bool]()

    def with_action(*arguments: Any, **more: Any) -> Any:
        if not done:
            done.append(True)
            action()
        return real(*arguments, **more)

    monkeypatch.setattr(owner, name, with_action)


def calls(monkeypatch: pytest.MonkeyPatch, name: str = "", code: str = "", *, but: int = 0) -> list[str]:
    """Have calls of this name fail with a code, `but` so many; returns the names of all calls, as they are made."""
    fs, made = s3_file_system(), list[str]()
    real = type(fs)._call_s3

    async def failing(self: Any, method: str, **more: Any) -> Any:
        made.append(method)
        if method == name and made.count(name) > but:
            raise ClientError({"Error": {"Code": code, "Message": "VEILME0001"}}, method)
        return await real(self, method, **more)

    monkeypatch.setattr(type(fs), "_call_s3", failing)
    monkeypatch.setattr(fs, "call_s3", lambda *a, **k: _sync(fs, failing(fs, *a, **k)))
    return made


def _sync(fs: Any, call: Any) -> Any:
    from fsspec.asyn import sync

    async def run() -> Any:
        return await call

    return sync(fs.loop, run)


# ---- all or nothing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [1000, 9 * MIB, len(BULK) - 1])
def test_what_is_cut_short_leaves_nothing(cut: int, any_store: Store) -> None:
    url = any_store.put("in.dcm", BULK[:cut])
    with pytest.raises(ParseError):
        deidentify_url(url, OUT, POLICY)
    assert (any_store.names(), any_store.uploads()) == (["in.dcm"], 0)


@pytest.mark.parametrize(
    "call", ["upload_part", "upload_part_copy", "create_multipart_upload", "complete_multipart_upload"]
)
def test_a_call_that_fails_leaves_what_was_there(call: str, any_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    url = any_store.put("in.dcm", BULK)
    any_store.put("out.dcm", b"before")
    calls(monkeypatch, call, "InternalError" if call != "upload_part_copy" else "PreconditionFailed")
    with pytest.raises(DcmveilError) as failed:
        deidentify_url(url, OUT, POLICY)
    assert "VEILME" not in str(failed.value)
    assert any_store.get("out.dcm") == b"before"
    assert any_store.uploads() == 0


def test_a_small_object_is_put_whole_or_not(store: Store, sample_image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = store.put("in.dcm", sample_image.read_bytes())
    made = calls(monkeypatch, "put_object", "AccessDenied")
    with pytest.raises(OutputError, match=r"s3://bucket/out\.dcm: not written: the store says AccessDenied"):
        deidentify_url(url, OUT, POLICY)
    assert made == ["head_object", "get_object", "head_object", "put_object"]
    assert store.names() == ["in.dcm"]


def test_an_interrupt_leaves_nothing(any_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    url = any_store.put("in.dcm", BULK)
    before(monkeypatch, S3Target, "_complete", interrupt)
    with pytest.raises(KeyboardInterrupt):
        deidentify_url(url, OUT, POLICY)
    assert (any_store.names(), any_store.uploads()) == (["in.dcm"], 0)


def test_what_the_policy_refuses_is_not_begun(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = b"".join(native(MIB)).replace(b"1.2.840.10008.5.1.4.1.1.7\0", b"1.2.840.10008.1.3.10\0\0\0\0\0\0")
    url = store.put("in.dcm", refused)
    made = calls(monkeypatch)
    with pytest.raises(Refused):
        deidentify_url(url, OUT, POLICY)
    assert set(made) == {"head_object", "get_object"}
    assert store.names() == ["in.dcm"]


# ---- changes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [len(BULK), len(BULK) + MIB, 10])
def test_a_source_that_changes_is_noticed_before_it_is_copied(
    size: int, any_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = any_store.put("in.dcm", BULK)
    before(monkeypatch, Policy, "planner", lambda: any_store.put("in.dcm", bytes(size)))
    with pytest.raises(InputError, match="changed while it was being read"):
        deidentify_url(url, str(tmp_path / "out.dcm"), POLICY)
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_changes_is_noticed_when_the_store_has_copied_it(
    any_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the store makes of the condition: this one ignores it."""
    url = any_store.put("in.dcm", BULK)
    before(monkeypatch, S3Target, "_copied_part", lambda: any_store.put("in.dcm", bytes(len(BULK))))
    with pytest.raises(InputError, match="changed while it was being read"):
        deidentify_url(url, OUT, POLICY)
    assert (any_store.names(), any_store.uploads()) == (["in.dcm"], 0)


def test_a_version_is_read_as_such(store: Store, tmp_path: Path) -> None:
    store.client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    try:
        version = store.client.put_object(Bucket=BUCKET, Key="in.dcm", Body=BULK)["VersionId"]
        url = f"{store.put('in.dcm', b'other')}?versionId={version}"
        deidentify_url(url, OUT, POLICY)
        deidentify_url(url, str(tmp_path / "out.dcm"), POLICY)
    finally:
        store.client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    assert store.get("out.dcm") == (tmp_path / "out.dcm").read_bytes()


def test_a_source_that_goes_is_noticed(any_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    url = any_store.put("in.dcm", BULK)
    before(monkeypatch, S3Target, "copy", lambda: any_store.client.delete_object(Bucket=BUCKET, Key="in.dcm"))
    with pytest.raises(InputError, match="is not there"):
        deidentify_url(url, OUT, POLICY)
    assert (any_store.names(), any_store.uploads()) == ([], 0)


# ---- where it cannot be copied -----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["NotImplemented", "AccessDenied", "InvalidRequest"])
def test_a_store_that_does_not_copy_is_written_to(
    code: str, any_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in.dcm").write_bytes(BULK)
    deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm", POLICY)
    url = any_store.put("in.dcm", BULK)
    calls(monkeypatch, "upload_part_copy", code)
    report = deidentify_url(url, OUT, POLICY)
    assert any_store.get("out.dcm") == (tmp_path / "out.dcm").read_bytes()
    assert "server" not in report.copied
    assert report.copied["readwrite"] > 24 * MIB


def test_one_copy_of_several_that_fails_is_an_error(any_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud_upload, "_MOST_COPIED", 5 * MIB)
    url = any_store.put("in.dcm", BULK)
    made = calls(monkeypatch, "upload_part_copy", "SlowDown", but=2)
    with pytest.raises(OutputError, match="the store says SlowDown"):
        deidentify_url(url, OUT, POLICY)
    assert made.count("upload_part_copy") > 2
    assert made[-1] == "abort_multipart_upload"
    assert (any_store.names(), any_store.uploads()) == (["in.dcm"], 0)


# ---- parts of 5 MiB ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("store_name", "is_aws", "put", "completed"),
    [("strict", False, 2, 2), ("lenient", False, 1, 1), ("strict", True, 1, 1), ("lenient", True, 1, 1)],
)
def test_only_a_store_that_is_not_known_is_tried(
    store_name: str, is_aws: bool, put: int, completed: int, request: pytest.FixtureRequest,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """AWS wants parts of 5 MiB. Others are asked for less, once for an object, and given what they want then."""
    store = entered(request.getfixturevalue(f"{store_name}_store"), monkeypatch)
    if is_aws:
        monkeypatch.setattr(cloud_upload, "_OF_AWS", (".0.0.1",))
    url, made = store.put("in.dcm", BULK), calls(monkeypatch)
    report = deidentify_url(url, OUT, POLICY)
    (tmp_path / "in.dcm").write_bytes(BULK)
    deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm", POLICY)
    assert store.get("out.dcm") == (tmp_path / "out.dcm").read_bytes()
    assert (made.count("upload_part"), made.count("complete_multipart_upload")) == (put, completed)
    assert sum(report.copied.values()) < report.bytes_out <= sum(report.copied.values()) + MIB
    assert (report.copied["readwrite"] > MIB) == (store_name == "strict" or is_aws)


def test_a_lost_connection_is_taken_up_again(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url, lost = store.put("in.dcm", BULK), list[int]()
    real = RangedObject._stream

    def broken(self: RangedObject, start: int, stop: int) -> Any:
        for piece in real(self, start, stop):
            yield piece
            if len(lost) < 3:
                lost.append(start)
                raise ConnectionResetError

    monkeypatch.setattr(RangedObject, "_stream", broken)
    deidentify_url(url, str(tmp_path / "out.dcm"), POLICY)
    (tmp_path / "in.dcm").write_bytes(BULK)
    deidentify_file(tmp_path / "in.dcm", tmp_path / "expected.dcm", POLICY)
    assert (tmp_path / "out.dcm").read_bytes() == (tmp_path / "expected.dcm").read_bytes()
    assert len(set(lost)) == 3


# ---- what is said ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("s3://bucket/none.dcm", OUT, "cannot be read: is not there"),
        ("s3://nobucket/none.dcm", OUT, "cannot be read: is not there"),
        ("s3://bucket", OUT, "is no object, but a bucket"),
        ("s3://bucket/in.dcm", "s3://nobucket/out.dcm?versionId=SECRETVEILME", "is no name of an object"),
        ("s3://bucket/in.dcm", "s3://nobucket/out.dcm", r"s3://nobucket/out\.dcm: not written: .*NoSuchBucket"),
        ("s3://bucket/in.dcm", "s3://bucket/", "is no name of an object"),
        ("s3://bucket/in.dcm", "-", "do not go together"),
        ("sftp://user:SECRETVEILME@host/in.dcm", OUT, "sftp:// is no kind of store"),
        ("https://user:SECRETVEILME@127.0.0.1:9/in.dcm?SECRETVEILME", OUT, "the server cannot be reached"),
        ("http:///in.dcm?SECRETVEILME", OUT, "is no URL of a server"),
    ],
)
def test_messages_say_what_is_wrong(source: str, target: str, said: str, store: Store, sample_image: Path) -> None:
    store.put("in.dcm", sample_image.read_bytes())
    with pytest.raises(DcmveilError, match=said) as failed:
        deidentify_url(source, target, POLICY)
    text = "".join(traceback.format_exception(failed.value))
    assert "\n" not in str(failed.value)
    assert not any(secret in text for secret in ("SECRETVEILME", *CREDENTIALS.values()) if "VEILME" in secret)


def test_no_query_in_reports_and_logs(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), serving(BULK) as web:
        report = deidentify_url(f"{web.url}?SECRETVEILME", str(tmp_path / "out.dcm"), POLICY)
        assert report.source == f"{web.url}?..."
        assert plan_url(f"{web.url}?SECRETVEILME", POLICY).source == f"{web.url}?..."
        web.status = 403
        with pytest.raises(InputError) as failed:
            deidentify_url(f"{web.url}?SECRETVEILME", str(tmp_path / "out.dcm"), POLICY)
    assert "VEILME" not in str(failed.value) + repr(report) + caplog.text


@pytest.mark.parametrize("missing", ["fsspec", "s3fs", "aiobotocore", "botocore", "aiohttp"])
def test_without_the_extra_there_is_one_line(missing: str, sample_image: Path) -> None:
    script = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from dcmveil import Policy\nfrom dcmveil.cloud import deidentify_url\n"
        "from dcmveil.errors import DcmveilError\n"
        "try:\n    deidentify_url(sys.argv[1], 's3://b/k', Policy())\nexcept DcmveilError as error:\n    print(error)"
    )
    for source in ("http://host/a",) if missing == "aiohttp" else (str(sample_image), "s3://b/a"):
        done = subprocess.run([sys.executable, "-c", script, source], capture_output=True, text=True, check=True)
        assert done.stdout == "URLs need the extra: pip install 'dcmveil[cloud]'\n"

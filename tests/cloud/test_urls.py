"""Which texts are URLs, and how they are shown: never with what may let anyone in."""

from __future__ import annotations

import pytest

from dcmveil.cloud_urls import is_url, scheme_of, shown


@pytest.mark.parametrize("text", ["s3://b/k", "S3://b/k", "https://host/a.dcm", "gs://b/k", "a+b.c-d://x"])
def test_what_has_a_scheme_is_a_url(text: str) -> None:
    assert is_url(text)


@pytest.mark.parametrize(
    "text", ["", "-", "a.dcm", "/tmp/s3://b", "./s3://b", "://b", "1a://b", "s3:/b", "a b://c", "-://b", "é://b"]
)
def test_all_else_is_a_path(text: str) -> None:
    assert not is_url(text)


def test_schemes_do_not_depend_on_case() -> None:
    assert scheme_of("HTTPS://Host/") == "https"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("in?.dcm", "in?.dcm"),
        ("s3://bucket/a/b.dcm", "s3://bucket/a/b.dcm"),
        ("s3://bucket/a#1.dcm", "s3://bucket/a#1.dcm"),
        ("s3://bucket/a?versionId=SECRET", "s3://bucket/a?..."),
        ("s3://KEY:SECRET@bucket/a", "s3://bucket/a"),
        ("https://user:SECRET@host:8443/a.dcm?X-Amz-Signature=SECRET#SECRET", "https://host:8443/a.dcm?..."),
        ("https://SECRET@host/a@b.dcm", "https://host/a@b.dcm"),
        ("https://host/a#SECRET", "https://host/a?..."),
        ("https://host?SECRET", "https://host?..."),
        ("abfs://container@account.dfs.core.windows.net/a", "abfs://container@account.dfs.core.windows.net/a"),
        ("az://container/a?sig=SECRET", "az://container/a?..."),
    ],
)
def test_a_url_is_shown_without_what_may_be_secret(text: str, expected: str) -> None:
    assert shown(text) == expected
    assert shown(expected) == expected

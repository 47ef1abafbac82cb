"""Stores that are there for all tests of this folder: one with the rules of AWS, one that lets small parts pass."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dcmveil import cloud_reading
from tests.cloud.support import BUCKET, CREDENTIALS, Store, served


@pytest.fixture(scope="session")
def strict_store() -> Iterator[Store]:
    with served() as store:
        yield store


@pytest.fixture(scope="session")
def lenient_store() -> Iterator[Store]:
    with served(least_part=1) as store:
        yield store


@pytest.fixture
def store(strict_store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store that this process talks to: empty, and by AWS's rules."""
    return entered(strict_store, monkeypatch)


@pytest.fixture(params=["strict", "lenient"])
def any_store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Each of them, empty."""
    return entered(request.getfixturevalue(f"{request.param}_store"), monkeypatch)


def entered(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store, emptied, that this process talks to from now on."""
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": store.endpoint}.items():
        monkeypatch.setenv(name, value)
    cloud_reading._s3_of.cache_clear()
    for key in store.names():
        store.client.delete_object(Bucket=BUCKET, Key=key)
    return store

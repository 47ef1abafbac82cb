"""What surrounds the command lines of these tests: nothing that gdcmanon's variables say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.support import listing
from tests.reversible.support import SECRET, certificate_of
from tests.services.certificates import key_bytes, pem_of, rsa_key


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python package gdcm, which pydicom loads where it is installed, sets one of them."""
    for name in ("GDCM_ROOT_UID", "GDCM_RESOURCES_PATH"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where inputs are set aside; nothing may be left there."""
    folder = tmp_path / "aside"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    yield folder
    if folder.exists():
        assert listing(folder) == []


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_bytes(SECRET)
    path.chmod(0o600)
    return path


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder with a certificate, its key, and the key under a passphrase."""
    (tmp_path / "cert").write_bytes(pem_of(certificate_of()))
    for name, passphrase in (("key", None), ("locked", b"a passphrase")):
        (tmp_path / name).write_bytes(key_bytes(rsa_key(0), passphrase=passphrase))
        (tmp_path / name).chmod(0o600)
    return tmp_path

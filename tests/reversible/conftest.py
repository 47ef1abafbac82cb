"""Keys and certificates as files, for tools that want files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reversible.support import certificate_of
from tests.services.certificates import key_bytes, pem_of, rsa_key, write


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder: cert.pem and key.pem of recipient 0, other.pem and other-key.pem of recipient 1."""
    folder = tmp_path_factory.mktemp("keys")
    for number, (certificate, key) in enumerate((("cert.pem", "key.pem"), ("other.pem", "other-key.pem"))):
        write(folder / certificate, pem_of(certificate_of(number)))
        write(folder / key, key_bytes(rsa_key(number)))
    return folder

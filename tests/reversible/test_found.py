"""What fuzzing has found: plaintexts that cost far more than their size, and a script that is cut short."""

from __future__ import annotations

import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dcmveil._inverse import Inverse
from dcmveil.reversal import pack
from tests.hostile.forms import EXPLICIT
from tests.reference.files import CHECKOUT
from tests.reversible.keys import sent
from tests.reversible.test_hostile import CONTENT, RAW, restored, sealed, way, with_little_memory, words


def many_tags() -> None:
    """Two million Attributes to take away, in 8 MiB."""
    tags = b"".join(struct.pack("<I", 0x00110000 + number) for number in range(2_000_000))
    with_little_memory(sent(sealed(EXPLICIT.element(0x04011003, "OB", tags))))


def many_operations() -> None:
    """Sixteen million operations that make nothing, in 64 MiB."""
    with_little_memory(sent(pack(CONTENT, way(words((RAW, 0)) * 16_000_000), added=[])))


@pytest.mark.parametrize("make", [many_tags, many_operations], ids=lambda make: make.__name__)
def test_a_plaintext_of_numbers_costs_not_much_more_memory_than_its_size(make: Callable[[], None]) -> None:
    call = f"from {__name__} import {make.__name__}; {make.__name__}()"
    done = subprocess.run([sys.executable, "-c", call], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-300:]


def test_operations_of_no_length_take_no_time(tmp_path: Path) -> None:
    """Four million that copy nothing, in 16 MiB."""
    data = sent(pack(CONTENT, way(bytes(16 << 20)), added=[]))
    before = time.process_time()
    restored(data, tmp_path)
    assert time.process_time() - before < 2  # seconds


@pytest.mark.parametrize("script", [struct.pack("=Q", 1 << 63), b"\1\0\0\0", struct.pack("=Q", 9) + b"8 bytes."])
def test_a_script_cut_short_is_an_error(script: bytes) -> None:
    """Not a read past its end."""
    with pytest.raises(ValueError, match="script"):
        Inverse(b"", b"").add(script)

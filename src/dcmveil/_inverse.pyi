# The typed face of ext/dcmveil/_inverse.pyx, which holds the documentation.
from _typeshed import ReadableBuffer
from typing_extensions import disjoint_base

RUN_BITS: int
KINDS: tuple[str, ...]

@disjoint_base
class Inverse:
    def __init__(self, text: bytes, bulk: bytes) -> None: ...
    def add(self, script: bytes) -> None: ...
    def finish(self, size: int) -> tuple[bytes, bytes, bytes]: ...

def restoring_script(
    operations: bytes, text: ReadableBuffer, raw: ReadableBuffer, gap_start: int, gap_stop: int
) -> bytes: ...

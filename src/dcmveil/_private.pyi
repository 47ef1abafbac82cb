# The typed face of ext/dcmveil/_private.pyx, which holds the documentation.
from collections.abc import Iterable

from typing_extensions import disjoint_base

@disjoint_base
class PrivateTable:
    def __init__(
        self,
        rows: Iterable[tuple[bytes, int, int | None, int, tuple[int, int | None, int]]],
        *,
        sequences: int | None,
    ) -> None: ...

# The typed face of ext/dcmveil/_policy.pyx, which holds the documentation.
from collections.abc import Iterable, Mapping, Sequence

from typing_extensions import disjoint_base

BEHAVIOURS: dict[str, int]

@disjoint_base
class RuleTable:
    def __init__(
        self,
        *,
        behaviours: Sequence[str],
        special: Mapping[str, int],
        overrides: Iterable[tuple[int, int, int]] = (),
        watched: Iterable[tuple[int, int]] = (),
        members: Iterable[int] = (),
        anchors: Sequence[tuple[int, int]] = (),
    ) -> None: ...
    def set_special(
        self, *, private: int, unknown: int, group_length: int, vr: int, duplicate: int, member: int, meta: int
    ) -> None: ...

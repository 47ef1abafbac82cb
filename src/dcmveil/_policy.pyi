# The typed face of ext/dcmveil/_policy.pyx, which holds the documentation.
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from typing_extensions import disjoint_base

# tag (or number of an Item), rule, is it an anchor, is it watched, node of its content
_Place: TypeAlias = tuple[int, int | None, bool, bool, int | None]

BEHAVIOURS: dict[str, int]
FLAGS: dict[str, int]

@disjoint_base
class RuleTable:
    def __init__(
        self,
        *,
        behaviours: Sequence[str],
        special: Mapping[str, int | None],
        overrides: Iterable[tuple[int, int, int]] = (),
        flags: Iterable[tuple[int, int, str]] = (),
        places: Sequence[Sequence[_Place]] = ...,
        concepts: Mapping[bytes, int] | None = None,
        value_types: Iterable[bytes] = (),
        value_tags: Mapping[int, bytes] | None = None,
        sets: Iterable[bytes] = (),
        reads_all: bool = False,
    ) -> None: ...
    def set_special(
        self,
        *,
        private: int,
        unknown: int,
        group_length: int,
        vr: int,
        duplicate: int | None,
        member: int,
        meta: int,
        repeated: int = 0,
    ) -> None: ...

# The typed face of ext/dcmveil/_answered.pyx, which holds the documentation.
from collections.abc import Callable, Hashable, Iterable

from typing_extensions import disjoint_base

from dcmveil._plan import Plan

@disjoint_base
class Answered:
    def __init__(self, plan: Plan, keys: Iterable[int]) -> None: ...
    def give(self, plan: Plan) -> None: ...

def answer_values(
    plan: Plan,
    known: dict[Hashable, bytes | None],
    kind: Hashable,
    ask: Callable[[int, bytes, int], bytes | None],
) -> None: ...
def likeness(plan: Plan) -> bytes: ...
def first_value(plan: Plan, tag: int) -> bytes | None: ...
def tally(plan: Plan) -> bytes: ...

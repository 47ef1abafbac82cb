"""Places: paths of Sequences and Items, as the tree of nodes that a RuleTable wants.

A step without a number means every Item. Places in Items that have a number and in all of them are told apart: a node
stands for itself alone, so what is for every Item is put into those that others name as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from typing import Generic, NamedTuple, TypeVar

__all__ = ["Placed", "Step", "Tree", "expanded"]

T = TypeVar("T")


class Step(NamedTuple):
    """Into one Sequence: the Item with this number, counted from 1, or every Item (None)."""

    sequence: int
    item: int | None


class Placed(NamedTuple, Generic[T]):
    """Something that is to be at a place: the path, the tag there, and what it is."""

    path: tuple[Step, ...]
    tag: int
    what: T


def expanded(placed: Sequence[Placed[T]]) -> Iterator[Placed[T]]:
    """With 0 for every Item that no other names, and once more for each Item that another does name."""
    named: dict[tuple[int, ...], set[int]] = defaultdict(set)
    for one in placed:
        for chain, step in zip(_chains(one), one.path, strict=True):
            named[chain].add(step.item or 0)
    for one in placed:
        items = [
            sorted({0, *named[chain]}) if step.item is None else [step.item]
            for chain, step in zip(_chains(one), one.path, strict=True)
        ]
        for numbers in product(*items):
            steps = zip(one.path, numbers, strict=True)
            yield one._replace(path=tuple(Step(step.sequence, number) for step, number in steps))


def _chains(one: Placed[T]) -> list[tuple[int, ...]]:
    sequences = tuple(step.sequence for step in one.path)
    return [sequences[: depth + 1] for depth in range(len(sequences))]


class Tree(Generic[T]):
    """Nodes for a RuleTable: tag, or number of an Item -> (what is there, node of the content).

    `combine` says what becomes of two things at one place.
    """

    def __init__(self, placed: Iterable[Placed[T]], combine: Callable[[T, T], T]) -> None:
        self.nodes: list[dict[int, tuple[T | None, int | None]]] = [{}]
        for path, tag, what in placed:
            node = 0
            for sequence, item in path:
                node = self._child(self._child(node, sequence), item or 0)
            known, child = self.nodes[node].get(tag, (None, None))
            self.nodes[node][tag] = (what if known is None else combine(known, what)), child

    def _child(self, node: int, tag: int) -> int:
        what, child = self.nodes[node].get(tag, (None, None))
        if child is None:
            child = len(self.nodes)
            self.nodes.append({})
        self.nodes[node][tag] = what, child
        return child

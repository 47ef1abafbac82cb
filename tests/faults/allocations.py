"""Which allocations fail, so that each place in the program that asks for memory is met.

A run makes up to 12,000, with each Python object one of its own 158,000, most of them in the same places again. A
place is the whole call stack, of C and of Python (stacks.c.in), and whether any file has been changed yet: until then
all that a run can do is to end. With few allocations each of them fails once, by its number; with more of them each
place at its first one and at its last one. From then on memory fails at the first one of each place. A place that a
scene before has met is not met again as long as no file has been changed.

No process is killed here: between two calls that concern files nothing happens that others could see, and `files` has
the kills at those.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator

from tests.faults.campaign import Campaign, Tally, sample
from tests.faults.judge import Expected, Fault
from tests.faults.scenes import Scene
from tests.faults.shim import How, Kind

__all__ = ["Allocations"]

FEW = 3000  # allocations of a scene that fail each
TRIES = 3  # runs that are to meet a place that was not met by its number, since numbers are not the same in each run


class Allocations:
    """Fails allocations of scenes. `every`: each, however many there are. `lasting`: how they fail the second time.
    `once`: a place that a scene before has met is left out in any case. `most`: so many faults of a scene."""

    def __init__(
        self,
        campaign: Campaign,
        *,
        every: bool = False,
        lasting: How = How.FROM_THEN_ON,
        once: bool = False,
        most: int | None = None,
    ) -> None:
        self._campaign = campaign
        self._every = every
        self._lasting = lasting
        self._once = once
        self._most = most
        self._known: set[int] = set()

    def run(self, scene: Scene) -> Tally:
        """All that are to fail in it. "wanted" are the places where some are to fail, "unmet" those where none did."""
        expected, tally = self._campaign.expected(scene), Tally()
        places = self._campaign.trace(scene, expected)
        wanted = {place for place in places if place not in self._known or (_is_late(place) and not self._once)}
        faults = list(self._faults(expected, places, wanted))
        met = self._fail(scene, expected, sample(scene, faults, self._most), tally)
        for _time in range(TRIES if self._most is None else 0):
            met |= self._fail(scene, expected, map(_at_place, sorted(wanted - met)), tally)
        self._known |= met
        tally.counts.update(
            allocations=len(places), places=len(set(places)), wanted=len(wanted), unmet=len(wanted - met)
        )
        return tally

    def _faults(self, expected: Expected, places: list[int], wanted: set[int]) -> Iterator[Fault]:
        for at in range(1, expected.counts.get(Kind.MMAP, 0) + 1):
            yield Fault(Kind.MMAP, at, How.ONCE, errno.ENOMEM)
            yield Fault(Kind.MMAP, at, self._lasting, errno.ENOMEM)
        firsts, lasts = _firsts(places, wanted), _lasts(places, wanted)
        is_each = self._every or (len(places) <= FEW and not self._once)
        for at in range(1, len(places) + 1) if is_each else sorted({*firsts, *([] if self._once else lasts)}):
            yield _once(at)
        for at in firsts:
            yield Fault(Kind.MALLOC, at, self._lasting, errno.ENOMEM)

    def _fail(self, scene: Scene, expected: Expected, faults: Iterable[Fault], tally: Tally) -> set[int]:
        """Returns the places where they failed."""
        met = set()
        for fault in faults:
            run = self._campaign.fail(scene, expected, fault)
            tally.add(scene, fault, run)
            met.add(run.place)
        return met


def _is_late(place: int) -> bool:
    return bool(place & 1)


def _once(at: int) -> Fault:
    return Fault(Kind.MALLOC, at, How.ONCE, errno.ENOMEM)


def _at_place(place: int) -> Fault:
    return _once(1)._replace(place=place)


def _firsts(places: list[int], wanted: set[int]) -> list[int]:
    """The number of the first allocation of each place."""
    found = {place: at for at, place in zip(range(len(places), 0, -1), reversed(places), strict=True)}
    return sorted(at for place, at in found.items() if place in wanted)


def _lasts(places: list[int], wanted: set[int]) -> list[int]:
    found = {place: at for at, place in enumerate(places, 1)}
    return sorted(at for place, at in found.items() if place in wanted)

"""The segments do not depend on how the bytes arrived."""

from __future__ import annotations

import random
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcmveil import Limits, Policy
from dcmveil.errors import DcmveilError
from tests.engine.support import SECRET, drained, execute, feed, header_length, logical, pieces, segments
from tests.reference.files import samples

SAMPLE = Path(__file__).parents[1] / "data" / "sample.dcm"
POLICY = Policy(secret=SECRET, existing_encrypted="keep", allow_embedded_overlays=True)
# Drains whenever it can, and re-encodes every Sequence.
EAGER = Policy(secret=SECRET, existing_encrypted="keep", allow_embedded_overlays=True, limits=Limits(drain_at=1))
RECODING = EAGER.limits._replace(hold_limit=0)


def outcome(chunks: list[bytes], policy: Policy = POLICY) -> object:
    """The segments, or the error with its place."""
    try:
        return segments(chunks, policy)
    except DcmveilError as error:
        return str(error)


@cache
def smallest(count: int) -> list[Path]:
    """The files with the shortest headers of each Transfer Syntax, and our own sample."""
    seen: dict[object, list[Path]] = {}
    for sample in sorted(samples(), key=lambda sample: sample.path.stat().st_size):
        planner = POLICY.planner()
        with suppress(DcmveilError):
            feed(planner, logical(sample.path))
            planner.finish()
        if planner.plan.size is None:
            continue
        seen.setdefault(planner.transfer_syntax, []).append(sample.path)
    return [SAMPLE, *(path for paths in seen.values() for path in paths[:count])]


@pytest.mark.parametrize("path", smallest(1), ids=lambda path: path.name)
def test_a_cut_at_any_byte_of_the_header_changes_nothing(path: Path) -> None:
    data = logical(path)
    whole = outcome([data])
    stop = min(header_length(data), 6000)
    assert all(outcome(pieces(data, [cut])) == whole for cut in range(1, stop))


@pytest.mark.slow
def test_a_cut_at_any_byte_of_any_header_changes_nothing(sample: object) -> None:
    data = logical(sample.path)  # type: ignore[attr-defined]
    whole = outcome([data])
    stop = min(header_length(data), 20_000)
    assert all(outcome(pieces(data, [cut])) == whole for cut in range(1, stop))


def test_byte_by_byte_changes_nothing(sample: object) -> None:
    data = logical(sample.path)  # type: ignore[attr-defined]
    stop = min(header_length(data) + 64, 30_000)
    assert outcome(pieces(data, range(1, stop))) == outcome([data])


def test_draining_changes_nothing_but_the_segments(sample: object) -> None:
    """Writing early gives the same bytes, with and without Sequences of defined length kept as such."""
    data = logical(sample.path)  # type: ignore[attr-defined]
    chunks = pieces(data, range(97, min(len(data), 60_000), 97))
    for limits in (EAGER.limits, RECODING):
        policy = Policy(secret=SECRET, existing_encrypted="keep", allow_embedded_overlays=True, limits=limits)
        whole = outcome([data], policy)
        if isinstance(whole, list):
            assert execute(data, drained(chunks, policy)) == execute(data, whole)
            assert execute(data, drained(pieces(data, [len(data) // 2]), policy)) == execute(data, whole)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_chunking_changes_nothing(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(smallest(2)))
    whole = logical(path)
    cuts = data.draw(st.lists(st.integers(0, min(len(whole), 20_000)), max_size=40))
    assert outcome(pieces(whole, sorted(cuts))) == outcome([whole])


def test_bulk_need_not_be_shown() -> None:
    """Passing over what is `ahead` gives what feeding it gives."""
    for path in smallest(1):
        data = logical(path)
        planner, at, unseen = POLICY.planner(), 0, 0
        chooser = random.Random(7)
        while at < len(data):
            at += planner.feed(data[at : at + chooser.randrange(1, 40)])
            skip = min(planner.ahead, len(data) - at)
            planner.advance(skip)
            at, unseen = at + skip, unseen + skip
        planner.finish()
        assert planner.position == len(data)
        assert unseen > 0


def test_no_further_than_ahead() -> None:
    planner = POLICY.planner()
    planner.feed(SAMPLE.read_bytes()[:500])
    with pytest.raises(ValueError, match="further"):
        planner.advance(planner.ahead + 1)

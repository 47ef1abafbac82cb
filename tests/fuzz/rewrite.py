"""The whole rewriter on any bytes, in memory: pulled and pushed, by Policies of many kinds and by edits.

Both ways end with the same output or the same error. What has been de-identified is de-identified once more without
anything left to remove, and has no marker that the seeds had in it where the Basic Profile wants none. What has been
sealed is restored byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, NamedTuple

from dcmveil import (
    Deidentifier,
    Editor,
    Limits,
    Policy,
    Segment,
    basis,
    cleaning,
    dates,
    flowing,
    identity,
    needles,
    pseudonyms,
    resolver,
    subjects,
    uids,
)
from dcmveil._tables import confidentiality, dictionary_vr
from dcmveil.editing import Edits, edit_source
from dcmveil.errors import DcmveilError
from dcmveil.files import deidentify_source
from dcmveil.memos import Remembering
from dcmveil.reidentifying import reidentify_source
from dcmveil.report import Report
from dcmveil.rulesfile import load_rules
from dcmveil.sinks import SegmentOutput
from dcmveil.streaming import Driver
from tests.fuzz.inputs import HEAD, Choices, chosen, stepped
from tests.fuzz.objects import Glass, holding, joined
from tests.fuzz.referee import Referee
from tests.fuzz.terms import CLEANS, DEFLATED, OPERATIONS, RETAINS, RULES, SECRET
from tests.hostile.channels import MARK

# Something goes out as soon as it can, which else only long objects see.
flowing._BULK = flowing._ROUND = 1
resolver._ALIGNED_WITHIN = 0
# What is remembered begins anew after a few objects, as it does after thousands else.
basis._MOST_ANSWERS, basis._MOST_SETTLED, basis._MOST_ALIKE = 64, 4, 4
subjects.MOST_SUBJECTS, subjects.MOST_VALUES = 2, 8
uids.MEMO_ENTRIES = dates.MEMO_ENTRIES = pseudonyms.MEMO_ENTRIES = cleaning.MEMO_ENTRIES = 16
identity._part = lru_cache(16)(identity._read)
identity._forms_of_short_name = lru_cache(16)(identity._make_forms)
needles._known_forms = Remembering(16, needles._forms)


TERMS: dict[str, Any] = {"secret": SECRET, "existing_encrypted": "keep", "allow_embedded_overlays": True}
SEALING = Policy(secret=SECRET, existing_encrypted="remove", allow_embedded_overlays=True, envelope=Glass())
MOST_PIECES = 8
EAGER = Limits(hold_limit=0, drain_at=1)
BASIC = Policy(**TERMS)
POLICIES = [
    BASIC,
    Policy(**TERMS, limits=EAGER),
    Policy(**TERMS, options=CLEANS),
    Policy(**TERMS, options=RETAINS, limits=EAGER),
    Policy(**TERMS, options=CLEANS, rules=load_rules(RULES)),
    Policy(**TERMS, verifies=True, assesses_risks=True, records_pairs=True),
    Policy(secret=SECRET, refuses_risks=True),
    SEALING,
]
EDITS = [Edits(OPERATIONS), Edits(OPERATIONS, EAGER)]


class Work(NamedTuple):
    """One way of treating an object, pulled or pushed; `policy` is None for edits."""

    policy: Policy | None
    pull: Callable[..., tuple[Report, int]]
    push: Callable[..., Driver]


WORKS = [
    *(Work(one, partial(deidentify_source, policy=one), partial(Deidentifier, one)) for one in POLICIES),
    *(Work(None, partial(edit_source, edits=one), partial(Editor, one)) for one in EDITS),
]


def one(data: memoryview) -> None:
    """One execution."""
    if len(data) <= HEAD:
        return
    choices, body = chosen(data)
    work, given = WORKS[choices.kind % len(WORKS)], bytes(body)
    made = pulled(work, given, choices.syntax)
    sent = pushed(work, given, choices)
    if isinstance(made, str):
        # How much of a corrupt deflate stream can be read depends on the pieces.
        assert made == sent or (isinstance(sent, str) and is_deflated(given, choices)), (made, sent)
        return
    assert made.output == sent
    if work.policy is None:
        return
    if work.policy is SEALING:
        restored(made, given)
        return
    again = pulled(work, made.output, None)
    assert isinstance(again, Made), again
    assert [reason for reason, decision in again.report.counts if decision == "remove"] == []
    if work.policy is BASIC and MARK in made.output:
        check_marker(made.output)


def is_deflated(data: bytes, choices: Choices) -> bool:
    """Or said to be."""
    return DEFLATED.encode() in data or choices.syntax == DEFLATED


class Made(NamedTuple):
    """An output, and what came before the Data Set in it."""

    output: bytes
    report: Report
    prefix: int


def pulled(work: Work, data: bytes, syntax: str | None) -> Made | str:
    """What comes of an object that can be read anywhere, or its error."""
    held = holding(data)
    output = SegmentOutput(held)
    try:
        report, prefix = work.pull(held, output, transfer_syntax=syntax)
    except DcmveilError as error:
        return told(error)
    return Made(joined(output.take(), data), report, prefix)


def pushed(work: Work, data: bytes, choices: Choices) -> bytes | str:
    """What comes of one that comes in pieces."""
    found: list[Segment] = []
    try:
        driver = work.push(transfer_syntax=choices.syntax)
        at = 0
        for _start, stop in stepped(len(data), max(choices.step, len(data) // MOST_PIECES)):
            if choices.flags & 1 and at < stop:
                count = min(driver.ahead, len(data) - at)
                found += driver.advance(count)
                at += count
            if at < stop:
                found += driver.feed(data[at:stop])
                at = stop
        found += driver.finish()
    except DcmveilError as error:
        return told(error)
    return joined(found, data)


def told(error: DcmveilError) -> str:
    """One line, without the marker."""
    text = str(error)
    assert "\n" not in text
    assert MARK.decode() not in text
    return text


def restored(made: Made, data: bytes) -> None:
    """By whoever can open it: the input, to the last byte."""
    held = holding(made.output)
    output = SegmentOutput(held)
    reidentify_source(held, output, Glass())
    assert joined(output.take(), made.output) == data


# ---- the marker --------------------------------------------------------------------------------------------------

_GOING = [(tag, mask) for tag, mask, action, _options in confidentiality() if action != "K"]
REFEREE = Referee(MARK)


def check_marker(output: bytes) -> None:
    """Where pydicom finds the marker there is nothing that the Basic Profile wants to go, is private or unknown."""
    for tag in REFEREE.tags(output):
        assert not tag >> 16 & 1, f"{tag:08X}"
        assert dictionary_vr(tag) is not None, f"{tag:08X}"
        assert not any(tag & mask == going for going, mask in _GOING), f"{tag:08X}"

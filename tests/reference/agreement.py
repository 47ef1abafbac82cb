"""One file through both: what the reference expects of it, and what dcmveil made of it."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from pathlib import Path

from dcmveil import Policy, deidentify_file
from dcmveil.errors import ParseError, Refused
from dcmveil.options import Options

from .compare import file_differences
from .model import Expected, RefusalError, Settings, UnreadableError
from .options import COLUMNS
from .reference import expected_of_file

SECRET = b"one fixed secret for every file"
ROOT = "1.2.826.0.1.3680043.10.99999"
BASIC = Settings(SECRET)
REMOVING = Settings(SECRET, ROOT, existing_encrypted="remove", allow_embedded_overlays=True)
KEEPING = Settings(SECRET, ROOT, existing_encrypted="keep", allow_embedded_overlays=True)


def disagreement(expected: Expected | str, outcome: str | None, target: Path) -> list[str]:
    """Every difference of an `expectation` and the `actual` outcome: one of reasons, or those of the trees."""
    if (outcome is None) != target.exists():
        return ["output without success" if outcome else "success without output"]
    reason = expected if isinstance(expected, str) else None
    if reason != outcome:
        return [f"{outcome or 'an output'}, expected {reason or 'an output'}"]
    try:
        return file_differences(expected, target) if isinstance(expected, Expected) else []
    except (UnreadableError, RefusalError) as error:
        return [f"output can not be read: {error}"]


def expectation(source: Path, settings: Settings) -> Expected | str:
    """What must be in the output, or the reason why there is none, or `unreadable`."""
    try:
        return expected_of_file(source, settings)
    except RefusalError as refusal:
        return refusal.reason
    except UnreadableError:
        return "unreadable"


@cache
def policy(settings: Settings) -> Policy:
    """The Policy of the same settings."""
    values = asdict(settings)
    options = Options(**{option: values.pop(option) for option in COLUMNS})
    return Policy(options=options, **values)


def actual(source: Path, target: Path, settings: Settings) -> str | None:
    """None if dcmveil wrote an output, else its reason, `unreadable`, or the name of any other error."""
    try:
        deidentify_file(source, target, policy(settings))
    except Refused as refused:
        return str(refused.reason)
    except ParseError:
        return "unreadable"
    except Exception as error:  # agrees with no expectation, and so is reported with the object that caused it
        return type(error).__name__
    return None

"""What people see: messages on stderr, results on stdout, a progress bar, the question for a passphrase.

Everything is a line of text without a Value of a Data Element, a password or a byte of a key.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeVar, cast

from dcmveil.cloud_urls import shown
from dcmveil.errors import InputError, OutputError, show_path
from dcmveil.output import STANDARD

if TYPE_CHECKING:
    from dcmveil.batch import Outcome
    from dcmveil.report import Report

__all__ = ["DEBUG", "ERRORS", "WARNINGS", "ask_passphrase", "put", "put_edits", "say", "tell", "warn", "with_progress"]

ERRORS, WARNINGS, DEBUG = range(3)
_LINES = 1000  # that are put at once

_T = TypeVar("_T")

_WORTH_A_WARNING = frozenset(
    {"not in the dictionary of PS3.6", "no Value of the dictionary's VR", "repeated", "R24: MAC Parameters Sequence"}
)


def say(text: str) -> None:
    """A line on stderr, if there is one: without it print() would take stdout. A progress bar makes way for it."""
    if sys.stderr is None:
        return
    bars = sys.modules.get("tqdm")
    with suppress(OSError):
        if bars is None:
            print(f"dcmveil: {text}", file=sys.stderr)
        else:
            bars.tqdm.write(f"dcmveil: {text}", file=sys.stderr)


def warn(text: str) -> None:
    """A line on stderr about something that stops nothing."""
    say(f"warning: {text}")


def put(text: str) -> None:
    """Text on stdout, and out of its buffer, so that an error is met here and not after the exit status is settled."""
    if sys.stdout is None:
        raise OutputError("standard output: is closed")
    try:
        encoding = sys.stdout.encoding or "ascii"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except OSError as error:
        _drop_stdout()
        raise OutputError(f"standard output: {error.strerror}") from None


def _drop_stdout() -> None:
    """What is left in the buffer would fail once more when the interpreter ends."""
    with suppress(OSError), open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def with_progress(outcomes: Iterable[_T], *, of_folder: bool) -> Iterable[_T]:
    """The outcomes, with a bar for a folder if somebody is watching."""
    if not (of_folder and sys.stderr is not None and sys.stderr.isatty()):
        return outcomes
    from tqdm import tqdm  # 20 ms that nobody should wait for without a bar to see

    tqdm.monitor_interval = 0  # a thread, which processes that are started later would copy
    return cast(Iterable[_T], tqdm(outcomes, unit=" files", leave=False))


def ask_passphrase(name: str, *, reads_input: bool = True) -> bytes | None:
    """The passphrase of a key: asked for on the terminal; where there is none a line of standard input, if it
    `reads_input`."""
    if _has_terminal():
        return _from_terminal(f"Enter passphrase for {show_path(name)}: ")
    if not reads_input:
        return None
    line = b"" if sys.stdin is None else sys.stdin.buffer.readline(1 << 16)
    return line.removesuffix(b"\n").removesuffix(b"\r") if line else None


def _from_terminal(prompt: str) -> bytes | None:
    from getpass import getpass

    try:
        return os.fsencode(getpass(prompt))
    except EOFError:
        return None
    except UnicodeError:  # its text has some of what was typed
        raise InputError("what was typed is not text in the encoding of the terminal") from None


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


# ---- outcomes --------------------------------------------------------------------------------------------------


def tell(outcome: Outcome, level: int) -> None:
    """On stderr: what failed, what is worth knowing, and as much of what was done as the level wants."""
    failure, report = outcome.failure, outcome.report
    if failure is not None:
        say(f"{_name(outcome)}: {failure.message}")
    elif report is not None and (report.notice is not None or level > ERRORS):  # a million files say nothing
        _tell_report(_name(outcome), report, level)


def _name(outcome: Outcome) -> str:
    return "standard input" if outcome.job.source == STANDARD else show_path(shown(outcome.job.source))


def _tell_report(name: str, report: Report, level: int) -> None:
    if report.notice is not None:
        say(f"{name}: {report.notice}")
    if level > ERRORS:
        _tell_more(name, report, level)


def _tell_more(name: str, report: Report, level: int) -> None:
    for text in report.remarks.texts:
        say(f"{name}: {text}")
    for _word, text in report.risks:
        say(f"{name}: risk: {text}")
    for (reason, decision), count in sorted(report.remarks.problems.items()):
        say(f"{name}: problem: {count} x {decision}: {reason}")
    for (reason, decision), count in sorted(report.counts.items()):
        if level == DEBUG or reason in _WORTH_A_WARNING:
            say(f"{name}: {count} x {decision}: {reason}")


def put_edits(outcome: Outcome) -> None:
    """The dry run: tag path, keyword, action, lengths in bytes, reason; tab-separated."""
    if outcome.report is None:
        return
    from dcmveil._tables import keyword

    edits = outcome.report.edits
    put(f"# {show_path(shown(outcome.job.source))}: {len(edits)} edits\n")
    rows: Iterator[tuple[Any, ...]] = (
        (edit.path, keyword(edit.tag) or "-", edit.action, edit.decision, edit.old_length, edit.new_length, edit.reason)
        for edit in edits
    )
    head = ("path", "keyword", "action", "decision", "old", "new", "reason")
    lines = ("\t".join(map(str, row)) + "\n" for row in chain([head], rows))
    while some := "".join(islice(lines, _LINES)):
        put(some)

"""A process that is ended from outside, by SIGTERM or SIGHUP, cleans up first, and then ends by that signal.

Where every file has a name from the start, nobody else would take that away. Signals are met as an interrupt from a
terminal is (KeyboardInterrupt); the first one counts, those that come while it is cleaning up are ignored. Nothing
happens unless it is asked for: a process belongs to whoever started it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["end_as_told", "heed_signals", "interrupted", "signals_held", "take_signals"]

_ENDING = (signal.SIGTERM, signal.SIGHUP)
_ALL = frozenset({signal.SIGINT, *_ENDING})
_MET: list[int] = []


def heed_signals() -> None:
    """Clean up when one of them comes. One that is ignored, as by nohup(1), stays so."""
    for number in _ENDING:
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, interrupted)


def interrupted(number: int, _frame: object) -> None:
    """A handler: the next signal would come in the middle of cleaning up."""
    for other in _ALL:
        signal.signal(other, signal.SIG_IGN)
    if number in _ENDING:
        _MET.append(number)
    raise KeyboardInterrupt


def end_as_told() -> None:
    """End by the signal that has come, if any has: whoever sent it looks for that in the status."""
    for number in _MET:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


@contextmanager
def signals_held() -> Iterator[None]:
    """Signals come behind this: a new process is to meet them when it is prepared."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ALL)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def take_signals() -> None:
    """The new process is prepared: an interrupt that it has not been told to ignore ends it."""
    signal.signal(signal.SIGINT, interrupted)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ALL)

"""A signal that ends something in its midst, and neither before nor behind."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Interrupted", "interrupts"]


class Interrupted(Exception):
    """What the handler of a signal has raised."""


@contextmanager
def interrupts(seconds: float, is_in_the_midst: Callable[[], bool]) -> Iterator[None]:
    """A signal again and again, whose handler raises Interrupted once: in the midst, however slow the machine is."""
    raised = []

    def interrupt(_number: int, _frame: object) -> None:
        if not raised and is_in_the_midst():
            raised.append(True)
            raise Interrupted

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)

"""`dcmveil` and `python -m dcmveil`."""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False  # as type checkers read it
if TYPE_CHECKING:
    from typing import Any, NoReturn

__all__ = ["command", "main"]


def main() -> int:
    """Run the command line; returns the exit status, 0 or 1. The process is shielded first, and stays so."""
    if sys.argv[1:] in (["-v"], ["--version"]):
        from dcmveil import __version__

        return _print(f"dcmveil {__version__} (PS3.15 2026d)\n")
    gc.disable()  # imports make much and drop little
    _shield()
    from dcmveil.stopping import heed_signals

    heed_signals()
    from dcmveil.cli import run

    gc.enable()
    return run(sys.argv[1:])


def command() -> NoReturn:
    """The console script: `main`, and out without taking the interpreter apart, a tenth of the time of a small file."""
    try:
        status = main()
    except BaseException as error:  # before the command line could take care of it
        status = 1
        _tell(error)
    _end_as_told()
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            status = 1
    os._exit(status)


def _end_as_told() -> None:
    """By a signal that has come; it is known only where it is heeded."""
    stopping = sys.modules.get("dcmveil.stopping")
    if stopping is not None:
        stopping.end_as_told()


def _shield() -> None:
    """Memory is nobody else's, and what Python would say of an error by itself is a line without a Value."""
    from dcmveil.shielding import shield_process

    shield_process()
    sys.unraisablehook = _tell_unraisable
    if not sys.warnoptions:
        import warnings  # of cryptography, mostly: several lines, with a line of its source

        warnings.simplefilter("ignore")
    if any("://" in argument for argument in sys.argv):
        _silence_libraries()


def _silence_libraries() -> None:
    """What those of stores log, and what ends their threads, has addresses and texts of its own. What matters of it
    comes as an error."""
    import logging
    import threading

    logging.getLogger().addHandler(logging.NullHandler())
    threading.excepthook = lambda _found: None


def _tell_unraisable(found: Any) -> None:
    _tell(found.exc_value)


def _tell(error: BaseException | None) -> None:
    try:
        from dcmveil.errors import internal

        text = "interrupted" if isinstance(error, KeyboardInterrupt) else internal(error or BaseException())
    except Exception:  # nothing can be loaded any more
        text = f"cannot be started: {type(error).__name__}"
    try:
        print(f"dcmveil: {text}", file=sys.stderr)
    except Exception:  # there is nothing to say it with
        pass


def _print(text: str) -> int:
    """Write and flush, so that an error is met here; 1 if there is one."""
    problem = "is closed"
    if sys.stdout is not None:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
            return 0
        except OSError as error:
            problem = str(error.strerror)
            sys.stdout = None  # or its buffer would be tried once more at the end
    print(f"dcmveil: standard output: {problem}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    command()

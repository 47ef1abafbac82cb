"""The command line: `dcmveil [-e | -d | --dumb] [options] IN OUT`.

Exit status 0 if all was done, 1 if anything failed or the usage was wrong. Each failure is one line on stderr: file,
offset, tag path, what was expected. Never a Value.
"""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from functools import partial
from typing import Any

from dcmveil import __version__
from dcmveil.arguments import DEIDENTIFY, EDIT, REIDENTIFY, UsageError, help_text, parse
from dcmveil.batch import Outcome, Tally, jobs_of, outcomes_of
from dcmveil.choices import conformance_of, keyed_of, profile_of
from dcmveil.console import WARNINGS, put, put_edits, say, tell, warn, with_progress
from dcmveil.credentials import envelope_of, hide_passwords, opener_of, secret_of
from dcmveil.errors import DcmveilError, ReaderGone, internal, show_path
from dcmveil.output import STANDARD
from dcmveil.policy import Policy
from dcmveil.tasks import Deidentify, Edit, Reidentify, Task

__all__ = ["run"]


def run(arguments: Sequence[str]) -> int:
    """Run one command line. Returns the exit status."""
    try:
        options = parse(arguments)
        if options.help or options.version:
            put(help_text() if options.help else f"dcmveil {__version__} (PS3.15 2026d)\n")
            return 0
        hide_passwords(options)
        _give_notes(options)
        _load_resources(options)
        task = _task(options)
        if options.conformance:
            put(conformance_of(options))
            return 0
        return _process(task, options)
    except ReaderGone:
        _end_as_others_do()
    except UsageError as error:
        say(f"{show_path(error)} (dcmveil -h shows the usage)")
    except DcmveilError as error:
        say(str(error))
    except OSError as error:
        where = f"{show_path(error.filename)}: " if error.filename else ""
        say(f"{where}{error.strerror}")
    except KeyboardInterrupt:
        say("interrupted")
    except BaseException as error:  # what Rust panics with is no Exception
        say(internal(error))
    return 1


def _end_as_others_do() -> None:
    """By the signal that Python has kept from us: who has stopped reading expects no message."""
    import signal

    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGPIPE)


def _give_notes(options: Namespace) -> None:
    """What is done otherwise than the options may lead to expect."""
    if "des" in (options.ciphers or ()):
        say("note: --des means --des3: there is no single DES")
    if options.mode == DEIDENTIFY and options.cipher == "des3":
        warn("--des3: Triple-DES is weak; without it AES-256 is used")
    if options.crypto not in (None, "openssl"):
        say(f"note: --crypto {options.crypto}: the Python package cryptography is used")
    if options.mode == DEIDENTIFY and options.key is not None:
        say("note: -k is for -d; -e encrypts for a certificate (-c) or a password")
    if options.mode == REIDENTIFY and options.certificates:
        say("note: -c is for -e; -d decrypts with a private key (-k) or a password")
    if options.mode == DEIDENTIFY and options.resume and options.secret_file is None:
        warn("--resume without --secret-file: new UIDs do not match those of the outputs that are there")
    if options.mode == DEIDENTIFY and options.secret_file is None:
        for flag in keyed_of(options):
            warn(f"{flag} without --secret-file: keyed at random, for this run only")


def _load_resources(options: Namespace) -> None:
    """Tables of another edition, before anything has been made from those that are built in."""
    folder = options.resources_path
    if folder is None:
        folder = os.environ.get("GDCM_RESOURCES_PATH") or None
    if folder is None:
        return
    from dcmveil.resources import load_resources

    if not load_resources(folder) and (options.resources_path is not None or options.level >= WARNINGS):
        say(f"note: {show_path(folder)}: has no tables of dcmveil; the built-in ones are used")


# ---- what to do ------------------------------------------------------------------------------------------------


def _task(options: Namespace) -> Task:
    try:
        return _TASKS[options.mode](options)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _deidentify(options: Namespace) -> Task:
    return Deidentify(_policy(options), options.copy)


def _policy(options: Namespace) -> Policy:
    more: dict[str, Any] = {}
    envelope = envelope_of(options)
    if envelope is not None:
        more = {"envelope": envelope, "drop_large_originals": options.drop_large_originals}
        if options.max_originals is not None:
            more["max_originals"] = options.max_originals << 20
    return Policy(
        secret=secret_of(options),
        root_uid=(os.environ.get("GDCM_ROOT_UID") or None) if options.root_uid is None else options.root_uid,
        existing_encrypted=options.existing_encrypted,
        allow_embedded_overlays=options.allow_embedded_overlays,
        **profile_of(options),
        **more,
    )


def _reidentify(options: Namespace) -> Task:
    return Reidentify(opener_of(options), options.copy)


def _edit(options: Namespace) -> Task:
    from dcmveil.editing import Edits
    from dcmveil.operations import parse_operation

    return Edit(Edits(parse_operation(kind, text) for kind, text in options.operations), options.copy)


_TASKS: dict[str, Callable[[Namespace], Task]] = {DEIDENTIFY: _deidentify, REIDENTIFY: _reidentify, EDIT: _edit}


# ---- doing it --------------------------------------------------------------------------------------------------


def _process(task: Task, options: Namespace) -> int:
    is_folder = options.source != STANDARD and os.path.isdir(options.source)
    if options.target == STANDARD and (is_folder or os.isatty(1)):
        raise UsageError("standard output cannot be OUT " + ("for a folder" if is_folder else "if it is a terminal"))
    if options.source == STANDARD and os.isatty(0):
        raise UsageError("standard input cannot be IN if it is a terminal")
    tally = Tally()
    with ExitStack() as stack:
        listeners = _listeners(options, stack)
        jobs = jobs_of(options.source, options.target, recursive=options.recursive)
        processes = options.jobs if is_folder else 1
        outcomes = outcomes_of(jobs, task, resume=options.resume, processes=processes)
        stack.enter_context(closing(outcomes))
        for outcome in with_progress(_named(outcomes, options), of_folder=is_folder):
            tally.add(outcome)
            for told in listeners:
                told(outcome)
    if is_folder:
        say(str(tally))
    return int(tally.failed)


def _named(outcomes: Iterator[Outcome], options: Namespace) -> Iterator[Outcome]:
    """As they are to be told of."""
    if not options.quiet_names:
        return outcomes
    from dcmveil.numbering import numbered

    return numbered(outcomes)


def _listeners(options: Namespace, stack: ExitStack) -> list[Callable[[Outcome], None]]:
    """Who is to be told of each outcome."""
    listeners: list[Callable[[Outcome], None]] = [partial(tell, level=options.level)]
    if options.report is not None:
        from dcmveil.journal import report_to

        listeners.append(stack.enter_context(report_to(options.report)))
    if options.map is not None:
        from dcmveil.mapping import map_to

        add = stack.enter_context(map_to(options.map))
        listeners.append(lambda outcome: add(outcome.pairs))
    if options.dry_run:
        listeners.append(put_edits)
    return listeners

"""The command line: `dcmveil [-e] [options] IN OUT`.

Exit status 0 if all was done, 1 if anything failed or the usage was wrong. Each failure is one line on stderr: file,
offset, tag path, what was expected. Never a Value.
"""

from __future__ import annotations

import argparse
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, NoReturn, cast

from dcmveil import __version__
from dcmveil.batch import Job, Outcome, jobs_of, run_job, write_report
from dcmveil.errors import DcmveilError, OutputError, show_path
from dcmveil.policy import Policy

__all__ = ["run"]

_ERRORS, _WARNINGS, _DEBUG = range(3)

_EPILOG = """\
A folder IN is processed file by file into a folder OUT; a file that fails is told of and the others go on.
Without --secret-file new UIDs are random for this run: files of one study must then be processed together.
"""


class _UsageError(Exception):
    """What is wrong with the command line, in one line."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _UsageError(message)


def _format(prog: str) -> argparse.HelpFormatter:
    # A width of its own: asking for that of the terminal would load shutil at every start.
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=34, width=110)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="dcmveil",
        description="De-identify DICOM objects: PS3.15 2026d, Basic Application Level Confidentiality Profile.",
        epilog=_EPILOG,
        formatter_class=_format,
        add_help=False,
    )
    parser.add_argument("paths", nargs="*", metavar="IN OUT", help="input and output, two files or two folders")
    mode = parser.add_argument_group("what to do")
    mode.add_argument("-e", "--de-identify", action="store_true", help="de-identify (the default)")
    mode.add_argument("--dry-run", action="store_true",
                      help="print the planned edits, write nothing (OUT may be left out)")  # fmt: skip
    files = parser.add_argument_group("files")
    files.add_argument("-i", "--input", metavar="IN", help="instead of the first argument")
    files.add_argument("-o", "--output", metavar="OUT", help="instead of the second argument")
    files.add_argument("-r", "--recursive", action="store_true", help="folders: go into the folders below")
    files.add_argument("--report", metavar="FILE.jsonl", help="write what was done, a JSON object per file")
    how = parser.add_argument_group("how")
    how.add_argument("--secret-file", metavar="FILE",
                     help="secret of at least 16 bytes: the same one gives the same new UIDs, in any run")  # fmt: skip
    how.add_argument("--root-uid", metavar="UID", help="root of new UIDs (also GDCM_ROOT_UID; default: 2.25)")
    how.add_argument("--existing-encrypted", choices=("remove", "keep"), default="refuse",
                     help="what to do with an Encrypted Attributes Sequence (default: refuse the file)")  # fmt: skip
    how.add_argument("--allow-embedded-overlays", action="store_true",
                     help="let files pass that may have overlay bits embedded in Pixel Data")  # fmt: skip
    other = parser.add_argument_group("messages (stderr)")
    other.add_argument("-V", "--verbose", dest="level", action="store_const", const=_WARNINGS, default=_ERRORS,
                       help="warnings and errors")  # fmt: skip
    other.add_argument("-W", "--warning", dest="level", action="store_const", const=_WARNINGS, help="warnings")
    other.add_argument("-E", "--error", dest="level", action="store_const", const=_ERRORS, help="errors (the default)")
    other.add_argument("-D", "--debug", dest="level", action="store_const", const=_DEBUG,
                       help="what was done to each file")  # fmt: skip
    other.add_argument("-h", "--help", action="store_true", help="print this and exit")
    other.add_argument("-v", "--version", action="store_true", help="print the version and exit")
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run one command line. Returns the exit status."""
    parser = _parser()
    try:
        options = _parse(parser, list(arguments))
        if options.help or options.version:
            _print(parser.format_help() if options.help else f"dcmveil {__version__} (PS3.15 2026d)\n")
            return 0
        source, target = _paths(options)
        return _process(source, target, _policy(options), options)
    except _UsageError as error:
        _say(f"{show_path(error)} (dcmveil -h shows the usage)")
    except DcmveilError as error:
        _say(str(error))
    except OSError as error:
        _say(f"{show_path(error.filename or '')}: {error.strerror}")
    except KeyboardInterrupt:
        _say("interrupted")
    return 1


def _say(text: str) -> None:
    """A line on stderr, if there is one: without it print() would take stdout. A progress bar makes way for it."""
    if sys.stderr is None:
        return
    bars = sys.modules.get("tqdm")
    with suppress(OSError):
        if bars is None:
            print(f"dcmveil: {text}", file=sys.stderr)
        else:
            bars.tqdm.write(f"dcmveil: {text}", file=sys.stderr)


def _print(text: str) -> None:
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


# ---- options ---------------------------------------------------------------------------------------------------


def _parse(parser: argparse.ArgumentParser, arguments: list[str]) -> argparse.Namespace:
    """Options may stand anywhere before `--`; what follows that are paths, which argparse forgets if it permutes."""
    stop = arguments.index("--") if "--" in arguments else len(arguments)
    options = parser.parse_intermixed_args(arguments[:stop])
    options.paths += arguments[stop + 1 :]
    return options


def _paths(options: argparse.Namespace) -> tuple[str, str | None]:
    """IN and OUT, given by position or by -i and -o. OUT is None for a dry run, which needs none."""
    given = options.paths
    named = [options.input, options.output]
    if given and any(named):
        raise _UsageError("IN and OUT are given either by position or by -i and -o")
    source, target = [*given, None, None][:2] if given else named
    if None not in (target, options.report) and os.path.realpath(target) == os.path.realpath(options.report):
        raise _UsageError("the report and OUT are the same file")
    if source is None or len(given) > 2 or (target is None and not options.dry_run):
        raise _UsageError("IN and OUT expected")
    return source, None if options.dry_run else target


def _policy(options: argparse.Namespace) -> Policy:
    try:
        return Policy(
            secret=None if options.secret_file is None else _secret(options.secret_file),
            root_uid=(os.environ.get("GDCM_ROOT_UID") or None) if options.root_uid is None else options.root_uid,
            existing_encrypted=options.existing_encrypted,
            allow_embedded_overlays=options.allow_embedded_overlays,
        )
    except ValueError as error:
        raise _UsageError(str(error)) from None


def _secret(path: str) -> bytes:
    """The secret in a file, without the line end that editors add."""
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                _say(f"warning: {show_path(path)}: the secret file can be read by others")
            return file.read(1 << 16).rstrip(b"\r\n")
    except OSError as error:
        raise _UsageError(f"{show_path(path)}: secret cannot be read: {error.strerror}") from None


# ---- work ------------------------------------------------------------------------------------------------------


def _process(source: str, target: str | None, policy: Policy, options: argparse.Namespace) -> int:
    failed = False
    with ExitStack() as stack:
        tell: list[Callable[[Outcome], None]] = []
        if options.report is not None:
            tell.append(stack.enter_context(_report_to(options.report)))
        if options.dry_run:
            tell.append(_print_edits)
        jobs = jobs_of(source, target, recursive=options.recursive)
        for job in _with_progress(jobs, source):
            outcome = run_job(job, policy)
            failed |= outcome.error is not None
            _tell_stderr(outcome, options.level)
            for told in tell:
                told(outcome)
    return int(failed)


@contextmanager
def _report_to(path: str) -> Iterator[Callable[[Outcome], None]]:
    """A function that adds an outcome to the report. What is no report is not overwritten: it may be the input."""
    with _report_errors(path):
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    file = os.fdopen(fd, "w", buffering=1, encoding="ascii")
    try:
        if stat.S_ISREG(os.fstat(fd).st_mode):
            if os.pread(fd, len(_REPORT_BEGINS), 0) not in (b"", _REPORT_BEGINS):
                raise OutputError(f"{show_path(path)}: exists and is no report")
            os.ftruncate(fd, 0)
        write = write_report(file)

        def tell(outcome: Outcome) -> None:
            with _report_errors(path):
                write(outcome)

        yield tell
    finally:
        with suppress(OSError):  # every line has been flushed; one that could not be was told of then
            file.close()


@contextmanager
def _report_errors(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"{show_path(path)}: report not written: {error.strerror}") from None


_REPORT_BEGINS = b'{"source": '


def _with_progress(jobs: Iterable[Job], source: str) -> Iterable[Job]:
    """The jobs, with a bar for a folder if somebody is watching."""
    if not (os.path.isdir(source) and sys.stderr is not None and sys.stderr.isatty()):
        return jobs
    from tqdm import tqdm  # 20 ms that nobody should wait for without a bar to see

    return cast(Iterable[Job], tqdm(jobs, unit=" files", leave=False))


def _tell_stderr(outcome: Outcome, level: int) -> None:
    name = show_path(outcome.job.source)
    if outcome.error is not None:
        _say(f"{name}: {outcome.error}")
    elif outcome.report is not None and level > _ERRORS:
        for (reason, decision), count in sorted(outcome.report.counts.items()):
            if level == _DEBUG or reason in _WORTH_A_WARNING:
                _say(f"{name}: {count} x {decision}: {reason}")


_WORTH_A_WARNING = frozenset(
    {"not in the dictionary of PS3.6 2026d", "VR is not the dictionary's", "repeated", "R24: MAC Parameters Sequence"}
)


def _print_edits(outcome: Outcome) -> None:
    """The dry run: tag path, keyword, action, lengths in bytes, reason; tab-separated."""
    if outcome.report is None:
        return
    from dcmveil._tables import keyword

    rows: list[tuple[Any, ...]] = [
        (edit.path, keyword(edit.tag) or "-", edit.action, edit.decision, edit.old_length, edit.new_length, edit.reason)
        for edit in outcome.report.edits
    ]
    head = ("path", "keyword", "action", "decision", "old", "new", "reason")
    lines = ["\t".join(map(str, row)) for row in (head, *rows)]
    _print("\n".join([f"# {show_path(outcome.job.source)}: {len(rows)} edits", *lines, ""]))

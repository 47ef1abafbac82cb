"""One file in, one file out: what callers of the package use.

Nothing is written before the whole input has been planned and answered, and the output appears only when whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

from dcmveil.output import AtomicFile
from dcmveil.policy import Policy
from dcmveil.questions import Rewriting
from dcmveil.report import Report
from dcmveil.rewriting import Completion, OpenedFile, Rewrite, Writer
from dcmveil.sinks import FileOutput, Output
from dcmveil.sources import FileSource, Source

__all__ = ["completion_of", "deidentify_file", "deidentify_source", "plan_file", "plan_source", "write_file"]

_Path = str | os.PathLike[str]


def deidentify_file(source: _Path, target: _Path, policy: Policy, *, copy: str = "auto") -> Report:
    """De-identify the file `source` into `target` (PS3.15 E.1.1).

    `target` appears under its name only when whole; one that exists is replaced then, or stays as it was if anything
    goes wrong. `source` and `target` may be the same. Memory does not grow with the file, but with an envelope it
    does with the originals. `copy` is how bulk is copied, which never changes a byte: "reflink" (shared with the
    input, where the file system can), "splice" (by the kernel) or "readwrite"; "auto" takes the first that works.

    Raises ParseError for an input that is not well formed, Refused for one the Policy does not let through,
    LimitExceeded, InputError and OutputError; all are DcmveilErrors.
    """
    with OpenedFile(source) as file:
        report = write_file(file, target, partial(deidentify_source, policy=policy), copy=copy)
    return report._replace(source=str(source), target=str(target))


def deidentify_source(
    source: Source,
    output: Output,
    policy: Policy,
    *,
    transfer_syntax: str | None = None,
    file_meta: bool = True,
) -> tuple[Report, int]:
    """De-identify what is read from `source` into `output`. Returns a report without names, and the bytes of output
    before the Data Set. With a `transfer_syntax` the source is a Data Set alone. Raises as `deidentify_file`; then what
    has been written is no object."""
    complete = completion_of(policy)
    rewrite = Rewrite(source, policy, complete, transfer_syntax=transfer_syntax, file_meta=file_meta)
    rewrite.run(Writer(source, output))
    if policy.verifies:
        from dcmveil.proving import verify_output

        verify_output(rewrite, output.source())
    return rewrite.report("", None), rewrite.prefix


def plan_file(source: _Path, policy: Policy) -> Report:
    """What `deidentify_file` would do, edit by edit, without doing it. Raises the same, but OutputError.

    All edits are held at once, most of them deflated.
    """
    with OpenedFile(source) as file:
        return plan_source(file, policy, completion_of(policy))._replace(source=str(source))


def completion_of(policy: Policy) -> Completion | None:
    """What seals the originals, if there is an envelope."""
    if policy.envelope is None:
        return None
    from dcmveil.sealing import seal_originals

    return partial(seal_originals, policy)


def write_file(
    source: FileSource, target: _Path, write: Callable[[Source, Output], tuple[Report, int]], *, copy: str = "auto"
) -> Report:
    """Have `write` rewrite a file that is open into `target`, which appears under its name only when whole."""
    with AtomicFile(target, mode_of=source.status) as output:
        report, _prefix = write(source, FileOutput(source.fd, output.fd, source.size, copy))
        source.check()
        output.commit()
    return report


def plan_source(source: Source, policy: Rewriting, complete: Completion | None = None) -> Report:
    """What would be done to what is read from `source`, edit by edit, without doing it."""
    rewrite = Rewrite(source, policy, complete)
    rewrite.run(None)
    return rewrite.report("", None)

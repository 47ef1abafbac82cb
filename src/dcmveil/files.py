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
from dcmveil.rewriting import Completion, Rewrite, Writer, opened
from dcmveil.sinks import FileOutput
from dcmveil.sources import FileSource, Source

__all__ = ["completion_of", "deidentify_file", "plan_file", "plan_opened", "rewrite_opened", "verification_of"]

_Path = str | os.PathLike[str]
Verification = Callable[[Rewrite, Source], None]


def deidentify_file(source: _Path, target: _Path, policy: Policy, *, copy: str = "auto") -> Report:
    """De-identify the file `source` into `target` (PS3.15 E.1.1).

    `target` appears under its name only when whole; one that exists is replaced then, or stays as it was if anything
    goes wrong. `source` and `target` may be the same. Memory does not grow with the file, but with an envelope it
    does with the originals. `copy` is how bulk is copied, which never changes a byte: "reflink" (shared with the
    input, where the file system can), "splice" (by the kernel) or "readwrite"; "auto" takes the first that works.

    Raises ParseError for an input that is not well formed, Refused for one the Policy does not let through,
    LimitExceeded, InputError and OutputError; all are DcmveilErrors.
    """
    with opened(source) as fd:
        return rewrite_opened(fd, source, target, policy, completion_of(policy), verification_of(policy), copy=copy)


def plan_file(source: _Path, policy: Policy) -> Report:
    """What `deidentify_file` would do, edit by edit, without doing it. Raises the same, but OutputError.

    All edits are held at once, some 300 bytes each.
    """
    with opened(source) as fd:
        return plan_opened(fd, source, policy, completion_of(policy))


def completion_of(policy: Policy) -> Completion | None:
    """What seals the originals, if there is an envelope."""
    if policy.envelope is None:
        return None
    from dcmveil.sealing import seal_originals

    return partial(seal_originals, policy)


def verification_of(policy: Policy) -> Verification | None:
    """What searches the output, if that is wanted."""
    if not policy.verifies:
        return None
    from dcmveil.proving import verify_output

    return verify_output


def rewrite_opened(
    fd: int,
    source: _Path,
    target: _Path,
    policy: Rewriting,
    complete: Completion | None = None,
    verify: Verification | None = None,
    *,
    copy: str = "auto",
) -> Report:
    """Rewrite the file opened as `fd`, whose name is `source`, into `target`. Raises as `deidentify_file`.

    `verify` is given what was done and the output before that takes its name."""
    with AtomicFile(target, mode_of=os.fstat(fd)) as output:
        opened_source = FileSource(fd)
        written = FileOutput(fd, output.fd, opened_source.size, copy)
        rewrite = Rewrite(opened_source, policy, complete)
        rewrite.run(Writer(opened_source, written))
        if verify is not None:
            verify(rewrite, written.source())
        output.commit()
    return rewrite.report(str(source), str(target))


def plan_opened(fd: int, source: _Path, policy: Rewriting, complete: Completion | None = None) -> Report:
    """What `rewrite_opened` would do, without doing it."""
    rewrite = Rewrite(FileSource(fd), policy, complete)
    rewrite.run(None)
    return rewrite.report(str(source), None)

"""Objects in stores: what `deidentify_file` and its like do, from and to URLs.

Of an object in a store the header is read, and long Values are not: where both ends are in S3 the store copies them
itself. A server without ranges is listened to from beginning to end. URLs are of S3 (`s3://`), and by the same means,
but with all bytes passing through, `gs://` and `az://`; `http://` and `https://` can be read only. Credentials come
from where the libraries of the stores look for them, and go into no message, no report and no repr.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from dcmveil.aside import first_segments, set_aside
from dcmveil.cloud_reading import LocalInput, RemoteInput, StreamInput, opened_input, s3_file_system
from dcmveil.cloud_upload import S3Target
from dcmveil.cloud_urls import is_url, scheme_of, shown
from dcmveil.cloud_writing import FileTarget, ScriptOutput, StoreTarget, Target
from dcmveil.errors import InputError, OutputError
from dcmveil.held import Segment
from dcmveil.output import STANDARD
from dcmveil.policy import Policy
from dcmveil.report import Report
from dcmveil.tasks import Deidentify, Edit, Reidentify, Task

if TYPE_CHECKING:
    from dcmveil.editing import Edits
    from dcmveil.reidentifying import Unsealer

__all__ = ["deidentify_url", "edit_url", "is_url", "plan_edits_url", "plan_url", "reidentify_url", "run_url", "shown"]


def deidentify_url(source: str, target: str, policy: Policy) -> Report:
    """De-identify the object under `source` into `target` (PS3.15 E.1.1), each a URL or the path of a file.

    What comes out is what `deidentify_file` would write, and it appears under its name only when whole; source and
    target may be the same. Raises what that raises; InputError as well for a source that cannot be had or changes
    meanwhile, and DcmveilError if the extra `cloud` is not installed.
    """
    return run_url(Deidentify(policy), source, target)


def reidentify_url(source: str, target: str, opener: Unsealer) -> Report:
    """Restore the original of the object under `source` in `target`, as `reidentify_file` does. Raises what that does,
    and as `deidentify_url`."""
    return run_url(Reidentify(opener), source, target)


def edit_url(source: str, target: str, edits: Edits) -> Report:
    """Edit the object under `source` into `target`, as `edit_file` does. Raises what that does, and as
    `deidentify_url`."""
    return run_url(Edit(edits), source, target)


def plan_url(source: str, policy: Policy) -> Report:
    """What `deidentify_url` would do, edit by edit, without doing it."""
    return run_url(Deidentify(policy), source, None)


def plan_edits_url(source: str, edits: Edits) -> Report:
    """What `edit_url` would do, edit by edit, without doing it."""
    return run_url(Edit(edits), source, None)


def run_url(task: Task, source: str, target: str | None) -> Report:
    """Do it, with URLs for source, target or both; without a target only say what would be done. Raises as
    `deidentify_url`. The report has the URLs as they may be shown."""
    if STANDARD in (source, target):
        raise InputError("a URL and standard input or output do not go together")
    with opened_input(source) as opened:
        if target is None:
            report = _plan(task, opened)
            return report._replace(source=shown(source))
        with _target(target, opened) as written:
            report = _push(task, opened, written) if isinstance(opened, StreamInput) else _pull(task, opened, written)
            written.commit()
    return report._replace(source=shown(source), target=shown(target), copied=written.methods)


def _plan(task: Task, opened: LocalInput | RemoteInput | StreamInput) -> Report:
    if isinstance(opened, StreamInput):
        with set_aside(bytearray(), opened.whole) as fd:
            return task.plan(LocalInput(fd))
    return task.plan(opened)


def _pull(task: Task, opened: LocalInput | RemoteInput, target: Target) -> Report:
    report, _prefix = task.write(opened, ScriptOutput(opened, target, keeps=task.checks))
    target.settle()
    opened.check()
    return report


def _push(task: Task, opened: StreamInput, target: Target) -> Report:
    """As it comes. Where that would have to hold much it is set aside and done as a file, as with pipes."""
    driver, head = task.driver(), bytearray()
    with closing(opened.whole):
        segments = first_segments(driver, opened.whole, head)
        if segments is None:
            del driver  # with what it holds
            with set_aside(head, opened.whole) as fd:
                return _pull(task, LocalInput(fd), target)
        del head
        _pass_on(segments, target)
        for data in opened.whole:
            _pass_on(driver.feed(data), target)
    _pass_on(driver.finish(), target)
    return driver.report()


def _pass_on(segments: list[Segment], target: Target) -> None:
    for segment in segments:
        if segment.data is None:
            raise ValueError("a range that was never passed over")
        target.write(segment.data)


def _target(target: str, opened: LocalInput | RemoteInput | StreamInput) -> Target:
    if not is_url(target):
        return FileTarget(target, opened)
    scheme = scheme_of(target)
    if scheme in ("http", "https"):
        raise OutputError(f"{shown(target)}: not written: web servers are read from only")
    if scheme in ("s3", "s3a"):
        return S3Target(s3_file_system(), target, None if isinstance(opened, StreamInput) else opened.size)
    return StoreTarget(target)

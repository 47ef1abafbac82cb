"""What a run does to each object: de-identify, re-identify or edit it, as a file, from a source, or piece by piece."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple, Protocol

from dcmveil.files import completion_of, deidentify_file, deidentify_source, plan_file, plan_source
from dcmveil.report import Report

if TYPE_CHECKING:
    from dcmveil.editing import Edits
    from dcmveil.policy import Policy
    from dcmveil.reidentifying import Unsealer
    from dcmveil.sinks import Output
    from dcmveil.sources import Source
    from dcmveil.streaming import Driver

__all__ = ["Deidentify", "Edit", "Reidentify", "Task"]

_Path = str | os.PathLike[str]


class Task(Protocol):
    """What a run does to each file. It is not changed by that, so that processes may share it."""

    def run(self, source: _Path, target: _Path | None) -> Report:
        """Do it to a file; without a target only say what would be done. Raises DcmveilErrors."""

    @property
    def checks(self) -> bool:
        """Does what has been written count only when all of it has been looked at?"""

    @property
    def copy(self) -> str:
        """How bulk is copied (`dcmveil.files.deidentify_file`)."""

    def driver(self) -> Driver:
        """A push driver for one object."""

    def write(self, source: Source, output: Output) -> tuple[Report, int]:
        """Do it to what is read from a source. Returns a report without names, and the bytes before the Data Set."""

    def plan(self, source: Source) -> Report:
        """Say what would be done."""


class Deidentify(NamedTuple):
    """De-identify by a Policy."""

    policy: Policy
    copy: str = "auto"

    @property
    def checks(self) -> bool:
        return self.policy.verifies

    def run(self, source: _Path, target: _Path | None) -> Report:
        if target is None:
            return plan_file(source, self.policy)
        return deidentify_file(source, target, self.policy, copy=self.copy)

    def driver(self) -> Driver:
        from dcmveil.streaming import Deidentifier

        return Deidentifier(self.policy)

    def write(self, source: Source, output: Output) -> tuple[Report, int]:
        return deidentify_source(source, output, self.policy)

    def plan(self, source: Source) -> Report:
        return plan_source(source, self.policy, completion_of(self.policy))


class Reidentify(NamedTuple):
    """Restore what was encrypted; needs a target."""

    opener: Unsealer
    copy: str = "auto"

    @property
    def checks(self) -> bool:
        return True

    def run(self, source: _Path, target: _Path | None) -> Report:
        from dcmveil.reidentifying import reidentify_file

        if target is None:
            raise ValueError("there is no dry run of this")
        return reidentify_file(source, target, self.opener, copy=self.copy)

    def driver(self) -> Driver:
        from dcmveil.streaming import Reidentifier

        return Reidentifier(self.opener)

    def write(self, source: Source, output: Output) -> tuple[Report, int]:
        from dcmveil.reidentifying import reidentify_source

        return reidentify_source(source, output, self.opener)

    def plan(self, source: Source) -> Report:
        raise ValueError("there is no dry run of this")


class Edit(NamedTuple):
    """Edit single Attributes, by no Profile."""

    edits: Edits
    copy: str = "auto"

    @property
    def checks(self) -> bool:
        return False

    def run(self, source: _Path, target: _Path | None) -> Report:
        from dcmveil.editing import edit_file, plan_edits

        if target is None:
            return plan_edits(source, self.edits)
        return edit_file(source, target, self.edits, copy=self.copy)

    def driver(self) -> Driver:
        from dcmveil.streaming import Editor

        return Editor(self.edits)

    def write(self, source: Source, output: Output) -> tuple[Report, int]:
        from dcmveil.editing import edit_source

        return edit_source(source, output, self.edits)

    def plan(self, source: Source) -> Report:
        from dcmveil.editing import editing_of

        return plan_source(source, editing_of(source, self.edits))

"""Prints what dcmveil does with every real file, as a Markdown table: `python -m tests.reference.table`."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from dcmveil import Policy, deidentify_file
from dcmveil.errors import DcmveilError, Refused

from .files import Sample, samples


def result(sample: Sample, target: Path) -> tuple[str, str]:
    """`de-identified`, `refused` or `not read`, and why."""
    try:
        deidentify_file(sample.path, target, Policy(secret=b"any secret does for this"))
    except Refused as refused:
        return "refused", str(refused.reason)
    except DcmveilError as error:
        return "not read", type(error).__name__
    return "de-identified", ""


def table() -> list[str]:
    """The lines of the table."""
    lines = ["| File | Result | Reason |", "|---|---|---|"]
    with TemporaryDirectory() as folder:
        for number, sample in enumerate(samples()):
            word, reason = result(sample, Path(folder) / str(number))
            lines.append(f"| {sample.name} | {word} | {reason} |")
            (Path(folder) / str(number)).unlink(missing_ok=True)
    return lines


if __name__ == "__main__":
    print("\n".join(table()))

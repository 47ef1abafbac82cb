"""Prints what dcmveil does with every real file, as a Markdown table: `python -m tests.reference.table`.

FILES.md beside this file is its output, with the readers' verdicts for each file that is not de-identified.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from dcmveil import Policy, deidentify_file
from dcmveil.errors import DcmveilError, Refused

from .files import Sample, samples


def result(sample: Sample, target: Path) -> tuple[str, str]:
    """`ok`, `refused` or `not read`, and why."""
    try:
        deidentify_file(sample.path, target, Policy(secret=b"any secret does for this"))
    except Refused as refused:
        return "refused", f"{refused.reason}: {refused}"
    except DcmveilError as error:
        return "not read", str(error)
    return "ok", ""


def table() -> list[str]:
    """The lines of the table."""
    lines, counts = (
        ["| file | result | reason | read by pydicom, dcmdump and gdcmdump |", "|---|---|---|---|"],
        Counter[str](),
    )
    with TemporaryDirectory() as folder:
        for number, sample in enumerate(samples()):
            word, reason = result(sample, Path(folder) / str(number))
            verdict = "" if word == "ok" else "not by all" if sample.is_doubtful() else "yes"
            lines.append(f"| {sample.name} | {word} | {reason} | {verdict} |")
            counts[word] += 1
            (Path(folder) / str(number)).unlink(missing_ok=True)
    return [", ".join(f"{count} {word}" for word, count in counts.most_common()), "", *lines]


if __name__ == "__main__":
    print("\n".join(table()))

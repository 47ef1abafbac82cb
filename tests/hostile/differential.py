"""Whether other readers find what is not there: outputs of mutated objects as pydicom, dcmdump and gdcmdump see them.

A leak is a marker in the bytes of an output, inflated if need be, or in what a reader prints of it. A disagreement is
an output in which two readers see different trees. A reader that refuses a file finds nothing in it; that is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from dcmveil import Policy, deidentify_file
from dcmveil.errors import DcmveilError
from tests.hostile.forms import inflated
from tests.hostile.mutants import MARKER, Mutant, mutant
from tests.hostile.readers import Tree, dcmdump, flat, gdcmdump, pydicom_tree

__all__ = ["Campaign", "Finding", "campaign", "examine"]

POLICY = Policy(secret=b"a secret of sixteen bytes or more", existing_encrypted="remove")
BATCH = 500


class Finding(NamedTuple):
    """Something that must not be, in the output of a mutant."""

    mutant: Mutant
    what: str

    def __str__(self) -> str:
        of = self.mutant
        return f"{of.number} ({of.form}; {', '.join(of.mutations) or 'as it is'}): {self.what}"


class Campaign(NamedTuple):
    """Figures of a run."""

    files: int
    accepted: int
    counts: Counter[str]
    findings: list[Finding]

    def __str__(self) -> str:
        counts = ", ".join(f"{name}: {count}" for name, count in sorted(self.counts.items()))
        return (
            f"{self.files} files, {self.accepted} accepted ({counts or 'read by all'}); "
            f"{len(self.findings)} leaks and disagreements"
        )


def campaign(count: int, seed: int = 0, start: int = 0) -> Campaign:
    """So many mutants from a number on."""
    accepted, counts, findings = 0, Counter[str](), list[Finding]()
    for first in range(start, start + count, BATCH):
        with TemporaryDirectory() as folder:
            outputs = _accepted(Path(folder), range(first, min(first + BATCH, start + count)), seed)
            accepted += len(outputs)
            findings += examine(outputs, counts)
    return Campaign(count, accepted, counts, findings)


def _accepted(folder: Path, numbers: range, seed: int) -> dict[Path, Mutant]:
    """The outputs there are."""
    outputs = {}
    source = folder / "in"
    for number in numbers:
        of, target = mutant(number, seed), folder / f"{number}.dcm"
        source.write_bytes(of.data)
        try:
            deidentify_file(source, target, POLICY)
        except DcmveilError:
            continue
        outputs[target] = of
    return outputs


def examine(outputs: dict[Path, Mutant], counts: Counter[str]) -> Iterator[Finding]:
    """What is wrong with these outputs."""
    if not outputs:
        return
    by_dcmtk = dcmdump(list(outputs))
    for path, of in outputs.items():
        of_gdcm, by_gdcm = gdcmdump(path)
        of_dcmtk, by_dcmdump = by_dcmtk[path]
        trees = {"pydicom": pydicom_tree(path), "dcmdump": of_dcmtk, "gdcmdump": of_gdcm}
        counts.update(f"not read by {name}" for name, tree in trees.items() if tree is None)
        apart = list(disagreements(trees))
        yield from (Finding(of, text) for text in apart)
        printed = {"output": inflated(path.read_bytes()), "gdcmdump": by_gdcm, "dcmdump": by_dcmdump}
        found = [name for name, data in printed.items() if MARKER in data]
        if found:
            yield Finding(of, f"marker found in: {', '.join(found)}")


def disagreements(trees: dict[str, Tree | None]) -> Iterator[str]:
    """In which elements the readers that can read it differ from the first of them."""
    seen = {name: list(flat(tree)) for name, tree in trees.items() if tree is not None}
    for name, elements in list(seen.items())[1:]:
        first, expected = next(iter(seen.items()))
        if elements != expected:
            only, others = sorted(set(expected) - set(elements)), sorted(set(elements) - set(expected))
            yield f"{first} sees {only[:3]}, {name} {others[:3]}"

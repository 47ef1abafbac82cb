"""The planted set through the De-identifier, with every Option on that goes with the others."""

from __future__ import annotations

from functools import reduce
from pathlib import Path
from tempfile import TemporaryDirectory

from dcmveil import Policy, deidentify_file
from dcmveil.options import Options

from .judge import Figures, judge
from .plant import planted

__all__ = ["FILES", "OPTIONS", "figures"]

FILES = 216  # 9 tongues, 3 Transfer Syntaxes and 3 SOP Classes, several times over
OPTIONS = Options(
    retain_device_identity=True,
    retain_patient_characteristics=True,
    modify_dates=True,
    clean_descriptors=True,
    clean_structured_content=True,
    clean_graphics=True,
    retain_safe_private=True,
)


def figures(files: int = FILES, seed: int = 0) -> Figures:
    """Both figures over so many files."""
    policy = Policy(secret=b"a secret of sixteen bytes or more", options=OPTIONS)
    found = []
    with TemporaryDirectory() as folder:
        source, target = Path(folder, "in.dcm"), Path(folder, "out.dcm")
        for one in planted(files, seed):
            source.write_bytes(one.data)
            deidentify_file(source, target, policy)
            found.append(judge(one, target.read_bytes()))
    return reduce(Figures.plus, found, Figures())

"""dcmveil: a streaming de-identifier of DICOM objects (PS3.15 2026d, Annex E).

>>> from dcmveil import Policy, deidentify_file
>>> report = deidentify_file("in.dcm", "out.dcm", Policy(secret=secret))  # doctest: +SKIP
"""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers read it; importing typing would cost more than `dcmveil -v` itself

if TYPE_CHECKING:
    from dcmveil.files import EditLine, Report, deidentify_file, plan_file
    from dcmveil.policy import Limits, Policy

__all__ = ["EditLine", "Limits", "Policy", "Report", "__version__", "deidentify_file", "plan_file"]

__version__ = "0.1.0"

_HOME = {
    "EditLine": "dcmveil.files",
    "Limits": "dcmveil.policy",
    "Policy": "dcmveil.policy",
    "Report": "dcmveil.files",
    "deidentify_file": "dcmveil.files",
    "plan_file": "dcmveil.files",
}


def __getattr__(name: str) -> object:
    # The version alone, which is all that `dcmveil -v` wants, loads no extension module.
    if name not in _HOME:
        raise AttributeError(f"module 'dcmveil' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)

"""dcmveil: a streaming de-identifier of DICOM objects (PS3.15 2026d, Annex E).

>>> from dcmveil import Policy, deidentify_file
>>> report = deidentify_file("in.dcm", "out.dcm", Policy(secret=secret))  # doctest: +SKIP
"""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers read it; importing typing would cost more than `dcmveil -v` itself

if TYPE_CHECKING:
    from dcmveil.cms import Envelope, Opener
    from dcmveil.editing import Edits, edit_file, plan_edits
    from dcmveil.files import deidentify_file, plan_file
    from dcmveil.held import Segment
    from dcmveil.keys import load_certificates, load_private_key
    from dcmveil.operations import Operation, parse_operation
    from dcmveil.options import Options
    from dcmveil.policy import Limits, Policy
    from dcmveil.reidentifying import reidentify_file
    from dcmveil.report import EditLine, Report
    from dcmveil.rulesfile import load_rules
    from dcmveil.shielding import shield_process
    from dcmveil.streaming import Deidentifier, Editor, Reidentifier
    from dcmveil.userrules import UserRule, parse_rules

__all__ = [
    "Deidentifier",
    "EditLine",
    "Editor",
    "Edits",
    "Envelope",
    "Limits",
    "Opener",
    "Operation",
    "Options",
    "Policy",
    "Reidentifier",
    "Report",
    "Segment",
    "UserRule",
    "__version__",
    "deidentify_file",
    "edit_file",
    "load_certificates",
    "load_private_key",
    "load_rules",
    "parse_operation",
    "parse_rules",
    "plan_edits",
    "plan_file",
    "reidentify_file",
    "shield_process",
]

__version__ = "0.1.0"

_HOME = {
    "Deidentifier": "dcmveil.streaming",
    "EditLine": "dcmveil.report",
    "Editor": "dcmveil.streaming",
    "Edits": "dcmveil.editing",
    "Envelope": "dcmveil.cms",
    "Limits": "dcmveil.policy",
    "Opener": "dcmveil.cms",
    "Operation": "dcmveil.operations",
    "Options": "dcmveil.options",
    "Policy": "dcmveil.policy",
    "Reidentifier": "dcmveil.streaming",
    "Report": "dcmveil.report",
    "Segment": "dcmveil.held",
    "UserRule": "dcmveil.userrules",
    "deidentify_file": "dcmveil.files",
    "edit_file": "dcmveil.editing",
    "load_certificates": "dcmveil.keys",
    "load_private_key": "dcmveil.keys",
    "load_rules": "dcmveil.rulesfile",
    "parse_operation": "dcmveil.operations",
    "parse_rules": "dcmveil.userrules",
    "plan_edits": "dcmveil.editing",
    "plan_file": "dcmveil.files",
    "reidentify_file": "dcmveil.reidentifying",
    "shield_process": "dcmveil.shielding",
}


def __getattr__(name: str) -> object:
    # The version alone, which is all that `dcmveil -v` wants, loads no extension module.
    if name not in _HOME:
        raise AttributeError(f"module 'dcmveil' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)

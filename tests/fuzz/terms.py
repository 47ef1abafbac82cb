"""What the targets go by: Options, rules and edits. A Policy takes memory, so each target makes its own."""

from __future__ import annotations

from pathlib import Path

import tests
from dcmveil.operations import parse_operation
from dcmveil.options import Options

__all__ = ["CLEANS", "DEFLATED", "OPERATIONS", "RETAINS", "RULES", "SECRET"]

SECRET = b"a secret of sixteen bytes or more"
DEFLATED = "1.2.840.10008.1.2.1.99"
CLEANS = Options()._replace(
    retain_device_identity=True,
    retain_institution_identity=True,
    retain_patient_characteristics=True,
    modify_dates=True,
    clean_descriptors=True,
    clean_structured_content=True,
    clean_graphics=True,
    retain_safe_private=True,
)
RETAINS = Options(True, True, True, False, True, False, False, False, False, True)
RULES = Path(tests.__file__).parent / "data" / "rules.toml"
OPERATIONS = [
    parse_operation("empty", "0010,0010"),
    parse_operation("remove", "0008,1140"),
    parse_operation("replace", "0040,A043>0008,0104=Another"),
    parse_operation("replace", "0008,0060=OT"),
    parse_operation("clear", "0008,1032[2]>0008,0100"),
]

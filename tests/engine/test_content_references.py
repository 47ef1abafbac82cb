"""Clean Structured Content: a reference (0040,DB73) that goes refers to nothing (R48), so Content Items may go.

To be added to tests/engine/test_content_items.py, together with codes_that_go.patch.
"""

from __future__ import annotations

import pytest

from tests.engine.test_content_items import CONTENT, DUMMY, PATIENT_STATE, UNKNOWN, E, named, output, text


@pytest.mark.parametrize("vr", ["SS", "UN", "LO"])
def test_a_reference_of_another_vr_goes_and_keeps_no_item(vr: str) -> None:
    """R48: it is removed for its VR."""
    stays = E.item(named(UNKNOWN, DUMMY))
    wrong = E.item(E.element(0x0040DB73, vr, b"\1\0\0\0"))
    assert E.sequence(CONTENT, stays, E.item()) in output(
        E.sequence(CONTENT, E.item(named(PATIENT_STATE, text())), stays, wrong)
    )

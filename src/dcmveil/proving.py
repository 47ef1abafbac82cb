"""Proof that an output is clean (--verify): what identified in the input is looked for in what was made of it."""

from __future__ import annotations

from dcmveil import _tables
from dcmveil.errors import Refused
from dcmveil.rewriting import Rewrite
from dcmveil.sources import Source
from dcmveil.tags import format_tag
from dcmveil.verifying import Verifier

__all__ = ["verify_output"]


def verify_output(rewrite: Rewrite, output: Source) -> None:
    """Raises Refused ("not-clean") if a Value that identifies in the input stands in the output, and says where.

    Values that were made for this object, such as shifted dates, may by chance be equal to others: they may stand there
    nevertheless.
    """
    facts = rewrite.resolver.facts()
    values = [(tag, _tables.dictionary_vr(tag) or "LO", value) for tag, _set, value in facts.identifying]
    sets = [facts.character_set, *facts.sets[1:]]
    finding = Verifier(values, sets, allowed=rewrite.made()).check(output)
    if finding is not None:
        original = format_tag(finding.original)
        raise Refused("not-clean", f"the Value of {original} in the input stands in {finding.place} of the output")

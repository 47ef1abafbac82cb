"""Combinations of Options that the Standard allows: each Option alone, and 200 drawn at random, always the same."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

from .agreement import ROOT, SECRET
from .model import Settings
from .options import COLUMNS

RANDOM_COUNT, SEED = 200, 20261122
DATES = ("retain_full_dates", "modify_dates")
CHOICES = ("patient_id", "patient_name", "accession_number", "study_id")


@cache
def combinations() -> dict[str, Settings]:
    """By name: the Options that are on, and a number for those that were drawn."""
    random, drawn = Random(SEED), dict[tuple[str, ...], Settings]()
    while len(drawn) < RANDOM_COUNT:
        others = [option for option in COLUMNS if option not in DATES and random.random() < 0.5]
        chosen = (*others, *random.choice(((), *((option,) for option in DATES))))
        if len(chosen) > 1 and chosen not in drawn:
            drawn[chosen] = varied(random, lenient(*chosen))
    alone = {option: lenient(option) for option in COLUMNS}
    return alone | {f"combination-{number}": settings for number, settings in enumerate(drawn.values())}


def lenient(*chosen: str) -> Settings:
    """The Options that are chosen, for any object that can be processed at all."""
    options: dict[str, Any] = dict.fromkeys(chosen, True)
    return Settings(SECRET, existing_encrypted="remove", allow_embedded_overlays=True, **options)


def varied(random: Random, settings: Settings) -> Settings:
    """The same Options with other settings beside them."""
    values: dict[str, Any] = {choice: random.choice((None, None, "keyed", "empty")) for choice in CHOICES}
    values |= {"date_window": random.choice((1, 30, 365, 36500)), "root_uid": random.choice((None, ROOT))}
    return replace(settings, **values, existing_encrypted=random.choice(("refuse", "remove", "keep")))

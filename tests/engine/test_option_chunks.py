"""With Options and rules of the user's own, too, the segments do not depend on how the bytes arrived."""

from __future__ import annotations

import io
from contextlib import suppress
from functools import cache
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcmveil import Limits, Policy
from dcmveil.errors import DcmveilError
from dcmveil.options import Options
from dcmveil.rulesfile import load_rules
from dcmveil.userrules import UserRule
from tests.engine.support import SECRET, drained, execute, header_length, logical, pieces, rewritten, segments
from tests.hostile.forms import PLAIN_FORMS, Form
from tests.reference.files import samples

RULES = Path(__file__).parents[1] / "data" / "rules.toml"
SAMPLE = Path(__file__).parents[1] / "data" / "sample.dcm"
EVERY = Options(**dict.fromkeys(Options._fields, True))
# Everything is cleaned or modified that can be, or retained that can be without texts being cleaned: objects that are
# written in rounds.
CLEANING = EVERY._replace(retain_uids=False, retain_full_dates=False)
RETAINING = EVERY._replace(
    retain_patient_characteristics=False,
    modify_dates=False,
    clean_descriptors=False,
    clean_structured_content=False,
    clean_graphics=False,
)
CHOICES: dict[str, tuple[Options, bool]] = {
    "cleaning": (CLEANING, False),
    "retaining": (RETAINING, False),
    "rules": (Options(), True),
    "rules and Options": (EVERY._replace(retain_full_dates=False), True),
}


@cache
def rules() -> tuple[UserRule, ...]:
    return load_rules(RULES)


@cache
def policy(name: str, limits: Limits = Limits()) -> Policy:  # noqa: B008 - immutable
    options, has_rules = CHOICES[name]
    return Policy(
        secret=SECRET,
        options=options,
        rules=rules() if has_rules else (),
        existing_encrypted="keep",
        allow_embedded_overlays=True,
        limits=limits,
    )


def outcome(chunks: list[bytes], policy: Policy) -> object:
    """The segments, or the error with its place."""
    try:
        return segments(chunks, policy)
    except DcmveilError as error:
        return str(error)


# ---- objects ---------------------------------------------------------------------------------------------------


def structured(form: Form) -> list[bytes]:
    """Elements in which there is something for each Option: texts, dates, UIDs, Content Items, private blocks, sets."""
    e = form.element

    def concept(value: str, scheme: str = "DCM") -> bytes:
        own = e(0x00080100, "SH", value) + e(0x00080102, "SH", scheme) + e(0x00080104, "LO", "Seen by Veilme")
        return form.sequence(0x0040A043, form.item(own))

    def content(kind: str, value: str, *parts: bytes) -> bytes:
        return form.open_item(e(0x0040A040, "CS", kind) + concept(value) + b"".join(parts))

    private = e(0x00190010, "LO", "SIEMENS MR HEADER") + e(0x00190011, "LO", "ACME 1.0")
    private += e(0x0019100C, "IS", "1000") + e(0x0019100D, "CS", "NONE") + e(0x00191099, "LO", "Veilme")
    nested = form.sequence(0x00191199, form.item(private), open_end=True)
    annotation = form.item(concept("99999") + e(0x00700006, "ST", "R wave of Veilme"))
    items = [
        content("TEXT", "109054", e(0x0040A160, "UT", "Veilme is restless")),
        content("TEXT", "99999", e(0x0040A160, "UT", "Veilme, a lesion")),
        content("DATE", "111060", e(0x0040A121, "DA", "20200102")),
        content("CODE", "121032", form.sequence(0x0040A168, form.item(e(0x00080100, "SH", "M")))),
        content("NUM", "99998", form.sequence(0x0040A300, form.item(e(0x0040A30A, "DS", "1.5"))), concept("1")),
        content("UIDREF", "110180", e(0x0040A124, "UI", "2.999.7.7.1")),
    ]
    own_set = form.item(e(0x00080005, "CS", "ISO_IR 192") + e(0x00080104, "LO", "Veilme für Größe"))
    return [
        e(0x00080005, "CS", "ISO_IR 100"),
        form.common(),
        e(0x00080020, "DA", "20200102"),
        e(0x00080050, "SH", "A-77"),
        e(0x00080060, "CS", "MR"),
        e(0x00080070, "LO", "Siemens"),
        e(0x00080080, "LO", "General"),
        e(0x00081030, "LO", "MRI brain for Veilme 02.01.2020"),
        form.sequence(0x00081032, own_set, form.item(e(0x00080104, "LO", "Of Veilme"))),
        e(0x00081010, "SH", "ST-1"),
        e(0x00100010, "PN", "Veilme^Ann"),
        e(0x00100020, "LO", "ID-77-VEIL"),
        e(0x00101010, "AS", "070Y"),
        private,
        nested,
        e(0x0020000D, "UI", "2.999.7.7.2"),
        form.sequence(0x00400555, *items[:2]),
        form.sequence(0x0040A730, *items, open_end=True),
        form.sequence(0x0040B020, annotation),
        form.sequence(0x00700001, form.item(form.sequence(0x00700008, form.item(e(0x00700006, "ST", "Lesion"))))),
        e(0x7FE00010, "OW", bytes(300)),
    ]


@cache
def generated() -> dict[str, bytes]:
    return {form.name: form.file(b"".join(structured(form))) for form in PLAIN_FORMS}


@cache
def small_files(count: int, most: int = 40_000) -> tuple[Path, ...]:
    """Real files with short headers that pass, ours first."""
    found = [SAMPLE]
    for sample in sorted(samples(), key=lambda sample: sample.path.stat().st_size):
        if len(found) == count or sample.path.stat().st_size > most:
            break
        with suppress(DcmveilError):
            segments([logical(sample.path)], policy("cleaning"))
            found.append(sample.path)
    return tuple(found)


def objects(count: int) -> dict[str, bytes]:
    return generated() | {path.name: logical(path) for path in small_files(count)}


# ---- the same whatever the pieces -----------------------------------------------------------------------------


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("name", [*(form.name for form in PLAIN_FORMS), SAMPLE.name])
def test_a_cut_at_any_byte_of_the_header_changes_nothing(name: str, choice: str) -> None:
    data = objects(1)[name]
    whole = outcome([data], policy(choice))
    assert isinstance(whole, list)
    stop = min(header_length(data) + 16, len(data))
    step = 1 if (name, choice) == ("explicit", "cleaning") else 7
    assert all(outcome(pieces(data, [cut]), policy(choice)) == whole for cut in range(1, stop, step))


@pytest.mark.slow
@pytest.mark.parametrize("choice", CHOICES)
def test_a_cut_at_any_byte_of_many_headers_changes_nothing(choice: str) -> None:
    for data in objects(40).values():
        whole = outcome([data], policy(choice))
        stop = min(header_length(data) + 16, len(data), 6000)
        assert all(outcome(pieces(data, [cut]), policy(choice)) == whole for cut in range(1, stop))


@pytest.mark.parametrize("choice", CHOICES)
def test_byte_by_byte_changes_nothing(choice: str) -> None:
    for data in objects(20).values():
        stop = min(header_length(data) + 64, 20_000)
        assert outcome(pieces(data, range(1, stop)), policy(choice)) == outcome([data], policy(choice))


@pytest.mark.parametrize("choice", CHOICES)
def test_writing_in_rounds_changes_nothing(choice: str) -> None:
    """Nor does it where Sequences are written with undefined length, once as in one piece."""
    for limits in (Limits(drain_at=1), Limits(drain_at=1, hold_limit=0)):
        for data in objects(15).values():
            whole = execute(data, segments([data], policy(choice, limits)))
            for step in (13, 97):
                chunks = pieces(data, range(step, min(len(data), 30_000), step))
                assert execute(data, drained(chunks, policy(choice, limits))) == whole


@pytest.mark.parametrize("choice", CHOICES)
def test_a_file_is_written_as_its_pieces_are(choice: str) -> None:
    """The pull driver reads in windows and passes over what it need not see."""
    for path in small_files(60):
        data = logical(path)
        if data == path.read_bytes():  # a deflated one is compressed anew
            assert rewritten(data, policy(choice)) == execute(data, segments([data], policy(choice)))
    for data in generated().values():
        assert rewritten(data, policy(choice)) == execute(
            data, segments(pieces(data, range(1, len(data))), policy(choice))
        )


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_chunking_changes_nothing(data: st.DataObject) -> None:
    choice = policy(data.draw(st.sampled_from(sorted(CHOICES))))
    whole = data.draw(st.sampled_from(list(objects(20).values())))
    cuts = data.draw(st.lists(st.integers(0, min(len(whole), 20_000)), max_size=40))
    assert outcome(pieces(whole, sorted(cuts)), choice) == outcome([whole], choice)


def test_what_is_generated_has_something_for_every_option() -> None:
    """Otherwise the tests above would say little: each Option changes more than what it claims."""

    def read(options: Options) -> pydicom.Dataset:
        dataset = pydicom.dcmread(
            io.BytesIO(rewritten(generated()["explicit"], Policy(secret=SECRET, options=options)))
        )
        for tag in (0x00120063, 0x00120064, 0x00280303):
            del dataset[tag]
        return dataset

    plain = read(Options())
    assert [name for name in Options._fields if read(Options(**{name: True})) == plain] == []

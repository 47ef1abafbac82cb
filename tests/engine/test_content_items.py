"""Clean Structured Content in bytes: Content Items that go whole, and Values of those that stay (PS3.15 E.3.4)."""

from __future__ import annotations

from functools import cache

import pytest

from dcmveil import Limits, Policy
from dcmveil.dummies import dummy_value
from dcmveil.encode import Encoding
from dcmveil.options import Options
from tests.engine.support import SECRET, execute, pieces, rewritten, segments
from tests.hostile.forms import BIG, EXPLICIT, IMPLICIT, PLAIN_FORMS, Form

E = EXPLICIT
CLEAN = Options(clean_structured_content=True)
DESCRIPTORS = CLEAN._replace(clean_descriptors=True)
CONTENT, CONTEXT, PREPARATION, STEPS, ANNOTATIONS = 0x0040A730, 0x00400555, 0x00400610, 0x00400612, 0x0040B020
NAME, TYPE, TEXT, PERSON, DATE, UID, CODE = (
    0x0040A043,
    0x0040A040,
    0x0040A160,
    0x0040A123,
    0x0040A121,
    0x0040A124,
    0x0040A168,
)
MARKER = "VEILME TEXT"

# Of Table E.3.4-1, with TEXT: X, D, and not listed.
PATIENT_STATE, FINDING_SITE, UNKNOWN = ("109054", "DCM"), ("363698007", "SCT"), ("99999", "DCM")
COMPLICATION = ("116224001", "SCT")
BIRTH_DATE, STUDY_DATE, SEX, SUBJECT, MOTHER = (
    ("121031", "DCM"),
    ("111060", "DCM"),
    ("121032", "DCM"),
    ("121029", "DCM"),
    ("121036", "DCM"),
)


@cache
def policy(options: Options = CLEAN, hold_limit: int = 1 << 20) -> Policy:
    return Policy(secret=SECRET, options=options, limits=Limits(hold_limit=hold_limit))


def codes(*items: bytes, tag: int = NAME, form: Form = E, open_end: bool = False) -> bytes:
    return form.sequence(tag, *items, open_end=open_end)


def code(value: str, scheme: str | None, *, form: Form = E, tag: int = 0x00080100) -> bytes:
    """A code Item: a Long Code Value stands behind the scheme."""
    own = form.element(tag, "SH" if tag == 0x00080100 else "UC", value)
    designator = b"" if scheme is None else form.element(0x00080102, "SH", scheme)
    meaning = form.element(0x00080104, "LO", "Meaning ")
    parts = [own, designator, meaning] if tag == 0x00080100 else [designator, meaning, own]
    return form.item(b"".join(parts))


def named(concept: tuple[str, str], value: bytes, kind: str | None = "TEXT", form: Form = E) -> bytes:
    """What is in a Content Item."""
    front = b"" if kind is None else form.element(TYPE, "CS", kind)
    return front + codes(code(*concept, form=form), form=form) + value


def text(value: str = MARKER, form: Form = E) -> bytes:
    return form.element(TEXT, "UT", value)


def dummy(tag: int, vr: str, form: Form = E) -> bytes:
    return form.element(tag, vr, dummy_value(tag, vr, Encoding.EXPLICIT_LE))


DUMMY = dummy(TEXT, "UT")


def output(content: bytes, options: Options = CLEAN, *, form: Form = E, hold_limit: int = 1 << 20) -> bytes:
    """The whole output; the same in whatever pieces it comes."""
    data = form.file(form.common() + content)
    written = rewritten(data, policy(options, hold_limit))
    cut = segments(pieces(data, range(1, len(data))), policy(options, hold_limit))
    assert execute(data, cut) == written
    return written


def becomes(content: bytes, expected: bytes, options: Options = CLEAN, form: Form = E) -> None:
    """Of Content Items this is left, in Sequences and Items of defined and of undefined length."""
    for open_end in (False, True):
        written = output(form.sequence(CONTENT, content, open_end=open_end), options, form=form)
        assert form.sequence(CONTENT, expected, open_end=open_end) in written


# ---- what a Content Item is named by -----------------------------------------------------------------------------


def test_an_item_goes_whole_by_its_concept() -> None:
    """R48: action X, with what is nested in it and in both kinds of length; the others stay where they are."""
    gone, stays = named(PATIENT_STATE, text()), E.item(named(UNKNOWN, DUMMY))
    for made in (E.item, E.open_item):
        becomes(stays + made(gone) + stays, stays + stays)
        becomes(made(gone), b"")
        becomes(made(gone + E.sequence(CONTENT, E.item(gone), stays)) + stays, stays)
        around = named(UNKNOWN, DUMMY)
        becomes(made(around + E.sequence(CONTENT, E.item(gone), stays)), made(around + E.sequence(CONTENT, stays)))


@pytest.mark.parametrize("hold_limit", [0, 40, 100, 200])
def test_items_that_are_written_with_undefined_length_may_go_too(hold_limit: int) -> None:
    """Whatever is written before it is known: an Item that goes leaves no delimiter."""
    gone, stays = E.item(named(PATIENT_STATE, text())), named(UNKNOWN, DUMMY)
    nested = E.item(stays + E.sequence(CONTENT, gone, E.item(stays), gone))
    content = E.sequence(CONTENT, gone, nested, gone)
    written = output(content, hold_limit=hold_limit)
    assert MARKER.encode() not in written
    assert written.count(E.element(0x00080100, "SH", "99999")) == 2
    again = rewritten(written, policy())
    assert again.count(E.element(0x00080100, "SH", "99999")) == 2
    assert execute(written, segments([written], Policy.identity())) == written


@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
def test_forms_of_a_concept(form: Form) -> None:
    """R48: padded, as a Long Code Value, and of SNOMED in its retired forms; in another scheme it is another."""
    known = [
        code("109054", "DCM", form=form),
        code("109054 ", "DCM\0", form=form),
        code(" 109054", " DCM", form=form),
        code("109054", "DCM", tag=0x00080119, form=form),
        code("116224001", "SCT", form=form),
        *(code("DD-60002", scheme, form=form) for scheme in ("SRT", "SNM3", "99SDM")),
    ]
    other = [
        code("109054", None, form=form),
        code("109054", "99DCM", form=form),
        code("109054" + "0" * 70, "DCM", tag=0x00080119, form=form),
        code("109054", "DCM" + "x" * 70, form=form),
        code("DD-60002", "SCT", form=form),
        code("116224001", "SRT", form=form),
        code("", "DCM", form=form),
    ]
    value = form.element(TYPE, "CS", "TEXT"), text(form=form)
    for number, concept in enumerate([*known, *other]):
        for open_end in (False, True):
            item = value[0] + codes(concept, form=form, open_end=open_end) + value[1]
            written = output(form.sequence(CONTENT, form.item(item), form.item()), form=form)
            assert MARKER.encode() not in written
            gone = form.sequence(CONTENT, form.item()) in written
            assert gone is (number < len(known))


def test_a_code_value_counts_beside_an_empty_long_one() -> None:
    """R48: only one of the two is to have a Value, but the other may be there."""
    empty = E.element(0x00080119, "UC")
    concept = E.item(code(*PATIENT_STATE)[8:] + empty)
    becomes(E.item(E.element(TYPE, "CS", "TEXT") + codes(concept) + text()), b"")


def test_of_two_concept_names_the_first_counts() -> None:
    """An Item has one; a second in it is no reason to keep what has to go."""
    for items in (codes(code(*PATIENT_STATE), code(*UNKNOWN)), codes(code(*PATIENT_STATE)) + codes(code(*UNKNOWN))):
        becomes(E.item(E.element(TYPE, "CS", "TEXT") + items + text()), b"")


def test_names_within_other_sequences_name_nothing() -> None:
    """The concept of a modifier is that of the modifier's own Item, and other codes name nothing."""
    other = codes(code(*PATIENT_STATE), tag=0x0040A168)
    inner = E.sequence(0x0040A730, E.item(named(PATIENT_STATE, text())))
    becomes(
        E.item(named(UNKNOWN, other, "CODE") + inner), E.item(named(UNKNOWN, other, "CODE") + E.sequence(0x0040A730))
    )
    equivalent = E.sequence(0x00080121, code(*PATIENT_STATE))
    concept = E.item(code(*UNKNOWN)[8:] + equivalent)
    becomes(
        E.item(E.element(TYPE, "CS", "TEXT") + codes(concept) + text()),
        E.item(E.element(TYPE, "CS", "TEXT") + codes(concept) + DUMMY),
    )


def test_a_name_that_comes_after_the_value() -> None:
    """Out of order, and yet what has to go goes."""
    kind, concept = E.element(TYPE, "CS", "TEXT"), codes(code(*PATIENT_STATE))
    for item in (kind + text() + concept, text() + concept + kind, concept + text() + kind, text() + kind + concept):
        becomes(E.item(item), b"")
    birth = E.element(DATE, "DA", "19500101")
    for options in (CLEAN, CLEAN._replace(retain_full_dates=True), CLEAN._replace(modify_dates=True)):
        late = E.item(E.element(TYPE, "CS", "DATE") + birth + codes(code(*BIRTH_DATE)))
        becomes(late, b"", options)
        assert birth not in output(E.sequence(CONTENT, late, reference()), options)


# ---- types of Value ----------------------------------------------------------------------------------------------


def test_a_type_that_is_not_said_is_that_of_the_value() -> None:
    for kind in (None, "", "TEKST", "TEXT" * 20):
        becomes(E.item(named(PATIENT_STATE, text(), kind)), b"")
        becomes(E.item(named(FINDING_SITE, text(), kind)), E.item(named(FINDING_SITE, DUMMY, kind)))
    becomes(
        E.item(named(PATIENT_STATE, E.element(0x0040A30A, "DS", "1"), None)),
        E.item(named(PATIENT_STATE, E.element(0x0040A30A, "DS", "1"), None)),
    )
    becomes(E.item(named(SEX, codes(code("M", "DCM"), tag=CODE), None)), b"")


def test_a_concept_is_listed_with_a_type_of_value() -> None:
    """R48: the same concept may be another thing as another type."""
    stays = named(PATIENT_STATE, codes(code("1", "DCM"), tag=CODE), "CODE")
    becomes(E.item(stays), E.item(stays))
    kept = CLEAN._replace(retain_patient_characteristics=True)
    sex = E.item(named(SEX, codes(code("M", "DCM"), tag=CODE), "CODE"))
    becomes(sex, b"")
    becomes(sex, sex, kept)


def test_a_value_of_another_type_than_the_item_has_is_not_kept_by_its_name() -> None:
    """Fail closed: K is for a code or a number, not for a text that stands beside it."""
    kept = CLEAN._replace(retain_patient_characteristics=True)
    both = named(SEX, codes(code("M", "DCM"), tag=CODE), "CODE")
    becomes(E.item(both + text()), E.item(both + DUMMY), kept)
    person = E.element(PERSON, "PN", "VEILME^NAME ")
    assert b"VEILME" not in output(E.sequence(CONTENT, E.item(named(SEX, person, "CODE"))), kept)


@pytest.mark.parametrize("concept", [UNKNOWN, SUBJECT])
def test_persons_are_nobody(concept: tuple[str, str]) -> None:
    person = E.element(PERSON, "PN", "VEILME^NAME ")
    written = E.item(named(concept, dummy(PERSON, "PN"), "PNAME"))
    becomes(E.item(named(concept, person, "PNAME")), written)
    becomes(E.item(named(MOTHER, person, "PNAME")), b"")


def test_dates() -> None:
    """S4: not listed as any other date, listed by the column."""
    day = E.element(DATE, "DA", "20200102")
    full, shifted = CLEAN._replace(retain_full_dates=True), CLEAN._replace(modify_dates=True)
    for concept in (UNKNOWN, STUDY_DATE):
        item = E.item(named(concept, day, "DATE"))
        becomes(item, E.item(named(concept, dummy(DATE, "DA"), "DATE")))
        becomes(item, item, full)
        assert day not in output(E.sequence(CONTENT, item), shifted)
        assert dummy(DATE, "DA") not in output(E.sequence(CONTENT, item), shifted)
    for options in (CLEAN, full, shifted):
        becomes(E.item(named(BIRTH_DATE, day, "DATE")), b"", options)


def test_uids() -> None:
    uid = E.element(UID, "UI", "2.999.1234.5678")
    item = E.item(named(UNKNOWN, uid, "UIDREF"))
    assert b"2.999.1234.5678" not in output(E.sequence(CONTENT, item))
    becomes(item, item, CLEAN._replace(retain_uids=True))
    study = E.item(named(("110180", "DCM"), uid, "UIDREF"))
    assert b"2.999.1234.5678" not in output(E.sequence(CONTENT, study))
    becomes(study, study, CLEAN._replace(retain_uids=True))


def test_texts() -> None:
    """S4: cleaned if descriptors are, else a dummy; listed as D always a dummy."""
    said = text("Lesion of VEILME^NAME in the liver")
    patient = E.element(0x00100010, "PN", "Veilme^Name")
    becomes(E.item(named(UNKNOWN, said)), E.item(named(UNKNOWN, DUMMY)))
    data = patient + E.sequence(CONTENT, E.item(named(UNKNOWN, said)), E.item(named(PATIENT_STATE, said)))
    written = output(data, DESCRIPTORS)
    assert b"liver" in written
    assert b"VEILME" not in written
    assert written.count(b"liver") == 2
    assert b"liver" not in output(E.sequence(CONTENT, E.item(named(("121106", "DCM"), said))), CLEAN)


# ---- Items that are referred to ----------------------------------------------------------------------------------


def reference() -> bytes:
    """A Content Item by reference (PS3.3 C.17.3.2.5): it counts the Items from the root on."""
    return E.item(E.element(0x0040A010, "CS", "INFERRED FROM ") + E.element(0x0040DB73, "UL", b"\1\0\0\0\2\0\0\0"))


@pytest.mark.parametrize("options", [CLEAN, CLEAN._replace(retain_full_dates=True, retain_uids=True), DESCRIPTORS])
def test_items_that_are_counted_stay_and_their_values_do_not(options: Options) -> None:
    """R48: wherever the reference stands, before them or behind."""
    numbers = E.element(0x0040A30A, "DS", "71.25 ")
    measured = E.sequence(0x0040A300, E.item(numbers))
    items = {
        named(BIRTH_DATE, E.element(DATE, "DA", "19500102"), "DATE"): b"19500102",
        named(SEX, codes(code("VEILMEM", "DCM"), tag=CODE), "CODE"): b"VEILMEM",
        named(MOTHER, E.element(PERSON, "PN", "VEILME^MOTHER "), "PNAME"): b"VEILME^MOTHER",
        named(("121033", "DCM"), measured, "NUM"): b"71.25",
        named(("121106", "DCM"), text(), "TEXT"): b"VEILME TEXT" if not options.clean_descriptors else b"\xff\xff",
    }
    for item, secret in items.items():
        for content in (E.item(item) + reference(), reference() + E.item(item)):
            written = output(E.sequence(CONTENT, content), options)
            assert secret not in written
            assert written.count(codes(code(*UNKNOWN))[:4]) == 1  # the concept name: the Item is there
            assert reference() in written


# ---- where Content Items stand -----------------------------------------------------------------------------------


@pytest.mark.parametrize("tag", [CONTENT, CONTEXT, ANNOTATIONS, STEPS])
def test_where_content_items_are(tag: int) -> None:
    """R48: Content, Acquisition Context, preparation steps of specimens, and waveform annotations; at any depth."""
    gone, stays = E.item(named(PATIENT_STATE, text())), E.item(named(UNKNOWN, text()))
    left = E.sequence(tag, E.item(named(UNKNOWN, DUMMY)))

    def around(content: bytes) -> bytes:
        return E.sequence(PREPARATION, E.item(content)) if tag == STEPS else content

    made = around(E.sequence(tag, gone, stays))
    assert around(left) in output(made)
    assert around(left) in output(E.sequence(0x52009230, E.item(made), open_end=True))


def test_annotations_have_texts_of_their_own() -> None:
    """(0070,0006) is the text of an annotation without a type of Value."""
    words = E.element(0x00700006, "ST", MARKER)
    item = codes(code(*UNKNOWN)) + words
    written = output(E.sequence(ANNOTATIONS, E.item(item), E.item(words)))
    assert MARKER.encode() not in written
    assert (
        E.sequence(
            ANNOTATIONS, E.item(codes(code(*UNKNOWN)) + dummy(0x00700006, "ST")), E.item(dummy(0x00700006, "ST"))
        )
        in written
    )
    assert MARKER.encode() not in output(E.sequence(ANNOTATIONS, E.item(codes(code(*PATIENT_STATE)) + words)))


def test_elsewhere_the_same_elements_are_as_table_e_1_1_has_them() -> None:
    """The Values of the root, or of other Sequences, are those of no Content Item."""
    basic = Policy(secret=SECRET)
    elements = text() + E.element(PERSON, "PN", "VEILME^NAME ") + E.element(DATE, "DA", "20200102")
    elements = b"".join(sorted([elements[: len(text())], elements[len(text()) :]], reverse=True))
    for content in (
        elements,
        E.sequence(0x00082218, E.item(elements)),
        E.sequence(0x00081140, E.item(named(PATIENT_STATE, text()))),
    ):
        data = E.file(E.common() + content)
        with_option = rewritten(data, policy())
        without = rewritten(data, basic)
        claims = with_option.index(b"\x12\0\x62\0"), without.index(b"\x12\0\x62\0")
        assert with_option[: claims[0]] == without[: claims[1]]
        tails = [one[one.rindex(b"\x28\0\x03\x03") :] for one in (with_option, without)]
        assert tails[0] == tails[1]


def test_without_the_option_all_content_is_a_dummy() -> None:
    """R49"""
    data = E.file(E.common() + E.sequence(CONTENT, E.item(named(UNKNOWN, text()))))
    assert MARKER.encode() not in rewritten(data, Policy(secret=SECRET))


@pytest.mark.parametrize("form", [BIG, IMPLICIT], ids=lambda form: form.name)
def test_other_encodings(form: Form) -> None:
    gone = form.item(named(PATIENT_STATE, text(form=form), form=form))
    stays = form.item(named(UNKNOWN, dummy(TEXT, "UT", form), form=form))
    becomes(gone + stays, stays, form=form)
    inside = IMPLICIT.item(named(PATIENT_STATE, text(form=IMPLICIT), form=IMPLICIT))
    unknown = form.sequence(CONTENT, inside, IMPLICIT.item(), vr="UN", open_end=True)
    kept = form.sequence(CONTENT, IMPLICIT.item(), vr="UN", open_end=True)
    assert (kept in output(unknown, form=form)) == (not form.big)  # there readers do not agree on what it holds

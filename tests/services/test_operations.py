"""Arguments of the dumb mode: every way of writing a tag, what is refused, and what several of them come to."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmveil.operations import KINDS, Kind, Operation, OperationError, combine, merge, parse_operation
from dcmveil.places import Step
from dcmveil.tags import format_tag

NAME, SIZE, PROCEDURE, STEP_ID = 0x00100010, 0x00101020, 0x00400275, 0x00400009
SECRET = "Smith"


def spellings(tag: int) -> st.SearchStrategy[str]:
    group, element = tag >> 16, tag & 0xFFFF
    return st.sampled_from(
        [
            f"{group:x},{element:x}", f"{group:X},{element:04X}", f"{group:04x},{element:x}",
            f"0x{group:x},0X{element:x}", f"0x{group:04x},0x{element:04x}", format_tag(tag), format_tag(tag).lower(),
            f"({group:x}, {element:x})", f"{group:04X}{element:04x}", f"{group:x}, {element:x}",
        ]
    )  # fmt: skip


even_groups = st.integers(0x0008 // 2, 0xFFFC // 2).map(lambda half: 2 * half)
ordinary = st.builds(lambda group, element: group << 16 | element, even_groups, st.integers(1, 0xFFFF))
sequences = st.sampled_from([PROCEDURE, 0x00081140, 0x52009230, 0x00091010])


@st.composite
def places(draw: st.DrawFn) -> tuple[str, tuple[Step, ...], int]:
    """A place as text, its path and its tag."""
    steps, text = [], ""
    for sequence in draw(st.lists(sequences, max_size=3)):
        item = draw(st.none() | st.integers(1, 10**6))
        steps.append(Step(sequence, item))
        text += draw(spellings(sequence)) + ("" if item is None else f"[{item}]") + draw(st.sampled_from([">", " > "]))
    tag = draw(ordinary)
    return text + draw(spellings(tag)), tuple(steps), tag


@given(places(), st.sampled_from(KINDS))
def test_reads_tags_and_paths_in_every_spelling(place: tuple[str, tuple[Step, ...], int], kind: Kind) -> None:
    text, path, tag = place
    assert parse_operation(kind, text) == Operation(kind, path, tag, None, "" if kind == "replace" else None)


@given(places(), st.sampled_from("=,"), st.text())
def test_the_value_is_all_behind_the_first_separator(
    place: tuple[str, tuple[Step, ...], int], separator: str, value: str
) -> None:
    text, path, tag = place
    assert parse_operation("replace", f"{text}{separator}{value}") == Operation("replace", path, tag, None, value)


@pytest.mark.parametrize(
    ("text", "path", "tag"),
    [
        ("10,10", (), NAME),
        ("0x10,0x10", (), NAME),
        ("0010,0010", (), NAME),
        ("(0010,0010)", (), NAME),
        ("00100010", (), NAME),
        ("PatientName", (), NAME),
        (" 10,10 ", (), NAME),
        ("9,1002", (), 0x00091002),
        ("9,10", (), 0x00090010),
        ("60020022", (), 0x60020022),
        ("0040,0275[1]>0010,0010", (Step(PROCEDURE, 1),), NAME),
        ("RequestAttributesSequence>ScheduledProcedureStepID", (Step(PROCEDURE, None),), STEP_ID),
        ("RequestAttributesSequence[ 12 ] > 40,9", (Step(PROCEDURE, 12),), STEP_ID),
        ("40,275[2]>9,1010>00091011[1]>9,1012",
         (Step(PROCEDURE, 2), Step(0x00091010, None), Step(0x00091011, 1)), 0x00091012),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["empty", "clear", "remove"])
def test_reads(kind: Kind, text: str, path: tuple[Step, ...], tag: int) -> None:
    assert parse_operation(kind, text) == Operation(kind, path, tag, None, None)


@pytest.mark.parametrize(
    ("text", "creator"),
    [("9,1002,GEMS", "GEMS"), ("9,2,GEMS", "GEMS"), ("0x9,0x02,ACME 1.1", "ACME 1.1"), ("(0009,FF02),a,b", "a,b")],
)
@pytest.mark.parametrize("kind", ["empty", "clear", "remove"])
def test_reads_private_creators(kind: Kind, text: str, creator: str) -> None:
    """gdcmanon: the element is masked to its low byte."""
    assert parse_operation(kind, text) == Operation(kind, (), 0x00090002, creator, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10,1030,10", (0x00101030, None, "10")),  # old manual
        ("10,1030=10", (0x00101030, None, "10")),  # current help
        ("0010,0010,Jane_Doe", (NAME, None, "Jane_Doe")),
        ("10,10=", (NAME, None, "")),
        ("10,10,", (NAME, None, "")),
        ("10,10", (NAME, None, "")),
        ("10,10== a,b=c\\d>e ", (NAME, None, "= a,b=c\\d>e ")),
        ("10,10,=x", (NAME, None, "=x")),
        ("10,10,20,30", (NAME, None, "20,30")),
        ("PatientName=x", (NAME, None, "x")),
        ("PatientName,x", (NAME, None, "x")),
        ("(0010,0010),x", (NAME, None, "x")),
        ("00100010,x", (NAME, None, "x")),
        ("9,10=FOO", (0x00090010, None, "FOO")),
        ("9,1002=v", (0x00091002, None, "v")),
        ("9,1002=a=b", (0x00091002, None, "a=b")),
        ("9,1002,v", (0x00091002, None, "v")),  # a comma alone: the Value, as for public tags
        ("9,1002,GEMS", (0x00091002, None, "GEMS")),
        ("9,1002,", (0x00091002, None, "")),
        ("9,2,Creator=value", (0x00090002, "Creator", "value")),  # a comma and a = : a creator, as gdcmanon's help says
        ("9,1002,Creator One=a=b,c", (0x00090002, "Creator One", "a=b,c")),
        ("9,2,Creator=", (0x00090002, "Creator", "")),
    ],
)
def test_reads_replacements(text: str, expected: tuple[int, str | None, str]) -> None:
    assert parse_operation("replace", text) == Operation("replace", (), *expected)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "--remove: a tag such as 10,10 or a keyword such as PatientName expected"),
        ("10", "--remove: a tag"),
        ("10,", "--remove: a tag"),
        ("10,10305", "--remove: a tag"),
        ("00100,10", "--remove: a tag"),
        ("1000100010", "--remove: a tag"),
        ("10 10", "--remove: a tag"),
        ("(10,10", "--remove: a tag"),
        ("-1,10", "--remove: a tag"),
        ("\u0661\u0660,10", "--remove: a tag"),
        ("\udcff\udcfe", "--remove: a tag"),
        ("10,10)", "--remove 10,10: nothing may follow"),
        ("10,1002,10,20", "--remove 10,1002: nothing may follow"),  # gdcmanon acts on (0010,1002)
        ("10,10 20,20", "--remove 10,10: nothing may follow"),
        ("10,10,GEMS", "--remove 10,10: nothing may follow"),
        ("10,10=Smith", "--remove 10,10: only --replace takes a Value"),
        ("9,1002=Smith", "--remove 9,1002: only --replace takes a Value"),
        ("patientname", "--remove patientname: no Attribute has this keyword"),
        ("OverlayData", "--remove OverlayData: the keyword stands for several"),
        ("RowsForNthOrderCoefficients", "--remove RowsForNthOrderCoefficients: the keyword stands for several"),
        ("2,16", "--remove 2,16: File Meta Information cannot be edited"),
        ("TransferSyntaxUID", "--remove TransferSyntaxUID: File Meta Information cannot be edited"),
        ("0,2", "--remove 0,2: Command elements"),
        ("4,1220", "--remove 4,1220: directory records"),
        ("6,1", "--remove 6,1: elements of group 0006"),
        ("fffe,e000", "--remove fffe,e000: Items"),
        ("10,0", "--remove 10,0: group lengths"),
        ("9,0,GEMS", "--remove 9,0: group lengths"),
        ("9,2,", "--remove 9,2: the private creator is missing"),
        ("9,2, ", "--remove 9,2: the private creator is missing"),
        ("9,2,GE\\MS", "--remove 9,2: a private creator has up to 64"),
        ("9,2,GE=Smith", "--remove 9,2: a private creator has up to 64"),
        ("9,2,GEMS>10,10", "--remove 9,2: a private creator has up to 64"),
        ("9,2,G\u00c9", "--remove 9,2: a private creator has up to 64"),
        ("9,2,\udcff", "--remove 9,2: a private creator has up to 64"),
        ("9,2," + "x" * 65, "--remove 9,2: a private creator has up to 64"),
        ("40,275>9,2,GEMS", "--remove 40,275>9,2: private creators are possible at top level only"),
        ("40,275[1]", "--remove 40,275: names an Item"),
        ("40,275[0]>10,10", "--remove 40,275: Items are counted from 1"),
        ("40,275[]>10,10", "--remove 40,275: the number of an Item"),
        ("40,275[-1]>10,10", "--remove 40,275: the number of an Item"),
        ("40,275[\u0661]>10,10", "--remove 40,275: the number of an Item"),
        ("40,275[" + "9" * 5000 + "]>10,10", "--remove 40,275: the number of an Item"),
        ("40,275>", "--remove 40,275: a tag"),
        ("40,275>>10,10", "--remove 40,275: a tag"),
        (">10,10", "--remove: a tag"),
        ("10,10>10,20", "--remove 10,10: is no Sequence"),
        ("PatientName>10,20", "--remove PatientName: is no Sequence"),
        ("2,16>10,20", "--remove 2,16: File Meta"),
    ],
)
def test_refuses(text: str, says: str) -> None:
    with pytest.raises(OperationError) as caught:
        parse_operation("remove", text)
    assert str(caught.value).startswith(says)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("PatientNam=Smith", "--replace PatientNam: no Attribute"),
        ("PatientNam,Smith", "--replace PatientNam: no Attribute"),
        ("RequestSequence>10,10=Smith", "--replace RequestSequence: no Attribute"),
        ("10,10305=Smith", "--replace: a tag"),
        ("=Smith", "--replace: a tag"),
        ("Smith", "--replace: no Attribute"),
        ("10,10>Smith", "--replace 10,10: is no Sequence"),
        ("40,275>Smith", "--replace: no Attribute"),
        ("10,10 Smith", "--replace 10,10: = or , and the new Value expected"),
        ("PatientName Smith", "--replace PatientName: = or , and the new Value expected"),
        ("10,10 =Smith", "--replace 10,10: = or ,"),
        ("40,275[1]=Smith", "--replace 40,275: names an Item"),
        ("9,2,=Smith", "--replace 9,2: the private creator is missing"),
        ("9,1002,Smith\\=x", "--replace 9,1002: a private creator has up to 64"),
        ("40,275>9,1002,Smith=x", "--replace 40,275>9,1002: private creators are possible at top level only"),
        ("9,2=Smith", "--replace 9,2: a private element needs its creator"),
        ("9,0fff,Smith", "--replace 9,0fff: a private element needs its creator"),
        ("1,1000=Smith", "--replace 1,1000: this group must not be used"),
        ("ffff,1000=Smith", "--replace ffff,1000: this group must not be used"),
    ],
)
def test_refuses_replacements_without_showing_the_value(text: str, says: str) -> None:
    with pytest.raises(OperationError) as caught:
        parse_operation("replace", text)
    assert str(caught.value).startswith(says)
    assert SECRET not in str(caught.value)


@given(st.sampled_from(KINDS), st.text() | st.text("019aAx,=>[]() \\PatientName", max_size=30))
def test_an_argument_is_read_or_refused_in_one_line(kind: Kind, text: str) -> None:
    try:
        operation = parse_operation(kind, text)
    except OperationError as error:
        assert str(error).startswith(f"--{kind}")
        assert str(error).isprintable()
    else:
        assert operation.tag & 0xFFFF


def test_what_inserts_nothing_may_name_tags_that_should_not_exist() -> None:
    for text, tag in (("9,2", 0x00090002), ("1,1000", 0x00011000)):
        assert parse_operation("remove", text).tag == parse_operation("clear", text).tag == tag


def test_unknown_kinds_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="an operation is one of empty, clear"):
        parse_operation("erase", "10,10")  # type: ignore[arg-type]


def test_shows_no_value() -> None:
    shown = {
        "PatientName=Smith": "Operation(replace, (0010,0010), value=...)",
        "9,2,Smithson=Smith": "Operation(replace, (0009,0002), creator=..., value=...)",
        "40,275[3]>0008,1140>10,10": "Operation(replace, (0040,0275)[3]>(0008,1140)>(0010,0010), value=...)",
    }
    assert {text: repr(parse_operation("replace", text)) for text in shown} == shown
    assert repr(parse_operation("remove", "10,10")) == "Operation(remove, (0010,0010))"


# ---- several at one place ----------------------------------------------------------------------------------------


def in_the_order_of_gdcmanon(kinds: tuple[str, ...], present: bool) -> str:
    """What becomes of an element: "old", "new", "empty" or "absent"."""
    state = "old" if present else "absent"
    for kind in ("replace", "empty", "clear", "remove"):
        if kind in kinds:
            becomes = {"replace": "new", "empty": "empty", "clear": "empty", "remove": "absent"}[kind]
            state = state if kind == "clear" and state == "absent" else becomes
    return state


@pytest.mark.parametrize("kinds", [kinds for count in (1, 2, 3) for kinds in itertools.product(KINDS, repeat=count)])
def test_several_at_one_place_are_as_in_gdcmanons_order(kinds: tuple[Kind, ...]) -> None:
    (one,) = merge(Operation(kind, (), NAME, None, "x" if kind == "replace" else None) for kind in kinds)
    for present in (True, False):
        assert in_the_order_of_gdcmanon((one.kind,), present) == in_the_order_of_gdcmanon(kinds, present)
    assert (one.value is None) == (one.kind != "replace")


def test_of_two_values_the_last_counts() -> None:
    values = [parse_operation("replace", f"10,10={value}") for value in "abc"]
    assert [one.value for one in merge(values)] == ["c"]
    assert combine(values[2], values[0]).value == "a"


def test_merges_by_path_tag_and_creator_in_their_order() -> None:
    texts = [
        "9,2,b", "9,2,A", "9,1002", "10,10", "40,275[2]>10,10", "40,275>10,10", "8,1140>10,10", "8,60",
        "40,275[1]>10,20", "40,275>8,1140>10,10",
    ]  # fmt: skip
    merged = merge(parse_operation("remove", text) for text in [*texts, *texts])
    assert merged == [
        parse_operation("remove", text)
        for text in [
            "8,60", "9,2,A", "9,2,b", "9,1002", "10,10", "8,1140>10,10", "40,275>10,10", "40,275>8,1140>10,10",
            "40,275[1]>10,20", "40,275[2]>10,10",
        ]
    ]  # fmt: skip


def test_creators_are_one_place_in_any_case() -> None:
    (one,) = merge([parse_operation("replace", "9,2,GEMS=a"), parse_operation("remove", "9,1002,gems")])
    assert (one.kind, one.tag) == ("remove", 0x00090002)

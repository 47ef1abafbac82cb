"""What each part does with what should not come: inputs that shrink, tables that are full, functions of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dcmveil import Policy, folding, sealing
from dcmveil.cms_algorithms import KeyDerivation
from dcmveil.cms_structures import Pbkdf2Parameters, algorithm, parameters_of
from dcmveil.credentials import _read
from dcmveil.editing import Edits
from dcmveil.encode import Encoding, encode_item
from dcmveil.errors import InputError, LimitExceeded, ParseError, Refused
from dcmveil.folding import fold
from dcmveil.fragments import UNREAD, jpeg_segments
from dcmveil.held import Held
from dcmveil.operations import OperationError
from dcmveil.questions import Question, written_vr
from dcmveil.rewriting import scan
from dcmveil.sources import RangeReader
from dcmveil.tasks import Reidentify
from dcmveil.userrules import RulesError, parse_rules
from dcmveil.walking import Walk
from tests.engine.support import SECRET, feed, rewritten
from tests.hostile.forms import EXPLICIT as E
from tests.reversible.keys import Glass

NAME = E.element(0x00100010, "PN", "VEILME^ONE")


class Shrinking:
    """A Source that says it has `size` bytes, and has those of `data`."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data, self.size = data, size

    def read_at(self, position: int, count: int) -> bytes:
        return self._data[position : position + count]


# ---- inputs ------------------------------------------------------------------------------------------------------


def test_an_input_that_ends_before_its_size_is_an_error_for_whoever_reads() -> None:
    data = E.file(E.common() + NAME)
    source = Shrinking(data[:-4], len(data))
    with pytest.raises(InputError, match="shrank"):
        scan(Policy(secret=SECRET).planner(), source)
    reader = RangeReader(source)
    assert reader.between(128, 132) == b"DICM"
    with pytest.raises(InputError, match="shrank"):
        reader.between(128, len(data))
    with pytest.raises(InputError, match="shrank"):
        reader.gather([(128, 132), (140, len(data))])


def test_an_output_that_is_looked_through_and_ends_too_early_is_an_error() -> None:
    long = E.element(0x00420011, "OB", bytes(1 << 17))
    data = E.file(E.common() + long)
    with pytest.raises(ParseError):
        for _token in Walk(Shrinking(data[:-4096], len(data) - 4096)).tokens():
            pass


def test_what_was_passed_over_cannot_be_looked_at() -> None:
    held = Held(1 << 20)
    held.add(b"seen")
    held.skip(10)
    held.add(b"again")
    assert held.read_at(0, 100) == b"seen"
    with pytest.raises(LimitExceeded, match="have to be seen"):
        held.read_at(4, 1)


def test_fragments_that_end_in_their_header_are_the_last() -> None:
    """So are those of a stream that shrinks, and those that are not Items."""
    table, frame = E.item(b""), E.item(b"\xff\xd8\xff\xfe\x00\x04hi\xff\xd9")
    expected = frozenset({"COM"})
    for rest in (b"", E.item(b"")[:6], E.element(0x00100010, "PN", "VEILME")):
        stream = table + frame + rest
        assert jpeg_segments(lambda at, count, stream=stream: stream[at : at + count], 0, len(stream)) == expected
        assert jpeg_segments(lambda at, count, stream=stream: stream[at : at + count], 0, 1 << 20) == expected


def test_a_frame_whose_bytes_are_gone_is_not_called_clean() -> None:
    stream = E.item(b"") + E.item(b"\xff\xd8" + b"\xff\xe0\0\x10JFIF" + bytes(400) + b"\xff\xd9")
    short = stream[:40]
    assert jpeg_segments(lambda at, count: short[at : at + count], 0, len(stream)) & {UNREAD, "trailing"}


@pytest.mark.parametrize(
    "head",
    [
        b"\xff\x4f\xff\x51\0\x04\0\0" + b"\xff\x64\0\x06\0\1OK" * 4100,
        b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0\0\0\x08jp2h" * 4100,
    ],
    ids=["codestream", "boxes"],
)
def test_a_frame_of_more_markers_than_are_looked_at_is_not_called_clean(head: bytes) -> None:
    stream = E.item(b"") + E.item(head)
    assert UNREAD in jpeg_segments(lambda at, count: stream[at : at + count], 0, len(stream))


# ---- tables and bounds -------------------------------------------------------------------------------------------


def test_characters_that_are_not_remembered_are_folded_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\u00c4\u00d6\u0150\u0160\u017d\u0416\u03a9"
    expected = fold(text)
    monkeypatch.setattr(folding, "_FOLDS", folding._Folds())
    monkeypatch.setattr(folding, "_MOST_FOLDS", 2)
    assert fold(text) == expected == fold(text)
    assert len(folding._FOLDS) == 2


def test_an_item_that_no_length_can_tell_is_an_error() -> None:
    class Long(bytes):
        """As long as it says, so that nobody needs 4 GiB for it."""

        def __len__(self) -> int:
            return 1 << 32

    with pytest.raises(LimitExceeded, match="too long for the Item Length"):
        encode_item(Encoding.EXPLICIT_LE, Long())


@pytest.mark.ci
def test_more_rules_than_the_tables_hold_are_an_error() -> None:
    rules = [
        {"tag": tag, "action": "replace", "value": f"{number}"}
        for number, tag in enumerate(f"{group:04X},{element:04X}" for group, element in text_attributes(4100))
    ]
    with pytest.raises(RulesError, match="more than 4096 different rules"):
        Policy(secret=SECRET, rules=parse_rules([*rules, *by_path(4100 - len(rules))]))


def text_attributes(most: int) -> list[tuple[int, int]]:
    from dcmveil import _tables

    wanted = {1 << _tables.vr_index(vr) for vr in ("LO", "SH", "ST", "LT", "UT", "UC")}
    tags = [tag for tag, mask, vrs in _tables.attributes() if mask == 0xFFFFFFFF and vrs in wanted]
    return [(tag >> 16, tag & 0xFFFF) for tag in tags if 0x00200000 < tag < 0x04000000][:most]


def by_path(count: int) -> list[dict[str, str]]:
    """As many more, each for an Item of its own."""
    return [
        {"path": f"ReferencedImageSequence[{number}] > PatientComments", "action": "replace", "value": f"p{number}"}
        for number in range(1, count + 1)
    ]


def test_a_secret_that_would_be_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.touch(0o600)
    for size, is_too_long in ((1 << 16, False), ((1 << 16) + 1, True)):
        path.write_bytes(b"s" * size)
        if is_too_long:
            with pytest.raises(Exception, match="secret file is longer than 65536 bytes"):
                _read(str(path), "secret")
        else:
            assert len(_read(str(path), "secret")) == size


# ---- what goes together ------------------------------------------------------------------------------------------


def test_what_does_not_go_together_is_said_when_it_is_made() -> None:
    with pytest.raises(ValueError, match="refuse, remove or keep"):
        Policy(secret=SECRET, existing_encrypted="perhaps")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="cannot be kept beside a new one"):
        Policy(secret=SECRET, envelope=Glass(), existing_encrypted="keep")
    with pytest.raises(OperationError, match="no operations"):
        Edits([])
    with pytest.raises(ValueError, match="no dry run"):
        Reidentify(Glass()).run("in", None)  # type: ignore[arg-type]


def test_conditions_cannot_be_laid_on_what_is_decided_by_content() -> None:
    from dcmveil.options import Options

    rules = parse_rules([{"tag": "TextValue", "action": "remove", "when": {"Modality": "SR"}}])
    Policy(secret=SECRET, rules=rules)
    with pytest.raises(RulesError, match="there can be no conditions for this Attribute"):
        Policy(secret=SECRET, rules=rules, options=Options(clean_structured_content=True))


def test_originals_are_sealed_at_the_end_by_a_policy_with_an_envelope() -> None:
    policy = Policy(secret=SECRET)
    planner = policy.planner()
    feed(planner, E.file(E.common() + NAME))
    with pytest.raises(ValueError, match="not at its end"):
        sealing._size(planner.plan)
    nobody: Any = None
    with pytest.raises(ValueError, match="no envelope"):
        sealing.seal_originals(policy, planner, nobody, nobody)
    with pytest.raises(ValueError, match="nothing has begun"):
        policy.answers()._renewing()


def test_what_no_dictionary_has_gets_no_new_value_without_a_vr() -> None:
    with pytest.raises(LookupError, match="no VR"):
        written_vr(Question(1, 1, 0x00A00001, 0, 0xFE, 1, 0))
    assert written_vr(Question(1, 1, 0x00090001, 0, 0xFE, 1, 0)) == "UN"


# ---- messages ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key_bytes", "iterations"), [(16, 1000), (None, 0), (None, -5)])
def test_a_key_is_derived_as_it_is_told_or_not_at_all(key_bytes: int | None, iterations: int) -> None:
    good = KeyDerivation(b"salt of 16 bytes", 1000)
    assert KeyDerivation.of(good.identifier(), 32) == good
    parameters = Pbkdf2Parameters(salt=b"salt", iterations=iterations, key_bytes=key_bytes, pseudo_random=None)
    told = [good.identifier()[0], algorithm(good.prf, parameters)[1]]
    with pytest.raises(ValueError, match="do not fit"):
        KeyDerivation.of(told, 32)


def test_an_algorithm_without_the_parameters_it_needs_is_none() -> None:
    told = KeyDerivation(b"salt of 16 bytes", 1000).identifier()
    with pytest.raises(ValueError, match="without parameters"):
        parameters_of(told[:1], Pbkdf2Parameters)


# ---- functions of the user ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "expected"),
    [("VEILED", b"VEILED"), (b"VEILED", b"VEILED"), (None, None), ("VEILME TEXT", b"VEILME TEXT"), (5, Exception)],
)
def test_what_a_function_returns_is_written_or_removes(result: object, expected: Any) -> None:
    """Or is an error if it is neither text nor bytes; unchanged, the element stays as it is."""
    rules = parse_rules([{"tag": "PatientComments", "action": "call", "value": lambda _old: result}])
    data = E.file(E.common() + E.element(0x00104000, "LT", "VEILME TEXT"))
    policy = Policy(secret=SECRET, rules=rules)
    if expected is Exception:
        with pytest.raises(Exception, match="the function must return str or None"):
            rewritten(data, policy)
        return
    output = rewritten(data, policy)
    assert (
        (E.header(0x00104000, "LT", len(expected) + len(expected) % 2) + expected in output)
        if expected
        else (E.element(0x00104000, "LT", "VEILME TEXT") not in output)
    )


def test_a_function_for_what_is_no_text_gives_bytes() -> None:
    data = E.file(E.common() + E.element(0x00280010, "US", b"\x08\0"))
    for result, is_good in ((b"\x10\0", True), ("16", False)):
        rules = parse_rules([{"tag": "Rows", "action": "call", "value": lambda _old, result=result: result}])
        policy = Policy(secret=SECRET, rules=rules)
        if is_good:
            assert E.element(0x00280010, "US", b"\x10\0") in rewritten(data, policy)
        else:
            with pytest.raises(Exception, match="the function must return bytes or None"):
                rewritten(data, policy)


# ---- pseudonyms --------------------------------------------------------------------------------------------------


def test_an_identifier_that_no_map_has_is_refused_where_it_is() -> None:
    nested = E.sequence(0x00081115, E.item(E.element(0x00100020, "LO", "VEILME2")))
    policy = Policy(secret=SECRET, patient_id={"VEILME1": "P1"})
    with pytest.raises(Refused) as caught:
        rewritten(E.file(E.common() + nested + E.element(0x00100020, "LO", "VEILME1")), policy)
    assert "within (0008,1115)" in str(caught.value)
    assert "VEILME" not in str(caught.value)
    with pytest.raises(Refused) as caught:
        rewritten(E.file(E.common() + E.element(0x00100020, "LO", "VEILME2")), policy)
    assert "within" not in str(caught.value)


def test_a_pseudonym_that_the_character_set_cannot_write_is_refused() -> None:
    policy = Policy(secret=SECRET, patient_name={"VEILME^ONE": "\u5c71\u7530"})
    with pytest.raises(Refused, match="not in the file's Specific Character Set"):
        rewritten(E.file(E.element(0x00080005, "CS", "ISO_IR 100") + E.common() + NAME), policy)
    unicode = E.element(0x00080005, "CS", "ISO_IR 192")
    assert "\u5c71\u7530".encode() in rewritten(E.file(unicode + E.common() + NAME), policy)


def test_pairs_have_no_uid_that_stays(tmp_path: Path) -> None:
    """Of several in one Value, those of the Standard."""
    from dcmveil import deidentify_file

    source = tmp_path / "in"
    source.write_bytes(E.file(E.common() + E.element(0x00081195, "UI", "1.2.840.10008.1.2.1\\2.999.5")))
    report = deidentify_file(source, tmp_path / "out", Policy(secret=SECRET, records_pairs=True))
    olds = [old for old, _new in report.remarks.pairs]
    assert "2.999.5" in olds
    assert "1.2.840.10008.1.2.1" not in olds


def test_the_uid_of_an_object_may_be_given(tmp_path: Path) -> None:
    """By a rule of the user's own: the File Meta Information says the same."""
    rules = parse_rules([{"tag": "SOPInstanceUID", "action": "replace", "value": "2.999.42"}])
    output = rewritten(E.file(E.common() + NAME), Policy(secret=SECRET, rules=rules))
    assert output.count(b"\x03\0UI\x08\x002.999.42") == 1
    assert output.count(b"\x18\0UI\x08\x002.999.42") == 1

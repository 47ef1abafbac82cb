"""Files of rules: what a line number in a message or a report is worth, and what is no such file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcmveil.rulesfile import load_rules
from dcmveil.userrules import RulesError, RuleSet, UserRule

EXAMPLE = Path(__file__).parents[1] / "data" / "rules.toml"


def load(folder: Path, text: str) -> tuple[UserRule, ...]:
    path = folder / "rules.toml"
    path.write_text(text, encoding="utf-8")
    return load_rules(path)


def problem(folder: Path, text: str) -> str:
    with pytest.raises(RulesError) as caught:
        load(folder, text)
    message = str(caught.value)
    assert message.isprintable()
    return message


def test_the_example_is_what_its_comments_say() -> None:
    rules = RuleSet(load_rules(EXAMPLE))
    assert len({rule.where for rule in rules.rules}) == EXAMPLE.read_text(encoding="utf-8").count("\n[[rule]]") == 18
    found = {tag: [rule.action for rule in some] for tag, _mask, some in rules.attributes()}
    assert found[0x00100020] == ["hash"]
    assert found[0x00100010] == ["replace"]
    assert found[0x00080090] == ["empty"]  # Referring Physician's Name
    assert found[0x00080020] == ["shift-date"]  # Study Date
    assert found[0x00100030] == ["empty"]  # Patient's Birth Date
    assert found[0x0008103E] == ["keep", "clean"]
    assert found[0x60004000] == ["remove"]
    assert found[0x00321060] == ["remove"]  # Requested Procedure Description, LO
    assert 0x00321064 not in found  # Requested Procedure Code Sequence
    assert found[0x00321010] == ["shift-date"]  # Scheduled Study Stop Date, DA
    assert found[0x00204000] == ["remove"]  # Image Comments


# ---- lines -------------------------------------------------------------------------------------------------------

HIDDEN = ["[[rule]]", '[[rule]] # "', "[[rule]] '", "[other]", "]", "{", "\\\\", '\\"', "''", "#", ""]
hidden_lines = st.lists(st.sampled_from(HIDDEN), min_size=1, max_size=4)


@st.composite
def values(draw: st.DrawFn) -> str:
    """A text as TOML may write it; where it can have lines these look like parts of a file of rules."""
    lines = "\n".join(draw(hidden_lines))
    form = draw(st.sampled_from(['"""', "'''", '"', "'"]))
    if len(form) == 3:
        return form + lines + form
    line = draw(st.sampled_from(["[[rule]]", "#", "[", "}", "a = b"]))
    return form + line + form


@st.composite
def files(draw: st.DrawFn) -> tuple[str, list[int]]:
    """A file of rules, and in which line each begins."""
    lines: list[str] = []
    starts: list[int] = []
    for _rule in range(draw(st.integers(1, 4))):
        lines += [f"  # {line}" for line in draw(st.lists(st.sampled_from(HIDDEN), max_size=2))]
        header = draw(st.sampled_from(["[[rule]]", "[[ rule ]] # '''", '  [["rule"]]', "[['rule']]"]))
        starts.append("\n".join([*lines, ""]).count("\n") + 1)
        lines.append(header)
        tags = ["tags = [ # [[rule]]", "  'ImageComments', # ]", '"PatientComments",', "]"]
        keys = [
            ["action = 'replace'"],
            [f"value = {draw(values())}"],
            draw(st.sampled_from([tags, ["tag='0010,4000'"]])),
        ]
        lines += [line for key in draw(st.permutations(keys)) for line in key]
        lines += draw(
            st.sampled_from([[], ["[rule.when]", "Modality = ['CT', # [[rule]]", "]"], ["when.Modality = '['"]])
        )
    return "\n".join(lines), starts


@settings(deadline=None)
@given(files())
def test_a_rule_is_known_by_the_line_of_its_header(
    tmp_path_factory: pytest.TempPathFactory, file: tuple[str, list[int]]
) -> None:
    text, starts = file
    rules = load(tmp_path_factory.getbasetemp(), text)
    assert list(dict.fromkeys(rule.where for rule in rules)) == [f"rules.toml:{line}" for line in starts]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("[[rule]]\ntag = 'PatientID'\naction = 'hush'\n", 3, "the action must be one of"),
        ("[[rule]]\ntag = 'PatientID'\n# no action\n", 1, "a rule needs an action"),
        ("[[rule]]\naction = 'keep'\ntag = 'PatientNme'\n", 3, "no Attribute has the keyword 'PatientNme'"),
        ("[[rule]]\naction = 'keep'\ntags = [\n'PatientID',\n'PatientNme',\n]\n", 3, "'PatientNme'"),
        ("[[rule]]\ntag = 'PatientID'\naction = 'keep'\nvlaue = '''\n[[rule]]\n'''\n", 4, "unknown key 'vlaue'"),
        ("\r\n[[rule]]\r\ntag = 'PatientID'\r\naction = 'keep'\r\nvalue = 'a'\r\n", 5, "keep has no value"),
        ("[[rule]]\ntag='PatientID'\naction='keep'\n[rule.when]\nModality='CT'\nModel='a'\n", 6, "'Model'"),
        ("[[rule]]\ntag='PatientID'\naction='keep'\nwhen.Modality='CT'\nwhen.Model='a'\n", 5, "'Model'"),
        ("[[rule]]\ntag='PatientID'\naction='keep'\nwhen = {Model='a'}\n", 4, "'Model'"),
        ("[[rule]]\naction='keep'\n[rule.private]\ngroup='0010'\ncreator='A'\n", 4, "odd"),
        ("[[rule]]\naction='keep'\nprivate={group='0010', creator='A'}\n", 3, "odd"),
        ("[[rule]]\naction='keep'\nprivate={group='0009'}\n", 3, "needs a creator"),
        ("[[rule]]\ntags=[\n['other'],\n]\naction='hush'\n", 5, "the action must be"),
        ("rule = [\n{tag='PatientID', action='keep'},\n{tag='PatientID', action='hush'}]\n", 1, "the action must be"),
        ("rule = ['a']\n", 1, "a rule must be a table"),
        ("rule = 5\n", 1, "no rules"),
        ("# nothing\n", 1, "no rules"),
        ("[rule]\ntag='PatientID'\n", 1, "no rules"),
        ("\n\n[[rules]]\ntag='PatientID'\n", 3, "unknown key 'rules'"),
        ("[[rule]]\ntag='PatientID'\naction='keep'\n[other]\na=1\n", 4, "unknown key 'other'"),
        ("[[rule]]\ntag='PatientID'\naction=keep\n", 3, "not TOML: Invalid value"),
        ("[[rule]]\ntag='PatientID'\naction='''keep\n", 4, "not TOML: Expected"),
        ("[[rule]]\ntag='PatientID'\ntag='PatientName'\n", 3, "not TOML: Cannot overwrite a value"),
        ("[[rule]]\ntag='PatientID'\naction='call'\n", 3, "call needs a Python function"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, line: int, what: str) -> None:
    message = problem(tmp_path, text)
    assert message.startswith(f"rules.toml:{line}: ")
    assert what in message


def test_a_conflict_names_both_lines(tmp_path: Path) -> None:
    rules = load(tmp_path, "[[rule]]\ntag='PatientID'\naction='keep'\n\n[[rule]]\ntag='0010,0020'\naction='hash'\n")
    with pytest.raises(RulesError, match=r"^rules\.toml:5: at odds with rules\.toml:1, .*\(0010,0020\)$"):
        RuleSet(rules)


# ---- files -------------------------------------------------------------------------------------------------------


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    (rule,) = load(tmp_path, "\ufeff[[rule]]\ntag='PatientID'\naction='keep'\n")
    assert rule.where == "rules.toml:1"


def test_texts_are_utf_8(tmp_path: Path) -> None:
    (rule,) = load(tmp_path, "[[rule]]\ntag='PatientName'\naction='replace'\nvalue='Müller^Ωλ'\n")
    assert rule.value == "Müller^Ωλ"
    path = tmp_path / "latin.toml"
    path.write_bytes("[[rule]]\nvalue = 'M\xfcller'\n".encode("latin_1"))
    with pytest.raises(RulesError, match=r"latin\.toml:2: is not UTF-8$"):
        load_rules(path)


@pytest.mark.parametrize("text", ["a = " + "[" * 100_000, "a = " + "9" * 5000])
def test_what_python_cannot_read_is_an_error(tmp_path: Path, text: str) -> None:
    assert problem(tmp_path, text).startswith("rules.toml: not TOML that can be used")


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "large").write_bytes(b"#" * (1 << 20) + b"\n")
    for name, what in [
        ("fifo", "is not a regular file"),
        (".", "is not a regular file"),
        ("large", "more than 1 MiB"),
        ("missing", "No such file"),
        ("a\0b", "there can be no such path"),
    ]:
        with pytest.raises(RulesError, match=what):
            load_rules(tmp_path / name)


def test_no_text_of_a_rule_is_in_a_message_or_repr(tmp_path: Path) -> None:
    template = "[[rule]]\ntag='{}'\naction='{}'\nvalue='Smith'\nwhen={{PatientName='Smith', {}}}\n"
    assert "Smith" not in problem(tmp_path, template.format("StudyDate", "replace", "Modality='CT'"))
    assert "Smith" not in problem(tmp_path, template.format("PatientName", "keep", "Modality='CT'"))
    assert "Smith" not in problem(tmp_path, template.format("PatientName", "replace", "Modality={matches='Smith('}"))
    rules = load(tmp_path, template.format("PatientName", "replace", "Modality='CT'"))
    assert "Smith" not in repr(rules)
    with pytest.raises(RulesError) as caught:
        RuleSet([*rules, rules[0]._replace(value="Smith^John")])
    assert "Smith" not in str(caught.value)

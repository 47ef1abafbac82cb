"""Edits without a profile: operations at certain places, everything else stays byte for byte.

A place is a path through Sequences. Private elements are named by their creator; which block that has is found in a
first pass over the file, and where an operation inserts and the creator has none, the first free block is reserved.
The File Meta Information follows an edited SOP Class or SOP Instance UID, as PS3.10 7.1 wants it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from functools import partial

from dcmveil._elements import list_elements
from dcmveil._plan import Plan
from dcmveil._planner import Planner
from dcmveil._policy import RuleTable
from dcmveil._private import PrivateTable
from dcmveil._tables import dictionary_vrs, vr_index
from dcmveil.encode import Encoding, encode_element
from dcmveil.errors import Refused
from dcmveil.files import plan_source, write_file
from dcmveil.operations import Operation, OperationError, combine, merge
from dcmveil.places import Placed, Tree, expanded
from dcmveil.policy import Limits
from dcmveil.questions import Answers, Facts, Question, Rewriting, vr_of_input
from dcmveil.report import Method, Report
from dcmveil.rewriting import OpenedFile, Rewrite, Writer, scan
from dcmveil.rules import KEEP, Rule
from dcmveil.sinks import Output
from dcmveil.sources import Source
from dcmveil.tags import format_tag
from dcmveil.values import choose_vr, encode_value

__all__ = ["Edits", "edit_file", "edit_source", "editing_of", "plan_edits"]

_SPECIFIC_CHARACTER_SET = 0x00080005
_FILE_META_OF = {0x00080016: 0x00020002, 0x00080018: 0x00020003}  # SOP Class and SOP Instance UID
_FILE_META_GROUP_LENGTH = 0x00020000
_PREAMBLE = 132
_ALL = 0xFFFFFFFF
_NOT_IN_ALL_SETS = frozenset("\\~")  # of ASCII; ISO 646 lets national sets have others there
_MAX_RULES = 255
_FIRST_BLOCK, _LAST_BLOCK = 0x10, 0xFF
_REASONS = {"clear": "--clear", "empty": "--empty", "remove": "--remove", "replace": "--replace"}
_SPECIAL = dict.fromkeys(("private", "unknown", "group_length", "vr", "member", "meta"), 0)


class Edits:
    """What to do to each of many objects. Immutable; `Limits` as for a Policy.

    Raises OperationError for none, for more than some 250 different Values, and for what cannot be done anywhere.
    """

    def __init__(self, operations: Iterable[Operation], limits: Limits = Limits()) -> None:  # noqa: B008 - immutable
        limits.check()
        self.operations = tuple(merge(operations))
        self.limits = limits
        if not self.operations:
            raise OperationError("no operations")
        self._editing = _Editing(self.operations, limits, _no_prefix)

    @property
    def names_creators(self) -> bool:
        """Are there private elements whose block has to be found first?"""
        return any(operation.creator is not None for operation in self.operations)

    def for_source(self, source: Source) -> Rewriting:
        """What they come to for one object, if they name no creators: the same tables for all."""
        return self._editing.with_prefix(lambda stop: source.read_at(0, stop))

    def __repr__(self) -> str:
        return f"Edits({len(self.operations)} operations)"


def edit_file(
    source: str | os.PathLike[str], target: str | os.PathLike[str], edits: Edits, *, copy: str = "auto"
) -> Report:
    """Do the operations to the file `source` and write `target`, which appears only when whole.

    Raises ValueProblem for a Value that cannot be one of its VR, Refused if there is no free private block, and as
    `deidentify_file`.
    """
    with OpenedFile(source) as file:
        report = write_file(file, target, partial(edit_source, edits=edits), copy=copy)
    return report._replace(source=str(source), target=str(target))


def edit_source(
    source: Source, output: Output, edits: Edits, *, transfer_syntax: str | None = None
) -> tuple[Report, int]:
    """Do the operations to what is read from `source`, as `deidentify_source` de-identifies it."""
    rewrite = Rewrite(source, editing_of(source, edits, transfer_syntax), transfer_syntax=transfer_syntax)
    rewrite.run(Writer(source, output))
    return rewrite.report("", None), rewrite.prefix


def plan_edits(source: str | os.PathLike[str], edits: Edits) -> Report:
    """What `edit_file` would do, edit by edit, without doing it."""
    with OpenedFile(source) as file:
        return plan_source(file, editing_of(file, edits))._replace(source=str(source))


def editing_of(source: Source, edits: Edits, transfer_syntax: str | None = None) -> Rewriting:
    """What the edits come to for one object, which is looked through beforehand if they name Private Creators."""
    if not edits.names_creators:
        return edits.for_source(source)
    creators = _creators(source, edits.operations, edits.limits, transfer_syntax)
    operations = tuple(merge(_with_blocks(edits.operations, creators)))
    return _Editing(operations, edits.limits, lambda stop: source.read_at(0, stop), _repeated(creators))


def _no_prefix(stop: int) -> bytes:
    """For edits that no file has been named for."""
    return b""


# ---- private blocks --------------------------------------------------------------------------------------------


def _creators(
    source: Source, operations: Iterable[Operation], limits: Limits, transfer_syntax: str | None
) -> dict[int, str]:
    """Private Creators of the groups that operations name, by their tags; "" for blocks in use that have none."""
    groups = sorted({operation.tag >> 16 for operation in operations if operation.creator is not None})
    tags = [group << 16 | block for group in groups for block in range(_FIRST_BLOCK, _LAST_BLOCK + 1)]
    table = RuleTable(
        behaviours=["keep", "remove"],
        special={**_SPECIAL, "private": 1, "duplicate": None},  # private elements are listed as if they were to go
        places=[[(tag, None, False, True, None) for tag in tags]],
    )
    planner = Planner(table, transfer_syntax=transfer_syntax, **limits._asdict())
    scan(planner, source)
    found = {tag: "" for tag in _blocks_in_use(planner.plan) if tag >> 16 in groups}
    for tag, parent, _item, value in reversed(planner.plan.watched()):  # of repeated ones the first counts
        if parent == 0 and tag >> 16 & 1:
            found[tag] = (value or b"").strip(b" \0").decode("latin-1")
    return found


def _blocks_in_use(plan: Plan) -> set[int]:
    """Tags that the creators of private elements at top level have or should have."""
    for asked in plan.questions():
        plan.answer(asked[0], "remove")
    plan.settle()
    tags = (tag for steps, tag, *_rest in plan.edits() if not steps)
    return {tag & 0xFFFF0000 | (tag >> 8 & 0xFF) for tag in tags if tag >> 8 & 0xFF}


def _with_blocks(operations: Iterable[Operation], creators: dict[int, str]) -> Iterator[Operation]:
    """The operations with full tags. Those on creators that are not there insert them, or come to nothing."""
    creators = dict(creators)
    for operation in operations:
        if operation.creator is None:
            yield operation
            continue
        blocks = _blocks(operation, creators)
        if not blocks and operation.kind in ("empty", "replace"):
            blocks = [_free_block(operation.tag, creators)]
            creators[blocks[0]] = operation.creator
            yield Operation("replace", (), blocks[0], None, operation.creator)
        for block in blocks:
            tag = block & 0xFFFF0000 | (block & 0xFF) << 8 | operation.tag & 0xFF
            yield operation._replace(tag=tag, creator=None)


def _blocks(operation: Operation, creators: dict[int, str]) -> list[int]:
    """Tags of the creator's elements."""
    wanted = (operation.creator or "").lower()
    same_group = (tag for tag in sorted(creators) if tag >> 16 == operation.tag >> 16)
    return [tag for tag in same_group if creators[tag].lower() == wanted]


def _repeated(creators: dict[int, str]) -> frozenset[tuple[int, int]]:
    """Further blocks of a creator that has one: (group, block). What they have is acted on, but nothing inserted."""
    first: dict[tuple[int, str], int] = {}
    for tag in sorted(creators):
        first.setdefault((tag >> 16, creators[tag].lower()), tag)
    return frozenset((tag >> 16, tag & 0xFF) for tag in creators if tag not in first.values())


def _free_block(tag: int, creators: dict[int, str]) -> int:
    group = tag & 0xFFFF0000
    for block in range(_FIRST_BLOCK, _LAST_BLOCK + 1):
        if group | block not in creators:
            return group | block
    raise Refused("private-blocks", f"no free private block in the group of {format_tag(tag)}")


# ---- one object ------------------------------------------------------------------------------------------------


class _Editing:
    """The Rewriting of one object: operations as places and rules."""

    method = Method()
    changes_all = False

    def __init__(
        self,
        operations: tuple[Operation, ...],
        limits: Limits,
        prefix: Callable[[int], bytes],
        closed: frozenset[tuple[int, int]] = frozenset(),
    ) -> None:
        self._limits = limits
        self._closed = closed
        self._is_nested = any(operation.path for operation in operations)
        self._prefix = prefix
        self.values: list[str | None] = [None]
        self.rules: tuple[Rule, ...] = (KEEP,)
        self.uids = {_FILE_META_OF[op.tag]: op.value for op in operations if _is_sop_uid(op)}
        self.character_sets = [
            op.value or "" for op in operations if op.tag == _SPECIFIC_CHARACTER_SET and not op.path
        ]  # fmt: skip
        placed = [Placed(operation.path, operation.tag, operation) for operation in operations]
        nodes = Tree(expanded(placed), combine).nodes
        for node in nodes[1:]:
            node.setdefault(_SPECIFIC_CHARACTER_SET, (None, None))  # of an Item, to be heard of
        places = [[self._place(*row) for row in sorted(node.items())] for node in nodes]
        meta = self._number(Rule("file meta", "follows the SOP Instance"), None) if self.uids else 0
        repeated = self._number(Rule("X", "repeated"), None)
        self._table = RuleTable(
            behaviours=[rule.behaviour for rule in self.rules],
            special={**_SPECIAL, "meta": meta, "duplicate": repeated},
            flags=[(_SPECIFIC_CHARACTER_SET, _ALL, "watched")],
            places=places,
        )

    def _place(
        self, tag: int, place: tuple[Operation | None, int | None]
    ) -> tuple[int, int | None, bool, bool, int | None]:
        operation, child = place
        if operation is None:
            return tag, None, False, tag == _SPECIFIC_CHARACTER_SET, child
        action = "X" if operation.kind == "remove" else operation.kind
        rule = self._number(Rule(action, _REASONS[operation.kind]), operation.value)
        insert = operation.kind in ("empty", "replace") and (tag >> 16, tag >> 8 & 0xFF) not in self._closed
        return tag, rule, insert, False, child

    def _number(self, rule: Rule, value: str | None) -> int:
        for number, known in enumerate(zip(self.rules, self.values, strict=True)):
            if known == (rule, value):
                return number
        if len(self.rules) == _MAX_RULES:
            raise OperationError("more different Values than one run can write")
        self.rules += (rule,)
        self.values.append(value)
        return len(self.rules) - 1

    @property
    def flows(self) -> bool:
        """Are the Values encoded alike in every Specific Character Set, and no lengths of Sequences to be patched?"""
        return not self._is_nested and all(
            value is None or (value.isascii() and not set(value) & _NOT_IN_ALL_SETS) for value in self.values
        )

    def planner(self, private: PrivateTable | None = None, transfer_syntax: str | None = None) -> Planner:
        """A new Planner for the object."""
        limits = self._limits.without_holding()
        self.scanned = Planner(self._table, transfer_syntax=transfer_syntax, **limits._asdict())
        return self.scanned

    def answers(self, *, file_meta: bool = True) -> Answers:
        """What to answer for it."""
        return _Answers(self)

    def with_prefix(self, prefix: Callable[[int], bytes]) -> _Editing:
        """The same for another object."""
        other = copy(self)
        other._prefix = prefix
        return other

    def file_meta(self) -> bytes | None:
        """Preamble and File Meta Information with the edited UIDs; None if the file has none."""
        prefix = self._prefix(self.scanned.dataset_start)
        start = _PREAMBLE if prefix[_PREAMBLE - 4 : _PREAMBLE] == b"DICM" else 0
        return prefix[:start] + _with_uids(prefix[start:], self.uids) if prefix[start:] else None


def _is_top(operation: Operation, tag: int, kind: str) -> bool:
    return not operation.path and (operation.tag, operation.kind) == (tag, kind)


def _is_sop_uid(operation: Operation) -> bool:
    return any(_is_top(operation, tag, "replace") for tag in _FILE_META_OF)


def _with_uids(meta: bytes, uids: dict[int, str | None]) -> bytes:
    """File Meta Information with other UIDs, and its group length set right if it was."""
    little = Encoding.EXPLICIT_LE
    rows = list_elements(meta, little)
    elements = [(tag, meta[start:stop]) for _level, _item, tag, _vr, start, _value, stop in rows]
    for at, (tag, _old) in enumerate(elements):
        if tag in uids:
            uid = encode_value(tag, "UI", uids[tag] or "", character_set=None, encoding=little)
            elements[at] = tag, encode_element(little, tag, "UI", uid)
    changed = sum(len(element) for _tag, element in elements) - len(meta)
    first, length = elements[0]
    if first == _FILE_META_GROUP_LENGTH and len(length) == 12:
        number = int.from_bytes(length[8:], "little") + changed
        elements[0] = first, length[:8] + (number & _ALL).to_bytes(4, "little")
    return b"".join(element for _tag, element in elements)


class _Answers(Answers):
    def __init__(self, editing: _Editing) -> None:
        self._editing = editing

    def is_ready(self, facts: Facts) -> bool:
        return self._editing.flows  # else Specific Character Set may come late, or not at all

    def action(self, key: int, rule: int) -> str:
        return self._editing.rules[rule].action

    def reason(self, key: int, rule: int) -> str:
        return self._editing.rules[rule].reason

    def answer(self, asked: Question, facts: Facts) -> tuple[str, bytes]:
        action = self._editing.rules[asked.rule].action
        if action == "file meta":
            meta = self._editing.file_meta()
            return ("keep", b"") if meta is None else ("replace", meta)
        if action == "X":
            return "remove", b""
        text = self._editing.values[asked.rule] or ""
        vr = _vr(asked, text)
        encoding = Encoding(asked.encoding)
        value = b""
        if text:
            character_set = self._character_set(asked, facts)
            value = encode_value(asked.tag, vr, text, character_set=character_set, encoding=encoding)
        return "replace", encode_element(encoding, asked.tag, vr, value)

    def _character_set(self, asked: Question, facts: Facts) -> bytes | None:
        """The one of the object as it will be. Where Items may have their own, only ASCII is the same in all."""
        if asked.parent and any(tag == _SPECIFIC_CHARACTER_SET and parent for tag, parent, _i, _v in facts.watched):
            return None
        for text in self._editing.character_sets:
            return text.encode("ascii", "replace")
        return facts.character_set


def _vr(asked: Question, text: str) -> str:
    """The VR that the file gives the element, if the dictionary lets it; else the dictionary's, else UN."""
    own, known = vr_of_input(asked), dictionary_vrs(asked.tag)
    if own is not None and (not known or known >> vr_index(own) & 1):
        return own
    return choose_vr(asked.tag, text) or "UN"

"""From decisions to the tables that the Planner reads: rules are numbered, places become a tree of nodes.

Rules of the user's own go before those of the profile, the most specific first: those with a path are places, the
others take the tag's entry, and those for private elements a row for its block. One that has conditions becomes a
choice, whose last resort is what would have been without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from dcmveil import _tables
from dcmveil._policy import RuleTable
from dcmveil._private import PrivateTable
from dcmveil.charsets import DEFINED_TERMS
from dcmveil.contents import ORDINARY_TAGS, VALUE_TAGS, VALUE_TYPES, Contents
from dcmveil.iods import ACTIONS
from dcmveil.places import Placed, Step, Tree, expanded
from dcmveil.privates import WATCHED_PLACES, Row, safe_rows
from dcmveil.profile import EXACT, SPECIAL, Assignment, Spec, anchors, assignments, flags
from dcmveil.rules import KEEP, Rule

if TYPE_CHECKING:
    from dcmveil.userrules import RuleSet, UserRule

__all__ = ["Compiled", "Privates", "compile_identity", "compile_profile"]

_PRIVATE_RULES = {
    "K": Rule("K", "Table E.3.10-1: safe private"),
    "text": Rule("K", "Table E.3.10-1: safe private"),
    "UID": Rule("U", "UID of a safe private element"),
    "safe": Rule("K", "(0008,0300): nonidentifying"),
    "X": Rule("X", "(0008,0300): identifying"),
    "Z": Rule("Z", "(0008,0300): identifying"),
    "D": Rule("D", "(0008,0300): identifying"),
    "U": Rule("U", "(0008,0300): identifying"),
}
# With Clean Descriptors texts that are safe by themselves must not name the patient either.
_CLEANED_RULES = {
    "text": Rule("clean identity", "Table E.3.10-1: safe private", "X"),
    "safe": Rule("clean identity", "(0008,0300): nonidentifying", "X"),
}
_LOOKED_INTO = Rule("K", "private Sequence that is looked into (R62)")
# What conditions cannot be laid on: it is not decided element by element.
_UNCONDITIONAL = frozenset({"content items", "content value", "content ordinary", "content reference", "members"})
_SIMPLE = {"remove": "X", "dummy": "D", "map-uid": "U", "shift-date": "shift", "clean": "clean", "empty": "Z"}
_CODE_VALUE, _CODING_SCHEME = 0x00080100, 0x00080102
_MAX_RULES = 4096  # as in ext/dcmveil/_policy.pxd

_Rules = tuple[int, int | None, int]  # of the element, of a Sequence, of a UID
_NumberedRow = tuple[bytes, int, int | None, int, _Rules]


class Privates(NamedTuple):
    """What becomes of private elements. `user` are rows of the user's own, which always go first, `safe` those that an
    object may revise."""

    numbers: Mapping[str, int]
    user: tuple[_NumberedRow, ...]
    safe: tuple[Row, ...]
    sequences: int
    uids: int

    def table(self, rows: Iterable[Row]) -> PrivateTable:
        """With these rows for what is safe."""
        return PrivateTable([*self.user, *map(self._numbered, rows)], sequences=self.sequences if self.safe else None)

    def _numbered(self, row: Row) -> _NumberedRow:
        creator, group, low, vrs, action = row
        rule = self.numbers[action]
        is_safe = action in ("K", "safe", "text")
        of_sequences = self.sequences if vrs is None else None
        return creator, group, low, vrs or 0, (rule, of_sequences, self.uids if is_safe else rule)


class Compiled(NamedTuple):
    """What is the same for all objects. `privates` is None where everything private goes; `removed` are the watched
    tags of the top level that go in any case; `code_value` is the rule of the codes that are in the object, None if
    these cannot be relied on."""

    rules: tuple[Rule, ...]
    table: RuleTable
    privates: Privates | None
    private_table: PrivateTable | None
    removed: frozenset[int] = frozenset()
    code_value: Rule | None = None


class _Here(NamedTuple):
    """What is at a place: the number of a rule, and whether it is an anchor, and watched."""

    rule: int | None = None
    insert: bool = False
    watch: bool = False


def _both(one: _Here, other: _Here) -> _Here:
    rule = one.rule if one.rule is not None else other.rule
    return _Here(rule, one.insert or other.insert, one.watch or other.watch)


class _Compiler:
    """Numbers rules as they come up, and gathers what goes into the tables."""

    def __init__(self, assigned: Iterable[Assignment] = ()) -> None:
        self.numbers = {KEEP: 0}
        self.assigned = list(assigned)
        self.placed: list[Placed[_Here]] = []
        self._exact = {tag: (at, rule) for at, (tag, mask, rule) in enumerate(self.assigned) if mask == EXACT}
        self._patterns = [(tag, mask, at, rule) for at, (tag, mask, rule) in enumerate(self.assigned) if mask != EXACT]

    def number(self, rule: Rule) -> int:
        if len(self.numbers) == _MAX_RULES:
            raise _wrong(f"more than {_MAX_RULES} different rules")
        return self.numbers.setdefault(rule, len(self.numbers))

    def rule_of(self, tag: int, mask: int = EXACT) -> Rule:
        """What the profile has assigned to a tag, or to all tags of a pattern; the last assignment counts."""
        found = [self._exact.get(tag, (-1, KEEP))] if mask == EXACT else [(-1, KEEP)]
        found += [one[2:] for one in self._patterns if tag & one[1] == one[0] and one[1] & mask == one[1]]
        return max(found, key=lambda one: one[0])[1]

    def last_rule_of(self, tag: int) -> Rule:
        """The same, with the user's own rules."""
        rules = (rule for other, mask, rule in reversed(self.assigned) if tag & mask == other)
        return next(rules, KEEP)

    def anchor(self, tag: int, rule: Rule) -> None:
        self.placed.append(Placed((), tag, _Here(self.number(rule), insert=True)))

    def watch(self, path: Iterable[int], tag: int) -> None:
        self.placed.append(Placed(tuple(Step(sequence, None) for sequence in path), tag, _Here(watch=True)))

    # ---- rules of the user's own ----

    def add_user_rules(self, user: RuleSet) -> None:
        for tag, mask, found in user.attributes():
            self.assigned.append((tag, mask, _chosen(found, self.rule_of(tag, mask), _is_sequence(tag))))
        by_place: dict[tuple[tuple[Step, ...], int], list[UserRule]] = {}
        for rule in user.placed:
            by_place.setdefault((rule.selector.path, rule.selector.tag), []).append(rule)
        for (path, tag), rules in by_place.items():
            self.placed.append(
                Placed(path, tag, _Here(self.number(_chosen(rules, self.rule_of(tag), _is_sequence(tag)))))
            )

    def private_rows(self, user: RuleSet) -> Iterator[_NumberedRow]:
        """Rules for private elements, those with conditions before the others."""
        blocks: dict[tuple[str, int, int | None], list[UserRule]] = {}
        for rule in user.private:
            selector = rule.selector
            low = None if selector.is_block else selector.tag & 0xFF
            blocks.setdefault((selector.creator or "", selector.tag >> 16, low), []).append(rule)
        for (creator, group, low), rules in blocks.items():
            chosen = _chosen(rules, SPECIAL["private"], False)
            number, of_sequences = self.number(chosen), self.number(_of_sequences(chosen))
            yield creator.encode("latin-1", "replace"), group, low, 0, (number, of_sequences, number)

    # ---- tables ----

    def table(self, spec: Spec, contents: Contents | None) -> RuleTable:
        types = VALUE_TAGS | ORDINARY_TAGS
        overrides = [(tag, mask, self.number(rule)) for tag, mask, rule in self.assigned]
        special = {kind: self.number(rule) for kind, rule in SPECIAL.items()}
        nodes = [
            [(tag, *(here or _Here()), child) for tag, (here, child) in sorted(node.items())]
            for node in Tree(expanded(self.placed), _both).nodes
        ]
        return RuleTable(
            behaviours=[rule.behaviour for rule in self.numbers],
            overrides=overrides,
            flags=list(flags(spec, self.assigned)),
            places=nodes,
            special=special,
            concepts=contents.names if contents else None,
            value_types=[name.encode("ascii") for name in VALUE_TYPES] if contents else (),
            value_tags={tag: name.encode("ascii") for tag, name in types.items()} if contents else None,
            sets=DEFINED_TERMS,
            reads_all=spec.reversible,  # what is restored has to be readable
        )


def compile_profile(
    spec: Spec, *, contents: Contents | None, user: RuleSet | None = None, settings: Mapping[int, str] | None = None
) -> Compiled:
    """The profile with Options and the rules of the `user`; `settings` are texts of Attributes to be set, by tag.

    Raises RulesError for a rule that cannot be done."""
    compiler = _Compiler(assignments(spec))
    for tag, rule in anchors(spec):
        compiler.anchor(tag, rule)
    for tag, text in (settings or {}).items():
        compiler.anchor(tag, Rule("set", "set by the user", detail=text))
    if spec.options.retain_safe_private:
        for path, tag in WATCHED_PLACES:
            compiler.watch(path, tag)
    if user is not None:
        compiler.add_user_rules(user)
    privates = _privates(compiler, spec, user)
    table = compiler.table(spec, contents)
    private_table = privates.table(privates.safe) if privates else None
    removed = frozenset(tag for tag in spec.watched if compiler.last_rule_of(tag).action == "X")
    return Compiled(tuple(compiler.numbers), table, privates, private_table, removed, _code_value(compiler, user))


def _code_value(compiler: _Compiler, user: RuleSet | None) -> Rule | None:
    """The rule of Code Value (0008,0100), unless rules of the user's own have to do with codes at some place, or the
    Coding Scheme Designator (0008,0102) that belongs to it may go."""
    placed = user is not None and any(rule.selector.tag in (_CODE_VALUE, _CODING_SCHEME) for rule in user.placed)
    is_kept = compiler.last_rule_of(_CODING_SCHEME).action in ("K", "retain")
    return compiler.last_rule_of(_CODE_VALUE) if is_kept and not placed else None


def _privates(compiler: _Compiler, spec: Spec, user: RuleSet | None) -> Privates | None:
    own = tuple(compiler.private_rows(user)) if user is not None else ()
    keeps_uids = spec.options.retain_uids
    safe = tuple(safe_rows(keeps_uids=keeps_uids)) if spec.options.retain_safe_private else ()
    if not own and not safe:
        return None
    rules = _PRIVATE_RULES | (_CLEANED_RULES if spec.options.clean_descriptors else {})
    numbers = {action: compiler.number(rule) for action, rule in rules.items()}
    uids = numbers["K" if keeps_uids else "UID"]
    return Privates(numbers, own, safe, compiler.number(_LOOKED_INTO), uids)


def compile_identity() -> Compiled:
    """Rules that keep everything."""
    special = dict.fromkeys(SPECIAL, 0)
    return Compiled((KEEP,), RuleTable(behaviours=[KEEP.behaviour], special=special), None, None)


# ---- one rule of the user's own ----------------------------------------------------------------------------------


def _is_sequence(tag: int) -> bool:
    return _tables.dictionary_vr(tag) == "SQ"


def _chosen(rules: Sequence[UserRule], profile: Rule, is_sequence: bool) -> Rule:
    """The rule for what the most specific of `rules` is for, if its conditions are met, or else the next."""
    last = rules[-1]
    otherwise = profile if last.conditions else _rule_of(last, profile, is_sequence)
    choices = tuple((rule.conditions, _rule_of(rule, profile, is_sequence)) for rule in rules if rule.conditions)
    if not choices:
        return otherwise
    if otherwise.action in _UNCONDITIONAL:
        raise _wrong(f"{last.where}: with these Options there can be no conditions for this Attribute")
    return Rule("choice", otherwise.reason, detail=(choices, otherwise))


def _of_sequences(rule: Rule) -> Rule:
    """What a rule for a private element comes to if that is a Sequence, which can be kept or emptied, or has to go."""
    if rule.action == "choice":
        choices, otherwise = rule.detail
        known = tuple((conditions, _of_sequences(one)) for conditions, one in choices)
        return rule._replace(detail=(known, _of_sequences(otherwise)))
    return rule if rule.action in ("retain", "Z") else SPECIAL["private"]


def _rule_of(rule: UserRule, profile: Rule, is_sequence: bool) -> Rule:
    """What one rule comes to, whatever its conditions. A Sequence is clean if what is in it is."""
    reason = f"{rule.where}: {rule.action}"
    base = profile.base or (profile.action if profile.action in ACTIONS else "X")
    if rule.action == "keep" or (rule.action == "clean" and is_sequence):
        spite = "" if profile.action == "K" else f", in spite of {profile.reason}"
        return Rule("retain", reason + spite)
    if rule.action in _SIMPLE:
        return Rule(_SIMPLE[rule.action], reason, base)
    return Rule(rule.action, reason, base, rule.value)


def _wrong(what: str) -> Exception:
    from dcmveil.userrules import RulesError  # no module to be loaded by those who have no rules

    return RulesError(what)

"""Policy: what to do with an object, compiled once and shared by all that are processed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn, Protocol, Self

from dcmveil import _tables
from dcmveil._planner import Planner
from dcmveil._private import PrivateTable
from dcmveil.admitting import Terms
from dcmveil.basis import Basis
from dcmveil.compiling import Compiled, compile_identity, compile_profile
from dcmveil.contents import Contents
from dcmveil.deidentifying import DeidentifyingAnswers
from dcmveil.options import Options
from dcmveil.profile import Spec
from dcmveil.report import Method
from dcmveil.rules import Rule
from dcmveil.subjects import PSEUDONYMS, Means
from dcmveil.uids import UidMapper, new_secret

if TYPE_CHECKING:  # loaded when they are needed
    from dcmveil.pseudonyms import Choice
    from dcmveil.userrules import RuleSet, UserRule

__all__ = ["MAX_ORIGINALS", "Limits", "Policy", "Sealer"]

MAX_LIMIT = (1 << 31) - 1
MAX_ORIGINALS = 16 << 20  # bytes
MOST_ORIGINALS = 100 << 20
_DIGEST_DIGITS = 32
_SHORT_TEXT, _LONG_TEXT = 1 << 16, 1 << 20  # bytes of a Value that can be looked at


class Limits(NamedTuple):
    """Bounds on what one object may cost. Reaching one is a LimitExceeded, never a partial output.

    `max_depth` in nested Sequences, `max_edits` in changed elements held at a time (32 bytes of memory each),
    `max_held` in bytes of original and replaced Values held at a time. A Sequence or Item of defined length above
    `hold_limit` bytes is written with undefined length, so that its new length need not be known before its content.
    From `drain_at` edits on, those that depend on nothing that follows are written and forgotten.
    """

    max_depth: int = 1024
    max_edits: int = 2_000_000
    max_held: int = 64 << 20
    hold_limit: int = 1 << 20
    drain_at: int = 1 << 15

    def without_holding(self) -> Limits:
        """The same, but Value Lengths are patched, however long: nothing is made undefined that was not."""
        return self._replace(hold_limit=MAX_LIMIT)

    def check(self) -> None:
        """ValueError if a limit is out of its range."""
        for name, value in self._asdict().items():
            most = 1 << 15 if name == "max_depth" else MAX_LIMIT
            if not 0 <= value <= most:
                raise ValueError(f"{name} must be from 0 to {most}")


class Sealer(Protocol):
    """What encrypts the originals: `dcmveil.cms.Envelope`, which is loaded only by those that make one."""

    def seal(self, plaintext: bytes) -> bytes: ...


class Policy:
    """The Basic Profile of PS3.15 2026d with `options`. Immutable; may be used by several threads.

    `secret`: at least 16 bytes; the same secret maps the same UID to the same new one on any machine, and so dates and
    pseudonyms (None: random, for this Policy only). `root_uid`: root of new UIDs (None: `2.25`).

    `patient_id`, `patient_name`, `accession_number`, `study_id`: "empty", what the Profile makes of it; "keyed", a
    short pseudonym from the secret; or a mapping from old to new. None is "keyed" if there is a secret, else "empty".
    `date_window`: dates are shifted by up to so many days (None: 365). `keep_words` and `drop_words` extend what is
    known when texts are cleaned. `settings`: texts of Attributes to be set, by tag. `rules` go before the profile.

    `existing_encrypted`: what to do with an object that has an Encrypted Attributes Sequence: "refuse" it, "remove" the
    Sequence or "keep" it. `allow_embedded_overlays`: let objects pass that have overlay bits within their Pixel Data,
    which stay.
    `envelope`: what encrypts the originals into an Encrypted Attributes Sequence (0400,0500), for a Re-identifier to
    restore them; None: they are gone. `max_originals`: bytes of originals that one object may have; one with more is
    refused or, with `drop_large_originals`, loses the largest for good.
    `records_pairs`: reports have old and new UIDs and Patient IDs. `verifies`: outputs are searched for what identifies
    before they take their names. `assesses_risks`: reports name what headers cannot settle; `refuses_risks`: objects
    that have any of that are refused.

    Raises ValueError for a short secret, a root that leaves fewer than 96 bits, limits out of range, Options that
    exclude each other, and for an envelope beside "keep": an object has one Encrypted Attributes Sequence. RulesError
    for rules that cannot be done.
    """

    compiled: Compiled
    drop_large_originals: bool
    envelope: Sealer | None
    has_secret: bool
    limits: Limits
    max_originals: int
    means: Means
    options: Options
    terms: Terms | None
    verifies: bool
    _basis: Basis
    _method: Method | None
    _planning: dict[str, Any] | None
    _sealed_size: int

    __slots__ = (
        "_basis",
        "_method",
        "_planning",
        "_sealed_size",
        "compiled",
        "drop_large_originals",
        "envelope",
        "has_secret",
        "limits",
        "max_originals",
        "means",
        "options",
        "terms",
        "verifies",
    )

    def __init__(
        self,
        *,
        options: Options = Options(),  # noqa: B008 - immutable
        secret: bytes | None = None,
        root_uid: str | None = None,
        patient_id: Choice | None = None,
        patient_name: Choice | None = None,
        accession_number: Choice | None = None,
        study_id: Choice | None = None,
        date_window: int | None = None,
        keep_words: Sequence[str] = (),
        drop_words: Sequence[str] = (),
        settings: Mapping[int, str] | None = None,
        rules: Sequence[UserRule] = (),
        existing_encrypted: Literal["refuse", "remove", "keep"] = "refuse",
        allow_embedded_overlays: bool = False,
        envelope: Sealer | None = None,
        max_originals: int = MAX_ORIGINALS,
        drop_large_originals: bool = False,
        records_pairs: bool = False,
        verifies: bool = False,
        assesses_risks: bool = False,
        refuses_risks: bool = False,
        limits: Limits = Limits(),  # noqa: B008 - immutable
        keeps_everything: bool = False,
    ) -> None:
        options.check()
        limits.check()
        _check(existing_encrypted, envelope, max_originals, keeps_everything=keeps_everything)
        default: Choice = "empty" if secret is None else "keyed"
        given = {
            "patient_id": patient_id,
            "patient_name": patient_name,
            "accession_number": accession_number,
            "study_id": study_id,
        }
        choices = {name: default if choice is None else choice for name, choice in given.items()}
        ours = new_secret() if secret is None else bytes(secret)
        user = _rule_set(rules) if rules else None
        cleans = options.clean_descriptors or options.retain_patient_characteristics
        cleans = cleans or (user is not None and any(rule.action == "clean" for rule in user.rules))
        means = Means(
            ours,
            uids=UidMapper(ours, root_uid),
            has_secret=secret is not None,
            contents=Contents(options.columns) if options.clean_structured_content else None,
            date_window=date_window,
            choices=choices,
            keep_words=keep_words,
            drop_words=drop_words,
        )
        means.check()
        watched = frozenset(user.condition_tags) if user is not None else frozenset()
        if assesses_risks or refuses_risks:
            watched |= _watched_for_risks()
        spec = Spec(
            options,
            existing_encrypted,
            reversible=envelope is not None,
            pseudonyms=frozenset(PSEUDONYMS[name] for name, choice in choices.items() if choice != "empty"),
            watched=watched,
            needs_identity=cleans or verifies,
        )
        if keeps_everything:
            compiled = compile_identity()
        else:
            compiled = compile_profile(spec, contents=means.contents, user=user, settings=settings)
        terms = Terms(
            existing_encrypted != "refuse",
            allow_embedded_overlays,
            assesses_risks or refuses_risks,
            refuses_risks,
            records_pairs,
            cleans or verifies or user is not None or options.clean_structured_content,
        )
        values: dict[str, object] = {
            "_basis": Basis(compiled, means, options, None if keeps_everything else terms),
            "_method": None,
            "_planning": None,
            "_sealed_size": 0,
            "compiled": compiled,
            "drop_large_originals": drop_large_originals,
            "envelope": envelope,
            "has_secret": secret is not None,
            "limits": limits,
            "max_originals": max_originals,
            "means": means,
            "options": options,
            "verifies": verifies,
            "terms": None if keeps_everything else terms,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Policy cannot be changed")

    def __repr__(self) -> str:
        chosen = ", ".join(name for name, is_chosen in self.options._asdict().items() if is_chosen)
        return f"Policy(options=({chosen}), terms={self.terms}, ...)"

    @classmethod
    def identity(cls) -> Self:
        """A Policy that keeps everything: the output is the input, byte for byte."""
        return cls(keeps_everything=True)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules by number."""
        return self.compiled.rules

    @property
    def flows(self) -> bool:
        """May objects be written before their end is known? Not if originals, texts or private elements have to be
        seen as a whole first, or the output searched."""
        terms, privates = self.terms or Terms(), self.compiled.privates
        waits = terms.waits or terms.assesses_risks or self.verifies or self.envelope is not None
        return not (waits or (privates is not None and bool(privates.safe)))

    @property
    def changes_all(self) -> bool:
        """Is there no object that would stay as it is?"""
        return self.terms is not None

    def planner(self, private: PrivateTable | None = None, transfer_syntax: str | None = None) -> Planner:
        """A new Planner for one object, with what that says itself of its private elements; with a `transfer_syntax`
        for a Data Set alone that is in this one."""
        private = self.compiled.private_table if private is None else private
        if self._planning is None:
            waits = self.terms is not None and self.terms.waits
            planning = {"capture_limit": _LONG_TEXT if waits else _SHORT_TEXT, "notes_bulk": not self.flows}
            object.__setattr__(self, "_planning", {**planning, **self._limits()._asdict()})
        table, more = self.compiled.table, self._planning or {}
        return Planner(table, private=private, transfer_syntax=transfer_syntax, **more)

    def _limits(self) -> Limits:
        limits = self.limits
        if self.envelope is not None:
            # All originals go into one place, so nothing is written before all is known: no need for undefined lengths.
            held = max(limits.max_held, 3 * self.max_originals)
            limits = limits.without_holding()._replace(max_held=held)
        return limits

    def answers(self, *, file_meta: bool = True) -> DeidentifyingAnswers:
        """What to answer for one object, which gets File Meta Information or not."""
        return DeidentifyingAnswers(self._basis, file_meta=file_meta)

    def sealed_size(self, size: int | None = None) -> int:
        """Bytes of the last Encrypted Attributes Sequence before long bulk: most often the next one has as many."""
        if size is not None:
            object.__setattr__(self, "_sealed_size", size)
        return self._sealed_size

    @property
    def method(self) -> Method:
        """How it is done, for reports."""
        if self._method is None:
            object.__setattr__(self, "_method", _method_of(self))
        return self._method or Method()


def _watched_for_risks() -> frozenset[int]:
    from dcmveil.risks import PRESENCE, WATCHED

    return frozenset((*PRESENCE, *WATCHED))


def _check(existing: str, envelope: Sealer | None, max_originals: int, *, keeps_everything: bool) -> None:
    """ValueError for what does not go together."""
    if existing not in ("refuse", "remove", "keep"):
        raise ValueError("existing_encrypted must be refuse, remove or keep")
    if envelope is not None and (keeps_everything or existing == "keep"):
        raise ValueError("an Encrypted Attributes Sequence cannot be kept beside a new one; one removed is restored")
    if not 0 < max_originals <= MOST_ORIGINALS:
        raise ValueError(f"max_originals must be from 1 to {MOST_ORIGINALS} bytes")


def _method_of(policy: Policy) -> Method:
    """The digest of words, lists and Values of the user's own is keyed: there are names among them, perhaps."""
    import hmac  # OpenSSL is loaded for the UIDs anyway

    chosen = tuple(name for name, is_chosen in policy.options._asdict().items() if is_chosen)
    public, private = policy.means.settings()
    texts = [rule.detail for rule in policy.rules if isinstance(rule.detail, str)]
    said = repr((_tables.edition(), policy.options, public, [rule[:3] for rule in policy.rules]))
    if private or texts:
        said += hmac.digest(policy.means.secret, repr((private, texts)).encode(), "sha256").hex()
    digest = hmac.digest(b"dcmveil/policy", said.encode(), "sha256").hex()
    return Method(chosen, _tables.edition(), digest[:_DIGEST_DIGITS])


def _rule_set(rules: Sequence[UserRule]) -> RuleSet:
    """The user's rules, checked against one another."""
    from dcmveil.userrules import RuleSet  # rarely needed

    return RuleSet(rules)

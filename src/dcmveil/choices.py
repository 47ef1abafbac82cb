"""What a command line says about identity, texts and rules, as a Policy takes it (PS3.15 E.3)."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dcmveil import _tables
from dcmveil.arguments import IDENTIFIERS, OPTIONS, UsageError
from dcmveil.options import Options

if TYPE_CHECKING:
    from dcmveil.pseudonyms import Choice
    from dcmveil.userrules import UserRule

__all__ = ["conformance_of", "keyed_of", "options_of", "profile_of"]

_TRIAL = range(0x00120010, 0x00120088)
_SET_BY_US = frozenset({0x00120062, 0x00120063, 0x00120064})
_SETTING = re.compile(r"([A-Za-z0-9]+)=(.*)", re.DOTALL)


def options_of(options: Namespace) -> Options:
    """The Options of the Basic Profile."""
    return Options(**{name: getattr(options, name) for name in OPTIONS})


def profile_of(options: Namespace) -> dict[str, Any]:
    """What more there is to the profile: arguments of a Policy. Raises UsageError, ResourceError, RulesError."""
    return {
        "options": options_of(options),
        **{name: _choice(getattr(options, name)) for name in IDENTIFIERS},
        "date_window": options.date_window,
        "keep_words": _words(options.keep_words),
        "drop_words": _words(options.drop_words),
        "settings": dict(map(_setting, options.trial)),
        "rules": _rules(options.rules),
        "records_pairs": options.map is not None,
        "verifies": options.verify,
        "assesses_risks": options.report is not None or options.level > 0,
        "refuses_risks": options.refuse_risky,
    }


def keyed_of(options: Namespace) -> list[str]:
    """What was asked for that comes from the secret, as people write it."""
    found = [f"--{name.replace('_', '-')} keyed" for name in IDENTIFIERS if getattr(options, name) == "keyed"]
    return [*found, "--modify-dates"] if options.modify_dates else found


def conformance_of(options: Namespace) -> str:
    """The Conformance Statement (R41) for what was chosen."""
    from dcmveil.conformance import statement

    return statement(options_of(options).columns, settings=dict(_settings(options)))


def _settings(options: Namespace) -> list[tuple[str, str]]:
    """What else was chosen, as a statement tells it; names of files only."""
    from dcmveil.dates import DEFAULT_WINDOW

    default = "empty" if options.secret_file is None else "keyed"
    rows = [(name.replace("_", " "), _told(getattr(options, name) or default)) for name in IDENTIFIERS]
    if options.modify_dates or options.date_window:
        rows.append(("date window", f"{options.date_window or DEFAULT_WINDOW} days"))
    rows.append(("secret", "none: random for each run" if options.secret_file is None else "of the site's own"))
    rows += [
        (name.replace("_", " "), "given") for name in ("keep_words", "drop_words", "rules") if getattr(options, name)
    ]
    rows += [("set", text.partition("=")[0]) for text in options.trial]
    return rows


def _told(choice: str) -> str:
    return choice if choice in ("empty", "keyed") else "by a list of the site's own"


def _choice(text: str | None) -> Choice | None:
    if text is None or text == "empty" or text == "keyed":
        return text  # type: ignore[return-value]
    from dcmveil.pseudonyms import read_pairs

    return read_pairs(text)


def _words(path: str | None) -> Sequence[str]:
    if path is None:
        return ()
    from dcmveil.cleaning import read_words

    return read_words(path)


def _rules(path: str | None) -> Sequence[UserRule]:
    if path is None:
        return ()
    from dcmveil.rulesfile import load_rules

    return load_rules(path)


def _setting(text: str) -> tuple[int, str]:
    """A Clinical Trial Attribute and its Value. What is wrong is told without the Value."""
    match = _SETTING.fullmatch(text)
    tag = _tables.find_tag(match[1]) if match else None
    if match is None or tag is None:
        raise UsageError("--trial wants KEYWORD=VALUE with the keyword of a Clinical Trial Attribute (0012,xxxx)")
    vr = _tables.dictionary_vr(tag) or "LO"
    if tag not in _TRIAL or tag in _SET_BY_US or vr == "SQ":
        raise UsageError(f"--trial {match[1]}: is no Clinical Trial Attribute (0012,xxxx) that can be set")
    from dcmveil.encode import Encoding
    from dcmveil.values import ValueProblem, encode_value

    try:
        encode_value(tag, vr, match[2], character_set=b"ISO_IR 192", encoding=Encoding.EXPLICIT_LE)
    except ValueProblem as problem:
        raise UsageError(f"--trial {match[1]}: {problem}") from None
    return tag, match[2]

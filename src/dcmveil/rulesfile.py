"""A file of rules of the user's own (--rules): TOML, a table [[rule]] for each.

What is wrong is told with the line it stands in. Python's reader of TOML tells no lines of what it has read, so they
are found in the text, which by then is known to be TOML.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from functools import partial

from dcmveil.descriptors import opening, read_most
from dcmveil.errors import show_path
from dcmveil.selection import quoted
from dcmveil.userrules import RulesError, UserRule, parse_rules

__all__ = ["load_rules"]

_MAX_BYTES = 1 << 20
_RULE = "rule"
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_PLACE_IN_MESSAGE = re.compile(r" \(at (?:line ([0-9]+), column [0-9]+|end of document)\)\Z")

# Strings and comments, which can hold anything, before what matters outside of them.
_PIECES = re.compile(
    r"""
    \"{3} (?:[^\\] | \\.)*? \"{3,5}  |  '{3} .*? '{3,5}
  | \" (?:[^\\"] | \\.)* \"  |  ' [^']* '
  | \# [^\n]*
  | [\[{]  |  [\]}]  |  \n
    """,
    re.VERBOSE | re.DOTALL,
)
_KEY = r"""(?: [A-Za-z0-9_-]+ | "[^"\n]*" | '[^'\n]*' )"""
_HEAD = re.compile(rf"\s* (\[{{0,2}}) \s* ({_KEY} (?: \s*\.\s* {_KEY} )*)", re.VERBOSE)
_KEYS = re.compile(_KEY, re.VERBOSE)

_Place = tuple[str | int, ...]  # keys and, behind "rule", the number of the rule


def load_rules(path: str | os.PathLike[str]) -> tuple[UserRule, ...]:
    """The rules of a file, in its order. RulesError, one line that names file and line, if it cannot be used."""
    name = show_path(os.path.basename(os.fspath(path)))
    text = _read(path)
    document = _parsed(text, name)
    locate = partial(_locate, name, _lines(text))
    for key in document:
        if key != _RULE:
            raise RulesError(f"{locate((key,))}: unknown key {quoted(key)}: rules begin with [[rule]]")
    rules = document.get(_RULE)
    if not isinstance(rules, list) or not rules:
        raise RulesError(f"{locate((_RULE,))}: no rules: each begins with [[rule]]")
    return parse_rules(rules, lambda number, keys: locate((_RULE, number, *keys)))


def _read(path: str | os.PathLike[str]) -> str:
    """The text of a regular file, with LF at the ends of its lines."""
    try:
        data = _content(path)
    except OSError as error:
        raise RulesError(f"{show_path(path)}: rules cannot be read: {error.strerror}") from None
    except ValueError:
        raise RulesError(f"{show_path(path)}: rules cannot be read: there can be no such path") from None
    if data is None:
        raise RulesError(f"{show_path(path)}: is not a regular file")
    if len(data) > _MAX_BYTES:
        raise RulesError(f"{show_path(path)}: rules of more than {_MAX_BYTES >> 20} MiB")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RulesError(f"{show_path(path)}:{line}: is not UTF-8") from None


def _content(path: str | os.PathLike[str]) -> bytes | None:
    """As much as matters of a regular file; None for anything else."""
    with opening(path, _READ) as fd:  # non-blocking: a FIFO would keep us waiting
        return read_most(fd, _MAX_BYTES + 1) if stat.S_ISREG(os.fstat(fd).st_mode) else None


def _parsed(text: str, name: str) -> Mapping[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _PLACE_IN_MESSAGE.search(str(error))
        line = found[1] if found and found[1] else text.count("\n") + 1
        raise RulesError(f"{name}:{line}: not TOML: {_PLACE_IN_MESSAGE.sub('', str(error))}") from None
    except (RecursionError, ValueError):  # tables in tables, or a number of thousands of digits
        raise RulesError(f"{name}: not TOML that can be used: nested too deep, or a number too long") from None


# ---- lines -------------------------------------------------------------------------------------------------------


def _locate(name: str, lines: Mapping[_Place, int], place: _Place) -> str:
    """File and line of a place, or of the next around it that has a line of its own."""
    while place and place not in lines:
        place = place[:-1]
    return f"{name}:{lines.get(place, 1)}"


def _lines(text: str) -> dict[_Place, int]:
    """The lines of all keys and headers outside of inline tables."""
    lines: dict[_Place, int] = {}
    table: _Place = ()
    rules = 0
    for line, statement in _statements(text):
        head = _HEAD.match(statement)
        if head is None:
            continue
        keys: _Place = tuple(key.strip("\"'") for key in _KEYS.findall(head[2]))
        if head[1]:
            rules += keys == (_RULE,)
            table = keys = (_RULE, rules, *keys[1:]) if keys[0] == _RULE else keys
            lines.setdefault(keys, line)
        else:
            for depth in range(1, len(keys) + 1):  # a.b = ... is the first line of a as well
                lines.setdefault((*table, *keys[:depth]), line)
    return lines


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each statement with the number of its first line: they end where a line does outside of strings and brackets."""
    line, start, depth = 1, 0, 0
    for piece in _PIECES.finditer(text + "\n"):
        depth += (piece[0] in ("[", "{")) - (piece[0] in ("]", "}"))
        if piece[0] == "\n" and not depth:
            yield line, text[start : piece.start()]
            line += text.count("\n", start, piece.end())
            start = piece.end()

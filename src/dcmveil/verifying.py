"""The proof: a file that was written is searched for every Value that identified in its input.

All bytes of the output are looked at but Pixel Data and its like (7FE0,xxxx), ciphertext (0400,0520), and Values of
binary VRs over 64 KiB. This happens twice. First the bytes are searched as they come, in windows, for all forms of all
Values (`dcmveil.needles`); the elements around are only followed to know what to pass over. In an ordinary file nothing
is found, and that was it. What is found may have been found by chance: across two elements, within a longer word, in a
Value of our own. So for those forms alone the file is gone through once more, Value by Value.

Anything that is not as this package writes it is an error: what cannot be read has not been verified.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from dcmveil import _tables, provenance
from dcmveil.dummies import DUMMY_UID, dummy_value
from dcmveil.encode import Encoding
from dcmveil.needles import Needle, needles_of, stands_alone
from dcmveil.sources import Source
from dcmveil.walking import Path, Piece, Walk

__all__ = ["Finding", "Verifier"]

_PADDING = b" \0"
_START = 4  # bytes: no form is shorter


class Finding(NamedTuple):
    """An original that is still there: the tag it had in the input, and the path where it is in the output."""

    original: int
    place: str


class Verifier:
    """Looks for the `values` of one object: tag, VR and bytes of each.

    `character_sets`: the Values of (0008,0005) in the object, in Items too. `allowed`: Values that may be in the output
    although they equal an original or have one in them, such as shifted dates and what an Option retains; a Value, or
    one of several in an element, has to be the same as a whole.
    """

    __slots__ = ("_allowed", "_needles")

    def __init__(
        self,
        values: Iterable[tuple[int, str, bytes]],
        character_sets: Iterable[bytes | None],
        *,
        allowed: Iterable[bytes] = (),
    ) -> None:
        needles = needles_of(values, character_sets)
        self._needles = {form: needle for form, needle in needles.items() if form not in _never_sought()}
        self._allowed = frozenset(value.strip(_PADDING).lower() for value in allowed)

    def __repr__(self) -> str:
        return "Verifier(...)"

    def check(self, source: Source) -> Finding | None:
        """The first original found in a whole file, None if there is none.

        Raises ParseError and InputError if the file cannot be read to its end.
        """
        suspects = self._suspects(source)
        return self._find(source, {form: self._needles[form] for form in suspects}) if suspects else None

    def _suspects(self, source: Source) -> set[bytes]:
        """The forms that are found anywhere."""
        suspects: set[bytes] = set()

        def search(piece: bytes) -> None:
            lowered = piece.lower()
            for start, forms in by_start.items():
                if start in lowered:
                    suspects.update(form for form in forms if form in lowered)

        by_start = _by_start(self._needles)
        if by_start:
            Walk(source).pass_over_all(search)
        return suspects

    def _find(self, source: Source, needles: dict[bytes, Needle]) -> Finding | None:
        """The first form that counts where it is."""
        walk, path = Walk(source), Path()
        for token in walk.tokens():
            path.follow(token)
            if not token.is_text:
                continue
            for piece in walk.pieces(token.length):
                original = self._found(piece, needles)
                if original is not None:
                    return Finding(original, path.of(token.tag))
        return None

    def _found(self, piece: Piece, needles: dict[bytes, Needle]) -> int | None:
        data = piece.data.lower()
        for form, needle in needles.items():
            at = data.find(form)
            while at >= 0:
                stop = at + len(form)
                counts = piece.has_whole(at, stop) and stands_alone(data, at, stop, needle.guard)
                if counts and not self._is_allowed(piece, data, at, stop):
                    return needle.original
                at = data.find(form, at + 1)
        return None

    def _is_allowed(self, piece: Piece, data: bytes, start: int, stop: int) -> bool:
        first = data.rfind(b"\\", 0, start) + 1
        last = data.find(b"\\", stop)
        value = data[first : last if last >= 0 else None].strip(_PADDING)
        return (
            _is_own(value)
            or value in self._allowed
            or (piece.is_first and piece.is_last and data.strip(_PADDING) in self._allowed)
        )


def _by_start(forms: Iterable[bytes]) -> dict[bytes, list[bytes]]:
    """The forms by how they begin: those of one Value, UIDs and dates mostly begin alike, so less is searched for."""
    found: dict[bytes, list[bytes]] = {}
    for form in forms:
        found.setdefault(form[:_START], []).append(form)
    return found


# ---- Values of our own ---------------------------------------------------------------------------------------------

_TEXT_VRS = ("LO", "DA", "DT", "UR")


@lru_cache(1)
def _never_sought() -> frozenset[bytes]:
    """Dummies: who has such a Value is not known by it."""
    dummies = [dummy_value(0, vr, Encoding.EXPLICIT_LE).strip(_PADDING) for vr in _TEXT_VRS]
    return frozenset(value.lower() for value in [*dummies, DUMMY_UID, b"dcmveil"])


@lru_cache(1)
def _own_values() -> frozenset[bytes]:
    """Whatever this package writes that does not come from an input."""
    codes = [text.encode("ascii") for value, meaning, _column in _tables.codes() for text in (value, meaning)]
    sequences = filter(None, [_tables.dummy_item(tag) for tag, *_rest in _tables.confidentiality()])
    texts = [text.encode("ascii") for rows in sequences for _path, _vr, text in rows]
    own = [provenance.method(), provenance.IMPLEMENTATION_CLASS_UID, provenance.IMPLEMENTATION_VERSION_NAME]
    return _never_sought() | frozenset(value.lower() for value in [*codes, *texts, *own, provenance.SCHEME])


def _is_own(value: bytes) -> bool:
    return value in _own_values() or _tables.is_well_known_uid(value)

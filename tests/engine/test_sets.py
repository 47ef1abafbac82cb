"""Specific Character Sets of Items (PS3.5 6.1.2.3): texts are cleaned and written in the set that holds for them."""

from __future__ import annotations

from functools import cache

import pytest

from dcmveil import Policy
from dcmveil.errors import LimitExceeded
from dcmveil.options import Options
from tests.engine.support import SECRET, execute, pieces, rewritten, segments
from tests.hostile.forms import EXPLICIT, PLAIN_FORMS, Form

E = EXPLICIT
SET, MEANING, SEQUENCE = 0x00080005, 0x00080104, 0x00082218  # a Sequence that the Profile keeps
LATIN, CYRILLIC, GREEK, UTF8, JAPANESE = b"ISO_IR 100", b"ISO_IR 144", b"ISO_IR 126", b"ISO_IR 192", b"\\ISO 2022 IR 87"
NAME = "Müller^Jürgen"


@cache
def policy() -> Policy:
    return Policy(secret=SECRET, options=Options(clean_descriptors=True))


def characters(name: bytes, form: Form = E) -> bytes:
    return form.element(SET, "CS", name)


def meaning(text: bytes, form: Form = E) -> bytes:
    return form.element(MEANING, "LO", text)


def patient(name: str = NAME, encoding: str = "latin-1", form: Form = E) -> bytes:
    return form.element(0x00100010, "PN", name.encode(encoding))


def output(before: bytes, *items: bytes, name: bytes | None = None, form: Form = E) -> bytes:
    """The output of a Data Set in `before`'s set that has these Items; the same in whatever pieces it comes."""
    content = characters(before, form) + form.common() + form.sequence(SEQUENCE, *items)
    data = form.file(content + (patient(form=form) if name is None else form.element(0x00100010, "PN", name)))
    written = rewritten(data, policy())
    assert execute(data, segments(pieces(data, range(1, len(data))), policy())) == written
    return written


@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
def test_a_text_is_cleaned_and_written_in_the_set_of_its_item(form: Form) -> None:
    """R50: the name is found whatever set it is written in, and what is left stays in that."""
    for name, codec in ((LATIN, "latin-1"), (UTF8, "utf-8"), (b"GB18030", "gb18030")):
        own = characters(name, form)
        before, after = (meaning(f"Für {who}Größe".encode(codec), form) for who in ("Müller ", ""))
        written = output(LATIN, form.item(own + before), form=form)
        assert form.sequence(SEQUENCE, form.item(own + after)) in written


def test_deeper_items_inherit_it_and_siblings_do_not() -> None:
    """PS3.5 6.1.2.3: it holds for the Item and what is nested in it, unless that has its own."""
    latin, utf8 = "Für Müller Größe".encode("latin-1"), "Für Müller Größe".encode()
    clean_latin, clean_utf8 = "Für Größe".encode("latin-1"), "Für Größe".encode()

    def nested(inner: bytes, other: bytes, own: bytes) -> bytes:
        back = E.sequence(SEQUENCE, E.item(characters(LATIN) + meaning(other)), E.item(meaning(inner)))
        return E.item(
            characters(UTF8) + meaning(inner) + E.sequence(SEQUENCE, E.item(back), E.item(meaning(inner)))
        ) + (E.item(meaning(own)) + E.item(characters(UTF8) + meaning(inner)) + E.item(meaning(own)))

    written = output(LATIN, nested(utf8, latin, latin))
    assert E.sequence(SEQUENCE, nested(clean_utf8, clean_latin, clean_latin)) in written


def test_a_set_of_undefined_length_items() -> None:
    own = characters(UTF8)
    items = (
        E.open_item(own + meaning("Für Müller Größe".encode())),
        E.open_item(meaning("Müller Größe".encode("latin-1"))),
    )
    written = output(LATIN, *items)
    clean = E.open_item(own + meaning("Für Größe".encode())) + E.open_item(meaning("Größe".encode("latin-1")))
    assert clean in written


def test_code_extensions() -> None:
    """ISO 2022: escape sequences are gone with what they stand before, and those that stay are whole."""
    name = "Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B".encode("latin-1")
    text = b"\x1b$B;3ED\x1b(B \x1b$BF,It\x1b(B"  # the family name, and "head"
    own = characters(JAPANESE)
    written = output(b"\\ISO 2022 IR 87", E.item(meaning(text)), E.item(own + meaning(text)), name=name)
    assert b";3ED" not in written
    assert written.count(b"\x1b$BF,It\x1b(B") == 2
    written = output(
        LATIN, E.item(own + meaning(text)), E.item(characters(UTF8) + meaning("山田 頭部".encode())), name=b"Yamada"
    )
    assert b"\x1b$BF,It\x1b(B" in written


def test_a_text_that_is_none_in_its_set_is_not_kept() -> None:
    """Fail closed: what cannot be read cannot be cleaned."""
    bad = "Größe".encode("latin-1")
    for own in (b"", characters(UTF8), characters(b"ISO_IR 6"), characters(b"NO SUCH SET "), characters(JAPANESE)):
        before = UTF8 if not own else LATIN
        name = NAME.encode("utf-8" if not own else "latin-1")
        assert bad not in output(before, E.item(own + meaning(bad)), name=name)
    assert bad in output(LATIN, E.item(meaning(bad)))


def late_items() -> dict[str, bytes]:
    """Items in which it is not clear what set holds for the text MÜLLER, which is in UTF-8."""
    text, own = meaning("Müller".encode()), characters(UTF8)
    private = E.sequence(0x00091001, E.item(text))
    return {
        "behind the text": E.item(text + own),
        "behind a Sequence": E.item(E.sequence(0x00082112, E.item(text)) + own),
        "behind a Sequence of undefined length": E.item(E.sequence(0x00082112, E.item(text), open_end=True) + own),
        "behind a Sequence and before a text": E.item(E.sequence(0x00082112, E.item(text), open_end=True) + own + text),
        "twice": E.item(characters(LATIN) + own + text),
        "twice, the other way round": E.item(own + characters(LATIN) + text),
        "too long": E.item(characters(UTF8 + b"\\ISO 2022 IR 6" * 30) + text),
        "behind a private element": E.item(private + text + own),
    }


@pytest.mark.parametrize("kind", late_items())
def test_where_it_is_not_clear_what_set_holds_nothing_is_kept_that_is_not_ascii(kind: str) -> None:
    """Fail closed: read in the wrong set a name is not found. The texts of the root are in no doubt."""
    item = late_items()[kind]
    written = output(LATIN, item, E.item(meaning(b"Right lobe")))
    assert "Müller".encode() not in written
    assert b"Right lobe" in written
    data = E.file(
        characters(LATIN)
        + E.common()
        + E.element(0x00081030, "LO", "Größe".encode("latin-1"))
        + E.sequence(SEQUENCE, item)
    )
    assert "Größe".encode("latin-1") in rewritten(data, policy())


def test_a_set_of_another_vr_is_none() -> None:
    """It goes, and the Item is read as if it had none."""
    item = E.item(E.element(SET, "LO", UTF8) + meaning("Für Müller Größe".encode("latin-1")))
    assert E.sequence(SEQUENCE, E.item(meaning("Für Größe".encode("latin-1")))) in output(LATIN, item)


def test_names_in_items_are_read_in_their_set() -> None:
    """What identifies is looked for as text: a name of an Item in Cyrillic is found in a text in UTF-8."""
    name = E.item(characters(CYRILLIC) + E.element(0x00081070, "PN", "Иванова^Анна".encode("iso8859-5")))
    text = E.item(characters(UTF8) + meaning("Иванова печень".encode()))
    written = output(LATIN, name, text)
    assert "Иванова".encode() not in written
    assert "печень".encode() in written


def test_many_sets_are_a_limit() -> None:
    """255 different ones are more than any object has."""

    def items(count: int) -> list[bytes]:
        return [E.item(characters(b"SET %03d" % number) + meaning(b"Liver")) for number in range(count)]

    assert output(LATIN, *items(255)).count(b"Liver") == 255
    with pytest.raises(LimitExceeded):
        output(LATIN, *items(300))
    same = E.item(characters(UTF8) + meaning(b"Liver"))
    assert output(LATIN, *[same] * 1000).count(b"Liver") == 1000


def test_an_empty_set_is_the_default_repertoire() -> None:
    """PS3.5 6.1.2.3: with no Value it is ISO-IR 6, not what holds around the Item."""
    bad = "Größe".encode("latin-1")
    assert bad not in output(LATIN, E.item(characters(b"") + meaning(bad)))
    assert b"Right lobe" in output(LATIN, E.item(characters(b"") + meaning(b"Right lobe")))
    assert GREEK not in output(LATIN, E.item(characters(LATIN) + meaning(b"Right lobe")))

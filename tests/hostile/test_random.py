"""Random and mutated bytes: nothing but errors of ours comes out, whatever pieces the bytes come in."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dcmveil import Policy, deidentify_file
from dcmveil.errors import DcmveilError
from dcmveil.resolver import Resolver
from tests.hostile.forms import BIG, DEFLATED, EXPLICIT, FORMS, IMPLICIT, PLAIN_FORMS
from tests.hostile.malformed import ANYWHERE, AT_TOP
from tests.hostile.test_truncated import elements
from tests.reference.files import samples

POLICY = Policy(secret=b"a secret of sixteen bytes or more", existing_encrypted="keep")
HEAD = EXPLICIT.head()
EXAMPLES = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))


@cache
def seeds() -> list[bytes]:
    """Whole objects to be mutated: our own in each form, and the smallest of the real files."""
    own = [form.file(b"".join(elements(form)))[:4000] for form in FORMS]
    broken = [form.file(form.common() + make(form).data) for form in PLAIN_FORMS for make in (*ANYWHERE, *AT_TOP)]
    real = sorted((sample.path for sample in samples()), key=lambda path: path.stat().st_size)
    return [*own, *broken, *(path.read_bytes() for path in real[:40])]


# What makes a difference where it happens to land: lengths, delimiters, VRs, tags.
WORDS = [
    b"\xff\xff\xff\xff",
    b"\xff\xff",
    b"\0\0\0\0",
    b"\0\0",
    b"\xfe\xff\xff\xff",
    b"\xfe\xff\x00\xe0",
    b"\xfe\xff\x0d\xe0\0\0\0\0",
    b"\xfe\xff\xdd\xe0\0\0\0\0",
    b"\xff\xfe\xe0\x00",
    b"\xff\xfe\xe0\x0d\0\0\0\0",
    b"SQ\0\0\xff\xff\xff\xff",
    b"UN\0\0\xff\xff\xff\xff",
    b"\x09\x00\x01\x10",
    b"\x00\x04\x00\x05",
    b"\x02\x00\x10\x00",
    b"\xe0\x7f\x10\x00",
    b"\x12\x00\x64\x00",
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(seeds())))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        what = draw(st.sampled_from(["byte", "word", "cut", "insert", "remove", "repeat"]))
        if what == "byte":
            data[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
        elif what == "word":
            word = draw(st.sampled_from(WORDS))
            data[at : at + len(word)] = word
        elif what == "cut":
            del data[at:]
        elif what == "insert":
            data[at:at] = draw(st.sampled_from(WORDS) | st.binary(max_size=12))
        else:
            stop = at + draw(st.integers(1, 40))
            data[at:stop] = b"" if what == "remove" else data[at:stop] * 2
    return bytes(data)


@st.composite
def noise(draw: st.DrawFn) -> bytes:
    """Random bytes, behind a head that makes them a Data Set or not."""
    heads = [b"", HEAD, IMPLICIT.head(), BIG.head(), DEFLATED.head(), HEAD + EXPLICIT.common(), bytes(128) + b"DICM"]
    body = st.lists(st.sampled_from(WORDS) | st.binary(max_size=20), max_size=30).map(b"".join)
    return draw(st.sampled_from(heads)) + draw(body)


def written(data: bytes) -> bytes | str:
    """The output, or the error."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in"), Path(folder, "out")
        source.write_bytes(data)
        try:
            deidentify_file(source, target, POLICY)
        except DcmveilError as error:
            assert not target.exists()
            assert "\n" not in str(error)
            return str(error)
        return target.read_bytes()


@EXAMPLES
@given(noise())
def test_random_bytes_end_in_an_output_or_an_error_of_ours(data: bytes) -> None:
    written(data)


@EXAMPLES
@given(mutated())
def test_mutated_objects_end_in_an_output_or_an_error_of_ours(data: bytes) -> None:
    written(data)


@EXAMPLES
@given(mutated())
def test_an_output_can_be_read_and_needs_nothing_more(data: bytes) -> None:
    """R1: what has been de-identified once stays as it is, but for UIDs and what says who did it."""
    once = written(data)
    if isinstance(once, str):
        return
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "in")
        source.write_bytes(once)
        report = deidentify_file(source, Path(folder, "out"), POLICY)
    removed = [reason for (reason, decision) in report.counts if decision == "remove"]
    assert removed == []


def fed(data: bytes, size: int) -> object:
    """What a Planner makes of pieces of `size` bytes: its segments, or its error."""
    planner = POLICY.planner()
    try:
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            while piece and not (planner.deflated and planner.dataset_start):
                piece = piece[planner.feed(piece) :]
        if not planner.deflated:
            planner.finish()
            Resolver(planner, POLICY.answers()).answer()
        return planner.transfer_syntax, planner.position, planner.plan.segments() if not planner.deflated else []
    except DcmveilError as error:
        return type(error), str(error)


@EXAMPLES
@given(mutated() | noise(), st.integers(1, 9))
def test_small_pieces_end_as_the_whole_does(data: bytes, size: int) -> None:
    assert fed(data, size) == fed(data, max(1, len(data)))


@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
def test_every_malformed_object_byte_by_byte(form) -> None:
    for make in (*ANYWHERE, *AT_TOP):
        data = form.file(form.common() + make(form).data)
        assert fed(data, 1) == fed(data, len(data)), make.__name__


def test_malformed_real_files_end_in_an_output_or_an_error_of_ours(corpus: Path | None) -> None:
    """Those of the corpus that are known to be malformed; without it there is none."""
    for path in sorted(corpus.rglob("malformed/**/*")) if corpus else []:
        if path.is_file():
            written(path.read_bytes()[: 4 << 20])


@pytest.mark.slow
def test_every_byte_of_our_objects_replaced() -> None:
    """Each byte of a small object in each form by eight others."""
    for form in FORMS:
        data = form.file(b"".join(elements(form)))[:1100]
        for at in range(128, len(data)):
            for byte in (0, 1, 0x20, 0x41, 0x55, 0x7F, 0xFE, 0xFF):
                with suppress(DcmveilError):
                    planner = POLICY.planner()
                    planner.feed(data[:at] + bytes([byte]) + data[at + 1 :])
                    planner.finish()

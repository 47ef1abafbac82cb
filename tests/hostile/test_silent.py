"""No Value in any message: not on stdout or stderr, not in a report, an exception, its chain, a traceback or a repr.

Every field of these objects that could be echoed holds a marker, also those of headers that go wrong.
"""

from __future__ import annotations

import itertools
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcmveil import Policy, cli, deidentify_file, plan_file
from dcmveil.errors import DcmveilError
from dcmveil.resolver import Resolver
from tests.hostile.channels import CHANNELS, OUTSIDE, TAILS, TOP_CHANNELS
from tests.hostile.forms import BIG, EXPLICIT, FORMS, IMPLICIT, PLAIN_FORMS, Form, meta_element
from tests.hostile.malformed import ANYWHERE, AT_TOP, IN_DEFINED, MARK, WRAPPERS, in_defined
from tests.hostile.test_leaks import row, rows

MARKERS = ("VEILME", "19480317", "071342", "a secret nobody")
SECRET = b"a secret nobody may see"
META = (0x00020013, "SH"), (0x00020016, "AE"), (0x00020017, "AE"), (0x00020018, "AE"), (0x00020102, "OB")


def has_no_marker(text: str) -> bool:
    """Neither as text, nor as bytes in hexadecimal or as a list of numbers."""
    spellings = [*MARKERS, *(marker.encode().hex() for marker in MARKERS), "86, 69, 73, 76"]
    return not any(spelling in text for spelling in spellings)


def laden(form: Form) -> bytes:
    """Well-formed, with the marker in everything that is a Value, and in VRs where there are any."""
    parts = [form.common(), *(row(form, tag) for tag in sorted(rows()) if tag >> 16 != 0x0004)]
    parts += [form.element(0x00280010, vr, MARK) for vr in (b"VE", b"ve", b"V\0")]
    parts += [form.element(tag, "LO", MARK) for tag in (0x56454948, 0x00100011, 0x00081111, 0x00091001)]
    preamble = MARK * 12
    return form.file(b"".join(parts), preamble=preamble, more=[meta_element(tag, vr, MARK) for tag, vr in META])


def objects() -> Iterator[tuple[str, bytes]]:
    """Every object of these tests that has a marker."""
    for form in FORMS:
        yield f"laden-{form.name}", laden(form)
        for name, channel in {**CHANNELS, **TOP_CHANNELS}.items():
            yield f"{name}-{form.name}", form.file(form.common() + channel(form))
    for form, (where, wrap) in itertools.product(PLAIN_FORMS, WRAPPERS.items()):
        for make in (*ANYWHERE, *AT_TOP):
            yield f"{make.__name__}-{form.name}-{where}", form.file(form.common() + wrap(form, make(form)).data)
    for form, make in itertools.product(PLAIN_FORMS, IN_DEFINED):
        yield f"end-of-item-{form.name}", form.file(form.common() + in_defined(form, make(form)).data)
    yield from OUTSIDE.items()
    yield from ((f"tail-{name}", EXPLICIT.file(EXPLICIT.common()) + tail) for name, tail in TAILS.items())
    yield from own_fields()


def own_fields() -> Iterator[tuple[str, bytes]]:
    """Fields that the program itself looks at, and might quote."""
    for syntax in ("VEILME0001", "1.2.840.10008.VEILME0001", "2.999.19480317", "VEILME" * 20):
        yield f"transfer syntax {syntax[:20]}", EXPLICIT.file(EXPLICIT.common(), syntax=syntax)
    for sop_class in ("VEILME0001", "2.999.19480317"):
        yield f"SOP Class {sop_class}", EXPLICIT.file(EXPLICIT.element(0x00080016, "UI", sop_class))
    yield "text", MARK * 100
    yield "text as Implicit VR", IMPLICIT.file(b"VEILME0001 and more of it" * 10)
    yield "text as Explicit VR", EXPLICIT.file(b"VEILME0001 and more of it" * 10)
    yield "text as Big Endian", BIG.file(b"VEILME0001 and more of it" * 10)
    yield "text as File Meta Information", bytes(128) + b"DICM\2\0VEILME0001VEILME0001VEILME0001"
    yield "preamble only", MARK * 12 + bytes(8) + b"DICM"


OBJECTS = list(objects())


def run(arguments: list[object], capfd: pytest.CaptureFixture[str]) -> str:
    """All that a command line has to say."""
    cli.run([str(argument) for argument in arguments])
    out, err = capfd.readouterr()
    return out + err


def test_no_value_on_the_command_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """R1: at the highest level of detail, for every object that can be read and every one that cannot."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number, (_name, data) in enumerate(OBJECTS):
        (folder / f"{number:04}").write_bytes(data)
    (tmp_path / "secret").write_bytes(SECRET)
    (tmp_path / "secret").chmod(0o644)
    options = ["-r", "-D", "--secret-file", tmp_path / "secret", "--report", tmp_path / "report"]
    for dry in ([], ["--dry-run"]):
        said = run([*options, *dry, folder, tmp_path / "out"], capfd)
        report = (tmp_path / "report").read_text()
        assert report.count("\n") == len(OBJECTS)
        culprits = [line for line in (said + report).splitlines() if not has_no_marker(line)]
        assert culprits == [], culprits[:3]


@pytest.mark.parametrize("existing", ["refuse", "remove", "keep"])
def test_no_value_in_exceptions_and_what_they_come_with(existing, tmp_path: Path) -> None:
    """The chain of causes and contexts as well, and the text of the traceback."""
    policy = Policy(secret=SECRET, existing_encrypted=existing, allow_embedded_overlays=existing == "keep")
    path = tmp_path / "in"
    for name, data in OBJECTS:
        path.write_bytes(data)
        try:
            report = deidentify_file(path, tmp_path / "out", policy)
        except DcmveilError as error:
            assert has_no_marker("".join(traceback.format_exception(error))), name
            assert all(has_no_marker(text) for text in chain(error)), name
        else:
            assert has_no_marker(repr(report) + str(report.as_dict())), name
            assert has_no_marker(repr(plan_file(path, policy))), name


def chain(error: BaseException) -> Iterator[str]:
    """What an error and those behind it say, and what they hold."""
    seen: list[BaseException] = []
    todo: list[BaseException | None] = [error]
    while todo:
        current = todo.pop()
        if current is None or current in seen:
            continue
        seen.append(current)
        yield from (str(current), repr(current), repr(vars(current)), repr(current.args))
        todo += [current.__cause__, current.__context__]


def test_no_value_in_what_objects_say_of_themselves() -> None:
    """repr and str of everything that a caller gets into his hands, whatever state it is in."""
    policy = Policy(secret=SECRET)
    planner = policy.planner()
    resolver = Resolver(planner, policy.answers())
    data = laden(EXPLICIT)
    things: list[object] = [
        policy,
        policy.means,
        policy.compiled.table,
        policy.limits,
        *policy.rules,
        planner,
        resolver,
    ]
    for start in range(0, len(data), 1000):
        piece = data[start : start + 1000]
        while piece:
            piece = piece[planner.feed(piece) :]
        assert has_no_marker(repr(planner) + str(planner.plan))
    planner.finish()
    resolver.answer()
    for thing in (*things, planner.plan, planner.transfer_syntax):
        assert has_no_marker(repr(thing) + str(thing) + format(thing))


@pytest.mark.parametrize(
    "sop_class", ["VEILME0001", "2.999.19480317", "1.2.840.10008.VEILME0001", "1.2.840.10008.5.19480317"]
)
def test_a_sop_class_is_told_of_only_if_it_is_one_of_the_standard(sop_class: str, tmp_path: Path) -> None:
    """To begin as those of the Standard do is not enough."""
    path = tmp_path / "in"
    path.write_bytes(EXPLICIT.file(EXPLICIT.element(0x00080016, "UI", sop_class)))
    for report in (plan_file(path, Policy()), deidentify_file(path, tmp_path / "out", Policy())):
        assert has_no_marker(repr(report) + str(report.as_dict()))


def test_the_secret_is_not_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A secret that is too short is not quoted either."""
    (tmp_path / "secret").write_bytes(b"VEILME0001")
    assert has_no_marker(run(["--secret-file", tmp_path / "secret", "--dry-run", tmp_path / "in"], capfd))
    with pytest.raises(ValueError, match="16 bytes") as error:
        Policy(secret=b"VEILME0001")
    assert all(has_no_marker(text) for text in chain(error.value))


def test_an_internal_error_is_one_line_without_its_text(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text of an exception that is not ours may hold anything: its kind and place have to do."""

    def broken(*_arguments: object, **_more: object) -> None:
        raise ValueError("VEILME0001")

    monkeypatch.setattr("dcmveil.tasks.deidentify_file", broken)
    said = run([tmp_path / "in", tmp_path / "out"], capfd)
    assert has_no_marker(said)
    assert said.count("\n") == 1
    assert "ValueError at test_silent.py:" in said

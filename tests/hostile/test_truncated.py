"""Every prefix of an object: an error and no output, except where what is left is an object by itself.

A Data Set does not say how long it is, so a cut between two of its elements at top level cannot be seen. Prefixes of
real files, in each mode: tests/mutation.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dcmveil import Policy, deidentify_file
from dcmveil.errors import DcmveilError
from tests.hostile.forms import DEFLATED, EXPLICIT, PLAIN_FORMS, UNDEFINED, Form
from tests.reference.files import Sample

POLICY = Policy(secret=b"a secret of sixteen bytes or more")
OLD = b"an output that was there before"
PIXELS = b"\x5a" * 5000


def elements(form: Form) -> list[bytes]:
    """A small image with all there is in a header, element by element."""
    code = form.element(0x00080100, "SH", "VEILME0001")
    uids = form.element(0x00081150, "UI", "1.2.840.10008.5.1.4.1.1.7") + form.element(0x00081155, "UI", "2.999.5")
    return [
        form.element(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7"),
        form.element(0x00080018, "UI", "2.999.7.7"),
        form.sequence(0x00081140, form.item(uids), form.open_item(uids), open_end=True),
        form.element(0x00091001, "UT", "VEILME0002"),
        form.element(0x00100010, "PN", "VEILME^0003"),
        form.sequence(0x0040A043, form.item(code), form.item(), form.item(form.sequence(0x00082218, form.item(code)))),
        form.sequence(0x0040A043, form.open_item(code), vr="UN" if form.implicit else "SQ", open_end=True),
        form.element(0x00280010, "US", form.pack("H", 50)),
        form.element(0x7FE00010, "OW", PIXELS),
        form.element(0xFFFCFFFC, "OB", bytes(6)),
    ]


def encapsulated(form: Form) -> bytes:
    return form.sequence(0x7FE00010, form.item(), form.item(PIXELS), form.item(PIXELS), vr="OB", open_end=True)


def survives(prefix: bytes, folder: Path) -> bool:
    """Is there an output? If not, everything is as it was."""
    source, target = folder / "in.dcm", folder / "out.dcm"
    source.write_bytes(prefix)
    target.write_bytes(OLD)
    try:
        deidentify_file(source, target, POLICY)
    except DcmveilError:
        assert target.read_bytes() == OLD
        return False
    finally:
        assert sorted(folder.iterdir()) == [source, target]
    return True


def cuts(size: int) -> Iterator[int]:
    """All of a header of our own; within Pixel Data some."""
    yield from (cut for cut in range(size) if cut < 900 or cut > size - 40 or cut % 397 == 0)


@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
def test_every_prefix_of_an_object(form: Form, tmp_path: Path) -> None:
    """R1: never half an object."""
    parts = elements(form)
    data = form.file(b"".join(parts))
    ends = {len(form.head()) + len(b"".join(parts[:count])) for count in range(1, len(parts))}
    for cut in {*cuts(len(data)), *ends}:
        assert survives(data[:cut], tmp_path) == (cut in ends), cut


@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
def test_every_prefix_of_fragments(form: Form, tmp_path: Path) -> None:
    front = form.file(form.common())
    data = front + encapsulated(form)
    for cut in cuts(len(data)):
        if cut > len(front):
            assert not survives(data[:cut], tmp_path), cut


def test_every_prefix_of_a_deflated_object(tmp_path: Path) -> None:
    """A deflate stream says where it ends, so that every cut is seen."""
    data = DEFLATED.file(b"".join(elements(DEFLATED)))
    for cut in range(len(data)):
        assert not survives(data[:cut], tmp_path), cut


def test_every_prefix_of_our_sample_image(sample_image: Path, tmp_path: Path) -> None:
    """Where a cut leaves an object, the output is one as well: it is not just cut, too."""
    data = sample_image.read_bytes()
    for cut in range(0, len(data), 17):
        with suppress(DcmveilError):
            (tmp_path / "in").write_bytes(data[:cut])
            deidentify_file(tmp_path / "in", tmp_path / "out", POLICY)
            deidentify_file(tmp_path / "out", tmp_path / "again", POLICY)
            assert b"VEILME" not in (tmp_path / "out").read_bytes()


def test_prefixes_of_real_files(real_files: list[Sample], tmp_path: Path) -> None:
    """A sample of the cuts of the smallest real files: an output, or one error of ours and nothing else."""
    paths = sorted((sample.path for sample in real_files), key=lambda path: path.stat().st_size)[:30]
    for path in paths:
        data = path.read_bytes()
        for cut in range(0, len(data), max(1, len(data) // 25)):
            survives(data[:cut], tmp_path)


def test_a_fragment_cut_short_is_not_an_object(tmp_path: Path) -> None:
    """The length of the last Fragment reaches past the end of the file."""
    front = EXPLICIT.common() + EXPLICIT.header(0x7FE00010, "OB", UNDEFINED) + EXPLICIT.item()
    data = EXPLICIT.file(front + EXPLICIT.item(PIXELS, length=len(PIXELS) + 2) + EXPLICIT.item(tag=0xFFFEE0DD))
    assert not survives(data, tmp_path)

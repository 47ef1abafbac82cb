"""What an archive or a viewer may do to a file of ours: every original Attribute comes back all the same.

dcmtk, gdcmconv and pydicom transcode it, rewrite its length encodings, add, coerce and erase Attributes. Such a file
is restored Attribute by Attribute, and the Report says so; one that is as we wrote it, byte for byte.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Literal, NamedTuple

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from dcmveil.errors import DcmveilError
from tests.reference.files import Sample
from tests.reversible.compare import Element, Elements, differences, elements, original, top
from tests.reversible.support import CHANGED, bundled, deidentify, digest, envelope, opener, reidentify, run, tools

NATIVE = (
    "CT_small.dcm MR_small.dcm MR_small_implicit.dcm MR_small_bigendian.dcm image_dfl.dcm test-SR.dcm rtplan.dcm "
    "reportsi.dcm liver_1frame.dcm chrH32.dcm SC_rgb_small_odd.dcm"
).split()
LITTLE = [name for name in NATIVE if name not in ("MR_small_bigendian.dcm", "image_dfl.dcm")]
JPEG = "JPGExtended.dcm SC_rgb_dcmtk_+eb+cr.dcm SC_rgb_jpeg_gdcm.dcm".split()
RLE = ["MR_small_RLE.dcm"]
ALL = [*NATIVE, *JPEG, *RLE, "JPEG2000.dcm"]
IMAGES = ["CT_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm"]

MODALITY = "(0008,0060)"
ROWS = "(0028,0010)"
# What whoever compresses or decompresses images changes, and adds, besides Pixel Data.
PIXELS = ("(7FE0,0010)", "(0028,0004)", "(0028,0006)", "(0028,0100)", "(0028,0101)", "(0028,0102)", "(0028,2110)",
          "(0028,2112)", "(0028,2114)", "(0008,0008)", "(0028,0008)")  # fmt: skip
DERIVED = ("(0008,2111)", "(0008,2112)")


class Change(NamedTuple):
    """A command without the names of input and output, and the files that it takes.

    `other` is what it changes of what we had kept, `added` what it adds.
    """

    command: str
    files: list[str]
    other: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    @property
    def tool(self) -> str:
        return self.command.split()[0]

    def make(self, source: Path, target: Path) -> None:
        """dcmodify changes its input."""
        if self.tool == "dcmodify":
            shutil.copyfile(source, target)
            run(*self.command.split(), target)
        else:
            run(*self.command.split(), source, target)


CHANGES = {
    "explicit lengths": Change("dcmconv +e", ALL),
    "undefined lengths": Change("dcmconv -e", ALL),
    "group lengths": Change("dcmconv +g", ALL),
    "group lengths and explicit lengths": Change("dcmconv +g +e", ALL),
    "padding": Change("dcmconv +p 512 64", ALL),
    "implicit": Change("dcmconv +ti", NATIVE),
    "explicit": Change("dcmconv +te", NATIVE),
    "big endian": Change("dcmconv +tb", NATIVE),
    "big endian, undefined lengths": Change("dcmconv +tb -e", NATIVE),
    "deflated": Change("dcmconv +td", NATIVE),
    "no File Meta Information": Change("dcmconv -F", [name for name in NATIVE if name != "image_dfl.dcm"]),
    "coerced": Change("dcmodify -nb -m (0010,0020)=COERCED -m (0010,0010)=Coerced^Name", ALL),
    "another SOP Instance UID": Change("dcmodify -nb -gin", ALL),
    "added": Change(
        "dcmodify -nb -i (0010,4000)=comments -i (0008,1048)=Physician^Added", ALL, (), ("(0010,4000)", "(0008,1048)")
    ),
    "added Sequence": Change("dcmodify -nb -i (0040,A730)[0].(0040,A123)=Person^Added", IMAGES, (), ("(0040,A730)",)),
    "erased": Change("dcmodify -nb -imt -e (0010,0010) -e (0010,0020) -e (0008,0020)", ALL),
    "modified, which was kept": Change("dcmodify -nb -m (0008,0060)=OT", ALL, (MODALITY,)),
    "erased, which was kept": Change("dcmodify -nb -imt -e (0028,0010)", ALL, (ROWS,)),
    "markers erased": Change("dcmodify -nb -e (0012,0062) -e (0012,0063) -e (0012,0064) -e (0028,0303)", ALL),
    "decompressed": Change("dcmdjpeg", JPEG, PIXELS),
    "decompressed, another UID": Change("dcmdjpeg +ua", JPEG, PIXELS, DERIVED),
    "RLE decompressed": Change("dcmdrle", RLE, PIXELS),
    "RLE": Change("dcmcrle", IMAGES, PIXELS),
    "JPEG": Change("dcmcjpeg", IMAGES, PIXELS, DERIVED),
    "gdcmconv, implicit": Change("gdcmconv --implicit", LITTLE),
    "gdcmconv, explicit": Change("gdcmconv --explicit", LITTLE, PIXELS[:1]),
    "gdcmconv, raw": Change("gdcmconv --raw", [*JPEG, *RLE], PIXELS),
    "gdcmconv, JPEG-LS": Change("gdcmconv --jpegls", IMAGES, PIXELS),
}


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A bundled file, de-identified with Encrypted Attributes."""
    folder = tmp_path_factory.mktemp("ours")

    def made(name: str) -> Path:
        target = folder / name
        if not target.exists():
            deidentify(bundled(name), target)
        return target

    return made


def restore(changed: Path, path: Path, other: tuple[str, ...] = (), added: tuple[str, ...] = ()) -> str | None:
    """The notice of restoring it to what `path` was; with none it must be the very same file."""
    back = changed.with_name("back.dcm")
    notice = reidentify(changed, back).notice
    assert differences(original(path), elements(back), other=other, added=added) == [], path.name
    assert notice == CHANGED or digest(back) == digest(path), path.name
    return notice


@pytest.mark.parametrize("name", [name for name, change in CHANGES.items() if tools(change.tool)])
def test_every_attribute_is_restored_after(name: str, ours: Callable[[str], Path], tmp_path: Path) -> None:
    change, changed = CHANGES[name], tmp_path / "changed.dcm"
    for file in change.files:
        changed.unlink(missing_ok=True)
        change.make(ours(file), changed)
        assert restore(changed, bundled(file), change.other, change.added) == CHANGED, file


# ---- pydicom ---------------------------------------------------------------------------------------------------


def undefine(dataset: Dataset) -> None:
    """Make all Sequences and Items ones of undefined length."""
    for element in dataset:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
                undefine(item)


def add_private(dataset: Dataset) -> None:
    dataset.private_block(0x0009, "SOMEBODY ELSE", create=True).add_new(1, "LO", "added")


def coerce(dataset: Dataset) -> None:
    dataset.PatientID = "COERCED"
    dataset.AccessionNumber = "COERCED"


def switch_vr(dataset: Dataset) -> None:
    """Implicit VR to Explicit VR and back. pydicom does not swap the bytes of Pixel Data."""
    is_implicit = dataset.file_meta.TransferSyntaxUID == ImplicitVRLittleEndian
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if is_implicit else ImplicitVRLittleEndian


PYDICOM = {
    "undefined lengths": (undefine, ALL, ()),
    "a private Attribute": (add_private, ALL, ("(0009,0010)", "(0009,1001)")),
    "coerced": (coerce, ALL, ("(0008,0050)",)),
    "another encoding": (switch_vr, LITTLE, ()),
}


def save(source: Path, target: Path, change: Callable[[Dataset], object] = lambda _dataset: None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = dcmread(source)
        change(dataset)
        syntax = dataset.file_meta.TransferSyntaxUID
        dataset.save_as(target, implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian)


@pytest.mark.parametrize("name", PYDICOM)
def test_every_attribute_is_restored_after_pydicom(name: str, ours: Callable[[str], Path], tmp_path: Path) -> None:
    change, files, added = PYDICOM[name]
    for file in files:
        save(ours(file), tmp_path / "changed.dcm", change)
        assert restore(tmp_path / "changed.dcm", bundled(file), added=added) == CHANGED, file


def test_a_file_that_pydicom_reads_and_writes_is_restored(ours: Callable[[str], Path], tmp_path: Path) -> None:
    """If it writes the same bytes, there is nothing to notice."""
    changed = tmp_path / "changed.dcm"
    for file in ALL:
        save(ours(file), changed, lambda dataset: [element.value for element in dataset.iterall()])
        notice = restore(changed, bundled(file))
        assert notice == (None if digest(changed) == digest(ours(file)) else CHANGED), file


def to_utf8(dataset: Dataset) -> None:
    dataset.decode()
    dataset.SpecificCharacterSet = "ISO_IR 192"


@pytest.mark.parametrize("name", ["chrFren.dcm", "chrRuss.dcm", "chrH32.dcm", "chrKoreanMulti.dcm"])
def test_text_is_restored_in_a_file_whose_character_set_has_changed(name: str, tmp_path: Path) -> None:
    """Archives like UTF-8: what was encrypted and what was kept must be legible in one and the same file."""
    path, ours, changed, back = (tmp_path / part for part in ("original.dcm", "ours.dcm", "changed.dcm", "back.dcm"))
    save(bundled(name), path, with_manufacturer)
    deidentify(path, ours)
    save(ours, changed, to_utf8)
    assert reidentify(changed, back).notice == CHANGED
    assert texts(back) == texts(path)


def with_manufacturer(dataset: Dataset) -> None:
    """With the Patient's Name, as good as any for text that is kept."""
    dataset.Manufacturer = str(dataset.PatientName).split("=")[-1]


def texts(path: Path) -> tuple[str, str]:
    dataset = dcmread(path)
    return str(dataset.PatientName), str(dataset.Manufacturer)


# ---- by hand ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_a_copy_is_restored_byte_for_byte(name: str, ours: Callable[[str], Path], tmp_path: Path) -> None:
    copy = shutil.copyfile(ours(name), tmp_path / "copy.dcm")
    assert restore(copy, bundled(name)) is None
    assert digest(tmp_path / "back.dcm") == digest(bundled(name))


def test_a_file_can_be_restored_in_place(ours: Callable[[str], Path], tmp_path: Path) -> None:
    copy = shutil.copyfile(ours("CT_small.dcm"), tmp_path / "copy.dcm")
    assert reidentify(copy, copy).notice is None
    assert digest(copy) == digest(bundled("CT_small.dcm"))


def replaced(path: Path, target: Path, old: bytes, new: bytes) -> Path:
    """A copy with one occurrence of `old` changed in place."""
    data = path.read_bytes()
    assert data.count(old) == 1
    target.write_bytes(data.replace(old, new))
    return target


def test_a_value_changed_in_place_stays(ours: Callable[[str], Path], tmp_path: Path) -> None:
    """One that was kept; nothing is restored byte for byte then."""
    modality = bytes.fromhex("08006000") + b"CS\2\0"
    changed = replaced(ours("CT_small.dcm"), tmp_path / "changed.dcm", modality + b"CT", modality + b"OT")
    assert restore(changed, bundled("CT_small.dcm"), other=(MODALITY,)) == CHANGED
    assert elements(tmp_path / "back.dcm")[MODALITY] == Element("CS", b"OT")


def test_what_is_taken_away_may_have_been_changed_in_place(ours: Callable[[str], Path], tmp_path: Path) -> None:
    """It does not come back in any case, and the rest does, byte for byte."""
    marker = bytes.fromhex("12006200") + b"CS\4\0"
    changed = replaced(ours("CT_small.dcm"), tmp_path / "changed.dcm", marker + b"YES ", marker + b"NO  ")
    assert restore(changed, bundled("CT_small.dcm")) is None


def test_the_preamble_may_change(ours: Callable[[str], Path], tmp_path: Path) -> None:
    data = ours("CT_small.dcm").read_bytes()
    (tmp_path / "changed.dcm").write_bytes(b"II*\0" + data[4:])
    restore(tmp_path / "changed.dcm", bundled("CT_small.dcm"))


@pytest.mark.parametrize("name", ["liver_1frame.dcm", "liver_expb_1frame.dcm", "rtdose_1frame.dcm", "JPEG2000.dcm"])
def test_what_is_appended_stays(name: str, ours: Callable[[str], Path], tmp_path: Path) -> None:
    order: Literal["big", "little"] = "big" if "expb" in name else "little"
    header = b"".join(number.to_bytes(2, order) for number in (0xFFFC, 0xFFFC))
    long = (4).to_bytes(4, order)
    padding = header + (long if "rtdose" in name else b"OB\0\0" + long) + b"\0\1\2\3"
    changed = tmp_path / "changed.dcm"
    changed.write_bytes(ours(name).read_bytes() + padding)
    assert restore(changed, bundled(name)) == CHANGED
    assert (tmp_path / "back.dcm").read_bytes().endswith(padding)


def test_pixel_data_are_not_looked_at(ours: Callable[[str], Path], tmp_path: Path) -> None:
    """Long Values are copied: changed in place they come back changed, in a file that is otherwise the original's."""
    path, changed = bundled("CT_small.dcm"), tmp_path / "changed.dcm"
    pixels = path.read_bytes().index(dcmread(path).PixelData[:64])
    data = bytearray(ours("CT_small.dcm").read_bytes())
    shift = data.index(dcmread(path).PixelData[:64]) - pixels
    data[pixels + shift : pixels + shift + 4] = b"\1\2\3\4"
    changed.write_bytes(data)
    assert reidentify(changed, tmp_path / "back.dcm").notice is None
    expected = bytearray(path.read_bytes())
    expected[pixels : pixels + 4] = b"\1\2\3\4"
    assert (tmp_path / "back.dcm").read_bytes() == expected


def test_another_length_of_pixel_data_is_noticed(ours: Callable[[str], Path], tmp_path: Path) -> None:
    def shorten(dataset: Dataset) -> None:
        dataset.PixelData = dataset.PixelData[:-2]

    save(ours("CT_small.dcm"), tmp_path / "changed.dcm", shorten)
    assert restore(tmp_path / "changed.dcm", bundled("CT_small.dcm"), other=("(7FE0,0010)",)) == CHANGED


def test_the_parts_of_another_file_of_ours_are_no_match(ours: Callable[[str], Path], tmp_path: Path) -> None:
    """Encrypted Attributes put into another file restore what is in them, and touch nothing else."""
    donor = dcmread(ours("MR_small.dcm"))

    def swap(dataset: Dataset) -> None:
        dataset.EncryptedAttributesSequence = donor.EncryptedAttributesSequence

    save(ours("CT_small.dcm"), tmp_path / "changed.dcm", swap)
    report = reidentify(tmp_path / "changed.dcm", tmp_path / "back.dcm")
    assert report.notice == CHANGED
    restored = dcmread(tmp_path / "back.dcm")
    assert restored.PatientName == dcmread(bundled("MR_small.dcm")).PatientName
    assert restored.PixelData == dcmread(bundled("CT_small.dcm")).PixelData


def test_what_was_deidentified_twice_comes_back_in_turn(tmp_path: Path) -> None:
    """Encrypted Attributes are an original like any other, in a file that has been changed as well."""
    path = bundled("MR_small_implicit.dcm")
    once, twice, changed = tmp_path / "once.dcm", tmp_path / "twice.dcm", tmp_path / "changed.dcm"
    deidentify(path, once)
    deidentify(once, twice, envelope("password"), existing_encrypted="remove")
    save(twice, changed, coerce)
    for source, notice in ((twice, None), (changed, CHANGED)):
        assert reidentify(source, tmp_path / "first.dcm", opener("password")).notice == notice
        assert differences(elements(once), elements(tmp_path / "first.dcm"), added=["(0008,0050)"]) == []
        reidentify(tmp_path / "first.dcm", tmp_path / "back.dcm")
        assert differences(original(path), elements(tmp_path / "back.dcm"), added=["(0008,0050)"]) == []


# ---- every file ------------------------------------------------------------------------------------------------

# dcmconv takes few of the encapsulated ones.
EVERYWHERE = ["dcmconv -e", "dcmconv +ti", "dcmconv +te +e", "dcmconv +tb", "dcmodify -nb -m (0010,0020)=COERCED"]


@pytest.mark.slow
@pytest.mark.parametrize("command", [command for command in EVERYWHERE if tools(command.split()[0])])
def test_every_real_file_is_restored_after(command: str, real_files: list[Sample], tmp_path: Path) -> None:
    # What is malformed on purpose pydicom reads otherwise than it reads it rewritten.
    paths = [sample.path for sample in real_files if not sample.name.startswith("malformed/")]
    done = [path for path in paths if restores(path, Change(command, []), tmp_path)]
    assert len(done) >= 60


def restores(path: Path, change: Change, folder: Path) -> bool:
    """Whether there was anything to restore: the De-identifier and then the tool have to take the file."""
    ours, changed, back = folder / "ours.dcm", folder / "changed.dcm", folder / "back.dcm"
    try:
        deidentify(path, ours, existing_encrypted="remove", allow_embedded_overlays=True)
        change.make(ours, changed)
    except (DcmveilError, AssertionError):
        return False
    notice = reidentify(changed, back).notice
    assert notice == CHANGED or digest(back) == digest(path), path.name
    wanted, vrs = expected(path, ours, changed), "+ti" not in change.command  # Implicit VR has no wrong ones
    assert notice is None or differences(wanted, elements(back), vrs=vrs) == [], path.name
    return True


def expected(path: Path, ours: Path, changed: Path) -> Elements:
    """The Attributes that we had encrypted as in the original, all others as the tool has left them.

    It may put right what is not as it should be, such as an odd length.
    """
    before, after, encrypted = original(path), elements(changed), encrypted_attributes(ours)
    kept = {place: element for place, element in after.items() if top(place) not in encrypted}
    return kept | {place: element for place, element in before.items() if top(place) in encrypted}


def encrypted_attributes(ours: Path) -> set[str]:
    """The Attributes in the Modified Attributes Sequence, and those that have been added to the object."""
    plaintext = opener().open(dcmread(ours).EncryptedAttributesSequence[0].EncryptedContent)
    content = read_dataset(BytesIO(plaintext), is_implicit_VR=False, is_little_endian=True)
    tags = {*content.ModifiedAttributesSequence[0].keys(), *ADDED}
    return {f"({tag >> 16:04X},{tag & 0xFFFF:04X})" for tag in tags}


ADDED = (0x00120062, 0x00120063, 0x00120064, 0x00280303, 0x04000500)

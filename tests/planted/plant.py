"""DICOM objects with persons planted in them, each with the key: what must be gone, and which words must stay.

Made with pydicom: CT Images, Structured Reports and Presentation States, in Explicit and Implicit VR and Big Endian.
The same seed makes the same set.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date
from random import Random
from typing import NamedTuple

from pydicom import uid
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence

from .people import TONGUES, Tongue, person

__all__ = ["Kept", "Planted", "planted"]

SYNTAXES = (uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian)
CLASSES = (
    "1.2.840.10008.5.1.4.1.1.2",  # CT Image
    "1.2.840.10008.5.1.4.1.1.88.33",  # Comprehensive SR
    "1.2.840.10008.5.1.4.1.1.11.1",  # Grayscale Softcopy Presentation State
)
# Attributes that Clean Descriptors cleans, and how many characters they take.
DESCRIPTORS = {
    "StudyDescription": 64, "SeriesDescription": 64, "ImageComments": 900, "PatientComments": 900,
    "AdditionalPatientHistory": 900, "ReasonForStudy": 64, "RequestedProcedureDescription": 64, "ProtocolName": 64,
    "StudyComments": 900, "MedicalAlerts": 64, "PerformedProcedureStepDescription": 64,
    "CommentsOnThePerformedProcedureStep": 900, "DerivationDescription": 900, "AdmittingDiagnosesDescription": 64,
    "VisitComments": 900, "AcquisitionComments": 900, "ReasonForTheRequestedProcedure": 64, "Allergies": 64,
    "RequestedProcedureComments": 900,
}  # fmt: skip
DATES = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%Y%m%d", "%d %b %Y", "%B %d, %Y", "%d%b%Y", "%d.%m.%y")


class Kept(NamedTuple):
    """A text whose words are to stay: where, as tags without numbers of Items, and the parts that identify nobody."""

    path: tuple[int, ...]
    parts: tuple[str, ...]


class Planted(NamedTuple):
    """A file and its key. `identities` may be nowhere in what is made of it, in none of the `codecs`."""

    name: str
    data: bytes
    identities: frozenset[str]
    codecs: tuple[str, ...]
    kept: tuple[Kept, ...]


def planted(count: int, seed: int = 0) -> Iterator[Planted]:
    """So many files: every tongue in every Transfer Syntax and SOP Class in turn."""
    for number in range(count):
        random = Random(f"{seed}/{number}")
        tongue = TONGUES[number % len(TONGUES)]
        syntax = SYNTAXES[number // len(TONGUES) % len(SYNTAXES)]
        sop_class = CLASSES[(number + number // 27) % len(CLASSES)]
        yield _Planter(random, tongue, number).plant(sop_class, syntax)


def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    assert tag is not None
    return tag


class _Planter:
    """Makes one file, and writes the key as it goes."""

    def __init__(self, random: Random, tongue: Tongue, number: int) -> None:
        self.random = random
        self.person = person(tongue, random)
        self.number = number
        self.day = (random.randrange(2001, 2024), random.randrange(1, 13), random.randrange(1, 29))
        self.uids = [f"2.999.{random.randrange(10**9, 10**10)}.{part}" for part in range(1, 9)]
        self.identities: set[str] = set()
        self.kept: list[Kept] = []
        # pydicom does not designate a set of ISO 2022 again behind the end of a line, as PS3.5 6.1.2.5.3 wants it.
        self.line_end = "; " if len(tongue.character_sets) > 1 else "\r\n"
        self.codecs = {tongue.codec, "utf-8", "latin-1"}

    def plant(self, sop_class: str, syntax: uid.UID) -> Planted:
        dataset = FileDataset("", {}, file_meta=FileMetaDataset(), preamble=bytes(128))
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.SpecificCharacterSet = list(self.person.tongue.character_sets)
        dataset.SOPClassUID = sop_class
        self._identify(dataset)
        for keyword in self.random.sample([*DESCRIPTORS], 8):
            setattr(dataset, keyword, self.text((_tag(keyword),), DESCRIPTORS[keyword]))
        self._nest(dataset)
        self._private(dataset, ())
        {CLASSES[0]: self._image, CLASSES[1]: self._report, CLASSES[2]: self._state}[sop_class](dataset)
        output = io.BytesIO()
        dcmwrite(
            output,
            dataset,
            implicit_vr=syntax.is_implicit_VR,
            little_endian=syntax.is_little_endian,
            enforce_file_format=True,
        )
        name = f"{self.number}: {self.person.tongue.name}, {syntax.name}, {uid.UID(sop_class).name}"
        return Planted(
            name, output.getvalue(), frozenset(self.identities), tuple(sorted(self.codecs)), tuple(self.kept)
        )

    def hide(self, *texts: str) -> str:
        """Note texts in the key; the first of them."""
        self.identities.update(texts)
        return texts[0] if texts else ""

    # ---- the Attributes that identify ----

    def _identify(self, dataset: Dataset) -> None:
        who = self.person
        self.hide(who.family, who.given, who.patient_id, who.accession, who.institution, who.street, who.telephone)
        dataset.PatientName = who.name
        if who.is_ideographic:
            self.hide(*who.romanized)
        dataset.PatientID = who.patient_id
        dataset.AccessionNumber = who.accession
        dataset.InstitutionName = who.institution
        dataset.InstitutionAddress = who.street
        dataset.PatientTelephoneNumbers = who.telephone[:16]
        dataset.PatientBirthDate = self.hide("{:04}{:02}{:02}".format(*who.born))
        for keyword in ("StudyDate", "SeriesDate", "ContentDate", "AcquisitionDate"):
            setattr(dataset, keyword, self.hide("{:04}{:02}{:02}".format(*self.day)))
        dataset.StudyTime = "101500"
        dataset.ReferringPhysicianName = "^".join([self.hide("Heidenreichs"), self.hide("Aurelian")]) + "^^Dr."
        dataset.OperatorsName = [f"{self.hide('Pumpernick')}^{self.hide('Ludmilla')}", f"{self.hide('Oxenstjarn')}^Q"]
        keywords = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")
        for keyword, value in zip(keywords, self.uids, strict=False):
            setattr(dataset, keyword, self.hide(value))
        dataset.PatientSex = "O"
        dataset.PatientAge = "045Y"
        dataset.StationName = "CT STATION 7"
        dataset.Manufacturer = f"Synthetic Imaging, {who.family}"  # no descriptor, and kept
        self.kept.append(Kept((_tag("Manufacturer"),), ("Synthetic Imaging",)))

    # ---- texts ----

    def text(self, path: tuple[int, ...], room: int) -> str:
        """Findings with mentions of persons between and around, noted in the key."""
        findings = self.random.sample(self.person.tongue.findings, 3)
        mentions = dict([self.mention(), self.mention()])
        mention, other = (*mentions, *mentions)[:2]
        separator = self.random.choice((" ", ", ", "; ", " - ", ". "))
        shapes = [
            ((mention,), ""),
            ((findings[0], mention), separator),
            ((mention, findings[0]), separator),
            ((findings[0], mention, findings[1]), separator),
            ((findings[0], mention, findings[1], other, findings[2]), self.line_end if room > 64 else separator),
        ]
        fitting = [shape for shape in shapes if len(shape[1].join(shape[0])) <= room]
        parts, separator = self.random.choice(fitting[1:] or fitting)
        self.hide(*(identity for text in mentions.keys() & set(parts) for identity in mentions[text]))
        self.kept.append(Kept(path, tuple(part for part in parts if part in findings)))
        return separator.join(parts)

    def mention(self) -> tuple[str, tuple[str, ...]]:
        """Something that identifies, in a way that people write it, and what of it the key does not have yet."""
        who, random = self.person, self.random
        kind = random.randrange(8)
        if kind == 0:
            text = random.choice((who.patient_id, who.accession))
            return text, (text,)
        if kind == 1:
            text = date(*random.choice((who.born, self.day))).strftime(random.choice(DATES))
            return text, (text,)
        if kind == 2:
            text = random.choice((who.telephone, who.mail, who.institution, who.street))
            return text, (text,)
        if kind == 3:
            stranger = random.choice(who.tongue.strangers)
            return random.choice(who.tongue.titled).format(stranger), tuple(stranger.split())
        if kind == 4:
            return random.choice(
                (f"MRN: {who.patient_id}", f"Acc# {who.accession}", "Dr. Heidenreichs", "LUDMILLA")
            ), ""
        return who.said(random.choice(who.tongue.spoken)), ()

    # ---- nested Items, private blocks ----

    def _nest(self, dataset: Dataset) -> None:
        """Requests, codes and a device, with Items that have a Specific Character Set of their own."""
        request = Dataset()
        path = (_tag("RequestAttributesSequence"),)
        for keyword in ("ScheduledProcedureStepDescription", "RequestedProcedureDescription"):
            setattr(request, keyword, self.text((*path, _tag(keyword)), 64))
        request.RequestedProcedureID = self.person.accession
        self._private(request, path)
        other = Dataset()
        other.SpecificCharacterSet = "ISO_IR 192"
        other.RequestedProcedureDescription = self.text((*path, _tag("RequestedProcedureDescription")), 64)
        dataset.RequestAttributesSequence = Sequence([request, other])
        code = self.code("CHEST1", "99LOCAL", "")
        path = (_tag("PerformedProtocolCodeSequence"), _tag("CodeMeaning"))
        code.CodeMeaning = self.text(path, 64)
        dataset.PerformedProtocolCodeSequence = Sequence([code])

    @staticmethod
    def code(value: str, scheme: str, meaning: str) -> Dataset:
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
        return item

    def _private(self, dataset: Dataset, path: tuple[int, ...]) -> None:
        """A safe block with what is not listed beside, one of a creator that nobody knows, and Sequences in both."""
        who = self.person
        block = dataset.private_block(0x0019, "GEMS_ACQU_01", create=True)
        block.add_new(0x9E, "LO", f"{who.family} sequence")
        block.add_new(0x23, "DS", "1.25")
        block.add_new(0xFE, "LO", who.said("{given} {family}"))
        philips = dataset.private_block(0x2001, "Philips Imaging DD 001", create=True)
        stack = Dataset()
        stack.PatientName = who.name
        stack.StudyDescription = self.text((*path, 0x2001005F, _tag("StudyDescription")), 64)
        stack.private_block(0x0029, "ACME 1.0", create=True).add_new(0x01, "LO", who.family)
        philips.add_new(0x5F, "SQ", Sequence([stack]))
        unknown = dataset.private_block(0x0029, "ACME 1.0", create=True)
        unknown.add_new(0x10, "LT", f"{who.given} {who.family}, {who.patient_id}")
        unknown.add_new(0x11, "UI", self.uids[0])
        unknown.add_new(0x12, "SQ", Sequence([self.code(who.patient_id[:16], "99LOCAL", who.family)]))
        unknown.add_new(0x13, "OB", who.accession.encode("ascii").ljust(10, b"\0"))

    # ---- the three kinds of objects ----

    def _image(self, dataset: Dataset) -> None:
        dataset.Modality, dataset.InstanceNumber = "CT", 1
        dataset.Rows = dataset.Columns = 4
        dataset.BitsAllocated = dataset.BitsStored = 16
        dataset.HighBit, dataset.PixelRepresentation, dataset.SamplesPerPixel = 15, 0, 1
        dataset.PhotometricInterpretation = "MONOCHROME2"
        dataset.add_new("PixelData", "OW", bytes(32))

    def _report(self, dataset: Dataset) -> None:
        """Nested containers with items of many value types."""
        dataset.Modality, dataset.ValueType, dataset.InstanceNumber = "SR", "CONTAINER", 1
        dataset.ConceptNameCodeSequence = Sequence([self.code("126000", "DCM", "Imaging Measurement Report")])
        dataset.ContinuityOfContent = "SEPARATE"
        dataset.CompletionFlag, dataset.VerificationFlag = "COMPLETE", "UNVERIFIED"
        path = (_tag("ContentSequence"),)
        dataset.ContentSequence = Sequence(self.items(path, 2))

    def items(self, path: tuple[int, ...], depth: int) -> list[Dataset]:
        who = self.person
        text_path = (*path, _tag("TextValue"))
        found = [
            self.item("TEXT", "121071", "Finding", TextValue=self.text(text_path, 900)),
            self.item("TEXT", "CASE7", "Local remark", scheme="99LOCAL", TextValue=self.text(text_path, 900)),
            self.item("PNAME", "121008", "Person Observer Name", PersonName=who.name),
            self.item("PNAME", "WHO7", "Local person", scheme="99LOCAL", PersonName=who.name),
            self.item("DATE", "111060", "Study Date", Date="{:04}{:02}{:02}".format(*self.day)),
            self.item("DATETIME", "111526", "DateTime Started", DateTime="{:04}{:02}{:02}101500".format(*self.day)),
            self.item("UIDREF", "110180", "Study Instance UID", UID=self.uids[0]),
            self.item("TEXT", "121022", "Accession Number", TextValue=who.accession),
        ]
        coded = self.item("CODE", "121071", "Finding")
        code_path = (*path, _tag("ConceptCodeSequence"), _tag("CodeMeaning"))
        coded.ConceptCodeSequence = Sequence([self.code("X1", "99LOCAL", self.text(code_path, 64))])
        found.append(coded)
        if depth:
            container = self.item("CONTAINER", "121070", "Findings", ContinuityOfContent="SEPARATE")
            container.ContentSequence = Sequence(self.items((*path, _tag("ContentSequence")), depth - 1))
            found.append(container)
        return found

    def item(self, value_type: str, code: str, meaning: str, *, scheme: str = "DCM", **values: str) -> Dataset:
        item = Dataset()
        item.RelationshipType, item.ValueType = "CONTAINS", value_type
        item.ConceptNameCodeSequence = Sequence([self.code(code, scheme, meaning)])
        for keyword, value in values.items():
            setattr(item, keyword, value)
        return item

    def _state(self, dataset: Dataset) -> None:
        dataset.Modality, dataset.InstanceNumber = "PR", 1
        dataset.ContentLabel, dataset.ContentDescription = "STATE", "annotations"
        dataset.PresentationCreationDate = dataset.StudyDate
        dataset.PresentationCreationTime = "101500"
        dataset.ContentCreatorName = self.person.name
        path = (_tag("GraphicAnnotationSequence"), _tag("TextObjectSequence"), _tag("UnformattedTextValue"))
        texts = []
        for _ in range(3):
            text = Dataset()
            text.AnchorPoint, text.AnchorPointVisibility, text.AnchorPointAnnotationUnits = [1.0, 2.0], "N", "PIXEL"
            text.UnformattedTextValue = self.text(path, 900)
            texts.append(text)
        annotation = Dataset()
        annotation.GraphicLayer = "LAYER"
        annotation.TextObjectSequence = Sequence(texts)
        dataset.GraphicAnnotationSequence = Sequence([annotation])

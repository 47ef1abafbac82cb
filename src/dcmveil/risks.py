"""Risks that the header of an object cannot settle: what may identify in pixels, documents and drawings that are kept.

A risk is a suspicion, not a finding. What the object says of itself, Burned In Annotation (0028,0301) and Recognizable
Visual Features (0028,0302) (PS3.3 C.7.6.1), counts where it says YES or NO; where it says nothing, its kind decides, by
the tables below.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from typing import NamedTuple

__all__ = ["PRESENCE", "WATCHED", "Risk", "risks_of", "segment_risks"]

_SOP_CLASS, _MODALITY = 0x00080016, 0x00080060
_IMAGE_TYPE, _CONVERSION_TYPE = 0x00080008, 0x00080064
_BODY_PART = 0x00180015
_BURNED_IN, _RECOGNIZABLE = 0x00280301, 0x00280302
_ENCAPSULATED_DOCUMENT = 0x00420011
_GRAPHIC_ANNOTATIONS = 0x00700001
_PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
# LUT Explanation, Window Center & Width Explanation and LUT Label are text, and kept by Table E.1-1.
_LUT_TEXTS = (0x00281055, 0x00283003, 0x00409210)
_LUT_SEQUENCES = (0x00283000, 0x00283010, 0x00409096)  # Modality LUT, VOI LUT, Real World Value Mapping
_OVERLAY_GROUPS = range(0x60000000, 0x60200000, 0x20000)
_BIT_POSITIONS = {group | 0x0102: group | 0x3000 for group in _OVERLAY_GROUPS}  # and Overlay Data of the same group

# Top-level elements of the input whose Values `risks_of` is to be given, of Overlay Data whether there is any.
WATCHED: tuple[int, ...] = (
    _IMAGE_TYPE, _SOP_CLASS, _MODALITY, _CONVERSION_TYPE, _BODY_PART, _BURNED_IN, _RECOGNIZABLE, _LUT_TEXTS[0],
    *_BIT_POSITIONS, *_BIT_POSITIONS.values(),
)  # fmt: skip
# Elements of which it is to be told whether they are in the output: at top level, those of `_LUT_TEXTS` at any depth.
PRESENCE: tuple[int, ...] = (*_LUT_TEXTS, *_LUT_SEQUENCES, _ENCAPSULATED_DOCUMENT, _GRAPHIC_ANNOTATIONS, *_PIXELS)


class Risk(NamedTuple):
    """A word for programs, and a line for people in which there is no Value."""

    word: str
    text: str


def risks_of(values: Mapping[int, bytes | None], *, kept: Container[int], transfer_syntax: str) -> tuple[Risk, ...]:
    """The risks of one object.

    `values` of the input by tag: absent if there is no such element, None if its Value is too long to be known. `kept`:
    the tags, `WATCHED` and `PRESENCE` at least, that are in the output.
    """
    facts = _Facts(values, kept)
    found = (
        _burned_in(facts),
        _recognizable(facts),
        _embedded_overlay(facts),
        _sound(facts, transfer_syntax),
        facts.risk_if_kept([_ENCAPSULATED_DOCUMENT], _DOCUMENT),
        facts.risk_if_kept([_GRAPHIC_ANNOTATIONS], _GRAPHICS),
        facts.risk_if_kept([*filter(facts.has_text, _LUT_TEXTS), *_LUT_SEQUENCES], _EXPLANATION),
    )
    return tuple(risk for risk in found if risk)


def segment_risks(segments: Collection[str]) -> tuple[Risk, ...]:
    """The risk of what `dcmveil.fragments.jpeg_segments` has found."""
    if not segments:
        return ()
    text = "compressed Pixel Data has segments that may hold text, and stay as they are: "
    return (Risk("jpeg-segments", text + ", ".join(sorted(segments))),)


_DOCUMENT = Risk("encapsulated-document", "the Encapsulated Document (0042,0011) is kept, and not looked into")
_GRAPHICS = Risk("graphics", "graphic annotations are kept: drawings and handwriting are not looked at")
_EXPLANATION = Risk("lut-explanation", "explanations of lookup tables are kept, and may hold text of any kind")


class _Facts(NamedTuple):
    values: Mapping[int, bytes | None]
    kept: Container[int]

    def words(self, tag: int) -> list[str] | None:
        """The Values of an element in capitals; none if it is absent, None if it is too long to be known."""
        value = self.values.get(tag, b"")
        if value is None:
            return None
        return [word.strip(" \0") for word in value.decode("latin_1").upper().split("\\")]

    def is_among(self, tag: int, expected: Container[str]) -> bool:
        """Is any of the Values expected, or may it be?"""
        words = self.words(tag)
        return words is None or any(word in expected for word in words)

    def has_text(self, tag: int) -> bool:
        """Not known to be empty."""
        return tag not in self.values or any(self.words(tag) or [tag])

    def has_pixels(self) -> bool:
        return any(tag in self.kept for tag in _PIXELS)

    def risk_if_kept(self, tags: Collection[int], risk: Risk) -> Risk | None:
        return risk if any(tag in self.kept for tag in tags) else None


# ---- burned-in text ------------------------------------------------------------------------------------------------

# Classes whose images are screens, drawings or video, with those derived from them: Defined UIDs of PS3.4 B.5.
_BURNING_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.3": "ultrasound writes patient and time beside the image",
    "1.2.840.10008.5.1.4.1.1.6": "ultrasound writes patient and time beside the image",
    "1.2.840.10008.5.1.4.1.1.7": "secondary captures are copies of screens and paper",
    "1.2.840.10008.5.1.4.1.1.12.1": "angiography writes into cine runs",
    "1.2.840.10008.5.1.4.1.1.12.2": "fluoroscopy writes into stored screens",
    "1.2.840.10008.5.1.4.1.1.77.1.1": "endoscopes write into the video signal",
    "1.2.840.10008.5.1.4.1.1.77.1.2": "microscope cameras write into the video signal",
    "1.2.840.10008.5.1.4.1.1.77.1.4": "photographs may show wristbands and labels",
    "1.2.840.10008.5.1.4.1.1.77.1.5": "fundus cameras print patient and eye into the corner",
}
_BURNING_MODALITIES = {
    "BMD": "densitometers store report pages",
    "CD": "ultrasound", "DD": "ultrasound", "IVUS": "ultrasound", "US": "ultrasound",
    "DG": "diaphanography, from video",
    "ES": "endoscopy, from video",
    "GM": "microscopy, from video",
    "HC": "hard copies carry the film's lettering",
    "OP": "fundus cameras print patient and eye into the corner",
    "OT": "whatever it is, mostly a screen",
    "RF": "fluoroscopy",
    "XA": "angiography",
    "XC": "photographs",
}  # fmt: skip
_BURNING_CONVERSIONS = {
    "DF": "digitized film", "DRW": "drawing", "DV": "digitized video", "SD": "scanned document", "SI": "scanned image",
    "WSD": "workstation",
}  # fmt: skip
# In Image Type: copies of screens and report pages; the two pictures of a slide that show its label.
_BURNING_TYPES = ("SCREEN", "CAPTURE", "REPORT", "DOSE", "LABEL", "OVERVIEW")


def _burned_in(facts: _Facts) -> Risk | None:
    if not facts.has_pixels() or facts.words(_BURNED_IN) == ["NO"]:
        return None
    if facts.is_among(_BURNED_IN, ["YES"]):
        return Risk("burned-in-annotation", "Burned In Annotation is YES: text stays in the pixels")
    if _burns_in(facts):
        return Risk(
            "burned-in-annotation", "of a kind that often has text burned in, and it does not say that it has not"
        )
    return None


def _burns_in(facts: _Facts) -> bool:
    (sop_class, *_rest) = facts.words(_SOP_CLASS) or [""]
    image_type = facts.words(_IMAGE_TYPE)
    return (
        any(sop_class == root or sop_class.startswith(f"{root}.") for root in _BURNING_CLASSES)
        or facts.is_among(_MODALITY, _BURNING_MODALITIES)
        or facts.is_among(_CONVERSION_TYPE, _BURNING_CONVERSIONS)
        or image_type is None
        or any(part in word for word in image_type for part in _BURNING_TYPES)
    )


# ---- faces, overlays, voices ---------------------------------------------------------------------------------------

_VOLUMES = ("CT", "MR", "PT")  # a face can be reconstructed from their slices
_PHOTOGRAPHS = ("XC",)
# Body Part Examined (PS3.16 Annex L), and what else is written there. Where it is absent nothing is suspected.
_HEADS = frozenset(
    {
        "BRAIN", "CSPINE", "EAR", "EYE", "FACE", "HEAD", "HEAD AND NECK", "HEADNECK", "IAC", "JAW", "MANDIBLE",
        "MAXILLA", "NECK", "NOSE", "ORBIT", "SELLA", "SINUS", "SKULL", "TMJ", "WHOLE BODY", "WHOLEBODY",
    }
)  # fmt: skip


def _recognizable(facts: _Facts) -> Risk | None:
    if not facts.has_pixels() or facts.words(_RECOGNIZABLE) == ["NO"]:
        return None
    if facts.is_among(_RECOGNIZABLE, ["YES"]):
        return Risk("recognizable-visual-features", "Recognizable Visual Features is YES: the pixels stay as they are")
    is_head = facts.is_among(_MODALITY, _VOLUMES) and facts.is_among(_BODY_PART, _HEADS)
    if is_head or facts.is_among(_MODALITY, _PHOTOGRAPHS):
        return Risk(
            "recognizable-visual-features", "a head or a photograph, and it does not say that it is unrecognizable"
        )
    return None


def _embedded_overlay(facts: _Facts) -> Risk | None:
    """Overlay Bit Position other than 0 without Overlay Data: the overlay is in the unused bits of Pixel Data."""
    for position, data in _BIT_POSITIONS.items():
        value = facts.values.get(position, b"")
        has_data = facts.values.get(data, b"") != b""
        if facts.has_pixels() and not has_data and (value is None or any(value)):
            return Risk("embedded-overlay", "overlay bits may be embedded in Pixel Data, which stays as it is")
    return None


_VIDEO = "1.2.840.10008.1.2.4.10"  # MPEG2, H.264 and H.265 begin so


def _sound(facts: _Facts, transfer_syntax: str) -> Risk | None:
    is_video = transfer_syntax.startswith(_VIDEO)
    return Risk("video-sound", "a video stream may carry sound and text") if is_video and facts.has_pixels() else None

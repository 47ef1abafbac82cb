"""What the sample image says about its invented patient, as tables of Data Elements.

`IDENTITY` has to go or to change under the Basic Profile (PS3.15 Table E.1-1), `KEPT` has to stay byte for
byte. Every text of `IDENTITY` holds one of `MARKERS`; in the file `###` becomes a running number.
"""

from __future__ import annotations

from tests.synthetic.encode import Row, uid

__all__ = [
    "CT_IMAGE",
    "IDENTITY",
    "INSTANCE",
    "KEPT",
    "LATE",
    "MARKER",
    "MARKERS",
    "NUMBERED",
    "SERIES",
    "STUDY",
]

MARKER = b"VEILME"
NUMBERED = MARKER + b"###"

# Text, UIDs (with the birth date inside), dates, times, and numbers such as height and weight.
MARKERS = (MARKER, b"2.999.19480317", b"194803", b"071342", b"867530")

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
STUDY = uid(19480317, 1)
SERIES = uid(19480317, 2)
INSTANCE = uid(19480317, 3)

IDENTITY: tuple[Row, ...] = (
    (0x00041130, "CS", "VEILME###"),  # File-set ID: a foreign group in a Data Set
    (0x00080000, "UL", 1234),  # group length, and a wrong one
    (0x00080012, "DA", "19480321"),
    (0x00080013, "TM", "071342"),
    (0x00080014, "UI", uid(19480317, 4)),
    (0x00080018, "UI", INSTANCE),
    (0x00080020, "DA", "19480321"),
    (0x00080021, "DA", "19480321"),
    (0x00080022, "DA", "19480321"),
    (0x00080023, "DA", "19480321"),
    (0x0008002A, "DT", "19480321071342.500000+0100"),
    (0x00080030, "TM", "071342.1"),
    (0x00080031, "TM", "071342.20"),
    (0x00080032, "TM", "071342.300"),
    (0x00080033, "TM", "071342.4000"),
    (0x00080050, "SH", "VEILME###"),
    (0x00080054, "AE", "VEILME###"),
    (0x00080080, "LO", "VEILME### Infirmary"),
    (0x00080081, "ST", "VEILME### Street\r\nVEILME### Town"),
    (0x00080090, "PN", "VEILME###^Rita^^Dr."),
    (0x00080092, "ST", "VEILME### Lane"),
    (0x00080094, "SH", "VEILME### 0555\\VEILME###"),
    (0x00081010, "SH", "VEILME###"),
    (0x00081030, "LO", "Thorax of VEILME###"),
    (0x0008103E, "LO", "Follow-up VEILME###"),
    (0x00081040, "LO", "Ward VEILME###"),
    (0x00081048, "PN", "VEILME###^Paula\\VEILME###^Peter"),
    (0x00081050, "PN", "VEILME###^Paul"),
    (0x00081060, "PN", "VEILME###^Rhea"),
    (0x00081070, "PN", "VEILME###^Olga"),
    (0x00081080, "LO", "VEILME### syndrome"),
    (0x00082111, "ST", "Made for VEILME###"),
    (0x00083010, "UI", uid(19480317, 5) + "\\" + uid(19480317, 6)),
    (0x00084000, "LT", "Known to VEILME###"),
    (0x0008F00E, "LO", "VEILME###"),  # even, and in no dictionary
    (0x00100000, "UL", 42),
    (0x00100010, "PN", "VEILME###^Zoë^von^Prof.=\u624b\u672c^VEILME###=VEILME###"),
    (0x00100020, "LO", "VEILME###/1948"),
    (0x00100021, "LO", "VEILME### Registry"),
    (0x00100030, "DA", "19480317"),
    (0x00100032, "TM", "071342"),
    (0x00101000, "LO", "VEILME###\\VEILME###"),
    (0x00101001, "PN", "VEILME###^Maiden"),
    (0x00101005, "PN", "VEILME###^Birth"),
    (0x00101020, "DS", "1.867530"),
    (0x00101030, "DS", "867530E-4"),
    (0x00101040, "UN", "VEILME### Avenue"),  # the tag decides, whatever the VR
    (0x00101060, "PN", "VEILME###^Mother"),
    (0x00101090, "LO", "VEILME###"),
    (0x00102000, "LO", "Allergic to VEILME###"),
    (0x00102150, "LO", "VEILME### Islands"),
    (0x00102154, "SH", "VEILME### 0555"),
    (0x00102155, "LT", "mailto:VEILME###@example.invalid"),
    (0x00102180, "SH", "VEILME###"),
    (0x001021B0, "LT", "Sister of VEILME###"),
    (0x001021F0, "LO", "VEILME###"),
    (0x00104000, "LT", "Please call VEILME###\f\r\nat once"),
    (0x00120010, "LO", "VEILME### Pharma"),
    (0x00120040, "LO", "VEILME###-007"),
    (0x00120062, "CS", "NO"),
    (0x00180010, "LO", "VEILME### contrast"),
    (0x00180015, "UN", "VEILME###"),  # an ordinary attribute with a VR that is not its own
    (0x00180031, "LT", "VEILME###"),  # the same: (0018,0031) is LO
    (0x00181000, "LO", "VEILME###"),
    (0x00181002, "UI", uid(19480317, 7)),
    (0x00181030, "LO", "Routine of VEILME###"),
    (0x00181200, "DA", "19480301\\19480302"),
    (0x00184000, "LT", "VEILME### moved"),
    (0x0020000D, "UI", STUDY),
    (0x0020000E, "UI", SERIES),
    (0x00200010, "SH", "VEILME###"),
    (0x00200052, "UI", uid(19480317, 8)),
    (0x00204000, "LT", "VEILME### again"),
    (0x00281199, "UI", uid(19480317, 9)),
    (0x00321032, "PN", "VEILME###^Ruth"),
    (0x00321060, "LO", "VEILME###"),
    (0x00324000, "LT", "VEILME###"),
    (0x00380010, "LO", "VEILME###"),
    (0x00380300, "LO", "Room VEILME###"),
    (0x00384000, "LT", "Visited by VEILME###"),
    (0x00400244, "DA", "19480321"),
    (0x00400245, "TM", "071342"),
    (0x00400253, "SH", "VEILME###"),
    (0x00400254, "LO", "VEILME###"),
    (0x00402016, "LO", "VEILME###"),
    (0x0040A124, "UI", uid(19480317, 10)),
    (0x0040E012, "UR", "https://example.invalid/VEILME###"),
    (0x00880140, "UI", uid(19480317, 11)),
    (0x00880904, "LO", "VEILME###"),
    (0x40084000, "ST", "VEILME### was here"),
    (0x50000005, "US", 2),
    (0x50000022, "LO", "Curve of VEILME###"),
    (0x50003000, "OW", "VEILME### as samples"),
    (0x50FE0022, "LO", "VEILME###"),
    # Without Overlay Data (X) the rest of the group describes nothing: the whole group goes.
    (0x60000010, "US", 64),
    (0x60000011, "US", 64),
    (0x60000040, "CS", "G"),
    (0x60000050, "SS", (1, 1)),
    (0x60000100, "US", 1),
    (0x60000102, "US", 0),
    (0x60003000, "OW", b"VEILME### drawn in bits ".ljust(512, b"\x55")),
    (0x60004000, "LT", "VEILME###"),
)

KEPT: tuple[Row, ...] = (
    (0x00080005, "CS", "ISO_IR 192"),
    (0x00080008, "CS", "ORIGINAL\\PRIMARY\\AXIAL"),
    (0x00080016, "UI", CT_IMAGE),
    (0x00080060, "CS", "CT"),
    (0x00080070, "LO", "Example Imaging"),
    (0x00081090, "LO", "Tomograph \u00dcber 64"),
    (0x00180022, "CS", "HELICAL MODE"),
    (0x00180050, "DS", "1.250"),
    (0x00180060, "DS", " 120 "),  # spaces on both sides: legal, and not to be tidied
    (0x00180090, "DS", "500"),
    (0x00181020, "LO", "1.2.3\\4.5"),
    (0x00181150, "IS", "+500"),
    (0x00181160, "SH", ""),
    (0x00181210, "SH", "B30f"),
    (0x00185100, "CS", "HFS"),
    (0x00189345, "FD", 7.25),
    (0x00200011, "IS", "2"),
    (0x00200012, "IS", ""),
    (0x00200013, "IS", "77"),
    (0x00200032, "DS", "-16.0\\-16.0\\-300.5"),
    (0x00200037, "DS", "1\\0\\0\\0\\1\\0"),
    (0x00201040, "LO", ""),
    (0x00201041, "DS", "-300.5"),
    (0x00280002, "US", 1),
    (0x00280004, "CS", "MONOCHROME2"),
    (0x00280010, "US", 64),
    (0x00280011, "US", 64),
    (0x00280030, "DS", "0.5\\0.5"),
    (0x00280100, "US", 16),
    (0x00280101, "US", 16),
    (0x00280102, "US", 15),
    (0x00280103, "US", 1),
    (0x00280106, "SS", -1024),
    (0x00280301, "CS", "NO"),
    (0x00281050, "DS", "40\\-600"),
    (0x00281051, "DS", "400\\1200"),
    (0x00281052, "DS", "-1024"),
    (0x00281053, "DS", "1"),
    (0x00281054, "LO", "HU"),
)

# Behind Pixel Data, where many tools have stopped looking.
LATE: tuple[Row, ...] = (
    (0x7FE10010, "LO", "VEILME### LATE"),
    (0x7FE11001, "UT", "VEILME### behind the pixels"),
    (0xE1FF1001, "LO", "VEILME###"),
    (0xFFFCFFFC, "OB", b"VEILME### in the padding".ljust(64, b"\0")),
)

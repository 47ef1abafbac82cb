"""The tables of the Standard (PS3.3, PS3.4, PS3.6, PS3.15 Tables E.1-1, E.3.4-1 and E.3.10-1) as Python functions.

Nothing is built on import: the tables are C arrays, and each function searches them. The built-in ones are in force
unless `dcmveil.resources` has loaded others. Tags are integers 0xGGGGEEEE; a set of VRs is an integer with bit
(1 << index) for each, the index counting the VRs alphabetically from 0.
"""

from libc.stdint cimport int32_t, uint8_t, uint32_t
from libc.stdlib cimport bsearch
from libc.string cimport memcmp, strcmp, strlen
from dcmveil.tables cimport *

cdef const char *DICOM_ROOT = b"1.2.840.10008"
tables = dcmveil_builtin
cdef bint in_use = False

cdef enum:
    UNKNOWN_IOD = -1


cdef void use_tables() noexcept:
    """From now on they stay: somebody keeps what they say."""
    global in_use
    in_use = True


cdef int set_tables(const dcmveil_tables *new) except -1:
    """Put others in force. RuntimeError after `use_tables`."""
    global tables
    if in_use:
        raise RuntimeError("tables can be loaded once, and before the first Policy is made")
    tables = new[0]
    return 0


# Searching. All rows begin with their key, so three comparisons serve all tables.

cdef int compare_tags(const void *key, const void *row) noexcept nogil:
    cdef uint32_t a = (<const uint32_t *>key)[0], b = (<const uint32_t *>row)[0]
    return (a > b) - (a < b)


cdef int compare_pairs(const void *key, const void *row) noexcept nogil:
    cdef int first = compare_tags(key, row)
    return first if first else compare_tags(<const uint32_t *>key + 1, <const uint32_t *>row + 1)


cdef int compare_texts(const void *key, const void *row) noexcept nogil:
    return strcmp(<const char *>key, (<const char *const *>row)[0])


cdef inline bint private(uint32_t tag) noexcept nogil:
    # Patterns such as 60xx are of even groups only (PS3.5 7.8.1: odd groups are private).
    return (tag >> 16) & 1


cdef const dcmveil_attribute *find_attribute(uint32_t tag) noexcept nogil:
    cdef size_t i
    cdef const void *row = bsearch(
        &tag, tables.dictionary, tables.dictionary_exact_count, sizeof(dcmveil_attribute), compare_tags)
    if row != NULL or private(tag):
        return <const dcmveil_attribute *>row
    for i in range(tables.dictionary_exact_count, tables.dictionary_count):
        if tag & tables.dictionary[i].mask == tables.dictionary[i].tag:
            return &tables.dictionary[i]
    return NULL


cdef const dcmveil_profile_row *find_profile_row(uint32_t tag) noexcept nogil:
    cdef size_t i
    cdef const void *row = bsearch(
        &tag, tables.confidentiality, tables.confidentiality_exact_count, sizeof(dcmveil_profile_row), compare_tags)
    if row != NULL or private(tag):
        return <const dcmveil_profile_row *>row
    for i in range(tables.confidentiality_exact_count, tables.confidentiality_count):
        if tag & tables.confidentiality[i].mask == tables.confidentiality[i].tag:
            return &tables.confidentiality[i]
    return NULL


cdef uint32_t canonical(uint32_t tag) noexcept nogil:
    # The tag as the tables of Types write it: a repeating group is written 5000 or 6000.
    cdef const dcmveil_profile_row *row = find_profile_row(tag)
    return tag & row.mask if row != NULL else tag


cdef int32_t find_iod(const char *sop_class) noexcept nogil:
    cdef const dcmveil_sop_class *row = <const dcmveil_sop_class *>bsearch(
        sop_class, tables.sop_classes, tables.sop_classes_count, sizeof(dcmveil_sop_class), compare_texts)
    return row.iod if row != NULL else UNKNOWN_IOD


cdef int find_iod_type(int32_t iod, uint32_t tag) noexcept nogil:
    cdef uint32_t[2] key
    key[0] = <uint32_t>iod
    key[1] = canonical(tag)
    cdef const dcmveil_iod_type *row = <const dcmveil_iod_type *>bsearch(
        key, tables.iod_types, tables.iod_types_count, sizeof(dcmveil_iod_type), compare_pairs)
    return row.type if row != NULL else 3


cdef int find_nested_type(uint32_t parent, uint32_t tag) noexcept nogil:
    cdef uint32_t[2] key
    key[0] = parent
    key[1] = canonical(tag)
    cdef const dcmveil_nested_type *row = <const dcmveil_nested_type *>bsearch(
        key, tables.nested_types, tables.nested_types_count, sizeof(dcmveil_nested_type), compare_pairs)
    return row.type if row != NULL else 3


# For Python.

cdef bytes key_of(str text):
    # A text as a C string that no other text shares; what cannot be in a table becomes what is in none.
    cdef bytes key = text.encode("ascii", "replace")
    return b"" if b"\0" in key else key


def keyword(tag: int) -> str | None:
    """Keyword of a Data Element (PS3.6), such as PatientID; None if the tag is unknown or has no keyword."""
    cdef const dcmveil_attribute *row = find_attribute(tag)
    return row.keyword.decode("ascii") if row != NULL and row.keyword[0] else None


def dictionary_vrs(tag: int) -> int:
    """The VRs the dictionary allows, as a bit set; 0 if the tag is unknown."""
    cdef const dcmveil_attribute *row = find_attribute(tag)
    return row.vrs if row != NULL else 0


def dictionary_vr(tag: int) -> str | None:
    """The first VR the dictionary gives; None if the tag is unknown."""
    cdef const dcmveil_attribute *row = find_attribute(tag)
    return vr_name(row.vr) if row != NULL else None


def find_tag(keyword: str) -> int | None:
    """The tag with this keyword, None if there is none. A repeating group comes as its first (60xx as 6000)."""
    cdef bytes wanted = key_of(keyword)
    cdef const char *text = wanted
    cdef size_t i
    if not wanted:
        return None
    for i in range(tables.dictionary_count):
        if strcmp(text, tables.dictionary[i].keyword) == 0:
            return tables.dictionary[i].tag
    return None


def vr_name(index: int) -> str:
    """The VR with this index, counted alphabetically. IndexError if there is none."""
    cdef Py_ssize_t i = index
    if not 0 <= i < <Py_ssize_t>dcmveil_vr_names_count:
        raise IndexError("no VR has this index")
    return dcmveil_vr_names[i].decode("ascii")


def vr_index(name: str) -> int:
    """The index of a VR, counted alphabetically. ValueError if it is not a VR."""
    cdef bytes wanted = key_of(name)
    cdef size_t i
    for i in range(dcmveil_vr_names_count):
        if wanted == dcmveil_vr_names[i]:
            return i
    raise ValueError("not a VR of PS3.5 section 6.2")


cdef bint registered(bytes uid):
    cdef const char *text = uid
    return bsearch(text, tables.uids, tables.uids_count, sizeof(dcmveil_uid), compare_texts) != NULL


def is_well_known_uid(uid: bytes) -> bool:
    """Whether a UID is the Standard's own: of PS3.6 Annex A, or under the DICOM root 1.2.840.10008."""
    cdef const char *text = uid
    cdef size_t length = len(uid), root = strlen(DICOM_ROOT)
    if strlen(text) != length:
        return False
    if length >= root and memcmp(text, DICOM_ROOT, root) == 0 and text[root] in b".\0":
        return True
    return registered(uid)


def transfer_syntax_flags(uid: str) -> int | None:
    """Flags of a Transfer Syntax, None if it is not one of PS3.6.

    1 Implicit VR, 2 Big Endian, 4 encapsulated Pixel Data, 8 deflated Data Set, 16 Pixel Data elsewhere (JPIP),
    32 no encoding of a Data Set in a file. Explicit VR Little Endian is 0.
    """
    cdef bytes wanted = key_of(uid)
    cdef const char *text = wanted
    cdef const dcmveil_transfer_syntax *row = <const dcmveil_transfer_syntax *>bsearch(
        text, tables.transfer_syntaxes, tables.transfer_syntaxes_count, sizeof(dcmveil_transfer_syntax),
        compare_texts)
    return row.flags if row != NULL else None


def iod_of(sop_class: str) -> int:
    """Number of the IOD of a SOP Class; -1 if the SOP Class, or which modules its IOD has, is unknown."""
    cdef bytes wanted = key_of(sop_class)
    return find_iod(wanted)


def iod_type(iod: int, tag: int) -> int:
    """The strictest Type (1, 2 or 3) of an Attribute of Table E.1-1 at top level over all modules of the IOD.

    1C counts as 1 and 2C as 2; an Attribute the IOD does not have is 3.
    """
    return find_iod_type(iod, tag)


def nested_type(parent: int, tag: int) -> int:
    """The strictest Type (1, 2 or 3) of an Attribute in an Item of the Sequence `parent`; as in iod_type."""
    return find_nested_type(parent, tag)


cdef dict options_of(const uint8_t *basic, const char *const *names, size_t count):
    # The Options' columns follow `basic`, one byte each, in the order of the names.
    cdef const uint8_t *codes = basic + 1
    cdef size_t i
    return {
        names[i].decode("ascii"): dcmveil_action_names[codes[i]].decode("ascii")
        for i in range(count) if codes[i]
    }


def confidentiality() -> list[tuple[int, int, str, dict[str, str]]]:
    """Table E.1-1: (tag, mask, action of the Basic Profile, {Option: its action}) for each row.

    Rows of one tag have mask 0xFFFFFFFF; the row of a repeating group holds for a tag where tag & mask is the row's.
    """
    cdef const dcmveil_profile_row *row
    cdef size_t i
    rows = []
    for i in range(tables.confidentiality_count):
        row = &tables.confidentiality[i]
        options = options_of(&row.basic, dcmveil_option_names, dcmveil_option_names_count)
        rows.append((row.tag, row.mask, dcmveil_action_names[row.basic].decode("ascii"), options))
    return rows


def structured_content() -> list[tuple[bytes, bytes, bytes, str, str, dict[str, str]]]:
    """Table E.3.4-1: (scheme, code, SRT code, Value Type, action of the Basic Profile, {Option: action}) by concept.

    The scheme is a Coding Scheme Designator without a version. The SRT code is the retired form of a code of scheme
    SCT, and empty for other schemes.
    """
    cdef const dcmveil_content_row *row
    cdef size_t i
    rows = []
    for i in range(tables.structured_content_count):
        row = &tables.structured_content[i]
        options = options_of(&row.basic, dcmveil_content_option_names, dcmveil_content_option_names_count)
        rows.append((<bytes>row.scheme, <bytes>row.code, <bytes>row.srt_code, row.value_type.decode("ascii"),
                     dcmveil_action_names[row.basic].decode("ascii"), options))
    return rows


def safe_private() -> list[tuple[bytes, int, int, int]]:
    """Table E.3.10-1: (Private Creator, group, low byte of the element, set of VRs) of safe private Attributes.

    The set is 0 where the table names no VR.
    """
    cdef const dcmveil_safe_attribute *row
    cdef size_t i
    rows = []
    for i in range(tables.safe_private_count):
        row = &tables.safe_private[i]
        rows.append((<bytes>row.creator, row.group, row.low_byte, row.vrs))
    return rows


def attributes() -> list[tuple[int, int, int]]:
    """(tag, mask, set of VRs) of each Attribute of the dictionary; the mask as in `confidentiality`."""
    cdef size_t i
    return [
        (tables.dictionary[i].tag, tables.dictionary[i].mask, tables.dictionary[i].vrs)
        for i in range(tables.dictionary_count)
    ]


def gaps() -> list[tuple[int, str]]:
    """(tag, role) of the UI, DA, DT, TM and PN Attributes that Table E.1-1 does not list."""
    cdef size_t i
    return [
        (tables.gaps[i].tag, dcmveil_role_names[tables.gaps[i].role].decode("ascii"))
        for i in range(tables.gaps_count)
    ]


def nested_types() -> list[tuple[int, int, int]]:
    """(Sequence, tag, Type) of the Attributes of Table E.1-1 in Items."""
    cdef size_t i
    return [
        (tables.nested_types[i].parent, tables.nested_types[i].tag, tables.nested_types[i].type)
        for i in range(tables.nested_types_count)
    ]


def module_types() -> list[tuple[str, int, int]]:
    """(module, tag, Type) of the Attributes of Table E.1-1 at the top level of modules."""
    cdef size_t i
    return [
        (tables.module_types[i].module.decode("ascii"), tables.module_types[i].tag, tables.module_types[i].type)
        for i in range(tables.module_types_count)
    ]


def iods() -> list[tuple[str, str]]:
    """(IOD, its modules with their usage, such as "M:patient U:device") by number of the IOD."""
    cdef size_t i
    return [
        (tables.iods[i].name.decode("ascii"), tables.iods[i].modules.decode("ascii")) for i in range(tables.iods_count)
    ]


def sop_classes() -> list[tuple[str, str]]:
    """(SOP Class UID, IOD), also where the modules of the IOD are not known."""
    cdef size_t i
    return [
        (tables.sop_classes[i].uid.decode("ascii"), tables.sop_classes[i].name.decode("ascii"))
        for i in range(tables.sop_classes_count)
    ]


def edition() -> str:
    """The edition of the Standard that the tables are of, such as 2026d; (site) if those loaded do not say."""
    return tables.edition.decode("ascii")


def codes() -> list[tuple[str, str, str]]:
    """(Code Value, Code Meaning, column of Table E.1-1) of the De-identification Methods, CID 7050."""
    cdef size_t i
    return [
        (tables.codes[i].value.decode("ascii"), tables.codes[i].meaning.decode("ascii"),
         tables.codes[i].column.decode("ascii"))
        for i in range(tables.codes_count)
    ]


cdef tuple dummy_row(const dcmveil_dummy_element *row):
    cdef int i
    path = tuple([row.path[i] for i in range(row.depth)])
    return path, vr_name(row.vr), row.value.decode("ascii")


def dummy_item(sequence: int) -> tuple[tuple[tuple[int, ...], str, str], ...] | None:
    """The elements of the dummy Item of a Sequence: (path from the Item down, VR, value as text), None if none.

    Numbers are decimal and separated by backslash, OB byte by byte; an SQ is an empty Sequence.
    """
    cdef uint32_t tag = sequence
    cdef size_t i
    rows = [dummy_row(&tables.dummy_items[i]) for i in range(tables.dummy_items_count)
            if tables.dummy_items[i].sequence == tag]
    return tuple(rows) if rows else None

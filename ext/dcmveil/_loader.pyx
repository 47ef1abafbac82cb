"""Puts tables of another edition in the place of the built-in ones: the arrays of `tables_reader` as C arrays.

The memory of what is loaded is that of Python objects which are never let go, since any module may keep a pointer
into it. Nothing stays in force that has not been checked as a whole.
"""
import struct

cimport cython

from dcmveil._tables cimport set_tables, tables, use_tables
from dcmveil.tables cimport *

cdef enum:
    DUMMY_DEPTH = 4             # tags that a `dcmveil_dummy_element` has room for

cdef list kept = []


@cython.internal
cdef class Store:
    """Rows as C structs, their texts, and the memory of both."""
    cdef list parts

    def __cinit__(self):
        self.parts = []

    cdef const void *rows(self, list rows, str layout, size_t size) except NULL:
        """The rows as an array of structs with the members of `layout` (module struct: native sizes and alignment)."""
        pack = struct.Struct("@" + layout).pack
        cdef bytes part = b"".join([pack(*self.members(row)).ljust(size, b"\0") for row in rows])
        if len(part) != len(rows) * <Py_ssize_t>size:
            raise SystemError("a row is larger than its struct")
        self.parts.append(part)
        return <const char *>part

    cdef list members(self, tuple row):
        cdef list found = []
        for member in row:
            if isinstance(member, str):
                found.append(<size_t>self.text(member))
            elif isinstance(member, tuple):
                found += [*member, *[0] * (DUMMY_DEPTH - len(member))]
            else:
                found.append(member)
        return found

    cdef const char *text(self, str text) except NULL:
        cdef bytes part = text.encode("ascii")
        self.parts.append(part)
        return part


cdef size_t count_exact(list rows) except? 0:
    return [row[1] for row in rows].count(0xFFFFFFFF)


cdef int fill_rules(dcmveil_tables *t, Store store, dict arrays) except -1:
    """What says what becomes of an Attribute."""
    if "dictionary" in arrays:
        rows = arrays["dictionary"]
        t.dictionary = <const dcmveil_attribute *>store.rows(rows, "IIQPBB", sizeof(dcmveil_attribute))
        t.dictionary_count = len(rows)
        t.dictionary_exact_count = count_exact(rows)
    if "confidentiality" in arrays:
        rows = arrays["confidentiality"]
        t.confidentiality = <const dcmveil_profile_row *>store.rows(rows, "II11B", sizeof(dcmveil_profile_row))
        t.confidentiality_count = len(rows)
        t.confidentiality_exact_count = count_exact(rows)
    if "gaps" in arrays:
        t.gaps = <const dcmveil_gap *>store.rows(arrays["gaps"], "IB", sizeof(dcmveil_gap))
        t.gaps_count = len(arrays["gaps"])
    return 0


cdef int fill_options(dcmveil_tables *t, Store store, dict arrays) except -1:
    """What only some of the Options look into."""
    if "safe_private" in arrays:
        rows = arrays["safe_private"]
        t.safe_private = <const dcmveil_safe_attribute *>store.rows(rows, "PHBQ", sizeof(dcmveil_safe_attribute))
        t.safe_private_count = len(rows)
    if "structured_content" in arrays:
        rows = arrays["structured_content"]
        t.structured_content = <const dcmveil_content_row *>store.rows(rows, "4P8B", sizeof(dcmveil_content_row))
        t.structured_content_count = len(rows)
    return 0


cdef int fill_uids(dcmveil_tables *t, Store store, dict arrays) except -1:
    if "uids" in arrays:
        t.uids = <const dcmveil_uid *>store.rows(arrays["uids"], "P", sizeof(dcmveil_uid))
        t.uids_count = len(arrays["uids"])
    if "transfer_syntaxes" in arrays:
        rows = arrays["transfer_syntaxes"]
        t.transfer_syntaxes = <const dcmveil_transfer_syntax *>store.rows(rows, "PI", sizeof(dcmveil_transfer_syntax))
        t.transfer_syntaxes_count = len(rows)
    return 0


cdef int fill_types(dcmveil_tables *t, Store store, dict arrays) except -1:
    """What IODs ask for."""
    if "iods" in arrays:
        t.iods = <const dcmveil_iod *>store.rows(arrays["iods"], "PP", sizeof(dcmveil_iod))
        t.iods_count = len(arrays["iods"])
    if "sop_classes" in arrays:
        t.sop_classes = <const dcmveil_sop_class *>store.rows(arrays["sop_classes"], "PiP", sizeof(dcmveil_sop_class))
        t.sop_classes_count = len(arrays["sop_classes"])
    if "iod_types" in arrays:
        t.iod_types = <const dcmveil_iod_type *>store.rows(arrays["iod_types"], "iIB", sizeof(dcmveil_iod_type))
        t.iod_types_count = len(arrays["iod_types"])
    if "module_types" in arrays:
        rows = arrays["module_types"]
        t.module_types = <const dcmveil_module_type *>store.rows(rows, "PIB", sizeof(dcmveil_module_type))
        t.module_types_count = len(rows)
    if "nested_types" in arrays:
        rows = arrays["nested_types"]
        t.nested_types = <const dcmveil_nested_type *>store.rows(rows, "IIB", sizeof(dcmveil_nested_type))
        t.nested_types_count = len(rows)
    return 0


cdef int fill_own(dcmveil_tables *t, Store store, dict arrays) except -1:
    """What is written by the De-identifier itself."""
    if "dummy_items" in arrays:
        rows = arrays["dummy_items"]
        t.dummy_items = <const dcmveil_dummy_element *>store.rows(rows, "IB4IBP", sizeof(dcmveil_dummy_element))
        t.dummy_items_count = len(rows)
    if "codes" in arrays:
        t.codes = <const dcmveil_code *>store.rows(arrays["codes"], "PPP", sizeof(dcmveil_code))
        t.codes_count = len(arrays["codes"])
    return 0


def load(arrays: dict, edition: str, check) -> None:
    """Put arrays in force for the rest of the process; those that are not in `arrays` stay as they are built in.

    `check` is called without arguments when the new ones are in force; if it raises anything, the old ones are again.
    Raises RuntimeError once a Policy has been made, or other tables have been loaded.
    """
    cdef dcmveil_tables old = tables, new = dcmveil_builtin
    cdef Store store = Store()
    new.edition = store.text(edition)
    fill_rules(&new, store, arrays)
    fill_options(&new, store, arrays)
    fill_uids(&new, store, arrays)
    fill_types(&new, store, arrays)
    fill_own(&new, store, arrays)
    kept.append(store)
    set_tables(&new)
    try:
        check()
    except BaseException:
        set_tables(&old)
        raise
    use_tables()

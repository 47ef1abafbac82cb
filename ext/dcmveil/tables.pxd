# The tables of ext/tables as C arrays (tables.h is written at build time by ext/tables/generate.py).
#
# `dcmveil_builtin` has a pointer to each; those in force are `tables` of _tables.pxd, and only these are looked into.
# Arrays are sorted by their first members. In those with masks the exact tags (mask 0xFFFFFFFF) come first, sorted,
# `*_exact_count` of them; behind them the patterns, sorted, which match where `(tag & mask) == pattern.tag`.
# A set of VRs has bit (1 << index) per VR; the index is the place in `dcmveil_vr_names` (alphabetical).
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "tables.h" nogil:
    const char *const dcmveil_vr_names[]
    const size_t dcmveil_vr_names_count
    # By the two letters, five bits each: number of the VR or 0xFF, and 0x100 if the Value Length has 32 bits.
    const uint16_t dcmveil_vr_codes[]

    # PS3.6 and PS3.7. `vr` is the index of the first alternative of `vrs`, `most` how many Values there may be, or 0.
    ctypedef struct dcmveil_attribute:
        uint32_t tag
        uint32_t mask
        uint64_t vrs
        const char *keyword
        uint8_t vr
        uint8_t most

    # PS3.15 Table E.1-1. Action codes number `dcmveil_action_names`; the Options come in the order of
    # `dcmveil_option_names`.
    enum:
        DCMVEIL_ACTION_NONE
        DCMVEIL_ACTION_X
        DCMVEIL_ACTION_Z
        DCMVEIL_ACTION_D
        DCMVEIL_ACTION_U
        DCMVEIL_ACTION_K
        DCMVEIL_ACTION_C
        DCMVEIL_ACTION_X_Z
        DCMVEIL_ACTION_X_D
        DCMVEIL_ACTION_Z_D
        DCMVEIL_ACTION_X_Z_D
        DCMVEIL_ACTION_X_Z_U_
    const char *const dcmveil_action_names[]
    const size_t dcmveil_action_names_count
    const char *const dcmveil_option_names[]
    const size_t dcmveil_option_names_count
    ctypedef struct dcmveil_profile_row:
        uint32_t tag
        uint32_t mask
        uint8_t basic
        uint8_t rtn_safe_priv
        uint8_t rtn_uids
        uint8_t rtn_dev_id
        uint8_t rtn_inst_id
        uint8_t rtn_pat_chars
        uint8_t rtn_full_dates
        uint8_t rtn_modif_dates
        uint8_t clean_desc
        uint8_t clean_struct
        uint8_t clean_graph

    # UI, DA, DT, TM and PN Attributes that are not in Table E.1-1, with the role their Values have.
    enum:
        DCMVEIL_ROLE_STRUCTURAL
        DCMVEIL_ROLE_INSTANCE_REFERENCE
        DCMVEIL_ROLE_INSTANCE_SCOPED
        DCMVEIL_ROLE_INSTANCE_OR_WELL_KNOWN
        DCMVEIL_ROLE_ORGANIZATION_OR_EQUIPMENT
        DCMVEIL_ROLE_AMBIGUOUS
        DCMVEIL_ROLE_TEMPLATE
        DCMVEIL_ROLE_TEMPORAL
        DCMVEIL_ROLE_PERSON_NAME
    const char *const dcmveil_role_names[]
    const size_t dcmveil_role_names_count
    ctypedef struct dcmveil_gap:
        uint32_t tag
        uint8_t role

    # PS3.6 Annex A. Sorted as strcmp sorts.
    ctypedef struct dcmveil_uid:
        const char *uid
    enum:
        DCMVEIL_IMPLICIT
        DCMVEIL_BIG_ENDIAN
        DCMVEIL_ENCAPSULATED
        DCMVEIL_DEFLATED
        DCMVEIL_REFERENCED_PIXEL
        DCMVEIL_UNUSABLE            # names no encoding of a Data Set in a file
    ctypedef struct dcmveil_transfer_syntax:
        const char *uid
        uint32_t flags

    # PS3.3: the Types of the Attributes of Table E.1-1, 1 (also 1C), 2 (also 2C), 3. `iod` is the place in `iods`;
    # -1 is an IOD whose modules are not known. `iod_types` is the join of `iods` (modules as "M:patient C:device ...")
    # and `module_types`, which are there for a join with tables of another edition; it has no Type 3: absent is 3.
    ctypedef struct dcmveil_iod:
        const char *name
        const char *modules
    ctypedef struct dcmveil_sop_class:
        const char *uid
        int32_t iod
        const char *name
    ctypedef struct dcmveil_module_type:
        const char *module
        uint32_t tag
        uint8_t type
    ctypedef struct dcmveil_iod_type:
        int32_t iod
        uint32_t tag
        uint8_t type
    ctypedef struct dcmveil_nested_type:
        uint32_t parent
        uint32_t tag
        uint8_t type

    # The dummy Items for action D on a Sequence, element by element in the order of encoding. `path` holds `depth`
    # tags from the Item down; `vr` is the VR of the last. SQ is an empty Sequence.
    ctypedef struct dcmveil_dummy_element:
        uint32_t sequence
        uint8_t depth
        uint32_t path[4]
        uint8_t vr
        const char *value

    # PS3.16 CID 7050, with the column of Table E.1-1 each code stands for.
    ctypedef struct dcmveil_code:
        const char *value
        const char *meaning
        const char *column

    # PS3.15 Table E.3.10-1: private Attributes known to be safe. `vrs` is 0 where the table names no VR.
    ctypedef struct dcmveil_safe_attribute:
        const char *creator
        uint16_t group
        uint8_t low_byte
        uint64_t vrs

    # PS3.15 Table E.3.4-1: the concepts of Content Items. `srt_code` is empty where the scheme is not SCT; the Options
    # come in the order of `dcmveil_content_option_names`.
    const char *const dcmveil_content_option_names[]
    const size_t dcmveil_content_option_names_count
    ctypedef struct dcmveil_content_row:
        const char *scheme
        const char *code
        const char *srt_code
        const char *value_type
        uint8_t basic
        uint8_t rtn_uids
        uint8_t rtn_dev_id
        uint8_t rtn_inst_id
        uint8_t rtn_pat_chars
        uint8_t rtn_full_dates
        uint8_t rtn_modif_dates
        uint8_t clean_desc

    ctypedef struct dcmveil_tables:
        const char *edition             # of PS3.15, such as 2026d
        const dcmveil_attribute *dictionary
        size_t dictionary_count
        size_t dictionary_exact_count
        const dcmveil_profile_row *confidentiality
        size_t confidentiality_count
        size_t confidentiality_exact_count
        const dcmveil_gap *gaps
        size_t gaps_count
        const dcmveil_uid *uids
        size_t uids_count
        const dcmveil_transfer_syntax *transfer_syntaxes
        size_t transfer_syntaxes_count
        const dcmveil_iod *iods
        size_t iods_count
        const dcmveil_sop_class *sop_classes
        size_t sop_classes_count
        const dcmveil_iod_type *iod_types
        size_t iod_types_count
        const dcmveil_module_type *module_types
        size_t module_types_count
        const dcmveil_nested_type *nested_types
        size_t nested_types_count
        const dcmveil_dummy_element *dummy_items
        size_t dummy_items_count
        const dcmveil_code *codes
        size_t codes_count
        const dcmveil_safe_attribute *safe_private
        size_t safe_private_count
        const dcmveil_content_row *structured_content
        size_t structured_content_count
    const dcmveil_tables dcmveil_builtin

# The tables of ext/tables as C arrays (tables.h is written at build time by ext/tables/generate.py).
#
# Arrays are sorted by their first members. In those with masks the exact tags (mask 0xFFFFFFFF) come first, sorted,
# `*_exact_count` of them; behind them the patterns, sorted, which match where `(tag & mask) == pattern.tag`.
# A set of VRs has bit (1 << index) per VR; the index is the place in `dcmveil_vr_names` (alphabetical).
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "tables.h" nogil:
    const char *const dcmveil_vr_names[]
    const size_t dcmveil_vr_names_count
    # By the two letters, five bits each: number of the VR or 0xFF, and 0x100 if the Value Length has 32 bits.
    const uint16_t dcmveil_vr_codes[]
    const size_t dcmveil_vr_codes_count

    # PS3.6 and PS3.7. `vr` is the index of the first alternative of `vrs`.
    ctypedef struct dcmveil_attribute:
        uint32_t tag
        uint32_t mask
        uint64_t vrs
        const char *keyword
        uint8_t vr
    const dcmveil_attribute dcmveil_dictionary[]
    const size_t dcmveil_dictionary_count
    const size_t dcmveil_dictionary_exact_count

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
    const dcmveil_profile_row dcmveil_confidentiality[]
    const size_t dcmveil_confidentiality_count
    const size_t dcmveil_confidentiality_exact_count

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
    const dcmveil_gap dcmveil_gaps[]
    const size_t dcmveil_gaps_count

    # PS3.6 Annex A. Sorted as strcmp sorts.
    const char *const dcmveil_uids[]
    const size_t dcmveil_uids_count
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
    const dcmveil_transfer_syntax dcmveil_transfer_syntaxes[]
    const size_t dcmveil_transfer_syntaxes_count

    # PS3.3: the Types of the Attributes of Table E.1-1, 1 (also 1C), 2 (also 2C), 3. `iod` numbers `dcmveil_iods`;
    # -1 is an IOD whose modules are not known. `dcmveil_iod_types` has no Type 3: absent is 3.
    const char *const dcmveil_iods[]
    const size_t dcmveil_iods_count
    ctypedef struct dcmveil_sop_class:
        const char *uid
        int32_t iod
    const dcmveil_sop_class dcmveil_sop_classes[]
    const size_t dcmveil_sop_classes_count
    ctypedef struct dcmveil_iod_type:
        int32_t iod
        uint32_t tag
        uint8_t type
    const dcmveil_iod_type dcmveil_iod_types[]
    const size_t dcmveil_iod_types_count
    ctypedef struct dcmveil_nested_type:
        uint32_t parent
        uint32_t tag
        uint8_t type
    const dcmveil_nested_type dcmveil_nested_types[]
    const size_t dcmveil_nested_types_count

    # The dummy Items for action D on a Sequence, element by element in the order of encoding. `path` holds `depth`
    # tags from the Item down; `vr` is the VR of the last. SQ is an empty Sequence.
    ctypedef struct dcmveil_dummy_element:
        uint32_t sequence
        uint8_t depth
        uint32_t path[4]
        uint8_t vr
        const char *value
    const dcmveil_dummy_element dcmveil_dummy_items[]
    const size_t dcmveil_dummy_items_count

    # PS3.16 CID 7050, with the column of Table E.1-1 each code stands for.
    ctypedef struct dcmveil_code:
        const char *value
        const char *meaning
        const char *column
    const dcmveil_code dcmveil_codes[]
    const size_t dcmveil_codes_count

# State and tokens of the Scanner, shared by its parts: _preface (before the Data Set) and _scanner (the rest).
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dcmveil.wire cimport LONG_FORM, be16, be32, le16, le32, read_vr

cdef enum:
    UNBOUNDED = 0xFFFFFFFFFFFFFFFF
    PENDING_SIZE = 160          # more than the longest header, preface or Transfer Syntax element looked at whole

cdef enum ScanState:
    STATE_PREFIX                # 128 bytes of preamble and DICM, or neither
    STATE_META                  # File Meta Information, group 0002
    STATE_DETECT                # no Transfer Syntax UID: guess from the first element
    STATE_GIVEN                 # nothing stands before the Data Set, and its Transfer Syntax is known from elsewhere
    STATE_DATASET

cdef enum FrameKind:
    FRAME_SEQUENCE              # the first two hold Items, the others Data Elements
    FRAME_FRAGMENTS
    FRAME_ITEM
    FRAME_ROOT

cdef enum TokenKind:
    TOKEN_PREAMBLE
    TOKEN_META                  # a Data Element of the File Meta Information
    TOKEN_DATASET               # the Data Set begins here (no bytes)
    TOKEN_ELEMENT               # header of a Data Element; its Value is passed over unless entered
    TOKEN_ITEM
    TOKEN_FRAGMENT
    TOKEN_ITEM_END              # delimiter, or the end of a defined length (no bytes)
    TOKEN_SEQUENCE_END

cdef enum Status:
    STATUS_OK                   # a token; or, from a sink: go on
    STATUS_NEED                 # more bytes wanted
    STATUS_AGAIN                # state changed, nothing to tell
    STATUS_PAUSE                # from a sink: return to the caller now
    STATUS_FAILED               # Scan.error says why
    STATUS_MEMORY
    STATUS_LIMIT

cdef enum ScanError:
    ERROR_NONE
    ERROR_NOT_DICOM
    ERROR_TRANSFER_SYNTAX
    ERROR_META_LENGTH
    ERROR_NO_VR
    ERROR_PAST_PARENT
    ERROR_HEADER_PAST_PARENT
    ERROR_UNDEFINED_LENGTH
    ERROR_NOT_AN_ITEM
    ERROR_STRAY_DELIMITER
    ERROR_DELIMITER_LENGTH
    ERROR_DEPTH
    ERROR_TRUNCATED_HEADER
    ERROR_TRUNCATED_VALUE
    ERROR_UNCLOSED
    ERROR_EMPTY

cdef struct Frame:
    uint64_t stop               # first byte after the content; of the nearest enclosing defined length if undefined
    uint32_t tag                # of the Sequence
    uint32_t items              # Items met so far
    uint8_t kind
    uint8_t defined
    uint8_t encoding

cdef struct Token:
    uint64_t start              # offset of the header
    uint32_t tag
    uint32_t length             # Value Length as it stands on the wire
    uint8_t kind
    uint8_t vr                  # VR number, VR_IMPLICIT or VR_INVALID
    uint8_t header              # bytes
    uint8_t encoding
    uint8_t entered             # 0, or 1 + FrameKind for an undefined length, whose content follows as tokens

cdef struct Scan:
    uint64_t pos                # offset of the next byte to look at
    uint64_t skip               # bytes of the current Value still to pass
    uint64_t meta_stop          # where (0002,0000) says that the File Meta Information ends, or 0
    uint64_t dataset_start
    uint64_t error_offset
    uint32_t tag                # of the element looked at last
    uint32_t depth
    uint32_t max_frames
    uint32_t frames_room
    int transfer_syntax         # index into the table of Transfer Syntaxes, -1 unknown
    int error
    uint8_t state
    uint8_t has_preamble
    uint8_t capture             # the sink wants the bytes of the current Value
    uint8_t need                # bytes wanted in one piece, with STATUS_NEED
    uint8_t held                # bytes in `pending`
    uint8_t pending[PENDING_SIZE]
    Frame *frames

cdef inline int wait(Scan *s, uint8_t need) noexcept nogil:
    s.need = need
    return STATUS_NEED


cdef inline int fail(Scan *s, int error) noexcept nogil:
    s.error = error
    s.error_offset = s.pos
    return STATUS_FAILED


cdef inline int read_explicit(Scan *s, const uint8_t *p, size_t n, Token *t, bint big) noexcept nogil:
    """Header of an Explicit VR element (PS3.5 7.1.2), 8 bytes of which are there. STATUS_OK, or wait for 12."""
    cdef uint16_t code = read_vr(p + 4)
    t.vr = code & 0xFF
    if code & LONG_FORM:
        if n < 12:
            return wait(s, 12)
        t.header = 12
        t.length = be32(p + 8) if big else le32(p + 8)
    else:
        t.header = 8
        t.length = be16(p + 6) if big else le16(p + 6)
    return STATUS_OK

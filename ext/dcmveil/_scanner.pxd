# The Scanner's C interface: a sans-IO tokenizer of DICOM byte streams (see _scanner.pyx for the machine).
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    UNBOUNDED = 0xFFFFFFFFFFFFFFFF
    PENDING_SIZE = 160          # more than the longest header, preface or Transfer Syntax element looked at whole

cdef enum ScanState:
    STATE_PREFIX                # 128 bytes of preamble and DICM, or neither
    STATE_META                  # File Meta Information, group 0002
    STATE_DETECT                # no Transfer Syntax UID: guess from the first element
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
    int transfer_syntax         # index into the table of Transfer Syntaxes, -1 unknown
    int error
    uint8_t state
    uint8_t has_preamble
    uint8_t capture             # the sink wants the bytes of the current Value
    uint8_t need                # bytes wanted in one piece, with STATUS_NEED
    uint8_t held                # bytes in `pending`
    uint8_t pending[PENDING_SIZE]
    Frame *frames

ctypedef int (*TokenSink)(void *context, Token *token) noexcept nogil
ctypedef int (*ValueSink)(void *context, const uint8_t *data, size_t size) noexcept nogil

cdef int scan_open(Scan *s, uint32_t max_depth) noexcept nogil
cdef void scan_close(Scan *s) noexcept nogil
cdef int scan_feed(Scan *s, const uint8_t *p, size_t n, size_t *used,
                   TokenSink on_token, ValueSink on_value, void *context) noexcept nogil
cdef int scan_advance(Scan *s, uint64_t n) noexcept nogil
cdef int scan_finish(Scan *s, TokenSink on_token, ValueSink on_value, void *context) noexcept nogil
cdef int scan_enter(Scan *s, const Token *t, uint8_t encoding) noexcept nogil
cdef uint64_t scan_ahead(const Scan *s) noexcept nogil
cdef object scan_exception(const Scan *s)

"""Scanner: an incremental, sans-IO tokenizer of DICOM byte streams (PS3.5 sections 6 and 7, PS3.10 section 7).

How the machine gets to the Data Set is told in `_preface`. From there on it is a stack of frames: ROOT and ITEM hold
Data Elements, SEQUENCE and FRAGMENTS hold Items. A frame of defined length ends where its length says; one of
undefined length at its delimiter.

Each step looks at one header and yields one token. The Value that follows is passed over (`Scan.skip`): its bytes
need not be shown, so a caller that can seek may `scan_advance` instead. Only a Sequence is ever looked into:
always when its length is undefined, else when the sink calls `scan_enter`. The Scanner knows no dictionary: what an
Implicit VR element of defined length is, the sink must say.

Lengths are compared by subtraction from what is left of the enclosing frame. Nothing is allocated but for frames that
are nested. Every step without a token either moves `pos`, pops a frame or changes the state: no input loops.
"""
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy, memmove, memset

from dcmveil._preface cimport find_transfer_syntax, scan_preface
from dcmveil.scan cimport (
    ERROR_DELIMITER_LENGTH,
    ERROR_DEPTH,
    ERROR_EMPTY,
    ERROR_HEADER_PAST_PARENT,
    ERROR_META_LENGTH,
    ERROR_NOT_AN_ITEM,
    ERROR_NOT_DICOM,
    ERROR_NO_VR,
    ERROR_PAST_PARENT,
    ERROR_STRAY_DELIMITER,
    ERROR_TRANSFER_SYNTAX,
    ERROR_TRUNCATED_HEADER,
    ERROR_TRUNCATED_VALUE,
    ERROR_UNCLOSED,
    ERROR_UNDEFINED_LENGTH,
    FRAME_FRAGMENTS,
    FRAME_ITEM,
    FRAME_ROOT,
    FRAME_SEQUENCE,
    STATE_DATASET,
    STATE_GIVEN,
    STATE_META,
    STATE_PREFIX,
    STATUS_AGAIN,
    STATUS_LIMIT,
    STATUS_MEMORY,
    STATUS_NEED,
    STATUS_OK,
    TOKEN_ELEMENT,
    TOKEN_FRAGMENT,
    TOKEN_ITEM,
    TOKEN_ITEM_END,
    TOKEN_SEQUENCE_END,
    UNBOUNDED,
    Frame,
    Scan,
    Token,
    fail,
    read_explicit,
    wait,
)
from dcmveil.wire cimport (
    EXPLICIT_BE,
    IMPLICIT_LE,
    ITEM_DELIMITATION,
    ITEM_TAG,
    PIXEL_DATA,
    SEQUENCE_DELIMITATION,
    UNDEFINED_LENGTH,
    VR_IMPLICIT,
    VR_INVALID,
    VR_OB,
    VR_OW,
    VR_SQ,
    VR_UN,
    be32,
    le32,
    read_tag,
)

from dcmveil._tables cimport tables
from dcmveil.tables cimport DCMVEIL_UNUSABLE

from dcmveil._tables import keyword
from dcmveil.errors import LimitExceeded, ParseError, Refused
from dcmveil.tags import format_path

cdef enum:
    FIRST_FRAMES = 32


cdef int more_frames(Scan *s) noexcept nogil:
    """Room for twice as many; nobody holds on to the old ones."""
    cdef uint32_t room = min(2 * s.frames_room, s.max_frames)
    cdef void *moved = realloc(s.frames, room * sizeof(Frame))
    if moved == NULL:
        return STATUS_MEMORY
    s.frames = <Frame *>moved
    s.frames_room = room
    return STATUS_OK


cdef int push(Scan *s, uint8_t kind, uint32_t tag, uint8_t encoding, uint64_t stop, bint defined) noexcept nogil:
    cdef Frame *f
    if s.depth + 1 >= s.max_frames:
        return fail(s, ERROR_DEPTH)
    if s.depth + 1 >= s.frames_room and more_frames(s) != STATUS_OK:
        return STATUS_MEMORY
    s.depth += 1
    f = &s.frames[s.depth]
    f.stop = stop
    f.tag = tag
    f.items = 0
    f.kind = kind
    f.defined = defined
    f.encoding = encoding
    return STATUS_OK


cdef int close_frame(Scan *s, Token *t, uint8_t header) noexcept nogil:
    t.kind = TOKEN_ITEM_END if s.frames[s.depth].kind == FRAME_ITEM else TOKEN_SEQUENCE_END
    t.tag = t.length = 0
    t.start = s.pos
    t.header = header
    s.pos += header
    s.depth -= 1
    return STATUS_OK


cdef int close_by_delimiter(Scan *s, const uint8_t *p, Token *t, Frame *f, uint32_t tag) noexcept nogil:
    cdef uint32_t expected = ITEM_DELIMITATION if f.kind == FRAME_ITEM else SEQUENCE_DELIMITATION
    s.tag = tag
    if tag != expected or f.defined or f.kind == FRAME_ROOT:
        return fail(s, ERROR_STRAY_DELIMITER)
    if le32(p + 4) != 0:        # zero reads the same in either byte order
        return fail(s, ERROR_DELIMITER_LENGTH)
    return close_frame(s, t, 8)


# ---- Data Elements --------------------------------------------------------------------------------------------

cdef int enter_undefined(Scan *s, Token *t) noexcept nogil:
    """Open the frame of an element of undefined length (PS3.5 7.5, A.4; UN as Implicit VR LE by 6.2.2)."""
    cdef uint8_t kind = FRAME_SEQUENCE
    cdef uint8_t encoding = t.encoding
    if t.tag == PIXEL_DATA and (t.vr == VR_OB or t.vr == VR_OW or t.vr == VR_UN or t.vr == VR_IMPLICIT):
        kind = FRAME_FRAGMENTS
    elif t.vr == VR_UN:
        encoding = IMPLICIT_LE
    elif t.vr != VR_SQ and t.vr != VR_IMPLICIT:
        s.pos = t.start
        return fail(s, ERROR_UNDEFINED_LENGTH)
    t.entered = 1 + kind
    return push(s, kind, t.tag, encoding, s.frames[s.depth].stop, False)


cdef inline int scan_element(Scan *s, const uint8_t *p, size_t n, Token *t, Frame *f) noexcept nogil:
    cdef:
        uint64_t left = f.stop - s.pos
        bint big = f.encoding == EXPLICIT_BE
        uint32_t tag
    if left < 8:
        return fail(s, ERROR_HEADER_PAST_PARENT)
    if n < 8:
        return wait(s, 8)
    tag = read_tag(p, big)
    if tag >> 16 == 0xFFFE:
        return close_by_delimiter(s, p, t, f, tag)
    s.tag = tag
    t.tag = tag
    if f.encoding == IMPLICIT_LE:
        t.vr = VR_IMPLICIT
        t.header = 8
        t.length = le32(p + 4)
    elif read_explicit(s, p, n, t, big) != STATUS_OK:
        return fail(s, ERROR_HEADER_PAST_PARENT) if left < 12 else STATUS_NEED
    elif t.vr == VR_INVALID and s.pos == s.dataset_start:
        return fail(s, ERROR_NO_VR)
    if left < t.header:
        return fail(s, ERROR_HEADER_PAST_PARENT)
    t.kind = TOKEN_ELEMENT
    t.start = s.pos
    t.encoding = f.encoding
    t.entered = 0
    if t.length == UNDEFINED_LENGTH:      # a 16-bit length cannot reach it
        s.pos += t.header
        return enter_undefined(s, t)
    if t.length > left - t.header:
        return fail(s, ERROR_PAST_PARENT)
    s.pos += t.header
    s.skip = t.length
    return STATUS_OK


# ---- Items and Fragments --------------------------------------------------------------------------------------

cdef int scan_item(Scan *s, const uint8_t *p, size_t n, Token *t, Frame *f) noexcept nogil:
    cdef:
        uint64_t left = f.stop - s.pos
        bint big = f.encoding == EXPLICIT_BE
        uint32_t tag
    if left < 8:
        return fail(s, ERROR_HEADER_PAST_PARENT)
    if n < 8:
        return wait(s, 8)
    tag = read_tag(p, big)
    if tag == SEQUENCE_DELIMITATION:
        return close_by_delimiter(s, p, t, f, tag)
    s.tag = f.tag
    if tag != ITEM_TAG:
        return fail(s, ERROR_NOT_AN_ITEM)
    t.length = be32(p + 4) if big else le32(p + 4)
    if t.length != UNDEFINED_LENGTH and t.length > left - 8:
        return fail(s, ERROR_PAST_PARENT)
    t.start = s.pos
    t.tag = ITEM_TAG
    t.header = 8
    t.encoding = f.encoding
    f.items += 1
    if f.kind == FRAME_SEQUENCE:
        return open_item(s, t, f)
    if t.length == UNDEFINED_LENGTH:
        return fail(s, ERROR_UNDEFINED_LENGTH)
    t.kind = TOKEN_FRAGMENT
    s.pos += 8
    s.skip = t.length
    return STATUS_OK


cdef int open_item(Scan *s, Token *t, Frame *f) noexcept nogil:
    t.kind = TOKEN_ITEM
    s.pos += 8
    if t.length == UNDEFINED_LENGTH:
        return push(s, FRAME_ITEM, f.tag, f.encoding, f.stop, False)
    return push(s, FRAME_ITEM, f.tag, f.encoding, s.pos + t.length, True)


# ---- the driver of the machine --------------------------------------------------------------------------------

cdef int scan_step(Scan *s, const uint8_t *p, size_t n, Token *t) noexcept nogil:
    """One step on the `n` bytes at `p`, which are those at offset `s.pos`."""
    cdef Frame *f
    if s.state == STATE_DATASET:
        f = &s.frames[s.depth]
        if s.pos == f.stop and f.defined:
            return close_frame(s, t, 0)
        if f.kind >= FRAME_ITEM:
            return scan_element(s, p, n, t, f)
        return scan_item(s, p, n, t, f)
    return scan_preface(s, p, n, t)


cdef int pass_value(Scan *s, const uint8_t *p, size_t n, size_t *used, ValueSink on_value,
                    void *context) noexcept nogil:
    """Pass over up to `n` bytes of the current Value; tell the sink if it wants them, and of their end."""
    cdef size_t size = n if n < s.skip else <size_t>s.skip
    cdef int status = STATUS_OK
    if s.capture and size:
        status = on_value(context, p, size)
    s.skip -= size
    s.pos += size
    used[0] += size
    if s.skip:
        return wait(s, 1) if status == STATUS_OK else status
    if s.capture and status == STATUS_OK:
        s.capture = 0
        status = on_value(context, NULL, 0)
    return status


cdef int run(Scan *s, const uint8_t *p, size_t n, size_t *used, TokenSink on_token, ValueSink on_value,
             void *context) noexcept nogil:
    cdef:
        Token t
        uint64_t before
        int status
    used[0] = 0
    while True:
        if s.skip or s.capture:
            status = pass_value(s, p + used[0], n - used[0], used, on_value, context)
            if status != STATUS_OK:
                return status
        before = s.pos
        status = scan_step(s, p + used[0], n - used[0], &t)
        if status == STATUS_OK:
            used[0] += <size_t>(s.pos - before)
            status = on_token(context, &t)
            if status != STATUS_OK:
                return status
        elif status != STATUS_AGAIN:
            return status


cdef int run_pending(Scan *s, TokenSink on_token, ValueSink on_value, void *context) noexcept nogil:
    cdef size_t used = 0
    cdef int status = run(s, s.pending, s.held, &used, on_token, on_value, context)
    s.held -= <uint8_t>used
    memmove(s.pending, s.pending + used, s.held)
    return status


cdef int scan_feed(Scan *s, const uint8_t *p, size_t n, size_t *used, TokenSink on_token, ValueSink on_value,
                   void *context) noexcept nogil:
    """Take the next `n` bytes. Returns STATUS_NEED when all are used, else what a sink or an error said.

    `used[0]` is how many were taken; bytes of a header that is not yet whole are kept in `s.pending`.
    """
    cdef size_t i = 0, size = 0
    cdef int status = STATUS_NEED
    while True:
        if s.held:
            size = min(<size_t>(s.need - s.held), n - i)
            memcpy(s.pending + s.held, p + i, size)
            s.held += <uint8_t>size
            i += size
            if s.held < s.need:
                break
            status = run_pending(s, on_token, on_value, context)
            if status != STATUS_NEED:
                break
            continue
        status = run(s, p + i, n - i, &size, on_token, on_value, context)
        i += size
        if status == STATUS_NEED:
            s.held = <uint8_t>(n - i)
            memcpy(s.pending, p + i, s.held)
            i = n
        break
    used[0] = i
    return status


cdef uint64_t scan_ahead(const Scan *s) noexcept nogil:
    """Bytes that need not be shown: `scan_advance` over them will do."""
    return 0 if s.capture else s.skip


cdef int scan_advance(Scan *s, uint64_t n) noexcept nogil:
    if n > scan_ahead(s):
        return STATUS_LIMIT
    s.skip -= n
    s.pos += n
    return STATUS_OK


cdef int scan_enter(Scan *s, const Token *t, uint8_t encoding) noexcept nogil:
    """From a TokenSink: look into the element of defined length just told, as a Sequence in `encoding`."""
    s.skip = 0
    return push(s, FRAME_SEQUENCE, t.tag, encoding, s.pos + t.length, True)


cdef int scan_finish(Scan *s, TokenSink on_token, ValueSink on_value, void *context) noexcept nogil:
    """The input has ended: is that a place to end? To be called again after STATUS_PAUSE."""
    cdef int status
    if s.state == STATE_PREFIX:
        s.state = STATE_META                # too short for a preamble; it may still be a bare Data Set
    status = run_pending(s, on_token, on_value, context)
    return finish_state(s) if status == STATUS_NEED else status


cdef int finish_state(Scan *s) noexcept nogil:
    if s.skip:
        return fail(s, ERROR_TRUNCATED_VALUE)
    if s.held and s.state == STATE_DATASET:
        return fail(s, ERROR_TRUNCATED_HEADER)
    if s.depth:
        return fail(s, ERROR_UNCLOSED)
    if s.state != STATE_DATASET or s.pos == s.dataset_start:
        return fail(s, ERROR_EMPTY if s.has_preamble else ERROR_NOT_DICOM)
    return STATUS_OK


cdef int scan_open(Scan *s, uint32_t max_depth) noexcept nogil:
    memset(s, 0, sizeof(Scan))
    s.transfer_syntax = -1
    s.max_frames = 2 * max_depth + 1        # a Sequence and an Item per level, and the root
    s.frames_room = min(FIRST_FRAMES, s.max_frames)
    s.frames = <Frame *>calloc(s.frames_room, sizeof(Frame))
    if s.frames == NULL:
        return STATUS_MEMORY
    s.frames[0].stop = UNBOUNDED
    s.frames[0].kind = FRAME_ROOT
    return STATUS_OK


cdef bint scan_given(Scan *s, const uint8_t *uid, size_t size) noexcept nogil:
    """Before the first byte: it is that of a Data Set in this Transfer Syntax. Is that one that can be read?"""
    s.transfer_syntax = find_transfer_syntax(uid, size)
    if s.transfer_syntax < 0 or tables.transfer_syntaxes[s.transfer_syntax].flags & DCMVEIL_UNUSABLE:
        return False
    s.state = STATE_GIVEN
    s.has_preamble = 1      # as good as one: nobody doubts what it is
    return True


cdef void scan_close(Scan *s) noexcept nogil:
    free(s.frames)
    s.frames = NULL


# ---- the one place that raises --------------------------------------------------------------------------------

cdef dict MESSAGES = {
    ERROR_META_LENGTH: "File Meta Information element of undefined length",
    ERROR_NO_VR: "VR expected: by its Transfer Syntax the Data Set is Explicit VR, but its first element has none",
    ERROR_PAST_PARENT: "Value Length goes past the end of what encloses it",
    ERROR_HEADER_PAST_PARENT: "element header expected, but what encloses it ends first",
    ERROR_UNDEFINED_LENGTH: "undefined length on a VR that cannot have it",
    ERROR_NOT_AN_ITEM: "Item or Sequence Delimitation Item expected",
    ERROR_STRAY_DELIMITER: "delimiter or Item that closes or opens nothing",
    ERROR_DELIMITER_LENGTH: "delimiter with a length other than zero",
    ERROR_TRUNCATED_HEADER: "input ends inside an element header",
    ERROR_TRUNCATED_VALUE: "input ends inside a Value",
    ERROR_UNCLOSED: "input ends inside a Sequence or Item",
    ERROR_EMPTY: "no Data Element after the File Meta Information",
}


cdef object showable(uint32_t tag):
    """The tag if it can be one. After a wrong length it may as well be four bytes of a Value."""
    return tag if tag >> 16 == 0xFFFE or keyword(tag) is not None else None


cdef str error_path(const Scan *s):
    cdef uint32_t i
    steps = []
    for i in range(1, s.depth + 1):
        if s.frames[i].kind != FRAME_ITEM:
            steps.append((showable(s.frames[i].tag), s.frames[i].items))
    if s.depth and s.frames[s.depth].kind != FRAME_ITEM and s.tag == s.frames[s.depth].tag:
        steps.pop()
    return format_path(steps, showable(s.tag)) if s.tag else ""


cdef object scan_exception(const Scan *s):
    """The exception for `s.error`."""
    if s.error == ERROR_NOT_DICOM:
        return Refused("not-dicom", "not a DICOM file: no DICM prefix and no plausible first element")
    if s.error == ERROR_TRANSFER_SYNTAX:
        return Refused("transfer-syntax", f"offset {s.error_offset}, {error_path(s)}: "
                       "a Transfer Syntax of PS3.6 Table A-1 that encodes Data Sets expected")
    if s.error == ERROR_DEPTH:
        return LimitExceeded(f"Sequences nested deeper than {s.max_frames // 2}", offset=s.error_offset)
    return ParseError(MESSAGES[s.error], offset=s.error_offset, path=error_path(s))


# ---- for tests and benchmarks ---------------------------------------------------------------------------------

cdef int sink_count(void *context, Token *t) noexcept nogil:
    cdef Counter *counter = <Counter *>context
    counter.elements += t.kind == TOKEN_ELEMENT
    if t.kind == TOKEN_ELEMENT and t.vr == VR_SQ and not t.entered:
        return scan_enter(counter.scan, t, t.encoding)
    return STATUS_OK


cdef int sink_value(void *context, const uint8_t *data, size_t size) noexcept nogil:
    return STATUS_OK


cdef int sink_list(void *context, Token *t) noexcept nogil:
    with gil:
        (<Scanner>context).tokens.append((
            t.kind, t.tag, t.length, t.start, (<Scanner>context).scan.depth))
    if t.kind == TOKEN_ELEMENT and t.vr == VR_SQ and not t.entered:
        return scan_enter(&(<Scanner>context).scan, t, t.encoding)
    return STATUS_OK


cdef int check_scan(const Scan *s, int status) except -1:
    if status == STATUS_MEMORY:
        raise MemoryError
    if status != STATUS_OK and status != STATUS_NEED:
        raise scan_exception(s)
    return 0


cdef struct Counter:
    Scan *scan
    uint64_t elements


cdef class Scanner:
    """The bare Scanner, for tests and benchmarks: no dictionary, so Implicit VR Sequences of defined length stay shut.

    `tokens` is a list of ``(kind, tag, length, start, depth)``, offsets and lengths in bytes.
    """
    cdef Scan scan
    cdef readonly list tokens

    def __cinit__(self, *, uint32_t max_depth=1024):
        self.tokens = []
        if scan_open(&self.scan, max_depth) != STATUS_OK:
            raise MemoryError

    def __dealloc__(self):
        scan_close(&self.scan)

    def __init__(self, *, max_depth: int = 1024) -> None:
        pass

    def feed(self, data) -> None:
        """Take the next bytes. Raises ParseError, Refused or LimitExceeded."""
        cdef Py_buffer view
        cdef size_t used = 0
        cdef int status
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            status = scan_feed(&self.scan, <const uint8_t *>view.buf, view.len, &used,
                               sink_list, sink_value, <void *>self)
        finally:
            PyBuffer_Release(&view)
        check_scan(&self.scan, status)

    def finish(self) -> None:
        """The input has ended. Raises ParseError or Refused if it may not end here."""
        check_scan(&self.scan, scan_finish(&self.scan, sink_list, sink_value, <void *>self))

    @staticmethod
    def count(data) -> int:
        """Number of Data Elements of the Data Set in a whole file, counted without the GIL."""
        cdef Scan scan
        cdef Counter counter
        cdef Py_buffer view
        cdef size_t used = 0
        cdef int status
        if scan_open(&scan, 1024) != STATUS_OK:
            raise MemoryError
        counter.scan = &scan
        counter.elements = 0
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            with nogil:
                status = scan_feed(&scan, <const uint8_t *>view.buf, view.len, &used,
                                   sink_count, sink_value, &counter)
                if status == STATUS_NEED:
                    status = scan_finish(&scan, sink_count, sink_value, &counter)
            check_scan(&scan, status)
            return counter.elements
        finally:
            PyBuffer_Release(&view)
            scan_close(&scan)

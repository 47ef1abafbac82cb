"""Bare Data Sets in memory: what is in them, and the same in another encoding (PS3.5 section 7, Annex A).

For what the Re-identifier gets decrypted and the De-identifier encrypts: some Data Elements, held whole. They are
scanned by the same machine as files are, so they may be hostile: no recursion, and no length is believed.
"""
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memset

from dcmveil._scanner cimport TokenSink, scan_close, scan_enter, scan_exception, scan_feed, scan_finish, scan_open
from dcmveil._tables cimport find_attribute
from dcmveil.scan cimport (
    FRAME_FRAGMENTS,
    FRAME_SEQUENCE,
    STATE_DATASET,
    STATUS_FAILED,
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
    Scan,
    Token,
)
from dcmveil.tables cimport dcmveil_attribute, dcmveil_vr_names
from dcmveil.wire cimport (
    EXPLICIT_BE,
    EXPLICIT_LE,
    IMPLICIT_LE,
    ITEM_DELIMITATION,
    ITEM_TAG,
    LONG_FORM,
    SEQUENCE_DELIMITATION,
    UNDEFINED_LENGTH,
    VR_COUNT,
    VR_IMPLICIT,
    VR_OB,
    VR_SQ,
    VR_UN,
    put16,
    put32,
    read_vr,
)

from dcmveil.errors import LimitExceeded

cdef enum:
    MAX_DEPTH = 1024
    MAX_SHORT = 0xFFFF
    MAX_ELEMENTS = 1 << 16      # some 350 bytes each when told; no honest file has as many at top level
    FIRST_ITEM = 2              # depth of an Item in a Sequence of the top level


cdef struct Row:
    uint64_t start              # of header, Value and what follows; UNBOUNDED until that is known
    uint64_t value
    uint64_t stop
    uint32_t level
    uint32_t item
    uint32_t tag
    uint8_t vr


cdef struct Walk:
    Scan scan
    const uint8_t *data
    uint64_t size
    uint8_t *out
    uint64_t out_size
    uint64_t out_room
    uint8_t target
    uint32_t levels             # tell of elements down to here
    uint32_t rows               # told so far
    uint32_t room               # for so many of them
    Row *found
    uint32_t items              # in Sequences of the top level
    uint32_t before             # tag of the element before
    bint is_ordered


cdef bint is_sequence(const Token *t) noexcept nogil:
    """Is an element of defined length a Sequence? In Implicit VR the dictionary says so."""
    cdef const dcmveil_attribute *row
    if t.vr != VR_IMPLICIT:
        return t.vr == VR_SQ
    row = find_attribute(t.tag)
    return row != NULL and row.vrs >> VR_SQ & 1


cdef int scan_all(Walk *w, uint8_t encoding, TokenSink on_token) noexcept nogil:
    """Run the machine over the whole of it."""
    cdef size_t used = 0
    cdef int status
    w.scan.state = STATE_DATASET
    w.scan.dataset_start = UNBOUNDED    # nowhere: no File Meta Information has said that there are VRs
    w.scan.frames[0].encoding = encoding
    if w.size == 0:
        return STATUS_OK
    status = scan_feed(&w.scan, w.data, w.size, &used, on_token, no_value, w)
    return scan_finish(&w.scan, on_token, no_value, w) if status == STATUS_NEED else status


cdef int no_value(void *context, const uint8_t *data, size_t size) noexcept nogil:
    return STATUS_OK


cdef inline bint is_inside(const Walk *w, const Token *t) noexcept nogil:
    """Does the Value end within the data? The Scanner waits for the rest of a file, which will not come here."""
    if t.kind == TOKEN_FRAGMENT or (t.kind == TOKEN_ELEMENT and not t.entered):
        return t.length <= w.size - t.start - t.header
    return True


cdef int check(Walk *w, int status) except -1:
    if status == STATUS_FAILED:
        raise scan_exception(&w.scan)
    if status == STATUS_MEMORY:
        raise MemoryError
    if status == STATUS_LIMIT and w.rows > MAX_ELEMENTS:
        raise LimitExceeded(f"more than {MAX_ELEMENTS} Attributes to encrypt, or decrypted")
    if status == STATUS_LIMIT:
        raise LimitExceeded("a Value goes past the end of the Data Set", offset=w.scan.pos)
    return 0


# ---- what is in it ---------------------------------------------------------------------------------------------

cdef int list_token(void *context, Token *t) noexcept nogil:
    cdef Walk *w = <Walk *>context
    cdef uint32_t depth = w.scan.depth
    cdef int status
    if t.kind == TOKEN_SEQUENCE_END and depth // 2 < w.levels:
        end_element(w, depth // 2)
        return STATUS_OK
    if not is_inside(w, t):
        return STATUS_LIMIT
    if t.kind != TOKEN_ELEMENT:
        return STATUS_OK
    depth -= t.entered != 0
    if depth // 2 < w.levels:
        status = tell_element(w, t, depth)
        if status != STATUS_OK:
            return status
    if depth // 2 + 1 < w.levels and not t.entered and is_sequence(t):
        return scan_enter(&w.scan, t, t.encoding)
    return STATUS_OK


cdef int tell_element(Walk *w, const Token *t, uint32_t depth) noexcept nogil:
    """Not to Python: an exception of its would be lost in what calls this, and the element with it."""
    cdef uint32_t room = w.room + (w.room >> 1) + 16
    cdef void *moved
    cdef Row *row
    w.rows += 1
    if w.rows > MAX_ELEMENTS:
        return STATUS_LIMIT
    if w.rows > w.room:
        moved = realloc(w.found, room * sizeof(Row))
        if moved == NULL:
            return STATUS_MEMORY
        w.found = <Row *>moved
        w.room = room
    row = &w.found[w.rows - 1]
    row.start = t.start
    row.value = t.start + t.header
    row.stop = row.value + t.length if not t.entered else UNBOUNDED
    row.level = depth // 2
    row.item = w.scan.frames[depth - 1].items if depth else 0
    row.tag = t.tag
    row.vr = t.vr
    return STATUS_OK


cdef void end_element(Walk *w, uint32_t level) noexcept nogil:
    """The Sequence last told of at this level has ended, if it was of undefined length."""
    cdef uint32_t i = w.rows
    while i:
        i -= 1
        if w.found[i].level == level:
            if w.found[i].stop == UNBOUNDED:
                w.found[i].stop = w.scan.pos
            return


cdef list list_of(const Row *row):
    vr = dcmveil_vr_names[row.vr].decode() if row.vr < VR_COUNT else None
    stop = row.stop if row.stop != UNBOUNDED else None
    return [row.level, row.item, row.tag, vr, row.start, row.value, stop]


def list_elements(bytes data not None, encoding: int, *, levels: int = 1) -> list:
    """The Data Elements of a bare Data Set, in its order, down to `levels` levels of nesting (1: the top level only).

    Each is ``[level, item, tag, vr, start, value, stop]``: number of the Item it stands in (0 at top level), VR (None
    in Implicit VR or if it is none of PS3.5), offsets of header, Value and end in bytes. Sequences of defined length
    are not looked into further than that. Raises ParseError or LimitExceeded unless all that was looked at is well
    formed, and LimitExceeded for more than 65,536 elements.
    """
    cdef Walk w
    cdef uint32_t i
    begin(&w)
    w.levels = levels
    try:
        walk(&w, data, encoding, list_token)
        return [list_of(&w.found[i]) for i in range(w.rows)]
    finally:
        free(w.found)


def count_items(bytes data not None, encoding: int) -> int:
    """How many Items all Sequences at the top level have together. Raises as `list_elements`."""
    cdef Walk w
    begin(&w)
    walk(&w, data, encoding, count_token)
    return w.items


cdef int count_token(void *context, Token *t) noexcept nogil:
    cdef Walk *w = <Walk *>context
    if t.kind == TOKEN_ITEM and w.scan.depth == FIRST_ITEM:
        w.items += 1
    if not is_inside(w, t):
        return STATUS_LIMIT
    if t.kind == TOKEN_ELEMENT and w.scan.depth == 0 and is_sequence(t):      # not entered, or it were depth 1
        return scan_enter(&w.scan, t, t.encoding)
    return STATUS_OK


cdef int order_token(void *context, Token *t) noexcept nogil:
    cdef Walk *w = <Walk *>context
    if not is_inside(w, t):
        return STATUS_LIMIT
    if t.kind == TOKEN_ELEMENT and w.scan.depth - (t.entered != 0) == 0:
        w.rows += 1
        if w.rows > MAX_ELEMENTS:
            return STATUS_LIMIT
        # The least tag is one of group 0008, or private: what is below belongs into other Data Sets.
        if t.vr >= VR_COUNT or t.tag <= w.before or (t.tag >> 16 < 8 and not t.tag >> 16 & 1):
            w.is_ordered = False
        w.before = t.tag
    return STATUS_OK


def is_ordered(bytes data not None) -> bool:
    """Is this a bare Data Set in Explicit VR Little Endian whose elements have VRs of PS3.5 and come once, by tag?

    False also for elements of groups 0000, 0002, 0004 and 0006, which do not belong into one of a file. Raises
    ParseError or LimitExceeded unless its top level, and what is of undefined length, is well formed.
    """
    cdef Walk w
    begin(&w)
    walk(&w, data, EXPLICIT_LE, order_token)
    return w.is_ordered


cdef void begin(Walk *w) noexcept:
    memset(w, 0, sizeof(Walk))
    w.is_ordered = True


cdef int walk(Walk *w, bytes data, uint8_t encoding, TokenSink on_token) except -1:
    """Show the sink all tokens of the data. Raises ParseError or LimitExceeded."""
    if scan_open(&w.scan, MAX_DEPTH) != STATUS_OK:
        raise MemoryError
    w.data = <const uint8_t *><const char *>data
    w.size = <uint64_t>len(data)
    try:
        return check(w, scan_all(w, encoding, on_token))
    finally:
        scan_close(&w.scan)


# ---- the same in another encoding ------------------------------------------------------------------------------

cdef int put(Walk *w, const uint8_t *data, uint64_t size) noexcept nogil:
    cdef void *moved
    if size > w.out_room - w.out_size:
        moved = realloc(w.out, w.out_room + (w.out_room >> 1) + size + 256)
        if moved == NULL:
            return STATUS_MEMORY
        w.out = <uint8_t *>moved
        w.out_room += (w.out_room >> 1) + size + 256
    memcpy(w.out + w.out_size, data, size)
    w.out_size += size
    return STATUS_OK


cdef int put_tag(Walk *w, uint32_t tag, uint32_t length) noexcept nogil:
    """A header without a VR: of an element in Implicit VR, an Item or a delimiter."""
    cdef uint8_t header[8]
    cdef bint big = w.target == EXPLICIT_BE
    put16(header, tag >> 16, big)
    put16(header + 2, tag & 0xFFFF, big)
    put32(header + 4, length, big)
    return put(w, header, 8)


cdef int put_header(Walk *w, uint32_t tag, uint8_t vr, uint32_t length) noexcept nogil:
    cdef uint8_t header[12]
    cdef bint big = w.target == EXPLICIT_BE
    cdef const char *name = dcmveil_vr_names[vr]
    if w.target == IMPLICIT_LE:
        return put_tag(w, tag, length)
    put16(header, tag >> 16, big)
    put16(header + 2, tag & 0xFFFF, big)
    header[4] = <uint8_t>name[0]
    header[5] = <uint8_t>name[1]
    if read_vr(header + 4) & LONG_FORM:
        put16(header + 6, 0, big)
        put32(header + 8, length, big)
        return put(w, header, 12)
    put16(header + 6, <unsigned short>length, big)
    return put(w, header, 8)


cdef uint8_t own_vr(const Token *t) noexcept nogil:
    """VR of the element, in Implicit VR that of the dictionary; UN if there is none."""
    cdef const dcmveil_attribute *row
    if t.vr < VR_COUNT:
        return t.vr
    row = find_attribute(t.tag) if t.vr == VR_IMPLICIT else NULL
    return row.vr if row != NULL else VR_UN


cdef uint32_t unit_of(uint8_t vr) noexcept nogil:
    """Bytes of the numbers a Value of the VR is made of (PS3.5 7.3); 1 if byte order does not matter."""
    cdef const char *name = dcmveil_vr_names[vr]
    if name[0] == c"A" and name[1] == c"T":
        return 2
    if (name[0] == c"U" or name[0] == c"S") and (name[1] == c"S" or name[1] == c"L" or name[1] == c"V"):
        return 2 if name[1] == c"S" else 4 if name[1] == c"L" else 8
    if name[0] == c"O" or name[0] == c"F":
        if name[1] == c"W":
            return 2
        if name[1] == c"L" or name[1] == c"F":
            return 4
        return 8 if name[1] == c"D" or name[1] == c"V" else 1
    return 1


cdef void swap(uint8_t *p, uint64_t count, uint32_t unit) noexcept nogil:
    """Turn the bytes of each of `count` numbers round."""
    cdef uint32_t i
    cdef uint8_t held
    while count:
        for i in range(unit // 2):
            held = p[i]
            p[i] = p[unit - 1 - i]
            p[unit - 1 - i] = held
        p += unit
        count -= 1


cdef int put_value(Walk *w, const Token *t, uint8_t vr) noexcept nogil:
    cdef uint64_t at = w.out_size
    cdef uint32_t unit = unit_of(vr)
    if put(w, w.data + t.start + t.header, t.length) != STATUS_OK:
        return STATUS_MEMORY
    if unit == 1 or (w.target == EXPLICIT_BE) == (t.encoding == EXPLICIT_BE):
        return STATUS_OK
    swap(w.out + at, t.length // unit, unit)
    return STATUS_OK


cdef int put_element(Walk *w, Token *t) noexcept nogil:
    cdef uint8_t vr = own_vr(t)
    cdef int status
    if t.entered == 1 + FRAME_SEQUENCE:
        return put_header(w, t.tag, VR_SQ, UNDEFINED_LENGTH)
    if t.entered == 1 + FRAME_FRAGMENTS:
        return put_header(w, t.tag, VR_OB, UNDEFINED_LENGTH)
    if is_sequence(t):
        status = put_header(w, t.tag, VR_SQ, UNDEFINED_LENGTH)
        return scan_enter(&w.scan, t, t.encoding) if status == STATUS_OK else status
    if t.length > MAX_SHORT and not is_long(vr):
        vr = VR_UN              # PS3.5 6.2.2: too long for its own VR
    status = put_header(w, t.tag, vr, t.length)
    return put_value(w, t, vr) if status == STATUS_OK else status


cdef inline bint is_long(uint8_t vr) noexcept nogil:
    return read_vr(<const uint8_t *>dcmveil_vr_names[vr]) & LONG_FORM != 0


cdef int recode_token(void *context, Token *t) noexcept nogil:
    cdef Walk *w = <Walk *>context
    if not is_inside(w, t):
        return STATUS_LIMIT
    if t.kind == TOKEN_ELEMENT:
        return put_element(w, t)
    if t.kind == TOKEN_ITEM:
        return put_tag(w, ITEM_TAG, UNDEFINED_LENGTH)
    if t.kind == TOKEN_ITEM_END:
        return put_tag(w, ITEM_DELIMITATION, 0)
    if t.kind == TOKEN_SEQUENCE_END:
        return put_tag(w, SEQUENCE_DELIMITATION, 0)
    if put_tag(w, ITEM_TAG, t.length) != STATUS_OK:     # a Fragment: in a bare Data Set there is nothing else
        return STATUS_MEMORY
    return put(w, w.data + t.start + t.header, t.length)


def recode(bytes data not None, source: int, target: int) -> bytes:
    """The Data Elements of a bare Data Set in another encoding (numbers as in `dcmveil.encode.Encoding`).

    Sequences and Items get undefined lengths. Where Implicit VR gives no VR, that of the dictionary is taken, else UN;
    a VR that is none of PS3.5 becomes UN. Raises ParseError or LimitExceeded unless all of it is well formed.
    """
    cdef Walk w
    begin(&w)
    w.target = target
    try:
        walk(&w, data, source, recode_token)
        return <bytes>(<char *>w.out)[:w.out_size] if w.out_size else b""
    finally:
        free(w.out)

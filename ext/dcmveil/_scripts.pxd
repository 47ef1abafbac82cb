# The segment script: what a Plan comes to, packed for the Sink as little records (see _plan.pyx); and ranges of input.
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport realloc
from libc.string cimport memcpy

from dcmveil._edits cimport (
    BIG,
    BIG_CONTENT,
    CONTAINER,
    DECIDE_KEEP,
    DECIDE_REPLACE,
    DRAINED,
    ITEM,
    PATCH,
    Edit,
    PlanData,
    Range,
)
from dcmveil._settling cimport changes, is_inserted, outcome
from dcmveil.scan cimport STATUS_MEMORY, STATUS_OK
from dcmveil.wire cimport SEQUENCE_DELIMITATION, put16, put32

cdef enum:
    COPY_SHIFT = 63     # the bit of a record that is a COPY

cdef struct Script:
    uint8_t *bytes
    size_t size
    size_t room
    uint64_t cursor         # input offset up to which all is said


cdef inline int put(Script *s, const void *data, size_t size) noexcept nogil:
    cdef void *moved
    if size > s.room - s.size:
        moved = realloc(s.bytes, s.room + (s.room >> 1) + size)
        if moved == NULL:
            return STATUS_MEMORY
        s.bytes = <uint8_t *>moved
        s.room += (s.room >> 1) + size
    memcpy(s.bytes + s.size, data, size)
    s.size += size
    return STATUS_OK


cdef inline int put_copy(Script *s, uint64_t stop) noexcept nogil:
    """COPY the input from the cursor up to `stop`."""
    cdef uint64_t record[2]
    if stop == s.cursor:
        return STATUS_OK
    record[0] = s.cursor | <uint64_t>1 << COPY_SHIFT
    record[1] = stop - s.cursor
    s.cursor = stop
    return put(s, record, sizeof(record))


cdef inline int put_data(Script *s, const uint8_t *data, uint32_t size) noexcept nogil:
    cdef uint64_t head = size
    if size == 0:
        return STATUS_OK
    if put(s, &head, sizeof(head)) != STATUS_OK:
        return STATUS_MEMORY
    return put(s, data, size)


cdef inline int put_length(Script *s, const Edit *edit) noexcept nogil:
    """Write the Value Length of a container anew: the last four bytes of its header."""
    cdef uint8_t length[4]
    put32(length, edit.value, edit.flags & BIG)
    if put_copy(s, edit.start + edit.header - 4) != STATUS_OK:
        return STATUS_MEMORY
    s.cursor += 4
    return put_data(s, length, 4)


cdef inline int put_delimiter(Script *s, const Edit *edit) noexcept nogil:
    cdef uint8_t delimiter[8]
    cdef bint big = edit.flags & BIG_CONTENT != 0
    put16(delimiter, SEQUENCE_DELIMITATION >> 16, big)
    put16(delimiter + 2, 0xE00D if edit.flags & ITEM else 0xE0DD, big)
    put32(delimiter + 4, 0, big)
    if put_copy(s, edit.stop) != STATUS_OK:
        return STATUS_MEMORY
    return put_data(s, delimiter, 8)


cdef inline int put_edit(Script *s, const PlanData *plan, const Edit *edit, bint *inside) noexcept nogil:
    cdef const uint8_t *data = NULL
    cdef uint32_t size = 0
    cdef int what = outcome(plan, edit, &data, &size)
    inside[0] = edit.flags & CONTAINER and what == DECIDE_KEEP
    if what == DECIDE_KEEP:
        return put_length(s, edit) if inside[0] and edit.flags & (PATCH | DRAINED) == PATCH else STATUS_OK
    if put_copy(s, edit.start) != STATUS_OK:
        return STATUS_MEMORY
    s.cursor = edit.stop
    return put_data(s, data, size) if what == DECIDE_REPLACE else STATUS_OK


cdef inline int put_range(Script *s, uint64_t start, uint64_t stop, bint merges) noexcept nogil:
    cdef Range found = Range(start, stop)
    if merges and s.size and (<Range *>(s.bytes + s.size - sizeof(Range))).stop == start:
        (<Range *>(s.bytes + s.size - sizeof(Range))).stop = stop
        return STATUS_OK
    return put(s, &found, sizeof(Range))


cdef inline int find_originals(const PlanData *plan, uint32_t stop, bint merges, uint32_t always,
                               Script *s) noexcept nogil:
    cdef:
        uint32_t i = 0, after
        const Edit *edit
        int status = STATUS_OK
    while i < stop and status == STATUS_OK:
        edit = &plan.edits[i]
        after = edit.link if edit.flags & CONTAINER else i + 1
        if edit.stop > edit.start and not is_inserted(plan, edit) and (edit.tag == always or changes(plan, i, after)):
            status = put_range(s, edit.start, edit.stop, merges)
        i = after
    return status

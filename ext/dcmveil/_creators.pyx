"""Private Creators: which block of which open frame is whose, and which creators stay (PS3.5 7.8.1, PS3.15 E.3.10).

A creator comes before its block, so its edit removes it until an element of the block is kept. Known are those of the
Policy only; a block that two creators claim is nobody's. What is out of order finds no creator, and goes.
"""
from libc.stdint cimport uint16_t, uint32_t
from libc.stdlib cimport realloc

from dcmveil._names cimport NO_NAME
from dcmveil._policy cimport Entry
from dcmveil._private cimport PrivateRow, find_private
from dcmveil.scan cimport FRAME_SEQUENCE, STATUS_LIMIT, STATUS_MEMORY, STATUS_OK, Token
from dcmveil.state cimport Creator, State
from dcmveil.wire cimport VR_SQ, VR_UI

cdef enum:
    MAX_CREATORS = 1 << 16


cdef inline uint32_t block_of(uint32_t tag) noexcept nogil:
    """The tag of the creator of a private element."""
    return (tag >> 16 << 16) | (tag >> 8 & 0xFF)


cdef inline Creator *find_creator(State *s, uint32_t depth, uint32_t tag) noexcept nogil:
    """The creator of a block by its tag; NULL if it has none in this frame."""
    cdef uint32_t i = s.creators_count
    while i and s.creators[i - 1].depth == depth:
        i -= 1
        if s.creators[i].tag == tag:
            return &s.creators[i]
    return NULL


cdef int add_creator(State *s, uint32_t depth, uint32_t tag, uint32_t edit, uint16_t number) noexcept nogil:
    """A creator and its edit; a second one for the same block makes that nobody's."""
    cdef Creator *known = find_creator(s, depth, tag)
    cdef uint32_t more
    cdef void *moved
    if known != NULL:
        known.number = NO_NAME
        return STATUS_OK
    if s.creators_count == MAX_CREATORS:
        return STATUS_LIMIT
    if s.creators_count == s.creators_room:
        more = 2 * s.creators_room + 16
        moved = realloc(s.creators, more * sizeof(Creator))
        if moved == NULL:
            return STATUS_MEMORY
        s.creators = <Creator *>moved
        s.creators_room = more
    s.creators[s.creators_count] = Creator(depth, tag, edit, number, False)
    s.creators_count += 1
    return STATUS_OK


cdef void forget_creators(State *s, uint32_t depth, uint32_t group) noexcept nogil:
    """At an element of this group: the creators of other groups in the same frame."""
    cdef Creator *last
    while s.creators_count:
        last = &s.creators[s.creators_count - 1]
        if last.depth != depth or last.tag >> 16 == group:
            break
        s.creators_count -= 1


cdef void close_creators(State *s) noexcept nogil:
    """The creators of frames that have been closed."""
    while s.creators_count and s.creators[s.creators_count - 1].depth > s.scan.depth:
        s.creators_count -= 1


cdef const Entry *private_entry(State *s, const Token *t, uint32_t depth) noexcept nogil:
    """What the Policy has for a private element; NULL if nothing."""
    cdef Creator *creator = find_creator(s, depth, block_of(t.tag))
    cdef const PrivateRow *row
    cdef bint is_sequence = t.vr == VR_SQ or t.entered == 1 + FRAME_SEQUENCE
    if creator == NULL or creator.number == NO_NAME:
        return NULL
    row = find_private(s.privates, creator.number, t.tag)
    if row == NULL:
        return &s.privates.sequences if is_sequence else NULL
    if is_sequence:
        return &row.sequence
    return &row.uid if t.vr == VR_UI else &row.entry


cdef void keep_creator(State *s, uint32_t depth, uint32_t tag) noexcept nogil:
    """An element of a block is kept, so its creator is."""
    cdef Creator *creator = find_creator(s, depth, block_of(tag))
    if creator != NULL and not creator.is_kept:
        creator.is_kept = True
        s.plan.edits[creator.record].key = 0


cdef uint32_t first_creator(const State *s, uint32_t stop) noexcept nogil:
    """The first edit before `stop` of a creator of which it is not yet known whether it stays; else `stop`."""
    cdef uint32_t i
    for i in range(s.creators_count):
        if not s.creators[i].is_kept and s.creators[i].record < stop:
            stop = s.creators[i].record
    return stop


cdef void move_creators(State *s, uint32_t shift) noexcept nogil:
    """So many edits before those of the creators have been dropped; of kept ones the edit no longer matters."""
    cdef uint32_t i
    for i in range(s.creators_count):
        if not s.creators[i].is_kept:
            s.creators[i].record -= shift

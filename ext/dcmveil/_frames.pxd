# Frames shadow the stack of the Scanner.
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport realloc
from libc.string cimport memset

from dcmveil._edits cimport BIG, BIG_CONTENT, NO_RECORD, RECODE, UNDEFINED
from dcmveil._policy cimport EVERY_ITEM, NO_NODE, Place, find_place
from dcmveil._recorder cimport open_frames, record
from dcmveil._repeats cimport Seen
from dcmveil._scanner cimport scan_enter
from dcmveil.scan cimport STATUS_MEMORY, STATUS_OK, Token
from dcmveil.state cimport PlanFrame, State
from dcmveil.wire cimport EXPLICIT_BE, IMPLICIT_LE, UNDEFINED_LENGTH, VR_UN


cdef inline void open_node(State *s, PlanFrame *f, uint32_t node) noexcept nogil:
    f.node = node
    f.anchor = f.anchors_stop = 0
    if node != NO_NODE:
        f.anchor = s.rules.nodes[node].anchors
        f.anchors_stop = s.rules.nodes[node].anchors_stop


cdef inline uint32_t item_node(State *s, uint32_t sequence, uint32_t item) noexcept nogil:
    cdef const Place *place = find_place(s.rules, sequence, item)
    if place == NULL:
        place = find_place(s.rules, sequence, EVERY_ITEM)
    return place.child if place != NULL else NO_NODE


cdef inline void open_frame(State *s, const Token *t, uint32_t tag, uint32_t node, uint8_t mode) noexcept nogil:
    """The Scanner has entered the Sequence or Item `t`."""
    cdef PlanFrame *f = &s.frames[s.scan.depth]
    open_node(s, f, node)
    f.start = t.start
    f.length = t.length
    f.tag = tag
    f.record = NO_RECORD
    f.key = 0
    f.header = t.header
    f.flags = BIG if t.encoding == EXPLICIT_BE else 0
    f.mode = mode
    f.set = s.frames[s.scan.depth - 1].set
    f.is_past_set = f.is_asked = 0
    f.name = f.value_type = 0
    if s.scan.frames[s.scan.depth].encoding == EXPLICIT_BE:
        f.flags |= BIG_CONTENT
    if t.length == UNDEFINED_LENGTH:
        f.flags |= UNDEFINED
    elif t.length > s.hold_limit and s.rules.changes:
        f.flags |= RECODE


cdef inline int enter(State *s, const Token *t, uint32_t node, uint8_t mode) noexcept nogil:
    """Look into a Sequence, which the Scanner has done already if its length is undefined."""
    cdef int status = STATUS_OK
    if not t.entered:
        status = scan_enter(&s.scan, t, IMPLICIT_LE if t.vr == VR_UN else t.encoding)
    if status == STATUS_OK:
        open_frame(s, t, t.tag, node, mode)
    return status


cdef inline int enter_kept(State *s, const Token *t, uint32_t node, uint8_t mode) noexcept nogil:
    cdef int status = enter(s, t, node, mode)
    if status != STATUS_OK:
        return status
    if s.frames[s.scan.depth].flags & RECODE:
        return open_frames(s, s.scan.depth)
    return STATUS_OK


cdef inline int more_frames(State *s) noexcept nogil:
    """Room for those that the Scanner has, and one more that may be looked into. Here, since nobody holds any now."""
    cdef uint32_t room = min(2 * (s.scan.depth + 2), s.max_frames)
    cdef void *moved = realloc(s.frames, room * sizeof(PlanFrame))
    if moved == NULL:
        return STATUS_MEMORY
    s.frames = <PlanFrame *>moved
    memset(&s.frames[s.frames_room], 0, (room - s.frames_room) * sizeof(PlanFrame))
    moved = realloc(s.seen, room * sizeof(Seen))
    if moved == NULL:
        return STATUS_MEMORY
    s.seen = <Seen *>moved
    memset(&s.seen[s.frames_room], 0, (room - s.frames_room) * sizeof(Seen))
    s.frames_room = room
    return STATUS_OK

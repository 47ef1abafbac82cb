"""Recording: edits with the frames around them, and Values that the Resolver will want to see.

A frame gets an edit of its own (a container) with the first edit inside it, so `State.recorded` frames always are the
outermost ones.
"""
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from dcmveil._edits cimport (
    CONTAINER,
    NO_RECORD,
    NO_VALUE,
    Edit,
    Question,
    Watch,
    plan_edit,
    plan_question,
    plan_value,
    plan_watch,
)
from dcmveil._policy cimport REMOVE
from dcmveil.scan cimport (
    STATUS_OK,
    Token,
)
from dcmveil.wire cimport VR_INVALID, VR_SQ


cdef enum:
    WATCH_LIMIT = 1024          # bytes of a watched Value; nothing that is watched needs more


cdef int open_frames(State *s, uint32_t depth) noexcept nogil:
    """Give the frames up to `depth` their edits."""
    cdef PlanFrame *f
    cdef Edit edit
    cdef int status
    while s.recorded < depth:
        f = &s.frames[s.recorded + 1]
        memset(&edit, 0, sizeof(Edit))
        edit.start = f.start
        edit.tag = f.tag
        edit.value = f.length
        edit.header = f.header
        edit.key = f.key
        edit.flags = f.flags | CONTAINER
        edit.link = NO_RECORD
        status = plan_edit(s.plan, &edit)
        if status != STATUS_OK:
            return status
        f.record = s.plan.edits_count - 1
        s.recorded += 1
    return STATUS_OK


cdef int ask(State *s, const Token *t, uint32_t depth, uint8_t rule, uint8_t kind, uint16_t *key) noexcept nogil:
    """The question for an element; for a plain removal the one of its rule."""
    cdef Question question
    cdef int status
    memset(&question, 0, sizeof(Question))
    question.rule = rule
    if s.rules.behaviours[rule] & REMOVE:
        if not s.removal_keys[rule]:
            status = plan_question(s.plan, &question, &s.removal_keys[rule])
            if status != STATUS_OK:
                return status
        key[0] = s.removal_keys[rule]
        return STATUS_OK
    question.tag = t.tag
    question.parent = s.scan.frames[depth].tag
    question.vr = t.vr
    question.encoding = t.encoding
    question.kind = kind
    return plan_question(s.plan, &question, key)


cdef int record(State *s, const Token *t, uint32_t depth, uint8_t rule, uint8_t kind, uint64_t stop) noexcept nogil:
    """Record the edit of an element (or of an insertion, start == stop) in the frame `depth`."""
    cdef Edit edit
    cdef int status = open_frames(s, depth)
    if status != STATUS_OK:
        return status
    memset(&edit, 0, sizeof(Edit))
    status = ask(s, t, depth, rule, kind, &edit.key)
    if status != STATUS_OK:
        return status
    edit.start = t.start
    edit.stop = stop
    edit.tag = t.tag
    edit.value = NO_VALUE
    edit.header = t.header
    return plan_edit(s.plan, &edit)


cdef int insert(State *s, uint32_t tag, uint32_t depth, uint8_t rule, uint8_t kind, uint64_t at) noexcept nogil:
    cdef Token t
    memset(&t, 0, sizeof(Token))
    t.start = at
    t.tag = tag
    t.vr = VR_INVALID
    t.encoding = s.scan.frames[depth].encoding
    return record(s, &t, depth, rule, kind, at)


# ---- Values ------------------------------------------------------------------------------------------------------

cdef int capture(State *s, const Token *t) noexcept nogil:
    """Have the Value of the edit just recorded captured, unless it is too long to be what it should be."""
    if t.entered or t.vr == VR_SQ or t.length > s.capture_limit:
        return STATUS_OK
    s.scan.capture = 1
    s.held_from = s.plan.arena_size
    s.capture_record = s.plan.edits_count - 1
    return STATUS_OK


cdef void begin_watch(State *s, const Token *t, uint32_t depth) noexcept nogil:
    """The Resolver wants to know of this element, and its Value if it has one that is short."""
    memset(&s.watch, 0, sizeof(Watch))
    s.watch.tag = t.tag
    if depth:
        s.watch.parent = s.scan.frames[depth].tag
        s.watch.item = s.scan.frames[depth - 1].items
    s.watching = 1
    if not t.entered and (t.vr != VR_SQ or t.length == 0) and t.length <= WATCH_LIMIT and not s.scan.capture:
        s.scan.capture = 1
        s.held_from = s.plan.arena_size


cdef int end_value(State *s) noexcept nogil:
    """The Value being captured is whole (or, for a watched one that is too long, never was begun)."""
    cdef int status = STATUS_OK
    if s.watching:
        s.watching = 0
        s.watch.known = s.held_from != <uint64_t>-1
        s.watch.size = <uint32_t>(s.plan.arena_size - s.held_from) if s.watch.known else 0
        status = plan_watch(s.plan, &s.watch, s.plan.arena + s.held_from if s.watch.size else NULL)
    if s.capture_record != NO_RECORD and status == STATUS_OK:
        status = plan_value(s.plan, s.plan.edits[s.capture_record].key, s.held_from,
                            &s.plan.edits[s.capture_record].value)
        s.capture_record = NO_RECORD
    elif s.held_from != <uint64_t>-1:
        s.plan.arena_size = s.held_from
    s.held_from = <uint64_t>-1
    return status

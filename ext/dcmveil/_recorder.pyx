"""Recording: edits with the frames around them, and Values that the Resolver will want to see or the Planner itself.

A frame gets an edit of its own (a container) with the first edit inside it, so `State.recorded` frames always are the
outermost ones.
"""
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from dcmveil._creators cimport add_creator
from dcmveil._edits cimport (
    CONTAINER,
    CONTENT_ITEM,
    IDENTIFIES,
    LEAF,
    NO_RECORD,
    NO_VALUE,
    Edit,
    Question,
    Watch,
    plan_edit,
    plan_identifying,
    plan_question,
    plan_set,
    plan_value,
    plan_watch,
)
from dcmveil._names cimport NO_NAME, Names, names_find
from dcmveil._policy cimport NAMED, REMOVE, TEXT
from dcmveil.scan cimport STATUS_OK, Token
from dcmveil.state cimport (
    FOR_CODE,
    FOR_CREATOR,
    FOR_IDENTITY,
    FOR_SCHEME,
    FOR_SET,
    FOR_TERMS,
    FOR_VALUE_TYPE,
    NAMED_LATE,
    UNNAMED,
    PlanFrame,
    State,
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


cdef int ask(State *s, const Token *t, uint32_t depth, uint16_t rule, uint8_t kind, uint16_t *key) noexcept nogil:
    """The question for an element; for a plain removal the one of its rule."""
    cdef Question question
    cdef const PlanFrame *f = &s.frames[depth]
    cdef int status
    memset(&question, 0, sizeof(Question))
    question.rule = rule
    if s.rules.behaviours[rule] & TEXT:
        question.set = f.set
    if s.rules.behaviours[rule] & NAMED:
        question.name = f.name
        question.value_type = f.value_type
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


cdef int ask_content(State *s, PlanFrame *f, uint32_t sequence) noexcept nogil:
    """The question for a Content Item as a whole, by what is known of it so far."""
    cdef Question question
    memset(&question, 0, sizeof(Question))
    question.rule = f.rule
    question.tag = question.parent = sequence
    question.kind = CONTENT_ITEM
    question.name = f.name
    question.value_type = f.value_type
    return plan_question(s.plan, &question, &f.key)


cdef int record(State *s, const Token *t, uint32_t depth, uint16_t rule, uint8_t kind, uint64_t stop) noexcept nogil:
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


cdef int insert(State *s, uint32_t tag, uint32_t depth, uint16_t rule, uint8_t kind, uint64_t at) noexcept nogil:
    cdef Token t
    memset(&t, 0, sizeof(Token))
    t.start = at
    t.tag = tag
    t.vr = VR_INVALID
    t.encoding = s.scan.frames[depth].encoding
    return record(s, &t, depth, rule, kind, at)


# ---- Values ------------------------------------------------------------------------------------------------------

cdef inline void begin_value(State *s) noexcept nogil:
    """Have the Value captured, unless it is being captured for something else already."""
    s.scan.capture = 1
    if s.held_from == <uint64_t>-1:
        s.held_from = s.plan.arena_size


cdef int capture(State *s, const Token *t) noexcept nogil:
    """Have the Value of the edit just recorded captured, unless it is too long to be what it should be."""
    if t.entered or t.vr == VR_SQ or t.length > s.capture_limit:
        return STATUS_OK
    begin_value(s)
    s.capture_record = s.plan.edits_count - 1
    return STATUS_OK


cdef bint capture_for(State *s, const Token *t, uint8_t purpose, uint32_t most) noexcept nogil:
    """Have a Value of up to `most` bytes captured for the Planner itself. Is there one?"""
    if t.entered or t.vr == VR_SQ or t.length > most:
        return False
    begin_value(s)
    s.capturing |= purpose
    return True


cdef void begin_watch(State *s, const Token *t, uint32_t depth) noexcept nogil:
    """The Resolver wants to know of this element, and its Value if it has one that is short."""
    memset(&s.watch, 0, sizeof(Watch))
    s.watch.tag = t.tag
    if depth:
        s.watch.parent = s.scan.frames[depth].tag
        s.watch.item = s.scan.frames[depth - 1].items
    s.watching = 1
    s.watch.known = not t.entered and (t.vr != VR_SQ or t.length == 0) and t.length <= WATCH_LIMIT
    if s.watch.known:
        begin_value(s)


cdef void forget_value(State *s) noexcept nogil:
    """The Value being captured is none of its VR: only that it identifies, or where it stands, still counts."""
    s.capturing &= FOR_IDENTITY
    if not s.is_place:
        s.watching = 0
    drop_value(s)


cdef void drop_value(State *s) noexcept nogil:
    """No edit gets the Value; if nobody else wants it, it is captured no further."""
    s.capture_record = NO_RECORD
    if not s.capturing and not s.watching:
        if s.held_from != <uint64_t>-1:
            s.plan.arena_size = s.held_from
        s.held_from = <uint64_t>-1
        s.scan.capture = 0


cdef int end_value(State *s) noexcept nogil:
    """The Value being captured is whole (or, for a watched one that is too long, never was begun)."""
    cdef bint has_value = s.held_from != <uint64_t>-1
    cdef uint32_t size = <uint32_t>(s.plan.arena_size - s.held_from) if has_value else 0
    cdef const uint8_t *data = s.plan.arena + s.held_from if has_value else NULL
    cdef int status = STATUS_OK
    if s.watching:
        s.watching = 0
        s.watch.size = size if s.watch.known else 0
        status = plan_watch(s.plan, &s.watch, data)
    if has_value and s.capturing and status == STATUS_OK:
        status = use_value(s, data, size)
    if has_value and status == STATUS_OK:
        status = leave_value(s, size)
    s.capturing = 0
    s.held_from = <uint64_t>-1
    return status


cdef int leave_value(State *s, uint32_t size) noexcept nogil:
    """Give the Value to the edit that waits for it and to those that identify, and forget it otherwise."""
    cdef uint64_t data = s.held_from
    cdef uint32_t index = NO_VALUE
    cdef int status = STATUS_OK
    if s.capture_record != NO_RECORD:
        status = plan_value(s.plan, s.plan.edits[s.capture_record].key, s.held_from, &index)
        if status == STATUS_OK:
            data = s.plan.values[index].data
            s.plan.edits[s.capture_record].value = index
        s.capture_record = NO_RECORD
    if s.capturing & FOR_IDENTITY and size and status == STATUS_OK:
        status = note_identity(s, data, min(size, <uint32_t>s.identity_limit) if s.identity_limit else size)
    elif index == NO_VALUE:
        s.plan.arena_size = s.held_from
    return status


cdef int note_identity(State *s, uint64_t data, uint32_t size) noexcept nogil:
    cdef Question question
    cdef uint16_t key = 0
    cdef int status
    memset(&question, 0, sizeof(Question))
    question.tag = s.identity_tag
    question.kind = IDENTIFIES
    question.set = s.frames[s.scan.depth].set
    status = plan_question(s.plan, &question, &key)
    return plan_identifying(s.plan, key, data, size) if status == STATUS_OK else status


# ---- Values that tell the Planner something ----------------------------------------------------------------------

cdef inline bint is_padding(uint8_t byte) noexcept nogil:
    return byte == c" " or byte == 0


cdef bint are_terms(const Names *names, const uint8_t *data, size_t size) noexcept nogil:
    """Is each of the Values one of these, but for padding?"""
    cdef size_t start = 0, end, stop = 0
    while stop <= size:
        if stop == size or data[stop] == c"\\":
            end = stop
            while start < end and is_padding(data[start]):
                start += 1
            while start < end and is_padding(data[end - 1]):
                end -= 1
            if names_find(names, data + start, end - start) == NO_NAME:
                return False
            start = stop + 1
        stop += 1
    return True


cdef int use_value(State *s, const uint8_t *data, uint32_t size) noexcept nogil:
    """A Specific Character Set, a Private Creator, or part of what names a Content Item."""
    cdef PlanFrame *f = &s.frames[s.scan.depth]
    cdef uint16_t number
    cdef int status = STATUS_OK
    if s.capturing & FOR_TERMS and not are_terms(&s.rules.sets, data, size):
        status = record(s, &s.checked, s.scan.depth, s.rules.vr_rule, LEAF, s.scan.pos)
    while size and is_padding(data[size - 1]):
        size -= 1
    while size and is_padding(data[0]):
        data += 1
        size -= 1
    if s.capturing & FOR_SET and status == STATUS_OK:
        status = plan_set(s.plan, data, size, &f.set)
    if s.capturing & FOR_CREATOR:
        number = names_find(&s.privates.creators, data, size)
        status = add_creator(s, s.scan.depth, s.creator_tag, s.creator_record, number)
    if s.capturing & FOR_VALUE_TYPE:
        f.value_type = <uint8_t>names_find(&s.rules.value_types, data, size)
    if s.capturing & FOR_CODE and not s.code_size:
        s.code_size = <uint8_t>size
        memcpy(s.code, data, size)
    if s.capturing & FOR_SCHEME and not s.scheme_size:
        s.scheme_size = <uint8_t>size
        memcpy(s.concept, data, size)
    if s.capturing & (FOR_CODE | FOR_SCHEME):
        give_name(s, f - 2)
    return status


cdef void give_name(State *s, PlanFrame *item) noexcept nogil:
    """Name a Content Item by the code and the scheme that have come so far; the first name that is known counts."""
    cdef uint16_t name
    s.concept[s.scheme_size] = 0
    memcpy(s.concept + s.scheme_size + 1, s.code, s.code_size)
    name = names_find(&s.rules.concepts, s.concept, s.scheme_size + 1 + s.code_size)
    if name and item.name == UNNAMED:
        item.name = NAMED_LATE if item.is_asked else name

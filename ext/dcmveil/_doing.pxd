# Doing what a rule says: elements that stay, and those that get an edit.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dcmveil._alphabets cimport text_begin, text_begin_any, text_look
from dcmveil._choosing cimport is_sequence
from dcmveil._creators cimport keep_creator
from dcmveil._edits cimport CONTAINED, LEAF, LEAF_UNDEFINED, NO_RECORD, plan_bulk, plan_hold
from dcmveil._frames cimport enter, enter_kept, open_frame
from dcmveil._listening cimport overhear_sequence
from dcmveil._policy cimport (
    APPEND,
    CAPTURE,
    CONTENT,
    DESCEND,
    NAMED,
    NAMING,
    NO_NODE,
    ONLY_MEMBERS,
    WHOLESOME,
    Entry,
    vrs_of,
)
from dcmveil._recorder cimport (
    ask,
    capture,
    capture_for,
    drop_value,
    forget_value,
    open_frames,
    record,
)
from dcmveil._repeats cimport forget_last
from dcmveil.scan cimport FRAME_FRAGMENTS, STATUS_OK, TOKEN_FRAGMENT, Token
from dcmveil.state cimport (
    FOR_TERMS,
    MODE_APPEND,
    MODE_CONTENT,
    MODE_MEMBERS,
    MODE_NAMING,
    MODE_WATCHED,
    State,
)
from dcmveil.wire cimport VR_COUNT, VR_IMPLICIT, VR_SQ

cdef enum:
    PIXEL_GROUP = 0x7FE0
    MIN_PIXEL_BULK = 1 << 14    # bytes of a Value
    MIN_BULK = 1 << 20
    SPECIFIC_CHARACTER_SET = 0x00080005
    MAX_SET = 256               # bytes of a Specific Character Set


cdef inline int keep(State *s, const Token *t, const Entry *entry, uint32_t depth, uint32_t node,
                     uint16_t rule) noexcept nogil:
    cdef uint16_t behaviour = s.rules.behaviours[rule]
    cdef uint8_t mode = 0
    cdef int status = STATUS_OK
    if behaviour & ONLY_MEMBERS:
        mode |= MODE_MEMBERS
    if behaviour & APPEND:
        mode |= MODE_APPEND | MODE_WATCHED
    if behaviour & CONTENT:
        mode |= MODE_CONTENT
    if entry != NULL and entry.flags & NAMING and s.frames[depth].mode & MODE_CONTENT:
        mode |= MODE_NAMING
    if t.entered:
        open_frame(s, t, t.tag, node, mode)
        if t.entered == 1 + FRAME_FRAGMENTS and depth == 0:
            s.plan.fragments_start = t.start + t.header
    elif is_sequence(t, entry) or (node != NO_NODE and t.vr == VR_SQ):
        status = enter_kept(s, t, node, mode)
    else:
        return keep_value(s, t, entry)
    s.frames[s.scan.depth].rule = rule
    return status


cdef inline int keep_value(State *s, const Token *t, const Entry *entry) noexcept nogil:
    """A Value that stays as it is, if it is one of its VR, which must be seen to be said.

    So texts are read, however long they are: one that is passed over could have anything in it. What is bulk by its
    nature is binary, and is not looked at."""
    if t.tag == SPECIFIC_CHARACTER_SET and s.rules.sets.slots != NULL:
        s.checked = t[0]
        if capture_for(s, t, FOR_TERMS, MAX_SET):
            return STATUS_OK
        return record(s, t, s.scan.depth, s.rules.vr_rule, LEAF, t.start + t.header + t.length)
    if entry != NULL and begin_check(s, t, entry):
        s.unfit_rule = s.rules.private_rule if t.tag >> 16 & 1 else s.rules.vr_rule
        return STATUS_OK
    return note_bulk(s, t)


cdef inline bint begin_check(State *s, const Token *t, const Entry *entry) noexcept nogil:
    """Look at the Value as it comes. False if there is nothing to be seen in it."""
    cdef bint is_text
    if not s.rules.checks or not t.length or (t.vr >= VR_COUNT and t.vr != VR_IMPLICIT):
        return False
    is_text = text_begin_any(&s.text, vrs_of(entry)) if t.vr == VR_IMPLICIT else text_begin(&s.text, t.vr)
    if is_text:
        s.scan.capture = s.checking = 1
        s.checked = t[0]
    return is_text


cdef inline int look(State *s, const uint8_t *data, size_t size) noexcept nogil:
    """The next bytes of a Value that is being checked. What is none goes as what has another VR does.

    There must be room for it up to where that is known, so that no limit depends on the pieces."""
    cdef const Token *t = &s.checked
    cdef size_t looked = text_look(&s.text, data, size)
    cdef int status = STATUS_OK
    if s.text.alphabets:
        return STATUS_OK
    if s.held_from != <uint64_t>-1:
        status = plan_hold(s.plan, data, looked)
        if status != STATUS_OK:
            return status
        s.plan.arena_size -= looked
    s.checking = 0
    if s.capture_record == NO_RECORD or t.tag >> 16 & 1:
        forget_last(&s.seen[s.scan.depth], t.tag)
    if s.capture_record != NO_RECORD:       # its edit is recorded, and is not to see it
        drop_value(s)
        return STATUS_OK
    forget_value(s)
    return record(s, t, s.scan.depth, s.unfit_rule, LEAF, t.start + t.header + t.length)


cdef inline int end_check(State *s) noexcept nogil:
    """It is one, and so stays."""
    s.checking = 0
    if s.checked.tag >> 16 & 1 and s.privates != NULL:
        keep_creator(s, s.scan.depth, s.checked.tag)
    return note_bulk(s, &s.checked) if s.capture_record == NO_RECORD else STATUS_OK


cdef inline int note_bulk(State *s, const Token *t) noexcept nogil:
    """A long Value or Fragment that stays as it is."""
    cdef bint is_pixels = t.kind == TOKEN_FRAGMENT or t.tag >> 16 == PIXEL_GROUP
    if not s.plan.first_bulk and t.length >= MIN_BULK:
        s.plan.first_bulk = t.start + t.header
    if s.notes_bulk and t.length >= (MIN_PIXEL_BULK if is_pixels else MIN_BULK):
        return plan_bulk(s.plan, t.start + t.header, t.length, t.kind == TOKEN_FRAGMENT)
    return STATUS_OK


cdef inline int descend(State *s, const Token *t, uint32_t depth, uint32_t node, uint16_t rule) noexcept nogil:
    """A Sequence that may be kept or not: its own edit is a container with a question."""
    cdef uint16_t key = 0
    cdef int status = ask(s, t, depth, rule, CONTAINED, &key)
    if status == STATUS_OK:
        status = open_frames(s, depth)
    if status == STATUS_OK:
        status = enter(s, t, node, 0)
    if status != STATUS_OK:
        return status
    s.frames[s.scan.depth].key = key
    return open_frames(s, s.scan.depth)


cdef inline int edit_element(State *s, const Token *t, const Entry *entry, uint32_t depth, uint32_t node,
                             uint16_t rule) noexcept nogil:
    cdef uint16_t behaviour = s.rules.behaviours[rule]
    cdef int status
    if behaviour & NAMED:
        s.frames[depth].is_asked = True
        if not s.frames[depth].value_type and entry != NULL:
            s.frames[depth].value_type = entry.value_type
    if behaviour & DESCEND and is_sequence(t, entry):
        return descend(s, t, depth, node, rule)
    if t.entered:
        drop(s, depth)
        status = record(s, t, depth, rule, LEAF_UNDEFINED, 0)
        return overhear_sequence(s, t) if status == STATUS_OK else status
    if s.rules.listens and is_sequence(t, entry):
        drop(s, depth)
        status = record(s, t, depth, rule, LEAF, t.start + t.header + t.length)
        return overhear_sequence(s, t) if status == STATUS_OK else status
    status = record(s, t, depth, rule, LEAF, t.start + t.header + t.length)
    if status == STATUS_OK and behaviour & CAPTURE:
        capture(s, t)
        if behaviour & WHOLESOME and entry != NULL and s.capture_record != NO_RECORD:
            begin_check(s, t, entry)
    return status


cdef inline void drop(State *s, uint32_t depth) noexcept nogil:
    """What the next edit is about goes whole; its end is known when the Scanner comes back to this depth."""
    s.dropping = depth + 1
    s.drop_record = s.plan.edits_count + (depth - s.recorded)

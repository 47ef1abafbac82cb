# What is done with each token of the Scanner, and with the Values it is asked for.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dcmveil._choosing cimport choose, insert_missing, is_repeated, pass_anchors
from dcmveil._creators cimport close_creators, forget_creators
from dcmveil._doing cimport edit_element, end_check, keep, look, note_bulk
from dcmveil._edits cimport APPENDED, INSERTED, ITEM, NO_RECORD, RECODE, plan_hold
from dcmveil._frames cimport item_node, more_frames, open_frame
from dcmveil._listening cimport (
    finish_value,
    listen,
    listen_for_set,
    note_private,
    overhear,
    watch_element,
)
from dcmveil._policy cimport EDIT, NO_NODE, Entry, Place, find_place
from dcmveil._recorder cimport ask_content, begin_watch, end_value, insert, open_frames, record
from dcmveil._repeats cimport forget_seen
from dcmveil.scan cimport (
    STATUS_MEMORY,
    STATUS_OK,
    STATUS_PAUSE,
    TOKEN_DATASET,
    TOKEN_ELEMENT,
    TOKEN_FRAGMENT,
    TOKEN_ITEM,
    TOKEN_ITEM_END,
    TOKEN_META,
    TOKEN_SEQUENCE_END,
    Token,
)
from dcmveil.state cimport MODE_APPEND, MODE_CONTENT, MODE_NAMING, UNNAMED, PlanFrame, State

cdef enum:
    FILE_META = 0x00020000
    MEDIA_STORAGE_SOP_CLASS = 0x00020002
    MEDIA_STORAGE_SOP_INSTANCE = 0x00020003


cdef inline int on_element(State *s, Token *t) noexcept nogil:
    cdef:
        uint32_t depth = s.scan.depth - (t.entered != 0)
        const Entry *entry = NULL
        const Place *place
        uint32_t node
        uint16_t rule
        int status
    if s.dropping:
        return overhear(s, t) if s.rules.listens else STATUS_OK
    if s.creators_count:
        forget_creators(s, depth, t.tag >> 16)
    place = find_place(s.rules, s.frames[depth].node, t.tag)
    status = pass_anchors(s, t, depth)
    if status != STATUS_OK:
        return status
    rule = choose(s, t, depth, place, &entry)
    node = place.child if place != NULL else NO_NODE
    if node == NO_NODE and is_repeated(s, t, entry, depth, rule):   # what counts inside counts in each of them
        rule = s.rules.repeated_rule
    if s.rules.behaviours[rule] & EDIT:
        status = edit_element(s, t, entry, depth, node, rule)
    else:
        status = keep(s, t, entry, depth, node, rule)
    if status != STATUS_OK:
        return status
    if s.rules.has_text and depth:
        listen_for_set(s, t, &s.frames[depth], rule)
    if t.tag >> 16 & 1:
        status = note_private(s, t, depth, rule) if s.privates != NULL else STATUS_OK
    elif not t.entered:
        listen(s, t, entry, depth, rule)
    if status != STATUS_OK:
        return status
    return watch_element(s, t, entry, place, depth, rule)


cdef inline int on_item(State *s, Token *t) noexcept nogil:
    cdef PlanFrame *sequence = &s.frames[s.scan.depth - 1]
    cdef uint32_t number
    if s.dropping:
        open_frame(s, t, 0, NO_NODE, 0)
        return STATUS_OK
    number = s.scan.frames[s.scan.depth - 1].items
    open_frame(s, t, number, item_node(s, sequence.node, number), sequence.mode & ~<uint8_t>MODE_APPEND)
    s.frames[s.scan.depth].flags |= ITEM
    forget_seen(&s.seen[s.scan.depth])
    if sequence.mode & MODE_CONTENT:
        return open_content(s, sequence)
    if sequence.mode & MODE_NAMING:
        s.code_size = s.scheme_size = 0
        if number > 1:      # an Item has one name
            s.frames[s.scan.depth].mode &= ~<uint8_t>MODE_NAMING
    if s.frames[s.scan.depth].flags & RECODE:
        return open_frames(s, s.scan.depth)
    return STATUS_OK


cdef inline int open_content(State *s, const PlanFrame *sequence) noexcept nogil:
    """A Content Item is a container with a question, which is asked anew at its end."""
    cdef PlanFrame *item = &s.frames[s.scan.depth]
    cdef int status
    item.name = UNNAMED
    item.rule = sequence.rule
    status = ask_content(s, item, sequence.tag)
    return open_frames(s, s.scan.depth) if status == STATUS_OK else status


cdef inline int close_content(State *s, PlanFrame *item, uint32_t sequence) noexcept nogil:
    cdef int status = ask_content(s, item, sequence)
    if status == STATUS_OK:
        s.plan.edits[item.record].key = item.key
    return status


cdef inline int on_close(State *s, Token *t) noexcept nogil:
    cdef uint32_t depth = s.scan.depth + 1
    cdef PlanFrame *f = &s.frames[depth]
    cdef int status
    if s.dropping:
        if s.scan.depth < s.dropping:
            s.plan.edits[s.drop_record].stop = s.scan.pos
            s.dropping = 0
        return STATUS_OK
    status = insert_missing(s, depth, t.start)
    if status == STATUS_OK and f.mode & MODE_APPEND:
        status = insert(s, f.tag, depth, f.rule, APPENDED, t.start)
    if status != STATUS_OK:
        return status
    if f.mode & MODE_CONTENT and f.flags & ITEM:
        status = close_content(s, f, s.frames[depth - 1].tag)
        if status != STATUS_OK:
            return status
    if s.creators_count:
        close_creators(s)
    if f.record != NO_RECORD:
        s.plan.edits[f.record].stop = s.scan.pos
        s.plan.edits[f.record].link = s.plan.edits_count
    if s.recorded > s.scan.depth:
        s.recorded = s.scan.depth
    return STATUS_OK


cdef inline int on_meta(State *s, Token *t) noexcept nogil:
    if t.tag == MEDIA_STORAGE_SOP_CLASS or t.tag == MEDIA_STORAGE_SOP_INSTANCE:
        begin_watch(s, t, 0)
        return finish_value(s)
    return STATUS_OK


cdef inline int on_dataset(State *s, Token *t) noexcept nogil:
    cdef int status
    if s.rules.behaviours[s.rules.meta_rule] & EDIT:
        status = insert(s, FILE_META, 0, s.rules.meta_rule, INSERTED, 0)
        if status != STATUS_OK:
            return status
        s.plan.edits[0].stop = t.start
    return STATUS_PAUSE


cdef inline int on_token(void *context, Token *t) noexcept nogil:
    cdef State *s = <State *>context
    if s.scan.depth + 2 > s.frames_room and more_frames(s) != STATUS_OK:
        return STATUS_MEMORY
    if t.kind == TOKEN_ELEMENT:
        return on_element(s, t)
    if t.kind == TOKEN_ITEM:
        return on_item(s, t)
    if t.kind == TOKEN_ITEM_END or t.kind == TOKEN_SEQUENCE_END:
        return on_close(s, t)
    if t.kind == TOKEN_FRAGMENT:
        return STATUS_OK if s.dropping else note_bulk(s, t)
    if t.kind == TOKEN_META:
        return on_meta(s, t)
    if t.kind == TOKEN_DATASET:
        return on_dataset(s, t)
    return STATUS_OK


cdef inline int on_value(void *context, const uint8_t *data, size_t size) noexcept nogil:
    cdef State *s = <State *>context
    cdef int status = STATUS_OK
    if s.checking:
        status = look(s, data, size) if data != NULL else end_check(s)
    if status != STATUS_OK:
        return status
    if data == NULL:
        return end_value(s)
    return plan_hold(s.plan, data, size) if s.held_from != <uint64_t>-1 else STATUS_OK

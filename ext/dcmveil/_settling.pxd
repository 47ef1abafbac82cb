# What becomes of an edit, and of the Value Lengths around it, now that all is answered.
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from dcmveil._edits cimport (
    CONTAINER,
    DECIDE_KEEP,
    DECIDE_REMOVE,
    DECIDE_REPLACE,
    DECIDE_VALUES,
    INSERTED,
    NO_RECORD,
    NO_VALUE,
    PATCH,
    RECODE,
    UNDEFINED,
    Edit,
    PlanData,
    Question,
    Value,
)
from dcmveil.scan cimport STATUS_LIMIT, STATUS_OK
from dcmveil.wire cimport UNDEFINED_LENGTH

cdef enum:
    DECISIONS = 5
    MAX_LENGTH = 0xFFFFFFFE


cdef inline int outcome(const PlanData *plan, const Edit *edit, const uint8_t **data, uint32_t *size) noexcept nogil:
    """Decision for one edit: keep, remove or replace (by `size[0]` bytes at `data[0]`)."""
    cdef const Question *question
    cdef const Value *value
    if edit.key == 0:
        return DECIDE_KEEP
    question = &plan.questions[edit.key]
    data[0] = plan.kept + question.data
    size[0] = question.size
    if question.decision != DECIDE_VALUES:
        return question.decision
    if edit.value == NO_VALUE:
        return DECIDE_REPLACE if question.size else DECIDE_REMOVE
    value = &plan.values[edit.value]
    data[0] = plan.arena + value.result
    size[0] = value.result_size
    return value.decision


cdef inline bint goes(const PlanData *plan, const Edit *edit) noexcept nogil:
    """Is it decided that nothing of this element stays?"""
    cdef const uint8_t *data = NULL
    cdef uint32_t size = 0
    cdef int what = outcome(plan, edit, &data, &size)
    return what == DECIDE_REMOVE or what == DECIDE_REPLACE


cdef struct Level:
    uint32_t edit
    int64_t delta


cdef inline int settle_container(Edit *edit, int64_t *delta) noexcept nogil:
    """Decide whether the header of a container changes, now that the delta of its content is known."""
    cdef int64_t length
    if edit.flags & RECODE:
        if not edit.flags & PATCH:
            delta[0] += 8
        edit.flags |= PATCH
        edit.value = UNDEFINED_LENGTH
    elif not edit.flags & UNDEFINED and delta[0] != 0:
        length = <int64_t>edit.value + delta[0]
        if length < 0 or length > MAX_LENGTH:
            return STATUS_LIMIT
        edit.flags |= PATCH
        edit.value = <uint32_t>length
    return STATUS_OK


cdef inline int settle_edits(PlanData *plan, uint32_t stop, Level *levels, uint64_t *counts,
                             int64_t *delta) noexcept nogil:
    cdef:
        uint32_t i = 0, depth = 0, size = 0
        const uint8_t *data = NULL
        Edit *edit
        int what
    levels[0].delta = 0
    while True:
        while depth and (i == plan.edits[levels[depth].edit].link or i == stop):
            if settle_container(&plan.edits[levels[depth].edit], &levels[depth].delta) != STATUS_OK:
                return STATUS_LIMIT
            depth -= 1
            levels[depth].delta += levels[depth + 1].delta
        if i == stop:
            break
        edit = &plan.edits[i]
        what = outcome(plan, edit, &data, &size)
        if edit.key:
            counts[plan.questions[edit.key].rule * DECISIONS + what] += 1
        if edit.flags & CONTAINER and what == DECIDE_KEEP:
            depth += 1
            levels[depth].edit = i
            levels[depth].delta = 0
        elif what == DECIDE_REMOVE:
            levels[depth].delta -= <int64_t>(edit.stop - edit.start)
        elif what == DECIDE_REPLACE:
            levels[depth].delta += <int64_t>size - <int64_t>(edit.stop - edit.start)
        i = edit.link if edit.flags & CONTAINER and what != DECIDE_KEEP else i + 1
    delta[0] = levels[0].delta
    return STATUS_OK


cdef inline int64_t growth_before(const PlanData *plan, uint32_t stop, uint64_t position, uint32_t key,
                                  int64_t key_size) noexcept nogil:
    """Bytes that the settled edits before an offset of the input add or take away."""
    cdef const uint8_t *data = NULL
    cdef const Edit *edit
    cdef uint32_t i = 0, size = 0
    cdef int64_t growth = 0
    cdef int what
    while i < stop and plan.edits[i].start < position:
        edit = &plan.edits[i]
        what = outcome(plan, edit, &data, &size)
        if what == DECIDE_REMOVE:
            growth -= <int64_t>(edit.stop - edit.start)
        elif what == DECIDE_REPLACE:
            growth += (key_size if edit.key == key else <int64_t>size) - <int64_t>(edit.stop - edit.start)
        elif edit.flags & RECODE and edit.link != NO_RECORD and edit.stop <= position:
            growth += 8         # its delimiter
        i = edit.link if edit.flags & CONTAINER and what != DECIDE_KEEP else i + 1
    return growth


cdef inline bint changes(const PlanData *plan, uint32_t first, uint32_t stop) noexcept nogil:
    """Does any of these edits, one at top level and all inside it, change anything?"""
    cdef const uint8_t *data = NULL
    cdef uint32_t i, size = 0
    for i in range(first, stop):
        if outcome(plan, &plan.edits[i], &data, &size) != DECIDE_KEEP or plan.edits[i].flags & PATCH:
            return True
    return False


cdef inline bint is_inserted(const PlanData *plan, const Edit *edit) noexcept nogil:
    """Not a Data Element of the input; nor is File Meta Information, though what is written anew covers the old."""
    return edit.key != 0 and plan.questions[edit.key].kind == INSERTED

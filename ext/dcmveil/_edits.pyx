"""Edits, questions and Values: the arrays that a Plan is made of, filled without the GIL.

Questions and Values are kept once, in open-addressed hash tables. A Value that finds no free place within a few
probes is stored again: the work is bounded, whatever Values a file has chosen.
"""
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memcpy, memmove, memset

from dcmveil.scan cimport STATUS_LIMIT, STATUS_MEMORY, STATUS_OK

cdef enum:
    MAX_QUESTIONS = 0xFFFE
    FIRST_SLOTS = 256           # of questions
    FIRST_BYTES = 256           # of Values, and of what stays to the end
    PROBES = 16
    ITEM_HEADER = 8
    QUESTION_PROBES = 512       # no honest file needs more; one made to collide is refused


# ---- growing arrays -------------------------------------------------------------------------------------------

cdef int grow(void **array, uint32_t *room, uint32_t count, size_t size) noexcept nogil:
    cdef uint32_t more
    cdef void *moved
    if count < room[0]:
        return STATUS_OK
    more = room[0] + (room[0] >> 1) + 64
    moved = realloc(array[0], more * size)
    if moved == NULL:
        return STATUS_MEMORY
    array[0] = moved
    room[0] = more
    return STATUS_OK


cdef int open_bytes(uint8_t **bytes, uint64_t *size, uint64_t *room) noexcept nogil:
    """Never NULL, so that an empty Value has a place too."""
    bytes[0] = <uint8_t *>malloc(FIRST_BYTES)
    size[0] = 0
    room[0] = FIRST_BYTES if bytes[0] != NULL else 0
    return STATUS_OK if bytes[0] != NULL else STATUS_MEMORY


cdef int plan_open(PlanData *plan, uint32_t max_edits, uint64_t max_held) noexcept nogil:
    memset(plan, 0, sizeof(PlanData))
    plan.edits_limit = max_edits
    plan.held_limit = max_held
    plan.value_slots_count = 256
    plan.value_slots = <uint32_t *>calloc(plan.value_slots_count, sizeof(uint32_t))
    plan.question_slots_count = FIRST_SLOTS
    plan.question_slots = <uint16_t *>calloc(plan.question_slots_count, sizeof(uint16_t))
    if plan.value_slots == NULL or plan.question_slots == NULL:
        return STATUS_MEMORY
    if open_bytes(&plan.arena, &plan.arena_size, &plan.arena_room) != STATUS_OK:
        return STATUS_MEMORY
    if open_bytes(&plan.kept, &plan.kept_size, &plan.kept_room) != STATUS_OK:
        return STATUS_MEMORY
    if grow(<void **>&plan.questions, &plan.questions_room, 0, sizeof(Question)) != STATUS_OK:
        return STATUS_MEMORY
    memset(&plan.questions[0], 0, sizeof(Question))     # key 0: containers that ask nothing
    return STATUS_OK


cdef void plan_close(PlanData *plan) noexcept nogil:
    free(plan.edits)
    free(plan.bulk)
    free(plan.questions)
    free(plan.values)
    free(plan.watches)
    free(plan.arena)
    free(plan.kept)
    free(plan.value_slots)
    free(plan.question_slots)


cdef int plan_edit(PlanData *plan, const Edit *edit) noexcept nogil:
    if plan.edits_count >= plan.edits_limit:
        return STATUS_LIMIT
    if grow(<void **>&plan.edits, &plan.edits_room, plan.edits_count, sizeof(Edit)) != STATUS_OK:
        return STATUS_MEMORY
    plan.edits[plan.edits_count] = edit[0]
    plan.edits_count += 1
    return STATUS_OK


cdef int append(uint8_t **bytes, uint64_t *size, uint64_t *room, uint64_t limit, const uint8_t *data,
                uint64_t n) noexcept nogil:
    cdef uint64_t more
    cdef void *moved
    if n == 0:
        return STATUS_OK
    if n > limit - size[0]:
        return STATUS_LIMIT
    if n > room[0] - size[0]:
        more = room[0] + (room[0] >> 1) + n + 1024
        moved = realloc(bytes[0], more)
        if moved == NULL:
            return STATUS_MEMORY
        bytes[0] = <uint8_t *>moved
        room[0] = more
    memcpy(bytes[0] + size[0], data, n)
    size[0] += n
    return STATUS_OK


cdef int plan_hold(PlanData *plan, const uint8_t *data, uint64_t size) noexcept nogil:
    """Append bytes to the arena of Values."""
    return append(&plan.arena, &plan.arena_size, &plan.arena_room, plan.held_limit, data, size)


cdef int plan_keep(PlanData *plan, const uint8_t *data, uint64_t size) noexcept nogil:
    """Append bytes to those that stay to the end."""
    return append(&plan.kept, &plan.kept_size, &plan.kept_room, plan.held_limit, data, size)


cdef int plan_keep_at(PlanData *plan, const uint8_t *data, uint64_t size, uint64_t *where) noexcept nogil:
    where[0] = plan.kept_size
    return plan_keep(plan, data, size)


cdef int plan_watch(PlanData *plan, Watch *watch, const uint8_t *data) noexcept nogil:
    """Note a watched element, with the `watch.size` bytes of its Value at `data`."""
    if plan.watches_count >= MAX_WATCHES:
        return STATUS_LIMIT
    if grow(<void **>&plan.watches, &plan.watches_room, plan.watches_count, sizeof(Watch)) != STATUS_OK:
        return STATUS_MEMORY
    watch.data = plan.kept_size
    plan.watches[plan.watches_count] = watch[0]
    plan.watches_count += 1
    return plan_keep(plan, data, watch.size)


cdef int plan_bulk(PlanData *plan, uint64_t start, uint64_t size, bint is_fragment) noexcept nogil:
    """Note a long Value; Fragments that follow one another are one, with the Item headers between them."""
    if is_fragment and plan.bulk_count and start - plan.bulk[plan.bulk_count - 1].stop <= ITEM_HEADER:
        plan.bulk[plan.bulk_count - 1].stop = start + size
        return STATUS_OK
    if grow(<void **>&plan.bulk, &plan.bulk_room, plan.bulk_count, sizeof(Range)) != STATUS_OK:
        return STATUS_MEMORY
    plan.bulk[plan.bulk_count] = Range(start, start + size)
    plan.bulk_count += 1
    return STATUS_OK


# ---- questions and Values, each kept once ---------------------------------------------------------------------

cdef bint same_question(const Question *a, const Question *b) noexcept nogil:
    return (a.tag == b.tag and a.parent == b.parent and a.rule == b.rule and a.vr == b.vr and a.name == b.name
            and a.value_type == b.value_type and a.set == b.set and a.encoding == b.encoding and a.kind == b.kind)


cdef inline uint32_t hash_question(const Question *asked) noexcept nogil:
    cdef uint32_t h = (asked.tag * <uint32_t>0x9E3779B1) ^ (asked.parent * <uint32_t>0x85EBCA77)
    h ^= (<uint32_t>asked.name << 16 | <uint32_t>asked.value_type << 8 | asked.set) * <uint32_t>0x27D4EB2F
    h = (h ^ <uint32_t>(asked.rule << 8) ^ asked.vr ^ <uint32_t>(asked.kind << 16)) * <uint32_t>0xC2B2AE3D
    return h ^ h >> 15


cdef int grow_question_slots(PlanData *plan) noexcept nogil:
    cdef uint32_t i, j, count = plan.question_slots_count * 2
    cdef uint16_t *slots = <uint16_t *>calloc(count, sizeof(uint16_t))
    if slots == NULL:
        return STATUS_MEMORY
    for i in range(1, plan.questions_count + 1):
        j = hash_question(&plan.questions[i]) & (count - 1)
        while slots[j]:
            j = (j + 1) & (count - 1)
        slots[j] = <uint16_t>i
    free(plan.question_slots)
    plan.question_slots = slots
    plan.question_slots_count = count
    return STATUS_OK


cdef int plan_question(PlanData *plan, const Question *asked, uint16_t *key) noexcept nogil:
    """Number of the question, from 1; a new one if it was not asked before."""
    cdef uint32_t probes = 0, i
    if plan.questions_count >= plan.question_slots_count // 2 and grow_question_slots(plan) != STATUS_OK:
        return STATUS_MEMORY
    i = hash_question(asked) & (plan.question_slots_count - 1)
    while plan.question_slots[i]:
        probes += 1
        if probes > QUESTION_PROBES:
            return STATUS_LIMIT
        key[0] = plan.question_slots[i]
        if same_question(&plan.questions[key[0]], asked):
            return STATUS_OK
        i = (i + 1) & (plan.question_slots_count - 1)
    if plan.questions_count >= MAX_QUESTIONS:
        return STATUS_LIMIT
    plan.questions_count += 1
    if grow(<void **>&plan.questions, &plan.questions_room, plan.questions_count, sizeof(Question)) != STATUS_OK:
        return STATUS_MEMORY
    key[0] = <uint16_t>plan.questions_count
    plan.question_slots[i] = key[0]
    plan.questions[key[0]] = asked[0]
    plan.questions[key[0]].decision = PENDING
    return STATUS_OK


cdef uint32_t hash_bytes(const uint8_t *p, uint32_t size, uint32_t seed) noexcept nogil:
    cdef uint32_t h = seed, i
    for i in range(size):
        h = (h ^ p[i]) * <uint32_t>0x01000193
    return h ^ (h >> 15)


cdef int grow_value_slots(PlanData *plan) noexcept nogil:
    cdef uint32_t i, j, _n, count = plan.value_slots_count * 2
    cdef uint32_t *slots = <uint32_t *>calloc(count, sizeof(uint32_t))
    if slots == NULL:
        return STATUS_MEMORY
    for i in range(plan.values_count):
        j = plan.values[i].hash & (count - 1)
        for _n in range(PROBES):
            if not slots[j]:
                slots[j] = i + 1
                break
            j = (j + 1) & (count - 1)
    free(plan.value_slots)
    plan.value_slots = slots
    plan.value_slots_count = count
    return STATUS_OK


cdef int intern(PlanData *plan, uint16_t key, uint64_t start, uint32_t size, uint32_t *index) noexcept nogil:
    """Number of the Value that the arena holds at `start`; it is a new one if its bytes are those at `start`."""
    cdef:
        uint32_t h = hash_bytes(plan.arena + start, size, key)
        uint32_t i, _n
        Value *value
    if plan.values_count >= plan.value_slots_count // 2 and grow_value_slots(plan) != STATUS_OK:
        return STATUS_MEMORY
    i = h & (plan.value_slots_count - 1)
    for _n in range(PROBES):
        if not plan.value_slots[i]:
            plan.value_slots[i] = plan.values_count + 1
            break
        index[0] = plan.value_slots[i] - 1
        value = &plan.values[index[0]]
        if (value.hash == h and value.key == key and value.size == size
                and (size == 0 or memcmp(plan.arena + value.data, plan.arena + start, size) == 0)):
            value.uses += 1
            return STATUS_OK
        i = (i + 1) & (plan.value_slots_count - 1)
    if grow(<void **>&plan.values, &plan.values_room, plan.values_count, sizeof(Value)) != STATUS_OK:
        return STATUS_MEMORY
    index[0] = plan.values_count
    value = &plan.values[index[0]]
    memset(value, 0, sizeof(Value))
    value.data = start
    value.size = size
    value.hash = h
    value.key = key
    value.uses = 1
    plan.values_count += 1
    return STATUS_OK


cdef int plan_value(PlanData *plan, uint16_t key, uint64_t start, uint32_t *index) noexcept nogil:
    """Number of the Value that the arena holds from `start` on; the bytes are dropped again if it is known."""
    cdef int status = intern(plan, key, start, <uint32_t>(plan.arena_size - start), index)
    if status == STATUS_OK and plan.values[index[0]].data != start:
        plan.arena_size = start
    return status


cdef int plan_identifying(PlanData *plan, uint16_t key, uint64_t data, uint32_t size) noexcept nogil:
    """Note that the bytes in the arena, which may be those of another Value too, identify."""
    cdef uint32_t index = 0, before = plan.values_count
    cdef int status = intern(plan, key, data, size, &index)
    plan.identifying_count += plan.values_count - before
    return STATUS_LIMIT if plan.identifying_count > MAX_IDENTIFYING else status


cdef int plan_set(PlanData *plan, const uint8_t *data, uint32_t size, uint8_t *number) noexcept nogil:
    """Number of a Specific Character Set that an Item has of its own."""
    cdef uint32_t i
    cdef int status
    for i in range(1, plan.sets_count + 1):
        if plan.sets[i].size == size and (size == 0 or memcmp(plan.kept + plan.sets[i].data, data, size) == 0):
            number[0] = <uint8_t>i
            return STATUS_OK
    if plan.sets_count == MAX_SETS:
        return STATUS_LIMIT
    status = plan_keep_at(plan, data, size, &plan.sets[plan.sets_count + 1].data)
    plan.sets_count += 1
    plan.sets[plan.sets_count].size = size
    number[0] = <uint8_t>plan.sets_count
    return status


# ---- dropping what has been written ---------------------------------------------------------------------------

cdef int keep_value(PlanData *plan, Value *value, const uint8_t *old_arena) noexcept nogil:
    """Move what an edit that stays refers to into the new arena."""
    cdef const uint8_t *result = old_arena + value.result
    cdef const uint8_t *data = old_arena + value.data
    cdef int status
    value.data = plan.arena_size
    status = plan_hold(plan, data, value.size)
    if status == STATUS_OK:
        value.result = plan.arena_size
        status = plan_hold(plan, result, value.result_size)
    return status


cdef int drop_values(PlanData *plan) noexcept nogil:
    """Forget all Values but those of the edits that are left."""
    cdef:
        Value *old_values = plan.values
        uint8_t *old_arena = plan.arena
        uint32_t i, old
        uint32_t *moved = <uint32_t *>calloc(plan.values_count + 1, sizeof(uint32_t))   # old -> new number + 1
        int status = STATUS_OK if moved != NULL else STATUS_MEMORY
    plan.values = NULL
    plan.values_count = plan.values_room = 0
    if open_bytes(&plan.arena, &plan.arena_size, &plan.arena_room) != STATUS_OK:
        status = STATUS_MEMORY
    memset(plan.value_slots, 0, plan.value_slots_count * sizeof(uint32_t))
    for i in range(plan.edits_count):
        if plan.edits[i].flags & CONTAINER or plan.edits[i].value == NO_VALUE or status != STATUS_OK:
            continue
        old = plan.edits[i].value
        if moved[old]:
            plan.edits[i].value = moved[old] - 1
            continue
        status = grow(<void **>&plan.values, &plan.values_room, plan.values_count, sizeof(Value))
        if status == STATUS_OK:
            plan.values[plan.values_count] = old_values[old]
            status = keep_value(plan, &plan.values[plan.values_count], old_arena)
            plan.edits[i].value = plan.values_count
            plan.values_count += 1
            moved[old] = plan.values_count
    free(moved)
    free(old_values)
    free(old_arena)
    return status


cdef int plan_drop(PlanData *plan, const uint32_t *open_edits, uint32_t open_count, uint32_t stop) noexcept nogil:
    """Drop the edits up to `stop`, except the open containers among them, which are told to have a header already."""
    cdef uint32_t i, shift = stop - open_count
    for i in range(open_count):
        plan.edits[i] = plan.edits[open_edits[i]]
        plan.edits[i].flags |= DRAINED
    memmove(&plan.edits[open_count], &plan.edits[stop], (plan.edits_count - stop) * sizeof(Edit))
    plan.edits_count -= shift
    for i in range(open_count, plan.edits_count):
        if plan.edits[i].flags & CONTAINER and plan.edits[i].link != NO_RECORD:
            plan.edits[i].link -= shift
    return drop_values(plan)

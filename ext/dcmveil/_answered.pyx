"""What was answered to one Plan, for all others that ask the same.

Objects of a series ask the same questions of the same Values, most of them. What was decided for the first is put into
the Plans of the others as a whole, and Values are looked up in what is remembered, without a call for each.
"""
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_GetItemWithError
from cpython.object cimport PyObject
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

from dcmveil._edits cimport (
    DECIDE_VALUES,
    IDENTIFIES,
    PENDING,
    PlanData,
    Question,
    Value,
    Watch,
    plan_keep,
)
from dcmveil._plan cimport Plan
from dcmveil._settling cimport DECISIONS


cdef struct Answer:
    uint64_t data           # where in the bytes of them all
    uint32_t key
    uint32_t size
    uint8_t decision


cdef class Answered:
    """Answers to some questions of a Plan, by their keys. They may hold Values, the repr does not."""
    cdef Answer *answers
    cdef uint32_t count
    cdef bytes data

    def __cinit__(self, Plan plan not None, keys):
        wanted = [plan.check_key(key) for key in keys]
        self.answers = <Answer *>malloc(max(1, len(wanted)) * sizeof(Answer))
        if self.answers == NULL:
            raise MemoryError
        pieces, size = [], 0
        for key in wanted:
            pieces.append(self.add(&plan.data, key, size))
            size += len(pieces[len(pieces) - 1])
        self.data = b"".join(pieces)

    def __dealloc__(self):
        free(self.answers)

    def __init__(self, plan: Plan, keys) -> None:
        """ValueError for a key that is none, or whose question has no answer, and for a Plan that is settled."""

    cdef bytes add(self, const PlanData *plan, uint32_t key, uint64_t at):
        cdef const Question *question = &plan.questions[key]
        if question.decision == PENDING:
            raise ValueError("a question without an answer")
        self.answers[self.count] = Answer(at, key, question.size, question.decision)
        self.count += 1
        return PyBytes_FromStringAndSize(<char *>plan.kept + question.data, question.size)

    def give(self, Plan plan not None) -> None:
        """Answer the same questions of another Plan. LimitExceeded if the replacements do not fit."""
        cdef uint32_t i
        cdef uint64_t at = plan.data.kept_size
        cdef Question *question
        for i in range(self.count):
            plan.check_key(self.answers[i].key)
        plan.check(plan_keep(&plan.data, <const uint8_t *>PyBytes_AS_STRING(self.data), PyBytes_GET_SIZE(self.data)))
        for i in range(self.count):
            question = &plan.data.questions[self.answers[i].key]
            question.data = at + self.answers[i].data
            question.size = self.answers[i].size
            question.decision = self.answers[i].decision


# ---- Values ---------------------------------------------------------------------------------------------------

def answer_values(Plan plan not None, dict known not None, kind, ask) -> None:
    """Answer all captured Values that wait: those that are `known`, by ``(kind, key, Value)``, at once, of the others
    each by ``ask(key, Value, uses)``. An answer is the encoded element, b"" to remove it, None to keep it as it is."""
    cdef uint32_t i
    cdef const Value *value
    cdef PyObject *found
    cdef bytes answer
    if plan.settled:
        raise ValueError("the plan is settled")
    for i in range(plan.data.values_count):
        value = &plan.data.values[i]
        if value.decision != PENDING or plan.data.questions[value.key].decision != DECIDE_VALUES:
            continue
        data = PyBytes_FromStringAndSize(<char *>plan.data.arena + value.data, value.size)
        found = PyDict_GetItemWithError(known, (kind, value.key, data))
        answer = <object>found if found != NULL else ask(value.key, data, value.uses)
        plan.answer_at(i, answer)


# ---- what is alike --------------------------------------------------------------------------------------------

cdef enum:
    MEDIA_STORAGE_SOP_INSTANCE_UID = 0x00020003
    SOP_INSTANCE_UID = 0x00080018


cdef inline bint is_instance(const Watch *w) noexcept nogil:
    return not w.parent and (w.tag == MEDIA_STORAGE_SOP_INSTANCE_UID or w.tag == SOP_INSTANCE_UID)


cdef bytes row(const uint32_t *numbers, size_t size, const uint8_t *data, uint32_t length):
    """Numbers, and bytes; that the length is among the numbers makes it clear where each ends."""
    head = PyBytes_FromStringAndSize(<const char *>numbers, size)
    return head + PyBytes_FromStringAndSize(<const char *>data, length)


def likeness(Plan plan not None) -> bytes:
    """What has been watched and heard of an object but its SOP Instance UIDs, as bytes that are the same for the same
    and for nothing else: how many there are and how long each is comes first."""
    cdef const PlanData *d = &plan.data
    cdef const Watch *w
    cdef const Value *v
    cdef uint32_t i
    cdef uint32_t numbers[5]
    numbers[0], numbers[1], numbers[2] = d.has_late_set, d.sets_count, 0
    for i in range(d.watches_count):
        numbers[2] += not is_instance(&d.watches[i])
    found = [row(numbers, 12, NULL, 0)]
    for i in range(d.watches_count):
        w = &d.watches[i]
        if not is_instance(w):
            numbers[:] = [w.tag, w.parent, w.item, w.size, w.known]
            found.append(row(numbers, 20, d.kept + w.data, w.size if w.known else 0))
    for i in range(1, d.sets_count + 1):
        numbers[0] = d.sets[i].size
        found.append(row(numbers, 4, d.kept + d.sets[i].data, d.sets[i].size))
    for i in range(d.values_count):
        v = &d.values[i]
        if d.questions[v.key].kind == IDENTIFIES:
            numbers[0], numbers[1], numbers[2] = d.questions[v.key].tag, d.questions[v.key].set, v.size
            found.append(row(numbers, 12, d.arena + v.data, v.size))
    return b"".join(found)


def first_value(Plan plan not None, uint32_t tag):
    """The first Value that is not empty of a watched element of the top level, without padding; or None."""
    cdef uint32_t i
    cdef const Watch *w
    for i in range(plan.data.watches_count):
        w = &plan.data.watches[i]
        if w.tag == tag and not w.parent and w.known:
            value = PyBytes_FromStringAndSize(<const char *>plan.data.kept + w.data, w.size).strip(b" \0")
            if value:
                return value
    return None


# ---- counts ---------------------------------------------------------------------------------------------------

def tally(Plan plan not None) -> bytes:
    """What `Plan.summary` says, as bytes that are the same for the same counts."""
    cdef uint32_t i, of = plan.rules_count * DECISIONS
    cdef uint64_t *pairs = <uint64_t *>malloc(2 * (of + 1) * sizeof(uint64_t))
    cdef uint32_t count = 0
    if pairs == NULL:
        raise MemoryError
    for i in range(of):
        if plan.counts[i]:
            pairs[count] = i
            pairs[count + 1] = plan.counts[i]
            count += 2
    try:
        return PyBytes_FromStringAndSize(<char *>pairs, count * sizeof(uint64_t))
    finally:
        free(pairs)

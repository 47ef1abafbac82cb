# The Plan: settles edits and turns them into segments (see _plan.pyx).
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from dcmveil._edits cimport PlanData
from dcmveil._scripts cimport Script

cdef class Plan:
    cdef PlanData data
    cdef readonly object size           # bytes of the input, once known
    cdef uint32_t stop                  # edits up to here are to be settled and written
    cdef bint settled
    cdef bint drained                   # some edits have been dropped
    cdef uint32_t levels                # that containers can be nested in
    cdef uint64_t *counts               # by rule and Decision, DECISIONS each
    cdef uint32_t rules_count
    cdef uint64_t cursor
    cdef uint64_t safe                  # input offset that no edit behind `stop` can change anything before
    cdef uint32_t kept_open             # open containers that were left when the last edits were dropped
    cdef uint32_t index
    cdef uint32_t open_count
    cdef uint32_t *open_edits

    cdef int open(self, uint32_t levels, uint32_t rules, uint32_t max_edits, uint64_t max_held) except -1
    cdef int cut(self, uint32_t stop, uint64_t safe) except -1
    cdef void rewind(self) noexcept
    cdef int check(self, int status) except -1
    cdef uint32_t check_key(self, uint32_t key) except 0
    cdef int answer_at(self, uint32_t index, bytes data) except -1
    cdef int fill(self, Script *s, size_t limit) noexcept nogil

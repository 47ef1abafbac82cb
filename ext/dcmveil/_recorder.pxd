# Recording edits, and capturing Values (see _recorder.pyx).
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dcmveil.scan cimport Token
from dcmveil.state cimport PlanFrame, State

cdef int open_frames(State *s, uint32_t depth) noexcept nogil
cdef int ask(State *s, const Token *t, uint32_t depth, uint16_t rule, uint8_t kind, uint16_t *key) noexcept nogil
cdef int ask_content(State *s, PlanFrame *f, uint32_t sequence) noexcept nogil
cdef int record(State *s, const Token *t, uint32_t depth, uint16_t rule, uint8_t kind, uint64_t stop) noexcept nogil
cdef int insert(State *s, uint32_t tag, uint32_t depth, uint16_t rule, uint8_t kind, uint64_t at) noexcept nogil
cdef int capture(State *s, const Token *t) noexcept nogil
cdef bint capture_for(State *s, const Token *t, uint8_t purpose, uint32_t most) noexcept nogil
cdef void begin_watch(State *s, const Token *t, uint32_t depth) noexcept nogil
cdef int end_value(State *s) noexcept nogil
cdef void forget_value(State *s) noexcept nogil
cdef void drop_value(State *s) noexcept nogil

# Private Creators of the open frames (see _creators.pyx).
from libc.stdint cimport uint16_t, uint32_t

from dcmveil._policy cimport Entry
from dcmveil.scan cimport Token
from dcmveil.state cimport State

cdef int add_creator(State *s, uint32_t depth, uint32_t tag, uint32_t edit, uint16_t number) noexcept nogil
cdef void forget_creators(State *s, uint32_t depth, uint32_t group) noexcept nogil
cdef void close_creators(State *s) noexcept nogil
cdef const Entry *private_entry(State *s, const Token *t, uint32_t depth) noexcept nogil
cdef void keep_creator(State *s, uint32_t depth, uint32_t tag) noexcept nogil
cdef uint32_t first_creator(const State *s, uint32_t stop) noexcept nogil
cdef void move_creators(State *s, uint32_t shift) noexcept nogil

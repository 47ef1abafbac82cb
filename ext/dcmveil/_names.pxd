# Names that a Policy knows (Private Creators, codes of concepts) and their numbers, looked up without the GIL.
from libc.stdint cimport uint8_t, uint16_t, uint32_t

cdef enum:
    NO_NAME = 0
    MAX_NAME = 255          # bytes

cdef struct NameSlot:
    uint32_t hash
    uint32_t start              # in `bytes`
    uint16_t number             # NO_NAME marks a free slot
    uint8_t size

cdef struct Names:
    NameSlot *slots
    uint8_t *bytes
    uint32_t mask               # number of slots - 1

cdef int names_open(Names *names, list rows) except -1
cdef void names_close(Names *names) noexcept nogil
cdef uint16_t names_find(const Names *names, const uint8_t *name, size_t size) noexcept nogil

# What becomes of private elements: by Private Creator, group and the low byte of the element (see _private.pyx).
from libc.stdint cimport uint16_t, uint32_t, uint64_t

from dcmveil._names cimport Names
from dcmveil._policy cimport Entry

cdef enum:
    WHOLE_BLOCK = 0x100         # in place of a low byte

cdef struct PrivateRow:
    uint64_t key                # creator, group and low byte; 0 marks a free slot
    Entry entry                 # its `tag` says nothing
    Entry sequence              # for Sequences
    Entry uid                   # for those that say that they are UIDs

cdef struct Privates:
    Names creators
    PrivateRow *rows
    uint32_t mask               # number of slots - 1
    Entry sequences             # of Sequences without a row in the block of a known creator

cdef const PrivateRow *find_private(const Privates *privates, uint16_t creator, uint32_t tag) noexcept nogil

cdef class PrivateTable:
    cdef Privates privates
    cdef int make_room(self, size_t wanted) except -1

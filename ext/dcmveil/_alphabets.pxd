# Values of text VRs: which bytes they are made of, and how long they may be (PS3.5 6.2), seen piece by piece.
from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef struct Text:
    # A Value field that is being looked at.
    uint32_t size               # of the Value at work, in bytes
    uint32_t most               # bytes that one Value may have
    uint8_t alphabets           # those that all bytes so far are of; 0: it is no Value
    uint8_t has_delimiters      # backslash ends a Value
    uint8_t pad                 # besides NUL the byte that nothing but padding follows
    uint8_t is_padding          # such a one has come

cdef bint text_begin(Text *text, uint32_t vr) noexcept nogil
cdef bint text_begin_any(Text *text, uint64_t vrs) noexcept nogil
cdef size_t text_look(Text *text, const uint8_t *data, size_t size) noexcept nogil

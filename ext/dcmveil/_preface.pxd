# What comes before the Data Set (see _preface.pyx).
from libc.stdint cimport uint8_t

from dcmveil.scan cimport Scan, Token

cdef int scan_preface(Scan *s, const uint8_t *p, size_t n, Token *t) noexcept nogil
cdef int find_transfer_syntax(const uint8_t *p, size_t n) noexcept nogil

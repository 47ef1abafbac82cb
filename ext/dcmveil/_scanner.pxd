# The Scanner's C interface: a sans-IO tokenizer of DICOM byte streams (see _scanner.pyx for the machine).
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from dcmveil.scan cimport Scan, Token

ctypedef int (*TokenSink)(void *context, Token *token) noexcept nogil
ctypedef int (*ValueSink)(void *context, const uint8_t *data, size_t size) noexcept nogil

cdef int scan_open(Scan *s, uint32_t max_depth) noexcept nogil
cdef bint scan_given(Scan *s, const uint8_t *uid, size_t size) noexcept nogil
cdef void scan_close(Scan *s) noexcept nogil
cdef int scan_feed(Scan *s, const uint8_t *p, size_t n, size_t *used,
                   TokenSink on_token, ValueSink on_value, void *context) noexcept nogil
cdef int scan_advance(Scan *s, uint64_t n) noexcept nogil
cdef int scan_finish(Scan *s, TokenSink on_token, ValueSink on_value, void *context) noexcept nogil
cdef int scan_enter(Scan *s, const Token *t, uint8_t encoding) noexcept nogil
cdef uint64_t scan_ahead(const Scan *s) noexcept nogil
cdef object scan_exception(const Scan *s)

"""The inverse of a script: how to get the input back from the output.

A segment script says which bytes of the input stay (COPY) and what is written between them (DATA). Read the other way
round, what stays is copied back, what was written is skipped, and what was lost between has to come from elsewhere:
from the text, bytes that are kept anyhow (the originals in Modified Attributes Sequence (0400,0550)), or from the raw
bytes that are kept besides. The operations are little-endian uint32, kind << 29 | number of bytes:

    COPY bytes of the output    BULK the same, but of a long Value, which no digest covers    SKIP bytes of the output
    TEXT bytes of the text; a second uint32 says from where    RAW the next raw bytes

Offsets in the output are nowhere, so that an element may be put in later whose length was not known.
"""
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy

from dcmveil.wire cimport put32

cdef enum:
    COPY = 0
    BULK = 1
    SKIP = 2
    TEXT = 3
    RAW = 4
    KIND_SHIFT = 29
    MAX_RUN = (1 << KIND_SHIFT) - 1
    MALFORMED = -2              # beside -1: no memory

cdef uint64_t COPY_BIT = <uint64_t>1 << 63

RUN_BITS = KIND_SHIFT
KINDS = ("copy", "bulk", "skip", "text", "raw")


cdef struct Span:
    uint64_t start
    uint64_t stop


cdef struct Words:
    uint8_t *bytes
    size_t size
    size_t room


cdef int put(Words *words, const void *data, size_t size) noexcept nogil:
    cdef void *moved
    if size > words.room - words.size:
        moved = realloc(words.bytes, 2 * words.room + size)
        if moved == NULL:
            return -1
        words.bytes = <uint8_t *>moved
        words.room = 2 * words.room + size
    memcpy(words.bytes + words.size, data, size)
    words.size += size
    return 0


cdef int put_run(Words *words, uint32_t kind, uint64_t length, uint64_t text_at) noexcept nogil:
    """One operation, or several for a run of more than 2**29 bytes."""
    cdef uint8_t word[8]
    cdef uint32_t part
    while length:
        part = <uint32_t>(length if length < MAX_RUN else MAX_RUN)
        put32(word, kind << KIND_SHIFT | part, False)
        put32(word + 4, <uint32_t>text_at, False)
        if put(words, word, 8 if kind == TEXT else 4) < 0:
            return -1
        length -= part
        text_at += part
    return 0


cdef class Inverse:
    """Made from the segment script of a Plan, piece by piece.

    `text` and `bulk` are pairs of uint64 start, stop in the input, in order: what is at hand as text, one range behind
    the other, and the long Values (`Plan.originals`, `Plan.bulk`).
    """
    cdef bytes text, bulk       # keep the arrays below alive
    cdef const Span *texts
    cdef const Span *bulks
    cdef size_t texts_count, bulks_count
    cdef size_t text_index, bulk_index
    cdef uint64_t text_before   # bytes of text before the range `text_index`
    cdef uint64_t cursor
    cdef Words operations, lost, covered

    def __cinit__(self, bytes text not None, bytes bulk not None):
        self.text = text
        self.bulk = bulk
        self.texts = <const Span *>PyBytes_AS_STRING(text)
        self.bulks = <const Span *>PyBytes_AS_STRING(bulk)
        self.texts_count = <size_t>PyBytes_GET_SIZE(text) // sizeof(Span)
        self.bulks_count = <size_t>PyBytes_GET_SIZE(bulk) // sizeof(Span)

    def __dealloc__(self):
        free(self.operations.bytes)
        free(self.lost.bytes)
        free(self.covered.bytes)

    def __init__(self, text: bytes, bulk: bytes) -> None:
        pass

    cdef int lose_one(self, uint64_t start, uint64_t stop) noexcept nogil:
        """What is not copied: from the text if all of it is there, else raw."""
        cdef const Span *span = NULL
        cdef Span lost = Span(start, stop)
        if self.text_index < self.texts_count:
            span = &self.texts[self.text_index]
        if span != NULL and span.start <= start and stop <= span.stop:
            return put_run(&self.operations, TEXT, stop - start, self.text_before + start - span.start)
        if put(&self.lost, &lost, sizeof(Span)) < 0:
            return -1
        return put_run(&self.operations, RAW, stop - start, 0)

    cdef int lose(self, uint64_t stop) noexcept nogil:
        """The input up to `stop` is lost; cut where ranges of text begin and end."""
        cdef uint64_t end
        cdef const Span *span
        while self.cursor < stop:
            while self.text_index < self.texts_count and self.texts[self.text_index].stop <= self.cursor:
                span = &self.texts[self.text_index]
                self.text_before += span.stop - span.start
                self.text_index += 1
            end = stop
            if self.text_index < self.texts_count:
                span = &self.texts[self.text_index]
                if span.start > self.cursor:
                    end = min(end, span.start)
                else:
                    end = min(end, span.stop)
            if self.lose_one(self.cursor, end) < 0:
                return -1
            self.cursor = end
        return 0

    cdef int keep(self, uint64_t stop) noexcept nogil:
        """The input up to `stop` stays; cut where long Values begin and end."""
        cdef const Span *span
        cdef uint64_t end
        cdef uint32_t kind
        cdef Span covered
        while self.cursor < stop:
            while self.bulk_index < self.bulks_count and self.bulks[self.bulk_index].stop <= self.cursor:
                self.bulk_index += 1
            span = &self.bulks[self.bulk_index] if self.bulk_index < self.bulks_count else NULL
            kind = BULK if span != NULL and span.start <= self.cursor else COPY
            end = stop
            if span != NULL:
                end = min(end, span.stop if kind == BULK else span.start)
            covered = Span(self.cursor, end)
            if put_run(&self.operations, kind, end - self.cursor, 0) < 0:
                return -1
            if kind == BULK and put(&self.covered, &covered, sizeof(Span)) < 0:
                return -1
            self.cursor = end
        return 0

    cdef int walk(self, const uint8_t *p, size_t n) noexcept nogil:
        cdef size_t at = 0
        cdef uint64_t record[2]
        while at < n:
            if n - at < 8:
                return MALFORMED
            memcpy(record, p + at, 8)
            at += 8
            if not record[0] & COPY_BIT:
                if record[0] > n - at:
                    return MALFORMED
                if put_run(&self.operations, SKIP, record[0], 0) < 0:
                    return -1
                at += record[0]
                continue
            if n - at < 8:
                return MALFORMED
            memcpy(&record[1], p + at, 8)
            at += 8
            record[0] ^= COPY_BIT
            if self.lose(record[0]) < 0 or self.keep(record[0] + record[1]) < 0:
                return -1
        return 0

    def add(self, bytes script not None) -> None:
        """The next records of the script, as `Plan.script` gives them. ValueError if it is malformed."""
        cdef int status
        cdef const uint8_t *p = <const uint8_t *>PyBytes_AS_STRING(script)
        cdef size_t n = <size_t>PyBytes_GET_SIZE(script)
        with nogil:
            status = self.walk(p, n)
        if status == MALFORMED:
            raise ValueError("malformed segment script")
        if status < 0:
            raise MemoryError

    def finish(self, size: int) -> tuple:
        """The input is `size` bytes long. Returns ``(operations, lost, bulk)``, bytes all three.

        `lost` are the ranges of the input that have to be kept as raw bytes, `bulk` those that no digest covers:
        pairs of uint64 start, stop.
        """
        if self.lose(size) < 0:
            raise MemoryError
        return (taken(&self.operations), taken(&self.lost), taken(&self.covered))


cdef bytes taken(const Words *words):
    return PyBytes_FromStringAndSize(<const char *>words.bytes, words.size) if words.size else b""


def restoring_script(bytes operations not None, const uint8_t[::1] text not None, const uint8_t[::1] raw not None,
                     gap_start: int, gap_stop: int) -> bytes:
    """Segment script, over the file that was written, of the operations; what stands in the gap there is passed over.

    The gap is the element that was put in later. ValueError if an operation goes past the text or the raw bytes.
    """
    cdef:
        const uint8_t *p = <const uint8_t *>PyBytes_AS_STRING(operations)
        size_t n = <size_t>PyBytes_GET_SIZE(operations), at = 0
        uint64_t cursor = 0, raw_at = 0, length, start, gap = gap_start, gap_size = gap_stop - gap_start
        uint32_t word, kind
        Words words
        int status = 0
    words.bytes = NULL
    words.size = words.room = 0
    try:
        while at < n and status == 0:
            if n - at < 4:
                raise ValueError("operations cut short")
            word = read_word(p + at)
            at += 4
            kind = word >> KIND_SHIFT
            length = word & MAX_RUN
            if kind == COPY or kind == BULK:
                status = put_copies(&words, cursor, length, gap, gap_size)
                cursor += length
            elif kind == SKIP:
                cursor += length
            elif kind == TEXT and n - at >= 4:
                start = read_word(p + at)
                at += 4
                if start > <uint64_t>text.shape[0] or length > <uint64_t>text.shape[0] - start:
                    raise ValueError("operation past the text")
                status = put_data(&words, &text[0] + start, length)
            elif kind == RAW and length <= <uint64_t>raw.shape[0] - raw_at:
                status = put_data(&words, &raw[0] + raw_at, length)
                raw_at += length
            else:
                raise ValueError("no such operation, or past the raw bytes")
        if status < 0:
            raise MemoryError
        return taken(&words)
    finally:
        free(words.bytes)


cdef inline uint32_t read_word(const uint8_t *p) noexcept nogil:
    return p[0] | <uint32_t>p[1] << 8 | <uint32_t>p[2] << 16 | <uint32_t>p[3] << 24


cdef int put_copy(Words *words, uint64_t start, uint64_t length) noexcept nogil:
    cdef uint64_t record[2]
    record[0] = start | COPY_BIT
    record[1] = length
    return put(words, record, sizeof(record)) if length else 0


cdef int put_copies(Words *words, uint64_t start, uint64_t length, uint64_t gap, uint64_t gap_size) noexcept nogil:
    """COPY of a range of the file without the gap, in terms of the file with it."""
    cdef uint64_t before
    if start >= gap:
        return put_copy(words, start + gap_size, length)
    before = min(length, gap - start)
    if put_copy(words, start, before) < 0:
        return -1
    return put_copy(words, start + before + gap_size, length - before)


cdef int put_data(Words *words, const uint8_t *data, uint64_t length) noexcept nogil:
    if length == 0:
        return 0
    if put(words, &length, 8) < 0:
        return -1
    return put(words, data, length)

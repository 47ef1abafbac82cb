"""Copier: executes a segment script between two file descriptors, without the GIL.

The output of this program is the input except for some splices (PS3.10 section 7 files are rewritten, never
re-encoded), so it is described by a script of records in native byte order:

    DATA  uint64 length, top bit clear        then `length` bytes, which stand in the script itself
    COPY  uint64 start, top bit set           then uint64 length: that range of the input

A COPY of at least `long_copy` bytes is moved by the kernel, as far as it can: see bulk.pxd. Every other byte
goes through one output buffer, so that the target sees whole aligned blocks whatever the records are. All but
short COPYs are read straight into that buffer. A short COPY is served from a window on the input that moves
forward: any number of tiny ones costs no system call each. Memory is the two buffers, whatever the lengths say.

Functions without the GIL return a Status and leave the cursor where they stopped, so that a PAUSED execution
(EINTR, or many blocks done) goes on after Python has looked at its signals. `_error` makes every exception.
"""
cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_CheckSignals
from libc.errno cimport EINTR, EIO, ENODATA, errno
from libc.stdint cimport uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset
from posix.stdlib cimport posix_memalign
from posix.types cimport off_t
from posix.unistd cimport pread, write

from dcmveil.bulk cimport (
    PAGE,
    STATUS_MALFORMED,
    STATUS_NO_MEMORY,
    STATUS_OK,
    STATUS_PAUSED,
    STATUS_READ_FAILED,
    STATUS_SHRANK,
    STATUS_UNABLE,
    STATUS_WRITE_FAILED,
    WAY_READWRITE,
    WAY_REFLINK,
    WAY_SPLICE,
    Bulk,
    Status,
    bulk_begin,
    bulk_close,
    bulk_give_up,
    bulk_step,
    bulk_step_aside,
)

import os

cdef extern from *:
    """
    #include <fcntl.h>
    #include <stdint.h>
    #define DCMVEIL_COPY_RECORD (UINT64_C(1) << 63)
    static inline void dcmveil_advise_sequential(int fd) {
    #ifdef POSIX_FADV_SEQUENTIAL
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);  /* advice only: a refusal changes nothing */
    #else
        (void)fd;
    #endif
    }
    """
    const uint64_t COPY_RECORD "DCMVEIL_COPY_RECORD"
    void advise_sequential "dcmveil_advise_sequential"(int fd) noexcept nogil

cdef enum:
    OUTPUT_CAPACITY = 1 << 18   # a larger one is no faster, and its pages cost more than the copying of a small file
    WINDOW_CAPACITY = 1 << 18
    FIRST_WINDOW = 1 << 14      # an ordinary header; each further read is four times as long
    DIRECT_COPY = 1 << 17       # from here on a system call of its own costs less than the second memcpy
    LONG_COPY = 1 << 18         # from here on it pays to ask what the descriptors are
    BLOCKS_PER_PAUSE = 256

cdef enum RecordKind:
    RECORD_DATA
    RECORD_SHORT_COPY
    RECORD_DIRECT_COPY

# What each method may try; all of them end with reading and writing.
_METHODS = {
    "auto": 1 << WAY_REFLINK | 1 << WAY_SPLICE,
    "reflink": 1 << WAY_REFLINK,
    "splice": 1 << WAY_SPLICE,
    "readwrite": 0,
}
_WAYS = {"reflink": WAY_REFLINK, "splice": WAY_SPLICE, "readwrite": WAY_READWRITE}


cdef inline size_t smaller(uint64_t a, uint64_t b) noexcept nogil:
    return <size_t> (a if a < b else b)


# The buffer of the last Copier, with its pages: to get new ones from the kernel costs more than to copy a small file.
# It is touched with the GIL only.
cdef unsigned char *SPARE = NULL


cdef unsigned char *take_spare() noexcept:
    global SPARE
    cdef unsigned char *taken = SPARE
    SPARE = NULL
    return taken


cdef void give_back(unsigned char *buffer) noexcept:
    global SPARE
    if SPARE == NULL:
        SPARE = buffer
    else:
        free(buffer)


@cython.final
cdef class Copier:
    """Execute segment scripts from `source_fd` to `target_fd`.

    `size` is the length of the input in bytes as it was scanned: a COPY beyond it is a malformed script, an
    input that ends before it has shrunk. The source is read by position and its file offset stays; the target
    is written from where it stands. Neither descriptor is closed.

    `method` is how COPYs of at least `long_copy` bytes are moved: "auto" is the first that the files allow of
    "reflink", "splice" and "readwrite"; one of these names is that method, or else "readwrite". The output is the
    same. Raises ValueError for another name.
    """

    cdef:
        int source_fd
        int target_fd
        uint64_t size
        bint idle                       # not running, and nothing has failed

        # Output: out[sent:filled] is gathered and not yet written.
        unsigned char *out
        size_t sent
        size_t filled
        uint64_t flushed
        unsigned int blocks

        # Input seen through the window: `window_length` bytes at `seen`, from offset `window_start` on. They are in
        # `window`, which is ours, or in `head`.
        bytes head
        const unsigned char *seen
        unsigned char *window
        size_t window_room
        uint64_t window_start
        size_t window_length
        size_t window_next              # length of the next read

        # Cursor: the next record in the script, and what is left of the current one. `position` is in input
        # coordinates for a COPY, an offset in the script for DATA.
        # What comes after a head of `left` bytes of a long COPY is in `bulk`.
        const char *script
        size_t script_length
        size_t script_at
        RecordKind kind
        uint64_t position
        uint64_t left
        bint advised
        uint64_t long_copy
        Bulk bulk

        int failure                     # errno of a failed read or write

    def __init__(
        self, int source_fd, int target_fd, *, uint64_t size, str method not None="auto", uint64_t long_copy=LONG_COPY
    ):
        if method not in _METHODS:
            raise ValueError(f"no method to copy by: {method!r}")
        self.source_fd = source_fd
        self.target_fd = target_fd
        self.size = size
        self.window_next = FIRST_WINDOW
        self.long_copy = long_copy
        self._init_bulk(_METHODS[method])
        self.idle = True

    cdef void _init_bulk(self, unsigned int allowed) noexcept:
        bulk_close(&self.bulk)
        memset(&self.bulk, 0, sizeof(Bulk))
        self.bulk.source_fd = self.source_fd
        self.bulk.target_fd = self.target_fd
        self.bulk.size = self.size
        self.bulk.allowed = allowed

    def __dealloc__(self):
        bulk_close(&self.bulk)
        give_back(self.out)
        free(self.window)

    @property
    def written(self):
        """Bytes of output so far, those still in the buffer included."""
        return self.flushed + self.filled - self.sent

    @property
    def methods(self):
        """Bytes of all COPYs so far by the method that moved them, methods that moved none left out."""
        return {name: self.bulk.moved[<int> way] for name, way in _WAYS.items() if self.bulk.moved[<int> way]}

    def show(self, bytes head not None):
        """The first bytes of the input, if they have been read already."""
        self.head = head
        self.seen = <const unsigned char *> PyBytes_AS_STRING(head)
        self.window_start = 0
        self.window_length = <size_t> PyBytes_GET_SIZE(head)

    def run(self, bytes script not None):
        """Execute `script`; its last bytes may stay in the buffer until the next `run` or `finish`.

        Raises OSError (errno and a fixed text) when a read or a write fails or the input has shrunk,
        ValueError for a malformed script or when an earlier run has failed.
        """
        self._drive(script, flush=False)

    def finish(self):
        """Write what is still in the buffer. Raises like `run`."""
        self._drive(b"", flush=True)
        bulk_close(&self.bulk)

    cdef int _drive(self, bytes script, bint flush) except -1:
        cdef Status status = STATUS_PAUSED
        self._begin(script)
        while status == STATUS_PAUSED:
            PyErr_CheckSignals()
            with nogil:
                status = self._execute()
                if status == STATUS_OK and flush and self.filled:
                    status = self._flush()
        if status != STATUS_OK:
            raise self._error(status)
        self.idle = True
        return 0

    cdef int _begin(self, bytes script) except -1:
        if not self.idle:
            raise ValueError("this Copier has failed or is running in another thread")
        if self.out == NULL:
            # On a page: the kernel copies whole pages, which costs a tenth less if they do not lie across two.
            self.out = take_spare()
            if self.out == NULL and posix_memalign(<void **> &self.out, PAGE, OUTPUT_CAPACITY) != 0:
                self.out = NULL
                raise MemoryError
        self.idle = False
        self.script = PyBytes_AS_STRING(script)
        self.script_length = <size_t> PyBytes_GET_SIZE(script)
        self.script_at = 0
        return 0

    cdef object _error(self, Status status):
        if status == STATUS_MALFORMED:
            return ValueError("malformed segment script")
        if status == STATUS_NO_MEMORY:
            return MemoryError()
        if status == STATUS_SHRANK:
            return OSError(ENODATA, "the input shrank while it was being read")
        if status == STATUS_READ_FAILED:
            return OSError(self.failure, f"reading the input: {os.strerror(self.failure)}")
        return OSError(self.failure, os.strerror(self.failure))

    cdef Status _execute(self) noexcept nogil:
        cdef Status status = STATUS_OK
        while status == STATUS_OK:
            if self.filled == OUTPUT_CAPACITY:
                status = self._flush()
            elif self.left:
                status = self._move()
            elif self.bulk.middle:
                status = self._move_bulk()
            elif self.script_at < self.script_length:
                status = self._next_record()
            else:
                break
        return status

    cdef Status _next_record(self) noexcept nogil:
        cdef uint64_t head = 0
        if self._next_word(&head) != STATUS_OK:
            return STATUS_MALFORMED
        if head & COPY_RECORD:
            return self._begin_copy(head ^ COPY_RECORD)
        if head > self.script_length - self.script_at:
            return STATUS_MALFORMED
        self.kind = RECORD_DATA
        self.position = self.script_at
        self.left = head
        self.script_at += <size_t> head
        return STATUS_OK

    cdef Status _next_word(self, uint64_t *word) noexcept nogil:
        if self.script_length - self.script_at < sizeof(uint64_t):
            return STATUS_MALFORMED
        memcpy(word, self.script + self.script_at, sizeof(uint64_t))
        self.script_at += sizeof(uint64_t)
        return STATUS_OK

    cdef Status _begin_copy(self, uint64_t start) noexcept nogil:
        cdef uint64_t length = 0
        if self._next_word(&length) != STATUS_OK or start > self.size or length > self.size - start:
            return STATUS_MALFORMED
        self.kind = RECORD_SHORT_COPY if length < DIRECT_COPY else RECORD_DIRECT_COPY
        self.position = start
        self.left = length
        if self.kind == RECORD_DIRECT_COPY and not self.advised:
            advise_sequential(self.source_fd)
            self.advised = True
        if length >= self.long_copy:
            self.left = bulk_begin(&self.bulk, start, self.filled - self.sent, length)
        return STATUS_OK

    cdef Status _move(self) noexcept nogil:
        if self.kind == RECORD_DATA:
            return self._move_data()
        if self.kind == RECORD_SHORT_COPY:
            return self._move_window()
        return self._move_block()

    cdef Status _move_bulk(self) noexcept nogil:
        cdef uint64_t before = self.bulk.source_at
        cdef Status status
        if self.bulk.way == WAY_READWRITE:
            self.left = bulk_step_aside(&self.bulk)
            return STATUS_OK
        if self.filled:
            return self._flush()
        status = bulk_step(&self.bulk)
        self.position = self.bulk.source_at
        self.flushed += self.position - before
        if status == STATUS_UNABLE:
            self.left = bulk_give_up(&self.bulk)
            return STATUS_OK
        if not self.bulk.middle:
            self.left = self.bulk.tail
            self.bulk.tail = 0
        self.failure = self.bulk.failure
        return status

    cdef Status _move_data(self) noexcept nogil:
        cdef size_t count = smaller(self.left, OUTPUT_CAPACITY - self.filled)
        memcpy(self.out + self.filled, self.script + self.position, count)
        self._moved(count)
        return STATUS_OK

    cdef Status _move_window(self) noexcept nogil:
        cdef Status status
        cdef size_t offset, count
        if self.position - self.window_start >= self.window_length:     # unsigned: also if it is before the window
            status = self._read_window()
            if status != STATUS_OK:
                return status
        offset = <size_t> (self.position - self.window_start)
        count = smaller(smaller(self.left, OUTPUT_CAPACITY - self.filled), self.window_length - offset)
        memcpy(self.out + self.filled, self.seen + offset, count)
        self._moved(count)
        self.bulk.moved[<int> WAY_READWRITE] += count
        return STATUS_OK

    cdef Status _move_block(self) noexcept nogil:
        cdef size_t room = smaller(self.left, OUTPUT_CAPACITY - self.filled)
        cdef Py_ssize_t count = pread(self.source_fd, self.out + self.filled, room, <off_t> self.position)
        if count <= 0:
            return self._read_status(count)
        self._moved(<size_t> count)
        self.bulk.moved[<int> WAY_READWRITE] += <size_t> count
        return STATUS_OK

    cdef void _moved(self, size_t count) noexcept nogil:
        self.filled += count
        self.position += count
        self.left -= count

    cdef Status _read_window(self) noexcept nogil:
        cdef Py_ssize_t count
        if self.window_room < self.window_next:
            free(self.window)
            self.window_room = 0
            self.window = <unsigned char *> malloc(self.window_next)
            if self.window == NULL:
                return STATUS_NO_MEMORY
            self.window_room = self.window_next
        self.window_length = 0
        self.seen = self.window
        count = pread(self.source_fd, self.window, self.window_next, <off_t> self.position)
        if count <= 0:
            return self._read_status(count)
        self.window_start = self.position
        self.window_length = <size_t> count
        self.window_next = smaller(self.window_next * 4, WINDOW_CAPACITY)
        return STATUS_OK

    cdef Status _read_status(self, Py_ssize_t count) noexcept nogil:
        if count == 0:
            return STATUS_SHRANK
        if errno == EINTR:
            return STATUS_PAUSED
        self.failure = errno
        return STATUS_READ_FAILED

    cdef Status _flush(self) noexcept nogil:
        cdef Py_ssize_t count
        while self.sent < self.filled:
            count = write(self.target_fd, self.out + self.sent, self.filled - self.sent)
            if count <= 0:
                return self._write_status(count)
            self.sent += <size_t> count
            self.flushed += <uint64_t> count
        self.sent = self.filled = 0
        self.blocks += 1
        return STATUS_PAUSED if self.blocks % BLOCKS_PER_PAUSE == 0 else STATUS_OK

    cdef Status _write_status(self, Py_ssize_t count) noexcept nogil:
        if count < 0 and errno == EINTR:
            return STATUS_PAUSED
        self.failure = errno if count < 0 else EIO      # a write of 0 bytes would go on for ever
        return STATUS_WRITE_FAILED

# Bulk: long ranges of the input that need not pass through the program, since only what is around them is changed.
#
# Where input and output stand alike modulo the block size of their file systems, the output can share the blocks of
# the input (reflink); where they do so modulo a page, splice moves whole pages over a pipe. A range is split into a
# head up to the first such border, a middle, and a tail; only the middle is moved here, the Copier does the rest.
#
#     way reflink     fails in any way                    -> splice, if that is allowed, else readwrite
#     way splice      the kernel or the files cannot      -> readwrite
#     way readwrite   the Copier reads and writes; here only space is set aside for it
#
# A way that was left is not tried again. `source_at` counts what has arrived in the output, so that whoever goes on
# reads again what was left in the pipe: nothing is lost or there twice. A reflink that fails for a real reason needs
# no classification: what comes after it meets the same failure, and knows which side it is on.
from libc.errno cimport EDQUOT, EFBIG, EINTR, EIO, ENOSPC, errno
from libc.stdint cimport uint64_t
from posix.fcntl cimport F_GETFL, O_APPEND, fcntl
from posix.stat cimport S_ISREG, fstat, struct_stat
from posix.types cimport off_t
from posix.unistd cimport SEEK_CUR, SEEK_SET, close, lseek

cdef extern from *:
    """
    #include <errno.h>
    #include <fcntl.h>
    #include <stdint.h>
    #include <string.h>
    #include <sys/types.h>
    #include <unistd.h>
    #ifdef __linux__
    #include <linux/fs.h>
    #include <sys/ioctl.h>
    #endif

    /* Each returns what the system call returns; elsewhere than on Linux it fails with ENOSYS. */

    static inline int dcmveil_reflink(int source, uint64_t from, uint64_t count, int target, uint64_t to) {
    #ifdef FICLONERANGE
        struct file_clone_range range;
        memset(&range, 0, sizeof range);
        range.src_fd = source;
        range.src_offset = from;
        range.src_length = count;
        range.dest_offset = to;
        return ioctl(target, FICLONERANGE, &range);
    #else
        (void)source; (void)from; (void)count; (void)target; (void)to;
        errno = ENOSYS;
        return -1;
    #endif
    }

    static inline int dcmveil_open_pipe(int ends[2], int wanted) {      /* returns its capacity in bytes */
    #ifdef __linux__
        int capacity;
        if (pipe2(ends, O_CLOEXEC) != 0)
            return -1;
        (void)fcntl(ends[1], F_SETPIPE_SZ, wanted);     /* refused to users who have many large pipes */
        capacity = fcntl(ends[1], F_GETPIPE_SZ);
        if (capacity <= 0) {
            int failure = errno;
            close(ends[0]);
            close(ends[1]);
            errno = failure;
            return -1;
        }
        return capacity;
    #else
        (void)ends; (void)wanted;
        errno = ENOSYS;
        return -1;
    #endif
    }

    static inline ssize_t dcmveil_fill_pipe(int pipe, int source, uint64_t from, size_t count) {
    #ifdef __linux__
        off64_t at = (off64_t)from;
        return splice(source, &at, pipe, NULL, count, SPLICE_F_MOVE);
    #else
        (void)pipe; (void)source; (void)from; (void)count;
        errno = ENOSYS;
        return -1;
    #endif
    }

    static inline ssize_t dcmveil_drain_pipe(int pipe, int target, size_t count) {
    #ifdef __linux__
        return splice(pipe, NULL, target, NULL, count, SPLICE_F_MOVE);  /* moves the target's file offset */
    #else
        (void)pipe; (void)target; (void)count;
        errno = ENOSYS;
        return -1;
    #endif
    }

    static inline int dcmveil_preallocate(int target, uint64_t at, uint64_t count) {    /* size stays as it is */
    #ifdef FALLOC_FL_KEEP_SIZE
        return fallocate(target, FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)count);
    #else
        (void)target; (void)at; (void)count;
        errno = ENOSYS;
        return -1;
    #endif
    }

    static inline int dcmveil_is_ext4(int fd) {     /* no other file system says of a file that it has extents */
    #ifdef FS_IOC_GETFLAGS
        unsigned int flags[2] = {0, 0};             /* an int, whatever its type is called */
        return ioctl(fd, FS_IOC_GETFLAGS, flags) == 0 && (flags[0] & FS_EXTENT_FL) != 0;
    #else
        (void)fd;
        return 0;
    #endif
    }
    """
    int reflink "dcmveil_reflink"(int source, uint64_t start, uint64_t count, int target, uint64_t to) noexcept nogil
    int open_pipe "dcmveil_open_pipe"(int *ends, int wanted) noexcept nogil
    Py_ssize_t fill_pipe "dcmveil_fill_pipe"(int pipe, int source, uint64_t start, size_t count) noexcept nogil
    Py_ssize_t drain_pipe "dcmveil_drain_pipe"(int pipe, int target, size_t count) noexcept nogil
    int preallocate "dcmveil_preallocate"(int target, uint64_t at, uint64_t count) noexcept nogil
    bint is_ext4 "dcmveil_is_ext4"(int fd) noexcept nogil

cdef enum:
    PAGE = 4096
    PIPE_CAPACITY = 1 << 19     # 1 MiB is 1/20 faster, or many times slower where memory is in small pieces
    LEAST_PIPE = 1 << 16        # with less, read and write need fewer system calls
    TURNS_PER_PAUSE = 128       # pipes full
    BULK_STEP = 1 << 26         # what is moved or set aside at once: signals are looked at in between

cdef enum Status:
    STATUS_OK
    STATUS_PAUSED
    STATUS_MALFORMED
    STATUS_NO_MEMORY
    STATUS_SHRANK
    STATUS_READ_FAILED
    STATUS_WRITE_FAILED
    STATUS_UNABLE               # by this way: choose another one

cdef enum Way:
    WAY_READWRITE = 0
    WAY_REFLINK = 1
    WAY_SPLICE = 2

cdef struct Bulk:
    int source_fd
    int target_fd
    uint64_t size               # of the input
    unsigned int allowed        # ways, by bit
    bint is_probed
    bint preallocates
    uint64_t grain              # bytes that a reflink needs both sides to be aligned to

    # The current range: where its middle stands, how much of that is left, and what comes after it.
    Way way
    uint64_t source_at
    uint64_t target_at
    uint64_t middle
    uint64_t tail

    int pipe[2]
    size_t pipe_capacity        # 0: there is no pipe
    size_t in_pipe              # read from the input, and not in the output yet

    uint64_t moved[3]           # bytes by way
    int failure                 # errno of a failed read or write


cdef inline uint64_t _least(uint64_t a, uint64_t b) noexcept nogil:
    return a if a < b else b


# ---- one range ------------------------------------------------------------------------------------------------

cdef inline void _probe(Bulk *bulk) noexcept nogil:
    """What the two descriptors are. The offset of a pipe cannot be asked for, that of a file that is appended to
    says nothing, and neither takes a reflink."""
    cdef struct_stat source, target
    cdef int flags = fcntl(bulk.target_fd, F_GETFL)
    bulk.is_probed = True
    if (flags < 0 or flags & O_APPEND or fstat(bulk.source_fd, &source) or fstat(bulk.target_fd, &target)
            or not S_ISREG(source.st_mode) or not S_ISREG(target.st_mode)):
        bulk.allowed = 0
        return
    bulk.grain = PAGE
    if source.st_blksize > PAGE or target.st_blksize > PAGE:
        bulk.grain = <uint64_t> (source.st_blksize if source.st_blksize > target.st_blksize else target.st_blksize)
    bulk.preallocates = is_ext4(bulk.target_fd)
    if BULK_STEP % bulk.grain:
        bulk.allowed &= ~(1 << WAY_REFLINK)


cdef inline uint64_t _choose(Bulk *bulk, uint64_t source_at, uint64_t target_at) noexcept nogil:
    """Choose the way of a range; returns what its middle has to be aligned to."""
    bulk.way = WAY_READWRITE
    if bulk.allowed & 1 << WAY_REFLINK and source_at % bulk.grain == target_at % bulk.grain:
        bulk.way = WAY_REFLINK
        return bulk.grain
    if bulk.allowed & 1 << WAY_SPLICE and source_at % PAGE == target_at % PAGE:
        bulk.way = WAY_SPLICE
        return PAGE
    return 1


cdef inline uint64_t bulk_begin(Bulk *bulk, uint64_t source_at, uint64_t buffered, uint64_t length) noexcept nogil:
    """Split a range that will stand in the output after `buffered` bytes that are not yet written.

    Returns the length of its head, which the Copier has to move before it asks for the middle."""
    cdef off_t at = -1
    if not bulk.is_probed:
        _probe(bulk)
    if bulk.allowed or bulk.preallocates:
        at = lseek(bulk.target_fd, 0, SEEK_CUR)
    if at < 0:
        bulk.allowed = 0
        return length
    return _split(bulk, source_at, <uint64_t> at + buffered, length)


cdef inline uint64_t _split(Bulk *bulk, uint64_t source_at, uint64_t target_at, uint64_t length) noexcept nogil:
    cdef uint64_t grain = _choose(bulk, source_at, target_at)
    cdef uint64_t head = _least((grain - source_at % grain) % grain, length)
    bulk.source_at = source_at + head
    bulk.target_at = target_at + head
    bulk.middle = length - head
    bulk.tail = 0
    if bulk.way == WAY_REFLINK and source_at + length != bulk.size:     # only the last block may be less than whole
        bulk.tail = bulk.middle % grain
        bulk.middle -= bulk.tail
    if bulk.middle:
        return head
    bulk.tail = 0
    return length


cdef inline uint64_t bulk_give_up(Bulk *bulk) noexcept nogil:
    """After STATUS_UNABLE: split what is left of the range for the next way; returns the length of the head."""
    bulk.allowed &= ~(1 << <unsigned int> bulk.way)
    if bulk.way == WAY_SPLICE:
        bulk_close(bulk)
    return _split(bulk, bulk.source_at, bulk.target_at, bulk.middle + bulk.tail)


cdef inline Status bulk_step(Bulk *bulk) noexcept nogil:
    """Move some of the middle by reflink or splice; the target's file offset moves along."""
    return _reflink_step(bulk) if bulk.way == WAY_REFLINK else _splice_step(bulk)


cdef inline uint64_t bulk_step_aside(Bulk *bulk) noexcept nogil:
    """Way readwrite: set aside space for some of the middle and leave it to the Copier; returns its length."""
    cdef uint64_t count = _set_aside(bulk)
    _advance(bulk, count)
    return count


cdef inline uint64_t _set_aside(Bulk *bulk) noexcept nogil:
    """Returns for how much of the middle; all of it if nothing is to be set aside.

    On ext4 a third of the time is saved by that; on XFS nothing, and some others no longer compress what comes.
    Advice only: whether there is room is for the write to find out."""
    cdef uint64_t count = _least(bulk.middle, BULK_STEP)
    if not bulk.preallocates:
        return bulk.middle
    if preallocate(bulk.target_fd, bulk.target_at, count) != 0 and errno != EINTR:
        bulk.preallocates = False
    return count


cdef inline void _advance(Bulk *bulk, uint64_t count) noexcept nogil:
    bulk.source_at += count
    bulk.target_at += count
    bulk.middle -= count


# ---- reflink --------------------------------------------------------------------------------------------------

cdef inline Status _reflink_step(Bulk *bulk) noexcept nogil:
    cdef uint64_t count = _least(bulk.middle, BULK_STEP)
    if reflink(bulk.source_fd, bulk.source_at, count, bulk.target_fd, bulk.target_at) != 0:
        return STATUS_PAUSED if errno == EINTR else STATUS_UNABLE
    if lseek(bulk.target_fd, <off_t> (bulk.target_at + count), SEEK_SET) < 0:
        return STATUS_UNABLE
    _advance(bulk, count)
    bulk.moved[<int> WAY_REFLINK] += count
    return STATUS_PAUSED if bulk.middle else STATUS_OK


# ---- splice ---------------------------------------------------------------------------------------------------

cdef inline Status _splice_step(Bulk *bulk) noexcept nogil:
    cdef Status status = STATUS_OK
    cdef int _turn
    if not bulk.pipe_capacity and not _open(bulk):
        return STATUS_UNABLE
    _set_aside(bulk)
    for _turn in range(TURNS_PER_PAUSE):
        if not bulk.in_pipe:
            status = _fill(bulk)
        if status == STATUS_OK:
            status = _drain(bulk)
        if status != STATUS_OK or not bulk.middle:
            return status
    return STATUS_PAUSED


cdef inline bint _open(Bulk *bulk) noexcept nogil:
    cdef int capacity = open_pipe(bulk.pipe, PIPE_CAPACITY)
    if capacity < 0:
        return False
    bulk.pipe_capacity = <size_t> capacity
    return capacity >= LEAST_PIPE


cdef inline void bulk_close(Bulk *bulk) noexcept nogil:
    """Close the pipe, if there is one, with what is in it."""
    if bulk.pipe_capacity:
        close(bulk.pipe[0])
        close(bulk.pipe[1])
    bulk.pipe_capacity = bulk.in_pipe = 0


cdef inline Status _fill(Bulk *bulk) noexcept nogil:
    """Up to a multiple of its capacity in the output, where the page cache can have it in one piece."""
    cdef uint64_t room = bulk.pipe_capacity - bulk.target_at % bulk.pipe_capacity
    cdef Py_ssize_t count = fill_pipe(
        bulk.pipe[1], bulk.source_fd, bulk.source_at, <size_t> _least(bulk.middle, room)
    )
    if count == 0:
        return STATUS_SHRANK
    if count < 0:
        return _failed(bulk, STATUS_READ_FAILED)
    bulk.in_pipe = <size_t> count
    return STATUS_OK


cdef inline Status _drain(Bulk *bulk) noexcept nogil:
    """Until the pipe is empty: it is filled again from where the output ends."""
    cdef Py_ssize_t count
    while bulk.in_pipe:
        count = drain_pipe(bulk.pipe[0], bulk.target_fd, bulk.in_pipe)
        if count == 0:
            return STATUS_UNABLE
        if count < 0:
            return _failed(bulk, STATUS_WRITE_FAILED)
        bulk.in_pipe -= <size_t> count
        bulk.moved[<int> WAY_SPLICE] += <size_t> count
        _advance(bulk, <size_t> count)
    return STATUS_OK


cdef inline Status _failed(Bulk *bulk, Status side) noexcept nogil:
    if errno == EINTR:
        return STATUS_PAUSED
    if errno not in (EIO, ENOSPC, EDQUOT, EFBIG):
        return STATUS_UNABLE            # anything else has to do with splice itself, or comes back
    bulk.failure = errno
    return side

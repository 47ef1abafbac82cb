"""The process and what others may see of it: its memory, its core dumps, the arguments it was started with."""
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uintptr_t
from libc.string cimport memcmp, memcpy

cdef extern from *:
    """
    #include <stdlib.h>
    #include <string.h>
    #include <sys/resource.h>
    #ifdef __linux__
    #include <sys/prctl.h>
    #endif
    static inline int dcmveil_has_room(size_t size) {
        void *volatile room = malloc(size);     /* volatile: or compilers take it for granted */
        int found = room != NULL || size == 0;
        free(room);
        return found;
    }
    static inline int dcmveil_forbid_reading(void) {
    #ifdef __linux__
        return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    #else
        return -1;
    #endif
    }
    static inline int dcmveil_forbid_dumps(void) {
        const struct rlimit none = {0, 0};
        return setrlimit(RLIMIT_CORE, &none);
    }
    """
    bint has_room_c "dcmveil_has_room"(size_t size) noexcept nogil
    int forbid_reading_c "dcmveil_forbid_reading"() noexcept nogil
    int forbid_dumps_c "dcmveil_forbid_dumps"() noexcept nogil


def has_room(size: int) -> bool:
    """Can so many bytes of memory be had? They are neither touched nor kept."""
    cdef size_t count = size
    return has_room_c(count)


def forbid_dumps() -> bool:
    """No core dump is written from now on, neither of this process nor of those it starts."""
    return forbid_dumps_c() == 0


def forbid_reading() -> bool:
    """No other process of the same user may read the memory of this one and its forks, nor trace them.

    False where the system knows no such thing."""
    return forbid_reading_c() == 0


def overwrite(address: int, bytes before, bytes after) -> bool:
    """Put other bytes in the place of those that are expected there; False, and nothing is done, if others are.

    The memory must be there: the caller has been told so by the kernel."""
    cdef:
        char *place = <char *> <uintptr_t> address
        Py_ssize_t size = PyBytes_GET_SIZE(before)
    if size != PyBytes_GET_SIZE(after) or memcmp(place, PyBytes_AS_STRING(before), <size_t> size) != 0:
        return False
    memcpy(place, PyBytes_AS_STRING(after), <size_t> size)
    return True

"""Names and their numbers: an open-addressed hash table that is filled once and read without the GIL."""
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy


cdef uint32_t hash_name(const uint8_t *name, size_t size) noexcept nogil:
    cdef uint32_t h = 0x811C9DC5
    cdef size_t i
    for i in range(size):
        h = (h ^ name[i]) * <uint32_t>0x01000193
    return h ^ (h >> 15)


cdef NameSlot *find_slot(const Names *names, const uint8_t *name, size_t size, uint32_t h) noexcept nogil:
    """The slot of a name, or the free one that it would have."""
    cdef uint32_t i = h & names.mask
    cdef NameSlot *slot = &names.slots[i]
    while slot.number != NO_NAME:
        if slot.hash == h and slot.size == size and memcmp(names.bytes + slot.start, name, size) == 0:
            break
        i = (i + 1) & names.mask
        slot = &names.slots[i]
    return slot


cdef uint16_t names_find(const Names *names, const uint8_t *name, size_t size) noexcept nogil:
    """The number of a name, NO_NAME if it is unknown."""
    if names.slots == NULL or size > MAX_NAME:
        return NO_NAME
    return find_slot(names, name, size, hash_name(name, size)).number


cdef void names_close(Names *names) noexcept nogil:
    free(names.slots)
    free(names.bytes)


cdef int names_open(Names *names, list rows) except -1:
    """From pairs (name, number); of names that come twice the first counts. ValueError for what does not fit in."""
    cdef uint32_t slots = 16, start = 0
    cdef NameSlot *slot
    cdef bytes name
    while slots < 2 * len(rows):
        slots *= 2
    names.mask = slots - 1
    names.slots = <NameSlot *>calloc(slots, sizeof(NameSlot))
    names.bytes = <uint8_t *>malloc(sum([len(row[0]) for row in rows]) + 1)
    if names.slots == NULL or names.bytes == NULL:
        raise MemoryError
    for name, number in rows:
        if len(name) > MAX_NAME or not 0 < number <= 0xFFFF:
            raise ValueError("a name is too long, or its number out of range")
        slot = find_slot(names, name, len(name), hash_name(name, len(name)))
        if slot.number == NO_NAME:
            memcpy(names.bytes + start, <const char *>name, len(name))
            slot[0] = NameSlot(hash_name(name, len(name)), start, number, <uint8_t>len(name))
            start += <uint32_t>len(name)
    return 0

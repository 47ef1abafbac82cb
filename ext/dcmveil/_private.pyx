"""Private elements that a Policy has rules for (PS3.5 7.8, PS3.15 E.3.10).

A block is known by its Private Creator, wherever a file has put it. A row is for one element of a block or for all of
them; what is neither listed nor, as a Sequence, to be looked into is as private as any other.
"""
from libc.stdint cimport uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free

from dcmveil._names cimport names_close, names_find, names_open
from dcmveil.wire cimport VR_COUNT, VR_SQ, VR_UN

cdef uint64_t ONLY_SQ = <uint64_t>1 << VR_SQ
cdef uint64_t ANY_VR = ((<uint64_t>1 << VR_COUNT) - 1) & ~ONLY_SQ


cdef inline uint64_t key_of(uint16_t creator, uint32_t group, uint32_t low) noexcept nogil:
    return <uint64_t>creator << 32 | group << 16 | low


cdef PrivateRow *find_row(const Privates *privates, uint64_t key) noexcept nogil:
    """The row with this key, or the free one that it would have."""
    cdef uint32_t i = <uint32_t>(key * <uint64_t>0x9E3779B97F4A7C15 >> 40) & privates.mask
    while privates.rows[i].key and privates.rows[i].key != key:
        i = (i + 1) & privates.mask
    return &privates.rows[i]


cdef const PrivateRow *find_private(const Privates *privates, uint16_t creator, uint32_t tag) noexcept nogil:
    """The row of an element in a block of the creator; NULL if it has none."""
    cdef const PrivateRow *row = find_row(privates, key_of(creator, tag >> 16, tag & 0xFF))
    if not row.key:
        row = find_row(privates, key_of(creator, tag >> 16, WHOLE_BLOCK))
    return row if row.key else NULL


cdef class PrivateTable:
    """`rows` are tuples ``(creator, group, low byte or None, set of VRs, rules)``.

    No low byte is every element of the block, an empty set any VR but SQ; an element may always be UN. The rules are
    that of the element, that of one that is a Sequence although SQ is not in the set, or None, and that of one that
    says that it is a UID. Of rows for the same element the first counts. `sequences` is the rule of Sequences without a
    row in blocks of the creators; None: that of any private element."""

    def __dealloc__(self):
        names_close(&self.privates.creators)
        free(self.privates.rows)

    def __init__(self, rows, *, sequences: int | None) -> None:
        cdef PrivateRow *row
        if self.privates.rows != NULL:
            raise ValueError("made before")
        rows = list(rows)
        names = list(dict.fromkeys([creator for creator, *_rest in rows]))
        names_open(&self.privates.creators, [(name, number) for number, name in enumerate(names, 1)])
        self.make_room(2 * len(rows))
        for creator, group, low, vrs, (rule, of_sequences, of_uids) in rows:
            number = names_find(&self.privates.creators, <const unsigned char *><const char *>creator, len(creator))
            row = find_row(&self.privates, key_of(number, group, WHOLE_BLOCK if low is None else low))
            if not row.key:
                row.key = key_of(number, group, WHOLE_BLOCK if low is None else low)
                row.entry = Entry(<uint64_t>(vrs or ANY_VR) | <uint64_t>1 << VR_UN, 0, rule, 0, 0)
                row.sequence = row.entry if of_sequences is None else Entry(ONLY_SQ, 0, of_sequences, 0, 0)
                row.uid = row.entry
                row.uid.rule = of_uids
        if sequences is not None:
            self.privates.sequences = Entry(ONLY_SQ, 0, sequences, 0, 0)

    cdef int make_room(self, size_t wanted) except -1:
        cdef uint32_t slots = 16
        while slots < wanted:
            slots *= 2
        self.privates.mask = slots - 1
        self.privates.rows = <PrivateRow *>calloc(slots, sizeof(PrivateRow))
        if self.privates.rows == NULL:
            raise MemoryError
        return 0

# Which Attributes a Data Set or Item has had: what comes twice is read by some as the first, by others as the last.
from libc.stdint cimport uint16_t, uint32_t, uint64_t

from dcmveil._policy cimport Entry, Rules

cdef enum:
    SLOT_WORDS = 256        # one bit for each slot of the dictionary
    OTHER_WORDS = 64        # and for each hash of a tag that has none
    SEEN_WORDS = 320

cdef struct Seen:
    uint64_t words[SEEN_WORDS]
    uint16_t used[SEEN_WORDS]       # words that are not 0, so that forgetting costs no more than remembering
    uint32_t used_count
    uint32_t top                    # highest tag that has no slot
    uint32_t last_tag               # the Attribute remembered last, and what has changed by that
    uint32_t last_word
    uint64_t last_bits
    uint32_t last_top


cdef inline void forget_seen(Seen *seen) noexcept nogil:
    while seen.used_count:
        seen.used_count -= 1
        seen.words[seen.used[seen.used_count]] = 0
    seen.top = 0


cdef inline bint remember(Seen *seen, uint32_t number) noexcept nogil:
    """Set a bit; was it?"""
    cdef uint32_t word = number >> 6
    cdef uint64_t bit = <uint64_t>1 << (number & 63)
    cdef bint before = seen.words[word] & bit != 0
    seen.last_word = word
    seen.last_bits = seen.words[word]
    if not seen.words[word]:
        seen.used[seen.used_count] = <uint16_t>word
        seen.used_count += 1
    seen.words[word] |= bit
    return before


cdef inline void forget_last(Seen *seen, uint32_t tag) noexcept nogil:
    """The Attribute goes after all. Nothing, if it is not the one remembered last."""
    if seen.last_tag != tag or seen.words[seen.last_word] == seen.last_bits:
        return
    seen.words[seen.last_word] = seen.last_bits
    seen.top = seen.last_top
    if not seen.last_bits:
        seen.used_count -= 1


cdef inline bint seen_before(Seen *seen, const Rules *rules, const Entry *entry, uint32_t tag) noexcept nogil:
    """Remember an Attribute: has it been there?

    Of private ones and those of repeating groups no two that are in order are taken for one another; of those that
    are not, one in thousands."""
    cdef bint before
    seen.last_tag = tag
    seen.last_top = seen.top
    if entry != NULL and entry >= rules.slots and <size_t>(entry - rules.slots) < 64 * SLOT_WORDS:
        return remember(seen, <uint32_t>(entry - rules.slots))
    before = remember(seen, 64 * SLOT_WORDS + (tag * <uint32_t>0x9E3779B1 >> 20)) and tag <= seen.top
    seen.top = max(tag, seen.top)
    return before

# The compiled Policy: a flat table from tag to rule number, read without the GIL.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef enum Behaviour:
    # What the Planner does with an element whose rule has this bit; what the rule means is the Resolver's business.
    KEEP = 0
    EDIT = 1            # record an edit; the content is not looked at
    REMOVE = 2          # with EDIT: it is a removal, no question to be asked
    CAPTURE = 4         # with EDIT: the Resolver wants the Value
    DESCEND = 8         # Sequences: perhaps kept, so look inside as well
    APPEND = 16         # Sequences: kept, with a place for more at the end
    ONLY_MEMBERS = 32   # Sequences: kept; in their Items only elements marked as `MEMBER` are

cdef enum EntryFlag:
    WATCH = 1           # the Resolver wants to know of it and of its Value, though it may be kept
    MEMBER = 2
    ANCHOR = 4          # must be there at top level, once, whether or not the input has it

cdef enum:
    KEEP_RULE = 0
    MAX_RULES = 256
    MAX_ANCHORS = 16
    MAX_PATTERNS = 256

cdef struct Entry:
    uint64_t vrs        # set of VR numbers the dictionary gives; 0 marks a free slot
    uint32_t tag
    uint8_t rule
    uint8_t flags

cdef struct Pattern:
    uint32_t mask
    Entry entry

cdef struct Anchor:
    uint32_t tag
    uint8_t rule

cdef struct Rules:
    Entry *slots
    uint32_t shift              # 32 - log2(number of slots)
    uint32_t patterns_count
    uint32_t anchors_count
    uint8_t private_rule
    uint8_t unknown_rule
    uint8_t group_length_rule
    uint8_t vr_rule
    uint8_t duplicate_rule
    uint8_t member_rule
    uint8_t meta_rule
    uint8_t changes             # 0: nothing is ever edited
    uint8_t behaviours[MAX_RULES]
    uint8_t pattern_groups[8192]        # bit set of groups that any pattern may match
    Pattern patterns[MAX_PATTERNS]
    Anchor anchors[MAX_ANCHORS]

cdef inline const Entry *find_entry(const Rules *rules, uint32_t tag) noexcept nogil:
    """Dictionary entry of an even tag; NULL = unknown. Repeating groups and elements by their patterns."""
    cdef:
        uint32_t mask = (<uint32_t>1 << (32 - rules.shift)) - 1
        uint32_t i = (tag * <uint32_t>0x9E3779B1) >> rules.shift
        uint32_t group = tag >> 16
    while rules.slots[i].vrs:
        if rules.slots[i].tag == tag:
            return &rules.slots[i]
        i = (i + 1) & mask
    if rules.pattern_groups[group >> 3] >> (group & 7) & 1:
        for i in range(rules.patterns_count):
            if tag & rules.patterns[i].mask == rules.patterns[i].entry.tag:
                return &rules.patterns[i].entry
    return NULL


cdef class RuleTable:
    cdef Rules rules
    cdef void set_rule(self, uint32_t tag, uint32_t mask, int rule, uint8_t flags) noexcept

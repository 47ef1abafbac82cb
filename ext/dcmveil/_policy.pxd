# The compiled Policy: a flat table from tag to rule number, read without the GIL.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dcmveil._names cimport Names

cdef enum Behaviour:
    # What the Planner does with an element whose rule has this bit; what the rule means is the Resolver's business.
    KEEP = 0
    EDIT = 1            # record an edit; the content is not looked at
    REMOVE = 2          # with EDIT: it is a removal, no question to be asked
    CAPTURE = 4         # with EDIT: the Resolver wants the Value
    DESCEND = 8         # Sequences: perhaps kept, so look inside as well
    APPEND = 16         # Sequences: kept, with a place for more at the end
    ONLY_MEMBERS = 32   # Sequences: kept; in their Items only elements marked as `MEMBER` are
    TEXT = 64           # with EDIT: the answer depends on the Specific Character Set that holds there
    NAMED = 128         # with EDIT: the answer depends on what names the Content Item it stands in
    CONTENT = 256       # Sequences: kept; each of their Items is a Content Item and may go
    WHOLESOME = 512     # with CAPTURE: much of the Value may stay, so only one that is one of its VR is shown

cdef enum EntryFlag:
    WATCH = 1           # the Resolver wants to know of it and of its Value, though it may be kept
    MEMBER = 2
    IDENTIFYING = 4     # the Resolver wants to know all Values that it has, wherever it stands
    NAMING = 8          # Sequence in a Content Item, the code in which names that
    CODE = 16           # in the Item of such a Sequence: the code,
    SCHEME = 32         # and its scheme
    VALUE_TYPE = 64     # in a Content Item: what type of Value it has
    DATE = 128          # of its IDENTIFYING Values the first 8 bytes count

cdef enum PlaceFlag:
    RULED = 1           # the place has a rule of its own
    INSERT = 2          # with RULED: it must be there, once, whether or not the input has it (an anchor)
    REPORT = 4          # as WATCH of an Entry
    THROUGH = 8         # there is such a place, if only on the way to others

cdef enum:
    KEEP_RULE = 0
    MAX_RULES = 4096
    MOST_SHIFT = 56     # of a set of VRs: above are the most Values that there may be, 0 any number
    MAX_PATTERNS = 256
    NO_NODE = 0xFFFFFFFF
    ROOT_NODE = 0       # the Data Set
    EVERY_ITEM = 0      # as the tag of a place in the node of a Sequence; else the number of an Item

cdef struct Entry:
    uint64_t vrs        # set of VR numbers the dictionary gives, from bit MOST_SHIFT on `most`; 0 marks a free slot
    uint32_t tag
    uint16_t rule
    uint8_t flags
    uint8_t value_type  # of a Content Item that has no other sign of it than this element

cdef struct Pattern:
    uint32_t mask
    Entry entry

cdef struct Anchor:
    uint32_t tag
    uint16_t rule

cdef struct Node:
    # Where places are: the Data Set, an Item, or a Sequence, whose places are Items.
    uint32_t anchors            # its own are `anchors[node.anchors : node.anchors_stop]`, in tag order
    uint32_t anchors_stop

cdef struct Place:
    # A tag in a node, even or odd: its rule goes before that of the tag anywhere.
    uint32_t node
    uint32_t tag
    uint32_t child              # node of its content, or NO_NODE
    uint16_t rule
    uint8_t flags               # PlaceFlags; 0 marks a free slot

cdef struct Rules:
    Entry *slots
    uint32_t shift              # 32 - log2(number of slots)
    uint32_t patterns_count
    Node *nodes
    Anchor *anchors
    Place *places
    uint32_t places_mask        # number of slots - 1
    Names concepts              # scheme, NUL and code: what names a Content Item
    Names value_types           # of Content Items
    Names sets                  # terms that a Specific Character Set which is kept may have; none: any
    uint32_t rules_count
    uint16_t private_rule
    uint16_t unknown_rule
    uint16_t group_length_rule
    uint16_t vr_rule
    uint16_t duplicate_rule
    uint16_t member_rule
    uint16_t meta_rule
    uint16_t repeated_rule      # of what stays but comes twice in a Data Set or Item; no removal: it stays as well
    uint8_t changes             # 0: nothing is ever edited
    uint8_t changes_anywhere    # 0: nothing but at the places
    uint8_t has_text            # some rule asks for the Specific Character Set
    uint8_t checks              # what stays must be a Value of its VR
    uint8_t listens             # what goes is looked into as well, for Values that identify or for mistakes
    uint16_t behaviours[MAX_RULES]
    uint8_t pattern_groups[8192]        # bit set of groups that any pattern may match
    uint8_t repeats             # a repeated anchor gets the rule of the first, not `duplicate_rule`
    Pattern patterns[MAX_PATTERNS]

cdef inline uint64_t vrs_of(const Entry *entry) noexcept nogil:
    """The VRs alone."""
    return entry.vrs & ((<uint64_t>1 << MOST_SHIFT) - 1)


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


cdef inline uint32_t place_slot(const Rules *rules, uint32_t node, uint32_t tag) noexcept nogil:
    return ((tag ^ (node * <uint32_t>0x85EBCA77)) * <uint32_t>0x9E3779B1 >> 8) & rules.places_mask


cdef inline const Place *find_place(const Rules *rules, uint32_t node, uint32_t tag) noexcept nogil:
    """The place of a tag in a node; NULL if it has none."""
    cdef uint32_t i
    if node == NO_NODE:
        return NULL
    i = place_slot(rules, node, tag)
    while rules.places[i].flags:
        if rules.places[i].tag == tag and rules.places[i].node == node:
            return &rules.places[i]
        i = (i + 1) & rules.places_mask
    return NULL


cdef class RuleTable:
    cdef Rules rules
    cdef void set_rule(self, uint32_t tag, uint32_t mask, int rule, uint8_t flags) noexcept
    cdef int set_content(self, dict concepts, list types, dict tags) except -1
    cdef int set_places(self, list nodes) except -1
    cdef int set_place(self, uint32_t node, uint32_t tag, uint32_t child, int rule, uint8_t flags) except -1

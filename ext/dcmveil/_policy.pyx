"""The compiled Policy: the dictionary of PS3.6 as an open-addressed hash table of tag -> (rule, VRs).

A rule is a number; `behaviours` says for each what the Planner has to do, the Resolver knows what it means. Rule 0
is "keep". Tags in the dictionary get rule 0 unless an override names them; everything else (private, unknown,
group lengths, a VR that is not the dictionary's) has one rule for the whole kind. Before all that go places: tags at
a path of Sequences and Items, which form a tree of nodes.
"""
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free

from dcmveil._names cimport names_close, names_open
from dcmveil._tables cimport tables, use_tables

cdef enum:
    ALL_BITS = 0xFFFFFFFF

BEHAVIOURS = {
    "keep": KEEP,
    "edit": EDIT,
    "remove": EDIT | REMOVE,
    "capture": EDIT | CAPTURE,
    "descend": EDIT | DESCEND,
    "append": APPEND,
    "members": ONLY_MEMBERS,
    "value": EDIT | CAPTURE | WHOLESOME,
    "text": EDIT | CAPTURE | TEXT,
    "prose": EDIT | CAPTURE | TEXT | WHOLESOME,
    "named": EDIT | CAPTURE | TEXT | NAMED,
    "content": CONTENT,
    "named sequence": EDIT | DESCEND | NAMED,
    "choice": EDIT | CAPTURE | DESCEND | TEXT,
}

FLAGS = {
    "watched": WATCH,
    "member": MEMBER,
    "identifying": IDENTIFYING,
    "identifying date": IDENTIFYING | DATE,
    "naming": NAMING,
    "code": CODE,
    "scheme": SCHEME,
    "value type": VALUE_TYPE,
}


cdef Entry *insert_slot(Rules *rules, uint32_t tag) noexcept nogil:
    cdef uint32_t mask = (<uint32_t>1 << (32 - rules.shift)) - 1
    cdef uint32_t i = (tag * <uint32_t>0x9E3779B1) >> rules.shift
    while rules.slots[i].vrs:
        i = (i + 1) & mask
    return &rules.slots[i]


cdef void mark_pattern_groups(Rules *rules, uint32_t mask, uint32_t tag) noexcept nogil:
    cdef uint32_t wild = ~mask >> 16, some = 0, group
    while True:
        group = tag >> 16 | some
        rules.pattern_groups[group >> 3] |= <uint8_t>(1 << (group & 7))
        some = (some - wild) & wild         # the next subset of the wild bits
        if not some:
            break


cdef int load_dictionary(Rules *rules) noexcept nogil:
    cdef size_t i
    cdef Entry *entry
    for i in range(tables.dictionary_count):
        if tables.dictionary[i].mask == ALL_BITS:
            entry = insert_slot(rules, tables.dictionary[i].tag)
        else:
            if rules.patterns_count == MAX_PATTERNS:
                return -1
            rules.patterns[rules.patterns_count].mask = tables.dictionary[i].mask
            entry = &rules.patterns[rules.patterns_count].entry
            rules.patterns_count += 1
            mark_pattern_groups(rules, tables.dictionary[i].mask, tables.dictionary[i].tag)
        entry.tag = tables.dictionary[i].tag
        entry.vrs = tables.dictionary[i].vrs | <uint64_t>tables.dictionary[i].most << MOST_SHIFT
    return 0


cdef void override(Rules *rules, uint32_t tag, uint32_t mask, int rule, uint8_t flags) noexcept nogil:
    """Give each entry that `mask` selects a rule (if not negative) and flags. An entry that is itself a pattern is
    selected when it lies within."""
    cdef uint32_t i
    for i in range(<uint32_t>1 << (32 - rules.shift)):
        if rules.slots[i].vrs and rules.slots[i].tag & mask == tag:
            if rule >= 0:
                rules.slots[i].rule = <uint16_t>rule
            rules.slots[i].flags |= flags
    for i in range(rules.patterns_count):
        if rules.patterns[i].entry.tag & mask == tag & rules.patterns[i].mask:
            if rule >= 0:
                rules.patterns[i].entry.rule = <uint16_t>rule
            rules.patterns[i].entry.flags |= flags


cdef class RuleTable:
    """The table that a Planner reads, shared by all threads once made.

    `behaviours` has a name of `BEHAVIOURS` for each rule. `overrides` is a list of ``(tag, mask, rule)``, later ones
    win; `flags` of ``(tag, mask, flag)``, whose names are in `FLAGS`.
    `concepts` has the number of what a Content Item may be named by, by scheme, NUL and code; 1 is for all else.
    `value_types` are the types of Value that a Content Item may have, numbered from 1, and `value_tags` which of them
    an element stands for, by its tag. `sets` are the terms that a Specific Character Set which is kept may have, if not
    any.
    `places` has for each node, the Data Set first, the list of its places ``(tag, rule, insert, watch, child)`` in tag
    order: a rule or None; whether it is an anchor, which the Data Set or Item gets if it has none; whether its Value is
    watched; the number of the node of its content, or None. In the node of a Sequence a place is an Item: its number,
    or 0 for every one that has no place of its own.
    With `reads_all` Sequences that go are looked into as those are that stay: all of the object can be read then.
    `special` gives the rule of each kind of element that no tag decides: private, unknown, group_length, vr (not the
    dictionary's), duplicate (of an anchor; None: that of the anchor again), member (none of a closed Sequence), meta
    (the File Meta Information), repeated (any other Attribute that comes once more).
    """
    def __cinit__(self, **kwargs):
        use_tables()
        self.rules.shift = 32 - 14
        while <size_t>1 << (32 - self.rules.shift) < 2 * tables.dictionary_exact_count:
            self.rules.shift -= 1
        self.rules.slots = <Entry *>calloc(<size_t>1 << (32 - self.rules.shift), sizeof(Entry))
        if self.rules.slots == NULL:
            raise MemoryError
        if load_dictionary(&self.rules) < 0:
            raise ValueError("too many repeating groups in the dictionary")

    def __dealloc__(self):
        free(self.rules.slots)
        free(self.rules.nodes)
        free(self.rules.anchors)
        free(self.rules.places)
        names_close(&self.rules.concepts)
        names_close(&self.rules.value_types)
        names_close(&self.rules.sets)

    def __init__(self, *, behaviours, special, overrides=(), flags=(), places=([],), concepts=None, value_types=(),
                 value_tags=None, sets=(), reads_all=False) -> None:
        cdef Py_ssize_t i
        if len(behaviours) > MAX_RULES or self.rules.places != NULL:
            raise ValueError("too many rules, or made before")
        for i, name in enumerate(behaviours):
            self.rules.behaviours[i] = BEHAVIOURS[name]
        for tag, mask, rule in overrides:
            self.set_rule(tag, mask, rule, 0)
        for tag, mask, flag in flags:
            self.set_rule(tag, mask, -1, FLAGS[flag])
            self.rules.listens |= FLAGS[flag] & IDENTIFYING != 0
        self.rules.listens |= bool(reads_all)
        self.set_places(list(places))
        self.rules.rules_count = <uint32_t>len(behaviours)
        self.rules.changes = any([name != "keep" for name in behaviours])
        wide = [special[name] for name in ("private", "unknown", "group_length", "vr", "member")]
        self.rules.changes_anywhere = len(overrides) > 0 or any([behaviours[number] != "keep" for number in wide])
        self.rules.has_text = any([BEHAVIOURS[name] & TEXT for name in behaviours])
        self.set_content(concepts or {}, list(value_types), value_tags or {})
        if sets:
            names_open(&self.rules.sets, [(name, 1) for name in sets])
        self.set_special(**special)

    cdef void set_rule(self, uint32_t tag, uint32_t mask, int rule, uint8_t flags) noexcept:
        cdef Entry *entry
        if mask == ALL_BITS:
            entry = <Entry *>find_entry(&self.rules, tag)
            if entry != NULL and entry.tag == tag:
                if rule >= 0:
                    entry.rule = <uint16_t>rule
                entry.flags |= flags
        else:
            override(&self.rules, tag, mask, rule, flags)

    cdef int set_content(self, dict concepts, list types, dict tags) except -1:
        """How Content Items are told apart."""
        cdef Entry *entry
        names_open(&self.rules.concepts, list(concepts.items()))
        names_open(&self.rules.value_types, [(name, number) for number, name in enumerate(types, 1)])
        for tag, name in tags.items():
            entry = <Entry *>find_entry(&self.rules, tag)
            if entry != NULL:
                entry.value_type = types.index(name) + 1
        return 0

    cdef int set_places(self, list nodes) except -1:
        cdef uint32_t number, anchors = 0, slots = 16
        total = sum(map(len, nodes))
        while slots < 2 * total:
            slots *= 2
        self.rules.places_mask = slots - 1
        self.rules.places = <Place *>calloc(slots, sizeof(Place))
        self.rules.nodes = <Node *>calloc(len(nodes), sizeof(Node))
        self.rules.anchors = <Anchor *>calloc(total + 1, sizeof(Anchor))
        if self.rules.places == NULL or self.rules.nodes == NULL or self.rules.anchors == NULL:
            raise MemoryError
        for number, places in enumerate(nodes):
            self.rules.nodes[number].anchors = anchors
            for tag, rule, insert, watch, child in places:
                if insert:
                    self.rules.anchors[anchors].tag = tag
                    self.rules.anchors[anchors].rule = rule
                    anchors += 1
                flags = (0 if rule is None else RULED) | (INSERT if insert else 0) | (REPORT if watch else 0)
                self.set_place(number, tag, NO_NODE if child is None else child, rule or 0, flags)
            self.rules.nodes[number].anchors_stop = anchors
        return 0

    cdef int set_place(self, uint32_t node, uint32_t tag, uint32_t child, int rule, uint8_t flags) except -1:
        cdef uint32_t i = place_slot(&self.rules, node, tag)
        while self.rules.places[i].flags:
            i = (i + 1) & self.rules.places_mask
        self.rules.places[i] = Place(node, tag, child, <uint16_t>rule, flags | THROUGH)
        return 0

    def set_special(self, *, private: int, unknown: int, group_length: int, vr: int, duplicate: int | None,
                    member: int, meta: int, repeated: int = 0) -> None:
        """Rules of the kinds of element that no tag decides."""
        self.rules.private_rule = private
        self.rules.unknown_rule = unknown
        self.rules.group_length_rule = group_length
        self.rules.vr_rule = vr
        self.rules.checks = self.rules.behaviours[vr] & REMOVE != 0
        self.rules.duplicate_rule = duplicate or 0
        self.rules.repeats = duplicate is None
        self.rules.member_rule = member
        self.rules.meta_rule = meta
        self.rules.repeated_rule = repeated

# Which rule an element gets, and which anchors stand before it.
from libc.stdint cimport uint16_t, uint32_t, uint64_t

from dcmveil._creators cimport private_entry
from dcmveil._edits cimport INSERTED
from dcmveil._policy cimport (
    EDIT,
    INSERT,
    KEEP_RULE,
    MEMBER,
    MOST_SHIFT,
    REMOVE,
    RULED,
    Anchor,
    Entry,
    Place,
    find_entry,
    vrs_of,
)
from dcmveil._recorder cimport insert
from dcmveil._repeats cimport seen_before
from dcmveil.scan cimport FRAME_SEQUENCE, STATUS_OK, Token
from dcmveil.state cimport MODE_MEMBERS, PlanFrame, State
from dcmveil.wire cimport (
    EXPLICIT_BE,
    VR_AT,
    VR_COUNT,
    VR_FD,
    VR_FL,
    VR_IMPLICIT,
    VR_SL,
    VR_SQ,
    VR_SS,
    VR_SV,
    VR_UL,
    VR_UN,
    VR_US,
    VR_UV,
)


cdef inline uint64_t numbers_of(int size) noexcept nogil:
    """The VRs of numbers of so many bytes."""
    if size == 2:
        return <uint64_t>1 << VR_SS | <uint64_t>1 << VR_US
    if size == 4:
        return <uint64_t>1 << VR_AT | <uint64_t>1 << VR_FL | <uint64_t>1 << VR_SL | <uint64_t>1 << VR_UL
    return <uint64_t>1 << VR_FD | <uint64_t>1 << VR_SV | <uint64_t>1 << VR_UV


cdef inline bint is_whole(uint64_t vrs, uint32_t length, uint32_t most) noexcept nogil:
    """Can up to `most` Values (0: any number) of one of these VRs have that length?

    Numbers have it in multiples of their size, or are none."""
    if vrs & ~(numbers_of(2) | numbers_of(4) | numbers_of(8)):
        return True
    if length & (1 if vrs & numbers_of(2) else 3 if vrs & numbers_of(4) else 7):
        return False
    return not most or length <= most * <uint32_t>(8 if vrs & numbers_of(8) else 4 if vrs & numbers_of(4) else 2)


cdef inline bint vr_fits(const Token *t, const Entry *entry) noexcept nogil:
    """Is the element encoded as the dictionary says, and will others read it so?

    A Sequence may be UN, since it is looked into (PS3.5 6.2.2); not in Big Endian: some read its content as that."""
    cdef bint sequence = entry.vrs >> VR_SQ & 1
    cdef uint32_t most = <uint32_t>(entry.vrs >> MOST_SHIFT)
    if t.entered == 1 + FRAME_SEQUENCE or sequence:
        return sequence and (t.vr == VR_SQ or t.vr == VR_IMPLICIT or (t.vr == VR_UN and t.encoding != EXPLICIT_BE))
    if t.vr == VR_IMPLICIT:
        return is_whole(vrs_of(entry), t.length, most)
    return t.vr < VR_COUNT and entry.vrs >> t.vr & 1 and is_whole(<uint64_t>1 << t.vr, t.length, most)


cdef inline bint is_sequence(const Token *t, const Entry *entry) noexcept nogil:
    return entry != NULL and entry.vrs >> VR_SQ & 1 and vr_fits(t, entry)


cdef inline bint is_usable(State *s, const Token *t, const Entry *entry, uint16_t rule) noexcept nogil:
    """Can the rule do with the element as it is? One that keeps it needs it to be what the dictionary says."""
    return s.rules.behaviours[rule] & EDIT or (entry != NULL and vr_fits(t, entry))


cdef inline uint16_t rule_of_entry(State *s, const Token *t, const Entry *entry, uint32_t depth) noexcept nogil:
    if s.frames[depth].mode & MODE_MEMBERS and not entry.flags & MEMBER:
        return s.rules.member_rule
    return entry.rule if is_usable(s, t, entry, entry.rule) else s.rules.vr_rule


cdef inline uint16_t rule_of_place(State *s, const Token *t, const Entry *entry, const Place *place) noexcept nogil:
    if place.flags & INSERT and not s.anchor_met and not s.rules.repeats:
        return s.rules.duplicate_rule
    return place.rule if is_usable(s, t, entry, place.rule) else s.rules.vr_rule


cdef inline uint16_t rule_of_private(State *s, const Token *t, uint32_t depth, const Entry **entry) noexcept nogil:
    """Rule of a private element; what its block has for it becomes its entry."""
    if s.privates == NULL or t.tag & 0xFFFF < 0x1000:
        return s.rules.private_rule
    if s.frames[depth].mode & MODE_MEMBERS:
        return s.rules.member_rule
    entry[0] = private_entry(s, t, depth)
    return entry[0].rule if entry[0] != NULL and vr_fits(t, entry[0]) else s.rules.private_rule


cdef inline uint16_t choose(State *s, const Token *t, uint32_t depth, const Place *place,
                            const Entry **entry) noexcept nogil:
    entry[0] = find_entry(s.rules, t.tag) if not t.tag >> 16 & 1 and t.tag & 0xFFFF else NULL
    if place != NULL and place.flags & RULED:
        return rule_of_place(s, t, entry[0], place)
    if entry[0] != NULL:
        return rule_of_entry(s, t, entry[0], depth)
    if t.tag >> 16 & 1:
        return rule_of_private(s, t, depth, entry)
    return s.rules.unknown_rule if t.tag & 0xFFFF else s.rules.group_length_rule


cdef inline bint is_repeated(State *s, const Token *t, const Entry *entry, uint32_t depth,
                             uint16_t rule) noexcept nogil:
    """Does something that stays come once more, and must not?"""
    if not s.rules.behaviours[s.rules.repeated_rule] & REMOVE or s.rules.behaviours[rule] & REMOVE:
        return False
    return seen_before(&s.seen[depth], s.rules, entry, t.tag)


cdef inline bint is_void(State *s, uint16_t rule) noexcept nogil:
    """Does the element go because of how it is written? Then it counts as absent."""
    return rule != KEEP_RULE and (rule == s.rules.vr_rule or rule == s.rules.repeated_rule)


cdef inline int pass_anchors(State *s, const Token *t, uint32_t depth) noexcept nogil:
    """Before the element `t`: insert the anchors that should have come, and see if it is one.

    An anchor that the input has, but in a form that is of no use, is inserted too; the element then goes as any
    other of the wrong VR."""
    cdef PlanFrame *f = &s.frames[depth]
    cdef const Anchor *anchor
    cdef int status
    s.anchor_met = 0
    while f.anchor < f.anchors_stop and s.rules.anchors[f.anchor].tag <= t.tag:
        anchor = &s.rules.anchors[f.anchor]
        f.anchor += 1
        if anchor.tag == t.tag and is_usable(s, t, find_entry(s.rules, t.tag), anchor.rule):
            s.anchor_met = 1
            return STATUS_OK
        status = insert(s, anchor.tag, depth, anchor.rule, INSERTED, t.start)
        if status != STATUS_OK:
            return status
    return STATUS_OK


cdef inline int insert_missing(State *s, uint32_t depth, uint64_t at) noexcept nogil:
    """At the end of the Data Set or of an Item: the anchors that have not come."""
    cdef PlanFrame *f = &s.frames[depth]
    cdef int status = STATUS_OK
    while status == STATUS_OK and f.anchor < f.anchors_stop:
        status = insert(s, s.rules.anchors[f.anchor].tag, depth, s.rules.anchors[f.anchor].rule, INSERTED, at)
        f.anchor += 1
    return status

"""Planner: joins the Scanner's tokens with the Policy's rules into the edits of a Plan.

For each Data Element it looks the rule up and does what the rule's behaviour says: keep it (and look inside, if it is
a Sequence), or record an edit, with its Value captured or its content looked into when the Resolver will want that.
What a rule means it does not know. Everything below `feed` runs without the GIL.

Frames shadow the Scanner's stack. A Sequence or Item of defined length above `hold_limit` gets an edit at once: it
will be re-encoded with undefined length, whatever turns up inside, since a driver that may not look back has to say
so before it knows.
"""
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memset

from dcmveil._alphabets cimport text_begin, text_begin_any, text_look
from dcmveil._creators cimport (
    add_creator,
    close_creators,
    first_creator,
    forget_creators,
    keep_creator,
    move_creators,
    private_entry,
)
from dcmveil._edits cimport (
    APPENDED,
    BIG,
    BIG_CONTENT,
    CONTAINED,
    INSERTED,
    ITEM,
    LEAF,
    LEAF_UNDEFINED,
    MAX_WATCHES,
    NO_RECORD,
    RECODE,
    UNDEFINED,
    Edit,
    plan_bulk,
    plan_drop,
    plan_hold,
)
from dcmveil._names cimport NO_NAME
from dcmveil._plan cimport Plan
from dcmveil._policy cimport (
    APPEND,
    CAPTURE,
    CODE,
    CONTENT,
    DATE,
    DESCEND,
    EDIT,
    EVERY_ITEM,
    IDENTIFYING,
    INSERT,
    KEEP_RULE,
    MEMBER,
    MOST_SHIFT,
    NAMED,
    NAMING,
    NO_NODE,
    ONLY_MEMBERS,
    REMOVE,
    REPORT,
    ROOT_NODE,
    RULED,
    SCHEME,
    VALUE_TYPE,
    WATCH,
    WHOLESOME,
    Anchor,
    Entry,
    Place,
    RuleTable,
    find_entry,
    find_place,
    vrs_of,
)
from dcmveil._private cimport PrivateTable
from dcmveil._recorder cimport (
    ask,
    ask_content,
    begin_watch,
    capture,
    capture_for,
    drop_value,
    end_value,
    forget_value,
    insert,
    open_frames,
    record,
)
from dcmveil._repeats cimport Seen, forget_last, forget_seen, seen_before
from dcmveil._scanner cimport (
    scan_advance,
    scan_ahead,
    scan_close,
    scan_enter,
    scan_exception,
    scan_feed,
    scan_finish,
    scan_given,
    scan_open,
)
from dcmveil._settling cimport goes
from dcmveil._tables cimport tables
from dcmveil.scan cimport (
    FRAME_FRAGMENTS,
    FRAME_SEQUENCE,
    STATE_DATASET,
    STATUS_FAILED,
    STATUS_LIMIT,
    STATUS_MEMORY,
    STATUS_OK,
    STATUS_PAUSE,
    TOKEN_DATASET,
    TOKEN_ELEMENT,
    TOKEN_FRAGMENT,
    TOKEN_ITEM,
    TOKEN_ITEM_END,
    TOKEN_META,
    TOKEN_SEQUENCE_END,
    Token,
)
from dcmveil.state cimport (
    FOR_CODE,
    FOR_CREATOR,
    FOR_IDENTITY,
    FOR_SCHEME,
    FOR_SET,
    FOR_TERMS,
    FOR_VALUE_TYPE,
    MAX_CODE,
    MODE_APPEND,
    MODE_CONTENT,
    MODE_MEMBERS,
    MODE_NAMING,
    MODE_WATCHED,
    UNNAMED,
    PlanFrame,
    State,
)
from dcmveil.tables cimport DCMVEIL_DEFLATED
from dcmveil.wire cimport (
    EXPLICIT_BE,
    IMPLICIT_LE,
    UNDEFINED_LENGTH,
    VR_AT,
    VR_COUNT,
    VR_FD,
    VR_FL,
    VR_IMPLICIT,
    VR_LO,
    VR_SL,
    VR_SQ,
    VR_SS,
    VR_SV,
    VR_UL,
    VR_UN,
    VR_US,
    VR_UV,
)

from dcmveil.errors import LimitExceeded, Refused

cdef enum:
    FILE_META = 0x00020000
    MEDIA_STORAGE_SOP_CLASS = 0x00020002
    MEDIA_STORAGE_SOP_INSTANCE = 0x00020003
    PIXEL_GROUP = 0x7FE0
    MIN_PIXEL_BULK = 1 << 14    # bytes of a Value
    MIN_BULK = 1 << 20
    SPECIFIC_CHARACTER_SET = 0x00080005
    MAX_SET = 256               # bytes of a Specific Character Set
    MAX_CREATOR = 66            # of a Private Creator, with padding
    MAX_TYPE = 16               # of a Value Type
    MAX_IDENTIFYING = 4096      # of a Value that identifies
    DATE_BYTES = 8              # YYYYMMDD
    FIRST_FRAMES = 32


cdef uint64_t NUMBERS_OF_2 = <uint64_t>1 << VR_SS | <uint64_t>1 << VR_US
cdef uint64_t NUMBERS_OF_4 = <uint64_t>1 << VR_AT | <uint64_t>1 << VR_FL | <uint64_t>1 << VR_SL | <uint64_t>1 << VR_UL
cdef uint64_t NUMBERS_OF_8 = <uint64_t>1 << VR_FD | <uint64_t>1 << VR_SV | <uint64_t>1 << VR_UV


# ---- which rule -----------------------------------------------------------------------------------------------

cdef inline bint is_whole(uint64_t vrs, uint32_t length, uint32_t most) noexcept nogil:
    """Can up to `most` Values (0: any number) of one of these VRs have that length?

    Numbers have it in multiples of their size, or are none."""
    if vrs & ~(NUMBERS_OF_2 | NUMBERS_OF_4 | NUMBERS_OF_8):
        return True
    if length & (1 if vrs & NUMBERS_OF_2 else 3 if vrs & NUMBERS_OF_4 else 7):
        return False
    return not most or length <= most * <uint32_t>(8 if vrs & NUMBERS_OF_8 else 4 if vrs & NUMBERS_OF_4 else 2)


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


cdef int pass_anchors(State *s, const Token *t, uint32_t depth) noexcept nogil:
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


cdef int insert_missing(State *s, uint32_t depth, uint64_t at) noexcept nogil:
    """At the end of the Data Set or of an Item: the anchors that have not come."""
    cdef PlanFrame *f = &s.frames[depth]
    cdef int status = STATUS_OK
    while status == STATUS_OK and f.anchor < f.anchors_stop:
        status = insert(s, s.rules.anchors[f.anchor].tag, depth, s.rules.anchors[f.anchor].rule, INSERTED, at)
        f.anchor += 1
    return status


# ---- doing what it says ---------------------------------------------------------------------------------------

cdef void open_node(State *s, PlanFrame *f, uint32_t node) noexcept nogil:
    f.node = node
    f.anchor = f.anchors_stop = 0
    if node != NO_NODE:
        f.anchor = s.rules.nodes[node].anchors
        f.anchors_stop = s.rules.nodes[node].anchors_stop


cdef inline uint32_t item_node(State *s, uint32_t sequence, uint32_t item) noexcept nogil:
    cdef const Place *place = find_place(s.rules, sequence, item)
    if place == NULL:
        place = find_place(s.rules, sequence, EVERY_ITEM)
    return place.child if place != NULL else NO_NODE


cdef void open_frame(State *s, const Token *t, uint32_t tag, uint32_t node, uint8_t mode) noexcept nogil:
    """The Scanner has entered the Sequence or Item `t`."""
    cdef PlanFrame *f = &s.frames[s.scan.depth]
    open_node(s, f, node)
    f.start = t.start
    f.length = t.length
    f.tag = tag
    f.record = NO_RECORD
    f.key = 0
    f.header = t.header
    f.flags = BIG if t.encoding == EXPLICIT_BE else 0
    f.mode = mode
    f.set = s.frames[s.scan.depth - 1].set
    f.is_past_set = f.is_asked = 0
    f.name = f.value_type = 0
    if s.scan.frames[s.scan.depth].encoding == EXPLICIT_BE:
        f.flags |= BIG_CONTENT
    if t.length == UNDEFINED_LENGTH:
        f.flags |= UNDEFINED
    elif t.length > s.hold_limit and s.rules.changes:
        f.flags |= RECODE


cdef int enter(State *s, const Token *t, uint32_t node, uint8_t mode) noexcept nogil:
    """Look into a Sequence, which the Scanner has done already if its length is undefined."""
    cdef int status = STATUS_OK
    if not t.entered:
        status = scan_enter(&s.scan, t, IMPLICIT_LE if t.vr == VR_UN else t.encoding)
    if status == STATUS_OK:
        open_frame(s, t, t.tag, node, mode)
    return status


cdef int enter_kept(State *s, const Token *t, uint32_t node, uint8_t mode) noexcept nogil:
    cdef int status = enter(s, t, node, mode)
    if status != STATUS_OK:
        return status
    if s.frames[s.scan.depth].flags & RECODE:
        return open_frames(s, s.scan.depth)
    return STATUS_OK


cdef int keep(State *s, const Token *t, const Entry *entry, uint32_t depth, uint32_t node,
              uint16_t rule) noexcept nogil:
    cdef uint16_t behaviour = s.rules.behaviours[rule]
    cdef uint8_t mode = 0
    cdef int status = STATUS_OK
    if behaviour & ONLY_MEMBERS:
        mode |= MODE_MEMBERS
    if behaviour & APPEND:
        mode |= MODE_APPEND | MODE_WATCHED
    if behaviour & CONTENT:
        mode |= MODE_CONTENT
    if entry != NULL and entry.flags & NAMING and s.frames[depth].mode & MODE_CONTENT:
        mode |= MODE_NAMING
    if t.entered:
        open_frame(s, t, t.tag, node, mode)
        if t.entered == 1 + FRAME_FRAGMENTS and depth == 0:
            s.plan.fragments_start = t.start + t.header
    elif is_sequence(t, entry) or (node != NO_NODE and t.vr == VR_SQ):
        status = enter_kept(s, t, node, mode)
    else:
        return keep_value(s, t, entry)
    s.frames[s.scan.depth].rule = rule
    return status


cdef inline int keep_value(State *s, const Token *t, const Entry *entry) noexcept nogil:
    """A Value that stays as it is, if it is one of its VR, which must be seen to be said.

    So texts are read, however long they are: one that is passed over could have anything in it. What is bulk by its
    nature is binary, and is not looked at."""
    if t.tag == SPECIFIC_CHARACTER_SET and s.rules.sets.slots != NULL:
        s.checked = t[0]
        if capture_for(s, t, FOR_TERMS, MAX_SET):
            return STATUS_OK
        return record(s, t, s.scan.depth, s.rules.vr_rule, LEAF, t.start + t.header + t.length)
    if entry != NULL and begin_check(s, t, entry):
        s.unfit_rule = s.rules.private_rule if t.tag >> 16 & 1 else s.rules.vr_rule
        return STATUS_OK
    return note_bulk(s, t)


cdef inline bint begin_check(State *s, const Token *t, const Entry *entry) noexcept nogil:
    """Look at the Value as it comes. False if there is nothing to be seen in it."""
    cdef bint is_text
    if not s.rules.checks or not t.length or (t.vr >= VR_COUNT and t.vr != VR_IMPLICIT):
        return False
    is_text = text_begin_any(&s.text, vrs_of(entry)) if t.vr == VR_IMPLICIT else text_begin(&s.text, t.vr)
    if is_text:
        s.scan.capture = s.checking = 1
        s.checked = t[0]
    return is_text


cdef int look(State *s, const uint8_t *data, size_t size) noexcept nogil:
    """The next bytes of a Value that is being checked. What is none goes as what has another VR does.

    There must be room for it up to where that is known, so that no limit depends on the pieces."""
    cdef const Token *t = &s.checked
    cdef size_t looked = text_look(&s.text, data, size)
    cdef int status = STATUS_OK
    if s.text.alphabets:
        return STATUS_OK
    if s.held_from != <uint64_t>-1:
        status = plan_hold(s.plan, data, looked)
        if status != STATUS_OK:
            return status
        s.plan.arena_size -= looked
    s.checking = 0
    if s.capture_record == NO_RECORD or t.tag >> 16 & 1:
        forget_last(&s.seen[s.scan.depth], t.tag)
    if s.capture_record != NO_RECORD:       # its edit is recorded, and is not to see it
        drop_value(s)
        return STATUS_OK
    forget_value(s)
    return record(s, t, s.scan.depth, s.unfit_rule, LEAF, t.start + t.header + t.length)


cdef int end_check(State *s) noexcept nogil:
    """It is one, and so stays."""
    s.checking = 0
    if s.checked.tag >> 16 & 1 and s.privates != NULL:
        keep_creator(s, s.scan.depth, s.checked.tag)
    return note_bulk(s, &s.checked) if s.capture_record == NO_RECORD else STATUS_OK


cdef inline int note_bulk(State *s, const Token *t) noexcept nogil:
    """A long Value or Fragment that stays as it is."""
    cdef bint is_pixels = t.kind == TOKEN_FRAGMENT or t.tag >> 16 == PIXEL_GROUP
    if not s.plan.first_bulk and t.length >= MIN_BULK:
        s.plan.first_bulk = t.start + t.header
    if s.notes_bulk and t.length >= (MIN_PIXEL_BULK if is_pixels else MIN_BULK):
        return plan_bulk(s.plan, t.start + t.header, t.length, t.kind == TOKEN_FRAGMENT)
    return STATUS_OK


cdef int descend(State *s, const Token *t, uint32_t depth, uint32_t node, uint16_t rule) noexcept nogil:
    """A Sequence that may be kept or not: its own edit is a container with a question."""
    cdef uint16_t key = 0
    cdef int status = ask(s, t, depth, rule, CONTAINED, &key)
    if status == STATUS_OK:
        status = open_frames(s, depth)
    if status == STATUS_OK:
        status = enter(s, t, node, 0)
    if status != STATUS_OK:
        return status
    s.frames[s.scan.depth].key = key
    return open_frames(s, s.scan.depth)


cdef int edit_element(State *s, const Token *t, const Entry *entry, uint32_t depth, uint32_t node,
                      uint16_t rule) noexcept nogil:
    cdef uint16_t behaviour = s.rules.behaviours[rule]
    cdef int status
    if behaviour & NAMED:
        s.frames[depth].is_asked = True
        if not s.frames[depth].value_type and entry != NULL:
            s.frames[depth].value_type = entry.value_type
    if behaviour & DESCEND and is_sequence(t, entry):
        return descend(s, t, depth, node, rule)
    if t.entered:
        drop(s, depth)
        status = record(s, t, depth, rule, LEAF_UNDEFINED, 0)
        return overhear_sequence(s, t) if status == STATUS_OK else status
    if s.rules.listens and is_sequence(t, entry):
        drop(s, depth)
        status = record(s, t, depth, rule, LEAF, t.start + t.header + t.length)
        return overhear_sequence(s, t) if status == STATUS_OK else status
    status = record(s, t, depth, rule, LEAF, t.start + t.header + t.length)
    if status == STATUS_OK and behaviour & CAPTURE:
        capture(s, t)
        if behaviour & WHOLESOME and entry != NULL and s.capture_record != NO_RECORD:
            begin_check(s, t, entry)
    return status


cdef inline void drop(State *s, uint32_t depth) noexcept nogil:
    """What the next edit is about goes whole; its end is known when the Scanner comes back to this depth."""
    s.dropping = depth + 1
    s.drop_record = s.plan.edits_count + (depth - s.recorded)


# ---- Values that identify within what goes --------------------------------------------------------------------

cdef int overhear_sequence(State *s, const Token *t) noexcept nogil:
    """Look into a Sequence that goes, if that is worth while; the Scanner is in one of undefined length already."""
    if not s.rules.listens:
        return STATUS_OK
    return enter(s, t, NO_NODE, 0)


cdef int overhear(State *s, const Token *t) noexcept nogil:
    """An element within what goes."""
    cdef uint32_t depth = s.scan.depth - (t.entered != 0)
    cdef const Entry *entry = NULL
    if not t.tag >> 16 & 1 and t.tag & 0xFFFF:
        entry = find_entry(s.rules, t.tag)
    if t.entered or is_sequence(t, entry):
        return enter(s, t, NO_NODE, 0)
    listen_for_set(s, t, &s.frames[depth], KEEP_RULE)       # of an Item: what goes is not the Data Set
    if entry != NULL:
        listen_for_identity(s, t, entry.flags)
    return STATUS_OK


# ---- tokens ---------------------------------------------------------------------------------------------------

cdef int on_element(State *s, Token *t) noexcept nogil:
    cdef:
        uint32_t depth = s.scan.depth - (t.entered != 0)
        const Entry *entry = NULL
        const Place *place
        uint32_t node
        uint16_t rule
        int status
    if s.dropping:
        return overhear(s, t) if s.rules.listens else STATUS_OK
    if s.creators_count:
        forget_creators(s, depth, t.tag >> 16)
    place = find_place(s.rules, s.frames[depth].node, t.tag)
    status = pass_anchors(s, t, depth)
    if status != STATUS_OK:
        return status
    rule = choose(s, t, depth, place, &entry)
    node = place.child if place != NULL else NO_NODE
    if node == NO_NODE and is_repeated(s, t, entry, depth, rule):   # what counts inside counts in each of them
        rule = s.rules.repeated_rule
    if s.rules.behaviours[rule] & EDIT:
        status = edit_element(s, t, entry, depth, node, rule)
    else:
        status = keep(s, t, entry, depth, node, rule)
    if status != STATUS_OK:
        return status
    if s.rules.has_text and depth:
        listen_for_set(s, t, &s.frames[depth], rule)
    if t.tag >> 16 & 1:
        status = note_private(s, t, depth, rule) if s.privates != NULL else STATUS_OK
    elif not t.entered:
        listen(s, t, entry, depth, rule)
    if status != STATUS_OK:
        return status
    return watch_element(s, t, entry, place, depth, rule)


cdef inline int note_private(State *s, const Token *t, uint32_t depth, uint16_t rule) noexcept nogil:
    """A creator is to be read, and one that cannot be is nobody; an element that may stay keeps its creator."""
    if t.tag & 0xFFFF >= 0x1000:
        if not s.rules.behaviours[rule] & REMOVE and not s.checking:
            keep_creator(s, depth, t.tag)
    elif s.rules.behaviours[rule] & REMOVE and t.tag & 0xFFFF >= 0x10 and t.tag & 0xFFFF <= 0xFF:
        s.creator_tag = t.tag
        s.creator_record = s.plan.edits_count - 1
        if t.vr != VR_LO and t.vr != VR_UN and t.vr != VR_IMPLICIT or not capture_for(s, t, FOR_CREATOR, MAX_CREATOR):
            return add_creator(s, depth, t.tag, s.creator_record, NO_NAME)
    return STATUS_OK


cdef inline void listen(State *s, const Token *t, const Entry *entry, uint32_t depth, uint16_t rule) noexcept nogil:
    """Have the Value captured if it says something about others, or identifies."""
    cdef uint8_t flags = entry.flags if entry != NULL else 0
    cdef PlanFrame *f = &s.frames[depth]
    if is_void(s, rule):
        flags &= IDENTIFYING | DATE
    listen_for_identity(s, t, flags)
    if f.mode & MODE_NAMING and flags & CODE:
        capture_for(s, t, FOR_CODE, MAX_CODE)
    if f.mode & MODE_NAMING and flags & SCHEME:
        capture_for(s, t, FOR_SCHEME, MAX_CODE)
    if f.mode & MODE_CONTENT and flags & VALUE_TYPE:
        capture_for(s, t, FOR_VALUE_TYPE, MAX_TYPE)


cdef inline void listen_for_identity(State *s, const Token *t, uint8_t flags) noexcept nogil:
    if flags & IDENTIFYING and capture_for(s, t, FOR_IDENTITY, MAX_IDENTIFYING):
        s.identity_tag = t.tag
        s.identity_limit = DATE_BYTES if flags & DATE else 0


cdef inline void listen_for_set(State *s, const Token *t, PlanFrame *f, uint16_t rule) noexcept nogil:
    """Of an Item: one that comes too late, repeatedly or is too long to be known is none to go by."""
    if t.tag == SPECIFIC_CHARACTER_SET and (rule != s.rules.vr_rule or rule == KEEP_RULE):
        if f.is_past_set or not capture_for(s, t, FOR_SET, MAX_SET):
            s.plan.has_late_set = 1
    f.is_past_set |= t.tag >= SPECIFIC_CHARACTER_SET


cdef inline int finish_value(State *s) noexcept nogil:
    """A Value that is watched but not captured is at its end at once."""
    return STATUS_OK if s.scan.capture else end_value(s)


cdef inline int watch_element(State *s, const Token *t, const Entry *entry, const Place *place, uint32_t depth,
                              uint16_t rule) noexcept nogil:
    s.is_place = place != NULL and place.flags & REPORT != 0
    if s.is_place and (depth == 0 or s.plan.watches_count < MAX_WATCHES // 2):
        begin_watch(s, t, depth)
        return finish_value(s)
    if entry == NULL or not entry.flags & WATCH:
        return STATUS_OK
    if is_void(s, rule):
        return STATUS_OK
    if depth and not vr_fits(t, entry):
        return STATUS_OK        # nor does a nested one, whose rule will have it go for its VR later on
    # Nested ones are codes that are looked through for ours: to miss it among thousands adds it once more, no harm.
    if depth == 0 or (s.frames[depth].mode & MODE_WATCHED and s.plan.watches_count < MAX_WATCHES // 2):
        begin_watch(s, t, depth)
        return finish_value(s)
    return STATUS_OK


cdef int on_item(State *s, Token *t) noexcept nogil:
    cdef PlanFrame *sequence = &s.frames[s.scan.depth - 1]
    cdef uint32_t number
    if s.dropping:
        open_frame(s, t, 0, NO_NODE, 0)
        return STATUS_OK
    number = s.scan.frames[s.scan.depth - 1].items
    open_frame(s, t, number, item_node(s, sequence.node, number), sequence.mode & ~<uint8_t>MODE_APPEND)
    s.frames[s.scan.depth].flags |= ITEM
    forget_seen(&s.seen[s.scan.depth])
    if sequence.mode & MODE_CONTENT:
        return open_content(s, sequence)
    if sequence.mode & MODE_NAMING:
        s.code_size = s.scheme_size = 0
        if number > 1:      # an Item has one name
            s.frames[s.scan.depth].mode &= ~<uint8_t>MODE_NAMING
    if s.frames[s.scan.depth].flags & RECODE:
        return open_frames(s, s.scan.depth)
    return STATUS_OK


cdef int open_content(State *s, const PlanFrame *sequence) noexcept nogil:
    """A Content Item is a container with a question, which is asked anew at its end."""
    cdef PlanFrame *item = &s.frames[s.scan.depth]
    cdef int status
    item.name = UNNAMED
    item.rule = sequence.rule
    status = ask_content(s, item, sequence.tag)
    return open_frames(s, s.scan.depth) if status == STATUS_OK else status


cdef int close_content(State *s, PlanFrame *item, uint32_t sequence) noexcept nogil:
    cdef int status = ask_content(s, item, sequence)
    if status == STATUS_OK:
        s.plan.edits[item.record].key = item.key
    return status


cdef int on_close(State *s, Token *t) noexcept nogil:
    cdef uint32_t depth = s.scan.depth + 1
    cdef PlanFrame *f = &s.frames[depth]
    cdef int status
    if s.dropping:
        if s.scan.depth < s.dropping:
            s.plan.edits[s.drop_record].stop = s.scan.pos
            s.dropping = 0
        return STATUS_OK
    status = insert_missing(s, depth, t.start)
    if status == STATUS_OK and f.mode & MODE_APPEND:
        status = insert(s, f.tag, depth, f.rule, APPENDED, t.start)
    if status != STATUS_OK:
        return status
    if f.mode & MODE_CONTENT and f.flags & ITEM:
        status = close_content(s, f, s.frames[depth - 1].tag)
        if status != STATUS_OK:
            return status
    if s.creators_count:
        close_creators(s)
    if f.record != NO_RECORD:
        s.plan.edits[f.record].stop = s.scan.pos
        s.plan.edits[f.record].link = s.plan.edits_count
    if s.recorded > s.scan.depth:
        s.recorded = s.scan.depth
    return STATUS_OK


cdef int on_meta(State *s, Token *t) noexcept nogil:
    if t.tag == MEDIA_STORAGE_SOP_CLASS or t.tag == MEDIA_STORAGE_SOP_INSTANCE:
        begin_watch(s, t, 0)
        return finish_value(s)
    return STATUS_OK


cdef int on_dataset(State *s, Token *t) noexcept nogil:
    cdef int status
    if s.rules.behaviours[s.rules.meta_rule] & EDIT:
        status = insert(s, FILE_META, 0, s.rules.meta_rule, INSERTED, 0)
        if status != STATUS_OK:
            return status
        s.plan.edits[0].stop = t.start
    return STATUS_PAUSE


cdef int more_frames(State *s) noexcept nogil:
    """Room for those that the Scanner has, and one more that may be looked into. Here, since nobody holds any now."""
    cdef uint32_t room = min(2 * (s.scan.depth + 2), s.max_frames)
    cdef void *moved = realloc(s.frames, room * sizeof(PlanFrame))
    if moved == NULL:
        return STATUS_MEMORY
    s.frames = <PlanFrame *>moved
    memset(&s.frames[s.frames_room], 0, (room - s.frames_room) * sizeof(PlanFrame))
    moved = realloc(s.seen, room * sizeof(Seen))
    if moved == NULL:
        return STATUS_MEMORY
    s.seen = <Seen *>moved
    memset(&s.seen[s.frames_room], 0, (room - s.frames_room) * sizeof(Seen))
    s.frames_room = room
    return STATUS_OK


cdef int on_token(void *context, Token *t) noexcept nogil:
    cdef State *s = <State *>context
    if s.scan.depth + 2 > s.frames_room and more_frames(s) != STATUS_OK:
        return STATUS_MEMORY
    if t.kind == TOKEN_ELEMENT:
        return on_element(s, t)
    if t.kind == TOKEN_ITEM:
        return on_item(s, t)
    if t.kind == TOKEN_ITEM_END or t.kind == TOKEN_SEQUENCE_END:
        return on_close(s, t)
    if t.kind == TOKEN_FRAGMENT:
        return STATUS_OK if s.dropping else note_bulk(s, t)
    if t.kind == TOKEN_META:
        return on_meta(s, t)
    if t.kind == TOKEN_DATASET:
        return on_dataset(s, t)
    return STATUS_OK


cdef int on_value(void *context, const uint8_t *data, size_t size) noexcept nogil:
    cdef State *s = <State *>context
    cdef int status = STATUS_OK
    if s.checking:
        status = look(s, data, size) if data != NULL else end_check(s)
    if status != STATUS_OK:
        return status
    if data == NULL:
        return end_value(s)
    return plan_hold(s.plan, data, size) if s.held_from != <uint64_t>-1 else STATUS_OK


cdef bint may_change(const State *s, const PlanFrame *f) noexcept nogil:
    """May the Value Length of this frame, in which nothing has been edited so far, come to change?"""
    return not f.flags & UNDEFINED and (s.rules.changes_anywhere or f.node != NO_NODE)


# ---- Python side ----------------------------------------------------------------------------------------------

cdef class Planner:
    """Feed it an object; when all has been fed, `plan` has the edits.

    `hold_limit`, `max_held` and `capture_limit` in bytes, `max_depth` in Sequences, `max_edits` in edits. From
    `drain_at` edits on it is `crowded`. With `notes_bulk` the Plan knows of long Values that stay (`Plan.bulk`).
    `private` says what becomes of private elements; without it all of them get the one rule of the table.
    `transfer_syntax`: nothing stands before the Data Set, which is in this one. Refused if that cannot be read.
    """
    cdef State state
    cdef uint32_t drain_at
    cdef bint is_usable         # made, and not failed
    cdef readonly Plan plan
    cdef RuleTable table        # keeps state.rules alive, and this state.privates
    cdef PrivateTable private

    def __cinit__(self, RuleTable table not None, **kwargs):
        self.table = table
        self.plan = Plan()
        self.state.rules = &table.rules
        self.state.plan = &self.plan.data
        self.state.capture_record = NO_RECORD
        self.state.held_from = <uint64_t>-1

    def __dealloc__(self):
        scan_close(&self.state.scan)
        free(self.state.frames)
        free(self.state.seen)
        free(self.state.creators)

    def __init__(self, table: RuleTable, *, private: PrivateTable | None = None, hold_limit: int = 1 << 20,
                 max_depth: int = 1024, max_edits: int = 2_000_000, max_held: int = 64 << 20,
                 capture_limit: int = 1 << 16, drain_at: int = 1 << 15, notes_bulk: bool = False,
                 transfer_syntax: str | None = None) -> None:
        if self.state.frames != NULL:
            raise ValueError("a Planner plans one object")
        self.private = private
        if private is not None:
            self.state.privates = &self.private.privates
        self.state.hold_limit = hold_limit
        self.state.capture_limit = capture_limit
        self.state.notes_bulk = notes_bulk
        self.drain_at = drain_at
        self.state.max_frames = 2 * <uint32_t>max_depth + 3
        self.state.frames_room = min(FIRST_FRAMES, self.state.max_frames)
        self.state.frames = <PlanFrame *>calloc(self.state.frames_room, sizeof(PlanFrame))
        self.state.seen = <Seen *>calloc(self.state.frames_room, sizeof(Seen))
        if self.state.frames == NULL or self.state.seen == NULL or scan_open(&self.state.scan, max_depth) != STATUS_OK:
            raise MemoryError
        open_node(&self.state, &self.state.frames[0], ROOT_NODE)
        if transfer_syntax is not None:
            self.expect(transfer_syntax.encode("ascii", "replace"))
        self.plan.open(2 * <uint32_t>max_depth + 2, self.table.rules.rules_count, max_edits, max_held)
        self.is_usable = True

    cdef int expect(self, bytes uid) except -1:
        if not scan_given(&self.state.scan, <const uint8_t *>PyBytes_AS_STRING(uid), PyBytes_GET_SIZE(uid)):
            raise Refused("transfer-syntax", "a Transfer Syntax of PS3.6 Table A-1 that encodes Data Sets expected")
        return 0

    @property
    def ahead(self) -> int:
        """Bytes that need not be fed: `advance` over them will do."""
        return scan_ahead(&self.state.scan)

    @property
    def bulk_ahead(self) -> int:
        """The same, but only of a long Value that stays (see `Plan.bulk`), which nobody asks for later."""
        cdef uint64_t left
        cdef uint32_t count = self.plan.data.bulk_count
        if not count or self.plan.data.bulk[count - 1].stop <= self.state.scan.pos:
            return 0
        left = self.plan.data.bulk[count - 1].stop - self.state.scan.pos
        return min(left, scan_ahead(&self.state.scan))

    @property
    def position(self) -> int:
        """Offset of the next byte to feed."""
        return self.state.scan.pos + self.state.scan.held

    @property
    def dataset_start(self) -> int:
        """Offset of the first byte of the Data Set; 0 before it is known, and if there is no File Meta."""
        return self.state.scan.dataset_start

    @property
    def has_begun(self) -> bool:
        """Is it known where the Data Set begins?"""
        return self.state.scan.state == STATE_DATASET

    @property
    def transfer_syntax(self) -> str | None:
        """Transfer Syntax UID, as the File Meta Information has it or as detected; None before it is known."""
        if self.state.scan.transfer_syntax < 0:
            return None
        return tables.transfer_syntaxes[self.state.scan.transfer_syntax].uid.decode()

    @property
    def deflated(self) -> bool:
        """Is the Data Set deflated? It has to be fed inflated."""
        cdef int i = self.state.scan.transfer_syntax
        return i >= 0 and tables.transfer_syntaxes[i].flags & DCMVEIL_DEFLATED != 0

    @property
    def encoding(self) -> int:
        """Encoding of the Data Set: 0 Explicit VR LE, 1 Implicit VR LE, 2 Explicit VR BE."""
        self.check_usable()
        return self.state.scan.frames[0].encoding

    def feed(self, data) -> int:
        """Take the next bytes; returns how many were taken: all, except that it stops once, where the Data Set begins.

        If that is deflated, it has to be fed inflated from there on. Where (0002,0000) is wrong, up to 7 bytes of the
        deflate stream may have been taken before; they count as not taken, and the result may then be negative.

        Raises ParseError, Refused or LimitExceeded.
        """
        cdef Py_buffer view
        cdef size_t used = 0
        cdef Py_ssize_t ahead
        cdef int status
        self.check_usable()
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            with nogil:
                status = scan_feed(&self.state.scan, <const uint8_t *>view.buf, view.len, &used,
                                   on_token, on_value, &self.state)
        finally:
            PyBuffer_Release(&view)
        self.check(status)
        if status == STATUS_PAUSE and self.deflated:
            ahead = self.state.scan.held    # looked at, but part of the deflate stream
            self.state.scan.held = 0
            return <Py_ssize_t>used - ahead
        return used

    def advance(self, n: int) -> None:
        """Pass over `n` bytes, at most `ahead`, without showing them."""
        self.check_usable()
        if scan_advance(&self.state.scan, n) != STATUS_OK:
            raise ValueError("further than the Planner can go unseen")

    def finish(self) -> Plan:
        """The input has ended: check that it may, and return the Plan. Raises ParseError or Refused."""
        self.check_usable()
        cdef int status = scan_finish(&self.state.scan, on_token, on_value, &self.state)
        while status == STATUS_PAUSE:       # shorter than a preamble: only now is it clear where the Data Set begins
            if self.deflated:
                raise Refused("not-dicom", "ends where its deflated Data Set should begin")
            status = scan_finish(&self.state.scan, on_token, on_value, &self.state)
        if status == STATUS_OK:
            status = insert_missing(&self.state, 0, self.state.scan.pos)
        self.check(status)
        self.plan.close_input(self.state.scan.pos)
        return self.plan

    @property
    def crowded(self) -> bool:
        """Are so many edits held that it is worth while to write what can be written?"""
        return self.plan.data.edits_count >= self.drain_at and self.can_cut

    @property
    def can_cut(self) -> bool:
        """Is no edit waiting for its Value?"""
        return not self.state.scan.capture

    @property
    def is_idle(self) -> bool:
        """Is there no edit that has not been written, and no container whose end has not been?"""
        cdef uint32_t i
        if self.plan.data.edits_count > self.plan.kept_open or self.state.scan.capture:
            return False
        for i in range(self.plan.kept_open):
            if self.plan.data.edits[i].link != NO_RECORD:
                return False
        return True

    def flow(self) -> tuple:
        """While it is idle: the range of the input that may be copied now, ``(start, stop)``. It counts as said."""
        cdef uint64_t start = self.plan.cursor
        if not self.is_idle:
            raise ValueError("there are edits to be written")
        self.plan.cursor = max(start, self.safe(self.plan.data.edits_count))
        return start, self.plan.cursor

    @property
    def needed(self) -> int:
        """Offset in the input before which no byte will be asked for any more."""
        cdef const Edit *edit
        cdef uint64_t cursor = self.plan.cursor
        if self.state.dropping and self.state.drop_record == self.plan.kept_open:
            edit = &self.plan.data.edits[self.state.drop_record]
            if edit.start <= cursor and goes(&self.plan.data, edit):
                return max(cursor, self.state.scan.pos)
        return cursor

    cdef uint64_t safe(self, uint32_t stop) noexcept:
        """Offset in the input that no edit from number `stop` on can change anything before."""
        cdef uint32_t depth
        if stop < self.plan.data.edits_count:
            return self.plan.data.edits[stop].start
        if self.state.rules.changes:
            for depth in range(self.state.recorded + 1, self.state.scan.depth + 1):
                if may_change(&self.state, &self.state.frames[depth]):
                    return self.state.frames[depth].start
        return self.state.scan.pos

    def cut(self) -> int:
        """Tell the Plan how far it may be settled: up to the outermost open frame whose length is still to be
        known, or that may yet go as a whole. Returns the number of edits before that which can be dropped then."""
        cdef uint32_t depth, open_count = 0, stop = self.plan.data.edits_count
        cdef Edit *edit
        self.check_usable()
        for depth in range(1, self.state.recorded + 1):
            edit = &self.plan.data.edits[self.state.frames[depth].record]
            if edit.key or not edit.flags & (UNDEFINED | RECODE):
                stop = self.state.frames[depth].record
                break
        if self.state.dropping:
            stop = min(stop, self.state.drop_record)
        stop = first_creator(&self.state, stop)
        self.plan.cut(stop, self.safe(stop))
        for depth in range(1, self.state.recorded + 1):
            open_count += self.state.frames[depth].record < stop
        return stop - open_count

    def drop(self) -> None:
        """Forget the edits up to the last cut; they have been written."""
        cdef uint32_t depth, open_count = 0, stop = self.plan.stop
        cdef int status
        self.check_usable()
        if not self.plan.settled:
            raise ValueError("only what has been settled can be dropped")
        for depth in range(1, self.state.recorded + 1):
            if self.state.frames[depth].record >= stop:
                break
            self.plan.open_edits[open_count] = self.state.frames[depth].record
            open_count += 1
        status = plan_drop(&self.plan.data, self.plan.open_edits, open_count, stop)
        for depth in range(1, self.state.recorded + 1):
            self.state.frames[depth].record = (
                depth - 1 if depth <= open_count else self.state.frames[depth].record - (stop - open_count))
        self.state.drop_record -= stop - open_count
        move_creators(&self.state, stop - open_count)
        self.plan.kept_open = open_count
        self.plan.rewind()
        self.check(status)

    cdef int check_usable(self) except -1:
        if not self.is_usable:
            raise ValueError("the Planner has failed before, or was never made")
        return 0

    cdef int check(self, int status) except -1:
        if status == STATUS_FAILED or status == STATUS_MEMORY or status == STATUS_LIMIT:
            self.is_usable = False
        if status == STATUS_FAILED:
            raise scan_exception(&self.state.scan)
        if status == STATUS_MEMORY:
            raise MemoryError
        if status == STATUS_LIMIT:
            raise LimitExceeded("more edits or Values than max_edits and max_held allow",
                                offset=self.state.scan.pos)
        return 0

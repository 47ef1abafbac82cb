# Values that say something about others, or identify, also within what goes.
from libc.stdint cimport uint8_t, uint16_t, uint32_t

from dcmveil._choosing cimport is_sequence, is_void, vr_fits
from dcmveil._creators cimport add_creator, keep_creator
from dcmveil._edits cimport MAX_WATCHES
from dcmveil._frames cimport enter
from dcmveil._names cimport NO_NAME
from dcmveil._policy cimport (
    CODE,
    DATE,
    IDENTIFYING,
    KEEP_RULE,
    NO_NODE,
    REMOVE,
    REPORT,
    SCHEME,
    VALUE_TYPE,
    WATCH,
    Entry,
    Place,
    find_entry,
)
from dcmveil._recorder cimport begin_watch, capture, capture_for, end_value
from dcmveil._settling cimport goes
from dcmveil.scan cimport STATUS_OK, Token
from dcmveil.state cimport (
    FOR_CODE,
    FOR_CREATOR,
    FOR_IDENTITY,
    FOR_SCHEME,
    FOR_SET,
    FOR_VALUE_TYPE,
    MAX_CODE,
    MODE_CONTENT,
    MODE_NAMING,
    MODE_WATCHED,
    PlanFrame,
    State,
)
from dcmveil.wire cimport VR_IMPLICIT, VR_LO, VR_UN

cdef enum:
    SPECIFIC_CHARACTER_SET = 0x00080005
    MAX_SET = 256               # bytes of a Specific Character Set
    MAX_CREATOR = 66            # of a Private Creator, with padding
    MAX_TYPE = 16               # of a Value Type
    MAX_IDENTIFYING = 4096      # of a Value that identifies
    DATE_BYTES = 8              # YYYYMMDD


cdef inline int overhear_sequence(State *s, const Token *t) noexcept nogil:
    """Look into a Sequence that goes, if that is worth while; the Scanner is in one of undefined length already."""
    if not s.rules.listens:
        return STATUS_OK
    return enter(s, t, NO_NODE, 0)


cdef inline int overhear(State *s, const Token *t) noexcept nogil:
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

# What the Planner knows while it goes along, and how it records edits (see _recorder.pyx).
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dcmveil._edits cimport (
    NO_RECORD,
    PlanData,
    Value,
    Watch,
)
from dcmveil._policy cimport (
    MAX_RULES,
    Rules,
)
from dcmveil.scan cimport (
    Scan,
    Token,
)

cdef enum FrameMode:
    MODE_MEMBERS = 1        # only elements marked as members stay
    MODE_WATCHED = 2        # watched elements are told of
    MODE_APPEND = 4         # a place for one more Item at the end

cdef struct PlanFrame:
    uint64_t start          # of the header
    uint32_t length         # Value Length
    uint32_t tag            # of the Sequence; of an Item its number
    uint32_t record         # its edit, or NO_RECORD
    uint32_t node           # of the Policy's places, or NO_NODE
    uint32_t anchor         # next one to be met or inserted
    uint32_t anchors_stop
    uint16_t key
    uint8_t header
    uint8_t flags           # EditFlags
    uint8_t mode
    uint8_t rule            # of a Sequence that is kept

cdef struct State:
    Scan scan
    PlanData *plan
    const Rules *rules
    PlanFrame *frames
    uint64_t hold_limit
    uint64_t capture_limit
    uint64_t held_from              # arena offset of the Value being captured
    uint32_t recorded               # frames 1..recorded have an edit
    uint32_t dropping               # depth of the frame whose content is of no interest, or 0
    uint32_t drop_record
    uint32_t capture_record         # edit that waits for the Value, or NO_RECORD
    Watch watch                     # waiting for its Value, if `watching`
    uint8_t watching
    uint8_t anchor_met              # the element just met is the one that an anchor wants
    uint8_t notes_bulk
    uint16_t removal_keys[MAX_RULES]

cdef int open_frames(State *s, uint32_t depth) noexcept nogil
cdef int ask(State *s, const Token *t, uint32_t depth, uint8_t rule, uint8_t kind, uint16_t *key) noexcept nogil
cdef int record(State *s, const Token *t, uint32_t depth, uint8_t rule, uint8_t kind, uint64_t stop) noexcept nogil
cdef int insert(State *s, uint32_t tag, uint32_t depth, uint8_t rule, uint8_t kind, uint64_t at) noexcept nogil
cdef int capture(State *s, const Token *t) noexcept nogil
cdef void begin_watch(State *s, const Token *t, uint32_t depth) noexcept nogil
cdef int end_value(State *s) noexcept nogil

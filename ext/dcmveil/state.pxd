# What the Planner knows while it goes along, shared by its parts: _creators, _recorder and _planner.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from dcmveil._alphabets cimport Text
from dcmveil._edits cimport PlanData, Watch
from dcmveil._policy cimport MAX_RULES, Rules
from dcmveil._private cimport Privates
from dcmveil._repeats cimport Seen
from dcmveil.scan cimport Scan, Token

cdef enum FrameMode:
    MODE_MEMBERS = 1        # only elements marked as members stay
    MODE_WATCHED = 2        # watched elements are told of
    MODE_APPEND = 4         # a place for one more Item at the end
    MODE_CONTENT = 8        # Content Items
    MODE_NAMING = 16        # the code that names the Content Item around

cdef enum:
    UNNAMED = 1             # name of a Content Item that has none of those that the Policy knows
    NAMED_LATE = 2          # of one whose Value came before its name
    MAX_CODE = 64           # bytes of the code and of the scheme that name a Content Item

cdef enum Capturing:
    # What the Value being captured is for besides an edit and a watch.
    FOR_SET = 1             # the Specific Character Set of an Item
    FOR_CREATOR = 2         # a Private Creator
    FOR_CODE = 4            # the code that names a Content Item,
    FOR_SCHEME = 8          # and its scheme
    FOR_VALUE_TYPE = 16     # of a Content Item
    FOR_IDENTITY = 32
    FOR_TERMS = 64          # Specific Character Set, which stays if it has Defined Terms only

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
    uint8_t set             # Specific Character Set, as in a Question
    uint8_t value_type      # of a Content Item
    uint8_t is_past_set     # Specific Character Set should have come by now
    uint8_t is_asked        # there are questions by the name of the Content Item
    uint16_t rule           # of a Sequence that is kept
    uint16_t name           # of a Content Item, or 0

cdef struct Creator:
    # A Private Creator whose block has elements that may stay.
    uint32_t depth
    uint32_t tag
    uint32_t record         # its edit, which removes it until something in its block is kept
    uint16_t number         # of `Privates.creators`; 0: two creators claim the block
    uint8_t is_kept

cdef struct State:
    Scan scan
    PlanData *plan
    const Rules *rules
    PlanFrame *frames
    Seen *seen                      # one for each frame
    uint32_t frames_room
    uint32_t max_frames
    uint64_t hold_limit
    uint64_t capture_limit
    uint64_t held_from              # arena offset of the Value being captured
    uint32_t recorded               # frames 1..recorded have an edit
    uint32_t dropping               # depth of the frame whose content is of no interest, or 0
    uint32_t drop_record
    uint32_t capture_record         # edit that waits for the Value, or NO_RECORD
    Watch watch                     # waiting for its Value, if `watching`
    uint8_t watching
    uint8_t checking                # a Value that stays if it is one of its VR
    uint8_t is_place                # the element being watched is so for its place
    uint8_t anchor_met              # the element just met is the one that an anchor wants
    uint8_t notes_bulk
    uint8_t capturing               # what for, see `Capturing`
    uint8_t identity_limit          # bytes of an identifying Value that count, 0 all
    uint8_t scheme_size
    uint8_t code_size
    uint16_t unfit_rule             # of the element whose Value is being checked, if it is none
    Text text
    Token checked
    uint32_t identity_tag
    uint32_t creator_tag            # of the one that is being captured, and its edit
    uint32_t creator_record
    uint32_t creators_count
    uint32_t creators_room
    Creator *creators               # in the open frames, innermost last
    const Privates *privates        # NULL: everything private is the same
    uint8_t concept[2 * MAX_CODE + 1]       # scheme, NUL, code
    uint8_t code[MAX_CODE]
    uint16_t removal_keys[MAX_RULES]

# Edits over the input in order, the questions they ask, and what was answered (see _edits.pyx).
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    NO_VALUE = 0xFFFFFFFF
    NO_RECORD = 0xFFFFFFFF
    MAX_WATCHES = 4096      # a file that repeats what is watched oftener than this is not an honest one
    MAX_SETS = 255          # Specific Character Sets of Items
    MAX_IDENTIFYING = 1 << 14

cdef enum EditFlag:
    CONTAINER = 1           # a Sequence or Item with edits inside
    ITEM = 2
    UNDEFINED = 4           # container of undefined length
    RECODE = 8              # container of defined length, to be written with undefined length
    BIG = 16                # header in Explicit VR Big Endian
    PATCH = 32              # container whose header is to be written anew (set by settle)
    DRAINED = 64            # container whose header has been written already
    BIG_CONTENT = 128       # what is inside is Explicit VR Big Endian (a UN Sequence's is not)

cdef enum QuestionKind:
    LEAF = 0                # an element of defined length
    LEAF_UNDEFINED = 1      # an element of undefined length, not looked into
    INSERTED = 2            # nothing in the input
    CONTAINED = 3           # a Sequence that was looked into
    APPENDED = 4            # one more Item at the end of a Sequence
    CONTENT_ITEM = 5        # a Content Item; what it is named by is known at its end
    IDENTIFIES = 6          # no edit: the Values are those that identify

cdef enum Decision:
    PENDING = 0
    DECIDE_KEEP = 1         # leaf: unchanged; container: with the edits inside
    DECIDE_REMOVE = 2
    DECIDE_REPLACE = 3
    DECIDE_VALUES = 4       # by the Value, each answered on its own; `data` for one that was not captured

cdef struct Edit:
    uint64_t start
    uint64_t stop
    uint32_t tag            # or the number of the Item
    uint32_t link           # containers: index after the last edit inside, NO_RECORD while open
    uint32_t value          # leaves: captured Value or NO_VALUE; containers: Value Length
    uint16_t key            # question; 0 for containers that ask none
    uint8_t header
    uint8_t flags

cdef struct Question:
    uint32_t tag
    uint32_t parent         # tag of the Sequence it stands in; 0 at top level
    uint16_t rule
    uint16_t name           # what names the Content Item it stands in; 0 if the rule does not ask, or there is none
    uint8_t value_type      # of that
    uint8_t set             # Specific Character Set there: 0 that of the Data Set, else one of `sets`
    uint8_t vr
    uint8_t encoding
    uint8_t kind
    uint8_t decision
    uint32_t size           # bytes of the replacement
    uint64_t data           # where in `kept`

cdef struct Value:
    uint64_t data           # in the arena
    uint64_t result
    uint32_t size
    uint32_t result_size
    uint32_t hash
    uint32_t uses           # elements that have it
    uint16_t key
    uint8_t decision

cdef struct Watch:
    uint64_t data           # in `kept`
    uint32_t tag
    uint32_t parent
    uint32_t item           # number of the Item it stands in; 0 at top level
    uint32_t size
    uint8_t known           # 0: it is there, but its Value is too long to be of use

cdef struct Range:
    uint64_t start
    uint64_t stop

cdef struct Set:
    uint64_t data           # in `kept`
    uint32_t size

cdef struct PlanData:
    Edit *edits
    Range *bulk                 # long Values that stay, where they stand in the input
    Question *questions
    Value *values
    Watch *watches
    uint8_t *arena              # captured Values and their replacements
    uint8_t *kept               # Values watched and replacements by question, which stay to the end
    uint32_t *value_slots       # open addressing, index + 1
    uint16_t *question_slots
    uint64_t arena_size
    uint64_t arena_room
    uint64_t kept_size
    uint64_t kept_room
    uint64_t held_limit         # for each of the two
    uint32_t edits_count
    uint32_t edits_room
    uint32_t edits_limit
    uint32_t question_slots_count
    uint32_t questions_count
    uint32_t questions_room
    uint32_t values_count
    uint32_t values_room
    uint32_t value_slots_count
    uint32_t watches_count
    uint32_t watches_room
    uint32_t bulk_count
    uint32_t bulk_room
    uint32_t sets_count
    uint32_t identifying_count
    Set sets[MAX_SETS + 1]      # Specific Character Sets of Items, from 1
    uint8_t has_late_set        # one stands behind what it is about
    uint64_t fragments_start    # of the Items of encapsulated Pixel Data that stay; 0 if there are none
    uint64_t first_bulk         # where the first Value or Fragment of 1 MiB or more begins that stays, or 0

cdef int plan_open(PlanData *plan, uint32_t max_edits, uint64_t max_held) noexcept nogil
cdef int plan_edit(PlanData *plan, const Edit *edit) noexcept nogil
cdef int plan_question(PlanData *plan, const Question *asked, uint16_t *key) noexcept nogil
cdef int plan_hold(PlanData *plan, const uint8_t *data, uint64_t size) noexcept nogil
cdef int plan_value(PlanData *plan, uint16_t key, uint64_t start, uint32_t *index) noexcept nogil
cdef int plan_identifying(PlanData *plan, uint16_t key, uint64_t data, uint32_t size) noexcept nogil
cdef int plan_set(PlanData *plan, const uint8_t *data, uint32_t size, uint8_t *number) noexcept nogil
cdef int plan_watch(PlanData *plan, Watch *watch, const uint8_t *data) noexcept nogil
cdef int plan_bulk(PlanData *plan, uint64_t start, uint64_t size, bint is_fragment) noexcept nogil
cdef int plan_drop(PlanData *plan, const uint32_t *open_edits, uint32_t open_count, uint32_t stop) noexcept nogil
cdef void plan_close(PlanData *plan) noexcept nogil
cdef int plan_keep(PlanData *plan, const uint8_t *data, uint64_t size) noexcept nogil

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
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free

from dcmveil._choosing cimport insert_missing
from dcmveil._creators cimport first_creator, move_creators
from dcmveil._edits cimport NO_RECORD, RECODE, UNDEFINED, Edit, plan_drop
from dcmveil._frames cimport open_node
from dcmveil._plan cimport Plan
from dcmveil._policy cimport NO_NODE, ROOT_NODE, RuleTable
from dcmveil._private cimport PrivateTable
from dcmveil._repeats cimport Seen
from dcmveil._scanner cimport (
    scan_advance,
    scan_ahead,
    scan_close,
    scan_exception,
    scan_feed,
    scan_finish,
    scan_given,
    scan_open,
)
from dcmveil._settling cimport goes
from dcmveil._tables cimport tables
from dcmveil._tokens cimport on_token, on_value
from dcmveil.scan cimport (
    STATE_DATASET,
    STATUS_FAILED,
    STATUS_LIMIT,
    STATUS_MEMORY,
    STATUS_OK,
    STATUS_PAUSE,
)
from dcmveil.state cimport PlanFrame, State
from dcmveil.tables cimport DCMVEIL_DEFLATED

from dcmveil.errors import LimitExceeded, Refused

cdef enum:
    FIRST_FRAMES = 32


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

"""The Plan: de-identification as a diff.

Edits stand in the order of the input. A container (Sequence or Item) has an edit of its own as soon as one stands
inside it, directly before those: the list is a tree in preorder, `link` the way past a subtree. Each leaf refers to
a question, shared by all edits that will be answered alike (same rule, tag, parent Sequence, VR and encoding); if
the answer depends on the Value, the Value is captured and each distinct one is asked once.

When all is answered, `settle` adds up the deltas and decides which Value Lengths change, and `script` turns edits
into segments: COPY(start, stop) of the input and DATA(bytes), packed for the Sink as little records:

    uint64 n (top bit clear), n bytes             DATA
    uint64 start | 1 << 63,  uint64 length        COPY

Memory is proportional to the number of edits held (32 bytes each) and of distinct Values. Edits in closed
containers, and in open ones of undefined length, depend on nothing that follows: when many are held, the driver
has them answered, settled and written up to there (`stop`), and drops them. The output is the same.
"""
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy

from dcmveil._edits cimport (
    APPENDED,
    CONTAINER,
    DECIDE_KEEP,
    DECIDE_REMOVE,
    DECIDE_REPLACE,
    DECIDE_VALUES,
    IDENTIFIES,
    ITEM,
    PENDING,
    RECODE,
    Edit,
    Question,
    Range,
    Value,
    Watch,
    plan_close,
    plan_hold,
    plan_keep,
    plan_open,
)
from dcmveil._scripts cimport Script, find_originals, put_copy, put_delimiter, put_edit
from dcmveil._settling cimport DECISIONS, Level, growth_before, outcome, settle_edits
from dcmveil.scan cimport STATUS_MEMORY, STATUS_OK
from dcmveil.wire cimport ITEM_TAG

from dcmveil.errors import LimitExceeded
from dcmveil.tags import LEFT_OUT as _LEFT_OUT
from dcmveil.tags import MOST_STEPS as _MOST_STEPS

OUTCOMES = ("pending", "keep", "remove", "replace", "values")


cdef bytes copied(const uint8_t *data, uint32_t size):
    return PyBytes_FromStringAndSize(<char *>data, size) if size else b""


cdef class Plan:
    """Edits, questions and answers for one object. Made and filled by a Planner, answered by a Resolver."""

    def __cinit__(self):
        self.size = None

    def __dealloc__(self):
        plan_close(&self.data)
        free(self.counts)
        free(self.open_edits)

    def __len__(self) -> int:
        return self.data.edits_count

    def questions(self) -> list:
        """All questions as ``(key, rule, tag, parent, vr, encoding, kind, set, name, value_type)``.

        vr is a number, 254 for Implicit VR; set one of `character_sets`; name and value_type are those of the Content
        Item it stands in, as numbers of the Policy. The last three are 0 where the rule does not ask."""
        cdef uint32_t i
        cdef Question *q
        found = []
        for i in range(1, self.data.questions_count + 1):
            q = &self.data.questions[i]
            if q.decision == PENDING and q.kind != IDENTIFIES:
                found.append((i, q.rule, q.tag, q.parent, q.vr, q.encoding, q.kind, q.set, q.name, q.value_type))
        return found

    def character_sets(self) -> list:
        """Specific Character Sets by number: b"" in place of that of the Data Set, then those that Items have."""
        cdef uint32_t i
        return [b""] + [copied(self.data.kept + self.data.sets[i].data, self.data.sets[i].size)
                        for i in range(1, self.data.sets_count + 1)]

    @property
    def has_late_set(self) -> bool:
        """Has an Item a Specific Character Set behind what that is about?"""
        return self.data.has_late_set

    @property
    def fragments_start(self) -> int:
        """Where the Items of encapsulated Pixel Data begin that stay, in bytes; 0 if there are none."""
        return self.data.fragments_start

    def identifying(self) -> list:
        """The Values that identify: ``(tag, set, bytes)``, each once. To be asked before anything is answered."""
        cdef uint32_t i
        cdef Value *v
        found = []
        for i in range(self.data.values_count):
            v = &self.data.values[i]
            if self.data.questions[v.key].kind == IDENTIFIES:
                found.append((self.data.questions[v.key].tag, self.data.questions[v.key].set,
                              copied(self.data.arena + v.data, v.size)))
        return found

    def watched(self) -> list:
        """Watched elements in input order: ``(tag, parent, item, bytes)``, None for a Value too long to be of use."""
        cdef uint32_t i
        cdef Watch *w
        found = []
        for i in range(self.data.watches_count):
            w = &self.data.watches[i]
            found.append((w.tag, w.parent, w.item, copied(self.data.kept + w.data, w.size) if w.known else None))
        return found

    def values(self):
        """Iterate over captured Values without an answer, of questions answered "values".

        Each is ``(index, key, bytes, uses)``, the last being the number of elements that have it."""
        cdef uint32_t i
        cdef Value *v
        for i in range(self.data.values_count):
            v = &self.data.values[i]
            if v.decision == PENDING and self.data.questions[v.key].decision == DECIDE_VALUES:
                yield i, v.key, copied(self.data.arena + v.data, v.size), v.uses

    cdef int check(self, int status) except -1:
        if status == STATUS_MEMORY:
            raise MemoryError
        if status != STATUS_OK:
            raise LimitExceeded("replacements do not fit into max_held, or a Value Length into 32 bits")
        return 0

    def answer(self, key: int, decision: str, bytes data = b"") -> None:
        """Answer a question: "keep", "remove", "replace" (with encoded elements) or "values".

        With "values", `data` is for an element whose Value was too long to be captured; b"" removes it.
        """
        cdef Question *question = &self.data.questions[self.check_key(key)]
        question.data = self.data.kept_size
        self.check(plan_keep(&self.data, <const uint8_t *>PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data)))
        question.size = <uint32_t>len(data)
        question.decision = OUTCOMES.index(decision)

    def asked(self) -> bytes:
        """All questions as bytes that are the same in objects that ask the same; b"" once some have been answered."""
        cdef uint32_t i
        for i in range(1, self.data.questions_count + 1):
            if self.data.questions[i].decision != PENDING:
                return b""
        return copied(<const uint8_t *>&self.data.questions[1], self.data.questions_count * sizeof(Question))

    cdef uint32_t check_key(self, uint32_t key) except 0:
        if not 0 < key <= self.data.questions_count or self.settled:
            raise ValueError("no such question, or the plan is settled")
        return key

    def answer_value(self, index: int, bytes data) -> None:
        """Answer for one Value: the encoded element, b"" to remove it, None to keep it as it is."""
        if not 0 <= index < self.data.values_count or self.settled:
            raise ValueError("no such Value, or the plan is settled")
        self.answer_at(index, data)

    cdef int answer_at(self, uint32_t index, bytes data) except -1:
        cdef Value *value = &self.data.values[index]
        if data is None:
            value.decision = DECIDE_KEEP
            return 0
        value.result_size = <uint32_t>len(data)
        if value.result_size <= value.size:     # nobody needs the old one any more
            value.result = value.data
            memcpy(self.data.arena + value.data, PyBytes_AS_STRING(data), value.result_size)
        else:
            value.result = self.data.arena_size
            self.check(plan_hold(&self.data, <const uint8_t *>PyBytes_AS_STRING(data), value.result_size))
        value.decision = DECIDE_REPLACE if data else DECIDE_REMOVE
        return 0

    def close_input(self, size: int) -> None:
        """The input is `size` bytes long (for a deflated Transfer Syntax: inflated)."""
        self.size = size
        self.cut(self.data.edits_count, size)

    cdef int open(self, uint32_t levels, uint32_t rules, uint32_t max_edits, uint64_t max_held) except -1:
        """From the Planner, once: how deep containers are nested at most, how many rules there are, what is held."""
        self.levels = levels
        self.rules_count = rules
        self.open_edits = <uint32_t *>malloc((levels + 1) * sizeof(uint32_t))
        self.counts = <uint64_t *>calloc(rules * DECISIONS + 1, sizeof(uint64_t))
        if self.open_edits == NULL or self.counts == NULL or plan_open(&self.data, max_edits, max_held) != STATUS_OK:
            raise MemoryError
        return 0

    cdef int cut(self, uint32_t stop, uint64_t safe) except -1:
        """Edits up to `stop`, and the input up to `safe`, are what is settled and written next."""
        self.stop = stop
        self.safe = safe
        return 0

    cdef void rewind(self) noexcept:
        """The edits up to `stop` have been written and dropped."""
        self.settled = False
        self.drained = True
        self.index = self.open_count = self.stop = 0

    def settle(self) -> int:
        """Fix the Value Lengths, now that everything is answered. Returns the growth of the object in bytes.

        Raises ValueError if a question is left, LimitExceeded if a Value Length outgrows 32 bits.
        """
        cdef int64_t delta = 0
        cdef int status
        if self.settled or self.pending():
            raise ValueError("questions left, or settled before")
        cdef Level *levels = <Level *>malloc((self.levels + 1) * sizeof(Level))
        if levels == NULL:
            raise MemoryError
        with nogil:
            status = settle_edits(&self.data, self.stop, levels, self.counts, &delta)
        free(levels)
        self.check(status)
        self.settled = True
        return delta

    def pending(self) -> list:
        """Keys of questions and indices of Values without an answer."""
        cdef uint32_t i
        keys = [i for i in range(1, self.data.questions_count + 1)
                if self.data.questions[i].decision == PENDING and self.data.questions[i].kind != IDENTIFIES]
        return keys + [
            i for i in range(self.data.values_count)
            if self.data.values[i].decision == PENDING
            and self.data.questions[self.data.values[i].key].decision == DECIDE_VALUES]

    def count(self, rule: int, decision: str) -> int:
        """How many elements of a rule: "keep", "remove" or "replace"."""
        if not 0 <= rule < self.rules_count:
            raise ValueError("no such rule")
        return self.counts[<uint32_t>rule * DECISIONS + <uint32_t>OUTCOMES.index(decision)]

    def summary(self) -> dict:
        """How many elements: ``{(rule, "keep" | "remove" | "replace"): count}``."""
        cdef uint32_t i
        return {(i // DECISIONS, OUTCOMES[i % DECISIONS]): self.counts[i]
                for i in range(self.rules_count * DECISIONS) if self.counts[i]}

    def bulk(self) -> bytes:
        """Where long Values that stay stand in the input: pairs of uint64 start, stop. Needs `notes_bulk`."""
        return copied(<const uint8_t *>self.data.bulk, self.data.bulk_count * sizeof(Range))

    def originals(self, *, merge: bool = True, also: int = 0) -> bytes:
        """Where Data Elements of the top level that change or go stand in the input: pairs of uint64 start, stop.

        In the order of the input; with `merge` such as follow one another directly are one. `also` is the tag of one
        that counts even if it was asked about and stays."""
        cdef bint merges = merge
        cdef uint32_t always = also
        cdef Script s
        cdef int status
        if not self.settled:
            raise ValueError("settle first")
        s.size = s.room = 0
        s.bytes = NULL
        with nogil:
            status = find_originals(&self.data, self.stop, merges, always, &s)
        try:
            self.check(status)
            return PyBytes_FromStringAndSize(<char *>s.bytes, s.size)
        finally:
            free(s.bytes)

    def amend(self, key: int, bytes data) -> None:
        """Give a question of the top level that is answered already another replacement, before any of it is written.

        Nothing encloses it, so no Value Length depends on it."""
        cdef Question *question
        if not 0 < key <= self.data.questions_count or self.index or self.cursor:
            raise ValueError("no such question, or written already")
        question = &self.data.questions[key]
        if question.parent or question.decision != DECIDE_REPLACE:
            raise ValueError("not a replacement at top level")
        question.data = self.data.kept_size
        self.check(plan_keep(&self.data, <const uint8_t *>PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data)))
        question.size = <uint32_t>len(data)

    def restart(self) -> None:
        """Say the script once more from the beginning. Not for a Plan that is written in rounds."""
        if self.drained:
            raise ValueError("some of it has been dropped")
        self.index = self.open_count = 0
        self.cursor = 0

    @property
    def first_bulk(self) -> int:
        """Where the first Value or Fragment of 1 MiB or more begins that stays, in bytes; 0 if there is none so far."""
        return self.data.first_bulk

    @property
    def said(self) -> int:
        """Offset in the input up to which all has been said."""
        return self.cursor

    def growth_before(self, position: int, key: int = 0, size: int = 0) -> int:
        """By how many bytes what stands at this offset of the input moves.

        The replacement of the question `key`, if any, is taken to have `size` bytes. Settle first, and ask before
        anything is written."""
        if not self.settled or self.drained:
            raise ValueError("settle first, and only before anything is written")
        return growth_before(&self.data, self.stop, position, key, size)

    def prefix_size(self, dataset_start: int) -> int:
        """Bytes of output before the Data Set, which the edits leave alone or replace whole."""
        cdef const uint8_t *data = NULL
        cdef uint32_t size = 0
        cdef int what
        if self.data.edits_count and self.data.edits[0].start == 0 and self.data.edits[0].stop == dataset_start:
            what = outcome(&self.data, &self.data.edits[0], &data, &size)
            if what == DECIDE_REPLACE or what == DECIDE_REMOVE:
                return size if what == DECIDE_REPLACE else 0
        return dataset_start

    # ---- out ----

    cdef int fill(self, Script *s, size_t limit) noexcept nogil:
        """Write whole edits until the script has `limit` bytes or all is said."""
        cdef Edit *edit
        cdef bint inside = False
        cdef int status = STATUS_OK
        while status == STATUS_OK and s.size < limit:
            if self.open_count and self.index == self.data.edits[self.open_edits[self.open_count - 1]].link:
                self.open_count -= 1
                edit = &self.data.edits[self.open_edits[self.open_count]]
                status = put_delimiter(s, edit) if edit.flags & RECODE else STATUS_OK
                continue
            if self.index == self.stop:
                break
            edit = &self.data.edits[self.index]
            status = put_edit(s, &self.data, edit, &inside)
            if inside:
                self.open_edits[self.open_count] = self.index
                self.open_count += 1
            self.index = edit.link if edit.flags & CONTAINER and not inside else self.index + 1
        return status

    def script(self, limit: int = 1 << 16) -> bytes:
        """The next records of the segment script, about `limit` bytes of them; b"" when all that is settled is said."""
        cdef Script s
        cdef int status
        cdef size_t wanted = limit
        cdef bint closed = self.size is not None
        if not self.settled:
            raise ValueError("settle first")
        s.size = 0
        s.room = wanted + 64
        s.cursor = self.cursor
        s.bytes = <uint8_t *>malloc(s.room)
        if s.bytes == NULL:
            raise MemoryError
        with nogil:
            status = self.fill(&s, wanted)
            # At the limit there may be ends of containers that are still to be written before what follows them.
            if (status == STATUS_OK and s.size < wanted and self.index == self.stop
                    and (self.open_count == 0 or not closed)):
                status = put_copy(&s, max(self.safe, s.cursor))
        self.cursor = s.cursor
        try:
            if status != STATUS_OK:
                raise MemoryError
            return PyBytes_FromStringAndSize(<char *>s.bytes, s.size)
        finally:
            free(s.bytes)

    def segments(self) -> list:
        """The whole script as a list of ``("copy", start, stop)`` and ``("data", bytes)``, for inspection."""
        found = []
        while script := self.script(1 << 20):
            at = 0
            while at < len(script):
                head = int.from_bytes(script[at:at + 8], "little")
                if head >> 63:
                    start = head & ~(1 << 63)
                    found.append(("copy", start, start + int.from_bytes(script[at + 8:at + 16], "little")))
                    at += 16
                else:
                    found.append(("data", script[at + 8:at + 8 + head]))
                    at += 8 + head
        return found

    def edits(self):
        """The settled edits that change something, for a dry run: ``(steps, tag, rule, key, decision, old, new)``.

        `steps` is a tuple of (Sequence tag, Item number), with the middle of a long one left out as `dcmveil.tags` has
        it; `old` and `new` are bytes of the whole element.
        """
        cdef uint32_t i = 0, size = 0
        cdef const uint8_t *data = NULL
        cdef Edit *edit
        cdef int what
        steps, ends = [], []
        while i < self.stop:
            while ends and ends[len(ends) - 1] == i:
                ends.pop()
                steps.pop()
            edit = &self.data.edits[i]
            what = outcome(&self.data, edit, &data, &size)
            if edit.flags & CONTAINER and what == DECIDE_KEEP:
                steps.append(-<int64_t>edit.tag if edit.flags & ITEM else <int64_t>edit.tag)
                ends.append(edit.link)
                i += 1
                continue
            if what != DECIDE_KEEP:
                enclosing = list(steps)
                if self.data.questions[edit.key].kind == APPENDED:
                    enclosing.pop()     # the Sequence itself: it is told as an edit of that
                tag = edit.tag
                if edit.flags & ITEM:
                    enclosing.append(-<int64_t>edit.tag)
                    tag = ITEM_TAG
                yield (pair_steps(enclosing), tag, self.data.questions[edit.key].rule, edit.key,
                       OUTCOMES[what], edit.stop - edit.start, size if what == DECIDE_REPLACE else 0)
            i = edit.link if edit.flags & CONTAINER else i + 1


cdef tuple pair_steps(list steps):
    """(tag, -number, tag, -number, tag) -> ((tag, number), (tag, number), (tag, 0))."""
    cdef Py_ssize_t left_out = (len(steps) + 1) // 2 - _MOST_STEPS
    if left_out > 1:
        return (*pairs_of(steps[:_MOST_STEPS]), (_LEFT_OUT, left_out), *pairs_of(steps[_MOST_STEPS + 2 * left_out:]))
    return tuple(pairs_of(steps))


cdef list pairs_of(list steps):
    paired = []
    for step in steps:
        if step < 0:
            paired.append((paired.pop()[0], -step))
        else:
            paired.append((step, 0))
    return paired

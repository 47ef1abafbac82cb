"""Before the Data Set: preamble, File Meta Information (PS3.10 section 7.1), or neither.

    PREFIX  --DICM at 128, or not-->  META  --first group that is not 0002-->  DATASET
                                       |  no (0002,0010)                          ^
                                       +------------------> DETECT ---------------+
    GIVEN  ----------------------------------------------------------------------+

The Transfer Syntax is looked up, detected from the first element, or GIVEN by whoever has a Data Set alone, before the
first byte of that is read.
"""
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcmp, strlen

from dcmveil._tables cimport tables
from dcmveil.scan cimport (
    ERROR_META_LENGTH,
    ERROR_NOT_DICOM,
    ERROR_TRANSFER_SYNTAX,
    STATE_DATASET,
    STATE_DETECT,
    STATE_GIVEN,
    STATE_META,
    STATE_PREFIX,
    STATUS_AGAIN,
    STATUS_OK,
    TOKEN_DATASET,
    TOKEN_META,
    TOKEN_PREAMBLE,
    Scan,
    Token,
    fail,
    read_explicit,
    wait,
)
from dcmveil.tables cimport (
    DCMVEIL_BIG_ENDIAN,
    DCMVEIL_DEFLATED,
    DCMVEIL_IMPLICIT,
    DCMVEIL_UNUSABLE,
)
from dcmveil.wire cimport (
    EXPLICIT_BE,
    EXPLICIT_LE,
    IMPLICIT_LE,
    UNDEFINED_LENGTH,
    VR_INVALID,
    be16,
    le16,
    le32,
    read_tag,
    read_vr,
)

cdef enum:
    PREFIX_SIZE = 132
    LONGEST_UID = 66            # 64, and padding that should not be there but is
    GROUP_LENGTH = 0x00020000
    TRANSFER_SYNTAX_UID = 0x00020010


cdef int scan_preface(Scan *s, const uint8_t *p, size_t n, Token *t) noexcept nogil:
    """One step before the Data Set."""
    if s.state == STATE_META:
        return scan_meta(s, p, n, t)
    if s.state == STATE_PREFIX:
        return scan_prefix(s, p, n, t)
    if s.state == STATE_GIVEN:
        return end_meta(s, t)
    return scan_detect(s, p, n, t)


cdef int scan_prefix(Scan *s, const uint8_t *p, size_t n, Token *t) noexcept nogil:
    if n < PREFIX_SIZE:
        return wait(s, PREFIX_SIZE)
    s.state = STATE_META
    if memcmp(p + 128, b"DICM", 4) != 0:
        return STATUS_AGAIN
    s.has_preamble = 1
    t.kind = TOKEN_PREAMBLE
    t.tag = t.length = 0
    t.start = 0
    t.header = PREFIX_SIZE
    s.pos = PREFIX_SIZE
    return STATUS_OK


cdef int find_transfer_syntax(const uint8_t *p, size_t n) noexcept nogil:
    cdef size_t i
    while n and (p[n - 1] == 0 or p[n - 1] == 32):
        n -= 1
    for i in range(tables.transfer_syntaxes_count):
        if strlen(tables.transfer_syntaxes[i].uid) == n and memcmp(tables.transfer_syntaxes[i].uid, p, n) == 0:
            return <int>i
    return -1


cdef int read_transfer_syntax(Scan *s, const uint8_t *p, size_t n, Token *t) noexcept nogil:
    if t.length > LONGEST_UID:
        return fail(s, ERROR_TRANSFER_SYNTAX)
    if n < t.header + t.length:
        return wait(s, t.header + <uint8_t>t.length)
    if t.length == 0:
        return STATUS_OK        # as good as absent
    s.transfer_syntax = find_transfer_syntax(p + t.header, t.length)
    if s.transfer_syntax < 0 or tables.transfer_syntaxes[s.transfer_syntax].flags & DCMVEIL_UNUSABLE:
        return fail(s, ERROR_TRANSFER_SYNTAX)
    return STATUS_OK


cdef int read_group_length(Scan *s, const uint8_t *p, size_t n, Token *t) noexcept nogil:
    if t.length != 4:
        return STATUS_OK
    if n < 12:
        return wait(s, 12)
    s.meta_stop = s.pos + 12 + le32(p + 8)
    return STATUS_OK


cdef bint is_before_deflate_stream(const Scan *s) noexcept nogil:
    """The group decides where the File Meta Information ends, since (0002,0000) is often wrong. Before a deflate
    stream, whose bytes may look like anything, it is the other way round."""
    if s.pos != s.meta_stop or s.transfer_syntax < 0:
        return False
    return tables.transfer_syntaxes[s.transfer_syntax].flags & DCMVEIL_DEFLATED != 0


cdef int scan_meta(Scan *s, const uint8_t *p, size_t n, Token *t) noexcept nogil:
    cdef int status
    if is_before_deflate_stream(s):
        return end_meta(s, t)
    if n < 8:
        return wait(s, 8)
    if le16(p) != 2:
        return end_meta(s, t)
    t.tag = read_tag(p, False)
    s.tag = t.tag
    status = read_explicit(s, p, n, t, False)
    if status == STATUS_OK and t.length == UNDEFINED_LENGTH:
        return fail(s, ERROR_META_LENGTH)
    if status == STATUS_OK and t.tag == TRANSFER_SYNTAX_UID:
        status = read_transfer_syntax(s, p, n, t)
    if status == STATUS_OK and t.tag == GROUP_LENGTH:
        status = read_group_length(s, p, n, t)
    if status != STATUS_OK:
        return status
    t.kind = TOKEN_META
    t.start = s.pos
    t.encoding = EXPLICIT_LE
    t.entered = 0
    s.pos += t.header
    s.skip = t.length
    return STATUS_OK


cdef int end_meta(Scan *s, Token *t) noexcept nogil:
    cdef uint32_t flags
    if s.transfer_syntax < 0:
        s.state = STATE_DETECT
        return STATUS_AGAIN
    flags = tables.transfer_syntaxes[s.transfer_syntax].flags
    return begin_dataset(
        s, t, IMPLICIT_LE if flags & DCMVEIL_IMPLICIT else EXPLICIT_BE if flags & DCMVEIL_BIG_ENDIAN else EXPLICIT_LE)


cdef int scan_detect(Scan *s, const uint8_t *p, size_t n, Token *t) noexcept nogil:
    """Guess the Transfer Syntax from the first element, as DcmDataset of DCMTK does: is there a VR, and which
    byte order makes the group number small."""
    cdef uint16_t little, big
    cdef bint swapped
    if n < 8:
        return wait(s, 8)
    little = le16(p)
    big = be16(p)
    swapped = little > 0xFF and big <= 0xFF
    if not s.has_preamble and s.pos == 0 and not 4 <= (big if swapped else little) <= 0xFF:
        return fail(s, ERROR_NOT_DICOM)
    if read_vr(p + 4) & 0xFF != VR_INVALID:
        s.transfer_syntax = find_transfer_syntax(b"1.2.840.10008.1.2.2" if swapped else b"1.2.840.10008.1.2.1", 19)
        return begin_dataset(s, t, EXPLICIT_BE if swapped else EXPLICIT_LE)
    if swapped:
        return fail(s, ERROR_TRANSFER_SYNTAX)       # Implicit VR Big Endian never was one
    s.transfer_syntax = find_transfer_syntax(b"1.2.840.10008.1.2", 17)
    return begin_dataset(s, t, IMPLICIT_LE)


cdef int begin_dataset(Scan *s, Token *t, uint8_t encoding) noexcept nogil:
    s.state = STATE_DATASET
    s.dataset_start = s.pos
    s.frames[0].encoding = encoding
    t.kind = TOKEN_DATASET
    t.tag = t.length = 0
    t.start = s.pos
    t.header = 0
    t.encoding = encoding
    return STATUS_OK

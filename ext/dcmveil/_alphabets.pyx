"""What Values of text VRs are made of: is it one, or have other elements become part of it through a wrong length?

A header has bytes in it that no text has, NUL above all, so that a Value which takes in others is known by them. So
is one that another VR was meant to have. Lenient is this where real files are: Code Strings in lower case, dates with
dots, numbers with commas, line ends in every VR, and eight times the length that PS3.5 Table 6.2-1 gives, since a
character takes up to four bytes, and some write twice as much as they may. NUL and space at the end are padding.

A byte is of a set of alphabets, and a Value of those that all of its bytes are of; where a VR is one of several, of any
of theirs. That is known byte by byte, whatever the pieces are.

Of a binary VR (OB, OW, UN ...) any bytes are a Value: they cannot be looked at.
"""
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from dcmveil.wire cimport VR_COUNT

from dcmveil import _tables

cdef enum:
    UIDS = 1
    DATES = 2
    NUMBERS = 4
    AGES = 8
    CODES = 16
    TEXTS = 32
    ANY_LENGTH = 0xFFFFFFFF
    LENIENCY = 8

cdef struct Kind:
    uint32_t most
    uint8_t alphabet
    uint8_t has_delimiters

cdef Kind[VR_COUNT] KINDS
cdef uint8_t[256] ALPHABETS
cdef uint64_t TEXT_VRS = 0

# Alphabet; characters of a Value by Table 6.2-1 (of a PN three groups of them), 0 for any number; several Values?
VRS = {
    "AE": (CODES, 16, True),
    "AS": (AGES, 4, True),
    "CS": (CODES, 16, True),
    "DA": (DATES, 8, True),
    "DS": (NUMBERS, 16, True),
    "DT": (DATES, 26, True),
    "IS": (NUMBERS, 12, True),
    "LO": (TEXTS, 64, True),
    "LT": (TEXTS, 10240, False),
    "PN": (TEXTS, 3 * 64, True),
    "SH": (TEXTS, 16, True),
    "ST": (TEXTS, 1024, False),
    "TM": (DATES, 14, True),
    "UC": (TEXTS, 0, True),
    "UI": (UIDS, 64, True),
    "UR": (CODES, 0, False),
    "UT": (TEXTS, 0, False),
}


cdef void add_letters(bytes letters, uint8_t alphabet):
    for letter in letters:
        ALPHABETS[<uint8_t>letter] |= alphabet


cdef void fill_tables():
    global TEXT_VRS
    printable = bytes(range(0x20, 0x7F))
    add_letters(b"0123456789.\\", UIDS)
    add_letters(b"0123456789.:-+/ \\", DATES)
    add_letters(b"0123456789.,+-eE \\", NUMBERS)
    add_letters(b"0123456789DWMYdwmy \\", AGES)
    add_letters(printable, CODES)
    add_letters(printable + b"\t\n\f\r\x1b" + bytes(range(0x80, 0x100)), TEXTS)
    for name, (alphabet, length, has_delimiters) in VRS.items():
        KINDS[<int>_tables.vr_index(name)] = Kind(LENIENCY * length or ANY_LENGTH, alphabet, has_delimiters)
        TEXT_VRS |= <uint64_t>1 << <int>_tables.vr_index(name)


fill_tables()


cdef bint text_begin(Text *text, uint32_t vr) noexcept nogil:
    """Before the first byte of a Value field of this VR. False if that is binary: any bytes will do."""
    cdef const Kind *kind = &KINDS[vr]
    if not kind.alphabet:
        return False
    text.size = 0
    text.most = kind.most
    text.alphabets = kind.alphabet
    text.has_delimiters = kind.has_delimiters
    text.pad = c" " if kind.alphabet == UIDS else 0
    text.is_padding = 0
    return True


cdef bint text_begin_any(Text *text, uint64_t vrs) noexcept nogil:
    """The same of one of these VRs. False if it may be binary."""
    cdef uint32_t vr
    if vrs & ~TEXT_VRS or not vrs:
        return False
    memset(text, 0, sizeof(Text))
    for vr in range(VR_COUNT):
        if not vrs >> vr:
            break
        if vrs >> vr & 1:
            text.alphabets |= KINDS[vr].alphabet
            text.has_delimiters |= KINDS[vr].has_delimiters
            text.most = max(text.most, KINDS[vr].most)
    if text.alphabets == UIDS:
        text.pad = c" "
    return True


cdef size_t text_look(Text *text, const uint8_t *data, size_t size) noexcept nogil:
    """The next bytes of it; how many of them were looked at: all, or those up to the one for which it is no Value."""
    cdef size_t i = 0
    if not text.is_padding:
        i = look_long(text, data, size) if text.most == ANY_LENGTH else look_short(text, data, size)
        text.is_padding = i < size
    while i < size and text.alphabets and (data[i] == 0 or data[i] == c" "):
        i += 1
    if i < size and text.alphabets:
        text.alphabets = 0
        i += 1
    return i


cdef size_t look_short(Text *text, const uint8_t *data, size_t size) noexcept nogil:
    """Values of bounded length, up to their padding or to what cannot be; how many bytes that is."""
    cdef size_t i = 0
    while i < size and data[i] and data[i] != text.pad and text.alphabets:
        text.alphabets &= ALPHABETS[data[i]]
        text.size = 0 if data[i] == c"\\" and text.has_delimiters else text.size + 1
        if text.size > text.most:
            text.alphabets = 0
        i += 1
    return i


cdef size_t look_long(Text *text, const uint8_t *data, size_t size) noexcept nogil:
    """The same of a text that may be as long as it likes, perhaps megabytes."""
    cdef uint8_t alphabets = text.alphabets
    cdef size_t i = 0
    while i < size and data[i] and alphabets:
        alphabets &= ALPHABETS[data[i]]
        i += 1
    text.alphabets = alphabets
    return i

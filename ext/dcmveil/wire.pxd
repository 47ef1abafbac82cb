# Bytes on the wire: unaligned loads and stores, the numbering of VRs, the encodings of PS3.5 section 7.
#
# The C below is byte-order neutral; compilers turn each function into one load or store.
from libc.stdint cimport uint8_t, uint16_t, uint32_t

from dcmveil.tables cimport dcmveil_vr_codes

cdef extern from *:
    """
    static inline uint16_t dcmveil_le16(const uint8_t *p) { return (uint16_t)(p[0] | (p[1] << 8)); }
    static inline uint16_t dcmveil_be16(const uint8_t *p) { return (uint16_t)(p[1] | (p[0] << 8)); }
    static inline uint32_t dcmveil_le32(const uint8_t *p) {
        return (uint32_t)p[0] | ((uint32_t)p[1] << 8) | ((uint32_t)p[2] << 16) | ((uint32_t)p[3] << 24);
    }
    static inline uint32_t dcmveil_be32(const uint8_t *p) {
        return (uint32_t)p[3] | ((uint32_t)p[2] << 8) | ((uint32_t)p[1] << 16) | ((uint32_t)p[0] << 24);
    }
    static inline void dcmveil_put16(uint8_t *p, uint16_t v, int big) {
        p[big ? 1 : 0] = (uint8_t)v;
        p[big ? 0 : 1] = (uint8_t)(v >> 8);
    }
    static inline void dcmveil_put32(uint8_t *p, uint32_t v, int big) {
        dcmveil_put16(p + (big ? 2 : 0), (uint16_t)v, big);
        dcmveil_put16(p + (big ? 0 : 2), (uint16_t)(v >> 16), big);
    }
    """
    uint16_t le16 "dcmveil_le16"(const uint8_t *p) noexcept nogil
    uint16_t be16 "dcmveil_be16"(const uint8_t *p) noexcept nogil
    uint32_t le32 "dcmveil_le32"(const uint8_t *p) noexcept nogil
    uint32_t be32 "dcmveil_be32"(const uint8_t *p) noexcept nogil
    void put16 "dcmveil_put16"(uint8_t *p, uint16_t v, int big) noexcept nogil
    void put32 "dcmveil_put32"(uint8_t *p, uint32_t v, int big) noexcept nogil

cdef enum:
    UNDEFINED_LENGTH = 0xFFFFFFFF
    ITEM_TAG = 0xFFFEE000
    ITEM_DELIMITATION = 0xFFFEE00D
    SEQUENCE_DELIMITATION = 0xFFFEE0DD
    PIXEL_DATA = 0x7FE00010

cdef enum Encoding:
    EXPLICIT_LE = 0
    IMPLICIT_LE = 1
    EXPLICIT_BE = 2

cdef enum:
    # Alphabetical numbers of the VRs that the code itself has to know; the rest come from the tables.
    VR_AT = 2
    VR_FD = 7
    VR_FL = 8
    VR_LO = 10
    VR_OB = 12
    VR_OW = 17
    VR_SL = 20
    VR_SQ = 21
    VR_SS = 22
    VR_SV = 24
    VR_UI = 27
    VR_UL = 28
    VR_UN = 29
    VR_US = 31
    VR_UV = 33
    VR_COUNT = 34
    VR_IMPLICIT = 0xFE      # not on the wire: Implicit VR
    VR_INVALID = 0xFF       # two bytes that name no VR
    LONG_FORM = 0x100       # in `dcmveil_vr_codes`: 2 reserved bytes and a 32-bit Value Length follow


cdef inline uint16_t read_vr(const uint8_t *p) noexcept nogil:
    """VR number at `p`, with LONG_FORM.

    Two capitals that name no VR are taken for one of the future, which PS3.5 7.1.2 promises to be of the long form;
    anything else is broken, and read in the short form, as DCMTK does."""
    if <uint8_t>(p[0] - 65) < 26 and <uint8_t>(p[1] - 65) < 26:
        return dcmveil_vr_codes[((p[0] & 31) << 5) | (p[1] & 31)]
    return VR_INVALID


cdef inline uint32_t read_tag(const uint8_t *p, bint big) noexcept nogil:
    if big:
        return be32(p)
    return <uint32_t>le16(p) << 16 | le16(p + 2)

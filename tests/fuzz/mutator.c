/* Mutations of Data Sets that know what a Data Element is: tags, VRs and Value Lengths are changed as such, elements
   moved, repeated and nested, and the lengths of what encloses them follow, most of the time. Everything else is left
   to libFuzzer. The first HEAD bytes of an input say what is done with it; the rest are elements, of which the
   encoding is guessed. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HEAD 4
#define MOST 256
#define UNDEFINED 0xFFFFFFFFu
#define ROOM (1 << 17)

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

struct element { size_t start, value, stop; int parent; uint8_t explicit_vr, is_container; };

static struct element found[MOST];
static int count;
static int big;
static uint32_t state;

static const char VRS[] = "AEASATCSDADSDTFDFLISLOLTOBODOFOLOVOWPNSHSLSQSSSTSVTMUCUIULUNURUSUTUVZZ\0\0pn";

/* What policies, the File Meta Information and the Planner treat in ways of their own. */
static const uint32_t TAGS[] = {
    0x00020000, 0x00020002, 0x00020003, 0x00020010, 0x00080000, 0x00080005, 0x00080008, 0x00080016, 0x00080018,
    0x00080020, 0x0008002A, 0x00080030, 0x00080050, 0x00080060, 0x00080080, 0x00080100, 0x00080102, 0x00080104,
    0x0008010D, 0x00081030, 0x00081032, 0x00081140, 0x00081155, 0x00082218, 0x00090010, 0x00091001, 0x00100010,
    0x00100020, 0x00100030, 0x00101010, 0x00120062, 0x00120063, 0x00120064, 0x00180015, 0x00190010, 0x0019100C,
    0x00191099, 0x0020000D, 0x00204000, 0x00280010, 0x00280303, 0x00290010, 0x00400260, 0x00400555, 0x0040A040,
    0x0040A043, 0x0040A121, 0x0040A124, 0x0040A160, 0x0040A168, 0x0040A300, 0x0040A730, 0x0040B020, 0x04000500,
    0x04000510, 0x04000520, 0x04000550, 0x04000561, 0x50002500, 0x60003000, 0x60020022, 0x00700001, 0x00700006,
    0x00880200, 0x52009229, 0x52009230, 0x7FE00010, 0x7FE10010, 0xFFFAFFFA, 0xFFFCFFFC, 0xFFFEE000, 0xFFFEE00D,
    0xFFFEE0DD, 0x7E000010, 0x40080115,
};

static uint32_t below(uint32_t most) {
    state = state * 1664525u + 1013904223u;
    return most ? (state >> 8) % most : 0;
}

static uint16_t get16(const uint8_t *p) { return (uint16_t)(big ? p[1] | p[0] << 8 : p[0] | p[1] << 8); }

static uint32_t get32(const uint8_t *p) {
    return big ? (uint32_t)get16(p) << 16 | get16(p + 2) : (uint32_t)get16(p + 2) << 16 | get16(p);
}

static void put16(uint8_t *p, uint32_t v) {
    p[big ? 1 : 0] = (uint8_t)v;
    p[big ? 0 : 1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *p, uint32_t v) {
    put16(p + (big ? 2 : 0), v);
    put16(p + (big ? 0 : 2), v >> 16);
}

static uint32_t tag_at(const uint8_t *p) { return (uint32_t)get16(p) << 16 | get16(p + 2); }

static int is_vr(const uint8_t *p) { return (uint8_t)(p[0] - 'A') < 26 && (uint8_t)(p[1] - 'A') < 26; }

static int is_long(const uint8_t *p) {
    return p[0] == 'O' || (p[0] == 'S' && (p[1] == 'Q' || p[1] == 'V')) || p[0] == 'Z' ||
           (p[0] == 'U' && p[1] != 'I' && p[1] != 'L' && p[1] != 'S');
}

static size_t header_size(const uint8_t *p, const struct element *e) {
    return e->explicit_vr && is_long(p + 4) ? 12 : 8;
}

static uint32_t length_at(const uint8_t *p, const struct element *e) {
    return e->explicit_vr ? (is_long(p + 4) ? get32(p + 8) : get16(p + 6)) : get32(p + 4);
}

static void set_length(uint8_t *p, const struct element *e, uint32_t length) {
    if (!e->explicit_vr)
        put32(p + 4, length);
    else if (is_long(p + 4))
        put32(p + 8, length);
    else
        put16(p + 6, length);
}

/* Elements, Items and delimiters in the order in which they stand, Sequences before what is in them. */
static void walk(const uint8_t *data, size_t size) {
    int open[64], depth = 0;
    size_t at = HEAD;
    count = 0;
    while (count < MOST && size - at >= 12) {
        struct element *e = &found[count];
        uint32_t tag = tag_at(data + at), length;
        while (depth && found[open[depth - 1]].stop <= at)
            depth--;
        e->start = at;
        e->parent = depth ? open[depth - 1] : -1;
        e->explicit_vr = tag >> 16 != 0xFFFE && is_vr(data + at + 4);
        length = length_at(data + at, e);
        e->value = at + header_size(data + at, e);
        e->is_container = tag == 0xFFFEE000 || length == UNDEFINED || (e->explicit_vr && !memcmp(data + at + 4, "SQ", 2));
        e->stop = length == UNDEFINED || length > size - e->value ? size : e->value + length;
        if (tag == 0xFFFEE00D || tag == 0xFFFEE0DD) {
            e->stop = at + 8;
            e->is_container = 0;
            if (depth)
                depth--;
        }
        at = e->is_container ? e->value : e->stop;
        if (e->is_container && depth < 64)
            open[depth++] = count;
        count++;
    }
}

/* Replaces bytes; defined lengths around `parent` follow, unless this is to be a mistake. Returns the new size. */
static size_t splice(uint8_t *data, size_t size, size_t max, size_t start, size_t stop, const uint8_t *by, size_t n,
                     int parent, int follow) {
    if (n > max - (size - (stop - start)))
        return size;
    memmove(data + start + n, data + stop, size - stop);
    memcpy(data + start, by, n);
    for (; follow && parent >= 0; parent = found[parent].parent) {
        uint32_t length = length_at(data + found[parent].start, &found[parent]);
        if (length != UNDEFINED)
            set_length(data + found[parent].start, &found[parent], length + (uint32_t)n - (uint32_t)(stop - start));
    }
    return size - (stop - start) + n;
}

static uint32_t some_length(const struct element *e, size_t size) {
    uint32_t own = (uint32_t)(e->stop - e->value);
    switch (below(9)) {
    case 0: return UNDEFINED;
    case 1: return 0;
    case 2: return own + 1;
    case 3: return own - 1;
    case 4: return 0xFFFFFFFE;
    case 5: return (uint32_t)(size - e->value);
    case 6: return (uint32_t)(size - e->value) + 1 + below(8);
    case 7: return 1u << below(32);
    default: return below(64);
    }
}

/* An element in a Sequence of one Item, each of defined or undefined length. */
static size_t nested(uint8_t *out, const uint8_t *data, const struct element *e) {
    size_t n = e->stop - e->start, head = e->explicit_vr ? 12 : 8, at;
    uint32_t tag = TAGS[below(sizeof TAGS / sizeof *TAGS)];
    int open_sequence = below(2), open_item = below(2);
    size_t item = 8 + n + (open_item ? 8 : 0);
    put16(out, tag >> 16);
    put16(out + 2, tag);
    if (head == 12)
        memcpy(out + 4, below(4) ? "SQ\0" : "UN\0", 4);
    put32(out + head - 4, open_sequence ? UNDEFINED : (uint32_t)item);
    put16(out + head, 0xFFFE);
    put16(out + head + 2, 0xE000);
    put32(out + head + 4, open_item ? UNDEFINED : (uint32_t)n);
    memcpy(out + head + 8, data + e->start, n);
    at = head + 8 + n;
    for (int level = 0; level < 2; level++) {
        if (!(level ? open_sequence : open_item))
            continue;
        put16(out + at, 0xFFFE);
        put16(out + at + 2, level ? 0xE0DD : 0xE00D);
        put32(out + at + 4, 0);
        at += 8;
    }
    return at;
}

static size_t mutate_element(uint8_t *data, size_t size, size_t max) {
    static uint8_t made[ROOM];
    const struct element *e = &found[below((uint32_t)count)], *other = &found[below((uint32_t)count)];
    size_t n = e->stop - e->start, at;
    int follow = below(8) != 0;
    uint32_t tag, length;
    if (n + 64 > ROOM || other->stop - other->start + 64 > ROOM)
        return 0;
    switch (below(9)) {
    case 0:
        return splice(data, size, max, e->start, e->stop, made, 0, e->parent, follow);
    case 1:     /* once more, there or elsewhere */
        memcpy(made, data + e->start, n);
        return splice(data, size, max, other->start, other->start, made, n, other->parent, follow);
    case 2:
        tag = below(3) ? TAGS[below(sizeof TAGS / sizeof *TAGS)] : tag_at(data + other->start);
        put16(data + e->start, tag >> 16);
        put16(data + e->start + 2, tag);
        return size;
    case 3:
        if (!e->explicit_vr)
            return 0;
        at = 2 * below(sizeof VRS / 2);
        memcpy(data + e->start + 4, VRS + at, 2);
        return size;
    case 4:
        set_length(data + e->start, e, some_length(e, size));
        return size;
    case 5:     /* another Value of another length */
        if (e->is_container)
            return 0;
        length = below(4) ? below(24) : below(400);
        memset(made, "A1\0.\\^"[below(6)], length);
        if (below(2))
            memcpy(made, data + other->value, length < size - other->value ? length : size - other->value);
        size = splice(data, size, max, e->value, e->stop, made, length, e->parent, follow);
        set_length(data + e->start, e, length);
        return size;
    case 6:
        n = nested(made, data, e);
        return splice(data, size, max, e->start, e->stop, made, n, e->parent, follow);
    case 7:     /* a delimiter or an empty Item */
        put16(made, 0xFFFE);
        put16(made + 2, (uint32_t[]){0xE000, 0xE00D, 0xE0DD}[below(3)]);
        put32(made + 4, below(3) ? 0 : UNDEFINED);
        at = below(2) ? e->start : e->stop;
        return splice(data, size, max, at, at, made, 8, e->parent, follow);
    default:    /* the bytes of a Value only */
        if (e->is_container || e->stop == e->value)
            return 0;
        LLVMFuzzerMutate(data + e->value, e->stop - e->value, e->stop - e->value);
        return size;
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed) {
    size_t done = 0;
    state = seed;
    below(2);
    if (size > HEAD + 12 && below(3)) {
        big = below(8) == 0;
        walk(data, size);
        if (count)
            done = mutate_element(data, size, max);
        if (done > HEAD && below(3) == 0) {
            walk(data, done);
            if (count)
                size = mutate_element(data, done, max);
            return size ? size : done;
        }
    }
    else if (size >= HEAD && below(6) == 0) {
        data[below(HEAD)] = (uint8_t)below(256);
        return size;
    }
    return done ? done : LLVMFuzzerMutate(data, size, max);
}

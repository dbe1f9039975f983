/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The label extension: the input is its value. What is accepted is written anew and must mean the
 * same, also with those bits set that a decoder ignores (docs/nhrp-labels.md 3, 4).
 */
#include <nhrp/nhrp.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    HEADER = 5,
    LONGEST = 5 + NHRP_BINDINGS_MAX * 36,
    FLAGS = 3, /* of a binding's item */
    COUNT = 7,
    LABELS = 8,
    RSRV = 0x0e
};

typedef struct meaning {
    nhrp_rc rc;
    size_t count;
    nhrp_label_binding bindings[NHRP_BINDINGS_MAX];
} meaning;

static void require(int holds)
{
    if (!holds)
        abort();
}

static meaning decode(const uint8_t *value, size_t len)
{
    const nhrp_extension x = {.type = NHRP_EXTENSION_VENDOR, .value = value, .len = len};
    nhrp_label_binding b;
    nhrp_rc rc;
    meaning m;
    size_t it = 0, count = 0;
    memset(&m, 0, sizeof(m));
    m.rc = nhrp_label_check(&x, NHRP_OUI_DEFAULT);
    /* The iterator is safe without the check too, and goes forward. */
    for (size_t before = it; (rc = nhrp_label_next(&x, &it, &b)) == NHRP_YES; before = it) {
        require(it > before && it <= len);
        if (count < NHRP_BINDINGS_MAX)
            m.bindings[count] = b;
        count++;
    }
    if (m.rc == NHRP_YES)
        require(rc == NHRP_OK && count >= 1 && count <= NHRP_BINDINGS_MAX);
    m.count = m.rc == NHRP_YES ? count : 0;
    return m;
}

static void require_same(const meaning *a, const meaning *b)
{
    require(a->rc == b->rc && a->count == b->count);
    require(memcmp(a->bindings, b->bindings, a->count * sizeof(a->bindings[0])) == 0);
}

static void set_ignored_bits(uint8_t *value, size_t len)
{
    for (size_t at = HEADER; at < len; at += 2u + value[at + 1]) {
        value[at + FLAGS] = 0xff;
        for (size_t i = 0; i < value[at + COUNT]; i++)
            value[at + LABELS + 3 * i + 2] |= RSRV;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t made[LONGEST];
    size_t len = 0;
    uint8_t *copy = size ? malloc(size) : NULL; /* exactly as long, so that a sanitizer sees */
    if (size && !copy)
        return 0;
    if (size)
        memcpy(copy, data, size);
    const meaning m = decode(copy, size);
    if (m.rc == NHRP_YES) {
        require(nhrp_label_encode(m.bindings, m.count, NHRP_OUI_DEFAULT, made, sizeof(made),
                                  &len) == NHRP_OK);
        const meaning again = decode(made, len);
        require_same(&m, &again);
        set_ignored_bits(made, len);
        const meaning marked = decode(made, len);
        require_same(&m, &marked);
    }
    free(copy);
    return 0;
}

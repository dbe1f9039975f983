/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The decoders: packet, entries, extensions, labels. The checksum is repaired first. What decodes
 * is written anew and must decode to the same.
 */
#include <nhrp/nhrp.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

static void labels(const nhrp_extension *x)
{
    nhrp_label_binding b[NHRP_BINDINGS_MAX], again;
    uint8_t value[1024];
    size_t it = 0, at = 0, n = 0, len = 0;
    if (nhrp_label_check(x, NHRP_OUI_DEFAULT) != NHRP_YES)
        return;
    while (nhrp_label_next(x, &it, &b[n]) == NHRP_YES && ++n < NHRP_BINDINGS_MAX)
        continue;
    require(nhrp_label_encode(b, n, NHRP_OUI_DEFAULT, value, sizeof(value), &len) == NHRP_OK);
    const nhrp_extension y = {.type = NHRP_EXTENSION_VENDOR, .value = value, .len = len};
    require(nhrp_label_check(&y, NHRP_OUI_DEFAULT) == NHRP_YES);
    for (size_t i = 0; i < n; i++) {
        require(nhrp_label_next(&y, &at, &again) == NHRP_YES);
        require(memcmp(&again, &b[i], sizeof(again)) == 0);
    }
}

static void write_anew(const nhrp_packet *p)
{
    nhrp_writer w;
    nhrp_cie cie;
    nhrp_extension x;
    nhrp_packet again;
    size_t it = 0, len = 0;
    const size_t cap = p->size + 64;
    uint8_t *buf = malloc(cap);
    require(buf != NULL);
    require(nhrp_writer_begin(&w, buf, cap, p) == NHRP_OK);
    while (nhrp_cie_next(p, &it, &cie) == NHRP_YES)
        require(nhrp_writer_put_cie(&w, &cie) == NHRP_OK);
    if (p->contents)
        require(nhrp_writer_put_contents(&w, p->contents, p->contents_len) == NHRP_OK);
    it = 0;
    while (p->type != NHRP_ERROR_INDICATION && nhrp_extension_next(p, &it, &x) == NHRP_YES)
        require(nhrp_writer_put_extension(&w, &x) == NHRP_OK);
    require(nhrp_writer_end(&w, &len) == NHRP_OK && len <= cap);
    require(nhrp_packet_decode(buf, len, &again) == NHRP_OK);
    require(again.type == p->type && again.flags == p->flags);
    require(again.request_id == p->request_id && again.cies_len == p->cies_len);
    require(again.contents_len == p->contents_len);
    free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nhrp_packet p;
    nhrp_extension x;
    nhrp_cie cie;
    size_t it = 0, at = 0;
    uint8_t *copy = calloc(1, size ? size : 1);
    if (!copy)
        return 0;
    if (size)
        memcpy(copy, data, size);
    (void)nhrp_packet_decode_quoted(copy, size, &p);
    (void)nhrp_packet_set_checksum(copy, size);
    if (nhrp_packet_decode(copy, size, &p) == NHRP_OK) {
        while (nhrp_cie_next(&p, &it, &cie) == NHRP_YES)
            continue;
        require(it == p.cies_len);
        it = 0;
        while (nhrp_extension_next(&p, &it, &x) == NHRP_YES) {
            at = 0;
            while (nhrp_extension_next_cie(&p, &x, &at, &cie) == NHRP_YES)
                continue;
            labels(&x);
        }
        if (p.contents)
            (void)nhrp_packet_decode_quoted(p.contents, p.contents_len, &p);
        else
            write_anew(&p);
    }
    const nhrp_extension raw = {.type = NHRP_EXTENSION_VENDOR, .value = copy, .len = size};
    if (size > 0)
        labels(&raw);
    free(copy);
    return 0;
}

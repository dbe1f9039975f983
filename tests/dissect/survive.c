/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * survive CAPTURE KEYS cuts|shorter|flips: a capture without a flaw, mistreated frame by frame.
 *
 * cuts: the capture has only the first n bytes, for every n: that is never called an error, and
 * what cannot be read is called truncated. shorter: the frame itself is that short: that is never
 * called truncated. flips: bits are turned over: whatever is said, the dissector goes on, and what
 * it says can be printed.
 */
#include "dissect/capture.h"
#include "dissect/json.h"
#include "dissect/options.h"

#include <stdlib.h>
#include <string.h>

enum { FLIPS = 100, BITS = 4 };

typedef struct counts {
    uint64_t frames;
    uint64_t errors;
    uint64_t truncated;
    uint64_t wrong;
} counts;

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static const node *run(dissector *d, uint32_t link, uint64_t number, const uint8_t *bytes,
                       size_t len, size_t wire_len, FILE *sink)
{
    uint8_t *exact = malloc(len ? len : 1);
    if (!exact)
        abort();
    memcpy(exact, bytes, len);
    const dissect_frame f = {
        .number = number, .link = link, .bytes = exact, .len = len, .wire_len = wire_len};
    const node *packet = dissect_packet(d, &f);
    char *text = dissect_text(packet);
    if (!text || !json_write(packet, sink))
        abort();
    free(text);
    free(exact);
    return packet;
}

static void judge(const node *packet, bool may_err, bool may_be_cut, counts *c)
{
    const node *error = tree_find(packet, "error");
    const node *cut = tree_find(packet, "truncated");
    const node *complaint = error && !may_err ? error : cut && !may_be_cut ? cut : NULL;
    c->frames++;
    c->errors += error != NULL;
    c->truncated += cut != NULL;
    if (complaint && c->wrong++ < 10) {
        char *text = dissect_text(packet);
        printf("%s\n", text ? text : "");
        free(text);
    }
}

static void mistreat(dissector *d, const dissect_frame *f, const char *how, FILE *sink, counts *c)
{
    const uint32_t link = f->link;
    const uint8_t *bytes = f->bytes;
    const uint64_t number = f->number;
    const size_t len = f->len;
    static uint64_t seed = 1;
    static uint8_t copy[DISSECT_FRAME_MAX];
    if (strcmp(how, "flips") == 0) {
        for (int n = 0; n < FLIPS; n++) {
            memcpy(copy, bytes, len);
            for (int bit = 0; bit < BITS; bit++) {
                const uint64_t r = next_random(&seed);
                copy[r % len] ^= (uint8_t)(1u << (r >> 32) % 8);
            }
            judge(run(d, link, number, copy, len, len, sink), true, false, c);
        }
        return;
    }
    const bool cut = strcmp(how, "cuts") == 0;
    for (size_t n = 0; n < len; n++)
        judge(run(d, link, number, bytes, n, cut ? len : n, sink), !cut, cut, c);
}

int main(int argc, char **argv)
{
    char why[CAPTURE_WHY_BYTES] = "";
    dissect_frame frame;
    counts c = {0};
    if (argc != 4)
        return 2;
    char *arguments[] = {argv[0], (char[]){"--keys"}, argv[2], argv[1]};
    program_options o;
    if (options_read(4, arguments, &o) != OPTIONS_RUN)
        return 2;
    dissector *d = dissect_new(&o.core);
    FILE *sink = fopen("/dev/null", "w");
    capture *file = capture_open(o.file, NULL, why);
    if (!d || !sink || !file || !options_load_keys(&o, d)) {
        fprintf(stderr, "%s: %s\n", o.file, file ? "keys" : why);
        return 2;
    }
    int rc;
    while ((rc = capture_next(file, &frame, why)) == CAPTURE_PACKET)
        mistreat(d, &frame, argv[3], sink, &c);
    if (rc != CAPTURE_END)
        fprintf(stderr, "%s: %s\n", o.file, why);
    printf("%s: %llu frames, %llu with an error, %llu truncated, %llu wrongly so\n", argv[3],
           (unsigned long long)c.frames, (unsigned long long)c.errors,
           (unsigned long long)c.truncated, (unsigned long long)c.wrong);
    capture_close(file);
    fclose(sink);
    dissect_free(d);
    const bool seen = strcmp(argv[3], "cuts") == 0 ? c.truncated > 0 : c.errors > 0;
    return rc == CAPTURE_END && c.wrong == 0 && seen ? 0 : 1;
}

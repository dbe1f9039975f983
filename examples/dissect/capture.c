/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "capture.h"

#include "pcapng.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

enum { FILTERS_MAX = 8 /* kinds of link in one file, where there is a filter */ };

typedef struct filter {
    uint32_t link;
    struct bpf_program program;
} filter;

struct capture {
    pcap_t *pcap; /* NULL: it is pcapng */
    FILE *file;
    pcapng ng;
    const char *filter;
    filter filters[FILTERS_MAX];
    size_t filter_count;
    uint64_t number;
};

static void tell(char why[CAPTURE_WHY_BYTES], const char *text)
{
    (void)snprintf(why, CAPTURE_WHY_BYTES, "%s", text);
}

/* libpcap's own numbers of link types are the files' but for raw IP. */
static int libpcap_link(uint32_t link)
{
    return link == DISSECT_LINK_RAW ? DLT_RAW : (int)link;
}

static uint32_t file_link(int link)
{
    return link == DLT_RAW ? DISSECT_LINK_RAW : (uint32_t)link;
}

/* The filter for a kind of link; NULL: why is in why. */
static const filter *filter_for(capture *c, uint32_t link, char why[CAPTURE_WHY_BYTES])
{
    for (size_t i = 0; i < c->filter_count; i++)
        if (c->filters[i].link == link)
            return &c->filters[i];
    if (c->filter_count == FILTERS_MAX) {
        tell(why, "too many kinds of link for a filter");
        return NULL;
    }
    filter *f = &c->filters[c->filter_count];
    pcap_t *dead = pcap_open_dead(libpcap_link(link), DISSECT_FRAME_MAX);
    if (!dead) {
        tell(why, "no memory");
        return NULL;
    }
    const bool ok = pcap_compile(dead, &f->program, c->filter, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!ok)
        (void)snprintf(why, CAPTURE_WHY_BYTES, "--filter: %s", pcap_geterr(dead));
    pcap_close(dead);
    if (!ok)
        return NULL;
    f->link = link;
    c->filter_count++;
    return f;
}

static bool open_file(capture *c, const char *path, char why[CAPTURE_WHY_BYTES])
{
    char error[PCAP_ERRBUF_SIZE];
    c->file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (!c->file) {
        tell(why, strerror(errno));
        return false;
    }
    /* One byte tells: no other format of a capture begins with it. */
    const int first = getc(c->file);
    if (first != EOF)
        (void)ungetc(first, c->file);
    if (first == PCAPNG_FIRST_BYTE) {
        pcapng_begin(&c->ng, c->file);
        return true;
    }
    c->pcap = pcap_fopen_offline(c->file, error);
    if (!c->pcap) {
        tell(why, error);
        return false;
    }
    c->file = NULL; /* libpcap closes it */
    if (dissect_link_known(file_link(pcap_datalink(c->pcap))))
        return true;
    tell(why, "its link type is none of Ethernet, raw IP, SLL, SLL2, NULL, LOOP");
    return false;
}

capture *capture_open(const char *path, const char *filter_text, char why[CAPTURE_WHY_BYTES])
{
    capture *c = calloc(1, sizeof(*c));
    if (!c) {
        tell(why, "no memory");
        return NULL;
    }
    c->filter = filter_text;
    if (!open_file(c, path, why) ||
        (filter_text && c->pcap && !filter_for(c, file_link(pcap_datalink(c->pcap)), why))) {
        capture_close(c);
        return NULL;
    }
    return c;
}

void capture_close(capture *c)
{
    for (size_t i = 0; i < c->filter_count; i++)
        pcap_freecode(&c->filters[i].program);
    pcapng_end(&c->ng);
    if (c->pcap)
        pcap_close(c->pcap);
    if (c->file && c->file != stdin)
        (void)fclose(c->file);
    free(c);
}

static int next_of_pcap(capture *c, dissect_frame *frame, char why[CAPTURE_WHY_BYTES])
{
    struct pcap_pkthdr *head;
    const u_char *bytes;
    const int rc = pcap_next_ex(c->pcap, &head, &bytes);
    if (rc == PCAP_ERROR_BREAK)
        return CAPTURE_END;
    if (rc != 1) {
        tell(why, pcap_geterr(c->pcap));
        return CAPTURE_FAILED;
    }
    *frame = (dissect_frame){.seconds = (uint64_t)head->ts.tv_sec,
                             .microseconds = (uint32_t)head->ts.tv_usec,
                             .link = file_link(pcap_datalink(c->pcap)),
                             .bytes = bytes,
                             .len = head->caplen,
                             .wire_len = head->len < head->caplen ? head->caplen : head->len};
    return CAPTURE_PACKET;
}

static int next_of_pcapng(capture *c, dissect_frame *frame, char why[CAPTURE_WHY_BYTES])
{
    const int rc = pcapng_next(&c->ng, frame);
    if (rc == PCAPNG_DONE)
        return CAPTURE_END;
    if (rc == PCAPNG_PACKET)
        return CAPTURE_PACKET;
    tell(why, c->ng.why);
    return CAPTURE_FAILED;
}

int capture_next(capture *c, dissect_frame *frame, char why[CAPTURE_WHY_BYTES])
{
    for (;;) {
        const int rc = c->pcap ? next_of_pcap(c, frame, why) : next_of_pcapng(c, frame, why);
        if (rc != CAPTURE_PACKET)
            return rc;
        frame->number = ++c->number;
        if (!c->filter)
            return CAPTURE_PACKET;
        const filter *f = filter_for(c, frame->link, why);
        if (!f)
            return CAPTURE_FAILED;
        const struct pcap_pkthdr head = {.caplen = (bpf_u_int32)frame->len,
                                         .len = (bpf_u_int32)frame->wire_len};
        if (pcap_offline_filter(&f->program, &head, frame->bytes))
            return CAPTURE_PACKET;
    }
}

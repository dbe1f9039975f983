/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * dissect: what is in a capture, packet by packet.
 */
#include "json.h"
#include "options.h"

#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

/* Statuses: what is wrong with packets is said in the output, and is no failure. */
enum { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_USAGE = 2 };

static int complain(const char *file, const char *why)
{
    fprintf(stderr, "dissect: %s: %s\n", file, why);
    return STATUS_FAILED;
}

/* What libpcap says; where it cannot read a kind of file at all, also what it could read. */
static int complain_of_file(const char *file, const char *why)
{
    (void)complain(file, why);
    if (strstr(why, "different from the") && strstr(why, "first interface"))
        fputs("dissect: libpcap reads a pcapng file only if all its interfaces have one link type "
              "and one snapshot length: capture other links into a file of their own\n",
              stderr);
    return STATUS_FAILED;
}

static bool print(const program_options *o, const node *packet)
{
    if (o->json)
        return json_write(packet, stdout);
    char *line = dissect_text(packet);
    const bool ok = line && puts(line) >= 0;
    free(line);
    return ok;
}

static bool make_filter(pcap_t *pcap, const char *text, struct bpf_program *program)
{
    return !text || pcap_compile(pcap, program, text, 1, PCAP_NETMASK_UNKNOWN) == 0;
}

static int run(const program_options *o, dissector *d, pcap_t *pcap)
{
    struct bpf_program filter = {0};
    struct pcap_pkthdr *head;
    const u_char *bytes;
    int rc;
    const int link = pcap_datalink(pcap);
    /* libpcap's own numbers for raw IP differ between systems; the file's are the same. */
    const uint32_t type = link == DLT_RAW ? DISSECT_LINK_RAW : (uint32_t)link;
    if (!dissect_link_known(type))
        return complain(o->file,
                        "its link type is none of Ethernet, raw IP, SLL, SLL2, NULL, LOOP");
    if (!make_filter(pcap, o->filter, &filter))
        return complain("--filter", pcap_geterr(pcap));
    uint64_t number = 0;
    bool printed = true;
    while (printed && (rc = pcap_next_ex(pcap, &head, &bytes)) == 1) {
        number++;
        if (o->filter && pcap_offline_filter(&filter, head, bytes) == 0)
            continue;
        const dissect_frame frame = {.number = number,
                                     .seconds = (uint64_t)head->ts.tv_sec,
                                     .microseconds = (uint32_t)head->ts.tv_usec,
                                     .link = type,
                                     .bytes = bytes,
                                     .len = head->caplen,
                                     .wire_len =
                                         head->len < head->caplen ? head->caplen : head->len};
        printed = print(o, dissect_packet(d, &frame));
    }
    pcap_freecode(&filter);
    if (!printed || fflush(stdout) != 0)
        return complain("standard output", "cannot be written");
    return rc == PCAP_ERROR_BREAK ? STATUS_OK : complain_of_file(o->file, pcap_geterr(pcap));
}

int main(int argc, char **argv)
{
    program_options o;
    const int wanted = options_read(argc, argv, &o);
    if (wanted != OPTIONS_RUN) {
        options_usage(wanted == OPTIONS_WRONG);
        return wanted == OPTIONS_HELP ? STATUS_OK : STATUS_USAGE;
    }
    dissector *d = dissect_new(&o.core);
    if (!d)
        return complain(o.file, "no memory, or libcrypto lacks an algorithm");
    int status = STATUS_FAILED;
    char why[PCAP_ERRBUF_SIZE];
    if (options_load_keys(&o, d)) {
        pcap_t *pcap = pcap_open_offline(o.file, why);
        status = pcap ? run(&o, d, pcap) : complain_of_file(o.file, why);
        if (pcap)
            pcap_close(pcap);
    }
    dissect_free(d);
    return status;
}

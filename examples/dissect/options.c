/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The command line, and the key files that it names.
 */
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES = 4096, PORT_MAX = 65535, OUI_MAX = 0xffffff };

static const char ike_table[] = "ikev2_decryption_table";
static const char esp_table[] = "esp_sa";

typedef const char *add_fn(dissector *d, const char *line);

void options_usage(bool to_stderr)
{
    fputs(
        "usage: dissect [--json] [--keys FOLDER_OR_FILE]... [--ikev2-table FILE]...\n"
        "               [--esp-sa FILE]... [--port-bgp PORT]... [--label-oui HEX] [--secrets]\n"
        "               [--filter BPF] FILE\n"
        "\n"
        "A pcap or pcapng FILE (- for standard input): a line, or a JSON object, a packet.\n"
        "  --keys         a folder of Wireshark's profile, such as FILE.keys of the demo and the\n"
        "                 lab, or one of its two tables, known by its name\n"
        "  --ikev2-table  a table like ikev2_decryption_table, whatever its name\n"
        "  --esp-sa       a table like esp_sa\n"
        "  --port-bgp     BGP is on this TCP port too; 179 always is\n"
        "  --label-oui    the OUI of the label extension in NHRP; 024d50\n"
        "  --secrets      show NHRP's passwords\n"
        "  --filter       only packets that match, numbered as they are in FILE\n",
        to_stderr ? stderr : stdout);
}

static bool read_number(const char *text, int base, unsigned long max, unsigned long *out)
{
    char *end;
    errno = 0;
    *out = strtoul(text, &end, base);
    return *text != '-' && end != text && *end == 0 && errno == 0 && *out <= max;
}

static bool takes_file(const char *option)
{
    return strcmp(option, "--keys") == 0 || strcmp(option, "--ikev2-table") == 0 ||
           strcmp(option, "--esp-sa") == 0;
}

/* An option with its value; false: there is no such option, or the value is wrong. */
static bool read_option(const char *option, const char *value, program_options *o)
{
    unsigned long n;
    if (takes_file(option))
        return true; /* read later, in order */
    if (strcmp(option, "--filter") == 0) {
        o->filter = value;
        return true;
    }
    if (strcmp(option, "--port-bgp") == 0) {
        if (!read_number(value, 10, PORT_MAX, &n) || n == 0 ||
            o->core.bgp_port_count == DISSECT_PORTS_MAX)
            return false;
        o->core.bgp_ports[o->core.bgp_port_count++] = (uint16_t)n;
        return true;
    }
    if (strcmp(option, "--label-oui") == 0 && read_number(value, 16, OUI_MAX, &n)) {
        o->core.label_oui = (uint32_t)n;
        return true;
    }
    return false;
}

int options_read(int argc, char **argv, program_options *o)
{
    *o = (program_options){.arguments = argv, .argument_count = argc};
    dissect_options_init(&o->core);
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        if (strcmp(arg, "--help") == 0) {
            return OPTIONS_HELP;
        } else if (strcmp(arg, "--json") == 0) {
            o->json = true;
        } else if (strcmp(arg, "--secrets") == 0) {
            o->core.secrets = true;
        } else if (arg[0] == '-' && arg[1] == '-') {
            if (i + 1 == argc || !read_option(arg, argv[i + 1], o)) {
                fprintf(stderr, "dissect: %s: not an option, or not a value for it\n", arg);
                return OPTIONS_WRONG;
            }
            i++;
        } else if (o->file) {
            fputs("dissect: one FILE\n", stderr);
            return OPTIONS_WRONG;
        } else {
            o->file = arg;
        }
    }
    return o->file ? OPTIONS_RUN : OPTIONS_WRONG;
}

/* A line that cannot be understood is told, and passed over: the others are of use still. */
static bool read_table(const char *path, dissector *d, add_fn *add)
{
    FILE *file = fopen(path, "r");
    if (!file) {
        fprintf(stderr, "dissect: %s: %s\n", path, strerror(errno));
        return false;
    }
    char *line = NULL;
    size_t cap = 0;
    for (unsigned number = 1; getline(&line, &cap, file) >= 0; number++) {
        const char *why = add(d, line);
        if (why)
            fprintf(stderr, "dissect: %s:%u: %s\n", path, number, why);
        memset(line, 0, strlen(line));
    }
    const bool ok = !ferror(file);
    free(line);
    return fclose(file) == 0 && ok;
}

static bool read_one(const char *path, dissector *d)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (strcmp(name, ike_table) == 0)
        return read_table(path, d, dissect_add_ikev2_key);
    if (strcmp(name, esp_table) == 0)
        return read_table(path, d, dissect_add_esp_key);
    fprintf(stderr, "dissect: %s: neither a folder nor one of %s and %s\n", path, ike_table,
            esp_table);
    return false;
}

/* The tables of a folder, or of "wireshark" in it; at least one of them. */
static bool read_folder(const char *folder, dissector *d)
{
    static const char *const within[] = {"", "/wireshark"};
    static const char *const tables[] = {ike_table, esp_table};
    bool found = false;
    for (size_t i = 0; i < 2; i++)
        for (size_t n = 0; n < 2; n++) {
            char path[PATH_BYTES];
            struct stat st;
            const int len = snprintf(path, sizeof path, "%s%s/%s", folder, within[i], tables[n]);
            if (len < 0 || (size_t)len >= sizeof path || stat(path, &st) != 0)
                continue;
            found = true;
            if (!read_one(path, d))
                return false;
        }
    if (!found)
        fprintf(stderr, "dissect: %s: no %s and no %s\n", folder, ike_table, esp_table);
    return found;
}

static bool read_keys(const char *path, dissector *d)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        fprintf(stderr, "dissect: %s: %s\n", path, strerror(errno));
        return false;
    }
    return S_ISDIR(st.st_mode) ? read_folder(path, d) : read_one(path, d);
}

bool options_load_keys(const program_options *o, dissector *d)
{
    for (int i = 1; i + 1 < o->argument_count; i++) {
        const char *option = o->arguments[i];
        const char *value = o->arguments[i + 1];
        if (option[0] != '-' || option[1] != '-' || strcmp(option, "--json") == 0 ||
            strcmp(option, "--secrets") == 0)
            continue;
        bool ok = true;
        if (strcmp(option, "--keys") == 0)
            ok = read_keys(value, d);
        else if (strcmp(option, "--ikev2-table") == 0)
            ok = read_table(value, d, dissect_add_ikev2_key);
        else if (strcmp(option, "--esp-sa") == 0)
            ok = read_table(value, d, dissect_add_esp_key);
        if (!ok)
            return false;
        i++;
    }
    return true;
}

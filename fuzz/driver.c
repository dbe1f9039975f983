/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Runs a fuzz target over files and folders without a fuzzing engine, so that every compiler and
 * sanitizer replays the corpora as a test.
 */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path, long size)
{
    FILE *f = fopen(path, "rb");
    /* Exactly the input's size, so that a sanitizer sees one byte too far. */
    uint8_t *data = malloc(size ? (size_t)size : 1);
    const int ok = f && data && fread(data, 1, (size_t)size, f) == (size_t)size;
    if (ok)
        (void)LLVMFuzzerTestOneInput(data, (size_t)size);
    else
        fprintf(stderr, "cannot read %s\n", path);
    free(data);
    if (f)
        fclose(f);
    return ok ? 1 : -1;
}

/* The number of inputs replayed, or -1. */
static int replay(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        fprintf(stderr, "no such corpus: %s\n", path);
        return -1;
    }
    if (!S_ISDIR(st.st_mode))
        return replay_file(path, (long)st.st_size);

    DIR *dir = opendir(path);
    int total = 0;
    for (const struct dirent *e; dir && total >= 0 && (e = readdir(dir));) {
        char child[4096];
        if (e->d_name[0] == '.')
            continue;
        snprintf(child, sizeof(child), "%s/%s", path, e->d_name);
        const int n = replay(child);
        total = n < 0 ? -1 : total + n;
    }
    if (dir)
        closedir(dir);
    return dir ? total : -1;
}

int main(int argc, char **argv)
{
    int total = 0;
    (void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        const int n = replay(argv[i]);
        if (n <= 0) {
            fprintf(stderr, "%s: nothing was replayed\n", argv[i]);
            return 1;
        }
        total += n;
    }
    printf("%d inputs replayed\n", total);
    return total > 0 ? 0 : 1;
}

/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FIELDS = 64 };

typedef struct field {
    char *name;
    char *value;
    uint8_t *bytes; /* the value read as hex, once asked for */
} field;

struct vectors {
    FILE *file;
    char path[512];
    field fields[MAX_FIELDS];
    size_t count;
};

vectors *vectors_open(const char *path)
{
    vectors *v = calloc(1, sizeof(*v));
    assert_non_null(v);
    snprintf(v->path, sizeof(v->path), "%s/%s", TESTS_DIR, path);
    v->file = fopen(v->path, "r");
    if (!v->file)
        fail_msg("no such vectors: %s", v->path);
    return v;
}

static void clear(vectors *v)
{
    for (size_t i = 0; i < v->count; i++) {
        free(v->fields[i].name);
        free(v->fields[i].value);
        free(v->fields[i].bytes);
    }
    v->count = 0;
}

void vectors_close(vectors *v)
{
    clear(v);
    fclose(v->file);
    free(v);
}

static char *trim(char *s)
{
    while (isspace((unsigned char)*s))
        s++;
    size_t n = strlen(s);
    while (n > 0 && isspace((unsigned char)s[n - 1]))
        s[--n] = '\0';
    return s;
}

static char *copy(const char *s)
{
    char *c = malloc(strlen(s) + 1);
    assert_non_null(c);
    return strcpy(c, s);
}

static void append(field *f, const char *more)
{
    f->value = realloc(f->value, strlen(f->value) + strlen(more) + 2);
    assert_non_null(f->value);
    strcat(f->value, " ");
    strcat(f->value, more);
}

bool vectors_next(vectors *v)
{
    char *line = NULL;
    size_t size = 0;

    clear(v);
    while (getline(&line, &size, v->file) >= 0) {
        const bool continued = line[0] == ' ' || line[0] == '\t';
        char *text = trim(line);
        if (text[0] == '#')
            continue;
        if (text[0] == '\0') {
            if (v->count)
                break;
            continue;
        }
        if (continued && v->count) {
            append(&v->fields[v->count - 1], text);
            continue;
        }
        char *equals = strchr(text, '=');
        if (!equals || v->count == MAX_FIELDS)
            fail_msg("%s: not a field: %s", v->path, text);
        *equals = '\0';
        v->fields[v->count++] = (field){copy(trim(text)), copy(trim(equals + 1)), NULL};
    }
    free(line);
    return v->count > 0;
}

static field *find(const vectors *v, const char *name)
{
    for (size_t i = 0; i < v->count; i++)
        if (strcmp(v->fields[i].name, name) == 0)
            return (field *)&v->fields[i];
    return NULL;
}

static field *need(const vectors *v, const char *name)
{
    field *f = find(v, name);
    if (!f)
        fail_msg("%s: no field %s in this record", v->path, name);
    return f;
}

bool vectors_has(const vectors *v, const char *name)
{
    return find(v, name) != NULL;
}

const char *vectors_text(const vectors *v, const char *name)
{
    return need(v, name)->value;
}

uint64_t vectors_number(const vectors *v, const char *name)
{
    char *end;
    const char *text = need(v, name)->value;
    const uint64_t n = strtoull(text, &end, 0);
    if (*text == '\0' || *end != '\0')
        fail_msg("%s: %s is not a number: %s", v->path, name, text);
    return n;
}

const uint8_t *vectors_hex(vectors *v, const char *name, size_t *len)
{
    field *f = need(v, name);
    const size_t cap = strlen(f->value) / 2 + 1;
    if (!f->bytes)
        f->bytes = malloc(cap);
    assert_non_null(f->bytes);
    *len = hex_bytes(f->value, f->bytes, cap);
    return f->bytes;
}

size_t hex_bytes(const char *hex, uint8_t *out, size_t cap)
{
    size_t digits = 0;
    for (; *hex; hex++) {
        if (isspace((unsigned char)*hex) || *hex == ':')
            continue;
        if (!isxdigit((unsigned char)*hex))
            fail_msg("not hex: %s", hex);
        const int c = tolower((unsigned char)*hex);
        const uint8_t nibble = (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
        assert_true(digits / 2 < cap);
        out[digits / 2] = (uint8_t)(digits % 2 ? out[digits / 2] << 4 | nibble : nibble);
        digits++;
    }
    assert_int_equal(digits % 2, 0);
    return digits / 2;
}

static void print_hex(const char *title, const uint8_t *bytes, size_t len)
{
    print_error("%s (%zu):", title, len);
    for (size_t i = 0; i < len; i++)
        print_error("%s%02x", i % 4 ? "" : " ", bytes[i]);
    print_error("\n");
}

void assert_bytes(const uint8_t *actual, size_t actual_len, const uint8_t *expected,
                  size_t expected_len)
{
    if (actual_len == expected_len && (actual_len == 0 || !memcmp(actual, expected, actual_len)))
        return;
    print_hex("expected", expected, expected_len);
    print_hex("actual  ", actual, actual_len);
    fail_msg("the bytes differ");
}

void assert_hex(const uint8_t *actual, size_t actual_len, const char *expected)
{
    const size_t cap = strlen(expected) / 2 + 1;
    uint8_t *bytes = malloc(cap);
    assert_non_null(bytes);
    const size_t len = hex_bytes(expected, bytes, cap);
    assert_bytes(actual, actual_len, bytes, len);
    free(bytes);
}

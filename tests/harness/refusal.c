/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "refusal.h"

#include <stdlib.h>
#include <string.h>

enum { ERR_NOMEM = -2, ERR_BUFFER = -3, PATTERN = 0xa5, GUARD = 16, MAX_SIZED = 4, MAX_STEPS = 64 };

const uint32_t wrong_sizes[WRONG_SIZES] = {0, 1, 3, 65537, UINT32_MAX};

static struct {
    uint8_t *outputs;
    size_t len;
    uint8_t *copy; /* of outputs, before the call */
    void (*state)(description *d);
    description before;
    struct {
        uint8_t *bytes, *copy;
        size_t len;
    } sized[MAX_SIZED];
    size_t sized_count;
} watched;

static struct {
    struct {
        const char *call;
        bool seen;
    } all[MAX_STEPS];
    size_t count;
    bool have_end;
    description end;
} steps;

void describe(description *d, const void *bytes, size_t len)
{
    assert_true(len <= sizeof(d->bytes) - d->len);
    memcpy(d->bytes + d->len, bytes, len);
    d->len += len;
}

void watch(void *outputs, size_t len, void (*state)(description *d))
{
    watched.outputs = outputs;
    watched.len = len;
    watched.state = state;
    memset(outputs, PATTERN, len);
}

void watch_before(void)
{
    watched.copy = malloc(watched.len);
    assert_non_null(watched.copy);
    memcpy(watched.copy, watched.outputs, watched.len);
    watched.before.len = 0;
    if (watched.state)
        watched.state(&watched.before);
}

void *watch_sized(const void *object, size_t object_size, uint32_t size)
{
    assert_true(watched.sized_count < MAX_SIZED);
    const size_t len = size < object_size ? size : object_size;
    const size_t room = len < sizeof(size) ? sizeof(size) : len;
    uint8_t *bytes = malloc(room);
    uint8_t *copy = malloc(room);
    assert_non_null(bytes);
    assert_non_null(copy);
    memcpy(bytes, object, room);
    memcpy(bytes, &size, sizeof(size));
    memcpy(copy, bytes, room);
    watched.sized[watched.sized_count].bytes = bytes;
    watched.sized[watched.sized_count].copy = copy;
    watched.sized[watched.sized_count++].len = room;
    return bytes;
}

static void forget(void)
{
    free(watched.copy);
    watched.copy = NULL;
    for (size_t i = 0; i < watched.sized_count; i++) {
        free(watched.sized[i].bytes);
        free(watched.sized[i].copy);
    }
    watched.sized_count = 0;
}

static const char *what_changed(void)
{
    static description after;
    if (memcmp(watched.outputs, watched.copy, watched.len) != 0)
        return "an output";
    for (size_t i = 0; i < watched.sized_count; i++)
        if (memcmp(watched.sized[i].bytes, watched.sized[i].copy, watched.sized[i].len) != 0)
            return "a struct of a wrong size";
    after.len = 0;
    if (watched.state)
        watched.state(&after);
    if (after.len != watched.before.len ||
        memcmp(after.bytes, watched.before.bytes, after.len) != 0)
        return "the object";
    return NULL;
}

void watch_after(int32_t expected, int32_t result, const char *call, const char *file, int line)
{
    const char *changed = what_changed();
    forget();
    if (result != expected)
        fail_msg("%s:%d: %s: %d, not %d", file, line, call, result, expected);
    if (changed)
        fail_msg("%s:%d: %s changed %s", file, line, call, changed);
}

void assert_every_capacity(int32_t (*call)(uint8_t *buf, size_t cap, size_t *len), int32_t done,
                           size_t needed)
{
    for (size_t cap = 0; cap <= needed; cap++) {
        uint8_t *buf = malloc(cap + GUARD);
        size_t len = SIZE_MAX;
        assert_non_null(buf);
        memset(buf, PATTERN, cap + GUARD);
        const int32_t result = call(buf, cap, &len);
        if (result != (cap < needed ? ERR_BUFFER : done) || len != needed)
            fail_msg("capacity %zu of %zu: result %d, length %zu", cap, needed, result, len);
        for (size_t i = cap; i < cap + GUARD; i++)
            if (buf[i] != PATTERN)
                fail_msg("capacity %zu: written at %zu", cap, i);
        free(buf);
    }
}

static bool *seen(const char *call)
{
    size_t i = 0;
    while (i < steps.count && strcmp(steps.all[i].call, call) != 0)
        i++;
    if (i == steps.count) {
        assert_true(steps.count < MAX_STEPS);
        steps.all[steps.count].call = call;
        steps.all[steps.count++].seen = false;
    }
    return &steps.all[i].seen;
}

bool step_failed(int32_t result, const char *call, const char *file, int line)
{
    bool *failed = seen(call);
    const bool fails = result == ERR_NOMEM;
    if (fails) {
        *failed = true;
        watch_after(ERR_NOMEM, result, call, file, line);
    } else {
        forget();
    }
    return fails;
}

void step_done(int32_t expected, int32_t result, const char *call, const char *file, int line)
{
    if (result != expected)
        fail_msg("%s:%d: %s: %d, not %d", file, line, call, result, expected);
}

void ends(void)
{
    static description now;
    now.len = 0;
    watched.state(&now);
    if (steps.have_end) {
        assert_int_equal(now.len, steps.end.len);
        assert_memory_equal(now.bytes, steps.end.bytes, now.len);
    }
    steps.have_end = true;
    steps.end = now;
}

void assert_steps_survive_every_allocation_failure(void (*scenario)(fail_alloc *f, void *user),
                                                   void *user)
{
    memset(&steps, 0, sizeof(steps));
    assert_survives_every_allocation_failure(scenario, user);
    assert_true(steps.have_end);
    for (size_t i = 0; i < steps.count; i++)
        if (!steps.all[i].seen)
            fail_msg("%s never ran out of memory", steps.all[i].call);
}

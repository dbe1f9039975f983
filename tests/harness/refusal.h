/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Calls that must leave everything as it was: with an argument that is NULL, a length that is
 * wrong, a struct of no known size, or no memory.
 */
#ifndef REFUSAL_H
#define REFUSAL_H

#include "harness.h"

/* ---- What is watched. ---- */

/* The state of an object, told by its getters, as bytes that are compared. */
typedef struct description {
    uint8_t bytes[65536];
    size_t len;
} description;

void describe(description *d, const void *bytes, size_t len);

/*
 * Watches outputs, which calls are handed and must not touch: filled with a pattern now and
 * compared after each call; and the state of an object, if state is not NULL: compared before and
 * after.
 */
void watch(void *outputs, size_t len, void (*state)(description *d));

/*
 * refuses(call): the call answers ERR_ARG (-1 in all libraries), the outputs and the state are
 * untouched. answers(result, call): the same for another negative result.
 */
#define refuses(call) answers(-1, call)
#define answers(result, call)                                                                      \
    (watch_before(), watch_after((result), (call), #call, __FILE__, __LINE__))

/* The call with nothing wrong, to show that what refuses() says is about the argument it names. */
#define accepts(call) assert_in_range((call), 0, 1)

/* ---- Structs that begin with their size. ---- */

/*
 * refuses_sizes(call): refuses the call with each struct size that no version had. Within it
 * sized(object) is a copy of the versioned struct with that size, on the heap and no longer than
 * the size says (but its own four octets), so that a sanitizer sees who reads on.
 */
#define refuses_sizes(call)                                                                        \
    for (const uint32_t *size_ = wrong_sizes; size_ < wrong_sizes + WRONG_SIZES; size_++)          \
    refuses(call)
#define sized(object) watch_sized(&(object), sizeof(object), *size_)

enum { WRONG_SIZES = 5 };
extern const uint32_t wrong_sizes[WRONG_SIZES];

/* ---- Output buffers. ---- */

/*
 * Makes the call with capacities 0, 1, 2, ... until it answers done. Each time before it must
 * answer ERR_BUFFER (-3) and tell the length that is done in the end; nothing is written beyond the
 * capacity. needed is that length, known from elsewhere.
 */
void assert_every_capacity(int32_t (*call)(uint8_t *buf, size_t cap, size_t *len), int32_t done,
                           size_t needed);

/* ---- Memory. ---- */

/*
 * Runs a scenario with every allocation failing in turn. Within it
 *   step(result, call): the call answers result; or ERR_NOMEM (-2), then outputs and state are
 *     untouched, and the same call once more answers result;
 *   ends(): the state is what it was here in all other runs.
 * Asserts in the end that each step has been seen to run out of memory.
 */
void assert_steps_survive_every_allocation_failure(void (*scenario)(fail_alloc *f, void *user),
                                                   void *user);
#define step(result, call)                                                                         \
    do {                                                                                           \
        watch_before();                                                                            \
        int32_t rc_ = (call);                                                                      \
        if (step_failed(rc_, #call, __FILE__, __LINE__))                                           \
            rc_ = (call);                                                                          \
        step_done((result), rc_, #call, __FILE__, __LINE__);                                       \
    } while (0)
void ends(void);

/* Of the macros above. */
void watch_before(void);
void watch_after(int32_t expected, int32_t result, const char *call, const char *file, int line);
void *watch_sized(const void *object, size_t object_size, uint32_t size);
bool step_failed(int32_t result, const char *call, const char *file, int line);
void step_done(int32_t expected, int32_t result, const char *call, const char *file, int line);

#endif

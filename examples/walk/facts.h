/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What log lines say, kept so that questions about it are quick: by node and event.
 */
#ifndef WALK_FACTS_H
#define WALK_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FACT_NAME_BYTES = 24, FACT_ADDRESS_BYTES = 56, FACT_IMPLICIT_NULL = 3 };

enum { ANY, HUB, SPOKE1, SPOKE2, NODES };

enum {
    IKE_UP = 1,
    TUNNEL_UP,
    PUSHED_ROUTE,
    IMPLICIT_NULL_UP,
    BGP_UP,
    LOCAL_LABEL,
    ROUTE_UP,
    FIRST_PACKET,
    REDIRECT_SENT,
    REDIRECT_HEARD,
    MAPPING_INCOMPLETE,
    REQUEST_SENT,
    REQUEST_FORWARDED,
    REQUEST_HEARD,
    TUNNEL_WANTED,
    REPLY_SENT,
    REPLY_HEARD,
    MAPPING_UP,
    EVENTS
};

/* What one line says. In a question, 0 and "" mean that any will do. */
typedef struct fact {
    uint32_t node;
    uint32_t vrf;
    uint64_t tunnel;
    uint32_t label;
    uint32_t label2;
    uint32_t request_id;
    uint32_t protocol;
    uint32_t event; /* 0: none that matters here */
    size_t later;   /* the next fact of this node and event, 0 for none */
    char source[FACT_NAME_BYTES];
    char direction[FACT_NAME_BYTES];
    char local[FACT_ADDRESS_BYTES];
    char remote[FACT_ADDRESS_BYTES];
    char address[FACT_ADDRESS_BYTES];
    char prefix[FACT_ADDRESS_BYTES];
} fact;

typedef struct facts {
    const char *names[NODES]; /* of the nodes, as in node=NAME */
    fact *items;              /* from index 1 on, in the order in which they were seen */
    size_t count, cap;
    size_t first[NODES][EVENTS]; /* indices, 0 for none */
    size_t last[NODES][EVENTS];
} facts;

enum { FACTS_NOTHING, FACTS_KEPT, FACTS_NO_MEMORY };

/* Keeps what a line says; FACTS_NOTHING where that does not matter here. */
int facts_take_line(facts *all, const char *line, size_t len);
void facts_free(facts *all);

/* A question: fill in what must be equal. */
fact fact_wanted(uint32_t node, uint32_t event);

/* The next fact that matches, behind last, which was found by the same question; NULL begins. */
const fact *facts_next(const facts *all, const fact *wanted, const fact *last);

/* The first that matches and was seen after another of the same node. */
const fact *facts_next_after(const facts *all, const fact *wanted, const fact *after);

bool facts_seen(const facts *all, const fact *wanted);

/* Seen on the same node before f was. */
bool facts_seen_before(const facts *all, const fact *wanted, const fact *f);

void fact_copy(char *out, size_t cap, const char *value);

#endif

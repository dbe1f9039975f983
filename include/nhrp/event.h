/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef NHRP_EVENT_H
#define NHRP_EVENT_H

/**
 * @file
 * @brief What an engine tells and asks: events, questions and the answer to a route question.
 */

#include <nhrp/base.h>
#include <nhrp/label.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Kinds of events; ignore those you do not know. */
enum {
    /** Answer ask_id by nhrp_engine_answer_route; nhrp_engine_get_question tells what is asked. */
    NHRP_EVENT_ASK_ROUTE = 1,
    /** Answer ask_id by nhrp_engine_answer_tunnel, at once or when it is up. */
    NHRP_EVENT_ASK_TUNNEL = 2,
    /** Install the mapping id, or replace it where it is known: nhrp_engine_get_mapping. */
    NHRP_EVENT_MAPPING_UP = 3,
    /** Remove the mapping id; it can still be looked up until the next call after this poll. */
    NHRP_EVENT_MAPPING_DOWN = 4,
    /** Resolution failed; mapping id rests until its expiry and the old path goes on. code: of a
        negative reply, or 0. */
    NHRP_EVENT_MAPPING_NEGATIVE = 5,
    /** The server id on link took our registration, for the first time or again after a failure. */
    NHRP_EVENT_REGISTERED = 6,
    /** The server id on link refused our registration; code says why. It is tried again. */
    NHRP_EVENT_REGISTRATION_REFUSED = 7,
    /** Our registration with the server id on link is no more: max_transmissions requests went
        unanswered, and it is tried again; or, with reason NHRP_ERR_LIMIT, better servers take it,
        and this one is on standby. */
    NHRP_EVENT_REGISTRATION_LOST = 8,
    /** link has reached its send limit, for what it sends or for what it causes; what exceeds it
        until the interval's end is dropped. */
    NHRP_EVENT_QUOTA = 9,
    /** A peer reported an error about a packet of ours: code; id is the incomplete mapping or the
        server. */
    NHRP_EVENT_ERROR_INDICATION = 10,
    /** A unique address, registered already, was asked for by another; id is the mapping. */
    NHRP_EVENT_DUPLICATE_ADDRESS = 11,
    /** The server id sees us at another NBMA address than before: translated_nbma of link. */
    NHRP_EVENT_TRANSLATED = 12
};

/** An event, 64 bytes, frozen. */
typedef struct nhrp_event {
    uint32_t kind;        /**< NHRP_EVENT_... */
    int32_t reason;       /**< An NHRP_ERR_... where one caused it; else 0. */
    uint64_t id;          /**< A mapping, a server where one is named, or 0. */
    uint64_t ask_id;      /**< A question, or 0. */
    uint32_t link;        /**< The link concerned; valid where an interface is named. */
    uint32_t interface;   /**< The interface concerned. */
    uint32_t vrf;         /**< The VRF concerned. */
    uint32_t code;        /**< A code of the wire, where the kind says so. */
    uint32_t purpose;     /**< NHRP_PURPOSE_... of a question. */
    uint8_t reserved[20]; /**< Zero. */
} nhrp_event;

/** Why a question is asked: it decides what the answer must hold. See docs/nhrp.md. */
enum {
    /**
     * A packet of ours to forward goes back into the network that it came from. Answer FORWARD,
     * with link the one that it came by, prefix the route covering source, learned from link, whose
     * route targets intersect the VRF of the labels; labels what the peer advertised for it, none
     * where the question has none; on a multipoint link next_hop. NONE where there is none or
     * several differ.
     */
    NHRP_PURPOSE_REDIRECT = 1,
    /**
     * A redirect arrived by link. Answer FORWARD, with vrf named by the labels (or the link's own),
     * prefix and labels of the route that destination takes now, which link it takes, and flags
     * SOURCE_LOCAL and RECENT where they hold. NONE where the labels name no VRF that may be
     * entered by link.
     */
    NHRP_PURPOSE_INDICATION = 2,
    /**
     * A Resolution Request arrived. The labels name a VRF (or the link's own does), or swap. Answer
     * LOCAL with vrf, the route's prefix, our labels for it and a holding time; FORWARD with the
     * link that destination takes, the labels to swap in, and the route's prefix; PROHIBITED where
     * the labels may not be used by link; NONE where there is no route.
     */
    NHRP_PURPOSE_REQUEST = 3,
    /**
     * A reply, purge or error passes through to destination, a tunnel address that no link is known
     * to lead to. Answer FORWARD with its link, or NONE.
     */
    NHRP_PURPOSE_TRANSIT = 4,
    /**
     * A valid reply offers prefix in vrf. Answer LOCAL with the widest part of it that contains
     * destination and covers no connected or static route, or NONE to refuse it.
     */
    NHRP_PURPOSE_REPLY = 5,
    /**
     * A mapping is to be renewed, or nhrp_engine_resolve was called: which way would destination
     * take without NHRP? Answer FORWARD with link, labels and prefix as for INDICATION, or NONE.
     */
    NHRP_PURPOSE_RESOLVE = 6,
    /** A tunnel to nbma, so that our reply to its Resolution Request can go over it. */
    NHRP_PURPOSE_RESPONDER = 7,
    /** A tunnel to nbma, which answered by the hub, so that its mapping can be used. */
    NHRP_PURPOSE_REQUESTER = 8
};

/** A question, by nhrp_engine_get_question. Fields that the purpose does not name are zero. */
typedef struct nhrp_question {
    uint32_t struct_size;             /**< sizeof(nhrp_question). */
    uint32_t purpose;                 /**< NHRP_PURPOSE_... */
    uint64_t mapping_id;              /**< Our mapping that waits for the answer, or 0. */
    uint64_t deadline_ms;             /**< When the default answer is taken: NONE, or no tunnel. */
    uint32_t link;                    /**< Where the packet came in; for RESOLVE, undefined. */
    uint32_t out_link;                /**< REDIRECT: where it left. */
    uint32_t interface;               /**< Of link; ASK_TUNNEL: where the tunnel belongs. */
    uint32_t vrf;                     /**< The link's own, or the one decided before. */
    uint32_t label_count;             /**< 0: the packet names no context, so vrf holds. */
    uint32_t labels[NHRP_LABELS_MAX]; /**< Labels that this node owns: the context. */
    uint32_t reserved;                /**< Zero. */
    nhrp_addr source;                 /**< REDIRECT, INDICATION: of the quoted packet; REQUEST: the
                                           requester's tunnel address. */
    nhrp_addr destination;            /**< The address that is looked for. */
    nhrp_addr prefix;                 /**< REQUEST: the widest wanted; REPLY: what is offered. */
    nhrp_addr nbma;                   /**< REQUEST, ASK_TUNNEL: the peer's NBMA address. */
    nhrp_addr protocol;               /**< ASK_TUNNEL: the peer's tunnel address. */
} nhrp_question;

/** What becomes of a destination. */
enum {
    NHRP_ROUTE_NONE = 0,    /**< There is no route; what an unanswered question counts as. */
    NHRP_ROUTE_LOCAL = 1,   /**< Out of this node other than by an NHRP link: we are the egress. */
    NHRP_ROUTE_FORWARD = 2, /**< By a link. */
    NHRP_ROUTE_PROHIBITED = 3 /**< Not for this asker. */
};

/** Flags of a route. */
enum {
    NHRP_ROUTE_SOURCE_LOCAL = 1, /**< INDICATION: source routes to a customer interface of vrf. */
    NHRP_ROUTE_RECENT = 2        /**< INDICATION: a packet went to destination recently. */
};

/** The answer to a route question. */
typedef struct nhrp_route {
    uint32_t struct_size;             /**< sizeof(nhrp_route). */
    uint32_t kind;                    /**< NHRP_ROUTE_... */
    uint32_t flags;                   /**< NHRP_ROUTE_SOURCE_LOCAL, NHRP_ROUTE_RECENT. */
    uint32_t vrf;                     /**< The VRF of the route. */
    uint32_t link;                    /**< FORWARD. */
    uint32_t holding_time_s;          /**< LOCAL; 0: the interface's. */
    uint32_t label_count;             /**< 0 to NHRP_LABELS_MAX. */
    uint32_t labels[NHRP_LABELS_MAX]; /**< LOCAL: ours; FORWARD: the next hop's own. Top first. */
    uint32_t reserved;                /**< Zero. */
    nhrp_addr prefix;                 /**< Of the route, with prefix_len. */
    nhrp_addr next_hop; /**< FORWARD by a multipoint link: the registered client that is next. */
} nhrp_route;

/** How a tunnel question ends. */
enum {
    NHRP_TUNNEL_FAILED = 0, /**< It will not come up; what an unanswered question counts as. */
    NHRP_TUNNEL_UP = 1      /**< It is up, and link is known to the engine. */
};

/**
 * @brief Zeroes a route and fills in the struct size; as it is, it answers NONE.
 * @param[out] route Written.
 * @retval NHRP_OK Done.
 * @retval NHRP_ERR_ARG route is NULL.
 */
NHRP_API nhrp_rc nhrp_route_init(nhrp_route *route);

#ifdef __cplusplus
}
#endif

#endif

/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef IKEV2_BASE_H
#define IKEV2_BASE_H

/**
 * @file
 * @brief What every function of the library shares: results, addresses, memory, version.
 *
 * The six LabelMesh libraries carry this header literally the same, but for the prefix. Its types
 * are frozen: a binding may hard-code their layout.
 */

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) || defined(__CYGWIN__)
#define IKEV2_API __declspec(dllexport)
#else
#define IKEV2_API __attribute__((visibility("default"))) /**< Part of the ABI. */
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** A result: below 0 an error, 0 done, 1 one item. Its width is part of the ABI. */
typedef int32_t ikev2_rc;

/** Results that mean the same in every LabelMesh library; -20 and below are the library's own. */
enum {
    IKEV2_YES = 1,         /**< A poll or an iterator produced an item; a timeout has more due. */
    IKEV2_OK = 0,          /**< Done; from a poll or an iterator: nothing left. */
    IKEV2_ERR_ARG = -1,    /**< An argument is NULL or out of range: mend the call. */
    IKEV2_ERR_NOMEM = -2,  /**< Out of memory; nothing changed: free some, call again. */
    IKEV2_ERR_BUFFER = -3, /**< The output buffer is too small: call again with a larger one. */
    IKEV2_ERR_LIMIT = -4,  /**< A configured limit or a full event ring: drain, or raise it. */
    IKEV2_ERR_STATE = -5,  /**< Not now: the object is in a state that does not allow it. */
    IKEV2_ERR_ABSENT = -6  /**< No such object: the id is wrong or the object has gone. */
};

/** Values of @ref ikev2_addr.family. */
enum {
    IKEV2_FAMILY_NONE = 0, /**< No address. */
    IKEV2_FAMILY_IPV4 = 4, /**< The first 4 bytes are the address, the rest are zero. */
    IKEV2_FAMILY_IPV6 = 6  /**< All 16 bytes are the address. */
};

/** An address, a prefix or an endpoint, 24 bytes without padding. */
typedef struct ikev2_addr {
    uint8_t family;     /**< IKEV2_FAMILY_... */
    uint8_t prefix_len; /**< Bits, where a prefix is meant; else 0. */
    uint16_t port;      /**< UDP or TCP port in host order, where one is meant; else 0. */
    uint32_t scope;     /**< The caller's VRF or zone; compared for equality only. */
    uint8_t bytes[16];  /**< Network order; IPv4 in the first four, the rest zero. */
} ikev2_addr;

/** A deadline that never comes. */
#define IKEV2_NEVER UINT64_MAX

/**
 * @brief Memory for an object and all it owns; the one optional callback.
 *
 * A zeroed struct means the C library's allocator. The struct is copied; @c user must stay valid
 * as long as the object.
 */
typedef struct ikev2_allocator {
    /**
     * Resizes @c ptr (NULL: allocates) to @c size bytes, as realloc does; size 0 frees and returns
     * NULL. It must return memory aligned for any object, and NULL where there is none.
     */
    void *(*resize)(void *user, void *ptr, size_t size);
    void *user; /**< Handed to every call. */
} ikev2_allocator;

/** Version of the headers: major breaks the ABI, minor appends, patch mends. */
enum { IKEV2_VERSION_MAJOR = 0, IKEV2_VERSION_MINOR = 1, IKEV2_VERSION_PATCH = 0 };

/**
 * @brief Version of the library that is loaded.
 * @return major << 16 | minor << 8 | patch; compare it with the constants compiled in.
 */
IKEV2_API uint32_t ikev2_version(void);

/**
 * @brief Name of a result, such as "IKEV2_ERR_NOMEM".
 * @param rc Any value.
 * @return A static string; "IKEV2_UNKNOWN" for a value that no version of this library returns.
 */
IKEV2_API const char *ikev2_rc_name(ikev2_rc rc);

#ifdef __cplusplus
}
#endif

#endif

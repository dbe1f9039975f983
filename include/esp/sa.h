/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ESP_SA_H
#define ESP_SA_H

/**
 * @file
 * @brief One ESP security association, in one direction (RFC 4303).
 *
 *     |<- 4 ->|<-- 4 -->|<- 8 ->|<----- len ----->|<- 0..3 ->|<- 1 ->|<-- 1 -->|<- 16 ->|
 *     |  SPI  | seq low |  IV   | payload         | padding  | padlen| next hdr|  ICV   |
 *     |------- AAD -----|       |------------------ encrypted -----------------|
 *     ^ out                     ^ out + ESP_HEADER_BYTES
 *
 * That is an AEAD. With AES-CBC the IV has 16 bytes and padding aligns to 16, with NULL encryption
 * there is no IV; the ICV has 16, 24 or 32 bytes and covers all before it. @ref esp_sa_info tells.
 *
 * There is no clock in here: lifetimes in seconds belong to the key exchange.
 *
 * Threads: an outbound SA may be sealed on by several threads at once, each with a worker number of
 * its own; an inbound SA by one at a time. @ref esp_sa_get_counters may run beside them. Nothing
 * else may run beside @ref esp_sa_free.
 */

#include <esp/base.h>
#include <esp/result.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Sizes on the wire. */
enum {
    ESP_HEADER_BYTES = 16,   /**< SPI, sequence number and IV of an AEAD: the headroom it needs. */
    ESP_HEADER_MAX = 24,     /**< The headroom that does for every algorithm. */
    ESP_TRAILER_MAX = 49,    /**< Padding, its length, next header, ICV: tailroom for all. */
    ESP_ICV_BYTES = 16,      /**< The integrity check value of an AEAD (RFC 4106 6, RFC 7634 2). */
    ESP_PACKET_MIN = 36,     /**< Of an AEAD: header, two of padding, two of trailer, ICV. */
    ESP_PACKET_MAX = 65535,  /**< No IP packet carries more. */
    ESP_PAYLOAD_MAX = 65498, /**< The longest payload whose sealed packet is that short, with an
                                  AEAD; others have @ref esp_sa_info.payload_max. */
    ESP_KEYMAT_MAX = 96,     /**< The longest key material: 32 bytes for AES, 64 for HMAC. */
    ESP_SPI_MIN = 256,       /**< SPIs 0 to 255 are reserved (RFC 4303 2.1). */
    ESP_WORKERS_MAX = 256,   /**< Ceiling of @ref esp_sa_config.workers. */
    ESP_REPLAY_WINDOW_MAX = 4096 /**< Ceiling of @ref esp_sa_config.replay_window. */
};

/** Values of @ref esp_sa_config.direction. */
enum {
    ESP_DIRECTION_OUT = 1, /**< For sealing. */
    ESP_DIRECTION_IN = 2   /**< For opening. */
};

/** Values of @ref esp_sa_config.mode. */
enum {
    ESP_MODE_TRANSPORT = 1, /**< The payload is of any protocol; so GRE goes here. */
    ESP_MODE_TUNNEL = 2     /**< The payload is a whole IP packet: next header 4 or 41. */
};

/** Values of @ref esp_sa_config.algorithm; not the identifiers of IKE. */
enum {
    ESP_ALGORITHM_AES128_GCM16 = 1,      /**< RFC 4106; 20 bytes of key material. */
    ESP_ALGORITHM_AES256_GCM16 = 2,      /**< RFC 4106; 36 bytes. */
    ESP_ALGORITHM_CHACHA20_POLY1305 = 3, /**< RFC 7634; 36 bytes. */
    ESP_ALGORITHM_AES128_CBC = 4,        /**< RFC 3602; 16 bytes, then those of the integrity. */
    ESP_ALGORITHM_AES256_CBC = 5,        /**< RFC 3602; 32 bytes, then those of the integrity. */
    ESP_ALGORITHM_NULL = 6               /**< RFC 2410: no encryption; those of the integrity. */
};

/** Values of @ref esp_sa_config.integrity (RFC 4868). */
enum {
    ESP_INTEGRITY_NONE = 0,              /**< With an AEAD, and with nothing else. */
    ESP_INTEGRITY_HMAC_SHA2_256_128 = 1, /**< 32 bytes of key, ICV of 16. */
    ESP_INTEGRITY_HMAC_SHA2_384_192 = 2, /**< 48 bytes of key, ICV of 24. */
    ESP_INTEGRITY_HMAC_SHA2_512_256 = 3  /**< 64 bytes of key, ICV of 32. */
};

/** Next headers with a meaning to ESP itself (IANA protocol numbers). */
enum {
    ESP_NEXT_IPV4 = 4,  /**< An IPv4 packet. */
    ESP_NEXT_IPV6 = 41, /**< An IPv6 packet. */
    ESP_NEXT_GRE = 47,  /**< GRE. */
    ESP_NEXT_NONE = 59  /**< A dummy packet, which the receiver drops (RFC 4303 2.6). */
};

/** Bits of @ref esp_span.flags and @ref esp_opened.flags. */
enum {
    ESP_LIMIT_SOFT = 1 /**< A soft limit is reached: rekey. On this packet and all that follow. */
};

/** An SA: keys, sequence numbers, replay window, counters. */
typedef struct esp_sa esp_sa;

/** What an SA is made from; fill it with @ref esp_sa_config_init first. It may grow. */
typedef struct esp_sa_config {
    uint32_t struct_size; /**< Set by @ref esp_sa_config_init. */
    uint32_t spi;         /**< ESP_SPI_MIN or more; the receiver's choice. */
    uint8_t direction;    /**< ESP_DIRECTION_...; no default. */
    uint8_t mode;         /**< ESP_MODE_...; default: transport. */
    uint8_t algorithm;    /**< ESP_ALGORITHM_...; no default. */
    uint8_t esn;          /**< 1: extended sequence numbers (RFC 4303 2.2.1), as negotiated. */
    uint32_t
        replay_window;     /**< In packets: 32, or a multiple of 64 up to ESP_REPLAY_WINDOW_MAX;
                                0 turns it off, which an inbound SA with ESN cannot. Default 1024. */
    uint32_t workers;      /**< Worker numbers are below this. Default 1. */
    uint8_t integrity;     /**< ESP_INTEGRITY_...; default: none. */
    uint8_t reserved[3];   /**< Zero. */
    const uint8_t *keymat; /**< The key, then the salt or the key of the integrity, as IKE derives
                                them (RFC 4106 8.1, RFC 7634 2, RFC 7296 2.17). Read by @ref
                                esp_sa_new only: wipe it then. */
    size_t keymat_len;     /**< Exactly what the algorithm needs. */
    /**
     * 0 for a new SA. To take an SA over from another process: a number not below any that was
     * sealed, or accepted, with this key there. One that is too low breaks the cipher.
     */
    uint64_t last_sequence;
    /**
     * Packets after which ESP_LIMIT_SOFT is set. 0: fifteen sixteenths of what may be sealed at
     * all, be it by @ref hard_packets or by sequence numbers; inbound by @ref hard_packets only.
     */
    uint64_t soft_packets;
    uint64_t hard_packets;   /**< After this many the SA is expired; 0: no limit. Outbound it counts
                                  sequence numbers, so those before @ref last_sequence too. */
    uint64_t soft_bytes;     /**< Bytes enciphered (payload, padding and two) until ESP_LIMIT_SOFT;
                                  0: fifteen sixteenths of @ref hard_bytes. */
    uint64_t hard_bytes;     /**< After this many bytes the SA is expired; 0: no limit. */
    esp_allocator allocator; /**< Zeroed: the C library's. The cipher library has its own. */
} esp_sa_config;

/** A sealed packet, 24 bytes, frozen. */
typedef struct esp_span {
    uint32_t offset;   /**< Of the ESP packet from @c out; 0 in this version. */
    uint32_t len;      /**< Of the ESP packet. */
    uint64_t sequence; /**< Its sequence number, all 64 bits with ESN. */
    uint32_t flags;    /**< ESP_LIMIT_SOFT or 0. */
    esp_rc result;     /**< What sealing it alone would return; the rest is zero unless ESP_OK. */
} esp_span;

/** An opened packet, 32 bytes, frozen. */
typedef struct esp_opened {
    uint32_t offset;     /**< Of the payload from @c buf. */
    uint32_t len;        /**< Of the payload; may be 0. */
    uint64_t sequence;   /**< Its sequence number, all 64 bits with ESN. */
    uint32_t flags;      /**< ESP_LIMIT_SOFT or 0. */
    esp_rc result;       /**< What opening it alone would return; the rest is zero unless ESP_OK. */
    uint8_t next_header; /**< The payload's protocol. */
    uint8_t reserved[7]; /**< Zero. */
} esp_opened;

/** What an SA is, for show commands; the caller sets struct_size. It may grow. */
typedef struct esp_sa_info {
    uint32_t struct_size;   /**< sizeof(esp_sa_info), set by the caller. */
    uint32_t spi;           /**< As configured. */
    uint8_t direction;      /**< ESP_DIRECTION_... */
    uint8_t mode;           /**< ESP_MODE_... */
    uint8_t algorithm;      /**< ESP_ALGORITHM_... */
    uint8_t esn;            /**< 0 or 1. */
    uint32_t replay_window; /**< In packets; 0: off, or outbound. */
    uint32_t workers;       /**< As configured. */
    uint32_t reserved;      /**< Zero. */
    uint64_t soft_packets;  /**< In force; UINT64_MAX: none. */
    uint64_t hard_packets;  /**< In force, the sequence space included; UINT64_MAX: none. */
    uint64_t soft_bytes;    /**< In force; UINT64_MAX: none. */
    uint64_t hard_bytes;    /**< In force; UINT64_MAX: none. */
    uint8_t integrity;      /**< ESP_INTEGRITY_... */
    uint8_t header_len;     /**< From the SPI to the payload: headroom for sealing in place. */
    uint8_t icv_len;        /**< Of the integrity check value. */
    uint8_t alignment;      /**< Payload, padding and trailer are a multiple of it. */
    uint32_t payload_max;   /**< The longest payload. */
} esp_sa_info;

/** What an SA has done since it was made; the caller sets struct_size. It may grow. */
typedef struct esp_sa_counters {
    uint32_t struct_size; /**< sizeof(esp_sa_counters), set by the caller. */
    uint32_t reserved;    /**< Zero. */
    uint64_t packets;     /**< Sealed, or opened with ESP_OK or ESP_ERR_DUMMY. */
    uint64_t bytes;       /**< In them: payload, padding and two bytes each. */
    uint64_t sequence;    /**< The highest sequence number reserved, or accepted. */
    uint64_t truncated;   /**< ESP_ERR_TRUNCATED. */
    uint64_t align;       /**< ESP_ERR_ALIGN. */
    uint64_t spi;         /**< ESP_ERR_SPI. */
    uint64_t replay;      /**< ESP_ERR_REPLAY. */
    uint64_t auth;        /**< ESP_ERR_AUTH. */
    uint64_t padding;     /**< ESP_ERR_PADDING. */
    uint64_t next_header; /**< ESP_ERR_NEXT_HEADER. */
    uint64_t dummy;       /**< ESP_ERR_DUMMY. */
    uint64_t expired;     /**< ESP_ERR_EXPIRED. */
    uint64_t exhausted;   /**< ESP_ERR_SEQUENCE. */
    uint64_t buffer;      /**< ESP_ERR_BUFFER. */
    uint64_t too_long;    /**< ESP_ERR_LIMIT. */
    uint64_t crypto;      /**< ESP_ERR_CRYPTO. */
} esp_sa_counters;

/**
 * @brief Fills a configuration with the defaults and everything else with zero.
 * @param[out] cfg NULL is ignored.
 */
ESP_API void esp_sa_config_init(esp_sa_config *cfg);

/**
 * @brief Makes an SA, with a cipher context per worker.
 * @param[in] cfg Copied, key material included; it may be wiped after the call.
 * @param[out] out The SA, to be freed with @ref esp_sa_free.
 * @retval ESP_OK
 * @retval ESP_ERR_ARG A NULL, or a value that the field's comment rules out.
 * @retval ESP_ERR_NOMEM Nothing was made.
 * @retval ESP_ERR_CRYPTO The cipher library does not have the algorithm (propose another), or no
 *         memory of its own for it.
 */
ESP_API esp_rc esp_sa_new(const esp_sa_config *cfg, esp_sa **out);

/**
 * @brief Frees an SA and wipes its keys. Take it out of every table first.
 * @param sa NULL is ignored.
 */
ESP_API void esp_sa_free(esp_sa *sa);

/**
 * @brief Turns a payload into an ESP packet (RFC 4303 3.3).
 *
 * The ESP packet begins at @p out. For sealing in place the payload already lies where it belongs:
 * @p in == @p out + @ref esp_sa_info.header_len (an AEAD's is ESP_HEADER_BYTES), and no pass is
 * made over it but the cipher's. Otherwise the payload must not overlap the @p cap bytes at @p out.
 *
 * The IV is the sequence number, with AES-CBC enciphered (NIST SP 800-38A, appendix C), and no
 * number is used twice: a failure after it was reserved leaves a gap. In tunnel mode bytes behind
 * the inner packet are traffic flow padding (RFC 4303 2.7), where the peer agreed to it, and the
 * outer header is the caller's (esp_outer_encode in packet.h).
 *
 * @param sa Outbound.
 * @param worker Below @ref esp_sa_config.workers; no two threads at once with the same.
 * @param[out] out Written from the start; with an error its content is unspecified.
 * @param cap Bytes at @p out; @ref esp_sa_get_sealed_len tells how many are needed.
 * @param[in] in The payload; NULL only where @p len is 0.
 * @param len At most @ref esp_sa_info.payload_max.
 * @param next_header The payload's protocol; ESP_NEXT_NONE makes a dummy packet.
 * @param[out] span Written on success.
 * @retval ESP_OK
 * @retval ESP_ERR_ARG A NULL, a wrong worker, an overlap, or in tunnel mode another next header
 *         than 4, 41 and 59.
 * @retval ESP_ERR_STATE The SA is inbound.
 * @retval ESP_ERR_LIMIT The payload is too long; fragment it.
 * @retval ESP_ERR_BUFFER @p cap is too small; nothing was written, no number taken.
 * @retval ESP_ERR_EXPIRED A hard limit is reached; use the SA's successor.
 * @retval ESP_ERR_SEQUENCE Sequence numbers are used up; use the SA's successor (RFC 4303 3.3.3).
 * @retval ESP_ERR_CRYPTO The cipher failed; do not send what is in @p out.
 */
ESP_API esp_rc esp_sa_seal(esp_sa *sa, uint32_t worker, uint8_t *out, size_t cap, const uint8_t *in,
                           size_t len, uint8_t next_header, esp_span *span);

/**
 * @brief Verifies and decrypts an ESP packet in place (RFC 4303 3.4).
 *
 * The replay window moves only when the packet is authentic and well-formed: with ESP_OK and
 * ESP_ERR_DUMMY. After an error the bytes at @p buf are unspecified; the packet is to be dropped.
 *
 * In tunnel mode the payload ends where the inner IP header says, so that traffic flow padding is
 * left out (RFC 4303 2.7); nothing else of the inner packet is looked at.
 *
 * @param sa Inbound.
 * @param worker Below @ref esp_sa_config.workers. One thread at a time, whatever the worker.
 * @param[in,out] buf From the SPI to the end of the ICV, without IP or UDP header.
 * @param len Bytes at @p buf: all of them are the packet.
 * @param[out] opened Where the payload lies within @p buf; written on success.
 * @retval ESP_OK
 * @retval ESP_ERR_ARG A NULL or a wrong worker.
 * @retval ESP_ERR_STATE The SA is outbound.
 * @retval ESP_ERR_LIMIT Longer than ESP_PACKET_MAX. As all below: drop the packet.
 * @retval ESP_ERR_TRUNCATED Shorter than an empty payload makes it (ESP_PACKET_MIN).
 * @retval ESP_ERR_ALIGN The ciphertext does not end on a boundary of four bytes (RFC 4303 2.4),
 *         or of a cipher block.
 * @retval ESP_ERR_SPI The SPI is not this SA's.
 * @retval ESP_ERR_EXPIRED A hard limit is reached.
 * @retval ESP_ERR_REPLAY The sequence number was seen, is too old, or is 0 (RFC 4303 3.4.3); never
 *         where @ref esp_sa_config.replay_window is 0.
 * @retval ESP_ERR_AUTH The ICV is wrong.
 * @retval ESP_ERR_PADDING Authentic, but with wrong padding.
 * @retval ESP_ERR_NEXT_HEADER Authentic, but not for this mode.
 * @retval ESP_ERR_DUMMY Authentic and without content; drop it without a log (RFC 4303 2.6).
 * @retval ESP_ERR_CRYPTO The cipher failed.
 */
ESP_API esp_rc esp_sa_open(esp_sa *sa, uint32_t worker, uint8_t *buf, size_t len,
                           esp_opened *opened);

/**
 * @brief Tells how long a payload will be when sealed.
 * @param[in] sa The SA.
 * @param len Of the payload.
 * @param[out] sealed_len Of the ESP packet, from SPI to ICV.
 * @retval ESP_OK
 * @retval ESP_ERR_ARG A NULL.
 * @retval ESP_ERR_LIMIT Longer than @ref esp_sa_info.payload_max.
 */
ESP_API esp_rc esp_sa_get_sealed_len(const esp_sa *sa, size_t len, size_t *sealed_len);

/**
 * @brief Tells the longest payload whose ESP packet fits in so many bytes: for an MTU.
 * @param[in] sa The SA.
 * @param room Bytes for the ESP packet: the path's MTU less the IP header, and less 8 for UDP.
 * @param[out] len Of the payload.
 * @retval ESP_OK
 * @retval ESP_ERR_ARG A NULL.
 * @retval ESP_ERR_BUFFER Not even an empty payload fits (ESP_PACKET_MIN).
 */
ESP_API esp_rc esp_sa_get_payload_max(const esp_sa *sa, size_t room, size_t *len);

/**
 * @brief Tells what an SA is.
 * @param[in] sa The SA.
 * @param[in,out] info With struct_size set.
 * @retval ESP_OK
 * @retval ESP_ERR_ARG A NULL or a struct_size that no version had.
 */
ESP_API esp_rc esp_sa_get_info(const esp_sa *sa, esp_sa_info *info);

/**
 * @brief Sums up the counters of all workers. They never go back, and none is ever reset.
 * @param[in] sa The SA.
 * @param[in,out] counters With struct_size set.
 * @retval ESP_OK
 * @retval ESP_ERR_ARG A NULL or a struct_size that no version had.
 */
ESP_API esp_rc esp_sa_get_counters(const esp_sa *sa, esp_sa_counters *counters);

#ifdef __cplusplus
}
#endif

#endif

/*
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef IKEV2_ASK_H
#define IKEV2_ASK_H

/**
 * @file
 * @brief Questions about signatures and certificates.
 *
 * A key that signs need not be in the process, and trust may be judged elsewhere: then the engine
 * asks. Each question must be answered within @ref ikev2_config.ask_ms, else the peer is refused;
 * an IKE SA has at most one open. The peer's repeats do not ask again.
 * A NULL that the comment does not allow, and a struct_size that no version had, is IKEV2_ERR_ARG.
 */

#include <ikev2/engine.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What IKEV2_EVENT_ASK_SIGN wants signed. */
typedef struct ikev2_sign_question {
    uint32_t struct_size;  /**< sizeof(ikev2_sign_question). */
    uint16_t scheme;       /**< IKEV2_SIGNATURE_... */
    uint16_t reserved;     /**< 0. */
    uint64_t sa_id;        /**< The IKE SA. */
    const uint8_t *octets; /**< What to sign, not hashed (RFC 7296 2.15); a view. */
    size_t octets_len;     /**< Their number. */
} ikev2_sign_question;

/** Whom IKEV2_EVENT_ASK_CERT is about. It has signed already with the key of its certificate. */
typedef struct ikev2_cert_question {
    uint32_t struct_size;      /**< sizeof(ikev2_cert_question). */
    uint32_t reserved;         /**< 0. */
    uint64_t sa_id;            /**< The IKE SA. */
    ikev2_identity peer_id;    /**< What it claims to be; a view. */
    const uint8_t *public_key; /**< Of its certificate, SubjectPublicKeyInfo; a view. */
    size_t public_key_len;     /**< Its length; 0: it sent no certificate. */
    const ikev2_der *chain;    /**< What it sent, its own first; views. Fetch nothing that they
                                    point at before the chain is verified. */
    size_t chain_count;        /**< Their number. */
} ikev2_cert_question;

/**
 * An answer about a peer: its public key, which the caller has verified to belong to the identity;
 * or anchors and lists by which the engine shall judge chain and identity. Nothing is kept.
 */
typedef struct ikev2_verdict {
    uint32_t struct_size;      /**< sizeof(ikev2_verdict). */
    uint32_t reserved;         /**< 0. */
    uint64_t unix_time_s;      /**< Wall time, in seconds since 1970; not used with a public key. */
    const uint8_t *public_key; /**< SubjectPublicKeyInfo that the peer must have. */
    size_t public_key_len;     /**< Its length; 0: the chain is judged. */
    const ikev2_der *anchors;  /**< As @ref ikev2_credentials.anchors. */
    size_t anchor_count;       /**< Their number. */
    const ikev2_der *crls;     /**< As @ref ikev2_credentials.crls. */
    size_t crl_count;          /**< Their number. */
} ikev2_verdict;

/**
 * @brief Tells the wall time, by which certificates are judged from now on.
 * @param e the engine.
 * @param now_ms the time.
 * @param unix_time_s seconds since 1970; 0: not known any more.
 * @retval IKEV2_ERR_ARG @p e is NULL.
 */
IKEV2_API ikev2_rc ikev2_engine_set_unix_time(ikev2_engine *e, uint64_t now_ms,
                                              uint64_t unix_time_s);

/**
 * @brief Shows what is to be signed. Views live until the next non-const call.
 * @param e the engine.
 * @param ask_id of IKEV2_EVENT_ASK_SIGN.
 * @param out with struct_size set.
 * @retval IKEV2_ERR_ABSENT no such question, or no more.
 */
IKEV2_API ikev2_rc ikev2_engine_get_sign_question(const ikev2_engine *e, uint64_t ask_id,
                                                  ikev2_sign_question *out);

/**
 * @brief Shows who is to be judged. Views live until the next non-const call.
 * @param e the engine.
 * @param ask_id of IKEV2_EVENT_ASK_CERT.
 * @param out with struct_size set.
 * @retval IKEV2_ERR_ABSENT no such question, or no more.
 */
IKEV2_API ikev2_rc ikev2_engine_get_cert_question(const ikev2_engine *e, uint64_t ask_id,
                                                  ikev2_cert_question *out);

/**
 * @brief Answers IKEV2_EVENT_ASK_SIGN.
 * @param e the engine.
 * @param now_ms the time.
 * @param ask_id the question.
 * @param signature by the wanted scheme, copied; NULL: there is none, the peer is refused.
 * @param signature_len its length.
 * @retval IKEV2_ERR_ABSENT answered already, or too late.
 * @retval IKEV2_ERR_KEY our certificate's key does not verify it; the question stays.
 * @retval IKEV2_ERR_NOMEM the question stays: answer again.
 */
IKEV2_API ikev2_rc ikev2_engine_answer_sign(ikev2_engine *e, uint64_t now_ms, uint64_t ask_id,
                                            const uint8_t *signature, size_t signature_len);

/**
 * @brief Answers IKEV2_EVENT_ASK_CERT.
 * @param e the engine.
 * @param now_ms the time.
 * @param ask_id the question.
 * @param verdict what the peer is judged by; NULL: the peer is refused.
 * @retval IKEV2_OK taken; an event tells what it led to.
 * @retval IKEV2_ERR_ARG also: a public key, anchor or list that is none, or no time for anchors;
 * the question stays.
 * @retval IKEV2_ERR_ABSENT answered already, or too late.
 * @retval IKEV2_ERR_NOMEM the question stays: answer again.
 */
IKEV2_API ikev2_rc ikev2_engine_answer_cert(ikev2_engine *e, uint64_t now_ms, uint64_t ask_id,
                                            const ikev2_verdict *verdict);

#ifdef __cplusplus
}
#endif

#endif

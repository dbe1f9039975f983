/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Questions to the caller: shown, answered, and what follows. The exchange waits in one of the
 * states KEYED (initiator, before its IKE_AUTH), JUDGING (initiator, after it) and ASKING
 * (responder).
 */
#include "engine.h"

/* The one open question of an SA, if it is of that kind. */
ikev2__sa *ikev2__asked(const ikev2_engine *e, uint64_t ask_id, uint16_t kind)
{
    ikev2__sa *sa = ikev2__sa_by_ask(e, ask_id);
    return sa && sa->ask_kind == kind ? sa : NULL;
}

uint16_t ikev2__reason_unanswered(uint16_t kind)
{
    switch (kind) {
    case IKEV2_EVENT_ASK_PEER:
        return IKEV2_REASON_IDENTITY;
    case IKEV2_EVENT_ASK_SIGN:
        return IKEV2_REASON_NOT_SIGNED;
    case IKEV2_EVENT_ASK_CERT:
        return IKEV2_REASON_CERT_REFUSED;
    default:
        return IKEV2_REASON_NO_KEY;
    }
}

ikev2_rc ikev2__ask_resume(ikev2__sa *sa)
{
    const uint64_t ask_id = sa->ask_id;
    ikev2__sa_set_ask(sa, 0);
    if (sa->state == IKEV2__STATE_KEYED) {
        ikev2__sa_pump(sa);
        return IKEV2_OK;
    }
    const ikev2_rc rc = ikev2__auth_resume(sa);
    if (rc < 0 && (sa->state == IKEV2__STATE_ASKING || sa->state == IKEV2__STATE_JUDGING))
        ikev2__sa_set_ask(sa, ask_id);
    else
        ikev2__sa_pump(sa);
    return rc;
}

void ikev2__ask_refuse(ikev2__sa *sa, uint16_t reason, uint32_t detail)
{
    ikev2__sa_set_ask(sa, 0);
    if (sa->state == IKEV2__STATE_ASKING) {
        ikev2__auth_refuse(sa, reason, detail);
    } else if (sa->state == IKEV2__STATE_JUDGING) {
        ikev2__auth_disown(sa, reason, detail);
    } else {
        ikev2__refused(sa, NULL, reason, detail);
        ikev2__sa_close(sa, reason);
    }
}

ikev2_rc ikev2_engine_set_unix_time(ikev2_engine *e, uint64_t now_ms, uint64_t unix_time_s)
{
    if (!e)
        return IKEV2_ERR_ARG;
    (void)ikev2__enter(e, now_ms, false);
    e->unix_time_s = unix_time_s;
    e->unix_time_ms = e->now_ms;
    return IKEV2_OK;
}

ikev2_rc ikev2_engine_get_sign_question(const ikev2_engine *e, uint64_t ask_id,
                                        ikev2_sign_question *out)
{
    if (!e || !out)
        return IKEV2_ERR_ARG;
    const ikev2__sa *sa = ikev2__asked(e, ask_id, IKEV2_EVENT_ASK_SIGN);
    if (!sa)
        return IKEV2_ERR_ABSENT;
    const ikev2_sign_question q = {.struct_size = sizeof(q),
                                   .scheme = sa->hs->scheme,
                                   .sa_id = sa->id,
                                   .octets = sa->hs->octets.bytes,
                                   .octets_len = sa->hs->octets.len};
    return versioned_write(out, &q, sizeof(q), sizeof(q)) ? IKEV2_OK : IKEV2_ERR_ARG;
}

ikev2_rc ikev2_engine_get_cert_question(const ikev2_engine *e, uint64_t ask_id,
                                        ikev2_cert_question *out)
{
    if (!e || !out)
        return IKEV2_ERR_ARG;
    const ikev2__sa *sa = ikev2__asked(e, ask_id, IKEV2_EVENT_ASK_CERT);
    if (!sa)
        return IKEV2_ERR_ABSENT;
    const ikev2__shown *shown = sa->hs->shown;
    ikev2_cert_question q = {
        .struct_size = sizeof(q), .sa_id = sa->id, .peer_id = sa->ctx->peer_id};
    if (shown->count > 0) {
        q.public_key = shown->key.spki;
        q.public_key_len = shown->key.len;
        q.chain = shown->chain;
        q.chain_count = shown->count;
    }
    return versioned_write(out, &q, sizeof(q), sizeof(q)) ? IKEV2_OK : IKEV2_ERR_ARG;
}

/* A wrong signature would only be refused by the peer: its maker is told, and may try again. */
static bool own_signature_ok(const ikev2__sa *sa, const uint8_t *signature, size_t len)
{
    const ikev2__handshake *hs = sa->hs;
    const ikev2_der octets = {hs->octets.bytes, hs->octets.len};
    ikev2__public_key pub;
    return len <= IKEV2__MAX_SIGNATURE &&
           ikev2__cert_key(&sa->ctx->peer->pub.credentials->chain[0], &pub) == 0 &&
           ikev2__signature_ok(hs->scheme, &pub, &octets, signature, len);
}

ikev2_rc ikev2_engine_answer_sign(ikev2_engine *e, uint64_t now_ms, uint64_t ask_id,
                                  const uint8_t *signature, size_t signature_len)
{
    if (!e || (signature && signature_len == 0) || (!signature && signature_len > 0))
        return IKEV2_ERR_ARG;
    const ikev2_rc rc = ikev2__enter(e, now_ms, true);
    if (rc < 0)
        return rc;
    ikev2__sa *sa = ikev2__asked(e, ask_id, IKEV2_EVENT_ASK_SIGN);
    if (!sa)
        return IKEV2_ERR_ABSENT;
    if (!signature) {
        ikev2__ask_refuse(sa, IKEV2_REASON_NOT_SIGNED, 0);
        return IKEV2_OK;
    }
    if (!own_signature_ok(sa, signature, signature_len))
        return IKEV2_ERR_KEY;
    uint8_t *copy = alloc_zero(&e->mem, signature_len);
    if (!copy)
        return IKEV2_ERR_NOMEM;
    memcpy(copy, signature, signature_len);
    alloc_free(&e->mem, sa->hs->signature.bytes);
    sa->hs->signature = (ikev2__bytes){copy, signature_len};
    return ikev2__ask_resume(sa);
}

/* The caller has judged: whoever has that key is the peer. */
static ikev2_rc expect_key(ikev2__sa *sa, const ikev2__public_key *key)
{
    ikev2__handshake *hs = sa->hs;
    if (!hs->expected)
        hs->expected = alloc_zero(&sa->e->mem, sizeof(*hs->expected));
    if (!hs->expected)
        return IKEV2_ERR_NOMEM;
    *hs->expected = *key;
    return ikev2__ask_resume(sa);
}

static ikev2_rc judge_chain(ikev2__sa *sa, const ikev2_verdict *trust)
{
    const ikev2__shown *shown = sa->hs->shown;
    uint32_t detail = 0;
    uint16_t reason = ikev2__chain_check(shown->chain, shown->count, trust, &detail);
    if (reason == 0)
        reason = ikev2__cert_identity(&shown->chain[0], &sa->ctx->peer_id);
    if (reason != 0) {
        ikev2__ask_refuse(sa, reason, detail);
        return IKEV2_OK;
    }
    sa->hs->peer_trusted = true;
    return ikev2__ask_resume(sa);
}

ikev2_rc ikev2_engine_answer_cert(ikev2_engine *e, uint64_t now_ms, uint64_t ask_id,
                                  const ikev2_verdict *verdict)
{
    ikev2_verdict v = {0};
    ikev2__public_key key;
    if (!e || (verdict && !versioned_read(&v, sizeof(v), sizeof(v), verdict)))
        return IKEV2_ERR_ARG;
    const ikev2_rc rc = ikev2__enter(e, now_ms, true);
    if (rc < 0)
        return rc;
    ikev2__sa *sa = ikev2__asked(e, ask_id, IKEV2_EVENT_ASK_CERT);
    if (!sa)
        return IKEV2_ERR_ABSENT;
    if (!verdict) {
        ikev2__ask_refuse(sa, IKEV2_REASON_CERT_REFUSED, 0);
        return IKEV2_OK;
    }
    if (v.public_key_len > 0) {
        if (!v.public_key || !ikev2__public_key_read(v.public_key, v.public_key_len, &key))
            return IKEV2_ERR_ARG;
        return expect_key(sa, &key);
    }
    if (v.anchor_count == 0 || v.unix_time_s == 0 ||
        !ikev2__trust_ok(v.anchors, v.anchor_count, v.crls, v.crl_count))
        return IKEV2_ERR_ARG;
    return judge_chain(sa, &v);
}

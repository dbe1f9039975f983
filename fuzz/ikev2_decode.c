/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every decoder over the same bytes: a whole message, then each payload.
 */
#include <ikev2/ikev2.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void payload(const ikev2_payload *p)
{
    ikev2_proposal proposal;
    ikev2_transform transform;
    ikev2_selector selector;
    ikev2_tagged tagged;
    ikev2_tagged attribute;
    ikev2_identity id;
    ikev2_notify notify;
    ikev2_delete del;
    ikev2_fragment fragment;
    size_t it = 0;
    while (ikev2_proposal_next(p->body, p->len, &it, &proposal) == IKEV2_YES)
        for (size_t at = 0; ikev2_transform_next(&proposal, &at, &transform) == IKEV2_YES;)
            ;
    it = 0;
    while (ikev2_selector_next(p->body, p->len, &it, &selector) == IKEV2_YES)
        ;
    (void)ikev2_ke_decode(p->body, p->len, &tagged);
    (void)ikev2_auth_decode(p->body, p->len, &tagged);
    (void)ikev2_id_decode(p->body, p->len, &id);
    (void)ikev2_notify_decode(p->body, p->len, &notify);
    (void)ikev2_delete_decode(p->body, p->len, &del);
    (void)ikev2_fragment_decode(p->body, p->len, &fragment);
    it = 0;
    if (ikev2_cp_decode(p->body, p->len, &tagged) == IKEV2_OK)
        while (ikev2_attribute_next(&tagged, &it, &attribute) == IKEV2_YES)
            ;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ikev2_header h;
    ikev2_chain chain;
    ikev2_payload p;
    /* Whatever its header says of the length: the payloads are what is of interest. */
    if (size == 0 || ikev2_header_decode(data, size, &h) == IKEV2_ERR_TRUNCATED)
        return 0;
    (void)ikev2_chain_begin(data + IKEV2_HEADER_BYTES, size - IKEV2_HEADER_BYTES, data[16], &chain);
    while (ikev2_chain_next(&chain, &p) == IKEV2_YES)
        payload(&p);
    p = (ikev2_payload){.body = data, .len = size};
    payload(&p);
    return 0;
}

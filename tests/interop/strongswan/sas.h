/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The Child SAs of one tunnel as libesp's SAs: fed by libikev2's events, used packet by packet.
 */
#ifndef STRONGSWAN_SAS_H
#define STRONGSWAN_SAS_H

#include <esp/esp.h>
#include <ikev2/ikev2.h>

enum { SAS_MAX = 64 /* Children over the whole run, old ones included. */ };

/* A Child SA. */
typedef struct child {
    uint64_t id;        /* 0: a free slot. */
    uint64_t retire_ms; /* When the inbound SA goes too; 0: it is in use. */
    uint32_t spi_in;
    uint32_t spi_out;
    ikev2_path path;
    esp_sa *in;
    esp_sa *out;
    uint8_t limit_told;
} child;

typedef struct sas {
    esp_table *table;      /* Inbound SAs by SPI; the cookie is the slot. */
    child *sending;        /* Whose outbound SA is used; NULL: none. */
    uint64_t soft_packets; /* Of outbound SAs; 0: libesp's default. */
    child slots[SAS_MAX];
} sas;

/* All of these end the program where the libraries refuse what they must not. */
void sas_init(sas *s, uint64_t soft_packets);
void sas_free(sas *s);

/* CHILD_IN, CHILD_OUT, CHILD_REMOVE, PATH_CHANGED. */
void sas_install_in(sas *s, const ikev2_engine *e, uint64_t child_id);
void sas_install_out(sas *s, const ikev2_engine *e, uint64_t child_id);
void sas_remove(sas *s, uint64_t now_ms, uint64_t child_id);
void sas_follow_path(sas *s, const ikev2_engine *e);

/* Frees what was removed a while ago; returns when to call again, or IKEV2_NEVER. */
uint64_t sas_retire(sas *s, uint64_t now_ms);

#endif

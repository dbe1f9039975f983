/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Several threads seal on one SA, each as a worker of its own.
 */
#include "esp_test.h"

#include <pthread.h>
#include <stdlib.h>

#define WORKERS 4u
#define MANY    20000u /* packets of each worker */
#define FEW     100u

typedef struct job {
    esp_sa *sa;
    pthread_barrier_t *start;
    uint8_t *used; /* by sequence number; each is one thread's alone, or the test fails */
    uint32_t worker;
    uint32_t wanted;
    uint64_t sealed;
    uint64_t refused;
    uint64_t repeated;
    bool disordered;
} job;

static void note(job *j, esp_rc rc, const esp_span *span, uint64_t *last)
{
    if (rc == ESP_OK) {
        if (span->sequence <= *last)
            j->disordered = true;
        *last = span->sequence;
        if (__atomic_exchange_n(&j->used[span->sequence], 1, __ATOMIC_RELAXED))
            j->repeated++;
        j->sealed++;
    } else {
        j->refused++;
    }
}

static void *seal_many(void *arg)
{
    job *j = arg;
    static const uint8_t text[8] = "threads";
    uint8_t packets[8][64];
    esp_seal_item items[8];
    esp_span spans[8];
    uint64_t last = 0;
    for (size_t i = 0; i < 8; i++)
        items[i] = (esp_seal_item){
            .out = packets[i], .cap = 64, .in = text, .len = 8, .next_header = ESP_NEXT_GRE};

    (void)pthread_barrier_wait(j->start);
    for (uint32_t n = 0; n < j->wanted;) {
        if (n % 3 == 0) {
            const esp_rc rc = esp_sa_seal(j->sa, j->worker, packets[0], 64, text, 8, 47, spans);
            note(j, rc, spans, &last);
            n++;
        } else {
            (void)esp_sa_seal_batch(j->sa, j->worker, items, 8, spans);
            for (size_t i = 0; i < 8; i++)
                note(j, spans[i].result, &spans[i], &last);
            n += 8;
        }
    }
    return NULL;
}

static void run(uint32_t wanted, uint64_t hard_packets, uint64_t hard_bytes)
{
    esp_sa_config cfg = test_config(ESP_DIRECTION_OUT, ESP_ALGORITHM_AES128_GCM16);
    cfg.workers = WORKERS;
    cfg.hard_packets = hard_packets;
    cfg.hard_bytes = hard_bytes;
    esp_sa *sa = test_sa(&cfg);
    uint8_t *used = calloc(WORKERS * (wanted + 8) + 1, 1);
    assert_non_null(used);
    pthread_barrier_t start;
    pthread_t threads[WORKERS];
    job jobs[WORKERS] = {0};
    assert_int_equal(pthread_barrier_init(&start, NULL, WORKERS), 0);
    for (uint32_t i = 0; i < WORKERS; i++) {
        jobs[i] = (job){.sa = sa, .start = &start, .used = used, .worker = i, .wanted = wanted};
        assert_int_equal(pthread_create(&threads[i], NULL, seal_many, &jobs[i]), 0);
    }
    (void)test_counters(sa); /* may run beside the workers */
    uint64_t sealed = 0;
    uint64_t refused = 0;
    for (size_t i = 0; i < WORKERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(jobs[i].repeated == 0);
        assert_false(jobs[i].disordered);
        sealed += jobs[i].sealed;
        refused += jobs[i].refused;
    }
    const esp_sa_counters c = test_counters(sa);
    assert_true(c.packets == sealed && c.expired == refused);
    assert_true(sealed + refused >= (uint64_t)WORKERS * wanted);
    if (hard_packets) {
        assert_true(sealed == hard_packets && c.sequence == hard_packets);
        for (uint64_t s = 1; s <= hard_packets; s++)
            assert_int_equal(used[s], 1);
    }
    if (hard_bytes) /* the packet that reaches the limit may pass it */
        assert_true(c.bytes >= hard_bytes && c.bytes < hard_bytes + 12);
    pthread_barrier_destroy(&start);
    free(used);
    esp_sa_free(sa);
}

/* RFC 4106 3.1: an IV that serves twice breaks the cipher. */
static void threads_never_share_a_sequence_number(void **state)
{
    (void)state;
    run(MANY, 0, 0);
}

static void threads_stop_together_at_the_packet_limit(void **state)
{
    (void)state;
    run(MANY, WORKERS * MANY / 2 + 3, 0);
    /* Short runs, so that all of them come to the end at once, often. */
    for (uint64_t i = 0; i < 300; i++)
        run(FEW, WORKERS * FEW - 40 + i % 16, 0);
}

static void threads_stop_together_at_the_byte_limit(void **state)
{
    (void)state;
    run(MANY, 0, WORKERS * MANY * 12u / 2 + 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_never_share_a_sequence_number),
        cmocka_unit_test(threads_stop_together_at_the_packet_limit),
        cmocka_unit_test(threads_stop_together_at_the_byte_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

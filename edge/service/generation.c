/* SPDX-License-Identifier: Apache-2.0 */
/* generation.c: a configuration becomes what requests run with, whole or not at all. */
#include <stdlib.h>

#include "internal.h"

static bool open_ca(svc_generation *g, int64_t now_ms, atls_error *err)
{
    const svc_config *c = &g->config;
    const atls_ca_options test = {.dir = c->test_ca, .profile = atls_bytes_empty(), .now = (atls_time)(now_ms / 1000)};
    const atls_ca_options real = {
        .dir = c->ca_folder,
        .chain_file = c->ca_chain,
        .key = c->ca_key,
        .passphrase_file = c->ca_passphrase,
        .pin_file = c->ca_pin,
        .serial_key_file = c->ca_serial_key,
        .profile = c->ca_profile,
        .now = (atls_time)(now_ms / 1000),
    };
    return atls_ca_open(c->insecure_test_mode ? &test : &real, &g->ca, err);
}

static bool fill(svc_generation *g, const char *path, int64_t now_ms, atls_error *err)
{
    return svc_config_load(path, &g->arena, &g->config, err) && svc_policies_load(g, err) && open_ca(g, now_ms, err)
           && svc_tls_load(g, err);
}

bool svc_generation_load(const char *path, int64_t now_ms, uint64_t number, svc_generation **out, atls_error *err)
{
    svc_generation *g = calloc(1, sizeof *g);
    *out = NULL;
    if (g == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "configuration", NULL);
    }
    atomic_init(&g->n_holders, 1);
    g->number = number;
    if (!atls_arena_new(&g->arena, SVC_CONFIG_ARENA_SIZE, err) || !fill(g, path, now_ms, err)) {
        svc_generation_drop(g);
        return false;
    }
    *out = g;
    return true;
}

svc_generation *svc_generation_hold(svc_generation *g)
{
    atomic_fetch_add(&g->n_holders, 1);
    return g;
}

void svc_generation_drop(svc_generation *g)
{
    if (g == NULL || atomic_fetch_sub(&g->n_holders, 1) != 1) {
        return;
    }
    SSL_CTX_free(g->tls);
    atls_ca_free(g->ca);
    atls_policy_free(g->apple);
    atls_policy_free(g->android);
    atls_arena_free(&g->arena);
    free(g);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* world.h: a simulated room with a TLS identity, and everything that both ends of a session need. */
#ifndef ATLS_BENCH_WORLD_H
#define ATLS_BENCH_WORLD_H

#include <openssl/ssl.h>

#include "atls/atls.h"
#include "sim/sim.h"

#define WORLD_SERVER_NAME "server.example"

typedef struct world {
    sim *room;
    sim_tls tls;
    atls_arena keep;
    atls_arena quotes; /* where the simulator works */
    atls_policy *policy;
    atls_verifier *verifier;
    atls_endorsements endorsements;
    SSL_CTX *server_ctx;
    SSL_CTX *client_ctx;
    uint64_t quote_ns; /* spent in the attester during the session being measured */
} world;

/* Each ends the program when it cannot do its part. */
void world_init(world *w);
void world_free(world *w);
void world_die(const char *what, const atls_error *err);
/* Two SSLs with a pair of BIOs between them. */
void world_connect(SSL *client, SSL *server);
/* An atls_endorse_fn whose ctx is the world. */
bool world_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                   atls_error *err);
/* Options of an honest client and server: by CA, endorsements that are at hand, the room's time. */
atls_client_options world_client(world *w, unsigned profiles);
atls_server_options world_server(world *w, unsigned profiles);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* world.c: makes the room once, before anything is measured. */
#include "world.h"

#include <openssl/pem.h>
#include <stdio.h>

#include "base/text.h"
#include "bench.h"

void world_die(const char *what, const atls_error *err)
{
    char line[512];
    atls_error_line(err, line, sizeof line);
    fprintf(stderr, "%s: ", what);
    bench_die(line);
}

static void load_identity(world *w)
{
    BIO *chain = BIO_new_mem_buf(w->tls.chain_pem.ptr, (int)w->tls.chain_pem.len);
    BIO *key = BIO_new_mem_buf(w->tls.key_pem.ptr, (int)w->tls.key_pem.len);
    BIO *ca = BIO_new_mem_buf(w->tls.ca_pem.ptr, (int)w->tls.ca_pem.len);
    X509 *leaf = PEM_read_bio_X509(chain, NULL, NULL, NULL);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
    X509 *root = PEM_read_bio_X509(ca, NULL, NULL, NULL);
    w->server_ctx = SSL_CTX_new(TLS_server_method());
    w->client_ctx = SSL_CTX_new(TLS_client_method());
    if (leaf == NULL || pkey == NULL || root == NULL || SSL_CTX_use_certificate(w->server_ctx, leaf) != 1
        || SSL_CTX_use_PrivateKey(w->server_ctx, pkey) != 1
        || X509_STORE_add_cert(SSL_CTX_get_cert_store(w->client_ctx), root) != 1) {
        bench_die("cannot set up TLS");
    }
    SSL_CTX_set_alpn_select_cb(w->server_ctx, atls_server_select_alpn, NULL);
    SSL_CTX_set_num_tickets(w->server_ctx, 0);
    SSL_CTX_set_min_proto_version(w->server_ctx, TLS1_3_VERSION);
    SSL_CTX_set_min_proto_version(w->client_ctx, TLS1_3_VERSION);
    X509_free(leaf);
    X509_free(root);
    EVP_PKEY_free(pkey);
    BIO_free(chain);
    BIO_free(key);
    BIO_free(ca);
}

void world_init(world *w)
{
    atls_error err = {0};
    atls_bytes document;
    if (!atls_arena_new(&w->keep, ATLS_ARENA_DEFAULT_SIZE, &err)
        || !atls_arena_new(&w->quotes, ATLS_ARENA_DEFAULT_SIZE, &err)
        || !sim_new(&(sim_options){.kind = SIM_TDX_V4}, &w->room, &err)
        || !sim_tls_identity(w->room, WORLD_SERVER_NAME, &w->keep, &w->tls, &err)
        || !sim_measure_certificate(w->room, w->tls.leaf_der, &err)
        || !sim_collateral(w->room, &w->keep, &w->endorsements, &err)
        || !sim_policy(w->room, "dstack_tdx", &w->keep, &document, &err)) {
        world_die("set-up", &err);
    }
    /* clients that prove themselves have no certificate here */
    const char *edited = atls_text_format(&w->keep, &err, "{\"attested_only\":true,%.*s", (int)document.len - 1,
                                          (const char *)document.ptr + 1);
    document = atls_bytes_str(edited);
    const atls_bytes root = sim_root(w->room);
    if (!atls_policy_parse_with_roots(document, &root, 1, &w->policy, &err)
        || !atls_verifier_new(w->policy, &w->verifier, &err)) {
        world_die("policy", &err);
    }
    load_identity(w);
}

void world_free(world *w)
{
    SSL_CTX_free(w->server_ctx);
    SSL_CTX_free(w->client_ctx);
    atls_verifier_free(w->verifier);
    atls_policy_free(w->policy);
    sim_free(w->room);
    atls_arena_free(&w->keep);
    atls_arena_free(&w->quotes);
}

void world_connect(SSL *client, SSL *server)
{
    BIO *c = NULL;
    BIO *s = NULL;
    if (BIO_new_bio_pair(&c, 1 << 16, &s, 1 << 16) != 1) { /* any flight of a session fits */
        bench_die("no BIO pair");
    }
    SSL_set_bio(client, c, c);
    SSL_set_bio(server, s, s);
}

bool world_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                   atls_error *err)
{
    (void)request;
    (void)arena;
    (void)err;
    *out = ((const world *)ctx)->endorsements;
    return true;
}

atls_client_options world_client(world *w, unsigned profiles)
{
    return (atls_client_options){.server_name = WORLD_SERVER_NAME,
                                 .verifier = w->verifier,
                                 .endorse = world_endorse,
                                 .endorse_ctx = w,
                                 .identity = ATLS_IDENTITY_CA,
                                 .ca_store = SSL_CTX_get_cert_store(w->client_ctx),
                                 .now = sim_now(w->room),
                                 .profiles = profiles};
}

atls_server_options world_server(world *w, unsigned profiles)
{
    return (atls_server_options){
        .endorse = world_endorse, .endorse_ctx = w, .now = sim_now(w->room), .profiles = profiles};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* constellation_hook.c: options, and what they make of an SSL_CTX. */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "clock.h"
#include "constellation.h"
#include "verify/verifier_crypto.h"

#define PROVER_ARENA_SIZE ((size_t)4 * 1024 * 1024)
#define MAX_CERT_LIST     (1024L * 1024)

/* ---- places on OpenSSL's objects --------------------------------------------------------------------------------- */

/* Numbers that OpenSSL gives out once a process: the only state here that is not on an SSL or SSL_CTX. */
static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
static int index_of_ctx = -1;
static int index_of_ssl = -1;

static void destroy(atls_hook *hook)
{
    atls_template_shelf_free(hook->shelf);
    if (hook->arenas != NULL) {
        atls_arena_shelf_clear(hook->arenas);
        free(hook->arenas);
    }
    atls_crypto_free(hook->crypto);
    free(hook);
}

static void free_hook(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
    atls_hook *hook = ptr;
    (void)parent;
    (void)ad;
    (void)index;
    (void)argl;
    (void)argp;
    if (hook != NULL) {
        destroy(hook);
    }
}

static void free_hooked(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
    (void)parent;
    (void)ad;
    (void)index;
    (void)argl;
    (void)argp;
    atls_hooked_free(ptr);
}

/* SSL_dup: the copy makes a handshake of its own. */
static int forget_hooked(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **ptr, int index, long argl, void *argp)
{
    (void)to;
    (void)from;
    (void)index;
    (void)argl;
    (void)argp;
    *ptr = NULL;
    return 1;
}

static void take_indices(void)
{
    index_of_ctx = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_hook);
    index_of_ssl = SSL_get_ex_new_index(0, NULL, NULL, forget_hooked, free_hooked);
}

static bool have_indices(void)
{
    return CRYPTO_THREAD_run_once(&once, take_indices) == 1 && index_of_ctx >= 0 && index_of_ssl >= 0;
}

const atls_hook *atls_hook_of(const SSL *ssl)
{
    return have_indices() ? SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), index_of_ctx) : NULL;
}

atls_hooked *atls_hooked_of(const SSL *ssl)
{
    return have_indices() ? SSL_get_ex_data(ssl, index_of_ssl) : NULL;
}

bool atls_hooked_set(SSL *ssl, atls_hooked *s)
{
    if (!have_indices()) {
        return false;
    }
    atls_hooked_free(SSL_get_ex_data(ssl, index_of_ssl));
    bool ok = SSL_set_ex_data(ssl, index_of_ssl, s) == 1;
    if (!ok) {
        ERR_clear_error();
    }
    return ok;
}

bool atls_hook_time(const atls_hook *hook, atls_time *out, atls_error *err)
{
    *out = hook->now;
    return atls_clock_judging(hook->verifier, out, NULL, err);
}

/* ---- SSL_CTX ----------------------------------------------------------------------------------------------------- */

static bool close_doors(SSL_CTX *ctx)
{
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_sess_set_new_cb(ctx, NULL);
    SSL_CTX_sess_set_get_cb(ctx, NULL);
    SSL_CTX_set_psk_use_session_callback(ctx, NULL);
    SSL_CTX_set_psk_find_session_callback(ctx, NULL);
    SSL_CTX_set_psk_client_callback(ctx, NULL);
    SSL_CTX_set_psk_server_callback(ctx, NULL);
    (void)SSL_CTX_set_max_cert_list(ctx, MAX_CERT_LIST);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1
           && SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 && SSL_CTX_set_num_tickets(ctx, 0) == 1
           && SSL_CTX_set_max_early_data(ctx, 0) == 1 && SSL_CTX_set_recv_max_early_data(ctx, 0) == 1;
}

static void set_callbacks(SSL_CTX *ctx, const atls_hook *hook)
{
    int ask = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    int server_mode = hook->n_accepts > 0 ? ask : SSL_VERIFY_NONE;
    SSL_CTX_set_verify(ctx, hook->is_server ? server_mode : SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, atls_hooked_verify, NULL);
    SSL_CTX_set_cert_cb(ctx, atls_hooked_certificate, NULL);
    SSL_CTX_set_info_callback(ctx, atls_hooked_info);
    if (hook->is_server) {
        (void)SSL_CTX_set_tlsext_servername_callback(ctx, atls_hooked_server_name);
    }
}

/* What every context has of its own. */
static bool furnish(atls_hook *hook, atls_error *err)
{
    hook->arenas = malloc(sizeof *hook->arenas);
    if (hook->arenas == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "hook", NULL);
    }
    atls_arena_shelf_init(hook->arenas, hook->arena_size);
    return atls_crypto_new(&hook->crypto, err) && atls_template_shelf_new(&hook->shelf, err);
}

static atls_hook *copy_hook(const atls_hook *in, atls_error *err)
{
    atls_hook *copy = calloc(1, sizeof *copy);
    if (copy == NULL) {
        (void)atls_fail(err, ATLS_E_MEMORY, "hook", NULL);
        return NULL;
    }
    *copy = *in;
    copy->crypto = NULL;
    copy->shelf = NULL;
    copy->arenas = NULL;
    if (!furnish(copy, err)) {
        destroy(copy);
        return NULL;
    }
    return copy;
}

bool atls_hook_install(SSL_CTX *ctx, const atls_hook *hook, atls_error *err)
{
    if (ctx == NULL) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "ctx", "an SSL_CTX is required");
    }
    if (!have_indices()) {
        ERR_clear_error();
        return atls_fail(err, ATLS_E_INTERNAL, "ctx", "OpenSSL has no place for a hook");
    }
    if (SSL_CTX_get_ex_data(ctx, index_of_ctx) != NULL) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "ctx", "this SSL_CTX is hooked already");
    }
    atls_hook *copy = copy_hook(hook, err);
    if (copy == NULL) {
        return false;
    }
    copy->info = SSL_CTX_get_info_callback(ctx);
    if (SSL_CTX_set_ex_data(ctx, index_of_ctx, copy) != 1) {
        ERR_clear_error();
        free_hook(NULL, copy, NULL, 0, 0, NULL);
        return atls_fail(err, ATLS_E_MEMORY, "ctx", "OpenSSL has no memory for a hook");
    }
    set_callbacks(ctx, copy);
    bool ok = close_doors(ctx);
    ERR_clear_error();
    return ok || atls_fail(err, ATLS_E_INTERNAL, "ctx", "OpenSSL refuses the settings of attested handshakes");
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

/* A policy that this profile could never satisfy would fail every handshake, one by one. */
static bool check_policy(const atls_policy *policy, size_t n_accepts, atls_error *err)
{
    if (n_accepts == 0 || strcmp(atls_policy_kind(policy), "dstack_tdx") == 0) {
        return atls_fail_values(
            err, ATLS_E_CONFIGURATION, "type", "tdx or tpm", atls_policy_kind(policy),
            "the documents of this profile carry a TDX quote without event log, or quotes of a TPM");
    }
    if (atls_policy_min_grade(policy) > ATLS_GRADE_KEY_FRESH) {
        return atls_fail_values(err, ATLS_E_CONFIGURATION, "min_grade", atls_grade_name(atls_policy_min_grade(policy)),
                                atls_grade_name(ATLS_GRADE_KEY_FRESH),
                                "this profile binds evidence to a key, and the policy asks for more");
    }
    return atls_policy_attested_only(policy)
           || atls_fail_values(err, ATLS_E_CONFIGURATION, "attested_only", "true", "false",
                               "this profile proves no name, and the policy does not do without");
}

static bool set_verifier(atls_hook *hook, const atls_verifier *verifier, atls_error *err)
{
    if (verifier == NULL) {
        return true;
    }
    const unsigned platforms = atls_verifier_platforms(verifier);
    hook->verifier = verifier;
    if ((platforms >> ATLS_PLATFORM_TDX & 1u) != 0) {
        hook->accepts[hook->n_accepts++] = atls_variant_tdx();
    }
    if ((platforms >> ATLS_PLATFORM_TPM & 1u) != 0) {
        size_t n = 0;
        const atls_variant *variants = atls_variants_vtpm(&n);
        for (size_t i = 0; i < n; i++) {
            hook->accepts[hook->n_accepts++] = &variants[i];
        }
    }
    return check_policy(atls_verifier_policy(verifier), hook->n_accepts, err);
}

/* What the options say about our own evidence. */
typedef struct prover {
    atls_attest_fn attest;
    void *attest_ctx;
    atls_attester *attester;
    const char *variant;
} prover;

static bool set_attester(atls_hook *hook, const prover *p, atls_error *err)
{
    const bool proves = p->attest != NULL || p->attester != NULL;
    const atls_variant *variant = p->variant == NULL ? atls_variant_tdx() : atls_variant_named(p->variant);
    if (p->attest != NULL && p->attester != NULL) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "attest", "an attest function and an attester: one of them");
    }
    if (variant == NULL || (p->variant != NULL && !proves)) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "variant",
                         variant == NULL ? "there is no such kind of documents" : "nothing makes such documents");
    }
    hook->attest = p->attest;
    hook->attest_ctx = p->attest_ctx;
    hook->attester = p->attester;
    hook->issues = proves ? variant : NULL;
    return true;
}

bool atls_hook_client(SSL_CTX *ctx, const atls_hook_client_options *o, atls_error *err)
{
    if (o == NULL || (o->verifier == NULL && !o->insecure_unverified)) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "verifier", "a verifier is required");
    }
    if (o->verifier != NULL && o->insecure_unverified) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "insecure_unverified", "there is a verifier, and it is to be used");
    }
    atls_hook hook = {
        .endorse = o->endorse,
        .trust_key = o->trust_key,
        .trust_key_ctx = o->trust_key_ctx,
        .endorse_ctx = o->endorse_ctx,
        .now = o->now,
        .refused = o->refused,
        .refused_ctx = o->refused_ctx,
        .record = o->record,
        .arena_size = o->arena_size == 0 ? ATLS_ARENA_DEFAULT_SIZE : o->arena_size,
    };
    return set_verifier(&hook, o->verifier, err)
           && set_attester(&hook, &(prover){o->attest, o->attest_ctx, o->attester, o->variant}, err)
           && atls_hook_install(ctx, &hook, err);
}

bool atls_hook_server(SSL_CTX *ctx, const atls_hook_server_options *o, atls_error *err)
{
    if (o == NULL || (o->attest == NULL && o->attester == NULL && o->verifier == NULL)) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "attest",
                         "a server proves what it is, or judges its clients, or both");
    }
    size_t size = o->verifier == NULL ? PROVER_ARENA_SIZE : ATLS_ARENA_DEFAULT_SIZE;
    atls_hook hook = {
        .is_server = true,
        .endorse = o->endorse,
        .trust_key = o->trust_key,
        .trust_key_ctx = o->trust_key_ctx,
        .endorse_ctx = o->endorse_ctx,
        .now = o->now,
        .refused = o->refused,
        .refused_ctx = o->refused_ctx,
        .record = o->record,
        .arena_size = o->arena_size == 0 ? size : o->arena_size,
    };
    return set_verifier(&hook, o->verifier, err)
           && set_attester(&hook, &(prover){o->attest, o->attest_ctx, o->attester, o->variant}, err)
           && atls_hook_install(ctx, &hook, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_hook_options.c: what atls_hook_client and atls_hook_server take, and what they refuse before any handshake. */
#include "pair.h"

#include "base/text.h"

#define KEY_FRESH "\"min_grade\":\"key_fresh\",\"attested_only\":true,"

typedef struct option_row {
    const char *name;
    const char *kind;
    const char *members; /* of the policy; NULL: no verifier */
    bool unverified;
    bool attest;
    bool attester;
    atls_code client, server;
    const char *client_field, *server_field;
} option_row;

static const option_row options[] = {
    {"a policy that says both", "tdx", KEY_FRESH, false, false, false, ATLS_OK, ATLS_OK, "", ""},
    {"mutual", "tdx", KEY_FRESH, false, true, false, ATLS_OK, ATLS_OK, "", ""},
    {"a lower grade would do as well", "tdx", "\"min_grade\":\"key\",\"attested_only\":true,", false, false, false,
     ATLS_OK, ATLS_OK, "", ""},
    {"no min_grade", "tdx", "\"attested_only\":true,", false, false, false, ATLS_E_CONFIGURATION, ATLS_E_CONFIGURATION,
     "min_grade", "min_grade"},
    {"a higher grade", "tdx", "\"min_grade\":\"session\",\"attested_only\":true,", false, false, false,
     ATLS_E_CONFIGURATION, ATLS_E_CONFIGURATION, "min_grade", "min_grade"},
    {"no attested_only", "tdx", "\"min_grade\":\"key_fresh\",", false, false, false, ATLS_E_CONFIGURATION,
     ATLS_E_CONFIGURATION, "attested_only", "attested_only"},
    {"a policy of dstack", "dstack_tdx", KEY_FRESH, false, false, false, ATLS_E_CONFIGURATION, ATLS_E_CONFIGURATION,
     "type", "type"},
    {"a policy of SGX", "sgx", KEY_FRESH, false, false, false, ATLS_E_CONFIGURATION, ATLS_E_CONFIGURATION, "type",
     "type"},
    {"nothing", "tdx", NULL, false, false, false, ATLS_E_CONFIGURATION, ATLS_E_CONFIGURATION, "verifier", "attest"},
    {"only to attest", "tdx", NULL, false, true, false, ATLS_E_CONFIGURATION, ATLS_OK, "verifier", ""},
    {"unverified", "tdx", NULL, true, true, false, ATLS_OK, ATLS_OK, "", ""},
    {"unverified, with a verifier", "tdx", KEY_FRESH, true, false, false, ATLS_E_CONFIGURATION, ATLS_OK,
     "insecure_unverified", ""},
    {"two ways to attest", "tdx", KEY_FRESH, false, true, true, ATLS_E_CONFIGURATION, ATLS_E_CONFIGURATION, "attest",
     "attest"},
};

static void open_policy(pair *p, const option_row *row, atls_policy **policy, atls_verifier **verifier)
{
    static const sim_options tdx = {0};
    static const sim_options sgx = {.kind = SIM_SGX_V3};
    atls_bytes text;
    sim *room;
    *policy = NULL;
    *verifier = NULL;
    if (row->members == NULL) {
        return;
    }
    assert_true(sim_new(strcmp(row->kind, "sgx") == 0 ? &sgx : &tdx, &room, &p->err));
    assert_true(sim_policy(room, row->kind, &p->arena, &text, &p->err));
    const char *edited =
        atls_text_format(&p->arena, &p->err, "{%s%.*s", row->members, (int)text.len - 1, (const char *)text.ptr + 1);
    const atls_bytes root = sim_root(room);
    assert_true(atls_policy_parse_with_roots(atls_bytes_str(edited), &root, 1, policy, &p->err));
    assert_true(atls_verifier_new(*policy, verifier, &p->err));
    sim_free(room);
}

static void takes_options(void **state)
{
    const option_row *row = *state;
    static int something;
    union {
        int *in;
        atls_attester *out;
    } attester = {.in = row->attester ? &something : NULL}; /* never called */
    atls_policy *policy;
    atls_verifier *verifier;
    atls_error err = {.code = ATLS_OK};
    pair p;
    pair_open(&p);
    open_policy(&p, row, &policy, &verifier);
    const atls_hook_client_options client = {.verifier = verifier,
                                             .insecure_unverified = row->unverified,
                                             .attest = row->attest ? pair_attest : NULL,
                                             .attester = attester.out};
    const atls_hook_server_options server = {
        .verifier = verifier, .attest = row->attest ? pair_attest : NULL, .attester = attester.out};
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    assert_int_equal(atls_hook_client(ctx, &client, &err), row->client == ATLS_OK);
    pair_expect_error(&err, row->client, row->client_field);
    SSL_CTX_free(ctx);
    atls_error_clear(&err);
    ctx = SSL_CTX_new(TLS_method());
    assert_int_equal(atls_hook_server(ctx, &server, &err), row->server == ATLS_OK);
    pair_expect_error(&err, row->server, row->server_field);
    SSL_CTX_free(ctx);
    atls_verifier_free(verifier);
    atls_policy_free(policy);
    pair_close(&p);
}

static void hooks_once(void **state)
{
    const atls_hook_client_options o = {.insecure_unverified = true};
    atls_error err = {.code = ATLS_OK};
    (void)state;
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    assert_true(atls_hook_client(ctx, &o, &err));
    assert_false(atls_hook_client(ctx, &o, &err));
    pair_expect_error(&err, ATLS_E_CONFIGURATION, "ctx");
    atls_error_clear(&err);
    assert_false(atls_hook_client(NULL, &o, &err));
    pair_expect_error(&err, ATLS_E_CONFIGURATION, "ctx");
    atls_error_clear(&err);
    assert_false(atls_hook_client(ctx, NULL, &err));
    pair_expect_error(&err, ATLS_E_CONFIGURATION, "verifier");
    atls_error_clear(&err);
    assert_false(atls_hook_server(ctx, NULL, &err));
    pair_expect_error(&err, ATLS_E_CONFIGURATION, "attest");
    SSL_CTX_free(ctx);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        tap_add(&l, options[i].name, takes_options, &options[i]);
    }
    tap_add(&l, "a context is hooked once", hooks_once, NULL);
    return tap_run("hook_options", &l);
}

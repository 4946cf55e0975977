/* SPDX-License-Identifier: Apache-2.0 */
/* test_hook_lies.c: the table of lies of constellation, told by a server to a hooked client, and by a client to a hooked
 * server. Each dies at its own check, the liar sees alert 42, and nobody is ever accepted. */
#include "pair.h"

#include "base/text.h"
#include "sim/sim_sevsnp.h"

#define EXTENSIONS "certificate.tbs.extensions"
#define EKU        "certificate.tbs.extensions.extended_key_usage"
#define B64_32     "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

typedef struct lie_row {
    const char *name;
    pair_lie lie;
    atls_code code;
    const char *field;
    const char *actual; /* expected in the error's actual; NULL: not looked at */
    bool tdx;
} lie_row;

static const lie_row rows[] = {
    {"an honest peer of another make", {0}, ATLS_OK, "", NULL, false},
    {"serverAuth is named", {.usage = "serverAuth"}, ATLS_OK, "", NULL, false},
    {"any usage is named", {.usage = "anyExtendedKeyUsage"}, ATLS_OK, "", NULL, false},
    {"serverAuth among others", {.usage = "clientAuth,serverAuth"}, ATLS_OK, "", NULL, false},
    {"a critical extension that is understood", {.critical_usage = true}, ATLS_OK, "", NULL, false},
    {"an extension of no attestation beside it", {.second_oid = "1.2.3.4"}, ATLS_OK, "", NULL, false},
    {"a document of a million bytes", {.padding = 1000000}, ATLS_OK, "", NULL, false},
    {"valid from this second", {.not_before = 0, .not_after = 60}, ATLS_OK, "", NULL, false},
    {"valid to this second", {.not_before = -60, .not_after = 0}, ATLS_OK, "", NULL, false},

    {"no document", {.no_extension = true}, ATLS_E_UNSUPPORTED, EXTENSIONS, "none", false},
    {"another variant's document",
     {.oid = "1.3.9900.2.2"},
     ATLS_E_UNSUPPORTED,
     EXTENSIONS,
     "1.3.9900.2.2 (aws-sev-snp)",
     false},
    {"other formats' documents",
     {.oid = "2.23.133.5.4.9", .second_oid = "1.2.3.4"},
     ATLS_E_UNSUPPORTED,
     EXTENSIONS,
     "2.23.133.5.4.9 (TCG DICE tagged evidence), 1.2.3.4",
     false},
    {"two documents",
     {.second_oid = "1.3.9900.5.99"},
     ATLS_E_PROTOCOL,
     EXTENSIONS,
     "1.3.9900.1.1 (dummy), 1.3.9900.5.99 (qemu-tdx)",
     false},
    {"two documents, the other first",
     {.oid = "1.3.9900.4.3", .second_oid = "1.3.9900.1.1"},
     ATLS_E_PROTOCOL,
     EXTENSIONS,
     NULL,
     false},
    {"a critical document", {.critical = true}, ATLS_E_UNSUPPORTED, EXTENSIONS, "critical", false},
    {"a key for clients only", {.usage = "clientAuth"}, ATLS_E_UNSUPPORTED, EKU, NULL, false},
    {"expired a second ago",
     {.not_before = -60, .not_after = -1},
     ATLS_E_EXPIRED,
     "certificate.tbs.validity.not_after",
     NULL,
     false},
    {"valid from the next second",
     {.not_before = 1, .not_after = 60},
     ATLS_E_NOT_YET_VALID,
     "certificate.tbs.validity.not_before",
     NULL,
     false},
    {"one bit of the self-signature", {.flip_signature = true}, ATLS_E_IDENTITY, "certificate.signature", NULL, false},
    {"signed by somebody else", {.other_signer = true}, ATLS_E_IDENTITY, "certificate.signature", NULL, false},
    {"a key of another curve", {.group = "P-384"}, ATLS_E_UNSUPPORTED, "certificate.tbs.public_key", NULL, false},
    {"a relayed document: made for another key",
     {.other_key = true},
     ATLS_E_REPORT_DATA_MISMATCH,
     "document.UserData",
     NULL,
     false},
    {"another nonce", {.other_nonce = true}, ATLS_E_REPORT_DATA_MISMATCH, "document.Nonce", NULL, false},
    {"a nonce of zeros", {.zero_nonce = true}, ATLS_E_REPORT_DATA_MISMATCH, "document.Nonce", NULL, false},
    {"a document that is no JSON", {.document = "quote"}, ATLS_E_QUOTE, "document", NULL, false},

    {"TDX: an honest peer of another make", {0}, ATLS_OK, "", NULL, true},
    {"TDX: a relayed document", {.other_key = true}, ATLS_E_REPORT_DATA_MISMATCH, "document.UserData", NULL, true},
    {"TDX: another nonce", {.other_nonce = true}, ATLS_E_REPORT_DATA_MISMATCH, "quote.body.reportdata", NULL, true},
    {"TDX: a nonce of zeros", {.zero_nonce = true}, ATLS_E_REPORT_DATA_MISMATCH, "quote.body.reportdata", NULL, true},
    {"TDX: one bit of the quote", {.flip_quote = true}, ATLS_E_QUOTE_SIGNATURE, "quote.auth.signature", NULL, true},
    {"TDX: no document", {.no_extension = true}, ATLS_E_UNSUPPORTED, EXTENSIONS, "none", true},
    {"TDX: a dummy document", {.oid = "1.3.9900.1.1"}, ATLS_E_UNSUPPORTED, EXTENSIONS, "1.3.9900.1.1 (dummy)", true},
    {"TDX: a dummy document beside it", {.second_oid = "1.3.9900.1.1"}, ATLS_E_PROTOCOL, EXTENSIONS, NULL, true},
    {"TDX: bytes that are no quote",
     {.document = "{\"RawQuote\":\"cXVvdGU=\",\"UserData\":\"" B64_32 "\"}"},
     ATLS_E_QUOTE_FORMAT,
     "quote.header",
     NULL,
     true},
    {"TDX: user data of no length",
     {.document = "{\"RawQuote\":\"cXVvdGU=\",\"UserData\":\"\"}"},
     ATLS_E_QUOTE,
     "document.UserData",
     NULL,
     true},
};

static void open_row(pair *p, const lie_row *row)
{
    pair_open(p);
    if (row->tdx) {
        pair_tdx(p, "\"min_grade\":\"key_fresh\",\"attested_only\":true,");
    }
}

static void expect(const pair_end *judge, const pair_end *liar, const lie_row *row)
{
    const atls_result *result;
    atls_error err = {.code = ATLS_OK};
    if (row->code == ATLS_OK) {
        pair_expect_done(judge);
        pair_expect_accepted(judge);
        return;
    }
    assert_int_equal(judge->code, SSL_ERROR_SSL);
    pair_expect_refused(judge, row->code, row->field);
    assert_int_equal(liar->alert, SSL_AD_BAD_CERTIFICATE);
    if (row->actual != NULL) {
        assert_false(atls_hook_result(judge->ssl, &result, &err));
        assert_string_equal(err.actual, row->actual);
    }
}

static void server_lies(void **state)
{
    const lie_row *row = *state;
    pair p;
    open_row(&p, row);
    p.server.lie = &row->lie;
    pair_start(&p);
    expect(&p.client, &p.server, row);
    pair_close(&p);
}

static void client_lies(void **state)
{
    const lie_row *row = *state;
    pair p;
    open_row(&p, row);
    pair_mutual(&p);
    p.client.lie = &row->lie;
    pair_start(&p);
    if (row->code != ATLS_OK) { /* the client's handshake is complete all the same, and says nothing */
        pair_expect_done(&p.client);
        pair_say(NULL, &p.client);
    }
    expect(&p.server, &p.client, row);
    pair_close(&p);
}

/* What a peer made for one handshake is shown in the next. */
static void server_replays(void **state)
{
    static const pair_lie honest = {0};
    pair_lie replay = {0};
    uint8_t earlier[32];
    pair p;
    const bool *tdx = *state;
    const lie_row row = {.tdx = *tdx};
    open_row(&p, &row);
    p.server.lie = &honest;
    pair_start(&p);
    pair_expect_accepted(&p.client);
    memcpy(earlier, atls_hooked_of(p.client.ssl)->nonce, sizeof earlier);
    replay.replayed = earlier;
    p.server.lie = &replay;
    pair_again(&p);
    pair_run(&p);
    assert_memory_not_equal(earlier, atls_hooked_of(p.client.ssl)->nonce, sizeof earlier);
    pair_expect_refused(&p.client, ATLS_E_REPORT_DATA_MISMATCH, *tdx ? "quote.body.reportdata" : "document.Nonce");
    assert_int_equal(p.server.alert, SSL_AD_BAD_CERTIFICATE);
    pair_close(&p);
}

/* A genuine certificate, fresh and for this connection, shown by somebody who has not got its key: the evidence passes, and
 * the handshake does not, so the answer is no. */
static void the_key_is_not_at_hand(void **state)
{
    static const pair_lie stolen = {.stolen = true};
    const bool *is_server = *state;
    pair p;
    pair_open(&p);
    pair_tdx(&p, "\"min_grade\":\"key_fresh\",\"attested_only\":true,");
    pair_mutual(&p);
    pair_end *judge = *is_server ? &p.client : &p.server;
    pair_end *thief = *is_server ? &p.server : &p.client;
    thief->lie = &stolen;
    pair_start(&p);
    if (!*is_server) {
        pair_say(NULL, thief);
    }
    assert_int_equal(judge->code, SSL_ERROR_SSL);
    assert_true(atls_hooked_of(judge->ssl)->accepted);
    pair_expect_refused(judge, ATLS_E_TLS_HANDSHAKE, "tls.handshake");
    assert_int_equal(thief->alert, SSL_AD_DECRYPT_ERROR);
    pair_close(&p);
}

/* OpenSSL's own limit, before anybody reads the certificate. */
static void a_certificate_is_too_long(void **state)
{
    static const pair_lie padded = {.padding = 1024 * 1024};
    pair p;
    (void)state;
    pair_open(&p);
    p.server.lie = &padded;
    pair_start(&p);
    assert_int_equal(p.client.code, SSL_ERROR_SSL);
    assert_false(atls_hooked_of(p.client.ssl)->judged);
    pair_expect_refused(&p.client, ATLS_E_TLS_HANDSHAKE, "tls.handshake");
    pair_close(&p);
}

/* A server that asks for a certificate gets none: it says 116, and knows why. */
static void client_shows_nothing(void **state)
{
    static const pair_lie none = {.no_certificate = true};
    pair p;
    (void)state;
    pair_open(&p);
    pair_mutual(&p);
    p.client.lie = &none;
    pair_start(&p);
    pair_say(NULL, &p.client);
    pair_expect_refused(&p.server, ATLS_E_MISSING_CERTIFICATE, "certificate");
    assert_int_equal(p.client.alert, 116);
    pair_close(&p);
}

/* A document of the variant for TDX with a report of SEV-SNP, under a policy that takes both: each kind has its own variants. */
static void another_kind_in_the_document(void **state)
{
    atls_bytes document;
    sim_snp *machine = NULL;
    pair p;
    (void)state;
    pair_open(&p);
    assert_true(sim_snp_new(&(sim_snp_options){.version = 3}, &machine, &p.err));
    assert_true(sim_snp_policy(machine, &p.arena, &document, &p.err));
    const char *text =
        atls_text_format(&p.arena, &p.err,
                         "{\"type\":\"any_of\",\"policies\":[{\"attested_only\":true,\"min_grade\":\"key_fresh\","
                         "\"type\":\"tdx\"},{\"attested_only\":true,\"min_grade\":\"key_fresh\",%.*s]}",
                         (int)document.len - 1, (const char *)document.ptr + 1);
    assert_non_null(text);
    assert_true(atls_policy_parse(atls_bytes_str(text), &p.policy, &p.err));
    assert_true(atls_verifier_new(p.policy, &p.verifier, &p.err));
    p.variant = atls_variant_tdx();
    p.client.hook.accepts[0] = p.variant;
    p.client.hook.verifier = p.verifier;
    p.client.hook.endorse = sim_snp_endorse;
    p.client.hook.endorse_ctx = machine;
    p.server.hook.issues = p.variant;
    p.server.hook.attest = sim_snp_attest;
    p.server.hook.attest_ctx = machine;
    pair_start(&p);
    assert_int_equal(p.client.code, SSL_ERROR_SSL);
    pair_expect_refused(&p.client, ATLS_E_TEE_TYPE_MISMATCH, "document");
    pair_close(&p);
    sim_snp_free(machine);
}

int main(void)
{
    static const bool dummy = false;
    static const bool tdx = true;
    static char names[2 * sizeof rows / sizeof rows[0]][96];
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(names[2 * i], sizeof names[0], "server: %s", rows[i].name);
        snprintf(names[2 * i + 1], sizeof names[0], "client: %s", rows[i].name);
        tap_add(&l, names[2 * i], server_lies, &rows[i]);
        tap_add(&l, names[2 * i + 1], client_lies, &rows[i]);
    }
    tap_add(&l, "a document of an earlier handshake", server_replays, &dummy);
    tap_add(&l, "TDX: a quote of an earlier handshake", server_replays, &tdx);
    tap_add(&l, "server: a genuine certificate without its key", the_key_is_not_at_hand, &tdx);
    tap_add(&l, "client: a genuine certificate without its key", the_key_is_not_at_hand, &dummy);
    tap_add(&l, "a certificate beyond 1 MiB", a_certificate_is_too_long, NULL);
    tap_add(&l, "no certificate at all", client_shows_nothing, NULL);
    tap_add(&l, "another kind in the document", another_kind_in_the_document, NULL);
    return tap_run("hook_lies", &l);
}

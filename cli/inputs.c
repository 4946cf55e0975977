/* SPDX-License-Identifier: Apache-2.0 */
/* inputs.c: evidence, policy, roots and endorsements out of files. */
#include "inputs.h"

#include <string.h>

#include "atls/enrol.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "files.h"
#include "pki/cert.h"
#include "pki/signature.h"
#include "verify/source.h"

#define MAX_CERT_FILE ((size_t)256 * 1024) /* ATLS_MAX_PEM_CERTS of the longest, in base64 */

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static uint8_t first_word(atls_bytes in)
{
    for (size_t i = 0; i < in.len; i++) {
        if (!is_space(in.ptr[i])) {
            return in.ptr[i];
        }
    }
    return 0;
}

static bool load_response(atls_bytes file, atls_arena *a, cli_evidence *out, atls_error *err)
{
    atls_dstack_response response;
    if (!atls_dstack_response_decode(file, a, &response, err)) {
        return false;
    }
    out->quote = response.quote;
    out->event_log = response.event_log;
    return true;
}

/* No response of a machine has this member. */
static bool is_statement(atls_bytes file, atls_arena *a)
{
    const atls_json *tree = NULL;
    atls_error why = {.code = ATLS_OK};
    return file.len <= ATLS_ENROL_MAX_STATEMENT_LEN && atls_json_parse(file, "statement", a, &tree, &why)
           && atls_json_find(tree, "typ") != NULL;
}

static bool load_statement(atls_bytes file, atls_arena *a, cli_evidence *out, atls_error *err)
{
    atls_enrol_statement s;
    if (!atls_enrol_statement_read(file, a, &s, err)) {
        return false;
    }
    if (s.kind == ATLS_ENROL_ANDROID_KEY) {
        out->quote = s.chain;
        return s.n_x5c > 0
               || atls_fail(err, ATLS_E_ANDROID_CHAIN_UNPARSABLE, "statement.x5c", "there is no certificate");
    }
    out->quote = s.attestation;
    out->client_data = s.client_data;
    return true;
}

static bool load_object(atls_bytes file, atls_arena *a, cli_evidence *out, atls_error *err)
{
    const char *kind = NULL;
    atls_error why = {0};
    if (is_statement(file, a)) {
        return load_statement(file, a, out, err);
    }
    return (atls_evidence_kind(file, a, &kind, &why) && strcmp(kind, "tpm") == 0) || load_response(file, a, out, err);
}

bool cli_evidence_load(const char *path, atls_arena *a, cli_evidence *out, atls_error *err)
{
    atls_bytes file;
    if (!cli_read(path, "FILE", (size_t)ATLS_MAX_HTTP_BODY_LEN, a, &file, err)) {
        return false;
    }
    if (file.len == 0) {
        return atls_fail(err, ATLS_E_TRUNCATED, "FILE", "%s: the file is empty", path);
    }
    *out = (cli_evidence){.quote = file, .event_log = atls_bytes_empty(), .client_data = atls_bytes_empty()};
    if (first_word(file) == '{') {
        return load_object(file, a, out, err);
    }
    return atls_armour_decode(file, a, &out->quote, err);
}

/* certificates reads a DER certificate or a text of PEM blocks. What a DER file holds is looked at by who uses it. */
static bool certificates(const char *path, const char *field, atls_arena *a, atls_bytes *out, size_t max, size_t *n,
                         atls_error *err)
{
    atls_bytes file;
    if (!cli_read(path, field, MAX_CERT_FILE, a, &file, err)) {
        return false;
    }
    if (file.len > 0 && file.ptr[0] == 0x30) {
        out[0] = file;
        *n = 1;
        return max > 0;
    }
    return atls_pem_certificates(file, false, ATLS_E_USAGE, field, a, out, max, n, err);
}

bool cli_roots_load(const cli_list *roots, atls_arena *a, atls_bytes out[CLI_MAX_ROOTS], size_t *n, atls_error *err)
{
    *n = 0;
    for (size_t i = 0; i < roots->n; i++) {
        size_t found = 0;
        if (*n == CLI_MAX_ROOTS) {
            return atls_fail(err, ATLS_E_USAGE, "--root", "more than %u roots", CLI_MAX_ROOTS);
        }
        if (!certificates(roots->items[i], "--root", a, out + *n, CLI_MAX_ROOTS - *n, &found, err)) {
            return false;
        }
        *n += found;
    }
    return true;
}

/* Without a policy: genuine, and nothing is known about which code runs. */
static const struct {
    const char *kind;
    const char *policy;
} defaults[] = {
    {"tdx", "{\"type\":\"tdx\"}"},         {"sgx", "{\"type\":\"sgx\"}"},
    {"sev_snp", "{\"type\":\"sev_snp\"}"}, {"tpm", "{\"type\":\"tpm\",\"insecure_accept_any_measurement\":true}"},
    {"nitro", "{\"type\":\"nitro\"}"},
};

static bool policy_text(const char *path, const char *kind, atls_arena *a, atls_bytes *out, atls_error *err)
{
    if (path != NULL && kind != NULL) {
        return atls_fail(err, ATLS_E_USAGE, "--kind", "the policy file says its kind already");
    }
    if (path != NULL) {
        return cli_read(path, "--policy", (size_t)ATLS_MAX_POLICY_LEN, a, out, err);
    }
    if (kind != NULL && (strcmp(kind, "android_key") == 0 || strcmp(kind, "apple_app_attest") == 0)) {
        return atls_fail(err, ATLS_E_USAGE, "--policy", "a phone's key is judged by a policy that names apps");
    }
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++) {
        if (strcmp(kind == NULL ? "tdx" : kind, defaults[i].kind) == 0) {
            *out = atls_bytes_str(defaults[i].policy);
            return true;
        }
    }
    return atls_fail(err, ATLS_E_USAGE, "--kind", "wants tdx, sgx, sev_snp, tpm or nitro");
}

bool cli_policy_load(const char *path, const char *kind, const cli_list *roots, atls_arena *a, atls_policy **out,
                     atls_error *err)
{
    atls_bytes text = atls_bytes_empty(), der[CLI_MAX_ROOTS];
    size_t n = 0;
    if (!policy_text(path, kind, a, &text, err) || !cli_roots_load(roots, a, der, &n, err)) {
        return false;
    }
    const bool ok = n == 0 ? atls_policy_parse(text, out, err) : atls_policy_parse_with_roots(text, der, n, out, err);
    return ok || (path != NULL && cli_name_file(path, err));
}

bool cli_endorsements_load(const cli_list *paths, atls_arena *a, cli_endorsements *out, atls_error *err)
{
    static const cli_bundle_words nobody = {.state = NULL};
    return cli_endorsements_load_signed(paths, &nobody, a, out, err);
}

static bool open_bundle(atls_bytes file, const cli_bundle_words *w, atls_arena *a, cli_endorsements *out,
                        atls_error *err)
{
    if (out->signed_bundle.n_pieces > 0) {
        return atls_fail(err, ATLS_E_USAGE, "--endorsements", "more than one signed bundle");
    }
    return cli_bundle_open(file, "--endorsements", w, a, &out->signed_bundle, err);
}

/* A bundle has its own door, and a pipe can be read once, and says what it is only then. */
static bool load_whole(const char *path, const cli_bundle_words *w, atls_arena *a, cli_endorsements *out,
                       atls_error *err)
{
    atls_bytes file;
    if (!cli_read(path, "--endorsements", (size_t)ATLS_BUNDLE_MAX_LEN, a, &file, err)) {
        return false;
    }
    return atls_bundle_is(file) ? open_bundle(file, w, a, out, err) : atls_endorsements_add(file, a, &out->value, err);
}

bool cli_endorsements_load_signed(const cli_list *paths, const cli_bundle_words *w, atls_arena *a,
                                  cli_endorsements *out, atls_error *err)
{
    *out = (cli_endorsements){.present = paths->n > 0};
    for (size_t i = 0; i < paths->n; i++) {
        const char *path = paths->items[i];
        if (!cli_exists(path, "--endorsements", err)) {
            return false;
        }
        if (!(cli_bundle_at(path) || cli_is_pipe(path) ? load_whole(path, w, a, out, err)
                                                       : atls_endorsements_load_more(path, a, &out->value, err))) {
            return cli_name_file(path, err);
        }
    }
    return true;
}

static bool join(const atls_bytes *a, size_t n, const atls_bytes *b, size_t m, size_t most, atls_arena *arena,
                 const atls_bytes **out, size_t *n_out, atls_error *err)
{
    if (n + m > most) {
        return atls_fail(err, ATLS_E_LIMIT, "endorsements", "more than %zu", most);
    }
    atls_bytes *all = atls_arena_array(arena, n + m + 1, sizeof *all, err);
    if (all == NULL) {
        return false;
    }
    for (size_t i = 0; i < n + m; i++) {
        all[i] = i < n ? a[i] : b[i - n];
    }
    *out = all;
    *n_out = n + m;
    return true;
}

static bool join_piles(const atls_certificate_pile *a, const atls_certificate_pile *b, atls_arena *arena,
                       atls_certificate_pile *out, atls_error *err)
{
    return join(a->certificates, a->n_certificates, b->certificates, b->n_certificates, ATLS_MAX_PILE_CERTIFICATES,
                arena, &out->certificates, &out->n_certificates, err)
           && join(a->crls, a->n_crls, b->crls, b->n_crls, ATLS_MAX_PILE_CRLS, arena, &out->crls, &out->n_crls, err);
}

/* What the bundle has for this request, and the files. Of certificates and lists the rooms pick; a bundle that has nothing is
 * no reason to refuse what the files have. */
static bool endorse_both(cli_endorsements *e, const atls_endorsement_request *request, atls_arena *arena,
                         atls_endorsements *out, atls_error *err)
{
    const atls_certificate_pile *pile = &e->value.pile;
    const bool has_files = e->value.platform != ATLS_PLATFORM_NONE || pile->n_certificates + pile->n_crls > 0
                           || e->value.android.list.len > 0;
    atls_error why = {.code = ATLS_OK};
    if (!atls_bundle_endorse(&e->signed_bundle, request, arena, out, has_files ? &why : err)) {
        if (!has_files || why.code != ATLS_E_ENDORSEMENTS_MISSING) {
            *err = has_files ? why : *err;
            return false;
        }
        *out = (atls_endorsements){.insecure_older = e->signed_bundle.insecure_older};
    }
    if (e->value.platform != ATLS_PLATFORM_NONE) {
        out->platform = e->value.platform;
        out->dcap = e->value.dcap;
    }
    if (e->value.android.list.len > 0) {
        out->android = e->value.android;
    }
    const atls_certificate_pile packed = out->pile;
    return join_piles(&packed, pile, arena, &out->pile, err);
}

static bool given(cli_endorsements *e, const atls_endorsement_request *request, atls_arena *arena,
                  atls_endorsements *out, atls_error *err)
{
    *out = e->value;
    return e->signed_bundle.n_pieces == 0 || endorse_both(e, request, arena, out, err);
}

/* Nothing is fetched that is at hand; what is too old is refused, and said. */
static bool is_at_hand(const atls_endorsement_request *request, const atls_endorsements *e)
{
    const bool is_intel = request->platform == ATLS_PLATFORM_TDX || request->platform == ATLS_PLATFORM_SGX;
    return (is_intel && e->platform != ATLS_PLATFORM_NONE)
           || (request->platform == ATLS_PLATFORM_ANDROID && e->android.list.len > 0);
}

/* What is at hand for this request, and where that has no collateral, what can be fetched. */
static bool fetch(cli_endorsements *e, const atls_endorsement_request *request, atls_arena *arena,
                  atls_endorsements *out, atls_error *err)
{
    atls_endorsements fetched;
    atls_error why = {.code = ATLS_OK};
    if (!given(e, request, arena, out, &why)) {
        if (why.code != ATLS_E_ENDORSEMENTS_MISSING) {
            *err = why;
            return false;
        }
        *out = (atls_endorsements){0};
        atls_error_clear(&why);
    }
    if (is_at_hand(request, out)) {
        return true;
    }
    if (!atls_fetcher_endorse(e->fetcher, request, arena, &fetched, &why)) {
        const bool is_intel = request->platform == ATLS_PLATFORM_TDX || request->platform == ATLS_PLATFORM_SGX;
        if (!is_intel && atls_source_is_open(why.code) && out->pile.n_certificates + out->pile.n_crls > 0) {
            e->not_fetched = why; /* the files may do, and a list among them may revoke */
            return true;
        }
        *err = why;
        return false;
    }
    if (fetched.platform != ATLS_PLATFORM_NONE) {
        out->platform = fetched.platform;
        out->dcap = fetched.dcap;
    }
    out->android = fetched.android.list.len > 0 ? fetched.android : out->android;
    const atls_certificate_pile at_hand = out->pile;
    return join_piles(&at_hand, &fetched.pile, arena, &out->pile, err);
}

bool cli_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                 atls_error *err)
{
    cli_endorsements *e = ctx;
    if (e->fetcher != NULL) {
        return fetch(e, request, arena, out, err);
    }
    if (!e->present) {
        return atls_fail(err, ATLS_E_ENDORSEMENTS_MISSING, "endorsements",
                         "none were given (--endorsements), and nobody may be asked for them (--fetch)");
    }
    return given(e, request, arena, out, err);
}

/* The message of the appraisal says what is missing; with it goes why nobody gave it. */
void cli_endorse_explain(const cli_endorsements *e, atls_error *err)
{
    char words[sizeof err->message];
    if (err->code != ATLS_E_ENDORSEMENTS_MISSING || e->not_fetched.code == ATLS_OK) {
        return;
    }
    (void)snprintf(words, sizeof words, "%.80s%snot fetched: %.60s", err->message, err->message[0] == '\0' ? "" : "; ",
                   e->not_fetched.message);
    memcpy(err->message, words, sizeof words);
}

bool cli_leaf_sha256(const char *path, const char *field, atls_arena *a, uint8_t out[32], atls_error *err)
{
    atls_bytes certs[ATLS_MAX_PEM_CERTS];
    atls_crypto *crypto = NULL;
    atls_cert decoded;
    size_t n = 0;
    if (!certificates(path, field, a, certs, ATLS_MAX_PEM_CERTS, &n, err)) {
        return false;
    }
    if (!atls_cert_decode(certs[0], "certificate", &decoded, err)) {
        return atls_error_relabel(err, ATLS_E_USAGE, field);
    }
    if (!atls_crypto_new(&crypto, err)) {
        return false;
    }
    bool ok = atls_digest(crypto, ATLS_SHA256, &certs[0], 1, out, err);
    atls_crypto_free(crypto);
    return ok;
}

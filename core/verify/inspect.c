/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.c: guesses what a file holds, and shows it.
 *
 * A guess is a question with a yes or no answer about the first bytes, or about the members of a JSON object; decoding
 * comes after the guess, so that the error of a broken quote is a quote's error. What fits no question, or two, is
 * UNSUPPORTED: nobody is helped by the wrong picture. */
#include "inspect.h"

#include <string.h>

#include "atls/verifier.h"
#include "base/der.h"
#include "base/limits.h"
#include "base/text.h"
#include "evidence/android/android.h"
#include "evidence/dcap/dcap.h"
#include "evidence/dstack/dstack.h"
#include "guess.h"
#include "recognise.h"
#include "registry.h"

/* ---- questions about bytes ---- */

static bool begins(atls_bytes in, size_t offset, const char *text)
{
    const size_t n = strlen(text);
    return in.len >= offset + n && memcmp(in.ptr + offset, text, n) == 0;
}

/* The first record of a TCG2 log says so, 32 bytes in. */
static bool is_ccel(atls_bytes in)
{
    return begins(in, 32, "Spec ID Event03");
}

static bool is_pem_certificates(atls_bytes in)
{
    return begins(in, 0, "-----BEGIN CERTIFICATE-----");
}

static bool is_pem_crl(atls_bytes in)
{
    return begins(in, 0, "-----BEGIN X509 CRL-----");
}

/* Certificate and CertificateList are both a SEQUENCE in a SEQUENCE; the version tells them apart: [0] or INTEGER. */
static bool open_tbs(atls_bytes in, atls_error *ignored, atls_cur *tbs)
{
    atls_cur c;
    atls_cur outer;
    atls_cur_init(&c, in, "", ignored);
    return atls_der_nested(&c, "outer", ATLS_DER_SEQUENCE, &outer)
           && atls_der_nested(&outer, "inner", ATLS_DER_SEQUENCE, tbs);
}

/* A certificate without a version has INTEGER, algorithm, issuer, validity; a list has a date where that has validity. */
static bool is_first_version(atls_cur tbs)
{
    return atls_der_any(&tbs, "serial", NULL, NULL, NULL) && atls_der_any(&tbs, "algorithm", NULL, NULL, NULL)
           && atls_der_any(&tbs, "issuer", NULL, NULL, NULL) && atls_der_peek(&tbs, ATLS_DER_SEQUENCE);
}

static bool is_der_certificate(atls_bytes in)
{
    atls_error ignored = {0};
    atls_cur tbs;
    return open_tbs(in, &ignored, &tbs)
           && (atls_der_peek(&tbs, ATLS_DER_CONTEXT_CONS(0))
               || (atls_der_peek(&tbs, ATLS_DER_INTEGER) && is_first_version(tbs)));
}

static bool is_der_crl(atls_bytes in)
{
    atls_error ignored = {0};
    atls_cur tbs;
    return open_tbs(in, &ignored, &tbs) && atls_der_peek(&tbs, ATLS_DER_INTEGER) && !is_first_version(tbs);
}

/* ---- questions about JSON ---- */

static bool has(const atls_json *v, const char *name)
{
    return atls_json_find(v, name) != NULL;
}

static bool is_event_array(const atls_json *v)
{
    return v->type == ATLS_JSON_ARRAY;
}

static bool is_response(const atls_json *v)
{
    return has(v, "quote");
}

static bool is_bundle(const atls_json *v)
{
    return has(v, "tcb_info") || has(v, "qe_identity");
}

static bool is_tcb_info(const atls_json *v)
{
    return has(v, "tcbInfo") || (has(v, "tcbLevels") && has(v, "fmspc"));
}

static bool is_qe_identity(const atls_json *v)
{
    return has(v, "enclaveIdentity") || (has(v, "tcbLevels") && has(v, "mrsigner"));
}

/* ---- evidence that only its room can show ---- */

static bool inspect_room(inspection *i, atls_platform platform)
{
    const atls_format *room = atls_registry_format(platform);
    const void *evidence = NULL;
    if (room == NULL) {
        return atls_fail(i->err, ATLS_E_UNSUPPORTED, "file", "no room shows evidence of %s",
                         atls_platform_name(platform));
    }
    return room->decode(i->file, i->arena, &evidence, i->err) && room->inspect(evidence, &i->w, i->arena, i->err);
}

static bool inspect_sev_snp(inspection *i)
{
    return inspect_room(i, ATLS_PLATFORM_SEV_SNP);
}

static bool inspect_nitro(inspection *i)
{
    return inspect_room(i, ATLS_PLATFORM_NITRO);
}

static bool inspect_apple(inspection *i)
{
    return inspect_room(i, ATLS_PLATFORM_APPLE);
}

static bool inspect_tpm(inspection *i)
{
    return inspect_room(i, ATLS_PLATFORM_TPM);
}

/* The record, and of PEM the certificates as any others: what else stands in them. */
static bool inspect_android(inspection *i)
{
    return inspect_room(i, ATLS_PLATFORM_ANDROID)
           && (!is_pem_certificates(i->file) || atls_inspect_pem_certificates(i));
}

static bool is_status_list(const atls_json *v)
{
    return has(v, "entries");
}

static bool inspect_status_list(inspection *i)
{
    const atls_android_list *list = NULL;
    if (!atls_android_list_compile(i->file, i->arena, &list, i->err)) {
        return false;
    }
    atls_jw_uint(&i->w, "entries", atls_android_list_len(list));
    return true;
}

/* ---- the table ---- */

typedef struct guess {
    const char *kind;
    bool (*fits_bytes)(atls_bytes in); /* one of the two */
    bool (*fits_json)(const atls_json *v);
    bool (*show)(inspection *i);
} guess;

static const guess guesses[] = {
    {"quote", atls_looks_like_quote, NULL, atls_inspect_quote},
    {"sev_snp_report", atls_looks_like_sev_snp, NULL, inspect_sev_snp},
    {"nitro_document", atls_looks_like_nitro, NULL, inspect_nitro},
    {"apple_attestation", atls_looks_like_apple, NULL, inspect_apple},
    {"tpm_quotes", atls_looks_like_tpm, NULL, inspect_tpm},
    {"tpm_quotes", NULL, atls_looks_like_tpm_json, inspect_tpm},
    {"event_log", is_ccel, NULL, atls_inspect_event_log},
    {"certificates", is_pem_certificates, NULL, atls_inspect_pem_certificates},
    {"crl", is_pem_crl, NULL, atls_inspect_pem_crl},
    {"certificates", is_der_certificate, NULL, atls_inspect_der_certificate},
    {"crl", is_der_crl, NULL, atls_inspect_der_crl},
    {"event_log", NULL, is_event_array, atls_inspect_event_log},
    {"android_status_list", NULL, is_status_list, inspect_status_list},
    {"dstack_response", NULL, is_response, atls_inspect_response},
    {"collateral_bundle", NULL, is_bundle, atls_inspect_bundle},
    {"tcb_info", NULL, is_tcb_info, atls_inspect_tcb_info},
    {"qe_identity", NULL, is_qe_identity, atls_inspect_qe_identity},
};

static bool fits(const guess *g, const inspection *i)
{
    return i->json == NULL ? g->fits_bytes != NULL && g->fits_bytes(i->file)
                           : g->fits_json != NULL && g->fits_json(i->json);
}

/* What no decoder of ours reads may still have a name. JSON is not one: every JSON file begins like that. */
static bool is_known_blob(const inspection *i, atls_error *err)
{
    atls_recognised r;
    bool found;
    return i->json == NULL && atls_recognise_blob(i->file, i->arena, &r, &found, err) && found;
}

static const guess *find_guess(inspection *i)
{
    static const guess blob = {"recognised", NULL, NULL, atls_inspect_blob};
    /* also certificates, or an array: what is in them says more */
    static const guess phone = {"android_key_attestation", NULL, NULL, inspect_android};
    const guess *found = NULL;
    if (android_looks_like(i->file, i->arena) > 1) {
        return &phone;
    }
    for (size_t k = 0; k < sizeof guesses / sizeof guesses[0]; k++) {
        if (!fits(&guesses[k], i)) {
            continue;
        }
        if (found != NULL) {
            (void)atls_fail(i->err, ATLS_E_UNSUPPORTED, "file", "it could be a %s as well as a %s", found->kind,
                            guesses[k].kind);
            return NULL;
        }
        found = &guesses[k];
    }
    if (found == NULL && is_known_blob(i, i->err)) {
        return &blob;
    }
    if (found == NULL) {
        (void)atls_fail(i->err, ATLS_E_UNSUPPORTED, "file", "not a quote, endorsements, a response or an event log");
    }
    return found;
}

/* ---- how the file is written ---- */

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static atls_bytes trim(atls_bytes in)
{
    size_t start = 0;
    size_t end = in.len;
    while (start < end && is_space(in.ptr[start])) {
        start++;
    }
    while (end > start && is_space(in.ptr[end - 1])) {
        end--;
    }
    return atls_bytes_of(in.ptr + start, end - start);
}

/* White space around text is nobody's; binary files are taken as they are. Hex and base64 text is what it spells. */
static bool open_file(inspection *i, atls_bytes file)
{
    const atls_bytes text = trim(file);
    i->file = file;
    if (text.len == 0) {
        return true;
    }
    if (text.ptr[0] == '{' || text.ptr[0] == '[') {
        i->file = text;
        return atls_json_parse_wide(text, "file", i->arena, &i->json, i->err);
    }
    if (text.ptr[0] == '-') {
        i->file = text;
        return true;
    }
    return atls_armour_decode(file, i->arena, &i->file, i->err);
}

/* ---- evidence ---- */

static bool show_quote(inspection *i, atls_bytes quote)
{
    const void *evidence = NULL;
    return dcap_format()->decode(quote, i->arena, &evidence, i->err)
           && dcap_format()->inspect(evidence, &i->w, i->arena, i->err);
}

bool atls_inspect_nested_quote(inspection *i, const char *name, atls_bytes quote)
{
    const void *evidence = NULL;
    atls_error why = {.code = ATLS_OK};
    atls_jw_open(&i->w, name, '{');
    atls_jw_bool(&i->w, "unverified", true);
    bool ok = dcap_format()->decode(quote, i->arena, &evidence, &why);
    if (ok) {
        ok = dcap_format()->inspect(evidence, &i->w, i->arena, i->err);
    } else if (why.code == ATLS_E_MEMORY) {
        *i->err = why;
    } else {
        atls_jw_str(&i->w, "problem", why.message);
        atls_jw_str(&i->w, "field", why.field);
        ok = true;
    }
    atls_jw_close(&i->w, '}');
    return ok;
}

bool atls_inspect_quote(inspection *i)
{
    return show_quote(i, i->file);
}

bool atls_inspect_event_log(inspection *i)
{
    dstack_log log;
    return dstack_log_decode(i->file, i->arena, &log, i->err)
           && dstack_log_inspect(i->crypto, &log, &i->w, i->arena, i->err);
}

bool atls_inspect_response(inspection *i)
{
    atls_dstack_response response;
    if (!atls_dstack_response_decode(i->file, i->arena, &response, i->err)
        || !dstack_response_inspect(i->crypto, &response, &i->w, i->arena, i->err)) {
        return false;
    }
    atls_jw_open(&i->w, "quote", '{');
    const bool ok = show_quote(i, response.quote);
    atls_jw_close(&i->w, '}');
    return ok;
}

/* ---- the door ---- */

static bool inspect(inspection *i, atls_bytes file, atls_bytes *out)
{
    atls_buf buf;
    if (!open_file(i, file)) {
        return false;
    }
    const guess *g = find_guess(i);
    if (g == NULL) {
        return false;
    }
    atls_buf_init(&buf, i->arena, i->err);
    atls_jw_init(&i->w, &buf);
    atls_jw_open(&i->w, NULL, '{');
    atls_jw_bool(&i->w, "unverified", true);
    atls_jw_str(&i->w, "kind", g->kind);
    if (!g->show(i)) {
        return false;
    }
    atls_jw_close(&i->w, '}');
    return atls_buf_done(&buf, out);
}

bool atls_inspect_json(atls_bytes file, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    atls_crypto *crypto = NULL;
    if (file.len > ATLS_MAX_BUNDLE_LEN) {
        return atls_fail(err, ATLS_E_LIMIT, "file", "%zu bytes, at most %u are read", file.len, ATLS_MAX_BUNDLE_LEN);
    }
    if (!atls_crypto_new(&crypto, err)) {
        return false;
    }
    inspection i = {.crypto = crypto, .arena = arena, .err = err};
    const bool ok = inspect(&i, file, out);
    atls_crypto_free(crypto);
    return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* nsm.c: a request to the Nitro Security Module, its response, and a look at the document before it is handed out. */
#include "nsm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cbor_open.h"
#include "base/cbor_write.h"
#include "base/text.h"
#include "evidence/nitro/nitro.h"

#define MAX_NONCE      512u
#define MAX_PUBLIC_KEY 1024u

static const char field[] = "attester.nsm";

/* ---- messages ---- */

static void put_optional(atls_cw *w, const char *name, const atls_bytes *value)
{
    atls_cw_text(w, atls_bytes_str(name));
    if (value == NULL) {
        atls_cw_null(w);
    } else {
        atls_cw_bytes(w, *value);
    }
}

bool atls_nsm_request(atls_bytes user_data, const atls_bytes *nonce, const atls_bytes *public_key, atls_arena *arena,
                      atls_bytes *out, atls_error *err)
{
    atls_buf b;
    atls_cw w;
    atls_buf_init(&b, arena, err);
    atls_cw_init(&w, &b);
    atls_cw_map(&w, 1);
    atls_cw_text(&w, atls_bytes_str("Attestation"));
    atls_cw_map(&w, 3);
    put_optional(&w, "user_data", &user_data);
    put_optional(&w, "nonce", nonce);
    put_optional(&w, "public_key", public_key);
    return atls_buf_done(&b, out);
}

/* The module's words, and what they mean to whoever asked for a document. */
static bool fail_module(atls_bytes word, atls_error *err)
{
    static const struct {
        const char *word;
        const char *means;
    } known[] = {
        {"InvalidArgument", "the module refuses a value of the request"},
        {"InvalidOperation", "the module cannot do this in its present state"},
        {"InvalidResponse", "the module got no answer that it understands from the hypervisor"},
        {"InvalidIndex", "the module has no such register"},
        {"ReadOnlyIndex", "the register is locked"},
        {"BufferTooSmall", "the document does not fit into a response: ask with a shorter nonce or public key"},
        {"InputTooLarge", "the request is too long for the module"},
        {"InternalError", "the module failed inside: asking again may help"},
    };
    const char *means = "the module refuses, with a word that is not known here";
    char actual[64];
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (atls_bytes_equal_str(word, known[i].word)) {
            means = known[i].means;
        }
    }
    snprintf(actual, sizeof actual, "%.*s", (int)(word.len < 63 ? word.len : 63), (const char *)word.ptr);
    return atls_fail_values(err, ATLS_E_IO, field, "a document", actual, "%s", means);
}

/* The only pair of a map begins, or the map ends after it: both ask whether more follows. */
static bool expect_more(atls_cur *c, atls_cbor_group *g, bool wanted)
{
    bool more = false;
    return atls_cbor_more(c, "response", g, &more)
           && (more == wanted
               || atls_cur_fail(c, ATLS_E_ENCODING, "response", "one member", wanted ? "none" : "more", NULL));
}

static bool read_name(atls_cur *c, atls_cbor_group *g, atls_bytes *name)
{
    return atls_cbor_map_begin(c, "response", 1, g) && expect_more(c, g, true) && atls_cbor_text(c, "response", name);
}

static bool read_document(atls_cur *c, atls_bytes *document)
{
    atls_cbor_group g;
    atls_bytes name;
    if (!read_name(c, &g, &name)) {
        return false;
    }
    if (!atls_bytes_equal_str(name, "document")) {
        return atls_cur_fail(c, ATLS_E_ENCODING, "response.document", "document", "another member", NULL);
    }
    return atls_cbor_bytes(c, "response.document", document) && expect_more(c, &g, false);
}

static bool read_response(atls_cur *c, atls_bytes *document, atls_bytes *refusal)
{
    atls_cbor_group g;
    atls_bytes name;
    if (!read_name(c, &g, &name)) {
        return false;
    }
    const bool refused = atls_bytes_equal_str(name, "Error");
    if (!refused && !atls_bytes_equal_str(name, "Attestation")) {
        return atls_cur_fail(c, ATLS_E_ENCODING, "response", "Attestation or Error", "another member", NULL);
    }
    return (refused ? atls_cbor_text(c, "response.error", refusal) : read_document(c, document))
           && expect_more(c, &g, false) && atls_cur_end(c);
}

bool atls_nsm_response(atls_bytes response, atls_bytes *document, atls_error *err)
{
    atls_cur c;
    atls_bytes refusal = atls_bytes_empty();
    *document = atls_bytes_empty();
    atls_cur_init(&c, response, "", err);
    if (!read_response(&c, document, &refusal)) {
        return atls_error_relabel(err, ATLS_E_QUOTE, field);
    }
    if (refusal.len > 0) {
        return fail_module(refusal, err);
    }
    return document->len > 0 || atls_fail(err, ATLS_E_QUOTE, "attester.nsm.response.document", "the document is empty");
}

/* ---- what was made ---- */

static bool check_value(const atls_nitro_optional *got, const atls_bytes *wanted, const char *name, atls_error *err)
{
    if (wanted == NULL ? !got->present : got->present && atls_bytes_equal(got->value, *wanted)) {
        return true;
    }
    return atls_fail_bytes(err, ATLS_E_QUOTE, name, wanted == NULL ? atls_bytes_empty() : *wanted, got->value,
                           "the module made a document over another value than it was asked for");
}

/* Nobody should have to learn from a peer's refusal that the module answered somebody else's question. */
static bool check_document(atls_bytes document, atls_bytes user_data, const atls_nsm_options *o, atls_error *err)
{
    nitro_document d;
    if (!nitro_document_decode(document, &d, err)) {
        err->code = ATLS_E_QUOTE;
        err->category = atls_code_category(ATLS_E_QUOTE);
        return atls_error_relabel(err, ATLS_E_QUOTE, field);
    }
    return check_value(&d.user_data, &user_data, "attester.nsm.document.user_data", err)
           && check_value(&d.nonce, o->nonce, "attester.nsm.document.nonce", err)
           && check_value(&d.public_key, o->public_key, "attester.nsm.document.public_key", err);
}

/* ---- the call ---- */

static bool fail_transport(const atls_nsm_options *o, int reason, atls_error *err)
{
    char words[64];
    const char *device = o->device == NULL ? ATLS_NSM_DEVICE : o->device;
    const char *more = "";
    if (strerror_r(reason, words, sizeof words) != 0) {
        snprintf(words, sizeof words, "unknown error of the system");
    }
    if (reason == ENOENT || reason == ENXIO || reason == ENODEV) {
        more = ": this is no Nitro enclave, or its driver (nsm) is not loaded";
    } else if (reason == EACCES || reason == EPERM) {
        more = ": the device wants root (CAP_SYS_ADMIN)";
    } else if (reason == ENOTTY) {
        more = ": this is not the Nitro security module";
    }
    return atls_fail(err, reason == ETIMEDOUT || reason == EAGAIN ? ATLS_E_TIMEOUT : ATLS_E_IO, field, "%.60s: %s%s",
                     device, words, more);
}

static bool check_options(const atls_nsm_options *o, atls_error *err)
{
    if (o->nonce != NULL && o->nonce->len > MAX_NONCE) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "attester.nsm.nonce", "at most %u bytes", MAX_NONCE);
    }
    return o->public_key == NULL || o->public_key->len <= MAX_PUBLIC_KEY
           || atls_fail(err, ATLS_E_CONFIGURATION, "attester.nsm.public_key", "at most %u bytes", MAX_PUBLIC_KEY);
}

static bool ask(atls_nsm_options *o, atls_bytes request, atls_arena *arena, atls_bytes *response, atls_error *err)
{
    size_t len = ATLS_NSM_MAX_RESPONSE;
    uint8_t *room = atls_arena_raw(arena, len, err);
    if (room == NULL) {
        return false;
    }
    const int reason = o->transport != NULL ? o->transport(o->transport_ctx, request, room, &len)
                                            : atls_nsm_device(o, request, room, &len);
    if (reason != 0) {
        return fail_transport(o, reason, err);
    }
    *response = atls_bytes_of(room, len);
    return len <= ATLS_NSM_MAX_RESPONSE || atls_fail(err, ATLS_E_QUOTE, field, "the response is longer than its room");
}

bool atls_nsm_attest(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out, atls_error *err)
{
    atls_nsm_options defaults = {0};
    atls_nsm_options *o = ctx != NULL ? ctx : &defaults;
    const atls_bytes user_data = atls_bytes_of(report_data, 64);
    atls_bytes request;
    atls_bytes response = atls_bytes_empty();
    atls_bytes document = atls_bytes_empty();
    *out = (atls_evidence){atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    if (!check_options(o, err) || !atls_nsm_request(user_data, o->nonce, o->public_key, arena, &request, err)
        || !ask(o, request, arena, &response, err) || !atls_nsm_response(response, &document, err)
        || !check_document(document, user_data, o, err)) {
        return false;
    }
    out->quote = document;
    return true;
}

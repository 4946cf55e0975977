/* SPDX-License-Identifier: Apache-2.0 */
/* record_words.c: what stands in a recording for errors, questions and pieces of collateral: written and read here, so that
 * recorder and replay cannot drift. */
#include <string.h>

#include "base/json.h"
#include "record.h"

/* A member that is added to what an appraisal depends on must be recorded and replayed, or a recording may replay to
 * something else. These sizes are here so that nobody forgets: add it to record.c, record_read.c (or to the questions below) and
 * docs/record.md, a row to tests/evidence/test_android_record.c or tests/verify/test_record_members.c, and then the new size
 * here. A member that fills a hole does not show: look at every one. */
#define HAS_SIZE(type, size) _Static_assert(sizeof(void *) != 8 || sizeof(type) == (size), "recorded: see above")
HAS_SIZE(atls_appraisal, 248);
HAS_SIZE(atls_binding, 144);
HAS_SIZE(atls_endorsements, 248);
HAS_SIZE(atls_dcap_collateral, 160);
HAS_SIZE(atls_certificate_pile, 32);
HAS_SIZE(atls_android_status, 40);
HAS_SIZE(atls_endorsement_request, 72);
HAS_SIZE(atls_sev_snp_request, 40);
HAS_SIZE(atls_key_question, 64);
#undef HAS_SIZE

#define PIECE(name)                                                                                                    \
    {                                                                                                                  \
        "dcap." #name, offsetof(atls_dcap_collateral, name)                                                            \
    }
const atls_record_piece atls_record_pieces[ATLS_N_RECORD_PIECES] = {
    PIECE(pck_crl_issuer_chain),     PIECE(root_ca_crl), PIECE(pck_crl),
    PIECE(tcb_info_issuer_chain),    PIECE(tcb_info),    PIECE(tcb_info_signature),
    PIECE(qe_identity_issuer_chain), PIECE(qe_identity), PIECE(qe_identity_signature),
    PIECE(pck_certificate_chain),
};

/* ---- errors ---- */

enum { CODE, CATEGORY, PLATFORM, RETRY, UNSUPPORTED, FIELD, EXPECTED, ACTUAL, MESSAGE };

static atls_bytes text_of(const char *text, size_t size)
{
    const char *end = memchr(text, '\0', size);
    return atls_bytes_of(text, end == NULL ? size : (size_t)(end - text));
}

void atls_record_put_error(atls_box *b, const char *name, const atls_error *e)
{
    if (b->failed) {
        return;
    }
    atls_bytes *items = atls_arena_array(b->arena, ATLS_N_ERROR_ITEMS, sizeof *items, b->err);
    if (items == NULL) {
        b->failed = true;
        return;
    }
    items[CODE] = atls_bytes_str(atls_code_name(e->code));
    items[CATEGORY] = atls_bytes_str(atls_category_name(e->category));
    items[PLATFORM] = atls_bytes_str(atls_platform_name(e->platform));
    items[RETRY] = atls_bytes_str(e->retry ? "1" : "");
    items[UNSUPPORTED] = atls_bytes_str(e->unsupported ? "1" : "");
    items[FIELD] = text_of(e->field, sizeof e->field);
    items[EXPECTED] = text_of(e->expected, sizeof e->expected);
    items[ACTUAL] = text_of(e->actual, sizeof e->actual);
    items[MESSAGE] = text_of(e->message, sizeof e->message);
    atls_box_list(b, name, items, ATLS_N_ERROR_ITEMS);
}

static bool get_code(atls_bytes word, atls_error *out)
{
    for (unsigned i = 0; i < ATLS_N_CODES; i++) {
        if (atls_bytes_equal_str(word, atls_code_name((atls_code)i))) {
            out->code = (atls_code)i;
            return true;
        }
    }
    return false;
}

static bool get_category(atls_bytes word, atls_error *out)
{
    for (unsigned i = 0; i <= ATLS_CATEGORY_INTERNAL; i++) {
        if (atls_bytes_equal_str(word, atls_category_name((atls_category)i))) {
            out->category = (atls_category)i;
            return true;
        }
    }
    return false;
}

static bool get_platform(atls_bytes word, atls_error *out)
{
    for (unsigned i = 0; i < ATLS_N_PLATFORMS; i++) {
        if (atls_bytes_equal_str(word, atls_platform_name((atls_platform)i))) {
            out->platform = (atls_platform)i;
            return true;
        }
    }
    return false;
}

static bool get_flag(atls_bytes word, bool *out)
{
    *out = word.len == 1;
    return word.len == 0 || atls_bytes_equal_str(word, "1");
}

static bool get_text(atls_bytes word, char *out, size_t size)
{
    if (word.len >= size || memchr(word.ptr, '\0', word.len) != NULL) {
        return false;
    }
    memcpy(out, word.ptr, word.len);
    out[word.len] = '\0';
    return true;
}

bool atls_record_get_error(const atls_record_member *m, atls_error *out, atls_error *err)
{
    const atls_bytes *w = m->items;
    *out = (atls_error){0};
    const bool ok = m->type == ATLS_RECORD_LIST && m->n_items == ATLS_N_ERROR_ITEMS && get_code(w[CODE], out)
                    && get_category(w[CATEGORY], out) && get_platform(w[PLATFORM], out)
                    && get_flag(w[RETRY], &out->retry) && get_flag(w[UNSUPPORTED], &out->unsupported)
                    && get_text(w[FIELD], out->field, sizeof out->field)
                    && get_text(w[EXPECTED], out->expected, sizeof out->expected)
                    && get_text(w[ACTUAL], out->actual, sizeof out->actual)
                    && get_text(w[MESSAGE], out->message, sizeof out->message);
    return ok || atls_fail(err, ATLS_E_ENCODING, m->name, "not an error that this version of atls knows");
}

/* ---- questions ---- */

static void put_snp(atls_jw *w, const atls_sev_snp_request *s)
{
    atls_jw_str(w, "product", s->product == NULL ? "" : s->product);
    atls_jw_bool(w, "is_vlek", s->is_vlek);
    atls_jw_bool(w, "needs_leaf", s->needs_leaf);
    atls_jw_bool(w, "needs_chain", s->needs_chain);
    atls_jw_str(w, "chip_id", s->chip_id == NULL ? "" : s->chip_id);
    atls_jw_str(w, "tcb", s->tcb == NULL ? "" : s->tcb);
    atls_jw_hex(w, "reported_tcb", atls_bytes_of(s->reported_tcb, sizeof s->reported_tcb));
}

bool atls_record_question(const atls_endorsement_request *request, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    atls_buf buf;
    atls_jw w;
    atls_buf_init(&buf, arena, err);
    atls_jw_init(&w, &buf);
    atls_jw_open(&w, NULL, '{');
    atls_jw_str(&w, "platform", atls_platform_name(request->platform));
    if (request->platform == ATLS_PLATFORM_SEV_SNP) {
        put_snp(&w, &request->sev_snp);
    } else if (request->platform == ATLS_PLATFORM_TDX || request->platform == ATLS_PLATFORM_SGX) {
        atls_jw_bool(&w, "is_tdx", request->is_tdx);
        atls_jw_hex(&w, "fmspc", atls_bytes_of(request->fmspc, sizeof request->fmspc));
        atls_jw_str(&w, "pck_ca", request->pck_ca == NULL ? "" : request->pck_ca);
        atls_jw_bool(&w, "needs_pck_chain", request->needs_pck_chain);
    }
    atls_jw_close(&w, '}');
    return atls_buf_done(&buf, out);
}

bool atls_record_key_question(const atls_key_question *question, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    atls_buf buf;
    atls_jw w;
    atls_buf_init(&buf, arena, err);
    atls_jw_init(&w, &buf);
    atls_jw_open(&w, NULL, '{');
    atls_jw_str(&w, "platform", atls_platform_name(question->platform));
    atls_jw_str(&w, "variant", question->variant == NULL ? "" : question->variant);
    atls_jw_hex(&w, "public_area", question->public_area);
    atls_jw_hex(&w, "spki", question->spki);
    atls_jw_hex(&w, "instance_info", question->instance_info);
    atls_jw_close(&w, '}');
    return atls_buf_done(&buf, out);
}

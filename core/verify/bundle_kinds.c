/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_kinds.c: the table of pieces. What a bundle may hold, how many parts it has, and how long each may be. */
#include "bundle_kinds.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"

#define MAX_CHAIN_LEN     ((size_t)256 * 1024) /* ATLS_MAX_PEM_CERTS of the longest, in base64 */
#define MAX_SIGNATURE_LEN 256u                 /* 128 hex digits, and whatever an operator's tool wrote around them */
#define MAX_STATUS_LEN    ((size_t)16 * 1024 * 1024) /* as its reader has it */

static const bundle_kind kinds[] = {
    {BUNDLE_STATUS, 2, 1, {{"json", MAX_STATUS_LEN, false}, {"dates", BUNDLE_DATES_LEN, false}}},
    {BUNDLE_CERTIFICATE, 1, 0, {{"der", ATLS_MAX_CERT_LEN, false}}},
    {BUNDLE_CRL, 1, 0, {{"der", ATLS_MAX_CRL_LEN, false}}},
    {BUNDLE_PCK_CHAIN, 1, 0, {{"chain", MAX_CHAIN_LEN, false}}},
    {BUNDLE_PCK_CRL, 2, 0, {{"der", ATLS_MAX_CRL_LEN, false}, {"chain", MAX_CHAIN_LEN, true}}},
    {BUNDLE_QE_IDENTITY,
     3,
     0,
     {{"text", ATLS_MAX_SIGNED_JSON_LEN, false},
      {"signature", MAX_SIGNATURE_LEN, false},
      {"chain", MAX_CHAIN_LEN, false}}},
    {BUNDLE_ROOT_CA_CRL, 1, 0, {{"der", ATLS_MAX_CRL_LEN, false}}},
    {BUNDLE_TCB_INFO,
     3,
     0,
     {{"text", ATLS_MAX_SIGNED_JSON_LEN, false},
      {"signature", MAX_SIGNATURE_LEN, false},
      {"chain", MAX_CHAIN_LEN, false}}},
};

const bundle_kind *atls_bundle_kind(atls_bytes name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (atls_bytes_equal_str(name, kinds[i].name)) {
            return &kinds[i];
        }
    }
    return NULL;
}

int atls_bundle_order(const atls_bundle_piece *a, const atls_bundle_piece *b)
{
    const int order = strcmp(a->kind, b->kind);
    return order != 0 ? order : strcmp(a->subject, b->subject);
}

/* Letters, digits and three signs: a subject can be shown, compared and typed. */
static bool is_subject(const char *text)
{
    const size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        const char c = text[i];
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_letter && strchr("/._-", c) == NULL) {
            return false;
        }
    }
    return len > 0 && len <= BUNDLE_MAX_SUBJECT_LEN;
}

static bool check_part(const bundle_part *row, atls_bytes part, const char *at, atls_error *err)
{
    char field[64];
    (void)snprintf(field, sizeof field, "%s.%s", at, row->name);
    if (part.len == 0 && !row->may_be_empty) {
        return atls_fail(err, ATLS_E_COLLATERAL_FORMAT, field, "the part is empty");
    }
    return part.len <= row->max_len
           || atls_fail(err, ATLS_E_LIMIT, field, "the part has more than %zu bytes", row->max_len);
}

bool atls_bundle_check_piece(const atls_bundle_piece *p, size_t at, atls_error *err)
{
    char name[48];
    char field[64];
    const bundle_kind *kind = atls_bundle_kind(atls_bytes_str(p->kind));
    (void)snprintf(name, sizeof name, "bundle.pieces[%zu]", at);
    if (kind == NULL) {
        (void)snprintf(field, sizeof field, "%s.kind", name);
        return atls_fail_unsupported(err, ATLS_E_UNSUPPORTED, field, NULL, p->kind,
                                     "the bundle has a kind of piece that this program does not know");
    }
    if (!is_subject(p->subject)) {
        (void)snprintf(field, sizeof field, "%s.subject", name);
        return atls_fail(err, ATLS_E_COLLATERAL_FORMAT, field, "not 1 to %u letters, digits and / . _ -",
                         BUNDLE_MAX_SUBJECT_LEN);
    }
    if (p->n_parts > kind->n_parts || p->n_parts < kind->n_parts - kind->n_optional) {
        (void)snprintf(field, sizeof field, "%s.parts", name);
        return atls_fail(err, ATLS_E_COLLATERAL_FORMAT, field, "%s has %zu parts, not %zu", kind->name, kind->n_parts,
                         p->n_parts);
    }
    for (size_t i = 0; i < p->n_parts; i++) {
        if (!check_part(&kind->parts[i], p->parts[i], name, err)) {
            return false;
        }
    }
    bundle_dates ignored;
    (void)snprintf(field, sizeof field, "%s.dates", name);
    return strcmp(p->kind, BUNDLE_STATUS) != 0 || atls_bundle_dates(p, &ignored)
           || atls_fail(err, ATLS_E_COLLATERAL_FORMAT, field, "not two dates up to the year 9999, one of them known");
}

/* ---- dates of a status list ---- */

static bool is_date(atls_time t)
{
    return t == ATLS_TIME_UNSET || (t > ATLS_TIME_UNSET && t <= (atls_time)BUNDLE_MAX_MADE);
}

static atls_time date_at(const uint8_t in[static 8])
{
    uint64_t n = 0;
    for (size_t i = 0; i < 8; i++) {
        n = n << 8 | in[i];
    }
    return n > BUNDLE_MAX_MADE ? -1 : (atls_time)n;
}

/* Dates that say nothing are left out, so that a content has one encoding. */
bool atls_bundle_dates(const atls_bundle_piece *p, bundle_dates *out)
{
    *out = (bundle_dates){.fetched = ATLS_TIME_UNSET, .expires = ATLS_TIME_UNSET};
    if (p->n_parts < 2) {
        return true;
    }
    if (p->parts[1].len != BUNDLE_DATES_LEN) {
        return false;
    }
    out->fetched = date_at(p->parts[1].ptr);
    out->expires = date_at(p->parts[1].ptr + 8);
    return is_date(out->fetched) && is_date(out->expires)
           && (out->fetched != ATLS_TIME_UNSET || out->expires != ATLS_TIME_UNSET);
}

bool atls_bundle_put_dates(const bundle_dates *dates, uint8_t out[static BUNDLE_DATES_LEN])
{
    for (size_t i = 0; i < 8; i++) {
        out[i] = (uint8_t)((uint64_t)dates->fetched >> (56 - 8 * i));
        out[8 + i] = (uint8_t)((uint64_t)dates->expires >> (56 - 8 * i));
    }
    return is_date(dates->fetched) && is_date(dates->expires);
}

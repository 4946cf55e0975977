/* SPDX-License-Identifier: Apache-2.0 */
/* forecast_dates.c: the dates that could matter: of what vouches for the hardware, and of the certificates in the evidence.
 *
 * Where to look is a guess, and may find too few: the forecast itself finds a day of refusal without any of them (forecast.c).
 * They say why, and save it the search. */
#include <string.h>

#include "atls/bundle.h"
#include "base/text.h"
#include "forecast.h"
#include "pki/cert.h"

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END   "-----END CERTIFICATE-----"

bool atls_forecast_note(forecast_dates *d, atls_time time, const char *what, bool is_evidence, atls_error *err)
{
    if (what == NULL) {
        return false; /* err is set */
    }
    if (time <= ATLS_TIME_UNSET || d->n == ATLS_FORECAST_MAX_DATES) {
        return true;
    }
    if (d->items == NULL) {
        d->items = atls_arena_array(d->arena, ATLS_FORECAST_MAX_DATES, sizeof *d->items, err);
    }
    if (d->items == NULL) {
        return false;
    }
    size_t at = d->n;
    for (size_t i = 0; i < d->n; i++) {
        if (d->items[i].time == time && strcmp(d->items[i].what, what) == 0) {
            return true;
        }
        at = at == d->n && d->items[i].time > time ? i : at;
    }
    memmove(d->items + at + 1, d->items + at, (d->n - at) * sizeof *d->items);
    d->items[at] = (atls_forecast_date){.time = time, .what = what, .is_evidence = is_evidence};
    d->n++;
    return true;
}

/* ---- endorsements: the pieces that a bundle would have of them ---- */

static bool note_piece(forecast_dates *d, const atls_bundle_piece *piece, atls_error *err)
{
    atls_piece_facts f;
    atls_error why = {.code = ATLS_OK};
    if (!atls_bundle_piece_describe(piece, d->arena, &f, &why)) {
        return true;
    }
    return atls_forecast_note(d, f.until, atls_text_format(d->arena, err, "%s of the %s", f.until_name, f.what), false,
                              err)
           && (f.chain_until == ATLS_TIME_UNSET
               || atls_forecast_note(
                   d, f.chain_until,
                   atls_text_format(d->arena, err, "notAfter of %s, in the chain of the %s", f.chain_until_who, f.what),
                   false, err));
}

static bool note_endorsements(forecast_dates *d, const atls_endorsements *e, atls_error *err)
{
    atls_bundle_pieces pieces;
    atls_error why = {.code = ATLS_OK};
    atls_bundle_pieces_init(&pieces, d->arena);
    const bool all = atls_bundle_add(&pieces, e, &why);
    (void)all; /* what could be read is there */
    for (size_t i = 0; i < pieces.n; i++) {
        if (!note_piece(d, &pieces.items[i], err)) {
            return false;
        }
    }
    return true;
}

/* ---- evidence: certificates, wherever they stand in it ---- */

static bool note_certificate(forecast_dates *d, const atls_cert *cert, atls_error *err)
{
    const char *subject = atls_name_text(cert->subject, d->arena, err);
    return subject != NULL
           && atls_forecast_note(
               d, cert->not_after,
               atls_text_format(d->arena, err, "notAfter of the certificate of %s, in the evidence", subject), true,
               err);
}

/* The certificate that begins at an offset; false when none does. */
static bool certificate_at(atls_bytes in, size_t at, atls_cert *out)
{
    atls_error why = {.code = ATLS_OK};
    if (in.len - at < 4 || in.ptr[at] != 0x30 || in.ptr[at + 1] != 0x82) {
        return false;
    }
    const size_t len = 4 + ((size_t)in.ptr[at + 2] << 8 | in.ptr[at + 3]);
    return len <= in.len - at && atls_cert_decode(atls_bytes_of(in.ptr + at, len), "", out, &why);
}

static bool scan_der(forecast_dates *d, atls_bytes in, atls_error *err)
{
    for (size_t at = 0; at < in.len; at++) {
        atls_cert cert;
        if (!certificate_at(in, at, &cert)) {
            continue;
        }
        if (!note_certificate(d, &cert, err)) {
            return false;
        }
        at += cert.der.len - 1;
    }
    return true;
}

static bool find_text(atls_bytes in, size_t from, const char *text, size_t *at)
{
    const size_t n = strlen(text);
    for (size_t i = from; in.len >= n && i <= in.len - n; i++) {
        if (in.ptr[i] == (uint8_t)text[0] && memcmp(in.ptr + i, text, n) == 0) {
            *at = i;
            return true;
        }
    }
    return false;
}

static bool scan_pem(forecast_dates *d, atls_bytes in, atls_error *err)
{
    size_t begin;
    size_t end;
    for (size_t from = 0; find_text(in, from, BEGIN, &begin) && find_text(in, begin, END, &end);
         from = end + strlen(END)) {
        atls_bytes der;
        atls_cert cert;
        atls_error why = {.code = ATLS_OK};
        const atls_bytes base64 = atls_bytes_of(in.ptr + begin + strlen(BEGIN), end - begin - strlen(BEGIN));
        if (atls_base64_decode(base64, true, "certificate", d->arena, &der, &why)
            && atls_cert_decode(der, "", &cert, &why) && !note_certificate(d, &cert, err)) {
            return false;
        }
    }
    return true;
}

bool atls_forecast_gather(const forecast_source *source, atls_bytes evidence, atls_arena *arena, forecast_dates *out,
                          atls_error *err)
{
    *out = (forecast_dates){.arena = arena};
    for (size_t i = 0; i < source->n; i++) {
        if (source->answers[i].found && !note_endorsements(out, &source->answers[i].endorsements, err)) {
            return false;
        }
    }
    return scan_der(out, evidence, err) && scan_pem(out, evidence, err);
}

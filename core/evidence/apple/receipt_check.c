/* SPDX-License-Identifier: Apache-2.0 */
/* receipt_check.c: a receipt by itself, renewed or not: section 5, in the order of its checks. */
#include "apple.h"

#define MS_PER_S INT64_C(1000)

typedef struct check {
    const atls_apple_receipt_check *in;
    const atls_crypto *crypto;
    atls_arena *arena;
    apple_receipt receipt;
    int64_t at_ms;
    atls_error *err;
} check;

static bool check_time_given(check *k)
{
    if (k->in->now == ATLS_TIME_UNSET || k->in->now > INT64_MAX / 2000 || k->in->now < -INT64_MAX / 2000
        || k->in->now_ms > 999) {
        return atls_fail(k->err, ATLS_E_USAGE, "now", "the time of the check is not set, or no time");
    }
    k->at_ms = k->in->now * MS_PER_S + (int64_t)k->in->now_ms;
    return true;
}

static bool check_app(const check *k)
{
    return atls_bytes_equal(k->in->app_id, k->receipt.payload.app_id)
           || atls_fail(k->err, ATLS_E_APPLE_RECEIPT, "receipt.appId", "the receipt is of another app");
}

static bool check_age(const check *k)
{
    return k->at_ms - (int64_t)k->in->max_age_s * MS_PER_S <= k->receipt.payload.creation_ms
           || atls_fail(k->err, ATLS_E_APPLE_STATEMENT_TIME, "receipt.creationTime", "the receipt is too old");
}

static bool check_key(const check *k)
{
    static const char field[] = "receipt.attestedCertificate";
    const atls_bytes wanted = atls_bytes_of(k->in->public_key, sizeof k->in->public_key);
    return (k->receipt.key.kind == ATLS_KEY_P256 && atls_bytes_equal(k->receipt.key.point, wanted))
           || atls_fail(k->err, ATLS_E_APPLE_RECEIPT, field, "the receipt is about another key");
}

static bool check_signer(const check *k)
{
    const atls_cert *signer;
    apple_roots roots;
    apple_receipt_roots(k->in->policy == NULL ? NULL : &k->in->policy->apple, &roots);
    return apple_receipt_signature(&k->receipt, k->crypto, k->arena, &signer, k->err)
           && apple_receipt_chain(&k->receipt, signer, k->crypto, roots.items, roots.n, k->at_ms, k->arena, k->err);
}

static bool check_all(check *k, atls_apple_receipt *out)
{
    if (!check_time_given(k) || !apple_receipt_decode(k->in->receipt, k->arena, &k->receipt, k->err) || !check_app(k)
        || !check_age(k) || !check_key(k) || !check_signer(k)) {
        return false;
    }
    *out = k->receipt.payload;
    return atls_digest(k->crypto, ATLS_SHA256, &k->receipt.spki, 1, out->spki_sha256, k->err);
}

bool atls_apple_receipt_verify(const atls_apple_receipt_check *in, atls_arena *arena, atls_apple_receipt *out,
                               atls_error *err)
{
    atls_crypto *crypto;
    check k = {.in = in, .arena = arena, .err = err};
    *out = (atls_apple_receipt){.creation_ms = 0};
    if (!atls_crypto_new(&crypto, err)) {
        return false;
    }
    k.crypto = crypto;
    const bool ok = check_all(&k, out);
    atls_crypto_free(crypto);
    if (!ok) {
        *out = (atls_apple_receipt){.creation_ms = 0};
    }
    return ok;
}

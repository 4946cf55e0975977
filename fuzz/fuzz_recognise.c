/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_recognise: atls_cert_outline_read, atls_recognise_certificate, atls_recognise_blob. What is shown lies inside the
 * input, every format is called unverified, nothing malformed or ambiguous has a session, and what the strict reader
 * takes the lenient one sees in the same way. */
#include <string.h>

#include "fuzz.h"
#include "pki/cert.h"
#include "tests/verify/certificates.h"
#include "verify/recognise.h"

static bool inside(atls_bytes part, const uint8_t *data, size_t size)
{
    return part.len == 0 || (part.ptr >= data && part.len <= size && part.ptr <= data + (size - part.len));
}

static void compare(atls_bytes der, const atls_cert_outline *o)
{
    static atls_cert c;
    atls_error ignored = {.code = ATLS_OK};
    if (!atls_cert_decode(der, "certificate", &c, &ignored)) {
        return;
    }
    FUZZ_ASSERT(atls_bytes_equal(c.issuer, o->issuer) && atls_bytes_equal(c.subject, o->subject));
    FUZZ_ASSERT(c.not_before == o->not_before && c.not_after == o->not_after && c.key.kind == o->key);
    FUZZ_ASSERT(c.n_extensions == o->n_extensions && c.is_ca == o->is_ca);
    for (size_t i = 0; i < c.n_extensions; i++) {
        FUZZ_ASSERT(atls_bytes_equal(c.extensions[i].oid, o->extensions[i].oid));
        FUZZ_ASSERT(atls_bytes_equal(c.extensions[i].value, o->extensions[i].value));
        FUZZ_ASSERT(c.extensions[i].critical == o->extensions[i].critical);
    }
}

static void check_format(const atls_recognition *r, const atls_recognised *f, atls_arena *a)
{
    static const char status[] = ATLS_RECOGNISED_STATUS;
    atls_error err = {.code = ATLS_OK};
    FUZZ_ASSERT(f->format[0] != '\0' && f->oid != NULL && f->note != NULL && f->inside != NULL && f->problem != NULL);
    FUZZ_ASSERT(f->best_grade <= ATLS_GRADE_KEY_FRESH);
    FUZZ_ASSERT(f->problem[0] == '\0' || (f->best_grade == ATLS_GRADE_NONE && f->session_profile == NULL));
    FUZZ_ASSERT(f->session_profile == NULL || (r->n_evidence == 1 && !f->critical && !f->by_shape));
    FUZZ_ASSERT(f->is_evidence || f->best_grade == ATLS_GRADE_NONE);
    const char *line = atls_recognise_line(f, a, &err);
    FUZZ_ASSERT(line == NULL || strncmp(line, status, sizeof status - 1) == 0);
    for (; line != NULL && *line != '\0'; line++) {
        FUZZ_ASSERT(*line >= 0x20 && *line < 0x7f);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t block[8 * 1024 * 1024];
    atls_arena a;
    atls_error err = {.code = ATLS_OK};
    atls_recognition r;
    atls_recognised blob;
    bool found;
    atls_arena_init(&a, block, sizeof block);
    const atls_bytes der = atls_bytes_of(data, size);
    if (atls_recognise_blob(der, &a, &blob, &found, &err) && found) {
        FUZZ_ASSERT(size >= ATLS_SNIFF_MIN_LEN && blob.best_grade == ATLS_GRADE_NONE && blob.by_shape);
    }
    if (!atls_recognise_certificate(der, &a, &r, &err)) {
        FUZZ_ASSERT(err.code != ATLS_OK && err.message[0] != '\0');
        atls_arena_reset(&a);
        return 0;
    }
    compare(der, r.outline);
    FUZZ_ASSERT(r.n_extensions == r.outline->n_extensions && r.n_evidence <= r.n_formats);
    for (size_t i = 0; i < r.n_extensions; i++) {
        FUZZ_ASSERT(inside(r.extensions[i].raw.value, data, size) && inside(r.extensions[i].raw.oid, data, size));
    }
    for (size_t i = 0; i < r.n_formats; i++) {
        check_format(&r, &r.formats[i], &a);
    }
    atls_arena_reset(&a);
    return 0;
}

/* Small values, so that mutations meet their structure; two with whole quotes. */
static atls_bytes value_of(lab *l, size_t index)
{
    switch (index) {
    case 0:
        return atls_bytes_str("{\"UserData\":\"AAEC\",\"Nonce\":null}");
    case 1:
        return lab_hex(l, "8363612f624301020304");
    case 2:
        return lab_tagged(l, 60001, lab_hex(l, "41"), lab_claims(l));
    case 3:
        return lab_hex(l, "3015020200c80a0101020200c80a010104036162630400");
    case 4:
        return lab_hex(l, "0404000001ff");
    case 5:
        return lab_tdx_document(l, lab_quote(l, SIM_TDX_V4));
    default:
        return lab_tagged(l, 60000, lab_quote(l, SIM_SGX_V3), lab_claims(l));
    }
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const char *const oids[] = {
        "1.3.9900.1.1",          "1.3.6.1.5.5.7.1.35", "2.23.133.5.4.9", "1.3.6.1.4.1.11129.2.1.17",
        "1.3.6.1.4.1.62397.1.8", "1.3.9900.5.99",      "2.23.133.5.4.9"};
    lab l;
    if (index >= sizeof oids / sizeof oids[0]) {
        return 0;
    }
    lab_open(&l);
    const lab_extension e[] = {{"2.5.29.19", true, lab_hex(&l, "3000")}, {oids[index], false, value_of(&l, index)}};
    const atls_bytes der = lab_certificate(&l, e, 2);
    const size_t n = der.len <= cap ? der.len : 0;
    if (n > 0) {
        memcpy(out, der.ptr, n);
    }
    lab_close(&l);
    return n;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* ca_issue.c: one certificate for one grant. The grant's key, the profile's words, and wishes where the profile lists them. */
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/text.h"
#include "ca_internal.h"

static const uint8_t oid_eku[] = {0x55, 0x1d, 0x25};
static const uint8_t oid_san[] = {0x55, 0x1d, 0x11};
static const uint8_t oid_crl[] = {0x55, 0x1d, 0x1f};

#define OF(array)   atls_bytes_of((array), sizeof(array))
#define SERIAL_WORD "atls ca serial 1"

/* What one call works with. */
typedef struct job {
    atls_ca *ca;
    const atls_enrol_grant *grant;
    atls_arena *arena;
    ca_wishes wishes;
    uint8_t key_id[20];
    uint8_t spki_sha256[32];
    uint8_t serial[ATLS_CA_SERIAL_LEN];
    atls_error *err;
} job;

/* ---- serials ---- */

bool atls_ca_serial(const atls_ca *ca, const uint8_t nonce_sha256[32], uint8_t out[ATLS_CA_SERIAL_LEN], atls_error *err)
{
    uint8_t text[sizeof SERIAL_WORD - 1 + 32];
    uint8_t mac[32];
    unsigned n = 0;
    memcpy(text, SERIAL_WORD, sizeof SERIAL_WORD - 1);
    memcpy(text + sizeof SERIAL_WORD - 1, nonce_sha256, 32);
    if (HMAC(EVP_sha256(), ca->serial_key, sizeof ca->serial_key, text, sizeof text, mac, &n) == NULL
        || n != sizeof mac) {
        ERR_clear_error();
        return atls_fail(err, ATLS_E_INTERNAL, "serial", "no serial number can be made");
    }
    memcpy(out, mac, ATLS_CA_SERIAL_LEN);
    return !atls_bytes_is_zero(atls_bytes_of(out, ATLS_CA_SERIAL_LEN))
           || atls_fail(err, ATLS_E_INTERNAL, "serial", "the serial number is zero");
}

/* ---- templates ---- */

static atls_bytes word_at(const job *j, const char *at, const char *hex, size_t *n)
{
    static const char *const words[] = {"{app}", "{platform}", "{security_level}", "{key}"};
    const char *const texts[] = {NULL, atls_platform_name(j->grant->platform), j->grant->security_level, hex};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        *n = strlen(words[i]);
        if (strncmp(at, words[i], *n) == 0) {
            return i == 0 ? j->grant->app : atls_bytes_str(texts[i]);
        }
    }
    *n = 1;
    return atls_bytes_of(at, 1);
}

static bool fill(const job *j, const char *text, atls_bytes *out)
{
    char hex[65];
    atls_buf b;
    atls_hex_encode(OF(j->spki_sha256), hex);
    atls_buf_init(&b, j->arena, j->err);
    for (size_t n = 0; *text != '\0'; text += n) {
        atls_buf_put(&b, word_at(j, text, hex, &n));
    }
    return atls_buf_done(&b, out);
}

/* ---- names ---- */

static bool put_subject(job *j, ca_der *d)
{
    const ca_profile *p = &j->ca->profile;
    ca_der_open(d, ATLS_DER_SEQUENCE);
    for (size_t i = 0; i < p->n_subject; i++) {
        const ca_name_type *type = p->subject[i].type;
        atls_bytes value;
        if (!fill(j, p->subject[i].text, &value)) {
            return false;
        }
        if (!ca_text_fits(value, type->tag, type->max)) {
            char field[32];
            (void)snprintf(field, sizeof field, "subject.%s", type->name);
            return atls_fail(j->err, ATLS_E_ENROL_ISSUE, field,
                             "what the profile puts here has %zu bytes, or others than fit", value.len);
        }
        ca_name_put(d, type, value);
    }
    for (size_t i = 0; i < p->n_subject_from_csr; i++) {
        if (j->wishes.names[i].len > 0) {
            ca_name_put(d, p->subject_from_csr[i], j->wishes.names[i]);
        }
    }
    ca_der_close(d);
    return true;
}

static bool make_subject(job *j, atls_bytes *out)
{
    const size_t cap = 2 * CA_MAX_ENTRIES * (CA_MAX_TEXT_LEN + 32);
    uint8_t *block = atls_arena_raw(j->arena, cap, j->err);
    ca_der d;
    if (block == NULL) {
        return false;
    }
    ca_der_init(&d, block, cap);
    return put_subject(j, &d)
           && (ca_der_done(&d, out) || atls_fail(j->err, ATLS_E_ENROL_ISSUE, "subject", "the name is too long"));
}

static bool put_sans(job *j, ca_der *d, bool is_critical)
{
    const ca_profile *p = &j->ca->profile;
    if (p->n_san + j->wishes.n_san == 0) {
        return !is_critical || atls_fail(j->err, ATLS_E_ENROL_ISSUE, "subject", "there is neither a subject nor a san");
    }
    ca_extension_open(d, OF(oid_san), is_critical);
    ca_der_open(d, ATLS_DER_SEQUENCE);
    for (size_t i = 0; i < p->n_san; i++) {
        atls_bytes value;
        if (!fill(j, p->san[i].text, &value)) {
            return false;
        }
        if (!ca_text_fits(value, ATLS_DER_IA5_STRING, CA_MAX_TEXT_LEN)
            || (p->san[i].san == CA_SAN_DNS && !ca_is_host(value))) {
            return atls_fail(j->err, ATLS_E_ENROL_ISSUE, "san", "what the profile puts here is no such name");
        }
        ca_der_put(d, ATLS_DER_CONTEXT((unsigned)p->san[i].san), value);
    }
    for (size_t i = 0; i < j->wishes.n_san; i++) {
        ca_der_put(d, ATLS_DER_CONTEXT((unsigned)j->wishes.san[i].san), j->wishes.san_value[i]);
    }
    ca_der_close(d);
    ca_extension_close(d);
    return true;
}

/* ---- extensions ---- */

static void put_purposes(const ca_profile *p, ca_der *d)
{
    if (p->n_eku == 0) {
        return;
    }
    ca_extension_open(d, OF(oid_eku), false);
    ca_der_open(d, ATLS_DER_SEQUENCE);
    for (size_t i = 0; i < p->n_eku; i++) {
        ca_der_put(d, ATLS_DER_OID, p->eku[i]);
    }
    ca_der_close(d);
    ca_extension_close(d);
}

/* RFC 5280, 4.2.1.13: one point, its full name one URI. */
static void put_crl(const ca_profile *p, ca_der *d)
{
    if (p->crl == NULL) {
        return;
    }
    ca_extension_open(d, OF(oid_crl), false);
    ca_der_open(d, ATLS_DER_SEQUENCE);
    ca_der_open(d, ATLS_DER_SEQUENCE);
    ca_der_open(d, ATLS_DER_CONTEXT_CONS(0));
    ca_der_open(d, ATLS_DER_CONTEXT_CONS(0));
    ca_der_put(d, ATLS_DER_CONTEXT(6), atls_bytes_str(p->crl));
    ca_der_close(d);
    ca_der_close(d);
    ca_der_close(d);
    ca_der_close(d);
    ca_extension_close(d);
}

static bool put_attested_key(job *j, ca_der *d)
{
    atls_error why = {.code = ATLS_OK};
    atls_bytes value;
    if (!j->ca->profile.attested_key) {
        return true;
    }
    atls_enrolled e = {.version = ATLS_ENROLLED_VERSION,
                       .platform = j->grant->platform,
                       .app = j->grant->app,
                       .security_level = j->grant->security_level};
    memcpy(e.policy_sha256, j->grant->policy_sha256, sizeof e.policy_sha256);
    if (!atls_enrolled_extension_write(&e, j->arena, &value, &why)) {
        return why.code == ATLS_E_MEMORY
                   ? atls_fail(j->err, ATLS_E_MEMORY, "arena", NULL)
                   : atls_fail(j->err, ATLS_E_ENROL_ISSUE, "attested_key", "%s: %s", why.field, why.message);
    }
    ca_extension_open(d, atls_enrolled_oid(), false);
    ca_der_raw(d, value);
    ca_extension_close(d);
    return true;
}

static bool put_extensions(job *j, ca_der *d, bool has_subject)
{
    const ca_profile *p = &j->ca->profile;
    ca_extension_basic_constraints(d, false, 0);
    ca_extension_key_usage(d, 0x80, 7); /* digitalSignature */
    put_purposes(p, d);
    ca_extension_key_id(d, OF(j->key_id));
    ca_extension_authority(d, j->ca->key_id);
    if (!put_sans(j, d, !has_subject)) {
        return false;
    }
    put_crl(p, d);
    if (!put_attested_key(j, d)) {
        return false;
    }
    for (size_t i = 0; i < p->n_extensions_from_csr; i++) {
        if (j->wishes.extensions[i].len > 0) {
            ca_extension_open(d, p->extensions_from_csr[i],
                              false); /* never critical: who does not know it passes it over */
            ca_der_raw(d, j->wishes.extensions[i]);
            ca_extension_close(d);
        }
    }
    return true;
}

/* ---- the certificate ---- */

bool ca_check_time(const atls_ca *ca, atls_time now, atls_error *err)
{
    char text[ATLS_TIME_TEXT_SIZE];
    const bool is_early = now < ca->not_before;
    if (!is_early && now <= ca->not_after) {
        return true;
    }
    atls_time_format(is_early ? ca->not_before : ca->not_after, text);
    return atls_fail_values(err, ATLS_E_ENROL_ISSUE, is_early ? "issuer.not_before" : "issuer.not_after", text, NULL,
                            "the CA's own certificates are not valid now");
}

static atls_time earlier(atls_time a, atls_time b)
{
    return a < b ? a : b;
}

static atls_time later(atls_time a, atls_time b)
{
    return a > b ? a : b;
}

static bool make_tbs(job *j, ca_der *d, atls_bytes *out)
{
    const atls_ca *ca = j->ca;
    const atls_time now = j->grant->now;
    atls_bytes subject;
    if (!make_subject(j, &subject)) {
        return false;
    }
    const ca_head head = {
        .serial = j->serial,
        .n_serial = sizeof j->serial,
        .alg = ca->alg,
        .issuer = ca->subject,
        .not_before = later(now - ca->profile.back_s, ca->not_before),
        .not_after = earlier(now + ca->profile.life_s, ca->not_after),
        .subject = subject,
        .spki = j->grant->spki,
    };
    ca_certificate_begin(d, &head);
    if (!put_extensions(j, d, subject.len > 2)) {
        return false;
    }
    ca_certificate_end(d);
    return ca_der_done(d, out) || atls_fail(j->err, ATLS_E_ENROL_ISSUE, "certificate", "it would be too long");
}

/* A signature is looked at before it leaves: a token may have come back with another key, and a computation may have failed. */
bool ca_sign_checked(atls_ca *ca, atls_bytes tbs, ca_signature *out, atls_error *err)
{
    if (!ca->signer.is_shared) {
        (void)pthread_mutex_lock(&ca->signing);
    }
    bool ok = ca->signer.sign(ca->signer.self, ca->alg, tbs, out, err);
    if (!ca->signer.is_shared) {
        (void)pthread_mutex_unlock(&ca->signing);
    }
    ok = ok
         && (ca_signature_holds(ca->public_key, ca->alg, tbs, out)
             || atls_fail(err, ATLS_E_ENROL_ISSUE, "key", "what the key of the CA signed does not verify"));
    err->retry = err->retry || !ok;
    return ok;
}

/* Points as everybody reads them: a compressed one would pass for a key here, and for none with others. */
static bool is_known_key(const atls_public_key *k)
{
    const size_t n = k->kind == ATLS_KEY_P256 ? 65 : k->kind == ATLS_KEY_P384 ? 97 : 0;
    return k->kind == ATLS_KEY_RSA || (n > 0 && k->point.len == n && k->point.ptr[0] == 0x04);
}

/* The last look: what was made is what was meant, as somebody else will read it. */
static bool check_made(const job *j, atls_bytes der, atls_error *err)
{
    atls_error why = {.code = ATLS_OK};
    atls_cert c;
    if (!atls_cert_decode(der, "certificate", &c, &why)) {
        return atls_fail(err, ATLS_E_ENROL_ISSUE, "certificate", "it cannot be read: %s", why.field);
    }
    if (!is_known_key(&c.key)) {
        return atls_fail(err, ATLS_E_ENROL_ISSUE, "grant.spki", "keys of this kind are not certified");
    }
    const bool has_subject = c.subject.len > 2; /* without one the san is critical, which our reader leaves to others */
    return (c.has_basic_constraints && !c.is_ca && c.has_unknown_critical == !has_subject
            && c.key_usage == ATLS_KU_DIGITAL_SIGNATURE && atls_bytes_equal(c.spki, j->grant->spki))
           || atls_fail(err, ATLS_E_ENROL_ISSUE, "certificate", "it is not what was meant");
}

static bool make(job *j, atls_bytes *out)
{
    const size_t cap = CA_MAX_CERTIFICATE_LEN;
    uint8_t *block = atls_arena_raw(j->arena, 2 * cap, j->err);
    ca_signature *signature = atls_arena_alloc(j->arena, sizeof *signature, j->err);
    atls_bytes tbs;
    ca_der d;
    if (block == NULL || signature == NULL) {
        return false;
    }
    ca_wishes_read(&j->ca->profile, j->grant->csr, &j->wishes);
    ca_der_init(&d, block, cap);
    if (!make_tbs(j, &d, &tbs) || !ca_sign_checked(j->ca, tbs, signature, j->err)) {
        return false;
    }
    ca_der_init(&d, block + cap, cap);
    ca_certificate_put(&d, tbs, j->ca->alg, signature);
    return (ca_der_done(&d, out) || atls_fail(j->err, ATLS_E_ENROL_ISSUE, "certificate", "it would be too long"))
           && check_made(j, *out, j->err);
}

/* ---- a grant ---- */

static bool prepare(job *j)
{
    EVP_PKEY *key = NULL;
    ca_algorithm unused;
    unsigned n = 0;
    atls_error why = {.code = ATLS_OK};
    const atls_bytes spki = j->grant->spki;
    if (!ca_check_time(j->ca, j->grant->now, j->err) || !ca_key_id(spki, j->key_id, j->err)
        || !atls_ca_serial(j->ca, j->grant->nonce_sha256, j->serial, j->err)) {
        return false;
    }
    if (!ca_public_key_open(spki, "grant.spki", &key, &unused, &why)) {
        return atls_fail(j->err, ATLS_E_ENROL_ISSUE, "grant.spki", "%s", why.message);
    }
    EVP_PKEY_free(key);
    return EVP_Digest(spki.ptr, spki.len, j->spki_sha256, &n, EVP_sha256(), NULL) == 1
           || atls_fail(j->err, ATLS_E_ENROL_ISSUE, "grant.spki", "the key cannot be hashed");
}

static bool issue(job *j, atls_bytes *der)
{
    size_t slot = 0;
    if (!prepare(j)) {
        return false;
    }
    const ca_claim claim =
        ca_memory_claim(&j->ca->memory, j->grant->nonce_sha256, j->spki_sha256, j->arena, der, &slot, j->err);
    if (claim != CA_CLAIM_NEW) {
        (void)atomic_fetch_add(&j->ca->repeated, claim == CA_CLAIM_AGAIN ? 1 : 0);
        return claim == CA_CLAIM_AGAIN;
    }
    const bool ok = make(j, der);
    ca_memory_settle(&j->ca->memory, slot, ok ? *der : atls_bytes_empty());
    (void)atomic_fetch_add(&j->ca->issued, ok ? 1 : 0);
    return ok;
}

bool atls_ca_issue(void *ctx, const atls_enrol_grant *grant, atls_arena *arena,
                   atls_bytes chain[ATLS_ENROL_MAX_CERTIFICATES], size_t *n, atls_error *err)
{
    job j = {.ca = ctx, .grant = grant, .arena = arena, .err = err};
    *n = 0;
    if (!issue(&j, &chain[0])) {
        (void)atomic_fetch_add(&j.ca->failed, 1);
        return false;
    }
    for (size_t i = 0; i < j.ca->n_chain; i++) {
        if (!atls_arena_copy(arena, j.ca->chain[i], &chain[i + 1], err)) {
            return false;
        }
    }
    *n = j.ca->n_chain + 1;
    return true;
}

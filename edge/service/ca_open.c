/* SPDX-License-Identifier: Apache-2.0 */
/* ca_open.c: reads a CA and finds out, before the first phone comes, whether it can issue anything that somebody will accept. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "ca_internal.h"
#include "pki/chain.h"

static const char *const fields[ATLS_CA_MAX_CHAIN] = {"ca.chain[0]", "ca.chain[1]", "ca.chain[2]",
                                                      "ca.chain[3]", "ca.chain[4]", "ca.chain[5]"};

/* ---- where things are ---- */

static bool find_path(atls_ca *ca, const atls_ca_options *o, const char *given, const char *name, const char *field,
                      const char **out, atls_error *err)
{
    *out = given;
    if (given != NULL) {
        return true;
    }
    if (o->dir == NULL) {
        return atls_fail(err, ATLS_E_CONFIGURATION, field, "neither this nor the folder of a CA is given");
    }
    *out = atls_text_format(&ca->arena, err, "%s/%s", o->dir, name);
    return *out != NULL;
}

/* ---- the chain ---- */

static bool check_issuing(const atls_cert *c, atls_error *err)
{
    if (!c->is_ca || !c->has_key_usage || (c->key_usage & ATLS_KU_KEY_CERT_SIGN) == 0 || c->has_unknown_critical) {
        return atls_fail(
            err, ATLS_E_CONFIGURATION, "ca.chain[0]",
            "the first certificate is no CA's: basicConstraints CA, keyUsage keyCertSign, nothing critical beside");
    }
    return c->subject_key_id.len > 0
           || atls_fail(err, ATLS_E_CONFIGURATION, "ca.chain[0]", "the first certificate has no subjectKeyIdentifier");
}

/* certs[i] by the one behind it; the last one by itself. */
static bool check_link(const atls_crypto *crypto, atls_cert *certs, size_t n, size_t i, atls_error *err)
{
    const size_t issuer = i + 1 < n ? i + 1 : i;
    atls_key *key = NULL;
    const bool ok = atls_key_open(crypto, &certs[issuer].key, ATLS_E_CONFIGURATION, fields[issuer], &key, err)
                    && atls_link_verify(crypto, &certs[i], &certs[issuer], key, (uint32_t)issuer, ATLS_E_CONFIGURATION,
                                        fields[i], err);
    atls_key_close(key);
    return ok;
}

static bool check_chain(atls_ca *ca, atls_cert *certs, atls_time now, atls_error *err)
{
    atls_crypto *crypto = NULL;
    bool ok = atls_crypto_new(&crypto, err) && check_issuing(&certs[0], err);
    for (size_t i = ca->n_chain; ok && i > 0; i--) {
        ok = check_link(crypto, certs, ca->n_chain, i - 1, err)
             && atls_validity_check(certs[i - 1].not_before, certs[i - 1].not_after, now, fields[i - 1], err);
    }
    atls_crypto_free(crypto);
    return ok;
}

static bool read_chain(atls_ca *ca, const char *path, atls_cert *certs, atls_error *err)
{
    atls_bytes pem;
    if (!ca_file_read(path, "ca.chain", false, &ca->arena, &pem, err)
        || !atls_pem_certificates(pem, false, ATLS_E_CONFIGURATION, "ca.chain", &ca->arena, ca->chain,
                                  ATLS_CA_MAX_CHAIN, &ca->n_chain, err)) {
        return false;
    }
    for (size_t i = 0; i < ca->n_chain; i++) {
        if (!atls_cert_decode(ca->chain[i], fields[i], &certs[i], err)) {
            err->code = ATLS_E_CONFIGURATION; /* not evidence, but a file of ours */
            err->category = atls_code_category(err->code);
            return false;
        }
    }
    return true;
}

static bool open_chain(atls_ca *ca, const atls_ca_options *o, atls_error *err)
{
    const char *path;
    atls_cert *certs = atls_arena_array(&ca->arena, ATLS_CA_MAX_CHAIN, sizeof *certs, err);
    if (certs == NULL || !find_path(ca, o, o->chain_file, "chain.pem", "ca.chain", &path, err)
        || !read_chain(ca, path, certs, err) || !check_chain(ca, certs, o->now, err)) {
        return false;
    }
    ca->subject = certs[0].subject;
    ca->key_id = certs[0].subject_key_id;
    ca->not_before = certs[0].not_before;
    ca->not_after = certs[0].not_after;
    for (size_t i = 1; i < ca->n_chain; i++) {
        ca->not_before = certs[i].not_before > ca->not_before ? certs[i].not_before : ca->not_before;
        ca->not_after = certs[i].not_after < ca->not_after ? certs[i].not_after : ca->not_after;
    }
    return ca_public_key_open(certs[0].spki, "ca.chain[0]", &ca->public_key, &ca->alg, err);
}

/* ---- the key ---- */

static bool check_key(atls_ca *ca, atls_error *err)
{
    const atls_bytes probe = atls_bytes_str("atls: is this the key of the issuing certificate?");
    ca_signature s = {.len = 0};
    atls_error why = {.code = ATLS_OK};
    if (!ca->signer.sign(ca->signer.self, ca->alg, probe, &s, &why)) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "ca.key",
                         "the key does not sign as the certificate in ca.chain[0] wants: %s", why.message);
    }
    return ca_signature_holds(ca->public_key, ca->alg, probe, &s)
           || atls_fail(err, ATLS_E_CONFIGURATION, "ca.key",
                        "the key is not the one of the certificate in ca.chain[0]");
}

static bool open_key(atls_ca *ca, const atls_ca_options *o, atls_error *err)
{
    const char *path;
    if (!find_path(ca, o, o->key, "issuer.key.pem", "ca.key", &path, err)) {
        return false;
    }
    const bool is_token = strncmp(path, "pkcs11:", 7) == 0;
    if (is_token && o->passphrase_file != NULL) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "ca.passphrase", "a token has a PIN, and no passphrase");
    }
    if (!is_token && o->pin_file != NULL) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "ca.pin", "a key file has a passphrase, and no PIN");
    }
    return (is_token ? ca_token_signer_open(path, o->pin_file, &ca->signer, err)
                     : ca_file_signer_open(path, o->passphrase_file, &ca->signer, err))
           && check_key(ca, err);
}

static bool open_serial_key(atls_ca *ca, const atls_ca_options *o, atls_error *err)
{
    const char *path;
    char line[2 * sizeof ca->serial_key + 2];
    if (!find_path(ca, o, o->serial_key_file, "serial.key", "ca.serial_key", &path, err)
        || !ca_file_line(path, "ca.serial_key", line, sizeof line, err)) {
        return false;
    }
    const bool ok = atls_hex_fixed(atls_bytes_str(line), ca->serial_key, sizeof ca->serial_key)
                    && !atls_bytes_is_zero(atls_bytes_of(ca->serial_key, sizeof ca->serial_key));
    atls_wipe(line, sizeof line);
    return ok
           || atls_fail(err, ATLS_E_CONFIGURATION, "ca.serial_key", "%s has to hold 64 hex digits, and not of zeros",
                        path);
}

/* ---- the profile ---- */

static bool find_profile(atls_ca *ca, const atls_ca_options *o, atls_bytes *text, atls_error *err)
{
    struct stat st;
    *text = atls_bytes_empty();
    if (o->profile.len > 0) {
        return atls_arena_copy(&ca->arena, o->profile, text, err);
    }
    if (o->dir == NULL) {
        return true;
    }
    const char *path = atls_text_format(&ca->arena, err, "%s/profile.json", o->dir);
    if (path == NULL) {
        return false;
    }
    if (stat(path, &st) != 0 && errno == ENOENT) {
        return true;
    }
    return ca_file_read(path, "ca.profile", false, &ca->arena, text, err);
}

static bool open_profile(atls_ca *ca, const atls_ca_options *o, atls_error *err)
{
    atls_bytes text;
    unsigned n = 0;
    if (!find_profile(ca, o, &text, err) || !ca_profile_read(text, &ca->arena, &ca->profile, err)) {
        return false;
    }
    return EVP_Digest(text.ptr, text.len, ca->profile_sha256, &n, EVP_sha256(), NULL) == 1
           || atls_fail(err, ATLS_E_INTERNAL, "ca.profile", "the profile cannot be hashed");
}

/* ---- the CA ---- */

static bool open_all(atls_ca *ca, const atls_ca_options *o, atls_error *err)
{
    if (o->now <= ATLS_TIME_UNSET) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "ca.now", "there is no time");
    }
    if (!atls_arena_new(&ca->arena, CA_ARENA_SIZE, err) || !ca_memory_init(&ca->memory, err)) {
        return false;
    }
    if (pthread_mutex_init(&ca->signing, NULL) != 0) {
        return atls_fail(err, ATLS_E_INTERNAL, "ca", "there is no lock to be had");
    }
    ca->has_locks = true;
    return open_profile(ca, o, err) && open_chain(ca, o, err) && open_serial_key(ca, o, err) && open_key(ca, o, err);
}

bool atls_ca_open(const atls_ca_options *options, atls_ca **out, atls_error *err)
{
    atls_ca *ca = calloc(1, sizeof *ca);
    *out = NULL;
    if (ca == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "ca", NULL);
    }
    if (!open_all(ca, options, err)) {
        atls_ca_free(ca);
        return false;
    }
    *out = ca;
    return true;
}

void atls_ca_free(atls_ca *ca)
{
    if (ca == NULL) {
        return;
    }
    if (ca->signer.self != NULL) {
        ca->signer.free(ca->signer.self);
    }
    EVP_PKEY_free(ca->public_key);
    ca_memory_free(&ca->memory);
    if (ca->has_locks) {
        (void)pthread_mutex_destroy(&ca->signing);
    }
    atls_arena_free(&ca->arena);
    atls_wipe(ca, sizeof *ca);
    free(ca);
}

void atls_ca_describe(atls_ca *ca, atls_time now, atls_ca_facts *out)
{
    const int64_t left = ca->not_after - now;
    const uint64_t reopened = ca->signer.reopened == NULL ? 0 : ca->signer.reopened(ca->signer.self);
    *out = (atls_ca_facts){
        .n_chain = ca->n_chain,
        .chain = ca->chain,
        .not_after = ca->not_after,
        .days_left = left >= 0 ? left / 86400 : -((86399 - left) / 86400),
        .key_source = ca->signer.source,
        .n_issued = atomic_load(&ca->issued),
        .n_repeated = atomic_load(&ca->repeated),
        .n_failed = atomic_load(&ca->failed),
        .n_reopened = reopened,
    };
    memcpy(out->profile_sha256, ca->profile_sha256, sizeof out->profile_sha256);
}

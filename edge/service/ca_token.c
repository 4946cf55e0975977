/* SPDX-License-Identifier: Apache-2.0 */
/* ca_token.c: a key that stays in a token, asked through PKCS #11 with the help of p11-kit (RFC 7512 URIs, loading of modules).
 *
 * The token is asked for a bare signature and nothing else: no OpenSSL engine or provider stands between, because this program has
 * to know when a token has gone. Whatever goes wrong closes everything; then it is opened once more at once (sessions time out), and
 * again with each later signature, until it is back. The PIN stands in a file and is read when it is needed. */
#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca_internal.h"

#define MAX_PIN         256
#define MAX_SLOTS       64
#define MAX_DIGEST_INFO (19 + EVP_MAX_MD_SIZE)

typedef struct token {
    P11KitUri *uri;
    char *module_path;
    char *pin_file; /* NULL: none is needed */
    CK_FUNCTION_LIST *module;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
    bool is_initialized;
    bool has_session;
    bool was_open;
    bool is_refused; /* the PIN: asking again and again would lock the token */
    atomic_uint_fast64_t reopened;
} token;

static bool fail_token(atls_error *err, const char *what, CK_RV rv)
{
    const char *words = p11_kit_strerror(rv);
    return atls_fail(err, ATLS_E_ENROL_ISSUE, "key", "token: %s: %s (0x%lx)", what, words == NULL ? "" : words, rv);
}

/* ---- opening and closing ---- */

static void close_token(token *t)
{
    if (t->has_session) {
        (void)t->module->C_CloseSession(t->session);
    }
    if (t->is_initialized) {
        (void)p11_kit_module_finalize(t->module);
    }
    if (t->module != NULL) {
        p11_kit_module_release(t->module);
    }
    t->has_session = false;
    t->is_initialized = false;
    t->module = NULL;
}

static bool load(token *t, atls_error *err)
{
    t->module = p11_kit_module_load(t->module_path, P11_KIT_MODULE_CRITICAL);
    if (t->module == NULL) {
        return atls_fail(err, ATLS_E_ENROL_ISSUE, "key", "token: %s cannot be loaded", t->module_path);
    }
    const CK_RV rv = p11_kit_module_initialize(t->module);
    t->is_initialized = rv == CKR_OK;
    return t->is_initialized || fail_token(err, "the module does not start", rv);
}

static bool is_wanted(token *t, CK_SLOT_ID slot)
{
    CK_TOKEN_INFO info;
    const CK_SLOT_ID id = p11_kit_uri_get_slot_id(t->uri);
    return (id == (CK_SLOT_ID)-1 || id == slot) && t->module->C_GetTokenInfo(slot, &info) == CKR_OK
           && (info.flags & CKF_TOKEN_INITIALIZED) != 0 && p11_kit_uri_match_token_info(t->uri, &info) == 1;
}

static bool find_slot(token *t, CK_SLOT_ID *out, atls_error *err)
{
    CK_SLOT_ID slots[MAX_SLOTS];
    CK_ULONG n = MAX_SLOTS;
    size_t found = 0;
    const CK_RV rv = t->module->C_GetSlotList(CK_TRUE, slots, &n);
    if (rv != CKR_OK) {
        return fail_token(err, "its slots cannot be listed", rv);
    }
    for (CK_ULONG i = 0; i < n; i++) {
        if (is_wanted(t, slots[i])) {
            *out = slots[i];
            found++;
        }
    }
    if (found != 1) {
        (void)atls_fail(err, ATLS_E_ENROL_ISSUE, "key",
                        found == 0 ? "token: it is not there" : "token: the URI fits more than one");
        return false;
    }
    return true;
}

static bool login(token *t, atls_error *err)
{
    char pin[MAX_PIN];
    if (t->pin_file == NULL) {
        return true;
    }
    if (t->is_refused) {
        return atls_fail(err, ATLS_E_ENROL_ISSUE, "key", "token: its PIN was refused before, and is not tried again");
    }
    if (!ca_file_line(t->pin_file, "ca.pin", pin, sizeof pin, err)) {
        return false;
    }
    CK_UTF8CHAR *text = (CK_UTF8CHAR *)pin;
    const CK_RV rv = t->module->C_Login(t->session, CKU_USER, text, strlen(pin));
    atls_wipe(pin, sizeof pin);
    t->is_refused = rv == CKR_PIN_INCORRECT || rv == CKR_PIN_INVALID || rv == CKR_PIN_LEN_RANGE || rv == CKR_PIN_EXPIRED
                    || rv == CKR_PIN_LOCKED;
    return rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN || fail_token(err, "the PIN is not taken", rv);
}

/* The private key with the URI's id and label; one, and no other. */
static bool find_key(token *t, atls_error *err)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted[3] = {{.type = CKA_CLASS, .pValue = &class, .ulValueLen = sizeof class}};
    CK_ULONG n = 1;
    CK_OBJECT_HANDLE found[2];
    CK_ULONG n_found = 0;
    static const CK_ATTRIBUTE_TYPE types[] = {CKA_ID, CKA_LABEL};
    for (size_t i = 0; i < 2; i++) {
        const CK_ATTRIBUTE *a = p11_kit_uri_get_attribute(t->uri, types[i]);
        if (a != NULL) {
            wanted[n++] = *a;
        }
    }
    CK_RV rv = t->module->C_FindObjectsInit(t->session, wanted, n);
    if (rv == CKR_OK) {
        rv = t->module->C_FindObjects(t->session, found, 2, &n_found);
        (void)t->module->C_FindObjectsFinal(t->session);
    }
    if (rv != CKR_OK) {
        return fail_token(err, "its keys cannot be listed", rv);
    }
    t->key = found[0];
    return n_found == 1
           || atls_fail(err, ATLS_E_ENROL_ISSUE, "key",
                        n_found == 0 ? "token: the key is not in it" : "token: the URI fits more than one key");
}

static bool open_session(token *t, atls_error *err)
{
    CK_SLOT_ID slot = 0;
    if (!find_slot(t, &slot, err)) {
        return false;
    }
    const CK_RV rv = t->module->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &t->session);
    t->has_session = rv == CKR_OK;
    return t->has_session ? login(t, err) && find_key(t, err) : fail_token(err, "it opens no session", rv);
}

static bool open_token(token *t, atls_error *err)
{
    if (!load(t, err) || !open_session(t, err)) {
        close_token(t);
        return false;
    }
    (void)atomic_fetch_add(&t->reopened, t->was_open ? 1 : 0);
    t->was_open = true;
    return true;
}

/* ---- signing ---- */

/* r and s side by side become an Ecdsa-Sig-Value. */
static bool to_der(const uint8_t *rs, size_t n, ca_signature *out)
{
    ca_der d;
    atls_bytes der;
    if (n == 0 || n % 2 != 0) {
        return false;
    }
    ca_der_init(&d, out->bytes, sizeof out->bytes);
    ca_der_open(&d, ATLS_DER_SEQUENCE);
    ca_der_unsigned(&d, rs, n / 2);
    ca_der_unsigned(&d, rs + n / 2, n / 2);
    ca_der_close(&d);
    const bool ok = ca_der_done(&d, &der);
    out->len = der.len;
    return ok;
}

static bool sign_once(token *t, ca_algorithm alg, atls_bytes in, ca_signature *out, atls_error *err)
{
    uint8_t raw[CA_MAX_SIGNATURE_LEN];
    uint8_t given[MAX_DIGEST_INFO]; /* C_Sign does not promise to leave its input alone */
    const bool is_rsa = alg == CA_RSA_SHA256;
    CK_ULONG n = sizeof raw;
    CK_MECHANISM mechanism = {.mechanism = is_rsa ? CKM_RSA_PKCS : CKM_ECDSA};
    memcpy(given, in.ptr, in.len);
    CK_RV rv = t->module->C_SignInit(t->session, &mechanism, t->key);
    if (rv == CKR_OK) {
        rv = t->module->C_Sign(t->session, given, in.len, raw, &n);
    }
    if (rv != CKR_OK || n > sizeof raw) {
        return fail_token(err, "it does not sign", rv);
    }
    if (is_rsa) {
        memcpy(out->bytes, raw, n);
        out->len = n;
        return true;
    }
    return to_der(raw, n, out) || fail_token(err, "its signature is none", CKR_GENERAL_ERROR);
}

static bool sign_or_close(token *t, ca_algorithm alg, atls_bytes in, ca_signature *out, atls_error *err)
{
    if (t->module == NULL && !open_token(t, err)) {
        return false;
    }
    if (sign_once(t, alg, in, out, err)) {
        return true;
    }
    close_token(t);
    return false;
}

/* What the token gets: the digest; for RSA in a DigestInfo (RFC 8017, 9.2). Every token knows these mechanisms, and not all of them
 * hash themselves. */
static bool make_input(ca_algorithm alg, atls_bytes tbs, uint8_t out[MAX_DIGEST_INFO], size_t *n)
{
    static const uint8_t sha256[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                     0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
    const size_t before = alg == CA_RSA_SHA256 ? sizeof sha256 : 0;
    unsigned n_digest = 0;
    memcpy(out, sha256, before);
    const bool ok = EVP_Digest(tbs.ptr, tbs.len, out + before, &n_digest, ca_algorithm_digest(alg), NULL) == 1;
    *n = before + n_digest;
    return ok;
}

static bool sign_with_token(void *self, ca_algorithm alg, atls_bytes tbs, ca_signature *out, atls_error *err)
{
    token *t = self;
    uint8_t input[MAX_DIGEST_INFO];
    size_t n = 0;
    atls_error why = {.code = ATLS_OK};
    if (!make_input(alg, tbs, input, &n)) {
        return atls_fail(err, ATLS_E_ENROL_ISSUE, "key", "what is to be signed cannot be hashed");
    }
    const bool had_session = t->has_session;
    bool ok = sign_or_close(t, alg, atls_bytes_of(input, n), out, &why);
    if (!ok && had_session) {
        atls_error_clear(&why);
        ok = sign_or_close(t, alg, atls_bytes_of(input, n), out, &why);
    }
    return ok || atls_fail(err, ATLS_E_ENROL_ISSUE, "key", "%s", why.message);
}

/* ---- the URI ---- */

static void free_token(void *self)
{
    token *t = self;
    close_token(t);
    p11_kit_uri_free(t->uri);
    free(t->module_path);
    free(t->pin_file);
    free(t);
}

static uint64_t count_reopened(const void *self)
{
    const token *t = self;
    return atomic_load(&t->reopened);
}

static char *copy(const char *text)
{
    const size_t n = strlen(text) + 1;
    char *out = malloc(n);
    if (out != NULL) {
        memcpy(out, text, n);
    }
    return out;
}

static bool take_pin(token *t, const char *pin_file, atls_error *err)
{
    const char *source = p11_kit_uri_get_pin_source(t->uri);
    if (p11_kit_uri_get_pin_value(t->uri) != NULL) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "ca.pin",
                         "the PIN itself must not be in the URI: pin-source names a file");
    }
    if (pin_file != NULL && source != NULL) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "ca.pin", "two files for one PIN: pin-source, and another one");
    }
    source = pin_file != NULL ? pin_file : source;
    if (source != NULL) {
        t->pin_file = copy(strncmp(source, "file:", 5) == 0 ? source + 5 : source);
        return t->pin_file != NULL || atls_fail(err, ATLS_E_MEMORY, "ca.pin", NULL);
    }
    return true;
}

static bool take_uri(token *t, const char *uri, const char *pin_file, atls_error *err)
{
    t->uri = p11_kit_uri_new();
    if (t->uri == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "ca.key", NULL);
    }
    const int status = p11_kit_uri_parse(uri, P11_KIT_URI_FOR_ANY, t->uri);
    if (status != P11_KIT_URI_OK || p11_kit_uri_any_unrecognized(t->uri) != 0) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "ca.key", "this is no pkcs11: URI, or it says something unknown");
    }
    const char *module = p11_kit_uri_get_module_path(t->uri);
    if (module == NULL || module[0] != '/') {
        return atls_fail(err, ATLS_E_CONFIGURATION, "ca.key", "the URI has to name its module: ?module-path=/...");
    }
    if (p11_kit_uri_get_attribute(t->uri, CKA_ID) == NULL && p11_kit_uri_get_attribute(t->uri, CKA_LABEL) == NULL) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "ca.key", "the URI has to name its key: object= or id=");
    }
    t->module_path = copy(module);
    return t->module_path != NULL ? take_pin(t, pin_file, err) : atls_fail(err, ATLS_E_MEMORY, "ca.key", NULL);
}

bool ca_token_signer_open(const char *uri, const char *pin_file, ca_signer *out, atls_error *err)
{
    atls_error why = {.code = ATLS_OK};
    token *t = calloc(1, sizeof *t);
    *out = (ca_signer){
        .source = "pkcs11", .self = t, .sign = sign_with_token, .free = free_token, .reopened = count_reopened};
    if (t == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "ca.key", NULL);
    }
    if (!take_uri(t, uri, pin_file, err)) {
        return false; /* the CA frees what out holds */
    }
    if (!open_token(t, &why)) {
        return atls_fail(err, ATLS_E_CONFIGURATION, strcmp(why.field, "ca.pin") == 0 ? "ca.pin" : "ca.key", "%s",
                         why.message);
    }
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* ca_scene.c: see ca_scene.h. */
#include "ca_scene.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "tap.h"

static const char *const types_of_nonce = "2.5.4.5";

const char *ca_scene_path(const ca_scene *s, const char *name)
{
    static char paths[4][192];
    static unsigned next;
    char *out = paths[next++ % 4];
    (void)snprintf(out, sizeof paths[0], "%s/%s", s->dir, name);
    return out;
}

void ca_scene_put(const ca_scene *s, const char *name, const char *text, unsigned mode)
{
    const char *path = ca_scene_path(s, name);
    (void)unlink(path);
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fchmod(fd, (mode_t)mode) == 0);
    assert_int_equal(close(fd), 0);
}

static uint8_t *room(ca_scene *s, size_t n)
{
    assert_true(n <= sizeof s->csr_block - s->csr_used);
    uint8_t *out = s->csr_block + s->csr_used;
    s->csr_used += n;
    return out;
}

static void put_oid(ca_der *d, const char *dotted)
{
    ASN1_OBJECT *o = OBJ_txt2obj(dotted, 1);
    assert_non_null(o);
    ca_der_put(d, ATLS_DER_OID, atls_bytes_of(OBJ_get0_data(o), OBJ_length(o)));
    ASN1_OBJECT_free(o);
}

static atls_bytes value_of(const ca_wish *w)
{
    return atls_bytes_of(w->value, w->len == 0 ? strlen(w->value) : w->len);
}

static void put_rdn(ca_der *d, const char *oid, uint8_t tag, atls_bytes value)
{
    ca_der_open(d, ATLS_DER_SET);
    ca_der_open(d, ATLS_DER_SEQUENCE);
    put_oid(d, oid);
    ca_der_put(d, tag, value);
    ca_der_close(d);
    ca_der_close(d);
}

void ca_scene_names(ca_scene *s, const ca_wish *names)
{
    const size_t cap = 8192;
    char hex[2 * sizeof s->nonce + 1];
    ca_der d;
    ca_der_init(&d, room(s, cap), cap);
    ca_der_open(&d, ATLS_DER_SEQUENCE);
    for (; names != NULL && names->oid != NULL; names++) {
        put_rdn(&d, names->oid, names->tag, value_of(names));
    }
    atls_hex_encode(atls_bytes_of(s->nonce, sizeof s->nonce), hex);
    put_rdn(&d, types_of_nonce, ATLS_DER_PRINTABLE_STRING, atls_bytes_str(hex));
    ca_der_close(&d);
    assert_true(ca_der_done(&d, &s->csr.subject));
}

void ca_scene_extensions(ca_scene *s, const ca_wish *extensions)
{
    static const uint8_t request[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};
    const size_t cap = 16384;
    ca_der d;
    ca_der_init(&d, room(s, cap), cap);
    ca_der_open(&d, ATLS_DER_SEQUENCE);
    for (; extensions->oid != NULL; extensions++) {
        ca_der_open(&d, ATLS_DER_SEQUENCE);
        put_oid(&d, extensions->oid);
        ca_der_true(&d); /* whoever wishes, wishes it critical */
        ca_der_put(&d, ATLS_DER_OCTET_STRING, value_of(extensions));
        ca_der_close(&d);
    }
    ca_der_close(&d);
    atls_enrol_attribute *a = &s->csr.attributes[s->csr.n_attributes++];
    a->oid = atls_bytes_of(request, sizeof request);
    assert_true(ca_der_done(&d, &a->values));
}

void ca_scene_nonce(ca_scene *s, unsigned number)
{
    unsigned n = 0;
    (void)memset(s->nonce, 0xa5, sizeof s->nonce);
    for (size_t i = 0; i < sizeof number; i++) {
        s->nonce[i] = (uint8_t)(number >> (8 * i));
    }
    assert_int_equal(EVP_Digest(s->nonce, sizeof s->nonce, s->nonce_sha256, &n, EVP_sha256(), NULL), 1);
    s->csr_used = 0;
    s->csr = (atls_enrol_csr){.n_attributes = 0};
    ca_scene_names(s, NULL);
}

void ca_scene_key(ca_scene *s, const char *kind)
{
    unsigned char *at = s->spki;
    EVP_PKEY_free(s->phone);
    s->phone = strcmp(kind, "RSA") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)
                                        : EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
    assert_non_null(s->phone);
    assert_true(i2d_PUBKEY(s->phone, NULL) <= (int)sizeof s->spki);
    s->grant.spki = atls_bytes_of(s->spki, (size_t)i2d_PUBKEY(s->phone, &at));
}

void ca_scene_begin(ca_scene *s)
{
    *s = (ca_scene){.dir = "/tmp/atls-ca-XXXXXX"};
    assert_non_null(mkdtemp(s->dir));
    assert_true(atls_arena_new(&s->arena, (size_t)1024 * 1024, &s->err));
    s->init = (atls_ca_init_options){.dir = s->dir, .now = SCENE_NOW - 86400};
    s->open = (atls_ca_options){.dir = s->dir, .now = SCENE_NOW};
    (void)memset(s->policy_sha256, 0x70, sizeof s->policy_sha256);
    s->grant = (atls_enrol_grant){
        .platform = ATLS_PLATFORM_ANDROID,
        .app = atls_bytes_str("org.example.wallet"),
        .security_level = "STRONG_BOX",
        .csr = &s->csr,
        .nonce_sha256 = s->nonce_sha256,
        .policy_sha256 = s->policy_sha256,
        .now = SCENE_NOW,
    };
    ca_scene_key(s, "P-256");
    ca_scene_nonce(s, 1);
}

void ca_scene_end(ca_scene *s)
{
    DIR *d = opendir(s->dir);
    for (const struct dirent *e = d == NULL ? NULL : readdir(d); e != NULL; e = readdir(d)) {
        (void)unlink(ca_scene_path(s, e->d_name));
    }
    if (d != NULL) {
        (void)closedir(d);
    }
    (void)rmdir(s->dir);
    atls_ca_free(s->ca);
    atls_arena_free(&s->arena);
    EVP_PKEY_free(s->phone);
}

bool ca_scene_reopen(ca_scene *s, const char *profile)
{
    atls_ca_free(s->ca);
    s->ca = NULL;
    s->open.profile = atls_bytes_str(profile);
    atls_error_clear(&s->err);
    return atls_ca_open(&s->open, &s->ca, &s->err);
}

void ca_scene_make(ca_scene *s, const char *profile)
{
    const bool made = atls_ca_init(&s->init, &s->err);
    if (!made || !ca_scene_reopen(s, profile)) {
        fail_msg("%s: %s", s->err.field, s->err.message);
    }
}

bool ca_scene_issue(ca_scene *s)
{
    atls_arena_reset(&s->arena);
    atls_error_clear(&s->err);
    return atls_ca_issue(s->ca, &s->grant, &s->arena, s->chain, &s->n, &s->err);
}

static X509 *decode(atls_bytes der)
{
    const unsigned char *at = der.ptr;
    X509 *c = d2i_X509(NULL, &at, (long)der.len);
    assert_non_null(c);
    assert_ptr_equal(at, der.ptr + der.len);
    return c;
}

X509 *ca_scene_issued(ca_scene *s)
{
    if (!ca_scene_issue(s)) {
        fail_msg("%s: %s", s->err.field, s->err.message);
    }
    return decode(s->chain[0]);
}

int ca_scene_verify(const ca_scene *s, atls_time at)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *others = sk_X509_new_null();
    X509 *leaf = decode(s->chain[0]);
    X509 *root = decode(s->chain[s->n - 1]);
    for (size_t i = 1; i + 1 < s->n; i++) {
        assert_true(sk_X509_push(others, decode(s->chain[i])) > 0);
    }
    assert_int_equal(X509_STORE_add_cert(store, root), 1);
    assert_int_equal(X509_STORE_CTX_init(ctx, store, leaf, others), 1);
    X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(p, (time_t)at);
    (void)X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
    (void)X509_VERIFY_PARAM_set_purpose(p, X509_PURPOSE_SSL_CLIENT);
    const int ok = X509_verify_cert(ctx);
    const int error = X509_STORE_CTX_get_error(ctx);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    sk_X509_pop_free(others, X509_free);
    X509_free(leaf);
    X509_free(root);
    return ok == 1 ? X509_V_OK : error;
}

bool ca_scene_contains(atls_bytes in, atls_bytes part)
{
    for (size_t i = 0; in.len >= part.len && i <= in.len - part.len; i++) {
        if (memcmp(in.ptr + i, part.ptr, part.len) == 0) {
            return true;
        }
    }
    return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_roots.c: the system's roots: a folder that answers at once, a file that is read late, and the same verdict from either.
 * The environment tells OpenSSL where they are. */
#include "rig.h"

#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "edge/tls/session.h"

/* ---- certificates ---------------------------------------------------------------------------------------------------- */

typedef struct pair {
    X509 *cert;
    EVP_PKEY *key;
} pair;

typedef struct family {
    pair root;
    pair cross_root; /* of somebody else */
    pair cross;      /* root's name and key, issued by cross_root */
    pair issuer;     /* by root */
    pair leaf;       /* by issuer */
} family;

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(e);
    assert_int_equal(X509_add_ext(cert, e, -1), 1);
    X509_EXTENSION_free(e);
}

/* key NULL: a new one. issuer NULL: self-signed. */
static pair make(const char *name, EVP_PKEY *key, const pair *issuer, bool is_ca, atls_time now)
{
    static long serial = 1000;
    pair p = {X509_new(), key == NULL ? EVP_EC_gen("P-256") : key};
    if (key != NULL) {
        assert_int_equal(EVP_PKEY_up_ref(key), 1);
    }
    const pair *by = issuer == NULL ? &p : issuer;
    assert_int_equal(X509_set_version(p.cert, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(p.cert), serial++), 1);
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(p.cert), (time_t)now - 86400));
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(p.cert), (time_t)now + 86400));
    X509_NAME *subject = X509_get_subject_name(p.cert);
    assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(p.cert, X509_get_subject_name(by->cert)), 1);
    assert_int_equal(X509_set_pubkey(p.cert, p.key), 1);
    add_extension(p.cert, by->cert, NID_basic_constraints, is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add_extension(p.cert, by->cert, NID_key_usage, is_ca ? "critical,keyCertSign" : "critical,digitalSignature");
    if (!is_ca) {
        add_extension(p.cert, by->cert, NID_subject_alt_name, "DNS:" RIG_NAME);
    }
    assert_true(X509_sign(p.cert, by->key, EVP_sha256()) > 0);
    return p;
}

static void drop(pair *p)
{
    X509_free(p->cert);
    EVP_PKEY_free(p->key);
}

static void make_family(family *f, atls_time now)
{
    f->root = make("root", NULL, NULL, true, now);
    f->cross_root = make("older root", NULL, NULL, true, now);
    f->cross = make("root", f->root.key, &f->cross_root, true, now);
    f->issuer = make("issuer", NULL, &f->root, true, now);
    f->leaf = make("leaf", NULL, &f->issuer, false, now);
}

static void drop_family(family *f)
{
    drop(&f->root);
    drop(&f->cross_root);
    drop(&f->cross);
    drop(&f->issuer);
    drop(&f->leaf);
}

/* ---- rows -------------------------------------------------------------------------------------------------------------- */

enum { NONE = 0, ROOT = 1, CROSS_ROOT = 2, CROSS = 4, ISSUER = 8 };

typedef struct row {
    const char *name;
    unsigned sent;      /* behind the leaf */
    unsigned in_folder; /* under the hash of its name */
    unsigned in_file;
    bool accepted;
    bool file_read;
} row;

/* clang-format off */
static const row rows[] = {
    {"root in the folder: the file is not read", ISSUER, ROOT, ROOT, true, false},
    {"root in the folder and sent along: nor here", ISSUER | ROOT, ROOT, NONE, true, false},
    {"root in the file", ISSUER, NONE, ROOT, true, true},
    {"root in the file and sent along", ISSUER | ROOT, NONE, ROOT, true, true},
    {"root in neither", ISSUER, NONE, NONE, false, true},
    {"root sent along and in neither", ISSUER | ROOT, NONE, NONE, false, true},
    {"another root in both", ISSUER, CROSS_ROOT, CROSS_ROOT, false, true},
    {"the issuer is not sent, root in the folder", NONE, ROOT, NONE, false, true},
    {"the issuer is not sent, but in the folder with its root", NONE, ROOT | ISSUER, NONE, true, false},
    {"the issuer as a root of its own is none", ISSUER, NONE, ISSUER, false, true},
    {"a cross certificate to a root in the folder", ISSUER | CROSS, CROSS_ROOT, NONE, true, false},
    {"a cross certificate to a root in the file", ISSUER | CROSS, NONE, CROSS_ROOT, true, true},
    {"a cross certificate to nowhere, but the root itself in the file", ISSUER | CROSS, NONE, ROOT, true, true},
    {"a cross certificate to nowhere, but the root itself in the folder", ISSUER | CROSS, ROOT, NONE, true, false},
    {"root and cross certificate sent, the older root in the file", ISSUER | ROOT | CROSS, NONE, CROSS_ROOT, false, true},
    {"root and cross certificate sent, the root in the file", ISSUER | ROOT | CROSS, NONE, ROOT, true, true},
};
/* clang-format on */

typedef struct place {
    char folder[64];
    char file[64];
    char links[4][96];
    size_t n_links;
} place;

static void each(const family *f, unsigned which, void (*act)(void *ctx, X509 *cert), void *ctx)
{
    X509 *const certs[] = {f->root.cert, f->cross_root.cert, f->cross.cert, f->issuer.cert};
    for (size_t i = 0; i < 4; i++) {
        if ((which & (1u << i)) != 0) {
            act(ctx, certs[i]);
        }
    }
}

static void write_to_file(void *ctx, X509 *cert)
{
    assert_int_equal(PEM_write_X509(ctx, cert), 1);
}

static void write_to_folder(void *ctx, X509 *cert)
{
    place *p = ctx;
    char path[sizeof p->links[0]];
    snprintf(path, sizeof path, "%s/%08lx.0", p->folder, X509_subject_name_hash(cert));
    memcpy(p->links[p->n_links++], path, sizeof path);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    write_to_file(f, cert);
    assert_int_equal(fclose(f), 0);
}

static void send_along(void *ctx, X509 *cert)
{
    assert_int_equal(SSL_CTX_add1_chain_cert((SSL_CTX *)ctx, cert), 1);
}

static void make_place(place *p, const family *f, const row *w)
{
    *p = (place){.n_links = 0};
    snprintf(p->folder, sizeof p->folder, "/tmp/atls-test-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    rig_file(p->file, atls_bytes_empty());
    FILE *out = fopen(p->file, "wb");
    assert_non_null(out);
    each(f, w->in_file, write_to_file, out);
    assert_int_equal(fclose(out), 0);
    each(f, w->in_folder, write_to_folder, p);
    assert_int_equal(setenv("SSL_CERT_DIR", p->folder, 1), 0);
    assert_int_equal(setenv("SSL_CERT_FILE", p->file, 1), 0);
}

static void remove_place(place *p)
{
    for (size_t i = 0; i < p->n_links; i++) {
        assert_int_equal(unlink(p->links[i]), 0);
    }
    assert_int_equal(rmdir(p->folder), 0);
    assert_int_equal(unlink(p->file), 0);
    assert_int_equal(unsetenv("SSL_CERT_DIR"), 0);
    assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
}

static void serve(rig *r, const family *f, unsigned sent)
{
    unsigned char *der = NULL;
    int len = i2d_X509(f->leaf.cert, &der);
    assert_true(len > 0);
    assert_true(sim_measure_certificate(r->sim, atls_bytes_of(der, (size_t)len), &r->err));
    OPENSSL_free(der);
    SSL_CTX_free(r->server_ctx);
    r->server_ctx = rig_context(true, NULL);
    assert_int_equal(SSL_CTX_set_mode(r->server_ctx, SSL_MODE_NO_AUTO_CHAIN) & SSL_MODE_NO_AUTO_CHAIN,
                     SSL_MODE_NO_AUTO_CHAIN);
    assert_int_equal(SSL_CTX_use_certificate(r->server_ctx, f->leaf.cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(r->server_ctx, f->leaf.key), 1);
    each(f, sent, send_along, r->server_ctx);
}

static void push(void *ctx, X509 *cert)
{
    STACK_OF(X509) *chain = ctx;
    assert_true(sk_X509_push(chain, cert) > 0);
}

/* What OpenSSL says when everything is read beforehand. */
static bool eager_verdict(const family *f, unsigned sent, atls_time now)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *chain = sk_X509_new_null();
    each(f, sent, push, chain);
    (void)X509_STORE_set_default_paths(store);
    assert_int_equal(X509_STORE_CTX_init(ctx, store, f->leaf.cert, chain), 1);
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), (time_t)now);
    bool accepted = X509_verify_cert(ctx) == 1;
    sk_X509_free(chain);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    ERR_clear_error();
    return accepted;
}

static void test_row(void **state)
{
    const row *w = *state;
    rig r;
    family f;
    place p;
    rig_open(&r);
    make_family(&f, sim_now(r.sim));
    make_place(&p, &f, w);
    assert_int_equal(eager_verdict(&f, w->sent, sim_now(r.sim)), w->accepted);
    serve(&r, &f, w->sent);
    r.client_options.identity = ATLS_IDENTITY_WEBPKI;
    r.client_options.ca_file = NULL;
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    if (w->accepted) {
        rig_expect_established(&r);
    } else {
        rig_expect_client(&r, ATLS_E_IDENTITY, "certificate.chain");
    }
    assert_int_equal(r.client->roots_file == NULL, w->file_read);
    remove_place(&p);
    drop_family(&f);
    rig_close(&r);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    return tap_run("roots", &l);
}

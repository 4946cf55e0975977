/* SPDX-License-Identifier: Apache-2.0 */
/* test_hook_template.c: our certificate is the one of section 3, byte for byte, and the certificates of the vectors get the
 * verdicts that are written down for them. */
#include "pair.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/x509.h>

#include "base/text.h"
#include "tests/evidence/vectors.h"

#define VECTORS "constellation/"

/* ---- template ---------------------------------------------------------------------------------------------------- */

static const uint8_t name_of_all[] = {0x30, 0x18, 0x31, 0x16, 0x30, 0x14, 0x06, 0x03, 0x55, 0x04, 0x03, 0x13, 0x0d,
                                      'C',  'o',  'n',  's',  't',  'e',  'l',  'l',  'a',  't',  'i',  'o',  'n'};

/* Two pieces under one tag. */
static atls_bytes element(uint8_t tag, atls_bytes first, atls_bytes second, atls_arena *a)
{
    atls_error err = {.code = ATLS_OK};
    atls_buf b;
    atls_bytes out;
    size_t len = first.len + second.len;
    const uint8_t short_head[] = {tag, (uint8_t)len};
    const uint8_t long_head[] = {tag, 0x81, (uint8_t)len};
    assert_true(len < 256);
    atls_buf_init(&b, a, &err);
    atls_buf_put(&b, len < 128 ? atls_bytes_of(short_head, 2) : atls_bytes_of(long_head, 3));
    atls_buf_put(&b, first);
    atls_buf_put(&b, second);
    assert_true(atls_buf_done(&b, &out));
    return out;
}

/* DER of what is wanted, with the parts that differ between certificates taken from the certificate itself. */
static atls_bytes wanted_tbs(const atls_cert *c, atls_bytes document, const char *oid_hex, atls_arena *a)
{
    static const uint8_t version_3[] = {0xa0, 0x03, 0x02, 0x01, 0x02};
    static const uint8_t ecdsa_sha256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    /* 2026-06-15T12:00:00Z less and plus two hours */
    static const char validity[] = "\x30\x1e\x17\x0d"
                                   "260615100000Z"
                                   "\x17\x0d"
                                   "260615140000Z";
    static const uint8_t p256[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                                   0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
    atls_error err = {.code = ATLS_OK};
    atls_buf b;
    atls_bytes out;
    atls_buf_init(&b, a, &err);
    atls_buf_put(&b, atls_bytes_of(version_3, sizeof version_3));
    const uint8_t serial[] = {0x02, (uint8_t)(c->serial.len + (c->serial.ptr[0] >> 7)), 0x00};
    atls_buf_put(&b, atls_bytes_of(serial, 2u + (c->serial.ptr[0] >> 7)));
    atls_buf_put(&b, c->serial);
    atls_buf_put(&b, atls_bytes_of(ecdsa_sha256, sizeof ecdsa_sha256));
    atls_buf_put(&b, atls_bytes_of(name_of_all, sizeof name_of_all));
    atls_buf_put(&b, atls_bytes_of(validity, sizeof validity - 1));
    atls_buf_put(&b, atls_bytes_of(name_of_all, sizeof name_of_all));
    atls_buf_put(&b, atls_bytes_of(p256, sizeof p256));
    atls_buf_put(&b, atls_bytes_of(c->key.point.ptr + 1, 64));
    if (oid_hex != NULL) { /* [3] { SEQUENCE { SEQUENCE { OID, OCTET STRING } } }, no BOOLEAN */
        uint8_t oid[16];
        size_t n_oid = strlen(oid_hex) / 2;
        assert_true(atls_hex_fixed(atls_bytes_str(oid_hex), oid, n_oid));
        atls_bytes value = element(0x04, atls_bytes_empty(), document, a);
        atls_bytes extension = element(0x30, atls_bytes_of(oid, n_oid), value, a);
        atls_bytes list = element(0x30, extension, atls_bytes_empty(), a);
        atls_buf_put(&b, element(0xa3, list, atls_bytes_empty(), a));
    }
    assert_true(atls_buf_done(&b, &out));
    return out;
}

static atls_bytes der_of(SSL *ssl, atls_arena *a)
{
    unsigned char *der = NULL;
    atls_bytes out;
    atls_error err = {.code = ATLS_OK};
    int len = i2d_X509(SSL_get0_peer_certificate(ssl), &der);
    assert_true(len > 0);
    assert_true(atls_arena_copy(a, atls_bytes_of(der, (size_t)len), &out, &err));
    OPENSSL_free(der);
    return out;
}

static void expect_template(pair *p, SSL *seen_by, const uint8_t nonce[32], bool with_document)
{
    atls_cert c;
    atls_crypto *crypto;
    uint8_t user_data[32];
    atls_evidence none = {0};
    atls_bytes document = atls_bytes_empty();
    assert_true(atls_cert_decode(der_of(seen_by, &p->arena), "certificate", &c, &p->err));
    assert_true(atls_crypto_new(&crypto, &p->err));
    assert_true(atls_digest(crypto, ATLS_SHA256, &c.spki, 1, user_data, &p->err));
    atls_crypto_free(crypto);
    assert_true(p->variant->write(user_data, nonce, &none, &p->arena, &document, &p->err));
    atls_bytes tbs = wanted_tbs(&c, document, with_document ? "06052bcd2c0101" : NULL, &p->arena);
    assert_true(c.tbs.len > tbs.len && c.tbs.len - tbs.len <= 4);
    assert_memory_equal(c.tbs.ptr + (c.tbs.len - tbs.len), tbs.ptr, tbs.len);
    assert_true(c.serial.len <= 16);
    assert_int_equal(c.sig_alg, ATLS_SIG_ECDSA_SHA256);
}

static void is_the_template(void **state)
{
    const bool *with_documents = *state;
    pair p;
    pair_open(&p);
    pair_mutual(&p);
    if (!*with_documents) {
        p.client.hook.issues = NULL;
        p.client.hook.n_accepts = 0;
        p.server.hook.issues = NULL;
        p.server.hook.n_accepts = 0;
    }
    pair_ssl(&p);
    pair_run(&p);
    expect_template(&p, p.client.ssl, atls_hooked_of(p.client.ssl)->nonce, *with_documents);
    if (*with_documents) {
        expect_template(&p, p.server.ssl, atls_hooked_of(p.server.ssl)->nonce, true);
    }
    /* exactly one certificate; none of the two ends' keys is the other's, nor the next handshake's */
    assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(p.client.ssl)), 1);
    atls_bytes first = der_of(p.client.ssl, &p.arena);
    pair_again(&p);
    pair_run(&p);
    atls_bytes second = der_of(p.client.ssl, &p.arena);
    expect_template(&p, p.client.ssl, atls_hooked_of(p.client.ssl)->nonce, *with_documents); /* in the same objects */
    atls_cert a;
    atls_cert b;
    assert_true(atls_cert_decode(first, "", &a, &p.err) && atls_cert_decode(second, "", &b, &p.err));
    assert_false(atls_bytes_equal(a.spki, b.spki));
    assert_false(atls_bytes_equal(a.serial, b.serial));
    pair_close(&p);
}

/* The key of a handshake ends with it, on both sides. One that waits has it still. */
static void key_ends_with_the_handshake(void **state)
{
    pair p;
    (void)state;
    pair_open(&p);
    pair_mutual(&p);
    pair_start(&p);
    pair_expect_accepted(&p.client);
    pair_expect_accepted(&p.server);
    assert_null(SSL_get_privatekey(p.client.ssl));
    assert_null(SSL_get_privatekey(p.server.ssl));
    assert_null(SSL_get_certificate(p.server.ssl));
    assert_null(atls_hooked_of(p.server.ssl)->own.key);
    pair_close(&p);
}

/* A handshake that does not come to its end keeps its objects, and the next one makes others. */
static void unfinished_gives_nothing_back(void **state)
{
    pair p;
    (void)state;
    pair_open(&p);
    pair_ssl(&p);
    (void)SSL_do_handshake(p.client.ssl);
    (void)SSL_do_handshake(p.server.ssl);
    X509 *shown = SSL_get_certificate(p.server.ssl);
    assert_non_null(shown);
    assert_int_equal(X509_up_ref(shown), 1);
    unsigned char *before = NULL;
    const int len = i2d_X509(shown, &before);
    pair_again(&p);
    pair_run(&p);
    pair_expect_accepted(&p.client);
    unsigned char *after = NULL;
    assert_int_equal(i2d_X509(shown, &after), len);
    assert_memory_equal(before, after, (size_t)len);
    OPENSSL_free(before);
    OPENSSL_free(after);
    X509_free(shown);
    pair_close(&p);
}

/* Threads share a shelf: whoever takes something has it alone. */
#define N_THREADS 4
#define N_ROUNDS  25

typedef struct worker {
    atls_template_shelf *shelf;
    uint8_t seen[N_ROUNDS][32];
    bool ok;
} worker;

static bool is_whole(const atls_template *t, const uint8_t user_data[32])
{
    unsigned char *der = NULL;
    const int len = i2d_X509(t->certificate, &der);
    const unsigned char *at = der;
    X509 *read = len > 0 ? d2i_X509(NULL, &at, len) : NULL;
    unsigned char *spki = NULL;
    const int n = read == NULL ? 0 : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(read), &spki);
    uint8_t hash[32];
    const bool ok = n > 0 && X509_verify(read, X509_get0_pubkey(read)) == 1
                    && EVP_PKEY_eq(X509_get0_pubkey(read), t->key) == 1
                    && EVP_Digest(spki, (size_t)n, hash, NULL, EVP_sha256(), NULL) == 1
                    && memcmp(hash, user_data, sizeof hash) == 0;
    OPENSSL_free(spki);
    X509_free(read);
    OPENSSL_free(der);
    return ok;
}

static bool fill(atls_template *t, const char *oid, atls_bytes document, atls_time now, atls_error *err)
{
    static const uint8_t serial[ATLS_TEMPLATE_SERIAL_LEN] = {1};
    return atls_template_fill(t, &(atls_template_content){serial, oid, document, now}, err);
}

static void *work(void *ctx)
{
    worker *w = ctx;
    atls_error err = {.code = ATLS_OK};
    atls_crypto *crypto = NULL;
    w->ok = atls_crypto_new(&crypto, &err);
    for (size_t i = 0; w->ok && i < N_ROUNDS; i++) {
        atls_template t;
        w->ok = atls_template_take(w->shelf, crypto, &t, w->seen[i], &err)
                && fill(&t, "1.3.9900.1.1", atls_bytes_of(w->seen[i], 1 + i), 1781524800, &err)
                && is_whole(&t, w->seen[i]);
        if (i % 5 == 4) {
            atls_template_free(&t);
        } else {
            atls_template_give(w->shelf, &t);
        }
    }
    atls_crypto_free(crypto);
    return NULL;
}

static void threads_share_a_shelf(void **state)
{
    static worker workers[N_THREADS];
    pthread_t threads[N_THREADS];
    atls_error err = {.code = ATLS_OK};
    atls_template_shelf *shelf = NULL;
    (void)state;
    assert_true(atls_template_shelf_new(&shelf, &err));
    for (size_t i = 0; i < N_THREADS; i++) {
        workers[i] = (worker){.shelf = shelf};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < N_THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(workers[i].ok);
    }
    for (size_t i = 0; i < N_THREADS * N_ROUNDS; i++) {
        for (size_t k = 0; k < i; k++) {
            assert_memory_not_equal(workers[i / N_ROUNDS].seen[i % N_ROUNDS], workers[k / N_ROUNDS].seen[k % N_ROUNDS],
                                    32);
        }
    }
    atls_template_shelf_free(shelf);
}

/* A server that forks its workers after a first handshake: the key that waits is in each of them, and none may use it. */
static void children_make_their_own(void **state)
{
    uint8_t seen[3][32];
    int ends[2];
    atls_template_shelf *shelf = NULL;
    atls_crypto *crypto = NULL;
    atls_template t;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    assert_true(atls_template_shelf_new(&shelf, &err) && atls_crypto_new(&crypto, &err));
    assert_true(atls_template_take(shelf, crypto, &t, seen[0], &err));
    atls_template_give(shelf, &t);
    assert_int_equal(pipe(ends), 0);
    for (size_t i = 0; i < 2; i++) {
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            uint8_t own[32];
            const bool ok = atls_template_take(shelf, crypto, &t, own, &err)
                            && fill(&t, NULL, atls_bytes_empty(), 1781524800, &err) && is_whole(&t, own);
            _exit(ok && write(ends[1], own, sizeof own) == (ssize_t)sizeof own ? 0 : 1);
        }
        int status = -1;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_int_equal(read(ends[0], seen[i], sizeof seen[i]), sizeof seen[i]);
    }
    assert_true(atls_template_take(shelf, crypto, &t, seen[2], &err)); /* the one that waited */
    atls_template_free(&t);
    assert_memory_not_equal(seen[0], seen[1], 32);
    assert_memory_not_equal(seen[0], seen[2], 32);
    assert_memory_not_equal(seen[1], seen[2], 32);
    (void)close(ends[0]);
    (void)close(ends[1]);
    atls_crypto_free(crypto);
    atls_template_shelf_free(shelf);
}

/* The validity moves with the time, also on a certificate that was filled before, forwards and backwards. */
static void validity_follows_the_clock(void **state)
{
    static const atls_time times[] = {1781524800, 1781524800, 1781524801, 1781524800, 1900000000, 2100000000};
    uint8_t user_data[32];
    atls_template_shelf *shelf = NULL;
    atls_crypto *crypto = NULL;
    atls_template t;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    assert_true(atls_template_shelf_new(&shelf, &err) && atls_crypto_new(&crypto, &err));
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        time_t from = (time_t)times[i] - 7200;
        time_t until = (time_t)times[i] + 7200;
        assert_true(atls_template_take(shelf, crypto, &t, user_data, &err));
        assert_true(fill(&t, NULL, atls_bytes_empty(), times[i], &err));
        assert_int_equal(X509_cmp_time(X509_get0_notBefore(t.certificate), &from), -1); /* at, or before */
        from--;
        assert_int_equal(X509_cmp_time(X509_get0_notBefore(t.certificate), &from), 1);
        assert_int_equal(X509_cmp_time(X509_get0_notAfter(t.certificate), &until), -1);
        until--;
        assert_int_equal(X509_cmp_time(X509_get0_notAfter(t.certificate), &until), 1);
        atls_template_give(shelf, &t);
    }
    atls_crypto_free(crypto);
    atls_template_shelf_free(shelf);
}

/* A shelf is for certificates of one kind: another extension than the one that is there is refused. */
static void one_extension_per_shelf(void **state)
{
    static const struct {
        const char *first;
        const char *second;
        bool accepted;
    } rows[] = {
        {"1.3.9900.1.1", "1.3.9900.1.1", true},
        {NULL, NULL, true},
        {"1.3.9900.1.1", "1.3.9900.5.99", false},
        {"1.3.9900.1.1", NULL, false},
    };
    atls_crypto *crypto = NULL;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    assert_true(atls_crypto_new(&crypto, &err));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        atls_template_shelf *shelf = NULL;
        atls_template t;
        uint8_t user_data[32];
        assert_true(atls_template_shelf_new(&shelf, &err));
        assert_true(atls_template_take(shelf, crypto, &t, user_data, &err));
        assert_true(fill(&t, rows[i].first, atls_bytes_str("a"), 1781524800, &err));
        assert_int_equal(fill(&t, rows[i].second, atls_bytes_str("b"), 1781524800, &err), rows[i].accepted);
        atls_template_free(&t);
        atls_template_shelf_free(shelf);
        atls_error_clear(&err);
    }
    atls_crypto_free(crypto);
}

/* What a program has loaded of its own is not shown. */
static void shows_nothing_else(void **state)
{
    static const pair_lie old = {.no_extension = true};
    uint8_t nonce[32] = {0};
    X509 *x;
    EVP_PKEY *key;
    pair p;
    (void)state;
    pair_open(&p);
    p.server.ctx = SSL_CTX_new(TLS_server_method());
    pair_certificate(&p, &old, nonce, &x, &key);
    assert_int_equal(SSL_CTX_use_certificate(p.server.ctx, x), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(p.server.ctx, key), 1);
    assert_int_equal(SSL_CTX_add1_chain_cert(p.server.ctx, x), 1);
    X509_free(x);
    EVP_PKEY_free(key);
    pair_start(&p);
    pair_expect_accepted(&p.client);
    assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(p.client.ssl)), 1);
    pair_close(&p);
}

/* ---- vectors ----------------------------------------------------------------------------------------------------- */

#define VECTOR_TIME ((atls_time)1793534400) /* 2026-11-01T12:00:00Z, the manifest's */

typedef struct vector_row {
    const char *file;
    atls_code code;
    const char *field;
    bool no_validators; /* accepted when nothing is verified */
} vector_row;

static const vector_row vectors[] = {
    {"dummy_ok.der", ATLS_OK, "", true},
    {"dummy_no_extension.der", ATLS_E_UNSUPPORTED, "certificate.tbs.extensions", true},
    {"dummy_critical_extension.der", ATLS_E_UNSUPPORTED, "certificate.tbs.extensions", false},
    {"dummy_eku_client_only.der", ATLS_E_UNSUPPORTED, "certificate.tbs.extensions.extended_key_usage", false},
    {"dummy_wrong_userdata.der", ATLS_E_REPORT_DATA_MISMATCH, "document.UserData", true},
    {"dummy_other_nonce.der", ATLS_E_REPORT_DATA_MISMATCH, "document.Nonce", true},
    {"unknown_oid.der", ATLS_E_UNSUPPORTED, "certificate.tbs.extensions", true},
    {"dummy_empty_nonce.der", ATLS_E_REPORT_DATA_MISMATCH, "document.Nonce", true},
    {"dummy_null_nonce.der", ATLS_E_QUOTE, "document.Nonce", true},
    {"dummy_bad_self_signature.der", ATLS_E_IDENTITY, "certificate.signature", false},
    {"qemu_vtpm_cert.der", ATLS_E_UNSUPPORTED, "certificate.tbs.extensions", true},
};

static void read_vector(pair *p, const char *file, atls_bytes *out)
{
    char path[128];
    snprintf(path, sizeof path, VECTORS "%s", file);
    if (!vectors_read(path, &p->arena, out)) {
        pair_close(p);
        skip();
    }
}

static void judge(pair *p, size_t n_accepts, atls_bytes der, atls_error *err, bool *accepted)
{
    uint8_t nonce[32];
    atls_result result;
    bool has_result;
    for (size_t i = 0; i < sizeof nonce; i++) {
        nonce[i] = (uint8_t)(0xa0 + i);
    }
    assert_true(atls_crypto_new(&p->client.hook.crypto, &p->err));
    p->client.hook.n_accepts = n_accepts;
    *accepted = atls_hook_judge(&p->client.hook, der, nonce, VECTOR_TIME, &p->arena, &result, &has_result, err);
    atls_crypto_free(p->client.hook.crypto);
}

static void judges_vector(void **state)
{
    const vector_row *row = *state;
    atls_bytes der;
    atls_error err = {.code = ATLS_OK};
    bool accepted;
    pair p;
    pair_open(&p);
    read_vector(&p, row->file, &der);
    judge(&p, 1, der, &err, &accepted);
    assert_int_equal(accepted, row->code == ATLS_OK);
    pair_expect_error(&err, row->code, row->field);
    if (strcmp(row->file, "unknown_oid.der") == 0) {
        assert_string_equal(err.actual, "1.3.9900.2.2 (aws-sev-snp)");
    }
    atls_error_clear(&err);
    judge(&p, 0, der, &err, &accepted);
    assert_int_equal(accepted, row->no_validators);
    pair_close(&p);
}

static void reads_names_of_vectors(void **state)
{
    uint8_t nonce[32];
    uint8_t ours[CONSTELLATION_NAME_LEN];
    atls_bytes der;
    pair p;
    (void)state;
    pair_open(&p);
    read_vector(&p, "nonce_dn_printable.der", &der);
    assert_true(constellation_name_read(der, nonce, &p.err));
    constellation_name_write(nonce, ours);
    assert_true(atls_bytes_equal(der, atls_bytes_of(ours, sizeof ours)));
    assert_int_equal(nonce[0], 0xa0);
    assert_int_equal(nonce[31], 0xbf);
    read_vector(&p, "nonce_dn_utf8.der", &der);
    assert_true(constellation_name_read(der, nonce, &p.err));
    assert_int_equal(nonce[31], 0xbf);
    pair_close(&p);
}

int main(void)
{
    static const bool yes = true;
    static const bool no = false;
    tap_list l = {0};
    tap_add(&l, "the template, with documents", is_the_template, &yes);
    tap_add(&l, "the template, without", is_the_template, &no);
    tap_add(&l, "a key ends with its handshake", key_ends_with_the_handshake, NULL);
    tap_add(&l, "an unfinished handshake gives nothing back", unfinished_gives_nothing_back, NULL);
    tap_add(&l, "threads share a shelf", threads_share_a_shelf, NULL);
    tap_add(&l, "children of fork make keys of their own", children_make_their_own, NULL);
    tap_add(&l, "one extension for each shelf", one_extension_per_shelf, NULL);
    tap_add(&l, "validity follows the clock", validity_follows_the_clock, NULL);
    tap_add(&l, "nothing else is shown", shows_nothing_else, NULL);
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        tap_add(&l, vectors[i].file, judges_vector, &vectors[i]);
    }
    tap_add(&l, "nonce_dn_*.der", reads_names_of_vectors, NULL);
    return tap_run("hook_template", &l);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_ca_open.c: making a CA, and opening what is wrong with one. */
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca_scene.h"
#include "tap.h"

static char text_of[32 * 1024];

static const char *slurp(const ca_scene *s, const char *name)
{
    const int fd = open(ca_scene_path(s, name), O_RDONLY);
    assert_true(fd >= 0);
    const ssize_t n = read(fd, text_of, sizeof text_of - 1);
    assert_true(n >= 0);
    text_of[n] = '\0';
    (void)close(fd);
    return text_of;
}

/* ---- making ---- */

static void makes_files(void **state)
{
    static const struct {
        const char *name;
        mode_t mode;
    } files[] = {{"root.key.pem", 0600}, {"issuer.key.pem", 0600}, {"serial.key", 0600},
                 {"root.pem", 0644},     {"chain.pem", 0644},      {"profile.json", 0644}};
    ca_scene s;
    struct stat st;
    (void)state;
    (void)umask(022);
    ca_scene_begin(&s);
    assert_int_equal(rmdir(s.dir), 0);
    ca_scene_make(&s, NULL);
    assert_int_equal(stat(s.dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(st.st_nlink, 2);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        assert_int_equal(stat(ca_scene_path(&s, files[i].name), &st), 0);
        assert_int_equal(st.st_mode & 0777, files[i].mode);
        assert_int_equal(st.st_nlink, 1); /* the temporary name is gone */
    }
    ca_scene_end(&s);
}

static void never_overwrites(void **state)
{
    static const char *const names[] = {"root.key.pem", "issuer.key.pem", "serial.key",
                                        "root.pem",     "chain.pem",      "profile.json"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ca_scene s;
        ca_scene_begin(&s);
        ca_scene_put(&s, names[i], "mine", 0600);
        assert_false(atls_ca_init(&s.init, &s.err));
        assert_int_equal(s.err.code, ATLS_E_USAGE);
        assert_non_null(strstr(s.err.message, names[i]));
        assert_string_equal(slurp(&s, names[i]), "mine");
        assert_int_equal(unlink(ca_scene_path(&s, names[i])), 0);
        assert_int_equal(rmdir(s.dir), 0); /* nothing else was made */
        ca_scene_end(&s);
    }
}

/* A link to nowhere is a name that is there. */
static void follows_no_link(void **state)
{
    ca_scene s;
    (void)state;
    ca_scene_begin(&s);
    assert_int_equal(symlink("/nonexistent/key", ca_scene_path(&s, "issuer.key.pem")), 0);
    assert_false(atls_ca_init(&s.init, &s.err));
    assert_int_equal(s.err.code, ATLS_E_USAGE);
    ca_scene_end(&s);
}

typedef struct bad_init {
    const char *name;
    const char *subject;
    unsigned days;
    atls_ca_key_kind key;
    atls_time now;
    const char *field; /* NULL: made */
} bad_init;

static const bad_init inits[] = {
    {"a name of two parts", "CN=a,O=b", 0, ATLS_CA_P256, SCENE_NOW, NULL},
    {"a name without a type", "a", 0, ATLS_CA_P256, SCENE_NOW, "subject"},
    {"a type that is not known", "SN=a", 0, ATLS_CA_P256, SCENE_NOW, "subject"},
    {"an empty value", "CN=", 0, ATLS_CA_P256, SCENE_NOW, "subject"},
    {"a comma at the end", "CN=a,", 0, ATLS_CA_P256, SCENE_NOW, "subject"},
    {"an empty name", "", 0, ATLS_CA_P256, SCENE_NOW, "subject"},
    {"a control character", "CN=a\nb", 0, ATLS_CA_P256, SCENE_NOW, "subject"},
    {"too many days", NULL, 36501, ATLS_CA_P256, SCENE_NOW, "days"},
    {"a century", NULL, 36500, ATLS_CA_P256, SCENE_NOW, NULL},
    {"another curve", NULL, 0, (atls_ca_key_kind)2, SCENE_NOW, "key"},
    {"no time", NULL, 0, ATLS_CA_P256, ATLS_TIME_UNSET, "now"},
};

static void inits_or_fails(void **state)
{
    const bad_init *r = *state;
    ca_scene s;
    ca_scene_begin(&s);
    s.init.subject = r->subject;
    s.init.days = r->days;
    s.init.key = r->key;
    s.init.now = r->now;
    assert_int_equal(atls_ca_init(&s.init, &s.err), r->field == NULL);
    assert_string_equal(s.err.field, r->field == NULL ? "" : r->field);
    if (r->field == NULL) {
        s.open.now = r->now;
        assert_true(ca_scene_reopen(&s, NULL));
    }
    ca_scene_end(&s);
}

static void root_says_what_it_may(void **state)
{
    ca_scene s;
    (void)state;
    for (int alone = 0; alone < 2; alone++) {
        ca_scene_begin(&s);
        s.init.without_intermediate = alone == 1;
        ca_scene_make(&s, NULL);
        assert_true(ca_scene_issue(&s));
        for (size_t i = 1; i < s.n; i++) {
            const unsigned char *at = s.chain[i].ptr;
            X509 *c = d2i_X509(NULL, &at, (long)s.chain[i].len);
            assert_int_equal(X509_check_ca(c), 1);
            assert_int_equal(X509_get_pathlen(c), (int)i - 1);
            assert_int_equal(X509_get_key_usage(c), X509v3_KU_KEY_CERT_SIGN | X509v3_KU_CRL_SIGN);
            assert_int_equal(X509_check_purpose(c, X509_PURPOSE_SSL_CLIENT, 1), 1);
            X509_free(c);
        }
        ca_scene_end(&s);
    }
}

/* ---- what is wrong with a CA ---- */

static void nothing(ca_scene *s)
{
    (void)s;
}

static void no_chain(ca_scene *s)
{
    assert_int_equal(unlink(ca_scene_path(s, "chain.pem")), 0);
}

static void no_key(ca_scene *s)
{
    assert_int_equal(unlink(ca_scene_path(s, "issuer.key.pem")), 0);
}

static void no_serial_key(ca_scene *s)
{
    assert_int_equal(unlink(ca_scene_path(s, "serial.key")), 0);
}

static void key_for_all(ca_scene *s)
{
    assert_int_equal(chmod(ca_scene_path(s, "issuer.key.pem"), 0604), 0);
}

static void serial_key_for_all(ca_scene *s)
{
    assert_int_equal(chmod(ca_scene_path(s, "serial.key"), 0602), 0);
}

static void serial_key_of_zeros(ca_scene *s)
{
    ca_scene_put(s, "serial.key", "0000000000000000000000000000000000000000000000000000000000000000", 0600);
}

static void serial_key_short(ca_scene *s)
{
    ca_scene_put(s, "serial.key", "ff00000000000000000000000000000000000000000000000000000000000f", 0600);
}

static void serial_key_long(ca_scene *s)
{
    ca_scene_put(s, "serial.key", "ff00000000000000000000000000000000000000000000000000000000000000ff", 0600);
}

static void key_of_the_root(ca_scene *s)
{
    ca_scene_put(s, "issuer.key.pem", slurp(s, "root.key.pem"), 0600);
}

static void key_is_a_certificate(ca_scene *s)
{
    ca_scene_put(s, "issuer.key.pem", slurp(s, "root.pem"), 0600);
}

static void root_is_missing(ca_scene *s)
{
    char *end = strstr(slurp(s, "chain.pem"), "-----END CERTIFICATE-----\n");
    end[26] = '\0';
    ca_scene_put(s, "chain.pem", text_of, 0644);
}

static void root_comes_first(ca_scene *s)
{
    char text[16 * 1024];
    char *second = strstr(slurp(s, "chain.pem") + 1, "-----BEGIN");
    (void)snprintf(text, sizeof text, "%s%.*s", second, (int)(second - text_of), text_of);
    ca_scene_put(s, "chain.pem", text, 0644);
}

static void chain_is_a_key(ca_scene *s)
{
    ca_scene_put(s, "chain.pem", slurp(s, "root.key.pem"), 0644);
}

static void chain_is_empty(ca_scene *s)
{
    ca_scene_put(s, "chain.pem", "", 0644);
}

/* The root of another CA with the same name: its key did not sign the issuer. */
static void root_of_another(ca_scene *s)
{
    char text[16 * 1024];
    ca_scene other;
    ca_scene_begin(&other);
    assert_true(atls_ca_init(&other.init, &other.err));
    char *second = strstr(slurp(s, "chain.pem") + 1, "-----BEGIN");
    const int n = (int)(second - text_of);
    (void)snprintf(text, sizeof text, "%.*s", n, text_of);
    (void)snprintf(text + n, sizeof text - (size_t)n, "%s", slurp(&other, "root.pem"));
    ca_scene_end(&other);
    ca_scene_put(s, "chain.pem", text, 0644);
}

/* A phone's certificate in front of the chain: it is no CA, and its key is at hand. */
static void issuer_is_a_phone(ca_scene *s)
{
    char text[16 * 1024];
    assert_true(ca_scene_reopen(s, "{}"));
    X509 *c = ca_scene_issued(s);
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem;
    assert_int_equal(PEM_write_bio_X509(bio, c), 1);
    const int n = (int)BIO_get_mem_data(bio, &pem);
    (void)snprintf(text, sizeof text, "%.*s%s", n, pem, slurp(s, "chain.pem"));
    ca_scene_put(s, "chain.pem", text, 0644);
    BIO_free(bio);
    bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PrivateKey(bio, s->phone, NULL, NULL, 0, NULL, NULL), 1);
    const int n_key = (int)BIO_get_mem_data(bio, &pem);
    (void)snprintf(text, sizeof text, "%.*s", n_key, pem);
    ca_scene_put(s, "issuer.key.pem", text, 0600);
    BIO_free(bio);
    X509_free(c);
}

static void too_late(ca_scene *s)
{
    s->open.now = s->init.now + (atls_time)1095 * 86400 + 1;
}

static void last_second(ca_scene *s)
{
    s->open.now = s->init.now + (atls_time)1095 * 86400;
}

static void too_early(ca_scene *s)
{
    s->open.now = s->init.now - 301;
}

static void no_time(ca_scene *s)
{
    s->open.now = ATLS_TIME_UNSET;
}

static void no_folder(ca_scene *s)
{
    s->open.dir = NULL;
}

static void pin_for_a_file(ca_scene *s)
{
    s->open.pin_file = "/nonexistent";
}

static void passphrase_for_a_token(ca_scene *s)
{
    s->open.key = "pkcs11:object=a";
    s->open.passphrase_file = "/nonexistent";
}

static void chain_elsewhere(ca_scene *s)
{
    s->open.chain_file = "/nonexistent";
}

typedef struct fault {
    const char *name;
    void (*make)(ca_scene *s);
    atls_code code;
    const char *field;
} fault;

static const fault faults[] = {
    {"nothing", nothing, ATLS_OK, ""},
    {"the chain is not there", no_chain, ATLS_E_CONFIGURATION, "ca.chain"},
    {"it is elsewhere, and not there", chain_elsewhere, ATLS_E_CONFIGURATION, "ca.chain"},
    {"it is empty", chain_is_empty, ATLS_E_CONFIGURATION, "ca.chain"},
    {"it is a key", chain_is_a_key, ATLS_E_CONFIGURATION, "ca.chain"},
    {"it ends before the root", root_is_missing, ATLS_E_CONFIGURATION, "ca.chain[0].issuer"},
    {"the root comes first", root_comes_first, ATLS_E_CONFIGURATION, "ca.chain[1].issuer"},
    {"another root of the same name", root_of_another, ATLS_E_CONFIGURATION, "ca.chain[0].authority_key_id"},
    {"a phone's certificate as the issuer", issuer_is_a_phone, ATLS_E_CONFIGURATION, "ca.chain[0]"},
    {"the key is not there", no_key, ATLS_E_CONFIGURATION, "ca.key"},
    {"everybody may read it", key_for_all, ATLS_E_CONFIGURATION, "ca.key"},
    {"it is the root's", key_of_the_root, ATLS_E_CONFIGURATION, "ca.key"},
    {"it is a certificate", key_is_a_certificate, ATLS_E_CONFIGURATION, "ca.key"},
    {"the secret of serials is not there", no_serial_key, ATLS_E_CONFIGURATION, "ca.serial_key"},
    {"everybody may write it", serial_key_for_all, ATLS_E_CONFIGURATION, "ca.serial_key"},
    {"it is zero", serial_key_of_zeros, ATLS_E_CONFIGURATION, "ca.serial_key"},
    {"it has a byte less", serial_key_short, ATLS_E_CONFIGURATION, "ca.serial_key"},
    {"it has a byte more", serial_key_long, ATLS_E_CONFIGURATION, "ca.serial_key"},
    {"the issuer's last second", last_second, ATLS_OK, ""},
    {"a second later", too_late, ATLS_E_EXPIRED, "ca.chain[0].not_after"},
    {"a second before the first", too_early, ATLS_E_NOT_YET_VALID, "ca.chain[1].not_before"},
    {"no time", no_time, ATLS_E_CONFIGURATION, "ca.now"},
    {"neither a folder nor files", no_folder, ATLS_E_CONFIGURATION, "ca.chain"},
    {"a PIN for a file", pin_for_a_file, ATLS_E_CONFIGURATION, "ca.pin"},
    {"a passphrase for a token", passphrase_for_a_token, ATLS_E_CONFIGURATION, "ca.passphrase"},
};

static void opens_or_fails(void **state)
{
    const fault *f = *state;
    ca_scene s;
    ca_scene_begin(&s);
    assert_true(atls_ca_init(&s.init, &s.err));
    f->make(&s);
    const bool ok = ca_scene_reopen(&s, NULL);
    assert_string_equal(s.err.field, f->field);
    assert_int_equal(s.err.code, f->code);
    assert_int_equal(ok, f->code == ATLS_OK);
    assert_int_equal(s.ca != NULL, ok);
    ca_scene_end(&s);
}

/* ---- passphrases ---- */

static void opens_with_its_passphrase(void **state)
{
    ca_scene s;
    char path[3][192];
    (void)state;
    ca_scene_begin(&s);
    ca_scene_put(&s, "good", "correct horse\nsecond line\n", 0600);
    ca_scene_put(&s, "bad", "incorrect horse\n", 0600);
    ca_scene_put(&s, "open", "correct horse\n", 0644);
    (void)snprintf(path[0], sizeof path[0], "%s", ca_scene_path(&s, "good"));
    (void)snprintf(path[1], sizeof path[1], "%s", ca_scene_path(&s, "bad"));
    (void)snprintf(path[2], sizeof path[2], "%s", ca_scene_path(&s, "open"));
    s.init.passphrase_file = path[0];
    assert_true(atls_ca_init(&s.init, &s.err));
    assert_non_null(strstr(slurp(&s, "issuer.key.pem"), "BEGIN ENCRYPTED PRIVATE KEY"));
    assert_non_null(strstr(slurp(&s, "root.key.pem"), "BEGIN ENCRYPTED PRIVATE KEY"));
    assert_false(ca_scene_reopen(&s, NULL));
    assert_string_equal(s.err.field, "ca.passphrase");
    for (size_t i = 1; i < 3; i++) {
        s.open.passphrase_file = path[i];
        assert_false(ca_scene_reopen(&s, NULL));
        assert_string_equal(s.err.field, "ca.passphrase");
        assert_int_equal(s.err.code, ATLS_E_CONFIGURATION);
    }
    s.open.passphrase_file = path[0];
    assert_true(ca_scene_reopen(&s, NULL));
    assert_true(ca_scene_issue(&s));
    ca_scene_end(&s);
}

int main(void)
{
    tap_list l = {0};
    tap_add(&l, "files appear with their modes, and nothing else", makes_files, NULL);
    tap_add(&l, "nothing that is there is overwritten", never_overwrites, NULL);
    tap_add(&l, "nor is a link followed", follows_no_link, NULL);
    for (size_t i = 0; i < sizeof inits / sizeof inits[0]; i++) {
        tap_add(&l, inits[i].name, inits_or_fails, &inits[i]);
    }
    tap_add(&l, "its own certificates say what they may", root_says_what_it_may, NULL);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        tap_add(&l, faults[i].name, opens_or_fails, &faults[i]);
    }
    tap_add(&l, "keys under a passphrase", opens_with_its_passphrase, NULL);
    return tap_run("ca_open", &l);
}

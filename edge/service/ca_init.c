/* SPDX-License-Identifier: Apache-2.0 */
/* ca_init.c: makes a CA: everything in memory first, then the files, none of which may be there. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "ca_internal.h"

#define MAX_DAYS       36500u
#define ROOT_DAYS      3650u
#define ISSUER_DAYS    1095u
#define KEY_CERT_SIGN  0x04 /* keyUsage, its octet */
#define CRL_SIGN       0x02
#define MAX_PASSPHRASE 1024

static const char first_profile[] = "{\n"
                                    "  \"subject\": [{\"type\": \"CN\", \"value\": \"{app}\"}],\n"
                                    "  \"eku\": [\"clientAuth\"],\n"
                                    "  \"life_s\": 864000,\n"
                                    "  \"backdate_s\": 300,\n"
                                    "  \"attested_key\": true\n"
                                    "}\n";

/* One certificate of the CA's own, and its key. */
typedef struct authority {
    EVP_PKEY *key;
    ca_signer signer;
    ca_algorithm alg;
    atls_bytes spki;
    uint8_t key_id[20];
    atls_bytes name;
    atls_time not_after;
    atls_bytes pem;
    atls_bytes key_pem;
} authority;

typedef struct made_file {
    const char *name;
    atls_bytes content;
    mode_t mode;
} made_file;

#define MAX_FILES 6

typedef struct job {
    const atls_ca_init_options *o;
    atls_arena arena;
    char passphrase[MAX_PASSPHRASE];
    authority root;
    authority issuer; /* not used where the root issues */
    made_file files[MAX_FILES];
    size_t n_files;
    atls_error *err;
} job;

/* ---- keys ---- */

static bool make_key(job *j, authority *a)
{
    unsigned char *der = NULL;
    a->key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", j->o->key == ATLS_CA_P384 ? "P-384" : "P-256");
    a->alg = j->o->key == ATLS_CA_P384 ? CA_ECDSA_SHA384 : CA_ECDSA_SHA256;
    const int n = a->key == NULL ? 0 : i2d_PUBKEY(a->key, &der);
    const bool ok = n > 0 && atls_arena_copy(&j->arena, atls_bytes_of(der, (size_t)n), &a->spki, j->err);
    OPENSSL_free(der);
    ERR_clear_error();
    if (!ok) {
        return atls_fail(j->err, ATLS_E_INTERNAL, "key", "OpenSSL makes no key");
    }
    return ca_key_signer(a->key, &a->signer, j->err) && ca_key_id(a->spki, a->key_id, j->err);
}

/* PKCS #8; the memory of OpenSSL's BIO is wiped when it is freed. */
static bool write_key(job *j, authority *a)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    char *text = NULL;
    const bool is_encrypted = j->passphrase[0] != '\0';
    const bool ok =
        bio != NULL
        && PEM_write_bio_PKCS8PrivateKey(bio, a->key, is_encrypted ? EVP_aes_256_cbc() : NULL,
                                         is_encrypted ? j->passphrase : NULL, (int)strlen(j->passphrase), NULL, NULL)
               == 1;
    const long n = ok ? BIO_get_mem_data(bio, &text) : 0;
    const bool copied = n > 0 && atls_arena_copy(&j->arena, atls_bytes_of(text, (size_t)n), &a->key_pem, j->err);
    BIO_free(bio);
    ERR_clear_error();
    return copied || atls_fail(j->err, ATLS_E_INTERNAL, "key", "the key cannot be written");
}

/* ---- certificates ---- */

static bool make_name(job *j, const char *text, atls_bytes *out)
{
    const size_t cap = 4096;
    uint8_t *block = atls_arena_raw(&j->arena, cap, j->err);
    ca_der d;
    if (block == NULL) {
        return false;
    }
    ca_der_init(&d, block, cap);
    return ca_name_parse(text, "subject", &d, j->err)
           && (ca_der_done(&d, out) || atls_fail(j->err, ATLS_E_USAGE, "subject", "the name is too long"));
}

static bool certify(job *j, authority *a, const authority *by, int path_len)
{
    const size_t cap = CA_MAX_CERTIFICATE_LEN;
    uint8_t *block = atls_arena_raw(&j->arena, 2 * cap, j->err);
    uint8_t serial[ATLS_CA_SERIAL_LEN];
    ca_signature s;
    atls_bytes tbs;
    atls_bytes der;
    ca_der d;
    if (block == NULL) {
        return false;
    }
    if (RAND_bytes(serial, sizeof serial) != 1) {
        return atls_fail(j->err, ATLS_E_INTERNAL, "serial", "OpenSSL has no random numbers");
    }
    const ca_head head = {serial,       sizeof serial, by->alg, by->name, j->o->now - ATLS_CA_DEFAULT_BACK_S,
                          a->not_after, a->name,       a->spki};
    ca_der_init(&d, block, cap);
    ca_certificate_begin(&d, &head);
    ca_extension_basic_constraints(&d, true, path_len);
    ca_extension_key_usage(&d, KEY_CERT_SIGN | CRL_SIGN, 1);
    ca_extension_key_id(&d, atls_bytes_of(a->key_id, sizeof a->key_id));
    if (a != by) {
        ca_extension_authority(&d, atls_bytes_of(by->key_id, sizeof by->key_id));
    }
    ca_certificate_end(&d);
    if (!ca_der_done(&d, &tbs) || !by->signer.sign(by->signer.self, by->alg, tbs, &s, j->err)) {
        return atls_fail(j->err, ATLS_E_INTERNAL, "certificate", "it cannot be made");
    }
    ca_der_init(&d, block + cap, cap);
    ca_certificate_put(&d, tbs, by->alg, &s);
    return (ca_der_done(&d, &der) || atls_fail(j->err, ATLS_E_INTERNAL, "certificate", "it cannot be made"))
           && atls_pem_encode(der, "CERTIFICATE", &j->arena, &a->pem, j->err);
}

/* The issuer's name is the root's with another last attribute behind it, so that they cannot be mixed up. */
static bool make_issuer(job *j, const char *subject)
{
    const unsigned days = j->o->issuer_days == 0 ? ISSUER_DAYS : j->o->issuer_days;
    const char *name = atls_text_format(&j->arena, j->err, "%s,OU=issuer", subject);
    if (name == NULL || !make_name(j, name, &j->issuer.name) || !make_key(j, &j->issuer)) {
        return false;
    }
    j->issuer.not_after = j->o->now + (atls_time)days * 86400;
    if (j->issuer.not_after > j->root.not_after) {
        j->issuer.not_after = j->root.not_after;
    }
    return certify(j, &j->issuer, &j->root, 0) && write_key(j, &j->issuer);
}

static bool make_authorities(job *j)
{
    const char *subject = j->o->subject == NULL ? "CN=atls enrolment CA" : j->o->subject;
    const unsigned days = j->o->days == 0 ? ROOT_DAYS : j->o->days;
    j->root.not_after = j->o->now + (atls_time)days * 86400;
    return make_name(j, subject, &j->root.name) && make_key(j, &j->root)
           && certify(j, &j->root, &j->root, j->o->without_intermediate ? 0 : 1) && write_key(j, &j->root)
           && (j->o->without_intermediate || make_issuer(j, subject));
}

/* ---- files ---- */

static void add_file(job *j, const char *name, atls_bytes content, mode_t mode)
{
    j->files[j->n_files++] = (made_file){name, content, mode};
}

static bool make_serial_key(job *j, atls_bytes *out)
{
    uint8_t secret[32];
    const bool ok = RAND_bytes(secret, sizeof secret) == 1;
    const char *text = ok ? atls_hex_text(atls_bytes_of(secret, sizeof secret), &j->arena, j->err) : NULL;
    atls_wipe(secret, sizeof secret);
    *out = atls_bytes_str(text);
    return text != NULL || atls_fail(j->err, ATLS_E_INTERNAL, "serial.key", "OpenSSL has no random numbers");
}

static bool list_files(job *j)
{
    atls_bytes serial;
    atls_bytes chain;
    atls_buf b;
    atls_buf_init(&b, &j->arena, j->err);
    if (!j->o->without_intermediate) {
        atls_buf_put(&b, j->issuer.pem);
    }
    atls_buf_put(&b, j->root.pem);
    if (!atls_buf_done(&b, &chain) || !make_serial_key(j, &serial)) {
        return false;
    }
    if (!j->o->without_intermediate) {
        add_file(j, "root.key.pem", j->root.key_pem, 0600);
    }
    add_file(j, "issuer.key.pem", j->o->without_intermediate ? j->root.key_pem : j->issuer.key_pem, 0600);
    add_file(j, "serial.key", serial, 0600);
    add_file(j, "profile.json", atls_bytes_of(first_profile, sizeof first_profile - 1), 0644);
    add_file(j, "root.pem", j->root.pem, 0644);
    add_file(j, "chain.pem", chain, 0644);
    return true;
}

static bool fail_file(job *j, const char *name, int reason)
{
    char words[96] = "";
    if (strerror_r(reason, words, sizeof words) != 0) {
        words[0] = '\0';
    }
    return atls_fail(j->err, ATLS_E_USAGE, "dir", "%s/%s: %s", j->o->dir, name, words);
}

/* Under both layouts' names: a folder holds one CA. */
static bool check_absent(job *j, int dir)
{
    static const char *const names[] = {"root.key.pem", "issuer.key.pem", "serial.key",
                                        "profile.json", "root.pem",       "chain.pem"};
    struct stat st;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (fstatat(dir, names[i], &st, AT_SYMLINK_NOFOLLOW) == 0) {
            return atls_fail(j->err, ATLS_E_USAGE, "dir", "%s/%s is there, and is not overwritten", j->o->dir,
                             names[i]);
        }
        if (errno != ENOENT) {
            return fail_file(j, names[i], errno);
        }
    }
    return true;
}

static int write_content(int fd, atls_bytes content)
{
    for (size_t done = 0; done < content.len;) {
        const ssize_t n = write(fd, content.ptr + done, content.len - done);
        if (n < 0 && errno != EINTR) {
            return errno;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return fsync(fd) == 0 ? 0 : errno;
}

/* A hard link fails where a rename would overwrite, so that the name appears with its whole content, or not. */
static bool write_file(job *j, int dir, const made_file *f)
{
    const char *temporary = atls_text_format(&j->arena, j->err, ".%s.%ld", f->name, (long)getpid());
    if (temporary == NULL) {
        return false;
    }
    const int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, f->mode);
    if (fd < 0) {
        return fail_file(j, temporary, errno);
    }
    int reason = write_content(fd, f->content);
    if (close(fd) != 0 && reason == 0) {
        reason = errno;
    }
    if (reason == 0 && linkat(dir, temporary, dir, f->name, 0) != 0) {
        reason = errno;
    }
    (void)unlinkat(dir, temporary, 0);
    return reason == 0 || fail_file(j, f->name, reason);
}

static bool write_files(job *j, int dir)
{
    size_t n = 0;
    while (n < j->n_files && write_file(j, dir, &j->files[n])) {
        n++;
    }
    if (n == j->n_files && fsync(dir) == 0) {
        return true;
    }
    (void)fail_file(j, "", errno);
    while (n > 0) {
        (void)unlinkat(dir, j->files[--n].name, 0);
    }
    return false;
}

static bool make_all(job *j)
{
    if (mkdir(j->o->dir, 0700) != 0 && errno != EEXIST) {
        return fail_file(j, "", errno);
    }
    const int dir = open(j->o->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        return fail_file(j, "", errno);
    }
    const bool ok = check_absent(j, dir) && make_authorities(j) && list_files(j) && write_files(j, dir);
    (void)close(dir);
    return ok;
}

static bool check_options(const atls_ca_init_options *o, atls_error *err)
{
    if (o->dir == NULL || o->dir[0] == '\0') {
        return atls_fail(err, ATLS_E_USAGE, "dir", "a folder is needed");
    }
    if (o->key != ATLS_CA_P256 && o->key != ATLS_CA_P384) {
        return atls_fail(err, ATLS_E_USAGE, "key", "there are keys of P-256 and of P-384");
    }
    if (o->days > MAX_DAYS || o->issuer_days > MAX_DAYS) {
        return atls_fail(err, ATLS_E_USAGE, "days", "at most 36500");
    }
    return o->now > 86400 || atls_fail(err, ATLS_E_USAGE, "now", "there is no time");
}

bool atls_ca_init(const atls_ca_init_options *options, atls_error *err)
{
    job j = {.o = options, .err = err};
    const bool ok = check_options(options, err) && atls_arena_new(&j.arena, CA_ARENA_SIZE, err)
                    && (options->passphrase_file == NULL
                        || ca_file_line(options->passphrase_file, "passphrase", j.passphrase, sizeof j.passphrase, err))
                    && make_all(&j);
    EVP_PKEY_free(j.root.key);
    EVP_PKEY_free(j.issuer.key);
    atls_arena_free(&j.arena); /* wipes */
    atls_wipe(&j, sizeof j);
    return ok;
}

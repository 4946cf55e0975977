/* SPDX-License-Identifier: Apache-2.0 */
/* test_ca_token.c: a CA whose key is in a token of SoftHSM: it issues, fails while the token is away, and issues when it is back.
 * Skipped, with a word, where SoftHSM or p11-kit is not there. */
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ca_scene.h"
#include "tap.h"

#define PIN "7391"

static const char *module_path(void)
{
    static const char *const places[] = {"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so",
                                         "/usr/lib/pkcs11/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (access(places[i], R_OK) == 0) {
            return places[i];
        }
    }
    return NULL;
}

static bool run(const char *command)
{
    const int status = system(command); /* NOLINT(cert-env33-c): a test's own words */
    return status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

typedef struct rig {
    ca_scene s;
    char uri[512];
    char pin_path[192];
} rig;

#define RUN(r, ...)                                                                                                    \
    do {                                                                                                               \
        char command_[1024];                                                                                           \
        (void)snprintf(command_, sizeof command_, __VA_ARGS__);                                                        \
        assert_true(run(command_));                                                                                    \
    } while (0)

static void set_uri(rig *r, const char *path, const char *query)
{
    (void)snprintf(r->uri, sizeof r->uri, "pkcs11:%s?module-path=%s%s", path, module_path(), query);
    r->s.open.key = r->uri;
}

/* SoftHSM reads its configuration when it is initialized: one folder of tokens for each rig. */
static void begin_at(rig *r, atls_ca_key_kind key, atls_time now)
{
    char text[256];
    ca_scene_begin(&r->s);
    r->s.init.now = now - 86400;
    r->s.open.now = r->s.grant.now = now;
    (void)snprintf(text, sizeof text, "%s/tokens", r->s.dir);
    assert_int_equal(mkdir(text, 0700), 0);
    (void)snprintf(text, sizeof text,
                   "directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n", r->s.dir);
    ca_scene_put(&r->s, "softhsm2.conf", text, 0600);
    assert_int_equal(setenv("SOFTHSM2_CONF", ca_scene_path(&r->s, "softhsm2.conf"), 1), 0);
    r->s.init.key = key;
    assert_true(atls_ca_init(&r->s.init, &r->s.err));
    RUN(r, "softhsm2-util --init-token --free --label atls --pin " PIN " --so-pin 0000 >/dev/null");
    RUN(r, "softhsm2-util --import %s/issuer.key.pem --token atls --label issuer --id 01 --pin " PIN " >/dev/null",
        r->s.dir);
    assert_int_equal(unlink(ca_scene_path(&r->s, "issuer.key.pem")), 0);
    ca_scene_put(&r->s, "pin", PIN "\n", 0600);
    (void)snprintf(r->pin_path, sizeof r->pin_path, "%s", ca_scene_path(&r->s, "pin"));
    r->s.open.pin_file = r->pin_path;
    set_uri(r, "token=atls;object=issuer", "");
}

static void begin(rig *r, atls_ca_key_kind key)
{
    begin_at(r, key, SCENE_NOW);
}

static void end(rig *r)
{
    atls_ca_free(r->s.ca);
    r->s.ca = NULL;
    RUN(r, "rm -rf %s/tokens %s/tokens.away", r->s.dir, r->s.dir);
    ca_scene_end(&r->s);
}

static void move_token(const rig *r, const char *from, const char *to)
{
    char a[128];
    char b[128];
    (void)snprintf(a, sizeof a, "%s/%s", r->s.dir, from);
    (void)snprintf(b, sizeof b, "%s/%s", r->s.dir, to);
    assert_int_equal(rename(a, b), 0);
}

static void issues(void **state)
{
    static const atls_ca_key_kind kinds[] = {ATLS_CA_P256, ATLS_CA_P384};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        rig r;
        begin(&r, kinds[i]);
        if (!ca_scene_reopen(&r.s, NULL)) {
            fail_msg("%s: %s", r.s.err.field, r.s.err.message);
        }
        for (unsigned n = 0; n < 20; n++) { /* r and s of every length and sign */
            ca_scene_nonce(&r.s, n);
            X509_free(ca_scene_issued(&r.s));
            assert_int_equal(ca_scene_verify(&r.s, SCENE_NOW), X509_V_OK);
        }
        atls_ca_facts f;
        atls_ca_describe(r.s.ca, SCENE_NOW, &f);
        assert_string_equal(f.key_source, "pkcs11");
        assert_int_equal(f.n_reopened, 0);
        end(&r);
    }
}

/* An issuer of RSA, made by openssl(1): the only kind of key that atls_ca_init does not make. */
static void issues_with_rsa(void **state)
{
    rig r;
    (void)state;
    begin_at(&r, ATLS_CA_P256, (atls_time)time(NULL)); /* openssl x509 has no other clock */
    const char *d = r.s.dir;
    RUN(&r,
        "cd %s && printf '[e]\\nbasicConstraints=critical,CA:TRUE,pathlen:0\\nkeyUsage=critical,keyCertSign,cRLSign\\n"
        "subjectKeyIdentifier=hash\\nauthorityKeyIdentifier=keyid\\n' >ext && openssl genpkey -algorithm RSA -pkeyopt "
        "rsa_keygen_bits:2048 -out rsa.pem 2>/dev/null && openssl req -new -key rsa.pem -subj /CN=rsa -out rsa.csr && "
        "openssl x509 -req -in rsa.csr -CA root.pem -CAkey root.key.pem -extfile ext -extensions e -days 30 -out "
        "rsa.crt "
        "2>/dev/null && cat rsa.crt root.pem >chain.pem && softhsm2-util --import rsa.pem --token atls --label rsa "
        "--id 02 --pin " PIN " >/dev/null",
        d);
    set_uri(&r, "token=atls;id=%02", "");
    r.s.open.now += 60;
    r.s.grant.now += 60;
    if (!ca_scene_reopen(&r.s, NULL)) {
        fail_msg("%s: %s", r.s.err.field, r.s.err.message);
    }
    X509 *c = ca_scene_issued(&r.s);
    assert_int_equal(X509_get_signature_nid(c), NID_sha256WithRSAEncryption);
    assert_int_equal(ca_scene_verify(&r.s, r.s.grant.now), X509_V_OK);
    X509_free(c);
    end(&r);
}

static void comes_back(void **state)
{
    rig r;
    atls_ca_facts f;
    (void)state;
    begin(&r, ATLS_CA_P256);
    assert_true(ca_scene_reopen(&r.s, NULL));
    assert_true(ca_scene_issue(&r.s));
    move_token(&r, "tokens", "tokens.away");
    for (unsigned i = 2; i < 5; i++) {
        ca_scene_nonce(&r.s, i);
        assert_false(ca_scene_issue(&r.s));
        assert_int_equal(r.s.err.code, ATLS_E_ENROL_ISSUE);
        assert_string_equal(r.s.err.field, "key");
        assert_true(r.s.err.retry);
    }
    ca_scene_nonce(&r.s, 1); /* what was issued needs no token */
    assert_true(ca_scene_issue(&r.s));
    move_token(&r, "tokens.away", "tokens");
    ca_scene_nonce(&r.s, 2); /* and the nonce that failed is not lost */
    X509_free(ca_scene_issued(&r.s));
    assert_int_equal(ca_scene_verify(&r.s, SCENE_NOW), X509_V_OK);
    atls_ca_describe(r.s.ca, SCENE_NOW, &f);
    assert_int_equal(f.n_reopened, 1);
    assert_int_equal(f.n_issued, 2);
    assert_int_equal(f.n_failed, 3);
    end(&r);
}

/* A token of the same name with another key: nothing that it signs leaves. */
static void comes_back_as_another(void **state)
{
    rig r;
    (void)state;
    begin(&r, ATLS_CA_P256);
    assert_true(ca_scene_reopen(&r.s, NULL));
    move_token(&r, "tokens", "tokens.away");
    RUN(&r, "mkdir %s/tokens", r.s.dir);
    RUN(&r, "softhsm2-util --init-token --free --label atls --pin " PIN " --so-pin 0000 >/dev/null");
    RUN(&r, "softhsm2-util --import %s/root.key.pem --token atls --label issuer --id 01 --pin " PIN " >/dev/null",
        r.s.dir);
    assert_false(ca_scene_issue(&r.s));
    assert_false(ca_scene_issue(&r.s));
    assert_string_equal(r.s.err.field, "key");
    assert_non_null(strstr(r.s.err.message, "does not verify"));
    end(&r);
}

/* A PIN that is refused is not tried again: tokens lock themselves. */
static void tries_a_pin_once(void **state)
{
    rig r;
    (void)state;
    begin(&r, ATLS_CA_P256);
    assert_true(ca_scene_reopen(&r.s, NULL));
    move_token(&r, "tokens", "tokens.away");
    assert_false(ca_scene_issue(&r.s));
    move_token(&r, "tokens.away", "tokens");
    ca_scene_put(&r.s, "pin", "0001\n", 0600);
    assert_false(ca_scene_issue(&r.s));
    assert_non_null(strstr(r.s.err.message, "is not taken"));
    ca_scene_put(&r.s, "pin", PIN "\n", 0600);
    assert_false(ca_scene_issue(&r.s));
    assert_non_null(strstr(r.s.err.message, "not tried again"));
    assert_true(ca_scene_reopen(&r.s, NULL)); /* whoever mends the PIN opens the CA anew */
    assert_true(ca_scene_issue(&r.s));
    end(&r);
}

static void *issue_some(void *arg)
{
    const ca_scene *s = arg;
    atls_arena a = {0};
    atls_error err = {.code = ATLS_OK};
    uintptr_t done = 0;
    if (!atls_arena_new(&a, (size_t)512 * 1024, &err)) {
        return NULL;
    }
    for (unsigned i = 0; i < 25; i++) {
        uint8_t nonce[32] = {(uint8_t)i};
        const void *self = &a;
        memcpy(nonce + 8, &self, sizeof self); /* every thread its own */
        atls_enrol_grant grant = s->grant;
        atls_bytes chain[ATLS_ENROL_MAX_CERTIFICATES];
        size_t n;
        grant.nonce_sha256 = nonce;
        done += atls_ca_issue(s->ca, &grant, &a, chain, &n, &err) ? 1 : 0;
        atls_arena_reset(&a);
    }
    atls_arena_free(&a);
    return (void *)done;
}

static void serves_threads(void **state)
{
    rig r;
    pthread_t threads[4];
    (void)state;
    begin(&r, ATLS_CA_P256);
    assert_true(ca_scene_reopen(&r.s, NULL));
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, issue_some, &r.s), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        void *done;
        assert_int_equal(pthread_join(threads[i], &done), 0);
        assert_int_equal((uintptr_t)done, 25);
    }
    end(&r);
}

/* ---- URIs ---- */

typedef struct row {
    const char *name;
    const char *path;
    const char *query;
    const char *pin; /* content of the file; NULL: no file is named */
    const char *field;
} row;

static const row rows[] = {
    {"token and label", "token=atls;object=issuer", "", PIN, ""},
    {"token and id", "token=atls;id=%01", "", PIN, ""},
    {"the key alone", "object=issuer", "", PIN, ""},
    {"with its type", "object=issuer;type=private", "", PIN, ""},
    {"another token", "token=other;object=issuer", "", PIN, "ca.key"},
    {"another label", "token=atls;object=other", "", PIN, "ca.key"},
    {"another id", "token=atls;id=%02", "", PIN, "ca.key"},
    {"no key", "token=atls", "", PIN, "ca.key"},
    {"an unknown attribute", "token=atls;object=issuer;x=1", "", PIN, "ca.key"},
    {"a broken escape", "token=%zz;object=issuer", "", PIN, "ca.key"},
    {"no PIN", "token=atls;object=issuer", "", NULL, "ca.key"},
    {"a wrong PIN", "token=atls;object=issuer", "", "1111", "ca.key"},
    {"an empty PIN", "token=atls;object=issuer", "", "", "ca.pin"},
    {"a PIN in the URI", "token=atls;object=issuer", "&pin-value=" PIN, NULL, "ca.pin"},
    {"two PINs", "token=atls;object=issuer", "&pin-source=/nonexistent", PIN, "ca.pin"},
    {"a PIN file that is not there", "token=atls;object=issuer", "&pin-source=/nonexistent", NULL, "ca.pin"},
};

static void finds_its_key(void **state)
{
    const row *w = *state;
    rig r;
    begin(&r, ATLS_CA_P256);
    set_uri(&r, w->path, w->query);
    if (w->pin == NULL) {
        r.s.open.pin_file = NULL;
    } else {
        ca_scene_put(&r.s, "pin", w->pin, 0600);
    }
    const bool ok = ca_scene_reopen(&r.s, NULL);
    assert_string_equal(r.s.err.field, w->field);
    assert_int_equal(r.s.err.code, ok ? ATLS_OK : ATLS_E_CONFIGURATION);
    assert_int_equal(ok, w->field[0] == '\0');
    end(&r);
}

static void needs_its_module(void **state)
{
    rig r;
    (void)state;
    begin(&r, ATLS_CA_P256);
    static const char *const uris[] = {"pkcs11:token=atls;object=issuer",
                                       "pkcs11:object=issuer?module-path=softhsm2.so",
                                       "pkcs11:object=issuer?module-path=/nonexistent.so"};
    for (size_t i = 0; i < 3; i++) {
        r.s.open.key = uris[i];
        assert_false(ca_scene_reopen(&r.s, NULL));
        assert_string_equal(r.s.err.field, "ca.key");
    }
    end(&r);
}

static void pin_source_counts(void **state)
{
    static const char *const forms[] = {"&pin-source=", "&pin-source=file:"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        rig r;
        char query[256];
        begin(&r, ATLS_CA_P256);
        (void)snprintf(query, sizeof query, "%s%s", forms[i], r.pin_path);
        set_uri(&r, "token=atls;object=issuer", query);
        r.s.open.pin_file = NULL;
        assert_true(ca_scene_reopen(&r.s, NULL));
        end(&r);
    }
}

static void two_keys_are_none(void **state)
{
    rig r;
    (void)state;
    begin(&r, ATLS_CA_P256);
    RUN(&r, "softhsm2-util --import %s/root.key.pem --token atls --label issuer --id 02 --pin " PIN " >/dev/null",
        r.s.dir);
    assert_false(ca_scene_reopen(&r.s, NULL));
    assert_string_equal(r.s.err.field, "ca.key");
    assert_non_null(strstr(r.s.err.message, "more than one key"));
    set_uri(&r, "token=atls;object=issuer;id=%02", ""); /* the root's: not the issuer's key */
    assert_false(ca_scene_reopen(&r.s, NULL));
    assert_non_null(strstr(r.s.err.message, "not the one of the certificate"));
    set_uri(&r, "token=atls;object=issuer;id=%01", "");
    assert_true(ca_scene_reopen(&r.s, NULL));
    end(&r);
}

int main(void)
{
    tap_list l = {0};
    if (module_path() == NULL || !run("command -v softhsm2-util >/dev/null && command -v openssl >/dev/null")) {
        puts("1..1\nok 1 # SKIP SoftHSM is not installed");
        return 0;
    }
    tap_add(&l, "a key in a token issues", issues, NULL);
    tap_add(&l, "one of RSA too", issues_with_rsa, NULL);
    tap_add(&l, "the token goes, and comes back", comes_back, NULL);
    tap_add(&l, "another one comes back", comes_back_as_another, NULL);
    tap_add(&l, "a refused PIN is not tried again", tries_a_pin_once, NULL);
    tap_add(&l, "many threads", serves_threads, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, finds_its_key, &rows[i]);
    }
    tap_add(&l, "a URI names its module", needs_its_module, NULL);
    tap_add(&l, "pin-source", pin_source_counts, NULL);
    tap_add(&l, "a URI that fits two keys", two_keys_are_none, NULL);
    return tap_run("ca_token", &l);
}

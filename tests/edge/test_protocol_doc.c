/* SPDX-License-Identifier: Apache-2.0 */
/* test_protocol_doc.c: docs/protocol.md says what the library does: every value of its worked example is computed again
 * from the example's own inputs, and its limits, labels, types and categories are those of the code. */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "base/check.h"
#include "base/text.h"
#include "edge/tls/native.h"

#define PAGE        "docs/protocol.md"
#define FENCE       "```example\n"
#define MAX_TEXT    (256u * 1024)
#define MAX_ENTRIES 48u
#define MAX_VALUE   512u

static atls_crypto *crypto;
static char page_text[MAX_TEXT];

/* ---- the example, read from the page --------------------------------------------------------------------------------- */

/* One value of an ```example block: "label   hex", and further lines of hex behind spaces. */
typedef struct entry {
    char label[32];
    uint8_t bytes[MAX_VALUE];
    size_t len;
    size_t last_digit; /* where its last digit stands in the text */
    bool used;
} entry;

typedef struct example {
    entry entries[MAX_ENTRIES];
    size_t n;
    const char *wrong; /* the first label that does not hold, or what is the matter with the page; NULL: all is well */
} example;

static void complain(example *e, const char *what)
{
    if (e->wrong == NULL) {
        e->wrong = what;
    }
}

static bool is_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static void read_hex(example *e, entry *v, const char *text, size_t at, size_t end)
{
    char digits[2];
    size_t n = 0;
    for (; at < end; at++) {
        if (text[at] == ' ') {
            continue;
        }
        if (!is_digit(text[at]) || v->len == MAX_VALUE) {
            complain(e, "a value that is no hex, or too long");
            return;
        }
        digits[n++] = text[at];
        v->last_digit = at;
        if (n == 2) {
            n = 0;
            v->bytes[v->len++] = (uint8_t)(check_digit(digits[0]) << 4 | check_digit(digits[1]));
        }
    }
    if (n != 0) {
        complain(e, "a line with half a byte");
    }
}

static void read_line(example *e, const char *text, size_t at, size_t end)
{
    size_t hex = at;
    if (text[at] != ' ') {
        while (hex + 1 < end && !(text[hex] == ' ' && text[hex + 1] == ' ')) {
            hex++;
        }
        if (e->n == MAX_ENTRIES || hex - at >= sizeof e->entries[0].label) {
            complain(e, "too many values, or a label that is too long");
            return;
        }
        entry *v = &e->entries[e->n++];
        memcpy(v->label, text + at, hex - at);
    }
    if (e->n == 0) {
        complain(e, "a value without a label");
        return;
    }
    read_hex(e, &e->entries[e->n - 1], text, hex, end);
}

static void read_example(example *e, const char *text)
{
    memset(e, 0, sizeof *e);
    const char *block = text;
    while ((block = strstr(block, FENCE)) != NULL) {
        size_t at = (size_t)(block - text) + strlen(FENCE);
        while (text[at] != '\0' && strncmp(text + at, "```", 3) != 0) {
            size_t end = at + strcspn(text + at, "\n");
            read_line(e, text, at, end);
            at = text[end] == '\0' ? end : end + 1;
        }
        block = text + at;
    }
}

/* A value that the page gives: len bytes, or, if len is 0, as many as there are. */
static atls_bytes given(example *e, const char *label, size_t len)
{
    static const uint8_t nothing[MAX_VALUE];
    for (size_t i = 0; i < e->n; i++) {
        entry *v = &e->entries[i];
        if (strcmp(v->label, label) == 0 && !v->used && (len == 0 || v->len == len)) {
            v->used = true;
            return atls_bytes_of(v->bytes, v->len);
        }
    }
    complain(e, label);
    return atls_bytes_of(nothing, len);
}

/* A value that the library has computed, and the page has to have. */
static void expect(example *e, const char *label, atls_bytes computed)
{
    atls_bytes there = given(e, label, computed.len);
    if (!atls_bytes_equal(there, computed)) {
        complain(e, label);
    }
}

/* ---- the example, computed ------------------------------------------------------------------------------------------- */

/* What later values are made of, as computed and not as printed. */
typedef struct session {
    atls_bytes nonce[3]; /* by role: 1 client, 2 server */
    uint8_t context[32];
    uint8_t exporter[3][64];
    uint8_t key[3][32];
    uint8_t server_leaf[64];
    atls_arena *arena;
} session;

static atls_bytes hello(const session *x, atls_native_role role)
{
    bool is_server = role == ATLS_NATIVE_SERVER;
    const char *type = is_server ? "application/vnd.atls.sev-snp-report" : ATLS_NATIVE_TYPE_DCAP;
    atls_native_hello h = {.types = {{atls_bytes_str(type)}, 1}, .staple = !is_server};
    static const char *const protocols[] = {"h2", "http/1.1"};
    for (size_t i = is_server ? 1 : 0; i < 2; i++) {
        h.protocols.items[h.protocols.n++] = atls_bytes_str(protocols[i]);
    }
    memcpy(h.nonce, x->nonce[role].ptr, sizeof h.nonce);
    atls_error err = {0};
    atls_bytes out;
    assert_true(atls_native_write_hello(is_server, &h, x->arena, &out, &err));
    return out;
}

static void compute_hellos(example *e, session *x)
{
    atls_error err = {0};
    x->nonce[ATLS_NATIVE_CLIENT] = given(e, "client nonce", 32);
    x->nonce[ATLS_NATIVE_SERVER] = given(e, "server nonce", 32);
    atls_bytes client = hello(x, ATLS_NATIVE_CLIENT);
    atls_bytes server = hello(x, ATLS_NATIVE_SERVER);
    expect(e, "client hello", client);
    expect(e, "server hello", server);
    assert_true(atls_native_context(crypto, client, server, x->context, &err));
    expect(e, "context", atls_bytes_of(x->context, sizeof x->context));
}

/* HKDF-Expand-Label of RFC 8446, 7.1, with SHA-256 and a context of 32 bytes. */
static void expand_label(const uint8_t secret[32], const char *label, const uint8_t context[32], uint8_t *out,
                         size_t len)
{
    uint8_t info[128] = {(uint8_t)(len >> 8), (uint8_t)len};
    uint8_t key[32];
    char digest[] = "SHA256";
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    size_t n = strlen(label);
    memcpy(key, secret, sizeof key);
    info[2] = (uint8_t)(6 + n);
    memcpy(info + 3, "tls13 ", 6);
    memcpy(info + 9, label, n);
    info[9 + n] = 32;
    memcpy(info + 10 + n, context, 32);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
                           OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
                           OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key, sizeof key),
                           OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, 42 + n),
                           OSSL_PARAM_construct_end()};
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    assert_int_equal(EVP_KDF_derive(ctx, out, len, params), 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

static void digest(const EVP_MD *md, atls_bytes in, uint8_t *out)
{
    assert_int_equal(EVP_Digest(in.ptr, in.len, out, NULL, md, NULL), 1);
}

/* RFC 8446, 7.5 */
static void compute_exporters(example *e, session *x)
{
    static const char *const labels[] = {"", ATLS_NATIVE_LABEL_CLIENT, ATLS_NATIVE_LABEL_SERVER};
    atls_bytes secret = given(e, "exporter secret", 32);
    uint8_t no_context[32];
    uint8_t context[32];
    digest(EVP_sha256(), atls_bytes_empty(), no_context);
    digest(EVP_sha256(), atls_bytes_of(x->context, sizeof x->context), context);
    for (unsigned role = ATLS_NATIVE_CLIENT; role <= ATLS_NATIVE_SERVER; role++) {
        uint8_t derived[32];
        expand_label(secret.ptr, labels[role], no_context, derived, 32);
        expand_label(derived, "exporter", context, x->exporter[role], 64);
    }
    expect(e, "client exporter", atls_bytes_of(x->exporter[ATLS_NATIVE_CLIENT], 64));
    expect(e, "server exporter", atls_bytes_of(x->exporter[ATLS_NATIVE_SERVER], 64));
}

static void compute_keys(example *e, session *x)
{
    digest(EVP_sha256(), given(e, "client SPKI", 44), x->key[ATLS_NATIVE_CLIENT]);
    digest(EVP_sha256(), given(e, "server SPKI", 44), x->key[ATLS_NATIVE_SERVER]);
    expect(e, "client key", atls_bytes_of(x->key[ATLS_NATIVE_CLIENT], 32));
    expect(e, "server key", atls_bytes_of(x->key[ATLS_NATIVE_SERVER], 32));
}

static void compute_leaf(example *e, session *x, const char *label, atls_native_role role, bool bare, uint8_t leaf[64])
{
    atls_native_role other = role == ATLS_NATIVE_CLIENT ? ATLS_NATIVE_SERVER : ATLS_NATIVE_CLIENT;
    atls_error err = {0};
    atls_native_leaf_input in = {.role = role,
                                 .exporter = x->exporter[role],
                                 .nonce = x->nonce[other].ptr,
                                 .prover_spki = atls_bytes_of(x->key[role], 32),
                                 .verifier_spki = bare ? atls_bytes_empty() : atls_bytes_of(x->key[other], 32)};
    assert_true(atls_native_leaf(crypto, &in, leaf, &err));
    expect(e, label, atls_bytes_of(leaf, 64));
}

static void compute_report(example *e, const char *label, const uint8_t root[64], uint64_t size)
{
    atls_error err = {0};
    uint8_t report[64];
    assert_true(atls_native_report(crypto, size, root, report, &err));
    expect(e, label, atls_bytes_of(report, 64));
}

static void compute_leaves(example *e, session *x)
{
    atls_error err = {0};
    uint8_t leaf[1][64];
    uint8_t root[64];
    compute_leaf(e, x, "bare leaf", ATLS_NATIVE_SERVER, true, leaf[0]);
    compute_leaf(e, x, "client leaf", ATLS_NATIVE_CLIENT, false, leaf[0]);
    assert_true(atls_tree_root(crypto, (const uint8_t(*)[64])leaf, 1, root, &err));
    compute_report(e, "client report", root, 1);
    compute_leaf(e, x, "server leaf", ATLS_NATIVE_SERVER, false, leaf[0]);
    assert_true(atls_tree_root(crypto, (const uint8_t(*)[64])leaf, 1, root, &err));
    compute_report(e, "server report", root, 1);
    memcpy(x->server_leaf, leaf[0], sizeof x->server_leaf);
}

static void compute_evidence(example *e, const session *x, const char *label, const atls_tree_path *path)
{
    bool has_log = path->size > 1;
    atls_error err = {0};
    atls_bytes frame;
    const atls_native_evidence in = {
        .evidence = {atls_bytes_str(ATLS_NATIVE_TYPE_DCAP), atls_bytes_str("quote")},
        .has_companion = has_log,
        .companion = {atls_bytes_str(ATLS_NATIVE_TYPE_LOG), has_log ? atls_bytes_str("[]") : atls_bytes_empty()},
        .path = *path};
    assert_true(atls_native_write_evidence(&in, x->arena, &frame, &err));
    expect(e, label, frame);
}

static void compute_tree(example *e, const session *x)
{
    static const atls_tree_path alone = {.index = 0, .size = 1};
    atls_error err = {0};
    atls_tree_path paths[3];
    uint8_t leaves[3][64];
    uint8_t root[64];
    digest(EVP_sha512(), atls_bytes_str("sibling 0"), leaves[0]);
    memcpy(leaves[1], x->server_leaf, sizeof leaves[1]);
    digest(EVP_sha512(), atls_bytes_str("sibling 2"), leaves[2]);
    assert_true(atls_tree_paths(crypto, (const uint8_t(*)[64])leaves, 3, x->arena, root, paths, &err));
    expect(e, "path of 1", paths[1].siblings);
    expect(e, "path of 2", paths[2].siblings);
    expect(e, "root", atls_bytes_of(root, 64));
    compute_report(e, "tree report", root, 3);
    compute_evidence(e, x, "evidence alone", &alone);
    compute_evidence(e, x, "evidence of 1", &paths[1]);
}

static void compute_done(example *e, const session *x, const char *label, atls_category refusal)
{
    atls_error err = {0};
    atls_bytes frame;
    atls_native_done done = {.refusal = refusal};
    memcpy(done.context, x->context, sizeof done.context);
    assert_true(atls_native_write_done(&done, x->arena, &frame, &err));
    expect(e, label, frame);
}

/* The first label that does not hold; NULL: the page is right. */
static const char *check_example(example *e, const char *text)
{
    session x = {.arena = check_arena()};
    read_example(e, text);
    compute_hellos(e, &x);
    compute_exporters(e, &x);
    compute_keys(e, &x);
    compute_leaves(e, &x);
    compute_tree(e, &x);
    compute_done(e, &x, "done accepted", ATLS_CATEGORY_NONE);
    compute_done(e, &x, "done refused", ATLS_CATEGORY_TRUST);
    for (size_t i = 0; i < e->n; i++) {
        if (!e->entries[i].used) {
            complain(e, e->entries[i].label);
        }
    }
    return e->wrong;
}

/* ---- tests ------------------------------------------------------------------------------------------------------------ */

static void test_example(void **state)
{
    (void)state;
    static example e;
    const char *wrong = check_example(&e, page_text);
    if (wrong != NULL) {
        fail_msg("%s: the worked example does not hold: %s", PAGE, wrong);
    }
    assert_int_equal(e.n, 25);
}

/* The test itself: one digit of one value is enough, whichever it is. */
static void test_every_value(void **state)
{
    (void)state;
    static example honest;
    static example changed;
    static char copy[MAX_TEXT];
    memcpy(copy, page_text, sizeof copy);
    (void)check_example(&honest, page_text);
    for (size_t i = 0; i < honest.n; i++) {
        size_t at = honest.entries[i].last_digit;
        copy[at] = page_text[at] == '0' ? '1' : '0';
        if (check_example(&changed, copy) == NULL) {
            fail_msg("a change of \"%s\" was not found", honest.entries[i].label);
        }
        copy[at] = page_text[at];
    }
}

static void expect_text(const char *text)
{
    if (strstr(page_text, text) == NULL) {
        fail_msg("%s does not say: %s", PAGE, text);
    }
}

static void expect_number(const char *format, unsigned number)
{
    char text[128];
    snprintf(text, sizeof text, format, number);
    expect_text(text);
}

static void test_limits(void **state)
{
    (void)state;
    expect_number("| body of a hello | 1 to %u bytes |", ATLS_NATIVE_MAX_HELLO_LEN);
    expect_number("| body of an evidence frame | 1 to %u bytes |", ATLS_NATIVE_MAX_EVIDENCE_LEN);
    expect_number("| body of a done | 1 to %u bytes |", ATLS_NATIVE_MAX_DONE_LEN);
    expect_number("| names in a list | %u |", ATLS_NATIVE_MAX_NAMES);
    expect_number("| nonce | %u bytes |", ATLS_NATIVE_NONCE_LEN);
    expect_number("| endorsement records | %u |", ATLS_NATIVE_MAX_STAPLES);
    expect_number("| leaves of a tree | %u |", ATLS_TREE_MAX_SIZE);
    expect_number("| siblings of a path | %u, 64 bytes each |", ATLS_TREE_MAX_DEPTH);
    expect_number("1 => %u,                    ; revision", ATLS_NATIVE_REVISION);
}

static void test_names(void **state)
{
    (void)state;
    expect_text("ALPN selects `" ATLS_NATIVE_ALPN "`");
    expect_text("label \"" ATLS_NATIVE_LABEL_CLIENT "\" or \"" ATLS_NATIVE_LABEL_SERVER "\"");
    expect_text("log = [ \"" ATLS_NATIVE_TYPE_LOG "\"");
    expect_text("| type, behind `application/vnd.atls.` |");
    expect_text("| `dcap-quote` | REPORTDATA");
    expect_text("**\"" ATLS_NATIVE_NO_PROTOCOL "\" stands for");
    assert_string_equal(ATLS_NATIVE_TYPE_DCAP, "application/vnd.atls.dcap-quote");
}

/* The page's table of types: what the library speaks is built, and nothing else is. */
static void test_types(void **state)
{
    static const char *const built[] = {ATLS_NATIVE_TYPE_DCAP,  ATLS_NATIVE_TYPE_SNP,     ATLS_NATIVE_TYPE_TPM,
                                        ATLS_NATIVE_TYPE_NITRO, ATLS_NATIVE_TYPE_ANDROID, ATLS_NATIVE_TYPE_APPLE,
                                        ATLS_NATIVE_TYPE_LOG};
    const size_t n_built = sizeof built / sizeof built[0];
    const char *line = strstr(page_text, "| type, behind `application/vnd.atls.` |");
    size_t n = 0;
    (void)state;
    assert_non_null(line);
    for (line = strchr(line, '\n') + 1; *line == '|'; line = strchr(line, '\n') + 1) {
        const size_t len = strcspn(line, "\n");
        const bool says_built = len > 8 && strncmp(line + len - 8, " built |", 8) == 0;
        bool is_built = false;
        for (size_t i = 0; i < n_built; i++) {
            const char *name = built[i] + strlen("application/vnd.atls.");
            is_built = is_built || (strncmp(line, "| `", 3) == 0 && strncmp(line + 3, name, strlen(name)) == 0);
        }
        if (says_built != is_built) {
            fail_msg("%s: %.60s: is that built?", PAGE, line);
        }
        n += says_built ? 1 : 0;
    }
    assert_int_equal(n, n_built);
}

/* The numbers of `done` are the categories of the library's errors. */
static void test_categories(void **state)
{
    (void)state;
    expect_text("| 0 | accepted |");
    for (unsigned n = 1; n <= ATLS_CATEGORY_INTERNAL; n++) {
        char row[64];
        snprintf(row, sizeof row, "| %u | %s |", n, atls_category_name((atls_category)n));
        expect_text(row);
    }
}

static void read_page(void)
{
    FILE *f = fopen(PAGE, "rb"); /* tests run in the source folder */
    if (f == NULL) {
        (void)fprintf(stderr, "%s cannot be read\n", PAGE);
        exit(1);
    }
    size_t n = fread(page_text, 1, sizeof page_text - 1, f);
    page_text[n] = '\0';
    if (ferror(f) != 0 || feof(f) == 0) {
        (void)fprintf(stderr, "%s is too long for this test\n", PAGE);
        exit(1);
    }
    (void)fclose(f);
}

int main(void)
{
    tap_list l = {0};
    atls_error err = {0};
    read_page();
    if (!atls_crypto_new(&crypto, &err)) {
        return 1;
    }
    tap_add(&l, "the worked example is what the library computes", test_example, NULL);
    tap_add(&l, "a digit changed in any of its values is found", test_every_value, NULL);
    tap_add(&l, "limits", test_limits, NULL);
    tap_add(&l, "labels and names", test_names, NULL);
    tap_add(&l, "types of evidence, and which of them are built", test_types, NULL);
    tap_add(&l, "categories", test_categories, NULL);
    int failed = tap_run("protocol_doc", &l);
    atls_crypto_free(crypto);
    return failed;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_native_attacks.c: evidence that is genuine, accepted hardware, accepted software, signatures and all, and belongs to
 * something else than this session; and evidence in a form that the protocol does not have. Both sides are attacked. */
#include "native_peer.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "edge/tls/spki.h"

#define EVIDENCE_OF_ANOTHER ATLS_E_REPORT_DATA_MISMATCH, "quote.body.reportdata"

/* ---- one item of the leaf is another ------------------------------------------------------------------------------- */

static void other_label(native_peer *p, native_claim *c)
{
    c->label = p->is_server ? ATLS_NATIVE_LABEL_CLIENT : ATLS_NATIVE_LABEL_SERVER;
}

/* Both ends show a certificate, so that a leaf of either role can be made of the same items. */
static void both_have_keys(rig *r)
{
    SSL_CTX_free(r->client_ctx);
    r->client_ctx = rig_context(false, &r->tls);
    X509_STORE *trusted = SSL_CTX_get_cert_store(r->server_ctx);
    BIO *pem = BIO_new_mem_buf(r->tls.ca_pem.ptr, (int)r->tls.ca_pem.len);
    X509 *ca = PEM_read_bio_X509(pem, NULL, NULL, NULL);
    assert_int_equal(X509_STORE_add_cert(trusted, ca), 1);
    X509_VERIFY_PARAM *rules = SSL_CTX_get0_param(r->server_ctx);
    X509_VERIFY_PARAM_set_time(rules, (time_t)sim_now(r->sim));
    assert_int_equal(X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_SSL_SERVER), 1); /* the room's is a server's */
    SSL_CTX_set_verify(r->server_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    X509_free(ca);
    BIO_free(pem);
}

/* The byte alone, behind the right label. */
static void other_role(native_peer *p, native_claim *c)
{
    (void)p;
    assert_int_equal(c->prover_len, 32);
    assert_int_equal(c->verifier_len, 32);
    c->role = c->role == ATLS_NATIVE_CLIENT ? ATLS_NATIVE_SERVER : ATLS_NATIVE_CLIENT;
}

/* A leaf of the other direction, as the session under attack would make it itself, but for the nonce. */
static void reflected(native_peer *p, native_claim *c)
{
    uint8_t key[32];
    size_t len = c->prover_len;
    other_label(p, c);
    c->role = c->role == ATLS_NATIVE_CLIENT ? ATLS_NATIVE_SERVER : ATLS_NATIVE_CLIENT;
    memcpy(key, c->prover, sizeof key);
    memcpy(c->prover, c->verifier, sizeof key);
    memcpy(c->verifier, key, sizeof key);
    c->prover_len = c->verifier_len;
    c->verifier_len = len;
}

/* The very value that it proves with. */
static void reflected_with_nonce(native_peer *p, native_claim *c)
{
    reflected(p, c);
    memcpy(c->nonce, p->mine.nonce, sizeof c->nonce);
}

static void dstack_label(native_peer *p, native_claim *c)
{
    (void)p;
    c->label = "EXPORTER-dstack";
}

static void no_context(native_peer *p, native_claim *c)
{
    (void)p;
    c->without_context = true;
}

static void other_context(native_peer *p, native_claim *c)
{
    (void)p;
    c->context[31] ^= 1;
}

static void own_nonce(native_peer *p, native_claim *c)
{
    memcpy(c->nonce, p->mine.nonce, sizeof c->nonce);
}

static void zero_nonce(native_peer *p, native_claim *c)
{
    (void)p;
    memset(c->nonce, 0, sizeof c->nonce);
}

static void other_prover_key(native_peer *p, native_claim *c)
{
    (void)p;
    c->prover[0] ^= 1;
    c->prover_len = 32;
}

static void other_verifier_key(native_peer *p, native_claim *c)
{
    (void)p;
    c->verifier[0] ^= 1;
    c->verifier_len = 32;
}

/* ---- the field ------------------------------------------------------------------------------------------------------ */

static void zero(native_peer *p, uint8_t report[64])
{
    (void)p;
    memset(report, 0, 64);
}

/* Half of it, as a TPM would carry. */
static void cut(native_peer *p, uint8_t report[64])
{
    (void)p;
    memset(report + 32, 0, 32);
}

/* 32 bytes of it, behind zeros. */
static void padded(native_peer *p, uint8_t report[64])
{
    (void)p;
    memmove(report + 32, report, 32);
    memset(report, 0, 32);
}

static void last_bit(native_peer *p, uint8_t report[64])
{
    (void)p;
    report[63] ^= 1;
}

static void first_bit(native_peer *p, uint8_t report[64])
{
    (void)p;
    report[0] ^= 0x80;
}

/* What dstack would put there: SHA-512(nonce, exporter). */
static void of_dstack(native_peer *p, uint8_t report[64])
{
    uint8_t ekm[32];
    rig_exporter(p->ssl, ekm);
    assert_true(atls_dstack_report_data(p->peers.nonce, ekm, report, &p->r->err));
}

/* What constellation would: SHA-256(SHA-256 of the server's key, nonce), and zeros. */
static void of_constellation(native_peer *p, uint8_t report[64])
{
    uint8_t key[32];
    const X509 *server = p->is_server ? SSL_get_certificate(p->ssl) : SSL_get0_peer_certificate(p->ssl);
    const atls_bytes parts[] = {atls_bytes_of(key, 32), atls_bytes_of(p->peers.nonce, 32)};
    assert_true(atls_spki_sha256(server, "certificate", key, &p->r->err));
    assert_true(atls_digest(p->crypto, ATLS_SHA256, parts, 2, report, &p->r->err));
    memset(report + 32, 0, 32);
}

static void bare_nonce(native_peer *p, uint8_t report[64])
{
    memset(report, 0, 64);
    memcpy(report, p->peers.nonce, 32);
}

/* ---- trees ---------------------------------------------------------------------------------------------------------- */

static void three_leaves(native_peer *p, native_claim *c)
{
    (void)p;
    c->tree_size = 3;
    c->tree_index = 1;
}

static void five_leaves(native_peer *p, native_claim *c)
{
    (void)p;
    c->tree_size = 5;
    c->tree_index = 2;
}

/* Two sizes, one root: the last leaf of three has one sibling, and so has each of two. */
static void three_said_two(native_peer *p, native_claim *c)
{
    three_leaves(p, c);
    c->tree_index = 2;
    c->said_size = 3;
}

static void say_two(native_peer *p, atls_native_evidence *e)
{
    (void)p;
    e->path.index = 1;
    e->path.size = 2;
}

static void says_another_size(native_peer *p, native_claim *c)
{
    three_leaves(p, c);
    c->said_size = 4;
}

static void no_size(native_peer *p, native_claim *c)
{
    (void)p;
    c->said_size = UINT64_MAX; /* of a tree of one */
}

static void sibling_changed(native_peer *p, atls_native_evidence *e)
{
    e->path.siblings = native_put(p, e->path.siblings, 100, (uint8_t)(e->path.siblings.ptr[100] ^ 1));
}

static void sibling_added(native_peer *p, atls_native_evidence *e)
{
    e->path.siblings = native_join(p, e->path.siblings, atls_bytes_of(e->path.siblings.ptr, 64));
}

static void sibling_missing(native_peer *p, atls_native_evidence *e)
{
    (void)p;
    e->path.siblings.len -= 64;
}

static void sibling_short(native_peer *p, atls_native_evidence *e)
{
    (void)p;
    e->path.siblings.len -= 1;
}

static void siblings_swapped(native_peer *p, atls_native_evidence *e)
{
    e->path.siblings =
        native_join(p, atls_bytes_of(e->path.siblings.ptr + 64, 64), atls_bytes_of(e->path.siblings.ptr, 64));
}

/* Index 0 of three has as many siblings as index 1. */
static void index_wrong(native_peer *p, atls_native_evidence *e)
{
    (void)p;
    e->path.index = 0;
}

static void index_beyond(native_peer *p, atls_native_evidence *e)
{
    (void)p;
    e->path.index = e->path.size;
}

/* Four leaves ask for the same number of siblings at index 1. */
static void size_wrong(native_peer *p, atls_native_evidence *e)
{
    (void)p;
    e->path.size = 4;
}

static void size_too_large(native_peer *p, atls_native_evidence *e)
{
    (void)p;
    e->path.size = ATLS_TREE_MAX_SIZE + 1;
}

static void size_zero(native_peer *p, atls_native_evidence *e)
{
    (void)p;
    e->path.size = 0;
}

static void tree_left_out(native_peer *p, atls_native_evidence *e)
{
    (void)p;
    e->path = (atls_tree_path){.size = 1, .siblings = atls_bytes_empty()};
}

static atls_bytes tree_of_one(native_peer *p, atls_native_message m, atls_bytes honest)
{
    atls_native_evidence e;
    if (m != ATLS_NATIVE_EVIDENCE) {
        return honest;
    }
    assert_true(atls_native_read_evidence(native_body(honest), &e, &p->r->err));
    return native_by_hand(p, &e, true);
}

/* ---- the machine ---------------------------------------------------------------------------------------------------- */

static void no_log(native_peer *p, atls_native_evidence *e)
{
    (void)p;
    e->has_companion = false; /* the measurements of the software are in the log */
}

static void bit_of_quote(native_peer *p, atls_native_evidence *e)
{
    e->evidence.value = native_put(p, e->evidence.value, 600, (uint8_t)(e->evidence.value.ptr[600] ^ 1));
}

static void other_log(native_peer *p, atls_native_evidence *e)
{
    (void)p;
    e->companion.value = atls_bytes_str("[]");
}

/* The field is patched after signing to what it should be: the binding without the signature. */
static void zero_quote(native_peer *p, uint8_t report[64])
{
    (void)p;
    memset(report, 0x11, 64);
}

static void patched(native_peer *p, atls_native_evidence *e)
{
    uint8_t wanted[64];
    const native_lies *lies = p->lies;
    p->lies = &(const native_lies){0};
    native_peer_prove(p, wanted);
    p->lies = lies;
    for (size_t i = 0; i < 64; i++) {
        e->evidence.value = native_put(p, e->evidence.value, 48 + 520 + i, wanted[i]);
    }
}

/* ---- rows ----------------------------------------------------------------------------------------------------------- */

#define BOTH(name, lies, ...)                                                                                          \
    {"client: " name, CLIENT_ASKS, lies, __VA_ARGS__}, {"server: " name, SERVER_ASKS, lies, __VA_ARGS__},              \
    {                                                                                                                  \
        "server that proves, too: " name, SERVER_BOTH, lies, __VA_ARGS__                                               \
    }

#define LIE(...)                                                                                                       \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

static const native_row rows[] = {
    {"honest: the server proves", CLIENT_ASKS, LIE(0), ATLS_OK, ""},
    {"honest: both prove", CLIENT_BOTH, LIE(0), ATLS_OK, ""},
    {"honest: the client proves", CLIENT_PROVES, LIE(0), ATLS_OK, ""},
    {"honest, to a server: it proves", SERVER_PROVES, LIE(0), ATLS_OK, ""},
    {"honest, to a server: both prove", SERVER_BOTH, LIE(0), ATLS_OK, ""},
    {"honest, to a server: the client proves", SERVER_ASKS, LIE(0), ATLS_OK, ""},
    BOTH("honest: one of three under a quote", LIE(.claim = three_leaves), ATLS_OK, ""),
    BOTH("honest: one of five under a quote", LIE(.claim = five_leaves), ATLS_OK, ""),

    BOTH("label of the other direction", LIE(.claim = other_label), EVIDENCE_OF_ANOTHER),
    BOTH("honest: both have a key", LIE(.set_up = both_have_keys), ATLS_OK, ""),
    BOTH("role of the other direction, and nothing else", LIE(.set_up = both_have_keys, .claim = other_role),
         EVIDENCE_OF_ANOTHER),
    {"client: role of the other direction", CLIENT_ASKS, LIE(.claim = reflected), EVIDENCE_OF_ANOTHER},
    {"client: its own evidence of this session, reflected", CLIENT_BOTH, LIE(.claim = reflected_with_nonce),
     EVIDENCE_OF_ANOTHER},
    {"server: its own evidence of this session, reflected", SERVER_BOTH, LIE(.claim = reflected_with_nonce),
     EVIDENCE_OF_ANOTHER},
    {"server: role of the other direction", SERVER_BOTH, LIE(.claim = reflected), EVIDENCE_OF_ANOTHER},
    BOTH("exporter of dstack's label", LIE(.claim = dstack_label), EVIDENCE_OF_ANOTHER),
    BOTH("exporter without a context", LIE(.claim = no_context), EVIDENCE_OF_ANOTHER),
    BOTH("exporter over other hellos", LIE(.claim = other_context), EVIDENCE_OF_ANOTHER),
    BOTH("the prover's own nonce", LIE(.claim = own_nonce), EVIDENCE_OF_ANOTHER),
    BOTH("a nonce of zeros", LIE(.claim = zero_nonce), EVIDENCE_OF_ANOTHER),
    BOTH("another key of the prover", LIE(.claim = other_prover_key), EVIDENCE_OF_ANOTHER),
    BOTH("another key of the verifier", LIE(.claim = other_verifier_key), EVIDENCE_OF_ANOTHER),

    BOTH("report of zeros", LIE(.report = zero), EVIDENCE_OF_ANOTHER),
    BOTH("report cut to 32 bytes, then zeros", LIE(.report = cut), EVIDENCE_OF_ANOTHER),
    BOTH("report behind zeros", LIE(.report = padded), EVIDENCE_OF_ANOTHER),
    BOTH("report, first bit", LIE(.report = first_bit), EVIDENCE_OF_ANOTHER),
    BOTH("report, last bit", LIE(.report = last_bit), EVIDENCE_OF_ANOTHER),
    BOTH("binding of dstack", LIE(.report = of_dstack), EVIDENCE_OF_ANOTHER),
    BOTH("binding of constellation", LIE(.report = of_constellation), EVIDENCE_OF_ANOTHER),
    BOTH("the bare nonce", LIE(.report = bare_nonce), EVIDENCE_OF_ANOTHER),
    BOTH("report of another tree size", LIE(.claim = no_size), EVIDENCE_OF_ANOTHER),

    BOTH("tree: one sibling changed", LIE(.claim = three_leaves, .evidence = sibling_changed), EVIDENCE_OF_ANOTHER),
    BOTH("tree: siblings swapped", LIE(.claim = three_leaves, .evidence = siblings_swapped), EVIDENCE_OF_ANOTHER),
    BOTH("tree: one sibling added", LIE(.claim = three_leaves, .evidence = sibling_added), ATLS_E_PROTOCOL,
         "evidence.tree.siblings"),
    BOTH("tree: one sibling missing", LIE(.claim = three_leaves, .evidence = sibling_missing), ATLS_E_PROTOCOL,
         "evidence.tree.siblings"),
    BOTH("tree: a sibling of 63 bytes", LIE(.claim = three_leaves, .evidence = sibling_short), ATLS_E_PROTOCOL,
         "evidence.tree.siblings"),
    BOTH("tree: another index", LIE(.claim = three_leaves, .evidence = index_wrong), EVIDENCE_OF_ANOTHER),
    BOTH("tree: an index beyond the leaves", LIE(.claim = three_leaves, .evidence = index_beyond), ATLS_E_PROTOCOL,
         "evidence.tree.index"),
    BOTH("tree: another size", LIE(.claim = three_leaves, .evidence = size_wrong), EVIDENCE_OF_ANOTHER),
    BOTH("tree: another size with the same root", LIE(.claim = three_said_two, .evidence = say_two),
         EVIDENCE_OF_ANOTHER),
    BOTH("tree: report over another size", LIE(.claim = says_another_size), EVIDENCE_OF_ANOTHER),
    BOTH("tree: too large", LIE(.claim = three_leaves, .evidence = size_too_large), ATLS_E_PROTOCOL,
         "evidence.tree.size"),
    BOTH("tree: no leaves", LIE(.claim = three_leaves, .evidence = size_zero), ATLS_E_PROTOCOL, "evidence.tree.size"),
    BOTH("tree: key 3 left out", LIE(.claim = three_leaves, .evidence = tree_left_out), EVIDENCE_OF_ANOTHER),
    BOTH("tree: key 3 with size 1", LIE(.frame = tree_of_one), ATLS_E_PROTOCOL, "evidence.tree.size"),

    BOTH("the event log left out", LIE(.evidence = no_log), ATLS_E_EVENT_LOG_PARSE, "event_log"),
    BOTH("another event log", LIE(.evidence = other_log), ATLS_E_RTMR_MISMATCH, "rtmr0"),
    BOTH("a bit of the quote", LIE(.evidence = bit_of_quote), ATLS_E_QUOTE_SIGNATURE, "quote.auth.signature"),
    BOTH("report written into a quote of another", LIE(.report = zero_quote, .evidence = patched),
         ATLS_E_QUOTE_SIGNATURE, "quote.auth.signature"),
};

/* ---- a list of machines --------------------------------------------------------------------------------------------- */

/* One session with the machine of this PPID, under a policy that lists another, or the same. */
static void meet(native_victim victim, const char *ppid, const char *listed, atls_code code)
{
    rig r;
    char edit[64];
    char setting[64];
    sim *other;
    rig_open(&r);
    (void)snprintf(edit, sizeof edit, "\"machines\":[\"%s\"],", listed);
    (void)snprintf(setting, sizeof setting, "pck.ppid=%s", ppid);
    const char *const settings[] = {setting, NULL};
    const sim_options room = {.settings = settings};
    rig_policy(&r, edit);
    native_set_up(&r, victim);
    assert_true(sim_new(&room, &other, &r.err));
    assert_true(sim_measure_certificate(other, r.tls.leaf_der, &r.err));
    native_peer *p = native_peer_open(&r, victim, NULL);
    p->machine = other;
    native_peer_play(p);
    if (code == ATLS_OK) {
        native_expect_talk(p);
    } else {
        native_expect_refused(p, code, "pck.sgx_extension.ppid");
        native_expect_told(p);
        assert_string_equal(native_error(p)->actual, ppid);
    }
    native_peer_close(p);
    sim_free(other);
    rig_close(&r);
}

/* The same vendor, the same software, keys as good as any: and not on the list. */
static void test_machines(void **state)
{
    static const native_victim victims[] = {CLIENT_ASKS, SERVER_ASKS, SERVER_BOTH};
    static const char ours[] = "00112233445566778899aabbccddeeff";
    static const char others[] = "ffeeddccbbaa99887766554433221100";
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        meet(victims[i], ours, ours, ATLS_OK);
        meet(victims[i], others, ours, ATLS_E_MACHINE_NOT_ALLOWED);
    }
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, native_row_run, &rows[i]);
    }
    tap_add(&l, "another genuine machine than those listed", test_machines, NULL);
    return tap_run("native_attacks", &l);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_endorse.c: endorsements from files and folders: the genuine responses of the vectors, and folders made here,
 * each the honest one plus one change. */
#include "tap.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atls/endorse.h"
#include "base/limits.h"
#include "base/text.h"
#include "edge/endorse/pcs.h"

#define ARENA_SIZE ((size_t)96 * 1024 * 1024)
#define MAX_FILES  8

static void set_up(atls_arena *a)
{
    atls_error err = {0};
    assert_true(atls_arena_new(a, ARENA_SIZE, &err));
}

static void assert_error(const atls_error *err, atls_code code, const char *field)
{
    assert_string_equal(atls_code_name(err->code), atls_code_name(code));
    assert_string_equal(err->field, field);
    assert_true(err->message[0] != '\0');
}

/* ---- genuine folders --------------------------------------------------------------------------------------------- */

static bool vector_path(const char *name, char out[512])
{
    const char *root = getenv("ATLS_VECTORS");
    int n = snprintf(out, 512, "%s/dcap/%s", root == NULL ? "../shared/vectors" : root, name);
    return n > 0 && n < 512 && access(out, R_OK) == 0;
}

static void same_bytes(atls_bytes a, atls_bytes b)
{
    assert_int_equal(a.len, b.len);
    assert_true(atls_bytes_equal(a, b));
}

typedef struct genuine {
    const char *name;
    const char *folder;
    const char *bundle;
    atls_platform platform;
    bool has_pck;
} genuine;

static const genuine genuine_rows[] = {
    {"PCS responses say what the bundle of the same machine says", "tdx-v4-spr-e4/pcs", "tdx-v4-spr-e4/collateral.json",
     ATLS_PLATFORM_TDX, false},
    {"Intel's sample says what its bundle says", "intel-sample-sgx-v3-type1",
     "intel-sample-sgx-v3-type1/collateral.json", ATLS_PLATFORM_SGX, true},
};

static void test_genuine(void **state)
{
    const genuine *g = *state;
    char folder[512];
    char bundle[512];
    atls_arena a;
    atls_error err = {0};
    atls_endorsements from_folder;
    atls_endorsements from_bundle;
    if (!vector_path(g->folder, folder) || !vector_path(g->bundle, bundle)) {
        skip();
    }
    set_up(&a);
    assert_true(atls_endorsements_load(folder, &a, &from_folder, &err));
    assert_true(atls_endorsements_load(bundle, &a, &from_bundle, &err));
    const atls_dcap_collateral *x = &from_folder.dcap;
    const atls_dcap_collateral *y = &from_bundle.dcap;
    assert_int_equal(from_folder.platform, g->platform);
    assert_int_equal(from_bundle.platform, g->platform);
    same_bytes(x->tcb_info, y->tcb_info);
    same_bytes(x->tcb_info_signature, y->tcb_info_signature);
    same_bytes(x->qe_identity, y->qe_identity);
    same_bytes(x->qe_identity_signature, y->qe_identity_signature);
    same_bytes(x->pck_crl, y->pck_crl);
    same_bytes(x->root_ca_crl, y->root_ca_crl);
    assert_true(x->tcb_info_issuer_chain.len > 1000 && x->tcb_info_issuer_chain.ptr[0] == '-');
    same_bytes(x->tcb_info_issuer_chain, y->tcb_info_issuer_chain);
    same_bytes(x->qe_identity_issuer_chain, y->qe_identity_issuer_chain);
    assert_true(!g->has_pck || x->pck_certificate_chain.len > y->pck_crl_issuer_chain.len);
    atls_arena_free(&a);
}

/* ---- folders made here ------------------------------------------------------------------------------------------- */

#define TCB      "{\"tcbInfo\":{\"id\":\"TDX\", \"x\" : 1},\"signature\":\"00ff\"}"
#define QE       "{\"signature\":\"ab\",\"enclaveIdentity\":{\"id\":\"TD_QE\"}}"
#define PEM_LIST "-----BEGIN X509 CRL-----\nMAMCAQE=\n-----END X509 CRL-----\n"
#define HEADERS  "{\"TCB-Info-Issuer-Chain\":\"a%2Bb+c%0A\",\"SGX-Enclave-Identity-Issuer-Chain\":\"q\"}"

typedef struct file {
    const char *name;
    const char *content; /* NULL: none */
} file;

static const file honest[MAX_FILES] = {
    {"tcb.body.json", TCB},
    {"qe_identity.body.json", QE},
    {"pckcrl.body.der", "0\003\002\001\001"},
    {"rootcacrl.body.der", "3003020101\n"},
    {"headers.json", HEADERS},
};

typedef struct row {
    const char *name;
    file change[3]; /* replaces the file of that name, or is added; content NULL removes it */
    atls_code code;
    const char *field;
} row;

/* clang-format off */
static const row rows[] = {
    {"the honest folder", {{NULL, NULL}}, ATLS_OK, ""},
    {"a list as PEM", {{"rootcacrl.body.der", PEM_LIST}}, ATLS_OK, ""},
    {"the other spellings of the lists", {{"rootcacrl.body.der", NULL}, {"root_ca.crl.pem", PEM_LIST}}, ATLS_OK, ""},
    {"chains in files when there are no headers", {{"headers.json", NULL}, {"tcb_issuer_chain.pem", "a+b+c\n"}}, ATLS_OK, ""},
    {"header names in another case", {{"headers.json", "{\"tcb-info-issuer-chain\":\"a+b+c%0a\",\"sgx-enclave-identity-issuer-chain\":\"q\"}"}}, ATLS_OK, ""},
    {"the older name of the TCB chain", {{"headers.json", "{\"SGX-TCB-Info-Issuer-Chain\":\"a+b+c%0A\",\"SGX-Enclave-Identity-Issuer-Chain\":\"q\"}"}}, ATLS_OK, ""},
    {"headers that nobody knows", {{"headers.json", "{\"Request-ID\":7,\"TCB-Info-Issuer-Chain\":\"a+b+c\\n\",\"SGX-Enclave-Identity-Issuer-Chain\":\"q\"}"}}, ATLS_OK, ""},
    {"no TCB info", {{"tcb.body.json", NULL}}, ATLS_E_ENDORSEMENTS_MISSING, "tcb.body.json"},
    {"no QE identity", {{"qe_identity.body.json", NULL}}, ATLS_E_ENDORSEMENTS_MISSING, "qe_identity.body.json"},
    {"no PCK list", {{"pckcrl.body.der", NULL}}, ATLS_E_ENDORSEMENTS_MISSING, "pckcrl.body.der"},
    {"no root list", {{"rootcacrl.body.der", NULL}}, ATLS_E_ENDORSEMENTS_MISSING, "rootcacrl.body.der"},
    {"no chains", {{"headers.json", NULL}}, ATLS_E_ENDORSEMENTS_MISSING, "TCB-Info-Issuer-Chain"},
    {"no chain of the QE identity", {{"headers.json", "{\"TCB-Info-Issuer-Chain\":\"a\"}"}}, ATLS_E_ENDORSEMENTS_MISSING, "SGX-Enclave-Identity-Issuer-Chain"},
    {"an empty file", {{"tcb.body.json", ""}}, ATLS_E_COLLATERAL_FORMAT, "tcb.body.json"},
    {"a TCB info that is no JSON", {{"tcb.body.json", "{"}}, ATLS_E_COLLATERAL_FORMAT, "tcb.body.json"},
    {"a TCB info in another wrapper", {{"tcb.body.json", QE}}, ATLS_E_COLLATERAL_FORMAT, "tcb.body.json.tcbInfo"},
    {"a TCB info as a string", {{"tcb.body.json", "{\"tcbInfo\":\"{}\",\"signature\":\"00\"}"}}, ATLS_E_COLLATERAL_FORMAT, "tcb.body.json.tcbInfo"},
    {"a TCB info without signature", {{"tcb.body.json", "{\"tcbInfo\":{}}"}}, ATLS_E_COLLATERAL_FORMAT, "tcb.body.json.signature"},
    {"a QE identity without signature", {{"qe_identity.body.json", "{\"enclaveIdentity\":{}}"}}, ATLS_E_COLLATERAL_FORMAT, "qe_identity.body.json.signature"},
    {"a QE identity twice", {{"qe_identity.body.json", "{\"enclaveIdentity\":{},\"enclaveIdentity\":{},\"signature\":\"\"}"}}, ATLS_E_COLLATERAL_FORMAT, "qe_identity.body.json"},
    {"a list that is neither", {{"pckcrl.body.der", "<html>"}}, ATLS_E_COLLATERAL_FORMAT, "pckcrl.body.der"},
    {"a list in hex of something else", {{"pckcrl.body.der", "a102"}}, ATLS_E_COLLATERAL_FORMAT, "pckcrl.body.der"},
    {"a list as PEM with bad base64", {{"rootcacrl.body.der", "-----BEGIN X509 CRL-----\nM\n-----END X509 CRL-----\n"}}, ATLS_E_COLLATERAL_FORMAT, "rootcacrl.body.der"},
    {"a certificate instead of a list", {{"rootcacrl.body.der", "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"}}, ATLS_E_COLLATERAL_FORMAT, "rootcacrl.body.der"},
    {"headers that are no JSON", {{"headers.json", "TCB-Info-Issuer-Chain: x"}}, ATLS_E_COLLATERAL_FORMAT, "headers.json"},
    {"headers that are no object", {{"headers.json", "[]"}}, ATLS_E_COLLATERAL_FORMAT, "headers.json"},
    {"a header twice in two cases", {{"headers.json", "{\"TCB-Info-Issuer-Chain\":\"a\",\"tcb-info-issuer-chain\":\"b\"}"}}, ATLS_E_COLLATERAL_FORMAT, "TCB-Info-Issuer-Chain"},
    {"a header that is no string", {{"headers.json", "{\"TCB-Info-Issuer-Chain\":[\"a\"]}"}}, ATLS_E_COLLATERAL_FORMAT, "TCB-Info-Issuer-Chain"},
    {"a percent sign at the end", {{"headers.json", "{\"TCB-Info-Issuer-Chain\":\"a%2\"}"}}, ATLS_E_COLLATERAL_FORMAT, "TCB-Info-Issuer-Chain"},
    {"a percent sign without hex", {{"headers.json", "{\"TCB-Info-Issuer-Chain\":\"a%zz\"}"}}, ATLS_E_COLLATERAL_FORMAT, "TCB-Info-Issuer-Chain"},
    {"an encoded NUL", {{"headers.json", "{\"TCB-Info-Issuer-Chain\":\"a%00\"}"}}, ATLS_E_COLLATERAL_FORMAT, "TCB-Info-Issuer-Chain"},
};
/* clang-format on */

static void path_in(const char *folder, const char *name, char out[128])
{
    snprintf(out, 128, "%s/%s", folder, name);
}

static void put_file(const char *folder, const file *f)
{
    char path[128];
    path_in(folder, f->name, path);
    if (f->content == NULL) {
        assert_int_equal(unlink(path), 0);
        return;
    }
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(f->content, 1, strlen(f->content), out), strlen(f->content));
    assert_int_equal(fclose(out), 0);
}

static void make_folder(char folder[64])
{
    snprintf(folder, 64, "/tmp/atls-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < MAX_FILES && honest[i].name != NULL; i++) {
        put_file(folder, &honest[i]);
    }
}

static void remove_folder(const char *folder, const row *r)
{
    char path[128];
    for (size_t i = 0; i < MAX_FILES && honest[i].name != NULL; i++) {
        path_in(folder, honest[i].name, path);
        (void)unlink(path);
    }
    for (size_t i = 0; i < 3 && r != NULL && r->change[i].name != NULL; i++) {
        path_in(folder, r->change[i].name, path);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
}

static void test_folder(void **state)
{
    const row *r = *state;
    char folder[64];
    atls_arena a;
    atls_error err = {0};
    atls_endorsements e;
    set_up(&a);
    make_folder(folder);
    for (size_t i = 0; i < 3 && r->change[i].name != NULL; i++) {
        put_file(folder, &r->change[i]);
    }
    bool ok = atls_endorsements_load(folder, &a, &e, &err);
    remove_folder(folder, r);
    assert_int_equal(ok, r->code == ATLS_OK);
    assert_string_equal(atls_code_name(err.code), atls_code_name(r->code));
    assert_string_equal(err.field, r->field);
    if (ok) {
        assert_true(atls_bytes_equal_str(e.dcap.tcb_info, "{\"id\":\"TDX\", \"x\" : 1}"));
        assert_true(atls_bytes_equal_str(e.dcap.tcb_info_signature, "00ff"));
        assert_true(atls_bytes_equal_str(e.dcap.qe_identity, "{\"id\":\"TD_QE\"}"));
        assert_true(atls_bytes_equal_str(e.dcap.tcb_info_issuer_chain, "a+b+c\n"));
        assert_int_equal(e.dcap.root_ca_crl.ptr[0], 0x30);
        assert_int_equal(e.platform, ATLS_PLATFORM_TDX);
    } else {
        assert_int_equal(e.platform, ATLS_PLATFORM_NONE);
        assert_int_equal(e.dcap.tcb_info.len, 0);
    }
    atls_arena_free(&a);
}

/* ---- paths ------------------------------------------------------------------------------------------------------- */

static void test_no_such_path(void **state)
{
    (void)state;
    atls_arena a;
    atls_error err = {0};
    atls_endorsements e;
    set_up(&a);
    assert_false(atls_endorsements_load("/nonexistent/bundle.json", &a, &e, &err));
    assert_error(&err, ATLS_E_IO, "bundle.json");
    atls_arena_free(&a);
}

static void test_not_regular(void **state)
{
    (void)state;
    char folder[64];
    char path[128];
    atls_arena a;
    atls_error err = {0};
    atls_endorsements e;
    set_up(&a);
    assert_false(atls_endorsements_load("/dev/null", &a, &e, &err));
    assert_error(&err, ATLS_E_IO, "null");
    atls_error_clear(&err);
    make_folder(folder);
    path_in(folder, "tcb.body.json", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(atls_endorsements_load(folder, &a, &e, &err)); /* and does not wait for a writer */
    assert_error(&err, ATLS_E_IO, "tcb.body.json");
    atls_error_clear(&err);
    assert_false(atls_endorsements_load(path, &a, &e, &err));
    assert_error(&err, ATLS_E_IO, "tcb.body.json");
    remove_folder(folder, NULL);
    atls_arena_free(&a);
}

static void test_too_long(void **state)
{
    (void)state;
    char folder[64];
    char path[128];
    atls_arena a;
    atls_error err = {0};
    atls_endorsements e;
    set_up(&a);
    make_folder(folder);
    path_in(folder, "tcb.body.json", path);
    assert_int_equal(truncate(path, ATLS_MAX_SIGNED_JSON_LEN + 1), 0);
    assert_false(atls_endorsements_load(folder, &a, &e, &err));
    assert_error(&err, ATLS_E_LIMIT, "tcb.body.json");
    atls_error_clear(&err);
    assert_int_equal(truncate(path, (off_t)ATLS_MAX_BUNDLE_LEN + 1), 0);
    assert_false(atls_endorsements_load(path, &a, &e, &err));
    assert_error(&err, ATLS_E_LIMIT, "tcb.body.json");
    remove_folder(folder, NULL);
    atls_arena_free(&a);
}

static void test_arena_too_small(void **state)
{
    (void)state;
    static uint8_t block[16];
    char folder[64];
    atls_arena a;
    atls_error err = {0};
    atls_endorsements e;
    atls_arena_init(&a, block, sizeof block);
    make_folder(folder);
    assert_false(atls_endorsements_load(folder, &a, &e, &err));
    assert_int_equal(err.code, ATLS_E_MEMORY);
    remove_folder(folder, NULL);
}

static size_t count_fds(void)
{
    size_t n = 0;
    for (int fd = 0; fd < 256; fd++) {
        n += fcntl(fd, F_GETFD) != -1 ? 1 : 0;
    }
    return n;
}

static void test_no_descriptor_leaks(void **state)
{
    (void)state;
    size_t before = count_fds();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const void *row_ptr = &rows[i];
        union {
            const void *in;
            void *out;
        } one = {.in = row_ptr};
        test_folder(&one.out);
    }
    assert_int_equal(count_fds(), before);
}

static void test_percent(void **state)
{
    (void)state;
    atls_arena a;
    atls_error err = {0};
    atls_bytes out;
    set_up(&a);
    assert_true(atls_pcs_percent_decode(atls_bytes_str("%41+%2b%2B %0aZ"), "h", &a, &out, &err));
    assert_true(atls_bytes_equal_str(out, "A+++ \nZ"));
    assert_true(atls_pcs_percent_decode(atls_bytes_empty(), "h", &a, &out, &err));
    assert_int_equal(out.len, 0);
    atls_arena_free(&a);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof genuine_rows / sizeof genuine_rows[0]; i++) {
        tap_add(&l, genuine_rows[i].name, test_genuine, &genuine_rows[i]);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_folder, &rows[i]);
    }
    tap_add(&l, "a path that is not there is IO", test_no_such_path, NULL);
    tap_add(&l, "devices and FIFOs are refused without waiting", test_not_regular, NULL);
    tap_add(&l, "files over their cap are LIMIT", test_too_long, NULL);
    tap_add(&l, "an arena that is too small is MEMORY", test_arena_too_small, NULL);
    tap_add(&l, "no descriptor is leaked, whatever the outcome", test_no_descriptor_leaks, NULL);
    tap_add(&l, "only %XX is decoded", test_percent, NULL);
    return tap_run("endorse", &l);
}

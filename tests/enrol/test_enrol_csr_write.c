/* SPDX-License-Identifier: Apache-2.0 */
/* test_enrol_csr_write.c: what a phone may put into a request, to the largest, and what is refused before anything is signed or
 * because no server would read it. */
#include "csr_make.h"

#include "base/text.h"

/* ---- a signer that counts ---- */

typedef struct counting {
    const char *algorithm; /* hex; NULL: it fails */
    size_t signature_len;
    const char *reason; /* of failing; NULL: it says none */
    unsigned n_calls;
} counting;

static bool sign(void *ctx, atls_bytes tbs, atls_arena *a, atls_bytes *algorithm, atls_bytes *signature,
                 atls_error *err)
{
    counting *c = ctx;
    c->n_calls++;
    assert_true(tbs.len > 2 && tbs.ptr[0] == 0x30);
    if (c->algorithm == NULL) {
        return c->reason != NULL && atls_fail(err, ATLS_E_IO, "key", "%s", c->reason);
    }
    *algorithm = csr_hex(a, c->algorithm);
    *signature = csr_fill(a, 1, c->signature_len);
    return true;
}

/* ---- templates ---- */

typedef struct order {
    atls_arena *arena;
    atls_enrol_name names[ATLS_ENROL_MAX_RDN_VALUES];
    counting signer;
    atls_enrol_csr_template t;
} order;

static const char *const types[] = {"CN", "O", "OU", "C", "L", "ST"};

static void order_init(order *o)
{
    *o = (order){.arena = check_arena(), .signer = {.algorithm = "300a 06082a8648ce3d040302", .signature_len = 70}};
    for (size_t i = 0; i < COUNT(o->names); i++) {
        o->names[i] = (atls_enrol_name){"CN", atls_bytes_str("a")};
    }
    o->t = (atls_enrol_csr_template){.names = o->names,
                                     .n_names = 1,
                                     .nonce = csr_fill(o->arena, '\xca', 32),
                                     .proof_oid = csr_hex(o->arena, CSR_PROOF_OID),
                                     .statement = atls_bytes_str("{}"),
                                     .spki = csr_hex(o->arena, "300b 3005 0603550405 03020004"),
                                     .sign = sign,
                                     .ctx = &o->signer};
}

static void plain(order *o)
{
    (void)o;
}
static void no_names(order *o)
{
    o->t.names = NULL;
    o->t.n_names = 0;
}
static void every_type(order *o)
{
    for (size_t i = 0; i < COUNT(types); i++) {
        o->names[i] = (atls_enrol_name){types[i], atls_bytes_str("AT")};
    }
    o->t.n_names = COUNT(types);
}
static void names_31(order *o)
{
    o->t.n_names = ATLS_ENROL_MAX_RDN_VALUES - 1;
}
static void names_32(order *o)
{
    o->t.n_names = ATLS_ENROL_MAX_RDN_VALUES;
}
static void nonce_1(order *o)
{
    o->t.nonce.len = 1;
}
static void nonce_0(order *o)
{
    o->t.nonce.len = 0;
}
static void nonce_128(order *o)
{
    o->t.nonce = csr_fill(o->arena, '\x5a', ATLS_ENROL_MAX_NONCE_LEN);
}
static void nonce_129(order *o)
{
    o->t.nonce = csr_fill(o->arena, '\x5a', ATLS_ENROL_MAX_NONCE_LEN + 1);
}
/* the nonce of 32 bytes takes 75 bytes, the name 4, a long CN 4 + 4 + 5 + 4 before its value */
#define LONGEST_CN (ATLS_ENROL_MAX_SUBJECT_LEN - 75 - 4 - 17)
static void subject_4096(order *o)
{
    o->names[0].value = csr_fill(o->arena, 'x', LONGEST_CN);
}
static void subject_4097(order *o)
{
    o->names[0].value = csr_fill(o->arena, 'x', LONGEST_CN + 1);
}
static void value_huge(order *o)
{
    o->names[0].value = csr_fill(o->arena, 'x', (size_t)1024 * 1024);
}
static void statement_192(order *o)
{
    o->t.statement = csr_fill(o->arena, ' ', ATLS_ENROL_MAX_STATEMENT_LEN);
}
static void statement_193(order *o)
{
    o->t.statement = csr_fill(o->arena, ' ', ATLS_ENROL_MAX_STATEMENT_LEN + 1);
}
static void statement_0(order *o)
{
    o->t.statement = atls_bytes_empty();
}
static void statement_latin(order *o)
{
    o->t.statement = atls_bytes_str("\xe4");
}
static void serial_number(order *o)
{
    o->names[0].type = "serialNumber";
}
static void type_in_lower_case(order *o)
{
    o->names[0].type = "cn";
}
static void type_absent(order *o)
{
    o->names[0].type = NULL;
}
static void value_empty(order *o)
{
    o->names[0].value = atls_bytes_empty();
}
static void value_latin(order *o)
{
    o->names[0].value = atls_bytes_str("\xe4");
}
static void country_of_three(order *o)
{
    o->names[0] = (atls_enrol_name){"C", atls_bytes_str("AUT")};
}
static void country_in_lower_case(order *o)
{
    o->names[0] = (atls_enrol_name){"C", atls_bytes_str("at")};
}
static void country_of_a_digit(order *o)
{
    o->names[0] = (atls_enrol_name){"C", atls_bytes_str("A1")};
}
static void nobody(order *o)
{
    o->t.sign = NULL;
}
static void key_cut(order *o)
{
    o->t.spki.len--;
}
static void key_empty(order *o)
{
    o->t.spki = atls_bytes_empty();
}
static void key_huge(order *o)
{
    o->t.spki = csr_fill(o->arena, '0', ATLS_ENROL_MAX_CSR_LEN + 1);
}
static void oid_cut(order *o)
{
    o->t.proof_oid.len--;
}
static void oid_empty(order *o)
{
    o->t.proof_oid = atls_bytes_empty();
}
static void algorithm_cut(order *o)
{
    o->signer.algorithm = "300a 06082a8648ce3d0403";
}
/* Behind it the beginning of another element, around what follows: such a request is read, as another one. */
static void key_and_more(order *o)
{
    o->t.spki = csr_hex(o->arena, "300b 3005 0603550405 03020004 a029 3027 0603550405 3120");
}
static void algorithm_and_more(order *o)
{
    o->signer.algorithm = "300a 06082a8648ce3d040302 034a00";
}
static void signature_large(order *o)
{
    o->signer.signature_len = ATLS_ENROL_MAX_CSR_LEN;
}
static void signature_huge(order *o)
{
    o->signer.signature_len = ATLS_ENROL_MAX_CSR_LEN + 1;
}
static void signer_fails(order *o)
{
    o->signer = (counting){.reason = "no finger was laid on it"};
}
static void signer_says_nothing(order *o)
{
    o->signer = (counting){.algorithm = NULL};
}

typedef struct write_row {
    const char *name;
    void (*change)(order *o);
    atls_code code;
    const char *field;
    unsigned n_calls; /* of the signer */
} write_row;

static const write_row rows[] = {
    {"written: as it should be", plain, ATLS_OK, "", 1},
    {"written: no name but the nonce", no_names, ATLS_OK, "", 1},
    {"written: a name of every type", every_type, ATLS_OK, "", 1},
    {"written: 31 names and the nonce", names_31, ATLS_OK, "", 1},
    {"written: a nonce of one byte", nonce_1, ATLS_OK, "", 1},
    {"written: a nonce of 128 bytes", nonce_128, ATLS_OK, "", 1},
    {"written: 4 KiB of subject", subject_4096, ATLS_OK, "", 1},
    {"written: 192 KiB of statement", statement_192, ATLS_OK, "", 1},
    {"refused: 32 names and the nonce", names_32, ATLS_E_USAGE, "csr.subject", 0},
    {"refused: no nonce", nonce_0, ATLS_E_USAGE, "csr.subject", 0},
    {"refused: a nonce of 129 bytes", nonce_129, ATLS_E_USAGE, "csr.subject", 0},
    {"refused: a byte more of subject", subject_4097, ATLS_E_USAGE, "csr.subject", 1},
    {"refused: a name of 1 MiB", value_huge, ATLS_E_USAGE, "csr.subject", 0},
    {"refused: a byte more of statement", statement_193, ATLS_E_USAGE, "csr.attributes", 0},
    {"refused: no statement", statement_0, ATLS_E_USAGE, "csr.attributes", 0},
    {"refused: a statement that is no UTF-8", statement_latin, ATLS_E_USAGE, "csr.attributes", 0},
    {"refused: a serialNumber of the app's", serial_number, ATLS_E_USAGE, "csr.subject", 0},
    {"refused: a type in lower case", type_in_lower_case, ATLS_E_USAGE, "csr.subject", 0},
    {"refused: no type", type_absent, ATLS_E_USAGE, "csr.subject", 0},
    {"refused: an empty value", value_empty, ATLS_E_USAGE, "csr.subject", 0},
    {"refused: a value that is no UTF-8", value_latin, ATLS_E_USAGE, "csr.subject", 0},
    {"refused: a country of three letters", country_of_three, ATLS_E_USAGE, "csr.subject", 0},
    {"refused: a country in lower case", country_in_lower_case, ATLS_E_USAGE, "csr.subject", 0},
    {"refused: a country with a digit", country_of_a_digit, ATLS_E_USAGE, "csr.subject", 0},
    {"refused: nobody signs", nobody, ATLS_E_USAGE, "csr.signature", 0},
    {"refused: a key that is cut", key_cut, ATLS_E_USAGE, "csr.attributes", 1},
    {"refused: no key", key_empty, ATLS_E_USAGE, "csr.subjectPKInfo", 1},
    {"refused: a key of 256 KiB", key_huge, ATLS_E_USAGE, "csr", 0},
    {"refused: an OID that is cut", oid_cut, ATLS_E_USAGE, "csr.attributes", 1},
    {"refused: no OID", oid_empty, ATLS_E_USAGE, "csr.attributes", 1},
    {"refused: an algorithm that is cut", algorithm_cut, ATLS_E_USAGE, "csr.signature", 1},
    {"refused: a key that swallows the attributes", key_and_more, ATLS_E_USAGE, "csr.subjectPKInfo", 1},
    {"refused: an algorithm that swallows the signature", algorithm_and_more, ATLS_E_USAGE, "csr.signatureAlgorithm",
     1},
    {"refused: a signature that makes it too long", signature_large, ATLS_E_USAGE, "csr", 1},
    {"refused: a signature of more than 256 KiB", signature_huge, ATLS_E_USAGE, "csr.signature", 1},
    {"refused: the signer fails", signer_fails, ATLS_E_IO, "key", 1},
    {"refused: the signer fails, and says nothing", signer_says_nothing, ATLS_E_INTERNAL, "", 1},
};

static void check_back(const order *o, atls_bytes der)
{
    atls_error err = {0};
    atls_enrol_csr csr;
    atls_bytes found;
    assert_true(atls_enrol_csr_read(der, &csr, &err));
    assert_true(atls_enrol_csr_nonce(&csr, o->arena, &found, &err) && atls_bytes_equal(found, o->t.nonce));
    assert_true(atls_enrol_csr_statement(&csr, o->t.proof_oid, &found, &err));
    assert_true(atls_bytes_equal(found, o->t.statement) && atls_bytes_equal(csr.spki, o->t.spki));
    assert_int_equal(csr.n_attributes, 1);
}

static void test_row(void **state)
{
    const write_row *row = *state;
    order o;
    atls_error err = {0};
    atls_bytes der;
    order_init(&o);
    row->change(&o);
    bool ok = atls_enrol_csr_write(&o.t, o.arena, &der, &err);
    check_error(&err, row->code, row->field);
    assert_int_equal(ok, row->code == ATLS_OK);
    assert_int_equal(o.signer.n_calls, row->n_calls);
    if (ok) {
        check_back(&o, der);
    } else {
        assert_int_equal(der.len, 0);
    }
}

/* The example of section 3: an RDN for 16 bytes. */
static void test_bytes(void **state)
{
    (void)state;
    order o;
    atls_error err = {0};
    atls_enrol_csr csr;
    atls_bytes der;
    order_init(&o);
    no_names(&o);
    o.t.nonce = csr_hex(o.arena, "cac4307080875c418beb668e825649dc");
    assert_true(atls_enrol_csr_write(&o.t, o.arena, &der, &err));
    assert_true(atls_enrol_csr_read(der, &csr, &err));
    const atls_bytes wanted[] = {csr_hex(o.arena, "302b 3129 3027 0603550405 1320"),
                                 atls_bytes_str("CAC4307080875C418BEB668E825649DC")};
    assert_true(atls_bytes_equal(csr.subject, csr_join(o.arena, 2, wanted)));
    assert_true(atls_bytes_equal(csr.attributes[0].values, csr_hex(o.arena, "0c02 7b7d")));
}

static void test_longest_subject(void **state)
{
    (void)state;
    order o;
    atls_error err = {0};
    atls_enrol_csr csr;
    atls_bytes der;
    order_init(&o);
    subject_4096(&o);
    assert_true(atls_enrol_csr_write(&o.t, o.arena, &der, &err));
    assert_true(atls_enrol_csr_read(der, &csr, &err));
    assert_int_equal(csr.subject.len, ATLS_ENROL_MAX_SUBJECT_LEN);
}

/* Every length of the statement around those where a head grows. */
static void test_heads(void **state)
{
    (void)state;
    static const size_t around[] = {60, 100, 127, 128, 200, 255, 256, 65400, 65535, 65536};
    for (size_t i = 0; i < COUNT(around); i++) {
        for (size_t len = around[i] - 50; len < around[i] + 2; len++) {
            order o;
            atls_error err = {0};
            atls_bytes der;
            order_init(&o);
            o.t.statement = csr_fill(o.arena, ' ', len);
            assert_true(atls_enrol_csr_write(&o.t, o.arena, &der, &err));
            check_back(&o, der);
        }
    }
}

static void test_memory(void **state)
{
    (void)state;
    static uint8_t block[8192];
    order o;
    size_t n_failed = 0;
    order_init(&o);
    for (size_t size = 0; size < sizeof block; size += 16) {
        atls_arena a;
        atls_error err = {0};
        atls_bytes der;
        atls_arena_init(&a, block, size);
        o.signer.algorithm = size < 700 ? NULL : "300a 06082a8648ce3d040302";
        o.signer.reason = "the arena of a test";
        if (!atls_enrol_csr_write(&o.t, &a, &der, &err)) {
            assert_true(err.code == ATLS_E_MEMORY || err.code == ATLS_E_IO);
            assert_int_equal(der.len, 0);
            n_failed += err.code == ATLS_E_MEMORY ? 1 : 0;
        }
    }
    assert_true(n_failed > 4 && n_failed < 400);
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < COUNT(rows); i++) {
        tap_add(&tests, rows[i].name, test_row, &rows[i]);
    }
    tap_add(&tests, "the bytes of section 3", test_bytes, NULL);
    tap_add(&tests, "4 KiB of subject are 4 KiB", test_longest_subject, NULL);
    tap_add(&tests, "heads of every size", test_heads, NULL);
    tap_add(&tests, "an arena that is too small", test_memory, NULL);
    return tap_run("enrol_csr_write", &tests);
}

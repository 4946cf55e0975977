/* SPDX-License-Identifier: Apache-2.0 */
/* test_enrol_csr.c: certification requests taken apart, with one part that is not as it should be; limits at their edge and just
 * beyond; nonces and statements in every place where they may not stand (section 3). */
#include "csr_make.h"

#include "base/text.h"

/* ---- step 1 ---- */

typedef struct part_row {
    const char *name;
    csr_part part;
    const char *hex;   /* instead of that part */
    const char *field; /* NULL: it is read */
} part_row;

static const part_row part_rows[] = {
    {"read: no attribute of the subject", CSR_SUBJECT, "3000", NULL},
    {"read: no attribute", CSR_ATTRIBUTES, "a000", NULL},
    {"read: an attribute of no value", CSR_ATTRIBUTES, "a009 3007 0603550405 3100", NULL},
    {"read: an attribute of two values", CSR_ATTRIBUTES, "a00d 300b 0603550405 3104 0500 3000", NULL},
    {"read: an algorithm with parameters", CSR_ALGORITHM, "3009 0603550405 02020080", NULL},
    {"read: a signature of no bytes", CSR_SIGNATURE, "030100", NULL},
    {"version: 1", CSR_VERSION, "020101", "csr.version"},
    {"version: not minimal", CSR_VERSION, "02020000", "csr.version"},
    {"version: negative", CSR_VERSION, "0201ff", "csr.version"},
    {"version: absent", CSR_VERSION, "", "csr.version"},
    {"version: a BOOLEAN", CSR_VERSION, "010100", "csr.version"},
    {"subject: absent", CSR_SUBJECT, "", "csr.subject"},
    {"subject: a SET", CSR_SUBJECT, "3100", "csr.subject"},
    {"subject: an empty RDN", CSR_SUBJECT, "3002 3100", "csr.subject"},
    {"subject: an RDN that is a SEQUENCE", CSR_SUBJECT, "300c 300a 3008 0603550403 0c0161", "csr.subject"},
    {"subject: an attribute without value", CSR_SUBJECT, "3009 3107 3005 0603550403", "csr.subject"},
    {"subject: an attribute of two values", CSR_SUBJECT, "300f 310d 300b 0603550403 0c0161 0c0161", "csr.subject"},
    {"subject: an attribute without type", CSR_SUBJECT, "3007 3105 3003 0c0161", "csr.subject"},
    {"subject: a type that is not minimal", CSR_SUBJECT, "300d 310b 3009 060455048003 0c0161", "csr.subject"},
    {"subject: an indefinite length", CSR_SUBJECT, "3080 0000", "csr.subject"},
    {"subject: a length that is not minimal", CSR_SUBJECT, "308100", "csr.subject"},
    {"key: absent", CSR_KEY, "", "csr.subjectPKInfo"},
    {"key: a SET", CSR_KEY, "310b 3005 0603550405 03020004", "csr.subjectPKInfo"},
    {"key: no algorithm", CSR_KEY, "3004 03020004", "csr.subjectPKInfo.algorithm"},
    {"key: no BIT STRING", CSR_KEY, "300b 3005 0603550405 04020004", "csr.subjectPKInfo.subjectPublicKey"},
    {"key: not whole bytes", CSR_KEY, "300b 3005 0603550405 03020100", "csr.subjectPKInfo.subjectPublicKey"},
    {"key: something behind it", CSR_KEY, "300d 3005 0603550405 03020004 0500", "csr.subjectPKInfo"},
    {"attributes: absent", CSR_ATTRIBUTES, "", "csr.attributes"},
    {"attributes: [1]", CSR_ATTRIBUTES, "a100", "csr.attributes"},
    {"attributes: primitive", CSR_ATTRIBUTES, "8000", "csr.attributes"},
    {"attributes: a SET in the [0]", CSR_ATTRIBUTES, "a002 3100", "csr.attributes"},
    {"attributes: no values", CSR_ATTRIBUTES, "a007 3005 0603550405", "csr.attributes"},
    {"attributes: values that are a SEQUENCE", CSR_ATTRIBUTES, "a009 3007 0603550405 3000", "csr.attributes"},
    {"attributes: values that are cut", CSR_ATTRIBUTES, "a00b 3009 0603550405 3102 0401", "csr.attributes"},
    {"attributes: a third member", CSR_ATTRIBUTES, "a00b 3009 0603550405 3100 0500", "csr.attributes"},
    {"attributes: an empty type", CSR_ATTRIBUTES, "a006 3004 0600 3100", "csr.attributes"},
    {"info: something behind the attributes", CSR_INFO_TAIL, "0500", "csr"},
    {"info: attributes twice", CSR_INFO_TAIL, "a000", "csr"},
    {"algorithm: absent", CSR_ALGORITHM, "", "csr.signatureAlgorithm"},
    {"algorithm: empty", CSR_ALGORITHM, "3000", "csr.signatureAlgorithm"},
    {"algorithm: a bare OID", CSR_ALGORITHM, "0603550405", "csr.signatureAlgorithm"},
    {"algorithm: two parameters", CSR_ALGORITHM, "3009 0603550405 0500 0500", "csr.signatureAlgorithm"},
    {"signature: absent", CSR_SIGNATURE, "", "csr.signature"},
    {"signature: an OCTET STRING", CSR_SIGNATURE, "04020001", "csr.signature"},
    {"signature: not whole bytes", CSR_SIGNATURE, "03020180", "csr.signature"},
    {"signature: no octet of unused bits", CSR_SIGNATURE, "0300", "csr.signature"},
    {"tail: inside", CSR_TAIL, "0500", "csr"},
    {"tail: behind", CSR_OUTER_TAIL, "00", "csr"},
};

static void check_empty(const atls_enrol_csr *csr)
{
    assert_true(csr->der.len == 0 && csr->tbs.len == 0 && csr->subject.len == 0 && csr->spki.len == 0);
    assert_true(csr->n_attributes == 0 && csr->attributes[0].oid.len == 0 && csr->attributes[0].values.len == 0);
    assert_true(csr->signature_algorithm.len == 0 && csr->signature.len == 0);
}

/* From a block that ends where the request ends. */
static void check_read(atls_bytes der, const char *field)
{
    atls_error err = {0};
    atls_enrol_csr csr;
    uint8_t *exact = malloc(der.len == 0 ? 1 : der.len);
    assert_non_null(exact);
    memcpy(exact, der.ptr, der.len);
    bool ok = atls_enrol_csr_read(atls_bytes_of(exact, der.len), &csr, &err);
    check_error(&err, field == NULL ? ATLS_OK : ATLS_E_ENROL_CSR, field == NULL ? "" : field);
    assert_int_equal(ok, field == NULL);
    if (!ok) {
        check_empty(&csr);
    }
    free(exact);
}

static void test_part(void **state)
{
    const part_row *row = *state;
    atls_arena *a = check_arena();
    csr_parts p = csr_parts_default(a);
    p.part[row->part] = csr_hex(a, row->hex);
    check_read(csr_whole(a, &p), row->field);
}

static void test_default(void **state)
{
    (void)state;
    atls_arena *a = check_arena();
    const csr_parts p = csr_parts_default(a);
    const atls_bytes der = csr_whole(a, &p);
    atls_error err = {0};
    atls_enrol_csr csr;
    atls_bytes found;
    assert_true(atls_enrol_csr_read(der, &csr, &err));
    assert_true(atls_bytes_equal(csr.der, der) && atls_bytes_equal(csr.tbs, csr_info(a, &p)));
    assert_true(atls_bytes_equal(csr.subject, p.part[CSR_SUBJECT]) && atls_bytes_equal(csr.spki, p.part[CSR_KEY]));
    assert_true(atls_bytes_equal(csr.signature_algorithm, p.part[CSR_ALGORITHM]));
    assert_true(atls_bytes_equal(csr.signature, csr_hex(a, "01")));
    assert_true(csr.n_attributes == 1 && atls_bytes_equal(csr.attributes[0].oid, csr_hex(a, CSR_PROOF_OID)));
    assert_true(atls_bytes_equal(csr.attributes[0].values, csr_hex(a, "0c027b7d")));
    assert_true(atls_enrol_csr_nonce(&csr, a, &found, &err));
    assert_true(atls_bytes_equal(found, csr_hex(a, "cac4307080875c418beb668e825649dc")));
    assert_true(atls_enrol_csr_statement(&csr, csr_hex(a, CSR_PROOF_OID), &found, &err));
    assert_true(atls_bytes_equal_str(found, "{}"));
    check_read(atls_bytes_empty(), "csr");
    check_read(csr_hex(a, "3100"), "csr");
}

/* ---- limits ---- */

/* A subject of exactly len bytes, len from 300 to 0xffff: one long CN, and the nonce. */
static atls_bytes subject_of(atls_arena *a, size_t len)
{
    const atls_bytes nonce = csr_rdn(a, 5, 0x13, atls_bytes_str("CAC4"));
    const size_t heads = 4 + 4 + 4 + 5 + 4; /* name, RDN, pair, type, value */
    const atls_bytes rdns[] = {csr_rdn(a, 3, 0x0c, csr_fill(a, 'x', len - heads - nonce.len)), nonce};
    const atls_bytes subject = csr_der_of(a, 0x30, 2, rdns);
    assert_int_equal(subject.len, len);
    return subject;
}

static void test_subject_length(void **state)
{
    (void)state;
    atls_arena *a = check_arena();
    csr_parts p = csr_parts_default(a);
    p.part[CSR_SUBJECT] = subject_of(a, ATLS_ENROL_MAX_SUBJECT_LEN);
    check_read(csr_whole(a, &p), NULL);
    p.part[CSR_SUBJECT] = subject_of(a, ATLS_ENROL_MAX_SUBJECT_LEN + 1);
    check_read(csr_whole(a, &p), "csr.subject");
}

/* n attributes, in one RDN or each in one. */
static atls_bytes crowd(atls_arena *a, size_t n, bool is_one_rdn)
{
    atls_bytes items[ATLS_ENROL_MAX_RDN_VALUES + 1];
    for (size_t i = 0; i < n; i++) {
        items[i] = csr_hex(a, is_one_rdn ? "3008 0603550403 0c0161" : "310a 3008 0603550403 0c0161");
    }
    return is_one_rdn ? csr_der(a, 0x30, csr_der_of(a, 0x31, n, items)) : csr_der_of(a, 0x30, n, items);
}

static void test_subject_attributes(void **state)
{
    (void)state;
    atls_arena *a = check_arena();
    csr_parts p = csr_parts_default(a);
    for (int is_one_rdn = 0; is_one_rdn < 2; is_one_rdn++) {
        p.part[CSR_SUBJECT] = crowd(a, ATLS_ENROL_MAX_RDN_VALUES, is_one_rdn == 1);
        check_read(csr_whole(a, &p), NULL);
        p.part[CSR_SUBJECT] = crowd(a, ATLS_ENROL_MAX_RDN_VALUES + 1, is_one_rdn == 1);
        check_read(csr_whole(a, &p), "csr.subject");
    }
}

static void test_attributes(void **state)
{
    (void)state;
    atls_arena *a = check_arena();
    csr_parts p = csr_parts_default(a);
    atls_bytes items[ATLS_ENROL_MAX_ATTRIBUTES + 1];
    for (size_t i = 0; i < COUNT(items); i++) {
        items[i] = csr_hex(a, "3007 0603550405 3100");
    }
    p.part[CSR_ATTRIBUTES] = csr_der_of(a, 0xa0, ATLS_ENROL_MAX_ATTRIBUTES, items);
    check_read(csr_whole(a, &p), NULL);
    p.part[CSR_ATTRIBUTES] = csr_der_of(a, 0xa0, ATLS_ENROL_MAX_ATTRIBUTES + 1, items);
    check_read(csr_whole(a, &p), "csr.attributes");
}

static void test_request_length(void **state)
{
    (void)state;
    atls_arena *a = check_arena();
    csr_parts p = csr_parts_default(a);
    /* lengths of this order all have heads of the same size */
    const size_t half = ATLS_ENROL_MAX_CSR_LEN / 2;
    p.part[CSR_SIGNATURE] = csr_der(a, 0x03, csr_fill(a, 0, half));
    const size_t len = ATLS_ENROL_MAX_CSR_LEN - csr_whole(a, &p).len + half;
    for (size_t more = 0; more < 2; more++) {
        p.part[CSR_SIGNATURE] = csr_der(a, 0x03, csr_fill(a, 0, len + more));
        const atls_bytes der = csr_whole(a, &p);
        assert_int_equal(der.len, ATLS_ENROL_MAX_CSR_LEN + more);
        check_read(der, more == 0 ? NULL : "csr");
    }
}

static void test_statement_length(void **state)
{
    (void)state;
    atls_arena *a = check_arena();
    csr_parts p = csr_parts_default(a);
    for (size_t more = 0; more < 2; more++) {
        atls_error err = {0};
        atls_enrol_csr csr;
        atls_bytes text;
        const size_t len = ATLS_ENROL_MAX_STATEMENT_LEN + more;
        p.part[CSR_ATTRIBUTES] = csr_der(a, 0xa0, csr_proof(a, csr_fill(a, ' ', len)));
        assert_true(atls_enrol_csr_read(csr_whole(a, &p), &csr, &err));
        assert_int_equal(atls_enrol_csr_statement(&csr, csr_hex(a, CSR_PROOF_OID), &text, &err), more == 0);
        assert_int_equal(text.len, more == 0 ? len : 0);
        check_error(&err, more == 0 ? ATLS_OK : ATLS_E_ENROL_STATEMENT, more == 0 ? "" : "csr.attributes");
    }
}

/* ---- step 2 ---- */

typedef struct nonce_row {
    const char *name;
    const char *rdns;  /* hex: content of the Name */
    const char *nonce; /* hex; NULL: there is none */
} nonce_row;

#define CN_A      "310a 3008 0603550403 0c0161"
#define SERIAL_00 "300a 06035504051303303030" /* of three digits */
#define SERIAL_AB "3009 0603550405 13026142"  /* "aB" */
#define SERIAL_CD "3009 0603550405 1302 4364" /* "Cd" */
#define OTHER_5   "3009 0603550406 1302 4141" /* 2.5.4.6 */

static const nonce_row nonce_rows[] = {
    {"nonce: alone", "310b" SERIAL_AB, "ab"},
    {"nonce: behind another RDN", CN_A "310b" SERIAL_CD, "cd"},
    {"nonce: before another RDN", "310b" SERIAL_AB CN_A, "ab"},
    {"nonce: a UTF8String", "310b 3009 0603550405 0c02 3066", "0f"},
    {"nonce: 16 bytes, as clients write it",
     "3129 3027 0603550405 1320"
     "43414334333037303830383735433431384245423636384538323536343944 43",
     "cac4307080875c418beb668e825649dc"},
    {"nonce: 16 bytes, lower case",
     "3129 3027 0603550405 1320"
     "63616334333037303830383735633431386265623636386538323536343964 63",
     "cac4307080875c418beb668e825649dc"},
    {"no nonce: an empty name", "", NULL},
    {"no nonce: another type only", "310b" OTHER_5, NULL},
    {"no nonce: a type that begins like it", "310c 300a 060455040501 1302 4141", NULL},
    {"no nonce: two, each in an RDN", "310b" SERIAL_AB "310b" SERIAL_CD, NULL},
    {"no nonce: the same twice", "310b" SERIAL_AB "310b" SERIAL_AB, NULL},
    {"no nonce: two in one RDN", "3116" SERIAL_AB SERIAL_CD, NULL},
    {"no nonce: one alone, two in another RDN", "310b" SERIAL_AB "3116" SERIAL_AB SERIAL_CD, NULL},
    {"no nonce: one in front of another attribute in its RDN", "3116" SERIAL_AB OTHER_5, NULL},
    {"no nonce: one behind another attribute in its RDN", "3116" OTHER_5 SERIAL_AB, NULL},
    {"no nonce: empty", "3109 3007 0603550405 1300", NULL},
    {"no nonce: one digit", "310a 3008 0603550405 130141", NULL},
    {"no nonce: three digits", "310c" SERIAL_00, NULL},
    {"no nonce: no digits", "310b 3009 0603550405 1302 6767", NULL},
    {"no nonce: a blank", "310b 3009 0603550405 1302 2041", NULL},
    {"no nonce: a NUL", "310b 3009 0603550405 1302 4100", NULL},
    {"no nonce: an IA5String", "310b 3009 0603550405 1602 4141", NULL},
    {"no nonce: a T61String", "310b 3009 0603550405 1402 4141", NULL},
    {"no nonce: a BMPString", "310d 300b 0603550405 1e04 00410041", NULL},
    {"no nonce: an OCTET STRING", "310b 3009 0603550405 0402 4141", NULL},
    {"no nonce: a constructed string", "310f 300d 0603550405 3306 1301411301 41", NULL},
};

static void check_nonce(atls_arena *a, atls_bytes rdns, const char *expected)
{
    csr_parts p = csr_parts_default(a);
    atls_error err = {0};
    atls_enrol_csr csr;
    atls_bytes nonce;
    p.part[CSR_SUBJECT] = csr_der(a, 0x30, rdns);
    assert_true(atls_enrol_csr_read(csr_whole(a, &p), &csr, &err));
    bool ok = atls_enrol_csr_nonce(&csr, a, &nonce, &err);
    check_error(&err, expected != NULL ? ATLS_OK : ATLS_E_ENROL_CHALLENGE_MISSING,
                expected != NULL ? "" : "csr.subject");
    assert_int_equal(ok, expected != NULL);
    assert_string_equal(atls_hex_text(nonce, a, &err), expected == NULL ? "" : expected);
}

static void test_nonce(void **state)
{
    const nonce_row *row = *state;
    atls_arena *a = check_arena();
    check_nonce(a, csr_hex(a, row->rdns), row->nonce);
}

static void test_nonce_length(void **state)
{
    (void)state;
    char zeros[2 * ATLS_ENROL_MAX_NONCE_LEN + 1] = {0};
    atls_arena *a = check_arena();
    memset(zeros, '0', sizeof zeros - 1);
    check_nonce(a, csr_rdn(a, 5, 0x13, csr_fill(a, '0', sizeof zeros - 1)), zeros);
    check_nonce(a, csr_rdn(a, 5, 0x13, csr_fill(a, '0', sizeof zeros)), NULL);
    check_nonce(a, csr_rdn(a, 5, 0x13, csr_fill(a, '0', sizeof zeros + 1)), NULL);
}

/* A struct that no reader filled: nothing to find, and no crash. */
static void test_by_hand(void **state)
{
    (void)state;
    static const char *const subjects[] = {
        "", "3000", "3100", "30", "3002 3100", "3003 310130", "300a 3108 3006 0603550405"};
    for (size_t i = 0; i < COUNT(subjects); i++) {
        atls_arena *a = check_arena();
        atls_error err = {0};
        atls_bytes found;
        const atls_enrol_csr csr = {.subject = csr_hex(a, subjects[i])};
        assert_false(atls_enrol_csr_nonce(&csr, a, &found, &err));
        assert_int_equal(err.code, ATLS_E_ENROL_CHALLENGE_MISSING);
        err = (atls_error){0};
        assert_false(atls_enrol_csr_statement(&csr, csr_hex(a, CSR_PROOF_OID), &found, &err));
        check_error(&err, ATLS_E_ENROL_STATEMENT, "csr.attributes");
        err = (atls_error){0};
        assert_false(atls_enrol_csr_verify(&csr, &err));
        check_error(&err, ATLS_E_ENROL_CSR_SIGNATURE, "csr.signatureAlgorithm");
    }
}

static void test_nonce_memory(void **state)
{
    (void)state;
    atls_arena *a = check_arena();
    const csr_parts p = csr_parts_default(a);
    uint8_t block[15];
    atls_arena small;
    atls_error err = {0};
    atls_enrol_csr csr;
    atls_bytes nonce;
    atls_arena_init(&small, block, sizeof block);
    assert_true(atls_enrol_csr_read(csr_whole(a, &p), &csr, &err));
    assert_false(atls_enrol_csr_nonce(&csr, &small, &nonce, &err));
    assert_int_equal(err.code, ATLS_E_MEMORY);
    assert_int_equal(nonce.len, 0);
}

/* ---- step 4 ---- */

typedef struct statement_row {
    const char *name;
    const char *attributes; /* hex: content of the [0] */
    const char *text;       /* NULL: there is none */
} statement_row;

#define PROOF_A "301d" CSR_PROOF_OID_DER "3105 0c03 61 62 63"
#define REQUEST "300f 06092a864886f70d01090e 3102 3000" /* extensionRequest */

static const statement_row statement_rows[] = {
    {"statement: alone", PROOF_A, "abc"},
    {"statement: before another attribute", PROOF_A REQUEST, "abc"},
    {"statement: behind another attribute", REQUEST PROOF_A, "abc"},
    {"statement: between others", REQUEST PROOF_A REQUEST, "abc"},
    {"statement: beyond ASCII", "301c" CSR_PROOF_OID_DER "3104 0c02 c3a4", "\xc3\xa4"},
    {"no statement: no attribute", "", NULL},
    {"no statement: others only", REQUEST REQUEST, NULL},
    {"no statement: twice", PROOF_A PROOF_A, NULL},
    {"no statement: twice, one of them empty", PROOF_A "3018" CSR_PROOF_OID_DER "3100", NULL},
    {"no statement: twice, with another between", PROOF_A REQUEST PROOF_A, NULL},
    {"no statement: a SET of none", "3018" CSR_PROOF_OID_DER "3100", NULL},
    {"no statement: a SET of two", "3022" CSR_PROOF_OID_DER "310a 0c03616263 0c03616263", NULL},
    {"no statement: a SET of two, one another type", "301f" CSR_PROOF_OID_DER "3107 0c03616263 0500", NULL},
    {"no statement: nothing in it", "301a" CSR_PROOF_OID_DER "3102 0c00", NULL},
    {"no statement: a PrintableString", "301d" CSR_PROOF_OID_DER "3105 1303 616263", NULL},
    {"no statement: an OCTET STRING", "301d" CSR_PROOF_OID_DER "3105 0403 616263", NULL},
    {"no statement: a constructed string", "301d" CSR_PROOF_OID_DER "3105 2c03 0c0161", NULL},
    {"no statement: no UTF-8", "301b" CSR_PROOF_OID_DER "3103 0c01 ff", NULL},
    {"no statement: an OID that begins like it", "301e 0615" CSR_PROOF_OID "01 3105 0c03 616263", NULL},
    {"no statement: an OID that ends too early", "301c 0613 69839193dbc0c58fb2b1a185bcb4bafa8ae00e 3105 0c03 616263",
     NULL},
};

static void test_statement(void **state)
{
    const statement_row *row = *state;
    atls_arena *a = check_arena();
    csr_parts p = csr_parts_default(a);
    atls_error err = {0};
    atls_enrol_csr csr;
    atls_bytes text;
    p.part[CSR_ATTRIBUTES] = csr_der(a, 0xa0, csr_hex(a, row->attributes));
    assert_true(atls_enrol_csr_read(csr_whole(a, &p), &csr, &err));
    bool ok = atls_enrol_csr_statement(&csr, csr_hex(a, CSR_PROOF_OID), &text, &err);
    check_error(&err, row->text != NULL ? ATLS_OK : ATLS_E_ENROL_STATEMENT, row->text != NULL ? "" : "csr.attributes");
    assert_int_equal(ok, row->text != NULL);
    assert_true(atls_bytes_equal_str(text, row->text == NULL ? "" : row->text));
}

/* ---- damage ---- */

/* Every proper prefix is refused. Every flipped bit is refused, or what is found is found in the request. */
static void test_damage(void **state)
{
    (void)state;
    atls_arena *a = check_arena();
    const csr_parts p = csr_parts_default(a);
    const atls_bytes der = csr_whole(a, &p);
    const atls_bytes oid = csr_hex(a, CSR_PROOF_OID);
    const size_t mark = a->used;
    for (size_t len = 0; len < der.len; len++) {
        check_read(atls_bytes_of(der.ptr, len), "csr");
    }
    for (size_t bit = 0; bit < 8 * der.len; bit++) {
        a->used = mark;
        atls_error err = {0};
        atls_enrol_csr csr;
        atls_bytes found;
        uint8_t *copy = malloc(der.len);
        assert_non_null(copy);
        memcpy(copy, der.ptr, der.len);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (!atls_enrol_csr_read(atls_bytes_of(copy, der.len), &csr, &err)) {
            assert_int_equal(err.code, ATLS_E_ENROL_CSR);
        } else {
            bool has_nonce = atls_enrol_csr_nonce(&csr, a, &found, &err);
            assert_true(has_nonce || err.code == ATLS_E_ENROL_CHALLENGE_MISSING);
            err = (atls_error){0};
            bool has_statement = atls_enrol_csr_statement(&csr, oid, &found, &err);
            assert_true(has_statement || err.code == ATLS_E_ENROL_STATEMENT);
            err = (atls_error){0};
            assert_false(atls_enrol_csr_verify(&csr, &err));
        }
        free(copy);
    }
}

int main(void)
{
    tap_list tests = {0};
    tap_add(&tests, "as it should be", test_default, NULL);
    for (size_t i = 0; i < COUNT(part_rows); i++) {
        tap_add(&tests, part_rows[i].name, test_part, &part_rows[i]);
    }
    tap_add(&tests, "limits: 4 KiB of subject", test_subject_length, NULL);
    tap_add(&tests, "limits: attributes of the subject", test_subject_attributes, NULL);
    tap_add(&tests, "limits: 16 attributes", test_attributes, NULL);
    tap_add(&tests, "limits: 256 KiB of request", test_request_length, NULL);
    tap_add(&tests, "limits: 192 KiB of statement", test_statement_length, NULL);
    for (size_t i = 0; i < COUNT(nonce_rows); i++) {
        tap_add(&tests, nonce_rows[i].name, test_nonce, &nonce_rows[i]);
    }
    tap_add(&tests, "nonce: 128 bytes, and more", test_nonce_length, NULL);
    tap_add(&tests, "nonce: an arena that is too small", test_nonce_memory, NULL);
    for (size_t i = 0; i < COUNT(statement_rows); i++) {
        tap_add(&tests, statement_rows[i].name, test_statement, &statement_rows[i]);
    }
    tap_add(&tests, "a request that nobody read", test_by_hand, NULL);
    tap_add(&tests, "prefixes and flipped bits", test_damage, NULL);
    return tap_run("enrol_csr", &tests);
}

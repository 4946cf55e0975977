/* SPDX-License-Identifier: Apache-2.0 */
/* test_enrol_proof.c: requests that we write are good to OpenSSL, requests that OpenSSL writes are good to us, and no request
 * is once a bit of it is another one (section 10, W1). */
#include "csr_make.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/text.h"

static make_keys *keys;

typedef struct alg_row {
    const char *name;
    make_key key;
    const EVP_MD *(*md)(void);
    const char *algorithm; /* hex, whole */
} alg_row;

#define ECDSA_WITH(arc) "300a 06082a8648ce3d0403" arc
#define RSA_WITH(arc)   "300d 06092a864886f70d0101" arc "0500"

static const alg_row alg_rows[] = {
    {"P-256 and SHA-256", MAKE_LEAF, EVP_sha256, ECDSA_WITH("02")},
    {"P-256 and SHA-384", MAKE_LEAF, EVP_sha384, ECDSA_WITH("03")},
    {"P-256 and SHA-512", MAKE_LEAF, EVP_sha512, ECDSA_WITH("04")},
    {"P-384 and SHA-256", MAKE_P384, EVP_sha256, ECDSA_WITH("02")},
    {"P-384 and SHA-384", MAKE_P384, EVP_sha384, ECDSA_WITH("03")},
    {"P-384 and SHA-512", MAKE_P384, EVP_sha512, ECDSA_WITH("04")},
    {"RSA and SHA-256", MAKE_RSA, EVP_sha256, RSA_WITH("0b")},
    {"RSA and SHA-384", MAKE_RSA, EVP_sha384, RSA_WITH("0c")},
    {"RSA and SHA-512", MAKE_RSA, EVP_sha512, RSA_WITH("0d")},
};

static const uint8_t nonce[] = {0xca, 0xc4, 0x30, 0x70, 0x80, 0x87, 0x5c, 0x41,
                                0x8b, 0xeb, 0x66, 0x8e, 0x82, 0x56, 0x49, 0xdc};
static const char statement[] = "{\"typ\":\"android-key\",\"x5c\":[]}";
static const char nonce_text[] = "CAC4307080875C418BEB668E825649DC";

static atls_bytes spki_of(make_key key)
{
    return atls_bytes_of(keys->spki[key], keys->spki_len[key]);
}

/* A request of ours with two names, signed as the row says. */
static atls_bytes write_with(atls_arena *a, const alg_row *row)
{
    csr_signing signing = {keys->pkey[row->key], row->md(), row->algorithm};
    const atls_enrol_name names[] = {{"C", atls_bytes_str("AT")}, {"CN", atls_bytes_str("J\xc3\xbcrgen")}};
    const atls_enrol_csr_template t = {.names = names,
                                       .n_names = COUNT(names),
                                       .nonce = atls_bytes_of(nonce, sizeof nonce),
                                       .proof_oid = csr_hex(a, CSR_PROOF_OID),
                                       .statement = atls_bytes_str(statement),
                                       .spki = spki_of(row->key),
                                       .sign = csr_signer,
                                       .ctx = &signing};
    atls_error err = {0};
    atls_bytes der;
    assert_true(atls_enrol_csr_write(&t, a, &der, &err));
    return der;
}

static void check_ours(atls_bytes der, atls_bytes spki, atls_arena *a)
{
    atls_error err = {0};
    atls_enrol_csr csr;
    atls_bytes found;
    assert_true(atls_enrol_csr_read(der, &csr, &err));
    assert_true(atls_enrol_csr_nonce(&csr, a, &found, &err));
    assert_true(atls_bytes_equal(found, atls_bytes_of(nonce, sizeof nonce)));
    assert_true(atls_enrol_csr_statement(&csr, csr_hex(a, CSR_PROOF_OID), &found, &err));
    assert_true(atls_bytes_equal_str(found, statement));
    assert_true(atls_bytes_equal(csr.spki, spki));
    bool ok = atls_enrol_csr_verify(&csr, &err);
    check_error(&err, ATLS_OK, "");
    assert_true(ok);
}

/* ---- OpenSSL reads what we write ---- */

static void check_theirs(X509_REQ *req, EVP_PKEY *key)
{
    static const char *const names[] = {"AT", "J\xc3\xbcrgen", nonce_text};
    static const int types[] = {V_ASN1_PRINTABLESTRING, V_ASN1_UTF8STRING, V_ASN1_PRINTABLESTRING};
    static const int nids[] = {NID_countryName, NID_commonName, NID_serialNumber};
    X509_NAME *subject = X509_REQ_get_subject_name(req);
    assert_int_equal(X509_NAME_entry_count(subject), COUNT(names));
    for (int i = 0; i < (int)COUNT(names); i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(subject, i);
        const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
        assert_int_equal(OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)), nids[i]);
        assert_int_equal(X509_NAME_ENTRY_set(entry), i); /* an RDN of its own */
        assert_int_equal(ASN1_STRING_type(value), types[i]);
        assert_true(atls_bytes_equal_str(atls_bytes_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)),
                                         names[i]));
    }
    assert_true(X509_REQ_get_version(req) == 0 && EVP_PKEY_eq(X509_REQ_get0_pubkey(req), key) == 1);
    assert_int_equal(X509_REQ_get_attr_count(req), 1);
    X509_ATTRIBUTE *attribute = X509_REQ_get_attr(req, 0);
    char oid[64];
    OBJ_obj2txt(oid, sizeof oid, X509_ATTRIBUTE_get0_object(attribute), 1);
    assert_string_equal(oid, "2.25.266612578647278744056060545794611611433");
    assert_int_equal(X509_ATTRIBUTE_count(attribute), 1);
    const ASN1_UTF8STRING *text = X509_ATTRIBUTE_get0_data(attribute, 0, V_ASN1_UTF8STRING, NULL);
    assert_non_null(text);
    assert_true(
        atls_bytes_equal_str(atls_bytes_of(ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text)), statement));
}

static void test_ours(void **state)
{
    const alg_row *row = *state;
    atls_arena *a = check_arena();
    const atls_bytes der = write_with(a, row);
    const uint8_t *p = der.ptr;
    check_ours(der, spki_of(row->key), a);
    X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)der.len);
    assert_non_null(req);
    assert_ptr_equal(p, der.ptr + der.len);
    check_theirs(req, keys->pkey[row->key]);
    assert_int_equal(X509_REQ_verify(req, keys->pkey[row->key]), 1);
    /* and writes the same bytes: it is DER to them as well */
    uint8_t *again = NULL;
    int len = i2d_X509_REQ(req, &again);
    assert_true(len > 0 && atls_bytes_equal(atls_bytes_of(again, (size_t)len), der));
    OPENSSL_free(again);
    X509_REQ_free(req);
}

/* ---- we read what OpenSSL writes ---- */

static void add_name(X509_REQ *req, const char *type, int string, const char *value)
{
    assert_int_equal(
        X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), type, string, (const uint8_t *)value, -1, -1, 0), 1);
}

/* With a requested extension, whose attribute is not ours to look at. */
static atls_bytes write_theirs(atls_arena *a, const alg_row *row)
{
    X509_REQ *req = X509_REQ_new();
    ASN1_OBJECT *oid = OBJ_txt2obj("2.25.266612578647278744056060545794611611433", 1);
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    assert_true(req != NULL && oid != NULL && extensions != NULL && value != NULL);
    assert_true(ASN1_OCTET_STRING_set(value, (const uint8_t *)"\x03\x02\x07\x80", 4) == 1);
    X509_EXTENSION *usage = X509_EXTENSION_create_by_NID(NULL, NID_key_usage, 1, value);
    assert_true(sk_X509_EXTENSION_push(extensions, usage) == 1);
    assert_true(X509_REQ_set_version(req, X509_REQ_VERSION_1) == 1);
    add_name(req, "CN", MBSTRING_UTF8, "phone");
    add_name(req, "serialNumber", V_ASN1_PRINTABLESTRING, nonce_text);
    assert_true(X509_REQ_set_pubkey(req, keys->pkey[row->key]) == 1);
    assert_true(X509_REQ_add_extensions(req, extensions) == 1);
    assert_true(
        X509_REQ_add1_attr_by_OBJ(req, oid, V_ASN1_UTF8STRING, (const uint8_t *)statement, (int)strlen(statement))
        == 1);
    assert_true(X509_REQ_sign(req, keys->pkey[row->key], row->md()) > 0);
    uint8_t *der = NULL;
    int len = i2d_X509_REQ(req, &der);
    assert_true(len > 0);
    const atls_bytes out = csr_join(a, 1, &(atls_bytes){der, (size_t)len});
    OPENSSL_free(der);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(oid);
    X509_REQ_free(req);
    return out;
}

static void test_theirs(void **state)
{
    const alg_row *row = *state;
    atls_arena *a = check_arena();
    check_ours(write_theirs(a, row), spki_of(row->key), a);
}

/* ---- damage ---- */

/* The request with one bit of `where`, which lies within it, the other way round. In a block that ends where it ends. */
static uint8_t *flipped(atls_bytes der, atls_bytes where, size_t bit)
{
    uint8_t *copy = malloc(der.len);
    assert_non_null(copy);
    memcpy(copy, der.ptr, der.len);
    copy[(size_t)(where.ptr - der.ptr) + bit / 8] ^= (uint8_t)(1u << bit % 8);
    return copy;
}

static bool is_accepted(const uint8_t *der, size_t len, atls_error *err)
{
    atls_enrol_csr csr;
    *err = (atls_error){0};
    return atls_enrol_csr_read(atls_bytes_of(der, len), &csr, err) && atls_enrol_csr_verify(&csr, err);
}

/* Every bit of the signature: the request is read as before, and dies of its signature. */
static void test_signature_bits(void **state)
{
    const alg_row *row = *state;
    atls_arena *a = check_arena();
    const atls_bytes der = write_with(a, row);
    atls_error err = {0};
    atls_enrol_csr csr;
    assert_true(atls_enrol_csr_read(der, &csr, &err));
    for (size_t bit = 0; bit < 8 * csr.signature.len; bit++) {
        uint8_t *copy = flipped(der, csr.signature, bit);
        assert_false(is_accepted(copy, der.len, &err));
        check_error(&err, ATLS_E_ENROL_CSR_SIGNATURE, "csr.signature");
        assert_int_equal(err.category, ATLS_CATEGORY_TRUST);
        free(copy);
    }
}

/* Every bit of what is signed, of the algorithm and of the frame: no request with such a bit is accepted. */
static void test_other_bits(void **state)
{
    const alg_row *row = *state;
    atls_arena *a = check_arena();
    const atls_bytes der = write_with(a, row);
    atls_error err = {0};
    atls_enrol_csr csr;
    size_t n_of_signature = 0;
    assert_true(atls_enrol_csr_read(der, &csr, &err));
    for (size_t bit = 0; bit < 8 * (der.len - csr.signature.len); bit++) {
        uint8_t *copy = flipped(der, der, bit);
        assert_false(is_accepted(copy, der.len, &err));
        assert_true(err.code == ATLS_E_ENROL_CSR || err.code == ATLS_E_ENROL_CSR_SIGNATURE
                    || err.code == ATLS_E_UNSUPPORTED);
        n_of_signature += err.code == ATLS_E_ENROL_CSR_SIGNATURE && strcmp(err.field, "csr.signature") == 0 ? 1 : 0;
        free(copy);
    }
    assert_true(n_of_signature > 8 * strlen(statement)); /* no bit of that makes a request that is not read */
}

/* A request whose signature is cut, or has another byte behind it. */
static void test_signature_length(void **state)
{
    const alg_row *row = *state;
    atls_arena *a = check_arena();
    const atls_bytes der = write_with(a, row);
    atls_error err = {0};
    atls_enrol_csr csr;
    assert_true(atls_enrol_csr_read(der, &csr, &err));
    const atls_bytes whole = csr.signature;
    const atls_bytes zero[] = {whole, csr_hex(a, "00")};
    csr.signature = csr_join(a, 2, zero);
    assert_false(atls_enrol_csr_verify(&csr, &err));
    check_error(&err, ATLS_E_ENROL_CSR_SIGNATURE, "csr.signature");
    for (size_t len = 0; len < whole.len; len++) {
        err = (atls_error){0};
        csr.signature = atls_bytes_of(whole.ptr, len);
        assert_false(atls_enrol_csr_verify(&csr, &err));
        check_error(&err, ATLS_E_ENROL_CSR_SIGNATURE, "csr.signature");
    }
}

/* ---- keys and algorithms ---- */

typedef struct odd_row {
    const char *name;
    make_key key; /* in the request */
    make_key signer;
    const char *spki;      /* hex, instead of the key's; NULL: the key's */
    const char *algorithm; /* hex */
    const EVP_MD *(*md)(void);
    atls_code code;
    const char *field;
} odd_row;

#define EC_P256        "3013 06072a8648ce3d0201 06082a8648ce3d030107"
#define BASE_X         "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
#define BASE_Y_NEGATED "b01cbd1c01e58065711814b583f061e9d431cca994cea1313449bf97c840ae0a"
#define BASE_Y         "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"

static const odd_row odd_rows[] = {
    {"key: as it should be", MAKE_LEAF, MAKE_LEAF, NULL, ECDSA_WITH("02"), EVP_sha256, ATLS_OK, ""},
    {"algorithm: parameters NULL, as phones write them", MAKE_LEAF, MAKE_LEAF, NULL, "300c 06082a8648ce3d040302 0500",
     EVP_sha256, ATLS_OK, ""},
    {"algorithm: RSA without parameters", MAKE_RSA, MAKE_RSA, NULL, "300b 06092a864886f70d01010b", EVP_sha256, ATLS_OK,
     ""},
    {"key: another one of the same curve", MAKE_LEAF, MAKE_OTHER, NULL, ECDSA_WITH("02"), EVP_sha256,
     ATLS_E_ENROL_CSR_SIGNATURE, "csr.signature"},
    {"key: of another curve", MAKE_LEAF, MAKE_P384, NULL, ECDSA_WITH("02"), EVP_sha256, ATLS_E_ENROL_CSR_SIGNATURE,
     "csr.signature"},
    {"algorithm: another hash than it says", MAKE_LEAF, MAKE_LEAF, NULL, ECDSA_WITH("03"), EVP_sha256,
     ATLS_E_ENROL_CSR_SIGNATURE, "csr.signature"},
    {"algorithm: another hash than it says, RSA", MAKE_RSA, MAKE_RSA, NULL, RSA_WITH("0d"), EVP_sha256,
     ATLS_E_ENROL_CSR_SIGNATURE, "csr.signature"},
    {"algorithm: RSA with a key that is EC", MAKE_LEAF, MAKE_LEAF, NULL, RSA_WITH("0b"), EVP_sha256,
     ATLS_E_ENROL_CSR_SIGNATURE, "csr.signatureAlgorithm"},
    {"algorithm: ECDSA with a key that is RSA", MAKE_RSA, MAKE_RSA, NULL, ECDSA_WITH("02"), EVP_sha256,
     ATLS_E_ENROL_CSR_SIGNATURE, "csr.signatureAlgorithm"},
    {"algorithm: parameters that it has not", MAKE_LEAF, MAKE_LEAF, NULL, "300d 06082a8648ce3d040302 020100",
     EVP_sha256, ATLS_E_ENROL_CSR_SIGNATURE, "csr.signatureAlgorithm"},
    {"algorithm: ECDSA and SHA-224", MAKE_LEAF, MAKE_LEAF, NULL, ECDSA_WITH("01"), EVP_sha224, ATLS_E_UNSUPPORTED,
     "csr.signatureAlgorithm"},
    {"algorithm: ECDSA and SHA-1", MAKE_LEAF, MAKE_LEAF, NULL, "3009 06072a8648ce3d0401", EVP_sha1, ATLS_E_UNSUPPORTED,
     "csr.signatureAlgorithm"},
    {"algorithm: RSA and SHA-1", MAKE_RSA, MAKE_RSA, NULL, RSA_WITH("05"), EVP_sha1, ATLS_E_UNSUPPORTED,
     "csr.signatureAlgorithm"},
    {"algorithm: RSASSA-PSS", MAKE_RSA, MAKE_RSA, NULL, "300d 06092a864886f70d01010a 3000", EVP_sha256,
     ATLS_E_UNSUPPORTED, "csr.signatureAlgorithm"},
    {"algorithm: Ed25519", MAKE_LEAF, MAKE_LEAF, NULL, "3005 06032b6570", EVP_sha256, ATLS_E_UNSUPPORTED,
     "csr.signatureAlgorithm"},
    {"key: P-521", MAKE_P521, MAKE_P521, NULL, ECDSA_WITH("02"), EVP_sha256, ATLS_E_UNSUPPORTED, "csr.subjectPKInfo"},
    {"key: Ed25519", MAKE_LEAF, MAKE_LEAF, "302a 3005 06032b6570 0321 00" BASE_X, ECDSA_WITH("02"), EVP_sha256,
     ATLS_E_UNSUPPORTED, "csr.subjectPKInfo"},
    {"key: a point that is another one's", MAKE_LEAF, MAKE_LEAF, "3059" EC_P256 "0342 0004" BASE_X BASE_Y,
     ECDSA_WITH("02"), EVP_sha256, ATLS_E_ENROL_CSR_SIGNATURE, "csr.signature"},
    {"key: a point beside the curve", MAKE_LEAF, MAKE_LEAF, "3059" EC_P256 "0342 0004" BASE_X BASE_X, ECDSA_WITH("02"),
     EVP_sha256, ATLS_E_ENROL_CSR_SIGNATURE, "csr.subjectPKInfo"},
    {"key: a compressed point", MAKE_LEAF, MAKE_LEAF, "3039" EC_P256 "0322 0003" BASE_X, ECDSA_WITH("02"), EVP_sha256,
     ATLS_E_ENROL_CSR_SIGNATURE, "csr.subjectPKInfo"},
    {"key: infinity", MAKE_LEAF, MAKE_LEAF, "3019" EC_P256 "0302 0000", ECDSA_WITH("02"), EVP_sha256,
     ATLS_E_ENROL_CSR_SIGNATURE, "csr.subjectPKInfo"},
    {"key: nothing", MAKE_LEAF, MAKE_LEAF, "3018" EC_P256 "0301 00", ECDSA_WITH("02"), EVP_sha256,
     ATLS_E_ENROL_CSR_SIGNATURE, "csr.subjectPKInfo"},
    {"key: RSA that is no RSA", MAKE_RSA, MAKE_RSA, "3013 300d 06092a864886f70d010101 0500 0302 0030", RSA_WITH("0b"),
     EVP_sha256, ATLS_E_ENROL_CSR_SIGNATURE, "csr.subjectPKInfo"},
};

/* A request by hand, since we would not write some of these. */
static void test_odd(void **state)
{
    const odd_row *row = *state;
    atls_arena *a = check_arena();
    csr_parts p = csr_parts_default(a);
    atls_error err = {0};
    p.part[CSR_KEY] = row->spki == NULL ? spki_of(row->key) : csr_hex(a, row->spki);
    p.part[CSR_ALGORITHM] = csr_hex(a, row->algorithm);
    const atls_bytes bits[] = {csr_hex(a, "00"), csr_sign(a, keys->pkey[row->signer], row->md(), csr_info(a, &p))};
    p.part[CSR_SIGNATURE] = csr_der_of(a, 0x03, 2, bits);
    const atls_bytes der = csr_whole(a, &p);
    bool ok = is_accepted(der.ptr, der.len, &err);
    check_error(&err, row->code, row->field);
    assert_int_equal(ok, row->code == ATLS_OK);
}

static void test_short_rsa(void **state)
{
    (void)state;
    atls_arena *a = check_arena();
    csr_parts p = csr_parts_default(a);
    atls_error err = {0};
    EVP_PKEY *key = EVP_RSA_gen(1024);
    uint8_t *spki = NULL;
    assert_non_null(key);
    int len = i2d_PUBKEY(key, &spki);
    p.part[CSR_KEY] = csr_join(a, 1, &(atls_bytes){spki, (size_t)len});
    OPENSSL_free(spki);
    p.part[CSR_ALGORITHM] = csr_hex(a, RSA_WITH("0b"));
    const atls_bytes bits[] = {csr_hex(a, "00"), csr_sign(a, key, EVP_sha256(), csr_info(a, &p))};
    p.part[CSR_SIGNATURE] = csr_der_of(a, 0x03, 2, bits);
    EVP_PKEY_free(key);
    const atls_bytes der = csr_whole(a, &p);
    assert_false(is_accepted(der.ptr, der.len, &err));
    check_error(&err, ATLS_E_ENROL_CSR_SIGNATURE, "csr.subjectPKInfo");
}

/* ECDSA-Sig-Value in other clothes: longer integers, something behind. The numbers are good, the encoding is not. */
static void test_strict_ecdsa(void **state)
{
    (void)state;
    atls_arena *a = check_arena();
    atls_error err = {0};
    atls_enrol_csr csr;
    assert_true(atls_enrol_csr_read(write_with(a, &alg_rows[0]), &csr, &err));
    const atls_bytes content = atls_bytes_of(csr.signature.ptr + 2, csr.signature.len - 2);
    const uint8_t long_head[] = {0x30, 0x81, (uint8_t)content.len};
    const atls_bytes with_null[] = {content, csr_hex(a, "0500")};
    const atls_bytes long_form[] = {atls_bytes_of(long_head, sizeof long_head), content};
    const atls_bytes bad[] = {csr_der_of(a, 0x30, 2, with_null), csr_join(a, 2, long_form), csr_der(a, 0x31, content)};
    assert_true(atls_enrol_csr_verify(&csr, &err));
    for (size_t i = 0; i < COUNT(bad); i++) {
        err = (atls_error){0};
        csr.signature = bad[i];
        assert_false(atls_enrol_csr_verify(&csr, &err));
        check_error(&err, ATLS_E_ENROL_CSR_SIGNATURE, "csr.signature");
    }
}

/* Keys and algorithms that the reader of requests lets nobody see: whoever fills the struct by hand meets the same strictness. */
static void test_by_hand(void **state)
{
    (void)state;
    static const char *const keys_of[] = {
        "3059" EC_P256 "0342 0104" BASE_X BASE_Y_NEGATED, /* a bit too few */
        "305b" EC_P256 "0342 0004" BASE_X BASE_Y "0500",  /* something inside */
        "3059" EC_P256 "0342 0004" BASE_X BASE_Y "0500",  /* something behind */
    };
    atls_arena *a = check_arena();
    atls_error err = {0};
    atls_enrol_csr csr;
    assert_true(atls_enrol_csr_read(write_with(a, &alg_rows[0]), &csr, &err));
    for (size_t i = 0; i < COUNT(keys_of); i++) {
        atls_enrol_csr odd = csr;
        err = (atls_error){0};
        odd.spki = csr_hex(a, keys_of[i]);
        assert_false(atls_enrol_csr_verify(&odd, &err));
        check_error(&err, ATLS_E_ENROL_CSR_SIGNATURE, "csr.subjectPKInfo");
    }
    err = (atls_error){0};
    csr.signature_algorithm = csr_hex(a, ECDSA_WITH("02") "0500");
    assert_false(atls_enrol_csr_verify(&csr, &err));
    check_error(&err, ATLS_E_ENROL_CSR_SIGNATURE, "csr.signatureAlgorithm");
}

/* The statement of one request and the signature of another: what is signed is this very request. */
static void test_signature_of_another(void **state)
{
    (void)state;
    atls_arena *a = check_arena();
    atls_error err = {0};
    atls_enrol_csr one;
    atls_enrol_csr other;
    assert_true(atls_enrol_csr_read(write_with(a, &alg_rows[0]), &one, &err));
    assert_true(atls_enrol_csr_read(write_theirs(a, &alg_rows[0]), &other, &err));
    assert_true(atls_bytes_equal(one.spki, other.spki));
    one.signature = other.signature;
    assert_false(atls_enrol_csr_verify(&one, &err));
    check_error(&err, ATLS_E_ENROL_CSR_SIGNATURE, "csr.signature");
}

int main(void)
{
    tap_list tests = {0};
    keys = make_keys_new();
    for (size_t i = 0; i < COUNT(alg_rows); i++) {
        tap_add(&tests, alg_rows[i].name, test_ours, &alg_rows[i]);
        tap_add(&tests, alg_rows[i].name, test_theirs, &alg_rows[i]);
    }
    static const size_t damaged[] = {0, 4, 6};
    for (size_t i = 0; i < COUNT(damaged); i++) {
        tap_add(&tests, "each bit of the signature", test_signature_bits, &alg_rows[damaged[i]]);
        tap_add(&tests, "each bit of the rest", test_other_bits, &alg_rows[damaged[i]]);
        tap_add(&tests, "each length of the signature", test_signature_length, &alg_rows[damaged[i]]);
    }
    for (size_t i = 0; i < COUNT(odd_rows); i++) {
        tap_add(&tests, odd_rows[i].name, test_odd, &odd_rows[i]);
    }
    tap_add(&tests, "key: RSA of 1024 bits", test_short_rsa, NULL);
    tap_add(&tests, "signature: strict DER", test_strict_ecdsa, NULL);
    tap_add(&tests, "key: by hand", test_by_hand, NULL);
    tap_add(&tests, "signature: of another request", test_signature_of_another, NULL);
    int failed = tap_run("enrol_proof", &tests);
    make_keys_free(keys);
    return failed;
}

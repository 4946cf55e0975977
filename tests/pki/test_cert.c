/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of certificates: one change of a good certificate per row, with the code and the field it must die with.
 */
#include "pki/cert.h"

#include "make.h"
#include "tap.h"

static make_keys *keys;

/* ---- refused ---- */

typedef struct bad_row {
    const char *name;
    void (*change)(make_cert *c); /* before signing */
    void (*bend)(made *m);        /* after it */
    atls_code code;
    const char *field; /* after "certificate" */
} bad_row;

#define CHANGE(fn, statement)                                                                                          \
    static void fn(make_cert *c)                                                                                       \
    {                                                                                                                  \
        statement;                                                                                                     \
    }

/* an Extension of 2.5.29.arc with this value; lengths below 128 are the caller's business */
#define BC_OID   "0603551d13"
#define KU_OID   "0603551d0f"
#define SKI_OID  "0603551d0e"
#define AKI_OID  "0603551d23"
#define EKU_OID  "0603551d25"
#define ZEROS_16 "00000000000000000000000000000000"

CHANGE(v1, c->version = 1)
CHANGE(v1_spelt, c->version = 256 + 1)
CHANGE(v2, c->version = 2)
CHANGE(v4, c->version = 4)
CHANGE(serial_negative, c->serial = "80")
CHANGE(serial_padded, c->serial = "0001")
CHANGE(serial_empty, c->serial = "")
CHANGE(serial_21, c->serial = "01" ZEROS_16 "00000000")
CHANGE(algorithms_differ, c->outer_alg = MAKE_ECDSA_SHA384)
CHANGE(algorithm_null_outside, c->outer_alg = MAKE_ECDSA_SHA256_NULL)
CHANGE(algorithm_parameters, c->alg = MAKE_ECDSA_SHA256_INT)
CHANGE(issuer_integer, c->issuer = "#020101")
CHANGE(issuer_no_sets, c->issuer = "#3003020101")
CHANGE(issuer_empty_set, c->issuer = "#30023100")
CHANGE(subject_no_oid, c->subject = "#3007310530030c0141")
CHANGE(subject_third, c->subject = "#301031"
                                   "0e300c"
                                   "0603550403"
                                   "0c0141"
                                   "0500")
CHANGE(subject_second, c->subject = "#3011310f"
                                    "300a"
                                    "0603550403"
                                    "0c03616263"
                                    "020101")
CHANGE(date_feb_30, c->not_before = "20240230000000Z")
CHANGE(date_no_z, c->not_before = "202401010000000")
CHANGE(date_hour_24, c->not_after = "20240101240000Z")
CHANGE(date_second_60, c->not_after = "20240101235960Z")
CHANGE(date_short, c->not_after = "202401010000Z")
CHANGE(date_type, c->time_tag = 0x0c)
CHANGE(generalized_early, c->time_tag = 0x18)
CHANGE(issuer_id, c->unique_id = "81020001")
CHANGE(subject_id, c->unique_id = "82020001")
CHANGE(after_extensions, c->tail = "0500")
CHANGE(in_extensions, (c->no_extensions = true, c->tail = "a30f300b30090603551d25040230000500"))
CHANGE(key_not_sequence, c->spki = "0500")
CHANGE(key_no_bits, c->spki = "300d300b06072a8648ce3d02010500")
CHANGE(key_third, c->spki = "3011300906072a8648ce3d020103020004"
                            "0500")
CHANGE(key_half_byte, c->spki = "300f300906072a8648ce3d020103020410")
CHANGE(key_two_parameters, c->spki = "3013300d06072a8648ce3d020105000500"
                                     "03020004")
CHANGE(key_no_algorithm, c->spki = "30083002"
                                   "0500"
                                   "03020004")
CHANGE(no_extension_in_list, (c->ski = c->aki = MAKE_NO_KEY, c->bc = MAKE_BC_ABSENT, c->key_usage = 0))
CHANGE(extension_twice, c->extra = "300c" BC_OID "0101ff"
                                   "0402"
                                   "3000")
CHANGE(unknown_twice, c->extra = "3009" EKU_OID "0402"
                                 "3000"
                                 "300b" EKU_OID "0404"
                                 "30020500")
CHANGE(critical_false, c->extra = "300c" EKU_OID "010100"
                                  "0402"
                                  "3000")
CHANGE(critical_one, c->extra = "300c" EKU_OID "010101"
                                "0402"
                                "3000")
CHANGE(extension_third, c->extra = "300b" EKU_OID "0402"
                                   "3000"
                                   "0500")
CHANGE(extension_no_value, c->extra = "3005" EKU_OID)
CHANGE(extension_not_octets, c->extra = "3009" EKU_OID "0302"
                                        "0000")
CHANGE(ca_false_spelt, c->bc = MAKE_BC_EXPLICIT_FALSE)
CHANGE(path_without_ca, c->path_len = 0)
CHANGE(ca_garbage, (c->bc = MAKE_BC_ABSENT, c->extra = "3009" BC_OID "0402"
                                                       "0500"))
CHANGE(ca_tail, (c->bc = MAKE_BC_ABSENT, c->extra = "300b" BC_OID "0404"
                                                    "30000500"))
CHANGE(ca_third, (c->bc = MAKE_BC_ABSENT, c->extra = "3011" BC_OID "040a"
                                                     "30080101ff0201000500"))
CHANGE(path_negative, (c->bc = MAKE_BC_ABSENT, c->extra = "300f" BC_OID "0408"
                                                          "30060101ff0201ff"))
CHANGE(path_huge, (c->bc = MAKE_BC_ABSENT, c->extra = "3013" BC_OID "040c"
                                                      "300a0101ff02050100000000"))
CHANGE(usage_empty, (c->key_usage = 0, c->extra = "300a" KU_OID "0403"
                                                  "030100"))
CHANGE(usage_zero, (c->key_usage = 0, c->extra = "300b" KU_OID "0404"
                                                 "03020000"))
CHANGE(usage_long, (c->key_usage = 0, c->extra = "300d" KU_OID "0406"
                                                 "030400800001"))
CHANGE(usage_dirty, (c->key_usage = 0, c->extra = "300b" KU_OID "0404"
                                                  "03020781"))
CHANGE(usage_tail, (c->key_usage = 0, c->extra = "300d" KU_OID "0406"
                                                 "030207800500"))
CHANGE(ski_sequence, (c->ski = MAKE_NO_KEY, c->extra = "300a" SKI_OID "0403"
                                                       "300100"))
CHANGE(ski_tail, (c->ski = MAKE_NO_KEY, c->extra = "300c" SKI_OID "0405"
                                                   "0401aa0500"))
CHANGE(aki_octets, (c->aki = MAKE_NO_KEY, c->extra = "300a" AKI_OID "0403"
                                                     "0401aa"))
CHANGE(aki_unknown, (c->aki = MAKE_NO_KEY, c->extra = "300c" AKI_OID "0405"
                                                      "3003830100"))
CHANGE(aki_issuer_alone, (c->aki = MAKE_NO_KEY, c->extra = "300b" AKI_OID "0404"
                                                           "3002a100"))
CHANGE(aki_serial_alone, (c->aki = MAKE_NO_KEY, c->extra = "300c" AKI_OID "0405"
                                                           "3003820101"))
CHANGE(aki_serial_padded, (c->aki_issuer = "Test Root", c->aki_serial = "0001"))
CHANGE(aki_serial_negative, (c->aki_issuer = "Test Root", c->aki_serial = "ff"))
CHANGE(aki_serial_empty, (c->aki_issuer = "Test Root", c->aki_serial = ""))

static void many_extensions(make_cert *c)
{
    static char extra[33 * 22 + 1]; /* 33 of them: 2.5.29.64 and on, with an empty value */
    for (size_t i = 0; i < 33; i++) {
        snprintf(extra + 18 * i, 19, "30070603551d%02x0400", (unsigned)(0x40 + i));
    }
    c->extra = extra;
}

static void one_more_byte(made *m)
{
    m->der[m->len++] = 0;
}
static void one_byte_less(made *m)
{
    m->len--;
}
static void other_tag(made *m)
{
    m->der[0] = 0x31;
}
static void nothing_left(made *m)
{
    m->len = 0;
}
/* the last BIT STRING says that one bit of its last byte is unused */
static void half_a_signature(made *m)
{
    for (size_t i = m->len - 3; i > 0; i--) {
        if (m->der[i] == 0x03 && m->der[i + 1] == m->len - i - 2 && m->der[i + 2] == 0) {
            m->der[i + 2] = 1;
            m->der[m->len - 1] &= 0xfe;
            return;
        }
    }
}

static const bad_row bad_rows[] = {
    {"version 1", v1, NULL, ATLS_E_ENCODING, ".tbs.version"},
    {"version 1, spelt out", v1_spelt, NULL, ATLS_E_ENCODING, ".tbs.version"},
    {"version 2", v2, NULL, ATLS_E_ENCODING, ".tbs.version"},
    {"version 4", v4, NULL, ATLS_E_ENCODING, ".tbs.version"},
    {"negative serial", serial_negative, NULL, ATLS_E_ENCODING, ".tbs.serial"},
    {"serial with a zero too many", serial_padded, NULL, ATLS_E_ENCODING, ".tbs.serial"},
    {"serial without content", serial_empty, NULL, ATLS_E_ENCODING, ".tbs.serial"},
    {"serial of 21 bytes", serial_21, NULL, ATLS_E_LIMIT, ".tbs.serial"},
    {"algorithm outside differs", algorithms_differ, NULL, ATLS_E_ENCODING, ".signature_algorithm"},
    {"algorithm outside differs by its NULL", algorithm_null_outside, NULL, ATLS_E_ENCODING, ".signature_algorithm"},
    {"parameters that ECDSA does not have", algorithm_parameters, NULL, ATLS_E_ENCODING, ".signature_algorithm"},
    {"issuer is an INTEGER", issuer_integer, NULL, ATLS_E_ENCODING, ".tbs.issuer"},
    {"issuer holds no sets", issuer_no_sets, NULL, ATLS_E_ENCODING, ".tbs.issuer"},
    {"issuer holds an empty set", issuer_empty_set, NULL, ATLS_E_ENCODING, ".tbs.issuer"},
    {"attribute of the subject has no type", subject_no_oid, NULL, ATLS_E_ENCODING, ".tbs.subject"},
    {"attribute of the subject has three parts", subject_third, NULL, ATLS_E_ENCODING, ".tbs.subject"},
    {"second attribute of a set is an INTEGER", subject_second, NULL, ATLS_E_ENCODING, ".tbs.subject"},
    {"30 February", date_feb_30, NULL, ATLS_E_ENCODING, ".tbs.validity.not_before"},
    {"date without Z", date_no_z, NULL, ATLS_E_ENCODING, ".tbs.validity.not_before"},
    {"hour 24", date_hour_24, NULL, ATLS_E_ENCODING, ".tbs.validity.not_after"},
    {"second 60", date_second_60, NULL, ATLS_E_ENCODING, ".tbs.validity.not_after"},
    {"date without seconds", date_short, NULL, ATLS_E_ENCODING, ".tbs.validity.not_after"},
    {"date as UTF8String", date_type, NULL, ATLS_E_ENCODING, ".tbs.validity.not_before"},
    {"GeneralizedTime before 2050", generalized_early, NULL, ATLS_E_ENCODING, ".tbs.validity.not_before"},
    {"issuerUniqueID", issuer_id, NULL, ATLS_E_ENCODING, ".tbs.unique_id"},
    {"subjectUniqueID", subject_id, NULL, ATLS_E_ENCODING, ".tbs.unique_id"},
    {"something after the extensions", after_extensions, NULL, ATLS_E_TRAILING, ".tbs"},
    {"something beside the list of extensions", in_extensions, NULL, ATLS_E_TRAILING, ".tbs"},
    {"public key is no SEQUENCE", key_not_sequence, NULL, ATLS_E_ENCODING, ".tbs.public_key"},
    {"public key without bits", key_no_bits, NULL, ATLS_E_TRUNCATED, ".tbs.public_key.key"},
    {"public key of three parts", key_third, NULL, ATLS_E_TRAILING, ".tbs.public_key"},
    {"public key ends inside a byte", key_half_byte, NULL, ATLS_E_ENCODING, ".tbs.public_key.key"},
    {"public key with two parameters", key_two_parameters, NULL, ATLS_E_ENCODING, ".tbs.public_key.algorithm"},
    {"public key without algorithm", key_no_algorithm, NULL, ATLS_E_ENCODING, ".tbs.public_key.algorithm"},
    {"empty list of extensions", no_extension_in_list, NULL, ATLS_E_TRUNCATED, ".tbs.extensions"},
    {"basicConstraints twice", extension_twice, NULL, ATLS_E_ENCODING, ".tbs.extensions"},
    {"an unknown extension twice", unknown_twice, NULL, ATLS_E_ENCODING, ".tbs.extensions"},
    {"33 extensions and more", many_extensions, NULL, ATLS_E_LIMIT, ".tbs.extensions"},
    {"critical FALSE spelt out", critical_false, NULL, ATLS_E_ENCODING, ".tbs.extensions"},
    {"critical 01", critical_one, NULL, ATLS_E_ENCODING, ".tbs.extensions"},
    {"extension of four parts", extension_third, NULL, ATLS_E_TRAILING, ".tbs"},
    {"extension without value", extension_no_value, NULL, ATLS_E_TRUNCATED, ".tbs.extensions"},
    {"value is no OCTET STRING", extension_not_octets, NULL, ATLS_E_ENCODING, ".tbs.extensions"},
    {"CA FALSE spelt out", ca_false_spelt, NULL, ATLS_E_ENCODING, ".tbs.extensions.basic_constraints"},
    {"path length without CA", path_without_ca, NULL, ATLS_E_ENCODING, ".tbs.extensions.basic_constraints"},
    {"basicConstraints is NULL", ca_garbage, NULL, ATLS_E_ENCODING, ".tbs.extensions.basic_constraints"},
    {"basicConstraints with a tail", ca_tail, NULL, ATLS_E_TRAILING, ".tbs.extensions.basic_constraints"},
    {"basicConstraints of three parts", ca_third, NULL, ATLS_E_TRAILING, ".tbs.extensions.basic_constraints"},
    {"negative path length", path_negative, NULL, ATLS_E_ENCODING, ".tbs.extensions.basic_constraints.path_len"},
    {"path length beyond 32 bits", path_huge, NULL, ATLS_E_ENCODING, ".tbs.extensions.basic_constraints.path_len"},
    {"keyUsage without bits", usage_empty, NULL, ATLS_E_ENCODING, ".tbs.extensions.key_usage"},
    {"keyUsage all zero", usage_zero, NULL, ATLS_E_ENCODING, ".tbs.extensions.key_usage"},
    {"keyUsage of three bytes", usage_long, NULL, ATLS_E_ENCODING, ".tbs.extensions.key_usage"},
    {"keyUsage with dirty unused bits", usage_dirty, NULL, ATLS_E_ENCODING, ".tbs.extensions.key_usage"},
    {"keyUsage with a tail", usage_tail, NULL, ATLS_E_TRAILING, ".tbs.extensions.key_usage"},
    {"subject key id is no OCTET STRING", ski_sequence, NULL, ATLS_E_ENCODING, ".tbs.extensions.subject_key_id"},
    {"subject key id with a tail", ski_tail, NULL, ATLS_E_TRAILING, ".tbs.extensions.subject_key_id"},
    {"authority key id is an OCTET STRING", aki_octets, NULL, ATLS_E_ENCODING, ".tbs.extensions.authority_key_id"},
    {"authority key id with an unknown member", aki_unknown, NULL, ATLS_E_TRAILING, ".tbs.extensions.authority_key_id"},
    {"authority issuer without serial", aki_issuer_alone, NULL, ATLS_E_TRUNCATED, ".tbs.extensions.authority_key_id"},
    {"authority serial without issuer", aki_serial_alone, NULL, ATLS_E_TRAILING, ".tbs.extensions.authority_key_id"},
    {"authority serial with a zero too many", aki_serial_padded, NULL, ATLS_E_ENCODING,
     ".tbs.extensions.authority_key_id.serial"},
    {"authority serial negative", aki_serial_negative, NULL, ATLS_E_ENCODING,
     ".tbs.extensions.authority_key_id.serial"},
    {"authority serial empty", aki_serial_empty, NULL, ATLS_E_ENCODING, ".tbs.extensions.authority_key_id.serial"},
    {"one byte after the end", NULL, one_more_byte, ATLS_E_TRAILING, ""},
    {"one byte less", NULL, one_byte_less, ATLS_E_TRUNCATED, ""},
    {"a SET", NULL, other_tag, ATLS_E_ENCODING, ""},
    {"no bytes", NULL, nothing_left, ATLS_E_TRUNCATED, ""},
    {"signature ends inside a byte", NULL, half_a_signature, ATLS_E_ENCODING, ".signature"},
};

static void run_bad(void **state)
{
    const bad_row *row = *state;
    made m;
    atls_cert out;
    atls_error err = {0};
    char field[64];
    make_cert c = make_cert_default(MAKE_LEAF);
    if (row->change != NULL) {
        row->change(&c);
    }
    make_cert_write(keys, &c, &m);
    if (row->bend != NULL) {
        row->bend(&m);
    }
    snprintf(field, sizeof field, "certificate%s", row->field);
    assert_false(atls_cert_decode(made_bytes(&m), "certificate", &out, &err));
    assert_int_equal(err.code, row->code);
    assert_string_equal(err.field, field);
    assert_int_equal(out.der.len, 0); /* nothing half read is handed out */
    assert_int_equal(out.n_extensions, 0);
}

/* ---- accepted, with what is read ---- */

typedef struct good_row {
    const char *name;
    void (*change)(make_cert *c);
    bool (*holds)(const atls_cert *c);
} good_row;

static bool is_hex(atls_bytes b, const char *hex)
{
    char text[128] = "";
    for (size_t i = 0; i < b.len && 2 * i + 2 < sizeof text; i++) {
        snprintf(text + 2 * i, 3, "%02x", b.ptr[i]);
    }
    return strcmp(text, hex) == 0;
}

#define HOLDS(fn, condition)                                                                                           \
    static bool fn(const atls_cert *c)                                                                                 \
    {                                                                                                                  \
        return condition;                                                                                              \
    }

CHANGE(same, (void)c)
HOLDS(default_values, is_hex(c->serial, "f00ba4") && c->not_before == 1577836800 && c->not_after == 2208988799
                          && c->key.kind == ATLS_KEY_P256 && c->key.point.len == 65
                          && c->sig_alg == ATLS_SIG_ECDSA_SHA256 && c->has_basic_constraints && !c->is_ca
                          && !c->has_path_len && c->key_usage == ATLS_KU_DIGITAL_SIGNATURE && c->n_extensions == 4
                          && c->authority_key_id.len == 20 && c->subject_key_id.len == 20 && !c->has_unknown_critical
                          && c->authority_serial.len == 0 && c->verified_by == NULL)
CHANGE(serial_zero, c->serial = "00")
HOLDS(holds_serial_zero, is_hex(c->serial, "00"))
CHANGE(serial_20_and_sign, c->serial = "00ff" ZEROS_16 "000001")
HOLDS(holds_serial_20, is_hex(c->serial, "ff" ZEROS_16 "000001") && c->serial.len == 20)
CHANGE(no_extensions, c->no_extensions = true)
HOLDS(holds_no_extensions, c->n_extensions == 0 && !c->has_basic_constraints && !c->has_key_usage
                               && c->subject_key_id.len == 0 && c->authority_key_id.len == 0)
CHANGE(ca_2, (c->bc = MAKE_BC_CA, c->path_len = 2))
HOLDS(holds_ca_2, c->is_ca && c->has_path_len && c->path_len == 2)
CHANGE(usage_both_bytes, c->key_usage = ATLS_KU_KEY_CERT_SIGN | 1u << 8)
HOLDS(holds_both_bytes, c->key_usage == (ATLS_KU_KEY_CERT_SIGN | 1u << 8))
CHANGE(usage_untrimmed, (c->key_usage = 0, c->extra = "300b" KU_OID "0404"
                                                      "03020104"))
HOLDS(holds_untrimmed, c->has_key_usage && c->key_usage == ATLS_KU_KEY_CERT_SIGN)
CHANGE(critical_unknown, c->extra = "300c" EKU_OID "0101ff"
                                    "0402"
                                    "3000")
HOLDS(holds_unknown, c->has_unknown_critical && c->n_extensions == 5)
CHANGE(critical_and_plain, c->extra = "300c" EKU_OID "0101ff"
                                      "0402"
                                      "3000"
                                      "30070603551d630400")
HOLDS(holds_unknown_of_two, c->has_unknown_critical && c->n_extensions == 6)
CHANGE(unknown, c->extra = "3009" EKU_OID "0402"
                           "3000")
HOLDS(holds_no_unknown, !c->has_unknown_critical && c->n_extensions == 5)
CHANGE(null_parameters, c->alg = MAKE_ECDSA_SHA256_NULL)
HOLDS(holds_ecdsa_256, c->sig_alg == ATLS_SIG_ECDSA_SHA256)
CHANGE(ecdsa_512, c->alg = MAKE_ECDSA_SHA512)
HOLDS(holds_no_alg, c->sig_alg == ATLS_SIG_UNKNOWN && c->key.kind == ATLS_KEY_P256)
CHANGE(p384, (c->key = c->signer = MAKE_P384, c->alg = MAKE_ECDSA_SHA384))
HOLDS(holds_p384, c->sig_alg == ATLS_SIG_ECDSA_SHA384 && c->key.kind == ATLS_KEY_P384 && c->key.point.len == 97)
CHANGE(p521, c->key = MAKE_P521)
HOLDS(holds_no_kind, c->key.kind == ATLS_KEY_UNKNOWN && c->spki.len > 0)
CHANGE(rsa, (c->key = c->signer = MAKE_RSA, c->alg = MAKE_RSA_SHA512))
HOLDS(holds_rsa, c->key.kind == ATLS_KEY_RSA && c->sig_alg == ATLS_SIG_RSA_SHA512 && c->signature.len == 256)
CHANGE(epoch, c->not_before = "19700101000000Z")
HOLDS(holds_epoch, c->not_before == 0)
CHANGE(year_1969, c->not_after = "19691231235959Z")
HOLDS(holds_1969, c->not_after == -1)
CHANGE(year_9999, c->not_after = "99991231235959Z")
HOLDS(holds_9999, c->not_after == 253402300799)
CHANGE(empty_subject, c->subject = NULL)
HOLDS(holds_empty_subject, is_hex(c->subject, "3000"))
CHANGE(authority_by_serial, (c->aki = MAKE_NO_KEY, c->aki_issuer = "Test Root", c->aki_serial = "0080"))
HOLDS(holds_authority, c->authority_key_id.len == 0 && is_hex(c->authority_serial, "80") && c->authority_issuer.len > 0)
CHANGE(compressed_key, c->spki = "3039301306072a8648ce3d020106082a8648ce3d030107032200020102030405060708090a0b0c0d0e0f"
                                 "101112131415161718191a1b1c1d1e1f20")
HOLDS(holds_compressed, c->key.kind == ATLS_KEY_P256 && c->key.point.len == 33) /* opening the key refuses it */

static const good_row good_rows[] = {
    {"a leaf, all its members", same, default_values},
    {"serial 0 is one byte", serial_zero, holds_serial_zero},
    {"serial of 20 bytes and a sign byte", serial_20_and_sign, holds_serial_20},
    {"no extensions at all", no_extensions, holds_no_extensions},
    {"CA with path length", ca_2, holds_ca_2},
    {"keyUsage in two bytes", usage_both_bytes, holds_both_bytes},
    {"keyUsage with zeros at its end, as AMD writes it", usage_untrimmed, holds_untrimmed},
    {"an unknown critical extension is noted", critical_unknown, holds_unknown},
    {"an unknown critical extension before another", critical_and_plain, holds_unknown_of_two},
    {"an unknown extension is kept", unknown, holds_no_unknown},
    {"ECDSA with NULL parameters, as one phone writes it", null_parameters, holds_ecdsa_256},
    {"ECDSA with SHA-512 decodes as unknown", ecdsa_512, holds_no_alg},
    {"P-384", p384, holds_p384},
    {"P-521 decodes as unknown", p521, holds_no_kind},
    {"RSA", rsa, holds_rsa},
    {"notBefore at the epoch", epoch, holds_epoch},
    {"notAfter in 1969", year_1969, holds_1969},
    {"notAfter in 9999", year_9999, holds_9999},
    {"empty subject", empty_subject, holds_empty_subject},
    {"authority by issuer and serial", authority_by_serial, holds_authority},
    {"compressed point decodes", compressed_key, holds_compressed},
};

static void run_good(void **state)
{
    const good_row *row = *state;
    made m;
    atls_cert out;
    atls_error err = {0};
    make_cert c = make_cert_default(MAKE_LEAF);
    row->change(&c);
    make_cert_write(keys, &c, &m);
    assert_true(atls_cert_decode(made_bytes(&m), "certificate", &out, &err));
    assert_int_equal(err.code, ATLS_OK);
    assert_true(row->holds(&out));
    assert_true(out.der.ptr == m.der && out.der.len == m.len);
}

static void too_long(void **state)
{
    (void)state;
    static uint8_t big[ATLS_MAX_CERT_LEN + 1];
    atls_cert out;
    atls_error err = {0};
    assert_false(atls_cert_decode(atls_bytes_of(big, sizeof big), "pck_chain.leaf", &out, &err));
    assert_int_equal(err.code, ATLS_E_LIMIT);
    assert_string_equal(err.field, "pck_chain.leaf");
}

static void find_extension(void **state)
{
    (void)state;
    static const uint8_t eku[] = {0x55, 0x1d, 0x25};
    made m;
    atls_cert out;
    atls_error err = {0};
    make_cert c = make_cert_default(MAKE_LEAF);
    unknown(&c);
    make_cert_write(keys, &c, &m);
    assert_true(atls_cert_decode(made_bytes(&m), "certificate", &out, &err));
    const atls_extension *e = atls_cert_extension(&out, atls_bytes_of(eku, sizeof eku));
    assert_non_null(e);
    assert_true(is_hex(e->value, "3000"));
    assert_null(atls_cert_extension(&out, atls_bytes_of(eku, sizeof eku - 1)));
}

int main(void)
{
    tap_list l = {0};
    keys = make_keys_new();
    for (size_t i = 0; i < sizeof good_rows / sizeof good_rows[0]; i++) {
        tap_add(&l, good_rows[i].name, run_good, &good_rows[i]);
    }
    for (size_t i = 0; i < sizeof bad_rows / sizeof bad_rows[0]; i++) {
        tap_add(&l, bad_rows[i].name, run_bad, &bad_rows[i]);
    }
    tap_add(&l, "more than 16 KiB", too_long, NULL);
    tap_add(&l, "an extension is found by its OID", find_extension, NULL);
    int failed = tap_run("cert", &l);
    make_keys_free(keys);
    return failed;
}

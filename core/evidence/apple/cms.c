/* SPDX-License-Identifier: Apache-2.0 */
/* cms.c: SignedData (RFC 5652 section 5), as far as receipts have it: section 5. BER, because Apple leaves lengths open and
 * sends the content in pieces. Without signed attributes the signature covers the content alone: nothing else here is signed. */
#include "apple.h"
#include "base/ber.h"

static const uint8_t oid_signed_data[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02};
static const uint8_t oid_data[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
static const uint8_t oid_sha256[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
static const uint8_t oid_ecdsa_sha256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};

#define OID(name) atls_bytes_of(name, sizeof(name))

static bool wrong(const atls_cur *c, atls_code code, const char *field, const char *expected, const char *message)
{
    (void)atls_cur_fail(c, code, field, expected, "something else", message);
    return false;
}

static bool expect_oid(atls_cur *c, const char *field, atls_bytes wanted, const char *name)
{
    atls_bytes oid;
    if (!atls_der_oid(c, field, &oid)) {
        return false;
    }
    return atls_bytes_equal(oid, wanted) || wrong(c, ATLS_E_ENCODING, field, name, "another type of content");
}

static bool expect_version(atls_cur *c, const char *field)
{
    uint64_t version;
    if (!atls_der_uint(c, field, ATLS_DER_INTEGER, UINT32_MAX, &version)) {
        return false;
    }
    return version == 1 || wrong(c, ATLS_E_UNSUPPORTED, field, "1", "another version");
}

/* SEQUENCE { OID, NULL or nothing } */
static bool expect_algorithm(atls_cur *c, const char *field, atls_bytes wanted, const char *name)
{
    atls_cur id;
    atls_bytes oid;
    atls_bytes parameters;
    if (!atls_ber_nested(c, field, ATLS_DER_SEQUENCE, &id) || !atls_der_oid(&id, field, &oid)) {
        return false;
    }
    if (!atls_bytes_equal(oid, wanted)) {
        return wrong(c, ATLS_E_UNSUPPORTED, field, name, "another algorithm");
    }
    return id.rest.len == 0
           || (atls_der_expect(&id, field, ATLS_DER_NULL, &parameters) && parameters.len == 0 && atls_cur_end(&id))
           || wrong(c, ATLS_E_ENCODING, field, "no parameters", "parameters that this algorithm does not have");
}

/* EncapsulatedContentInfo */
static bool read_content(atls_cur *c, atls_arena *arena, apple_cms *out, atls_error *err)
{
    static const char field[] = "encapContentInfo";
    atls_cur info;
    atls_cur tagged;
    return atls_ber_nested(c, field, ATLS_DER_SEQUENCE, &info)
           && expect_oid(&info, "encapContentInfo.eContentType", OID(oid_data), "data")
           && atls_ber_nested(&info, field, ATLS_DER_CONTEXT_CONS(0), &tagged) && atls_cur_end(&info)
           && atls_ber_octets(&tagged, "encapContentInfo.eContent", arena, &out->content, err) && atls_cur_end(&tagged);
}

static bool read_certificates(atls_cur *c, apple_cms *out)
{
    static const char field[] = "certificates";
    atls_cur set;
    if (!atls_ber_nested(c, field, ATLS_DER_CONTEXT_CONS(0), &set)) {
        return false;
    }
    while (set.rest.len > 0) {
        if (out->n_certificates == APPLE_MAX_CERTIFICATES) {
            return wrong(c, ATLS_E_LIMIT, field, "at most 8 certificates", "too many certificates");
        }
        if (!atls_ber_any(&set, field, NULL, NULL, &out->certificates[out->n_certificates])) {
            return false;
        }
        out->n_certificates++;
    }
    return true;
}

static bool read_signer_id(atls_cur *c, apple_cms *out)
{
    static const char field[] = "signerInfo.sid";
    atls_cur id;
    atls_der_tag tag;
    return atls_ber_nested(c, field, ATLS_DER_SEQUENCE, &id) && atls_ber_any(&id, field, &tag, NULL, &out->issuer)
           && (tag == ATLS_DER_SEQUENCE || wrong(c, ATLS_E_ENCODING, field, "issuer and serial", "no name"))
           && atls_der_unsigned(&id, field, &out->serial) && atls_cur_end(&id);
}

static bool read_signer(atls_cur *c, apple_cms *out)
{
    atls_cur info;
    if (!atls_ber_nested(c, "signerInfo", ATLS_DER_SEQUENCE, &info) || !expect_version(&info, "signerInfo.version")
        || !read_signer_id(&info, out)
        || !expect_algorithm(&info, "signerInfo.digestAlgorithm", OID(oid_sha256), "SHA-256")) {
        return false;
    }
    if (atls_der_peek(&info, ATLS_DER_CONTEXT_CONS(0))) {
        return wrong(c, ATLS_E_UNSUPPORTED, "signerInfo.signedAttrs", "none",
                     "signed attributes, which receipts do not have");
    }
    return expect_algorithm(&info, "signerInfo.signatureAlgorithm", OID(oid_ecdsa_sha256), "ecdsa-with-SHA256")
           && atls_der_expect(&info, "signerInfo.signature", ATLS_DER_OCTET_STRING, &out->signature)
           && atls_cur_end(&info);
}

static bool read_signers(atls_cur *c, apple_cms *out)
{
    atls_cur set;
    if (!atls_ber_nested(c, "signerInfos", ATLS_DER_SET, &set) || !read_signer(&set, out)) {
        return false;
    }
    return set.rest.len == 0
           || wrong(c, ATLS_E_ENCODING, "signerInfos", "one signer", "a receipt has exactly one signer");
}

static bool read_signed_data(atls_cur *c, atls_arena *arena, apple_cms *out, atls_error *err)
{
    atls_cur data;
    atls_cur algorithms;
    return atls_ber_nested(c, "", ATLS_DER_SEQUENCE, &data) && expect_version(&data, "version")
           && atls_ber_nested(&data, "digestAlgorithms", ATLS_DER_SET, &algorithms)
           && read_content(&data, arena, out, err) && read_certificates(&data, out) && read_signers(&data, out)
           && atls_cur_end(&data);
}

bool apple_cms_decode(atls_bytes in, atls_arena *arena, apple_cms *out, atls_error *err)
{
    const atls_bytes none = atls_bytes_empty();
    atls_cur c;
    atls_cur info;
    atls_cur tagged;
    *out = (apple_cms){.content = none, .issuer = none, .serial = none, .signature = none};
    if (in.len > APPLE_MAX_RECEIPT_LEN) {
        return atls_fail(err, ATLS_E_LIMIT, "receipt", "%zu bytes; at most %u", in.len, APPLE_MAX_RECEIPT_LEN);
    }
    atls_cur_init(&c, in, "receipt", err);
    return atls_ber_nested(&c, "", ATLS_DER_SEQUENCE, &info) && atls_cur_end(&c)
           && expect_oid(&info, "contentType", OID(oid_signed_data), "signedData")
           && atls_ber_nested(&info, "", ATLS_DER_CONTEXT_CONS(0), &tagged) && atls_cur_end(&info)
           && read_signed_data(&tagged, arena, out, err) && atls_cur_end(&tagged);
}

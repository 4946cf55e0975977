/* SPDX-License-Identifier: Apache-2.0 */
/* Recognition: a row for each object identifier, each shape, each clash and each broken promise; and that whatever is
 * recognised is called unverified. */
#include "certificates.h"
#include "evidence/vectors.h"
#include "pki/cert.h"
#include "tap.h"
#include "verify/recognise.h"

#define OID_TDX    "1.3.9900.5.99"
#define OID_CCC    "2.23.133.5.4.9"
#define OID_COLL   "2.23.133.5.4.2"
#define OID_RATS   "1.2.840.113741.1337"
#define OID_DSTACK "1.3.6.1.4.1.62397.1"
#define OID_OE     "1.2.840.113556.10.1"
#define OID_CMW    "1.3.6.1.5.5.7.1.35"
#define OID_PHONE  "1.3.6.1.4.1.11129.2.1.17"
#define OID_APPLE  "1.2.840.113635.100.8.2"
#define RATS_TDX   "060a2a864886f84d8a390104" /* 1.2.840.113741.1337.1.4 */
#define RATS_END   "060a2a864886f84d8a390204"
#define RATS_ODD   "060a2a864886f84d8a390109"

/* ---- makers of values ---- */

#define MAKE(fn, expression)                                                                                           \
    static atls_bytes fn(lab *l)                                                                                       \
    {                                                                                                                  \
        return expression;                                                                                             \
    }

MAKE(empty, lab_hex(l, ""))
MAKE(prose, lab_join(l, atls_bytes_str("hello, "), atls_bytes_str("world")))
MAKE(sequence, lab_hex(l, "3003020101"))
MAKE(sequence_and_more, lab_hex(l, "300302010105"))
MAKE(octets, lab_hex(l, "0403616263"))
MAKE(no_octets, lab_hex(l, "0400"))
MAKE(octets_not_text, lab_hex(l, "0401ff"))
MAKE(octets_map, lab_hex(l, "0402de00"))
MAKE(octets_scale, lab_hex(l, "0404000001ff"))
MAKE(octets_log, lab_der(l, 4, atls_bytes_str("[{\"imr\":0},{\"imr\":3}]")))
MAKE(octets_object, lab_der(l, 4, atls_bytes_str("{}")))
MAKE(fake, lab_join(l, atls_bytes_str("{\"UserData\":\"AAEC\","), atls_bytes_str("\"Nonce\":null}")))
MAKE(fake_half, lab_join(l, atls_bytes_str("{\"UserData\":"), atls_bytes_str("\"AAEC\"}")))
MAKE(vtpm, lab_join(l, atls_bytes_str("{\"Attestation\":{\"quotes\":[{},{}],\"TeeAttestation\":null},"),
                    atls_bytes_str("\"InstanceInfo\":null,\"UserData\":\"AAEC\"}")))
MAKE(vtpm_tee, lab_join(l, atls_bytes_str("{\"Attestation\":{\"quotes\":[{}],\"TeeAttestation\":{}},"),
                        atls_bytes_str("\"UserData\":\"AAEC\"}")))
MAKE(vtpm_no_quotes,
     lab_join(l, atls_bytes_str("{\"Attestation\":{\"quotes\":[]},"), atls_bytes_str("\"UserData\":\"AAEC\"}")))
MAKE(json_twice,
     lab_join(l, atls_bytes_str("{\"UserData\":\"AA==\",\"UserData\":\"AA==\","), atls_bytes_str("\"RawQuote\":\"\"}")))
MAKE(json_array, lab_join(l, atls_bytes_str("["), atls_bytes_str("]")))
MAKE(tdx, lab_tdx_document(l, lab_quote(l, SIM_TDX_V4)))
MAKE(tdx_v5, lab_tdx_document(l, lab_quote(l, SIM_TDX_V5)))
MAKE(tdx_no_quote, lab_tdx_document(l, lab_hex(l, "00010203")))
MAKE(tdx_not_base64, lab_join(l, atls_bytes_str("{\"RawQuote\":\"***\","), atls_bytes_str("\"UserData\":\"AAEC\"}")))
MAKE(sgx_quote, lab_quote(l, SIM_SGX_V3))
MAKE(tdx_quote, lab_quote(l, SIM_TDX_V4))
MAKE(octets_tdx_quote, lab_der(l, 4, lab_quote(l, SIM_TDX_V4)))
MAKE(ccc_sgx, lab_tagged(l, 60000, lab_quote(l, SIM_SGX_V3), lab_claims(l)))
MAKE(ccc_tdx, lab_tagged(l, 60000, lab_quote(l, SIM_TDX_V4), lab_claims(l)))
MAKE(ccc_report, lab_tagged(l, 60001, prose(l), lab_claims(l)))
MAKE(ccc_local, lab_tagged(l, 60002, prose(l), lab_claims(l)))
MAKE(ccc_snp, lab_tagged(l, 0x1a7504, prose(l), lab_claims(l)))
MAKE(ccc_sev, lab_tagged(l, 0x1a7505, prose(l), lab_claims(l)))
MAKE(ccc_csv, lab_tagged(l, 0x1a7506, prose(l), lab_claims(l)))
MAKE(ccc_other_tag, lab_tagged(l, 60003, prose(l), lab_claims(l)))
MAKE(ccc_no_quote, lab_tagged(l, 60000, prose(l), lab_claims(l)))
MAKE(ccc_empty, lab_tagged(l, 60001, empty(l), lab_claims(l)))
MAKE(ccc_no_hash, lab_tagged(l, 60001, prose(l), lab_hex(l, "a0")))
MAKE(ccc_bad_hash, lab_tagged(l, 60001, prose(l),
                              lab_join(l, lab_join(l, lab_hex(l, "a16b"), atls_bytes_str("pubkey-hash")),
                                       lab_hex(l, "438201"
                                                  "40"))))
MAKE(ccc_bad_claims, lab_tagged(l, 60001, prose(l), lab_hex(l, "80")))
MAKE(ccc_and_more, lab_join(l, ccc_report(l), lab_hex(l, "00")))
MAKE(ccc_one, lab_join(l, lab_cbor(l, 6, 60000), lab_hex(l, "8140")))
MAKE(coll_8, lab_join(l, lab_cbor(l, 6, 60000), lab_hex(l, "884040404040404040")))
MAKE(coll_9, lab_join(l, lab_cbor(l, 6, 60000), lab_hex(l, "89404040404040404040")))
MAKE(coll_7, lab_join(l, lab_cbor(l, 6, 60000), lab_hex(l, "8740404040404040")))
MAKE(coll_other_tag, lab_join(l, lab_cbor(l, 6, 60003), lab_hex(l, "884040404040404040")))
MAKE(cmw_json, lab_join(l, atls_bytes_str("[\"application/eat+cwt\","), atls_bytes_str("\"AAEC\"]")))
MAKE(cmw_json_odd, lab_join(l, atls_bytes_str("[\"application/eat+cwt\","), atls_bytes_str("17]")))
MAKE(cmw_json_broken, lab_join(l, atls_bytes_str("[\"application/"), atls_bytes_str("eat")))
MAKE(cmw_object, lab_join(l, atls_bytes_str("{\"a\":"), cmw_json(l)))
MAKE(cmw_collection, lab_join(l, cmw_object(l), atls_bytes_str("}")))
MAKE(cmw_cbor, lab_join(l, lab_hex(l, "8363"),
                        lab_join(l, atls_bytes_str("a/b"),
                                 lab_hex(l, "43010203"
                                            "04"))))
MAKE(cmw_cbor_evil, lab_join(l, lab_hex(l, "8263"), lab_join(l, atls_bytes_str("\x1b[A"), lab_hex(l, "4101"))))
MAKE(cmw_cbor_number, lab_hex(l, "821901f4"
                                 "43010203"))
MAKE(cmw_cbor_odd, lab_hex(l, "82f6"
                              "43010203"))
MAKE(cmw_map, lab_hex(l, "a0"))
MAKE(cmw_tag, lab_hex(l, "da6374010143010203"))
MAKE(oe_remote, lab_join(l, lab_hex(l, "01000000020000000a00000000000000"), lab_quote(l, SIM_SGX_V3)))
MAKE(oe_local, lab_hex(l, "01000000010000000100000000000000ff"))
MAKE(rats_tdx, lab_rats(l, RATS_TDX, lab_quote(l, SIM_TDX_V4)))
MAKE(rats_endorsement, lab_rats(l, RATS_END, prose(l)))
MAKE(rats_odd, lab_rats(l, RATS_ODD, prose(l)))
MAKE(ias, lab_join(l, atls_bytes_str("{\"isvEnclaveQuote"), atls_bytes_str("Status\":\"OK\"}")))
MAKE(ias_broken, lab_join(l, atls_bytes_str("{\"isvEnclaveQuote"), atls_bytes_str("Status\":")))
MAKE(key_description, lab_hex(l, "3015"
                                 "020200c8"
                                 "0a0101"
                                 "020200c8"
                                 "0a0101"
                                 "0403616263"
                                 "0400"))
MAKE(key_description_short, lab_hex(l, "3004"
                                       "020200c8"))
MAKE(nonce_apple, lab_join(l, lab_hex(l, "3024a1220420"),
                           lab_hex(l, "0102030405060708090a0b0c0d0e0f10"
                                      "1112131415161718191a1b1c1d1e1f20")))
MAKE(nonce_short, lab_hex(l, "3005a103040101"))

/* ---- one extension ---- */

typedef struct row {
    const char *name;
    const char *oid;
    atls_bytes (*make)(lab *l);
    const char *format;
    atls_grade grade;    /* NONE and not evidence: a companion */
    const char *inside;  /* must be in it; "": nothing is told */
    const char *problem; /* must be in it; NULL: there is none */
    char traits[4];      /* 'c' companion, 'q' a quote is handed out, 's' a session can verify it */
} row;

#define GRADE(g) ATLS_GRADE_##g
#define CONST(name_, arc, variant, make, inside, problem)                                                              \
    {                                                                                                                  \
        name_, "1.3.9900." arc, make, "Constellation " variant, problem == NULL ? GRADE(KEY_FRESH) : GRADE(NONE),      \
            inside, problem,                                                                                           \
        {                                                                                                              \
            problem == NULL ? 's' : '\0'                                                                               \
        }                                                                                                              \
    }

/* clang-format off */
static const row rows[] = {
    /* Constellation */
    {"dummy", "1.3.9900.1.1", fake, "Constellation dummy", GRADE(NONE), "JSON document", NULL, ""},
    {"dummy without a nonce", "1.3.9900.1.1", fake_half, "Constellation dummy", GRADE(NONE), "", "Nonce", ""},
    CONST("aws-nitro-tpm", "2.1", "aws-nitro-tpm", vtpm, "TPM quotes: 2", NULL),
    CONST("aws-sev-snp", "2.2", "aws-sev-snp", vtpm_tee, "evidence of the TEE", NULL),
    CONST("gcp-sev-es", "3.1", "gcp-sev-es", vtpm, "TPM quotes: 2", NULL),
    CONST("gcp-sev-snp", "3.2", "gcp-sev-snp", vtpm, "TPM quotes: 2", NULL),
    CONST("azure-sev-snp", "4.1", "azure-sev-snp", vtpm, "TPM quotes: 2", NULL),
    CONST("azure-trustedlaunch", "4.2", "azure-trustedlaunch", vtpm, "TPM quotes: 2", NULL),
    CONST("azure-tdx", "4.3", "azure-tdx", vtpm, "TPM quotes: 2", NULL),
    CONST("qemu-vtpm", "5.1", "qemu-vtpm", vtpm, "TPM quotes: 2", NULL),
    CONST("a vTPM document without quotes", "5.1", "qemu-vtpm", vtpm_no_quotes, "", "no TPM quotes"),
    CONST("a vTPM variant with another document", "5.1", "qemu-vtpm", fake, "", "no Attestation"),
    CONST("a vTPM variant with bytes", "5.1", "qemu-vtpm", sgx_quote, "", "not a JSON object"),
    {"a variant of tomorrow", "1.3.9900.6.1", vtpm, "Constellation (unknown variant)", GRADE(KEY_FRESH), "JSON document", NULL, ""},
    CONST("a variant of tomorrow, not JSON", "6.1", "(unknown variant)", sgx_quote, "", "not a JSON object"),
    {"qemu-tdx", OID_TDX, tdx, "Constellation qemu-tdx", GRADE(KEY_FRESH), "Intel TDX quote, version 4", NULL, "qs"},
    {"qemu-tdx, version 5", OID_TDX, tdx_v5, "Constellation qemu-tdx", GRADE(KEY_FRESH), "Intel TDX quote, version 5", NULL, "qs"},
    CONST("qemu-tdx without a quote", "5.99", "qemu-tdx", tdx_no_quote, "", "RawQuote is not an Intel quote"),
    CONST("qemu-tdx, not base64", "5.99", "qemu-tdx", tdx_not_base64, "", "RawQuote is not base64"),
    CONST("qemu-tdx with another document", "5.99", "qemu-tdx", vtpm, "", "no RawQuote"),
    CONST("qemu-tdx with a name twice", "5.99", "qemu-tdx", json_twice, "", "not a JSON object"),
    CONST("qemu-tdx, an array", "5.99", "qemu-tdx", json_array, "", "not a JSON object"),
    CONST("qemu-tdx, nothing", "5.99", "qemu-tdx", empty, "", "not a JSON object"),
    /* TCG DICE, interoperable RA-TLS */
    {"DICE TcbInfo", "2.23.133.5.4.1", sequence, "TCG DICE TcbInfo", GRADE(KEY), "SEQUENCE", NULL, ""},
    {"DICE TcbInfo and more", "2.23.133.5.4.1", sequence_and_more, "TCG DICE TcbInfo", GRADE(NONE), "", "not one DER SEQUENCE", ""},
    {"DICE UEID", "2.23.133.5.4.4", sequence, "TCG DICE UEID", GRADE(NONE), "SEQUENCE", NULL, "c"},
    {"DICE MultiTcbInfo", "2.23.133.5.4.5", sequence, "TCG DICE MultiTcbInfo", GRADE(KEY), "SEQUENCE", NULL, ""},
    {"DICE, something else", "2.23.133.5.4.77", sequence, "TCG DICE (unknown extension)", GRADE(NONE), "", NULL, "c"},
    {"interoperable, SGX quote", OID_CCC, ccc_sgx, "CCC interoperable RA-TLS (TCG DICE tagged evidence)", GRADE(KEY), "CBOR tag 60000 (Intel quote), Intel SGX quote, version 3, claims: pubkey-hash (SHA-256)", NULL, "q"},
    {"interoperable, TDX quote", OID_CCC, ccc_tdx, "CCC interoperable RA-TLS (TCG DICE tagged evidence)", GRADE(KEY), "Intel TDX quote, version 4", NULL, "q"},
    {"interoperable, Intel report", OID_CCC, ccc_report, "CCC interoperable RA-TLS (TCG DICE tagged evidence)", GRADE(KEY), "tag 60001", NULL, ""},
    {"interoperable, SGX local report", OID_CCC, ccc_local, "CCC interoperable RA-TLS (TCG DICE tagged evidence)", GRADE(KEY), "tag 60002", NULL, ""},
    {"interoperable, SEV-SNP", OID_CCC, ccc_snp, "CCC interoperable RA-TLS (TCG DICE tagged evidence)", GRADE(KEY), "AMD SEV-SNP", NULL, ""},
    {"interoperable, SEV", OID_CCC, ccc_sev, "CCC interoperable RA-TLS (TCG DICE tagged evidence)", GRADE(KEY), "AMD SEV,", NULL, ""},
    {"interoperable, CSV", OID_CCC, ccc_csv, "CCC interoperable RA-TLS (TCG DICE tagged evidence)", GRADE(KEY), "CSV", NULL, ""},
    {"a tag that rats-tls would wave through", OID_CCC, ccc_other_tag, "TCG DICE conceptual message wrapper", GRADE(KEY), "CBOR tag", NULL, ""},
    {"interoperable, tag of a quote without one", OID_CCC, ccc_no_quote, "CCC interoperable RA-TLS (TCG DICE tagged evidence)", GRADE(NONE), "", "not an Intel quote", ""},
    {"interoperable, no evidence", OID_CCC, ccc_empty, "CCC interoperable RA-TLS (TCG DICE tagged evidence)", GRADE(NONE), "", "the evidence is empty", ""},
    {"interoperable, no hash of the key", OID_CCC, ccc_no_hash, "CCC interoperable RA-TLS (TCG DICE tagged evidence)", GRADE(NONE), "", "nothing is bound to the key", ""},
    {"interoperable, a hash of no length", OID_CCC, ccc_bad_hash, "CCC interoperable RA-TLS (TCG DICE tagged evidence)", GRADE(NONE), "", "not a hash that is known", ""},
    {"interoperable, claims that are no map", OID_CCC, ccc_bad_claims, "CCC interoperable RA-TLS (TCG DICE tagged evidence)", GRADE(NONE), "", "not a CBOR map", ""},
    {"interoperable, bytes behind it", OID_CCC, ccc_and_more, "CCC interoperable RA-TLS (TCG DICE tagged evidence)", GRADE(NONE), "", "not a CBOR tag over", ""},
    {"interoperable, one element", OID_CCC, ccc_one, "CCC interoperable RA-TLS (TCG DICE tagged evidence)", GRADE(NONE), "", "not a CBOR tag over", ""},
    {"the same arc as a wrapper", OID_CCC, cmw_cbor, "TCG DICE conceptual message wrapper", GRADE(KEY), "type a/b", NULL, ""},
    {"the same arc as nothing", OID_CCC, prose, "TCG DICE conceptual message wrapper", GRADE(NONE), "", "neither a record", ""},
    {"collateral of 8", OID_COLL, coll_8, "rats-tls collateral (TCG DICE endorsement manifest)", GRADE(NONE), "8 pieces", NULL, "c"},
    {"collateral of 9", OID_COLL, coll_9, "rats-tls collateral (TCG DICE endorsement manifest)", GRADE(NONE), "9 pieces", NULL, "c"},
    {"collateral of 7", OID_COLL, coll_7, "rats-tls collateral (TCG DICE endorsement manifest)", GRADE(NONE), "", "8 or 9 pieces", "c"},
    {"collateral with another tag", OID_COLL, coll_other_tag, "rats-tls collateral (TCG DICE endorsement manifest)", GRADE(NONE), "", "names nothing", "c"},
    {"an endorsement manifest", OID_COLL, sequence, "TCG DICE endorsement manifest", GRADE(NONE), "SEQUENCE", NULL, "c"},
    {"an endorsement manifest of prose", OID_COLL, prose, "TCG DICE endorsement manifest", GRADE(NONE), "", "not one DER SEQUENCE", "c"},
    /* rats-tls ASN.1, Intel RA-TLS, and their clash */
    {"rats-tls ASN.1, all in one", OID_RATS, sequence, "rats-tls ASN.1 evidence", GRADE(KEY), "SEQUENCE", NULL, ""},
    {"rats-tls ASN.1, all in one, prose", OID_RATS, prose, "rats-tls ASN.1 evidence", GRADE(NONE), "", "not one DER SEQUENCE", ""},
    {"rats-tls ASN.1 evidence", OID_RATS ".1", rats_tdx, "rats-tls ASN.1 evidence", GRADE(KEY), "TDX ECDSA evidence, Intel TDX quote, version 4", NULL, "q"},
    {"rats-tls ASN.1 evidence of no kind", OID_RATS ".1", rats_odd, "rats-tls ASN.1 evidence", GRADE(NONE), "1.2.840.113741.1337.1.9", "does not name", ""},
    {"rats-tls ASN.1 evidence, another SEQUENCE", OID_RATS ".1", sequence, "rats-tls ASN.1 evidence", GRADE(NONE), "", "not SEQUENCE { OID", ""},
    {"clash: a SEQUENCE is rats-tls", OID_RATS ".2", rats_endorsement, "rats-tls ASN.1 endorsement", GRADE(NONE), "TDX ECDSA endorsement", NULL, "c"},
    {"clash: JSON is an IAS report", OID_RATS ".2", ias, "Intel RA-TLS IAS report (EPID)", GRADE(KEY), "JSON document", NULL, ""},
    {"clash: broken JSON is a broken IAS report", OID_RATS ".2", ias_broken, "Intel RA-TLS IAS report (EPID)", GRADE(NONE), "", "not a JSON object", ""},
    {"clash: neither", OID_RATS ".2", prose, "rats-tls endorsement, or Intel RA-TLS IAS report", GRADE(NONE), "", "neither", "c"},
    {"clash: nothing", OID_RATS ".2", empty, "rats-tls endorsement, or Intel RA-TLS IAS report", GRADE(NONE), "", "neither", "c"},
    {"IAS root", OID_RATS ".3", prose, "Intel RA-TLS IAS root certificate", GRADE(NONE), "", NULL, "c"},
    {"IAS leaf", OID_RATS ".4", prose, "Intel RA-TLS IAS signing certificate", GRADE(NONE), "", NULL, "c"},
    {"IAS signature", OID_RATS ".5", prose, "Intel RA-TLS IAS report signature", GRADE(NONE), "", NULL, "c"},
    {"IAS signature of nothing", OID_RATS ".5", empty, "Intel RA-TLS IAS report signature", GRADE(NONE), "", "empty", "c"},
    {"Intel RA-TLS quote", OID_RATS ".6", sgx_quote, "Intel RA-TLS SGX quote", GRADE(KEY), "Intel SGX quote, version 3", NULL, "q"},
    {"Intel RA-TLS quote in an OCTET STRING", OID_RATS ".6", octets_tdx_quote, "Intel RA-TLS SGX quote", GRADE(NONE), "", "not an Intel quote", ""},
    /* Open Enclave */
    {"Open Enclave remote report", OID_OE ".1", oe_remote, "Open Enclave report", GRADE(KEY), "remote report, Intel SGX quote, version 3", NULL, "q"},
    {"Open Enclave local report", OID_OE ".1", oe_local, "Open Enclave report", GRADE(KEY), "local report", NULL, ""},
    {"Open Enclave, the bare quote", OID_OE ".1", sgx_quote, "Open Enclave report", GRADE(KEY), "Intel SGX quote", NULL, "q"},
    {"Open Enclave, prose", OID_OE ".1", prose, "Open Enclave report", GRADE(NONE), "", "not an Open Enclave report", ""},
    {"Open Enclave evidence", OID_OE ".2", prose, "Open Enclave evidence", GRADE(KEY), "", NULL, ""},
    {"Open Enclave evidence of nothing", OID_OE ".2", empty, "Open Enclave evidence", GRADE(NONE), "", "empty", ""},
    /* dstack: one OCTET STRING more */
    {"dstack quote", OID_DSTACK ".1", octets_tdx_quote, "dstack TDX quote (legacy)", GRADE(KEY), "DER OCTET STRING, Intel TDX quote, version 4", NULL, "q"},
    {"dstack quote, not wrapped", OID_DSTACK ".1", tdx_quote, "dstack TDX quote (legacy)", GRADE(NONE), "", "not wrapped", ""},
    {"dstack quote of prose", OID_DSTACK ".1", octets, "dstack TDX quote (legacy)", GRADE(NONE), "OCTET", "not an Intel quote", ""},
    {"dstack event log", OID_DSTACK ".2", octets_log, "dstack event log (legacy)", GRADE(NONE), "JSON array of 2 events", NULL, "c"},
    {"dstack event log, an object", OID_DSTACK ".2", octets_object, "dstack event log (legacy)", GRADE(NONE), "", "not a JSON array", "c"},
    {"dstack app id", OID_DSTACK ".3", octets, "dstack app id", GRADE(NONE), "OCTET STRING", NULL, "c"},
    {"dstack app id, empty", OID_DSTACK ".3", no_octets, "dstack app id", GRADE(NONE), "", "empty", "c"},
    {"dstack app id, not wrapped", OID_DSTACK ".3", prose, "dstack app id", GRADE(NONE), "", "not wrapped", "c"},
    {"dstack usage", OID_DSTACK ".4", octets, "dstack special certificate usage", GRADE(NONE), "text", NULL, "c"},
    {"dstack usage that is no text", OID_DSTACK ".4", octets_not_text, "dstack special certificate usage", GRADE(NONE), "", "not text", "c"},
    {"dstack attestation, SCALE", OID_DSTACK ".8", octets_scale, "dstack attestation", GRADE(KEY), "SCALE, version 0", NULL, ""},
    {"dstack attestation, later", OID_DSTACK ".8", octets_map, "dstack attestation", GRADE(KEY), "MessagePack", NULL, ""},
    {"dstack attestation, not wrapped", OID_DSTACK ".8", prose, "dstack attestation", GRADE(NONE), "", "not wrapped", ""},
    {"dstack app info", OID_DSTACK ".9", octets_map, "dstack app info", GRADE(NONE), "MessagePack map", NULL, "c"},
    {"dstack app info, text", OID_DSTACK ".9", octets, "dstack app info", GRADE(NONE), "", "not a MessagePack map", "c"},
    {"dstack, something else", OID_DSTACK ".10", octets, "dstack (unknown extension)", GRADE(NONE), "", NULL, "c"},
    /* wrappers, told apart by their first byte */
    {"CMW, JSON record", OID_CMW, cmw_json, "IETF CMW", GRADE(KEY), "JSON record, type application/eat+cwt", NULL, ""},
    {"CMW, JSON record of a number", OID_CMW, cmw_json_odd, "IETF CMW", GRADE(NONE), "JSON record", "not a JSON record", ""},
    {"CMW, broken JSON", OID_CMW, cmw_json_broken, "IETF CMW", GRADE(NONE), "JSON record", "not JSON", ""},
    {"CMW, JSON collection", OID_CMW, cmw_collection, "IETF CMW", GRADE(KEY), "JSON collection", NULL, ""},
    {"CMW, CBOR record", OID_CMW, cmw_cbor, "IETF CMW", GRADE(KEY), "CBOR record, type a/b", NULL, ""},
    {"CMW, CBOR record with a content format", OID_CMW, cmw_cbor_number, "IETF CMW", GRADE(KEY), "CBOR record", NULL, ""},
    {"CMW, CBOR record with a type of null", OID_CMW, cmw_cbor_odd, "IETF CMW", GRADE(NONE), "CBOR record", "not a CBOR record", ""},
    {"CMW, CBOR collection", OID_CMW, cmw_map, "IETF CMW", GRADE(KEY), "CBOR collection", NULL, ""},
    {"CMW, CBOR tag", OID_CMW, cmw_tag, "IETF CMW", GRADE(KEY), "CBOR tag", NULL, ""},
    {"CMW, prose", OID_CMW, prose, "IETF CMW", GRADE(NONE), "", "neither a record", ""},
    {"CMW, nothing", OID_CMW, empty, "IETF CMW", GRADE(NONE), "", "neither a record", ""},
    /* phones */
    {"Android", OID_PHONE, key_description, "Android key attestation", GRADE(KEY), "version 200, attested by the TEE, challenge of 3 bytes", NULL, ""},
    {"Android, cut", OID_PHONE, key_description_short, "Android key attestation", GRADE(NONE), "", "not a KeyDescription", ""},
    {"Android, prose", OID_PHONE, prose, "Android key attestation", GRADE(NONE), "", "no SEQUENCE", ""},
    {"Android provisioning", "1.3.6.1.4.1.11129.2.1.30", cmw_map, "Android provisioning information", GRADE(NONE), "", NULL, "c"},
    {"Apple", OID_APPLE, nonce_apple, "Apple App Attest nonce", GRADE(KEY), "a nonce of 32 bytes", NULL, ""},
    {"Apple, one byte", OID_APPLE, nonce_short, "Apple App Attest nonce", GRADE(NONE), "", "OCTET STRING of 32", ""},
};
/* clang-format on */

static bool has(const row *r, char trait)
{
    return strchr(r->traits, trait) != NULL;
}

static void must_hold(const char *text, const char *wanted)
{
    if (strstr(text, wanted) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", wanted, text);
    }
}

static atls_recognition look(lab *l, const lab_extension *extensions, size_t n)
{
    atls_recognition r;
    const atls_bytes der = lab_certificate(l, extensions, n);
    if (!atls_recognise_certificate(der, &l->arena, &r, &l->err)) {
        fail_msg("%s: %s", l->err.field, l->err.message);
    }
    assert_int_equal(r.n_extensions, n);
    return r;
}

static void test_row(void **state)
{
    const row *w = *state;
    lab l;
    lab_open(&l);
    const lab_extension e = {w->oid, false, w->make(&l)};
    const atls_recognition r = look(&l, &e, 1);
    assert_string_equal(r.extensions[0].oid, w->oid);
    assert_int_equal(r.n_formats, 1);
    const atls_recognised *f = &r.formats[0];
    assert_ptr_equal(r.extensions[0].format, f);
    assert_string_equal(f->oid, w->oid);
    assert_string_equal(f->format, w->format);
    assert_string_equal(r.extensions[0].name, w->format);
    assert_int_equal(f->is_evidence, !has(w, 'c'));
    assert_int_equal(r.n_evidence, !has(w, 'c'));
    assert_false(f->by_shape);
    assert_string_equal(atls_grade_name(f->best_grade), atls_grade_name(w->grade));
    must_hold(f->inside, w->inside);
    if (w->problem == NULL) {
        assert_string_equal(f->problem, "");
    } else {
        must_hold(f->problem, w->problem);
    }
    assert_int_equal(f->quote.len > 0, has(w, 'q'));
    assert_int_equal(f->session_profile != NULL, has(w, 's'));
    const char *line = atls_recognise_line(f, &l.arena, &l.err);
    assert_non_null(line);
    assert_memory_equal(line, "recognised, not verified: ", 26);
    must_hold(line, w->format);
    assert_true(w->problem == NULL || strstr(line, "MALFORMED: ") != NULL);
    assert_true(has(w, 'c') || f->best_grade < ATLS_GRADE_KEY || strstr(line, "never enough by default") != NULL);
    lab_close(&l);
}

/* ---- shapes ---- */

typedef struct shape {
    const char *name;
    const char *head; /* hex; zeros follow */
    size_t len;
    const char *format; /* NULL: not recognised */
    bool is_evidence;
} shape;

/* clang-format off */
static const shape shapes[] = {
    {"SGX quote", "03000200", 64, "Intel SGX quote, version 3", true},
    {"TDX quote, version 4", "0400020081000000", 64, "Intel TDX quote, version 4", true},
    {"TDX quote, version 4, P-384", "0400030081000000", 64, "Intel TDX quote, version 4", true},
    {"SGX quote, version 4", "0400020000000000", 64, "Intel SGX quote, version 4", true},
    {"version 4 of another TEE", "0400020082000000", 64, NULL, false},
    {"version 4 of another key", "0400040081000000", 64, NULL, false},
    {"TDX quote, version 5", "0500020081000000", 64, "Intel TDX quote, version 5", true},
    {"quote, version 5, of another TEE", "0500020082000000", 64, "Intel quote, version 5", true},
    {"version 6", "0600020081000000", 64, NULL, false},
    {"SNP report, version 2", "02000000", 1184, "AMD SEV-SNP attestation report", true},
    {"SNP report, version 3", "03000000", 1184, "AMD SEV-SNP attestation report", true},
    {"SNP report, version 5, not a quote", "05000000", 1184, "AMD SEV-SNP attestation report", true},
    {"SNP report of version 1", "01000000", 1184, NULL, false},
    {"SNP report of version 6", "06000000", 1184, NULL, false},
    {"SNP report of a large version", "02000001", 1184, NULL, false},
    {"SNP report, a byte short", "02000000", 1183, NULL, false},
    {"SNP report, a byte long", "02000000", 1185, NULL, false},
    {"a quote of a report's length", "0500020081000000", 1184, "Intel TDX quote, version 5", true},
    {"COSE", "8444", 64, "COSE_Sign1 (AWS Nitro attestation documents look like this)", true},
    {"another array", "8443", 64, NULL, false},
    {"JSON is not evidence for sure", "7b22", 64, "JSON document", false},
    {"TPM", "ff544347", 64, "TPM attestation (TPMS_ATTEST)", true},
    {"TPM, another magic", "ff544348", 64, NULL, false},
    {"HCL", "48434c41", 64, "Azure HCL report", true},
    {"HCL, in small letters", "68636c61", 64, NULL, false},
    {"zeros", "00", 64, NULL, false},
    {"one byte too short: a quote", "03000200", 63, NULL, false},
    {"one byte too short: COSE", "8444", 63, NULL, false},
    {"nothing", "", 0, NULL, false},
};
/* clang-format on */

static atls_bytes shape_value(lab *l, const shape *s)
{
    static const uint8_t zeros[1200];
    const atls_bytes head = lab_hex(l, s->head);
    return lab_join(l, head, atls_bytes_of(zeros, s->len - head.len));
}

/* A bare value, and the same in an extension that nobody knows. */
static void test_shape(void **state)
{
    const shape *s = *state;
    lab l;
    bool found = false;
    atls_recognised f;
    lab_open(&l);
    const lab_extension e = {"1.2.3.4.5", false, shape_value(&l, s)};
    assert_true(atls_recognise_blob(e.value, &l.arena, &f, &found, &l.err));
    assert_int_equal(found, s->format != NULL);
    const atls_recognition r = look(&l, &e, 1);
    assert_null(r.extensions[0].name);
    assert_int_equal(r.n_formats, s->format != NULL);
    assert_int_equal(r.n_evidence, s->is_evidence);
    if (s->format != NULL) {
        assert_string_equal(f.format, s->format);
        assert_string_equal(f.oid, "");
        assert_string_equal(r.formats[0].format, s->format);
        assert_string_equal(r.formats[0].oid, "1.2.3.4.5");
        assert_true(r.formats[0].by_shape);
        assert_int_equal(r.formats[0].best_grade, ATLS_GRADE_NONE);
        assert_null(r.formats[0].session_profile);
        assert_int_equal(r.formats[0].quote.len > 0, strncmp(s->format, "Intel", 5) == 0);
    }
    lab_close(&l);
}

/* ---- more than one extension, and none ---- */

static void test_none(void **state)
{
    (void)state;
    lab l;
    lab_open(&l);
    const atls_recognition r = look(&l, NULL, 0);
    assert_int_equal(r.n_formats, 0);
    assert_int_equal(r.n_evidence, 0);
    assert_string_equal(r.problem, "");
    lab_close(&l);
}

static void test_plain(void **state)
{
    (void)state;
    lab l;
    lab_open(&l);
    /* plain extensions are named and not sniffed, whatever they hold */
    const lab_extension e[] = {{"2.5.29.17", false, lab_quote(&l, SIM_SGX_V3)},
                               {"1.3.6.1.4.1.3704.1.2", false, lab_hex(&l, "00")},
                               {"1.2.3", true, lab_hex(&l, "00")}};
    const atls_recognition r = look(&l, e, 3);
    assert_int_equal(r.n_formats, 0);
    assert_string_equal(r.extensions[0].name, "subjectAltName");
    assert_string_equal(r.extensions[1].name, "AMD SEV-SNP (VCEK, VLEK)");
    assert_null(r.extensions[2].name);
    assert_false(r.extensions[1].raw.critical);
    assert_true(r.extensions[2].raw.critical);
    lab_close(&l);
}

static void test_two(void **state)
{
    (void)state;
    lab l;
    lab_open(&l);
    const lab_extension e[] = {{OID_TDX, false, tdx(&l)}, {OID_CCC, false, ccc_sgx(&l)}};
    const atls_recognition r = look(&l, e, 2);
    assert_int_equal(r.n_formats, 2);
    assert_int_equal(r.n_evidence, 2);
    assert_string_equal(r.formats[0].format, "Constellation qemu-tdx");
    assert_null(r.formats[0].session_profile); /* alone it has one */
    assert_null(r.formats[1].session_profile);
    lab_close(&l);
}

/* What goes with evidence is no second format. */
static void test_companion(void **state)
{
    (void)state;
    lab l;
    lab_open(&l);
    const lab_extension e[] = {{OID_DSTACK ".1", false, octets_tdx_quote(&l)},
                               {OID_DSTACK ".2", false, octets_log(&l)},
                               {OID_DSTACK ".3", false, octets(&l)}};
    const atls_recognition r = look(&l, e, 3);
    assert_int_equal(r.n_formats, 3);
    assert_int_equal(r.n_evidence, 1);
    lab_close(&l);
}

static void test_critical(void **state)
{
    (void)state;
    lab l;
    lab_open(&l);
    const lab_extension e = {OID_TDX, true, tdx(&l)};
    const atls_recognition r = look(&l, &e, 1);
    assert_true(r.formats[0].critical);
    must_hold(r.formats[0].problem, "critical");
    assert_null(r.formats[0].session_profile);
    const lab_extension other = {OID_CCC, true, ccc_sgx(&l)}; /* the standard prefers it so */
    const atls_recognition s = look(&l, &other, 1);
    assert_true(s.formats[0].critical);
    assert_string_equal(s.formats[0].problem, "");
    lab_close(&l);
}

/* The peer's text reaches a line only as printable ASCII. */
static void test_evil_type(void **state)
{
    (void)state;
    lab l;
    lab_open(&l);
    const lab_extension e = {OID_CMW, false, cmw_cbor_evil(&l)};
    const atls_recognition r = look(&l, &e, 1);
    assert_string_equal(r.formats[0].inside, "CBOR record");
    lab_close(&l);
}

/* ---- genuine certificates ---- */

typedef struct vector {
    const char *name;   /* path below the vectors */
    const char *format; /* of the first certificate; NULL: none */
    const char *problem;
} vector;

/* clang-format off */
static const vector vectors[] = {
    {"constellation/dummy_ok.der", "Constellation dummy", ""},
    {"constellation/dummy_null_nonce.der", "Constellation dummy", ""},
    {"constellation/dummy_critical_extension.der", "Constellation dummy", ""},
    {"constellation/dummy_eku_client_only.der", "Constellation dummy", ""},
    {"constellation/dummy_no_extension.der", NULL, ""},
    {"constellation/unknown_oid.der", "Constellation aws-sev-snp", "no Attestation"},
    {"constellation/qemu_vtpm_cert.der", "Constellation qemu-vtpm", ""},
    {"android/chains/akita-sdk34-tee-ec.pem", "Android key attestation", ""},
    {"android/chains/caiman-sdk36-tee-ec-rkp.pem", "Android key attestation", ""},
    {"android/chains/google-km2-version1.pem", "Android key attestation", ""},
    {"android/chains/tokay-sdk37-tee-mldsa-rkp.pem", "Android key attestation", ""},
    {"android/chains/warden-signum-nokia-rsa1024.pem", "Android key attestation", ""},
    {"android/chains/p256-sha384-intermediate.pem", "Android key attestation", "no SEQUENCE"},
    {"apple/roots/apple-app-attestation-root-ca.pem", NULL, ""},
    {"apple/roots/apple-app-attestation-ca-1.pem", NULL, ""},
    {"sev-snp/milan_v2.vcek.der", NULL, ""},
    {"dcap/root/intel-sgx-root-ca.der", NULL, ""},
    {"dcap/intel-sample-sgx-v3-type1/pck.pem", NULL, ""},
};
/* clang-format on */

static atls_bytes first_certificate(lab *l, atls_bytes file)
{
    atls_bytes ders[ATLS_MAX_PEM_CERTS];
    size_t n = 0;
    if (file.ptr[0] != '-') {
        return file;
    }
    assert_true(
        atls_pem_certificates(file, true, ATLS_E_ENCODING, "pem", &l->arena, ders, ATLS_MAX_PEM_CERTS, &n, &l->err));
    return ders[0];
}

static void test_vector(void **state)
{
    const vector *v = *state;
    lab l;
    atls_bytes file;
    atls_recognition r;
    lab_open(&l);
    if (!vectors_read(v->name, &l.arena, &file)) {
        lab_close(&l);
        skip();
    }
    assert_true(atls_recognise_certificate(first_certificate(&l, file), &l.arena, &r, &l.err));
    assert_string_equal(r.problem, "");
    assert_int_equal(r.n_evidence, v->format != NULL);
    if (v->format != NULL) {
        assert_string_equal(r.formats[0].format, v->format);
        must_hold(r.formats[0].problem, v->problem);
        assert_int_equal(r.formats[0].problem[0] == '\0', v->problem[0] == '\0');
    }
    lab_close(&l);
}

#define ADD_ROWS(list, table, fn)                                                                                      \
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {                                                      \
        tap_add(list, table[i].name, fn, &table[i]);                                                                   \
    }

int main(void)
{
    tap_list tests = {0};
    ADD_ROWS(&tests, rows, test_row)
    ADD_ROWS(&tests, shapes, test_shape)
    ADD_ROWS(&tests, vectors, test_vector)
    tap_add(&tests, "no extension at all", test_none, NULL);
    tap_add(&tests, "plain extensions, unknown ones, critical ones", test_plain, NULL);
    tap_add(&tests, "two attestation formats: both reported, neither verified", test_two, NULL);
    tap_add(&tests, "a log and an id are no second format", test_companion, NULL);
    tap_add(&tests, "a critical extension", test_critical, NULL);
    tap_add(&tests, "a type that would speak to the terminal", test_evil_type, NULL);
    return tap_run("verify/recognise", &tests);
}

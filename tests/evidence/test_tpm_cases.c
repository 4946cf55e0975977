/* SPDX-License-Identifier: Apache-2.0 */
/* The table of lies about TPM evidence: the honest machine of the simulator plus what is named, signed honestly, so that only the
 * check that the row is about can fail. Without a form a row is run in all four. */
#include "tpm_world.h"

#include <openssl/sha.h>

#define UNAUTHENTICATED ",\"insecure_allow_unauthenticated_ak\":true"
#define REPORT          "hardware.report=8x00"
/* the digest of four zero bytes */
#define SEPARATOR "df3f619804a92fdb4057192dc43dd748ea778adc52bc498ce80524c014b81119"

typedef struct row {
    const char *name;
    const char *settings[8];
    sim_tpm_form form;
    const char *more; /* of the policy; NULL: nothing */
    const char *code;
    const char *field;
} row;

/* clang-format off */
static const row rows[] = {
    {"honest", {NULL}, 0, NULL, "OK", ""},
    {"honest, P-256", {"ak.type=p256", NULL}, 0, NULL, "OK", ""},
    {"honest, P-384", {"ak.type=p384", NULL}, 0, NULL, "OK", ""},
    {"honest, RSA with SHA-384", {"ak.hash=12", NULL}, 0, NULL, "OK", ""},
    {"honest, RSA with SHA-512", {"ak.hash=13", NULL}, 0, NULL, "OK", ""},
    {"honest, one bank", {"quotes=sha256", NULL}, 0, NULL, "OK", ""},
    {"honest, four banks", {"quotes=sha512,sha384,sha256,sha1", NULL}, 0, NULL, "OK", ""},
    {"honest, some PCRs", {"quote.sha256.mask=0x0091", "log=none", NULL}, 0, NULL, "OK", ""},
    {"honest, no event log", {"log=none", NULL}, 0, NULL, "OK", ""},
    {"honest, intermediate in the document", {"certs=along", NULL}, 0, NULL, "OK", ""},
    {"honest, certificate without instance", {"gce=none", NULL}, 0, NULL, "OK", ""},
    {"honest, certificate without purpose, of an instance", {"cert.leaf.eku=none", NULL}, 0, NULL, "OK", ""},
    {"honest, purpose of EK certificates", {"cert.leaf.eku=2.23.133.8.1", "gce=none", NULL}, 0, NULL, "OK", ""},
    {"honest, critical purpose", {"cert.leaf.eku_critical=1", NULL}, 0, NULL, "OK", ""},
    {"honest, no subjectAltName", {"cert.leaf.san=none", NULL}, 0, NULL, "OK", ""},
    {"honest, no key usage, no constraints in the leaf", {"cert.leaf.key_usage=none", "cert.leaf.ca=none", NULL}, 0, NULL, "OK", ""},
    {"honest, exponent spelt out", {"ak.exponent=65537", NULL}, 0, NULL, "OK", ""},
    {"honest, policy of the key", {"ak.policy=32x11", NULL}, 0, NULL, "OK", ""},
    {"honest, Name with SHA-384", {"ak.name_alg=12", NULL}, 0, NULL, "OK", ""},
    {"honest, started from locality 3", {"log.locality=3", NULL}, 0, NULL, "OK", ""},
    {"honest, log padded with zeros", {"log.tail=100x00", NULL}, 0, NULL, "OK", ""},
    {"honest, log padded with ff", {"log.tail=100xff", NULL}, 0, NULL, "OK", ""},
    {"honest, lists wanted", {NULL}, 0, ",\"revocation\":\"require\"", "OK", ""},
    {"honest, instance info", {"instance_info={\"a\":1}", NULL}, SIM_TPM_CONSTELLATION, NULL, "OK", ""},
    {"honest, instance info that is no JSON", {"instance_info=?", NULL}, SIM_TPM_CONSTELLATION, NULL, "OK", ""},

    /* decode */
    {"RSA key of other length", {"ak.key_bits=1024", NULL}, 0, NULL, "EVIDENCE_FORMAT", "ak_pub.modulus"},
    {"key of no type", {"ak.type_number=8", NULL}, 0, NULL, "EVIDENCE_FORMAT", "ak_pub.type"},
    {"curve of no kind", {"ak.type=p256", "ak.curve=5", NULL}, 0, NULL, "EVIDENCE_FORMAT", "ak_pub.curve"},
    {"key cut", {"raw.ak_pub@-1-=1", NULL}, 0, NULL, "EVIDENCE_FORMAT", "ak_pub.modulus"},
    {"key and more", {"raw.ak_pub@-0+=00", NULL}, 0, NULL, "EVIDENCE_FORMAT", "ak_pub"},
    {"no magic", {"quote.sha256.magic=0xff544346", NULL}, 0, NULL, "EVIDENCE_FORMAT", "quotes[1].quote.magic"},
    {"certify, not quote", {"quote.sha256.type=0x8017", NULL}, 0, NULL, "EVIDENCE_FORMAT", "quotes[1].quote.type"},
    {"message and more", {"quote.sha256.tail=00", NULL}, 0, NULL, "EVIDENCE_FORMAT", "quotes[1].quote"},
    {"safe is 2", {"quote.sha256.safe=2", NULL}, 0, NULL, "EVIDENCE_FORMAT", "quotes[1].quote.safe"},
    {"extra data of 65 bytes", {"quote.sha256.extra=65x01", NULL}, 0, NULL, "EVIDENCE_FORMAT", "quotes[1].quote.extra_data"},
    {"scheme of no kind", {"quote.sha256.sig_scheme=0x1a", NULL}, 0, NULL, "EVIDENCE_FORMAT", "quotes[1].raw_sig.scheme"},
    {"signature cut", {"raw.sha256.signature@-1-=1", NULL}, 0, NULL, "EVIDENCE_FORMAT", "quotes[1].raw_sig.rsa"},
    {"signature and more", {"raw.sha256.signature@-0+=00", NULL}, 0, NULL, "EVIDENCE_FORMAT", "quotes[1].raw_sig"},
    {"one bank twice", {"quotes=sha256,sha256", NULL}, 0, NULL, "EVIDENCE_FORMAT", "quotes"},
    {"two quotes of one bank, shown as two", {"quotes=sha1,sha256", "quote.sha1.bank=11", NULL}, 0, NULL, "EVIDENCE_FORMAT", "quotes"},
    {"no quote", {"quotes=", NULL}, 0, NULL, "EVIDENCE_FORMAT", "quotes"},
    {"user data of 31 bytes", {"user_data=31x01", NULL}, SIM_TPM_CONSTELLATION, NULL, "EVIDENCE_FORMAT", "UserData"},
    {"a bank that nobody knows", {"shown.sha256.hash=7", NULL}, SIM_TPM_JSON, NULL, "EVIDENCE_FORMAT", "quotes[1].pcrs.hash"},
    {"a PCR too short", {"shown.sha256.3=31x00", NULL}, SIM_TPM_JSON, NULL, "EVIDENCE_FORMAT", "quotes[1].pcrs"},
    {"PCR 24", {"document.quotes.1.pcrs.pcrs.24=\"AA==\"", NULL}, SIM_TPM_JSON, NULL, "EVIDENCE_FORMAT", "quotes[1].pcrs"},
    {"PCR 007", {"document.quotes.1.pcrs.pcrs.007=\"AA==\"", NULL}, SIM_TPM_JSON, NULL, "EVIDENCE_FORMAT", "quotes[1].pcrs"},
    {"a key twice", {"document.+ak_pub=\"AA==\"", NULL}, SIM_TPM_JSON, NULL, "EVIDENCE_FORMAT", ""},
    {"names in other case", {"outer.attestation={}", "-outer.Attestation", NULL}, SIM_TPM_CONSTELLATION, NULL, "EVIDENCE_FORMAT", ""},
    {"both documents at once", {"outer.ak_pub=\"AA==\"", NULL}, SIM_TPM_CONSTELLATION, NULL, "EVIDENCE_FORMAT", ""},
    {"a field of the message twice", {"raw.document@-0+=1a00", NULL}, SIM_TPM_PROTOBUF, NULL, "EVIDENCE_FORMAT", ""},
    {"a field of the message of another type", {"raw.document@-0+=2000", NULL}, SIM_TPM_PROTOBUF, NULL, "EVIDENCE_FORMAT", "tag"},
    {"a group", {"raw.document@-0+=7b7c", NULL}, SIM_TPM_PROTOBUF, NULL, "EVIDENCE_FORMAT", "tag"},
    {"a number longer than it has to be", {"raw.document@-0+=788000", NULL}, SIM_TPM_PROTOBUF, NULL, "EVIDENCE_FORMAT", "value"},
    {"fields that nobody knows, repeated and whole", {"raw.document@-0+=78017801720100720100790000000000000000", NULL}, SIM_TPM_PROTOBUF, NULL, "OK", ""},
    {"a member of the map that nobody knows", {"raw.document@-0+=00", NULL}, SIM_TPM_CBOR, NULL, "EVIDENCE_FORMAT", ""},
    {"hardware of no kind", {REPORT, "hardware.kind=seesaws", NULL}, SIM_TPM_CBOR, NULL, "EVIDENCE_FORMAT", "hardware.kind"},

    /* the key */
    {"key not restricted", {"ak.attributes=0x00040072", NULL}, 0, NULL, "KEY_ATTRIBUTES", "ak_pub.attributes.restricted"},
    {"key not for signatures", {"ak.attributes=0x00010072", NULL}, 0, NULL, "KEY_ATTRIBUTES", "ak_pub.attributes.sign"},
    {"key may leave", {"ak.attributes=0x00050070", NULL}, 0, NULL, "KEY_ATTRIBUTES", "ak_pub.attributes.fixed_tpm"},
    {"key decrypts as well", {"ak.attributes=0x00070072", NULL}, 0, NULL, "KEY_ATTRIBUTES", "ak_pub.attributes.decrypt"},
    {"Name with SHA-1", {"ak.name_alg=4", NULL}, 0, NULL, "EVIDENCE_FORMAT", "ak_pub.name_alg"},

    /* its certificate */
    {"certificate of another key", {"cert.leaf.key=other", NULL}, 0, NULL, "CERTIFICATE_MISMATCH", "ak_cert.public_key"},
    {"certificate, too late", {"cert.leaf.not_after=now-1", NULL}, 0, NULL, "EXPIRED", "ak_cert.not_after"},
    {"certificate, too early", {"cert.leaf.not_before=now+1", NULL}, 0, NULL, "NOT_YET_VALID", "ak_cert.not_before"},
    {"intermediate, too late", {"cert.intermediate.not_after=now-1", NULL}, 0, NULL, "EXPIRED", "ak_cert.intermediate[0].not_after"},
    {"root, too late", {"cert.root.not_after=now-1", NULL}, 0, NULL, "EXPIRED", "ak_cert.root.not_after"},
    {"certificate's signature", {"cert.leaf.sig=bit", NULL}, 0, NULL, "CERTIFICATE_CHAIN", "ak_cert.signature"},
    {"certificate signed by the root", {"cert.leaf.signed_by=root", NULL}, 0, NULL, "CERTIFICATE_CHAIN", "ak_cert.signature"},
    {"intermediate's signature", {"cert.intermediate.sig=bit", NULL}, 0, NULL, "CERTIFICATE_CHAIN", "ak_cert.intermediate[0].signature"},
    {"intermediate is no CA", {"cert.intermediate.ca=false", NULL}, 0, NULL, "CERTIFICATE_CHAIN", "ak_cert.intermediate[0].basic_constraints"},
    {"intermediate may not sign", {"cert.intermediate.key_usage=80", NULL}, 0, NULL, "CERTIFICATE_CHAIN", "ak_cert.intermediate[0].key_usage"},
    {"certificate is a CA", {"cert.leaf.ca=true", NULL}, 0, NULL, "CERTIFICATE_CHAIN", "ak_cert.basic_constraints"},
    {"certificate is not for signatures", {"cert.leaf.key_usage=20", NULL}, 0, NULL, "CERTIFICATE_CHAIN", "ak_cert.key_usage"},
    {"certificate is for servers", {"cert.leaf.eku=1.3.6.1.5.5.7.3.1", NULL}, 0, NULL, "CERTIFICATE_CHAIN", "ak_cert.ext_key_usage"},
    {"certificate is for nothing", {"cert.leaf.eku=none", "gce=none", NULL}, 0, NULL, "CERTIFICATE_CHAIN", "ak_cert.ext_key_usage"},
    {"critical name of a server", {"cert.leaf.san=dns", NULL}, 0, NULL, "CERTIFICATE_CHAIN", "ak_cert.critical_extension"},
    {"critical extension of the leaf", {"cert.leaf.critical_ext=1", NULL}, 0, NULL, "CERTIFICATE_CHAIN", "ak_cert.critical_extension"},
    {"critical extension of the intermediate", {"cert.intermediate.critical_ext=1", NULL}, 0, NULL, "CERTIFICATE_CHAIN", "ak_cert.intermediate[0].critical_extension"},
    {"instance that is not in production", {"gce.production=0", NULL}, 0, NULL, "CERTIFICATE_CHAIN", "ak_cert.gce_instance.is_production"},
    {"instance that does not say", {"gce.production=none", NULL}, 0, NULL, "CERTIFICATE_CHAIN", "ak_cert.gce_instance.is_production"},
    {"issuer is not at hand", {"pile.intermediate=none", NULL}, 0, NULL, "ENDORSEMENTS_MISSING", "ak_cert.issuer"},
    {"issuer of another name", {"cert.leaf.issuer_cn=somebody", NULL}, 0, NULL, "ENDORSEMENTS_MISSING", "ak_cert.issuer"},
    {"certificate revoked", {"crl.intermediate.revoked=3", NULL}, 0, NULL, "REVOKED", "ak_cert"},
    {"certificate revoked on a list out of date", {"crl.intermediate.revoked=3", "crl.intermediate.next_update=now-1", NULL}, 0, NULL, "REVOKED", "ak_cert"},
    {"intermediate revoked", {"crl.root.revoked=2", NULL}, 0, NULL, "REVOKED", "ak_cert.intermediate[0]"},
    {"revoked by somebody else", {"crl.intermediate.revoked=3", "crl.intermediate.signed_by=stranger", NULL}, 0, NULL, "OK", ""},
    {"revoked, and lists are switched off", {"crl.intermediate.revoked=3", NULL}, 0, ",\"revocation\":\"insecure_off\"", "OK", ""},
    {"lists wanted, none there", {"crls=none", NULL}, 0, ",\"revocation\":\"require\"", "CRL", "ak_cert.intermediate[0]"},
    {"lists wanted, one out of date", {"crl.intermediate.next_update=now-1", NULL}, 0, ",\"revocation\":\"require\"", "CRL", "ak_cert"},
    {"no lists", {"crls=none", NULL}, 0, NULL, "OK", ""},

    /* who vouches */
    {"nobody vouches", {"cert=none", NULL}, 0, NULL, "KEY_NOT_AUTHENTICATED", "ak_pub"},
    {"nobody vouches, and need not", {"cert=none", NULL}, 0, UNAUTHENTICATED, "OK", ""},
    {"the project is wanted, but nothing says it", {"cert=none", NULL}, 0, UNAUTHENTICATED ",\"gce_project\":\"p\"", "KEY_NOT_AUTHENTICATED", "ak_pub"},
    {"the project is wanted, the certificate has none", {"gce=none", NULL}, 0, ",\"gce_project\":\"p\"", "MACHINE_NOT_ALLOWED", "ak_cert.gce_instance.project_id"},
    {"another zone", {NULL}, 0, ",\"gce_zone\":\"europe-west4-a\"", "MACHINE_NOT_ALLOWED", "ak_cert.gce_instance.zone"},
    {"another instance", {NULL}, 0, ",\"gce_instance\":\"machine2\"", "MACHINE_NOT_ALLOWED", "ak_cert.gce_instance.instance_name"},
    {"another instance id", {NULL}, 0, ",\"gce_instance_id\":\"1\"", "MACHINE_NOT_ALLOWED", "ak_cert.gce_instance.instance_id"},
    {"an instance id beyond 63 bits", {NULL}, 0, ",\"gce_instance_id\":\"9223372036854775809\"", "OK", ""},
    {"another key is pinned", {NULL}, 0, ",\"ak\":\"" SEPARATOR "\"", "KEY_NOT_AUTHENTICATED", "ak_pub"},
    {"hardware is wanted", {NULL}, 0, ",\"hardware\":{\"type\":\"tdx\"}", "KEY_NOT_AUTHENTICATED", "hardware"},
    {"hardware that is nonsense", {REPORT, "hardware.kind=tdx", NULL}, SIM_TPM_CBOR, ",\"hardware\":{\"type\":\"tdx\"}", "QUOTE_FORMAT", "hardware.quote.header"},
    {"hardware of another kind than asked for", {REPORT, "hardware.kind=tdx", NULL}, SIM_TPM_CBOR, ",\"hardware\":{\"type\":\"sev_snp\"}", "TEE_TYPE_MISMATCH", "hardware"},
    {"hardware that nobody asked for", {REPORT, NULL}, SIM_TPM_CBOR, NULL, "OK", ""},
    {"hardware that names no key", {REPORT, "hardware.runtime_data={\"keys\":[]}", NULL}, SIM_TPM_CBOR, NULL, "KEY_NOT_AUTHENTICATED", "hardware.runtime_data.HCLAkPub"},
    {"hardware that is no JSON", {REPORT, "hardware.runtime_data={", NULL}, SIM_TPM_CBOR, NULL, "EVIDENCE_FORMAT", "hardware.runtime_data"},
    {"instance info with an Azure report without runtime data", {"instance_info={\"AttestationReport\":\"AAAA\",\"Azure\":{}}", NULL}, SIM_TPM_CONSTELLATION, NULL, "EVIDENCE_FORMAT", "InstanceInfo.Azure.RuntimeData"},
    {"instance info with a signer that is no PEM", {"instance_info={\"AttestationReport\":\"AAAA\",\"ReportSigner\":\"AAAA\"}", NULL}, SIM_TPM_CONSTELLATION, NULL, "EVIDENCE_FORMAT", "InstanceInfo.ReportSigner"},
    {"instance info with a bad report", {"instance_info={\"AttestationReport\":7}", NULL}, SIM_TPM_CONSTELLATION, NULL, "EVIDENCE_FORMAT", "InstanceInfo.AttestationReport"},

    /* quotes */
    {"signature of one quote", {"quote.sha256.sig=bit", NULL}, 0, NULL, "EVIDENCE_SIGNATURE", "quotes[1].raw_sig"},
    {"signature of a bank that the policy does not look at", {"quote.sha1.sig=bit", NULL}, 0, NULL, "EVIDENCE_SIGNATURE", "quotes[0].raw_sig"},
    {"ECDSA signature", {"ak.type=p256", "quote.sha256.sig=bit", NULL}, 0, NULL, "EVIDENCE_SIGNATURE", "quotes[1].raw_sig"},
    {"ECDSA signature of zeros", {"ak.type=p256", "quote.sha256.sig=zero", NULL}, 0, NULL, "EVIDENCE_SIGNATURE", "quotes[1].raw_sig"},
    {"signed with SHA-1", {"quote.sha256.sig_hash=4", "ak.scheme=0x10", NULL}, 0, NULL, "EVIDENCE_SIGNATURE", "quotes[1].raw_sig"},
    {"signed with RSAPSS", {"quote.sha256.sig_scheme=0x16", "ak.scheme=0x10", NULL}, 0, NULL, "EVIDENCE_SIGNATURE", "quotes[1].raw_sig"},
    {"RSASSA that says it is RSAPSS, where that is taken", {"quote.sha256.sig_scheme=0x16", "ak.scheme=0x10", NULL}, 0, ",\"allow_rsapss\":true", "EVIDENCE_SIGNATURE", "quotes[1].raw_sig"},
    {"another scheme than the key's, where that is taken", {"quote.sha256.sig_scheme=0x16", NULL}, 0, ",\"allow_rsapss\":true", "EVIDENCE_SIGNATURE", "quotes[1].raw_sig"},
    {"another scheme than the key's", {"ak.scheme=0x16", NULL}, 0, NULL, "EVIDENCE_SIGNATURE", "quotes[0].raw_sig"},
    {"another hash than the key's", {"ak.scheme_hash=12", NULL}, 0, NULL, "EVIDENCE_SIGNATURE", "quotes[0].raw_sig"},
    {"ECDSA scheme of an RSA key", {"quote.sha256.sig_scheme=0x18", "ak.scheme=0x10", "raw.sha256.signature@4=0080", "raw.sha256.signature@134+=0080", NULL}, 0, NULL, "EVIDENCE_FORMAT", "quotes[1].raw_sig.r"},
    {"message after signing", {"raw.sha256.message@85^=01", NULL}, 0, NULL, "EVIDENCE_SIGNATURE", "quotes[1].raw_sig"},
    {"made for nobody", {"quote.sha1.extra=0x", NULL}, 0, NULL, "REPORT_DATA_MISMATCH", "quotes[0].extra_data"},
    {"made for two", {"quote.sha1.extra=32x07", NULL}, 0, NULL, "REPORT_DATA_MISMATCH", "quotes[1].extra_data"},
    {"made for somebody else", {"quote.sha1.extra=32x07", "quote.sha256.extra=32x07", NULL}, 0, NULL, "REPORT_DATA_MISMATCH", "quote.extra_data"},
    {"a register shown otherwise", {"shown.sha256.11=32x07", NULL}, 0, NULL, "PCR_DIGEST", "quotes[1].pcrs"},
    {"a register of another bank shown otherwise", {"shown.sha1.11=20x07", NULL}, 0, NULL, "PCR_DIGEST", "quotes[0].pcrs"},
    {"fewer registers than quoted", {"quote.sha256.shown=0x7fffff", NULL}, 0, NULL, "PCR_DIGEST", "quotes[1].pcrs"},
    {"more registers than quoted", {"quote.sha256.mask=0x7fffff", "quote.sha256.shown=0xffffff", NULL}, 0, NULL, "PCR_DIGEST", "quotes[1].pcrs"},
    {"a selection wider than the digest", {"quote.sha256.mask=0x7fffff", "quote.sha256.select=0xffffff", "quote.sha256.shown=0xffffff", NULL}, 0, NULL, "PCR_DIGEST", "quotes[1].pcrs"},
    {"values of another bank", {"shown.sha256.hash=18", NULL}, 0, NULL, "PCR_DIGEST", "quotes[1].pcrs"},
    {"another digest", {"quote.sha256.digest=00", NULL}, 0, NULL, "PCR_DIGEST", "quotes[1].pcrs"},

    /* the log */
    {"log cut in a record", {"raw.event_log@-1-=1", NULL}, 0, NULL, "EVENT_LOG_PARSE", "event_log[10].data"},
    {"log without its last event", {"raw.event_log@-228-=*", NULL}, 0, NULL, "PCR_MISMATCH", "pcr5"},
    {"an event with another digest", {"event.3.sha256=00", NULL}, 0, NULL, "PCR_MISMATCH", "pcr7"},
    {"an event of another bank with another digest", {"event.3.sha512=00", NULL}, 0, NULL, "OK", ""},
    {"an event of another PCR", {"event.3.pcr=0", NULL}, 0, NULL, "PCR_MISMATCH", "pcr0"},
    {"an event of PCR 24", {"event.3.pcr=24", NULL}, 0, NULL, "EVENT_LOG_PARSE", "event_log[3].pcr"},
    {"an event called no action", {"event.3.type=3", NULL}, 0, NULL, "PCR_MISMATCH", "pcr7"},
    {"an event of another type", {"event.3.type=5", NULL}, 0, NULL, "OK", ""},
    {"an event with fewer digests", {"event.3.digests=3", NULL}, 0, NULL, "EVENT_LOG_PARSE", "event_log[3].digests"},
    {"an event with an algorithm twice", {"event.3.sha384.alg=11", NULL}, 0, NULL, "EVENT_LOG_PARSE", "event_log[3].digests"},
    {"an event with an unknown algorithm", {"event.3.sha384.alg=18", NULL}, 0, NULL, "EVENT_LOG_PARSE", "event_log[3].digests"},
    {"an event longer than the log", {"event.10.size=+1", NULL}, 0, NULL, "EVENT_LOG_PARSE", "event_log[10].data"},
    {"a register that moved on", {"pcr.sha256.9=32x07", NULL}, 0, NULL, "PCR_MISMATCH", "pcr9"},
    {"a register without events", {"pcr.sha256.11=32x07", NULL}, 0, NULL, "OK", ""},
    {"algorithms beyond the header", {"log.algorithms=5", NULL}, 0, NULL, "EVENT_LOG_PARSE", "event_log.header.algorithm_id"},
    {"no algorithms", {"log.algorithms=0", NULL}, 0, NULL, "EVENT_LOG_PARSE", "event_log.header.number_of_algorithms"},
    {"SHA-256 of 20 bytes", {"log.sha256.size=20", NULL}, 0, NULL, "EVENT_LOG_PARSE", "event_log.header.digest_size"},
    {"data after the end", {"log.tail=ffffffff00000000ffff01", NULL}, 0, NULL, "EVENT_LOG_PARSE", "event_log[11]"},
    {"a log of the SHA-1 form", {"log=sha1", NULL}, 0, NULL, "OK", ""},
    {"a log of the SHA-1 form, changed", {"log=sha1", "event.3.sha1=00", NULL}, 0, NULL, "PCR_MISMATCH", "pcr7"},
    {"a log of the SHA-1 form, that bank not quoted", {"log=sha1", "quotes=sha256", NULL}, 0, NULL, "OK", ""},
    {"a log of the SHA-1 form where a log must replay", {"log=sha1", NULL}, 0, ",\"require_event_log\":true", "EVENT_LOG_PARSE", "event_log"},
    {"a log that is wanted", {NULL}, 0, ",\"require_event_log\":true", "OK", ""},
    {"a log that is wanted, and missing", {"log=none", NULL}, 0, ",\"require_event_log\":true", "EVENT_LOG_PARSE", "event_log"},
    {"a log that is ignored, and bad", {"raw.event_log@-1-=1", NULL}, 0, ",\"ignore_event_log\":true", "OK", ""},
    {"a log of registers that were not quoted", {"quote.sha256.mask=0x0091", NULL}, 0, ",\"require_event_log\":true", "EVENT_LOG_PARSE", "event_log"},

    /* what firmware says */
    {"secure boot", {NULL}, 0, ",\"require_secure_boot\":true", "OK", ""},
    {"secure boot off", {"event.2.data=61dfe48bca93d211aa0d00e098032b8c0a00000000000000010000000000000053006500630075007200650042006f006f00740000", NULL}, 0, ",\"require_secure_boot\":true", "MEASUREMENT_MISMATCH", "event_log.SecureBoot"},
    {"secure boot shown on, measured otherwise", {"event.2.data=00", "event.2.shown=61dfe48bca93d211aa0d00e098032b8c0a00000000000000010000000000000053006500630075007200650042006f006f00740001", NULL}, 0, ",\"require_secure_boot\":true", "MEASUREMENT_MISMATCH", "event_log.SecureBoot"},
    {"secure boot said after the separator", {"event.2.data=00000000", "event.3.data=61dfe48bca93d211aa0d00e098032b8c0a00000000000000010000000000000053006500630075007200650042006f006f00740001", NULL}, 0, ",\"require_secure_boot\":true", "MEASUREMENT_MISMATCH", "event_log.SecureBoot"},
    {"secure boot without a log", {"log=none", NULL}, 0, ",\"require_secure_boot\":true", "MEASUREMENT_MISMATCH", "event_log.SecureBoot"},
    {"technology", {NULL}, 0, ",\"gce_technology\":[\"tdx\",\"sev-snp\"]", "OK", ""},
    {"another technology", {NULL}, 0, ",\"gce_technology\":\"tdx\"", "MEASUREMENT_MISMATCH", "event_log.NonHostInfo"},
    {"technology shown otherwise", {"event.1.shown=47434520", NULL}, 0, ",\"gce_technology\":\"sev-snp\"", "MEASUREMENT_MISMATCH", "event_log.NonHostInfo"},
    {"firmware", {NULL}, 0, ",\"min_gce_firmware\":2", "OK", ""},
    {"older firmware", {NULL}, 0, ",\"min_gce_firmware\":3", "TCB_TOO_LOW", "event_log.S_CRTM_VERSION"},
    {"firmware said after the separator", {"event.0.data=00000000", "event.4.data=47004300450020005600690072007400750061006c0020004600690072006d007700610072006500200076003900" "0000", NULL}, 0, ",\"min_gce_firmware\":2", "TCB_TOO_LOW", "event_log.S_CRTM_VERSION"},

    /* registers */
    {"a bank that was not quoted", {"quotes=sha1,sha384", NULL}, 0, NULL, "MEASUREMENT_MISMATCH", "bank"},
    {"a register that was not quoted", {"quote.sha256.mask=0x0081", "log=none", NULL}, 0, NULL, "MEASUREMENT_MISMATCH", "pcrs.4"},
};
/* clang-format on */
#define N_ROWS (sizeof rows / sizeof rows[0])

static void run_form(const row *r, sim_tpm_form form)
{
    tpm_world w;
    tpm_world_open(&w, r->settings, form, r->more == NULL ? "" : r->more);
    const bool ok = tpm_world_appraise(&w);
    tpm_world_expect(&w, ok, r->code, r->field);
    size_t n_failed = 0;
    for (size_t i = 0; i < w.result.n_checks; i++) {
        n_failed += w.result.checks[i].verdict == ATLS_CHECK_FAIL ? 1 : 0;
    }
    assert_true(ok ? n_failed == 0 : n_failed >= 1);
    assert_true(ok == w.result.claims.tpm.present);
    tpm_world_close(&w);
}

static void test_row(void **state)
{
    const row *r = *state;
    for (int form = SIM_TPM_CONSTELLATION; form <= SIM_TPM_CBOR; form++) {
        if (r->form == 0 || (int)r->form == form) {
            run_form(r, (sim_tpm_form)form);
        }
    }
}

/* ---- what a row cannot say ---- */

static void test_other_root(void **state)
{
    tpm_world w;
    const char *const none[] = {NULL};
    (void)state;
    tpm_world_open(&w, none, SIM_TPM_CBOR, "");
    char text[2048] = {0};
    assert_true(w.policy_text.len < sizeof text);
    memcpy(text, w.policy_text.ptr, w.policy_text.len);
    char *root = strstr(text, "trusted_roots");
    assert_non_null(root);
    root[20] = root[20] == '0' ? '1' : '0';
    atls_verifier_free(w.verifier);
    atls_policy_free(w.policy);
    tpm_world_must(&w, atls_policy_parse(atls_bytes_str(text), &w.policy, &w.err)
                           && atls_verifier_new(w.policy, &w.verifier, &w.err));
    tpm_world_expect(&w, tpm_world_appraise(&w), "CERTIFICATE_CHAIN", "ak_cert.root");
    tpm_world_close(&w);
}

/* Pins: by TPMT_PUBLIC, by SubjectPublicKeyInfo, by Name; the claims name all of them. */
static void test_pins(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        tpm_world w;
        const char *const settings[] = {"cert=none", "ak.type=p256", NULL};
        char more[256];
        char hex[80];
        tpm_world_open(&w, settings, SIM_TPM_CBOR, UNAUTHENTICATED);
        assert_true(tpm_world_appraise(&w));
        const atls_tpm_claims *c = &w.result.claims.tpm;
        atls_hex_encode(i == 0   ? atls_bytes_of(c->ak_sha256, 32)
                        : i == 1 ? atls_bytes_of(c->ak_spki_sha256, 32)
                                 : c->ak_name,
                        hex);
        (void)snprintf(more, sizeof more, ",\"ak\":[\"" SEPARATOR "\",\"%s\"]", hex);
        tpm_world_close(&w);
        tpm_world_open(&w, settings, SIM_TPM_CBOR, more);
        tpm_world_expect(&w, tpm_world_appraise(&w), "OK", "");
        assert_int_equal(w.result.claims.tpm.trust, ATLS_TPM_TRUST_PINNED);
        tpm_world_close(&w);
    }
}

/* Several mismatches: all are listed, the first is the error. */
static void test_all_mismatches(void **state)
{
    tpm_world w;
    const char *const settings[] = {"quote.sha256.mask=0x0080", "log=none", NULL};
    (void)state;
    tpm_world_open(&w, settings, SIM_TPM_CBOR, ",\"gce_zone\":\"x\"");
    w.in.binding.value[0] ^= 1;
    tpm_world_expect(&w, tpm_world_appraise(&w), "MACHINE_NOT_ALLOWED", "ak_cert.gce_instance.zone");
    static const char *const failed[] = {"tpm.gce_zone", "tpm.pcr.0", "tpm.pcr.4", "binding"};
    for (size_t i = 0; i < 4; i++) {
        assert_non_null(tpm_world_check(&w, failed[i]));
        assert_int_equal(tpm_world_check(&w, failed[i])->verdict, ATLS_CHECK_FAIL);
    }
    assert_int_equal(tpm_world_check(&w, "tpm.pcr.7")->verdict, ATLS_CHECK_PASS);
    tpm_world_close(&w);
}

/* warnOnly, zeros and ff: listed as skipped, and not as passed without a word. */
static void test_warnings(void **state)
{
    tpm_world w;
    const char *const none[] = {NULL};
    (void)state;
    tpm_world_open(&w, none, SIM_TPM_CBOR, "");
    atls_verifier_free(w.verifier);
    atls_policy_free(w.policy);
    char text[2048];
    char root[80];
    const atls_bytes der = sim_tpm_root(w.machine);
    uint8_t digest[32];
    (void)SHA256(der.ptr, der.len, digest);
    atls_hex_encode(atls_bytes_of(digest, sizeof digest), root);
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"tpm\",\"trusted_roots\":[\"%s\"],\"pcrs\":{\"4\":{\"expected\":\"" SEPARATOR
                   "\",\"warnOnly\":true},\"15\":\"%064d\",\"17\":[\"" SEPARATOR
                   "\",\"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\"]}}",
                   root, 0);
    tpm_world_must(&w, atls_policy_parse(atls_bytes_str(text), &w.policy, &w.err)
                           && atls_verifier_new(w.policy, &w.verifier, &w.err));
    tpm_world_expect(&w, tpm_world_appraise(&w), "OK", "");
    static const struct {
        const char *id;
        atls_check_verdict verdict;
    } wanted[] = {
        {"tpm.pcr.4", ATLS_CHECK_SKIPPED},
        {"tpm.pcr.15", ATLS_CHECK_PASS},
        {"tpm.pcr_warning.15", ATLS_CHECK_SKIPPED},
        {"tpm.pcr_warning.17", ATLS_CHECK_SKIPPED},
        {"tpm.pcr.17", ATLS_CHECK_PASS},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        const atls_check *c = tpm_world_check(&w, wanted[i].id);
        assert_non_null(c);
        assert_int_equal(c->verdict, wanted[i].verdict);
    }
    assert_false(w.result.runtime_verified); /* nothing of it says which code must run */
    tpm_world_close(&w);
}

/* Binding: what each form holds of a value, and what it cannot hold. */
static void test_bind(void **state)
{
    (void)state;
    for (int form = SIM_TPM_CONSTELLATION; form <= SIM_TPM_CBOR; form++) {
        tpm_world w;
        const char *const settings[] = {"instance_info=x", NULL};
        tpm_world_open(&w, settings, (sim_tpm_form)form, "");
        w.in.binding.value_len = 31;
        w.in.binding.value[31] = 0;
        tpm_world_expect(&w, tpm_world_appraise(&w), form == SIM_TPM_CONSTELLATION ? "USAGE" : "REPORT_DATA_MISMATCH",
                         form == SIM_TPM_CONSTELLATION ? "binding.value" : "quote.extra_data");
        /* a session's 64 bytes are cut */
        memset(w.in.binding.value, 0x42, 64);
        w.in.binding.value_len = 0;
        w.in.binding.profile = "atls/1";
        w.in.binding.grade = ATLS_GRADE_SESSION;
        const bool is_taken = form == SIM_TPM_CBOR; /* of a session no other form is */
        tpm_world_expect(&w, tpm_world_appraise(&w), is_taken ? "OK" : "EVIDENCE_FORMAT", "");
        w.in.binding.value[31] ^= 1;
        tpm_world_expect(&w, tpm_world_appraise(&w), is_taken ? "REPORT_DATA_MISMATCH" : "EVIDENCE_FORMAT",
                         is_taken ? "quote.extra_data" : "");
        /* nobody else's are */
        memset(w.in.binding.value, 0x42, 64);
        w.in.binding.profile = "";
        w.in.binding.grade = ATLS_GRADE_REPORT_DATA;
        assert_false(tpm_world_appraise(&w));
        tpm_world_close(&w);
    }
}

/* A log beside the evidence is read like one inside; two that differ are one too many. */
static void test_log_beside(void **state)
{
    tpm_world with;
    tpm_world without;
    const char *const none[] = {NULL};
    const char *const no_log[] = {"log=none", NULL};
    (void)state;
    tpm_world_open(&with, none, SIM_TPM_CBOR, ",\"require_event_log\":true");
    tpm_world_open(&without, no_log, SIM_TPM_CBOR, ",\"require_event_log\":true");
    without.in.event_log = sim_tpm_event_log(with.machine);
    tpm_world_expect(&without, tpm_world_appraise(&without), "OK", "");
    with.in.event_log = sim_tpm_event_log(with.machine);
    tpm_world_expect(&with, tpm_world_appraise(&with), "OK", "");
    with.in.event_log = atls_bytes_of(with.in.event_log.ptr, with.in.event_log.len - 1);
    tpm_world_expect(&with, tpm_world_appraise(&with), "EVENT_LOG_PARSE", "event_log");
    tpm_world_close(&with);
    tpm_world_close(&without);
}

/* All that a result says of such a machine is JSON. */
static void test_claims_json(void **state)
{
    tpm_world w;
    atls_bytes json;
    const char *const none[] = {NULL};
    (void)state;
    tpm_world_open(&w, none, SIM_TPM_CONSTELLATION, "");
    assert_true(tpm_world_appraise(&w));
    tpm_world_must(&w, atls_result_json(&w.result, NULL, &w.arena, &json, &w.err));
    static const char *const texts[] = {
        "\"tpm\":{\"form\":\"constellation\"",
        "\"trust\":\"certificate\"",
        "\"instance_id\":\"9223372036854775809\"",
        "\"project_id\":\"example.com:project\"",
        "\"secure_boot\":\"on\"",
        "\"gce_technology\":\"sev-snp\"",
        "\"gce_firmware_version\":2",
        "\"verified\":true",
        "\"unverified_data\":",
        "\"firmware_version\":\"2016051100162800\"",
        "\"bank\":\"sha256\"",
        "\"user_data\":\"",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char copy[65536];
        assert_true(json.len < sizeof copy);
        memcpy(copy, json.ptr, json.len);
        copy[json.len] = '\0';
        if (strstr(copy, texts[i]) == NULL) {
            fail_msg("no %s in %s", texts[i], copy);
        }
    }
    tpm_world_close(&w);
}

/* More lists than are looked at: the one that revokes could be the last. */
static bool endorse_with_many(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                              atls_error *err)
{
    const size_t n = ATLS_MAX_PILE_CRLS + 1;
    atls_bytes *lists = atls_arena_array(a, n, sizeof *lists, err);
    if (lists == NULL || !sim_tpm_endorse(ctx, request, a, out, err)) {
        return false;
    }
    assert_true(out->pile.n_crls > 0);
    for (size_t i = 0; i < n; i++) {
        lists[i] = out->pile.crls[0];
    }
    out->pile.crls = lists;
    out->pile.n_crls = n;
    return true;
}

static void too_many_lists(void **state)
{
    tpm_world w;
    static const char *const none[] = {NULL};
    (void)state;
    tpm_world_open(&w, none, SIM_TPM_CBOR, "");
    w.in.endorse = endorse_with_many;
    tpm_world_expect(&w, tpm_world_appraise(&w), "LIMIT", "endorsements.crls");
    assert_int_not_equal(w.result.verdict, ATLS_VERDICT_ACCEPTED);
    tpm_world_close(&w);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < N_ROWS; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    tap_add(&l, "a root that the policy does not name", test_other_root, NULL);
    tap_add(&l, "pins", test_pins, NULL);
    tap_add(&l, "every mismatch is listed", test_all_mismatches, NULL);
    tap_add(&l, "warnings", test_warnings, NULL);
    tap_add(&l, "what each form binds", test_bind, NULL);
    tap_add(&l, "a log beside the evidence", test_log_beside, NULL);
    tap_add(&l, "claims as JSON", test_claims_json, NULL);
    tap_add(&l, "more lists than are looked at", too_many_lists, NULL);
    return tap_run("tpm cases", &l);
}

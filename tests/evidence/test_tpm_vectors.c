/* SPDX-License-Identifier: Apache-2.0 */
/* Genuine TPM evidence: the cases of tpm/manifest.json, with the negatives that it lists and changes of our own; those of Azure are
 * in test_tpm_azure.c. */
#include <openssl/evp.h>

#include "tpm_vectors.h"

/* ---- gce_cos85 ---- */

#define GCE_PCR0         "0f35c214608d93c7a6e68ae7359b4a8be5a0e99eea9107ece427c4dea4e439cf"
#define GCE_POLICY(more) "{\"type\":\"tpm\",\"pcrs\":{\"0\":\"" GCE_PCR0 "\"}" more "}"
#define GCE_TIME         "2022-01-01T00:00:00Z"

static void open_gce(run *r)
{
    open_run(r);
    r->evidence = file(r, "tpm/gce_cos85_nonce9009.pb");
    r->certs[0] = file(r, "tpm/gce_tpm_ek_root_1.cer");
    r->certs[1] = file(r, "tpm/azure_snp.vcek.der"); /* of no use here */
    r->certs[2] = file(r, "tpm/gce_tpm_ek_intermediate_2.crt");
    r->n_certs = 3;
    r->endorsements.pile.certificates = r->certs;
    r->endorsements.pile.n_certificates = r->n_certs;
}

static atls_bytes gce_same(run *r, atls_bytes in)
{
    (void)r;
    return in;
}

/* A PCR's entry is 0a.. key, 12 20, value: the value of PCR 9 of the SHA-256 bank. */
static atls_bytes gce_change_pcr(run *r, atls_bytes in)
{
    return flip_after(r, in, "\x08\x09\x12\x20", 4, 0, 31);
}

/* Quotes are {0a 73 message, 12 86 02 signature}: the signatures of the first two change places. */
static atls_bytes gce_swap_signatures(run *r, atls_bytes in)
{
    tpm_evidence e;
    assert_true(tpm_decode(in, &r->arena, &e, &r->err));
    const size_t first = (size_t)(e.quotes[0].signature.ptr - in.ptr);
    const size_t second = (size_t)(e.quotes[1].signature.ptr - in.ptr);
    const size_t len = e.quotes[0].signature.len;
    uint8_t *out = atls_arena_raw(&r->arena, in.len, &r->err);
    assert_non_null(out);
    assert_int_equal(len, e.quotes[1].signature.len);
    memcpy(out, in.ptr, in.len);
    memcpy(out + first, in.ptr + second, len);
    memcpy(out + second, in.ptr + first, len);
    return atls_bytes_of(out, in.len);
}

static atls_bytes gce_flip_message(run *r, atls_bytes in)
{
    return flip_after(r, in, "\xff\x54\x43\x47\x80\x18", 6, 0, 60); /* the clock of the first quote */
}

static atls_bytes gce_flip_event_digest(run *r, atls_bytes in)
{
    static const uint8_t first[] = {0, 0, 0, 0, 8, 0, 0, 0, 3, 0, 0, 0, 4, 0};
    return flip_after(r, in, first, sizeof first, 0, 20 + 2);
}

static atls_bytes gce_no_restricted(run *r, atls_bytes in)
{
    return flip_after(r, in, "\x00\x01\x00\x0b\x00", 5, 0, 0); /* 05 -> 04 */
}

static atls_bytes gce_other_key(run *r, atls_bytes in)
{
    return flip_after(r, in, "\x08\x00\x00\x00\x00\x00\x01\x00", 8, 0, 40);
}

typedef struct gce_row {
    const char *name;
    atls_bytes (*change)(run *r, atls_bytes in);
    const char *policy;
    const char *value;
    const char *now;
    const char *code;
    const char *field;
} gce_row;

static const gce_row gce_rows[] = {
    {"gce_cos85", gce_same, GCE_POLICY(""), "9009", GCE_TIME, "OK", ""},
    {"gce_cos85: the instance, by all its names", gce_same,
     GCE_POLICY(
         ",\"gce_project\":\"google.com:wuale-gcp-testing\",\"gce_zone\":[\"x\",\"us-central1-a\"],\"gce_instance\":"
         "\"cos-test\",\"gce_instance_id\":\"6797026933021542085\",\"require_event_log\":true,"
         "\"require_secure_boot\":true,\"gce_technology\":\"sev\",\"min_gce_firmware\":1"),
     "9009", GCE_TIME, "OK", ""},
    {"gce_cos85: the key pinned by its TPMT_PUBLIC", gce_same, GCE_POLICY(",\"ak\":\"@public\""), "9009", GCE_TIME,
     "OK", ""},
    {"gce_cos85: SHA-384 as the policy's bank", gce_same,
     "{\"type\":\"tpm\",\"bank\":\"sha384\",\"pcrs\":{\"3\":"
     "\"518923b0f955d08da077c96aaba522b9decede61c599cea6c41889cfbea4ae"
     "4d50529d96fe4d1afdafb65e7f95bf23c4\"}}",
     "9009", GCE_TIME, "OK", ""},
    {"gce_cos85: another nonce", gce_same, GCE_POLICY(""), "9008", GCE_TIME, "REPORT_DATA_MISMATCH",
     "quote.extra_data"},
    {"gce_cos85: the nonce and a zero", gce_same, GCE_POLICY(""), "900900", GCE_TIME, "REPORT_DATA_MISMATCH",
     "quote.extra_data"},
    {"gce_cos85: a PCR changed", gce_change_pcr, GCE_POLICY(""), "9009", GCE_TIME, "PCR_DIGEST", "quotes[1].pcrs"},
    {"gce_cos85: signatures of two banks swapped", gce_swap_signatures, GCE_POLICY(""), "9009", GCE_TIME,
     "EVIDENCE_SIGNATURE", "quotes[0].raw_sig"},
    {"gce_cos85: a bit of the message", gce_flip_message, GCE_POLICY(""), "9009", GCE_TIME, "EVIDENCE_SIGNATURE",
     "quotes[0].raw_sig"},
    {"gce_cos85: another event", gce_flip_event_digest, GCE_POLICY(""), "9009", GCE_TIME, "PCR_MISMATCH", "pcr0"},
    {"gce_cos85: a key that is not restricted", gce_no_restricted, GCE_POLICY(""), "9009", GCE_TIME, "KEY_ATTRIBUTES",
     "ak_pub.attributes.restricted"},
    {"gce_cos85: another key than the certificate's", gce_other_key, GCE_POLICY(""), "9009", GCE_TIME,
     "CERTIFICATE_MISMATCH", "ak_cert.public_key"},
    {"gce_cos85: before its time", gce_same, GCE_POLICY(""), "9009", "2021-08-31T23:11:04Z", "NOT_YET_VALID",
     "ak_cert.not_before"},
    {"gce_cos85: after its time", gce_same, GCE_POLICY(""), "9009", "2051-08-24T23:16:06Z", "EXPIRED",
     "ak_cert.not_after"},
    {"gce_cos85: another root", gce_same,
     GCE_POLICY(",\"trusted_roots\":[\"594759594b9b61524f6c8ef668f7177f7b9066bc0674f2f49fe9e052be78beb2\"]"), "9009",
     GCE_TIME, "CERTIFICATE_CHAIN", "ak_cert.root"},
    {"gce_cos85: another project", gce_same, GCE_POLICY(",\"gce_project\":\"mine\""), "9009", GCE_TIME,
     "MACHINE_NOT_ALLOWED", "ak_cert.gce_instance.project_id"},
    {"gce_cos85: another PCR", gce_same, "{\"type\":\"tpm\",\"pcrs\":{\"1\":\"" GCE_PCR0 "\"}}", "9009", GCE_TIME,
     "MEASUREMENT_MISMATCH", "pcrs.1"},
    {"gce_cos85: SNP is wanted", gce_same, GCE_POLICY(",\"gce_technology\":\"sev-snp\""), "9009", GCE_TIME,
     "MEASUREMENT_MISMATCH", "event_log.NonHostInfo"},
    {"gce_cos85: newer firmware is wanted", gce_same, GCE_POLICY(",\"min_gce_firmware\":99"), "9009", GCE_TIME,
     "TCB_TOO_LOW", "event_log.S_CRTM_VERSION"},
    {"gce_cos85: revocation lists are wanted", gce_same, GCE_POLICY(",\"revocation\":\"require\""), "9009", GCE_TIME,
     "CRL", "ak_cert.intermediate[0]"},
};

static void test_gce(void **state)
{
    const gce_row *row = *state;
    run r;
    open_gce(&r);
    r.evidence = row->change(&r, r.evidence);
    char policy[2048];
    const char *mark = strstr(row->policy, "@public");
    (void)snprintf(policy, sizeof policy, "%s", row->policy);
    if (mark != NULL) {
        uint8_t digest[32];
        const atls_bytes ak = file(&r, "tpm/gce_cos85.ak_pub.tpmt");
        assert_true(atls_digest(crypto, ATLS_SHA256, &ak, 1, digest, &r.err));
        (void)snprintf(policy, sizeof policy, "%.*s%s%s", (int)(mark - row->policy), row->policy,
                       atls_hex_text(atls_bytes_of(digest, 32), &r.arena, &r.err), mark + 7);
    }
    const bool ok = appraise(&r, policy, row->value, row->now);
    expect(&r, ok, row->code, row->field);
    if (ok) {
        const atls_tpm_claims *c = &r.result.claims.tpm;
        assert_true(c->present && c->log_replayed && c->n_events == 44 && c->secure_boot == ATLS_TPM_ON);
        assert_true(c->has_gce_firmware && c->gce_firmware_version == 1);
        assert_string_equal(c->gce_technology, "sev");
        assert_string_equal(c->form, "go-tpm-tools");
        assert_int_equal(c->n_banks, 3);
        assert_true(c->gce.present && c->gce.is_production);
        assert_int_equal(c->trust, mark != NULL ? ATLS_TPM_TRUST_PINNED : ATLS_TPM_TRUST_CERTIFICATE);
        assert_int_equal(r.result.simulated_or_test_root, mark != NULL);
    }
    atls_arena_free(&r.arena);
}

static void test_gce_issuer_missing(void **state)
{
    run r;
    (void)state;
    open_gce(&r);
    r.endorsements.pile.n_certificates = 2;
    expect(&r, appraise(&r, GCE_POLICY(""), "9009", GCE_TIME), "ENDORSEMENTS_MISSING", "ak_cert.issuer");
    assert_int_equal(r.result.verdict, ATLS_VERDICT_UNDECIDED);
    atls_arena_free(&r.arena);
}

/* The document of go-tpm-tools as JSON, made of the same parts, means the same; so does our own form. */
static void put_base64(atls_buf *b, const char *name, atls_bytes in)
{
    char *text = (char *)atls_arena_raw(b->arena, (in.len + 2) / 3 * 4 + 1, b->err);
    assert_non_null(text);
    (void)EVP_EncodeBlock((unsigned char *)text, in.ptr, (int)in.len);
    atls_buf_format(b, "\"%s\":\"", name);
    atls_buf_str(b, text);
    atls_buf_str(b, "\"");
}

static atls_bytes to_json(run *r, const tpm_evidence *e)
{
    atls_buf b;
    atls_bytes out;
    atls_buf_init(&b, &r->arena, &r->err);
    atls_buf_str(&b, "{");
    put_base64(&b, "ak_pub", e->ak_pub);
    atls_buf_str(&b, ",\"quotes\":[");
    for (size_t i = 0; i < e->n_quotes; i++) {
        atls_buf_str(&b, i == 0 ? "{" : ",{");
        put_base64(&b, "quote", e->quotes[i].message);
        atls_buf_str(&b, ",");
        put_base64(&b, "raw_sig", e->quotes[i].signature);
        atls_buf_format(&b, ",\"pcrs\":{\"hash\":%u,\"pcrs\":{", e->quotes[i].banks[0].alg);
        for (size_t k = 0; k < TPM_N_PCRS; k++) {
            char name[8];
            (void)snprintf(name, sizeof name, "%zu", k);
            atls_buf_str(&b, k == 0 ? "" : ",");
            put_base64(&b, name, e->quotes[i].banks[0].values[k]);
        }
        atls_buf_str(&b, "}}}");
    }
    atls_buf_str(&b, "],");
    put_base64(&b, "event_log", e->event_log);
    atls_buf_str(&b, ",");
    put_base64(&b, "ak_cert", e->ak_cert);
    atls_buf_str(&b, ",\"TeeAttestation\":null}");
    assert_true(atls_buf_done(&b, &out));
    return out;
}

static void test_gce_forms(void **state)
{
    static const char *const forms[] = {"go-tpm-tools json", "tpm2-quote"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        run r;
        tpm_evidence e;
        open_gce(&r);
        assert_true(tpm_decode(r.evidence, &r.arena, &e, &r.err));
        if (i == 0) {
            r.evidence = to_json(&r, &e);
        } else {
            assert_true(tpm_write(&e, &r.arena, &r.evidence, &r.err));
        }
        expect(&r, appraise(&r, GCE_POLICY(""), "9009", GCE_TIME), "OK", "");
        assert_string_equal(r.result.claims.tpm.form, forms[i]);
        atls_arena_free(&r.arena);
    }
}

/* ---- quote_sample ---- */

static void test_quote_sample(void **state)
{
    run r;
    tpm_attest a;
    (void)state;
    open_run(&r);
    assert_true(tpm_attest_decode(file(&r, "tpm/quote_sample.attest"), "quote", &a, &r.err));
    assert_string_equal(atls_hex_text(a.qualified_signer, &r.arena, &r.err),
                        "000b5e49660ab7632407a75f96359e1238649529bec60afc8f8970b0bdbca01e5fe2");
    assert_string_equal(atls_hex_text(a.extra_data, &r.arena, &r.err), "12345678");
    assert_int_equal(a.clock_ms, 88986095);
    assert_int_equal(a.reset_count, 16);
    assert_int_equal(a.restart_count, 0);
    assert_true(a.safe);
    assert_int_equal(a.firmware_version, 0x2016051100162800);
    assert_int_equal(a.n_selections, 1);
    assert_int_equal(a.selections[0].alg, TPM_ALG_SHA256);
    assert_int_equal(a.selections[0].mask, 7);
    assert_string_equal(atls_hex_text(a.pcr_digest, &r.arena, &r.err),
                        "d8de2be2e8a319cddf3d1ce1a310f45e30fd335255278e4fcbd59a5f58887648");
    atls_arena_free(&r.arena);
}

/* ---- event logs: every replay_sha256 of the manifest ---- */

typedef struct log_row {
    const char *name; /* of the case */
    const char *file;
    size_t n_algs;
    size_t n_records;
} log_row;

static const log_row log_rows[] = {
    {"gce_cos85", "tpm/gce_cos85.eventlog.bin", 3, 44},
    {"arch_eventlog", "tpm/arch.eventlog.bin", 2, 24},
    {"ubuntu2404_eventlog", "tpm/ubuntu2404_gce_sevsnp.eventlog.bin", 3, 116},
};

static const atls_json *find_case(run *r, const char *name)
{
    const atls_json *top;
    assert_true(atls_json_parse(file(r, "tpm/manifest.json"), "", &r->arena, &top, &r->err));
    for (const atls_json *c = atls_json_find(top, "cases")->child; c != NULL; c = c->next) {
        if (atls_bytes_equal_str(atls_json_find(c, "name")->text, name)) {
            return c;
        }
    }
    fail_msg("no case %s", name);
    return NULL;
}

static void test_log(void **state)
{
    const log_row *row = *state;
    run r;
    tpm_log log;
    tpm_registers regs;
    uint32_t mask = 0;
    open_run(&r);
    const atls_bytes in = file(&r, row->file);
    assert_true(tpm_log_decode(in, &r.arena, &log, &r.err));
    assert_true(log.is_agile);
    assert_int_equal(log.n_algs, row->n_algs);
    assert_int_equal(log.n_records, row->n_records);
    assert_true(tpm_log_replay(crypto, &log, TPM_ALG_SHA256, &regs, &r.err));
    for (const atls_json *v = atls_json_find(find_case(&r, row->name), "replay_sha256")->child; v != NULL;
         v = v->next) {
        const size_t i = (size_t)strtoul((const char *)v->name.ptr, NULL, 10);
        mask |= 1u << i;
        assert_true(atls_bytes_equal_str(v->text, atls_hex_text(atls_bytes_of(regs.values[i], 32), &r.arena, &r.err)));
    }
    assert_int_equal(mask, regs.mask);
    tpm_registers sha1;
    assert_true(tpm_log_replay(crypto, &log, TPM_ALG_SHA1, &sha1, &r.err));
    assert_int_equal(sha1.mask, mask);
    /* a log that is cut is a log that is cut */
    for (size_t len = 1; len < in.len; len += 1 + len / 97) {
        atls_error err = {.code = ATLS_OK};
        tpm_log cut;
        const size_t used = r.arena.used;
        if (tpm_log_decode(atls_bytes_of(in.ptr, len), &r.arena, &cut, &err)) {
            assert_true(cut.n_records < log.n_records); /* at a border: the quote's PCRs tell */
        } else {
            assert_int_equal(err.code, ATLS_E_EVENT_LOG_PARSE);
        }
        r.arena.used = used;
    }
    atls_arena_free(&r.arena);
}

/* ---- gce_ek_ak_certs ---- */

static void decode_pem(run *r, const char *path, atls_cert *out)
{
    atls_bytes der;
    size_t n;
    assert_true(atls_pem_certificates(file(r, path), false, ATLS_E_ENCODING, "pem", &r->arena, &der, 1, &n, &r->err));
    assert_true(atls_cert_decode(der, "", out, &r->err));
}

static void test_gce_certs(void **state)
{
    static const struct {
        const char *file;
        const char *name;
        uint64_t id;
    } rows[] = {
        {"tpm/gce_pca_tpm_ecc_sign_cert.pem", "cs-debug-pca", 218557372616137117u},
        {"tpm/gce_uca_tpm_rsa_sign_cert.pem", "cs-debug", 0},
    };
    run r;
    (void)state;
    open_run(&r);
    for (size_t i = 0; i < 2; i++) {
        atls_cert cert;
        atls_tpm_gce gce;
        decode_pem(&r, rows[i].file, &cert);
        assert_true(tpm_gce_read(&cert, &gce, &r.err));
        assert_true(gce.present && gce.is_production);
        assert_true(atls_bytes_equal_str(gce.zone, "us-central1-a"));
        assert_true(atls_bytes_equal_str(gce.project, "google.com:wuale-gcp-testing"));
        assert_true(atls_bytes_equal_str(gce.name, rows[i].name));
        assert_int_equal(gce.project_number, 0x1b5a475c69);
        assert_true(rows[i].id == 0 || gce.instance_id == rows[i].id);
    }
    atls_arena_free(&r.arena);
}

/* The roots that are pinned: facts, checked again. */
static void test_anchors(void **state)
{
    static const char *const files[] = {"tpm/gce_tpm_ek_root_1.cer", "tpm/gcp_ek_ak_ca_root.crt"};
    run r;
    size_t n;
    const atls_anchor *anchors = atls_anchors_tpm(&n);
    (void)state;
    open_run(&r);
    assert_int_equal(n, 2);
    for (size_t i = 0; i < n; i++) {
        uint8_t digest[32];
        atls_cert root;
        atls_key *key;
        const atls_bytes der = file(&r, files[i]);
        assert_true(atls_digest(crypto, ATLS_SHA256, &der, 1, digest, &r.err));
        assert_memory_equal(digest, anchors[i].sha256, 32);
        assert_true(atls_cert_decode(der, "", &root, &r.err));
        assert_true(atls_key_open(crypto, &root.key, ATLS_E_CERTIFICATE_CHAIN, "", &key, &r.err));
        assert_true(atls_link_verify(crypto, &root, &root, key, 0, ATLS_E_CERTIFICATE_CHAIN, "", &r.err));
        atls_key_close(key);
    }
    atls_arena_free(&r.arena);
}

static void add_tests(tap_list *l)
{
    for (size_t i = 0; i < sizeof gce_rows / sizeof gce_rows[0]; i++) {
        tap_add(l, gce_rows[i].name, test_gce, &gce_rows[i]);
    }
    tap_add(l, "gce_cos85: an issuer is missing", test_gce_issuer_missing, NULL);
    tap_add(l, "gce_cos85: in other forms", test_gce_forms, NULL);
    tap_add(l, "quote_sample", test_quote_sample, NULL);
    for (size_t i = 0; i < sizeof log_rows / sizeof log_rows[0]; i++) {
        tap_add(l, log_rows[i].file, test_log, &log_rows[i]);
    }
    tap_add(l, "gce_ek_ak_certs", test_gce_certs, NULL);
    tap_add(l, "anchors", test_anchors, NULL);
}

int main(void)
{
    return run_vectors("tpm vectors", "tpm/manifest.json", "no vectors of TPMs here", add_tests);
}

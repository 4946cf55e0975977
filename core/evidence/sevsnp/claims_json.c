/* SPDX-License-Identifier: Apache-2.0 */
/* claims_json.c: what was authenticated of a report, as the object "sev_snp" of a result; docs/json.md is the schema.
 *
 * Members are named as the members of a policy, so that a value can be carried from one to the other. */
#include "json.h"

static void put_bytes(atls_jw *w, const char *name, const uint8_t *bytes, size_t n)
{
    atls_jw_hex(w, name, atls_bytes_of(bytes, n));
}

static void put_flag(atls_jw *w, const char *name, uint64_t word, uint64_t bit)
{
    atls_jw_bool(w, name, (word & bit) != 0);
}

static void put_policy(atls_jw *w, uint64_t p)
{
    atls_jw_open(w, "guest_policy", '{');
    atls_jw_uint(w, "abi_minor", p & 0xff);
    atls_jw_uint(w, "abi_major", p >> 8 & 0xff);
    put_flag(w, "smt_allowed", p, ATLS_SNP_POLICY_SMT);
    put_flag(w, "migration_agent_allowed", p, ATLS_SNP_POLICY_MIGRATE_MA);
    put_flag(w, "debug_allowed", p, ATLS_SNP_POLICY_DEBUG);
    put_flag(w, "single_socket", p, ATLS_SNP_POLICY_SINGLE_SOCKET);
    put_flag(w, "cxl_allowed", p, ATLS_SNP_POLICY_CXL);
    put_flag(w, "mem_aes_256_xts", p, ATLS_SNP_POLICY_MEM_AES_256_XTS);
    put_flag(w, "rapl_disabled", p, ATLS_SNP_POLICY_RAPL_DIS);
    put_flag(w, "ciphertext_hiding", p, ATLS_SNP_POLICY_CIPHERTEXT_HIDING);
    put_flag(w, "page_swap_disabled", p, ATLS_SNP_POLICY_PAGE_SWAP_DISABLED);
    atls_jw_close(w, '}');
}

static void put_platform(atls_jw *w, uint64_t p)
{
    atls_jw_open(w, "platform_info", '{');
    atls_jw_uint(w, "value", p);
    put_flag(w, "smt", p, ATLS_SNP_PLATFORM_SMT);
    put_flag(w, "tsme", p, ATLS_SNP_PLATFORM_TSME);
    put_flag(w, "ecc", p, ATLS_SNP_PLATFORM_ECC);
    put_flag(w, "rapl_disabled", p, ATLS_SNP_PLATFORM_RAPL_DIS);
    put_flag(w, "ciphertext_hiding", p, ATLS_SNP_PLATFORM_CIPHERTEXT_HIDING);
    put_flag(w, "alias_check_complete", p, ATLS_SNP_PLATFORM_ALIAS_CHECK_COMPLETE);
    put_flag(w, "tio", p, ATLS_SNP_PLATFORM_TIO);
    atls_jw_close(w, '}');
}

static void put_tcb(atls_jw *w, const char *name, const atls_snp_tcb *raw, atls_snp_product product)
{
    atls_snp_tcb t = *raw;
    if (product == ATLS_SNP_UNKNOWN) {
        put_bytes(w, name, raw->raw, sizeof raw->raw);
        return;
    }
    sevsnp_tcb_read(product, &t);
    atls_jw_open(w, name, '{');
    if (t.has_fmc) {
        atls_jw_uint(w, "fmc", t.fmc);
    }
    atls_jw_uint(w, "bootloader", t.bootloader);
    atls_jw_uint(w, "tee", t.tee);
    atls_jw_uint(w, "snp", t.snp);
    atls_jw_uint(w, "microcode", t.microcode);
    atls_jw_close(w, '}');
}

static void put_version(atls_jw *w, const char *name, const atls_snp_version *v)
{
    atls_jw_open(w, name, '{');
    atls_jw_uint(w, "major", v->major);
    atls_jw_uint(w, "minor", v->minor);
    atls_jw_uint(w, "build", v->build);
    atls_jw_close(w, '}');
}

static void put_firmware(atls_jw *w, const atls_snp_report *r, atls_snp_product product)
{
    put_tcb(w, "current_tcb", &r->current_tcb, product);
    put_tcb(w, "reported_tcb", &r->reported_tcb, product);
    put_tcb(w, "committed_tcb", &r->committed_tcb, product);
    put_tcb(w, "launch_tcb", &r->launch_tcb, product);
    put_version(w, "current_version", &r->current);
    put_version(w, "committed_version", &r->committed);
    if (r->has_mit_vectors) {
        atls_jw_uint(w, "launch_mit_vector", r->launch_mit_vector);
        atls_jw_uint(w, "current_mit_vector", r->current_mit_vector);
    }
}

static void put_key_info(atls_jw *w, const atls_snp_report *r)
{
    static const char *const keys[8] = {
        [SEVSNP_KEY_VCEK] = "vcek", [SEVSNP_KEY_VLEK] = "vlek", [SEVSNP_KEY_NONE] = "none"};
    const char *key = keys[r->signing_key & 7u];
    atls_jw_str(w, "signing_key", key == NULL ? "reserved" : key);
    atls_jw_bool(w, "author_key_en", r->author_key_en);
    atls_jw_bool(w, "mask_chip_key", r->mask_chip_key);
}

#define PUT_FIELD(name, member, width) put_bytes(w, name, r->member, width);

void sevsnp_put_report(atls_jw *w, const atls_snp_report *r, atls_snp_product product)
{
    atls_jw_open(w, "report", '{');
    atls_jw_uint(w, "version", r->version);
    atls_jw_uint(w, "guest_svn", r->guest_svn);
    atls_jw_uint(w, "vmpl", r->vmpl);
    put_policy(w, r->policy);
    put_platform(w, r->platform_info);
    put_key_info(w, r);
    put_bytes(w, "report_data", r->report_data, sizeof r->report_data);
    ATLS_SNP_FIELDS(PUT_FIELD)
    put_bytes(w, "id_key_digest", r->id_key_digest, sizeof r->id_key_digest);
    put_bytes(w, "author_key_digest", r->author_key_digest, sizeof r->author_key_digest);
    if (r->has_cpuid) {
        const uint8_t cpuid[3] = {r->cpuid_family, r->cpuid_model, r->cpuid_stepping};
        put_bytes(w, "cpuid", cpuid, sizeof cpuid);
    }
    put_bytes(w, "chip_id", r->chip_id, sizeof r->chip_id);
    put_firmware(w, r, product);
    atls_jw_close(w, '}');
}

void sevsnp_put_claims(struct atls_jw *w, const atls_claims *claims)
{
    const atls_sev_snp_claims *c = &claims->sev_snp;
    if (!c->present) {
        return;
    }
    atls_jw_open(w, "sev_snp", '{');
    sevsnp_put_report(w, &c->report, c->product);
    atls_jw_str(w, "product", atls_snp_product_name(c->product));
    atls_jw_string(w, "product_name", c->product_name);
    atls_jw_str(w, "key", c->is_vlek ? "vlek" : "vcek");
    if (c->has_machine_id) {
        put_bytes(w, "machine", c->machine_id, sizeof c->machine_id);
    }
    if (c->is_vlek) {
        atls_jw_string(w, "csp_id", c->csp_id);
    }
    atls_jw_bool(w, "revocation_checked", c->revocation_checked);
    atls_jw_time(w, "earliest_expiration", c->earliest_expiration);
    put_bytes(w, "root_sha256", claims->root_sha256, sizeof claims->root_sha256);
    atls_jw_close(w, '}');
}

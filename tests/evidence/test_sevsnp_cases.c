/* SPDX-License-Identifier: Apache-2.0 */
/* SEV-SNP: every lie that authenticate must see, and every oddity that it must not mind. Each row is an honest room with one
 * change, made before whatever covers it is signed. */
#include "snp_scene.h"

#define CHAIN   ATLS_E_CERTIFICATE_CHAIN
#define OTHER   ATLS_E_CERTIFICATE_MISMATCH
#define MISSING ATLS_E_ENDORSEMENTS_MISSING
#define FORMAT  ATLS_E_EVIDENCE_FORMAT
#define SIG     ATLS_E_EVIDENCE_SIGNATURE

/* clang-format off */
static const scene_row rows[] = {
    {"honest: Milan, version 2", "milan v2", {NULL}, ATLS_OK, "", "sevsnp.product"},
    {"honest: Genoa, version 3", "genoa v3", {NULL}, ATLS_OK, "", NULL},
    {"honest: Genoa, version 4, VLEK", "genoa v4 vlek", {NULL}, ATLS_OK, "", "sevsnp.chip_id"},
    {"honest: Turin, version 5", "turin v5", {NULL}, ATLS_OK, "", NULL},
    {"honest: Turin, version 2: the issuer says which", "turin v2", {NULL}, ATLS_OK, "", NULL},
    {"honest: Turin, VLEK", "turin v3 vlek", {NULL}, ATLS_OK, "", NULL},
    {"honest: certificates in the table", "milan table", {NULL}, ATLS_OK, "", "sevsnp.revocation"},
    {"honest: PEM in the table", "turin v5 vlek table", {"table.pem=1"}, ATLS_OK, "", NULL},
    {"honest: padding in the table", "milan table", {"table.pad=3"}, ATLS_OK, "", NULL},
    {"honest: other entries in the table", "genoa table", {"table=other,vcek,info,ask,empty,ark,crl"}, ATLS_OK, "", NULL},

    /* step 1 */
    {"algorithm: another", "genoa", {"report.signature_algo=2"}, FORMAT, "report.signature_algo", NULL},
    {"key: none", "genoa", {"report.key_info=28"}, SIG, "report.key_info.signing_key", NULL},
    {"key: reserved", "genoa", {"report.key_info=8"}, FORMAT, "report.key_info.signing_key", NULL},
    {"key: the chip's is masked", "genoa", {"report.key_info=2"}, SIG, "report.key_info.mask_chip_key", NULL},
    {"key: the chip's is masked, and a VLEK signed", "genoa vlek", {"report.key_info=6"}, ATLS_OK, "", NULL},

    /* step 2 */
    {"product: Bergamo is of Genoa", "genoa", {"report.cpuid=19a002"}, ATLS_OK, "", NULL},
    {"product: Turin Dense", "turin", {"report.cpuid=1a1100"}, ATLS_OK, "", NULL},
    {"product: Venice has no root yet", "turin", {"report.cpuid=1a5000"}, FORMAT, "report.cpuid", NULL},
    {"product: another family", "genoa", {"report.cpuid=171100"}, FORMAT, "report.cpuid", NULL},
    {"product: not the issuer's", "genoa", {"report.cpuid=190101"}, OTHER, "report.cpuid", NULL},
    {"product: not the issuer's layout", "turin", {"report.cpuid=191101"}, OTHER, "report.cpuid", NULL},

    /* step 3: what is there */
    {"given: nothing", "genoa", {"pile=none"}, MISSING, "endorsements.vcek", NULL},
    {"given: nothing for a VLEK", "genoa vlek", {"pile=none"}, MISSING, "endorsements.vlek", NULL},
    {"given: no intermediate", "genoa", {"pile=vcek,ark"}, MISSING, "endorsements.ask", NULL},
    {"given: no intermediate for a VLEK", "genoa vlek", {"pile=vlek,ark"}, MISSING, "endorsements.asvk", NULL},
    {"given: no root", "genoa", {"pile=vcek,ask"}, MISSING, "endorsements.ark", NULL},
    {"given: in another order", "genoa", {"pile=ark,vcek,ask"}, ATLS_OK, "", NULL},
    {"given: the table has no leaf", "genoa table", {"table=ask,ark"}, MISSING, "endorsements.vcek", NULL},
    {"given: the leaf is unreadable", "genoa", {"raw.cert.vcek@40^=01"}, CHAIN, "certificate.signature_algorithm", NULL},
    {"given: the leaf is cut", "genoa table", {"raw.cert.vcek@-1-=1"}, CHAIN, "certificate", NULL},
    {"given: the intermediate is unreadable", "genoa", {"raw.cert.ask@40^=01"}, CHAIN, "certificate.signature_algorithm", NULL},

    /* step 3: who */
    {"root: not pinned", "genoa", {"cert.ark.serial=020003", "policy.trusted_roots=[\"9b89e00e5b7663a58efea21ecb1ec75a3b703123a1eef659127a45c181186f01\"]"},
     CHAIN, "ark", NULL},
    {"root: AMD's are not the room's", "genoa", {"-policy.trusted_roots"}, CHAIN, "ark", NULL},
    {"root: of another product", "genoa", {"cert.ark.cn=ARK-Milan"}, CHAIN, "ark.subject", NULL},
    {"root: not signed by itself", "genoa", {"cert.ark.signed_by=ask"}, CHAIN, "ark.signature", NULL},
    {"root: PKCS #1", "genoa", {"cert.ark.alg=pkcs1"}, CHAIN, "ark.signature_algorithm", NULL},
    {"root: no CA", "genoa", {"cert.ark.ca=none"}, CHAIN, "ark.issuer.basic_constraints", NULL},
    {"root: critical extension", "genoa", {"cert.ark.critical_ext=1"}, CHAIN, "ark.issuer.critical_extension", NULL},
    {"intermediate: named by another product", "genoa", {"cert.ask.cn=SEV-Milan"}, CHAIN, "ark.subject", NULL},
    {"intermediate: an unknown product", "genoa", {"cert.ask.cn=SEV-Rome"}, CHAIN, "vcek.issuer", NULL},
    {"intermediate: of VLEKs, for a VCEK", "genoa", {"cert.ask.cn=SEV-VLEK-Genoa"}, CHAIN, "vcek.issuer", NULL},
    {"intermediate: of VCEKs, for a VLEK", "genoa vlek", {"cert.asvk.cn=SEV-Genoa"}, CHAIN, "vlek.issuer", NULL},
    {"intermediate: another than the leaf's", "genoa", {"cert.vcek.issuer_cn=SEV-Milan"}, CHAIN, "vcek.issuer", NULL},
    {"intermediate: signed by itself", "genoa", {"cert.ask.signed_by=ask"}, CHAIN, "ask.signature", NULL},
    {"intermediate: PKCS #1", "genoa", {"cert.ask.alg=pkcs1"}, CHAIN, "ask.signature_algorithm", NULL},
    {"intermediate: a short salt", "genoa vlek", {"cert.asvk.alg=salt32"}, CHAIN, "asvk.signature_algorithm", NULL},
    {"intermediate: no CA", "genoa", {"cert.ask.ca=false"}, CHAIN, "ask.basic_constraints", NULL},
    {"intermediate: may not sign certificates", "genoa", {"cert.ask.key_usage=80"}, CHAIN, "ask.key_usage", NULL},
    {"intermediate: another authority key", "genoa", {"cert.ask.aki=20x11"}, CHAIN, "ask.authority_key_id", NULL},
    {"intermediate: critical extension", "genoa", {"cert.ask.critical_ext=1"}, CHAIN, "ask.critical_extension", NULL},
    {"intermediate: a P-384 key", "genoa", {"cert.ask.curve=p384"}, CHAIN, "ask.key", NULL},
    {"leaf: signed by the root", "genoa", {"cert.vcek.signed_by=ark"}, CHAIN, "vcek.signature", NULL},
    {"leaf: one bit of its signature", "genoa vlek", {"cert.vlek.sig=bit"}, CHAIN, "vlek.signature", NULL},
    {"leaf: PKCS #1", "genoa", {"cert.vcek.alg=pkcs1"}, CHAIN, "vcek.signature_algorithm", NULL},
    {"leaf: a short salt", "genoa", {"cert.vcek.alg=salt32"}, CHAIN, "vcek.signature_algorithm", NULL},
    {"leaf: the trailer spelt out", "genoa", {"cert.vcek.alg=trailer"}, ATLS_OK, "", NULL},
    {"leaf: a CA", "genoa", {"cert.vcek.ca=true"}, CHAIN, "vcek.basic_constraints", NULL},
    {"leaf: says that it is none", "genoa", {"cert.vcek.ca=false", "cert.vcek.key_usage=80"}, ATLS_OK, "", NULL},
    {"leaf: another usage", "genoa", {"cert.vcek.key_usage=02"}, CHAIN, "vcek.key_usage", NULL},
    {"leaf: critical extension", "genoa", {"cert.vcek.critical_ext=1"}, CHAIN, "vcek.critical_extension", NULL},
    {"leaf: AMD's extension, critical", "genoa", {"leaf.critical.4=1"}, CHAIN, "vcek.critical_extension", NULL},
    {"leaf: a serial of its own", "genoa", {"cert.vcek.serial=0102"}, ATLS_OK, "", NULL},
    {"leaf: another role", "genoa", {"cert.vcek.cn=SEV-CEK"}, MISSING, "endorsements.vcek", NULL},

    /* step 3: when */
    {"dates: root expired", "genoa", {"cert.ark.not_after=now-1"}, ATLS_E_EXPIRED, "ark.not_after", NULL},
    {"dates: root's last second", "genoa", {"cert.ark.not_after=now"}, ATLS_OK, "", NULL},
    {"dates: intermediate expired", "genoa vlek", {"cert.asvk.not_after=now-1"}, ATLS_E_EXPIRED, "asvk.not_after", NULL},
    {"dates: intermediate not yet valid", "genoa", {"cert.ask.not_before=now+1"}, ATLS_E_NOT_YET_VALID, "ask.not_before", NULL},
    {"dates: leaf expired", "genoa", {"cert.vcek.not_after=now-1"}, ATLS_E_EXPIRED, "vcek.not_after", NULL},
    {"dates: leaf not yet valid", "genoa vlek", {"cert.vlek.not_before=now+1"}, ATLS_E_NOT_YET_VALID, "vlek.not_before", NULL},

    /* step 3: revocation */
    {"list: none at hand", "genoa", {"pile.crl=none"}, ATLS_OK, "", "sevsnp.revocation"},
    {"list: none at hand, one required", "genoa", {"pile.crl=none", "policy.revocation=\"require\""}, MISSING, "endorsements.crl", NULL},
    {"list: required, and there", "genoa", {"policy.revocation=\"require\""}, ATLS_OK, "", NULL},
    {"list: required, and the host's serves", "genoa table", {"policy.revocation=\"require\"", "table=vcek,ask,ark,crl"}, ATLS_OK, "", NULL},
    {"list: off", "genoa", {"policy.revocation=\"insecure_off\"", "crl.revoked=ask"}, ATLS_OK, "", "sevsnp.revocation"},
    {"list: names the ASK", "genoa", {"crl.revoked=99,ask"}, ATLS_E_REVOKED, "ask", NULL},
    {"list: names the ASVK", "genoa vlek", {"crl.revoked=asvk"}, ATLS_E_REVOKED, "asvk", NULL},
    {"list: names the ARK", "genoa", {"crl.revoked=ark"}, ATLS_E_REVOKED, "ark", NULL},
    {"list: names neighbours", "genoa", {"crl.revoked=020002,0200,02000100"}, ATLS_OK, "", NULL},
    {"list: old, names the ASK", "genoa", {"crl.revoked=ask", "crl.next_update=now-1"}, ATLS_E_REVOKED, "ask", NULL},
    {"list: the host's, old, names the ASK", "genoa table", {"table=vcek,ask,ark,crl", "crl.revoked=ask", "crl.next_update=now-1"},
     ATLS_E_REVOKED, "ask", NULL},
    {"list: old", "genoa", {"crl.next_update=now-1"}, ATLS_E_EXPIRED, "crl.next_update", NULL},
    {"list: of tomorrow", "genoa", {"crl.this_update=now+1"}, ATLS_E_NOT_YET_VALID, "crl.this_update", NULL},
    {"list: forged", "genoa", {"crl.sig=bit", "crl.revoked=ask"}, ATLS_E_CRL, "crl.signature", NULL},
    {"list: by the ASK", "genoa", {"crl.signed_by=ask"}, ATLS_E_CRL, "crl.signature", NULL},
    {"list: PKCS #1", "genoa", {"crl.alg=pkcs1"}, ATLS_E_CRL, "crl.signature_algorithm", NULL},
    {"list: names no key", "genoa", {"crl.aki=none"}, ATLS_E_CRL, "crl.authority_key_id", NULL},
    {"list: of another product", "genoa", {"crl.issuer_cn=ARK-Milan", "crl.revoked=ask"}, ATLS_OK, "", "sevsnp.revocation"},
    {"list: unreadable", "genoa", {"raw.crl@-1-=1"}, ATLS_OK, "", "sevsnp.revocation"},
    {"list: unreadable, one required", "genoa", {"raw.crl@-1-=1", "policy.revocation=\"require\""}, ATLS_E_CRL, "crl", NULL},
    {"list: the host's is old", "genoa table", {"table=vcek,ask,ark,crl", "crl.next_update=now-1"}, ATLS_OK, "", "sevsnp.revocation"},
    {"list: the host's is old, one required", "genoa table",
     {"table=vcek,ask,ark,crl", "crl.next_update=now-1", "policy.revocation=\"require\""}, ATLS_E_EXPIRED, "crl.next_update", NULL},

    /* step 4 */
    {"kind: VCEK for a VLEK's report", "genoa", {"report.key_info=4"}, OTHER, "report.key_info.signing_key", NULL},
    {"kind: VLEK for a VCEK's report", "genoa vlek", {"report.key_info=0"}, OTHER, "report.key_info.signing_key", NULL},
    {"leaf: a P-256 key", "genoa", {"cert.vcek.curve=p256"}, CHAIN, "vcek.key", NULL},
    {"leaf: an RSA key", "genoa", {"cert.vcek.curve=rsa"}, CHAIN, "vcek.key", NULL},
    {"leaf: no structVersion", "genoa", {"leaf.ext.1=none"}, CHAIN, "vcek.extensions.struct_version", NULL},
    {"leaf: structVersion is no number", "genoa", {"leaf.ext.1=0400"}, CHAIN, "vcek.extensions.struct_version", NULL},
    {"leaf: no product name", "genoa", {"leaf.ext.2=none"}, CHAIN, "vcek.extensions.product_name", NULL},
    {"leaf: a product name that is no text", "genoa", {"leaf.ext.2=160147ff"}, CHAIN, "vcek.extensions.product_name", NULL},
    {"leaf: a product name with a control character", "genoa", {"leaf.ext.2=1602470a"}, CHAIN, "vcek.extensions.product_name", NULL},
    {"leaf: product name with a stepping", "genoa", {"leaf.product_name=Genoa-B1"}, ATLS_OK, "", NULL},
    {"leaf: product name of a line under this root", "genoa", {"leaf.product_name=Siena-B0"}, ATLS_OK, "", NULL},
    {"leaf: product name of another root", "genoa", {"leaf.product_name=Milan-B0"}, CHAIN, "vcek.extensions.product_name", NULL},
    {"leaf: no bootloader", "genoa", {"leaf.ext.3.1=none"}, CHAIN, "vcek.extensions.bootloader_spl", NULL},
    {"leaf: no TEE", "genoa", {"leaf.ext.3.2=none"}, CHAIN, "vcek.extensions.tee_spl", NULL},
    {"leaf: no SNP", "genoa vlek", {"leaf.ext.3.3=none"}, CHAIN, "vlek.extensions.snp_spl", NULL},
    {"leaf: no microcode", "genoa", {"leaf.ext.3.8=none"}, CHAIN, "vcek.extensions.microcode_spl", NULL},
    {"leaf: no FMC on Turin", "turin", {"leaf.ext.3.9=none"}, CHAIN, "vcek.extensions.fmc_spl", NULL},
    {"leaf: an FMC on Genoa", "genoa", {"leaf.ext.3.9=020101"}, CHAIN, "vcek.extensions.fmc_spl", NULL},
    {"leaf: an FMC of 0 on Genoa", "genoa", {"leaf.ext.3.9=020100"}, ATLS_OK, "", NULL},
    {"leaf: no reserved numbers", "genoa", {"leaf.ext.3.4=none", "leaf.ext.3.5=none", "leaf.ext.3.6=none", "leaf.ext.3.7=none"}, ATLS_OK, "", NULL},
    {"leaf: a reserved number that the report does not have", "genoa", {"leaf.ext.3.5=020101"}, OTHER, "report.reported_tcb.reserved", NULL},
    {"leaf: 256", "genoa", {"leaf.ext.3.8=02020100"}, CHAIN, "vcek.extensions.microcode_spl", NULL},
    {"leaf: a negative number", "genoa", {"leaf.ext.3.8=0201d9"}, CHAIN, "vcek.extensions.microcode_spl", NULL},
    {"leaf: a number and something more", "genoa", {"leaf.ext.3.8=02015400"}, CHAIN, "vcek.extensions.microcode_spl", NULL},
    {"leaf: microcode of two octets", "genoa", {"leaf.tcb=0a000000000017d9", "report.reported_tcb=0a000000000017d9", "report.current_tcb=0a000000000017d9"}, ATLS_OK, "", NULL},
    {"leaf: hardware id in an OCTET STRING", "genoa", {"leaf.hwid_form=octet"}, ATLS_OK, "", NULL},
    {"leaf: Turin's in an OCTET STRING", "turin", {"leaf.hwid_form=octet"}, ATLS_OK, "", NULL},
    {"leaf: no hardware id", "genoa", {"leaf.ext.4=none"}, CHAIN, "vcek.extensions.hwid", NULL},
    {"leaf: a hardware id of 8 bytes on Genoa", "genoa", {"leaf.ext.4=0102030405060708"}, CHAIN, "vcek.extensions.hwid", NULL},
    {"leaf: a hardware id of 16 bytes on Turin", "turin", {"leaf.ext.4=16x02"}, CHAIN, "vcek.extensions.hwid", NULL},
    {"leaf: a VCEK with a cloud", "genoa", {"leaf.ext.5=160141"}, CHAIN, "vcek.extensions.csp_id", NULL},
    {"leaf: a VLEK with a chip", "genoa vlek", {"leaf.ext.4=64x01"}, CHAIN, "vlek.extensions.hwid", NULL},
    {"leaf: a VLEK without a cloud", "genoa vlek", {"leaf.ext.5=none"}, CHAIN, "vlek.extensions.csp_id", NULL},
    {"leaf: a cloud without a name", "genoa vlek", {"leaf.ext.5=1600"}, CHAIN, "vlek.extensions.csp_id", NULL},

    /* step 5 */
    {"signature: by another key", "genoa", {"report.key=somebody"}, SIG, "report.signature", NULL},
    {"signature: one bit", "genoa", {"report.sig=bit"}, SIG, "report.signature", NULL},
    {"signature: zero", "genoa", {"report.sig=zero"}, SIG, "report.signature", NULL},
    {"signature: r is the order", "genoa", {"report.sig=rn"}, SIG, "report.signature", NULL},
    {"signature: s is zero", "genoa", {"report.sig=s0"}, SIG, "report.signature", NULL},
    {"signature: the upper half of the curve", "genoa", {"report.sig=highs"}, ATLS_OK, "", NULL},
    {"signature: r is too long", "genoa", {"raw.report@743^=01"}, SIG, "report.signature.r", NULL},
    {"signature: r is too long, the lowest byte", "genoa", {"raw.report@720^=01"}, SIG, "report.signature.r", NULL},
    {"signature: s is too long", "genoa", {"raw.report@815^=01"}, SIG, "report.signature.s", NULL},
    {"signature: measurement changed afterwards", "genoa", {"raw.report@144^=01"}, SIG, "report.signature", NULL},
    {"signature: reserved changed afterwards", "genoa", {"raw.report@671^=01"}, SIG, "report.signature", NULL},

    /* step 6 */
    {"TCB: bootloader of the leaf", "genoa", {"leaf.tcb=09"}, OTHER, "report.reported_tcb.bootloader", NULL},
    {"TCB: snp of the leaf", "milan v2", {"leaf.tcb=0a00000000001654"}, OTHER, "report.reported_tcb.snp", NULL},
    {"TCB: microcode of the leaf", "genoa vlek", {"leaf.tcb=0a00000000001755"}, OTHER, "report.reported_tcb.microcode", NULL},
    {"TCB: fmc of the leaf", "turin", {"leaf.tcb=02"}, OTHER, "report.reported_tcb.fmc", NULL},
    {"TCB: snp of the leaf, Turin", "turin", {"leaf.tcb=010a0018"}, OTHER, "report.reported_tcb.snp", NULL},
    {"TCB: the certificate's is lower, so is the reported one", "genoa", {"leaf.tcb=0a00000000001653", "report.reported_tcb=0a00000000001653"}, ATLS_OK, "", NULL},
    {"chip: another", "genoa", {"leaf.hwid=01"}, OTHER, "report.chip_id", NULL},
    {"chip: another, Turin", "turin", {"leaf.hwid=01"}, OTHER, "report.chip_id", NULL},
    {"chip: bytes after Turin's 8", "turin", {"report.at.29f=00", "raw.report@-1^=00", "report.chip_id=9x07"}, OTHER, "report.chip_id", NULL},
    {"chip: not shown", "genoa", {"report.chip_id=64x00"}, ATLS_OK, "", "sevsnp.chip_id"},

    /* step 7 */
    {"reserved: 04C", "genoa", {"report.at.04c=01"}, FORMAT, "report.reserved_04c", NULL},
    {"reserved: 188 in version 2", "genoa v2", {"report.at.188=19"}, FORMAT, "report.reserved_188", NULL},
    {"reserved: 18B in version 3", "genoa v3", {"report.at.18b=01"}, FORMAT, "report.reserved_18b", NULL},
    {"reserved: 1EB", "genoa", {"report.at.1eb=01"}, FORMAT, "report.reserved_1eb", NULL},
    {"reserved: 1EF", "genoa", {"report.at.1ef=01"}, FORMAT, "report.reserved_1ef", NULL},
    {"reserved: 1F8 in version 4", "genoa v4", {"report.at.1f8=01"}, FORMAT, "report.reserved_1f8", NULL},
    {"reserved: 208 in version 5", "genoa v5", {"report.at.208=01"}, FORMAT, "report.reserved_208", NULL},
    {"reserved: 29F", "genoa v5", {"report.at.29f=01"}, FORMAT, "report.reserved_208", NULL},
    {"reserved: 330, which nobody signed", "genoa", {"raw.report@816^=80"}, FORMAT, "report.reserved_330", NULL},
    {"reserved: the last byte", "genoa", {"raw.report@-1^=01"}, FORMAT, "report.reserved_330", NULL},
    {"reserved: key info", "genoa", {"report.key_info=32"}, FORMAT, "report.key_info", NULL},
    {"reserved: a byte of CURRENT_TCB", "genoa", {"report.current_tcb=0a00010000001754"}, FORMAT, "report.current_tcb", NULL},
    {"reserved: a byte of LAUNCH_TCB, Turin", "turin", {"report.launch_tcb=010a001700010054"}, FORMAT, "report.launch_tcb", NULL},
    {"reserved: a byte of COMMITTED_TCB", "genoa", {"report.committed_tcb=0a00000001001754"}, FORMAT, "report.committed_tcb", NULL},
    {"reserved: certified and reported", "genoa", {"leaf.tcb=0a00010000001754", "report.reported_tcb=0a00010000001754", "report.current_tcb=0a00010000001754"},
     FORMAT, "report.current_tcb", NULL},
};
/* clang-format on */

/* Another session's report data: everything else is fine. */
static void not_for_us(void **state)
{
    static const scene_row row = {"binding", "genoa", {NULL}, ATLS_OK, "", NULL};
    scene s;
    atls_result r;
    atls_bytes other;
    uint8_t data[64];
    atls_error err = {0};
    (void)state;
    scene_open(&row, &s);
    memcpy(data, scene_report_data, sizeof data);
    data[63] ^= 1;
    assert_true(sim_snp_report(s.room, data, &s.arena, &other, &err));
    assert_false(scene_appraise(&s, other, &r, &err));
    assert_int_equal(err.code, ATLS_E_REPORT_DATA_MISMATCH);
    assert_string_equal(err.field, "report.report_data");
    scene_close(&s);
}

/* The same options give the same bytes, signatures included. */
static void deterministic(void **state)
{
    static const scene_row row = {"twice", "turin vlek v5", {NULL}, ATLS_OK, "", NULL};
    scene a;
    scene b;
    atls_bytes one;
    atls_bytes two;
    atls_error err = {0};
    (void)state;
    scene_open(&row, &a);
    scene_open(&row, &b);
    assert_true(sim_snp_extended(a.room, scene_report_data, &a.arena, &one, &err)
                && sim_snp_extended(b.room, scene_report_data, &b.arena, &two, &err));
    assert_true(atls_bytes_equal(one, two));
    scene_close(&a);
    scene_close(&b);
}

static void unknown_setting(void **state)
{
    const sim_snp_options options = {.settings = (const char *const[]){"report.colour=1", NULL}};
    sim_snp *room;
    atls_error err = {0};
    (void)state;
    assert_false(sim_snp_new(&options, &room, &err));
    assert_int_equal(err.code, ATLS_E_CONFIGURATION);
    assert_string_equal(err.field, "report.colour");
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, scene_run, &rows[i]);
    }
    tap_add(&l, "binding: another session's", not_for_us, NULL);
    tap_add(&l, "sim: the same room twice", deterministic, NULL);
    tap_add(&l, "sim: a setting that names nothing", unknown_setting, NULL);
    return tap_run("sevsnp_cases", &l);
}

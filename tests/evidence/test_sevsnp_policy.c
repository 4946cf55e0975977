/* SPDX-License-Identifier: Apache-2.0 */
/* SEV-SNP: claims against the policy. Each row is an honest room, and a policy or a report that differs in one thing; what is
 * at its limit passes, what is one beyond fails. Then the documents themselves. */
#include "atls/policy.h"
#include "snp_scene.h"

#define GUEST   ATLS_E_GUEST_POLICY
#define LOW     ATLS_E_TCB_TOO_LOW
#define MACHINE ATLS_E_MACHINE_NOT_ALLOWED
#define CODE    ATLS_E_MEASUREMENT_MISMATCH

#define D48(byte)                                                                                                      \
    byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte \
        byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte  \
            byte byte byte
#define D16(byte) byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte
#define D32(byte) D16(byte) D16(byte)
#define D64(byte) D32(byte) D32(byte)

/* clang-format off */
static const scene_row rows[] = {
    /* the guest's policy; bit 17 is always set */
    {"debug", "genoa", {"report.policy=0xb0000"}, GUEST, "report.policy.debug", NULL},
    {"debug: allowed", "genoa", {"report.policy=0xb0000", "policy.insecure_allow_debug=true"}, ATLS_OK, "", "sevsnp.debug"},
    {"migration agent", "genoa", {"report.policy=0x70000"}, GUEST, "report.policy.migrate_ma", NULL},
    {"migration agent: allowed", "genoa", {"report.policy=0x70000", "policy.insecure_allow_migration_agent=true"}, ATLS_OK, "", "sevsnp.migration_agent"},
    {"guest policy: bit 17 not set", "genoa", {"report.policy=0x10000"}, GUEST, "report.policy", NULL},
    {"guest policy: a bit that is not known", "genoa", {"report.policy=0x4030000"}, GUEST, "report.policy", NULL},
    {"guest policy: the highest bit", "genoa", {"report.policy=0x8000000000030000"}, GUEST, "report.policy", NULL},
    {"guest policy: every known bit that weakens nothing", "genoa", {"report.policy=0x3f3ffff"}, ATLS_OK, "", NULL},
    {"guest policy: no SMT demanded", "genoa", {"policy.guest_policy={\"smt_allowed\":false}"}, GUEST, "report.policy", NULL},
    {"guest policy: no SMT demanded, none there", "genoa", {"policy.guest_policy={\"smt_allowed\":false}", "report.policy=0x20000"}, ATLS_OK, "", NULL},
    {"guest policy: SMT demanded", "genoa", {"policy.guest_policy={\"smt_allowed\":true}"}, ATLS_OK, "", NULL},
    {"guest policy: single socket", "genoa", {"policy.guest_policy={\"single_socket\":true}"}, GUEST, "report.policy", NULL},
    {"guest policy: single socket, and it is", "genoa", {"policy.guest_policy={\"single_socket\":true}", "report.policy=0x130000"}, ATLS_OK, "", NULL},
    {"guest policy: no CXL", "genoa", {"policy.guest_policy={\"cxl_allowed\":false}", "report.policy=0x230000"}, GUEST, "report.policy", NULL},
    {"guest policy: XTS", "genoa", {"policy.guest_policy={\"mem_aes_256_xts\":true}"}, GUEST, "report.policy", NULL},
    {"guest policy: RAPL off", "genoa", {"policy.guest_policy={\"rapl_disabled\":true}"}, GUEST, "report.policy", NULL},
    {"guest policy: ciphertext hiding", "genoa", {"policy.guest_policy={\"ciphertext_hiding\":true}"}, GUEST, "report.policy", NULL},
    {"guest policy: page swap off", "genoa", {"policy.guest_policy={\"page_swap_disabled\":true}"}, GUEST, "report.policy", NULL},
    {"guest policy: all four, and they are", "genoa",
     {"policy.guest_policy={\"mem_aes_256_xts\":true,\"rapl_disabled\":true,\"ciphertext_hiding\":true,\"page_swap_disabled\":true}", "report.policy=0x3c30000"},
     ATLS_OK, "", NULL},

    {"vmpl: 1", "genoa", {"report.vmpl=1"}, GUEST, "report.vmpl", NULL},
    {"vmpl: 1, expected", "genoa", {"report.vmpl=1", "policy.vmpl=1"}, ATLS_OK, "", NULL},
    {"vmpl: 0 where 1 is expected", "genoa", {"policy.vmpl=1"}, GUEST, "report.vmpl", NULL},
    {"vmpl: 2 of 0 and 2", "genoa", {"report.vmpl=2", "policy.vmpl=[0,2]"}, ATLS_OK, "", NULL},
    {"vmpl: 3 of 0, 1 and 2", "genoa", {"report.vmpl=3", "policy.vmpl=[0,1,2]"}, GUEST, "report.vmpl", NULL},
    {"vmpl: the host asked", "genoa", {"report.vmpl=0xffffffff", "policy.vmpl=[0,1,2,3]"}, GUEST, "report.vmpl", NULL},
    {"vmpl: 32 is not 0", "genoa", {"report.vmpl=32", "policy.vmpl=[0,1,2,3]"}, GUEST, "report.vmpl", NULL},

    {"platform: nothing asked", "genoa", {"report.platform_info=0xff"}, ATLS_OK, "", "sevsnp.platform_info"},
    {"platform: alias check", "genoa", {"policy.platform_info={\"alias_check_complete\":true}", "report.platform_info=5"}, GUEST, "report.platform_info", NULL},
    {"platform: alias check done", "genoa", {"policy.platform_info={\"alias_check_complete\":true}"}, ATLS_OK, "", NULL},
    {"platform: no SMT", "genoa", {"policy.platform_info={\"smt\":false}"}, GUEST, "report.platform_info", NULL},
    {"platform: TSME", "genoa", {"policy.platform_info={\"tsme\":true}"}, GUEST, "report.platform_info", NULL},
    {"platform: ECC", "genoa", {"policy.platform_info={\"ecc\":true}", "report.platform_info=0"}, GUEST, "report.platform_info", NULL},
    {"platform: RAPL off", "genoa", {"policy.platform_info={\"rapl_disabled\":true}"}, GUEST, "report.platform_info", NULL},
    {"platform: ciphertext hiding", "genoa", {"policy.platform_info={\"ciphertext_hiding\":true}"}, GUEST, "report.platform_info", NULL},
    {"platform: no TIO", "genoa", {"policy.platform_info={\"tio\":false}", "report.platform_info=0xa5"}, GUEST, "report.platform_info", NULL},
    {"platform: a mask of what is demanded", "genoa", {"policy.platform_info_required=37"}, ATLS_OK, "", NULL},
    {"platform: a mask of what is forbidden", "genoa", {"policy.platform_info_forbidden=64", "report.platform_info=0x40"}, GUEST, "report.platform_info", NULL},

    {"mitigations: at launch", "genoa v5", {"policy.launch_mit_vector=3"}, ATLS_OK, "", NULL},
    {"mitigations: at launch, one is missing", "genoa v5", {"policy.launch_mit_vector=7"}, GUEST, "report.launch_mit_vector", NULL},
    {"mitigations: now, one is missing", "genoa v5", {"policy.current_mit_vector=4"}, GUEST, "report.current_mit_vector", NULL},
    {"mitigations: version 4 does not say", "genoa v4", {"policy.current_mit_vector=1"}, GUEST, "report.current_mit_vector", NULL},

    /* which machine */
    {"machine: none named", "genoa", {NULL}, ATLS_OK, "", "sevsnp.machine"},
    {"machine: another", "genoa", {"policy.machines=\"" D64("01") "\""}, MACHINE, "report.chip_id", NULL},
    {"machine: Turin's, 8 digits pairs", "turin", {"policy.machines=[\"0102030405060708\",\"b8d403bb622002a3\"]"}, ATLS_OK, "", NULL},
    {"machine: Turin's, another", "turin", {"policy.machines=\"0102030405060708\""}, MACHINE, "report.chip_id", NULL},
    {"machine: not shown, but certified", "turin", {"report.chip_id=64x00", "policy.machines=\"b8d403bb622002a3\""}, ATLS_OK, "", NULL},
    {"machine: a VLEK names none", "turin vlek", {"policy.machines=\"b8d403bb622002a3\""}, MACHINE, "report.chip_id", NULL},
    {"machine: a VLEK, although the report shows a chip", "turin vlek", {"report.chip_id=b8d403bb622002a3", "policy.machines=\"b8d403bb622002a3\""},
     MACHINE, "report.chip_id", NULL},
    {"product: allowed", "genoa", {"policy.products=[\"Milan\",\"Genoa\"]"}, ATLS_OK, "", NULL},
    {"product: not allowed", "genoa", {"policy.products=[\"Milan\",\"Turin\"]"}, MACHINE, "report.cpuid", NULL},
    {"product: of version 2", "milan v2", {"policy.products=[\"Turin\"]"}, MACHINE, "report.cpuid", NULL},
    {"key: a VCEK asked for", "genoa vlek", {"policy.signing_keys=[\"vcek\"]"}, MACHINE, "report.key_info.signing_key", NULL},
    {"key: a VLEK asked for", "genoa", {"policy.signing_keys=[\"vlek\"]"}, MACHINE, "report.key_info.signing_key", NULL},
    {"key: either", "genoa", {"policy.signing_keys=[\"vlek\",\"vcek\"]"}, ATLS_OK, "", NULL},
    {"cloud: the one", "genoa vlek", {"policy.csp_id=\"CN=sim-eu-1.cloud.test\""}, ATLS_OK, "", NULL},
    {"cloud: a longer name", "genoa vlek", {"policy.csp_id=\"CN=sim-eu-1.cloud.test.\""}, MACHINE, "vlek.extensions.csp_id", NULL},
    {"cloud: a VCEK names none", "genoa", {"policy.csp_id=\"CN=sim-eu-1.cloud.test\""}, MACHINE, "vlek.extensions.csp_id", NULL},

    /* which firmware: bootloader 10, tee 0, snp 23, microcode 84; fmc 1; 1.55 build 21 */
    {"tcb: reported above current", "genoa", {"report.current_tcb=0a00000000001753", "report.committed_tcb=0a00000000001753"}, LOW, "report.reported_tcb", NULL},
    {"tcb: one part above, one below", "genoa", {"report.current_tcb=0b00000000001653", "report.committed_tcb=0a00000000001653"}, LOW, "report.reported_tcb", NULL},
    {"tcb: committed above current", "genoa", {"report.committed_tcb=0a00000000001755"}, LOW, "report.committed_tcb", NULL},
    {"tcb: committed above current, Turin's fmc", "turin", {"report.committed_tcb=020a001700000054"}, LOW, "report.committed_tcb", NULL},
    {"tcb: reported below all", "genoa", {"leaf.tcb=0000000000000001", "report.reported_tcb=0000000000000001"}, ATLS_OK, "", NULL},
    {"tcb: launched with less", "genoa", {"report.launch_tcb=0000000000000001"}, ATLS_OK, "", NULL},
    {"tcb: provisional", "genoa", {"report.committed_tcb=0a00000000001753"}, ATLS_OK, "", "sevsnp.committed"},
    {"strict: provisional", "genoa", {"report.committed_tcb=0a00000000001753", "policy.require_committed_equals_current=true"}, LOW, "report.committed_tcb", NULL},
    {"strict: a provisional version", "genoa", {"report.committed_version=143701", "policy.require_committed_equals_current=true"}, LOW, "report.committed_version", NULL},
    {"strict: committed", "genoa", {"policy.require_committed_equals_current=true"}, ATLS_OK, "", NULL},
    {"least tcb: none", "genoa", {NULL}, ATLS_OK, "", "sevsnp.min_tcb"},
    {"least tcb: reached in every part", "genoa", {"policy.min_tcb={\"bootloader\":10,\"tee\":0,\"snp\":23,\"microcode\":84}"}, ATLS_OK, "", NULL},
    {"least tcb: bootloader", "genoa", {"policy.min_tcb={\"bootloader\":11}"}, LOW, "report.reported_tcb", NULL},
    {"least tcb: tee", "genoa", {"policy.min_tcb={\"tee\":1}"}, LOW, "report.reported_tcb", NULL},
    {"least tcb: snp", "genoa", {"policy.min_tcb={\"snp\":24}"}, LOW, "report.reported_tcb", NULL},
    {"least tcb: microcode", "genoa", {"policy.min_tcb={\"microcode\":85}"}, LOW, "report.reported_tcb", NULL},
    {"least tcb: Turin, every part", "turin", {"policy.min_tcb={\"fmc\":1,\"bootloader\":10,\"tee\":0,\"snp\":23,\"microcode\":84}"}, ATLS_OK, "", NULL},
    {"least tcb: Turin, fmc", "turin", {"policy.min_tcb={\"fmc\":2}"}, LOW, "report.reported_tcb", NULL},
    {"least tcb: Turin, snp", "turin", {"policy.min_tcb={\"snp\":24}"}, LOW, "report.reported_tcb", NULL},
    {"least tcb: Genoa has no fmc", "genoa", {"policy.min_tcb={\"fmc\":1}"}, LOW, "report.reported_tcb", NULL},
    {"least tcb: the reported one counts", "genoa", {"policy.min_tcb={\"microcode\":84}", "leaf.tcb=0a00000000001753", "report.reported_tcb=0a00000000001753"},
     LOW, "report.reported_tcb", NULL},
    {"least current", "genoa", {"policy.min_current_tcb={\"microcode\":85}"}, LOW, "report.current_tcb", NULL},
    {"least current: reached", "genoa", {"policy.min_current_tcb={\"microcode\":85}", "report.current_tcb=0a00000000001755"}, ATLS_OK, "", NULL},
    {"least committed", "genoa", {"policy.min_committed_tcb={\"snp\":24}"}, LOW, "report.committed_tcb", NULL},
    {"least launch", "genoa", {"policy.min_launch_tcb={\"snp\":24}"}, LOW, "report.launch_tcb", NULL},
    {"least launch: reached", "genoa", {"policy.min_launch_tcb={\"snp\":24}", "report.launch_tcb=0a00000000001800"}, ATLS_OK, "", NULL},
    {"version: reached", "genoa", {"policy.min_version=\"1.55\""}, ATLS_OK, "", NULL},
    {"version: minor", "genoa", {"policy.min_version=\"1.56\""}, LOW, "report.current_version", NULL},
    {"version: major", "genoa", {"policy.min_version=\"2.0\""}, LOW, "report.current_version", NULL},
    {"version: a higher major", "genoa", {"policy.min_version=\"0.200\""}, ATLS_OK, "", NULL},
    {"build: reached", "genoa", {"policy.min_build=21"}, ATLS_OK, "", NULL},
    {"build: not reached", "genoa", {"policy.min_build=22"}, LOW, "report.current_version", NULL},

    /* which code */
    {"measurement: another", "genoa", {"policy.measurement=\"" D48("11") "\""}, CODE, "report.measurement", NULL},
    {"measurement: one of a list", "genoa", {"policy.measurement=[\"" D48("11") "\",\"" D48("22") "\"]", "report.measurement=48x22"}, ATLS_OK, "", NULL},
    {"measurement: none named", "genoa", {"-policy.measurement"}, ATLS_OK, "", "policy.reference_values"},
    {"host data", "genoa", {"policy.host_data=\"" D32("33") "\"", "report.host_data=32x33"}, ATLS_OK, "", NULL},
    {"host data: another", "genoa", {"policy.host_data=\"" D32("33") "\"", "report.host_data=31x33"}, CODE, "report.host_data", NULL},
    {"family id", "genoa", {"policy.family_id=\"" D16("44") "\"", "report.family_id=16x44"}, ATLS_OK, "", NULL},
    {"family id: another", "genoa", {"policy.family_id=\"" D16("44") "\""}, CODE, "report.family_id", NULL},
    {"image id: another", "genoa", {"policy.image_id=\"" D16("44") "\""}, CODE, "report.image_id", NULL},
    {"report id: another", "genoa", {"policy.report_id=\"" D32("44") "\""}, CODE, "report.report_id", NULL},
    {"report id of the agent: none", "genoa", {"policy.report_id_ma=\"" D32("ff") "\""}, ATLS_OK, "", NULL},
    {"report id of the agent: another", "genoa", {"policy.report_id_ma=\"" D32("00") "\""}, CODE, "report.report_id_ma", NULL},
    {"guest svn: reached", "genoa", {"policy.min_guest_svn=3"}, ATLS_OK, "", NULL},
    {"guest svn: not reached", "genoa", {"policy.min_guest_svn=4"}, CODE, "report.guest_svn", NULL},
    {"id key: the one", "genoa", {"policy.id_key_digest=\"" D48("55") "\"", "report.id_key_digest=48x55", "-policy.measurement"}, ATLS_OK, "", NULL},
    {"id key: another", "genoa", {"policy.id_key_digest=\"" D48("55") "\"", "report.id_key_digest=48x56"}, CODE, "report.id_key_digest", NULL},
    {"id key: none in the report", "genoa", {"policy.id_key_digest=\"" D48("55") "\""}, CODE, "report.id_key_digest", NULL},
    {"author key: the one", "genoa", {"policy.author_key_digest=\"" D48("66") "\"", "report.author_key_digest=48x66", "report.key_info=1"}, ATLS_OK, "", NULL},
    {"author key: not enabled", "genoa", {"policy.author_key_digest=\"" D48("66") "\"", "report.author_key_digest=48x66"}, CODE, "report.author_key_digest", NULL},
    {"author key: another", "genoa", {"policy.author_key_digest=\"" D48("66") "\"", "report.author_key_digest=48x67", "report.key_info=1"}, CODE, "report.author_key_digest", NULL},
    {"author key: vouches for any ID key", "genoa",
     {"policy.author_key_digest=\"" D48("66") "\"", "policy.id_key_digest=\"" D48("55") "\"", "report.author_key_digest=48x66", "report.id_key_digest=48x77", "report.key_info=1"},
     ATLS_OK, "", NULL},
    {"author key: not enabled, and another ID key", "genoa",
     {"policy.author_key_digest=\"" D48("66") "\"", "policy.id_key_digest=\"" D48("55") "\"", "report.author_key_digest=48x66", "report.id_key_digest=48x77"},
     CODE, "report.id_key_digest", NULL},
    {"author key: another, but the ID key is listed", "genoa",
     {"policy.author_key_digest=\"" D48("66") "\"", "policy.id_key_digest=\"" D48("55") "\"", "report.id_key_digest=48x55"}, ATLS_OK, "", NULL},
};
/* clang-format on */

/* ---- documents ---- */

typedef struct document_row {
    const char *name;
    const char *members;
    const char *field; /* "": accepted */
} document_row;

/* clang-format off */
static const document_row documents[] = {
    {"document: empty", "", ""},
    {"document: shared members", ",\"description\":\"x\",\"min_grade\":\"session\",\"attested_only\":true,\"max_session_age\":60,\"revocation\":\"require\"", ""},
    {"document: a member of another kind", ",\"mrtd\":\"00\"", "mrtd"},
    {"document: misspelt", ",\"measurment\":\"00\"", "measurment"},
    {"document: twice", ",\"vmpl\":0,\"vmpl\":1", "policy.json"},
    {"document: measurement too short", ",\"measurement\":\"" D32("11") "\"", "measurement"},
    {"document: measurements, none", ",\"measurement\":[]", "measurement"},
    {"document: measurements, one too long", ",\"measurement\":[\"" D48("11") "\",\"" D48("11") "11\"]", "measurement[1]"},
    {"document: host data is a number", ",\"host_data\":1", "host_data"},
    {"document: an ID key of zeros", ",\"id_key_digest\":[\"" D48("11") "\",\"" D48("00") "\"]", "id_key_digest"},
    {"document: an author key of zeros", ",\"author_key_digest\":\"" D48("00") "\"", "author_key_digest"},
    {"document: a machine of zeros", ",\"machines\":\"" D64("00") "\"", "machines"},
    {"document: a machine of 16 bytes", ",\"machines\":[\"" D16("11") "\"]", "machines[0]"},
    {"document: an unknown product", ",\"products\":[\"Milan\",\"Rome\"]", "products[1]"},
    {"document: products in lower case", ",\"products\":[\"milan\"]", "products[0]"},
    {"document: products, none", ",\"products\":[]", "products"},
    {"document: an unknown key", ",\"signing_keys\":[\"none\"]", "signing_keys[0]"},
    {"document: vmpl 4", ",\"vmpl\":4", "vmpl"},
    {"document: vmpl of a list", ",\"vmpl\":[0,-1]", "vmpl[1]"},
    {"document: vmpl, none", ",\"vmpl\":[]", "vmpl"},
    {"document: a cloud without a name", ",\"csp_id\":[\"a\",\"\"]", "csp_id[1]"},
    {"document: a cloud, but no VLEK", ",\"csp_id\":\"a\",\"signing_keys\":[\"vcek\"]", "csp_id"},
    {"document: a machine, but no VCEK", ",\"machines\":\"0102030405060708\",\"signing_keys\":[\"vlek\"]", "machines"},
    {"document: guest policy, unknown", ",\"guest_policy\":{\"smt\":true}", "guest_policy.smt"},
    {"document: guest policy, no flag", ",\"guest_policy\":{\"single_socket\":1}", "guest_policy.single_socket"},
    {"document: debug is no demand", ",\"guest_policy\":{\"debug\":false}", "guest_policy.debug"},
    {"document: platform, no object", ",\"platform_info\":1", "platform_info"},
    {"document: platform, demanded and forbidden", ",\"platform_info\":{\"ecc\":true},\"platform_info_forbidden\":4", "platform_info"},
    {"document: a mask of nothing", ",\"platform_info_required\":0", "platform_info_required"},
    {"document: a vector of nothing", ",\"current_mit_vector\":0", "current_mit_vector"},
    {"document: a vector of 64 bits", ",\"launch_mit_vector\":18446744073709551615", ""},
    {"document: a vector of 65 bits", ",\"launch_mit_vector\":18446744073709551616", "launch_mit_vector"},
    {"document: least tcb, nothing", ",\"min_tcb\":{}", "min_tcb"},
    {"document: least tcb, unknown part", ",\"min_tcb\":{\"ucode\":1}", "min_tcb.ucode"},
    {"document: least tcb, 256", ",\"min_launch_tcb\":{\"snp\":256}", "min_launch_tcb.snp"},
    {"document: version without a dot", ",\"min_version\":\"155\"", "min_version"},
    {"document: version with three parts", ",\"min_version\":\"1.55.21\"", "min_version"},
    {"document: version with a leading zero", ",\"min_version\":\"1.055\"", "min_version"},
    {"document: version 256", ",\"min_version\":\"1.256\"", "min_version"},
    {"document: version is a number", ",\"min_version\":1.55", "min_version"},
    {"document: build 256", ",\"min_build\":256", "min_build"},
    {"document: svn too large", ",\"min_guest_svn\":4294967296", "min_guest_svn"},
    {"document: strict is a flag", ",\"require_committed_equals_current\":1", "require_committed_equals_current"},
};
/* clang-format on */

static void run_document(void **state)
{
    const document_row *row = *state;
    char text[2048];
    atls_policy *policy = NULL;
    atls_error err = {0};
    snprintf(text, sizeof text, "{\"type\":\"sev_snp\"%s}", row->members);
    const bool ok = atls_policy_parse(atls_bytes_str(text), &policy, &err);
    assert_int_equal(ok, row->field[0] == '\0');
    assert_string_equal(err.field, row->field);
    assert_true(ok || err.code == ATLS_E_CONFIGURATION);
    assert_true(!ok || strcmp(atls_policy_kind(policy), "sev_snp") == 0);
    atls_policy_free(policy);
}

/* Members that weaken are listed by name. */
static void weaknesses(void **state)
{
    static const char text[] =
        "{\"type\":\"sev_snp\",\"insecure_allow_debug\":true,\"insecure_allow_migration_agent\":true}";
    atls_policy *policy = NULL;
    atls_error err = {0};
    (void)state;
    assert_true(atls_policy_parse(atls_bytes_str(text), &policy, &err));
    const atls_text_list weak = atls_policy_insecure(policy);
    assert_int_equal(weak.n, 2);
    assert_string_equal(weak.items[0], "insecure_allow_debug");
    assert_string_equal(weak.items[1], "insecure_allow_migration_agent");
    atls_policy_free(policy);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, scene_run, &rows[i]);
    }
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        tap_add(&l, documents[i].name, run_document, &documents[i]);
    }
    tap_add(&l, "document: what weakens", weaknesses, NULL);
    return tap_run("sevsnp_policy", &l);
}

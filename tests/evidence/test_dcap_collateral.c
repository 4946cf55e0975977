/* SPDX-License-Identifier: Apache-2.0 */
/* tcb_info.c, qe_identity.c and levels.c: an honest document of each kind, and lies that are one replacement away. */
#include "evidence/dcap/dcap.h"
#include "tests/base/check.h"

/* clang-format off */
#define SVN(n) "{\"svn\":" #n "}"
#define FOUR(n) SVN(n) "," SVN(n) "," SVN(n) "," SVN(n)
#define SIXTEEN(n) "[" FOUR(n) "," FOUR(n) "," FOUR(n) "," FOUR(n) "]"
#define ZEROS16 "0000000000000000"
#define ZEROS96 ZEROS16 ZEROS16 ZEROS16 ZEROS16 ZEROS16 ZEROS16
#define MODULE "\"mrsigner\":\"" ZEROS96 "\",\"attributes\":\"" ZEROS16 "\",\"attributesMask\":\"FFFFFFFFFFFFFFFF\""

static const char tdx_info[] =
    "{\"id\":\"TDX\",\"version\":3,\"issueDate\":\"2026-06-01T00:00:00Z\",\"nextUpdate\":\"2026-07-01T00:00:00Z\","
    "\"fmspc\":\"90c06F000000\",\"pceId\":\"0100\",\"tcbType\":0,\"tcbEvaluationDataNumber\":18,"
    "\"tdxModule\":{" MODULE "},\"tdxModuleIdentities\":["
      "{\"id\":\"TDX_03\"," MODULE ",\"tcbLevels\":[{\"tcb\":{\"isvsvn\":3},\"tcbDate\":\"2025-01-01T00:00:00Z\","
        "\"tcbStatus\":\"UpToDate\"}]},"
      "{\"id\":\"tdx_0A\"," MODULE ",\"tcbLevels\":["
        "{\"tcb\":{\"isvsvn\":2},\"tcbDate\":\"2024-01-01T00:00:00Z\",\"tcbStatus\":\"Revoked\"},"
        "{\"tcb\":{\"isvsvn\":4},\"tcbDate\":\"2025-02-01T00:00:00Z\",\"tcbStatus\":\"OutOfDate\"}]}],"
    "\"tcbLevels\":["
      "{\"tcb\":{\"sgxtcbcomponents\":" SIXTEEN(3) ",\"pcesvn\":5,\"tdxtcbcomponents\":" SIXTEEN(1) "},"
        "\"tcbDate\":\"2024-03-01T00:00:00Z\",\"tcbStatus\":\"OutOfDate\",\"advisoryIDs\":[\"SA-1\",\"SA-2\"]},"
      "{\"tcb\":{\"sgxtcbcomponents\":" SIXTEEN(4) ",\"pcesvn\":5,\"tdxtcbcomponents\":" SIXTEEN(1) "},"
        "\"tcbDate\":\"2025-03-01T00:00:00Z\",\"tcbStatus\":\"UpToDate\",\"advisoryIDs\":[]},"
      "{\"tcb\":{\"sgxtcbcomponents\":" SIXTEEN(3) ",\"pcesvn\":5,\"tdxtcbcomponents\":" SIXTEEN(2) "},"
        "\"tcbDate\":\"2024-02-01T00:00:00Z\",\"tcbStatus\":\"ConfigurationNeeded\"},"
      "{\"tcb\":{\"sgxtcbcomponents\":" SIXTEEN(3) ",\"pcesvn\":6,\"tdxtcbcomponents\":" SIXTEEN(1) "},"
        "\"tcbDate\":\"2024-01-01T00:00:00Z\",\"tcbStatus\":\"SWHardeningNeeded\"}]}";

static const char sgx_info[] =
    "{\"id\":\"SGX\",\"version\":3,\"issueDate\":\"2026-06-01T00:00:00Z\",\"nextUpdate\":\"2026-07-01T00:00:00Z\","
    "\"fmspc\":\"00A067110000\",\"pceId\":\"0000\",\"tcbType\":0,\"tcbEvaluationDataNumber\":17,\"tcbLevels\":["
      "{\"tcb\":{\"sgxtcbcomponents\":" SIXTEEN(9) ",\"pcesvn\":13},\"tcbDate\":\"2025-03-01T00:00:00Z\","
        "\"tcbStatus\":\"UpToDate\"}]}";

static const char flat_info[] =
    "{\"version\":2,\"issueDate\":\"2026-06-01T00:00:00Z\",\"nextUpdate\":\"2026-07-01T00:00:00Z\","
    "\"fmspc\":\"00A067110000\",\"pceId\":\"0000\",\"tcbType\":0,\"tcbEvaluationDataNumber\":3,\"tcbLevels\":["
      "{\"tcb\":{\"sgxtcbcomp01svn\":1,\"sgxtcbcomp02svn\":2,\"sgxtcbcomp03svn\":3,\"sgxtcbcomp04svn\":4,"
        "\"sgxtcbcomp05svn\":5,\"sgxtcbcomp06svn\":6,\"sgxtcbcomp07svn\":7,\"sgxtcbcomp08svn\":8,"
        "\"sgxtcbcomp09svn\":9,\"sgxtcbcomp10svn\":10,\"sgxtcbcomp11svn\":11,\"sgxtcbcomp12svn\":12,"
        "\"sgxtcbcomp13svn\":13,\"sgxtcbcomp14svn\":14,\"sgxtcbcomp15svn\":15,\"sgxtcbcomp16svn\":255,"
        "\"pcesvn\":65535},\"tcbDate\":\"2019-09-01T00:00:00Z\",\"tcbStatus\":\"UpToDate\"}]}";

static const char qe_identity[] =
    "{\"id\":\"TD_QE\",\"version\":2,\"issueDate\":\"2026-06-01T00:00:00Z\",\"nextUpdate\":\"2026-07-01T00:00:00Z\","
    "\"tcbEvaluationDataNumber\":18,\"miscselect\":\"01020304\",\"miscselectMask\":\"FFFFFFFE\","
    "\"attributes\":\"11000000000000000000000000000000\",\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\","
    "\"mrsigner\":\"DC9E2A7C6F948F17474E34A7FC43ED030F7C1563F1BABDDF6340C82E0E54A8C5\",\"isvprodid\":2,"
    "\"tcbLevels\":[{\"tcb\":{\"isvsvn\":2},\"tcbDate\":\"2024-01-01T00:00:00Z\",\"tcbStatus\":\"OutOfDate\","
      "\"advisoryIDs\":[\"SA-9\"]},"
      "{\"tcb\":{\"isvsvn\":65535},\"tcbDate\":\"2025-01-01T00:00:00Z\",\"tcbStatus\":\"UpToDate\"}]}";
/* clang-format on */

/* ---- lies ---- */

typedef struct row {
    const char *name;
    const char *text;
    const char *from; /* replaced once; "": to is appended; NULL: to is all there is */
    const char *to;
    atls_code code; /* 0: COLLATERAL_FORMAT */
    const char *field;
} row;

#define MODULE_3 "{\"id\":\"TDX_03\""

static const row infos[] = {
    {"info version 1", sgx_info, "\"version\":3", "\"version\":1", 0, "tcb_info.version"},
    {"info version 4", tdx_info, "\"version\":3", "\"version\":4", 0, "tcb_info.version"},
    {"info version as text", sgx_info, "\"version\":3", "\"version\":\"3\"", 0, "tcb_info.version"},
    {"info without id", tdx_info, "\"id\":\"TDX\",", "", 0, "tcb_info.id"},
    {"info of another id", sgx_info, "\"SGX\"", "\"SGX2\"", 0, "tcb_info.id"},
    {"info with a lower-case id", tdx_info, "\"TDX\"", "\"tdx\"", 0, "tcb_info.id"},
    {"info with a number as id", sgx_info, "\"SGX\"", "1", 0, "tcb_info.id"},
    {"info version 2 that calls itself TDX", flat_info, "{", "{\"id\":\"TDX\",", 0, "tcb_info.id"},
    {"info of TDX in version 2", tdx_info, "\"version\":3", "\"version\":2", 0, "tcb_info.id"},
    {"tcbType 1", sgx_info, "\"tcbType\":0", "\"tcbType\":1", 0, "tcb_info.tcbType"},
    {"tcbType missing", sgx_info, "\"tcbType\":0,", "", 0, "tcb_info.tcbType"},
    {"fmspc of 10 digits", sgx_info, "00A067110000", "00A0671100", 0, "tcb_info.fmspc"},
    {"fmspc not hex", sgx_info, "00A067110000", "00A06711000g", 0, "tcb_info.fmspc"},
    {"pceId of 6 digits", tdx_info, "\"0100\"", "\"010000\"", 0, "tcb_info.pceId"},
    {"evaluation number negative", sgx_info, "Number\":17", "Number\":-1", 0, "tcb_info.tcbEvaluationDataNumber"},
    {"evaluation number beyond 32 bits", sgx_info, "Number\":17", "Number\":4294967296", 0,
     "tcb_info.tcbEvaluationDataNumber"},
    {"issueDate with an offset", sgx_info, "06-01T00:00:00Z", "06-01T00:00:00+00:00", 0, "tcb_info.issueDate"},
    {"issueDate with a fraction", sgx_info, "06-01T00:00:00Z", "06-01T00:00:00.0Z", 0, "tcb_info.issueDate"},
    {"issueDate with a space", sgx_info, "06-01T00:00:00Z", "06-01 00:00:00Z", 0, "tcb_info.issueDate"},
    {"issueDate missing", sgx_info, "\"issueDate\":\"2026-06-01T00:00:00Z\",", "", 0, "tcb_info.issueDate"},
    {"nextUpdate on 30 February", sgx_info, "07-01T", "02-30T", 0, "tcb_info.nextUpdate"},
    {"SGX info with tdxModule", sgx_info, "\"tcbLevels\"", "\"tdxModule\":{},\"tcbLevels\"", 0, "tcb_info.tdxModule"},
    {"SGX info with tdxModuleIdentities", sgx_info, "\"tcbLevels\"", "\"tdxModuleIdentities\":[],\"tcbLevels\"", 0,
     "tcb_info.tdxModuleIdentities"},
    {"TDX info without tdxModule", tdx_info, "\"tdxModule\":", "\"tdxModul\":", 0, "tcb_info.tdxModule"},
    {"tdxModule with a signer of 94 digits", tdx_info, "{\"mrsigner\":\"00", "{\"mrsigner\":\"", 0,
     "tcb_info.tdxModule.mrsigner"},
    {"tdxModule with attributes that are not hex", tdx_info, "\"attributes\":\"00", "\"attributes\":\"0x", 0,
     "tcb_info.tdxModule.attributes"},
    {"tdxModule without mask", tdx_info, "\"attributesMask\"", "\"attributesmask\"", 0,
     "tcb_info.tdxModule.attributesMask"},
    {"identities not an array", tdx_info, "\"tdxModuleIdentities\":[", "\"tdxModuleIdentities\":1,\"x\":[", 0,
     "tcb_info.tdxModuleIdentities"},
    {"identity of another name", tdx_info, "TDX_03", "TDX-03", 0, "tcb_info.tdxModuleIdentities[0].id"},
    {"identity without number", tdx_info, "TDX_03", "TDX_0g", 0, "tcb_info.tdxModuleIdentities[0].id"},
    {"identity of three digits", tdx_info, "TDX_03", "TDX_003", 0, "tcb_info.tdxModuleIdentities[0].id"},
    {"identity twice, in another case", tdx_info, "TDX_03", "TDX_0a", 0, "tcb_info.tdxModuleIdentities[1].id"},
    {"identity without signer", tdx_info, MODULE_3 ",\"mrsigner\"", MODULE_3 ",\"signer\"", 0,
     "tcb_info.tdxModuleIdentities[0].mrsigner"},
    {"identity with SWHardeningNeeded", tdx_info, "\"Revoked\"", "\"SWHardeningNeeded\"", 0,
     "tcb_info.tdxModuleIdentities[1].tcbLevels[0].tcbStatus"},
    {"identity with ConfigurationNeeded", tdx_info, "\"Revoked\"", "\"ConfigurationNeeded\"", 0,
     "tcb_info.tdxModuleIdentities[1].tcbLevels[0].tcbStatus"},
    {"identity with equal levels", tdx_info, "\"isvsvn\":2", "\"isvsvn\":4", 0,
     "tcb_info.tdxModuleIdentities[1].tcbLevels[1].tcb"},
    {"identity with an isvsvn beyond 16 bits", tdx_info, "\"isvsvn\":2", "\"isvsvn\":65536", 0,
     "tcb_info.tdxModuleIdentities[1].tcbLevels[0].tcb.isvsvn"},
    {"levels missing", sgx_info, "\"tcbLevels\"", "\"levels\"", 0, "tcb_info.tcbLevels"},
    {"levels empty", sgx_info, "\"tcbLevels\":[", "\"tcbLevels\":[],\"x\":[", 0, "tcb_info.tcbLevels"},
    {"levels not an array", sgx_info, "\"tcbLevels\":[", "\"tcbLevels\":{},\"x\":[", 0, "tcb_info.tcbLevels"},
    {"level not an object", sgx_info, "\"tcbLevels\":[", "\"tcbLevels\":[7,", 0, "tcb_info.tcbLevels[0].tcb"},
    {"tcb missing", sgx_info, "{\"tcb\":", "{\"tbc\":", 0, "tcb_info.tcbLevels[0].tcb"},
    {"15 components", sgx_info, "[{\"svn\":9},", "[", 0, "tcb_info.tcbLevels[0].tcb.sgxtcbcomponents"},
    {"17 components", sgx_info, "[{\"svn\":9}", "[{\"svn\":9},{\"svn\":9}", 0,
     "tcb_info.tcbLevels[0].tcb.sgxtcbcomponents"},
    {"no components", sgx_info, "\"sgxtcbcomponents\":[", "\"sgxtcbcomponents\":[],\"x\":[", 0,
     "tcb_info.tcbLevels[0].tcb.sgxtcbcomponents"},
    {"flat components in version 3", flat_info, "{\"version\":2", "{\"id\":\"SGX\",\"version\":3", 0,
     "tcb_info.tcbLevels[0].tcb.sgxtcbcomponents"},
    {"arrays of components in version 2", sgx_info, "\"version\":3", "\"version\":2", 0,
     "tcb_info.tcbLevels[0].tcb.sgxtcbcomp01svn"},
    {"a flat component missing", flat_info, "comp07svn", "comp7svn", 0, "tcb_info.tcbLevels[0].tcb.sgxtcbcomp07svn"},
    {"a flat component of 256", flat_info, "comp16svn\":255", "comp16svn\":256", 0,
     "tcb_info.tcbLevels[0].tcb.sgxtcbcomp16svn"},
    {"TDX components missing", tdx_info, "\"tdxtcbcomponents\"", "\"tdxcomponents\"", 0,
     "tcb_info.tcbLevels[0].tcb.tdxtcbcomponents"},
    {"15 TDX components", tdx_info, "[{\"svn\":1},", "[", 0, "tcb_info.tcbLevels[0].tcb.tdxtcbcomponents"},
    {"17 TDX components", tdx_info, "[{\"svn\":1}", "[{\"svn\":0},{\"svn\":1}", 0,
     "tcb_info.tcbLevels[0].tcb.tdxtcbcomponents"},
    {"svn 256", tdx_info, "[{\"svn\":4}", "[{\"svn\":256}", 0, "tcb_info.tcbLevels[1].tcb.sgxtcbcomponents[0].svn"},
    {"svn 65473, as Intel's sample has", tdx_info, "{\"svn\":3}],\"pcesvn\":6", "{\"svn\":65473}],\"pcesvn\":6", 0,
     "tcb_info.tcbLevels[3].tcb.sgxtcbcomponents[15].svn"},
    {"svn negative", sgx_info, "[{\"svn\":9}", "[{\"svn\":-9}", 0, "tcb_info.tcbLevels[0].tcb.sgxtcbcomponents[0].svn"},
    {"svn as text", sgx_info, "[{\"svn\":9}", "[{\"svn\":\"9\"}", 0,
     "tcb_info.tcbLevels[0].tcb.sgxtcbcomponents[0].svn"},
    {"svn with a fraction", sgx_info, "[{\"svn\":9}", "[{\"svn\":9.0}", 0,
     "tcb_info.tcbLevels[0].tcb.sgxtcbcomponents[0].svn"},
    {"component not an object", sgx_info, "[{\"svn\":9}", "[9", 0, "tcb_info.tcbLevels[0].tcb.sgxtcbcomponents[0].svn"},
    {"pcesvn missing", tdx_info, "\"pcesvn\":6", "\"pceSvn\":6", 0, "tcb_info.tcbLevels[3].tcb.pcesvn"},
    {"pcesvn 65536", flat_info, "65535", "65536", 0, "tcb_info.tcbLevels[0].tcb.pcesvn"},
    {"two levels with equal keys", tdx_info, "\"pcesvn\":6", "\"pcesvn\":5", 0, "tcb_info.tcbLevels[3].tcb"},
    {"two levels with equal keys, another status", sgx_info, "}]}",
     "},{\"tcb\":{\"sgxtcbcomponents\":" SIXTEEN(9) ",\"pcesvn\":13},\"tcbDate\":\"2025-03-01T00:00:00Z\","
                                                    "\"tcbStatus\":\"Revoked\"}]}",
     0, "tcb_info.tcbLevels[1].tcb"},
    {"status unknown", sgx_info, "\"UpToDate\"", "\"Fine\"", 0, "tcb_info.tcbLevels[0].tcbStatus"},
    {"status Unknown", sgx_info, "\"UpToDate\"", "\"Unknown\"", 0, "tcb_info.tcbLevels[0].tcbStatus"},
    {"status that only we derive", tdx_info, "\"ConfigurationNeeded\"", "\"TDRelaunchAdvised\"", 0,
     "tcb_info.tcbLevels[2].tcbStatus"},
    {"status in lower case", sgx_info, "\"UpToDate\"", "\"uptodate\"", 0, "tcb_info.tcbLevels[0].tcbStatus"},
    {"status missing", sgx_info, "\"tcbStatus\"", "\"status\"", 0, "tcb_info.tcbLevels[0].tcbStatus"},
    {"tcbDate missing", sgx_info, "\"tcbDate\"", "\"date\"", 0, "tcb_info.tcbLevels[0].tcbDate"},
    {"tcbDate not strict", sgx_info, "2025-03-01T00:00:00Z", "2025-03-01", 0, "tcb_info.tcbLevels[0].tcbDate"},
    {"advisories as text", tdx_info, "[\"SA-1\",\"SA-2\"]", "\"SA-1\"", 0, "tcb_info.tcbLevels[0].advisoryIDs"},
    {"advisories null", tdx_info, "[\"SA-1\",\"SA-2\"]", "null", 0, "tcb_info.tcbLevels[0].advisoryIDs"},
    {"an advisory as number", tdx_info, "\"SA-2\"", "2", 0, "tcb_info.tcbLevels[0].advisoryIDs"},
    {"an advisory with a NUL", tdx_info, "\"SA-2\"", "\"SA\\u00002\"", 0, "tcb_info.tcbLevels[0].advisoryIDs"},
    {"no JSON", sgx_info, NULL, "tcbInfo", 0, "tcb_info"},
    {"an empty text", sgx_info, NULL, "", 0, "tcb_info"},
    {"an array", sgx_info, NULL, "[]", 0, "tcb_info"},
    {"trailing text", sgx_info, "", "x", 0, "tcb_info"},
    {"a member twice", sgx_info, "\"tcbType\":0", "\"tcbType\":0,\"tcbType\":0", 0, "tcb_info"},
    {"a member twice, spelt with an escape", sgx_info, "\"tcbType\":0", "\"tcbType\":0,\"tcb\\u0054ype\":0", 0,
     "tcb_info"},
    {"too deep", sgx_info, "\"tcbType\":0", "\"tcbType\":0,\"x\":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]", 0, "tcb_info"},
    {"not UTF-8", sgx_info, "\"tcbType\":0", "\"tcbType\":0,\"x\":\"\xff\"", 0, "tcb_info"},
};

static const row identities[] = {
    {"identity of a QVE", qe_identity, "TD_QE", "QVE", ATLS_E_QE_IDENTITY_MISMATCH, "qe_identity.id"},
    {"identity version 1", qe_identity, "\"version\":2", "\"version\":1", ATLS_E_QE_IDENTITY_MISMATCH,
     "qe_identity.version"},
    {"identity version 3", qe_identity, "\"version\":2", "\"version\":3", ATLS_E_QE_IDENTITY_MISMATCH,
     "qe_identity.version"},
    {"identity with a number as id", qe_identity, "\"TD_QE\"", "2", 0, "qe_identity.id"},
    {"identity version missing", qe_identity, "\"version\":2,", "", 0, "qe_identity.version"},
    {"miscselect of 6 digits", qe_identity, "01020304", "010203", 0, "qe_identity.miscselect"},
    {"miscselectMask missing", qe_identity, "miscselectMask", "miscselectmask", 0, "qe_identity.miscselectMask"},
    {"attributes not hex", qe_identity, "\"1100", "\"11xx", 0, "qe_identity.attributes"},
    {"attributesMask of 14 bytes", qe_identity, "0000000000000000\",\"mrsigner", "000000000000\",\"mrsigner", 0,
     "qe_identity.attributesMask"},
    {"mrsigner as number", qe_identity, "\"mrsigner\":", "\"mrsigner\":1,\"x\":", 0, "qe_identity.mrsigner"},
    {"isvprodid 65536", qe_identity, "\"isvprodid\":2", "\"isvprodid\":65536", 0, "qe_identity.isvprodid"},
    {"identity levels missing", qe_identity, "\"tcbLevels\"", "\"levels\"", 0, "qe_identity.tcbLevels"},
    {"identity with SWHardeningNeeded", qe_identity, "\"OutOfDate\"", "\"SWHardeningNeeded\"", 0,
     "qe_identity.tcbLevels[0].tcbStatus"},
    {"identity isvsvn missing", qe_identity, "\"isvsvn\":2", "\"svn\":2", 0, "qe_identity.tcbLevels[0].tcb.isvsvn"},
    {"identity with equal levels", qe_identity, "65535", "2", 0, "qe_identity.tcbLevels[1].tcb"},
    {"identity issueDate with an offset", qe_identity, "06-01T00:00:00Z", "06-01T00:00:00+01:00", 0,
     "qe_identity.issueDate"},
    {"identity evaluation number missing", qe_identity, "\"tcbEvaluationDataNumber\":18,", "", 0,
     "qe_identity.tcbEvaluationDataNumber"},
    {"identity trailing text", qe_identity, "", " {}", 0, "qe_identity"},
};

/* The text with its lie, in a block that ends where it ends. */
static atls_bytes tell(const row *r)
{
    size_t n = strlen(r->text);
    size_t from = r->from == NULL ? n : strlen(r->from);
    size_t to = strlen(r->to);
    const char *at = r->from == NULL ? r->text : r->from[0] == '\0' ? r->text + n : strstr(r->text, r->from);
    assert_non_null(at);
    size_t before = (size_t)(at - r->text);
    size_t after = n - before - from;
    uint8_t *out = malloc(before + to + after + 1);
    assert_non_null(out);
    memcpy(out, r->text, before);
    memcpy(out + before, r->to, to);
    memcpy(out + before + to, at + from, after);
    uint8_t *exact = realloc(out, before + to + after + (before + to + after == 0));
    assert_non_null(exact);
    return atls_bytes_of(exact, before + to + after);
}

static void drop(atls_bytes text)
{
    union {
        const uint8_t *in;
        void *out;
    } p = {.in = text.ptr};
    free(p.out);
}

static void test_info(void **state)
{
    const row *r = *state;
    dcap_tcb_info info;
    atls_error err = {.code = ATLS_OK};
    atls_bytes text = tell(r);
    assert_false(dcap_tcb_info_decode(text, check_arena(), &info, &err));
    check_error(&err, r->code == ATLS_OK ? ATLS_E_COLLATERAL_FORMAT : r->code, r->field);
    drop(text);
}

static void test_identity(void **state)
{
    const row *r = *state;
    dcap_qe_identity identity;
    atls_error err = {.code = ATLS_OK};
    atls_bytes text = tell(r);
    assert_false(dcap_qe_identity_decode(text, check_arena(), &identity, &err));
    check_error(&err, r->code == ATLS_OK ? ATLS_E_COLLATERAL_FORMAT : r->code, r->field);
    drop(text);
}

/* ---- honest ones ---- */

static dcap_tcb_info read_info(const char *text)
{
    dcap_tcb_info info;
    atls_error err = {.code = ATLS_OK};
    if (!dcap_tcb_info_decode(atls_bytes_str(text), check_arena(), &info, &err)) {
        char line[512];
        (void)atls_error_line(&err, line, sizeof line);
        fail_msg("%s", line);
    }
    return info;
}

static void check_time(atls_time t, const char *text)
{
    char actual[ATLS_TIME_TEXT_SIZE];
    atls_time_format(t, actual);
    assert_string_equal(actual, text);
}

static void test_tdx_info(void **state)
{
    static const uint8_t fmspc[] = {0x90, 0xc0, 0x6f, 0, 0, 0};
    static const uint8_t pceid[] = {1, 0};
    dcap_tcb_info info = read_info(tdx_info);
    (void)state;
    assert_true(info.is_tdx);
    assert_int_equal(info.version, 3);
    check_time(info.issue_date, "2026-06-01T00:00:00Z");
    check_time(info.next_update, "2026-07-01T00:00:00Z");
    assert_memory_equal(info.fmspc, fmspc, sizeof fmspc);
    assert_memory_equal(info.pceid, pceid, sizeof pceid);
    assert_int_equal(info.evaluation_data_number, 18);
    assert_int_equal(info.base.version, 0);
    assert_int_equal(info.base.attributes_mask[7], 0xff);
    assert_true(info.has_identities);
    assert_int_equal(info.n_identities, 2);
    assert_int_equal(info.identities[0].version, 3);
    assert_int_equal(info.identities[1].version, 10);
    assert_int_equal(info.identities[1].n_levels, 2);
    assert_int_equal(info.identities[1].levels[0].pcesvn, 4);
    assert_int_equal(info.identities[1].levels[1].status, ATLS_TCB_REVOKED);
}

/* SGX components first, then PCESVN, then TDX components; the document has another order. */
static void test_order_of_levels(void **state)
{
    static const atls_tcb_status order[] = {ATLS_TCB_UP_TO_DATE, ATLS_TCB_SW_HARDENING_NEEDED,
                                            ATLS_TCB_CONFIGURATION_NEEDED, ATLS_TCB_OUT_OF_DATE};
    dcap_tcb_info info = read_info(tdx_info);
    (void)state;
    assert_int_equal(info.n_levels, COUNT(order));
    for (size_t i = 0; i < COUNT(order); i++) {
        assert_int_equal(info.levels[i].status, order[i]);
    }
    assert_int_equal(info.levels[0].sgx[15], 4);
    assert_int_equal(info.levels[0].tdx[0], 1);
    assert_int_equal(info.levels[0].advisories.n, 0);
    check_time(info.levels[0].date, "2025-03-01T00:00:00Z");
    assert_int_equal(info.levels[3].advisories.n, 2);
    assert_string_equal(info.levels[3].advisories.items[1], "SA-2");
}

static void test_sgx_info(void **state)
{
    dcap_tcb_info info = read_info(sgx_info);
    (void)state;
    assert_false(info.is_tdx);
    assert_false(info.has_identities);
    assert_int_equal(info.n_levels, 1);
    assert_int_equal(info.levels[0].pcesvn, 13);
    assert_int_equal(info.levels[0].sgx[7], 9);
}

static void test_flat_info(void **state)
{
    dcap_tcb_info info = read_info(flat_info);
    (void)state;
    assert_false(info.is_tdx);
    assert_int_equal(info.version, 2);
    assert_int_equal(info.levels[0].sgx[0], 1);
    assert_int_equal(info.levels[0].sgx[14], 15);
    assert_int_equal(info.levels[0].sgx[15], 255);
    assert_int_equal(info.levels[0].pcesvn, 65535);
}

static void test_qe_identity(void **state)
{
    static const uint8_t misc[] = {1, 2, 3, 4};
    dcap_qe_identity q;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    assert_true(dcap_qe_identity_decode(atls_bytes_str(qe_identity), check_arena(), &q, &err));
    assert_true(q.is_td_qe);
    assert_int_equal(q.version, 2);
    check_time(q.next_update, "2026-07-01T00:00:00Z");
    assert_int_equal(q.evaluation_data_number, 18);
    assert_memory_equal(q.miscselect, misc, sizeof misc); /* hex is the order in memory */
    assert_int_equal(q.miscselect_mask[3], 0xfe);
    assert_int_equal(q.attributes[0], 0x11);
    assert_int_equal(q.attributes_mask[0], 0xfb);
    assert_int_equal(q.mrsigner[0], 0xdc);
    assert_int_equal(q.isvprodid, 2);
    assert_int_equal(q.n_levels, 2);
    assert_int_equal(q.levels[0].pcesvn, 65535);
    assert_int_equal(q.levels[1].status, ATLS_TCB_OUT_OF_DATE);
    assert_string_equal(q.levels[1].advisories.items[0], "SA-9");
}

/* Many levels, in the worst order for the sort; one more than the limit is refused. */
static bool read_many(size_t n, dcap_tcb_info *out, atls_error *err)
{
    static char text[600 * 1024];
    size_t len = (size_t)snprintf(text, sizeof text, "%.*s[", (int)(strstr(sgx_info, ":[{") + 1 - sgx_info), sgx_info);
    for (size_t i = 0; i < n; i++) {
        len +=
            (size_t)snprintf(text + len, sizeof text - len,
                             "%s{\"tcb\":{\"sgxtcbcomponents\":" SIXTEEN(
                                 1) ",\"pcesvn\":%zu},\"tcbDate\":\"2025-03-01T00:00:00Z\",\"tcbStatus\":\"UpToDate\"}",
                             i == 0 ? "" : ",", i);
    }
    len += (size_t)snprintf(text + len, sizeof text - len, "]}");
    assert_true(len < sizeof text);
    *err = (atls_error){.code = ATLS_OK};
    return dcap_tcb_info_decode(atls_bytes_of(text, len), check_arena(), out, err);
}

static void test_many_levels(void **state)
{
    dcap_tcb_info info;
    atls_error err;
    (void)state;
    assert_true(read_many(256, &info, &err));
    for (size_t i = 0; i < 256; i++) {
        assert_int_equal(info.levels[i].pcesvn, 255 - i);
    }
    assert_false(read_many(257, &info, &err));
    check_error(&err, ATLS_E_COLLATERAL_FORMAT, "tcb_info.tcbLevels");
}

static bool read_advisories(size_t n, dcap_tcb_info *out, atls_error *err)
{
    char list[1024] = "\"UpToDate\",\"advisoryIDs\":[";
    size_t len = strlen(list);
    for (size_t i = 0; i < n; i++) {
        len += (size_t)snprintf(list + len, sizeof list - len, "%s\"SA-%zu\"", i == 0 ? "" : ",", i);
    }
    snprintf(list + len, sizeof list - len, "]");
    const row r = {.text = sgx_info, .from = "\"UpToDate\"", .to = list};
    atls_bytes text = tell(&r);
    *err = (atls_error){.code = ATLS_OK};
    bool ok = dcap_tcb_info_decode(text, check_arena(), out, err);
    drop(text);
    return ok;
}

static void test_many_advisories(void **state)
{
    dcap_tcb_info info;
    atls_error err;
    (void)state;
    assert_true(read_advisories(64, &info, &err));
    assert_int_equal(info.levels[0].advisories.n, 64);
    assert_string_equal(info.levels[0].advisories.items[63], "SA-63");
    assert_false(read_advisories(65, &info, &err));
    check_error(&err, ATLS_E_COLLATERAL_FORMAT, "tcb_info.tcbLevels[0].advisoryIDs");
}

/* Unknown members are ignored, wherever they stand. */
static void test_unknown_members(void **state)
{
    const row r = {.text = sgx_info, .from = "\"pcesvn\":13", .to = "\"pcesvn\":13,\"news\":{\"a\":[null,1e9]}"};
    atls_bytes text = tell(&r);
    dcap_tcb_info info;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    assert_true(dcap_tcb_info_decode(text, check_arena(), &info, &err));
    drop(text);
}

/* Less memory than it takes is an error, at every point. */
static void test_little_memory(void **state)
{
    static uint8_t block[64 * 1024];
    atls_arena a;
    dcap_tcb_info info;
    size_t size = 0;
    atls_error err;
    (void)state;
    do {
        err = (atls_error){.code = ATLS_OK};
        atls_arena_init(&a, block, size);
        size += 64;
        if (!dcap_tcb_info_decode(atls_bytes_str(tdx_info), &a, &info, &err)) {
            assert_int_equal(err.code, ATLS_E_MEMORY);
        }
    } while (err.code != ATLS_OK && size <= sizeof block);
    assert_int_equal(err.code, ATLS_OK);
}

int main(void)
{
    tap_list l = {0};
    tap_add(&l, "TCB info for TDX", test_tdx_info, NULL);
    tap_add(&l, "TCB info: levels are sorted", test_order_of_levels, NULL);
    tap_add(&l, "TCB info for SGX", test_sgx_info, NULL);
    tap_add(&l, "TCB info version 2", test_flat_info, NULL);
    tap_add(&l, "TCB info: 256 levels, not 257", test_many_levels, NULL);
    tap_add(&l, "TCB info: 64 advisories, not 65", test_many_advisories, NULL);
    tap_add(&l, "TCB info: unknown members", test_unknown_members, NULL);
    tap_add(&l, "TCB info: little memory", test_little_memory, NULL);
    tap_add(&l, "QE identity", test_qe_identity, NULL);
    for (size_t i = 0; i < COUNT(infos); i++) {
        tap_add(&l, infos[i].name, test_info, &infos[i]);
    }
    for (size_t i = 0; i < COUNT(identities); i++) {
        tap_add(&l, identities[i].name, test_identity, &identities[i]);
    }
    return tap_run("dcap collateral", &l);
}

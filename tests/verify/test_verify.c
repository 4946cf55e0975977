/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier: one honest appraisal for every kind, and a table of lies, each of which must die at its own door.
 *
 * A row is the honest world plus one change: of the machine (settings), of the policy (members that are added, a hex value that
 * is spoiled) or of the call (change). It names the code, the field and the one check that fails. */
#include "base/json.h"
#include "base/text.h"
#include "pki/signature.h"
#include "world.h"

typedef struct row {
    const char *name;
    sim_kind kind;
    const char *type;
    const char *settings[4];
    const char *more;
    const char *spoil;
    void (*change)(world *w);
    atls_code code;
    const char *field;
    const char *id; /* of the only check that fails; NULL: the failure is no check, or there is none */
} row;

#define A16   "aaaaaaaaaaaaaaaa"
#define A32   A16 A16
#define A64   A32 A32
#define A96   A64 A32
#define A128  A64 A64
#define STALE "level.0.status=OutOfDate"

/* ---- changes of the call -------------------------------------------------------------------------------------------- */

static void offline(world *w)
{
    w->in.binding.profile = NULL;
}

static void own_value(world *w)
{
    w->in.binding.grade = ATLS_GRADE_REPORT_DATA;
    w->in.binding.profile = "";
}

static void other_first_byte(world *w)
{
    w->in.binding.value[0] ^= 0x80;
}

static void zero_value(world *w)
{
    memset(w->in.binding.value, 0, sizeof w->in.binding.value);
}

static void value_without_grade(world *w)
{
    w->in.binding.grade = ATLS_GRADE_NONE;
}

static void impossible_grade(world *w)
{
    w->in.binding.grade = (atls_grade)99;
}

static void key_grade(world *w)
{
    w->in.binding.grade = ATLS_GRADE_KEY_FRESH;
}

static void no_leaf(world *w)
{
    w->in.binding.has_leaf_sha256 = false;
}

static void no_time(world *w)
{
    w->in.now = ATLS_TIME_UNSET;
}

static void before_1970(world *w)
{
    w->in.now = -1;
}

static void next_year(world *w)
{
    w->in.now += 400 * (atls_time)86400;
}

static void no_log(world *w)
{
    w->in.event_log = atls_bytes_empty();
}

static void garbage_log(world *w)
{
    w->in.event_log = atls_bytes_str("[{]");
}

static void other_log(world *w)
{
    w->in.event_log = atls_bytes_str("[]");
}

static void no_evidence(world *w)
{
    w->in.evidence = atls_bytes_empty();
}

static void cut_evidence(world *w)
{
    w->in.evidence.len = 700;
}

static void tampered_evidence(world *w)
{
    uint8_t *copy = (uint8_t *)atls_arena_raw(&w->arena, w->in.evidence.len, &w->err);
    assert_non_null(copy);
    memcpy(copy, w->in.evidence.ptr, w->in.evidence.len);
    copy[w->in.evidence.ptr[0] == 3 ? 112 : 184] ^= 1; /* MRENCLAVE, MRTD */
    w->in.evidence.ptr = copy;
}

static void no_endorse(world *w)
{
    w->in.endorse = NULL;
}

static bool endorse_silently_no(void *ctx, const atls_endorsement_request *request, atls_arena *arena,
                                atls_endorsements *out, atls_error *err)
{
    (void)ctx, (void)request, (void)arena, (void)out, (void)err;
    return false;
}

static bool endorse_nothing(void *ctx, const atls_endorsement_request *request, atls_arena *arena,
                            atls_endorsements *out, atls_error *err)
{
    (void)ctx, (void)request, (void)arena, (void)out, (void)err;
    return true;
}

static bool endorse_io(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                       atls_error *err)
{
    (void)ctx, (void)request, (void)arena, (void)out;
    return atls_fail(err, ATLS_E_IO, "pcs", "connection refused");
}

static bool endorse_timeout(void *ctx, const atls_endorsement_request *request, atls_arena *arena,
                            atls_endorsements *out, atls_error *err)
{
    (void)ctx, (void)request, (void)arena, (void)out;
    return atls_fail(err, ATLS_E_TIMEOUT, "pcs", NULL);
}

static bool endorse_broken(void *ctx, const atls_endorsement_request *request, atls_arena *arena,
                           atls_endorsements *out, atls_error *err)
{
    (void)ctx, (void)request, (void)arena, (void)out;
    return atls_fail(err, ATLS_E_COLLATERAL_FORMAT, "bundle", NULL);
}

/* says yes and leaves an error behind: not a yes */
static bool endorse_two_minds(void *ctx, const atls_endorsement_request *request, atls_arena *arena,
                              atls_endorsements *out, atls_error *err)
{
    (void)atls_fail(err, ATLS_E_IO, "pcs", NULL);
    atls_error own = {0};
    return sim_endorse(ctx, request, arena, out, &own);
}

static void silently_no(world *w)
{
    w->in.endorse = endorse_silently_no;
}

static void nothing(world *w)
{
    w->in.endorse = endorse_nothing;
}

static void io(world *w)
{
    w->in.endorse = endorse_io;
}

static void timeout(world *w)
{
    w->in.endorse = endorse_timeout;
}

static void broken(world *w)
{
    w->in.endorse = endorse_broken;
}

static void two_minds(world *w)
{
    w->in.endorse = endorse_two_minds;
}

/* ---- the table ------------------------------------------------------------------------------------------------------ */

#define DSTACK4       SIM_TDX_V4, "dstack_tdx"
#define DSTACK5       SIM_TDX_V5, "dstack_tdx"
#define TDX4          SIM_TDX_V4, "tdx"
#define TDX5          SIM_TDX_V5, "tdx"
#define SGX3          SIM_SGX_V3, "sgx"
#define NOTHING       {NULL}, NULL, NULL, NULL
#define SET(...)      {__VA_ARGS__, NULL}, NULL, NULL, NULL
#define MORE(members) {NULL}, members, NULL, NULL
#define SPOIL(member) {NULL}, NULL, member, NULL
#define CALL(change)  {NULL}, NULL, NULL, change
#define ACCEPT        ATLS_OK, "", NULL

/* clang-format off */
static const row rows[] = {
    /* honest */
    {"honest: dstack, quote 4", DSTACK4, NOTHING, ACCEPT},
    {"honest: dstack, quote 5", DSTACK5, NOTHING, ACCEPT},
    {"honest: tdx, quote 4, with a log", TDX4, NOTHING, ACCEPT},
    {"honest: tdx, quote 5", TDX5, NOTHING, ACCEPT},
    {"honest: tdx without a log", TDX4, CALL(no_log), ACCEPT},
    {"honest: sgx", SGX3, NOTHING, ACCEPT},
    {"honest: sgx outside a session", SGX3, CALL(world_no_binding), ACCEPT},
    {"honest: dstack outside a session", DSTACK4, CALL(world_no_binding), ACCEPT},
    {"honest: dstack offline, with a leaf", DSTACK4, CALL(offline), ACCEPT},
    {"honest: the caller's own value", TDX4, CALL(own_value), ACCEPT},
    {"honest: runtime digests blank", DSTACK4, SET("log.digests=blank"), ACCEPT},
    {"honest: log of version 2", DSTACK4, SET("log.version=2"), ACCEPT},

    /* the call */
    {"call: no time", DSTACK4, CALL(no_time), ATLS_E_USAGE, "now", NULL},
    {"call: a time before 1970", DSTACK4, CALL(before_1970), ATLS_E_USAGE, "now", NULL},
    {"call: a binding of zeros", DSTACK4, CALL(zero_value), ATLS_E_USAGE, "binding.value", NULL},
    {"call: a binding without a grade", TDX4, CALL(value_without_grade), ATLS_E_USAGE, "binding.grade", NULL},
    {"call: a grade that does not exist", TDX4, CALL(impossible_grade), ATLS_E_USAGE, "binding.grade", NULL},
    {"call: a dstack session without a certificate", DSTACK4, CALL(no_leaf), ATLS_E_USAGE, "binding.leaf_sha256", NULL},

    /* decode */
    {"decode: no evidence", TDX4, CALL(no_evidence), ATLS_E_QUOTE_FORMAT, "quote.header", "evidence.decode"},
    {"decode: cut evidence", TDX4, CALL(cut_evidence), ATLS_E_QUOTE_FORMAT, "quote.auth.len", "evidence.decode"},
    {"decode: dstack without a log", DSTACK4, CALL(no_log), ATLS_E_EVENT_LOG_PARSE, "event_log", "event_log.decode"},
    {"decode: a log that is no JSON", DSTACK4, CALL(garbage_log), ATLS_E_EVENT_LOG_PARSE, "event_log", "event_log.decode"},
    {"decode: tdx, a log that is no JSON", TDX4, CALL(garbage_log), ATLS_E_EVENT_LOG_PARSE, "event_log", "event_log.decode"},
    {"decode: an entry for a fifth register", DSTACK4, SET("event_log.0.imr=7"), ATLS_E_EVENT_LOG_PARSE,
     "event_log[0].imr", "event_log.decode"},

    /* endorsements: could not find out is not a no, and never a yes */
    {"endorsements: no callback", DSTACK4, CALL(no_endorse), ATLS_E_ENDORSEMENTS_MISSING, "endorsements", "endorsements"},
    {"endorsements: a silent no", DSTACK4, CALL(silently_no), ATLS_E_ENDORSEMENTS_MISSING, "endorsements", "endorsements"},
    {"endorsements: a yes with nothing in it", SGX3, CALL(nothing), ATLS_E_ENDORSEMENTS_MISSING, "endorsements", "endorsements"},
    {"endorsements: the network fails", DSTACK4, CALL(io), ATLS_E_IO, "pcs", "endorsements"},
    {"endorsements: the deadline passes", TDX4, CALL(timeout), ATLS_E_TIMEOUT, "pcs", "endorsements"},
    {"endorsements: malformed", TDX4, CALL(broken), ATLS_E_COLLATERAL_FORMAT, "bundle", "endorsements"},
    {"endorsements: a yes that left an error", TDX4, CALL(two_minds), ATLS_E_IO, "pcs", "endorsements"},
    {"endorsements: of the caller, stale", TDX4, CALL(next_year), ATLS_E_EXPIRED, "root_ca_crl.next_update", "dcap.root_crl"},

    /* authenticate: one row each for the doors of the room; the room's own tests have the rest */
    {"authenticate: measurement changed after signing", TDX4, CALL(tampered_evidence), ATLS_E_QUOTE_SIGNATURE,
     "quote.auth.signature", "dcap.quote_signature"},
    {"authenticate: enclave changed after signing", SGX3, CALL(tampered_evidence), ATLS_E_QUOTE_SIGNATURE,
     "quote.auth.signature", "dcap.quote_signature"},
    {"authenticate: TCB level revoked", TDX4, SET("level.0.status=Revoked"), ATLS_E_TCB_REVOKED, "tcb.platform", "dcap.tcb_level"},

    /* policy: each member says no by itself */
    {"policy: trusted_roots", TDX4, SPOIL("trusted_roots"), ATLS_E_PCK_CHAIN, "root", "dcap.root"},
    {"policy: allowed_tcb_status", DSTACK4, SET(STALE), ATLS_E_TCB_STATUS_NOT_ALLOWED, "tcb.status", "dcap.tcb_status"},
    {"policy: min_tcb_evaluation_data_number", TDX4, MORE(",\"min_tcb_evaluation_data_number\":18"),
     ATLS_E_TCB_EVALUATION_NUMBER, "tcb.tcb_evaluation_data_number", "dcap.tcb_evaluation_data_number"},
    {"policy: min_tcb_evaluation_data_number is reached", TDX4, MORE(",\"min_tcb_evaluation_data_number\":17"), ACCEPT},
    {"policy: accepted_advisories", TDX4, {"level.0.advisories=INTEL-SA-1"}, ",\"accepted_advisories\":[\"INTEL-SA-2\"]",
     NULL, NULL, ATLS_E_ADVISORY_NOT_ALLOWED, "tcb.advisories", "dcap.advisories"},
    {"policy: rejected_advisories", TDX4, {"level.0.advisories=INTEL-SA-1"}, ",\"rejected_advisories\":[\"INTEL-SA-1\"]",
     NULL, NULL, ATLS_E_ADVISORY_NOT_ALLOWED, "tcb.advisories", "dcap.advisories"},
    {"policy: machines", DSTACK4, MORE(",\"machines\":[\"" A32 "\"]"), ATLS_E_MACHINE_NOT_ALLOWED,
     "pck.sgx_extension.ppid", "dcap.machine"},
    {"policy: fmspc", TDX4, MORE(",\"fmspc\":[\"aaaaaaaaaaaa\"]"), ATLS_E_MACHINE_NOT_ALLOWED,
     "pck.sgx_extension.fmspc", "dcap.fmspc"},
    {"policy: pceid", SGX3, MORE(",\"pceid\":\"aaaa\""), ATLS_E_MACHINE_NOT_ALLOWED, "pck.sgx_extension.pceid", "dcap.pceid"},
    {"policy: platform_instance_id", TDX4, MORE(",\"platform_instance_id\":\"" A32 "\""), ATLS_E_MACHINE_NOT_ALLOWED,
     "pck.sgx_extension.platform_instance_id", "dcap.platform_instance_id"},
    {"policy: qe_vendor_id", TDX4, MORE(",\"qe_vendor_id\":\"" A32 "\""), ATLS_E_MEASUREMENT_MISMATCH,
     "quote.header.qe_vendor_id", "dcap.qe_vendor_id"},
    {"policy: strict_cpusvn", TDX4, {"pck.cpusvn=" A32}, ",\"strict_cpusvn\":true", NULL, NULL, ATLS_E_PCK_CHAIN,
     "pck.sgx_extension.cpusvn", "dcap.pck_extension"},
    {"policy: without strict_cpusvn that is fine", TDX4, SET("pck.cpusvn=" A32), ACCEPT},
    {"policy: allow_sgx_quote_v4_v5 absent", SGX3, SET("quote.version=4"), ATLS_E_QUOTE_FORMAT, "quote.header.version",
     "dcap.quote_format"},
    {"policy: allow_sgx_quote_v4_v5", SGX3, {"quote.version=4"}, ",\"allow_sgx_quote_v4_v5\":true", NULL, NULL, ACCEPT},
    {"policy: mrtd", TDX4, SPOIL("mrtd"), ATLS_E_MEASUREMENT_MISMATCH, "quote.body.mrtd", "dcap.measurement.mrtd"},
#define TD_ROW(name, value) {"policy: " name, TDX4, MORE(",\"" name "\":\"" value "\""), ATLS_E_MEASUREMENT_MISMATCH, \
     "quote.body." name, "dcap.measurement." name},
    TD_ROW("rtmr0", A96)
    TD_ROW("rtmr1", A96)
    TD_ROW("rtmr2", A96)
    TD_ROW("rtmr3", A96)
    TD_ROW("mrseam", A96)
    TD_ROW("mrsignerseam", A96)
    TD_ROW("seamattributes", A16)
    TD_ROW("tdattributes", A16)
    TD_ROW("xfam", A16)
    TD_ROW("mrconfigid", A96)
    TD_ROW("mrowner", A96)
    TD_ROW("mrownerconfig", A96)
    TD_ROW("tee_tcb_svn", A32)
    TD_ROW("reportdata", A128)
    {"policy: tee_tcb_svn2", TDX5, MORE(",\"tee_tcb_svn2\":\"" A32 "\""), ATLS_E_MEASUREMENT_MISMATCH,
     "quote.body.tee_tcb_svn2", "dcap.measurement.tee_tcb_svn2"},
    {"policy: mrservicetd", TDX5, MORE(",\"mrservicetd\":\"" A96 "\""), ATLS_E_MEASUREMENT_MISMATCH,
     "quote.body.mrservicetd", "dcap.measurement.mrservicetd"},
    {"policy: mrservicetd of a report without one", TDX4, MORE(",\"mrservicetd\":\"" A96 "\""),
     ATLS_E_MEASUREMENT_MISMATCH, "quote.body.mrservicetd", "dcap.measurement.mrservicetd"},
    {"policy: min_tee_tcb_svn", TDX4, MORE(",\"min_tee_tcb_svn\":\"" A32 "\""), ATLS_E_MEASUREMENT_MISMATCH,
     "quote.body.tee_tcb_svn", "dcap.min_tee_tcb_svn"},
    {"policy: require_event_log", TDX4, {NULL}, ",\"require_event_log\":true", NULL, no_log, ATLS_E_EVENT_LOG_PARSE,
     "event_log", "event_log.decode"},
    {"policy: require_event_log is met", TDX4, MORE(",\"require_event_log\":true"), ACCEPT},
    {"policy: mrenclave", SGX3, SPOIL("mrenclave"), ATLS_E_MEASUREMENT_MISMATCH, "quote.body.mrenclave",
     "dcap.measurement.mrenclave"},
    {"policy: mrsigner", SGX3, SPOIL("mrsigner"), ATLS_E_MEASUREMENT_MISMATCH, "quote.body.mrsigner",
     "dcap.measurement.mrsigner"},
#define SGX_ROW(name, value) {"policy: sgx " name, SGX3, MORE(",\"" name "\":\"" value "\""), ATLS_E_MEASUREMENT_MISMATCH, \
     "quote.body." name, "dcap.measurement." name},
    SGX_ROW("cpusvn", A32)
    SGX_ROW("miscselect", "aaaaaaaa")
    SGX_ROW("attributes", A32)
    SGX_ROW("reportdata", A128)
    {"policy: isvprodid", SGX3, MORE(",\"isvprodid\":2"), ATLS_E_MEASUREMENT_MISMATCH, "quote.body.isvprodid", "dcap.isvprodid"},
    {"policy: min_isvsvn", SGX3, MORE(",\"min_isvsvn\":3"), ATLS_E_MEASUREMENT_MISMATCH, "quote.body.isvsvn", "dcap.min_isvsvn"},
    {"policy: min_isvsvn is reached", SGX3, MORE(",\"min_isvsvn\":2"), ACCEPT},

    /* attributes, and their waivers */
    {"attributes: DEBUG", TDX4, SET("td.tdattributes=0100001000000000"), ATLS_E_TD_ATTRIBUTES,
     "quote.body.tdattributes.debug", "dcap.debug"},
    {"attributes: DEBUG, waived", TDX4, {"td.tdattributes=0100001000000000"}, ",\"insecure_allow_debug\":true", NULL, NULL, ACCEPT},
    {"attributes: bit 1 cannot be waived", TDX4, {"td.tdattributes=0200001000000000"}, ",\"insecure_allow_debug\":true",
     NULL, NULL, ATLS_E_TD_ATTRIBUTES, "quote.body.tdattributes", "dcap.td_attributes"},
    {"attributes: no SEPT_VE_DISABLE", TDX4, SET("td.tdattributes=0000000000000000"), ATLS_E_TD_ATTRIBUTES,
     "quote.body.tdattributes.sept_ve_disable", "dcap.sept_ve_disable"},
    {"attributes: no SEPT_VE_DISABLE, waived", TDX4, {"td.tdattributes=0000000000000000"},
     ",\"insecure_allow_no_sept_ve_disable\":true", NULL, NULL, ACCEPT},
    {"attributes: MIGRATABLE", TDX4, SET("td.tdattributes=0000003000000000"), ATLS_E_TD_ATTRIBUTES,
     "quote.body.tdattributes", "dcap.td_attributes"},
    {"attributes: MIGRATABLE, in a mask", TDX4, {"td.tdattributes=0000003000000000"},
     ",\"insecure_td_attributes_mask\":\"0000003000000000\"", NULL, NULL, ACCEPT},
    {"attributes: a service TD", TDX5, SET("td.mrservicetd=" A96), ATLS_E_TD_ATTRIBUTES, "quote.body.mrservicetd",
     "dcap.service_td"},
    {"attributes: a service TD, waived", TDX5, {"td.mrservicetd=" A96}, ",\"insecure_allow_service_td\":true", NULL, NULL, ACCEPT},
    {"attributes: a service TD that is listed", TDX5, {"td.mrservicetd=" A96}, ",\"mrservicetd\":\"" A96 "\"", NULL, NULL, ACCEPT},
    {"attributes: enclave DEBUG", SGX3, SET("sgx.attributes=0700000000000000e700000000000000"), ATLS_E_TD_ATTRIBUTES,
     "quote.body.attributes.debug", "dcap.debug"},

    /* binding */
    {"binding: last byte", DSTACK4, CALL(world_other_value), ATLS_E_REPORT_DATA_MISMATCH, "quote.body.reportdata", "binding"},
    {"binding: first byte", SGX3, CALL(other_first_byte), ATLS_E_REPORT_DATA_MISMATCH, "quote.body.reportdata", "binding"},
    {"grade: a session asks for exporter", TDX4, CALL(key_grade), ATLS_E_GRADE, "min_grade", "binding.grade"},
    {"grade: the policy asks for session", TDX4, MORE(",\"min_grade\":\"session\""), ATLS_E_GRADE, "min_grade", "binding.grade"},
    {"grade: named, and no binding given", TDX4, {NULL}, ",\"min_grade\":\"report_data\"", NULL, world_no_binding,
     ATLS_E_GRADE, "min_grade", "binding.grade"},
    {"grade: named none, and no binding given", TDX4, {NULL}, ",\"min_grade\":\"none\"", NULL, world_no_binding, ACCEPT},
    {"grade: the policy is content with less", TDX4, {NULL}, ",\"min_grade\":\"key\"", NULL, key_grade, ACCEPT},

    /* event log, tdx */
    {"log: tdx, another machine's log", TDX4, CALL(other_log), ATLS_E_RTMR_MISMATCH, "rtmr0", NULL},

    /* event log, dstack */
    {"dstack: event dropped", DSTACK4, SET("log.boot.3.digest=" A96, "td.rtmr0=" A96), ATLS_E_RTMR_MISMATCH, "rtmr0",
     "dstack.replay.rtmr0"},
    {"dstack: a register of its own", DSTACK4, SET("td.rtmr3=" A96), ATLS_E_RTMR_MISMATCH, "rtmr3", "dstack.replay.rtmr3"},
    {"dstack: payload swapped, digest kept", DSTACK4, SET("event_log.@compose-hash.event_payload=\"" A64 "\""),
     ATLS_E_EVENT_LOG_PARSE, NULL, "dstack.event_digests"},
    {"dstack: another certificate", DSTACK4, CALL(world_other_leaf), ATLS_E_CERTIFICATE_NOT_IN_EVENT_LOG,
     "event_log.New TLS Certificate", "dstack.certificate_event"},
    {"dstack: another certificate, waived", DSTACK4, {NULL}, ",\"insecure_skip_certificate_event\":true", NULL, world_other_leaf, ACCEPT},
    {"dstack: certificate waived, none given", DSTACK4, {NULL}, ",\"insecure_skip_certificate_event\":true", NULL, no_leaf, ACCEPT},
    {"dstack: expected mrtd", DSTACK4, SPOIL("mrtd"), ATLS_E_BOOTCHAIN_MISMATCH, "mrtd", "dstack.bootchain.mrtd"},
    {"dstack: expected rtmr0", DSTACK4, SPOIL("rtmr0"), ATLS_E_BOOTCHAIN_MISMATCH, "rtmr0", "dstack.bootchain.rtmr0"},
    {"dstack: expected rtmr1", DSTACK4, SPOIL("rtmr1"), ATLS_E_BOOTCHAIN_MISMATCH, "rtmr1", "dstack.bootchain.rtmr1"},
    {"dstack: expected rtmr2", DSTACK4, SPOIL("rtmr2"), ATLS_E_BOOTCHAIN_MISMATCH, "rtmr2", "dstack.bootchain.rtmr2"},
    {"dstack: another application", DSTACK4, SET("log.compose-hash=" A64), ATLS_E_APP_COMPOSE_HASH_MISMATCH,
     "event_log.compose-hash", "dstack.compose_hash"},
    {"dstack: the application twice", DSTACK4, SET("log.before_ready=compose-hash:" A64), ATLS_E_APP_COMPOSE_HASH_MISMATCH,
     "event_log.compose-hash", "dstack.compose_hash"},
    {"dstack: an application that speaks after system-ready", DSTACK4, SET("log.after_ready=compose-hash:" A64), ACCEPT},
    {"dstack: expected image", DSTACK4, SPOIL("os_image_hash"), ATLS_E_OS_IMAGE_HASH_MISMATCH,
     "event_log.os-image-hash", "dstack.os_image_hash"},
    {"dstack: no image event", DSTACK4, SET("-log.os-image-hash"), ATLS_E_OS_IMAGE_HASH_MISMATCH,
     "event_log.os-image-hash", "dstack.os_image_hash"},
    {"dstack: pin app_id", DSTACK4, MORE(",\"app_id\":\"" A32 "aaaaaaaa\""), ATLS_E_MEASUREMENT_MISMATCH,
     "event_log.app-id", "dstack.app_id"},
    {"dstack: pin instance_id", DSTACK4, MORE(",\"instance_id\":\"" A32 "aaaaaaaa\""), ATLS_E_MEASUREMENT_MISMATCH,
     "event_log.instance-id", "dstack.instance_id"},
    {"dstack: pin key_provider.name", DSTACK4, MORE(",\"key_provider\":{\"name\":\"none\"}"), ATLS_E_MEASUREMENT_MISMATCH,
     "event_log.key-provider.name", "dstack.key_provider_name"},
    {"dstack: pin key_provider.id", DSTACK4, MORE(",\"key_provider\":{\"name\":\"kms\",\"id\":\"\\u0041\"}"),
     ATLS_E_MEASUREMENT_MISMATCH, "event_log.key-provider.id", "dstack.key_provider_id"},
    {"dstack: pinned key provider", DSTACK4, MORE(",\"key_provider\":{\"name\":\"kms\"}"), ACCEPT},
    {"dstack: MRCONFIGID names another application", DSTACK4, SET("td.mrconfigid=01" A64 "000000000000000000000000000000"),
     ATLS_E_APP_COMPOSE_HASH_MISMATCH, "mrconfigid", "dstack.mrconfigid"},
    {"dstack: reference values beyond the boot chain", DSTACK4, MORE(",\"mrseam\":\"" A96 "\""), ATLS_E_MEASUREMENT_MISMATCH,
     "quote.body.mrseam", "dcap.measurement.mrseam"},
};
/* clang-format on */

/* The first check that failed is the error, word for word. */
static void assert_check_is_error(const world *w, const char *id)
{
    const atls_check *check = world_check(w, id);
    assert_non_null(check);
    assert_int_equal(check->verdict, ATLS_CHECK_FAIL);
    assert_string_equal(atls_code_name(check->code), atls_code_name(w->err.code));
    assert_string_equal(check->field, w->err.field);
    assert_int_equal(strncmp(check->expected, w->err.expected, sizeof w->err.expected - 1), 0);
    assert_int_equal(strncmp(check->actual, w->err.actual, sizeof w->err.actual - 1), 0);
    assert_int_not_equal(check->why[0], '\0');
}

static void test_row(void **state)
{
    const row *r = *state;
    world w;
    world_open(&w, r->kind, r->settings, r->type);
    if (r->more != NULL) {
        world_more(&w, r->more);
    }
    if (r->spoil != NULL) {
        world_spoil(&w, r->spoil);
    }
    if (r->change != NULL) {
        r->change(&w);
    }
    world_appraise(&w);
    if (w.err.code != r->code) {
        char line[640];
        (void)atls_error_line(&w.err, line, sizeof line);
        fail_msg("expected %s, got %s", atls_code_name(r->code), line);
    }
    if (r->field != NULL) {
        assert_string_equal(w.err.field, r->field);
    }
    if (r->id != NULL) {
        assert_int_equal(world_failures(&w), 1); /* only because of it */
        assert_check_is_error(&w, r->id);
    }
    world_assert_consistent(&w);
    world_close(&w);
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&tests, rows[i].name, test_row, &rows[i]);
    }
    return tap_run("verify/verify", &tests);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_prefixes_flips.c: two properties of everything that is read from strangers. A proper prefix is refused; a
 * flipped bit is refused, or changes nothing that the result claims. Bytes that may change without a refusal are named
 * here, one reason each: anything else that is accepted after a flip fails the test.
 *
 * The ordinary run looks at one flip in SAMPLE_FLIPS and one prefix in SAMPLE_PREFIXES, besides the first and last 64;
 * with --exhaustive (tools/exhaustive) at all of them; a pattern after it picks tests by name. */
#include "base/text.h"
#include "cases.h"
#include "sample.h"

#include <string.h>

enum { SAMPLE_FLIPS = SAMPLE(97, 487), SAMPLE_PREFIXES = SAMPLE(7, 31), EDGE = 64 };

static bool exhaustive;

typedef enum piece {
    QUOTE,
    EVENT_LOG,
    BUNDLE,
    TCB_INFO,
    TCB_INFO_SIGNATURE,
    TCB_INFO_CHAIN,
    QE_IDENTITY,
    QE_IDENTITY_SIGNATURE,
    QE_IDENTITY_CHAIN,
    ROOT_CRL,
    PCK_CRL,
    PCK_CRL_CHAIN,
    PCK_CHAIN,
} piece;

/* free_fn says why a bit of the honest piece does not matter, NULL when it does. */
typedef const char *(*free_fn)(atls_bytes honest, size_t at, unsigned bit);

typedef struct target {
    const char *name;
    sim_kind kind;
    const char *settings[CASE_MAX_SETTINGS];
    piece piece;
    free_fn free_bit;
    size_t free_tail; /* prefixes that lack at most so many bytes may be accepted, if they change nothing */
} target;

/* ---- bytes that do not matter ---- */

static const char *nothing_free(atls_bytes honest, size_t at, unsigned bit)
{
    (void)honest;
    (void)at;
    (void)bit;
    return NULL;
}

static bool is_letter_of_hex(uint8_t c)
{
    return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static const char *hex_case(atls_bytes honest, size_t at, unsigned bit)
{
    return bit == 5 && is_letter_of_hex(honest.ptr[at]) ? "the case of hex" : NULL;
}

/* The room of this quote puts five bytes after it. */
static const char *trailing(atls_bytes honest, size_t at, unsigned bit)
{
    (void)bit;
    return at + 5 >= honest.len ? "after the quote" : NULL;
}

/* Types 1 to 3 say which certificate to ask for; it came along, and its signature over the QE report is what counts. */
static const char *platform_data(atls_bytes honest, size_t at, unsigned bit)
{
    (void)bit;
    if (at == honest.len - 42) {
        return "which of these types it is";
    }
    return at + 36 >= honest.len ? "certification data without certificates" : NULL;
}

static const char *everything_free(atls_bytes honest, size_t at, unsigned bit)
{
    (void)honest;
    (void)at;
    (void)bit;
    return "the issuer of the PCK CRL is taken from the PCK chain: this text is not read";
}

/* found gives the offset of text at or after from; the length of the piece when it is not there. */
static size_t found(atls_bytes in, size_t from, const char *text)
{
    const size_t n = strlen(text);
    for (size_t i = from; i + n <= in.len; i++) {
        if (memcmp(in.ptr + i, text, n) == 0) {
            return i;
        }
    }
    return in.len;
}

/* A line end of PEM is written as an escape with hex digits. */
static bool in_escape(atls_bytes honest, size_t at)
{
    return at >= 5 && honest.ptr[at - 5] == '\\' && honest.ptr[at - 4] == 'u';
}

static const char *bundle_bits(atls_bytes honest, size_t at, unsigned bit)
{
    const size_t from = found(honest, 0, "\"pck_crl_issuer_chain\"");
    const size_t to = found(honest, from, "\"root_ca_crl\"");
    const size_t crls_end = found(honest, to, "\"tcb_info_issuer_chain\"");
    const size_t tcb_sig = found(honest, 0, "\"tcb_info_signature\"");
    const size_t qe_sig = found(honest, 0, "\"qe_identity_signature\"");
    if (at >= from && at < to) {
        return everything_free(honest, at, bit);
    }
    const bool hex =
        (at > to && at < crls_end) || (at > tcb_sig && at < tcb_sig + 24 + 128) || at > qe_sig || in_escape(honest, at);
    return hex ? hex_case(honest, at, bit) : NULL;
}

/* In the log, an entry begins with its register. Firmware's event types prove nothing (only digests are extended). */
static const char *event_log_bits(atls_bytes honest, size_t at, unsigned bit)
{
    size_t entry = at;
    while (entry > 0 && !(honest.ptr[entry] == '{' && honest.ptr[entry + 1] == '"' && honest.ptr[entry + 2] == 'i')) {
        entry--;
    }
    const size_t type = found(honest, entry, "\"event_type\":") + 13;
    const size_t digest = found(honest, entry, ",\"digest\":");
    if (honest.ptr[entry + 7] != '3' && at >= type && at < digest) {
        return "the type of a boot event";
    }
    const size_t preimage = found(honest, entry, "\"preimage\":");
    if (at > preimage && at < preimage + 9) {
        return "the preimage may be left out";
    }
    return at > type ? hex_case(honest, at, bit) : NULL;
}

/* The header record is 32 bytes and 33 of data. Of a record index, type, count (12), algorithm (2), digest (48), size
 * (4). */
static const char *ccel_bits(atls_bytes honest, size_t at, unsigned bit)
{
    size_t record = 65;
    if (at < record) {
        return at == 0 && bit == 0               ? "the index of the header record, 0 or 1"
               : at >= 48 && at < 56 && at != 53 ? "platform class, minor version, errata, size of a word"
                                                 : NULL;
    }
    while (record + 66 <= honest.len && honest.ptr[record] != 0xff) {
        const uint8_t *r = honest.ptr + record;
        const size_t data = record + 66;
        const size_t next = data + (r[62] | (size_t)r[63] << 8);
        if (at < next) {
            const bool no_action = r[4] == 3 && r[5] == 0 && r[6] == 0 && r[7] == 0;
            const bool last = next >= honest.len || honest.ptr[next] == 0xff;
            return at >= data                                    ? "data of a boot event"
                   : at >= record + 4 && at < record + 8         ? "the type of a boot event"
                   : no_action && at >= record + 14 && at < data ? "the digest of EV_NO_ACTION"
                   : no_action && at < record + 4                ? "the register of EV_NO_ACTION"
                   : last && at == record + 62                   ? "how far the last data reach into erased bytes"
                                                                 : NULL;
        }
        record = next;
    }
    return at >= record + 4 ? "after the end of the log" : NULL;
}

#define NEEDS_LOG "policy.require_event_log=true"

/* clang-format off */
static const target targets[] = {
    {"quote of SGX, version 3", SIM_SGX_V3, {NULL}, QUOTE, nothing_free, 0},
    {"quote of TDX, version 4", SIM_TDX_V4, {NULL}, QUOTE, nothing_free, 0},
    {"quote of TDX, version 5", SIM_TDX_V5, {NULL}, QUOTE, nothing_free, 0},
    {"quote with bytes after it", SIM_TDX_V4, {"quote.trailing=0102030405"}, QUOTE, trailing, 5},
    {"quote with data of type 1", SIM_TDX_V4, {"quote.cert_type=1", "chain.pck=pck,platform_ca,root"}, QUOTE, platform_data, 0},
    {"TCB info", SIM_TDX_V4, {NULL}, TCB_INFO, nothing_free, 0},
    {"TCB info of SGX", SIM_SGX_V3, {NULL}, TCB_INFO, nothing_free, 0},
    {"TCB info signature", SIM_TDX_V4, {NULL}, TCB_INFO_SIGNATURE, hex_case, 0},
    {"TCB info issuer chain", SIM_TDX_V4, {NULL}, TCB_INFO_CHAIN, nothing_free, 1},
    {"QE identity", SIM_TDX_V4, {NULL}, QE_IDENTITY, nothing_free, 0},
    {"QE identity signature", SIM_TDX_V4, {NULL}, QE_IDENTITY_SIGNATURE, hex_case, 0},
    {"QE identity issuer chain", SIM_TDX_V4, {NULL}, QE_IDENTITY_CHAIN, nothing_free, 1},
    {"root CRL", SIM_TDX_V4, {"crl.root.revoked=0102,0304"}, ROOT_CRL, nothing_free, 0},
    {"PCK CRL", SIM_TDX_V4, {"crl.pck.revoked=0102,0304"}, PCK_CRL, nothing_free, 0},
    {"PCK CRL issuer chain", SIM_TDX_V4, {NULL}, PCK_CRL_CHAIN, everything_free, SIZE_MAX},
    {"PCK certificate chain", SIM_TDX_V4, {"quote.cert_type=3", "chain.pck=pck,platform_ca,root"}, PCK_CHAIN, nothing_free, 1},
    {"bundle", SIM_TDX_V4, {NULL}, BUNDLE, bundle_bits, 0},
    {"event log", SIM_TDX_V4, {NEEDS_LOG}, EVENT_LOG, event_log_bits, 0},
    {"event log, version 2", SIM_TDX_V4, {NEEDS_LOG, "log.version=2"}, EVENT_LOG, event_log_bits, 0},
    {"CCEL", SIM_TDX_V4, {NEEDS_LOG, "log.runtime=none"}, EVENT_LOG, ccel_bits, 8},
};
/* clang-format on */

/* ---- one appraisal of a changed piece ---- */

typedef struct run {
    const target *t;
    appraised a;
    atls_bytes honest;      /* the piece */
    uint8_t *copy;          /* the same, to be changed */
    atls_bytes honest_json; /* the result */
    size_t mark;            /* of the arena, before an appraisal */
} run;

static atls_bytes *slot_of(appraised *a, piece p)
{
    atls_dcap_collateral *c = &a->endorsements.dcap;
    switch (p) {
    case QUOTE:
        return &a->quote;
    case EVENT_LOG:
        return &a->event_log;
    case TCB_INFO:
        return &c->tcb_info;
    case TCB_INFO_SIGNATURE:
        return &c->tcb_info_signature;
    case TCB_INFO_CHAIN:
        return &c->tcb_info_issuer_chain;
    case QE_IDENTITY:
        return &c->qe_identity;
    case QE_IDENTITY_SIGNATURE:
        return &c->qe_identity_signature;
    case QE_IDENTITY_CHAIN:
        return &c->qe_identity_issuer_chain;
    case ROOT_CRL:
        return &c->root_ca_crl;
    case PCK_CRL:
        return &c->pck_crl;
    case PCK_CRL_CHAIN:
        return &c->pck_crl_issuer_chain;
    case PCK_CHAIN:
        return &c->pck_certificate_chain;
    case BUNDLE:
        break;
    }
    return NULL;
}

/* put gives the appraisal a piece; false when it cannot even be read as a bundle. */
static bool put(run *r, atls_bytes changed)
{
    r->a.arena.used = r->mark;
    atls_error_clear(&r->a.err);
    if (r->t->piece != BUNDLE) {
        *slot_of(&r->a, r->t->piece) = changed;
        return true;
    }
    if (!atls_endorsements_from_bundle(changed, &r->a.arena, &r->a.endorsements, &r->a.err)) {
        return false;
    }
    r->a.endorsements.platform = ATLS_PLATFORM_TDX;
    return true;
}

/* What boot events are called, and hold, carries no authority and may change; nor is it signed where a quote says that
 * its chain comes from. */
static void drop_rumours(appraised *a)
{
    a->result.claims.dcap.certification_data_type = 0;
    atls_eventlog_claims *log = &a->result.claims.log;
    atls_event *events = atls_arena_array(&a->arena, log->n_events, sizeof *events, &a->err);
    assert_non_null(events);
    size_t n = 0;
    for (size_t i = 0; i < log->n_events; i++) {
        if (log->is_ccel && log->events[i].type == 3) {
            continue; /* EV_NO_ACTION extends nothing */
        }
        events[n] = log->events[i];
        if (events[n].imr < 3) {
            events[n].type = 0;
            events[n].name = atls_bytes_empty();
            events[n].payload = atls_bytes_empty();
        }
        n++;
    }
    log->events = events;
    log->n_events = n;
}

static bool accepts(run *r, atls_bytes changed, atls_bytes *json)
{
    if (!put(r, changed)) {
        assert_int_not_equal(r->a.err.code, ATLS_OK);
        return false;
    }
    appraised_run(&r->a);
    if (!r->a.accepted) {
        assert_int_not_equal(r->a.err.code, ATLS_OK);
        assert_true(r->a.err.field[0] != '\0');
        return false;
    }
    drop_rumours(&r->a);
    assert_true(atls_result_json(&r->a.result, NULL, &r->a.arena, json, &r->a.err));
    return true;
}

static void open_run(run *r, const target *t)
{
    *r = (run){.t = t};
    appraised_open(&r->a, t->kind, t->settings, NULL);
    const bool ccel = t->free_bit == ccel_bits;
    if (t->piece == BUNDLE) {
        assert_true(atls_endorsements_to_bundle(&r->a.endorsements, &r->a.arena, &r->honest, &r->a.err));
    } else if (t->piece == EVENT_LOG) {
        assert_true(ccel ? sim_ccel(r->a.room, &r->a.arena, &r->honest, &r->a.err)
                         : sim_event_log(r->a.room, &r->a.arena, &r->honest, &r->a.err));
    } else {
        r->honest = *slot_of(&r->a, t->piece);
    }
    r->copy = atls_arena_raw(&r->a.arena, r->honest.len, &r->a.err);
    uint8_t *json = atls_arena_raw(&r->a.arena, 65536, &r->a.err);
    assert_true(r->copy != NULL && json != NULL);
    memcpy(r->copy, r->honest.ptr, r->honest.len);
    r->mark = r->a.arena.used;
    assert_true(accepts(r, r->honest, &r->honest_json));
    assert_true(r->honest_json.len < 65536);
    memcpy(json, r->honest_json.ptr, r->honest_json.len);
    r->honest_json = atls_bytes_of(json, r->honest_json.len);
}

/* ---- the properties ---- */

static void every_prefix(void **state)
{
    run r;
    atls_bytes json;
    open_run(&r, *state);
    for (size_t n = 0; n < r.honest.len; n++) {
        const bool edge = n < EDGE || n + EDGE >= r.honest.len;
        if (!exhaustive && !edge && n % SAMPLE_PREFIXES != 0) {
            continue;
        }
        if (!accepts(&r, atls_bytes_of(r.copy, n), &json)) {
            continue;
        }
        if (r.honest.len - n > r.t->free_tail) {
            fail_msg("accepted when cut at %zu of %zu bytes", n, r.honest.len);
        }
        /* bytes after a quote are counted, so a result with fewer of them differs in that number */
        if (r.t->free_bit != trailing && !atls_bytes_equal(json, r.honest_json)) {
            fail_msg("claims something else when cut at %zu of %zu bytes", n, r.honest.len);
        }
    }
    appraised_close(&r.a);
}

static void flip(run *r, size_t at, unsigned bit)
{
    atls_bytes json;
    r->copy[at] ^= (uint8_t)(1u << bit);
    const bool accepted = accepts(r, atls_bytes_of(r->copy, r->honest.len), &json);
    r->copy[at] ^= (uint8_t)(1u << bit);
    if (!accepted) {
        return;
    }
    if (r->t->free_bit(r->honest, at, bit) == NULL) {
        fail_msg("accepted with bit %u of byte %zu flipped", bit, at);
    }
    if (!atls_bytes_equal(json, r->honest_json)) {
        fail_msg("claims something else with bit %u of byte %zu flipped", bit, at);
    }
}

static void every_flip(void **state)
{
    run r;
    open_run(&r, *state);
    for (size_t i = 0; i < 8 * r.honest.len; i++) {
        if (exhaustive || i % SAMPLE_FLIPS == 0) {
            flip(&r, i / 8, (unsigned)(i % 8));
        }
    }
    appraised_close(&r.a);
}

int main(int argc, char **argv)
{
    enum { N = sizeof targets / sizeof targets[0] };
    static char names[2 * N][80];
    tap_list l = {0};
    exhaustive = argc > 1 && strcmp(argv[1], "--exhaustive") == 0;
    if (argc > 2) {
        cmocka_set_test_filter(argv[2]);
    }
    for (size_t i = 0; i < N; i++) {
        (void)snprintf(names[2 * i], sizeof names[0], "%s: %s prefix", targets[i].name,
                       exhaustive ? "every" : "sampled");
        (void)snprintf(names[2 * i + 1], sizeof names[0], "%s: %s flip", targets[i].name,
                       exhaustive ? "every" : "sampled");
        tap_add(&l, names[2 * i], every_prefix, &targets[i]);
        tap_add(&l, names[2 * i + 1], every_flip, &targets[i]);
    }
    return tap_run("prefixes and flips", &l);
}

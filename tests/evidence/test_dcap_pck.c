/* SPDX-License-Identifier: Apache-2.0 */
/* pck.c: SGX extensions written by hand, entry by entry. */
#include "evidence/dcap/dcap.h"
#include "tests/base/check.h"

static const uint8_t sgx_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};

/* ---- a writer of DER, contents before headers ---- */

typedef struct der {
    uint8_t bytes[1024];
    size_t n;
} der;

static void add(der *d, const void *bytes, size_t n)
{
    assert_true(d->n + n <= sizeof d->bytes);
    memcpy(d->bytes + d->n, bytes, n);
    d->n += n;
}

static void add_tlv(der *d, uint8_t tag, const void *content, size_t n)
{
    uint8_t head[4] = {tag};
    size_t len = 1;
    if (n < 128) {
        head[len++] = (uint8_t)n;
    } else if (n < 256) {
        head[len++] = 0x81;
        head[len++] = (uint8_t)n;
    } else {
        head[len++] = 0x82;
        head[len++] = (uint8_t)(n >> 8);
        head[len++] = (uint8_t)n;
    }
    add(d, head, len);
    add(d, content, n);
}

/* SEQUENCE { OID base.arc[.arc2], value } */
static void add_pair(der *d, unsigned arc, unsigned arc2, const der *value)
{
    der pair = {.n = 0};
    uint8_t oid[sizeof sgx_oid + 2];
    memcpy(oid, sgx_oid, sizeof sgx_oid);
    oid[sizeof sgx_oid] = (uint8_t)arc;
    oid[sizeof sgx_oid + 1] = (uint8_t)arc2;
    add_tlv(&pair, 0x06, oid, sizeof sgx_oid + (arc2 == 0 ? 1u : 2u));
    add(&pair, value->bytes, value->n);
    add_tlv(d, 0x30, pair.bytes, pair.n);
}

static der octets(uint8_t fill, size_t n)
{
    uint8_t bytes[32];
    der d = {.n = 0};
    memset(bytes, fill, sizeof bytes);
    add_tlv(&d, 0x04, bytes, n);
    return d;
}

static der number(uint8_t tag, long value)
{
    uint8_t bytes[4] = {(uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value, 0};
    der d = {.n = 0};
    size_t from = value < 0 ? 2 : value < 0x80 ? 2 : value < 0x8000 ? 1 : 0;
    add_tlv(&d, tag, bytes + from, 3 - from);
    return d;
}

/* ---- an extension: honest, and one lie ---- */

typedef struct lie {
    unsigned skip[2]; /* arc, arc below */
    unsigned twice[2];
    unsigned replace[2]; /* this entry has `value` */
    der value;
    unsigned unknown_arc; /* one entry more */
    unsigned bad_prefix;  /* arc whose OID has another prefix */
    size_t slack_pair;    /* bytes after the value of the first pair */
    size_t slack_end;     /* bytes after the SEQUENCE */
} lie;

static bool is_at(const unsigned place[2], unsigned arc, unsigned arc2)
{
    return place[0] == arc && place[1] == arc2;
}

static void add_entry(der *d, const lie *l, unsigned arc, unsigned arc2, const der *honest)
{
    der value = is_at(l->replace, arc, arc2) ? l->value : *honest;
    if (is_at(l->skip, arc, arc2)) {
        return;
    }
    if (arc == 1 && l->slack_pair > 0) {
        add(&value, "\x05", 2);
    }
    add_pair(d, l->bad_prefix == arc && arc2 == 0 ? arc + 40 : arc, arc2, &value);
    if (is_at(l->twice, arc, arc2)) {
        add_pair(d, arc, arc2, &value);
    }
}

static der make_tcb(const lie *l)
{
    der list = {.n = 0};
    der out = {.n = 0};
    for (unsigned i = 1; i <= 16; i++) {
        der v = number(0x02, i == 16 ? 255 : (long)i);
        add_entry(&list, l, 2, i, &v);
    }
    der pcesvn = number(0x02, 65535);
    der cpusvn = octets(0xcc, 16);
    add_entry(&list, l, 2, 17, &pcesvn);
    add_entry(&list, l, 2, 18, &cpusvn);
    add_tlv(&out, 0x30, list.bytes, list.n);
    return out;
}

static der make_configuration(const lie *l)
{
    static const uint8_t flags[] = {0xff, 0x00, 0xff};
    der list = {.n = 0};
    der out = {.n = 0};
    for (unsigned i = 1; i <= 3; i++) {
        der v = {.n = 0};
        add_tlv(&v, 0x01, &flags[i - 1], 1);
        add_entry(&list, l, 7, i, &v);
    }
    add_tlv(&out, 0x30, list.bytes, list.n);
    return out;
}

static der make_extension(const lie *l, bool is_platform)
{
    der list = {.n = 0};
    der out = {.n = 0};
    const der values[] = {octets(0x11, 16), make_tcb(l),      octets(0x33, 2),      octets(0x44, 6),
                          number(0x0a, 1),  octets(0x66, 16), make_configuration(l)};
    for (unsigned arc = 1; arc <= (is_platform ? 7u : 5u); arc++) {
        add_entry(&list, l, arc, 0, &values[arc - 1]);
    }
    if (l->unknown_arc != 0) {
        add_pair(&list, l->unknown_arc, 0, &values[0]);
    }
    add_tlv(&out, 0x30, list.bytes, list.n);
    add(&out, "\x05\x00", l->slack_end);
    return out;
}

/* The value in a block that ends where it ends. */
static bool decode(const uint8_t *bytes, size_t n, dcap_pck *out, atls_error *err)
{
    static atls_cert cert;
    uint8_t *exact = malloc(n == 0 ? 1 : n);
    assert_non_null(exact);
    memcpy(exact, bytes, n);
    cert.n_extensions = 1;
    cert.extensions[0] =
        (atls_extension){.oid = atls_bytes_of(sgx_oid, sizeof sgx_oid), .value = atls_bytes_of(exact, n)};
    *err = (atls_error){.code = ATLS_OK};
    bool ok = dcap_pck_decode(&cert, out, err);
    free(exact);
    return ok;
}

/* ---- honest ---- */

static void check_filled(const uint8_t *bytes, size_t n, uint8_t fill)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(bytes[i], fill);
    }
}

static void check_common(const dcap_pck *p)
{
    check_filled(p->ppid, 16, 0x11);
    check_filled(p->pceid, 2, 0x33);
    check_filled(p->fmspc, 6, 0x44);
    check_filled(p->cpusvn, 16, 0xcc);
    assert_int_equal(p->comp[0], 1);
    assert_int_equal(p->comp[14], 15);
    assert_int_equal(p->comp[15], 255);
    assert_int_equal(p->pcesvn, 65535);
    assert_int_equal(p->sgx_type, 1);
}

static void test_processor(void **state)
{
    const lie none = {.skip = {0}};
    der d = make_extension(&none, false);
    dcap_pck p;
    atls_error err;
    (void)state;
    assert_true(decode(d.bytes, d.n, &p, &err));
    check_common(&p);
    assert_false(p.has_platform_info);
}

static void test_platform(void **state)
{
    const lie none = {.skip = {0}};
    der d = make_extension(&none, true);
    dcap_pck p;
    atls_error err;
    (void)state;
    assert_true(decode(d.bytes, d.n, &p, &err));
    check_common(&p);
    assert_true(p.has_platform_info);
    check_filled(p.platform_instance_id, 16, 0x66);
    assert_true(p.dynamic_platform);
    assert_false(p.cached_keys);
    assert_true(p.smt_enabled);
}

static void test_absent(void **state)
{
    static atls_cert cert;
    dcap_pck p;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    assert_false(dcap_pck_decode(&cert, &p, &err));
    check_error(&err, ATLS_E_PCK_CHAIN, "pck.sgx_extension");
}

/* ---- lies ---- */

typedef struct row {
    const char *name;
    lie lie;
    const char *field;
} row;

#define OCTETS(...)                                                                                                    \
    {                                                                                                                  \
        .bytes = {0x04, __VA_ARGS__}, .n = 1 + sizeof((const uint8_t[]){__VA_ARGS__})                                  \
    }
#define DER(...)                                                                                                       \
    {                                                                                                                  \
        .bytes = {__VA_ARGS__}, .n = sizeof((const uint8_t[]){__VA_ARGS__})                                            \
    }

/* All under the Platform CA, where every entry exists. */
static const row rows[] = {
    {"no PPID", {.skip = {1, 0}}, "pck.sgx_extension"},
    {"no TCB", {.skip = {2, 0}}, "pck.sgx_extension"},
    {"no PCEID", {.skip = {3, 0}}, "pck.sgx_extension"},
    {"no FMSPC", {.skip = {4, 0}}, "pck.sgx_extension"},
    {"no SGX type", {.skip = {5, 0}}, "pck.sgx_extension"},
    {"no platform instance id, six entries", {.skip = {6, 0}}, "pck.sgx_extension"},
    {"no configuration, six entries", {.skip = {7, 0}}, "pck.sgx_extension"},
    {"no component 7", {.skip = {2, 7}}, "pck.sgx_extension.tcb"},
    {"no PCESVN", {.skip = {2, 17}}, "pck.sgx_extension.tcb"},
    {"no CPUSVN", {.skip = {2, 18}}, "pck.sgx_extension.tcb"},
    {"no SMT flag", {.skip = {7, 3}}, "pck.sgx_extension.configuration"},
    {"PPID twice", {.twice = {1, 0}}, "pck.sgx_extension"},
    {"FMSPC twice", {.twice = {4, 0}}, "pck.sgx_extension"},
    {"component 3 twice", {.twice = {2, 3}}, "pck.sgx_extension"},
    {"a flag twice", {.twice = {7, 1}}, "pck.sgx_extension"},
    {"an eighth entry", {.unknown_arc = 8}, "pck.sgx_extension"},
    {"an entry of another arc", {.bad_prefix = 4}, "pck.sgx_extension"},
    {"bytes after a value", {.slack_pair = 2}, "pck.sgx_extension"},
    {"bytes after the list", {.slack_end = 2}, "pck.sgx_extension"},
    {"PPID of 15 bytes",
     {.replace = {1, 0}, .value = OCTETS(15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)},
     "pck.sgx_extension.ppid"},
    {"FMSPC of 5 bytes", {.replace = {4, 0}, .value = OCTETS(5, 0, 0, 0, 0, 0)}, "pck.sgx_extension.fmspc"},
    {"FMSPC of 7 bytes", {.replace = {4, 0}, .value = OCTETS(7, 0, 0, 0, 0, 0, 0, 0)}, "pck.sgx_extension.fmspc"},
    {"PCEID of 1 byte", {.replace = {3, 0}, .value = OCTETS(1, 0)}, "pck.sgx_extension.pceid"},
    {"PCEID of 3 bytes", {.replace = {3, 0}, .value = OCTETS(3, 0, 0, 0)}, "pck.sgx_extension.pceid"},
    {"CPUSVN of 15 bytes",
     {.replace = {2, 18}, .value = OCTETS(15, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)},
     "pck.sgx_extension.cpusvn"},
    {"FMSPC as UTF8String",
     {.replace = {4, 0}, .value = DER(0x0c, 6, 48, 48, 48, 48, 48, 48)},
     "pck.sgx_extension.fmspc"},
    {"component 256", {.replace = {2, 5}, .value = DER(0x02, 2, 1, 0)}, "pck.sgx_extension.tcb.comp"},
    {"component -1", {.replace = {2, 5}, .value = DER(0x02, 1, 0xff)}, "pck.sgx_extension.tcb.comp"},
    {"component with a needless zero", {.replace = {2, 5}, .value = DER(0x02, 2, 0, 5)}, "pck.sgx_extension.tcb.comp"},
    {"component without a byte", {.replace = {2, 5}, .value = DER(0x02, 0)}, "pck.sgx_extension.tcb.comp"},
    {"component as OCTET STRING", {.replace = {2, 5}, .value = OCTETS(1, 5)}, "pck.sgx_extension.tcb.comp"},
    {"PCESVN 65536", {.replace = {2, 17}, .value = DER(0x02, 3, 1, 0, 0)}, "pck.sgx_extension.tcb.pcesvn"},
    {"SGX type as INTEGER", {.replace = {5, 0}, .value = DER(0x02, 1, 0)}, "pck.sgx_extension.sgx_type"},
    {"SGX type 3", {.replace = {5, 0}, .value = DER(0x0a, 1, 3)}, "pck.sgx_extension.sgx_type"},
    {"a flag that is neither", {.replace = {7, 2}, .value = DER(0x01, 1, 1)}, "pck.sgx_extension.configuration"},
    {"TCB as SET", {.replace = {2, 0}, .value = DER(0x31, 0)}, "pck.sgx_extension.tcb"},
    {"TCB empty", {.replace = {2, 0}, .value = DER(0x30, 0)}, "pck.sgx_extension.tcb"},
};

static void test_lie(void **state)
{
    const row *r = *state;
    der d = make_extension(&r->lie, true);
    dcap_pck p;
    atls_error err;
    assert_false(decode(d.bytes, d.n, &p, &err));
    check_error(&err, ATLS_E_PCK_CHAIN, r->field);
}

static void test_prefixes(void **state)
{
    const lie none = {.skip = {0}};
    der d = make_extension(&none, true);
    (void)state;
    for (size_t n = 0; n < d.n; n++) {
        dcap_pck p;
        atls_error err;
        assert_false(decode(d.bytes, n, &p, &err));
        assert_int_equal(err.code, ATLS_E_PCK_CHAIN);
    }
}

/* A changed bit is refused or is a value that is claimed: structure has no slack. */
static void test_bits(void **state)
{
    const lie none = {.skip = {0}};
    der d = make_extension(&none, true);
    dcap_pck honest;
    atls_error err;
    (void)state;
    assert_true(decode(d.bytes, d.n, &honest, &err));
    for (size_t i = 0; i < 8 * d.n; i++) {
        dcap_pck p;
        d.bytes[i / 8] = (uint8_t)(d.bytes[i / 8] ^ 1u << i % 8);
        if (decode(d.bytes, d.n, &p, &err)) {
            assert_memory_not_equal(&p, &honest, sizeof p);
        } else {
            assert_int_equal(err.code, ATLS_E_PCK_CHAIN);
        }
        d.bytes[i / 8] = (uint8_t)(d.bytes[i / 8] ^ 1u << i % 8);
    }
}

int main(void)
{
    tap_list l = {0};
    tap_add(&l, "under the Processor CA: five entries", test_processor, NULL);
    tap_add(&l, "under the Platform CA: seven entries", test_platform, NULL);
    tap_add(&l, "no such extension", test_absent, NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        tap_add(&l, rows[i].name, test_lie, &rows[i]);
    }
    tap_add(&l, "every prefix", test_prefixes, NULL);
    tap_add(&l, "every bit", test_bits, NULL);
    return tap_run("dcap pck", &l);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* decode.c on hand-made quotes: an honest one of each shape, in which every byte says where it stands, and refusals
 * that are one number away from it. */
#include "evidence/dcap/dcap.h"
#include "tests/base/check.h"

/* A quote to be written: the honest numbers of a shape, then changes. Zero changes nothing. */
typedef struct shape {
    uint16_t version;
    uint32_t tee;
    uint16_t body_type; /* version 5 */
} shape;

static const shape sgx_v3 = {3, 0, 0};
static const shape sgx_v4 = {4, 0, 0};
static const shape sgx_v5 = {5, 0, 1};
static const shape tdx_v4 = {4, 0x81, 0};
static const shape tdx_v5_td10 = {5, 0x81, 2};
static const shape tdx_v5_td15 = {5, 0x81, 3};

typedef struct change {
    uint16_t version_xor;
    uint16_t key_type_xor;
    uint32_t tee_xor;
    uint8_t vendor_xor;
    uint16_t body_type_xor;
    uint32_t body_size_xor;
    bool other_auth; /* version 3's authentication data in later versions, and the other way round */
    int auth_len;    /* added to what is right */
    uint32_t auth_len_xor;
    int outer_size;
    uint16_t outer_type_xor;
    int qe_auth_len;    /* added to the number only */
    uint16_t qe_auth_n; /* how much there is, less one; 0: 32 */
    uint16_t cert_type_xor;
    int cert_size;
    uint32_t cert_size_xor;
    uint32_t cert_n;    /* how much there is, less one; 0: 40 */
    size_t slack_inner; /* bytes after certification data that the outer size counts */
    size_t slack_outer; /* bytes after that which only the authentication data's length counts */
    size_t trailing;
} change;

typedef struct writer {
    uint8_t *bytes;
    size_t n;
} writer;

#define ROOM (256u * 1024)

/* Byte i of a quote is i % 251 where nothing else is said, so that a field tells its offset. */
static void pad(writer *w, size_t n)
{
    for (size_t i = 0; i < n; i++, w->n++) {
        w->bytes[w->n] = (uint8_t)(w->n % 251);
    }
}

static void put(writer *w, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        w->bytes[w->n++] = (uint8_t)(value >> 8 * i);
    }
}

static void set_u32(writer *w, size_t at, uint64_t value)
{
    for (size_t i = 0; i < 4; i++) {
        w->bytes[at + i] = (uint8_t)(value >> 8 * i);
    }
}

static size_t body_size(const shape *s)
{
    static const size_t sizes[] = {0, 384, 584, 648};
    return s->version < 5 ? (s->tee == 0 ? 384 : 584) : sizes[s->body_type];
}

static void write_header(writer *w, const shape *s, const change *c)
{
    static const uint8_t vendor[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                       0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
    put(w, (uint64_t)(s->version ^ c->version_xor), 2);
    put(w, 2u ^ c->key_type_xor, 2);
    put(w, s->tee ^ c->tee_xor, 4);
    pad(w, 4);
    memcpy(w->bytes + w->n, vendor, sizeof vendor);
    w->bytes[w->n] = (uint8_t)(w->bytes[w->n] ^ c->vendor_xor);
    w->n += sizeof vendor;
    pad(w, 20);
}

static void write_qe_part(writer *w, const change *c)
{
    size_t qe_auth = c->qe_auth_n == 0 ? 32 : c->qe_auth_n - 1u;
    size_t cert = c->cert_n == 0 ? 40 : c->cert_n - 1u;
    pad(w, 384 + 64);
    put(w, (uint64_t)((int)qe_auth + c->qe_auth_len), 2);
    pad(w, qe_auth);
    put(w, 5u ^ c->cert_type_xor, 2);
    put(w, (uint64_t)((int)cert + c->cert_size) ^ c->cert_size_xor, 4);
    pad(w, cert + c->slack_inner);
}

static void write_auth(writer *w, const shape *s, const change *c)
{
    size_t len_at = w->n;
    put(w, 0, 4);
    pad(w, 128);
    if ((s->version == 3) != c->other_auth) {
        write_qe_part(w, c);
    } else {
        put(w, 6u ^ c->outer_type_xor, 2);
        size_t size_at = w->n;
        put(w, 0, 4);
        write_qe_part(w, c);
        set_u32(w, size_at, (uint64_t)((int)(w->n - size_at - 4) + c->outer_size));
    }
    pad(w, c->slack_outer);
    set_u32(w, len_at, (uint64_t)((int)(w->n - len_at - 4) + c->auth_len) ^ c->auth_len_xor);
}

/* In a block that ends where the quote ends, so that sanitizers see a read too far. */
static atls_bytes write_quote(const shape *s, const change *c)
{
    writer w = {.bytes = malloc(ROOM)};
    assert_non_null(w.bytes);
    write_header(&w, s, c);
    if (s->version == 5) {
        put(&w, (uint64_t)(s->body_type ^ c->body_type_xor), 2);
        put(&w, body_size(s) ^ c->body_size_xor, 4);
    }
    pad(&w, body_size(s));
    write_auth(&w, s, c);
    pad(&w, c->trailing);
    uint8_t *exact = realloc(w.bytes, w.n);
    assert_non_null(exact);
    return atls_bytes_of(exact, w.n);
}

static void drop(atls_bytes quote)
{
    union {
        const uint8_t *in;
        void *out;
    } p = {.in = quote.ptr};
    free(p.out);
}

/* ---- refusals ---- */

typedef struct row {
    const char *name;
    const shape *shape;
    change change;
    const char *field;
    bool unsupported;
} row;

static const row refusals[] = {
    {"version 0", &tdx_v4, {.version_xor = 4 ^ 0}, "quote.header.version", true},
    {"version 1", &tdx_v4, {.version_xor = 4 ^ 1}, "quote.header.version", true},
    {"version 2", &sgx_v3, {.version_xor = 3 ^ 2}, "quote.header.version", true},
    {"version 6", &tdx_v4, {.version_xor = 4 ^ 6}, "quote.header.version", true},
    {"version 255", &tdx_v4, {.version_xor = 4 ^ 255}, "quote.header.version", true},
    {"version 65535", &tdx_v4, {.version_xor = 4 ^ 65535}, "quote.header.version", true},
    {"key type 0", &tdx_v4, {.key_type_xor = 0x2 ^ 0}, "quote.header.att_key_type", true},
    {"key type 1", &sgx_v3, {.key_type_xor = 0x2 ^ 1}, "quote.header.att_key_type", true},
    {"key type 3 is P-384", &tdx_v5_td15, {.key_type_xor = 0x2 ^ 3}, "quote.header.att_key_type", true},
    {"key type 255", &tdx_v4, {.key_type_xor = 0x2 ^ 255}, "quote.header.att_key_type", true},
    {"TEE type 1", &tdx_v4, {.tee_xor = 0x81 ^ 1}, "quote.header.tee_type", true},
    {"TEE type 0x80", &tdx_v4, {.tee_xor = 0x81 ^ 0x80}, "quote.header.tee_type", true},
    {"TEE type 0xffffffff", &tdx_v4, {.tee_xor = 0x81 ^ 0xffffffff}, "quote.header.tee_type", true},
    {"another vendor", &tdx_v4, {.vendor_xor = 1}, "quote.header.qe_vendor_id", false},
    {"TDX in version 3", &sgx_v3, {.tee_xor = 0x81}, "quote.header.tee_type", false},
    {"SGX with body type 2", &sgx_v5, {.body_type_xor = 1 ^ 2}, "quote.body.type", false},
    {"TDX with body type 1", &tdx_v5_td10, {.body_type_xor = 0x2 ^ 1}, "quote.body.type", false},
    {"body type 0", &tdx_v5_td10, {.body_type_xor = 2}, "quote.body.type", true},
    {"body type 4", &tdx_v5_td15, {.body_type_xor = 3 ^ 4}, "quote.body.type", true},
    {"body type 3 of 584 bytes", &tdx_v5_td15, {.body_size_xor = 648 ^ 584}, "quote.body.size", false},
    {"body type 2 of 648 bytes", &tdx_v5_td10, {.body_size_xor = 584 ^ 648}, "quote.body.size", false},
    {"body of 383 bytes", &sgx_v5, {.body_size_xor = 384 ^ 383}, "quote.body.size", false},
    {"body of 585 bytes", &tdx_v5_td10, {.body_size_xor = 584 ^ 585}, "quote.body.size", false},
    {"body of 647 bytes", &tdx_v5_td15, {.body_size_xor = 648 ^ 647}, "quote.body.size", false},
    {"body of 0 bytes", &tdx_v5_td15, {.body_size_xor = 648}, "quote.body.size", false},
    {"version 4 with the authentication data of 3", &tdx_v4, {.other_auth = true}, "quote.auth.outer.type", false},
    {"version 5 with the authentication data of 3", &tdx_v5_td15, {.other_auth = true}, "quote.auth.outer.type", false},
    {"version 3 with the authentication data of 4", &sgx_v3, {.other_auth = true}, "quote.auth.qe_auth_data", false},
    {"authentication data one longer than the quote", &tdx_v4, {.auth_len = 1}, "quote.auth.len", false},
    {"authentication data one shorter", &tdx_v4, {.auth_len = -1}, "quote.auth.outer", false},
    {"authentication data one shorter, version 3", &sgx_v3, {.auth_len = -1}, "quote.auth.certification_data", false},
    {"authentication data of 0xffff0000 bytes more", &tdx_v4, {.auth_len_xor = 0xffff0000}, "quote.auth.len", false},
    {"slack after certification data", &tdx_v4, {.slack_inner = 1}, "quote.auth", false},
    {"slack after outer data", &tdx_v4, {.slack_outer = 1}, "quote.auth", false},
    {"slack in version 3", &sgx_v3, {.slack_outer = 1}, "quote.auth", false},
    {"outer size one longer", &tdx_v4, {.outer_size = 1}, "quote.auth.outer", false},
    {"outer size one shorter", &tdx_v4, {.outer_size = -1}, "quote.auth", false},
    {"outer type 0", &tdx_v4, {.outer_type_xor = 6}, "quote.auth.outer.type", false},
    {"outer type 5", &tdx_v5_td10, {.outer_type_xor = 6 ^ 5}, "quote.auth.outer.type", false},
    {"outer type 7", &tdx_v4, {.outer_type_xor = 6 ^ 7}, "quote.auth.outer.type", false},
    {"QE auth data one longer", &sgx_v3, {.qe_auth_len = 1}, "quote.auth.certification_data.type", false},
    {"QE auth data one shorter", &tdx_v4, {.qe_auth_len = -1}, "quote.auth.certification_data.type", false},
    {"QE auth data of 0xffff bytes", &tdx_v4, {.qe_auth_len = 0xffff - 32}, "quote.auth.qe_auth_data.size", false},
    {"QE auth data of 4097 bytes", &tdx_v4, {.qe_auth_n = 4098}, "quote.auth.qe_auth_data.size", false},
    {"inner type 0", &tdx_v4, {.cert_type_xor = 5}, "quote.auth.certification_data.type", false},
    {"inner type 6", &tdx_v4, {.cert_type_xor = 5 ^ 6}, "quote.auth.certification_data.type", false},
    {"inner type 7", &sgx_v3, {.cert_type_xor = 5 ^ 7}, "quote.auth.certification_data.type", false},
    {"certification data one longer", &tdx_v4, {.cert_size = 1}, "quote.auth.certification_data", false},
    {"certification data one shorter", &sgx_v3, {.cert_size = -1}, "quote.auth", false},
    {"certification data of 0xffffffff bytes",
     &tdx_v4,
     {.cert_size_xor = 40 ^ 0xffffffff},
     "quote.auth.certification_data.size",
     false},
    {"certification data beyond its cap",
     &tdx_v4,
     {.cert_n = 32 * 1024 + 2},
     "quote.auth.certification_data.size",
     false},
    {"a quote beyond its cap", &tdx_v4, {.trailing = 128 * 1024}, "quote", false},
};

static void test_refusal(void **state)
{
    const row *r = *state;
    dcap_quote q;
    atls_error err = {.code = ATLS_OK};
    atls_bytes quote = write_quote(r->shape, &r->change);
    assert_false(dcap_quote_decode(quote, &q, &err));
    check_error(&err, ATLS_E_QUOTE_FORMAT, r->field);
    assert_int_equal(err.unsupported, r->unsupported);
    drop(quote);
}

/* ---- honest ones ---- */

typedef struct honest {
    const char *name;
    const shape *shape;
    change change;
    uint16_t body_type;
    size_t body_at;
} honest;

static const honest honests[] = {
    {"SGX version 3", &sgx_v3, {0}, 1, 48},
    {"SGX version 4", &sgx_v4, {0}, 1, 48},
    {"SGX version 5", &sgx_v5, {0}, 1, 54},
    {"TDX version 4", &tdx_v4, {0}, 2, 48},
    {"TDX version 5 with TD report 1.0", &tdx_v5_td10, {0}, 2, 54},
    {"TDX version 5 with TD report 1.5", &tdx_v5_td15, {0}, 3, 54},
    {"no QE auth data", &sgx_v3, {.qe_auth_n = 1}, 1, 48},
    {"QE auth data of 4096 bytes", &tdx_v4, {.qe_auth_n = 4097}, 2, 48},
    {"no certification data", &tdx_v4, {.cert_n = 1}, 2, 48},
    {"certification data type 1", &tdx_v4, {.cert_type_xor = 5 ^ 1}, 2, 48},
    {"certification data type 4", &sgx_v3, {.cert_type_xor = 5 ^ 4}, 1, 48},
    {"one trailing byte", &tdx_v4, {.trailing = 1}, 2, 48},
    {"certification data at its cap", &tdx_v4, {.cert_n = 32 * 1024 + 1}, 2, 48},
    {"64 KiB of trailing bytes", &tdx_v5_td15, {.trailing = 64 * 1024}, 3, 54},
};

static void check_at(const void *field, size_t n, size_t offset)
{
    const uint8_t *bytes = field;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(bytes[i], (offset + i) % 251);
    }
}

#define CHECK(member, offset) check_at(member, sizeof(member), (offset))

static uint16_t u16_at(size_t offset)
{
    return (uint16_t)(offset % 251 | (offset + 1) % 251 << 8);
}

/* Offsets of the specification's table 2.3. */
static void check_sgx_report(const atls_sgx_report *r, size_t at)
{
    CHECK(r->cpusvn, at + 0);
    CHECK(r->miscselect, at + 16);
    CHECK(r->attributes, at + 48);
    CHECK(r->mrenclave, at + 64);
    CHECK(r->mrsigner, at + 128);
    assert_int_equal(r->isvprodid, u16_at(at + 256));
    assert_int_equal(r->isvsvn, u16_at(at + 258));
    CHECK(r->reportdata, at + 320);
}

/* Offsets of table 2.4. */
static void check_td_report(const atls_td_report *r, size_t at)
{
    CHECK(r->tee_tcb_svn, at + 0);
    CHECK(r->mrseam, at + 16);
    CHECK(r->mrsignerseam, at + 64);
    CHECK(r->seamattributes, at + 112);
    CHECK(r->tdattributes, at + 120);
    CHECK(r->xfam, at + 128);
    CHECK(r->mrtd, at + 136);
    CHECK(r->mrconfigid, at + 184);
    CHECK(r->mrowner, at + 232);
    CHECK(r->mrownerconfig, at + 280);
    CHECK(r->rtmr[0], at + 328);
    CHECK(r->rtmr[1], at + 376);
    CHECK(r->rtmr[2], at + 424);
    CHECK(r->rtmr[3], at + 472);
    CHECK(r->reportdata, at + 520);
    if (r->is_15) {
        CHECK(r->tee_tcb_svn2, at + 584);
        CHECK(r->mrservicetd, at + 600);
    }
}

static void check_auth(const dcap_quote *q, const honest *h, size_t at)
{
    size_t qe_at = at + 4 + 128 + (h->shape->version == 3 ? 0 : 6);
    size_t qe_auth = h->change.qe_auth_n == 0 ? 32 : h->change.qe_auth_n - 1u;
    size_t cert = h->change.cert_n == 0 ? 40 : h->change.cert_n - 1u;
    assert_int_equal(q->signature.len, 64);
    check_at(q->signature.ptr, 64, at + 4);
    assert_int_equal(q->att_key.len, 64);
    check_at(q->att_key.ptr, 64, at + 68);
    assert_int_equal(q->qe_report.len, 384);
    check_at(q->qe_report.ptr, 384, qe_at);
    check_sgx_report(&q->qe, qe_at);
    assert_int_equal(q->qe_signature.len, 64);
    check_at(q->qe_signature.ptr, 64, qe_at + 384);
    assert_int_equal(q->qe_auth.len, qe_auth);
    check_at(q->qe_auth.ptr, qe_auth, qe_at + 450);
    assert_int_equal(q->cert_type, 5 ^ h->change.cert_type_xor);
    assert_int_equal(q->cert_data.len, cert);
    check_at(q->cert_data.ptr, cert, qe_at + 450 + qe_auth + 6);
    assert_int_equal(q->trailing_len, h->change.trailing);
}

static void test_honest(void **state)
{
    const honest *h = *state;
    dcap_quote q;
    atls_error err = {.code = ATLS_OK};
    atls_bytes quote = write_quote(h->shape, &h->change);
    assert_true(dcap_quote_decode(quote, &q, &err));
    assert_int_equal(q.version, h->shape->version);
    assert_int_equal(q.att_key_type, 2);
    assert_int_equal(q.tee_type, h->shape->tee);
    CHECK(q.user_data, 28);
    assert_int_equal(q.body_type, h->body_type);
    assert_ptr_equal(q.signed_span.ptr, quote.ptr);
    assert_int_equal(q.signed_span.len, h->body_at + body_size(h->shape));
    if (h->body_type == 1) {
        check_sgx_report(&q.sgx, h->body_at);
    } else {
        assert_int_equal(q.td.is_15, h->body_type == 3);
        check_td_report(&q.td, h->body_at);
    }
    check_auth(&q, h, q.signed_span.len);
    drop(quote);
}

/* ---- properties ---- */

/* Cut anywhere, an honest quote is refused, without reading beyond the cut. */
static void test_prefixes(void **state)
{
    const shape *s = *state;
    const change none = {0};
    atls_bytes quote = write_quote(s, &none);
    for (size_t n = 0; n < quote.len; n++) {
        dcap_quote q;
        atls_error err = {.code = ATLS_OK};
        uint8_t *cut = malloc(n == 0 ? 1 : n);
        assert_non_null(cut);
        memcpy(cut, quote.ptr, n);
        assert_false(dcap_quote_decode(atls_bytes_of(cut, n), &q, &err));
        assert_int_equal(err.code, ATLS_E_QUOTE_FORMAT);
        assert_true(strncmp(err.field, "quote", 5) == 0);
        free(cut);
    }
    drop(quote);
}

/* The cap itself is fine. */
static void test_longest(void **state)
{
    const change none = {0};
    atls_bytes quote = write_quote(&tdx_v4, &none);
    const change longest = {.trailing = 128 * 1024 - quote.len};
    dcap_quote q;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    drop(quote);
    quote = write_quote(&tdx_v4, &longest);
    assert_int_equal(quote.len, 128 * 1024);
    assert_true(dcap_quote_decode(quote, &q, &err));
    drop(quote);
}

static void test_random_bytes(void **state)
{
    uint8_t bytes[100];
    dcap_quote q;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 167 + 13);
    }
    assert_false(dcap_quote_decode(atls_bytes_of(bytes, sizeof bytes), &q, &err));
    check_error(&err, ATLS_E_QUOTE_FORMAT, "quote.header.version");
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < COUNT(honests); i++) {
        tap_add(&l, honests[i].name, test_honest, &honests[i]);
    }
    for (size_t i = 0; i < COUNT(refusals); i++) {
        tap_add(&l, refusals[i].name, test_refusal, &refusals[i]);
    }
    tap_add(&l, "every prefix of SGX version 3", test_prefixes, &sgx_v3);
    tap_add(&l, "every prefix of TDX version 4", test_prefixes, &tdx_v4);
    tap_add(&l, "every prefix of TDX version 5", test_prefixes, &tdx_v5_td15);
    tap_add(&l, "a quote at its cap", test_longest, NULL);
    tap_add(&l, "random bytes", test_random_bytes, NULL);
    return tap_run("dcap decode", &l);
}

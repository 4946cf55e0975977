/* SPDX-License-Identifier: Apache-2.0 */
/* Files of certificates and lists become endorsements: by what they hold, in any mixture, within bounds; nothing is believed. */
#include "base/limits.h"
#include "pki/cert.h"
#include "world.h"

typedef struct scene {
    world w;
    atls_endorsements source; /* the room's collateral: two lists, and chains as PEM */
    atls_endorsements out;
    atls_error err;
} scene;

static void open_scene(scene *s)
{
    const atls_endorsement_request request = {.platform = ATLS_PLATFORM_TDX, .is_tdx = true, .pck_ca = "platform"};
    memset(s, 0, sizeof *s);
    world_open(&s->w, SIM_TDX_V4, NULL, "tdx");
    assert_true(sim_endorse(s->w.room, &request, &s->w.arena, &s->source, &s->err));
}

static atls_bytes certificate(scene *s)
{
    atls_bytes der[ATLS_MAX_PEM_CERTS];
    size_t n = 0;
    assert_true(atls_pem_certificates(s->source.dcap.tcb_info_issuer_chain, false, ATLS_E_PCK_CHAIN, "chain",
                                      &s->w.arena, der, ATLS_MAX_PEM_CERTS, &n, &s->err));
    return der[0];
}

static atls_bytes list_as_pem(scene *s)
{
    atls_bytes pem;
    assert_true(atls_pem_encode(s->source.dcap.root_ca_crl, "X509 CRL", &s->w.arena, &pem, &s->err));
    return pem;
}

static atls_bytes join(scene *s, atls_bytes a, atls_bytes b)
{
    uint8_t *both = atls_arena_raw(&s->w.arena, a.len + b.len, &s->err);
    assert_non_null(both);
    memcpy(both, a.ptr, a.len);
    memcpy(both + a.len, b.ptr, b.len);
    return atls_bytes_of(both, a.len + b.len);
}

static bool add(scene *s, atls_bytes file)
{
    atls_error_clear(&s->err);
    return atls_endorsements_add(file, &s->w.arena, &s->out, &s->err);
}

static void test_kinds(void **state)
{
    (void)state;
    scene s;
    open_scene(&s);
    const atls_bytes der = certificate(&s);
    assert_true(add(&s, der));
    assert_int_equal(s.out.pile.n_certificates, 1);
    assert_true(atls_bytes_equal(s.out.pile.certificates[0], der));
    assert_true(add(&s, s.source.dcap.pck_crl));
    assert_int_equal(s.out.pile.n_crls, 1);
    assert_true(atls_bytes_equal(s.out.pile.crls[0], s.source.dcap.pck_crl));
    assert_true(add(&s, join(&s, s.source.dcap.tcb_info_issuer_chain, list_as_pem(&s))));
    assert_int_equal(s.out.pile.n_certificates, 3);
    assert_int_equal(s.out.pile.n_crls, 2);
    assert_true(atls_bytes_equal(s.out.pile.certificates[0], der)); /* what was there stays in front */
    assert_true(atls_bytes_equal(s.out.pile.crls[1], s.source.dcap.root_ca_crl));
    assert_int_equal(s.out.platform, ATLS_PLATFORM_NONE);
    world_close(&s.w);
}

static void test_bundle(void **state)
{
    (void)state;
    scene s;
    atls_bytes json;
    open_scene(&s);
    assert_true(add(&s, certificate(&s)));
    assert_true(atls_endorsements_to_bundle(&s.source, &s.w.arena, &json, &s.err));
    assert_true(add(&s, json));
    assert_int_equal(s.out.platform, ATLS_PLATFORM_TDX);
    assert_int_equal(s.out.pile.n_certificates, 1);
    assert_true(atls_bytes_equal(s.out.dcap.tcb_info, s.source.dcap.tcb_info));
    assert_false(add(&s, json)); /* which one would count? */
    assert_int_equal(s.err.code, ATLS_E_COLLATERAL_FORMAT);
    world_close(&s.w);
}

static const struct {
    const char *name;
    const char *file;
    size_t len;
} refused[] = {
    {"nothing", "", 0},
    {"white space", " \n", 2},
    {"words", "certificate", 11},
    {"an empty sequence and a byte", "\x30\x00\x00", 3},
    {"a sequence that ends too early", "\x30\x05\x01", 3},
    {"a block of another kind", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", 56},
    {"a block with words before it", "root:\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 66},
    {"a block that ends as another", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END X509 CRL-----\n", 56},
    {"a block without content", "-----BEGIN X509 CRL-----\n-----END X509 CRL-----\n", 48},
};

static void test_refused(void **state)
{
    (void)state;
    scene s;
    open_scene(&s);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (add(&s, atls_bytes_of(refused[i].file, refused[i].len))) {
            fail_msg("%s", refused[i].name);
        }
        assert_int_equal(s.err.code, ATLS_E_COLLATERAL_FORMAT);
        assert_int_equal(s.out.pile.n_certificates + s.out.pile.n_crls, 0);
    }
    world_close(&s.w);
}

/* A list of Android is an object, whatever else speaks of entries; and there is one. */
static const struct {
    const char *text;
    bool is_list;
} lists[] = {
    {"{\"entries\":{}}", true},
    {" \r\n\t{\"entries\":{}}", true},
    {"-{\"entries\":{}}", false},
    {"\"entries\"", false},
    {"{\"entries\":{},\"tcb_info\":\"\"}", false}, /* a bundle's member decides */
};

static void test_status_list(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        scene s;
        open_scene(&s);
        assert_int_equal(atls_endorsements_add(atls_bytes_str(lists[i].text), &s.w.arena, &s.out, &s.err),
                         lists[i].is_list);
        assert_int_equal(s.out.android.list.len > 0, lists[i].is_list);
        if (lists[i].is_list) {
            assert_false(atls_endorsements_add(atls_bytes_str(lists[i].text), &s.w.arena, &s.out, &s.err));
        }
        assert_int_equal(s.err.code, ATLS_E_COLLATERAL_FORMAT);
        world_close(&s.w);
    }
}

static void test_bounds(void **state)
{
    (void)state;
    scene s;
    open_scene(&s);
    for (size_t i = 0; i < ATLS_MAX_PILE_CERTIFICATES; i++) {
        assert_true(add(&s, certificate(&s)));
    }
    assert_false(add(&s, certificate(&s)));
    assert_int_equal(s.err.code, ATLS_E_LIMIT);
    assert_string_equal(s.err.field, "endorsements.certificates");
    for (size_t i = 0; i < ATLS_MAX_PILE_CRLS; i++) {
        assert_true(add(&s, s.source.dcap.pck_crl));
    }
    assert_false(add(&s, s.source.dcap.pck_crl));
    assert_string_equal(s.err.field, "endorsements.crls");
    world_close(&s.w);
}

/* A pile is no collateral: a quote still needs its own, and says so. */
static void test_pile_alone(void **state)
{
    (void)state;
    scene s;
    open_scene(&s);
    s.w.in.endorse = NULL;
    world_appraise(&s.w);
    assert_false(s.w.accepted);
    assert_string_equal(atls_code_name(s.w.err.code), "ENDORSEMENTS_MISSING");
    world_close(&s.w);
}

int main(void)
{
    tap_list tests = {0};
    tap_add(&tests, "certificates and lists, DER and PEM", test_kinds, NULL);
    tap_add(&tests, "one bundle beside them", test_bundle, NULL);
    tap_add(&tests, "what is neither", test_refused, NULL);
    tap_add(&tests, "the list of Android", test_status_list, NULL);
    tap_add(&tests, "bounds", test_bounds, NULL);
    tap_add(&tests, "no endorsements at all", test_pile_alone, NULL);
    return tap_run("verify/pile", &tests);
}

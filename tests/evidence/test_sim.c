/* SPDX-License-Identifier: Apache-2.0 */
/* test_sim.c: the simulator keeps its own promises: the same options give the same bytes, every setting changes
 * something and is in the README, and what OpenSSL can read of a room it can verify. */
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "sim/sim.h"
#include "tap.h"

/* Everything a room makes, one after the other. */
typedef struct products {
    atls_arena arena;
    sim *room;
    atls_bytes all;
} products;

static void must(bool ok, const atls_error *err)
{
    if (!ok) {
        char line[512];
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("%s", line);
    }
}

static void append(products *p, uint8_t *at, atls_bytes part)
{
    memcpy(at + p->all.len, part.ptr, part.len);
    p->all.len += part.len;
}

static void make_collateral(products *p, uint8_t *at, atls_error *err)
{
    atls_endorsements e;
    must(sim_collateral(p->room, &p->arena, &e, err), err);
    const atls_bytes parts[] = {e.dcap.pck_crl_issuer_chain,     e.dcap.root_ca_crl, e.dcap.pck_crl,
                                e.dcap.tcb_info_issuer_chain,    e.dcap.tcb_info,    e.dcap.tcb_info_signature,
                                e.dcap.qe_identity_issuer_chain, e.dcap.qe_identity, e.dcap.qe_identity_signature,
                                e.dcap.pck_certificate_chain};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        append(p, at, parts[i]);
    }
}

static void make_td(products *p, uint8_t *at, const uint8_t report_data[64], atls_error *err)
{
    atls_bytes text;
    must(sim_emit(p->room, "more", atls_bytes_str("payload"), err), err);
    must(sim_event_log(p->room, &p->arena, &text, err), err);
    append(p, at, text);
    must(sim_ccel(p->room, &p->arena, &text, err), err);
    append(p, at, text);
    must(sim_response(p->room, report_data, &p->arena, &text, err), err);
    append(p, at, text);
}

static void make(products *p, const sim_options *options)
{
    static const char *const ids[] = {"root",         "sibling",       "root2", "platform_ca2",
                                      "processor_ca", "processor_ca2", "tcb2",  "pck2"};
    static const uint8_t report_data[64] = {9};
    atls_error err = {0};
    atls_bytes text;
    sim_tls tls;
    *p = (products){.all = atls_bytes_empty()};
    must(atls_arena_new(&p->arena, ATLS_ARENA_DEFAULT_SIZE, &err), &err);
    uint8_t *at = atls_arena_raw(&p->arena, 1024 * 1024, &err);
    assert_non_null(at);
    must(sim_new(options, &p->room, &err), &err);
    must(sim_quote(p->room, report_data, &p->arena, &text, &err), &err);
    p->all = atls_bytes_of(at, 0);
    append(p, at, text);
    make_collateral(p, at, &err);
    must(sim_policy(p->room, options->kind == SIM_SGX_V3 ? "sgx" : "dstack_tdx", &p->arena, &text, &err), &err);
    append(p, at, text);
    must(sim_tls_identity(p->room, "server.test", &p->arena, &tls, &err), &err);
    append(p, at, tls.chain_pem);
    append(p, at, tls.key_pem);
    append(p, at, tls.ca_pem);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        append(p, at, sim_certificate(p->room, ids[i]));
    }
    if (options->kind != SIM_SGX_V3) {
        make_td(p, at, report_data, &err);
    }
}

static void drop(products *p)
{
    sim_free(p->room);
    atls_arena_free(&p->arena);
}

/* ---- the same bytes ---- */

static void same_options_same_bytes(void **state)
{
    const sim_kind *kind = *state;
    const sim_options options = {.kind = *kind, .seed = "a seed"};
    products a;
    products b;
    make(&a, &options);
    make(&b, &options);
    assert_true(a.all.len > 10000);
    assert_true(atls_bytes_equal(a.all, b.all));
    drop(&a);
    drop(&b);
}

static void other_seed_other_keys(void **state)
{
    (void)state;
    products a;
    products b;
    make(&a, &(sim_options){.seed = "a seed"});
    make(&b, &(sim_options){.seed = "another"});
    assert_false(atls_bytes_equal(sim_root(a.room), sim_root(b.room)));
    drop(&a);
    drop(&b);
}

/* Asking twice, or for other things in between, changes nothing. */
static void products_do_not_disturb_each_other(void **state)
{
    (void)state;
    static const uint8_t report_data[64] = {9};
    products p;
    atls_error err = {0};
    atls_bytes first;
    atls_bytes again;
    make(&p, &(sim_options){.kind = SIM_TDX_V5});
    must(sim_quote(p.room, report_data, &p.arena, &first, &err), &err);
    must(sim_event_log(p.room, &p.arena, &again, &err), &err);
    must(sim_quote(p.room, report_data, &p.arena, &again, &err), &err);
    assert_true(atls_bytes_equal(first, again));
    drop(&p);
}

/* ---- every setting ---- */

typedef struct setting {
    const char *text;
    const char *also;       /* a second setting that the first one needs; in the comparison on both sides */
    const char *documented; /* how the README spells the path */
    sim_kind kind;
} setting;

#define V3 SIM_SGX_V3
#define V4 SIM_TDX_V4
#define V5 SIM_TDX_V5

/* clang-format off */
static const setting settings[] = {
    {"cert.tcb.cn=x", NULL, "cert.<id>.cn", V4}, {"cert.tcb.issuer=platform_ca", NULL, "cert.<id>.issuer", V4},
    {"cert.pck.issuer_cn=x", NULL, "cert.<id>.issuer_cn", V4}, {"cert.pck2.signed_by=root", NULL, "cert.<id>.signed_by", V4},
    {"cert.sibling.key=x", NULL, "cert.<id>.key", V4}, {"cert.pck.curve=p384", NULL, "cert.<id>.curve", V4},
    {"cert.root.serial=01", NULL, "cert.<id>.serial", V4}, {"cert.root2.not_before=now", NULL, "cert.<id>.not_before", V4},
    {"cert.processor_ca.not_after=now", NULL, "cert.<id>.not_after", V4}, {"cert.platform_ca.ca=false", NULL, "cert.<id>.ca", V4},
    {"cert.platform_ca.path_len=none", NULL, "cert.<id>.path_len", V4}, {"cert.tcb.key_usage=80", NULL, "cert.<id>.key_usage", V4},
    {"cert.tcb.aki=none", NULL, "cert.<id>.aki", V4}, {"cert.tcb.ski=00", NULL, "cert.<id>.ski", V4},
    {"cert.tcb.critical_ext=1", NULL, "cert.<id>.critical_ext", V4}, {"cert.tcb.version=1", NULL, "cert.<id>.version", V4},
    {"cert.tcb.sig=rn", NULL, "cert.<id>.sig", V4},
    {"pck.ca=processor", NULL, "pck.ca", V4}, {"pck.ppid=00", NULL, "pck.ppid", V4}, {"pck.comp=07", NULL, "pck.comp", V4},
    {"pck.cpusvn=07", NULL, "pck.cpusvn", V4}, {"pck.pceid=0100", NULL, "pck.pceid", V4}, {"pck.fmspc=00", NULL, "pck.fmspc", V4},
    {"pck.instance_id=00", NULL, "pck.instance_id", V4}, {"pck.pcesvn=1", NULL, "pck.pcesvn", V4}, {"pck.type=2", NULL, "pck.type", V4},
    {"pck.dynamic_platform=0", NULL, "pck.dynamic_platform", V4}, {"pck.cached_keys=1", NULL, "pck.cached_keys", V4},
    {"pck.smt_enabled=0", NULL, "pck.smt_enabled", V4}, {"pck.ext=none", NULL, "pck.ext", V4}, {"pck.ext.comp16=twice", NULL, "pck.ext.<entry>", V4},
    {"crl.root.this_update=now", NULL, "crl.<id>.this_update", V4}, {"crl.pck.next_update=none", NULL, "crl.<id>.next_update", V4},
    {"crl.other.revoked=pck,0102", "collateral.pck_crl=other", "crl.<id>.revoked", V4}, {"crl.root.issuer_cn=x", NULL, "crl.<id>.issuer_cn", V4},
    {"crl.root.signed_by=tcb", NULL, "crl.<id>.signed_by", V4}, {"crl.root.sig=s0", NULL, "crl.<id>.sig", V4}, {"crl.root.version=0", NULL, "crl.<id>.version", V4},
    {"crl.root.number=7", NULL, "crl.<id>.number", V4}, {"crl.root.aki=none", NULL, "crl.<id>.aki", V4}, {"crl.root.critical_ext=1", NULL, "crl.<id>.critical_ext", V4},
    {"crl.pck.critical_entry_ext=1", "crl.pck.revoked=01", "crl.<id>.critical_entry_ext", V4},
    {"chain.tcb=root,tcb", NULL, "chain.<name>", V4}, {"chain.qe.pem=crlf", NULL, "chain.<name>.pem", V4}, {"chain.crl.text=x", NULL, "chain.<name>.text", V4},
    {"collateral.root_ca_crl=pck", NULL, "collateral.root_ca_crl", V4}, {"collateral.pck_crl=none", NULL, "collateral.pck_crl", V4},
    {"collateral.tcb_info=none", NULL, "collateral.tcb_info", V4}, {"collateral.qe_identity=none", NULL, "collateral.qe_identity", V4},
    {"levels=5", NULL, "levels", V4}, {"level.1.sgx=00", NULL, "level.<i>.sgx", V4}, {"level.1.tdx=01", NULL, "level.<i>.tdx", V4},
    {"level.1.pcesvn=0", NULL, "level.<i>.pcesvn", V3}, {"level.0.status=x", NULL, "level.<i>.status", V3}, {"level.0.date=now", NULL, "level.<i>.date", V4},
    {"level.0.advisories=x,y", NULL, "level.<i>.advisories", V4}, {"modules=1", NULL, "modules", V4}, {"module.0.id=x", NULL, "module.<i>.id", V4},
    {"module.1.mrsigner=01", NULL, "module.<i>.mrsigner", V4}, {"module.1.levels=3", NULL, "module.<i>.levels", V4},
    {"module.0.level.1.isvsvn=0", NULL, "module.<i>.level.<j>.isvsvn", V4}, {"qe_levels=1", NULL, "qe_levels", V4},
    {"qe_level.1.isvsvn=1", NULL, "qe_level.<i>.isvsvn", V4}, {"tcb_info.form=v2", NULL, "tcb_info.form", V3},
    {"tcb_info_date.issue=now", NULL, "tcb_info_date.issue", V4}, {"tcb_info_date.next=now", NULL, "tcb_info_date.next", V4},
    {"qe_identity_date.issue=now", NULL, "qe_identity_date.issue", V4}, {"qe_identity_date.next=now", NULL, "qe_identity_date.next", V4},
    {"tcb_info.note=1", NULL, "tcb_info.<path>", V4}, {"-qe_identity.id", NULL, "qe_identity.<path>", V4},
    {"tcb_info.sig=upper", NULL, "tcb_info.sig", V4}, {"qe_identity.sig=r1s1", NULL, "qe_identity.sig", V4},
    {"tcb_info.signed_by=root", NULL, "tcb_info.signed_by", V4}, {"qe_identity.signed_by=root", NULL, "qe_identity.signed_by", V4},
    {"quote.version=4", NULL, "quote.version", V3}, {"quote.wire=3", NULL, "quote.wire", V5}, {"quote.layout=3", NULL, "quote.layout", V5},
    {"quote.att_key_type=3", NULL, "quote.att_key_type", V4}, {"quote.tee_type=0", NULL, "quote.tee_type", V4},
    {"quote.qe_vendor_id=00", NULL, "quote.qe_vendor_id", V4}, {"quote.user_data=00", NULL, "quote.user_data", V4},
    {"quote.reserved=00000001", NULL, "quote.reserved", V4}, {"quote.body=td15", NULL, "quote.body", V4}, {"quote.body_type=9", NULL, "quote.body_type", V5},
    {"quote.body_size=1", NULL, "quote.body_size", V5}, {"quote.sig=zero", NULL, "quote.sig", V4}, {"quote.att_key=off_curve", NULL, "quote.att_key", V4},
    {"quote.auth_len=+2", NULL, "quote.auth_len", V4}, {"quote.outer_size=-3", NULL, "quote.outer_size", V4},
    {"quote.qe_auth_size=0x10", NULL, "quote.qe_auth_size", V4}, {"quote.cert_size=1", NULL, "quote.cert_size", V4},
    {"quote.auth_slack=00", NULL, "quote.auth_slack", V3}, {"quote.inner_slack=00", NULL, "quote.inner_slack", V4},
    {"quote.outer_type=5", NULL, "quote.outer_type", V4}, {"quote.cert_type=2", NULL, "quote.cert_type", V4},
    {"quote.qe_auth=", NULL, "quote.qe_auth", V4}, {"quote.cert_data=00", NULL, "quote.cert_data", V4}, {"quote.trailing=3x00", NULL, "quote.trailing", V4},
    {"quote.ppid=00", "quote.cert_type=1", "quote.ppid", V4}, {"sgx.mrenclave=00", NULL, "sgx.<field>", V3},
    {"td.mrservicetd=01", NULL, "td.<field>", V5}, {"qe.isvsvn=1", NULL, "qe.<field>", V4}, {"qe.hash=zero", NULL, "qe.hash", V4},
    {"qe.sig=bit", NULL, "qe.sig", V4}, {"qe.signed_by=sibling", NULL, "qe.signed_by", V4},
    {"compose={}", NULL, "compose", V4}, {"os_image_hash=00", NULL, "os_image_hash", V4}, {"log.app-id=00", NULL, "log.<event>", V4},
    {"-log.storage-fs", NULL, "-log.<event>", V4}, {"log.before_ready=a:00", NULL, "log.before_ready", V4}, {"log.after_ready=a:", NULL, "log.after_ready", V4},
    {"log.filler=2", NULL, "log.filler", V4}, {"log.runtime=none", NULL, "log.runtime", V4}, {"log.boot.0.digest=00", NULL, "log.boot.<i>.digest", V4},
    {"log.version=2", NULL, "log.version", V4}, {"log.app-id.version=2", NULL, "log.<event>.version", V4}, {"log.digests=blank", NULL, "log.digests", V4},
    {"log.preimage=none", "log.version=2", "log.preimage", V4}, {"log.swap_shown=app-id,instance-id", NULL, "log.swap_shown", V4},
    {"log.repeat_shown=app-id", NULL, "log.repeat_shown", V4}, {"response_form=get_quote", NULL, "response_form", V4},
    {"response_form.event_log=array", NULL, "response_form.event_log", V4}, {"event_log.0.imr=2", NULL, "event_log.", V4},
    {"vm_config.cpu_count=1", NULL, "vm_config.", V4}, {"response.success=false", NULL, "response.", V4}, {"policy.attested_only=true", NULL, "policy.", V4},
    {"tls.name=x", NULL, "tls.name", V4}, {"tls.not_before=now", NULL, "tls.not_before", V4}, {"tls.not_after=now", NULL, "tls.not_after", V4},
    {"tls.leaf.serial=01", NULL, "tls.leaf.serial", V4}, {"tls.ca.serial=01", NULL, "tls.ca.serial", V4}, {"tls.key=x", NULL, "tls.key", V4},
    {"tls.sig=bit", NULL, "tls.sig", V4}, {"raw.quote@-1=00", NULL, "raw.<name>@<offset>", V4}, {"raw.pck_crl@3^=01", NULL, "raw.<name>@<offset>^", V4},
    {"raw.cert.tcb@0+=00", NULL, "raw.<name>@<offset>+", V4}, {"raw.ccel@9-=*", NULL, "raw.<name>@<offset>-", V4},
    {"raw.event_log~system-ready=x", NULL, "raw.<name>~<text>", V4}, {"raw.tcb_info=x", NULL, "raw.<name>", V4},
};
/* clang-format on */

static char readme[65536];

static void setting_changes_something(void **state)
{
    const setting *s = *state;
    const char *const with[] = {s->text, s->also, NULL};
    const char *const without[] = {s->also, NULL};
    char quoted[96];
    products a;
    products b;
    make(&a, &(sim_options){.kind = s->kind, .settings = with});
    make(&b, &(sim_options){.kind = s->kind, .settings = without});
    assert_false(atls_bytes_equal(a.all, b.all));
    drop(&a);
    drop(&b);
    (void)snprintf(quoted, sizeof quoted, "`%s", s->documented);
    if (strstr(readme, quoted) == NULL) {
        fail_msg("%s is not in sim/README.md", s->documented);
    }
}

/* ---- what is refused ---- */

typedef struct refusal {
    const char *text;
    const char *field;
} refusal;

static const refusal refusals[] = {
    {"td.mrtdd=00", "td.mrtdd"},
    {"sgx.mrenclave=00", "sgx.mrenclave"}, /* a TD has none */
    {"tcb_infos.id=1", "tcb_infos.id"},
    {"tcb_info.tcbLevels.7.tcb.pcesvn=1", "tcb_info.tcbLevels.7.tcb.pcesvn"},
    {"-tcb_info.nothing", "-tcb_info.nothing"},
    {"td.mrtd=0", "td.mrtd"},
    {"td.mrtd=49x00", "td.mrtd"},
    {"quote.version=four", "quote.version"},
    {"cert.pck.not_after=tomorrow", "cert.pck.not_after"},
    {"cert.pck.issuer=nobody", "nobody"},
    {"chain.quote=nobody", "chain.quote"},
    {"raw.quote@999999=00", "raw.quote@999999"},
    {"raw.tcb_info~nothing of this=x", "raw.tcb_info~nothing of this"},
    {"no equals sign", "no equals sign"},
    {"=value", "=value"},
};

static void setting_is_refused(void **state)
{
    const refusal *r = *state;
    const char *const list[] = {r->text, NULL};
    sim *room = NULL;
    atls_error err = {0};
    assert_false(sim_new(&(sim_options){.settings = list}, &room, &err));
    assert_null(room);
    assert_int_equal(err.code, ATLS_E_CONFIGURATION);
    assert_string_equal(err.field, r->field);
}

/* ---- an outsider's opinion ---- */

static X509 *read_pem(atls_bytes pem)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(cert);
    return cert;
}

/* openssl_verifies checks a chain at the room's time, with OpenSSL's strict rules. */
static void openssl_verifies(X509 *leaf, X509 *intermediate, X509 *root, atls_time now)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *untrusted = sk_X509_new_null();
    assert_int_equal(X509_STORE_add_cert(store, root), 1);
    if (intermediate != NULL) {
        assert_true(sk_X509_push(untrusted, intermediate) > 0);
    }
    assert_int_equal(X509_STORE_CTX_init(ctx, store, leaf, untrusted), 1);
    X509_STORE_CTX_set_time(ctx, X509_V_FLAG_X509_STRICT, (time_t)now);
    X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_X509_STRICT);
    if (X509_verify_cert(ctx) != 1) {
        fail_msg("%s", X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
    }
    sk_X509_free(untrusted);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
}

static X509 *by_id(const sim *room, const char *id)
{
    atls_bytes der = sim_certificate(room, id);
    const unsigned char *at = der.ptr;
    X509 *cert = d2i_X509(NULL, &at, (long)der.len);
    assert_non_null(cert);
    return cert;
}

static void openssl_accepts_the_certificates(void **state)
{
    static const char *const chains[][3] = {{"pck", "platform_ca", "root"},
                                            {"sibling", "platform_ca", "root"},
                                            {"tcb", NULL, "root"},
                                            {"pck2", "platform_ca2", "root2"},
                                            {"tcb2", NULL, "root2"}};
    (void)state;
    products p;
    make(&p, &(sim_options){.kind = V4});
    for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++) {
        X509 *leaf = by_id(p.room, chains[i][0]);
        X509 *intermediate = chains[i][1] == NULL ? NULL : by_id(p.room, chains[i][1]);
        X509 *root = by_id(p.room, chains[i][2]);
        openssl_verifies(leaf, intermediate, root, sim_now(p.room));
        X509_free(leaf);
        X509_free(intermediate);
        X509_free(root);
    }
    drop(&p);
}

static void openssl_accepts_the_tls_identity(void **state)
{
    static const char *const names[] = {"server.test", "127.0.0.1", "::1"};
    (void)state;
    products p;
    atls_error err = {0};
    sim_tls tls;
    make(&p, &(sim_options){.kind = V4});
    for (size_t i = 0; i < 3; i++) {
        must(sim_tls_identity(p.room, names[i], &p.arena, &tls, &err), &err);
        X509 *leaf = read_pem(tls.chain_pem);
        X509 *ca = read_pem(tls.ca_pem);
        BIO *bio = BIO_new_mem_buf(tls.key_pem.ptr, (int)tls.key_pem.len);
        EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
        openssl_verifies(leaf, NULL, ca, sim_now(p.room));
        assert_int_equal(X509_check_private_key(leaf, key), 1);
        assert_int_equal(i == 0 ? X509_check_host(leaf, names[i], 0, 0, NULL) : X509_check_ip_asc(leaf, names[i], 0),
                         1);
        EVP_PKEY_free(key);
        BIO_free(bio);
        X509_free(leaf);
        X509_free(ca);
    }
    drop(&p);
}

static void openssl_accepts_the_lists(void **state)
{
    static const char *const settings_of[] = {"crl.pck.revoked=pck,0102", NULL};
    (void)state;
    products p;
    atls_error err = {0};
    atls_endorsements e;
    make(&p, &(sim_options){.kind = V4, .settings = settings_of});
    must(sim_collateral(p.room, &p.arena, &e, &err), &err);
    const unsigned char *at = e.dcap.pck_crl.ptr;
    X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)e.dcap.pck_crl.len);
    assert_non_null(crl);
    X509 *ca = by_id(p.room, "platform_ca");
    X509 *pck = by_id(p.room, "pck");
    X509_REVOKED *entry = NULL;
    assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(ca)), 1);
    assert_int_equal(X509_CRL_get0_by_cert(crl, &entry, pck), 1);
    X509_free(ca);
    X509_free(pck);
    X509_CRL_free(crl);
    drop(&p);
}

static void enclaves_have_no_log(void **state)
{
    (void)state;
    products p;
    atls_error err = {0};
    atls_bytes text;
    make(&p, &(sim_options){.kind = V3});
    assert_false(sim_event_log(p.room, &p.arena, &text, &err));
    assert_int_equal(err.code, ATLS_E_USAGE);
    assert_string_equal(err.field, "sim.kind");
    drop(&p);
}

static void unknown_policy_kind(void **state)
{
    (void)state;
    products p;
    atls_error err = {0};
    atls_bytes text;
    make(&p, &(sim_options){.kind = V4});
    assert_false(sim_policy(p.room, "snp", &p.arena, &text, &err));
    assert_int_equal(err.code, ATLS_E_USAGE);
    assert_string_equal(err.field, "kind");
    drop(&p);
}

int main(void)
{
    static const sim_kind kinds[] = {V3, V4, V5};
    tap_list l = {0};
    FILE *f = fopen("sim/README.md", "r"); /* tests run at the root of the tree */
    if (f != NULL) {
        readme[fread(readme, 1, sizeof readme - 1, f)] = '\0';
        (void)fclose(f);
    }
    tap_add(&l, "same options, same bytes: SGX v3", same_options_same_bytes, &kinds[0]);
    tap_add(&l, "same options, same bytes: TDX v4", same_options_same_bytes, &kinds[1]);
    tap_add(&l, "same options, same bytes: TDX v5", same_options_same_bytes, &kinds[2]);
    tap_add(&l, "another seed, other keys", other_seed_other_keys, NULL);
    tap_add(&l, "products do not disturb each other", products_do_not_disturb_each_other, NULL);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        tap_add(&l, settings[i].text, setting_changes_something, &settings[i]);
    }
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        tap_add(&l, refusals[i].text, setting_is_refused, &refusals[i]);
    }
    tap_add(&l, "OpenSSL accepts the certificates", openssl_accepts_the_certificates, NULL);
    tap_add(&l, "OpenSSL accepts the TLS identity", openssl_accepts_the_tls_identity, NULL);
    tap_add(&l, "OpenSSL accepts the lists", openssl_accepts_the_lists, NULL);
    tap_add(&l, "an enclave has no event log", enclaves_have_no_log, NULL);
    tap_add(&l, "no such kind of policy", unknown_policy_kind, NULL);
    return tap_run("simulator", &l);
}

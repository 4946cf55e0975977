/* SPDX-License-Identifier: Apache-2.0 */
/* dstack_fixture.c: the honest log, and an independent idea of its digests. */
#include "dstack_fixture.h"

#include <openssl/evp.h>

#include "base/json.h"

const uint8_t fix_app_id[20] = {0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa,
                                0xab, 0xac, 0xad, 0xae, 0xaf, 0xb0, 0xb1, 0xb2, 0xb3, 0xb4};
const uint8_t fix_compose_hash[32] = {0xc0, 0x01, 0xc0, 0x02, 0xc0, 0x03, 0xc0, 0x04, 0xc0, 0x05, 0xc0,
                                      0x06, 0xc0, 0x07, 0xc0, 0x08, 0xc0, 0x09, 0xc0, 0x0a, 0xc0, 0x0b,
                                      0xc0, 0x0c, 0xc0, 0x0d, 0xc0, 0x0e, 0xc0, 0x0f, 0xc0, 0x10};
const uint8_t fix_instance_id[20] = {0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a,
                                     0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24};
const uint8_t fix_image_hash[32] = {0x05, 0x1a, 0x6e, 0x05, 0x1a, 0x6e, 0x05, 0x1a, 0x6e, 0x05, 0x1a,
                                    0x6e, 0x05, 0x1a, 0x6e, 0x05, 0x1a, 0x6e, 0x05, 0x1a, 0x6e, 0x05,
                                    0x1a, 0x6e, 0x05, 0x1a, 0x6e, 0x05, 0x1a, 0x6e, 0x05, 0x1a};
const char fix_provider[] = "{\"name\":\"kms\",\"id\":\"3059301306072a86\"}";

static void sha384(const void *in, size_t len, uint8_t out[48])
{
    unsigned n = 0;
    assert_int_equal(EVP_Digest(in, len, out, &n, EVP_sha384(), NULL), 1);
    assert_int_equal(n, 48);
}

/* ---- the honest log ---- */

static void add(fix_log *l, fix_event e)
{
    assert_true(l->n < FIX_MAX_EVENTS);
    l->events[l->n++] = e;
}

/* Firmware measured something that is not the payload; any 48 bytes will do. */
static void add_boot(fix_log *l, uint32_t imr, uint32_t type, const char *name, const char *payload)
{
    fix_event e = {.imr = imr, .type = type, .name = name};
    char what[64];
    int n = snprintf(what, sizeof what, "firmware measured thing %zu", l->n);
    sha384(what, (size_t)n, e.boot_digest);
    fix_set_text(&e, payload);
    add(l, e);
}

fix_event fix_runtime(const char *name, const void *payload, size_t len)
{
    fix_event e = {.imr = 3, .type = DSTACK_RUNTIME_EVENT, .name = name};
    fix_set_payload(&e, payload, len);
    return e;
}

void fix_honest(fix_log *l)
{
    *l = (fix_log){0};
    add_boot(l, 0, 0x8000000bu, "", "td hob");
    add_boot(l, 0, 10, "ACPI", "");
    add_boot(l, 1, 0x80000003u, "", "");
    add_boot(l, 1, 0x80000007u, "", "ExitBootServices");
    add_boot(l, 2, 6, "", "LOADED_IMAGE::LoadOptions");
    add_boot(l, 2, 6, "", "Linux initrd");
    add(l, fix_runtime("system-preparing", "", 0));
    add(l, fix_runtime("app-id", fix_app_id, sizeof fix_app_id));
    add(l, fix_runtime("compose-hash", fix_compose_hash, sizeof fix_compose_hash));
    add(l, fix_runtime("instance-id", fix_instance_id, sizeof fix_instance_id));
    add(l, fix_runtime("boot-mr-done", "", 0));
    add(l, fix_runtime("os-image-hash", fix_image_hash, sizeof fix_image_hash));
    add(l, fix_runtime("key-provider", fix_provider, sizeof fix_provider - 1));
    add(l, fix_runtime("system-ready", "", 0));
    add(l, fix_runtime("New TLS Certificate", FIX_LEAF, 64));
    assert_int_equal(l->n, FIX_N);
}

void fix_set_payload(fix_event *e, const void *payload, size_t len)
{
    assert_true(len <= sizeof e->payload);
    memcpy(e->payload, payload, len);
    e->payload_len = len;
}

void fix_set_text(fix_event *e, const char *payload)
{
    fix_set_payload(e, payload, strlen(payload));
}

void fix_insert(fix_log *l, size_t i, fix_event e)
{
    assert_true(l->n < FIX_MAX_EVENTS && i <= l->n);
    memmove(&l->events[i + 1], &l->events[i], (l->n - i) * sizeof e);
    l->events[i] = e;
    l->n++;
}

void fix_remove(fix_log *l, size_t i)
{
    assert_true(i < l->n);
    memmove(&l->events[i], &l->events[i + 1], (l->n - i - 1) * sizeof l->events[0]);
    l->n--;
}

void fix_swap(fix_log *l, size_t i, size_t k)
{
    fix_event e = l->events[i];
    l->events[i] = l->events[k];
    l->events[k] = e;
}

/* ---- digests ---- */

void fix_hex(const uint8_t *in, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++) {
        snprintf(out + 2 * i, 3, "%02x", in[i]);
    }
    out[2 * len] = '\0';
}

size_t fix_preimage(const fix_event *e, char out[1024])
{
    if (e->version == 2) {
        char hex[2 * FIX_MAX_PAYLOAD + 1];
        fix_hex(e->payload, e->payload_len, hex);
        return (size_t)snprintf(out, 1024, "{\"name\":\"%s\",\"payload\":\"%s\",\"type\":134217729}", e->name, hex);
    }
    size_t name_len = strlen(e->name);
    memcpy(out, "\x01\x00\x00\x08:", 5);
    memcpy(out + 5, e->name, name_len);
    out[5 + name_len] = ':';
    memcpy(out + 6 + name_len, e->payload, e->payload_len);
    return 6 + name_len + e->payload_len;
}

void fix_digest(const fix_event *e, uint8_t out[48])
{
    char preimage[1024];
    if (e->type != DSTACK_RUNTIME_EVENT) {
        memcpy(out, e->boot_digest, 48);
        return;
    }
    size_t len = fix_preimage(e, preimage);
    sha384(preimage, len, out);
}

void fix_registers(const fix_log *l, uint8_t rtmr[4][48])
{
    memset(rtmr, 0, 4 * 48);
    for (size_t i = 0; i < l->n; i++) {
        uint8_t both[96];
        assert_true(l->events[i].imr < 4);
        memcpy(both, rtmr[l->events[i].imr], 48);
        fix_digest(&l->events[i], both + 48);
        sha384(both, sizeof both, rtmr[l->events[i].imr]);
    }
}

/* ---- printing ---- */

static void print_event(FILE *f, const fix_event *e)
{
    uint8_t digest[48];
    char digest_hex[97];
    char payload_hex[2 * FIX_MAX_PAYLOAD + 1];
    fix_digest(e, digest);
    fix_hex(digest, sizeof digest, digest_hex);
    fix_hex(e->payload, e->payload_len, payload_hex);
    fprintf(f, "{\"imr\":%lu,\"event_type\":%lu,\"digest\":\"%s\",\"event\":\"%s\",\"event_payload\":\"%s\"",
            (unsigned long)e->imr, (unsigned long)e->type, e->digest != NULL ? e->digest : digest_hex, e->name,
            payload_hex);
    if (e->version != 0) {
        fprintf(f, ",\"version\":%lu", (unsigned long)e->version);
    }
    if (e->preimage != NULL) {
        char preimage[1024];
        char hex[2049];
        fix_hex((const uint8_t *)preimage, fix_preimage(e, preimage), hex);
        fprintf(f, ",\"preimage\":\"%s\"", e->preimage[0] != '\0' ? e->preimage : hex);
    }
    fputs("}", f);
}

char *fix_print(const fix_log *l)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    assert_non_null(f);
    fputs("[", f);
    for (size_t i = 0; i < l->n; i++) {
        fputs(i == 0 ? "" : ",", f);
        print_event(f, &l->events[i]);
    }
    fputs("]", f);
    assert_int_equal(fclose(f), 0);
    return text;
}

/* ---- policy and quote ---- */

void fix_policy(atls_policy *p)
{
    fix_log honest;
    uint8_t rtmr[4][48];
    fix_honest(&honest);
    fix_registers(&honest, rtmr);
    *p = (atls_policy){.type = ATLS_POLICY_DSTACK_TDX};
    p->dstack.has_bootchain = true;
    memset(p->dstack.bootchain[0], 0xd7, 48);
    memcpy(p->dstack.bootchain[1], rtmr, sizeof rtmr[0] * 3);
    p->dstack.has_compose_hash = true;
    memcpy(p->dstack.compose_hash, fix_compose_hash, 32);
    p->dstack.has_os_image_hash = true;
    memcpy(p->dstack.os_image_hash, fix_image_hash, 32);
}

void fix_td(atls_claims *c, const uint8_t rtmr[4][48])
{
    *c = (atls_claims){.platform = ATLS_PLATFORM_TDX};
    c->dcap.is_tdx = true;
    memset(c->dcap.td.mrtd, 0xd7, 48);
    memcpy(c->dcap.td.rtmr, rtmr, sizeof c->dcap.td.rtmr);
}

/* ---- bench ---- */

void fix_bench_open(fix_bench *b)
{
    *b = (fix_bench){0};
    assert_true(atls_arena_new(&b->arena, (size_t)32 * 1024 * 1024, &b->err));
    assert_true(atls_crypto_new(&b->crypto, &b->err));
    fix_bench_clear(b);
}

void fix_bench_clear(fix_bench *b)
{
    atls_error_clear(&b->err);
    atls_arena_reset(&b->arena);
    assert_true(atls_trace_init(&b->trace, &b->arena, &b->err));
}

void fix_bench_close(fix_bench *b)
{
    atls_crypto_free(b->crypto);
    atls_arena_free(&b->arena);
}

bool fix_replay(fix_bench *b, const char *text, uint8_t rtmr[4][48], atls_eventlog_claims *out)
{
    dstack_log log;
    return dstack_log_decode(atls_bytes_str(text), &b->arena, &log, &b->err)
           && dstack_log_replay(b->crypto, &log, (const uint8_t(*)[48])rtmr, &b->arena, out, &b->trace, &b->err);
}

void fix_expect(const atls_error *err, atls_code code, const char *field, const char *expected, const char *actual)
{
    assert_string_equal(atls_code_name(err->code), atls_code_name(code));
    assert_string_equal(err->field, field);
    if (expected != NULL) {
        assert_string_equal(err->expected, expected);
    }
    if (actual != NULL) {
        assert_string_equal(err->actual, actual);
    }
    assert_true(err->message[0] != '\0');
}

const atls_check *fix_check(const fix_bench *b, const char *id)
{
    for (size_t i = 0; i < b->trace.n; i++) {
        if (strcmp(b->trace.items[i].id, id) == 0) {
            return &b->trace.items[i];
        }
    }
    return NULL;
}

/* ---- scenes ---- */

bool fix_play(fix_bench *b, fix_scene *s, fix_change before, fix_change quote)
{
    uint8_t rtmr[4][48];
    uint8_t leaf[32];
    atls_claims claims;
    fix_honest(&s->log);
    fix_policy(&s->policy);
    if (before != NULL) {
        before(s);
    }
    fix_registers(&s->log, rtmr);
    fix_td(&claims, (const uint8_t(*)[48])rtmr);
    char *text = fix_print(&s->log);
    assert_true(s->no_log || fix_replay(b, text, rtmr, &claims.log));
    s->td = &claims.dcap.td;
    if (quote != NULL) {
        quote(s);
    }
    assert_true(atls_hex_fixed(atls_bytes_str(FIX_LEAF), leaf, sizeof leaf));
    bool ok = dstack_appraise(&claims, &s->policy, s->no_leaf ? NULL : leaf, &b->arena, &b->trace, &b->err);
    free(text);
    return ok;
}

void fix_run_row(void **state)
{
    const fix_row *r = *state;
    fix_scene s = {0};
    fix_bench b;
    fix_bench_open(&b);
    bool ok = fix_play(&b, &s, r->before, r->quote);
    assert_int_equal(ok, r->code == ATLS_OK);
    if (!ok) {
        fix_expect(&b.err, r->code, r->field, r->expected, r->actual);
    } else {
        assert_int_equal(b.err.code, ATLS_OK);
    }
    if (r->check != NULL) {
        const atls_check *c = fix_check(&b, r->check);
        assert_non_null(c);
        assert_int_equal(c->verdict, r->verdict);
        assert_true(c->verdict == ATLS_CHECK_PASS || c->why[0] != '\0');
    }
    fix_bench_close(&b);
}

/* ---- vectors ---- */

atls_bytes fix_file(fix_bench *b, const char *path)
{
    const char *root = getenv("ATLS_VECTORS");
    char full[1024];
    snprintf(full, sizeof full, "%s/%s", root != NULL ? root : "../shared/vectors", path);
    FILE *f = fopen(full, "rb");
    if (f == NULL) {
        fix_bench_close(b);
        skip();
    }
    size_t cap = (size_t)4 * 1024 * 1024;
    uint8_t *bytes = atls_arena_raw(&b->arena, cap, &b->err);
    assert_non_null(bytes);
    size_t len = fread(bytes, 1, cap, f);
    assert_true(len < cap);
    fclose(f);
    return atls_bytes_of(bytes, len);
}

const atls_json *fix_vector(fix_bench *b, const char *id)
{
    const atls_json *top;
    assert_true(atls_json_parse(fix_file(b, "dcap/manifest.json"), "manifest", &b->arena, &top, &b->err));
    const atls_json *vectors = atls_json_find(top, "cases");
    assert_non_null(vectors);
    for (const atls_json *v = vectors->child; v != NULL; v = v->next) {
        const atls_json *name = atls_json_find(v, "id");
        if (name != NULL && atls_bytes_equal_str(name->text, id)) {
            return v;
        }
    }
    fail_msg("%s is not in the manifest", id);
    return NULL;
}

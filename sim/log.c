/* SPDX-License-Identifier: Apache-2.0 */
/* log.c: the event log of a dstack guest (dstack section 2): firmware and kernel in RTMR 0 to 2, dstack in RTMR 3.
 *
 * log.* settings change what happened, so the registers follow; event_log.* settings (doc.c) change what is shown of
 * it. */
#include "sim/internal.h"

#include <stdio.h>
#include <string.h>

/* What a boot of EDK2 and Linux leaves, in its order. */
static const struct boot {
    uint32_t imr;
    uint32_t type;
    const char *what;
} boot_events[] = {
    {0, 0x8000000b, "TdxTable"},   {0, 0x8000000a, "firmware volume"},
    {0, 0x80000001, "SecureBoot"}, {0, 0x80000001, "PK"},
    {0, 0x80000001, "KEK"},        {0, 0x80000001, "db"},
    {0, 0x80000001, "dbx"},        {0, 0x00000004, "separator"},
    {0, 0x0000000a, "ACPI DATA"},  {1, 0x80000003, "linux"},
    {0, 0x80000002, "BootOrder"},  {1, 0x80000007, "Calling EFI Application"},
    {1, 0x00000004, "separator"},  {2, 0x00000006, "command line"},
    {2, 0x00000006, "initrd"},     {1, 0x80000007, "Exit Boot Services"},
};

static void digest_of(sim_op *o, sim_event *e)
{
    atls_buf b = sim_buf(o);
    if (e->version == 1) {
        sim_put_le(&b, SIM_RUNTIME_EVENT, 4);
        atls_buf_format(&b, ":%s:", e->name);
        atls_buf_put(&b, e->payload);
    } else {
        atls_buf_str(&b, "{\"name\":");
        sim_doc_string(&b, atls_bytes_str(e->name));
        atls_buf_str(&b, ",\"payload\":");
        sim_doc_hex(&b, e->payload);
        atls_buf_str(&b, ",\"type\":134217729}");
    }
    sim_sha384(sim_done(&b), e->digest);
}

static sim_event *append(sim_op *o)
{
    sim_event *e = atls_arena_alloc(&o->s->arena, sizeof *e, &o->err);
    if (e == NULL) {
        return NULL;
    }
    if (o->s->last_event == NULL) {
        o->s->events = e;
    } else {
        o->s->last_event->next = e;
    }
    o->s->last_event = e;
    return e;
}

void sim_log_add(sim_op *o, uint32_t imr, uint32_t type, const char *name, atls_bytes payload)
{
    size_t len = strlen(name);
    char *copy = atls_arena_alloc(&o->s->arena, len + 1, &o->err);
    sim_event *e = copy == NULL ? NULL : append(o);
    if (e == NULL || !atls_arena_copy(&o->s->arena, payload, &e->payload, &o->err)) {
        return;
    }
    memcpy(copy, name, len + 1);
    e->imr = imr;
    e->type = type;
    e->name = copy;
    e->version = (uint32_t)sim_get_uint(o, sim_get_uint(o, 1, "log.version"), "log.%s.version", name);
    digest_of(o, e);
}

static void add_boot(sim_op *o, size_t i)
{
    char label[48];
    sim_event *e = append(o);
    if (e == NULL) {
        return;
    }
    (void)snprintf(label, sizeof label, "boot %zu %s", i, boot_events[i].what);
    e->imr = boot_events[i].imr;
    e->type = boot_events[i].type;
    e->version = 1;
    e->name = "";
    e->payload = atls_bytes_str(boot_events[i].what);
    sim_derive(o, label, e->digest, sizeof e->digest);
    sim_get_fixed(o, e->digest, sizeof e->digest, "log.boot.%zu.digest", i);
}

/* add_default adds one event of dstack's own, unless "-log.<name>" takes it away or log.<name> changes its payload. */
static void add_default(sim_op *o, const char *name, atls_bytes payload)
{
    if (sim_get(o, "-log.%s", name) != NULL) {
        return;
    }
    (void)sim_get_bytes(o, &payload, "log.%s", name);
    sim_log_add(o, 3, SIM_RUNTIME_EVENT, name, payload);
}

/* add_listed adds the events of repeated settings "<path>=<name>:<payload in hex>". */
static void add_listed(sim_op *o, const char *path)
{
    size_t i = 0;
    for (const sim_setting *setting = sim_next(o, path, &i); setting != NULL; setting = sim_next(o, path, &i)) {
        char name[96];
        const char *colon = strrchr(setting->value, ':');
        if (colon == NULL) {
            sim_bad(o, setting->path, "an event is a name, a colon and a payload in hex");
            return;
        }
        (void)snprintf(name, sizeof name, "%.*s", (int)(colon - setting->value), setting->value);
        sim_log_add(o, 3, SIM_RUNTIME_EVENT, name, sim_value_bytes(o, setting->path, colon + 1));
    }
}

static void add_runtime(sim_op *o)
{
    uint8_t instance[20];
    atls_bytes key_provider = atls_bytes_str("{\"name\":\"kms\",\"id\":\"3059301306072a8648ce3d020106\"}");
    atls_bytes compose = atls_bytes_of(o->s->compose_hash, sizeof o->s->compose_hash);
    sim_derive(o, "instance-id", instance, sizeof instance);
    add_default(o, "system-preparing", atls_bytes_empty());
    add_default(o, "app-id", atls_bytes_of(compose.ptr, 20));
    add_default(o, "compose-hash", compose);
    add_default(o, "instance-id", atls_bytes_of(instance, sizeof instance));
    add_default(o, "boot-mr-done", atls_bytes_empty());
    add_default(o, "os-image-hash", atls_bytes_of(o->s->os_image_hash, sizeof o->s->os_image_hash));
    add_default(o, "key-provider", key_provider);
    add_default(o, "storage-fs", atls_bytes_str("zfs"));
    add_listed(o, "log.before_ready");
    add_default(o, "system-ready", atls_bytes_empty());
    add_listed(o, "log.after_ready");
    for (uint64_t n = sim_get_uint(o, 0, "log.filler"); n > 0 && sim_ok(o); n--) {
        sim_log_add(o, 3, SIM_RUNTIME_EVENT, "filler", atls_bytes_empty());
    }
}

void sim_log_make(sim_op *o)
{
    static const char compose[] = "{\"manifest_version\":2,\"name\":\"hello\",\"runner\":\"docker-compose\","
                                  "\"docker_compose_file\":\"services:\\n  web:\\n    image: example/hello\\n\","
                                  "\"kms_enabled\":true,\"allowed_envs\":[]}";
    o->s->compose = atls_bytes_str(sim_get_text(o, compose, "compose"));
    sim_sha256(o->s->compose, o->s->compose_hash);
    sim_derive(o, "os image", o->s->os_image_hash, sizeof o->s->os_image_hash);
    sim_get_fixed(o, o->s->os_image_hash, sizeof o->s->os_image_hash, "os_image_hash");
    for (size_t i = 0; i < sizeof boot_events / sizeof boot_events[0]; i++) {
        add_boot(o, i);
    }
    if (strcmp(sim_get_text(o, "", "log.runtime"), "none") != 0) {
        add_runtime(o);
    }
}

/* sim_log_registers replays what happened: register = SHA-384(register, digest). */
void sim_log_registers(const sim *s, uint8_t rtmr[4][48])
{
    memset(rtmr, 0, sizeof(uint8_t[4][48]));
    for (const sim_event *e = s->events; e != NULL; e = e->next) {
        uint8_t both[96];
        memcpy(both, rtmr[e->imr], 48);
        memcpy(both + 48, e->digest, 48);
        sim_sha384(atls_bytes_of(both, sizeof both), rtmr[e->imr]);
    }
}

/* ---- JSON ---- */

static void put_version(sim_op *o, const sim_event *e, atls_buf *b)
{
    if (e->version == 1) {
        return;
    }
    atls_buf_format(b, ",\"version\":%u", e->version);
    if (strcmp(sim_get_text(o, "", "log.preimage"), "none") != 0) {
        atls_buf preimage = sim_buf(o);
        atls_buf_str(&preimage, "{\"name\":");
        sim_doc_string(&preimage, atls_bytes_str(e->name));
        atls_buf_str(&preimage, ",\"payload\":");
        sim_doc_hex(&preimage, e->payload);
        atls_buf_str(&preimage, ",\"type\":134217729}");
        atls_buf_str(b, ",\"preimage\":");
        sim_doc_hex(b, sim_done(&preimage));
    }
}

/* Newer guests blank the digests of runtime events (log.digests=blank); all blank the payloads of boot events. */
static void put_event(sim_op *o, const sim_event *e, bool blank, atls_buf *b)
{
    bool runtime = e->imr == 3;
    atls_buf_format(b, "%s{\"imr\":%u,\"event_type\":%u,\"digest\":", b->len == 1 ? "" : ",", e->imr, e->type);
    sim_doc_hex(b, runtime && blank ? atls_bytes_empty() : atls_bytes_of(e->digest, sizeof e->digest));
    atls_buf_str(b, ",\"event\":");
    sim_doc_string(b, atls_bytes_str(e->name));
    atls_buf_str(b, ",\"event_payload\":");
    sim_doc_hex(b, runtime ? e->payload : atls_bytes_empty());
    put_version(o, e, b);
    atls_buf_str(b, "}");
}

static const sim_event *by_name(const sim *s, const char *name)
{
    for (const sim_event *e = s->events; e != NULL; e = e->next) {
        if (strcmp(e->name, name) == 0) {
            return e;
        }
    }
    return NULL;
}

/* shown gives the event to print in the place of e: log.swap_shown=a,b exchanges two of them. */
static const sim_event *shown(const sim *s, const sim_event *e, const char *a, const char *b)
{
    if (a[0] == '\0' || (strcmp(e->name, a) != 0 && strcmp(e->name, b) != 0)) {
        return e;
    }
    const sim_event *other = by_name(s, strcmp(e->name, a) == 0 ? b : a);
    return other == NULL ? e : other;
}

atls_bytes sim_log_json(sim_op *o)
{
    const char *swap = sim_get_text(o, "", "log.swap_shown");
    const char *repeat = sim_get_text(o, "", "log.repeat_shown");
    bool blank = strcmp(sim_get_text(o, "", "log.digests"), "blank") == 0;
    char first[64] = "";
    char second[64] = "";
    (void)sim_split(&swap, first, sizeof first);
    (void)sim_split(&swap, second, sizeof second);
    atls_buf b = sim_buf(o);
    atls_buf_str(&b, "[");
    for (const sim_event *e = o->s->events; e != NULL; e = e->next) {
        put_event(o, shown(o->s, e, first, second), blank, &b);
        if (repeat[0] != '\0' && strcmp(e->name, repeat) == 0) {
            put_event(o, e, blank, &b);
        }
    }
    atls_buf_str(&b, "]");
    return sim_raw(o, "event_log", sim_doc(o, "event_log", sim_done(&b)));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* settings.c: "path=value" texts.
 *
 * There is no list of paths: a path exists because something asks for it. A new room makes one of everything, and a
 * setting that nobody has asked for by then is a mistake of the caller. */
#include "sim/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* copy_text makes a C string in the room's arena. */
static char *copy_text(sim_op *o, const char *text, size_t len)
{
    char *out = atls_arena_alloc(&o->s->arena, len + 1, &o->err);
    if (out != NULL) {
        memcpy(out, text, len);
    }
    return out;
}

static bool read_one(sim_op *o, const char *text, sim_setting *out)
{
    size_t len = strlen(text);
    const char *equals = strchr(text, '=');
    if (equals == NULL && text[0] == '-') { /* "-tcb_info.tcbType" removes a member */
        out->path = copy_text(o, text, len);
        out->value = "";
        return out->path != NULL;
    }
    if (equals == NULL || equals == text || (size_t)(equals - text) >= SIM_PATH_SIZE) {
        return atls_fail(&o->err, ATLS_E_CONFIGURATION, text, "a setting is a path, an equals sign and a value");
    }
    out->path = copy_text(o, text, (size_t)(equals - text));
    out->value = copy_text(o, equals + 1, len - (size_t)(equals + 1 - text));
    return out->path != NULL && out->value != NULL;
}

bool sim_settings_read(sim_op *o, const char *const *texts)
{
    size_t n = 0;
    while (texts != NULL && texts[n] != NULL) {
        n++;
    }
    o->s->settings = atls_arena_array(&o->s->arena, n, sizeof *o->s->settings, &o->err);
    if (o->s->settings == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!read_one(o, texts[i], &o->s->settings[i])) {
            return false;
        }
        o->s->n_settings = i + 1;
    }
    return true;
}

void sim_settings_check(sim_op *o)
{
    for (size_t i = 0; i < o->s->n_settings; i++) {
        if (!o->s->settings[i].used) {
            (void)atls_fail(&o->err, ATLS_E_CONFIGURATION, o->s->settings[i].path,
                            "no field of this room has this path (sim/README.md lists them)");
        }
    }
}

static const char *look_up(sim_op *o, const char *path)
{
    const char *value = NULL;
    for (size_t i = 0; i < o->s->n_settings; i++) {
        if (strcmp(o->s->settings[i].path, path) == 0) {
            o->s->settings[i].used = true;
            value = o->s->settings[i].value;
        }
    }
    return value;
}

/* The functions below begin alike: C has no way to hand on "...". */
static void print_path(char path[SIM_PATH_SIZE], const char *format, va_list args)
{
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): every caller starts its list */
    (void)vsnprintf(path, SIM_PATH_SIZE, format, args);
}

const char *sim_get(sim_op *o, const char *format, ...)
{
    char path[SIM_PATH_SIZE];
    va_list args;
    va_start(args, format);
    print_path(path, format, args);
    va_end(args);
    return look_up(o, path);
}

const char *sim_get_text(sim_op *o, const char *def, const char *format, ...)
{
    char path[SIM_PATH_SIZE];
    va_list args;
    va_start(args, format);
    print_path(path, format, args);
    va_end(args);
    const char *value = look_up(o, path);
    return value == NULL ? def : value;
}

/* read_number reads decimal or 0x hex up to the end of text. */
static bool read_number(const char *text, uint64_t *out)
{
    char *end = NULL;
    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    *out = strtoull(text, &end, text[1] == 'x' ? 16 : 10);
    return end != text && *end == '\0';
}

uint64_t sim_get_uint(sim_op *o, uint64_t def, const char *format, ...)
{
    char path[SIM_PATH_SIZE];
    va_list args;
    va_start(args, format);
    print_path(path, format, args);
    va_end(args);
    const char *value = look_up(o, path);
    if (value == NULL) {
        return def;
    }
    const bool plus = value[0] == '+';
    const bool minus = value[0] == '-';
    uint64_t n = 0;
    if (!read_number(plus || minus ? value + 1 : value, &n)) {
        sim_bad(o, path, "a number is wanted: N, 0xN, +N or -N");
        return def;
    }
    return plus ? def + n : minus ? def - n : n;
}

/* sim_value_time reads "now", "now+N", "now-N" (seconds) or YYYY-MM-DDTHH:MM:SSZ. */
atls_time sim_value_time(sim_op *o, const char *path, const char *value)
{
    atls_time t = ATLS_TIME_UNSET;
    if (atls_time_parse(atls_bytes_str(value), &t)) {
        return t;
    }
    uint64_t n = 0;
    bool relative = strncmp(value, "now", 3) == 0;
    if (relative && (value[3] == '\0' || ((value[3] == '+' || value[3] == '-') && read_number(value + 4, &n)))) {
        return value[3] == '-' ? o->s->now - (atls_time)n : o->s->now + (atls_time)n;
    }
    sim_bad(o, path, "a time is wanted: now, now+N, now-N or YYYY-MM-DDTHH:MM:SSZ");
    return o->s->now;
}

atls_time sim_get_time(sim_op *o, atls_time def, const char *format, ...)
{
    char path[SIM_PATH_SIZE];
    va_list args;
    va_start(args, format);
    print_path(path, format, args);
    va_end(args);
    const char *value = look_up(o, path);
    return value == NULL ? def : sim_value_time(o, path, value);
}

/* sim_value_bytes reads hex, or NxHEX for a repetition: "64x00". */
atls_bytes sim_value_bytes(sim_op *o, const char *path, const char *value)
{
    uint64_t times = 1;
    const char *hex = value;
    char *end = NULL;
    const char *x = strchr(value, 'x');
    if (x != NULL) {
        times = strtoull(value, &end, 10);
        hex = x + 1;
        if (end != x || times > 1024u * 1024) {
            sim_bad(o, path, "bytes are hex digits, or N, x and hex digits to repeat");
            return atls_bytes_empty();
        }
    }
    atls_bytes one = atls_bytes_empty();
    atls_error ignored = {0};
    if (!atls_hex_decode(atls_bytes_str(hex), "", o->a, &one, &ignored)) {
        sim_bad(o, path, "bytes are hex digits, or N, x and hex digits to repeat");
        return atls_bytes_empty();
    }
    if (times == 1) {
        return one;
    }
    atls_buf b = sim_buf(o);
    for (uint64_t i = 0; i < times; i++) {
        atls_buf_put(&b, one);
    }
    return sim_done(&b);
}

/* Fields of fixed size: fewer digits replace the first bytes only, more are refused. */
void sim_get_fixed(sim_op *o, uint8_t *dst, size_t n, const char *format, ...)
{
    char path[SIM_PATH_SIZE];
    va_list args;
    va_start(args, format);
    print_path(path, format, args);
    va_end(args);
    const char *value = look_up(o, path);
    if (value == NULL) {
        return;
    }
    atls_bytes in = sim_value_bytes(o, path, value);
    if (in.len > n) {
        sim_bad(o, path, "too many bytes for this field");
        return;
    }
    memcpy(dst, in.ptr, in.len);
}

bool sim_get_bytes(sim_op *o, atls_bytes *out, const char *format, ...)
{
    char path[SIM_PATH_SIZE];
    va_list args;
    va_start(args, format);
    print_path(path, format, args);
    va_end(args);
    const char *value = look_up(o, path);
    if (value == NULL) {
        return false;
    }
    *out = sim_value_bytes(o, path, value);
    return true;
}

const sim_setting *sim_next(sim_op *o, const char *prefix, size_t *i)
{
    size_t len = strlen(prefix);
    while (*i < o->s->n_settings) {
        sim_setting *setting = &o->s->settings[(*i)++];
        if (strncmp(setting->path, prefix, len) == 0) {
            setting->used = true;
            return setting;
        }
    }
    return NULL;
}

bool sim_split(const char **list, char *word, size_t size)
{
    if (**list == '\0') {
        return false;
    }
    size_t len = strcspn(*list, ",");
    (void)snprintf(word, size, "%.*s", (int)len, *list);
    *list += len;
    if (**list == ',') {
        (*list)++;
    }
    return true;
}

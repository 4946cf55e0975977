/* SPDX-License-Identifier: Apache-2.0 */
/* raw.c: changes of finished bytes: "raw.<name>@<offset><action>=<value>" and "raw.<name>~<text>=<replacement>".
 *
 * They come after whatever signs the bytes, so they are what an attacker on the way can do. */
#include "sim/internal.h"

#include <stdlib.h>
#include <string.h>

/* splice puts `with` in the place of n bytes at offset. */
static atls_bytes splice(sim_op *o, atls_bytes in, size_t offset, size_t n, atls_bytes with)
{
    atls_buf b = sim_buf(o);
    atls_buf_put(&b, atls_bytes_of(in.ptr, offset));
    atls_buf_put(&b, with);
    atls_buf_put(&b, atls_bytes_of(in.ptr + offset + n, in.len - offset - n));
    return sim_done(&b);
}

static atls_bytes flip(sim_op *o, atls_bytes in, size_t offset, atls_bytes mask)
{
    uint8_t *changed = atls_arena_raw(o->a, mask.len, &o->err);
    if (changed == NULL) {
        return in;
    }
    for (size_t i = 0; i < mask.len; i++) {
        changed[i] = (uint8_t)(in.ptr[offset + i] ^ mask.ptr[i]);
    }
    return splice(o, in, offset, mask.len, atls_bytes_of(changed, mask.len));
}

/* read_offset reads N, or -N from the end, and says where the action begins. */
static bool read_offset(const char *text, size_t len, size_t *out, const char **action)
{
    bool from_end = text[0] == '-';
    char *end = NULL;
    unsigned long long n = strtoull(from_end ? text + 1 : text, &end, 10);
    *action = end;
    if (end == text || n > len) {
        return false;
    }
    *out = from_end ? len - (size_t)n : (size_t)n;
    return true;
}

static atls_bytes at_offset(sim_op *o, const sim_setting *setting, const char *rest, atls_bytes in)
{
    size_t offset = 0;
    const char *action = NULL;
    if (!read_offset(rest, in.len, &offset, &action)) {
        sim_bad(o, setting->path, "the offset is not in these bytes");
        return in;
    }
    size_t left = in.len - offset;
    if (strcmp(action, "-") == 0) { /* cut N bytes, or * for all that follow */
        size_t n = strcmp(setting->value, "*") == 0 ? left : (size_t)strtoull(setting->value, NULL, 10);
        if (n <= left) {
            return splice(o, in, offset, n, atls_bytes_empty());
        }
    }
    atls_bytes value =
        strcmp(action, "-") == 0 ? atls_bytes_empty() : sim_value_bytes(o, setting->path, setting->value);
    if (strcmp(action, "+") == 0) {
        return splice(o, in, offset, 0, value);
    }
    if (strcmp(action, "^") == 0 && value.len <= left) {
        return flip(o, in, offset, value);
    }
    if (action[0] == '\0' && value.len <= left) {
        return splice(o, in, offset, value.len, value);
    }
    sim_bad(o, setting->path, "an action is nothing, ^, + or -, within the bytes");
    return in;
}

static atls_bytes by_text(sim_op *o, const sim_setting *setting, const char *find, atls_bytes in)
{
    size_t n = strlen(find);
    for (size_t i = 0; n > 0 && i + n <= in.len; i++) {
        if (memcmp(in.ptr + i, find, n) == 0) {
            return splice(o, in, i, n, atls_bytes_str(setting->value));
        }
    }
    sim_bad(o, setting->path, "these bytes do not hold this text");
    return in;
}

/* applies_to tells whether a setting is "raw.<name>" followed by an action, which rest then points at. */
static bool applies_to(const sim_setting *setting, const char *name, const char **rest)
{
    size_t len = strlen(name);
    if (strncmp(setting->path, "raw.", 4) != 0 || strncmp(setting->path + 4, name, len) != 0) {
        return false;
    }
    *rest = setting->path + 4 + len;
    return **rest == '@' || **rest == '~' || **rest == '\0';
}

atls_bytes sim_raw(sim_op *o, const char *name, atls_bytes in)
{
    for (size_t i = 0; i < o->s->n_settings; i++) {
        sim_setting *setting = &o->s->settings[i];
        const char *rest = NULL;
        if (!applies_to(setting, name, &rest)) {
            continue;
        }
        setting->used = true;
        if (*rest == '@') {
            in = at_offset(o, setting, rest + 1, in);
        } else if (*rest == '~') {
            in = by_text(o, setting, rest + 1, in);
        } else { /* all of it, as text */
            in = atls_bytes_str(setting->value);
        }
    }
    return in;
}

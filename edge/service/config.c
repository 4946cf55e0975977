/* SPDX-License-Identifier: Apache-2.0 */
/* config.c: reads a configuration by the table. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define MAX_TEXT_LEN 1024u

typedef struct reader {
    svc_config *config;
    atls_arena *arena;
    atls_error *err;
} reader;

/* ---- files ---- */

static bool read_all(int fd, const char *path, const char *field, atls_bytes *out, uint8_t *room, size_t size,
                     atls_error *err)
{
    size_t len = 0;
    while (len < size) {
        const ssize_t n = read(fd, room + len, size - len);
        const int reason = errno;
        if (n < 0 && reason == EINTR) {
            continue;
        }
        if (n < 0) {
            return atls_fail(err, ATLS_E_IO, field, "%s cannot be read: %s", path, strerror(reason));
        }
        if (n == 0) {
            break;
        }
        len += (size_t)n;
    }
    *out = atls_bytes_of(room, len);
    return true;
}

bool svc_read_file(const char *path, const char *field, size_t max, atls_arena *a, atls_bytes *out, atls_error *err)
{
    struct stat st;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not stop the service */
    const int reason = errno;
    *out = atls_bytes_empty();
    if (fd < 0) {
        return atls_fail(err, ATLS_E_IO, field, "%s cannot be opened: %s", path, strerror(reason));
    }
    bool ok = false;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void)atls_fail(err, ATLS_E_IO, field, "%s is not a file", path);
    } else if (st.st_size < 0 || (uint64_t)st.st_size > max) {
        (void)atls_fail(err, ATLS_E_LIMIT, field, "%s has more than %zu bytes", path, max);
    } else {
        uint8_t *room = atls_arena_raw(a, (size_t)st.st_size, err);
        ok = room != NULL && read_all(fd, path, field, out, room, (size_t)st.st_size, err);
    }
    (void)close(fd);
    return ok;
}

bool svc_config_path(const svc_config *c, atls_bytes name, atls_arena *a, const char **out, atls_error *err)
{
    *out = name.len > 0 && name.ptr[0] == '/'
               ? atls_text_copy(name, a, err)
               : atls_text_format(a, err, "%s/%.*s", c->folder, (int)name.len, (const char *)name.ptr);
    return *out != NULL;
}

/* ---- values ---- */

static bool wrong(const reader *r, const char *path, const char *wanted, const atls_json *v)
{
    const atls_bytes shown = v->raw.len > 60 ? atls_bytes_of(v->raw.ptr, 60) : v->raw;
    char actual[64];
    memcpy(actual, shown.ptr, shown.len);
    actual[shown.len] = '\0';
    return atls_fail_values(r->err, ATLS_E_CONFIGURATION, path, wanted, actual, "the value is not one of this member");
}

static bool read_text(const reader *r, const char *path, const atls_json *v, const char **out)
{
    if (v->type != ATLS_JSON_STRING || v->text.len == 0 || v->text.len > MAX_TEXT_LEN) {
        return wrong(r, path, "a text", v);
    }
    for (size_t i = 0; i < v->text.len; i++) {
        if (v->text.ptr[i] < ' ' || v->text.ptr[i] == 0x7f) {
            return wrong(r, path, "a text without control characters", v);
        }
    }
    *out = atls_text_copy(v->text, r->arena, r->err);
    return *out != NULL;
}

static bool read_file_name(const reader *r, const char *path, const atls_json *v, const char **out)
{
    return read_text(r, path, v, out) && svc_config_path(r->config, atls_bytes_str(*out), r->arena, out, r->err);
}

static bool read_number(const reader *r, const svc_member *m, const atls_json *v, int64_t *out)
{
    const bool negative = m->min < 0 && v->type == ATLS_JSON_NUMBER && v->text.len > 1 && v->text.ptr[0] == '-';
    atls_json bare = *v;
    atls_error unused = {0};
    uint64_t size = 0;
    if (negative) {
        bare.text = bare.raw = atls_bytes_of(v->text.ptr + 1, v->text.len - 1);
    }
    const char *wanted =
        atls_text_format(r->arena, r->err, "an integer from %lld to %lld", (long long)m->min, (long long)m->max);
    if (wanted == NULL) {
        return false;
    }
    if (!atls_json_uint(&bare, m->path, INT64_MAX, &size, &unused)) {
        return wrong(r, m->path, wanted, v);
    }
    *out = negative ? -(int64_t)size : (int64_t)size;
    return (*out >= m->min && *out <= m->max) || wrong(r, m->path, wanted, v);
}

static bool read_list(const reader *r, const svc_member *m, const atls_json *v, svc_list *out)
{
    out->n = 0;
    if (v->type != ATLS_JSON_ARRAY) {
        return read_text(r, m->path, v, &out->items[out->n++]);
    }
    for (const atls_json *e = v->child; e != NULL; e = e->next) {
        if (out->n == SVC_MAX_LISTEN) {
            return wrong(r, m->path, "a list of at most 8", v);
        }
        if (!read_text(r, m->path, e, &out->items[out->n++])) {
            return false;
        }
    }
    return true;
}

static bool read_word(const reader *r, const svc_member *m, const atls_json *v, const char **out)
{
    const char *word = m->words;
    while (v->type == ATLS_JSON_STRING && *word != '\0') {
        const size_t n = strcspn(word, "|");
        if (n == v->text.len && memcmp(word, v->text.ptr, n) == 0) {
            *out = atls_text_copy(v->text, r->arena, r->err);
            return *out != NULL;
        }
        word += n + (word[n] == '|' ? 1 : 0);
    }
    return wrong(r, m->path, m->words, v);
}

/* A policy is Warden's configuration object: it becomes a document of ours by its type. A document that has one keeps it; the
 * reader of policies says whether it is the right one. */
static bool read_policy(const reader *r, const svc_member *m, const atls_json *v, atls_bytes *out)
{
    atls_bytes text = v->raw;
    const char *file = NULL;
    const atls_json *document = v;
    if (v->type == ATLS_JSON_STRING
        && (!read_file_name(r, m->path, v, &file)
            || !svc_read_file(file, m->path, SVC_MAX_CONFIG_LEN, r->arena, &text, r->err)
            || !atls_json_parse(text, m->path, r->arena, &document, r->err))) {
        return false;
    }
    if (document->type != ATLS_JSON_OBJECT) {
        return wrong(r, m->path, "an object, or the name of a file with one", v);
    }
    const atls_bytes raw = document->raw;
    const bool has_type = atls_json_find(document, "type") != NULL;
    const char *made =
        has_type ? atls_text_copy(raw, r->arena, r->err)
                 : atls_text_format(r->arena, r->err, "{\"type\":\"%s\"%s%.*s", m->words, document->n == 0 ? "" : ",",
                                    (int)(raw.len - 1), (const char *)raw.ptr + 1);
    *out = atls_bytes_str(made);
    return made != NULL;
}

static bool read_value(const reader *r, const svc_member *m, const atls_json *v)
{
    void *at = (uint8_t *)r->config + m->offset;
    int64_t number = 0;
    switch (m->kind) {
    case SVC_TEXT:
        return read_text(r, m->path, v, at);
    case SVC_FILE:
        return read_file_name(r, m->path, v, at);
    case SVC_UINT:
        if (!read_number(r, m, v, &number)) {
            return false;
        }
        *(uint64_t *)at = (uint64_t)number;
        return true;
    case SVC_INT:
        return read_number(r, m, v, at);
    case SVC_FLAG:
        *(bool *)at = v->type == ATLS_JSON_TRUE;
        return v->type == ATLS_JSON_TRUE || v->type == ATLS_JSON_FALSE || wrong(r, m->path, "true or false", v);
    case SVC_LIST:
        return read_list(r, m, v, at);
    case SVC_OBJECT:
        *(atls_bytes *)at = v->raw;
        return v->type == ATLS_JSON_OBJECT || wrong(r, m->path, "an object", v);
    case SVC_POLICY:
        return read_policy(r, m, v, at);
    case SVC_WORD:
        return read_word(r, m, v, at);
    }
    return atls_fail(r->err, ATLS_E_INTERNAL, m->path, "a member of no kind");
}

/* ---- the document ---- */

static const svc_member *find(const char *path)
{
    for (size_t i = 0; i < svc_n_members; i++) {
        if (strcmp(svc_members[i].path, path) == 0) {
            return &svc_members[i];
        }
    }
    return NULL;
}

static bool is_group(const char *path)
{
    const size_t n = strlen(path);
    for (size_t i = 0; i < svc_n_members; i++) {
        if (strncmp(svc_members[i].path, path, n) == 0 && svc_members[i].path[n] == '.') {
            return true;
        }
    }
    return false;
}

static bool read_members(const reader *r, const char *prefix, const atls_json *object);

static bool read_member(const reader *r, const char *prefix, const atls_json *v)
{
    const char *path = atls_text_format(r->arena, r->err, "%s%s%.*s", prefix, prefix[0] == '\0' ? "" : ".",
                                        (int)(v->name.len > 200 ? 200 : v->name.len), (const char *)v->name.ptr);
    if (path == NULL) {
        return false;
    }
    /* A dot in a name is no way into a group. */
    const bool is_dotted = v->name.len > 0 && memchr(v->name.ptr, '.', v->name.len) != NULL;
    const svc_member *m = is_dotted ? NULL : find(path);
    if (m != NULL) {
        return read_value(r, m, v);
    }
    if (is_dotted || prefix[0] != '\0' || !is_group(path)) {
        return atls_fail(r->err, ATLS_E_CONFIGURATION, path[0] == '\0' ? "configuration" : path,
                         "there is no such member");
    }
    return v->type == ATLS_JSON_OBJECT ? read_members(r, path, v) : wrong(r, path, "an object", v);
}

static bool read_members(const reader *r, const char *prefix, const atls_json *object)
{
    for (const atls_json *v = object->child; v != NULL; v = v->next) {
        if (!read_member(r, prefix, v)) {
            return false;
        }
    }
    return true;
}

/* The value at a path of at most two names, NULL when it is not there. */
static const atls_json *value_at(const atls_json *document, const char *path)
{
    char group[64];
    const size_t n = strcspn(path, ".");
    if (path[n] == '\0' || n >= sizeof group) {
        return atls_json_find(document, path);
    }
    memcpy(group, path, n);
    group[n] = '\0';
    const atls_json *inner = atls_json_find(document, group);
    return inner == NULL ? NULL : atls_json_find(inner, path + n + 1);
}

static bool fill_in(const reader *r, const atls_json *document)
{
    for (size_t i = 0; i < svc_n_members; i++) {
        const svc_member *m = &svc_members[i];
        const atls_json *v = NULL;
        if (m->fallback == NULL || value_at(document, m->path) != NULL) {
            continue;
        }
        if (m->fallback[0] == '\0') {
            return atls_fail(r->err, ATLS_E_CONFIGURATION, m->path, "the member is missing");
        }
        if (!atls_json_parse(atls_bytes_str(m->fallback), m->path, r->arena, &v, r->err) || !read_value(r, m, v)) {
            return false;
        }
    }
    return true;
}

static bool set_place(svc_config *c, const char *path, atls_arena *a, atls_error *err)
{
    const char *slash = strrchr(path, '/');
    const atls_bytes folder = slash == NULL   ? atls_bytes_str(".")
                              : slash == path ? atls_bytes_str("/")
                                              : atls_bytes_of(path, (size_t)(slash - path));
    c->path = atls_text_copy(atls_bytes_str(path), a, err);
    c->folder = atls_text_copy(folder, a, err);
    return c->path != NULL && c->folder != NULL;
}

bool svc_config_parse(atls_bytes json, const char *path, atls_arena *a, svc_config *out, atls_error *err)
{
    const reader r = {.config = out, .arena = a, .err = err};
    const atls_json *document = NULL;
    const atls_bytes none = atls_bytes_empty();
    *out = (svc_config){.android = none, .apple = none, .ca_profile = none, .text = none};
    if (!set_place(out, path, a, err) || !atls_arena_copy(a, json, &out->text, err)) {
        return false;
    }
    if (!atls_json_parse(out->text, path, a, &document, err)) {
        err->code = ATLS_E_CONFIGURATION;
        err->category = atls_code_category(ATLS_E_CONFIGURATION);
        return false;
    }
    if (document->type != ATLS_JSON_OBJECT) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "configuration", "it is no object");
    }
    return read_members(&r, "", document) && fill_in(&r, document) && svc_config_check(out, a, err);
}

bool svc_config_load(const char *path, atls_arena *a, svc_config *out, atls_error *err)
{
    atls_bytes text;
    return svc_read_file(path, "configuration", SVC_MAX_CONFIG_LEN, a, &text, err)
           && svc_config_parse(text, path, a, out, err);
}

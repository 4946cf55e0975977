/* SPDX-License-Identifier: Apache-2.0 */
/* doc.c: JSON documents that settings can edit: "tcb_info.tcbLevels.0.tcbStatus=\"Revoked\"".
 *
 * A document is written as text, read into a tree, edited, and printed compactly. The reader trusts its caller: it only
 * has to read what this library writes. What a setting gives is taken as it stands, JSON or not, because a test may
 * want it broken. Steps of a path, between dots: name    member of an object, added at the end when there is none +name
 * one more member of that name, at the end N       element of an array; N equal to the length appends           N+ a
 * new element before element N
 *   @text   the last element whose "event", "id" or "tcbStatus" is text  + appends an element */
#include "sim/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 24

/* ---- reading ---- */

typedef struct reader {
    sim_op *o;
    const uint8_t *at;
    const uint8_t *end;
    unsigned depth;
    bool bad;
} reader;

static void skip_space(reader *r)
{
    while (r->at < r->end && strchr(" \t\r\n", *r->at) != NULL && *r->at != '\0') {
        r->at++;
    }
}

static bool next_is(reader *r, char c)
{
    skip_space(r);
    if (r->at < r->end && *r->at == (uint8_t)c) {
        r->at++;
        return true;
    }
    return false;
}

/* string gives what stands between the quotes, escapes as they are. */
static atls_bytes string(reader *r)
{
    const uint8_t *start = ++r->at;
    while (r->at < r->end && *r->at != '"') {
        r->at += *r->at == '\\' ? 2 : 1;
    }
    if (r->at >= r->end) {
        r->bad = true;
        r->at = r->end;
        return atls_bytes_empty();
    }
    return atls_bytes_of(start, (size_t)(r->at++ - start));
}

static sim_node *new_node(sim_op *o)
{
    return atls_arena_alloc(o->a, sizeof(sim_node), &o->err);
}

static sim_node *value(reader *r);

static sim_node *member(reader *r, bool named)
{
    atls_bytes name = atls_bytes_empty();
    skip_space(r);
    if (named) {
        if (r->at >= r->end || *r->at != '"') {
            r->bad = true;
            return NULL;
        }
        name = string(r);
        r->bad = r->bad || !next_is(r, ':');
    }
    sim_node *n = value(r);
    if (n != NULL) {
        n->name = name;
    }
    return n;
}

static void container(reader *r, sim_node *n, char close)
{
    sim_node **tail = &n->child;
    r->at++;
    if (next_is(r, close)) {
        return;
    }
    do {
        *tail = member(r, close == '}');
        if (*tail == NULL || r->bad) {
            r->bad = true;
            return;
        }
        tail = &(*tail)->next;
    } while (next_is(r, ','));
    r->bad = r->bad || !next_is(r, close);
}

static sim_node *value(reader *r)
{
    skip_space(r);
    sim_node *n = new_node(r->o);
    if (n == NULL || r->at >= r->end || ++r->depth > MAX_DEPTH) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *start = r->at;
    if (*r->at == '{' || *r->at == '[') {
        n->type = *r->at == '{' ? SIM_OBJECT : SIM_ARRAY;
        container(r, n, *r->at == '{' ? '}' : ']');
    } else if (*r->at == '"') {
        (void)string(r);
    } else {
        while (r->at < r->end && strchr(",]} \t\r\n", *r->at) == NULL) {
            r->at++;
        }
    }
    n->text = atls_bytes_of(start, (size_t)(r->at - start));
    r->depth--;
    return n;
}

/* read_doc gives a tree, or one value with the whole text when that is no JSON. */
static sim_node *read_doc(sim_op *o, atls_bytes text)
{
    reader r = {.o = o, .at = text.ptr, .end = text.ptr + text.len};
    sim_node *n = value(&r);
    skip_space(&r);
    if (n != NULL && !r.bad && r.at == r.end) {
        return n;
    }
    n = new_node(o);
    if (n != NULL) {
        n->text = text;
    }
    return n;
}

/* ---- printing ---- */

static void print(const sim_node *n, atls_buf *b)
{
    if (n->type == SIM_VALUE) {
        atls_buf_put(b, n->text);
        return;
    }
    sim_put_u8(b, n->type == SIM_OBJECT ? '{' : '[');
    for (const sim_node *c = n->child; c != NULL; c = c->next) {
        if (c != n->child) {
            sim_put_u8(b, ',');
        }
        if (n->type == SIM_OBJECT) {
            sim_put_u8(b, '"');
            atls_buf_put(b, c->name);
            atls_buf_str(b, "\":");
        }
        print(c, b);
    }
    sim_put_u8(b, n->type == SIM_OBJECT ? '}' : ']');
}

void sim_doc_string(atls_buf *b, atls_bytes text)
{
    sim_put_u8(b, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c == '"' || c == '\\') {
            sim_put_u8(b, '\\');
            sim_put_u8(b, c);
        } else if (c == '\n') {
            atls_buf_str(b, "\\n");
        } else if (c < 0x20) {
            atls_buf_format(b, "\\u%04x", c);
        } else {
            sim_put_u8(b, c);
        }
    }
    sim_put_u8(b, '"');
}

void sim_doc_hex(atls_buf *b, atls_bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    sim_put_u8(b, '"');
    for (size_t i = 0; i < bytes.len; i++) {
        sim_put_u8(b, (unsigned char)digits[bytes.ptr[i] >> 4]);
        sim_put_u8(b, (unsigned char)digits[bytes.ptr[i] & 15]);
    }
    sim_put_u8(b, '"');
}

/* ---- editing ---- */

static sim_node **end_of(sim_node *n)
{
    sim_node **slot = &n->child;
    while (*slot != NULL) {
        slot = &(*slot)->next;
    }
    return slot;
}

static bool member_is(const sim_node *n, const char *name, const char *text)
{
    for (const sim_node *c = n->child; c != NULL; c = c->next) {
        if (atls_bytes_equal_str(c->name, name) && c->text.len == strlen(text) + 2 && c->text.ptr[0] == '"'
            && memcmp(c->text.ptr + 1, text, strlen(text)) == 0) {
            return true;
        }
    }
    return false;
}

static sim_node **by_label(sim_node *n, const char *text)
{
    sim_node **found = NULL;
    for (sim_node **slot = &n->child; *slot != NULL; slot = &(*slot)->next) {
        if (member_is(*slot, "event", text) || member_is(*slot, "id", text) || member_is(*slot, "tcbStatus", text)) {
            found = slot;
        }
    }
    return found;
}

/* insert puts an empty node where slot points. */
static sim_node **insert(sim_op *o, sim_node **slot, const char *name)
{
    sim_node *n = new_node(o);
    if (n == NULL) {
        return NULL;
    }
    n->name = atls_bytes_str(name);
    n->text = atls_bytes_str("null");
    n->next = *slot;
    *slot = n;
    return slot;
}

static sim_node **in_array(sim_op *o, sim_node *n, const char *step)
{
    if (step[0] == '@') {
        return by_label(n, step + 1);
    }
    if (strcmp(step, "+") == 0) {
        return insert(o, end_of(n), "");
    }
    char *rest = NULL;
    unsigned long index = strtoul(step, &rest, 10);
    sim_node **slot = &n->child;
    for (unsigned long i = 0; i < index && *slot != NULL; i++) {
        slot = &(*slot)->next;
    }
    if (rest == step || (rest[0] != '\0' && strcmp(rest, "+") != 0)) {
        return NULL;
    }
    return rest[0] == '+' || *slot == NULL ? insert(o, slot, "") : slot;
}

static sim_node **in_object(sim_op *o, sim_node *n, const char *step, bool remove)
{
    const char *name = step[0] == '+' ? step + 1 : step;
    for (sim_node **slot = &n->child; *slot != NULL && step[0] != '+'; slot = &(*slot)->next) {
        if (atls_bytes_equal_str((*slot)->name, name)) {
            return slot;
        }
    }
    char *copy = atls_arena_alloc(o->a, strlen(name) + 1, &o->err);
    if (remove || copy == NULL) {
        return NULL;
    }
    memcpy(copy, name, strlen(name) + 1);
    return insert(o, end_of(n), copy);
}

/* find walks the steps of path from *root; NULL when there is no such place. */
static sim_node **find(sim_op *o, sim_node **root, const char *path, bool remove)
{
    char step[96];
    sim_node **slot = root;
    while (*path != '\0' && slot != NULL) {
        size_t len = strcspn(path, ".");
        (void)snprintf(step, sizeof step, "%.*s", (int)len, path);
        path += path[len] == '.' ? len + 1 : len;
        sim_node *n = *slot;
        if (n->type == SIM_VALUE) {
            return NULL;
        }
        slot = n->type == SIM_ARRAY ? in_array(o, n, step) : in_object(o, n, step, remove);
    }
    return slot;
}

static void edit(sim_op *o, sim_node **root, const sim_setting *setting, const char *path, bool remove)
{
    sim_node **slot = find(o, root, path, remove);
    if (slot == NULL) {
        sim_bad(o, setting->path, "the document has no such place");
        return;
    }
    if (remove) {
        *slot = (*slot)->next;
        return;
    }
    sim_node *n = read_doc(o, atls_bytes_str(setting->value));
    if (n != NULL) {
        n->name = (*slot)->name;
        n->next = (*slot)->next;
        *slot = n;
    }
}

/* Words that stand where a member's name would, and that the makers of signed documents read themselves. */
static bool reserved(const char *path)
{
    return strcmp(path, "sig") == 0 || strcmp(path, "form") == 0 || strcmp(path, "signed_by") == 0;
}

atls_bytes sim_doc(sim_op *o, const char *prefix, atls_bytes text)
{
    sim_node *root = read_doc(o, text);
    size_t len = strlen(prefix);
    for (size_t i = 0; i < o->s->n_settings && root != NULL; i++) {
        sim_setting *setting = &o->s->settings[i];
        bool remove = setting->path[0] == '-';
        const char *path = setting->path + (remove ? 1 : 0);
        if (strncmp(path, prefix, len) != 0 || path[len] != '.' || reserved(path + len + 1)) {
            continue;
        }
        setting->used = true;
        edit(o, &root, setting, path + len + 1, remove);
    }
    atls_buf b = sim_buf(o);
    if (root != NULL) {
        print(root, &b);
    }
    return sim_done(&b);
}

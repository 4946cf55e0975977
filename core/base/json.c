/* SPDX-License-Identifier: Apache-2.0 */
/* json.c: one pass over the text, a node for every value. Recursion is bounded by ATLS_MAX_JSON_DEPTH; every search is
 * bounded by the order of n log n, so that a hostile text costs about what an honest one of its length costs. */
#include "json.h"

#include <stdio.h>
#include <string.h>

#include "limits.h"

typedef struct parser {
    atls_bytes text;
    size_t pos;
    unsigned depth;
    unsigned n_nodes;
    unsigned max_members;
    const char *field;
    atls_arena *arena;
    atls_error *err;
} parser;

static bool fail_at(const parser *p, atls_code code, size_t pos, const char *what)
{
    (void)atls_fail(p->err, code, p->field, "JSON: %s at byte %zu", what, pos);
    return false; /* spelt out, so that compilers see which values are set where */
}

static bool fail_limit(const parser *p, const char *what, unsigned limit)
{
    char expected[32];
    snprintf(expected, sizeof expected, "at most %u", limit);
    (void)atls_fail_values(p->err, ATLS_E_LIMIT, p->field, expected, NULL, "JSON: too many %s at byte %zu", what,
                           p->pos);
    return false;
}

/* The next byte; -1 at the end. */
static int peek(const parser *p)
{
    return p->pos < p->text.len ? p->text.ptr[p->pos] : -1;
}

static void skip_space(parser *p)
{
    while (p->pos < p->text.len) {
        uint8_t c = p->text.ptr[p->pos];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
            return;
        }
        p->pos++;
    }
}

/* The input from a position up to where the parser stands. */
static atls_bytes slice(const parser *p, size_t start)
{
    return atls_bytes_of(p->text.ptr + start, p->pos - start);
}

/* ---- strings ---- */

static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

#define EACH_BYTE 0x0101010101010101u

/* Eight bytes as a number, the first one lowest. */
static uint64_t eight_at(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32
           | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

/* How many of eight bytes, from the lowest on, need no closer look: none of them is below 0x20, a quote, a backslash or above
 * 0x7f. A subtraction borrows only from above a byte that is special itself, so that the lowest mark is always right. */
static size_t n_plain(uint64_t eight)
{
    const uint64_t quotes = eight ^ (EACH_BYTE * '"');
    const uint64_t backslashes = eight ^ (EACH_BYTE * '\\');
    const uint64_t special = (eight - EACH_BYTE * 0x20) | (quotes - EACH_BYTE) | (backslashes - EACH_BYTE) | eight;
    const uint64_t marks = special & (EACH_BYTE * 0x80);
    const uint64_t below = (marks & (~marks + 1)) - 1; /* has bit 0 of each byte up to and with the special one */
    return marks == 0 ? 8 : (size_t)((below & EACH_BYTE) * EACH_BYTE >> 56) - 1;
}

static void skip_plain(parser *p)
{
    size_t pos = p->pos;
    size_t n = 8;
    while (n == 8 && p->text.len - pos >= 8) {
        n = n_plain(eight_at(p->text.ptr + pos));
        pos += n;
    }
    while (n == 8 && pos < p->text.len && is_plain(p->text.ptr[pos])) {
        pos++;
    }
    p->pos = pos;
}

/* Four hex digits at pos; -1 when they are none. */
static int32_t unicode_at(atls_bytes text, size_t pos)
{
    uint8_t two[2];
    if (text.len - pos < 4 || !atls_hex_fixed(atls_bytes_of(text.ptr + pos, 4), two, 2)) {
        return -1;
    }
    return two[0] << 8 | two[1];
}

/* \u and what follows; with a high surrogate, the low one that must come next. */
static bool check_unicode_escape(parser *p)
{
    size_t start = p->pos;
    int32_t unit = unicode_at(p->text, start + 2);
    if (unit < 0) {
        return fail_at(p, ATLS_E_ENCODING, start, "\\u without four hex digits");
    }
    p->pos += 6;
    if (unit < 0xd800 || unit > 0xdfff) {
        return true;
    }
    bool pair =
        unit < 0xdc00 && p->text.len - p->pos >= 2 && p->text.ptr[p->pos] == '\\' && p->text.ptr[p->pos + 1] == 'u';
    int32_t low = pair ? unicode_at(p->text, p->pos + 2) : -1;
    if (low < 0xdc00 || low > 0xdfff) {
        return fail_at(p, ATLS_E_ENCODING, start, "a lone surrogate");
    }
    p->pos += 6;
    return true;
}

static bool check_escape(parser *p)
{
    if (p->text.len - p->pos < 2) {
        return fail_at(p, ATLS_E_ENCODING, p->text.len, "the text ends inside a string");
    }
    switch (p->text.ptr[p->pos + 1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        p->pos += 2;
        return true;
    case 'u':
        return check_unicode_escape(p);
    default:
        return fail_at(p, ATLS_E_ENCODING, p->pos, "an unknown escape");
    }
}

/* Checks a string up to and with its closing quote. content is what stands between the quotes. */
static bool check_string(parser *p, atls_bytes *content, bool *escaped)
{
    size_t start = ++p->pos;
    *escaped = false;
    for (;;) {
        skip_plain(p);
        int c = peek(p);
        if (c == '"') {
            *content = slice(p, start);
            p->pos++;
            return true;
        }
        if (c < 0) {
            return fail_at(p, ATLS_E_ENCODING, p->pos, "the text ends inside a string");
        }
        if (c < 0x20) {
            return fail_at(p, ATLS_E_ENCODING, p->pos, "a control character in a string");
        }
        if (c == '\\') {
            *escaped = true;
            if (!check_escape(p)) {
                return false;
            }
            continue;
        }
        size_t n = atls_utf8_char(p->text, p->pos);
        if (n == 0) {
            return fail_at(p, ATLS_E_ENCODING, p->pos, "invalid UTF-8");
        }
        p->pos += n;
    }
}

static size_t put_utf8(uint8_t *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xc0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xe0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (c & 0x3f));
    return 4;
}

static uint8_t simple_escape(uint8_t letter)
{
    switch (letter) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return letter; /* quote, backslash, slash */
    }
}

/* One escape at i, whose form is known to be right; gives its length in the input. */
static size_t decode_escape(atls_bytes content, size_t i, uint8_t *text, size_t *len)
{
    uint8_t letter = content.ptr[i + 1];
    if (letter != 'u') {
        text[(*len)++] = simple_escape(letter);
        return 2;
    }
    uint32_t unit = (uint32_t)unicode_at(content, i + 2);
    if (unit < 0xd800 || unit > 0xdfff) {
        *len += put_utf8(text + *len, unit);
        return 6;
    }
    unit = 0x10000 + ((unit & 0x3ff) << 10) + ((uint32_t)unicode_at(content, i + 8) & 0x3ff);
    *len += put_utf8(text + *len, unit);
    return 12;
}

/* Decodes what check_string has checked. No escape is shorter than what it stands for, so content.len bytes suffice. */
static bool decode_string(parser *p, atls_bytes content, atls_bytes *out)
{
    uint8_t *text = atls_arena_raw(p->arena, content.len, p->err);
    if (text == NULL) {
        return false;
    }
    size_t len = 0;
    for (size_t i = 0; i < content.len;) {
        /* what stands between two escapes goes over in one piece: documents inside strings are mostly that */
        const uint8_t *escape = memchr(content.ptr + i, '\\', content.len - i);
        size_t plain = (escape == NULL ? content.len : (size_t)(escape - content.ptr)) - i;
        memcpy(text + len, content.ptr + i, plain);
        len += plain;
        i += plain;
        if (i < content.len) {
            i += decode_escape(content, i, text, &len);
        }
    }
    *out = atls_bytes_of(text, len);
    return true;
}

static bool parse_string(parser *p, atls_bytes *out)
{
    bool escaped;
    return check_string(p, out, &escaped) && (!escaped || decode_string(p, *out, out));
}

/* ---- numbers and words ---- */

static size_t skip_digits(parser *p)
{
    size_t start = p->pos;
    while (p->pos < p->text.len && p->text.ptr[p->pos] >= '0' && p->text.ptr[p->pos] <= '9') {
        p->pos++;
    }
    return p->pos - start;
}

/* RFC 8259 section 6 */
static bool parse_number(parser *p)
{
    if (peek(p) == '-') {
        p->pos++;
    }
    bool zero = peek(p) == '0';
    size_t n = skip_digits(p);
    if (n == 0) {
        return fail_at(p, ATLS_E_ENCODING, p->pos, "a digit is missing");
    }
    if (zero && n > 1) {
        return fail_at(p, ATLS_E_ENCODING, p->pos - n, "a leading zero");
    }
    if (peek(p) == '.') {
        p->pos++;
        if (skip_digits(p) == 0) {
            return fail_at(p, ATLS_E_ENCODING, p->pos, "a digit is missing");
        }
    }
    if (peek(p) == 'e' || peek(p) == 'E') {
        p->pos++;
        if (peek(p) == '+' || peek(p) == '-') {
            p->pos++;
        }
        if (skip_digits(p) == 0) {
            return fail_at(p, ATLS_E_ENCODING, p->pos, "a digit is missing");
        }
    }
    return true;
}

static bool parse_word(parser *p, const char *word)
{
    size_t len = strlen(word);
    if (p->text.len - p->pos < len || memcmp(p->text.ptr + p->pos, word, len) != 0) {
        return fail_at(p, ATLS_E_ENCODING, p->pos, "a value is expected");
    }
    p->pos += len;
    return true;
}

/* ---- duplicate names ---- */

/* FNV-1a: it only has to tell most names apart. The order below holds for those that were made to collide. */
static uint32_t hash_name(atls_bytes name)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < name.len; i++) {
        hash = (hash ^ name.ptr[i]) * 16777619u;
    }
    return hash;
}

static int order_of_names(const atls_json *a, const atls_json *b)
{
    if (a->name_hash != b->name_hash) {
        return a->name_hash < b->name_hash ? -1 : 1;
    }
    if (a->name.len != b->name.len) {
        return a->name.len < b->name.len ? -1 : 1;
    }
    return a->name.len == 0 ? 0 : memcmp(a->name.ptr, b->name.ptr, a->name.len);
}

/* A few members: each against those before it. Gives the first that repeats a name. */
static const atls_json *repeated_of_few(const atls_json *object)
{
    for (const atls_json *m = object->child; m != NULL; m = m->next) {
        for (const atls_json *earlier = object->child; earlier != m; earlier = earlier->next) {
            if (order_of_names(earlier, m) == 0) {
                return m;
            }
        }
    }
    return NULL;
}

/* One pass of a merge sort from the bottom up: runs of `width` in from become runs of twice that in to. */
static void merge_runs(const atls_json **from, const atls_json **to, size_t n, size_t width)
{
    for (size_t start = 0; start < n; start += 2 * width) {
        size_t middle = start + width < n ? start + width : n;
        size_t end = middle + width < n ? middle + width : n;
        size_t left = start;
        size_t right = middle;
        for (size_t i = start; i < end; i++) {
            bool take_left = left < middle && (right == end || order_of_names(from[left], from[right]) <= 0);
            to[i] = take_left ? from[left++] : from[right++];
        }
    }
}

/* Many members: sorted, because no choice of names makes that slow, whereas any hash without a secret can be flooded.
 * The sort is stable, so of two equal neighbours the second is the repetition. `room` is for twice as many. */
static const atls_json *repeated_of_many(const atls_json *object, const atls_json **room)
{
    const atls_json **from = room;
    const atls_json **to = room + object->n;
    size_t n = 0;
    for (const atls_json *m = object->child; m != NULL && n < object->n; m = m->next) {
        from[n++] = m;
    }
    for (size_t width = 1; width < n; width *= 2) {
        merge_runs(from, to, n, width);
        const atls_json **sorted = to;
        to = from;
        from = sorted;
    }
    for (size_t i = 1; i < n; i++) {
        if (order_of_names(from[i - 1], from[i]) == 0) {
            return from[i];
        }
    }
    return NULL;
}

static const atls_json *repeated_of_some(const atls_json *object)
{
    const atls_json *room[2 * ATLS_MAX_JSON_MEMBERS];
    return repeated_of_many(object, room);
}

/* *out is NULL when no name is repeated. */
static bool find_repeated(const parser *p, const atls_json *object, const atls_json **out)
{
    if (object->n <= ATLS_MAX_JSON_MEMBERS) {
        *out = object->n <= 8 ? repeated_of_few(object) : repeated_of_some(object);
        return true;
    }
    const atls_json **room = atls_arena_array(p->arena, 2 * (size_t)object->n, sizeof(const atls_json *), p->err);
    *out = room == NULL ? NULL : repeated_of_many(object, room);
    return room != NULL;
}

static bool check_names(const parser *p, const atls_json *object)
{
    const atls_json *repeated = NULL;
    if (!find_repeated(p, object, &repeated)) {
        return false;
    }
    if (repeated == NULL) {
        return true;
    }
    return fail_at(p, ATLS_E_ENCODING, (size_t)(repeated->raw.ptr - p->text.ptr),
                   "a name that the object has already, for the value");
}

/* ---- values ---- */

static bool parse_value(parser *p, atls_json *node);

static atls_json *new_node(parser *p)
{
    if (p->n_nodes == ATLS_MAX_JSON_NODES) {
        (void)fail_limit(p, "values", ATLS_MAX_JSON_NODES);
        return NULL;
    }
    p->n_nodes++;
    atls_json *node = atls_arena_alloc(p->arena, sizeof *node, p->err);
    if (node != NULL) {
        node->raw = node->text = node->name = atls_bytes_empty();
    }
    return node;
}

/* "name" : */
static bool parse_name(parser *p, atls_json *member)
{
    if (peek(p) != '"') {
        return fail_at(p, ATLS_E_ENCODING, p->pos, "a name in quotes is expected");
    }
    if (!parse_string(p, &member->name)) {
        return false;
    }
    member->name_hash = hash_name(member->name);
    skip_space(p);
    if (peek(p) != ':') {
        return fail_at(p, ATLS_E_ENCODING, p->pos, "a colon is expected");
    }
    p->pos++;
    skip_space(p);
    return true;
}

/* What arrays and objects share: brackets, commas, counting and the chain of children. */
static bool parse_children(parser *p, atls_json *parent, int close)
{
    p->pos++;
    skip_space(p);
    if (peek(p) == close) {
        p->pos++;
        return true;
    }
    const atls_json **link = &parent->child;
    for (;;) {
        if (parent->type == ATLS_JSON_OBJECT && parent->n == p->max_members) {
            return fail_limit(p, "members", p->max_members);
        }
        atls_json *child = new_node(p);
        if (child == NULL || (parent->type == ATLS_JSON_OBJECT && !parse_name(p, child)) || !parse_value(p, child)) {
            return false;
        }
        *link = child;
        link = &child->next;
        parent->n++;
        skip_space(p);
        int c = peek(p);
        if (c != ',' && c != close) {
            return fail_at(p, ATLS_E_ENCODING, p->pos, "a comma or a closing bracket is expected");
        }
        p->pos++;
        if (c == close) {
            return true;
        }
        skip_space(p);
    }
}

static bool parse_container(parser *p, atls_json *node, atls_json_type type, int close)
{
    node->type = type;
    if (p->depth == ATLS_MAX_JSON_DEPTH) {
        return fail_limit(p, "levels", ATLS_MAX_JSON_DEPTH);
    }
    p->depth++;
    bool ok = parse_children(p, node, close);
    p->depth--;
    return ok && (type != ATLS_JSON_OBJECT || check_names(p, node));
}

static bool parse_by_type(parser *p, atls_json *node)
{
    switch (peek(p)) {
    case '{':
        return parse_container(p, node, ATLS_JSON_OBJECT, '}');
    case '[':
        return parse_container(p, node, ATLS_JSON_ARRAY, ']');
    case '"':
        node->type = ATLS_JSON_STRING;
        return parse_string(p, &node->text);
    case 't':
        node->type = ATLS_JSON_TRUE;
        return parse_word(p, "true");
    case 'f':
        node->type = ATLS_JSON_FALSE;
        return parse_word(p, "false");
    case 'n':
        node->type = ATLS_JSON_NULL;
        return parse_word(p, "null");
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        node->type = ATLS_JSON_NUMBER;
        return parse_number(p);
    default:
        return fail_at(p, ATLS_E_ENCODING, p->pos, "a value is expected");
    }
}

static bool parse_value(parser *p, atls_json *node)
{
    size_t start = p->pos;
    if (!parse_by_type(p, node)) {
        return false;
    }
    node->raw = slice(p, start);
    if (node->type == ATLS_JSON_NUMBER) {
        node->text = node->raw;
    }
    return true;
}

static bool parse(parser p, const atls_json **out)
{
    *out = NULL;
    skip_space(&p);
    atls_json *root = new_node(&p);
    if (root == NULL || !parse_value(&p, root)) {
        return false;
    }
    skip_space(&p);
    if (p.pos != p.text.len) {
        return fail_at(&p, ATLS_E_ENCODING, p.pos, "something after the end");
    }
    *out = root;
    return true;
}

bool atls_json_parse(atls_bytes text, const char *field, atls_arena *a, const atls_json **out, atls_error *err)
{
    const parser p = {.text = text, .field = field, .arena = a, .max_members = ATLS_MAX_JSON_MEMBERS, .err = err};
    return parse(p, out);
}

bool atls_json_parse_wide(atls_bytes text, const char *field, atls_arena *a, const atls_json **out, atls_error *err)
{
    const parser p = {.text = text, .field = field, .arena = a, .max_members = ATLS_MAX_JSON_NODES, .err = err};
    return parse(p, out);
}

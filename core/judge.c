/* SPDX-License-Identifier: Apache-2.0 */
/* judge.c: how a comparison becomes a check, and a value becomes text. */
#include "judge.h"

#include <inttypes.h>

/* ---- checks ---- */

void atls_judge_compare(atls_judge *j, bool ok, const char *id, atls_code code, const char *field, const char *expected,
                        const char *actual, const char *why)
{
    if (!atls_trace_compare(j->trace, ok, id, code, field, expected, actual, why, j->err)) {
        j->ok = false;
    }
}

void atls_judge_skip(atls_judge *j, const char *id, const char *field, const char *why)
{
    if (!atls_trace_skip(j->trace, id, field, why, j->err)) {
        j->ok = false;
    }
}

void atls_judge_na(atls_judge *j, const char *id, const char *field, const char *why)
{
    if (!atls_trace_na(j->trace, id, field, why, j->err)) {
        j->ok = false;
    }
}

void atls_judge_reference(atls_judge *j, const char *name, const char *id, atls_code code, const char *field,
                          const uint8_t *value, size_t width)
{
    const atls_reference *r = atls_policy_reference(j->policy, name);
    if (r == NULL) {
        return;
    }
    j->n_references++;
    const char *expected = atls_judge_values(j, r->values, r->n, r->width);
    if (value == NULL || r->width != width) {
        atls_judge_compare(j, false, id, code, field, expected, "absent", "the evidence has no such claim");
        return;
    }
    atls_judge_compare(j, atls_reference_matches(r, value), id, code, field, expected, atls_judge_hex(j, value, width),
                       NULL);
}

/* ---- text ---- */

const char *atls_judge_text(atls_judge *j, const char *text)
{
    if (text == NULL) {
        j->ok = false;
        return "";
    }
    return text;
}

const char *atls_judge_written(atls_judge *j, atls_buf *b)
{
    atls_bytes text;
    atls_buf_put(b, atls_bytes_of("", 1));
    return atls_judge_text(j, atls_buf_done(b, &text) ? (const char *)text.ptr : NULL);
}

const char *atls_judge_hex(atls_judge *j, const uint8_t *bytes, size_t n)
{
    return atls_judge_text(j, atls_hex_text(atls_bytes_of(bytes, n), j->arena, j->err));
}

const char *atls_judge_decimal(atls_judge *j, const char *prefix, uint64_t value)
{
    return atls_judge_text(j, atls_text_format(j->arena, j->err, "%s%" PRIu64, prefix, value));
}

const char *atls_judge_date(atls_judge *j, const char *prefix, atls_time t)
{
    char text[ATLS_TIME_TEXT_SIZE];
    atls_time_format(t, text);
    return atls_judge_text(j, atls_text_format(j->arena, j->err, "%s%s", prefix, text));
}

static void put_more(atls_buf *b, size_t n)
{
    if (n > ATLS_MAX_SHOWN_REFERENCES) {
        atls_buf_format(b, " and %zu more", n - ATLS_MAX_SHOWN_REFERENCES);
    }
}

const char *atls_judge_values(atls_judge *j, const uint8_t *values, size_t n, size_t width)
{
    atls_buf b;
    atls_buf_init(&b, j->arena, j->err);
    for (size_t i = 0; i < n && i < ATLS_MAX_SHOWN_REFERENCES; i++) {
        atls_buf_str(&b, i == 0 ? "" : ", ");
        atls_buf_str(&b, atls_judge_hex(j, values + i * width, width));
    }
    put_more(&b, n);
    return atls_judge_written(j, &b);
}

const char *atls_judge_texts(atls_judge *j, const atls_bytes *items, size_t n)
{
    atls_buf b;
    atls_buf_init(&b, j->arena, j->err);
    for (size_t i = 0; i < n && i < ATLS_MAX_SHOWN_REFERENCES; i++) {
        atls_buf_str(&b, i == 0 ? "" : ", ");
        atls_buf_put(&b, items[i]);
    }
    put_more(&b, n);
    return atls_judge_written(j, &b);
}

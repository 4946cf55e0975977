/* SPDX-License-Identifier: Apache-2.0 */
/* bytes.h: a pointer that never travels without its length.
 *
 * An atls_bytes borrows: whoever made it says how long it lives. An empty one still points somewhere
 * (atls_bytes_empty), because null plus zero is undefined in C17. */
#ifndef ATLS_BYTES_H
#define ATLS_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) || defined(__clang__)
#define ATLS_MUST_USE          __attribute__((warn_unused_result))
#define ATLS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define ATLS_MUST_USE
#define ATLS_PRINTF(fmt, args)
#endif

typedef struct atls_bytes {
    const uint8_t *ptr; /* never null in a value made by atls */
    size_t len;         /* bytes */
} atls_bytes;

/* atls_bytes_empty returns a value of length 0 that points at a static byte. */
atls_bytes atls_bytes_empty(void);

/* atls_bytes_of borrows len bytes at ptr; ptr may be NULL when len is 0. */
atls_bytes atls_bytes_of(const void *ptr, size_t len);

/* atls_bytes_str borrows a NUL-terminated string without its NUL; NULL gives the empty value. */
atls_bytes atls_bytes_str(const char *text);

/* atls_bytes_equal tells whether a and b have the same length and content. The time it takes depends
 * on the lengths only, never on the content, so that nobody has to decide whether this one is secret. */
ATLS_MUST_USE bool atls_bytes_equal(atls_bytes a, atls_bytes b);

/* atls_bytes_equal_str compares with a NUL-terminated string, without its NUL. */
ATLS_MUST_USE bool atls_bytes_equal_str(atls_bytes a, const char *text);

/* atls_bytes_is_zero tells whether every byte is zero (also true of the empty value). Constant time in content. */
ATLS_MUST_USE bool atls_bytes_is_zero(atls_bytes a);

/* atls_wipe overwrites len bytes at ptr with zeros in a way that the compiler may not remove. */
void atls_wipe(void *ptr, size_t len);

#ifdef __cplusplus
}
#endif
#endif

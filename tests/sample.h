/* SPDX-License-Identifier: Apache-2.0 */
/* sample.h: how much of a long table the ordinary run takes. Under a sanitizer each case costs three times as much, and memory is
 * what is looked at there: a thinner sample of the same table does. ./run exhaustive takes all of it.
 *
 * Steps over bits are odd, so that each of the eight of a byte has its turn. */
#ifndef ATLS_TESTS_SAMPLE_H
#define ATLS_TESTS_SAMPLE_H

#ifdef __SANITIZE_ADDRESS__
#define SAMPLE(ordinary, sanitized) (sanitized)
#else
#define SAMPLE(ordinary, sanitized) (ordinary)
#endif

#endif

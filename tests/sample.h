/* SPDX-License-Identifier: Apache-2.0 */
/* sample.h: how much of a long table the ordinary run takes. Under a sanitizer each case costs three times as much, and memory is
 * what is looked at there: a thinner sample of the same table does. ./run exhaustive takes all of it. */
#ifndef ATLS_TESTS_SAMPLE_H
#define ATLS_TESTS_SAMPLE_H

#ifdef __SANITIZE_ADDRESS__
#define SAMPLE_THINNER 5u
#else
#define SAMPLE_THINNER 2u
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* pair_dummy.h: the variant that proves nothing, in the tests and benchmarks only. Source: constellation, section 8, "Fake document". */
#ifndef ATLS_TESTS_EDGE_PAIR_DUMMY_H
#define ATLS_TESTS_EDGE_PAIR_DUMMY_H

#include "edge/tls/constellation.h"

/* dummy_variant has the OID 1.3.9900.1.1. */
const atls_variant *dummy_variant(void);

#endif

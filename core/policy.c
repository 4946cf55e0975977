/* SPDX-License-Identifier: Apache-2.0 */
/* policy.c (core): how a format looks a policy up. Documents become policies in verify/policy.c. */
#include "policy.h"

#include <string.h>

const atls_reference *atls_policy_reference(const atls_policy *p, const char *name)
{
    for (size_t i = 0; i < p->n_references; i++) {
        if (strcmp(p->references[i].name, name) == 0) {
            return &p->references[i];
        }
    }
    return NULL;
}

bool atls_reference_matches(const atls_reference *r, const uint8_t *value)
{
    for (size_t i = 0; i < r->n; i++) {
        if (atls_bytes_equal(atls_bytes_of(r->values + i * r->width, r->width), atls_bytes_of(value, r->width))) {
            return true;
        }
    }
    return false;
}

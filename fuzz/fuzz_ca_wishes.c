/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_ca_wishes.c: ca_wishes_read. The input is a subject, or the values of an attribute extensionRequest. Whatever is taken over
 * is in the input, within its bounds, and of the profile's list. */
#include <string.h>

#include "edge/service/ca_internal.h"
#include "fuzz.h"

static const uint8_t request[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};
static const uint8_t listed[] = {0x2a, 0x03, 0x04};

static bool is_inside(atls_bytes part, const uint8_t *data, size_t size)
{
    return part.len == 0 || (part.ptr >= data && part.len <= size && (size_t)(part.ptr - data) <= size - part.len);
}

static void check(const ca_profile *p, const ca_wishes *w, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < p->n_subject_from_csr; i++) {
        FUZZ_ASSERT(is_inside(w->names[i], data, size));
        FUZZ_ASSERT(w->names[i].len == 0
                    || ca_text_fits(w->names[i], p->subject_from_csr[i]->tag, p->subject_from_csr[i]->max));
    }
    for (size_t i = 0; i < w->n_san; i++) {
        FUZZ_ASSERT(is_inside(w->san_value[i], data, size) && w->san[i].san == CA_SAN_DNS);
        FUZZ_ASSERT(ca_is_host(w->san_value[i]) && w->san_value[i].len > 10);
    }
    FUZZ_ASSERT(is_inside(w->extensions[0], data, size) && w->extensions[0].len <= CA_MAX_WISH_LEN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t no_name[] = {0x30, 0x00};
    ca_profile p = {.n_subject_from_csr = 2, .n_san_from_csr = 1, .n_extensions_from_csr = 1};
    ca_wishes w;
    atls_enrol_csr csr = {.subject = atls_bytes_of(data, size)};
    p.subject_from_csr[0] = ca_name_type_find(atls_bytes_str("O"));
    p.subject_from_csr[1] = ca_name_type_find(atls_bytes_str("CN"));
    p.san_from_csr[0] = (ca_entry){.san = CA_SAN_DNS, .text = ".a.example"};
    p.extensions_from_csr[0] = atls_bytes_of(listed, sizeof listed);
    ca_wishes_read(&p, &csr, &w);
    check(&p, &w, data, size);
    csr.subject = atls_bytes_of(no_name, sizeof no_name);
    csr.attributes[csr.n_attributes++] =
        (atls_enrol_attribute){.oid = atls_bytes_of(request, sizeof request), .values = atls_bytes_of(data, size)};
    ca_wishes_read(&p, &csr, &w);
    check(&p, &w, data, size);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal seeds[] = {
        FUZZ_TEXT("\x30\x21\x31\x0c\x30\x0a\x06\x03\x55\x04\x0a\x0c\x03"
                  "abc\x31\x11\x30\x0f\x06\x03\x55\x04\x05\x13\x08"
                  "01234567"),
        FUZZ_TEXT("\x30\x28\x30\x19\x06\x03\x55\x1d\x11\x04\x12\x30\x10\x82\x0e"
                  "abcd.a.example\x30\x0b\x06\x03\x2a\x03\x04\x04\x04\x04\x02xy"),
        FUZZ_TEXT("\x30\x0e\x30\x0c\x06\x02\x2a\x03\x01\x01\xff\x04\x03\x02\x01\x00"),
    };
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* oid.c: OIDs in figures, and the names of those that carry attestation, so that a refusal can say what the peer has. */
#include <stdio.h>
#include <string.h>

#include "certificate.h"

/* One arc from the front of *oid; false at its end, and for one that is longer than 63 bits. */
static bool next_arc(atls_bytes *oid, uint64_t *out)
{
    uint64_t arc = 0;
    for (size_t i = 0; i < oid->len; i++) {
        if (arc > UINT64_MAX >> 8) {
            return false;
        }
        arc = arc << 7 | (oid->ptr[i] & 0x7fu);
        if ((oid->ptr[i] & 0x80u) == 0) {
            oid->ptr += i + 1;
            oid->len -= i + 1;
            *out = arc;
            return true;
        }
    }
    return false;
}

void constellation_oid_text(atls_bytes oid, char out[CONSTELLATION_OID_TEXT_SIZE])
{
    uint64_t arc;
    out[0] = '\0';
    if (!next_arc(&oid, &arc)) {
        return;
    }
    uint64_t top = arc < 80 ? arc / 40 : 2; /* X.690 8.19.4 */
    int n = snprintf(out, CONSTELLATION_OID_TEXT_SIZE, "%llu.%llu", (unsigned long long)top,
                     (unsigned long long)(arc - 40 * top));
    while (oid.len > 0) {
        size_t used = n > 0 ? (size_t)n : 0;
        int more = next_arc(&oid, &arc)
                       ? snprintf(out + used, CONSTELLATION_OID_TEXT_SIZE - used, ".%llu", (unsigned long long)arc)
                       : CONSTELLATION_OID_TEXT_SIZE;
        n += more;
        if (n >= CONSTELLATION_OID_TEXT_SIZE) { /* a shortened OID would be another one */
            out[0] = '\0';
            return;
        }
    }
}

const char *constellation_oid_name(const char *oid, bool *is_document)
{
    static const struct {
        const char *oid;
        const char *name;
        bool is_document;
    } known[] = {
        {"1.3.9900.1.1", "dummy", true},
        {"1.3.9900.2.1", "aws-nitro-tpm", true},
        {"1.3.9900.2.2", "aws-sev-snp", true},
        {"1.3.9900.3.1", "gcp-sev-es", true},
        {"1.3.9900.3.2", "gcp-sev-snp", true},
        {"1.3.9900.4.1", "azure-sev-snp", true},
        {"1.3.9900.4.2", "azure-trustedlaunch", true},
        {"1.3.9900.4.3", "azure-tdx", true},
        {"1.3.9900.5.1", "qemu-vtpm", true},
        {"1.3.9900.5.99", "qemu-tdx", true},
        {"2.23.133.5.4.9", "TCG DICE tagged evidence", false},
        {"2.23.133.5.4.2", "TCG DICE endorsement manifest", false},
        {"1.2.840.113741.1337.6", "Intel RA-TLS quote", false},
        {"1.2.840.113556.10.1.1", "Open Enclave report", false},
        {"1.2.840.113556.10.1.2", "Open Enclave evidence", false},
        {"1.3.6.1.4.1.62397.1.1", "dstack TDX quote", false},
        {"1.3.6.1.4.1.62397.1.2", "dstack event log", false},
        {"1.3.6.1.4.1.62397.1.3", "dstack app id", false},
        {"1.3.6.1.4.1.62397.1.8", "dstack attestation", false},
        {"1.3.6.1.5.5.7.1.35", "IETF CMW", false},
        {"1.3.6.1.4.1.11129.2.1.17", "Android key attestation", false},
        {"1.2.840.113635.100.8.2", "Apple App Attest", false},
    };
    *is_document = false;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(oid, known[i].oid) == 0) {
            *is_document = known[i].is_document;
            return known[i].name;
        }
    }
    return NULL;
}

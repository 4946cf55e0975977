/* SPDX-License-Identifier: Apache-2.0 */
/* gce.c: Google's extension that says which instance a key belongs to (section 4):
 *
 *   SEQUENCE { zone UTF8String, projectNumber INTEGER, projectId UTF8String, instanceId INTEGER, instanceName UTF8String,
 *              [0] EXPLICIT SEQUENCE { [0] securityVersion INTEGER, [1] isProduction BOOLEAN, ... } OPTIONAL }
 *
 * The inner members are explicit and optional; those that this library does not know are passed over. */
#include "base/der.h"
#include "tpm.h"

#define FIELD "ak_cert.gce_instance"

/* 1.3.6.1.4.1.11129.2.1.21 */
static const uint8_t gce_oid[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x01, 0x15};

static bool read_properties(atls_cur *c, atls_tpm_gce *out)
{
    atls_cur tagged;
    atls_cur list;
    if (c->rest.len == 0) {
        return true;
    }
    if (!atls_der_nested(c, "properties", ATLS_DER_CONTEXT_CONS(0), &tagged)
        || !atls_der_nested(&tagged, "properties", ATLS_DER_SEQUENCE, &list) || !atls_cur_end(&tagged)) {
        return false;
    }
    while (list.rest.len > 0) {
        atls_cur member;
        if (!atls_der_peek(&list, ATLS_DER_CONTEXT_CONS(1))) {
            if (!atls_der_any(&list, "properties", NULL, NULL, NULL)) {
                return false;
            }
            continue;
        }
        /* said twice, the last one would count elsewhere */
        if (out->is_production || !atls_der_nested(&list, "is_production", ATLS_DER_CONTEXT_CONS(1), &member)
            || !atls_der_bool(&member, "is_production", &out->is_production) || !atls_cur_end(&member)) {
            return atls_cur_fail(&list, ATLS_E_ENCODING, "is_production", NULL, NULL, "said twice");
        }
    }
    return true;
}

static bool read_instance(atls_cur *c, atls_tpm_gce *out)
{
    return atls_der_expect(c, "zone", ATLS_DER_UTF8_STRING, &out->zone)
           && atls_der_uint(c, "project_number", ATLS_DER_INTEGER, UINT64_MAX, &out->project_number)
           && atls_der_expect(c, "project_id", ATLS_DER_UTF8_STRING, &out->project)
           && atls_der_uint(c, "instance_id", ATLS_DER_INTEGER, UINT64_MAX, &out->instance_id)
           && atls_der_expect(c, "instance_name", ATLS_DER_UTF8_STRING, &out->name) && read_properties(c, out)
           && atls_cur_end(c);
}

bool tpm_gce_read(const atls_cert *cert, atls_tpm_gce *out, atls_error *err)
{
    const atls_bytes empty = atls_bytes_empty();
    const atls_extension *e = atls_cert_extension(cert, atls_bytes_of(gce_oid, sizeof gce_oid));
    *out = (atls_tpm_gce){.zone = empty, .project = empty, .name = empty};
    if (e == NULL) {
        return true;
    }
    atls_cur c;
    atls_cur list;
    atls_cur_init(&c, e->value, FIELD, err);
    if (!atls_der_nested(&c, "", ATLS_DER_SEQUENCE, &list) || !atls_cur_end(&c) || !read_instance(&list, out)) {
        return atls_error_relabel(err, ATLS_E_CERTIFICATE_CHAIN, "");
    }
    out->present = true;
    return true;
}

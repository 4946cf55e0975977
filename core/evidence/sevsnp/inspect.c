/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.c: a decoded report and its certificate table as JSON members, nothing of it verified. Names are those of a
 * result where it has them. */
#include <stdio.h>

#include "base/text.h"
#include "json.h"

static const char *kind_name(sevsnp_table_kind kind)
{
    static const char *const names[] = {
        [SEVSNP_TABLE_OTHER] = "other", [SEVSNP_TABLE_VCEK] = "vcek", [SEVSNP_TABLE_VLEK] = "vlek",
        [SEVSNP_TABLE_ASK] = "ask",     [SEVSNP_TABLE_ARK] = "ark",   [SEVSNP_TABLE_CRL] = "crl",
    };
    return names[kind];
}

static void put_guid(atls_jw *w, atls_bytes guid)
{
    char hex[33];
    char text[40];
    atls_hex_encode(guid, hex);
    (void)snprintf(text, sizeof text, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
    atls_jw_str(w, "guid", text);
}

static void put_table(atls_jw *w, const sevsnp_table *t)
{
    atls_jw_open(w, "certificate_table", '[');
    for (size_t i = 0; i < t->n; i++) {
        atls_jw_open(w, NULL, '{');
        put_guid(w, t->entries[i].guid);
        atls_jw_str(w, "kind", kind_name(t->entries[i].kind));
        atls_jw_uint(w, "length", t->entries[i].data.len);
        atls_jw_close(w, '}');
    }
    atls_jw_close(w, ']');
}

static void put_certificates(atls_jw *w, const sevsnp_given *given, atls_arena *arena, atls_error *err)
{
    atls_jw_open(w, "certificates", '[');
    for (size_t i = 0; i < given->pool.n; i++) {
        const atls_cert *c = given->pool.certs[i];
        const char *subject = atls_name_text(c->subject, arena, err);
        atls_jw_open(w, NULL, '{');
        atls_jw_str(w, "subject", subject == NULL ? "" : subject);
        atls_jw_time(w, "not_before", c->not_before);
        atls_jw_time(w, "not_after", c->not_after);
        atls_jw_close(w, '}');
    }
    atls_jw_close(w, ']');
}

bool sevsnp_inspect(const void *evidence, struct atls_jw *w, atls_arena *arena, atls_error *err)
{
    const sevsnp_evidence *e = evidence;
    const atls_snp_report *b = &e->report.body;
    sevsnp_given given;
    atls_snp_product product =
        b->has_cpuid ? sevsnp_product_of_cpuid(b->cpuid_family, b->cpuid_model) : ATLS_SNP_UNKNOWN;
    if (!sevsnp_gather(e, NULL, arena, &given, err)) {
        return false;
    }
    sevsnp_put_report(w, b, product);
    atls_jw_str(w, "product", atls_snp_product_name(product));
    put_table(w, &e->table);
    put_certificates(w, &given, arena, err);
    if (w->buf->failed) {
        return atls_fail(err, ATLS_E_MEMORY, "inspect", NULL);
    }
    return true;
}

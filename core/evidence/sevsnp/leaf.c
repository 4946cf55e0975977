/* SPDX-License-Identifier: Apache-2.0 */
/* leaf.c: AMD's extensions of a VCEK or VLEK certificate (specification section 3; AMD 57230 chapter 3).
 *
 * All are under 1.3.6.1.4.1.3704.1, none is critical. The stepping in the product's name is not looked at: tables of
 * steppings have made valid certificates fail. */
#include <stdio.h>
#include <string.h>

#include "base/der.h"
#include "sevsnp.h"

#define AMD          0x2b, 0x06, 0x01, 0x04, 0x01, 0x9c, 0x78, 0x01 /* 1.3.6.1.4.1.3704.1 */
#define AMD_LEN      8u
#define ARC_VERSION  1
#define ARC_PRODUCT  2
#define ARC_SPL      3
#define ARC_HWID     4
#define ARC_CSP      5
#define HWID_LEN     64u
#define TURIN_HWID   8u
#define MAX_TEXT_LEN 128u
#define N_SPLS       9u

typedef struct reader {
    const atls_cert *cert;
    atls_snp_product product;
    const char *prefix; /* "vcek" or "vlek" */
    sevsnp_leaf *out;
    atls_error *err;
} reader;

static bool fail(const reader *r, const char *name, const char *expected, const char *actual, const char *message)
{
    char field[64];
    (void)snprintf(field, sizeof field, "%s.extensions.%s", r->prefix, name);
    return atls_fail_values(r->err, ATLS_E_CERTIFICATE_CHAIN, field, expected, actual, "%s", message);
}

/* What a reader of base/ complained about, under our name. */
static bool malformed(const reader *r, const char *name)
{
    return fail(r, name, NULL, NULL, "the extension is malformed");
}

static const atls_extension *find(const reader *r, uint8_t arc, uint8_t sub_arc)
{
    const uint8_t oid[AMD_LEN + 2] = {AMD, arc, sub_arc};
    return atls_cert_extension(r->cert, atls_bytes_of(oid, sub_arc == 0 ? AMD_LEN + 1 : AMD_LEN + 2));
}

/* ---- numbers ---- */

static bool read_number(const reader *r, const atls_extension *e, const char *name, uint8_t *out)
{
    atls_error ignored = {.code = ATLS_OK};
    atls_cur c;
    uint64_t value;
    atls_cur_init(&c, e->value, "", &ignored);
    if (!atls_der_uint(&c, "", ATLS_DER_INTEGER, UINT8_MAX, &value) || !atls_cur_end(&c)) {
        return malformed(r, name);
    }
    *out = (uint8_t)value;
    return true;
}

/* Security patch levels. Those without a name are reserved, stand in the reserved bytes of TCB_VERSION, and need not be
 * there. */
typedef struct spl {
    const char *name;
    int early; /* byte of TCB_VERSION up to Genoa; -1: must not be there */
    int late;  /* from Turin on */
    bool required;
} spl;

static const spl spls[N_SPLS + 1] = {
    [1] = {"bootloader_spl", 0, 1, true}, [2] = {"tee_spl", 1, 2, true},       [3] = {"snp_spl", 6, 3, true},
    [4] = {"spl_4", 2, -1, false},        [5] = {"spl_5", 3, 4, false},        [6] = {"spl_6", 4, 5, false},
    [7] = {"spl_7", 5, 6, false},         [8] = {"microcode_spl", 7, 7, true}, [9] = {"fmc_spl", -1, 0, true},
};

static bool read_spl(const reader *r, uint8_t arc)
{
    const spl *s = &spls[arc];
    const int byte = r->product == ATLS_SNP_TURIN ? s->late : s->early;
    const atls_extension *e = find(r, ARC_SPL, arc);
    uint8_t value = 0;
    if (e == NULL) {
        return byte < 0 || !s->required
               || fail(r, s->name, "a number", "missing", "a part of the TCB is not certified");
    }
    if (!read_number(r, e, s->name, &value)) {
        return false;
    }
    if (byte >= 0) {
        r->out->tcb[byte] = value;
        return true;
    }
    return value == 0 || fail(r, s->name, "none", "a number", "this product has no such part of the TCB");
}

static bool read_tcb(const reader *r)
{
    for (uint8_t arc = 1; arc <= N_SPLS; arc++) {
        if (!read_spl(r, arc)) {
            return false;
        }
    }
    return true;
}

/* ---- texts ---- */

static bool is_printable(atls_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 0x20 || text.ptr[i] > 0x7e) {
            return false;
        }
    }
    return text.len > 0 && text.len <= MAX_TEXT_LEN;
}

/* IA5String says AMD; another string type for the same characters says the same. */
static bool read_text(const reader *r, const atls_extension *e, const char *name, atls_bytes *out)
{
    atls_error ignored = {.code = ATLS_OK};
    atls_cur c;
    atls_der_tag tag;
    atls_cur_init(&c, e->value, "", &ignored);
    const bool ok = atls_der_any(&c, "", &tag, out, NULL) && atls_cur_end(&c)
                    && (tag == ATLS_DER_IA5_STRING || tag == ATLS_DER_UTF8_STRING || tag == ATLS_DER_PRINTABLE_STRING)
                    && is_printable(*out);
    return ok || malformed(r, name);
}

/* "Milan-B0" is of Milan. Names of other lines under this root (Bergamo, Siena) are AMD's to choose; the name of one with
 * a root of its own is a contradiction. */
static bool check_product_name(const reader *r)
{
    atls_bytes stem = r->out->product_name;
    for (size_t i = 0; i < stem.len; i++) {
        if (stem.ptr[i] == '-') {
            stem.len = i;
        }
    }
    const atls_snp_product named = sevsnp_product_of_name(stem);
    return named == ATLS_SNP_UNKNOWN || named == r->product
           || fail(r, "product_name", atls_snp_product_name(r->product), atls_snp_product_name(named),
                   "the certificate is of another product than its issuer");
}

/* ---- who ---- */

/* Raw bytes, or the same in an OCTET STRING: both exist, and their lengths tell them apart. */
static bool unwrap_hwid(const reader *r, atls_bytes value, atls_bytes *hwid)
{
    const size_t len = r->product == ATLS_SNP_TURIN ? TURIN_HWID : HWID_LEN;
    atls_error ignored = {.code = ATLS_OK};
    atls_cur c;
    *hwid = value;
    if (value.len == len || value.len == HWID_LEN) {
        return true;
    }
    atls_cur_init(&c, value, "", &ignored);
    return atls_der_expect(&c, "", ATLS_DER_OCTET_STRING, hwid) && atls_cur_end(&c)
           && (hwid->len == len || hwid->len == HWID_LEN);
}

static bool read_hwid(const reader *r)
{
    const atls_extension *e = find(r, ARC_HWID, 0);
    atls_bytes hwid;
    if (e == NULL) {
        return fail(r, "hwid", "a hardware id", "missing", "a VCEK belongs to one chip");
    }
    if (!unwrap_hwid(r, e->value, &hwid)) {
        return fail(r, "hwid", r->product == ATLS_SNP_TURIN ? "8 bytes" : "64 bytes", NULL,
                    "the hardware id does not have the length of this product's");
    }
    memcpy(r->out->hwid, hwid.ptr, hwid.len);
    return true;
}

/* A VCEK names its chip and no cloud, a VLEK its cloud and no chip. */
static bool read_owner(const reader *r)
{
    const atls_extension *csp = find(r, ARC_CSP, 0);
    if (!r->out->is_vlek) {
        return csp == NULL ? read_hwid(r) : fail(r, "csp_id", "none", "present", "a VCEK that names a cloud");
    }
    if (find(r, ARC_HWID, 0) != NULL) {
        return fail(r, "hwid", "none", "present", "a VLEK that names a chip");
    }
    if (csp == NULL) {
        return fail(r, "csp_id", "a name", "missing", "a VLEK belongs to one cloud");
    }
    return read_text(r, csp, "csp_id", &r->out->csp_id);
}

static bool read_kind(reader *r)
{
    atls_bytes cn;
    const bool has_name = atls_name_common_name(r->cert->subject, &cn);
    r->out->is_vlek = has_name && atls_bytes_equal_str(cn, "SEV-VLEK");
    r->prefix = r->out->is_vlek ? "vlek" : "vcek";
    return r->out->is_vlek || (has_name && atls_bytes_equal_str(cn, "SEV-VCEK"))
           || atls_fail(r->err, ATLS_E_CERTIFICATE_CHAIN, "leaf.subject",
                        "neither SEV-VCEK nor SEV-VLEK is its common name");
}

bool sevsnp_leaf_decode(const atls_cert *cert, atls_snp_product product, sevsnp_leaf *out, atls_error *err)
{
    reader r = {.cert = cert, .product = product, .out = out, .err = err};
    memset(out, 0, sizeof *out);
    out->product_name = out->csp_id = atls_bytes_empty();
    if (!read_kind(&r)) {
        return false;
    }
    const atls_extension *version = find(&r, ARC_VERSION, 0);
    const atls_extension *name = find(&r, ARC_PRODUCT, 0);
    if (version == NULL || name == NULL) {
        return fail(&r, version == NULL ? "struct_version" : "product_name", "an extension", "missing",
                    "the certificate does not have AMD's extensions");
    }
    return read_number(&r, version, "struct_version", &out->struct_version)
           && read_text(&r, name, "product_name", &out->product_name) && check_product_name(&r) && read_tcb(&r)
           && read_owner(&r);
}

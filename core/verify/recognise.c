/* SPDX-License-Identifier: Apache-2.0 */
/* recognise.c: the table of object identifiers, and a certificate held against it. */
#include "recognise.h"

#include <string.h>

#include "base/text.h"
#include "recognise_shapes.h"

/* What an extension is to us. */
typedef enum part {
    PLAIN,     /* has a name, and nothing to do with attestation in the session */
    COMPANION, /* goes with evidence */
    EVIDENCE,
} part;

typedef struct row {
    const char *oid; /* a final dot: whatever is below */
    const char *name;
    part part;
    atls_grade grade; /* of evidence, at best */
    const char *session_profile;
    atls_look_fn look;
    const char *note;
} row;

#define FRESH   "key_fresh only if the verifier's own nonce is in the document; never enough by default"
#define STALE   "bound to the public key at best, with no nonce of ours; never enough by default"
#define OLD     "made when the key was enrolled, not for this session; never enough by default"
#define CA_SAYS "a statement of the certificate's issuer, not of the hardware"
#define LAYER   "vouched for by the certificate's issuer (a DICE layer), with no nonce of ours; never enough by default"

#define CONSTELLATION(arc, variant, look)                                                                              \
    {                                                                                                                  \
        "1.3.9900." arc, "Constellation " variant, EVIDENCE, ATLS_GRADE_KEY_FRESH, "constellation", look, FRESH        \
    }
#define PLAIN_ROW(oid, name)                                                                                           \
    {                                                                                                                  \
        oid, name, PLAIN, ATLS_GRADE_NONE, NULL, NULL, ""                                                              \
    }

/* The first row that fits counts: exact ones stand before those that end with a dot. */
static const row rows[] = {
    {"1.3.9900.1.1", "Constellation dummy", EVIDENCE, ATLS_GRADE_NONE, NULL, atls_look_fake,
     "a fake document for tests: anybody can write one"},
    CONSTELLATION("2.1", "aws-nitro-tpm", atls_look_vtpm),
    CONSTELLATION("2.2", "aws-sev-snp", atls_look_vtpm),
    CONSTELLATION("3.1", "gcp-sev-es", atls_look_vtpm),
    CONSTELLATION("3.2", "gcp-sev-snp", atls_look_vtpm),
    CONSTELLATION("4.1", "azure-sev-snp", atls_look_vtpm),
    CONSTELLATION("4.2", "azure-trustedlaunch", atls_look_vtpm),
    CONSTELLATION("4.3", "azure-tdx", atls_look_vtpm),
    CONSTELLATION("5.1", "qemu-vtpm", atls_look_vtpm),
    CONSTELLATION("5.99", "qemu-tdx", atls_look_tdx),
    {"1.3.9900.", "Constellation (unknown variant)", EVIDENCE, ATLS_GRADE_KEY_FRESH, NULL, atls_look_json, FRESH},

    {"2.23.133.5.4.1", "TCG DICE TcbInfo", EVIDENCE, ATLS_GRADE_KEY, NULL, atls_look_sequence, LAYER},
    {"2.23.133.5.4.2", "TCG DICE endorsement manifest", COMPANION, ATLS_GRADE_NONE, NULL, atls_look_endorsement,
     "collateral for evidence in the same certificate"},
    {"2.23.133.5.4.4", "TCG DICE UEID", COMPANION, ATLS_GRADE_NONE, NULL, atls_look_sequence, CA_SAYS},
    {"2.23.133.5.4.5", "TCG DICE MultiTcbInfo", EVIDENCE, ATLS_GRADE_KEY, NULL, atls_look_sequence, LAYER},
    {"2.23.133.5.4.9", "CCC interoperable RA-TLS (TCG DICE tagged evidence)", EVIDENCE, ATLS_GRADE_KEY, NULL,
     atls_look_tagged, STALE},
    {"2.23.133.5.4.", "TCG DICE (unknown extension)", COMPANION, ATLS_GRADE_NONE, NULL, atls_look_bytes, ""},

    {"1.2.840.113741.1337", "rats-tls ASN.1 evidence", EVIDENCE, ATLS_GRADE_KEY, NULL, atls_look_sequence, STALE},
    {"1.2.840.113741.1337.1", "rats-tls ASN.1 evidence", EVIDENCE, ATLS_GRADE_KEY, NULL, atls_look_rats_tls, STALE},
    {"1.2.840.113741.1337.2", "rats-tls endorsement, or Intel RA-TLS IAS report", COMPANION, ATLS_GRADE_NONE, NULL,
     atls_look_rats_or_ias, ""},
    {"1.2.840.113741.1337.3", "Intel RA-TLS IAS root certificate", COMPANION, ATLS_GRADE_NONE, NULL, atls_look_bytes,
     ""},
    {"1.2.840.113741.1337.4", "Intel RA-TLS IAS signing certificate", COMPANION, ATLS_GRADE_NONE, NULL, atls_look_bytes,
     ""},
    {"1.2.840.113741.1337.5", "Intel RA-TLS IAS report signature", COMPANION, ATLS_GRADE_NONE, NULL, atls_look_bytes,
     ""},
    {"1.2.840.113741.1337.6", "Intel RA-TLS SGX quote", EVIDENCE, ATLS_GRADE_KEY, NULL, atls_look_quote, STALE},

    {"1.2.840.113556.10.1.1", "Open Enclave report", EVIDENCE, ATLS_GRADE_KEY, NULL, atls_look_open_enclave, STALE},
    {"1.2.840.113556.10.1.2", "Open Enclave evidence", EVIDENCE, ATLS_GRADE_KEY, NULL, atls_look_bytes, STALE},

    {"1.3.6.1.4.1.62397.1.1", "dstack TDX quote (legacy)", EVIDENCE, ATLS_GRADE_KEY, NULL, atls_look_dstack_quote,
     STALE},
    {"1.3.6.1.4.1.62397.1.2", "dstack event log (legacy)", COMPANION, ATLS_GRADE_NONE, NULL, atls_look_dstack_log,
     "counts only when it replays to the quote beside it"},
    {"1.3.6.1.4.1.62397.1.3", "dstack app id", COMPANION, ATLS_GRADE_NONE, NULL, atls_look_dstack_bytes, CA_SAYS},
    {"1.3.6.1.4.1.62397.1.4", "dstack special certificate usage", COMPANION, ATLS_GRADE_NONE, NULL,
     atls_look_dstack_text, CA_SAYS},
    {"1.3.6.1.4.1.62397.1.8", "dstack attestation", EVIDENCE, ATLS_GRADE_KEY, NULL, atls_look_dstack_attested, STALE},
    {"1.3.6.1.4.1.62397.1.9", "dstack app info", COMPANION, ATLS_GRADE_NONE, NULL, atls_look_dstack_msgpack, CA_SAYS},
    {"1.3.6.1.4.1.62397.1.", "dstack (unknown extension)", COMPANION, ATLS_GRADE_NONE, NULL, atls_look_bytes, ""},

    {"1.3.6.1.5.5.7.1.35", "IETF CMW", EVIDENCE, ATLS_GRADE_KEY, NULL, atls_look_cmw, STALE},
    {"1.3.6.1.4.1.11129.2.1.17", "Android key attestation", EVIDENCE, ATLS_GRADE_KEY, NULL, atls_look_android, OLD},
    {"1.3.6.1.4.1.11129.2.1.30", "Android provisioning information", COMPANION, ATLS_GRADE_NONE, NULL, atls_look_bytes,
     ""},
    {"1.2.840.113635.100.8.2", "Apple App Attest nonce", EVIDENCE, ATLS_GRADE_KEY, NULL, atls_look_apple, OLD},

    PLAIN_ROW("1.2.840.113741.1.13.1", "Intel SGX (PCK)"),
    PLAIN_ROW("1.3.6.1.4.1.3704.1.", "AMD SEV-SNP (VCEK, VLEK)"),
    PLAIN_ROW("2.5.29.9", "subjectDirectoryAttributes"),
    PLAIN_ROW("2.5.29.14", "subjectKeyIdentifier"),
    PLAIN_ROW("2.5.29.15", "keyUsage"),
    PLAIN_ROW("2.5.29.17", "subjectAltName"),
    PLAIN_ROW("2.5.29.18", "issuerAltName"),
    PLAIN_ROW("2.5.29.19", "basicConstraints"),
    PLAIN_ROW("2.5.29.30", "nameConstraints"),
    PLAIN_ROW("2.5.29.31", "cRLDistributionPoints"),
    PLAIN_ROW("2.5.29.32", "certificatePolicies"),
    PLAIN_ROW("2.5.29.35", "authorityKeyIdentifier"),
    PLAIN_ROW("2.5.29.37", "extKeyUsage"),
    PLAIN_ROW("1.3.6.1.5.5.7.1.1", "authorityInfoAccess"),
    PLAIN_ROW("1.3.6.1.4.1.11129.2.4.2", "signed certificate timestamps"),
    PLAIN_ROW("2.16.840.1.113730.1.13", "Netscape comment"),
};

static const row *find_row(const char *oid)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const size_t n = strlen(rows[i].oid);
        const bool whole = rows[i].oid[n - 1] != '.';
        if (whole ? strcmp(oid, rows[i].oid) == 0 : strncmp(oid, rows[i].oid, n) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

/* ---- one value ---- */

static void empty_format(atls_recognised *out)
{
    *out = (atls_recognised){
        .oid = "", .format = "", .inside = "", .note = "", .problem = "", .quote = atls_bytes_empty()};
}

/* A value that is not what its name promises gives nothing; and peers of this profile refuse a critical extension. */
static void settle(atls_recognised *r)
{
    if (r->session_profile != NULL && r->critical && r->problem[0] == '\0') {
        r->problem = "the extension is critical, which peers of this profile refuse";
    }
    if (r->problem[0] != '\0') {
        r->best_grade = ATLS_GRADE_NONE;
        r->session_profile = NULL;
    }
}

static bool look_at(const row *r, const atls_recognised_extension *e, atls_arena *a, atls_recognised *out,
                    atls_error *err)
{
    atls_look l = {.value = e->raw.value, .out = out, .arena = a, .err = err};
    empty_format(out);
    out->oid = e->oid;
    out->format = r->name;
    out->is_evidence = r->part == EVIDENCE;
    out->critical = e->raw.critical;
    out->best_grade = r->grade;
    out->session_profile = r->session_profile;
    out->note = r->note;
    if (!r->look(&l)) {
        return false;
    }
    settle(out);
    return true;
}

bool atls_recognise_blob(atls_bytes value, atls_arena *a, atls_recognised *out, bool *found, atls_error *err)
{
    atls_look l = {.value = value, .out = out, .arena = a, .err = err};
    const char *name = value.len < ATLS_SNIFF_MIN_LEN ? NULL : atls_look_sniff(value);
    empty_format(out);
    *found = name != NULL;
    if (name == NULL) {
        return true;
    }
    out->format = name;
    out->is_evidence = value.ptr[0] != '{'; /* JSON may be anything */
    out->by_shape = true;
    out->note = "by its first bytes only: nothing says what it is bound to";
    return atls_look_found(&l, value);
}

/* ---- a certificate ---- */

typedef struct walk {
    atls_recognised_extension *extensions;
    atls_recognised *formats;
    atls_recognition *out;
    atls_arena *arena;
    atls_error *err;
} walk;

/* Unknown extensions are looked at by shape, known ones by what their name promises, the plain ones not at all. */
static bool visit(walk *w, const atls_extension *raw)
{
    atls_recognised_extension *e = &w->extensions[w->out->n_extensions++];
    atls_recognised *f = &w->formats[w->out->n_formats];
    bool found = false;
    e->raw = *raw;
    e->oid = atls_oid_text(raw->oid, w->arena, w->err);
    if (e->oid == NULL) {
        return false;
    }
    const row *r = find_row(e->oid);
    if (r == NULL) {
        if (!atls_recognise_blob(raw->value, w->arena, f, &found, w->err)) {
            return false;
        }
        f->oid = e->oid;
        f->critical = raw->critical;
    } else {
        e->name = r->name;
        found = r->part != PLAIN;
        if (found && !look_at(r, e, w->arena, f, w->err)) {
            return false;
        }
        e->name = found ? f->format : r->name;
    }
    if (found) {
        e->format = f;
        w->out->n_formats++;
        w->out->n_evidence += f->is_evidence;
    }
    return true;
}

static const char *problem_text(const atls_error *why, atls_arena *a, atls_error *err)
{
    return atls_text_format(a, err, "%s: %s%s%s", why->field, why->message, why->actual[0] != '\0' ? ": " : "",
                            why->actual);
}

/* What the strict reader says comes second: the lenient one knows better where it stopped. */
static bool problem_of(atls_bytes der, const atls_error *odd, atls_arena *a, const char **out, atls_error *err)
{
    atls_error why = *odd;
    atls_cert *strict = atls_arena_alloc(a, sizeof *strict, err);
    if (strict == NULL) {
        return false;
    }
    if (why.code == ATLS_OK && atls_cert_decode(der, "certificate", strict, &why)) {
        *out = "";
        return true;
    }
    *out = problem_text(&why, a, err);
    return *out != NULL;
}

/* The specification's rule 4: one of two is nobody's choice but the caller's. */
static void refuse_two(walk *w)
{
    for (size_t i = 0; i < w->out->n_formats && w->out->n_evidence > 1; i++) {
        w->formats[i].session_profile = NULL;
    }
}

bool atls_recognise_certificate(atls_bytes der, atls_arena *a, atls_recognition *out, atls_error *err)
{
    atls_error odd = {.code = ATLS_OK};
    memset(out, 0, sizeof *out);
    atls_cert_outline *outline = atls_arena_alloc(a, sizeof *outline, err);
    if (outline == NULL) {
        return false;
    }
    if (!atls_cert_outline_read(der, outline, &odd)) {
        *err = odd;
        return false;
    }
    out->outline = outline;
    if (!problem_of(der, &odd, a, &out->problem, err)) {
        return false;
    }
    walk w = {.out = out, .arena = a, .err = err};
    w.extensions = atls_arena_array(a, outline->n_extensions, sizeof *w.extensions, err);
    w.formats = atls_arena_array(a, outline->n_extensions, sizeof *w.formats, err);
    if (w.extensions == NULL || w.formats == NULL) {
        return false;
    }
    out->extensions = w.extensions;
    out->formats = w.formats;
    for (size_t i = 0; i < outline->n_extensions; i++) {
        if (!visit(&w, &outline->extensions[i])) {
            return false;
        }
    }
    refuse_two(&w);
    return true;
}

/* ---- for people ---- */

static void put_if(atls_buf *b, const char *before, const char *text)
{
    if (text[0] != '\0') {
        atls_buf_str(b, before);
        atls_buf_str(b, text);
    }
}

const char *atls_recognise_line(const atls_recognised *r, atls_arena *a, atls_error *err)
{
    atls_buf b;
    atls_bytes text;
    atls_buf_init(&b, a, err);
    atls_buf_format(&b, "%s: %s", ATLS_RECOGNISED_STATUS, r->format);
    put_if(&b, ", ", r->oid);
    put_if(&b, "; inside: ", r->inside);
    if (r->is_evidence) {
        atls_buf_format(&b, "; grade at best: %s", atls_grade_name(r->best_grade));
        if (r->session_profile != NULL) {
            atls_buf_format(&b, ", in a session of profile %s", r->session_profile);
        } else {
            atls_buf_str(&b, ", verified in no session");
        }
    }
    put_if(&b, "; ", r->note);
    put_if(&b, "; MALFORMED: ", r->problem);
    return atls_buf_done(&b, &text) ? atls_text_copy(text, a, err) : NULL;
}

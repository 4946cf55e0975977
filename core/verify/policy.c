/* SPDX-License-Identifier: Apache-2.0 */
/* policy.c: a policy document becomes an immutable object.
 *
 * Read the table first: it is the language. The rest walks the document in its own order, looks each member up, and
 * then checks the rules that hold between members. docs/policy.md says the same in words. */
#include <stdalign.h>
#include <string.h>

#include "atls/policy.h"
#include "base/limits.h"
#include "base/text.h"
#include "policy_reader.h"

/* What dstack clients ask when a document does not say. */
#define DEFAULT_PCCS_URL "https://pccs.phala.network/tdx/certification/v4"
/* Room for the object, one reference per row of the table, lists of pointers and roots. The document's own text comes
 * on top: nothing that is kept is longer than what was written. */
#define POLICY_OVERHEAD ((size_t)128 * 1024)
/* Room to read it in: a value takes at least two bytes of text and a node of the tree, and the application is printed
 * once more. */
#define SCRATCH_OVERHEAD      ((size_t)64 * 1024)
#define SCRATCH_PER_BYTE      96u
#define DEFAULT_SESSION_AGE_S 86400u /* atls/1, "What a verifier checks" */
#define MAX_EDITS             2u
#define MAX_NAME_LEN          48u

/* clang-format off */
#define TD_ROW(name, member, width) {name, KIND_TD, atls_policy_read_reference, width, 0},
#define SGX_ROW(name, member, width) {name, KIND_SGX, atls_policy_read_reference, width, 0},
#define DCAP_ROW(name, member, width) {name, KIND_DCAP, atls_policy_read_reference, width, 0},
#define FLAG(name, kinds) {#name, kinds, atls_policy_read_flag, 0, offsetof(atls_policy, name)}
#define INSECURE_FLAG(name, kinds) {#name, kinds, atls_policy_read_insecure_flag, 0, offsetof(atls_policy, name)}

static const policy_member members[] = {
    {"type", KIND_ALL, atls_policy_read_nothing, 0, 0},
    {"description", KIND_OWN, atls_policy_read_description, 0, 0},
    {"policies", KIND_ANY_OF, atls_policy_read_alternatives, 0, 0},
    /* who vouches, and what is tolerated */
    {"trusted_roots", KIND_MACHINE, atls_policy_read_roots, 0, 0},
    {"allowed_tcb_status", KIND_DCAP, atls_policy_read_statuses, 0, 0},
    {"grace_period", KIND_DCAP, atls_policy_read_grace_period, 0, 0},
    {"min_tcb_evaluation_data_number", KIND_DCAP, atls_policy_read_evaluation_number, 0, 0},
    {"accepted_advisories", KIND_DCAP, atls_policy_read_advisories, 0, 0},
    {"rejected_advisories", KIND_DCAP, atls_policy_read_advisories, 0, 0},
    {"revocation", KIND_NEW | KIND_KEY, atls_policy_read_revocation, 0, 0},
    FLAG(strict_cpusvn, KIND_DCAP),
    FLAG(allow_sgx_quote_v4_v5, KIND_SGX),
    /* which machine */
    ATLS_DCAP_FIELDS(DCAP_ROW)
    /* which code */
    ATLS_TD_FIELDS(TD_ROW)
    ATLS_TD15_FIELDS(TD_ROW)
    {"min_tee_tcb_svn", KIND_TD, atls_policy_read_min_tee_tcb_svn, 0, 0},
    ATLS_SGX_FIELDS(SGX_ROW)
    {"isvprodid", KIND_SGX, atls_policy_read_isvprodid, 0, 0},
    {"min_isvsvn", KIND_SGX, atls_policy_read_min_isvsvn, 0, 0},
    {"expected_bootchain", KIND_DSTACK, atls_policy_read_bootchain, 0, 0},
    {"app_compose", KIND_DSTACK, atls_policy_read_compose, 0, 0},
    {"app_compose_raw", KIND_DSTACK, atls_policy_read_compose_raw, 0, 0},
    {"app_compose_hash", KIND_DSTACK, atls_policy_read_compose_hash, 0, 0},
    {"os_image_hash", KIND_DSTACK, atls_policy_read_os_image_hash, 0, 0},
    {"app_id", KIND_DSTACK, atls_policy_read_app_id, 0, 0},
    {"instance_id", KIND_DSTACK, atls_policy_read_instance_id, 0, 0},
    {"key_provider", KIND_DSTACK, atls_policy_read_key_provider, 0, 0},
    {"hardware", KIND_TPM, atls_policy_read_hardware, 0, 0},
    FLAG(require_event_log, KIND_TDX),
    /* how it is bound, and where endorsements come from */
    {"max_session_age", KIND_ROOM | KIND_KEY, atls_policy_read_session_age, 0, 0},
    {"min_grade", KIND_ROOM | KIND_KEY, atls_policy_read_min_grade, 0, 0},
    FLAG(attested_only, KIND_ROOM),
    {"pccs_url", KIND_DSTACK, atls_policy_read_pccs_url, 0, 0},
    {"cache_collateral", KIND_DSTACK, atls_policy_read_flag, 0, offsetof(atls_policy, dstack.cache_collateral)},
    /* what weakens */
    {"disable_runtime_verification", KIND_DSTACK, atls_policy_read_insecure_flag, 0,
     offsetof(atls_policy, dstack.disable_runtime_verification)},
    {"insecure_skip_certificate_event", KIND_DSTACK, atls_policy_read_insecure_flag, 0,
     offsetof(atls_policy, dstack.insecure_skip_certificate_event)},
    INSECURE_FLAG(insecure_allow_debug, KIND_DCAP),
    INSECURE_FLAG(insecure_allow_no_sept_ve_disable, KIND_TD),
    INSECURE_FLAG(insecure_allow_service_td, KIND_TD),
    {"insecure_td_attributes_mask", KIND_TD, atls_policy_read_attributes_mask, 0, 0},
};
/* clang-format on */
#define N_MEMBERS   (sizeof members / sizeof members[0])
#define MAX_MEMBERS (N_MEMBERS + 64) /* of one kind: the table, and its own */
#define KIND_NAMES  "dstack_tdx, tdx, sgx, sev_snp, tpm, nitro, android_key, apple_app_attest, enrolled_key or any_of"

static const atls_anchor *anchors_intel(size_t *n)
{
    *n = 1;
    return atls_anchor_intel_sgx();
}

static const atls_anchor *anchors_none(size_t *n)
{
    *n = 0;
    return NULL;
}

/* A kind: its own members besides those of the table above, the rules between them, and who vouches by default. */
static const struct kind {
    const char *name;
    atls_policy_type type;
    const policy_member *members;
    const size_t *n_members;
    bool (*check)(policy_reader *r);
    const atls_anchor *(*anchors)(size_t *n);
} kinds[] = {
    {"dstack_tdx", ATLS_POLICY_DSTACK_TDX, NULL, NULL, atls_policy_check_dstack, anchors_intel},
    {"tdx", ATLS_POLICY_TDX, NULL, NULL, NULL, anchors_intel},
    {"sgx", ATLS_POLICY_SGX, NULL, NULL, NULL, anchors_intel},
    {"sev_snp", ATLS_POLICY_SEV_SNP, atls_policy_sev_snp_members, &atls_policy_n_sev_snp_members,
     atls_policy_check_sev_snp, atls_anchors_amd},
    {"tpm", ATLS_POLICY_TPM, atls_policy_tpm_members, &atls_policy_n_tpm_members, atls_policy_check_tpm,
     atls_anchors_tpm},
    {"nitro", ATLS_POLICY_NITRO, atls_policy_nitro_members, &atls_policy_n_nitro_members, atls_policy_check_nitro,
     atls_anchors_nitro},
    {"android_key", ATLS_POLICY_ANDROID_KEY, atls_policy_android_members, &atls_policy_n_android_members,
     atls_policy_check_android, anchors_none},
    {"apple_app_attest", ATLS_POLICY_APPLE_APP_ATTEST, atls_policy_apple_members, &atls_policy_n_apple_members,
     atls_policy_check_apple, anchors_none},
    {"enrolled_key", ATLS_POLICY_ENROLLED_KEY, atls_policy_enrolled_members, &atls_policy_n_enrolled_members,
     atls_policy_check_enrolled, anchors_none},
    {"any_of", ATLS_POLICY_ANY_OF, NULL, NULL, atls_policy_check_any_of, anchors_none},
};
#define N_KINDS (sizeof kinds / sizeof kinds[0])

static const struct kind *kind_of(const atls_policy *p)
{
    for (size_t i = 0; i < N_KINDS; i++) {
        if (kinds[i].type == p->type) {
            return &kinds[i];
        }
    }
    return NULL;
}

/* ---- names that are not in the table ---- */

static size_t least(size_t a, size_t b, size_t c)
{
    const size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Edit distance (insert, delete, replace), by the usual table of which only one row is kept. Names are at most
 * MAX_NAME_LEN. */
static size_t edits(atls_bytes a, atls_bytes b)
{
    size_t row[MAX_NAME_LEN + 1];
    for (size_t j = 0; j <= b.len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            const size_t replace = diagonal + (a.ptr[i - 1] == b.ptr[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = least(replace, row[j] + 1, row[j - 1] + 1);
        }
    }
    return row[b.len];
}

const char *atls_policy_nearest(atls_bytes word, const char *const *names, size_t n)
{
    const char *nearest = NULL;
    size_t best = MAX_EDITS + 1;
    for (size_t i = 0; word.len <= MAX_NAME_LEN && i < n; i++) {
        const atls_bytes name = atls_bytes_str(names[i]);
        const size_t distance = name.len <= MAX_NAME_LEN ? edits(word, name) : best;
        if (distance < best) {
            nearest = names[i];
            best = distance;
        }
    }
    return nearest;
}

/* Whether a kind has a member of this name. */
static bool is_member(const struct kind *kind, atls_bytes name)
{
    for (size_t i = 0; i < N_MEMBERS; i++) {
        if ((members[i].kinds & 1u << kind->type) != 0 && atls_bytes_equal_str(name, members[i].name)) {
            return true;
        }
    }
    for (size_t i = 0; kind->members != NULL && i < *kind->n_members; i++) {
        if (atls_bytes_equal_str(name, kind->members[i].name)) {
            return true;
        }
    }
    return false;
}

static size_t known_names(const policy_reader *r, const char *known[MAX_MEMBERS])
{
    const struct kind *kind = kind_of(r->policy);
    size_t n = 0;
    for (size_t i = 0; i < N_MEMBERS; i++) {
        if ((members[i].kinds & 1u << r->policy->type) != 0) {
            known[n++] = members[i].name;
        }
    }
    for (size_t i = 0; kind->members != NULL && i < *kind->n_members && n < MAX_MEMBERS; i++) {
        known[n++] = kind->members[i].name;
    }
    return n;
}

static bool unknown_member(policy_reader *r, const char *field, atls_bytes name)
{
    const char *known[MAX_MEMBERS];
    for (size_t i = 0; i < N_KINDS; i++) {
        if (is_member(&kinds[i], name)) {
            return atls_fail(r->err, ATLS_E_CONFIGURATION, field, "not a member of policies of type %s",
                             atls_policy_kind(r->policy));
        }
    }
    const char *hint = atls_policy_nearest(name, known, known_names(r, known));
    return atls_fail(r->err, ATLS_E_CONFIGURATION, field, "unknown member%s%s%s", hint == NULL ? "" : "; did you mean ",
                     hint == NULL ? "" : hint, hint == NULL ? "" : "?");
}

/* ---- the walk ---- */

static const policy_member *find_member(const policy_reader *r, atls_bytes name)
{
    const struct kind *kind = kind_of(r->policy);
    for (size_t i = 0; i < N_MEMBERS; i++) {
        if ((members[i].kinds & 1u << r->policy->type) != 0 && atls_bytes_equal_str(name, members[i].name)) {
            return &members[i];
        }
    }
    for (size_t i = 0; kind->members != NULL && i < *kind->n_members; i++) {
        if (atls_bytes_equal_str(name, kind->members[i].name)) {
            return &kind->members[i];
        }
    }
    return NULL;
}

static bool read_member(policy_reader *r, const atls_json *v)
{
    const policy_member *m = find_member(r, v->name);
    if (m != NULL) {
        return m->read(r, m, v);
    }
    const size_t shown = v->name.len < MAX_NAME_LEN ? v->name.len : MAX_NAME_LEN;
    const char *field =
        shown == 0 ? "\"\"" : atls_text_format(r->scratch, r->err, "%.*s", (int)shown, (const char *)v->name.ptr);
    return field != NULL && unknown_member(r, field, v->name);
}

static const struct kind *named_kind(const atls_json *document)
{
    const atls_json *type = document->type == ATLS_JSON_OBJECT ? atls_json_find(document, "type") : NULL;
    for (size_t i = 0; type != NULL && type->type == ATLS_JSON_STRING && i < N_KINDS; i++) {
        if (atls_bytes_equal_str(type->text, kinds[i].name)) {
            return &kinds[i];
        }
    }
    return NULL;
}

const char *atls_policy_named_type(const atls_json *document)
{
    const struct kind *kind = named_kind(document);
    return kind == NULL ? NULL : kind->name;
}

static bool read_type(policy_reader *r, const atls_json *document)
{
    if (document->type != ATLS_JSON_OBJECT) {
        return atls_policy_wrong(r, "policy", "a JSON object", document);
    }
    const struct kind *kind = named_kind(document);
    if (kind == NULL) {
        return atls_policy_wrong(r, "type", KIND_NAMES, atls_json_find(document, "type"));
    }
    r->policy->type = kind->type;
    return true;
}

/* A grace period for a status that is refused anyway would be a mistake about what is allowed. */
static bool check_grace_period(policy_reader *r)
{
    const atls_policy *p = r->policy;
    const bool out_of_date = p->allowed_status[ATLS_TCB_OUT_OF_DATE];
    const bool and_configuration = p->allowed_status[ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED];
    if (!p->has_grace_period || out_of_date || (p->type != ATLS_POLICY_DSTACK_TDX && and_configuration)) {
        return true;
    }
    return atls_fail(r->err, ATLS_E_CONFIGURATION, "grace_period",
                     "grace_period needs OutOfDate in allowed_tcb_status");
}

static bool read_members(policy_reader *r, const atls_json *document)
{
    for (const atls_json *v = document->child; v != NULL; v = v->next) {
        if (!read_member(r, v)) {
            return false;
        }
    }
    const struct kind *kind = kind_of(r->policy);
    if (!check_grace_period(r) || (kind->check != NULL && !kind->check(r))) {
        return false;
    }
    if (r->policy->type == ATLS_POLICY_ANDROID_KEY) { /* whose roots are keys */
        return atls_policy_add_android_roots(r, r->roots, r->n_roots);
    }
    if (r->policy->type == ATLS_POLICY_APPLE_APP_ATTEST) { /* whose roots do not come with the evidence */
        return atls_policy_add_apple_roots(r, r->roots, r->n_roots);
    }
    if (r->policy->type == ATLS_POLICY_ENROLLED_KEY) { /* same */
        return atls_policy_add_enrolled_roots(r, r->roots, r->n_roots);
    }
    return r->policy->type == ATLS_POLICY_ANY_OF || atls_policy_add_roots(r, r->roots, r->n_roots);
}

/* ---- making the object ---- */

static bool start(policy_reader *r)
{
    atls_policy *p = r->policy;
    r->references = atls_arena_array(&p->arena, MAX_MEMBERS, sizeof *r->references, r->err);
    r->insecure = atls_arena_array(&p->arena, POLICY_MAX_INSECURE, sizeof *r->insecure, r->err);
    if (r->references == NULL || r->insecure == NULL) {
        return false;
    }
    p->allowed_status[ATLS_TCB_UP_TO_DATE] = true;
    p->min_grade = ATLS_GRADE_EXPORTER;
    p->max_session_age_s = DEFAULT_SESSION_AGE_S;
    p->apple.validity_s = ATLS_APPLE_DEFAULT_VALIDITY_S;
    p->accepted_advisories.items = r->insecure; /* empty lists still point somewhere */
    p->rejected_advisories.items = r->insecure;
    p->dstack.app_id = atls_bytes_empty();
    p->dstack.instance_id = atls_bytes_empty();
    p->dstack.key_provider_name = atls_bytes_empty();
    p->dstack.key_provider_id = atls_bytes_empty();
    p->dstack.pccs_url = atls_bytes_str(DEFAULT_PCCS_URL);
    p->references = r->references;
    p->insecure.items = r->insecure;
    return true;
}

static void finish(policy_reader *r)
{
    if (r->policy->n_anchors > 0) {
        r->policy->anchors = r->anchors;
        return;
    }
    r->policy->anchors = kind_of(r->policy)->anchors(&r->policy->n_anchors);
}

const atls_crypto *atls_policy_crypto(policy_reader *r)
{
    return r->crypto != NULL || atls_crypto_new(&r->crypto, r->err) ? r->crypto : NULL;
}

/* The object lives in its own arena, whose book-keeping it holds. */
static atls_policy *new_policy(size_t document_len, atls_error *err)
{
    atls_arena arena;
    if (!atls_arena_new(&arena, POLICY_OVERHEAD + document_len, err)) {
        return NULL;
    }
    atls_policy *p = atls_arena_alloc(&arena, sizeof *p, err);
    if (p == NULL) {
        atls_arena_free(&arena);
        return NULL;
    }
    p->arena = arena;
    return p;
}

static bool read_document(policy_reader *r, const atls_json *document)
{
    r->policy = new_policy(document->raw.len, r->err);
    if (r->policy == NULL || !read_type(r, document) || !start(r) || !read_members(r, document)) {
        atls_policy_free(r->policy);
        r->policy = NULL;
        return false;
    }
    finish(r);
    return true;
}

bool atls_policy_read_document(policy_reader *r, const atls_json *document, atls_policy **out, atls_error *err)
{
    policy_reader inner = {
        .scratch = r->scratch, .crypto = r->crypto, .err = err, .roots = r->roots, .n_roots = r->n_roots};
    const bool ok = read_document(&inner, document);
    r->crypto = inner.crypto;
    *out = inner.policy;
    return ok;
}

/* Reads a document of ours, or one that has to be translated first. */
static bool parse(atls_bytes json, const atls_bytes *roots, size_t n_roots, atls_policy **out, atls_error *err)
{
    atls_arena scratch;
    const atls_json *document = NULL;
    *out = NULL;
    if (json.len > ATLS_MAX_POLICY_LEN) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "policy", "the document is longer than %u bytes",
                         ATLS_MAX_POLICY_LEN);
    }
    if (!atls_arena_new(&scratch, SCRATCH_OVERHEAD + SCRATCH_PER_BYTE * json.len, err)) {
        return false;
    }
    policy_reader r = {.scratch = &scratch, .err = err, .roots = roots, .n_roots = n_roots};
    bool ok = atls_json_parse(json, "json", &scratch, &document, err)
              || atls_error_relabel(err, ATLS_E_CONFIGURATION, "policy");
    if (ok && atls_policy_is_measurements(document)) {
        atls_bytes ours; /* has a type: this goes one level deep */
        ok = atls_policy_from_measurements(&r, document, &ours) && parse(ours, roots, n_roots, out, err);
        atls_crypto_free(r.crypto);
        atls_arena_free(&scratch);
        return ok;
    }
    ok = ok && read_document(&r, document);
    atls_crypto_free(r.crypto);
    atls_arena_free(&scratch);
    *out = r.policy;
    return ok;
}

/* Keeps what a policy was made from: a recording says it in the author's own words. */
static bool keep_source(atls_policy *p, atls_bytes json, const atls_bytes *roots, size_t n_roots, atls_error *err)
{
    size_t size = json.len + (n_roots + 1) * sizeof *roots + alignof(max_align_t);
    for (size_t i = 0; i < n_roots; i++) {
        size += roots[i].len; /* at most POLICY_MAX_ROOT_LEN, or it had been refused */
    }
    if (!atls_arena_new(&p->source_arena, size, err)) {
        return false;
    }
    atls_bytes *kept = atls_arena_array(&p->source_arena, n_roots + 1, sizeof *kept, err);
    for (size_t i = 0; kept != NULL && i < n_roots; i++) {
        if (!atls_arena_copy(&p->source_arena, roots[i], &kept[i], err)) {
            return false;
        }
    }
    p->source_roots = kept;
    p->n_source_roots = n_roots;
    return kept != NULL && atls_arena_copy(&p->source_arena, json, &p->source, err);
}

bool atls_policy_parse_with_roots(atls_bytes json, const atls_bytes *roots, size_t n_roots, atls_policy **out,
                                  atls_error *err)
{
    if (!parse(json, roots, n_roots, out, err)) {
        return false;
    }
    if (*out != NULL && keep_source(*out, json, roots, n_roots, err)) {
        return true;
    }
    atls_policy_free(*out);
    *out = NULL;
    return false;
}

bool atls_policy_parse(atls_bytes json, atls_policy **out, atls_error *err)
{
    return atls_policy_parse_with_roots(json, NULL, 0, out, err);
}

/* What a policy holds in its arena is not to be written, but its inner policies are its own: also those of a document that
 * was refused for how deep they are. The reader of JSON bounds that depth. */
static void free_inner(const atls_policy *inner)
{
    if (inner == NULL) {
        return;
    }
    for (size_t i = 0; i < inner->n_alternatives; i++) {
        free_inner(inner->alternatives[i]);
    }
    free_inner(inner->hardware);
    atls_arena source = inner->source_arena;
    atls_arena_free(&source);
    atls_arena arena = inner->arena; /* inner itself lives inside */
    atls_arena_free(&arena);
}

void atls_policy_free(atls_policy *p)
{
    free_inner(p);
}

/* ---- looking at it ---- */

const char *atls_policy_kind(const atls_policy *p)
{
    return kind_of(p)->name;
}

atls_text_list atls_policy_insecure(const atls_policy *p)
{
    return p->insecure;
}

atls_grade atls_policy_min_grade(const atls_policy *p)
{
    return p->min_grade;
}

uint32_t atls_policy_max_session_age(const atls_policy *p, bool *by_default)
{
    *by_default = !p->has_max_session_age;
    return p->max_session_age_s;
}

bool atls_policy_attested_only(const atls_policy *p)
{
    return p->attested_only;
}

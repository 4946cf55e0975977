/* SPDX-License-Identifier: Apache-2.0 */
/* remember.c: looks up what is remembered of evidence and endorsements, and remembers what was accepted.
 *
 * Only a yes is remembered, and only that of a whole appraisal: who sends genuine evidence of strangers fills nothing. What
 * cannot be found, or is not in date, or was made from anything else, leaves everything to the steps of authenticate.
 *
 * docs/verify.md says what each key covers; tests/verify/test_remember.c has a row for every part of it. */
#include <string.h>

#include "proof.h"

/* What is held until settle: the platform of the quote's chain, that of a chain from outside, the endorsements. */
static void hold(dcap_memo *m, atls_cached *found)
{
    m->held[m->n_held++] = found;
}

/* ---- platforms ---- */

/* The key covers every byte of every certificate, their order, and where each ends. */
static bool identify(const atls_crypto *c, const atls_bytes *ders, size_t n, dcap_chain_id *out)
{
    static const char domain[] = "atls dcap platform";
    atls_error ignored = {.code = ATLS_OK};
    uint64_t lengths[3];
    if (n != 3) {
        return false;
    }
    for (size_t i = 0; i < 3; i++) {
        out->ders[i] = ders[i];
        lengths[i] = ders[i].len;
    }
    const atls_bytes parts[] = {atls_bytes_str(domain), atls_bytes_of(lengths, sizeof lengths), ders[0], ders[1],
                                ders[2]};
    return atls_digest(c, ATLS_SHA256, parts, 5, out->key, &ignored);
}

static const dcap_platform *find_platform(dcap_memo *m, const atls_authority *auth, const dcap_chain_id *id)
{
    atls_cached *found = atls_cache_find(auth->caches->platforms, id->key, auth->now);
    if (found == NULL) {
        return NULL;
    }
    hold(m, found);
    return (const dcap_platform *)(const void *)found; /* its first member */
}

void dcap_recall(const void *evidence, const atls_authority *auth)
{
    const dcap_evidence *e = evidence;
    dcap_memo *m = e->memo;
    const atls_bytes *ders;
    size_t n;
    atls_error ignored = {.code = ATLS_OK}; /* request reads the chain again, and says what is wrong with it */
    if (e->quote.cert_type != 5 || !dcap_quote_ders(e, &ders, &n, &ignored)
        || !identify(auth->crypto, ders, n, &m->id)) {
        return;
    }
    m->has_id = true;
    m->platform = find_platform(m, auth, &m->id);
}

/* A chain from outside stands in for the quote's own (chains.c), here as there. */
static bool identify_chain(dcap_proof *p)
{
    dcap_memo *m = p->evidence->memo;
    if (p->pck_chain.is_quotes) {
        p->id = m->id;
        p->known = m->platform;
        return m->has_id;
    }
    atls_bytes ders[ATLS_MAX_PEM_CERTS];
    dcap_chain_read(p, &p->pck_chain);
    for (size_t i = 0; i < p->pck_chain.chain.n; i++) {
        ders[i] = p->pck_chain.chain.certs[i]->der;
    }
    if (!identify(p->auth->crypto, ders, p->pck_chain.chain.n, &p->id)) {
        return false;
    }
    p->known = find_platform(m, p->auth, &p->id);
    return true;
}

/* ---- which CA and root ---- */

/* Members of a chain, told apart. */
typedef struct members {
    atls_bytes ca;
    atls_bytes root;
    dcap_pck_path path; /* NULLs for a platform that is known */
} members;

static bool find_members(dcap_proof *p, members *out)
{
    atls_error ignored = {.code = ATLS_OK};
    *out = (members){0};
    if (p->known != NULL) {
        out->ca = p->id.ders[p->known->facts.ca_index];
        out->root = p->id.ders[p->known->facts.root_index];
        return true;
    }
    dcap_chain_read(p, &p->pck_chain);
    if (p->pck_chain.error.code != ATLS_OK || !dcap_pck_path_find(&p->pck_chain.chain, &out->path, &ignored)) {
        return false;
    }
    out->ca = out->path.ca->der;
    out->root = out->path.root->der;
    return true;
}

/* ---- endorsements ---- */

/* Where to look: lengths and ends of all pieces (signatures, most of them) in one number that tells honest sets apart.
 * Nothing rests on it: whether a set is the same is decided byte by byte. */
static void summarise(const atls_bytes pieces[DCAP_N_PIECES], uint8_t key[32])
{
    enum { TAIL = 32 };
    uint64_t sum = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < DCAP_N_PIECES; i++) {
        const atls_bytes b = pieces[i];
        sum = (sum ^ b.len) * UINT64_C(1099511628211);
        for (size_t k = b.len > TAIL ? b.len - TAIL : 0; k < b.len; k++) {
            sum = (sum ^ b.ptr[k]) * UINT64_C(1099511628211);
        }
    }
    memset(key, 0, 32);
    memcpy(key, &sum, sizeof sum);
}

static bool is_hash(const uint8_t a[32], const uint8_t b[32])
{
    return atls_bytes_equal(atls_bytes_of(a, 32), atls_bytes_of(b, 32));
}

/* Everything that the answer rests on: all pieces, the CA, and the root that both chains of this appraisal end in. */
static bool is_made_from(const dcap_compiled *e, const atls_bytes pieces[DCAP_N_PIECES], const members *m)
{
    bool same = atls_bytes_equal(e->ca, m->ca) && atls_bytes_equal(e->root, m->root);
    for (size_t i = 0; same && i < DCAP_N_PIECES; i++) {
        same = atls_bytes_equal(e->pieces[i], pieces[i]);
    }
    return same;
}

static atls_cache *cache_of(const atls_authority *auth)
{
    return auth->endorsements->stapled != 0 ? auth->caches->stapled : auth->caches->endorsements;
}

static const dcap_compiled *find_endorsements(dcap_proof *p, const members *m)
{
    atls_bytes pieces[DCAP_N_PIECES];
    dcap_pieces(p->given, pieces);
    summarise(pieces, p->key);
    p->has_key = true;
    atls_cached *found = atls_cache_find(cache_of(p->auth), p->key, p->auth->now);
    if (found == NULL) {
        return NULL;
    }
    hold(p->evidence->memo, found);
    const dcap_compiled *e = (const dcap_compiled *)(const void *)found; /* its first member */
    return is_made_from(e, pieces, m) ? e : NULL;
}

/* ---- one appraisal ---- */

static bool use_platform(dcap_proof *p, const dcap_compiled *e)
{
    atls_bytes serial;
    atls_error ignored = {.code = ATLS_OK};
    const dcap_platform_facts *f = &p->known->facts;
    if (!atls_arena_copy(p->arena, atls_bytes_of(f->serial, f->serial_len), &serial, &ignored)) {
        return false;
    }
    /* the list was issued by the CA that issued the leaf: one name, byte for byte */
    p->leaf = (dcap_leaf){.issuer = e->pck_crl.issuer, .serial = serial, .not_after = f->not_after};
    p->platform = &f->pck;
    p->pck_ca_name = f->ca_name;
    return true;
}

/* The steps on certificates go on from here: what signed the CA is known, everything else about the chain is checked. */
static void use_path(dcap_proof *p, const dcap_pck_path *path)
{
    p->root = path->root;
    path->ca->verified_by = path->root;
}

static void use_endorsements(dcap_proof *p, const dcap_compiled *e)
{
    p->compiled = e;
    p->anchor = e->anchor;
    p->root_crl = e->root_crl;
    p->pck_crl = e->pck_crl;
    p->info = e->info;
    p->identity = e->identity;
}

static bool has_qe_report(const dcap_platform *platform, const uint8_t id[32])
{
    for (size_t i = 0; platform != NULL && i < platform->facts.n_qe_reports; i++) {
        if (is_hash(platform->facts.qe_reports[i], id)) {
            return true;
        }
    }
    return false;
}

/* Which report, signed by whom: the key of the PCK leaf, which is the platform's. */
static void recall_qe_report(dcap_proof *p)
{
    atls_error ignored = {.code = ATLS_OK};
    const atls_bytes parts[] = {atls_bytes_str("atls dcap qe report"), p->quote->qe_report, p->quote->qe_signature};
    p->has_qe_id = atls_digest(p->auth->crypto, ATLS_SHA256, parts, 3, p->qe_id, &ignored);
    p->knows_qe_report = p->has_qe_id && has_qe_report(p->known, p->qe_id);
}

void dcap_recall_proof(dcap_proof *p)
{
    members m;
    p->evidence->memo->proof = p;
    p->has_id = p->auth->caches != NULL && identify_chain(p);
    p->seen = p->known;
    const bool has_members = p->has_id && find_members(p, &m);
    const dcap_compiled *e = has_members ? find_endorsements(p, &m) : NULL;
    if (e == NULL || (p->known != NULL && !use_platform(p, e))) {
        p->known = NULL; /* a platform is worth nothing without what says whether it was revoked */
    } else {
        use_endorsements(p, e);
        if (m.path.ca != NULL) { /* the platform is not known */
            use_path(p, &m.path);
        }
    }
    if (p->has_id) {
        recall_qe_report(p);
    }
}

/* ---- afterwards ---- */

static void remember_endorsements(const dcap_proof *p, const atls_authority *auth)
{
    if (p->compiled != NULL || !p->has_key) {
        return;
    }
    dcap_compiled *e = dcap_compiled_new(p, auth->crypto, p->key);
    if (e != NULL) {
        atls_cache_put(cache_of(auth), &e->head);
    }
}

/* The place of a certificate in its chain of three. */
static size_t index_of(const dcap_proof *p, const atls_cert *cert)
{
    size_t i = 0;
    while (i < 2 && p->pck_chain.chain.certs[i] != cert) {
        i++;
    }
    return i;
}

/* What the steps on certificates found out about a platform. */
static void describe(const dcap_proof *p, dcap_platform_facts *out)
{
    const atls_cert *leaf = p->pck;
    *out = (dcap_platform_facts){.not_after = leaf->not_after, .pck = *p->platform, .serial_len = leaf->serial.len};
    out->root_index = index_of(p, p->root);
    out->ca_index = index_of(p, p->pck_ca);
    memcpy(out->serial, leaf->serial.ptr, leaf->serial.len);
    memcpy(out->key, leaf->key.point.ptr + 1, sizeof out->key);
    out->ca_name = dcap_pck_ca_name(p->pck_ca, &out->is_platform_ca);
}

/* The newest comes first, and the oldest goes. */
static void add_qe_report(dcap_platform_facts *f, const uint8_t id[32])
{
    memmove(f->qe_reports[1], f->qe_reports[0], sizeof f->qe_reports - sizeof f->qe_reports[0]);
    memcpy(f->qe_reports[0], id, sizeof f->qe_reports[0]);
    f->n_qe_reports += f->n_qe_reports < DCAP_N_QE_REPORTS ? 1 : 0;
}

static atls_time later(atls_time a, atls_time b)
{
    return a > b ? a : b;
}

static atls_time earlier(atls_time a, atls_time b)
{
    return a < b ? a : b;
}

static void remember_platform(const dcap_proof *p, const atls_authority *auth)
{
    dcap_platform_facts facts;
    atls_time from;
    atls_time until;
    if (!p->has_qe_id || has_qe_report(p->seen, p->qe_id)) {
        return;
    }
    if (p->seen != NULL) {
        facts = p->seen->facts;
        from = p->seen->head.from;
        until = p->seen->head.until;
    } else {
        describe(p, &facts);
        from = later(p->pck->not_before, later(p->pck_ca->not_before, p->root->not_before));
        until = earlier(p->pck->not_after, earlier(p->pck_ca->not_after, p->root->not_after));
    }
    add_qe_report(&facts, p->qe_id);
    dcap_platform *fresh = dcap_platform_new(&p->id, from, until, &facts);
    if (fresh != NULL) {
        atls_cache_put(auth->caches->platforms, &fresh->head);
    }
}

void dcap_settle(const void *evidence, const atls_authority *auth, bool accepted)
{
    dcap_memo *m = ((const dcap_evidence *)evidence)->memo;
    if (accepted && m->proof != NULL && m->proof->has_id) {
        remember_endorsements(m->proof, auth);
        remember_platform(m->proof, auth);
    }
    while (m->n_held > 0) {
        atls_cached_release(m->held[--m->n_held]);
    }
}

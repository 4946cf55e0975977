/* SPDX-License-Identifier: Apache-2.0 */
/* source.c: one flight: the folder, then each source in its order, and what they said if none of them helped.
 *
 * A source that was not there (404, 410), that sent something else or something past its date, or that could not be reached, is
 * followed by the next one at once. Sources that asked to be left alone are asked again when their time has come, if it
 * comes before the deadline and nobody else could help. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "edge/tls/clock.h"
#include "fetcher.h"

#define MAX_ROUNDS        4u
#define DEFAULT_PAUSE_S   10u   /* KDS takes one request in about 10 s and says so with a bare 429 */
#define MAX_PAUSE_S       3600u /* whoever says more is asked again all the same */
#define UNREACHABLE_TTL_S 10u
#define DOWN_MS           30000u
#define NAP_MS            50u

typedef enum said {
    SAID_NOTHING = 0, /* not asked yet */
    SAID_NO,          /* and asking again will not help */
    SAID_LATER,       /* left alone for a while */
} said;

/* Somebody who may have the piece. */
typedef struct target {
    const char *source; /* "" for documents */
    char url[2 * ATLS_URL_SIZE];
    said said;
    atls_error why; /* what came of it the last time */
} target;

typedef struct going {
    atls_fetcher *f;
    const atls_flight *flight;
    atls_arena scratch;
    atls_flight_outcome *out;
    atls_piece
        *newest; /* of memory and folder, within its dates, held: no answer takes a step back from it. NULL: none */
    target targets[ATLS_MAX_SOURCES];
    size_t n_targets;
} going;

/* ---- which sources, which address, how long ---------------------------------------------------------------------------- */

static bool serves(const atls_fetch_source *s, atls_fetched_kind kind)
{
    return s->kind == ATLS_SOURCE_KDS ? atls_piece_is_snp(kind) : atls_piece_is_dcap(kind);
}

bool atls_fetch_has_source(const atls_fetcher *f, const char *url, atls_fetched_kind kind)
{
    for (size_t i = 0; i < f->n_sources; i++) {
        if (serves(&f->sources[i], kind) && strcmp(f->sources[i].url, url) == 0) {
            return true;
        }
    }
    return false;
}

static void add_target(going *g, const char *source, const char *base, const char *path)
{
    target *t = &g->targets[g->n_targets++];
    *t = (target){.source = source};
    (void)snprintf(t->url, sizeof t->url, "%s%s", base, path);
}

static void find_targets(going *g)
{
    const atls_fetched_kind kind = g->flight->id->kind;
    if (kind == ATLS_FETCHED_DOCUMENT) {
        add_target(g, "", "", g->flight->path);
        return;
    }
    for (size_t i = 0; i < g->f->n_sources; i++) {
        const atls_fetch_source *s = &g->f->sources[i];
        const bool is_apart = kind == ATLS_FETCHED_ROOT_CA_CRL && s->root_crl_url[0] != '\0';
        if (serves(s, kind)) {
            add_target(g, s->url, is_apart ? s->root_crl_url : s->url, is_apart ? "" : g->flight->path);
        }
    }
}

static size_t max_len(const atls_fetcher_options *o, atls_fetched_kind kind)
{
    switch (kind) {
    case ATLS_FETCHED_TCB_INFO:
    case ATLS_FETCHED_QE_IDENTITY:
        return o->max_json_len;
    case ATLS_FETCHED_PCK_CRL:
    case ATLS_FETCHED_ROOT_CA_CRL:
    case ATLS_FETCHED_SNP_CRL:
        return o->max_crl_len;
    case ATLS_FETCHED_DOCUMENT:
        return o->max_document_len;
    default:
        return o->max_certificate_len;
    }
}

/* ---- pieces ------------------------------------------------------------------------------------------------------------ */

/* A chip's certificate never changes: it is asked for again when it ends. */
static atls_time fresh_until(const atls_fetcher *f, atls_fetched_kind kind, atls_time fetched, atls_time valid_until)
{
    const atls_time age = fetched + (atls_time)f->options.max_age_s;
    const atls_time whole = valid_until > fetched ? valid_until - fetched : 0;
    const atls_time margin = (atls_time)f->options.refresh_margin_s;
    const atls_time early = kind == ATLS_FETCHED_DOCUMENT ? whole / 10 : margin < whole ? margin : whole / 2;
    const atls_time until = valid_until - early;
    return kind != ATLS_FETCHED_SNP_LEAF && age < until ? age : until;
}

static atls_piece *make_piece(const atls_fetcher *f, const atls_piece_id *id, const atls_entry *entry, atls_time now,
                              atls_arena *scratch, atls_error *err)
{
    atls_piece_parts parts;
    if (!atls_piece_read(id, f->crypto, &entry->answer, scratch, &parts, err)
        || !atls_piece_check_root(id, f->crypto, &f->roots, &parts, scratch, err)) {
        return NULL;
    }
    if (id->kind == ATLS_FETCHED_DOCUMENT) {
        const uint32_t age = entry->max_age_s < f->options.max_age_s ? entry->max_age_s : f->options.max_age_s;
        parts.valid_until = entry->fetched + (atls_time)age;
    } else if (now >= parts.valid_until) {
        char text[ATLS_TIME_TEXT_SIZE];
        atls_time_format(parts.valid_until, text);
        (void)atls_fail(err, ATLS_E_EXPIRED, atls_piece_field(id->kind), "past its date, %s", text);
        return NULL;
    }
    atls_piece *p = atls_piece_new(entry->source, entry->path, &parts);
    if (p == NULL) {
        (void)atls_fail(err, ATLS_E_MEMORY, atls_piece_field(id->kind), NULL);
        return NULL;
    }
    p->fetched = entry->fetched;
    p->valid_until = parts.valid_until;
    p->fresh_until = fresh_until(f, id->kind, p->fetched, p->valid_until);
    return p;
}

atls_piece *atls_fetch_from_entry(const atls_fetcher *f, const atls_entry *entry, atls_time now, atls_arena *scratch,
                                  atls_error *err)
{
    atls_piece_id id;
    if (!atls_piece_parse(entry->path, &id)) {
        (void)atls_fail(err, ATLS_E_COLLATERAL_FORMAT, "entry.path", "the entry is about nothing that is known");
        return NULL;
    }
    atls_piece *p = make_piece(f, &id, entry, now, scratch, err);
    if (p != NULL && now >= p->valid_until) {
        (void)atls_fail(err, ATLS_E_EXPIRED, "entry", "past its date");
        atls_piece_release(p);
        return NULL;
    }
    return p;
}

void atls_fetch_older(atls_fetcher *f, const char *url, const char *piece, const char *why)
{
    char host[48];
    atls_url_host(url, host, sizeof host);
    (void)atomic_fetch_add(&f->counts.older, 1);
    (void)pthread_mutex_lock(&f->lock);
    (void)snprintf(f->older_answer, sizeof f->older_answer, "%s: %s: %s", host, piece, why);
    (void)pthread_mutex_unlock(&f->lock);
}

/* ---- the folder -------------------------------------------------------------------------------------------------------- */

void atls_fetch_disk_problem(atls_fetcher *f, const atls_error *why)
{
    (void)pthread_mutex_lock(&f->lock);
    (void)snprintf(f->disk_problem, sizeof f->disk_problem, "%.60s: %.90s", why->field, why->message);
    (void)pthread_mutex_unlock(&f->lock);
}

/* Ours unless it is a step back; of two that are no step apart the one fetched later. A piece that cannot be compared for want
 * of memory is not taken. Takes p over. */
static void weigh_in(going *g, atls_piece *p)
{
    char ignored[ATLS_PIECE_WHY];
    atls_error why = {0};
    bool older = false;
    bool newer = false;
    const atls_fetched_kind kind = g->flight->id->kind;
    if (g->newest != NULL
        && (!atls_piece_is_older(kind, &p->parts, &g->newest->parts, &g->scratch, &older, ignored, &why)
            || !atls_piece_is_older(kind, &g->newest->parts, &p->parts, &g->scratch, &newer, ignored, &why) || older
            || (!newer && g->newest->fetched >= p->fetched))) {
        atls_piece_release(p);
        return;
    }
    atls_piece_release(g->newest);
    g->newest = p;
}

static void take_from_disk(going *g, const char *source)
{
    atls_fetcher *f = g->f;
    atls_error why = {0};
    atls_entry entry;
    bool found = false;
    atls_piece *p = NULL;
    atls_arena_reset(&g->scratch);
    if (atls_disk_load(&f->disk, source, g->flight->path, &g->scratch, &found, &entry, &why) && found) {
        p = atls_fetch_from_entry(f, &entry, g->flight->now, &g->scratch, &why);
        if (p == NULL && why.code != ATLS_E_MEMORY) {
            atls_disk_remove(&f->disk, source, g->flight->path);
        }
    }
    if (why.code != ATLS_OK) {
        (void)atomic_fetch_add(&f->counts.disk_refused, 1);
        atls_fetch_disk_problem(f, &why);
    }
    if (p != NULL) {
        weigh_in(g, p);
    }
}

/* The entries of all sources, because the newest of them is what the answers are held against. True: it will do. */
static bool look_around(going *g)
{
    const atls_flight *flight = g->flight;
    g->newest = atls_piece_is_valid(flight->before, flight->now) ? atls_piece_hold(flight->before) : NULL;
    for (size_t i = 0; i < g->n_targets && g->f->disk.fd >= 0; i++) {
        take_from_disk(g, g->targets[i].source);
    }
    if (flight->skips_disk || g->newest == NULL || g->newest == flight->before
        || !atls_piece_is_fresh(g->newest, flight->now) || g->newest->fresh_until <= flight->due) {
        return false;
    }
    (void)atomic_fetch_add(&g->f->counts.disk_hits, 1);
    return true;
}

static void keep_on_disk(going *g, const atls_entry *entry)
{
    atls_error why = {0};
    if (!atls_disk_save(&g->f->disk, entry, &g->scratch, &why)) {
        (void)atomic_fetch_add(&g->f->counts.disk_failed, 1);
        atls_fetch_disk_problem(g->f, &why);
    }
}

/* ---- one source -------------------------------------------------------------------------------------------------------- */

static uint32_t time_for(const going *g)
{
    const uint64_t now = atls_clock_ms();
    const uint64_t left = g->flight->deadline_ms > now ? g->flight->deadline_ms - now : 0;
    return left < g->f->options.request_timeout_ms ? (uint32_t)left : g->f->options.request_timeout_ms;
}

/* A chip's certificate is held against the chain of its product, which is a piece by itself and has its own flight. Without the
 * chain nobody knows what it is worth, and it is not taken. */
static bool is_signed(const going *g, const atls_piece *p, atls_error *err)
{
    const atls_piece_id *id = g->flight->id;
    atls_piece_id of = {.kind = ATLS_FETCHED_SNP_CHAIN};
    atls_error why = {.code = ATLS_OK};
    if (id->kind != ATLS_FETCHED_SNP_LEAF) {
        return true;
    }
    memcpy(of.product, id->product, sizeof of.product);
    atls_piece *chain = atls_fetch_piece(g->f, &of, false, g->flight->deadline_ms, &why);
    if (chain == NULL) {
        (void)atls_fail(err, why.code, why.field, "its chain: %s", why.message);
        return false;
    }
    const bool ok = atls_piece_check_leaf(g->f->crypto, &p->parts, &chain->parts, err);
    atls_piece_release(chain);
    return ok;
}

/* A list without a chain beside it is held against the chains that are remembered. If none of them is its root's, nobody knows
 * whether it is genuine, and it keeps nothing out: it may be the forged one. */
static bool is_genuine(going *g, const atls_piece *p)
{
    atls_piece **all = NULL;
    size_t n = 0;
    bool found = !atls_piece_is_chainless(g->flight->id->kind, &p->parts);
    if (found || !atls_store_pieces(&g->f->store, &all, &n)) {
        return found;
    }
    for (size_t i = 0; i < n; i++) {
        found = found || atls_piece_list_is_of(g->f->crypto, &p->parts, &all[i]->parts, &g->scratch);
        atls_piece_release(all[i]);
    }
    free(all);
    return found;
}

/* Whoever answers may be behind, or want us to be. */
static bool is_step_back(going *g, const target *t, const atls_piece *p, atls_error *err)
{
    bool older = false;
    char why[ATLS_PIECE_WHY];
    if (g->newest == NULL || atls_bytes_equal(g->newest->parts.content, p->parts.content)) {
        return false;
    }
    if (!atls_piece_is_older(g->flight->id->kind, &p->parts, &g->newest->parts, &g->scratch, &older, why, err)) {
        return true;
    }
    if (!older || !is_genuine(g, g->newest)) {
        return false;
    }
    g->out->kept_newer = true;
    atls_fetch_older(g->f, t->url, atls_piece_name(g->flight->id->kind), why);
    (void)atls_fail(err, ATLS_E_EXPIRED, "http", "older: %s", why);
    return true;
}

static bool accept_answer(going *g, target *t, const atls_downloaded *d)
{
    const bool is_document = g->flight->id->kind == ATLS_FETCHED_DOCUMENT;
    atls_entry entry = {
        .fetched = g->flight->now,
        .max_age_s = is_document && d->may_keep ? d->max_age_s : 0,
        .answer = {.body = d->body, .chain = d->chain},
    };
    (void)snprintf(entry.source, sizeof entry.source, "%s", t->source);
    (void)snprintf(entry.path, sizeof entry.path, "%s", g->flight->path);
    atls_piece *p = make_piece(g->f, g->flight->id, &entry, g->flight->now, &g->scratch, &t->why);
    if (p == NULL) {
        return false;
    }
    if (!is_signed(g, p, &t->why) || is_step_back(g, t, p, &t->why)) {
        atls_piece_release(p);
        return false;
    }
    g->out->piece = p;
    g->out->was_downloaded = true;
    if (p->valid_until > g->flight->now) {
        keep_on_disk(g, &entry);
    }
    return true;
}

static void be_told_later(going *g, target *t, const atls_downloaded *d)
{
    uint32_t seconds = d->retry_after_s == 0 ? DEFAULT_PAUSE_S : d->retry_after_s;
    seconds = seconds > MAX_PAUSE_S ? MAX_PAUSE_S : seconds;
    (void)atomic_fetch_add(&g->f->counts.throttled, 1);
    atls_hosts_pause(&g->f->hosts, t->url, (uint64_t)seconds * 1000);
    t->said = SAID_LATER;
    (void)atls_fail(&t->why, ATLS_E_IO, "http", "%ld, not before %u s", d->status, (unsigned)seconds);
}

/* A status that is not 200, in words. */
static void be_told(going *g, target *t, const atls_downloaded *d)
{
    if (d->status == 429 || d->status == 503) {
        be_told_later(g, t, d);
    } else if (d->status == 404 || d->status == 410) {
        (void)atls_fail(&t->why, ATLS_E_ENDORSEMENTS_MISSING, "http", "%ld", d->status);
    } else {
        (void)atls_fail(&t->why, ATLS_E_IO, "http", "status %ld", d->status);
    }
}

/* True: it gave the piece. */
static bool ask(going *g, target *t)
{
    atls_downloaded d;
    const uint32_t timeout_ms = time_for(g);
    const size_t most = max_len(&g->f->options, g->flight->id->kind);
    t->said = SAID_NO;
    atls_error_clear(&t->why);
    if (timeout_ms == 0) {
        (void)atls_fail(&t->why, ATLS_E_TIMEOUT, "http", "no time was left to ask");
        return false;
    }
    atls_arena_reset(&g->scratch);
    (void)atomic_fetch_add(&g->f->counts.requests, 1);
    const bool has_answered = atls_download(&g->f->downloader, t->url, most, timeout_ms, &g->scratch, &d, &t->why);
    const bool is_down = !has_answered && t->why.code == ATLS_E_TIMEOUT;
    atls_hosts_down(&g->f->hosts, t->url, is_down ? DOWN_MS : 0);
    if (!has_answered) {
        return false;
    }
    if (d.status == 200) {
        return accept_answer(g, t, &d);
    }
    be_told(g, t, &d);
    return false;
}

/* ---- all of them ------------------------------------------------------------------------------------------------------- */

/* True: it gave the piece. */
static bool ask_in_turn(going *g, target *t)
{
    const uint64_t wait_ms = atls_hosts_wait_ms(&g->f->hosts, t->url);
    if (wait_ms == 0) {
        return ask(g, t);
    }
    t->said = SAID_LATER;
    atls_error_clear(&t->why);
    (void)atls_fail(&t->why, ATLS_E_IO, "http", "left alone for %u s, as it asked", (unsigned)((wait_ms + 999) / 1000));
    return false;
}

/* One round: whoever may be asked now is asked, until somebody has it. Those that ran into a time-out a moment ago come last. */
static bool ask_round(going *g)
{
    bool is_down[ATLS_MAX_SOURCES] = {false};
    for (size_t i = 0; i < g->n_targets; i++) {
        is_down[i] = atls_hosts_is_down(&g->f->hosts, g->targets[i].url);
    }
    for (size_t turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < g->n_targets; i++) {
            target *t = &g->targets[i];
            if (is_down[i] == (turn == 1) && t->said != SAID_NO && ask_in_turn(g, t)) {
                return true;
            }
        }
    }
    return false;
}

/* When the first of those who said "later" may be asked; UINT64_MAX: there is none. */
static uint64_t shortest_wait(going *g)
{
    uint64_t shortest = UINT64_MAX;
    for (size_t i = 0; i < g->n_targets; i++) {
        if (g->targets[i].said == SAID_LATER) {
            const uint64_t wait_ms = atls_hosts_wait_ms(&g->f->hosts, g->targets[i].url);
            shortest = wait_ms < shortest ? wait_ms : shortest;
        }
    }
    return shortest;
}

static bool is_stopping(const going *g)
{
    return atomic_load(&g->f->downloader.stop);
}

/* Waits until ms have passed, the fetcher is being freed, or the deadline is here. */
static void nap(const going *g, uint64_t ms)
{
    const struct timespec pause = {.tv_sec = 0, .tv_nsec = (long)NAP_MS * 1000000L};
    const uint64_t until = atls_clock_ms() + ms;
    while (atls_clock_ms() < until && atls_clock_ms() < g->flight->deadline_ms && !is_stopping(g)) {
        (void)nanosleep(&pause, NULL);
    }
}

/* Whoever has something that may still be used does not wait for something newer. */
static bool ask_all(going *g)
{
    for (unsigned round = 0; round < MAX_ROUNDS; round++) {
        if (ask_round(g)) {
            return true;
        }
        const uint64_t wait_ms = shortest_wait(g);
        if (wait_ms == UINT64_MAX || (g->newest != NULL && !g->flight->skips_disk) || is_stopping(g)
            || atls_clock_ms() + wait_ms + NAP_MS >= g->flight->deadline_ms) {
            return false;
        }
        nap(g, wait_ms + 1);
    }
    return false;
}

/* ---- what was said ----------------------------------------------------------------------------------------------------- */

/* Trying again may help; else there is something, and it is of no use; else there is nothing. */
static unsigned weight(const atls_error *e)
{
    return e->code == ATLS_OK ? 0 : e->code == ATLS_E_ENDORSEMENTS_MISSING ? 1 : e->retry ? 3 : 2;
}

static void add_words(char words[static 160], const target *t, size_t n_targets)
{
    char host[48];
    const size_t used = strlen(words);
    atls_url_host(t->url, host, sizeof host);
    (void)snprintf(words + used, 160 - used, "%s%s: %.*s", used == 0 ? "" : "; ", host, n_targets > 1 ? 60 : 110,
                   t->why.message);
}

static uint32_t remember_for(going *g, const atls_error *worst)
{
    const uint32_t most = g->f->options.negative_ttl_s;
    const uint64_t wait_ms = shortest_wait(g);
    if (worst->code == ATLS_E_MEMORY || worst->code == ATLS_E_INTERNAL || worst->code == ATLS_E_CONFIGURATION
        || is_stopping(g)) {
        return 0;
    }
    if (wait_ms < (uint64_t)most * 1000) {
        return (uint32_t)((wait_ms + 999) / 1000);
    }
    return worst->retry && wait_ms == UINT64_MAX && most > UNREACHABLE_TTL_S ? UNREACHABLE_TTL_S : most;
}

static void report(going *g)
{
    char words[160] = "";
    atls_error worst = {0};
    atls_flight_outcome *out = g->out;
    for (size_t i = 0; i < g->n_targets; i++) {
        add_words(words, &g->targets[i], g->n_targets);
        if (weight(&g->targets[i].why) > weight(&worst)) {
            worst = g->targets[i].why;
        }
    }
    if (g->n_targets == 0) {
        (void)atls_fail(&worst, ATLS_E_ENDORSEMENTS_MISSING, "", "no source has been named for it");
        (void)snprintf(words, sizeof words, "%s", worst.message);
    }
    out->has_failed = true;
    out->failure_s = g->n_targets == 0 ? 0 : remember_for(g, &worst);
    atls_error_clear(&out->failure);
    (void)atls_fail(&out->failure, worst.code, atls_piece_field(g->flight->id->kind), "%s", words);
    (void)atomic_fetch_add(&g->f->counts.failures, 1);
}

void atls_flight_go(atls_fetcher *f, const atls_flight *flight, atls_flight_outcome *out)
{
    going g = {.f = f, .flight = flight, .out = out};
    *out = (atls_flight_outcome){.piece = NULL};
    if (!atls_arena_new(&g.scratch, ATLS_FETCH_SCRATCH, &out->failure)) {
        out->has_failed = true;
        return;
    }
    find_targets(&g);
    if (!look_around(&g) && !ask_all(&g)) {
        report(&g);
    }
    if (!out->was_downloaded) {
        out->piece = atls_piece_hold(g.newest);
    }
    atls_piece_release(g.newest);
    atls_arena_free(&g.scratch);
}

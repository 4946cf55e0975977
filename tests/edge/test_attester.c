/* SPDX-License-Identifier: Apache-2.0 */
/* test_attester.c: who is quoted together with whom, in which order, and what everybody gets. Specification of atls/1,
 * "Batching". */
#include "fake_attester.h"

#include "verify/native_binding.h"

/* ---- scripts -------------------------------------------------------------------------------------------------------
 *
 * L, R  a request arrives: a leaf, or report data; requests are called a, b, c in the order of arrival
 * <     the next quote is begun, and held
 * > ! ? the held quote ends: well, with the attester's error, with none; its tickets are told
 * -x    request x goes away
 *
 * Expected: the quotes, each by the requests it covers in their order; and each request's fate: A answered, F failed,
 * W waits, 0 refused, - went away. */
typedef struct script {
    const char *name;
    atls_attester_options options;
    const char *steps;
    const char *quotes;
    const char *fates;
    atls_attester_counts counts;
} script;

static const script scripts[] = {
    {"a leaf alone", {0}, "L<>", "a", "A", {.quotes = 1, .answered = 1}},
    {"report data alone", {0}, "R<>", "a", "A", {.quotes = 1, .answered = 1}},
    {"a leaf does not wait for others", {0}, "L<>L<>L<>", "a b c", "AAA", {.quotes = 3, .answered = 3}},
    {"two who come meanwhile share a quote", {0}, "L<LL><>", "a bc", "AAA", {.quotes = 2, .answered = 3}},
    {"ten who come meanwhile share a quote",
     {0},
     "L<LLLLLLLLLL><>",
     "a bcdefghijk",
     "AAAAAAAAAAA",
     {.quotes = 2, .answered = 11}},
    {"who comes after the batch closed is in the next",
     {0},
     "L<LL><LLL><>",
     "a bc def",
     "AAAAAA",
     {.quotes = 3, .answered = 6}},
    {"report data gets quotes of its own", {0}, "R<RR><><>", "a b c", "AAA", {.quotes = 3, .answered = 3}},

    {"a leaf taken back is not in the tree",
     {0},
     "L<LLL-c><>",
     "a bd",
     "AA-A",
     {.quotes = 2, .answered = 3, .dropped = 1}},
    {"the first of a line taken back", {0}, "L<LLL-b><>", "a cd", "A-AA", {.quotes = 2, .answered = 3, .dropped = 1}},
    {"the last of a line taken back", {0}, "L<LLL-dL><>", "a bce", "AAA-A", {.quotes = 2, .answered = 4, .dropped = 1}},
    {"all but one taken back", {0}, "L<LLL-b-d><>", "a c", "A-A-", {.quotes = 2, .answered = 2, .dropped = 2}},
    {"all taken back: nobody is quoted",
     {0},
     "L<LR-b-c>L<>",
     "a d",
     "A--A",
     {.quotes = 2, .answered = 2, .dropped = 2}},
    {"report data taken back", {0}, "L<RRR-c><><>", "a b d", "AA-A", {.quotes = 3, .answered = 3, .dropped = 1}},
    {"a leaf given up while its quote is made stays in the tree",
     {0},
     "L<LLL><-c>",
     "a bcd",
     "AA-A",
     {.quotes = 2, .answered = 3}},
    {"everybody gives up while the quote is made",
     {0},
     "L<LL><-b-c>L<>",
     "a bc d",
     "A--A",
     {.quotes = 3, .answered = 2}},
    {"report data given up while its quote is made", {0}, "R<-a>R<>", "a b", "-A", {.quotes = 2, .answered = 1}},
    {"somebody gives up and the quote fails",
     {0},
     "L<LL><-b!L<>",
     "a bc d",
     "A-FA",
     {.quotes = 2, .failed = 1, .answered = 2}},

    {"a failed quote fails its batch, not the next",
     {0},
     "L<LL!<>",
     "a bc",
     "FAA",
     {.quotes = 1, .failed = 1, .answered = 2}},
    {"a failed quote fails all of its batch, not the one before",
     {0},
     "L<LLL><!L<>",
     "a bcd e",
     "AFFFA",
     {.quotes = 2, .failed = 1, .answered = 2}},
    {"a quote that fails without a reason", {0}, "R<L?<>", "a b", "FA", {.quotes = 1, .failed = 1, .answered = 1}},

    {"the oldest first: report data before leaves",
     {0},
     "L<RLRL><><><>",
     "a b ce d",
     "AAAAA",
     {.quotes = 4, .answered = 5}},
    {"the oldest first: a leaf takes all leaves with it",
     {0},
     "R<LRLR><><><>",
     "a bd c e",
     "AAAAA",
     {.quotes = 4, .answered = 5}},
    {"leaves that keep coming do not starve report data",
     {0},
     "L<LRL><LL><LL><>",
     "a bd c efgh",
     "AAAAAAAA",
     {.quotes = 4, .answered = 8}},
    {"report data that keeps coming does not starve leaves",
     {0},
     "R<RLR><RR><><><><>",
     "a b c d e f",
     "AAAAAA",
     {.quotes = 6, .answered = 6}},

    {"at most max_batch under a quote",
     {.max_batch = 2},
     "L<LLLLL><><><>",
     "a bc de f",
     "AAAAAA",
     {.quotes = 4, .answered = 6}},
    {"max_batch 1: one quote a leaf",
     {.max_batch = 1},
     "L<LLL><><><>",
     "a b c d",
     "AAAA",
     {.quotes = 4, .answered = 4}},
    {"leaves beyond max_batch keep their turn",
     {.max_batch = 2},
     "L<LLLRL><><><>",
     "a bc df e",
     "AAAAAA",
     {.quotes = 4, .answered = 6}},

    {"beyond max_waiting: refused",
     {.max_waiting = 2},
     "L<LLL><>",
     "a bc",
     "AAA0",
     {.quotes = 2, .answered = 3, .refused = 1}},
    {"max_waiting counts both kinds",
     {.max_waiting = 2},
     "L<LRRL><><>",
     "a b c",
     "AAA00",
     {.quotes = 3, .answered = 3, .refused = 2}},
    {"one in the making does not wait",
     {.max_waiting = 1},
     "L<LL><LL><>",
     "a b d",
     "AA0A0",
     {.quotes = 3, .answered = 3, .refused = 2}},
    {"who goes away makes room",
     {.max_waiting = 2},
     "L<LLL-bL><>",
     "a ce",
     "A-A0A",
     {.quotes = 2, .answered = 3, .dropped = 1, .refused = 1}},
    {"those who wait are counted", {0}, "L<LRL-b", "a", "W-WW", {.dropped = 1, .waiting = 2}},
};

#define MAX_REQUESTS 16

typedef struct request {
    atls_ticket *ticket; /* NULL: refused or gone */
    atls_ticket_kind kind;
    uint8_t value[64];
    bool gone;
} request;

typedef struct play {
    stand *s;
    request requests[MAX_REQUESTS];
    unsigned n;
    unsigned n_begun;
} play;

static void arrive(play *p, atls_ticket_kind kind)
{
    assert_true(p->n < MAX_REQUESTS);
    request *r = &p->requests[p->n];
    *r = (request){.kind = kind};
    fake_value(p->n, r->value);
    r->ticket = stand_ask(p->s, kind, p->n);
    if (r->ticket == NULL) {
        assert_int_equal(p->s->err.code, ATLS_E_LIMIT);
        assert_string_equal(p->s->err.field, "attester.max_waiting");
    }
    p->n++;
}

static void go_away(play *p, char name)
{
    request *r = &p->requests[name - 'a'];
    assert_true(r->ticket != NULL);
    atls_ticket_free(r->ticket);
    *r = (request){.kind = r->kind, .gone = true};
    fake_value((unsigned)(name - 'a'), r->value);
}

static void perform(play *p, const char *steps)
{
    for (const char *at = steps; *at != '\0'; at++) {
        switch (*at) {
        case 'L':
            arrive(p, ATLS_TICKET_LEAF);
            break;
        case 'R':
            arrive(p, ATLS_TICKET_REPORT_DATA);
            break;
        case '-':
            at++;
            go_away(p, *at);
            break;
        case '<':
            stand_begun(p->s, ++p->n_begun);
            break;
        default:
            stand_end(p->s, (fake_end)*at);
            break;
        }
    }
}

static char fate_of(play *p, unsigned i, const atls_attested **got, atls_error *err)
{
    const request *r = &p->requests[i];
    *got = NULL;
    if (r->ticket == NULL) {
        return r->gone ? '-' : '0';
    }
    switch (atls_ticket_poll(r->ticket, got, err)) {
    case ATLS_TICKET_READY:
        return 'A';
    case ATLS_TICKET_WAITING:
        return 'W';
    case ATLS_TICKET_FAILED:
        break;
    }
    return 'F';
}

static void check_fates(play *p, const char *fates)
{
    char seen[MAX_REQUESTS + 1] = {0};
    for (unsigned i = 0; i < p->n; i++) {
        atls_error err = {0};
        const atls_attested *got;
        seen[i] = fate_of(p, i, &got, &err);
        assert_true((got != NULL) == (seen[i] == 'A'));
        assert_true((err.code != ATLS_OK) == (seen[i] == 'F'));
    }
    assert_string_equal(seen, fates);
}

/* One quote: `names` in this order and nobody else are in the tree that was quoted, and each has its place. */
static void check_quote(play *p, const uint8_t quoted[64], const char *names, size_t n)
{
    uint8_t leaves[MAX_REQUESTS][64];
    uint8_t root[64];
    uint8_t report[64];
    const atls_ticket_kind kind = p->requests[names[0] - 'a'].kind;
    for (size_t k = 0; k < n; k++) {
        memcpy(leaves[k], p->requests[names[k] - 'a'].value, 64);
    }
    if (kind == ATLS_TICKET_LEAF) {
        assert_true(atls_tree_root(p->s->crypto, (const uint8_t(*)[64])leaves, n, root, &p->s->err));
        assert_true(atls_native_report(p->s->crypto, n, root, report, &p->s->err));
    } else {
        assert_int_equal(n, 1);
        memcpy(report, leaves[0], 64);
    }
    assert_memory_equal(quoted, report, 64);
    for (size_t k = 0; k < n; k++) {
        atls_error err = {0};
        const atls_attested *got;
        const request *r = &p->requests[names[k] - 'a'];
        assert_int_equal(r->kind, kind);
        if (fate_of(p, (unsigned)(names[k] - 'a'), &got, &err) == 'A') {
            assert_memory_equal(got->report_data, quoted, 64);
            assert_true(stand_answer_holds(p->s, kind, r->value, got));
            assert_int_equal(got->path.size, kind == ATLS_TICKET_LEAF ? n : 0);
            assert_int_equal(got->path.index, k);
        }
    }
}

static void check_quotes(play *p, const char *quotes)
{
    unsigned n_quotes = 0;
    for (const char *at = quotes; *at != '\0'; n_quotes++) {
        const size_t n = strcspn(at, " ");
        assert_true(n_quotes < p->s->f.n_begun);
        check_quote(p, p->s->f.reports[n_quotes], at, n);
        at += n + (at[n] == ' ' ? 1 : 0);
    }
    assert_int_equal(p->s->f.n_begun, n_quotes);
}

static void check_counts(atls_attester *a, const atls_attester_counts *expected)
{
    const atls_attester_counts seen = atls_attester_count(a);
    assert_int_equal(seen.quotes, expected->quotes);
    assert_int_equal(seen.failed, expected->failed);
    assert_int_equal(seen.answered, expected->answered);
    assert_int_equal(seen.dropped, expected->dropped);
    assert_int_equal(seen.refused, expected->refused);
    assert_int_equal(seen.waiting, expected->waiting);
}

static void test_script(void **state)
{
    const script *row = *state;
    play p = {.n = 0};
    p.s = stand_open(&row->options, 0);
    perform(&p, row->steps);
    check_fates(&p, row->fates);
    check_quotes(&p, row->quotes);
    check_counts(p.s->a, &row->counts);
    stand_let_go(p.s);
    for (unsigned i = 0; i < p.n; i++) {
        atls_ticket_free(p.requests[i].ticket);
    }
    stand_close(p.s);
}

/* ---- how quotes fail ----------------------------------------------------------------------------------------------- */

typedef struct failure {
    const char *name;
    fake_end end;
    atls_code code; /* OK: it does not fail */
    const char *field;
    const char *message;
} failure;

static const failure failures[] = {
    {"the attester's own error", FAKE_REFUSES, ATLS_E_TIMEOUT, "agent", "the agent does not answer"},
    {"no error given", FAKE_IS_SILENT, ATLS_E_INTERNAL, "attest", "the attester failed and did not say why"},
    {"a quote of no bytes", FAKE_IS_EMPTY, ATLS_E_INTERNAL, "evidence.quote", "the attester made an empty quote"},
    {"a quote that is nowhere", FAKE_IS_NOTHING, ATLS_E_INTERNAL, "evidence.quote", "the attester made an empty quote"},
    {"success without a quote, with an error", FAKE_MUMBLES_EMPTY, ATLS_E_INTERNAL, "evidence.quote",
     "the attester made an empty quote"},
    {"success with a quote and an error is success", FAKE_MUMBLES, ATLS_OK, "", ""},
    {"as much memory as there is", FAKE_IS_GREEDY, ATLS_OK, "", ""},
    {"one byte more", FAKE_IS_TOO_GREEDY, ATLS_E_MEMORY, "arena", "the memory set aside for this appraisal is used up"},
};

static void check_failure(atls_ticket *t, const failure *row)
{
    atls_error err = {0};
    const atls_attested *got;
    const atls_ticket_state state = atls_ticket_poll(t, &got, &err);
    assert_int_equal(state, row->code == ATLS_OK ? ATLS_TICKET_READY : ATLS_TICKET_FAILED);
    assert_true((got != NULL) == (row->code == ATLS_OK));
    assert_int_equal(err.code, row->code);
    assert_int_equal(err.category, atls_code_category(row->code));
    assert_string_equal(err.field, row->field);
    assert_string_equal(err.message, row->message);
    /* the first failure wins */
    err = (atls_error){0};
    (void)atls_fail(&err, ATLS_E_IO, "before", "something else");
    assert_int_equal(atls_ticket_poll(t, &got, &err), state);
    assert_string_equal(err.field, "before");
}

static void test_failure(void **state)
{
    const failure *row = *state;
    stand *s = stand_open(&(atls_attester_options){.arena_size = 4096}, 0);
    atls_ticket *first = stand_ask(s, ATLS_TICKET_REPORT_DATA, 0);
    stand_begun(s, 1);
    atls_ticket *a = stand_ask(s, ATLS_TICKET_LEAF, 1);
    atls_ticket *b = stand_ask(s, ATLS_TICKET_LEAF, 2);
    stand_end(s, FAKE_OK);
    stand_begun(s, 2);
    stand_end(s, row->end);
    check_failure(first, &(failure){.code = ATLS_OK, .field = "", .message = ""});
    check_failure(a, row);
    check_failure(b, row);
    atls_ticket_free(a);
    check_failure(b, row); /* nobody's reason goes with somebody else */
    atls_ticket_free(first);
    atls_ticket_free(b);
    stand_close(s);
}

/* ---- options ------------------------------------------------------------------------------------------------------- */

static bool attest_nothing(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                           atls_error *err)
{
    (void)ctx;
    (void)report_data;
    (void)arena;
    (void)out;
    (void)err;
    return false;
}

typedef struct option_row {
    const char *name;
    atls_attester_options options;
    const char *field; /* NULL: acceptable */
} option_row;

static const option_row option_rows[] = {
    {"nothing but a function", {.attest = attest_nothing}, NULL},
    {"no function", {0}, "attester.attest"},
    {"the largest batch", {.attest = attest_nothing, .max_batch = 65536}, NULL},
    {"a batch that no tree holds", {.attest = attest_nothing, .max_batch = 65537}, "attester.max_batch"},
    {"as many as can be counted", {.attest = attest_nothing, .max_waiting = UINT32_MAX}, NULL},
    {"an arena larger than memory", {.attest = attest_nothing, .arena_size = SIZE_MAX}, "attester.arena_size"},
};

static void test_options(void **state)
{
    const option_row *row = *state;
    atls_error err = {0};
    atls_attester *a = NULL;
    assert_int_equal(atls_attester_new(&row->options, &a, &err), row->field == NULL);
    assert_true((a != NULL) == (row->field == NULL));
    if (row->field != NULL) {
        assert_int_equal(err.code, ATLS_E_CONFIGURATION);
        assert_string_equal(err.field, row->field);
    }
    atls_attester_free(a);
}

static void test_no_options(void **state)
{
    atls_error err = {0};
    atls_attester *a = NULL;
    (void)state;
    assert_false(atls_attester_new(NULL, &a, &err));
    assert_int_equal(err.code, ATLS_E_CONFIGURATION);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        tap_add(&l, scripts[i].name, test_script, &scripts[i]);
    }
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        tap_add(&l, failures[i].name, test_failure, &failures[i]);
    }
    for (size_t i = 0; i < sizeof option_rows / sizeof option_rows[0]; i++) {
        tap_add(&l, option_rows[i].name, test_options, &option_rows[i]);
    }
    tap_add(&l, "no options", test_no_options, NULL);
    return tap_run("attester", &l);
}

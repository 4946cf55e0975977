/* SPDX-License-Identifier: Apache-2.0 */
/* test_native_cmw.c: honest evidence of this session in a wrapper that the protocol does not have. */
#include "native_peer.h"

typedef enum type_form { AS_TEXT, AS_NUMBER, AS_BYTES } type_form;

/* The evidence frame, written by hand. */
typedef struct wrapper {
    const char *name;
    const char *field; /* NULL: accepted */
    const char *type;  /* NULL: the one that was asked for */
    type_form form;
    uint8_t tag;        /* before the CMW; 0: none */
    uint64_t indicator; /* 0: evidence */
    bool collection;
    const char *companion; /* its type; NULL: the log's */
    bool second_quote;     /* the companion is the quote again */
    uint64_t companion_key;
    bool third;     /* a collection of three */
    bool nested;    /* the collection's evidence is an array of a record */
    bool cmwc_type; /* the collection has a __cmwc_t */
    bool stapled;   /* an endorsement, which nobody asked for */
    uint64_t key;   /* another key of the message; 0: none */
} wrapper;

static const wrapper wrappers[] = {
    {.name = "a record", .field = "event_log"}, /* well-formed, and the software's measurements are in the log */
    {.name = "a collection", .collection = true},
    {.name = "a type by number", .field = "evidence.cmw.type", .form = AS_NUMBER},
    {.name = "a type as bytes", .field = "evidence.cmw.type", .form = AS_BYTES},
    {.name = "a type by number, in a collection", .field = "evidence.cmw.type", .form = AS_NUMBER, .collection = true},
    {.name = "a type that was not asked for",
     .field = "evidence.cmw.type",
     .type = "application/vnd.atls.sev-snp-report"},
    {.name = "a type that was not asked for, in a collection",
     .field = "evidence.cmw.type",
     .type = "application/vnd.atls.tpm2-quote+cbor",
     .collection = true},
    {.name = "a type that is longer by a letter", .field = "evidence.cmw.type", .type = ATLS_NATIVE_TYPE_DCAP "s"},
    {.name = "a type in other letters", .field = "evidence.cmw.type", .type = "application/vnd.atls.DCAP-quote"},
    {.name = "a log alone", .field = "evidence.cmw.type", .type = ATLS_NATIVE_TYPE_LOG},
    {.name = "a tagged record", .field = "evidence.cmw", .tag = 0xc6},
    {.name = "a tagged collection", .field = "evidence.cmw", .tag = 0xc6, .collection = true},
    {.name = "an indicator of endorsements", .field = "evidence.cmw.indicator", .indicator = 2},
    {.name = "an indicator of results", .field = "evidence.cmw.indicator", .indicator = 8},
    {.name = "an indicator of two kinds", .field = "evidence.cmw.indicator", .indicator = 6},
    {.name = "two quotes",
     .field = "evidence.companion.type",
     .collection = true,
     .companion = ATLS_NATIVE_TYPE_DCAP,
     .second_quote = true},
    {.name = "a second quote that is called a log",
     .field = "event_log.header.index",
     .collection = true,
     .second_quote = true},
    {.name = "a companion under key 2", .field = "evidence.cmw.key", .collection = true, .companion_key = 2},
    {.name = "a collection of three", .field = "evidence.cmw", .collection = true, .third = true},
    {.name = "a record in a list", .field = "evidence.cmw", .collection = true, .nested = true},
    {.name = "a collection with a type of its own", .field = "evidence.cmw.key", .collection = true, .cmwc_type = true},
    {.name = "endorsements that were not asked for",
     .field = "evidence.endorsements",
     .collection = true,
     .stapled = true},
    {.name = "an unknown key", .field = "evidence.key", .collection = true, .key = 4},
};

static void put_type(atls_cw *w, const wrapper *k)
{
    const atls_bytes type = atls_bytes_str(k->type == NULL ? ATLS_NATIVE_TYPE_DCAP : k->type);
    if (k->form == AS_NUMBER) {
        atls_cw_uint(w, 60);
    } else if (k->form == AS_BYTES) {
        atls_cw_bytes(w, type);
    } else {
        atls_cw_text(w, type);
    }
}

static void put_record(atls_cw *w, const wrapper *k, const native_peer *p)
{
    if (k->nested) {
        atls_cw_array(w, 1);
    }
    atls_cw_array(w, 3);
    put_type(w, k);
    atls_cw_bytes(w, p->quoted.quote);
    atls_cw_uint(w, k->indicator == 0 ? ATLS_CMW_EVIDENCE : k->indicator);
}

static void put_cmw(atls_cw *w, const wrapper *k, const native_peer *p)
{
    const atls_cmw_record companion = {atls_bytes_str(k->companion == NULL ? ATLS_NATIVE_TYPE_LOG : k->companion),
                                       k->second_quote ? p->quoted.quote : p->quoted.event_log};
    if (!k->collection) {
        put_record(w, k, p);
        return;
    }
    atls_cw_map(w, k->third ? 3 : 2);
    atls_cw_uint(w, 0);
    put_record(w, k, p);
    if (k->cmwc_type) {
        atls_cw_text(w, atls_bytes_str("__cmwc_t"));
        atls_cw_text(w, atls_bytes_str("tag:example.com,2026:quote"));
        return;
    }
    atls_cw_uint(w, k->companion_key == 0 ? 1 : k->companion_key);
    atls_cmw_write(w, ATLS_CMW_EVIDENCE, &companion);
    if (k->third) {
        atls_cw_uint(w, 2);
        atls_cmw_write(w, ATLS_CMW_EVIDENCE, &companion);
    }
}

static atls_bytes wrapped(native_peer *p, atls_native_message m, atls_bytes honest)
{
    const wrapper *k = p->row;
    const atls_cmw_record crl = {atls_bytes_str("application/pkix-crl"), atls_bytes_str("crl")};
    atls_buf buf;
    atls_bytes body;
    atls_cw w;
    if (m != ATLS_NATIVE_EVIDENCE) {
        return honest;
    }
    atls_buf_init(&buf, &p->r->arena, &p->r->err);
    atls_cw_init(&w, &buf);
    atls_cw_map(&w, 2u + (k->stapled ? 1 : 0) + (k->key != 0 ? 1 : 0));
    atls_cw_uint(&w, 0);
    atls_cw_uint(&w, ATLS_NATIVE_EVIDENCE);
    atls_cw_uint(&w, 1);
    if (k->tag != 0) {
        atls_buf_put(&buf, atls_bytes_of(&k->tag, 1));
    }
    put_cmw(&w, k, p);
    if (k->stapled) {
        atls_cw_uint(&w, 2);
        atls_cw_array(&w, 1);
        atls_cmw_write(&w, ATLS_CMW_ENDORSEMENT, &crl);
    }
    if (k->key != 0) {
        atls_cw_uint(&w, k->key);
        atls_cw_bool(&w, true);
    }
    assert_true(atls_buf_done(&buf, &body));
    return native_frame_of(p, body);
}

/* To a client, to a server, and to a server that has proved itself before. */
static void test_wrapper(void **state)
{
    static const native_victim victims[] = {CLIENT_ASKS, SERVER_ASKS, SERVER_BOTH};
    static const native_lies lies = {.frame = wrapped};
    const wrapper *k = *state;
    for (size_t i = 0; i < 3; i++) {
        rig r;
        rig_open(&r);
        native_set_up(&r, victims[i]);
        native_peer *p = native_peer_open(&r, victims[i], &lies);
        p->row = k;
        native_peer_play(p);
        if (k->field == NULL) {
            native_expect_talk(p);
        } else {
            const bool about_log = strncmp(k->field, "event_log", 9) == 0;
            native_expect_refused(p, about_log ? ATLS_E_EVENT_LOG_PARSE : ATLS_E_PROTOCOL, k->field);
            native_expect_told(p);
        }
        native_peer_close(p);
        rig_close(&r);
    }
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof wrappers / sizeof wrappers[0]; i++) {
        tap_add(&l, wrappers[i].name, test_wrapper, &wrappers[i]);
    }
    return tap_run("native_cmw", &l);
}

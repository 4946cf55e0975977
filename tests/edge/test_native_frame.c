/* SPDX-License-Identifier: Apache-2.0 */
/* test_native_frame.c: the rules of atls/1's four messages, a row each: an honest message and one change of it. What a
 * reader takes, the writer gives again, byte for byte. */
#include "edge/tls/native_frame.h"

#include "base/check.h"
#include "base/text.h"

/* ---- reading and writing again, whatever the message ---- */

typedef enum kind { PEEK, CLIENT, SERVER, EVIDENCE, DONE } kind;

static bool again(kind k, atls_bytes body, atls_arena *a, atls_bytes *frame, atls_error *err)
{
    atls_native_hello hello;
    atls_native_evidence evidence;
    atls_native_done done;
    atls_error write_err = {0};
    bool ok;
    if (k == EVIDENCE) {
        ok = atls_native_read_evidence(body, &evidence, err);
        assert_true(!ok || atls_native_write_evidence(&evidence, a, frame, &write_err));
    } else if (k == DONE) {
        ok = atls_native_read_done(body, &done, err);
        assert_true(!ok || atls_native_write_done(&done, a, frame, &write_err));
    } else {
        ok = atls_native_read_hello(k == SERVER, body, &hello, err);
        assert_true(!ok || atls_native_write_hello(k == SERVER, &hello, a, frame, &write_err));
    }
    return ok;
}

/* The frame is the body with its length before it. */
static void check_frame(atls_bytes frame, atls_bytes body)
{
    assert_int_equal(frame.len, body.len + 4);
    assert_memory_equal(frame.ptr + 4, body.ptr, body.len);
    assert_int_equal((size_t)frame.ptr[0] << 24 | (size_t)frame.ptr[1] << 16 | (size_t)frame.ptr[2] << 8 | frame.ptr[3],
                     body.len);
}

typedef struct row {
    const char *name;
    kind kind;
    const char *hex;
    const char *field;   /* NULL: accepted */
    const char *message; /* NULL: not looked at; else a part of it, where two rules share a field */
} row;

#define N32   "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define N16   "000102030405060708090a0b0c0d0e0f"
#define N64   N32 N32
#define CH    "00 01 01 02 02 5820" N32 /* keys 0 to 2 of a client hello */
#define SH    "00 02 01 02 02 5820" N32
#define TYPES "03 81 6174"   /* "t" */
#define PROTO "04 81 626832" /* "h2" */
#define EV    "00 03"
#define REC   "83 6174 4176 04" /* ["t", 'v', 4] */
#define END   "83 6174 4176 02" /* an endorsement */
#define LOG   "83 782a" LOG_TYPE "4176 04"
#define LOG_TYPE                                                                                                       \
    "6170706c69636174696f6e2f766e642e61746c732e64737461636b2d6576656e742d6c6f672b6a736f6e" /* the event log's */
#define SIB   "5840" N64
#define X4(x) x x x x
/* sixteen names and one more */
#define NAMES16 "6130 6131 6132 6133 6134 6135 6136 6137 6138 6139 6161 6162 6163 6164 6165 6166"
#define NAMES17 NAMES16 "6167"
#define A15     X4("61") X4("61") X4("61") "616161"
#define A255    X4(X4(A15)) A15

static const row hello_rows[] = {
    {"client: honest", CLIENT, "a5" CH TYPES PROTO, NULL, NULL},
    {"client: no evidence wanted", CLIENT, "a5" CH "03 80" PROTO, NULL, NULL},
    {"client: everything", CLIENT, "a7" CH TYPES "04 82 626832 626833 05 f5 06 1affffffff", NULL, NULL},
    {"client: endorsements", CLIENT, "a6" CH TYPES PROTO "05 f5", NULL, NULL},
    {"client: wait", CLIENT, "a6" CH TYPES PROTO "06 00", NULL, NULL},
    {"client: sixteen types", CLIENT, "a5" CH "03 90" NAMES16 PROTO, NULL, NULL},
    {"client: sixteen protocols", CLIENT, "a5" CH TYPES "04 90" NAMES16, NULL, NULL},
    {"client: a name of 255 bytes", CLIENT, "a5" CH TYPES "04 81 78ff" A255, NULL, NULL},
    {"server: honest", SERVER, "a5" SH TYPES PROTO, NULL, NULL},
    {"server: endorsements", SERVER, "a6" SH TYPES PROTO "05 f5", NULL, NULL},
    /* the map */
    {"map: nothing", CLIENT, "", "client_hello", NULL},
    {"map: an array", CLIENT, "85" CH TYPES PROTO, "client_hello", "another type"},
    {"map: indefinite", CLIENT, "bf" CH TYPES PROTO "ff", "client_hello", "indefinite"},
    {"map: a longer head", CLIENT, "b805" CH TYPES PROTO, "client_hello", "longer than it must be"},
    {"map: a tag", CLIENT, "d9d9f7 a5" CH TYPES PROTO, "client_hello", "another type"},
    {"map: a byte behind it", CLIENT, "a5" CH TYPES PROTO "00", "client_hello", "bytes after the end"},
    {"map: a pair that is not counted", CLIENT, "a5" CH TYPES PROTO "05 f5", "client_hello", "bytes after the end"},
    {"map: a pair too many counted", CLIENT, "a6" CH TYPES PROTO, "client_hello.key", "too early"},
    {"map: a count that lies", CLIENT, "bbffffffffffffffff" CH TYPES PROTO, "client_hello.key", "too early"},
    {"server: nothing", SERVER, "", "server_hello", NULL},
    {"server: a byte behind it", SERVER, "a5" SH TYPES PROTO "00", "server_hello", "bytes after the end"},
    /* keys */
    {"key: unknown", CLIENT, "a6" CH TYPES PROTO "07 00", "client_hello.key", "unknown"},
    {"key: unknown and far", CLIENT, "a6" CH TYPES PROTO "1affffffff 00", "client_hello.key", "unknown"},
    {"key: beyond 32 bits", CLIENT, "a6" CH TYPES PROTO "1b0000000100000000 00", "client_hello.key", "too large"},
    {"key: negative", CLIENT, "a6" CH TYPES PROTO "20 00", "client_hello.key", "another type"},
    {"key: text", CLIENT, "a6" CH TYPES PROTO "6161 00", "client_hello.key", "another type"},
    {"key: tagged", CLIENT, "a6" CH TYPES PROTO "c0 05 f5", "client_hello.key", "another type"},
    {"key: a longer head", CLIENT, "a6" CH TYPES PROTO "1805 f5", "client_hello.key", "longer than it must be"},
    {"key: the last one twice", CLIENT, "a6" CH TYPES PROTO PROTO, "client_hello.key", "out of order"},
    {"key: 5 twice", CLIENT, "a7" CH TYPES PROTO "05 f5 05 f5", "client_hello.key", "out of order"},
    {"key: 6 before 5", CLIENT, "a7" CH TYPES PROTO "06 00 05 f5", "client_hello.key", "out of order"},
    {"key: 4 before 3", CLIENT, "a5" CH PROTO TYPES, "client_hello.types", "missing"},
    {"key: 1 before 0", CLIENT, "a5 01 02 00 01 02 5820" N32 TYPES PROTO, "client_hello.message", "missing"},
    {"key: 6 in a server's", SERVER, "a6" SH TYPES PROTO "06 00", "server_hello.key", "unknown"},
    {"key: 7 in a server's", SERVER, "a6" SH TYPES PROTO "07 00", "server_hello.key", "unknown"},
    {"key: no 0", CLIENT, "a4 01 02 02 5820" N32 TYPES PROTO, "client_hello.message", "missing"},
    {"key: no 1", CLIENT, "a4 00 01 02 5820" N32 TYPES PROTO, "client_hello.revision", "missing"},
    {"key: no 2", CLIENT, "a4 00 01 01 02" TYPES PROTO, "client_hello.nonce", "missing"},
    {"key: no 3", CLIENT, "a4" CH PROTO, "client_hello.types", "missing"},
    {"key: no 4", CLIENT, "a4" CH TYPES, "client_hello.protocols", "missing"},
    {"key: none", CLIENT, "a0", "client_hello.message", "missing"},
    /* message and revision */
    {"message: a server's as a client's", CLIENT, "a5" SH TYPES PROTO, "client_hello.message", NULL},
    {"message: a client's as a server's", SERVER, "a5" CH TYPES PROTO, "server_hello.message", NULL},
    {"message: 0", CLIENT, "a5 00 00 01 02 02 5820" N32 TYPES PROTO, "client_hello.message", NULL},
    {"message: text", CLIENT, "a5 00 6131 01 02 02 5820" N32 TYPES PROTO, "client_hello.message", NULL},
    {"revision: 1", CLIENT, "a5 00 01 01 01 02 5820" N32 TYPES PROTO, "client_hello.revision", NULL},
    {"revision: 3", CLIENT, "a5 00 01 01 03 02 5820" N32 TYPES PROTO, "client_hello.revision", NULL},
    {"revision: 2 in two bytes", CLIENT, "a5 00 01 01 1802 02 5820" N32 TYPES PROTO, "client_hello.revision", NULL},
    {"revision: 1 in a server's", SERVER, "a5 00 02 01 01 02 5820" N32 TYPES PROTO, "server_hello.revision", NULL},
    /* nonce */
    {"nonce: 31 bytes", CLIENT, "a5 00 01 01 02 02 581f" N16 "101112131415161718191a1b1c1d1e" TYPES PROTO,
     "client_hello.nonce", "another length"},
    {"nonce: 33 bytes", CLIENT, "a5 00 01 01 02 02 5821" N32 "00" TYPES PROTO, "client_hello.nonce", "another length"},
    {"nonce: empty", CLIENT, "a5 00 01 01 02 02 40" TYPES PROTO, "client_hello.nonce", "another length"},
    {"nonce: text", CLIENT, "a5 00 01 01 02 02 7820" N32 TYPES PROTO, "client_hello.nonce", "another type"},
    {"nonce: a longer head", CLIENT, "a5 00 01 01 02 02 590020" N32 TYPES PROTO, "client_hello.nonce", "longer"},
    {"nonce: 31 bytes of a server", SERVER, "a5 00 02 01 02 02 50" N16 TYPES PROTO, "server_hello.nonce", NULL},
    /* types */
    {"types: seventeen", CLIENT, "a5" CH "03 91" NAMES17 PROTO, "client_hello.types", NULL},
    {"types: one twice", CLIENT, "a5" CH "03 83 6174 6175 6174" PROTO, "client_hello.types", "twice"},
    {"types: an empty one", CLIENT, "a5" CH "03 81 60" PROTO, "client_hello.types", "empty or too long"},
    {"types: 256 bytes", CLIENT, "a5" CH "03 81 790100" A255 "61" PROTO, "client_hello.types", "empty or too long"},
    {"types: a number", CLIENT, "a5" CH "03 81 1901f4" PROTO, "client_hello.types", "another type"},
    {"types: bytes", CLIENT, "a5" CH "03 81 4174" PROTO, "client_hello.types", "another type"},
    {"types: no UTF-8", CLIENT, "a5" CH "03 81 61ff" PROTO, "client_hello.types", "UTF-8"},
    {"types: a text alone", CLIENT, "a5" CH "03 6174" PROTO, "client_hello.types", "another type"},
    {"types: indefinite", CLIENT, "a5" CH "03 9f 6174 ff" PROTO, "client_hello.types", "indefinite"},
    {"types: null", CLIENT, "a5" CH "03 f6" PROTO, "client_hello.types", "another type"},
    {"types: seventeen of a server", SERVER, "a5" SH "03 91" NAMES17 PROTO, "server_hello.types", NULL},
    /* protocols */
    {"protocols: none", CLIENT, "a5" CH TYPES "04 80", "client_hello.protocols", "too few"},
    {"protocols: seventeen", CLIENT, "a5" CH TYPES "04 91" NAMES17, "client_hello.protocols", NULL},
    {"protocols: one twice", CLIENT, "a5" CH TYPES "04 82 626832 626832", "client_hello.protocols", "twice"},
    {"protocols: an empty one", CLIENT, "a5" CH TYPES "04 81 60", "client_hello.protocols", "empty or too long"},
    {"protocols: 256 bytes", CLIENT, "a5" CH TYPES "04 81 790100" A255 "61", "client_hello.protocols", "too long"},
    {"protocols: bytes", CLIENT, "a5" CH TYPES "04 81 426832", "client_hello.protocols", "another type"},
    {"protocols: none of a server", SERVER, "a5" SH TYPES "04 80", "server_hello.protocols", "too few"},
    {"protocols: two of a server", SERVER, "a5" SH TYPES "04 82 626832 626833", "server_hello.protocols", NULL},
    /* endorsements and wait */
    {"staple: false", CLIENT, "a6" CH TYPES PROTO "05 f4", "client_hello.staple", "only true"},
    {"staple: one", CLIENT, "a6" CH TYPES PROTO "05 01", "client_hello.staple", "another type"},
    {"staple: null", CLIENT, "a6" CH TYPES PROTO "05 f6", "client_hello.staple", "another type"},
    {"staple: false of a server", SERVER, "a6" SH TYPES PROTO "05 f4", "server_hello.staple", "only true"},
    {"wait: 2^32", CLIENT, "a6" CH TYPES PROTO "06 1b0000000100000000", "client_hello.wait", "too large"},
    {"wait: negative", CLIENT, "a6" CH TYPES PROTO "06 20", "client_hello.wait", "another type"},
    {"wait: a float", CLIENT, "a6" CH TYPES PROTO "06 f93c00", "client_hello.wait", "another type"},
};

static const row evidence_rows[] = {
    {"evidence: honest", EVIDENCE, "a2" EV "01" REC, NULL, NULL},
    {"evidence: with a log", EVIDENCE, "a2" EV "01 a2 00" REC "01" LOG, NULL, NULL},
    {"evidence: an endorsement", EVIDENCE, "a3" EV "01" REC "02 81" END, NULL, NULL},
    {"evidence: sixteen endorsements", EVIDENCE, "a3" EV "01" REC "02 90" X4(X4(END)), NULL, NULL},
    {"evidence: two leaves", EVIDENCE, "a3" EV "01" REC "03 83 00 02 81" SIB, NULL, NULL},
    {"evidence: sixteen siblings", EVIDENCE, "a3" EV "01" REC "03 83 19ffff 1a00010000 90" X4(X4(SIB)), NULL, NULL},
    {"evidence: everything", EVIDENCE, "a4" EV "01 a2 00" REC "01" LOG "02 82" END END "03 83 01 03 82" SIB SIB, NULL,
     NULL},
    /* the map */
    {"map: nothing in it", EVIDENCE, "a0", "evidence.message", "missing"},
    {"map: not one", EVIDENCE, "82" EV, "evidence", "another type"},
    {"map: a byte behind it", EVIDENCE, "a2" EV "01" REC "00", "evidence", "bytes after the end"},
    {"message: a done's", EVIDENCE, "a2 00 04 01" REC, "evidence.message", NULL},
    {"key: no 1", EVIDENCE, "a1" EV, "evidence.cmw", "missing"},
    {"key: 2 instead of 1", EVIDENCE, "a2" EV "02 81" END, "evidence.cmw", "missing"},
    {"key: unknown", EVIDENCE, "a3" EV "01" REC "04 00", "evidence.key", "unknown"},
    {"key: 1 twice", EVIDENCE, "a3" EV "01" REC "01" REC, "evidence.key", "out of order"},
    {"key: 3 before 2", EVIDENCE, "a4" EV "01" REC "03 83 00 02 81" SIB "02 81" END, "evidence.key", "out of order"},
    {"key: 2 twice", EVIDENCE, "a4" EV "01" REC "02 81" END "02 81" END, "evidence.key", "out of order"},
    {"key: 3 twice", EVIDENCE, "a4" EV "01" REC "03 83 00 02 81" SIB "03 83 00 02 81" SIB, "evidence.key",
     "out of order"},
    /* the record */
    {"cmw: a text", EVIDENCE, "a2" EV "01 6174", "evidence.cmw", "another type"},
    {"cmw: a tag", EVIDENCE, "a2" EV "01 d90101" REC, "evidence.cmw", "another type"},
    {"cmw: cut", EVIDENCE, "a2" EV "01", "evidence.cmw", "too early"},
    {"cmw: no indicator", EVIDENCE, "a2" EV "01 82 6174 4176", "evidence.cmw", "another length"},
    {"cmw: four items", EVIDENCE, "a2" EV "01 84 6174 4176 04 00", "evidence.cmw", NULL},
    {"cmw: indefinite", EVIDENCE, "a2" EV "01 9f 6174 4176 04 ff", "evidence.cmw", "indefinite"},
    {"cmw: a type by number", EVIDENCE, "a2" EV "01 83 1901f4 4176 04", "evidence.cmw.type", "another type"},
    {"cmw: no type", EVIDENCE, "a2" EV "01 83 60 4176 04", "evidence.cmw.type", "empty"},
    {"cmw: no value", EVIDENCE, "a2" EV "01 83 6174 40 04", "evidence.cmw.value", "empty"},
    {"cmw: a tagged value", EVIDENCE, "a2" EV "01 83 6174 d818 4176 04", "evidence.cmw.value", "another type"},
    {"cmw: nested", EVIDENCE, "a2" EV "01 83 6174" REC "04", "evidence.cmw.value", "another type"},
    {"cmw: an endorsement", EVIDENCE, "a2" EV "01" END, "evidence.cmw.indicator", NULL},
    {"cmw: evidence and endorsement", EVIDENCE, "a2" EV "01 83 6174 4176 06", "evidence.cmw.indicator", NULL},
    {"cmw: a log alone", EVIDENCE, "a2" EV "01" LOG, "evidence.cmw.type", "event log"},
    /* the collection */
    {"collection: empty", EVIDENCE, "a2" EV "01 a0", "evidence.cmw", "exactly two"},
    {"collection: one record", EVIDENCE, "a2" EV "01 a1 00" REC, "evidence.cmw", "exactly two"},
    {"collection: three records", EVIDENCE, "a2" EV "01 a3 00" REC "01" LOG "02" LOG, "evidence.cmw", NULL},
    {"collection: two quotes", EVIDENCE, "a2" EV "01 a2 00" REC "01" REC, "evidence.companion.type", "event log"},
    {"collection: two logs", EVIDENCE, "a2" EV "01 a2 00" LOG "01" LOG, "evidence.cmw.type", "event log"},
    {"collection: the log first", EVIDENCE, "a2" EV "01 a2 00" LOG "01" REC, "evidence.cmw.type", "event log"},
    {"collection: key 1 first", EVIDENCE, "a2" EV "01 a2 01" LOG "00" REC, "evidence.cmw.key", NULL},
    {"collection: key 0 twice", EVIDENCE, "a2" EV "01 a2 00" REC "00" LOG, "evidence.cmw.key", NULL},
    {"collection: key 2", EVIDENCE, "a2" EV "01 a2 00" REC "02" LOG, "evidence.cmw.key", NULL},
    {"collection: __cmwc_t", EVIDENCE, "a2" EV "01 a2 00" REC "68 5f5f636d77635f74 6174", "evidence.cmw.key", NULL},
    {"collection: in a collection", EVIDENCE, "a2" EV "01 a2 00 a2 00" REC "01" LOG "01" LOG, "evidence.cmw", NULL},
    {"collection: an endorsement as log", EVIDENCE, "a2" EV "01 a2 00" REC "01 83 782a" LOG_TYPE "4176 02",
     "evidence.companion.indicator", NULL},
    {"collection: an empty log", EVIDENCE, "a2" EV "01 a2 00" REC "01 83 782a" LOG_TYPE "40 04",
     "evidence.companion.value", NULL},
    {"collection: indefinite", EVIDENCE, "a2" EV "01 bf 00" REC "01" LOG "ff", "evidence.cmw", "indefinite"},
    /* endorsements */
    {"endorsements: an empty list", EVIDENCE, "a3" EV "01" REC "02 80", "evidence.endorsements", "left out"},
    {"endorsements: seventeen", EVIDENCE, "a3" EV "01" REC "02 91" X4(X4(END)) END, "evidence.endorsements", NULL},
    {"endorsements: evidence", EVIDENCE, "a3" EV "01" REC "02 81" REC, "evidence.endorsements.indicator", NULL},
    {"endorsements: no type", EVIDENCE, "a3" EV "01" REC "02 81 83 60 4176 02", "evidence.endorsements.type", NULL},
    {"endorsements: no value", EVIDENCE, "a3" EV "01" REC "02 81 83 6174 40 02", "evidence.endorsements.value", NULL},
    {"endorsements: a record alone", EVIDENCE, "a3" EV "01" REC "02" END, "evidence.endorsements", NULL},
    {"endorsements: fewer than said", EVIDENCE, "a3" EV "01" REC "02 82" END, "evidence.endorsements", "too early"},
    /* the tree */
    {"tree: one leaf", EVIDENCE, "a3" EV "01" REC "03 83 00 01 80", "evidence.tree.size", "left out"},
    {"tree: no leaf", EVIDENCE, "a3" EV "01" REC "03 83 00 00 80", "evidence.tree.size", NULL},
    {"tree: 65537 leaves", EVIDENCE, "a3" EV "01" REC "03 83 1a00010000 1a00010001 81" SIB, "evidence.tree.size", NULL},
    {"tree: index is size", EVIDENCE, "a3" EV "01" REC "03 83 02 02 81" SIB, "evidence.tree.index", NULL},
    {"tree: a negative index", EVIDENCE, "a3" EV "01" REC "03 83 20 02 81" SIB, "evidence.tree.index", NULL},
    {"tree: no sibling", EVIDENCE, "a3" EV "01" REC "03 83 00 02 80", "evidence.tree.siblings", NULL},
    {"tree: a sibling too many", EVIDENCE, "a3" EV "01" REC "03 83 00 02 82" SIB SIB, "evidence.tree.siblings", NULL},
    {"tree: a sibling missing", EVIDENCE, "a3" EV "01" REC "03 83 00 03 81" SIB, "evidence.tree.siblings", NULL},
    {"tree: seventeen siblings", EVIDENCE, "a3" EV "01" REC "03 83 00 1a00010000 91" X4(X4(SIB)) SIB,
     "evidence.tree.siblings", "too large"},
    {"tree: a sibling of 63 bytes", EVIDENCE,
     "a3" EV "01" REC "03 83 00 02 81 583f" N32 N16 "000102030405060708090a0b0c0d0e", "evidence.tree.siblings",
     "another length"},
    {"tree: a sibling of 65 bytes", EVIDENCE, "a3" EV "01" REC "03 83 00 02 81 5841" N64 "00", "evidence.tree.siblings",
     "another length"},
    {"tree: siblings together", EVIDENCE, "a3" EV "01" REC "03 83 00 02 5840" N64, "evidence.tree.siblings", NULL},
    {"tree: two items", EVIDENCE, "a3" EV "01" REC "03 82 00 02", "evidence.tree", NULL},
    {"tree: four items", EVIDENCE, "a3" EV "01" REC "03 84 00 02 81" SIB "00", "evidence.tree", NULL},
    {"tree: a map", EVIDENCE, "a3" EV "01" REC "03 a0", "evidence.tree", "another type"},
    {"tree: null", EVIDENCE, "a3" EV "01" REC "03 f6", "evidence.tree", "another type"},
};

static const row done_rows[] = {
    {"done: accepted", DONE, "a3 00 04 01 00 02 5820" N32, NULL, NULL},
    {"done: trust", DONE, "a2 00 04 01 01", NULL, NULL},
    {"done: time", DONE, "a2 00 04 01 02", NULL, NULL},
    {"done: content", DONE, "a2 00 04 01 03", NULL, NULL},
    {"done: internal", DONE, "a2 00 04 01 04", NULL, NULL},
    {"done: no such category", DONE, "a2 00 04 01 05", "done.verdict", NULL},
    {"done: a verdict of text", DONE, "a2 00 04 01 6131", "done.verdict", NULL},
    {"done: no verdict", DONE, "a1 00 04", "done.verdict", "missing"},
    {"done: accepted without context", DONE, "a2 00 04 01 00", "done.context", "missing"},
    {"done: a short context", DONE, "a3 00 04 01 00 02 50" N16, "done.context", "another length"},
    {"done: a long context", DONE, "a3 00 04 01 00 02 5821" N32 "00", "done.context", "another length"},
    {"done: a context of text", DONE, "a3 00 04 01 00 02 7820" N32, "done.context", "another type"},
    {"done: a refusal with context", DONE, "a3 00 04 01 01 02 5820" N32, "done.context", "no context"},
    {"done: another key with 0", DONE, "a4 00 04 01 00 02 5820" N32 "03 00", "done.key", "unknown"},
    {"done: another key with 1", DONE, "a3 00 04 01 01 03 00", "done.key", "unknown"},
    {"done: the verdict twice", DONE, "a3 00 04 01 01 01 01", "done.key", "out of order"},
    {"done: evidence", DONE, "a2" EV "01" REC, "done.message", NULL},
    {"done: a byte behind it", DONE, "a2 00 04 01 01 00", "done", "bytes after the end"},
    {"done: not a map", DONE, "82 00 04", "done", "another type"},
    {"done: nothing", DONE, "", "done", NULL},
};

static const row peek_rows[] = {
    {"peek: 1", PEEK, "a1 00 01", NULL, NULL},
    {"peek: 4, whatever follows", PEEK, "a2 00 04 ff", NULL, NULL},
    {"peek: 0", PEEK, "a1 00 00", "frame.message", "unknown"},
    {"peek: 5", PEEK, "a1 00 05", "frame.message", "unknown"},
    {"peek: 2^32 + 1", PEEK, "a1 00 1b0000000100000001", "frame.message", "unknown"},
    {"peek: text", PEEK, "a1 00 6131", "frame.message", NULL},
    {"peek: another key", PEEK, "a1 01 01", "frame.key", NULL},
    {"peek: an empty map", PEEK, "a0", "frame.key", NULL},
    {"peek: an array", PEEK, "82 00 01", "frame", NULL},
    {"peek: nothing", PEEK, "", "frame", NULL},
};

static void check_refused(const row *r, const atls_error *err)
{
    check_error(err, ATLS_E_PROTOCOL, r->field);
    if (r->message != NULL && strstr(err->message, r->message) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", err->message, r->message);
    }
}

static void test_row(void **state)
{
    const row *r = *state;
    size_t len;
    uint8_t *in = check_hex(r->hex, &len);
    atls_error err = {0};
    atls_bytes frame = atls_bytes_empty();
    bool ok = again(r->kind, atls_bytes_of(in, len), check_arena(), &frame, &err);
    assert_int_equal(ok, r->field == NULL);
    if (ok) {
        check_frame(frame, atls_bytes_of(in, len));
    } else {
        check_refused(r, &err);
    }
    free(in);
}

static void test_peek(void **state)
{
    const row *r = *state;
    size_t len;
    uint8_t *in = check_hex(r->hex, &len);
    atls_error err = {0};
    atls_native_message m;
    bool ok = atls_native_peek(atls_bytes_of(in, len), &m, &err);
    assert_int_equal(ok, r->field == NULL);
    if (ok) {
        assert_int_equal(m, in[2]);
    } else {
        check_refused(r, &err);
    }
    free(in);
}

/* No prefix of an honest message is one; a flipped bit is refused, or is another message with bytes of its own. */
static void test_damaged(void **state)
{
    const row *r = *state;
    size_t len;
    uint8_t *in = check_hex(r->hex, &len);
    atls_bytes frame;
    for (size_t n = 0; n < len; n++) {
        atls_error err = {0};
        uint8_t *cut = malloc(n == 0 ? 1 : n);
        assert_non_null(cut);
        memcpy(cut, in, n);
        assert_false(again(r->kind, atls_bytes_of(cut, n), check_arena(), &frame, &err));
        assert_int_equal(err.code, ATLS_E_PROTOCOL);
        free(cut);
    }
    for (size_t bit = 0; bit < 8 * len; bit++) {
        atls_error err = {0};
        in[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (again(r->kind, atls_bytes_of(in, len), check_arena(), &frame, &err)) {
            check_frame(frame, atls_bytes_of(in, len));
        } else {
            assert_int_equal(err.code, ATLS_E_PROTOCOL);
        }
        in[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(in);
}

static void add_rows(tap_list *tests, const row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        tap_add(tests, rows[i].name, rows[i].kind == PEEK ? test_peek : test_row, &rows[i]);
        if (rows[i].kind != PEEK && rows[i].field == NULL) {
            tap_add(tests, rows[i].name, test_damaged, &rows[i]);
        }
    }
}

int main(void)
{
    tap_list tests = {0};
    add_rows(&tests, hello_rows, COUNT(hello_rows));
    add_rows(&tests, evidence_rows, COUNT(evidence_rows));
    add_rows(&tests, done_rows, COUNT(done_rows));
    add_rows(&tests, peek_rows, COUNT(peek_rows));
    return tap_run("native_frame", &tests);
}

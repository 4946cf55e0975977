/* SPDX-License-Identifier: Apache-2.0 */
/* recognise_shapes.h: looks at a value whose OID promises something. Inside core/verify only.
 *
 * A look fills inside, quote, and, when the value breaks the promise, problem; it may narrow format. What it reads is
 * anybody's. It returns false only when memory ran out. */
#ifndef ATLS_VERIFY_RECOGNISE_SHAPES_H
#define ATLS_VERIFY_RECOGNISE_SHAPES_H

#include "base/json.h"
#include "recognise.h"

typedef struct atls_look {
    atls_bytes value; /* content of extnValue */
    atls_recognised *out;
    atls_arena *arena;
    atls_error *err;
} atls_look;

typedef bool (*atls_look_fn)(atls_look *l);

/* atls_look_quote_name names an Intel quote by its header, NULL when it is none. Static. */
const char *atls_look_quote_name(atls_bytes value);
/* atls_look_sniff names a value by its first bytes, NULL when nothing is recognised. Static. */
const char *atls_look_sniff(atls_bytes value);
/* atls_look_inside puts one more phrase into inside, with a comma. */
ATLS_MUST_USE bool atls_look_inside(atls_look *l, const char *phrase);
/* atls_look_found says what a value is and keeps it when it is a quote. */
ATLS_MUST_USE bool atls_look_found(atls_look *l, atls_bytes value);
/* atls_look_problem records why the value is not what it should be; the first reason stays. Returns true. */
bool atls_look_problem(atls_look *l, const char *why);

/* atls_look_parse reads JSON; *parsed tells whether it is any. */
ATLS_MUST_USE bool atls_look_parse(atls_look *l, atls_bytes text, const atls_json **tree, bool *parsed);

/* recognise_shapes.c */
bool atls_look_bytes(atls_look *l);       /* not empty */
bool atls_look_quote(atls_look *l);       /* a raw Intel quote */
bool atls_look_tagged(atls_look *l);      /* 2.23.133.5.4.9: CBOR tag over [evidence, claims], or a CMW */
bool atls_look_endorsement(atls_look *l); /* 2.23.133.5.4.2: CBOR tag over an array, or a SEQUENCE */
bool atls_look_cmw(atls_look *l);
bool atls_look_open_enclave(atls_look *l);

/* recognise_der.c */
bool atls_look_sequence(atls_look *l);        /* one DER SEQUENCE */
bool atls_look_rats_tls(atls_look *l);        /* SEQUENCE { OID, [n] { SEQUENCE { OID, OCTET STRING } } } */
bool atls_look_rats_or_ias(atls_look *l);     /* the clash: that, or an IAS report */
bool atls_look_dstack_quote(atls_look *l);    /* the dstack ones are an OCTET STRING within */
bool atls_look_dstack_log(atls_look *l);      /* JSON array */
bool atls_look_dstack_bytes(atls_look *l);    /* not empty */
bool atls_look_dstack_text(atls_look *l);     /* UTF-8 */
bool atls_look_dstack_attested(atls_look *l); /* SCALE or MessagePack */
bool atls_look_dstack_msgpack(atls_look *l);
bool atls_look_android(atls_look *l); /* KeyDescription */
bool atls_look_apple(atls_look *l);   /* SEQUENCE { [1] { OCTET STRING of 32 } } */

/* recognise_json.c */
bool atls_look_fake(atls_look *l);
bool atls_look_tdx(atls_look *l);
bool atls_look_vtpm(atls_look *l);
bool atls_look_json(atls_look *l); /* any JSON object */

#endif

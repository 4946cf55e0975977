/* SPDX-License-Identifier: Apache-2.0 */
/* steps_scene.h: one certification request of a simulated phone through the eight steps: two policies, a store that has one nonce,
 * an issuer that writes down what it was asked for, observers, and a log of who was called when. Whatever comes of it is
 * recorded, replayed, compared, redacted. */
#ifndef ATLS_TESTS_ENROL_STEPS_SCENE_H
#define ATLS_TESTS_ENROL_STEPS_SCENE_H

#include "atls/atls.h"
#include "atls/enroller.h"
#include "base/json.h"
#include "sim/sim_android.h"
#include "sim/sim_apple.h"
#include "tap.h"

#define SCENE_PROOF_OID "2.25.266612578647278744056060545794611611433"

/* How a request is made; zeroed: as an honest phone makes it. */
typedef struct scene_spec {
    bool is_apple;
    sim_android_kind kind;
    const char *const *settings; /* of the phone */
    const char *const *policy;   /* of another phone that writes the policy; NULL: the same */
    bool lower_case;             /* nonce in the subject */
    bool utf8_nonce;
    bool other_challenge;  /* the statement is for another nonce */
    unsigned challenge_at; /* which differs in this byte */
    unsigned n_nonces;     /* serialNumber attributes, all in one RDN; 0: one */
    bool no_nonce;
    bool odd_nonce;      /* one digit less */
    unsigned n_proofs;   /* attributes with the proof; 0: one */
    bool no_proof;       /* no such attribute */
    bool empty_proof;    /* its SET is empty */
    bool other_first;    /* another attribute stands before it */
    const char *text;    /* the statement, in place of an honest one */
    size_t padded_len;   /* spaces behind the statement make it that long */
    const char *own_key; /* another key in the request, which signs it too; a label of the phone's */
    bool foreign_signer; /* the attested key is named, and another one signs */
    const uint8_t *spki; /* this one in the request, whoever signs */
    size_t spki_len;
    bool sha1; /* a signature algorithm that is not supported */
} scene_spec;

typedef struct scene {
    atls_arena arena; /* policies and requests */
    atls_arena work;  /* of runs */
    atls_arena again; /* of replays */
    atls_error err;
    sim_android *phone;
    sim_apple *iphone;
    atls_policy *android;
    atls_policy *apple;
    atls_enroller *enroller;
    uint8_t nonce[32];
    atls_bytes csr;
    atls_bytes attested_spki; /* of the honest phone */
    /* what is said and done */
    atls_enroller_options options;
    atls_enrol_request in;
    atls_endorsements endorsements;
    bool no_endorsements;
    bool store_fails;
    bool store_lies; /* fails with a code of the appraisal's */
    bool is_used;
    bool is_expired;
    bool issue_fails;
    bool issue_nothing;
    bool issue_text;          /* what is no certificate */
    const uint8_t *issue_key; /* a certificate for this SubjectPublicKeyInfo */
    size_t issue_key_len;
    atls_enrol_observers observers;
    bool observer_fails;
    const char *observer_text; /* NULL: writes nothing */
    bool observer_overruns;    /* no end of the text */
    bool observer_scribbles;
    /* what was seen */
    char log[64]; /* C consume, E endorse, I issue, P, A, S observers */
    int64_t consumed_ms;
    atls_bytes consumed;
    atls_bytes issued_spki;
    atls_bytes issued;              /* the certificate, in `arena` */
    atls_time issued_at;            /* of the result that the issuer was shown */
    uint8_t issued_list_sha256[32]; /* same */
    atls_enrol_grant grant;
    atls_enrol_failure failure;
    atls_enrol_outcome out;
} scene;

void scene_must(bool ok, const atls_error *err, const char *what);

/* scene_open makes phones, policies, a request and an enroller; scene_close frees all. */
void scene_open(scene *s, const scene_spec *spec);
void scene_close(scene *s);

/* scene_enroller makes the enroller anew, from s->options. */
void scene_enroller(scene *s);

/* scene_run takes s->csr through the steps; with a record it is replayed and compared. */
void scene_run(scene *s);

/* scene_words: what came of it, as step, class, reason and kind: "Attestation Content.Android CHALLENGE CONTENT", "Success". */
void scene_words(const scene *s, const char *words);

/* The response, as a phone reads it. */
atls_enrol_response scene_response(scene *s);

/* DER of the parts in a row. */
atls_bytes scene_der(atls_arena *a, uint8_t tag, const atls_bytes *parts, size_t n);
atls_bytes scene_csr(scene *s, const scene_spec *spec);
/* The statement of the scene's phone for a nonce, JSON. */
atls_bytes scene_statement(scene *s, const scene_spec *spec);

/* A debug statement as a tree, and with another value of a member ("challenge", "atls.csr"); NULL takes it out. In s->again. */
const atls_json *scene_json(atls_bytes json, atls_arena *a);
atls_bytes scene_change(scene *s, atls_bytes in, const char *member, const char *value);

#endif

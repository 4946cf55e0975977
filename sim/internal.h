/* SPDX-License-Identifier: Apache-2.0 */
/* internal.h: the parts of the simulator.
 *
 *   settings.c  "path=value" texts and what they say        doc.c     JSON that settings can edit
 *   raw.c       changes of finished bytes               memo.c    what need not be computed again
 *   der.c       a DER writer                                ec.c      keys from labels, signatures without randomness
 *   x509.c      pieces of certificates and lists, for every kind of room
 *   cert.c      certificates       extension.c  SGX extension         crl.c  revocation lists     chain.c  PEM chains
 *   report.c    report bodies      quote.c      quotes                tcb.c  TCB info, QE identity
 *   log.c       event log          ccel.c       its binary form       policy.c, response.c, tls.c, sim.c
 *
 * It shares no reader and no rule with the verifier: only buffers, the arena and the error object. It writes DER and
 * JSON with writers of its own, because a writer that cannot make a mistake cannot make a test. */
#ifndef ATLS_SIM_INTERNAL_H
#define ATLS_SIM_INTERNAL_H

#include "base/text.h"
#include "sim/sim.h"

#include <openssl/bn.h>
#include <openssl/ec.h>

/* ---- one operation ---- */

/* What a public function carries through its helpers. The error is sticky: helpers go on with defaults after a failure,
 * and the public function looks once, at the end. */
typedef struct sim_op {
    sim *s;
    atls_arena *a;  /* where products and scratch live */
    atls_error err; /* the first failure */
} sim_op;

void sim_op_begin(sim_op *o, sim *s, atls_arena *a);
/* sim_op_end copies the failure to err and returns whether there was none. */
bool sim_op_end(sim_op *o, atls_error *err);
bool sim_ok(const sim_op *o);
/* sim_bad reports a setting whose value cannot be used. */
void sim_bad(sim_op *o, const char *path, const char *why);
/* An empty buffer in the operation's arena, and its content (empty after a failure). */
atls_buf sim_buf(sim_op *o);
atls_bytes sim_done(atls_buf *b);
void sim_put_u8(atls_buf *b, unsigned v);
void sim_put_le(atls_buf *b, uint64_t v, size_t n);

/* ---- settings.c ---- */

#define SIM_PATH_SIZE 160

typedef struct sim_setting {
    const char *path;
    const char *value;
    bool used;
} sim_setting;

bool sim_settings_read(sim_op *o, const char *const *texts);
/* sim_settings_check reports the first setting that nothing looked at. */
void sim_settings_check(sim_op *o);

/* Each looks a path up (printf style, last setting wins) and marks it as used; def is the value without a setting. */
const char *sim_get(sim_op *o, const char *format, ...) ATLS_PRINTF(2, 3); /* NULL: not set */
const char *sim_get_text(sim_op *o, const char *def, const char *format, ...) ATLS_PRINTF(3, 4);
uint64_t sim_get_uint(sim_op *o, uint64_t def, const char *format, ...) ATLS_PRINTF(3, 4); /* N, 0xN, +N, -N */
atls_time sim_get_time(sim_op *o, atls_time def, const char *format, ...) ATLS_PRINTF(3, 4);
void sim_get_fixed(sim_op *o, uint8_t *dst, size_t n, const char *format, ...) ATLS_PRINTF(4, 5);
bool sim_get_bytes(sim_op *o, atls_bytes *out, const char *format, ...) ATLS_PRINTF(3, 4); /* false: not set */

/* Values by themselves; path is for the error. */
atls_bytes sim_value_bytes(sim_op *o, const char *path, const char *value);
atls_time sim_value_time(sim_op *o, const char *path, const char *value);

/* sim_next walks the settings whose path begins with prefix, in their order; *i starts at 0. Marks them as used. */
const sim_setting *sim_next(sim_op *o, const char *prefix, size_t *i);

/* sim_raw applies the "raw.<name>" settings: changes of finished bytes, after whatever signs them. */
atls_bytes sim_raw(sim_op *o, const char *name, atls_bytes in);
/* sim_split takes the next word of a comma list; false at its end. */
bool sim_split(const char **list, char *word, size_t size);

/* ---- doc.c ---- */

typedef enum sim_node_type { SIM_VALUE, SIM_OBJECT, SIM_ARRAY } sim_node_type;

typedef struct sim_node {
    sim_node_type type;
    atls_bytes name; /* member's name, as written, without quotes */
    atls_bytes text; /* SIM_VALUE: any text, which need not be JSON */
    struct sim_node *child;
    struct sim_node *next;
} sim_node;

/* sim_doc prints text (JSON) compactly after the settings "<prefix>.<path>=<json>" and "-<prefix>.<path>" have been
 * applied to it. */
atls_bytes sim_doc(sim_op *o, const char *prefix, atls_bytes text);
/* sim_doc_string writes a JSON string. */
void sim_doc_string(atls_buf *b, atls_bytes text);
void sim_doc_hex(atls_buf *b, atls_bytes bytes);

/* ---- der.c ---- */

#define SIM_DER_SEQUENCE         0x30u
#define SIM_DER_SET              0x31u
#define SIM_DER_BOOLEAN          0x01u
#define SIM_DER_INTEGER          0x02u
#define SIM_DER_BIT_STRING       0x03u
#define SIM_DER_OCTET_STRING     0x04u
#define SIM_DER_ENUMERATED       0x0au
#define SIM_DER_UTF8_STRING      0x0cu
#define SIM_DER_PRINTABLE_STRING 0x13u

/* sim_der_open begins an element, sim_der_close gives it its length; what is written between is its content. */
size_t sim_der_open(atls_buf *b, unsigned tag);
void sim_der_close(atls_buf *b, size_t mark);
void sim_der_put(atls_buf *b, unsigned tag, atls_bytes content);
void sim_der_bool(atls_buf *b, bool v);
void sim_der_uint(atls_buf *b, unsigned tag, uint64_t v);
void sim_der_unsigned(atls_buf *b, atls_bytes magnitude);
void sim_der_bits(atls_buf *b, unsigned unused, atls_bytes bits);
void sim_der_oid(atls_buf *b, const char *dotted);
void sim_der_time(atls_buf *b, atls_time t);

/* ---- ec.c ---- */

typedef enum sim_curve { SIM_P256, SIM_P384, SIM_RSA } sim_curve;

typedef struct sim_key {
    char label[32];
    sim_curve curve;
    size_t half;        /* bytes of a coordinate */
    uint8_t d[48];      /* private, big-endian */
    uint8_t point[257]; /* 04 || X || Y; for SIM_RSA a modulus that nobody can factor, us included */
    size_t point_len;
} sim_key;

/* sim_derive fills out from the room's seed and a label. */
void sim_derive(sim_op *o, const char *label, uint8_t *out, size_t n);
/* sim_key_of derives, or remembers, the key with this label. Never NULL. */
const sim_key *sim_key_of(sim_op *o, const char *label, sim_curve curve);
/* sim_sign makes r || s over data with SHA-256, the nonce derived from key and digest. out has 2 * key->half bytes.
 * path is the setting that may spoil it: zero, bit, r1s1, rn, s0, highs, or hex. */
void sim_sign(sim_op *o, const sim_key *key, atls_bytes data, const char *path, uint8_t out[96]);
/* sim_sign_hash is sim_sign with SHA-256, 384 or 512 (hash: its bits) for any curve; longer digests than the curve are cut. */
void sim_sign_hash(sim_op *o, const sim_key *key, unsigned hash, atls_bytes data, const char *path, uint8_t out[96]);
/* sim_sign384 is the same with SHA-384, for keys of P-384. */
void sim_sign384(sim_op *o, const sim_key *key, atls_bytes data, const char *path, uint8_t out[96]);
/* sim_sig_der puts r || s as ECDSA-Sig-Value. */
void sim_sig_der(atls_buf *b, const uint8_t *rs, size_t half);
void sim_sha256(atls_bytes in, uint8_t out[32]);
void sim_sha384(atls_bytes in, uint8_t out[48]);

/* ---- memo.c ---- */

/* sim_memo_key names a computation and its two operands, 1000 bytes at most in all. */
void sim_memo_key(const char *what, atls_bytes a, atls_bytes b, uint8_t key[32]);
/* sim_memo_find gives len bytes that were kept; false when there are none, or no memo. */
bool sim_memo_find(const sim_memo *m, const uint8_t key[32], uint8_t *value, size_t len);
void sim_memo_keep(sim_memo *m, const uint8_t key[32], const uint8_t *value, size_t len);

/* ---- x509.c ---- */

typedef struct sim_cert {
    const char *id;
    atls_bytes der;
    uint8_t serial[20];
    size_t serial_len;
} sim_cert;

/* sim_cert_among gives a certificate by its id; NULL when there is none. */
const sim_cert *sim_cert_among(const sim_cert *certs, size_t n_certs, const char *id);
/* sim_serial_set applies cert.<id>.serial to a certificate that has an id and a serial. */
void sim_serial_set(sim_op *o, sim_cert *cert);

/* sim_is_none tells whether a setting leaves something out. */
bool sim_is_none(const char *value);

void sim_name_part(atls_buf *b, const char *oid, unsigned tag, const char *text);
void sim_spki_put(atls_buf *b, const sim_key *key);
void sim_rsa_spki_put(atls_buf *b, atls_bytes modulus); /* exponent 65537 */
/* sim_key_id makes a key identifier: the first bytes of SHA-256 of a point or a modulus. */
void sim_key_id(atls_bytes key, uint8_t out[20]);

/* Extensions. id is a certificate's, whose settings are looked up; the other arguments are what stands there without. */
void sim_ext_put(atls_buf *b, const char *oid, bool critical, atls_bytes value);
void sim_ext_aki_put(sim_op *o, atls_buf *b, const uint8_t id[20]);
void sim_ext_ski_put(sim_op *o, atls_buf *b, const uint8_t id[20]);
void sim_ext_crl_point_put(sim_op *o, atls_buf *b, const char *url);
void sim_ext_number_put(sim_op *o, atls_buf *b, uint64_t number);
/* cert.<id>.key_usage is the first octet of the bits, "none" leaves the extension out. is_trimmed: as DER wants it. */
void sim_ext_usage_put(sim_op *o, atls_buf *b, const char *id, uint8_t bits, bool is_trimmed, bool critical);
/* cert.<id>.ca is true, false, or none: no basicConstraints at all. cert.<id>.path_len is a number or none; the argument is
 * NULL in rooms that have no such setting. */
void sim_ext_constraints_put(sim_op *o, atls_buf *b, const char *id, const char *ca, const char *path_len,
                             bool critical);
/* <kind>.<id>.critical_ext, of a "cert" or a "crl": any value puts an unknown critical extension. */
void sim_ext_unknown_put(sim_op *o, atls_buf *b, const char *kind, const char *id);

/* sim_tbs_open begins a TBSCertificate, up to its version; sim_der_close ends it. */
size_t sim_tbs_open(atls_buf *b, uint64_t version);
void sim_validity_put(atls_buf *b, atls_time not_before, atls_time not_after);
/* sim_revoked_put lists certificates by id, or serials in hex; extensions are those of each entry, empty: none. */
void sim_revoked_put(sim_op *o, atls_buf *b, const char *list, const sim_cert *certs, size_t n_certs, atls_time since,
                     atls_bytes extensions);

/* sim_signed is SIGNED { tbs, algorithm, signature }; sim_ecdsa_signed makes the last two. path is the setting that may spoil
 * the signature, as for sim_sign. */
typedef enum sim_digest { SIM_SHA256, SIM_SHA384 } sim_digest;
atls_bytes sim_signed(sim_op *o, atls_bytes tbs, atls_bytes algorithm, atls_bytes signature);
void sim_ecdsa_put(atls_buf *b, sim_digest digest);
atls_bytes sim_ecdsa_signed(sim_op *o, sim_digest digest, const sim_key *key, atls_bytes tbs, const char *path);

/* ---- cert.c, extension.c, crl.c, chain.c ---- */

#define SIM_N_CERTS 12
#define SIM_N_CRLS  3

void sim_certs_make(sim_op *o);
/* sim_cert_find gives a certificate by its id; NULL when there is none. */
const sim_cert *sim_cert_find(const sim *s, const char *id);
/* What others need to know of a certificate by id: its subject CN, key and key id. */
const char *sim_cert_cn(sim_op *o, const char *id);
const sim_key *sim_cert_key(sim_op *o, const char *id);
void sim_cert_key_id(sim_op *o, const char *id, uint8_t out[20]);
void sim_name_put(atls_buf *b, const char *cn, bool intel);

/* The platform, as its PCK certificate tells it. */
typedef struct sim_platform {
    const char *ca; /* "platform_ca" or "processor_ca" */
    uint8_t ppid[16];
    uint8_t comp[16];
    uint8_t cpusvn[16];
    uint16_t pcesvn;
    uint8_t pceid[2];
    uint8_t fmspc[6];
    uint8_t instance_id[16];
} sim_platform;

#define SIM_BASE_PCESVN 13u
extern const uint8_t sim_base_comp[16];

void sim_platform_make(sim_op *o);
/* sim_sgx_extension_put puts the SGX extension of the certificate with this id. */
void sim_sgx_extension_put(sim_op *o, const char *id, atls_buf *b);
void sim_crls_make(sim_op *o);
/* sim_chain gives a PEM chain: def is the list of certificates without a setting ("": none). */
atls_bytes sim_chain(sim_op *o, const char *name, const char *def);
void sim_pem_put(atls_buf *b, const char *label, atls_bytes der);

/* ---- report.c, quote.c, tcb.c ---- */

#define SIM_SGX_LEN  384u
#define SIM_TD10_LEN 584u
#define SIM_TD15_LEN 648u
extern const uint8_t sim_base_tee_tcb_svn[16];

void sim_sgx_report(sim_op *o, const uint8_t report_data[64], uint8_t out[SIM_SGX_LEN]);
void sim_qe_report(sim_op *o, const uint8_t report_data[64], uint8_t out[SIM_SGX_LEN]);
void sim_td_report(sim_op *o, const uint8_t report_data[64], uint8_t out[SIM_TD15_LEN]);
atls_bytes sim_quote_make(sim_op *o, const uint8_t report_data[64]);
void sim_collateral_make(sim_op *o);

/* ---- log.c, ccel.c, response.c, policy.c, tls.c ---- */

typedef struct sim_event {
    uint32_t imr;
    uint32_t type;
    uint32_t version;
    const char *name;
    atls_bytes payload;
    uint8_t digest[48];
    struct sim_event *next;
} sim_event;

#define SIM_RUNTIME_EVENT 0x08000001u

void sim_log_make(sim_op *o);
void sim_log_add(sim_op *o, uint32_t imr, uint32_t type, const char *name, atls_bytes payload);
void sim_log_registers(const sim *s, uint8_t rtmr[4][48]);
atls_bytes sim_log_json(sim_op *o);
atls_bytes sim_log_ccel(sim_op *o);
atls_bytes sim_response_make(sim_op *o, const uint8_t report_data[64]);
atls_bytes sim_vm_config(sim_op *o);
atls_bytes sim_policy_make(sim_op *o, const char *kind);
void sim_tls_make(sim_op *o, const char *server_name, sim_tls *out);

/* ---- the room ---- */

struct sim {
    atls_arena arena; /* all that lasts as long as the room */
    sim_kind kind;
    bool tdx;
    atls_time now;
    atls_bytes seed;
    sim_setting *settings;
    size_t n_settings;
    EC_GROUP *groups[2]; /* P-256, P-384 */
    BN_CTX *bn;
    sim_memo *memo; /* NULL: none */
    sim_key *keys;
    size_t n_keys;
    sim_platform platform;
    sim_cert certs[SIM_N_CERTS];
    size_t n_certs;
    atls_bytes crls[SIM_N_CRLS];
    atls_dcap_collateral collateral;
    sim_event *events;
    sim_event *last_event;
    atls_bytes compose;
    uint8_t compose_hash[32];
    uint8_t os_image_hash[32];
};

/* How a room is made. make lays down all that lasts as long as the room; rehearse makes one of everything that is made on
 * demand, in an arena of its own, so that each setting is asked for once. */
typedef struct sim_making {
    size_t size;                 /* of each arena; pages that are not touched cost nothing */
    const char *seed;            /* NULL: "atls" */
    atls_time now;               /* ATLS_TIME_UNSET: SIM_NOW */
    const char *const *settings; /* NULL: none */
    sim_memo *memo;              /* NULL: none */
    void (*make)(sim_op *o);
    void (*rehearse)(sim_op *o);
} sim_making;

/* sim_room_open makes a room in s, which is zeroed but for what make needs to know. sim_room_close frees what it made, also
 * after a failure. Errors: CONFIGURATION with the setting as field, MEMORY, INTERNAL. */
ATLS_MUST_USE bool sim_room_open(sim *s, const sim_making *making, atls_error *err);
void sim_room_close(sim *s);

#endif

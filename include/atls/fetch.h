/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.h: endorsements over HTTPS, and a memory of them.
 *
 * A fetcher is an atls_endorse_fn that asks Intel's PCS, PCCS of one's own, and AMD's KDS, in an order of the caller's, and
 * remembers what they said: in memory, and in a folder that any number of processes share.
 *
 *   request ─▶ pieces ─▶ memory ─▶ folder ─▶ first source ─▶ next source ... ─▶ endorsements
 *
 * Nothing that a fetcher hands out is trusted for that: the appraisal authenticates every piece, each time. What the
 * fetcher itself looks at (right subject, whole, signed by the certificate beside it, under a root of the vendor's, not past a
 * date) only decides whether the next source is asked. An entry of the folder is no better than an answer of the network, and goes through the same
 * reader.
 *
 *   piece           one answer: a TCB info with signature and chain, a list, a certificate
 *   fresh           younger than max_age_s, and not within refresh_margin_s of its first date: used as it is
 *   stale           not fresh any more, but every date in it still holds: fetched again; used if that fails
 *   past its date   never used
 *   older           than the one at hand, while that is not past its date: no answer, and the next source is asked. A source that
 *                   is behind, or wants us to be, brings nothing old back (docs/endorsements.md, "Older answers")
 *
 * One request for a piece is on its way at a time, however many threads wait for it; they share the answer, or the failure.
 * A failure is remembered for a moment (negative_ttl_s), so that a source is not asked again and again; a host that says 429
 * or 503 is left alone for as long as it says. docs/endorsements.md is the manual. */
#ifndef ATLS_FETCH_H
#define ATLS_FETCH_H

#include "arena.h"
#include "endorse.h"
#include "error.h"
#include "time.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct atls_fetcher atls_fetcher;

typedef enum atls_source_kind {
    ATLS_SOURCE_PCS = 1, /* Intel's Provisioning Certification Service, version 4 */
    ATLS_SOURCE_PCCS,    /* a cache of it: the same, and the root's list among it */
    ATLS_SOURCE_KDS,     /* AMD's key distribution service */
} atls_source_kind;

#define ATLS_INTEL_PCS_URL      "https://api.trustedservices.intel.com"
#define ATLS_INTEL_ROOT_CRL_URL "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
#define ATLS_AMD_KDS_URL        "https://kdsintf.amd.com"
/* Google's list of revoked attestation keys. */
#define ATLS_ANDROID_STATUS_URL "https://android.googleapis.com/attestation/status"

#define ATLS_MAX_SOURCES     8u
#define ATLS_MAX_FETCH_ROOTS 8u

typedef struct atls_source {
    atls_source_kind kind;
    /* Where it is, at most 255 characters, with or without a slash at the end and /sgx/certification/v4 or
     * /tdx/certification/v4 before it. https; http only for 127.0.0.0/8, ::1 and localhost, unless insecure_http. */
    const char *url;
    /* PCS only: where the root's list is, which Intel keeps on another host. NULL: ATLS_INTEL_ROOT_CRL_URL. It never comes
     * out of a certificate. */
    const char *root_crl_url;
} atls_source;

/* Which TCB info and QE identity: Intel publishes early, and enforces later. */
typedef enum atls_update {
    ATLS_UPDATE_NONE = 0, /* the parameter is left out: the service's default, which is standard */
    ATLS_UPDATE_STANDARD,
    ATLS_UPDATE_EARLY, /* the higher tcbEvaluationDataNumber as soon as there is one */
} atls_update;

/* A clock of the caller's: UTC seconds, ATLS_TIME_UNSET when it does not know. Any thread may call it. */
typedef atls_time (*atls_clock_fn)(void *ctx);

/* Zeroed: everything has its default. Texts are copied. */
typedef struct atls_fetcher_options {
    const atls_source *sources; /* n_sources, in the order in which they are asked */
    size_t n_sources;           /* 0: ATLS_INTEL_PCS_URL and ATLS_AMD_KDS_URL */
    atls_update update;
    /* Where Google's list of revoked attestation keys is: https, as for sources. NULL: ATLS_ANDROID_STATUS_URL if n_sources is
     * 0, and otherwise nowhere; "": nowhere. */
    const char *android_status_url;

    /* n_roots certificates, DER, at most 8, copied as their hashes: what may vouch for answers beside the vendors' roots. An
     * answer under any other root is none, and the next source is asked. */
    const atls_bytes *roots;
    size_t n_roots;

    const char *proxy;      /* NULL: as libcurl finds it in the environment (https_proxy, no_proxy); "": none */
    const char *ca_file;    /* PEM; trusted instead of the system's roots. NULL: the system's */
    const char *user_agent; /* NULL: "atls/<version>" */
    bool insecure_http;     /* http to any host: whoever listens learns which machines you verify, and can withhold */

    uint32_t connect_timeout_ms; /* 0: 5000 */
    uint32_t request_timeout_ms; /* one HTTP request with everything; 0: 10000 */
    uint32_t total_timeout_ms;   /* everything that one call needs, waiting included; 0: 25000 */

    size_t max_json_len;        /* body of a TCB info or QE identity; 0, and at most: 1 MiB */
    size_t max_crl_len;         /* body of a list, as hex perhaps; 0, and at most: 16 MiB and 4 KiB */
    size_t max_certificate_len; /* body of certificates, and all headers of an answer; 0, and at most: 256 KiB */
    size_t max_document_len;    /* 0, and at most: 24 MiB */

    size_t max_entries; /* in memory, failures included; 0: 4096 */
    size_t max_len;     /* bytes in memory; 0: 32 MiB */

    const char
        *cache_folder; /* made if it is not there (mode 0700, with the folders above it). NULL or "": memory only */
    bool
        cache_reads_only; /* the folder is read: nothing is made, written, touched or removed there. For clocks that do not tell
                            * the time: what is past its date then is of use to others today, and the other way round */
    size_t disk_max_entries; /* 0: 4096 */
    size_t disk_max_len;     /* bytes of files; 0: 64 MiB */

    uint32_t max_age_s;        /* a piece is fetched again after it, certificates of chips excepted; 0: 86400 */
    uint32_t refresh_margin_s; /* and so long before the first of its dates; 0: 21600 */
    uint32_t negative_ttl_s;   /* a failure is remembered; 0: 60. Of what could not be reached at most 10 */

    bool background;                /* a thread that fetches stale pieces again, so that nobody waits for that */
    uint32_t background_interval_s; /* how often it looks; 0: 60 */

    atls_clock_fn now; /* NULL: the system's clock */
    void *now_ctx;
} atls_fetcher_options;

/* atls_fetcher_new makes a fetcher; options NULL is all defaults. Asks nobody yet. *out is the caller's
 * (atls_fetcher_free); any number of threads share it. The process's first fetcher initialises libcurl (curl_global_init, once,
 * thread-safe). A fetcher does not come along into a child of fork. Errors: CONFIGURATION with the option as field; IO when
 * cache_folder cannot be made or used, or is not this user's alone to write (field "cache_folder"); MEMORY, INTERNAL. */
ATLS_MUST_USE bool atls_fetcher_new(const atls_fetcher_options *options, atls_fetcher **out, atls_error *err);

/* atls_fetcher_free ends the background thread, whatever it is waiting for, and frees the fetcher. No call may be running.
 * NULL is fine. */
void atls_fetcher_free(atls_fetcher *f);

/* atls_fetcher_endorse is an atls_endorse_fn; ctx is the fetcher. It blocks for at most total_timeout_ms. Everything it
 * gives is in the arena.
 *
 * TDX, SGX  TCB info, QE identity, PCK list, root's list. A quote without a PCK chain of its own (needs_pck_chain) cannot be
 *           endorsed over the network without what only its machine knows: ENDORSEMENTS_MISSING
 * SEV_SNP   what the request says is needed: VCEK; ASK or ASVK and ARK; and the list if there is one, because only a policy
 *           knows whether it can do without. Where the request names no product, each is tried
 * ANDROID   the status list, of android_status_url; when it was fetched, and until when its Cache-Control lets it be used (without
 *           one that says so: an hour, endorse.h)
 * others    nothing is to be had, and that is no failure
 *
 * Errors, with "endorsements.<piece>" as field and what each source said as message: TIMEOUT, IO (also throttled): trying
 * again may help; EXPIRED (all there is is past its date); COLLATERAL_FORMAT (not what was asked for, not whole, or not signed
 * by the certificate beside it), LIMIT (too long); ENDORSEMENTS_MISSING (404 or 410 everywhere, or no source of that kind);
 * MEMORY, INTERNAL. */
bool atls_fetcher_endorse(void *fetcher, const atls_endorsement_request *request, atls_arena *arena,
                          atls_endorsements *out, atls_error *err);

/* atls_fetcher_pull is the same, but asks the sources for every piece, whatever is remembered, and remembers the answers: the
 * way to replace what proved to be of no use. What cannot be had is a failure, also the list of AMD. Where the sources have
 * an older one only, what is at hand is handed out, and that is none (atls_fetcher_counts.older). */
ATLS_MUST_USE bool atls_fetcher_pull(atls_fetcher *f, const atls_endorsement_request *request, atls_arena *arena,
                                     atls_endorsements *out, atls_error *err);

/* atls_fetcher_refresh fetches again what is in memory or in the folder, comes from one of the sources, and is not fresh, or
 * will not be in within_s seconds. *n (NULL is fine) counts what was fetched. It goes on after a failure, and reports the
 * first one. Each piece has total_timeout_ms. */
ATLS_MUST_USE bool atls_fetcher_refresh(atls_fetcher *f, uint32_t within_s, size_t *n, atls_error *err);

typedef enum atls_fetched_kind {
    ATLS_FETCHED_TCB_INFO = 1, /* content: the signed text; signature, chain */
    ATLS_FETCHED_QE_IDENTITY,  /* same */
    ATLS_FETCHED_PCK_CRL,      /* content: DER; chain, if the source sent one */
    ATLS_FETCHED_ROOT_CA_CRL,  /* content: DER */
    ATLS_FETCHED_SNP_LEAF,     /* content: DER of a VCEK */
    ATLS_FETCHED_SNP_CHAIN,    /* certificates: ASK or ASVK, ARK */
    ATLS_FETCHED_SNP_CRL,      /* content: DER */
    ATLS_FETCHED_DOCUMENT,     /* content: the body */
} atls_fetched_kind;

/* A piece that is remembered, for people and for packing. */
typedef struct atls_fetched {
    atls_fetched_kind kind;
    const char *source;    /* URL of the source that gave it; "" for documents */
    const char *path;      /* what it was asked for: path and query below the source's URL; a document's whole URL */
    bool is_tdx;           /* TCB_INFO, QE_IDENTITY */
    atls_update update;    /* same */
    uint8_t fmspc[6];      /* TCB_INFO */
    const char *pck_ca;    /* PCK_CRL: "platform" or "processor"; "" otherwise */
    const char *product;   /* SNP: "Milan"; "" otherwise */
    bool is_vlek;          /* SNP_CHAIN, SNP_CRL */
    atls_time fetched;     /* when */
    atls_time fresh_until; /* it is fetched again from then on */
    atls_time valid_until; /* the first of its dates: it is not used from then on. Documents: end of max-age */
    bool in_memory;        /* else it was read from the folder */
    atls_bytes content;    /* see the kinds; empty otherwise */
    atls_bytes signature;  /* 128 hex digits */
    atls_bytes chain;      /* PEM */
    const atls_bytes *certificates; /* n_certificates, DER */
    size_t n_certificates;
} atls_fetched;

/* atls_fetcher_list gives everything that is remembered and not past its date, in memory first, copied into the arena, at most
 * what `options` lets be there. Errors: MEMORY, INTERNAL. */
ATLS_MUST_USE bool atls_fetcher_list(atls_fetcher *f, atls_arena *arena, const atls_fetched **out, size_t *n,
                                     atls_error *err);

/* atls_fetcher_document fetches a JSON object that is not an endorsement by itself, Google's status list for instance, and
 * remembers it as its Cache-Control says (max-age, at most options.max_age_s; none, no-store or no-cache: not at all). It is
 * only looked at whether it begins and ends as an object does. url is https, as for sources. *out: kind DOCUMENT; content is in
 * the arena; valid_until is when max-age ends, at least `fetched`. Errors: as atls_fetcher_endorse; CONFIGURATION (url). */
ATLS_MUST_USE bool atls_fetcher_document(atls_fetcher *f, const char *url, atls_arena *arena, atls_fetched *out,
                                         atls_error *err);

typedef struct atls_fetcher_counts {
    uint64_t requests;      /* HTTP requests that were made */
    uint64_t hits;          /* pieces that were fresh in memory */
    uint64_t disk_hits;     /* pieces taken from the folder */
    uint64_t stale;         /* pieces used although they were not fresh */
    uint64_t coalesced;     /* callers that waited for somebody else's request */
    uint64_t negative;      /* callers who were told a remembered failure */
    uint64_t failures;      /* pieces that no source gave */
    uint64_t throttled;     /* answers 429 and 503 */
    uint64_t evictions;     /* pieces forgotten to make room, in memory */
    uint64_t disk_refused;  /* files of the folder that were ignored: damaged, not ours, past their date */
    uint64_t disk_failed;   /* pieces that could not be written to the folder */
    uint64_t older;         /* answers that were older than what was at hand, which was kept */
    uint64_t entries;       /* now in memory, failures included */
    uint64_t len;           /* bytes of them */
    char disk_problem[160]; /* the last reason why a file was ignored or not written, "" if there was none */
    char older_answer[160]; /* who gave the last older answer, and how it was older; "" if there was none */
} atls_fetcher_counts;

/* atls_fetcher_count reads the counters. Any thread; waits for no request. */
atls_fetcher_counts atls_fetcher_count(atls_fetcher *f);

#ifdef __cplusplus
}
#endif
#endif

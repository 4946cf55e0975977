/* SPDX-License-Identifier: Apache-2.0 */
/* attester.h: evidence made on request, one quote at a time.
 *
 * A function (atls_attest_fn) makes evidence over 64 bytes of report data and takes its time. An atls_attester calls it
 * from a thread of its own, so that sessions never block, and lets one quote answer every `atls/1` session that asked
 * while the last one was being made. Source: specification of atls/1, "Batching".
 *
 * The second half of this header are such functions for real machines: TDX and SEV-SNP through configfs-tsm, SEV-SNP
 * through /dev/sev-guest, TPM 2.0 through tpm2-tss, dstack's guest agent; and which of them this machine has. Each takes
 * the place of its device as an option. docs/attesters.md is the manual. */
#ifndef ATLS_ATTESTER_H
#define ATLS_ATTESTER_H

#include "arena.h"
#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What an attester gives for 64 bytes of report data. */
typedef struct atls_evidence {
    atls_bytes quote; /* in the arena */
    /* JSON array text, or empty. atls/1 leaves out what is no such array (a raw CCEL), and the peer's policy may then
     * refuse; constellation sends none. */
    atls_bytes event_log;
    atls_bytes vm_config; /* JSON text or empty; sent with dstack only */
} atls_evidence;

/* atls_attest_fn produces evidence over report_data. It may block for as long as the hardware needs (10 to 100 ms).
 * Everything it returns lives in the arena. False with err set: the session fails with that error, and the peer gets
 * no detail: 503 (dstack), a refusing `done` with the error's category, which is 4, internal, for most (atls/1; for
 * IO and TIMEOUT the connection just ends), an alert (constellation). Called by an atls_attester it runs with nearly
 * all signals blocked, holds no lock, and must not free the attester. */
typedef bool (*atls_attest_fn)(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                               atls_error *err);

typedef struct atls_attester atls_attester;

typedef struct atls_attester_options {
    atls_attest_fn attest;  /* required; called by the attester's own thread, one call at a time */
    void *attest_ctx;       /* outlives the attester */
    atls_platform platform; /* whose evidence attest makes; NONE: a quote of DCAP */
    uint32_t max_waiting;   /* requests that wait, beyond which more are refused at once; 0: 4096 */
    uint32_t max_batch;     /* leaves under one quote, at most 65536; 0: 65536; 1: one quote a session */
    size_t arena_size;      /* bytes for the evidence of one quote; 0: 4 MiB */
} atls_attester_options;

/* What an attester has done so far. */
typedef struct atls_attester_counts {
    uint64_t quotes;   /* calls of attest that succeeded */
    uint64_t failed;   /* calls that failed, or that memory did not suffice for */
    uint64_t answered; /* requests that a quote answered; not those given up while it was being made */
    uint64_t dropped;  /* requests whose session went away before a quote was begun for them */
    uint64_t refused;  /* requests beyond max_waiting */
    uint32_t waiting;  /* requests that wait now */
} atls_attester_counts;

/* atls_attester_new starts the thread. *out is the caller's (atls_attester_free); any number of sessions and threads
 * share it. The thread does not come along into a child of fork: a process that forks makes its attesters afterwards.
 * Signals of the program are not delivered to it. Errors: CONFIGURATION (no attest, a size that makes no sense),
 * MEMORY, INTERNAL (no thread). A session that is freed takes its request back. Source: docs/batching.md. */
ATLS_MUST_USE bool atls_attester_new(const atls_attester_options *options, atls_attester **out, atls_error *err);

/* atls_attester_free ends the thread, after the quote that is being made; requests that still wait fail. Sessions that
 * use the attester must have been freed. NULL is fine. */
void atls_attester_free(atls_attester *a);

/* atls_attester_count reads the counters, all at one moment. Any thread may call it at any time until
 * atls_attester_free; it waits for no quote. */
atls_attester_counts atls_attester_count(atls_attester *a);

/* ---- attesters of real machines ------------------------------------------------------------------------------------
 *
 * Each function below is an atls_attest_fn: give it as `attest`, and its options as `attest_ctx`. The options are only
 * read, and outlive every call; NULL stands for options of zeros, which take every default. All of them block for as
 * long as the device needs, keep no state between calls, and may be called by several threads at a time, although
 * devices answer one after another. They read no environment and no configuration.
 *
 * A default place that cannot be read (an event log) is left out; one that an option names must be readable.
 *
 * What was made is looked at before it is handed out: evidence that is not over report_data is QUOTE with the field
 * that differs. Nothing else of it is checked; that is the verifier's.
 *
 * Errors of all of them: IO (the device is not there, may not be used, or failed; the message names the path, the
 * system's words, and what to do), TIMEOUT, LIMIT (an answer longer than there can be), MEMORY, CONFIGURATION (options
 * that make no sense), UNSUPPORTED (this build lacks the attester). The field begins with "attester." */

/* configfs-tsm, for TDX (provider "tdx_guest") and SEV-SNP ("sev_guest"): Linux 6.7 and later.
 *
 * quote: TDX, the quote. SEV-SNP, the report of 1184 bytes and, if the host gave one, the certificate table behind it.
 * event_log: TDX only, the raw CCEL. An entry of its own is made in the folder for each try and removed whatever
 * happens. The kernel counts what is written to an entry: when the count says that somebody else wrote, what was read
 * is thrown away, and tried again, at most 5 times. Source: Documentation/ABI/testing/configfs-tsm of Linux; dstack
 * section 7.4. */
typedef struct atls_tsm_options {
    const char *report_folder;  /* NULL: "/sys/kernel/config/tsm/report" */
    const char *provider;       /* "tdx_guest" or "sev_guest": this one only; NULL: either */
    bool has_privlevel;         /* false: the lowest that the kernel offers, where it offers a choice */
    uint32_t privlevel;         /* sev_guest: the VMPL, 0 to 3 */
    const char *event_log_path; /* NULL: "/sys/firmware/acpi/tables/data/CCEL", if readable; "": none */
    uint32_t timeout_ms;        /* no further try begins after it; 0: 30000 */
} atls_tsm_options;
bool atls_attest_tsm(void *options, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                     atls_error *err);

/* SEV-SNP through the ioctl of /dev/sev-guest: Linux 5.19 and later.
 *
 * quote: the report of 1184 bytes, without the header of the firmware's message, and the certificate table behind it,
 * if the host gave one and unless without_certificates. A table that points outside itself is IO: it is the host's doing.
 * BUSY and throttling are tried again until the time is over; errors of firmware and host are named in the message.
 * Source: AMD 56860 (MSG_REPORT_RSP), 56421 (extended guest request); sev-snp.md sections 5 and 8. */
typedef struct atls_sev_guest_options {
    const char *device;        /* NULL: "/dev/sev-guest" */
    uint32_t vmpl;             /* 0 to 3, not below the guest's own */
    bool without_certificates; /* the report alone: verifiers then need the certificates from elsewhere */
    uint32_t timeout_ms;       /* no further try begins after it; 0: 30000 */
} atls_sev_guest_options;
bool atls_attest_sev_guest(void *options, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                           atls_error *err);

/* TPM 2.0 through tpm2-tss (ESYS).
 *
 * quote: deterministic CBOR of type tpm2-quote+cbor, see docs/attesters.md: the key's public area, one quote for each
 * bank with the PCR values that it covers, the event log, and the certificate of the key, as far as there are any. The
 * qualifying data are the first 32 bytes of report_data, whatever the TPM's algorithms. PCRs that move between the
 * reading and the quote are read again, at most 5 times. Everything made in the TPM is flushed.
 *
 * Which key: ATLS_TPM_KEY_AUTO takes the first that is there and is restricted, signs, is fixed to this TPM and does
 * not decrypt: 0x81000003 (Azure); the template in NV 0x01c10003, then 0x01c10001 (Google, ECC and RSA); 0x81008f00 and
 * 0x81008f01; else it makes an ECC P-256 key under the owner hierarchy. A key made from the same template on the same
 * TPM is always the same key, so a verifier can pin it.
 * What vouches for the key: its certificate in NV; on Azure the hardware report in NV, or the quote that td_quote makes of
 * it; with `hardware` an SEV-SNP report over SHA-512 of the key's SubjectPublicKeyInfo (of gcp-sev-snp: over the value), with
 * the certificates that came with it.
 *
 * With `variant`: quote is Constellation's JSON without its last member, UserData, which the TLS hook adds; the first 32
 * bytes of report_data are SHA-256(user data || nonce), and the quotes are over SHA-256(instance info || those). Such
 * evidence is for a hook whose options name the same variant, and for nothing else. Errors: CONFIGURATION (no such variant,
 * or something that it cannot do without is missing), UNSUPPORTED (what lies in NV is of another hardware).
 *
 * Source: TPM 2.0 Library parts 2 and 3; tpm.md sections 4, 5, 7; constellation.md section 8. */
typedef enum atls_tpm_key {
    ATLS_TPM_KEY_AUTO = 0,
    ATLS_TPM_KEY_HANDLE,   /* the persistent key at key_handle */
    ATLS_TPM_KEY_ECC,      /* made for the quote: P-256 under the owner hierarchy, and gone afterwards */
    ATLS_TPM_KEY_RSA,      /* the same, RSA 2048; making it takes seconds on some chips */
    ATLS_TPM_KEY_TEMPLATE, /* the same, under the endorsement hierarchy, from the template in the NV index key_handle */
} atls_tpm_key;

#define ATLS_TPM_MAX_BANKS 4

/* atls_td_quote_fn turns a TDREPORT (1024 bytes) into a TDX quote, as Azure's service inside the machine's network does
 * (169.254.169.254/acc/tdquote). The quote is in the arena. Errors: IO, TIMEOUT, QUOTE. */
typedef bool (*atls_td_quote_fn)(void *ctx, atls_bytes td_report, atls_arena *arena, atls_bytes *quote,
                                 atls_error *err);

typedef struct atls_tpm_bank {
    uint16_t algorithm; /* TPM_ALG_ID: 0x0004 SHA-1, 0x000b SHA-256, 0x000c SHA-384, 0x000d SHA-512 */
    uint32_t pcrs;      /* bit i: PCR i, 0 to 23; not 0 */
} atls_tpm_bank;

typedef struct atls_tpm_options {
    const char *tcti; /* as tpm2-tss names it: "device:/dev/tpmrm0" (NULL), "swtpm:host=127.0.0.1,port=2321" */
    atls_tpm_key key;
    uint32_t key_handle;
    uint32_t certificate_index; /* NV index of the key's certificate; 0: where it belongs, if it is there */
    atls_tpm_bank banks[ATLS_TPM_MAX_BANKS]; /* each algorithm once */
    size_t n_banks;                          /* 0: SHA-256, PCRs 0 to 23 */
    const char *event_log_path; /* NULL: "/sys/kernel/security/tpm0/binary_bios_measurements", if readable; "": none */
    /* What vouches for the key from outside the TPM; all NULL: only what lies in NV. */
    atls_attest_fn hardware; /* makes SEV-SNP reports (atls_attest_tsm, atls_attest_sev_guest): one over the key */
    void *hardware_ctx;
    atls_td_quote_fn td_quote; /* Azure: NV holds a TDREPORT over the key there */
    void *td_quote_ctx;
    /* A document of Constellation instead of our own form: "qemu-vtpm", "aws-nitro-tpm", "aws-sev-snp", "gcp-sev-es",
     * "gcp-sev-snp", "azure-sev-snp", "azure-tdx", "azure-trustedlaunch"; NULL: our own form. See atls_attest_tpm. */
    const char *variant;
    /* JSON object: aws-nitro-tpm: EC2's instance identity document; gcp-sev-es and gcp-sev-snp: zone, project_id and
     * instance_name; NULL: null. Others have none. */
    const char *instance_info;
} atls_tpm_options;
bool atls_attest_tpm(void *options, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                     atls_error *err);

/* dstack's guest agent over its unix socket: POST /GetQuote.
 *
 * quote, event_log and vm_config as the agent gives them; the quote is a TDX quote. The agent quotes whatever any
 * process hands it: see docs/attesters.md for what that asks of the image.
 * Source: dstack section 7.2. */
typedef struct atls_dstack_agent_options {
    const char *socket_path; /* NULL: the first that answers of /var/run/dstack.sock, /run/dstack.sock,
                                /var/run/dstack/dstack.sock, /run/dstack/dstack.sock */
    uint32_t timeout_ms;     /* for everything; 0: 30000 */
} atls_dstack_agent_options;
bool atls_attest_dstack_agent(void *options, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                              atls_error *err);

/* ---- which of them this machine has ------------------------------------------------------------------------------- */

/* The order is that of strength: memory that the host cannot read, quoted by the kernel; the same, quoted by a process
 * that others may ask as well; isolation by a hypervisor; a measured boot. docs/attesters.md gives the reasons. */
typedef enum atls_attester_kind {
    ATLS_ATTESTER_AUTO = 0, /* the strongest that is available */
    ATLS_ATTESTER_TDX,      /* configfs-tsm */
    ATLS_ATTESTER_SEV_SNP,  /* configfs-tsm, or /dev/sev-guest where that is all there is */
    ATLS_ATTESTER_DSTACK,
    ATLS_ATTESTER_NITRO,
    ATLS_ATTESTER_TPM,
    ATLS_N_ATTESTERS, /* not a kind */
} atls_attester_kind;

/* atls_attester_name gives "auto", "tdx", "sev-snp", "dstack", "nitro" or "tpm". Static. */
const char *atls_attester_name(atls_attester_kind kind);
/* atls_attester_parse reads such a name. False when it is none. */
ATLS_MUST_USE bool atls_attester_parse(const char *name, atls_attester_kind *out);

/* atls_attester_kind_platform gives whose evidence a kind makes: the `platform` of an attester's options and the
 * `attest_platform` of a session's. dstack's is TDX; AUTO's is NONE, for it is not known yet. */
atls_platform atls_attester_kind_platform(atls_attester_kind kind);

/* A machine: where its devices are. Options of zeros are the machine that the program runs on. */
typedef struct atls_machine {
    atls_attester_kind kind; /* of atls_attest_machine */
    const char *root;        /* put in front of every default path, so that a tree of files stands for /; NULL: "" */
    atls_tsm_options tsm;    /* provider is not looked at: the kind says it */
    atls_sev_guest_options sev_guest; /* a device here, and no folder above: the ioctl, even where configfs-tsm is */
    atls_tpm_options tpm;
    atls_dstack_agent_options dstack_agent;
    const char *nsm_device; /* NULL: "/dev/nsm" */
} atls_machine;

/* atls_attest_machine is an atls_attest_fn over an atls_machine: makes evidence with its kind. AUTO looks for the
 * strongest each time; a server looks once (atls_attester_choose), so that its evidence stays of one kind. */
bool atls_attest_machine(void *machine, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                         atls_error *err);

typedef enum atls_attester_state {
    ATLS_ATTESTER_ABSENT = 0, /* this machine is none of that kind */
    ATLS_ATTESTER_UNUSABLE,   /* it is, and something is missing */
    ATLS_ATTESTER_AVAILABLE,
} atls_attester_state;

/* atls_attester_state_name gives "absent", "unusable" or "available". Static. */
const char *atls_attester_state_name(atls_attester_state state);

/* What was found out about one kind. Texts live in the arena or are static; never NULL. */
typedef struct atls_attester_finding {
    atls_attester_kind kind;
    atls_attester_state state;
    const char *where;   /* the device, folder or socket */
    const char *found;   /* one sentence: what was seen */
    const char *advice;  /* one sentence for an administrator: what to do; empty when there is nothing to do */
    const char *warning; /* one sentence: who else may have bytes quoted here; empty: nobody was seen */
} atls_attester_finding;

/* atls_attester_survey looks for all kinds, in their order: out[0] is TDX. With 64 bytes of `trial`, what looks available
 * makes evidence over them, which is thrown away, and is AVAILABLE only if that succeeds; they should be random. With
 * NULL the devices are only opened. A look at configfs-tsm makes an entry and removes it. Errors: MEMORY. */
ATLS_MUST_USE bool atls_attester_survey(const atls_machine *machine, const uint8_t *trial, atls_arena *arena,
                                        atls_attester_finding out[ATLS_N_ATTESTERS - 1], atls_error *err);

/* atls_attester_choose gives machine->kind, or for AUTO the strongest that looks available; *others counts the other
 * ones that do. Errors: IO with field "attester" and the way to more words when there is none; those of the survey. */
ATLS_MUST_USE bool atls_attester_choose(const atls_machine *machine, atls_arena *arena, atls_attester_kind *out,
                                        size_t *others, atls_error *err);

#ifdef __cplusplus
}
#endif
#endif

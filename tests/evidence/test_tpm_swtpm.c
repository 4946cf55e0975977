/* SPDX-License-Identifier: Apache-2.0 */
/* A TPM that is not ours: swtpm and tpm2-tools make keys, registers and quotes; this program plays firmware (it writes the event
 * log and extends what it says) and attester (it puts the parts into our own form), and the whole verifier judges.
 *
 * swtpm listens on a socket in a folder of its own and dies with this program, whatever ends it: the kernel is asked to see to
 * that, and an alarm ends a run that hangs. Skipped where one of the tools is missing. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "atls/atls.h"
#include "base/text.h"
#include "evidence/tpm/tpm.h"
#include "tap.h"

#define ARENA_SIZE  ((size_t)32 * 1024 * 1024)
#define TIME_LIMIT  60u /* a run takes a few seconds */
#define N_BANKS     4u
#define N_KEYS      4u
#define VALUE       "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER_VALUE "10112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const struct {
    const char *name;
    unsigned alg;
    size_t len;
} banks[N_BANKS] = {{"sha1", 4, 20}, {"sha256", 11, 32}, {"sha384", 12, 48}, {"sha512", 13, 64}};

typedef enum key_index { KEY_RSA, KEY_P256, KEY_P384, KEY_UNRESTRICTED } key_index;

/* What all tests share: made once, read by all. */
static struct {
    char dir[64];
    pid_t swtpm;
    const char *missing; /* why everything is skipped */
    atls_arena arena;
    atls_error err;
    atls_bytes log;
    size_t last_record; /* offset of the last event */
} tpm;

/* ---- processes ---- */

static bool shell(const char *format, ...) ATLS_PRINTF(1, 2);

/* Commands run in the folder, and say what they have to say to a file there. */
static bool shell(const char *format, ...)
{
    char command[4096];
    char whole[4400];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(command, sizeof command, format, args);
    va_end(args);
    (void)snprintf(whole, sizeof whole, "cd %s && { %s; } >>out 2>&1 </dev/null", tpm.dir, command);
    return system(whole) == 0;
}

static void show_output(void)
{
    char command[128];
    (void)snprintf(command, sizeof command, "tail -n 20 %s/out | grep -v 'Data client' >&2", tpm.dir);
    (void)!system(command);
}

static void must(bool ok, const char *what)
{
    if (!ok) {
        show_output();
        fail_msg("%s", what);
    }
}

static void stop(void)
{
    if (tpm.swtpm > 0) {
        (void)kill(tpm.swtpm, SIGKILL);
        (void)waitpid(tpm.swtpm, NULL, 0);
        tpm.swtpm = 0;
    }
    if (tpm.dir[0] != '\0') {
        char command[128];
        (void)snprintf(command, sizeof command, "rm -rf %s", tpm.dir);
        (void)!system(command);
    }
}

static bool start_swtpm(void)
{
    char state[96];
    char control[112];
    char server[112];
    (void)snprintf(state, sizeof state, "dir=%s", tpm.dir);
    (void)snprintf(control, sizeof control, "type=unixio,path=%s/sock.ctrl", tpm.dir);
    (void)snprintf(server, sizeof server, "type=unixio,path=%s/sock", tpm.dir);
    const pid_t parent = getpid();
    tpm.swtpm = fork();
    if (tpm.swtpm == 0) {
        const int null = open("/dev/null", O_RDWR);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) {
            _exit(1);
        }
        (void)dup2(null, 0);
        (void)dup2(null, 1);
        (void)dup2(null, 2);
        (void)execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state, "--ctrl", control, "--server", server,
                     "--flags", "not-need-init,startup-clear", (char *)NULL);
        _exit(127);
    }
    for (int i = 0; tpm.swtpm > 0 && i < 500; i++) {
        const struct timespec wait = {.tv_nsec = 20 * 1000 * 1000};
        char path[112];
        (void)snprintf(path, sizeof path, "%s/sock.ctrl", tpm.dir);
        if (access(path, F_OK) == 0) {
            return true;
        }
        (void)nanosleep(&wait, NULL);
    }
    return false;
}

/* ---- firmware ---- */

typedef struct boot_event {
    unsigned pcr;
    unsigned type;
    const char *data;
    size_t len;
    bool described; /* the digest is of something else */
} boot_event;

static const boot_event events[] = {
    {0, 0x00000008, "v\0001\0\0\0", 6, false},
    {7, 0x00000004, "\0\0\0\0", 4, false},
    {4, 0x80000007, "Calling EFI Application from Boot Option", 40, false},
    {4, 0x80000003, "an image", 8, true},
    {9, 0x0000000d, "grub_cmd: linux /vmlinuz", 24, false},
    {9, 0x0000000d, "grub_cmd: initrd /initrd", 24, false},
};
#define N_EVENTS (sizeof events / sizeof events[0])

static void hash(unsigned alg, const void *data, size_t len, uint8_t out[64])
{
    const EVP_MD *md = alg == 4 ? EVP_sha1() : alg == 12 ? EVP_sha384() : alg == 13 ? EVP_sha512() : EVP_sha256();
    assert_int_equal(EVP_Digest(data, len, out, NULL, md, NULL), 1);
}

static void put_le(atls_buf *b, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t octet = (uint8_t)(v >> (8 * i));
        atls_buf_put(b, atls_bytes_of(&octet, 1));
    }
}

static void put_header(atls_buf *b)
{
    static const uint8_t zeros[24] = {0};
    put_le(b, 0, 4);
    put_le(b, 3, 4);
    atls_buf_put(b, atls_bytes_of(zeros, 20));
    put_le(b, 28 + 4 * N_BANKS + 1, 4);
    atls_buf_put(b, atls_bytes_of("Spec ID Event03", 16));
    atls_buf_put(b, atls_bytes_of("\0\0\0\0\0\2\0\2", 8));
    put_le(b, N_BANKS, 4);
    for (size_t i = 0; i < N_BANKS; i++) {
        put_le(b, banks[i].alg, 2);
        put_le(b, banks[i].len, 2);
    }
    put_le(b, 0, 1);
}

static void boot(void)
{
    atls_buf b;
    atls_buf_init(&b, &tpm.arena, &tpm.err);
    put_header(&b);
    for (size_t i = 0; i < N_EVENTS; i++) {
        const boot_event *e = &events[i];
        char values[1024] = "";
        tpm.last_record = b.len;
        put_le(&b, e->pcr, 4);
        put_le(&b, e->type, 4);
        put_le(&b, N_BANKS, 4);
        for (size_t k = 0; k < N_BANKS; k++) {
            uint8_t digest[64];
            char hex[129];
            hash(banks[k].alg, e->data, e->described ? e->len - 1 : e->len, digest);
            atls_hex_encode(atls_bytes_of(digest, banks[k].len), hex);
            (void)snprintf(values + strlen(values), sizeof values - strlen(values), "%s%s=%s", k == 0 ? "" : ",",
                           banks[k].name, hex);
            put_le(&b, banks[k].alg, 2);
            atls_buf_put(&b, atls_bytes_of(digest, banks[k].len));
        }
        put_le(&b, e->len, 4);
        atls_buf_put(&b, atls_bytes_of(e->data, e->len));
        must(shell("tpm2_pcrextend %u:%s", e->pcr, values), "tpm2_pcrextend");
    }
    assert_true(atls_buf_done(&b, &tpm.log));
}

/* ---- keys and quotes ---- */

/* Without a resource manager three objects fill the TPM. */
#define FLUSH "tpm2_flushcontext -t"
#define CREATE(index, algorithm, attributes)                                                                           \
    "tpm2_create -C p.ctx -G " algorithm " -a '" attributes                                                            \
    "sign|fixedtpm|fixedparent|sensitivedataorigin|userwithauth' -u " index ".pub -r " index ".prv -c " index          \
    ".ctx && " FLUSH " && tpm2_readpublic -c " index ".ctx -n " index ".name && " FLUSH

static bool make_keys(void)
{
    return shell("tpm2_createek -c ek.ctx -G rsa -u ek.pub && " FLUSH)
           && shell("tpm2_createak -C ek.ctx -c 0.ctx -G rsa -g sha256 -s rsassa -u 0.pub -n 0.name && " FLUSH)
           && shell("tpm2_createak -C ek.ctx -c 1.ctx -G ecc -g sha256 -s ecdsa -u 1.pub -n 1.name && " FLUSH)
           && shell("tpm2_createprimary -C o -c p.ctx && " FLUSH)
           && shell("%s", CREATE("2", "ecc384:ecdsa-sha384:null", "restricted|"))
           && shell("%s", CREATE("3", "rsa2048:rsassa:null", ""));
}

static bool make_quotes(void)
{
    for (size_t i = 0; i < N_KEYS; i++) {
        for (size_t k = 0; k < N_BANKS; k++) {
            if (!shell("tpm2_quote -c %zu.ctx -l %s:all -q " VALUE " -g %s -m %zu.%s.msg -s %zu.%s.sig && " FLUSH, i,
                       banks[k].name, i == KEY_P384 ? "sha384" : "sha256", i, banks[k].name, i, banks[k].name)) {
                return false;
            }
        }
    }
    for (size_t k = 0; k < N_BANKS; k++) {
        if (!shell("tpm2_pcrread %s:all -o %s.pcrs", banks[k].name, banks[k].name)) {
            return false;
        }
    }
    /* a register moves on after the quote */
    return shell("tpm2_pcrextend 11:sha256=%064d", 7) && shell("tpm2_pcrread sha256:all -o moved.pcrs");
}

static void setup(void)
{
    static const char *const tools[] = {"swtpm", "tpm2_createek", "tpm2_createak", "tpm2_quote", "tpm2_pcrextend"};
    for (size_t i = 0; i < sizeof tools / sizeof tools[0]; i++) {
        char command[64];
        (void)snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", tools[i]);
        if (system(command) != 0) {
            tpm.missing = tools[i];
            return;
        }
    }
    (void)snprintf(tpm.dir, sizeof tpm.dir, "/tmp/atls-swtpm-XXXXXX");
    char tcti[96];
    if (mkdtemp(tpm.dir) == NULL) {
        tpm.dir[0] = '\0';
        tpm.missing = "a folder";
        return;
    }
    (void)snprintf(tcti, sizeof tcti, "swtpm:path=%s/sock", tpm.dir);
    (void)setenv("TPM2TOOLS_TCTI", tcti, 1);
    (void)atexit(stop);
    (void)alarm(TIME_LIMIT);
}

static void test_make(void **state)
{
    (void)state;
    if (tpm.missing != NULL) {
        print_message("# skipped: %s is not installed\n", tpm.missing);
        skip();
    }
    assert_true(atls_arena_new(&tpm.arena, ARENA_SIZE, &tpm.err));
    must(start_swtpm(), "swtpm does not start");
    boot();
    must(make_keys(), "keys");
    must(make_quotes(), "quotes");
}

/* ---- documents ---- */

static atls_bytes file(const char *format, ...) ATLS_PRINTF(1, 2);

static atls_bytes file(const char *format, ...)
{
    char name[64];
    char path[160];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(name, sizeof name, format, args);
    va_end(args);
    (void)snprintf(path, sizeof path, "%s/%s", tpm.dir, name);
    uint8_t *bytes = atls_arena_raw(&tpm.arena, 4096, &tpm.err);
    FILE *f = fopen(path, "rb");
    assert_non_null(bytes);
    if (f == NULL) {
        fail_msg("%s: %s", path, strerror(errno));
    }
    const size_t n = fread(bytes, 1, 4096, f);
    (void)fclose(f);
    return atls_bytes_of(bytes, n);
}

static atls_bytes changed(atls_bytes in, size_t at)
{
    uint8_t *bytes = atls_arena_raw(&tpm.arena, in.len, &tpm.err);
    assert_non_null(bytes);
    memcpy(bytes, in.ptr, in.len);
    bytes[at] ^= 1;
    return atls_bytes_of(bytes, in.len);
}

/* One quote of each bank, with the key's TPMT_PUBLIC (files hold a TPM2B). */
static void make_evidence(tpm_evidence *e, key_index key)
{
    const atls_bytes empty = atls_bytes_empty();
    const atls_bytes public = file("%d.pub", (int)key);
    *e = (tpm_evidence){.event_log = tpm.log, .ak_cert = empty};
    e->ak_pub = atls_bytes_of(public.ptr + 2, public.len - 2);
    for (size_t k = 0; k < N_BANKS; k++) {
        tpm_quote *q;
        tpm_bank *b;
        const atls_bytes values = file("%s.pcrs", banks[k].name);
        assert_int_equal(values.len, TPM_N_PCRS * banks[k].len);
        assert_true(tpm_quote_add(e, &tpm.arena, &q, &tpm.err));
        assert_true(tpm_bank_add(q, &tpm.arena, banks[k].alg, &b, &tpm.err));
        q->message = file("%d.%s.msg", (int)key, banks[k].name);
        q->signature = file("%d.%s.sig", (int)key, banks[k].name);
        for (size_t i = 0; i < TPM_N_PCRS; i++) {
            assert_true(tpm_pcr_add(b, i, atls_bytes_of(values.ptr + i * banks[k].len, banks[k].len), &tpm.err));
        }
    }
}

static bool appraise(const tpm_evidence *e, key_index key, const char *value, atls_result *result)
{
    atls_policy *policy;
    atls_verifier *verifier;
    atls_bytes bound;
    char text[512];
    atls_appraisal in = {.event_log = atls_bytes_empty(), .now = 1781524800};
    in.binding = (atls_binding){.grade = ATLS_GRADE_REPORT_DATA, .profile = "", .value_len = 32};
    assert_true(atls_hex_decode(atls_bytes_str(value), "", &tpm.arena, &bound, &tpm.err));
    memcpy(in.binding.value, bound.ptr, bound.len);
    assert_true(tpm_write(e, &tpm.arena, &in.evidence, &tpm.err));
    /* the key by its Name, as tpm2-tools says it; registers 0 and 4 as they were before anything was changed */
    const atls_bytes values = file("sha256.pcrs");
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"tpm\",\"require_event_log\":true,\"ak\":\"%s\",\"pcrs\":{\"0\":\"%s\",\"4\":\"%s\"}}",
                   atls_hex_text(file("%d.name", (int)key), &tpm.arena, &tpm.err),
                   atls_hex_text(atls_bytes_of(values.ptr, 32), &tpm.arena, &tpm.err),
                   atls_hex_text(atls_bytes_of(values.ptr + 4 * 32, 32), &tpm.arena, &tpm.err));
    assert_true(atls_policy_parse(atls_bytes_str(text), &policy, &tpm.err));
    assert_true(atls_verifier_new(policy, &verifier, &tpm.err));
    const bool ok = atls_verifier_appraise(verifier, &in, &tpm.arena, result, &tpm.err);
    atls_verifier_free(verifier);
    atls_policy_free(policy);
    return ok;
}

/* ---- the cases of section 8 ---- */

typedef struct row {
    const char *name;
    key_index key;
    void (*change)(tpm_evidence *e);
    const char *value;
    const char *code;
    const char *field;
} row;

static void bank_swap(tpm_evidence *e)
{
    const atls_bytes kept = e->quotes[0].signature;
    e->quotes[0].signature = e->quotes[1].signature;
    e->quotes[1].signature = kept;
}

static void label_swap(tpm_evidence *e)
{
    tpm_bank *kept = e->quotes[0].banks;
    e->quotes[0].banks = e->quotes[1].banks;
    e->quotes[1].banks = kept;
}

static void pcr_changed(tpm_evidence *e)
{
    e->quotes[1].banks[0].values[4] = changed(e->quotes[1].banks[0].values[4], 3);
}

/* upstream verifies SHA-512 and believes SHA-256 */
static void forged_sha256(tpm_evidence *e)
{
    pcr_changed(e);
    e->event_log = atls_bytes_empty();
}

static void pcr_missing(tpm_evidence *e)
{
    e->quotes[1].banks[0].mask &= 0x7fffff;
}

static void pcr_moved(tpm_evidence *e)
{
    const atls_bytes values = file("moved.pcrs");
    e->quotes[1].banks[0].values[11] = atls_bytes_of(values.ptr + 11 * 32, 32);
}

static void log_truncated(tpm_evidence *e)
{
    e->event_log = atls_bytes_of(tpm.log.ptr, tpm.last_record);
}

static void log_cut(tpm_evidence *e)
{
    e->event_log = atls_bytes_of(tpm.log.ptr, tpm.log.len - 1);
}

static void data_changed(tpm_evidence *e)
{
    e->event_log = changed(tpm.log, tpm.log.len - 1);
}

static void attributes_forged(tpm_evidence *e)
{
    uint8_t *bytes = atls_arena_raw(&tpm.arena, e->ak_pub.len, &tpm.err);
    assert_non_null(bytes);
    memcpy(bytes, e->ak_pub.ptr, e->ak_pub.len);
    bytes[5] |= 0x01; /* restricted */
    e->ak_pub = atls_bytes_of(bytes, e->ak_pub.len);
}

static void message_changed(tpm_evidence *e)
{
    e->quotes[1].message = changed(e->quotes[1].message, 90); /* the clock */
}

static const row rows[] = {
    {"RSA", KEY_RSA, NULL, VALUE, "OK", ""},
    {"ECC P-256", KEY_P256, NULL, VALUE, "OK", ""},
    {"ECC P-384 with SHA-384", KEY_P384, NULL, VALUE, "OK", ""},
    {"another nonce", KEY_RSA, NULL, OTHER_VALUE, "REPORT_DATA_MISMATCH", "quote.extra_data"},
    {"another nonce, ECC", KEY_P256, NULL, OTHER_VALUE, "REPORT_DATA_MISMATCH", "quote.extra_data"},
    {"signatures of two banks swapped", KEY_RSA, bank_swap, VALUE, "EVIDENCE_SIGNATURE", "quotes[0].raw_sig"},
    {"values of two banks swapped", KEY_RSA, label_swap, VALUE, "PCR_DIGEST", "quotes[0].pcrs"},
    {"a register changed", KEY_RSA, pcr_changed, VALUE, "PCR_DIGEST", "quotes[1].pcrs"},
    {"a register that moved on", KEY_RSA, pcr_moved, VALUE, "PCR_DIGEST", "quotes[1].pcrs"},
    {"SHA-256 registers forged beside genuine ones", KEY_RSA, forged_sha256, VALUE, "PCR_DIGEST", "quotes[1].pcrs"},
    {"a selection wider than the values", KEY_RSA, pcr_missing, VALUE, "PCR_DIGEST", "quotes[1].pcrs"},
    {"a key that is not restricted", KEY_UNRESTRICTED, NULL, VALUE, "KEY_ATTRIBUTES", "ak_pub.attributes.restricted"},
    {"a key that is not restricted, and says it is", KEY_UNRESTRICTED, attributes_forged, VALUE,
     "KEY_NOT_AUTHENTICATED", "ak_pub"},
    {"a message changed", KEY_RSA, message_changed, VALUE, "EVIDENCE_SIGNATURE", "quotes[1].raw_sig"},
    {"a message changed, ECC", KEY_P384, message_changed, VALUE, "EVIDENCE_SIGNATURE", "quotes[1].raw_sig"},
    {"the log without its last event", KEY_RSA, log_truncated, VALUE, "PCR_MISMATCH", "pcr9"},
    {"the log cut", KEY_RSA, log_cut, VALUE, "EVENT_LOG_PARSE", "event_log[5].data"},
    {"event data changed", KEY_RSA, data_changed, VALUE, "OK", ""},
};

static void test_row(void **state)
{
    const row *r = *state;
    tpm_evidence e;
    atls_result result;
    char line[512];
    if (tpm.missing != NULL) {
        skip();
    }
    atls_error_clear(&tpm.err);
    make_evidence(&e, r->key);
    if (r->change != NULL) {
        r->change(&e);
    }
    const bool ok = appraise(&e, r->key, r->value, &result);
    (void)atls_error_line(&tpm.err, line, sizeof line);
    if (ok != (strcmp(r->code, "OK") == 0) || strcmp(atls_code_name(tpm.err.code), r->code) != 0
        || strcmp(tpm.err.field, r->field) != 0) {
        fail_msg("wanted %s %s, got %s", r->code, r->field, line);
    }
    if (ok) {
        const atls_tpm_claims *c = &result.claims.tpm;
        assert_true(c->log_replayed && c->n_banks == N_BANKS && c->trust == ATLS_TPM_TRUST_PINNED);
        assert_int_equal(c->n_events, N_EVENTS);
        for (size_t i = 0; i < N_EVENTS; i++) {
            const bool touched = r->change == data_changed && i == N_EVENTS - 1;
            assert_int_equal(c->events[i].verified, !events[i].described && !touched);
        }
    }
}

int main(void)
{
    tap_list l = {0};
    setup();
    tap_add(&l, "a TPM, its keys, a boot, quotes", test_make, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    int failed = tap_run("tpm swtpm", &l);
    atls_arena_free(&tpm.arena);
    stop();
    return failed;
}

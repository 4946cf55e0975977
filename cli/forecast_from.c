/* SPDX-License-Identifier: Apache-2.0 */
/* forecast_from.c: appraisals out of recordings, and recordings of peers, in memory. */
#include "forecast_from.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "values.h"
#include "verify/record.h"

bool cli_is_recording(const char *path)
{
    uint8_t head[13];
    struct stat st;
    static const uint8_t start[] = {0x86, 0x6b, 'a', 't', 'l', 's', ' ', 'r', 'e', 'c', 'o', 'r', 'd'};
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        return false;
    }
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    const ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof head);
    if (fd >= 0) {
        (void)close(fd);
    }
    return n == (ssize_t)sizeof head && memcmp(head, start, sizeof start) == 0;
}

bool cli_is_address(const char *operand)
{
    return strchr(operand, ':') != NULL && access(operand, F_OK) != 0;
}

bool cli_appraisal_from(atls_bytes file, atls_arena *a, atls_appraisal *out, atls_policy **policy, atls_error *err)
{
    atls_record record;
    atls_recorded r;
    if (!atls_record_open(file, a, &record, err) || !atls_recorded_read(&record, a, &r, err)) {
        return false;
    }
    r.in.now = out->now;
    r.in.now_ms = 0;
    *out = r.in;
    return policy == NULL || atls_policy_parse_with_roots(r.policy, r.roots, r.n_roots, policy, err);
}

/* ---- a peer ---- */

typedef struct taken {
    atls_arena *arena;
    atls_bytes record;
    atls_error why;
} taken;

static void take(void *ctx, atls_bytes record, bool is_accepted, const atls_error *why)
{
    taken *t = ctx;
    (void)is_accepted;
    if (why != NULL) {
        t->why = *why;
    } else if (!atls_arena_copy(t->arena, record, &t->record, &t->why)) {
        t->record = atls_bytes_empty();
    }
}

static bool choose_identity(const cli_peer_words *w, const atls_policy *policy, atls_arena *a, atls_client_options *o,
                            atls_error *err)
{
    if ((w->cacert != NULL) + (w->pin != NULL) + w->attested_only > 1) {
        return atls_fail(err, ATLS_E_USAGE, w->pin != NULL ? "--pin" : "--cacert",
                         "give one of --cacert, --pin and --attested-only");
    }
    if (w->attested_only && !atls_policy_attested_only(policy)) {
        return atls_fail(err, ATLS_E_USAGE, "--attested-only", "the policy does not say \"attested_only\": true");
    }
    if (w->cacert != NULL) {
        o->identity = ATLS_IDENTITY_CA;
        o->ca_file = w->cacert;
        return cli_exists(w->cacert, "--cacert", err);
    }
    if (w->pin != NULL) {
        o->identity = ATLS_IDENTITY_PIN;
        return cli_pin(w->pin, "--pin", a, o->pin_spki_sha256, err);
    }
    o->identity = w->attested_only ? ATLS_IDENTITY_ATTESTED_ONLY : o->identity;
    return true;
}

static bool choose(const cli_peer_words *w, const atls_policy *policy, atls_arena *a, atls_client_options *o,
                   atls_error *err)
{
    const bool is_auto = w->profile == NULL || strcmp(w->profile, "auto") == 0;
    uint32_t seconds = 30;
    if (!choose_identity(w, policy, a, o, err) || (!is_auto && !cli_profile(w->profile, "--profile", &o->profiles, err))
        || !cli_number(w->timeout, "--timeout", 1, 86400, &seconds, err)) {
        return false;
    }
    o->timeout_ms = seconds * 1000;
    return true;
}

/* Nothing is said to the peer beyond the handshake; a goodbye is a courtesy. */
static void speak(const cli_address *to, const atls_client_options *o, atls_arena *a, atls_error *refusal)
{
    atls_session *session = NULL;
    atls_result result = {.profile = ""};
    atls_error ignored = {.code = ATLS_OK};
    if (atls_connect(to->host, to->port, o, a, &session, &result, refusal)) {
        const bool said_goodbye = atls_session_close(session, &ignored) == ATLS_STEP_DONE;
        (void)said_goodbye;
    }
    atls_session_free(session);
}

bool cli_peer_record(const cli_peer_words *w, const char *operand, const atls_policy *policy,
                     cli_endorsements *endorsements, atls_time now, atls_arena *a, atls_bytes *out, atls_error *refusal,
                     atls_error *err)
{
    taken t = {.arena = a, .record = atls_bytes_empty()};
    atls_client_options o = {.now = now, .endorse = cli_endorse, .endorse_ctx = endorsements};
    atls_verifier *verifier = NULL;
    cli_address to;
    *out = atls_bytes_empty();
    if (!cli_address_parse(operand, a, &to, err) || !choose(w, policy, a, &o, err)
        || !atls_verifier_new(policy, &verifier, err)) {
        return false;
    }
    o.server_name = w->server_name != NULL ? w->server_name : to.host;
    o.verifier = verifier;
    o.record = (atls_record_options){.when = ATLS_RECORD_ALWAYS, .write = take, .ctx = &t};
    speak(&to, &o, a, refusal);
    atls_verifier_free(verifier);
    *out = t.record;
    if (t.record.len == 0) {
        *err = t.why.code != ATLS_OK ? t.why : *refusal;
    }
    return t.record.len > 0;
}

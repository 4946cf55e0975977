/* SPDX-License-Identifier: Apache-2.0 */
/* forecast_from.h: what a forecast looks ahead with: an appraisal that was recorded, in a file or of a peer just now. */
#ifndef ATLS_CLI_FORECAST_FROM_H
#define ATLS_CLI_FORECAST_FROM_H

#include "inputs.h"

/* How a peer is spoken to: the options of atls connect that have to do with it. */
typedef struct cli_peer_words {
    const char *profile, *server_name, *cacert, *pin, *timeout;
    bool attested_only;
} cli_peer_words;

/* The rows of a verb's table. */
#define CLI_PEER_ROWS(w)                                                                                               \
    {"profile", 0, "NAME", "of a peer: auto, atls/1, dstack or constellation (auto)", .text = &(w)->profile},          \
        {"servername", 0, "NAME", "of a peer: name to ask for (HOST)", .text = &(w)->server_name},                     \
        {"cacert", 0, "FILE", "of a peer: trust these authorities (PEM) only", .text = &(w)->cacert},                  \
        {"pin", 0, "PIN", "of a peer: sha256//BASE64 or hex of its public key", .text = &(w)->pin},                    \
        {"attested-only", 0, NULL, "of a peer: no ordinary identity; the policy must say so too",                      \
         .flag = &(w)->attested_only},                                                                                 \
    {                                                                                                                  \
        "timeout", 't', "SECONDS", "of a peer: for everything up to the verdict (30)", .text = &(w)->timeout           \
    }

/* cli_is_recording tells whether a path is a file that begins like a recording. Pipes are not looked into. */
bool cli_is_recording(const char *path);

/* cli_is_address tells whether an operand means a peer: there is no such file, and there is a colon in it. */
bool cli_is_address(const char *operand);

/* cli_appraisal_from takes the appraisal out of a recording: evidence, log, binding, and callbacks that answer from it. `now` of
 * *out stays. *policy (policy NULL: not wanted) is the recorded one, the caller's. Errors: those of atls_record_open and of
 * atls_replay_run. */
ATLS_MUST_USE bool cli_appraisal_from(atls_bytes file, atls_arena *a, atls_appraisal *out, atls_policy **policy,
                                      atls_error *err);

/* cli_peer_record connects, has the peer's evidence appraised, closes, and gives the recording of that. False without one:
 * err says why. True does not mean yes: *refusal (ATLS_OK: none) is how the session ended. */
ATLS_MUST_USE bool cli_peer_record(const cli_peer_words *w, const char *operand, const atls_policy *policy,
                                   cli_endorsements *endorsements, atls_time now, atls_arena *a, atls_bytes *out,
                                   atls_error *refusal, atls_error *err);

#endif

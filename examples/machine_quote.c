/* SPDX-License-Identifier: Apache-2.0 */
/* machine_quote.c: where the quotes of epoll_attested come from. THIS IS THE PLACE FOR YOUR HARDWARE: as it stands no quote is
 * made, and every client is refused.
 *
 * What has to be done here, and nothing else: put the 64 bytes of report_data, unchanged, into the report data of a fresh quote
 * of this machine, and give the quote back. On Linux that is the folder /sys/kernel/config/tsm/report (inblob, outblob), in a
 * dstack guest its agent's socket. It may take its time, since an atls_attester calls it in a thread of its own, one call at a
 * time. Where a dstack_tdx policy is to be met, out->event_log is the log as a JSON array that replays to the quote.
 *
 * What must not be done anywhere in the machine's image: quote bytes that somebody else has chosen (docs/protocol.md). */
#include <atls/atls.h>

bool machine_quote(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out, atls_error *err);

bool machine_quote(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out, atls_error *err)
{
    (void)ctx;
    (void)report_data; /* into the quote */
    (void)arena;       /* out->quote lives here: atls_arena_copy */
    (void)out;
    return atls_fail(err, ATLS_E_CONFIGURATION, "machine_quote", "no generator of quotes has been put in here");
}

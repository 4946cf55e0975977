/* SPDX-License-Identifier: Apache-2.0 */
/* simulated_quote.c: what stands in the place of examples/machine_quote.c in the tests: slow quotes of a room that has
 * measured the server's certificate. */
#include <time.h>

#include "sim/sim.h"

bool machine_quote(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out, atls_error *err);

bool machine_quote(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out, atls_error *err)
{
    static const sim_options options = {.kind = SIM_TDX_V4};
    const struct timespec pause = {.tv_nsec = 400000000}; /* time enough to leave before it is made */
    sim_tls tls;
    sim *room;
    (void)ctx;
    if (!sim_new(&options, &room, err)) {
        return false;
    }
    (void)nanosleep(&pause, NULL);
    bool ok = sim_tls_identity(room, "tdx.example.com", arena, &tls, err)
              && sim_measure_certificate(room, tls.leaf_der, err) && sim_attest(room, report_data, arena, out, err);
    sim_free(room);
    return ok;
}

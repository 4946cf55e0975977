/* SPDX-License-Identifier: Apache-2.0 */
/* test_cases_convergence.c: cases H: every combination of platform, module and QE status, against the fold table of
 * DCAP section 9, written down here a second time. */
#include "cases.h"

#include <string.h>

enum { N_PLATFORM = 7, N_MODULE = 4, N_QE = 4, N_ROWS = N_PLATFORM * N_MODULE * N_QE };

static const char *const platforms[N_PLATFORM] = {"UpToDate",
                                                  "SWHardeningNeeded",
                                                  "ConfigurationNeeded",
                                                  "ConfigurationAndSWHardeningNeeded",
                                                  "OutOfDate",
                                                  "OutOfDateConfigurationNeeded",
                                                  "Revoked"};
static const char *const modules[N_MODULE] = {"none", "UpToDate", "OutOfDate", "Revoked"};
static const char *const qes[N_QE] = {"UpToDate", "OutOfDate", "Revoked", "below"};

typedef struct row {
    char name[96];
    char platform[64];
    char module[64];
    char qe[64];
    char advisories[64];
    sim_case c;
} row;

static row rows[N_ROWS];

/* What OutOfDate makes of a base; the other columns of the table are one rule each. */
static const char *fold_out_of_date(const char *base)
{
    static const char *const table[][2] = {
        {"UpToDate", "OutOfDate"},
        {"SWHardeningNeeded", "OutOfDate"},
        {"ConfigurationNeeded", "OutOfDateConfigurationNeeded"},
        {"ConfigurationAndSWHardeningNeeded", "OutOfDateConfigurationNeeded"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i][0], base) == 0) {
            return table[i][1];
        }
    }
    return base;
}

static const char *fold(const char *base, const char *other)
{
    if (strcmp(base, "Revoked") == 0 || strcmp(other, "Revoked") == 0) {
        return "Revoked";
    }
    return strcmp(other, "OutOfDate") == 0 ? fold_out_of_date(base) : base;
}

/* Of several reasons the first is named: a QE below all levels (step 14), then platform, module, QE. */
static void expect(row *r, const char *platform, const char *module, const char *qe)
{
    const char *status = fold(platform, strcmp(module, "none") == 0 ? "UpToDate" : module);
    if (strcmp(qe, "below") == 0) {
        r->c.code = ATLS_E_TCB_NOT_SUPPORTED;
        r->c.field = "qe_identity.tcbLevels";
        return;
    }
    status = fold(status, qe);
    r->c.status = status;
    if (strcmp(status, "Revoked") == 0) {
        r->c.code = ATLS_E_TCB_REVOKED;
        r->c.field = strcmp(platform, "Revoked") == 0 ? "tcb.platform"
                     : strcmp(module, "Revoked") == 0 ? "tcb.module"
                                                      : "tcb.qe";
        return;
    }
    (void)snprintf(r->advisories, sizeof r->advisories, "INTEL-SA-P,INTEL-SA-X%s%s",
                   strcmp(module, "none") == 0 ? "" : ",INTEL-SA-M", ",INTEL-SA-Q");
    r->c.advisories = r->advisories;
}

/* All levels name INTEL-SA-X besides their own advisory: it must come once. */
static void make_row(row *r, const char *platform, const char *module, const char *qe)
{
    const bool none = strcmp(module, "none") == 0;
    const bool below = strcmp(qe, "below") == 0;
    size_t n = 0;
    (void)snprintf(r->name, sizeof r->name, "%s/%s/%s", platform, module, qe);
    (void)snprintf(r->platform, sizeof r->platform, "level.0.status=%s", platform);
    (void)snprintf(r->module, sizeof r->module, "module.0.level.0.status=%s", module);
    (void)snprintf(r->qe, sizeof r->qe, "qe_level.0.status=%s", qe);
    r->c = (sim_case){.name = r->name, .kind = SIM_TDX_V4};
    r->c.settings[n++] = r->platform;
    r->c.settings[n++] = "level.0.advisories=INTEL-SA-P,INTEL-SA-X";
    r->c.settings[n++] = none ? "modules=0" : r->module;
    r->c.settings[n++] = none ? "td.tee_tcb_svn=050003" : "module.0.level.0.advisories=INTEL-SA-X,INTEL-SA-M";
    r->c.settings[n++] = below ? "qe.isvsvn=1" : r->qe;
    r->c.settings[n++] = "qe_level.0.advisories=INTEL-SA-X,INTEL-SA-Q";
    expect(r, platform, module, qe);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < N_ROWS; i++) {
        make_row(&rows[i], platforms[i / (N_MODULE * N_QE)], modules[i / N_QE % N_MODULE], qes[i % N_QE]);
        cases_add(&l, &rows[i].c, 1);
    }
    return tap_run("cases H: convergence", &l);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* tsm.h: what the survey of the machine asks of configfs-tsm. */
#ifndef ATLS_EDGE_ATTESTER_TSM_H
#define ATLS_EDGE_ATTESTER_TSM_H

#include "atls/attester.h"

#define ATLS_TSM_FOLDER "/sys/kernel/config/tsm/report"
#define ATLS_CCEL_PATH  "/sys/firmware/acpi/tables/data/CCEL"

/* atls_tsm_look makes an entry in the folder, reads who provides reports, and removes the entry. Gives 0 or the errno
 * value of what failed: ENOENT, no such folder; ENXIO, nobody provides; EACCES, EPERM. */
int atls_tsm_look(const char *folder, char provider[32]);

#endif

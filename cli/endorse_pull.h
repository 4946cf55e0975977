/* SPDX-License-Identifier: Apache-2.0 */
/* endorse_pull.h: atls endorse pull. */
#ifndef ATLS_CLI_ENDORSE_PULL_H
#define ATLS_CLI_ENDORSE_PULL_H

/* cli_endorse_pull fetches endorsements into the cache, and writes them for -e to read. argv[0] is "pull". Returns the exit
 * status of the program. */
int cli_endorse_pull(int argc, char *const argv[]);

#endif

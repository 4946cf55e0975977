/* SPDX-License-Identifier: Apache-2.0 */
/* audit_rig.h: what the tests of the audit log share: files of it, made and changed. */
#ifndef ATLS_TESTS_SERVICE_AUDIT_RIG_H
#define ATLS_TESTS_SERVICE_AUDIT_RIG_H

#include "edge/service/audit.h"
#include "rig.h"

#define MAX_FILE ((size_t)64 * 1024)

extern const uint8_t audit_digest_a[32];
extern const uint8_t audit_digest_b[32];
extern const atls_audit_entry audit_refused;

/* A folder for all logs of a program. */
void audit_setup(void);
void audit_teardown(void);
const char *audit_folder(void);

/* A name that nothing has yet. */
void name_log(char out[static 2 * RIG_PATH_SIZE]);
/* These end the test when they fail. */
atls_audit *open_log(const char *path, atls_audit_found *found);
void append(atls_audit *a, const atls_audit_entry *e, unsigned n);
size_t read_file(const char *path, uint8_t out[static MAX_FILE]);
void write_file(const char *path, const void *ptr, size_t len);
/* A log of a beginning and n lines; its bytes in out. */
size_t make_log(char path[static 2 * RIG_PATH_SIZE], unsigned n, uint8_t out[static MAX_FILE]);
/* Where a line begins, counted from 1. */
size_t find_line(const uint8_t *bytes, unsigned line);
bool verify(const char *path, atls_audit_report *out);

#endif

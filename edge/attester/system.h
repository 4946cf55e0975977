/* SPDX-License-Identifier: Apache-2.0 */
/* system.h: the few system calls that reach what a kernel offers to attesters, behind one door.
 *
 * Nothing but the attesters of real machines goes through here. Tests link a kernel of their own in place of system.c:
 * configfs and an ioctl cannot be stood up from user space. Each call gives 0 or an errno value, which never leaves
 * edge/: atls_system_fail turns it into words. */
#ifndef ATLS_EDGE_ATTESTER_SYSTEM_H
#define ATLS_EDGE_ATTESTER_SYSTEM_H

#include "atls/arena.h"

int atls_system_mkdir(const char *path);
int atls_system_rmdir(const char *path);
/* flags are open's; O_CLOEXEC is added, nothing is ever created. */
int atls_system_open(const char *path, int flags, int *fd);
int atls_system_close(int fd);
/* *n is 0 at the end of the file. */
int atls_system_read(int fd, void *out, size_t size, size_t *n);
int atls_system_write(int fd, const void *in, size_t len, size_t *n);
int atls_system_ioctl(int fd, unsigned long request, void *argument);

/* ---- made of these; the same in tests ---------------------------------------------------------------------------- */

/* atls_device_read reads a whole file into the arena, to its end, whatever the size of single reads. Gives 0, an errno value;
 * EFBIG when there are more than max bytes, ENOMEM when the arena is full. EINTR is not a failure. */
int atls_device_read(const char *path, size_t max, atls_arena *a, atls_bytes *out);

/* atls_device_write writes all of it in one write; fewer bytes taken is EIO. What close says counts. */
int atls_device_write(const char *path, atls_bytes in);

/* atls_system_fail says IO with "<path>: <the system's words>" and, for some, what to do. field is "attester.tsm" ... */
bool atls_system_fail(atls_error *err, const char *field, const char *path, int reason);

/* atls_system_words gives the system's words for an errno value in out, and out. */
const char *atls_system_words(int reason, char out[64]);

/* atls_pause_ms sleeps; a signal ends it early. */
void atls_pause_ms(unsigned ms);

#endif

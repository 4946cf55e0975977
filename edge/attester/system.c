/* SPDX-License-Identifier: Apache-2.0 */
/* system.c: the calls themselves, and nothing else: this is the one object that tests replace. */
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

int atls_system_mkdir(const char *path)
{
    return mkdir(path, 0700) == 0 ? 0 : errno;
}

int atls_system_rmdir(const char *path)
{
    return rmdir(path) == 0 ? 0 : errno;
}

int atls_system_open(const char *path, int flags, int *fd)
{
    *fd = open(path, flags | O_CLOEXEC);
    return *fd >= 0 ? 0 : errno;
}

int atls_system_close(int fd)
{
    return close(fd) == 0 ? 0 : errno;
}

int atls_system_read(int fd, void *out, size_t size, size_t *n)
{
    const ssize_t got = read(fd, out, size);
    const int reason = errno;
    *n = got > 0 ? (size_t)got : 0;
    return got >= 0 ? 0 : reason;
}

int atls_system_write(int fd, const void *in, size_t len, size_t *n)
{
    const ssize_t put = write(fd, in, len);
    const int reason = errno;
    *n = put > 0 ? (size_t)put : 0;
    return put >= 0 ? 0 : reason;
}

int atls_system_ioctl(int fd, unsigned long request, void *argument)
{
    return ioctl(fd, request, argument) == 0 ? 0 : errno;
}

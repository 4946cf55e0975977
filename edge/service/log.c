/* SPDX-License-Identifier: Apache-2.0 */
/* log.c: one line for people, on standard error; with a level in front where the journal reads it. */
#include <stdarg.h>
#include <stdlib.h>

#include "internal.h"

#define MAX_LINE 1024

static void write_line(int level, const char *line)
{
    const char *stream = getenv("JOURNAL_STREAM");
    if (stream != NULL && stream[0] != '\0') {
        (void)fprintf(stderr, "<%d>%s\n", level, line);
    } else {
        (void)fprintf(stderr, "atls enrol serve: %s%s\n",
                      level <= SVC_ERROR     ? "error: "
                      : level <= SVC_WARNING ? "warning: "
                                             : "",
                      line);
    }
}

void svc_log(const atls_service *s, int level, const char *format, ...)
{
    char line[MAX_LINE];
    va_list args;
    va_start(args, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start is the line above */
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    for (char *c = line; *c != '\0'; c++) {
        if (*c < ' ' || *c >= 0x7f) {
            *c = '?';
        }
    }
    if (s->options.log != NULL) {
        s->options.log(s->options.log_ctx, level, line);
    } else {
        write_line(level, line);
    }
}

void svc_log_error(const atls_service *s, int level, const char *what, const atls_error *err)
{
    char line[512];
    (void)atls_error_line(err, line, sizeof line);
    svc_log(s, level, "%s: %s", what, line);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* object.c: objects of the verbs' own. */
#include "object.h"

#include "cli.h"

void cli_put_error(atls_jw *w, const char *name, const atls_error *e)
{
    if (e->code == ATLS_OK) {
        atls_jw_null(w, name);
        return;
    }
    atls_jw_open(w, name, '{');
    atls_jw_str(w, "code", atls_code_name(e->code));
    atls_jw_str(w, "field", e->field);
    atls_jw_str(w, "expected", e->expected);
    atls_jw_str(w, "actual", e->actual);
    atls_jw_str(w, "message", e->message);
    atls_jw_uint(w, "exit_status", (uint64_t)atls_error_exit_status(e));
    atls_jw_close(w, '}');
}

bool cli_print_object(atls_buf *b)
{
    atls_bytes out;
    if (!atls_buf_done(b, &out)) {
        return false;
    }
    (void)fwrite(out.ptr, 1, out.len, stdout);
    (void)fputc('\n', stdout);
    return true;
}

int cli_unparsed(cli_parsed parsed, const char *verb, const atls_error *err)
{
    return parsed == CLI_PARSE_HELP ? 0 : cli_report(verb, err);
}

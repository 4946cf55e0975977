/* SPDX-License-Identifier: Apache-2.0 */
/* chain.c: PEM chains. chain.<name> lists certificates by id; chain.<name>.pem says how the text is spoilt. */
#include "sim/internal.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

void sim_pem_put(atls_buf *b, const char *label, atls_bytes der)
{
    atls_buf_format(b, "-----BEGIN %s-----\n", label);
    for (size_t at = 0; at < der.len; at += 48) {
        unsigned char line[65];
        size_t n = der.len - at < 48 ? der.len - at : 48;
        (void)EVP_EncodeBlock(line, der.ptr + at, (int)n);
        atls_buf_format(b, "%s\n", (const char *)line);
    }
    atls_buf_format(b, "-----END %s-----\n", label);
}

/* replace puts `with` in the place of the first `find`, or of all of them. */
static atls_bytes replace(sim_op *o, atls_bytes in, const char *find, const char *with, bool all)
{
    size_t n = strlen(find);
    bool done = false;
    atls_buf b = sim_buf(o);
    for (size_t i = 0; i < in.len;) {
        if (!done && i + n <= in.len && memcmp(in.ptr + i, find, n) == 0) {
            atls_buf_str(&b, with);
            done = !all;
            i += n;
        } else {
            sim_put_u8(&b, in.ptr[i++]);
        }
    }
    return sim_done(&b);
}

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END   "-----END CERTIFICATE-----"

static void bad_chain(sim_op *o, const char *name, const char *why)
{
    char path[SIM_PATH_SIZE];
    (void)snprintf(path, sizeof path, "chain.%s", name);
    sim_bad(o, path, why);
}

static atls_bytes spoil(sim_op *o, const char *name, const char *how, atls_bytes pem)
{
    if (strcmp(how, "crlf") == 0) {
        return replace(o, pem, "\n", "\r\n", true);
    }
    if (strcmp(how, "text_between") == 0) {
        return replace(o, pem, END "\n", END "\nsubject=nobody\n", false);
    }
    if (strcmp(how, "missing_dash") == 0) {
        return replace(o, pem, BEGIN, &BEGIN[1], false);
    }
    if (strcmp(how, "begin_end_swapped") == 0) {
        return replace(o, replace(o, replace(o, pem, BEGIN, "*", false), END, BEGIN, false), "*", END, false);
    }
    if (strcmp(how, "no_final_newline") == 0 && pem.len > 0) {
        return atls_bytes_of(pem.ptr, pem.len - 1);
    }
    if (strcmp(how, "nul_tail") == 0) {
        atls_buf b = sim_buf(o);
        atls_buf_put(&b, pem);
        sim_put_u8(&b, 0);
        return sim_done(&b);
    }
    bad_chain(o, name,
              "a PEM variant is crlf, text_between, missing_dash, begin_end_swapped, no_final_newline or nul_tail");
    return pem;
}

atls_bytes sim_chain(sim_op *o, const char *name, const char *def)
{
    const char *text = sim_get(o, "chain.%s.text", name);
    const char *list = sim_get_text(o, def, "chain.%s", name);
    const char *how = sim_get(o, "chain.%s.pem", name);
    char word[32];
    if (text != NULL) {
        return atls_bytes_str(text);
    }
    atls_buf b = sim_buf(o);
    while (sim_split(&list, word, sizeof word)) {
        const sim_cert *cert = sim_cert_find(o->s, word);
        if (cert == NULL) {
            bad_chain(o, name, "a chain lists certificates of the room by id");
            continue;
        }
        sim_pem_put(&b, "CERTIFICATE", cert->der);
    }
    atls_bytes pem = sim_done(&b);
    return how == NULL ? pem : spoil(o, name, how, pem);
}

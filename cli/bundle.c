/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.c: signed bundles out of files. */
#include "bundle.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "files.h"

#define MAX_KEY_FILE ((size_t)4096)
#define HEAD_LEN     64u

static bool load_keys(const cli_list *words, atls_arena *a, atls_bundle_key out[static ATLS_BUNDLE_MAX_KEYS],
                      atls_error *err)
{
    if (words->n > ATLS_BUNDLE_MAX_KEYS) {
        return atls_fail(err, ATLS_E_USAGE, "--bundle-key", "more than %u keys", ATLS_BUNDLE_MAX_KEYS);
    }
    for (size_t i = 0; i < words->n; i++) {
        atls_bytes file;
        atls_error why = {.code = ATLS_OK};
        if (!cli_read(words->items[i], "--bundle-key", MAX_KEY_FILE, a, &file, err)) {
            return false;
        }
        if (!atls_bundle_key_parse(file, &out[i], &why)) {
            return atls_fail(err, ATLS_E_USAGE, "--bundle-key", "%s: %s", words->items[i], why.message);
        }
    }
    return true;
}

bool cli_bundle_verify(atls_bytes file, const char *field, const cli_list *keys, atls_arena *a, atls_bundle *out,
                       atls_error *err)
{
    atls_bundle_key trusted[ATLS_BUNDLE_MAX_KEYS];
    if (keys->n == 0) {
        return atls_fail(err, ATLS_E_USAGE, field,
                         "this is a signed bundle: say with --bundle-key who may have signed it");
    }
    return load_keys(keys, a, trusted, err) && atls_bundle_open(file, trusted, keys->n, a, out, err);
}

/* Where the system keeps what programs remember. */
static const char *state_path(const char *word, atls_arena *a, atls_error *err)
{
    const char *home = getenv("XDG_STATE_HOME");
    if (word != NULL) {
        return word;
    }
    if (home != NULL && home[0] == '/') {
        return atls_text_format(a, err, "%s/atls/bundles", home);
    }
    home = getenv("HOME");
    if (home != NULL && home[0] == '/') {
        return atls_text_format(a, err, "%s/.local/state/atls/bundles", home);
    }
    (void)atls_fail(err, ATLS_E_USAGE, "--bundle-state",
                    "neither XDG_STATE_HOME nor HOME says where the last bundle is remembered");
    return NULL;
}

/* What would be said of it if it were used. */
static bool ask_memory(const char *state, bool allow_older, atls_bundle *b, atls_error *err)
{
    atls_error why = {.code = ATLS_OK};
    if (atls_bundle_would_admit(state, b, &why)) {
        return true;
    }
    b->insecure_older = allow_older && why.code == ATLS_E_BUNDLE_OLDER;
    if (!b->insecure_older) {
        *err = why;
    }
    return b->insecure_older;
}

static bool admit(const char *state, const cli_bundle_words *w, atls_bundle *b, atls_error *err)
{
    if (w->only_checks) {
        return ask_memory(state, w->allow_older, b, err);
    }
    return w->allow_older ? atls_bundle_admit_insecure_older(state, b, err) : atls_bundle_admit(state, b, err);
}

bool cli_bundle_open(atls_bytes file, const char *field, const cli_bundle_words *w, atls_arena *a, atls_bundle *out,
                     atls_error *err)
{
    if (!cli_bundle_verify(file, field, &w->keys, a, out, err)) {
        return false;
    }
    if (w->only_looks) {
        return true;
    }
    const char *state = state_path(w->state, a, err);
    if (state == NULL || !admit(state, w, out, err)) {
        return false;
    }
    if (out->insecure_older) {
        (void)fprintf(stderr, "%sWARNING%s: the bundle is older than the last one that was used\n",
                      cli_ink_on(stderr, CLI_WARN), cli_ink_on(stderr, CLI_PLAIN));
    }
    return true;
}

bool cli_bundle_at(const char *path)
{
    uint8_t head[HEAD_LEN];
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        return false;
    }
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    const ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof head);
    if (fd >= 0) {
        (void)close(fd);
    }
    return n > 0 && atls_bundle_is(atls_bytes_of(head, (size_t)n));
}

static bool add_signed(atls_bytes file, const char *field, const cli_list *keys, bool look_only, atls_bundle_pieces *p,
                       atls_bundle *out, atls_error *err)
{
    const bool ok = look_only && keys->n == 0 ? atls_bundle_open_insecure_unsigned(file, p->arena, out, err)
                                              : cli_bundle_verify(file, field, keys, p->arena, out, err);
    return ok && atls_bundle_add_all(p, out, err);
}

bool cli_pieces_add(const char *path, const char *field, const cli_list *keys, bool look_only, atls_arena *a,
                    atls_bundle_pieces *pieces, atls_bundle *bundle, atls_error *err)
{
    atls_bytes file;
    struct stat st;
    atls_bundle ignored = {.n_pieces = 0};
    atls_bundle *out = bundle == NULL ? &ignored : bundle;
    *out = (atls_bundle){.n_pieces = 0};
    if (!cli_exists(path, field, err)) {
        return false;
    }
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        atls_endorsements e;
        return atls_endorsements_load(path, a, &e, err) && atls_bundle_add(pieces, &e, err);
    }
    if (!cli_read(path, field, (size_t)ATLS_BUNDLE_MAX_LEN, a, &file, err)) {
        return false;
    }
    if (atls_bundle_is(file)) {
        return add_signed(file, field, keys, look_only, pieces, out, err);
    }
    const char *slash = strrchr(path, '/');
    return atls_bundle_add_file(pieces, file, err)
           || atls_error_relabel(err, err->code, slash == NULL ? path : slash + 1);
}

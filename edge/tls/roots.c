/* SPDX-License-Identifier: Apache-2.0 */
/* roots.c: the folder of roots at once, the file of roots late. */
#include "roots.h"

#include <openssl/err.h>

bool atls_roots_system(atls_session *s, atls_error *err)
{
    X509_LOOKUP *folder = X509_STORE_add_lookup(s->store, X509_LOOKUP_hash_dir());
    s->roots_file = X509_STORE_add_lookup(s->store, X509_LOOKUP_file());
    if (folder == NULL || s->roots_file == NULL) {
        ERR_clear_error();
        return atls_fail(err, ATLS_E_MEMORY, "identity", "OpenSSL could not make a store of roots");
    }
    (void)X509_LOOKUP_add_dir(folder, NULL, X509_FILETYPE_DEFAULT);
    ERR_clear_error();
    return true;
}

bool atls_roots_ask_again(atls_session *s)
{
    s->verify_again = s->roots_file != NULL && SSL_set_retry_verify(s->ssl) == 1;
    return s->verify_again;
}

bool atls_roots_resume(atls_session *s)
{
    if (!s->verify_again || s->roots_file == NULL) {
        return false;
    }
    /* A file that is not there holds no roots: the chain then ends without an anchor, and says so. */
    (void)X509_LOOKUP_load_file(s->roots_file, NULL, X509_FILETYPE_DEFAULT);
    s->roots_file = NULL; /* the store's, which keeps it */
    s->verify_again = false;
    ERR_clear_error();
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* curl_attested: fetches a page over HTTPS from a machine that proves what it is, with libcurl and one call of libatls.
 *
 *     curl_attested URL POLICY ENDORSEMENTS
 *
 * POLICY is a policy document (atls-policy(5)) of type "tdx" that says "min_grade": "key_fresh" and "attested_only": true;
 * ENDORSEMENTS a bundle for the machine. The page goes to stdout. When the machine is not what the policy asks for, the
 * handshake fails, no request is sent, and stderr says why.
 *
 * cc curl_attested.c $(pkg-config --cflags --libs libatls libcurl) */
#include <stdio.h>

#include <curl/curl.h>

#include <atls/atls.h>

#define MAX_FILE ((size_t)16 * 1024 * 1024)

static void explain(const char *what, const atls_error *err)
{
    char line[700];
    (void)atls_error_line(err, line, sizeof line);
    fprintf(stderr, "curl_attested: %s: %s\n", what, line);
}

/* libcurl closes a connection whose handshake failed; this is how we learn the reason. */
static void refused(void *ctx, const atls_result *result, const atls_error *why)
{
    (void)ctx;
    (void)result; /* every check that was made, if there was an appraisal: atls_result_json prints it */
    explain("the server is refused", why);
}

/* libcurl makes an SSL_CTX for each connection and shows it here before it is used. */
static CURLcode hook(CURL *curl, void *ssl_ctx, void *options)
{
    atls_error err = {.code = ATLS_OK};
    (void)curl;
    if (!atls_hook_client(ssl_ctx, options, &err)) {
        explain("configuration", &err);
        return CURLE_ABORTED_BY_CALLBACK;
    }
    return CURLE_OK;
}

/* The handshake is complete, and no byte of the request has left: the moment to ask what was verified. */
static int before_request(void *curl, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
    struct curl_tlssessioninfo *tls = NULL;
    const atls_result *result = NULL;
    atls_error err = {.code = ATLS_OK};
    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    (void)local_port;
    if (curl_easy_getinfo(curl, CURLINFO_TLS_SSL_PTR, &tls) != CURLE_OK || tls->backend != CURLSSLBACKEND_OPENSSL
        || !atls_hook_result(tls->internals, &result, &err)) {
        explain("not attested", &err);
        return CURL_PREREQFUNC_ABORT;
    }
    fprintf(stderr, "curl_attested: %s, attested: grade %s, TCB %s\n", atls_verdict_name(result->verdict),
            atls_grade_name(result->grade), atls_tcb_status_name(result->claims.dcap.tcb.status));
    return CURL_PREREQFUNC_OK;
}

static bool read_file(const char *path, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    FILE *f = fopen(path, "rb");
    uint8_t *bytes = atls_arena_raw(arena, MAX_FILE, err);
    size_t n = f == NULL || bytes == NULL ? 0 : fread(bytes, 1, MAX_FILE, f);
    if (f != NULL) {
        (void)fclose(f);
    }
    *out = atls_bytes_of(bytes, n);
    return (n > 0 && n < MAX_FILE) || atls_fail(err, ATLS_E_IO, path, "the file cannot be read");
}

static CURLcode fetch(const char *url, atls_hook_client_options *options)
{
    CURL *curl = curl_easy_init();
    if (curl == NULL) {
        return CURLE_OUT_OF_MEMORY;
    }
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, hook);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, options);
    curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(curl, CURLOPT_PREREQDATA, curl);
    /* The certificate is made for this handshake and names nobody: the evidence takes the place of the name. */
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    /* Nor does any authority vouch for it, and a machine without a file of them needs none. */
    curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(curl, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    return code;
}

static bool run(char **argv, atls_arena *arena, atls_policy **policy, atls_verifier **verifier, atls_error *err)
{
    atls_bytes text;
    atls_bytes bundle;
    if (!read_file(argv[2], arena, &text, err) || !read_file(argv[3], arena, &bundle, err)
        || !atls_policy_parse(text, policy, err) || !atls_verifier_new(*policy, verifier, err)) {
        return false;
    }
    atls_hook_client_options options = {
        .verifier = *verifier,
        .endorse = atls_endorsements_from_bundle_fn,
        .endorse_ctx = &bundle,
        .refused = refused,
    };
    CURLcode code = fetch(argv[1], &options);
    return code == CURLE_OK || atls_fail(err, ATLS_E_IO, argv[1], "%s", curl_easy_strerror(code));
}

int main(int argc, char **argv)
{
    atls_error err = {.code = ATLS_OK};
    atls_arena arena = {0};
    atls_policy *policy = NULL;
    atls_verifier *verifier = NULL;
    if (argc != 4) {
        fprintf(stderr, "usage: curl_attested URL POLICY ENDORSEMENTS\n");
        return 1;
    }
    if (!atls_arena_new(&arena, 2 * MAX_FILE, &err) || !run(argv, &arena, &policy, &verifier, &err)) {
        explain("no page", &err);
    }
    atls_verifier_free(verifier);
    atls_policy_free(policy);
    atls_arena_free(&arena);
    return err.code == ATLS_OK ? 0 : 2;
}

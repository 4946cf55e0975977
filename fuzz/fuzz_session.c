/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_session.c: atls_session_step, atls_io_handshake over whatever a server may put on the wire, in two pieces.
 * Nothing that is not a TLS server gets a session established, every end is an error in words, and OpenSSL's queue is
 * left empty. */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "atls/tls.h"
#include "fuzz.h"

static const atls_verifier *verifier(void)
{
    static const char document[] = "{\"type\":\"tdx\",\"mrtd\":\""
                                   "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
                                   "0000000000000000\"}";
    static atls_policy *policy;
    static atls_verifier *made;
    atls_error err = {0};
    if (made == NULL) {
        FUZZ_ASSERT(atls_policy_parse(atls_bytes_str(document), &policy, &err));
        FUZZ_ASSERT(atls_verifier_new(policy, &made, &err));
    }
    return made;
}

static void put(BIO *in, const uint8_t *data, size_t size)
{
    FUZZ_ASSERT(size == 0 || BIO_write(in, data, (int)size) == (int)size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static SSL_CTX *ctx;
    atls_error err = {0};
    atls_session *s = NULL;
    const atls_client_options options = {.server_name = "a",
                                         .verifier = verifier(),
                                         .identity = ATLS_IDENTITY_PIN,
                                         .pin_spki_sha256 = {1},
                                         .arena_size = 64 * 1024};
    ctx = ctx == NULL ? SSL_CTX_new(TLS_client_method()) : ctx;
    SSL *ssl = SSL_new(ctx);
    BIO *in = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, in, BIO_new(BIO_s_mem()));
    FUZZ_ASSERT(atls_client_session_new(ssl, &options, &s, &err));
    put(in, data, size / 2);
    atls_step step = atls_session_step(s, &err);
    put(in, data + size / 2, size - size / 2);
    step = step == ATLS_STEP_WANT_READ ? atls_session_step(s, &err) : step;
    FUZZ_ASSERT(step == ATLS_STEP_WANT_READ || (step == ATLS_STEP_FAILED && err.code == ATLS_E_TLS_HANDSHAKE));
    FUZZ_ASSERT(ERR_peek_error() == 0 && atls_session_result(s) == NULL);
    atls_session_free(s);
    SSL_free(ssl);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal seeds[] = {
        FUZZ_TEXT("\025\003\003\000\002\002\050"), /* an alert: handshake_failure */
        FUZZ_TEXT("\025\003\003\000\002\001\000"), /* close_notify */
        FUZZ_TEXT(
            "\024\003\003\000\001\001\026\003\003\000\004\016\000\000\000"), /* change cipher spec, an odd message */
        FUZZ_TEXT("HTTP/1.1 400 Bad Request\r\n\r\n"),                       /* no TLS at all */
        /* a ServerHello up to its extensions: TLS_AES_128_GCM_SHA256, supported_versions 1.3 */
        FUZZ_TEXT("\026\003\003\000\066\002\000\000\062\003\003aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\000\023\001\000"
                  "\000\012\000\053\000\002\003\004\000\051\000\000"),
    };
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}

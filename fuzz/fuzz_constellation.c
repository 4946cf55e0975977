/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_constellation: constellation_document_read and _write, constellation_name_read and _write, constellation_nonce_read
 * and _write, constellation_oid_text. What one reader accepts, its writer gives again; a name that is written by us is the
 * only one that is accepted, the type of its string apart. */
#include <string.h>

#include "evidence/constellation/certificate.h"
#include "fuzz.h"

static void read_document(atls_bytes in)
{
    static uint8_t block[32 * 1024 * 1024];
    atls_arena a;
    atls_bytes text;
    constellation_document document;
    constellation_document again;
    atls_error err = {0};
    atls_arena_init(&a, block, sizeof block);
    if (!constellation_document_read(in, &a, &document, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_QUOTE || err.code == ATLS_E_LIMIT);
        return;
    }
    FUZZ_ASSERT(document.quote.len > 0 && document.quote.len < in.len);
    if (!constellation_document_write(&document, &a, &text, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_LIMIT);
        return;
    }
    FUZZ_ASSERT(constellation_document_read(text, &a, &again, &err));
    FUZZ_ASSERT(atls_bytes_equal(document.quote, again.quote) && memcmp(document.user_data, again.user_data, 32) == 0);
}

static void read_nonce(atls_bytes in)
{
    uint8_t nonce[CONSTELLATION_NONCE_LEN];
    char text[CONSTELLATION_NONCE_TEXT_LEN + 1];
    atls_error err = {0};
    if (!constellation_nonce_read(in, "tls.server_name", nonce, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_PROTOCOL);
        return;
    }
    constellation_nonce_write(nonce, text);
    FUZZ_ASSERT(atls_bytes_equal_str(in, text));
}

static void read_name(atls_bytes in)
{
    uint8_t nonce[CONSTELLATION_NONCE_LEN];
    uint8_t der[CONSTELLATION_NAME_LEN];
    atls_error err = {0};
    if (!constellation_name_read(in, nonce, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_PROTOCOL && atls_bytes_is_zero(atls_bytes_of(nonce, sizeof nonce)));
        return;
    }
    constellation_name_write(nonce, der);
    FUZZ_ASSERT(in.len == sizeof der);
    der[11] = in.ptr[11];
    FUZZ_ASSERT(atls_bytes_equal(in, atls_bytes_of(der, sizeof der)));
}

static void write_oid(atls_bytes in)
{
    char text[CONSTELLATION_OID_TEXT_SIZE];
    bool is_document;
    constellation_oid_text(in, text);
    FUZZ_ASSERT(strlen(text) < sizeof text);
    (void)constellation_oid_name(text, &is_document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_bytes in = atls_bytes_of(data, size);
    read_document(in);
    read_nonce(in);
    read_name(in);
    write_oid(in);
    return 0;
}

#define NONCE "oKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr8="
static const fuzz_literal seeds[] = {
    FUZZ_TEXT(NONCE),
    FUZZ_TEXT("\x30\x37\x31\x35\x30\x33\x06\x03\x55\x04\x03\x13\x2c" NONCE),
    FUZZ_TEXT("\x30\x37\x31\x35\x30\x33\x06\x03\x55\x04\x03\x0c\x2c" NONCE),
    FUZZ_TEXT("{\"RawQuote\":\"cXVvdGU=\",\"UserData\":\"" NONCE "\"}"),
    FUZZ_TEXT("{\"UserData\":\"" NONCE "\",\"x\":[1,{}],\"RawQuote\":\"+/==\"}"),
    FUZZ_TEXT("\x2b\xcd\x2c\x05\x63"),
};

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* attested_extension.c: the extension "attested key", both ways. What is written is what is read, byte for byte. */
#include <string.h>

#include "atls/enrolled.h"
#include "base/der.h"
#include "base/text.h"

static const uint8_t oid[] = {0x69, 0x82, 0xce, 0xcb, 0xe5, 0xc1, 0xc2, 0xbe, 0xa2, 0x8c,
                              0x87, 0xbd, 0xbe, 0x80, 0x97, 0xf3, 0xf8, 0xc7, 0x9d, 0x3f};

atls_bytes atls_enrolled_oid(void)
{
    return atls_bytes_of(oid, sizeof oid);
}

/* The index is the number in the encoding. */
static const char *const levels[] = {"SOFTWARE", "TRUSTED_ENVIRONMENT", "STRONG_BOX", "SECURE_ENCLAVE"};
#define N_LEVELS (sizeof levels / sizeof levels[0])
#define OF_APPLE 3u

static bool fits(atls_platform platform, uint64_t level)
{
    return (platform == ATLS_PLATFORM_APPLE) == (level == OF_APPLE);
}

/* U+0000 to U+001F, U+007F to U+009F: nobody's name, and a log's undoing. */
static bool is_plain(atls_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.ptr[i];
        const bool is_c1 = c == 0xc2 && i + 1 < text.len && text.ptr[i + 1] < 0xa0;
        if (c < 0x20 || c == 0x7f || is_c1) {
            return false;
        }
    }
    return atls_utf8_valid(text);
}

static bool is_app(atls_bytes text)
{
    return text.len > 0 && text.len <= ATLS_ENROLLED_MAX_APP_LEN && is_plain(text);
}

/* ---- reading ---- */

static bool read_version(atls_cur *c, atls_enrolled *out)
{
    uint64_t version;
    if (!atls_der_uint(c, "version", ATLS_DER_INTEGER, UINT32_MAX, &version)) {
        return false;
    }
    out->version = (unsigned)version;
    return version == ATLS_ENROLLED_VERSION
           || atls_fail_unsupported(c->err, ATLS_E_UNSUPPORTED, "attested_key.version", "1", NULL,
                                    "this version of the extension is not known");
}

static bool read_platform(atls_cur *c, atls_enrolled *out)
{
    uint64_t platform;
    if (!atls_der_uint(c, "platform", ATLS_DER_ENUMERATED, 2, &platform)) {
        return false;
    }
    out->platform = platform == 1 ? ATLS_PLATFORM_ANDROID : ATLS_PLATFORM_APPLE;
    return platform != 0 || atls_cur_fail(c, ATLS_E_ENCODING, "platform", "1 or 2", "0", "there is no such platform");
}

static bool read_app(atls_cur *c, atls_enrolled *out)
{
    return atls_der_expect(c, "app", ATLS_DER_UTF8_STRING, &out->app)
           && (is_app(out->app)
               || atls_cur_fail(c, ATLS_E_ENCODING, "app", "1 to 512 bytes of UTF-8", NULL,
                                "this is no name of an app"));
}

static bool read_level(atls_cur *c, atls_enrolled *out)
{
    uint64_t level;
    if (!atls_der_uint(c, "securityLevel", ATLS_DER_ENUMERATED, N_LEVELS - 1, &level)) {
        return false;
    }
    out->security_level = levels[level];
    return fits(out->platform, level)
           || atls_cur_fail(c, ATLS_E_ENCODING, "securityLevel", NULL, levels[level],
                            "the platform has no such security level");
}

static bool read_policy(atls_cur *c, atls_enrolled *out)
{
    atls_bytes digest;
    if (!atls_der_expect(c, "policySha256", ATLS_DER_OCTET_STRING, &digest)) {
        return false;
    }
    if (digest.len != sizeof out->policy_sha256) {
        return atls_cur_fail(c, ATLS_E_ENCODING, "policySha256", "32 bytes", NULL, "this is no SHA-256");
    }
    memcpy(out->policy_sha256, digest.ptr, digest.len);
    return true;
}

bool atls_enrolled_extension_read(atls_bytes value, atls_enrolled *out, atls_error *err)
{
    atls_cur c;
    atls_cur body;
    *out = (atls_enrolled){.app = atls_bytes_empty(), .security_level = ""};
    atls_cur_init(&c, value, "attested_key", err);
    if (atls_der_nested(&c, "sequence", ATLS_DER_SEQUENCE, &body) && atls_cur_end(&c) && read_version(&body, out)
        && read_platform(&body, out) && read_app(&body, out) && read_level(&body, out) && read_policy(&body, out)
        && atls_cur_end(&body)) {
        return true;
    }
    *out = (atls_enrolled){.app = atls_bytes_empty(), .security_level = ""};
    return false;
}

/* ---- writing ---- */

static void put_header(atls_buf *b, uint8_t tag, size_t len)
{
    uint8_t header[4] = {tag, (uint8_t)len};
    size_t n = 2;
    if (len >= 0x100) {
        header[1] = 0x82;
        header[2] = (uint8_t)(len >> 8);
        header[3] = (uint8_t)len;
        n = 4;
    } else if (len >= 0x80) {
        header[1] = 0x81;
        header[2] = (uint8_t)len;
        n = 3;
    }
    atls_buf_put(b, atls_bytes_of(header, n));
}

static void put(atls_buf *b, uint8_t tag, const void *content, size_t len)
{
    put_header(b, tag, len);
    atls_buf_put(b, atls_bytes_of(content, len));
}

static size_t find_level(const char *name)
{
    size_t i = 0;
    while (i < N_LEVELS && (name == NULL || strcmp(name, levels[i]) != 0)) {
        i++;
    }
    return i;
}

static bool check(const atls_enrolled *in, size_t level, atls_error *err)
{
    if (in->version != ATLS_ENROLLED_VERSION) {
        return atls_fail(err, ATLS_E_USAGE, "version", "there is only version 1");
    }
    if (in->platform != ATLS_PLATFORM_ANDROID && in->platform != ATLS_PLATFORM_APPLE) {
        return atls_fail(err, ATLS_E_USAGE, "platform", "phones are of Android or of Apple");
    }
    if (!is_app(in->app)) {
        return atls_fail(err, ATLS_E_USAGE, "app", "wants 1 to 512 bytes of UTF-8 without control characters");
    }
    return (level < N_LEVELS && fits(in->platform, level))
           || atls_fail(err, ATLS_E_USAGE, "security_level", "the platform has no such security level");
}

bool atls_enrolled_extension_write(const atls_enrolled *in, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    const size_t level = find_level(in->security_level);
    atls_buf body;
    atls_buf whole;
    atls_bytes content;
    if (!check(in, level, err)) {
        return false;
    }
    const uint8_t number = (uint8_t)level;
    const uint8_t platform = in->platform == ATLS_PLATFORM_ANDROID ? 1 : 2;
    const uint8_t version = ATLS_ENROLLED_VERSION;
    atls_buf_init(&body, arena, err);
    put(&body, ATLS_DER_INTEGER, &version, 1);
    put(&body, ATLS_DER_ENUMERATED, &platform, 1);
    put(&body, ATLS_DER_UTF8_STRING, in->app.ptr, in->app.len);
    put(&body, ATLS_DER_ENUMERATED, &number, 1);
    put(&body, ATLS_DER_OCTET_STRING, in->policy_sha256, sizeof in->policy_sha256);
    if (!atls_buf_done(&body, &content)) {
        return false;
    }
    atls_buf_init(&whole, arena, err);
    put(&whole, ATLS_DER_SEQUENCE, content.ptr, content.len);
    return atls_buf_done(&whole, out);
}

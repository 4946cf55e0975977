/* SPDX-License-Identifier: Apache-2.0 */
/* test_attested_extension.c: the extension "attested key": what is written is read, and nothing else is. */
#include <openssl/objects.h>

#include "atls/enrolled.h"
#include "base/text.h"
#include "tap.h"

#define DIGEST  "1111111111111111111111111111111111111111111111111111111111111111"
#define VERSION "020101"
#define ANDROID "0a0101"
#define APPLE   "0a0102"
#define APP     "0c036f2e61" /* "o.a" */
#define BOX     "0a0102"
#define ENCLAVE "0a0103"
#define POLICY  "0420" DIGEST

typedef struct row {
    const char *name;
    const char *hex;
    atls_code code;
    const char *field;
} row;

static const row rows[] = {
    {"a phone with a StrongBox", "3030" VERSION ANDROID APP BOX POLICY, ATLS_OK, ""},
    {"a phone of Apple's", "3030" VERSION APPLE APP ENCLAVE POLICY, ATLS_OK, ""},
    {"nothing", "", ATLS_E_TRUNCATED, "attested_key.sequence"},
    {"a SET", "3130" VERSION ANDROID APP BOX POLICY, ATLS_E_ENCODING, "attested_key.sequence"},
    {"a byte behind it", "3030" VERSION ANDROID APP BOX POLICY "00", ATLS_E_TRAILING, "attested_key"},
    {"a long length", "308130" VERSION ANDROID APP BOX POLICY, ATLS_E_ENCODING, "attested_key.sequence"},
    {"version 2", "3030020102" ANDROID APP BOX POLICY, ATLS_E_UNSUPPORTED, "attested_key.version"},
    {"version 0", "3030020100" ANDROID APP BOX POLICY, ATLS_E_UNSUPPORTED, "attested_key.version"},
    {"no version", "302d" ANDROID APP BOX POLICY, ATLS_E_ENCODING, "attested_key.version"},
    {"platform 0", "3030" VERSION "0a0100" APP BOX POLICY, ATLS_E_ENCODING, "attested_key.platform"},
    {"platform 3", "3030" VERSION "0a0103" APP BOX POLICY, ATLS_E_ENCODING, "attested_key.platform"},
    {"an INTEGER for the platform", "3030" VERSION "020101" APP BOX POLICY, ATLS_E_ENCODING, "attested_key.platform"},
    {"an empty app", "302d" VERSION ANDROID "0c00" BOX POLICY, ATLS_E_ENCODING, "attested_key.app"},
    {"a PrintableString", "3030" VERSION ANDROID "13036f2e61" BOX POLICY, ATLS_E_ENCODING, "attested_key.app"},
    {"broken UTF-8", "3030" VERSION ANDROID "0c036f2ec3" BOX POLICY, ATLS_E_ENCODING, "attested_key.app"},
    {"a NUL", "3030" VERSION ANDROID "0c036f0061" BOX POLICY, ATLS_E_ENCODING, "attested_key.app"},
    {"a C1 control", "3030" VERSION ANDROID "0c036fc285" BOX POLICY, ATLS_E_ENCODING, "attested_key.app"},
    {"a delete", "3030" VERSION ANDROID "0c036f2e7f" BOX POLICY, ATLS_E_ENCODING, "attested_key.app"},
    {"level 4", "3030" VERSION ANDROID APP "0a0104" POLICY, ATLS_E_ENCODING, "attested_key.securityLevel"},
    {"Apple's level on Android", "3030" VERSION ANDROID APP ENCLAVE POLICY, ATLS_E_ENCODING,
     "attested_key.securityLevel"},
    {"Android's on Apple", "3030" VERSION APPLE APP BOX POLICY, ATLS_E_ENCODING, "attested_key.securityLevel"},
    {"a digest of 31 bytes",
     "302f" VERSION ANDROID APP BOX "041f11111111111111111111111111111111111111111111111111111111111111",
     ATLS_E_ENCODING, "attested_key.policySha256"},
    {"no digest", "300e" VERSION ANDROID APP BOX, ATLS_E_TRUNCATED, "attested_key.policySha256"},
    {"something behind the digest", "3032" VERSION ANDROID APP BOX POLICY "0500", ATLS_E_TRAILING, "attested_key"},
};

static void reads(void **state)
{
    const row *r = *state;
    uint8_t in[128];
    atls_enrolled e;
    atls_error err = {.code = ATLS_OK};
    const size_t n = strlen(r->hex) / 2;
    assert_true(n <= sizeof in && atls_hex_fixed(atls_bytes_str(r->hex), in, n));
    const bool ok = atls_enrolled_extension_read(atls_bytes_of(in, n), &e, &err);
    assert_string_equal(err.field, r->field);
    assert_int_equal(err.code, r->code);
    assert_int_equal(ok, r->code == ATLS_OK);
    if (!ok) { /* empty on failure */
        assert_int_equal(e.version, 0);
        assert_int_equal(e.platform, ATLS_PLATFORM_NONE);
        assert_int_equal(e.app.len, 0);
        assert_string_equal(e.security_level, "");
        assert_true(atls_bytes_is_zero(atls_bytes_of(e.policy_sha256, 32)));
    }
}

/* Every prefix is refused; every flipped bit is refused, or says something else. */
static void keeps_to_its_bytes(void **state)
{
    uint8_t in[50];
    atls_enrolled e;
    (void)state;
    assert_true(atls_hex_fixed(atls_bytes_str(rows[0].hex), in, sizeof in));
    for (size_t n = 0; n < sizeof in; n++) {
        atls_error err = {.code = ATLS_OK};
        assert_false(atls_enrolled_extension_read(atls_bytes_of(in, n), &e, &err));
    }
    for (size_t i = 0; i < 8 * sizeof in; i++) {
        atls_error err = {.code = ATLS_OK};
        in[i / 8] ^= (uint8_t)(1u << i % 8);
        if (atls_enrolled_extension_read(atls_bytes_of(in, sizeof in), &e, &err)) {
            assert_true(!atls_bytes_equal_str(e.app, "o.a") || strcmp(e.security_level, "STRONG_BOX") != 0
                        || e.policy_sha256[(i / 8 + 14) % 32] != 0x11);
        }
        in[i / 8] ^= (uint8_t)(1u << i % 8);
    }
}

typedef struct wish {
    const char *name;
    unsigned version;
    atls_platform platform;
    size_t app_len;
    const char *level;
    const char *field; /* NULL: written */
} wish;

static const wish wishes[] = {
    {"software", 1, ATLS_PLATFORM_ANDROID, 1, "SOFTWARE", NULL},
    {"a trusted environment", 1, ATLS_PLATFORM_ANDROID, 127, "TRUSTED_ENVIRONMENT", NULL},
    {"a StrongBox", 1, ATLS_PLATFORM_ANDROID, 128, "STRONG_BOX", NULL},
    {"a secure enclave", 1, ATLS_PLATFORM_APPLE, 512, "SECURE_ENCLAVE", NULL},
    {"an app of 255", 1, ATLS_PLATFORM_APPLE, 255, "SECURE_ENCLAVE", NULL},
    {"an app of 256", 1, ATLS_PLATFORM_APPLE, 256, "SECURE_ENCLAVE", NULL},
    {"an app of 513", 1, ATLS_PLATFORM_APPLE, 513, "SECURE_ENCLAVE", "app"},
    {"no app", 1, ATLS_PLATFORM_APPLE, 0, "SECURE_ENCLAVE", "app"},
    {"version 2", 2, ATLS_PLATFORM_APPLE, 1, "SECURE_ENCLAVE", "version"},
    {"a machine", 1, ATLS_PLATFORM_TDX, 1, "SECURE_ENCLAVE", "platform"},
    {"an unknown level", 1, ATLS_PLATFORM_ANDROID, 1, "UNKNOWN", "security_level"},
    {"no level", 1, ATLS_PLATFORM_ANDROID, 1, NULL, "security_level"},
    {"the other's level", 1, ATLS_PLATFORM_APPLE, 1, "STRONG_BOX", "security_level"},
};

static void writes(void **state)
{
    const wish *w = *state;
    static char app[600];
    static uint8_t block[16 * 1024];
    atls_arena a;
    atls_bytes out;
    atls_enrolled back;
    atls_error err = {.code = ATLS_OK};
    memset(app, 'a', sizeof app);
    atls_arena_init(&a, block, sizeof block);
    atls_enrolled in = {w->version, w->platform, atls_bytes_of(app, w->app_len), w->level, {0}};
    memset(in.policy_sha256, 0x5a, sizeof in.policy_sha256);
    const bool ok = atls_enrolled_extension_write(&in, &a, &out, &err);
    assert_string_equal(err.field, w->field == NULL ? "" : w->field);
    assert_int_equal(err.code, w->field == NULL ? ATLS_OK : ATLS_E_USAGE);
    if (!ok) {
        return;
    }
    assert_true(out.len <= ATLS_ENROLLED_MAX_LEN && atls_enrolled_extension_read(out, &back, &err));
    assert_int_equal(back.platform, in.platform);
    assert_true(atls_bytes_equal(back.app, in.app));
    assert_string_equal(back.security_level, in.security_level);
    assert_memory_equal(back.policy_sha256, in.policy_sha256, 32);
}

static void is_written_as_documented(void **state)
{
    uint8_t expected[50];
    uint8_t block[1024];
    atls_arena a;
    atls_bytes out;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    atls_enrolled in = {1, ATLS_PLATFORM_ANDROID, atls_bytes_str("o.a"), "STRONG_BOX", {0}};
    memset(in.policy_sha256, 0x11, sizeof in.policy_sha256);
    atls_arena_init(&a, block, sizeof block);
    assert_true(atls_hex_fixed(atls_bytes_str(rows[0].hex), expected, sizeof expected));
    assert_true(atls_enrolled_extension_write(&in, &a, &out, &err));
    assert_true(atls_bytes_equal(out, atls_bytes_of(expected, sizeof expected)));
}

/* The number in the header is the UUID of the documentation, and the bytes are the number's. */
static void oid_is_the_uuid(void **state)
{
    static const char uuid[] = "a74bcb06-13e4-4303-bd7c-00bf3f11cebf";
    char hex[33];
    size_t n = 0;
    (void)state;
    for (const char *c = uuid; *c != '\0'; c++) {
        if (*c != '-') {
            hex[n++] = *c;
        }
    }
    hex[n] = '\0';
    BIGNUM *number = NULL;
    assert_int_equal(BN_hex2bn(&number, hex), 32);
    char *decimal = BN_bn2dec(number);
    assert_string_equal(decimal, ATLS_ENROLLED_OID + strlen("2.25."));
    OPENSSL_free(decimal);
    BN_free(number);
    ASN1_OBJECT *o = OBJ_txt2obj(ATLS_ENROLLED_OID, 1);
    assert_true(atls_bytes_equal(atls_enrolled_oid(), atls_bytes_of(OBJ_get0_data(o), OBJ_length(o))));
    ASN1_OBJECT_free(o);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, reads, &rows[i]);
    }
    tap_add(&l, "prefixes and flipped bits", keeps_to_its_bytes, NULL);
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        tap_add(&l, wishes[i].name, writes, &wishes[i]);
    }
    tap_add(&l, "as documented, byte for byte", is_written_as_documented, NULL);
    tap_add(&l, "the OID", oid_is_the_uuid, NULL);
    return tap_run("attested_extension", &l);
}

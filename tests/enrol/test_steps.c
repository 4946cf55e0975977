/* SPDX-License-Identifier: Apache-2.0 */
/* The eight steps: every row of the table of section 6, in Warden's words, with who was called in which order. A step that fails
 * ends it: nothing after it is called. That every outcome can be replayed is shown by the scene. */
#include "steps_scene.h"

typedef struct row {
    const char *name;
    const scene_spec *spec;
    void (*change)(scene *s); /* before the run; NULL: nothing */
    const char *words;        /* step, class, reason, kind */
    atls_code code;
    const char *field;
    const char *log;         /* who was called */
    const char *explanation; /* NULL: none */
} row;

static void cut_csr(scene *s)
{
    s->csr.len--;
}

static void no_csr(scene *s)
{
    s->csr = atls_bytes_empty();
}

static void huge_csr(scene *s)
{
    uint8_t *p = atls_arena_raw(&s->arena, ATLS_ENROL_MAX_CSR_LEN + 1, &s->err);
    assert_non_null(p);
    memset(p, 0x30, ATLS_ENROL_MAX_CSR_LEN + 1);
    s->csr = atls_bytes_of(p, ATLS_ENROL_MAX_CSR_LEN + 1);
}

static void trailing_csr(scene *s)
{
    uint8_t *p = atls_arena_alloc(&s->arena, s->csr.len + 1, &s->err);
    assert_non_null(p);
    memcpy(p, s->csr.ptr, s->csr.len);
    s->csr = atls_bytes_of(p, s->csr.len + 1);
}

static void unknown(scene *s)
{
    s->nonce[31] ^= 1; /* the store has another one */
}

static void expired(scene *s)
{
    s->is_expired = true;
}

static void used(scene *s)
{
    s->is_used = true;
}

static void store_down(scene *s)
{
    s->store_fails = true;
}

static void store_lies(scene *s)
{
    s->store_fails = s->store_lies = true;
}

static void without_list(scene *s)
{
    s->no_endorsements = true;
}

static void no_android(scene *s)
{
    s->options.android = NULL;
    scene_enroller(s);
}

static void no_apple(scene *s)
{
    s->options.apple = NULL;
    scene_enroller(s);
}

static void late(scene *s)
{
    s->in.now += 301;
}

static void years_later(scene *s)
{
    s->in.now += (atls_time)40 * 365 * 86400;
}

static void ca_down(scene *s)
{
    s->issue_fails = true;
}

static void ca_empty(scene *s)
{
    s->issue_nothing = true;
}

static const uint8_t ed25519_spki[44] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00, 1};
#define ED25519_HEX                                                                                                    \
    "302a300506032b6570032100"                                                                                         \
    "0100000000000000000000000000000000000000000000000000000000000000"

static void ca_other_key(scene *s)
{
    s->issue_key = ed25519_spki;
    s->issue_key_len = sizeof ed25519_spki;
}

static void ca_no_certificate(scene *s)
{
    s->issue_text = true;
}

/* The same point, compressed: the same key to anybody who computes with it, and other bytes. */
static void ca_other_encoding(scene *s)
{
    uint8_t *spki = atls_arena_raw(&s->arena, 59, &s->err);
    assert_non_null(spki);
    assert_int_equal(s->attested_spki.len, 91);
    memcpy(spki, s->attested_spki.ptr, 59);
    spki[1] = 57;
    spki[24] = 34;
    spki[26] = 2 + (s->attested_spki.ptr[90] & 1);
    s->issue_key = spki;
    s->issue_key_len = 59;
}

static const char *const revoked[] = {"cert.attestation.serial=0abc",
                                      "status.entries={\"abc\":{\"status\":\"REVOKED\"}}", NULL};
static const char *const other_root[] = {"cert.root.key=somebody else", NULL};
static const char *const unlocked[] = {"rot.locked=00", NULL};
static const char *const other_app[] = {"app.package=com.example.other", NULL};
static const char *const no_description[] = {"cert.leaf.description=none", NULL};
static const char *const ed25519_leaf[] = {"cert.leaf.spki=" ED25519_HEX, NULL};
static const char *const old_ios[] = {"policy.iosVersion={\"semVer\":\"99.0\",\"buildNumber\":\"99A1\"}", NULL};
static const char *const other_ios_app[] = {"app_id=0123456789.other.app", NULL};
static const char *const broken_ios_chain[] = {"cert.leaf.signed_by=root2", NULL};
static const char *const plain[] = {NULL};

static const scene_spec honest = {.kind = SIM_ANDROID_FACTORY};
static const scene_spec honest_android_remotely_provisioned = {.kind = SIM_ANDROID_REMOTE};
static const scene_spec honest_android_software = {.kind = SIM_ANDROID_SOFTWARE};
static const scene_spec iphone = {.is_apple = true};
static const scene_spec nonce_in_lower_case = {.lower_case = true};
static const scene_spec nonce_as_utf8string = {.utf8_nonce = true};
static const scene_spec another_attribute_first = {.other_first = true};
static const scene_spec a_statement_of_192_kib = {.padded_len = ATLS_ENROL_MAX_STATEMENT_LEN};
static const scene_spec no_nonce = {.no_nonce = true};
static const scene_spec two_serialnumber_attributes_in_one_rdn = {.n_nonces = 2};
static const scene_spec an_odd_number_of_digits = {.odd_nonce = true};
static const scene_spec no_attribute = {.no_proof = true};
static const scene_spec two_attributes = {.n_proofs = 2};
static const scene_spec an_empty_attribute = {.empty_proof = true};
static const scene_spec a_statement_longer_than_192_kib = {.padded_len = ATLS_ENROL_MAX_STATEMENT_LEN + 1};
static const scene_spec not_json = {.text = "statement"};
static const scene_spec an_unknown_typ = {.text = "{\"typ\":\"self\"}"};
static const scene_spec no_certificate = {.text = "{\"typ\":\"android-key\",\"x5c\":[]}"};
static const scene_spec no_certificate_that_can_be_read = {.text = "{\"typ\":\"android-key\",\"x5c\":[\"MAA\"]}"};
static const scene_spec another_challenge = {.other_challenge = true};
static const scene_spec revoked_phone = {.settings = revoked};
static const scene_spec another_root = {.settings = other_root, .policy = plain};
static const scene_spec an_unlocked_phone = {.settings = unlocked};
static const scene_spec another_app = {.settings = other_app};
static const scene_spec no_key_description = {.settings = no_description};
static const scene_spec apple_another_challenge = {.is_apple = true, .other_challenge = true};
static const scene_spec apple_an_old_system = {.is_apple = true, .settings = old_ios};
static const scene_spec apple_another_app = {.is_apple = true, .settings = other_ios_app};
static const scene_spec apple_a_chain_of_somebody_else = {.is_apple = true, .settings = broken_ios_chain};
static const scene_spec a_key_of_one_s_own = {.own_key = "mine"};
static const scene_spec apple_a_key_of_one_s_own = {.is_apple = true, .own_key = "mine"};
static const scene_spec signed_by_somebody_else = {.foreign_signer = true};
static const scene_spec apple_signed_by_somebody_else = {.is_apple = true, .foreign_signer = true};
static const scene_spec sha_1 = {.sha1 = true};
static const scene_spec ed25519 = {.settings = ed25519_leaf, .spki = ed25519_spki, .spki_len = sizeof ed25519_spki};

static const row rows[] = {
    {"honest Android", &honest, NULL, "Success", ATLS_OK, "", "CEIS", NULL},
    {"honest Android, remotely provisioned", &honest_android_remotely_provisioned, NULL, "Success", ATLS_OK, "", "CEIS",
     NULL},
    {"honest Android, software", &honest_android_software, NULL, "Success", ATLS_OK, "", "CEIS", NULL},
    {"honest iPhone", &iphone, NULL, "Success", ATLS_OK, "", "CIS", NULL},
    {"nonce in lower case", &nonce_in_lower_case, NULL, "Success", ATLS_OK, "", "CEIS", NULL},
    {"nonce as UTF8String", &nonce_as_utf8string, NULL, "Success", ATLS_OK, "", "CEIS", NULL},
    {"another attribute first", &another_attribute_first, NULL, "Success", ATLS_OK, "", "CEIS", NULL},
    {"a statement of 192 KiB", &a_statement_of_192_kib, NULL, "Success", ATLS_OK, "", "CEIS", NULL},
    /* 1 */
    {"1: empty", &honest, no_csr, "CsrDecoding PreAttestation.CsrDecoding CONTENT", ATLS_E_ENROL_CSR, NULL, "P",
     "enrol.csr"},
    {"1: one byte short", &honest, cut_csr, "CsrDecoding PreAttestation.CsrDecoding CONTENT", ATLS_E_ENROL_CSR, NULL,
     "P", "enrol.csr"},
    {"1: one byte more", &honest, trailing_csr, "CsrDecoding PreAttestation.CsrDecoding CONTENT", ATLS_E_ENROL_CSR,
     NULL, "P", "enrol.csr"},
    {"1: longer than 256 KiB", &honest, huge_csr, "CsrDecoding PreAttestation.CsrDecoding CONTENT", ATLS_E_ENROL_CSR,
     NULL, "P", "enrol.csr"},
    /* 2 */
    {"2: no nonce", &no_nonce, NULL, "ChallengeExtraction PreAttestation.ChallengeExtraction CONTENT",
     ATLS_E_ENROL_CHALLENGE_MISSING, "csr.subject", "P", "enrol.challenge_missing"},
    {"2: two serialNumber attributes in one RDN", &two_serialnumber_attributes_in_one_rdn, NULL,
     "ChallengeExtraction PreAttestation.ChallengeExtraction CONTENT", ATLS_E_ENROL_CHALLENGE_MISSING, "csr.subject",
     "P", "enrol.challenge_missing"},
    {"2: an odd number of digits", &an_odd_number_of_digits, NULL,
     "ChallengeExtraction PreAttestation.ChallengeExtraction CONTENT", ATLS_E_ENROL_CHALLENGE_MISSING, "csr.subject",
     "P", "enrol.challenge_missing"},
    /* 3 */
    {"3: unknown nonce", &honest, unknown, "ChallengeVerification PreAttestation.ChallengeVerification CONTENT",
     ATLS_E_ENROL_CHALLENGE_UNKNOWN, "csr.subject", "CP", "enrol.challenge"},
    {"3: expired nonce", &honest, expired, "ChallengeVerification PreAttestation.ChallengeVerification CONTENT",
     ATLS_E_ENROL_CHALLENGE_EXPIRED, "csr.subject", "CP", "enrol.challenge"},
    {"3: used nonce", &honest, used, "ChallengeVerification PreAttestation.ChallengeVerification CONTENT",
     ATLS_E_ENROL_CHALLENGE_USED, "csr.subject", "CP", "enrol.challenge"},
    {"3: store down", &honest, store_down, "ChallengeVerification PreAttestation.ChallengeVerification INTERNAL",
     ATLS_E_ENROL_STORE, "store", "CP", NULL},
    {"3: store down, in other words", &honest, store_lies,
     "ChallengeVerification PreAttestation.ChallengeVerification INTERNAL", ATLS_E_ENROL_STORE, "store", "CP", NULL},
    /* 4 */
    {"4: no attribute", &no_attribute, NULL,
     "AttestationStatementExtraction PreAttestation.AttestationStatementExtraction CONTENT", ATLS_E_ENROL_STATEMENT,
     "csr.attributes", "CP", "enrol.statement"},
    {"4: two attributes", &two_attributes, NULL,
     "AttestationStatementExtraction PreAttestation.AttestationStatementExtraction CONTENT", ATLS_E_ENROL_STATEMENT,
     "csr.attributes", "CP", "enrol.statement"},
    {"4: an empty attribute", &an_empty_attribute, NULL,
     "AttestationStatementExtraction PreAttestation.AttestationStatementExtraction CONTENT", ATLS_E_ENROL_STATEMENT,
     "csr.attributes", "CP", "enrol.statement"},
    {"4: a statement longer than 192 KiB", &a_statement_longer_than_192_kib, NULL,
     "AttestationStatementExtraction PreAttestation.AttestationStatementExtraction CONTENT", ATLS_E_ENROL_STATEMENT,
     NULL, "CP", "enrol.statement"},
    {"4: not JSON", &not_json, NULL,
     "AttestationStatementExtraction PreAttestation.AttestationStatementExtraction CONTENT", ATLS_E_ENROL_STATEMENT,
     NULL, "CP", "enrol.statement"},
    /* 5 */
    {"5: an unknown typ", &an_unknown_typ, NULL, "Attestation Content.Unknown CONTENT", ATLS_E_UNSUPPORTED,
     "statement.typ", "CA", "enrol.unsupported"},
    {"5: no certificate", &no_certificate, NULL, "Attestation Content.Unknown CONTENT", ATLS_E_ANDROID_CHAIN_UNPARSABLE,
     "statement.x5c", "CA", "android.chain_unparsable"},
    {"5: no certificate that can be read", &no_certificate_that_can_be_read, NULL,
     "Attestation Content.Unknown CONTENT", ATLS_E_ANDROID_CHAIN_UNPARSABLE, NULL, "CA", "android.chain_unparsable"},
    {"5: Android is not configured", &honest, no_android, "Attestation Configuration INTERNAL", ATLS_E_ENROL_PLATFORM,
     "statement.typ", "CA", "enrol.platform"},
    {"5: Apple is not configured", &iphone, no_apple, "Attestation Configuration INTERNAL", ATLS_E_ENROL_PLATFORM,
     "statement.typ", "CA", "enrol.platform"},
    {"5: another challenge", &another_challenge, NULL, "Attestation Content.Android CHALLENGE CONTENT",
     ATLS_E_ANDROID_CHALLENGE, NULL, "CEA", "android.challenge"},
    {"5: no status list", &honest, without_list, "Attestation Certificate.Trust LIST_UNAVAILABLE TRUST",
     ATLS_E_ANDROID_LIST_UNAVAILABLE, NULL, "CEA", "android.list_unavailable"},
    {"5: revoked", &revoked_phone, NULL, "Attestation Certificate.Trust REVOKED TRUST", ATLS_E_ANDROID_REVOKED, NULL,
     "CEA", "android.revoked"},
    {"5: another root", &another_root, NULL, "Attestation Certificate.Trust NoMatchingRoot TRUST",
     ATLS_E_ANDROID_NO_MATCHING_ROOT, NULL, "CEA", "android.no_matching_root"},
    {"5: out of its time", &honest, years_later, "Attestation Certificate.Time InvalidRoot TIME",
     ATLS_E_ANDROID_ROOT_TIME, NULL, "CEA", "android.root_time"},
    {"5: a statement that is too old", &honest, late, "Attestation Content.Android STATEMENT_TIME TIME",
     ATLS_E_ANDROID_STATEMENT_TIME, NULL, "CEA", "android.statement_time"},
    {"5: an unlocked phone", &an_unlocked_phone, NULL, "Attestation Content.Android SYSTEM_INTEGRITY CONTENT",
     ATLS_E_ANDROID_SYSTEM_INTEGRITY, NULL, "CEA", "android.system_integrity"},
    {"5: another app", &another_app, NULL, "Attestation Content.Android PACKAGE_NAME CONTENT",
     ATLS_E_ANDROID_PACKAGE_NAME, NULL, "CEA", "android.package_name"},
    {"5: no key description", &no_key_description, NULL, "Attestation Content.Android APP_UNEXPECTED CONTENT",
     ATLS_E_ANDROID_APP_UNEXPECTED, NULL, "CEA", "android.app_unexpected"},
    {"5: Apple, another challenge", &apple_another_challenge, NULL, "Attestation Content.iOS CHALLENGE CONTENT",
     ATLS_E_APPLE_CHALLENGE, "clientDataJSON.challenge", "CA", "apple.challenge"},
    {"5: Apple, an old system", &apple_an_old_system, NULL, "Attestation Content.iOS OS_VERSION CONTENT",
     ATLS_E_APPLE_OS_VERSION, NULL, "CA", "apple.os_version"},
    {"5: Apple, another app", &apple_another_app, NULL, "Attestation Content.iOS IDENTIFIER CONTENT",
     ATLS_E_APPLE_IDENTIFIER, NULL, "CA", "apple.identifier"},
    {"5: Apple, a chain of somebody else", &apple_a_chain_of_somebody_else, NULL, "Attestation Certificate.Trust TRUST",
     ATLS_E_CERTIFICATE_CHAIN, NULL, "CA", "apple.certificate_chain"},
    {"5: Apple, out of its time", &iphone, years_later, "Attestation Certificate.Time TIME", ATLS_E_EXPIRED, NULL, "CA",
     "apple.expired"},
    {"5: Apple, a statement that is too old", &iphone, late, "Attestation Content.iOS STATEMENT_TIME TIME",
     ATLS_E_APPLE_STATEMENT_TIME, NULL, "CA", "apple.statement_time"},
    /* 6 */
    {"6: a key of one's own", &a_key_of_one_s_own, NULL, "KeyMismatch Certificate.Trust KEY_MISMATCH TRUST",
     ATLS_E_ENROL_KEY_MISMATCH, "csr.subjectPKInfo", "CEA", "enrol.key_mismatch"},
    {"6: Apple, a key of one's own", &apple_a_key_of_one_s_own, NULL,
     "KeyMismatch Certificate.Trust KEY_MISMATCH TRUST", ATLS_E_ENROL_KEY_MISMATCH, "csr.subjectPKInfo", "CA",
     "enrol.key_mismatch"},
    /* 7 */
    {"7: signed by somebody else", &signed_by_somebody_else, NULL, "CsrSignature Certificate.Trust CSR_SIGNATURE TRUST",
     ATLS_E_ENROL_CSR_SIGNATURE, NULL, "CEA", "enrol.csr_signature"},
    {"7: Apple, signed by somebody else", &apple_signed_by_somebody_else, NULL,
     "CsrSignature Certificate.Trust CSR_SIGNATURE TRUST", ATLS_E_ENROL_CSR_SIGNATURE, NULL, "CA",
     "enrol.csr_signature"},
    {"7: SHA-1", &sha_1, NULL, "CsrSignature PreAttestation.OperationalError INTERNAL", ATLS_E_UNSUPPORTED,
     "csr.signatureAlgorithm", "CEP", "enrol.unsupported"},
    {"7: Ed25519", &ed25519, NULL, "CsrSignature PreAttestation.OperationalError INTERNAL", ATLS_E_UNSUPPORTED, NULL,
     "CEP", "enrol.unsupported"},
    /* 8 */
    {"8: the CA is down", &honest, ca_down, "Issuance PreAttestation.OperationalError INTERNAL", ATLS_E_ENROL_ISSUE,
     "ca", "CEIP", NULL},
    {"8: the CA gives nothing", &honest, ca_empty, "Issuance PreAttestation.OperationalError INTERNAL",
     ATLS_E_ENROL_ISSUE, "issuer", "CEIP", NULL},
    {"8: the CA certifies another key", &honest, ca_other_key, "Issuance PreAttestation.OperationalError INTERNAL",
     ATLS_E_ENROL_ISSUE, "issuer.certificate", "CEIP", NULL},
    {"8: Apple, the CA certifies another key", &iphone, ca_other_key,
     "Issuance PreAttestation.OperationalError INTERNAL", ATLS_E_ENROL_ISSUE, "issuer.certificate", "CIP", NULL},
    {"8: the key in another encoding", &honest, ca_other_encoding, "Issuance PreAttestation.OperationalError INTERNAL",
     ATLS_E_ENROL_ISSUE, "issuer.certificate", "CEIP", NULL},
    {"8: what the CA gives is no certificate", &honest, ca_no_certificate,
     "Issuance PreAttestation.OperationalError INTERNAL", ATLS_E_ENROL_ISSUE, "issuer.certificate", "CEIP", NULL},
};

static void check_response(scene *s, const row *r)
{
    const atls_enrol_response response = scene_response(s);
    assert_int_equal(response.is_success, r->code == ATLS_OK);
    if (response.is_success) {
        assert_int_equal(response.n_chain, 2);
        assert_true(s->issued.len > 0 && atls_bytes_equal(response.chain[0], s->issued));
        assert_true(atls_bytes_equal_str(response.chain[1], "a root"));
        return;
    }
    assert_int_equal(response.kind, s->out.kind);
    assert_int_equal(response.has_explanation, r->explanation != NULL);
    if (r->explanation != NULL) {
        if (!atls_bytes_equal_str(response.explanation, r->explanation)) {
            fail_msg("the explanation is %.*s", (int)response.explanation.len, (const char *)response.explanation.ptr);
        }
    }
}

static void test_row(void **state)
{
    const row *r = *state;
    scene s;
    scene_open(&s, r->spec);
    if (r->change != NULL) {
        r->change(&s);
    }
    scene_run(&s);
    scene_words(&s, r->words);
    assert_int_equal(s.out.error.code, r->code);
    if (r->field != NULL) {
        assert_string_equal(s.out.error.field, r->field);
    }
    if (r->code == ATLS_E_ENROL_STORE || r->code == ATLS_E_ENROL_ISSUE) { /* what the issuer says of it is kept */
        assert_int_equal(s.out.error.retry, r->code == ATLS_E_ENROL_STORE || r->change == ca_down);
    }
    assert_string_equal(s.log, r->log);
    check_response(&s, r);
    scene_close(&s);
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&tests, rows[i].name, test_row, &rows[i]);
    }
    return tap_run("enrol/steps", &tests);
}

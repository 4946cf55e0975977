/* SPDX-License-Identifier: Apache-2.0 */
/* test_apple_cases.c: the table of lies about attestations of App Attest, steps 1 to 6. A row is the honest room of the simulator
 * and one change, made before whatever covers it is signed; it must die at its own check, with its own code and field. Honest
 * rows show shapes that must be accepted. */
#include "apple_rows.h"

/* ---- honest shapes ---- */

static const row honest[] = {
    {"as Apple makes them", {NULL}, YES_PASSES("apple.receipt_signature")},
    {"nobody says what it was made for", {NULL}, ATLS_OK, NULL, "apple.nonce", ATLS_CHECK_SKIPPED, no_client_data},
    {"the key id that the app names", {NULL}, ATLS_OK, NULL, "apple.key_id", ATLS_CHECK_PASS, right_key_id},
    {"no key id", {NULL}, YES_NA("apple.key_id")},
    {"an unknown member of the object", {"object+6161=a1018102"}, YES},
    {"an unknown member whose key is a number", {"object+18ff=00"}, YES},
    {"an unknown member of the statement", {"statement+6161=83010203"}, YES},
    {"eight levels", {"object+6161=81818181818181f6"}, YES},
    {"members in another order", {"object.fmt=none", "object+63666d74=6f6170706c652d617070617474657374"}, YES},
    {"extensions of the authenticator data", {"auth.flags=0xc0", "auth.extensions=a16161a10102"}, YES},
    {"user presence and verification", {"auth.flags=0x45"}, YES},
    {"an unknown label in the key", {"raw.cose@0=a6", "raw.cose@-0+=0241aa"}, YES},
    {"a receipt with definite lengths", {"cms.form=der"}, YES},
    {"a receipt with definite lengths, in pieces", {"cms.form=der", "cms.chunk=100"}, YES},
    {"a receipt in one piece", {"cms.chunk=5000"}, YES},
    {"a receipt in pieces of one byte", {"cms.chunk=1"}, YES},
    {"a receipt without its root", {"cms.certificates=signer,receipt_ca"}, YES},
    {"certificates in another order", {"cms.certificates=receipt_root,receipt_ca,signer"}, YES},
    {"certificates that have nothing to do with it", {"cms.certificates=signer,ca,root2,3000,receipt_ca"}, YES},
    {"no parameters of the digest", {"cms.digest.parameters=none"}, YES},
    {"a null for the signature's parameters", {"cms.sig_alg.parameters=null"}, YES},
    {"fields in another order", {"receipt.fields=21,12,7,6,5,4,3,2"}, YES},
    {"a field that nobody knows", {"receipt.fields=2,3,4,5,6,7,12,21,99", "receipt.version.99=7"}, YES},
    {"no environment", {"receipt.fields=2,3,4,5,6,12,21"}, YES_NA("apple.receipt_environment")},
    {"no fraction of a second", {"receipt.fraction.12="}, YES},
    {"one digit", {"receipt.fraction.12=.5"}, YES},
    {"three digits", {"receipt.fraction.12=.120"}, YES},
    {"expired for renewal", {"receipt.time.21=now-1"}, YES},
    {"five minutes old", {"receipt.time.12=now-300", "receipt.fraction.12=.000"}, YES},
    {"made this very millisecond", {"receipt.time.12=now", "receipt.fraction.12="}, YES},
    {"the certificate does not name the app", {"certified_app_id=none"}, YES_NA("apple.app_id")},
    {"no key properties", {"ext.properties=none"}, YES_NA("apple.app_id")},
    {"key properties that cannot be read", {"ext.properties=31"}, YES_NA("apple.app_id")},
    {"no versions, and none is asked for", {"ext.versions=none"}, YES_NA("apple.os_version")},
    {"the credential's last second", {"cert.leaf.not_after=now"}, YES},
    {"the credential's first second", {"cert.leaf.not_before=now"}, YES},
    {"the other half of the curve", {"cms.sig=highs"}, YES},
    {"a credential certificate without basicConstraints", {"cert.leaf.ca=none"}, YES},
    {"an hour of offset, in the call", {NULL}, ATLS_OK, NULL, NULL, 0, an_hour_of_offset},
};

/* ---- steps 1 and 2 ---- */

static const row envelope[] = {
    {"one byte more", {"raw.attestation@-0+=00"}, MALFORMED("")},
    {"nothing", {"raw.attestation@0-=*"}, MALFORMED("")},
    {"an array", {"raw.attestation@0=83"}, MALFORMED("")},
    {"an open map", {"raw.attestation@0=bf", "raw.attestation@-0+=ff"}, MALFORMED("")},
    {"a tag in front", {"raw.attestation@0+=d9d9f7"}, MALFORMED("")},
    {"a count that lies", {"object.count=4"}, MALFORMED("")},
    {"no fmt", {"object.fmt=none"}, MALFORMED(".fmt")},
    {"another fmt", {"object.fmt=667061636b6564"}, MALFORMED(".fmt")},
    {"a fmt that is longer", {"object.fmt=706170706c652d6170706174746573743e"}, MALFORMED(".fmt")},
    {"a fmt of bytes", {"object.fmt=4f6170706c652d617070617474657374"}, MALFORMED(".fmt")},
    {"fmt twice", {"object+63666d74=6f6170706c652d617070617474657374"}, MALFORMED("")},
    {"no statement", {"object.attStmt=none"}, MALFORMED(".attStmt")},
    {"a statement that is an array", {"object.attStmt=80"}, MALFORMED(".attStmt")},
    {"an empty statement", {"object.attStmt=a0"}, MALFORMED(".attStmt.x5c")},
    {"no certificates", {"statement.x5c=none"}, MALFORMED(".attStmt.x5c")},
    {"certificates in a byte string", {"statement.x5c=40"}, MALFORMED(".attStmt.x5c")},
    {"one certificate", {"x5c=leaf"}, MALFORMED(".attStmt.x5c")},
    {"three certificates", {"x5c=leaf,ca,root"}, MALFORMED(".attStmt.x5c")},
    {"a certificate that is text", {"statement.x5c=82606161"}, MALFORMED(".attStmt.x5c[0]")},
    {"an open list of certificates", {"statement.x5c=9f4040ff"}, MALFORMED(".attStmt.x5c")},
    {"no receipt", {"statement.receipt=none"}, MALFORMED(".attStmt.receipt")},
    {"a receipt that is text", {"statement.receipt=60"}, MALFORMED(".attStmt.receipt")},
    {"an open receipt", {"statement.receipt=5f4100ff"}, MALFORMED(".attStmt.receipt")},
    {"the receipt twice", {"statement+6772656365697074=40"}, MALFORMED(".attStmt")},
    {"no authenticator data", {"object.authData=none"}, MALFORMED(".authData")},
    {"authenticator data that are text", {"object.authData=60"}, MALFORMED(".authData")},
    {"a float", {"object+6161=f93c00"}, MALFORMED("")},
    {"a float inside", {"object+6161=81f93c00"}, MALFORMED("")},
    {"a tag", {"object+6161=c100"}, MALFORMED("")},
    {"a tag inside", {"statement+6161=81c100"}, MALFORMED(".attStmt")},
    {"an open text", {"object+6161=7fff"}, MALFORMED("")},
    {"an unknown key twice", {"object+6161=00", "object+6161=00"}, MALFORMED("")},
    {"a key twice, further inside", {"object+6161=a201000100"}, MALFORMED("")},
    {"nine levels", {"object+6161=8181818181818181f6"}, MALFORMED("")},
    {"nine levels, in the statement", {"statement+6161=81818181818181f6"}, MALFORMED(".attStmt")},
    {"a head that is longer than it must be", {"object+6161=1800"}, MALFORMED("")},
};

/* ---- step 3 ---- */

static const row chain[] = {
    {"another root of the same name", {"x5c=leaf,ca2"}, BAD_LINK("x5c[1].authority_key_id")},
    {"the root of receipts above it",
     {"cert.ca.issuer=receipt_root"},
     NO(CERTIFICATE_CHAIN, "attestation.x5c[1].issuer", "apple.chain")},
    {"an intermediate signed by the root of receipts",
     {"cert.ca.signed_by=receipt_root"},
     BAD_LINK("x5c[1].signature")},
    {"no certificate", {"x5c=leaf,3000"}, BAD_LINK("x5c[1].tbs")},
    {"a leaf that is none", {"x5c=3000,ca"}, BAD_LINK("x5c[0].tbs")},
    {"the order turned round", {"x5c=ca,leaf"}, BAD_LINK("x5c[1].issuer")},
    {"the root in place of the intermediate", {"x5c=leaf,root"}, BAD_LINK("x5c[0].issuer")},
    {"a bit of the intermediate's signature", {"cert.ca.sig=bit"}, BAD_LINK("x5c[1].signature")},
    {"a bit of the leaf's signature", {"cert.leaf.sig=bit"}, BAD_LINK("x5c[0].signature")},
    {"a leaf signed by somebody else", {"cert.leaf.signed_by=receipt_ca"}, BAD_LINK("x5c[0].signature")},
    {"a leaf of another issuer's name", {"cert.leaf.issuer_cn=other"}, BAD_LINK("x5c[0].issuer")},
    {"a leaf with the wrong key id", {"cert.leaf.aki=00"}, BAD_LINK("x5c[0].authority_key_id")},
    {"an intermediate that is no authority", {"cert.ca.ca=false"}, BAD_LINK("x5c[1].basic_constraints")},
    {"an intermediate that does not say so", {"cert.ca.ca=none"}, BAD_LINK("x5c[1].basic_constraints")},
    {"an intermediate that may not sign certificates", {"cert.ca.key_usage=80"}, BAD_LINK("x5c[1].key_usage")},
    {"an intermediate without key usage", {"cert.ca.key_usage=none"}, BAD_LINK("x5c[1].key_usage")},
    {"an intermediate with a critical extension", {"cert.ca.critical_ext=1"}, BAD_LINK("x5c[1].critical_extension")},
    {"a leaf with a critical extension", {"cert.leaf.critical_ext=1"}, BAD_LINK("x5c[0].critical_extension")},
    {"a leaf whose nonce is critical", {"ext.nonce.critical=1"}, BAD_LINK("x5c[0].critical_extension")},
    {"a leaf that is an authority", {"cert.leaf.ca=true"}, BAD_LINK("x5c[0].basic_constraints")},
    {"a leaf that may not sign", {"cert.leaf.key_usage=20"}, BAD_LINK("x5c[0].key_usage")},
    {"a leaf of P-384",
     {"cert.leaf.curve=p384", "auth.key_of=signer"},
     NO(CERTIFICATE_CHAIN, "attestation.x5c[0]", "apple.chain")},
    {"the leaf has expired", {"cert.leaf.not_after=now-1"}, NO(EXPIRED, "attestation.x5c[0].not_after", "apple.chain")},
    {"the leaf has expired by a millisecond",
     {"cert.leaf.not_after=now"},
     ATLS_E_EXPIRED,
     "attestation.x5c[0].not_after",
     "apple.chain",
     ATLS_CHECK_FAIL,
     a_millisecond_later},
    {"the leaf is not yet valid",
     {"cert.leaf.not_before=now+1"},
     NO(NOT_YET_VALID, "attestation.x5c[0].not_before", "apple.chain")},
    {"the intermediate has expired",
     {"cert.ca.not_after=now-1"},
     NO(EXPIRED, "attestation.x5c[1].not_after", "apple.chain")},
    {"the intermediate is not yet valid",
     {"cert.ca.not_before=now+1"},
     NO(NOT_YET_VALID, "attestation.x5c[1].not_before", "apple.chain")},
    {"the root has expired", {"cert.root.not_after=now-1"}, NO(EXPIRED, "attestation.root.not_after", "apple.chain")},
    {"the root is not yet valid",
     {"cert.root.not_before=now+1"},
     NO(NOT_YET_VALID, "attestation.root.not_before", "apple.chain")},
    {"expired, and its signature is wrong: it is a matter of time",
     {"cert.leaf.not_after=now-1", "cert.leaf.sig=bit"},
     NO(EXPIRED, "attestation.x5c[0].not_after", "apple.chain")},
    {"before 1970",
     {NULL},
     ATLS_E_NOT_YET_VALID,
     "attestation.root.not_before",
     "apple.chain",
     ATLS_CHECK_FAIL,
     before_1970},
    {"Apple's own root is asked for", {"-policy.attestationTrustAnchors"}, BAD_LINK("x5c[1].authority_key_id")},
};

/* ---- steps 4 and 5 ---- */

static const row fresh[] = {
    {"other client data",
     {NULL},
     ATLS_E_APPLE_CHALLENGE,
     "attestation.x5c[0].nonce",
     "apple.nonce",
     ATLS_CHECK_FAIL,
     other_client_data},
    {"another nonce", {"nonce=00"}, NO(APPLE_CHALLENGE, "attestation.x5c[0].nonce", "apple.nonce")},
    {"no nonce", {"ext.nonce=none"}, NO(APPLE_CHALLENGE, "attestation.x5c[0].nonce", "apple.nonce")},
    {"no nonce, and nobody asks",
     {"ext.nonce=none"},
     ATLS_E_APPLE_CHALLENGE,
     "attestation.x5c[0].nonce",
     "apple.nonce",
     ATLS_CHECK_FAIL,
     no_client_data},
    {"a nonce of 31 bytes",
     {"ext.nonce=3023a121041f00000000000000000000000000000000000000000000000000000000000000"},
     NO(APPLE_CHALLENGE, "attestation.x5c[0].nonce", "apple.nonce")},
    {"an empty nonce", {"ext.nonce=3004a1020400"}, NO(APPLE_CHALLENGE, "attestation.x5c[0].nonce", "apple.nonce")},
    {"bytes after the authenticator data that the nonce covers", {"auth.trailing=00"}, BAD_AUTH("")},
    {"a bit of the authenticator data, afterwards",
     {"raw.attestation~appattest=bppattest"},
     NO(EVIDENCE_FORMAT, "attestation.fmt", "evidence.decode")},
    {"another key id", {NULL}, ATLS_E_APPLE_APP_UNEXPECTED, "keyId", "apple.key_id", ATLS_CHECK_FAIL, wrong_key_id},
    {"a key id that is cut",
     {NULL},
     ATLS_E_APPLE_APP_UNEXPECTED,
     "keyId",
     "apple.key_id",
     ATLS_CHECK_FAIL,
     short_key_id},
};

/* ---- step 6 ---- */

static const row identity[] = {
    {"no credential data", {"auth.flags=0"}, BAD_AUTH(".flags")},
    {"no credential data, but bytes", {"auth.flags=0", "auth.trailing=00"}, BAD_AUTH("")},
    {"extensions that are not there", {"auth.flags=0xc0"}, BAD_AUTH(".extensions")},
    {"extensions that are no map", {"auth.flags=0xc0", "auth.extensions=80"}, BAD_AUTH(".extensions")},
    {"extensions that nobody announced", {"auth.extensions=a0"}, BAD_AUTH("")},
    {"two maps of extensions", {"auth.flags=0xc0", "auth.extensions=a0a0"}, BAD_AUTH("")},
    {"a credential id that is longer than it is", {"auth.credential_id_says=2000"}, BAD_AUTH(".credentialIdLength")},
    {"a credential id that goes to the end", {"auth.credential_id_says=200"}, BAD_AUTH(".credentialId")},
    {"no key", {"auth.cose="}, BAD_AUTH(".credentialPublicKey")},
    {"a key that is no map", {"auth.cose=80"}, BAD_AUTH(".credentialPublicKey")},
    {"an empty key", {"auth.cose=a0"}, BAD_AUTH(".credentialPublicKey")},
    {"a key of RSA", {"raw.cose@2=03"}, BAD_AUTH(".credentialPublicKey")},
    {"a key for ES384", {"raw.cose@4=22"}, BAD_AUTH(".credentialPublicKey")},
    {"a key of P-384", {"raw.cose@6=02"}, BAD_AUTH(".credentialPublicKey")},
    {"a member of the key twice", {"raw.cose@3=01"}, BAD_AUTH(".credentialPublicKey")},
    {"a coordinate of 31 bytes", {"raw.cose@9=1f", "raw.cose@10-=1"}, BAD_AUTH(".credentialPublicKey")},
    {"another app", {"auth.rp_id_hash=00"}, NO(APPLE_IDENTIFIER, "attestation.authData.rpIdHash", "apple.rp_id_hash")},
    {"a key that has signed",
     {"auth.sign_count=1"},
     NO(APPLE_APP_UNEXPECTED, "attestation.authData.signCount", "apple.sign_count")},
    {"of the sandbox",
     {"auth.aaguid=617070617474657374646576656c6f70"},
     NO(APPLE_IDENTIFIER, "attestation.authData.aaguid", "apple.aaguid")},
    {"of no stage",
     {"auth.aaguid=00000000000000000000000000000000"},
     NO(APPLE_IDENTIFIER, "attestation.authData.aaguid", "apple.aaguid")},
    {"another credential id",
     {"auth.credential_id=00"},
     NO(APPLE_APP_UNEXPECTED, "attestation.authData.credentialId", "apple.credential_id")},
    {"a credential id that is cut",
     {"auth.credential_id_len=31"},
     NO(APPLE_APP_UNEXPECTED, "attestation.authData.credentialId", "apple.credential_id")},
    {"another key in the credential",
     {"auth.key_of=signer"},
     NO(APPLE_APP_UNEXPECTED, "attestation.authData.credentialPublicKey", "apple.credential_key")},
    {"the certificate names another app",
     {"certified_app_id=0123456789.test.sim.other"},
     NO(APPLE_IDENTIFIER, "attestation.x5c[0].keyProperties", "apple.app_id")},
    {"of another type, the app is still named",
     {"certified_app_id=0123456789.test.sim.other", "certified_app_id.type=12"},
     NO(APPLE_IDENTIFIER, "attestation.x5c[0].keyProperties", "apple.app_id")},
};

/* ---- calls ---- */

static const row calls[] = {
    {"two thousand milliseconds", {NULL}, ATLS_E_USAGE, "now_ms", NULL, 0, two_thousand_ms},
    {"an offset of a century", {NULL}, ATLS_E_USAGE, "offset_s", NULL, 0, a_long_offset},
};

/* ---- the sandbox ---- */

static const row sandbox[] = {
    {"as Apple makes them there", {NULL}, YES_PASSES("apple.aaguid")},
    {"every result shows that the sandbox is accepted",
     {NULL},
     ATLS_OK,
     NULL,
     "policy.sandbox",
     ATLS_CHECK_SKIPPED,
     NULL},
    {"the policy does not say so",
     {"policy.applications=[" APP("test.sim.app", "") "]"},
     NO(APPLE_IDENTIFIER, "attestation.authData.aaguid", "apple.aaguid")},
    {"production in place of it, not besides",
     {"auth.aaguid=61707061747465737400000000000000"},
     NO(APPLE_IDENTIFIER, "attestation.authData.aaguid", "apple.aaguid")},
    {"the receipt is of production",
     {"receipt.text.7=production"},
     NO(APPLE_RECEIPT, "receipt.environment", "apple.receipt_environment")},
};

static void test_sandbox(void **state)
{
    run_row(*state, true);
}

int main(void)
{
    tap_list tests = {0};
    ADD(honest, test_production)
    ADD(envelope, test_production)
    ADD(chain, test_production)
    ADD(fresh, test_production)
    ADD(identity, test_production)
    ADD(calls, test_production)
    ADD(sandbox, test_sandbox)
    return tap_run("apple_cases", &tests);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_nitro_cases.c: the table of lies about Nitro documents. A row is the honest room of the simulator and one change, made
 * before whatever covers it is signed; it must die at its own check, with its own code and field. Honest rows in between show
 * shapes that must be accepted. */
#include "nitro_room.h"

typedef struct row {
    const char *name;
    const char *settings[ROOM_MAX_SETTINGS];
    atls_code code;
    const char *field;
    const char *id; /* a check that must be in the list; of a refusal: the failed one. NULL: not looked at */
    atls_check_verdict verdict;
} row;

#define YES                 ATLS_OK, NULL, NULL, 0
#define YES_SKIPS(id)       ATLS_OK, NULL, id, ATLS_CHECK_SKIPPED
#define YES_PASSES(id)      ATLS_OK, NULL, id, ATLS_CHECK_PASS
#define NO(code, field, id) ATLS_E_##code, field, id, ATLS_CHECK_FAIL
#define MALFORMED(field)    NO(EVIDENCE_FORMAT, "document" field, "evidence.decode")
#define BAD_LINK(field)     NO(CERTIFICATE_CHAIN, "document.payload." field, "nitro.chain")

/* ---- honest shapes ---- */

static const row honest[] = {
    {"as AWS makes them", {NULL}, YES_PASSES("nitro.signature")},
    {"every map and array definite", {"payload.form=definite"}, YES},
    {"every map and array open", {"pcrs.form=open", "cabundle.form=open"}, YES},
    {"tag 18", {"tag=18"}, YES},
    {"something in the unprotected header", {"unprotected=a1014102"}, YES},
    {"an open unprotected header", {"unprotected=bfff"}, YES},
    {"an unknown protected label", {"protected=a2013822182a00"}, YES},
    {"the algorithm is critical",
     {"protected=a201382202"
      "8101"},
     YES},
    {"absent instead of null", {"payload.nonce=none", "payload.public_key=none"}, YES},
    {"nonce and key are there, outside a session", {"nonce=01", "public_key=0102"}, YES},
    {"an empty nonce", {"nonce="}, YES},
    {"a member that nobody knows", {"payload+636e6577=a1018102"}, YES},
    {"registers 16 to 31", {"pcr.16=01", "pcr.31=02"}, YES},
    {"the registers of the image alone", {"pcr.3=none", "pcr.4=none", "pcr.8=none", "pcr.15=none"}, YES},
    {"no role, unsigned image", {"pcr.3=00", "pcr.8=00"}, YES},
    {"a leaf with an extended key usage that is not critical", {"cert.leaf.eku=1"}, YES},
    {"a critical key usage that only signs", {"cert.leaf.key_usage=80"}, YES},
    {"the other half of the curve", {"sig=highs"}, YES},
    {"a chain without instance authority", {"cabundle=root,regional,zonal", "cert.leaf.issuer=zonal"}, YES},
    {"the root signs the leaf", {"cabundle=root", "cert.leaf.issuer=root", "crls=root"}, YES},
    {"made by a clock a minute ahead", {"timestamp=now+60", "timestamp.ms=0"}, YES},
    {"five minutes old", {"timestamp=now-300", "timestamp.ms=0", "cert.leaf.not_before=now-400"}, YES},
    {"older, where the policy allows it",
     {"timestamp=now-900", "timestamp.ms=0", "cert.leaf.not_before=now-1000", "policy.max_age=900"},
     YES_PASSES("nitro.age")},
};

/* ---- the envelope ---- */

static const row envelope[] = {
    {"one byte more", {"raw.document@-0+=00"}, MALFORMED("")},
    {"nothing", {"raw.document@0-=*"}, MALFORMED("")},
    {"the framing of a store", {"raw.document@0+=00000000"}, MALFORMED("")},
    {"another tag", {"tag=17"}, MALFORMED(".tag")},
    {"two tags", {"tag=18", "raw.document@0+=d2"}, MALFORMED("")},
    {"five elements", {"elements=5"}, MALFORMED("")},
    {"three elements", {"elements=3"}, MALFORMED("")},
    {"an open array", {"raw.document@0=9f", "raw.document@-0+=ff"}, MALFORMED("")},
    {"no protected header", {"protected="}, MALFORMED(".protected")},
    {"a protected header without algorithm", {"protected=a0"}, MALFORMED(".protected.alg")},
    {"an open protected header", {"protected=bf013822ff"}, MALFORMED(".protected")},
    {"bytes after the protected header", {"protected=a101382200"}, MALFORMED(".protected")},
    {"the algorithm as text", {"protected=a101654553333834"}, MALFORMED(".protected.alg")},
    {"ES256", {"protected=a10126"}, MALFORMED(".protected.alg")},
    {"ES512", {"protected=a1013823"}, MALFORMED(".protected.alg")},
    {"the algorithm twice", {"protected=a2013822013822"}, MALFORMED(".protected")},
    {"an unknown label twice", {"protected=a3013822182a00182a01"}, MALFORMED(".protected")},
    {"a label that is neither", {"protected=a2013822f600"}, MALFORMED(".protected")},
    {"another label is critical",
     {"protected=a301382202811"
      "82a182a00"},
     MALFORMED(".protected.crit")},
    {"no label is critical", {"protected=a20138220280"}, MALFORMED(".protected.crit")},
    {"a critical label that is text",
     {"protected=a2013822028163"
      "666f6f"},
     MALFORMED(".protected.crit")},
    {"an unprotected header that is no map", {"unprotected=80"}, MALFORMED(".unprotected")},
    {"an unprotected header with a key twice", {"unprotected=a201000100"}, MALFORMED(".unprotected")},
    {"a signature one byte short", {"sig_len=95"}, MALFORMED(".signature")},
    {"a signature that is not there", {"sig_len=0"}, MALFORMED(".signature")},
    {"an algorithm only where it is not signed", {"protected=a0", "unprotected=a1013822"}, MALFORMED(".protected.alg")},
};

/* ---- the payload ---- */

static const row payload[] = {
    {"not a map", {"raw.payload=x"}, MALFORMED(".payload")},
    {"bytes after the map", {"raw.payload@-0+=00"}, MALFORMED(".payload")},
    {"a map that never ends", {"raw.payload@-1-=1"}, MALFORMED(".payload")},
    {"a key that is a number", {"payload+01=02"}, MALFORMED(".payload")},
    {"a key that is bytes", {"payload+4161=02"}, MALFORMED(".payload")},
    {"a member twice", {"payload+656e6f6e6365=f6"}, MALFORMED(".payload")},
    {"an unknown member twice", {"payload+6161=00", "payload+6161=00"}, MALFORMED(".payload")},
    {"an open key", {"payload+7f6161ff=00"}, MALFORMED(".payload")},
    {"an unknown member with a key twice in it", {"payload+6161=a201000100"}, MALFORMED(".payload")},
    {"an unknown member that is too deep", {"payload+6161=818181818181818100"}, MALFORMED(".payload")},
    {"no module", {"payload.module_id=none"}, MALFORMED(".payload.module_id")},
    {"an empty module", {"payload.module_id=60"}, MALFORMED(".payload.module_id")},
    {"a module of bytes", {"payload.module_id=4161"}, MALFORMED(".payload.module_id")},
    {"a module that is not UTF-8", {"payload.module_id=61ff"}, MALFORMED(".payload.module_id")},
    {"an open module", {"payload.module_id=7f6161ff"}, MALFORMED(".payload.module_id")},
    {"no digest", {"payload.digest=none"}, MALFORMED(".payload.digest")},
    {"no timestamp", {"payload.timestamp=none"}, MALFORMED(".payload.timestamp")},
    {"a timestamp of zero", {"payload.timestamp=00"}, MALFORMED(".payload.timestamp")},
    {"a timestamp of null", {"payload.timestamp=f6"}, MALFORMED(".payload.timestamp")},
    {"a negative timestamp", {"payload.timestamp=20"}, MALFORMED(".payload.timestamp")},
    {"a timestamp beyond all dates", {"payload.timestamp=1bffffffffffffffff"}, MALFORMED(".payload.timestamp")},
    {"a timestamp in a longer head than it needs",
     {"payload.timestamp=1b0000000000000001"},
     MALFORMED(".payload.timestamp")},
    {"no registers", {"payload.pcrs=none"}, MALFORMED(".payload.pcrs")},
    {"an empty map of registers", {"payload.pcrs=a0"}, MALFORMED(".payload.pcrs")},
    {"an open map of no registers", {"payload.pcrs=bfff"}, MALFORMED(".payload.pcrs")},
    {"registers in an array", {"payload.pcrs=80"}, MALFORMED(".payload.pcrs")},
    {"a register twice", {"pcr_again=0"}, MALFORMED(".payload.pcrs")},
    {"register 32", {"pcr.32=01"}, MALFORMED(".payload.pcrs")},
    {"a register of SHA-256", {"pcr_len.3=32"}, MALFORMED(".payload.pcrs")},
    {"a register one byte short", {"pcr_len.15=47"}, MALFORMED(".payload.pcrs")},
    {"a register of nothing", {"pcr_len.0=0"}, MALFORMED(".payload.pcrs")},
    {"registers of both kinds",
     {"payload+6d6e6974726f74706d5f70637273=a1005830"
      "111111111111111111111111111111111111111111111111"
      "111111111111111111111111111111111111111111111111"},
     MALFORMED(".payload.nitrotpm_pcrs")},
    {"no certificate", {"payload.certificate=none"}, MALFORMED(".payload.certificate")},
    {"an empty certificate", {"payload.certificate=40"}, MALFORMED(".payload.certificate")},
    {"an open certificate", {"payload.certificate=5f4130ff"}, MALFORMED(".payload.certificate")},
    {"no authorities", {"payload.cabundle=none"}, MALFORMED(".payload.cabundle")},
    {"an empty list of authorities", {"payload.cabundle=80"}, MALFORMED(".payload.cabundle")},
    {"an open list of no authorities", {"payload.cabundle=9fff"}, MALFORMED(".payload.cabundle")},
    {"nine authorities",
     {"cabundle=root,regional,zonal,instance,instance,instance,instance,instance,instance"},
     MALFORMED(".payload.cabundle")},
    {"an empty authority", {"payload.cabundle=8140"}, MALFORMED(".payload.cabundle")},
    {"an authority of 1025 bytes", {"cabundle=root,1025x30"}, MALFORMED(".payload.cabundle")},
    {"user_data of 1025 bytes", {"user_data=1025x01"}, MALFORMED(".payload.user_data")},
    {"user_data that is text", {"payload.user_data=6161"}, MALFORMED(".payload.user_data")},
    {"user_data that is open", {"payload.user_data=5f4101ff"}, MALFORMED(".payload.user_data")},
    {"user_data that is undefined", {"payload.user_data=f7"}, MALFORMED(".payload.user_data")},
    {"a nonce of 1025 bytes", {"nonce=1025x01"}, MALFORMED(".payload.nonce")},
    {"a nonce that is false", {"payload.nonce=f4"}, MALFORMED(".payload.nonce")},
    {"a public key of 1025 bytes", {"public_key=1025x01"}, MALFORMED(".payload.public_key")},
};

/* ---- who signed ---- */

static const row authority[] = {
    {"another root of the same name",
     {"cabundle=root2,regional2,zonal,instance"},
     NO(CERTIFICATE_CHAIN, "document.payload.cabundle[0]", "nitro.root")},
    {"the root is left out",
     {"cabundle=regional,zonal,instance"},
     NO(CERTIFICATE_CHAIN, "document.payload.cabundle[0]", "nitro.root")},
    {"an honest chain behind a foreign root",
     {"cabundle=root2,regional,zonal,instance"},
     NO(CERTIFICATE_CHAIN, "document.payload.cabundle[0]", "nitro.root")},
    {"the honest root before a foreign chain",
     {"cabundle=root,regional2,zonal,instance"},
     BAD_LINK("cabundle[1].authority_key_id")},
    {"an authority in the middle that is no certificate",
     {"cabundle=root,3000,zonal,instance"},
     NO(CERTIFICATE_CHAIN, "document.payload.cabundle[1].tbs", "nitro.root")},
    {"the order turned round", {"cabundle=root,zonal,regional,instance"}, BAD_LINK("cabundle[1].issuer")},
    {"an authority left out", {"cabundle=root,regional,instance"}, BAD_LINK("cabundle[2].issuer")},
    {"an authority twice",
     {"cabundle=root,regional,regional,zonal,instance", "cert.regional.path_len=none"},
     BAD_LINK("cabundle[2].issuer")},
    {"the root twice", {"cabundle=root,root,regional,zonal,instance"}, BAD_LINK("cabundle[1].issuer")},
    {"a bit of the regional signature", {"cert.regional.sig=bit"}, BAD_LINK("cabundle[1].signature")},
    {"a bit of the zonal signature", {"cert.zonal.sig=bit"}, BAD_LINK("cabundle[2].signature")},
    {"a bit of the instance's signature", {"cert.instance.sig=bit"}, BAD_LINK("cabundle[3].signature")},
    {"a bit of the leaf's signature", {"cert.leaf.sig=bit"}, BAD_LINK("certificate.signature")},
    {"a leaf signed by somebody else", {"cert.leaf.signed_by=zonal"}, BAD_LINK("certificate.signature")},
    {"a leaf of another issuer's name", {"cert.leaf.issuer_cn=other"}, BAD_LINK("certificate.issuer")},
    {"the wrong key id", {"cert.zonal.aki=00"}, BAD_LINK("cabundle[2].authority_key_id")},
    {"an authority of P-256", {"cert.regional.curve=p256"}, BAD_LINK("cabundle[1].key")},
    {"a leaf of P-256", {"cert.leaf.curve=p256"}, BAD_LINK("certificate.key")},
    {"a leaf of RSA", {"cert.leaf.curve=rsa", "signed_by=instance"}, BAD_LINK("certificate.key")},
    {"an authority that is none", {"cert.instance.ca=false"}, BAD_LINK("cabundle[3].basic_constraints")},
    {"an authority that does not say so", {"cert.zonal.ca=none"}, BAD_LINK("cabundle[2].basic_constraints")},
    {"the last authority overlooks nothing",
     {"cert.instance.ca_critical=false"},
     BAD_LINK("cabundle[3].basic_constraints")},
    {"the first authority overlooks nothing",
     {"cert.regional.ca_critical=false"},
     BAD_LINK("cabundle[1].basic_constraints")},
    {"an authority that may not sign certificates", {"cert.instance.key_usage=80"}, BAD_LINK("cabundle[3].key_usage")},
    {"an authority that may not sign the leaf",
     {"cabundle=root", "cert.root.key_usage=80", "cert.leaf.issuer=root", "crls="},
     BAD_LINK("certificate.issuer.key_usage")},
    {"an authority without key usage", {"cert.zonal.key_usage=none"}, BAD_LINK("cabundle[2].key_usage")},
    {"more authorities than the regional one allows", {"cert.regional.path_len=1"}, BAD_LINK("cabundle[1].path_len")},
    {"more authorities than the zonal one allows", {"cert.zonal.path_len=0"}, BAD_LINK("cabundle[2].path_len")},
    {"more authorities than the root allows", {"cert.root.path_len=2"}, BAD_LINK("cabundle[1].issuer.path_len")},
    {"an authority with a critical extension",
     {"cert.zonal.critical_ext=1"},
     BAD_LINK("cabundle[2].critical_extension")},
    {"a leaf with a critical extension", {"cert.leaf.critical_ext=1"}, BAD_LINK("certificate.critical_extension")},
    {"the regional authority has expired",
     {"cert.regional.not_after=now-1"},
     NO(EXPIRED, "document.payload.cabundle[1].not_after", "nitro.chain")},
    {"the regional authority is not yet valid",
     {"cert.regional.not_before=now+1"},
     NO(NOT_YET_VALID, "document.payload.cabundle[1].not_before", "nitro.chain")},
    {"the zonal authority has expired",
     {"cert.zonal.not_after=now-1"},
     NO(EXPIRED, "document.payload.cabundle[2].not_after", "nitro.chain")},
    {"the instance's authority has expired",
     {"cert.instance.not_after=now-1"},
     NO(EXPIRED, "document.payload.cabundle[3].not_after", "nitro.chain")},
    {"the root has expired",
     {"cert.root.not_after=now-1"},
     NO(EXPIRED, "document.payload.cabundle[0].not_after", "nitro.chain")},
    {"the leaf has expired",
     {"cert.leaf.not_after=now-1"},
     NO(EXPIRED, "document.payload.certificate.not_after", "nitro.chain")},
    {"in its last second", {"cert.leaf.not_after=now"}, YES},
    {"the leaf is not yet valid",
     {"cert.leaf.not_before=now+1"},
     NO(NOT_YET_VALID, "document.payload.certificate.not_before", "nitro.chain")},
    {"the leaf is an authority",
     {"cert.leaf.ca=true"},
     NO(CERTIFICATE_CHAIN, "document.payload.certificate.basic_constraints", "nitro.leaf")},
    {"the leaf does not say that it is none",
     {"cert.leaf.ca=none"},
     NO(CERTIFICATE_CHAIN, "document.payload.certificate.basic_constraints", "nitro.leaf")},
    {"the leaf may not sign documents",
     {"cert.leaf.key_usage=40"},
     NO(CERTIFICATE_CHAIN, "document.payload.certificate.key_usage", "nitro.leaf")},
    {"the leaf has no key usage",
     {"cert.leaf.key_usage=none"},
     NO(CERTIFICATE_CHAIN, "document.payload.certificate.key_usage", "nitro.leaf")},
    {"the leaf may sign certificates",
     {"cert.leaf.key_usage=84"},
     NO(CERTIFICATE_CHAIN, "document.payload.certificate.key_usage", "nitro.leaf")},
    {"the leaf may sign lists",
     {"cert.leaf.key_usage=82"},
     NO(CERTIFICATE_CHAIN, "document.payload.certificate.key_usage", "nitro.leaf")},
};

/* ---- the signature, and what it covers ---- */

static const row signature[] = {
    {"one bit", {"sig=bit"}, NO(EVIDENCE_SIGNATURE, "document.signature", "nitro.signature")},
    {"zeros", {"sig=zero"}, NO(EVIDENCE_SIGNATURE, "document.signature", "nitro.signature")},
    {"r and s of one", {"sig=r1s1"}, NO(EVIDENCE_SIGNATURE, "document.signature", "nitro.signature")},
    {"r of the order", {"sig=rn"}, NO(EVIDENCE_SIGNATURE, "document.signature", "nitro.signature")},
    {"s of zero", {"sig=s0"}, NO(EVIDENCE_SIGNATURE, "document.signature", "nitro.signature")},
    {"by the instance's authority",
     {"signed_by=instance"},
     NO(EVIDENCE_SIGNATURE, "document.signature", "nitro.signature")},
    {"of another context", {"context=Signature"}, NO(EVIDENCE_SIGNATURE, "document.signature", "nitro.signature")},
    {"with additional data", {"external_aad=00"}, NO(EVIDENCE_SIGNATURE, "document.signature", "nitro.signature")},
    {"another hash made the registers",
     {"digest=SHA512"},
     NO(EVIDENCE_FORMAT, "document.payload.digest", "nitro.digest")},
    {"the hash in small letters", {"digest=sha384"}, NO(EVIDENCE_FORMAT, "document.payload.digest", "nitro.digest")},
    {"made before its certificate",
     {"timestamp=now-4", "timestamp.ms=999"},
     NO(EVIDENCE_AGE, "document.payload.timestamp", "nitro.timestamp")},
    {"made after its certificate",
     {"timestamp=now+11", "cert.leaf.not_after=now+10"},
     NO(EVIDENCE_AGE, "document.payload.timestamp", "nitro.timestamp")},
};

/* ---- revocation ---- */

#define REQUIRED "policy.revocation=\"require\""
#define POINT    "http://crl.sim.test/nitro.crl"

static const row revocation[] = {
    {"every list at hand", {NULL}, YES_PASSES("nitro.revocation")},
    {"every list at hand, and required", {REQUIRED}, YES_PASSES("nitro.revocation")},
    {"no list at hand", {"crls="}, YES_SKIPS("nitro.revocation")},
    {"no list at hand, and required",
     {REQUIRED, "crls="},
     NO(ENDORSEMENTS_MISSING, "endorsements.crl", "nitro.revocation")},
    {"no list of the regional authority, required",
     {REQUIRED, "crls=root,zonal"},
     NO(ENDORSEMENTS_MISSING, "endorsements.crl", "nitro.revocation")},
    {"no list of the zonal authority, which publishes none", {REQUIRED, "crls=root,regional"}, YES},
    {"what the root signed needs its list, whatever the certificate says",
     {REQUIRED, "crls=regional", "cert.regional.crl_point=none"},
     NO(ENDORSEMENTS_MISSING, "endorsements.crl", "nitro.revocation")},
    {"regional revoked",
     {"crl.root.revoked=regional"},
     NO(REVOKED, "document.payload.cabundle[1]", "nitro.revocation")},
    {"zonal revoked", {"crl.regional.revoked=zonal"}, NO(REVOKED, "document.payload.cabundle[2]", "nitro.revocation")},
    {"instance revoked",
     {"crl.zonal.revoked=instance"},
     NO(REVOKED, "document.payload.cabundle[3]", "nitro.revocation")},
    {"others revoked", {"crl.root.revoked=0badc0de,0102"}, YES_PASSES("nitro.revocation")},
    {"revoked by an old list",
     {"crl.root.revoked=regional", "crl.root.next_update=now-1"},
     NO(REVOKED, "document.payload.cabundle[1]", "nitro.revocation")},
    {"revoked, after another list that says nothing",
     {"crls=root,root,regional", "crl.root.revoked=regional"},
     NO(REVOKED, "document.payload.cabundle[1]", "nitro.revocation")},
    {"an old list", {"crl.root.next_update=now-1"}, YES_SKIPS("nitro.revocation")},
    {"an old list, required",
     {REQUIRED, "crl.root.next_update=now-1"},
     NO(EXPIRED, "endorsements.crl.not_after", "nitro.revocation")},
    {"a list of tomorrow, required",
     {REQUIRED, "crl.root.this_update=now+1"},
     NO(NOT_YET_VALID, "endorsements.crl.not_before", "nitro.revocation")},
    {"a forged list that revokes",
     {"crl.root.signed_by=root2", "crl.root.revoked=regional"},
     YES_SKIPS("nitro.revocation")},
    {"a forged list, required",
     {REQUIRED, "crl.root.signed_by=root2"},
     NO(CRL, "endorsements.crl.signature", "nitro.revocation")},
    {"a list of CA certificates, required", {REQUIRED, "crl.root.scope=cas"}, YES_PASSES("nitro.revocation")},
    {"a list of users' certificates", {"crl.root.scope=users"}, YES_SKIPS("nitro.revocation")},
    {"a list of users' certificates, required",
     {REQUIRED, "crl.root.scope=users"},
     NO(CRL, "document.payload.cabundle[1].scope.only_contains_user_certs", "nitro.revocation")},
    {"a list of the point in the certificate, required",
     {REQUIRED, "crl.root.scope=" POINT},
     YES_PASSES("nitro.revocation")},
    {"a list of another point", {"crl.root.scope=" POINT "2"}, YES_SKIPS("nitro.revocation")},
    {"a list of another point, required",
     {REQUIRED, "crl.root.scope=" POINT "2"},
     NO(CRL, "document.payload.cabundle[1].scope.distribution_point", "nitro.revocation")},
    {"revoked by a list of another point",
     {"crl.root.scope=" POINT "2", "crl.root.revoked=regional"},
     NO(REVOKED, "document.payload.cabundle[1]", "nitro.revocation")},
    {"a list that is none", {"raw.crl.root=x"}, YES_SKIPS("nitro.revocation")},
    {"revocation switched off",
     {"policy.revocation=\"insecure_off\"", "crl.root.revoked=regional"},
     YES_SKIPS("nitro.revocation")},
};

/* ---- against the policy ---- */

#define ZERO48 "48x00"

static const row policy[] = {
    {"from the future",
     {"timestamp=now+61", "timestamp.ms=0"},
     NO(EVIDENCE_AGE, "document.payload.timestamp", "nitro.age")},
    {"too old by a second",
     {"timestamp=now-301", "cert.leaf.not_before=now-400"},
     NO(EVIDENCE_AGE, "document.payload.timestamp", "nitro.age")},
    {"older than the policy's age",
     {"timestamp=now-11", "cert.leaf.not_before=now-400", "policy.max_age=10"},
     NO(EVIDENCE_AGE, "document.payload.timestamp", "nitro.age")},
    {"debug mode",
     {"pcr.0=" ZERO48, "pcr.1=" ZERO48, "pcr.2=" ZERO48, "-policy.pcrs"},
     NO(GUEST_POLICY, "document.payload.pcrs[0]", "nitro.debug")},
    {"PCR1 alone is zero",
     {"pcr.1=" ZERO48, "-policy.pcrs"},
     NO(GUEST_POLICY, "document.payload.pcrs[1]", "nitro.debug")},
    {"PCR2 is not there", {"pcr.2=none", "-policy.pcrs"}, NO(GUEST_POLICY, "document.payload.pcrs[2]", "nitro.debug")},
    {"PCR0 is not there", {"pcr.0=none", "-policy.pcrs"}, NO(GUEST_POLICY, "document.payload.pcrs[0]", "nitro.debug")},
    {"debug mode, and allowed",
     {"pcr.0=" ZERO48, "pcr.1=" ZERO48, "pcr.2=" ZERO48, "-policy.pcrs", "policy.insecure_allow_debug=true"},
     YES_SKIPS("nitro.debug")},
    {"another image",
     {"policy.pcrs.0=\"00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00"
      "ff00ff00ff00ff00ff\""},
     NO(MEASUREMENT_MISMATCH, "document.payload.pcrs[0]", "nitro.pcr0")},
    {"another kernel",
     {"policy.pcrs.1=\"00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00"
      "ff00ff00ff00ff00ff\""},
     NO(MEASUREMENT_MISMATCH, "document.payload.pcrs[1]", "nitro.pcr1")},
    {"a register that is not there",
     {"pcr.15=none", "policy.pcrs.15=\"00000000000000000000000000000000000000000000000000000000000000000000000000000000"
                     "0000000000000000\""},
     NO(MEASUREMENT_MISMATCH, "document.payload.pcrs[15]", "nitro.pcr15")},
    {"the last register",
     {"pcr.31=01", "policy.pcrs.31=\"0100000000000000000000000000000000000000000000000000000000000"
                   "00000000000000000000000000000000000\""},
     YES_PASSES("nitro.pcr31")},
    {"the role", {"policy.role_arn=\"arn:aws:iam::123456789012:role/simulated\""}, YES_PASSES("nitro.role_arn")},
    {"one of two roles",
     {"policy.role_arn=[\"arn:aws:iam::1:role/x\",\"arn:aws:iam::123456789012:role/simulated\"]"},
     YES_PASSES("nitro.role_arn")},
    {"another role",
     {"policy.role_arn=\"arn:aws:iam::123456789012:role/other\""},
     NO(MACHINE_NOT_ALLOWED, "document.payload.pcrs[3]", "nitro.role_arn")},
    {"no role at all",
     {"pcr.3=" ZERO48, "policy.role_arn=\"arn:aws:iam::123456789012:role/simulated\""},
     NO(MACHINE_NOT_ALLOWED, "document.payload.pcrs[3]", "nitro.role_arn")},
    {"the instance", {"policy.instance_id=\"i-0123456789abcdef0\""}, YES_PASSES("nitro.instance_id")},
    {"another instance",
     {"policy.instance_id=\"i-0123456789abcdef1\""},
     NO(MACHINE_NOT_ALLOWED, "document.payload.pcrs[4]", "nitro.instance_id")},
    {"the module", {"policy.module_id=\"i-0123456789abcdef0-enc0123456789abcdef\""}, YES_PASSES("nitro.module_id")},
    {"another module",
     {"policy.module_id=[\"i-1\",\"i-2\"]"},
     NO(MACHINE_NOT_ALLOWED, "document.payload.module_id", "nitro.module_id")},
    {"the region", {"policy.region=[\"eu-west-1\",\"sim-east-1\"]"}, YES_PASSES("nitro.region")},
    {"another region",
     {"policy.region=\"sim-east-2\""},
     NO(MACHINE_NOT_ALLOWED, "document.payload.cabundle", "nitro.region")},
    {"a region that the authorities do not agree on",
     {"policy.region=\"sim-east-1\"", "cert.zonal.cn=x.zonal.sim-east-2.aws.nitro-enclaves"},
     NO(MACHINE_NOT_ALLOWED, "document.payload.cabundle", "nitro.region")},
    {"a region in a name of another form",
     {"policy.region=\"sim-east-1\"", "cert.instance.cn=i.sim-east-1.aws.example"},
     NO(MACHINE_NOT_ALLOWED, "document.payload.cabundle", "nitro.region")},
    {"a region without anything before it",
     {"policy.region=\"sim-east-1\"", "cert.instance.cn=sim-east-1.aws.nitro-enclaves"},
     NO(MACHINE_NOT_ALLOWED, "document.payload.cabundle", "nitro.region")},
    {"the nonce", {"nonce=0102", "policy.nonce=\"0102\""}, YES_PASSES("nitro.nonce")},
    {"another nonce",
     {"nonce=0103", "policy.nonce=\"0102\""},
     NO(REPORT_DATA_MISMATCH, "document.payload.nonce", "nitro.nonce")},
    {"a longer nonce",
     {"nonce=010200", "policy.nonce=\"0102\""},
     NO(REPORT_DATA_MISMATCH, "document.payload.nonce", "nitro.nonce")},
    {"a nonce of null", {"policy.nonce=\"0102\""}, NO(REPORT_DATA_MISMATCH, "document.payload.nonce", "nitro.nonce")},
    {"the public key",
     {"public_key=616263",
      "policy.public_key_sha256=\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""},
     YES_PASSES("nitro.public_key")},
    {"another public key",
     {"public_key=616264",
      "policy.public_key_sha256=\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""},
     NO(REPORT_DATA_MISMATCH, "document.payload.public_key", "nitro.public_key")},
    {"a public key of null",
     {"policy.public_key_sha256=\"0000000000000000000000000000000000000000000000000000000000000000\""},
     NO(REPORT_DATA_MISMATCH, "document.payload.public_key", "nitro.public_key")},
    {"a document of the other kind is wanted",
     {"policy.document=\"nitrotpm\""},
     NO(TEE_TYPE_MISMATCH, "document.payload.pcrs", "nitro.document")},
    {"the policy names no machine", {NULL}, YES_SKIPS("nitro.machine")},
    {"stored for a year",
     {"timestamp=now-31536000", "cert.leaf.not_before=now-31536100", "cert.instance.not_before=now-31536100",
      "cert.zonal.not_before=now-31536100", "cert.regional.not_before=now-31536100",
      "crls=", "policy.insecure_historic=true"},
     YES_SKIPS("nitro.age")},
};

/* ---- NitroTPM ---- */

static const row nitrotpm[] = {
    {"as AWS makes them", {NULL}, YES_PASSES("nitro.pcr4")},
    {"no debug mode to be in", {"pcr.0=00", "pcr.1=00"}, ATLS_OK, NULL, "nitro.debug", ATLS_CHECK_NOT_APPLICABLE},
    {"an enclave's is wanted",
     {"policy.document=\"enclave\"", "-policy.pcrs"},
     NO(TEE_TYPE_MISMATCH, "document.payload.nitrotpm_pcrs", "nitro.document")},
    {"what is wanted is left open",
     {"-policy.document", "-policy.pcrs"},
     NO(TEE_TYPE_MISMATCH, "document.payload.nitrotpm_pcrs", "nitro.document")},
    {"another boot binary",
     {"pcr.4=01", "policy.pcrs.4=\"00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00"
                  "ff00ff00ff00ff00ff00ff00ff00ff00ff\""},
     NO(MEASUREMENT_MISMATCH, "document.payload.nitrotpm_pcrs[4]", "nitro.pcr4")},
    {"one bit", {"sig=bit"}, NO(EVIDENCE_SIGNATURE, "document.signature", "nitro.signature")},
    {"another root",
     {"cabundle=root2,regional2,zonal,instance"},
     NO(CERTIFICATE_CHAIN, "document.payload.cabundle[0]", "nitro.root")},
    {"registers under the enclaves' name",
     {"name.nitrotpm_pcrs=pcrs"},
     NO(TEE_TYPE_MISMATCH, "document.payload.pcrs", "nitro.document")},
};

/* ---- docs/checks.md names every check that any row writes ---- */

static void assert_documented(const char *id)
{
    static char page[128 * 1024];
    char quoted[80];
    if (page[0] == '\0') {
        FILE *f = fopen("docs/checks.md", "r");
        assert_non_null(f);
        assert_true(fread(page, 1, sizeof page - 1, f) > 0);
        fclose(f);
    }
    snprintf(quoted, sizeof quoted, "`%s`", strncmp(id, "nitro.pcr", 9) == 0 ? "nitro.pcr31" : id);
    if (strncmp(id, "nitro.", 6) == 0 && strstr(page, quoted) == NULL) {
        fail_msg("docs/checks.md does not name %s", id);
    }
}

static void run_row(const row *r, bool is_nitrotpm)
{
    room_scene s;
    room_open(&s, is_nitrotpm, r->settings);
    scene_run(&s.s, s.policy);
    scene_expect(&s.s, r->code, r->field);
    const atls_check *c = r->id == NULL ? NULL : scene_check(&s.s, r->id);
    assert_true(r->id == NULL || (c != NULL && c->verdict == r->verdict));
    assert_true(c == NULL || c->verdict == ATLS_CHECK_PASS || c->why[0] != '\0');
    for (size_t i = 0; i < s.s.result.n_checks; i++) {
        assert_documented(s.s.result.checks[i].id);
    }
    if (r->code == ATLS_OK) {
        assert_int_equal(s.s.result.claims.nitro.is_nitrotpm, is_nitrotpm);
        assert_true(s.s.result.simulated_or_test_root);
    }
    room_close(&s);
}

static void test_enclave(void **state)
{
    run_row(*state, false);
}

static void test_nitrotpm(void **state)
{
    run_row(*state, true);
}

#define ADD(table, function)                                                                                           \
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {                                                      \
        tap_add(&tests, table[i].name, function, &table[i]);                                                           \
    }

int main(void)
{
    tap_list tests = {0};
    ADD(honest, test_enclave)
    ADD(envelope, test_enclave)
    ADD(payload, test_enclave)
    ADD(authority, test_enclave)
    ADD(signature, test_enclave)
    ADD(revocation, test_enclave)
    ADD(policy, test_enclave)
    ADD(nitrotpm, test_nitrotpm)
    return tap_run("nitro_cases", &tests);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* defects.c: each row changes one thing about one certificate or list, chosen by the dice. Some change nothing that
 * matters: a verdict may be wrong in both directions. */
#include "defects.h"

unsigned dice_roll(dice *d, unsigned n)
{
    d->state ^= d->state >> 12;
    d->state ^= d->state << 25;
    d->state ^= d->state >> 27;
    return (unsigned)((d->state * 0x2545f4914f6cdd1du) >> 33) % n;
}

static make_cert *any_cert(walk_order *o, dice *d)
{
    return &o->cert[o->has_ca ? dice_roll(d, WALK_N) : dice_roll(d, 2) == 0 ? WALK_ROOT : WALK_LEAF];
}

static make_cert *any_issued(walk_order *o, dice *d)
{
    return &o->cert[o->has_ca && dice_roll(d, 2) == 0 ? WALK_CA : WALK_LEAF];
}

static make_cert *any_ca(walk_order *o, dice *d)
{
    return &o->cert[o->has_ca && dice_roll(d, 2) == 0 ? WALK_CA : WALK_ROOT];
}

static make_crl *any_crl(walk_order *o, dice *d)
{
    return &o->crl[o->has_ca ? dice_roll(d, 2) : 0];
}

#define ON(what, fn, statement)                                                                                        \
    static void fn(walk_order *o, dice *d)                                                                             \
    {                                                                                                                  \
        what *c = any(o, d);                                                                                           \
        statement;                                                                                                     \
    }
#define any any_cert
ON(make_cert, expired, c->not_after = "20240531235959Z")
ON(make_cert, future, c->not_before = "20240601000001Z")
ON(make_cert, last_second, c->not_after = "20240601000000Z")
ON(make_cert, first_second, c->not_before = "20240601000000Z")
ON(make_cert, far_future, c->not_after = "99991231235959Z")
ON(make_cert, printable, c->name_tag = 0x13)
ON(make_cert, empty_subject, c->subject = NULL)
ON(make_cert, other_subject, c->subject = "Somebody else")
ON(make_cert, no_constraints, (c->bc = MAKE_BC_ABSENT, c->path_len = -1))
ON(make_cert, end_entity, (c->bc = MAKE_BC_END, c->path_len = -1))
ON(make_cert, ca, c->bc = MAKE_BC_CA)
ON(make_cert, not_critical, c->bc_not_critical = true)
ON(make_cert, no_usage, c->key_usage = 0)
ON(make_cert, some_usage, c->key_usage = 1 + dice_roll(d, 511))
ON(make_cert, flipped, c->flip_signature = true)
ON(make_cert, by_other, c->signer = MAKE_OTHER)
ON(make_cert, sha384, c->alg = MAKE_ECDSA_SHA384)
ON(make_cert, sha512, c->alg = MAKE_ECDSA_SHA512)
ON(make_cert, called_rsa, c->alg = MAKE_RSA_SHA256)
ON(make_cert, null_parameters, c->alg = MAKE_ECDSA_SHA256_NULL)
ON(make_cert, outer_differs, c->outer_alg = MAKE_ECDSA_SHA384)
ON(make_cert, no_ski, c->ski = MAKE_NO_KEY)
ON(make_cert, other_ski, c->ski = MAKE_OTHER)
ON(make_cert, no_aki, c->aki = MAKE_NO_KEY)
ON(make_cert, other_aki, c->aki = MAKE_OTHER)
ON(make_cert, aki_serial, (c->aki_issuer = "Test Root", c->aki_serial = dice_roll(d, 2) == 0 ? "0a02" : "01"))
ON(make_cert, aki_other_name, (c->aki_issuer = "Nobody", c->aki_serial = "01"))
ON(make_cert, critical_eku,
   c->extra = "3016"
              "0603551d25"
              "0101ff"
              "040c"
              "300a06082b06010505070301")
ON(make_cert, critical_unknown,
   c->extra = "300f"
              "06082a03040506070809"
              "0101ff"
              "0400")
ON(make_cert, plain_unknown,
   c->extra = "300c"
              "06082a03040506070809"
              "0400")
ON(make_cert, usage_twice,
   c->extra = "300b"
              "0603551d0f"
              "0404"
              "03020780")
ON(make_cert, version_1, (c->version = 1, c->no_extensions = dice_roll(d, 2) == 0))
ON(make_cert, version_2, c->version = 2)
ON(make_cert, no_extensions, c->no_extensions = true)
ON(make_cert, negative_serial, c->serial = "80")
ON(make_cert, zero_serial, c->serial = "00")
ON(make_cert, long_serial, c->serial = "00ffffffffffffffffffffffffffffffffffffffff")
ON(make_cert, unique_id, c->unique_id = "82020001")
#undef any
#define any any_issued
ON(make_cert, other_issuer, c->issuer = "Other")
ON(make_cert, issuer_case, c->issuer = c->issuer[5] == 'C' ? "TEST ca" : "test root")
ON(make_cert, issuer_blanks, c->issuer = c->issuer[5] == 'C' ? "Test  CA" : " Test Root")
#undef any
#define any any_ca
ON(make_cert, path_0, c->path_len = 0)
ON(make_cert, path_none, c->path_len = -1)
ON(make_cert, path_5, c->path_len = 5)
#undef any
#define any any_crl
ON(make_crl, crl_v1, (c->version = 1, c->no_extensions = true))
ON(make_crl, crl_other_issuer, c->issuer = "Other")
ON(make_crl, crl_issuer_case, c->issuer = c->issuer != NULL && c->issuer[5] == 'C' ? "TEST ca" : "test root")
ON(make_crl, crl_no_number, c->number = NULL)
ON(make_crl, crl_no_aki, c->aki = MAKE_NO_KEY)
ON(make_crl, crl_other_aki, c->aki = MAKE_OTHER)
ON(make_crl, crl_critical,
   c->extra = "300f"
              "06082a03040506070809"
              "0101ff"
              "0400")
ON(make_crl, crl_unknown,
   c->extra = "300c"
              "06082a03040506070809"
              "0400")
ON(make_crl, crl_partial, /* user certificates only: good for leaves */
   c->extra = "300f"
              "0603551d1c"
              "0101ff"
              "040530038101ff")
ON(make_crl, crl_delta,
   c->extra = "300d"
              "0603551d1b"
              "0101ff"
              "0403020101")
ON(make_crl, crl_no_next, c->next_update = NULL)
ON(make_crl, crl_old, c->next_update = "20240531235959Z")
ON(make_crl, crl_future, c->this_update = "20240601000001Z")
ON(make_crl, crl_last_second, c->next_update = "20240601000000Z")
ON(make_crl, crl_first_second, c->this_update = "20240601000000Z")
ON(make_crl, crl_flipped, c->flip_signature = true)
ON(make_crl, crl_by_other, c->signer = MAKE_OTHER)
ON(make_crl, crl_sha384, c->alg = MAKE_ECDSA_SHA384)
ON(make_crl, crl_sha512, c->alg = MAKE_ECDSA_SHA512)
ON(make_crl, crl_outer_differs, c->outer_alg = MAKE_ECDSA_SHA384)
ON(make_crl, crl_lists_others, c->revoked = "00f00ba5 0a03 7f 1234567890")
ON(make_crl, crl_lists_reason,
   (c->revoked = "00f00ba4 0a02 01", c->entry_extensions = "300a"
                                                           "0603551d15"
                                                           "04030a0101"))
ON(make_crl, crl_lists_remove,
   (c->revoked = "00f00ba4 0a02 01", c->entry_extensions = "300a"
                                                           "0603551d15"
                                                           "04030a0108"))
ON(make_crl, crl_entry_critical,
   (c->revoked = "77", c->entry_extensions = "300f"
                                             "06082a03040506070809"
                                             "0101ff"
                                             "0400"))
#undef any

static void crl_lists(walk_order *o, dice *d)
{
    static const char *const serials[] = {"01", "0a02", "00f00ba4"};
    any_crl(o, d)->revoked = serials[dice_roll(d, 3)];
}
static void crl_absent(walk_order *o, dice *d)
{
    o->has_crl[o->has_ca ? dice_roll(d, 2) : 0] = false;
}
static void crls_swapped(walk_order *o, dice *d)
{
    (void)d;
    make_crl keep = o->crl[0];
    o->crl[0] = o->crl[1];
    o->crl[1] = keep;
}
static void other_root(walk_order *o, dice *d)
{
    (void)d;
    o->other_root = true;
}

/* An issuer with another kind of key, everything below signed with it. */
static void set_issuer_key(walk_order *o, dice *d, make_key key, make_alg alg)
{
    bool is_ca = o->has_ca && dice_roll(d, 2) == 0;
    make_cert *issuer = &o->cert[is_ca ? WALK_CA : WALK_ROOT];
    make_cert *below = &o->cert[is_ca || !o->has_ca ? WALK_LEAF : WALK_CA];
    make_crl *crl = &o->crl[is_ca ? 1 : 0];
    issuer->key = below->signer = crl->signer = key;
    below->alg = crl->alg = alg;
    if (!is_ca) {
        issuer->signer = key;
        issuer->alg = alg;
    }
}
static void p384_issuer(walk_order *o, dice *d)
{
    set_issuer_key(o, d, MAKE_P384, dice_roll(d, 2) == 0 ? MAKE_ECDSA_SHA384 : MAKE_ECDSA_SHA256);
}
static void p521_issuer(walk_order *o, dice *d)
{
    set_issuer_key(o, d, MAKE_P521, MAKE_ECDSA_SHA384);
}
static void rsa_issuer(walk_order *o, dice *d)
{
    set_issuer_key(o, d, MAKE_RSA, (make_alg)(MAKE_RSA_SHA256 + dice_roll(d, 3)));
}
static void pss_issuer(walk_order *o, dice *d)
{
    set_issuer_key(o, d, MAKE_RSA, (make_alg)(MAKE_PSS + dice_roll(d, 3)));
}
static void pss_lies_issuer(walk_order *o, dice *d)
{
    set_issuer_key(o, d, MAKE_RSA, MAKE_PSS_LIES);
}
static void pss_other_issuer(walk_order *o, dice *d)
{
    set_issuer_key(o, d, MAKE_RSA, (make_alg)(MAKE_PSS_SALT_32 + dice_roll(d, 3)));
}
static void rsa_sha1_issuer(walk_order *o, dice *d)
{
    set_issuer_key(o, d, MAKE_RSA, MAKE_RSA_SHA1);
}
static void mixed_issuer(walk_order *o, dice *d)
{
    set_issuer_key(o, d, MAKE_RSA, MAKE_ECDSA_SHA256);
}

#define ROW(fn)                                                                                                        \
    {                                                                                                                  \
#fn, fn                                                                                                        \
    }
const defect defects[] = {
    ROW(expired),
    ROW(future),
    ROW(last_second),
    ROW(first_second),
    ROW(far_future),
    ROW(printable),
    ROW(empty_subject),
    ROW(other_subject),
    ROW(no_constraints),
    ROW(end_entity),
    ROW(ca),
    ROW(not_critical),
    ROW(no_usage),
    ROW(some_usage),
    ROW(flipped),
    ROW(by_other),
    ROW(sha384),
    ROW(sha512),
    ROW(called_rsa),
    ROW(null_parameters),
    ROW(outer_differs),
    ROW(no_ski),
    ROW(other_ski),
    ROW(no_aki),
    ROW(other_aki),
    ROW(aki_serial),
    ROW(aki_other_name),
    ROW(critical_eku),
    ROW(critical_unknown),
    ROW(plain_unknown),
    ROW(usage_twice),
    ROW(version_1),
    ROW(version_2),
    ROW(no_extensions),
    ROW(negative_serial),
    ROW(zero_serial),
    ROW(long_serial),
    ROW(unique_id),
    ROW(other_issuer),
    ROW(issuer_case),
    ROW(issuer_blanks),
    ROW(path_0),
    ROW(path_none),
    ROW(path_5),
    ROW(crl_v1),
    ROW(crl_other_issuer),
    ROW(crl_issuer_case),
    ROW(crl_no_number),
    ROW(crl_no_aki),
    ROW(crl_other_aki),
    ROW(crl_critical),
    ROW(crl_unknown),
    ROW(crl_partial),
    ROW(crl_delta),
    ROW(crl_no_next),
    ROW(crl_old),
    ROW(crl_future),
    ROW(crl_last_second),
    ROW(crl_first_second),
    ROW(crl_flipped),
    ROW(crl_by_other),
    ROW(crl_sha384),
    ROW(crl_sha512),
    ROW(crl_outer_differs),
    ROW(crl_lists_others),
    ROW(crl_lists_reason),
    ROW(crl_lists_remove),
    ROW(crl_entry_critical),
    ROW(crl_lists),
    ROW(crl_absent),
    ROW(crls_swapped),
    ROW(other_root),
    ROW(p384_issuer),
    ROW(p521_issuer),
    ROW(rsa_issuer),
    ROW(pss_issuer),
    ROW(pss_lies_issuer),
    ROW(pss_other_issuer),
    ROW(rsa_sha1_issuer),
    ROW(mixed_issuer),
};
const size_t n_defects = sizeof defects / sizeof defects[0];

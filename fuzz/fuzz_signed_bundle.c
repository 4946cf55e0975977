/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_signed_bundle: atls_bundle_open_insecure_unsigned, that is the reader behind the signature. What it accepts has its pieces in
 * order and within their bounds, each is found by its name, can be described or refused with a reason, and a bundle packed from
 * them again holds the same. No request that it answers is answered with more than the bounds allow. */
#include <string.h>

#include "atls/bundle.h"
#include "fuzz.h"

#define ARENA_SIZE ((size_t)24 * 1024 * 1024)

static const uint8_t seed[32] = {9};

static void look_at_pieces(const atls_bundle *b, atls_arena *a)
{
    for (size_t i = 0; i < b->n_pieces; i++) {
        const atls_bundle_piece *p = &b->pieces[i];
        atls_piece_facts f;
        atls_error err = {.code = ATLS_OK};
        FUZZ_ASSERT(atls_bundle_find(b, p->kind, p->subject) == p);
        FUZZ_ASSERT(p->n_parts >= 1 && p->n_parts <= ATLS_BUNDLE_MAX_PARTS && p->parts[0].len > 0);
        if (!atls_bundle_piece_describe(p, a, &f, &err)) {
            FUZZ_ASSERT(err.code != ATLS_OK && err.field[0] != '\0');
            continue;
        }
        FUZZ_ASSERT(f.what[0] != '\0' && f.issuer != NULL && f.number != NULL && f.until_name != NULL);
    }
}

static void ask(atls_bundle *b, atls_arena *a)
{
    static const atls_platform platforms[] = {ATLS_PLATFORM_TDX, ATLS_PLATFORM_SGX, ATLS_PLATFORM_SEV_SNP,
                                              ATLS_PLATFORM_NITRO, ATLS_PLATFORM_TPM};
    b->insecure_unsigned = false; /* as if its signature had been checked */
    for (size_t i = 0; i < sizeof platforms / sizeof platforms[0]; i++) {
        for (int needs = 0; needs < 2; needs++) {
            const atls_endorsement_request request = {
                .platform = platforms[i],
                .is_tdx = platforms[i] == ATLS_PLATFORM_TDX,
                .fmspc = {0x50, 0x80, 0x6f},
                .pck_ca = "platform",
                .needs_pck_chain = needs == 1,
                .sev_snp = {.product = "", .needs_leaf = true, .chip_id = "00", .tcb = "", .is_vlek = needs == 1},
            };
            atls_endorsements e;
            atls_error err = {.code = ATLS_OK};
            if (!atls_bundle_endorse(b, &request, a, &e, &err)) {
                FUZZ_ASSERT(err.code != ATLS_OK);
                continue;
            }
            FUZZ_ASSERT(e.pile.n_certificates <= ATLS_MAX_PILE_CERTIFICATES && e.pile.n_crls <= ATLS_MAX_PILE_CRLS);
        }
    }
}

static void pack_again(const atls_bundle *b, atls_arena *a)
{
    atls_bundle_pieces p;
    atls_bundle again;
    atls_bundle_key key;
    atls_bytes private_pem, public_pem, file;
    atls_error err = {.code = ATLS_OK};
    atls_bundle_pieces_init(&p, a);
    FUZZ_ASSERT(atls_bundle_add_all(&p, b, &err) && p.n == b->n_pieces);
    FUZZ_ASSERT(atls_bundle_key_pair(seed, a, &private_pem, &public_pem, &err)
                && atls_bundle_key_parse(public_pem, &key, &err));
    FUZZ_ASSERT(atls_bundle_pack(&p, b->sequence, b->made, private_pem, &file, &err));
    FUZZ_ASSERT(atls_bundle_open(file, &key, 1, a, &again, &err));
    FUZZ_ASSERT(again.sequence == b->sequence && again.made == b->made && again.n_pieces == b->n_pieces);
    for (size_t i = 0; i < again.n_pieces; i++) {
        const atls_bundle_piece *x = &b->pieces[i];
        const atls_bundle_piece *y = &again.pieces[i];
        FUZZ_ASSERT(strcmp(x->kind, y->kind) == 0 && strcmp(x->subject, y->subject) == 0 && x->n_parts == y->n_parts);
        for (size_t k = 0; k < x->n_parts; k++) {
            FUZZ_ASSERT(atls_bytes_equal(x->parts[k], y->parts[k]));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t block[ARENA_SIZE];
    atls_arena a;
    atls_bundle b;
    atls_error err = {.code = ATLS_OK};
    if (size > FUZZ_MAX_SEED) {
        return 0;
    }
    atls_arena_init(&a, block, sizeof block);
    if (!atls_bundle_open_insecure_unsigned(atls_bytes_of(data, size), &a, &b, &err)) {
        FUZZ_ASSERT(err.code != ATLS_OK && err.field[0] != '\0');
        return 0;
    }
    FUZZ_ASSERT(b.insecure_unsigned && b.n_pieces > 0 && b.n_pieces <= ATLS_BUNDLE_MAX_PIECES && b.made > 0);
    look_at_pieces(&b, &a);
    pack_again(&b, &a);
    ask(&b, &a);
    return 0;
}

#define HEAD "atls endorsement bundle v1\0"
#define TAIL "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LIST                                                                                                           \
    "\x83\x6e"                                                                                                         \
    "android.status\x66google\x81\x4e{\"entries\":{}}"
#define CERT                                                                                                           \
    "\x83\x6b"                                                                                                         \
    "certificate\x67other/a\x81\x42\x30\x00"
#define CHAIN                                                                                                          \
    "\x83\x6e"                                                                                                         \
    "dcap.pck_chain\x78\x19"                                                                                           \
    "50806f000000/processor/ab\x81\x41-"
static const fuzz_literal seeds[] = {
    FUZZ_TEXT(HEAD "\xa3\x64made\x01\x66pieces\x81" LIST "\x68sequence\x01" TAIL),
    FUZZ_TEXT(HEAD "\xa3\x64made\x01\x66pieces\x82" LIST CERT "\x68sequence\x01" TAIL),
    FUZZ_TEXT(HEAD "\xa3\x64made\x01\x66pieces\x81" CHAIN "\x68sequence\x01" TAIL),
    FUZZ_TEXT(HEAD "\xa4\x64made\x01\x66pieces\x81" LIST "\x68sequence\x01\x6ax-operator\x61z" TAIL),
    FUZZ_TEXT(HEAD "\xa3" TAIL),
    FUZZ_TEXT("atls endorsement bundle v2\0" TAIL TAIL),
};

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}

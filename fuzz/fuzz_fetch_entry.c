/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_fetch_entry.c: atls_entry_read, atls_entry_write, atls_piece_parse, atls_piece_path, atls_piece_read: a file of the
 * fetcher's cache, whose digest is made to be right, as whoever forges one would. What is read is written again byte for
 * byte, a name that is read is spelt the same way again, and no answer is taken for a piece that it is not. */
#include <string.h>

#include "base/text.h"
#include "edge/endorse/entry.h"
#include "fuzz.h"
#include "sim/sim.h"

#define HEAD_LEN ((size_t)40) /* magic and digest */

static atls_crypto *shared_crypto(void)
{
    static atls_crypto *crypto; /* of the process: making one takes longer than an input */
    atls_error err = {0};
    if (crypto == NULL) {
        FUZZ_ASSERT(atls_crypto_new(&crypto, &err));
    }
    return crypto;
}

static void check_piece(const atls_entry *e, const atls_crypto *crypto, atls_arena *a)
{
    atls_piece_id id;
    atls_piece_parts parts;
    atls_error err = {0};
    char again[ATLS_URL_SIZE];
    if (!atls_piece_parse(e->path, &id)) {
        return;
    }
    atls_piece_path(&id, again);
    FUZZ_ASSERT(strcmp(again, e->path) == 0);
    if (atls_piece_read(&id, crypto, &e->answer, a, &parts, &err)) {
        FUZZ_ASSERT(err.code == ATLS_OK);
        FUZZ_ASSERT(parts.content.len > 0 || parts.n_certificates >= 2);
        FUZZ_ASSERT(parts.valid_until <= ATLS_PIECE_FOR_EVER);
    } else {
        FUZZ_ASSERT(err.code == ATLS_E_COLLATERAL_FORMAT || err.code == ATLS_E_LIMIT || err.code == ATLS_E_MEMORY);
    }
}

static void check(uint8_t *file, size_t len, atls_arena *a)
{
    const atls_crypto *crypto = shared_crypto();
    const atls_bytes rest = atls_bytes_of(file + HEAD_LEN, len - HEAD_LEN);
    atls_error err = {0};
    atls_entry e;
    atls_bytes again;
    FUZZ_ASSERT(atls_digest(crypto, ATLS_SHA256, &rest, 1, file + 8, &err));
    if (!atls_entry_read(atls_bytes_of(file, len), crypto, &e, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_COLLATERAL_FORMAT);
        return;
    }
    FUZZ_ASSERT(atls_entry_write(&e, crypto, a, &again, &err));
    FUZZ_ASSERT(atls_bytes_equal(again, atls_bytes_of(file, len)));
    check_piece(&e, crypto, a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static atls_arena a; /* of the process: it is long, and wiped after each input */
    atls_error err = {0};
    if (size < HEAD_LEN || size > FUZZ_MAX_SEED) {
        return 0;
    }
    FUZZ_ASSERT(a.base != NULL || atls_arena_new(&a, (size_t)32 * 1024 * 1024, &err));
    atls_arena_reset(&a);
    uint8_t *copy = atls_arena_raw(&a, size, &err);
    memcpy(copy, data, size);
    memcpy(copy, "atlsend1", 8);
    check(copy, size, &a);
    return 0;
}

/* Answers as the services give them, of a simulated room. */
static bool make_answer(size_t index, atls_arena *a, atls_entry *e)
{
    const sim_options options = {.kind = SIM_TDX_V4};
    atls_error err = {0};
    atls_endorsements c;
    sim *room = NULL;
    FUZZ_ASSERT(sim_new(&options, &room, &err) && sim_collateral(room, a, &c, &err));
    const char *path = NULL;
    e->answer.chain = atls_bytes_empty();
    if (index == 0) {
        path = "/sgx/certification/v4/pckcrl?ca=platform&encoding=der";
        e->answer = (atls_answer){.body = c.dcap.pck_crl, .chain = c.dcap.pck_crl_issuer_chain};
    } else if (index == 1) {
        path = "/sgx/certification/v4/rootcacrl";
        e->answer.body = c.dcap.root_ca_crl;
    } else if (index == 2 || index == 3) {
        atls_buf b;
        atls_buf_init(&b, a, &err);
        atls_buf_str(&b, index == 2 ? "{\"tcbInfo\":" : "{\"enclaveIdentity\":");
        atls_buf_put(&b, index == 2 ? c.dcap.tcb_info : c.dcap.qe_identity);
        atls_buf_str(&b, ",\"signature\":\"");
        atls_buf_put(&b, index == 2 ? c.dcap.tcb_info_signature : c.dcap.qe_identity_signature);
        atls_buf_str(&b, "\"}");
        FUZZ_ASSERT(atls_buf_done(&b, &e->answer.body));
        e->answer.chain = index == 2 ? c.dcap.tcb_info_issuer_chain : c.dcap.qe_identity_issuer_chain;
        path = index == 2 ? "/tdx/certification/v4/tcb?fmspc=50806F5A1BC2"
                          : "/tdx/certification/v4/qe/identity?update=early";
    } else if (index == 4) {
        path = "/vcek/v1/Milan/cert_chain";
        e->answer.body = c.dcap.tcb_info_issuer_chain;
    } else if (index == 5) {
        path = "https://android.googleapis.com/attestation/status";
        e->answer.body = atls_bytes_str("{\"entries\":{}}\n");
    }
    sim_free(room);
    (void)snprintf(e->path, sizeof e->path, "%s", path == NULL ? "" : path);
    return path != NULL;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    atls_arena a;
    atls_error err = {0};
    atls_bytes file;
    atls_entry e = {.fetched = SIM_NOW, .source = "https://pccs.example"};
    size_t len = 0;
    FUZZ_ASSERT(atls_arena_new(&a, (size_t)8 * 1024 * 1024, &err));
    if (make_answer(index, &a, &e)) {
        FUZZ_ASSERT(atls_entry_write(&e, shared_crypto(), &a, &file, &err) && file.len <= cap);
        memcpy(out, file.ptr, file.len);
        len = file.len;
    }
    atls_arena_free(&a);
    return len;
}

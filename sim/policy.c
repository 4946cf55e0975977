/* SPDX-License-Identifier: Apache-2.0 */
/* policy.c: a policy document that accepts the room as it stands, and names its root. */
#include "sim/internal.h"

#include <string.h>

static void put_hex(atls_buf *b, const char *name, const uint8_t *bytes, size_t n)
{
    atls_buf_format(b, "%s\"%s\":", b->ptr[b->len - 1] == '{' ? "" : ",", name);
    sim_doc_hex(b, atls_bytes_of(bytes, n));
}

static void put_root(sim_op *o, const char *kind, atls_buf *b)
{
    uint8_t digest[32];
    sim_sha256(sim_root(o->s), digest);
    atls_buf_format(b, "{\"type\":\"%s\",\"trusted_roots\":[", kind);
    sim_doc_hex(b, atls_bytes_of(digest, sizeof digest));
    atls_buf_str(b, "]");
}

static void put_dstack(sim_op *o, const uint8_t *td, atls_buf *b)
{
    atls_buf_str(b, ",\"expected_bootchain\":{");
    put_hex(b, "mrtd", td + 136, 48);
    put_hex(b, "rtmr0", td + 328, 48);
    put_hex(b, "rtmr1", td + 376, 48);
    put_hex(b, "rtmr2", td + 424, 48);
    atls_buf_str(b, "},\"app_compose\":");
    atls_buf_put(b, o->s->compose);
    put_hex(b, "os_image_hash", o->s->os_image_hash, sizeof o->s->os_image_hash);
}

atls_bytes sim_policy_make(sim_op *o, const char *kind)
{
    static const uint8_t no_data[64] = {0};
    uint8_t body[SIM_TD15_LEN];
    atls_buf b = sim_buf(o);
    bool is_sgx = strcmp(kind, "sgx") == 0;
    if (!is_sgx && strcmp(kind, "tdx") != 0 && strcmp(kind, "dstack_tdx") != 0) {
        (void)atls_fail(&o->err, ATLS_E_USAGE, "kind", "a policy is dstack_tdx, tdx or sgx");
        return atls_bytes_empty();
    }
    put_root(o, kind, &b);
    if (is_sgx) {
        sim_sgx_report(o, no_data, body);
        put_hex(&b, "mrenclave", body + 64, 32);
        put_hex(&b, "mrsigner", body + 128, 32);
    } else {
        sim_td_report(o, no_data, body);
    }
    if (strcmp(kind, "tdx") == 0) {
        put_hex(&b, "mrtd", body + 136, 48);
    }
    if (strcmp(kind, "dstack_tdx") == 0) {
        put_dstack(o, body, &b);
    }
    atls_buf_str(&b, ",\"allowed_tcb_status\":[\"UpToDate\"]}");
    return sim_raw(o, "policy", sim_doc(o, "policy", sim_done(&b)));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* response.c: what /tdx_quote answers (dstack section 1), and the vm_config that comes along unauthenticated. */
#include "sim/internal.h"

#include <string.h>

atls_bytes sim_vm_config(sim_op *o)
{
    atls_buf b = sim_buf(o);
    atls_buf_str(&b, "{\"spec_version\":1,\"os_image_hash\":");
    sim_doc_hex(&b, atls_bytes_of(o->s->os_image_hash, sizeof o->s->os_image_hash));
    atls_buf_str(&b, ",\"cpu_count\":2,\"memory_size\":2147483648}");
    return sim_doc(o, "vm_config", sim_done(&b));
}

static void put_quote_object(sim_op *o, const uint8_t report_data[64], atls_buf *b)
{
    const char *form = sim_get_text(o, "string", "response_form.event_log");
    atls_buf_str(b, "{\"quote\":");
    sim_doc_hex(b, sim_quote_make(o, report_data));
    atls_buf_str(b, ",\"event_log\":");
    if (strcmp(form, "array") == 0) {
        atls_buf_put(b, sim_log_json(o));
    } else {
        sim_doc_string(b, sim_log_json(o));
    }
    atls_buf_str(b, ",\"report_data\":");
    sim_doc_hex(b, atls_bytes_of(report_data, 64));
    atls_buf_str(b, ",\"vm_config\":");
    sim_doc_string(b, sim_vm_config(o));
    atls_buf_str(b, "}");
}

/* response_form=get_quote is what the guest agent answers, without the outer object. */
atls_bytes sim_response_make(sim_op *o, const uint8_t report_data[64])
{
    bool outer = strcmp(sim_get_text(o, "tdx_quote", "response_form"), "get_quote") != 0;
    atls_buf b = sim_buf(o);
    atls_buf_str(&b, outer ? "{\"success\":true,\"quote\":" : "");
    put_quote_object(o, report_data, &b);
    atls_buf_str(&b, outer ? "}" : "");
    return sim_raw(o, "response", sim_doc(o, "response", sim_done(&b)));
}

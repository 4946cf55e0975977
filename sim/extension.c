/* SPDX-License-Identifier: Apache-2.0 */
/* extension.c: the platform, and the SGX extension that tells of it in a PCK certificate (DCAP section 3).
 *
 * pck.<member> sets what the platform is. pck.ext.<entry> spoils how an entry is written: "none" leaves it out, "twice"
 * repeats it, hex replaces the DER of its value. */
#include "sim/internal.h"

#include <stdio.h>
#include <string.h>

#define SGX_OID "1.2.840.113741.1.13.1"

const uint8_t sim_base_comp[16] = {5, 5, 2, 2, 3, 1, 0, 3};

void sim_platform_make(sim_op *o)
{
    sim_platform *p = &o->s->platform;
    const char *ca = sim_get_text(o, "platform", "pck.ca");
    p->ca = strcmp(ca, "processor") == 0 ? "processor_ca" : "platform_ca";
    sim_derive(o, "ppid", p->ppid, sizeof p->ppid);
    sim_derive(o, "instance", p->instance_id, sizeof p->instance_id);
    memcpy(p->comp, sim_base_comp, sizeof p->comp);
    memcpy(p->fmspc, "\x50\x80\x6f\x5a\x1b\xc2", sizeof p->fmspc);
    sim_get_fixed(o, p->ppid, sizeof p->ppid, "pck.ppid");
    sim_get_fixed(o, p->comp, sizeof p->comp, "pck.comp");
    memcpy(p->cpusvn, p->comp, sizeof p->cpusvn);
    sim_get_fixed(o, p->cpusvn, sizeof p->cpusvn, "pck.cpusvn");
    p->pcesvn = (uint16_t)sim_get_uint(o, SIM_BASE_PCESVN, "pck.pcesvn");
    sim_get_fixed(o, p->pceid, sizeof p->pceid, "pck.pceid");
    sim_get_fixed(o, p->fmspc, sizeof p->fmspc, "pck.fmspc");
    sim_get_fixed(o, p->instance_id, sizeof p->instance_id, "pck.instance_id");
}

/* One entry: the OID under the SGX extension's, and the DER of its value. */
static void put_entry(sim_op *o, atls_buf *b, const char *name, const char *arcs, atls_bytes value)
{
    char oid[64];
    const char *how = sim_get_text(o, "", "pck.ext.%s", name);
    size_t times = strcmp(how, "none") == 0 ? 0 : strcmp(how, "twice") == 0 ? 2 : 1;
    if (times == 1 && how[0] != '\0') {
        (void)sim_get_bytes(o, &value, "pck.ext.%s", name);
    }
    (void)snprintf(oid, sizeof oid, SGX_OID ".%s", arcs);
    for (size_t i = 0; i < times; i++) {
        size_t pair = sim_der_open(b, SIM_DER_SEQUENCE);
        sim_der_oid(b, oid);
        atls_buf_put(b, value);
        sim_der_close(b, pair);
    }
}

static void put_octets(sim_op *o, atls_buf *b, const char *name, const char *arcs, const uint8_t *bytes, size_t n)
{
    atls_buf value = sim_buf(o);
    sim_der_put(&value, SIM_DER_OCTET_STRING, atls_bytes_of(bytes, n));
    put_entry(o, b, name, arcs, sim_done(&value));
}

static void put_number(sim_op *o, atls_buf *b, const char *name, const char *arcs, unsigned tag, uint64_t v)
{
    atls_buf value = sim_buf(o);
    sim_der_uint(&value, tag, v);
    put_entry(o, b, name, arcs, sim_done(&value));
}

static void put_bool(sim_op *o, atls_buf *b, const char *name, const char *arcs, bool def)
{
    atls_buf value = sim_buf(o);
    sim_der_bool(&value, sim_get_uint(o, def ? 1 : 0, "pck.%s", name) != 0);
    put_entry(o, b, name, arcs, sim_done(&value));
}

static void put_tcb(sim_op *o, atls_buf *b)
{
    const sim_platform *p = &o->s->platform;
    atls_buf value = sim_buf(o);
    size_t list = sim_der_open(&value, SIM_DER_SEQUENCE);
    for (unsigned i = 1; i <= 16; i++) {
        char name[16];
        char arcs[16];
        (void)snprintf(name, sizeof name, "comp%02u", i);
        (void)snprintf(arcs, sizeof arcs, "2.%u", i);
        put_number(o, &value, name, arcs, SIM_DER_INTEGER, p->comp[i - 1]);
    }
    put_number(o, &value, "pcesvn", "2.17", SIM_DER_INTEGER, p->pcesvn);
    put_octets(o, &value, "cpusvn", "2.18", p->cpusvn, sizeof p->cpusvn);
    sim_der_close(&value, list);
    put_entry(o, b, "tcb", "2", sim_done(&value));
}

static void put_configuration(sim_op *o, atls_buf *b)
{
    atls_buf value = sim_buf(o);
    size_t list = sim_der_open(&value, SIM_DER_SEQUENCE);
    put_bool(o, &value, "dynamic_platform", "7.1", true);
    put_bool(o, &value, "cached_keys", "7.2", false);
    put_bool(o, &value, "smt_enabled", "7.3", true);
    sim_der_close(&value, list);
    put_entry(o, b, "configuration", "7", sim_done(&value));
}

/* The sibling is another platform: its PPID differs. */
static atls_bytes make_entries(sim_op *o, const char *id)
{
    const sim_platform *p = &o->s->platform;
    uint8_t ppid[16];
    memcpy(ppid, p->ppid, sizeof ppid);
    ppid[0] ^= strcmp(id, "sibling") == 0 ? 0xff : 0x00;
    atls_buf b = sim_buf(o);
    size_t list = sim_der_open(&b, SIM_DER_SEQUENCE);
    bool platform = strcmp(p->ca, "platform_ca") == 0;
    put_octets(o, &b, "ppid", "1", ppid, sizeof ppid);
    put_tcb(o, &b);
    put_octets(o, &b, "pceid", "3", p->pceid, sizeof p->pceid);
    put_octets(o, &b, "fmspc", "4", p->fmspc, sizeof p->fmspc);
    put_number(o, &b, "type", "5", SIM_DER_ENUMERATED, sim_get_uint(o, platform ? 1 : 0, "pck.type"));
    if (platform) {
        put_octets(o, &b, "instance_id", "6", p->instance_id, sizeof p->instance_id);
        put_configuration(o, &b);
    }
    sim_der_close(&b, list);
    return sim_done(&b);
}

/* pck.ext is none, twice, or truncated: all of the extension. */
void sim_sgx_extension_put(sim_op *o, const char *id, atls_buf *b)
{
    const char *how = sim_get_text(o, "", "pck.ext");
    atls_bytes value = make_entries(o, id);
    if (strcmp(how, "none") == 0) {
        return;
    }
    if (strcmp(how, "truncated") == 0 && value.len > 0) {
        value.len--;
    }
    sim_ext_put(b, SGX_OID, false, value);
    if (strcmp(how, "twice") == 0) {
        sim_ext_put(b, SGX_OID, false, value);
    }
}

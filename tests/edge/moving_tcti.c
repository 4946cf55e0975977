/* SPDX-License-Identifier: Apache-2.0 */
/* moving_tcti.c: a TCTI, loaded by its path, in front of another one: "COUNT,conf of the inner one". The first COUNT times
 * that a quote is asked for it extends PCR 5 first, as any other program on the machine may. */
#include <stdlib.h>
#include <string.h>

#include <tss2/tss2_tctildr.h>

#define QUOTE 0x158u

typedef struct moving {
    TSS2_TCTI_CONTEXT_COMMON_V1 common;
    TSS2_TCTI_CONTEXT *inner;
    long count;
    char *conf;
} moving;

const TSS2_TCTI_INFO *Tss2_Tcti_Info(void);

static moving *of(TSS2_TCTI_CONTEXT *c)
{
    return (moving *)c;
}

static TSS2_RC extend(moving *m)
{
    static const uint8_t head[] = {0x80, 0x02, 0, 0, 0,    65,  0, 0, 1, 0x82, 0, 0, 0, 5, /* PCR_Extend, PCR 5 */
                                   0,    0,    0, 9, 0x40, 0,   0, 9, 0, 0,    0, 0, 0,    /* empty password */
                                   0,    0,    0, 1, 0,    0x0b};                          /* one digest, SHA-256 */
    uint8_t command[sizeof head + 32], response[256];
    size_t len = sizeof response;
    memcpy(command, head, sizeof head);
    memset(command + sizeof head, 0x77, 32);
    const TSS2_RC rc = Tss2_Tcti_Transmit(m->inner, sizeof command, command);
    return rc != TSS2_RC_SUCCESS ? rc : Tss2_Tcti_Receive(m->inner, &len, response, TSS2_TCTI_TIMEOUT_BLOCK);
}

static TSS2_RC transmit(TSS2_TCTI_CONTEXT *c, size_t size, const uint8_t *command)
{
    moving *m = of(c);
    const uint32_t code = size < 10 ? 0 : (uint32_t)command[8] << 8 | command[9];
    if (code == QUOTE && m->count > 0) {
        m->count--;
        const TSS2_RC rc = extend(m);
        if (rc != TSS2_RC_SUCCESS) {
            return rc;
        }
    }
    return Tss2_Tcti_Transmit(m->inner, size, command);
}

static TSS2_RC receive(TSS2_TCTI_CONTEXT *c, size_t *size, uint8_t *response, int32_t timeout)
{
    return Tss2_Tcti_Receive(of(c)->inner, size, response, timeout);
}

static void finalize(TSS2_TCTI_CONTEXT *c)
{
    Tss2_TctiLdr_Finalize(&of(c)->inner);
    free(of(c)->conf);
    of(c)->conf = NULL;
}

static TSS2_RC cancel(TSS2_TCTI_CONTEXT *c)
{
    return Tss2_Tcti_Cancel(of(c)->inner);
}

static TSS2_RC locality(TSS2_TCTI_CONTEXT *c, uint8_t where)
{
    return Tss2_Tcti_SetLocality(of(c)->inner, where);
}

static TSS2_RC initialize(TSS2_TCTI_CONTEXT *c, size_t *size, const char *conf)
{
    char *rest = NULL;
    if (c == NULL) {
        *size = sizeof(moving);
        return TSS2_RC_SUCCESS;
    }
    moving *m = of(c);
    memset(m, 0, sizeof *m);
    m->count = strtol(conf, &rest, 10);
    TSS2_TCTI_MAGIC(c) = 0x6d6f76696e67u;
    TSS2_TCTI_VERSION(c) = 1;
    TSS2_TCTI_TRANSMIT(c) = transmit;
    TSS2_TCTI_RECEIVE(c) = receive;
    TSS2_TCTI_FINALIZE(c) = finalize;
    TSS2_TCTI_CANCEL(c) = cancel;
    TSS2_TCTI_SET_LOCALITY(c) = locality;
    return Tss2_TctiLdr_Initialize(rest + 1, &m->inner);
}

const TSS2_TCTI_INFO *Tss2_Tcti_Info(void)
{
    static const TSS2_TCTI_INFO info = {
        .version = 1,
        .name = "moving",
        .description = "extends a PCR before a quote",
        .config_help = "COUNT,conf",
        .init = initialize,
    };
    return &info;
}

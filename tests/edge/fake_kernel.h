/* SPDX-License-Identifier: Apache-2.0 */
/* fake_kernel.h: configfs-tsm and /dev/sev-guest as Linux has them, linked in place of edge/attester/system.c.
 *
 * configfs-tsm after drivers/virt/coco and fs/configfs: an entry appears with all its attributes; a binary attribute
 * reaches the driver when its file is closed, and nobody is told what the driver said; every write that is taken counts
 * `generation` up; a report is made by the first read of outblob after a write, and kept until the next one; rmdir takes
 * an entry with its attributes. What is not below `folder` or `device` is the real file system's. */
#ifndef ATLS_TESTS_EDGE_FAKE_KERNEL_H
#define ATLS_TESTS_EDGE_FAKE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KERNEL_FOLDER "/kernel/report"
#define KERNEL_DEVICE "/kernel/sev-guest"

#define KERNEL_MAX_BLOB (80u * 1024)

/* Where a failure is put: the n-th time (1, 2 ...) that `call` is made for `name` gives `reason`. */
typedef struct kernel_failure {
    const char *call; /* "mkdir", "open", "read", "write"; NULL: no failure */
    const char *name; /* an attribute's name; "" for mkdir */
    unsigned first;
    unsigned last; /* 0: first only */
    int reason;
} kernel_failure;

/* What an ioctl answers. */
typedef struct kernel_answer {
    int reason; /* 0: a report */
    uint32_t fw_error, vmm_error;
    uint32_t certs_len; /* with INVALID_LEN: what the host wants */
} kernel_answer;

typedef struct fake_kernel {
    /* the script */
    const char *provider; /* NULL: "tdx_guest" */
    int privlevel_floor;  /* -1: the provider has no levels */
    bool no_auxblob;
    uint8_t table[KERNEL_MAX_BLOB]; /* auxblob, and what the host of the ioctl gives */
    size_t table_len;
    size_t outblob_len; /* of TDX and of strange reports; 0: as long as it is */
    bool empty_outblob;
    bool other_data;          /* the report is over something else */
    unsigned interfere;       /* so many times: somebody writes inblob between our write and our read */
    unsigned interfere_after; /* so many times: the same while auxblob or outblob is read */
    unsigned full;            /* so many times: inblob is not taken, as if nobody had read for 2^64 writes */
    unsigned steps_short;     /* reads give at most so many bytes; 0: as many as fit */
    unsigned names_taken;     /* so many of the first names are there already */
    kernel_failure failures[3];
    kernel_answer answers[12]; /* of the ioctl, one after another; the last one is repeated */
    unsigned n_answers;        /* 0: every call gives a report */
    uint32_t status;           /* of the firmware's message */
    uint32_t report_size;      /* 0: 1184 */
    /* what happened */
    unsigned n_mkdir, n_rmdir, n_entries, n_open, n_ioctl, n_ext, n_reports;
    uint32_t privlevel; /* of the last report */
    uint32_t certs_len; /* of the last extended request */
    unsigned long generation;
    bool broken; /* somebody called what no kernel would take: the test fails */
} fake_kernel;

/* kernel_boot starts the only kernel anew. */
void kernel_boot(const fake_kernel *script);
const fake_kernel *kernel_state(void);

/* kernel_report is what the kernel gives for SEV-SNP over data. */
void kernel_report(const uint8_t data[64], uint32_t vmpl, uint8_t out[1184]);

#endif

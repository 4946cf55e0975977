/* SPDX-License-Identifier: Apache-2.0 */
/* documents.h: pieces of which the tests put policies together. */
#ifndef ATLS_TESTS_VERIFY_DOCUMENTS_H
#define ATLS_TESTS_VERIFY_DOCUMENTS_H

#define A8      "aaaaaaaa"
#define A16     A8 A8
#define A24     A16 A8
#define A32     A16 A16
#define A40     A32 A8
#define A64     A32 A32
#define A96     A64 A32
#define A128    A64 A64
#define B16     "bbbbbbbbbbbbbbbb"
#define B96     B16 B16 B16 B16 B16 B16
#define UPPER16 "AAAAAAAAAAAAAAAA"
#define UPPER96 UPPER16 UPPER16 UPPER16 UPPER16 UPPER16 UPPER16

#define BOOT                                                                                                           \
    "\"expected_bootchain\":{\"mrtd\":\"" A96 "\",\"rtmr0\":\"" A96 "\",\"rtmr1\":\"" A96 "\",\"rtmr2\":\"" A96 "\"}"
#define COMPOSE      "\"app_compose\":{\"manifest_version\":2,\"name\":\"app\"}"
#define IMAGE        "\"os_image_hash\":\"" A64 "\""
#define RUNTIME      BOOT "," COMPOSE "," IMAGE
#define DSTACK(more) "{\"type\":\"dstack_tdx\"," RUNTIME more "}"
#define DEV(more)    "{\"type\":\"dstack_tdx\",\"disable_runtime_verification\":true" more "}"
#define TDX(more)    "{\"type\":\"tdx\"" more "}"
#define SGX(more)    "{\"type\":\"sgx\"" more "}"
/* Intel's root as everybody may know it: SHA-256 of its DER */
#define INTEL_ROOT "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3"

#endif

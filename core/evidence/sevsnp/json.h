/* SPDX-License-Identifier: Apache-2.0 */
/* json.h: what claims_json.c and inspect.c write alike. Inside this room only. */
#ifndef ATLS_EVIDENCE_SEVSNP_JSON_H
#define ATLS_EVIDENCE_SEVSNP_JSON_H

#include "base/json.h"
#include "proof.h"

/* sevsnp_put_report writes the members of a report. With a product, TCBs by their parts; else as raw bytes. */
void sevsnp_put_report(atls_jw *w, const atls_snp_report *r, atls_snp_product product);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* atls.h: everything at once. */
#ifndef ATLS_H
#define ATLS_H

#include "arena.h"
#include "attester.h"
#include "bundle.h"
#include "bytes.h"
#include "endorse.h"
#include "error.h"
#include "fetch.h"
#include "forecast.h"
#include "hooks.h"
#include "phone_proof.h"
#include "policy.h"
#include "record.h"
#include "result.h"
#include "source_limit.h"
#include "time.h"
#include "tls.h"
#include "verifier.h"

#define ATLS_VERSION "0.1.0"

#endif

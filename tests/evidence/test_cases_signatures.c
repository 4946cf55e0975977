/* SPDX-License-Identifier: Apache-2.0 */
/* test_cases_signatures.c: cases B: what is signed cannot be changed, and what signs cannot be replaced. DCAP section
 * 6, steps 5, 6, 12, 13, 15. */
#include "base/text.h"
#include "cases.h"

#include <string.h>

#define SGX SIM_SGX_V3
#define V4  SIM_TDX_V4
#define V5  SIM_TDX_V5

/* clang-format off */
static const sim_case table[] = {
    /* quote signature */
    {"quote-sig-bit", V4, {"quote.sig=bit"}, REFUSED(QUOTE_SIGNATURE, "quote.auth.signature")},
    {"quote-sig-zero", V4, {"quote.sig=zero"}, REFUSED(QUOTE_SIGNATURE, "quote.auth.signature")},
    {"quote-sig-r1-s1", V4, {"quote.sig=r1s1"}, REFUSED(QUOTE_SIGNATURE, "quote.auth.signature")},
    {"quote-sig-r=n", V4, {"quote.sig=rn"}, REFUSED(QUOTE_SIGNATURE, "quote.auth.signature")},
    {"quote-sig-s=0", V4, {"quote.sig=s0"}, REFUSED(QUOTE_SIGNATURE, "quote.auth.signature")},
    {"quote-sig-high-s", V4, {"quote.sig=highs"}, STATUS("UpToDate")},
    {"header-user-data", V4, {"raw.quote@28^=01"}, REFUSED(QUOTE_SIGNATURE, "quote.auth.signature")},
    {"v5-body-descriptor-is-signed", V5, {"quote.sig=bit"}, REFUSED(QUOTE_SIGNATURE, "quote.auth.signature")},
    /* QE report */
    {"qe-sig-zero", V4, {"qe.sig=zero"}, REFUSED(QE_REPORT_SIGNATURE, "quote.auth.qe_report_signature")},
    {"qe-sig-bit", V4, {"qe.sig=bit"}, REFUSED(QE_REPORT_SIGNATURE, "quote.auth.qe_report_signature")},
    {"qe-sig-high-s", V4, {"qe.sig=highs"}, STATUS("UpToDate")},
    {"qe-sig-by-other-pck", V4, {"qe.signed_by=sibling"},
     REFUSED(QE_REPORT_SIGNATURE, "quote.auth.qe_report_signature")},
    {"qe-hash-zero", V4, {"qe.hash=zero"}, REFUSED(QE_REPORT_DATA, "quote.auth.qe_report.reportdata")},
    {"qe-hash-other-key", V4, {"qe.hash=other"}, REFUSED(QE_REPORT_DATA, "quote.auth.qe_report.reportdata")},
    {"qe-hash-upper-half", V4, {"qe.hash=upper"}, REFUSED(QE_REPORT_DATA, "quote.auth.qe_report.reportdata")},
    /* TCB info */
    {"tcb-sig-zero", V4, {"tcb_info.sig=zero"}, REFUSED(TCB_INFO_SIGNATURE, "tcb_info_signature")},
    {"tcb-sig-bit", V4, {"tcb_info.sig=bit"}, REFUSED(TCB_INFO_SIGNATURE, "tcb_info_signature")},
    {"tcb-sig-127-hex", V4, {"raw.tcb_info_signature@127-=1"}, REFUSED(COLLATERAL_FORMAT, "tcb_info_signature")},
    {"tcb-sig-130-hex", V4, {"raw.tcb_info_signature@128+=3030"}, REFUSED(COLLATERAL_FORMAT, "tcb_info_signature")},
    {"tcb-sig-nonhex", V4, {"raw.tcb_info_signature@0=67"}, REFUSED(COLLATERAL_FORMAT, "tcb_info_signature")},
    {"tcb-sig-upper-hex", V4, {"tcb_info.sig=upper"}, STATUS("UpToDate")},
    {"tcb-sig-high-s", V4, {"tcb_info.sig=highs"}, STATUS("UpToDate")},
    {"tcb-sig-der", V4, {"tcb_info.sig=der"}, REFUSED(COLLATERAL_FORMAT, "tcb_info_signature")},
    {"tcb-space", V4, {"raw.tcb_info~,=, "}, REFUSED(TCB_INFO_SIGNATURE, "tcb_info_signature")},
    {"tcb-member-reorder", V4, {"raw.tcb_info~\"id\":\"TDX\",\"version\":3=\"version\":3,\"id\":\"TDX\""},
     REFUSED(TCB_INFO_SIGNATURE, "tcb_info_signature")},
    {"tcb-number-respelled", V4, {"raw.tcb_info~DataNumber\":17=DataNumber\":1.7e1"},
     REFUSED(TCB_INFO_SIGNATURE, "tcb_info_signature")},
    /* QE identity */
    {"qeid-sig-zero", V4, {"qe_identity.sig=zero"}, REFUSED(QE_IDENTITY_SIGNATURE, "qe_identity_signature")},
    {"qeid-sig-bit", V4, {"qe_identity.sig=bit"}, REFUSED(QE_IDENTITY_SIGNATURE, "qe_identity_signature")},
    {"qeid-sig-127-hex", V4, {"raw.qe_identity_signature@127-=1"}, REFUSED(COLLATERAL_FORMAT, "qe_identity_signature")},
    {"qeid-sig-130-hex", V4, {"raw.qe_identity_signature@128+=3030"},
     REFUSED(COLLATERAL_FORMAT, "qe_identity_signature")},
    {"qeid-sig-nonhex", V4, {"raw.qe_identity_signature@0=67"}, REFUSED(COLLATERAL_FORMAT, "qe_identity_signature")},
    {"qeid-sig-upper-hex", V4, {"qe_identity.sig=upper"}, STATUS("UpToDate")},
    {"qeid-sig-high-s", V4, {"qe_identity.sig=highs"}, STATUS("UpToDate")},
    {"qeid-sig-der", V4, {"qe_identity.sig=der"}, REFUSED(COLLATERAL_FORMAT, "qe_identity_signature")},
    {"qeid-space", V4, {"raw.qe_identity~,=, "}, REFUSED(QE_IDENTITY_SIGNATURE, "qe_identity_signature")},
    {"qeid-member-reorder", V4, {"raw.qe_identity~\"id\":\"TD_QE\",\"version\":2=\"version\":2,\"id\":\"TD_QE\""},
     REFUSED(QE_IDENTITY_SIGNATURE, "qe_identity_signature")},
    {"qeid-number-respelled", V4, {"raw.qe_identity~DataNumber\":17=DataNumber\":1.7e1"},
     REFUSED(QE_IDENTITY_SIGNATURE, "qe_identity_signature")},
};
/* clang-format on */

/* ---- every 16th byte of the body ---- */

typedef struct flip {
    char name[48];
    char setting[48];
    sim_case c;
} flip;

enum { SGX_FLIPS = 384 / 16, TD10_FLIPS = 584 / 16 + 1, TD15_FLIPS = 648 / 16 + 1 };

/* In a TD report, MRSIGNERSEAM and SEAMATTRIBUTES (64 to 120) are looked at in step 11, before the signature. The body
 * stands at 48, in version 5 at 54. */
static void add_flips(tap_list *l, flip *f, size_t n, sim_kind kind, const char *what)
{
    const size_t body = kind == V5 ? 54 : 48;
    for (size_t i = 0; i < n; i++) {
        const size_t at = 16 * i;
        const bool seam = kind != SGX && at >= 64 && at < 120;
        (void)snprintf(f[i].name, sizeof f[i].name, "body-byte-%s-%zu", what, at);
        (void)snprintf(f[i].setting, sizeof f[i].setting, "raw.quote@%zu^=01", body + at);
        f[i].c = (sim_case){.name = f[i].name, .kind = kind, .settings = {f[i].setting}};
        f[i].c.code = seam ? ATLS_E_TDX_MODULE_MISMATCH : ATLS_E_QUOTE_SIGNATURE;
        f[i].c.field = !seam      ? "quote.auth.signature"
                       : at < 112 ? "quote.body.mrsignerseam"
                                  : "quote.body.seamattributes";
        tap_add(l, f[i].name, case_test, &f[i].c);
    }
}

/* tcb-outer-space, qeid-outer-space: white space between the members around the signed object is nobody's business. */
static void outer_space(void **state)
{
    (void)state;
    appraised a;
    atls_bytes bundle;
    atls_buf spaced;
    appraised_open(&a, V4, NULL, NULL);
    assert_true(atls_endorsements_to_bundle(&a.endorsements, &a.arena, &bundle, &a.err));
    atls_buf_init(&spaced, &a.arena, &a.err);
    for (size_t i = 0; i < bundle.len; i++) {
        const bool between = i + 1 < bundle.len && bundle.ptr[i] == ',' && bundle.ptr[i + 1] == '"'
                             && bundle.ptr[i - 1] == '"' && bundle.ptr[i - 2] != '\\';
        atls_buf_put(&spaced, atls_bytes_of(bundle.ptr + i, 1));
        atls_buf_str(&spaced, between ? " \r\n\t" : "");
    }
    assert_true(atls_buf_done(&spaced, &bundle));
    assert_true(atls_endorsements_from_bundle(bundle, &a.arena, &a.endorsements, &a.err));
    a.endorsements.platform = ATLS_PLATFORM_TDX;
    appraised_run(&a);
    assert_true(a.accepted);
    appraised_close(&a);
}

int main(void)
{
    static flip sgx[SGX_FLIPS];
    static flip td10[TD10_FLIPS];
    static flip td15[TD15_FLIPS];
    tap_list l = {0};
    cases_add(&l, table, sizeof table / sizeof table[0]);
    add_flips(&l, sgx, SGX_FLIPS, SGX, "sgx");
    add_flips(&l, td10, TD10_FLIPS, V4, "td10");
    add_flips(&l, td15, TD15_FLIPS, V5, "td15");
    tap_add(&l, "tcb-outer-space", outer_space, NULL);
    tap_add(&l, "qeid-outer-space", outer_space, NULL);
    return tap_run("cases B: signatures", &l);
}

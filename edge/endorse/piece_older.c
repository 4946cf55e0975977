/* SPDX-License-Identifier: Apache-2.0 */
/* piece_older.c: of two answers to one question, which is the step back.
 *
 * Whoever answers cannot forge, but can choose: an old TCB info, well signed and in date, hides that a platform is out of date,
 * and an old list that a certificate is revoked. The order is that of stapled endorsements (core/evidence/dcap/newer.c). */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "evidence/dcap/dcap.h"
#include "piece.h"

/* For people: what it is called, without the time of the day. */
static void tell(char why[static ATLS_PIECE_WHY], const char *number, atls_time date, const char *than_number,
                 atls_time than_date)
{
    char x[ATLS_TIME_TEXT_SIZE];
    char y[ATLS_TIME_TEXT_SIZE];
    atls_time_format(date, x);
    atls_time_format(than_date, y);
    (void)snprintf(why, ATLS_PIECE_WHY, "%.12s of %.10s, behind %.12s of %.10s at hand", number, x, than_number, y);
}

static bool compare_documents(bool is_tcb, const atls_piece_parts *p, const atls_piece_parts *than, atls_arena *a,
                              bool *older, char why[static ATLS_PIECE_WHY], atls_error *err)
{
    dcap_age x;
    dcap_age y;
    char number[16];
    char than_number[16];
    if (is_tcb
            ? !dcap_age_of_tcb_info(p->content, a, &x, err) || !dcap_age_of_tcb_info(than->content, a, &y, err)
            : !dcap_age_of_qe_identity(p->content, a, &x, err) || !dcap_age_of_qe_identity(than->content, a, &y, err)) {
        return false;
    }
    *older = dcap_age_is_older(&x, &y);
    (void)snprintf(number, sizeof number, "%u", (unsigned)x.number);
    (void)snprintf(than_number, sizeof than_number, "%u", (unsigned)y.number);
    tell(why, number, x.issued, than_number, y.issued);
    return true;
}

/* A list of another key, or about other certificates, is counted by itself. */
static bool is_of_one_sort(const atls_crl *x, const atls_crl *y)
{
    return atls_bytes_equal(x->authority_key_id, y->authority_key_id) && x->scope.present == y->scope.present
           && x->scope.users_only == y->scope.users_only && x->scope.cas_only == y->scope.cas_only
           && atls_bytes_equal(x->scope.names, y->scope.names);
}

static void number_of(const atls_crl *crl, char out[static 16])
{
    char hex[41] = "";
    if (crl->crl_number.len <= 20) {
        atls_hex_encode(crl->crl_number, hex);
    }
    (void)snprintf(out, 16, "0x%.10s", hex);
}

static void compare_lists(const atls_piece_parts *p, const atls_piece_parts *than, bool *older,
                          char why[static ATLS_PIECE_WHY])
{
    atls_error ignored = {.code = ATLS_OK};
    atls_crl x;
    atls_crl y;
    char number[16];
    char than_number[16];
    if (!atls_crl_decode(p->content, "crl", &x, &ignored) || !atls_crl_decode(than->content, "crl", &y, &ignored)) {
        return;
    }
    *older = is_of_one_sort(&x, &y) && atls_crl_is_older(&x, &y);
    number_of(&x, number);
    number_of(&y, than_number);
    tell(why, number, x.this_update, than_number, y.this_update);
}

bool atls_piece_is_older(atls_fetched_kind kind, const atls_piece_parts *p, const atls_piece_parts *than, atls_arena *a,
                         bool *older, char why[static ATLS_PIECE_WHY], atls_error *err)
{
    *older = false;
    why[0] = '\0';
    switch (kind) {
    case ATLS_FETCHED_TCB_INFO:
    case ATLS_FETCHED_QE_IDENTITY:
        return compare_documents(kind == ATLS_FETCHED_TCB_INFO, p, than, a, older, why, err);
    case ATLS_FETCHED_PCK_CRL:
    case ATLS_FETCHED_ROOT_CA_CRL:
    case ATLS_FETCHED_SNP_CRL:
        compare_lists(p, than, older, why);
        return true;
    default: /* certificates and documents of nobody's that count nothing */
        return true;
    }
}

bool atls_piece_is_chainless(atls_fetched_kind kind, const atls_piece_parts *p)
{
    return p->chain.len == 0
           && (kind == ATLS_FETCHED_PCK_CRL || kind == ATLS_FETCHED_ROOT_CA_CRL || kind == ATLS_FETCHED_SNP_CRL);
}

bool atls_piece_list_is_of(const atls_crypto *crypto, const atls_piece_parts *list, const atls_piece_parts *other,
                           atls_arena *arena)
{
    atls_error ignored = {.code = ATLS_OK};
    atls_bytes ders[ATLS_PIECE_CERTS];
    size_t n = other->n_certificates;
    atls_crl crl;
    atls_cert root;
    atls_key *key = NULL;
    memcpy(ders, other->certificates, sizeof ders);
    if (n == 0
        && (other->chain.len == 0
            || !atls_pem_certificates(other->chain, true, ATLS_E_COLLATERAL_FORMAT, "chain", arena, ders,
                                      ATLS_PIECE_CERTS, &n, &ignored))) {
        return false;
    }
    const bool ok = n > 0 && atls_crl_decode(list->content, "crl", &crl, &ignored)
                    && atls_cert_decode(ders[n - 1], "root", &root, &ignored)
                    && atls_bytes_equal(root.subject, crl.issuer)
                    && atls_key_open(crypto, &root.key, ATLS_E_CRL, "crl", &key, &ignored)
                    && atls_crl_verify(crypto, &crl, &root, key, crl.this_update, "crl", &ignored);
    atls_key_close(key);
    return ok;
}

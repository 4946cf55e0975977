/* SPDX-License-Identifier: Apache-2.0 */
/* piece_path.c: pieces and their names. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "evidence/sevsnp/sevsnp.h"
#include "piece.h"

#define V4 "/certification/v4/"

static const struct {
    const char *name;
    const char *field;
} words[] = {
    [0] = {"piece", "endorsements"},
    [ATLS_FETCHED_TCB_INFO] = {"tcb_info", "endorsements.tcb_info"},
    [ATLS_FETCHED_QE_IDENTITY] = {"qe_identity", "endorsements.qe_identity"},
    [ATLS_FETCHED_PCK_CRL] = {"pck_crl", "endorsements.pck_crl"},
    [ATLS_FETCHED_ROOT_CA_CRL] = {"root_ca_crl", "endorsements.root_ca_crl"},
    [ATLS_FETCHED_SNP_LEAF] = {"vcek", "endorsements.vcek"},
    [ATLS_FETCHED_SNP_CHAIN] = {"cert_chain", "endorsements.cert_chain"},
    [ATLS_FETCHED_SNP_CRL] = {"crl", "endorsements.crl"},
    [ATLS_FETCHED_DOCUMENT] = {"document", "document"},
};

static size_t word_of(atls_fetched_kind kind)
{
    return (size_t)kind < sizeof words / sizeof words[0] ? (size_t)kind : 0;
}

const char *atls_piece_name(atls_fetched_kind kind)
{
    return words[word_of(kind)].name;
}

const char *atls_piece_field(atls_fetched_kind kind)
{
    return words[word_of(kind)].field;
}

bool atls_piece_is_dcap(atls_fetched_kind kind)
{
    return kind >= ATLS_FETCHED_TCB_INFO && kind <= ATLS_FETCHED_ROOT_CA_CRL;
}

bool atls_piece_is_snp(atls_fetched_kind kind)
{
    return kind >= ATLS_FETCHED_SNP_LEAF && kind <= ATLS_FETCHED_SNP_CRL;
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

static const char *tee(bool is_tdx)
{
    return is_tdx ? "tdx" : "sgx";
}

static const char *update_text(atls_update update)
{
    return update == ATLS_UPDATE_EARLY ? "update=early" : update == ATLS_UPDATE_STANDARD ? "update=standard" : "";
}

static void write_intel(const atls_piece_id *id, char out[static ATLS_URL_SIZE])
{
    const char *update = update_text(id->update);
    const uint8_t *f = id->fmspc;
    switch (id->kind) {
    case ATLS_FETCHED_TCB_INFO:
        (void)snprintf(out, ATLS_URL_SIZE, "/%s" V4 "tcb?fmspc=%02X%02X%02X%02X%02X%02X%s%s", tee(id->is_tdx), f[0],
                       f[1], f[2], f[3], f[4], f[5], update[0] == '\0' ? "" : "&", update);
        return;
    case ATLS_FETCHED_QE_IDENTITY:
        (void)snprintf(out, ATLS_URL_SIZE, "/%s" V4 "qe/identity%s%s", tee(id->is_tdx), update[0] == '\0' ? "" : "?",
                       update);
        return;
    case ATLS_FETCHED_PCK_CRL: /* lists are under /sgx/ for both */
        (void)snprintf(out, ATLS_URL_SIZE, "/sgx" V4 "pckcrl?ca=%s&encoding=der",
                       id->is_platform_ca ? "platform" : "processor");
        return;
    default:
        (void)snprintf(out, ATLS_URL_SIZE, "/sgx" V4 "rootcacrl");
    }
}

void atls_piece_path(const atls_piece_id *id, char out[static ATLS_URL_SIZE])
{
    switch (id->kind) {
    case ATLS_FETCHED_SNP_LEAF:
        (void)snprintf(out, ATLS_URL_SIZE, "/vcek/v1/%s/%s?%s", id->product, id->chip_id, id->tcb);
        return;
    case ATLS_FETCHED_SNP_CHAIN:
    case ATLS_FETCHED_SNP_CRL:
        (void)snprintf(out, ATLS_URL_SIZE, "/%s/v1/%s/%s", id->is_vlek ? "vlek" : "vcek", id->product,
                       id->kind == ATLS_FETCHED_SNP_CHAIN ? "cert_chain" : "crl");
        return;
    case ATLS_FETCHED_DOCUMENT:
        (void)snprintf(out, ATLS_URL_SIZE, "%s", id->url);
        return;
    default:
        write_intel(id, out);
    }
}

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

static bool eat(const char **text, const char *literal)
{
    const size_t n = strlen(literal);
    const bool is = strncmp(*text, literal, n) == 0;
    *text += is ? n : 0;
    return is;
}

/* Everything up to `stop`, which goes too, or up to the end. */
static bool eat_word(const char **text, char stop, char *out, size_t size)
{
    const char *end = stop == '\0' ? *text + strlen(*text) : strchr(*text, stop);
    if (end == NULL || (size_t)(end - *text) >= size) {
        return false;
    }
    (void)snprintf(out, size, "%.*s", (int)(end - *text), *text);
    *text = stop == '\0' ? end : end + 1;
    return true;
}

static void eat_update(const char **text, atls_update *out)
{
    *out = eat(text, "update=early")      ? ATLS_UPDATE_EARLY
           : eat(text, "update=standard") ? ATLS_UPDATE_STANDARD
                                          : ATLS_UPDATE_NONE;
}

static bool parse_intel(const char *text, atls_piece_id *out)
{
    out->is_tdx = text[1] == 't';
    if (!eat(&text, out->is_tdx ? "/tdx" V4 : "/sgx" V4)) {
        return false;
    }
    if (eat(&text, "tcb?fmspc=")) {
        out->kind = ATLS_FETCHED_TCB_INFO;
        if (strlen(text) < 12 || !atls_hex_fixed(atls_bytes_of(text, 12), out->fmspc, sizeof out->fmspc)) {
            return false;
        }
        text += 12;
        if (eat(&text, "&")) {
            eat_update(&text, &out->update);
        }
        return true;
    }
    if (eat(&text, "qe/identity")) {
        out->kind = ATLS_FETCHED_QE_IDENTITY;
        if (eat(&text, "?")) {
            eat_update(&text, &out->update);
        }
        return true;
    }
    out->is_platform_ca = eat(&text, "pckcrl?ca=platform");
    out->kind =
        out->is_platform_ca || eat(&text, "pckcrl?ca=processor") ? ATLS_FETCHED_PCK_CRL : ATLS_FETCHED_ROOT_CA_CRL;
    return true;
}

static bool parse_amd(const char *text, atls_piece_id *out)
{
    char product[sizeof out->product];
    char chip_id[sizeof out->chip_id];
    char tcb[sizeof out->tcb];
    out->is_vlek = eat(&text, "/vlek/v1/");
    if ((!out->is_vlek && !eat(&text, "/vcek/v1/")) || !eat_word(&text, '/', product, sizeof product)) {
        return false;
    }
    if (strcmp(text, "cert_chain") == 0 || strcmp(text, "crl") == 0) {
        out->kind = strcmp(text, "crl") == 0 ? ATLS_FETCHED_SNP_CRL : ATLS_FETCHED_SNP_CHAIN;
        return atls_piece_set_snp(out, product, NULL, NULL);
    }
    out->kind = ATLS_FETCHED_SNP_LEAF;
    return eat_word(&text, '?', chip_id, sizeof chip_id) && eat_word(&text, '\0', tcb, sizeof tcb)
           && atls_piece_set_snp(out, product, chip_id, tcb);
}

static bool parse_document(const char *text, atls_piece_id *out)
{
    atls_error ignored = {0};
    out->kind = ATLS_FETCHED_DOCUMENT;
    (void)snprintf(out->url, sizeof out->url, "%s", text);
    return atls_url_check(text, true, "", &ignored);
}

/* Whatever was skipped or spelt otherwise shows when the name is written again. */
bool atls_piece_parse(const char *path, atls_piece_id *out)
{
    char again[ATLS_URL_SIZE];
    *out = (atls_piece_id){0};
    if (strlen(path) >= ATLS_URL_SIZE) {
        return false;
    }
    const bool ok = path[0] != '/'                                                       ? parse_document(path, out)
                    : strncmp(path, "/vcek/", 6) == 0 || strncmp(path, "/vlek/", 6) == 0 ? parse_amd(path, out)
                                                                                         : parse_intel(path, out);
    if (!ok) {
        return false;
    }
    atls_piece_path(out, again);
    return strcmp(again, path) == 0;
}

/* ---- AMD's words ------------------------------------------------------------------------------------------------------- */

static bool is_query(const char *text)
{
    static const char plain[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=&";
    return text[0] != '\0' && strspn(text, plain) == strlen(text);
}

bool atls_piece_set_snp(atls_piece_id *id, const char *product, const char *chip_id, const char *tcb)
{
    if (sevsnp_product_of_name(atls_bytes_str(product)) == ATLS_SNP_UNKNOWN) {
        return false;
    }
    (void)snprintf(id->product, sizeof id->product, "%s", product);
    if (chip_id == NULL) {
        return true;
    }
    const size_t n = strlen(chip_id);
    if ((n != 16 && n != 128) || !atls_is_lower_hex(atls_bytes_str(chip_id)) || strlen(tcb) >= sizeof id->tcb
        || !is_query(tcb)) {
        return false;
    }
    (void)snprintf(id->chip_id, sizeof id->chip_id, "%s", chip_id);
    (void)snprintf(id->tcb, sizeof id->tcb, "%s", tcb);
    return true;
}

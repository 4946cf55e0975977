/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_json.c: atls_json_parse, and atls_jw_string on names and strings. Every node's raw slice lies in the input and
 * parses alone to the same type; what is accepted is UTF-8; failures carry a code of the contract, the field and an
 * offset. */
#include "base/json.h"

#include "fuzz.h"

#include <string.h>

static void check_node(const atls_json *node, atls_bytes input, int depth)
{
    FUZZ_ASSERT(depth <= 16 && node->raw.len > 0);
    FUZZ_ASSERT(node->raw.ptr >= input.ptr && node->raw.ptr + node->raw.len <= input.ptr + input.len);
    FUZZ_ASSERT(atls_utf8_valid(node->text) && atls_utf8_valid(node->name));
    uint32_t n = 0;
    for (const atls_json *child = node->child; child != NULL; child = child->next, n++) {
        check_node(child, node->raw, depth + 1);
        if (node->type == ATLS_JSON_OBJECT && memchr(child->name.ptr, 0, child->name.len) == NULL) {
            char name[64];
            snprintf(name, sizeof name, "%.*s", (int)child->name.len, (const char *)child->name.ptr);
            FUZZ_ASSERT(child->name.len >= sizeof name || atls_json_find(node, name) == child);
        }
    }
    FUZZ_ASSERT(n == node->n && (n == 0 || node->type >= ATLS_JSON_ARRAY));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t block[32 * 1024 * 1024];
    atls_arena a;
    atls_error err = {0};
    atls_bytes in = atls_bytes_of(data, size);
    const atls_json *root;
    const atls_json *again;
    atls_arena_init(&a, block, sizeof block);
    if (!atls_json_parse(in, "f", &a, &root, &err)) {
        FUZZ_ASSERT(root == NULL && strcmp(err.field, "f") == 0 && strstr(err.message, "at byte ") != NULL);
        FUZZ_ASSERT(err.code == ATLS_E_ENCODING || err.code == ATLS_E_LIMIT);
        return 0;
    }
    FUZZ_ASSERT(err.code == ATLS_OK && atls_utf8_valid(in));
    check_node(root, in, 0);
    FUZZ_ASSERT(atls_json_parse(root->raw, "f", &a, &again, &err) || err.code == ATLS_E_MEMORY);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal seeds[] = {
        FUZZ_TEXT("{\"tcbInfo\":{\"id\":\"TDX\",\"version\":3,\"tcbLevels\":[{\"tcb\":{\"pcesvn\":13},"
                  "\"tcbStatus\":\"UpToDate\"}]},\"signature\":\"00ff\"}"),
        FUZZ_TEXT(" [ null , true,false, -0.5e+10, \"\\ud834\\udd1e\\u00e9\\n\\\"\\/\" ] "),
        FUZZ_TEXT("{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,\"\\u0061b\":{},\"\":[]}"),
        FUZZ_TEXT("[[[[[[[[[[[[[[[[\"\xc3\xa9\xe2\x82\xac\xf0\x9d\x84\x9e\"]]]]]]]]]]]]]]]]"),
    };
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}

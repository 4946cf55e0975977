/* SPDX-License-Identifier: Apache-2.0 */
/* seeds.c: writes the seeds of a fuzz target into a folder, a file each, as the first corpus of libFuzzer. */
#include "fuzz.h"

static int write_file(const char *path, const uint8_t *data, size_t len)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    size_t written = fwrite(data, 1, len, file);
    if (fclose(file) != 0 || written != len) {
        fprintf(stderr, "%s: not written in full\n", path);
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 1;
    }
    uint8_t *seed = malloc(FUZZ_MAX_SEED);
    if (seed == NULL) {
        return 1;
    }
    int failed = 0;
    size_t index = 0;
    for (size_t len; failed == 0 && (len = fuzz_seed(index, seed, FUZZ_MAX_SEED)) > 0; index++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/seed-%04zu", argv[1], index);
        failed = write_file(path, seed, len);
    }
    free(seed);
    printf("%zu seeds\n", index);
    return failed;
}

/* A fuzz target: one function that takes any bytes and must neither crash nor run for long.
 *
 * Built with clang -fsanitize=fuzzer (tests/fuzz/run) it is searched with libFuzzer, which looks at what the code does with them. Linked with standalone.c, which needs
 * nothing but a C compiler, it is part of the sanitizer tests: a few seconds of seeded mutations, the same ones every time. */
#ifndef VV_TESTS_FUZZ_H
#define VV_TESTS_FUZZ_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* What to start from when no files are given: input number i, at most `room` bytes into out; its size, 0 behind the last one. */
size_t vv_fuzz_seed(int i, uint8_t *out, size_t room);

/* What a target must hold true. */
static inline void vv_fuzz_demand(int holds)
{
    if (!holds) abort();
}

/* Numbers from the front of the input; zeros when there is nothing left. */
typedef struct vv_fuzz_in {
    const uint8_t *data;
    size_t size;
} vv_fuzz_in;

static inline uint64_t vv_fuzz_take(vv_fuzz_in *in, size_t bytes)
{
    uint64_t v = 0;
    size_t n = bytes < in->size ? bytes : in->size;
    if (n) memcpy(&v, in->data, n);
    in->data += n;
    in->size -= n;
    return v;
}

/* The rest of the input as a string on the heap of its very size, so that reading beyond its end is seen. */
static inline char *vv_fuzz_text(const vv_fuzz_in *in)
{
    char *text = malloc(in->size + 1);
    if (!text) abort();
    if (in->size) memcpy(text, in->data, in->size);
    text[in->size] = 0;
    return text;
}

#endif

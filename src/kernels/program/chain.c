#include "kernels/program/chain.h"

#include "kernels/clones.h"
#include "kernels/program/program.h"

#include <stdint.h>
#include <string.h>
#include <tgmath.h>

enum { VECTORS = 8, VECTOR = VV_STRIP / VECTORS };

typedef float f32_vector __attribute__((vector_size(VECTOR), aligned(4), may_alias));
typedef double f64_vector __attribute__((vector_size(VECTOR), aligned(8), may_alias));
typedef int32_t f32_bits __attribute__((vector_size(VECTOR)));
typedef int64_t f64_bits __attribute__((vector_size(VECTOR)));

/* All vectors of the strip; b: the operand's. */
#define EACH(real, expression)                                                                                         \
    a0 = ONE(real, a0, 0, expression), a1 = ONE(real, a1, 1, expression), a2 = ONE(real, a2, 2, expression),           \
    a3 = ONE(real, a3, 3, expression), a4 = ONE(real, a4, 4, expression), a5 = ONE(real, a5, 5, expression),           \
    a6 = ONE(real, a6, 6, expression), a7 = ONE(real, a7, 7, expression)
#define ONE(real, a, i, expression) expression(real, a, b[i])

#define SUM(real, a, b)        ((a) + (b))
#define DIFFERENCE(real, a, b) ((a) - (b))
#define BACK(real, a, b)       ((b) - (a))
#define PRODUCT(real, a, b)    ((a) * (b))
#define QUOTIENT(real, a, b)   ((a) / (b))
#define UNDER(real, a, b)      ((b) / (a))
#define TURNED(real, a, b)     (-(a))
#define TWICE(real, a, b)      ((a) * (a))
#define SIZE(real, a, b)       ((real##_vector)((real##_bits)(a)&real##_no_sign))
/* Choices by bits: C has no ?: of vectors. */
#define CHOICE(real, which, x, y) ((real##_vector)(((which) & (real##_bits)(x)) | (~(which) & (real##_bits)(y))))
#define LESSER(real, a, b)        CHOICE(real, ((a) < (b)) | ((a) != (a)), a, b)
#define GREATER(real, a, b)       CHOICE(real, ((a) > (b)) | ((a) != (a)), a, b)
#define LESSER_BACK(real, a, b)   LESSER(real, b, a)
#define GREATER_BACK(real, a, b)  GREATER(real, b, a)

#define CHAIN(real, ctype, itype, NO_SIGN)                                                                             \
    VV_KERNEL void chain_##real##_body(vv_index strips, const char *from, const vv_link *link, int n, char *to)        \
    {                                                                                                                  \
        const real##_bits real##_no_sign = (real##_bits){0} + (itype)(NO_SIGN);                                        \
        for (vv_index s = 0; s < strips; s++, from += VV_STRIP, to += VV_STRIP) {                                      \
            const real##_vector *x = (const real##_vector *)from;                                                      \
            real##_vector a0 = x[0], a1 = x[1], a2 = x[2], a3 = x[3], a4 = x[4], a5 = x[5], a6 = x[6], a7 = x[7];      \
            for (int k = 0; k < n; k++) {                                                                              \
                const real##_vector *b = (const real##_vector *)((const char *)link[k].operand + s * link[k].step);    \
                switch (link[k].op) {                                                                                  \
                case VV_LINK_ADD: EACH(real, SUM); break;                                                              \
                case VV_LINK_SUBTRACT: EACH(real, DIFFERENCE); break;                                                  \
                case VV_LINK_SUBTRACT_BACK: EACH(real, BACK); break;                                                   \
                case VV_LINK_MULTIPLY: EACH(real, PRODUCT); break;                                                     \
                case VV_LINK_DIVIDE: EACH(real, QUOTIENT); break;                                                      \
                case VV_LINK_DIVIDE_BACK: EACH(real, UNDER); break;                                                    \
                case VV_LINK_MINIMUM: EACH(real, LESSER); break;                                                       \
                case VV_LINK_MINIMUM_BACK: EACH(real, LESSER_BACK); break;                                             \
                case VV_LINK_MAXIMUM: EACH(real, GREATER); break;                                                      \
                case VV_LINK_MAXIMUM_BACK: EACH(real, GREATER_BACK); break;                                            \
                case VV_LINK_NEGATIVE: EACH(real, TURNED); break;                                                      \
                case VV_LINK_ABSOLUTE:                                                                                 \
                case VV_LINK_FABS: EACH(real, SIZE); break;                                                            \
                case VV_LINK_SQUARE: EACH(real, TWICE); break;                                                         \
                case VV_LINK_SQRT: {                                                                                   \
                    _Alignas(64) ctype room[VV_STRIP / sizeof(ctype)];                                                 \
                    real##_vector *r = (real##_vector *)room;                                                          \
                    r[0] = a0, r[1] = a1, r[2] = a2, r[3] = a3, r[4] = a4, r[5] = a5, r[6] = a6, r[7] = a7;            \
                    for (size_t i = 0; i < VV_STRIP / sizeof(ctype); i++) room[i] = sqrt(room[i]);                     \
                    a0 = r[0], a1 = r[1], a2 = r[2], a3 = r[3], a4 = r[4], a5 = r[5], a6 = r[6], a7 = r[7];            \
                    break;                                                                                             \
                }                                                                                                      \
                case VV_LINK_NONE:                                                                                     \
                case VV_LINK_COUNT: break;                                                                             \
                }                                                                                                      \
            }                                                                                                          \
            real##_vector *y = (real##_vector *)to;                                                                    \
            y[0] = a0, y[1] = a1, y[2] = a2, y[3] = a3, y[4] = a4, y[5] = a5, y[6] = a6, y[7] = a7;                    \
        }                                                                                                              \
    }                                                                                                                  \
    VV_CLONES(chain_##real, chain_##real##_body,                                                                       \
              (vv_index strips, const char *from, const vv_link *link, int n, char *to), (strips, from, link, n, to))
CHAIN(f32, float, int32_t, INT32_MAX)
CHAIN(f64, double, int64_t, INT64_MAX)

vv_link_op vv_link_of(int op)
{
    static const char *const name[VV_LINK_COUNT] = {
#define NAME(NAME, operation, back) [VV_LINK_##NAME] = operation,
        VV_LINKS(NAME)
#undef NAME
    };
    for (int i = 1; op >= 0 && i < VV_LINK_COUNT; i++)
        if (name[i] && !strcmp(name[i], vv_ops[op]->name)) return (vv_link_op)i;
    return VV_LINK_NONE;
}

vv_link_op vv_link_back(vv_link_op op)
{
    static const vv_link_op back[VV_LINK_COUNT] = {
#define BACKWARDS(NAME, operation, back) [VV_LINK_##NAME] = VV_LINK_##back,
        VV_LINKS(BACKWARDS)
#undef BACKWARDS
    };
    return back[op];
}

/* Strips from the element at a byte on. */
static void run_from(vv_dtype type, vv_bytes at, vv_index strips, const char *first, const vv_link link[], int n,
                     char *out)
{
    vv_link here[VV_CHAIN_MAX];
    for (int k = 0; k < n; k++) {
        here[k] = link[k];
        if (at && link[k].step) here[k].operand = (const char *)link[k].operand + at;
    }
    (type == VV_F32 ? chain_f32 : chain_f64)[vv_cpu()](strips, first + at, here, n, out + at);
}

/* Less than a strip: copies of everything that are one. */
static void run_few(vv_dtype type, vv_bytes bytes, const char *first, const vv_link link[], int n, char *out)
{
    _Alignas(64) char room[VV_CHAIN_MAX + 2][VV_STRIP];
    vv_link here[VV_CHAIN_MAX];
    memset(room, 0, (size_t)(n + 1) * VV_STRIP);
    memcpy(room[0], first, (size_t)bytes);
    for (int k = 0; k < n; k++) {
        here[k] = link[k];
        if (!link[k].step) continue;
        here[k].operand = memcpy(room[k + 1], link[k].operand, (size_t)bytes);
    }
    run_from(type, 0, 1, room[0], here, n, room[n + 1]);
    memcpy(out, room[n + 1], (size_t)bytes);
}

void vv_chain_run(vv_dtype type, vv_index n, const void *first, const vv_link link[], int n_links, void *out)
{
    vv_bytes bytes = n * vv_dtype_size(type);
    if (bytes < VV_STRIP) {
        run_few(type, bytes, first, link, n_links, out);
        return;
    }
    run_from(type, 0, bytes / VV_STRIP, first, link, n_links, out);
    /* The rest with what comes before it, once more. */
    if (bytes % VV_STRIP) run_from(type, bytes - VV_STRIP, 1, first, link, n_links, out);
}

/* Random numbers that know their place: element i of an array depends on the seed and on i, on nothing else.
 *
 * Philox 4x32-10 (Salmon et al. 2011) turns a counter and a key into 128 random bits; the counter is the element's number, the key the seed. So chunks,
 * ranks and order of work do not change a single bit, and any piece can be made again when it is needed. f32 elements take 32 bits
 * each, f64 and i64 elements 64. The logarithm, sine and cosine behind normal numbers are computed here, by plain additions and multiplications, so
 * that they too are the same bits on every machine. Kinds that take an unknown number of bits (random_draw.c) have a stream of counters for each element.
 *
 *     vv_random r = {.kind = vv_random_find("normal"), .seed = 42, .a = 0, .b = 1};
 *     vv_random_fill(&r, VV_F32, first, n, out);   elements first .. first + n of the array */
#ifndef VV_KERNELS_RANDOM_H
#define VV_KERNELS_RANDOM_H

#include "base/dtype.h"

/* Plain data. What a and b mean is in vv_random_kinds[kind].help. */
typedef struct vv_random {
    int kind; /* index in vv_random_kinds */
    uint64_t seed;
    double a, b;
} vv_random;

/* Element i, for what takes an unknown number of random bits. */
typedef double vv_random_draw(const vv_random *r, uint64_t i);

typedef struct vv_random_kind {
    const char *name; /* "uniform" */
    const char *help;
    double a, b; /* when nothing is said */
    bool real;   /* for VV_F32 and VV_F64; otherwise for VV_I64 */
    bool (*valid)(double a, double b);
    vv_random_draw *draw; /* NULL: made in groups */
} vv_random_kind;

extern const vv_random_kind vv_random_kinds[];
extern const int vv_n_random_kinds;
/* A kind that is none: elements a, a + b, a + 2 b ... of VV_F64 or VV_I64. It is not counted among the others. */
extern const int vv_random_sequence;
/* Whether there is such a kind for elements of such a type. */
bool vv_random_makes(int kind, vv_dtype type);
/* Index in vv_random_kinds, -1 when there is none of this name. */
int vv_random_find(const char *name);

/* Elements [first, first + n) of the array into out; first >= 0. */
void vv_random_fill(const vv_random *r, vv_dtype type, vv_index first, vv_index n, void *out);

#endif

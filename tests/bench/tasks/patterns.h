/* Task Bench's dependence patterns: a grid of `width` points by many steps; the task at (step, point) uses results of the step before.
 *
 * Two functions per pattern, each the inverse of the other: the points of step - 1 that (step, point) uses, and the points of step + 1 that use it. */
#ifndef VV_BENCH_PATTERNS_H
#define VV_BENCH_PATTERNS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct pattern {
    const char *name;
    int (*from)(long width, long step, long point, long out[]); /* step > 0 */
    int (*to)(long width, long step, long point, long out[]);   /* users in the step after `step` */
    const char *what;
} pattern;

static inline int around(long width, long point, long radius, long out[])
{
    int n = 0;
    for (long i = point - radius; i <= point + radius; i++)
        if (i >= 0 && i < width) out[n++] = i;
    return n;
}

static inline int from_none(long width, long step, long point, long out[])
{
    (void)width, (void)step, (void)point, (void)out;
    return 0;
}

static inline int same(long width, long step, long point, long out[])
{
    (void)width, (void)step;
    out[0] = point;
    return 1;
}

static inline int stencil(long width, long step, long point, long out[])
{
    (void)step;
    return around(width, point, 1, out);
}

static inline int nearest(long width, long step, long point, long out[])
{
    (void)step;
    return around(width, point, 2, out);
}

/* The point itself and those at a distance that doubles with each step, as in a fast Fourier transform. */
static inline int butterfly(long width, long step, long point, long out[])
{
    long levels = 1;
    while (1L << levels < width) levels++;
    long d = 1L << (step - 1) % levels;
    int n = 0;
    if (point - d >= 0) out[n++] = point - d;
    out[n++] = point;
    if (point + d < width) out[n++] = point + d;
    return n;
}

static inline int to_butterfly(long width, long step, long point, long out[])
{
    return butterfly(width, step + 1, point, out);
}

/* A result spreads: each point feeds two of the next step. */
static inline int parent(long width, long step, long point, long out[])
{
    (void)width, (void)step;
    out[0] = point / 2;
    return 1;
}

static inline int children(long width, long step, long point, long out[])
{
    int n = 0;
    (void)step;
    for (long i = 2 * point; i <= 2 * point + 1; i++)
        if (i < width) out[n++] = i;
    return n;
}

static inline int all(long width, long step, long point, long out[])
{
    (void)step, (void)point;
    for (long i = 0; i < width; i++) out[i] = i;
    return (int)width;
}

/* The point itself, and each of its ten neighbours with probability one half. */
static inline bool linked(long step, long user, long used)
{
    uint64_t x = (uint64_t)step * 1000003u + (uint64_t)user * 8191u + (uint64_t)used;
    x = (x ^ x >> 31) * 0x9e3779b97f4a7c15u;
    return user == used || (x >> 40) % 2;
}

static inline int random_from(long width, long step, long point, long out[])
{
    long near[11];
    int n = 0, candidates = around(width, point, 5, near);
    for (int i = 0; i < candidates; i++)
        if (linked(step, point, near[i])) out[n++] = near[i];
    return n;
}

static inline int random_to(long width, long step, long point, long out[])
{
    long near[11];
    int n = 0, candidates = around(width, point, 5, near);
    for (int i = 0; i < candidates; i++)
        if (linked(step + 1, near[i], point)) out[n++] = near[i];
    return n;
}

static const pattern patterns[] = {
    {"trivial", from_none, from_none, "no dependencies"},
    {"no_comm", same, same, "each point on its own"},
    {"stencil_1d", stencil, stencil, "three neighbours"},
    {"nearest", nearest, nearest, "five neighbours"},
    {"fft", butterfly, to_butterfly, "partners at doubling distances"},
    {"tree", parent, children, "each feeds two"},
    {"all_to_all", all, all, "each feeds all"},
    {"random", random_from, random_to, "half of eleven neighbours"},
};
enum { PATTERNS = sizeof patterns / sizeof *patterns };

/* Points are dealt out in blocks. */
static inline int owner_of(long point, long width, int ranks)
{
    return (int)(point * ranks / width);
}

static inline long first_point(int rank, long width, int ranks)
{
    return (rank * width + ranks - 1) / ranks;
}

/* --- the kernel --- */

/* What a task hands on: where it was made, and a checksum of its history. */
typedef struct value {
    int32_t step, point;
    uint64_t sum;
} value;

/* `iterations` of dependent arithmetic, about a nanosecond or two each. */
static inline double compute(long iterations)
{
    double x = 1.1;
    for (long i = 0; i < iterations; i++) {
        x = x * 0.999999 + 1e-6;
        __asm__ volatile("" : "+x"(x));
    }
    return x;
}

static inline value work(long step, long point, int n, const value *const in[], long iterations)
{
    value v = {(int32_t)step, (int32_t)point, (uint64_t)(step * 7919 + point)};
    for (int i = 0; i < n; i++) {
        if (in[i]->step != step - 1) v.sum ^= 0xdeadu; /* spoils the sum: a wrong input */
        v.sum = v.sum * 31 + in[i]->sum + (uint64_t)in[i]->point;
    }
    if (iterations && compute(iterations) < 0) v.sum++;
    return v;
}

#endif

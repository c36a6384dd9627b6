#include "kernels/strided.h"

#include <stdlib.h>
#include <string.h>

/* A transposition goes by square tiles that are one cache line wide: a tile's rows are fetched as whole lines into a buffer and leave it
 * as whole lines, so that no line has to survive in a cache, whatever the strides (powers of two put all rows into one set). Tiles are
 * walked in groups of GROUP x GROUP to touch few pages at a time. Per tile element this is one load and one store in the first-level
 * cache, faster than the memory that feeds it: there is nothing to gain from shuffling registers. But hardware does not foresee the
 * lines of the next tile, each in a page of its own: they are asked for while this tile is worked on (asking beyond the data does no harm). */
enum { LINE = 64, GROUP = 8 };

typedef struct pair {
    uint64_t half[2];
} pair;

/* Two dimensions: position (i, j) is at from[i * from_i + j * from_j] and to[i * to_i + j * to_j]. */
typedef struct plane {
    vv_index n_i, n_j, from_i, from_j, to_i, to_j;
} plane;

/* to dense in j, from dense in i. */
typedef void plane_loop(const plane *p, const void *from, void *to);
typedef void row_loop(vv_index n, const void *from, vv_index from_stride, void *to, vv_index to_stride);

#define KERNELS(type)                                                                                                  \
    static void row_##type(vv_index n, const void *from, vv_index from_stride, void *to, vv_index to_stride)           \
    {                                                                                                                  \
        const type *restrict f = from;                                                                                 \
        type *restrict t = to;                                                                                         \
        if (to_stride != 1)                                                                                            \
            for (vv_index i = 0; i < n; i++) t[i * to_stride] = f[i * from_stride];                                    \
        else if (from_stride == 0)                                                                                     \
            for (vv_index i = 0; i < n; i++) t[i] = f[0];                                                              \
        else                                                                                                           \
            for (vv_index i = 0; i < n; i++) t[i] = f[i * from_stride];                                                \
    }                                                                                                                  \
    static void tile_##type(const type *restrict f, vv_index f_row, type *restrict t, vv_index t_row)                  \
    {                                                                                                                  \
        enum { W = LINE / sizeof(type) };                                                                              \
        type buffer[W][W];                                                                                             \
        for (int j = 0; j < W; j++) memcpy(buffer[j], f + j * f_row, LINE);                                            \
        for (int i = 0; i < W; i++)                                                                                    \
            for (int j = 0; j < W; j++) t[i * t_row + j] = buffer[j][i];                                               \
    }                                                                                                                  \
    static void corner_##type(vv_index n_i, vv_index n_j, const type *f, vv_index f_row, type *t, vv_index t_row)      \
    {                                                                                                                  \
        for (vv_index i = 0; i < n_i; i++)                                                                             \
            for (vv_index j = 0; j < n_j; j++) t[i * t_row + j] = f[j * f_row + i];                                    \
    }                                                                                                                  \
    static void group_##type(const plane *p, vv_index i0, vv_index j0, const type *from, type *to)                     \
    {                                                                                                                  \
        const vv_index w = LINE / sizeof(type), i1 = i0 + GROUP * w, j1 = j0 + GROUP * w;                              \
        for (vv_index i = i0; i < i1 && i < p->n_i; i += w) {                                                          \
            for (vv_index j = j0; j < j1 && j < p->n_j; j += w) {                                                      \
                const type *f = from + i + j * p->from_j;                                                              \
                type *t = to + i * p->to_i + j;                                                                        \
                for (vv_index next = w; next < 2 * w; next++) __builtin_prefetch(f + next * p->from_j);                \
                vv_index n_i = p->n_i - i, n_j = p->n_j - j;                                                           \
                if (n_i >= w && n_j >= w)                                                                              \
                    tile_##type(f, p->from_j, t, p->to_i);                                                             \
                else                                                                                                   \
                    corner_##type(n_i < w ? n_i : w, n_j < w ? n_j : w, f, p->from_j, t, p->to_i);                     \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    static void transpose_##type(const plane *p, const void *from, void *to)                                           \
    {                                                                                                                  \
        const vv_index step = GROUP * LINE / sizeof(type);                                                             \
        for (vv_index i = 0; i < p->n_i; i += step)                                                                    \
            for (vv_index j = 0; j < p->n_j; j += step) group_##type(p, i, j, from, to);                               \
    }
KERNELS(uint8_t)
KERNELS(uint16_t)
KERNELS(uint32_t)
KERNELS(uint64_t)
KERNELS(pair)

typedef struct kernels {
    row_loop *row;
    plane_loop *transpose;
} kernels;
static const kernels of_size[17] = {[1] = {row_uint8_t, transpose_uint8_t},
                                    [2] = {row_uint16_t, transpose_uint16_t},
                                    [4] = {row_uint32_t, transpose_uint32_t},
                                    [8] = {row_uint64_t, transpose_uint64_t},
                                    [16] = {row_pair, transpose_pair}};

vv_index vv_pack_strides(int nd, const vv_index extent[], vv_index stride[])
{
    vv_index n = 1;
    for (int d = nd - 1; d >= 0; d--) {
        stride[d] = n;
        n *= extent[d];
    }
    return n;
}

void vv_tile_gather(vv_bytes size, vv_index n, const void *from, vv_index stride, void *to)
{
    if (stride == 1)
        memcpy(to, from, (size_t)(n * size));
    else
        of_size[size].row(n, from, stride, to, 1);
}

/* One dimension of a box, and the box: dimensions from the outermost to the innermost, by the target's strides. */
typedef struct walk {
    vv_index n, from, to;
} walk;
typedef struct job {
    int nd;
    walk d[VV_MAX_DIMS + 2];
    vv_bytes size;
    const char *from;
    char *to;
} job;

static int by_target(const void *a, const void *b)
{
    const walk *x = a, *y = b;
    if (x->to != y->to) return x->to > y->to ? -1 : 1;
    return 0;
}

/* Takes dimensions in; flips those that run backwards in the target, so that all target strides are positive. false: an empty box. */
static bool take(job *j, int nd, const vv_index n[], const vv_index from_stride[], const vv_index to_stride[])
{
    for (int d = 0; d < nd; d++) {
        walk w = {n[d], from_stride[d], to_stride[d]};
        if (w.n <= 0) return false;
        if (w.n == 1) continue;
        if (w.to < 0) {
            j->from += (w.n - 1) * w.from * j->size;
            j->to += (w.n - 1) * w.to * j->size;
            w.from = -w.from;
            w.to = -w.to;
        }
        j->d[j->nd++] = w;
    }
    return true;
}

/* Sorts dimensions and makes one of two that both sides walk as one. */
static void coalesce(job *j)
{
    if (j->nd == 0) return;
    qsort(j->d, (size_t)j->nd, sizeof *j->d, by_target);
    int last = 0;
    for (int d = 1; d < j->nd; d++) {
        walk *w = &j->d[last], next = j->d[d];
        if (w->from == next.from * next.n && w->to == next.to * next.n)
            *w = (walk){w->n * next.n, next.from, next.to};
        else
            j->d[++last] = next;
    }
    j->nd = last + 1;
}

/* The dimension, other than the innermost, in which the source is dense; -1 when there is none. Last but one where it can be found so: it is
 * taken out of the loop over planes. */
static int dense_in_source(const job *j)
{
    for (int d = j->nd - 2; d >= 0; d--)
        if (j->d[d].from == 1) return d;
    return -1;
}

static void copy_plane(const job *j, const plane *p, const char *from, char *to)
{
    if (p->from_j == 1 && p->to_j == 1) {
        for (vv_index i = 0; i < p->n_i; i++)
            memcpy(to + i * p->to_i * j->size, from + i * p->from_i * j->size, (size_t)(p->n_j * j->size));
    } else if (p->from_i == 1 && p->to_j == 1) {
        of_size[j->size].transpose(p, from, to);
    } else {
        for (vv_index i = 0; i < p->n_i; i++)
            of_size[j->size].row(p->n_j, from + i * p->from_i * j->size, p->from_j, to + i * p->to_i * j->size,
                                 p->to_j);
    }
}

/* All planes: an odometer over the dimensions in front. */
static void copy_planes(const job *j, const plane *p)
{
    vv_index at[VV_MAX_DIMS + 2] = {0};
    const char *from = j->from;
    char *to = j->to;
    for (;;) {
        copy_plane(j, p, from, to);
        int d = j->nd - 1;
        for (; d >= 0; d--) {
            from += j->d[d].from * j->size;
            to += j->d[d].to * j->size;
            if (++at[d] < j->d[d].n) break;
            from -= j->d[d].n * j->d[d].from * j->size;
            to -= j->d[d].n * j->d[d].to * j->size;
            at[d] = 0;
        }
        if (d < 0) return;
    }
}

void vv_box_copy(int nd, const vv_index n[], vv_bytes size, const void *from, const vv_index from_stride[], void *to,
                 const vv_index to_stride[])
{
    job j = {.size = size, .from = from, .to = to};
    if (!take(&j, nd, n, from_stride, to_stride)) return;
    coalesce(&j);
    walk inner = {1, 1, 1}, outer = {1, 0, 0};
    if (j.nd > 0) {
        int dense = dense_in_source(&j);
        inner = j.d[--j.nd];
        if (j.nd > 0) {
            int chosen = dense >= 0 && inner.from != 1 ? dense : j.nd - 1;
            outer = j.d[chosen];
            memmove(j.d + chosen, j.d + chosen + 1, (size_t)(--j.nd - chosen) * sizeof *j.d);
        }
    }
    plane p = {outer.n, inner.n, outer.from, inner.from, outer.to, inner.to};
    copy_planes(&j, &p);
}

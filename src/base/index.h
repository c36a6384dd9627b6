/* n-d index arithmetic: shapes, boxes of elements and grids of chunks.
 *
 * A grid cuts a shape into chunks; the last chunk of a dimension may be shorter. Chunks are numbered in row-major order of
 * their grid coordinates. All code asks a grid for extents instead of multiplying by itself, so that irregular grids can come later.
 *
 *     shape (10, 7), chunk (4, 7): 3 chunks; chunk 2 is the box at (8, 0) of extent (2, 7).
 *
 * Zero-length dimensions have no chunks; a scalar (nd 0) has one chunk of one element. */
#ifndef VV_BASE_INDEX_H
#define VV_BASE_INDEX_H

#include "base/status.h"

typedef struct vv_shape {
    int nd;
    vv_index n[VV_MAX_DIMS];
} vv_shape;

typedef struct vv_box {
    int nd;
    vv_index lo[VV_MAX_DIMS];
    vv_index n[VV_MAX_DIMS];
} vv_box;

typedef struct vv_grid {
    vv_shape shape;
    vv_index chunk[VV_MAX_DIMS]; /* >= 1 */
    vv_index shift
        [VV_MAX_DIMS]; /* the first chunk lacks so many elements: below chunk, 0 unless the grid is a slice of another one's */
} vv_grid;

/* Products that overflow give VV_INDEX_MAX instead of a wrong number. */
#define VV_INDEX_MAX INT64_MAX
vv_index vv_times(vv_index a, vv_index b);
/* The same of sums of what is not negative. */
static inline vv_index vv_plus(vv_index a, vv_index b)
{
    return a > VV_INDEX_MAX - b ? VV_INDEX_MAX : a + b;
}
vv_index vv_shape_elements(const vv_shape *s);
vv_index vv_box_elements(const vv_box *b);
bool vv_shape_equal(const vv_shape *a, const vv_shape *b);
bool vv_box_equal(const vv_box *a, const vv_box *b);
/* a and b may not overlap: then n becomes 0 in some dimension and the result is false. */
bool vv_box_intersect(const vv_box *a, const vv_box *b, vv_box *out);

static inline vv_index vv_ceil_div(vv_index a, vv_index b)
{
    return a / b + (a % b != 0);
}
/* The greatest one, of numbers from 0 on. */
static inline vv_index vv_common_divisor(vv_index a, vv_index b)
{
    while (b) {
        vv_index rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}
static inline vv_index vv_imin(vv_index a, vv_index b)
{
    return a < b ? a : b;
}
static inline vv_index vv_imax(vv_index a, vv_index b)
{
    return a > b ? a : b;
}

/* Chunks along one dimension, in all, and the extents of one. */
static inline vv_index vv_grid_count(const vv_grid *g, int dim)
{
    return g->shape.n[dim] == 0 ? 0 : vv_ceil_div(g->shape.n[dim] + g->shift[dim], g->chunk[dim]);
}
/* The chunk that an element is in, and where a chunk begins and ends, along one dimension. */
static inline vv_index vv_grid_at(const vv_grid *g, int dim, vv_index i)
{
    return (i + g->shift[dim]) / g->chunk[dim];
}
static inline vv_index vv_grid_begin(const vv_grid *g, int dim, vv_index chunk)
{
    return vv_imax(0, chunk * g->chunk[dim] - g->shift[dim]);
}
static inline vv_index vv_grid_end(const vv_grid *g, int dim, vv_index chunk)
{
    return vv_imin(g->shape.n[dim], (chunk + 1) * g->chunk[dim] - g->shift[dim]);
}
vv_index vv_grid_chunks(const vv_grid *g);
bool vv_grid_equal(const vv_grid *a, const vv_grid *b);
/* Linear chunk number to grid coordinates and back. */
void vv_grid_coords(const vv_grid *g, vv_index chunk, vv_index coords[]);
vv_index vv_grid_number(const vv_grid *g, const vv_index coords[]);
void vv_grid_box(const vv_grid *g, vv_index chunk, vv_box *out);
void vv_grid_box_at(const vv_grid *g, const vv_index coords[], vv_box *out);

/* Row-major odometer over extents n[0..nd): starts at zeros; false when it has run over. nd == 0 has one position. */
bool vv_odometer(int nd, const vv_index n[], vv_index at[]);

/* "[2920, 361, 720]" */
const char *vv_dims_text(int nd, const vv_index n[], char *out, size_t size);

#endif

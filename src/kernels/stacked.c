#include "kernels/stacked.h"

#include "base/mem.h"
#include "base/status.h"
#include "kernels/tile/tile.h"

#include <stdlib.h>
#include <string.h>

/* The matrices of a call. */
typedef struct small {
    vv_dtype type;
    vv_index size; /* doubles of an element */
    vv_index rows, columns;
} small;

static small begin(const vv_index size[], const void *data)
{
    const vv_stacked_data *told = data;
    return (small){told->type, vv_dtype_size(told->type) / 8, size[0], size[1]};
}

static vv_matrix given(vv_index rows, vv_index columns, const void *at)
{
    return (vv_matrix){rows, columns, (double *)(uintptr_t)at};
}

static vv_status take(const small *s, vv_index rows, vv_index columns, vv_matrix *out)
{
    *out = (vv_matrix){rows, columns, NULL};
    return vv_new(&out->at, (size_t)(rows * columns * s->size), sizeof *out->at);
}

/* One operation on tiles that are the whole matrices. */
static vv_status run(const small *s, const char *op, const vv_matrix *a, const vv_matrix *b, const vv_matrix *out)
{
    vv_tile_call call = {.op = vv_tile_op_find(op), .type = s->type};
    vv_tile_work w = {.in = {*a, b ? *b : (vv_matrix){0}}, .out = *out};
    size_t bytes = ((size_t)vv_tile_workspace(&call, &w) + 127) / 64 * 64;
    w.room = aligned_alloc(64, bytes);
    vv_status status = w.room ? vv_tile_run(&call, &w) : vv_fail(VV_ERR_NOMEM, "%zu bytes for a matrix", bytes);
    free(w.room);
    return status;
}

/* --- square matrices --- */

static vv_status solve(const small *s, const vv_matrix *a, const vv_matrix *rhs, const vv_matrix *out)
{
    vv_matrix panel, half;
    vv_status status = take(s, a->rows + 1, a->columns, &panel), other = take(s, rhs->rows, rhs->columns, &half);
    if (status == VV_OK) status = other;
    if (status == VV_OK) status = run(s, "lu_panel", a, NULL, &panel);
    if (status == VV_OK) status = run(s, "lu_update", rhs, &panel, &half);
    panel.rows = a->rows;
    if (status == VV_OK) status = run(s, "solve_upper", &half, &panel, out);
    free(panel.at);
    free(half.at);
    return status;
}

int vv_stacked_solve(const void *const in[], void *out, const vv_index size[], const void *data)
{
    small s = begin(size, data);
    vv_index sides = ((const vv_stacked_data *)data)->sides ? size[2] : 1;
    vv_matrix a = given(s.rows, s.columns, in[0]), rhs = given(s.rows, sides, in[1]), x = given(s.rows, sides, out);
    return (int)solve(&s, &a, &rhs, &x);
}

int vv_stacked_inverse(const void *const in[], void *out, const vv_index size[], const void *data)
{
    small s = begin(size, data);
    vv_matrix a = given(s.rows, s.columns, in[0]), x = given(s.rows, s.columns, out), one;
    vv_status status = take(&s, s.rows, s.rows, &one);
    for (vv_index i = 0; i < s.rows && status == VV_OK; i++) one.at[i * (s.rows + 1) * s.size] = 1;
    if (status == VV_OK) status = solve(&s, &a, &one, &x);
    free(one.at);
    return (int)status;
}

int vv_stacked_cholesky(const void *const in[], void *out, const vv_index size[], const void *data)
{
    small s = begin(size, data);
    vv_matrix a = given(s.rows, s.columns, in[0]), l = given(s.rows, s.columns, out);
    return (int)run(&s, "cholesky_panel", &a, NULL, &l);
}

/* The product of the pivots; every row that changed its place turns the sign. */
int vv_stacked_det(const void *const in[], void *out, const vv_index size[], const void *data)
{
    small s = begin(size, data);
    vv_index n = s.rows;
    vv_matrix a = given(n, n, in[0]), panel;
    double det[] = {1, 0};
    vv_status status = take(&s, n + 1, n, &panel);
    if (status == VV_OK) status = run(&s, "lu_panel", &a, NULL, &panel);
    for (vv_index i = 0; i < n && status == VV_OK; i++) {
        const double *pivot = panel.at + i * (n + 1) * s.size;
        double sign = (vv_index)panel.at[(n * n + i) * s.size] != i ? -1 : 1, re = sign * pivot[0],
               im = s.size > 1 ? sign * pivot[1] : 0, was = det[0];
        det[0] = was * re - det[1] * im;
        det[1] = was * im + det[1] * re;
    }
    memcpy(out, det, (size_t)s.size * sizeof *det);
    free(panel.at);
    return (int)status;
}

/* --- any shape --- */

int vv_stacked_qr_q(const void *const in[], void *out, const vv_index size[], const void *data)
{
    small s = begin(size, data);
    vv_matrix a = given(s.rows, s.columns, in[0]), q = given(s.rows, vv_imin(s.rows, s.columns), out);
    return (int)run(&s, "qr_q", &a, NULL, &q);
}

int vv_stacked_qr_r(const void *const in[], void *out, const vv_index size[], const void *data)
{
    small s = begin(size, data);
    vv_matrix a = given(s.rows, s.columns, in[0]), r = given(vv_imin(s.rows, s.columns), s.columns, out);
    return (int)run(&s, "qr_r", &a, NULL, &r);
}

/* Of the triangle: left vectors, a row of values, right vectors (tile.c). */
static vv_status values_of(const small *s, const vv_matrix *a, vv_matrix *packed)
{
    vv_matrix r;
    vv_index k = s->columns;
    VV_TRY(take(s, k, k, &r));
    vv_status status = run(s, "qr_r", a, NULL, &r);
    if (status == VV_OK) status = take(s, 2 * k + 1, k, packed);
    if (status == VV_OK) status = run(s, "svd", &r, NULL, packed);
    free(r.at);
    return status;
}

int vv_stacked_svd_u(const void *const in[], void *out, const vv_index size[], const void *data)
{
    small s = begin(size, data);
    vv_matrix a = given(s.rows, s.columns, in[0]), packed = {0}, u = given(s.rows, s.columns, out);
    vv_status status = values_of(&s, &a, &packed);
    packed.rows = s.columns;
    if (status == VV_OK) status = run(&s, "qr_q", &a, &packed, &u);
    free(packed.at);
    return (int)status;
}

int vv_stacked_svd_s(const void *const in[], void *out, const vv_index size[], const void *data)
{
    small s = begin(size, data);
    vv_matrix a = given(s.rows, s.columns, in[0]), packed = {0};
    vv_index k = s.columns;
    vv_status status = values_of(&s, &a, &packed);
    for (vv_index i = 0; i < k && status == VV_OK; i++) ((double *)out)[i] = packed.at[(k * k + i) * s.size];
    free(packed.at);
    return (int)status;
}

int vv_stacked_svd_v(const void *const in[], void *out, const vv_index size[], const void *data)
{
    small s = begin(size, data);
    vv_matrix a = given(s.rows, s.columns, in[0]), packed = {0};
    vv_index k = s.columns;
    vv_status status = values_of(&s, &a, &packed);
    if (status == VV_OK) memcpy(out, packed.at + (k + 1) * k * s.size, (size_t)(k * k * s.size) * sizeof(double));
    free(packed.at);
    return (int)status;
}

/* A few matrices of the longer side, twice for what LAPACK asks for. */
vv_bytes vv_stacked_scratch(vv_index rows, vv_index columns, vv_index sides)
{
    vv_index n = vv_imax(vv_imax(rows, columns), vv_imax(sides, 64));
    return vv_times(vv_times(n, n), 16 * 16);
}

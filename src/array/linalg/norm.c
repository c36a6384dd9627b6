/* Norms, traces, least squares and approximate singular values: compositions of reductions, products and factorisations. */
#include "array/linalg/linalg.h"

#include "varve/create.h"
#include "varve/linalg.h"
#include "varve/move.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const vv_reduce_options with_nan = {.keep_nan = true};

/* --- norms --- */

static vv_array *reduced(vv_array *a, const char *how, const char *dims)
{
    return vv_reduce(a, how, dims, &with_nan);
}

/* Sum of |x|^p over dims, to the power 1 / p. */
static vv_array *power_norm(vv_array *a, double p, const char *dims)
{
    vv_array *sum = reduced(vv_power(a, vv_node_scalar(a->context, p)), "sum", dims);
    return vv_power(sum, vv_node_scalar(a->context, 1 / p));
}

static vv_array *vector_norm(vv_array *a, double p, const char *dims)
{
    bool is_complex = vv_dtype_is_complex(a->dtype);
    vv_array *size = is_complex ? vv_absolute(a) : vv_fabs(a);
    if (p == INFINITY) return reduced(size, "max", dims);
    if (p == -INFINITY) return reduced(size, "min", dims);
    if (p == 0) return reduced(vv_astype(vv_not_equal(a, vv_node_scalar(a->context, 0)), size->dtype), "sum", dims);
    if (p == 1) return reduced(size, "sum", dims);
    if (p == 2) return vv_sqrt(reduced(vv_square(is_complex ? size : a), "sum", dims));
    return power_norm(size, p, dims);
}

vv_array *vv_vector_norm(vv_array *a, double p, const char *dims)
{
    if (vv_array_status(a) != VV_OK) return vv_node_inert(a->context);
    if (isnan(p)) {
        (void)vv_fail(VV_ERR_USAGE, "the norm of '%s' needs a number, or infinity, as its order", a->name);
        return vv_node_inert(a->context);
    }
    vv_making m = vv_making_begin(a->context);
    vv_array *x = vv_node_as_inexact(a), *norm = NULL;
    vv_status status = vv_array_status(x);
    if (status == VV_OK) norm = vector_norm(x, p, dims);
    vv_release(&x);
    vv_making_end(&m, (vv_array * *const[]){&norm}, 1, status);
    return norm;
}

static vv_array *values_of(vv_array *a)
{
    vv_array *s;
    vv_svd(vv_node_bare(a, (const char *const[]){"row", "column"}), "value", NULL, &s, NULL);
    return s;
}

/* NULL: no such norm. */
static vv_array *matrix_norm(vv_array *a, const char *order)
{
    const char *row = a->dim[0], *column = a->dim[1];
    if (!strcmp(order, "fro")) return vector_norm(a, 2, NULL);
    if (!strcmp(order, "1")) return reduced(vector_norm(a, 1, row), "max", NULL);
    if (!strcmp(order, "-1")) return reduced(vector_norm(a, 1, row), "min", NULL);
    if (!strcmp(order, "inf")) return reduced(vector_norm(a, 1, column), "max", NULL);
    if (!strcmp(order, "-inf")) return reduced(vector_norm(a, 1, column), "min", NULL);
    if (!strcmp(order, "2")) return reduced(values_of(a), "max", NULL);
    if (!strcmp(order, "-2")) return reduced(values_of(a), "min", NULL);
    if (!strcmp(order, "nuc")) return reduced(values_of(a), "sum", NULL);
    return NULL;
}

vv_array *vv_matrix_norm(vv_array *a, const char *order)
{
    vv_making m = vv_making_begin(a->context);
    vv_array *x = vv_node_matrix(a, "the norm"), *norm = NULL;
    vv_status status = vv_array_status(x);
    if (status == VV_OK) norm = matrix_norm(x, order);
    if (status == VV_OK && !norm)
        status =
            vv_fail(VV_ERR_USAGE, "there is no norm '%s' of matrices; use fro, nuc, 1, -1, 2, -2, inf or -inf", order);
    vv_release(&x);
    vv_making_end(&m, (vv_array * *const[]){&norm}, 1, status);
    return norm;
}

vv_array *vv_trace(vv_array *a, const char *rows, const char *columns, vv_index k)
{
    vv_making m = vv_making_begin(a->context);
    vv_array *line = vv_diagonal(a, rows, columns, k, "diagonal_"), *sum = NULL;
    vv_status status = vv_array_status(line);
    if (status == VV_OK) sum = reduced(line, "sum", "diagonal_");
    vv_making_end(&m, (vv_array * *const[]){&sum}, 1, status);
    return sum;
}

/* --- least squares --- */

/* What the singular values divide by: those that count as 0 leave nothing. */
static vv_array *divided(vv_array *parts, vv_array *s, double least)
{
    vv_context *c = parts->context;
    vv_array *limit = vv_multiply(reduced(s, "max", NULL), vv_node_scalar(c, least)), *zero = vv_node_scalar(c, 0);
    return vv_where(vv_greater(s, limit), vv_divide(parts, s), zero);
}

static vv_status least_squares(vv_array *a, vv_array *b, double least, vv_array **out)
{
    int other;
    vv_array *rhs = NULL, *u, *s, *v;
    VV_TRY(vv_array_status(a));
    VV_TRY(vv_node_right_hand_side(a, b, "lstsq", &rhs, &other));
    vv_index longest = vv_imax(a->shape.n[0], a->shape.n[1]);
    bool single = a->dtype == VV_F32 || a->dtype == VV_C64;
    if (isnan(least)) least = (double)longest * (single ? 0x1p-23 : 0x1p-52);
    vv_svd(vv_node_bare(a, (const char *const[]){"row", "column"}), "value", &u, &s, &v);
    VV_TRY(vv_array_status(u));
    vv_array *parts = vv_matmul(vv_node_conjugate(u), rhs, "row");
    vv_array *x = vv_matmul(vv_node_conjugate(v), divided(parts, s, least), "value");
    *out = vv_node_unknowns(x, a, b, other);
    return VV_OK;
}

vv_array *vv_lstsq(vv_array *a, vv_array *b, double least)
{
    vv_making m = vv_making_begin(a->context);
    vv_array *matrix = vv_node_matrix(a, "least squares"), *x = NULL;
    vv_status status = least_squares(matrix, b, least, &x);
    vv_release(&matrix);
    vv_making_end(&m, (vv_array * *const[]){&x}, 1, status);
    return x;
}

/* --- approximate singular values --- */

/* More columns than are wanted, so that the wanted ones are exact enough. */
enum { BESIDE = 10 };

static vv_array *basis_of(vv_array *a, const char *dim)
{
    vv_array *q;
    vv_qr(a, dim, &q, NULL);
    return q;
}

/* An orthogonal basis (row, q) of most of what `a` maps to. */
static vv_array *range_of(vv_array *a, vv_index n, int iterations, uint64_t seed)
{
    char dims[64];
    (void)snprintf(dims, sizeof dims, "column:%lld,sample:%lld", (long long)a->shape.n[1], (long long)n);
    vv_dtype type = vv_dtype_is_complex(a->dtype) ? vv_dtype_part(a->dtype) : a->dtype;
    vv_array *random = vv_node_random(a->context, "normal", NAN, NAN, dims, NULL, seed, type);
    vv_array *q = basis_of(vv_matmul(a, random, "column"), "q");
    for (int i = 0; i < iterations && q->status == VV_OK; i++)
        q = basis_of(vv_matmul(a, basis_of(vv_matmul(vv_node_conjugate(a), q, "row"), "p"), "column"), "q");
    return q;
}

static vv_status compressed(vv_array *a, const char *to, vv_index k, int iterations, uint64_t seed, vv_array **u,
                            vv_array **s, vv_array **v)
{
    vv_array *left = NULL;
    VV_TRY(vv_array_status(a));
    VV_TRY(vv_node_check_name(a, to));
    vv_index most = vv_imin(a->shape.n[0], a->shape.n[1]);
    if (k < 1 || k > most || iterations < 0)
        return vv_fail(VV_ERR_USAGE, "%lld singular values of '%s' (%s: %lld, %s: %lld) after %d iterations",
                       (long long)k, a->name, a->dim[0], (long long)a->shape.n[0], a->dim[1], (long long)a->shape.n[1],
                       iterations);
    vv_array *x = vv_node_bare(a, (const char *const[]){"row", "column"});
    vv_array *q = range_of(x, vv_imin(k + BESIDE, most), iterations, seed), *values = NULL, *right = NULL;
    vv_array *small = vv_matmul(vv_node_conjugate(q), x, "row");
    vv_svd(small, "value", u ? &left : NULL, s ? &values : NULL, v ? &right : NULL);
    if (u) *u = vv_node_bare(vv_matmul(q, vv_node_stretch(left, 1, 0, k), "q"), (const char *const[]){a->dim[0], to});
    if (s) *s = vv_node_bare(vv_node_stretch(values, 0, 0, k), (const char *const[]){to});
    if (v) *v = vv_node_bare(vv_node_stretch(right, 0, 0, k), (const char *const[]){to, a->dim[1]});
    return VV_OK;
}

void vv_svd_compressed(vv_array *a, const char *new_dim, vv_index k, int iterations, uint64_t seed, vv_array **u,
                       vv_array **s, vv_array **v)
{
    vv_making m = vv_making_begin(a->context);
    vv_array *matrix = vv_node_matrix(a, "singular values");
    vv_status status = compressed(matrix, new_dim, k, iterations, seed, u, s, v);
    vv_release(&matrix);
    vv_making_end(&m, (vv_array * *const[]){u, s, v}, 3, status);
}

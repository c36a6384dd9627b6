/* Stacks of matrices: the last two dimensions are rows and columns, all before them are walked, as in numpy.linalg. Each matrix is one call of a function (kernels/stacked.h), so
 * that all of it is on one rank: many small matrices, where linalg_solve.c and linalg_qr.c are for one large one. */
#include "array/linalg/linalg.h"

#include "kernels/stacked.h"
#include "varve/linalg.h"
#include "varve/move.h"

#include <stdio.h>
#include <string.h>

/* A stack, its rows and columns, and what is called with it. */
typedef struct stack {
    vv_array *a;
    const char *rows, *columns;
    vv_index n_rows, n_columns;
    char signature[1200], dims[300];
} stack;

static stack stack_of(vv_array *a)
{
    int nd = a->shape.nd;
    return (stack){.a = a,
                   .rows = a->dim[nd - 2],
                   .columns = a->dim[nd - 1],
                   .n_rows = a->shape.n[nd - 2],
                   .n_columns = a->shape.n[nd - 1]};
}

static vv_status check_square(const stack *s, const char *what)
{
    if (s->n_rows < 1 || s->n_columns < 1)
        return vv_fail(VV_ERR_SHAPE, "%s of '%s', which has no elements along '%s' or '%s'", what, s->a->name, s->rows,
                       s->columns);
    if (s->n_rows == s->n_columns) return VV_OK;
    return vv_fail(VV_ERR_SHAPE, "%s of '%s' (%s: %lld, %s: %lld), which is not square", what, s->a->name, s->rows,
                   (long long)s->n_rows, s->columns, (long long)s->n_columns);
}

/* b: right-hand sides, or NULL, of a dimension of `sides` elements of their own, 0 for none. real: the result is, whatever the matrices are. */
static vv_array *called(const stack *s, vv_gufunc_function *f, vv_array *b, vv_index sides, bool real)
{
    vv_dtype type = b ? vv_dtype_promote(s->a->dtype, b->dtype) : s->a->dtype;
    vv_dtype wide = vv_dtype_is_complex(type) ? VV_C128 : VV_F64, made = real ? VV_F64 : wide;
    vv_array *in[] = {vv_astype(s->a, wide), b ? vv_astype(b, wide) : NULL};
    vv_stacked_data told = {.type = wide, .sides = sides > 0};
    const vv_apply_options o = {
        .name = s->a->name,
        .dtype = made,
        .dims = *s->dims ? s->dims : NULL,
        .data = &told,
        .data_size = sizeof told,
        .scratch = vv_stacked_scratch(s->n_rows, s->n_columns, sides),
    };
    vv_array *out = vv_node_gufunc(s->a->context, f, s->signature, in, b ? 2 : 1, &o);
    bool single = type == VV_F32 || type == VV_C64;
    vv_dtype narrow = !single ? made : vv_dtype_is_complex(made) ? VV_C64 : VV_F32;
    return out->status == VV_OK && narrow != made ? vv_astype(out, narrow) : out;
}

static vv_status square(vv_array *a, const char *what, vv_gufunc_function *f, const char *result, vv_array **out)
{
    VV_TRY(vv_array_status(a));
    if (a->shape.nd < 2)
        return vv_fail(VV_ERR_SHAPE, "%s of '%s', which has %d dimensions: a matrix has two", what, a->name,
                       a->shape.nd);
    stack s = stack_of(a);
    VV_TRY(check_square(&s, what));
    int used = snprintf(s.signature, sizeof s.signature, "(%s,%s)->(", s.rows, s.columns);
    for (const char *c = result; *c; c++)
        used += snprintf(s.signature + used, sizeof s.signature - (size_t)used, c > result ? ",%s" : "%s",
                         *c == 'r' ? s.rows : s.columns);
    snprintf(s.signature + used, sizeof s.signature - (size_t)used, ")");
    *out = called(&s, f, NULL, 0, false);
    return vv_array_status(*out);
}

static vv_array *of_square(vv_array *a, const char *what, vv_gufunc_function *f, const char *result)
{
    vv_making m = vv_making_begin(a->context);
    vv_array *out = NULL;
    vv_making_end(&m, (vv_array * *const[]){&out}, 1, square(a, what, f, result, &out));
    return out;
}

vv_array *vv_node_stack_inverse(vv_array *a)
{
    return of_square(a, "inverse", vv_stacked_inverse, "cr");
}

vv_array *vv_node_stack_cholesky(vv_array *a)
{
    return of_square(a, "Cholesky factor", vv_stacked_cholesky, "rc");
}

vv_array *vv_det(vv_array *a)
{
    return of_square(a, "determinant", vv_stacked_det, "");
}

/* --- equations --- */

/* The dimension of b that is no row and none of the stack's; -1 for none. */
static vv_status find_side(const stack *s, const vv_array *b, int *side)
{
    *side = -1;
    if (vv_node_dim(b, s->rows) < 0 || vv_node_dim(b, s->columns) >= 0)
        return vv_fail(VV_ERR_SHAPE, "solve: '%s' needs '%s' of '%s', and not '%s'; vv_rename()", b->name, s->rows,
                       s->a->name, s->columns);
    for (int d = 0; d < b->shape.nd; d++) {
        if (vv_node_dim(s->a, b->dim[d]) >= 0) continue;
        if (*side >= 0)
            return vv_fail(VV_ERR_SHAPE, "solve: '%s' and '%s' of '%s' are both none of '%s'", b->dim[*side], b->dim[d],
                           b->name, s->a->name);
        *side = d;
    }
    return VV_OK;
}

static vv_status solved(vv_array *a, vv_array *b, vv_array **out)
{
    int side;
    VV_TRY(vv_array_status(b));
    stack s = stack_of(a);
    VV_TRY(check_square(&s, "a solution"));
    VV_TRY(find_side(&s, b, &side));
    if (side < 0)
        snprintf(s.signature, sizeof s.signature, "(%s,%s),(%s)->(%s)", s.rows, s.columns, s.rows, s.columns);
    else
        snprintf(s.signature, sizeof s.signature, "(%s,%s),(%s,%s)->(%s,%s)", s.rows, s.columns, s.rows, b->dim[side],
                 s.columns, b->dim[side]);
    *out = called(&s, vv_stacked_solve, b, side < 0 ? 0 : b->shape.n[side], false);
    return vv_array_status(*out);
}

vv_array *vv_node_stack_solve(vv_array *a, vv_array *b)
{
    vv_making m = vv_making_begin(a->context);
    vv_array *out = NULL;
    vv_making_end(&m, (vv_array * *const[]){&out}, 1, solved(a, b, &out));
    return out;
}

/* --- factors of any shape --- */

/* (r,c)->(r,to) and the like, with the new dimension's length. */
static vv_array *factor(stack *s, vv_gufunc_function *f, const char *to, const char *first, const char *second,
                        bool real)
{
    snprintf(s->dims, sizeof s->dims, "%s:%lld", to, (long long)vv_imin(s->n_rows, s->n_columns));
    snprintf(s->signature, sizeof s->signature, second ? "(%s,%s)->(%s,%s)" : "(%s,%s)->(%s)", s->rows, s->columns,
             first, second);
    return called(s, f, NULL, 0, real);
}

static vv_status check_any(const stack *s, const char *to, const char *what)
{
    VV_TRY(vv_node_check_name(s->a, to));
    if (s->n_rows > 0 && s->n_columns > 0) return VV_OK;
    return vv_fail(VV_ERR_SHAPE, "%s of '%s', which has no elements along '%s' or '%s'", what, s->a->name, s->rows,
                   s->columns);
}

static vv_status factored(vv_array *a, const char *to, vv_array **q, vv_array **r)
{
    stack s = stack_of(a);
    VV_TRY(check_any(&s, to, "QR"));
    if (q) *q = factor(&s, vv_stacked_qr_q, to, s.rows, to, false);
    if (r) *r = factor(&s, vv_stacked_qr_r, to, to, s.columns, false);
    return VV_OK;
}

void vv_node_stack_qr(vv_array *a, const char *to, vv_array **q, vv_array **r)
{
    vv_making m = vv_making_begin(a->context);
    vv_making_end(&m, (vv_array * *const[]){q, r}, 2, factored(a, to, q, r));
}

static vv_array *turned(vv_array *a, const char *one, const char *other)
{
    return a->status == VV_OK ? vv_swapaxes(a, one, other) : a;
}

/* Of wide matrices: those of the transposed ones, where left and right change places. */
static vv_status values(vv_array *a, const char *to, vv_array **u, vv_array **s, vv_array **v)
{
    stack x = stack_of(a);
    bool wide = x.n_rows < x.n_columns;
    VV_TRY(check_any(&x, to, "singular values"));
    if (wide) {
        x.rows = a->dim[a->shape.nd - 1], x.columns = a->dim[a->shape.nd - 2];
        x.n_rows = a->shape.n[a->shape.nd - 1], x.n_columns = a->shape.n[a->shape.nd - 2];
    }
    vv_array **left = wide ? v : u, **right = wide ? u : v;
    if (left) *left = factor(&x, vv_stacked_svd_u, to, x.rows, to, false);
    if (s) *s = factor(&x, vv_stacked_svd_s, to, to, NULL, true);
    if (right) *right = factor(&x, vv_stacked_svd_v, to, to, x.columns, false);
    if (wide && left) *left = turned(*left, to, x.rows);
    if (wide && right) *right = turned(*right, to, x.columns);
    return VV_OK;
}

void vv_node_stack_svd(vv_array *a, const char *to, vv_array **u, vv_array **s, vv_array **v)
{
    vv_making m = vv_making_begin(a->context);
    vv_making_end(&m, (vv_array * *const[]){u, s, v}, 3, values(a, to, u, s, v));
}

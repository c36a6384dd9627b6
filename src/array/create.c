/* Arrays of positions: evenly spaced numbers, and what follows from comparing them along several dimensions - identities, triangles, meshes. */
#include "array/build.h"

#include "varve/create.h"
#include "varve/move.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

vv_array *vv_node_about(vv_array *made, const vv_array *in)
{
    if (made->status != VV_OK) return made;
    if (!made->origin) made->origin = in->origin;
    free(made->name);
    vv_status status = vv_strdup(&made->name, in->name);
    if (status == VV_OK && made->attrs.n == 0) status = vv_attrs_copy(&made->attrs, &in->attrs);
    return vv_node_settle(made->context, made, status);
}

vv_array *vv_node_sequence(vv_context *c, const char *dim, vv_index n, double a, double b, vv_dtype dtype)
{
    vv_array *x = vv_node_new(c, VV_NODE_RANDOM, dim);
    if (x->status != VV_OK) return x;
    x->dtype = dtype;
    x->random = (vv_random){.kind = vv_random_sequence, .a = a, .b = b};
    return vv_node_settle(c, x, vv_node_set_dim(x, 0, dim, n));
}

/* --- evenly spaced --- */

static bool whole(double x)
{
    return x == trunc(x) && fabs(x) < 0x1p53;
}

static vv_status check_range(const char *dim, double start, double stop, double step, vv_dtype dtype, vv_index *n)
{
    double count = ceil((stop - start) / step);
    *n = 0;
    if (!isfinite(start) || !isfinite(stop) || !isfinite(step) || step == 0)
        return vv_fail(VV_ERR_USAGE, "'%s' cannot go from %g to %g by %g", dim, start, stop, step);
    if (count >= 0x1p53)
        return vv_fail(VV_ERR_SHAPE, "'%s' from %g to %g by %g has too many elements", dim, start, stop, step);
    if (vv_working_type(dtype) == VV_NONE) return vv_fail(VV_ERR_TYPE, "%s holds no numbers", vv_dtype_name(dtype));
    if (!vv_dtype_is_float(dtype) && (!whole(start) || !whole(step)))
        return vv_fail(VV_ERR_TYPE, "'%s' from %g by %g is not made of %s", dim, start, step, vv_dtype_name(dtype));
    if (count > 0) *n = (vv_index)count;
    return VV_OK;
}

vv_array *vv_node_arange(vv_context *c, const char *dim, double start, double stop, double step, vv_dtype dtype)
{
    vv_index n;
    if (check_range(dim, start, stop, step, dtype, &n) != VV_OK) return vv_node_inert(c);
    if (!vv_dtype_is_float(dtype)) {
        vv_array *x = vv_node_sequence(c, dim, n, start, step, VV_I64);
        return vv_node_then(x, vv_astype(x, dtype));
    }
    vv_array *x = vv_node_sequence(c, dim, n, start, start + step - start, VV_F64); /* the step as NumPy has it */
    return vv_node_then(x, vv_astype(x, dtype));
}

/* The last element is `stop` itself, whatever the sum of the steps is. */
vv_array *vv_node_linspace(vv_context *c, const char *dim, double start, double stop, vv_index n, bool open)
{
    if (n < 0 || !isfinite(start) || !isfinite(stop)) {
        (void)vv_fail(VV_ERR_USAGE, "'%s' cannot be %lld numbers from %g to %g", dim, (long long)n, start, stop);
        return vv_node_inert(c);
    }
    double step = (stop - start) / (double)vv_imax(1, open ? n : n - 1);
    bool ends = !open && n > 1;
    vv_array *x = vv_node_sequence(c, dim, ends ? n - 1 : n, start, step, VV_F64);
    return ends ? vv_node_then(x, vv_pad(x, dim, 0, 1, "constant", stop)) : x;
}

/* --- of positions --- */

/* Positions along dimension d of an array, plus `add`. */
static vv_array *positions(const vv_array *a, int d, vv_index add)
{
    return vv_node_sequence(a->context, a->dim[d], a->shape.n[d], (double)add, 1, VV_I64);
}

/* Whether, at each element of `shape`, its position along d stands so to that along e plus k: "equal", "less_equal". As `shape` has its dimensions. */
static vv_array *compared(vv_array *shape, int d, const char *how, int e, vv_index k)
{
    vv_array *left = positions(shape, d, 0), *right = positions(shape, e, k);
    vv_array *is = vv_node_elementwise(shape->context, how, (vv_array *[]){left, right}, 2);
    vv_release(&left);
    vv_release(&right);
    return vv_node_then(is, vv_node_seen_as(is, shape, NULL, -1, NULL));
}

static vv_array *diagonal_is_one(vv_context *c, const char *dims, const char *how, vv_index k, vv_dtype dtype)
{
    vv_array *shape = vv_node_full(c, dims, NULL, 0, dtype);
    if (shape->status == VV_OK && shape->shape.nd != 2) {
        (void)vv_fail(VV_ERR_SHAPE, "a diagonal needs two dimensions, not '%s'", dims);
        shape = vv_node_then(shape, vv_node_inert(c));
    }
    if (shape->status != VV_OK) return shape;
    vv_array *is = compared(shape, 1, how, 0, k);
    vv_release(&shape);
    return vv_node_then(is, vv_astype(is, dtype));
}

vv_array *vv_node_eye(vv_context *c, const char *dims, vv_index k, vv_dtype dtype)
{
    return diagonal_is_one(c, dims, "equal", k, dtype);
}

vv_array *vv_node_tri(vv_context *c, const char *dims, vv_index k, vv_dtype dtype)
{
    return diagonal_is_one(c, dims, "less_equal", k, dtype);
}

/* Elements where a condition holds, zero elsewhere. */
static vv_array *where_else_zero(vv_array *condition, vv_array *a)
{
    vv_array *zero = vv_node_full(a->context, "", NULL, 0, a->dtype);
    vv_array *out = vv_node_elementwise(a->context, "where", (vv_array *[]){condition, a, zero}, 3);
    vv_release(&zero);
    return out;
}

static vv_array *triangle(vv_array *a, const char *rows, const char *columns, const char *how, vv_index k)
{
    int r, q;
    if (vv_array_status(a) != VV_OK || vv_node_find_dim(a, rows, &r) != VV_OK ||
        vv_node_find_dim(a, columns, &q) != VV_OK)
        return vv_node_inert(a->context);
    if (r == q) {
        (void)vv_fail(VV_ERR_USAGE, "'%s': rows and columns are both '%s'", a->name, rows);
        return vv_node_inert(a->context);
    }
    vv_array *is = compared(a, q, how, r, k);
    return vv_node_about(vv_node_then(is, where_else_zero(is, a)), a);
}

vv_array *vv_tril(vv_array *a, const char *rows, const char *columns, vv_index k)
{
    return triangle(a, rows, columns, "less_equal", k);
}

vv_array *vv_triu(vv_array *a, const char *rows, const char *columns, vv_index k)
{
    return triangle(a, rows, columns, "greater_equal", k);
}

/* Element i lies at (i, i + k), or (i - k, i): the vector is padded by what the diagonal leaves out and stands in every column. */
vv_array *vv_diag(vv_array *a, const char *rows, const char *columns, vv_index k)
{
    vv_context *c = a->context;
    if (vv_array_status(a) != VV_OK) return vv_node_inert(c);
    if (a->shape.nd != 1 || !strcmp(rows, columns)) {
        (void)vv_fail(VV_ERR_SHAPE, "diag makes rows '%s' and columns '%s' of one dimension; '%s' has %d", rows,
                      columns, a->name, a->shape.nd);
        return vv_node_inert(c);
    }
    const char *dim = a->dim[0];
    vv_index n = a->shape.n[0], size = n + (k < 0 ? -k : k);
    vv_array *x = vv_pad(a, dim, k > 0 ? k : 0, k < 0 ? -k : 0, "constant", 0);
    if (strcmp(dim, columns)) x = vv_node_then(x, vv_rename(x, dim, columns));
    x = vv_node_then(x, vv_expand(x, rows, size, 0));
    if (x->status != VV_OK) return x;
    vv_array *is = compared(x, 1, "equal", 0, k);
    vv_array *out = where_else_zero(is, x);
    vv_release(&is);
    return vv_node_about(vv_node_then(x, out), a);
}

/* --- meshes --- */

vv_array *vv_node_indices(vv_context *c, const char *dims, const char *axis, vv_dtype dtype)
{
    vv_array *along[VV_MAX_DIMS], *shape = vv_node_full(c, dims, NULL, 0, VV_I64);
    int n = shape->status == VV_OK ? shape->shape.nd : 0;
    if (n == 0 || vv_node_dim(shape, axis) >= 0) {
        if (shape->status == VV_OK)
            (void)vv_fail(VV_ERR_SHAPE, "indices need dimensions, and '%s' for a new one: '%s'", axis, dims);
        vv_array *inert = vv_node_inert(c);
        vv_release(&shape);
        return inert;
    }
    for (int d = 0; d < n; d++) {
        vv_array *x = positions(shape, d, 0);
        x = vv_node_then(x, vv_node_seen_as(x, shape, NULL, -1, NULL));
        along[d] = vv_node_then(x, vv_astype(x, dtype));
    }
    vv_array *out = vv_node_stack(c, along, n, axis);
    for (int d = 0; d < n; d++) vv_release(&along[d]);
    vv_release(&shape);
    return out;
}

/* --- at random --- */

/* Positions 0 .. n - 1 in an order of the seed's: Fisher and Yates' shuffle of the first `wanted`. */
static void shuffle(vv_index at[], vv_index n, vv_index wanted, uint64_t seed)
{
    enum { MANY = 1024, BITS = 62 };
    int64_t bits[MANY];
    vv_random r = {.kind = vv_random_find("integers"), .seed = seed, .a = 0, .b = (double)((int64_t)1 << BITS)};
    for (vv_index i = 0; i < n; i++) at[i] = i;
    for (vv_index i = 0; i < wanted; i++) {
        if (i % MANY == 0) vv_random_fill(&r, VV_I64, i, MANY, bits);
        vv_index k = i + (vv_index)((unsigned __int128)bits[i % MANY] * (uint64_t)(n - i) >> BITS);
        vv_index swap = at[i];
        at[i] = at[k];
        at[k] = swap;
    }
}

vv_array *vv_choice(vv_array *a, const char *dim, vv_index n, bool again, uint64_t seed)
{
    int d;
    vv_index *at;
    if (vv_array_status(a) != VV_OK || vv_node_find_dim(a, dim, &d) != VV_OK) return vv_node_inert(a->context);
    vv_index have = a->shape.n[d];
    if (n < 0 || (n > 0 && have == 0) || (n > have && !again)) {
        (void)vv_fail(VV_ERR_USAGE, "'%s' has %lld elements along '%s': %lld cannot be chosen", a->name,
                      (long long)have, dim, (long long)n);
        return vv_node_inert(a->context);
    }
    if (vv_new(&at, (size_t)vv_imax(n, have) + 1, sizeof *at) != VV_OK) return vv_node_inert(a->context);
    vv_random r = {.kind = vv_random_find("integers"), .seed = seed, .a = 0, .b = (double)have};
    if (again)
        vv_random_fill(&r, VV_I64, 0, n, at);
    else
        shuffle(at, have, n, seed);
    vv_array *out = vv_take(a, dim, at, n);
    free(at);
    return out;
}

vv_array *vv_permutation(vv_array *a, const char *dim, uint64_t seed)
{
    int d;
    if (vv_array_status(a) != VV_OK || vv_node_find_dim(a, dim, &d) != VV_OK) return vv_node_inert(a->context);
    return vv_choice(a, dim, a->shape.n[d], false, seed);
}

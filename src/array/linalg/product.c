/* Products summed over dimensions: of matrices, of anything with anything, by names (by letters: einsum.c).
 *
 * All of them are one kind of node of two factors. Its work has the dimensions of the result and then those that are summed over; a dimension that both
 * factors have is one of the work, so it is matched element by element. Which are the same, and which are summed over, is all that the functions here decide. */
#include "array/linalg/product.h"

#include "varve/move.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- the node --- */

static vv_status check_lengths(const vv_pairing *p, vv_array *const factor[2])
{
    const vv_array *a = factor[0], *b = factor[1];
    for (int d = 0; d < b->shape.nd; d++) {
        int k = p->same[d];
        if (k < 0 || a->shape.n[k] == b->shape.n[d]) continue;
        char both[VV_TWO_TEXT];
        return vv_fail(VV_ERR_SHAPE, "%s: factors do not line up along '%s' and '%s': %s", p->what, a->dim[k],
                       b->dim[d], vv_describe_two(a, b, both));
    }
    return VV_OK;
}

static vv_status add_dim(vv_array *a, const vv_pairing *p, int k, int d)
{
    const vv_array *in = a->input[k];
    if (a->shape.nd == VV_MAX_DIMS) return vv_fail(VV_ERR_SHAPE, "%s: more than %d dimensions", p->what, VV_MAX_DIMS);
    a->work_dim[k][d] = a->shape.nd;
    if (vv_node_dim(a, in->dim[d]) < 0) return vv_node_like_dim(a, a->shape.nd, in, d);
    if (k > 0 && p->label[d] && vv_node_dim(a, p->label[d]) < 0)
        return vv_node_set_dim(a, a->shape.nd, p->label[d], in->shape.n[d]);
    return vv_fail(VV_ERR_SHAPE, "%s: both '%s' and '%s' have a dimension '%s'; vv_rename() it in one of them", p->what,
                   a->input[0]->name, in->name, in->dim[d]);
}

static vv_status product_dims(vv_array *a, const vv_pairing *p)
{
    for (int k = 0; k < 2; k++)
        for (int d = 0; d < a->input[k]->shape.nd; d++)
            if (!p->summed[k][d] && (k == 0 || p->same[d] < 0)) VV_TRY(add_dim(a, p, k, d));
    for (int d = 0; d < a->input[0]->shape.nd; d++)
        if (p->summed[0][d]) a->work_dim[0][d] = a->shape.nd + a->n_summed++;
    for (int d = 0; d < a->input[1]->shape.nd; d++)
        if (p->same[d] >= 0) a->work_dim[1][d] = a->work_dim[0][p->same[d]];
    if (a->shape.nd + a->n_summed <= VV_MAX_DIMS) return VV_OK;
    return vv_fail(VV_ERR_SHAPE, "%s: more than %d dimensions in all", p->what, VV_MAX_DIMS);
}

static vv_status fill_product(vv_array *a, vv_array *const factor[2], const vv_pairing *p)
{
    for (int k = 0; k < 2; k++) {
        VV_TRY(vv_node_input(a, factor[k]));
        if (!a->origin) a->origin = factor[k]->origin;
    }
    if (factor[0]->dtype != factor[1]->dtype)
        return vv_fail(VV_ERR_TYPE, "%s: '%s' is %s, '%s' is %s", p->what, factor[0]->name,
                       vv_dtype_name(factor[0]->dtype), factor[1]->name, vv_dtype_name(factor[1]->dtype));
    a->dtype = factor[0]->dtype;
    return product_dims(a, p);
}

/* Integers stay integers, as NumPy has them; with reals they are reals. */
static void as_factors(vv_array *left, vv_array *right, vv_array *factor[2])
{
    vv_array *in[] = {left, right};
    vv_dtype both = VV_NONE;
    if (left->status == VV_OK && right->status == VV_OK) both = vv_dtype_promote(left->dtype, right->dtype);
    bool whole =
        both != VV_NONE && both != VV_BOOL && (vv_working_type(both) == VV_I64 || vv_working_type(both) == VV_U64);
    for (int k = 0; k < 2; k++) factor[k] = whole ? vv_astype(in[k], both) : vv_node_as_real(in[k]);
}

/* Of one part of each factor. */
static vv_array *product_of_parts(vv_array *left, bool left_imaginary, vv_array *right, bool right_imaginary,
                                  const vv_pairing *p)
{
    vv_array *part[] = {vv_node_part(left, left_imaginary), vv_node_part(right, right_imaginary)};
    vv_array *made = vv_node_product(part[0], part[1], p);
    for (int i = 0; i < 2; i++) vv_release(&part[i]);
    return made;
}

/* Four products of the parts, or two where one factor is real. */
static vv_array *complex_product(vv_array *left, vv_array *right, const vv_pairing *p)
{
    bool l = vv_dtype_is_complex(left->dtype), r = vv_dtype_is_complex(right->dtype);
    vv_array *re = product_of_parts(left, false, right, false, p), *im = product_of_parts(left, !r, right, r, p);
    if (l && r) {
        vv_array *more[] = {product_of_parts(left, true, right, true, p),
                            product_of_parts(left, true, right, false, p)};
        re = vv_node_then(re, vv_sub(re, more[0]));
        im = vv_node_then(im, vv_add(im, more[1]));
        for (int i = 0; i < 2; i++) vv_release(&more[i]);
    }
    return vv_node_of_parts(re, im);
}

/* --- one number --- */

static bool all_summed(const vv_array *left, const vv_array *right, const vv_pairing *p)
{
    for (int d = 0; d < left->shape.nd; d++)
        if (!p->summed[0][d]) return false;
    return left->shape.nd == right->shape.nd;
}

/* `right` with the names that its dimensions have in `left`; by other ones, lest two change places. */
static vv_array *called_alike(const vv_array *left, vv_array *right, const vv_pairing *p)
{
    vv_array *a = vv_node_again(right);
    char name[VV_MAX_DIMS][16];
    for (int round = 0; round < 2; round++)
        for (int d = 0; d < right->shape.nd; d++) {
            const char *to = left->dim[p->same[d]];
            if (!strcmp(right->dim[d], to)) continue;
            snprintf(name[d], sizeof name[d], "?%d", d);
            a = vv_node_then(a, round ? vv_rename(a, name[d], to) : vv_rename(a, right->dim[d], name[d]));
        }
    return a;
}

/* Of vectors, and of whatever has no other dimensions: elements are multiplied and added up where they are read, and nothing is kept for a product of matrices. */
static vv_array *inner_product(vv_array *const factor[2], const vv_pairing *p)
{
    const vv_reduce_options all = {.keep_nan = true};
    vv_dtype type = factor[0]->dtype, wide = vv_dtype_is_float(type) ? VV_F64 : type;
    vv_array *left = vv_astype(factor[0], wide), *named = called_alike(factor[0], factor[1], p);
    vv_array *right = vv_node_then(named, vv_astype(named, wide)), *each = vv_mul(left, right);
    vv_array *sum = vv_node_then(each, vv_reduce(each, "sum", NULL, &all)),
             *a = vv_node_then(sum, vv_astype(sum, type));
    vv_release(&left);
    vv_release(&right);
    if (a->status == VV_OK) vv_attrs_free(&a->attrs);
    return a;
}

/* Something is summed over; what is, both factors have. */
vv_array *vv_node_product(vv_array *left, vv_array *right, const vv_pairing *p)
{
    vv_context *c = left->context ? left->context : right->context;
    if (vv_nodes_usable((vv_array *[]){left, right}, 2) != VV_OK) return vv_node_inert(c);
    if (vv_dtype_is_complex(left->dtype) || vv_dtype_is_complex(right->dtype)) return complex_product(left, right, p);
    vv_array *factor[2];
    as_factors(left, right, factor);
    vv_status status = vv_nodes_usable(factor, 2);
    if (status == VV_OK) status = check_lengths(p, factor);
    bool one = status == VV_OK && factor[0]->dtype == factor[1]->dtype && all_summed(left, right, p);
    vv_array *a = one               ? inner_product(factor, p)
                  : status == VV_OK ? vv_node_new(c, VV_NODE_PRODUCT, left->name)
                                    : vv_node_inert(c);
    if (a->status == VV_OK && !one) a = vv_node_settle(c, a, fill_product(a, factor, p));
    for (int i = 0; i < 2; i++) vv_release(&factor[i]);
    return a;
}

/* --- by names --- */

void vv_pairing_begin(vv_pairing *p, const char *what)
{
    *p = (vv_pairing){.what = what};
    for (int d = 0; d < VV_MAX_DIMS; d++) p->same[d] = -1;
}

static vv_status sum_over(vv_pairing *p, const vv_array *a, const vv_array *b, int i, int k)
{
    if (p->summed[0][i] || p->summed[1][k])
        return vv_fail(VV_ERR_USAGE, "%s: dimension '%s' is named twice", p->what,
                       p->summed[0][i] ? a->dim[i] : b->dim[k]);
    p->summed[0][i] = p->summed[1][k] = true;
    p->same[k] = i;
    return VV_OK;
}

/* Names in `of_a` and in `of_b`, pair by pair. */
static vv_status pair_up(vv_pairing *p, const vv_array *a, const vv_array *b, const char *of_a, const char *of_b)
{
    for (int n = 0;; n++) {
        int i, k;
        VV_TRY(vv_next_dim(a, &of_a, &i));
        VV_TRY(vv_next_dim(b, &of_b, &k));
        if ((i < 0) != (k < 0)) return vv_fail(VV_ERR_USAGE, "%s: lists of different length", p->what);
        if (i < 0 && n == 0) return vv_fail(VV_ERR_USAGE, "%s: no dimension to sum over", p->what);
        if (i < 0) return VV_OK;
        VV_TRY(sum_over(p, a, b, i, k));
    }
}

static vv_array *by_names(const char *what, vv_array *a, vv_array *b, const char *of_a, const char *of_b)
{
    vv_pairing p;
    vv_context *c = a->context ? a->context : b->context;
    if (vv_nodes_usable((vv_array *[]){a, b}, 2) != VV_OK) return vv_node_inert(c);
    vv_pairing_begin(&p, what);
    if (pair_up(&p, a, b, of_a, of_b) != VV_OK) return vv_node_inert(c);
    return vv_node_product(a, b, &p);
}

vv_array *vv_matmul(vv_array *left, vv_array *right, const char *dims)
{
    return by_names("matmul", left, right, dims, dims);
}

vv_array *vv_tensordot(vv_array *left, vv_array *right, const char *left_dims, const char *right_dims)
{
    return by_names("tensordot", left, right, left_dims, right_dims);
}

static vv_status same_names(vv_pairing *p, const vv_array *a, const vv_array *b, const char *dims, bool *any)
{
    for (int k = 0; k < b->shape.nd; k++) {
        p->same[k] = vv_node_dim(a, b->dim[k]);
        if (dims || p->same[k] < 0) continue;
        p->summed[0][p->same[k]] = p->summed[1][k] = *any = true;
    }
    while (dims) {
        int i, k;
        const char *again = dims;
        VV_TRY(vv_next_dim(a, &dims, &i));
        VV_TRY(vv_next_dim(b, &again, &k));
        if (i < 0) return VV_OK;
        *any = true;
        VV_TRY(sum_over(p, a, b, i, k));
    }
    return VV_OK;
}

vv_array *vv_dot(vv_array *left, vv_array *right, const char *dims)
{
    vv_pairing p;
    bool any = false;
    vv_context *c = left->context ? left->context : right->context;
    if (vv_nodes_usable((vv_array *[]){left, right}, 2) != VV_OK) return vv_node_inert(c);
    vv_pairing_begin(&p, "dot");
    if (same_names(&p, left, right, dims, &any) != VV_OK) return vv_node_inert(c);
    return any ? vv_node_product(left, right, &p) : vv_multiply(left, right);
}

/* --- statistics made of products --- */

/* What is left of the mean along a dimension. NaN stays, as in NumPy. */
static vv_array *anomaly(vv_array *a, const char *dim)
{
    vv_array *mean = vv_reduce(a, "mean", dim, &(vv_reduce_options){.keep_nan = true});
    vv_array *left = vv_subtract(a, mean);
    vv_release(&mean);
    return left;
}

static vv_status find_variables(const vv_array *a, const char *dim, int *out)
{
    int d;
    VV_TRY(vv_node_find_dim(a, dim, &d));
    if (a->shape.nd != 2)
        return vv_fail(VV_ERR_SHAPE,
                       "a covariance matrix is of two dimensions, variables and observations: '%s' has %d", a->name,
                       a->shape.nd);
    *out = 1 - d;
    return VV_OK;
}

/* A product of a transposed one with itself, divided by n - ddof. */
static vv_array *squares(vv_array *a, const char *dim, int variables, const char *other, double ddof)
{
    vv_array *transposed = vv_rename(a, a->dim[variables], other);
    if (vv_dtype_is_complex(a->dtype)) transposed = vv_node_of("conjugate", transposed, NULL);
    vv_array *sum = vv_matmul(a, transposed, dim);
    vv_array *n = vv_node_scalar(a->context, (double)a->shape.n[1 - variables] - ddof), *out = vv_divide(sum, n);
    vv_release(&transposed);
    vv_release(&sum);
    vv_release(&n);
    return out;
}

vv_array *vv_cov_matrix(vv_array *in, const char *dim, const char *other, double ddof)
{
    int variables = 0;
    if (vv_nodes_usable(&in, 1) != VV_OK || find_variables(in, dim, &variables) != VV_OK)
        return vv_node_inert(in->context);
    vv_array *x = vv_node_as_inexact(in), *a = anomaly(x, dim);
    vv_array *out = a->status == VV_OK ? squares(a, dim, variables, other, ddof) : vv_node_again(a);
    vv_release(&x);
    vv_release(&a);
    return out;
}

vv_array *vv_corrcoef(vv_array *in, const char *dim, const char *other)
{
    int variables = 0;
    if (vv_nodes_usable(&in, 1) != VV_OK || find_variables(in, dim, &variables) != VV_OK)
        return vv_node_inert(in->context);
    vv_array *cov = vv_cov_matrix(in, dim, other, 1);
    vv_array *deviation = vv_reduce(in, "std", dim, &(vv_reduce_options){.keep_nan = true, .ddof = 1});
    vv_array *across = vv_rename(deviation, in->dim[variables], other), *half = vv_divide(cov, deviation);
    vv_array *out = vv_divide(half, across);
    vv_array *all[] = {cov, deviation, across, half};
    for (int i = 0; i < 4; i++) vv_release(&all[i]);
    return out;
}

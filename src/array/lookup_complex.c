/* Different complex numbers, and looking them up. A complex number is the number of its real part among the different ones there are, times how many different imaginary parts there are,
 * plus the number of its imaginary part: whole numbers in the same order, for which there are tables. Everything with NaN is one number behind them, as NumPy has it. */
#include "array/build.h"

#include "varve/count.h"
#include "varve/move.h"

#include <math.h>
#include <stdlib.h>

/* The different parts of an array's elements, and how many there are. */
typedef struct parts {
    vv_array *value[2]; /* real, imaginary */
    vv_index n[2];
} parts;

static void forget(parts *p)
{
    for (int i = 0; i < 2; i++) vv_release(&p->value[i]);
}

/* at: NULL, or an array of two: the number of each element's part. */
static vv_status find_parts(vv_array *a, parts *p, vv_array *at[])
{
    for (int i = 0; i < 2; i++) {
        vv_array *part = vv_node_part(a, i > 0);
        p->value[i] = vv_node_then(part, vv_unique(part, "part", NULL, at ? &at[i] : NULL));
        VV_TRY(vv_array_status(p->value[i]));
        p->n[i] = p->value[i]->shape.n[0];
    }
    return VV_OK;
}

/* at[]: taken over. */
static vv_array *code_of(const parts *p, vv_array *at[2])
{
    vv_context *c = p->value[0]->context;
    return vv_node_of("add", vv_node_of("multiply", at[0], vv_node_whole(c, (double)p->n[1])), at[1]);
}

/* --- different ones --- */

static vv_array *least_beside_nan(vv_array *a, bool imaginary)
{
    vv_array *nan = vv_node_of("isnan", vv_node_part(a, !imaginary), NULL), *part = vv_node_part(a, imaginary);
    vv_array *in[] = {nan, part, vv_node_scalar(a->context, (double)NAN)};
    vv_array *some = vv_node_elementwise(a->context, "where", in, 3);
    for (int i = 0; i < 3; i++) vv_release(&in[i]);
    vv_array *wide = vv_node_then(some, vv_astype(some, VV_F64));
    return vv_node_then(wide, vv_reduce(wide, "min", NULL, NULL));
}

/* Of all that has NaN the first one in order: that with the least real part; without one that with the least imaginary part. */
static vv_status first_with_nan(vv_array *a, double out[2])
{
    vv_array *least[] = {least_beside_nan(a, false), least_beside_nan(a, true)};
    vv_array *both = vv_node_stack(a->context, least, 2, "part");
    vv_status status = vv_array_status(both);
    if (status == VV_OK) status = a->context->compute(both, out, 2 * (vv_bytes)sizeof *out);
    for (int i = 0; i < 2; i++) vv_release(&least[i]);
    vv_release(&both);
    if (!isnan(out[0])) out[1] = (double)NAN;
    return status;
}

/* An array's elements as f64 or i64, which are its type. */
static vv_status values_of(vv_array *a, vv_dtype type, void *out)
{
    void **to = out;
    vv_index n = vv_shape_elements(&a->shape);
    VV_TRY(vv_new(to, (size_t)n + 1, 8));
    if (n == 0) return VV_OK;
    vv_array *as = vv_astype(a, type);
    vv_status status = vv_array_status(as);
    if (status == VV_OK) status = a->context->compute(as, *to, 8 * n);
    vv_release(&as);
    return status;
}

/* What codes stand for: n of them, ascending. */
static vv_status decode(vv_array *a, const parts *p, const int64_t code[], vv_index n, double *value[2])
{
    double *part[2] = {NULL, NULL}, nan[2];
    vv_status status = VV_OK;
    bool any_nan = n > 0 && code[n - 1] == p->n[0] * p->n[1];
    for (int i = 0; i < 2 && status == VV_OK; i++) {
        status = values_of(p->value[i], VV_F64, &part[i]);
        if (status == VV_OK) status = vv_new(&value[i], (size_t)n + 1, sizeof *value[i]);
    }
    for (vv_index k = 0; k < n - any_nan && status == VV_OK; k++) {
        value[0][k] = part[0][code[k] / p->n[1]];
        value[1][k] = part[1][code[k] % p->n[1]];
    }
    if (status == VV_OK && any_nan) status = first_with_nan(a, nan);
    for (int i = 0; i < 2 && status == VV_OK && any_nan; i++) value[i][n - 1] = nan[i];
    for (int i = 0; i < 2; i++) free(part[i]);
    return status;
}

static vv_array *listed(vv_array *a, const parts *p, vv_array *codes, const char *dim)
{
    double *value[2] = {NULL, NULL};
    int64_t *code = NULL;
    vv_context *c = a->context;
    vv_array *out = vv_node_inert(c), *part[2];
    vv_status status = values_of(codes, VV_I64, &code);
    vv_index n = codes->shape.n[0];
    if (status == VV_OK) status = decode(a, p, code, n, value);
    if (status == VV_OK) {
        for (int i = 0; i < 2; i++) part[i] = vv_node_listed(c, dim, n, value[i], VV_F64, VV_F64);
        out = vv_node_of_parts(part[0], part[1]);
        out = vv_node_then(out, vv_astype(out, a->dtype));
    }
    for (int i = 0; i < 2; i++) free(value[i]);
    free(code);
    return vv_node_settle(c, out, status);
}

vv_array *vv_node_unique_complex(vv_array *a, const char *new_dim, vv_array **counts, vv_array **inverse)
{
    parts p = {0};
    vv_array *at[2] = {NULL, NULL}, *out = vv_node_inert(a->context);
    if (counts) *counts = vv_node_inert(a->context);
    if (inverse) *inverse = vv_node_inert(a->context);
    if (find_parts(a, &p, at) == VV_OK) {
        vv_array *in[] = {vv_node_of("isnan", vv_node_again(a), NULL),
                          vv_node_whole(a->context, (double)(p.n[0] * p.n[1])), code_of(&p, at)};
        vv_array *code = vv_node_elementwise(a->context, "where", in, 3);
        for (int i = 0; i < 3; i++) vv_release(&in[i]);
        vv_array *codes = vv_node_then(code, vv_unique(code, new_dim, counts, inverse));
        if (codes->status == VV_OK) out = listed(a, &p, codes, new_dim);
        vv_release(&codes);
    } else {
        for (int i = 0; i < 2; i++) vv_release(&at[i]);
    }
    forget(&p);
    return out;
}

/* --- looked up --- */

static vv_array *each_code(const parts *p, vv_array *a)
{
    vv_array *at[2];
    for (int i = 0; i < 2; i++) {
        vv_array *part = vv_node_part(a, i > 0);
        at[i] = vv_node_then(part, vv_searchsorted(p->value[i], part, false));
    }
    return code_of(p, at);
}

/* Both parts occur, and together. */
static vv_array *occurs(const parts *p, vv_array *a, vv_array *in)
{
    vv_array *code[] = {each_code(p, in), each_code(p, a)}, *both = vv_isin(code[0], code[1], false);
    for (int i = 0; i < 2; i++) {
        vv_array *part = vv_node_part(in, i > 0);
        both = vv_node_of("logical_and", both, vv_node_then(part, vv_isin(part, p->value[i], false)));
        vv_release(&code[i]);
    }
    return both;
}

vv_array *vv_node_union_complex(vv_array *a, vv_array *b, const char *new_dim)
{
    vv_array *in[] = {a, b}, *flat[2];
    for (int i = 0; i < 2; i++) {
        vv_array *as = vv_astype(in[i], vv_dtype_promote(a->dtype, b->dtype));
        flat[i] = vv_node_then(as, vv_ravel(as, new_dim));
    }
    vv_array *both = vv_node_concat(a->context, flat, 2, new_dim);
    for (int i = 0; i < 2; i++) vv_release(&flat[i]);
    return vv_node_then(both, vv_unique(both, new_dim, NULL, NULL));
}

vv_array *vv_node_isin_complex(vv_array *in, vv_array *set, bool invert)
{
    parts p = {0};
    vv_array *wide[] = {vv_astype(in, VV_C128), vv_astype(set, VV_C128)}, *out = vv_node_inert(in->context);
    if (vv_nodes_usable(wide, 2) == VV_OK && find_parts(wide[1], &p, NULL) == VV_OK) out = occurs(&p, wide[1], wide[0]);
    if (invert) out = vv_node_of("logical_not", out, NULL);
    forget(&p);
    for (int i = 0; i < 2; i++) vv_release(&wide[i]);
    return out;
}

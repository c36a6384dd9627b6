/* Products summed over dimensions: of matrices, of anything with anything, by names or by letters.
 *
 * All of them are one kind of node of two factors. Its work has the dimensions of the result and then those that are summed over; a dimension that both
 * factors have is one of the work, so it is matched element by element. Which are the same, and which are summed over, is all that the functions here decide. */
#include "array/build.h"

#include "varve/move.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What becomes of the dimensions of two factors. */
typedef struct pairing {
    const char *what;            /* for messages: "matmul" */
    int same[VV_MAX_DIMS];       /* dimension of the first one that is dimension d of the second one, or -1 */
    bool summed[2][VV_MAX_DIMS]; /* those of the first one, those of the second one */
    const char
        *label[VV_MAX_DIMS]; /* of the second one: its name in the result if its own is taken; NULL: that is an error */
} pairing;

/* --- the node --- */

static vv_status check_lengths(const pairing *p, vv_array *const factor[2])
{
    const vv_array *a = factor[0], *b = factor[1];
    for (int d = 0; d < b->shape.nd; d++) {
        int k = p->same[d];
        if (k < 0 || a->shape.n[k] == b->shape.n[d]) continue;
        return vv_fail(VV_ERR_SHAPE, "%s over '%s': '%s' has %lld elements, '%s' has %lld", p->what, a->dim[k], a->name,
                       (long long)a->shape.n[k], b->name, (long long)b->shape.n[d]);
    }
    return VV_OK;
}

static vv_status add_dim(vv_array *a, const pairing *p, int k, int d)
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

static vv_status product_dims(vv_array *a, const pairing *p)
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

static vv_status fill_product(vv_array *a, vv_array *const factor[2], const pairing *p)
{
    for (int k = 0; k < 2; k++) {
        VV_TRY(vv_node_input(a, factor[k]));
        if (!a->origin) a->origin = factor[k]->origin;
    }
    VV_TRY(check_lengths(p, factor));
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

static vv_array *product(vv_array *left, vv_array *right, const pairing *p);

/* Of one part of each factor. */
static vv_array *product_of_parts(vv_array *left, bool left_imaginary, vv_array *right, bool right_imaginary,
                                  const pairing *p)
{
    vv_array *part[] = {vv_node_part(left, left_imaginary), vv_node_part(right, right_imaginary)};
    vv_array *made = product(part[0], part[1], p);
    for (int i = 0; i < 2; i++) vv_release(&part[i]);
    return made;
}

/* Four products of the parts, or two where one factor is real. */
static vv_array *complex_product(vv_array *left, vv_array *right, const pairing *p)
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

/* Something is summed over; what is, both factors have. */
static vv_array *product(vv_array *left, vv_array *right, const pairing *p)
{
    vv_context *c = left->context ? left->context : right->context;
    if (vv_nodes_usable((vv_array *[]){left, right}, 2) != VV_OK) return vv_node_inert(c);
    if (vv_dtype_is_complex(left->dtype) || vv_dtype_is_complex(right->dtype)) return complex_product(left, right, p);
    vv_array *factor[2];
    as_factors(left, right, factor);
    vv_status status = vv_nodes_usable(factor, 2);
    vv_array *a = status == VV_OK ? vv_node_new(c, VV_NODE_PRODUCT, left->name) : vv_node_inert(c);
    if (a->status == VV_OK) a = vv_node_settle(c, a, fill_product(a, factor, p));
    for (int i = 0; i < 2; i++) vv_release(&factor[i]);
    return a;
}

/* --- by names --- */

static void nothing_same(pairing *p)
{
    for (int d = 0; d < VV_MAX_DIMS; d++) p->same[d] = -1;
}

static vv_status sum_over(pairing *p, const vv_array *a, const vv_array *b, int i, int k)
{
    if (p->summed[0][i] || p->summed[1][k])
        return vv_fail(VV_ERR_USAGE, "%s: dimension '%s' is named twice", p->what,
                       p->summed[0][i] ? a->dim[i] : b->dim[k]);
    p->summed[0][i] = p->summed[1][k] = true;
    p->same[k] = i;
    return VV_OK;
}

/* Names in `of_a` and in `of_b`, pair by pair. */
static vv_status pair_up(pairing *p, const vv_array *a, const vv_array *b, const char *of_a, const char *of_b)
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
    pairing p = {.what = what};
    vv_context *c = a->context ? a->context : b->context;
    if (vv_nodes_usable((vv_array *[]){a, b}, 2) != VV_OK) return vv_node_inert(c);
    nothing_same(&p);
    if (pair_up(&p, a, b, of_a, of_b) != VV_OK) return vv_node_inert(c);
    return product(a, b, &p);
}

vv_array *vv_matmul(vv_array *left, vv_array *right, const char *dims)
{
    return by_names("matmul", left, right, dims, dims);
}

vv_array *vv_tensordot(vv_array *left, vv_array *right, const char *left_dims, const char *right_dims)
{
    return by_names("tensordot", left, right, left_dims, right_dims);
}

static vv_status same_names(pairing *p, const vv_array *a, const vv_array *b, const char *dims, bool *any)
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
    pairing p = {.what = "dot"};
    bool any = false;
    vv_context *c = left->context ? left->context : right->context;
    if (vv_nodes_usable((vv_array *[]){left, right}, 2) != VV_OK) return vv_node_inert(c);
    nothing_same(&p);
    if (same_names(&p, left, right, dims, &any) != VV_OK) return vv_node_inert(c);
    return any ? product(left, right, &p) : vv_multiply(left, right);
}

/* --- by letters --- */

enum { MOST_FACTORS = 32 };

/* One factor of an einsum: what its dimensions are called there. */
typedef struct term {
    vv_array *array; /* a reference of ours */
    char letter[VV_MAX_DIMS + 1];
} term;

typedef struct einsum {
    const char *text;
    int n;
    term term[MOST_FACTORS];
    char out[VV_MAX_DIMS + 1];
} einsum;

static vv_status bad_letters(const einsum *e, const char *why)
{
    return vv_fail(VV_ERR_USAGE, "einsum '%s': %s", e->text, why);
}

/* Letters up to the end of a term into `out`. */
static vv_status read_letters(const einsum *e, const char **at, char out[])
{
    int n = 0;
    for (; **at && **at != ',' && **at != '-'; ++*at) {
        if (isspace((unsigned char)**at)) continue;
        if (!isalpha((unsigned char)**at)) return bad_letters(e, "only letters, commas and one arrow are known");
        if (n == VV_MAX_DIMS) return bad_letters(e, "too many letters in a term");
        if (memchr(out, **at, (size_t)n)) return bad_letters(e, "a letter stands twice in one term");
        out[n++] = **at;
    }
    out[n] = '\0';
    return VV_OK;
}

static bool elsewhere(const einsum *e, int but, char letter)
{
    for (int i = 0; i < e->n; i++)
        if (i != but && strchr(e->term[i].letter, letter)) return true;
    return false;
}

/* Without an arrow, as NumPy: what stands once, by the alphabet. */
static void usual_result(einsum *e)
{
    int n = 0;
    for (int c = 'A'; c <= 'z' && n < VV_MAX_DIMS; c++)
        for (int i = 0; i < e->n; i++)
            if (isalpha(c) && strchr(e->term[i].letter, c) && !elsewhere(e, i, (char)c)) e->out[n++] = (char)c;
    e->out[n] = '\0';
}

static vv_status read_einsum(einsum *e, int n)
{
    const char *at = e->text;
    for (int i = 0; i < n; i++) {
        VV_TRY(read_letters(e, &at, e->term[i].letter));
        if (i + 1 < n && *at++ != ',') return bad_letters(e, "fewer terms than arrays");
    }
    if (*at == ',') return bad_letters(e, "more terms than arrays");
    if (!*at) {
        usual_result(e);
        return VV_OK;
    }
    if (at[1] != '>') return bad_letters(e, "only letters, commas and one arrow are known");
    at += 2;
    VV_TRY(read_letters(e, &at, e->out));
    if (*at) return bad_letters(e, "something follows the result");
    for (const char *c = e->out; *c; c++)
        if (!elsewhere(e, -1, *c)) return bad_letters(e, "the result has a letter that no array has");
    return VV_OK;
}

static vv_status check_counts(const einsum *e)
{
    for (int i = 0; i < e->n; i++) {
        int letters = (int)strlen(e->term[i].letter), nd = e->term[i].array->shape.nd;
        if (letters != nd)
            return vv_fail(VV_ERR_SHAPE, "einsum '%s': '%s' has %d dimensions, its term has %d letters", e->text,
                           e->term[i].array->name, nd, letters);
    }
    return VV_OK;
}

static void replace(term *t, vv_array *with)
{
    vv_release(&t->array);
    t->array = with;
}

/* What no other term and not the result wants is summed now. */
static void sum_alone(einsum *e, int i)
{
    term *t = &e->term[i];
    char names[VV_MAX_DIMS * 256] = "";
    for (int d = 0; t->letter[d];) {
        if (elsewhere(e, i, t->letter[d]) || strchr(e->out, t->letter[d])) {
            d++;
            continue;
        }
        (void)snprintf(names, sizeof names, "%s", t->array->dim[d]);
        replace(t, vv_reduce(t->array, "sum", names, &(vv_reduce_options){.keep_nan = true}));
        memmove(t->letter + d, t->letter + d + 1, strlen(t->letter + d));
        if (t->array->status != VV_OK) return;
    }
}

/* Names of the second factor's dimensions follow those of the first one, so that elementwise products match. */
static vv_array *named_alike(const term *a, const term *b)
{
    vv_array *again = vv_node_seen_again(b->array);
    for (int d = 0; b->letter[d] && again->status == VV_OK; d++) {
        const char *same = strchr(a->letter, b->letter[d]), letter[2] = {b->letter[d], '\0'};
        const char *name = same ? a->array->dim[same - a->letter] : b->array->dim[d];
        bool taken = !same && vv_node_dim(a->array, name) >= 0;
        vv_array *renamed = vv_rename(again, again->dim[d], taken ? letter : name);
        vv_release(&again);
        again = renamed;
    }
    return again;
}

/* The first two terms become one. */
static void multiply(einsum *e)
{
    term *a = &e->term[0], *b = &e->term[1], made = {0};
    pairing p = {.what = "einsum"};
    char label[VV_MAX_DIMS][2];
    bool any = false;
    nothing_same(&p);
    for (int d = 0; b->letter[d]; d++) {
        const char *same = strchr(a->letter, b->letter[d]);
        (void)snprintf(label[d], sizeof label[d], "%c", b->letter[d]);
        p.label[d] = label[d];
        if (!same) continue;
        p.same[d] = (int)(same - a->letter);
        bool wanted = strchr(e->out, b->letter[d]);
        for (int i = 2; i < e->n; i++) wanted = wanted || strchr(e->term[i].letter, b->letter[d]);
        if (!wanted) p.summed[0][p.same[d]] = p.summed[1][d] = any = true;
    }
    size_t n = 0;
    for (int d = 0; a->letter[d]; d++)
        if (!p.summed[0][d]) made.letter[n++] = a->letter[d];
    for (int d = 0; b->letter[d] && n < VV_MAX_DIMS; d++)
        if (p.same[d] < 0) made.letter[n++] = b->letter[d];
    if (any) {
        made.array = product(a->array, b->array, &p);
    } else {
        vv_array *other = named_alike(a, b);
        made.array = vv_multiply(a->array, other);
        vv_release(&other);
    }
    vv_release(&a->array);
    vv_release(&b->array);
    e->term[0] = made;
    e->n--;
    memmove(e->term + 1, e->term + 2, sizeof e->term[0] * (size_t)(e->n - 1));
}

/* In the order of the result. */
static vv_array *arranged(const einsum *e)
{
    const term *t = &e->term[0];
    char order[VV_MAX_DIMS * 256];
    size_t used = 0;
    for (const char *c = e->out; *c && used < sizeof order; c++)
        used += (size_t)snprintf(order + used, sizeof order - used, "%s%s", used ? "," : "",
                                 t->array->dim[strchr(t->letter, *c) - t->letter]);
    return used == 0 || !strcmp(t->letter, e->out) ? vv_node_seen_again(t->array) : vv_transpose(t->array, order);
}

static vv_array *evaluate(vv_context *c, einsum *e)
{
    if (read_einsum(e, e->n) != VV_OK || check_counts(e) != VV_OK) return vv_node_inert(c);
    for (int i = 0; i < e->n && e->term[i].array->status == VV_OK; i++) sum_alone(e, i);
    while (e->n > 1 && e->term[0].array->status == VV_OK && e->term[1].array->status == VV_OK) multiply(e);
    for (int i = 0; i < e->n; i++)
        if (vv_nodes_usable(&e->term[i].array, 1) != VV_OK) return vv_node_inert(c);
    return arranged(e);
}

vv_array *vv_node_einsum(vv_context *c, const char *letters, vv_array *const arrays[], int n)
{
    if (n < 1 || n > MOST_FACTORS) {
        (void)vv_fail(VV_ERR_USAGE, "einsum '%s': 1 to %d arrays, not %d", letters, MOST_FACTORS, n);
        return vv_node_inert(c);
    }
    if (vv_nodes_usable(arrays, n) != VV_OK) return vv_node_inert(c);
    einsum e = {.text = letters, .n = n};
    for (int i = 0; i < n; i++) e.term[i].array = vv_node_again(arrays[i]);
    vv_array *result = evaluate(c, &e);
    for (int i = 0; i < e.n; i++) vv_release(&e.term[i].array);
    return result;
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
    vv_array *transposed = vv_rename(a, a->dim[variables], other), *sum = vv_matmul(a, transposed, dim);
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
    vv_array *real = vv_node_as_real(in), *a = anomaly(real, dim);
    vv_array *out = a->status == VV_OK ? squares(a, dim, variables, other, ddof) : vv_node_again(a);
    vv_release(&real);
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

/* a where b is there too. */
static vv_array *where_both(vv_array *a, vv_array *b)
{
    vv_array *none = vv_node_scalar(a->context, NAN), *missing = vv_isnan(b), *out = vv_where(missing, none, a);
    vv_release(&none);
    vv_release(&missing);
    return out;
}

/* Of pairs of which both are there, as xarray: the sum of products of anomalies over their count - ddof. */
static vv_array *covariance(vv_array *const pair[2], const char *dims, double ddof)
{
    vv_array *left[2], *mean;
    for (int i = 0; i < 2; i++) {
        mean = vv_reduce(pair[i], "mean", dims, NULL);
        left[i] = vv_subtract(pair[i], mean);
        vv_release(&mean);
    }
    vv_array *products = vv_multiply(left[0], left[1]), *sum = vv_reduce(products, "sum", dims, NULL);
    vv_array *n = vv_reduce(products, "count", dims, NULL), *less = vv_node_scalar(pair[0]->context, ddof);
    vv_array *by = vv_subtract(n, less), *out = vv_divide(sum, by);
    vv_array *all[] = {left[0], left[1], products, sum, n, less, by};
    for (int i = 0; i < 7; i++) vv_release(&all[i]);
    return out;
}

static bool both_there(vv_array *a, vv_array *b, vv_array *pair[2])
{
    vv_array *real[2] = {vv_node_as_real(a), vv_node_as_real(b)};
    pair[0] = where_both(real[0], real[1]);
    pair[1] = where_both(real[1], real[0]);
    for (int i = 0; i < 2; i++) vv_release(&real[i]);
    return vv_nodes_usable(pair, 2) == VV_OK;
}

vv_array *vv_cov(vv_array *a, vv_array *b, const char *dims, double ddof)
{
    vv_array *pair[2];
    vv_context *c = a->context ? a->context : b->context;
    if (vv_nodes_usable((vv_array *[]){a, b}, 2) != VV_OK) return vv_node_inert(c);
    vv_array *out = both_there(a, b, pair) ? covariance(pair, dims, ddof) : vv_node_inert(c);
    for (int i = 0; i < 2; i++) vv_release(&pair[i]);
    return out;
}

vv_array *vv_corr(vv_array *a, vv_array *b, const char *dims)
{
    vv_array *pair[2];
    vv_context *c = a->context ? a->context : b->context;
    if (vv_nodes_usable((vv_array *[]){a, b}, 2) != VV_OK) return vv_node_inert(c);
    if (!both_there(a, b, pair)) {
        vv_array *inert = vv_node_inert(c);
        for (int i = 0; i < 2; i++) vv_release(&pair[i]);
        return inert;
    }
    vv_array *cov = covariance(pair, dims, 0), *std[2];
    for (int i = 0; i < 2; i++) std[i] = vv_reduce(pair[i], "std", dims, NULL);
    vv_array *scale = vv_multiply(std[0], std[1]), *out = vv_divide(cov, scale);
    vv_array *all[] = {cov, std[0], std[1], scale, pair[0], pair[1]};
    for (int i = 0; i < 6; i++) vv_release(&all[i]);
    return out;
}

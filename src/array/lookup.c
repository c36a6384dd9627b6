/* Looking elements up: digitize, searchsorted, isin; and what is different in an array, which has to be computed when the function is called, because without it no length is
 * known (as in mask.c). Tables travel with the plan, 8 bytes an entry. */
#include "array/build.h"

#include "varve/count.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST = 1 << 26,
    FEW = 1 << 16
}; /* entries that a plan may carry; different elements that are looked for at first */

/* Numbers of 8 bytes each: of a working type that is not f32. */
typedef struct numbers {
    vv_dtype type;
    vv_index n;
    double *at;
} numbers;

/* The working type in which elements of both are compared. */
static vv_dtype compared_as(const vv_array *a, const vv_array *b)
{
    vv_dtype type = vv_working_type(vv_dtype_promote(a->dtype, b->dtype));
    return type == VV_F32 ? VV_F64 : type;
}

/* All elements of an array, computed now. */
static vv_status compute_all(vv_array *a, vv_dtype type, numbers *out)
{
    vv_index n = vv_shape_elements(&a->shape);
    *out = (numbers){.type = type, .n = n};
    if (n > MOST)
        return vv_fail(VV_ERR_UNSUPPORTED, "'%s' has %lld elements: a table has at most %d", a->name, (long long)n,
                       MOST);
    if (!a->context->compute) return vv_fail(VV_ERR_UNSUPPORTED, "'%s' cannot be computed here", a->name);
    VV_TRY(vv_new(&out->at, (size_t)n + 1, sizeof *out->at));
    vv_array *as = vv_astype(a, type);
    vv_status status = vv_array_status(as);
    if (status == VV_OK && n > 0) status = a->context->compute(as, out->at, n * (vv_bytes)sizeof *out->at);
    vv_release(&as);
    return status;
}

/* --- elements in a table --- */

static vv_status fill_each(vv_array *a, const vv_array *in, const char *op, const numbers *table, vv_dtype dtype)
{
    VV_TRY(vv_node_like(a, in));
    VV_TRY(vv_cf_statistic_units(&a->attrs, "argsort"));
    a->dtype = dtype;
    a->call.op = vv_block_op_find(op);
    a->call.n_weights = table->n;
    if (table->n == 0) return VV_OK;
    VV_TRY(vv_new(&a->call.weight, (size_t)table->n, sizeof *table->at));
    memcpy(a->call.weight, table->at, (size_t)table->n * sizeof *table->at);
    return VV_OK;
}

/* An operation with a table upon the elements of an array, which are compared as the table's type. */
static vv_array *each(vv_array *in, const char *op, const numbers *table, vv_dtype dtype)
{
    bool real = table->type == VV_F64 && vv_dtype_is_float(in->dtype), same = vv_working_type(in->dtype) == table->type;
    vv_array *as = real || same ? vv_node_again(in) : vv_astype(in, table->type);
    vv_array *a = vv_node_upon(as, VV_NODE_BLOCK);
    if (a->status == VV_OK) a = vv_node_settle(in->context, a, fill_each(a, in, op, table, dtype));
    return vv_node_then(as, a);
}

/* table must be a vector. */
static vv_array *looked_up(vv_array *table, vv_array *in, const char *op, vv_dtype dtype,
                           void (*prepare)(numbers *table))
{
    numbers n = {0};
    vv_status status = vv_nodes_usable((vv_array *[]){table, in}, 2);
    if (status == VV_OK && vv_working_type(vv_dtype_promote(table->dtype, in->dtype)) == VV_NONE)
        status = vv_fail(VV_ERR_TYPE, "elements of '%s' and '%s' cannot be compared", in->name, table->name);
    if (status == VV_OK) status = compute_all(table, compared_as(table, in), &n);
    if (status == VV_OK && prepare) prepare(&n);
    vv_array *out = status == VV_OK ? each(in, op, &n, dtype) : vv_node_inert(in->context);
    free(n.at);
    return out;
}

vv_array *vv_searchsorted(vv_array *sorted, vv_array *values, bool right)
{
    if (vv_array_status(sorted) == VV_OK && sorted->shape.nd != 1) {
        (void)vv_fail(VV_ERR_SHAPE, "'%s' has %d dimensions; what is searched has one", sorted->name, sorted->shape.nd);
        return vv_node_inert(values->context);
    }
    return looked_up(sorted, values, right ? "each_place_after" : "each_place_before", VV_I64, NULL);
}

static int by_real(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    if (x != x || y != y) return (x != x) - (y != y);
    return (x > y) - (x < y);
}

static int by_signed(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int by_unsigned(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int (*order_of(vv_dtype type))(const void *, const void *)
{
    return type == VV_F64 ? by_real : type == VV_I64 ? by_signed : by_unsigned;
}

static void put_in_order(numbers *n)
{
    qsort(n->at, (size_t)n->n, sizeof *n->at, order_of(n->type));
}

static bool any_complex(const vv_array *a, const vv_array *b)
{
    bool good = a->status == VV_OK && b->status == VV_OK;
    return good && (vv_dtype_is_complex(a->dtype) || vv_dtype_is_complex(b->dtype));
}

vv_array *vv_isin(vv_array *a, vv_array *elements, bool invert)
{
    if (any_complex(a, elements)) return vv_node_isin_complex(a, elements, invert);
    vv_array *is = looked_up(elements, a, "each_in", VV_BOOL, put_in_order);
    return invert ? vv_node_then(is, vv_node_elementwise(is->context, "logical_not", &is, 1)) : is;
}

/* 1: ascending, -1: descending, 0: neither. */
static int direction(const double x[], vv_index n)
{
    bool up = true, down = true;
    for (vv_index i = 1; i < n; i++) {
        up = up && x[i - 1] <= x[i];
        down = down && x[i - 1] >= x[i];
    }
    return up ? 1 : down ? -1 : 0;
}

/* Of descending edges: how many of them turned around come before, taken from all. */
static vv_array *digitize_down(vv_array *a, const double bins[], vv_index n, bool right)
{
    numbers table = {VV_F64, n, NULL};
    if (vv_new(&table.at, (size_t)n, sizeof *table.at) != VV_OK) return vv_node_inert(a->context);
    for (vv_index i = 0; i < n; i++) table.at[i] = bins[n - 1 - i];
    vv_array *found = each(a, right ? "each_place_before" : "each_place_after", &table, VV_I64);
    vv_array *all = vv_node_full(a->context, "", NULL, (double)n, VV_I64);
    vv_array *left = vv_node_elementwise(a->context, "subtract", (vv_array *[]){all, found}, 2);
    free(table.at);
    vv_release(&all);
    return vv_node_then(found, left);
}

vv_array *vv_digitize(vv_array *a, const double bins[], vv_index n, bool right)
{
    int way = direction(bins, n);
    const numbers table = {VV_F64, n, (double *)(uintptr_t)bins}; /* copied from there */
    if (vv_array_status(a) == VV_OK && (n < 0 || n > MOST || way == 0))
        (void)vv_fail(VV_ERR_USAGE, "digitize of '%s': bins ascend or descend; there are at most %d", a->name, MOST);
    else if (vv_array_status(a) == VV_OK)
        return way < 0 ? digitize_down(a, bins, n, right)
                       : each(a, right ? "each_place_before" : "each_place_after", &table, VV_I64);
    return vv_node_inert(a->context);
}

/* --- what is different --- */

/* Different elements and how often each occurs, in one block of memory. */
typedef struct distinct {
    numbers value;
    int64_t *count, *found;
} distinct;

static void forget(distinct *d)
{
    free(d->found);
    *d = (distinct){0};
}

/* Ordinary memory that is in use when the plan is made belongs to what the process needs without it. */
static vv_status get_room(vv_index n, int64_t **out)
{
    VV_TRY(vv_new(out, (size_t)n, sizeof **out));
    memset(*out, 0xff, (size_t)n * sizeof **out);
    return VV_OK;
}

/* With room for so many; false when there are more. */
static vv_status find_some(vv_array *a, vv_index room, distinct *out, bool *all)
{
    vv_red_spec *spec;
    int64_t *found = NULL;
    VV_TRY(vv_distinct_spec(room, out->value.type, &spec));
    vv_array *r = vv_node_reduce_told(&a, 1, &vv_reduction_distinct, spec, VV_I64, NULL, "distinct", "value");
    vv_status status = vv_array_status(r);
    if (status == VV_OK) status = get_room(1 + 2 * room, &found);
    if (status == VV_OK) status = a->context->compute(r, found, (1 + 2 * room) * (vv_bytes)sizeof *found);
    vv_release(&r);
    vv_mem_trim(); /* states are as large again as what was found */
    *all = status == VV_OK && found[0] >= 0;
    if (*all)
        *out = (distinct){.value = {out->value.type, found[0], (double *)(void *)(found + 1)},
                          .count = found + 1 + room,
                          .found = found};
    else
        free(found);
    return status;
}

/* They are found in one pass if there are few; else in some more, with more room each time. */
static vv_status find_distinct(vv_array *a, vv_dtype type, distinct *out)
{
    *out = (distinct){.value.type = type};
    VV_TRY(vv_array_status(a));
    if (type == VV_NONE)
        return vv_fail(VV_ERR_TYPE, "unique is not defined for %s ('%s')", vv_dtype_name(a->dtype), a->name);
    vv_index n = vv_shape_elements(&a->shape);
    bool all = n == 0;
    if (!a->context->compute) return vv_fail(VV_ERR_UNSUPPORTED, "'%s' cannot be computed here", a->name);
    vv_status status = VV_OK;
    for (vv_index room = FEW; !all && status == VV_OK; room *= 16) {
        if (room > 16 * (vv_index)MOST)
            return vv_fail(VV_ERR_UNSUPPORTED, "'%s' has more than %d different elements", a->name, MOST);
        status = find_some(a, vv_imin(vv_imin(room, MOST), n), out, &all);
        if (status == VV_ERR_BUDGET && room > FEW)
            status = vv_error_prefix("'%s' has %lld elements and more than %lld different ones; for up to %lld of them",
                                     a->name, (long long)n, (long long)room / 16,
                                     (long long)vv_imin(vv_imin(room, MOST), n));
    }
    return status;
}

static vv_dtype own_type(const vv_array *a)
{
    return compared_as(a, a);
}

/* Takes what was found over. */
static vv_array *unique(vv_array *a, vv_status status, distinct *d, const char *new_dim, vv_dtype dtype,
                        vv_array **counts, vv_array **inverse)
{
    vv_context *c = a->context;
    bool good = status == VV_OK;
    vv_array *values =
        good ? vv_node_listed(c, new_dim, d->value.n, d->value.at, d->value.type, dtype) : vv_node_inert(c);
    if (counts) *counts = good ? vv_node_listed(c, new_dim, d->value.n, d->count, VV_I64, VV_I64) : vv_node_inert(c);
    if (inverse) *inverse = good ? each(a, "each_place_before", &d->value, VV_I64) : vv_node_inert(c);
    forget(d);
    return values;
}

vv_array *vv_unique(vv_array *a, const char *new_dim, vv_array **counts, vv_array **inverse)
{
    distinct d;
    if (any_complex(a, a)) return vv_node_unique_complex(a, new_dim, counts, inverse);
    vv_status status = find_distinct(a, own_type(a), &d);
    return unique(a, status, &d, new_dim, a->dtype, counts, inverse);
}

/* Those of both, in order, each once. */
static vv_status join(const distinct *a, const distinct *b, distinct *out)
{
    int (*order)(const void *, const void *) = order_of(a->value.type);
    vv_index i = 0, k = 0;
    *out = (distinct){.value.type = a->value.type};
    VV_TRY(vv_new(&out->value.at, (size_t)(a->value.n + b->value.n) + 1, sizeof *out->value.at));
    out->found = (int64_t *)(void *)out->value.at;
    while (i < a->value.n || k < b->value.n) {
        int way = i == a->value.n ? 1 : k == b->value.n ? -1 : order(&a->value.at[i], &b->value.at[k]);
        memcpy(&out->value.at[out->value.n++], way <= 0 ? &a->value.at[i] : &b->value.at[k], sizeof *out->value.at);
        i += way <= 0;
        k += way >= 0;
    }
    return VV_OK;
}

vv_array *vv_union1d(vv_array *a, vv_array *b, const char *new_dim)
{
    distinct x = {0}, y = {0}, both = {0};
    if (any_complex(a, b)) return vv_node_union_complex(a, b, new_dim);
    vv_status status = vv_nodes_usable((vv_array *[]){a, b}, 2);
    vv_dtype type = status == VV_OK ? compared_as(a, b) : VV_NONE;
    if (status == VV_OK) status = find_distinct(a, type, &x);
    if (status == VV_OK) status = find_distinct(b, type, &y);
    if (status == VV_OK) status = join(&x, &y, &both);
    forget(&x);
    forget(&y);
    return unique(a, status, &both, new_dim, vv_dtype_promote(a->dtype, b->dtype), NULL, NULL);
}

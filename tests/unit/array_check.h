/* For tests of array builders: arrays whose elements are known, and the value of an element of any array, worked out one at a time from the
 * definition of its node - slowly and in the plainest way. */
#ifndef VV_TESTS_UNIT_ARRAY_CHECK_H
#define VV_TESTS_UNIT_ARRAY_CHECK_H

#include "scratch.h"

#include "array/node.h"
#include "varve/create.h"
#include "varve/move.h"

#include <math.h>

static vv_context context;

static inline int fresh(void **state)
{
    (void)state;
    context = (vv_context){0};
    vv_error_clear();
    return 0;
}

static inline int done(void **state)
{
    (void)state;
    vv_context_free(&context);
    return 0;
}

/* Variable v of this shape ("time:5,y:4,x:3"); every element is its linear number. Coordinates count from 0; times are six hours apart. */
static inline vv_array *numbered(const char *shape, const char *dtype)
{
    char path[300];
    snprintf(path, sizeof path, "virtual:v?shape=%s&value=index&dtype=%s", shape, dtype);
    vv_array *a = vv_dataset_array(vv_dataset_open_in(&context, path), "v");
    must(vv_array_status(a));
    return a;
}

static inline double element(const vv_array *a, const vv_index at[]);

static inline double view_element(const vv_array *a, const vv_index at[])
{
    int found = 0;
    double value = a->fill;
    for (int i = 0; i < a->n_parts; i++) {
        const vv_part *p = &a->part[i];
        vv_index source[VV_MAX_DIMS];
        bool inside = p->box.nd == a->shape.nd, none = false;
        for (int d = 0; d < a->shape.nd; d++)
            inside = inside && at[d] >= p->box.lo[d] && at[d] < p->box.lo[d] + p->box.n[d];
        if (!inside) continue;
        found++;
        assert_int_equal(p->nd, a->input[p->from]->shape.nd);
        for (int k = 0; k < p->nd; k++) {
            source[k] = vv_part_index(p, k, p->dim[k] < 0 ? 0 : at[p->dim[k]]);
            none = none || source[k] < 0;
            assert_true(source[k] < a->input[p->from]->shape.n[k]);
        }
        if (!none) value = element(a->input[p->from], source);
    }
    assert_true(found <= 1);
    return value;
}

static inline double map_element(const vv_array *a, const vv_index at[])
{
    double x[3] = {0};
    for (int i = 0; i < a->n_inputs; i++) {
        const vv_array *in = a->input[i];
        if (in->kind != VV_NODE_SCALAR) assert_true(vv_shape_equal(&in->shape, &a->shape));
        for (int d = 0; d < in->shape.nd; d++) assert_string_equal(in->dim[d], a->dim[d]);
        x[i] = element(in, at);
    }
    if (!strcmp(a->op->name, "add")) return x[0] + x[1];
    if (!strcmp(a->op->name, "subtract")) return x[0] - x[1];
    if (!strcmp(a->op->name, "multiply")) return x[0] * x[1];
    if (!strcmp(a->op->name, "where")) return x[0] != 0 ? x[1] : x[2];
    if (!strcmp(a->op->name, "divide")) return x[0] / x[1];
    if (!strcmp(a->op->name, "equal")) return x[0] == x[1];
    if (!strcmp(a->op->name, "less")) return x[0] < x[1];
    if (!strcmp(a->op->name, "less_equal")) return x[0] <= x[1];
    if (!strcmp(a->op->name, "greater_equal")) return x[0] >= x[1];
    if (!strncmp(a->op->name, "as_", 3)) return x[0]; /* numbers that the type has */
    fail_msg("operation %s", a->op->name);
    return 0;
}

/* Means and sums only; the dimension of groups stands in the place of theirs. */
static inline double reduce_element(const vv_array *a, const vv_index at[])
{
    const vv_array *in = a->input[0];
    vv_index i[VV_MAX_DIMS] = {0};
    double sum = 0, n = 0;
    do {
        bool mine = true;
        for (int d = 0, k = 0; d < in->shape.nd; d++) {
            if (d == a->group.dim)
                mine = mine && a->group.label->at[i[d]] == at[k++];
            else if (!a->reduced[d])
                mine = mine && i[d] == at[k++];
            else
                k += a->options.keep_dims;
        }
        if (!mine) continue;
        sum += element(in, i);
        n++;
    } while (vv_odometer(in->shape.nd, in->shape.n, i));
    return !strcmp(a->reduction->name, "mean") ? sum / n : sum;
}

static inline double element(const vv_array *a, const vv_index at[])
{
    vv_index linear = 0;
    switch (a->kind) {
    case VV_NODE_SCALAR: return a->scalar;
    case VV_NODE_OPEN:
        for (int d = 0; d < a->shape.nd; d++) linear = linear * a->shape.n[d] + at[d];
        return (double)linear;
    case VV_NODE_RANDOM: /* evenly spaced numbers */
        assert_int_equal(a->random.kind, vv_random_sequence);
        return a->random.a + a->random.b * (double)at[0];
    case VV_NODE_VIEW: return view_element(a, at);
    case VV_NODE_MAP: return map_element(a, at);
    case VV_NODE_REDUCE: return reduce_element(a, at);
    case VV_NODE_RECHUNK: return element(a->input[0], at);
    default: fail_msg("a node of kind %d", a->kind); return 0;
    }
}

/* All elements, row-major, and NaN equals NaN. */
static inline void check_elements(const vv_array *a, vv_index n, const double want[])
{
    vv_index at[VV_MAX_DIMS] = {0}, k = 0;
    must(vv_array_status(a));
    assert_int_equal(vv_shape_elements(&a->shape), n);
    if (n == 0) return;
    do {
        double got = element(a, at);
        if (got != want[k] && !(isnan(got) && isnan(want[k])))
            fail_msg("element %lld is %g, not %g", (long long)k, got, want[k]);
        k++;
    } while (vv_odometer(a->shape.nd, a->shape.n, at));
}

/* vv_describe() without type and size: "v (y: 4, x: 3)". */
static inline void check_shape(const vv_array *a, const char *want)
{
    char text[400];
    must(vv_array_status(a));
    vv_describe(a, text, sizeof text);
    char *end = strchr(text, ')');
    assert_non_null(end);
    end[1] = 0;
    assert_string_equal(text, want);
}

static inline void check_coordinate(const vv_array *a, const char *dim, vv_index n, const double want[])
{
    double got[1000];
    must(vv_array_coordinate(a, dim, got, 1000));
    assert_int_equal(vv_array_length(a, 0) >= 0, 1);
    for (vv_index i = 0; i < n; i++)
        if (got[i] != want[i] && !(isnan(got[i]) && isnan(want[i])))
            fail_msg("%s[%lld] is %g, not %g", dim, (long long)i, got[i], want[i]);
}

static inline void check_no_coordinate(const vv_array *a, const char *dim)
{
    double got[1000];
    assert_int_equal(vv_array_coordinate(a, dim, got, 1000), VV_ERR_NOT_FOUND);
    vv_error_clear();
}

/* The array is inert with this status, and its message has this text. */
#define check_inert(array, code, text)                                                                                 \
    do {                                                                                                               \
        assert_int_equal(vv_array_status(array), code);                                                                \
        assert_message(text);                                                                                          \
    } while (0)

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)

/* splitmix64: the same numbers in every run. */
static uint64_t seed_state;
static inline vv_index pick(vv_index n)
{
    uint64_t z = seed_state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (vv_index)((z ^ (z >> 31)) % (uint64_t)n);
}

#endif

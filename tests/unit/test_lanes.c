/* Operations on lanes over random boxes, in memory of exactly the sizes that they ask for: every cell of the result is written (the sanitizer build sees
 * that nothing else is). What the values should be is told by test_order.py. */
#include "kernels/block/op.h"
#include "kernels/order/quantile.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const vv_dtype working[] = {VV_F32, VV_F64, VV_I64, VV_U64, VV_C64, VV_C128};
enum { WORKING = sizeof working / sizeof *working };
static double q[] = {0, 0.1, 0.25, 0.5, 0.75, 0.95, 1};

typedef struct box {
    int nd;
    vv_index n[VV_MAX_DIMS], lane, lanes;
    vv_block_call call;
} box;

/* Along one dimension, or several. */
static box random_box(bool several)
{
    box b = {.nd = 1 + rand() % 4, .lane = 1, .lanes = 1, .call = {.keep_nan = rand() % 2}};
    int always = rand() % b.nd;
    for (int d = 0; d < b.nd; d++) {
        b.n[d] = 1 + rand() % 9;
        b.call.along[d] = d == always || (several && rand() % 2);
        *(b.call.along[d] ? &b.lane : &b.lanes) *= b.n[d];
    }
    return b;
}

/* Groups whose members are any positions, some several times, along one of the lanes' dimensions. */
static void choose_groups(const char *name, const box *b, vv_block_call *c)
{
    static double table[64];
    c->axis = 0;
    while (!c->along[c->axis]) c->axis++;
    c->extent = b->n[c->axis];
    c->groups = 1 + rand() % 5;
    c->first = strstr(name, "median") ? 0 : 1 + rand() % 7;
    c->how = rand() % vv_n_quantile_methods;
    memcpy(table, q, (size_t)c->first * sizeof *q);
    double *begin = table + c->first, *member = begin + c->groups + 1;
    *begin = 0;
    for (vv_index g = 0; g < c->groups; g++) begin[g + 1] = begin[g] + rand() % 9;
    for (vv_index i = 0; i < (vv_index)begin[c->groups]; i++) member[i] = rand() % (int)c->extent;
    c->weight = table;
    c->n_weights = c->first + c->groups + 1 + (vv_index)begin[c->groups];
    c->length = c->groups * (c->first ? c->first : 1);
}

static void choose_length(const char *name, const box *b, vv_block_call *c)
{
    vv_index lane = b->lane;
    c->length = 1;
    if (strstr(name, "group")) {
        choose_groups(name, b, c);
    } else if (strstr(name, "quantile") || strstr(name, "pick")) {
        c->how = rand() % vv_n_quantile_methods;
        c->weight = q;
        c->length = c->n_weights = 1 + rand() % 7;
    } else if (strstr(name, "top")) {
        c->how = rand() % 2;
        c->length = 1 + rand() % lane;
    } else if (strstr(name, "sort")) {
        c->length = lane;
    } else if (strstr(name, "fft")) {
        c->points = 1 + rand() % 20;
        c->scale = rand() % 2 ? 1 : 0.5;
        c->length = strstr(name, "_rfft") ? c->points / 2 + 1 : c->points;
    }
}

static void run(const vv_block_op *op, box *b, vv_dtype type)
{
    vv_bytes size = vv_dtype_size(type);
    vv_index cells = b->lanes * b->call.length;
    vv_bytes bytes = cells * vv_dtype_size(op->result(type));
    char *x = malloc((size_t)(b->lane * b->lanes * size));
    unsigned char *out = malloc((size_t)bytes), *again = malloc((size_t)bytes);
    void *workspace = NULL;
    assert_int_equal(posix_memalign(&workspace, 64, (size_t)op->workspace(&b->call, type, b->nd, b->n, b->n)), 0);
    for (vv_index i = 0; i < b->lane * b->lanes; i++)
        vv_dtype_store(type, x + i * size, vv_dtype_is_float(type) && rand() % 4 == 0 ? (double)NAN : rand() % 9);
    if (op->prepare) assert_int_equal(op->prepare(&b->call, type), VV_OK);
    memset(out, 0x55, (size_t)bytes);
    op->run(&b->call, type, b->nd, b->n, b->n, x, out, workspace);
    memset(again, 0xaa, (size_t)bytes);
    op->run(&b->call, type, b->nd, b->n, b->n, x, again, workspace);
    assert_memory_equal(out, again, (size_t)bytes); /* what is not written differs */
    free(x), free(out), free(again), free(workspace);
}

static void every_cell_is_written(void **state)
{
    (void)state;
    int lanes = 0;
    for (int op = 0; op < vv_n_block_ops; op++)
        for (int trial = 0; vv_block_ops[op].lanes && trial < 500; trial++, lanes++) {
            vv_dtype type = working[trial % WORKING];
            if (vv_block_ops[op].result(type) == VV_NONE) continue;
            box b = random_box(!vv_block_ops[op].prepare);
            choose_length(vv_block_ops[op].name, &b, &b.call);
            b.call.op = op;
            assert_true(vv_block_ops[op].fits(&b.call, b.lane));
            run(&vv_block_ops[op], &b, type);
        }
    assert_true(lanes > 0);
}

static void senseless_calls_do_not_fit(void **state)
{
    (void)state;
    static double beyond[] = {0, 1, 2, 4, 5}; /* the last position of five is the fourth */
    static const struct {
        const char *op;
        vv_block_call call;
    } row[] = {{"lanes_median", {.length = 2}},
               {"lanes_quantile", {.length = 2, .n_weights = 1}},
               {"lanes_quantile", {.length = 1, .n_weights = 1, .how = 1000}},
               {"lanes_sort", {.length = 4}},
               {"lanes_argtopk", {.length = 6}},
               {"lanes_group_median", {.length = 2, .groups = 2, .extent = 5, .n_weights = 5, .weight = beyond}},
               {"lanes_group_quantile",
                {.length = 2, .groups = 2, .extent = 5, .first = 1, .n_weights = 3, .weight = beyond}}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        assert_false(vv_block_ops[vv_block_op_find(row[i].op)].fits(&row[i].call, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_cell_is_written),
                                       cmocka_unit_test(senseless_calls_do_not_fit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

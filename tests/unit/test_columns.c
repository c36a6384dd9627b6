/* Lanes sorted column by column: the four functions of columns.h, with the exchanges between them done by hand, make what the operations on whole lanes make (block_order.c), bit by bit. */
#include "kernels/block/op.h"
#include "kernels/codec/decode.h"
#include "kernels/order/columns.h"
#include "kernels/user.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LANES = 3 };

static void *room(vv_bytes bytes)
{
    void *at = NULL;
    assert_int_equal(posix_memalign(&at, 64, (size_t)bytes + 64), 0);
    memset(at, 0, (size_t)bytes + 64);
    return at;
}

/* flavour 0: few different ones; 1: many; 2: all the same; 3: descending. Reals also are NaN, infinite, -0. */
static void random_value(vv_dtype type, int flavour, vv_index i, char *out)
{
    static const double special[] = {(double)NAN, (double)INFINITY, (double)-INFINITY, -0.0, 0.0};
    double v = flavour == 0 ? rand() % 7 : flavour == 1 ? rand() : flavour == 2 ? 1 : 1e6 - (double)i;
    double parts[] = {v, rand() % 3};
    for (int k = 0; k < 2 && flavour < 2; k++)
        if (rand() % 6 == 0) parts[k] = special[rand() % 5];
    if (vv_dtype_is_complex(type)) {
        for (int k = 0; k < 2; k++)
            vv_dtype_store(vv_dtype_part(type), out + k * vv_dtype_size(vv_dtype_part(type)), parts[k]);
    } else if (vv_dtype_is_float(type)) {
        vv_dtype_store(type, out, parts[0]);
    } else {
        vv_dtype_store(type, out, type == VV_BOOL ? rand() % 2 : (double)((int64_t)v % 100));
    }
}

/* --- by columns --- */

static void call(vv_block_function *f, const vv_columns *c, const vv_chunk *in, const vv_chunk *out, vv_bytes scratch)
{
    void *some = room(scratch);
    const vv_block_task t = {.n_in = 1,
                             .in = in,
                             .out = out,
                             .result = (void *)(uintptr_t)out->data,
                             .scratch = some,
                             .scratch_size = scratch,
                             .data = c,
                             .data_size = sizeof *c};
    assert_int_equal(f(&t), 0);
    free(some);
}

/* Runs [column][lane][run] as columns of the next step, [run][lane][column]. */
static void exchange(const vv_columns *c, vv_bytes run, const char *from, char *to)
{
    vv_index s = c->columns;
    for (vv_index i = 0; i < s; i++)
        for (vv_index k = 0; k < LANES; k++)
            for (vv_index j = 0; j < s; j++)
                memcpy(to + ((j * LANES + k) * s + i) * run, from + ((i * LANES + k) * s + j) * run, (size_t)run);
}

static void first_step(const vv_columns *c, const char *x, vv_bytes column, char *to)
{
    vv_bytes size = vv_dtype_size(c->in);
    for (vv_index i = 0; i < c->columns; i++) {
        vv_index at = i * c->share, n = c->n - at < c->share ? c->n - at : c->share;
        char *some = room(LANES * n * size);
        for (vv_index k = 0; k < LANES; k++)
            memcpy(some + k * n * size, x + (k * c->n + at) * size, (size_t)(n * size));
        assert_true(n > 0);
        call(vv_columns_first, c,
             &(vv_chunk){.data = some, .n_dims = 2, .length = {LANES, n}, .first = {0, at}, .number = {0, i}},
             &(vv_chunk){.data = to + i * LANES * column}, vv_columns_scratch_first(c));
        free(some);
    }
}

static void next_step(const vv_columns *c, const char *from, vv_bytes column, char *to)
{
    vv_index words = vv_columns_words(c);
    for (vv_index i = 0; i < c->columns; i++)
        call(vv_columns_again, c,
             &(vv_chunk){
                 .data = from + i * LANES * column, .n_dims = 4, .length = {LANES, 1, c->columns, c->run * words}},
             &(vv_chunk){.data = to + i * LANES * column}, vv_columns_scratch_again(c));
}

static void last_step(const vv_columns *c, const char *from, vv_bytes column, vv_index length, char *out)
{
    vv_bytes size = c->places ? 8 : vv_dtype_size(c->in);
    vv_index r = vv_columns_length(c);
    char *window = room(LANES * column), *made = room(LANES * r * size);
    for (vv_index i = 0; i * r < length; i++) {
        vv_index n = length - i * r < r ? length - i * r : r;
        for (vv_index k = 0; k < LANES; k++) {
            memcpy(window + k * column, from + (i * LANES + k) * column + column / 2, (size_t)(column / 2));
            memcpy(window + k * column + column / 2, from + ((i + 1) * LANES + k) * column, (size_t)(column / 2));
        }
        call(vv_columns_last, c, &(vv_chunk){.data = window, .n_dims = 2, .length = {LANES, column}},
             &(vv_chunk){.data = made, .n_dims = 2, .length = {LANES, n}}, vv_columns_scratch_last(c));
        for (vv_index k = 0; k < LANES; k++)
            memcpy(out + (k * length + i * r) * size, made + k * n * size, (size_t)(n * size));
    }
    free(window);
    free(made);
}

static void by_columns(const vv_columns *c, const char *x, vv_index length, char *out)
{
    vv_bytes run = c->run * vv_columns_words(c) * vv_dtype_size(vv_columns_type(c)), column = c->columns * run;
    char *a = room(LANES * c->columns * column), *b = room(LANES * c->columns * column);
    first_step(c, x, column, a);
    exchange(c, run, a, b);
    next_step(c, b, column, a);
    exchange(c, run, a, b);
    next_step(c, b, column, a);
    last_step(c, a, column, length, out);
    free(a);
    free(b);
}

/* --- as a whole --- */

static void as_a_whole(const char *op, const vv_columns *c, const char *x, vv_index length, char *out)
{
    vv_dtype working = vv_working_type(c->in), type = c->places ? VV_I64 : c->in;
    const vv_block_op *o = &vv_block_ops[vv_block_op_find(op)];
    const vv_block_call how = {
        .op = vv_block_op_find(op), .along = {false, true}, .length = length, .how = !c->greatest};
    const vv_decode decode = {.stored = c->in, .out = working, .scale = 1};
    const vv_index n[] = {LANES, c->n};
    void *wide = room(LANES * c->n * vv_dtype_size(working)), *made = room(LANES * length * 16);
    void *workspace = room(o->workspace(&how, working, 2, n, n));
    vv_decode_range(&decode, x, LANES * c->n, 0, LANES * c->n, wide);
    o->run(&how, working, 2, n, n, wide, made, workspace);
    vv_encode_range(&(vv_encode){.in = o->result(working), .to = type}, made, LANES * length, out);
    free(wide);
    free(made);
    free(workspace);
}

static void check(vv_dtype type, const char *op, bool greatest, vv_index n, int flavour)
{
    vv_columns c = {
        .in = type, .greatest = greatest, .places = strstr(op, "arg") != NULL, .valid = strstr(op, "topk") != NULL};
    vv_index length = c.valid ? 1 + rand() % n : n;
    vv_bytes size = c.places ? 8 : vv_dtype_size(type);
    char *x = room(LANES * n * vv_dtype_size(type)), *got = room(LANES * length * size),
         *want = room(LANES * length * size);
    assert_true(vv_columns_cut(n, &c));
    for (vv_index i = 0; i < LANES * n; i++) random_value(type, flavour, i, x + i * vv_dtype_size(type));
    by_columns(&c, x, length, got);
    as_a_whole(op, &c, x, length, want);
    assert_memory_equal(got, want, (size_t)(LANES * length * size));
    free(x);
    free(got);
    free(want);
}

static void columns_make_what_lanes_make(void **state)
{
    static const vv_index lengths[] = {7, 96, 361, 5003};
    (void)state;
    for (int type = VV_NONE + 1; type < VV_DTYPE_COUNT; type++)
        for (int l = 0; l < 4; l++)
            for (int flavour = 0; flavour < 4; flavour++) {
                check((vv_dtype)type, "lanes_sort", false, lengths[l], flavour);
                check((vv_dtype)type, "lanes_argsort", false, lengths[l], flavour);
                for (int greatest = 0; greatest < 2; greatest++) {
                    check((vv_dtype)type, "lanes_topk", greatest, lengths[l], flavour);
                    check((vv_dtype)type, "lanes_argtopk", greatest, lengths[l], flavour);
                }
            }
}

/* What columnsort asks for, and what the chunks of the first and the last step do, for lanes of any length. */
static void cuts_are_such_that_it_sorts(void **state)
{
    (void)state;
    for (vv_index n = 1, step = 1; n < 100000000000; n += step) {
        vv_columns c = {.in = VV_F64};
        if (!vv_columns_cut(n, &c)) {
            assert_true(n < 7);
            continue;
        }
        vv_index s = c.columns, r = vv_columns_length(&c);
        assert_true(s % 2 == 0 && c.run >= 2 * s);
        assert_true((n + c.share - 1) / c.share == s && c.share <= r);
        assert_true((n + r - 1) / r == s - 1);
        if (n > 3000) step = n / 7;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(columns_make_what_lanes_make),
                                       cmocka_unit_test(cuts_are_such_that_it_sorts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

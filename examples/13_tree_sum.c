/* 13: a tree of delayed calls, and the same over the chunks of an array.
 *
 *     mpirun -n 2 ./13_tree_sum
 *
 * Expected output:
 *
 *     1000 numbers in a tree of tens: 499500
 *     the largest of an array, chunk by chunk: 0.99999930
 *     and of what tasks have made: 4.75
 *
 * vv_delay() puts calls together without running any. The same call with the same arguments is there once, and runs once. Chunks of arrays are calls that others may use, and results of calls may be the chunks of an
 * array, with which everything can be done that can be done with arrays. */
#include <stdio.h>
#include <stdlib.h>
#include <varve/varve.h>

static int add(vv_task *t)
{
    double sum = 0;
    for (int i = 0; i < t->n; i++) sum += vv_task_f64(t, i);
    return vv_return_f64(t, sum);
}

/* Of bytes that are doubles, or of numbers. */
static int largest(vv_task *t)
{
    double most = -1e300;
    for (int k = 0; k < t->n; k++) {
        const double *x = t->arg[k].kind == VV_ARG_F64 ? &t->arg[k].f : t->arg[k].data;
        vv_index n = t->arg[k].kind == VV_ARG_F64 ? 1 : t->arg[k].size / 8;
        for (vv_index i = 0; i < n; i++)
            if (x[i] > most) most = x[i];
    }
    return vv_return_f64(t, most);
}

static int quarters(vv_task *t)
{
    double row[5];
    for (int i = 0; i < 5; i++) row[i] = (double)vv_task_i64(t, 0) + 0.25 * i;
    return vv_return_bytes(t, row, sizeof row);
}

/* n calls become one, ten at a time. */
static vv_delayed *tree(vv_session *s, vv_task_function *f, vv_delayed *d[], int n)
{
    while (n > 1) {
        int up = 0;
        for (int i = 0; i < n; i += 10, up++) {
            vv_arg part[10];
            int k = 0;
            for (; k < 10 && i + k < n; k++) part[k] = vv_later(d[i + k]);
            vv_delayed *joined = vv_delay(s, f, part, k);
            vv_delayed_release(d + i, k); /* what uses them holds them */
            d[up] = joined;
        }
        n = up;
    }
    return d[0];
}

static int driver(vv_session *s, int argc, char **argv)
{
    (void)argc, (void)argv;
    vv_delayed *d[1000], **chunk;
    double value;
    int n;
    for (int i = 0; i < 1000; i++) d[i] = vv_delay(s, add, VV_ARGS(vv_i64(i)));
    vv_status status = vv_delayed_f64(tree(s, add, d, 1000), &value);
    if (status != VV_OK) return status;
    printf("1000 numbers in a tree of tens: %g\n", value);

    vv_array *random = vv_random_array(s, "uniform", "y:1000,x:1000", "y:100,x:500", 7, VV_F64);
    status = vv_delayed_from_array(random, &chunk, &n);
    if (status != VV_OK) return status;
    status = vv_delayed_f64(tree(s, largest, chunk, n), &value);
    if (status != VV_OK) return status;
    printf("the largest of an array, chunk by chunk: %.8f\n", value);
    free(chunk);

    for (int i = 0; i < 4; i++) d[i] = vv_delay(s, quarters, VV_ARGS(vv_i64(i + 1)));
    vv_array *made = vv_array_from_delayed(s, d, 4, "row:4,column:5", "row:1", VV_F64);
    status = vv_compute(vv_max(vv_sub(made, vv_scalar(s, 0.25)), NULL), &value, sizeof value);
    if (status != VV_OK) return status;
    printf("and of what tasks have made: %g\n", value);
    return VV_OK;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}

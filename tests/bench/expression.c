/* Fused expressions beside plain reading: what is added by computing something of variables before they are averaged.
 *
 *     cc -O2 expression.c $(pkg-config --cflags --libs varve) -o expression
 *     mpirun -n 2 ./expression FILE U V DIMS [rounds]        DIMS: time, or all
 *
 * Four computations in turns, within one session and with the page cache warm:
 *
 *     read    the means of u and v, in one pass
 *     speed   the mean of sqrt(u * u + v * v); beside read
 *     one     the mean of u + 1
 *     ten     the mean of ten operations on u, one on the other; beside one
 *
 * Prints medians of wall seconds and their ratios. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <varve/varve.h>

enum { MAX_ROUNDS = 99, WAYS = 4 };
static const char *const name[WAYS] = {"read", "speed", "one", "ten"};

typedef struct bench {
    vv_session *s;
    vv_array *u, *v;
    const char *dims; /* NULL: all */
    void *out;
    vv_bytes bytes;
} bench;

static double now(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static vv_array *chain(const bench *b, int operations)
{
    vv_array *x = b->u;
    for (int i = 0; i < operations; i++) {
        vv_array *k = vv_scalar(b->s, i % 2 ? 1.0 + i : 0.5);
        x = i % 2 ? vv_mul(x, k) : vv_add(x, k);
    }
    return x;
}

static vv_status run(const bench *b, int way)
{
    vv_array *value = way == 1 ? vv_sqrt(vv_add(vv_mul(b->u, b->u), vv_mul(b->v, b->v))) : chain(b, way == 2 ? 1 : 10);
    if (way > 0) return vv_compute(vv_mean(value, b->dims), b->out, b->bytes);
    vv_array *both[] = {vv_mean(b->u, b->dims), vv_mean(b->v, b->dims)};
    void *out[] = {b->out, (char *)b->out + b->bytes};
    return vv_compute_all(both, out, (vv_bytes[]){b->bytes, b->bytes}, 2);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int driver(vv_session *s, int argc, char **argv)
{
    static double took[WAYS][MAX_ROUNDS];
    int rounds = argc > 5 ? atoi(argv[5]) : 7;
    if (argc < 5 || rounds < 1 || rounds > MAX_ROUNDS)
        return vv_error(VV_ERR_USAGE, "usage: %s FILE U V DIMS [rounds]", argv[0]);
    bench b = {.s = s, .u = vv_open(s, argv[1], argv[2]), .v = vv_open(s, argv[1], argv[3])};
    b.dims = strcmp(argv[4], "all") ? argv[4] : NULL;
    vv_array *mean = vv_mean(b.u, b.dims);
    b.bytes = (vv_bytes)sizeof(float);
    for (int d = 0; d < vv_array_n_dims(mean); d++) b.bytes *= vv_array_length(mean, d);
    b.out = malloc(2 * (size_t)b.bytes);
    for (int r = -1; r < rounds; r++) /* one to warm up */
        for (int w = 0; w < WAYS; w++) {
            double start = now();
            vv_status status = run(&b, w);
            if (status != VV_OK) return status;
            if (r >= 0) took[w][r] = now() - start;
        }
    free(b.out);
    for (int w = 0; w < WAYS; w++) qsort(took[w], (size_t)rounds, sizeof **took, ascending);
    for (int w = 0; w < WAYS; w++) {
        double t = took[w][rounds / 2];
        printf("%-6s %.3f s", name[w], t);
        if (w % 2) printf("   %.2f of %s", t / took[w - 1][rounds / 2], name[w - 1]);
        printf("\n");
    }
    return VV_OK;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}

/* Reductions of the user's over ranks: what they make is what the same elements make directly, in order, whatever the chunks, the dimensions, the placement and the ranks.
 *
 * ranks: 1 2 3 4
 * timeout: 300
 * cores: 1 */
#include "unit/scratch.h"

#include "mpi/computed.h"

#include <math.h>
#include <varve/varve.h>

static vv_session *session;

enum { T = 53, Y = 7, X = 9, ALL = T * Y * X };

static vv_array *field(void)
{
    return vv_open(session, "virtual:f?shape=time:53,y:7,x:9&chunk=8,3,4&dtype=f64&seed=3", "f");
}

/* --- of any dimensions: the extent --- */

typedef struct extent {
    double lo, hi;
} extent;

static int nothing(void *state, const void *data)
{
    (void)data;
    *(extent *)state = (extent){(double)INFINITY, -(double)INFINITY};
    return 0;
}

static int see(void *state, vv_index n, const void *const in[], const void *data)
{
    extent *e = state;
    (void)data;
    for (vv_index i = 0; i < n; i++) {
        double x = ((const double *)in[0])[i];
        e->lo = x < e->lo ? x : e->lo;
        e->hi = x > e->hi ? x : e->hi;
    }
    return 0;
}

static int wider(void *state, const void *later, const void *data)
{
    extent *e = state;
    const extent *l = later;
    (void)data;
    e->lo = l->lo < e->lo ? l->lo : e->lo;
    e->hi = l->hi > e->hi ? l->hi : e->hi;
    return 0;
}

static int apart(const void *state, void *out, const void *data)
{
    const extent *e = state;
    (void)data;
    *(double *)out = e->hi - e->lo;
    return 0;
}

static const vv_own_reduction ptp = {
    .name = "ptp", .state = sizeof(extent), .init = nothing, .fold = see, .combine = wider, .finish = apart};

static void same(vv_array *own, vv_array *known, vv_index n)
{
    double *a = computed(own, VV_F64, n), *b = computed(known, VV_F64, n);
    assert_memory_equal(a, b, (size_t)n * sizeof *a);
    free(a), free(b);
}

static void test_any_dims(void **state)
{
    static const struct {
        const char *dims;
        vv_index n;
    } row[] = {{"time", Y * X}, {"y", T * X}, {"x", T * Y}, {"time,x", Y}, {"y,x", T}, {NULL, 1}};
    (void)state;
    vv_array *f = field(), *moved = vv_slice(vv_transpose(f, "x,time,y"), "time", 3, 40, 2);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        same(vv_reduce_own(&f, 1, &ptp, row[i].dims, NULL), vv_reduce(f, "range", row[i].dims, NULL), row[i].n);
    same(vv_reduce_own(&moved, 1, &ptp, "time", NULL), vv_reduce(moved, "range", "time", NULL), Y * X);
    same(vv_slice(vv_reduce_own(&f, 1, &ptp, "time", NULL), "x", 2, 5, 1),
         vv_slice(vv_reduce(f, "range", "time", NULL), "x", 2, 5, 1), Y * 3);
}

static void test_groups(void **state)
{
    vv_index label[T];
    (void)state;
    for (int i = 0; i < T; i++) label[i] = i * i % 5 - 1; /* some in none */
    vv_array *g = vv_group_labels(field(), "time", label, T, 4, "kind", NULL);
    vv_array *own = vv_reduce_own(&g, 1, &ptp, "time", NULL), *known = vv_reduce(g, "range", "time", NULL);
    own = vv_at(own, "kind", 0), known = vv_at(known, "kind", 0);
    same(own, known, Y * X);
}

/* --- order: a number that depends on it, and states of several results --- */

enum { BASE = 31 };
typedef struct order {
    uint64_t hash, shift, n;
    char bulk[200]; /* a state may be larger than anything it makes */
} order;

static int empty(void *state, const void *data)
{
    (void)data;
    *(order *)state = (order){.shift = 1};
    return 0;
}

static int append(void *state, vv_index n, const void *const in[], const void *data)
{
    order *o = state;
    uint64_t bits;
    for (vv_index i = 0; i < n; i++, o->n++) {
        memcpy(&bits, (const double *)in[0] + i, sizeof bits);
        o->hash = o->hash * BASE + bits + *(const uint64_t *)data;
        o->shift *= BASE;
    }
    o->bulk[199] = 1;
    return 0;
}

static int concatenated(void *state, const void *later, const void *data)
{
    order *o = state;
    const order *l = later;
    (void)data;
    o->hash = o->hash * l->shift + l->hash;
    o->shift *= l->shift;
    o->n += l->n;
    return o->bulk[199] + l->bulk[199] == 2 ? 0 : 1;
}

static int told(const void *state, void *out, const void *data)
{
    const order *o = state;
    uint64_t *to = out;
    to[0] = o->hash;
    to[1] = o->n;
    to[2] = *(const uint64_t *)data;
    return 0;
}

static void test_order(void **state)
{
    static const char *const placements[] = {"outputs", "leaves", "cyclic", "auto"};
    const uint64_t salt = 12345;
    const vv_own_reduction how = {.name = "order",
                                  .state = sizeof(order),
                                  .out = VV_U64,
                                  .length = 3,
                                  .init = empty,
                                  .fold = append,
                                  .combine = concatenated,
                                  .finish = told,
                                  .data = &salt,
                                  .data_size = sizeof salt};
    (void)state;
    vv_array *f = field();
    double *x = computed(f, VV_F64, ALL);
    for (int p = 0; p < 4; p++) {
        must(vv_session_set_placement(session, placements[p]));
        must(vv_session_set_threads(session, 1 + p % 2));
        uint64_t *found = computed(vv_reduce_own(&f, 1, &how, "time", "what"), VV_U64, Y * X * 3);
        for (int cell = 0; cell < Y * X; cell++) {
            order o;
            empty(&o, &salt);
            for (int t = 0; t < T; t++) append(&o, 1, (const void *[]){x + t * Y * X + cell}, &salt);
            assert_int_equal(found[3 * cell], o.hash);
            assert_int_equal(found[3 * cell + 1], T);
            assert_int_equal(found[3 * cell + 2], salt);
        }
        free(found);
    }
    free(x);
}

/* --- several arrays, of other types --- */

static int zero(void *state, const void *data)
{
    (void)data;
    *(double *)state = 0;
    return 0;
}

static int add_products(void *state, vv_index n, const void *const in[], const void *data)
{
    const float *a = in[0], *b = in[1], *c = in[2];
    (void)data;
    for (vv_index i = 0; i < n; i++) *(double *)state += (double)(a[i] * b[i] * c[i]);
    return 0;
}

static int add(void *state, const void *later, const void *data)
{
    (void)data;
    *(double *)state += *(const double *)later;
    return 0;
}

static int single(const void *state, void *out, const void *data)
{
    (void)data;
    *(float *)out = (float)*(const double *)state;
    return 0;
}

static void test_several_arrays(void **state)
{
    const vv_own_reduction how = {.name = "triple",
                                  .state = sizeof(double),
                                  .in = VV_F32,
                                  .out = VV_F32,
                                  .init = zero,
                                  .fold = add_products,
                                  .combine = add,
                                  .finish = single};
    (void)state;
    vv_array *f = field(), *mean = vv_mean(f, "time"),
             *row = vv_astype(vv_arange(session, "x", 1, 10, 1, VV_I64), VV_I16);
    vv_array *all[] = {f, row, mean};
    double *x = computed(f, VV_F64, ALL), *m = computed(mean, VV_F64, Y * X);
    float *found = computed(vv_reduce_own(all, 3, &how, "y,x", NULL), VV_F32, T);
    for (int t = 0; t < T; t++) {
        double sum = 0;
        for (int i = 0; i < Y * X; i++) sum += x[t * Y * X + i] * (i % X + 1) * m[i];
        assert_true(fabs((double)found[t] - sum) < 1e-4 * fabs(sum));
    }
    free(x), free(m), free(found);
}

/* --- failures --- */

static int refuses(void *state, vv_index n, const void *const in[], const void *data)
{
    (void)state, (void)data;
    for (vv_index i = 0; i < n; i++)
        if (((const double *)in[0])[i] > 0.99) return vv_error(VV_ERR_USAGE, "%g is too large", 0.99);
    return 0;
}

static int seven_of_two(void *state, const void *later, const void *data)
{
    (void)state, (void)later, (void)data;
    return 7;
}

static int no_result(const void *state, void *out, const void *data)
{
    (void)state, (void)out, (void)data;
    return 9;
}

static int no_begin(void *state, const void *data)
{
    (void)state, (void)data;
    return -3;
}

static void fails(vv_own_reduction how, const char *stage, const char *words)
{
    double v[Y * X];
    vv_array *f = field(), *a = vv_reduce_own(&f, 1, &how, "time", NULL);
    must(vv_array_status(a));
    assert_int_not_equal(vv_compute(a, v, sizeof v), VV_OK);
    const char *said = vv_last_error();
    if (!strstr(said, "reduction 'bad'") || !strstr(said, "rank ") || !strstr(said, "chunk") || !strstr(said, stage) ||
        !strstr(said, words))
        fail_msg("%s: %s", stage, said);
}

static void test_failures(void **state)
{
    vv_own_reduction how = ptp;
    (void)state;
    how.name = "bad";
    how.fold = refuses;
    fails(how, "fold", "0.99 is too large");
    how.fold = see;
    how.combine = seven_of_two;
    fails(how, "combine", "returned 7");
    how.combine = wider;
    how.finish = no_result;
    fails(how, "finish", "returned 9");
    how.finish = apart;
    how.init = no_begin;
    fails(how, "init", "returned -3");
}

static void test_misuse(void **state)
{
    vv_array *f = field();
    vv_own_reduction how = ptp;
    (void)state;
    how.combine = NULL;
    assert_int_equal(vv_array_status(vv_reduce_own(&f, 1, &how, NULL, NULL)), VV_ERR_USAGE);
    how = ptp;
    how.in = VV_I16;
    assert_int_equal(vv_array_status(vv_reduce_own(&f, 1, &how, NULL, NULL)), VV_ERR_TYPE);
    how = ptp;
    how.state = 0;
    assert_int_equal(vv_array_status(vv_reduce_own(&f, 1, &how, NULL, NULL)), VV_ERR_USAGE);
    how = ptp;
    how.length = 2;
    assert_int_equal(vv_array_status(vv_reduce_own(&f, 1, &how, "time", "y")), VV_ERR_SHAPE);
}

static int driver(vv_session *s, int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_dims), cmocka_unit_test(test_groups),         cmocka_unit_test(test_order),
        cmocka_unit_test(test_misuse),   cmocka_unit_test(test_several_arrays), cmocka_unit_test(test_failures),
    };
    (void)argc;
    (void)argv;
    session = s;
    return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? VV_OK : VV_ERR_INTERNAL;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}

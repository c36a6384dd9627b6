/* Products, covariances and correlations against their definitions, on stations that lie in several chunks and miss some values.
 *
 * ranks: 1 3
 * timeout: 300
 * cores: 1 */
#include "unit/scratch.h"

#include "mpi/computed.h"

#include <math.h>
#include <varve/varve.h>

static vv_session *session;

enum { STATIONS = 7, TIMES = 53, OTHERS = 5 };

static vv_array *stations(void)
{
    return vv_open(session, "virtual:x?shape=station:7,time:53&chunk=3,8&dtype=f64&seed=3", "x");
}

static vv_array *others(void)
{
    return vv_open(session, "virtual:y?shape=time:53,other:5&chunk=20,2&dtype=f64&seed=4", "y");
}

static void close_to(double found, double expected)
{
    if (isnan(expected) ? !isnan(found) : fabs(found - expected) > 1e-13 * (1 + fabs(expected)))
        fail_msg("%.17g instead of %.17g", found, expected);
}

static double mean_of(const double *x, const double *y, int n)
{
    double sum = 0;
    int count = 0;
    for (int i = 0; i < n; i++)
        if (!isnan(x[i]) && !isnan(y[i])) sum += x[i], count++;
    return sum / count;
}

/* Of the pairs of which both are there. */
static double covariance(const double *x, const double *y, int n, double ddof)
{
    double mx = mean_of(x, y, n), my = mean_of(y, x, n), sum = 0;
    int count = 0;
    for (int i = 0; i < n; i++)
        if (!isnan(x[i]) && !isnan(y[i])) sum += (x[i] - mx) * (y[i] - my), count++;
    return sum / (count - ddof);
}

static void test_three_factors(void **state)
{
    (void)state;
    vv_array *x = stations(), *y = others(), *weight = vv_reduce(y, "max", "other", NULL);
    double *a = computed(x, VV_F64, STATIONS * TIMES), *b = computed(y, VV_F64, TIMES * OTHERS),
           *w = computed(weight, VV_F64, TIMES);
    double *c = computed(vv_einsum(session, "st,t,to->os", (vv_array *[]){x, weight, y}, 3), VV_F64, STATIONS * OTHERS);
    for (int s = 0; s < STATIONS; s++)
        for (int o = 0; o < OTHERS; o++) {
            double sum = 0;
            for (int t = 0; t < TIMES; t++) sum += a[s * TIMES + t] * w[t] * b[t * OTHERS + o];
            close_to(c[o * STATIONS + s], sum);
        }
    free(a), free(b), free(w), free(c);
}

static void test_matrices(void **state)
{
    (void)state;
    vv_array *x = stations();
    double *v = computed(x, VV_F64, STATIONS * TIMES),
           *cov = computed(vv_cov_matrix(x, "time", "with", 1), VV_F64, STATIONS * STATIONS);
    double *cor = computed(vv_corrcoef(x, "time", "with"), VV_F64, STATIONS * STATIONS);
    for (int i = 0; i < STATIONS; i++)
        for (int j = 0; j < STATIONS; j++) {
            const double *p = v + i * TIMES, *q = v + j * TIMES;
            double of_p = covariance(p, p, TIMES, 1), of_q = covariance(q, q, TIMES, 1), c = covariance(p, q, TIMES, 1);
            close_to(cov[i * STATIONS + j], c);
            close_to(cor[i * STATIONS + j], c / sqrt(of_p * of_q));
        }
    free(v), free(cov), free(cor);
}

static void test_pairs_with_holes(void **state)
{
    (void)state;
    vv_array *x = stations(), *large = vv_greater(x, vv_scalar(session, 0.8)), *none = vv_scalar(session, NAN);
    vv_array *holes = vv_where(large, none, x), *one = vv_at(holes, "station", 2);
    double *v = computed(holes, VV_F64, STATIONS * TIMES),
           *cov = computed(vv_cov(holes, one, "time", 1), VV_F64, STATIONS);
    double *cor = computed(vv_corr(holes, one, "time"), VV_F64, STATIONS);
    for (int i = 0; i < STATIONS; i++) {
        const double *p = v + i * TIMES, *q = v + 2 * TIMES;
        double both[2][TIMES];
        for (int t = 0; t < TIMES; t++) both[0][t] = p[t] + 0 * q[t], both[1][t] = q[t] + 0 * p[t];
        close_to(cov[i], covariance(p, q, TIMES, 1));
        close_to(cor[i], covariance(p, q, TIMES, 0) /
                             sqrt(covariance(both[0], both[0], TIMES, 0) * covariance(both[1], both[1], TIMES, 0)));
    }
    free(v), free(cov), free(cor);
}

/* Integers stay integers of their type, which wrap as NumPy's do. */
static void test_integers(void **state)
{
    (void)state;
    vv_array *x = vv_mul(stations(), vv_scalar(session, 1e5)), *y = vv_mul(others(), vv_scalar(session, -1e3));
    vv_array *a = vv_astype(x, VV_I64), *b = vv_astype(vv_astype(y, VV_I32), VV_I64);
    vv_array *narrow = vv_matmul(vv_astype(a, VV_I16), vv_astype(b, VV_I16), "time"), *wide = vv_matmul(a, b, "time");
    vv_array *turned = vv_matmul(vv_transpose(b, NULL), a, "time");
    enum { CELLS = STATIONS * OTHERS };
    int64_t p[STATIONS * TIMES], q[TIMES * OTHERS], found[CELLS], other[CELLS];
    int16_t small[CELLS];
    assert_int_equal(vv_array_dtype(narrow), VV_I16);
    must(vv_compute(a, p, sizeof p));
    must(vv_compute(b, q, sizeof q));
    must(vv_compute(wide, found, sizeof found));
    must(vv_compute(turned, other, sizeof other));
    must(vv_compute(narrow, small, sizeof small));
    for (int s = 0; s < STATIONS; s++)
        for (int o = 0; o < OTHERS; o++) {
            int64_t sum = 0;
            for (int t = 0; t < TIMES; t++) sum += p[s * TIMES + t] * q[t * OTHERS + o];
            assert_int_equal(found[s * OTHERS + o], sum);
            assert_int_equal(other[o * STATIONS + s], sum);
            assert_int_equal(small[s * OTHERS + o], (int16_t)sum);
        }
}

static int driver(vv_session *s, int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three_factors),
        cmocka_unit_test(test_matrices),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_pairs_with_holes),
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

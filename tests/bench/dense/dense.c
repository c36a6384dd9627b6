/* Products and transpositions of held arrays, in memory: dense matmul N [DTYPE], dense transpose N. Prints a line of JSON.
 *
 * What is measured is vv_persist() of the result when its inputs are held already: planning, the work, and messages between ranks. Results are compared
 * with what they must be: a product at random places with sums of its own, a transposed array with where its elements were. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <varve/varve.h>

enum { RUNS = 5, CHECKED = 8 };

static vv_array *square_of(vv_session *s, const char *dims, const char *chunks, uint64_t seed, vv_dtype type)
{
    return vv_random_array(s, "normal", dims, chunks, seed, type);
}

/* Seconds of the fastest of several times; every result but the last is let go of. */
static vv_status timed(vv_session *s, vv_array *result, double *best, vv_run_stats *stats)
{
    *best = INFINITY;
    for (int i = 0; i < RUNS; i++) {
        vv_unpersist(result);
        vv_status status = vv_persist(result);
        if (status != VV_OK) return status;
        vv_session_stats(s, stats);
        *best = fmin(*best, stats->seconds);
    }
    return VV_OK;
}

static vv_status value_at(vv_array *a, vv_index row, vv_index column, double *out)
{
    vv_array *line = vv_at(a, vv_array_dim(a, 0), row), *one = vv_at(line, vv_array_dim(line, 0), column);
    vv_array *real = vv_astype(one, VV_F64);
    return vv_compute(real, out, sizeof *out);
}

static vv_status check_product(vv_array *a, vv_array *b, vv_array *product, vv_index n)
{
    for (int i = 0; i < CHECKED; i++) {
        vv_index row = (i * 7919 + 13) % n, column = (i * 104729 + 5) % n;
        double found, expected;
        vv_array *one = vv_mul(vv_at(a, "i", row), vv_at(b, "k", column));
        vv_status status = value_at(product, row, column, &found);
        if (status == VV_OK) status = vv_compute(vv_astype(vv_sum(one, NULL), VV_F64), &expected, sizeof expected);
        if (status != VV_OK) return status;
        if (fabs(found - expected) > 1e-4 * sqrt((double)n)) {
            fprintf(stderr, "wrong at %lld, %lld: %g instead of %g\n", (long long)row, (long long)column, found,
                    expected);
            return VV_ERR_INTERNAL;
        }
    }
    return VV_OK;
}

static vv_status matmul(vv_session *s, vv_index n, vv_dtype type)
{
    char of_a[64], of_b[64];
    double seconds;
    vv_run_stats stats;
    snprintf(of_a, sizeof of_a, "i:%lld,j:%lld", (long long)n, (long long)n);
    snprintf(of_b, sizeof of_b, "j:%lld,k:%lld", (long long)n, (long long)n);
    vv_array *a = square_of(s, of_a, "i:1024,j:1024", 1, type), *b = square_of(s, of_b, "j:1024,k:1024", 2, type);
    vv_array *product = vv_matmul(a, b, "j");
    vv_status status = vv_persist_all((vv_array *[]){a, b}, 2);
    if (status == VV_OK) status = timed(s, product, &seconds, &stats);
    if (status == VV_OK) status = check_product(a, b, product, n);
    if (status == VV_OK)
        printf("{\"seconds\": %.6f, \"moved\": %lld, \"peak\": %lld}\n", seconds, (long long)stats.moved,
               (long long)stats.peak);
    return status;
}

/* Rows of the one lie with the same ranks as rows of the other, as in FFTW's transpositions. */
static vv_status transpose(vv_session *s, vv_index n)
{
    char dims[64], chunks[64], after[64];
    double seconds, others;
    vv_run_stats stats;
    snprintf(dims, sizeof dims, "y:%lld,x:%lld", (long long)n, (long long)n);
    snprintf(chunks, sizeof chunks, "y:%lld,x:all", (long long)(n / 32));
    snprintf(after, sizeof after, "x:%lld,y:all", (long long)(n / 32));
    vv_array *a = square_of(s, dims, chunks, 1, VV_F64), *turned = vv_rechunk(vv_transpose(a, NULL), after);
    vv_status status = vv_persist(a);
    if (status == VV_OK) status = timed(s, turned, &seconds, &stats);
    if (status == VV_OK)
        status = vv_compute(vv_astype(vv_sum(vv_not_equal(a, turned), NULL), VV_F64), &others, sizeof others);
    if (status == VV_OK && others > 0) {
        fprintf(stderr, "%g elements are not where they belong\n", others);
        status = VV_ERR_INTERNAL;
    }
    if (status == VV_OK)
        printf("{\"seconds\": %.6f, \"moved\": %lld, \"peak\": %lld}\n", seconds, (long long)stats.moved,
               (long long)stats.peak);
    return status;
}

static int driver(vv_session *s, int argc, char **argv)
{
    vv_index n = argc > 2 ? atoll(argv[2]) : 0;
    vv_dtype type = argc > 3 && !strcmp(argv[3], "f32") ? VV_F32 : VV_F64;
    if (n < 32 || (strcmp(argv[1], "matmul") != 0 && strcmp(argv[1], "transpose") != 0)) {
        fprintf(stderr, "dense matmul N [f32|f64], dense transpose N\n");
        return VV_ERR_USAGE;
    }
    vv_status status = !strcmp(argv[1], "matmul") ? matmul(s, n, type) : transpose(s, n);
    if (status != VV_OK) fprintf(stderr, "dense: %s\n", vv_last_error());
    return status;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}

#include "kernels/random/random.h"

#include "kernels/cpu.h"

#include <Random123/philox.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const vv_dtype reals[] = {VV_F32, VV_F64};

/* Parameters to test each kind with. */
static const double parameter[][2] = {{-3, 11}, {-3, 11}, {-3, 11}, {2.5, 0}, {3.5, 2}, {2, 5}, {40, 0}, {1000, 0.3}};

/* Each kind with each of its types, every level of the machine. */
#define FOR_ALL(r, type)                                                                                               \
    for (int kind = 0; kind < vv_n_random_kinds; kind++)                                                               \
        for (int t = 0; t < (vv_random_kinds[kind].real ? 2 : 1); t++)                                                 \
            for (vv_dtype type = vv_random_kinds[kind].real ? reals[t] : VV_I64, once = type; once; once = VV_NONE)    \
                for (vv_random r = {kind, 0x123456789abcdef0, parameter[kind][0], parameter[kind][1]}, *more = &r;     \
                     more; more = NULL)

static void any_split_gives_the_same_bits(void **state)
{
    (void)state;
    srand(31);
    enum { N = 3000 };
    char *all = malloc(N * 8), *piece = malloc(N * 8 + 8);
    assert_true(all && piece);
    static const vv_index origins[] = {0, 1, 255, 1000003, (vv_index)1 << 33, (vv_index)3 << 52};
    FOR_ALL(r, type)
    {
        vv_bytes size = vv_dtype_size(type);
        for (int o = 0; o < 6; o++) {
            vv_random_fill(&r, type, origins[o], N, all);
            for (int round = 0; round < 10; round++) {
                vv_index first = rand() % N, n = rand() % (N - first + 1);
                memset(piece, 0x5a, N * 8 + 8);
                vv_random_fill(&r, type, origins[o] + first, n, piece);
                assert_memory_equal(piece, all + first * size, (size_t)(n * size));
                for (int i = 0; i < 8; i++) assert_int_equal(piece[n * size + i], 0x5a);
            }
        }
    }
    free(all);
    free(piece);
}

static void every_level_gives_the_same_bits(void **state)
{
    (void)state;
    enum { N = 5000 };
    char *first = malloc(N * 8), *out = malloc(N * 8);
    assert_true(first && out);
    vv_cpu_level before = vv_cpu();
    FOR_ALL(r, type)
    {
        vv_cpu_set(VV_CPU_PORTABLE);
        vv_random_fill(&r, type, 77, N, first);
        for (int level = 0; level < VV_CPU_LEVELS; level++) {
            if (!vv_cpu_set((vv_cpu_level)level)) continue;
            vv_random_fill(&r, type, 77, N, out);
            assert_memory_equal(first, out, (size_t)(N * vv_dtype_size(type)));
        }
    }
    vv_cpu_set(before);
    free(first);
    free(out);
}

/* Words of an element by the generator's own implementation. */
static uint32_t word_of(uint64_t seed, uint64_t word)
{
    philox4x32_ctr_t counter = {{(uint32_t)(word / 4), (uint32_t)(word / 4 >> 32), 0, 0}};
    philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    return philox4x32(counter, key).v[word % 4];
}
static uint64_t two_words(uint64_t seed, uint64_t i)
{
    return (uint64_t)word_of(seed, 2 * i + 1) << 32 | word_of(seed, 2 * i);
}

static void elements_come_from_philox(void **state)
{
    (void)state;
    enum { N = 700 };
    static const uint64_t origins[] = {0, 13, (uint64_t)1 << 36};
    for (int o = 0; o < 3; o++) {
        const uint64_t seed = 0xfedcba9876543210 + (uint64_t)o, at = origins[o];
        float f[N];
        double d[N], normal[N];
        int64_t whole[N];
        vv_random unit = {vv_random_find("uniform"), seed, 0, 1}, round = {vv_random_find("integers"), seed, -5, 1000};
        vv_random bell = {vv_random_find("normal"), seed, 0, 1};
        vv_random_fill(&unit, VV_F32, (vv_index)at, N, f);
        vv_random_fill(&unit, VV_F64, (vv_index)at, N, d);
        vv_random_fill(&round, VV_I64, (vv_index)at, N, whole);
        vv_random_fill(&bell, VV_F64, (vv_index)at, N, normal);
        for (uint64_t i = 0; i < N; i++) {
            uint64_t bits = two_words(seed, at + i);
            assert_true(f[i] == (float)(word_of(seed, at + i) >> 8) / 16777216.0F);
            assert_true(d[i] == (double)(bits >> 12) * 0x1p-52);
            assert_true(whole[i] == -5 + (int64_t)((unsigned __int128)bits * 1005 >> 64));
            uint64_t even = (at + i) & ~(uint64_t)1, circle = two_words(seed, even + 1);
            double u = 1 - (double)(two_words(seed, even) >> 12) * 0x1p-52, pi = 3.14159265358979323846;
            double angle = ((double)(circle >> 62) + (double)(circle << 2 >> 12) * 0x1p-52 - 0.5) * pi / 2;
            double right = sqrt(-2 * log(u)) * ((at + i) % 2 ? sin(angle) : cos(angle));
            assert_true(fabs(normal[i] - right) < 1e-14);
        }
    }
}

/* Mean and variance within six of their standard deviations, ends of the range, and seeds that have nothing in common. */
static void numbers_are_distributed_as_named(void **state)
{
    (void)state;
    enum { N = 60000 };
    double *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y);
    assert_true(x && y);
    static const struct {
        double mean, variance, fourth, low, high;
    } right[] = {{4, 196.0 / 12, 9.0 / 5, -3, 11},   {-3, 121, 3, -100, 100},
                 {3.5, 195.0 / 12, 9.0 / 5, -3, 10}, {2.5, 6.25, 9, 0, INFINITY},
                 {7, 14, 3 + 6 / 3.5, 0, INFINITY},  {2.0 / 7, 10.0 / 392, 3, 0, 1},
                 {40, 40, 3.1, 0, INFINITY},         {300, 210, 3, 0, 1000}};
    FOR_ALL(r, type)
    {
        double sum = 0, squares = 0, products = 0, spread = sqrt(right[kind].variance / N);
        vv_random_fill(&r, type, 0, N, x);
        r.seed++;
        vv_random_fill(&r, type, 0, N, y);
        for (int i = 0; i < N; i++) {
            double a =
                type == VV_I64 ? (double)((int64_t *)x)[i] : vv_dtype_load(type, (char *)x + i * vv_dtype_size(type));
            double b =
                type == VV_I64 ? (double)((int64_t *)y)[i] : vv_dtype_load(type, (char *)y + i * vv_dtype_size(type));
            assert_true(a >= right[kind].low && (kind == 0 ? a < right[kind].high : a <= right[kind].high));
            a -= right[kind].mean;
            b -= right[kind].mean;
            sum += a;
            squares += a * a;
            products += a * b;
        }
        assert_true(fabs(sum / N) < 6 * spread);
        assert_true(fabs(squares / N / right[kind].variance - 1) < 6 * sqrt(right[kind].fourth / N));
        assert_true(fabs(products / N / right[kind].variance) < 6 / sqrt(N));
    }
    free(x);
    free(y);
}

/* Small and large counts are made in different ways: chances of single values are those of the formulas. */
static void counts_have_their_chances(void **state)
{
    (void)state;
    enum { N = 60000 };
    int64_t *x = malloc(N * sizeof *x);
    assert_true(x != NULL);
    static const struct {
        const char *kind;
        double a, b;
    } of[] = {{"poisson", 0.5, 0},      {"poisson", 15, 0},   {"poisson", 17, 0},   {"poisson", 300, 0},
              {"poisson", 0, 0},        {"binomial", 7, 0.2}, {"binomial", 7, 0.9}, {"binomial", 90, 0.5},
              {"binomial", 5000, 0.01}, {"binomial", 9, 1}};
    for (size_t k = 0; k < sizeof of / sizeof *of; k++) {
        vv_random r = {vv_random_find(of[k].kind), 99 + k, of[k].a, of[k].b};
        bool poisson = of[k].kind[0] == 'p';
        double mean = poisson ? r.a : r.a * r.b;
        vv_random_fill(&r, VV_I64, 0, N, x);
        for (int64_t value = (int64_t)mean > 3 ? (int64_t)mean - 3 : 0; value < (int64_t)mean + 4; value++) {
            double logarithm = poisson ? (double)value * log(r.a) - r.a - lgamma((double)value + 1)
                                       : lgamma(r.a + 1) - lgamma((double)value + 1) - lgamma(r.a - (double)value + 1) +
                                             (double)value * log(r.b) + (r.a - (double)value) * log1p(-r.b);
            double chance = mean == 0 || r.b == 1             ? (double)value == mean
                            : !poisson && (double)value > r.a ? 0
                                                              : exp(logarithm);
            int found = 0;
            for (int i = 0; i < N; i++) found += x[i] == value;
            assert_true(fabs(found / (double)N - chance) <= 6 * sqrt(chance * (1 - chance) / N));
        }
    }
    free(x);
}

/* Gamma and beta numbers: parts of them below some bounds, as the distributions' functions have it for whole parameters. */
static void gamma_numbers_lie_right(void **state)
{
    (void)state;
    enum { N = 60000 };
    double *x = malloc(N * sizeof *x);
    assert_true(x != NULL);
    vv_random erlang = {vv_random_find("gamma"), 5, 2, 3}, half = {vv_random_find("gamma"), 6, 0.5, 2},
              beta = {vv_random_find("beta"), 7, 2, 1};
    const struct {
        const vv_random *r;
        double bound, chance;
    } of[] = {{&erlang, 3, 1 - 2 * exp(-1)},
              {&erlang, 9, 1 - 4 * exp(-3)},
              {&half, 1, erf(sqrt(0.5))},
              {&half, 0.01, erf(sqrt(0.005))},
              {&beta, 0.5, 0.25},
              {&beta, 0.9, 0.81}};
    for (size_t k = 0; k < sizeof of / sizeof *of; k++) {
        int below = 0;
        vv_random_fill(of[k].r, VV_F64, 0, N, x);
        for (int i = 0; i < N; i++) below += x[i] < of[k].bound;
        assert_true(fabs(below / (double)N - of[k].chance) <= 6 * sqrt(of[k].chance * (1 - of[k].chance) / N));
    }
    free(x);
}

static void sequences_count(void **state)
{
    (void)state;
    vv_random r = {vv_random_sequence, 0, -5, 3};
    int64_t whole[300];
    double real[300];
    vv_random_fill(&r, VV_I64, 1000, 300, whole);
    vv_random_fill(&r, VV_F64, 1000, 300, real);
    for (int i = 0; i < 300; i++) {
        assert_int_equal(whole[i], -5 + 3 * (1000 + i));
        assert_true(real[i] == -5 + 3.0 * (1000 + i));
    }
    assert_true(vv_random_makes(vv_random_sequence, VV_F64) && !vv_random_makes(vv_random_sequence, VV_F32));
    assert_false(vv_random_makes(-1, VV_F64) || vv_random_makes(vv_random_sequence + 1, VV_F64));
    assert_int_equal(vv_random_find("sequence"), -1);
}

static void kinds_have_names(void **state)
{
    (void)state;
    assert_int_equal(vv_random_find("nothing"), -1);
    for (int k = 0; k < vv_n_random_kinds; k++) assert_int_equal(vv_random_find(vv_random_kinds[k].name), k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_split_gives_the_same_bits),    cmocka_unit_test(every_level_gives_the_same_bits),
        cmocka_unit_test(elements_come_from_philox),        cmocka_unit_test(kinds_have_names),
        cmocka_unit_test(numbers_are_distributed_as_named), cmocka_unit_test(counts_have_their_chances),
        cmocka_unit_test(gamma_numbers_lie_right),          cmocka_unit_test(sequences_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "kernels/gemm.h"

#include "base/index.h"
#include "base/mem.h"
#include "kernels/cpu.h"
#include "kernels/reduce.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A matrix with strides; `origin` is element (0, 0) of `data`. */
typedef struct matrix {
    vv_index row, column, origin, elements;
    char *data;
} matrix;

enum { BY_ROWS, BY_COLUMNS, SPARSE, FLIPPED, BROADCAST, LAYOUTS };

static matrix random_matrix(vv_dtype type, vv_index rows, vv_index columns, int layout, bool whole)
{
    vv_index gap = rand() % 3;
    matrix m = {.row = columns + gap, .column = 1};
    if (layout == BY_COLUMNS) m = (matrix){.row = 1, .column = rows + gap};
    if (layout == SPARSE) m = (matrix){.row = 3 * columns + gap, .column = 3};
    if (layout == FLIPPED) m = (matrix){.row = columns + gap, .column = -1, .origin = columns - 1};
    if (layout == BROADCAST) m = (matrix){.row = 0, .column = 1};
    m.elements = 3 * (rows + 3) * (columns + 3);
    m.data = malloc((size_t)(m.elements * 8));
    assert_non_null(m.data);
    for (vv_index i = 0; i < m.elements; i++)
        vv_dtype_store(type, m.data + i * vv_dtype_size(type),
                       whole ? (double)(rand() % 17 - 8) : rand() / (double)RAND_MAX - 0.3);
    return m;
}

static const char *first_of(const matrix *m, vv_dtype type)
{
    return m->data + m->origin * vv_dtype_size(type);
}

static double element(const matrix *m, vv_dtype type, vv_index i, vv_index j)
{
    return vv_dtype_load(type, first_of(m, type) + (i * m->row + j * m->column) * vv_dtype_size(type));
}

/* The product, and the largest rounding error that it may have. */
static long double right(vv_dtype type, const matrix *a, const matrix *b, vv_index k, vv_index i, vv_index j,
                         long double *allowed)
{
    long double sum = 0, size = 0;
    for (vv_index l = 0; l < k; l++) {
        long double p = (long double)element(a, type, i, l) * (long double)element(b, type, l, j);
        sum += p;
        size += fabsl(p);
    }
    long double f32 = (long double)vv_imin(k, VV_GEMM_F32_SPAN) * 0x1p-24L;
    *allowed = size * (type == VV_F32 ? f32 : (long double)k * 0x1p-53L) + (size + 1) * (long double)(k + 8) * 0x1p-53L;
    return sum;
}

static void check(vv_dtype type, vv_index m, vv_index n, vv_index k, int layout_a, int layout_b, bool whole)
{
    enum { GUARD = 16 };
    matrix a = random_matrix(type, m, k, layout_a, whole), b = random_matrix(type, k, n, layout_b, whole);
    vv_index c_row = n + rand() % 4;
    double *c = malloc((size_t)(m * c_row + 1) * sizeof *c), *before = malloc((size_t)(m * c_row + 1) * sizeof *c);
    vv_bytes room = vv_gemm_workspace(type, m, n, k, a.row, a.column, b.row, b.column);
    char *workspace = aligned_alloc(64, (size_t)(room + GUARD + 63) / 64 * 64);
    assert_true(c && before && workspace);
    for (vv_index i = 0; i < m * c_row; i++) c[i] = before[i] = (double)(rand() % 100);
    memset(workspace + room, 0x5a, GUARD);
    vv_gemm(type, m, n, k, first_of(&a, type), a.row, a.column, first_of(&b, type), b.row, b.column, c, c_row,
            workspace);
    for (int i = 0; i < GUARD; i++) assert_int_equal(workspace[room + i], 0x5a);
    vv_index step = m * n * k > 2000000 ? 37 : 1;
    for (vv_index e = 0; e < m * c_row; e += step) {
        vv_index i = e / c_row, j = e % c_row;
        long double allowed = 0, product = j < n ? right(type, &a, &b, k, i, j, &allowed) : 0;
        if (j >= n || whole) allowed = 0;
        if (!(fabsl((long double)before[e] + product - (long double)c[e]) <= allowed + (allowed > 0 ? 0x1p-44L : 0)))
            fail_msg("%s %dx%dx%d layouts %d %d: (%d, %d) is off by %Lg", vv_dtype_name(type), (int)m, (int)n, (int)k,
                     layout_a, layout_b, (int)i, (int)j, (long double)before[e] + product - (long double)c[e]);
    }
    free(a.data);
    free(b.data);
    free(c);
    free(before);
    free(workspace);
}

static void every_layout_of_both_types(void **state)
{
    (void)state;
    srand(21);
    static const vv_index extents[] = {0, 1, 2, 5, 16, 31, 64};
    for (int round = 0; round < 6; round++)
        for (int pair = 0; pair < LAYOUTS * LAYOUTS; pair++)
            for (int t = 0; t < 2; t++) {
                vv_index m = extents[rand() % 7], n = extents[rand() % 7], k = extents[rand() % 7];
                check(t ? VV_F64 : VV_F32, m, n, k, pair % LAYOUTS, pair / LAYOUTS, round % 2);
            }
}

/* More than one piece along every extent, in place and packed. */
static void large_matrices_in_pieces(void **state)
{
    (void)state;
    srand(22);
    static const vv_index extents[][3] = {{1030, 40, 300}, {30, 1100, 520}, {20, 30, 2100}};
    for (int e = 0; e < 3; e++)
        for (int t = 0; t < 2; t++)
            for (int layout = 0; layout < LAYOUTS; layout++)
                check(t ? VV_F64 : VV_F32, extents[e][0], extents[e][1], extents[e][2], layout, (layout + 1) % LAYOUTS,
                      layout % 2);
}

/* Whole numbers beyond 2^24: float32 alone would lose them, and does not within its span. */
static void long_float_sums_are_exact(void **state)
{
    (void)state;
    enum { K = 100000 };
    float *a = malloc(K * sizeof *a), *b = malloc(K * sizeof *b);
    assert_true(a && b);
    for (int i = 0; i < K; i++) {
        a[i] = 127;
        b[i] = 125;
    }
    double c = 1;
    void *workspace = aligned_alloc(64, (size_t)(vv_gemm_workspace(VV_F32, 1, 1, K, K, 1, 1, 1) / 64 + 1) * 64);
    vv_gemm(VV_F32, 1, 1, K, a, K, 1, b, 1, 1, &c, 1, workspace);
    assert_true(c == 127.0 * 125.0 * K + 1);
    free(a);
    free(b);
    free(workspace);
}

static void sums_of_products_are_states(void **state)
{
    (void)state;
    enum { CELLS = 37 };
    assert_null(vv_reduction_find("dot"));
    const vv_reduction *dot = vv_reduction_any("dot");
    assert_ptr_equal(dot, &vv_reduction_dot);
    assert_ptr_equal(vv_reduction_any("mean"), vv_reduction_find("mean"));
    assert_null(vv_reduction_any("nothing"));
    assert_int_equal(dot->result(VV_F32), VV_F32);
    assert_int_equal(dot->result(VV_I16), VV_I64);
    assert_int_equal(dot->result(VV_U64), VV_U64);
    assert_int_equal(vv_reduction_planes(dot, VV_C64), 0);
    const vv_red r = {.kind = dot, .in = VV_F32, .skip = true};
    size_t bytes = (size_t)vv_red_state_bytes(&r, CELLS);
    void *left = malloc(bytes), *right = malloc(bytes);
    double out[CELLS];
    assert_true(left && right);
    vv_cpu_level before = vv_cpu();
    for (int level = 0; level < VV_CPU_LEVELS; level++) {
        if (!vv_cpu_set((vv_cpu_level)level)) continue;
        vv_red_init(&r, CELLS, left);
        vv_red_init(&r, CELLS, right);
        double *l = (double *)(void *)((vv_red_head *)left + 1), *q = (double *)(void *)((vv_red_head *)right + 1);
        for (int i = 0; i < CELLS; i++) {
            assert_true(l[i] == 0);
            l[i] = i;
            q[i] = 100 * i;
        }
        vv_red_combine(&r, left, right);
        assert_int_equal(vv_red_out(&r), VV_F64);
        vv_red_finish(&r, left, out);
        for (int i = 0; i < CELLS; i++) assert_true(out[i] == 101 * i);
    }
    vv_cpu_set(before);
    free(left);
    free(right);
}

/* The first product of a process: BLAS gets its own memory now, and keeps it. */
static void blas_keeps_what_is_counted(void **state)
{
    (void)state;
    enum { SIDE = 1024, AROUND = 300000 };
    const vv_dtype types[] = {VV_F32, VV_F64};
    size_t bytes = sizeof(double) * SIDE * SIDE;
    char *x = malloc(3 * bytes), *room = malloc(2 * bytes);
    assert_true(x && room);
    memset(x, 0x3c, 3 * bytes); /* zeros could be made by calloc(): pages that are not there yet */
    memset(room, 0x3c, 2 * bytes);
    vv_bytes before = vv_mem_resident();
    for (int t = 0; t < 2; t++)
        vv_gemm(types[t], SIDE, SIDE, SIDE, x, SIDE, 1, x + bytes, SIDE, 1, (double *)(void *)(x + 2 * bytes), SIDE,
                room);
    assert_true(vv_gemm_workspace(VV_F64, SIDE, SIDE, SIDE, SIDE, 1, SIDE, 1) <= (vv_bytes)(2 * bytes));
    vv_bytes more = vv_mem_resident() - before;
    if (more > VV_GEMM_LIBRARY + AROUND) fail_msg("BLAS takes %lld bytes", (long long)more);
    free(x);
    free(room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blas_keeps_what_is_counted),  cmocka_unit_test(every_layout_of_both_types),
        cmocka_unit_test(large_matrices_in_pieces),    cmocka_unit_test(long_float_sums_are_exact),
        cmocka_unit_test(sums_of_products_are_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Operations on matrices in memory of exactly the promised sizes (a sanitizer sees what is beyond): products of factors are the matrix again, whatever its shape, its
 * rank and the condition of its columns, and what cannot be factored says at which pivot. */
#include "kernels/tile/tile.h"

#include "base/mem.h"
#include "base/status.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double EXACT = 1e-12;

static vv_matrix matrix(vv_index rows, vv_index columns)
{
    vv_matrix m = {rows, columns, malloc((size_t)(rows * columns) * sizeof(double))};
    assert_non_null(m.at);
    return m;
}

static vv_matrix random_matrix(vv_index rows, vv_index columns, double mean)
{
    vv_matrix m = matrix(rows, columns);
    for (vv_index i = 0; i < rows * columns; i++) m.at[i] = mean + rand() / (double)RAND_MAX - 0.5;
    return m;
}

static vv_matrix product(const vv_matrix *a, const vv_matrix *b, bool turned)
{
    vv_matrix c = matrix(turned ? a->columns : a->rows, b->columns);
    vv_index n = turned ? a->rows : a->columns;
    for (vv_index i = 0; i < c.rows; i++)
        for (vv_index k = 0; k < c.columns; k++) {
            double sum = 0;
            for (vv_index l = 0; l < n; l++) {
                double x = turned ? a->at[l * a->columns + i] : a->at[i * a->columns + l];
                sum += x * b->at[l * b->columns + k];
            }
            c.at[i * c.columns + k] = sum;
        }
    return c;
}

static void must_be_near(const double *found, const double *expected, vv_index n, double bound)
{
    for (vv_index i = 0; i < n; i++)
        if (!(fabs(found[i] - expected[i]) <= bound)) fail_msg("%.17g instead of %.17g", found[i], expected[i]);
}

/* Runs an operation upon one or two matrices, the first one a piece; workspace and result are as large as they have to be. */
static vv_status run_piece(const char *name, vv_index piece, const vv_matrix *a, const vv_matrix *b, vv_index rows,
                           vv_index columns, vv_matrix *out)
{
    int op = vv_tile_op_find(name);
    vv_tile_work w = {.from = 100, .piece = piece, .in = {*a, b ? *b : (vv_matrix){0}}, .out = {rows, columns, NULL}};
    assert_true(op >= 0);
    char *room = NULL;
    *out = w.out = matrix(rows, columns);
    vv_tile_call call = {.op = op, .type = VV_F64};
    vv_bytes bytes = (vv_tile_workspace(&call, &w) + 63) / 64 * 64;
    if (bytes) assert_int_equal(posix_memalign((void **)&room, 64, (size_t)bytes), 0);
    w.room = room;
    vv_status status = vv_tile_run(&call, &w);
    free(room);
    return status;
}

static vv_status run(const char *name, const vv_matrix *a, const vv_matrix *b, vv_index rows, vv_index columns,
                     vv_matrix *out)
{
    return run_piece(name, 0, a, b, rows, columns, out);
}

static void must_run(const char *name, const vv_matrix *a, const vv_matrix *b, vv_index rows, vv_index columns,
                     vv_matrix *out)
{
    if (run(name, a, b, rows, columns, out) != VV_OK) fail_msg("%s: %s", name, vv_last_error());
}

/* q r is a, the columns of q are orthonormal, and r is a triangle. */
static void check_factors(const vv_matrix *a, const vv_matrix *q, const vv_matrix *r)
{
    vv_index k = q->columns;
    vv_matrix again = product(q, r, false), gram = product(q, q, true);
    double size = 0;
    for (vv_index i = 0; i < a->rows * a->columns; i++) size = fmax(size, fabs(a->at[i]));
    must_be_near(again.at, a->at, a->rows * a->columns, EXACT * fmax(size, 1e-300));
    for (vv_index i = 0; i < k; i++)
        for (vv_index j = 0; j < k; j++) {
            double one = i == j;
            must_be_near(&gram.at[i * k + j], &one, 1, EXACT);
            if (j < i) assert_true(r->at[i * a->columns + j] == 0);
        }
    free(again.at), free(gram.at);
}

static void check_qr(vv_matrix a)
{
    vv_index k = a.rows < a.columns ? a.rows : a.columns;
    vv_matrix q, r;
    must_run("qr_r", &a, NULL, k, a.columns, &r);
    must_run("qr_q", &a, NULL, a.rows, k, &q);
    check_factors(&a, &q, &r);
    free(a.at), free(q.at), free(r.at);
}

/* The same by pieces of so many rows, as long matrices are factored; whether each was multiplied with its share alone. */
static void check_pieces(vv_matrix a, vv_index cut, const char *multiplied)
{
    vv_index n = a.columns, pieces = (a.rows + cut - 1) / cut;
    vv_matrix stack = matrix(pieces * n, n), q = matrix(a.rows, n), r, shares, out;
    for (vv_index i = 0; i < pieces; i++) {
        vv_matrix piece = {i + 1 < pieces ? cut : a.rows - i * cut, n, a.at + i * cut * n};
        must_run("qr_r", &piece, NULL, n, n, &out);
        memcpy(stack.at + i * n * n, out.at, (size_t)(n * n) * sizeof(double));
        free(out.at);
    }
    must_run("qr_r", &stack, NULL, n, n, &r);
    must_run("qr_shares", &stack, NULL, pieces * (n + 1), n, &shares);
    for (vv_index i = 0; i < pieces; i++) {
        vv_matrix piece = {i + 1 < pieces ? cut : a.rows - i * cut, n, a.at + i * cut * n};
        assert_true(run_piece("qr_piece", i, &piece, &shares, piece.rows, n, &out) == VV_OK);
        memcpy(q.at + i * cut * n, out.at, (size_t)(piece.rows * n) * sizeof(double));
        assert_true(shares.at[i * (n + 1) * n] == multiplied[i] - '0');
        free(out.at);
    }
    check_factors(&a, &q, &r);
    free(a.at), free(q.at), free(r.at), free(stack.at), free(shares.at);
}

static void qr_of_pieces(void **state)
{
    (void)state;
    check_pieces(random_matrix(9000, 8, 0), 3000, "111");
    check_pieces(random_matrix(6005, 8, 0), 3000, "110"); /* the last piece has fewer rows than columns */
    check_pieces(random_matrix(6000, 8, 1e4), 3000, "00");
    vv_matrix a = random_matrix(9000, 8, 0);
    for (vv_index i = 3000; i < 6000; i++) a.at[i * 8 + 3] = 3 * a.at[i * 8 + 5];
    check_pieces(a, 3000, "101");
    a = random_matrix(6000, 4, 0);
    for (vv_index i = 0; i < 12000; i++) a.at[i] *= 1e-180; /* squares vanish */
    check_pieces(a, 3000, "01");
}

static void qr_of_any_columns(void **state)
{
    (void)state;
    check_qr(random_matrix(1, 1, 0));
    check_qr(random_matrix(5, 9, 0));
    check_qr(random_matrix(400, 7, 0));
    check_qr(random_matrix(5000, 7, 0));   /* several blocks, columns nearly orthogonal */
    check_qr(random_matrix(5000, 7, 1e4)); /* far from that */
    check_qr(random_matrix(4100, 7, 0));   /* the last block has fewer rows than columns */
    vv_matrix a = random_matrix(3000, 6, 0);
    for (vv_index i = 0; i < a.rows; i++) a.at[i * 6 + 4] = i < 1500 ? 0 : a.at[i * 6 + 1];
    check_qr(a);
    a = random_matrix(3000, 4, 0);
    for (vv_index i = 0; i < 12000; i++) a.at[i] *= 1e-180; /* squares vanish */
    check_qr(a);
    a = matrix(2500, 3);
    memset(a.at, 0, 7500 * sizeof(double));
    check_qr(a);
}

static void singular_values(void **state)
{
    (void)state;
    vv_matrix a = random_matrix(12, 12, 0.2), packed;
    must_run("svd", &a, NULL, 25, 12, &packed);
    vv_matrix u = {12, 12, packed.at}, v = {12, 12, packed.at + 13 * 12}, scaled = matrix(12, 12);
    for (int i = 0; i < 144; i++) scaled.at[i] = u.at[i] * packed.at[144 + i % 12];
    vv_matrix again = product(&scaled, &v, false);
    must_be_near(again.at, a.at, 144, EXACT);
    a.at[7] = INFINITY;
    free(packed.at);
    assert_int_equal(run("svd", &a, NULL, 25, 12, &packed), VV_ERR_USAGE);
    free(a.at), free(packed.at), free(scaled.at), free(again.at);
}

static void triangles(void **state)
{
    (void)state;
    vv_matrix a = random_matrix(9, 9, 3), b = random_matrix(9, 4, 0), x;
    must_run("solve_lower", &b, &a, 9, 4, &x);
    for (int i = 0; i < 9; i++)
        for (int k = 0; k < 4; k++) {
            double sum = 0;
            for (int l = 0; l <= i; l++) sum += a.at[9 * i + l] * x.at[4 * l + k];
            must_be_near(&sum, &b.at[4 * i + k], 1, EXACT);
        }
    a.at[9 * 6 + 6] = 0;
    free(x.at);
    assert_int_equal(run("solve_upper", &b, &a, 9, 4, &x), VV_ERR_USAGE);
    assert_non_null(strstr(vv_last_error(), "singular: pivot 106 is 0"));
    free(a.at), free(b.at), free(x.at);
}

static void panels(void **state)
{
    (void)state;
    vv_matrix a = random_matrix(30, 8, 0), behind = random_matrix(30, 5, 0), panel, done, order;
    must_run("lu_panel", &a, NULL, 31, 8, &panel);
    must_run("lu_update", &behind, &panel, 30, 5, &done);
    must_run("lu_order", &panel, NULL, 30, 1, &order);
    for (int i = 0; i < 30; i++) { /* rows in their order are l u */
        double sum = i < 8 ? done.at[5 * i] : done.at[5 * i] + 0;
        for (int l = 0; l < (i < 8 ? i : 8); l++) sum += panel.at[8 * i + l] * done.at[5 * l];
        must_be_near(&sum, &behind.at[5 * (int)order.at[i]], 1, EXACT);
    }
    vv_matrix wrong = random_matrix(20, 6, 0), l;
    for (int i = 0; i < 6; i++) wrong.at[6 * i + i] = i == 4 ? -1 : 9;
    assert_int_equal(run("cholesky_panel", &wrong, NULL, 20, 6, &l), VV_ERR_USAGE);
    assert_non_null(strstr(vv_last_error(), "pivot 104 is -"));
    free(a.at), free(behind.at), free(panel.at), free(done.at), free(order.at), free(wrong.at), free(l.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(qr_of_any_columns), cmocka_unit_test(qr_of_pieces), cmocka_unit_test(singular_values),
        cmocka_unit_test(triangles),         cmocka_unit_test(panels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* QR factorisations of pieces of rows that may be much longer than wide, by reflections.
 *
 * A piece is cut into blocks of rows that stay in the second-level cache. Each is factored by itself; the triangles, one below the other, are factored in turn, and their
 * triangle is that of the piece. Its orthogonal factor is had from the top down: that of the stacked triangles first, whose rows are then what the blocks'
 * own factors are multiplied with. A block's reflections are applied as I - V T V', where T is never made: its inverse is the upper triangle of V'V with the reflections'
 * 1 / tau on its diagonal, so that applying them is two products and a small triangle solved.
 *
 * Reflections are safe whatever the columns are, and slow: half of their arithmetic goes through vectors. Columns that are nearly orthogonal already do not need
 * them: where the triangle that Cholesky's factorisation makes of a piece's products of columns has a condition of at most MILD, it is as good as the other one, and the
 * piece's factor is the piece times its inverse. Which way a piece goes is seen from its elements alone.
 *
 * Of a matrix of many pieces the triangles are known when factors are wanted (array/linalg/qr.c). So each piece gets a share of what its factor is multiplied with
 * that says, in a row of its own, whether the inverse of the piece's triangle is in it already: then the piece is multiplied, and not factored again.
 *
 * No diagonal element of a triangle is negative: that makes the factorisation of a matrix of full rank the only one. */
#include "base/mem.h"
#include "base/status.h"
#include "kernels/tile/kernels.h"
#include "kernels/tile/lapack.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <string.h>

enum { BLOCK_ROWS = 1024, TALL = 16, PANEL = 64, MILD = 16 };

/* How a piece of m rows and n columns is cut, and where everything is. Blocks and the stack are column-major. */
typedef struct layout {
    vv_index m, n;
    vv_index rows;   /* of a block; the last one has what is left */
    vv_index blocks; /* 1: there is no stack */
    double *block;   /* of all blocks when `keep`, else of one */
    double *tau;     /* n for each block */
    double *stack, *stack_tau;
    double *work;
    vv_index n_work;
    double *by_products, *inverse; /* triangles, n x n */
    double *square[2];             /* n x n, and n x the columns of the result: for applying a block's reflections */
} layout;

static layout lay_out(const vv_tile_work *w, bool keep, vv_tile_room *room)
{
    layout l = {.m = w->in[0].rows, .n = w->in[0].columns};
    l.rows = vv_imin(l.m, vv_imax(BLOCK_ROWS, TALL * l.n));
    l.blocks = vv_ceil_div(l.m, vv_imax(1, l.rows));
    vv_index stack = l.blocks > 1 ? l.blocks * l.n : 0, kept = keep ? l.blocks : 1, wide = w->out.columns;
    l.n_work = vv_imax(1, l.n) * PANEL;
    l.block = vv_tile_take(room, vv_times(vv_times(kept * l.rows, l.n), 8));
    l.tau = vv_tile_take(room, kept * l.n * 8);
    l.stack = vv_tile_take(room, vv_times(vv_times(stack, l.n), 8));
    l.stack_tau = vv_tile_take(room, l.n * 8);
    l.work = vv_tile_take(room, l.n_work * 8);
    l.by_products = vv_tile_take(room, vv_times(l.n * l.n, 8));
    l.inverse = vv_tile_take(room, vv_times(l.n * l.n, 8));
    l.square[0] = vv_tile_take(room, keep ? vv_times(l.n * l.n, 8) : 0);
    l.square[1] = vv_tile_take(room, keep ? vv_times(vv_times(stack + 2 * l.n, wide), 8) : 0);
    return l;
}

static vv_index rows_of(const layout *l, vv_index block)
{
    return vv_imin(l->rows, l->m - block * l->rows);
}

/* Row-major rows as columns, by squares that stay in the first-level cache. */
static void pack(vv_index rows, vv_index columns, const double *from, double *to)
{
    enum { SIDE = 16 };
    for (vv_index i = 0; i < rows; i += SIDE)
        for (vv_index k = 0; k < columns; k += SIDE)
            for (vv_index c = k; c < vv_imin(k + SIDE, columns); c++)
                for (vv_index r = i; r < vv_imin(i + SIDE, rows); r++) to[c * rows + r] = from[r * columns + c];
}

static vv_status factor(const layout *l, vv_index rows, double *a, double *tau)
{
    int m = (int)rows, n = (int)l->n, n_work = (int)l->n_work, info = 0;
    dgeqrf_(&m, &n, a, &m, tau, l->work, &n_work, &info);
    return info == 0 ? VV_OK : vv_fail(VV_ERR_INTERNAL, "dgeqrf: argument %d", -info);
}

/* The triangle of a factored block into n rows at `to`, which are `row` apart and whose elements are `column` apart. */
static void triangle(vv_index rows, vv_index n, const double *a, double *to, vv_index row, vv_index column)
{
    for (vv_index i = 0; i < n; i++)
        for (vv_index k = 0; k < n; k++) to[i * row + k * column] = i <= k && i < rows ? a[k * rows + i] : 0;
}

/* --- by products of columns --- */

/* A bound of the greatest singular value of an upper triangle, columns dense. */
static double size_of(const double *r, vv_index n)
{
    double row = 0, column = 0;
    for (vv_index k = 0; k < n; k++) {
        double across = 0, down = 0;
        for (vv_index i = 0; i <= k; i++) down += fabs(r[k * n + i]);
        for (vv_index i = k; i < n; i++) across += fabs(r[i * n + k]);
        row = fmax(row, across);
        column = fmax(column, down);
    }
    return sqrt(row * column);
}

/* Squares that neither vanish nor overflow, nor are NaN. */
static bool in_range(const double *gram, vv_index n)
{
    for (vv_index i = 0; i < n; i++)
        if (!(gram[i * n + i] > 1e-200 && gram[i * n + i] < 1e200)) return false;
    return true;
}

/* Whether an upper triangle, columns dense, may stand for the one that reflections make. */
static bool is_mild(vv_index n, const double *r, double *inverse)
{
    int side = (int)n, info = 0;
    memcpy(inverse, r, (size_t)(n * n) * sizeof *r);
    dtrtri_("U", "N", &side, inverse, &side, &info, 1, 1);
    return info == 0 && size_of(r, n) * size_of(inverse, n) <= MILD;
}

/* The triangle of a piece that is much longer than wide, from its products of columns; false where it would not be exact enough. */
static bool triangle_by_products(const vv_tile_work *w, const layout *l)
{
    int n = (int)l->n, info = 0;
    if (l->blocks < 2 || l->m > INT_MAX) return false;
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, n, (int)l->m, 1, w->in[0].at, n, 0, l->by_products, n);
    if (!in_range(l->by_products, l->n)) return false;
    dpotrf_("U", &n, l->by_products, &n, &info, 1);
    return info == 0 && is_mild(l->n, l->by_products, l->inverse);
}

/* --- by reflections --- */

/* Factors all blocks, and the stack of their triangles. */
static vv_status factor_all(const vv_tile_work *w, const layout *l, bool keep)
{
    if (l->rows > INT_MAX || vv_times(l->blocks, l->n) > INT_MAX)
        return vv_fail(VV_ERR_UNSUPPORTED, "%lld x %lld elements are too many for LAPACK", (long long)l->m,
                       (long long)l->n);
    for (vv_index b = 0; b < l->blocks; b++) {
        vv_index rows = rows_of(l, b), of = keep ? b : 0;
        double *a = l->block + of * l->rows * l->n;
        pack(rows, l->n, w->in[0].at + b * l->rows * l->n, a);
        VV_TRY(factor(l, rows, a, l->tau + of * l->n));
        if (l->blocks > 1) triangle(rows, l->n, a, l->stack + b * l->n, 1, l->blocks * l->n);
    }
    return l->blocks > 1 ? factor(l, l->blocks * l->n, l->stack, l->stack_tau) : VV_OK;
}

/* The factored matrix on top: the stack, or the only block. */
static void top(const layout *l, double **a, vv_index *rows)
{
    *a = l->blocks > 1 ? l->stack : l->block;
    *rows = l->blocks > 1 ? l->blocks * l->n : l->m;
}

vv_bytes vv_tile_qr_r_workspace(const vv_tile_work *w)
{
    vv_tile_room room = {0};
    (void)lay_out(w, false, &room);
    return room.used;
}

vv_status vv_tile_qr_r(const vv_tile_work *w)
{
    vv_tile_room room = {.at = w->room};
    layout l = lay_out(w, false, &room);
    double *a;
    vv_index rows = l.n;
    vv_lapack_alone();
    if (triangle_by_products(w, &l)) {
        a = l.by_products;
    } else {
        VV_TRY(factor_all(w, &l, false));
        top(&l, &a, &rows);
    }
    for (vv_index i = 0; i < w->out.rows; i++) {
        bool there = i < rows, turned = there && i < l.n && a[i * rows + i] < 0;
        for (vv_index k = 0; k < l.n; k++) {
            double x = there && i <= k ? a[k * rows + i] : 0;
            w->out.at[i * l.n + k] = turned ? -x : x;
        }
    }
    return VV_OK;
}

/* --- the orthogonal factor --- */

/* The reflections of a factored matrix times [c; 0]: c is k x p, k = min(rows, n), row-major as the result is. The matrix becomes V. */
static void reflect(const layout *l, vv_index rows, double *a, const double *tau, const double *c, vv_index p,
                    double *out)
{
    vv_index k = vv_imin(rows, l->n);
    double *t = l->square[0], *x = l->square[1];
    for (vv_index j = 0; j < k; j++) {
        memset(a + j * rows, 0, (size_t)j * sizeof *a);
        if (tau[j] == 0) memset(a + j * rows, 0, (size_t)rows * sizeof *a);
        a[j * rows + j] = tau[j] != 0;
    }
    /* the inverse of T, upper in columns: lower in rows */
    cblas_dsyrk(CblasColMajor, CblasUpper, CblasTrans, (int)k, (int)rows, 1, a, (int)rows, 0, t, (int)k);
    for (vv_index j = 0; j < k; j++) t[j * k + j] = tau[j] != 0 ? 1 / tau[j] : 1;
    /* x = V1' c, then T x, then V x */
    memcpy(x, c, (size_t)(k * p) * sizeof *x);
    cblas_dtrmm(CblasRowMajor, CblasLeft, CblasUpper, CblasNoTrans, CblasNonUnit, (int)k, (int)p, 1, a, (int)rows, x,
                (int)p);
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, (int)k, (int)p, 1, t, (int)k, x,
                (int)p);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)rows, (int)p, (int)k, -1, a, (int)rows, x, (int)p, 0, out,
                (int)p);
    for (vv_index i = 0; i < k * p; i++) out[i] += c[i];
}

/* a x, of rows. */
static void multiply(const vv_matrix *a, const double *x, const vv_matrix *out)
{
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)a->rows, (int)out->columns, (int)a->columns, 1, a->at,
                (int)a->columns, x, (int)out->columns, 0, out->at, (int)out->columns);
}

/* x becomes the inverse of a triangle, columns dense, times x. */
static void divide(vv_index n, const double *r, vv_index p, double *x)
{
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, (int)n, (int)p, 1, r, (int)n, x,
                (int)p);
}

/* What the factor is multiplied with, k x p: rows of the second operand, or of the unit matrix; signs turned where the triangle's were (NULL: nowhere). */
static void begin(const vv_tile_work *w, vv_index k, const double *a, vv_index rows, double *c)
{
    vv_index p = w->out.columns;
    const double *m = w->in[1].at ? w->in[1].at + w->piece * w->in[0].columns * p : NULL;
    for (vv_index i = 0; i < k; i++) {
        double sign = a && a[i * rows + i] < 0 ? -1 : 1;
        for (vv_index j = 0; j < p; j++) c[i * p + j] = sign * (m ? m[i * p + j] : i == j);
    }
}

vv_bytes vv_tile_qr_q_workspace(const vv_tile_work *w)
{
    vv_tile_room room = {0};
    (void)lay_out(w, true, &room);
    return room.used;
}

static vv_status factor_by_reflections(const vv_tile_work *w, layout *l)
{
    vv_index p = w->out.columns, rows;
    double *c = l->square[1] + l->n * p, *below = c + l->n * p, *a;
    VV_TRY(factor_all(w, l, true));
    top(l, &a, &rows);
    begin(w, vv_imin(rows, l->n), a, rows, c);
    if (l->blocks == 1) {
        reflect(l, l->m, l->block, l->tau, c, p, w->out.at);
        return VV_OK;
    }
    reflect(l, l->blocks * l->n, l->stack, l->stack_tau, c, p, below);
    for (vv_index b = 0; b < l->blocks; b++)
        reflect(l, rows_of(l, b), l->block + b * l->rows * l->n, l->tau + b * l->n, below + b * l->n * p, p,
                w->out.at + b * l->rows * p);
    return VV_OK;
}

vv_status vv_tile_qr_q(const vv_tile_work *w)
{
    vv_tile_room room = {.at = w->room};
    layout l = lay_out(w, true, &room);
    vv_lapack_alone();
    if (!triangle_by_products(w, &l)) return factor_by_reflections(w, &l);
    begin(w, l.n, NULL, 0, l.square[1]);
    divide(l.n, l.by_products, w->out.columns, l.square[1]);
    multiply(&w->in[0], l.square[1], &w->out);
    return VV_OK;
}

/* --- pieces of a matrix whose triangles are known --- */

typedef struct shares {
    vv_tile_work all; /* of the stack of triangles: its orthogonal factor, times the second operand */
    double *triangle, *inverse;
} shares;

static shares shares_of(const vv_tile_work *w, vv_tile_room *room)
{
    vv_index n = w->in[0].columns;
    shares s = {.all = *w};
    s.all.out.rows = w->in[0].rows;
    s.all.out.at = vv_tile_take(room, vv_times(vv_times(w->in[0].rows, w->out.columns), 8));
    s.triangle = vv_tile_take(room, n * n * 8);
    s.inverse = vv_tile_take(room, n * n * 8);
    s.all.room = vv_tile_take(room, vv_tile_qr_q_workspace(&s.all));
    return s;
}

vv_bytes vv_tile_qr_shares_workspace(const vv_tile_work *w)
{
    vv_tile_room room = {0};
    (void)shares_of(w, &room);
    return room.used;
}

vv_status vv_tile_qr_shares(const vv_tile_work *w)
{
    vv_tile_room room = {.at = w->room};
    shares s = shares_of(w, &room);
    vv_index n = w->in[0].columns, p = w->out.columns;
    VV_TRY(vv_tile_qr_q(&s.all));
    for (vv_index i = 0; i < w->in[0].rows / n; i++) {
        double *share = w->out.at + i * (n + 1) * p, *x = share + p;
        memset(share, 0, (size_t)p * sizeof *share);
        memcpy(x, s.all.out.at + i * n * p, (size_t)(n * p) * sizeof *x);
        pack(n, n, w->in[0].at + i * n * n, s.triangle);
        share[0] = is_mild(n, s.triangle, s.inverse);
        if (share[0] != 0) divide(n, s.triangle, p, x);
    }
    return VV_OK;
}

static vv_tile_work with_share(const vv_tile_work *w)
{
    vv_index n = w->in[0].columns, p = w->out.columns;
    vv_tile_work own = *w;
    own.piece = 0;
    own.in[1] = (vv_matrix){n, p, w->in[1].at ? w->in[1].at + w->piece * (n + 1) * p + p : NULL};
    return own;
}

vv_bytes vv_tile_qr_piece_workspace(const vv_tile_work *w)
{
    vv_tile_work own = with_share(w);
    return vv_tile_qr_q_workspace(&own);
}

vv_status vv_tile_qr_piece(const vv_tile_work *w)
{
    vv_tile_work own = with_share(w);
    if (own.in[1].at[-own.in[1].columns] == 0) return vv_tile_qr_q(&own);
    vv_lapack_alone();
    multiply(&own.in[0], own.in[1].at, &own.out);
    return VV_OK;
}

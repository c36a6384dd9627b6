/* Panels of columns and what they do to the columns behind them: Cholesky's factorisation and Gauss's with row pivots, one step of each.
 *
 * A panel is all rows of some columns, from the diagonal on. Its factor is applied to the columns behind it in pieces, of which each needs nothing but the panel; what remains
 * below the panel's first rows is the matrix of the next step. A panel of Gauss's has one more row, with its pivots: in step i the i-th row changed places with that
 * one. LAPACK's order of operations inside a panel follows from its size alone. */
#include "base/mem.h"
#include "base/status.h"
#include "kernels/lapack.h"
#include "kernels/tile_kernels.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <string.h>

static vv_status check_lengths(const vv_matrix *m)
{
    if (m->rows < INT_MAX && m->columns < INT_MAX) return VV_OK;
    return vv_fail(VV_ERR_UNSUPPORTED, "%lld x %lld elements are too many for LAPACK", (long long)m->rows,
                   (long long)m->columns);
}

static void copy(const vv_matrix *from, const vv_matrix *to)
{
    memcpy(to->at, from->at, (size_t)(to->rows * to->columns) * sizeof *to->at);
}

/* --- Cholesky --- */

/* The lower triangle of rows is LAPACK's upper one of columns. */
vv_status vv_tile_cholesky_panel(const vv_tile_work *w)
{
    double *a = w->out.at;
    int n = (int)w->out.columns, below = (int)(w->out.rows - w->out.columns), info = 0;
    VV_TRY(check_lengths(&w->out));
    vv_lapack_alone();
    copy(&w->in[0], &w->out);
    dpotrf_("U", &n, a, &n, &info, 1);
    if (info > 0) {
        double pivot = a[(vv_index)(info - 1) * n + info - 1];
        return vv_fail(VV_ERR_USAGE, "the matrix is not positive definite: pivot %lld is %g",
                       (long long)(w->from + info - 1), pivot);
    }
    for (int i = 0; i < n; i++)
        for (int k = i + 1; k < n; k++) a[(vv_index)i * n + k] = 0;
    if (below > 0)
        cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, below, n, 1, a, n,
                    a + (vv_index)n * n, n);
    return VV_OK;
}

/* From the diagonal on; what is above it nobody looks at. */
vv_status vv_tile_cholesky_update(const vv_tile_work *w)
{
    const vv_matrix *panel = &w->in[1];
    vv_index b = panel->columns, first = b + w->piece * w->cut, n = w->out.columns;
    VV_TRY(check_lengths(&w->out));
    vv_lapack_alone();
    copy(&w->in[0], &w->out);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)(w->out.rows - first), (int)n, (int)b, -1,
                panel->at + first * b, (int)b, panel->at + first * b, (int)b, 1, w->out.at + first * n, (int)n);
    return VV_OK;
}

/* --- Gauss, with pivots --- */

typedef struct rooms {
    double *a;
    int *pivot;
} rooms;

static rooms rooms_of(const vv_tile_work *w, vv_tile_room *room)
{
    rooms r;
    r.a = vv_tile_take(room, vv_times(vv_times(w->in[0].rows, w->in[0].columns), 8));
    r.pivot = vv_tile_take(room, w->in[0].columns * (vv_bytes)sizeof(int));
    return r;
}

vv_bytes vv_tile_lu_panel_workspace(const vv_tile_work *w)
{
    vv_tile_room room = {0};
    (void)rooms_of(w, &room);
    return room.used;
}

vv_status vv_tile_lu_panel(const vv_tile_work *w)
{
    vv_tile_room room = {.at = w->room};
    const vv_matrix *in = &w->in[0];
    rooms r = rooms_of(w, &room);
    VV_TRY(check_lengths(in));
    int m = (int)in->rows, n = (int)in->columns, info = 0;
    vv_lapack_alone();
    for (vv_index k = 0; k < n; k++)
        for (vv_index i = 0; i < m; i++) r.a[k * m + i] = in->at[i * n + k];
    dgetrf_(&m, &n, r.a, &m, r.pivot, &info);
    if (info < 0) return vv_fail(VV_ERR_INTERNAL, "dgetrf: argument %d", -info);
    for (vv_index i = 0; i < m; i++)
        for (vv_index k = 0; k < n; k++) w->out.at[i * n + k] = r.a[k * m + i];
    for (vv_index k = 0; k < n; k++) w->out.at[(vv_index)m * n + k] = r.pivot[k] - 1;
    return VV_OK;
}

vv_status vv_tile_lu_update(const vv_tile_work *w)
{
    const vv_matrix *panel = &w->in[1];
    vv_index b = panel->columns, n = w->out.columns, below = w->out.rows - b;
    double *top = w->out.at;
    VV_TRY(check_lengths(&w->out));
    vv_lapack_alone();
    copy(&w->in[0], &w->out);
    for (vv_index k = 0; k < b; k++) {
        vv_index other = (vv_index)panel->at[w->out.rows * b + k];
        if (other != k) cblas_dswap((int)n, top + k * n, 1, top + other * n, 1);
    }
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasUnit, (int)b, (int)n, 1, panel->at, (int)b,
                top, (int)n);
    if (below > 0)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)below, (int)n, (int)b, -1, panel->at + b * b,
                    (int)b, top, (int)n, 1, top + b * n, (int)n);
    return VV_OK;
}

vv_bytes vv_tile_lu_order_workspace(const vv_tile_work *w)
{
    return (w->in[0].rows * 8 + 63) / 64 * 64;
}

/* Where rows come from: by the panel's pivots, and then what is below by those that followed. */
vv_status vv_tile_lu_order(const vv_tile_work *w)
{
    const vv_matrix *panel = &w->in[0];
    vv_index n = panel->rows - 1, b = panel->columns;
    double *order = (double *)(void *)w->room;
    for (vv_index i = 0; i < n; i++) order[i] = (double)i;
    for (vv_index k = 0; k < b; k++) {
        vv_index other = (vv_index)panel->at[n * b + k];
        double was = order[k];
        order[k] = order[other];
        order[other] = was;
    }
    for (vv_index i = 0; i < n; i++) w->out.at[i] = order[i < b || !w->in[1].at ? i : b + (vv_index)w->in[1].at[i - b]];
    return VV_OK;
}

vv_status vv_tile_reordered(const vv_tile_work *w)
{
    vv_index n = w->out.columns;
    for (vv_index i = 0; i < w->out.rows; i++)
        memcpy(w->out.at + i * n, w->in[0].at + (vv_index)w->in[1].at[i] * n, (size_t)n * sizeof *w->out.at);
    return VV_OK;
}

/* --- triangles --- */

static vv_status solve(const vv_tile_work *w, CBLAS_UPLO side, CBLAS_DIAG diagonal)
{
    const vv_matrix *t = &w->in[1];
    vv_index n = t->columns;
    VV_TRY(check_lengths(&w->out));
    for (vv_index i = 0; i < n && diagonal == CblasNonUnit; i++)
        if (t->at[i * n + i] == 0)
            return vv_fail(VV_ERR_USAGE, "the matrix is singular: pivot %lld is 0", (long long)(w->from + i));
    vv_lapack_alone();
    copy(&w->in[0], &w->out);
    cblas_dtrsm(CblasRowMajor, CblasLeft, side, CblasNoTrans, diagonal, (int)n, (int)w->out.columns, 1, t->at, (int)n,
                w->out.at, (int)w->out.columns);
    return VV_OK;
}

vv_status vv_tile_solve_lower(const vv_tile_work *w)
{
    return solve(w, CblasLower, CblasNonUnit);
}

vv_status vv_tile_solve_upper(const vv_tile_work *w)
{
    return solve(w, CblasUpper, CblasNonUnit);
}

/* QR factors and singular values of complex matrices, as LAPACK makes them: by reflections of whole pieces. (tile_qr.c and tile_svd.c are those of real ones.) */
#include "base/mem.h"
#include "base/status.h"
#include "kernels/tile/kernels.h"
#include "kernels/tile/lapack.h"

#include <cblas.h>
#include <complex.h>
#include <limits.h>
#include <math.h>
#include <string.h>

enum { PANEL = 64 };

static double complex *elements(const vv_matrix *m)
{
    return (double complex *)(void *)m->at;
}

/* --- QR --- */

/* The piece by columns, LAPACK's coefficients and workspace, and what the factor is multiplied with. */
typedef struct rooms {
    vv_index m, n, k; /* k: the shorter one */
    double complex *a, *tau, *work, *right;
    int n_work;
} rooms;

static rooms rooms_of(const vv_tile_work *w, bool multiplies, vv_tile_room *room)
{
    rooms r = {.m = w->in[0].rows, .n = w->in[0].columns};
    vv_bytes size = sizeof *r.a;
    r.k = vv_imin(r.m, r.n);
    vv_bytes work = vv_times(r.n, PANEL);
    r.n_work = (int)vv_imin(work, INT_MAX);
    r.a = vv_tile_take(room, vv_times(vv_times(r.m, r.n), size));
    r.tau = vv_tile_take(room, r.n * size);
    r.work = vv_tile_take(room, work * size);
    r.right = vv_tile_take(room, multiplies ? vv_times(vv_times(r.n, w->out.columns), size) : 0);
    return r;
}

static vv_status factor(const vv_tile_work *w, const rooms *r)
{
    const double complex *x = elements(&w->in[0]);
    int m = (int)r->m, n = (int)r->n, info = 0;
    if (r->m > INT_MAX || r->n > INT_MAX)
        return vv_fail(VV_ERR_UNSUPPORTED, "%lld x %lld elements are too many for LAPACK", (long long)r->m,
                       (long long)r->n);
    vv_lapack_alone();
    for (vv_index i = 0; i < r->m; i++)
        for (vv_index k = 0; k < r->n; k++) r->a[k * r->m + i] = x[i * r->n + k];
    zgeqrf_(&m, &n, r->a, &m, r->tau, r->work, &r->n_work, &info);
    return info == 0 ? VV_OK : vv_fail(VV_ERR_INTERNAL, "zgeqrf: argument %d", -info);
}

/* LAPACK's triangle has a real diagonal, of any sign. */
static double sign_of(const rooms *r, vv_index i)
{
    return creal(r->a[i * r->m + i]) < 0 ? -1 : 1;
}

vv_bytes vv_tile_complex_qr_r_workspace(const vv_tile_work *w)
{
    vv_tile_room room = {0};
    (void)rooms_of(w, false, &room);
    return room.used;
}

vv_status vv_tile_complex_qr_r(const vv_tile_work *w)
{
    vv_tile_room room = {.at = w->room};
    rooms r = rooms_of(w, false, &room);
    double complex *out = elements(&w->out);
    VV_TRY(factor(w, &r));
    for (vv_index i = 0; i < w->out.rows; i++)
        for (vv_index k = 0; k < r.n; k++) out[i * r.n + k] = i < r.k && i <= k ? sign_of(&r, i) * r.a[k * r.m + i] : 0;
    return VV_OK;
}

vv_bytes vv_tile_complex_qr_q_workspace(const vv_tile_work *w)
{
    vv_tile_room room = {0};
    (void)rooms_of(w, true, &room);
    return room.used;
}

vv_status vv_tile_complex_qr_q(const vv_tile_work *w)
{
    static const double complex one = 1, zero = 0;
    vv_tile_room room = {.at = w->room};
    rooms r = rooms_of(w, true, &room);
    vv_index p = w->out.columns;
    const double complex *by = w->in[1].at ? elements(&w->in[1]) + w->piece * r.n * p : NULL;
    VV_TRY(factor(w, &r));
    for (vv_index i = 0; i < r.k; i++)
        for (vv_index j = 0; j < p; j++) r.right[i * p + j] = sign_of(&r, i) * (by ? by[i * p + j] : i == j);
    int m = (int)r.m, k = (int)r.k, info = 0;
    zungqr_(&m, &k, &k, r.a, &m, r.tau, r.work, &r.n_work, &info);
    if (info != 0) return vv_fail(VV_ERR_INTERNAL, "zungqr: argument %d", -info);
    cblas_zgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, (int)p, k, &one, r.a, m, r.right, (int)p, &zero,
                elements(&w->out), (int)p);
    return VV_OK;
}

/* A share of the factor of the stack of triangles for each piece, and a row in front of it, which says that the piece is factored again (tile_qr.c). */
static vv_tile_work of_stack(const vv_tile_work *w, vv_tile_room *room)
{
    vv_tile_work all = *w;
    all.out.rows = w->in[0].rows;
    all.out.at = vv_tile_take(room, vv_times(vv_times(all.out.rows, all.out.columns), sizeof(double complex)));
    all.room = vv_tile_take(room, vv_tile_complex_qr_q_workspace(&all));
    return all;
}

vv_bytes vv_tile_complex_qr_shares_workspace(const vv_tile_work *w)
{
    vv_tile_room room = {0};
    (void)of_stack(w, &room);
    return room.used;
}

vv_status vv_tile_complex_qr_shares(const vv_tile_work *w)
{
    vv_tile_room room = {.at = w->room};
    vv_tile_work all = of_stack(w, &room);
    vv_index n = w->in[0].columns, p = w->out.columns;
    VV_TRY(vv_tile_complex_qr_q(&all));
    for (vv_index i = 0; i < w->in[0].rows / n; i++) {
        double complex *share = elements(&w->out) + i * (n + 1) * p;
        memset(share, 0, (size_t)p * sizeof *share);
        memcpy(share + p, elements(&all.out) + i * n * p, (size_t)(n * p) * sizeof *share);
    }
    return VV_OK;
}

vv_bytes vv_tile_complex_qr_piece_workspace(const vv_tile_work *w)
{
    return vv_tile_complex_qr_q_workspace(w);
}

vv_status vv_tile_complex_qr_piece(const vv_tile_work *w)
{
    vv_index n = w->in[0].columns, p = w->out.columns;
    vv_tile_work own = *w;
    own.piece = 0;
    own.in[1] = (vv_matrix){n, p, w->in[1].at + 2 * (w->piece * (n + 1) * p + p)};
    return vv_tile_complex_qr_q(&own);
}

/* --- singular values --- */

typedef struct values_rooms {
    double complex *a, *work;
    double *reals;
    int *integers;
    vv_index n_work;
} values_rooms;

/* What zgesdd asks for when it makes all vectors of a square matrix. */
static values_rooms values_rooms_of(vv_index n, vv_tile_room *room)
{
    vv_index square = vv_times(n, n);
    values_rooms r = {.n_work = vv_times(square, 3) + 64 * (3 * n + 64)};
    r.a = vv_tile_take(room, vv_times(square, sizeof *r.a));
    r.work = vv_tile_take(room, vv_times(r.n_work, sizeof *r.work));
    r.reals = vv_tile_take(room, vv_times(vv_times(square, 7) + 8 * n, 8));
    r.integers = vv_tile_take(room, 8 * n * (vv_bytes)sizeof(int));
    return r;
}

vv_bytes vv_tile_complex_svd_workspace(const vv_tile_work *w)
{
    vv_tile_room room = {0};
    (void)values_rooms_of(w->in[0].rows, &room);
    return room.used;
}

/* Rows are LAPACK's columns, of the transposed matrix: what it has for left vectors are the right ones. */
vv_status vv_tile_complex_svd(const vv_tile_work *w)
{
    vv_tile_room room = {.at = w->room};
    vv_index n = w->in[0].rows;
    values_rooms r = values_rooms_of(n, &room);
    double complex *u = elements(&w->out), *s = u + n * n, *vt = s + n;
    double *value = r.reals, *more = value + n;
    if (r.n_work > INT_MAX) return vv_fail(VV_ERR_UNSUPPORTED, "singular values of %lld columns", (long long)n);
    for (vv_index i = 0; i < 2 * n * n; i++)
        if (!isfinite(w->in[0].at[i]))
            return vv_fail(VV_ERR_USAGE, "a matrix with NaN or infinite elements has no singular values");
    vv_lapack_alone();
    memcpy(r.a, w->in[0].at, (size_t)(n * n) * sizeof *r.a);
    int side = (int)n, n_work = (int)r.n_work, info = 0;
    zgesdd_("S", &side, &side, r.a, &side, value, vt, &side, u, &side, r.work, &n_work, more, r.integers, &info, 1);
    for (vv_index i = 0; i < n; i++) s[i] = value[i];
    if (info > 0) return vv_fail(VV_ERR_USAGE, "the singular values of a matrix did not converge");
    return info == 0 ? VV_OK : vv_fail(VV_ERR_INTERNAL, "zgesdd: argument %d", -info);
}

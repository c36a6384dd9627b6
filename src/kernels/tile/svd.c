/* Singular values of a small square matrix. Its rows are LAPACK's columns: what that takes for left vectors are the right ones. */
#include "base/mem.h"
#include "base/status.h"
#include "kernels/tile/kernels.h"
#include "kernels/tile/lapack.h"

#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#include <cblas.h>

static void one_thread(void)
{
    openblas_set_num_threads(1);
}

void vv_lapack_alone(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, one_thread);
}

typedef struct rooms {
    double *a, *work;
    int *integers;
    vv_index n_work;
} rooms;

/* What dgesdd asks for when it makes all vectors of a square matrix, with a block of 64 columns for its products. */
static rooms rooms_of(vv_index n, vv_tile_room *room)
{
    rooms r = {.n_work = vv_times(vv_times(n, n), 4) + 7 * n + 64 * (3 * n + 64)};
    r.a = vv_tile_take(room, vv_times(vv_times(n, n), 8));
    r.work = vv_tile_take(room, vv_times(r.n_work, 8));
    r.integers = vv_tile_take(room, 8 * n * (vv_bytes)sizeof(int));
    return r;
}

vv_bytes vv_tile_svd_workspace(const vv_tile_work *w)
{
    vv_tile_room room = {0};
    (void)rooms_of(w->in[0].rows, &room);
    return room.used;
}

static vv_status check_finite(const vv_matrix *m)
{
    for (vv_index i = 0; i < m->rows * m->columns; i++)
        if (!isfinite(m->at[i]))
            return vv_fail(VV_ERR_USAGE, "a matrix with NaN or infinite elements has no singular values");
    return VV_OK;
}

vv_status vv_tile_svd(const vv_tile_work *w)
{
    vv_tile_room room = {.at = w->room};
    vv_index n = w->in[0].rows;
    rooms r = rooms_of(n, &room);
    double *u = w->out.at, *s = u + n * n, *vt = s + n;
    if (r.n_work > INT_MAX) return vv_fail(VV_ERR_UNSUPPORTED, "singular values of %lld columns", (long long)n);
    VV_TRY(check_finite(&w->in[0]));
    vv_lapack_alone();
    memcpy(r.a, w->in[0].at, (size_t)(n * n) * sizeof *r.a);
    int side = (int)n, n_work = (int)r.n_work, info = 0;
    dgesdd_("S", &side, &side, r.a, &side, s, vt, &side, u, &side, r.work, &n_work, r.integers, &info, 1);
    if (info > 0) return vv_fail(VV_ERR_USAGE, "the singular values of a matrix did not converge");
    return info == 0 ? VV_OK : vv_fail(VV_ERR_INTERNAL, "dgesdd: argument %d", -info);
}

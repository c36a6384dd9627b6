/* Panels of columns and what they do to the columns behind them: Cholesky's factorisation and Gauss's with row pivots, one step of each.
 *
 * A panel is all rows of some columns, from the diagonal on. Its factor is applied to the columns behind it in pieces, of which each needs nothing but the panel; what remains
 * below the panel's first rows is the matrix of the next step. A panel of Gauss's has one more row, with its pivots: in step i the i-th row changed places with that
 * one. LAPACK's order of operations inside a panel follows from its size alone. Real and complex matrices have the same code (tile_factor_body.h); Cholesky's factor
 * of a complex one is l with l l* = a. */
#include "base/mem.h"
#include "base/status.h"
#include "kernels/tile/kernels.h"
#include "kernels/tile/lapack.h"

#include <cblas.h>
#include <complex.h>
#include <limits.h>
#include <math.h>
#include <string.h>

static vv_status check_lengths(const vv_matrix *m)
{
    if (m->rows < INT_MAX && m->columns < INT_MAX) return VV_OK;
    return vv_fail(VV_ERR_UNSUPPORTED, "%lld x %lld elements are too many for LAPACK", (long long)m->rows,
                   (long long)m->columns);
}

#define ELEMENT      double
#define NAME(x)      vv_tile_##x
#define LOCAL(x)     x##_real
#define REAL_PART(x) (x)
#define POTRF        dpotrf_
#define GETRF        dgetrf_
#define TRSM(side, triangle, transposed, diagonal, m, n, a, lda, b, ldb)                                               \
    cblas_dtrsm(CblasRowMajor, side, triangle, transposed, diagonal, m, n, 1, a, lda, b, ldb)
#define LESS(transposed, m, n, k, a, lda, b, ldb, c, ldc)                                                              \
    cblas_dgemm(CblasRowMajor, CblasNoTrans, transposed, m, n, k, -1, a, lda, b, ldb, 1, c, ldc)
#define SWAP cblas_dswap
#include "kernels/tile/factor_body.h"

static const double complex one = 1, minus_one = -1;

#define ELEMENT      double complex
#define NAME(x)      vv_tile_complex_##x
#define LOCAL(x)     x##_complex
#define REAL_PART(x) creal(x)
#define POTRF        zpotrf_
#define GETRF        zgetrf_
#define TRSM(side, triangle, transposed, diagonal, m, n, a, lda, b, ldb)                                               \
    cblas_ztrsm(CblasRowMajor, side, triangle, transposed, diagonal, m, n, &one, a, lda, b, ldb)
#define LESS(transposed, m, n, k, a, lda, b, ldb, c, ldc)                                                              \
    cblas_zgemm(CblasRowMajor, CblasNoTrans, transposed, m, n, k, &minus_one, a, lda, b, ldb, &one, c, ldc)
#define SWAP cblas_zswap
#include "kernels/tile/factor_body.h"

/* The functions of LAPACK that OpenBLAS brings along, by their Fortran names: matrices are column-major, all arguments are addresses, and the lengths of texts follow
 * at the end. Call vv_lapack_alone() first: one thread, as for products (kernels/gemm.h). */
#ifndef VV_KERNELS_TILE_LAPACK_H
#define VV_KERNELS_TILE_LAPACK_H

#include <complex.h>
#include <stddef.h>

void vv_lapack_alone(void);

/* NOLINTBEGIN(readability-identifier-naming) */
void dgeqrf_(const int *m, const int *n, double *a, const int *lda, double *tau, double *work, const int *lwork,
             int *info);
void dgesdd_(const char *job, const int *m, const int *n, double *a, const int *lda, double *s, double *u,
             const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork, int *iwork, int *info,
             size_t job_length);
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info, size_t uplo_length);
void dtrtri_(const char *uplo, const char *diag, const int *n, double *a, const int *lda, int *info, size_t uplo_length,
             size_t diag_length);
void dgetrf_(const int *m, const int *n, double *a, const int *lda, int *ipiv, int *info);
void zgeqrf_(const int *m, const int *n, double complex *a, const int *lda, double complex *tau, double complex *work,
             const int *lwork, int *info);
void zungqr_(const int *m, const int *n, const int *k, double complex *a, const int *lda, const double complex *tau,
             double complex *work, const int *lwork, int *info);
void zgesdd_(const char *job, const int *m, const int *n, double complex *a, const int *lda, double *s,
             double complex *u, const int *ldu, double complex *vt, const int *ldvt, double complex *work,
             const int *lwork, double *rwork, int *iwork, int *info, size_t job_length);
void zpotrf_(const char *uplo, const int *n, double complex *a, const int *lda, int *info, size_t uplo_length);
void zgetrf_(const int *m, const int *n, double complex *a, const int *lda, int *ipiv, int *info);
/* NOLINTEND(readability-identifier-naming) */

#endif

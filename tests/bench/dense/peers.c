/* The same by hand: peers blas N [f32] multiplies by OpenBLAS with its own threads, peers fftw N transposes by FFTW's MPI interface. Prints a line of JSON. */
#include <cblas.h>
#include <fftw3-mpi.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = 5 };

static void blas(long n, int narrow)
{
    double best = INFINITY;
    size_t size = narrow ? sizeof(float) : sizeof(double), cells = (size_t)n * (size_t)n;
    void *a = malloc(cells * size), *b = malloc(cells * size), *c = calloc(cells, size);
    for (size_t i = 0; i < cells; i++) {
        double x = (double)(i * 2654435761u % 1000) / 1000 - 0.5;
        if (narrow)
            ((float *)a)[i] = ((float *)b)[i] = (float)x;
        else
            ((double *)a)[i] = ((double *)b)[i] = x;
    }
    for (int i = 0; i < RUNS; i++) {
        double start = MPI_Wtime();
        if (narrow)
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, (int)n, (int)n, 1, a, (int)n, b, (int)n, 0,
                        c, (int)n);
        else
            cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, (int)n, (int)n, 1, a, (int)n, b, (int)n, 0,
                        c, (int)n);
        best = fmin(best, MPI_Wtime() - start);
    }
    printf("{\"seconds\": %.6f}\n", best);
    free(a), free(b), free(c);
}

static void fftw(ptrdiff_t n)
{
    ptrdiff_t rows, first, columns, first_column;
    int rank;
    double best = INFINITY;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    fftw_mpi_init();
    ptrdiff_t room = fftw_mpi_local_size_2d_transposed(n, n, MPI_COMM_WORLD, &rows, &first, &columns, &first_column);
    double *from = fftw_alloc_real((size_t)room * 2), *to = fftw_alloc_real((size_t)room * 2);
    fftw_plan plan = fftw_mpi_plan_transpose(n, n, from, to, MPI_COMM_WORLD, FFTW_MEASURE);
    for (ptrdiff_t i = 0; i < rows * n; i++) from[i] = (double)(first * n + i);
    for (int i = 0; i < RUNS; i++) {
        MPI_Barrier(MPI_COMM_WORLD);
        double start = MPI_Wtime(), mine, all;
        fftw_execute(plan);
        mine = MPI_Wtime() - start;
        MPI_Allreduce(&mine, &all, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
        best = fmin(best, all);
    }
    if (rank == 0) printf("{\"seconds\": %.6f}\n", best);
    fftw_destroy_plan(plan);
    fftw_free(from), fftw_free(to);
    fftw_mpi_cleanup();
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    long n = argc > 2 ? atol(argv[2]) : 0;
    if (n > 0 && !strcmp(argv[1], "blas"))
        blas(n, argc > 3 && !strcmp(argv[3], "f32"));
    else if (n > 0 && !strcmp(argv[1], "fftw"))
        fftw(n);
    MPI_Finalize();
    return 0;
}

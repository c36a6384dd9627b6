#include "kernels/gemm.h"

#include "base/index.h"
#include "kernels/clones.h"
#include "kernels/gemm_integers.h"
#include "kernels/strided.h"

#include <cblas.h>
#include <pthread.h>
#include <string.h>

static void be_alone(void)
{
    openblas_set_num_threads(1);
}

/* Extents of one call of BLAS: its integers may have 32 bits, packed pieces should stay in a cache, and so should the f32 product of
 * a piece until it has been added. SPAN along k is VV_GEMM_F32_SPAN for f32. */
enum { PIECE_M = 1024, PIECE_N = 1024, PIECE_K = 1024 };

static vv_index span_of(vv_dtype type)
{
    return type == VV_F32 ? (vv_index)VV_GEMM_F32_SPAN : (vv_index)PIECE_K;
}

/* BLAS takes a matrix whose rows or columns are dense and do not overlap. */
static bool usable(vv_index rows, vv_index columns, vv_index row, vv_index column)
{
    const vv_index most = INT32_MAX;
    return (column == 1 && row >= columns && row <= most) || (row == 1 && column >= rows && column <= most);
}

/* A piece of a matrix as BLAS wants it. */
typedef struct operand {
    const char *data;
    CBLAS_TRANSPOSE transposed;
    int leading;
} operand;

static operand in_place(const char *data, vv_index columns, vv_index row, vv_index column)
{
    if (column == 1 && row >= columns) return (operand){data, CblasNoTrans, (int)row};
    return (operand){data, CblasTrans, (int)column};
}

/* Room for a, b and the product; 0 for what needs none. */
typedef struct rooms {
    vv_bytes a, b, product;
} rooms;

static vv_bytes lines(vv_bytes bytes)
{
    return (bytes + 63) / 64 * 64;
}

static rooms rooms_of(vv_dtype type, vv_index m, vv_index n, vv_index k, vv_index a_row, vv_index a_col, vv_index b_row,
                      vv_index b_col)
{
    vv_bytes size = vv_dtype_size(type);
    vv_index pm = vv_imin(m, PIECE_M), pn = vv_imin(n, PIECE_N), pk = vv_imin(k, span_of(type));
    return (rooms){.a = usable(m, k, a_row, a_col) ? 0 : lines(pm * pk * size),
                   .b = usable(k, n, b_row, b_col) ? 0 : lines(pk * pn * size),
                   .product = type == VV_F32 ? lines(pm * pn * size) : 0};
}

vv_bytes vv_gemm_workspace(vv_dtype type, vv_index m, vv_index n, vv_index k, vv_index a_row, vv_index a_col,
                           vv_index b_row, vv_index b_col)
{
    if (!vv_dtype_is_float(type)) return vv_gemm_integers_workspace(n, k);
    rooms r = rooms_of(type, m, n, k, a_row, a_col, b_row, b_col);
    return r.a + r.b + r.product;
}

VV_KERNEL void add_body(vv_index n, const float *restrict x, double *restrict sum)
{
    for (vv_index i = 0; i < n; i++) sum[i] += (double)x[i];
}
VV_CLONES(add, add_body, (vv_index n, const float *x, double *sum), (n, x, sum))

/* One product. */
typedef struct job {
    vv_dtype type;
    vv_bytes size;
    const char *a, *b;
    vv_index a_row, a_col, b_row, b_col, c_row;
    double *c;
    char *room_a, *room_b; /* NULL: used in place */
    float *product;
} job;

/* rows x columns from (row0, column0) of a matrix: where it lies, or packed. */
static operand piece_of(const job *j, const char *data, vv_index row, vv_index column, const vv_index at[2],
                        const vv_index n[2], char *room)
{
    data += (at[0] * row + at[1] * column) * j->size;
    if (!room) return in_place(data, n[1], row, column);
    vv_box_copy(2, n, j->size, data, (const vv_index[]){row, column}, room, (const vv_index[]){n[1], 1});
    return in_place(room, n[1], n[1], 1);
}

static void multiply(const job *j, const operand *a, const operand *b, vv_index m, vv_index n, vv_index k, double *c)
{
    if (j->type == VV_F64) {
        cblas_dgemm(CblasRowMajor, a->transposed, b->transposed, (int)m, (int)n, (int)k, 1.0, (const double *)a->data,
                    a->leading, (const double *)b->data, b->leading, 1.0, c, (int)j->c_row);
        return;
    }
    cblas_sgemm(CblasRowMajor, a->transposed, b->transposed, (int)m, (int)n, (int)k, 1.0F, (const float *)a->data,
                a->leading, (const float *)b->data, b->leading, 0.0F, j->product, (int)n);
    for (vv_index i = 0; i < m; i++) add[vv_cpu()](n, j->product + i * n, c + i * j->c_row);
}

/* A packed b serves all rows of a; a is packed anew for every piece of columns, which costs 1 / PIECE_N of the product. */
static void pieces(const job *j, vv_index m, vv_index n, vv_index k)
{
    const vv_index span = span_of(j->type);
    for (vv_index l = 0; l < k; l += span)
        for (vv_index q = 0; q < n; q += PIECE_N) {
            vv_index some_k = vv_imin(span, k - l), some_n = vv_imin(PIECE_N, n - q);
            operand b = piece_of(j, j->b, j->b_row, j->b_col, (const vv_index[]){l, q},
                                 (const vv_index[]){some_k, some_n}, j->room_b);
            for (vv_index i = 0; i < m; i += PIECE_M) {
                vv_index some_m = vv_imin(PIECE_M, m - i);
                operand a = piece_of(j, j->a, j->a_row, j->a_col, (const vv_index[]){i, l},
                                     (const vv_index[]){some_m, some_k}, j->room_a);
                multiply(j, &a, &b, some_m, some_n, some_k, j->c + i * j->c_row + q);
            }
        }
}

void vv_gemm(vv_dtype type, vv_index m, vv_index n, vv_index k, const void *a, vv_index a_row, vv_index a_col,
             const void *b, vv_index b_row, vv_index b_col, void *c, vv_index c_row, void *workspace)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (m <= 0 || n <= 0 || k <= 0) return;
    if (!vv_dtype_is_float(type)) {
        vv_gemm_integers(m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row, workspace);
        return;
    }
    pthread_once(&once, be_alone);
    rooms r = rooms_of(type, m, n, k, a_row, a_col, b_row, b_col);
    char *room = workspace;
    job j = {.type = type,
             .size = vv_dtype_size(type),
             .a = a,
             .b = b,
             .a_row = a_row,
             .a_col = a_col,
             .b_row = b_row,
             .b_col = b_col,
             .c_row = c_row,
             .c = c,
             .room_a = r.a ? room : NULL,
             .room_b = r.b ? room + r.a : NULL,
             .product = r.product ? (float *)(void *)(room + r.a + r.b) : NULL};
    pieces(&j, m, n, k);
}

/* QR and singular values of matrices that have far more rows than columns.
 *
 * The rows are cut into pieces. Each piece's triangle goes below the one before it, and this stack, which has about as many rows as a piece, is factored in one task: its triangle
 * is that of the whole. For the orthogonal factor the stack's own factor is cut into squares again, a share for each piece. The piece is factored once more and multiplied with its
 * share; or the inverse of its triangle is multiplied into the share, where that is exact enough, and the piece itself with that: so the matrix is read twice, and nothing as
 * long as it is ever kept but the result.
 *
 *     a [n, k] in pieces of m rows     qr_r      ->  stack [n / m * k, k]     qr_r      ->  r [k, k]
 *                                                    stack                    qr_shares ->  shares [n / m * (k + 1), k]
 *     a, shares                        qr_piece  ->  q [n, k]
 *
 * Singular values are those of the triangle, a small matrix; the left vectors are q times those of the triangle, which are multiplied into the shares. The stack and the shares
 * are double precision even of single precision matrices. */
#include "array/linalg/linalg.h"

#include "varve/linalg.h"
#include "varve/move.h"

#include <math.h>
#include <string.h>

/* How a tall matrix is cut: into pieces of about PIECE bytes and TALL times as many rows as columns, that are not much smaller than the stack. Their rows are a power of two, as
 * arrays without chunks of their own are cut at multiples of one (plan/lower/grid.c): then pieces lie inside chunks, and need not be put together. */
enum { PIECE = 4 << 20, TALL = 8 };

typedef struct tall {
    vv_array *a, *stack; /* stack: NULL when there is only one piece */
    const char *to;
    vv_index rows, columns, piece, rank; /* rank: columns of q */
    vv_dtype wide;                       /* of the stack and of what is made of it on the way */
} tall;

static vv_index piece_rows(vv_index rows, vv_index columns)
{
    vv_index least = vv_imax(PIECE / 8 / columns, TALL * columns), n = 1;
    vv_index even = (vv_index)sqrt((double)rows * (double)columns);
    while (n + n / 2 < vv_imax(least, even)) n *= 2;
    return vv_imin(rows, n);
}

static vv_status begin(vv_array *a, const char *to, tall *t)
{
    *t = (tall){.a = a, .to = to, .rows = a->shape.n[0], .columns = a->shape.n[1]};
    t->piece = piece_rows(t->rows, t->columns);
    t->rank = vv_imin(t->rows, t->columns);
    if (t->piece == t->rows) return VV_OK;
    t->wide = vv_dtype_is_complex(a->dtype) ? VV_C128 : VV_F64;
    t->stack = vv_node_tile(
        a, NULL,
        &(vv_tile_want){.op = "qr_r", .cut = {t->piece}, .extent = {t->columns, VV_TILE_SAME}, .type = t->wide});
    return t->stack->status;
}

static vv_array *triangle_of(const tall *t)
{
    vv_tile_want all = {.op = "qr_r", .extent = {t->rank, VV_TILE_SAME}, .name = {t->to}, .type = t->a->dtype};
    return vv_node_tile(t->stack ? t->stack : t->a, NULL, &all);
}

/* The orthogonal factor, times a matrix of as many columns (NULL: by itself). */
static vv_array *factor_of(const tall *t, vv_array *times)
{
    vv_index columns = times && times->status == VV_OK ? times->shape.n[1] : t->rank;
    vv_tile_want all = {.op = "qr_q", .extent = {VV_TILE_SAME, columns}, .name = {NULL, t->to}};
    all.type = t->a->dtype;
    if (!t->stack) return vv_node_tile(t->a, times, &all);
    vv_tile_want pieces = all, shares = all;
    shares.op = "qr_shares";
    shares.extent[0] = vv_times(vv_ceil_div(t->rows, t->piece), t->columns + 1);
    shares.type = t->wide;
    pieces.op = "qr_piece";
    pieces.cut[0] = t->piece;
    return vv_node_tile(t->a, vv_node_tile(t->stack, times, &shares), &pieces);
}

static vv_status make_qr(vv_array *a, const char *to, vv_array **q, vv_array **r)
{
    tall t;
    VV_TRY(vv_array_status(a));
    VV_TRY(vv_node_check_name(a, to));
    VV_TRY(begin(a, to, &t));
    if (q) *q = factor_of(&t, NULL);
    if (r) *r = triangle_of(&t);
    return VV_OK;
}

void vv_qr(vv_array *a, const char *new_dim, vv_array **q, vv_array **r)
{
    if (vv_node_is_stack(a)) {
        vv_node_stack_qr(a, new_dim, q, r);
        return;
    }
    vv_making m = vv_making_begin(a->context);
    vv_array *matrix = vv_node_matrix(a, "QR");
    vv_status status = make_qr(matrix, new_dim, q, r);
    vv_release(&matrix);
    vv_making_end(&m, (vv_array * *const[]){q, r}, 2, status);
}

/* --- singular values --- */

/* Rows from .. from + n of what `svd` makes of a square matrix. */
static vv_array *part_of(vv_array *packed, vv_index from, vv_index n, const char *rows, const char *columns)
{
    vv_array *part = vv_node_stretch(packed, 0, from, n);
    return part->status == VV_OK ? vv_node_named(part, rows, columns) : part;
}

static vv_status make_tall_svd(vv_array *a, const char *to, vv_array **u, vv_array **s, vv_array **v)
{
    tall t;
    VV_TRY(begin(a, to, &t));
    vv_array *r = triangle_of(&t);
    vv_index k = t.columns;
    VV_TRY(r->status);
    vv_array *packed = vv_node_tile(r, NULL, &(vv_tile_want){.op = "svd", .extent = {2 * k + 1, VV_TILE_SAME}});
    VV_TRY(packed->status);
    if (u) *u = factor_of(&t, vv_node_stretch(packed, 0, 0, k));
    if (s) {
        vv_array *row = vv_at(packed, packed->dim[0], k);
        if (vv_dtype_is_complex(a->dtype)) row = vv_real(row);
        *s = row->status == VV_OK ? vv_rename(row, row->dim[0], to) : row;
    }
    if (v) *v = part_of(packed, k + 1, k, to, a->dim[1]);
    return VV_OK;
}

/* Of a wide matrix: those of the transposed one, where left and right change places. */
static vv_status make_svd(vv_array *a, const char *to, vv_array **u, vv_array **s, vv_array **v)
{
    vv_array *left = NULL, *right = NULL;
    VV_TRY(vv_array_status(a));
    VV_TRY(vv_node_check_name(a, to));
    if (a->shape.n[0] >= a->shape.n[1]) return make_tall_svd(a, to, u, s, v);
    VV_TRY(make_tall_svd(vv_transpose(a, NULL), to, v ? &right : NULL, s, u ? &left : NULL));
    if (u) *u = vv_transpose(left, NULL);
    if (v) *v = vv_transpose(right, NULL);
    return VV_OK;
}

void vv_svd(vv_array *a, const char *new_dim, vv_array **u, vv_array **s, vv_array **v)
{
    if (vv_node_is_stack(a)) {
        vv_node_stack_svd(a, new_dim, u, s, v);
        return;
    }
    vv_making m = vv_making_begin(a->context);
    vv_array *matrix = vv_node_matrix(a, "singular values");
    vv_status status = make_svd(matrix, new_dim, u, s, v);
    vv_release(&matrix);
    vv_making_end(&m, (vv_array * *const[]){u, s, v}, 3, status);
}

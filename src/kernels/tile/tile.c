#include "kernels/tile/tile.h"

#include "base/mem.h"
#include "kernels/tile/kernels.h"

#include <string.h>

/* PLAIN needs no workspace. */
#define TILE(id, n_least, n_most, text)                                                                                \
    {                                                                                                                  \
        .name = #id, .help = text, .least = n_least, .most = n_most,                                                   \
        .workspace = {vv_tile_##id##_workspace, vv_tile_complex_##id##_workspace}, .run = {                            \
            vv_tile_##id,                                                                                              \
            vv_tile_complex_##id                                                                                       \
        }                                                                                                              \
    }
#define PLAIN(id, n_least, n_most, text)                                                                               \
    {                                                                                                                  \
        .name = #id, .help = text, .least = n_least, .most = n_most, .run = { vv_tile_##id, vv_tile_complex_##id }     \
    }

const vv_tile_op vv_tile_ops[] = {
    TILE(qr_r, 1, 1, "the triangle of the QR factorisation of each piece of rows"),
    TILE(qr_q, 1, 2, "its orthogonal factor, times the rows of the second operand that belong to the piece"),
    TILE(qr_shares, 1, 2,
         "of pieces' triangles: what each piece's orthogonal factor, or the piece, is multiplied with"),
    TILE(qr_piece, 2, 2, "the orthogonal factor of each piece, times its share"),
    TILE(svd, 1, 1, "left singular vectors, a row of singular values, right singular vectors of a square matrix"),
    PLAIN(cholesky_panel, 1, 1, "Cholesky's factor of the first columns, from the diagonal on"),
    PLAIN(cholesky_update, 2, 2, "what remains of the columns behind a panel"),
    TILE(lu_panel, 1, 1, "lower and upper triangle of the first columns, and a row of pivots"),
    PLAIN(lu_update, 2, 2, "the columns behind a panel: rows of the upper triangle, and what remains"),
    TILE(lu_order, 1, 2, "where rows come from: by a panel's pivots, then below by the second operand"),
    PLAIN(reordered, 2, 2, "rows in another order"),
    PLAIN(solve_lower, 2, 2, "solutions of a lower triangle, the second operand"),
    PLAIN(solve_upper, 2, 2, "solutions of an upper triangle, the second operand"),
};
const int vv_n_tile_ops = sizeof vv_tile_ops / sizeof *vv_tile_ops;

int vv_tile_op_find(const char *name)
{
    for (int i = 0; i < vv_n_tile_ops; i++)
        if (!strcmp(vv_tile_ops[i].name, name)) return i;
    return -1;
}

vv_bytes vv_tile_workspace(const vv_tile_call *c, const vv_tile_work *w)
{
    const vv_tile_op *op = &vv_tile_ops[c->op];
    int which = c->type == VV_C128;
    return op->workspace[which] ? op->workspace[which](w) : 0;
}

vv_status vv_tile_run(const vv_tile_call *c, const vv_tile_work *w)
{
    return vv_tile_ops[c->op].run[c->type == VV_C128](w);
}

static void add_extent(vv_matrix *m, int *seen, vv_index n)
{
    if (*seen == 0)
        m->rows = n;
    else
        m->columns = n;
    ++*seen;
}

void vv_tile_shape(const vv_tile_call *c, int operand, int nd, const vv_index n[], vv_matrix *out)
{
    int seen = 0;
    *out = (vv_matrix){.rows = 1, .columns = 1};
    for (int d = 0; d < nd; d++)
        if (vv_tile_sees(c, operand, d)) add_extent(out, &seen, n[d]);
}

void vv_tile_result(const vv_tile_call *c, const vv_index n[], vv_matrix *out)
{
    int seen = 0;
    *out = (vv_matrix){.rows = 1, .columns = 1};
    for (int d = 0; d < c->first; d++)
        if (c->extent[d] != 0) add_extent(out, &seen, c->extent[d] == VV_TILE_SAME ? n[d] : c->extent[d]);
}

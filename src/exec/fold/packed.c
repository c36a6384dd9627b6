/* Steps that take packed blocks as a whole: operations on a block with its surroundings, on matrices, and matrix products. */
#include "exec/work.h"
#include "kernels/gemm.h"

vv_status vv_fold_call(vv_worker *w, const vv_box *box, char *state)
{
    const vv_step *s = w->job->step;
    const vv_block *b = &w->block[0];
    const vv_block_op *op = &vv_block_ops[s->call.op];
    const vv_box *in = &w->box[0];
    vv_dtype type = b->decode.out;
    for (int d = 0; d < box->nd; d++)
        if (in->n[d] != box->n[d] + s->input[0].before[d] + s->input[0].after[d])
            return vv_fail(VV_ERR_INTERNAL, "%s of an array that is not there along dimension %d", op->name, d);
    if (op->prepare) VV_TRY(op->prepare(&s->call, type));
    VV_TRY(vv_room_for(&w->special, op->workspace(&s->call, type, box->nd, in->n, box->n), "a workspace"));
    op->run(&s->call, type, box->nd, in->n, box->n, b->bytes, state, w->special.data);
    return VV_OK;
}

/* --- functions of the user's --- */

/* Which chunk of which array it was, for the message. */
static vv_status user_failed(const vv_step *s, const vv_index coords[])
{
    char chunk[256];
    vv_dims_text(s->user->result_nd, coords, chunk, sizeof chunk);
    return vv_error_prefix("array '%s', chunk %s, rank %d", s->name, chunk, vv_this_rank());
}

vv_status vv_fold_user(vv_worker *w, const vv_box *box, char *state)
{
    const vv_step *s = w->job->step;
    vv_user_blocks b = {.work = s->work, .box = *box, .result = state};
    vv_index coords[VV_MAX_DIMS], whole[VV_MAX_DIMS], count;
    for (int d = 0; d < box->nd; d++) {
        coords[d] = vv_grid_at(&s->work, d, box->lo[d]);
        whole[d] = vv_user_number(s->user, &s->work, d, box->lo[d], &count);
    }
    vv_grid_box_at(&s->grid, coords, &b.out);
    if (s->user->by_rank && coords[0] != vv_this_rank())
        return vv_fail(VV_ERR_INTERNAL, "array '%s': rank %d cannot give what rank %lld has", s->name, vv_this_rank(),
                       (long long)coords[0]);
    for (int k = 0; k < s->n_inputs; k++) {
        const vv_block *in = &w->block[k];
        vv_index first = in->first;
        for (int d = 0; d < box->nd; d++) {
            b.stride[k][d] = in->stride[d];
            first -= s->input[k].before[d] * in->stride[d];
        }
        b.in[k] = (const char *)in->bytes + first * vv_dtype_size(in->decode.out);
        b.follows[k] = w->edge[k]->follows;
    }
    VV_TRY(vv_room_for(&w->special, vv_user_workspace(s->user, box->n, b.out.n, b.follows), "a function's workspace"));
    vv_status status = vv_user_run(s->user, &b, w->special.data);
    return status == VV_OK ? VV_OK : user_failed(s, whole);
}

/* --- matrices --- */

/* The packed blocks are the matrices: work dimensions that an operand does not have are of one element there. */
vv_status vv_fold_tile(vv_worker *w, const vv_index coords[], const vv_box *box, char *state)
{
    const vv_step *s = w->job->step;
    vv_tile_work work = {.from = s->tile.from};
    for (int d = 0; d < s->tile.first; d++) {
        if (vv_grid_count(&s->work, d) == 1) continue;
        work.piece = coords[d];
        work.cut = s->tile.cut[d];
    }
    for (int k = 0; k < s->n_inputs; k++) {
        vv_tile_shape(&s->tile, k, box->nd, w->box[k].n, &work.in[k]);
        work.in[k].at = (double *)(uintptr_t)w->block[k].bytes;
    }
    vv_tile_result(&s->tile, box->n, &work.out);
    work.out.at = (double *)(void *)state;
    VV_TRY(vv_room_for(&w->special, vv_tile_workspace(&s->tile, &work), "a workspace"));
    work.room = w->special.data;
    vv_status status = vv_tile_run(&s->tile, &work);
    return status == VV_OK ? VV_OK : vv_error_prefix("'%s'", s->name);
}

/* --- products --- */

/* The two blocks and the cells as matrices. Work dimensions that only the first block follows are rows, those that only the second one follows columns; one
 * of each and one that is summed over are given to BLAS; the others, and those that both or none follow, are walked. */
typedef struct product {
    const vv_box *box;
    vv_index a[VV_MAX_DIMS], b[VV_MAX_DIMS], cell[VV_MAX_DIMS]; /* strides */
    int row, column, sum;                                       /* dimensions; -1 for none */
    bool swapped; /* the first block is the right-hand one: columns have to be dense in the cells */
} product;

static bool longer(const vv_box *box, int d, int than)
{
    return than < 0 || box->n[d] > box->n[than];
}

static void choose(const vv_worker *w, product *p)
{
    const vv_step *s = w->job->step;
    vv_index cells = 1;
    int alone[2] = {-1, -1}; /* longest dimension that only a, only b follows */
    p->sum = -1;
    for (int d = p->box->nd - 1; d >= 0; d--) {
        bool many = p->box->n[d] > 1;
        p->a[d] = many ? w->block[0].stride[d] : 0;
        p->b[d] = many ? w->block[1].stride[d] : 0;
        p->cell[d] = s->reduced[d] ? 0 : cells;
        if (!s->reduced[d])
            cells *= p->box->n[d];
        else if (longer(p->box, d, p->sum))
            p->sum = d;
        if (s->reduced[d] || !many || (p->a[d] != 0) == (p->b[d] != 0)) continue;
        int *best = &alone[p->a[d] == 0];
        if (longer(p->box, d, *best)) *best = d;
    }
    p->swapped = alone[0] >= 0 && p->cell[alone[0]] == 1;
    p->row = alone[p->swapped];
    p->column = alone[!p->swapped];
    if (p->column >= 0 && p->cell[p->column] != 1) p->column = -1; /* one column at a time */
}

static vv_index extent(const product *p, int d)
{
    return d < 0 ? 1 : p->box->n[d];
}

static vv_index along(const vv_index stride[], int d)
{
    return d < 0 ? 1 : stride[d];
}

/* One matrix product; the offsets are elements of the blocks and cells. */
static vv_status multiply(vv_worker *w, const product *p, const vv_index at[3], double *cells)
{
    vv_dtype type = w->block[0].decode.out;
    vv_bytes size = vv_dtype_size(type);
    const char *a = (const char *)w->block[0].bytes + at[0] * size, *b = (const char *)w->block[1].bytes + at[1] * size;
    const vv_index *left = p->swapped ? p->b : p->a, *right = p->swapped ? p->a : p->b;
    vv_index m = extent(p, p->row), n = extent(p, p->column), k = extent(p, p->sum);
    vv_index a_row = along(left, p->row), a_col = along(left, p->sum);
    vv_index b_row = along(right, p->sum), b_col = along(right, p->column), c_row = p->row < 0 ? n : p->cell[p->row];
    VV_TRY(vv_room_for(&w->special, vv_gemm_workspace(type, m, n, k, a_row, a_col, b_row, b_col), "a workspace"));
    vv_gemm(type, m, n, k, p->swapped ? b : a, a_row, a_col, p->swapped ? a : b, b_row, b_col, cells + at[2], c_row,
            w->special.data);
    return VV_OK;
}

vv_status vv_fold_product(vv_worker *w, const vv_box *box, char *state)
{
    product p = {.box = box};
    double *cells = (double *)(void *)(state + sizeof(vv_red_head)); /* the sum's plane */
    vv_index n[VV_MAX_DIMS], at[VV_MAX_DIMS] = {0};
    choose(w, &p);
    for (int d = 0; d < box->nd; d++) n[d] = d == p.row || d == p.column || d == p.sum ? 1 : box->n[d];
    do {
        vv_index offset[3] = {w->block[0].first, w->block[1].first, 0};
        for (int d = 0; d < box->nd; d++) {
            offset[0] += at[d] * p.a[d];
            offset[1] += at[d] * p.b[d];
            offset[2] += at[d] * p.cell[d];
        }
        VV_TRY(multiply(w, &p, offset, cells));
    } while (vv_odometer(box->nd, n, at));
    return VV_OK;
}

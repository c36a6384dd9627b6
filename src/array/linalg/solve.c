/* Factorisations of square matrices, and equations: blocks of columns, one after the other.
 *
 * A panel, all rows of the next block of columns, is factored in one task. Each block of columns behind it then needs nothing but the panel, wherever it is; the first
 * rows that come out of that are rows of the factor, those below are the matrix that the next panel is cut from. Right-hand sides are just more blocks of
 * columns. What a rank has to hold at once is a panel and a block beside it.
 *
 *     a = [p | rest]    panel(p) = l, u, pivots     update(rest, panel) = [row of u; what remains]     and again with what remains
 *
 * Blocks are SIDE columns wide, and wider where there would be more than MOST of them: a plan has some steps for each. */
#include "array/linalg/linalg.h"

#include "varve/create.h"
#include "varve/linalg.h"
#include "varve/move.h"

#include <stdio.h>
#include <string.h>

enum { SIDE = 256, MOST = 48, ROUND = 64 };

/* --- square matrices --- */

static vv_array *square_matrix(vv_array *a, const char *what)
{
    vv_array *x = vv_node_matrix(a, what);
    if (x->status != VV_OK || x->shape.n[0] == x->shape.n[1]) return x;
    (void)vv_fail(VV_ERR_SHAPE, "%s of '%s' (%s: %lld, %s: %lld), which is not square", what, a->name, a->dim[0],
                  (long long)a->shape.n[0], a->dim[1], (long long)a->shape.n[1]);
    return vv_node_then(x, vv_node_inert(a->context));
}

static vv_index block_of(vv_index n)
{
    return vv_imin(n, vv_imax(SIDE, vv_ceil_div(vv_ceil_div(n, MOST), ROUND) * ROUND));
}

static vv_array *rows_of(vv_array *a, vv_index from, vv_index n)
{
    return from == 0 && n == a->shape.n[0] ? vv_node_seen_again(a) : vv_node_stretch(a, 0, from, n);
}

static vv_array *columns_of(vv_array *a, vv_index from, vv_index n)
{
    return from == 0 && n == a->shape.n[1] ? vv_node_seen_again(a) : vv_node_stretch(a, 1, from, n);
}

static vv_array *zeros(const vv_array *like, vv_index rows, vv_index columns)
{
    char dims[128];
    (void)snprintf(dims, sizeof dims, "row:%lld,column:%lld", (long long)rows, (long long)columns);
    return vv_node_full(like->context, dims, NULL, 0, like->dtype);
}

/* Arrays one after the other, those of no elements left out. */
typedef struct pieces {
    int n;
    vv_array *at[2 * MOST + 2];
} pieces;

static void append(pieces *p, vv_array *a)
{
    p->at[p->n++] = a;
}

static vv_array *joined(vv_context *c, const pieces *p, const char *dim)
{
    return p->n == 1 ? vv_node_seen_again(p->at[0]) : vv_node_concat(c, p->at, p->n, dim);
}

/* --- Cholesky --- */

/* Columns of the factor, each with the zeros above its diagonal. */
static vv_array *cholesky_of(vv_array *a)
{
    pieces columns = {0};
    vv_array *left = a;
    vv_index n = a->shape.n[0], b = block_of(n);
    for (vv_index at = 0; at < n; at += b) {
        vv_index m = n - at, width = vv_imin(b, m);
        vv_tile_want factor = {.op = "cholesky_panel", .from = at, .extent = {VV_TILE_SAME, VV_TILE_SAME}};
        vv_tile_want update = {.op = "cholesky_update", .cut = {0, b}, .extent = {VV_TILE_SAME, VV_TILE_SAME}};
        vv_array *panel = vv_node_tile(columns_of(left, 0, width), NULL, &factor);
        pieces column = {0};
        if (at > 0) append(&column, zeros(a, at, width));
        append(&column, panel);
        append(&columns, joined(a->context, &column, "row"));
        if (panel->status != VV_OK) return panel;
        if (width < m)
            left = rows_of(vv_node_tile(columns_of(left, width, m - width), panel, &update), width, m - width);
    }
    return joined(a->context, &columns, "column");
}

/* --- LU --- */

/* Panels, and the rows of the upper triangle behind each. */
typedef struct lu {
    vv_index n, b;
    int steps;
    vv_array *panel[MOST], *row[MOST]; /* row: NULL for the last one */
} lu;

static vv_index begin_of(const lu *f, int k)
{
    return k * f->b;
}

static vv_index width_of(const lu *f, int k)
{
    return vv_imin(f->b, f->n - begin_of(f, k));
}

static vv_array *updated(vv_array *a, vv_array *panel, vv_index cut)
{
    vv_tile_want want = {.op = "lu_update", .cut = {0, cut}, .extent = {VV_TILE_SAME, VV_TILE_SAME}};
    return vv_node_tile(a, panel, &want);
}

static vv_status factor(vv_array *a, lu *f)
{
    vv_array *left = a;
    *f = (lu){.n = a->shape.n[0], .b = block_of(a->shape.n[0])};
    for (int k = 0; begin_of(f, k) < f->n; k++) {
        vv_index m = f->n - begin_of(f, k), width = width_of(f, k);
        vv_tile_want want = {.op = "lu_panel", .from = begin_of(f, k), .extent = {m + 1, VV_TILE_SAME}};
        f->panel[k] = vv_node_tile(columns_of(left, 0, width), NULL, &want);
        VV_TRY(f->panel[k]->status);
        f->steps = k + 1;
        if (width == m) break;
        vv_array *behind = updated(columns_of(left, width, m - width), f->panel[k], f->b);
        f->row[k] = rows_of(behind, 0, width);
        left = rows_of(behind, width, m - width);
        VV_TRY(left->status);
    }
    return VV_OK;
}

static vv_array *corner(const lu *f, int k)
{
    return rows_of(f->panel[k], 0, width_of(f, k));
}

/* From which rows of what is left at step k the rows of the factors come. */
static vv_array *order_from(const lu *f, int k, vv_array *later)
{
    vv_tile_want want = {.op = "lu_order", .extent = {f->n - begin_of(f, k), 0}};
    return vv_node_tile(f->panel[k], later, &want);
}

static vv_array *lower_of(vv_context *c, const lu *f)
{
    pieces columns = {0};
    vv_array *later = NULL, *reversed[MOST];
    for (int k = f->steps - 1; k >= 0; k--) {
        vv_index m = f->n - begin_of(f, k), width = width_of(f, k);
        char dims[128];
        (void)snprintf(dims, sizeof dims, "row:%lld,column:%lld", (long long)width, (long long)width);
        pieces column = {0};
        if (k > 0) append(&column, zeros(f->panel[k], begin_of(f, k), width));
        vv_array *below = vv_tril(corner(f, k), "row", "column", -1);
        append(&column, vv_add(below, vv_node_eye(c, dims, 0, below->dtype)));
        vv_tile_want want = {.op = "reordered", .cut = {0, width}, .extent = {VV_TILE_SAME, VV_TILE_SAME}};
        if (later) append(&column, vv_node_tile(rows_of(f->panel[k], width, m - width), later, &want));
        reversed[k] = joined(c, &column, "row");
        later = order_from(f, k, later);
    }
    for (int k = 0; k < f->steps; k++) append(&columns, reversed[k]);
    return joined(c, &columns, "column");
}

static vv_array *upper_of(vv_context *c, const lu *f)
{
    pieces rows = {0};
    for (int k = 0; k < f->steps; k++) {
        pieces row = {0};
        if (k > 0) append(&row, zeros(f->panel[k], width_of(f, k), begin_of(f, k)));
        append(&row, vv_triu(corner(f, k), "row", "column", 0));
        if (f->row[k]) append(&row, f->row[k]);
        append(&rows, joined(c, &row, "column"));
    }
    return joined(c, &rows, "row");
}

static vv_array *order_of(const lu *f)
{
    vv_array *order = NULL;
    for (int k = f->steps - 1; k >= 0; k--) order = order_from(f, k, order);
    return vv_astype(vv_dtype_is_complex(order->dtype) ? vv_real(order) : order, VV_I64);
}

/* --- triangles --- */

/* rhs - row * known, solved by the triangle of a corner, whose first row is number `from`. */
static vv_array *solved(const char *op, vv_array *corner, vv_index from, vv_array *rhs, vv_array *row, vv_array *known)
{
    vv_tile_want want = {.op = op, .from = from, .cut = {0, SIDE}, .extent = {VV_TILE_SAME, VV_TILE_SAME}};
    if (known) rhs = vv_sub(rhs, vv_matmul(row, vv_node_named(known, "column", "side"), "column"));
    return vv_node_tile(rhs, corner, &want);
}

static vv_array *solve_factored(vv_context *c, const lu *f, vv_array *rhs)
{
    vv_array *y[MOST], *left = rhs, *x = NULL;
    for (int k = 0; k < f->steps; k++) {
        vv_index m = f->n - begin_of(f, k), width = width_of(f, k);
        vv_array *behind = updated(left, f->panel[k], SIDE);
        if (behind->status != VV_OK) return behind;
        y[k] = rows_of(behind, 0, width);
        if (width < m) left = rows_of(behind, width, m - width);
    }
    for (int k = f->steps - 1; k >= 0; k--) {
        vv_array *some = solved("solve_upper", corner(f, k), begin_of(f, k), y[k], f->row[k], x);
        x = x ? joined(c, &(pieces){2, {some, x}}, "row") : some;
    }
    return x;
}

/* A triangle's own blocks, from the row that has one unknown on. */
static vv_array *solve_blocks(vv_array *a, bool lower, vv_array *rhs)
{
    vv_index n = a->shape.n[0], b = block_of(n);
    vv_array *x = NULL;
    for (vv_index done = 0; done < n; done += b) {
        vv_index width = vv_imin(b, n - done), at = lower ? done : n - done - width;
        vv_array *rows = rows_of(a, at, width), *row = NULL;
        if (rows->status != VV_OK) return rows;
        if (x) row = lower ? columns_of(rows, 0, at) : columns_of(rows, at + width, n - at - width);
        vv_array *some = solved(lower ? "solve_lower" : "solve_upper", columns_of(rows, at, width), at,
                                rows_of(rhs, at, width), row, x);
        if (some->status != VV_OK) return some;
        pieces both = {2, {lower ? x : some, lower ? some : x}};
        x = x ? joined(a->context, &both, "row") : some;
    }
    return x;
}

/* --- what users call --- */

/* The builder's own names instead of the user's; coordinates are left behind. */
static vv_array *bare(vv_array *a, const char *rows, const char *columns)
{
    return vv_node_bare(a, (const char *const[]){rows, columns});
}

vv_array *vv_cholesky(vv_array *a)
{
    if (vv_node_is_stack(a)) return vv_node_stack_cholesky(a);
    vv_making m = vv_making_begin(a->context);
    vv_array *x = square_matrix(a, "Cholesky factor"), *l = NULL;
    vv_status status = vv_array_status(x);
    if (status == VV_OK) l = vv_node_labelled_as(bare(cholesky_of(bare(x, "row", "column")), x->dim[0], x->dim[1]), x);
    vv_release(&x);
    vv_making_end(&m, (vv_array * *const[]){&l}, 1, status);
    return vv_node_about(l, a);
}

static vv_status make_lu(vv_array *a, const char *to, vv_array **order, vv_array **l, vv_array **u)
{
    lu f;
    vv_context *c = a->context;
    VV_TRY(vv_array_status(a));
    VV_TRY(vv_node_check_name(a, to));
    VV_TRY(factor(bare(a, "row", "column"), &f));
    if (order) *order = vv_node_bare(order_of(&f), (const char *const[]){to});
    if (l) *l = bare(lower_of(c, &f), a->dim[0], to);
    if (u) *u = bare(upper_of(c, &f), to, a->dim[1]);
    return VV_OK;
}

void vv_lu(vv_array *a, const char *new_dim, vv_array **order, vv_array **l, vv_array **u)
{
    vv_making m = vv_making_begin(a->context);
    vv_array *x = square_matrix(a, "LU factors");
    vv_status status = make_lu(x, new_dim, order, l, u);
    vv_release(&x);
    vv_making_end(&m, (vv_array * *const[]){order, l, u}, 3, status);
}

vv_status vv_node_right_hand_side(const vv_array *a, vv_array *b, const char *what, vv_array **out, int *other)
{
    vv_buf shape = {0};
    *other = -1;
    VV_TRY(vv_array_status(b));
    int d = vv_node_dim(b, a->dim[0]);
    if (d < 0 || b->shape.nd > 2 || b->shape.n[d] != a->shape.n[0]) {
        for (int k = 0; k < b->shape.nd; k++)
            vv_buf_printf(&shape, k ? ", %s: %lld" : "%s: %lld", b->dim[k], (long long)b->shape.n[k]);
        vv_status status =
            vv_fail(VV_ERR_SHAPE,
                    "%s: '%s' (%s: %lld, %s: %lld) and '%s' (%s), which needs '%s' and one more dimension at most",
                    what, a->name, a->dim[0], (long long)a->shape.n[0], a->dim[1], (long long)a->shape.n[1], b->name,
                    shape.data ? shape.data : "", a->dim[0]);
        vv_buf_free(&shape);
        return status;
    }
    if (b->shape.nd == 2) *other = 1 - d;
    if (*other >= 0 && !strcmp(b->dim[*other], a->dim[1]))
        return vv_fail(VV_ERR_SHAPE, "%s: both '%s' and '%s' have a dimension '%s'; vv_rename() it in one of them",
                       what, a->name, b->name, a->dim[1]);
    vv_array *x = vv_node_as_inexact(b);
    *out = *other < 0 ? vv_expand(x, "side", 1, -1) : d == 0 ? vv_node_seen_again(x) : vv_transpose(x, NULL);
    *out = bare(*out, "row", "side");
    vv_release(&x);
    return vv_array_status(*out);
}

vv_array *vv_node_unknowns(vv_array *x, const vv_array *a, const vv_array *b, int other)
{
    if (vv_array_status(x) != VV_OK) return x;
    x = bare(x, a->dim[1], other < 0 ? "side" : b->dim[other]);
    return other < 0 ? vv_squeeze(x, "side") : x;
}

static vv_status make_solution(vv_array *a, vv_array *b, const char *triangle, vv_array **out)
{
    lu f;
    int other;
    vv_array *rhs = NULL;
    VV_TRY(vv_array_status(a));
    VV_TRY(vv_node_right_hand_side(a, b, triangle ? "solve_triangular" : "solve", &rhs, &other));
    vv_array *matrix = bare(a, "row", "column");
    if (!triangle) VV_TRY(factor(matrix, &f));
    vv_array *x =
        triangle ? solve_blocks(matrix, !strcmp(triangle, "lower"), rhs) : solve_factored(a->context, &f, rhs);
    *out = vv_node_unknowns(x, a, b, other);
    return VV_OK;
}

static vv_array *solution(vv_array *a, vv_array *b, const char *triangle)
{
    vv_making m = vv_making_begin(a->context);
    vv_array *matrix = square_matrix(a, triangle ? "a triangle" : "a solution"), *x = NULL;
    vv_status status = make_solution(matrix, b, triangle, &x);
    vv_release(&matrix);
    vv_making_end(&m, (vv_array * *const[]){&x}, 1, status);
    return x;
}

vv_array *vv_solve(vv_array *a, vv_array *b)
{
    return vv_node_is_stack(a) ? vv_node_stack_solve(a, b) : solution(a, b, NULL);
}

vv_array *vv_solve_triangular(vv_array *a, vv_array *b, const char *which)
{
    if (!strcmp(which, "lower") || !strcmp(which, "upper")) return solution(a, b, which);
    (void)vv_fail(VV_ERR_USAGE, "a triangle is lower or upper, not '%s'", which);
    return vv_node_inert(a->context);
}

vv_array *vv_inverse(vv_array *a)
{
    if (vv_node_is_stack(a)) return vv_node_stack_inverse(a);
    vv_making m = vv_making_begin(a->context);
    vv_array *x = square_matrix(a, "inverse"), *out = NULL;
    vv_status status = vv_array_status(x);
    if (status == VV_OK) {
        lu f;
        char dims[64];
        (void)snprintf(dims, sizeof dims, "row:%lld,side:%lld", (long long)x->shape.n[0], (long long)x->shape.n[0]);
        status = factor(bare(x, "row", "column"), &f);
        if (status == VV_OK)
            out =
                bare(solve_factored(x->context, &f, vv_node_eye(x->context, dims, 0, x->dtype)), x->dim[1], x->dim[0]);
    }
    vv_release(&x);
    vv_making_end(&m, (vv_array * *const[]){&out}, 1, status);
    return out;
}

/* Arrays as a line of text, for users and for messages: shape, element type, chunks, bytes. */
#include "array/pieces.h"

#include <stdio.h>
#include <string.h>

/* --- chunks --- */

/* What is known of chunks before there is a plan, by dimension; 0 where the planner chooses. How far it is looked for is limited: a long chain of sums of an array with itself has
 * many ways to it. */
typedef struct known {
    int looks;
    vv_index chunk[VV_MAX_DIMS];
} known;

static void look(const vv_array *a, known *k);

static void take_over(known *k, int d, vv_index chunk, vv_index length)
{
    if (k->chunk[d] == 0 && chunk > 0) k->chunk[d] = vv_imin(chunk, vv_imax(1, length));
}

static bool all_known(const known *k, int nd)
{
    for (int d = 0; d < nd; d++)
        if (k->chunk[d] == 0) return false;
    return true;
}

/* Neighbours stay neighbours: chunks do, too, but for the first one. */
static void look_through(const vv_array *view, known *k)
{
    const vv_part *p = view->part;
    known below = {.looks = k->looks};
    look(view->input[p->from], &below);
    k->looks = below.looks;
    for (int d = 0; d < p->nd; d++)
        if (p->dim[d] >= 0 && p->dim[d] < view->shape.nd && p->table_dim != d &&
            (p->stride[d] == 1 || p->stride[d] == -1))
            take_over(k, p->dim[d], below.chunk[d], view->shape.n[p->dim[d]]);
}

/* Dimensions that are left have the names that they had. */
static void look_below(const vv_array *reduced, known *k)
{
    known below = {.looks = k->looks};
    const vv_array *in = reduced->input[0];
    look(in, &below);
    k->looks = below.looks;
    for (int d = 0; d < reduced->shape.nd; d++) {
        int e = vv_node_dim(in, reduced->dim[d]);
        if (e >= 0 && in->shape.n[e] == reduced->shape.n[d]) take_over(k, d, below.chunk[e], reduced->shape.n[d]);
    }
}

static void look(const vv_array *a, known *k)
{
    const vv_index *own = a->kind == VV_NODE_RECHUNK || a->kind == VV_NODE_RANDOM ? a->chunk : NULL;
    if (k->looks-- <= 0) return;
    if (a->held && a->held->held_grid) own = a->held->held_grid->chunk;
    if (a->kind == VV_NODE_OPEN && a->origin->file->meta->var[a->var].layout == VV_LAYOUT_CHUNKED)
        own = a->origin->file->meta->var[a->var].chunk;
    for (int d = 0; own && d < a->shape.nd; d++) take_over(k, d, own[d], a->shape.n[d]);
    if (all_known(k, a->shape.nd)) return;
    if (a->kind == VV_NODE_RECHUNK) look(a->input[0], k);
    if (a->kind == VV_NODE_VIEW && a->n_parts == 1) look_through(a, k);
    if (a->kind == VV_NODE_REDUCE) look_below(a, k);
    for (int i = 0; a->kind == VV_NODE_MAP && i < a->n_inputs && !all_known(k, a->shape.nd); i++)
        if (a->input[i]->kind != VV_NODE_SCALAR) look(a->input[i], k);
}

void vv_node_known_chunks(const vv_array *a, vv_index chunk[])
{
    enum { FAR = 200 };
    known k = {.looks = FAR};
    look(a, &k);
    memcpy(chunk, k.chunk, sizeof k.chunk);
}

/* --- text --- */

/* "31+28+31", or the first of many. */
static bool describe_pieces(const vv_array *a, int d, vv_buf *b)
{
    enum { SOME = 24 };
    vv_pieces p;
    for (const char *at = a->pieces; at && vv_pieces_find(at, &p); at = p.after) {
        int n = (int)(p.after - p.lengths), shown = n;
        if (strlen(a->dim[d]) != p.name || memcmp(a->dim[d], p.begin, p.name) != 0) continue;
        if (n > SOME)
            for (shown = SOME; p.lengths[shown - 1] != '+'; shown--) {
            }
        vv_buf_printf(b, "%.*s%s", shown, p.lengths, shown < n ? "..." : "");
        return true;
    }
    return false;
}

static void describe_chunks(const vv_array *a, vv_buf *b)
{
    vv_index chunk[VV_MAX_DIMS];
    bool any = false;
    vv_node_known_chunks(a, chunk);
    for (int d = 0; d < a->shape.nd; d++) any = any || chunk[d] > 0;
    if (!any) return;
    for (int d = 0; d < a->shape.nd; d++) {
        vv_buf_text(b, d ? " x " : ", chunks ");
        if (describe_pieces(a, d, b)) continue;
        if (chunk[d] > 0)
            vv_buf_printf(b, "%lld", (long long)chunk[d]);
        else
            vv_buf_text(b, "any");
    }
}

static void describe_node(const vv_array *a, vv_buf *b)
{
    char bytes[32];
    vv_buf_printf(b, "%s (", a->name);
    for (int d = 0; d < a->shape.nd; d++)
        vv_buf_printf(b, "%s%s: %lld", d ? ", " : "", a->dim[d], (long long)a->shape.n[d]);
    vv_buf_printf(b, ") %s", vv_dtype_name(a->dtype));
    describe_chunks(a, b);
    const vv_grouping *g = vv_node_grouping(a);
    if (g) vv_buf_printf(b, ", %lld groups '%s' along %s", (long long)g->n, g->name, a->dim[g->dim]);
    vv_buf_printf(b, ", %s", vv_bytes_text(vv_times(vv_shape_elements(&a->shape), vv_dtype_size(a->dtype)), bytes));
}

const char *vv_describe(const vv_array *a, char *out, size_t size)
{
    if (size == 0) return out;
    vv_buf b = {0};
    if (a->status != VV_OK)
        vv_buf_printf(&b, "inert array: %s", a->error->text);
    else if (a->kind == VV_NODE_SCALAR)
        vv_buf_printf(&b, "number %.9g", a->scalar);
    else
        describe_node(a, &b);
    strncpy(out, b.failed || !b.data ? "" : b.data, size - 1);
    out[size - 1] = 0;
    vv_buf_free(&b);
    return out;
}

const char *vv_describe_two(const vv_array *a, const vv_array *b, char out[VV_TWO_TEXT])
{
    char first[VV_TWO_TEXT / 2 - 8], second[VV_TWO_TEXT / 2 - 8];
    snprintf(out, VV_TWO_TEXT, "%s and %s", vv_describe(a, first, sizeof first), vv_describe(b, second, sizeof second));
    return out;
}

/* Sorting lanes that are longer than memory, by functions of chunks: what each of them does, and why that sorts, is in kernels/order/columns.h. Which of both ways is taken, this one or a lane in
 * one piece, is decided when a plan is made (session/prepare.c): elements are the same.
 *
 * The lane comes last. Shares of it become the columns of the first step, (?i, ?j, ?m): column, run, records of the run; a column of the next step are runs of the same number. So the exchange between
 * two steps is a transposition. */
#include "array/order/order.h"

#include "array/build.h"
#include "kernels/order/columns.h"
#include "varve/move.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lanes of fewer elements take little memory. Records of a chunk, where it has several lanes. */
enum { LEAST = 1 << 14, SOME = 1 << 17 };

typedef struct sorting {
    vv_context *context;
    vv_columns columns;
    int before;                 /* dimensions of the lanes, in front of theirs */
    vv_index some[VV_MAX_DIMS]; /* lanes of a chunk along them */
} sorting;

/* Lists of the lanes' dimensions, "?0,?1" or "?0:4,?1:1", with what follows them. */
static void list(const sorting *s, bool lengths, const char *behind, vv_buf *out)
{
    *out = (vv_buf){0};
    for (int d = 0; d < s->before; d++) {
        vv_buf_printf(out, "?%d", d);
        vv_buf_printf(out, lengths ? ":%lld," : ",", (long long)s->some[d]);
    }
    vv_buf_text(out, behind);
}

/* Lanes that lie side by side, as many as make a chunk of a fair size. */
static void share_lanes(sorting *s, const vv_array *in)
{
    vv_index room = SOME / vv_columns_length(&s->columns);
    for (int d = s->before - 1; d >= 0; d--) {
        s->some[d] = vv_imax(1, vv_imin(room, in->shape.n[d]));
        room /= s->some[d];
    }
}

/* The lane last, and dimensions with names that lists of them can hold. */
static vv_array *prepared(vv_array *in, int lane)
{
    char name[16];
    vv_array *a = vv_node_ungrouped(in);
    a = vv_node_then(a, vv_moveaxis(a, in->dim[lane], -1));
    for (int d = 0; a->status == VV_OK && d < a->shape.nd; d++) {
        snprintf(name, sizeof name, d < a->shape.nd - 1 ? "?%d" : "?i", d);
        a = vv_node_then(a, vv_rename(a, a->dim[d], name));
    }
    return a;
}

/* The dimensions as they were in `like`, for a result. */
static vv_array *placed_back(vv_array *a, int lane)
{
    return a->status == VV_OK ? vv_node_then(a, vv_moveaxis(a, "?i", lane)) : a;
}

/* What a function of chunks is told of the dimensions behind the lanes'; dims, results: NULL for nothing. */
typedef struct words {
    const char *called, *dims, *chunks, *results;
    vv_dtype type;
    vv_bytes scratch;
} words;

/* Names tell more in an explained plan than where a function is. */
static vv_array *called(vv_array *a, const char *name)
{
    vv_array *made = a->kind == VV_NODE_VIEW ? a->input[0] : a;
    char *text;
    if (a->status != VV_OK) return a;
    vv_status status = vv_strdup(&text, name);
    if (status != VV_OK) return vv_node_settle(a->context, a, status);
    free(made->user->name);
    made->user->name = text;
    return a;
}

/* Takes `in` over, as the others do. */
static vv_array *step(const sorting *s, vv_block_function *f, vv_array *in, const words *w)
{
    vv_buf dims, chunks;
    vv_array *a = vv_node_inert(s->context);
    list(s, false, w->dims ? w->dims : "", &dims);
    list(s, true, w->chunks, &chunks);
    vv_apply_options o = {.dtype = w->type,
                          .dims = w->dims ? dims.data : NULL,
                          .chunks = chunks.data,
                          .results = w->results,
                          .data = &s->columns,
                          .data_size = sizeof s->columns,
                          .scratch = w->scratch};
    if (vv_buf_status(&dims) == VV_OK && vv_buf_status(&chunks) == VV_OK)
        a = vv_node_then(a, vv_node_map_blocks(s->context, f, &in, 1, &o));
    vv_buf_free(&dims);
    vv_buf_free(&chunks);
    return vv_node_then(in, called(a, w->called));
}

static vv_array *first(const sorting *s, vv_array *a)
{
    const vv_columns *c = &s->columns;
    char dims[128], chunks[64];
    snprintf(dims, sizeof dims, "?i:%lld,?j:%lld,?m:%lld", (long long)c->columns, (long long)c->columns,
             (long long)(c->run * vv_columns_words(c)));
    snprintf(chunks, sizeof chunks, "?i:%lld", (long long)c->share);
    return step(s, vv_columns_first, a,
                &(words){.called = "columns sorted, 1 of 3",
                         .dims = dims,
                         .chunks = chunks,
                         .results = "?i:1",
                         .type = vv_columns_type(c),
                         .scratch = vv_columns_scratch_first(c)});
}

static vv_array *second(const sorting *s, vv_array *a)
{
    if (a->status != VV_OK) return a;
    return step(s, vv_columns_again, vv_node_then(a, vv_swapaxes(a, "?i", "?j")),
                &(words){.called = "columns sorted, 2 of 3",
                         .chunks = "?j:1,?i:-1,?m:-1",
                         .type = vv_columns_type(&s->columns),
                         .scratch = vv_columns_scratch_again(&s->columns)});
}

/* Then the columns follow each other along one dimension. */
static vv_array *third(const sorting *s, vv_array *a)
{
    const vv_columns *c = &s->columns;
    vv_index column = vv_columns_length(c) * vv_columns_words(c);
    char dims[64], results[64];
    if (a->status != VV_OK) return a;
    snprintf(dims, sizeof dims, "?i:%lld", (long long)(c->columns * column));
    snprintf(results, sizeof results, "?i:%lld", (long long)column);
    return step(s, vv_columns_again, vv_node_then(a, vv_swapaxes(a, "?i", "?j")),
                &(words){.called = "columns sorted, 3 of 3",
                         .dims = dims,
                         .chunks = "?i:1,?j:-1,?m:-1",
                         .results = results,
                         .type = vv_columns_type(c),
                         .scratch = vv_columns_scratch_again(c)});
}

/* Windows of half a column and half of the next one, as many as hold the first `length` elements. */
static vv_array *last(const sorting *s, vv_array *a, vv_index length)
{
    const vv_columns *c = &s->columns;
    vv_index r = vv_columns_length(c), column = r * vv_columns_words(c);
    char dims[64], chunks[64], results[64];
    if (a->status != VV_OK) return a;
    snprintf(dims, sizeof dims, "?i:%lld", (long long)length);
    snprintf(chunks, sizeof chunks, "?i:%lld", (long long)column);
    snprintf(results, sizeof results, "?i:%lld", (long long)r);
    a = vv_node_then(a, vv_slice(a, "?i", column / 2, column / 2 + vv_ceil_div(length, r) * column, 1));
    return step(s, vv_columns_last, a,
                &(words){.called = "halves of columns merged",
                         .dims = dims,
                         .chunks = chunks,
                         .results = results,
                         .type = c->places ? VV_I64 : c->in,
                         .scratch = vv_columns_scratch_last(c)});
}

vv_status vv_node_sort_columns(vv_array *a, vv_array *in, int lane)
{
    const char *op = vv_block_ops[a->call.op].name;
    bool best = strstr(op, "topk") != NULL;
    sorting s = {.context = in->context, .before = in->shape.nd - 1};
    s.columns = (vv_columns){
        .in = in->dtype, .greatest = best && !a->call.how, .places = strstr(op, "arg") != NULL, .valid = best};
    if (in->shape.n[lane] < LEAST || vv_shape_elements(&in->shape) == 0 || in->shape.nd + 2 > VV_MAX_DIMS) return VV_OK;
    if (a->call.length > in->shape.n[lane] || !vv_columns_cut(in->shape.n[lane], &s.columns)) return VV_OK;
    vv_array *made = prepared(in, lane);
    if (made->status == VV_OK) share_lanes(&s, made);
    if (made->status == VV_OK) made = first(&s, made);
    made = placed_back(last(&s, third(&s, second(&s, made)), a->call.length), lane);
    vv_status status = vv_array_status(made);
    if (status != VV_OK) {
        vv_release(&made);
        return status;
    }
    vv_node_take_over(made);
    a->columns = made;
    return VV_OK;
}

/* Functions of the user's: of elements, of positions, of chunks, by names of dimensions or by letters. */
#include "array/apply.h"

#include "array/pieces.h"

#include "varve/move.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* --- what is known of the call --- */

vv_status vv_apply_begin(vv_applying *b, vv_user_kind kind, vv_function *f, vv_array *const in[], int n,
                         const vv_apply_options *o)
{
    const vv_apply_options none = VV_APPLY_OPTIONS_INIT;
    b->in = in;
    b->n = b->user.n_in = n;
    b->o = o ? *o : none;
    b->user.kind = kind;
    b->user.function = f;
    if (n < 0 || n > VV_PROGRAM_INPUTS)
        return vv_fail(VV_ERR_USAGE, "%s: %d arrays; at most %d at once", b->what, n, VV_PROGRAM_INPUTS);
    VV_TRY(vv_nodes_usable(in, n));
    for (int k = 0; k < n; k++) b->user.in[k] = (vv_user_operand){.type = in[k]->dtype, .nd = in[k]->shape.nd};
    b->user.type = b->o.dtype != VV_NONE ? b->o.dtype : n > 0 ? in[0]->dtype : VV_F64;
    for (int k = -1; k < n; k++) {
        vv_dtype type = k < 0 ? b->user.type : in[k]->dtype;
        if (vv_working_type(type) == VV_NONE)
            return vv_fail(VV_ERR_TYPE, "%s: functions of %s are not there yet", b->what, vv_dtype_name(type));
    }
    if (b->o.data_size < 0 || b->o.scratch < 0 || (b->o.data_size > 0 && !b->o.data))
        return vv_fail(VV_ERR_USAGE, "%s: %lld bytes of data, %lld of scratch", b->what, (long long)b->o.data_size,
                       (long long)b->o.scratch);
    b->user.data = (void *)(uintptr_t)b->o.data; /* copied from there */
    b->user.data_size = b->o.data_size;
    b->user.scratch = b->o.scratch;
    return vv_symbol_find(f, &b->user.symbol);
}

vv_status vv_apply_add_dim(vv_applying *b, const char *name, vv_index n, int *out)
{
    if (b->nd == VV_MAX_DIMS) return vv_fail(VV_ERR_SHAPE, "%s: more than %d dimensions in all", b->what, VV_MAX_DIMS);
    *out = b->nd++;
    b->dim[*out] = (vv_work_dim){.n = n, .made = -1};
    snprintf(b->dim[*out].name, sizeof b->dim[*out].name, "%s", name);
    return VV_OK;
}

int vv_apply_find_dim(const vv_applying *b, const char *name)
{
    for (int d = 0; d < b->nd; d++)
        if (!strcmp(b->dim[d].name, name)) return d;
    for (int d = 0; d < b->nd; d++)
        if (b->dim[d].letter && name[0] == b->dim[d].letter && !name[1]) return d;
    return -1;
}

vv_status vv_apply_same_dim(vv_applying *b, int k, int d, int dim)
{
    vv_work_dim *w = &b->dim[dim];
    vv_index n = b->in[k]->shape.n[d];
    b->user.in[k].dim[d] = dim;
    if (!w->from || (w->n == 1 && n != 1)) {
        w->from = b->in[k];
        w->from_dim = d;
        w->n = n;
    }
    if (n == w->n || n == 1) return VV_OK;
    char both[VV_TWO_TEXT];
    return vv_fail(VV_ERR_SHAPE, "%s: arrays do not line up along '%s' and '%s': %s", b->what,
                   w->from->dim[w->from_dim], b->in[k]->dim[d], vv_describe_two(w->from, b->in[k], both));
}

vv_status vv_apply_by_name(vv_applying *b, int k, int d)
{
    int dim = vv_apply_find_dim(b, b->in[k]->dim[d]);
    if (dim < 0) VV_TRY(vv_apply_add_dim(b, b->in[k]->dim[d], b->in[k]->shape.n[d], &dim));
    return vv_apply_same_dim(b, k, d, dim);
}

/* Dimensions of all arrays, in the order in which they are met. */
static vv_status all_by_name(vv_applying *b)
{
    for (int k = 0; k < b->n; k++)
        for (int d = 0; d < b->in[k]->shape.nd; d++) VV_TRY(vv_apply_by_name(b, k, d));
    return VV_OK;
}

/* --- the result's dimensions --- */

static vv_status check_names(const vv_applying *b)
{
    for (int d = 0; d < b->user.result_nd; d++)
        for (int e = 0; e < d; e++)
            if (!strcmp(b->dim[d].name, b->dim[e].name))
                return vv_fail(VV_ERR_SHAPE, "%s: two dimensions of the result are called '%s'; vv_rename() one",
                               b->what, b->dim[d].name);
    return VV_OK;
}

vv_status vv_apply_arrange(vv_applying *b, const int order[], int n)
{
    vv_work_dim old[VV_MAX_DIMS];
    int place[VV_MAX_DIMS], behind = n;
    memcpy(old, b->dim, sizeof old);
    for (int d = 0; d < b->nd; d++) place[d] = -1;
    for (int i = 0; i < n; i++) {
        if (place[order[i]] >= 0)
            return vv_fail(VV_ERR_USAGE, "%s: dimension '%s' is named twice", b->what, old[order[i]].name);
        place[order[i]] = i;
    }
    for (int d = 0; d < b->nd; d++) {
        if (place[d] < 0) {
            place[d] = behind++;
            old[d].made = 1;
            if (old[d].n == 0)
                return vv_fail(VV_ERR_SHAPE, "%s: dimension '%s', which the result has not, has no elements", b->what,
                               old[d].name);
        }
        b->dim[place[d]] = old[d];
    }
    for (int k = 0; k < b->n; k++)
        for (int d = 0; d < b->user.in[k].nd; d++) {
            int w = place[b->user.in[k].dim[d]];
            bool repeated = b->in[k]->shape.n[d] == 1 && b->dim[w].n != 1;
            b->user.in[k].dim[d] = repeated ? -1 : w;
        }
    b->user.result_nd = n;
    return check_names(b);
}

vv_status vv_apply_result_dims(vv_applying *b, const char *dims)
{
    int order[VV_MAX_DIMS], n = 0;
    vv_item_text item;
    bool any;
    for (; !dims && n < b->nd; n++) order[n] = n;
    while (dims) {
        vv_index length = -1;
        VV_TRY(vv_next_item(&dims, &item, &any));
        if (!any) break;
        if (b->n == 0 && !strcmp(item.value, "0"))
            length = 0;
        else if (item.value[0])
            VV_TRY(vv_item_number(&item, &length));
        int d = vv_apply_find_dim(b, item.name);
        if (d < 0 && length < 0)
            return vv_fail(VV_ERR_USAGE, "%s: no array has the dimension '%s'; a new one has a length, '%s:5'", b->what,
                           item.name, item.name);
        if (d < 0) VV_TRY(vv_apply_add_dim(b, item.name, b->n > 0 ? 1 : length, &d));
        if (length >= 0 && length != b->dim[d].n) b->dim[d].made = length;
        if (n == VV_MAX_DIMS) return vv_fail(VV_ERR_USAGE, "%s: too many dimensions", b->what);
        order[n++] = d;
    }
    return vv_apply_arrange(b, order, n);
}

/* --- chunks --- */

/* "time:100,lat:-1": a number for each dimension that is named. */
static vv_status read_lengths(const vv_applying *b, const char *text, vv_index out[])
{
    vv_item_text item;
    bool any = true;
    while (text) {
        VV_TRY(vv_next_item(&text, &item, &any));
        if (!any) break;
        int d = vv_apply_find_dim(b, item.name);
        if (d < 0) return vv_fail(VV_ERR_USAGE, "%s: chunks of '%s', which no array has", b->what, item.name);
        if (!strcmp(item.value, "-1") || !strcmp(item.value, "all"))
            out[d] = VV_INDEX_MAX;
        else
            VV_TRY(vv_item_number(&item, &out[d]));
    }
    return VV_OK;
}

/* Along a dimension whose length changes: as many chunks as the function sees. */
static vv_status cut_result(vv_applying *b, int d, vv_index piece)
{
    vv_user *u = &b->user;
    vv_index length = b->dim[d].made, chunks = u->whole[d] ? 1 : vv_ceil_div(b->dim[d].n, u->chunk[d]);
    u->length[d] = length;
    u->piece[d] = piece ? vv_imin(piece, length) : vv_ceil_div(length, vv_imax(1, chunks));
    if (b->dim[d].n > 0 && vv_ceil_div(length, u->piece[d]) == chunks) return VV_OK;
    return vv_fail(VV_ERR_SHAPE,
                   "%s: %lld elements along '%s' in chunks of %lld are no %lld chunks, as many as the function sees",
                   b->what, (long long)length, b->dim[d].name, (long long)u->piece[d], (long long)chunks);
}

static vv_status cut(vv_applying *b)
{
    vv_user *u = &b->user;
    vv_index piece[VV_MAX_DIMS] = {0};
    VV_TRY(read_lengths(b, b->o.chunks, u->chunk));
    VV_TRY(read_lengths(b, b->o.results, piece));
    u->work.nd = b->nd;
    for (int d = 0; d < b->nd; d++) {
        u->work.n[d] = b->dim[d].n;
        u->chunk[d] = vv_imin(u->chunk[d], vv_imax(1, b->dim[d].n));
        bool gone = d >= u->result_nd;
        u->whole[d] = u->whole[d] || gone || (b->dim[d].made >= 0 && u->chunk[d] == 0);
        u->length[d] = -1;
        if (b->dim[d].made >= 0) VV_TRY(cut_result(b, d, piece[d]));
    }
    return VV_OK;
}

/* --- the node --- */

/* Those behind the result's have names that nobody has. */
static vv_status set_dims(const vv_applying *b, vv_array *a)
{
    for (int d = 0; d < b->nd; d++) {
        const vv_work_dim *w = &b->dim[d];
        char gone[32];
        snprintf(gone, sizeof gone, "(%d)", d);
        bool same = w->made < 0 && w->from && d < b->user.result_nd;
        VV_TRY(vv_node_set_dim(a, d, d < b->user.result_nd ? w->name : gone, w->made < 0 ? w->n : w->made));
        if (same) vv_coord_copy(&w->from->coord[w->from_dim], &a->coord[d]);
    }
    return VV_OK;
}

static vv_status fill(vv_applying *b, vv_array *a)
{
    char text[256];
    for (int k = 0; k < b->n; k++) {
        VV_TRY(vv_node_input(a, b->in[k]));
        if (!a->origin) a->origin = b->in[k]->origin;
    }
    b->user.name = text;
    vv_symbol_text(&b->user.symbol, b->user.function, text, sizeof text);
    a->dtype = b->user.type;
    vv_status status = vv_user_copy(&b->user, &a->user);
    b->user.name = NULL;
    VV_TRY(status);
    return set_dims(b, a);
}

static vv_array *without_gone(const vv_applying *b, vv_array *a)
{
    vv_buf gone = {0};
    if (a->status != VV_OK || b->user.result_nd == b->nd) return a;
    for (int d = b->user.result_nd; d < b->nd; d++) vv_buf_printf(&gone, gone.size ? ",(%d)" : "(%d)", d);
    vv_array *out = vv_buf_status(&gone) == VV_OK ? vv_squeeze(a, gone.data) : vv_node_inert(b->context);
    vv_buf_free(&gone);
    return vv_node_then(a, out);
}

vv_array *vv_apply_finish(vv_applying *b, vv_status status)
{
    if (status == VV_OK) status = cut(b);
    const char *name = b->o.name ? b->o.name : b->n > 0 ? b->in[0]->name : "function";
    vv_array *a = status == VV_OK ? vv_node_new(b->context, VV_NODE_USER, name) : vv_node_inert(b->context);
    if (a->status == VV_OK) a = vv_node_settle(b->context, a, fill(b, a));
    vv_symbol_free(&b->user.symbol);
    return without_gone(b, a);
}

/* --- elements, positions, chunks --- */

static vv_status begin_elements(vv_applying *b, vv_element_function *f, vv_array *const in[], int n,
                                const vv_apply_options *o)
{
    if (n < 1) return vv_fail(VV_ERR_USAGE, "%s: of no array", b->what);
    if (o && o->dims)
        return vv_fail(VV_ERR_USAGE, "%s: the result has the arrays' dimensions, not '%s'", b->what, o->dims);
    VV_TRY(vv_apply_begin(b, VV_USER_ELEMENTS, (vv_function *)f, in, n, o));
    VV_TRY(all_by_name(b));
    return vv_apply_result_dims(b, NULL);
}

vv_array *vv_node_user_map(vv_context *c, vv_element_function *f, vv_array *const in[], int n,
                           const vv_apply_options *o)
{
    vv_applying b = {.what = "vv_map", .context = c};
    return vv_apply_finish(&b, begin_elements(&b, f, in, n, o));
}

vv_array *vv_node_fromfunction(vv_context *c, vv_index_function *f, const char *dims, const char *chunks,
                               vv_dtype dtype, const void *data, vv_bytes data_size)
{
    vv_applying b = {.what = "vv_fromfunction", .context = c};
    const vv_apply_options o = {.dtype = dtype, .chunks = chunks, .data = data, .data_size = data_size};
    vv_status status = vv_apply_begin(&b, VV_USER_INDEX, (vv_function *)f, NULL, 0, &o);
    if (status == VV_OK) status = vv_apply_result_dims(&b, dims ? dims : "");
    return vv_apply_finish(&b, status);
}

/* A chunk for each rank, along a first dimension of its own. */
static vv_status begin_ranks(vv_applying *b, vv_block_function *f, int ranks, const char *dims,
                             const vv_apply_options *o)
{
    vv_buf all = {0};
    VV_TRY(vv_apply_begin(b, VV_USER_BLOCKS, (vv_function *)f, NULL, 0, o));
    vv_buf_printf(&all, "rank:%d,%s", ranks, dims ? dims : "");
    vv_status status = vv_buf_status(&all);
    if (status == VV_OK) status = vv_apply_result_dims(b, all.data);
    vv_buf_free(&all);
    VV_TRY(status);
    b->user.by_rank = true;
    b->user.chunk[0] = 1;
    for (int d = 1; d < b->nd; d++) b->user.chunk[d] = b->dim[d].n;
    return VV_OK;
}

vv_array *vv_node_from_ranks(vv_context *c, vv_block_function *f, int ranks, const char *dims, vv_dtype dtype,
                             const void *data, vv_bytes data_size)
{
    vv_applying b = {.what = "vv_from_ranks", .context = c};
    const vv_apply_options o = {.dtype = dtype, .data = data, .data_size = data_size};
    return vv_apply_finish(&b, begin_ranks(&b, f, ranks, dims, &o));
}

static vv_status begin_blocks(vv_applying *b, vv_block_function *f, vv_array *const in[], int n,
                              const vv_apply_options *o)
{
    VV_TRY(vv_apply_begin(b, VV_USER_BLOCKS, (vv_function *)f, in, n, o));
    if (n == 0 && !b->o.dims)
        return vv_fail(VV_ERR_USAGE, "%s: without arrays options.dims says what is made", b->what);
    VV_TRY(all_by_name(b));
    return vv_apply_result_dims(b, b->o.dims);
}

vv_array *vv_node_map_blocks(vv_context *c, vv_block_function *f, vv_array *const in[], int n,
                             const vv_apply_options *o)
{
    vv_applying b = {.what = "vv_map_blocks", .context = c};
    const vv_apply_options none = VV_APPLY_OPTIONS_INIT;
    vv_apply_options with = o ? *o : none;
    vv_pieces pieces;
    vv_buf chunks = {0};
    if (n > 0 && in[0]->pieces && vv_pieces_of_array(in[0], with.chunks, &chunks) == VV_OK) with.chunks = chunks.data;
    vv_array *out = vv_pieces_find(with.chunks, &pieces) ? vv_node_map_pieces(c, f, in, n, &with, &pieces)
                                                         : vv_apply_finish(&b, begin_blocks(&b, f, in, n, o));
    vv_buf_free(&chunks);
    return out;
}

/* --- letters --- */

static int letter_dim(const vv_applying *b, char letter)
{
    for (int d = 0; d < b->nd; d++)
        if (b->dim[d].letter == letter) return d;
    return -1;
}

/* One array's letters: *text moves behind them. */
static vv_status operand_letters(vv_applying *b, int k, const char **text)
{
    const vv_array *in = b->in[k];
    int d = 0;
    for (; isalpha((unsigned char)**text); ++*text, d++) {
        int dim = letter_dim(b, **text);
        if (d == in->shape.nd) break;
        if (dim < 0) VV_TRY(vv_apply_add_dim(b, in->dim[d], in->shape.n[d], &dim));
        b->dim[dim].letter = **text;
        VV_TRY(vv_apply_same_dim(b, k, d, dim));
        for (int e = 0; e < d; e++)
            if (b->user.in[k].dim[e] == dim)
                return vv_fail(VV_ERR_USAGE, "%s: '%c' twice for '%s'", b->what, **text, in->name);
    }
    if (d == in->shape.nd && !isalpha((unsigned char)**text)) return VV_OK;
    return vv_fail(VV_ERR_SHAPE, "%s: '%s' has %d dimensions, its letters are others", b->what, in->name, in->shape.nd);
}

/* A letter that no array has: options say its length. */
static vv_status new_letter(vv_applying *b, char letter, int *out)
{
    const char name[2] = {letter}, *text = b->o.dims;
    vv_item_text item;
    bool any = text != NULL;
    while (any) {
        VV_TRY(vv_next_item(&text, &item, &any));
        if (!any || strcmp(item.name, name) != 0) continue;
        VV_TRY(vv_apply_add_dim(b, name, 1, out));
        return vv_item_number(&item, &b->dim[*out].made);
    }
    return vv_fail(VV_ERR_USAGE, "%s: no array has '%c', and options.dims does not say its length", b->what, letter);
}

static vv_status result_letters(vv_applying *b, const char *text)
{
    int order[VV_MAX_DIMS], n = 0;
    for (; isalpha((unsigned char)*text) && n < VV_MAX_DIMS; text++, n++) {
        order[n] = letter_dim(b, *text);
        if (order[n] < 0) VV_TRY(new_letter(b, *text, &order[n]));
        b->dim[order[n]].letter = *text;
    }
    if (*text) return vv_fail(VV_ERR_USAGE, "%s: '%s' behind the result's letters", b->what, text);
    return vv_apply_arrange(b, order, n);
}

static vv_status begin_letters(vv_applying *b, vv_block_function *f, const char *letters, vv_array *const in[], int n,
                               const vv_apply_options *o)
{
    const char *at = letters;
    VV_TRY(vv_apply_begin(b, VV_USER_BLOCKS, (vv_function *)f, in, n, o));
    for (int k = 0; k < n; k++) {
        VV_TRY(operand_letters(b, k, &at));
        if (k + 1 < n && *at++ != ',')
            return vv_fail(VV_ERR_USAGE, "%s: '%s' is of fewer than %d arrays", b->what, letters, n);
    }
    if (strncmp(at, "->", 2) != 0)
        return vv_fail(VV_ERR_USAGE, "%s: '%s' has no -> behind the letters of %d arrays", b->what, letters, n);
    b->user.lists = b->o.lists;
    return result_letters(b, at + 2);
}

vv_array *vv_node_blockwise(vv_context *c, vv_block_function *f, const char *letters, vv_array *const in[], int n,
                            const vv_apply_options *o)
{
    vv_applying b = {.what = "vv_blockwise", .context = c};
    return vv_apply_finish(&b, begin_letters(&b, f, letters, in, n, o));
}

/* Calling a function of the user's for a chunk: what it gets is packed where it does not lie so already, what it makes is unpacked. */
#include "kernels/codec/decode.h"
#include "kernels/strided.h"
#include "kernels/user.h"

#include <string.h>

/* --- one call --- */

typedef struct call {
    const vv_user *u;
    const vv_user_blocks *b;
    char *free; /* what is left of the workspace */
    void *result;
    const void *in[VV_PROGRAM_INPUTS]; /* packed */
    char *tile;
} call;

static vv_bytes round64(vv_bytes n)
{
    return (n + 63) / 64 * 64;
}

static void *take(call *c, vv_bytes bytes)
{
    void *at = c->free;
    c->free += round64(bytes);
    return at;
}

enum { TILE_BYTES = VV_TILE * 16 };

static vv_status failed(const vv_user *u, int code)
{
    vv_failure e;
    vv_error_get(&e);
    if (e.code == code && code > 0 && code < VV_STATUS_COUNT) return vv_error_prefix("function '%s'", u->name);
    return vv_fail(VV_ERR_RUN, "function '%s' returned %d", u->name, code);
}

/* --- packing --- */

/* Elements of a working type, by strides, as packed ones of another type. */
static void pack(int nd, const vv_index n[], vv_dtype type, const void *from, const vv_index stride[], char *tile,
                 void *to)
{
    vv_dtype working = vv_working_type(type);
    vv_bytes size = vv_dtype_size(working), small = vv_dtype_size(type);
    vv_index packed[VV_MAX_DIMS], at[VV_MAX_DIMS] = {0}, all = 1, row = nd ? n[nd - 1] : 1;
    for (int d = nd - 1; d >= 0; all *= n[d--]) packed[d] = all;
    if (type == working) {
        vv_box_copy(nd, n, size, from, stride, to, packed);
        return;
    }
    const vv_encode encode = {.in = working, .to = type};
    char *next = to;
    do {
        vv_index first = 0, m;
        for (int d = 0; d < nd - 1; d++) first += at[d] * stride[d];
        for (vv_index i = 0; i < row; i += m, next += m * small) {
            m = vv_imin(VV_TILE, row - i);
            vv_tile_gather(size, m, (const char *)from + (first + i * (nd ? stride[nd - 1] : 0)) * size,
                           nd ? stride[nd - 1] : 0, tile);
            vv_encode_range(&encode, tile, m, next);
        }
    } while (nd > 1 && vv_odometer(nd - 1, n, at));
}

/* The other way round: all of a packed result. */
static void unpack(vv_dtype type, vv_index n, const void *from, void *to)
{
    vv_bytes size = vv_dtype_size(vv_working_type(type));
    const vv_decode decode = {.stored = type, .out = vv_working_type(type), .scale = 1};
    for (vv_index i = 0; i < n; i += VV_TILE)
        vv_decode_range(&decode, from, n, i, vv_imin(VV_TILE, n - i), (char *)to + i * size);
}

/* Whether an operand's box is what the function gets: no type to change, no order, nothing to repeat, cut off or take apart. */
static bool in_place(const vv_user *u, int k, const bool follows[])
{
    const vv_user_operand *o = &u->in[k];
    int last = -1;
    if (o->type != vv_working_type(o->type) || u->lists) return false;
    for (int d = 0; d < o->nd; d++) {
        int w = o->dim[d];
        if (w < 0) continue;
        if (w <= last || !follows[w] || u->open[w]) return false;
        for (int v = last + 1; v < w; v++)
            if (follows[v]) return false;
        last = w;
    }
    for (int v = last + 1; v < u->work.nd; v++)
        if (follows[v]) return false;
    return true;
}

/* --- chunks --- */

static vv_index modulo(vv_index a, vv_index n)
{
    return (a % n + n) % n;
}

vv_index vv_user_number(const vv_user *u, const vv_grid *work, int d, vv_index lo, vv_index *count)
{
    vv_index shift = modulo(work->shift[d] - u->origin[d], work->chunk[d]);
    *count = vv_ceil_div(u->work.n[d] + shift, work->chunk[d]);
    return (u->origin[d] + lo + shift) / work->chunk[d];
}

/* What an operand has along dimension w of the work: from *first of the whole work on, *n elements; *skipped of the box are cut off in front. */
static void span(const call *c, int w, vv_index *first, vv_index *n, vv_index *skipped)
{
    const vv_user *u = c->u;
    *first = u->origin[w] + c->b->box.lo[w] - u->before[w];
    *n = c->b->box.n[w] + u->before[w] + u->after[w];
    *skipped = 0;
    if (!u->open[w]) return;
    vv_index lo = vv_imax(0, *first), end = vv_imin(u->work.n[w], *first + *n);
    *skipped = lo - *first;
    *first = lo;
    *n = end - lo;
}

/* The box of an operand that a call wants: extents and strides in its own order; returns the offset of its first element. */
static vv_index operand_box(const call *c, int k, vv_index n[], vv_index stride[])
{
    const vv_user_operand *o = &c->u->in[k];
    vv_index offset = 0, first, skipped;
    for (int d = 0; d < o->nd; d++) {
        n[d] = 1;
        stride[d] = 0;
        if (o->dim[d] < 0) continue;
        span(c, o->dim[d], &first, &n[d], &skipped);
        stride[d] = c->b->stride[k][o->dim[d]];
        offset += skipped * stride[d];
    }
    return offset;
}

static vv_index product(int n, const vv_index of[])
{
    vv_index all = 1;
    for (int i = 0; i < n; i++) all = vv_times(all, of[i]);
    return all;
}

/* The operand's elements as the function gets them. */
static const void *packed_operand(call *c, int k, const bool follows[])
{
    const vv_user_operand *o = &c->u->in[k];
    vv_index n[VV_MAX_DIMS], stride[VV_MAX_DIMS], offset = operand_box(c, k, n, stride);
    if (in_place(c->u, k, follows)) return c->b->in[k];
    const char *from = (const char *)c->b->in[k] + offset * vv_dtype_size(vv_working_type(o->type));
    void *to = take(c, vv_times(product(o->nd, n), vv_dtype_size(o->type)));
    pack(o->nd, n, o->type, from, stride, c->tile, to);
    return to;
}

static void describe(const call *c, int k, vv_chunk *out)
{
    const vv_user *u = c->u;
    const vv_user_operand *o = &u->in[k];
    *out = (vv_chunk){.data = c->in[k], .dtype = o->type, .n_dims = o->nd};
    for (int d = 0; d < o->nd; d++) {
        int w = o->dim[d];
        vv_index skipped;
        out->length[d] = out->shape[d] = out->count[d] = 1;
        if (w < 0) continue;
        span(c, w, &out->first[d], &out->length[d], &skipped);
        out->number[d] = vv_user_number(u, &c->b->work, w, c->b->box.lo[w], &out->count[d]);
        out->shape[d] = u->work.n[w];
        out->before[d] = u->before[w] - skipped;
        out->after[d] = out->length[d] - c->b->box.n[w] - out->before[d];
    }
}

static void describe_result(const call *c, vv_chunk *out)
{
    const vv_user *u = c->u;
    *out = (vv_chunk){.data = c->result, .dtype = u->type, .n_dims = u->result_nd};
    for (int d = 0; d < u->result_nd; d++) {
        out->number[d] = vv_user_number(u, &c->b->work, d, c->b->box.lo[d], &out->count[d]);
        out->length[d] = c->b->out.n[d];
        out->shape[d] = vv_user_differs(u, d) ? u->length[d] : u->work.n[d];
        out->first[d] = vv_user_differs(u, d) ? out->number[d] * u->piece[d] : u->origin[d] + c->b->box.lo[d];
    }
}

/* --- lists --- */

static bool is_list(const vv_user *u, int w)
{
    return u->lists && w >= u->result_nd;
}

/* How an operand's contracted dimensions are cut, by its own dimensions: one chunk along the others. */
static void list_grid(const vv_user *u, int k, const vv_index n[], vv_grid *out)
{
    const vv_user_operand *o = &u->in[k];
    *out = (vv_grid){.shape.nd = o->nd};
    for (int d = 0; d < o->nd; d++) {
        int w = o->dim[d];
        bool list = w >= 0 && is_list(u, w);
        out->shape.n[d] = n[d];
        out->chunk[d] = list ? u->list[w] : vv_imax(1, n[d]);
        out->shift[d] = list ? u->list_shift[w] : 0;
    }
}

static vv_index list_parts(const vv_user *u, int k, const vv_index n[])
{
    vv_grid g;
    if (!u->lists) return 0;
    list_grid(u, k, n, &g);
    return vv_grid_chunks(&g);
}

static void take_apart(call *c, int k, vv_chunk *whole)
{
    const vv_user_operand *o = &c->u->in[k];
    vv_index n[VV_MAX_DIMS], stride[VV_MAX_DIMS], coords[VV_MAX_DIMS], offset = operand_box(c, k, n, stride);
    vv_grid g;
    vv_bytes size = vv_dtype_size(vv_working_type(o->type));
    list_grid(c->u, k, n, &g);
    vv_index parts = vv_grid_chunks(&g);
    vv_chunk *part = take(c, parts * (vv_bytes)sizeof *part);
    for (vv_index i = 0; i < parts; i++) {
        vv_box box;
        vv_index first = offset;
        vv_grid_box(&g, i, &box);
        vv_grid_coords(&g, i, coords);
        part[i] = *whole;
        for (int d = 0; d < o->nd; d++) {
            first += box.lo[d] * stride[d];
            part[i].length[d] = box.n[d];
            if (o->dim[d] < 0 || !is_list(c->u, o->dim[d])) continue;
            part[i].first[d] = box.lo[d];
            part[i].number[d] = coords[d];
            part[i].count[d] = vv_grid_count(&g, d);
        }
        void *to = take(c, vv_box_elements(&box) * vv_dtype_size(o->type));
        pack(o->nd, box.n, o->type, (const char *)c->b->in[k] + first * size, stride, c->tile, to);
        part[i].data = to;
    }
    whole->data = NULL;
    whole->n_parts = (int)parts;
    whole->part = part;
}

/* --- kinds --- */

static vv_status run_blocks(call *c)
{
    const vv_user *u = c->u;
    vv_chunk *in = take(c, u->n_in * (vv_bytes)sizeof *in), *out = take(c, (vv_bytes)sizeof *out);
    for (int k = 0; k < u->n_in; k++) {
        describe(c, k, &in[k]);
        if (u->lists) take_apart(c, k, &in[k]);
    }
    describe_result(c, out);
    const vv_block_task t = {.n_in = u->n_in,
                             .in = in,
                             .out = out,
                             .result = c->result,
                             .scratch = take(c, u->scratch),
                             .scratch_size = u->scratch,
                             .data = u->data,
                             .data_size = u->data_size,
                             .rank = vv_this_rank()};
    int code = ((vv_block_function *)u->function)(&t);
    return code ? failed(u, code) : VV_OK;
}

/* Elements of an operand from one position of a loop to the next; 0 where it has none of its own. */
static void loop_strides(const call *c, int k, vv_index step[])
{
    const vv_user_operand *o = &c->u->in[k];
    vv_index n[VV_MAX_DIMS], stride[VV_MAX_DIMS], all = 1;
    (void)operand_box(c, k, n, stride);
    memset(step, 0, sizeof *step * VV_MAX_DIMS);
    for (int d = o->nd - 1; d >= 0; all *= n[d--])
        if (o->dim[d] >= 0 && n[d] > 1) step[o->dim[d]] = all;
}

static vv_index core_elements(const call *c)
{
    vv_index n = 1;
    for (int w = c->u->loops; w < c->u->work.nd; w++) n *= c->b->box.n[w];
    return n;
}

/* At one position. */
static int call_at(const vv_user *u, const void *const in[], vv_index n, char *out, vv_index n_out,
                   const vv_index size[])
{
    void *results[VV_USER_RESULTS];
    if (u->kind == VV_USER_LANES) return ((vv_lane_function *)u->function)(in[0], n, out, n_out, u->data);
    if (u->kind == VV_USER_GUFUNC) return ((vv_gufunc_function *)u->function)(in, out, size, u->data);
    for (int r = 0; r < u->n_results; r++) results[r] = out + u->result_at[r];
    return ((vv_gufuncs_function *)u->function)(in, results, size, u->data);
}

static vv_status run_loops(call *c)
{
    const vv_user *u = c->u;
    vv_index step[VV_PROGRAM_INPUTS][VV_MAX_DIMS], at[VV_MAX_DIMS] = {0}, size[VV_MAX_DIMS];
    const void *in[VV_PROGRAM_INPUTS];
    vv_index n_out = product(u->work.nd - u->loops, c->b->out.n + u->loops), n = core_elements(c);
    char *out = c->result;
    for (int k = 0; k < u->n_in; k++) loop_strides(c, k, step[k]);
    for (int i = 0; i < u->n_sizes; i++) {
        int w = u->size_dim[i];
        size[i] = w < 0 ? u->size[i] : vv_user_differs(u, w) && w < u->result_nd ? u->length[w] : u->work.n[w];
    }
    do {
        for (int k = 0; k < u->n_in; k++) {
            vv_index first = 0;
            for (int d = 0; d < u->loops; d++) first += at[d] * step[k][d];
            in[k] = (const char *)c->in[k] + first * vv_dtype_size(u->in[k].type);
        }
        int code = call_at(u, in, n, out, n_out, size);
        if (code) return failed(u, code);
        out += n_out * vv_dtype_size(u->type);
    } while (vv_odometer(u->loops, c->b->box.n, at));
    return VV_OK;
}

static vv_status run_index(call *c)
{
    const vv_user *u = c->u;
    int nd = u->work.nd;
    const vv_box *box = &c->b->box;
    vv_index at[VV_MAX_DIMS] = {0}, position[VV_MAX_DIMS], row = nd ? box->n[nd - 1] : 1;
    char *out = c->result;
    do {
        for (int d = 0; d < nd; d++) position[d] = u->origin[d] + box->lo[d] + (d < nd - 1 ? at[d] : 0);
        int code = ((vv_index_function *)u->function)(position, row, out, u->data);
        if (code) return failed(u, code);
        out += row * vv_dtype_size(u->type);
    } while (nd > 1 && vv_odometer(nd - 1, box->n, at));
    return VV_OK;
}

/* --- elements --- */

/* Dimensions that all arrays walk as one are one: long rows are worth a call. Returns their number. */
static int join_dims(const call *c, vv_index n[], vv_index stride[][VV_MAX_DIMS])
{
    const vv_user_blocks *b = c->b;
    int nd = 0;
    for (int d = 0; d < b->box.nd; d++) {
        bool joins = nd > 0;
        for (int k = 0; k < c->u->n_in && joins; k++) joins = stride[k][nd - 1] == b->stride[k][d] * b->box.n[d];
        if (!joins) {
            n[nd] = 1;
            nd++;
        }
        n[nd - 1] *= b->box.n[d];
        for (int k = 0; k < c->u->n_in; k++) stride[k][nd - 1] = b->stride[k][d];
    }
    return nd;
}

/* m elements of an operand, packed and of its own type. */
static const void *element_tile(const call *c, int k, vv_index first, vv_index stride, vv_index m, char *room)
{
    vv_dtype type = c->u->in[k].type, working = vv_working_type(type);
    vv_bytes size = vv_dtype_size(working);
    const char *from = (const char *)c->b->in[k] + first * size;
    if (stride != 1 || type != working) {
        char *to = type == working ? room : c->tile;
        vv_tile_gather(size, m, from, stride, to);
        from = to;
    }
    if (type == working) return from;
    vv_encode_range(&(vv_encode){.in = working, .to = type}, from, m, room);
    return room;
}

static vv_status run_elements(call *c)
{
    const vv_user *u = c->u;
    vv_index n[VV_MAX_DIMS + 1] = {1}, stride[VV_PROGRAM_INPUTS][VV_MAX_DIMS] = {{0}}, at[VV_MAX_DIMS] = {0};
    const void *in[VV_PROGRAM_INPUTS];
    char *room = take(c, (vv_bytes)u->n_in * TILE_BYTES), *out = c->result;
    int nd = vv_imax(1, join_dims(c, n, stride));
    do {
        vv_index first[VV_PROGRAM_INPUTS] = {0}, m;
        for (int k = 0; k < u->n_in; k++)
            for (int d = 0; d < nd - 1; d++) first[k] += at[d] * stride[k][d];
        for (vv_index i = 0; i < n[nd - 1]; i += m, out += m * vv_dtype_size(u->type)) {
            m = vv_imin(VV_TILE, n[nd - 1] - i);
            for (int k = 0; k < u->n_in; k++) {
                vv_index step = stride[k][nd - 1];
                in[k] = element_tile(c, k, first[k] + i * step, step, m, room + (vv_bytes)k * TILE_BYTES);
            }
            int code = ((vv_element_function *)u->function)(m, in, out, u->data);
            if (code) return failed(u, code);
        }
    } while (vv_odometer(nd - 1, n, at));
    return VV_OK;
}

/* --- running --- */

static bool packs(const vv_user *u)
{
    return u->kind != VV_USER_ELEMENTS && u->kind != VV_USER_INDEX;
}

vv_bytes vv_user_workspace(const vv_user *u, const vv_index n[], const vv_index out[], const bool *const follows[])
{
    vv_bytes bytes = TILE_BYTES + round64(u->scratch) + 64;
    if (u->type != vv_working_type(u->type))
        bytes += round64(vv_times(product(u->work.nd, out), vv_dtype_size(u->type)));
    if (u->kind == VV_USER_ELEMENTS) return bytes + (vv_bytes)u->n_in * TILE_BYTES;
    bytes += round64((u->n_in + 1) * (vv_bytes)sizeof(vv_chunk)) + 64;
    for (int k = 0; k < u->n_in && packs(u); k++) {
        const vv_user_operand *o = &u->in[k];
        vv_index own[VV_MAX_DIMS];
        for (int d = 0; d < o->nd; d++)
            own[d] = o->dim[d] < 0 ? 1 : n[o->dim[d]] + u->before[o->dim[d]] + u->after[o->dim[d]];
        vv_index parts = list_parts(u, k, own);
        if (!in_place(u, k, follows[k])) bytes += round64(vv_times(product(o->nd, own), vv_dtype_size(o->type)));
        bytes += vv_times(parts + 1, (vv_bytes)sizeof(vv_chunk) + 64);
    }
    return bytes;
}

vv_status vv_user_run(const vv_user *u, const vv_user_blocks *b, void *workspace)
{
    call c = {.u = u, .b = b, .free = workspace, .result = b->result};
    vv_index n = vv_box_elements(&b->out);
    vv_status status;
    c.tile = take(&c, TILE_BYTES);
    if (u->type != vv_working_type(u->type)) c.result = take(&c, vv_times(n, vv_dtype_size(u->type)));
    memset(c.result, 0, (size_t)(n * vv_dtype_size(u->type)));
    for (int k = 0; k < u->n_in && packs(u) && !u->lists; k++) c.in[k] = packed_operand(&c, k, b->follows[k]);
    vv_error_clear();
    switch (u->kind) {
    case VV_USER_BLOCKS: status = run_blocks(&c); break;
    case VV_USER_ELEMENTS: status = run_elements(&c); break;
    case VV_USER_INDEX: status = run_index(&c); break;
    default: status = run_loops(&c);
    }
    if (status == VV_OK && c.result != b->result) unpack(u->type, n, c.result, b->result);
    return status;
}

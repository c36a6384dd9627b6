/* Chunks of any lengths: "time:31+28+31". Grids of plans are even, and results never depend on them; who sees where chunks begin are functions of chunks. So those are called piece by
 * piece: the arrays are sliced, each slice is one chunk along the dimension, and the results are joined. The function must not notice: in front of it stands one that says where
 * its piece lies in the whole. Several such dimensions are one within the other. */
#include "array/pieces.h"

#include "varve/move.h"

#include <stdlib.h>
#include <string.h>

/* --- lists of lengths --- */

bool vv_pieces_find(const char *chunks, vv_pieces *out)
{
    *out = (vv_pieces){.begin = chunks, .after = chunks};
    for (const char *at = chunks; at && *at; at += strspn(at, ", ")) {
        size_t n = strcspn(at, ", ");
        const char *colon = memchr(at, ':', n), *plus = memchr(at, '+', n);
        if (colon && plus && colon < plus) {
            *out = (vv_pieces){.begin = at, .name = (size_t)(colon - at), .lengths = colon + 1, .after = at + n};
            return true;
        }
        at += n;
    }
    return false;
}

vv_status vv_pieces_read(const vv_pieces *p, vv_index **length, vv_index *count, vv_index *sum)
{
    *count = *sum = 0;
    VV_TRY(vv_new(length, (size_t)(p->after - p->lengths) + 1, sizeof **length));
    for (const char *at = p->lengths; at < p->after; at++) {
        char *end;
        long long n = strtoll(at, &end, 10);
        if (end == at || n < 1 || n > VV_INDEX_MAX / 2 || (end < p->after && *end != '+') || end > p->after) {
            free(*length);
            *length = NULL;
            return vv_fail(VV_ERR_USAGE, "'%.*s' is no list of lengths, such as time:31+28+31",
                           (int)(p->after - p->begin), p->begin);
        }
        (*length)[(*count)++] = n;
        *sum = vv_plus(*sum, n);
        at = end;
    }
    return VV_OK;
}

/* --- the function in front --- */

/* Where a piece lies, and what is to be called; behind it the function's own data and the name of its module. */
typedef struct place {
    vv_index first, number, count, shape, made_first, made_shape;
    int in_dim[VV_PROGRAM_INPUTS], out_dim; /* which dimension of each array it is; -1: none */
    int n_id;
    unsigned char id[VV_SYMBOL_ID];
    uint64_t offset;
    vv_bytes data_size;
    _Alignas(16) unsigned char data[];
} place;

static void move_chunk(vv_chunk *c, int d, const place *p, vv_index first, vv_index shape)
{
    if (d < 0) return;
    c->first[d] += first;
    c->shape[d] = shape;
    c->number[d] = p->number;
    c->count[d] = p->count;
}

/* A vv_block_function. */
static int at_its_place(const vv_block_task *t)
{
    const place *p = t->data;
    vv_chunk in[VV_PROGRAM_INPUTS], out = *t->out;
    vv_block_task task = *t;
    vv_symbol symbol = {.module = (char *)(uintptr_t)(p->data + p->data_size), .n_id = p->n_id, .offset = p->offset};
    vv_function *f;
    memcpy(symbol.id, p->id, sizeof symbol.id);
    VV_TRY(vv_symbol_load(&symbol, &f));
    for (int k = 0; k < t->n_in; k++) {
        in[k] = t->in[k];
        move_chunk(&in[k], p->in_dim[k], p, p->first, p->shape);
    }
    move_chunk(&out, p->out_dim, p, p->made_first, p->made_shape);
    task.in = in;
    task.out = &out;
    task.data = p->data_size > 0 ? p->data : NULL;
    task.data_size = p->data_size;
    return ((vv_block_function *)f)(&task);
}

/* --- pieces --- */

typedef struct cutting {
    vv_context *context;
    vv_block_function *f;
    vv_array *const *in;
    int n;
    vv_apply_options o;
    char dim[256];
    vv_index count, *length, sum, made; /* made: elements of the result for each piece; -1: as many as it has */
    vv_buf chunks, before, behind;      /* the other chunks; what dims says before and behind this dimension's length */
    vv_buf results;
    vv_symbol symbol;
    char name[256]; /* of the function */
} cutting;

/* Items of a list, without those of the dimension. */
static vv_status others(const cutting *c, const char *list, vv_buf *out)
{
    vv_item_text item;
    bool any = list != NULL;
    while (any) {
        VV_TRY(vv_next_item(&list, &item, &any));
        if (any && strcmp(item.name, c->dim) != 0) vv_buf_printf(out, "%s:%s,", item.name, item.value);
    }
    return vv_buf_status(out);
}

/* How long the result is along the dimension, and how dims says it: "lat," and ",lon" around the length. */
static vv_status read_dims(cutting *c)
{
    const char *dims = c->o.dims;
    vv_item_text item;
    bool any = dims != NULL, found = dims == NULL;
    vv_index total = c->sum;
    c->made = -1;
    while (any) {
        VV_TRY(vv_next_item(&dims, &item, &any));
        if (!any) break;
        bool it = !strcmp(item.name, c->dim);
        vv_buf *to = found ? &c->behind : &c->before;
        if (!it) vv_buf_printf(to, item.value[0] ? "%s:%s," : "%s,", item.name, item.value);
        if (it && item.value[0]) VV_TRY(vv_item_number(&item, &total));
        found = found || it;
    }
    if (!found)
        return vv_fail(VV_ERR_USAGE, "vv_map_blocks: the result has no dimension '%s', of which chunks are said",
                       c->dim);
    if (total == c->sum && c->n > 0) return VV_OK;
    if (c->n > 0 && total % c->count)
        return vv_fail(VV_ERR_SHAPE, "vv_map_blocks: %lld elements along '%s' are not as many for each of %lld chunks",
                       (long long)total, c->dim, (long long)c->count);
    if (c->n > 0) c->made = total / c->count;
    return VV_OK;
}

static vv_status begin(cutting *c, const vv_pieces *p)
{
    enum { MOST = 4096 };
    VV_TRY(vv_pieces_read(p, &c->length, &c->count, &c->sum));
    if (p->name >= sizeof c->dim || c->count > MOST)
        return vv_fail(VV_ERR_USAGE, "vv_map_blocks: %lld chunks of different lengths; at most %d", (long long)c->count,
                       MOST);
    memcpy(c->dim, p->begin, p->name);
    for (int k = 0; k < c->n; k++) {
        int d = vv_node_dim(c->in[k], c->dim);
        if (d < 0 || c->in[k]->shape.n[d] == 1 || c->in[k]->shape.n[d] == c->sum) continue;
        return vv_fail(VV_ERR_SHAPE, "vv_map_blocks: chunks of %lld elements in all along '%s', of which '%s' has %lld",
                       (long long)c->sum, c->dim, c->in[k]->name, (long long)c->in[k]->shape.n[d]);
    }
    vv_buf_printf(&c->chunks, "%.*s%s:-1%s", (int)(p->begin - c->o.chunks), c->o.chunks, c->dim, p->after);
    VV_TRY(vv_buf_status(&c->chunks));
    VV_TRY(others(c, c->o.results, &c->results));
    VV_TRY(read_dims(c));
    VV_TRY(vv_symbol_find((vv_function *)c->f, &c->symbol));
    vv_symbol_text(&c->symbol, (vv_function *)c->f, c->name, sizeof c->name);
    return VV_OK;
}

static vv_status place_of(const cutting *c, vv_index piece, vv_index first, int out_dim, place **out, vv_bytes *bytes)
{
    const char *module = c->symbol.module ? c->symbol.module : "";
    *bytes = (vv_bytes)sizeof **out + c->o.data_size + (vv_bytes)strlen(module) + 1;
    VV_TRY(vv_new(out, 1, (size_t)*bytes));
    place *p = *out;
    bool same = c->made < 0;
    *p = (place){.first = first, .number = piece, .count = c->count, .shape = c->sum, .out_dim = out_dim};
    p->made_first = same ? first : piece * c->made;
    p->made_shape = same ? c->sum : c->count * c->made;
    for (int k = 0; k < c->n; k++) {
        p->in_dim[k] = vv_node_dim(c->in[k], c->dim);
        if (p->in_dim[k] >= 0 && c->in[k]->shape.n[p->in_dim[k]] != c->sum) p->in_dim[k] = -1;
    }
    p->n_id = c->symbol.n_id;
    memcpy(p->id, c->symbol.id, sizeof p->id);
    p->offset = c->symbol.offset;
    p->data_size = c->o.data_size;
    if (c->o.data_size > 0) memcpy(p->data, c->o.data, (size_t)c->o.data_size);
    strcpy((char *)p->data + p->data_size, module);
    return VV_OK;
}

/* Which dimension of the result it is. */
static int number_in_result(const cutting *c)
{
    int d = 0;
    if (c->o.dims) {
        for (size_t i = 0; i < c->before.size; i++) d += c->before.data[i] == ',';
        return d;
    }
    for (int k = 0; k < c->n; k++) /* as they are met */
        for (int own = 0; own < c->in[k]->shape.nd; own++) {
            bool met = false;
            if (!strcmp(c->in[k]->dim[own], c->dim)) return d;
            for (int before = 0; before < k; before++) met = met || vv_node_dim(c->in[before], c->in[k]->dim[own]) >= 0;
            d += !met;
        }
    return -1;
}

/* Messages name the user's function. */
static vv_status call_it(vv_array *a, const char *name)
{
    while (a->kind == VV_NODE_VIEW) a = a->input[0];
    if (a->kind != VV_NODE_USER) return VV_OK;
    free(a->user->name);
    a->user->name = NULL;
    return vv_strdup(&a->user->name, name);
}

static vv_array *made_of_piece(const cutting *c, vv_array *const in[], vv_index piece, vv_index first)
{
    vv_apply_options o = c->o;
    vv_buf dims = {0};
    place *p = NULL;
    vv_bytes bytes = 0;
    vv_index made = c->made < 0 ? c->length[piece] : c->made;
    if (o.dims)
        vv_buf_printf(&dims, "%s%s:%lld,%s", c->before.size ? c->before.data : "", c->dim, (long long)made,
                      c->behind.size ? c->behind.data : "");
    vv_status status = vv_buf_status(&dims);
    if (status == VV_OK) status = place_of(c, piece, first, number_in_result(c), &p, &bytes);
    o.dims = o.dims ? dims.data : NULL;
    o.chunks = c->chunks.data;
    o.results = c->results.size ? c->results.data : NULL;
    o.data = p;
    o.data_size = bytes;
    vv_array *out =
        status == VV_OK ? vv_node_map_blocks(c->context, at_its_place, in, c->n, &o) : vv_node_inert(c->context);
    if (out->status == VV_OK) out = vv_node_settle(c->context, out, call_it(out, c->name));
    vv_buf_free(&dims);
    free(p);
    return out;
}

static vv_array *sliced(const cutting *c, int k, vv_index first, vv_index n)
{
    int d = vv_node_dim(c->in[k], c->dim);
    if (d < 0 || c->in[k]->shape.n[d] != c->sum) return vv_node_again(c->in[k]);
    return vv_slice(c->in[k], c->dim, first, first + n, 1);
}

static vv_array *joined(const cutting *c)
{
    vv_array **made, *in[VV_PROGRAM_INPUTS];
    vv_index first = 0;
    if (vv_new(&made, (size_t)c->count, sizeof(vv_array *)) != VV_OK) return vv_node_inert(c->context);
    for (vv_index i = 0; i < c->count; first += c->length[i++]) {
        for (int k = 0; k < c->n; k++) in[k] = sliced(c, k, first, c->length[i]);
        made[i] = made_of_piece(c, in, i, first);
        for (int k = 0; k < c->n; k++) vv_release(&in[k]);
    }
    vv_array *out = vv_node_concat(c->context, made, (int)c->count, c->dim);
    for (vv_index i = 0; i < c->count; i++) vv_release(&made[i]);
    free(made);
    return out;
}

/* What was said when the first array was rechunked, of dimensions of which nothing is said now. */
vv_status vv_pieces_of_array(const vv_array *a, const char *chunks, vv_buf *out)
{
    vv_pieces p;
    vv_buf_text(out, chunks ? chunks : "");
    for (const char *at = a->pieces; at && vv_pieces_find(at, &p); at = p.after) {
        bool said = false, any = chunks != NULL;
        const char *rest = chunks;
        vv_item_text item;
        while (any) {
            VV_TRY(vv_next_item(&rest, &item, &any));
            said = said || (any && strlen(item.name) == p.name && !memcmp(item.name, p.begin, p.name));
        }
        if (!said) vv_buf_printf(out, ",%.*s", (int)(p.after - p.begin), p.begin);
    }
    return vv_buf_status(out);
}

vv_array *vv_node_map_pieces(vv_context *context, vv_block_function *f, vv_array *const in[], int n,
                             const vv_apply_options *o, const vv_pieces *p)
{
    cutting c = {.context = context, .f = f, .in = in, .n = n, .o = *o};
    vv_status status = n > VV_PROGRAM_INPUTS
                           ? vv_fail(VV_ERR_USAGE, "vv_map_blocks: %d arrays; at most %d at once", n, VV_PROGRAM_INPUTS)
                           : vv_nodes_usable(in, n);
    if (status == VV_OK) status = begin(&c, p);
    vv_array *out = status == VV_OK ? joined(&c) : vv_node_inert(context);
    vv_symbol_free(&c.symbol);
    vv_buf_free(&c.chunks);
    vv_buf_free(&c.before);
    vv_buf_free(&c.behind);
    vv_buf_free(&c.results);
    free(c.length);
    return out;
}

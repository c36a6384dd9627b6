/* Arrays that come from no file, and chunks of another shape. */
#include "array/build.h"
#include "array/pieces.h"

#include "varve/create.h"
#include "varve/move.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- chunks --- */

/* Chunks as somebody says them. */
typedef struct wish {
    vv_array *a;                 /* chunk[]: 0 where nothing is said */
    bool automatic[VV_MAX_DIMS]; /* as long as `most` allows */
    bool any;
    vv_bytes most; /* of a chunk; 0: not said */
} wish;

/* "auto", or so many bytes at most, "64MB". */
static bool is_automatic(wish *w, const char *text, vv_status *status)
{
    size_t n = strlen(text);
    vv_bytes most = 0;
    *status = VV_OK;
    if (strcmp(text, "auto") != 0) {
        if (n < 2 || text[0] < '0' || text[0] > '9' || (text[n - 1] >= '0' && text[n - 1] <= '9')) return false;
        *status = vv_bytes_parse(text, &most);
        w->most = w->most ? vv_imin(w->most, most) : most;
    }
    return w->any = true;
}

/* "auto" alone: whatever else is not named. */
static bool all_automatic(wish *w, const vv_item_text *item, vv_status *status)
{
    if (item->value[0] || vv_node_dim(w->a, item->name) >= 0 || !is_automatic(w, item->name, status)) return false;
    for (int d = 0; d < w->a->shape.nd; d++) w->automatic[d] = true;
    return true;
}

static vv_status read_wish(wish *w, const vv_item_text *item)
{
    int d;
    vv_index n;
    vv_status status;
    vv_array *a = w->a;
    if (all_automatic(w, item, &status)) return status;
    VV_TRY(vv_node_find_dim(a, item->name, &d));
    if (a->chunk[d]) return vv_fail(VV_ERR_USAGE, "dimension '%s' is named twice", item->name);
    if (is_automatic(w, item->value, &status)) {
        w->automatic[d] = true;
        return status;
    }
    if (!strcmp(item->value, "all") || !strcmp(item->value, "-1"))
        n = a->shape.n[d];
    else
        VV_TRY(vv_item_number(item, &n));
    a->chunk[d] = vv_imax(1, vv_imin(n, a->shape.n[d]));
    return VV_OK;
}

/* Automatic dimensions are cut in halves, the longest first, until chunks are small enough. */
static void cut_automatic(wish *w)
{
    enum { FITTING = 16 << 20 };
    vv_array *a = w->a;
    vv_index fixed = vv_dtype_size(a->dtype), known[VV_MAX_DIMS] = {0};
    if (a->n_inputs > 0) vv_node_known_chunks(a->input[0], known);
    for (int d = 0; d < a->shape.nd; d++) {
        w->automatic[d] = w->automatic[d] && a->chunk[d] == 0;
        vv_index n = vv_imax(1, a->shape.n[d]);
        if (w->automatic[d])
            a->chunk[d] = n;
        else
            fixed = vv_times(fixed, a->chunk[d] ? a->chunk[d] : known[d] ? known[d] : n);
    }
    for (;;) {
        vv_index bytes = fixed;
        int longest = -1;
        for (int d = 0; d < a->shape.nd; d++) {
            if (!w->automatic[d]) continue;
            bytes = vv_times(bytes, a->chunk[d]);
            if (longest < 0 || a->chunk[d] > a->chunk[longest]) longest = d;
        }
        if (longest < 0 || bytes <= (w->most ? w->most : FITTING) || a->chunk[longest] == 1) return;
        a->chunk[longest] = vv_ceil_div(a->chunk[longest], 2);
    }
}

/* "time:8760,lat:all,lon:auto" into chunk lengths by dimension; what is not named stays 0. */
static vv_status read_chunks(vv_array *a, const char *chunks)
{
    wish w = {.a = a};
    vv_item_text item;
    bool any;
    for (;;) {
        VV_TRY(vv_next_item(&chunks, &item, &any));
        if (!any) break;
        VV_TRY(read_wish(&w, &item));
    }
    if (w.any) cut_automatic(&w);
    return VV_OK;
}

/* Chunks of different lengths along a dimension: the longest is what plans go by. */
static vv_status read_pieces(vv_array *a, const vv_pieces *p)
{
    char name[256];
    vv_index *length, count, sum;
    int d;
    snprintf(name, sizeof name, "%.*s", (int)p->name, p->begin);
    VV_TRY(vv_node_find_dim(a, name, &d));
    VV_TRY(vv_pieces_read(p, &length, &count, &sum));
    bool again = a->chunk[d] > 0;
    for (vv_index i = 0; i < count; i++) a->chunk[d] = vv_imax(a->chunk[d], length[i]);
    free(length);
    if (again) return vv_fail(VV_ERR_USAGE, "dimension '%s' is named twice", name);
    if (sum == a->shape.n[d]) return VV_OK;
    return vv_fail(VV_ERR_SHAPE, "chunks of %lld elements in all along '%s', of which '%s' has %lld", (long long)sum,
                   name, a->name, (long long)a->shape.n[d]);
}

static vv_status read_rechunk(vv_array *a, const char *chunks)
{
    vv_buf even = {0}, pieces = {0};
    vv_pieces p;
    vv_status status = VV_OK;
    while (status == VV_OK && vv_pieces_find(chunks, &p)) {
        status = read_pieces(a, &p);
        vv_buf_printf(&even, "%.*s", (int)(p.begin - chunks), chunks);
        vv_buf_printf(&pieces, pieces.size ? ",%.*s" : "%.*s", (int)(p.after - p.begin), p.begin);
        chunks = p.after;
    }
    vv_buf_printf(&even, "%s", chunks);
    if (status == VV_OK) status = vv_buf_status(&even);
    if (status == VV_OK) status = vv_buf_status(&pieces);
    if (status == VV_OK) status = read_chunks(a, even.data ? even.data : "");
    if (status == VV_OK && pieces.size) status = vv_strdup(&a->pieces, pieces.data);
    vv_buf_free(&even);
    vv_buf_free(&pieces);
    return status;
}

vv_array *vv_rechunk(vv_array *in, const char *chunks)
{
    vv_array *a = vv_node_upon(in, VV_NODE_RECHUNK);
    if (a->status != VV_OK) return a;
    vv_status status = vv_node_like(a, in);
    if (status == VV_OK) status = read_rechunk(a, chunks);
    return vv_node_settle(in->context, a, status);
}

/* --- dimensions of something new --- */

vv_status vv_node_read_dims(vv_array *a, const char *dims)
{
    vv_item_text item;
    bool any;
    for (;;) {
        VV_TRY(vv_next_item(&dims, &item, &any));
        if (!any) break;
        vv_index n;
        if (!strcmp(item.value, "0"))
            n = 0;
        else
            VV_TRY(vv_item_number(&item, &n));
        if (vv_node_dim(a, item.name) >= 0) return vv_fail(VV_ERR_USAGE, "dimension '%s' is named twice", item.name);
        VV_TRY(vv_node_set_dim(a, a->shape.nd, item.name, n));
    }
    if (vv_shape_elements(&a->shape) == VV_INDEX_MAX)
        return vv_fail(VV_ERR_SHAPE, "an array of more than 2^63 elements");
    return VV_OK;
}

/* --- random numbers --- */

static vv_status find_random(const char *kind, int *out)
{
    const char *names[32];
    int n = vv_n_random_kinds < 32 ? vv_n_random_kinds : 32;
    *out = vv_random_find(kind);
    if (*out >= 0) return VV_OK;
    for (int i = 0; i < n; i++) names[i] = vv_random_kinds[i].name;
    const char *near = vv_nearest(kind, names, n);
    return vv_fail(VV_ERR_USAGE, "there are no random numbers '%s'%s%s%s", kind, near ? "; did you mean '" : "",
                   near ? near : "", near ? "'?" : "");
}

static vv_status check_type(const vv_random_kind *kind, vv_dtype dtype)
{
    if (vv_random_makes(vv_random_find(kind->name), dtype)) return VV_OK;
    return vv_fail(VV_ERR_TYPE, "random numbers '%s' are %s, not %s", kind->name, kind->real ? "f32 or f64" : "i64",
                   vv_dtype_name(dtype));
}

static vv_status fill_random(vv_array *a, const char *kind, const char *dims, const char *chunks, vv_dtype dtype)
{
    VV_TRY(find_random(kind, &a->random.kind));
    const vv_random_kind *k = &vv_random_kinds[a->random.kind];
    VV_TRY(check_type(k, dtype));
    a->dtype = dtype;
    if (isnan(a->random.a)) a->random.a = k->a;
    if (isnan(a->random.b)) a->random.b = k->b;
    if (!k->valid(a->random.a, a->random.b))
        return vv_fail(VV_ERR_USAGE, "random numbers '%s' (%s) cannot have a = %g, b = %g", k->name, k->help,
                       a->random.a, a->random.b);
    VV_TRY(vv_node_read_dims(a, dims));
    return chunks ? read_chunks(a, chunks) : VV_OK;
}

vv_array *vv_node_random(vv_context *c, const char *kind, double first, double second, const char *dims,
                         const char *chunks, uint64_t seed, vv_dtype dtype)
{
    vv_array *a = vv_node_new(c, VV_NODE_RANDOM, kind);
    if (a->status != VV_OK) return a;
    a->random = (vv_random){.seed = seed, .a = first, .b = second};
    return vv_node_settle(c, a, fill_random(a, kind, dims, chunks, dtype));
}

/* --- elements of a buffer --- */

static vv_status fill_given(vv_array *a, const char *dims, const char *chunks, vv_dtype dtype)
{
    if (vv_working_type(dtype) == VV_NONE) return vv_fail(VV_ERR_TYPE, "%s holds no numbers", vv_dtype_name(dtype));
    if (!a->given) return vv_fail(VV_ERR_USAGE, "no buffer");
    a->dtype = dtype;
    VV_TRY(vv_node_read_dims(a, dims));
    return chunks ? read_chunks(a, chunks) : VV_OK;
}

vv_array *vv_node_given(vv_context *c, const char *dims, const char *chunks, vv_dtype dtype, const void *buffer)
{
    vv_array *a = vv_node_new(c, VV_NODE_RANDOM, "buffer");
    if (a->status != VV_OK) return a;
    a->given = buffer;
    return vv_node_settle(c, a, fill_given(a, dims, chunks, dtype));
}

vv_array *vv_node_listed(vv_context *c, const char *dim, vv_index n, const void *x, vv_dtype in, vv_dtype dtype)
{
    const vv_encode as = {.in = in, .to = dtype};
    vv_buf dims = {0};
    vv_values *v;
    if (vv_values_new(n, &v) != VV_OK) return vv_node_inert(c);
    vv_encode_range(&as, x, n, v->at);
    vv_buf_printf(&dims, "%s:%lld", dim, (long long)n);
    vv_array *a = vv_buf_status(&dims) == VV_OK ? vv_node_given(c, dims.data, NULL, dtype, v->at) : vv_node_inert(c);
    vv_buf_free(&dims);
    if (a->status == VV_OK)
        a->given_values = v;
    else
        vv_values_free(&v);
    return a;
}

/* --- one value everywhere: a view of nothing, which is fill wherever one looks --- */

static vv_status set_value(vv_array *a, double value, vv_dtype dtype)
{
    if (vv_working_type(dtype) == VV_NONE) return vv_fail(VV_ERR_TYPE, "%s holds no numbers", vv_dtype_name(dtype));
    char element[16];
    a->dtype = dtype;
    a->fill = value;
    vv_dtype_store(dtype, element, value);
    if (vv_dtype_is_float(dtype) || vv_dtype_load(dtype, element) == value) return VV_OK;
    return vv_fail(VV_ERR_TYPE, "%g is no %s", value, vv_dtype_name(dtype));
}

vv_array *vv_node_full(vv_context *c, const char *dims, const char *chunks, double value, vv_dtype dtype)
{
    vv_array *a = vv_node_new(c, VV_NODE_VIEW, "full");
    if (a->status != VV_OK) return a;
    vv_status status = set_value(a, value, dtype);
    if (status == VV_OK) status = vv_node_read_dims(a, dims);
    a = vv_node_settle(c, a, status);
    if (!chunks || a->status != VV_OK) return a;
    vv_array *cut = vv_rechunk(a, chunks);
    vv_release(&a);
    return cut;
}

vv_array *vv_full_like(vv_array *in, double value)
{
    vv_context *c = in->context;
    if (in->status != VV_OK) return vv_node_inert(c);
    vv_array *a = vv_node_new(c, VV_NODE_VIEW, "full");
    if (a->status != VV_OK) return a;
    vv_status status = vv_node_like(a, in);
    if (status == VV_OK) status = set_value(a, value, in->dtype);
    a->origin = in->origin;
    return vv_node_settle(c, a, status);
}

const char *vv_random_name(int i)
{
    return i >= 0 && i < vv_n_random_kinds ? vv_random_kinds[i].name : NULL;
}

const char *vv_random_help(int i)
{
    return i >= 0 && i < vv_n_random_kinds ? vv_random_kinds[i].help : NULL;
}

#include "storage/dataset.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

const char *const vv_filter_names[VV_FILTERS] = {[VV_FILTER_SHUFFLE] = "shuffle",
                                                 [VV_FILTER_DEFLATE] = "deflate",
                                                 [VV_FILTER_FLETCHER32] = "fletcher32",
                                                 [VV_FILTER_ZSTD] = "zstd"};

void vv_variable_store_like(vv_variable *v, const vv_variable *like)
{
    v->layout = like->layout;
    memcpy(v->chunk, like->chunk, sizeof v->chunk);
    v->shuffle = like->shuffle;
    v->fletcher32 = like->fletcher32;
    v->deflate = like->deflate;
    v->zstd = like->zstd;
    v->n_filters = like->n_filters;
    memcpy(v->filter, like->filter, sizeof v->filter);
    memcpy(v->fill, like->fill, sizeof v->fill);
}

int vv_variable_filters(const vv_variable *v, unsigned char filter[])
{
    int n = 0;
    if (v->n_filters > 0) {
        memcpy(filter, v->filter, (size_t)v->n_filters);
        return v->n_filters;
    }
    if (v->shuffle) filter[n++] = VV_FILTER_SHUFFLE;
    if (v->deflate >= 0) filter[n++] = VV_FILTER_DEFLATE;
    if (v->zstd > 0) filter[n++] = VV_FILTER_ZSTD;
    if (v->fletcher32) filter[n++] = VV_FILTER_FLETCHER32;
    return n;
}

vv_bytes vv_variable_element(const vv_variable *v)
{
    return v->type == VV_NONE ? 1 : vv_dtype_size(v->type);
}

/* --- attributes --- */

static int attr_position(const vv_attrs *a, const char *name)
{
    for (int i = 0; i < a->n; i++)
        if (!strcmp(a->item[i].name, name)) return i;
    return -1;
}

const vv_attr *vv_attr_find(const vv_attrs *a, const char *name)
{
    int i = attr_position(a, name);
    return i < 0 ? NULL : &a->item[i];
}

static size_t attr_bytes(vv_dtype type, vv_index count)
{
    return (size_t)count * (type == VV_NONE ? 1 : (size_t)vv_dtype_size(type));
}

/* A new item at the end, named, without data. */
static vv_status attr_append(vv_attrs *a, const char *name, vv_attr **out)
{
    vv_attr *more = realloc(a->item, sizeof *more * (size_t)(a->n + 1));
    if (!more) return vv_fail(VV_ERR_NOMEM, "no memory for attribute %s", name);
    a->item = more;
    more[a->n] = (vv_attr){0};
    VV_TRY(vv_strdup(&more[a->n].name, name));
    *out = &more[a->n++];
    return VV_OK;
}

vv_status vv_attr_set(vv_attrs *a, const char *name, vv_dtype type, vv_index count, const void *data)
{
    size_t bytes = attr_bytes(type, count);
    void *copy;
    VV_TRY(vv_new(&copy, bytes + 1, 1)); /* the extra byte ends a text */
    if (bytes) memcpy(copy, data, bytes);
    int at = attr_position(a, name);
    vv_attr *item = at < 0 ? NULL : &a->item[at];
    vv_status status = item ? VV_OK : attr_append(a, name, &item);
    if (status != VV_OK) {
        free(copy);
        return status;
    }
    free(item->data);
    item->type = type;
    item->count = count;
    item->data = copy;
    return VV_OK;
}

vv_status vv_attr_set_text(vv_attrs *a, const char *name, const char *text)
{
    return vv_attr_set(a, name, VV_NONE, (vv_index)strlen(text), text);
}

void vv_attr_remove(vv_attrs *a, const char *name)
{
    int at = attr_position(a, name);
    if (at < 0) return;
    free(a->item[at].name);
    free(a->item[at].data);
    memmove(&a->item[at], &a->item[at + 1], sizeof a->item[0] * (size_t)(a->n - at - 1));
    a->n--;
}

vv_status vv_attrs_copy(vv_attrs *to, const vv_attrs *from)
{
    for (int i = 0; i < from->n; i++) {
        const vv_attr *x = &from->item[i];
        VV_TRY(vv_attr_set(to, x->name, x->type, x->count, x->data));
    }
    return VV_OK;
}

const char *vv_attr_text(const vv_attrs *a, const char *name)
{
    const vv_attr *x = vv_attr_find(a, name);
    return x && x->type == VV_NONE ? x->data : NULL;
}

bool vv_attr_number(const vv_attrs *a, const char *name, vv_index i, double *out)
{
    const vv_attr *x = vv_attr_find(a, name);
    if (!x || x->type == VV_NONE || i < 0 || i >= x->count) return false;
    *out = vv_dtype_load(x->type, (const char *)x->data + i * vv_dtype_size(x->type));
    return true;
}

void vv_attrs_free(vv_attrs *a)
{
    for (int i = 0; i < a->n; i++) {
        free(a->item[i].name);
        free(a->item[i].data);
    }
    free(a->item);
    *a = (vv_attrs){0};
}

/* --- the whole --- */

vv_status vv_meta_new(vv_meta **out)
{
    return vv_new(out, 1, sizeof **out);
}

static void var_free(vv_variable *v)
{
    free(v->name);
    free(v->type_text);
    free(v->why_not_fast);
    vv_attrs_free(&v->attrs);
}

void vv_meta_free(vv_meta **meta)
{
    vv_meta *m = *meta;
    if (!m) return;
    for (int i = 0; i < m->n_dims; i++) free(m->dim[i].name);
    for (int i = 0; i < m->n_vars; i++) var_free(&m->var[i]);
    vv_attrs_free(&m->attrs);
    free(m->dim);
    free(m->var);
    free(m->path);
    free(m->format);
    free(m);
    *meta = NULL;
}

vv_status vv_meta_add_dim(vv_meta *m, const char *name, vv_index length, bool unlimited, int *id)
{
    vv_dim *more = realloc(m->dim, sizeof *more * (size_t)(m->n_dims + 1));
    if (!more) return vv_fail(VV_ERR_NOMEM, "no memory for dimension %s", name);
    m->dim = more;
    vv_dim *d = &more[m->n_dims];
    *d = (vv_dim){.length = length, .unlimited = unlimited};
    VV_TRY(vv_strdup(&d->name, name));
    if (id) *id = m->n_dims;
    m->n_dims++;
    return VV_OK;
}

vv_status vv_meta_add_var(vv_meta *m, const char *name, vv_dtype type, vv_variable **out)
{
    vv_variable *more = realloc(m->var, sizeof *more * (size_t)(m->n_vars + 1));
    if (!more) return vv_fail(VV_ERR_NOMEM, "no memory for variable %s", name);
    m->var = more;
    vv_variable *v = &more[m->n_vars];
    *v = (vv_variable){.type = type, .layout = VV_LAYOUT_CONTIGUOUS, .deflate = -1};
    VV_TRY(vv_strdup(&v->name, name));
    vv_status status = vv_strdup(&v->type_text, vv_dtype_name(type));
    if (status != VV_OK) {
        var_free(v);
        return status;
    }
    m->n_vars++;
    *out = v;
    return VV_OK;
}

int vv_meta_find_var(const vv_meta *m, const char *name)
{
    for (int i = 0; i < m->n_vars; i++)
        if (!strcmp(m->var[i].name, name)) return i;
    return -1;
}

int vv_meta_find_dim(const vv_meta *m, const char *name)
{
    for (int i = 0; i < m->n_dims; i++)
        if (!strcmp(m->dim[i].name, name)) return i;
    return -1;
}

bool vv_meta_is_coordinate(const vv_meta *m, int var)
{
    const vv_variable *v = &m->var[var];
    return v->shape.nd == 1 && !strcmp(v->name, m->dim[v->dim[0]].name);
}

/* --- packed form --- */

static void pack_attrs(const vv_attrs *a, vv_buf *out)
{
    vv_buf_put_i64(out, a->n);
    for (int i = 0; i < a->n; i++) {
        const vv_attr *x = &a->item[i];
        vv_buf_put_string(out, x->name);
        vv_buf_put_i64(out, x->type);
        vv_buf_put_i64(out, x->count);
        vv_buf_bytes(out, x->data, attr_bytes(x->type, x->count));
    }
}

static bool known_type(vv_dtype type)
{
    return type >= VV_NONE && type < VV_DTYPE_COUNT;
}

static vv_status unpack_attrs(vv_attrs *a, vv_reader *in)
{
    int64_t n = vv_read_i64(in);
    for (int64_t i = 0; i < n && !in->failed; i++) {
        const char *name = vv_read_string(in);
        vv_dtype type = (vv_dtype)vv_read_i64(in);
        vv_index count = vv_read_i64(in);
        if (count < 0 || (size_t)count > in->size || !known_type(type)) in->failed = true;
        const void *data = in->failed ? NULL : vv_read_bytes(in, attr_bytes(type, count));
        if (!in->failed) VV_TRY(vv_attr_set(a, name, type, count, data));
    }
    return VV_OK;
}

void vv_default_fill(vv_dtype type, void *element)
{
    static const int64_t fill_i64 = -9223372036854775806;
    static const uint64_t fill_u64 = 18446744073709551614u;
    static const double fill[VV_DTYPE_COUNT] = {
        [VV_I8] = -127,   [VV_I16] = -32767,      [VV_I32] = -2147483647., [VV_U8] = 255,
        [VV_U16] = 65535, [VV_U32] = 4294967295., [VV_F32] = 0x1.ep+122,   [VV_F64] = 0x1.ep+122};
    if (type == VV_I64)
        memcpy(element, &fill_i64, sizeof fill_i64);
    else if (type == VV_U64)
        memcpy(element, &fill_u64, sizeof fill_u64);
    else if (type == VV_BOOL)
        *(int8_t *)element = -127;
    else
        vv_dtype_store(type, element, fill[type]);
}

/* Everything of a variable that is a number, in one order for both directions. */
enum { VAR_NUMBERS = 13 };

static void pack_var(const vv_variable *v, vv_buf *out)
{
    const int64_t number[VAR_NUMBERS] = {v->type,       v->swapped, v->shape.nd,
                                         v->layout,     v->shuffle, v->deflate,
                                         v->fletcher32, v->fast,    v->why_not_fast != NULL,
                                         v->stored,     v->zstd,    v->n_filters,
                                         v->pitch};
    vv_buf_put_string(out, v->name);
    vv_buf_put_string(out, v->type_text);
    vv_buf_bytes(out, number, sizeof number);
    for (int d = 0; d < v->shape.nd; d++) {
        vv_buf_put_i64(out, v->shape.n[d]);
        vv_buf_put_i64(out, v->dim[d]);
        vv_buf_put_i64(out, v->chunk[d]);
        vv_buf_put_i64(out, v->absent[d]);
    }
    vv_buf_bytes(out, v->filter, sizeof v->filter);
    vv_buf_bytes(out, v->fill, sizeof v->fill);
    if (v->why_not_fast) vv_buf_put_string(out, v->why_not_fast);
    pack_attrs(&v->attrs, out);
}

static void unpack_numbers(vv_variable *v, vv_reader *in, bool *why)
{
    int64_t number[VAR_NUMBERS];
    for (int i = 0; i < VAR_NUMBERS; i++) number[i] = vv_read_i64(in);
    v->type = (vv_dtype)number[0];
    v->swapped = number[1];
    v->shape.nd = (int)number[2];
    v->layout = (vv_layout)number[3];
    v->shuffle = number[4];
    v->deflate = (int)number[5];
    v->fletcher32 = number[6];
    v->fast = number[7];
    *why = number[8];
    v->stored = number[9];
    v->zstd = (int)number[10];
    v->n_filters = (int)number[11];
    v->pitch = number[12];
    if (v->shape.nd < 0 || v->shape.nd > VV_MAX_DIMS || v->n_filters < 0 || v->n_filters > VV_MAX_FILTERS)
        in->failed = true;
    if (!known_type(v->type) || v->layout < VV_LAYOUT_CONTIGUOUS || v->layout > VV_LAYOUT_OTHER) in->failed = true;
    if (in->failed) v->shape.nd = 0;
}

/* What others index with and divide by. */
static bool plausible(const vv_meta *m, const vv_variable *v, int d)
{
    return v->dim[d] >= 0 && v->dim[d] < m->n_dims && v->shape.n[d] >= 0 &&
           (v->layout != VV_LAYOUT_CHUNKED || v->chunk[d] > 0);
}

static vv_status unpack_var(vv_meta *m, vv_reader *in)
{
    const char *name = vv_read_string(in);
    const char *type_text = vv_read_string(in);
    bool why;
    vv_variable *v;
    VV_TRY(vv_meta_add_var(m, name, VV_NONE, &v));
    free(v->type_text);
    VV_TRY(vv_strdup(&v->type_text, type_text));
    unpack_numbers(v, in, &why);
    for (int d = 0; d < v->shape.nd; d++) {
        v->shape.n[d] = vv_read_i64(in);
        v->dim[d] = (int)vv_read_i64(in);
        v->chunk[d] = vv_read_i64(in);
        v->absent[d] = vv_read_i64(in);
        if (!plausible(m, v, d)) in->failed = true;
    }
    const void *filter = vv_read_bytes(in, sizeof v->filter);
    if (filter) memcpy(v->filter, filter, sizeof v->filter);
    const void *fill = vv_read_bytes(in, sizeof v->fill);
    if (fill) memcpy(v->fill, fill, sizeof v->fill);
    if (why) VV_TRY(vv_strdup(&v->why_not_fast, vv_read_string(in)));
    return unpack_attrs(&v->attrs, in);
}

void vv_meta_pack(const vv_meta *m, vv_buf *out)
{
    vv_buf_put_string(out, m->path ? m->path : "");
    vv_buf_put_string(out, m->format ? m->format : "");
    vv_buf_put_i64(out, m->n_dims);
    for (int i = 0; i < m->n_dims; i++) {
        vv_buf_put_string(out, m->dim[i].name);
        vv_buf_put_i64(out, m->dim[i].length);
        vv_buf_put_i64(out, m->dim[i].unlimited);
    }
    vv_buf_put_i64(out, m->n_vars);
    for (int i = 0; i < m->n_vars; i++) pack_var(&m->var[i], out);
    pack_attrs(&m->attrs, out);
}

static vv_status unpack_into(vv_meta *m, vv_reader *in)
{
    VV_TRY(vv_strdup(&m->path, vv_read_string(in)));
    VV_TRY(vv_strdup(&m->format, vv_read_string(in)));
    int64_t n = vv_read_i64(in);
    for (int64_t i = 0; i < n && !in->failed; i++) {
        const char *name = vv_read_string(in);
        vv_index length = vv_read_i64(in);
        VV_TRY(vv_meta_add_dim(m, name, length, vv_read_i64(in) != 0, NULL));
    }
    n = vv_read_i64(in);
    for (int64_t i = 0; i < n && !in->failed; i++) VV_TRY(unpack_var(m, in));
    VV_TRY(unpack_attrs(&m->attrs, in));
    return in->failed ? vv_fail(VV_ERR_INTERNAL, "packed metadata ends too early") : VV_OK;
}

vv_status vv_meta_unpack(vv_meta **out, vv_reader *in)
{
    VV_TRY(vv_meta_new(out));
    vv_status status = unpack_into(*out, in);
    if (status != VV_OK) vv_meta_free(out);
    return status;
}

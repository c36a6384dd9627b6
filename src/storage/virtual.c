/* Data without a file: every element follows from its position. For tests and benchmarks, of planning above all: a variable of
 * a million chunks costs nothing.
 *
 *     virtual:t2m?shape=time:2920,lat:361,lon:720&chunk=24,181,360&dtype=f32
 *
 * The name of the variable comes first, then KEY=VALUE joined by '&':
 *     shape=DIM:LENGTH,...   required; `shape=` alone makes a scalar
 *     chunk=N,...            chunk shape; without it the layout is contiguous
 *     dtype=NAME             element type, f32 unless given
 *     value=hash|index       hash (unless given): reals in [0, 1), integers and bools over their whole range, the same on every machine;
 *                            index: the linear row-major number of the element, converted to the type
 *     seed=N                 another set of hashed values
 *     hours=H                step of the coordinate of a dimension named time, 6 unless given
 * Each dimension has a coordinate variable (f64: 0, 1, 2, ...); a dimension named time has H-hourly CF times since 1990-01-01.
 *
 * A hashed element: h = splitmix64(seed * 0x9e3779b97f4a7c15 + linear number); a real is (h >> 40) / 2^24, exact in f32; complex numbers
 * take that for both parts; an integer is the lowest bits of h. Nothing is `fast`: there are no stored bytes. */
#include "base/mem.h"
#include "storage/formats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char scheme[] = "virtual:";

typedef struct source {
    bool index; /* value=index */
    uint64_t seed;
    double hours;
} source;

static bool probe(const char *path, const unsigned char *head, size_t n)
{
    (void)head;
    return n == 0 && vv_path_is_computed(path);
}

bool vv_path_is_computed(const char *path)
{
    return !strncmp(path, scheme, sizeof scheme - 1);
}

/* --- the path --- */

static vv_status read_count(const char *text, const char *what, vv_index *out)
{
    char *end;
    long long v = strtoll(text, &end, 10);
    if (end == text || *end || v < 0 || v > VV_INDEX_MAX / 2)
        return vv_fail(VV_ERR_USAGE, "%s '%s' is not a length", what, text);
    *out = v;
    return VV_OK;
}

static vv_status set_shape(vv_meta *m, source *s, char *text)
{
    (void)s;
    vv_variable *v = &m->var[0];
    char *rest = text, *item;
    if (!*text) return VV_OK;
    while ((item = strsep(&rest, ","))) {
        char *length = strchr(item, ':');
        if (!length || length == item) return vv_fail(VV_ERR_USAGE, "'%s' in shape is not DIM:LENGTH", item);
        *length++ = 0;
        if (v->shape.nd == VV_MAX_DIMS) return vv_fail(VV_ERR_USAGE, "more than %d dimensions", VV_MAX_DIMS);
        if (vv_meta_find_dim(m, item) >= 0) return vv_fail(VV_ERR_USAGE, "dimension %s stands twice in shape", item);
        int d = v->shape.nd++;
        VV_TRY(read_count(length, item, &v->shape.n[d]));
        VV_TRY(vv_meta_add_dim(m, item, v->shape.n[d], false, &v->dim[d]));
    }
    return VV_OK;
}

static vv_status set_chunk(vv_meta *m, source *s, char *text)
{
    (void)s;
    vv_variable *v = &m->var[0];
    char *rest = text, *item;
    int d = 0;
    while ((item = strsep(&rest, ","))) {
        if (d == VV_MAX_DIMS) return vv_fail(VV_ERR_USAGE, "more than %d dimensions", VV_MAX_DIMS);
        VV_TRY(read_count(item, "chunk", &v->chunk[d]));
        if (v->chunk[d] == 0) return vv_fail(VV_ERR_USAGE, "chunk lengths must be at least 1");
        d++;
    }
    v->layout = VV_LAYOUT_CHUNKED;
    v->stored = d; /* until the end of the path, where the number of lengths is compared with the shape */
    return VV_OK;
}

static vv_status set_dtype(vv_meta *m, source *s, char *text)
{
    (void)s;
    vv_variable *v = &m->var[0];
    v->type = vv_dtype_parse(text);
    if (v->type == VV_NONE) return vv_fail(VV_ERR_USAGE, "'%s' is not an element type", text);
    free(v->type_text);
    v->type_text = NULL;
    return vv_strdup(&v->type_text, text);
}

static vv_status set_value(vv_meta *m, source *s, char *text)
{
    (void)m;
    s->index = !strcmp(text, "index");
    return s->index || !strcmp(text, "hash") ? VV_OK : vv_fail(VV_ERR_USAGE, "value '%s': write hash or index", text);
}

static vv_status set_seed(vv_meta *m, source *s, char *text)
{
    (void)m;
    char *end;
    s->seed = strtoull(text, &end, 10);
    return end != text && !*end ? VV_OK : vv_fail(VV_ERR_USAGE, "seed '%s' is not a number", text);
}

static vv_status set_hours(vv_meta *m, source *s, char *text)
{
    (void)m;
    char *end;
    s->hours = strtod(text, &end);
    return end != text && !*end && s->hours > 0 && isfinite(s->hours)
               ? VV_OK
               : vv_fail(VV_ERR_USAGE, "hours '%s' is not a positive number", text);
}

static const struct {
    const char *name;
    vv_status (*set)(vv_meta *m, source *s, char *value);
} key[] = {{"shape", set_shape}, {"chunk", set_chunk}, {"dtype", set_dtype},
           {"value", set_value}, {"seed", set_seed},   {"hours", set_hours}};
enum { N_KEYS = sizeof key / sizeof *key };

static vv_status set_key(vv_meta *m, source *s, char *item, unsigned *seen)
{
    char *value = strchr(item, '=');
    if (!value) return vv_fail(VV_ERR_USAGE, "'%s' is not KEY=VALUE", item);
    *value++ = 0;
    for (unsigned i = 0; i < N_KEYS; i++) {
        if (strcmp(key[i].name, item)) continue;
        if (*seen & 1u << i) return vv_fail(VV_ERR_USAGE, "%s stands twice", item);
        *seen |= 1u << i;
        return key[i].set(m, s, value);
    }
    const char *name[N_KEYS];
    for (int i = 0; i < N_KEYS; i++) name[i] = key[i].name;
    const char *near = vv_nearest(item, name, N_KEYS);
    return vv_fail(VV_ERR_USAGE, "no key '%s'%s%s%s", item, near ? "; is it " : "", near ? near : "", near ? "?" : "");
}

static vv_status check(const vv_meta *m, unsigned seen)
{
    const vv_variable *v = &m->var[0];
    if (!(seen & 1u)) return vv_fail(VV_ERR_USAGE, "shape=DIM:LENGTH,... is missing");
    if (v->layout == VV_LAYOUT_CHUNKED && v->stored != v->shape.nd)
        return vv_fail(VV_ERR_USAGE, "chunk has %lld lengths, shape has %d", (long long)v->stored, v->shape.nd);
    if (vv_shape_elements(&v->shape) > VV_INDEX_MAX / 16) return vv_fail(VV_ERR_USAGE, "shape has too many elements");
    return VV_OK;
}

static vv_status parse(vv_meta *m, source *s, char *text)
{
    unsigned seen = 0;
    char *rest = strchr(text, '?'), *item;
    if (rest) *rest++ = 0;
    if (!*text) return vv_fail(VV_ERR_USAGE, "the name of the variable is missing");
    vv_variable *v;
    VV_TRY(vv_meta_add_var(m, text, VV_F32, &v));
    while ((item = strsep(&rest, "&"))) VV_TRY(set_key(m, s, item, &seen));
    VV_TRY(check(m, seen));
    v = &m->var[0];
    v->stored = vv_times(vv_shape_elements(&v->shape), vv_dtype_size(v->type));
    return vv_strdup(&v->why_not_fast, "computed, not stored");
}

/* --- coordinates --- */

static vv_status add_coordinate(vv_meta *m, int dim)
{
    vv_variable *v;
    VV_TRY(vv_meta_add_var(m, m->dim[dim].name, VV_F64, &v));
    v->shape = (vv_shape){.nd = 1, .n = {m->dim[dim].length}};
    v->dim[0] = dim;
    v->stored = m->dim[dim].length * 8;
    VV_TRY(vv_strdup(&v->why_not_fast, "computed, not stored"));
    if (strcmp(v->name, "time")) return VV_OK;
    VV_TRY(vv_attr_set_text(&v->attrs, "units", "hours since 1990-01-01 00:00:00"));
    return vv_attr_set_text(&v->attrs, "calendar", "standard");
}

static vv_status fill_meta(vv_file *f, source *s)
{
    char *text;
    VV_TRY(vv_strdup(&f->meta->path, f->path));
    VV_TRY(vv_strdup(&f->meta->format, "virtual"));
    VV_TRY(vv_strdup(&text, f->path + sizeof scheme - 1));
    vv_status status = parse(f->meta, s, text);
    free(text);
    VV_TRY(status);
    for (int d = 0; d < f->meta->n_dims; d++)
        if (vv_meta_find_var(f->meta, f->meta->dim[d].name) < 0) VV_TRY(add_coordinate(f->meta, d));
    return VV_OK;
}

static vv_status open_file(vv_file *f)
{
    source *s;
    VV_TRY(vv_new(&s, 1, sizeof *s));
    s->hours = 6;
    f->handle = s;
    VV_TRY(vv_meta_new(&f->meta));
    return fill_meta(f, s) == VV_OK ? VV_OK : vv_error_prefix("%s", f->path);
}

static void close_file(vv_file *f)
{
    free(f->handle);
    f->handle = NULL;
}

/* --- values --- */

static uint64_t splitmix64(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static void hashed(vv_dtype type, uint64_t h, void *out)
{
    double real = (double)(h >> 40) / 0x1p24;
    switch (vv_dtype_kind(type)) {
    case 'f': vv_dtype_store(type, out, real); break;
    case 'c':
        if (type == VV_C64) memcpy(out, &(vv_c64){(float)real, (float)real}, sizeof(vv_c64));
        if (type == VV_C128) memcpy(out, &(vv_c128){real, real}, sizeof(vv_c128));
        break;
    case 'b': *(uint8_t *)out = h & 1; break;
    default: /* the lowest bits, in the host's order */
        switch (vv_dtype_size(type)) {
        case 1: memcpy(out, &(uint8_t){(uint8_t)h}, 1); break;
        case 2: memcpy(out, &(uint16_t){(uint16_t)h}, 2); break;
        case 4: memcpy(out, &(uint32_t){(uint32_t)h}, 4); break;
        default: memcpy(out, &h, 8); break;
        }
    }
}

static void element(const vv_file *f, int var, vv_index linear, void *out)
{
    const source *s = f->handle;
    const vv_variable *v = &f->meta->var[var];
    if (var > 0)
        vv_dtype_store(VV_F64, out, strcmp(v->name, "time") ? (double)linear : (double)linear * s->hours);
    else if (s->index)
        vv_dtype_store(v->type, out, (double)linear);
    else
        hashed(v->type, splitmix64(s->seed * 0x9e3779b97f4a7c15u + (uint64_t)linear), out);
}

static vv_status read_box(vv_file *f, int var, const vv_box *box, void *out)
{
    const vv_variable *v = &f->meta->var[var];
    vv_index at[VV_MAX_DIMS] = {0};
    char *p = out;
    if (vv_box_elements(box) == 0) return VV_OK;
    do {
        vv_index linear = 0;
        for (int d = 0; d < box->nd; d++) linear = linear * v->shape.n[d] + box->lo[d] + at[d];
        element(f, var, linear, p);
        p += vv_dtype_size(v->type);
    } while (vv_odometer(box->nd, box->n, at));
    return VV_OK;
}

static vv_status offset(vv_file *f, int var, vv_bytes *address)
{
    (void)address;
    return vv_fail(VV_ERR_INTERNAL, "%s: %s is computed and has no address", f->path, f->meta->var[var].name);
}

static vv_status no_index(vv_file *f, int var, vv_index n, const vv_index *chunks, vv_chunk_at *out)
{
    (void)n;
    (void)chunks;
    (void)out;
    return vv_fail(VV_ERR_INTERNAL, "%s: %s is computed and has no chunk index", f->path, f->meta->var[var].name);
}

const vv_format vv_format_virtual = {
    .name = "virtual",
    .help = "computed data: virtual:VAR?shape=DIM:LENGTH,...&chunk=N,...&dtype=NAME&value=hash|index&seed=N&hours=H",
    .probe = probe,
    .open = open_file,
    .close = close_file,
    .offset = offset,
    .index = no_index,
    .read = read_box,
    .concurrent = true,
};

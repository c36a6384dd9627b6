/* The header of classic NetCDF files (CDF-1, CDF-2 and CDF-5), by the format's specification:
 *
 *     "CDF" version, number of records, list of dimensions, list of global attributes, list of variables
 *
 * All numbers are big-endian. Lengths are 4 bytes, in CDF-5 8; positions are 4 bytes, in CDF-2 and CDF-5 8. Names and values are padded to 4 bytes.
 * Variables without the unlimited dimension lie in one piece. Those with it are interleaved, record by record, each padded to 4 bytes; where
 * only one variable has records, they are not padded.
 *
 * Nothing in a header is believed: every length is compared with what is left of the file before memory is taken for it, sums saturate. The size of
 * a variable that the header repeats is not used: it overflows in large files by design. */
#include "storage/classic/classic.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { TAG_DIMENSIONS = 10, TAG_VARIABLES = 11, TAG_ATTRIBUTES = 12, BLOCK = 64 * 1024, LONGEST_NAME = 64 * 1024 };

typedef struct header {
    const vv_raw_file *raw;
    vv_bytes at;                /* of the next byte */
    vv_bytes block_at, block_n; /* what is in memory */
    unsigned char *block, version;
    int unlimited;  /* its dimension; -1: none */
    bool streaming; /* the number of records was not known when the file was begun */
} header;

/* --- bytes and numbers --- */

static vv_status truncated(const header *h)
{
    return vv_fail(VV_ERR_FORMAT, "the file is truncated: it ends at %lld, inside its header", (long long)h->raw->size);
}

static vv_status damaged(const header *h, const char *what)
{
    return vv_fail(VV_ERR_FORMAT, "the classic NetCDF header is damaged at position %lld: %s", (long long)h->at, what);
}

static vv_status take(header *h, vv_bytes n, void *out)
{
    char *to = out;
    if (n > h->raw->size - h->at) return truncated(h);
    while (n > 0) {
        if (h->at < h->block_at || h->at >= h->block_at + h->block_n) {
            h->block_n = 0;
            vv_bytes some = vv_imin(BLOCK, h->raw->size - h->at);
            VV_TRY(vv_raw_read(h->raw, h->at, some, h->block));
            h->block_at = h->at;
            h->block_n = some;
        }
        vv_bytes here = vv_imin(n, h->block_at + h->block_n - h->at);
        memcpy(to, h->block + (h->at - h->block_at), (size_t)here);
        h->at += here;
        to += here;
        n -= here;
    }
    return VV_OK;
}

static vv_status take_number(header *h, int bytes, uint64_t *out)
{
    unsigned char b[8];
    *out = 0;
    VV_TRY(take(h, bytes, b));
    for (int i = 0; i < bytes; i++) *out = *out << 8 | b[i];
    return VV_OK;
}

/* A length or a count: not negative. */
static vv_status take_length(header *h, vv_index *out)
{
    uint64_t v;
    VV_TRY(take_number(h, h->version == 5 ? 8 : 4, &v));
    if (v > VV_INDEX_MAX) return damaged(h, "a negative length");
    *out = (vv_index)v;
    return VV_OK;
}

static vv_status skip_padding(header *h, vv_bytes n)
{
    char unused[4];
    return take(h, (4 - n % 4) % 4, unused);
}

/* To be freed. */
static vv_status take_name(header *h, char **out)
{
    vv_index n;
    VV_TRY(take_length(h, &n));
    if (n == 0 || n > LONGEST_NAME) return damaged(h, n ? "a name of absurd length" : "an empty name");
    if (n > h->raw->size - h->at) return truncated(h);
    VV_TRY(vv_new(out, (size_t)n + 1, 1));
    vv_status status = take(h, n, *out);
    if (status == VV_OK) status = skip_padding(h, n);
    if (status == VV_OK && strlen(*out) != (size_t)n) status = damaged(h, "a name with a zero in it");
    if (status == VV_OK) return VV_OK;
    free(*out);
    *out = NULL;
    return status;
}

/* The tag in front of a list, and how many items follow; an absent list has tag 0. */
static vv_status take_list(header *h, uint64_t tag, vv_index *n)
{
    uint64_t found;
    VV_TRY(take_number(h, 4, &found));
    VV_TRY(take_length(h, n));
    if (found != tag && (found != 0 || *n != 0)) return damaged(h, "a list of another kind than its place demands");
    return VV_OK;
}

/* Types are numbered from 1: byte, char, short, int, float, double, and in CDF-5 the unsigned and the long ones. */
static vv_status take_type(header *h, vv_dtype *out)
{
    static const vv_dtype type[] = {VV_I8, VV_NONE, VV_I16, VV_I32, VV_F32, VV_F64,
                                    VV_U8, VV_U16,  VV_U32, VV_I64, VV_U64};
    enum { CLASSIC = 6, ALL = sizeof type / sizeof *type };
    uint64_t number;
    VV_TRY(take_number(h, 4, &number));
    if (number < 1 || number > (h->version == 5 ? ALL : CLASSIC)) return damaged(h, "an unknown element type");
    *out = type[number - 1];
    return VV_OK;
}

static void to_host_order(vv_index n, int size, unsigned char *p)
{
    if (*(const unsigned char *)&(uint16_t){1} == 0) return;
    for (vv_index i = 0; i < n; i++, p += size)
        for (int k = 0; k < size / 2; k++) {
            unsigned char x = p[k];
            p[k] = p[size - 1 - k];
            p[size - 1 - k] = x;
        }
}

/* --- the lists --- */

static vv_status take_values(header *h, const char *name, vv_attrs *to)
{
    vv_dtype type;
    vv_index n;
    unsigned char *data;
    VV_TRY(take_type(h, &type));
    VV_TRY(take_length(h, &n));
    vv_bytes size = type == VV_NONE ? 1 : vv_dtype_size(type), bytes = vv_times(n, size);
    if (bytes > h->raw->size - h->at) return truncated(h);
    VV_TRY(vv_new(&data, (size_t)bytes + 1, 1));
    vv_status status = take(h, bytes, data);
    if (status == VV_OK) status = skip_padding(h, bytes);
    if (type == VV_NONE) /* C programs write the final zero along */
        while (n > 0 && data[n - 1] == 0) n--;
    else
        to_host_order(n, (int)size, data);
    if (status == VV_OK) status = vv_attr_set(to, name, type, n, data);
    free(data);
    return status;
}

static vv_status take_attributes(header *h, vv_attrs *to)
{
    vv_index n;
    VV_TRY(take_list(h, TAG_ATTRIBUTES, &n));
    for (vv_index i = 0; i < n; i++) {
        char *name;
        VV_TRY(take_name(h, &name));
        vv_status status = take_values(h, name, to);
        free(name);
        VV_TRY(status);
    }
    return VV_OK;
}

static vv_status take_dimensions(header *h, vv_meta *m, vv_index records)
{
    vv_index n, length;
    VV_TRY(take_list(h, TAG_DIMENSIONS, &n));
    for (vv_index i = 0; i < n; i++) {
        char *name;
        VV_TRY(take_name(h, &name));
        vv_status status = take_length(h, &length);
        bool unlimited = length == 0;
        if (status == VV_OK && unlimited && h->unlimited >= 0) status = damaged(h, "a second unlimited dimension");
        if (unlimited) h->unlimited = m->n_dims;
        if (status == VV_OK) status = vv_meta_add_dim(m, name, unlimited ? records : length, unlimited, NULL);
        free(name);
        VV_TRY(status);
    }
    return VV_OK;
}

static vv_status take_shape(header *h, const vv_meta *m, vv_variable *v)
{
    vv_index n, id;
    VV_TRY(take_length(h, &n));
    if (n > VV_MAX_DIMS)
        return vv_fail(VV_ERR_UNSUPPORTED, "%s has %lld dimensions, at most %d are supported", v->name, (long long)n,
                       VV_MAX_DIMS);
    for (int d = 0; d < n; d++) {
        VV_TRY(take_length(h, &id));
        if (id >= m->n_dims) return damaged(h, "a dimension that does not exist");
        if (id == h->unlimited && d > 0) return damaged(h, "the unlimited dimension is not the first of a variable");
        v->dim[d] = (int)id;
        v->shape.n[d] = m->dim[id].length;
    }
    v->shape.nd = (int)n;
    return VV_OK;
}

static vv_status take_variable(header *h, vv_meta *m, const char *name, vv_classic_at *at)
{
    vv_variable *v;
    vv_index repeated;
    uint64_t begin;
    VV_TRY(vv_meta_add_var(m, name, VV_NONE, &v));
    VV_TRY(take_shape(h, m, v));
    VV_TRY(take_attributes(h, &v->attrs));
    VV_TRY(take_type(h, &v->type));
    VV_TRY(take_length(h, &repeated));
    VV_TRY(take_number(h, h->version == 1 ? 4 : 8, &begin));
    if (begin > VV_INDEX_MAX) return damaged(h, "a negative position");
    at->begin = (vv_bytes)begin;
    at->record = v->shape.nd > 0 && v->dim[0] == h->unlimited;
    at->row = vv_classic_size(v);
    for (int d = at->record; d < v->shape.nd; d++) at->row = vv_times(at->row, v->shape.n[d]);
    free(v->type_text);
    v->type_text = NULL;
    return vv_strdup(&v->type_text, v->type == VV_NONE ? "char" : vv_dtype_name(v->type));
}

static vv_status take_variables(header *h, vv_meta *m, vv_classic *c)
{
    vv_index n;
    VV_TRY(take_list(h, TAG_VARIABLES, &n));
    for (vv_index i = 0; i < n; i++) {
        char *name;
        VV_TRY(vv_grow(&c->at, i, sizeof *c->at, "variables"));
        c->at[i] = (vv_classic_at){0};
        VV_TRY(take_name(h, &name));
        vv_status status = take_variable(h, m, name, &c->at[i]);
        if (status != VV_OK) (void)vv_error_prefix("variable '%s'", name);
        free(name);
        if (status != VV_OK) return status;
    }
    return VV_OK;
}

/* --- what follows from them --- */

static vv_bytes plus(vv_bytes a, vv_bytes b)
{
    return a > VV_INDEX_MAX - b ? VV_INDEX_MAX : a + b;
}

static vv_bytes padded(vv_bytes n)
{
    return plus(n, (4 - n % 4) % 4);
}

static void sum_records(const vv_meta *m, vv_classic *c)
{
    int n = 0;
    vv_bytes only = 0;
    for (int i = 0; i < m->n_vars; i++) {
        if (!c->at[i].record) continue;
        n++;
        only = c->at[i].row;
        c->record_bytes = plus(c->record_bytes, padded(c->at[i].row));
    }
    if (n == 1) c->record_bytes = only;
}

/* As many as the file holds whole. */
static vv_index count_records(const vv_meta *m, const vv_classic *c)
{
    vv_bytes first = VV_INDEX_MAX, end = 0;
    for (int i = 0; i < m->n_vars; i++) {
        if (!c->at[i].record) continue;
        first = vv_imin(first, c->at[i].begin);
        end = vv_imax(end, plus(c->at[i].begin, c->at[i].row));
    }
    if (c->record_bytes == 0 || end > c->raw.size) return 0;
    return 1 + (c->raw.size - end) / c->record_bytes;
}

static void set_records(header *h, vv_meta *m, vv_classic *c)
{
    if (h->streaming) c->records = count_records(m, c);
    if (h->unlimited >= 0) m->dim[h->unlimited].length = c->records;
    for (int i = 0; i < m->n_vars; i++)
        if (c->at[i].record) m->var[i].shape.n[0] = c->records;
}

static void find_ends(vv_meta *m, vv_classic *c)
{
    for (int i = 0; i < m->n_vars; i++) {
        vv_classic_at *at = &c->at[i];
        vv_index rows = at->record ? c->records : 1;
        vv_bytes before = rows > 0 ? vv_times(rows - 1, c->record_bytes) : 0;
        m->var[i].stored = vv_times(rows, at->row);
        at->cut = m->var[i].stored > 0 && plus(plus(at->begin, before), at->row) > c->raw.size;
    }
}

static vv_status take_all(header *h, vv_meta *m, vv_classic *c)
{
    unsigned char magic[4];
    uint64_t records;
    VV_TRY(take(h, 4, magic));
    h->version = magic[3];
    int bytes = h->version == 5 ? 8 : 4;
    VV_TRY(take_number(h, bytes, &records));
    h->streaming = records == (bytes == 8 ? UINT64_MAX : UINT32_MAX);
    if (!h->streaming && records > VV_INDEX_MAX) return damaged(h, "a negative number of records");
    c->records = h->streaming ? 0 : (vv_index)records;
    VV_TRY(take_dimensions(h, m, c->records));
    VV_TRY(take_attributes(h, &m->attrs));
    VV_TRY(take_variables(h, m, c));
    sum_records(m, c);
    set_records(h, m, c);
    find_ends(m, c);
    static const char *const name[] = {[1] = "NetCDF classic", [2] = "NetCDF 64-bit offset", [5] = "NetCDF CDF-5"};
    return vv_strdup(&m->format, name[h->version]);
}

vv_status vv_classic_header_read(vv_file *f)
{
    vv_classic *c = f->handle;
    header h = {.raw = &c->raw, .unlimited = -1};
    VV_TRY(vv_new(&h.block, BLOCK, 1));
    vv_status status = take_all(&h, f->meta, c);
    free(h.block);
    return status;
}

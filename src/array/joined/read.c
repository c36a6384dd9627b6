/* A joined dataset as a format of its own: reading it is reading its files, decoded alike. */
#include "array/joined/build.h"
#include "array/text.h"

#include <math.h>
#include <stdlib.h>

/* --- units of time --- */

vv_status vv_joined_axis(const vv_meta *m, int var, vv_time_axis *out)
{
    return vv_time_parse(vv_cf_text(m, var, "units"), vv_cf_text(m, var, "calendar"), out);
}

/* Values of one axis become those of another one. */
vv_status vv_joined_convert(const vv_time_axis *from, const vv_time_axis *to, double at[], vv_index n)
{
    for (vv_index i = 0; i < n; i++) {
        vv_instant t;
        if (isnan(at[i])) continue;
        VV_TRY(vv_time_instant(from, at[i], &t));
        at[i] = vv_time_value(to, t);
    }
    return VV_OK;
}

/* --- reading --- */

/* How file i's elements become those of the joined variable. */
static vv_status decoding(const vv_joined *j, const vv_member *m, int i, vv_dtype type, vv_decode *out)
{
    vv_dtype own;
    VV_TRY(vv_cf_decode(vv_joined_variable(j, m, i), out, &own));
    out->out = vv_working_type(type);
    return VV_OK;
}

static vv_status convert(const vv_joined *j, const vv_member *m, int i, vv_dtype type, const void *raw, vv_index n,
                         void *out)
{
    vv_decode d;
    VV_TRY(decoding(j, m, i, type, &d));
    d.swap = d.shuffled = false;
    vv_dtype working = d.out;
    vv_bytes size = vv_dtype_size(type);
    void *values = out;
    if (working != type) VV_TRY(vv_mem_get(&values, vv_times(n, vv_dtype_size(working)), "values of joined files"));
    vv_decode_range(&d, raw, n, 0, n, values);
    vv_status status = VV_OK;
    if (m->times) {
        vv_time_axis from, to;
        status = vv_joined_axis(vv_joined_meta(j, i), m->var[i], &from);
        if (status == VV_OK) status = vv_joined_axis(vv_joined_meta(j, 0), m->var[0], &to);
        if (status == VV_OK) status = vv_joined_convert(&from, &to, values, n);
    }
    if (working == type) return status;
    for (vv_index k = 0; k < n; k++)
        vv_dtype_store(type, (char *)out + k * size,
                       vv_dtype_load(working, (char *)values + k * vv_dtype_size(working)));
    vv_mem_put(&values);
    return status;
}

/* Elements in memory: of strings their numbers, for which nobody asks but vv_texts_of(). */
static vv_bytes element_size(const vv_variable *v)
{
    return vv_variable_is(v, VV_STRINGS) ? (vv_bytes)sizeof(int64_t) : vv_variable_element(v);
}

static vv_status read_own(vv_dataset *d, int var, const vv_box *part, void *out)
{
    const int64_t *number;
    if (!vv_variable_is(&d->file->meta->var[var], VV_STRINGS)) return d->file->format->read(d->file, var, part, out);
    VV_TRY(vv_texts_of(d, var, &number));
    memcpy(out, number, (size_t)vv_box_elements(part) * sizeof *number);
    return VV_OK;
}

/* What file i has of a box: `part` is in its own positions. Its elements go to where they belong among those of the box. */
static vv_status read_part(const vv_joined *j, const vv_member *m, const vv_variable *v, int i, const vv_box *box,
                           const vv_box *part, char *out)
{
    const vv_variable *there = vv_joined_variable(j, m, i);
    vv_index n = vv_box_elements(part), before = 1, behind = 1;
    vv_bytes size = element_size(v), raw_size = element_size(there);
    char *raw, *values = NULL;
    VV_TRY(vv_mem_get(&raw, vv_times(n, raw_size), "values of joined files"));
    vv_status status = read_own(j->file[i], m->var[i], part, raw);
    if (status != VV_OK) (void)vv_error_prefix("%s", j->file[i]->path);
    if (status == VV_OK && m->decoded) {
        status = vv_mem_get(&values, vv_times(n, size), "values of joined files");
        if (status == VV_OK) status = convert(j, m, i, v->type, raw, n, values);
    }
    for (int d = 0; d < m->axis; d++) before *= box->n[d];
    for (int d = m->axis + 1; d < box->nd; d++) behind *= box->n[d];
    vv_bytes run = part->n[m->axis] * behind * size, apart = box->n[m->axis] * behind * size;
    char *to = out + (j->first[i] + part->lo[m->axis] - box->lo[m->axis]) * behind * size;
    for (vv_index k = 0; k < before && status == VV_OK; k++)
        memcpy(to + k * apart, (m->decoded ? values : raw) + k * run, (size_t)run);
    vv_mem_put(&values);
    vv_mem_put(&raw);
    return status;
}

/* The file that position `at` along the dimension is in. */
static int file_at(const vv_joined *j, vv_index at)
{
    int low = 0, high = j->n;
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        *(j->first[middle] <= at ? &low : &high) = middle;
    }
    return low;
}

static vv_status read_joined(vv_file *f, int var, const vv_box *box, void *out)
{
    const vv_joined *j = f->handle;
    const vv_member *m = &j->member[var];
    if (!m->along) return read_own(j->file[m->from], *m->var, box, out);
    if (vv_box_elements(box) == 0) return VV_OK;
    vv_index lo = box->lo[m->axis], end = lo + box->n[m->axis];
    for (int i = file_at(j, lo); i < j->n && j->first[i] < end; i++) {
        vv_box part = *box;
        part.lo[m->axis] = vv_imax(lo, j->first[i]) - j->first[i];
        part.n[m->axis] = vv_imin(end, j->first[i + 1]) - j->first[i] - part.lo[m->axis];
        if (part.n[m->axis] > 0) VV_TRY(read_part(j, m, &f->meta->var[var], i, box, &part, out));
    }
    return VV_OK;
}

void vv_joined_free(vv_joined *j)
{
    for (int i = 0; i < j->n_members; i++) free(j->member[i].var);
    free(j->member);
    free(j->first);
    free(j->file);
    free(j);
}

static void close_joined(vv_file *f)
{
    if (f->handle) vv_joined_free(f->handle);
    f->handle = NULL;
}

static bool never(const char *path, const unsigned char *head, size_t n)
{
    (void)path;
    (void)head;
    (void)n;
    return false;
}

static vv_status not_opened(vv_file *f)
{
    return vv_fail(VV_ERR_INTERNAL, "%s is several files", f->path);
}

static vv_status not_stored(vv_file *f)
{
    return vv_fail(VV_ERR_INTERNAL, "%s is several files: each has its own places", f->path);
}

static vv_status offset(vv_file *f, int var, vv_bytes *address)
{
    (void)var;
    (void)address;
    return not_stored(f);
}

static vv_status find_chunks(vv_file *f, int var, vv_index n, const vv_index *chunks, vv_chunk_at *out)
{
    (void)var;
    (void)n;
    (void)chunks;
    (void)out;
    return not_stored(f);
}

const vv_format vv_joined_format = {
    .name = "joined",
    .help = "several files as one",
    .probe = never,
    .open = not_opened,
    .close = close_joined,
    .offset = offset,
    .index = find_chunks,
    .read = read_joined,
};

/* A format to copy: the least that a driver must do, in full.
 *
 * A ".vvt" file is a few lines of text and then raw numbers, row-major:
 *
 *     varve-template 1
 *     variable t2m f32
 *     dimension time 10
 *     dimension lat 4
 *     order little
 *     data
 *     ...10 * 4 * 4 bytes...
 *
 * To add a format: copy this file, give it a probe that recognises its files by their first bytes, fill the vv_meta in open() (names, types, shapes,
 * attributes), and add a line to formats.h. Where the stored bytes of a variable lie plainly in the file, set `fast` and answer offset()
 * (or index() for chunks): ranks and threads then read them without the driver. Whatever is not `fast` goes through read(). src/README.md goes through
 * the steps; classic.c is a driver of the same kind for a real format. */
#include "base/mem.h"
#include "storage/formats.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char magic[] = "varve-template 1\n";

/* The driver's own state: where the numbers start, and the open file for read(). */
typedef struct template
{
    vv_raw_file raw;
    vv_bytes data;
}
template;

static bool probe(const char *path, const unsigned char *head, size_t n)
{
    (void)path;
    return n >= sizeof magic - 1 && !memcmp(head, magic, sizeof magic - 1);
}

static bool host_is_little(void)
{
    return *(const unsigned char *)&(uint16_t){1} == 1;
}

static vv_status read_variable(vv_meta *m, const char *line)
{
    char name[128], type[16];
    vv_variable *v;
    if (m->n_vars) return vv_fail(VV_ERR_FORMAT, "a second variable");
    if (sscanf(line, "variable %127s %15s", name, type) != 2 || vv_dtype_parse(type) == VV_NONE)
        return vv_fail(VV_ERR_FORMAT, "'%s' is not 'variable NAME TYPE'", line);
    VV_TRY(vv_meta_add_var(m, name, vv_dtype_parse(type), &v));
    v->fast = true;
    return VV_OK;
}

static vv_status read_dimension(vv_meta *m, const char *line)
{
    char name[128];
    long long length;
    vv_variable *v = m->var;
    if (!v || v->shape.nd == VV_MAX_DIMS || sscanf(line, "dimension %127s %lld", name, &length) != 2 || length < 0)
        return vv_fail(VV_ERR_FORMAT, "'%s' is not 'dimension NAME LENGTH' behind a variable", line);
    int d = v->shape.nd++;
    v->shape.n[d] = length;
    return vv_meta_add_dim(m, name, length, false, &v->dim[d]);
}

static vv_status read_order(vv_meta *m, const char *line)
{
    bool little = !strcmp(line, "order little"), big = !strcmp(line, "order big");
    if (!m->var || little == big) return vv_fail(VV_ERR_FORMAT, "'%s' is not 'order little' or 'order big'", line);
    m->var->swapped = vv_dtype_size(m->var->type) > 1 && little != host_is_little();
    return VV_OK;
}

static vv_status read_line(vv_meta *m, const char *line)
{
    if (!strncmp(line, "variable ", 9)) return read_variable(m, line);
    if (!strncmp(line, "dimension ", 10)) return read_dimension(m, line);
    if (!strncmp(line, "order ", 6)) return read_order(m, line);
    return vv_fail(VV_ERR_FORMAT, "'%.40s' is not a header line", line);
}

/* The lines up to "data"; *data becomes the position behind it. */
static vv_status read_header(FILE *in, vv_meta *m, vv_bytes *data)
{
    char line[256];
    if (!fgets(line, sizeof line, in)) return vv_fail(VV_ERR_FORMAT, "no header");
    while (fgets(line, sizeof line, in)) {
        line[strcspn(line, "\n")] = 0;
        if (!strcmp(line, "data")) {
            *data = ftell(in);
            return m->n_vars ? VV_OK : vv_fail(VV_ERR_FORMAT, "no variable");
        }
        VV_TRY(read_line(m, line));
    }
    return vv_fail(VV_ERR_FORMAT, "the header ends without 'data'");
}

static vv_status read_meta(vv_file *f, template *t)
{
    VV_TRY(vv_strdup(&f->meta->path, f->path));
    VV_TRY(vv_strdup(&f->meta->format, "template"));
    FILE *in = fopen(f->path, "rb");
    if (!in) return vv_fail_errno(VV_ERR_READ, "cannot open");
    vv_status status = read_header(in, f->meta, &t->data);
    fclose(in);
    VV_TRY(status);
    vv_variable *v = &f->meta->var[0];
    v->stored = vv_times(vv_shape_elements(&v->shape), vv_dtype_size(v->type));
    if (t->raw.size - t->data < v->stored)
        return vv_fail(VV_ERR_FORMAT, "the file is truncated: %lld bytes of data, of %lld",
                       (long long)(t->raw.size - t->data), (long long)v->stored);
    return VV_OK;
}

static vv_status open_file(vv_file *f)
{
    template *t;
    VV_TRY(vv_new(&t, 1, sizeof *t));
    t->raw.fd = -1;
    f->handle = t;
    VV_TRY(vv_meta_new(&f->meta));
    VV_TRY(vv_raw_open(f->path, &t->raw));
    return read_meta(f, t) == VV_OK ? VV_OK : vv_error_prefix("%s", f->path);
}

static void close_file(vv_file *f)
{
    template *t = f->handle;
    if (!t) return;
    vv_raw_close(&t->raw);
    free(t);
    f->handle = NULL;
}

static vv_status offset(vv_file *f, int var, vv_bytes *address)
{
    (void)var;
    *address = ((template *)f->handle)->data;
    return VV_OK;
}

static vv_status no_index(vv_file *f, int var, vv_index n, const vv_index *chunks, vv_chunk_at *out)
{
    (void)n;
    (void)chunks;
    (void)out;
    return vv_fail(VV_ERR_INTERNAL, "%s: %s is not stored in chunks", f->path, f->meta->var[var].name);
}

/* Complex numbers are two numbers to a swap. */
static void swap_elements(const vv_variable *v, vv_index n, void *data)
{
    size_t parts = vv_dtype_kind(v->type) == 'c' ? 2 : 1, size = (size_t)vv_dtype_size(v->type) / parts;
    unsigned char *p = data;
    for (vv_index i = 0; i < n * (vv_index)parts; i++, p += size)
        for (size_t k = 0; k < size / 2; k++) {
            unsigned char x = p[k];
            p[k] = p[size - 1 - k];
            p[size - 1 - k] = x;
        }
}

/* Row by row: a row is what lies together, the last dimension. */
static vv_status read_box(vv_file *f, int var, const vv_box *box, void *out)
{
    const template *t = f->handle;
    const vv_variable *v = &f->meta->var[var];
    vv_bytes size = vv_dtype_size(v->type);
    vv_index at[VV_MAX_DIMS] = {0}, row = box->nd ? box->n[box->nd - 1] : 1;
    int outer = box->nd ? box->nd - 1 : 0;
    char *p = out;
    if (vv_box_elements(box) == 0) return VV_OK;
    do {
        vv_index linear = 0;
        for (int d = 0; d < box->nd; d++) linear = linear * v->shape.n[d] + box->lo[d] + at[d];
        VV_TRY(vv_raw_read(&t->raw, t->data + linear * size, row * size, p));
        if (v->swapped) swap_elements(v, row, p);
        p += row * size;
    } while (vv_odometer(outer, box->n, at));
    return VV_OK;
}

const vv_format vv_format_template = {
    .name = "template",
    .help = "a text header and raw numbers (.vvt): the driver to copy",
    .probe = probe,
    .open = open_file,
    .close = close_file,
    .offset = offset,
    .index = no_index,
    .read = read_box,
    .concurrent = true, /* nothing but pread on a file that stays open */
};

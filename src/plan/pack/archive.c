#include "plan/pack/archive.h"

#include <stdlib.h>
#include <string.h>

void vv_archive_number(vv_archive *a, int64_t *v)
{
    if (a->put)
        vv_buf_put_i64(a->put, *v);
    else
        *v = vv_read_i64(a->take);
}

void vv_archive_real(vv_archive *a, double *v)
{
    if (a->put)
        vv_buf_put_f64(a->put, *v);
    else
        *v = vv_read_f64(a->take);
}

void vv_archive_bytes(vv_archive *a, void *data, size_t size)
{
    if (a->put) {
        vv_buf_bytes(a->put, data, size);
        return;
    }
    const void *p = vv_read_bytes(a->take, size);
    if (p) memcpy(data, p, size);
}

void vv_archive_string(vv_archive *a, char **text)
{
    int64_t present = *text != NULL;
    vv_archive_number(a, &present);
    if (!present) return;
    if (a->put) {
        vv_buf_put_string(a->put, *text);
        return;
    }
    const char *s = vv_read_string(a->take);
    if (!a->take->failed && a->status == VV_OK) a->status = vv_strdup(text, s);
}

void vv_archive_dims(vv_archive *a, int *nd)
{
    VV_ARCHIVE(a, *nd);
    if (!a->take || (*nd >= 0 && *nd <= VV_MAX_DIMS)) return;
    a->take->failed = true;
    *nd = 0;
}

void vv_archive_grid(vv_archive *a, vv_grid *g)
{
    vv_archive_dims(a, &g->shape.nd);
    for (int d = 0; d < g->shape.nd; d++) {
        VV_ARCHIVE(a, g->shape.n[d]);
        VV_ARCHIVE(a, g->chunk[d]);
        VV_ARCHIVE(a, g->shift[d]);
    }
}

void vv_archive_shape(vv_archive *a, vv_shape *s)
{
    vv_archive_dims(a, &s->nd);
    for (int d = 0; d < s->nd; d++) VV_ARCHIVE(a, s->n[d]);
}

void vv_archive_box(vv_archive *a, vv_box *b)
{
    vv_archive_dims(a, &b->nd);
    for (int d = 0; d < b->nd; d++) {
        VV_ARCHIVE(a, b->lo[d]);
        VV_ARCHIVE(a, b->n[d]);
    }
}

int64_t vv_archive_counted(vv_archive *a, int64_t n, int64_t size)
{
    vv_archive_number(a, &n);
    if (!a->take || (n >= 0 && n <= (int64_t)a->take->size / size)) return n;
    a->take->failed = true;
    return 0;
}

/* Differences of neighbours are small and often all the same: runs of (difference, length). */
static void put_runs(vv_archive *a, const vv_table *t)
{
    vv_index before = 0;
    for (vv_index i = 0; i < t->n;) {
        int64_t step = t->at[i] - before, run = 0;
        for (; i < t->n && t->at[i] - before == step; i++, run++) before = t->at[i];
        vv_archive_number(a, &step);
        vv_archive_number(a, &run);
    }
}

static void take_runs(vv_archive *a, vv_table *t)
{
    vv_index at = 0;
    for (vv_index i = 0; i < t->n && !a->take->failed;) {
        int64_t step = vv_read_i64(a->take), run = vv_read_i64(a->take);
        if (run < 1 || run > t->n - i) a->take->failed = true;
        for (; run > 0 && !a->take->failed; run--) {
            if (__builtin_add_overflow(at, step, &at)) a->take->failed = true;
            t->at[i++] = at;
        }
    }
}

void vv_archive_table(vv_archive *a, vv_table **t)
{
    enum { MOST = 1 << 26 };
    int64_t n = *t ? (*t)->n : -1;
    vv_archive_number(a, &n);
    if (n < 0) return;
    if (a->put) {
        put_runs(a, *t);
        return;
    }
    if (n > MOST) a->take->failed = true;
    if (!a->take->failed && a->status == VV_OK) a->status = vv_table_new(n, t);
    if (*t) take_runs(a, *t);
}

void vv_archive_symbol(vv_archive *a, vv_symbol *s)
{
    vv_archive_string(a, &s->module);
    vv_archive_bytes(a, s->id, sizeof s->id);
    VV_ARCHIVE(a, s->n_id);
    int64_t offset = (int64_t)s->offset;
    vv_archive_number(a, &offset);
    s->offset = (uint64_t)offset;
    if (a->take && (!s->module || s->n_id < 0 || s->n_id > VV_SYMBOL_ID)) a->take->failed = true;
}

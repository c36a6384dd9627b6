/* Classic NetCDF files: CDF-1, CDF-2 (64-bit offset) and CDF-5. Read only.
 *
 * The format has no index and no filters, so that raw reading serves nearly everything:
 *   - a variable without the unlimited dimension, or the only one that has it: one contiguous piece
 *   - a record variable among others: contiguous but for what lies between its records (vv_variable.pitch)
 *   - records of a few bytes, and characters: through read() below, which picks them from larger pieces of the file
 * Elements are big-endian; the decoder swaps them.
 *
 * Why not through the PnetCDF library: it opens files with MPI only, which a process that runs alone never starts (CDF header and data by our own
 * calls: 10 ms; an MPI program that does nothing: 300 ms), its opening and reading are collective, so that a rank that failed would leave the
 * others waiting, and what it would be asked for is a header of four lists. Files written by PnetCDF and by netCDF-C are what the tests read. */
#include "storage/classic/classic.h"
#include "base/log.h"
#include "base/mem.h"
#include "storage/formats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Shorter records are picked from larger pieces of the file. */
enum { SMALL_RECORD = 4 << 10 };

static bool probe(const char *path, const unsigned char *head, size_t n)
{
    (void)path;
    return n >= 4 && !memcmp(head, "CDF", 3) && (head[3] == 1 || head[3] == 2 || head[3] == 5);
}

static bool host_is_little(void)
{
    return *(const unsigned char *)&(uint16_t){1} == 1;
}

/* --- how each variable is read --- */

static vv_status not_fast(vv_variable *v, const char *why)
{
    v->fast = false;
    v->layout = VV_LAYOUT_OTHER;
    return vv_strdup(&v->why_not_fast, why);
}

static vv_status choose_reading(const vv_classic *c, const vv_classic_at *at, vv_variable *v)
{
    v->fast = true;
    v->swapped = vv_classic_size(v) > 1 && host_is_little();
    if (v->type == VV_NONE) return not_fast(v, "characters");
    /* What is not all there is left to offset(), which refuses it before anything is planned with its size. */
    if (!at->record || at->row == c->record_bytes || at->cut || c->records == 0) return VV_OK;
    if (at->row < SMALL_RECORD) return not_fast(v, "few bytes in a record");
    v->pitch = c->record_bytes;
    return VV_OK;
}

/* --- opening --- */

static vv_status choose_all(vv_file *f)
{
    const vv_classic *c = f->handle;
    for (int i = 0; i < f->meta->n_vars; i++) {
        VV_TRY(choose_reading(c, &c->at[i], &f->meta->var[i]));
        if (c->at[i].cut)
            vv_say(VV_LOG_WARN, "%s is truncated: the data of '%s' goes on behind its end at %lld", f->path,
                   f->meta->var[i].name, (long long)c->raw.size);
    }
    return VV_OK;
}

static vv_status open_classic(vv_file *f, vv_classic *c)
{
    VV_TRY(vv_meta_new(&f->meta));
    VV_TRY(vv_strdup(&f->meta->path, f->path));
    VV_TRY(vv_raw_open(f->path, &c->raw));
    if (vv_classic_header_read(f) != VV_OK) return vv_error_prefix("%s", f->path);
    return choose_all(f);
}

static vv_status open_file(vv_file *f)
{
    vv_classic *c;
    VV_TRY(vv_new(&c, 1, sizeof *c));
    c->raw.fd = -1;
    f->handle = c;
    return open_classic(f, c);
}

static void close_file(vv_file *f)
{
    vv_classic *c = f->handle;
    if (!c) return;
    vv_raw_close(&c->raw);
    free(c->at);
    free(c);
    f->handle = NULL;
}

/* --- raw reading --- */

static vv_status offset(vv_file *f, int var, vv_bytes *address)
{
    const vv_classic *c = f->handle;
    if (c->at[var].cut)
        return vv_fail(VV_ERR_FORMAT,
                       "%s: variable '%s': the file is truncated: it ends at %lld, inside or before the data", f->path,
                       f->meta->var[var].name, (long long)c->raw.size);
    *address = c->at[var].begin;
    return VV_OK;
}

static vv_status no_index(vv_file *f, int var, vv_index n, const vv_index *chunks, vv_chunk_at *out)
{
    (void)n;
    (void)chunks;
    (void)out;
    return vv_fail(VV_ERR_INTERNAL, "%s: %s is not stored in chunks", f->path, f->meta->var[var].name);
}

/* --- reading a box --- */

/* A stretch of the file in memory, for pieces that are smaller: as long as a page where records are, so that no more of the file is touched than
 * is wanted, longer where one page holds several. */
typedef struct window {
    vv_bytes at, n, reach;
    char bytes[64 << 10];
} window;

static vv_status read_piece(const vv_raw_file *raw, window *w, vv_bytes at, vv_bytes n, char *to)
{
    if (n >= w->reach) return vv_raw_read(raw, at, n, to);
    if (at < w->at || at + n > w->at + w->n) {
        w->n = 0;
        vv_bytes some = vv_imax(n, vv_imin(w->reach, raw->size - at));
        VV_TRY(vv_raw_read(raw, at, some, w->bytes));
        w->at = at;
        w->n = some;
    }
    memcpy(to, w->bytes + (at - w->at), (size_t)n);
    return VV_OK;
}

static void swap_elements(vv_bytes size, vv_index n, void *data)
{
    uint16_t *half = data;
    uint32_t *word = data;
    uint64_t *wide = data;
    for (vv_index i = 0; size == 2 && i < n; i++) half[i] = __builtin_bswap16(half[i]);
    for (vv_index i = 0; size == 4 && i < n; i++) word[i] = __builtin_bswap32(word[i]);
    for (vv_index i = 0; size == 8 && i < n; i++) wide[i] = __builtin_bswap64(wide[i]);
}

/* Dimensions in front of those that lie together; *run: elements that do. The records of a variable lie together only where it is alone. */
static int runs(const vv_classic *c, const vv_classic_at *at, const vv_variable *v, const vv_box *box, vv_index *run)
{
    int least = at->record && at->row != c->record_bytes, outer = box->nd;
    *run = 1;
    while (outer > least) {
        *run *= box->n[--outer];
        if (box->n[outer] != v->shape.n[outer]) break;
    }
    return outer;
}

static vv_status read_pieces(vv_file *f, int var, const vv_box *box, window *w, char *to)
{
    const vv_classic *c = f->handle;
    const vv_classic_at *at = &c->at[var];
    const vv_variable *v = &f->meta->var[var];
    vv_bytes size = vv_classic_size(v);
    vv_index i[VV_MAX_DIMS] = {0}, run;
    int outer = runs(c, at, v, box, &run);
    do {
        vv_bytes where = at->begin;
        vv_index linear = 0;
        for (int d = 0; d < box->nd; d++) {
            vv_index index = box->lo[d] + (d < outer ? i[d] : 0);
            if (d == 0 && at->record)
                where += index * c->record_bytes;
            else
                linear = linear * v->shape.n[d] + index;
        }
        VV_TRY(read_piece(&c->raw, w, where + linear * size, run * size, to));
        to += run * size;
    } while (vv_odometer(outer, box->n, i));
    return VV_OK;
}

static vv_status read_box(vv_file *f, int var, const vv_box *box, void *out)
{
    const vv_variable *v = &f->meta->var[var];
    const vv_classic *c = f->handle;
    window w = {.reach = c->record_bytes > SMALL_RECORD ? SMALL_RECORD : (vv_bytes)sizeof w.bytes};
    if (vv_box_elements(box) == 0) return VV_OK;
    VV_TRY(offset(f, var, &(vv_bytes){0}));
    if (read_pieces(f, var, box, &w, out) != VV_OK) return vv_error_prefix("%s: %s", f->path, v->name);
    if (v->swapped) swap_elements(vv_classic_size(v), vv_box_elements(box), out);
    return VV_OK;
}

const vv_format vv_format_classic = {
    .name = "classic",
    .help = "classic NetCDF files: CDF-1, CDF-2 (64-bit offset), CDF-5",
    .probe = probe,
    .open = open_file,
    .close = close_file,
    .offset = offset,
    .index = no_index,
    .read = read_box,
    .concurrent = true,
};

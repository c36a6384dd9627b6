#include "storage/header.h"

#include "base/fault.h"
#include "base/mem.h"
#include "storage/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file's chunks beyond this many, and larger variables, are looked up when they are wanted. */
enum { MOST_CHUNKS = 1 << 18, SMALL = 4096, COORDINATE = 1 << 20 };

static bool readable(const vv_variable *v)
{
    return v->type != VV_NONE || vv_variable_is(v, VV_CHARS);
}

static void stored_grid(const vv_variable *v, vv_grid *out)
{
    *out = (vv_grid){.shape = v->shape};
    memcpy(out->chunk, v->chunk, sizeof out->chunk);
}

/* --- reading --- */

static vv_status take_chunks(vv_file *f, int var, vv_index *room, vv_places *p)
{
    vv_grid grid;
    stored_grid(&f->meta->var[var], &grid);
    vv_index n = vv_grid_chunks(&grid), *numbers;
    if (n == 0 || n > *room) return VV_OK;
    VV_TRY(vv_new(&numbers, (size_t)n, sizeof *numbers));
    for (vv_index i = 0; i < n; i++) numbers[i] = i;
    vv_status status = vv_new(&p->chunk, (size_t)n, sizeof *p->chunk);
    if (status == VV_OK) status = f->format->index(f, var, n, numbers, p->chunk);
    free(numbers);
    p->n_chunks = n;
    *room -= n;
    return status;
}

/* Strings that cannot be read are missed when somebody wants them. */
static vv_status take_strings(vv_file *f, int var, vv_places *p)
{
    vv_buf text = {0};
    vv_bytes most = vv_meta_is_coordinate(f->meta, var) ? COORDINATE : SMALL;
    if (vv_shape_elements(&f->meta->var[var].shape) > most / (vv_bytes)sizeof(char *)) return VV_OK;
    bool good = f->format->text(f, var, &text) == VV_OK;
    if (!good) vv_error_clear();
    if (!good || (vv_bytes)text.size > most) {
        vv_buf_free(&text);
        return VV_OK;
    }
    p->values = text.data;
    p->size = (vv_bytes)text.size;
    return VV_OK;
}

static vv_status take_values(vv_file *f, int var, vv_places *p)
{
    const vv_variable *v = &f->meta->var[var];
    vv_bytes bytes = vv_times(vv_shape_elements(&v->shape), vv_variable_element(v));
    vv_box whole = {.nd = v->shape.nd};
    if (vv_variable_is(v, VV_STRINGS) && f->format->text) return take_strings(f, var, p);
    if (bytes == 0 || !readable(v) || bytes > (vv_meta_is_coordinate(f->meta, var) ? COORDINATE : SMALL)) return VV_OK;
    memcpy(whole.n, v->shape.n, sizeof whole.n);
    VV_TRY(vv_new(&p->values, 1, (size_t)bytes));
    p->size = bytes;
    return f->format->read(f, var, &whole, p->values);
}

static vv_status take_all(vv_file *f, vv_header *h)
{
    vv_index room = MOST_CHUNKS;
    VV_TRY(vv_new(&h->places, (size_t)f->meta->n_vars + 1, sizeof *h->places));
    for (int i = 0; i < f->meta->n_vars; i++) {
        const vv_variable *v = &f->meta->var[i];
        vv_places *p = &h->places[i];
        VV_TRY(take_values(f, i, p));
        if (!v->fast) continue;
        if (v->layout == VV_LAYOUT_CHUNKED) VV_TRY(take_chunks(f, i, &room, p));
        if (v->layout != VV_LAYOUT_CONTIGUOUS) continue;
        VV_TRY(f->format->offset(f, i, &p->address));
        p->has_address = true;
    }
    h->meta = f->meta;
    f->meta = NULL;
    return VV_OK;
}

vv_status vv_header_of(vv_file *f, vv_header **out)
{
    vv_status status;
    VV_TRY(vv_new(out, 1, sizeof **out));
    VV_TRY_GOTO(status, failed, vv_strdup(&(*out)->path, f->path));
    VV_TRY_GOTO(status, failed, take_all(f, *out));
    return VV_OK;
failed:
    vv_header_free(out);
    return status;
}

/* Where the library that reads a format works in a process of its own, that does all of it: one request for a file instead of one for each variable. */
static vv_status read_header(vv_file *f, vv_header **out)
{
    if (f->format->apart && vv_apart_wanted()) return vv_apart_header(f, out);
    VV_TRY(f->format->open(f));
    return vv_header_of(f, out);
}

vv_status vv_header_read(const char *path, vv_header **out)
{
    vv_file *f;
    *out = NULL;
    VV_TRY(vv_file_find(path, &f));
    vv_status status = read_header(f, out);
    if (status == VV_OK) (*out)->stamp = f->stamp;
    vv_file_close(&f);
    return status;
}

void vv_header_expect(const char *path)
{
    enum { BEGIN = 128 << 10 }; /* Linux takes no more of one announcement */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return;
    (void)posix_fadvise(fd, 0, BEGIN, POSIX_FADV_WILLNEED);
    close(fd);
}

void vv_header_free(vv_header **header)
{
    vv_header *h = *header;
    if (!h) return;
    for (int i = 0; h->places && h->meta && i < h->meta->n_vars; i++) {
        free(h->places[i].chunk);
        free(h->places[i].values);
    }
    vv_meta_free(&h->meta);
    free(h->places);
    free(h->path);
    free(h);
    *header = NULL;
}

/* --- packed form --- */

static void pack_places(const vv_places *p, vv_buf *out)
{
    vv_buf_put_i64(out, p->has_address);
    vv_buf_put_i64(out, p->address);
    vv_buf_put_i64(out, p->n_chunks);
    vv_buf_bytes(out, p->chunk, (size_t)p->n_chunks * sizeof *p->chunk);
    vv_buf_put_i64(out, p->size);
    vv_buf_bytes(out, p->values, (size_t)p->size);
}

void vv_header_pack(const vv_header *h, vv_buf *out)
{
    vv_buf_put_string(out, h->path);
    vv_buf_put_i64(out, h->stamp.size);
    vv_buf_put_i64(out, h->stamp.changed);
    vv_meta_pack(h->meta, out);
    for (int i = 0; i < h->meta->n_vars; i++) pack_places(&h->places[i], out);
}

/* A copy of `size` bytes that the reader has. */
static vv_status take_copy(vv_reader *in, vv_index size, void *block_address)
{
    void **block = block_address;
    if (size < 0 || (uint64_t)size > in->size) in->failed = true;
    const void *data = in->failed ? NULL : vv_read_bytes(in, (size_t)size);
    if (in->failed || size == 0) return VV_OK;
    VV_TRY(vv_new(block, 1, (size_t)size));
    memcpy(*block, data, (size_t)size);
    return VV_OK;
}

static vv_status unpack_places(vv_reader *in, vv_places *p)
{
    p->has_address = vv_read_i64(in) != 0;
    p->address = vv_read_i64(in);
    p->n_chunks = vv_read_i64(in);
    if (p->n_chunks < 0 || p->n_chunks > MOST_CHUNKS) {
        in->failed = true;
        p->n_chunks = 0;
    }
    VV_TRY(take_copy(in, p->n_chunks * (vv_index)sizeof *p->chunk, &p->chunk));
    p->size = vv_read_i64(in);
    return take_copy(in, p->size, &p->values);
}

/* So many, each with its end. */
static bool sound_strings(const vv_places *p, vv_index n)
{
    const char *text = p->values;
    for (vv_bytes i = 0; i < p->size; i++) n -= !text[i];
    return n == 0 && text[p->size - 1] == 0;
}

/* Everything refers to something that is there, and has the size that it must have. */
static bool sound_variable(const vv_meta *m, const vv_variable *v, const vv_places *p)
{
    vv_grid grid;
    if (v->type < VV_NONE || v->type >= VV_DTYPE_COUNT || v->layout < VV_LAYOUT_CONTIGUOUS ||
        v->layout > VV_LAYOUT_OTHER)
        return false;
    for (int d = 0; d < v->shape.nd; d++) {
        if (v->dim[d] < 0 || v->dim[d] >= m->n_dims || v->shape.n[d] != m->dim[v->dim[d]].length) return false;
        if (v->layout == VV_LAYOUT_CHUNKED && v->chunk[d] < 1) return false;
    }
    stored_grid(v, &grid);
    if (p->n_chunks && (v->layout != VV_LAYOUT_CHUNKED || p->n_chunks != vv_grid_chunks(&grid))) return false;
    if (p->size && vv_variable_is(v, VV_STRINGS)) return sound_strings(p, vv_shape_elements(&v->shape));
    return !p->size || p->size == vv_times(vv_shape_elements(&v->shape), vv_variable_element(v));
}

static bool sound(const vv_header *h)
{
    for (int i = 0; i < h->meta->n_dims; i++)
        if (h->meta->dim[i].length < 0) return false;
    for (int i = 0; i < h->meta->n_vars; i++)
        if (!sound_variable(h->meta, &h->meta->var[i], &h->places[i])) return false;
    return true;
}

static vv_status unpack(vv_reader *in, vv_header *h)
{
    VV_TRY(vv_strdup(&h->path, vv_read_string(in)));
    h->stamp.size = vv_read_i64(in);
    h->stamp.changed = vv_read_i64(in);
    VV_TRY(vv_meta_unpack(&h->meta, in));
    VV_TRY(vv_new(&h->places, (size_t)h->meta->n_vars + 1, sizeof *h->places));
    for (int i = 0; i < h->meta->n_vars; i++) VV_TRY(unpack_places(in, &h->places[i]));
    return in->failed || !sound(h) ? vv_fail(VV_ERR_FORMAT, "a damaged header") : VV_OK;
}

vv_status vv_header_unpack(vv_reader *in, vv_header **out)
{
    VV_TRY(vv_new(out, 1, sizeof **out));
    vv_status status = unpack(in, *out);
    if (status != VV_OK) vv_header_free(out);
    return status;
}

/* --- a file out of it --- */

typedef struct kept {
    vv_header *header;
    vv_file *real; /* when it had to be opened */
    struct kept *newer, *older;
} kept;

/* Few real files are open at once: the one that was used longest ago is closed. The coordinator's calls are on one thread. */
enum { MOST_OPEN = 8 };
static kept *newest, *oldest;
static int n_open;

static void unlink_open(kept *k)
{
    *(k->newer ? &k->newer->older : &newest) = k->older;
    *(k->older ? &k->older->newer : &oldest) = k->newer;
    n_open--;
}

static void link_open(kept *k)
{
    k->newer = NULL;
    k->older = newest;
    *(newest ? &newest->newer : &oldest) = k;
    newest = k;
    n_open++;
}

/* The real file and the variable's number in it. */
static vv_status open_real(const vv_file *f, int var, vv_file **out, int *real_var)
{
    kept *k = f->handle;
    if (k->real) {
        unlink_open(k);
    } else {
        VV_TRY(vv_stamp_check(f->path, &f->stamp));
        while (n_open >= MOST_OPEN) {
            vv_file_close(&oldest->real);
            unlink_open(oldest);
        }
        VV_TRY(vv_file_open(f->path, &k->real));
    }
    link_open(k);
    *out = k->real;
    *real_var = vv_meta_find_var(k->real->meta, f->meta->var[var].name);
    if (*real_var >= 0) return VV_OK;
    return vv_fail(VV_ERR_READ, "%s: variable '%s' is gone", f->path, f->meta->var[var].name);
}

static bool never(const char *path, const unsigned char *head, size_t n)
{
    (void)path;
    (void)head;
    (void)n;
    return false;
}

static vv_status opened_already(vv_file *f)
{
    return vv_fail(VV_ERR_INTERNAL, "%s is made of a header", f->path);
}

static void close_kept(vv_file *f)
{
    kept *k = f->handle;
    f->meta = NULL; /* the header's */
    f->handle = NULL;
    if (!k) return;
    if (k->real) unlink_open(k);
    vv_file_close(&k->real);
    vv_header_free(&k->header);
    free(k);
}

static vv_status offset(vv_file *f, int var, vv_bytes *address)
{
    const vv_places *p = &((kept *)f->handle)->header->places[var];
    vv_file *real;
    int there;
    *address = p->address;
    if (p->has_address) return VV_OK;
    VV_TRY(open_real(f, var, &real, &there));
    return real->format->offset(real, there, address);
}

static vv_status find_chunks(vv_file *f, int var, vv_index n, const vv_index *chunks, vv_chunk_at *out)
{
    const vv_places *p = &((kept *)f->handle)->header->places[var];
    vv_file *real;
    int there;
    for (vv_index i = 0; i < n && p->n_chunks; i++) out[i] = p->chunk[chunks[i]];
    if (p->n_chunks) return VV_OK;
    VV_TRY(open_real(f, var, &real, &there));
    return real->format->index(real, there, n, chunks, out);
}

static void copy_box(const vv_places *p, const vv_variable *v, const vv_box *box, char *out)
{
    vv_bytes size = vv_variable_element(v), row = size;
    vv_index at[VV_MAX_DIMS] = {0};
    int outer = box->nd ? box->nd - 1 : 0;
    if (box->nd) row *= box->n[outer];
    do {
        vv_index first = 0;
        for (int d = 0; d < box->nd; d++) first = first * v->shape.n[d] + box->lo[d] + (d < outer ? at[d] : 0);
        memcpy(out, (const char *)p->values + first * size, (size_t)row);
        out += row;
    } while (vv_odometer(outer, box->n, at));
}

static vv_status read_box(vv_file *f, int var, const vv_box *box, void *out)
{
    const vv_places *p = &((kept *)f->handle)->header->places[var];
    vv_file *real;
    int there;
    VV_TRY(vv_fault(VV_FAULT_READ_CHUNK));
    if (p->values && vv_box_elements(box) > 0 && !vv_variable_is(&f->meta->var[var], VV_STRINGS)) {
        copy_box(p, &f->meta->var[var], box, out);
        return VV_OK;
    }
    VV_TRY(open_real(f, var, &real, &there));
    return real->format->read(real, there, box, out);
}

static vv_status read_text(vv_file *f, int var, vv_buf *out)
{
    const vv_places *p = &((kept *)f->handle)->header->places[var];
    vv_file *real;
    int there;
    if (p->values) {
        vv_buf_bytes(out, p->values, (size_t)p->size);
        return vv_buf_status(out);
    }
    VV_TRY(open_real(f, var, &real, &there));
    return real->format->text(real, there, out);
}

static const vv_format format = {
    .name = "header",
    .help = "files whose headers are known",
    .probe = never,
    .open = opened_already,
    .close = close_kept,
    .offset = offset,
    .index = find_chunks,
    .read = read_box,
    .text = read_text,
};

vv_status vv_header_file(vv_header **header, vv_file **out)
{
    vv_file *f = NULL;
    kept *k = NULL;
    vv_status status;
    VV_TRY_GOTO(status, failed, vv_new(&f, 1, sizeof *f));
    f->format = &format;
    VV_TRY_GOTO(status, failed, vv_strdup(&f->path, (*header)->path));
    VV_TRY_GOTO(status, failed, vv_new(&k, 1, sizeof *k));
    k->header = *header;
    *header = NULL;
    f->stamp = k->header->stamp;
    f->handle = k;
    f->meta = k->header->meta;
    *out = f;
    return VV_OK;
failed:
    vv_file_close(&f);
    vv_header_free(header);
    return status;
}

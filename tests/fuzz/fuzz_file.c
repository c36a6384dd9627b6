/* Whole files, of any format: opening, chunk index, all small variables. The bytes are a file in memory. As in the program, HDF5 works in a process of its own:
 * what it makes of them there is its own business. */
#include "fuzz.h"

#include "storage/apart.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SMALL = 1 << 16 }; /* elements or chunks that are looked at */

/* --- a classic file; corpus.py writes others --- */

typedef struct bytes {
    uint8_t *at, *end;
} bytes;

static void put(bytes *b, const void *data, size_t n)
{
    if ((size_t)(b->end - b->at) < n) return;
    memcpy(b->at, data, n);
    b->at += n;
}

static void put_number(bytes *b, uint32_t v)
{
    put(b, (uint8_t[]){(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v}, 4);
}

static void put_numbers(bytes *b, int n, const uint32_t v[])
{
    for (int i = 0; i < n; i++) put_number(b, v[i]);
}

/* At most 8 characters. */
static void put_name(bytes *b, const char *name)
{
    char padded[8] = {0};
    size_t n = strlen(name);
    memcpy(padded, name, n);
    put_number(b, (uint32_t)n);
    put(b, padded, (n + 3) / 4 * 4);
}

enum { DIMENSIONS = 10, VARIABLES = 11, ATTRIBUTES = 12, CHAR = 2, FLOAT = 5, DOUBLE = 6 };

size_t vv_fuzz_seed(int i, uint8_t *out, size_t room)
{
    bytes b = {out, out + room};
    if (i > 1) return 0;
    put(&b, i ? "CDF\2" : "CDF\1", 4);
    put_numbers(&b, 3, (uint32_t[]){2, DIMENSIONS, 2}); /* two records */
    put_name(&b, "time");
    put_number(&b, 0);
    put_name(&b, "x");
    put_numbers(&b, 3, (uint32_t[]){3, ATTRIBUTES, 1});
    put_name(&b, "title");
    put_number(&b, CHAR);
    put_name(&b, "a text");
    put_numbers(&b, 2, (uint32_t[]){VARIABLES, 2});
    put_name(&b, "time");
    put_numbers(&b, 6, (uint32_t[]){1, 0, 0, 0, DOUBLE, 8});
    if (i) put_number(&b, 0);
    put_number(&b, 180);
    put_name(&b, "v");
    put_numbers(&b, 7, (uint32_t[]){2, 0, 1, 0, 0, FLOAT, 12});
    if (i) put_number(&b, 0);
    put_number(&b, 188);
    for (int k = 0; k < 20; k++) put_number(&b, 0x3f800000);
    return (size_t)(b.at - out);
}

/* --- looking at everything --- */

static vv_status look_at_chunks(vv_file *f, int var)
{
    const vv_variable *v = &f->meta->var[var];
    vv_grid g = {.shape = v->shape};
    memcpy(g.chunk, v->chunk, sizeof v->chunk);
    vv_index n = vv_grid_chunks(&g);
    if (n <= 0 || n > SMALL) return VV_OK;
    vv_index *number = malloc((size_t)n * sizeof *number);
    vv_chunk_at *at = malloc((size_t)n * sizeof *at);
    vv_fuzz_demand(number && at);
    for (vv_index i = 0; i < n; i++) number[i] = i;
    vv_status status = f->format->index(f, var, n, number, at);
    free(number);
    free(at);
    return status;
}

/* As many strings as there are elements, or an error. */
static vv_status look_at_text(vv_file *f, int var)
{
    vv_buf text = {0};
    vv_index n = 0;
    vv_status status = f->format->text ? f->format->text(f, var, &text) : VV_OK;
    for (size_t i = 0; status == VV_OK && i < text.size; i++) n += !text.data[i];
    vv_fuzz_demand(status != VV_OK || !f->format->text || n == vv_shape_elements(&f->meta->var[var].shape));
    vv_buf_free(&text);
    return status;
}

static vv_status look_at(vv_file *f, int var)
{
    const vv_variable *v = &f->meta->var[var];
    vv_box box = {.nd = v->shape.nd};
    vv_bytes address;
    if (v->layout == VV_LAYOUT_CHUNKED && v->fast) VV_TRY(look_at_chunks(f, var));
    if (v->layout == VV_LAYOUT_CONTIGUOUS && v->fast) VV_TRY(f->format->offset(f, var, &address));
    memcpy(box.n, v->shape.n, sizeof box.n);
    if (vv_variable_is(v, VV_STRINGS)) return look_at_text(f, var);
    if (vv_shape_elements(&v->shape) > SMALL) return VV_OK;
    size_t size = v->type == VV_NONE ? 1 : (size_t)vv_dtype_size(v->type);
    void *values = malloc((size_t)vv_shape_elements(&v->shape) * size + 1);
    vv_fuzz_demand(values != NULL);
    vv_status status = f->format->read(f, var, &box, values);
    free(values);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    vv_file *f;
    int fd = memfd_create("fuzz", 0);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size) abort();
    static bool begun;
    if (!begun && vv_apart_begin() != VV_OK) abort();
    begun = true;
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), fd);
    if (vv_file_open(path, &f) == VV_OK) {
        vv_buf packed = {0};
        for (int i = 0; i < f->meta->n_vars; i++)
            if (look_at(f, i) != VV_OK) vv_error_clear();
        vv_meta_pack(f->meta, &packed);
        vv_buf_free(&packed);
        vv_file_close(&f);
    }
    vv_error_clear();
    close(fd);
    return 0;
}

/* Strings of HDF5 files, of variable and of fixed length. */
#include "base/mem.h"
#include "storage/hdf5/file.h"

#include <stdlib.h>
#include <string.h>

/* A variable's strings on their way: all of them for a fixed length, else pointers to what HDF5 gave, NULL where nothing is stored. */
typedef struct strings {
    const vv_variable *v;
    hid_t dataset, space, type;
    bool fixed, blanks; /* of fixed length; padded with blanks */
    size_t size;        /* of one in `data` */
    vv_index n;
    char *data;
} strings;

static vv_status too_much(const strings *s)
{
    return vv_fail(VV_ERR_UNSUPPORTED, "%lld strings of more than %d MiB together are too much text", (long long)s->n,
                   VV_MOST_TEXT >> 20);
}

/* HDF5 1.10 wants to write what strings are where none were written, and may not. */
static vv_status not_read(void)
{
    vv_failure why;
    vv_error_get(&why);
    if (!strstr(why.text, "no write intent")) return why.code;
    return vv_fail(VV_ERR_UNSUPPORTED, "the HDF5 library does not read chunks of strings that were never written");
}

static const char *pointer_at(const strings *s, vv_index i)
{
    const char *p;
    memcpy(&p, s->data + (size_t)i * s->size, sizeof p);
    return p;
}

/* Some rows at a time: of damaged files every string may be the same long one. */
static vv_status read_rows(strings *s, vv_h5_record *record)
{
    enum { AT_ONCE = 4096 };
    vv_box box = {.nd = s->v->shape.nd};
    vv_bytes bytes = s->n;
    memcpy(box.n, s->v->shape.n, sizeof box.n);
    vv_box there = vv_h5_existing(s->space, &box), part = there;
    if (vv_box_elements(&there) == 0) return VV_OK;
    vv_index rows = box.nd ? there.n[0] : 1, row = s->n / (box.nd ? box.n[0] : 1);
    vv_index some = s->fixed || !box.nd ? rows : vv_imax(1, AT_ONCE / row);
    for (vv_index at = 0; at < rows; at += some) {
        if (box.nd) {
            part.lo[0] = at;
            part.n[0] = vv_imin(some, rows - at);
        }
        if (vv_h5_transfer(record, s->dataset, s->type, s->space, &part, &box, s->data) != VV_OK) return not_read();
        for (vv_index i = at * row; !s->fixed && i < (at + (box.nd ? part.n[0] : 1)) * row; i++)
            if (pointer_at(s, i)) bytes += (vv_bytes)strlen(pointer_at(s, i));
        if (bytes > VV_MOST_TEXT) return too_much(s);
    }
    return VV_OK;
}

static void put(const strings *s, vv_index i, vv_buf *out)
{
    const char *text = s->fixed ? s->data + (size_t)i * s->size : pointer_at(s, i);
    size_t length = !text ? 0 : s->fixed ? strnlen(text, s->size) : strlen(text);
    while (s->blanks && length > 0 && text[length - 1] == ' ') length--;
    vv_buf_bytes(out, text, length);
    vv_buf_bytes(out, "", 1);
}

static vv_status read_all(strings *s, vv_h5_record *record, vv_buf *out)
{
    if (s->n > VV_MOST_TEXT / (vv_index)(s->size > 1 ? s->size : 1)) return too_much(s);
    VV_TRY(vv_new(&s->data, (size_t)s->n + 1, s->size));
    vv_status status = read_rows(s, record);
    for (vv_index i = 0; status == VV_OK && i < s->n; i++) put(s, i, out);
    for (vv_index i = 0; !s->fixed && i < s->n; i++) free((void *)(uintptr_t)pointer_at(s, i));
    free(s->data);
    return status == VV_OK ? vv_buf_status(out) : status;
}

vv_status vv_h5_text(vv_file *f, int var, vv_buf *out)
{
    strings s = {.v = &f->meta->var[var], .n = vv_shape_elements(&f->meta->var[var].shape)};
    VV_TRY(vv_h5_dataset(f, var, &s.dataset));
    s.type = H5Dget_type(s.dataset);
    s.space = H5Dget_space(s.dataset);
    s.fixed = H5Tis_variable_str(s.type) <= 0;
    s.blanks = H5Tget_strpad(s.type) == H5T_STR_SPACEPAD;
    s.size = s.fixed ? H5Tget_size(s.type) : sizeof(char *);
    vv_status status = read_all(&s, &((vv_h5_file *)f->handle)->record, out);
    H5Sclose(s.space);
    H5Tclose(s.type);
    return status;
}

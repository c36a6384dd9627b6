#include "storage/hdf5/attr.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* --- reading --- */

static bool hidden(const char *name)
{
    static const char *const internal[] = {VV_H5_CLASS,          VV_H5_NAME,         VV_H5_DIMENSION_LIST,
                                           VV_H5_REFERENCE_LIST, "DIMENSION_LABELS", VV_NC_DIMENSION_ID,
                                           VV_NC_COORDINATES,    VV_NC_PROPERTIES,   "_nc3_strict"};
    for (size_t i = 0; i < sizeof internal / sizeof *internal; i++)
        if (!strcmp(name, internal[i])) return true;
    return false;
}

/* Stored strings end at their first NUL, or are padded with NULs or spaces. */
static size_t text_length(hid_t type, const char *text, size_t size)
{
    size_t n = strnlen(text, size);
    if (H5Tget_strpad(type) == H5T_STR_SPACEPAD)
        while (n > 0 && text[n - 1] == ' ') n--;
    return n;
}

static char *fixed_text(hid_t attr, hid_t type)
{
    size_t size = H5Tget_size(type);
    char *text = calloc(size + 1, 1);
    if (!text) return NULL;
    if (H5Aread(attr, type, text) < 0) {
        free(text);
        return NULL;
    }
    text[text_length(type, text, size)] = 0;
    return text;
}

static char *variable_text(hid_t attr, hid_t type)
{
    char *stored = NULL;
    if (H5Aread(attr, type, &stored) < 0) return NULL;
    char *text = strdup(stored ? stored : "");
    H5free_memory(stored);
    return text;
}

/* The text of an attribute that holds one string, to be freed; NULL on failure. */
static char *one_text(hid_t attr, hid_t type, hssize_t n)
{
    if (n == 0) return strdup("");
    return H5Tis_variable_str(type) > 0 ? variable_text(attr, type) : fixed_text(attr, type);
}

static vv_status read_text(hid_t attr, hid_t type, const char *name, hssize_t n, vv_attrs *out)
{
    if (n > 1) {
        vv_say(VV_LOG_DEBUG, "attribute %s is an array of %lld strings: skipped", name, (long long)n);
        return VV_OK;
    }
    char *text = one_text(attr, type, n);
    if (!text) return vv_fail(VV_ERR_FORMAT, "attribute %s cannot be read: %s", name, vv_h5_reason());
    vv_status status = vv_attr_set_text(out, name, text);
    free(text);
    return status;
}

static vv_status read_numbers(hid_t attr, hid_t type, const char *name, hssize_t n, vv_attrs *out)
{
    vv_h5_type t;
    vv_h5_describe_type(type, &t);
    if (t.type == VV_NONE) {
        vv_say(VV_LOG_DEBUG, "attribute %s is of type %s: skipped", name, t.text);
        return VV_OK;
    }
    void *data;
    VV_TRY(vv_new(&data, (size_t)n, (size_t)vv_dtype_size(t.type)));
    hid_t memory = vv_h5_memory_type(type, &t);
    vv_status status = n > 0 && H5Aread(attr, memory, data) < 0
                           ? vv_fail(VV_ERR_FORMAT, "attribute %s cannot be read: %s", name, vv_h5_reason())
                           : vv_attr_set(out, name, t.type, n, data);
    H5Tclose(memory);
    free(data);
    return status;
}

/* Elements of an attribute: 0 for a null space. */
static hssize_t attr_elements(hid_t attr)
{
    hid_t space = H5Aget_space(attr);
    hssize_t n = H5Sget_simple_extent_type(space) == H5S_NULL ? 0 : H5Sget_simple_extent_npoints(space);
    H5Sclose(space);
    return n < 0 ? 0 : n;
}

static vv_status read_attr(hid_t object, const char *name, vv_attrs *out)
{
    hid_t attr = H5Aopen(object, name, H5P_DEFAULT);
    if (attr < 0) return vv_fail(VV_ERR_FORMAT, "attribute %s cannot be opened: %s", name, vv_h5_reason());
    hid_t type = H5Aget_type(attr);
    hssize_t n = attr_elements(attr);
    vv_status status =
        H5Tget_class(type) == H5T_STRING ? read_text(attr, type, name, n, out) : read_numbers(attr, type, name, n, out);
    H5Tclose(type);
    H5Aclose(attr);
    return status;
}

typedef struct collection {
    vv_attrs *out;
    vv_status status;
} collection;

static herr_t collect(hid_t object, const char *name, const H5A_info_t *info, void *data)
{
    (void)info;
    collection *c = data;
    if (hidden(name)) return 0;
    c->status = read_attr(object, name, c->out);
    return c->status == VV_OK ? 0 : -1;
}

vv_status vv_h5_attrs_read(hid_t object, bool creation_order, vv_attrs *out)
{
    collection c = {.out = out, .status = VV_OK};
    H5_index_t order = creation_order ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
    if (H5Aiterate2(object, order, H5_ITER_INC, NULL, collect, &c) < 0 && c.status == VV_OK)
        return vv_fail(VV_ERR_FORMAT, "attributes cannot be read: %s", vv_h5_reason());
    return c.status;
}

bool vv_h5_attr_text(hid_t object, const char *name, char *out, size_t size)
{
    if (H5Aexists(object, name) <= 0) return false;
    hid_t attr = H5Aopen(object, name, H5P_DEFAULT);
    if (attr < 0) return false;
    hid_t type = H5Aget_type(attr);
    char *text =
        H5Tget_class(type) == H5T_STRING && attr_elements(attr) <= 1 ? one_text(attr, type, attr_elements(attr)) : NULL;
    H5Tclose(type);
    H5Aclose(attr);
    if (!text) return false;
    size_t n = strnlen(text, size - 1);
    memcpy(out, text, n);
    out[n] = 0;
    free(text);
    return true;
}

int vv_h5_attr_ints(hid_t object, const char *name, int n, int out[])
{
    if (H5Aexists(object, name) <= 0) return 0;
    hid_t attr = H5Aopen(object, name, H5P_DEFAULT);
    if (attr < 0) return 0;
    hssize_t have = attr_elements(attr);
    bool fits = have > 0 && have <= n && H5Aread(attr, H5T_NATIVE_INT, out) >= 0;
    H5Aclose(attr);
    return fits ? (int)have : 0;
}

/* --- writing --- */

static vv_status write_data(hid_t object, const char *name, hid_t type, hid_t space, const void *data)
{
    if (type < 0 || space < 0) return vv_fail(VV_ERR_WRITE, "attribute %s: %s", name, vv_h5_reason());
    hid_t attr = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attr < 0) return vv_fail(VV_ERR_WRITE, "attribute %s cannot be created: %s", name, vv_h5_reason());
    bool empty = H5Sget_simple_extent_type(space) == H5S_NULL;
    vv_status status = empty || H5Awrite(attr, type, data) >= 0
                           ? VV_OK
                           : vv_fail(VV_ERR_WRITE, "attribute %s cannot be written: %s", name, vv_h5_reason());
    H5Aclose(attr);
    return status;
}

/* Plain ASCII is marked as such, as netCDF-C does; anything else is taken for UTF-8. */
static H5T_cset_t character_set(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text >= 0x80) return H5T_CSET_UTF8;
    return H5T_CSET_ASCII;
}

static vv_status write_text(hid_t object, const char *name, const char *text, size_t size)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size ? size : 1);
    H5Tset_strpad(type, H5T_STR_NULLTERM);
    H5Tset_cset(type, character_set(text));
    hid_t space = H5Screate(size ? H5S_SCALAR : H5S_NULL);
    vv_status status = write_data(object, name, type, space, text);
    H5Sclose(space);
    H5Tclose(type);
    return status;
}

vv_status vv_h5_attr_write_text(hid_t object, const char *name, const char *text)
{
    return write_text(object, name, text, strlen(text));
}

vv_status vv_h5_attr_write_label(hid_t object, const char *name, const char *text)
{
    return write_text(object, name, text, strlen(text) + 1);
}

static vv_status write_array(hid_t object, const char *name, vv_dtype type, vv_index count, const void *data)
{
    hsize_t n = (hsize_t)count;
    hid_t stored = vv_h5_file_type(type);
    hid_t space = count ? H5Screate_simple(1, &n, NULL) : H5Screate(H5S_NULL);
    vv_status status = write_data(object, name, stored, space, data);
    H5Sclose(space);
    H5Tclose(stored);
    return status;
}

vv_status vv_h5_attr_write_int(hid_t object, const char *name, int value)
{
    hid_t space = H5Screate(H5S_SCALAR);
    vv_status status = write_data(object, name, H5T_NATIVE_INT, space, &value);
    H5Sclose(space);
    return status;
}

vv_status vv_h5_attr_write_ints(hid_t object, const char *name, int n, const int value[])
{
    return write_array(object, name, VV_I32, n, value);
}

vv_status vv_h5_attr_write(hid_t object, const vv_attr *a)
{
    if (a->type == VV_NONE) return vv_h5_attr_write_text(object, a->name, a->data);
    if (vv_dtype_kind(a->type) == 'c') {
        vv_say(VV_LOG_WARN, "attribute %s is complex, which NetCDF-4 cannot hold: left out", a->name);
        return VV_OK;
    }
    return write_array(object, a->name, a->type, a->count, a->data);
}

vv_status vv_h5_attrs_write(hid_t object, const vv_attrs *a)
{
    for (int i = 0; i < a->n; i++)
        if (!hidden(a->item[i].name)) VV_TRY(vv_h5_attr_write(object, &a->item[i]));
    return VV_OK;
}

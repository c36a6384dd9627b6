/* How the elements of a dataset are stored, and whether that is one of the ways in which Varve reads raw bytes by itself. */
#include "base/mem.h"
#include "storage/hdf5/file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Only the first reason is kept. */
static vv_status not_fast(vv_variable *v, const char *format, ...) VV_PRINTF(2, 3);
static vv_status not_fast(vv_variable *v, const char *format, ...)
{
    char text[160];
    va_list args;
    v->fast = false;
    if (v->why_not_fast) return VV_OK;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return vv_strdup(&v->why_not_fast, text);
}

enum { ZSTD_ORDINARY = 3 }; /* the level that zstd takes for 0 */

static vv_filter known_filter(H5Z_filter_t id)
{
    switch (id) {
    case H5Z_FILTER_SHUFFLE: return VV_FILTER_SHUFFLE;
    case H5Z_FILTER_DEFLATE: return VV_FILTER_DEFLATE;
    case H5Z_FILTER_FLETCHER32: return VV_FILTER_FLETCHER32;
    case VV_H5_ZSTD: return VV_FILTER_ZSTD;
    default: return 0;
    }
}

/* What is shuffled and compressed once, in this order, with sums anywhere: h5py takes them of what is stored, netCDF-C of the elements. */
static bool usual(const vv_variable *v, vv_filter now)
{
    bool compresses = now == VV_FILTER_DEFLATE || now == VV_FILTER_ZSTD;
    bool compressed = v->deflate >= 0 || v->zstd;
    if (now == VV_FILTER_SHUFFLE) return !v->shuffle && !compressed;
    return !(compresses && compressed);
}

static vv_status read_filter(hid_t list, unsigned i, vv_variable *v)
{
    unsigned flags, config, value[8] = {0};
    size_t n = 8;
    char name[80] = "";
    H5Z_filter_t id = H5Pget_filter2(list, i, &flags, &n, value, sizeof name, name, &config);
    vv_filter now = known_filter(id);
    if (!now) {
        char text[96];
        return not_fast(v, "filter %s", vv_h5_filter_text(id, name, text, sizeof text));
    }
    bool good = usual(v, now);
    if (now == VV_FILTER_SHUFFLE) v->shuffle = true;
    if (now == VV_FILTER_DEFLATE) v->deflate = n > 0 ? (int)value[0] : 0;
    if (now == VV_FILTER_FLETCHER32) v->fletcher32 = true;
    if (now == VV_FILTER_ZSTD) v->zstd = n > 0 && value[0] ? (int)value[0] : ZSTD_ORDINARY;
    if (!good || v->n_filters == VV_MAX_FILTERS) return not_fast(v, "filters in an unusual order");
    v->filter[v->n_filters++] = (unsigned char)now;
    return VV_OK;
}

static vv_status read_filters(hid_t list, vv_variable *v)
{
    int n = H5Pget_nfilters(list);
    for (int i = 0; i < n; i++) VV_TRY(read_filter(list, (unsigned)i, v));
    return VV_OK;
}

static vv_status read_layout(hid_t list, vv_variable *v)
{
    hsize_t chunk[VV_MAX_DIMS];
    switch (H5Pget_layout(list)) {
    case H5D_CHUNKED:
        v->layout = VV_LAYOUT_CHUNKED;
        if (H5Pget_chunk(list, VV_MAX_DIMS, chunk) != v->shape.nd)
            return vv_fail(VV_ERR_FORMAT, "its chunk shape is damaged");
        for (int d = 0; d < v->shape.nd; d++) v->chunk[d] = (vv_index)chunk[d];
        return read_filters(list, v);
    case H5D_CONTIGUOUS:
        v->layout = VV_LAYOUT_CONTIGUOUS;
        if (H5Pget_external_count(list) <= 0) return VV_OK;
        v->layout = VV_LAYOUT_OTHER;
        return not_fast(v, "external files");
    case H5D_COMPACT: v->layout = VV_LAYOUT_COMPACT; return not_fast(v, "compact layout");
    default: v->layout = VV_LAYOUT_OTHER; return not_fast(v, "virtual dataset");
    }
}

static void read_fill(hid_t list, hid_t dataset, vv_variable *v)
{
    H5D_fill_value_t defined = H5D_FILL_VALUE_UNDEFINED;
    bool text = v->type == VV_NONE && !vv_variable_is(v, VV_CHARS);
    if (text || H5Pfill_value_defined(list, &defined) < 0 || defined == H5D_FILL_VALUE_UNDEFINED) return;
    hid_t stored = H5Dget_type(dataset);
    vv_h5_type type;
    vv_h5_describe_type(stored, &type);
    hid_t memory = vv_h5_memory_type(stored, &type);
    H5Pget_fill_value(list, memory, v->fill);
    H5Tclose(memory);
    H5Tclose(stored);
}

/* A variable may be shorter than its unlimited dimension. True when it is. */
static bool note_absent(vv_variable *v, const hsize_t extent[])
{
    bool any = false;
    for (int d = 0; d < v->shape.nd; d++) {
        v->absent[d] = v->shape.n[d] - (vv_index)extent[d];
        any = any || v->absent[d] > 0;
    }
    return any;
}

vv_status vv_h5_storage_read(hid_t dataset, const hsize_t extent[], bool exact, vv_variable *v)
{
    hid_t list = H5Dget_create_plist(dataset);
    if (list < 0) return vv_fail(VV_ERR_FORMAT, "its storage properties are unreadable: %s", vv_h5_reason());
    v->fast = true;
    vv_status status = read_layout(list, v);
    if (status == VV_OK) read_fill(list, dataset, v);
    H5Pclose(list);
    VV_TRY(status);
    v->stored = (vv_bytes)H5Dget_storage_size(dataset);
    if (v->type == VV_NONE && !exact) return not_fast(v, "type %s", v->type_text);
    if (!exact) return not_fast(v, "stored as %s", v->type_text);
    if (note_absent(v, extent) && v->layout != VV_LAYOUT_CHUNKED)
        return not_fast(v, "shorter than its unlimited dimension");
    return VV_OK;
}

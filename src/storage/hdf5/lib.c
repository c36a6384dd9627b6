#include "storage/hdf5/lib.h"

#include <stdio.h>
#include <string.h>

static bool ready;

bool vv_h5_started(void)
{
    return ready;
}

vv_status vv_h5_setup(void)
{
    if (ready) return VV_OK;
    if (H5open() < 0) return vv_fail(VV_ERR_RUN, "the HDF5 library does not start");
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    VV_TRY(vv_h5_zstd_register());
    ready = true;
    return VV_OK;
}

static struct {
    char text[256];
    char function[64];
} reason;

static herr_t keep_innermost(unsigned n, const H5E_error2_t *e, void *data)
{
    (void)data;
    if (n == 0) {
        snprintf(reason.text, sizeof reason.text, "%s", e->desc && *e->desc ? e->desc : "no reason given");
        snprintf(reason.function, sizeof reason.function, "%s", e->func_name ? e->func_name : "");
    }
    return 0;
}

static void find_reason(void)
{
    snprintf(reason.text, sizeof reason.text, "no reason given");
    reason.function[0] = 0;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, NULL);
}

const char *vv_h5_reason(void)
{
    find_reason();
    return reason.text;
}

const char *vv_h5_reason_function(void)
{
    find_reason();
    return reason.function;
}

const char *vv_h5_filter_text(H5Z_filter_t id, const char *name, char *out, size_t size)
{
    static const struct {
        H5Z_filter_t id;
        const char *name;
    } known[] = {{H5Z_FILTER_SZIP, "szip"},
                 {H5Z_FILTER_NBIT, "n-bit"},
                 {H5Z_FILTER_SCALEOFFSET, "scale-offset"},
                 {307, "bzip2"},
                 {32000, "lzf"},
                 {32001, "blosc"},
                 {32004, "lz4"},
                 {32008, "bitshuffle"},
                 {32013, "zfp"},
                 {32015, "zstd"},
                 {32017, "sz"},
                 {32026, "blosc2"}};
    const char *found = name;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].id == id) found = known[i].name;
    snprintf(out, size, *found ? "%s" : "%s%d", found, id);
    return out;
}

/* --- element types --- */

static bool host_order(H5T_order_t order)
{
    return order == H5Tget_order(H5T_NATIVE_INT);
}

static vv_dtype integer_of(size_t size, bool is_signed)
{
    static const vv_dtype s[] = {VV_I8, VV_I16, VV_I32, VV_I64}, u[] = {VV_U8, VV_U16, VV_U32, VV_U64};
    for (int i = 0; i < 4; i++)
        if (size <= (size_t)1 << i) return is_signed ? s[i] : u[i];
    return VV_NONE;
}

static void describe_order(hid_t stored, vv_h5_type *out)
{
    H5T_order_t order = H5Tget_order(stored);
    out->exact = out->exact && (order == H5T_ORDER_LE || order == H5T_ORDER_BE || H5Tget_size(stored) == 1);
    out->swapped = out->exact && H5Tget_size(stored) > 1 && !host_order(order);
}

static void describe_integer(hid_t stored, vv_h5_type *out)
{
    size_t size = H5Tget_size(stored);
    out->type = integer_of(size, H5Tget_sign(stored) == H5T_SGN_2);
    out->exact = out->type != VV_NONE && (size_t)vv_dtype_size(out->type) == size &&
                 H5Tget_precision(stored) == 8 * size && H5Tget_offset(stored) == 0;
    describe_order(stored, out);
    if (out->type == VV_NONE || !out->exact)
        snprintf(out->text, sizeof out->text, "%zu-bit integer", H5Tget_precision(stored));
}

static void describe_real(hid_t stored, vv_h5_type *out)
{
    out->type = H5Tget_size(stored) <= 4 ? VV_F32 : VV_F64;
    out->exact = H5Tequal(stored, H5T_IEEE_F32LE) > 0 || H5Tequal(stored, H5T_IEEE_F32BE) > 0 ||
                 H5Tequal(stored, H5T_IEEE_F64LE) > 0 || H5Tequal(stored, H5T_IEEE_F64BE) > 0;
    describe_order(stored, out);
    if (!out->exact) snprintf(out->text, sizeof out->text, "%zu-bit float", H5Tget_precision(stored));
}

/* h5py's bool is an enumeration of FALSE = 0 and TRUE = 1 over one byte; other enumerations are their integers. */
static bool is_bool(hid_t stored)
{
    signed char f = -1, t = -1;
    if (H5Tget_nmembers(stored) != 2 || H5Tget_size(stored) != 1) return false;
    return H5Tenum_valueof(stored, "FALSE", &f) >= 0 && H5Tenum_valueof(stored, "TRUE", &t) >= 0 && f == 0 && t == 1;
}

static void describe_enum(hid_t stored, vv_h5_type *out)
{
    hid_t base = H5Tget_super(stored);
    describe_integer(base, out);
    H5Tclose(base);
    if (out->exact && is_bool(stored)) out->type = VV_BOOL;
}

/* Complex numbers, as h5py writes them: a compound of two equal floats r and i. */
static void describe_compound(hid_t stored, vv_h5_type *out)
{
    snprintf(out->text, sizeof out->text, "compound");
    if (H5Tget_nmembers(stored) != 2 || H5Tget_member_class(stored, 0) != H5T_FLOAT) return;
    char *a = H5Tget_member_name(stored, 0), *b = H5Tget_member_name(stored, 1);
    hid_t r = H5Tget_member_type(stored, 0), i = H5Tget_member_type(stored, 1);
    vv_h5_type part = {0};
    describe_real(r, &part);
    bool named = a && b && !strcmp(a, "r") && !strcmp(b, "i");
    size_t size = H5Tget_size(r);
    if (named && part.exact && H5Tequal(r, i) > 0 && H5Tget_size(stored) == 2 * size &&
        H5Tget_member_offset(stored, 1) == size) {
        *out = (vv_h5_type){.type = size == 4 ? VV_C64 : VV_C128, .exact = !part.swapped};
        if (part.swapped) snprintf(out->text, sizeof out->text, "complex in the other byte order");
    }
    H5free_memory(a);
    H5free_memory(b);
    H5Tclose(r);
    H5Tclose(i);
}

static void describe_string(hid_t stored, vv_h5_type *out)
{
    out->exact = H5Tis_variable_str(stored) <= 0 && H5Tget_size(stored) == 1;
    snprintf(out->text, sizeof out->text, "%s", out->exact ? VV_CHARS : VV_STRINGS);
}

static void describe_other(hid_t stored, vv_h5_type *out)
{
    static const char *const name[H5T_NCLASSES] = {
        [H5T_TIME] = "time",           [H5T_BITFIELD] = "bit field", [H5T_OPAQUE] = "opaque",
        [H5T_REFERENCE] = "reference", [H5T_VLEN] = "vlen",          [H5T_ARRAY] = "array"};
    H5T_class_t c = H5Tget_class(stored);
    const char *text = c > H5T_NO_CLASS && c < H5T_NCLASSES ? name[c] : NULL;
    snprintf(out->text, sizeof out->text, "%s", text ? text : "unknown");
}

void vv_h5_describe_type(hid_t stored, vv_h5_type *out)
{
    *out = (vv_h5_type){0};
    switch (H5Tget_class(stored)) {
    case H5T_INTEGER: describe_integer(stored, out); break;
    case H5T_FLOAT: describe_real(stored, out); break;
    case H5T_ENUM: describe_enum(stored, out); break;
    case H5T_COMPOUND: describe_compound(stored, out); break;
    case H5T_STRING: describe_string(stored, out); break;
    default: describe_other(stored, out); break;
    }
    if (!out->text[0])
        snprintf(out->text, sizeof out->text, "%s%s", vv_dtype_name(out->type),
                 !out->swapped              ? ""
                 : host_order(H5T_ORDER_LE) ? " big-endian"
                                            : " little-endian");
}

static hid_t native(vv_dtype type)
{
    switch (type) {
    case VV_BOOL:
    case VV_I8: return H5T_NATIVE_INT8;
    case VV_I16: return H5T_NATIVE_INT16;
    case VV_I32: return H5T_NATIVE_INT32;
    case VV_I64: return H5T_NATIVE_INT64;
    case VV_U8: return H5T_NATIVE_UINT8;
    case VV_U16: return H5T_NATIVE_UINT16;
    case VV_U32: return H5T_NATIVE_UINT32;
    case VV_U64: return H5T_NATIVE_UINT64;
    case VV_F32:
    case VV_C64: return H5T_NATIVE_FLOAT;
    case VV_F64:
    case VV_C128: return H5T_NATIVE_DOUBLE;
    default: return -1;
    }
}

static hid_t complex_type(vv_dtype type)
{
    size_t size = (size_t)vv_dtype_size(type);
    hid_t t = H5Tcreate(H5T_COMPOUND, size);
    if (t < 0) return t;
    if (H5Tinsert(t, "r", 0, native(type)) >= 0 && H5Tinsert(t, "i", size / 2, native(type)) >= 0) return t;
    H5Tclose(t);
    return -1;
}

hid_t vv_h5_file_type(vv_dtype type)
{
    return vv_dtype_kind(type) == 'c' ? complex_type(type) : H5Tcopy(native(type));
}

hid_t vv_h5_memory_type(hid_t stored, const vv_h5_type *t)
{
    if (t->type == VV_NONE) return !strcmp(t->text, VV_CHARS) ? H5Tcopy(stored) : -1;
    if (H5Tget_class(stored) == H5T_ENUM) return H5Tget_native_type(stored, H5T_DIR_DEFAULT);
    return vv_h5_file_type(t->type);
}

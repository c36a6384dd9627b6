#include "base/dtype.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name;
    vv_bytes size;
    char kind;
} table[VV_DTYPE_COUNT] = {{"none", 0, '?'},
#define ROW(ENUM, name, ctype, kind) {name, sizeof(ctype), kind},
                           VV_DTYPE_LIST(ROW)
#undef ROW
};

static vv_dtype known(vv_dtype t)
{
    return t > VV_NONE && t < VV_DTYPE_COUNT ? t : VV_NONE;
}

vv_bytes vv_dtype_size(vv_dtype type)
{
    return table[known(type)].size;
}

const char *vv_dtype_name(vv_dtype type)
{
    return table[known(type)].name;
}

char vv_dtype_kind(vv_dtype type)
{
    return table[known(type)].kind;
}

vv_dtype vv_dtype_parse(const char *name)
{
    for (int t = VV_NONE + 1; t < VV_DTYPE_COUNT; t++)
        if (!strcmp(table[t].name, name)) return (vv_dtype)t;
    return VV_NONE;
}

static vv_dtype of_kind(char kind, vv_bytes size)
{
    for (int t = VV_NONE + 1; t < VV_DTYPE_COUNT; t++)
        if (table[t].kind == kind && table[t].size == size) return (vv_dtype)t;
    return VV_NONE;
}

/* Smallest real type that holds every value of an integer type, as NumPy sees it. */
static vv_bytes real_size(vv_dtype t)
{
    switch (vv_dtype_kind(t)) {
    case 'f': return vv_dtype_size(t);
    case 'c': return vv_dtype_size(t) / 2;
    case 'b': return 4;
    default: return vv_dtype_size(t) <= 2 ? 4 : 8;
    }
}

vv_dtype vv_dtype_promote(vv_dtype a, vv_dtype b)
{
    char ka = vv_dtype_kind(a), kb = vv_dtype_kind(b);
    if (ka == '?' || kb == '?') return VV_NONE;
    if (a == b || kb == 'b') return a;
    if (ka == 'b') return b;
    if (ka == 'c' || kb == 'c' || ka == 'f' || kb == 'f') {
        vv_bytes real = real_size(a) > real_size(b) ? real_size(a) : real_size(b);
        return ka == 'c' || kb == 'c' ? of_kind('c', 2 * real) : of_kind('f', real);
    }
    if (ka == kb) return vv_dtype_size(a) > vv_dtype_size(b) ? a : b;
    vv_dtype s = ka == 'i' ? a : b, u = ka == 'i' ? b : a;
    if (vv_dtype_size(s) > vv_dtype_size(u)) return s;
    return vv_dtype_size(u) == 8 ? VV_F64 : of_kind('i', 2 * vv_dtype_size(u));
}

double vv_dtype_load(vv_dtype type, const void *element)
{
    switch (type) {
#define LOAD(ENUM, ctype)                                                                                              \
    case VV_##ENUM: {                                                                                                  \
        ctype v;                                                                                                       \
        memcpy(&v, element, sizeof v);                                                                                 \
        return (double)v;                                                                                              \
    }
        LOAD(BOOL, uint8_t)
        LOAD(I8, int8_t)
        LOAD(I16, int16_t)
        LOAD(I32, int32_t)
        LOAD(I64, int64_t)
        LOAD(U8, uint8_t)
        LOAD(U16, uint16_t)
        LOAD(U32, uint32_t)
        LOAD(U64, uint64_t)
        LOAD(F32, float)
        LOAD(F64, double)
        LOAD(C64, float)
        LOAD(C128, double)
#undef LOAD
    default: return NAN;
    }
}

static double clamp(double v, double lo, double hi)
{
    v = rint(v);
    return v < lo ? lo : v > hi ? hi : v;
}

void vv_dtype_store(vv_dtype type, void *element, double value)
{
    switch (type) {
#define STORE(ENUM, ctype, lo, hi)                                                                                     \
    case VV_##ENUM: {                                                                                                  \
        ctype v = isnan(value) ? 0 : (ctype)clamp(value, lo, hi);                                                      \
        memcpy(element, &v, sizeof v);                                                                                 \
        return;                                                                                                        \
    }
        STORE(I8, int8_t, INT8_MIN, INT8_MAX)
        STORE(I16, int16_t, INT16_MIN, INT16_MAX)
        STORE(I32, int32_t, INT32_MIN, INT32_MAX)
        STORE(I64, int64_t, -0x1p63, 0x1.fffffffffffffp62)
        STORE(U8, uint8_t, 0, UINT8_MAX)
        STORE(U16, uint16_t, 0, UINT16_MAX)
        STORE(U32, uint32_t, 0, UINT32_MAX)
        STORE(U64, uint64_t, 0, 0x1.fffffffffffffp63)
#undef STORE
    case VV_BOOL: *(uint8_t *)element = value != 0; return;
    case VV_F32: memcpy(element, &(float){(float)value}, sizeof(float)); return;
    case VV_F64: memcpy(element, &value, sizeof value); return;
    case VV_C64: memcpy(element, &(vv_c64){(float)value, 0}, sizeof(vv_c64)); return;
    case VV_C128: memcpy(element, &(vv_c128){value, 0}, sizeof(vv_c128)); return;
    default: return;
    }
}

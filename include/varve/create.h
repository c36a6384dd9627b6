/* Arrays that come from no file: constants, positions, random numbers. All functions: Driver only. */
#ifndef VARVE_CREATE_H
#define VARVE_CREATE_H

#include "varve/array.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Random numbers that depend on seed and position alone: vv_random_array(s, "normal", "x:10000,y:10000", "x:1000,y:1000", 42, VV_F32). kind:
 * vv_random_name(). chunks NULL: of a fitting size. dtype: VV_F32 or VV_F64, VV_I64 for kinds of integers. */
VV_API vv_array *vv_random_array(vv_session *s, const char *kind, const char *dims, const char *chunks, uint64_t seed,
                                 vv_dtype dtype);
/* The same with the kind's two parameters, as its help tells them: vv_random_array_of(s, "uniform", -1, 1, ...) is between -1 and 1. */
VV_API vv_array *vv_random_array_of(vv_session *s, const char *kind, double first, double second, const char *dims,
                                    const char *chunks, uint64_t seed, vv_dtype dtype);
/* The elements of a buffer of the driver's, row-major: vv_from_buffer(s, "lat:180,lon:360", NULL, VV_F32, mask). Rank 0 hands them out when they are wanted; until
 * then they must stay there, and as they are. vv_persist() hands them out for good, then the buffer may go. chunks NULL: of a fitting size. */
VV_API vv_array *vv_from_buffer(vv_session *s, const char *dims, const char *chunks, vv_dtype dtype,
                                const void *buffer);
/* Strings along a new dimension, for a file: vv_strings(s, "station", names, 3). They are copied. */
VV_API vv_array *vv_strings(vv_session *s, const char *dim, const char *const text[], vv_index n);
/* One value everywhere: vv_full(s, "lat:180,lon:360", NULL, 1, VV_F32) is all ones. chunks NULL: of a fitting size. The value must be one of the type. */
VV_API vv_array *vv_full(vv_session *s, const char *dims, const char *chunks, double value, vv_dtype dtype);
static inline vv_array *vv_zeros(vv_session *s, const char *dims, const char *chunks, vv_dtype dtype)
{
    return vv_full(s, dims, chunks, 0, dtype);
}
static inline vv_array *vv_ones(vv_session *s, const char *dims, const char *chunks, vv_dtype dtype)
{
    return vv_full(s, dims, chunks, 1, dtype);
}
/* With the dimensions, coordinates, attributes and type of another array: vv_full_like(t, 0) is zeros_like. */
VV_API vv_array *vv_full_like(vv_array *a, double value);
/* start, start + step ... up to, and without, stop: vv_arange(s, "x", 0, 10, 1, VV_I64). */
VV_API vv_array *vv_arange(vv_session *s, const char *dim, double start, double stop, double step, vv_dtype dtype);
/* n f64 numbers at equal distances; the last one is `stop` itself, unless open: then it would be the next one. */
VV_API vv_array *vv_linspace(vv_session *s, const char *dim, double start, double stop, vv_index n, bool open);
/* One on the k-th diagonal of two dimensions, zero elsewhere; one on it and below: vv_eye(s, "y:5,x:5", 0, VV_F64). */
VV_API vv_array *vv_eye(vv_session *s, const char *dims, vv_index k, vv_dtype dtype);
VV_API vv_array *vv_tri(vv_session *s, const char *dims, vv_index k, vv_dtype dtype);
/* The only dimension's elements on the k-th diagonal of a square array: vv_diag(v, "y", "x", 0). */
VV_API vv_array *vv_diag(vv_array *a, const char *rows, const char *columns, vv_index k);
/* Positions along each of these dimensions, stacked along a new first one: vv_indices(s, "y:4,x:6", "axis", VV_I64). */
VV_API vv_array *vv_indices(vv_session *s, const char *dims, const char *axis, vv_dtype dtype);
/* n arrays with all the dimensions that one of them has, in out[]: a mesh of one-dimensional ones. */
VV_API void vv_broadcast(vv_session *s, vv_array *const arrays[], int n, vv_array *out[]);
/* The same by position, as NumPy broadcasts: dimensions are counted from the last one, whatever they are called, and those of length 1 are repeated. All get the names of the array that has most
 * dimensions, and its coordinates; then they are operands like others: vv_add(out[0], out[1]). */
VV_API void vv_broadcast_by_position(vv_session *s, vv_array *const arrays[], int n, vv_array *out[]);

/* All elements along a dimension, at a random order of the seed's; n of them, none twice unless `again`. */
VV_API vv_array *vv_permutation(vv_array *a, const char *dim, uint64_t seed);
VV_API vv_array *vv_choice(vv_array *a, const char *dim, vv_index n, bool again, uint64_t seed);
/* The kinds of random numbers: NULL past the end. */
VV_API const char *vv_random_name(int i);
VV_API const char *vv_random_help(int i);

#ifdef __cplusplus
}
#endif
#endif

/* Arrays: lazy, chunked, labelled. (create.h makes them of nothing, move.h puts elements at other places.)
 *
 * An array is a promise: building one reads no data. Functions that build arrays never return NULL; when something is wrong they return
 * an *inert* array that remembers the first cause, whatever is built on it is inert too, and compute or save report it. One check at
 * the end of a chain is enough.
 *
 * Arrays belong to their session and go with it. vv_release() lets go of one earlier, vv_release_since() of many. All functions: Driver only. */
#ifndef VARVE_ARRAY_H
#define VARVE_ARRAY_H

#include "varve/session.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vv_array vv_array;

/* --- opening --- */

/* A variable of a file: vv_open(s, "t2m.nc", "t2m"). Packed values are unpacked and missing ones are NaN when computed. */
VV_API vv_array *vv_open(vv_session *s, const char *path, const char *variable);

/* --- elementwise: one function per line, NumPy's names and rules ---
 *
 * Transcendental functions are within 1 unit in the last place (power, arctan2 and hypot of extreme arguments aside), the same bits on every machine.
 * Complex numbers (c64, c128: pairs of reals) have what NumPy defines for them; vv_make_complex(re, im) makes them, vv_real(), vv_imag(), vv_absolute() and vv_angle()
 * take them apart. Functions of complex numbers are within a few units in the last place of the larger part. Comparisons, minimum and maximum order by the real part
 * first, as in NumPy; sorting and what is different go by it, NaN last; reductions that need an order (min, max, argmin, median ...) and quantiles are errors. A complex number is missing when a part is NaN.
 * Operands are matched by the names of their dimensions, as in xarray: the result has those of the first operand, then what the others have
 * besides. Equal names must have equal lengths; order does not matter. With an operand that is grouped (vv_group()), one that has the groups as
 * a dimension is matched group by group: vv_sub(vv_group(t, "time.month"), climatology). */

#define VV_UNARY_LIST(X)                                                                                               \
    X(negative)                                                                                                        \
    X(positive)                                                                                                        \
    X(absolute)                                                                                                        \
    X(fabs)                                                                                                            \
    X(sign)                                                                                                            \
    X(square)                                                                                                          \
    X(reciprocal)                                                                                                      \
    X(sqrt)                                                                                                            \
    X(cbrt)                                                                                                            \
    X(exp)                                                                                                             \
    X(exp2)                                                                                                            \
    X(expm1)                                                                                                           \
    X(log)                                                                                                             \
    X(log2)                                                                                                            \
    X(log10)                                                                                                           \
    X(log1p)                                                                                                           \
    X(sin)                                                                                                             \
    X(cos)                                                                                                             \
    X(tan)                                                                                                             \
    X(arcsin)                                                                                                          \
    X(arccos)                                                                                                          \
    X(arctan)                                                                                                          \
    X(sinh)                                                                                                            \
    X(cosh)                                                                                                            \
    X(tanh)                                                                                                            \
    X(arcsinh)                                                                                                         \
    X(arccosh)                                                                                                         \
    X(arctanh)                                                                                                         \
    X(degrees)                                                                                                         \
    X(radians)                                                                                                         \
    X(floor)                                                                                                           \
    X(ceil)                                                                                                            \
    X(rint)                                                                                                            \
    X(trunc)                                                                                                           \
    X(spacing)                                                                                                         \
    X(real)                                                                                                            \
    X(imag)                                                                                                            \
    X(conjugate)                                                                                                       \
    X(angle)                                                                                                           \
    X(nan_to_zero)                                                                                                     \
    X(isnan)                                                                                                           \
    X(isfinite)                                                                                                        \
    X(isinf)                                                                                                           \
    X(isposinf)                                                                                                        \
    X(isneginf)                                                                                                        \
    X(signbit)                                                                                                         \
    X(logical_not)                                                                                                     \
    X(invert)
#define VV_BINARY_LIST(X)                                                                                              \
    X(add)                                                                                                             \
    X(subtract)                                                                                                        \
    X(multiply)                                                                                                        \
    X(divide)                                                                                                          \
    X(power)                                                                                                           \
    X(minimum)                                                                                                         \
    X(maximum)                                                                                                         \
    X(fmin)                                                                                                            \
    X(fmax)                                                                                                            \
    X(floor_divide)                                                                                                    \
    X(remainder)                                                                                                       \
    X(fmod)                                                                                                            \
    X(hypot)                                                                                                           \
    X(arctan2)                                                                                                         \
    X(copysign)                                                                                                        \
    X(nextafter)                                                                                                       \
    X(heaviside)                                                                                                       \
    X(ldexp)                                                                                                           \
    X(greater)                                                                                                         \
    X(greater_equal)                                                                                                   \
    X(less)                                                                                                            \
    X(less_equal)                                                                                                      \
    X(equal)                                                                                                           \
    X(not_equal)                                                                                                       \
    X(logical_and)                                                                                                     \
    X(logical_or)                                                                                                      \
    X(logical_xor)                                                                                                     \
    X(bitwise_and)                                                                                                     \
    X(bitwise_or)                                                                                                      \
    X(bitwise_xor)                                                                                                     \
    X(left_shift)                                                                                                      \
    X(right_shift)                                                                                                     \
    X(gcd)                                                                                                             \
    X(lcm)                                                                                                             \
    X(make_complex)

#define VV_DECLARE_UNARY(name)  VV_API vv_array *vv_##name(vv_array *a);
#define VV_DECLARE_BINARY(name) VV_API vv_array *vv_##name(vv_array *a, vv_array *b);
VV_UNARY_LIST(VV_DECLARE_UNARY)
VV_BINARY_LIST(VV_DECLARE_BINARY)
#undef VV_DECLARE_UNARY
#undef VV_DECLARE_BINARY
VV_API vv_array *vv_sub(vv_array *a, vv_array *b); /* vv_subtract */
VV_API vv_array *vv_mul(vv_array *a, vv_array *b); /* vv_multiply */
/* Elements as another type, as numpy's astype: integers that do not fit wrap, reals are cut to integers. */
VV_API vv_array *vv_astype(vv_array *a, vv_dtype type);
/* The same, but the first value that the type cannot hold ends the computation: too large or too small, or a NaN as an integer. What is behind the point of a real may be lost. */
VV_API vv_array *vv_astype_checked(vv_array *a, vv_dtype type);
VV_API vv_array *vv_where(vv_array *condition, vv_array *a, vv_array *b);
/* Made of these; NumPy's names and rules. isclose: |a - b| <= atol + rtol |b| (numpy: 1e-5, 1e-8). */
VV_API vv_array *vv_isclose(vv_array *a, vv_array *b, double rtol, double atol, bool equal_nan);
VV_API vv_array *vv_allclose(vv_array *a, vv_array *b, double rtol, double atol, bool equal_nan);
VV_API vv_array *vv_iscomplex(vv_array *a);
VV_API vv_array *vv_isreal(vv_array *a);
VV_API vv_array *vv_logaddexp(vv_array *a, vv_array *b);
VV_API vv_array *vv_logaddexp2(vv_array *a, vv_array *b);
VV_API vv_array *vv_sinc(vv_array *a);
VV_API vv_array *vv_i0(vv_array *a);
VV_API vv_array *vv_float_power(vv_array *a, vv_array *b);
/* To decimal digits, halves to even; below 0: before the point. */
VV_API vv_array *vv_round(vv_array *a, int digits);
/* posinf, neginf NAN: the greatest and the least number. */
VV_API vv_array *vv_nan_to_num(vv_array *a, double nan, double posinf, double neginf);
/* a = mantissa * 2^exponent (i32), a = fraction + whole. NULL: not wanted. */
VV_API void vv_frexp(vv_array *a, vv_array **mantissa, vv_array **exponent);
VV_API void vv_modf(vv_array *a, vv_array **fraction, vv_array **whole);
/* A number to use as an operand. */
VV_API vv_array *vv_scalar(vv_session *s, double value);
/* A complex one: of f32 arrays it makes c64, of all other reals c128. */
VV_API vv_array *vv_complex_scalar(vv_session *s, double re, double im);
/* By name, for tables and languages: vv_elementwise(s, "sqrt", (vv_array *[]){a}, 1). */
VV_API vv_array *vv_elementwise(vv_session *s, const char *op, vv_array *const operands[], int n);

/* --- reductions --- */

typedef struct vv_reduce_options {
    bool keep_nan;  /* NaN in, NaN out; by default missing values are skipped */
    bool keep_dims; /* reduced dimensions stay, with length 1 */
    double ddof;    /* var and std divide by count - ddof */
    double least;   /* longest_run, runs, run_total, first_run, last_run: runs from this length on; 0 is 1 */
} vv_reduce_options;
#define VV_REDUCE_OPTIONS_INIT                                                                                         \
    {                                                                                                                  \
        false, false, 0, 0                                                                                             \
    }

/* dims: "time" or "lat,lon"; NULL for all. Of a grouped array whose groups lie along one of them: group by group. options: NULL for the defaults. how: "mean", "sum", ... see vv_reduction_name. */
VV_API vv_array *vv_reduce(vv_array *a, const char *how, const char *dims, const vv_reduce_options *options);

VV_API vv_array *vv_sum(vv_array *a, const char *dims);
VV_API vv_array *vv_mean(vv_array *a, const char *dims);
VV_API vv_array *vv_min(vv_array *a, const char *dims);
VV_API vv_array *vv_max(vv_array *a, const char *dims);
VV_API vv_array *vv_var(vv_array *a, const char *dims);
VV_API vv_array *vv_std(vv_array *a, const char *dims);
/* The position of the least or greatest value along a dimension, i64; of several equal ones the first. Over several dimensions it is counted in
 * row-major order of these, as NumPy's flat index. -1 where all values are missing; with keep_nan the position of the first NaN. */
VV_API vv_array *vv_argmin(vv_array *a, const char *dims);
VV_API vv_array *vv_argmax(vv_array *a, const char *dims);
/* Runs: stretches of neighbours along one dimension that are not 0, such as vv_greater(t, limit). What is missing is in no run, and groups end runs: of the Januaries of many years each is on its own.
 * longest_run is a length, runs a number, run_total the elements in all of them; first_run and last_run tell where the first one begins and the last one ends, counted from the (group's) first
 * element on, NaN where there is none. Of nothing but missing elements all are NaN. vv_reduce(hot, "run_total", "time", &(vv_reduce_options){.least = 6}): days in heat waves.
 * With weights, which are lined up with the array like any operand: vv_weighted(t, "mean", vv_cos(vv_radians(lat)), "lat,lon", NULL). how: sum, mean,
 * var, std, sum_of_weights. Weights of missing values do not count; where those that do add up to 0, the mean is NaN. */
VV_API vv_array *vv_weighted(vv_array *a, const char *how, vv_array *weights, const char *dims,
                             const vv_reduce_options *options);
/* The mean n-th power of the deviation from the mean: vv_moment(a, 4, "time", NULL). The array is read twice. */
VV_API vv_array *vv_moment(vv_array *a, int order, const char *dims, const vv_reduce_options *options);

/* --- order: exact, whether the dimensions are cut into chunks or not. All elements of a lane, those along the named dimensions together, are
 * brought to one rank, as many lanes at a time as memory allows --- */

typedef struct vv_quantile_options {
    const char *method; /* NumPy's name of a definition, vv_quantile_method_name(); NULL: "linear" */
    bool keep_nan;      /* NaN in, NaN out; by default missing values are left out */
    bool keep_dims;     /* reduced dimensions stay, with length 1 */
    vv_index window;    /* of groups: so many elements around each one, centred, count as its group's, too; 0: none */
} vv_quantile_options;
#define VV_QUANTILE_OPTIONS_INIT                                                                                       \
    {                                                                                                                  \
        0, false, false, 0                                                                                             \
    }
/* Of grouped arrays: group by group. With a window, as in vv_quantile(vv_group(t, "time.dayofyear"), 0.9, "time", &(vv_quantile_options){.window = 5}), a group has the elements at its positions and
 * around each of them, in front of and behind the first and the last position none: the days around each day of the year, whatever year they are in.
 * One quantile, 0 to 1: vv_quantile(t, 0.95, "time", NULL). NumPy's result, computed in f64 and, of f32, rounded to f32; the definitions that pick an
 * element (inverted_cdf, closest_observation, lower, higher, nearest) keep every type. dims NULL: of all elements. */
VV_API vv_array *vv_quantile(vv_array *a, double q, const char *dims, const vv_quantile_options *options);
/* Of values with weights, which are lined up with the array like any operand: xarray's definition, which is NumPy's where all weights are the same; weights that are missing, or 0, leave a value out.
 * Not of groups, and not by the definitions that pick an element. One: keep_dims does nothing. */
VV_API vv_array *vv_weighted_quantile(vv_array *a, double q, vv_array *weights, const char *dims,
                                      const vv_quantile_options *options);
VV_API vv_array *vv_weighted_quantiles(vv_array *a, const double q[], vv_index n, vv_array *weights, const char *dims,
                                       const vv_quantile_options *options);
/* Several at once, along a new first dimension "quantile" with these coordinates; keep_dims does nothing. */
VV_API vv_array *vv_quantiles(vv_array *a, const double q[], vv_index n, const char *dims,
                              const vv_quantile_options *options);
VV_API vv_array *vv_median(vv_array *a, const char *dims);
/* Quantile definitions: NULL past the end. */
VV_API const char *vv_quantile_method_name(int i);

/* Ascending along a dimension, NaN at the end; and the places from which the elements come, i64, of equal ones the first first. Lanes may be longer than memory: elements then go to the scratch
 * directory and between ranks three times. */
VV_API vv_array *vv_sort(vv_array *a, const char *dim);
VV_API vv_array *vv_argsort(vv_array *a, const char *dim);
/* The k greatest along a dimension, the greatest first, or with k < 0 the -k least, the least first; and their places. Missing values are none of
 * them: where there are not enough others, NaN, and place -1. */
VV_API vv_array *vv_topk(vv_array *a, vv_index k, const char *dim);
VV_API vv_array *vv_argtopk(vv_array *a, vv_index k, const char *dim);

/* The registry of reductions, for help texts and tests: NULL past the end. */
VV_API const char *vv_reduction_name(int i);
VV_API const char *vv_reduction_help(int i);

/* --- groups: the same labels belong together --- */

/* Groups of a time coordinate: vv_mean(vv_group(t, "time.month"), "time") is a climatology. After the point: year, season, month,
 * dayofyear, day, hour, minute, weekday (0 Monday), or blocks of equal length from the first time on: 7D, 12H, 30MIN ("time.7D": weeks). The
 * coordinate's calendar counts. Reducing the dimension gives one of the groups in its place, named "month" and so on, with those that occur, ascending:
 * months 1 .. 12, seasons 0 DJF, 1 MAM, 2 JJA, 3 SON. Blocks are named "time_7D", their coordinate is the time at which they begin, empty ones are there too.
 * Pairs, "time.month+hour", are named "month_hour" and have the coordinate 1206 for month 12 and hour 6: every month with every hour. */
VV_API vv_array *vv_group(vv_array *a, const char *what);
/* The dimension "month_hour" becomes two: vv_split_pairs(vv_mean(vv_group(t, "time.month+hour"), "time")) is (month, hour, ...). */
VV_API vv_array *vv_split_pairs(vv_array *a);
/* Groups by your own labels, one for each position, 0 <= label < n_groups, or -1 for none: vv_group_labels(a, "basin", label, 300, 7, "region", NULL).
 * values: coordinate of the groups, NULL for none. */
VV_API vv_array *vv_group_labels(vv_array *a, const char *dim, const vv_index labels[], vv_index n_labels,
                                 vv_index n_groups, const char *name, const double *values);
/* Groups by the values of another array, which has one or more dimensions of the first: basins, counties, land and sea. They are read when the function is called, and lined up by their labels; numbers or
 * strings, missing ones are in no group. Several dimensions become one, called `merged`, over which the groups lie; of one dimension it stays. Reduced, the groups are a dimension with the name of
 * the labels, and their values as its coordinate: vv_mean(vv_group_by(t, basin, "cell"), "cell"). */
VV_API vv_array *vv_group_by(vv_array *a, vv_array *labels, const char *merged);
/* Groups that are periods of the calendar, one behind the other, and become times of the same dimension: vv_mean(vv_resample(t, "time", "1D", false), "time")
 * are daily means. Frequencies are xarray's: s, min, h, D with a number, counted from midnight of the first day; M (months, labelled by their last
 * day) and MS (by their first), Q and QS, Y and YS; QS-DEC: quarters of which one begins with December, Q-NOV: of which one ends with November. Periods
 * without a time in them are there, too. complete: only those that have as many times as fit into them at the usual step. Saved, the times have bounds. */
VV_API vv_array *vv_resample(vv_array *a, const char *dim, const char *frequency, bool complete);
/* Forgets the groups. Grouped arrays stay grouped in elementwise operations: an anomaly is ready for its vv_std() by month. */
VV_API vv_array *vv_ungroup(vv_array *a);
/* What the groups become a dimension of ("month"); NULL when the array is not grouped. */
VV_API const char *vv_array_group(const vv_array *a);

/* --- windows and running values: the shape stays --- */

/* how: mean, sum, min, max, var, std, count of the `window` elements that end here, or that lie around here when centered (of an even number one more
 * lies before): vv_rolling(a, "time", 30, "mean", 0, true). NaN where fewer than min_count are valid; 0 means all of them. */
VV_API vv_array *vv_rolling(vv_array *a, const char *dim, vv_index window, const char *how, vv_index min_count,
                            bool centered);

typedef struct vv_window_options {
    bool centered;      /* else the window ends at the element */
    bool keep_nan;      /* a NaN in the window gives NaN, whatever min_count says */
    vv_index min_count; /* valid elements needed; 0: the whole window */
    double ddof;        /* var and std divide by count - ddof */
} vv_window_options;
#define VV_WINDOW_OPTIONS_INIT                                                                                         \
    {                                                                                                                  \
        true, false, 0, 0                                                                                              \
    }
/* Windows in several dimensions: vv_window(a, "mean", "y:10,x:10", NULL). */
VV_API vv_array *vv_window(vv_array *a, const char *how, const char *windows, const vv_window_options *options);
/* Weighted mean of the n elements around each one, sum(w * x) / sum(w); NaN where one is missing or lies outside (vv_pad() first to have it otherwise):
 * vv_convolve(a, "dayofyear", weights, 61). */
VV_API vv_array *vv_convolve(vv_array *a, const char *dim, const double weights[], vv_index n);
/* Running sum, prod, min or max from the beginning: vv_cumulative(rain, "sum", "time"). */
VV_API vv_array *vv_cumulative(vv_array *a, const char *how, const char *dim);

/* --- products --- */

/* Products summed over dimensions of both: a (i, k) and b (k, j) over "k" is a (i, j). Other dimensions must have different names (vv_rename()):
 * vv_matmul(a, vv_rename(vv_transpose(a, NULL), "x", "x2"), "y"). Integers stay integers, as in NumPy: what does not
 * fit wraps. Truth values are multiplied as f64. */
VV_API vv_array *vv_matmul(vv_array *a, vv_array *b, const char *dims);
/* The same of dimensions that have other names in b, pair by pair: vv_tensordot(a, b, "y,x", "row,column"). */
VV_API vv_array *vv_tensordot(vv_array *a, vv_array *b, const char *a_dims, const char *b_dims);
/* As xarray.dot: what both have and dims does not name is matched, not summed over. NULL: summed over all that both have. */
VV_API vv_array *vv_dot(vv_array *a, vv_array *b, const char *dims);
/* The sum of products over all dimensions that both have; of complex numbers the first ones conjugated. */
VV_API vv_array *vv_vdot(vv_array *a, vv_array *b);
/* As numpy.einsum, by letters instead of names: vv_einsum(s, "bij,bjk->bik", (vv_array *[]){a, b}, 2). A letter that stands twice in one term is a diagonal ("ii->i"); an
 * ellipsis is all dimensions that have no letter, counted from the last one, "...ij,...jk->...ik". A dimension of the
 * result has the name that it has in the first array with its letter, or the letter itself if that name is taken. */
VV_API vv_array *vv_einsum(vv_session *s, const char *letters, vv_array *const arrays[], int n);
/* Covariance and correlation of two arrays over dims (NULL: all), of elements that are there in both, as xarray.cov and xarray.corr. */
VV_API vv_array *vv_cov(vv_array *a, vv_array *b, const char *dims, double ddof);
VV_API vv_array *vv_corr(vv_array *a, vv_array *b, const char *dims);
/* numpy.cov and numpy.corrcoef of (station, time): each station with each other one, over "time", as (station, other). */
VV_API vv_array *vv_cov_matrix(vv_array *a, const char *dim, const char *other, double ddof);
VV_API vv_array *vv_corrcoef(vv_array *a, const char *dim, const char *other);

/* --- what an array is --- */

/* For your own functions that return arrays: an inert one with the error that `why` stands for, vv_failed(s, vv_error(VV_ERR_USAGE, "no %s", x)). */
VV_API vv_array *vv_failed(vv_session *s, vv_status why);
VV_API vv_status vv_array_status(const vv_array *a); /* VV_OK, or why it is inert (vv_last_error() then tells) */
VV_API const char *vv_array_name(const vv_array *a);
VV_API int vv_array_n_dims(const vv_array *a);
VV_API const char *vv_array_dim(const vv_array *a, int d);
VV_API vv_index vv_array_length(const vv_array *a, int d);
VV_API vv_dtype vv_array_dtype(const vv_array *a);
/* The coordinate along a dimension into out, room for its length: vv_array_coordinate(a, "lat", lat, 361). VV_ERR_NOT_FOUND when it has none. */
VV_API VV_WARN_UNUSED vv_status vv_array_coordinate(const vv_array *a, const char *dim, double *out, vv_index room);
/* The same as an array of one dimension, f64. */
VV_API vv_array *vv_coordinate(vv_array *a, const char *dim);
/* "t2m (time: 2920, lat: 361, lon: 720) f32, chunks 24 x 181 x 360, 3.04 GB" into out; returns out. */
VV_API const char *vv_describe(const vv_array *a, char *out, size_t size);

/* Whether its values are held by the ranks (vv_persist()). */
VV_API bool vv_array_persisted(const vv_array *a);
/* Gives that memory back on all ranks; the array is computed again when it is wanted. */
VV_API void vv_unpersist(vv_array *a);

/* Lets go of an array; *a becomes NULL. Arrays built on it stay valid, and keep what they need of it. Accepts NULL. */
VV_API void vv_release(vv_array **a);
/* Long sessions: in vv_mean(vv_square(a), "time") the square has no name to release it by. What was made since a mark is let go of at once, but for the
 * arrays in `keep` (NULL: none):
 *
 *     for (int year = 1979; year < 2024; year++) {
 *         vv_index mark = vv_mark(s);
 *         ... arrays of that year, computed or saved ...
 *         vv_release_since(s, mark, NULL, 0);
 *     } */
VV_API vv_index vv_mark(const vv_session *s);
VV_API void vv_release_since(vv_session *s, vv_index mark, vv_array *const keep[], int n_keep);

#ifdef __cplusplus
}
#endif
#endif

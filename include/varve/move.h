/* Elements at other places: views, nothing is copied until a result is wanted.
 *
 * Dimensions are named; VV_BEGIN and VV_END are open ends. All functions: Driver only. */
#ifndef VARVE_MOVE_H
#define VARVE_MOVE_H

#include "varve/array.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VV_BEGIN INT64_MIN
#define VV_END   INT64_MAX

/* Dimensions in another order; all of them: vv_transpose(a, "lon,lat,time"). NULL: reversed. */
VV_API vv_array *vv_transpose(vv_array *a, const char *dims);
/* Python's a[start:stop:step] along one dimension, negative positions counted from the end:
 * vv_slice(a, "time", -12, VV_END, 1) is the last year of months, vv_slice(a, "lat", VV_BEGIN, VV_END, -1) is turned around. */
VV_API vv_array *vv_slice(vv_array *a, const char *dim, vv_index start, vv_index stop, vv_index step);
/* One position, and the dimension is gone: vv_at(a, "time", -1) is the last map. */
VV_API vv_array *vv_at(vv_array *a, const char *dim, vv_index position);
/* The last element first, along one dimension or several: vv_flip(a, "lat"), vv_flip(a, "lat,lon"). NULL: all. */
VV_API vv_array *vv_flip(vv_array *a, const char *dims);
/* Shifted to the right, what leaves there comes in on the left, as numpy.roll: vv_roll(a, "lon", 180). Coordinates stay with their elements. */
VV_API vv_array *vv_roll(vv_array *a, const char *dim, vv_index shift);
/* More elements before and after: vv_pad(a, "lon", 1, 1, "wrap", 0). how: "constant" (value), "nan", "edge", "wrap" (periodic), "reflect" (mirrored at
 * the last element, which is not repeated), "symmetric" (mirrored behind it), "linear_ramp" (on a straight line to `value`; reals). Integers become f64 where a value is none of theirs (NaN). Coordinates go with their elements; where
 * there are none they are NaN. */
VV_API vv_array *vv_pad(vv_array *a, const char *dim, vv_index before, vv_index after, const char *how, double value);
/* Arrays one after the other along a dimension that they all have; the others must be equal:
 * vv_concat(s, (vv_array *[]){y1990, y1991}, 2, "time"). */
VV_API vv_array *vv_concat(vv_session *s, vv_array *const arrays[], int n, const char *dim);
/* Arrays of one shape along a new first dimension: vv_stack(s, members, 10, "member"). */
VV_API vv_array *vv_stack(vv_session *s, vv_array *const arrays[], int n, const char *new_dim);
/* Elements by position, in any order, repeated or not, negative from the end: vv_take(a, "time", (vv_index[]){0, 5, 5}, 3). */
VV_API vv_array *vv_take(vv_array *a, const char *dim, const vv_index indices[], vv_index n);
/* By labels or positions, as a text: vv_select(a, "lat", "-30:30") are values of the coordinate, both ends included; "850" is the one, "~47.3" the nearest. Of
 * a time coordinate "1990-01" is all of that month, "1990-06:1999-12" goes from the begin of the one to the end of the other; of
 * one of strings "OSLO" is that name. "#0:10", "#-1" are positions, as Python has them. The dimension stays, with length 1 if need be; to select nothing by labels is an error. */
VV_API vv_array *vv_select(vv_array *a, const char *dim, const char *what);
/* Elements of `a` by the labels of another array, along each dimension that both have with a coordinate: vv_align(mask, t) has the latitudes and longitudes of t in their order, whether its own ascend or
 * descend, go from 0 to 360 or from -180 to 180. What `a` has besides is left out; a label that it does not have is an error. */
VV_API vv_array *vv_align(vv_array *a, vv_array *like);
/* Times by a part of their dates in the file's calendar: vv_select_dates(a, "time", "month", "6:8"), ("season", "DJF"), ("hour", "0,12"), ("year", "1990:1999"). Both ends of a range are
 * included, and "11:2" of months goes over the turn of the year, as ranges of all parts but years do. A season is any row of two months or more by their first letters: "JJAS". */
VV_API vv_array *vv_select_dates(vv_array *a, const char *dim, const char *part, const char *what);
/* Whether this is a part of a date: year, season, month, dayofyear, day, hour, minute, weekday. Local. */
VV_API bool vv_is_date_part(const char *name);
/* Repeated along a new dimension, which becomes number `position` (negative from the end, -1: last): vv_expand(a, "member", 10, 0). */
VV_API vv_array *vv_expand(vv_array *a, const char *dim, vv_index length, int position);
/* Another coordinate for a dimension, as many values as it is long: vv_assign_coordinate(a, "month", month, 12). */
VV_API vv_array *vv_assign_coordinate(vv_array *a, const char *dim, const double values[], vv_index n);
/* With all attributes of another array instead of its own; with one text attribute more (NULL: less). Operations other than reductions and views leave
 * attributes away, as xarray's do: vv_describe_as(vv_sub(t, clim), t), vv_with_attribute(index, "units", "1"). */
VV_API vv_array *vv_describe_as(vv_array *a, vv_array *like);
VV_API vv_array *vv_with_attribute(vv_array *a, const char *name, const char *text);
/* Another name for a dimension; its coordinate stays: vv_rename(a, "lat", "y"). */
VV_API vv_array *vv_rename(vv_array *a, const char *old_dim, const char *new_dim);
/* Without the named dimensions, which must have length 1: vv_squeeze(a, "height"). NULL: without all such. */
VV_API vv_array *vv_squeeze(vv_array *a, const char *dims);

/* Two dimensions change places; one becomes number `position` (negative from the end): vv_moveaxis(a, "time", -1). */
VV_API vv_array *vv_swapaxes(vv_array *a, const char *one, const char *other);
VV_API vv_array *vv_moveaxis(vv_array *a, const char *dim, int position);
/* Turned k times by a right angle from the first dimension towards the second one, as numpy.rot90: vv_rot90(image, "y", "x", 1). */
VV_API vv_array *vv_rot90(vv_array *a, const char *from, const char *to, int k);
/* Each element n times in a row; all of them n times one after the other. */
VV_API vv_array *vv_repeat(vv_array *a, const char *dim, vv_index n);
VV_API vv_array *vv_tile(vv_array *a, const char *dim, vv_index n);
/* In this shape, whose dimensions are matched by name: new ones, and those of length 1, repeat what is there: vv_broadcast_to(a, "time:12,lat:180,lon:360"). */
VV_API vv_array *vv_broadcast_to(vv_array *a, const char *dims);
/* Those positions along a dimension for which keep[i] is true; n: its length. */
VV_API vv_array *vv_compress(vv_array *a, const char *dim, const bool keep[], vv_index n);
/* Moved to the right (left when negative), what leaves is lost, what comes in is `value` (NAN: missing, integers become f64). Coordinates stay where they
 * are: vv_sub(t, vv_shift(t, "time", 1, NAN)) is the change since the step before. */
VV_API vv_array *vv_shift(vv_array *a, const char *dim, vv_index by, double value);
/* Below and on the k-th diagonal, zero above it; and the other way round. */
VV_API vv_array *vv_tril(vv_array *a, const char *rows, const char *columns, vv_index k);
VV_API vv_array *vv_triu(vv_array *a, const char *rows, const char *columns, vv_index k);
/* Arrays put together like bricks: vv_block(s, (vv_array *[]){a, b, c, d}, "y:2,x:2") has a and b side by side along x, c and d below them. */
VV_API vv_array *vv_block(vv_session *s, vv_array *const arrays[], const char *grid);
/* With other elements in a region, as numpy's a[2:8, 5] = b: vv_assign(a, "lat:2:8,lon:5", b). What is not named is meant whole; b is broadcast to the region
 * (where a single position is a dimension of length 1) and becomes of a's type. */
VV_API vv_array *vv_assign(vv_array *a, const char *region, vv_array *b);
/* With other elements where the mask is true, as numpy's a[mask] = b with a b of a's shape or broadcast to it. */
VV_API vv_array *vv_assign_where(vv_array *a, vv_array *mask, vv_array *b);

/* --- other shapes: the elements stay in row-major order --- */

/* In another shape of as many elements; one length may be -1, whatever is left. vv_reshape(a, "day:365,hour:24,lat:-1"). Dimensions that keep their place and name keep
 * their coordinate. Chunks are cut so that each is one of the new shape, too: a rank holds a few of them, whatever the lengths. */
VV_API vv_array *vv_reshape(vv_array *a, const char *dims);
/* All elements along one dimension: vv_ravel(a, "cell"). */
VV_API vv_array *vv_ravel(vv_array *a, const char *dim);
/* n elements by their positions along several dimensions at once, along a new first one: position[d * n + i] of the d-th dimension named. Stations of a map:
 * vv_points(t, "lat,lon", position, 3, "station") is (station, time). Negative positions count from the end. */
VV_API vv_array *vv_points(vv_array *a, const char *dims, const vv_index position[], vv_index n, const char *new_dim);
/* The k-th diagonal of two dimensions, along a new last one. */
VV_API vv_array *vv_diagonal(vv_array *a, const char *rows, const char *columns, vv_index k, const char *new_dim);
/* Blocks of neighbours, each reduced to one element: vv_coarsen(a, "mean", "lat:2,lon:2", false). Lengths must be multiples; trim: what is left at the end is
 * left out. Coordinates are the means of theirs. */
VV_API vv_array *vv_coarsen(vv_array *a, const char *how, const char *blocks, bool trim);

/* --- masks: these functions compute the mask when they are called, because without it no length is known; everything else stays lazy. A plan carries
 * the positions where it is true, 8 bytes each --- */

/* Positions along the mask's only dimension where it is true: vv_compress_where(t, vv_greater(vv_max(t, "lat,lon"), vv_scalar(s, 310))). */
VV_API vv_array *vv_compress_where(vv_array *a, vv_array *mask);
/* Elements where the mask is true, in its row-major order along a new first dimension; dimensions that the mask does not have come behind it: numpy's a[mask]. */
VV_API vv_array *vv_extract(vv_array *a, vv_array *mask, const char *new_dim);
/* Where it is true: numbers of its elements in row-major order; and positions along each dimension, one row for each element. */
VV_API vv_array *vv_flatnonzero(vv_array *mask, const char *new_dim);
VV_API vv_array *vv_argwhere(vv_array *mask, const char *new_dim, const char *axis);

/* --- neighbours --- */

/* Each element less the one before it, one shorter; order: so many times. The coordinate is that of the later element. Truth values: whether they differ. */
VV_API vv_array *vv_diff(vv_array *a, const char *dim, int order);
/* All stretches of n neighbours, along a new last dimension: element [i, k] is element i + k of a, as numpy's sliding_window_view. The dimension is n - 1 shorter; its coordinate is that of the
 * first neighbour. (vv_window() and vv_rolling() compute statistics of windows without making them.) */
VV_API vv_array *vv_sliding_window(vv_array *a, const char *dim, vv_index n, const char *new_dim);
/* The slope at each element, by its neighbours on both sides (at the ends one), which are `spacing` apart: numpy.gradient. */
VV_API vv_array *vv_gradient(vv_array *a, const char *dim, double spacing);

/* The same elements in chunks of another shape: vv_rechunk(a, "time:8760,lat:72,lon:144"). "time:all" or "time:-1" is the whole dimension; dimensions
 * that are not named keep what they have. "time:auto" is as long as chunks of 16 MiB allow, "time:auto,lat:auto,lon:64MB" as long as those of 64 MB; "auto" or "64MB" alone is meant for all
 * dimensions. "time:31+28+31" are chunks of different lengths, for functions of chunks (vv_map_blocks()): what is stored or held is cut evenly, by the longest. Values never depend on chunks. */
VV_API vv_array *vv_rechunk(vv_array *a, const char *chunks);

#ifdef __cplusplus
}
#endif
#endif

/* Daily values that climate indices are made of: whether they are daily, and their units. */
#ifndef VV_ARRAY_DAILY_H
#define VV_ARRAY_DAILY_H

#include "array/node.h"
#include "varve/climate.h"

/* An array has one value a day along a dimension of times, whose name goes to *dim, its units are those of its kind, and its coordinates are those of `like`, if that is not NULL. */
VV_WARN_UNUSED vv_status vv_daily_check(const vv_array *a, vv_daily kind, const vv_array *like, const char **dim);
/* Degrees Celsius in the units of an array that was checked. */
double vv_daily_degrees(const vv_array *a, double celsius);
/* Precipitation of each day in mm; the array itself, where it is. */
vv_array *vv_daily_millimetres(vv_array *a);

#endif

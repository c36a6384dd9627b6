/* Longitudes and latitudes: which coordinates are some, and angles that mean the same. */
#ifndef VV_ARRAY_EARTH_H
#define VV_ARRAY_EARTH_H

#include "array/node.h"

/* By CF's units (degrees_east, degrees_north) or standard names. */
bool vv_coord_is_longitude(const vv_coord *c);
bool vv_coord_is_latitude(const vv_coord *c);
/* The same of the attributes of a variable. */
bool vv_attrs_are_longitude(const vv_attrs *attrs);
bool vv_attrs_are_latitude(const vv_attrs *attrs);

/* The longitude as a number from `from` up to, and without, `from` + 360; what is less than `slack` west of `from` stays there. */
double vv_east_of(double x, double from, double slack);
/* How far apart two longitudes are, 0 to 180. */
double vv_longitude_distance(double a, double b);
/* What two longitudes that mean the same may differ by when one of them was rounded to f32, or has been moved by 360 degrees. */
double vv_longitude_slack(bool narrow);

#endif

/* The globe: areas of cells, and values at points. Latitudes and longitudes are known by CF's units (degrees_north, degrees_east) or standard names; longitudes mean the same whether they are
 * counted from 0 to 360 or from -180 to 180. All functions: Driver only. */
#ifndef VARVE_EARTH_H
#define VARVE_EARTH_H

#include "varve/array.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Areas of the cells of an array with a coordinate of latitudes, and perhaps one of longitudes, in m2 on a sphere of 6371 km: between its bounds where the file has them, else between the middles of
 * neighbours, as CDO's gridarea: vv_weighted(t, "mean", vv_area(t), "lat,lon", NULL). Without longitudes bands are as wide as the globe. */
VV_API vv_array *vv_area(vv_array *a);

/* Values at n points, points[2 * i] its longitude and points[2 * i + 1] its latitude in degrees, along a new last dimension. lat and lon: arrays of one dimension each, or of the same two
 * (curvilinear grids), which are read when the function is called. how: "nearest", the cell whose middle is nearest on a great circle; or "bilinear" between four neighbours, of which none may be
 * missing, over the seam of longitudes and over the poles where the grid goes round; only where lat and lon have one dimension each. */
typedef struct vv_points_at {
    vv_array *values;
    vv_array *lat, *lon; /* where they are: of the cells, or the points themselves */
    vv_array *distance;  /* of nearest ones, to the points, in m; else NULL */
} vv_points_at;
VV_API VV_WARN_UNUSED vv_status vv_at_points(vv_array *a, vv_array *lat, vv_array *lon, const double points[],
                                             vv_index n, const char *how, const char *new_dim, vv_points_at *out);

#ifdef __cplusplus
}
#endif
#endif

#include "array/earth.h"

#include <math.h>
#include <string.h>

static bool is_one_of(const char *text, const char *const names[])
{
    for (int i = 0; text && names[i]; i++)
        if (!strcmp(text, names[i])) return true;
    return false;
}

bool vv_attrs_are_longitude(const vv_attrs *attrs)
{
    static const char *const units[] = {"degrees_east", "degree_east", "degrees_E", "degree_E",
                                        "degreesE",     "degreeE",     NULL};
    static const char *const name[] = {"longitude", NULL};
    return is_one_of(vv_attr_text(attrs, "units"), units) || is_one_of(vv_attr_text(attrs, "standard_name"), name);
}

bool vv_attrs_are_latitude(const vv_attrs *attrs)
{
    static const char *const units[] = {"degrees_north", "degree_north", "degrees_N", "degree_N",
                                        "degreesN",      "degreeN",      NULL};
    static const char *const name[] = {"latitude", NULL};
    return is_one_of(vv_attr_text(attrs, "units"), units) || is_one_of(vv_attr_text(attrs, "standard_name"), name);
}

static const vv_attrs *attrs_of(const vv_coord *c)
{
    static const vv_attrs none;
    return c->from && c->from->file && c->var >= 0 ? &c->from->file->meta->var[c->var].attrs : &none;
}

bool vv_coord_is_longitude(const vv_coord *c)
{
    return vv_attrs_are_longitude(attrs_of(c));
}

bool vv_coord_is_latitude(const vv_coord *c)
{
    return vv_attrs_are_latitude(attrs_of(c));
}

double vv_east_of(double x, double from, double slack)
{
    double east = x + 360 * ceil((from - slack - x) / 360); /* the first that is not west of it */
    return east < from + 360 - slack ? east : east - 360;
}

double vv_longitude_distance(double a, double b)
{
    return fabs(remainder(a - b, 360));
}

double vv_longitude_slack(bool narrow)
{
    return narrow ? 5e-5 : 1e-9;
}

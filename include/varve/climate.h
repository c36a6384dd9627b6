/* Climate indices: numbers for each year, season or month that daily temperature and precipitation are summed up in, as the Expert Team on Climate Change Detection and Indices defines them (Zhang et al.
 * 2011, WIREs Climate Change 2, 851-870; https://etccdi.pacificclimate.org/list_27_indices.shtml). All functions: Driver only.
 *
 *     vv_array *daily[VV_DAILY_KINDS] = {[VV_TX] = vv_open(s, "tasmax.nc", "tasmax")};
 *     vv_array *su = vv_climate_index("SU", daily, NULL);                summer days of each year
 *
 * Rules. Values are daily, one a day. Temperature is in K, degrees Celsius or Fahrenheit, precipitation a depth or mass of each day, or a rate (kg m-2 s-1): thresholds are converted to the units of
 * temperatures, precipitation is converted to mm. A missing day fulfils no condition and ends spells; an index of nothing but missing days is missing. A
 * spell belongs to the period in which its days are: it is cut where a period ends. A sum of five days belongs to the period of its last day. Percentiles of days
 * are those of the five days around each day of the year, day 366 having its own; they are not bootstrapped where the base period is part of the data. Percentiles of precipitation are those of wet days, on which
 * there is 1 mm or more, in the base period. */
#ifndef VARVE_CLIMATE_H
#define VARVE_CLIMATE_H

#include "varve/array.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is had for each day: the greatest, the least and the mean temperature, and precipitation. */
typedef enum vv_daily { VV_TX, VV_TN, VV_TG, VV_PR, VV_DAILY_KINDS } vv_daily;

typedef struct vv_climate_options {
    const char *frequency; /* year (the default), season or month, or as vv_resample() has it */
    bool complete;         /* only periods that have all of their days */
    const char *base;      /* "1961:1990": the period that percentiles are of; NULL: all there is */
    const char
        *method; /* of percentiles, vv_quantile_method_name(); NULL: "median_unbiased", as ETCCDI's program has it */
    const double *threshold; /* instead of the index's own, in degrees Celsius, mm, or from 0 to 1 of a percentile */
} vv_climate_options;
#define VV_CLIMATE_OPTIONS_INIT                                                                                        \
    {                                                                                                                  \
        0, false, 0, 0, 0                                                                                              \
    }

/* An index by its name; of the arrays (NULL: not there) only those that it needs have to be there, and one at least. */
VV_API vv_array *vv_climate_index(const char *name, vv_array *const daily[VV_DAILY_KINDS],
                                  const vv_climate_options *options);

/* The registry. */
typedef struct vv_climate_info {
    const char *name;       /* "TXx" */
    unsigned needs;         /* 1 << VV_TX and so on */
    const char *units;      /* of the result; NULL: those of the temperature */
    const char *title;      /* "Warmest day" */
    const char *definition; /* a sentence */
    bool has_threshold, has_base;
} vv_climate_info;
/* Number i; false past the end. */
VV_API bool vv_climate_index_at(int i, vv_climate_info *out);
/* "TX", for messages. */
VV_API const char *vv_daily_name(vv_daily kind);

#ifdef __cplusplus
}
#endif
#endif

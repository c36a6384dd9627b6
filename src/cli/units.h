/* Quantities with units: bandwidths and short times, as they stand in data sheets. */
#ifndef VV_CLI_UNITS_H
#define VV_CLI_UNITS_H

#include "varve/types.h"

#include <stddef.h>

/* The first `length` bytes of text: "25GB/s", "25GB", "200Gbit/s" as bytes per second. False unless it is a positive rate. */
bool vv_cli_bandwidth(const char *text, size_t length, double *out);
/* "2us", "0.5 ms" as seconds; a unit is needed. False unless it is a positive time. */
bool vv_cli_seconds(const char *text, double *out);
/* A rate for people: "7.4 GB/s" with unit "B/s", "850 k/s" with "/s". */
const char *vv_cli_rate(double x, const char *unit, char out[32]);

#endif

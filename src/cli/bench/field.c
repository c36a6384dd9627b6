/* The data that benchmarks make up. */
#include "cli/bench/bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAP_CHUNK = 2 << 20, SERIES_CHUNK = 4 << 20 };

vv_cli_field vv_cli_field_of(vv_bytes size)
{
    vv_cli_field f;
    double n = (double)size / 4;
    f.lat = (vv_index)cbrt(n / 16);
    if (f.lat < 2) f.lat = 2;
    f.lon = 2 * f.lat;
    f.time = (vv_index)(n / (double)(f.lat * f.lon));
    if (f.time < 2) f.time = 2;
    f.maps = MAP_CHUNK / (4 * f.lat * f.lon);
    f.maps = f.maps < 1 ? 1 : f.maps > f.time ? f.time : f.maps;
    f.tile = (int)sqrt((double)SERIES_CHUNK / (4 * (double)f.time));
    if (f.tile < 1) f.tile = 1;
    if (f.tile > f.lat) f.tile = (int)f.lat;
    return f;
}

double vv_cli_field_bytes(const vv_cli_field *f)
{
    return 4.0 * (double)f->time * (double)f->lat * (double)f->lon;
}

vv_array *vv_cli_field_open(vv_session *s, const vv_cli_field *f)
{
    char path[256];
    snprintf(path, sizeof path, "virtual:x?shape=time:%lld,lat:%lld,lon:%lld&chunk=%lld,%lld,%lld&dtype=f32",
             (long long)f->time, (long long)f->lat, (long long)f->lon, (long long)f->maps, (long long)f->lat,
             (long long)f->lon);
    return vv_open(s, path, "x");
}

void vv_cli_take_text(char *text, char out[VV_CLI_BENCH_TEXT])
{
    snprintf(out, VV_CLI_BENCH_TEXT, "%s", text ? text : "");
    free(text);
}

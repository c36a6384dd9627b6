/* Inputs: their shapes at a scale, where they are, and what every element is.
 *
 * A computed input is `virtual:` (src/storage/virtual.c): h = splitmix64(seed * golden + linear number), value (h >> 40) / 2^24.
 *
 * A stored one is made by inputs.py from WL_PATTERNS different chunks: chunk number c (row-major over the grid of chunks) holds pattern
 * splitmix64(seed * golden + c) % WL_PATTERNS, and element l of pattern p (row-major in a whole chunk) is
 * (splitmix64(seed * golden + p * elements of a chunk + l) >> 52) / 2^12. So terabytes cost the deflating of a few chunks, and a chunk at the wrong place shows.
 * 12 random bits an element make deflated f32 about as small as real fields. */
#include "workload.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const uint64_t golden = 0x9e3779b97f4a7c15u;

static uint64_t splitmix64(uint64_t x)
{
    x += golden;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* --- shapes --- */

static vv_index at_most(vv_index a, vv_index b)
{
    return a < b ? a : b;
}

static vv_index at_least(vv_index a, vv_index b)
{
    return a > b ? a : b;
}

/* The factor of each dimension that is scaled. */
static double factor(const wl_input *in, double scale)
{
    int scaled = 0;
    for (int d = 0; d < WL_DIMS && in->dim[d].name; d++) scaled += in->dim[d].least > 0;
    return scaled ? pow(scale, 1.0 / scaled) : 1;
}

static vv_index chunk_at(const wl_dim *d, vv_index chunk, double f, vv_index length)
{
    if (chunk == 0) return length;
    if (d->least > 0 && f < 1 && chunk > 1) chunk = at_least(2, llround((double)chunk * f));
    return at_most(chunk, length);
}

static vv_index length_of(const wl_field *f, const char *name)
{
    for (int d = 0; d < f->nd; d++)
        if (!strcmp(f->spec.dim[d].name, name)) return f->n[d];
    return 0;
}

static void lay_out(wl_field *f, const wl_field *first, double scale)
{
    double by = factor(&f->spec, scale);
    for (f->nd = 0; f->nd < WL_DIMS && f->spec.dim[f->nd].name; f->nd++) {
        const wl_dim *d = &f->spec.dim[f->nd];
        vv_index *n = &f->n[f->nd];
        *n = d->least > 0 ? at_least(d->least, llround((double)d->n * by)) : d->n;
        if (d->n == 0) *n = length_of(first, d->name) + d->more;
        f->chunk[f->nd] = chunk_at(d, d->chunk, by, *n);
    }
}

static double hours(const wl_field *f)
{
    return f->spec.hours > 0 ? f->spec.hours : 24;
}

static int put_shape(const wl_field *f, char *out, size_t size)
{
    int n = snprintf(out, size, "virtual:%s?shape=", f->spec.name);
    for (int d = 0; d < f->nd; d++)
        n += snprintf(out + n, size - (size_t)n, "%s%s:%lld", d ? "," : "", f->spec.dim[d].name, (long long)f->n[d]);
    n += snprintf(out + n, size - (size_t)n, "&chunk=");
    for (int d = 0; d < f->nd; d++)
        n += snprintf(out + n, size - (size_t)n, "%s%lld", d ? "," : "", (long long)f->chunk[d]);
    return n;
}

static void put_path(wl_field *f, const char *workload, const char *dir)
{
    int n;
    if (f->spec.stored) {
        n = snprintf(f->path, sizeof f->path, "%s/%s-%s", dir, workload, f->spec.name);
        for (int d = 0; d < f->nd; d++)
            n += snprintf(f->path + n, sizeof f->path - (size_t)n, "%c%lld", d ? 'x' : '-', (long long)f->n[d]);
        snprintf(f->path + n, sizeof f->path - (size_t)n, ".nc");
        return;
    }
    n = put_shape(f, f->path, sizeof f->path);
    snprintf(f->path + n, sizeof f->path - (size_t)n, "&dtype=%s&seed=%llu&hours=%g", vv_dtype_name(f->spec.dtype),
             (unsigned long long)f->seed, hours(f));
}

void wl_fields(wl_run *r, double scale, const char *dir, bool stored)
{
    for (r->n_in = 0; r->n_in < WL_INPUTS && r->what->input[r->n_in].name; r->n_in++) {
        wl_field *f = &r->field[r->n_in];
        f->spec = r->what->input[r->n_in];
        f->spec.stored &= stored;
        if (f->spec.dtype == VV_NONE) f->spec.dtype = VV_F32;
        f->seed = (uint64_t)r->n_in + 1;
        lay_out(f, &r->field[0], scale);
        put_path(f, r->what->name, dir);
    }
    const wl_field *first = &r->field[0];
    for (int d = 0; d < first->nd; d++)
        r->target[d] = chunk_at(&first->spec.dim[d], r->what->target[d], factor(&first->spec, scale), first->n[d]);
}

vv_index wl_elements(const wl_field *f)
{
    vv_index n = 1;
    for (int d = 0; d < f->nd; d++) n *= f->n[d];
    return n;
}

const char *wl_target_text(const wl_run *r, char *out, size_t size)
{
    int n = 0;
    for (int d = 0; d < r->field[0].nd; d++)
        n += snprintf(out + n, size - (size_t)n, "%s%s:%lld", d ? "," : "", r->field[0].spec.dim[d].name,
                      (long long)r->target[d]);
    return out;
}

/* --- values --- */

static double stored_at(const wl_field *f, const vv_index at[])
{
    uint64_t number = 0, elements = 1, place = 0;
    for (int d = 0; d < f->nd; d++) {
        vv_index chunks = (f->n[d] + f->chunk[d] - 1) / f->chunk[d];
        number = number * (uint64_t)chunks + (uint64_t)(at[d] / f->chunk[d]);
        place = place * (uint64_t)f->chunk[d] + (uint64_t)(at[d] % f->chunk[d]);
        elements *= (uint64_t)f->chunk[d];
    }
    uint64_t pattern = splitmix64(f->seed * golden + number) % WL_PATTERNS;
    return (double)(splitmix64(f->seed * golden + pattern * elements + place) >> 52) / 0x1p12;
}

static double computed_at(const wl_field *f, const vv_index at[])
{
    uint64_t linear = 0;
    for (int d = 0; d < f->nd; d++) linear = linear * (uint64_t)f->n[d] + (uint64_t)at[d];
    return (double)(splitmix64(f->seed * golden + linear) >> 40) / 0x1p24;
}

double wl_at(const wl_run *r, int input, const vv_index at[])
{
    const wl_field *f = &r->field[input];
    return f->spec.stored ? stored_at(f, at) : computed_at(f, at);
}

/* --- the calendar --- */

static int days_of(int year)
{
    return 365 + ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0);
}

vv_index wl_day(const wl_run *r, int input, vv_index step)
{
    return (vv_index)floor(hours(&r->field[input]) * (double)step / 24);
}

static int day_of_year(vv_index day, int *year)
{
    for (*year = 1990; day >= days_of(*year); ++*year) day -= days_of(*year);
    return (int)day;
}

int wl_day_of_year(const wl_run *r, int input, vv_index step)
{
    int year;
    return day_of_year(wl_day(r, input, step), &year);
}

int wl_month(const wl_run *r, int input, vv_index step)
{
    int year, day = day_of_year(wl_day(r, input, step), &year), month = 0;
    int length[] = {31, days_of(year) - 337, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (; day >= length[month]; month++) day -= length[month];
    return month;
}

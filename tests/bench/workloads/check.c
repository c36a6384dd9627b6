/* Checking results: read back from the output, a box at a time, and compared with what each element must be.
 *
 * Small results are compared whole, of large ones the first and last corner and boxes at random places; `want` evaluates an element naively from the formulas
 * of the inputs (field.c) in f64, sharing no code with the library. An element may stand for a walk through all of an input, so comparing ends after some
 * seconds; how much was compared is reported. */
#include "workload.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WHOLE = 20000, BOXES = 12, MOST = 32, SECONDS = 3 };

typedef struct box {
    int nd;
    vv_index lo[MOST], n[MOST];
} box;

vv_status wl_result(wl_run *r, const char *name, vv_array *a, wl_want *want, double tolerance)
{
    vv_status status = vv_output_add(r->out, name, a);
    if (status != VV_OK) return status;
    if (r->n_results == WL_RESULTS) return vv_error(VV_ERR_INTERNAL, "%s: more than %d results", name, WL_RESULTS);
    wl_result_of *result = &r->result[r->n_results++];
    snprintf(result->name, sizeof result->name, "%s", name);
    result->want = want;
    result->tolerance = tolerance;
    return VV_OK;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static vv_index elements(const box *b)
{
    vv_index n = 1;
    for (int d = 0; d < b->nd; d++) n *= b->n[d];
    return n;
}

static double value(vv_dtype type, const void *buffer, vv_index i)
{
    return type == VV_F32 ? (double)((const float *)buffer)[i] : ((const double *)buffer)[i];
}

static bool agree(double got, double want, vv_dtype type, double tolerance)
{
    if (isnan(got) || isnan(want)) return isnan(got) && isnan(want);
    if (tolerance == 0) return got == (type == VV_F32 ? (double)(float)want : want);
    return fabs(got - want) <= tolerance * fmax(1, fabs(want));
}

static vv_status differs(const wl_result_of *result, const box *b, const vv_index at[], double got, double want)
{
    char place[256] = "";
    int n = 0;
    for (int d = 0; d < b->nd; d++)
        n += snprintf(place + n, sizeof place - (size_t)n, "%s%lld", d ? ", " : "", (long long)at[d]);
    return vv_error(VV_ERR_RUN, "wrong result: %s[%s] is %.9g, not %.9g (tolerance %g)", result->name, place, got, want,
                    result->tolerance);
}

/* Elements of a box, in an order that meets all of it early on: with a step that shares no factor with their number. */
static vv_status compare(const wl_run *r, const wl_result_of *result, const box *b, vv_dtype type, const void *buffer,
                         double end, vv_index *compared)
{
    enum { AT_LEAST = 8 };
    const vv_index prime = 1000003;
    vv_index at[MOST], n = elements(b);
    for (vv_index k = 0; k < n && (k < AT_LEAST || now() < end); k++, ++*compared) {
        vv_index i = n % prime ? k * prime % n : k, rest = i;
        for (int d = b->nd - 1; d >= 0; rest /= b->n[d], d--) at[d] = b->lo[d] + rest % b->n[d];
        double want = result->want(r, at), got = value(type, buffer, i);
        if (!agree(got, want, type, result->tolerance)) return differs(result, b, at, got, want);
    }
    return VV_OK;
}

static vv_status read_box(vv_array *a, const box *b, void **buffer)
{
    vv_array *cut = a;
    for (int d = 0; d < b->nd; d++) cut = vv_slice(cut, vv_array_dim(a, d), b->lo[d], b->lo[d] + b->n[d], 1);
    vv_bytes bytes = elements(b) * vv_dtype_size(vv_array_dtype(a));
    *buffer = malloc((size_t)bytes + 1);
    if (!*buffer) return vv_error(VV_ERR_NOMEM, "no memory to check %lld bytes", (long long)bytes);
    return vv_compute(cut, *buffer, bytes);
}

static vv_status check_box(const wl_run *r, const wl_result_of *result, vv_array *a, const box *b, double end,
                           vv_index *compared)
{
    void *buffer;
    vv_status status = read_box(a, b, &buffer);
    if (status == VV_OK) status = compare(r, result, b, vv_array_dtype(a), buffer, end, compared);
    free(buffer);
    return status;
}

/* Box number k: first corner, last corner, then at places that are the same in every run. */
static box box_number(const box *whole, int k)
{
    static const vv_index extent[] = {1, 64, 8, 4, 3, 2};
    box b = *whole;
    uint64_t state = (uint64_t)k;
    for (int d = 0; d < whole->nd; d++) {
        vv_index most = whole->nd < 6 ? extent[whole->nd] : 2;
        b.n[d] = whole->n[d] < most ? whole->n[d] : most;
        state = state * 6364136223846793005u + 1442695040888963407u;
        vv_index room = whole->n[d] - b.n[d];
        b.lo[d] = k == 0 ? 0 : k == 1 ? room : (vv_index)((state >> 33) % (uint64_t)(room + 1));
    }
    return b;
}

static box all_of(const vv_array *a)
{
    box b = {.nd = vv_array_n_dims(a)};
    for (int d = 0; d < b.nd; d++) b.n[d] = vv_array_length(a, d);
    return b;
}

static vv_status check_result(wl_run *r, const wl_result_of *result, vv_array *a, vv_index *compared)
{
    vv_status status = vv_array_status(a);
    if (status != VV_OK) return status;
    if (vv_array_dtype(a) != VV_F32 && vv_array_dtype(a) != VV_F64)
        return vv_error(VV_ERR_RUN, "wrong result: %s is of type %s", result->name, vv_dtype_name(vv_array_dtype(a)));
    box whole = all_of(a);
    double end = now() + SECONDS;
    if (elements(&whole) <= WHOLE) return check_box(r, result, a, &whole, end, compared);
    for (int k = 0; k < BOXES && status == VV_OK; k++) {
        box b = box_number(&whole, k);
        status = check_box(r, result, a, &b, end, compared);
    }
    return status;
}

/* All of one result, which `want` of others needs. */
static vv_status learn(wl_run *r, vv_array *a)
{
    void *buffer;
    box whole = all_of(a);
    vv_status status = read_box(a, &whole, &buffer);
    r->n_known = elements(&whole);
    r->known = calloc((size_t)r->n_known + 1, sizeof *r->known);
    if (status == VV_OK && !r->known) status = vv_error(VV_ERR_NOMEM, "no memory for a result");
    for (vv_index i = 0; i < r->n_known && status == VV_OK; i++) r->known[i] = value(vv_array_dtype(a), buffer, i);
    free(buffer);
    return status;
}

vv_status wl_check(wl_run *r, const char *path, vv_index *compared)
{
    vv_dataset *d = vv_dataset_open(r->session, path);
    vv_status status = vv_dataset_status(d);
    *compared = 0;
    if (status == VV_OK && r->what->known) status = learn(r, vv_dataset_array(d, r->what->known));
    for (int i = 0; i < r->n_results && status == VV_OK; i++)
        status = check_result(r, &r->result[i], vv_dataset_array(d, r->result[i].name), compared);
    free(r->known);
    r->known = NULL;
    return status;
}

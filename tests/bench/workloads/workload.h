/* Workloads: what users of other tools report as slow, too large or impossible, as programs on Varve's public headers.
 *
 * A workload is one descriptor: where it was reported, at which size, the size for a workstation (scale 1), its memory budget, its inputs, and a function that
 * builds the lazy arrays. Everything else (making inputs, running, measuring, checking, printing, the same in dask) is shared and reads the descriptor.
 * A new one is a function and a descriptor in a file of a family, and a line in list.h.
 *
 *     static double want_total(const wl_run *r, const vv_index at[]) { ... }      what a result must be, evaluated naively
 *     static vv_status build_total(wl_run *r) { return wl_result(r, "total", vv_sum(r->in[0], NULL), want_total, 1e-6); }
 *     const workload wl_total = {.name = "total", ..., .build = build_total};
 *
 * Sizes: a dimension with `least` grows and shrinks with --scale, so that the input's bytes do so in proportion; one without is as long at every scale.
 * Chunks shrink with their dimension below scale 1 and stay above it; 0 is the whole dimension.
 *
 * Values: every element follows from its position (field.c), so that results can be checked anywhere without reading the input. All are multiples of
 * 2^-24 (computed inputs) or 2^-12 (stored ones) in [0, 1): sums in f64 are exact in whatever order. */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <varve/varve.h>

enum { WL_DIMS = 6, WL_INPUTS = 4, WL_RESULTS = 8, WL_PATTERNS = 16 };

typedef struct wl_dim {
    const char *name;
    vv_index n;     /* at scale 1 */
    vv_index chunk; /* at scale 1; 0: all */
    vv_index least; /* at any scale; 0: this length at every scale */
    vv_index more;  /* where n is 0: so much longer than the dimension of this name of the first input */
} wl_dim;
#define WL_DIM(NAME, N, CHUNK, LEAST)                                                                                  \
    {                                                                                                                  \
        .name = NAME, .n = N, .chunk = CHUNK, .least = LEAST                                                           \
    }

typedef struct wl_input {
    const char *name; /* of the variable */
    wl_dim dim[WL_DIMS];
    bool stored;  /* in a file of deflated chunks; otherwise computed: virtual: */
    double hours; /* step of a dimension named time; 0: 24 */
    vv_dtype dtype;
} wl_input;

typedef struct wl_run wl_run;
/* The value of a result at a position, evaluated from the inputs' values alone. */
typedef double wl_want(const wl_run *r, const vv_index at[]);

typedef struct workload {
    const char *name, *story;
    const char *from;     /* where it was reported */
    const char *original; /* the size there */
    vv_bytes budget;      /* per rank */
    wl_input input[WL_INPUTS];
    vv_index target[WL_DIMS]; /* chunks at scale 1 that the first input is brought to, for whoever rechunks; 0: all */
    int deflate;              /* of the output; needed where chunks of the file matter */
    const char *known;        /* a result that the values of later ones are told from, see wl_run.known; or NULL */
    vv_status (*build)(wl_run *r);
} workload;

/* An input at a given scale. */
typedef struct wl_field {
    wl_input spec; /* as it is used */
    int nd;
    vv_index n[WL_DIMS], chunk[WL_DIMS];
    uint64_t seed;
    char path[1024]; /* what vv_open gets */
} wl_field;

typedef struct wl_result_of {
    char name[64];
    wl_want *want;
    double tolerance; /* on values of order 1 */
} wl_result_of;

struct wl_run {
    vv_session *session;
    const workload *what;
    bool on_paper; /* only the plan is wanted */
    int n_in;
    wl_field field[WL_INPUTS];
    vv_array *in[WL_INPUTS];
    vv_index target[WL_DIMS];
    vv_output *out;
    int n_results;
    wl_result_of result[WL_RESULTS];
    double *
        known; /* for `want`: all of the result named by what->known as it was computed, itself checked like any other */
    vv_index n_known;
};

extern const workload *const wl_all[];
extern const int wl_count;
const workload *wl_find(const char *name); /* NULL when there is none; vv_last_error() then tells */

/* --- field.c --- */

/* Lays out all inputs; dir: of stored ones. Without `stored` all are computed. */
void wl_fields(wl_run *r, double scale, const char *dir, bool stored);
/* Elements, bytes as f32 or f64 in memory. */
vv_index wl_elements(const wl_field *f);
/* An input's value. */
double wl_at(const wl_run *r, int input, const vv_index at[]);
/* Position in the calendar of a step along time, counted from 1990-01-01: days since then, day of the year and month from 0. */
vv_index wl_day(const wl_run *r, int input, vv_index step);
int wl_day_of_year(const wl_run *r, int input, vv_index step);
int wl_month(const wl_run *r, int input, vv_index step);

/* --- check.c --- */

/* Adds an array to what is saved, and says what it must be. tolerance 0: exactly, rounded to the array's type. */
VV_WARN_UNUSED vv_status wl_result(wl_run *r, const char *name, vv_array *a, wl_want *want, double tolerance);
/* Compares the results in a file with what they must be: all elements of small ones, boxes in corners and at random places of others, for a few
 * seconds at most. */
VV_WARN_UNUSED vv_status wl_check(wl_run *r, const char *path, vv_index *compared);

/* --- for builders --- */

/* "time:8760,lat:18,lon:18": the target chunks. */
const char *wl_target_text(const wl_run *r, char *out, size_t size);

#endif

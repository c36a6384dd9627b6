/* Statistics that have no command of their own, as the library gives them: what test_order.py compares with NumPy.
 *
 *     order INPUT OUTPUT
 *
 * INPUT has x (time, lat, lon) with missing values, i (integers, likewise) and w (lat, lon). */
#include <stdio.h>
#include <varve/varve.h>

typedef struct results {
    vv_output *out;
    vv_status status;
} results;

static void add(results *r, const char *name, vv_array *a)
{
    if (r->status == VV_OK) r->status = vv_output_add(r->out, name, a);
}

static void moments(results *r, vv_array *x, vv_array *w)
{
    static const char *const weighted[] = {"sum", "mean", "var", "std", "sum_of_weights"};
    vv_reduce_options keep = VV_REDUCE_OPTIONS_INIT;
    char name[64];
    keep.keep_nan = true;
    for (int k = 0; k < 5; k++) {
        snprintf(name, sizeof name, "w_%s", weighted[k]);
        add(r, name, vv_weighted(x, weighted[k], w, "lat,lon", NULL));
        snprintf(name, sizeof name, "wk_%s", weighted[k]);
        add(r, name, vv_weighted(x, weighted[k], w, "lat", &keep));
    }
    for (int n = 0; n < 6; n++) {
        snprintf(name, sizeof name, "moment_%d", n);
        add(r, name, vv_moment(x, n, "time", NULL));
    }
}

/* Two variables beside each other, whatever their dimensions: places along them, with and without missing values. */
static void places(results *r, vv_array *x, vv_array *i)
{
    static const char *const dims[] = {"time", "lat", "lon", "time,lon", NULL};
    vv_reduce_options keep = VV_REDUCE_OPTIONS_INIT;
    char name[64];
    keep.keep_nan = true;
    for (int k = 0; k < 5; k++) {
        snprintf(name, sizeof name, "argmin_%d", k);
        add(r, name, vv_argmin(x, dims[k]));
        snprintf(name, sizeof name, "argmax_%d", k);
        add(r, name, vv_argmax(i, dims[k]));
        snprintf(name, sizeof name, "argmink_%d", k);
        add(r, name, vv_reduce(x, "argmin", dims[k], &keep));
        snprintf(name, sizeof name, "nonzero_%d", k);
        add(r, name, vv_reduce(i, "count_nonzero", dims[k], NULL));
        snprintf(name, sizeof name, "ptp_%d", k);
        add(r, name, vv_reduce(x, "ptp", dims[k], NULL));
    }
}

static const double some[] = {0.3}, several[] = {0, 0.1, 0.25, 0.5, 0.75, 0.95, 1};

static void quantiles(results *r, vv_array *x, vv_array *i)
{
    static const char *const dims[] = {"time", "lat", "lon", "time,lon", NULL};
    vv_quantile_options o = VV_QUANTILE_OPTIONS_INIT;
    char name[64];
    for (int m = 0; (o.method = vv_quantile_method_name(m)); m++)
        for (int k = 0; k < 5; k++) {
            o.keep_nan = k == 2;
            snprintf(name, sizeof name, "q_%s_%d", o.method, k);
            add(r, name, vv_quantiles(x, several, 7, dims[k], &o));
            snprintf(name, sizeof name, "qi_%s_%d", o.method, k);
            vv_array *one = vv_rename(vv_quantiles(i, some, 1, dims[k], &o), "quantile", "one");
            add(r, name, k % 2 ? one : vv_quantile(i, 0.3, dims[k], &o));
        }
    for (int k = 0; k < 5; k++) {
        snprintf(name, sizeof name, "median_%d", k);
        add(r, name, vv_median(x, dims[k]));
        snprintf(name, sizeof name, "mediani_%d", k);
        add(r, name, vv_median(i, dims[k]));
    }
}

static void sorted(results *r, vv_array *x, vv_array *i)
{
    static const char *const dims[] = {"time", "lat", "lon"};
    char name[64];
    for (int k = 0; k < 3; k++) {
        snprintf(name, sizeof name, "sort_%d", k);
        add(r, name, vv_sort(x, dims[k]));
        snprintf(name, sizeof name, "argsort_%d", k);
        add(r, name, vv_argsort(x, dims[k]));
        snprintf(name, sizeof name, "top_%d", k);
        add(r, name, vv_rename(vv_topk(x, 5, dims[k]), dims[k], "five"));
        snprintf(name, sizeof name, "argtop_%d", k);
        add(r, name, vv_rename(vv_argtopk(i, 6, dims[k]), dims[k], "six"));
        snprintf(name, sizeof name, "least_%d", k);
        add(r, name, vv_rename(vv_argtopk(x, -4, dims[k]), dims[k], "four"));
    }
}

static int driver(vv_session *s, int argc, char **argv)
{
    vv_save_options options = VV_SAVE_OPTIONS_INIT;
    results r = {0};
    if (argc != 3) return vv_error(VV_ERR_USAGE, "usage: order INPUT OUTPUT");
    vv_array *x = vv_open(s, argv[1], "x"), *i = vv_open(s, argv[1], "i"), *w = vv_open(s, argv[1], "w");
    r.status = vv_output_new(s, argv[2], &options, &r.out);
    moments(&r, x, w);
    places(&r, x, i);
    quantiles(&r, x, i);
    sorted(&r, x, i);
    if (r.status != VV_OK) {
        vv_output_free(&r.out);
        return r.status;
    }
    return vv_output_save(&r.out);
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}

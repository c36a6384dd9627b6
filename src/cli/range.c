/* The range of a coordinate: first and last value, the step when there is one, time in its calendar. */
#include "cli/info.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_READ = 200000 }; /* longer coordinates take too long for a look at a file */

/* Steps of a single-precision coordinate differ in their last digits. */
static const double tolerance = 1e-3;

static bool is_regular(const double *x, vv_index n, double step)
{
    for (vv_index i = 1; i < n; i++)
        if (!(fabs(x[i] - x[i - 1] - step) <= tolerance * fabs(step))) return false;
    return n > 1 && step != 0;
}

static void describe(vv_dataset *d, int var, const double *x, vv_index n, vv_cli_range *out)
{
    *out = (vv_cli_range){.known = true, .first = x[0], .last = x[n - 1]};
    out->step = n > 1 ? (x[n - 1] - x[0]) / (double)(n - 1) : 0;
    out->regular = is_regular(x, n, out->step);
    out->time = vv_dataset_time_text(d, var, out->first, out->first_text, sizeof out->first_text) &&
                vv_dataset_time_text(d, var, out->last, out->last_text, sizeof out->last_text);
}

vv_status vv_cli_range_read(vv_dataset *d, int var, vv_cli_range *out)
{
    *out = (vv_cli_range){0};
    vv_var_info v = vv_dataset_var(d, var);
    vv_index n = v.n_dims == 1 ? v.shape[0] : 0;
    if (n == 0 || n > MOST_READ || v.type == VV_NONE) return VV_OK;
    double *x = malloc((size_t)n * sizeof *x);
    if (!x) return vv_error(VV_ERR_NOMEM, "no memory for coordinate %s", v.name);
    vv_status status = vv_dataset_read(d, var, x, n);
    if (status == VV_OK) describe(d, var, x, n, out);
    free(x);
    return status;
}

vv_bytes vv_cli_file_bytes(const vv_dataset *d)
{
    vv_bytes all = 0;
    for (int i = 0; i < vv_dataset_n_files(d); i++) {
        struct stat s;
        if (stat(vv_dataset_file(d, i), &s)) return -1;
        all += s.st_size;
    }
    return all;
}

const char *vv_cli_role_name(vv_role role)
{
    static const char *const name[] = {
        [VV_ROLE_DATA] = "data",     [VV_ROLE_COORDINATE] = "coordinate", [VV_ROLE_AUXILIARY] = "auxiliary",
        [VV_ROLE_BOUNDS] = "bounds", [VV_ROLE_SUPPORT] = "support",
    };
    return name[role];
}

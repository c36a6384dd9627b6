/* Small results as text: one line a value, with the name of the variable and where the value stands.
 *
 *     t2m  time=1990-01-01 00:00  278.1431
 *     t2m  time=1990-01-01 06:00  278.2207 */
#include "cli/format.h"
#include "cli/results.h"

#include <stdlib.h>
#include <string.h>

/* The labels of one dimension. */
typedef struct axis {
    const char *name;
    vv_index length;
    int var;        /* of the source, that tells what times mean; -1: none */
    double *number; /* NULL: no coordinate */
} axis;

typedef struct shown {
    vv_dataset *source;
    int n;
    axis axis[VV_MAX_DIMS];
} shown;

static int coordinate_of(const vv_dataset *d, const char *dim)
{
    for (int i = 0; d && i < vv_dataset_n_vars(d); i++) {
        vv_var_info v = vv_dataset_var(d, i);
        if (v.role == VV_ROLE_COORDINATE && v.type != VV_NONE && !strcmp(v.name, dim)) return i;
    }
    return -1;
}

static vv_status read_axis(shown *s, const vv_array *a, int d)
{
    axis *x = &s->axis[d];
    *x = (axis){.name = vv_array_dim(a, d), .length = vv_array_length(a, d)};
    x->var = coordinate_of(s->source, x->name);
    s->n = d + 1;
    x->number = malloc((size_t)(x->length > 0 ? x->length : 1) * sizeof *x->number);
    if (!x->number) return vv_error(VV_ERR_NOMEM, "no memory for a coordinate");
    vv_status status = vv_array_coordinate(a, x->name, x->number, x->length);
    if (status != VV_ERR_NOT_FOUND) return status;
    free(x->number);
    x->number = NULL;
    return VV_OK;
}

static void axis_label(const shown *s, const axis *x, vv_index i, FILE *out)
{
    char text[VV_CLI_VALUE];
    if (!x->number)
        snprintf(text, sizeof text, "#%lld", (long long)i);
    else if (x->var < 0 || !vv_dataset_time_text(s->source, x->var, x->number[i], text, sizeof text))
        vv_cli_rounded(x->number[i], text);
    fprintf(out, "%s=%s", x->name, text);
}

/* "time=1990-01-01 00:00, lat=-30" of element i, to be freed; a reduced dimension that was kept has no place to tell. */
static char *label(const shown *s, vv_index i)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    vv_index below = 1;
    for (int d = 0; d < s->n; d++) below *= s->axis[d].length;
    bool first = true;
    for (int d = 0; d < s->n; d++) {
        const axis *x = &s->axis[d];
        below /= x->length;
        if (x->length == 1 && !x->number) continue;
        if (!first) fputs(", ", out);
        first = false;
        axis_label(s, x, i / below % x->length, out);
    }
    return fclose(out) ? NULL : text;
}

static vv_status add_values(const vv_cli_result *r, const shown *s, vv_index n, void *data, vv_cli_table *table)
{
    vv_bytes bytes = n * vv_dtype_size(vv_array_dtype(r->array));
    vv_status status = vv_compute(r->array, data, bytes);
    for (vv_index i = 0; status == VV_OK && i < n; i++) {
        char value[VV_CLI_VALUE], *place = label(s, i);
        vv_cli_table_row(table);
        vv_cli_table_cell(table, "%s", r->name);
        vv_cli_table_cell(table, "%s", place ? place : "");
        vv_cli_table_cell(table, "%s", vv_cli_value(vv_array_dtype(r->array), data, i, value));
        free(place);
    }
    return status;
}

static vv_status compute_one(vv_cli_results *x, const vv_cli_result *r, vv_cli_table *table)
{
    shown s = {.source = x->source};
    vv_index n = 1;
    vv_status status = VV_OK;
    for (int d = 0; status == VV_OK && d < vv_array_n_dims(r->array); d++) {
        status = read_axis(&s, r->array, d);
        n *= s.axis[d].length;
    }
    void *data = malloc((size_t)(n > 0 ? n : 1) * (size_t)vv_dtype_size(vv_array_dtype(r->array)));
    if (status == VV_OK && !data) status = vv_error(VV_ERR_NOMEM, "no memory for %s", r->name);
    if (status == VV_OK) status = add_values(r, &s, n, data, table);
    if (status == VV_OK) vv_cli_results_count(x);
    free(data);
    for (int d = 0; d < s.n; d++) free(s.axis[d].number);
    return status;
}

vv_status vv_cli_values_print(vv_cli_results *x)
{
    vv_cli_table table = {0};
    vv_status status = VV_OK;
    for (int i = 0; status == VV_OK && i < x->n; i++) status = compute_one(x, &x->item[i], &table);
    if (status == VV_OK) return vv_cli_table_print(&table, stdout, "llr");
    vv_cli_table_free(&table);
    return status;
}

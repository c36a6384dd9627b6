/* `varve info --json`: everything that is known about a file.
 *
 *     {"path": ..., "format": ..., "bytes": ...,
 *      "dimensions": {"time": {"length": 12, "unlimited": true}, ...},
 *      "variables": {"t2m": {"role": "data", "type": "f32", ..., "attributes": {...}, "attribute_types": {...}}, ...},
 *      "attributes": {...}, "attribute_types": {...}}
 *
 * Numbers that JSON cannot write (NaN, infinities) are null. Text that is not UTF-8 is taken for Latin-1. */
#include "cli/format.h"
#include "cli/info.h"
#include "cli/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- numbers --- */

static void json_number(FILE *out, double x)
{
    char text[VV_CLI_VALUE];
    fputs(isfinite(x) ? vv_cli_value(VV_F64, &x, 0, text) : "null", out);
}

/* --- attributes --- */

static void json_complex(FILE *out, double re, double im)
{
    fputc('[', out);
    json_number(out, re);
    fputs(", ", out);
    json_number(out, im);
    fputc(']', out);
}

static void json_element(FILE *out, vv_dtype type, const void *data, vv_index i)
{
    char text[VV_CLI_VALUE];
    const vv_c64 *c = data;
    const vv_c128 *z = data;
    if (type == VV_C64)
        json_complex(out, c[i].re, c[i].im);
    else if (type == VV_C128)
        json_complex(out, z[i].re, z[i].im);
    else if (type == VV_F32 && !isfinite(((const float *)data)[i]))
        fputs("null", out);
    else if (type == VV_F64)
        json_number(out, ((const double *)data)[i]);
    else
        fputs(vv_cli_value(type, data, i, text), out);
}

static void json_attribute(FILE *out, const vv_attr_info *a)
{
    if (a->type == VV_NONE) {
        vv_cli_json_bytes(out, a->data ? a->data : "", a->data ? strnlen(a->data, (size_t)a->count) : 0);
        return;
    }
    if (a->count != 1) fputc('[', out);
    for (vv_index i = 0; i < a->count; i++) {
        if (i) fputs(", ", out);
        json_element(out, a->type, a->data, i);
    }
    if (a->count != 1) fputc(']', out);
}

/* "attributes": {...}, "attribute_types": {...} */
static void json_attributes(FILE *out, const vv_dataset *d, int var, const char *indent)
{
    int n = vv_dataset_n_attrs(d, var);
    fprintf(out, "%s\"attributes\": {", indent);
    for (int i = 0; i < n; i++) {
        vv_attr_info a = vv_dataset_attr(d, var, i);
        fprintf(out, "%s\n%s  ", i ? "," : "", indent);
        vv_cli_json_text(out, a.name);
        fputs(": ", out);
        json_attribute(out, &a);
    }
    fprintf(out, "%s%s},\n%s\"attribute_types\": {", n ? "\n" : "", n ? indent : "", indent);
    for (int i = 0; i < n; i++) {
        vv_attr_info a = vv_dataset_attr(d, var, i);
        if (i) fputs(", ", out);
        vv_cli_json_text(out, a.name);
        fprintf(out, ": \"%s\"", a.type == VV_NONE ? "text" : vv_dtype_name(a.type));
    }
    fputc('}', out);
}

/* --- variables --- */

static void json_indices(FILE *out, const vv_index *n, int count)
{
    fputc('[', out);
    for (int i = 0; i < count; i++) fprintf(out, i ? ", %lld" : "%lld", (long long)n[i]);
    fputc(']', out);
}

static void json_storage(FILE *out, const vv_var_info *v)
{
    fputs("      \"chunk\": ", out);
    if (v->chunked)
        json_indices(out, v->chunk, v->n_dims);
    else
        fputs("null", out);
    if (v->deflate >= 0)
        fprintf(out, ", \"deflate\": %d", v->deflate);
    else
        fputs(", \"deflate\": null", out);
    if (v->zstd)
        fprintf(out, ", \"zstd\": %d", v->zstd);
    else
        fputs(", \"zstd\": null", out);
    fprintf(out, ", \"shuffle\": %s, \"fletcher32\": %s, \"stored\": %lld, \"memory\": %lld, \"slow_path\": ",
            v->shuffle ? "true" : "false", v->fletcher32 ? "true" : "false", (long long)v->stored,
            (long long)v->memory);
    vv_cli_json_text(out, v->slow_path);
    fputs(",\n", out);
}

/* The number that stands for missing values; null where no attribute says. */
static void json_fill(FILE *out, const vv_dataset *d, int var)
{
    static const char *const names[] = {"_FillValue", "missing_value"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        for (int i = 0; i < vv_dataset_n_attrs(d, var); i++) {
            vv_attr_info a = vv_dataset_attr(d, var, i);
            if (strcmp(a.name, names[k]) != 0 || a.type == VV_NONE || a.count < 1) continue;
            fputs("      \"fill\": ", out);
            json_element(out, a.type, a.data, 0);
            fputs(",\n", out);
            return;
        }
    fputs("      \"fill\": null,\n", out);
}

static vv_status json_range(FILE *out, vv_dataset *d, int var)
{
    vv_cli_range range;
    vv_status status = vv_cli_range_read(d, var, &range);
    if (status != VV_OK || !range.known) return status;
    fputs("      \"first\": ", out);
    json_number(out, range.first);
    fputs(", \"last\": ", out);
    json_number(out, range.last);
    fputs(", \"step\": ", out);
    json_number(out, range.regular ? range.step : NAN);
    if (range.time) {
        fputs(", \"first_time\": ", out);
        vv_cli_json_text(out, range.first_text);
        fputs(", \"last_time\": ", out);
        vv_cli_json_text(out, range.last_text);
    }
    fputs(",\n", out);
    return VV_OK;
}

static vv_status json_variable(FILE *out, vv_dataset *d, int var)
{
    vv_var_info v = vv_dataset_var(d, var);
    vv_cli_json_text(out, v.name);
    fprintf(out, ": {\n      \"role\": \"%s\", \"type\": ", vv_cli_role_name(v.role));
    vv_cli_json_text(out, v.type_text);
    fputs(", \"decoded\": ", out);
    vv_cli_json_text(out, v.decoded == VV_NONE ? NULL : vv_dtype_name(v.decoded));
    fputs(", \"dimensions\": [", out);
    for (int i = 0; i < v.n_dims; i++) {
        if (i) fputs(", ", out);
        vv_cli_json_text(out, vv_dataset_dim(d, v.dim[i]).name);
    }
    fputs("], \"shape\": ", out);
    json_indices(out, v.shape, v.n_dims);
    fputs(",\n", out);
    json_storage(out, &v);
    json_fill(out, d, var);
    vv_status status = v.role == VV_ROLE_COORDINATE ? json_range(out, d, var) : VV_OK;
    json_attributes(out, d, var, "      ");
    fputs("\n    }", out);
    return status;
}

static void json_dimensions(FILE *out, const vv_dataset *d)
{
    int n = vv_dataset_n_dims(d);
    fputs("  \"dimensions\": {", out);
    for (int i = 0; i < n; i++) {
        vv_dim_info dim = vv_dataset_dim(d, i);
        fprintf(out, "%s\n    ", i ? "," : "");
        vv_cli_json_text(out, dim.name);
        fprintf(out, ": {\"length\": %lld, \"unlimited\": %s}", (long long)dim.length,
                dim.unlimited ? "true" : "false");
    }
    fprintf(out, "%s},\n", n ? "\n  " : "");
}

/* Of joined files: all, in their order. */
static void json_files(FILE *out, const vv_dataset *d)
{
    int n = vv_dataset_n_files(d);
    if (n == 1) return;
    for (int i = 0; i < n; i++) {
        fputs(i ? ", " : ", \"files\": [", out);
        vv_cli_json_text(out, vv_dataset_file(d, i));
    }
    fputc(']', out);
}

vv_status vv_cli_info_json(vv_dataset *d, const bool *chosen, FILE *out)
{
    vv_status status = VV_OK;
    bool any = false;
    vv_bytes bytes = vv_cli_file_bytes(d);
    fputs("{\n  \"path\": ", out);
    vv_cli_json_text(out, vv_dataset_path(d));
    json_files(out, d);
    fputs(", \"format\": ", out);
    vv_cli_json_text(out, vv_dataset_format(d));
    fputs(", \"bytes\": ", out);
    json_number(out, bytes < 0 ? NAN : (double)bytes);
    fputs(",\n", out);
    json_dimensions(out, d);
    fputs("  \"variables\": {", out);
    for (int i = 0; status == VV_OK && i < vv_dataset_n_vars(d); i++) {
        if (!chosen[i]) continue;
        fprintf(out, "%s\n    ", any ? "," : "");
        any = true;
        status = json_variable(out, d, i);
    }
    fprintf(out, "%s},\n", any ? "\n  " : "");
    json_attributes(out, d, -1, "  ");
    fputs("\n}", out);
    return status;
}

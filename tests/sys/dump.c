/* All variables of files, decoded: what test_formats.py compares with what other programs read.
 *
 *     dump OUTPUT FILE...
 *
 * For each file the line "file PATH", for each of its variables a line and, behind it, its elements in row-major order:
 *     var NAME TYPE BYTES DIM:LENGTH,...      NAME, TYPE and dimensions separated by tabs
 *     note NAME TYPE_TEXT                     no numbers
 *     failed NAME STATUS                      could not be read; why stands on stderr */
#include <stdio.h>
#include <stdlib.h>
#include <varve/varve.h>

static vv_status dump_array(FILE *out, const char *name, vv_array *a)
{
    vv_status status = vv_array_status(a);
    if (status != VV_OK) return status;
    vv_bytes bytes = vv_dtype_size(vv_array_dtype(a));
    for (int d = 0; d < vv_array_n_dims(a); d++) bytes *= vv_array_length(a, d);
    char *data = malloc((size_t)bytes + 1);
    if (!data) return vv_error(VV_ERR_NOMEM, "no memory for %s", name);
    status = vv_compute(a, data, bytes);
    if (status == VV_OK) {
        fprintf(out, "var\t%s\t%s\t%lld\t", name, vv_dtype_name(vv_array_dtype(a)), (long long)bytes);
        for (int d = 0; d < vv_array_n_dims(a); d++)
            fprintf(out, "%s%s:%lld", d ? "," : "", vv_array_dim(a, d), (long long)vv_array_length(a, d));
        fputc('\n', out);
        fwrite(data, 1, (size_t)bytes, out);
    }
    free(data);
    return status;
}

static vv_status dump_file(FILE *out, vv_session *s, const char *path)
{
    vv_dataset *d = vv_dataset_open(s, path);
    fprintf(out, "file\t%s\n", path);
    vv_status status = vv_dataset_status(d);
    if (status != VV_OK) return status;
    for (int i = 0; i < vv_dataset_n_vars(d); i++) {
        vv_var_info v = vv_dataset_var(d, i);
        if (v.decoded == VV_NONE) {
            fprintf(out, "note\t%s\t%s\n", v.name, v.type_text);
            continue;
        }
        vv_array *a = vv_dataset_array(d, v.name);
        status = dump_array(out, v.name, a);
        vv_release(&a);
        if (status == VV_OK) continue;
        fprintf(out, "failed\t%s\t%d\n", v.name, (int)status);
        fprintf(stderr, "%s\n", vv_last_error());
    }
    return VV_OK;
}

static int driver(vv_session *s, int argc, char **argv)
{
    FILE *out = argc > 1 ? fopen(argv[1], "wb") : NULL;
    if (!out) return vv_error(VV_ERR_USAGE, "usage: dump OUTPUT FILE...");
    vv_status status = VV_OK;
    for (int i = 2; i < argc && status == VV_OK; i++) status = dump_file(out, s, argv[i]);
    fclose(out);
    return status;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}

/* 04: calculations as text.
 *
 *     mpirun -n 2 ./04_expressions t2m.nc land.nc
 *
 * Expected output, with the dataset of examples/make_climate.py:
 *
 *     saved seasons (season: 4)
 *     saved frost (lat: 91, lon: 180)
 *     a mistake: there is no 't2n'; did you mean 't2m'?
 *     mean(t2n)
 *     ^~~
 *
 * vv_script_run() takes the statements of `varve eval`: results and, with let, names for what they share. Names are variables of the dataset; functions are
 * everything that vv_call() knows, and what README.md says under Expressions. Nothing is computed before the save, and then all results by one plan. A mistake
 * makes no array: vv_last_error() shows it in the text. */
#include <stdio.h>
#include <varve/varve.h>

static const char statements[] =
    "let land = where(lsm > 0, t2m, nan)\n"
    "seasons = land.group(season).mean().mean(lat, lon, weights=cos(lat))  # cos of weights takes degrees\n"
    "frost = sum(land < 273.15, time)\n";

static vv_status save(vv_session *s, const vv_script *x, const char *path)
{
    vv_output *out;
    vv_status status = vv_output_new(s, path, &(vv_save_options){.overwrite = true, .deflate = -1}, &out);
    for (int i = 0; i < vv_script_n_results(x) && status == VV_OK; i++)
        status = vv_output_add(out, vv_script_name(x, i), vv_script_array(x, i));
    if (status == VV_OK) status = vv_output_save(&out);
    if (status != VV_OK) vv_output_free(&out);
    return status;
}

static void tell(const vv_script *x)
{
    for (int i = 0; i < vv_script_n_results(x); i++) {
        const vv_array *a = vv_script_array(x, i);
        printf("saved %s (", vv_script_name(x, i));
        for (int d = 0; d < vv_array_n_dims(a); d++)
            printf("%s%s: %lld", d ? ", " : "", vv_array_dim(a, d), (long long)vv_array_length(a, d));
        printf(")\n");
    }
}

static int driver(vv_session *s, int argc, char **argv)
{
    if (argc != 3) return vv_error(VV_ERR_USAGE, "usage: 04_expressions INPUT OUTPUT");
    vv_dataset *d = vv_dataset_open(s, argv[1]);
    vv_script *x;
    vv_status status = vv_script_new(s, d, &x);
    if (status == VV_OK) status = vv_script_run(x, statements, NULL);
    if (status == VV_OK) status = save(s, x, argv[2]);
    if (status == VV_OK) tell(x);
    vv_script_free(&x);
    if (status == VV_OK && vv_array_status(vv_expression(s, d, "mean(t2n)")) != VV_OK)
        printf("a mistake: %s\n", vv_last_error());
    return status;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}

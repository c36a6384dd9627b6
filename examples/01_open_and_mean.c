/* 01: open a variable, take its mean over time, save it.
 *
 *     mpirun -n 2 ./01_open_and_mean t2m.nc t2m mean.nc
 *
 * Expected output, with the dataset of examples/make_climate.py:
 *
 *     t2m (time: 1096, lat: 91, lon: 180) f32, chunks 48 x 46 x 90, 71.8 MB
 *     -> t2m (lat: 91, lon: 180) f32, chunks 46 x 90, 65.5 kB
 *     saved mean.nc
 *
 * The program reads like a serial one: vv_run calls driver() on rank 0 while the other ranks serve. Nothing is read before vv_save.
 * vv_open and vv_mean need no checks of their own: if the file or the dimension does not exist, vv_save says so. */
#include <stdio.h>
#include <varve/varve.h>

static int driver(vv_session *s, int argc, char **argv)
{
    if (argc != 4) return vv_error(VV_ERR_USAGE, "usage: %s FILE VARIABLE OUTPUT", argv[0]);

    vv_array *t = vv_open(s, argv[1], argv[2]);
    vv_array *mean = vv_mean(t, "time");

    vv_save_options options = VV_SAVE_OPTIONS_INIT;
    options.overwrite = true;
    vv_status status = vv_save(mean, argv[3], &options);
    if (status != VV_OK) return status;

    char before[200], after[200];
    printf("%s\n-> %s\nsaved %s\n", vv_describe(t, before, sizeof before), vv_describe(mean, after, sizeof after),
           argv[3]);
    return VV_OK;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}

/* 02: a monthly climatology, and how far every time is from it.
 *
 *     mpirun -n 2 ./02_anomalies t2m.nc t2m anomalies.nc
 *
 * Expected output, with the dataset of examples/make_climate.py:
 *
 *     t2m (month: 12, lat: 91, lon: 180) f32, chunks any x 46 x 90, 786 kB
 *     t2m (time: 1096, lat: 91, lon: 180) f32, chunks 48 x 46 x 90, 12 groups 'month' along time, 71.8 MB
 *     saved anomalies.nc
 *
 * vv_group() gives every time the label of its month. Reducing grouped data gives one map for each group; an operation between grouped data and
 * such maps gives every time the map of its own month. Nobody copies the climatology a thousand times: it is looked up.
 *
 * One output may hold several arrays. They are computed together: what they have in common is computed once. Chunks are compressed by the rank
 * that has them. */
#include <stdio.h>
#include <varve/varve.h>

static int driver(vv_session *s, int argc, char **argv)
{
    if (argc != 4) return vv_error(VV_ERR_USAGE, "usage: %s FILE VARIABLE OUTPUT", argv[0]);

    vv_array *by_month = vv_group(vv_open(s, argv[1], argv[2]), "time.month");
    vv_array *climatology = vv_mean(by_month, "time");
    vv_array *anomaly = vv_sub(by_month, climatology);

    vv_save_options options = VV_SAVE_OPTIONS_INIT;
    options.overwrite = true;
    options.deflate = 1;
    vv_output *out;
    vv_status status = vv_output_new(s, argv[3], &options, &out);
    if (status == VV_OK) status = vv_output_add(out, "climatology", climatology);
    if (status == VV_OK) status = vv_output_add(out, "anomaly", anomaly);
    if (status == VV_OK) status = vv_output_save(&out);
    if (status != VV_OK) {
        vv_output_free(&out);
        return status;
    }

    char text[200];
    printf("%s\n", vv_describe(climatology, text, sizeof text));
    printf("%s\n", vv_describe(anomaly, text, sizeof text));
    printf("saved %s\n", argv[3]);
    return VV_OK;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}

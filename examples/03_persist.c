/* 03: computed once, used often.
 *
 *     mpirun -n 2 ./03_persist t2m.nc t2m warmest.nc
 *
 * Expected output, with the dataset of examples/make_climate.py:
 *
 *     the ranks hold 71.8 MB
 *     largest anomaly ...: 0 B read
 *     saved warmest.nc: 0 B read
 *
 * An array is a promise: whoever asks for it twice has it computed twice. vv_persist() computes it and leaves its chunks with the ranks that made them.
 * What is built on it takes them from there, with the same bits. vv_release() of the last array that needs them gives the memory back.
 *
 * Persisted arrays count against the memory budget. When a plan needs their room they move to scratch files: they are slower then, and never in the way. */
#include <stdio.h>
#include <varve/varve.h>

static const char *read_by_last_run(vv_session *s, char text[32])
{
    vv_run_stats stats;
    vv_session_stats(s, &stats);
    return vv_format_bytes(stats.read, text);
}

static vv_status use(vv_session *s, vv_array *anomaly, const char *path)
{
    char text[32];
    float most;
    vv_status status = vv_compute(vv_max(anomaly, NULL), &most, sizeof most);
    if (status != VV_OK) return status;
    printf("largest anomaly %.2f: %s read\n", (double)most, read_by_last_run(s, text));

    vv_save_options options = VV_SAVE_OPTIONS_INIT;
    options.overwrite = true;
    status = vv_save(vv_max(anomaly, "time"), path, &options);
    if (status == VV_OK) printf("saved %s: %s read\n", path, read_by_last_run(s, text));
    return status;
}

static int driver(vv_session *s, int argc, char **argv)
{
    if (argc != 4) return vv_error(VV_ERR_USAGE, "usage: %s FILE VARIABLE OUTPUT", argv[0]);

    vv_array *by_month = vv_group(vv_open(s, argv[1], argv[2]), "time.month");
    vv_array *anomaly = vv_sub(by_month, vv_mean(by_month, "time"));
    vv_status status = vv_persist(anomaly);
    if (status != VV_OK) return status;

    vv_run_stats stats;
    char text[32];
    vv_session_stats(s, &stats);
    printf("the ranks hold %s\n", vv_format_bytes(stats.held, text));
    return use(s, vv_ungroup(anomaly), argv[3]);
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}

/* 14: one function for each of many files, whatever is in them; some fail.
 *
 *     mpirun -n 2 ./14_many_files
 *
 * Expected output:
 *
 *     50 stations: 49 read, the warmest one is station 7 with 29.0 degrees
 *     the one that is left: task '...' on rank ...: station_13.txt: no numbers in it
 *
 * Files are in no format that anybody knows but this program: each is read by a task. A file that cannot be read fails its own task and nothing else. */
#define _XOPEN_SOURCE 700 /* mkdtemp */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <varve/varve.h>

enum { STATIONS = 50 };

typedef struct summary {
    int station, n;
    double mean;
} summary;

/* The lines of a file: "17.5". */
static int read_station(vv_task *t)
{
    char path[4096], line[100];
    const char *folder = vv_task_string(t, 0);
    summary r = {(int)vv_task_i64(t, 1), 0, 0};
    snprintf(path, sizeof path, "%s/station_%02d.txt", folder, r.station);
    FILE *f = fopen(path, "r");
    if (!f) return vv_error(VV_ERR_READ, "cannot open %s", path);
    while (fgets(line, sizeof line, f)) {
        double value;
        if (sscanf(line, "%lf", &value) == 1) r.mean += value, r.n++;
    }
    fclose(f);
    if (r.n == 0) return vv_error(VV_ERR_READ, "%s: no numbers in it", strrchr(path, '/') + 1);
    r.mean /= r.n;
    return vv_return_bytes(t, &r, sizeof r);
}

static void write_files(const char *folder)
{
    for (int i = 0; i < STATIONS; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/station_%02d.txt", folder, i);
        FILE *f = fopen(path, "w");
        if (!f) continue;
        for (int k = 0; k < 24; k++)
            i == 13 ? fprintf(f, "broken\n") : fprintf(f, "%g\n", i * 17 % 30 + (k % 2 ? 0.5 : -0.5));
        fclose(f);
    }
}

static void remove_files(const char *folder)
{
    for (int i = 0; i < STATIONS; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/station_%02d.txt", folder, i);
        unlink(path);
    }
    rmdir(folder);
}

static vv_status read_all(vv_session *s, const char *folder)
{
    vv_future f[STATIONS];
    summary warmest = {0, 0, -1e300}, one;
    int good = 0;
    char why[1000] = "";
    for (int i = 0; i < STATIONS; i++) {
        vv_status status = vv_submit(s, read_station, VV_ARGS(vv_string(folder), vv_i64(i)), NULL, &f[i]);
        if (status != VV_OK) return status;
    }
    for (int i = 0; i < STATIONS; i++) {
        if (vv_gather(s, f[i], &one, sizeof one, NULL) != VV_OK) {
            snprintf(why, sizeof why, "%s", vv_last_error());
            continue;
        }
        good++;
        if (one.mean > warmest.mean) warmest = one;
    }
    printf("%d stations: %d read, the warmest one is station %d with %.1f degrees\n", STATIONS, good, warmest.station,
           warmest.mean);
    printf("the one that is left: %s\n", why);
    vv_future_release(s, f, STATIONS);
    return VV_OK;
}

static int driver(vv_session *s, int argc, char **argv)
{
    (void)argc, (void)argv;
    char folder[] = "/tmp/varve-stations-XXXXXX";
    if (!mkdtemp(folder)) return vv_error(VV_ERR_WRITE, "no folder for the files");
    write_files(folder);
    vv_status status = read_all(s, folder);
    remove_files(folder);
    return status;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}

/* 16: arrays feed tasks, tasks feed arrays, and one compute does it all.
 *
 *     mpirun -n 2 ./16_mixed
 *
 * Expected output:
 *
 *     before the plan: 24 delayed calls, whose results 'delayed' is made of
 *     days until the snow has melted, on average: 43.3
 *     the latest place has 49 days, the southern half 40.6 on average
 *     calls that have run: 48
 *
 * Snow melts at each place of a map at its own pace, and each place is followed until its snow is gone: what a chunk costs depends on its numbers, so that its rows are tasks, which idle ranks take from others. What comes
 * before and after is arithmetic of arrays. Nothing runs until the last line is computed; then the arrays that tasks need, the tasks, and the arrays made of them, in that order. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <varve/varve.h>

enum { ROWS = 120, COLUMNS = 200, PIECES = 24 };

/* The chunk has the snow of some rows; the result the days until it is gone. */
static int melt(vv_task *t)
{
    vv_bytes size;
    const double *snow = vv_task_data(t, 0, &size);
    double *days = vv_return_room(t, size);
    if (!days) return VV_ERR_NOMEM;
    for (vv_index i = 0; i < size / (vv_bytes)sizeof *snow; i++) {
        double left = snow[i];
        for (days[i] = 0; left > 0.01; days[i]++) left -= 0.02 * left + 0.01 * left * left + 0.05;
    }
    return 0;
}

/* A call of each chunk, and the array that they make. */
static vv_status melted(vv_session *s, vv_array *snow, vv_array **out)
{
    vv_delayed **chunk, *call[PIECES];
    int n;
    vv_status status = vv_delayed_from_array(snow, &chunk, &n);
    if (status != VV_OK) return status;
    if (n != PIECES) return vv_error(VV_ERR_RUN, "%d chunks", n);
    for (int i = 0; i < n; i++) call[i] = vv_delay(s, melt, VV_ARGS(vv_later(chunk[i])));
    *out = vv_array_from_delayed(s, call, n, "lat:120,lon:200", "lat:5", VV_F64);
    vv_delayed_release(chunk, n);
    vv_delayed_release(call, n); /* the array holds them */
    free(chunk);
    return vv_array_status(*out);
}

static int driver(vv_session *s, int argc, char **argv)
{
    (void)argc, (void)argv;
    double mean, latest, south;
    char *plan, *end;
    vv_array *noise = vv_random_array(s, "uniform", "lat:120,lon:200", NULL, 3, VV_F64);
    vv_array *height = vv_linspace(s, "lat", 0, 1, ROWS, false);
    vv_array *snow = vv_mul(vv_add(noise, height), vv_scalar(s, 10)), *days;
    vv_status status = melted(s, vv_rechunk(snow, "lat:5"), &days);
    if (status != VV_OK) return status;

    vv_array *lazy[] = {vv_mean(days, NULL), vv_max(days, NULL), vv_mean(vv_slice(days, "lat", 0, ROWS / 2, 1), NULL)};
    status = vv_explain_all(lazy, 3, NULL, &plan); /* says what would run, and runs nothing */
    if (status != VV_OK) return status;
    if ((end = strstr(plan, " ("))) *end = 0;
    printf("before the plan: %s\n", plan + strlen("first: "));
    free(plan);

    status = vv_compute_all(lazy, (void *[]){&mean, &latest, &south}, (vv_bytes[]){8, 8, 8}, 3);
    if (status != VV_OK) return status;
    vv_futures_stats stats;
    vv_futures_get_stats(s, &stats);
    printf("days until the snow has melted, on average: %.1f\n", mean);
    printf("the latest place has %.0f days, the southern half %.1f on average\n", latest, south);
    printf("calls that have run: %lld\n", (long long)(stats.finished - PIECES - vv_session_ranks(s)));
    return VV_OK;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}

/* 18: a pipeline whose stages fail now and then, and are tried again.
 *
 *     mpirun -n 2 ./18_pipeline
 *
 * Expected output:
 *
 *     item 13 is left out: task '...' on rank ...: archive 13 has lost it
 *     29 of 30 items have come through, 34 attempts were repeated
 *     the sum of their means is 422.0
 *
 * Each item is fetched, cleaned and averaged: three tasks, of which each gets the result of the one before. Fetching asks an archive that does not always answer: it is tried again up to three times
 * (retries), on any rank, and what waits for it knows nothing of that. Cleaning fails on a machine that is out of something, and is tried again too. What fails for good is told where
 * the end of its pipeline is gathered, with the first reason; the other items go on. */
#include <stdio.h>
#include <varve/varve.h>

enum { ITEMS = 30, VALUES = 1000, LOST = 13 };

/* Answers at the first, second or third attempt. */
static int fetch(vv_task *t)
{
    int item = (int)vv_task_i64(t, 0);
    if (item == LOST) return vv_error(VV_ERR_READ, "archive %d has lost it", item);
    if (t->attempt < item % 3) return vv_error(VV_ERR_READ, "no answer from archive %d", item);
    double *out = vv_return_room(t, VALUES * sizeof *out);
    for (int i = 0; out && i < VALUES; i++) out[i] = i % 10 ? item : 1e20; /* some are missing */
    return out ? VV_OK : VV_ERR_NOMEM;
}

static int clean(vv_task *t)
{
    vv_bytes size;
    const double *in = vv_task_data(t, 0, &size);
    if (in[1] > 27 && t->attempt == 0) return vv_error(VV_ERR_RUN, "no licence is free");
    double *out = vv_return_room(t, size);
    for (int i = 0; out && i < VALUES; i++) out[i] = in[i] < 1e19 ? in[i] : 0;
    return out ? VV_OK : VV_ERR_NOMEM;
}

static int average(vv_task *t)
{
    const double *in = vv_task_data(t, 0, NULL);
    double sum = 0;
    for (int i = 0; i < VALUES; i++) sum += in[i];
    return vv_return_f64(t, sum / (0.9 * VALUES));
}

static vv_status submit_item(vv_session *s, int item, vv_future *out)
{
    vv_submit_options again = VV_SUBMIT_OPTIONS_INIT;
    vv_future stage[2] = {{0}, {0}};
    again.retries = 3;
    vv_status status = vv_submit(s, fetch, VV_ARGS(vv_i64(item)), &again, &stage[0]);
    if (status == VV_OK) status = vv_submit(s, clean, VV_ARGS(vv_of(stage[0])), &again, &stage[1]);
    if (status == VV_OK) status = vv_submit(s, average, VV_ARGS(vv_of(stage[1])), NULL, out);
    vv_future_release(s, stage, 2); /* what comes behind them holds them as long as it needs them */
    return status;
}

static int driver(vv_session *s, int argc, char **argv)
{
    (void)argc, (void)argv;
    vv_future f[ITEMS];
    double mean, sum = 0;
    int through = 0;
    for (int item = 0; item < ITEMS; item++) {
        vv_status status = submit_item(s, item, &f[item]);
        if (status != VV_OK) return status;
    }
    for (int item = 0; item < ITEMS; item++) {
        if (vv_gather_f64(s, f[item], &mean) != VV_OK) {
            printf("item %d is left out: %s\n", item, vv_last_error());
            continue;
        }
        sum += mean;
        through++;
    }
    vv_futures_stats stats;
    vv_futures_get_stats(s, &stats);
    printf("%d of %d items have come through, %lld attempts were repeated\n", through, ITEMS, (long long)stats.retried);
    printf("the sum of their means is %.1f\n", sum);
    vv_future_release(s, f, ITEMS);
    return VV_OK;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}

/* 17: a grid search: one task for each setting of two parameters, then a finer grid around the best one.
 *
 *     mpirun -n 2 ./17_grid_search
 *
 * Expected output:
 *
 *     400 settings, step 0.5000: the best is amplitude 2.500, period 7.500
 *     400 settings, step 0.0500: the best is amplitude 2.800, period 7.250
 *     400 settings, step 0.0050: the best is amplitude 2.810, period 7.250
 *
 * vv_submit_map() submits a call for each item of an array, here a setting, with arguments that are the same for all: the data, which vv_scatter() has given to every rank once, instead
 * of with every call. */
#include <math.h>
#include <stdio.h>
#include <varve/varve.h>

enum { DAYS = 30, SIDE = 20, ROUNDS = 3 };

typedef struct setting {
    double amplitude, period;
} setting;

static double model(const setting *p, int day)
{
    return p->amplitude * sin(6.283185307179586 * day / p->period);
}

/* Mean square of what the model leaves. */
static int misfit(vv_task *t)
{
    const setting *p = vv_task_data(t, 0, NULL);
    const double *data = vv_task_data(t, 1, NULL);
    double sum = 0;
    for (int day = 0; day < DAYS; day++) sum += pow(data[day] - model(p, day), 2);
    return vv_return_f64(t, sum / DAYS);
}

/* Settings around the best one so far, which becomes the best of these. */
static vv_status search(vv_session *s, vv_future data, double step, setting *best)
{
    setting p[SIDE * SIDE];
    vv_future f[SIDE * SIDE];
    double value[SIDE * SIDE];
    int least = 0;
    for (int i = 0; i < SIDE * SIDE; i++)
        p[i] = (setting){best->amplitude + step * (i % SIDE - SIDE / 2), best->period + step * (i / SIDE - SIDE / 2)};
    vv_status status = vv_submit_map(s, misfit, p, sizeof *p, SIDE * SIDE, VV_ARGS(vv_of(data)), NULL, f);
    if (status == VV_OK) status = vv_gather_all(s, f, SIDE * SIDE, value, sizeof *value);
    vv_future_release(s, f, SIDE * SIDE);
    if (status != VV_OK) return status;
    for (int i = 0; i < SIDE * SIDE; i++)
        if (value[i] < value[least]) least = i;
    *best = p[least];
    printf("%d settings, step %.4f: the best is amplitude %.3f, period %.3f\n", SIDE * SIDE, step, best->amplitude,
           best->period);
    return VV_OK;
}

static int driver(vv_session *s, int argc, char **argv)
{
    (void)argc, (void)argv;
    static const setting truth = {2.8, 7.25};
    double data[DAYS], step = 0.5;
    vv_future everywhere;
    setting best = {5, 9};
    for (int day = 0; day < DAYS; day++) data[day] = model(&truth, day) + 0.1 * sin(day * day);
    vv_status status = vv_scatter(s, data, sizeof data, VV_EVERYWHERE, &everywhere);
    for (int round = 0; round < ROUNDS && status == VV_OK; round++, step /= 10)
        status = search(s, everywhere, step, &best);
    return status;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}

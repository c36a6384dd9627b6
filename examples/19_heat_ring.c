/* 19: a stencil by futures: heat in a ring of cells, each of which needs its neighbours' last state.
 *
 *     mpirun -n 2 ./19_heat_ring
 *
 * Expected output:
 *
 *     heat after 200 steps: 1.0000 in all, 0.0399 in the middle
 *
 * Every step of every cell is a task with three results as arguments. All 1,600 are submitted without waiting for any: a task begins when what it needs is there, and cells that are ahead do not wait for the others. States stay
 * on the ranks that made them, and tasks go where most of their input is. (For a grid in one array example 5 is the way.) */
#include <stdio.h>
#include <string.h>
#include <varve/varve.h>

enum { CELLS = 8, LENGTH = 64, STEPS = 200 };

static int step(vv_task *t)
{
    const double *left = vv_task_data(t, 0, NULL), *here = vv_task_data(t, 1, NULL), *right = vv_task_data(t, 2, NULL);
    double *out = vv_return_room(t, LENGTH * sizeof *out);
    if (!out) return VV_ERR_NOMEM;
    for (int i = 0; i < LENGTH; i++) {
        double before = i > 0 ? here[i - 1] : left[LENGTH - 1], after = i < LENGTH - 1 ? here[i + 1] : right[0];
        out[i] = here[i] + 0.25 * (before - 2 * here[i] + after);
    }
    return 0;
}

static int driver(vv_session *s, int argc, char **argv)
{
    (void)argc, (void)argv;
    double start[CELLS][LENGTH] = {0}, end[CELLS][LENGTH], sum = 0;
    vv_future now[CELLS], next[CELLS];
    vv_status status = VV_OK;
    start[CELLS / 2][LENGTH / 2] = 1;
    for (int c = 0; c < CELLS && status == VV_OK; c++)
        status = vv_scatter(s, start[c], sizeof start[c], VV_ANYWHERE, &now[c]);
    for (int k = 0; k < STEPS && status == VV_OK; k++) {
        for (int c = 0; c < CELLS && status == VV_OK; c++)
            status = vv_submit(s, step,
                               VV_ARGS(vv_of(now[(c + CELLS - 1) % CELLS]), vv_of(now[c]), vv_of(now[(c + 1) % CELLS])),
                               NULL, &next[c]);
        if (status == VV_OK) vv_future_release(s, now, CELLS); /* steps that are submitted hold what they need */
        memcpy(now, next, sizeof now);
    }
    if (status == VV_OK) status = vv_gather_all(s, now, CELLS, end, sizeof end[0]);
    if (status != VV_OK) return status;
    for (int c = 0; c < CELLS; c++)
        for (int i = 0; i < LENGTH; i++) sum += end[c][i];
    printf("heat after %d steps: %.4f in all, %.4f in the middle\n", STEPS, sum, end[CELLS / 2][LENGTH / 2]);
    return VV_OK;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}

/* 12: looking for a minimum, ten points at a time.
 *
 *     mpirun -n 2 ./12_rosenbrock
 *
 * Expected output:
 *
 *     3000 points looked at, at most 10 at once
 *     the best one is near (1, 1): yes
 *
 * Rosenbrock's function has its minimum 0 at (1, 1), at the end of a bent valley. Random points are tried around the best one so far, near
 * ones and distant ones. Ten points are always on their way: whenever one comes back - in any order - the best is updated and another one is submitted. vv_completed gives futures as they finish, and takes new ones. */
#include <math.h>
#include <stdio.h>
#include <varve/varve.h>

enum { POINTS = 3000, AT_ONCE = 10 };

typedef struct point {
    double x, y, value;
} point;

static int rosenbrock(vv_task *t)
{
    point p = {vv_task_f64(t, 0), vv_task_f64(t, 1), 0};
    p.value = (1 - p.x) * (1 - p.x) + 100 * (p.y - p.x * p.x) * (p.y - p.x * p.x);
    return vv_return_bytes(t, &p, sizeof p);
}

static double uniform(void)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (double)(state >> 11) / 4503599627370496.0 - 1; /* -1 .. 1 */
}

/* At any distance: from a thousandth to 2. */
static vv_status submit_near(vv_session *s, const point *best, vv_future *out)
{
    double size = exp(-3.1 + 3.8 * uniform());
    return vv_submit(s, rosenbrock, VV_ARGS(vv_f64(best->x + size * uniform()), vv_f64(best->y + size * uniform())),
                     NULL, out);
}

static int driver(vv_session *s, int argc, char **argv)
{
    (void)argc, (void)argv;
    point best = {0, 0, INFINITY}, p;
    vv_future f[AT_ONCE], done;
    vv_completed *c;
    int submitted = 0, seen = 0, most = 0;
    vv_status status = VV_OK;
    for (; submitted < AT_ONCE && status == VV_OK; submitted++) status = submit_near(s, &best, &f[submitted]);
    if (status == VV_OK) status = vv_completed_new(s, f, AT_ONCE, &c);
    if (status != VV_OK) return status;
    while (status == VV_OK && vv_completed_next(c, -1, &done)) {
        seen++;
        if (submitted - seen + 1 > most) most = submitted - seen + 1;
        status = vv_gather(s, done, &p, sizeof p, NULL);
        vv_future_release(s, &done, 1);
        if (status == VV_OK && p.value < best.value) best = p;
        if (status != VV_OK || submitted == POINTS) continue;
        status = submit_near(s, &best, &done);
        if (status == VV_OK) status = vv_completed_add(c, &done, 1);
        submitted++;
    }
    if (status == VV_OK) status = vv_completed_status(c);
    vv_completed_free(&c);
    if (status != VV_OK) return status;
    printf("%d points looked at, at most %d at once\n", seen, most);
    printf("the best one is near (1, 1): %s\n", hypot(best.x - 1, best.y - 1) < 0.3 ? "yes" : "no");
    return VV_OK;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}

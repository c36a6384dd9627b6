/* A driver that keeps rank 0 busy with work of its own for some seconds, while the other ranks have nothing to do.
 *
 *     mpirun -n 4 idle_driver 10
 *
 * test_idle.py watches what the others use meanwhile. Prints "busy" when the seconds begin and "over" when they end. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <varve/varve.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int driver(vv_session *s, int argc, char **argv)
{
    (void)s;
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 10;
    if (!(seconds > 0)) return vv_error(VV_ERR_USAGE, "usage: %s SECONDS", argv[0]);
    puts("busy");
    fflush(stdout);
    volatile double x = 1;
    for (double end = now() + seconds; now() < end;)
        for (int i = 0; i < 100000; i++) x = x * 0.999999 + 1e-6;
    puts("over");
    return VV_OK;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}

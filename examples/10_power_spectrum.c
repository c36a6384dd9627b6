/* 10: Fourier transforms and complex numbers.
 *
 *     mpirun -n 2 ./10_power_spectrum t2m.nc t2m
 *
 * Expected output, with the dataset of examples/make_climate.py:
 *
 *     t2m: 1096 steps, 549 frequencies
 *     period of  365.3 steps: 86.7 % of the variation
 *     period of ... steps: 0.1 % of the variation
 *     period of ... steps: 0.1 % of the variation
 *
 * vv_rfft() makes complex numbers (c64 of f32 data) of the series at each place; their absolute values squared, averaged over the map, say how much of the variation goes
 * with which period. The time axis is brought together where it is cut into chunks; the map never is. What is transformed and averaged here is one plan: nothing of
 * the size of the data is ever written down. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <varve/varve.h>

enum { STRONGEST = 3 };

/* The frequency with the most power, which is taken out. */
static vv_index strongest(double power[], vv_index n)
{
    vv_index best = 1;
    for (vv_index i = 2; i < n; i++)
        if (power[i] > power[best]) best = i;
    return best;
}

static vv_status print_periods(double power[], const double frequency[], vv_index n)
{
    double all = 0;
    for (vv_index i = 1; i < n; i++) all += power[i];
    for (int k = 0; k < STRONGEST; k++) {
        vv_index i = strongest(power, n);
        printf("period of %6.1f steps: %.1f %% of the variation\n", 1 / frequency[i], 100 * power[i] / all);
        power[i] = 0;
    }
    return VV_OK;
}

static int driver(vv_session *s, int argc, char **argv)
{
    if (argc != 3) return vv_error(VV_ERR_USAGE, "usage: %s FILE VARIABLE", argv[0]);
    vv_array *t = vv_open(s, argv[1], argv[2]);
    vv_array *spectrum = vv_rfft(t, "time", "forward");
    vv_array *power = vv_mean(vv_astype(vv_square(vv_absolute(spectrum)), VV_F64), "lat,lon");
    vv_status status = vv_array_status(power);
    if (status != VV_OK) return status;

    vv_index steps = vv_array_length(t, 0), n = vv_array_length(power, 0);
    vv_array *frequency = vv_rfftfreq(s, "time", steps, 1);
    vv_bytes bytes = n * (vv_bytes)sizeof(double);
    double *p = malloc((size_t)bytes), *f = malloc((size_t)bytes);
    printf("%s: %lld steps, %lld frequencies\n", argv[2], (long long)steps, (long long)n);
    status = p && f ? vv_compute(power, p, bytes) : vv_error(VV_ERR_NOMEM, "no memory for %lld numbers", (long long)n);
    if (status == VV_OK) status = vv_compute(frequency, f, bytes);
    if (status == VV_OK) status = print_periods(p, f, n);
    free(p), free(f);
    return status;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}

/* 06: every pair of 5,000 particles, in one expression.
 *
 *     mpirun -n 2 ./06_lennard_jones
 *
 * Expected output:
 *
 *     12497500 pairs, energy -23670.0561
 *     within 256 MB per rank: yes
 *
 * The Lennard-Jones potential is a sum over pairs: 4 (1 / r^12 - 1 / r^6) for each. Particles along `i` less the same particles along `j` are all differences: dimensions of different
 * names make each other's products. As a matrix that would be 200 MB for every step of the formula; but nothing is computed until the sum is
 * wanted, and then all of it happens at once, in pieces that stay in the cache. The numbers come from a function of the index: one of ours, called where they are needed.
 *
 * The same bits on any number of ranks. */
#include <math.h>
#include <stdio.h>
#include <varve/varve.h>

enum { PARTICLES = 5000, SIDE = 18, MEMORY = 256000000 };

/* Coordinate at[1] of particle at[0] ..: a cubic lattice that has been shaken. */
static int position(const vv_index at[], vv_index n, void *out, const void *data)
{
    (void)data;
    for (vv_index k = 0; k < n; k++) {
        vv_index particle = at[0], axis = at[1] + k, cell = particle;
        for (vv_index a = 0; a < axis; a++) cell /= SIDE;
        double shaken = fmod((double)particle * 0.6180339887498949 + (double)axis * 0.3, 1.0);
        ((double *)out)[k] = 1.1 * (double)(cell % SIDE) + 0.1 * shaken;
    }
    return 0;
}

static vv_array *potential(vv_session *s, vv_array *p)
{
    vv_array *square = vv_scalar(s, 0);
    for (vv_index axis = 0; axis < 3; axis++) {
        vv_array *x = vv_at(p, "axis", axis);
        square = vv_add(square, vv_square(vv_sub(x, vv_rename(x, "i", "j"))));
    }
    vv_array *inverse = vv_power(vv_reciprocal(square), vv_scalar(s, 3)); /* 1 / r^6 */
    vv_array *pair = vv_mul(vv_scalar(s, 4), vv_sub(vv_square(inverse), inverse));
    vv_array *all = vv_where(vv_greater(square, vv_scalar(s, 1e-6)), pair, vv_scalar(s, 0)); /* not with itself */
    return vv_mul(vv_sum(all, NULL), vv_scalar(s, 0.5));
}

static int driver(vv_session *s, int argc, char **argv)
{
    (void)argc, (void)argv;
    double energy;
    vv_run_stats stats;
    vv_status status = vv_session_set_memory(s, MEMORY); /* refused, were it not enough */
    if (status != VV_OK) return status;
    vv_array *p = vv_fromfunction(s, position, "i:5000,axis:3", NULL, VV_F64, NULL, 0);
    status = vv_compute(potential(s, p), &energy, sizeof energy);
    if (status != VV_OK) return status;
    vv_session_stats(s, &stats);
    printf("%d pairs, energy %.10g\n", PARTICLES * (PARTICLES - 1) / 2, energy);
    printf("within 256 MB per rank: %s\n", stats.peak <= MEMORY ? "yes" : "no");
    return VV_OK;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}

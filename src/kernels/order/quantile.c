#include "kernels/order/quantile.h"

#include <math.h>
#include <string.h>

static double between(double n, double q, double alpha, double beta)
{
    return n * q + (alpha + q * (1 - alpha - beta)) - 1;
}

/* The element before, where `stays` says so, else the one after. */
static double step(double at, bool stays)
{
    return fmax(0, stays ? floor(at) : floor(at) + 1);
}

static double inverted_cdf(double n, double q)
{
    double at = n * q - 1;
    return step(at, at == floor(at));
}

static double averaged_inverted_cdf(double n, double q)
{
    return n * q - 1;
}

static double closest_observation(double n, double q)
{
    double at = n * q - 1 - 0.5;
    return step(at, at == floor(at) && fmod(floor(at), 2) == 0);
}

static double interpolated_inverted_cdf(double n, double q)
{
    return between(n, q, 0, 1);
}

static double hazen(double n, double q)
{
    return between(n, q, 0.5, 0.5);
}

static double weibull(double n, double q)
{
    return between(n, q, 0, 0);
}

static double linear(double n, double q)
{
    return (n - 1) * q;
}

static double median_unbiased(double n, double q)
{
    return between(n, q, 1 / 3.0, 1 / 3.0);
}

static double normal_unbiased(double n, double q)
{
    return between(n, q, 3 / 8.0, 3 / 8.0);
}

static double lower(double n, double q)
{
    return floor((n - 1) * q);
}

static double higher(double n, double q)
{
    return ceil((n - 1) * q);
}

static double midpoint(double n, double q)
{
    return 0.5 * (floor((n - 1) * q) + ceil((n - 1) * q));
}

static double nearest(double n, double q)
{
    return rint((n - 1) * q);
}

const vv_quantile_method vv_quantile_methods[] = {
    {"linear", false, false, linear},
    {"inverted_cdf", true, false, inverted_cdf},
    {"averaged_inverted_cdf", false, true, averaged_inverted_cdf},
    {"closest_observation", true, false, closest_observation},
    {"interpolated_inverted_cdf", false, false, interpolated_inverted_cdf},
    {"hazen", false, false, hazen},
    {"weibull", false, false, weibull},
    {"median_unbiased", false, false, median_unbiased},
    {"normal_unbiased", false, false, normal_unbiased},
    {"lower", true, false, lower},
    {"higher", true, false, higher},
    {"midpoint", false, false, midpoint},
    {"nearest", true, false, nearest},
};
const int vv_n_quantile_methods = sizeof vv_quantile_methods / sizeof *vv_quantile_methods;

int vv_quantile_find(const char *name)
{
    for (int i = 0; i < vv_n_quantile_methods; i++)
        if (!strcmp(vv_quantile_methods[i].name, name)) return i;
    return -1;
}

vv_quantile_place vv_quantile_of(int method, vv_index n, double q)
{
    const vv_quantile_method *m = &vv_quantile_methods[method];
    double at = m->at((double)n, q);
    if (at >= (double)(n - 1)) return (vv_quantile_place){n - 1, n - 1, 0};
    vv_index low = at < 0 ? 0 : (vv_index)floor(at);
    if (m->picks || at < 0) return (vv_quantile_place){low, low, 0};
    double weight = at - floor(at);
    if (m->whole) weight = weight == 0 ? 0.5 : 1;
    return (vv_quantile_place){low, low + 1, weight};
}

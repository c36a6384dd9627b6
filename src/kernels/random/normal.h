/* Evenly and normally distributed numbers from random bits, by additions, multiplications, one division and a root: the same on every machine. */
#ifndef VV_KERNELS_RANDOM_NORMAL_H
#define VV_KERNELS_RANDOM_NORMAL_H

#include "kernels/clones.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* An f64 in [0, 1) from 52 bits, by way of a mantissa. */
VV_KERNEL double unit(uint64_t bits)
{
    uint64_t b = bits >> 12 | 0x3ff0000000000000;
    double u;
    memcpy(&u, &b, sizeof u);
    return u - 1;
}

/* log(u) for u in [2^-64, 1]: u = 2^e m with m around 1, and log m = 2 atanh((m - 1) / (m + 1)). */
VV_KERNEL double logarithm(double u)
{
    uint64_t b;
    memcpy(&b, &u, sizeof b);
    uint64_t shifted = b - 0x3fe6a09e00000000; /* sqrt(1/2): m in [sqrt(1/2), sqrt(2)) */
    uint64_t mantissa = (shifted & 0x000fffffffffffff) + 0x3fe6a09e00000000;
    /* the exponent, -64 .. 0, to f64 by way of a mantissa: no conversion of 64-bit integers, which few machines have as vectors */
    uint64_t biased = (((shifted >> 52) + 128) & 0xfff) | 0x4330000000000000;
    double m, e;
    memcpy(&m, &mantissa, sizeof m);
    memcpy(&e, &biased, sizeof e);
    e -= 0x1p52 + 128;
    double z = (m - 1) / (m + 1), y = z * z;
    double p = 1.0 / 19;
    p = p * y + 1.0 / 17;
    p = p * y + 1.0 / 15;
    p = p * y + 1.0 / 13;
    p = p * y + 1.0 / 11;
    p = p * y + 1.0 / 9;
    p = p * y + 1.0 / 7;
    p = p * y + 1.0 / 5;
    p = p * y + 1.0 / 3;
    return e * 0x1.62e42fefa39efp-1 + 2 * (z + z * y * p);
}

/* Sine and cosine of a in [-pi/4, pi/4], by their series. */
VV_KERNEL double sine(double a)
{
    double y = a * a, p = 1.0 / 355687428096000;
    p = p * y - 1.0 / 1307674368000;
    p = p * y + 1.0 / 6227020800;
    p = p * y - 1.0 / 39916800;
    p = p * y + 1.0 / 362880;
    p = p * y - 1.0 / 5040;
    p = p * y + 1.0 / 120;
    p = p * y - 1.0 / 6;
    return a + a * y * p;
}
VV_KERNEL double cosine(double a)
{
    double y = a * a, p = 1.0 / 20922789888000;
    p = p * y - 1.0 / 87178291200;
    p = p * y + 1.0 / 479001600;
    p = p * y - 1.0 / 3628800;
    p = p * y + 1.0 / 40320;
    p = p * y - 1.0 / 720;
    p = p * y + 1.0 / 24;
    return 1 - 0.5 * y + y * y * p;
}

/* Box and Muller: two independent normal numbers from u in (0, 1] and a point on the circle: two bits choose the quarter, `angle` in
 * [-1, 1) the place in it. */
VV_KERNEL void two_normals(double u, double angle, uint64_t quarter, double *first, double *second)
{
    double radius = sqrt(-2 * logarithm(u)), a = angle * 0x1.921fb54442d18p-1;
    double s = sine(a), c = cosine(a);
    double x = quarter & 1 ? -s : c, y = quarter & 1 ? c : s;
    double sign = quarter & 2 ? -1.0 : 1.0;
    *first = sign * radius * x;
    *second = sign * radius * y;
}

#endif

/* The two-sided probability is the incomplete beta function I_x(v/2, 1/2) at x = v / (v + t^2), by its continued fraction (Lentz's way of evaluating it). Its factor
 * in front, x^a (1-x)^(1/2) / B(a, 1/2), holds a quotient of gamma functions that half a step lie between: by its series where a is large, and stepwise down from there. The fraction takes about sqrt(v) steps: from
 * some thousand degrees of freedom on the value is turned into one of the normal distribution (Hill, 1970), which leaves less than rounding does. */
#include "kernels/student.h"

#include <math.h>
#include <sleef.h>

enum { MANY = 4000 };

/* Gamma(a + 1/2) / Gamma(a) */
static double half_step(double a)
{
    double below = 1;
    while (a < 40) {
        below *= a / (a + 0.5);
        a += 1;
    }
    double z = 1 / a;
    double series =
        1 + z * (-1.0 / 8 + z * (1.0 / 128 + z * (5.0 / 1024 + z * (-21.0 / 32768 + z * (-399.0 / 262144)))));
    return below * sqrt(a) * series;
}

/* The continued fraction of I_x(a, b). */
static double fraction(double a, double b, double x)
{
    enum { MOST = 10000 };
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double value = d;
    for (int m = 1; m < MOST; m++) {
        double step[2] = {m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                          -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))};
        double change = 1;
        for (int k = 0; k < 2; k++) {
            d = 1 + step[k] * d;
            c = 1 + step[k] / c;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            change = c * d;
            value *= change;
        }
        if (fabs(change - 1) < 1e-16) break;
    }
    return value;
}

/* The value of the normal distribution that is as probable. */
static double normal_like(double q, double freedom)
{
    double a = freedom - 0.5, b = 48 * a * a, square = a * Sleef_cinz_log1pd1_u10purec(q), z = sqrt(square);
    double second = (((4 * square + 33) * square + 240) * square + 855) / (10 * b * (b + 0.8 * square * square + 100));
    return z + z * ((square + 3) / b - second);
}

double vv_student_p(double t, double freedom)
{
    if (isnan(t) || !(freedom > 0)) return (double)NAN;
    if (t == 0) return 1;
    if (isinf(t)) return 0;
    double a = freedom / 2, q = t * t / freedom, rest = q / (1 + q), x = 1 / (1 + q); /* rest is 1 - x */
    if (freedom > MANY) return Sleef_cinz_erfcd1_u15purec(normal_like(q, freedom) * M_SQRT1_2);
    double factor = Sleef_cinz_expd1_u10purec(-a * Sleef_cinz_log1pd1_u10purec(q)) * sqrt(rest) * half_step(a) /
                    1.7724538509055160273; /* sqrt(pi) */
    if (x < (a + 1) / (a + 2.5)) return factor * fraction(a, 0.5, x) / a;
    return 1 - 2 * factor * fraction(0.5, a, rest);
}

#include "draw/ticks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static double round_step(double range, int about, bool quarters)
{
    static const double round[] = {1, 2, 2.5, 5, 10};
    if (!(range > 0) || !isfinite(range)) return 1;
    if (about < 1) about = 1;
    double power = pow(10, floor(log10(range / about)));
    for (int i = 0; i < 4; i++)
        if ((quarters || i != 2) && range / (round[i] * power) <= about * (1 + 1e-9)) return round[i] * power;
    return round[4] * power;
}

double vv_round_step(double range, int about)
{
    return round_step(range, about, true);
}

void vv_tick_number(double x, double step, char out[VV_TICK_TEXT])
{
    int decimals = 0;
    if (fabs(x) < step * 1e-6) x = 0;
    for (double s = step; decimals < 12 && fabs(s - rint(s)) > 1e-6 * s; decimals++) s *= 10;
    snprintf(out, VV_TICK_TEXT, "%s%.*f", x < 0 ? "\u2212" : "", decimals, fabs(x));
}

void vv_power_text(int power, char out[VV_TICK_TEXT])
{
    static const char *const digit[] = {"\u2070", "\u00b9", "\u00b2", "\u00b3", "\u2074",
                                        "\u2075", "\u2076", "\u2077", "\u2078", "\u2079"};
    char plain[16];
    snprintf(plain, sizeof plain, "%d", power);
    out[0] = 0;
    for (const char *c = plain; *c; c++) strcat(out, *c == '-' ? "\u207b" : digit[*c - '0']);
}

/* Very large and very small numbers are written without their power of ten. */
static int power_of(double lo, double hi)
{
    double most = fmax(fabs(lo), fabs(hi));
    if (!(most > 0) || (most >= 1e-2 && most < 1e6)) return 0;
    return (int)floor(log10(most));
}

static void add_number(vv_ticks *out, double at)
{
    if (out->n == VV_TICKS) return;
    vv_tick *t = &out->tick[out->n++];
    *t = (vv_tick){.at = at};
    double unit = pow(10, out->power);
    vv_tick_number(at / unit, out->step / unit, t->text);
}

/* Of the step. */
static void add_multiples(vv_ticks *out, double lo, double hi)
{
    double slack = out->step * 1e-6;
    double first = ceil((lo - slack) / out->step);
    for (int i = 0; i < VV_TICKS && (first + i) * out->step <= hi + slack; i++)
        add_number(out, (first + i) * out->step);
}

void vv_ticks_numbers(double lo, double hi, int about, vv_ticks *out)
{
    *out = (vv_ticks){.power = power_of(lo, hi)};
    out->step = round_step(hi - lo, about, false);
    if (!(hi > lo)) {
        out->step = fabs(lo) > 0 ? pow(10, floor(log10(fabs(lo))) - 2) : 1;
        add_number(out, lo);
        return;
    }
    add_multiples(out, lo, hi);
}

void vv_ticks_whole(double lo, double hi, int about, vv_ticks *out)
{
    *out = (vv_ticks){.step = fmax(1, round_step(hi - lo, about, false))};
    add_multiples(out, lo, hi);
}

/* The step of which all are multiples, as far as people read it. */
static double finest(const double at[], int n)
{
    double most = fmax(fabs(at[0]), fabs(at[n - 1])), step = most > 0 ? pow(10, ceil(log10(most))) : 1;
    for (int tries = 0; tries < 8; tries++) {
        bool all = true;
        for (int i = 0; i < n; i++) all = all && fabs(at[i] / step - rint(at[i] / step)) < 1e-6;
        if (all) return step;
        step /= 10;
    }
    return step;
}

void vv_ticks_listed(const double at[], int n, int about, vv_ticks *out)
{
    *out = (vv_ticks){.power = power_of(at[0], at[n - 1])};
    out->step = finest(at, n);
    int every = (n - 1) / (about > 1 ? about : 1) + 1;
    for (int i = 0; i < n; i += every) add_number(out, at[i]);
}

void vv_ticks_degrees(double lo, double hi, int about, bool longitude, vv_ticks *out)
{
    static const double round[] = {0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 90};
    enum { N = sizeof round / sizeof *round };
    *out = (vv_ticks){0};
    int i = 0;
    while (i < N - 1 && (hi - lo) / round[i] > about) i++;
    out->step = round[i];
    double slack = out->step * 1e-6;
    double first = ceil((lo - slack) / out->step);
    for (int k = 0; k < VV_TICKS && (first + k) * out->step <= hi + slack; k++) {
        vv_tick *t = &out->tick[out->n++];
        double x = (first + k) * out->step;
        t->at = x;
        if (longitude) x -= 360 * floor((x + 180) / 360);
        bool edge = longitude && fabs(fabs(x) - 180) < slack;
        const char *side = fabs(x) < slack || edge ? "" : longitude ? (x > 0 ? "E" : "W") : (x > 0 ? "N" : "S");
        char number[VV_TICK_TEXT];
        vv_tick_number(fabs(x), out->step, number);
        snprintf(t->text, sizeof t->text, "%.30s\u00b0%s", number, side);
    }
}

void vv_ticks_log(double lo, double hi, vv_ticks *out)
{
    static const double round[] = {1, 2, 3, 5, 7};
    bool few = hi / lo > 30;
    *out = (vv_ticks){.step = 1};
    int lowest = (int)floor(log10(lo)), highest = (int)floor(log10(hi));
    for (int k = lowest; k <= highest && out->n < VV_TICKS - 5; k++)
        for (int i = 0; i < 5; i++) {
            double power = pow(10, k), x = round[i] * power;
            if (x < lo * (1 - 1e-9) || x > hi * (1 + 1e-9) || (few && (i == 2 || i == 4))) continue;
            vv_tick *t = &out->tick[out->n++];
            t->at = x;
            vv_tick_number(x, power < 1 ? power : 1, t->text);
        }
}

/* Ticks of axes: round numbers, degrees, dates of a calendar.
 *
 *     vv_ticks_numbers(231.2, 309.8, 6, &t)           240, 260, 280, 300
 *     vv_ticks_degrees(-90, 90, 7, false, &t)         90°S, 60°S, 30°S, 0°, 30°N ...
 *     vv_ticks_dates(&axis, 0, 365, 8, &t)            Jan (under it 1990), Mar, May ... */
#ifndef VV_DRAW_TICKS_H
#define VV_DRAW_TICKS_H

#include "base/calendar.h"

enum { VV_TICKS = 64, VV_TICK_TEXT = 40 };

typedef struct vv_tick {
    double at;
    char text[VV_TICK_TEXT];
    char under[VV_TICK_TEXT]; /* a second line where something larger begins: the year under its first month */
} vv_tick;

typedef struct vv_ticks {
    int n;
    vv_tick tick[VV_TICKS];
    int power; /* numbers are written in units of 10^power: part of the axis's label when not 0 */
    double step;
} vv_ticks;

/* The round step (1, 2, 2.5 or 5 times a power of ten) that cuts a range into at most `about` pieces. */
double vv_round_step(double range, int about);
void vv_ticks_numbers(double lo, double hi, int about, vv_ticks *out);
/* The same of what is counted, such as ranks: none between whole numbers. */
void vv_ticks_whole(double lo, double hi, int about, vv_ticks *out);
/* At given places, such as borders of classes; only so many of them as `about` allows. */
void vv_ticks_listed(const double at[], int n, int about, vv_ticks *out);
void vv_ticks_degrees(double lo, double hi, int about, bool longitude, vv_ticks *out);
/* 1, 2, 5, 10, 20 ... */
void vv_ticks_log(double lo, double hi, vv_ticks *out);
void vv_ticks_dates(const vv_time_axis *a, double lo, double hi, int about, vv_ticks *out);

/* With as many decimals as a step needs, and a minus that is one. */
void vv_tick_number(double x, double step, char out[VV_TICK_TEXT]);
/* " (10⁻⁵ kg m⁻²)": "⁻⁵" of a power. */
void vv_power_text(int power, char out[VV_TICK_TEXT]);

#endif

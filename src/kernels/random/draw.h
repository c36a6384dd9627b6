/* Random numbers that are drawn element by element: each has a stream of random bits of its own, as long as it needs it. */
#ifndef VV_KERNELS_RANDOM_DRAW_H
#define VV_KERNELS_RANDOM_DRAW_H

#include "kernels/random/random.h"

/* Counts are whole numbers in f64 on their way. */
#define VV_DRAW_MOST 0x1p52

vv_random_draw vv_draw_exponential, vv_draw_gamma, vv_draw_beta, vv_draw_poisson, vv_draw_binomial;

#endif

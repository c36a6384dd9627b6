#include "kernels/reductions/fold.h"

#include <string.h>

/* Integers wrap, signed as unsigned. Missing values change nothing: the product of none is one. */
#define TIMES(s, x)       ((s) * (x))
#define TIMES_VALID(s, x) ((s) * ((x) == (x) ? (double)(x) : 1.0))
VV_FOLD(all_F32, float, double, 1.0, TIMES, TIMES)
VV_FOLD(all_F64, double, double, 1.0, TIMES, TIMES)
VV_FOLD(valid_F32, float, double, 1.0, TIMES_VALID, TIMES)
VV_FOLD(valid_F64, double, double, 1.0, TIMES_VALID, TIMES)
VV_FOLD(wrap, uint64_t, uint64_t, 1, TIMES, TIMES)

/* Complex numbers, with the state in two planes side by side. */
#define COMPLEX_TIMES(a, b) ((vv_c128){(a).re * (b).re - (a).im * (b).im, (a).re * (b).im + (a).im * (b).re})
#define WIDENED(x)          ((vv_c128){(double)(x).re, (double)(x).im})
#define ONE                 ((vv_c128){1, 0})
#define C_TIMES(s, x)       COMPLEX_TIMES(s, WIDENED(x))
#define C_TIMES_VALID(s, x) COMPLEX_TIMES(s, (x).re == (x).re && (x).im == (x).im ? WIDENED(x) : ONE)
VV_FOLD(all_C64, vv_c64, vv_c128, ONE, C_TIMES, COMPLEX_TIMES)
VV_FOLD(all_C128, vv_c128, vv_c128, ONE, C_TIMES, COMPLEX_TIMES)
VV_FOLD(valid_C64, vv_c64, vv_c128, ONE, C_TIMES_VALID, COMPLEX_TIMES)
VV_FOLD(valid_C128, vv_c128, vv_c128, ONE, C_TIMES_VALID, COMPLEX_TIMES)

static int planes_of(vv_dtype in)
{
    return vv_dtype_is_complex(in) ? 2 : 1;
}

static vv_fold_table folds = {
    [VV_F32] = {&all_F32, &valid_F32}, [VV_F64] = {&all_F64, &valid_F64}, [VV_I64] = {&wrap, &wrap},
    [VV_U64] = {&wrap, &wrap},         [VV_C64] = {&all_C64, &valid_C64}, [VV_C128] = {&all_C128, &valid_C128}};
VV_FOLD_FUNCTIONS(folds)

static void init(const vv_red *r, vv_index cells, void *const planes[])
{
    for (vv_index i = 0; i < cells; i++) {
        if (vv_dtype_is_complex(r->in))
            ((vv_c128 *)planes[0])[i] = ONE;
        else if (vv_dtype_is_float(r->in))
            ((double *)planes[0])[i] = 1;
        else
            ((uint64_t *)planes[0])[i] = 1;
    }
}

static void finish(const vv_red *r, vv_index cells, const vv_red_head *head, void *const planes[], const void *missing,
                   void *out)
{
    (void)head, (void)missing;
    memcpy(out, planes[0], 8 * (size_t)(cells * planes_of(r->in)));
}

const vv_reduction vv_reduction_of_prod = {.name = "prod",
                                           .help = "product; missing values change nothing",
                                           .complex_too = true,
                                           .planes = planes_of,
                                           .result = vv_result_total,
                                           .init = init,
                                           .vertical = vertical,
                                           .horizontal = horizontal,
                                           .combine = combine,
                                           .finish = finish};

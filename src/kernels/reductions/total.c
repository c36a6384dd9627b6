#include "kernels/reductions/total.h"

#include <string.h>

#define ADD(s, x)       ((s) + (x))
#define ADD_VALID(s, x) ((s) + ((x) == (x) ? (double)(x) : 0.0))
VV_FOLD(total_F32, float, double, 0.0, ADD, ADD)
VV_FOLD(total_valid_F32, float, double, 0.0, ADD_VALID, ADD)

/* Knuth's two-sum: *sum + what goes to *lost is exactly the old *sum + x. */
VV_KERNEL void two_sum(double *sum, double *lost, double x)
{
    double total = *sum + x;
    double part = total - *sum;
    *lost += (*sum - (total - part)) + (x - part);
    *sum = total;
}

VV_KERNEL double pass_all(double x)
{
    return x;
}

VV_KERNEL double pass_valid(double x)
{
    return x == x ? x : 0.0;
}

VV_KERNEL void merge_body(vv_index n, const double *restrict rsum, const double *restrict rlost, double *restrict sum,
                          double *restrict lost)
{
    for (vv_index i = 0; i < n; i++) {
        two_sum(&sum[i], &lost[i], rsum[i]);
        lost[i] += rlost[i];
    }
}
VV_CLONES(merge, merge_body, (vv_index n, const double *rsum, const double *rlost, double *sum, double *lost),
          (n, rsum, rlost, sum, lost))

/* The order of VV_FOLD, with two numbers of state. */
#define COMPENSATED(name, pass)                                                                                        \
    VV_KERNEL void name##_vertical_body(vv_index n, const double *restrict x, double *restrict sum,                    \
                                        double *restrict lost)                                                         \
    {                                                                                                                  \
        for (vv_index i = 0; i < n; i++) two_sum(&sum[i], &lost[i], pass(x[i]));                                       \
    }                                                                                                                  \
    VV_KERNEL void name##_in_lanes(vv_index lanes, vv_index n, const double *x, double *sum, double *lost)             \
    {                                                                                                                  \
        _Alignas(64) double s[VV_LANES], e[VV_LANES];                                                                  \
        for (vv_index l = 0; l < lanes; l++) s[l] = e[l] = 0;                                                          \
        for (; n >= lanes; n -= lanes, x += lanes) name##_vertical_body(lanes, x, s, e);                               \
        name##_vertical_body(n, x, s, e);                                                                              \
        for (vv_index w = lanes / 2; w; w /= 2) merge_body(w, s + w, e + w, s, e);                                     \
        merge_body(1, s, e, sum, lost);                                                                                \
    }                                                                                                                  \
    VV_KERNEL void name##_horizontal_body(vv_index n, const double *x, double *sum, double *lost)                      \
    {                                                                                                                  \
        if (n < VV_LONG_ROW)                                                                                           \
            name##_in_lanes(VV_FEW_LANES, n, x, sum, lost);                                                            \
        else                                                                                                           \
            name##_in_lanes(VV_LANES, n, x, sum, lost);                                                                \
    }                                                                                                                  \
    VV_CLONES(name##_vertical, name##_vertical_body, (vv_index n, const double *x, double *sum, double *lost),         \
              (n, x, sum, lost))                                                                                       \
    VV_CLONES(name##_horizontal, name##_horizontal_body, (vv_index n, const double *x, double *sum, double *lost),     \
              (n, x, sum, lost))
COMPENSATED(all, pass_all)
COMPENSATED(valid, pass_valid)

void vv_total_vertical(vv_dtype in, bool masked, void *const planes[], vv_index at, vv_index n, const void *x)
{
    if (in == VV_F32)
        (masked ? &total_valid_F32 : &total_F32)->vertical[vv_cpu()](n, x, (double *)planes[0] + at);
    else
        (masked ? valid_vertical : all_vertical)[vv_cpu()](n, x, (double *)planes[0] + at, (double *)planes[1] + at);
}

void vv_total_horizontal(vv_dtype in, bool masked, void *const planes[], vv_index at, vv_index n, const void *x)
{
    if (in == VV_F32)
        (masked ? &total_valid_F32 : &total_F32)->horizontal[vv_cpu()](n, x, (double *)planes[0] + at);
    else
        (masked ? valid_horizontal : all_horizontal)[vv_cpu()](n, x, (double *)planes[0] + at,
                                                               (double *)planes[1] + at);
}

/* Stored integers, unpacked as decode.c does it, straight into the sums. */
#define PACKED(S, stype)                                                                                               \
    VV_KERNEL void packed_##S##_F32_body(vv_index n, const stype *restrict x, double scale, double offset,             \
                                         double *restrict sum, double *lost)                                           \
    {                                                                                                                  \
        (void)lost;                                                                                                    \
        const float by = (float)scale, plus = (float)offset;                                                           \
        for (vv_index i = 0; i < n; i++) sum[i] += (double)((float)x[i] * by + plus);                                  \
    }                                                                                                                  \
    VV_KERNEL void packed_##S##_F64_body(vv_index n, const stype *restrict x, double scale, double offset,             \
                                         double *restrict sum, double *restrict lost)                                  \
    {                                                                                                                  \
        for (vv_index i = 0; i < n; i++) two_sum(&sum[i], &lost[i], (double)x[i] * scale + offset);                    \
    }                                                                                                                  \
    VV_CLONES(packed_##S##_F32, packed_##S##_F32_body,                                                                 \
              (vv_index n, const void *x, double scale, double offset, double *sum, double *lost),                     \
              (n, x, scale, offset, sum, lost))                                                                        \
    VV_CLONES(packed_##S##_F64, packed_##S##_F64_body,                                                                 \
              (vv_index n, const void *x, double scale, double offset, double *sum, double *lost),                     \
              (n, x, scale, offset, sum, lost))
VV_STORED_INTEGERS(PACKED)

typedef void packed_kernel(vv_index n, const void *x, double scale, double offset, double *sum, double *lost);

#define ROW(S, stype) [VV_##S] = {packed_##S##_F32, packed_##S##_F64},
static packed_kernel *const *const packed[VV_DTYPE_COUNT][2] = {VV_STORED_INTEGERS(ROW)};
#undef ROW

void vv_total_packed(vv_dtype in, const vv_decode *d, void *const planes[], vv_index at, vv_index n, const void *x)
{
    double *sum = (double *)planes[0] + at, *lost = in == VV_F64 ? (double *)planes[1] + at : NULL;
    packed[d->stored][in == VV_F64][vv_cpu()](n, x, d->scaled ? d->scale : 1, d->scaled ? d->offset : 0, sum, lost);
}

void vv_total_init(vv_dtype in, vv_index cells, void *const planes[])
{
    for (int p = 0; p < vv_total_planes(in); p++) memset(planes[p], 0, sizeof(double) * (size_t)cells);
}

void vv_total_combine(vv_dtype in, vv_index cells, void *const left[], void *const right[])
{
    if (in == VV_F32)
        total_F32.merge[vv_cpu()](cells, right[0], left[0]);
    else
        merge[vv_cpu()](cells, right[0], right[1], left[0], left[1]);
}

/* The functions behind the table of block_ops.c, of block_window.c, block_weighted.c, block_scan.c, block_order.c, block_groups.c, block_search.c and block_fft.c. */
#ifndef VV_KERNELS_BLOCK_KERNELS_H
#define VV_KERNELS_BLOCK_KERNELS_H

#include "kernels/block/op.h"

#define VV_BLOCK_WORKSPACE(name)                                                                                       \
    vv_bytes name(const vv_block_call *c, vv_dtype in, int nd, const vv_index n_in[], const vv_index n_out[])
#define VV_BLOCK_RUN(name)                                                                                             \
    void name(const vv_block_call *c, vv_dtype in, int nd, const vv_index n_in[], const vv_index n_out[],              \
              const void *from, void *to, void *workspace)

VV_BLOCK_WORKSPACE(vv_window_sums_workspace); /* sum, mean */
VV_BLOCK_WORKSPACE(vv_window_extremes_workspace);
VV_BLOCK_WORKSPACE(vv_window_count_workspace);
VV_BLOCK_WORKSPACE(vv_window_vars_workspace); /* var, std */
VV_BLOCK_RUN(vv_window_sum);
VV_BLOCK_RUN(vv_window_mean);
VV_BLOCK_RUN(vv_window_min);
VV_BLOCK_RUN(vv_window_max);
VV_BLOCK_RUN(vv_window_count);
VV_BLOCK_RUN(vv_window_var);
VV_BLOCK_RUN(vv_window_std);

VV_BLOCK_WORKSPACE(vv_window_weighted_workspace);
VV_BLOCK_RUN(vv_window_weighted);

VV_BLOCK_WORKSPACE(vv_scan_workspace);
VV_BLOCK_RUN(vv_scan_sum);
VV_BLOCK_RUN(vv_scan_prod);
VV_BLOCK_RUN(vv_scan_min);
VV_BLOCK_RUN(vv_scan_max);

VV_BLOCK_WORKSPACE(vv_lanes_workspace);
VV_BLOCK_RUN(vv_lanes_median);
VV_BLOCK_RUN(vv_lanes_quantile);
VV_BLOCK_RUN(vv_lanes_pick);
VV_BLOCK_RUN(vv_lanes_sort);
VV_BLOCK_RUN(vv_lanes_argsort);
VV_BLOCK_RUN(vv_lanes_topk);
VV_BLOCK_RUN(vv_lanes_argtopk);

VV_BLOCK_WORKSPACE(vv_lanes_group_workspace);
VV_BLOCK_RUN(vv_lanes_group_median);
VV_BLOCK_RUN(vv_lanes_group_quantile);
VV_BLOCK_RUN(vv_lanes_group_pick);
bool vv_lanes_group_fits(const vv_block_call *c, vv_index n);

VV_BLOCK_WORKSPACE(vv_search_workspace);
VV_BLOCK_RUN(vv_each_place_before);
VV_BLOCK_RUN(vv_each_place_after);
VV_BLOCK_RUN(vv_each_in);
#define VV_BLOCK_TRANSFORM(name)                                                                                       \
    VV_BLOCK_WORKSPACE(vv_lanes_##name##_workspace);                                                                   \
    VV_BLOCK_RUN(vv_lanes_##name);                                                                                     \
    VV_WARN_UNUSED vv_status vv_lanes_##name##_prepare(const vv_block_call *c, vv_dtype in);
VV_BLOCK_TRANSFORM(fft)
VV_BLOCK_TRANSFORM(ifft)
VV_BLOCK_TRANSFORM(rfft)
VV_BLOCK_TRANSFORM(irfft)
#undef VV_BLOCK_TRANSFORM

#endif

/* The functions behind the table of tile.c. */
#ifndef VV_KERNELS_TILE_KERNELS_H
#define VV_KERNELS_TILE_KERNELS_H

#include "kernels/tile.h"

#define VV_TILE_WORKSPACE(name) vv_bytes name(const vv_tile_work *w)
#define VV_TILE_RUN(name)       VV_WARN_UNUSED vv_status name(const vv_tile_work *w)

VV_TILE_WORKSPACE(vv_tile_qr_r_workspace);
VV_TILE_WORKSPACE(vv_tile_qr_q_workspace);
VV_TILE_WORKSPACE(vv_tile_svd_workspace);
VV_TILE_WORKSPACE(vv_tile_lu_panel_workspace);
VV_TILE_WORKSPACE(vv_tile_lu_order_workspace);
VV_TILE_RUN(vv_tile_qr_r);
VV_TILE_RUN(vv_tile_qr_q);
VV_TILE_RUN(vv_tile_svd);
VV_TILE_RUN(vv_tile_cholesky_panel);
VV_TILE_RUN(vv_tile_cholesky_update);
VV_TILE_RUN(vv_tile_lu_panel);
VV_TILE_RUN(vv_tile_lu_update);
VV_TILE_RUN(vv_tile_lu_order);
VV_TILE_RUN(vv_tile_reordered);
VV_TILE_RUN(vv_tile_solve_lower);
VV_TILE_RUN(vv_tile_solve_upper);

/* Rooms one behind the other, 64-byte aligned: with `at` NULL they are only counted. */
typedef struct vv_tile_room {
    char *at;
    vv_bytes used;
} vv_tile_room;
static inline void *vv_tile_take(vv_tile_room *r, vv_bytes bytes)
{
    void *here = r->at ? r->at + r->used : NULL;
    r->used += (bytes + 63) / 64 * 64;
    return here;
}

#endif

/* The functions behind the table of tile.c. */
#ifndef VV_KERNELS_TILE_KERNELS_H
#define VV_KERNELS_TILE_KERNELS_H

#include "kernels/tile/tile.h"

#define VV_TILE_WORKSPACE(name) vv_bytes name(const vv_tile_work *w)
#define VV_TILE_RUN(name)       VV_WARN_UNUSED vv_status name(const vv_tile_work *w)

/* Of real matrices, and of complex ones. */
#define VV_TILE_TYPES(F)                                                                                               \
    F(vv_tile_)                                                                                                        \
    F(vv_tile_complex_)
#define VV_TILE_OPERATIONS(type)                                                                                       \
    VV_TILE_WORKSPACE(type##qr_r_workspace);                                                                           \
    VV_TILE_WORKSPACE(type##qr_q_workspace);                                                                           \
    VV_TILE_WORKSPACE(type##qr_shares_workspace);                                                                      \
    VV_TILE_WORKSPACE(type##qr_piece_workspace);                                                                       \
    VV_TILE_WORKSPACE(type##svd_workspace);                                                                            \
    VV_TILE_WORKSPACE(type##lu_panel_workspace);                                                                       \
    VV_TILE_WORKSPACE(type##lu_order_workspace);                                                                       \
    VV_TILE_RUN(type##qr_r);                                                                                           \
    VV_TILE_RUN(type##qr_q);                                                                                           \
    VV_TILE_RUN(type##qr_shares);                                                                                      \
    VV_TILE_RUN(type##qr_piece);                                                                                       \
    VV_TILE_RUN(type##svd);                                                                                            \
    VV_TILE_RUN(type##cholesky_panel);                                                                                 \
    VV_TILE_RUN(type##cholesky_update);                                                                                \
    VV_TILE_RUN(type##lu_panel);                                                                                       \
    VV_TILE_RUN(type##lu_update);                                                                                      \
    VV_TILE_RUN(type##lu_order);                                                                                       \
    VV_TILE_RUN(type##reordered);                                                                                      \
    VV_TILE_RUN(type##solve_lower);                                                                                    \
    VV_TILE_RUN(type##solve_upper);
VV_TILE_TYPES(VV_TILE_OPERATIONS)
#undef VV_TILE_OPERATIONS
#undef VV_TILE_TYPES

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

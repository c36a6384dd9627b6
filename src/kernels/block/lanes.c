#include "kernels/block/lanes.h"

#include "base/index.h"
#include "kernels/order/keys.h"
#include "kernels/strided.h"

/* Lanes that are packed at a time: enough of them to read whole cache lines, few enough elements to stay in the second-level cache. */
enum { LANES = 64, ELEMENTS = 128 * 1024 };

typedef struct layout {
    vv_index n;     /* elements of a lane */
    vv_index batch; /* lanes at a time */
    int row;        /* the dimension along which they lie side by side; -1: there is one lane */
} layout;

static layout layout_of(const vv_block_call *c, int nd, const vv_index n_in[])
{
    layout l = {1, 1, -1};
    for (int d = 0; d < nd; d++)
        if (c->along[d])
            l.n *= n_in[d];
        else
            l.row = d;
    if (l.row >= 0) l.batch = vv_imax(1, vv_imin(vv_imin(LANES, ELEMENTS / vv_imax(1, l.n)), n_in[l.row]));
    return l;
}

static vv_bytes round64(vv_bytes n)
{
    return (n + 63) / 64 * 64;
}

vv_bytes vv_lanes_workspace(const vv_block_call *c, vv_dtype in, int nd, const vv_index n_in[], const vv_index n_out[])
{
    (void)n_out;
    layout l = layout_of(c, nd, n_in);
    vv_bytes keys = round64(vv_times(l.n, vv_key_size(in)));
    return round64(vv_times(vv_times(l.n, l.batch), vv_dtype_size(in))) + 3 * keys + 2 * round64(vv_times(l.n, 4)) + 64;
}

/* The lanes of a batch that begins at `at`, packed. */
static void pack(const vv_block_call *c, vv_dtype in, int nd, const vv_index n_in[], const layout *l,
                 const vv_index at[], vv_index some, const void *from, void *to)
{
    vv_index n[VV_MAX_DIMS + 1], stride[VV_MAX_DIMS + 1], packed[VV_MAX_DIMS + 1], all = 1, inside = 1, first = 0;
    for (int d = nd - 1; d >= 0; d--) {
        stride[d] = all;
        n[d] = c->along[d] ? n_in[d] : d == l->row ? some : 1;
        packed[d] = c->along[d] ? inside : l->n;
        if (c->along[d]) inside *= n_in[d];
        first += at[d] * all;
        all *= n_in[d];
    }
    vv_box_copy(nd, n, vv_dtype_size(in), (const char *)from + first * vv_dtype_size(in), stride, to, packed);
}

/* Strides of the result, which has the lanes' first dimension in another length and the others in none. */
static void result_strides(const vv_block_call *c, int nd, const vv_index n_in[], vv_index stride[], vv_lane *lane)
{
    vv_index all = 1;
    int first = 0;
    while (!c->along[first]) first++;
    for (int d = nd - 1; d >= 0; d--) {
        stride[d] = all;
        all *= !c->along[d] ? n_in[d] : d == first ? c->length : 1;
    }
    lane->stride = stride[first];
}

static void find_rooms(vv_lane *l, char *at)
{
    vv_bytes size = round64(l->n * vv_key_size(l->in)), tags = round64(4 * l->n);
    l->keys = at;
    l->room = at + size;
    l->tag[0] = (int32_t *)(void *)(at + 3 * size);
    l->tag[1] = (int32_t *)(void *)(at + 3 * size + tags);
}

void vv_lanes_run(const vv_block_call *c, vv_dtype in, int nd, const vv_index n_in[], const void *from, void *to,
                  void *workspace, vv_lane_op *op)
{
    layout l = layout_of(c, nd, n_in);
    vv_index at[VV_MAX_DIMS] = {0}, extent[VV_MAX_DIMS], stride[VV_MAX_DIMS];
    vv_index row = l.row < 0 ? 1 : n_in[l.row];
    vv_bytes size = vv_dtype_size(vv_block_ops[c->op].result(in));
    vv_lane lane = {.call = c, .in = in, .n = l.n};
    char *packed = workspace;
    result_strides(c, nd, n_in, stride, &lane);
    find_rooms(&lane, packed + round64(l.n * l.batch * vv_dtype_size(in)));
    for (int d = 0; d < nd; d++) extent[d] = c->along[d] || d == l.row ? 1 : n_in[d];
    do {
        for (vv_index i = 0; i < row; i += l.batch) {
            vv_index some = vv_imin(l.batch, row - i), first = 0;
            if (l.row >= 0) at[l.row] = i;
            pack(c, in, nd, n_in, &l, at, some, from, packed);
            for (int d = 0; d < nd; d++) first += at[d] * stride[d];
            for (vv_index k = 0; k < some; k++) {
                lane.x = packed + k * l.n * vv_dtype_size(in);
                lane.out = (char *)to + size * (first + (l.row >= 0 ? k * stride[l.row] : 0));
                op(&lane);
            }
        }
        if (l.row >= 0) at[l.row] = 0;
    } while (vv_odometer(nd, extent, at));
}

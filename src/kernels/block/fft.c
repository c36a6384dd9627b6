/* Fourier transforms of all lanes of a box along one dimension.
 *
 * Lanes are taken some at a time, as rows of a packed buffer: cut, or filled up with zeros, to the transform's length. Each is transformed by itself into a row of
 * another buffer (fft.h says why), and the rows go to their places. A real lane that is transformed as a complex one is widened in its row. */
#include "kernels/fft.h"
#include "base/index.h"
#include "kernels/block/kernels.h"
#include "kernels/strided.h"

#include <string.h>

/* Lanes at a time: enough of them to read whole cache lines, few enough to stay in the second-level cache. */
enum { LANES = 32, ROOM = 512 * 1024, LINE = 64 };

typedef struct layout {
    vv_index outer, n_in, n_out, inner; /* the box, and the result, as three dimensions */
    vv_index rows;                      /* lanes at a time */
    vv_index taken;                     /* elements of a lane that count */
    vv_index width;                     /* elements that the transform reads */
    vv_bytes in_size, out_size, row_in, row_out;
    vv_dtype real; /* the precision */
    bool widens;   /* real lanes as complex ones */
} layout;

static vv_bytes in_lines(vv_bytes n)
{
    return (n + LINE - 1) / LINE * LINE;
}

static vv_dtype result_of(const vv_block_call *c, vv_dtype in)
{
    return vv_block_ops[c->op].result(in);
}

static layout layout_of(const vv_block_call *c, vv_fft_kind kind, vv_dtype in, int nd, const vv_index n_in[])
{
    layout l = {.outer = 1, .inner = 1, .n_out = c->length};
    int axis = 0;
    while (!c->along[axis]) axis++;
    for (int d = 0; d < nd; d++)
        if (d == axis)
            l.n_in = n_in[d];
        else
            *(d < axis ? &l.outer : &l.inner) *= n_in[d];
    l.in_size = vv_dtype_size(in);
    l.out_size = vv_dtype_size(result_of(c, in));
    l.real = vv_dtype_is_complex(in) ? vv_dtype_part(in) : in;
    l.widens = kind != VV_FFT_REAL_FORWARD && !vv_dtype_is_complex(in);
    l.width = kind == VV_FFT_REAL_BACKWARD ? c->points / 2 + 1 : c->points;
    l.taken = vv_imin(l.n_in, l.width);
    l.row_in = in_lines(vv_times(l.width, l.widens ? 2 * l.in_size : l.in_size));
    l.row_out = in_lines(vv_times(l.n_out, l.out_size));
    l.rows = vv_imax(1, vv_imin(vv_imin(LANES, ROOM / vv_imax(1, l.row_in + l.row_out)), l.inner));
    return l;
}

static vv_bytes workspace_of(const vv_block_call *c, vv_fft_kind kind, vv_dtype in, int nd, const vv_index n_in[])
{
    layout l = layout_of(c, kind, in, nd, n_in);
    return vv_times(l.rows, l.row_in + l.row_out) + vv_fft_bytes(l.real, c->points) + LINE;
}

static void widen(vv_dtype real, vv_index n, void *row)
{
    for (vv_index i = n - 1; i >= 0; i--)
        if (real == VV_F32)
            ((vv_c64 *)row)[i] = (vv_c64){((const float *)row)[i], 0};
        else
            ((vv_c128 *)row)[i] = (vv_c128){((const double *)row)[i], 0};
}

static void scale(vv_dtype real, vv_index n, double factor, void *row)
{
    for (vv_index i = 0; i < n && factor != 1; i++)
        if (real == VV_F32)
            ((float *)row)[i] *= (float)factor;
        else
            ((double *)row)[i] *= factor;
}

/* The spectrum of a real lane has no imaginary part at its begin and, of even lanes, at its end: what is there does not count. */
static void drop_imaginary(vv_dtype real, vv_index points, void *row)
{
    vv_bytes size = vv_dtype_size(real);
    memset((char *)row + size, 0, (size_t)size);
    if (points % 2 == 0) memset((char *)row + points * size + size, 0, (size_t)size);
}

static void transform(const vv_block_call *c, vv_fft_kind kind, const layout *l, char *from, char *to)
{
    vv_bytes size = l->widens ? 2 * l->in_size : l->in_size;
    if (l->widens) widen(l->real, l->taken, from);
    memset(from + l->taken * size, 0, (size_t)((l->width - l->taken) * size));
    if (kind == VV_FFT_REAL_BACKWARD) drop_imaginary(l->real, c->points, from);
    vv_fft_run(kind, l->real, (int)c->points, from, to);
    scale(l->real, l->n_out * l->out_size / vv_dtype_size(l->real), c->scale, to);
}

static void run(const vv_block_call *c, vv_fft_kind kind, vv_dtype in, int nd, const vv_index n_in[], const void *from,
                void *to, void *workspace)
{
    layout l = layout_of(c, kind, in, nd, n_in);
    char *rows_in = workspace, *rows_out = rows_in + l.rows * l.row_in;
    for (vv_index o = 0; o < l.outer; o++)
        for (vv_index i = 0; i < l.inner; i += l.rows) {
            vv_index some = vv_imin(l.rows, l.inner - i);
            vv_box_copy(2, (vv_index[]){some, l.taken}, l.in_size,
                        (const char *)from + (o * l.n_in * l.inner + i) * l.in_size, (vv_index[]){1, l.inner}, rows_in,
                        (vv_index[]){l.row_in / l.in_size, 1});
            for (vv_index k = 0; k < some; k++)
                transform(c, kind, &l, rows_in + k * l.row_in, rows_out + k * l.row_out);
            vv_box_copy(2, (vv_index[]){some, l.n_out}, l.out_size, rows_out, (vv_index[]){l.row_out / l.out_size, 1},
                        (char *)to + (o * l.n_out * l.inner + i) * l.out_size, (vv_index[]){1, l.inner});
        }
}

#define TRANSFORM(name, kind)                                                                                          \
    VV_BLOCK_WORKSPACE(vv_lanes_##name##_workspace)                                                                    \
    {                                                                                                                  \
        (void)n_out;                                                                                                   \
        return workspace_of(c, kind, in, nd, n_in);                                                                    \
    }                                                                                                                  \
    VV_BLOCK_RUN(vv_lanes_##name)                                                                                      \
    {                                                                                                                  \
        (void)n_out;                                                                                                   \
        run(c, kind, in, nd, n_in, from, to, workspace);                                                               \
    }                                                                                                                  \
    vv_status vv_lanes_##name##_prepare(const vv_block_call *c, vv_dtype in)                                           \
    {                                                                                                                  \
        return vv_fft_prepare(kind, vv_dtype_is_complex(in) ? vv_dtype_part(in) : in, (int)c->points);                 \
    }
TRANSFORM(fft, VV_FFT_FORWARD)
TRANSFORM(ifft, VV_FFT_BACKWARD)
TRANSFORM(rfft, VV_FFT_REAL_FORWARD)
TRANSFORM(irfft, VV_FFT_REAL_BACKWARD)

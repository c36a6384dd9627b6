#include "kernels/block/op.h"

#include "kernels/block/kernels.h"
#include "kernels/order/quantile.h"

#include <string.h>

static vv_dtype reals_only(vv_dtype in)
{
    return vv_dtype_is_float(in) ? VV_F64 : VV_NONE;
}

static vv_dtype any_working(vv_dtype in)
{
    return vv_dtype_is_float(in) ? VV_F64 : in == VV_I64 || in == VV_U64 ? in : VV_NONE;
}

static vv_dtype real(vv_dtype in)
{
    return any_working(in) == VV_NONE ? VV_NONE : VV_F64;
}

static vv_dtype place(vv_dtype in)
{
    return any_working(in) == VV_NONE ? VV_NONE : VV_I64;
}

/* What can be sorted: complex numbers, too, by real parts and then by imaginary ones. */
static vv_dtype sorted(vv_dtype in)
{
    return vv_dtype_is_complex(in) ? in : any_working(in);
}

static vv_dtype place_sorted(vv_dtype in)
{
    return sorted(in) == VV_NONE ? VV_NONE : VV_I64;
}

/* WINDOW(name, help, family of workspace, other fields), SCAN(name, help), LANES(name, help, type of the result, which lengths fit, other
 * fields) */
#define WINDOW(id, text, family, ...)                                                                                  \
    {                                                                                                                  \
        .name = "window_" #id, .help = text, .window = true, .result = reals_only,                                     \
        .workspace = vv_window_##family##_workspace, .run = vv_window_##id, __VA_ARGS__                                \
    }
#define SCAN(id, text)                                                                                                 \
    {                                                                                                                  \
        .name = "cumulative_" #id, .help = text, .result = any_working, .workspace = vv_scan_workspace,                \
        .run = vv_scan_##id                                                                                            \
    }

static bool one_dimension(const vv_block_call *c)
{
    int some = 0;
    for (int d = 0; d < VV_MAX_DIMS; d++) some += c->along[d];
    return some == 1;
}

static bool to_one(const vv_block_call *c, vv_index n)
{
    (void)n;
    return c->length == 1;
}

static bool to_quantiles(const vv_block_call *c, vv_index n)
{
    (void)n;
    return c->length == c->n_weights && c->how >= 0 && c->how < vv_n_quantile_methods;
}

static bool to_as_many(const vv_block_call *c, vv_index n)
{
    return c->length == n && n <= INT32_MAX;
}

static bool to_some(const vv_block_call *c, vv_index n)
{
    return c->length <= n && n <= INT32_MAX;
}

/* --- Fourier transforms: single precision stays --- */

static vv_dtype spectrum(vv_dtype in)
{
    return vv_dtype_is_float(in) ? vv_dtype_of_parts(in) : vv_dtype_is_complex(in) ? in : VV_NONE;
}

static vv_dtype spectrum_of_reals(vv_dtype in)
{
    return vv_dtype_is_float(in) ? vv_dtype_of_parts(in) : VV_NONE;
}

static vv_dtype signal_of_reals(vv_dtype in)
{
    return vv_dtype_is_float(in) ? in : vv_dtype_is_complex(in) ? vv_dtype_part(in) : VV_NONE;
}

static bool to_points(const vv_block_call *c, vv_index n)
{
    return n > 0 && c->points > 0 && c->points <= INT32_MAX / 2 && c->length == c->points && one_dimension(c);
}

static bool to_half(const vv_block_call *c, vv_index n)
{
    return n > 0 && c->points > 0 && c->points <= INT32_MAX / 2 && c->length == c->points / 2 + 1 && one_dimension(c);
}

#define TRANSFORM(id, text, type, which)                                                                               \
    {                                                                                                                  \
        .name = "lanes_" #id, .help = text, .lanes = true, .result = type, .fits = which,                              \
        .workspace = vv_lanes_##id##_workspace, .run = vv_lanes_##id, .prepare = vv_lanes_##id##_prepare               \
    }

#define LANES(id, text, type, which, ...)                                                                              \
    {                                                                                                                  \
        .name = "lanes_" #id, .help = text, .lanes = true, .result = type, .fits = which,                              \
        .workspace = vv_lanes_workspace, .run = vv_lanes_##id, __VA_ARGS__                                             \
    }

#define GROUPS(id, text, type, ...)                                                                                    \
    {                                                                                                                  \
        .name = "lanes_group_" #id, .help = text, .lanes = true, .result = type, .fits = vv_lanes_group_fits,          \
        .workspace = vv_lanes_group_workspace, .run = vv_lanes_group_##id, __VA_ARGS__                                 \
    }

#define EACH(id, text)                                                                                                 \
    {                                                                                                                  \
        .name = "each_" #id, .help = text, .each = true, .result = place, .workspace = vv_search_workspace,            \
        .run = vv_each_##id                                                                                            \
    }

const vv_block_op vv_block_ops[] = {
    WINDOW(sum, "sum of the valid values of a window", sums, ),
    WINDOW(mean, "mean of the valid values of a window", sums, ),
    WINDOW(min, "smallest valid value of a window", extremes, ),
    WINDOW(max, "largest valid value of a window", extremes, ),
    WINDOW(count, "number of valid values of a window", count, ),
    WINDOW(var, "variance of the valid values of a window", vars, .uses_ddof = true),
    WINDOW(std, "standard deviation of the valid values of a window", vars, .uses_ddof = true),
    WINDOW(weighted, "weighted mean of the valid values of a window", weighted, .weighted = true),
    SCAN(sum, "sum of all elements up to here"),
    SCAN(prod, "product of all elements up to here"),
    SCAN(min, "smallest element up to here"),
    SCAN(max, "largest element up to here"),
    LANES(median, "median, exactly", real, to_one, .reduces = true, .cell_method = "median"),
    LANES(quantile, "quantiles, exactly", real, to_quantiles, ),
    LANES(pick, "quantiles that are elements", any_working, to_quantiles, ),
    LANES(sort, "sorted values", sorted, to_as_many, .sorts = true),
    LANES(argsort, "places of the values in order", place_sorted, to_as_many, .sorts = true),
    LANES(topk, "the greatest or least values", sorted, to_some, .sorts = true),
    LANES(argtopk, "places of the greatest or least values", place_sorted, to_some, .sorts = true),
    GROUPS(median, "medians of groups", real, ),
    GROUPS(quantile, "quantiles of groups", real, ),
    GROUPS(pick, "quantiles of groups that are elements", any_working, ),
    EACH(place_before, "how many of a table are less"),
    EACH(place_after, "how many of a table are not greater"),
    EACH(in, "whether it is in a table"),
    TRANSFORM(fft, "Fourier transform", spectrum, to_points),
    TRANSFORM(ifft, "inverse Fourier transform", spectrum, to_points),
    TRANSFORM(rfft, "Fourier transform of reals: the half that says all", spectrum_of_reals, to_half),
    TRANSFORM(irfft, "inverse of it", signal_of_reals, to_points),
};
const int vv_n_block_ops = sizeof vv_block_ops / sizeof *vv_block_ops;

int vv_block_op_find(const char *name)
{
    for (int i = 0; i < vv_n_block_ops; i++)
        if (!strcmp(vv_block_ops[i].name, name)) return i;
    return -1;
}

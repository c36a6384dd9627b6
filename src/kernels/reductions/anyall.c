/* any and all: whether one value is, or all values are, not zero. NaN is not zero, unless it is to be skipped: then it has no say. */
#include "kernels/reductions/fold.h"

#include <string.h>

#define OR(s, x)        ((s) | (x))
#define ANY(s, x)       ((s) | (uint64_t)((x) != 0))
#define ANY_VALID(s, x) ((s) | (uint64_t)(((x) != 0) & ((x) == (x))))
VV_FOLD(any_F32, float, uint64_t, 0, ANY, OR)
VV_FOLD(any_F64, double, uint64_t, 0, ANY, OR)
VV_FOLD(any_valid_F32, float, uint64_t, 0, ANY_VALID, OR)
VV_FOLD(any_valid_F64, double, uint64_t, 0, ANY_VALID, OR)
VV_FOLD(any_U64, uint64_t, uint64_t, 0, ANY, OR)

/* all is not any zero: what is kept is whether a zero was seen. NaN is no zero either way. */
#define ZERO(s, x) ((s) | (uint64_t)((x) == 0))
VV_FOLD(zero_F32, float, uint64_t, 0, ZERO, OR)
VV_FOLD(zero_F64, double, uint64_t, 0, ZERO, OR)
VV_FOLD(zero_U64, uint64_t, uint64_t, 0, ZERO, OR)

static vv_fold_table any = {[VV_F32] = {&any_F32, &any_valid_F32},
                            [VV_F64] = {&any_F64, &any_valid_F64},
                            [VV_I64] = {&any_U64, &any_U64},
                            [VV_U64] = {&any_U64, &any_U64}};
static vv_fold_table zero = {[VV_F32] = {&zero_F32, &zero_F32},
                             [VV_F64] = {&zero_F64, &zero_F64},
                             [VV_I64] = {&zero_U64, &zero_U64},
                             [VV_U64] = {&zero_U64, &zero_U64}};
static vv_fold_table *const tables[2] = {&zero, &any};
#define FOLDS (*tables[r->kind == &vv_reduction_of_any])
VV_FOLD_FUNCTIONS(FOLDS)

static vv_dtype result(vv_dtype stored)
{
    return vv_working_type(stored) == VV_NONE ? VV_NONE : VV_BOOL;
}

static void init(const vv_red *r, vv_index cells, void *const planes[])
{
    (void)r;
    memset(planes[0], 0, 8 * (size_t)cells);
}

static void finish(const vv_red *r, vv_index cells, const vv_red_head *head, void *const planes[], const void *missing,
                   void *out)
{
    (void)head, (void)missing;
    uint64_t flip = r->kind == &vv_reduction_of_all;
    for (vv_index i = 0; i < cells; i++) ((uint64_t *)out)[i] = ((const uint64_t *)planes[0])[i] ^ flip;
}

#define DESCRIPTOR(id, text)                                                                                           \
    const vv_reduction vv_reduction_of_##id = {.name = #id,                                                            \
                                               .help = text,                                                           \
                                               .planes = vv_one_plane,                                                 \
                                               .result = result,                                                       \
                                               .init = init,                                                           \
                                               .vertical = vertical,                                                   \
                                               .horizontal = horizontal,                                               \
                                               .combine = combine,                                                     \
                                               .finish = finish};
DESCRIPTOR(any, "whether one value is not zero")
DESCRIPTOR(all, "whether all values are not zero")

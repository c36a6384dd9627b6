/* Finished chunks: states become values. */
#include "exec/work.h"

#include <string.h>

/* A result's dimensions before, at and after the groups' own, in an output chunk. */
typedef struct split {
    vv_index outer, groups, inner;
} split;

static void split_at_groups(const vv_step *s, vv_index out, split *p)
{
    vv_box box;
    vv_grid_box(&s->grid, out, &box);
    int at = 0;
    for (int d = 0; d < s->groups.dim; d++) at += !s->reduced[d];
    *p = (split){1, box.n[at], 1};
    for (int d = 0; d < box.nd; d++) {
        if (d < at) p->outer *= box.n[d];
        if (d > at) p->inner *= box.n[d];
    }
}

static vv_status check_finished(const vv_step *s, vv_index out, int result, const void *state)
{
    if (vv_red_check(&s->result[result].red, state) == VV_OK) return VV_OK;
    return vv_error_prefix("'%s', output chunk %lld, rank %d", s->name, (long long)out, vv_this_rank());
}

/* Each group has its values in one piece; in the chunk they lie side by side. Where the groups come first in the chunk, they are in place at once. */
static vv_status finish_groups(const vv_step *s, vv_index out, const void *states, int result, vv_bytes size,
                               char *values)
{
    split p;
    split_at_groups(s, out, &p);
    vv_index elements = p.outer * p.inner, cells = elements / vv_step_length(s);
    char *one = NULL;
    if (p.outer > 1) VV_TRY(vv_mem_get(&one, elements * size, "values of a group"));
    for (vv_index g = 0; g < p.groups; g++) {
        const void *state = vv_state_at(s, cells, (void *)(uintptr_t)states, g, result);
        vv_red_finish(&s->result[result].red, state, one ? one : values + g * elements * size);
        vv_status status = check_finished(s, out, result, state);
        if (status != VV_OK) vv_mem_put(&one);
        VV_TRY(status);
        for (vv_index o = 0; one && o < p.outer; o++)
            memcpy(values + (o * p.groups + g) * p.inner * size, one + o * p.inner * size, (size_t)(p.inner * size));
    }
    vv_mem_put(&one);
    return VV_OK;
}

vv_status vv_finish_values(const vv_step *s, vv_index out, const void *state, int result, void *values, vv_dtype *type)
{
    *type = vv_step_values(s, result);
    vv_bytes size = vv_dtype_size(*type);
    vv_index cells = vv_unit_cells(s, out);
    const void *one = vv_state_at(s, cells, (void *)(uintptr_t)state, 0, result);
    if (s->op == VV_STEP_MAP)
        memcpy(values, one, (size_t)(cells * size));
    else if (s->groups.dim >= 0)
        return finish_groups(s, out, state, result, size, values);
    else
        vv_red_finish(&s->result[result].red, one, values);
    return s->op == VV_STEP_REDUCE ? check_finished(s, out, result, one) : VV_OK;
}

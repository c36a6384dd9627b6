/* Several files as one: one behind the other, or side by side. */
#include "cli/move.h"

static vv_status one_dim(const vv_cli_request *r)
{
    if (r->dims.n == 1) return VV_OK;
    return vv_error(VV_ERR_USAGE, "%s needs the one dimension to put files together along: -d %s", r->command.name,
                    r->command.run == vv_cli_stack ? "member" : "time");
}

static vv_array *as_joined(const vv_cli_move *m, const vv_var_info *v, vv_array *const arrays[])
{
    (void)m;
    (void)v;
    return arrays[0];
}

static vv_array *side_by_side(const vv_cli_move *m, const vv_var_info *v, vv_array *const arrays[])
{
    (void)v;
    return vv_stack(m->results.session, arrays, m->inputs.n, m->dims->item[0]);
}

/* Opening several files joins them. */
vv_status vv_cli_concat(vv_session *s, const vv_cli_request *r)
{
    vv_cli_move m = {.dims = &r->dims, .make = as_joined};
    vv_status status = one_dim(r);
    vv_cli_request along = *r;
    if (status == VV_OK) along.concat = r->dims.item[0];
    return status == VV_OK ? vv_cli_move_all(s, &along, 0, &m) : status;
}

vv_status vv_cli_stack(vv_session *s, const vv_cli_request *r)
{
    vv_cli_move m = {.dims = &r->dims, .apart = true, .make = side_by_side};
    vv_status status = one_dim(r);
    return status == VV_OK ? vv_cli_move_all(s, r, 0, &m) : status;
}

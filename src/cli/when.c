/* --when '>298.15': values become whether they fulfil a condition, 1 or 0; missing ones stay missing. */
#include "cli/when.h"

#include "varve/move.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct sign {
    const char *text, *op;
} signs[] = {{">=", "greater_equal"}, {"<=", "less_equal"}, {"==", "equal"},
             {"!=", "not_equal"},     {">", "greater"},     {"<", "less"}};
enum { SIGNS = sizeof signs / sizeof *signs };

vv_status vv_cli_condition(const char *text, const char **op, double *value)
{
    const char *at = text + strspn(text, " ");
    char *end;
    for (int i = 0; i < SIGNS; i++) {
        size_t n = strlen(signs[i].text);
        if (strncmp(at, signs[i].text, n) != 0) continue;
        *op = signs[i].op;
        *value = strtod(at + n, &end);
        if (end == at + n || *end || !isfinite(*value)) break;
        return VV_OK;
    }
    return vv_error(VV_ERR_USAGE, "--when takes a comparison with a number, such as '>25' or '<=0.5', not '%s'", text);
}

vv_array *vv_cli_when(vv_session *s, const vv_cli_request *r, vv_array *a)
{
    const char *op;
    double value;
    if (!r->when || vv_cli_condition(r->when, &op, &value) != VV_OK) return a;
    vv_array *yes = vv_elementwise(s, op, (vv_array *[]){a, vv_scalar(s, value)}, 2);
    vv_array *made = vv_where(vv_isnan(a), vv_scalar(s, (double)NAN), vv_astype(yes, VV_F32));
    return vv_with_attribute(vv_describe_as(made, a), "units", "1");
}

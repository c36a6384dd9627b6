/* Operands line up by the names of their dimensions; where two of them have a coordinate along one, the values must be the same. */
#include "expr/value.h"

#include "base/calendar.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct axis {
    const vv_array *array;
    int d;
    vv_values *value;
    bool time, narrow;
    vv_time_axis clock;
} axis;

static vv_status open_axis(const vv_array *a, int d, axis *x)
{
    const char *units, *calendar;
    const vv_coord *c = &a->coord[d];
    *x = (axis){.array = a, .d = d, .time = vv_coord_time(c, &units, &calendar)};
    x->narrow = c->from && c->var >= 0 && c->from->file->meta->var[c->var].type == VV_F32;
    if (x->time && vv_time_parse(units, calendar, &x->clock) != VV_OK) x->time = false;
    vv_error_clear();
    return vv_coord_values(c, &x->value);
}

static const char *value_text(const axis *x, vv_index i, char out[64])
{
    vv_date d;
    if (x->time && vv_time_decode(&x->clock, x->value->at[i], &d) == VV_OK) return vv_date_text(&d, out);
    vv_error_clear();
    snprintf(out, 64, "%.9g", x->value->at[i]);
    return out;
}

static bool same_value(const axis *a, const axis *b, vv_index i)
{
    double p = a->value->at[i], q = b->value->at[i];
    vv_instant s, t;
    if (p == q && !a->time && !b->time) return true;
    if (isnan(p) || isnan(q)) return isnan(p) && isnan(q);
    if (a->time && b->time) {
        bool known = vv_time_instant(&a->clock, p, &s) == VV_OK && vv_time_instant(&b->clock, q, &t) == VV_OK;
        vv_error_clear();
        return known && s.day == t.day && s.microsecond == t.microsecond;
    }
    return p == q || ((a->narrow || b->narrow) && (float)p == (float)q);
}

static vv_status differ(const axis *a, const axis *b, vv_index i)
{
    char one[64], other[64];
    return vv_fail(VV_ERR_SHAPE,
                   "coordinates along '%s' differ: element %lld is at %s on one side and at %s on the other; "
                   "drop_labels(x, %s) lines up by position",
                   a->array->dim[a->d], (long long)i, value_text(a, i, one), value_text(b, i, other),
                   a->array->dim[a->d]);
}

static bool same_origin(const vv_coord *a, const vv_coord *b)
{
    if (a->value || b->value) return a->value == b->value;
    return a->from == b->from && a->var == b->var && !a->moved && !b->moved;
}

static vv_status compare(const vv_array *a, int d, const vv_array *b, int k)
{
    axis x, y = {0};
    if (a->shape.n[d] != b->shape.n[k] || same_origin(&a->coord[d], &b->coord[k])) return VV_OK; /* lengths: map.c */
    vv_status status = open_axis(a, d, &x);
    if (status == VV_OK) status = open_axis(b, k, &y);
    for (vv_index i = 0; status == VV_OK && x.value && y.value && i < x.value->n && i < y.value->n; i++)
        if (!same_value(&x, &y, i)) status = differ(&x, &y, i);
    vv_values_free(&x.value);
    vv_values_free(&y.value);
    return status;
}

vv_status vv_line_up(vv_array *const operands[], int n)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++)
            for (int d = 0; d < operands[i]->shape.nd; d++)
                for (int k = 0; k < operands[j]->shape.nd; k++)
                    if (!strcmp(operands[i]->dim[d], operands[j]->dim[k]))
                        VV_TRY(compare(operands[j], k, operands[i], d));
    return VV_OK;
}

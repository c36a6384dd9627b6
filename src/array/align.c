/* Operands with the same labels: along a dimension that two arrays share, elements belong together whose coordinates say so, not those that happen to have the same number.
 *
 * Where all coordinates are equal, element by element, nothing is to be done. Else what is labelled in another order (latitudes that descend here and ascend there, longitudes from 0 to 360
 * and from -180 to 180) is looked up by its labels, as a view. Labels that only one side has are an error, unless only what all have is wanted (inner).
 *
 * Numbers are equal when they are, or when they are as f32 and one side has them so; times when they are the same instant, whatever their units; longitudes when they mean the same. */
#include "array/align.h"

#include "array/build.h"
#include "array/earth.h"
#include "base/calendar.h"
#include "varve/move.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is compared: a number in `low`, or a day and the microsecond in it. */
typedef struct label {
    int64_t high;
    double low;
} label;

typedef struct axis {
    const vv_array *array;
    int d;
    vv_values *value;
    bool time, narrow, longitude;
    vv_time_axis clock;
} axis;

static vv_status open_axis(const vv_array *a, int d, axis *x)
{
    const char *units, *calendar;
    const vv_coord *c = &a->coord[d];
    *x = (axis){.array = a, .d = d, .time = vv_coord_time(c, &units, &calendar)};
    x->narrow = c->from && c->var >= 0 && c->from->file->meta->var[c->var].type == VV_F32;
    x->longitude = vv_coord_is_longitude(c);
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

/* --- two coordinates --- */

typedef struct pair {
    axis a, b;
    bool times, narrow, longitudes;
    double slack;
} pair;

static label label_of(const pair *p, const axis *x, vv_index i)
{
    double v = x->value->at[i];
    vv_instant t;
    if (p->times) {
        if (vv_time_instant(&x->clock, v, &t) == VV_OK) return (label){t.day, (double)t.microsecond};
        vv_error_clear();
        return (label){INT64_MIN, NAN};
    }
    if (p->longitudes) return (label){0, vv_east_of(v, 0, p->slack)};
    return (label){0, p->narrow ? (float)v : v};
}

static bool same_label(const pair *p, label a, label b)
{
    if (isnan(a.low) || isnan(b.low)) return isnan(a.low) && isnan(b.low);
    if (p->longitudes) return vv_longitude_distance(a.low, b.low) <= p->slack;
    return a.high == b.high && a.low == b.low;
}

/* Whether element i of both is at the same place, as it is written. */
static bool same_value(const pair *p, vv_index i)
{
    double v = p->a.value->at[i], w = p->b.value->at[i];
    if (v == w && !p->times) return true;
    if (p->longitudes) return fabs(v - w) <= p->slack || (isnan(v) && isnan(w));
    return same_label(p, label_of(p, &p->a, i), label_of(p, &p->b, i));
}

static vv_status open_pair(const vv_array *a, int d, const vv_array *b, int k, pair *p)
{
    *p = (pair){0};
    vv_status status = open_axis(a, d, &p->a);
    if (status == VV_OK) status = open_axis(b, k, &p->b);
    p->times = p->a.time && p->b.time;
    p->narrow = p->a.narrow || p->b.narrow;
    p->longitudes = p->a.longitude && p->b.longitude;
    p->slack = vv_longitude_slack(p->narrow);
    return status;
}

static void close_pair(pair *p)
{
    vv_values_free(&p->a.value);
    vv_values_free(&p->b.value);
}

static bool all_same(const pair *p, vv_index *first)
{
    vv_index n = vv_imin(p->a.value->n, p->b.value->n);
    for (*first = 0; *first < n; ++*first)
        if (!same_value(p, *first)) return false;
    return p->a.value->n == p->b.value->n;
}

/* --- looking up --- */

typedef struct entry {
    label at;
    vv_index position;
} entry;

static int by_label(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->at.high != y->at.high) return x->at.high < y->at.high ? -1 : 1;
    if (x->at.low != y->at.low) return x->at.low < y->at.low ? -1 : 1;
    return x->position < y->position ? -1 : x->position > y->position;
}

/* Labels of `b`, in order. */
static vv_status list_labels(const pair *p, entry **out, vv_index *n)
{
    vv_index all = p->b.value->n;
    VV_TRY(vv_new(out, (size_t)all + 1, sizeof **out));
    *n = 0;
    for (vv_index i = 0; i < all; i++) {
        entry e = {label_of(p, &p->b, i), i};
        if (!isnan(e.at.low)) (*out)[(*n)++] = e;
    }
    qsort(*out, (size_t)*n, sizeof **out, by_label);
    return VV_OK;
}

/* The position of a label in `b`, -1: it is not there. */
static vv_index find_label(const pair *p, const entry list[], vv_index n, label want)
{
    entry from = {{want.high, want.low - (p->longitudes ? p->slack : 0)}, -1};
    vv_index low = 0, high = n;
    if (isnan(want.low)) return -1;
    while (low < high) {
        vv_index middle = low + (high - low) / 2;
        if (by_label(&list[middle], &from) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && same_label(p, list[low].at, want) ? list[low].position : -1;
}

/* Where `b` has each label of `a`; *missing: how many it does not have, the first of them is number *first. */
static vv_status look_up(const pair *p, vv_index position[], vv_index *missing, vv_index *first)
{
    entry *list;
    vv_index n;
    VV_TRY(list_labels(p, &list, &n));
    *missing = 0;
    for (vv_index i = 0; i < p->a.value->n; i++) {
        position[i] = find_label(p, list, n, label_of(p, &p->a, i));
        if (position[i] < 0 && ++*missing == 1) *first = i;
    }
    free(list);
    return VV_OK;
}

/* --- one dimension of two arrays --- */

static bool same_origin(const vv_coord *a, const vv_coord *b)
{
    if (a->value || b->value) return a->value == b->value;
    return a->from == b->from && a->var == b->var && !a->moved && !b->moved;
}

static vv_status differ(const pair *p, vv_index i)
{
    char one[64], other[64];
    return vv_fail(VV_ERR_SHAPE,
                   "coordinates along '%s' differ: element %lld is at %s on one side and at %s on the other; "
                   "align=inner takes what both have, drop_labels(x, %s) lines up by position",
                   p->a.array->dim[p->a.d], (long long)i, value_text(&p->a, i, one), value_text(&p->b, i, other),
                   p->a.array->dim[p->a.d]);
}

/* `b` in the order of `a`; unless `some`, it has as many elements. *b is replaced when it has to be. */
static vv_status follow(const vv_array *a, int d, vv_array **b, int k, bool some)
{
    pair p;
    vv_index *position = NULL, missing = 0, first = 0, n = a->shape.n[d];
    if (same_origin(&a->coord[d], &(*b)->coord[k]) || (!some && (*b)->shape.n[k] != n)) return VV_OK;
    vv_status status = open_pair(a, d, *b, k, &p);
    if (status != VV_OK || !p.a.value || !p.b.value || all_same(&p, &first)) {
        close_pair(&p);
        return status;
    }
    status = vv_new(&position, (size_t)n + 1, sizeof *position);
    vv_index differs = first;
    if (status == VV_OK) status = look_up(&p, position, &missing, &first);
    if (status == VV_OK && missing > 0) {
        char text[64];
        status = some ? vv_fail(VV_ERR_SHAPE, "'%s' has nothing at %s=%s, where '%s' has elements", (*b)->name,
                                a->dim[d], value_text(&p.a, first, text), a->name)
                      : differ(&p, differs);
    }
    if (status == VV_OK) {
        *b = vv_take(*b, (*b)->dim[k], position, n);
        status = vv_array_status(*b);
    }
    close_pair(&p);
    free(position);
    return status;
}

/* --- what all have --- */

/* The positions of `a` whose labels `b` has, too; keep[] of the others becomes false. */
static vv_status keep_common(const vv_array *a, int d, const vv_array *b, int k, bool keep[])
{
    pair p;
    vv_index *position = NULL, missing = 0, first = 0, n = a->shape.n[d];
    if (same_origin(&a->coord[d], &b->coord[k])) return VV_OK;
    vv_status status = open_pair(a, d, b, k, &p);
    if (status == VV_OK && p.a.value && p.b.value) {
        status = vv_new(&position, (size_t)n + 1, sizeof *position);
        if (status == VV_OK) status = look_up(&p, position, &missing, &first);
        for (vv_index i = 0; status == VV_OK && i < n; i++) keep[i] = keep[i] && position[i] >= 0;
    }
    close_pair(&p);
    free(position);
    return status;
}

static bool has_labels(const vv_array *a, int d)
{
    return a->coord[d].value || (a->coord[d].from && a->coord[d].var >= 0 && !a->coord[d].moved);
}

/* Dimension d of operand i keeps what all others have. */
static vv_status intersect_dim(vv_array *operands[], int n, int i, int d)
{
    vv_array *a = operands[i];
    vv_index length = a->shape.n[d], kept = 0;
    bool *keep;
    VV_TRY(vv_new(&keep, (size_t)length + 1, sizeof *keep));
    memset(keep, true, (size_t)length);
    vv_status status = VV_OK;
    for (int j = 0; status == VV_OK && j < n; j++) {
        int k = j == i ? -1 : vv_node_dim(operands[j], a->dim[d]);
        if (k >= 0 && has_labels(operands[j], k)) status = keep_common(a, d, operands[j], k, keep);
    }
    for (vv_index p = 0; p < length; p++) kept += keep[p];
    if (status == VV_OK && kept == 0 && length > 0)
        status = vv_fail(VV_ERR_SHAPE, "the arrays have no label along '%s' in common", a->dim[d]);
    if (status == VV_OK && kept < length) {
        operands[i] = vv_compress(a, a->dim[d], keep, length);
        status = vv_array_status(operands[i]);
    }
    free(keep);
    return status;
}

/* The first operand that has a dimension decides; later ones follow it. */
static vv_status intersect(vv_array *operands[], int n)
{
    for (int i = 0; i < n; i++)
        for (int d = 0; d < operands[i]->shape.nd; d++)
            if (has_labels(operands[i], d)) VV_TRY(intersect_dim(operands, n, i, d));
    return VV_OK;
}

/* --- for others --- */

vv_status vv_node_line_up(vv_array *operands[], int n, bool inner)
{
    if (inner) VV_TRY(intersect(operands, n));
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++)
            for (int d = 0; d < operands[i]->shape.nd; d++) {
                int k = vv_node_dim(operands[j], operands[i]->dim[d]);
                if (k >= 0) VV_TRY(follow(operands[j], k, &operands[i], d, false));
            }
    return VV_OK;
}

static vv_status align(vv_array **a, const vv_array *like)
{
    for (int d = 0; d < like->shape.nd; d++) {
        int k = vv_node_dim(*a, like->dim[d]);
        if (k >= 0) VV_TRY(follow(like, d, a, k, true));
    }
    return VV_OK;
}

vv_array *vv_align(vv_array *a, vv_array *like)
{
    vv_array *both[] = {a, like};
    if (vv_nodes_usable(both, 2) != VV_OK) return vv_node_inert(a->context ? a->context : like->context);
    vv_array *made = a;
    if (align(&made, like) != VV_OK) return vv_node_inert(a->context);
    return made == a ? vv_node_again(a) : made;
}

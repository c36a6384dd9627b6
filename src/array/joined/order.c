/* Along which dimension files are joined, and in which order. */
#include "array/joined/build.h"

#include "base/log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* --- coordinates of the files --- */

/* The first position where two coordinates differ; -1 when nowhere. */
static vv_index first_difference(const double *a, const double *b, vv_index n)
{
    for (vv_index i = 0; i < n; i++)
        if (a[i] != b[i] && !(isnan(a[i]) && isnan(b[i]))) return i;
    return -1;
}

static bool same_units(const vv_meta *a, int va, const vv_meta *b, int vb)
{
    return vv_same_text(vv_cf_text(a, va, "units"), vv_cf_text(b, vb, "units"));
}

/* Whether a file differs from the first one along a dimension that both have: in length, or in the values of its coordinate. `where` tells how. */
static vv_status differs(vv_dataset *a, int da, const double *values, vv_dataset *b, int db, bool *out, vv_buf *where)
{
    const vv_meta *x = a->file->meta, *y = b->file->meta;
    const char *name = x->dim[da].name;
    char text[2][64];
    int va = vv_positions_number_variable(x, da), vb = vv_positions_number_variable(y, db);
    double *other;
    *out = true;
    if (x->dim[da].length != y->dim[db].length) {
        vv_buf_printf(where, "'%s' has %lld positions in %s and %lld in %s", name, (long long)x->dim[da].length,
                      a->path, (long long)y->dim[db].length, b->path);
        return vv_buf_status(where);
    }
    if (va >= 0 && vb >= 0 && !same_units(x, va, y, vb)) {
        vv_buf_printf(where, "'%s' has other units in %s than in %s", name, b->path, a->path);
        return vv_buf_status(where);
    }
    *out = false;
    VV_TRY(vv_positions_read(b, db, &other));
    vv_index i = values && other ? first_difference(values, other, x->dim[da].length) : -1;
    if (i >= 0) {
        *out = true;
        vv_buf_printf(where, "'%s' differs at position %lld: %s in %s, %s in %s", name, (long long)i,
                      vv_positions_text(a, da, values[i], text[0], sizeof text[0]), a->path,
                      vv_positions_text(b, db, other[i], text[1], sizeof text[1]), b->path);
    }
    free(other);
    return vv_buf_status(where);
}

/* Whether any file differs from the first one along dimension `dim` of that. */
static vv_status any_differs(const vv_joined *j, int dim, bool *out, vv_buf *where)
{
    double *values;
    vv_status status = vv_positions_read(j->file[0], dim, &values);
    *out = false;
    for (int i = 1; i < j->n && status == VV_OK && !*out; i++) {
        int there = vv_meta_find_dim(vv_joined_meta(j, i), vv_joined_meta(j, 0)->dim[dim].name);
        if (there >= 0) status = differs(j->file[0], dim, values, j->file[i], there, out, where);
    }
    free(values);
    return status;
}

/* --- which dimension --- */

static vv_status none_differs(const vv_joined *j)
{
    const vv_meta *m = vv_joined_meta(j, 0);
    for (int d = 0; d < m->n_dims; d++)
        if (m->dim[d].unlimited)
            return vv_fail(VV_ERR_SHAPE,
                           "%s and %s have the same '%s' and do not differ along any other dimension: they cannot be "
                           "joined",
                           j->file[0]->path, j->file[1]->path, m->dim[d].name);
    return vv_fail(VV_ERR_SHAPE,
                   "%s and %s do not differ along any dimension: name the one to join them along with --concat DIM",
                   j->file[0]->path, j->file[1]->path);
}

/* The only one along which files differ. Names it in where they differ along two. */
static vv_status find_dim(vv_joined *j)
{
    const vv_meta *m = vv_joined_meta(j, 0);
    vv_buf before = {0}, where = {0};
    vv_status status = VV_OK;
    j->dim = -1;
    for (int d = 0; d < m->n_dims && status == VV_OK; d++) {
        bool differs_here;
        where.size = 0;
        status = any_differs(j, d, &differs_here, &where);
        if (status != VV_OK || !differs_here) continue;
        if (j->dim >= 0)
            status = vv_fail(VV_ERR_SHAPE, "the files differ along two dimensions: %s; %s", before.data, where.data);
        j->dim = d;
        before.size = 0;
        vv_buf_text(&before, where.data);
    }
    vv_buf_free(&before);
    vv_buf_free(&where);
    if (status == VV_OK && j->dim < 0) status = none_differs(j);
    return status;
}

static vv_status check_other_dims(const vv_joined *j)
{
    const vv_meta *m = vv_joined_meta(j, 0);
    vv_buf where = {0};
    vv_status status = VV_OK;
    for (int d = 0; d < m->n_dims && status == VV_OK; d++) {
        bool differs_here = false;
        if (d != j->dim) status = any_differs(j, d, &differs_here, &where);
        if (differs_here)
            status =
                vv_fail(VV_ERR_SHAPE, "the files cannot be joined along '%s': %s", m->dim[j->dim].name, where.data);
    }
    vv_buf_free(&where);
    return status;
}

vv_status vv_joined_choose_dim(vv_joined *j, const char *dim)
{
    if (!dim) return find_dim(j);
    j->dim = vv_meta_find_dim(vv_joined_meta(j, 0), dim);
    for (int i = 0; i < j->n; i++)
        if (vv_meta_find_dim(vv_joined_meta(j, i), dim) < 0) {
            (void)vv_dataset_find_dim(j->file[i], dim);
            return VV_ERR_NOT_FOUND;
        }
    return check_other_dims(j);
}

static int dim_in(const vv_joined *j, int i, const char *name)
{
    return vv_meta_find_dim(vv_joined_meta(j, i), name);
}

vv_status vv_joined_check_dim(const vv_joined *j, const char *name)
{
    for (int i = 1; i < j->n; i++)
        if (dim_in(j, i, name) < 0)
            return vv_fail(VV_ERR_SHAPE, "%s has no dimension '%s', along which the files are joined", j->file[i]->path,
                           name);
    return VV_OK;
}

/* --- order --- */

/* A file's stretch of the coordinate, in the first file's units. */
typedef struct stretch {
    vv_dataset *file;
    int given; /* its place among the files as they were given */
    vv_index n;
    double first, last, step; /* step: the longest within */
    int direction;            /* 1 or -1; 0 for a single value */
} stretch;

static vv_status not_monotonic(const stretch *s, const char *name, vv_index i, double before, double at)
{
    char text[2][64];
    int var = vv_dataset_find_var(s->file, name);
    double value[2] = {before, at};
    for (int k = 0; k < 2; k++)
        if (!vv_dataset_time_text(s->file, var, value[k], text[k], sizeof text[k]))
            snprintf(text[k], sizeof text[k], "%.17g", value[k]);
    return vv_fail(VV_ERR_SHAPE,
                   "%s: '%s' does not go one way: %s at position %lld follows %s; such files have no order",
                   s->file->path, name, text[1], (long long)i, text[0]);
}

static vv_status measure(stretch *s, const char *name, const double *at)
{
    for (vv_index i = 0; i < s->n; i++) {
        double step = i ? at[i] - at[i - 1] : 0;
        int way = (step > 0) - (step < 0);
        if (isnan(at[i]))
            return vv_fail(VV_ERR_SHAPE, "%s: '%s' is missing at position %lld; such files have no order",
                           s->file->path, name, (long long)i);
        if (i && (way == 0 || (s->direction && way != s->direction)))
            return not_monotonic(s, name, i, at[i - 1], at[i]);
        if (i) s->direction = way;
        s->step = fmax(s->step, fabs(step));
    }
    s->first = s->n ? at[0] : 0;
    s->last = s->n ? at[s->n - 1] : 0;
    return VV_OK;
}

static vv_status to_common_times(const stretch *s, const char *name, const vv_dataset *common, double *at)
{
    const vv_meta *m = s->file->file->meta, *c = common->file->meta;
    int var = vv_meta_find_var(m, name), there = vv_meta_find_var(c, name);
    const char *units = vv_cf_text(m, var, "units"), *wanted = vv_cf_text(c, there, "units");
    vv_time_axis from, to;
    if (vv_same_text(units, wanted) && vv_same_text(vv_cf_text(m, var, "calendar"), vv_cf_text(c, there, "calendar")))
        return VV_OK;
    if (!units || !wanted || !vv_time_is_units(units) || !vv_time_is_units(wanted))
        return vv_fail(VV_ERR_SHAPE, "'%s' has the units '%s' in %s and '%s' in %s", name, wanted ? wanted : "",
                       common->path, units ? units : "", s->file->path);
    if (vv_joined_axis(m, var, &from) != VV_OK) return vv_error_prefix("%s: '%s'", s->file->path, name);
    if (vv_joined_axis(c, there, &to) != VV_OK) return vv_error_prefix("%s: '%s'", common->path, name);
    if (from.calendar != to.calendar)
        return vv_fail(VV_ERR_SHAPE, "'%s' has the calendar %s in %s and %s in %s", name, vv_calendar_name(to.calendar),
                       common->path, vv_calendar_name(from.calendar), s->file->path);
    return vv_joined_convert(&from, &to, at, s->n);
}

static vv_status make_stretch(const vv_joined *j, int i, const char *name, stretch *s, bool *known)
{
    double *at;
    int dim = dim_in(j, i, name);
    *s = (stretch){.file = j->file[i], .given = i, .n = vv_joined_meta(j, i)->dim[dim].length};
    VV_TRY(vv_positions_read_numbers(s->file, dim, &at));
    *known = at != NULL;
    if (!at) return VV_OK;
    vv_status status = to_common_times(s, name, j->file[0], at);
    if (status == VV_OK) status = measure(s, name, at);
    free(at);
    return status;
}

static int ascending(const void *a, const void *b)
{
    const stretch *x = a, *y = b;
    if ((x->n == 0) != (y->n == 0)) return x->n == 0 ? 1 : -1;
    if (x->first != y->first) return x->first < y->first ? -1 : 1;
    return x->given - y->given;
}

static int descending(const void *a, const void *b)
{
    const stretch *x = a, *y = b;
    if ((x->n == 0) != (y->n == 0)) return x->n == 0 ? 1 : -1;
    if (x->first != y->first) return x->first > y->first ? -1 : 1;
    return x->given - y->given;
}

static const char *value_text(const vv_joined *j, const char *name, double value, char out[64])
{
    vv_dataset *d = j->file[0]; /* in whose units it is */
    if (!vv_dataset_time_text(d, vv_meta_find_var(d->file->meta, name), value, out, 64))
        snprintf(out, 64, "%.9g", value);
    return out;
}

static vv_status check_overlap(const vv_joined *j, const char *name, const stretch *a, const stretch *b, int way)
{
    char begin[64], end[64];
    if (b->n == 0 || way * (b->first - a->last) > 0) return VV_OK;
    return vv_fail(
        VV_ERR_SHAPE, "%s and %s overlap: '%s' of the second one begins at %s, that of the first one ends at %s",
        a->file->path, b->file->path, name, value_text(j, name, b->first, begin), value_text(j, name, a->last, end));
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Steps from one file to the next that are much longer than those inside of them; where files have one value each, than most such steps. */
static vv_status tell_gaps(const vv_joined *j, const char *name, const stretch all[])
{
    enum { MUCH_LONGER = 2 };
    int gaps = 0, worst = -1;
    double *step, longest = 0;
    VV_TRY(vv_new(&step, (size_t)j->n, sizeof *step));
    for (int i = 0; i + 1 < j->n; i++) step[i] = all[i + 1].n ? fabs(all[i + 1].first - all[i].last) : 0;
    qsort(step, (size_t)j->n - 1, sizeof *step, by_size);
    double usual = step[(j->n - 1) / 2];
    free(step);
    for (int i = 0; i + 1 < j->n && all[i + 1].n; i++) {
        double here = fabs(all[i + 1].first - all[i].last), inside = fmax(all[i].step, all[i + 1].step);
        if (here < MUCH_LONGER * (inside > 0 ? inside : usual)) continue;
        gaps++;
        if (here > longest) worst = i;
        longest = fmax(longest, here);
    }
    if (gaps == 0) return VV_OK;
    char from[64], to[64];
    vv_say(VV_LOG_WARN, "'%s' has %d gap%s between files, the longest from %s (%s) to %s (%s)", name, gaps,
           gaps == 1 ? "" : "s", value_text(j, name, all[worst].last, from), all[worst].file->path,
           value_text(j, name, all[worst + 1].first, to), all[worst + 1].file->path);
    return VV_OK;
}

static vv_status common_direction(const stretch all[], int n, const char *name, int *way)
{
    const stretch *told = NULL;
    for (int i = 0; i < n; i++) {
        if (all[i].direction == 0) continue;
        if (told && told->direction != all[i].direction)
            return vv_fail(VV_ERR_SHAPE, "'%s' goes up in %s and down in %s", name,
                           (told->direction > 0 ? told : &all[i])->file->path,
                           (told->direction > 0 ? &all[i] : told)->file->path);
        told = &all[i];
    }
    *way = told ? told->direction : 1;
    return VV_OK;
}

static vv_status put_in_order(vv_joined *j, const char *name, stretch all[])
{
    int known = 0, without = -1, with = -1, way = 1;
    for (int i = 0; i < j->n; i++) {
        bool has;
        VV_TRY(make_stretch(j, i, name, &all[i], &has));
        known += has;
        *(has ? &with : &without) = i;
    }
    if (known == 0) {
        vv_say(VV_LOG_INFO, "'%s' has no coordinate: the files are joined in the order given", name);
        return VV_OK;
    }
    if (known < j->n)
        return vv_fail(VV_ERR_SHAPE, "%s has values of '%s', %s has none", j->file[with]->path, name,
                       j->file[without]->path);
    VV_TRY(common_direction(all, j->n, name, &way));
    qsort(all, (size_t)j->n, sizeof *all, way > 0 ? ascending : descending);
    for (int i = 0; i + 1 < j->n; i++) VV_TRY(check_overlap(j, name, &all[i], &all[i + 1], way));
    VV_TRY(tell_gaps(j, name, all));
    for (int i = 0; i < j->n; i++) j->file[i] = all[i].file;
    return VV_OK;
}

vv_status vv_joined_order(vv_joined *j, const char *name)
{
    stretch *all;
    VV_TRY(vv_new(&all, (size_t)j->n, sizeof *all));
    vv_status status = put_in_order(j, name, all);
    free(all);
    VV_TRY(status);
    VV_TRY(vv_new(&j->first, (size_t)j->n + 1, sizeof *j->first));
    for (int i = 0; i < j->n; i++) j->first[i + 1] = j->first[i] + vv_joined_meta(j, i)->dim[dim_in(j, i, name)].length;
    return VV_OK;
}

#include "array/joined.h"

#include "array/build.h"
#include "base/calendar.h"
#include "base/log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A variable of the joined file. */
typedef struct member {
    bool along;   /* has the dimension: all files have a part of it */
    int axis;     /* which of its dimensions that is */
    int from;     /* not along: the file that it is taken from */
    int *var;     /* along: by file, its number there; else only that of `from` */
    bool decoded; /* packing or element types differ, or times are converted: elements are those that arrays see */
    bool times;   /* units of time differ */
} member;

typedef struct joined {
    int n;
    vv_dataset **file; /* in their order along the dimension; the context's */
    vv_index *first;   /* by file, and one more: where it begins along the dimension */
    int dim;           /* of the joined file */
    int n_members;
    member *member; /* by variable */
} joined;

static const vv_meta *meta_at(const joined *j, int i)
{
    return j->file[i]->file->meta;
}

static const vv_variable *variable_at(const joined *j, const member *m, int i)
{
    return &meta_at(j, i)->var[m->var[i]];
}

/* --- units of time --- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

static vv_status axis_of(const vv_meta *m, int var, vv_time_axis *out)
{
    return vv_time_parse(vv_cf_text(m, var, "units"), vv_cf_text(m, var, "calendar"), out);
}

/* Values of one axis become those of another one. */
static vv_status convert_times(const vv_time_axis *from, const vv_time_axis *to, double at[], vv_index n)
{
    for (vv_index i = 0; i < n; i++) {
        vv_instant t;
        if (isnan(at[i])) continue;
        VV_TRY(vv_time_instant(from, at[i], &t));
        at[i] = vv_time_value(to, t);
    }
    return VV_OK;
}

/* The same as numbers: new = old * scale + offset. */
static void between(const vv_time_axis *from, const vv_time_axis *to, double *scale, double *offset)
{
    *scale = (double)from->unit / (double)to->unit;
    *offset = vv_time_value(to, from->origin);
}

/* --- reading --- */

/* How file i's elements become those of the joined variable. */
static vv_status decoding(const joined *j, const member *m, int i, vv_dtype type, vv_decode *out)
{
    vv_dtype own;
    VV_TRY(vv_cf_decode(variable_at(j, m, i), out, &own));
    out->out = vv_working_type(type);
    return VV_OK;
}

static vv_status convert(const joined *j, const member *m, int i, vv_dtype type, const void *raw, vv_index n, void *out)
{
    vv_decode d;
    VV_TRY(decoding(j, m, i, type, &d));
    d.swap = d.shuffled = false;
    vv_dtype working = d.out;
    vv_bytes size = vv_dtype_size(type);
    void *values = out;
    if (working != type) VV_TRY(vv_mem_get(&values, vv_times(n, vv_dtype_size(working)), "values of joined files"));
    vv_decode_range(&d, raw, n, 0, n, values);
    vv_status status = VV_OK;
    if (m->times) {
        vv_time_axis from, to;
        status = axis_of(meta_at(j, i), m->var[i], &from);
        if (status == VV_OK) status = axis_of(meta_at(j, 0), m->var[0], &to);
        if (status == VV_OK) status = convert_times(&from, &to, values, n);
    }
    if (working == type) return status;
    for (vv_index k = 0; k < n; k++)
        vv_dtype_store(type, (char *)out + k * size,
                       vv_dtype_load(working, (char *)values + k * vv_dtype_size(working)));
    vv_mem_put(&values);
    return status;
}

/* What file i has of a box: `part` is in its own positions. Its elements go to where they belong among those of the box. */
static vv_status read_part(const joined *j, const member *m, const vv_variable *v, int i, const vv_box *box,
                           const vv_box *part, char *out)
{
    const vv_variable *there = variable_at(j, m, i);
    vv_index n = vv_box_elements(part), before = 1, behind = 1;
    vv_bytes size = v->type == VV_NONE ? 1 : vv_dtype_size(v->type);
    char *raw, *values = NULL;
    vv_bytes raw_size = there->type == VV_NONE ? 1 : vv_dtype_size(there->type);
    VV_TRY(vv_mem_get(&raw, vv_times(n, raw_size), "values of joined files"));
    vv_status status = j->file[i]->file->format->read(j->file[i]->file, m->var[i], part, raw);
    if (status != VV_OK) (void)vv_error_prefix("%s", j->file[i]->path);
    if (status == VV_OK && m->decoded) {
        status = vv_mem_get(&values, vv_times(n, size), "values of joined files");
        if (status == VV_OK) status = convert(j, m, i, v->type, raw, n, values);
    }
    for (int d = 0; d < m->axis; d++) before *= box->n[d];
    for (int d = m->axis + 1; d < box->nd; d++) behind *= box->n[d];
    vv_bytes run = part->n[m->axis] * behind * size, apart = box->n[m->axis] * behind * size;
    char *to = out + (j->first[i] + part->lo[m->axis] - box->lo[m->axis]) * behind * size;
    for (vv_index k = 0; k < before && status == VV_OK; k++)
        memcpy(to + k * apart, (m->decoded ? values : raw) + k * run, (size_t)run);
    vv_mem_put(&values);
    vv_mem_put(&raw);
    return status;
}

/* The file that position `at` along the dimension is in. */
static int file_at(const joined *j, vv_index at)
{
    int low = 0, high = j->n;
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        *(j->first[middle] <= at ? &low : &high) = middle;
    }
    return low;
}

static vv_status read_joined(vv_file *f, int var, const vv_box *box, void *out)
{
    const joined *j = f->handle;
    const member *m = &j->member[var];
    if (!m->along) {
        vv_file *only = j->file[m->from]->file;
        return only->format->read(only, *m->var, box, out);
    }
    if (vv_box_elements(box) == 0) return VV_OK;
    vv_index lo = box->lo[m->axis], end = lo + box->n[m->axis];
    for (int i = file_at(j, lo); i < j->n && j->first[i] < end; i++) {
        vv_box part = *box;
        part.lo[m->axis] = vv_imax(lo, j->first[i]) - j->first[i];
        part.n[m->axis] = vv_imin(end, j->first[i + 1]) - j->first[i] - part.lo[m->axis];
        if (part.n[m->axis] > 0) VV_TRY(read_part(j, m, &f->meta->var[var], i, box, &part, out));
    }
    return VV_OK;
}

static void joined_free(joined *j)
{
    for (int i = 0; i < j->n_members; i++) free(j->member[i].var);
    free(j->member);
    free(j->first);
    free(j->file);
    free(j);
}

static void close_joined(vv_file *f)
{
    if (f->handle) joined_free(f->handle);
    f->handle = NULL;
}

static bool never(const char *path, const unsigned char *head, size_t n)
{
    (void)path;
    (void)head;
    (void)n;
    return false;
}

static vv_status not_opened(vv_file *f)
{
    return vv_fail(VV_ERR_INTERNAL, "%s is several files", f->path);
}

static vv_status not_stored(vv_file *f)
{
    return vv_fail(VV_ERR_INTERNAL, "%s is several files: each has its own places", f->path);
}

static vv_status offset(vv_file *f, int var, vv_bytes *address)
{
    (void)var;
    (void)address;
    return not_stored(f);
}

static vv_status find_chunks(vv_file *f, int var, vv_index n, const vv_index *chunks, vv_chunk_at *out)
{
    (void)var;
    (void)n;
    (void)chunks;
    (void)out;
    return not_stored(f);
}

static const vv_format format = {
    .name = "joined",
    .help = "several files as one",
    .probe = never,
    .open = not_opened,
    .close = close_joined,
    .offset = offset,
    .index = find_chunks,
    .read = read_joined,
};

/* --- coordinates of the files --- */

static int coordinate_of(const vv_meta *m, int dim)
{
    int var = vv_meta_find_var(m, m->dim[dim].name);
    return var >= 0 && vv_meta_is_coordinate(m, var) && m->var[var].type != VV_NONE ? var : -1;
}

/* Stored values; *out is NULL without a coordinate. To be freed. */
static vv_status stored_coordinate(vv_dataset *d, int dim, double **out)
{
    const vv_meta *m = d->file->meta;
    int var = coordinate_of(m, dim);
    *out = NULL;
    if (var < 0) return VV_OK;
    VV_TRY(vv_new(out, (size_t)m->dim[dim].length + 1, sizeof **out));
    vv_status status = vv_dataset_read(d, var, *out, m->dim[dim].length);
    if (status != VV_OK) {
        free(*out);
        *out = NULL;
    }
    return status;
}

/* The first position where two coordinates differ; -1 when nowhere. */
static vv_index first_difference(const double *a, const double *b, vv_index n)
{
    for (vv_index i = 0; i < n; i++)
        if (a[i] != b[i] && !(isnan(a[i]) && isnan(b[i]))) return i;
    return -1;
}

static bool same_units(const vv_meta *a, int va, const vv_meta *b, int vb)
{
    return same_text(vv_cf_text(a, va, "units"), vv_cf_text(b, vb, "units"));
}

/* Whether a file differs from the first one along a dimension that both have: in length, or in the values of its coordinate. `where` tells how. */
static vv_status differs(vv_dataset *a, int da, const double *values, vv_dataset *b, int db, bool *out, vv_buf *where)
{
    const vv_meta *x = a->file->meta, *y = b->file->meta;
    const char *name = x->dim[da].name;
    int va = coordinate_of(x, da), vb = coordinate_of(y, db);
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
    VV_TRY(stored_coordinate(b, db, &other));
    vv_index i = values && other ? first_difference(values, other, x->dim[da].length) : -1;
    if (i >= 0) {
        *out = true;
        vv_buf_printf(where, "'%s' differs at position %lld: %.17g in %s, %.17g in %s", name, (long long)i, values[i],
                      a->path, other[i], b->path);
    }
    free(other);
    return vv_buf_status(where);
}

/* Whether any file differs from the first one along dimension `dim` of that. */
static vv_status any_differs(const joined *j, int dim, bool *out, vv_buf *where)
{
    double *values;
    vv_status status = stored_coordinate(j->file[0], dim, &values);
    *out = false;
    for (int i = 1; i < j->n && status == VV_OK && !*out; i++) {
        int there = vv_meta_find_dim(meta_at(j, i), meta_at(j, 0)->dim[dim].name);
        if (there >= 0) status = differs(j->file[0], dim, values, j->file[i], there, out, where);
    }
    free(values);
    return status;
}

/* --- which dimension --- */

static vv_status none_differs(const joined *j)
{
    const vv_meta *m = meta_at(j, 0);
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
static vv_status find_dim(joined *j)
{
    const vv_meta *m = meta_at(j, 0);
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

static vv_status check_other_dims(const joined *j)
{
    const vv_meta *m = meta_at(j, 0);
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

static vv_status choose_dim(joined *j, const char *dim)
{
    if (!dim) return find_dim(j);
    j->dim = vv_meta_find_dim(meta_at(j, 0), dim);
    for (int i = 0; i < j->n; i++)
        if (vv_meta_find_dim(meta_at(j, i), dim) < 0) {
            (void)vv_dataset_find_dim(j->file[i], dim);
            return VV_ERR_NOT_FOUND;
        }
    return check_other_dims(j);
}

static int dim_in(const joined *j, int i, const char *name)
{
    return vv_meta_find_dim(meta_at(j, i), name);
}

static vv_status check_dim(const joined *j, const char *name)
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
    if (same_text(units, wanted) && same_text(vv_cf_text(m, var, "calendar"), vv_cf_text(c, there, "calendar")))
        return VV_OK;
    if (!units || !wanted || !vv_time_is_units(units) || !vv_time_is_units(wanted))
        return vv_fail(VV_ERR_SHAPE, "'%s' has the units '%s' in %s and '%s' in %s", name, wanted ? wanted : "",
                       common->path, units ? units : "", s->file->path);
    if (axis_of(m, var, &from) != VV_OK) return vv_error_prefix("%s: '%s'", s->file->path, name);
    if (axis_of(c, there, &to) != VV_OK) return vv_error_prefix("%s: '%s'", common->path, name);
    if (from.calendar != to.calendar)
        return vv_fail(VV_ERR_SHAPE, "'%s' has the calendar %s in %s and %s in %s", name, vv_calendar_name(to.calendar),
                       common->path, vv_calendar_name(from.calendar), s->file->path);
    return convert_times(&from, &to, at, s->n);
}

static vv_status make_stretch(const joined *j, int i, const char *name, stretch *s, bool *known)
{
    double *at;
    int dim = dim_in(j, i, name);
    *s = (stretch){.file = j->file[i], .given = i, .n = meta_at(j, i)->dim[dim].length};
    VV_TRY(stored_coordinate(s->file, dim, &at));
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

static const char *value_text(const joined *j, const char *name, double value, char out[64])
{
    vv_dataset *d = j->file[0]; /* in whose units it is */
    if (!vv_dataset_time_text(d, vv_meta_find_var(d->file->meta, name), value, out, 64))
        snprintf(out, 64, "%.9g", value);
    return out;
}

static vv_status check_overlap(const joined *j, const char *name, const stretch *a, const stretch *b, int way)
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
static vv_status tell_gaps(const joined *j, const char *name, const stretch all[])
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

static vv_status put_in_order(joined *j, const char *name, stretch all[])
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

static vv_status order(joined *j, const char *name)
{
    stretch *all;
    VV_TRY(vv_new(&all, (size_t)j->n, sizeof *all));
    vv_status status = put_in_order(j, name, all);
    free(all);
    VV_TRY(status);
    VV_TRY(vv_new(&j->first, (size_t)j->n + 1, sizeof *j->first));
    for (int i = 0; i < j->n; i++) j->first[i + 1] = j->first[i] + meta_at(j, i)->dim[dim_in(j, i, name)].length;
    return VV_OK;
}

/* --- variables --- */

static int axis_along(const vv_meta *m, const vv_variable *v, const char *name)
{
    for (int d = 0; d < v->shape.nd; d++)
        if (!strcmp(m->dim[v->dim[d]].name, name)) return d;
    return -1;
}

static vv_status check_shape(const joined *j, const member *m, int i)
{
    const vv_variable *a = variable_at(j, m, 0), *b = variable_at(j, m, i);
    bool same = a->shape.nd == b->shape.nd;
    for (int d = 0; d < a->shape.nd && same; d++)
        same = !strcmp(meta_at(j, 0)->dim[a->dim[d]].name, meta_at(j, i)->dim[b->dim[d]].name) &&
               (d == m->axis || a->shape.n[d] == b->shape.n[d]);
    if (same) return VV_OK;
    return vv_fail(VV_ERR_SHAPE, "variable '%s' has other dimensions in %s than in %s", a->name, j->file[i]->path,
                   j->file[0]->path);
}

static bool same_attr(const vv_attr *a, const vv_attr *b)
{
    if (!a || !b) return a == b;
    size_t size = a->type == VV_NONE ? 1 : (size_t)vv_dtype_size(a->type);
    return a->type == b->type && a->count == b->count && !memcmp(a->data, b->data, size * (size_t)a->count);
}

static vv_status check_units(const joined *j, member *m, int i)
{
    const vv_variable *v = variable_at(j, m, i);
    const char *a = vv_cf_text(meta_at(j, 0), m->var[0], "units"), *b = vv_cf_text(meta_at(j, i), m->var[i], "units");
    if (v->type == VV_NONE || same_text(a, b)) return VV_OK;
    if (a && b && vv_time_is_units(a) && vv_time_is_units(b)) {
        vv_time_axis from, to;
        m->times = m->decoded = true;
        if (axis_of(meta_at(j, 0), m->var[0], &to) != VV_OK)
            return vv_error_prefix("%s: '%s'", j->file[0]->path, v->name);
        if (axis_of(meta_at(j, i), m->var[i], &from) != VV_OK)
            return vv_error_prefix("%s: '%s'", j->file[i]->path, v->name);
        if (from.calendar == to.calendar) return VV_OK;
        return vv_fail(VV_ERR_SHAPE, "variable '%s' has the calendar %s in %s and %s in %s", v->name,
                       vv_calendar_name(to.calendar), j->file[0]->path, vv_calendar_name(from.calendar),
                       j->file[i]->path);
    }
    return vv_fail(VV_ERR_SHAPE, "variable '%s' has the units '%s' in %s and '%s' in %s", v->name, a ? a : "",
                   j->file[0]->path, b ? b : "", j->file[i]->path);
}

/* One line for the first file that differs in an attribute. */
static void compare_attr(const joined *j, const char *variable, const vv_attrs *a, int i, const char *name,
                         const vv_attr *b, bool *told)
{
    static const char *const weighty[] = {"standard_name", "cell_methods"};
    if (*told || !strcmp(name, "units") || same_attr(vv_attr_find(a, name), b)) return;
    vv_log_level level = VV_LOG_INFO;
    for (size_t k = 0; k < sizeof weighty / sizeof *weighty; k++)
        if (!strcmp(name, weighty[k])) level = VV_LOG_WARN;
    if (vv_cf_is_packing(name)) level = VV_LOG_INFO;
    vv_say(level, "%s%s%sattribute '%s' differs: that of %s is used, not that of %s", variable ? "variable '" : "",
           variable ? variable : "", variable ? "': " : "", name, j->file[0]->path, j->file[i]->path);
    *told = true;
}

/* Each attribute of the first file is told of once, for the first file that has another value of it; so is each that only others have. */
static vv_status compare_attrs(const joined *j, const member *m, const char *variable)
{
    const vv_attrs *a = m ? &variable_at(j, m, 0)->attrs : &meta_at(j, 0)->attrs;
    bool *told;
    VV_TRY(vv_new(&told, (size_t)a->n + 1, sizeof *told));
    for (int i = 1; i < j->n; i++) {
        const vv_attrs *b = m ? &variable_at(j, m, i)->attrs : &meta_at(j, i)->attrs;
        for (int k = 0; k < a->n; k++)
            compare_attr(j, variable, a, i, a->item[k].name, vv_attr_find(b, a->item[k].name), &told[k]);
        for (int k = 0; k < b->n; k++)
            if (!vv_attr_find(a, b->item[k].name))
                compare_attr(j, variable, a, i, b->item[k].name, &b->item[k], &told[a->n]);
    }
    free(told);
    return VV_OK;
}

static bool same_packing(const vv_variable *a, const vv_variable *b)
{
    if (a->type != b->type) return false;
    for (int k = 0; k < 2; k++) {
        const vv_variable *x = k ? b : a, *y = k ? a : b;
        for (int i = 0; i < x->attrs.n; i++)
            if (vv_cf_is_packing(x->attrs.item[i].name) && strcmp(x->attrs.item[i].name, "actual_range") != 0 &&
                !same_attr(&x->attrs.item[i], vv_attr_find(&y->attrs, x->attrs.item[i].name)))
                return false;
    }
    return true;
}

static void tell_of_storage(const joined *j, const vv_variable *a, const vv_variable *b, int i, bool *told)
{
    bool same = a->layout == b->layout && a->deflate == b->deflate && a->zstd == b->zstd && a->shuffle == b->shuffle;
    for (int d = 0; same && a->layout == VV_LAYOUT_CHUNKED && d < a->shape.nd; d++) same = a->chunk[d] == b->chunk[d];
    if (same || *told) return;
    vv_say(VV_LOG_INFO, "variable '%s': chunks or filters of %s are not those of %s", a->name, j->file[i]->path,
           j->file[0]->path);
    *told = true;
}

/* A variable that all files have, of all files: the joined variable gets its type and attributes. */
static vv_status settle_member(const joined *j, member *m, vv_variable *v)
{
    const vv_variable *a = variable_at(j, m, 0);
    vv_dtype type = VV_NONE, own;
    vv_decode decode;
    bool told = false, same_chunks = true;
    for (int i = 0; i < j->n; i++) {
        const vv_variable *b = variable_at(j, m, i);
        VV_TRY(check_shape(j, m, i));
        VV_TRY(check_units(j, m, i));
        if ((a->type == VV_NONE) != (b->type == VV_NONE) ||
            (a->type == VV_NONE && !same_text(a->type_text, b->type_text)))
            return vv_fail(VV_ERR_TYPE, "variable '%s' is of type %s in %s and %s in %s", a->name, a->type_text,
                           j->file[0]->path, b->type_text, j->file[i]->path);
        if (!same_packing(a, b)) m->decoded = true;
        tell_of_storage(j, a, b, i, &told);
        same_chunks = same_chunks && a->layout == b->layout && !memcmp(a->chunk, b->chunk, sizeof a->chunk);
        v->stored += b->stored;
    }
    VV_TRY(compare_attrs(j, m, a->name));
    VV_TRY(vv_attrs_copy(&v->attrs, &a->attrs));
    if (!same_chunks) v->layout = VV_LAYOUT_CONTIGUOUS;
    if (!m->decoded) return VV_OK;
    for (int i = 0; i < j->n; i++) {
        if (vv_cf_decode(variable_at(j, m, i), &decode, &own) != VV_OK) return vv_error_prefix("%s", j->file[i]->path);
        type = i ? vv_dtype_promote(type, own) : own;
    }
    v->type = m->times ? VV_F64 : type;
    free(v->type_text);
    v->type_text = NULL;
    for (int i = v->attrs.n - 1; i >= 0; i--)
        if (vv_cf_is_packing(v->attrs.item[i].name)) vv_attr_remove(&v->attrs, v->attrs.item[i].name);
    vv_dtype_store(v->type, v->fill, (double)NAN);
    return vv_strdup(&v->type_text, vv_dtype_name(v->type));
}

/* The joined variable as that of one file, without attributes yet. */
static vv_status add_variable(vv_meta *m, const vv_meta *from, const vv_variable *x, vv_variable **out)
{
    vv_variable *v;
    VV_TRY(vv_meta_add_var(m, x->name, x->type, &v));
    free(v->type_text);
    v->type_text = NULL;
    VV_TRY(vv_strdup(&v->type_text, x->type_text ? x->type_text : ""));
    v->shape.nd = x->shape.nd;
    for (int d = 0; d < x->shape.nd; d++) {
        int id = vv_meta_find_dim(m, from->dim[x->dim[d]].name);
        if (id < 0)
            VV_TRY(vv_meta_add_dim(m, from->dim[x->dim[d]].name, from->dim[x->dim[d]].length,
                                   from->dim[x->dim[d]].unlimited, &id));
        v = &m->var[m->n_vars - 1];
        v->dim[d] = id;
        v->shape.n[d] = m->dim[id].length;
    }
    vv_variable_store_like(v, x);
    v->fast = x->fast;
    if (x->why_not_fast) VV_TRY(vv_strdup(&v->why_not_fast, x->why_not_fast));
    *out = v;
    return VV_OK;
}

static vv_status new_member(joined *j, member **out)
{
    member *more = realloc(j->member, sizeof *more * (size_t)(j->n_members + 1));
    if (!more) return vv_fail(VV_ERR_NOMEM, "no memory for the variables of joined files");
    j->member = more;
    *out = &more[j->n_members++];
    **out = (member){.from = -1};
    return vv_new(&(*out)->var, (size_t)j->n, sizeof *(*out)->var);
}

/* The number of a variable in every file, or the first file that lacks it. */
static int find_everywhere(const joined *j, const char *name, const char *dim, int var[])
{
    for (int i = 0; i < j->n; i++) {
        const vv_meta *m = meta_at(j, i);
        var[i] = vv_meta_find_var(m, name);
        if (var[i] < 0 || axis_along(m, &m->var[var[i]], dim) < 0) return i;
    }
    return -1;
}

/* Variable `var` of file `from`, which is the first one that has it. */
static vv_status take_variable(joined *j, vv_meta *m, const char *dim, int from, int var)
{
    const vv_meta *source = meta_at(j, from);
    const vv_variable *x = &source->var[var];
    member *k = NULL;
    vv_variable *v;
    int axis = axis_along(source, x, dim);
    VV_TRY(new_member(j, &k));
    if (axis >= 0) {
        int without = find_everywhere(j, x->name, dim, k->var);
        if (without >= 0) {
            vv_say(VV_LOG_WARN, "variable '%s' of %s is left out: %s does not have it along '%s'", x->name,
                   j->file[from]->path, j->file[without]->path, dim);
            free(k->var);
            j->n_members--;
            return VV_OK;
        }
        k->along = true;
        k->axis = axis;
    } else {
        k->from = from;
        *k->var = var;
    }
    VV_TRY(add_variable(m, source, x, &v));
    if (k->along) return settle_member(j, k, v);
    v->stored = x->stored;
    return vv_attrs_copy(&v->attrs, &x->attrs);
}

static bool in_earlier(const joined *j, int file, const char *name)
{
    for (int i = 0; i < file; i++)
        if (vv_meta_find_var(meta_at(j, i), name) >= 0) return true;
    return false;
}

static vv_status fill_meta(joined *j, const char *dim, vv_meta *m)
{
    const vv_meta *first = meta_at(j, 0);
    VV_TRY(vv_strdup(&m->format, first->format ? first->format : ""));
    for (int d = 0; d < first->n_dims; d++) {
        bool along = !strcmp(first->dim[d].name, dim);
        if (along) j->dim = d;
        VV_TRY(vv_meta_add_dim(m, first->dim[d].name, along ? j->first[j->n] : first->dim[d].length,
                               first->dim[d].unlimited, NULL));
    }
    for (int i = 0; i < j->n; i++) {
        const vv_meta *source = meta_at(j, i);
        for (int var = 0; var < source->n_vars; var++) {
            bool known = i && vv_meta_find_var(m, source->var[var].name) >= 0;
            if (!known && !in_earlier(j, i, source->var[var].name)) VV_TRY(take_variable(j, m, dim, i, var));
        }
    }
    VV_TRY(compare_attrs(j, NULL, NULL));
    return vv_attrs_copy(&m->attrs, &first->attrs);
}

/* --- the dataset --- */

static vv_status new_joined(vv_dataset *const files[], int n, joined **out)
{
    VV_TRY(vv_new(out, 1, sizeof **out));
    (*out)->n = n;
    vv_status status = vv_new(&(*out)->file, (size_t)n, sizeof *(*out)->file);
    if (status == VV_OK) memcpy((*out)->file, files, (size_t)n * sizeof *files);
    if (status != VV_OK) joined_free(*out);
    return status;
}

static vv_status join(vv_dataset *d, vv_dataset *const files[], int n, const char *dim)
{
    joined *j;
    char *name = NULL;
    for (int i = 0; i < n; i++) VV_TRY(vv_dataset_status(files[i]));
    VV_TRY(vv_new(&d->file, 1, sizeof *d->file));
    d->file->format = &format;
    VV_TRY(vv_strdup(&d->file->path, d->path));
    VV_TRY(new_joined(files, n, &j));
    d->file->handle = j;
    VV_TRY(vv_meta_new(&d->file->meta));
    VV_TRY(vv_strdup(&d->file->meta->path, d->path));
    VV_TRY(choose_dim(j, dim));
    VV_TRY(vv_strdup(&name, meta_at(j, 0)->dim[j->dim].name));
    vv_status status = check_dim(j, name);
    if (status == VV_OK) status = order(j, name);
    if (status == VV_OK) status = fill_meta(j, name, d->file->meta);
    free(name);
    VV_TRY(status);
    VV_TRY(vv_new(&d->role, (size_t)d->file->meta->n_vars + 1, sizeof *d->role));
    vv_cf_roles(d->file->meta, d->role);
    d->n_files = n;
    return VV_OK;
}

vv_dataset *vv_dataset_join_in(vv_context *c, const char *name, vv_dataset *const files[], int n, const char *dim)
{
    vv_dataset *d = vv_dataset_new(c, name);
    if (d->status == VV_OK) vv_dataset_settle(d, join(d, files, n, dim));
    return d;
}

const char *vv_joined_file(const vv_dataset *d, int i)
{
    return ((const joined *)d->file->handle)->file[i]->path;
}

/* --- arrays --- */

/* The array's dimensions are those of the joined file. */
static void relabel(vv_array *a, vv_dataset *d, int var)
{
    const vv_variable *v = &d->file->meta->var[var];
    for (int k = 0; k < a->shape.nd; k++)
        a->coord[k] = (vv_coord){.from = d, .var = coordinate_of(d->file->meta, v->dim[k])};
}

static vv_status add_file(vv_array *a, const joined *j, const member *m, int i, bool decoded)
{
    vv_part p;
    vv_array *in = vv_node_open(j->file[i], m->var[i], decoded || m->decoded);
    vv_status status = vv_array_status(in);
    if (status == VV_OK) status = vv_node_input(a, in);
    vv_array *node = in; /* held by `a` now */
    vv_release(&in);
    VV_TRY(status);
    if (m->decoded) {
        node->dtype = a->dtype;
        node->decode.out = vv_working_type(a->dtype);
    }
    if (m->times) {
        vv_time_axis from, to;
        double scale, shift;
        VV_TRY(axis_of(meta_at(j, i), m->var[i], &from));
        VV_TRY(axis_of(meta_at(j, 0), m->var[0], &to));
        between(&from, &to, &scale, &shift);
        node->decode.scaled = true;
        node->decode.offset = node->decode.offset * scale + shift;
        node->decode.scale *= scale;
    }
    vv_part_same(&node->shape, &p);
    p.from = i;
    p.box.lo[m->axis] = j->first[i];
    return p.box.n[m->axis] ? vv_node_add_part(a, &p) : VV_OK;
}

static vv_status fill_along(vv_array *a, vv_dataset *d, int var, bool decoded)
{
    const joined *j = d->file->handle;
    const member *m = &j->member[var];
    const vv_variable *v = &d->file->meta->var[var];
    vv_decode decode;
    a->origin = d;
    a->var = var;
    a->fill = NAN;
    VV_TRY(vv_cf_decode(v, &decode, &a->dtype));
    if (!decoded) a->dtype = v->type;
    VV_TRY(vv_attrs_copy(&a->attrs, &v->attrs));
    for (int i = a->attrs.n - 1; decoded && i >= 0; i--)
        if (vv_cf_is_packing(a->attrs.item[i].name)) vv_attr_remove(&a->attrs, a->attrs.item[i].name);
    for (int k = 0; k < v->shape.nd; k++)
        VV_TRY(vv_node_set_dim(a, k, d->file->meta->dim[v->dim[k]].name, v->shape.n[k]));
    relabel(a, d, var);
    for (int i = 0; i < j->n; i++) VV_TRY(add_file(a, j, m, i, decoded));
    return VV_OK;
}

vv_array *vv_node_joined(vv_dataset *d, int var, bool decoded)
{
    const joined *j = d->file->handle;
    const member *m = &j->member[var];
    if (m->along) {
        vv_array *a = vv_node_new(d->context, VV_NODE_VIEW, d->file->meta->var[var].name);
        if (a->status != VV_OK) return a;
        vv_status status = fill_along(a, d, var, decoded);
        if (status != VV_OK) (void)vv_error_prefix("%s", d->path);
        return vv_node_settle(d->context, a, status);
    }
    vv_array *a = vv_node_open(j->file[m->from], *m->var, decoded);
    if (vv_array_status(a) == VV_OK) relabel(a, d, var);
    return a;
}

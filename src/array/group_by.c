/* Groups by the values of another array: basins, counties, land and sea. Labels are computed when the function is called, because without them it is not known which groups there are. */
#include "array/align.h"
#include "array/build.h"
#include "array/text.h"
#include "varve/move.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LABELS = 1 << 28, MOST_DIFFERENT = 1 << 20 };

typedef struct labelled {
    vv_index n;      /* elements */
    double *label;   /* of each, NaN: none */
    vv_index *group; /* of each */
    vv_index groups;
    double *value; /* of each group */
} labelled;

static void forget(labelled *l)
{
    free(l->label);
    free(l->group);
    free(l->value);
}

/* --- reading them --- */

static vv_status read_numbers(vv_array *a, labelled *l)
{
    if (!a->context->compute) return vv_fail(VV_ERR_UNSUPPORTED, "'%s' cannot be computed here", a->name);
    vv_array *real = vv_astype(a, VV_F64);
    vv_status status = vv_array_status(real);
    if (status == VV_OK && l->n > 0) status = a->context->compute(real, l->label, l->n * (vv_bytes)sizeof *l->label);
    vv_release(&real);
    return status;
}

static int variable_of(const vv_array *a)
{
    return a->origin && a->origin->file ? vv_meta_find_var(a->origin->file->meta, a->name) : -1;
}

/* Characters of each label, without blanks at its end, as strings. */
static vv_status number_words(const vv_array *a, const char *chars, int64_t number[], vv_index n)
{
    vv_index width = a->shape.n[a->shape.nd - 1];
    vv_buf text = {0};
    for (vv_index i = 0; i < n; i++) {
        const char *at = chars + i * width;
        size_t length = strnlen(at, (size_t)width);
        while (length > 0 && at[length - 1] == ' ') length--;
        vv_buf_bytes(&text, at, length);
        vv_buf_bytes(&text, "", 1);
    }
    vv_status status = vv_buf_status(&text);
    if (status == VV_OK) status = vv_texts_add(a->context, &text, n, number);
    vv_buf_free(&text);
    return status;
}

static vv_status read_words(vv_array *a, int64_t number[], vv_index n)
{
    char *chars;
    vv_bytes size = vv_shape_elements(&a->shape);
    if (!a->context->compute) return vv_fail(VV_ERR_UNSUPPORTED, "'%s' cannot be computed here", a->name);
    VV_TRY(vv_mem_get(&chars, size + 1, "labels"));
    vv_status status = a->context->compute(a, chars, size);
    if (status == VV_OK) status = number_words(a, chars, number, n);
    vv_mem_put(&chars);
    return status;
}

static vv_status read_strings(vv_array *a, labelled *l)
{
    const int64_t *known;
    int64_t *number;
    int var = variable_of(a);
    VV_TRY(vv_new(&number, (size_t)l->n + 1, sizeof *number));
    vv_status status = VV_OK;
    if (a->text == VV_TEXT_CHARS)
        status = read_words(a, number, l->n);
    else if (var < 0 || a->kind != VV_NODE_RANDOM)
        status = vv_fail(VV_ERR_UNSUPPORTED, "'%s': groups by strings are those of a variable of a file", a->name);
    else if ((status = vv_texts_of(a->origin, var, &known)) == VV_OK)
        memcpy(number, known, (size_t)l->n * sizeof *number);
    for (vv_index i = 0; status == VV_OK && i < l->n; i++) l->label[i] = (double)number[i];
    free(number);
    return status;
}

static vv_status read_labels(vv_array *a, labelled *l)
{
    int nd = a->shape.nd - (a->text == VV_TEXT_CHARS);
    l->n = 1;
    for (int d = 0; d < nd; d++) l->n = vv_times(l->n, a->shape.n[d]);
    if (l->n > MOST_LABELS) return vv_fail(VV_ERR_UNSUPPORTED, "'%s' has more than %d labels", a->name, MOST_LABELS);
    VV_TRY(vv_new(&l->label, (size_t)l->n + 1, sizeof *l->label));
    return a->text ? read_strings(a, l) : read_numbers(a, l);
}

/* --- which groups there are --- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static vv_status find_groups(const char *name, labelled *l)
{
    vv_index n = 0, different = 0;
    VV_TRY(vv_new(&l->value, (size_t)l->n + 1, sizeof *l->value));
    for (vv_index i = 0; i < l->n; i++)
        if (!isnan(l->label[i])) l->value[n++] = l->label[i];
    qsort(l->value, (size_t)n, sizeof *l->value, ascending);
    for (vv_index i = 0; i < n; i++)
        if (i == 0 || l->value[i] != l->value[different - 1]) l->value[different++] = l->value[i];
    l->groups = different;
    if (different == 0) return vv_fail(VV_ERR_SHAPE, "'%s' has no labels: all are missing", name);
    if (different > MOST_DIFFERENT)
        return vv_fail(VV_ERR_UNSUPPORTED, "'%s' has %lld different values: these are no labels of groups", name,
                       (long long)different);
    return VV_OK;
}

static vv_status number_groups(labelled *l)
{
    VV_TRY(vv_new(&l->group, (size_t)l->n + 1, sizeof *l->group));
    for (vv_index i = 0; i < l->n; i++) {
        const double *at =
            bsearch(&l->label[i], l->value, isnan(l->label[i]) ? 0 : (size_t)l->groups, sizeof *l->value, ascending);
        l->group[i] = at ? at - l->value : -1;
    }
    return VV_OK;
}

/* --- which elements they are of --- */

/* Names of dimensions: those of `a` that the labels have (or have not), in the order of `a`. */
static void list_dims(const vv_array *a, const vv_array *labels, bool have, vv_buf *b)
{
    for (int d = 0; d < a->shape.nd; d++)
        if ((vv_node_dim(labels, a->dim[d]) >= 0) == have) vv_buf_printf(b, b->size ? ",%s" : "%s", a->dim[d]);
}

static vv_array *in_order_of(vv_array *labels, const vv_array *a)
{
    vv_buf dims = {0};
    list_dims(a, labels, true, &dims);
    vv_array *out = vv_buf_status(&dims) == VV_OK ? vv_transpose(labels, dims.data) : vv_node_inert(a->context);
    vv_buf_free(&dims);
    return out;
}

/* Whether the dimensions of the labels follow each other, from number *first on. */
static bool together(const vv_array *a, const vv_array *labels, int *first)
{
    int n = 0, last = -1;
    for (int d = 0; d < a->shape.nd; d++) {
        if (vv_node_dim(labels, a->dim[d]) < 0) continue;
        if (n++ == 0)
            *first = d;
        else if (last != d - 1)
            return false;
        last = d;
    }
    return true;
}

static vv_array *put_together(vv_array *a, const vv_array *labels, int *first)
{
    vv_buf dims = {0};
    if (together(a, labels, first)) return vv_node_again(a);
    list_dims(a, labels, false, &dims);
    vv_buf behind = {0};
    list_dims(a, labels, true, &behind);
    vv_buf_printf(&dims, ",%s", behind.data ? behind.data : "");
    vv_array *out = vv_buf_status(&dims) == VV_OK ? vv_transpose(a, dims.data) : vv_node_inert(a->context);
    *first = a->shape.nd - labels->shape.nd;
    vv_buf_free(&dims);
    vv_buf_free(&behind);
    return out;
}

static vv_array *merged_dims(vv_array *a, int first, int n, vv_index length, const char *name)
{
    vv_buf dims = {0};
    for (int d = 0; d < a->shape.nd; d++) {
        if (d > first && d < first + n) continue;
        vv_buf_printf(&dims, "%s%s:%lld", d ? "," : "", d == first ? name : a->dim[d],
                      (long long)(d == first ? length : a->shape.n[d]));
    }
    vv_array *out = vv_buf_status(&dims) == VV_OK ? vv_reshape(a, dims.data) : vv_node_inert(a->context);
    vv_buf_free(&dims);
    return out;
}

static vv_status check_dims(const vv_array *a, const vv_array *labels, int nd)
{
    if (nd == 0) return vv_fail(VV_ERR_SHAPE, "'%s' is a single label, which makes no groups", labels->name);
    for (int d = 0; d < nd; d++) {
        int k = vv_node_dim(a, labels->dim[d]);
        if (k < 0)
            return vv_fail(VV_ERR_SHAPE, "'%s' has no dimension '%s', as the labels '%s' have", a->name, labels->dim[d],
                           labels->name);
        if (a->shape.n[k] != labels->shape.n[d])
            return vv_fail(VV_ERR_SHAPE, "'%s' has %lld elements along '%s', the labels '%s' have %lld", a->name,
                           (long long)a->shape.n[k], a->dim[k], labels->name, (long long)labels->shape.n[d]);
    }
    return VV_OK;
}

/* The groups' coordinate tells what the labels mean as their variable does: by its attributes, or strings. */
static void describe_groups(vv_array *grouped, const vv_array *labels)
{
    int var = labels->kind == VV_NODE_OPEN ? labels->var : variable_of(labels);
    if (grouped->status != VV_OK || var < 0 || !labels->origin) return;
    vv_coord *c = &grouped->group.coord;
    c->from = labels->origin;
    c->var = var;
    c->moved = true;
}

static vv_array *grouped(vv_array *a, vv_array *labels, const labelled *l, const char *merged)
{
    int first = 0, n = labels->shape.nd - (labels->text == VV_TEXT_CHARS);
    vv_array *x = put_together(a, labels, &first);
    if (x->status == VV_OK && n > 1) x = vv_node_then(x, merged_dims(x, first, n, l->n, merged));
    if (x->status != VV_OK) return x;
    vv_array *out = vv_group_labels(x, x->dim[first], l->group, l->n, l->groups, labels->name, l->value);
    describe_groups(out, labels);
    return vv_node_then(x, out);
}

vv_array *vv_group_by(vv_array *a, vv_array *labels, const char *merged)
{
    vv_array *both[] = {a, labels};
    if (vv_nodes_usable(both, 2) != VV_OK) return vv_node_inert(a->context ? a->context : labels->context);
    labelled l = {0};
    vv_array *same = labels->text ? vv_node_again(labels) : vv_align(labels, a);
    vv_status status = vv_array_status(same);
    int nd = same->shape.nd - (same->text == VV_TEXT_CHARS);
    if (status == VV_OK) status = check_dims(a, same, nd);
    vv_array *ordered = status == VV_OK && !same->text ? in_order_of(same, a) : vv_node_again(same);
    if (status == VV_OK) status = vv_array_status(ordered);
    if (status == VV_OK) status = read_labels(ordered, &l);
    if (status == VV_OK) status = find_groups(labels->name, &l);
    if (status == VV_OK) status = number_groups(&l);
    vv_array *out = status == VV_OK ? grouped(a, same->text ? same : labels, &l, merged) : vv_node_inert(a->context);
    vv_release(&same);
    vv_release(&ordered);
    forget(&l);
    return out;
}

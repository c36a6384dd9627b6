#include "array/build.h"
#include "array/text.h"

#include <stdlib.h>
#include <string.h>

/* Handed out when there is no memory even for an inert node; never counted or freed. */
static vv_failure no_memory = {.code = VV_ERR_NOMEM, .rank = -1, .text = "no memory for another array"};
static vv_array last_resort = {.status = VV_ERR_NOMEM, .error = &no_memory, .references = 1, .group = {.dim = -1}};

static void link_in(vv_context *c, vv_array *a)
{
    a->context = c;
    a->serial = ++c->made;
    a->next = c->arrays;
    a->link = &c->arrays;
    if (a->next) a->next->link = &a->next;
    c->arrays = a;
}

static void link_out(vv_array *a)
{
    *a->link = a->next;
    if (a->next) a->next->link = a->link;
}

/* Not linked any more. */
static void free_node(vv_array *a)
{
    if (a->kind == VV_NODE_HELD && a->context->forget) a->context->forget(a->context, a->held_number);
    for (int d = 0; d < a->shape.nd; d++) {
        free(a->dim[d]);
        if (a->coord) vv_coord_free(&a->coord[d]);
    }
    for (int i = 0; i < a->n_parts; i++) vv_part_free(&a->part[i]);
    for (int i = 0; i < a->attrs.n; i++) {
        free(a->attrs.item[i].name);
        free(a->attrs.item[i].data);
    }
    vv_table_free(&a->group.label);
    vv_coord_free(&a->group.coord);
    free(a->group.name);
    free(a->coord);
    free(a->part);
    free(a->input);
    free(a->call.weight);
    vv_red_spec_free(&a->spec);
    vv_values_free(&a->given_values);
    vv_user_free(&a->user);
    free(a->held_grid);
    free(a->attrs.item);
    free(a->error);
    free(a->name);
    free(a->pieces);
    free(a);
}

vv_array *vv_node_inert(vv_context *c)
{
    vv_failure now;
    vv_error_get(&now);
    vv_array *a = calloc(1, sizeof *a);
    vv_failure *e = malloc(sizeof *e);
    if (!a || !e || !c) {
        free(a);
        free(e);
        return &last_resort;
    }
    *e = now;
    a->references = a->handles = 1;
    a->group.dim = -1;
    a->status = now.code == VV_OK ? VV_ERR_INTERNAL : now.code;
    a->error = e;
    link_in(c, a);
    return a;
}

vv_array *vv_node_new(vv_context *c, vv_node_kind kind, const char *name)
{
    vv_array *a;
    if (vv_new(&a, 1, sizeof *a) != VV_OK) return vv_node_inert(c);
    a->references = a->handles = 1;
    a->kind = kind;
    a->group.dim = -1;
    link_in(c, a);
    if (vv_strdup(&a->name, name) != VV_OK) {
        link_out(a);
        free_node(a);
        return vv_node_inert(c);
    }
    return a;
}

vv_array *vv_node_held(const vv_array *a, int number, const vv_grid *grid)
{
    vv_array *h = vv_node_new(a->context, VV_NODE_HELD, a->name);
    if (h->status != VV_OK) return h;
    h->shape = a->shape;
    h->dtype = a->dtype;
    h->held_number = number;
    vv_node_take_over(h);
    if (vv_new(&h->held_grid, 1, sizeof *grid) != VV_OK) {
        vv_node_drop(&h);
        return vv_node_inert(a->context);
    }
    *h->held_grid = *grid;
    return h;
}

void vv_unpersist(vv_array *a)
{
    vv_node_drop(&a->held);
}

bool vv_array_persisted(const vv_array *a)
{
    return a->held != NULL;
}

static vv_status take_text(vv_array *a, const vv_array *in)
{
    static const char *const what[] = {"numbers", "characters", "strings"};
    bool moves = a->kind == VV_NODE_VIEW || a->kind == VV_NODE_RESHAPE || a->kind == VV_NODE_RECHUNK;
    if (in->text != VV_TEXT_NOT && !moves)
        return vv_fail(VV_ERR_TYPE, "'%s' holds %s, not numbers: they can be moved and saved, not computed with",
                       in->name, what[in->text]);
    if (a->n_inputs > 0 && a->text != in->text)
        return vv_fail(VV_ERR_TYPE, "'%s' holds %s, which do not go together with %s", in->name, what[in->text],
                       what[a->text]);
    a->text = in->text;
    return VV_OK;
}

vv_status vv_node_input(vv_array *a, vv_array *in)
{
    VV_TRY(take_text(a, in));
    VV_TRY(vv_grow(&a->input, a->n_inputs, sizeof *a->input, "parts of an array"));
    a->input[a->n_inputs++] = in;
    in->references++;
    return VV_OK;
}

vv_status vv_node_add_part(vv_array *a, vv_part *p)
{
    vv_status status = vv_grow(&a->part, a->n_parts, sizeof *a->part, "parts of an array");
    if (status != VV_OK) {
        vv_part_free(p);
        return status;
    }
    a->part[a->n_parts++] = *p;
    return VV_OK;
}

vv_status vv_node_set_dim(vv_array *a, int d, const char *name, vv_index length)
{
    if (d >= VV_MAX_DIMS) return vv_fail(VV_ERR_SHAPE, "'%s' would have more than %d dimensions", a->name, VV_MAX_DIMS);
    VV_TRY(vv_grow(&a->coord, d, sizeof *a->coord, "parts of an array"));
    a->coord[d] = (vv_coord){.var = -1};
    a->shape.nd = d + 1;
    a->shape.n[d] = length;
    return vv_strdup(&a->dim[d], name);
}

/* One reference less; a node without any moves to the list of those to free. */
static void let_go(vv_array *a, vv_array **dying)
{
    if (a == &last_resort || --a->references > 0) return;
    link_out(a);
    a->next = *dying;
    *dying = a;
}

/* Letting go of the last reference lets go of the inputs too. A list instead of recursion: chains may be long. */
static void drop(vv_array *a)
{
    vv_array *dying = NULL;
    let_go(a, &dying);
    while (dying) {
        vv_array *d = dying;
        dying = d->next;
        for (int i = 0; i < d->n_inputs; i++) let_go(d->input[i], &dying);
        if (d->held) let_go(d->held, &dying);
        if (d->columns) let_go(d->columns, &dying);
        free_node(d);
    }
}

vv_array *vv_node_again(vv_array *a)
{
    a->references++;
    a->handles++;
    return a;
}

void vv_node_take_over(vv_array *a)
{
    a->handles--;
}

void vv_node_drop(vv_array **a)
{
    if (*a) drop(*a);
    *a = NULL;
}

void vv_release(vv_array **a)
{
    if (*a) (*a)->handles--;
    vv_node_drop(a);
}

static bool listed(const vv_array *a, vv_array *const list[], int n)
{
    for (int i = 0; i < n; i++)
        if (list[i] == a) return true;
    return false;
}

static vv_array *newest_named(const vv_context *c, int64_t since, vv_array *const keep[], int n)
{
    vv_array *a = c->arrays;
    while (a && a->serial > since && (a->handles == 0 || listed(a, keep, n))) a = a->next;
    return a && a->serial > since ? a : NULL;
}

/* Letting go of one may free others, so every time the list is looked at anew: the newest stand first in it. */
void vv_context_release(vv_context *c, int64_t since, vv_array *const keep[], int n)
{
    for (vv_array *a; (a = newest_named(c, since, keep, n));) {
        for (int more = a->handles - 1; more > 0; more--) vv_release(&(vv_array *){a});
        vv_release(&a);
    }
}

static void dataset_free(vv_dataset *d)
{
    for (int v = 0; d->texts && v < d->file->meta->n_vars; v++) vv_mem_put(&d->texts[v]);
    free(d->texts);
    for (int v = 0; d->values && v < d->file->meta->n_vars; v++) vv_values_free(&d->values[v]);
    free(d->values);
    vv_file_close(&d->file);
    free(d->role);
    free(d->path);
    free(d->key);
    free(d);
}

void vv_context_free(vv_context *c)
{
    c->forget = NULL; /* all of them go */
    while (c->arrays) {
        vv_array *a = c->arrays;
        link_out(a);
        free_node(a);
    }
    while (c->datasets) {
        vv_dataset *d = c->datasets;
        c->datasets = d->next;
        dataset_free(d);
    }
    vv_texts_free(&c->texts);
}

vv_status vv_array_status(const vv_array *a)
{
    if (a->status != VV_OK) vv_error_set(a->error);
    return a->status;
}

const char *vv_array_name(const vv_array *a)
{
    return a->name ? a->name : "";
}

int vv_array_n_dims(const vv_array *a)
{
    return a->shape.nd;
}

const char *vv_array_dim(const vv_array *a, int d)
{
    return d >= 0 && d < a->shape.nd ? a->dim[d] : "";
}

vv_index vv_array_length(const vv_array *a, int d)
{
    return d >= 0 && d < a->shape.nd ? a->shape.n[d] : 0;
}

vv_dtype vv_array_dtype(const vv_array *a)
{
    return a->dtype;
}

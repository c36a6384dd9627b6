#include "array/node.h"

#include <stdlib.h>
#include <string.h>

/* Handed out when there is no memory even for an inert node; never counted or freed. */
static vv_failure no_memory = {.code = VV_ERR_NOMEM, .rank = -1, .text = "no memory for another array"};
static vv_array last_resort = {.status = VV_ERR_NOMEM, .error = &no_memory, .references = 1};

static void link_in(vv_context *c, vv_array *a)
{
    a->context = c;
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
    for (int d = 0; d < VV_MAX_DIMS; d++) free(a->dim[d]);
    for (int i = 0; i < a->attrs.n; i++) {
        free(a->attrs.item[i].name);
        free(a->attrs.item[i].data);
    }
    free(a->attrs.item);
    free(a->error);
    free(a->name);
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
    a->references = 1;
    a->status = now.code == VV_OK ? VV_ERR_INTERNAL : now.code;
    a->error = e;
    link_in(c, a);
    return a;
}

vv_array *vv_node_new(vv_context *c, vv_node_kind kind, const char *name)
{
    vv_array *a;
    if (vv_new(&a, 1, sizeof *a) != VV_OK) return vv_node_inert(c);
    a->references = 1;
    a->kind = kind;
    link_in(c, a);
    if (vv_strdup(&a->name, name) != VV_OK) {
        link_out(a);
        free_node(a);
        return vv_node_inert(c);
    }
    return a;
}

void vv_node_input(vv_array *a, vv_array *in)
{
    a->input[a->n_inputs++] = in;
    in->references++;
}

vv_status vv_node_set_dim(vv_array *a, int d, const char *name, vv_index length)
{
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
        free_node(d);
    }
}

void vv_release(vv_array **a)
{
    if (!*a) return;
    drop(*a);
    *a = NULL;
}

static void dataset_free(vv_dataset *d)
{
    vv_file_close(&d->file);
    free(d->role);
    free(d->path);
    free(d);
}

void vv_context_free(vv_context *c)
{
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

static void describe_chunks(const vv_array *a, vv_buf *b)
{
    if (a->kind != VV_NODE_OPEN) return;
    const vv_variable *v = &a->origin->file->meta->var[a->var];
    if (v->layout != VV_LAYOUT_CHUNKED) return;
    vv_buf_text(b, ", chunks ");
    for (int d = 0; d < v->shape.nd; d++) vv_buf_printf(b, d ? " x %lld" : "%lld", (long long)v->chunk[d]);
}

const char *vv_describe(const vv_array *a, char *out, size_t size)
{
    if (size == 0) return out;
    vv_buf b = {0};
    if (a->status != VV_OK) {
        vv_buf_printf(&b, "inert array: %s", a->error->text);
    } else {
        vv_buf_printf(&b, "%s (", a->name);
        for (int d = 0; d < a->shape.nd; d++)
            vv_buf_printf(&b, "%s%s: %lld", d ? ", " : "", a->dim[d], (long long)a->shape.n[d]);
        char bytes[32];
        vv_buf_printf(&b, ") %s", vv_dtype_name(a->dtype));
        describe_chunks(a, &b);
        vv_buf_printf(&b, ", %s",
                      vv_bytes_text(vv_times(vv_shape_elements(&a->shape), vv_dtype_size(a->dtype)), bytes));
    }
    strncpy(out, b.failed || !b.data ? "" : b.data, size - 1);
    out[size - 1] = 0;
    vv_buf_free(&b);
    return out;
}

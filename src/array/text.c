#include "array/text.h"

#include "array/build.h"
#include "array/joined/joined.h"

#include <stdlib.h>
#include <string.h>

/* --- strings that were met --- */

void vv_texts_free(vv_texts *t)
{
    for (int i = 0; i < t->n_blocks; i++) vv_mem_put(&t->block[i]);
    free(t->block);
    vv_mem_put(&t->at);
    vv_mem_put(&t->slot);
    *t = (vv_texts){0};
}

/* Where a string is among the slots, or the free one where it would be. */
static vv_index slot_of(const vv_texts *t, const char *text)
{
    vv_index i = (vv_index)(vv_hash(text, strlen(text)) % (uint64_t)t->n_slots);
    while (t->slot[i] && strcmp(t->at[t->slot[i] - 1], text) != 0) i = (i + 1) % t->n_slots;
    return i;
}

/* Room for so many more: at least half of the slots are free. */
static vv_status make_room(vv_texts *t, vv_index more)
{
    vv_index n_slots = 1024;
    const char **at;
    vv_index *slot;
    while (n_slots < 2 * (t->n + more)) n_slots *= 2;
    if (n_slots <= t->n_slots) return VV_OK;
    VV_TRY(vv_mem_get(&at, n_slots / 2 * (vv_bytes)sizeof *at, "strings"));
    vv_status status = vv_mem_get(&slot, n_slots * (vv_bytes)sizeof *slot, "strings");
    if (status != VV_OK) {
        vv_mem_put(&at);
        return status;
    }
    if (t->n > 0) memcpy(at, t->at, (size_t)t->n * sizeof *at);
    memset(slot, 0, (size_t)n_slots * sizeof *slot);
    vv_mem_put(&t->at);
    vv_mem_put(&t->slot);
    t->at = at;
    t->slot = slot;
    t->n_slots = n_slots;
    for (vv_index i = 0; i < t->n; i++) t->slot[slot_of(t, t->at[i])] = i + 1;
    return VV_OK;
}

/* `text` stays where it is. */
static int64_t number_of(vv_texts *t, const char *text)
{
    vv_index slot = slot_of(t, text);
    if (!t->slot[slot]) {
        t->at[t->n] = text;
        t->slot[slot] = ++t->n;
    }
    return t->slot[slot] - 1;
}

/* n strings, one behind the other, become the context's. */
static vv_status take_strings(vv_texts *t, const vv_buf *b, vv_index n, int64_t number[])
{
    char *copy;
    VV_TRY(vv_grow(&t->block, t->n_blocks, sizeof *t->block, "blocks of strings"));
    VV_TRY(make_room(t, n + 1));
    VV_TRY(vv_mem_get(&copy, (vv_bytes)b->size + 1, "strings"));
    t->block[t->n_blocks++] = copy;
    if (b->size > 0) memcpy(copy, b->data, b->size);
    copy[b->size] = 0;
    if (t->n == 0) number_of(t, copy + b->size);
    for (vv_index i = 0; i < n; i++) {
        number[i] = number_of(t, copy);
        copy += strlen(copy) + 1;
    }
    return VV_OK;
}

vv_status vv_texts_add(vv_context *c, const vv_buf *text, vv_index n, int64_t number[])
{
    return take_strings(&c->texts, text, n, number);
}

vv_status vv_text_at(const vv_context *c, int64_t number, const char **out)
{
    if (number < 0 || number >= c->texts.n)
        return vv_fail(VV_ERR_INTERNAL, "there is no string number %lld", (long long)number);
    *out = c->texts.at[number];
    return VV_OK;
}

int64_t vv_text_find(const vv_context *c, const char *text)
{
    return c->texts.n > 0 ? c->texts.slot[slot_of(&c->texts, text)] - 1 : -1;
}

vv_status vv_texts_look_up(const vv_context *c, const int64_t number[], vv_index n, const char *out[])
{
    for (vv_index i = 0; i < n; i++) VV_TRY(vv_text_at(c, number[i], &out[i]));
    return VV_OK;
}

/* --- those of a variable --- */

static vv_index terminators(const vv_buf *b)
{
    vv_index n = 0;
    for (const char *at = b->data, *end = at + b->size; at < end && (at = memchr(at, 0, (size_t)(end - at))); at++) n++;
    return n;
}

static vv_status read_strings(vv_dataset *d, int var, vv_index n, int64_t number[])
{
    vv_buf text = {0};
    vv_status status = d->file->format->text
                           ? d->file->format->text(d->file, var, &text)
                           : vv_fail(VV_ERR_INTERNAL, "the format %s has no strings", d->file->format->name);
    if (status == VV_OK && (terminators(&text) != n || (n > 0 && text.data[text.size - 1])))
        status = vv_fail(VV_ERR_CORRUPT, "%lld strings were expected, and others came", (long long)n);
    if (status == VV_OK) status = take_strings(&d->context->texts, &text, n, number);
    vv_buf_free(&text);
    return status;
}

static vv_status read_numbers(vv_dataset *d, int var, int64_t **out)
{
    const vv_variable *v = &d->file->meta->var[var];
    vv_index n = vv_shape_elements(&v->shape);
    vv_box whole = {.nd = v->shape.nd};
    memcpy(whole.n, v->shape.n, sizeof whole.n);
    if (n > VV_MOST_TEXT)
        return vv_fail(VV_ERR_UNSUPPORTED, "%lld strings are too many: %d are what can be carried", (long long)n,
                       VV_MOST_TEXT);
    VV_TRY(vv_mem_get(out, vv_times(n + 1, sizeof **out), "strings"));
    vv_status status = d->n_files > 1 ? d->file->format->read(d->file, var, &whole, *out) /* gives their numbers */
                                      : read_strings(d, var, n, *out);
    if (status != VV_OK) vv_mem_put(out);
    return status;
}

vv_status vv_texts_of(vv_dataset *d, int var, const int64_t **out)
{
    const vv_meta *m = d->file->meta;
    if (!d->texts) VV_TRY(vv_new(&d->texts, (size_t)m->n_vars + 1, sizeof *d->texts));
    if (!d->texts[var] && read_numbers(d, var, &d->texts[var]) != VV_OK)
        return vv_error_prefix("%s: variable '%s'", d->path, m->var[var].name);
    *out = d->texts[var];
    return VV_OK;
}

/* --- arrays --- */

static vv_status fill_text(vv_array *a, vv_dataset *d, int var)
{
    const vv_variable *v = &d->file->meta->var[var];
    const int64_t *numbers;
    a->origin = d;
    a->var = var;
    if (a->kind == VV_NODE_OPEN) {
        a->text = VV_TEXT_CHARS;
        a->dtype = VV_U8;
        a->decode = (vv_decode){.stored = VV_U8, .out = vv_working_type(VV_U8), .scale = 1};
    } else {
        a->text = VV_TEXT_STRINGS;
        a->dtype = VV_I64;
        VV_TRY(vv_texts_of(d, var, &numbers));
        a->given = numbers;
    }
    VV_TRY(vv_attrs_copy(&a->attrs, &v->attrs));
    return vv_node_stored_dims(a, v);
}

vv_array *vv_node_text(vv_dataset *d, int var)
{
    const vv_variable *v = &d->file->meta->var[var];
    bool strings = vv_variable_is(v, VV_STRINGS);
    if (!strings && !vv_variable_is(v, VV_CHARS)) {
        (void)vv_fail(VV_ERR_TYPE, "%s: variable '%s' holds %s, neither numbers nor text", d->path, v->name,
                      v->type_text ? v->type_text : "nothing that is known");
        return vv_node_inert(d->context);
    }
    vv_array *a = vv_node_new(d->context, strings ? VV_NODE_RANDOM : VV_NODE_OPEN, v->name);
    return a->status == VV_OK ? vv_node_settle(d->context, a, fill_text(a, d, var)) : a;
}

static vv_array *listed_strings(vv_context *c, const char *dim, const vv_buf *text, vv_index n)
{
    int64_t *number;
    if (vv_new(&number, (size_t)n + 1, sizeof *number) != VV_OK) return vv_node_inert(c);
    vv_array *a = vv_texts_add(c, text, n, number) == VV_OK ? vv_node_listed(c, dim, n, number, VV_I64, VV_I64)
                                                            : vv_node_inert(c);
    if (a->status == VV_OK) a->text = VV_TEXT_STRINGS;
    free(number);
    return a;
}

vv_array *vv_node_strings(vv_context *c, const char *dim, const char *const text[], vv_index n)
{
    vv_buf b = {0};
    for (vv_index i = 0; i < n; i++) vv_buf_bytes(&b, text[i], strlen(text[i]) + 1);
    vv_array *a = vv_buf_status(&b) == VV_OK ? listed_strings(c, dim, &b, n) : vv_node_inert(c);
    vv_buf_free(&b);
    return a;
}

/* --- coordinates --- */

bool vv_coord_is_text(const vv_coord *c)
{
    return c->from && c->var >= 0 && c->from->file->meta->var[c->var].type == VV_NONE;
}

#include "plan/lower/graph.h"

#include <stdlib.h>
#include <string.h>

/* Room for the longest way down in a program, and how many steps may lie upon each other in one go. */
enum { DEEP = VV_PROGRAM_MAX - 16, HIGH = 16 };

/* --- equal computations --- */

bool vv_same_decode(const vv_decode *a, const vv_decode *b)
{
    return a->out == b->out && a->scaled == b->scaled && a->n_missing == b->n_missing &&
           vv_same_bits(a->scale, b->scale) && vv_same_bits(a->offset, b->offset);
}

static bool same_table(const vv_table *a, const vv_table *b)
{
    return a == b || (a && b && a->n == b->n && !memcmp(a->at, b->at, sizeof a->at[0] * (size_t)a->n));
}

bool vv_same_grouping(const vv_grouping *a, const vv_grouping *b)
{
    bool grouped = a->label && a->dim >= 0;
    if (grouped != (b->label && b->dim >= 0)) return false;
    return !grouped || (a->dim == b->dim && a->n == b->n && same_table(a->label, b->label));
}

static bool same_lengths(const vv_index a[], const vv_index b[], int nd)
{
    return !memcmp(a, b, sizeof a[0] * (size_t)nd);
}

static bool same_open(const vv_array *a, const vv_array *b)
{
    return a->origin->file == b->origin->file && a->var == b->var && vv_same_decode(&a->decode, &b->decode);
}

/* The same buffer, or the same numbers in two of the arrays' own. */
static bool same_given(const vv_array *a, const vv_array *b)
{
    const vv_values *p = a->given_values, *q = b->given_values;
    if (a->given == b->given) return true;
    return p && q && p->n == q->n && !memcmp(p->at, q->at, (size_t)(p->n * vv_dtype_size(a->dtype)));
}

static bool same_random(const vv_array *a, const vv_array *b)
{
    return same_given(a, b) && a->random.kind == b->random.kind && a->random.seed == b->random.seed &&
           vv_same_bits(a->random.a, b->random.a) && vv_same_bits(a->random.b, b->random.b) &&
           same_lengths(a->chunk, b->chunk, a->shape.nd);
}

/* The parts' `from` are numbers of inputs, which were found equal before. */
static bool same_view(const vv_array *a, const vv_array *b)
{
    bool same = a->n_parts == b->n_parts && vv_same_bits(a->fill, b->fill);
    for (int i = 0; same && i < a->n_parts; i++) same = vv_part_equal(&a->part[i], &b->part[i]);
    return same;
}

static bool same_reduce(const vv_array *a, const vv_array *b)
{
    return a->reduction == b->reduction && !memcmp(a->reduced, b->reduced, sizeof a->reduced) &&
           a->options.keep_nan == b->options.keep_nan && a->options.keep_dims == b->options.keep_dims &&
           vv_same_bits(a->options.ddof, b->options.ddof) && vv_same_bits(a->options.least, b->options.least) &&
           vv_same_grouping(&a->group, &b->group) && vv_red_spec_equal(a->spec, b->spec);
}

static bool same_block(const vv_array *a, const vv_array *b)
{
    const vv_block_call *p = &a->call, *q = &b->call;
    return p->op == q->op && same_lengths(p->before, q->before, VV_MAX_DIMS) &&
           same_lengths(p->after, q->after, VV_MAX_DIMS) && p->min_count == q->min_count && p->ddof == q->ddof &&
           p->keep_nan == q->keep_nan && p->axis == q->axis && p->length == q->length && p->how == q->how &&
           p->groups == q->groups && p->extent == q->extent && p->first == q->first && p->points == q->points &&
           vv_same_bits(p->scale, q->scale) && !memcmp(p->along, q->along, sizeof p->along) &&
           p->n_weights == q->n_weights &&
           (p->n_weights == 0 || !memcmp(p->weight, q->weight, sizeof p->weight[0] * (size_t)p->n_weights));
}

static bool same_product(const vv_array *a, const vv_array *b)
{
    for (int k = 0; k < 2; k++)
        for (int d = 0; d < a->input[k]->shape.nd; d++)
            if (a->work_dim[k][d] != b->work_dim[k][d]) return false;
    return a->n_summed == b->n_summed;
}

static bool same_tile(const vv_array *a, const vv_array *b)
{
    const vv_tile_call *p = &a->tile, *q = &b->tile;
    return p->op == q->op && p->first == q->first && p->from == q->from && same_lengths(p->cut, q->cut, VV_MAX_DIMS) &&
           same_lengths(p->extent, q->extent, VV_MAX_DIMS);
}

static bool same_node(const vv_array *a, const vv_array *b)
{
    switch (a->kind) {
    case VV_NODE_SCALAR:
        return a->whole == b->whole && a->dtype == b->dtype && vv_same_bits(a->scalar, b->scalar) &&
               vv_same_bits(a->imaginary, b->imaginary);
    case VV_NODE_OPEN: return same_open(a, b);
    case VV_NODE_RANDOM: return same_random(a, b);
    case VV_NODE_MAP: return a->op == b->op;
    case VV_NODE_VIEW: return same_view(a, b);
    case VV_NODE_REDUCE: return same_reduce(a, b);
    case VV_NODE_BLOCK: return same_block(a, b);
    case VV_NODE_TILE: return same_tile(a, b);
    case VV_NODE_PRODUCT: return same_product(a, b);
    case VV_NODE_RECHUNK: return same_lengths(a->chunk, b->chunk, a->shape.nd);
    case VV_NODE_USER: return vv_user_equal(a->user, b->user);
    case VV_NODE_RESHAPE: return true; /* of the same input in the same shape */
    case VV_NODE_HELD: return a->held_number == b->held_number;
    }
    return false;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
    return (h ^ v) * 0x9e3779b97f4a7c15u ^ h >> 29;
}

static uint64_t hash_node(const vv_array *a, const int input[])
{
    uint64_t h = mix((uint64_t)a->kind, (uint64_t)a->dtype), bits;
    for (int i = 0; i < a->n_inputs; i++) h = mix(h, (uint64_t)input[i]);
    for (int d = 0; d < a->shape.nd; d++) h = mix(h, (uint64_t)a->shape.n[d]);
    memcpy(&bits, &a->scalar, sizeof bits);
    h = mix(h, a->kind == VV_NODE_SCALAR ? bits : 0);
    h = mix(h, (uint64_t)(uintptr_t)a->op);
    if (a->kind == VV_NODE_OPEN) h = mix(mix(h, (uint64_t)(uintptr_t)a->origin->file), (uint64_t)a->var);
    if (a->kind == VV_NODE_RANDOM) h = mix(h, a->random.seed);
    for (int i = 0; i < a->n_parts; i++)
        for (int d = 0; d < a->part[i].nd; d++) h = mix(h, (uint64_t)a->part[i].start[d]);
    return h;
}

/* --- by address --- */

static int slot_of(const vv_dag *g, const vv_array *a)
{
    int i = (int)(mix(1, (uint64_t)(uintptr_t)a) >> 20 & (uint64_t)(g->n_slots - 1));
    while (g->slot[i].array && g->slot[i].array != a) i = (i + 1) & (g->n_slots - 1);
    return i;
}

int vv_dag_find(const vv_dag *g, const vv_array *a)
{
    const vv_dag_entry *e = g->n_slots ? &g->slot[slot_of(g, a)] : NULL;
    return e && e->array ? e->number : -1;
}

static vv_status remember(vv_dag *g, const vv_array *a, int number)
{
    if (2 * (g->n_entries + 1) > g->n_slots) {
        vv_dag more = {.n_slots = g->n_slots ? 2 * g->n_slots : 64};
        VV_TRY(vv_new(&more.slot, (size_t)more.n_slots, sizeof *more.slot));
        for (int i = 0; i < g->n_slots; i++)
            if (g->slot[i].array) more.slot[slot_of(&more, g->slot[i].array)] = g->slot[i];
        free(g->slot);
        g->slot = more.slot;
        g->n_slots = more.n_slots;
    }
    g->slot[slot_of(g, a)] = (vv_dag_entry){a, number};
    g->n_entries++;
    return VV_OK;
}

/* --- by structure --- */

static int find_equal(const vv_dag *g, const vv_array *a, const int input[], uint64_t hash)
{
    for (int i = g->n_buckets ? g->bucket[hash & (uint64_t)(g->n_buckets - 1)] : -1; i >= 0; i = g->node[i].next) {
        const vv_array *b = g->node[i].array;
        if (g->node[i].hash == hash && b->kind == a->kind && b->dtype == a->dtype && b->n_inputs == a->n_inputs &&
            vv_shape_equal(&a->shape, &b->shape) &&
            (a->n_inputs == 0 || !memcmp(g->node[i].input, input, sizeof input[0] * (size_t)a->n_inputs)) &&
            same_node(a, b))
            return i;
    }
    return -1;
}

/* Twice as many nodes and buckets. */
static vv_status grow(vv_dag *g)
{
    int n = g->n_buckets ? 2 * g->n_buckets : 64, *bucket;
    vv_dag_node *more = realloc(g->node, sizeof *more * (size_t)n);
    if (!more) return vv_fail(VV_ERR_NOMEM, "no memory to plan %d arrays", n);
    g->node = more;
    VV_TRY(vv_new(&bucket, (size_t)n, sizeof *bucket));
    memset(bucket, 0xff, sizeof *bucket * (size_t)n);
    free(g->bucket);
    g->bucket = bucket;
    g->n_buckets = n;
    for (int i = 0; i < g->n; i++) {
        int *head = &bucket[more[i].hash & (uint64_t)(n - 1)];
        more[i].next = *head;
        *head = i;
    }
    return VV_OK;
}

/* A view that shows its only input as it is: grouping an array makes one. */
static bool shows_all(const vv_array *a)
{
    if (a->kind != VV_NODE_VIEW || a->n_parts != 1 || a->n_inputs != 1 || a->dtype != a->input[0]->dtype) return false;
    vv_part same;
    vv_part_same(&a->input[0]->shape, &same);
    return vv_shape_equal(&a->shape, &a->input[0]->shape) && vv_part_equal(&a->part[0], &same);
}

/* Whether lanes in one piece are more than their operation can take. */
static bool too_long(const vv_array *a)
{
    vv_index n = 1;
    for (int d = 0; d < a->input[0]->shape.nd; d++)
        if (a->call.along[d]) n = vv_times(n, a->input[0]->shape.n[d]);
    return !vv_block_ops[a->call.op].fits(&a->call, n);
}

/* The node that an array is in this graph. */
static vv_array *node_of(const vv_dag *g, vv_array *a)
{
    if (a->held && !g->behind) return a->held;
    return a->columns && (g->columns || too_long(a)) ? a->columns : a;
}

/* A node whose inputs have their numbers gets its own. */
static vv_status number_node(vv_dag *g, vv_array *array)
{
    int *input;
    vv_array *a = node_of(g, array);
    if (shows_all(a)) return remember(g, array, vv_dag_find(g, a->input[0]));
    VV_TRY(vv_new(&input, (size_t)a->n_inputs + 1, sizeof *input));
    for (int i = 0; i < a->n_inputs; i++) input[i] = vv_dag_find(g, a->input[i]);
    uint64_t hash = hash_node(a, input);
    int equal = find_equal(g, a, input, hash);
    vv_status status = equal < 0 && g->n == g->n_buckets ? grow(g) : VV_OK;
    if (equal >= 0 || status != VV_OK) {
        free(input);
        return status == VV_OK ? remember(g, array, equal) : status;
    }
    int *head = &g->bucket[hash & (uint64_t)(g->n_buckets - 1)];
    g->node[g->n] = (vv_dag_node){.array = a, .input = input, .hash = hash, .next = *head};
    *head = g->n;
    return remember(g, array, g->n++);
}

typedef struct visit {
    vv_array *array;
    int next;
} visit;

typedef struct stack {
    int n;
    visit *at;
} stack;

static vv_status push(stack *s, vv_array *a)
{
    VV_TRY(vv_grow(&s->at, s->n, sizeof *s->at, "arrays in a chain"));
    s->at[s->n++] = (visit){a, 0};
    return VV_OK;
}

static vv_status walk(vv_dag *g, stack *s, vv_array *root)
{
    VV_TRY(push(s, root));
    while (s->n) {
        visit *v = &s->at[s->n - 1];
        if (v->next == 0 && vv_dag_find(g, v->array) >= 0) {
            s->n--;
        } else if (v->next < node_of(g, v->array)->n_inputs) {
            VV_TRY(push(s, node_of(g, v->array)->input[v->next++]));
        } else {
            VV_TRY(number_node(g, v->array));
            s->n--;
        }
    }
    return VV_OK;
}

/* --- what becomes a step --- */

int vv_dag_weight(const vv_array *a)
{
    if (a->kind != VV_NODE_MAP) return 1;
    vv_dtype type = vv_working_type(vv_node_operand_type(a->op, a->input, a->n_inputs));
    int weight = a->op->condition ? 3 : 1;
    for (int i = 0; i < a->n_inputs; i++)
        weight += a->input[i]->kind == VV_NODE_SCALAR || vv_working_type(a->input[i]->dtype) != type;
    return vv_op_cast(a->op, type) != type ? weight + a->n_inputs : weight;
}

static bool own_step(const vv_dag *g, int i)
{
    return vv_dag_barrier(g, i) || g->node[i].cut;
}

/* Cuts below a node what would make the way down through it too long. */
static void measure(vv_dag *g, int i)
{
    vv_dag_node *n = &g->node[i];
    int weight = vv_dag_weight(n->array);
    for (int k = 0; k < n->array->n_inputs; k++) {
        vv_dag_node *in = &g->node[n->input[k]];
        if (in->depth + weight > DEEP) in->cut = true;
        bool step = own_step(g, n->input[k]);
        if (!step && in->depth > n->depth) n->depth = in->depth;
        if (in->level + step > n->level) n->level = in->level + step;
    }
    n->depth = vv_dag_barrier(g, i) ? 0 : n->depth + weight;
    n->early = n->level > 0 && n->level % HIGH == 0 && vv_dag_barrier(g, i);
}

static void spread_uses(vv_dag *g, int i)
{
    const vv_dag_node *n = &g->node[i];
    int uses = own_step(g, i) ? 1 : n->uses;
    for (int k = 0; k < n->array->n_inputs; k++) {
        int *below = &g->node[n->input[k]].uses;
        *below = *below + uses < 2 ? *below + uses : 2;
    }
}

vv_status vv_dag_build(vv_array *const roots[], int n, bool behind, bool columns, vv_dag *out)
{
    *out = (vv_dag){.behind = behind, .columns = columns};
    stack s = {0};
    vv_status status = VV_OK;
    for (int i = 0; i < n && status == VV_OK; i++) status = walk(out, &s, roots[i]);
    free(s.at);
    if (status != VV_OK) {
        vv_dag_free(out);
        return status;
    }
    for (int i = 0; i < out->n; i++) measure(out, i);
    for (int i = 0; i < out->n; i++)
        if (out->node[i].cut && out->node[i].level % HIGH == 0 && out->node[i].level > 0) out->node[i].early = true;
    for (int i = 0; i < n; i++) out->node[vv_dag_find(out, roots[i])].uses++;
    for (int i = out->n - 1; i >= 0; i--) spread_uses(out, i);
    return VV_OK;
}

void vv_dag_free(vv_dag *g)
{
    for (int i = 0; i < g->n; i++) free(g->node[i].input);
    free(g->node);
    free(g->bucket);
    free(g->slot);
    *g = (vv_dag){0};
}

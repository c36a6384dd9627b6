/* Elementwise expressions: one program over the inputs of a step.
 *
 * An expression is laid out as a list of values, operands before what uses them. A value is a node seen through a view, so that
 * x[1:] - x[:-1] of an expression x computes x at both places instead of storing it. What is shared runs once. A program has room for so many instructions and
 * inputs; when an expression has more, its largest part that fits becomes a step of its own, until the rest fits too. */
#include "plan/lower/build.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 256 };

typedef enum value_kind { INPUT, NUMBER, OPERATION, CAST } value_kind;

typedef struct value {
    value_kind kind;
    int node, view;
    vv_dtype type;  /* CAST */
    int operand[3]; /* values; -1: a number, taken from the node's input. INPUT: operand[0] is its number */
    int reg;
    int next; /* of the same bucket */
} value;

typedef struct expression {
    vv_builder *b;
    vv_hint *hint;
    int n_roots, root[VV_RED_VALUES];
    int n_views, n, n_inputs, output[VV_RED_VALUES];
    vv_view *view; /* 0: of the root */
    value *value;
    vv_input *input;
    int bucket[BUCKETS];
} expression;

static void forget(expression *x)
{
    for (int i = 1; i < x->n_views; i++) vv_view_free(&x->view[i]);
    for (int i = 0; i < x->n_inputs; i++) vv_input_free(&x->input[i]);
    free(x->value);
    free(x->input);
    x->value = NULL;
    x->input = NULL;
    x->n = x->n_inputs = 0;
    x->n_views = 1;
    memset(x->bucket, 0xff, sizeof x->bucket);
}

/* Takes the view over. */
static vv_status intern(expression *x, vv_view *v, int *out)
{
    for (*out = 0; *out < x->n_views; (*out)++)
        if (vv_view_equal(&x->view[*out], v)) {
            vv_view_free(v);
            return VV_OK;
        }
    vv_status status = vv_grow(&x->view, x->n_views, sizeof *x->view, "operations of an expression");
    if (status != VV_OK)
        vv_view_free(v);
    else
        x->view[x->n_views++] = *v;
    return status;
}

static int *bucket_of(expression *x, int node, int view)
{
    return &x->bucket[((unsigned)node * 31 + (unsigned)view * 7) % BUCKETS];
}

static int find(expression *x, int node, int view)
{
    int i = *bucket_of(x, node, view);
    while (i >= 0 && (x->value[i].node != node || x->value[i].view != view)) i = x->value[i].next;
    return i;
}

static vv_status add_value(expression *x, value v, int *out)
{
    VV_TRY(vv_grow(&x->value, x->n, sizeof *x->value, "operations of an expression"));
    int *head = bucket_of(x, v.node, v.view);
    v.next = *head;
    *head = *out = x->n;
    x->value[x->n++] = v;
    return VV_OK;
}

/* --- laying out --- */

/* What the step is there to make: nobody else does, so it must not become a step for that. */
static bool is_root(const expression *x, int node, int view)
{
    for (int i = 0; view == 0 && i < x->n_roots; i++)
        if (x->root[i] == node) return true;
    return false;
}

static vv_status add_input(expression *x, int node, int view, int *out)
{
    vv_input in;
    int k = 0;
    VV_TRY(vv_lower_input(x->b, node, &x->view[view], x->b->graph.node[node].array->dtype, is_root(x, node, view),
                          x->hint, &in));
    while (k < x->n_inputs && !vv_input_equal(&x->input[k], &in)) k++;
    if (k < x->n_inputs) {
        vv_input_free(&in);
    } else {
        vv_status status = vv_grow(&x->input, x->n_inputs, sizeof in, "operations of an expression");
        if (status != VV_OK) {
            vv_input_free(&in);
            return status;
        }
        x->input[x->n_inputs++] = in;
    }
    return add_value(x, (value){.kind = INPUT, .node = node, .view = view, .operand = {k}}, out);
}

static vv_status lay_out(expression *x, int node, int view, int *out);

static vv_status add_operation(expression *x, int node, int view, int *out)
{
    const vv_dag_node *g = &x->b->graph.node[node];
    value v = {.kind = OPERATION, .node = node, .view = view};
    for (int i = 0; i < g->array->n_inputs; i++) {
        v.operand[i] = -1;
        if (g->array->input[i]->kind != VV_NODE_SCALAR) VV_TRY(lay_out(x, g->input[i], view, &v.operand[i]));
    }
    return add_value(x, v, out);
}

/* The only array that a view shows, at once; *done is false when the view is an input instead. */
static vv_status pass_through(expression *x, int node, int view, int *out, bool *done)
{
    const vv_dag *graph = &x->b->graph;
    vv_view below;
    int child;
    VV_TRY(vv_view_through(x->b, node, &x->view[view], &below, &child, done));
    if (!*done) return VV_OK;
    vv_dtype type = vv_working_type(graph->node[node].array->dtype);
    bool cast = child >= 0 && vv_working_type(graph->node[child].array->dtype) != type;
    *done = child >= 0 && (!cast || below.full);
    if (!*done) {
        vv_view_free(&below);
        return VV_OK;
    }
    int seen, value_below;
    VV_TRY(intern(x, &below, &seen));
    VV_TRY(lay_out(x, child, seen, &value_below));
    *out = value_below;
    if (!cast) return VV_OK;
    return add_value(x, (value){.kind = CAST, .node = node, .view = view, .type = type, .operand = {value_below}}, out);
}

static vv_status lay_out(expression *x, int node, int view, int *out)
{
    const vv_dag_node *g = &x->b->graph.node[node];
    bool open = !g->cut || is_root(x, node, view), done;
    *out = find(x, node, view);
    if (*out >= 0) return VV_OK;
    if (g->array->kind == VV_NODE_SCALAR && x->view[view].full)
        return add_value(x, (value){.kind = NUMBER, .node = node, .view = view}, out);
    if (g->array->kind == VV_NODE_MAP && open && x->view[view].full) return add_operation(x, node, view, out);
    if (g->array->kind == VV_NODE_RECHUNK && open) {
        vv_hint_through(g->array, &x->view[view], x->hint);
        for (int i = 0; view == 0 && i < x->n_roots; i++)
            if (x->root[i] == node) x->root[i] = g->input[0];
        return lay_out(x, g->input[0], view, out);
    }
    if (g->array->kind == VV_NODE_VIEW && open) {
        VV_TRY(pass_through(x, node, view, out, &done));
        if (done) return VV_OK;
    }
    return add_input(x, node, view, out);
}

/* --- when it is too large --- */

typedef struct size {
    int instructions, inputs;
} size;

static int weight(const expression *x, const value *v)
{
    if (v->kind == OPERATION) return vv_dag_weight(x->b->graph.node[v->node].array);
    return v->kind == INPUT ? 0 : 1;
}

/* Of what is marked with all that is below it. */
static size measure_marked(const expression *x, char mark[])
{
    size s = {0};
    for (int i = x->n - 1; i >= 0; i--) {
        const value *v = &x->value[i];
        if (!mark[i]) continue;
        s.instructions += weight(x, v);
        s.inputs += v->kind == INPUT;
        for (int k = 0; v->kind != INPUT && v->kind != NUMBER && k < (v->kind == CAST ? 1 : 3); k++)
            if (v->operand[k] >= 0 && (v->kind == CAST || k < x->b->graph.node[v->node].array->n_inputs))
                mark[v->operand[k]] = 1;
    }
    return s;
}

/* Of value i with all that is below it; mark[] is scratch for n values. */
static size measure(const expression *x, int i, char mark[])
{
    memset(mark, 0, (size_t)x->n);
    mark[i] = 1;
    return measure_marked(x, mark);
}

/* Of all that is to be made together. */
static size measure_all(const expression *x, char mark[])
{
    memset(mark, 0, (size_t)x->n);
    for (int i = 0; i < x->n_roots; i++) mark[x->output[i]] = 1;
    return measure_marked(x, mark);
}

static bool fits(size s)
{
    return s.instructions <= VV_PROGRAM_MAX - 2 && s.inputs <= VV_PROGRAM_INPUTS;
}

/* Down from the root, always into the larger half, until what is left fits: that becomes a step. */
static vv_status cut_off(expression *x)
{
    char *mark;
    VV_TRY(vv_new(&mark, (size_t)x->n, 1));
    int top = 0;
    for (int k = 1; k < x->n_roots; k++)
        if (measure(x, x->output[k], mark).instructions > measure(x, x->output[top], mark).instructions) top = k;
    int i = x->output[top];
    do {
        const value *v = &x->value[i];
        int largest = -1, most = -1, n = v->kind == CAST ? 1 : x->b->graph.node[v->node].array->n_inputs;
        for (int k = 0; k < n; k++) {
            if (v->operand[k] < 0 || x->value[v->operand[k]].kind == INPUT) continue;
            size s = measure(x, v->operand[k], mark);
            if (s.instructions + 8 * s.inputs <= most) continue;
            most = s.instructions + 8 * s.inputs;
            largest = v->operand[k];
        }
        if (largest < 0) break;
        i = largest;
    } while (x->value[i].kind != OPERATION || !fits(measure(x, i, mark)));
    free(mark);
    if (i == x->output[top] || x->value[i].kind != OPERATION)
        return vv_fail(VV_ERR_UNSUPPORTED, "an expression of more than %d operations", VV_PROGRAM_MAX);
    x->b->graph.node[x->value[i].node].cut = true;
    return VV_OK;
}

static vv_status lay_out_all(expression *x, const int nodes[])
{
    for (;;) {
        memcpy(x->root, nodes, sizeof *nodes * (size_t)x->n_roots);
        for (int i = 0; i < x->n_roots; i++) VV_TRY(lay_out(x, nodes[i], 0, &x->output[i]));
        char *mark;
        VV_TRY(vv_new(&mark, (size_t)x->n, 1));
        size s = measure_all(x, mark);
        free(mark);
        s.inputs = x->n_inputs;
        if (fits(s)) return VV_OK;
        VV_TRY(cut_off(x));
        forget(x);
    }
}

/* --- the program --- */

static vv_c128 number_of(const vv_array *scalar)
{
    return (vv_c128){scalar->scalar, scalar->imaginary};
}

static vv_status compile_operation(expression *x, value *v, vv_program *p)
{
    const vv_array *a = x->b->graph.node[v->node].array;
    int reg[3] = {0};
    /* Working types alone would promote i64 with u8 to f64, and f32 with i8 too. */
    vv_dtype type = vv_working_type(vv_node_operand_type(a->op, a->input, a->n_inputs));
    for (int i = 0; i < a->n_inputs; i++) {
        if (v->operand[i] < 0) {
            VV_TRY(vv_program_complex(p, type, number_of(a->input[i]), &reg[i]));
            continue;
        }
        reg[i] = x->value[v->operand[i]].reg;
        if (i > 0 || !a->op->condition) VV_TRY(vv_program_cast(p, type, reg[i], &reg[i]));
    }
    return vv_program_op(p, a->op, reg, &v->reg);
}

static vv_status compile(expression *x, const vv_dtype as[], vv_program *p, int output[])
{
    int reg;
    for (int i = 0; i < x->n_inputs; i++) VV_TRY(vv_program_input(p, vv_working_type(x->input[i].type), &reg));
    for (int i = 0; i < x->n; i++) {
        value *v = &x->value[i];
        if (v->kind == INPUT)
            v->reg = v->operand[0];
        else if (v->kind == NUMBER)
            VV_TRY(vv_program_complex(p, x->b->graph.node[v->node].array->dtype,
                                      number_of(x->b->graph.node[v->node].array), &v->reg));
        else if (v->kind == CAST)
            VV_TRY(vv_program_cast(p, v->type, x->value[v->operand[0]].reg, &v->reg));
        else
            VV_TRY(compile_operation(x, v, p));
    }
    for (int i = 0; i < x->n_roots; i++) {
        output[i] = x->value[x->output[i]].reg;
        if (as[i] != VV_NONE) VV_TRY(vv_program_cast(p, vv_working_type(as[i]), output[i], &output[i]));
    }
    vv_program_set_output(p, output[0]);
    for (int i = 1; i < x->n_roots; i++) VV_TRY(vv_program_add_output(p, output[i]));
    return VV_OK;
}

vv_status vv_lower_expression(vv_builder *b, int n, const int nodes[], const vv_view *v, const vv_dtype as[],
                              vv_hint *hint, int *n_inputs, vv_input **input, vv_program **program, int value[])
{
    expression *x;
    VV_TRY(vv_new(&x, 1, sizeof *x));
    *x = (expression){.b = b, .hint = hint, .n_views = 1, .n_roots = n};
    *program = NULL;
    forget(x);
    vv_status status = vv_new(&x->view, 1, sizeof *x->view);
    if (status == VV_OK) x->view[0] = *v; /* borrowed */
    if (status == VV_OK) status = lay_out_all(x, nodes);
    if (status == VV_OK && x->n_inputs == 0)
        status = vv_fail(VV_ERR_UNSUPPORTED, "'%s' depends on no stored variable", b->graph.node[*nodes].array->name);
    if (status == VV_OK) status = vv_new(program, 1, sizeof **program);
    if (status == VV_OK) status = compile(x, as, *program, value);
    if (status == VV_OK) {
        *n_inputs = x->n_inputs;
        *input = x->input;
        x->input = NULL;
        x->n_inputs = 0;
    } else {
        free(*program);
        *program = NULL;
    }
    forget(x);
    free(x->view);
    free(x);
    return status;
}

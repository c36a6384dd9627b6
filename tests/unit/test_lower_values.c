/* Plans mean what their arrays mean: random graphs of views, operations, reductions, groups, windows and products are lowered, the plan is carried out naively, and
 * every element is compared with what the arrays themselves say. On the way: a chunk that is read directly lies in one stored chunk, and no
 * stored chunk is wanted by two chunks of a step.
 * timeout: 300 */
#include "lower_text.h"

#include <math.h>

/* A whole array of numbers. */
typedef struct block {
    vv_shape shape;
    double *at;
} block;

static block new_block(const vv_shape *shape, double fill)
{
    block b = {.shape = *shape};
    vv_index n = vv_shape_elements(shape);
    b.at = malloc(sizeof(double) * (size_t)(n + 1));
    assert_non_null(b.at);
    for (vv_index i = 0; i < n; i++) b.at[i] = fill;
    return b;
}

static vv_index offset(const vv_shape *shape, const vv_index at[])
{
    vv_index o = 0;
    for (int d = 0; d < shape->nd; d++) {
        assert_true(at[d] >= 0 && at[d] < shape->n[d]);
        o = o * shape->n[d] + at[d];
    }
    return o;
}

/* Copies what a part covers; seen[] counts, when given. */
static void put_elements(const vv_part *p, const block *from, block *to, char *seen)
{
    vv_index at[VV_MAX_DIMS] = {0}, here[VV_MAX_DIMS], there[VV_MAX_DIMS];
    if (vv_box_elements(&p->box) == 0) return;
    assert_int_equal(p->nd, from->shape.nd);
    do {
        bool any = true;
        for (int d = 0; d < p->box.nd; d++) here[d] = p->box.lo[d] + at[d];
        for (int d = 0; d < p->nd; d++) {
            there[d] = vv_part_index(p, d, p->dim[d] < 0 ? 0 : here[p->dim[d]]);
            if (d == p->table_dim && there[d] < 0) any = false;
        }
        vv_index o = offset(&to->shape, here);
        if (any && seen) assert_int_equal(seen[o]++, 0);
        if (any) to->at[o] = from->at[offset(&from->shape, there)];
    } while (vv_odometer(p->box.nd, p->box.n, at));
}

/* --- operations, the same for arrays and for plans --- */

static void run_program(const vv_program *p, int reg, int n_inputs, const block in[], block *out)
{
    char *workspace = malloc((size_t)vv_program_workspace(p) + 64);
    vv_index n = vv_shape_elements(&out->shape);
    for (vv_index i = 0; i < n; i += VV_TILE) {
        const void *from[VV_PROGRAM_INPUTS];
        vv_index some = vv_imin(VV_TILE, n - i);
        for (int k = 0; k < n_inputs; k++) from[k] = in[k].at + i;
        (void)vv_program_run(p, some, from, workspace);
        memcpy(out->at + i, vv_program_values(p, reg, from, workspace), sizeof(double) * (size_t)some);
    }
    free(workspace);
}

static void fold(const vv_red *red, double x, double *state, vv_index *n)
{
    if (red->skip && isnan(x)) return;
    bool most = !strcmp(red->kind->name, "max");
    *state = *n == 0 ? x : most ? fmax(*state, x) : *state + x;
    ++*n;
}

/* label: by index along dimension `group`, -1 for no grouping. */
static void run_reduce(const vv_red *red, const block *in, const bool reduced[], int group, const vv_table *label,
                       block *out)
{
    vv_index at[VV_MAX_DIMS] = {0}, cell[VV_MAX_DIMS], cells = vv_shape_elements(&out->shape);
    vv_index *n = calloc((size_t)cells + 1, sizeof *n);
    vv_index i = 0;
    do {
        int k = 0;
        bool any = true;
        for (int d = 0; d < in->shape.nd; d++) {
            if (d == group) {
                cell[k++] = label->at[at[d]];
                any = label->at[at[d]] >= 0;
            } else if (!reduced[d]) {
                cell[k++] = at[d];
            }
        }
        vv_shape flat = out->shape;
        flat.nd = k;
        if (out->shape.nd != k) { /* kept with length 1 */
            flat.nd = 0;
            for (int d = 0; d < in->shape.nd; d++)
                if (d == group || !reduced[d]) flat.n[flat.nd++] = out->shape.n[d];
        }
        if (any) {
            vv_index o = offset(&flat, cell);
            fold(red, in->at[i], &out->at[o], &n[o]);
        }
        i++;
    } while (vv_odometer(in->shape.nd, in->shape.n, at));
    for (vv_index c = 0; c < cells; c++) {
        if (n[c] == 0) out->at[c] = !strcmp(red->kind->name, "sum") ? 0 : NAN;
        if (!strcmp(red->kind->name, "mean") && n[c]) out->at[c] /= (double)n[c];
    }
    free(n);
}

/* The block with its surroundings, which are missing. */
static void run_block(const vv_block_call *call, const block *in, block *out)
{
    const vv_block_op *op = &vv_block_ops[call->op];
    vv_shape wide = in->shape;
    vv_part same;
    vv_part_same(&in->shape, &same);
    for (int d = 0; d < wide.nd; d++) {
        wide.n[d] += call->before[d] + call->after[d];
        same.box.lo[d] = call->before[d];
    }
    block padded = new_block(&wide, NAN);
    put_elements(&same, in, &padded, NULL);
    void *workspace =
        aligned_alloc(64, ((size_t)op->workspace(call, VV_F64, wide.nd, wide.n, out->shape.n) + 127) / 64 * 64);
    op->run(call, VV_F64, wide.nd, wide.n, out->shape.n, padded.at, out->at, workspace);
    free(workspace);
    free(padded.at);
}

/* An input's element for one of the work space. */
static double element(const vv_input *in, block *const from[], const vv_index at[])
{
    for (int i = 0; i < in->n_parts; i++) {
        const vv_part *p = &in->part[i];
        vv_index there[VV_MAX_DIMS];
        bool within = true;
        for (int d = 0; d < p->box.nd; d++)
            within = within && at[d] >= p->box.lo[d] && at[d] < p->box.lo[d] + p->box.n[d];
        for (int d = 0; d < p->nd && within; d++) {
            there[d] = vv_part_index(p, d, p->dim[d] < 0 ? 0 : at[p->dim[d]]);
            if (d == p->table_dim && there[d] < 0) within = false;
        }
        const block *b = &from[p->from][p->result];
        if (within) return b->at[offset(&b->shape, there)];
    }
    return in->fill;
}

/* out[i.., j..] = sum over k of a * b, in the space (i.., j.., k). */
static void run_product(const vv_shape *work, const vv_input in[], block *const from[], block *out)
{
    vv_index at[VV_MAX_DIMS] = {0};
    do {
        out->at[offset(&out->shape, at)] += element(&in[0], from, at) * element(&in[1], from, at);
    } while (vv_odometer(work->nd, work->n, at));
}

/* --- what arrays say --- */

enum { MOST = 64 };
static const vv_array *known[MOST];
static block value[MOST];
static int n_known;

static const block *evaluate(const vv_array *a);

static void evaluate_map(const vv_array *a, block *out)
{
    vv_program *p = calloc(1, sizeof *p);
    block in[3];
    int reg[3], result;
    for (int i = 0; i < a->n_inputs; i++) must(vv_program_input(p, VV_F64, &reg[i]));
    must(vv_program_op(p, a->op, reg, &result));
    for (int i = 0; i < a->n_inputs; i++) {
        bool number = a->input[i]->kind == VV_NODE_SCALAR;
        in[i] = number ? new_block(&a->shape, a->input[i]->scalar) : *evaluate(a->input[i]);
    }
    run_program(p, result, a->n_inputs, in, out);
    for (int i = 0; i < a->n_inputs; i++)
        if (a->input[i]->kind == VV_NODE_SCALAR) free(in[i].at);
    free(p);
}

static void evaluate_product(const vv_array *a, block *out)
{
    vv_part part[2];
    vv_input in[2] = {{.n_parts = 1, .part = &part[0]}, {.n_parts = 1, .part = &part[1]}};
    block factor[2], *from[2] = {&factor[0], &factor[1]};
    vv_shape work = a->shape;
    for (int k = 0; k < 2; k++)
        for (int d = 0; d < a->input[k]->shape.nd; d++) work.n[a->work_dim[k][d]] = a->input[k]->shape.n[d];
    work.nd += a->n_summed;
    for (int k = 0; k < 2; k++) {
        factor[k] = *evaluate(a->input[k]);
        vv_part_same(&a->input[k]->shape, &part[k]);
        part[k].from = k;
        for (int d = 0; d < part[k].nd; d++) part[k].dim[d] = a->work_dim[k][d];
        part[k].box = (vv_box){.nd = work.nd};
        memcpy(part[k].box.n, work.n, sizeof work.n);
    }
    memset(out->at, 0, sizeof(double) * (size_t)vv_shape_elements(&out->shape));
    run_product(&work, in, from, out);
}

static void evaluate_reduce(const vv_array *a, block *out)
{
    vv_red red = {.kind = a->reduction, .in = VV_F64, .skip = !a->options.keep_nan};
    bool grouped = a->group.label && a->group.dim >= 0;
    run_reduce(&red, evaluate(a->input[0]), a->reduced, grouped ? a->group.dim : -1, a->group.label, out);
}

static const block *evaluate(const vv_array *a)
{
    for (int i = 0; i < n_known; i++)
        if (known[i] == a) return &value[i];
    block out = new_block(&a->shape, a->fill);
    vv_box whole = {.nd = a->shape.nd};
    memcpy(whole.n, a->shape.n, sizeof whole.n);
    if (a->kind == VV_NODE_OPEN)
        must(a->origin->file->format->read(a->origin->file, a->var, &whole, out.at));
    else if (a->kind == VV_NODE_MAP)
        evaluate_map(a, &out);
    else if (a->kind == VV_NODE_REDUCE)
        evaluate_reduce(a, &out);
    else if (a->kind == VV_NODE_BLOCK)
        run_block(&a->call, evaluate(a->input[0]), &out);
    else if (a->kind == VV_NODE_PRODUCT)
        evaluate_product(a, &out);
    else if (a->kind == VV_NODE_RECHUNK)
        memcpy(out.at, evaluate(a->input[0])->at, sizeof(double) * (size_t)vv_shape_elements(&a->shape));
    else
        for (int i = 0; i < a->n_parts; i++) put_elements(&a->part[i], evaluate(a->input[a->part[i].from]), &out, NULL);
    assert_in_range(n_known, 0, MOST - 1);
    known[n_known] = a;
    value[n_known] = out;
    return &value[n_known++];
}

/* --- what plans say --- */

static block *result[512]; /* by step: its results */

static block gather_input(const vv_step *s, const vv_input *in)
{
    block b = new_block(&s->work.shape, in->fill);
    char *seen = calloc((size_t)vv_shape_elements(&s->work.shape) + 1, 1);
    for (int i = 0; i < in->n_parts; i++)
        put_elements(&in->part[i], &result[in->part[i].from][in->part[i].result], &b, seen);
    free(seen);
    return b;
}

static void run_read(const vv_plan *p, int i)
{
    const vv_origin *o = &lowering.origin[p->step[i].source];
    const vv_shape *shape = &p->step[i].grid.shape;
    vv_box whole = {.nd = shape->nd};
    memcpy(whole.n, shape->n, sizeof whole.n);
    result[i][0] = new_block(shape, 0);
    must(o->file->format->read(o->file, o->var, &whole, result[i][0].at));
}

static void run_compute(const vv_step *s, block out[])
{
    block in[VV_PROGRAM_INPUTS], values = new_block(&s->work.shape, 0);
    for (int k = 0; k < s->n_inputs && !s->product; k++) in[k] = gather_input(s, &s->input[k]);
    for (int r = 0; r < s->n_results; r++) out[r] = new_block(&s->grid.shape, 0);
    if (s->product) {
        run_product(&s->work.shape, s->input, result, &out[0]);
    } else if (s->block) {
        run_block(&s->call, &in[0], &out[0]);
    } else {
        for (int r = 0; r < s->n_results; r++) {
            run_program(s->program, s->result[r].value, s->n_inputs, in, s->op == VV_STEP_MAP ? &out[r] : &values);
            if (s->op == VV_STEP_REDUCE)
                run_reduce(&s->result[r].red, &values, s->reduced, s->groups.dim, s->groups.label, &out[r]);
        }
    }
    for (int k = 0; k < s->n_inputs && !s->product; k++) free(in[k].at);
    free(values.at);
}

static void run_plan(const vv_plan *p)
{
    assert_in_range(p->n_steps, 1, 511);
    for (int i = 0; i < p->n_steps; i++) {
        result[i] = calloc(VV_MAX_RESULTS, sizeof *result[i]);
        if (p->step[i].op == VV_STEP_READ) run_read(p, i);
        if (vv_step_computes(&p->step[i])) run_compute(&p->step[i], result[i]);
    }
}

static void forget_plan(const vv_plan *p)
{
    for (int i = 0; i < p->n_steps; i++) {
        for (int r = 0; r < VV_MAX_RESULTS; r++) free(result[i][r].at);
        free(result[i]);
    }
}

/* --- accesses --- */

/* Stored chunks that one chunk of the work wants through a part are marked with its number. */
static void mark_chunks(const vv_step *s, const vv_part *part, const vv_grid *grid, vv_index chunk, vv_index mark[],
                        bool one)
{
    vv_box box, source;
    vv_index at[VV_MAX_DIMS] = {0}, n[VV_MAX_DIMS], coords[VV_MAX_DIMS];
    vv_grid_box(&s->work, chunk, &box);
    if (!vv_part_source(part, &box, &source)) return;
    for (int d = 0; d < source.nd; d++) {
        n[d] = vv_grid_at(grid, d, source.lo[d] + source.n[d] - 1) - vv_grid_at(grid, d, source.lo[d]) + 1;
        if (one) assert_int_equal(n[d], 1);
    }
    do {
        for (int d = 0; d < source.nd; d++) coords[d] = vv_grid_at(grid, d, source.lo[d]) + at[d];
        vv_index number = vv_grid_number(grid, coords);
        assert_true(mark[number] < 0 || mark[number] == chunk);
        mark[number] = chunk;
    } while (vv_odometer(source.nd, n, at));
}

static void check_access(const vv_plan *p, const vv_step *s, const vv_input *in)
{
    for (int i = 0; i < in->n_parts && (in->access == VV_ACCESS_CHUNK || in->access == VV_ACCESS_BOX); i++) {
        const vv_source *source = vv_part_stored(p, &in->part[i]);
        const vv_grid *grid = &p->step[in->part[i].from].grid;
        if (!source->chunked || vv_shape_elements(&grid->shape) <= 1 << 20) continue;
        vv_index n = vv_grid_chunks(grid), *mark = malloc(sizeof *mark * (size_t)n);
        for (vv_index k = 0; k < n; k++) mark[k] = -1;
        for (vv_index c = 0; c < vv_grid_chunks(&s->work); c++)
            mark_chunks(s, &in->part[i], grid, c, mark, in->access == VV_ACCESS_CHUNK);
        free(mark);
    }
}

/* --- random graphs --- */

static uint64_t seed;

static vv_index draw(vv_index n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (vv_index)((seed >> 33) % (uint64_t)n);
}

static vv_array *pool[MOST];
static int n_pool;

static const char *some_dim(const vv_array *a)
{
    return a->shape.nd ? a->dim[draw(a->shape.nd)] : "t";
}

static vv_array *slice_of(vv_array *a)
{
    const char *dim = some_dim(a);
    vv_index step = (vv_index[]){1, 1, 1, 2, -1, -3}[draw(6)];
    return vv_slice(a, dim, step < 0 ? VV_BEGIN : draw(20), step < 0 ? draw(10) : -1 - draw(20), step);
}

static vv_array *pad_of(vv_array *a)
{
    static const char *const how[] = {"constant", "nan", "edge", "wrap", "reflect"};
    return vv_pad(a, some_dim(a), draw(4), draw(4), how[draw(5)], (double)draw(2));
}

static vv_array *take_of(vv_array *a)
{
    vv_index at[30];
    for (int i = 0; i < 30; i++) at[i] = draw(8);
    return vv_take(a, some_dim(a), at, 1 + draw(30));
}

static vv_array *anomaly_of(vv_array *a)
{
    vv_index label[512];
    if (a->shape.nd == 0 || a->shape.n[0] > 512) return a;
    for (vv_index i = 0; i < a->shape.n[0]; i++) label[i] = draw(20) ? i / 7 % 5 : -1;
    vv_array *g = vv_group_labels(a, a->dim[0], label, a->shape.n[0], 5, "five", NULL);
    return vv_sub(g, vv_mean(g, a->dim[0]));
}

static vv_array *reduce_of(vv_array *a)
{
    static const char *const how[] = {"sum", "mean", "max"};
    vv_reduce_options o = {.keep_dims = draw(4) == 0};
    return vv_reduce(a, how[draw(3)], some_dim(a), &o);
}

static vv_array *rechunk_of(vv_array *a)
{
    char text[64];
    snprintf(text, sizeof text, "%s:%d", some_dim(a), 1 + (int)draw(60));
    return vv_rechunk(a, text);
}

static vv_array *product_of(vv_array *a, vv_array *b)
{
    if (a->shape.nd != 2 || b->shape.nd != 2) return a;
    return vv_matmul(a, vv_rename(vv_transpose(b, NULL), b->dim[0], "other"), b->dim[1]);
}

static vv_array *grow(void)
{
    vv_array *a = pool[draw(2) ? n_pool - 1 - draw(vv_imin(4, n_pool)) : draw(n_pool)], *b = pool[draw(n_pool)];
    switch (draw(16)) {
    case 0: return vv_add(a, b);
    case 1: return vv_sub(a, vv_node_scalar(&context, 0.5));
    case 2: return vv_mul(b, a);
    case 3:
    case 4: return slice_of(a);
    case 5: return pad_of(a);
    case 6: return vv_roll(a, some_dim(a), draw(50));
    case 7: return vv_transpose(a, NULL);
    case 8: return take_of(a);
    case 9: return vv_node_concat(&context, (vv_array *[]){a, b}, 2, some_dim(a));
    case 10: return reduce_of(a);
    case 11: return anomaly_of(a);
    case 12: return rechunk_of(a);
    case 13: return vv_rolling(a, some_dim(a), 1 + draw(5), "mean", 1, draw(2));
    case 14: return vv_cumulative(a, "max", some_dim(a));
    default: return product_of(a, b);
    }
}

static bool large(const vv_array *a)
{
    return vv_shape_elements(&a->shape) > 500000 || vv_shape_elements(&a->shape) == 0;
}

static void make_pool(int n)
{
    n_pool = 0;
    pool[n_pool++] = stored("a?shape=t:132,y:40,x:36&chunk=20,20,18&dtype=f64");
    pool[n_pool++] = stored("b?shape=t:132,y:40,x:36&chunk=7,40,36&dtype=f64");
    pool[n_pool++] = stored("c?shape=t:132,y:40,x:36&dtype=f64");
    pool[n_pool++] = open_as("d?shape=y:40,x:36&chunk=12,12&dtype=f64", false);
    for (int tries = 0; n_pool < n && tries < 100; tries++) {
        vv_array *a = grow();
        if (a->status == VV_OK && !large(a)) pool[n_pool++] = a;
    }
}

static void compare(const vv_array *a, const vv_step *deliver)
{
    const block *want = evaluate(a), *have = &result[deliver->from][deliver->result_of];
    vv_index n = vv_shape_elements(&a->shape);
    assert_int_equal(n, vv_shape_elements(&have->shape));
    for (vv_index i = 0; i < n; i++) {
        double x = want->at[i], y = have->at[i];
        if (!(isnan(x) && isnan(y)) && !(fabs(x - y) <= 1e-9 * (1 + fabs(x))))
            fail_msg("seed %llu: element %lld is %g, not %g", (unsigned long long)seed, (long long)i, y, x);
    }
}

static void test_random_graphs(void **state)
{
    (void)state;
    const char *slow = getenv("VARVE_TEST_SLOW");
    int graphs = slow && atoi(slow) > 1 ? 30 : 100;
    for (int g = 0; g < graphs; g++) {
        seed = 1000 + (uint64_t)g;
        make_pool(5 + (int)draw(14));
        vv_array *wanted[] = {pool[n_pool - 1], pool[n_pool - 1 - draw(2)], pool[n_pool - 1 - draw(n_pool)]};
        must(try_lower_to(3, wanted, 2, -1, draw(2)));
        const vv_plan *p = lowering.plan;
        for (int i = 0; i < p->n_steps; i++)
            for (int k = 0; vv_step_computes(&p->step[i]) && k < p->step[i].n_inputs; k++)
                check_access(p, &p->step[i], &p->step[i].input[k]);
        run_plan(p);
        for (int i = 0; i < 3; i++) compare(wanted[i], &p->step[target[i].step]);
        forget_plan(p);
        while (n_known > 0) free(value[--n_known].at);
        vv_lowering_free(&lowering);
        vv_context_free(&context);
        context = (vv_context){0};
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_random_graphs, fresh, done)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

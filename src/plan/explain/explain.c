#include "plan/explain/explain.h"

#include <stdio.h>
#include <string.h>

const char *const vv_step_op_name[] = {"read", "map", "reduce", "write", "gather", "keep"};
const char *const vv_access_name[VV_ACCESSES] = {"stream", "chunk", "box", "push"};

void vv_explain_dims(vv_buf *b, const vv_grid *g, bool chunks)
{
    vv_buf_text(b, "[");
    for (int d = 0; d < g->shape.nd; d++)
        vv_buf_printf(b, d ? ", %lld" : "%lld",
                      (long long)(chunks ? vv_imin(g->chunk[d], vv_imax(1, g->shape.n[d])) : g->shape.n[d]));
    vv_buf_text(b, "]");
}

const char *vv_seconds_text(double s, char out[32])
{
    static const struct {
        double below, unit;
        const char *format;
    } scale[] = {{1e-3, 1e-6, "%.0f us"}, {1, 1e-3, "%.0f ms"}, {100, 1, "%.2f s"}, {6000, 60, "%.1f min"}};
    for (size_t i = 0; i < sizeof scale / sizeof *scale; i++)
        if (s < scale[i].below) {
            snprintf(out, 32, scale[i].format, s / scale[i].unit);
            return out;
        }
    snprintf(out, 32, "%.1f h", s / 3600);
    return out;
}

double vv_explain_amplification(const vv_step_cost *c)
{
    return c->wanted > 0 ? (double)c->read / (double)c->wanted : 1;
}

/* --- index maps in words --- */

static bool has_halo(const vv_step *s, const vv_input *in)
{
    for (int d = 0; d < s->work.shape.nd; d++)
        if (in->before[d] || in->after[d]) return true;
    return false;
}

static bool broadcasts(const vv_step *s, const vv_part *part)
{
    for (int d = 0; d < s->work.shape.nd; d++)
        if (s->work.shape.n[d] > 1 && !vv_part_follows(part, d)) return true;
    return false;
}

static bool permutes(const vv_part *part)
{
    int last = -1;
    for (int d = 0; d < part->nd; d++) {
        if (part->dim[d] >= 0 && part->dim[d] < last) return true;
        last = part->dim[d] >= 0 ? part->dim[d] : last;
    }
    return false;
}

/* Other elements, or cut into other chunks, than the array has. */
static bool is_region(const vv_plan *p, const vv_step *s, const vv_input *in)
{
    const vv_part *part = &in->part[0];
    const vv_grid *from = &p->step[part->from].grid;
    if (in->n_parts != 1) return true;
    for (int d = 0; d < part->nd; d++) {
        int w = part->dim[d];
        if (d == part->table_dim) continue;
        if (w < 0) {
            if (from->shape.n[d] > 1) return true;
            continue;
        }
        bool whole = vv_grid_count(from, d) == 1 && vv_grid_count(&s->work, w) == 1;
        if (part->stride[d] != 1 || part->box.n[w] != from->shape.n[d]) return true;
        if (!whole && (from->chunk[d] != s->work.chunk[w] || from->shift[d] != s->work.shift[w]) &&
            in->access != VV_ACCESS_STREAM)
            return true;
    }
    return false;
}

void vv_explain_map(const vv_plan *p, const vv_step *s, int input, vv_buf *out)
{
    const vv_input *in = &s->input[input];
    if (in->n_parts == 0) {
        vv_buf_text(out, "nothing");
        return;
    }
    const struct {
        bool holds;
        const char *word;
    } words[] = {
        {in->lookup, "lookup"},
        {!in->lookup && in->part[0].table_dim >= 0, "table"},
        {permutes(&in->part[0]), "permute"},
        {broadcasts(s, &in->part[0]), "broadcast"},
        {is_region(p, s, in), "region"},
        {has_halo(s, in), "halo"},
    };
    bool any = false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i].holds) {
            vv_buf_printf(out, any ? ", %s" : "%s", words[i].word);
            any = true;
        }
    if (!any) vv_buf_text(out, "same chunk");
}

/* --- steps --- */

static void explain_read(const vv_plan *p, const vv_step *s, vv_buf *b)
{
    const vv_source *source = &p->source[s->source];
    char bytes[32];
    vv_buf_printf(b, "%s ", source->variable);
    vv_explain_dims(b, &source->stored, false);
    vv_buf_printf(b, " %s", vv_dtype_name(source->decode.stored));
    if (source->given) {
        vv_buf_text(b, ", given in a buffer of rank 0");
        return;
    }
    if (source->generated) {
        bool random = source->random.kind != vv_random_sequence;
        vv_buf_printf(b, ", %s%s numbers", random ? vv_random_kinds[source->random.kind].name : "evenly spaced",
                      random ? " random" : "");
        return;
    }
    if (source->held) {
        vv_buf_printf(b, ", held by its owners, %lld chunks ", (long long)vv_grid_chunks(&source->stored));
        vv_explain_dims(b, &source->stored, true);
        return;
    }
    if (source->decode.out != vv_working_type(source->decode.stored) || source->decode.scaled)
        vv_buf_printf(b, " as %s", vv_dtype_name(source->decode.out));
    vv_buf_printf(b, " from %s, ", source->path);
    if (source->chunked) {
        vv_buf_printf(b, "%lld chunks ", (long long)vv_grid_chunks(&source->stored));
        vv_explain_dims(b, &source->stored, true);
    } else {
        vv_buf_text(b, "contiguous");
    }
    if (vv_path_is_computed(source->path)) {
        vv_buf_printf(b, ", %s, computed", vv_bytes_text(source->total, bytes));
        return;
    }
    vv_buf_printf(b, ", %s stored", vv_bytes_text(source->total, bytes));
    for (int i = 0; i < source->n_filters; i++) vv_buf_printf(b, ", %s", vv_filter_names[source->filter[i]]);
    vv_buf_text(b, source->raw ? ", read raw" : ", read by the format's driver");
}

static const char *input_name(const vv_plan *p, const vv_step *s, int k)
{
    if (s->input[k].n_parts == 0) return "fill";
    const vv_part *part = &s->input[k].part[0];
    const vv_step *from = &p->step[part->from];
    if (from->op == VV_STEP_READ) return p->source[from->source].variable;
    return from->n_results > 1 ? from->result[part->result].name : from->name;
}

/* What a program computes, as nested calls over the names of its inputs; long ones are cut, because shared parts stand in them repeatedly. */
static void expression(const vv_plan *p, const vv_step *s, int reg, size_t end, vv_buf *b)
{
    if (reg < s->n_inputs) {
        vv_buf_text(b, input_name(p, s, reg));
        return;
    }
    const vv_instruction *k = s->program->code;
    while (k->out != reg) k++;
    if (k->op == VV_OP_CONST && k->type == VV_U64) {
        vv_buf_printf(b, "%llu", (unsigned long long)k->constant_i);
    } else if (k->op == VV_OP_CONST) {
        vv_buf_printf(b, "%.9g", vv_dtype_is_float(k->type) ? k->constant_f : (double)k->constant_i);
    } else if (b->size > end) {
        vv_buf_text(b, "...");
    } else {
        int arity = k->op == VV_OP_CAST ? 1 : vv_ops[k->op]->arity;
        vv_buf_printf(b, "%s(", k->op == VV_OP_CAST ? vv_dtype_name(k->result) : vv_ops[k->op]->name);
        for (int i = 0; i < arity; i++) {
            if (i) vv_buf_text(b, ", ");
            expression(p, s, k->in[i], end, b);
        }
        vv_buf_text(b, ")");
    }
}

/* "4", "4+9", "0..999" where parts come from many steps that follow each other. */
static void explain_parts(const vv_input *in, vv_buf *b)
{
    enum { MANY = 6 };
    for (int j = 0; j < in->n_parts;) {
        int from = in->part[j].from, last = from, next = j + 1;
        while (next < in->n_parts && in->part[next].from - last <= 1 && in->part[next].from >= last)
            last = in->part[next++].from;
        vv_buf_printf(b, j ? "+%d" : " %d", from);
        if (last - from >= MANY) vv_buf_printf(b, "..%d", last);
        for (int k = from + 1; k <= last && last - from < MANY; k++) vv_buf_printf(b, "+%d", k);
        j = next;
    }
}

static void explain_inputs(const vv_plan *p, const vv_step *s, vv_buf *b)
{
    vv_buf_text(b, " <-");
    for (int k = 0; k < s->n_inputs; k++) {
        if (k) vv_buf_text(b, ",");
        explain_parts(&s->input[k], b);
        vv_buf_text(b, " (");
        vv_explain_map(p, s, k, b);
        vv_buf_printf(b, "; %s)", vv_access_name[s->input[k].access]);
    }
}

static void explain_operation(const vv_plan *p, const vv_step *s, vv_buf *b)
{
    enum { LONGEST = 300 };
    for (int r = 0; r < s->n_results; r++) {
        bool last = r + 1 == s->n_results || s->result[r + 1].value != s->result[r].value;
        vv_buf_printf(b, r ? ", %s" : "%s", s->result[r].name);
        if (!s->program || s->program->n == 0 || !last) continue;
        vv_buf_text(b, " of ");
        expression(p, s, s->result[r].value, b->size + LONGEST, b);
    }
    if (s->user) {
        vv_buf_printf(b, ": function '%s'", s->user->name);
        for (int k = 0; k < s->user->n_in; k++) vv_buf_printf(b, "%s %s", k ? "," : " of", input_name(p, s, k));
    } else if (s->tiled) {
        vv_buf_printf(b, ": %s of %s", vv_tile_ops[s->tile.op].name, input_name(p, s, 0));
        if (s->n_inputs > 1) vv_buf_printf(b, " and %s", input_name(p, s, 1));
    } else if (s->block) {
        vv_buf_printf(b, ": %s of %s", vv_block_ops[s->call.op].name, input_name(p, s, 0));
    } else if (s->product) {
        vv_buf_printf(b, " of %s x %s", input_name(p, s, 0), input_name(p, s, 1));
    }
    if (s->op == VV_STEP_REDUCE && s->groups.dim >= 0)
        vv_buf_printf(b, " by %lld groups, %lld at a time", (long long)s->groups.n, (long long)s->groups.chunk);
}

static void explain_compute(const vv_plan *p, const vv_step *s, const vv_step_cost *c, vv_buf *b)
{
    explain_operation(p, s, b);
    explain_inputs(p, s, b);
    vv_buf_text(b, " -> ");
    vv_explain_dims(b, &s->grid, false);
    vv_buf_printf(b, ", %lld chunks ", (long long)vv_step_outs(s));
    vv_explain_dims(b, &s->grid, true);
    vv_index leaves = vv_step_leaves(s);
    vv_buf_printf(b, ", %lld tasks", (long long)c->tasks);
    if (leaves > 1)
        vv_buf_printf(b, " (%lld leaves a chunk, %lld chunks a leaf)", (long long)leaves, (long long)s->leaf);
    if (p->ranks > 1) vv_buf_printf(b, ", placed by %s", vv_placement_name[s->placement]);
}

static void explain_filters(const vv_write_to *to, vv_buf *b)
{
    const char *shuffle = to->shuffle ? " + shuffle" : "";
    if (to->deflate > 0)
        vv_buf_printf(b, ", compressed chunks, deflate %d%s", to->deflate, shuffle);
    else if (to->zstd > 0)
        vv_buf_printf(b, ", compressed chunks, zstd %d%s", to->zstd, shuffle);
    else
        vv_buf_text(b, ", chunks");
    if (to->encode.scaled) vv_buf_text(b, ", packed");
    if (to->encode.quantize.how) vv_buf_text(b, ", quantized");
}

static void explain_deliver(const vv_plan *p, const vv_step *s, vv_buf *b)
{
    vv_buf_printf(b, "%s %s <- %d", s->name, vv_dtype_name(s->to.encode.to), s->from);
    if (p->step[s->from].n_results > 1) vv_buf_printf(b, " (%s)", p->step[s->from].result[s->result_of].name);
    if (s->op == VV_STEP_KEEP)
        vv_buf_text(b, " held by its owners");
    else if (s->op == VV_STEP_GATHER)
        vv_buf_text(b, " to memory on rank 0");
    else if (s->to.chunked)
        explain_filters(&s->to, b);
    else
        vv_buf_text(b, ", contiguous");
    if (p->collective && s->op == VV_STEP_WRITE) vv_buf_text(b, ", by HDF5's collective calls when all is computed");
}

/* The figures of a step, on a line of their own. */
static void explain_figures(const vv_explained *x, int i, vv_buf *b)
{
    const vv_step_cost *c = &x->cost->step[i];
    char t[32];
    vv_buf figures = {0};
    const struct {
        const char *word;
        vv_bytes bytes;
    } bytes[] = {{"reads", vv_step_computes(&x->plan->step[i]) ? c->tally.read : c->read},
                 {"moves", c->moved},
                 {"writes", c->written},
                 {"memory", c->memory}};
    for (size_t k = 0; k < sizeof bytes / sizeof *bytes; k++) {
        if (bytes[k].bytes == 0) continue;
        vv_buf_printf(&figures, "%s%s %s", figures.size ? ", " : "", bytes[k].word, vv_bytes_text(bytes[k].bytes, t));
        if (k == 0 && c->wanted > 0) vv_buf_printf(&figures, " (x %.2f)", vv_explain_amplification(c));
    }
    double seconds = x->model ? vv_seconds_sum(&x->model->step[i]) : 0;
    if (seconds > 0) vv_buf_printf(&figures, "%s%s", figures.size ? ", " : "", vv_seconds_text(seconds, t));
    if (figures.size > 0) vv_buf_printf(b, "             %s\n", figures.data);
    if (x->plan->step[i].why) vv_buf_printf(b, "             %s\n", x->plan->step[i].why);
    vv_buf_free(&figures);
}

static void explain_step(const vv_explained *x, int i, vv_buf *b)
{
    const vv_step *s = &x->plan->step[i];
    vv_buf_printf(b, "%3d  %-7s ", i, vv_step_op_name[s->op]);
    if (s->op == VV_STEP_READ)
        explain_read(x->plan, s, b);
    else if (vv_step_computes(s))
        explain_compute(x->plan, s, &x->cost->step[i], b);
    else
        explain_deliver(x->plan, s, b);
    vv_buf_text(b, "\n");
    explain_figures(x, i, b);
}

static void explain_model(const vv_explained *x, vv_buf *b)
{
    const vv_model *m = x->model;
    char t[6][32];
    vv_buf_printf(b, "expected: %s (read %s, compute %s, send %s, write %s), by %s rates\n",
                  vv_seconds_text(vv_seconds_sum(&m->most), t[0]), vv_seconds_text(m->most.read, t[1]),
                  vv_seconds_text(m->most.compute, t[2]), vv_seconds_text(m->most.send, t[3]),
                  vv_seconds_text(m->most.write, t[4]), x->measured ? "measured" : "usual");
    if (m->ranks == 1) return;
    vv_buf_printf(b, "messages per rank: %.0f with %s on average, %.0f with %s at most", m->messages,
                  vv_bytes_text((vv_bytes)m->sent, t[0]), m->messages_most,
                  vv_bytes_text((vv_bytes)m->sent_most, t[1]));
    vv_buf_printf(b, "; imbalance %.2f%s\n", m->imbalance, m->sampled < m->ranks ? " (of some ranks)" : "");
}

/* Reads of one variable from one file after the other, as joined files have them: how many follow each other from step i on. */
static int row_of_reads(const vv_plan *p, int i)
{
    int n = 0;
    while (i + n < p->n_steps && p->step[i + n].op == VV_STEP_READ && !strcmp(p->step[i + n].name, p->step[i].name))
        n++;
    return n;
}

/* A step; of a long row of reads the first one, the last one, and the others together. Returns the number of the next step. */
static int explain_row(const vv_explained *x, int i, vv_buf *b)
{
    enum { LONG = 6 };
    char t[32];
    int n = row_of_reads(x->plan, i);
    explain_step(x, i, b);
    if (n < LONG) return i + 1;
    vv_bytes read = 0;
    for (int k = i + 1; k < i + n - 1; k++) read += x->cost->step[k].read;
    vv_buf_printf(b, "  .. %7s %s from %d more files, reads %s\n", "", x->plan->step[i].name, n - 2,
                  vv_bytes_text(read, t));
    explain_step(x, i + n - 1, b);
    return i + n;
}

void vv_explain_text(const vv_explained *x, vv_buf *b)
{
    const vv_plan *p = x->plan;
    const vv_cost *c = x->cost;
    char t[6][32];
    vv_buf_text(b, "step op      what\n");
    for (int i = 0; i < p->n_steps;) i = explain_row(x, i, b);
    vv_buf_printf(b, "%d rank%s x %d thread%s: reads %s, moves %s between ranks", p->ranks, p->ranks == 1 ? "" : "s",
                  p->threads, p->threads == 1 ? "" : "s", vv_bytes_text(c->read, t[0]), vv_bytes_text(c->moved, t[1]));
    if (p->node && p->node[p->ranks - 1] > 0)
        vv_buf_printf(b, " (%s of it between nodes)", vv_bytes_text(c->across, t[3]));
    vv_buf_printf(b, ", writes %s%s\n", vv_bytes_text(c->written, t[2]), c->counted ? "" : " (estimates)");
    if (x->model) explain_model(x, b);
    vv_buf_printf(b, "memory per rank: %s at most (%s before it starts), budget %s",
                  vv_bytes_text(vv_cost_peak(p, c, x->baseline), t[3]), vv_bytes_text(x->baseline, t[4]),
                  p->budget ? vv_bytes_text(p->budget, t[0]) : "unlimited");
    vv_bytes enough = vv_cost_enough(p, c, x->baseline);
    if (enough) vv_buf_printf(b, ": this would be refused, --memory %lldMB would do", (long long)enough);
    if (vv_plan_spills(p))
        vv_buf_printf(b, "; inboxes in memory up to %s of %s, the rest in %s", vv_bytes_text(p->store, t[1]),
                      vv_bytes_text(c->memory.inboxes, t[2]), p->scratch ? p->scratch : "the scratch directory");
    if (p->held > 0)
        vv_buf_printf(b, "; held arrays %s, in memory up to %s%s", vv_bytes_text(p->held, t[1]),
                      vv_bytes_text(vv_imin(p->held, p->keep), t[2]),
                      p->keep < p->held ? ", the rest in the scratch directory" : "");
    vv_buf_text(b, "\n");
}

/* explain: a plan and its cost in words, and as JSON. */
#include "plan/cost.h"
#include "plan/place.h"

#include <string.h>

static const char *const op_name[] = {"read", "map", "reduce", "write", "gather"};

static void dims(vv_buf *b, const vv_grid *g, bool chunks)
{
    vv_buf_text(b, "[");
    for (int d = 0; d < g->shape.nd; d++)
        vv_buf_printf(b, d ? ", %lld" : "%lld",
                      (long long)(chunks ? vv_imin(g->chunk[d], vv_imax(1, g->shape.n[d])) : g->shape.n[d]));
    vv_buf_text(b, "]");
}

static void explain_read(const vv_plan *p, const vv_step *s, vv_buf *b)
{
    const vv_source *source = &p->source[s->source];
    char bytes[32];
    vv_buf_printf(b, "%s ", source->variable);
    dims(b, &source->stored, false);
    vv_buf_printf(b, " %s", vv_dtype_name(source->decode.stored));
    if (source->decode.out != vv_working_type(source->decode.stored) || source->decode.scaled)
        vv_buf_printf(b, " as %s", vv_dtype_name(source->decode.out));
    vv_buf_printf(b, " from %s, ", source->path);
    if (source->chunked) {
        vv_buf_printf(b, "%lld chunks ", (long long)vv_grid_chunks(&source->stored));
        dims(b, &source->stored, true);
    } else {
        vv_buf_text(b, "contiguous");
    }
    vv_buf_printf(b, ", %s stored%s%s, %s", vv_bytes_text(source->total, bytes),
                  source->decode.shuffled ? ", shuffle" : "", source->deflated ? ", deflate" : "",
                  source->raw ? "read raw" : "read by HDF5");
}

/* What a program computes, as nested calls over the names of its inputs; long ones are cut, because shared parts stand in them repeatedly. */
static void expression(const vv_plan *p, const vv_step *s, int reg, size_t end, vv_buf *b)
{
    if (reg < s->n_inputs) {
        vv_buf_text(b, p->source[p->step[s->input[reg].step].source].variable);
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

static void explain_compute(const vv_plan *p, const vv_step *s, const vv_step_cost *c, vv_buf *b)
{
    enum { LONGEST = 300 };
    for (int r = 0; r < s->n_results; r++) vv_buf_printf(b, r ? ", %s" : "%s", s->result[r].name);
    if (s->program->n > 0) {
        vv_buf_text(b, " of ");
        expression(p, s, s->program->output, b->size + LONGEST, b);
    }
    vv_buf_text(b, " <-");
    for (int i = 0; i < s->n_inputs; i++) vv_buf_printf(b, " %d", s->input[i].step);
    vv_buf_text(b, " -> ");
    dims(b, &s->grid, false);
    vv_buf_printf(b, ", %lld chunks ", (long long)vv_step_outs(s));
    dims(b, &s->grid, true);
    vv_index leaves = vv_step_leaves(s);
    vv_buf_printf(b, ", %lld tasks", (long long)c->tasks);
    if (leaves > 1)
        vv_buf_printf(b, " (%lld leaves a chunk, %lld chunks a leaf)", (long long)leaves, (long long)s->leaf);
    if (p->ranks > 1) vv_buf_printf(b, ", placed by %s", vv_placement_name[s->placement]);
}

static void explain_deliver(const vv_plan *p, const vv_step *s, vv_buf *b)
{
    vv_buf_printf(b, "%s %s", s->name, vv_dtype_name(s->to.encode.to));
    vv_buf_printf(b, " <- %d", s->input[0].step);
    if (p->step[s->input[0].step].n_results > 1)
        vv_buf_printf(b, " (%s)", p->step[s->input[0].step].result[s->input[0].result].name);
    if (s->op == VV_STEP_GATHER)
        vv_buf_text(b, " to memory on rank 0");
    else if (s->to.chunked)
        vv_buf_printf(b, ", compressed chunks, deflate %d%s", s->to.deflate, s->to.shuffle ? " + shuffle" : "");
    else
        vv_buf_text(b, ", contiguous");
}

static void explain_step(const vv_plan *p, const vv_cost *c, int i, vv_buf *b)
{
    const vv_step *s = &p->step[i];
    vv_buf_printf(b, "%3d  %-7s ", i, op_name[s->op]);
    if (s->op == VV_STEP_READ)
        explain_read(p, s, b);
    else if (vv_step_computes(s))
        explain_compute(p, s, &c->step[i], b);
    else
        explain_deliver(p, s, b);
    vv_buf_text(b, "\n");
}

void vv_explain_text(const vv_plan *p, const vv_cost *c, vv_bytes baseline, vv_buf *b)
{
    char t[5][32];
    vv_buf_text(b, "step op      what\n");
    for (int i = 0; i < p->n_steps; i++) explain_step(p, c, i, b);
    vv_buf_printf(b, "%d rank%s x %d thread%s: reads %s, moves %s between ranks, writes %s\n", p->ranks,
                  p->ranks == 1 ? "" : "s", p->threads, p->threads == 1 ? "" : "s", vv_bytes_text(c->read, t[0]),
                  vv_bytes_text(c->moved, t[1]), vv_bytes_text(c->written, t[2]));
    vv_buf_printf(b, "memory per rank: %s at most (%s before it starts), budget %s\n",
                  vv_bytes_text(vv_cost_peak(c, baseline), t[3]), vv_bytes_text(baseline, t[4]),
                  p->budget ? vv_bytes_text(p->budget, t[0]) : "unlimited");
}

/* --- JSON --- */

static void json_string(vv_buf *b, const char *text)
{
    vv_buf_text(b, "\"");
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\')
            vv_buf_printf(b, "\\%c", *c);
        else if (*c < 0x20)
            vv_buf_printf(b, "\\u%04x", *c);
        else
            vv_buf_bytes(b, c, 1);
    }
    vv_buf_text(b, "\"");
}

static void json_step(const vv_plan *p, const vv_cost *c, int i, vv_buf *b)
{
    const vv_step *s = &p->step[i];
    const vv_step_cost *k = &c->step[i];
    vv_dtype type = s->op == VV_STEP_READ ? p->source[s->source].decode.stored
                    : vv_step_computes(s) ? s->result[0].type
                                          : s->to.encode.to;
    vv_buf_printf(b, "    {\"id\": %d, \"op\": \"%s\", \"name\": ", i, op_name[s->op]);
    json_string(b, s->name);
    vv_buf_printf(b, ", \"dtype\": \"%s\", \"shape\": ", vv_dtype_name(type));
    dims(b, &s->grid, false);
    vv_buf_text(b, ", \"chunk\": ");
    dims(b, &s->grid, true);
    vv_buf_printf(
        b, ", \"chunks\": %lld, \"tasks\": %lld, \"read\": %lld, \"moved\": %lld, \"written\": %lld, \"memory\": %lld",
        (long long)vv_grid_chunks(&s->grid), (long long)k->tasks, (long long)k->read, (long long)k->moved,
        (long long)k->written, (long long)k->memory);
    if (vv_step_computes(s)) {
        vv_buf_printf(b, ", \"leaves\": %lld, \"leaf\": %lld, \"placement\": \"%s\", \"results\": [",
                      (long long)vv_step_leaves(s), (long long)s->leaf, vv_placement_name[s->placement]);
        for (int r = 0; r < s->n_results; r++) {
            if (r) vv_buf_text(b, ", ");
            json_string(b, s->result[r].name);
        }
        vv_buf_text(b, "]");
    }
    vv_buf_text(b, ", \"inputs\": [");
    for (int e = 0; e < s->n_inputs; e++) vv_buf_printf(b, e ? ", %d" : "%d", s->input[e].step);
    vv_buf_text(b, "]}");
}

void vv_explain_json(const vv_plan *p, const vv_cost *c, vv_bytes baseline, vv_buf *b)
{
    vv_buf packed = {0};
    vv_plan_pack(p, &packed);
    vv_buf_printf(b,
                  "{\"ranks\": %d, \"threads\": %d, \"budget\": %lld, \"plan_bytes\": %zu, \"plan_hash\": \"%016llx\", "
                  "\"read\": %lld, \"moved\": %lld, \"written\": %lld, \"baseline\": %lld, \"peak_per_rank\": %lld,\n  "
                  "\"steps\": [\n",
                  p->ranks, p->threads, (long long)p->budget, packed.size, (unsigned long long)vv_plan_hash(p),
                  (long long)c->read, (long long)c->moved, (long long)c->written, (long long)baseline,
                  (long long)vv_cost_peak(c, baseline));
    for (int i = 0; i < p->n_steps; i++) {
        json_step(p, c, i, b);
        vv_buf_text(b, i + 1 < p->n_steps ? ",\n" : "\n");
    }
    vv_buf_text(b, "  ]}\n");
    vv_buf_free(&packed);
}

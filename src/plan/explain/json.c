#include "plan/explain/explain.h"

static void string(vv_buf *b, const char *text)
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

static void seconds(vv_buf *b, const char *name, const vv_seconds *s)
{
    vv_buf_printf(b, "\"%s\": {\"read\": %.6g, \"compute\": %.6g, \"send\": %.6g, \"write\": %.6g, \"all\": %.6g}",
                  name, s->read, s->compute, s->send, s->write, vv_seconds_sum(s));
}

static vv_dtype type_of(const vv_plan *p, const vv_step *s)
{
    if (s->op == VV_STEP_READ) return p->source[s->source].decode.stored;
    return vv_step_computes(s) ? s->result[0].type : s->to.encode.to;
}

/* The steps that a step takes elements from, each once and in order. */
static void inputs(const vv_step *s, vv_buf *b)
{
    bool any = false;
    vv_buf_text(b, ", \"inputs\": [");
    if (vv_step_delivers(s)) vv_buf_printf(b, "%d", s->from);
    for (int k = 0; k < s->n_inputs; k++)
        for (int j = 0; j < s->input[k].n_parts; j++) {
            if (j > 0 && s->input[k].part[j].from == s->input[k].part[j - 1].from) continue;
            vv_buf_printf(b, any ? ", %d" : "%d", s->input[k].part[j].from);
            any = true;
        }
    vv_buf_text(b, "]");
}

static void uses(const vv_plan *p, const vv_step *s, vv_buf *b)
{
    vv_buf_text(b, ", \"uses\": [");
    for (int k = 0; k < s->n_inputs; k++) {
        vv_buf_printf(b, "%s{\"access\": \"%s\", \"map\": \"", k ? ", " : "", vv_access_name[s->input[k].access]);
        vv_explain_map(p, s, k, b);
        vv_buf_printf(b, "\", \"parts\": %d}", s->input[k].n_parts);
    }
    vv_buf_text(b, "]");
}

static void compute(const vv_plan *p, const vv_step *s, const vv_step_cost *k, vv_buf *b)
{
    vv_buf_printf(b, ", \"leaves\": %lld, \"leaf\": %lld, \"placement\": \"%s\", \"results\": [",
                  (long long)vv_step_leaves(s), (long long)s->leaf, vv_placement_name[s->placement]);
    for (int r = 0; r < s->n_results; r++) {
        if (r) vv_buf_text(b, ", ");
        string(b, s->result[r].name);
    }
    vv_buf_printf(b,
                  "], \"reads\": %lld, \"pushed\": %lld, \"messages\": %lld, \"elements\": %lld, \"imbalance\": %.4g",
                  (long long)k->tally.read, (long long)k->tally.pushed, (long long)k->tally.messages,
                  (long long)k->tally.elements, k->imbalance);
    if (s->op == VV_STEP_REDUCE && s->groups.dim >= 0)
        vv_buf_printf(b, ", \"groups\": %lld, \"groups_at_a_time\": %lld", (long long)s->groups.n,
                      (long long)s->groups.chunk);
    uses(p, s, b);
}

static void step(const vv_explained *x, int i, vv_buf *b)
{
    const vv_plan *p = x->plan;
    const vv_step *s = &p->step[i];
    const vv_step_cost *k = &x->cost->step[i];
    vv_buf_printf(b, "    {\"id\": %d, \"op\": \"%s\", \"name\": ", i, vv_step_op_name[s->op]);
    string(b, s->name);
    vv_buf_printf(b, ", \"dtype\": \"%s\", \"shape\": ", vv_dtype_name(type_of(p, s)));
    vv_explain_dims(b, &s->grid, false);
    vv_buf_text(b, ", \"chunk\": ");
    vv_explain_dims(b, &s->grid, true);
    vv_buf_printf(
        b, ", \"chunks\": %lld, \"tasks\": %lld, \"read\": %lld, \"moved\": %lld, \"written\": %lld, \"memory\": %lld",
        (long long)vv_grid_chunks(&s->grid), (long long)k->tasks, (long long)k->read, (long long)k->moved,
        (long long)k->written, (long long)k->memory);
    if (s->op == VV_STEP_READ)
        vv_buf_printf(b, ", \"wanted\": %lld, \"amplification\": %.6g", (long long)k->wanted,
                      vv_explain_amplification(k));
    if (vv_step_computes(s)) compute(p, s, k, b);
    inputs(s, b);
    if (s->why) {
        vv_buf_text(b, ", \"why\": ");
        string(b, s->why);
    }
    if (x->model) {
        vv_buf_text(b, ", ");
        seconds(b, "seconds", &x->model->step[i]);
    }
    vv_buf_text(b, "}");
}

static void memory(const vv_memory *m, vv_buf *b)
{
    vv_buf_printf(
        b,
        "  \"memory\": {\"buffers\": %lld, \"states\": %lld, \"results\": %lld, \"index\": %lld, \"messages\": "
        "%lld, \"tables\": %lld, \"inboxes\": %lld, \"held\": %lld, \"extra\": %lld},\n",
        (long long)m->buffers, (long long)m->states, (long long)m->results, (long long)m->index, (long long)m->messages,
        (long long)m->tables, (long long)m->inboxes, (long long)m->held, (long long)m->extra);
}

static void model(const vv_explained *x, vv_buf *b)
{
    const vv_model *m = x->model;
    vv_buf_printf(b, "  \"model\": {\"ranks\": %d, \"followed\": %d, \"rates\": \"%s\", ", m->ranks, m->sampled,
                  x->measured ? "measured" : "usual");
    seconds(b, "slowest", &m->most);
    vv_buf_text(b, ", ");
    seconds(b, "mean", &m->mean);
    vv_buf_printf(b,
                  ", \"imbalance\": %.4g, \"messages\": %.6g, \"sent\": %.10g, \"messages_most\": %.6g, \"sent_most\": "
                  "%.10g},\n",
                  m->imbalance, m->messages, m->sent, m->messages_most, m->sent_most);
}

void vv_explain_json(const vv_explained *x, vv_buf *b)
{
    const vv_plan *p = x->plan;
    const vv_cost *c = x->cost;
    vv_buf packed = {0};
    vv_plan_pack(p, &packed);
    vv_buf_printf(b,
                  "{\"ranks\": %d, \"threads\": %d, \"budget\": %lld, \"plan_bytes\": %zu, \"plan_hash\": \"%016llx\", "
                  "\"read\": %lld, \"moved\": %lld, \"across\": %lld, \"messages\": %lld, \"written\": %lld, "
                  "\"counted\": %s, \"baseline\": %lld, "
                  "\"peak_per_rank\": %lld, \"store\": %lld,\n",
                  p->ranks, p->threads, (long long)p->budget, packed.size, (unsigned long long)vv_plan_hash(p),
                  (long long)c->read, (long long)c->moved, (long long)c->across, (long long)c->messages,
                  (long long)c->written, c->counted ? "true" : "false", (long long)x->baseline,
                  (long long)vv_cost_peak(p, c, x->baseline), (long long)(vv_plan_spills(p) ? p->store : -1));
    memory(&c->memory, b);
    if (x->model) model(x, b);
    vv_buf_text(b, "  \"steps\": [\n");
    for (int i = 0; i < p->n_steps; i++) {
        step(x, i, b);
        vv_buf_text(b, i + 1 < p->n_steps ? ",\n" : "\n");
    }
    vv_buf_text(b, "  ]}\n");
    vv_buf_free(&packed);
}

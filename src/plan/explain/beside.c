/* After a run: what was predicted beside what was measured. */
#include "plan/explain/explain.h"

static void bytes_pair(vv_buf *b, vv_bytes predicted, vv_bytes measured)
{
    char t[2][32];
    if (predicted == 0 && measured == 0)
        vv_buf_printf(b, "%22s", "-");
    else
        vv_buf_printf(b, "%10s / %9s", vv_bytes_text(predicted, t[0]), vv_bytes_text(measured, t[1]));
}

static void row(const vv_explained *x, int i, const vv_measured *m, vv_buf *b)
{
    const vv_step *s = &x->plan->step[i];
    const vv_step_cost *c = &x->cost->step[i];
    char t[2][32];
    vv_buf_printf(b, "%3d %-6s %-16.16s %9lld", i, vv_step_op_name[s->op], s->name, (long long)m->tasks);
    bytes_pair(b, c->tally.read, m->read);
    bytes_pair(b, c->tally.pushed, m->pushed);
    bytes_pair(b, c->written, m->written);
    double predicted = x->model ? vv_seconds_sum(&x->model->step[i]) : 0;
    vv_buf_printf(b, " %9s / %s\n", vv_seconds_text(predicted, t[0]), vv_seconds_text(m->seconds, t[1]));
}

void vv_explain_beside(const vv_explained *x, const vv_measured measured[], const vv_measured *all, vv_bytes peak,
                       vv_buf *b)
{
    char t[8][32];
    vv_buf_printf(b, "%-27s %9s%22s%22s%22s %s\n", "predicted / measured", "tasks", "read", "pushed", "written",
                  "seconds");
    for (int i = 0; i < x->plan->n_steps; i++)
        if (x->plan->step[i].op != VV_STEP_READ) row(x, i, &measured[i], b);
    vv_buf_printf(b, "all: read %s / %s, moved %s / %s, written %s / %s, peak per rank %s / %s",
                  vv_bytes_text(x->cost->read, t[0]), vv_bytes_text(all->read, t[1]),
                  vv_bytes_text(x->cost->moved, t[2]), vv_bytes_text(all->moved, t[3]),
                  vv_bytes_text(x->cost->written, t[4]), vv_bytes_text(all->written, t[5]),
                  vv_bytes_text(vv_cost_peak(x->plan, x->cost, x->baseline), t[6]), vv_bytes_text(peak, t[7]));
    if (x->model)
        vv_buf_printf(b, ", %s / %s", vv_seconds_text(vv_seconds_sum(&x->model->most), t[0]),
                      vv_seconds_text(all->seconds, t[1]));
    vv_buf_text(b, "\n");
}

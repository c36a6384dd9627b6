/* A plan in a few lines: what would be read, written and held, for --dry-run. */
#include "plan/explain/explain.h"

#include "storage/storage.h"

#include <string.h>

enum { MOST_NAMED = 3 };

static bool is_file(const vv_source *s)
{
    return !s->given && !s->generated && !s->held && s->path && !vv_path_is_computed(s->path);
}

static bool named_before(const vv_plan *p, int i)
{
    for (int k = 0; k < i; k++)
        if (is_file(&p->source[k]) && !strcmp(p->source[k].path, p->source[i].path)) return true;
    return false;
}

static void name_files(const vv_plan *p, vv_buf *b)
{
    int n = 0;
    for (int i = 0; i < p->n_sources; i++) {
        if (!is_file(&p->source[i]) || named_before(p, i)) continue;
        if (n++ < MOST_NAMED) vv_buf_printf(b, "%s%s", n > 1 ? ", " : " of ", p->source[i].path);
    }
    if (n > MOST_NAMED) vv_buf_printf(b, " and %d more files", n - MOST_NAMED);
}

void vv_explain_brief(const vv_explained *x, vv_buf *b)
{
    const vv_plan *p = x->plan;
    const vv_cost *c = x->cost;
    char t[3][32];
    vv_buf_printf(b, "would read %s", vv_bytes_text(c->read, t[0]));
    name_files(p, b);
    vv_buf_printf(b, "\nwould write %s, and move %s between ranks\n", vv_bytes_text(c->written, t[0]),
                  vv_bytes_text(c->moved, t[1]));
    vv_buf_printf(b, "memory per rank: %s at most, budget %s", vv_bytes_text(vv_cost_peak(p, c, x->baseline), t[0]),
                  p->budget ? vv_bytes_text(p->budget, t[1]) : "unlimited");
    vv_bytes enough = vv_cost_enough(p, c, x->baseline);
    if (enough) vv_buf_printf(b, ": this would be refused, --memory %lldMB would do", (long long)enough);
    if (vv_plan_spills(p)) vv_buf_printf(b, ", the rest in %s", p->scratch ? p->scratch : "the scratch directory");
    vv_buf_printf(b, "\n%d rank%s x %d thread%s", p->ranks, p->ranks == 1 ? "" : "s", p->threads,
                  p->threads == 1 ? "" : "s");
    if (x->model)
        vv_buf_printf(b, ", expected to take %s by %s rates", vv_seconds_text(vv_seconds_sum(&x->model->most), t[0]),
                      x->measured ? "measured" : "usual");
    vv_buf_text(b, "\n");
}

/* The report: a page that needs nothing but itself. Threads are drawn as lanes, a lane of each rank's main thread where there are very many; what they did in less than a pixel
 * is drawn as one with its neighbours, in the colour of the step that took most of it. */
#include "observe/record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WIDTH = 1100, LEFT = 150, LANE = 16, MOST_LANES = 128, COLOURS = 10 };

static const char *const colours[COLOURS] = {"#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#76b7b2",
                                             "#edc948", "#b07aa1", "#9c755f", "#ff9da7", "#2f4b7c"};

static const char style[] =
    "<style>body{font:15px/1.45 Helvetica,Arial,sans-serif;color:#222;max-width:1180px;margin:24px auto;padding:0 16px}"
    "h1{font-size:21px}h2{font-size:17px;margin-top:30px}code{background:#f3f4f6;padding:2px 5px;border-radius:4px}"
    "pre{background:#f7f8fa;padding:12px;overflow-x:auto;font-size:12.5px;border-radius:6px}"
    "table{border-collapse:collapse}td,th{padding:3px 14px 3px 0;text-align:right;border-bottom:1px solid #e5e7eb}"
    "td:first-child,th:first-child{text-align:left}.wide{overflow-x:auto}.key{display:inline-block;margin-right:16px}"
    ".key i{display:inline-block;width:11px;height:11px;margin-right:5px;border-radius:2px}</style>\n";

static void text(FILE *f, const char *t)
{
    for (; t && *t; t++) switch (*t) {
        case '<': fputs("&lt;", f); break;
        case '>': fputs("&gt;", f); break;
        case '&': fputs("&amp;", f); break;
        case '"': fputs("&quot;", f); break;
        default: fputc(*t, f);
        }
}

/* --- numbers --- */

static void row(FILE *f, const char *name, const char *value)
{
    fprintf(f, "<tr><td>%s</td><td>%s</td></tr>\n", name, value);
}

static void write_figures(const vv_recorded_plan *p, FILE *f)
{
    const vv_record_plan *n = &p->figures;
    char t[80], bytes[2][32];
    fputs("<table>\n", f);
    snprintf(t, sizeof t, "%.3f s, %.3f s of it before the work began", n->seconds, n->plan_seconds);
    row(f, "time", t);
    snprintf(t, sizeof t, "%d x %d", p->n_ranks, p->threads);
    row(f, "ranks x threads", t);
    snprintf(t, sizeof t, "%" PRId64, n->tasks);
    row(f, "tasks", t);
    row(f, "read", vv_bytes_text(n->read, bytes[0]));
    row(f, "sent between ranks", vv_bytes_text(n->moved, bytes[0]));
    row(f, "written", vv_bytes_text(n->written, bytes[0]));
    snprintf(t, sizeof t, "%s of %s", vv_bytes_text(n->peak, bytes[0]),
             n->budget ? vv_bytes_text(n->budget, bytes[1]) : "any");
    row(f, "most memory of a rank", t);
    fputs("</table>\n", f);
}

static void write_ranks(const vv_record *x, const vv_recorded_plan *p, FILE *f)
{
    double all = 1e-9 * (double)(x->end - x->begin);
    fputs("<h2>Ranks</h2>\n<div class=\"wide\"><table><tr><th>rank</th><th>on</th><th>tasks</th><th>read</th><th>at "
          "work</th><th>memory</th></tr>\n",
          f);
    for (int i = 0; i < p->n_ranks; i++) {
        const vv_recorded_rank *r = &p->rank[i];
        const vv_event *e = r->event;
        vv_index tasks = 0;
        vv_bytes read = 0;
        double busy = 0;
        char t[2][32];
        for (int k = 0; k < r->threads; k++)
            for (vv_index j = 0; j < r->n[k]; j++, e++) {
                tasks += e->units;
                read += e->read;
                busy += 1e-9 * (double)(e->end - e->begin);
            }
        fprintf(f, "<tr><td>%d</td><td>", r->rank);
        text(f, r->host);
        fprintf(f, "</td><td>%" PRId64 "</td><td>%s</td><td>%.0f %%</td><td>%s</td></tr>\n", tasks,
                vv_bytes_text(read, t[0]), all > 0 ? 100 * busy / (all * r->threads) : 0, vv_bytes_text(r->peak, t[1]));
    }
    fputs("</table></div>\n", f);
}

/* --- lanes --- */

static int colour_of(const vv_event *e)
{
    return e->step >= 0 ? e->step % COLOURS : -1;
}

static void bar(const vv_recorded_plan *p, const vv_event *e, double begin, double end, int y, FILE *f)
{
    int c = colour_of(e);
    const char *fill = c >= 0 ? colours[c] : e->step == VV_EVENT_COMMIT ? "#555" : "#aab";
    fprintf(f, "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"><title>", begin, y,
            end - begin < 0.5 ? 0.5 : end - begin, LANE - 3, fill);
    text(f, vv_record_step(p, e));
    fprintf(f, ": %.3f ms, %" PRId64 " task%s</title></rect>\n", 1e-6 * (double)(e->end - e->begin), e->units,
            e->units == 1 ? "" : "s");
}

/* Neighbours that lie within a pixel are one bar: the longest one's. */
static void write_lane(const vv_record *x, const vv_recorded_plan *p, const vv_event *e, vv_index n, int y, FILE *f)
{
    double scale = (WIDTH - LEFT) / (double)vv_imax(1, x->end - x->begin);
    for (vv_index i = 0, k; i < n; i = k) {
        vv_event all = e[i];
        int64_t longest = all.end - all.begin;
        double begin = LEFT + scale * (double)(all.begin - x->begin);
        for (k = i + 1; k < n && LEFT + scale * (double)(e[k].end - x->begin) < begin + 1; k++) {
            all.units += e[k].units;
            if (e[k].end - e[k].begin > longest) all.step = e[k].step, longest = e[k].end - e[k].begin;
            all.end = e[k].end;
        }
        bar(p, &all, begin, LEFT + scale * (double)(all.end - x->begin), y, f);
    }
}

static void write_key(const vv_recorded_plan *p, FILE *f)
{
    bool *there = calloc((size_t)p->n_steps + 1, sizeof *there);
    for (int i = 0; there && i < p->n_ranks; i++) {
        const vv_event *e = p->rank[i].event;
        for (int t = 0; t < p->rank[i].threads; t++)
            for (vv_index k = 0; k < p->rank[i].n[t]; k++, e++)
                if (e->step >= 0 && e->step < p->n_steps) there[e->step] = true;
    }
    fputs("<p>", f);
    for (int i = 0; there && i < p->n_steps; i++) {
        if (!there[i]) continue;
        fprintf(f, "<span class=\"key\"><i style=\"background:%s\"></i>", colours[i % COLOURS]);
        text(f, p->step[i]);
        fputs("</span>", f);
    }
    fputs("<span class=\"key\"><i style=\"background:#aab\"></i>several steps</span>"
          "<span class=\"key\"><i style=\"background:#555\"></i>write and sync</span></p>\n",
          f);
    free(there);
}

static void write_lanes(const vv_record *x, const vv_recorded_plan *p, FILE *f)
{
    vv_index lanes = 0;
    for (int i = 0; i < p->n_ranks; i++) lanes += p->rank[i].threads;
    bool main_only = lanes > MOST_LANES;
    int shown = 0;
    fprintf(f, "<h2>What threads did when</h2>\n<p>%.3f s from left to right; white: they waited.%s</p>\n",
            1e-9 * (double)(x->end - x->begin),
            main_only ? " Of so many ranks only the first are drawn, and of these their main threads; a trace has all."
                      : "");
    write_key(p, f);
    int rows = (int)vv_imin(MOST_LANES, main_only ? p->n_ranks : lanes);
    fprintf(f, "<div class=\"wide\"><svg width=\"%d\" height=\"%d\" font-size=\"11\">\n", WIDTH, rows * LANE + 6);
    for (int i = 0; i < p->n_ranks && shown < rows; i++) {
        const vv_recorded_rank *r = &p->rank[i];
        const vv_event *e = r->event;
        for (int t = 0; t < r->threads && shown < rows; e += r->n[t++]) {
            if (main_only && t > 0) break;
            int y = shown++ * LANE;
            fprintf(f, "<text x=\"0\" y=\"%d\">rank %d, thread %d</text>\n", y + LANE - 5, r->rank, t);
            write_lane(x, p, e, r->n[t], y, f);
        }
    }
    fputs("</svg></div>\n", f);
}

/* --- the page --- */

static int by_rank(const void *a, const void *b)
{
    return ((const vv_recorded_rank *)a)->rank - ((const vv_recorded_rank *)b)->rank;
}

static void write_plan(const vv_record *x, const vv_recorded_plan *p, FILE *f)
{
    if (p->n_ranks > 0) qsort(p->rank, (size_t)p->n_ranks, sizeof *p->rank, by_rank);
    write_figures(p, f);
    write_lanes(x, p, f);
    fputs("<h2>Predicted beside measured</h2>\n<pre>", f);
    text(f, p->table);
    fputs("</pre>\n<h2>The plan</h2>\n<div class=\"wide\">", f);
    fputs(p->picture ? p->picture : "", f);
    fputs("</div>\n", f);
    write_ranks(x, p, f);
}

void vv_record_write_report(const vv_record *x, FILE *f)
{
    char when[64] = "";
    time_t now = time(NULL);
    struct tm local;
    if (localtime_r(&now, &local)) strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S %z", &local);
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>", f);
    text(f, x->command);
    fprintf(f, "</title>\n%s</head><body>\n<h1>How a run went</h1>\n<p><code>", style);
    text(f, x->command);
    fputs("</code></p>\n<p>", f);
    text(f, x->place);
    fprintf(f, "<br>ended %s</p>\n", when);
    for (int i = 0; i < x->n_plans; i++) {
        if (x->n_plans > 1) fprintf(f, "<h1>Run %d of %d</h1>\n", i + 1, x->n_plans);
        write_plan(x, &x->plan[i], f);
    }
    if (x->left_out) fprintf(f, "<p>%d more runs are not told of: there were too many.</p>\n", x->left_out);
    fputs("</body></html>\n", f);
}

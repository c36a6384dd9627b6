/* `varve bench plot`: the rows of a table as curves over the ranks, beside what they would be at best.
 *
 * Efficiency is the rate of a rank, in parts of that of a rank where there were fewest; so it is 1 at best, for strong and for weak scaling. */
#include "varve/plot.h"
#include "cli/bench/bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CURVES = 8, PANELS = 4, LOG_FROM = 16 };

/* Rows of one benchmark, of strong or of weak scaling, that are compared with one another. */
typedef struct line {
    const char *name, *source;
    char label[64];
    double *value[PANELS], *best[PANELS]; /* by number of ranks */
} line;

typedef struct sheet {
    const char *scaling;
    int n_places, n_lines;
    double *place; /* numbers of ranks, rising */
    line line[MOST_CURVES];
} sheet;

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static vv_status find_places(const vv_cli_measure *m, int n, sheet *out)
{
    out->place = malloc(sizeof *out->place * (size_t)n);
    if (!out->place) return vv_error(VV_ERR_NOMEM, "no memory for curves");
    int k = 0;
    for (int i = 0; i < n; i++)
        if (!strcmp(m[i].scaling, out->scaling)) out->place[k++] = m[i].ranks;
    qsort(out->place, (size_t)k, sizeof *out->place, rising);
    for (int i = 0; i < k; i++)
        if (i == 0 || out->place[i] > out->place[out->n_places - 1]) out->place[out->n_places++] = out->place[i];
    return VV_OK;
}

static vv_status line_for(sheet *s, const vv_cli_measure *m, line **out)
{
    for (int i = 0; i < s->n_lines; i++) {
        *out = &s->line[i];
        if (!strcmp((*out)->name, m->benchmark) && !strcmp((*out)->source, m->source)) return VV_OK;
    }
    if (s->n_lines == MOST_CURVES)
        return vv_error(VV_ERR_USAGE, "a picture has room for %d benchmarks; this table has more", MOST_CURVES);
    line *l = &s->line[s->n_lines++];
    l->name = m->benchmark;
    l->source = m->source;
    snprintf(l->label, sizeof l->label, "%s%s", m->benchmark, strcmp(m->source, "disk") ? "" : ", from disk");
    for (int k = 0; k < 2 * PANELS; k++) {
        double *v = malloc(sizeof *v * (size_t)s->n_places);
        if (!v) return vv_error(VV_ERR_NOMEM, "no memory for curves");
        for (int i = 0; i < s->n_places; i++) v[i] = (double)NAN;
        *(k < PANELS ? &l->value[k] : &l->best[k - PANELS]) = v;
    }
    *out = l;
    return VV_OK;
}

/* Later rows replace earlier ones. value: seconds, -, rate, memory; efficiency needs all rows. */
static vv_status fill(const vv_cli_measure *m, int n, sheet *s)
{
    for (int i = 0; i < n; i++) {
        line *l = NULL;
        int at = 0;
        if (strcmp(m[i].scaling, s->scaling)) continue;
        vv_status status = line_for(s, &m[i], &l);
        if (status != VV_OK) return status;
        while (s->place[at] < m[i].ranks) at++;
        l->value[0][at] = m[i].seconds;
        l->value[2][at] = m[i].rate / 1e9;
        l->value[3][at] = m[i].peak / 1e9;
    }
    return VV_OK;
}

/* From the place with fewest ranks: the rate of as many of its ranks, and what time and memory follow from that. */
static void set_best(const sheet *s, line *l)
{
    int first = 0;
    bool strong = !strcmp(s->scaling, "strong");
    while (isnan(l->value[0][first])) first++;
    for (int i = first; i < s->n_places; i++) {
        double more = s->place[i] / s->place[first];
        l->value[1][i] = l->value[2][i] / (l->value[2][first] * more);
        l->best[0][i] = l->value[0][first] / (strong ? more : 1);
        l->best[1][i] = 1;
        l->best[2][i] = l->value[2][first] * more;
        l->best[3][i] = l->value[3][first] / (strong ? more : 1);
    }
    /* A product of matrices does more work for its data than they grow by. */
    if (!strong && !strcmp(l->name, "matmul"))
        for (int i = first; i < s->n_places; i++)
            l->best[0][i] = l->value[0][first] * sqrt(s->place[i] / s->place[first]);
}

static void make_panels(const sheet *s, vv_curve curve[PANELS][2 * MOST_CURVES], char title[PANELS][64],
                        vv_curves panel[PANELS])
{
    static const char *const names[] = {"time", "efficiency", "rate", "memory of a rank"};
    static const char *const units[] = {"s", "", "GB/s (matmul: Gflop/s)", "GB"};
    bool wide = s->place[s->n_places - 1] >= LOG_FROM * s->place[0];
    for (int k = 0; k < PANELS; k++) {
        for (int i = 0; i < s->n_lines; i++) {
            curve[k][2 * i] = (vv_curve){s->line[i].label, s->line[i].value[k]};
            curve[k][2 * i + 1] = (vv_curve){NULL, s->line[i].best[k]};
        }
        snprintf(title[k], sizeof title[k], "%s scaling: %s", s->scaling, names[k]);
        panel[k] = (vv_curves){.title = title[k],
                               .x_label = "ranks",
                               .y_label = *units[k] ? units[k] : NULL,
                               .n = s->n_places,
                               .n_curves = 2 * s->n_lines,
                               .x = s->place,
                               .curve = curve[k],
                               .log_x = wide,
                               .log_y = k == 0 || k == 2};
    }
}

static void free_sheet(sheet *s)
{
    for (int i = 0; i < s->n_lines; i++)
        for (int k = 0; k < PANELS; k++) {
            free(s->line[i].value[k]);
            free(s->line[i].best[k]);
        }
    free(s->place);
}

static vv_status make_sheet(const vv_cli_measure *m, int n, const char *scaling, sheet *out)
{
    *out = (sheet){.scaling = scaling};
    vv_status status = find_places(m, n, out);
    if (status == VV_OK) status = fill(m, n, out);
    for (int i = 0; i < out->n_lines && status == VV_OK; i++) set_best(out, &out->line[i]);
    return status;
}

/* "AMD EPYC ..., 4 nodes at most": what the picture is of. */
static char *title_of(const vv_cli_measure *m, int n)
{
    char *text = NULL;
    int nodes = 1;
    for (int i = 0; i < n; i++)
        if (m[i].nodes > nodes) nodes = m[i].nodes;
    return asprintf(&text, "varve %s on up to %d node%s: %s", m[n - 1].version, nodes, nodes == 1 ? "" : "s",
                    m[n - 1].machine) < 0
               ? NULL
               : text;
}

static vv_status draw(const vv_cli_request *r, const vv_cli_measure *m, int n)
{
    static const char *const scalings[] = {"strong", "weak"};
    static vv_curve curve[2 * PANELS][2 * MOST_CURVES];
    static char title[2 * PANELS][64];
    vv_curves panel[2 * PANELS];
    sheet s[2] = {{0}, {0}};
    int panels = 0;
    vv_status status = VV_OK;
    for (int i = 0; i < 2 && status == VV_OK; i++) {
        status = make_sheet(m, n, scalings[i], &s[i]);
        if (status != VV_OK || s[i].n_places == 0) continue;
        make_panels(&s[i], curve + panels, title + panels, panel + panels);
        panels += PANELS;
    }
    vv_plot_options o = VV_PLOT_OPTIONS_INIT;
    char *above = r->picture.title ? NULL : title_of(m, n);
    o.title = r->picture.title ? r->picture.title : above;
    o.overwrite = r->overwrite;
    if (panels > PANELS) {
        o.width = 1800;
        o.height = 760;
    }
    if (status == VV_OK) status = vv_plot_curves(panel, panels, r->output, &o);
    free(above);
    for (int i = 0; i < 2; i++) free_sheet(&s[i]);
    return status;
}

vv_status vv_cli_bench_plot(const vv_cli_request *r)
{
    vv_cli_measure *m;
    int n;
    if (r->inputs.n < 2)
        return vv_error(VV_ERR_USAGE, "bench plot needs a table that 'varve bench scaling -o' has made");
    if (!r->output) return vv_error(VV_ERR_USAGE, "bench plot needs a picture to write: -o curves.png");
    vv_status status = vv_cli_measure_read(r->inputs.item[1], &m, &n);
    if (status == VV_OK) status = draw(r, m, n);
    free(m);
    return status;
}

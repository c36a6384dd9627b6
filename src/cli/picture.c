#include "cli/picture.h"

#include "cli/launcher.h"
#include "varve/plot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COLUMNS = 80, MOST_COLUMNS = 160 };

static bool picture_on_screen(const vv_cli_request *r)
{
    return !r->output || !strcmp(r->output, "-");
}

bool vv_cli_picture_wanted(const vv_cli_request *r)
{
    if (r->command.run == vv_cli_plot) return true;
    return r->output && !r->append && vv_plot_is_picture(r->output);
}

/* "1600x900", "1600" */
static vv_status picture_size(const char *text, vv_plot_options *o)
{
    char *end = NULL, *last;
    if (!text) return VV_OK;
    long width = strtol(text, &end, 10), height = 0;
    last = end;
    if (end != text && *end == 'x') height = strtol(end + 1, &last, 10);
    bool good = end != text && !*last && (*end == 0 || last != end + 1) && width > 0 && width <= 100000 &&
                height >= 0 && height <= 100000;
    if (!good) return vv_error(VV_ERR_USAGE, "--size takes pixels such as 1600x900, or a width alone, not '%s'", text);
    o->width = (int)width;
    o->height = (int)height;
    return VV_OK;
}

static vv_status picture_center(const char *text, vv_plot_options *o)
{
    char *end;
    if (!text) return VV_OK;
    o->uncentered = !strcmp(text, "none");
    if (o->uncentered) return VV_OK;
    o->center = strtod(text, &end);
    if (end == text || *end || !isfinite(o->center))
        return vv_error(VV_ERR_USAGE, "--center takes a number, or none, not '%s'", text);
    return VV_OK;
}

static vv_status picture_options(const vv_cli_request *r, vv_plot_options *o)
{
    const vv_cli_picture *p = &r->picture;
    *o = (vv_plot_options)VV_PLOT_OPTIONS_INIT;
    bool plots = r->command.run == vv_cli_plot;
    o->overwrite = r->overwrite;
    if (!plots) return VV_OK;
    o->kind = (vv_plot_kind)p->kind;
    o->dims = p->dims;
    o->select = p->select;
    o->panels = p->panels;
    o->title = p->title;
    o->cmap = p->cmap;
    o->vmin = p->vmin;
    o->vmax = p->vmax;
    o->robust = p->robust;
    o->levels = p->levels;
    o->bins = p->bins;
    o->dpi = p->dpi;
    vv_status status = picture_size(p->size, o);
    return status == VV_OK ? picture_center(p->center, o) : status;
}

static int screen_columns(void)
{
    struct winsize w;
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
        return w.ws_col > MOST_COLUMNS ? MOST_COLUMNS : w.ws_col - 1;
    return COLUMNS;
}

static vv_status draw_or_explain(vv_cli_results *x, vv_array *const arrays[], const char *const names[],
                                 const vv_plot_options *o)
{
    char *text = NULL;
    const vv_cli_request *r = x->request;
    vv_status status;
    if (r->explain != VV_CLI_EXPLAIN_NOT) {
        vv_explain_options how = vv_cli_explain_options(r);
        status = vv_plot_explain(arrays, x->n, o, &how, &text);
    } else if (picture_on_screen(r)) {
        const char *no = getenv("NO_COLOR");
        bool color = vv_cli_on_terminal() && !(no && *no);
        status = vv_plot_text(arrays, names, x->n, screen_columns(), color, o, &text);
    } else {
        status = vv_plot(arrays, names, x->n, r->output, o);
    }
    if (status == VV_OK && text) fputs(text, stdout);
    free(text);
    if (status == VV_OK && r->explain == VV_CLI_EXPLAIN_NOT) vv_cli_results_count(x);
    return status;
}

vv_status vv_cli_picture_draw(vv_cli_results *x)
{
    vv_plot_options o;
    vv_array **arrays = calloc((size_t)x->n + 1, sizeof(vv_array *));
    const char **names = calloc((size_t)x->n + 1, sizeof *names);
    vv_status status = arrays && names ? VV_OK : vv_error(VV_ERR_NOMEM, "no memory for the names of results");
    if (status == VV_OK) status = picture_options(x->request, &o);
    for (int i = 0; status == VV_OK && i < x->n; i++) {
        arrays[i] = x->item[i].array;
        names[i] = x->item[i].name;
    }
    if (status == VV_OK) status = draw_or_explain(x, arrays, names, &o);
    free(arrays);
    free(names);
    return status;
}

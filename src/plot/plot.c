/* Pictures of arrays: the functions that users call. */
#include "plot/shown.h"

#include "base/mem.h"
#include "draw/canvas.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DPI = 100, LEAST_DPI = 20, MOST_DPI = 1200, LEAST_SIZE = 100, MOST_SIZE = 20000, WIDTH = 1200 };

static vv_status check_options(const vv_plot_options *o)
{
    if (o->dpi != 0 && (o->dpi < LEAST_DPI || o->dpi > MOST_DPI))
        return vv_fail(VV_ERR_USAGE, "a picture has %d to %d pixels an inch, not %d", LEAST_DPI, MOST_DPI, o->dpi);
    const int size[] = {o->width, o->height};
    for (int i = 0; i < 2; i++)
        if (size[i] != 0 && (size[i] < LEAST_SIZE || size[i] > MOST_SIZE))
            return vv_fail(VV_ERR_USAGE, "a picture is %d to %d pixels wide and high, not %d", LEAST_SIZE, MOST_SIZE,
                           size[i]);
    if (o->vmin >= o->vmax)
        return vv_fail(VV_ERR_USAGE, "the lower limit %g is not below the upper one, %g", o->vmin, o->vmax);
    return VV_OK;
}

static double scale_of(const vv_plot_options *o)
{
    return (o->dpi ? o->dpi : DPI) / (double)DPI;
}

static double pixels_wide(const vv_plot_options *o)
{
    return o->width ? o->width : WIDTH * scale_of(o);
}

static vv_status plan(vv_plotting *p, vv_array *const arrays[], const char *const names[], int n)
{
    VV_TRY(check_options(p->o));
    VV_TRY(vv_plot_choose(p, arrays, names, n));
    return vv_plot_reduce(p);
}

static void set_size(const vv_plot_options *o, vv_picture *out)
{
    out->scale = scale_of(o);
    out->width = o->width / out->scale;
    out->height = o->height / out->scale;
}

/* The picture of arrays, which is to be freed. */
static vv_status make(vv_array *const arrays[], const char *const names[], int n, const vv_plot_options *o,
                      double width, vv_picture *out)
{
    vv_plotting p = {.o = o, .width = width};
    vv_status status = plan(&p, arrays, names, n);
    if (status == VV_OK) status = vv_plot_fetch(&p);
    if (status == VV_OK) status = vv_plot_compose(&p, out);
    vv_plotting_free(&p);
    if (status != VV_OK) return status;
    set_size(o, out);
    return VV_OK;
}

/* --- files --- */

static vv_status write_all(FILE *f, const vv_buf *b, const char *path)
{
    bool good = fwrite(b->data, 1, b->size, f) == b->size && fflush(f) == 0 && fsync(fileno(f)) == 0;
    return good ? VV_OK : vv_fail_errno(VV_ERR_WRITE, "cannot write %s", path);
}

/* Beside its name until it is complete. */
static vv_status save(const vv_buf *b, const char *path)
{
    char *part = NULL;
    if (asprintf(&part, "%s.varve-part.%ld", path, (long)getpid()) < 0)
        return vv_fail(VV_ERR_NOMEM, "no memory for a file's name");
    FILE *f = fopen(part, "wb");
    vv_status status = f ? write_all(f, b, path) : vv_fail_errno(VV_ERR_WRITE, "cannot write %s", path);
    if (f && fclose(f) != 0 && status == VV_OK) status = vv_fail_errno(VV_ERR_WRITE, "cannot write %s", path);
    if (status == VV_OK && rename(part, path) != 0) status = vv_fail_errno(VV_ERR_WRITE, "cannot write %s", path);
    if (f && status != VV_OK) (void)remove(part);
    free(part);
    return status;
}

static vv_status check_path(const char *path, const vv_plot_options *o)
{
    const vv_canvas_kind *kind;
    VV_TRY(vv_canvas_kind_of(path, &kind));
    if (o->overwrite || access(path, F_OK) != 0) return VV_OK;
    return vv_fail(VV_ERR_EXISTS, "output %s exists; --overwrite replaces it", path);
}

static vv_status draw(const vv_picture *picture, const char *path)
{
    vv_buf file = {0};
    vv_status status = vv_picture_draw(picture, path, &file);
    if (status == VV_OK) status = save(&file, path);
    vv_buf_free(&file);
    return status;
}

vv_status vv_plot(vv_array *const arrays[], const char *const names[], int n, const char *path,
                  const vv_plot_options *options)
{
    vv_plot_options defaults = VV_PLOT_OPTIONS_INIT;
    const vv_plot_options *o = options ? options : &defaults;
    vv_picture picture;
    VV_TRY(check_path(path, o));
    VV_TRY(make(arrays, names, n, o, pixels_wide(o), &picture));
    vv_status status = draw(&picture, path);
    vv_picture_free(&picture);
    return status;
}

vv_status vv_plot_curves(const vv_curves panels[], int n, const char *path, const vv_plot_options *options)
{
    vv_plot_options defaults = VV_PLOT_OPTIONS_INIT;
    const vv_plot_options *o = options ? options : &defaults;
    vv_picture picture = {0};
    VV_TRY(check_options(o));
    VV_TRY(check_path(path, o));
    vv_status status = vv_plot_compose_curves(panels, n, o->title, &picture);
    set_size(o, &picture);
    if (status == VV_OK) status = draw(&picture, path);
    vv_picture_free(&picture);
    return status;
}

/* --- text --- */

vv_status vv_plot_text(vv_array *const arrays[], const char *const names[], int n, int columns, bool color,
                       const vv_plot_options *options, char **text)
{
    vv_plot_options defaults = VV_PLOT_OPTIONS_INIT;
    const vv_plot_options *o = options ? options : &defaults;
    vv_picture picture;
    vv_buf out = {0};
    *text = NULL;
    VV_TRY(make(arrays, names, n, o, 2.0 * columns, &picture));
    vv_status status = vv_picture_text(&picture, columns, color, &out);
    vv_picture_free(&picture);
    if (status == VV_OK)
        *text = out.data;
    else
        vv_buf_free(&out);
    return status;
}

/* --- explain --- */

static vv_status explain(vv_plotting *p, const vv_explain_options *how, char **text)
{
    vv_array **all;
    int n = 0;
    VV_TRY(vv_new(&all, 3 * (size_t)p->n, sizeof(vv_array *)));
    for (int i = 0; i < p->n; i++)
        for (int k = 0; k < p->item[i].n_values; k++) all[n++] = p->item[i].reduced[k];
    vv_status status = vv_explain_all(all, n, how, text);
    free(all);
    return status;
}

vv_status vv_plot_explain(vv_array *const arrays[], int n, const vv_plot_options *options,
                          const vv_explain_options *how, char **text)
{
    vv_plot_options o = VV_PLOT_OPTIONS_INIT;
    if (options) o = *options;
    if (o.kind == VV_PLOT_HISTOGRAM) { /* which limits it has changes nothing */
        if (isnan(o.vmin)) o.vmin = 0;
        if (isnan(o.vmax)) o.vmax = o.vmin + 1;
    }
    vv_plotting p = {.o = &o, .width = pixels_wide(&o)};
    *text = NULL;
    vv_status status = plan(&p, arrays, NULL, n);
    if (status == VV_OK) status = explain(&p, how, text);
    vv_plotting_free(&p);
    return status;
}

/* --- lists --- */

bool vv_plot_is_picture(const char *path)
{
    return vv_canvas_has_ending(path);
}

const char *vv_plot_colormap_name(int i)
{
    const vv_colormap *m = vv_colormap_at(i);
    return m ? m->name : NULL;
}

const char *vv_plot_colormap_help(int i)
{
    const vv_colormap *m = vv_colormap_at(i);
    return m ? m->help : NULL;
}

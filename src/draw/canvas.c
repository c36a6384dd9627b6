#include "draw/canvas.h"

#include <math.h>
#include <string.h>
#include <strings.h>

extern const vv_canvas_kind vv_canvas_png, vv_canvas_pdf, vv_canvas_svg;

static const vv_canvas_kind *const kinds[] = {&vv_canvas_png, &vv_canvas_svg, &vv_canvas_pdf};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

static const vv_canvas_kind *find(const char *path)
{
    size_t n = strlen(path);
    for (int i = 0; i < N_KINDS; i++) {
        size_t m = strlen(kinds[i]->ending);
        if (n > m && !strcasecmp(path + n - m, kinds[i]->ending)) return kinds[i];
    }
    return NULL;
}

bool vv_canvas_has_ending(const char *path)
{
    return find(path) != NULL;
}

vv_status vv_canvas_kind_of(const char *path, const vv_canvas_kind **out)
{
    *out = find(path);
    return *out ? VV_OK : vv_fail(VV_ERR_USAGE, "'%s': a picture's name ends in .png, .svg or .pdf", path);
}

/* Upright and level lines fill whole pixels: those of an odd width have their middle in the middle of one. */
static double crisp(const vv_canvas *c, double x, double width)
{
    if (fmod(rint(width * c->scale), 2) == 1) return (floor(x * c->scale + 1e-6) + 0.5) / c->scale;
    return rint(x * c->scale) / c->scale;
}

void vv_draw_rect(vv_canvas *c, double x, double y, double width, double height, const vv_line *line)
{
    double right = x + width, foot = y + height;
    if (line->width > 0) {
        x = crisp(c, x, line->width), right = crisp(c, right, line->width);
        y = crisp(c, y, line->width), foot = crisp(c, foot, line->width);
    }
    const double xy[] = {x, y, right, y, right, foot, x, foot, x, y};
    c->kind->shape(c, xy, 5, line);
}

void vv_draw_segment(vv_canvas *c, double x0, double y0, double x1, double y1, const vv_line *line)
{
    if (x0 == x1) x0 = x1 = crisp(c, x0, line->width);
    if (y0 == y1) y0 = y1 = crisp(c, y0, line->width);
    const double xy[] = {x0, y0, x1, y1};
    c->kind->shape(c, xy, 2, line);
}

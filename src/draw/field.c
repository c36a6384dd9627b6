/* Fields: every pixel of the panel gets the colour of the cell that it lies in or, where cells are smaller than pixels, of the mean of those that lie in it. So axes may be
 * irregular, and the pixels are those of the file that is written. */
#include "draw/parts.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

/* Borders as places along the axis, from 0 to 1. */
static vv_status places_of(const vv_axis *a, bool vertical, double **out)
{
    VV_TRY(vv_new(out, (size_t)a->n + 1, sizeof **out));
    for (vv_index i = 0; i <= a->n; i++) {
        double share = vv_axis_place(a, a->edge[i]);
        (*out)[i] = vertical ? 1 - share : share; /* rows are counted from the top */
    }
    return VV_OK;
}

/* The cell that a place lies in, -1 outside; borders ascend or descend. */
static int cell_at(const double *border, int n, double place)
{
    bool up = border[n] > border[0];
    int lo = 0, hi = n;
    if (up ? place < border[0] || place >= border[n] : place > border[0] || place <= border[n]) return -1;
    while (hi - lo > 1) {
        int middle = (lo + hi) / 2;
        if (up ? border[middle] <= place : border[middle] >= place)
            lo = middle;
        else
            hi = middle;
    }
    return lo;
}

static void find_cells(const double *border, int n, int pixels, vv_cells *out)
{
    for (int i = 0; i < pixels; i++) out->first[i] = out->last[i] = -1;
    for (int k = 0; k < n; k++) {
        double place = (border[k] + border[k + 1]) / 2 * pixels;
        int i = (int)floor(place);
        if (!(place >= 0) || i >= pixels) continue;
        if (out->first[i] < 0) out->first[i] = k;
        out->last[i] = k;
    }
    for (int i = 0; i < pixels; i++)
        if (out->first[i] < 0) out->first[i] = out->last[i] = cell_at(border, n, (i + 0.5) / pixels);
}

vv_status vv_cells_new(const vv_axis *a, bool vertical, int pixels, vv_cells *out)
{
    double *border = NULL;
    *out = (vv_cells){0};
    vv_status status = places_of(a, vertical, &border);
    if (status == VV_OK) status = vv_new(&out->first, (size_t)pixels, sizeof *out->first);
    if (status == VV_OK) status = vv_new(&out->last, (size_t)pixels, sizeof *out->last);
    if (status == VV_OK) find_cells(border, (int)a->n, pixels, out);
    free(border);
    return status;
}

void vv_cells_free(vv_cells *c)
{
    free(c->first);
    free(c->last);
    *c = (vv_cells){0};
}

double vv_cells_mean(const vv_panel *p, const vv_cells *x, const vv_cells *y, int i, int j)
{
    double sum = 0;
    int n = 0;
    for (int row = y->first[j]; row >= 0 && row <= y->last[j]; row++)
        for (int column = x->first[i]; column >= 0 && column <= x->last[i]; column++) {
            double value = p->value[row * p->x.n + column];
            if (isnan(value)) continue;
            sum += value;
            n++;
        }
    return n > 0 ? sum / n : NAN;
}

/* Paints all pixels; returns whether some have no value. */
static bool paint_pixels(const vv_panel *p, const vv_cells *x, const vv_cells *y, vv_pixels *out)
{
    bool missing = false;
    uint8_t *to = out->rgba;
    for (int j = 0; j < out->height; j++)
        for (int i = 0; i < out->width; i++, to += 4) {
            double value = vv_cells_mean(p, x, y, i, j);
            if (isnan(value)) {
                missing = true;
                continue;
            }
            vv_rgb color = vv_scale_color(&p->scale, value);
            to[0] = (uint8_t)(color.r * 255 + 0.5), to[1] = (uint8_t)(color.g * 255 + 0.5);
            to[2] = (uint8_t)(color.b * 255 + 0.5), to[3] = 255;
        }
    return missing;
}

/* Grey with thin lines: nothing that a value could look like. */
static void draw_hatched(vv_canvas *c, const vv_box *box)
{
    static const vv_line ground = {.color = {0.91, 0.91, 0.91}, .alpha = 1};
    static const vv_line line = {.width = 1, .color = {0.74, 0.74, 0.74}, .alpha = 1};
    enum { APART = 8 };
    vv_draw_rect(c, box->x, box->y, box->width, box->height, &ground);
    c->kind->clip(c, box->x, box->y, box->width, box->height);
    for (int i = 0; i < (box->width + box->height) / APART; i++) {
        double x = i * APART - box->height;
        vv_draw_segment(c, box->x + x, box->y + box->height, box->x + x + box->height, box->y, &line);
    }
    c->kind->clip_end(c);
}

vv_status vv_draw_field(vv_canvas *c, const vv_panel *p, const vv_box *box)
{
    static const vv_line frame = {.width = 1, .color = {0.13, 0.13, 0.13}, .alpha = 1};
    vv_cells x = {0}, y = {0};
    vv_pixels image = {.width = (int)lrint(box->width * c->scale), .height = (int)lrint(box->height * c->scale)};
    vv_status status = vv_cells_new(&p->x, false, image.width, &x);
    if (status == VV_OK) status = vv_cells_new(&p->y, true, image.height, &y);
    if (status == VV_OK) status = vv_new(&image.rgba, (size_t)image.width * (size_t)image.height, 4);
    if (status == VV_OK) {
        if (paint_pixels(p, &x, &y, &image)) draw_hatched(c, box);
        c->kind->image(c, box->x, box->y, box->width, box->height, &image);
        vv_draw_rect(c, box->x, box->y, box->width, box->height, &frame);
    }
    free(image.rgba);
    vv_cells_free(&x);
    vv_cells_free(&y);
    return status;
}

/* PNG and PDF by cairo, which is loaded when the first such picture is drawn: every other command starts without it and what it brings along, and a machine without it
 * lacks these two formats only. */
#include "draw/canvas.h"

#ifdef VARVE_HAVE_CAIRO

#include "base/mem.h"

#include <cairo-pdf.h>
#include <cairo.h>
#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CALLS(X)                                                                                                       \
    X(clip)                                                                                                            \
    X(close_path)                                                                                                      \
    X(create)                                                                                                          \
    X(destroy)                                                                                                         \
    X(fill)                                                                                                            \
    X(font_options_create)                                                                                             \
    X(font_options_destroy)                                                                                            \
    X(font_options_set_antialias)                                                                                      \
    X(font_options_set_hint_metrics)                                                                                   \
    X(font_options_set_hint_style)                                                                                     \
    X(image_surface_create)                                                                                            \
    X(image_surface_get_data)                                                                                          \
    X(image_surface_get_stride)                                                                                        \
    X(line_to)                                                                                                         \
    X(move_to)                                                                                                         \
    X(new_path)                                                                                                        \
    X(paint)                                                                                                           \
    X(pattern_set_filter)                                                                                              \
    X(pdf_surface_create_for_stream)                                                                                   \
    X(pdf_surface_set_metadata)                                                                                        \
    X(rectangle)                                                                                                       \
    X(restore)                                                                                                         \
    X(rotate)                                                                                                          \
    X(save)                                                                                                            \
    X(scale)                                                                                                           \
    X(select_font_face)                                                                                                \
    X(set_font_options)                                                                                                \
    X(set_font_size)                                                                                                   \
    X(set_line_cap)                                                                                                    \
    X(set_line_join)                                                                                                   \
    X(set_line_width)                                                                                                  \
    X(set_source_rgba)                                                                                                 \
    X(set_source_surface)                                                                                              \
    X(get_source)                                                                                                      \
    X(show_text)                                                                                                       \
    X(status)                                                                                                          \
    X(status_to_string)                                                                                                \
    X(stroke)                                                                                                          \
    X(surface_destroy)                                                                                                 \
    X(surface_finish)                                                                                                  \
    X(surface_flush)                                                                                                   \
    X(surface_mark_dirty)                                                                                              \
    X(surface_status)                                                                                                  \
    X(text_extents)                                                                                                    \
    X(translate)

#define LIBRARY "libcairo.so.2"
#define WITHOUT                                                                                                        \
    "%s: pictures in PNG and PDF are drawn by the library cairo, which cannot be loaded (%s); install it (Debian: "    \
    "apt install libcairo2), or name the picture .svg, which needs nothing"

static struct {
#define X(name) __typeof__(&cairo_##name) name;
    CALLS(X)
#undef X
} cairo;
static bool loaded;

static vv_status load(const char *what)
{
    if (loaded) return VV_OK;
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL), *symbol = NULL;
    if (!library) return vv_fail(VV_ERR_UNSUPPORTED, WITHOUT, what, dlerror());
#define X(name)                                                                                                        \
    symbol = dlsym(library, "cairo_" #name);                                                                           \
    if (!symbol) return vv_fail(VV_ERR_UNSUPPORTED, WITHOUT, what, dlerror());                                         \
    memcpy(&cairo.name, &symbol, sizeof symbol);
    CALLS(X)
#undef X
    loaded = true;
    return VV_OK;
}

typedef struct drawing {
    cairo_surface_t *surface;
    cairo_t *c;
} drawing;

static cairo_t *of(const vv_canvas *c)
{
    return ((drawing *)c->state)->c;
}

static vv_status begin(vv_canvas *c, cairo_surface_t *surface, double scale)
{
    drawing *d;
    VV_TRY(vv_new(&d, 1, sizeof *d));
    d->surface = surface;
    d->c = cairo.create(surface);
    c->state = d;
    cairo.scale(d->c, scale, scale);
    cairo_font_options_t *o = cairo.font_options_create();
    cairo.font_options_set_antialias(o, CAIRO_ANTIALIAS_GRAY);
    cairo.font_options_set_hint_style(o, CAIRO_HINT_STYLE_NONE); /* text as long at every scale */
    cairo.font_options_set_hint_metrics(o, CAIRO_HINT_METRICS_OFF);
    cairo.set_font_options(d->c, o);
    cairo.font_options_destroy(o);
    cairo.set_line_join(d->c, CAIRO_LINE_JOIN_ROUND);
    return VV_OK;
}

static vv_status png_open(vv_canvas *c)
{
    VV_TRY(load("PNG"));
    int width = (int)lrint(c->width * c->scale), height = (int)lrint(c->height * c->scale);
    VV_TRY(begin(c, cairo.image_surface_create(CAIRO_FORMAT_RGB24, width, height), c->scale));
    return VV_OK;
}

static cairo_status_t take(void *context, const unsigned char *data, unsigned int n)
{
    vv_canvas *c = context;
    vv_buf_bytes(&c->out, data, n);
    return c->out.failed ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

/* A point of PDF is 1/72 inch; a pixel here 1/100. */
static vv_status pdf_open(vv_canvas *c)
{
    static const double point = 72.0 / 100;
    VV_TRY(load("PDF"));
    cairo_surface_t *s = cairo.pdf_surface_create_for_stream(take, c, c->width * point, c->height * point);
    if (c->title) cairo.pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_TITLE, c->title);
    return begin(c, s, point);
}

static void paint(vv_canvas *c, const vv_line *line)
{
    cairo.set_source_rgba(of(c), line->color.r, line->color.g, line->color.b, line->alpha);
    if (line->width > 0) {
        cairo.set_line_width(of(c), line->width);
        cairo.stroke(of(c));
    } else {
        cairo.fill(of(c));
    }
}

static void cairo_shape(vv_canvas *c, const double *xy, int n, const vv_line *line)
{
    bool begins = true;
    for (int i = 0; i < n; i++) {
        bool gone = isnan(xy[2 * i]) || isnan(xy[2 * i + 1]);
        if (!gone) (begins ? cairo.move_to : cairo.line_to)(of(c), xy[2 * i], xy[2 * i + 1]);
        begins = gone;
    }
    if (line->width == 0) cairo.close_path(of(c));
    paint(c, line);
}

static void set_font(vv_canvas *c, const vv_font *font)
{
    cairo.select_font_face(of(c), "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                           font->bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo.set_font_size(of(c), font->size);
}

static double cairo_text_width(vv_canvas *c, const char *text, const vv_font *font)
{
    cairo_text_extents_t e;
    set_font(c, font);
    cairo.text_extents(of(c), text, &e);
    return e.x_advance;
}

static void cairo_text(vv_canvas *c, double x, double y, const char *text, const vv_font *font, vv_anchor anchor)
{
    double width = cairo_text_width(c, text, font);
    cairo.save(of(c));
    cairo.translate(of(c), x, y);
    if (font->upwards) cairo.rotate(of(c), -acos(0));
    cairo.move_to(of(c), anchor == VV_ANCHOR_LEFT ? 0 : anchor == VV_ANCHOR_MIDDLE ? -width / 2 : -width, 0);
    cairo.set_source_rgba(of(c), font->color.r, font->color.g, font->color.b, 1);
    cairo.show_text(of(c), text);
    cairo.new_path(of(c));
    cairo.restore(of(c));
}

static void cairo_image(vv_canvas *c, double x, double y, double width, double height, const vv_pixels *p)
{
    cairo_surface_t *s = cairo.image_surface_create(CAIRO_FORMAT_ARGB32, p->width, p->height);
    uint8_t *data = cairo.image_surface_get_data(s);
    int stride = cairo.image_surface_get_stride(s);
    for (int j = 0; data && j < p->height; j++)
        for (int i = 0; i < p->width; i++) {
            const uint8_t *from = p->rgba + 4 * ((size_t)j * (size_t)p->width + (size_t)i);
            uint32_t argb = from[3] ? 0xff000000u | (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2] : 0;
            memcpy(data + (size_t)j * (size_t)stride + 4 * (size_t)i, &argb, 4);
        }
    cairo.surface_mark_dirty(s);
    cairo.save(of(c));
    cairo.translate(of(c), x, y);
    cairo.scale(of(c), width / p->width, height / p->height);
    cairo.set_source_surface(of(c), s, 0, 0);
    cairo.pattern_set_filter(cairo.get_source(of(c)), CAIRO_FILTER_NEAREST);
    cairo.paint(of(c));
    cairo.restore(of(c));
    cairo.surface_destroy(s);
}

static void cairo_clip_to(vv_canvas *c, double x, double y, double width, double height)
{
    cairo.save(of(c));
    cairo.rectangle(of(c), x, y, width, height);
    cairo.clip(of(c));
}

static void cairo_clip_end(vv_canvas *c)
{
    cairo.restore(of(c));
}

/* What went wrong in between, cairo remembers. */
static vv_status outcome(const drawing *d)
{
    cairo_status_t status = cairo.status(d->c);
    if (status == CAIRO_STATUS_SUCCESS) status = cairo.surface_status(d->surface);
    if (status == CAIRO_STATUS_SUCCESS) return VV_OK;
    return vv_fail(status == CAIRO_STATUS_NO_MEMORY ? VV_ERR_NOMEM : VV_ERR_RUN, "cairo could not draw the picture: %s",
                   cairo.status_to_string(status));
}

static vv_status png_encode(vv_canvas *c, const drawing *d)
{
    vv_pixels p = {.width = (int)lrint(c->width * c->scale), .height = (int)lrint(c->height * c->scale)};
    cairo.surface_flush(d->surface);
    const uint8_t *data = cairo.image_surface_get_data(d->surface);
    int stride = cairo.image_surface_get_stride(d->surface);
    VV_TRY(vv_new(&p.rgba, (size_t)p.width * (size_t)p.height, 4));
    for (int j = 0; j < p.height; j++)
        for (int i = 0; i < p.width; i++) {
            uint32_t rgb;
            uint8_t *to = p.rgba + 4 * ((size_t)j * (size_t)p.width + (size_t)i);
            memcpy(&rgb, data + (size_t)j * (size_t)stride + 4 * (size_t)i, 4);
            to[0] = (uint8_t)(rgb >> 16), to[1] = (uint8_t)(rgb >> 8), to[2] = (uint8_t)rgb, to[3] = 255;
        }
    vv_status status = vv_png_encode(&p, (int)lrint(100 * c->scale), c->title, &c->out);
    free(p.rgba);
    return status;
}

static void end(vv_canvas *c)
{
    drawing *d = c->state;
    cairo.destroy(d->c);
    cairo.surface_destroy(d->surface);
    free(d);
    c->state = NULL;
}

static vv_status png_close(vv_canvas *c)
{
    vv_status status = outcome(c->state);
    if (status == VV_OK) status = png_encode(c, c->state);
    end(c);
    return status;
}

static vv_status pdf_close(vv_canvas *c)
{
    drawing *d = c->state;
    vv_status status = outcome(d);
    cairo.surface_finish(d->surface);
    if (status == VV_OK) status = outcome(d);
    end(c);
    return status == VV_OK ? vv_buf_status(&c->out) : status;
}

#else

/* Never reached: opening fails. */
#define cairo_shape      NULL
#define cairo_text       NULL
#define cairo_text_width NULL
#define cairo_image      NULL
#define cairo_clip_to    NULL
#define cairo_clip_end   NULL
#define png_close        NULL
#define pdf_close        NULL

static vv_status png_open(vv_canvas *c)
{
    (void)c;
    return vv_fail(VV_ERR_UNSUPPORTED, "PNG and PDF: this varve was built without the library cairo, which draws them; "
                                       "name the picture .svg, or build with it (Debian: apt install libcairo2-dev)");
}
#define pdf_open         png_open

#endif

extern const vv_canvas_kind vv_canvas_png, vv_canvas_pdf;
const vv_canvas_kind vv_canvas_png = {".png",      png_open,      cairo_shape,    cairo_text, cairo_text_width,
                                      cairo_image, cairo_clip_to, cairo_clip_end, png_close};
const vv_canvas_kind vv_canvas_pdf = {".pdf",      pdf_open,      cairo_shape,    cairo_text, cairo_text_width,
                                      cairo_image, cairo_clip_to, cairo_clip_end, pdf_close};

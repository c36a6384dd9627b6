/* SVG as text: shapes are paths, text is text, pixels are a PNG within. Widths of letters are those of DejaVu Sans (and of Verdana), which comes first in the list
 * of fonts. */
#include "draw/canvas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FONTS "DejaVu Sans, Verdana, Geneva, sans-serif"

/* Advances of the printable characters of ASCII in thousandths of the size, regular and bold. */
static const uint16_t advance[2][95] = {
    {318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361,  318, 337, 636, 636, 636,
     636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632,
     575, 775, 752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635,  611, 732, 684, 989, 685,
     611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352,  635, 634, 278, 278, 579,
     278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592,  525, 636, 337, 636, 838},
    {348, 456,  521, 838, 696, 1002, 872, 306, 457, 457, 523, 838, 380, 415,  380, 365, 696, 696,  696,
     696, 696,  696, 696, 696, 696,  696, 400, 400, 838, 838, 838, 580, 1000, 774, 762, 734, 830,  683,
     683, 821,  837, 372, 372, 775,  637, 995, 837, 850, 733, 850, 770, 720,  682, 812, 774, 1103, 771,
     724, 725,  457, 365, 457, 838,  500, 500, 675, 716, 593, 716, 678, 435,  716, 712, 343, 343,  665,
     343, 1042, 712, 687, 716, 716,  493, 595, 478, 712, 652, 924, 645, 652,  582, 712, 365, 712,  838}};

/* Of others: the code point and its advance. */
static const uint16_t others[][2] = {{0xb0, 500},   {0xb7, 318},   {0xb9, 401},   {0xb2, 401},
                                     {0xb3, 401},   {0x2070, 401}, {0x2074, 401}, {0x2075, 401},
                                     {0x2076, 401}, {0x2077, 401}, {0x2078, 401}, {0x2079, 401},
                                     {0x207b, 528}, {0x2212, 838}, {0x2013, 500}, {0x2026, 1000}};

static uint32_t next_code(const char **text)
{
    const unsigned char *s = (const unsigned char *)*text;
    int more = s[0] >= 0xf0 ? 3 : s[0] >= 0xe0 ? 2 : s[0] >= 0xc0 ? 1 : 0;
    uint32_t code = more ? s[0] & (0x3fu >> more) : s[0];
    int i = 1;
    for (; i <= more && (s[i] & 0xc0) == 0x80; i++) code = code << 6 | (s[i] & 0x3f);
    *text += i;
    return code;
}

static double svg_text_width(vv_canvas *c, const char *text, const vv_font *font)
{
    (void)c;
    double sum = 0;
    while (*text) {
        uint32_t code = next_code(&text);
        double width = 640;
        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
            if (others[i][0] == code) width = others[i][1];
        if (code >= 32 && code < 127) width = advance[font->bold][code - 32];
        sum += width;
    }
    return sum / 1000 * font->size;
}

static void put_color(vv_buf *b, const char *name, vv_rgb color)
{
    vv_buf_printf(b, " %s=\"#%02x%02x%02x\"", name, (int)(color.r * 255 + 0.5), (int)(color.g * 255 + 0.5),
                  (int)(color.b * 255 + 0.5));
}

static void put_escaped(vv_buf *b, const char *text)
{
    for (; *text; text++) switch (*text) {
        case '<': vv_buf_text(b, "&lt;"); break;
        case '>': vv_buf_text(b, "&gt;"); break;
        case '&': vv_buf_text(b, "&amp;"); break;
        default: vv_buf_printf(b, "%c", (unsigned char)*text < 0x20 ? ' ' : *text);
        }
}

static vv_status svg_open(vv_canvas *c)
{
    double width = c->width * c->scale, height = c->height * c->scale;
    vv_buf_printf(&c->out,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" "
                  "width=\"%.10g\" height=\"%.10g\" viewBox=\"0 0 %.10g %.10g\">\n<title>",
                  width, height, c->width, c->height);
    put_escaped(&c->out, c->title ? c->title : "");
    vv_buf_text(&c->out, "</title>\n<g font-family=\"" FONTS "\" stroke-linejoin=\"round\">\n");
    return VV_OK;
}

static void svg_shape(vv_canvas *c, const double *xy, int n, const vv_line *line)
{
    vv_buf *b = &c->out;
    bool begins = true;
    vv_buf_text(b, "<path d=\"");
    for (int i = 0; i < n; i++) {
        bool gone = isnan(xy[2 * i]) || isnan(xy[2 * i + 1]);
        if (!gone) vv_buf_printf(b, "%s%.2f %.2f", begins ? "M" : "L", xy[2 * i], xy[2 * i + 1]);
        begins = gone;
    }
    vv_buf_text(b, "\"");
    if (line->width > 0) {
        vv_buf_text(b, " fill=\"none\"");
        put_color(b, "stroke", line->color);
        vv_buf_printf(b, " stroke-width=\"%.2f\"", line->width);
    } else {
        put_color(b, "fill", line->color);
    }
    if (line->alpha < 1)
        vv_buf_printf(b, " %s=\"%.2f\"", line->width > 0 ? "stroke-opacity" : "fill-opacity", line->alpha);
    vv_buf_text(b, "/>\n");
}

static void svg_text(vv_canvas *c, double x, double y, const char *text, const vv_font *font, vv_anchor anchor)
{
    static const char *const name[] = {"start", "middle", "end"};
    vv_buf *b = &c->out;
    vv_buf_printf(b, "<text x=\"%.2f\" y=\"%.2f\" font-size=\"%.2f\" text-anchor=\"%s\"", x, y, font->size,
                  name[anchor]);
    if (font->bold) vv_buf_text(b, " font-weight=\"bold\"");
    put_color(b, "fill", font->color);
    if (font->upwards) vv_buf_printf(b, " transform=\"rotate(-90 %.2f %.2f)\"", x, y);
    vv_buf_text(b, ">");
    put_escaped(b, text);
    vv_buf_text(b, "</text>\n");
}

static void put_base64(vv_buf *b, const uint8_t *data, size_t n)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        uint32_t x =
            (uint32_t)data[i] << 16 | (i + 1 < n ? (uint32_t)data[i + 1] << 8 : 0) | (i + 2 < n ? data[i + 2] : 0);
        const char four[] = {digit[x >> 18], digit[x >> 12 & 63], i + 1 < n ? digit[x >> 6 & 63] : '=',
                             i + 2 < n ? digit[x & 63] : '='};
        vv_buf_bytes(b, four, 4);
    }
}

static void svg_image(vv_canvas *c, double x, double y, double width, double height, const vv_pixels *p)
{
    vv_buf png = {0};
    if (vv_png_encode(p, 0, NULL, &png) != VV_OK) c->out.failed = true;
    vv_buf_printf(&c->out,
                  "<image x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" preserveAspectRatio=\"none\" "
                  "style=\"image-rendering:pixelated\" xlink:href=\"data:image/png;base64,",
                  x, y, width, height);
    put_base64(&c->out, (const uint8_t *)png.data, png.size);
    vv_buf_text(&c->out, "\"/>\n");
    vv_buf_free(&png);
}

static void svg_clip(vv_canvas *c, double x, double y, double width, double height)
{
    int number = ++c->clips;
    vv_buf_printf(&c->out,
                  "<clipPath id=\"clip%d\"><rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/></clipPath>\n"
                  "<g clip-path=\"url(#clip%d)\">\n",
                  number, x, y, width, height, number);
}

static void svg_clip_end(vv_canvas *c)
{
    vv_buf_text(&c->out, "</g>\n");
}

static vv_status svg_close(vv_canvas *c)
{
    vv_buf_text(&c->out, "</g>\n</svg>\n");
    return vv_buf_status(&c->out);
}

extern const vv_canvas_kind vv_canvas_svg;
const vv_canvas_kind vv_canvas_svg = {".svg",    svg_open, svg_shape,    svg_text, svg_text_width,
                                      svg_image, svg_clip, svg_clip_end, svg_close};

#include "draw/color.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* viridis, magma and plasma are Stéfan van der Walt's and Nathaniel Smith's (CC0), cividis is Nuñez's, Anderton's and Renslow's (CC0): 17 of their 256 colours. */
static const vv_colormap maps[] = {
    {.name = "viridis",
     .help = "dark blue to yellow, the default",
     .color = {0x440154, 0x48186A, 0x472D7B, 0x424086, 0x3B528B, 0x33638D, 0x2C728E, 0x26818E, 0x21908C, 0x1F9F88,
               0x28AE80, 0x3EBC74, 0x5DC963, 0x82D34C, 0xABDC32, 0xD5E21A, 0xFDE725}},
    {.name = "cividis",
     .help = "blue to yellow, the same to colour-blind eyes",
     .color = {0x00224E, 0x002E6A, 0x1A386F, 0x32436D, 0x434E6C, 0x52596D, 0x61656F, 0x6F7073, 0x7C7B78, 0x8B8778,
               0x9B9376, 0xABA072, 0xBBAD6C, 0xCCBA64, 0xDDC958, 0xEFD748, 0xFEE838}},
    {.name = "magma",
     .help = "black over red to pale yellow",
     .color = {0x000004, 0x0A0822, 0x1D1146, 0x36106A, 0x50127C, 0x691C81, 0x822681, 0x9C2E7F, 0xB63779, 0xCF4170,
               0xE65163, 0xF5695C, 0xFB8761, 0xFEA571, 0xFEC387, 0xFDE0A2, 0xFCFDBF}},
    {.name = "plasma",
     .help = "blue over red to yellow",
     .color = {0x0D0887, 0x310596, 0x4C02A1, 0x6600A7, 0x7E03A8, 0x9511A2, 0xA92396, 0xBB3587, 0xCB4778, 0xD9596A,
               0xE66C5C, 0xF07F4F, 0xF89441, 0xFDAB33, 0xFDC328, 0xF9DD25, 0xF0F921}},
    {.name = "gray", .help = "black to white", .darkest = 8},
    {.name = "rain",
     .help = "white to dark blue: of what is mostly zero",
     .hue = {235, 280},
     .chroma = {48, 48},
     .darkest = 22},
    {.name = "balance",
     .help = "blue, white, red: the default of what lies around zero",
     .diverging = true,
     .hue = {272, 32},
     .chroma = {47, 64},
     .darkest = 28},
    {.name = "drywet",
     .help = "brown, white, green: of water around zero",
     .diverging = true,
     .hue = {72, 185},
     .chroma = {58, 40},
     .darkest = 30},
};
enum { N_MAPS = sizeof maps / sizeof *maps };

const vv_colormap *vv_colormap_at(int i)
{
    return i >= 0 && i < N_MAPS ? &maps[i] : NULL;
}

vv_status vv_colormap_find(const char *name, const vv_colormap **out, bool *reversed)
{
    const char *names[N_MAPS];
    char plain[32];
    size_t n = strlen(name);
    *reversed = n > 2 && !strcmp(name + n - 2, "_r");
    snprintf(plain, sizeof plain, "%.*s", (int)(n - (*reversed ? 2 : 0)), name);
    for (int i = 0; i < N_MAPS; i++) {
        names[i] = maps[i].name;
        if (strcmp(plain, maps[i].name) != 0) continue;
        *out = &maps[i];
        return VV_OK;
    }
    vv_buf all = {0};
    for (int i = 0; i < N_MAPS; i++) vv_buf_printf(&all, "%s%s", i ? ", " : "", names[i]);
    const char *near = vv_nearest(plain, names, N_MAPS);
    vv_status status = vv_fail(VV_ERR_USAGE, "there is no colour map '%s'%s%s%s; there are %s", name,
                               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "", all.data);
    vv_buf_free(&all);
    return status;
}

/* --- colours by lightness and hue --- */

static double from_linear(double x)
{
    x = x < 0 ? 0 : x > 1 ? 1 : x;
    return x <= 0.0031308 ? 12.92 * x : 1.055 * pow(x, 1 / 2.4) - 0.055;
}

static double lab_inverse(double t)
{
    return t > 6.0 / 29 ? t * t * t : 3 * (6.0 / 29) * (6.0 / 29) * (t - 4.0 / 29);
}

/* CIE L*a*b* of D65 as sRGB; what no screen can show becomes the nearest that it can. */
static vv_rgb from_lab(double lightness, double chroma, double hue)
{
    const double radians = hue * acos(-1) / 180;
    double l = (lightness + 16) / 116;
    double x = 0.95047 * lab_inverse(l + chroma * cos(radians) / 500), y = lab_inverse(l);
    double z = 1.08883 * lab_inverse(l - chroma * sin(radians) / 200);
    return (vv_rgb){from_linear(3.2406 * x - 1.5372 * y - 0.4986 * z),
                    from_linear(-0.9689 * x + 1.8758 * y + 0.0415 * z),
                    from_linear(0.0557 * x - 0.2040 * y + 1.0570 * z)};
}

/* From the pale middle, 0, to an end, 1: darker by equal steps, most colourful on the way. */
static vv_rgb arm(const vv_colormap *m, int end, double distance)
{
    double lightness = 97 - (97 - m->darkest) * distance;
    return from_lab(lightness, m->chroma[end] * sin(acos(-1) * 0.6 * distance), m->hue[end]);
}

static vv_rgb computed(const vv_colormap *m, double share)
{
    if (m->diverging) return arm(m, share > 0.5, fabs(2 * share - 1));
    if (m->hue[0] == m->hue[1]) return from_lab(m->darkest + (98 - m->darkest) * share, 0, 0);
    double lightness = 98 - (98 - m->darkest) * share;
    return from_lab(lightness, m->chroma[0] * sin(acos(-1) * 0.72 * share),
                    m->hue[0] + (m->hue[1] - m->hue[0]) * share);
}

static vv_rgb from_table(const vv_colormap *m, double share)
{
    double place = share * (VV_MAP_COLORS - 1);
    int i = place >= VV_MAP_COLORS - 1 ? VV_MAP_COLORS - 2 : (int)place;
    double f = place - i;
    double part[3];
    for (int c = 0; c < 3; c++) {
        int shift = 16 - 8 * c;
        double a = m->color[i] >> shift & 255, b = m->color[i + 1] >> shift & 255;
        part[c] = (a + f * (b - a)) / 255;
    }
    return (vv_rgb){part[0], part[1], part[2]};
}

vv_rgb vv_colormap_color(const vv_colormap *m, bool reversed, double share)
{
    share = !(share > 0) ? 0 : share > 1 ? 1 : share;
    if (reversed) share = 1 - share;
    return m->color[0] || m->color[1] ? from_table(m, share) : computed(m, share);
}

/* --- scales --- */

/* Place of x between lo and hi; around the centre, where there is one, by the same length on both sides. */
static double share_of(const vv_scale *s, double x, double lo, double hi, double center)
{
    if (!s->map->diverging || isnan(center)) return hi > lo ? (x - lo) / (hi - lo) : 0.5;
    double reach = fmax(center - lo, hi - center);
    return reach > 0 ? 0.5 + (x - center) / (2 * reach) : 0.5;
}

/* Where a value lies among the borders, counted in classes: 2.5 is the middle of the third one. */
static double in_classes(const vv_scale *s, double x)
{
    int n = s->n_levels - 1;
    for (int i = 0; i < n; i++)
        if (x < s->level[i + 1] || i == n - 1) return i + (x - s->level[i]) / (s->level[i + 1] - s->level[i]);
    return 0;
}

vv_rgb vv_scale_color(const vv_scale *s, double value)
{
    if (s->n_levels < 2) return vv_colormap_color(s->map, s->reversed, share_of(s, value, s->lo, s->hi, s->center));
    int n = s->n_levels - 1;
    double place = floor(in_classes(s, value));
    double class = place < 0 ? 0 : place > n - 1 ? n - 1 : place;
    bool centred = s->map->diverging && !isnan(s->center);
    if (centred) /* a class beside the centre is half a step away from it */
        return vv_colormap_color(s->map, s->reversed, share_of(s, class + 0.5, 0.5, n - 0.5, in_classes(s, s->center)));
    return vv_colormap_color(s->map, s->reversed, n > 1 ? class / (n - 1) : 0.5);
}

/* Colours of values: maps of colours, and the scale that says which value gets which of them.
 *
 * The sequential maps are perceptually uniform: equal steps of the data look like equal steps, also in grey and to people who are colour-blind. Diverging maps have
 * their palest colour in the middle, which belongs to the centre of a scale, and get darker by the same steps on both sides. */
#ifndef VV_DRAW_COLOR_H
#define VV_DRAW_COLOR_H

#include "base/status.h"

typedef struct vv_rgb {
    double r, g, b; /* 0 .. 1 */
} vv_rgb;

enum { VV_MAP_COLORS = 17 };
typedef struct vv_colormap {
    const char *name, *help;
    bool diverging;
    uint32_t color[VV_MAP_COLORS];     /* 0xRRGGBB at equal distances; all 0: computed from what follows */
    double hue[2], chroma[2], darkest; /* of the low and the high end in CIE L*a*b*; hue in degrees */
} vv_colormap;

/* NULL past the end. */
const vv_colormap *vv_colormap_at(int i);
/* By name, "magma"; with "_r" the other way round. */
VV_WARN_UNUSED vv_status vv_colormap_find(const char *name, const vv_colormap **out, bool *reversed);
/* share: 0 the first colour, 1 the last. */
vv_rgb vv_colormap_color(const vv_colormap *m, bool reversed, double share);

typedef struct vv_scale {
    const vv_colormap *map;
    bool reversed;
    double lo, hi;     /* what the colour bar shows */
    double center;     /* of a diverging map, which reaches equally far on both sides of it; NAN: the middle */
    int n_levels;      /* 0: continuous; else so many borders between classes of one colour each, lo .. hi */
    double *level;     /* ascending; owned by who made them */
    bool below, above; /* there are values beyond lo, beyond hi: the bar ends in an arrow */
} vv_scale;

vv_rgb vv_scale_color(const vv_scale *s, double value);

#endif

/* Pictures without files: ticks at round places, colours and where they lie, PNG, SVG, and that labels do not run into each other. */
#include "draw/canvas.h"
#include "draw/picture.h"
#include "draw/ticks.h"

#include "base/mem.h"
#include "scratch.h"

#include <libdeflate.h>
#include <math.h>

static void assert_ticks(const vv_ticks *t, const char *expected)
{
    vv_buf all = {0};
    for (int i = 0; i < t->n; i++)
        vv_buf_printf(&all, "%s%s%s%s", i ? " " : "", t->tick[i].text, *t->tick[i].under ? "/" : "", t->tick[i].under);
    assert_string_equal(expected, all.data ? all.data : "");
    vv_buf_free(&all);
}

/* --- ticks --- */

static void numbers_are_round(void **state)
{
    (void)state;
    vv_ticks t;
    vv_ticks_numbers(231.2, 309.8, 6, &t);
    assert_ticks(&t, "240 260 280 300");
    vv_ticks_numbers(-0.31, 0.29, 7, &t);
    assert_ticks(&t, "\u22120.3 \u22120.2 \u22120.1 0.0 0.1 0.2");
    vv_ticks_numbers(0, 1, 4, &t);
    assert_ticks(&t, "0.0 0.5 1.0");
    vv_ticks_numbers(5, 5, 4, &t);
    assert_int_equal(1, t.n);
    vv_ticks_numbers(0, 4.2e-5, 5, &t);
    assert_int_equal(-5, t.power);
    assert_ticks(&t, "0 1 2 3 4");
    vv_ticks_numbers(-3e7, 3e7, 4, &t);
    assert_int_equal(7, t.power);
    assert_ticks(&t, "\u22122 0 2");
    vv_ticks_whole(0.94, 2.06, 6, &t);
    assert_ticks(&t, "1 2");
    vv_ticks_whole(0.94, 1.06, 6, &t);
    assert_ticks(&t, "1");
    vv_ticks_whole(0.1, 15.9, 6, &t);
    assert_ticks(&t, "5 10 15");
    vv_ticks_whole(1, 4096, 4, &t);
    assert_ticks(&t, "2000 4000");
    char text[VV_TICK_TEXT];
    vv_power_text(-12, text);
    assert_string_equal("\u207b\u00b9\u00b2", text);
}

static void degrees_have_sides(void **state)
{
    (void)state;
    vv_ticks t;
    vv_ticks_degrees(-90, 90, 7, false, &t);
    assert_ticks(&t, "90\u00b0S 60\u00b0S 30\u00b0S 0\u00b0 30\u00b0N 60\u00b0N 90\u00b0N");
    vv_ticks_degrees(0, 360, 6, true, &t);
    assert_ticks(&t, "0\u00b0 60\u00b0E 120\u00b0E 180\u00b0 120\u00b0W 60\u00b0W 0\u00b0");
    vv_ticks_degrees(-11.2, -9.3, 5, true, &t);
    assert_ticks(&t, "11.0\u00b0W 10.5\u00b0W 10.0\u00b0W 9.5\u00b0W");
}

static void pressure_has_few(void **state)
{
    (void)state;
    vv_ticks t;
    vv_ticks_log(10, 1000, &t);
    assert_ticks(&t, "10 20 50 100 200 500 1000");
    vv_ticks_log(100, 1000, &t);
    assert_ticks(&t, "100 200 300 500 700 1000");
}

static void dates_are_those_of_the_calendar(void **state)
{
    (void)state;
    vv_ticks t;
    vv_time_axis a;
    must(vv_time_parse("days since 1990-01-01", "standard", &a));
    vv_ticks_dates(&a, 0, 1095, 6, &t);
    assert_ticks(&t, "Jan/1990 Jul Jan/1991 Jul Jan/1992 Jul");
    vv_ticks_dates(&a, 0, 20000, 7, &t);
    assert_ticks(&t, "1990 2000 2010 2020 2030 2040");
    vv_ticks_dates(&a, 20, 62, 5, &t); /* February's last tick is not the day before March's first */
    assert_ticks(&t, "21/Jan 1990 1/Feb 1990 11 21 1/Mar 1990");
    vv_ticks_dates(&a, 0.3, 1.3, 5, &t);
    assert_ticks(&t, "12:00/1 Jan 1990 18:00 00:00/2 Jan 1990 06:00");
    must(vv_time_parse("days since 1990-01-01", "360_day", &a));
    vv_ticks_dates(&a, 50, 65, 2, &t);
    assert_ticks(&t, "21/Feb 1990 1/Mar 1990");
    assert_true(t.tick[0].at == 50 && t.tick[1].at == 60);
}

/* --- colours --- */

static double lightness(vv_rgb c)
{
    double x[] = {c.r, c.g, c.b};
    for (int i = 0; i < 3; i++) x[i] = x[i] <= 0.04045 ? x[i] / 12.92 : pow((x[i] + 0.055) / 1.055, 2.4);
    double y = 0.2126 * x[0] + 0.7152 * x[1] + 0.0722 * x[2];
    return y > 0.008856 ? 116 * cbrt(y) - 16 : 903.3 * y;
}

/* Sequential maps get lighter (or darker) all the way, diverging ones darker on both sides of their middle, by nearly equal steps. */
static void maps_are_even(void **state)
{
    (void)state;
    enum { N = 16 };
    const vv_colormap *m;
    for (int i = 0; (m = vv_colormap_at(i)); i++) {
        double l[N + 1];
        for (int k = 0; k <= N; k++) l[k] = lightness(vv_colormap_color(m, false, k / (double)N));
        for (int k = 0; k < N; k++) {
            int along = m->diverging ? (k < N / 2 ? 1 : -1) : l[N] > l[0] ? 1 : -1;
            double step = along * (l[k + 1] - l[k]),
                   even = fabs(l[m->diverging ? N / 2 : N] - l[0]) / (m->diverging ? N / 2 : N);
            if (step < 0.3 * even || step > 2.2 * even)
                fail_msg("%s: step %d is %g, about %g expected", m->name, k, step, even);
        }
        if (m->diverging) assert_true(l[N / 2] > 94 && fabs(l[0] - l[N]) < 4);
    }
}

static void names_of_maps(void **state)
{
    (void)state;
    const vv_colormap *m;
    bool reversed;
    must(vv_colormap_find("magma_r", &m, &reversed));
    assert_true(reversed && !strcmp(m->name, "magma"));
    assert_int_equal(VV_ERR_USAGE, vv_colormap_find("virdis", &m, &reversed));
    assert_message("did you mean 'viridis'?");
}

static uint32_t hex(vv_rgb c)
{
    return (uint32_t)(c.r * 255 + 0.5) << 16 | (uint32_t)(c.g * 255 + 0.5) << 8 | (uint32_t)(c.b * 255 + 0.5);
}

static void values_have_their_colors(void **state)
{
    (void)state;
    bool reversed;
    vv_scale s = {.lo = 10, .hi = 20, .center = NAN};
    must(vv_colormap_find("viridis", &s.map, &reversed));
    assert_int_equal(0x440154, hex(vv_scale_color(&s, 10)));
    assert_int_equal(0xFDE725, hex(vv_scale_color(&s, 20)));
    assert_int_equal(0xFDE725, hex(vv_scale_color(&s, 25)));
    assert_int_equal(0x21908C, hex(vv_scale_color(&s, 15)));
    must(vv_colormap_find("balance", &s.map, &reversed));
    s.lo = -2, s.hi = 8, s.center = 0; /* as far on both sides: -2 is a quarter of the way */
    uint32_t white = hex(vv_scale_color(&s, 0));
    assert_int_equal(white, hex(vv_colormap_color(s.map, false, 0.5)));
    assert_int_equal(hex(vv_colormap_color(s.map, false, 0.375)), hex(vv_scale_color(&s, -2)));
    double level[] = {-4, -2, 0, 2, 4};
    s = (vv_scale){.map = s.map, .lo = -4, .hi = 4, .center = 0, .n_levels = 5, .level = level};
    assert_int_equal(hex(vv_scale_color(&s, 0.1)), hex(vv_scale_color(&s, 1.9)));
    assert_int_not_equal(hex(vv_scale_color(&s, 0.1)), hex(vv_scale_color(&s, -0.1)));
    assert_int_equal(hex(vv_colormap_color(s.map, false, 0)), hex(vv_scale_color(&s, -3)));
    assert_int_equal(hex(vv_colormap_color(s.map, false, 1)), hex(vv_scale_color(&s, 3)));
}

/* --- files --- */

static uint32_t u32(const char *p)
{
    const uint8_t *b = (const uint8_t *)p;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Every chunk has its checksum, and the pixels come back through the filters. */
static void png_is_a_png(void **state)
{
    (void)state;
    enum { W = 3, H = 2 };
    uint8_t rgba[4 * W * H], raw[H * (3 * W + 1)];
    vv_buf out = {0};
    for (int i = 0; i < 4 * W * H; i++) rgba[i] = i % 4 == 3 ? 255 : (uint8_t)(37 * i);
    must(vv_png_encode(&(vv_pixels){W, H, rgba}, 200, "t", &out));
    assert_memory_equal("\x89PNG\r\n\x1a\n", out.data, 8);
    struct libdeflate_decompressor *z = libdeflate_alloc_decompressor();
    bool pixels = false, resolution = false, end = false;
    for (size_t at = 8; at < out.size; at += 12 + u32(out.data + at)) {
        uint32_t n = u32(out.data + at);
        assert_int_equal(u32(out.data + at + 8 + n), libdeflate_crc32(0, out.data + at + 4, 4 + n));
        end = !memcmp(out.data + at + 4, "IEND", 4);
        resolution = resolution || (!memcmp(out.data + at + 4, "pHYs", 4) && u32(out.data + at + 8) == 7874);
        if (memcmp(out.data + at + 4, "IDAT", 4) != 0) continue;
        pixels = true;
        assert_int_equal(LIBDEFLATE_SUCCESS,
                         libdeflate_zlib_decompress(z, out.data + at + 8, n, raw, sizeof raw, NULL));
    }
    libdeflate_free_decompressor(z);
    assert_true(pixels && resolution && end);
    vv_buf_free(&out);
}

static vv_status set_numbers(double **out, const double *from, int n)
{
    VV_TRY(vv_new(out, (size_t)n, sizeof **out));
    memcpy(*out, from, (size_t)n * sizeof **out);
    return VV_OK;
}

/* Two rows of three cells over a map's axes, one without a value. */
static void make_map(vv_picture *p)
{
    static const double value[] = {0, 1, 2, 3, NAN, 5}, x[] = {0, 120, 240, 360}, y[] = {90, 0, -90};
    *p = (vv_picture){.n_panels = 1, .scale = 1, .title = strdup("Rain & <snow>"), .subtitle = strdup("1990-01-01")};
    must(vv_new(&p->panel, 1, sizeof *p->panel));
    vv_panel *q = &p->panel[0];
    bool reversed;
    q->kind = VV_PANEL_FIELD;
    q->x = (vv_axis){.kind = VV_AXIS_LONGITUDE, .lo = 0, .hi = 360, .n = 3};
    q->y = (vv_axis){.kind = VV_AXIS_LATITUDE, .lo = -90, .hi = 90, .n = 2};
    must(set_numbers(&q->x.edge, x, 4));
    must(set_numbers(&q->y.edge, y, 3));
    must(set_numbers(&q->value, value, 6));
    must(vv_colormap_find("gray", &q->scale.map, &reversed));
    q->scale.lo = 0, q->scale.hi = 5, q->scale.center = NAN;
    q->scale_label = strdup("mm");
}

static void svg_says_what_it_shows(void **state)
{
    (void)state;
    static const char *const parts[] = {"<title>Rain &amp; &lt;snow&gt;</title>",
                                        ">1990-01-01</text>",
                                        ">mm</text>",
                                        ">60\u00b0N</text>",
                                        ">180\u00b0</text>",
                                        ">60\u00b0W</text>",
                                        "data:image/png;base64,",
                                        "</svg>"};
    vv_picture p;
    vv_buf out = {0};
    make_map(&p);
    must(vv_picture_draw(&p, "x.svg", &out));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(out.data, parts[i])) fail_msg("the SVG does not say %s", parts[i]);
    vv_buf_free(&out);
    p.width = 120, p.height = 120;
    assert_int_equal(VV_ERR_USAGE, vv_picture_draw(&p, "x.svg", &out));
    assert_message("no room");
    vv_picture_free(&p);
    assert_int_equal(VV_ERR_USAGE, vv_picture_draw(&p, "x.gif", &out));
    assert_message(".png, .svg or .pdf");
}

static void terminals_get_shades_or_colors(void **state)
{
    (void)state;
    vv_picture p;
    vv_buf plain = {0}, colored = {0};
    make_map(&p);
    must(vv_picture_text(&p, 40, false, &plain));
    assert_non_null(strstr(plain.data, "?"));
    assert_non_null(strstr(plain.data, "90\u00b0N"));
    assert_non_null(strstr(plain.data, "@@"));
    assert_null(strstr(plain.data, "\x1b"));
    must(vv_picture_text(&p, 40, true, &colored));
    assert_non_null(strstr(colored.data, "\x1b[38;2;"));
    vv_buf_free(&plain);
    vv_buf_free(&colored);
    vv_picture_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_round),
        cmocka_unit_test(degrees_have_sides),
        cmocka_unit_test(pressure_has_few),
        cmocka_unit_test(dates_are_those_of_the_calendar),
        cmocka_unit_test(maps_are_even),
        cmocka_unit_test(names_of_maps),
        cmocka_unit_test(values_have_their_colors),
        cmocka_unit_test(png_is_a_png),
        cmocka_unit_test(svg_says_what_it_shows),
        cmocka_unit_test(terminals_get_shades_or_colors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

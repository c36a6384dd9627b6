/* Lowering of views, groups, windows and products: the plans of typical expressions, as text (lower_text.h). */
#include "lower_text.h"

#define X "x?shape=t:100,y:80,x:120&chunk=10,40,60"

static void test_mean(void **state)
{
    (void)state;
    planned(vv_mean(stored(X), "t"),
            "0 read x: 100x80x120 in 10x40x60\n"
            "1 reduce x: work 100x80x120 in 10x40x60, over 0, join 2, leaf 4, outputs; chunk 0(d0 d1 d2) -> mean\n"
            "2 gather x: 1.0\n");
    planned(vv_mean(stored("x?shape=t:100,y:80,x:120"), "t"),
            "0 read x: 100x80x120 in 100x80x120\n"
            "1 reduce x: work 100x80x120 in 100x80x120, over 0, join 2, leaf 1, outputs; stream 0(d0 d1 d2) -> mean\n"
            "2 gather x: 1.0\n");
}

static void test_anomaly(void **state)
{
    (void)state;
    vv_array *x = stored(X);
    planned(vv_sub(x, vv_mean(x, "t")),
            "0 read x: 100x80x120 in 10x40x60\n"
            "1 reduce x: work 100x80x120 in 10x40x60, over 0, join 2, leaf 4, outputs; chunk 0(d0 d1 d2) -> mean\n"
            "2 map x: work 100x80x120 in 10x40x60, join 2, outputs; chunk 0(d0 d1 d2); push 1(d1 d2) -> x\n"
            "3 gather x: 2.0\n");
}

static vv_array *grouped(vv_array *x, vv_index n, vv_index groups)
{
    vv_index label[4096];
    for (vv_index i = 0; i < n; i++) label[i] = i * 12 / 365 % groups;
    return vv_group_labels(x, "t", label, n, groups, "month", NULL);
}

static void test_group_anomaly(void **state)
{
    (void)state;
    vv_array *x = grouped(stored("x?shape=t:1000,y:80,x:120&chunk=10,40,60"), 1000, 12);
    planned(
        vv_sub(x, vv_mean(x, "t")),
        "0 read x: 1000x80x120 in 10x40x60\n"
        "1 reduce x: work 1000x80x120 in 10x40x60, over 0, join 2, 12 groups of d0, leaf 5, outputs; chunk 0(d0 d1 d2) "
        "-> mean\n"
        "2 map x: work 1000x80x120 in 10x40x60, join 2, outputs; chunk 0(d0 d1 d2); push look-up 1(d0? d1 d2) -> x\n"
        "3 gather x: 2.0\n");
    vv_array *plain = grouped(stored("x?shape=t:1000,y:80,x:120"), 1000, 12);
    planned(vv_sub(plain, vv_mean(plain, "t")),
            "0 read x: 1000x80x120 in 1000x80x120\n"
            "1 reduce x: work 1000x80x120 in 200x80x120, over 0, join 2, 12 groups of d0, leaf 1, outputs; stream 0(d0 "
            "d1 d2) -> mean\n"
            "2 map x: work 1000x80x120 in 200x80x120, join 2, outputs; stream 0(d0 d1 d2); push look-up 1(d0? d1 d2) "
            "-> x\n"
            "3 gather x: 2.0\n");
    planned(vv_std(vv_sub(x, vv_mean(x, "t")), "t"),
            "0 read x: 1000x80x120 in 10x40x60\n"
            "1 reduce x: work 1000x80x120 in 10x40x60, over 0, join 2, 12 groups of d0, leaf 5, outputs; chunk 0(d0 d1 "
            "d2) -> mean\n"
            "2 reduce x: work 1000x80x120 in 10x40x60, over 0, join 2, 12 groups of d0, leaf 5, outputs; chunk 0(d0 d1 "
            "d2); push look-up 1(d0? d1 d2) -> std\n"
            "3 gather x: 2.0\n");
}

static void test_shifted_difference(void **state)
{
    (void)state;
    vv_array *a = stored("a?shape=y:4000,x:3000&chunk=500,500"), *b = stored("b?shape=y:4000,x:3000&chunk=500,500");
    vv_array *a1 = vv_slice(vv_slice(a, "y", 1, VV_END, 1), "x", 1, VV_END, 1);
    vv_array *b1 = vv_slice(vv_slice(b, "y", VV_BEGIN, -1, 1), "x", VV_BEGIN, -1, 1);
    planned(vv_sub(a1, b1), "0 read a: 4000x3000 in 500x500\n"
                            "1 read b: 4000x3000 in 500x500\n"
                            "2 map b: work 3999x2999 in 500x500, join 1, outputs; chunk 1(d0 d1) -> b\n"
                            "3 map a: work 3999x2999 in 500x500 less 1 of d0 less 1 of d1, join 1, outputs; chunk "
                            "0(d0@1 d1@1); push 2(d0 d1) -> a\n"
                            "4 gather a: 3.0\n");
    vv_array *a2 = vv_slice(vv_slice(a, "y", VV_BEGIN, -1, 1), "x", VV_BEGIN, -1, 1);
    planned_write(vv_sub(a1, a2), "0 read a: 4000x3000 in 500x500\n"
                                  "1 map a: work 4000x3000 in 500x500, join 1, outputs; chunk 0(d0 d1) -> a\n"
                                  "2 map a: work 3999x2999 in 500x500 less 1 of d0 less 1 of d1, join 1, outputs; push "
                                  "1(d0@1 d1@1); push 1(d0 d1) -> a\n"
                                  "3 map a: work 3999x2999 in 500x2999, join 1, outputs; push 2(d0 d1) -> a\n"
                                  "4 write a: 3.0\n");
}

static void test_order(void **state)
{
    (void)state;
    planned(vv_transpose(stored("a?shape=y:4000,x:3000&chunk=500,400"), NULL),
            "0 read a: 4000x3000 in 500x400\n"
            "1 map a: work 3000x4000 in 400x500, join 1, outputs; box 0(d1 d0) -> a\n"
            "2 gather a: 1.0\n");
    planned(vv_transpose(stored("a?shape=y:4000,x:3000"), NULL),
            "0 read a: 4000x3000 in 4000x3000\n"
            "1 map a: work 4000x3000 in 667x3000, join 1, outputs; stream 0(d0 d1) -> a\n"
            "2 map a: work 3000x4000 in 500x4000, join 1, outputs; push 1(d1 d0) -> a\n"
            "3 gather a: 2.0\n");
    planned(vv_flip(stored("a?shape=y:4000,x:3000&chunk=700,400"), "y"),
            "0 read a: 4000x3000 in 700x400\n"
            "1 map a: work 4000x3000 in 700x400 less 200 of d0, join 1, outputs; box 0(d0@3999*-1 d1) -> a\n"
            "2 gather a: 1.0\n");
    planned(vv_slice(stored("a?shape=y:4000,x:3000&chunk=500,400"), "y", 3, 2003, 2),
            "0 read a: 4000x3000 in 500x400\n"
            "1 map a: work 1000x3000 in 250x400 less 1 of d0, join 1, outputs; box 0(d0@3*2 d1) -> a\n"
            "2 gather a: 1.0\n");
}

static void test_roll_and_pad(void **state)
{
    (void)state;
    vv_array *a = stored("a?shape=y:4000,x:3000&chunk=500,400");
    planned(vv_roll(vv_sqrt(a), "x", 100), "0 read a: 4000x3000 in 500x400\n"
                                           "1 map a: work 4000x3000 in 500x400, join 1, outputs; chunk 0(d0 d1) -> a\n"
                                           "2 map a: work 4000x3000 in 500x400 less 300 of d1, join 1, outputs; push "
                                           "1[0+4000 0+100](d0 d1@2900) 1[0+4000 100+2900](d0 d1) -> a\n"
                                           "3 gather a: 2.0\n");
    planned(vv_pad(a, "x", 1, 1, "wrap", 0),
            "0 read a: 4000x3000 in 500x400\n"
            "1 map a: work 4000x3000 in 500x400, join 1, outputs; chunk 0(d0 d1) -> a\n"
            "2 map a: work 4000x3002 in 500x400 less 399 of d1, join 1, outputs; push 1[0+4000 0+1](d0 d1@2999) "
            "1[0+4000 1+3000](d0 d1) 1[0+4000 3001+1](d0 d1) -> a\n"
            "3 gather a: 2.0\n");
    planned(vv_pad(vv_sqrt(a), "x", 1, 1, "constant", 7),
            "0 read a: 4000x3000 in 500x400\n"
            "1 map a: work 4000x3000 in 500x400, join 1, outputs; chunk 0(d0 d1) -> a\n"
            "2 map a: work 4000x3002 in 500x400 less 399 of d1, join 1, outputs; push 1[0+4000 1+3000](d0 d1) -> a\n"
            "3 gather a: 2.0\n");
    planned(vv_sqrt(vv_pad(a, "x", 0, 400, "nan", 7)),
            "0 read a: 4000x3000 in 500x400\n"
            "1 map a: work 4000x3400 in 500x400, join 1, outputs; box 0[0+4000 0+3000](d0 d1) -> a\n"
            "2 gather a: 1.0\n");
}

static void test_rechunk(void **state)
{
    (void)state;
    vv_array *a = stored("a?shape=y:4000,x:3000&chunk=500,400");
    planned(vv_rechunk(vv_rechunk(a, "y:100"), "x:3000,y:50"),
            "0 read a: 4000x3000 in 500x400\n"
            "1 map a: work 4000x3000 in 500x400, join 1, outputs; chunk 0(d0 d1) -> a\n"
            "2 map a: work 4000x3000 in 50x3000, join 1, outputs; push 1(d0 d1) -> a\n"
            "3 gather a: 2.0\n");
    planned(vv_mean(vv_rechunk(a, "y:100,x:3000"), "y"),
            "0 read a: 4000x3000 in 500x400\n"
            "1 reduce a: work 4000x3000 in 500x400, over 0, leaf 1, outputs; chunk 0(d0 d1) -> mean\n"
            "2 gather a: 1.0\n");
    planned(vv_rechunk(vv_mean(a, "y"), "x:400"),
            "0 read a: 4000x3000 in 500x400\n"
            "1 reduce a: work 4000x3000 in 500x400, over 0, leaf 1, outputs; chunk 0(d0 d1) -> mean\n"
            "2 gather a: 1.0\n");
}

static void test_product(void **state)
{
    (void)state;
    vv_array *a = stored("a?shape=y:4000,x:3000&chunk=500,400");
    planned(vv_sum(vv_matmul(a, vv_rename(a, "y", "y2"), "x"), NULL),
            "0 read a: 4000x3000 in 500x400\n"
            "1 map a: work 4000x3000 in 500x400, join 1, outputs; chunk 0(d0 d1) -> a\n"
            "2 product a: work 4000x4000x3000 in 1000x1000x800, over 2, leaf 2, outputs; push 1(d0 d2); push 1(d1 d2) "
            "-> a\n"
            "3 reduce a: work 4000x4000 in 1000x1000, over 0 1, join 1, leaf 1, outputs; push 2(d0 d1) -> sum\n"
            "4 gather a: 3.0\n");
    /* small beside its factors, which are walked by what is summed over; chunks along that are cut evenly */
    vv_array *flat = stored("a?shape=y:2000,x:90000&chunk=1000,2000");
    planned(vv_matmul(flat, vv_rename(flat, "y", "y2"), "x"),
            "0 read a: 2000x90000 in 1000x2000\n"
            "1 map a: work 90000x2000 in 2000x1000, outputs; chunk 0(d1 d0) -> a\n"
            "2 product a: work 2000x2000x90000 in 1000x1000x1000, over 2, leaf 4, leaves; push 1(d2 d0); push 1(d2 d1) "
            "-> a\n"
            "3 gather a: 2.0\n");
}

static void test_windows(void **state)
{
    (void)state;
    vv_array *a = stored("a?shape=y:4000,x:3000&chunk=500,400");
    planned(vv_rolling(a, "y", 7, "mean", 0, true),
            "0 read a: 4000x3000 in 500x400\n"
            "1 map a: work 4000x3000 in 500x400, join 1, outputs; chunk 0(d0 d1) -> a\n"
            "2 block a: work 4000x3000 in 500x400, outputs; push halo 3/3 of d0 1(d0 d1) -> window_mean\n"
            "3 gather a: 2.0\n");
    planned(vv_cumulative(a, "sum", "x"),
            "0 read a: 4000x3000 in 500x400\n"
            "1 block a: work 4000x3000 in 500x3000, outputs; box 0(d0 d1) -> cumulative_sum\n"
            "2 gather a: 1.0\n");
}

static void test_weights(void **state)
{
    (void)state;
    vv_array *x = stored(X), *w = stored("w?shape=y:80");
    planned(vv_sum(vv_mul(x, w), "y,x"),
            "0 read x: 100x80x120 in 10x40x60\n"
            "1 read w: 80 in 80\n"
            "2 reduce x: work 100x80x120 in 10x40x60, over 1 2, leaf 1, outputs; chunk 0(d0 d1 d2); box 1(d1) -> sum\n"
            "3 gather x: 2.0\n");
}

static void test_slices(void **state)
{
    (void)state;
    vv_array *a = stored(X), *b = stored("b?shape=t:100,y:80,x:120&chunk=10,40,60");
    vv_array *s = vv_slice(vv_slice(vv_add(a, b), "t", 20, 90, 1), "t", 10, 35, 1);
    planned(s,
            "0 read x: 100x80x120 in 10x40x60\n"
            "1 read b: 100x80x120 in 10x40x60\n"
            "2 map x: work 25x80x120 in 10x40x60, join 1 2, outputs; chunk 0(d0@30 d1 d2); chunk 1(d0@30 d1 d2) -> x\n"
            "3 gather x: 2.0\n");
    planned(vv_slice(vv_mean(a, "t"), "y", 0, 40, 1),
            "0 read x: 100x80x120 in 10x40x60\n"
            "1 reduce x: work 100x40x120 in 10x40x60, over 0, join 2, leaf 4, outputs; chunk 0(d0 d1 d2) -> mean\n"
            "2 gather x: 1.0\n");
    planned2(vv_slice(vv_mean(a, "t"), "y", 0, 40, 1), vv_mean(a, "t"),
             "0 read x: 100x80x120 in 10x40x60\n"
             "1 reduce x: work 100x80x120 in 10x40x60, over 0, join 2, leaf 4, outputs; chunk 0(d0 d1 d2) -> mean\n"
             "2 map x: work 40x120 in 40x120, join 1, outputs; push 1(d0 d1) -> x\n"
             "3 gather x: 2.0\n"
             "4 gather x: 1.0\n");
}

static void test_joined(void **state)
{
    (void)state;
    vv_array *y[] = {stored("y1?shape=t:240,y:80,x:120&chunk=24,80,120"),
                     stored("y2?shape=t:240,y:80,x:120&chunk=24,80,120"),
                     stored("y3?shape=t:250,y:80,x:120&chunk=24,80,120")};
    planned(vv_mean(vv_node_concat(&context, y, 3, "t"), "t"),
            "0 read y1: 240x80x120 in 24x80x120\n"
            "1 read y2: 240x80x120 in 24x80x120\n"
            "2 read y3: 250x80x120 in 24x80x120\n"
            "3 reduce y1: work 730x80x120 in 24x80x120, over 0, join 2, leaf 2, outputs; box 0[0+240 0+80 0+120](d0 d1 "
            "d2) 1[240+240 0+80 0+120](d0 d1 d2) 2[480+250 0+80 0+120](d0 d1 d2) -> mean\n"
            "4 gather y1: 3.0\n");
    vv_array *later[] = {y[2], y[0]};
    planned(vv_node_concat(&context, later, 2, "t"),
            "0 read y3: 250x80x120 in 24x80x120\n"
            "1 read y1: 240x80x120 in 24x80x120\n"
            "2 map y3: work 250x80x120 in 24x80x120, join 1 2, outputs; chunk 0(d0 d1 d2) -> y3\n"
            "3 map y1: work 240x80x120 in 24x80x120, join 1 2, outputs; chunk 1(d0 d1 d2) -> y1\n"
            "4 map y3: work 490x80x120 in 24x80x120, join 1 2, outputs; push 2[0+250 0+80 0+120](d0 d1 d2) 3[250+240 "
            "0+80 0+120](d0 d1 d2) -> y3\n"
            "5 gather y3: 4.0\n");
    planned(vv_max(vv_node_stack(&context, y, 2, "member"), "member"),
            "0 read y1: 240x80x120 in 24x80x120\n"
            "1 read y2: 240x80x120 in 24x80x120\n"
            "2 reduce y1: work 2x240x80x120 in 2x24x80x120, over 0, join 2 3, leaf 16, outputs; box 0[0+1 0+240 0+80 "
            "0+120](d1 d2 d3) 1[1+1 0+240 0+80 0+120](d1 d2 d3) -> max\n"
            "3 gather y1: 2.0\n");
    vv_array *mixed[] = {y[0], vv_sub(y[1], vv_mean(y[1], "t"))};
    planned(vv_node_concat(&context, mixed, 2, "t"),
            "0 read y1: 240x80x120 in 24x80x120\n"
            "1 read y2: 240x80x120 in 24x80x120\n"
            "2 reduce y2: work 240x80x120 in 24x80x120, over 0, join 2, leaf 2, outputs; chunk 1(d0 d1 d2) -> mean\n"
            "3 map y2: work 240x80x120 in 24x80x120, join 2, outputs; chunk 1(d0 d1 d2); push 2(d1 d2) -> y2\n"
            "4 map y1: work 240x80x120 in 24x80x120, join 1 2, outputs; chunk 0(d0 d1 d2) -> y1\n"
            "5 map y1: work 480x80x120 in 24x80x120, join 1 2, outputs; push 4[0+240 0+80 0+120](d0 d1 d2) 3[240+240 "
            "0+80 0+120](d0 d1 d2) -> y1\n"
            "6 gather y1: 5.0\n");
}

static void test_taken(void **state)
{
    (void)state;
    vv_array *x = stored("x?shape=t:1000,y:80,x:120&chunk=10,80,120");
    planned(vv_take(x, "t", (vv_index[]){500, 3, 3, 999}, 4),
            "0 read x: 1000x80x120 in 10x80x120\n"
            "1 map x: work 4x80x120 in 4x80x120, join 2, outputs; box 0(d0? d1 d2) -> x\n"
            "2 gather x: 1.0\n");
    planned(
        vv_take(vv_sqrt(vv_max(x, "y")), "x", (vv_index[]){50, 40, 45}, 3),
        "0 read x: 1000x80x120 in 10x80x120\n"
        "1 reduce x: work 1000x80x11 in 10x80x120 less 40 of d2, over 1, leaf 1, outputs; chunk 0(d0 d1 d2@40) -> max\n"
        "2 map x: work 1000x3 in 1000x3, outputs; push 1(d0 d1?) -> x\n"
        "3 gather x: 2.0\n");
    planned(vv_take(stored("c?shape=t:100000,x:120"), "t", (vv_index[]){500, 3, 99999}, 3),
            "0 read c: 100000x120 in 100000x120\n"
            "1 map c: work 3x120 in 3x120, outputs; box 0(d0? d1) -> c\n"
            "2 gather c: 1.0\n");
}

static void test_shared(void **state)
{
    (void)state;
    vv_array *x = stored(X), *again = stored(X), *two = vv_node_scalar(&context, 2);
    planned2(vv_mean(vv_mul(x, two), "t"), vv_std(vv_mul(again, vv_node_scalar(&context, 2)), "t"),
             "0 read x: 100x80x120 in 10x40x60\n"
             "1 reduce x: work 100x80x120 in 10x40x60, over 0, join 2, leaf 4, outputs; chunk 0(d0 d1 d2) -> mean std\n"
             "2 gather x: 1.0\n"
             "3 gather x: 1.1\n");
    vv_array *m = vv_mean(x, "t");
    planned2(vv_sub(x, m), vv_mul(m, m),
             "0 read x: 100x80x120 in 10x40x60\n"
             "1 reduce x: work 100x80x120 in 10x40x60, over 0, join 2, leaf 4, outputs; chunk 0(d0 d1 d2) -> mean\n"
             "2 map x: work 100x80x120 in 10x40x60, join 2, outputs; chunk 0(d0 d1 d2); push 1(d1 d2) -> x\n"
             "3 gather x: 2.0\n"
             "4 map x: work 80x120 in 80x120, join 1, outputs; push 1(d0 d1) -> x\n"
             "5 gather x: 4.0\n");
    planned2(vv_max(vv_sub(x, vv_mean(x, "t")), "t"), vv_min(vv_sub(again, vv_mean(again, "t")), "t"),
             "0 read x: 100x80x120 in 10x40x60\n"
             "1 reduce x: work 100x80x120 in 10x40x60, over 0, join 2, leaf 4, outputs; chunk 0(d0 d1 d2) -> mean\n"
             "2 reduce x: work 100x80x120 in 10x40x60, over 0, join 2, leaf 3, outputs; chunk 0(d0 d1 d2); push 1(d1 "
             "d2) -> max min\n"
             "3 gather x: 2.0\n"
             "4 gather x: 2.1\n");
}

/* What nobody wants in the end is neither read nor made, and what is wanted of a box is read of a box, whatever lies between. */
static void test_dead(void **state)
{
    (void)state;
    vv_array *a = stored("a?shape=t:100,y:80&chunk=10,40"), *b = stored("b?shape=t:100,y:80&chunk=10,40");
    vv_array *slow = vv_mean(vv_sqrt(a), "y"), *both = vv_node_concat(&context, (vv_array *[]){vv_exp(a), b}, 2, "t");
    planned(vv_sqrt(vv_slice(both, "t", 120, 180, 1)),
            "0 read b: 100x80 in 10x40\n"
            "1 map a: work 60x80 in 10x40, join 1, outputs; chunk 0(d0@20 d1) -> a\n"
            "2 gather a: 1.0\n");
    vv_array *pair = vv_node_stack(&context, (vv_array *[]){slow, vv_max(b, "y")}, 2, "which");
    planned(vv_at(pair, "which", 1),
            "0 read b: 100x80 in 10x40\n"
            "1 reduce b: work 100x80 in 10x40, over 1, leaf 1, outputs; chunk 0(d0 d1) -> max\n"
            "2 gather a: 1.0\n");
    /* Padding that is cut off again; a chunk that is rechunked, rolled and sliced. */
    planned(vv_slice(vv_pad(a, "t", 30, 30, "constant", 0), "t", 30, 130, 1),
            "0 read a: 100x80 in 10x40\n"
            "1 map a: work 100x80 in 10x40, join 1, outputs; chunk 0(d0 d1) -> a\n"
            "2 gather a: 1.0\n");
    planned(vv_slice(vv_rechunk(vv_roll(vv_rechunk(a, "t:25"), "t", 40), "y:80"), "t", 50, 60, 1),
            "0 read a: 100x80 in 10x40\n"
            "1 map a: work 10x80 in 10x80, join 1, outputs; box 0(d0@10 d1) -> a\n"
            "2 gather a: 1.0\n");
    must(try_lower_to(2, (vv_array *[]){vv_slice(vv_add(a, b), "t", 5, 9, 1), vv_at(vv_add(a, slow), "y", 3)}, 2, -1,
                      false));
    assert_int_equal(lowering.plan->n_sources, 2); /* each opened once */
}

static void test_fills(void **state)
{
    (void)state;
    vv_array *a = stored("a?shape=y:2000,x:1000&chunk=500,500");
    planned(vv_pad(vv_pad(a, "y", 500, 0, "constant", 1), "x", 500, 0, "constant", 1),
            "0 read a: 2000x1000 in 500x500\n"
            "1 map a: work 2500x1500 in 500x500, join 1, outputs; box 0[500+2000 500+1000](d0 d1) -> a\n"
            "2 gather a: 1.0\n");
    planned(vv_pad(vv_pad(a, "y", 500, 0, "constant", 1), "x", 500, 0, "constant", 2),
            "0 read a: 2000x1000 in 500x500\n"
            "1 map a: work 2500x1000 in 500x500, join 1, outputs; box 0[500+2000 0+1000](d0 d1) -> a\n"
            "2 map a: work 2500x1500 in 500x500, join 1, outputs; push 1[0+2500 500+1000](d0 d1) -> a\n"
            "3 gather a: 2.0\n");
}

static void test_far_apart(void **state)
{
    (void)state;
    vv_array *x = stored("x?shape=t:10000,y:100,x:100&chunk=10,100,100");
    vv_array *first = vv_slice(x, "t", 0, 105, 1), *last = vv_slice(x, "t", 9893, 9998, 1);
    planned(vv_sub(first, last),
            "0 read x: 10000x100x100 in 10x100x100\n"
            "1 map x: work 105x100x100 in 10x100x100 less 3 of d0, join 1 2, outputs; chunk 0(d0@9893 d1 d2) -> x\n"
            "2 map x: work 105x100x100 in 10x100x100, join 1 2, outputs; chunk 0(d0 d1 d2); push 1(d0 d1 d2) -> x\n"
            "3 gather x: 2.0\n");
}

static void test_random_numbers(void **state)
{
    (void)state;
    vv_array *r = vv_node_random(&context, "uniform", 0, 1, "y:4000,x:3000", "y:1000,x:1000", 42, VV_F32);
    planned(vv_mean(vv_add(r, vv_flip(r, "y")), NULL),
            "0 read uniform: 4000x3000 in 1000x1000\n"
            "1 reduce uniform: work 4000x3000 in 1000x1000, over 0 1, join 1, leaf 1, outputs; box 0(d0 d1); box "
            "0(d0@3999*-1 d1) -> mean\n"
            "2 gather uniform: 1.0\n");
    planned(vv_mean(vv_node_random(&context, "normal", 0, 1, "y:4000,x:3000", NULL, 42, VV_F32), "y"),
            "0 read normal: 4000x3000 in 4000x3000\n"
            "1 reduce normal: work 4000x3000 in 667x3000, over 0, leaf 1, outputs; box 0(d0 d1) -> mean\n"
            "2 gather normal: 1.0\n");
}

/* Chunks of computed inputs that are tiny are merged, also where a dimension comes with them. */
static void test_tiny(void **state)
{
    (void)state;
    vv_array *x = stored("x?shape=t:1000,y:400,x:400&chunk=1000,10,10");
    planned(vv_sqrt(vv_mean(x, "t")),
            "0 read x: 1000x400x400 in 1000x10x10\n"
            "1 reduce x: work 1000x400x400 in 1000x10x10, over 0, join 2, leaf 1, outputs; chunk 0(d0 d1 d2) -> mean\n"
            "2 map x: work 400x400 in 400x400, join 1, outputs; push 1(d0 d1) -> x\n"
            "3 gather x: 2.0\n");
    planned(
        vv_window(stored("x?shape=y:10000,x:10000&chunk=50,50"), "mean", "y:10,x:10", NULL),
        "0 read x: 10000x10000 in 50x50\n"
        "1 map x: work 10000x10000 in 50x50, join 1, outputs; chunk 0(d0 d1) -> x\n"
        "2 block x: work 10000x10000 in 400x400, outputs; push halo 5/4 of d0 halo 5/4 of d1 1(d0 d1) -> window_mean\n"
        "3 gather x: 2.0\n");
    vv_array *r = vv_node_random(&context, "uniform", 0, 1, "y:10000,x:10000", "y:50,x:50", 42, VV_F32);
    planned(vv_window(r, "mean", "y:10,x:10", NULL), "0 read uniform: 10000x10000 in 50x50\n"
                                                     "1 block uniform: work 10000x10000 in 400x400, outputs; box halo "
                                                     "5/4 of d0 halo 5/4 of d1 0(d0 d1) -> window_mean\n"
                                                     "2 gather uniform: 1.0\n");
}

static void test_rows(void **state)
{
    (void)state;
    planned(
        vv_mean(vv_slice(stored("x?shape=t:1000,y:361,x:720"), "y", 10, 300, 1), "t"),
        "0 read x: 1000x361x720 in 1000x361x720\n"
        "1 reduce x: work 1000x290x720 in 39x73x720, over 0, join 2, leaf 1, leaves; stream 0(d0 d1@10 d2) -> mean\n"
        "2 gather x: 1.0\n");
    planned(vv_mean(vv_at(stored("x?shape=l:30,t:1000,y:100"), "l", 7), "t"),
            "0 read x: 30x1000x100 in 30x1000x100\n"
            "1 reduce x: work 1000x100 in 1000x100, over 0, leaf 1, outputs; box 0(7 d0 d1) -> mean\n"
            "2 gather x: 1.0\n");
    planned(vv_sub(stored("x?shape=t:1000,y:100&chunk=100,100"), vv_node_scalar(&context, 273.15)),
            "0 read x: 1000x100 in 100x100\n"
            "1 map x: work 1000x100 in 100x100, join 1, outputs; chunk 0(d0 d1) -> x\n"
            "2 gather x: 1.0\n");
}

/* Data that becomes series is loaded in bands, one row of chunks after the other, or tile by tile as it is stored; where
 * only the innermost dimension is cut, as it lies. */
static void test_bands(void **state)
{
    (void)state;
    planned(vv_rechunk(stored("x?shape=t:2920,y:361,x:720"), "t:2920,y:16,x:16"),
            "0 read x: 2920x361x720 in 2920x361x720\n"
            "1 map x: work 361x2920x720 in 16x22x720, join 2, outputs; box 0(d1 d0 d2) -> x\n"
            "2 map x: work 2920x361x720 in 2920x16x16, join 1 2, outputs; push 1(d1 d0 d2) -> x\n"
            "3 gather x: 2.0\n");
    planned(vv_quantile(stored("x?shape=t:2920,y:361,x:720&chunk=24,181,360"), 0.5, "t", NULL),
            "0 read x: 2920x361x720 in 24x181x360\n"
            "1 map x: work 361x720x2920 in 181x360x24, join 1, outputs; chunk 0(d2 d0 d1) -> x\n"
            "2 block x: work 2920x361x720 in 2920x1x360, outputs; push 1(d1 d2 d0) -> lanes_quantile\n"
            "3 map x: work 361x720 in 361x720, join 1, outputs; push 2(0 d0 d1) -> x\n"
            "4 gather x: 3.0\n");
    planned(vv_rechunk(stored("x?shape=t:1000,x:50000"), "t:1000,x:10"),
            "0 read x: 1000x50000 in 1000x50000\n"
            "1 map x: work 1000x50000 in 40x50000, join 1, outputs; stream 0(d0 d1) -> x\n"
            "2 map x: work 1000x50000 in 1000x10, join 1, outputs; push 1(d0 d1) -> x\n"
            "3 gather x: 2.0\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_mean),      TEST(test_anomaly),        TEST(test_group_anomaly), TEST(test_shifted_difference),
        TEST(test_dead),      TEST(test_order),          TEST(test_roll_and_pad),  TEST(test_rechunk),
        TEST(test_product),   TEST(test_windows),        TEST(test_weights),       TEST(test_slices),
        TEST(test_joined),    TEST(test_taken),          TEST(test_shared),        TEST(test_fills),
        TEST(test_far_apart), TEST(test_random_numbers), TEST(test_tiny),          TEST(test_rows),
        TEST(test_bands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* How fast the kernels are, per instruction set, on data in the second-level cache: million elements a second.
 *
 *     kernels [word ...]      only rows that contain one of the words
 *
 * Compare columns in one run; absolute figures drift on shared machines. The first row is memcpy of f32. */
#include "kernels/codec/codec.h"
#include "kernels/codec/decode.h"
#include "kernels/cpu.h"
#include "kernels/program/program.h"
#include "kernels/reduce.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROWS = 16, TOTAL = ROWS * VV_TILE };

/* Stored bytes, working values and space for results, shared by all rows of the table. */
static struct bench {
    _Alignas(64) char raw[TOTAL * 8];
    _Alignas(64) char out[TOTAL * 8];
    _Alignas(64) float f32[TOTAL];
    _Alignas(64) double f64[TOTAL];
    _Alignas(64) int64_t i64[TOTAL];
    _Alignas(64) char state[1 << 17];
    _Alignas(64) char workspace[1 << 18];
    vv_program program;
} b;

typedef void round_fn(const void *what);

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Best of some short bursts: what the kernel can do when nobody else runs. */
static double rate(round_fn *round, const void *what)
{
    double best = 1e9;
    for (int burst = 0; burst < 12; burst++) {
        double start = now();
        for (int i = 0; i < 8; i++) round(what);
        double taken = (now() - start) / 8;
        if (taken < best) best = taken;
    }
    return TOTAL / best / 1e6;
}

static char **words;
static int n_words;

static bool wanted(const char *row)
{
    for (int i = 0; i < n_words; i++)
        if (strstr(row, words[i])) return true;
    return n_words == 0;
}

static void row(const char *name, round_fn *round, const void *what)
{
    if (!wanted(name)) return;
    printf("%-28s", name);
    for (int level = 0; level < VV_CPU_LEVELS; level++)
        if (vv_cpu_set((vv_cpu_level)level)) printf(" %9.0f", rate(round, what));
    printf("\n");
    fflush(stdout);
}

static void copy(const void *what)
{
    (void)what;
    memcpy(b.out, b.raw, TOTAL * 4);
}

static void unshuffle(const void *what)
{
    const int *size = what;
    for (vv_index at = 0; at < TOTAL; at += VV_TILE) vv_unshuffle_range(b.raw, TOTAL, *size, at, VV_TILE, b.out);
}

static void shuffle(const void *what)
{
    const int *size = what;
    vv_shuffle(b.raw, TOTAL, *size, b.out);
}

static void swap(const void *what)
{
    const int *size = what;
    vv_byteswap(b.out, TOTAL, *size);
}

static void decode(const void *what)
{
    for (vv_index at = 0; at < TOTAL; at += VV_TILE) vv_decode_range(what, b.raw, TOTAL, at, VV_TILE, b.out);
}

static void encode(const void *what)
{
    const vv_encode *e = what;
    vv_encode_range(e, e->in == VV_F32 ? (const void *)b.f32 : b.f64, TOTAL, b.out);
}

static void run(const void *what)
{
    (void)what;
    for (vv_index at = 0; at < TOTAL; at += VV_TILE)
        vv_program_run(&b.program, VV_TILE, (const void *[]){b.f32 + at, b.f32 + TOTAL - VV_TILE - at}, b.workspace);
}

static const char *values(vv_dtype in)
{
    return in == VV_F32 ? (char *)b.f32 : in == VV_F64 ? (char *)b.f64 : (char *)b.i64;
}

static void vertical(const void *what)
{
    const vv_red *r = what;
    vv_red_init(r, VV_TILE, b.state);
    for (int i = 0; i < ROWS; i++)
        vv_red_vertical(r, b.state, 0, VV_TILE, values(r->in) + i * VV_TILE * vv_dtype_size(r->in));
    vv_red_count(b.state, ROWS);
}

static void horizontal(const void *what)
{
    const vv_red *r = what;
    vv_red_init(r, ROWS, b.state);
    for (int i = 0; i < ROWS; i++)
        vv_red_horizontal(r, b.state, i, VV_TILE, values(r->in) + i * VV_TILE * vv_dtype_size(r->in));
    vv_red_count(b.state, VV_TILE);
}

static void combine(const void *what)
{
    char *right = b.out;
    vv_red_init(what, VV_TILE, b.state);
    vv_red_init(what, VV_TILE, right);
    vv_red_count(b.state, 3);
    vv_red_count(right, 3);
    for (int i = 0; i < ROWS; i++) vv_red_combine(what, b.state, right);
}

static void fill(void)
{
    for (int i = 0; i < TOTAL; i++) {
        b.f32[i] = (float)(280 + 20 * sin(i * 0.01) + rand() % 1000 * 0.01);
        b.f64[i] = b.f32[i];
        b.i64[i] = rand();
        b.raw[i] = (char)rand();
    }
    vv_shuffle(b.f32, TOTAL, 4, b.raw);
}

static void codec_rows(void)
{
    static const int sizes[] = {2, 4, 8};
    char name[32];
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "unshuffle %d", sizes[i]);
        row(name, unshuffle, &sizes[i]);
        snprintf(name, sizeof name, "shuffle %d", sizes[i]);
        row(name, shuffle, &sizes[i]);
        snprintf(name, sizeof name, "byteswap %d", sizes[i]);
        row(name, swap, &sizes[i]);
    }
}

static void decode_rows(void)
{
    vv_decode d = {.stored = VV_F32, .out = VV_F32, .shuffled = true};
    row("decode f32 shuffled", decode, &d);
    d.n_missing = 1;
    d.missing[0].f = 1e20;
    row("decode f32 shuffled missing", decode, &d);
    d.shuffled = false;
    row("decode f32 missing", decode, &d);
    d = (vv_decode){.stored = VV_I16, .out = VV_F64, .scaled = true, .scale = 0.01, .offset = 273.15, .n_missing = 1};
    d.missing[0].i = -32767;
    row("decode i16 f64", decode, &d);
    d.shuffled = true;
    row("decode i16 f64 shuffled", decode, &d);
    d.out = VV_F32;
    row("decode i16 f32 shuffled", decode, &d);
    d.shuffled = false;
    row("decode i16 f32", decode, &d);
    vv_encode e = {.in = VV_F64, .to = VV_F32};
    row("encode f64 f32", encode, &e);
    e = (vv_encode){.in = VV_F32, .to = VV_I16, .scaled = true, .scale = 0.01, .offset = 273.15};
    row("encode f32 i16 scaled", encode, &e);
}

static int program_rows(void)
{
    vv_program *p = &b.program;
    int u, v, uu, vv, sum, r;
    if (vv_program_input(p, VV_F32, &u) || vv_program_input(p, VV_F32, &v) ||
        vv_program_op(p, vv_op_find("multiply"), (int[]){u, u}, &uu) ||
        vv_program_op(p, vv_op_find("multiply"), (int[]){v, v}, &vv) ||
        vv_program_op(p, vv_op_find("add"), (int[]){uu, vv}, &sum) ||
        vv_program_op(p, vv_op_find("sqrt"), (int[]){sum}, &r))
        return 1;
    row("program sqrt(u*u+v*v) f32", run, NULL);
    return 0;
}

static void reduction_rows(void)
{
    static const vv_dtype types[] = {VV_F32, VV_F64, VV_I64};
    char name[64];
    for (int k = 0; k < vv_n_reductions; k++)
        for (int t = 0; t < 3; t++) {
            vv_red r = {.kind = vv_reductions[k], .in = types[t], .skip = true};
            snprintf(name, sizeof name, "%s %s vertical", r.kind->name, vv_dtype_name(r.in));
            row(name, vertical, &r);
            snprintf(name, sizeof name, "%s %s horizontal", r.kind->name, vv_dtype_name(r.in));
            row(name, horizontal, &r);
            snprintf(name, sizeof name, "%s %s combine", r.kind->name, vv_dtype_name(r.in));
            row(name, combine, &r);
        }
}

int main(int argc, char **argv)
{
    words = argv + 1;
    n_words = argc - 1;
    fill();
    printf("%-28s", "million elements / s");
    for (int level = 0; level < VV_CPU_LEVELS; level++)
        if (vv_cpu_has((vv_cpu_level)level)) printf(" %9s", vv_cpu_name((vv_cpu_level)level));
    printf("\n");
    row("memcpy f32", copy, NULL);
    codec_rows();
    decode_rows();
    if (program_rows()) return 1;
    reduction_rows();
    return 0;
}

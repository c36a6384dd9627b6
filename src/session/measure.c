/* How fast is this machine? The rates behind what explain expects a run to take (plan/model.h).
 *
 * Each rate has a probe: a round of the very work that the engine does, on data like that of climate models (smooth fields with noise, rounded, shuffled), by the
 * functions that the engine calls. Rounds are repeated for a while, and the median counts: other programs disturb some rounds, and the best round
 * is one that a run never sees. Rates are those of one thread, by its processor time; what is shared between programs, caches and memory, disks and networks, is
 * only measured well when nothing else runs. Tasks, writing and the network are measured by small runs; what a
 * run takes longer that brings its result to rank 0 than one that does not is the network's. Ranks share a disk, and so they do while it is measured. Tasks want one rank,
 * the network two or more: a rate that these ranks cannot measure keeps the value that it had. */
#include "kernels/block/op.h"
#include "kernels/codec/codec.h"
#include "kernels/codec/decode.h"
#include "kernels/gemm.h"
#include "kernels/program/program.h"
#include "kernels/random/random.h"
#include "kernels/reduce.h"
#include "kernels/strided.h"
#include "session/session.h"
#include "varve/create.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* BLOCK does not fit caches; CHUNK is a chunk of ordinary files. */
enum {
    BLOCK = 128 << 20,
    WORK = 16 << 20,
    CHUNK = 4 << 20,
    SMALL_CHUNK = 4 << 10,
    SMALL_CHUNKS = 256,
    FILE_LEVEL = 4,
    VALUES = CHUNK / 4,
    PIECE = 1 << 20,
    CELLS = 1 << 16,
    MATRIX = 512
};
enum { MOST_ROUNDS = 64, LEAST_ROUNDS = 3 };
static const double ENOUGH_SECONDS = 0.3, BEYOND_BELIEF = 1e13;

typedef struct lab {
    vv_session *session;
    char *a, *b;  /* of BLOCK bytes; rounds may write to the first half of b */
    char *work;   /* states, compressed chunks, workspaces: of WORK bytes */
    char *packed; /* a chunk as files have it, of `small` bytes; behind it one of a small chunk, of `tiny` bytes */
    vv_bytes small, tiny;
    vv_codec *codec;
    vv_program program, function;
    char *scratch;  /* the directory */
    int fd;         /* of a file without a name in it */
    double seconds; /* what a round that is a run took; 0: the processor time of the round */
} lab;

/* Does some work; *amount: bytes, values or whatever the rate counts. */
typedef vv_status probe_round(lab *l, double *amount);

/* --- data --- */

/* Temperatures: a smooth field, noise in its last digits, kept to two decimals. */
static void make_field(float *out, vv_index n)
{
    uint32_t seed = 1;
    for (vv_index i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        double noise = (double)(seed >> 8) * 0x1p-24;
        out[i] = (float)(rint(100 * (280 + 15 * sin((double)i * 1e-3) + noise)) / 100);
    }
}

/* An ordinary mixture: cheap ones and dear ones. */
static vv_status make_program(vv_program *p)
{
    static const char *const op[] = {"subtract", "multiply", "divide", "sqrt"};
    int r, constant;
    VV_TRY(vv_program_input(p, VV_F64, &r));
    VV_TRY(vv_program_constant(p, VV_F64, 1.5, &constant));
    for (size_t i = 0; i < sizeof op / sizeof *op; i++)
        VV_TRY(vv_program_op(p, vv_op_find(op[i]), (int[]){r, constant}, &r));
    return VV_OK;
}

static vv_status make_function(vv_program *p)
{
    int r;
    VV_TRY(vv_program_input(p, VV_F32, &r));
    return vv_program_op(p, vv_op_find("exp"), &r, &r);
}

static vv_status write_all(lab *l)
{
    for (vv_bytes at = 0; at < BLOCK;) {
        ssize_t n = pwrite(l->fd, l->a + at, (size_t)(BLOCK - at), at);
        if (n < 0 && errno != EINTR)
            return vv_fail(VV_ERR_WRITE, "the scratch directory cannot be written: %s", strerror(errno));
        if (n > 0) at += n;
    }
    return VV_OK;
}

/* The file goes when it is closed. */
static vv_status open_scratch(lab *l)
{
    vv_plan plan = {0}; /* what a plan would be told */
    char *path = NULL;
    vv_status status = vv_settings_apply(l->session, &plan);
    if (status == VV_OK && asprintf(&path, "%s/varve-bench.XXXXXX", plan.scratch) < 0)
        status = vv_fail(VV_ERR_NOMEM, "no memory for a path");
    if (status == VV_OK) {
        l->fd = mkstemp(path);
        if (l->fd < 0)
            status = vv_fail(VV_ERR_WRITE, "%s: no file can be made there: %s", plan.scratch, strerror(errno));
        else
            unlink(path);
        free(path);
    }
    l->scratch = plan.scratch;
    return status;
}

/* In the second half of b: numbers whose arithmetic meets nothing odd, VALUES of each, and room for a sum of products. */
static double *doubles(const lab *l)
{
    return (double *)(void *)(l->b + BLOCK / 2);
}

static float *floats(const lab *l)
{
    return (float *)(void *)(l->b + BLOCK / 4 * 3);
}

static double *sums(const lab *l)
{
    return (double *)(void *)(l->b + BLOCK / 8 * 7);
}

/* Files are not packed by who reads them now: mostly by zlib at its middle levels, which takes longer to inflate than what level 1 leaves. */
static vv_status pack(lab *l)
{
    VV_TRY(vv_mem_get(&l->packed, 2 * CHUNK, "data to measure with"));
    VV_TRY(vv_deflate(l->codec, FILE_LEVEL, l->a, CHUNK, l->packed, CHUNK, &l->small));
    return vv_deflate(l->codec, FILE_LEVEL, l->a, SMALL_CHUNK, l->packed + CHUNK, CHUNK, &l->tiny);
}

static vv_status lab_open(vv_session *s, lab *l)
{
    static const vv_bytes needed = 4 * (vv_bytes)BLOCK; /* blocks, and what the small runs take */
    char text[2][32];
    *l = (lab){.session = s, .fd = -1};
    if (s->memory < needed)
        return vv_fail(VV_ERR_BUDGET, "measuring needs a memory budget of %s, but %s was given",
                       vv_bytes_text(needed, text[0]), vv_bytes_text(s->memory, text[1]));
    VV_TRY(open_scratch(l));
    VV_TRY(vv_mem_get(&l->a, BLOCK, "data to measure with"));
    VV_TRY(vv_mem_get(&l->b, BLOCK, "data to measure with"));
    VV_TRY(vv_mem_get(&l->work, WORK, "data to measure with"));
    VV_TRY(vv_codec_new(&l->codec));
    VV_TRY(make_program(&l->program));
    VV_TRY(make_function(&l->function));
    make_field((float *)(void *)l->work, VALUES);
    vv_shuffle(l->work, VALUES, 4, l->a);
    for (vv_bytes at = CHUNK; at < BLOCK; at += CHUNK) memcpy(l->a + at, l->a, CHUNK);
    VV_TRY(pack(l));
    memset(l->b, 0, BLOCK);
    make_field(floats(l), VALUES);
    for (vv_index i = 0; i < VALUES; i++) doubles(l)[i] = (double)floats(l)[i];
    return write_all(l);
}

static void lab_close(lab *l)
{
    if (l->fd >= 0) close(l->fd);
    free(l->scratch);
    vv_codec_free(&l->codec);
    vv_mem_put(&l->packed);
    vv_mem_put(&l->work);
    vv_mem_put(&l->b);
    vv_mem_put(&l->a);
}

/* Processor time of this thread: other programs may have the processor meanwhile. */
static double thread_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* --- rounds: l->a holds shuffled fields and stays as it is --- */

static vv_status read_round(lab *l, double *amount)
{
    for (vv_bytes at = 0; at < BLOCK; at += PIECE)
        if (pread(l->fd, l->b + at % CHUNK, PIECE, at) != PIECE)
            return vv_fail(VV_ERR_READ, "a file in the scratch directory cannot be read");
    *amount = BLOCK;
    return VV_OK;
}

static vv_status deflate_round(lab *l, double *amount)
{
    *amount = CHUNK;
    return vv_deflate(l->codec, 1, l->a, CHUNK, l->work, WORK, &l->small);
}

static vv_status inflate_round(lab *l, double *amount)
{
    *amount = CHUNK;
    return vv_inflate(l->codec, l->packed, l->small, l->b, CHUNK);
}

/* What is the same for chunks of all sizes: a call of the system, tables for inflating, the beginning of a fold. What inflating as many bytes takes is not counted. */
static vv_status chunks_round(lab *l, double *amount)
{
    static const vv_decode decode = {.stored = VV_F32, .out = VV_F32, .shuffled = true};
    const vv_index n = SMALL_CHUNK / 4;
    vv_red red = {vv_reduction_find("mean"), VV_F32, true, 0, 0, NULL, 0};
    float values[SMALL_CHUNK / 4];
    double begin = thread_seconds();
    for (int i = 0; i < SMALL_CHUNKS; i++) {
        if (pread(l->fd, l->b, (size_t)l->tiny, (i * 977 % SMALL_CHUNKS) * PIECE / 4) != l->tiny)
            return vv_fail(VV_ERR_READ, "a file in the scratch directory cannot be read");
        VV_TRY(vv_inflate(l->codec, l->packed + CHUNK, l->tiny, l->b + PIECE, SMALL_CHUNK));
        vv_decode_range(&decode, l->b + PIECE, n, 0, n, values);
        vv_red_init(&red, n, l->work);
        vv_red_vertical(&red, l->work, 0, n, values);
    }
    double some = thread_seconds();
    VV_TRY(vv_inflate(l->codec, l->packed, l->small, l->b + PIECE, CHUNK));
    double large = thread_seconds() - some;
    l->seconds = some - begin - large * SMALL_CHUNKS * SMALL_CHUNK / CHUNK;
    *amount = SMALL_CHUNKS;
    return VV_OK;
}

static vv_status fold_round(lab *l, double *amount)
{
    static const vv_decode decode = {.stored = VV_F32, .out = VV_F32, .shuffled = true};
    vv_red red = {vv_reduction_find("mean"), VV_F32, true, 0, 0, NULL, 0};
    vv_red_init(&red, CELLS, l->work);
    for (vv_index i = 0; i < VALUES; i += VV_TILE)
        vv_red_stored(&red, l->work, i % CELLS, VV_TILE, &decode, l->a, VALUES, i);
    *amount = CHUNK;
    return VV_OK;
}

/* Square pieces, row by row into blocks that no cache has. */
static vv_status inbox_round(lab *l, double *amount)
{
    enum { SIDE = 512, ROW = 4 * SIDE, PIECES = BLOCK / 2 / (SIDE * SIDE * 4) };
    const vv_index n[] = {SIDE, SIDE}, from[] = {SIDE, 1}, to[] = {ROW, 1};
    for (int i = 0; i < PIECES; i++)
        vv_box_copy(2, n, 4, l->a + i % 4 * CHUNK, from, l->b + (i / 4 * 4 * SIDE * SIDE + i % 4 * SIDE) * 4, to);
    *amount = (double)PIECES * SIDE * SIDE * 4;
    return VV_OK;
}

static vv_status copy_round(lab *l, double *amount)
{
    memcpy(l->b, l->a, BLOCK / 2);
    *amount = BLOCK / 2;
    return VV_OK;
}

/* As large blocks come and go: mapped, touched, unmapped. */
static vv_status pages_round(lab *l, double *amount)
{
    for (int i = 0; i < BLOCK / 2 / CHUNK; i++) {
        char *at = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED) return vv_fail(VV_ERR_NOMEM, "no memory to measure with");
        for (int k = 0; k < CHUNK; k += 1 << 12) ((volatile char *)at)[k] = l->a[k];
        munmap(at, CHUNK);
    }
    *amount = BLOCK / 2;
    return VV_OK;
}

static vv_status operation_round(lab *l, double *amount)
{
    const double *x = doubles(l);
    for (vv_index i = 0; i < VALUES; i += VV_TILE)
        (void)vv_program_run(&l->program, VV_TILE, (const void *[]){x + i}, l->work);
    *amount = (double)VALUES * l->program.n;
    return VV_OK;
}

static vv_status function_round(lab *l, double *amount)
{
    const float *x = floats(l);
    for (vv_index i = 0; i < VALUES; i += VV_TILE)
        (void)vv_program_run(&l->function, VV_TILE, (const void *[]){x + i}, l->work);
    *amount = VALUES;
    return VV_OK;
}

static vv_status element_round(lab *l, double *amount)
{
    vv_file *f;
    vv_box box = {4, {0}, {4, 4, 64, 64}};
    VV_TRY(vv_file_open("virtual:x?shape=i:4,j:4,k:64,l:64", &f));
    vv_status status = f->format->read(f, 0, &box, l->b);
    vv_file_close(&f);
    *amount = CELLS;
    return status;
}

static vv_status window_round(lab *l, double *amount)
{
    enum { REACH = 5 };
    vv_block_call c = {
        .op = vv_block_op_find("window_mean"), .before = {REACH}, .after = {REACH}, .min_count = 2 * REACH + 1};
    vv_index out = VALUES / 4, in = out + 2 * REACH;
    const vv_block_op *op = &vv_block_ops[c.op];
    if (op->workspace(&c, VV_F32, 1, &in, &out) > WORK) return vv_fail(VV_ERR_INTERNAL, "a window of too much work");
    op->run(&c, VV_F32, 1, &in, &out, floats(l), l->b, l->work);
    *amount = (double)out;
    return VV_OK;
}

static vv_status random_round(lab *l, double *amount)
{
    vv_random r = {.kind = vv_random_find("normal"), .seed = 1, .a = 0, .b = 1};
    vv_random_fill(&r, VV_F64, 0, CELLS, l->b);
    *amount = CELLS;
    return VV_OK;
}

static vv_status product_round(lab *l, double *amount)
{
    const double *x = doubles(l);
    vv_index n = MATRIX;
    vv_gemm(VV_F64, n, n, n, x, n, 1, x + n * n, n, 1, sums(l), n, l->work);
    *amount = 2.0 * MATRIX * MATRIX * MATRIX;
    return VV_OK;
}

/* --- rounds that are runs --- */

/* Seconds that the ranks take to compute an array into l->b, or its sum; the array is released. */
static vv_status run(lab *l, vv_array *x, const char *sum_over, vv_bytes bytes, double *seconds)
{
    vv_array *y = sum_over ? vv_reduce(x, "sum", *sum_over ? sum_over : NULL, NULL) : x;
    vv_status status = vv_compute(y, l->b, bytes);
    *seconds = l->session->stats.seconds - l->session->stats.plan_seconds;
    if (sum_over) vv_release(&y);
    return status;
}

/* As much of a file for each rank, into one file; and an empty one, as good as. */
enum { LARGE_OUTPUT = 16 << 20, EMPTY_OUTPUT = 1 };

enum { TINY = 20000 };
static const char tiny_path[] = "virtual:x?shape=i:20000,j:2&chunk=1,2";

/* A new file each time, by all ranks at once, down to the disk: a save ends when its output is safe. */
static vv_status save_values(lab *l, vv_index each, double *seconds)
{
    char dims[32], *path = NULL;
    vv_save_options options = VV_SAVE_OPTIONS_INIT;
    snprintf(dims, sizeof dims, "x:%lld", (long long)each * l->session->net->size);
    if (asprintf(&path, "%s/varve-bench.%d.nc", l->scratch, (int)getpid()) < 0)
        return vv_fail(VV_ERR_NOMEM, "no memory for a path");
    options.overwrite = true;
    options.deflate = 0;
    vv_array *x = vv_full(l->session, dims, NULL, 1.5, VV_F32);
    vv_status status = vv_save(x, path, &options);
    *seconds = l->session->stats.seconds - l->session->stats.plan_seconds;
    vv_release(&x);
    unlink(path);
    free(path);
    return status;
}

static vv_status output_round(lab *l, double *amount)
{
    *amount = 1;
    return save_values(l, EMPTY_OUTPUT, &l->seconds);
}

/* All ranks together; what an empty file takes is not counted. */
static vv_status file_round(lab *l, double *amount)
{
    double empty = 0;
    VV_TRY(save_values(l, EMPTY_OUTPUT, &empty));
    VV_TRY(save_values(l, LARGE_OUTPUT, &l->seconds));
    l->seconds -= empty;
    *amount = 4.0 * LARGE_OUTPUT * l->session->net->size;
    return VV_OK;
}

static vv_status plan_round(lab *l, double *amount)
{
    vv_array *x = vv_full(l->session, "x:8", "x:1", 1.5, VV_F32);
    vv_status status = run(l, x, "", sizeof(float), &l->seconds);
    vv_release(&x);
    *amount = 1;
    return status;
}

/* Chunks of two values, a result from each. */
static vv_status tasks_round(lab *l, double *amount)
{
    vv_array *x = vv_open(l->session, tiny_path, "x");
    vv_status status = run(l, x, "j", TINY * (vv_bytes)sizeof(double), &l->seconds);
    *amount = (double)l->session->stats.tasks;
    vv_release(&x);
    return status;
}

/* Messages of a value each, beside one at the end. */
static vv_status messages_round(lab *l, double *amount)
{
    double without = 0;
    vv_array *x = vv_open(l->session, tiny_path, "x");
    vv_status status = run(l, x, "", sizeof(double), &without);
    if (status == VV_OK) status = run(l, x, "j", TINY * (vv_bytes)sizeof(double), &l->seconds);
    vv_release(&x);
    l->seconds -= without;
    *amount = TINY - (double)TINY / l->session->net->size;
    return status;
}

static vv_status network_round(lab *l, double *amount)
{
    enum { LARGE = 16000000 };
    double without = 0;
    vv_array *x = vv_random_array(l->session, "uniform", "x:16000000", "x:500000", 1, VV_F32);
    vv_status status = run(l, x, "", sizeof(float), &without);
    if (status == VV_OK) status = run(l, x, NULL, LARGE * (vv_bytes)sizeof(float), &l->seconds);
    vv_release(&x);
    l->seconds -= without;
    *amount = (double)l->session->stats.moved;
    return status;
}

/* --- the table --- */

static const struct probe {
    const char *name;
    probe_round *round;
    int least, most; /* ranks */
} probes[] = {
    {"read", read_round, 1, INT_MAX},         {"inflate", inflate_round, 1, INT_MAX},
    {"chunks", chunks_round, 1, INT_MAX},     {"deflate", deflate_round, 1, INT_MAX},
    {"fold", fold_round, 1, INT_MAX},         {"copy", copy_round, 1, INT_MAX},
    {"inbox", inbox_round, 1, INT_MAX},       {"operation", operation_round, 1, INT_MAX},
    {"function", function_round, 1, INT_MAX}, {"element", element_round, 1, INT_MAX},
    {"window", window_round, 1, INT_MAX},     {"random", random_round, 1, INT_MAX},
    {"flops", product_round, 1, INT_MAX},     {"write", file_round, 1, 1},
    {"file", file_round, 2, INT_MAX},         {"outputs", output_round, 1, INT_MAX},
    {"pages", pages_round, 1, INT_MAX},       {"network", network_round, 2, INT_MAX},
    {"messages", messages_round, 2, INT_MAX}, {"tasks", tasks_round, 1, 1},
    {"plans", plan_round, 2, INT_MAX},
};

static const struct probe *probe_of(const char *name, int ranks)
{
    for (size_t i = 0; i < sizeof probes / sizeof *probes; i++)
        if (!strcmp(probes[i].name, name))
            return ranks >= probes[i].least && ranks <= probes[i].most ? &probes[i] : NULL;
    return NULL;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median rate of the rounds. */
static vv_status pace(lab *l, probe_round *round, double *out)
{
    double rate[MOST_ROUNDS], amount, begin = vv_now();
    int n = 0;
    VV_TRY(round(l, &amount)); /* caches, pages, clocks */
    l->seconds = 0;
    for (; n < MOST_ROUNDS && (n < LEAST_ROUNDS || vv_now() - begin < ENOUGH_SECONDS); n++) {
        if (vv_signals_seen(NULL)) return vv_fail(VV_ERR_INTERRUPTED, "interrupted");
        double start = thread_seconds();
        VV_TRY(round(l, &amount));
        double took = l->seconds != 0 ? l->seconds : thread_seconds() - start;
        rate[n] = amount / fmax(took, 1e-9);
    }
    qsort(rate, (size_t)n, sizeof *rate, ascending);
    *out = rate[n / 2];
    return VV_OK;
}

static vv_status measure_all(lab *l, vv_machine *m, vv_machine_visit *visit, void *context)
{
    for (int i = 0; i < vv_n_machine_rates; i++) {
        const vv_machine_rate *r = &vv_machine_rates[i];
        const struct probe *probe = probe_of(r->name, l->session->net->size);
        double *rate = (double *)(void *)((char *)m + r->offset);
        double found = 0;
        if (probe) VV_TRY(pace(l, probe->round, &found));
        /* A difference that drowned in noise is no rate. */
        bool measured = found > 0 && found < BEYOND_BELIEF;
        if (measured) *rate = found;
        visit(context, &(vv_machine_figure){r->name, r->help, *rate, measured});
    }
    return VV_OK;
}

/* Threads of the session rest while those of a run are counted one by one. */
static vv_status measure(vv_session *s, vv_machine *m, vv_machine_visit *visit, void *context)
{
    lab l;
    int threads = s->threads;
    vv_progress_mode progress = s->progress;
    s->threads = 1;
    s->progress = VV_PROGRESS_OFF;
    vv_status status = lab_open(s, &l);
    if (status == VV_OK) status = measure_all(&l, m, visit, context);
    lab_close(&l);
    s->threads = threads;
    s->progress = progress;
    return status;
}

/* --- keeping them --- */

/* Complete or as it was. */
static vv_status keep(const char *path, const vv_machine *m)
{
    char *part = NULL;
    if (asprintf(&part, "%s.part", path) < 0) return vv_fail(VV_ERR_NOMEM, "no memory for a path");
    vv_status status = vv_machine_save(part, m);
    if (status == VV_OK && rename(part, path)) status = vv_fail(VV_ERR_WRITE, "%s: %s", path, strerror(errno));
    if (status != VV_OK) unlink(part);
    free(part);
    return status;
}

char *vv_machine_file(void)
{
    return vv_machine_path();
}

vv_status vv_machine_measure(vv_session *s, const char *path, vv_machine_visit *visit, void *context)
{
    vv_machine m;
    char *usual = path ? NULL : vv_machine_path();
    if (!path && !usual)
        return vv_fail(VV_ERR_USAGE, "there is no home directory to keep the rates in; name a file for them");
    bool before;
    if (vv_machine_load(NULL, &m, &before) != VV_OK) { /* a damaged file is what this mends */
        vv_error_clear();
        vv_machine_usual(&m);
    }
    vv_status status = measure(s, &m, visit, context);
    if (status == VV_OK) status = keep(path ? path : usual, &m);
    free(usual);
    return status;
}

#include "kernels/codec/codec.h"
#include "kernels/codec/decode.h"
#include "kernels/cpu.h"
#include "kernels/reduce.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const vv_dtype working[] = {VV_F32, VV_F64, VV_I64, VV_U64};

static uint64_t random_bits(void)
{
    uint64_t r = 0;
    for (int i = 0; i < 5; i++) r = r << 15 ^ (uint64_t)rand();
    return r;
}

/* What values look like: a mixture that a reduction meets in practice, and one that is nasty. */
typedef struct flavour {
    double mean, spread, nan_share;
    bool runs; /* 0 and 1, in stretches */
    bool wild; /* infinities, zeros of both signs, extreme integers */
} flavour;

static void random_value(vv_dtype type, const flavour *f, void *out)
{
    double u = rand() / (double)RAND_MAX;
    double v = f->mean + f->spread * (u + rand() / (double)RAND_MAX - 1);
    static bool on;
    if (f->runs && rand() % 4 == 0) on = !on;
    if (f->runs) v = on;
    if (f->wild && rand() % 8 == 0) v = rand() % 2 ? 0.0 : -0.0;
    if (f->wild && rand() % 50 == 0) v = rand() % 2 ? (double)INFINITY : -(double)INFINITY;
    if (vv_dtype_is_float(type)) {
        vv_dtype_store(type, out, rand() < f->nan_share * RAND_MAX ? (double)NAN : v);
    } else {
        uint64_t bits = f->wild ? random_bits() : (uint64_t)(int64_t)v;
        memcpy(out, &bits, 8);
    }
}

/* --- references over the n values of one cell --- */

typedef struct cell_values {
    vv_dtype type;
    int n;         /* all */
    int valid;     /* without NaN, when they are skipped */
    const char *x; /* valid ones, in order */
    int *place;    /* of each among all */
} cell_values;

static long double value(const cell_values *c, int i)
{
    if (c->type == VV_I64) return (long double)((const int64_t *)c->x)[i];
    if (c->type == VV_U64) return (long double)((const uint64_t *)c->x)[i];
    return (long double)vv_dtype_load(c->type, c->x + i * vv_dtype_size(c->type));
}

static uint64_t bits_of(const cell_values *c, int i)
{
    return ((const uint64_t *)c->x)[i];
}

static long double sum_of(const cell_values *c)
{
    long double s = 0, lost = 0;
    for (int i = 0; i < c->valid; i++) {
        long double x = value(c, i), t = s + x;
        if (isfinite(t)) lost += fabsl(s) >= fabsl(x) ? (s - t) + x : (x - t) + s;
        s = t;
    }
    return s + lost;
}

static long double variance_of(const cell_values *c, double ddof)
{
    long double mean = sum_of(c) / c->valid, q = 0;
    for (int i = 0; i < c->valid; i++) q += (value(c, i) - mean) * (value(c, i) - mean);
    return c->valid && c->valid - ddof > 0 ? q / (c->valid - (long double)ddof) : (long double)NAN;
}

static long double moment_of(const cell_values *c, int power)
{
    long double mean = sum_of(c) / c->valid, m = 0;
    for (int i = 0; i < c->valid; i++) m += powl(value(c, i) - mean, power);
    return m / c->valid;
}

static long double extreme_of(const cell_values *c, int sign)
{
    long double best = (long double)NAN;
    for (int i = 0; i < c->valid; i++) {
        long double x = value(c, i);
        if (isnan(x)) return x;
        if (i == 0 || sign * x > sign * best) best = x;
    }
    return best;
}

static long double product_of(const cell_values *c)
{
    long double p = 1;
    for (int i = 0; i < c->valid; i++) p *= value(c, i);
    return p;
}

static long double any_of(const cell_values *c)
{
    for (int i = 0; i < c->valid; i++)
        if (value(c, i) != 0) return 1;
    return 0;
}

static long double all_of(const cell_values *c)
{
    for (int i = 0; i < c->valid; i++)
        if (value(c, i) == 0) return 0;
    return 1;
}

static long double count_of(const cell_values *c)
{
    int n = 0;
    for (int i = 0; i < c->valid; i++) n += !isnan(value(c, i));
    return n;
}

static long double nonzero_of(const cell_values *c)
{
    int n = 0;
    for (int i = 0; i < c->valid; i++) n += value(c, i) != 0;
    return n;
}

/* The first place of the extreme: places are those among all values. */
static long double place_of(const cell_values *c, int sign)
{
    long double best = extreme_of(c, sign);
    for (int i = 0; i < c->valid; i++)
        if (value(c, i) == best || (isnan(best) && isnan(value(c, i)))) return c->place[i];
    return -1;
}

/* Results that are counts and places, of whatever type. */
static bool number_of(const char *name, const cell_values *c, long double *right)
{
    if (!strcmp(name, "any"))
        *right = any_of(c);
    else if (!strcmp(name, "all"))
        *right = all_of(c);
    else if (!strcmp(name, "count"))
        *right = count_of(c);
    else if (!strcmp(name, "count_nonzero"))
        *right = nonzero_of(c);
    else if (!strcmp(name, "argmin") || !strcmp(name, "argmax"))
        *right = place_of(c, !strcmp(name, "argmin") ? -1 : 1);
    else
        return false;
    return true;
}

/* Runs of neighbours that are not 0: a place that is missing, or was not given, ends one. */
static bool run_of(const vv_red *r, const cell_values *c, long double *right)
{
    int from = 0, longest = 0, runs = 0, all = 0, first = -1, last = -1;
    const char *name = r->kind->name;
    for (int i = 0; i <= c->valid; i++) {
        bool hit = i < c->valid && value(c, i) != 0;
        bool next = hit && i > from && c->place[i] == c->place[i - 1] + 1;
        if (next) continue;
        if (i - from >= (r->least > 1 ? r->least : 1)) {
            longest = i - from > longest ? i - from : longest;
            runs++;
            all += i - from;
            first = first < 0 ? c->place[from] : first;
            last = c->place[i - 1];
        }
        from = hit ? i : i + 1;
    }
    *right = !strcmp(name, "longest_run") ? longest
             : !strcmp(name, "runs")      ? runs
             : !strcmp(name, "run_total") ? all
             : !strcmp(name, "first_run") ? first
             : !strcmp(name, "last_run")  ? last
                                          : -2;
    if (*right == -2) return false;
    bool missing = c->valid == 0;
    for (int i = 0; i < c->valid; i++) missing = missing || isnan(value(c, i));
    if (missing || *right == -1) *right = (long double)NAN;
    return true;
}

/* Results of integers in 64 bits, which wrap. */
static uint64_t integer_of(const char *name, const cell_values *c)
{
    uint64_t sum = 0, product = 1;
    for (int i = 0; i < c->valid; i++) {
        sum += bits_of(c, i);
        product *= bits_of(c, i);
    }
    if (!strcmp(name, "sum")) return sum;
    if (!strcmp(name, "prod")) return product;
    if (!c->valid) return 0;
    if (!strcmp(name, "first")) return bits_of(c, 0);
    if (!strcmp(name, "last")) return bits_of(c, c->valid - 1);
    long double low = extreme_of(c, -1), high = extreme_of(c, 1);
    uint64_t l = c->type == VV_I64 ? (uint64_t)(int64_t)low : (uint64_t)low;
    uint64_t h = c->type == VV_I64 ? (uint64_t)(int64_t)high : (uint64_t)high;
    return !strcmp(name, "min") ? l : !strcmp(name, "max") ? h : h - l;
}

/* The right result and how far off it may be: absolute, for this cell. false: no reference for a reduction of this name. */
static bool real_of(const vv_red *r, const cell_values *c, long double *right, long double *tolerance)
{
    const char *name = r->kind->name;
    long double size = 0, unit = r->in == VV_F32 ? 0x1p-50L : 0x1p-52L;
    for (int i = 0; i < c->valid; i++) size += fabsl(value(c, i));
    *tolerance = 0;
    if (run_of(r, c, right)) return true;
    if (!strcmp(name, "sum")) {
        *right = sum_of(c);
        *tolerance = r->in == VV_F32 ? size * 0x1p-45L : unit * fabsl(*right) + size * 0x1p-95L;
    } else if (!strcmp(name, "mean")) {
        *right = c->valid ? sum_of(c) / c->valid : (long double)NAN;
        *tolerance = r->in == VV_F32 ? size / (c->valid + 1) * 0x1p-45L : unit * fabsl(*right) + size * 0x1p-95L;
        if (!vv_dtype_is_float(r->in)) *tolerance += size / (c->valid + 1) * 0x1p-53L; /* each is rounded to f64 */
    } else if (!strcmp(name, "var") || !strcmp(name, "std")) {
        *right = variance_of(c, r->ddof);
        /* the shift is one of the values: the sum of squares about it may exceed that about the mean */
        long double spread = fabsl(extreme_of(c, 1) - extreme_of(c, -1)), scale = fabsl(size / (c->valid + 1));
        *tolerance = 0x1p-42L * spread * spread + 0x1p-52L * spread * scale;
        if (!strcmp(name, "std")) {
            *right = sqrtl(*right);
            *tolerance = *right > 0 ? *tolerance / *right : sqrtl(*tolerance);
        }
    } else if (!strcmp(name, "skew") || !strcmp(name, "kurtosis")) {
        bool skew = name[0] == 's';
        long double m2 = c->valid ? moment_of(c, 2) : (long double)NAN, mean = sum_of(c) / (c->valid + 1);
        long double spread = fabsl(extreme_of(c, 1) - extreme_of(c, -1));
        if (!(m2 > 1e-20L * mean * mean)) return false; /* all nearly the same: rounding decides */
        *right = skew ? moment_of(c, 3) / (m2 * sqrtl(m2)) : moment_of(c, 4) / (m2 * m2) - 3;
        long double ratio = spread / sqrtl(m2), size_ratio = fabsl(size / (c->valid + 1)) / sqrtl(m2);
        *tolerance = 0x1p-44L * powl(ratio, 4) * (1 + ratio) + 0x1p-50L * size_ratio * powl(ratio, 4);
    } else if (!strcmp(name, "norm")) {
        long double q = 0;
        for (int i = 0; i < c->valid; i++) q += value(c, i) * value(c, i);
        *right = sqrtl(q);
        *tolerance = 0x1p-44L * *right;
    } else if (!strcmp(name, "first") || !strcmp(name, "last")) {
        *right = !c->valid ? (long double)NAN : value(c, name[0] == 'f' ? 0 : c->valid - 1);
    } else if (!strcmp(name, "min") || !strcmp(name, "max")) {
        *right = extreme_of(c, !strcmp(name, "max") ? 1 : -1);
    } else if (!strcmp(name, "range")) {
        *right = extreme_of(c, 1) - extreme_of(c, -1);
        *tolerance = unit * fabsl(*right);
    } else if (!strcmp(name, "prod")) {
        *right = product_of(c);
        *tolerance = (c->n + 1) * 0x1p-52L * fabsl(*right) + 0x1p-1060L;
        if (fabsl(*right) > 1e307L) return false;
    } else {
        return false;
    }
    return true;
}

static void check_cell(const vv_red *r, const cell_values *c, const char *got)
{
    const char *name = r->kind->name;
    uint64_t bits;
    double v;
    memcpy(&bits, got, 8);
    memcpy(&v, got, 8);
    long double right, tolerance;
    if (number_of(name, c, &right)) {
        assert_int_equal(bits, (int64_t)right);
        return;
    }
    if (vv_red_out(r) != VV_F64) {
        assert_int_equal(bits, integer_of(name, c));
        return;
    }
    if (!real_of(r, c, &right, &tolerance)) return;
    if (isnan(right) && isnan(v)) return;
    if ((long double)v == right || fabsl((long double)v - right) <= tolerance + 0x1p-53L * fabsl(right)) return;
    if (isinf((double)right) && isinf(v)) return;
    fail_msg("%s of %s, skip %d: %.17g, should be %.17Lg within %Lg, %d of %d values", name, vv_dtype_name(r->in),
             r->skip, v, right, tolerance, c->valid, c->n);
}

/* --- one reduction over a matrix of rows x cells, split at random --- */

typedef struct problem {
    vv_red r;
    int rows, cells;
    bool across; /* fold along rows of the transposed matrix instead of down */
    const char *x;
    int n_leaves, leaf_end[64]; /* rows */
    unsigned seed;              /* of the pieces inside leaves, so that they repeat */
} problem;

/* Folds rows [lo, hi) into a fresh state, in pieces. */
static void fold_leaf(const problem *p, int lo, int hi, void *state)
{
    vv_bytes size = vv_dtype_size(p->r.in);
    char *row = malloc((size_t)((hi - lo + 1) * size));
    vv_red_init(&p->r, p->cells, state);
    for (int i = lo; !p->across && i < hi; i++)
        for (int at = 0, n; at < p->cells; at += n) {
            n = 1 + rand_r(&(unsigned){p->seed + (unsigned)(i + at)}) % p->cells;
            if (n > p->cells - at) n = p->cells - at;
            vv_red_at(state, i, 0);
            vv_red_vertical(&p->r, state, at, n, p->x + ((vv_index)i * p->cells + at) * size);
        }
    for (int c = 0; p->across && c < p->cells; c++) {
        for (int i = lo; i < hi; i++)
            memcpy(row + (i - lo) * size, p->x + ((vv_index)i * p->cells + c) * size, (size_t)size);
        for (int at = 0, n; at < hi - lo; at += n) {
            n = 1 + rand_r(&(unsigned){p->seed + (unsigned)(c + at)}) % (hi - lo);
            if (n > hi - lo - at) n = hi - lo - at;
            vv_red_at(state, lo + at, 1);
            vv_red_horizontal(&p->r, state, c, n, row + at * size);
        }
    }
    vv_red_count(state, hi - lo);
    free(row);
}

static void *solve(const problem *p, int first, int last)
{
    size_t bytes = (size_t)vv_red_state_bytes(&p->r, p->cells);
    void *state = malloc(bytes), *moved;
    memset(state, 0xa5, bytes); /* a state owes nothing to what its memory held */
    if (first == last) {
        fold_leaf(p, first ? p->leaf_end[first - 1] : 0, p->leaf_end[first], state);
        return state;
    }
    int middle = first + (last - first) / 2;
    free(state);
    state = solve(p, first, middle);
    void *right = solve(p, middle + 1, last);
    size_t used = (size_t)vv_red_used_bytes(&p->r, right);
    assert_true(used <= bytes);
    moved = malloc(bytes); /* as if it came in a message */
    memset(moved, 0x5a, bytes);
    memcpy(moved, right, used);
    vv_red_combine(&p->r, state, moved);
    free(right), free(moved);
    return state;
}

static void check_all_cells(const problem *p, const char *out)
{
    vv_bytes size = vv_dtype_size(p->r.in);
    char *column = malloc((size_t)(p->rows * size) + 1);
    int *place = malloc(sizeof *place * ((size_t)p->rows + 1));
    for (int c = 0; c < p->cells; c++) {
        cell_values v = {.type = p->r.in, .n = p->rows, .x = column, .place = place};
        for (int i = 0; i < p->rows; i++) {
            const char *x = p->x + ((vv_index)i * p->cells + c) * size;
            if (p->r.skip && vv_dtype_is_float(p->r.in) && isnan(vv_dtype_load(p->r.in, x))) continue;
            place[v.valid] = i;
            memcpy(column + v.valid++ * size, x, (size_t)size);
        }
        check_cell(&p->r, &v, out + c * 8);
    }
    free(column), free(place);
}

static void run_problem(problem *p)
{
    size_t bytes = (size_t)p->cells * 8;
    char *out = malloc(bytes), *first_out = malloc(bytes);
    bool have_first = false;
    for (int level = 0; level < VV_CPU_LEVELS; level++) {
        if (!vv_cpu_set((vv_cpu_level)level)) continue;
        void *state = solve(p, 0, p->n_leaves - 1);
        vv_red_finish(&p->r, state, out);
        if (have_first) assert_memory_equal(out, first_out, bytes);
        if (!have_first) check_all_cells(p, out);
        memcpy(first_out, out, bytes);
        have_first = true;
        free(state);
    }
    free(out), free(first_out);
}

static char *random_matrix(vv_dtype type, vv_index n, const flavour *f)
{
    char *x = malloc((size_t)(n * vv_dtype_size(type)) + 1);
    for (vv_index i = 0; i < n; i++) random_value(type, f, x + i * vv_dtype_size(type));
    return x;
}

static void random_leaves(problem *p)
{
    p->n_leaves = 0;
    for (int at = 0; at < p->rows || p->n_leaves == 0;) {
        at += p->n_leaves == 62 ? p->rows : rand() % (p->rows / 3 + 2); /* some are empty */
        p->leaf_end[p->n_leaves++] = at < p->rows ? at : p->rows;
    }
}

static const flavour flavours[] = {
    {.mean = 280, .spread = 20},
    {.mean = 280, .spread = 20, .nan_share = 0.2},
    {.mean = 1e6, .spread = 1e-3, .nan_share = 0.01},
    {.mean = 0, .spread = 1e5, .nan_share = 0.9},
    {.mean = 0, .spread = 1, .nan_share = 0.02, .wild = true},
    {.mean = 3, .spread = 2, .nan_share = 1},
    {.mean = 0, .spread = 0, .nan_share = 0.05, .runs = true},
};

static void every_reduction_is_right(void **state)
{
    (void)state;
    static const struct {
        int rows, cells;
    } shapes[] = {{1, 1}, {7, 3}, {40, 33}, {5, 5000}, {6000, 2}, {700, 1}};
    vv_cpu_level best = vv_cpu();
    for (int k = 0; k < vv_n_reductions; k++)
        for (int t = 0; t < 4; t++)
            for (int trial = 0; trial < 2 * 6 * 7; trial++) {
                problem p = {.r = {.kind = vv_reductions[k],
                                   .in = working[t],
                                   .skip = trial % 2,
                                   .ddof = rand() % 2,
                                   .least = rand() % 4},
                             .rows = shapes[trial / 2 % 6].rows,
                             .cells = shapes[trial / 2 % 6].cells,
                             .across = rand() % 2,
                             .seed = (unsigned)rand()};
                if (p.r.kind->planes(p.r.in) == 0) continue;
                p.r.width = trial % 3 ? vv_count_width(p.rows) : trial % 2 * 8;
                char *x = random_matrix(p.r.in, (vv_index)p.rows * p.cells, &flavours[trial / 12]);
                p.x = x;
                random_leaves(&p);
                run_problem(&p);
                free(x);
            }
    vv_cpu_set(best);
}

/* --- stored elements --- */

enum { STORED = 3000, ROWS = 11 };

static vv_decode random_decode(vv_dtype stored, vv_dtype out)
{
    bool real = vv_dtype_is_float(stored);
    vv_decode d = {.stored = stored, .out = out, .shuffled = rand() % 2, .swap = rand() % 2, .n_missing = rand() % 3};
    if (!real || rand() % 4 == 0) d.scaled = rand() % 4 > 0;
    d.scale = 0.013;
    d.offset = rand() % 2 ? 271.5 : 20000; /* sums that soon are larger than anything that is added */
    for (int i = 0; i < d.n_missing; i++) {
        if (real)
            d.missing[i].f = i ? 3 : rand() % 2 ? (double)NAN : 1e20;
        else
            d.missing[i].i = i ? 7 : -1; /* as u64: nothing that u8 could hold */
    }
    d.has_max = rand() % 8 == 0;
    d.valid_max = 100;
    return d;
}

/* Stored bytes with some missing values and NaN in the last third of every other row. */
static char *random_stored(const vv_decode *d)
{
    vv_bytes size = vv_dtype_size(d->stored);
    char *plain = malloc((size_t)(STORED * ROWS * size)), *x = malloc((size_t)(STORED * ROWS * size));
    for (vv_index i = 0; i < STORED * ROWS; i++) {
        uint64_t bits = random_bits() >> 3;
        bool odd = i / STORED % 2 && i % STORED > 2 * STORED / 3 && rand() % 100 == 0;
        double some = rand() % 4 ? rand() * 1e-7 : rand() % 2 ? 0.0 : -0.0; /* which zero is the least one? */
        if (vv_dtype_is_float(d->stored))
            vv_dtype_store(d->stored, plain + i * size, odd ? (rand() % 2 ? 1e20 : (double)NAN) : some);
        else
            memcpy(plain + i * size, odd && d->n_missing ? &d->missing[0].u : &bits, (size_t)size);
    }
    if (d->swap) vv_byteswap(plain, STORED * ROWS, (int)size);
    if (d->shuffled)
        vv_shuffle(plain, STORED * ROWS, (int)size, x);
    else
        memcpy(x, plain, (size_t)(STORED * ROWS * size));
    free(plain);
    return x;
}

/* All of them at once. */
static void fold_rows(const vv_red_into into[], int n_into, const vv_decode *d, const char *x)
{
    for (int k = 0; k < n_into; k++) vv_red_init(into[k].red, STORED, into[k].state);
    for (vv_index at = 0, n; at < STORED; at += n) {
        n = STORED - at < 1024 ? STORED - at : 1024;
        vv_stored_rows rows = {.block = x, .total = STORED * ROWS, .first = at, .step = STORED, .rows = ROWS};
        vv_red_stored_rows(into, n_into, at, n, d, &rows);
    }
    for (int k = 0; k < n_into; k++) vv_red_count(into[k].state, ROWS);
}

static void fold_stored(const vv_red *r, const vv_decode *d, const char *x, bool straight, void *state)
{
    double tile[VV_TILE];
    vv_red_init(r, STORED, state);
    for (vv_index row = 0; row < ROWS; row++)
        for (vv_index at = 0, n; at < STORED; at += n) {
            n = STORED - at < 1024 ? STORED - at : 1024;
            if (straight) {
                vv_red_stored(r, state, at, n, d, x, STORED * ROWS, row * STORED + at);
            } else {
                vv_decode_range(d, x, STORED * ROWS, row * STORED + at, n, tile);
                vv_red_vertical(r, state, at, n, tile);
            }
        }
    vv_red_count(state, ROWS);
}

/* The state itself, not only the result: it goes on to other ranks. */
static void stored_elements_fold_as_decoded_ones_do(void **unused)
{
    (void)unused;
    static const char *const short_way[] = {"mean", "sum", "var", "std", "min", "max"};
    enum { MOST = 4 };
    vv_cpu_level best = vv_cpu();
    int taken = 0;
    for (int trial = 0; trial < 90; trial++) {
        vv_dtype stored = (vv_dtype)(VV_BOOL + trial % (VV_F64 - VV_BOOL + 1));
        vv_dtype out = vv_dtype_is_float(stored) ? stored : rand() % 2 ? VV_F32 : VV_F64;
        vv_decode d = random_decode(stored, out);
        if (vv_working_type(stored) == VV_NONE) continue;
        vv_red r[MOST];
        vv_red_into into[MOST];
        int n = 0;
        for (int k = 1 + rand() % MOST; k > 0; k--) {
            r[n] = (vv_red){.kind = vv_reduction_find(short_way[rand() % 6]), .in = out, .skip = rand() % 4 > 0};
            if (!vv_red_takes_stored(&r[n], &d)) continue;
            into[n] = (vv_red_into){&r[n], calloc(1, (size_t)vv_red_state_bytes(&r[n], STORED))};
            n++;
        }
        taken += n;
        char *x = random_stored(&d);
        for (int level = 0; level < VV_CPU_LEVELS; level++) {
            if (!vv_cpu_set((vv_cpu_level)level)) continue;
            fold_rows(into, n, &d, x);
            for (int k = 0; k < n; k++) {
                size_t bytes = (size_t)vv_red_used_bytes(&r[k], into[k].state);
                void *one = calloc(1, (size_t)vv_red_state_bytes(&r[k], STORED));
                fold_stored(&r[k], &d, x, false, one);
                assert_int_equal(vv_red_used_bytes(&r[k], one), bytes);
                assert_memory_equal(one, into[k].state, bytes);
                fold_stored(&r[k], &d, x, true, one);
                assert_int_equal(vv_red_used_bytes(&r[k], one), bytes);
                assert_memory_equal(one, into[k].state, bytes);
                free(one);
            }
        }
        for (int k = 0; k < n; k++) free(into[k].state);
        free(x);
    }
    assert_in_range(taken, 40, 360);
    vv_cpu_set(best);
}

static void empty_input_has_a_result(void **state)
{
    (void)state;
    for (int k = 0; k < vv_n_reductions; k++)
        for (int t = 0; t < 8; t++) {
            problem p = {.r = {.kind = vv_reductions[k], .in = working[t / 2], .skip = t % 2},
                         .cells = 3,
                         .n_leaves = 2,
                         .leaf_end = {0, 0},
                         .x = ""};
            run_problem(&p);
        }
}

/* 1e6 values over 16 orders of magnitude, cancelling: sum and mean of f64 are right to the last bits, down and along. */
static void sums_of_reals_are_exact_to_the_last_bits(void **state)
{
    (void)state;
    enum { N = 1000000 };
    double *x = malloc(N * sizeof *x);
    for (int i = 0; i < N; i++) x[i] = ldexp((double)rand() / RAND_MAX - 0.5, rand() % 54);
    cell_values c = {.type = VV_F64, .n = N, .valid = N, .x = (const char *)x};
    double right = (double)sum_of(&c);
    vv_red r = {.kind = vv_reduction_find("sum"), .in = VV_F64};
    double out, s[64];
    assert_true((size_t)vv_red_state_bytes(&r, 1) <= sizeof s);
    vv_red_init(&r, 1, s);
    for (int i = 0; i < N; i += 40000) vv_red_horizontal(&r, s, 0, 40000, x + i);
    vv_red_finish(&r, s, &out);
    assert_true(fabs(out - right) <= 0x1p-51 * fabs(right));
    vv_red_init(&r, 1, s);
    for (int i = 0; i < N; i++) vv_red_vertical(&r, s, 0, 1, x + i);
    vv_red_finish(&r, s, &out);
    assert_true(fabs(out - right) <= 0x1p-51 * fabs(right));
    free(x);
}

static void variance_survives_a_large_mean(void **state)
{
    (void)state;
    double x[1000], out, s[64];
    for (int i = 0; i < 1000; i++) x[i] = 1e9 + i % 10; /* variance 8.25 */
    vv_red r = {.kind = vv_reduction_find("var"), .in = VV_F64, .skip = true};
    vv_red_init(&r, 1, s);
    for (int i = 0; i < 10; i++) vv_red_horizontal(&r, s, 0, 100, x + 100 * i);
    vv_red_count(s, 1000);
    vv_red_finish(&r, s, &out);
    assert_true(fabs(out - 8.25) < 1e-12);
}

/* A state that was combined can take more elements and be combined again. */
static void combined_states_go_on(void **state)
{
    (void)state;
    double x[90], a[64], b[64], out;
    for (int i = 0; i < 90; i++) x[i] = sin(i);
    cell_values c = {.type = VV_F64, .n = 90, .valid = 90, .x = (const char *)x};
    vv_red r = {.kind = vv_reduction_find("var"), .in = VV_F64};
    vv_red_init(&r, 1, a);
    vv_red_init(&r, 1, b);
    vv_red_horizontal(&r, a, 0, 30, x);
    vv_red_count(a, 30);
    vv_red_horizontal(&r, b, 0, 30, x + 30);
    vv_red_count(b, 30);
    vv_red_combine(&r, a, b);
    vv_red_horizontal(&r, a, 0, 30, x + 60);
    vv_red_count(a, 30);
    vv_red_finish(&r, a, &out);
    assert_true(fabs(out - (double)variance_of(&c, 0)) < 1e-14);
}

static void results_have_numpys_types(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        vv_dtype stored, result;
    } rows[] = {{"sum", VV_F32, VV_F32},   {"sum", VV_I16, VV_I64},  {"sum", VV_U8, VV_U64},
                {"sum", VV_BOOL, VV_I64},  {"mean", VV_F32, VV_F32}, {"mean", VV_I16, VV_F64},
                {"mean", VV_U64, VV_F64},  {"std", VV_F64, VV_F64},  {"min", VV_I16, VV_I16},
                {"max", VV_BOOL, VV_BOOL}, {"min", VV_F32, VV_F32},  {"any", VV_F32, VV_BOOL},
                {"count", VV_F32, VV_I64}, {"prod", VV_C64, VV_C64}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(vv_reduction_find(rows[i].name)->result(rows[i].stored), rows[i].result);
    for (int k = 0; k < vv_n_reductions; k++) {
        assert_ptr_equal(vv_reduction_find(vv_reductions[k]->name), vv_reductions[k]);
        for (int t = 0; t < 4; t++) {
            vv_red r = {.kind = vv_reductions[k], .in = working[t]};
            assert_int_equal(vv_dtype_size(vv_red_out(&r)), 8);
        }
        bool product =
            !strcmp(vv_reductions[k]->name, "prod"); /* what else complex numbers have is made of their parts */
        assert_int_equal(vv_reduction_planes(vv_reductions[k], VV_C64), product ? 2 : 0);
    }
    assert_null(vv_reduction_find("no such reduction"));
}

static void check_missing_plane(int width, vv_bytes size)
{
    double x[4] = {1, 2, (double)NAN, 4}, s[64], mean[4];
    vv_red r = {.kind = vv_reduction_find("mean"), .in = VV_F64, .skip = true, .width = width};
    vv_red_init(&r, 4, s);
    vv_bytes before = vv_red_used_bytes(&r, s);
    vv_red_vertical(&r, s, 0, 2, x);
    assert_int_equal(vv_red_used_bytes(&r, s), before);
    vv_red_init(&r, 4, s);
    vv_red_vertical(&r, s, 0, 4, x);
    vv_red_count(s, 1);
    assert_int_equal(vv_red_used_bytes(&r, s), vv_red_state_bytes(&r, 4));
    assert_int_equal(vv_red_used_bytes(&r, s) - before, 4 * size);
    double other[64];
    memcpy(other, s, sizeof s);
    vv_red_combine(&r, s, other);
    vv_red_finish(&r, s, mean);
    assert_true(mean[0] == 1 && mean[1] == 2 && isnan(mean[2]) && mean[3] == 4);
}

static void the_missing_plane_is_sent_only_when_used(void **state)
{
    (void)state;
    check_missing_plane(0, 4);
    for (int width = 1; width <= 8; width *= 2) check_missing_plane(width, width);
}

int main(void)
{
    srand(4);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reduction_is_right),       cmocka_unit_test(stored_elements_fold_as_decoded_ones_do),
        cmocka_unit_test(empty_input_has_a_result),       cmocka_unit_test(sums_of_reals_are_exact_to_the_last_bits),
        cmocka_unit_test(variance_survives_a_large_mean), cmocka_unit_test(combined_states_go_on),
        cmocka_unit_test(results_have_numpys_types),      cmocka_unit_test(the_missing_plane_is_sent_only_when_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

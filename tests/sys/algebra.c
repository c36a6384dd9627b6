/* Random expressions, computed lazily and, naively, at once: values must agree, and bits must not depend on how the work is done.
 *
 *     algebra FIRST N [all]    expressions number FIRST .. FIRST + N - 1; `all`: each with every setting of threads, memory, placement
 *
 * One line each: number, hash of the bits, shape. test_algebra.py compares the lines of different numbers of ranks. A wrong value ends
 * the program with the history of the expression. */
#include <varve/varve.h>

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ND = 4, MOST = 60000, NAMES = 8 };

static const char *const dim_name[NAMES] = {"time", "lat", "lon", "lev", "a", "b", "c", "d"};

typedef struct dense {
    int nd;
    int dim[ND]; /* numbers of names */
    vv_index n[ND];
    double *v;
} dense;

typedef struct pair {
    vv_array *lazy;
    dense eager;
} pair;

static uint64_t seed;
static char history[4096];

static vv_index below(vv_index n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (vv_index)((seed >> 20) % (uint64_t)n);
}

static void note(const char *what)
{
    size_t used = strlen(history);
    snprintf(history + used, sizeof history - used, "%s; ", what);
}

/* --- dense arrays --- */

static vv_index elements(const dense *a)
{
    vv_index n = 1;
    for (int d = 0; d < a->nd; d++) n *= a->n[d];
    return n;
}

static dense dense_like(const dense *a)
{
    dense b = *a;
    b.v = malloc(sizeof(double) * (size_t)(elements(&b) + 1));
    return b;
}

static void coords_of(const dense *a, vv_index i, vv_index at[])
{
    for (int d = a->nd - 1; d >= 0; d--) {
        at[d] = i % a->n[d];
        i /= a->n[d];
    }
}

static double get(const dense *a, const vv_index at[])
{
    vv_index i = 0;
    for (int d = 0; d < a->nd; d++) i = i * a->n[d] + at[d];
    return a->v[i];
}

static int find_dim(const dense *a, int name)
{
    for (int d = 0; d < a->nd; d++)
        if (a->dim[d] == name) return d;
    return -1;
}

static int free_name(const dense *a, const dense *b)
{
    for (int k = 4; k < NAMES; k++)
        if (find_dim(a, k) < 0 && (!b || find_dim(b, k) < 0)) return k;
    return -1;
}

/* --- sources --- */

static double hashed(uint64_t s, vv_index i)
{
    uint64_t x = s * 0x9e3779b97f4a7c15u + (uint64_t)i + 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    x ^= x >> 31;
    return (double)(x >> 40) * 0x1p-24;
}

/* Lengths of the first four dimensions are the same for all sources of an expression, so that they line up. */
static pair source(vv_session *s, const vv_index length[])
{
    char path[320], shape[128] = "", chunk[128] = "";
    int number = (int)below(3), order[4] = {0, 1, 2, 3}, nd = 1 + (int)below(3);
    pair p = {.eager.nd = nd};
    for (int i = 0; i < 4; i++) {
        int j = i + (int)below(4 - i), t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
    bool chunked = below(4);
    for (int d = 0; d < nd; d++) {
        p.eager.dim[d] = order[d];
        p.eager.n[d] = length[order[d]];
        size_t a = strlen(shape), b = strlen(chunk);
        snprintf(shape + a, sizeof shape - a, "%s%s:%lld", d ? "," : "", dim_name[order[d]], (long long)p.eager.n[d]);
        snprintf(chunk + b, sizeof chunk - b, "%s%lld", d ? "," : "&chunk=", (long long)(1 + below(p.eager.n[d] + 2)));
    }
    char name[8];
    snprintf(name, sizeof name, "x%d", number);
    snprintf(path, sizeof path, "virtual:%s?shape=%s%s&dtype=f64&seed=%d", name, shape, chunked ? chunk : "", number);
    note(path);
    p.lazy = vv_open(s, path, name);
    p.eager = dense_like(&p.eager);
    for (vv_index i = 0; i < elements(&p.eager); i++) p.eager.v[i] = hashed((uint64_t)number, i);
    return p;
}

/* --- operations: each makes a new pair from one or two and frees the old dense values --- */

/* Arrays on the way. */
enum { MADE = 64 };
static vv_array *made[MADE];
static int n_made;

static pair finish(pair *old, vv_array *lazy, dense eager)
{
    if (n_made < MADE) made[n_made++] = lazy;
    free(old->eager.v);
    *old = (pair){lazy, eager};
    return *old;
}

static void do_unary(vv_session *s, pair *p)
{
    static const char *const names[] = {"square", "negative", "absolute", "sqrt of 1 + absolute"};
    int k = (int)below(4);
    note(names[k]);
    dense e = dense_like(&p->eager);
    for (vv_index i = 0; i < elements(&e); i++) {
        double x = p->eager.v[i];
        e.v[i] = k == 0 ? x * x : k == 1 ? -x : k == 2 ? fabs(x) : sqrt(fabs(x) + 1);
    }
    vv_array *a = p->lazy;
    *p = finish(p,
                k == 0   ? vv_square(a)
                : k == 1 ? vv_negative(a)
                : k == 2 ? vv_absolute(a)
                         : vv_sqrt(vv_add(vv_absolute(a), vv_scalar(s, 1))),
                e);
}

static void do_slice(pair *p)
{
    int d = (int)below(p->eager.nd);
    vv_index n = p->eager.n[d], start = below(n), step = below(2) ? 1 : below(2) ? 2 : -1;
    vv_index count = step > 0 ? (n - start + step - 1) / step : start + 1;
    if (below(2)) count = 1 + below(count);
    vv_index stop = start + step * count;
    char text[64];
    snprintf(text, sizeof text, "slice %s %lld:%lld:%lld", dim_name[p->eager.dim[d]], (long long)start, (long long)stop,
             (long long)step);
    note(text);
    dense e = p->eager;
    e.n[d] = count;
    e = dense_like(&e);
    for (vv_index i = 0; i < elements(&e); i++) {
        vv_index at[ND] = {0};
        coords_of(&e, i, at);
        at[d] = start + step * at[d];
        e.v[i] = get(&p->eager, at);
    }
    *p = finish(p, vv_slice(p->lazy, dim_name[e.dim[d]], start, stop < 0 ? VV_END : stop, step), e);
}

static void do_transpose(pair *p)
{
    char dims[64] = "";
    dense e = p->eager;
    int from[ND];
    for (int d = 0; d < e.nd; d++) from[d] = d;
    for (int d = 0; d < e.nd; d++) {
        int j = d + (int)below(e.nd - d), t = from[d];
        from[d] = from[j];
        from[j] = t;
    }
    for (int d = 0; d < e.nd; d++) {
        e.dim[d] = p->eager.dim[from[d]];
        e.n[d] = p->eager.n[from[d]];
        snprintf(dims + strlen(dims), sizeof dims - strlen(dims), "%s%s", d ? "," : "", dim_name[e.dim[d]]);
    }
    note("transpose"), note(dims);
    e = dense_like(&e);
    for (vv_index i = 0; i < elements(&e); i++) {
        vv_index at[ND] = {0}, was[ND] = {0};
        coords_of(&e, i, at);
        for (int d = 0; d < e.nd; d++) was[from[d]] = at[d];
        e.v[i] = get(&p->eager, was);
    }
    *p = finish(p, vv_transpose(p->lazy, dims), e);
}

static void do_roll(pair *p)
{
    int d = (int)below(p->eager.nd);
    vv_index n = p->eager.n[d], shift = below(2 * n + 1) - n;
    note("roll"), note(dim_name[p->eager.dim[d]]);
    dense e = dense_like(&p->eager);
    for (vv_index i = 0; i < elements(&e); i++) {
        vv_index at[ND] = {0};
        coords_of(&e, i, at);
        at[d] = ((at[d] - shift) % n + n) % n;
        e.v[i] = get(&p->eager, at);
    }
    *p = finish(p, vv_roll(p->lazy, dim_name[e.dim[d]], shift), e);
}

static void do_pad(pair *p)
{
    static const char *const how[] = {"constant", "nan", "edge", "wrap", "reflect"};
    int d = (int)below(p->eager.nd), k = (int)below(5);
    vv_index n = p->eager.n[d], before = below(n), after = below(n);
    char text[64];
    snprintf(text, sizeof text, "pad %s %lld %lld %s", dim_name[p->eager.dim[d]], (long long)before, (long long)after,
             how[k]);
    note(text);
    dense e = p->eager;
    e.n[d] = n + before + after;
    e = dense_like(&e);
    for (vv_index i = 0; i < elements(&e); i++) {
        vv_index at[ND] = {0};
        coords_of(&e, i, at);
        vv_index w = at[d] - before;
        bool out = w < 0 || w >= n;
        if (k == 2) w = w < 0 ? 0 : w >= n ? n - 1 : w;
        if (k == 3) w = (w + n) % n;
        if (k == 4) w = w < 0 ? -w : w >= n ? 2 * (n - 1) - w : w;
        at[d] = out && k < 2 ? 0 : w;
        e.v[i] = out && k == 0 ? 0.5 : out && k == 1 ? NAN : get(&p->eager, at);
    }
    *p = finish(p, vv_pad(p->lazy, dim_name[e.dim[d]], before, after, how[k], 0.5), e);
}

static void do_take(pair *p)
{
    int d = (int)below(p->eager.nd);
    vv_index count = 1 + below(7), index[8];
    note("take"), note(dim_name[p->eager.dim[d]]);
    dense e = p->eager;
    e.n[d] = count;
    e = dense_like(&e);
    for (vv_index k = 0; k < count; k++) index[k] = below(p->eager.n[d]);
    for (vv_index i = 0; i < elements(&e); i++) {
        vv_index at[ND] = {0};
        coords_of(&e, i, at);
        at[d] = index[at[d]];
        e.v[i] = get(&p->eager, at);
    }
    *p = finish(p, vv_take(p->lazy, dim_name[e.dim[d]], index, count), e);
}

static void do_rechunk(pair *p)
{
    int d = (int)below(p->eager.nd);
    char text[64];
    snprintf(text, sizeof text, "%s:%lld", dim_name[p->eager.dim[d]], (long long)(1 + below(p->eager.n[d])));
    note("rechunk"), note(text);
    p->lazy = vv_rechunk(p->lazy, text);
}

static const char *const reductions[] = {"sum", "mean", "min", "max", "var"};

static double reduced(int how, const double *x, vv_index n)
{
    double sum = 0, best = NAN, q = 0;
    vv_index valid = 0;
    for (vv_index i = 0; i < n; i++) {
        if (isnan(x[i])) continue;
        valid++;
        sum += x[i];
        if (isnan(best) || (how == 2 ? x[i] < best : x[i] > best)) best = x[i];
    }
    double mean = sum / (double)valid;
    for (vv_index i = 0; i < n; i++)
        if (!isnan(x[i])) q += (x[i] - mean) * (x[i] - mean);
    return how == 0 ? sum : how == 1 ? (valid ? mean : NAN) : how < 4 ? best : valid ? q / (double)valid : NAN;
}

/* Over dimension d, or by labels along it (n_groups > 0), whose groups then take its place. */
static dense reduce_dense(const dense *a, int d, int how, const vv_index label[], vv_index n_groups, int group_name)
{
    dense e = *a;
    if (n_groups) {
        e.n[d] = n_groups;
        e.dim[d] = group_name;
    } else {
        e.nd--;
        for (int k = d; k < e.nd; k++) e.n[k] = a->n[k + 1], e.dim[k] = a->dim[k + 1];
    }
    e = dense_like(&e);
    double *x = malloc(sizeof *x * (size_t)a->n[d]);
    for (vv_index i = 0; i < elements(&e); i++) {
        vv_index at[ND] = {0}, was[ND] = {0}, n = 0;
        coords_of(&e, i, at);
        for (int k = 0; k < a->nd; k++) was[k] = n_groups || k < d ? at[k] : k > d ? at[k - 1] : 0;
        vv_index group = n_groups ? at[d] : 0;
        for (vv_index w = 0; w < a->n[d]; w++) {
            was[d] = w;
            if (!n_groups || label[w] == group) x[n++] = get(a, was);
        }
        e.v[i] = reduced(how, x, n);
    }
    free(x);
    return e;
}

static void do_reduce(pair *p)
{
    if (p->eager.nd < 2) return;
    int d = (int)below(p->eager.nd), how = (int)below(5);
    note(reductions[how]), note(dim_name[p->eager.dim[d]]);
    dense e = reduce_dense(&p->eager, d, how, NULL, 0, 0);
    *p = finish(p, vv_reduce(p->lazy, reductions[how], dim_name[p->eager.dim[d]], NULL), e);
}

static vv_index *random_labels(vv_index n, vv_index n_groups)
{
    vv_index *label = malloc(sizeof *label * (size_t)n);
    for (vv_index i = 0; i < n; i++) label[i] = below(8) ? i * n_groups / n : below(n_groups + 1) - 1;
    return label;
}

static void do_group(pair *p)
{
    int d = (int)below(p->eager.nd), how = (int)below(5), name = free_name(&p->eager, NULL);
    vv_index n = p->eager.n[d], groups = 1 + below(5), *label = random_labels(n, groups);
    if (name < 0) {
        free(label);
        return;
    }
    bool anomaly = below(2);
    note(anomaly ? "anomaly by group" : "by group"), note(reductions[how]), note(dim_name[p->eager.dim[d]]);
    dense e = reduce_dense(&p->eager, d, how, label, groups, name);
    vv_array *by = vv_group_labels(p->lazy, dim_name[p->eager.dim[d]], label, n, groups, dim_name[name], NULL);
    vv_array *lazy = vv_reduce(by, reductions[how], dim_name[p->eager.dim[d]], NULL);
    if (anomaly) {
        dense a = dense_like(&p->eager);
        for (vv_index i = 0; i < elements(&a); i++) {
            vv_index at[ND] = {0};
            coords_of(&a, i, at);
            vv_index g = label[at[d]];
            at[d] = g;
            a.v[i] = g < 0 ? NAN : p->eager.v[i] - get(&e, at);
        }
        free(e.v);
        e = a;
        lazy = vv_ungroup(vv_sub(by, lazy));
    }
    free(label);
    *p = finish(p, lazy, e);
}

static void do_window(pair *p)
{
    static const char *const names[] = {"sum", "mean", "min", "max", "var"};
    int d = (int)below(p->eager.nd), how = (int)below(5);
    vv_index n = p->eager.n[d], window = 1 + below(5), least = 1 + below(window);
    bool centered = below(2);
    char text[64];
    snprintf(text, sizeof text, "rolling %s %lld %s %lld %d", dim_name[p->eager.dim[d]], (long long)window, names[how],
             (long long)least, centered);
    note(text);
    dense e = dense_like(&p->eager);
    for (vv_index i = 0; i < elements(&e); i++) {
        vv_index at[ND] = {0}, valid = 0, count = 0, c;
        double x[8] = {0};
        coords_of(&e, i, at);
        c = at[d];
        vv_index from = centered ? c - window / 2 : c - window + 1;
        for (vv_index w = from; w < from + window; w++) {
            if (w < 0 || w >= n) continue;
            at[d] = w;
            x[count] = get(&p->eager, at);
            valid += !isnan(x[count]);
            count++;
        }
        e.v[i] = valid < least ? NAN : reduced(how, x, count);
    }
    *p = finish(p, vv_rolling(p->lazy, dim_name[e.dim[d]], window, names[how], least, centered), e);
}

static void do_cumulative(pair *p)
{
    int d = (int)below(p->eager.nd);
    note("cumulative"), note(dim_name[p->eager.dim[d]]);
    dense e = dense_like(&p->eager);
    for (vv_index i = 0; i < elements(&e); i++) {
        vv_index at[ND] = {0}, last;
        double sum = 0;
        coords_of(&e, i, at);
        last = at[d];
        for (at[d] = 0; at[d] <= last; at[d]++) {
            double x = get(&p->eager, at);
            sum += isnan(x) ? 0 : x;
        }
        e.v[i] = sum;
    }
    *p = finish(p, vv_cumulative(p->lazy, "sum", dim_name[e.dim[d]]), e);
}

/* --- two operands --- */

static bool line_up(const dense *a, const dense *b)
{
    vv_index n = elements(a);
    int nd = a->nd;
    for (int d = 0; d < b->nd; d++) {
        int k = find_dim(a, b->dim[d]);
        if (k >= 0 && a->n[k] != b->n[d]) return false;
        if (k < 0) n *= b->n[d], nd++;
    }
    return nd <= ND && n <= MOST;
}

static dense add_dense(const dense *a, const dense *b, bool multiply)
{
    dense e = *a;
    for (int d = 0; d < b->nd; d++)
        if (find_dim(a, b->dim[d]) < 0) {
            e.dim[e.nd] = b->dim[d];
            e.n[e.nd++] = b->n[d];
        }
    e = dense_like(&e);
    for (vv_index i = 0; i < elements(&e); i++) {
        vv_index at[ND] = {0}, left[ND] = {0}, right[ND] = {0};
        coords_of(&e, i, at);
        for (int d = 0; d < a->nd; d++) left[d] = at[find_dim(&e, a->dim[d])];
        for (int d = 0; d < b->nd; d++) right[d] = at[find_dim(&e, b->dim[d])];
        double x = get(a, left), y = get(b, right);
        e.v[i] = multiply ? x * y : x + y;
    }
    return e;
}

static void do_binary(pair *p, pair *q)
{
    if (!line_up(&p->eager, &q->eager)) return;
    bool multiply = below(2);
    note(multiply ? "times the other" : "plus the other");
    dense e = add_dense(&p->eager, &q->eager, multiply);
    *p = finish(p, multiply ? vv_multiply(p->lazy, q->lazy) : vv_add(p->lazy, q->lazy), e);
}

static void do_with_mean(pair *p)
{
    if (p->eager.nd < 2) return;
    int d = (int)below(p->eager.nd);
    note("minus its mean over"), note(dim_name[p->eager.dim[d]]);
    dense m = reduce_dense(&p->eager, d, 1, NULL, 0, 0), minus = dense_like(&m);
    for (vv_index i = 0; i < elements(&m); i++) minus.v[i] = -m.v[i];
    dense e = add_dense(&p->eager, &minus, false);
    vv_array *lazy = vv_sub(p->lazy, vv_mean(p->lazy, dim_name[p->eager.dim[d]]));
    free(m.v);
    free(minus.v);
    *p = finish(p, lazy, e);
}

static void do_concat(vv_session *s, pair *p)
{
    int d = (int)below(p->eager.nd);
    if (elements(&p->eager) * 2 > MOST) return;
    note("concat with its square along"), note(dim_name[p->eager.dim[d]]);
    dense e = p->eager;
    vv_index n = e.n[d];
    e.n[d] = 2 * n;
    e = dense_like(&e);
    for (vv_index i = 0; i < elements(&e); i++) {
        vv_index at[ND] = {0};
        coords_of(&e, i, at);
        bool second = at[d] >= n;
        at[d] -= second ? n : 0;
        double x = get(&p->eager, at);
        e.v[i] = second ? x * x : x;
    }
    vv_array *both[] = {p->lazy, vv_square(p->lazy)};
    *p = finish(p, vv_concat(s, both, 2, dim_name[e.dim[d]]), e);
}

static void do_stack(vv_session *s, pair *p)
{
    int name = free_name(&p->eager, NULL);
    if (p->eager.nd == ND || elements(&p->eager) * 2 > MOST || name < 0) return;
    note("stack with its negative");
    dense e = {.nd = p->eager.nd + 1, .dim = {name}, .n = {2}};
    for (int d = 0; d < p->eager.nd; d++) e.dim[d + 1] = p->eager.dim[d], e.n[d + 1] = p->eager.n[d];
    e = dense_like(&e);
    vv_index half = elements(&p->eager);
    for (vv_index i = 0; i < 2 * half; i++) e.v[i] = i < half ? p->eager.v[i] : -p->eager.v[i - half];
    vv_array *both[] = {p->lazy, vv_negative(p->lazy)};
    *p = finish(p, vv_stack(s, both, 2, dim_name[name]), e);
}

/* What becomes of a dimension in the product of an array with itself. */
enum { MATCHED, SUMMED, APART };

static dense product_dense(const dense *a, const int role[], int name)
{
    dense e = {0};
    vv_index sums = 1;
    for (int d = 0; d < a->nd; d++)
        if (role[d] == SUMMED) {
            sums *= a->n[d];
        } else {
            e.dim[e.nd] = a->dim[d];
            e.n[e.nd++] = a->n[d];
        }
    for (int d = 0; d < a->nd; d++)
        if (role[d] == APART) {
            e.dim[e.nd] = name;
            e.n[e.nd++] = a->n[d];
        }
    e = dense_like(&e);
    for (vv_index i = 0; i < elements(&e); i++) {
        vv_index at[ND] = {0};
        coords_of(&e, i, at);
        e.v[i] = 0;
        for (vv_index k = 0; k < sums; k++) {
            vv_index left[ND] = {0}, right[ND] = {0}, rest = k;
            for (int d = a->nd - 1; d >= 0; d--)
                if (role[d] == SUMMED) {
                    left[d] = right[d] = rest % a->n[d];
                    rest /= a->n[d];
                }
            for (int d = 0, r = 0; d < a->nd; d++)
                if (role[d] != SUMMED) {
                    left[d] = at[r++];
                    right[d] = role[d] == APART ? at[e.nd - 1] : left[d];
                }
            e.v[i] += get(a, left) * get(a, right);
        }
    }
    return e;
}

/* By names or by letters. */
static vv_array *product_lazy(vv_session *s, const pair *p, const int role[], int name)
{
    char first[ND + 1] = "", second[ND + 1] = "", letters[4 * ND] = "", dims[64] = "";
    vv_array *other = p->lazy;
    for (int d = 0; d < p->eager.nd; d++) {
        first[d] = second[d] = (char)('p' + d);
        if (role[d] == APART) {
            other = vv_rename(other, dim_name[p->eager.dim[d]], dim_name[name]);
            second[d] = 'z';
        }
        if (role[d] == SUMMED)
            snprintf(dims + strlen(dims), sizeof dims - strlen(dims), "%s%s", *dims ? "," : "",
                     dim_name[p->eager.dim[d]]);
    }
    note(dims);
    if (below(2)) return vv_dot(p->lazy, other, dims);
    snprintf(letters, sizeof letters, "%s,%s->", first, second);
    for (int d = 0; d < p->eager.nd; d++)
        if (role[d] != SUMMED) strncat(letters, first + d, 1);
    for (int d = 0; d < p->eager.nd; d++)
        if (role[d] == APART) strncat(letters, "z", 2);
    return vv_einsum(s, letters, (vv_array *[]){p->lazy, other}, 2);
}

/* The product of the array with itself, summed over one or several dimensions. */
static void do_product(vv_session *s, pair *p)
{
    int name = free_name(&p->eager, NULL), role[ND] = {0}, apart = -1;
    for (int d = 0; d < p->eager.nd; d++) {
        role[d] = (int)below(3);
        if (role[d] == APART && apart >= 0) role[d] = MATCHED;
        if (role[d] == APART) apart = d;
    }
    int summed = (int)below(p->eager.nd);
    if (summed == apart) apart = -1;
    role[summed] = SUMMED;
    vv_index work = elements(&p->eager) * (apart < 0 ? 1 : p->eager.n[apart]);
    bool one = true; /* number left of it */
    for (int d = 0; d < p->eager.nd; d++) one = one && role[d] == SUMMED;
    if (one) return;
    if (name < 0 || work > 300000 || p->eager.nd + (apart >= 0) > 4) return;
    for (vv_index i = 0; i < elements(&p->eager); i++)
        if (isnan(p->eager.v[i])) return;
    note("times itself over");
    *p = finish(p, product_lazy(s, p, role, name), product_dense(&p->eager, role, name));
}

static void apply(vv_session *s, pair *p, pair *q)
{
    switch (below(16)) {
    case 0: do_unary(s, p); break;
    case 1: do_slice(p); break;
    case 2: do_transpose(p); break;
    case 3: do_roll(p); break;
    case 4: do_pad(p); break;
    case 5: do_take(p); break;
    case 6: do_rechunk(p); break;
    case 7: do_reduce(p); break;
    case 8: do_group(p); break;
    case 9: do_window(p); break;
    case 10: do_cumulative(p); break;
    case 11: do_binary(p, q); break;
    case 12: do_with_mean(p); break;
    case 13: do_concat(s, p); break;
    case 14: do_stack(s, p); break;
    default: do_product(s, p); break;
    }
}

/* --- checking --- */

static uint64_t hash_of(const double *v, vv_index n)
{
    uint64_t h = 14695981039346656037u;
    for (vv_index i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, &v[i], sizeof bits);
        h = (h ^ bits) * 0x100000001b3u;
        h ^= h >> 29;
    }
    return h;
}

static vv_status compare(const pair *p, const double *v)
{
    const dense *e = &p->eager;
    double scale = 1;
    for (vv_index i = 0; i < elements(e); i++)
        if (fabs(e->v[i]) > scale && isfinite(e->v[i])) scale = fabs(e->v[i]);
    for (vv_index i = 0; i < elements(e); i++) {
        if (isnan(e->v[i]) && isnan(v[i])) continue;
        if (fabs(e->v[i] - v[i]) <= 1e-9 * scale || e->v[i] == v[i]) continue;
        return vv_error(VV_ERR_INTERNAL, "element %lld is %.17g instead of %.17g after: %s", (long long)i, v[i],
                        e->v[i], history);
    }
    return VV_OK;
}

static vv_status check_shape(const pair *p)
{
    bool same = vv_array_n_dims(p->lazy) == p->eager.nd && vv_array_dtype(p->lazy) == VV_F64;
    for (int d = 0; same && d < p->eager.nd; d++)
        same = vv_array_length(p->lazy, d) == p->eager.n[d] &&
               !strcmp(vv_array_dim(p->lazy, d), dim_name[p->eager.dim[d]]);
    char text[256];
    return same
               ? VV_OK
               : vv_error(VV_ERR_INTERNAL, "has become %s after: %s", vv_describe(p->lazy, text, sizeof text), history);
}

static vv_status compute(pair *p, double *v)
{
    vv_status status = vv_array_status(p->lazy);
    if (status == VV_OK) status = check_shape(p);
    if (status == VV_OK) status = vv_compute(p->lazy, v, elements(&p->eager) * (vv_bytes)sizeof *v);
    if (status != VV_OK) fprintf(stderr, "after: %s\n", history);
    return status;
}

/* The same with other settings: every bit must be the same. */
static vv_status vary(vv_session *s, pair *p, uint64_t hash, double *v)
{
    static const char *const placement[] = {"outputs", "leaves", "cyclic"};
    vv_bytes memory = vv_session_memory(s);
    vv_status status = VV_OK;
    for (int k = 0; k < 6 && status == VV_OK; k++) {
        (void)vv_session_set_threads(s, 1 + k % 2);
        (void)vv_session_set_placement(s, placement[k % 3]);
        (void)vv_session_set_memory(s, k % 2 ? memory : 300 << 20);
        status = compute(p, v);
        if (status == VV_OK && hash_of(v, elements(&p->eager)) != hash)
            status = vv_error(VV_ERR_INTERNAL, "other bits with setting %d after: %s", k, history);
    }
    (void)vv_session_set_threads(s, 1);
    (void)vv_session_set_placement(s, "auto");
    (void)vv_session_set_memory(s, memory);
    return status;
}

/* What is asked for together has the bits that it has alone, whatever it shares steps with: reductions and elementwise operations of two sources. */
enum { TOGETHER = 7 };

static vv_status alone(vv_session *s, const char *path, const char *name, vv_array *a)
{
    vv_index n = 1;
    for (int d = 0; d < vv_array_n_dims(a); d++) n *= vv_array_length(a, d);
    double *v = malloc(sizeof *v * (size_t)(n + 1)), *w = malloc(sizeof *w * (size_t)(n + 1));
    vv_status status = vv_compute(a, v, n * (vv_bytes)sizeof *v);
    if (status == VV_OK) status = vv_compute(vv_open(s, path, name), w, n * (vv_bytes)sizeof *w);
    if (status == VV_OK && hash_of(v, n) != hash_of(w, n))
        status = vv_error(VV_ERR_INTERNAL, "%s of several has other bits after: %s", name, history);
    free(v);
    free(w);
    return status;
}

static vv_status together(vv_session *s, pair *p, pair *q)
{
    static int number;
    char path[512];
    const char *dim = vv_array_dim(p->lazy, 0), *folder = getenv("TMPDIR");
    vv_array *square = vv_square(p->lazy), *sum = vv_add(p->lazy, vv_mean(q->lazy, vv_array_dim(q->lazy, 0)));
    bool fits = elements(&p->eager) * elements(&q->eager) < MOST;
    if (!fits || vv_array_status(sum) != VV_OK) sum = vv_absolute(square); /* dimensions of different lengths */
    vv_array *all[TOGETHER] = {vv_mean(p->lazy, dim), vv_mean(square, dim), vv_sqrt(square),
                               vv_max(sum, dim),      vv_sum(sum, NULL),    vv_sub(p->lazy, vv_mean(square, dim)),
                               vv_negative(p->lazy)};
    vv_output *o;
    snprintf(path, sizeof path, "%s/algebra-%d-%d.nc", folder ? folder : "/tmp", (int)getpid(), number++);
    vv_status status = vv_output_new(s, path, &(vv_save_options){.overwrite = true}, &o);
    if (status != VV_OK) return status;
    for (int i = 0; i < TOGETHER && status == VV_OK; i++)
        status = vv_output_add(o, (char[]){'r', (char)('0' + i), 0}, all[i]);
    if (status == VV_OK)
        status = vv_output_save(&o);
    else
        vv_output_free(&o);
    for (int i = 0; i < TOGETHER && status == VV_OK; i++)
        status = alone(s, path, (char[]){'r', (char)('0' + i), 0}, all[i]);
    unlink(path);
    return status;
}

/* --- of everything but a slice --- */

static vv_index size_of(const vv_array *a)
{
    vv_index n = 1;
    for (int d = 0; d < vv_array_n_dims(a); d++) n *= vv_array_length(a, d);
    return n;
}

static vv_status into(vv_array *const a[], double *v[], int n)
{
    vv_bytes bytes[4];
    for (int i = 0; i < n; i++) {
        bytes[i] = size_of(a[i]) * (vv_bytes)sizeof(double);
        v[i] = malloc((size_t)bytes[i] + 1);
    }
    return vv_compute_all(a, (void **)v, bytes, n);
}

/* Elements `from` to `to` along dimension d of an array are those of `part`, bit by bit. */
static bool cut_out(const vv_array *a, const double *v, int d, vv_index from, vv_index to, const double *part)
{
    vv_index inner = 1, n = vv_array_length(a, d), some = to - from;
    for (int k = d + 1; k < vv_array_n_dims(a); k++) inner *= vv_array_length(a, k);
    vv_index outer = size_of(a) / inner / n;
    for (vv_index o = 0; o < outer; o++)
        if (memcmp(v + (o * n + from) * inner, part + o * some * inner, sizeof *v * (size_t)(some * inner)))
            return false;
    return true;
}

/* Of an array a slice alone, and the slice beside the array: the bits are those of the array alone. */
static vv_status slice_of(vv_array *a, const char *what)
{
    if (vv_array_n_dims(a) == 0) return VV_OK;
    int d = (int)below(vv_array_n_dims(a));
    vv_index n = vv_array_length(a, d), from = below(n), to = from + 1 + below(n - from);
    vv_array *slice = vv_slice(a, vv_array_dim(a, d), from, to, 1);
    double *v[4] = {NULL};
    vv_status status = into(&a, v, 1);
    if (status == VV_OK) status = into(&slice, v + 1, 1);
    if (status == VV_OK) status = into((vv_array *[]){slice, a}, v + 2, 2);
    if (status == VV_OK) {
        const char *wrong = !cut_out(a, v[0], d, from, to, v[1])                          ? "alone"
                            : memcmp(v[1], v[2], sizeof(double) * (size_t)size_of(slice)) ? "beside the whole"
                            : memcmp(v[0], v[3], sizeof(double) * (size_t)size_of(a))     ? "has changed the whole"
                                                                                          : NULL;
        if (wrong)
            status = vv_error(VV_ERR_INTERNAL, "%s: a slice %lld:%lld of dimension %d %s: other bits, after: %s", what,
                              (long long)from, (long long)to, d, wrong, history);
    }
    for (int i = 0; i < 4; i++) free(v[i]);
    return status;
}

/* Of the result, and of what is made of it by reducing, in rows and in columns, and by multiplying. */
static vv_status slices(pair *p)
{
    int nd = p->eager.nd;
    vv_status status = slice_of(p->lazy, "itself");
    for (int d = 0; d < nd && status == VV_OK; d++)
        status = slice_of(vv_reduce(p->lazy, reductions[below(5)], dim_name[p->eager.dim[d]], NULL),
                          dim_name[p->eager.dim[d]]);
    int name = free_name(&p->eager, NULL);
    if (status != VV_OK || nd != 2 || name < 0) return status;
    vv_array *other = vv_rename(p->lazy, dim_name[p->eager.dim[0]], dim_name[name]);
    return slice_of(vv_matmul(p->lazy, other, dim_name[p->eager.dim[1]]), "product");
}

/* Arrays on the way are persisted, in memory or in scratch files: the same bits, of what is built on them and of slices of it. */
static vv_status persisted(pair *p, uint64_t hash, double *v, bool more)
{
    if (n_made == 0) return VV_OK;
    vv_array *some[] = {made[below(n_made)], made[below(n_made)]};
    static const char *const keep[] = {"1000000000", "0", "300"};
    setenv("VARVE_KEEP", keep[below(3)], 1);
    vv_status status = vv_persist_all(some, 2);
    if (status == VV_OK) status = compute(p, v);
    if (status == VV_OK && hash_of(v, elements(&p->eager)) != hash)
        status = vv_error(VV_ERR_INTERNAL, "other bits from persisted arrays after: %s", history);
    if (status == VV_OK && more) status = slices(p);
    for (int i = 0; i < 2; i++) vv_unpersist(some[i]);
    unsetenv("VARVE_KEEP");
    return status;
}

static vv_status one(vv_session *s, int number, bool all)
{
    seed = (uint64_t)number * 0x9e3779b97f4a7c15u + 12345;
    history[0] = 0;
    n_made = 0;
    vv_index length[4], mark = vv_mark(s);
    for (int d = 0; d < 4; d++) length[d] = 1 + below(14);
    pair p = source(s, length), q = source(s, length);
    vv_status status = number % 10 ? VV_OK : together(s, &p, &q);
    for (vv_index k = 1 + below(6); k > 0; k--) {
        apply(s, &p, &q);
        if (elements(&p.eager) > MOST) break;
        if (below(3) == 0) apply(s, &q, &p);
    }
    double *v = malloc(sizeof *v * (size_t)(elements(&p.eager) + 1));
    if (status == VV_OK) status = compute(&p, v);
    if (status == VV_OK) status = compare(&p, v);
    uint64_t hash = hash_of(v, elements(&p.eager));
    if (status == VV_OK && all) status = vary(s, &p, hash, v);
    if (status == VV_OK && (all || number % 10 == 0)) status = slices(&p);
    if (status == VV_OK && (all || number % 5 == 0)) status = persisted(&p, hash, v, all || number % 10 == 0);
    char text[256];
    if (status == VV_OK)
        printf("%d %016llx %s\n", number, (unsigned long long)hash, vv_describe(p.lazy, text, sizeof text));
    free(v);
    free(p.eager.v);
    free(q.eager.v);
    vv_release_since(s, mark, NULL, 0);
    return status;
}

static int driver(vv_session *s, int argc, char **argv)
{
    if (argc < 3) return vv_error(VV_ERR_USAGE, "algebra FIRST N [all]");
    int first = atoi(argv[1]), n = atoi(argv[2]);
    for (int i = first; i < first + n; i++) {
        vv_status status = one(s, i, argc > 3);
        if (status != VV_OK) {
            fflush(stdout);
            fprintf(stderr, "expression %d\n", i);
            return status;
        }
    }
    return VV_OK;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}

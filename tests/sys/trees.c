/* Runs a script of array functions, for test_trees.py, which knows what NumPy makes of the same:
 *
 *     open NAME PATH VARIABLE               a variable of a file
 *     number NAME VALUE                     a scalar
 *     complex NAME RE IM                    a complex one
 *     call NAME FUNCTION A,B - ARGUMENTS    vv_call(FUNCTION) of earlier names ("-": of none), or one of own[] below
 *     out NAME                              computed: "NAME dtype dim:n,dim:n HEX", or "NAME inert MESSAGE"
 *     keep                                  what there is so far is never forgotten
 *     end                                   forget everything else
 *     threads N                             of each rank from now on
 *     vary                                  from now on everything is computed twice, with different settings: "NAME varies" where bits differ
 *     budgets                               likewise, with the least memory that would do and some more; outputs are "NAME dtype dim:n,dim:n #HASH LEAST USUAL", with the bytes
 *                                           that a rank needs at the least and by itself
 *     least                                 the same, but everything is computed once only, with the least memory
 *     list                                  the registry: "FAMILY NAME OPERANDS ARGUMENTS" */
#include <varve/varve.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 256 };

typedef struct named {
    char name[32];
    vv_array *array;
} named;

typedef struct names {
    int n;
    named at[MOST];
} names;

static vv_array *find(const names *all, const char *name)
{
    for (int i = all->n - 1; i >= 0; i--)
        if (!strcmp(all->at[i].name, name)) return all->at[i].array;
    fprintf(stderr, "no array '%s'\n", name);
    exit(2);
}

static void add(names *all, const char *name, vv_array *a)
{
    if (all->n == MOST) exit(2);
    snprintf(all->at[all->n].name, sizeof all->at[0].name, "%s", name);
    all->at[all->n++].array = a;
}

/* --- functions of one's own, of f64 --- */

/* "dim=x how=nearest": the word behind a key, "" without one. */
static const char *word(const char *arguments, const char *key, char out[64])
{
    size_t n = strlen(key);
    out[0] = 0;
    for (const char *at = arguments; *at; at += strcspn(at, " "), at += strspn(at, " "))
        if (!strncmp(at, key, n) && at[n] == '=') snprintf(out, 64, "%.*s", (int)strcspn(at + n + 1, " "), at + n + 1);
    return out;
}

static int twice_and(vv_index n, const void *const in[], void *out, const void *data)
{
    const double *a = in[0], *b = in[1];
    (void)data;
    for (vv_index i = 0; i < n; i++) ((double *)out)[i] = 2 * a[i] + b[i];
    return 0;
}

/* Each element and its position along the first dimension. */
static int with_place(const vv_block_task *t)
{
    const vv_chunk *c = t->in;
    vv_index n = 1, row = 1;
    for (int d = 0; d < c->n_dims; d++) n *= c->length[d];
    for (int d = 1; d < c->n_dims; d++) row *= c->length[d];
    for (vv_index i = 0; i < n; i++)
        ((double *)t->result)[i] = ((const double *)c->data)[i] + (c->n_dims ? (double)(c->first[0] + i / row) : 0);
    return 0;
}

/* One neighbour before and two behind along the first dimension, added from left to right. */
static int neighbours(const vv_block_task *t)
{
    const vv_chunk *c = t->in;
    vv_index n = c->length[0] - c->before[0] - c->after[0], row = 1;
    const double *x = c->data;
    for (int d = 1; d < c->n_dims; d++) row *= c->length[d];
    for (vv_index i = 0; i < n * row; i++)
        ((double *)t->result)[i] = ((x[i] + x[i + row]) + x[i + 2 * row]) + x[i + 3 * row];
    return 0;
}

/* The sum and the last element less the first one. */
static int sum_and_span(const void *in, vv_index n, void *out, vv_index n_out, const void *data)
{
    const double *x = in;
    double *two = out;
    (void)data, (void)n_out;
    for (vv_index i = 0; i < n; i++) two[0] += x[i];
    two[1] = n > 0 ? x[n - 1] - x[0] : 0;
    return 0;
}

static int inner(const void *const in[], void *out, const vv_index size[], const void *data)
{
    const double *a = in[0], *b = in[1];
    (void)data;
    for (vv_index i = 0; i < size[0]; i++) *(double *)out += a[i] * b[i];
    return 0;
}

static int most_begin(void *state, const void *data)
{
    (void)data;
    memset(state, 0, 2 * sizeof(double));
    return 0;
}

static int most_see(void *state, vv_index n, const void *const in[], const void *data)
{
    double *s = state;
    const double *x = in[0];
    (void)data;
    for (vv_index i = 0; i < n; i++) s[0] += x[i] > 0, s[1] = x[i] > s[1] ? x[i] : s[1];
    return 0;
}

static int most_join(void *state, const void *later, const void *data)
{
    double *s = state;
    const double *l = later;
    (void)data;
    s[0] += l[0], s[1] = l[1] > s[1] ? l[1] : s[1];
    return 0;
}

static int most_end(const void *state, void *out, const void *data)
{
    (void)data;
    memcpy(out, state, 2 * sizeof(double));
    return 0;
}

static vv_array *own_map(vv_session *s, vv_array *const in[], const char *arguments)
{
    (void)arguments;
    vv_array *f64[] = {vv_astype(in[0], VV_F64), vv_astype(in[1], VV_F64)};
    return vv_map(s, twice_and, f64, 2, NULL);
}

static vv_array *own_blocks(vv_session *s, vv_array *const in[], const char *arguments)
{
    (void)arguments;
    vv_array *f64 = vv_astype(in[0], VV_F64);
    return vv_map_blocks(s, with_place, &f64, 1, NULL);
}

static vv_array *own_overlap(vv_session *s, vv_array *const in[], const char *arguments)
{
    char boundary[64], depth[320];
    vv_array *f64 = vv_astype(in[0], VV_F64);
    snprintf(depth, sizeof depth, "%s:1:2", vv_array_dim(f64, 0));
    return vv_map_overlap(s, neighbours, &f64, 1, depth, word(arguments, "boundary", boundary), NULL);
}

static vv_array *own_lanes(vv_session *s, vv_array *const in[], const char *arguments)
{
    char dim[64];
    (void)s;
    vv_apply_options o = VV_APPLY_OPTIONS_INIT;
    o.dims = "pair:2";
    return vv_apply_along_axis(sum_and_span, vv_astype(in[0], VV_F64), word(arguments, "dim", dim), &o);
}

static vv_array *own_gufunc(vv_session *s, vv_array *const in[], const char *arguments)
{
    char dim[64], signature[256];
    word(arguments, "dim", dim);
    snprintf(signature, sizeof signature, "(%s),(%s)->()", dim, dim);
    vv_array *f64[] = {vv_astype(in[0], VV_F64), vv_astype(in[1], VV_F64)};
    return vv_apply_gufunc(s, inner, signature, f64, 2, NULL);
}

static int of_one_call(const void *const in[], void *const out[], const vv_index size[], const void *data)
{
    const double *x = in[0];
    (void)data;
    for (vv_index i = 0; i < size[0]; i++) {
        *(double *)out[0] += x[i] * x[i];
        ((float *)out[1])[i] = 2 * (float)x[i];
    }
    for (vv_index i = 0; i < size[1]; i++) {
        double end = x[i * (size[0] - 1)];
        ((int32_t *)out[2])[i] = fabs(end) < 1e6 ? (int32_t)end : 0;
    }
    return 0;
}

static vv_array *own_gufuncs(vv_session *s, vv_array *const in[], const char *arguments)
{
    char dim[64], which[64], signature[256];
    vv_array *f64 = vv_astype(in[0], VV_F64), *made[3];
    word(arguments, "dim", dim);
    snprintf(signature, sizeof signature, "(%s)->(),(%s),(ends_)", dim, dim);
    vv_apply_gufuncs(s, of_one_call, signature, &f64, 1, (vv_dtype[]){VV_F64, VV_F32, VV_I32}, made, 3,
                     &(vv_apply_options){.dims = "ends_:2"});
    return made[atoi(word(arguments, "which", which))];
}

static vv_array *own_reduction(vv_session *s, vv_array *const in[], const char *arguments)
{
    char dims[64];
    (void)s;
    const vv_own_reduction how = {.name = "most",
                                  .state = 2 * sizeof(double),
                                  .length = 2,
                                  .init = most_begin,
                                  .fold = most_see,
                                  .combine = most_join,
                                  .finish = most_end};
    return vv_reduce_own(in, 1, &how, word(arguments, "dims", dims), "pair");
}

/* how, dim, labels=0102 (a digit for each position), n */
static vv_array *own_groups(vv_session *s, vv_array *const in[], const char *arguments)
{
    char how[64], dim[64], digits[64], n[64];
    vv_index label[64], n_labels = 0;
    (void)s;
    for (const char *c = word(arguments, "labels", digits); *c; c++) label[n_labels++] = *c == '-' ? -1 : *c - '0';
    word(arguments, "dim", dim);
    vv_array *grouped = vv_group_labels(in[0], dim, label, n_labels, atoi(word(arguments, "n", n)), "group", NULL);
    return vv_reduce(grouped, word(arguments, "how", how), dim, NULL);
}

typedef vv_array *own_function(vv_session *s, vv_array *const in[], const char *arguments);
static const struct {
    const char *name;
    own_function *make;
} own[] = {{"own_map", own_map},       {"own_blocks", own_blocks},      {"own_overlap", own_overlap},
           {"own_lanes", own_lanes},   {"own_gufunc", own_gufunc},      {"own_gufuncs", own_gufuncs},
           {"own_groups", own_groups}, {"own_reduction", own_reduction}};
enum { OWN = sizeof own / sizeof *own };

static vv_array *call(vv_session *s, const names *all, const char *function, char *operands, const char *arguments)
{
    vv_array *in[MOST];
    char *rest = NULL;
    int n = 0;
    if (strcmp(operands, "-") != 0)
        for (char *o = strtok_r(operands, ",", &rest); o; o = strtok_r(NULL, ",", &rest)) in[n++] = find(all, o);
    for (int i = 0; i < OWN; i++)
        if (!strcmp(function, own[i].name)) return own[i].make(s, in, arguments);
    return vv_call(s, function, in, n, arguments);
}

/* --- computing --- */

static bool vary, budgets, least;

/* Another combination of settings each time; the first of all is the usual one. */
static vv_status set(vv_session *s, int which)
{
    static const char *const placement[] = {"auto", "outputs", "leaves", "cyclic"}, *const policy[] = {"memory",
                                                                                                       "critical-path"};
    if (vv_session_set_threads(s, 1 + which % 3) != VV_OK) return VV_ERR_USAGE;
    if (vv_session_set_placement(s, placement[which % 4]) != VV_OK) return VV_ERR_USAGE;
    return vv_session_set_policy(s, policy[which / 2 % 2]);
}

/* Bytes that a rank needs at most, as explained, under this budget; -1: that cannot be told. */
static vv_bytes needed(vv_session *s, vv_array *a, vv_bytes budget)
{
    vv_explain_options how = VV_EXPLAIN_OPTIONS_INIT;
    static const char key[] = "\"peak_per_rank\": ";
    char *text = NULL, *at;
    how.form = VV_EXPLAIN_JSON;
    if (vv_session_set_memory(s, budget) != VV_OK || vv_explain(a, &how, &text) != VV_OK) return -1;
    at = strstr(text, key);
    vv_bytes n = at ? atoll(at + sizeof key - 1) : -1;
    free(text);
    return n;
}

/* Computes within this budget; what processes hold before a plan begins is never quite the same, so that a little more may be wanted. */
static vv_status compute_within(vv_session *s, vv_array *a, vv_bytes budget, void *v, vv_bytes bytes)
{
    enum { LITTLE = 64 << 10, MOST_MORE = 4 << 20 };
    vv_status status = VV_ERR_BUDGET;
    for (vv_bytes more = LITTLE; status == VV_ERR_BUDGET && more <= MOST_MORE; more *= 2) {
        status = vv_session_set_memory(s, budget + more);
        if (status == VV_OK) status = vv_compute(a, v, bytes);
    }
    return status;
}

/* The least memory that would do under the settings that there are, and what is taken by itself. */
static vv_status find_needs(vv_session *s, vv_array *a, vv_bytes need[2])
{
    vv_bytes usual = vv_session_memory(s);
    need[0] = needed(s, a, 1 << 20);
    need[1] = needed(s, a, usual);
    return vv_session_set_memory(s, usual) == VV_OK && need[0] >= 0 && need[1] >= 0 ? VV_OK : VV_ERR_RUN;
}

/* Under other settings than the last time; with budgets within the least memory, or half of the way to what is usual. */
static vv_status compute_otherwise(vv_session *s, vv_array *a, int half, unsigned char *v, vv_bytes bytes,
                                   vv_bytes need[2])
{
    static int number = 0;
    vv_bytes usual = vv_session_memory(s);
    vv_status status = set(s, 1 + number++ % 11);
    if (status == VV_OK && budgets) status = find_needs(s, a, need);
    if (status == VV_OK) {
        vv_bytes budget = budgets ? need[0] + half * (need[1] - need[0]) / 2 : usual;
        status = compute_within(s, a, budget, v, bytes);
    }
    if (vv_session_set_memory(s, usual) != VV_OK || set(s, 0) != VV_OK) return VV_ERR_USAGE;
    return status;
}

/* Whether all settings make the same bits; `v` are those of the usual ones. */
static bool same(vv_session *s, vv_array *a, const unsigned char *v, vv_bytes bytes, vv_bytes need[2])
{
    unsigned char *again = malloc((size_t)bytes + 1);
    bool good = true;
    for (int i = 0; i < (budgets ? 2 : 1) && good; i++)
        good = compute_otherwise(s, a, i, again, bytes, need) == VV_OK && !memcmp(v, again, (size_t)bytes);
    free(again);
    return good;
}

static vv_status compute(vv_session *s, vv_array *a, unsigned char *v, vv_bytes bytes, vv_bytes need[2])
{
    return least ? compute_otherwise(s, a, 0, v, bytes, need) : vv_compute(a, v, bytes);
}

static void show(const unsigned char *v, vv_bytes bytes, const vv_bytes need[2])
{
    uint64_t hash = 14695981039346656037u;
    for (vv_bytes i = 0; i < bytes && budgets; i++) hash = (hash ^ v[i]) * 1099511628211u;
    if (budgets) printf("#%016llx %lld %lld", (unsigned long long)hash, (long long)need[0], (long long)need[1]);
    for (vv_bytes i = 0; i < bytes && !budgets; i++)
        putchar("0123456789abcdef"[v[i] >> 4]), putchar("0123456789abcdef"[v[i] & 15]);
}

static void out(vv_session *s, const char *name, vv_array *a)
{
    vv_index n = 1;
    for (int d = 0; d < vv_array_n_dims(a); d++) n *= vv_array_length(a, d);
    vv_bytes bytes = n * vv_dtype_size(vv_array_dtype(a));
    vv_bytes need[2] = {0, 0};
    unsigned char *v = malloc((size_t)bytes + 1);
    if (vv_array_status(a) != VV_OK || compute(s, a, v, bytes, need) != VV_OK) {
        printf("%s inert %s\n", name, vv_last_error());
    } else if ((vary || (budgets && !least)) && !same(s, a, v, bytes, need)) {
        printf("%s varies %s\n", name, vv_last_error());
    } else {
        printf("%s %s ", name, vv_dtype_name(vv_array_dtype(a)));
        for (int d = 0; d < vv_array_n_dims(a); d++)
            printf("%s%s:%lld", d ? "," : "", vv_array_dim(a, d), (long long)vv_array_length(a, d));
        printf(" ");
        show(v, bytes, need);
        printf("\n");
    }
    free(v);
}

static void list(void)
{
    vv_function_info f;
    for (int i = 0; vv_function_at(i, &f); i++) printf("%s %s %d %s\n", f.family, f.name, f.operands, f.arguments);
    for (int i = 0; i < OWN; i++) printf("own %s 1\n", own[i].name);
}

static void line(vv_session *s, names *all, char *text)
{
    char name[32] = "", first[512] = "", second[512] = "";
    int used = 0;
    text[strcspn(text, "\n")] = 0;
    if (sscanf(text, "open %31s %511s %511s", name, first, second) == 3) {
        add(all, name, vv_open(s, first, second));
    } else if (sscanf(text, "number %31s %511s", name, first) == 2) {
        add(all, name, vv_scalar(s, strtod(first, NULL)));
    } else if (sscanf(text, "complex %31s %511s %511s", name, first, second) == 3) {
        add(all, name, vv_complex_scalar(s, strtod(first, NULL), strtod(second, NULL)));
    } else if (sscanf(text, "call %31s %511s %511s - %n", name, first, second, &used) == 3 && used) {
        add(all, name, call(s, all, first, second, text + used));
    } else if (sscanf(text, "out %31s", name) == 1) {
        out(s, name, find(all, name));
    } else if (sscanf(text, "threads %d", &used) == 1) {
        if (vv_session_set_threads(s, used) != VV_OK) exit(2);
    } else if (!strcmp(text, "list")) {
        list();
    } else if (!strcmp(text, "vary")) {
        vary = true;
    } else if (!strcmp(text, "budgets") || !strcmp(text, "least")) {
        budgets = true;
        least = !strcmp(text, "least");
    }
}

static int driver(vv_session *s, int argc, char **argv)
{
    static names all;
    size_t room = 0;
    char *text = NULL;
    int kept = 0;
    FILE *f = argc > 1 ? fopen(argv[1], "r") : NULL;
    if (!f) return vv_error(VV_ERR_USAGE, "trees SCRIPT");
    vv_index mark = vv_mark(s);
    while (getline(&text, &room, f) > 0) {
        line(s, &all, text);
        if (!strcmp(text, "keep")) kept = all.n, mark = vv_mark(s);
        if (strcmp(text, "end") != 0) continue;
        vv_release_since(s, mark, NULL, 0);
        all.n = kept;
    }
    free(text);
    fclose(f);
    return VV_OK;
}

int main(int argc, char **argv)
{
    return vv_run(argc, argv, driver);
}

/* Functions by name, with arguments in words: what tables, languages and tests call. */
#include "array/build.h"

#include "varve/analysis.h"
#include "varve/call.h"
#include "varve/count.h"
#include "varve/create.h"
#include "varve/fft.h"
#include "varve/linalg.h"
#include "varve/move.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WORDS = 16 };

/* One call: "dim=lon by=3" as pairs. */
typedef struct calling {
    vv_context *context;
    vv_array *const *in;
    int n_in, n;
    const char *name;
    char *copy; /* cut into what follows */
    const char *key[MOST_WORDS], *value[MOST_WORDS];
    vv_status status; /* the first word that was no number, or missing */
} calling;

typedef struct function {
    const char *name, *arguments, *help;
    int least, most;
    vv_array *(*make)(calling *call);
} function;

/* --- arguments --- */

static const char *given(const calling *c, const char *key)
{
    for (int i = 0; i < c->n; i++)
        if (!strcmp(c->key[i], key)) return c->value[i];
    return NULL;
}

static void wrong(calling *c, vv_status status)
{
    if (c->status == VV_OK) c->status = status;
}

static const char *word(const calling *c, const char *key)
{
    const char *text = given(c, key);
    return text ? text : "";
}

static double real(calling *c, const char *key, double otherwise)
{
    char *end;
    const char *text = given(c, key);
    if (!text) return otherwise;
    double x = strtod(text, &end);
    if (end == text || *end) wrong(c, vv_fail(VV_ERR_USAGE, "%s: %s=%s is no number", c->name, key, text));
    return x;
}

static vv_index whole(calling *c, const char *key, vv_index otherwise)
{
    char *end;
    const char *text = given(c, key);
    if (!text) return otherwise;
    vv_index x = strtoll(text, &end, 10);
    if (end == text || *end) wrong(c, vv_fail(VV_ERR_USAGE, "%s: %s=%s is no whole number", c->name, key, text));
    return x;
}

static vv_dtype type(calling *c, const char *key, vv_dtype otherwise)
{
    const char *text = given(c, key);
    vv_dtype t = text ? vv_dtype_parse(text) : otherwise;
    if (t != VV_NONE) return t;
    wrong(c, vv_fail(VV_ERR_USAGE, "%s: %s=%s is no element type, such as f32, f64, i16 or bool", c->name, key,
                     text ? text : ""));
    return VV_F64;
}

/* "0,5,5" */
static vv_status read_list(calling *c, const char *key, vv_index **out, vv_index *n)
{
    const char *text = word(c, key);
    VV_TRY(vv_new(out, strlen(text) + 1, sizeof **out));
    for (*n = 0; *text; ++*n) {
        char *end;
        (*out)[*n] = strtoll(text, &end, 10);
        if (end == text || (*end && *end != ','))
            return vv_fail(VV_ERR_USAGE, "%s: %s=%s is no list of whole numbers", c->name, key, word(c, key));
        text = *end ? end + 1 : end;
    }
    return VV_OK;
}

/* Which of these words an argument is; -1 for none of them. */
static int choice(calling *c, const char *key, const char *const words[], int n)
{
    const char *text = word(c, key);
    for (int i = 0; i < n; i++)
        if (!strcmp(text, words[i])) return i;
    vv_buf all = {0};
    for (int i = 0; i < n; i++) vv_buf_printf(&all, i ? ", %s" : "%s", words[i]);
    wrong(c, vv_fail(VV_ERR_USAGE, "%s: %s=%s is none of %s", c->name, key, text, all.data ? all.data : ""));
    vv_buf_free(&all);
    return -1;
}

static vv_array *part_of_qr(calling *c)
{
    vv_array *part = NULL;
    int which = choice(c, "part", (const char *const[]){"q", "r"}, 2);
    if (which < 0) return vv_node_inert(c->context);
    vv_qr(c->in[0], word(c, "to"), which == 0 ? &part : NULL, which == 1 ? &part : NULL);
    return part;
}

static vv_array *part_of_frexp(calling *c)
{
    vv_array *part = NULL;
    int which = choice(c, "part", (const char *const[]){"mantissa", "exponent"}, 2);
    if (which < 0) return vv_node_inert(c->context);
    vv_frexp(c->in[0], which == 0 ? &part : NULL, which == 1 ? &part : NULL);
    return part;
}

static vv_array *part_of_modf(calling *c)
{
    vv_array *part = NULL;
    int which = choice(c, "part", (const char *const[]){"fraction", "whole"}, 2);
    if (which < 0) return vv_node_inert(c->context);
    vv_modf(c->in[0], which == 0 ? &part : NULL, which == 1 ? &part : NULL);
    return part;
}

static vv_array *part_of_compressed(calling *c)
{
    vv_array *part = NULL;
    int which = choice(c, "part", (const char *const[]){"u", "s", "v"}, 3);
    vv_index k = whole(c, "k", 0), iterations = whole(c, "iterations", 0), seed = whole(c, "seed", 0);
    if (which < 0 || c->status != VV_OK) return vv_node_inert(c->context);
    vv_svd_compressed(c->in[0], word(c, "to"), k, (int)vv_imin(iterations, 100), (uint64_t)seed,
                      which == 0 ? &part : NULL, which == 1 ? &part : NULL, which == 2 ? &part : NULL);
    return part;
}

static vv_array *part_of_lu(calling *c)
{
    vv_array *part = NULL;
    int which = choice(c, "part", (const char *const[]){"order", "l", "u"}, 3);
    if (which < 0) return vv_node_inert(c->context);
    vv_lu(c->in[0], word(c, "to"), which == 0 ? &part : NULL, which == 1 ? &part : NULL, which == 2 ? &part : NULL);
    return part;
}

static vv_array *part_of_svd(calling *c)
{
    vv_array *part = NULL;
    int which = choice(c, "part", (const char *const[]){"u", "s", "v"}, 3);
    if (which < 0) return vv_node_inert(c->context);
    vv_svd(c->in[0], word(c, "to"), which == 0 ? &part : NULL, which == 1 ? &part : NULL, which == 2 ? &part : NULL);
    return part;
}

static vv_array *part_of_eof(calling *c)
{
    vv_array *part = NULL;
    int which = choice(c, "part", (const char *const[]){"pattern", "series", "variance", "fraction"}, 4);
    vv_eof_options o = {.correlation = whole(c, "correlation", 0) != 0,
                        .weights = c->n_in > 1 ? c->in[1] : NULL,
                        .ddof = real(c, "ddof", 0)};
    vv_index n = whole(c, "n", 0);
    if (which < 0 || c->status != VV_OK) return vv_node_inert(c->context);
    vv_eof(c->in[0], word(c, "dim"), n, &o, which == 0 ? &part : NULL, which == 1 ? &part : NULL,
           which == 2 ? &part : NULL, which == 3 ? &part : NULL);
    return part;
}

static vv_array *by_position(calling *c)
{
    vv_array *out[2];
    vv_node_broadcast_by_position(c->context, c->in, 2, out);
    vv_release(&out[1]);
    return out[0];
}

static vv_array *take_listed(calling *c)
{
    vv_index *at = NULL, n = 0;
    wrong(c, read_list(c, "at", &at, &n));
    vv_array *out = c->status == VV_OK ? vv_take(c->in[0], word(c, "dim"), at, n) : vv_node_inert(c->context);
    free(at);
    return out;
}

/* at=0,1,2,5,5,5: all positions along the first dimension, then along the next one */
static vv_array *points_listed(calling *c)
{
    vv_index *at = NULL, n = 0, dims = 1;
    for (const char *text = word(c, "dims"); *text; text++) dims += *text == ',';
    wrong(c, read_list(c, "at", &at, &n));
    if (n % dims)
        wrong(c, vv_fail(VV_ERR_USAGE, "points: %lld positions along %lld dimensions", (long long)n, (long long)dims));
    vv_array *out = c->status == VV_OK ? vv_points(c->in[0], word(c, "dims"), at, n / dims, word(c, "to"))
                                       : vv_node_inert(c->context);
    free(at);
    return out;
}

/* keep=10110 */
static vv_array *compress_listed(calling *c)
{
    const char *text = word(c, "keep");
    size_t n = strlen(text);
    bool *keep;
    if (vv_new(&keep, n + 1, sizeof *keep) != VV_OK) return vv_node_inert(c->context);
    for (size_t i = 0; i < n; i++) keep[i] = text[i] == '1';
    vv_array *out = vv_compress(c->in[0], word(c, "dim"), keep, (vv_index)n);
    free(keep);
    return out;
}

static vv_array *block_listed(calling *c)
{
    vv_array *shape = vv_node_full(c->context, word(c, "grid"), NULL, 0, VV_F64);
    vv_index n = shape->status == VV_OK ? vv_shape_elements(&shape->shape) : c->n_in;
    vv_release(&shape);
    if (n != c->n_in)
        wrong(c, vv_fail(VV_ERR_USAGE, "block: '%s' is %lld arrays, not %d", word(c, "grid"), (long long)n, c->n_in));
    return c->status == VV_OK ? vv_node_block(c->context, c->in, word(c, "grid")) : vv_node_inert(c->context);
}

/* The k-th of several things with ; between them; the only one of one. */
static void piece_of(const char *text, int k, char *out, size_t size)
{
    for (; k > 0 && strchr(text, ';'); k--) text = strchr(text, ';') + 1;
    snprintf(out, size, "%.*s", (int)strcspn(text, ";"), text);
}

/* Numbers with commas between them; room for as many as the text can have. */
static vv_index read_reals(calling *c, const char *key, const char *text, double out[])
{
    vv_index n = 0;
    while (*text) {
        char *end;
        out[n++] = strtod(text, &end);
        if (end == text || (*end && *end != ',')) {
            wrong(c, vv_fail(VV_ERR_USAGE, "%s: %s=%s is no list of numbers", c->name, key, word(c, key)));
            return 0;
        }
        text = *end ? end + 1 : end;
    }
    return n;
}

static double piece_real(calling *c, const char *key, int k, double otherwise)
{
    char text[64];
    double x[32] = {otherwise};
    piece_of(word(c, key), k, text, sizeof text);
    (void)read_reals(c, key, text, x);
    return x[0];
}

/* What is said of the k-th operand's bins. edges and dim: room for them. */
static vv_bins read_bins(calling *c, int k, double edges[], char *dim, size_t room)
{
    size_t size = strlen(word(c, "edges")) + 1;
    char text[4096];
    vv_bins b = {
        .n = (vv_index)piece_real(c, "bins", k, 10), .lo = piece_real(c, "lo", k, 0), .hi = piece_real(c, "hi", k, 0)};
    piece_of(word(c, "to"), k, dim, room);
    if (*dim) b.dim = dim;
    if (size > sizeof text) wrong(c, vv_fail(VV_ERR_USAGE, "%s: a list of too many edges", c->name));
    piece_of(word(c, "edges"), k, text, sizeof text);
    vv_index n = read_reals(c, "edges", text, edges);
    if (n == 0) return b;
    if (n == 1) wrong(c, vv_fail(VV_ERR_USAGE, "%s: one edge makes no bin", c->name));
    b.n = n - 1;
    b.edges = edges;
    return b;
}

enum { EDGES = 2048 };

static vv_array *histogram_listed(calling *c, int n, vv_index weights)
{
    vv_bins bins[VV_RED_VALUES];
    char dim[VV_RED_VALUES][64];
    double *edges;
    if (n < 1 || vv_new(&edges, (size_t)EDGES * VV_RED_VALUES, sizeof *edges) != VV_OK)
        return vv_node_inert(c->context);
    for (int k = 0; k < n; k++) bins[k] = read_bins(c, k, edges + (size_t)k * EDGES, dim[k], sizeof dim[k]);
    vv_array *w = weights ? c->in[n] : NULL;
    const char *dims = given(c, "dims");
    bool density = whole(c, "density", 0) != 0;
    vv_array *out = c->status != VV_OK              ? vv_node_inert(c->context)
                    : !strcmp(c->name, "histogram") ? vv_histogram(c->in[0], bins, w, dims, density)
                                                    : vv_histogramdd(c->in, bins, n, w, dims, density);
    free(edges);
    return out;
}

static vv_array *edges_listed(calling *c)
{
    double edges[EDGES];
    char dim[64];
    vv_bins bins = read_bins(c, 0, edges, dim, sizeof dim);
    return c->status == VV_OK ? vv_histogram_bin_edges(c->in[0], &bins, dim) : vv_node_inert(c->context);
}

static vv_array *digitize_listed(calling *c)
{
    double bins[EDGES];
    if (strlen(word(c, "bins")) >= EDGES) wrong(c, vv_fail(VV_ERR_USAGE, "digitize: a list of too many bins"));
    vv_index n = c->status == VV_OK ? read_reals(c, "bins", word(c, "bins"), bins) : 0;
    return c->status == VV_OK ? vv_digitize(c->in[0], bins, n, whole(c, "right", 0) != 0) : vv_node_inert(c->context);
}

/* What goes with the different elements: how often they occur, or where they are. */
static vv_array *unique_part(calling *c, bool counts)
{
    vv_array *part,
        *values = vv_unique(c->in[0], counts ? word(c, "to") : "value", counts ? &part : NULL, counts ? NULL : &part);
    return vv_node_then(values, part);
}

/* --- the list --- */

#define IN(i)             call->in[i]
#define ALL               call->in
#define N                 call->n_in
#define C                 call->context
#define WORD(key)         word(call, #key)
#define TEXT(key)         given(call, #key)
#define WHOLE(key, other) whole(call, #key, other)
#define REAL(key, other)  real(call, #key, other)
#define TYPE(key, other)  type(call, #key, other)
#define FUNCTION(name, least, most, arguments, help, ...)                                                              \
    static vv_array *make_##name(calling *call)                                                                        \
    {                                                                                                                  \
        return __VA_ARGS__;                                                                                            \
    }
#include "array/functions.def.h"
#undef FUNCTION

static const function functions[] = {
#define FUNCTION(name, least, most, arguments, help, ...) {#name, arguments, help, least, most, make_##name},
#include "array/functions.def.h"
#undef FUNCTION
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

static vv_array *reduced(calling *c)
{
    const vv_reduce_options o = {.keep_nan = whole(c, "keep_nan", 0) != 0,
                                 .keep_dims = whole(c, "keep_dims", 0) != 0,
                                 .ddof = real(c, "ddof", 0),
                                 .least = real(c, "least", 0)};
    return vv_reduce(c->in[0], c->name, given(c, "dims"), &o);
}

static bool find(const char *name, function *out)
{
    for (int i = 0; i < FUNCTIONS; i++)
        if (!strcmp(functions[i].name, name)) {
            *out = functions[i];
            return true;
        }
    const vv_reduction *r = vv_reduction_find(name);
    const vv_op *op = r ? NULL : vv_op_find(name);
    if (r) *out = (function){r->name, "dims? keep_nan? keep_dims? ddof? least?", r->help, 1, 1, reduced};
    if (op) *out = (function){op->name, "", op->help, op->arity, op->arity, NULL};
    return r || op;
}

/* --- calling --- */

/* Whether `arguments` has a word, with or without ?. */
static bool takes(const char *arguments, const char *key)
{
    size_t n = strlen(key);
    for (const char *at = arguments; *at;) {
        size_t length = strcspn(at, " ?");
        if (length == n && !strncmp(at, key, n)) return true;
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    return false;
}

static vv_status add_argument(calling *c, const function *f, const char *key, const char *value)
{
    if (!takes(f->arguments, key))
        return vv_fail(VV_ERR_USAGE, "%s has no argument '%s'; it has: %s", f->name, key,
                       *f->arguments ? f->arguments : "none");
    if (c->n == MOST_WORDS || given(c, key)) return vv_fail(VV_ERR_USAGE, "%s: '%s' is said twice", f->name, key);
    c->key[c->n] = key;
    c->value[c->n++] = value;
    return VV_OK;
}

static vv_status read_arguments(calling *c, const function *f, const char *text)
{
    char *rest = NULL;
    VV_TRY(vv_strdup(&c->copy, text ? text : ""));
    for (char *pair = strtok_r(c->copy, " ", &rest); pair; pair = strtok_r(NULL, " ", &rest)) {
        char *equals = strchr(pair, '=');
        if (!equals) return vv_fail(VV_ERR_USAGE, "%s: '%s' is not written name=value", f->name, pair);
        *equals = 0;
        VV_TRY(add_argument(c, f, pair, equals + 1));
    }
    return VV_OK;
}

/* All that must be said is said. */
static vv_status check_arguments(const calling *c, const function *f)
{
    for (const char *at = f->arguments; *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        char key[32];
        bool may = at[length - 1] == '?';
        snprintf(key, sizeof key, "%.*s", (int)length, at);
        at += length;
        if (!may && !given(c, key))
            return vv_fail(VV_ERR_USAGE, "%s needs %s=...; its arguments: %s", f->name, key, f->arguments);
    }
    return VV_OK;
}

static vv_status check_call(const char *name, const function *f, int n)
{
    if (n < f->least || n > f->most)
        return vv_fail(VV_ERR_USAGE, "%s takes %d operand%s, not %d", name, f->least, f->least == 1 ? "" : "s", n);
    return VV_OK;
}

static vv_status find_or_suggest(const char *name, function *f)
{
    const char *names[FUNCTIONS];
    if (find(name, f)) return VV_OK;
    for (int i = 0; i < FUNCTIONS; i++) names[i] = functions[i].name;
    const char *near = vv_nearest(name, names, FUNCTIONS);
    return vv_fail(VV_ERR_USAGE, "there is no function '%s'%s%s%s", name, near ? "; did you mean '" : "",
                   near ? near : "", near ? "'?" : "");
}

/* The function may be called with these operands. */
static vv_status begin_call(calling *c, function *f)
{
    VV_TRY(find_or_suggest(c->name, f));
    VV_TRY(check_call(c->name, f, c->n_in));
    return vv_nodes_usable(c->in, c->n_in);
}

static vv_array *end_call(calling *c, const function *f, vv_status status)
{
    vv_array *out = NULL;
    if (status == VV_OK) status = check_arguments(c, f);
    if (status == VV_OK) out = f->make ? f->make(c) : vv_node_elementwise(c->context, c->name, c->in, c->n_in);
    free(c->copy);
    return out ? vv_node_settle(c->context, out, c->status) : vv_node_inert(c->context);
}

vv_array *vv_node_call(vv_context *context, const char *name, vv_array *const in[], int n, const char *arguments)
{
    function f;
    calling c = {.context = context, .in = in, .n_in = n, .name = name};
    vv_status status = begin_call(&c, &f);
    if (status == VV_OK) status = read_arguments(&c, &f, arguments);
    return end_call(&c, &f, status);
}

vv_array *vv_node_call_words(vv_context *context, const char *name, vv_array *const in[], int n, const vv_word words[],
                             int n_words)
{
    function f;
    calling c = {.context = context, .in = in, .n_in = n, .name = name};
    vv_status status = begin_call(&c, &f);
    for (int i = 0; i < n_words && status == VV_OK; i++) status = add_argument(&c, &f, words[i].key, words[i].value);
    return end_call(&c, &f, status);
}

/* --- the registry --- */

bool vv_function_at(int i, vv_function_info *out)
{
    int ops = vv_n_ops;
    if (i < 0 || i >= FUNCTIONS + ops + vv_n_reductions) return false;
    if (i < FUNCTIONS)
        *out = (vv_function_info){functions[i].name,  "array",          functions[i].arguments, functions[i].help,
                                  functions[i].least, functions[i].most};
    else if (i < FUNCTIONS + ops)
        *out = (vv_function_info){
            vv_ops[i - FUNCTIONS]->name, "elementwise", "", vv_ops[i - FUNCTIONS]->help, vv_ops[i - FUNCTIONS]->arity,
            vv_ops[i - FUNCTIONS]->arity};
    else
        *out = (vv_function_info){
            vv_reductions[i - FUNCTIONS - ops]->name, "reduction", "dims? keep_nan? keep_dims? ddof? least?",
            vv_reductions[i - FUNCTIONS - ops]->help, 1,           1};
    return true;
}

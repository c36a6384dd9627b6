/* Products by letters, as numpy.einsum.
 *
 * Terms become ordinary ones first: a letter that stands twice in a term is a diagonal, and dimensions behind an ellipsis get letters that nobody can write, digits, counted from the
 * last one. What only one term has is summed at once; then the first two terms become one, until there is one left.
 *
 *     "ii->i"            a diagonal              "...ij,...jk->...ik"    "10ij,10jk->10ik" of stacks of stacks of matrices */
#include "array/linalg/product.h"

#include "varve/move.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { MOST_FACTORS = 32 };

/* One factor of an einsum: what its dimensions are called there. */
typedef struct term {
    vv_array *array; /* a reference of ours */
    char letter[VV_MAX_DIMS + 1];
} term;

typedef struct einsum {
    const char *text;
    int n;
    term term[MOST_FACTORS];
    char out[VV_MAX_DIMS + 1];
    int hidden; /* dimensions behind the longest ellipsis */
} einsum;

static const char only_letters[] = "only letters, commas, an ellipsis in each term and one arrow are known";

static vv_status bad_letters(const einsum *e, const char *why)
{
    return vv_fail(VV_ERR_USAGE, "einsum '%s': %s", e->text, why);
}

static vv_status add_letter(const einsum *e, char letter, bool twice, char out[], int *n)
{
    if (*n == VV_MAX_DIMS) return bad_letters(e, "too many letters in a term");
    if (!twice && memchr(out, letter, (size_t)*n)) return bad_letters(e, "a letter stands twice in the result");
    out[(*n)++] = letter;
    return VV_OK;
}

/* Letters of a term up to its end. */
static int letters_at(const char *at)
{
    int n = 0;
    for (; *at && *at != ',' && *at != '-'; at++) n += isalpha((unsigned char)*at) != 0;
    return n;
}

/* Letters up to the end of a term into `out`; `hidden` dimensions are behind its ellipsis. twice: one may stand there more than once. */
static vv_status read_letters(const einsum *e, const char **at, int hidden, bool twice, char out[])
{
    int n = 0, dots = 0;
    for (; **at && **at != ',' && **at != '-'; ++*at) {
        if (isspace((unsigned char)**at)) continue;
        if (isalpha((unsigned char)**at)) {
            VV_TRY(add_letter(e, **at, twice, out, &n));
            continue;
        }
        if (strncmp(*at, "...", 3) != 0 || dots++) return bad_letters(e, only_letters);
        for (int i = hidden; i > 0; i--) VV_TRY(add_letter(e, (char)('0' + i - 1), twice, out, &n));
        *at += 2;
    }
    out[n] = '\0';
    return VV_OK;
}

static bool elsewhere(const einsum *e, int but, char letter)
{
    for (int i = 0; i < e->n; i++)
        if (i != but && strchr(e->term[i].letter, letter)) return true;
    return false;
}

/* Without an arrow, as NumPy: what is behind an ellipsis, then what stands once, by the alphabet. */
static void usual_result(einsum *e)
{
    int n = 0;
    for (int i = e->hidden; i > 0 && n < VV_MAX_DIMS; i--) e->out[n++] = (char)('0' + i - 1);
    for (int c = 'A'; c <= 'z' && n < VV_MAX_DIMS; c++)
        for (int i = 0; i < e->n; i++) {
            const char *first = isalpha(c) ? strchr(e->term[i].letter, c) : NULL;
            if (first && !strchr(first + 1, c) && !elsewhere(e, i, (char)c)) e->out[n++] = (char)c;
        }
    e->out[n] = '\0';
}

static vv_status read_term(einsum *e, int i, const char **at)
{
    term *t = &e->term[i];
    int nd = t->array->shape.nd, hidden = nd - letters_at(*at);
    const char *dots = strstr(*at, "...");
    bool ellipsis = dots && dots < *at + strcspn(*at, ",-");
    if (hidden < 0 || (hidden > 0 && !ellipsis))
        return vv_fail(VV_ERR_SHAPE, "einsum '%s': '%s' has %d dimensions, its term has %d letters", e->text,
                       t->array->name, nd, nd - hidden);
    VV_TRY(read_letters(e, at, hidden, true, t->letter));
    if (hidden > e->hidden) e->hidden = hidden;
    return VV_OK;
}

static vv_status read_result(einsum *e, const char *at)
{
    if (at[1] != '>') return bad_letters(e, only_letters);
    at += 2;
    if (e->hidden > 0 && !strstr(at, "..."))
        return bad_letters(e, "there are dimensions behind an ellipsis, and the result has none");
    VV_TRY(read_letters(e, &at, e->hidden, false, e->out));
    if (*at) return bad_letters(e, "something follows the result");
    for (const char *c = e->out; *c; c++)
        if (!elsewhere(e, -1, *c)) return bad_letters(e, "the result has a letter that no array has");
    return VV_OK;
}

static vv_status read_einsum(einsum *e)
{
    const char *at = e->text;
    int terms = 1;
    for (const char *c = at; *c; c++) {
        if (!isalpha((unsigned char)*c) && !strchr(" .,->", *c)) return bad_letters(e, only_letters);
        terms += *c == ',';
    }
    if (terms != e->n) return bad_letters(e, terms < e->n ? "fewer terms than arrays" : "more terms than arrays");
    for (int i = 0; i < e->n; i++) {
        VV_TRY(read_term(e, i, &at));
        if (*at == ',') at++;
    }
    if (*at) return read_result(e, at);
    usual_result(e);
    return VV_OK;
}

static void replace(term *t, vv_array *with)
{
    vv_release(&t->array);
    t->array = with;
}

/* Letters that stand twice are diagonals, which come last. */
static vv_status take_diagonals(const einsum *e, term *t)
{
    for (int i = 0; t->letter[i]; i++) {
        const char *again = strchr(t->letter + i + 1, t->letter[i]), letter = t->letter[i];
        if (!again) continue;
        const vv_array *a = t->array;
        int k = (int)(again - t->letter);
        if (a->shape.n[i] != a->shape.n[k])
            return vv_fail(VV_ERR_SHAPE,
                           "einsum '%s': a diagonal of '%s' along '%s' with %lld elements and '%s' with %lld", e->text,
                           a->name, a->dim[i], (long long)a->shape.n[i], a->dim[k], (long long)a->shape.n[k]);
        replace(t, vv_diagonal(t->array, a->dim[i], a->dim[k], 0, a->dim[i]));
        VV_TRY(vv_array_status(t->array));
        memmove(t->letter + k, t->letter + k + 1, strlen(t->letter + k));
        memmove(t->letter + i, t->letter + i + 1, strlen(t->letter + i));
        size_t n = strlen(t->letter);
        t->letter[n] = letter;
        t->letter[n + 1] = '\0';
        i = -1;
    }
    return VV_OK;
}

/* What no other term and not the result wants is summed now. */
static void sum_alone(einsum *e, int i)
{
    term *t = &e->term[i];
    char names[VV_MAX_DIMS * 256] = "";
    for (int d = 0; t->letter[d];) {
        if (elsewhere(e, i, t->letter[d]) || strchr(e->out, t->letter[d])) {
            d++;
            continue;
        }
        (void)snprintf(names, sizeof names, "%s", t->array->dim[d]);
        replace(t, vv_reduce(t->array, "sum", names, &(vv_reduce_options){.keep_nan = true}));
        memmove(t->letter + d, t->letter + d + 1, strlen(t->letter + d));
        if (t->array->status != VV_OK) return;
    }
}

/* Names of the second factor's dimensions follow those of the first one, so that elementwise products match. */
static vv_array *named_alike(const term *a, const term *b)
{
    vv_array *again = vv_node_seen_again(b->array);
    for (int d = 0; b->letter[d] && again->status == VV_OK; d++) {
        const char *same = strchr(a->letter, b->letter[d]), letter[2] = {b->letter[d], '\0'};
        const char *name = same ? a->array->dim[same - a->letter] : b->array->dim[d];
        bool taken = !same && vv_node_dim(a->array, name) >= 0;
        vv_array *renamed = vv_rename(again, again->dim[d], taken ? letter : name);
        vv_release(&again);
        again = renamed;
    }
    return again;
}

/* The first two terms become one. */
static void multiply(einsum *e)
{
    term *a = &e->term[0], *b = &e->term[1], made = {0};
    vv_pairing p;
    char label[VV_MAX_DIMS][2];
    bool any = false;
    vv_pairing_begin(&p, "einsum");
    for (int d = 0; b->letter[d]; d++) {
        const char *same = strchr(a->letter, b->letter[d]);
        (void)snprintf(label[d], sizeof label[d], "%c", b->letter[d]);
        p.label[d] = label[d];
        if (!same) continue;
        p.same[d] = (int)(same - a->letter);
        bool wanted = strchr(e->out, b->letter[d]);
        for (int i = 2; i < e->n; i++) wanted = wanted || strchr(e->term[i].letter, b->letter[d]);
        if (!wanted) p.summed[0][p.same[d]] = p.summed[1][d] = any = true;
    }
    size_t n = 0;
    for (int d = 0; a->letter[d]; d++)
        if (!p.summed[0][d]) made.letter[n++] = a->letter[d];
    for (int d = 0; b->letter[d] && n < VV_MAX_DIMS; d++)
        if (p.same[d] < 0) made.letter[n++] = b->letter[d];
    if (any) {
        made.array = vv_node_product(a->array, b->array, &p);
    } else {
        vv_array *other = named_alike(a, b);
        made.array = vv_multiply(a->array, other);
        vv_release(&other);
    }
    vv_release(&a->array);
    vv_release(&b->array);
    e->term[0] = made;
    e->n--;
    memmove(e->term + 1, e->term + 2, sizeof e->term[0] * (size_t)(e->n - 1));
}

/* In the order of the result. */
static vv_array *arranged(const einsum *e)
{
    const term *t = &e->term[0];
    char order[VV_MAX_DIMS * 256];
    size_t used = 0;
    for (const char *c = e->out; *c && used < sizeof order; c++)
        used += (size_t)snprintf(order + used, sizeof order - used, "%s%s", used ? "," : "",
                                 t->array->dim[strchr(t->letter, *c) - t->letter]);
    return used == 0 || !strcmp(t->letter, e->out) ? vv_node_seen_again(t->array) : vv_transpose(t->array, order);
}

/* Sums and products of integers have the type of the integers. */
static vv_array *typed(vv_array *a, vv_dtype type)
{
    if (a->status != VV_OK || a->dtype == type || !vv_dtype_is_integer(type)) return a;
    return vv_node_then(a, vv_astype(a, type));
}

static vv_array *evaluate(vv_context *c, einsum *e)
{
    if (read_einsum(e) != VV_OK) return vv_node_inert(c);
    vv_dtype type = e->term[0].array->dtype;
    for (int i = 0; i < e->n; i++) {
        type = vv_dtype_promote(type, e->term[i].array->dtype);
        if (take_diagonals(e, &e->term[i]) != VV_OK) return vv_node_inert(c);
    }
    for (int i = 0; i < e->n && e->term[i].array->status == VV_OK; i++) sum_alone(e, i);
    while (e->n > 1 && e->term[0].array->status == VV_OK && e->term[1].array->status == VV_OK) multiply(e);
    for (int i = 0; i < e->n; i++)
        if (vv_nodes_usable(&e->term[i].array, 1) != VV_OK) return vv_node_inert(c);
    return typed(arranged(e), type);
}

vv_array *vv_node_einsum(vv_context *c, const char *letters, vv_array *const arrays[], int n)
{
    if (n < 1 || n > MOST_FACTORS) {
        (void)vv_fail(VV_ERR_USAGE, "einsum '%s': 1 to %d arrays, not %d", letters, MOST_FACTORS, n);
        return vv_node_inert(c);
    }
    if (vv_nodes_usable(arrays, n) != VV_OK) return vv_node_inert(c);
    einsum e = {.text = letters, .n = n};
    for (int i = 0; i < n; i++) e.term[i].array = vv_node_again(arrays[i]);
    vv_array *result = evaluate(c, &e);
    for (int i = 0; i < e.n; i++) vv_release(&e.term[i].array);
    return result;
}

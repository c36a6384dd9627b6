#include "session/delayed/delayed.h"

#include <stdlib.h>
#include <string.h>

/* --- the book --- */

static vv_status book_of(vv_session *s, vv_graph_book **out)
{
    enum { FIRST_BITS = 8 };
    if (!s->calls) {
        vv_graph_book *b;
        VV_TRY(vv_new(&b, 1, sizeof *b));
        b->bits = FIRST_BITS;
        vv_status status = vv_new(&b->bucket, (size_t)1 << b->bits, sizeof(vv_delayed *));
        if (status != VV_OK) {
            free(b);
            return status;
        }
        s->calls = b;
    }
    *out = s->calls;
    return VV_OK;
}

static vv_delayed **bucket_of(const vv_graph_book *b, uint64_t hash)
{
    return &b->bucket[hash * 0x9e3779b97f4a7c15u >> (64 - b->bits)];
}

static vv_status grow_buckets(vv_graph_book *b)
{
    vv_graph_book bigger = *b;
    bigger.bits++;
    VV_TRY(vv_new(&bigger.bucket, (size_t)1 << bigger.bits, sizeof(vv_delayed *)));
    for (size_t i = 0; i < (size_t)1 << b->bits; i++)
        for (vv_delayed *d = b->bucket[i], *next; d; d = next) {
            vv_delayed **to = bucket_of(&bigger, d->hash);
            next = d->chain;
            d->chain = *to;
            *to = d;
        }
    free(b->bucket);
    *b = bigger;
    return VV_OK;
}

vv_delayed *vv_delayed_of(const vv_session *s, int64_t number)
{
    const vv_graph_book *b = s->calls;
    return b && number > 0 && number <= b->n ? b->node[number - 1] : NULL;
}

static vv_status node_new(vv_session *s, vv_delayed **out)
{
    vv_graph_book *b;
    VV_TRY(book_of(s, &b));
    VV_TRY(vv_grow(&b->node, b->n, sizeof *b->node, "delayed calls"));
    VV_TRY(vv_new(out, 1, sizeof **out));
    **out = (vv_delayed){.session = s, .refs = 1, .number = ++b->n, .options = {.rank = -1}};
    b->node[b->n - 1] = *out;
    b->alive++;
    return VV_OK;
}

static void unchain(const vv_graph_book *b, vv_delayed *d)
{
    vv_delayed **at = bucket_of(b, d->hash);
    while (*at && *at != d) at = &(*at)->chain;
    if (*at) *at = d->chain;
}

static void node_free(vv_graph_book *b, vv_delayed *d)
{
    b->node[d->number - 1] = NULL;
    b->alive--;
    if (d->offer) vv_offer_release(d->session, d->offer);
    free(d->why);
    vv_buf_free(&d->args);
    free(d);
}

void vv_delayed_free_all(vv_session *s)
{
    vv_graph_book *b = s->calls;
    vv_promises_free(s);
    if (!b) return;
    vv_offers_free(s);
    for (int64_t i = 0; i < b->n; i++)
        if (b->node[i]) node_free(b, b->node[i]);
    free(b->node);
    free(b->bucket);
    free(b);
    s->calls = NULL;
}

/* --- nodes --- */

const char *vv_delayed_arg(const char *at, vv_packed_arg *a)
{
    memcpy(a, at, sizeof *a);
    return at + sizeof *a + (size_t)(a->kind == VV_ARG_BYTES ? vv_wire_padded(a->x) : 0);
}

bool vv_delayed_next(const vv_delayed *d, const char **at, int64_t *number)
{
    const char *end = d->args.data + d->args.size;
    if (!*at) *at = d->args.data;
    while (*at && *at < end) {
        vv_packed_arg a;
        *at = vv_delayed_arg(*at, &a);
        if (a.kind != VV_ARG_FUTURE) continue;
        *number = a.x;
        return true;
    }
    return false;
}

vv_arg vv_later(const vv_delayed *d)
{
    return (vv_arg){.kind = VV_ARG_FUTURE, .i = -d->number};
}

/* Calls are numbered downwards among arguments, so that a future that strays here is found out. */
static vv_status check_args(vv_session *s, char *at, const char *end)
{
    while (at < end) {
        vv_packed_arg a;
        char *here = at;
        at = (char *)vv_delayed_arg(at, &a);
        if (a.kind != VV_ARG_FUTURE) continue;
        const vv_delayed *input = vv_delayed_of(s, -a.x);
        if (!input)
            return vv_fail(VV_ERR_USAGE, a.x > 0
                                             ? "an argument is a future; of delayed calls it is what vv_later() gives"
                                             : "an argument is a delayed call that does not exist any more");
        VV_TRY(vv_delayed_status(input));
        a.x = -a.x;
        memcpy(here, &a, sizeof a);
    }
    return VV_OK;
}

static void hold_inputs(const vv_delayed *d)
{
    const char *at = NULL;
    for (int64_t number; vv_delayed_next(d, &at, &number);) vv_delayed_of(d->session, number)->refs++;
}

static void fail(vv_delayed *d, vv_status status)
{
    d->status = status;
    vv_buf_free(&d->args);
    if (vv_strdup(&d->why, vv_last_error()) != VV_OK) vv_error_clear();
}

static vv_status fill(vv_delayed *d, vv_task_function *f, const vv_arg args[], int n)
{
    vv_index nodes = 0;
    if (!f) return vv_fail(VV_ERR_USAGE, "a delayed function is NULL");
    if (n < 0) return vv_fail(VV_ERR_USAGE, "a delayed call with %d arguments", n);
    VV_TRY(vv_args_pack(&d->args, args, n, &nodes));
    if (d->args.size > VV_MOST_ARGS)
        return vv_fail(VV_ERR_USAGE, "the arguments of a delayed call take more than 16 MiB");
    d->call = f;
    d->head = (vv_run_head){.n = n, .nodes = (int32_t)nodes};
    return check_args(d->session, d->args.data, d->args.data + d->args.size);
}

/* What cannot even be told apart from nothing; there is no memory. */
static vv_delayed *out_of_memory(void)
{
    static vv_delayed none = {.status = VV_ERR_NOMEM, .refs = 1 << 30, .impure = true};
    return &none;
}

static bool same_call(const vv_delayed *a, const vv_delayed *b)
{
    return a->hash == b->hash && a->call == b->call && a->head.n == b->head.n && a->args.size == b->args.size &&
           (a->args.size == 0 || !memcmp(a->args.data, b->args.data, a->args.size));
}

/* The node of the same call that is there; or this one, which is entered. */
static vv_delayed *entered(vv_graph_book *b, vv_delayed *d)
{
    d->hash = vv_hash(d->args.data ? d->args.data : "", d->args.size) + (uint64_t)(uintptr_t)d->call;
    for (vv_delayed *e = *bucket_of(b, d->hash); e; e = e->chain)
        if (same_call(e, d)) {
            e->refs++;
            node_free(b, d);
            return e;
        }
    if (b->alive > (int64_t)1 << b->bits && grow_buckets(b) != VV_OK) vv_error_clear();
    d->chain = *bucket_of(b, d->hash);
    *bucket_of(b, d->hash) = d;
    hold_inputs(d);
    return d;
}

vv_delayed *vv_delay_with(vv_session *s, vv_task_function *f, const vv_arg args[], int n, const vv_desk_options *o)
{
    vv_delayed *d;
    if (node_new(s, &d) != VV_OK) return out_of_memory();
    d->options = *o;
    vv_status status = fill(d, f, args, n);
    if (status == VV_OK) return entered(s->calls, d);
    fail(d, status);
    d->impure = true;
    return d;
}

vv_delayed *vv_delay(vv_session *s, vv_task_function *f, const vv_arg args[], int n)
{
    return vv_delay_with(s, f, args, n, &(vv_desk_options){.rank = -1});
}

vv_delayed *vv_delay_impure(vv_session *s, vv_task_function *f, const vv_arg args[], int n,
                            const vv_submit_options *options)
{
    vv_delayed *d;
    if (node_new(s, &d) != VV_OK) return out_of_memory();
    d->impure = true;
    if (options)
        d->options =
            (vv_desk_options){options->priority, options->rank, options->pinned, options->retries, options->timeout};
    vv_status status = fill(d, f, args, n);
    if (status == VV_OK)
        hold_inputs(d);
    else
        fail(d, status);
    return d;
}

vv_status vv_delayed_status(const vv_delayed *d)
{
    if (d->status == VV_OK) return VV_OK;
    return vv_fail(d->status, "%s", d->why ? d->why : "no memory for a delayed call");
}

const char *vv_delayed_name(const vv_delayed *d, char *out, size_t size)
{
    vv_symbol s;
    if (vv_symbol_find((vv_function *)d->call, &s) != VV_OK) return "?";
    vv_symbol_text(&s, (vv_function *)d->call, out, size);
    vv_symbol_free(&s);
    return out;
}

/* Frees those that nobody holds any more, without recursion: chains may be long. */
static void let_go(vv_session *s, vv_delayed *d)
{
    vv_delayed *dying = NULL;
    vv_graph_book *b = s->calls;
    for (; d; d = dying, dying = dying ? dying->chain : NULL) {
        if (d->refs > 0 && --d->refs > 0) continue;
        if (!d->impure) unchain(b, d);
        const char *at = NULL;
        for (int64_t number; vv_delayed_next(d, &at, &number);) {
            vv_delayed *input = vv_delayed_of(s, number);
            if (--input->refs > 0) continue;
            if (!input->impure) unchain(b, input);
            input->impure = true; /* in no chain any more */
            input->chain = dying;
            dying = input;
        }
        node_free(b, d);
    }
}

void vv_delayed_release(vv_delayed *d[], int n)
{
    for (int i = 0; i < n; i++) {
        if (d[i] && d[i]->session) let_go(d[i]->session, d[i]);
        d[i] = NULL;
    }
}

/* --- changing --- */

/* Where top-level argument k begins and ends. */
static void find_arg(const vv_delayed *d, int k, size_t *begin, size_t *end, int32_t *nodes)
{
    const char *at = d->args.data;
    vv_packed_arg a;
    for (int i = 0; i <= k; i++) {
        int64_t left = 1;
        *begin = (size_t)(at - d->args.data);
        *nodes = 0;
        for (; left > 0; left--) {
            at = vv_delayed_arg(at, &a);
            ++*nodes;
            if (a.kind == VV_ARG_LIST) left += a.x;
        }
    }
    *end = (size_t)(at - d->args.data);
}

vv_status vv_delayed_set(vv_delayed *d, int k, vv_arg value)
{
    size_t begin, end;
    int32_t old;
    vv_index nodes = 0;
    vv_buf b = {0};
    VV_TRY(vv_delayed_status(d));
    if (!d->impure) return vv_fail(VV_ERR_USAGE, "arguments of impure calls alone can be set");
    if (k < 0 || k >= d->head.n) return vv_fail(VV_ERR_USAGE, "argument %d of a call that has %d", k, d->head.n);
    find_arg(d, k, &begin, &end, &old);
    vv_buf_bytes(&b, d->args.data, begin);
    vv_status status = vv_args_pack(&b, &value, 1, &nodes);
    if (status == VV_OK) status = check_args(d->session, b.data + begin, b.data + b.size);
    vv_buf_bytes(&b, d->args.data + end, d->args.size - end);
    if (status == VV_OK) status = vv_buf_status(&b);
    if (status != VV_OK) {
        vv_buf_free(&b);
        return status;
    }
    vv_delayed before = *d; /* its inputs are held until the new ones are */
    d->args = b;
    d->head.nodes += (int32_t)nodes - old;
    hold_inputs(d);
    const char *at = NULL;
    for (int64_t number; vv_delayed_next(&before, &at, &number);) {
        vv_delayed *input = vv_delayed_of(d->session, number);
        if (input == d)
            d->refs--;
        else
            let_go(d->session, input);
    }
    vv_buf_free(&before.args);
    return VV_OK;
}

/* The different elements there are, and how often each occurs.
 *
 * A state has room for a fixed number of different elements: as many more as could not be had are found by another reduction with more room. Elements are keys that
 * compare as they do (every NaN one and the same, the greatest; -0 is 0). They wait in a pile; a full pile is sorted, and merged with what was there.
 *
 *     n | waiting | keys, ascending | how often each | pile | room to sort it
 *
 * n is -1 when the room was too little. A cell finishes as n, then the elements in their working type, ascending, then how often each occurs. */
#include "kernels/order/keys.h"
#include "kernels/reductions/fold.h"

#include <string.h>

typedef struct list {
    int64_t *n, *waiting;
    int64_t *key, *pile;
    uint64_t *count, *scratch;
    vv_index room, pile_room;
} list;

static list list_of(const vv_red_spec *s, void *states, vv_index cell)
{
    int64_t *head = (int64_t *)(void *)((char *)states + cell * s->state);
    list l = {.n = head, .waiting = head + 1, .room = s->room, .pile_room = vv_distinct_pile(s->room)};
    l.key = head + 2;
    l.count = (uint64_t *)(l.key + l.room);
    l.pile = (int64_t *)(l.count + l.room);
    l.scratch = (uint64_t *)(l.pile + l.pile_room);
    return l;
}

static void init(const vv_red *r, vv_index cells, void *const planes[])
{
    for (vv_index i = 0; i < cells; i++) {
        list l = list_of(r->spec, planes[0], i);
        *l.n = *l.waiting = 0;
    }
}

/* --- keys --- */

static const uint64_t SIGN = (uint64_t)1 << 63;

static int64_t key_of(vv_dtype in, const void *x, vv_index i)
{
    uint64_t bits = ((const uint64_t *)x)[i];
    double real;
    if (in == VV_I64) return (int64_t)bits;
    if (in == VV_U64) return (int64_t)(bits ^ SIGN);
    memcpy(&real, &bits, sizeof real);
    if (real != real) return INT64_MAX;
    if (real == 0) return 0;
    return (int64_t)(bits & SIGN ? ~bits ^ SIGN : bits);
}

static uint64_t bits_of(vv_dtype in, int64_t key)
{
    const double nan = (double)NAN;
    uint64_t bits = (uint64_t)key;
    if (in == VV_I64) return bits;
    if (in == VV_U64) return bits ^ SIGN;
    if (key == INT64_MAX) memcpy(&bits, &nan, sizeof bits);
    return bits & SIGN ? ~bits ^ SIGN : bits;
}

/* --- merging --- */

/* So many different keys, ascending, join the list. */
static void merge(list *l, vv_index n, const int64_t key[], const uint64_t count[])
{
    vv_index have = *l->n, both = 0, i = 0, k = 0;
    while (i < have && k < n) {
        bool first = l->key[i] <= key[k], second = key[k] <= l->key[i];
        both += first && second;
        i += first;
        k += second;
    }
    vv_index all = have + n - both;
    if (all > l->room) {
        *l->n = -1;
        return;
    }
    *l->n = all;
    for (i = have - 1, k = n - 1, all--; all >= 0; all--) { /* from the end on: nothing is in the way */
        bool first = k < 0 || (i >= 0 && l->key[i] >= key[k]), second = i < 0 || (k >= 0 && key[k] >= l->key[i]);
        int64_t one = first ? l->key[i] : key[k];
        uint64_t times = 0;
        if (first) times += l->count[i--];
        if (second) times += count[k--];
        l->key[all] = one;
        l->count[all] = times;
    }
}

/* What waits is sorted and joins the list. */
static void settle(list *l)
{
    vv_index n = *l->waiting, different = 0;
    *l->waiting = 0;
    if (*l->n < 0 || n == 0) return;
    vv_keys_sort(VV_I64, n, l->pile, l->scratch, NULL, NULL);
    for (vv_index i = 0; i < n; different++) {
        int64_t key = l->pile[i];
        vv_index first = i;
        while (i < n && l->pile[i] == key) i++;
        l->pile[different] = key;
        l->scratch[different] = (uint64_t)(i - first);
    }
    merge(l, different, l->pile, l->scratch);
}

static void put(vv_dtype in, list *l, vv_index n, const void *x)
{
    for (vv_index at = 0; at < n && *l->n >= 0;) {
        vv_index some = vv_imin(n - at, l->pile_room - *l->waiting);
        for (vv_index i = 0; i < some; i++) l->pile[*l->waiting + i] = key_of(in, x, at + i);
        *l->waiting += some;
        at += some;
        if (*l->waiting == l->pile_room) settle(l);
    }
}

static void fold(const vv_red *r, vv_red_head *head, void *states, vv_index first, vv_index step, vv_index n,
                 const void *const x[])
{
    (void)head;
    for (vv_index i = 0; i < (step ? n : 1); i++) {
        list l = list_of(r->spec, states, first + i);
        put(r->in, &l, step ? 1 : n, (const uint64_t *)x[0] + i);
    }
}

static void combine(const vv_red *r, vv_index cells, const vv_red_head *lh, void *const left[], const void *lmissing,
                    const vv_red_head *rh, void *const right[], const void *rmissing)
{
    (void)lh, (void)lmissing, (void)rh, (void)rmissing;
    for (vv_index i = 0; i < cells; i++) {
        list a = list_of(r->spec, left[0], i), b = list_of(r->spec, right[0], i);
        settle(&a);
        settle(&b);
        if (*b.n < 0) *a.n = -1;
        if (*a.n >= 0) merge(&a, *b.n, b.key, b.count);
    }
}

static void finish(const vv_red *r, vv_index cells, const vv_red_head *head, void *const planes[], const void *missing,
                   void *out)
{
    (void)head, (void)missing;
    for (vv_index i = 0; i < cells; i++) {
        list l = list_of(r->spec, planes[0], i);
        uint64_t *to = (uint64_t *)out + i * r->spec->length;
        settle(&l);
        memset(to, 0, 8 * (size_t)r->spec->length);
        *(int64_t *)to = *l.n;
        for (vv_index k = 0; k < *l.n; k++) {
            to[1 + k] = bits_of(r->in, l.key[k]);
            to[1 + l.room + k] = l.count[k];
        }
    }
}

const vv_reduction vv_reduction_distinct = {.name = "distinct",
                                            .help = "the different elements",
                                            .told = VV_TOLD_ROOM,
                                            .init = init,
                                            .fold = fold,
                                            .combine = combine,
                                            .finish = finish};

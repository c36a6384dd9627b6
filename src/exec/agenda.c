#include "exec/agenda.h"

#include "exec/sched.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/* A walk over the units that wait for an inbox. */
typedef struct walk {
    struct walk *next;
    int input;
    vv_index key;
    int64_t sequence;
    vv_waiting *at; /* NULL: not begun. Many walks wait, few are under way: this is what is large. */
} walk;

/* One step. */
typedef struct line {
    int step;
    bool waits;     /* some input is pushed */
    bool begins;    /* there is a walk over its own units; where it waits, for units that wait for nothing */
    bool single;    /* a unit waits for one inbox at most */
    bool *repeated; /* by input: a unit may use an inbox for several of its chunks */
    vv_index own;   /* units of this rank */
    _Atomic vv_index next;
    vv_index stride, shift; /* fuzz: the order of units */
    int height;             /* the longest way to the end, in steps */
    int level;              /* most reductions in front of it */
    int act, phase, component;
    int64_t begin_rank, walk_rank;
    walk *first, *last;
    const _Atomic vv_index *waiting; /* watched: partial results that wait; else NULL */
    vv_index most;
    _Atomic uint64_t *begun; /* watched: a bit for each unit of this rank */
    vv_index in_order;       /* units before this one have begun; guarded by the agenda's lock */
} line;

struct vv_agenda {
    const vv_plan *plan;
    int rank;
    vv_store *store;
    line *line;              /* by step */
    int n_begin, n_walk;     /* lengths of: */
    line **begin, **walking; /* in the order of choice */
    _Atomic int first;       /* of `begin`: those before it have no units left */
    _Atomic vv_index left;
    int n_acts, *act;              /* by step */
    _Atomic int at_work;           /* the last act that has begun */
    _Atomic vv_index *left_of_act; /* units that have not ended */
    _Atomic vv_index walks;        /* in the lists */
    _Atomic uint64_t random;
    pthread_mutex_t lock; /* guards the lists */
    pthread_cond_t changed;
    int resting;
    vv_index blocked; /* walks that were there when none of them could go on */
};

static uint64_t draw(vv_agenda *a)
{
    uint64_t x = atomic_fetch_add(&a->random, 0x9e3779b97f4a7c15u);
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* --- the plan's shape --- */

static bool feeds(const vv_plan *p, int from, int to)
{
    const vv_step *s = &p->step[to];
    if (!vv_step_computes(s) || !vv_step_computes(&p->step[from])) return false;
    for (int k = 0; k < s->n_inputs; k++)
        for (int j = 0; s->input[k].access == VV_ACCESS_PUSH && j < s->input[k].n_parts; j++)
            if (s->input[k].part[j].from == from) return true;
    return false;
}

static bool reduces(const vv_agenda *a, int step)
{
    return a->plan->step[step].op == VV_STEP_REDUCE;
}

/* Steps come after those that feed them. */
static void find_shape(vv_agenda *a)
{
    int n = a->plan->n_steps;
    line *l = a->line;
    for (int to = 0; to < n; to++)
        for (int from = 0; from < to; from++) {
            if (!feeds(a->plan, from, to)) continue;
            int level = l[from].level + reduces(a, from);
            if (level > l[to].level) l[to].level = level;
        }
    for (int from = n - 1; from >= 0; from--) {
        l[from].phase = -1;
        for (int to = from + 1; to < n; to++) {
            if (!feeds(a->plan, from, to)) continue;
            int phase = l[to].level - reduces(a, from);
            if (l[to].height + 1 > l[from].height) l[from].height = l[to].height + 1;
            if (l[from].phase < 0 || phase < l[from].phase) l[from].phase = phase;
        }
        if (l[from].phase < 0) l[from].phase = 0;
    }
}

/* Every inbox of this input waits for something: a part from another task covers all that the step works on. */
static bool always_due(const vv_step *s, const vv_input *in)
{
    for (int j = 0; in->access == VV_ACCESS_PUSH && j < in->n_parts; j++) {
        bool all = in->part[j].table_dim < 0;
        for (int d = 0; d < s->work.shape.nd; d++)
            all = all && in->part[j].box.n[d] == s->work.shape.n[d] && s->work.shape.n[d] > 0;
        if (all) return true;
    }
    return false;
}

static bool has_empty_group(const vv_step *s)
{
    if (s->op != VV_STEP_REDUCE || s->groups.dim < 0) return false;
    for (vv_index b = 0; b < vv_ceil_div(s->groups.n, s->groups.chunk); b++)
        if (s->groups.first[b] == s->groups.first[b + 1]) return true;
    return false;
}

static bool some_wait_for_nothing(const vv_step *s)
{
    if (vv_shape_elements(&s->work.shape) == 0 || has_empty_group(s)) return true;
    for (int k = 0; k < s->n_inputs; k++)
        if (always_due(s, &s->input[k])) return false;
    return true;
}

static bool one_chunk_units(const vv_step *s)
{
    if (s->op == VV_STEP_MAP) return true;
    for (int d = 0; d < s->work.shape.nd; d++)
        if (s->groups.dim >= 0 && d != s->groups.dim && s->reduced[d] && vv_grid_count(&s->work, d) > 1) return false;
    return s->leaf == 1;
}

/* An inbox does not tell the chunks of a unit apart. */
static bool is_repeated(const vv_step *s, const vv_edge *e)
{
    if (one_chunk_units(s)) return false;
    for (int d = 0; d < s->work.shape.nd; d++)
        if (s->reduced[d] && vv_grid_count(&s->work, d) > 1 && (!e->follows[d] || d == e->lookup)) return true;
    return false;
}

/* A random order of units: multiples of a number without a common divisor. */
static void shuffle_units(vv_agenda *a, line *l)
{
    enum { MOST = 1 << 20 };
    l->stride = 1;
    if (!a->plan->fuzz || l->own < 2) return;
    do l->stride = 1 + (vv_index)(draw(a) % (uint64_t)vv_imin(l->own, MOST));
    while (vv_common_divisor(l->stride, l->own) != 1);
    l->shift = (vv_index)(draw(a) % (uint64_t)l->own);
}

static vv_status make_line(vv_agenda *a, int step, int most)
{
    const vv_step *s = &a->plan->step[step];
    const vv_sched *policy = vv_sched_at(a->plan->policy);
    line *l = &a->line[step];
    int pushed = 0;
    l->waits = vv_step_waits(s);
    l->own = vv_place_count(s, a->rank, a->plan->ranks);
    l->begins = !l->waits || some_wait_for_nothing(s) || vv_spared_any(vv_store_spared(a->store), step);
    VV_TRY(vv_new(&l->repeated, (size_t)s->n_inputs + 1, sizeof *l->repeated));
    for (int k = 0; k < s->n_inputs; k++) {
        if (s->input[k].access != VV_ACCESS_PUSH) continue;
        l->repeated[k] = is_repeated(s, vv_store_edge(a->store, step, k));
        pushed++;
    }
    l->single = pushed <= 1 && one_chunk_units(s);
    if (!policy) return vv_fail(VV_ERR_INTERNAL, "there is no scheduling policy %d", a->plan->policy);
    l->begin_rank = policy->rank(most - l->height, 0);
    l->walk_rank = policy->rank(most - l->height, 1);
    shuffle_units(a, l);
    l->act = a->act[step];
    atomic_fetch_add(&a->left, l->own);
    atomic_fetch_add(&a->left_of_act[l->act], l->own);
    return VV_OK;
}

static int by_begin(const void *x, const void *y)
{
    const line *a = *(line *const *)x, *b = *(line *const *)y;
    if (a->act != b->act) return a->act - b->act;
    if (a->phase != b->phase) return a->phase - b->phase;
    return a->component != b->component ? a->component - b->component : a->step - b->step;
}

static int by_walk(const void *x, const void *y)
{
    const line *a = *(line *const *)x, *b = *(line *const *)y;
    if (a->walk_rank != b->walk_rank) return a->walk_rank < b->walk_rank ? -1 : 1;
    return a->step - b->step;
}

static vv_status find_acts(vv_agenda *a)
{
    int n = a->plan->n_steps, *component;
    VV_TRY(vv_new(&a->act, (size_t)n + 1, sizeof *a->act));
    VV_TRY(vv_new(&component, (size_t)n + 1, sizeof *component));
    vv_components(a->plan, component);
    for (int i = 0; i < n; i++) a->line[i].component = component[i];
    free(component);
    VV_TRY(vv_acts_of(a->plan, a->act, &a->n_acts));
    return vv_new(&a->left_of_act, (size_t)a->n_acts, sizeof *a->left_of_act);
}

static vv_status make_lines(vv_agenda *a)
{
    const vv_plan *p = a->plan;
    int most = 0;
    VV_TRY(vv_new(&a->line, (size_t)p->n_steps + 1, sizeof *a->line));
    VV_TRY(vv_new(&a->begin, (size_t)p->n_steps + 1, sizeof *a->begin));
    VV_TRY(vv_new(&a->walking, (size_t)p->n_steps + 1, sizeof *a->walking));
    VV_TRY(find_acts(a));
    find_shape(a);
    for (int i = 0; i < p->n_steps; i++)
        if (a->line[i].height > most) most = a->line[i].height;
    for (int i = 0; i < p->n_steps; i++) {
        a->line[i].step = i;
        if (!vv_step_computes(&p->step[i])) continue;
        VV_TRY(make_line(a, i, most));
        if (a->line[i].begins) a->begin[a->n_begin++] = &a->line[i];
        if (a->line[i].waits) a->walking[a->n_walk++] = &a->line[i];
    }
    qsort(a->begin, (size_t)a->n_begin, sizeof *a->begin, by_begin);
    qsort(a->walking, (size_t)a->n_walk, sizeof *a->walking, by_walk);
    return VV_OK;
}

vv_status vv_agenda_open(const vv_plan *plan, int rank, vv_store *store, vv_agenda **out)
{
    vv_agenda *a;
    pthread_condattr_t clock;
    VV_TRY(vv_new(&a, 1, sizeof *a));
    a->plan = plan;
    a->rank = rank;
    a->store = store;
    atomic_store(&a->random, (uint64_t)plan->fuzz * 1000003u + (uint64_t)rank);
    pthread_mutex_init(&a->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&a->changed, &clock);
    pthread_condattr_destroy(&clock);
    vv_status status = make_lines(a);
    if (status != VV_OK) vv_agenda_close(&a);
    *out = a;
    return status;
}

static void walk_free(walk *w)
{
    free(w->at);
    free(w);
}

void vv_agenda_close(vv_agenda **agenda)
{
    vv_agenda *a = *agenda;
    if (!a) return;
    for (int i = 0; a->line && i < a->plan->n_steps; i++) {
        for (walk *w = a->line[i].first, *next; w; w = next) {
            next = w->next;
            walk_free(w);
        }
        free(a->line[i].repeated);
        free(a->line[i].begun);
    }
    free(a->line);
    free(a->act);
    free(a->left_of_act);
    free(a->begin);
    free(a->walking);
    pthread_mutex_destroy(&a->lock);
    pthread_cond_destroy(&a->changed);
    free(a);
    *agenda = NULL;
}

/* --- steps that are watched --- */

vv_status vv_agenda_watch(vv_agenda *a, int step, const _Atomic vv_index *waiting, vv_index most)
{
    line *l = &a->line[step];
    VV_TRY(vv_new(&l->begun, (size_t)(l->own / 64 + 1), sizeof *l->begun));
    l->waiting = waiting;
    l->most = most;
    return VV_OK;
}

static bool too_many_wait(const line *l)
{
    return l->waiting && atomic_load(l->waiting) > l->most;
}

static bool has_begun(const line *l, vv_index unit)
{
    return atomic_load(&l->begun[unit / 64]) >> unit % 64 & 1;
}

/* Of a watched step: whether nobody else has begun this unit. */
static bool claim(const vv_agenda *a, line *l, vv_unit u)
{
    if (!l->begun) return true;
    vv_index i = vv_place_index(&a->plan->step[l->step], a->plan->ranks, u);
    uint64_t bit = (uint64_t)1 << i % 64;
    return !(atomic_fetch_or(&l->begun[i / 64], bit) & bit);
}

/* The first unit that has not begun, if it can run. Under the agenda's lock. */
static bool next_in_order(const vv_agenda *a, line *l, vv_task *out)
{
    while (l->in_order < l->own && has_begun(l, l->in_order)) l->in_order++;
    if (l->in_order == l->own) return false;
    out->step = l->step;
    out->unit = vv_place_unit(&a->plan->step[l->step], a->rank, a->plan->ranks, l->in_order);
    return vv_store_ready(a->store, l->step, out->unit) && claim(a, l, out->unit);
}

/* --- walks over waiting units --- */

static void put(vv_agenda *a, line *l, walk *w, bool in_front)
{
    pthread_mutex_lock(&a->lock);
    w->next = in_front ? l->first : NULL;
    if (in_front)
        l->first = w;
    else if (l->first)
        l->last->next = w;
    else
        l->first = w;
    if (!w->next) l->last = w;
    atomic_fetch_add(&a->walks, 1);
    if (a->resting) pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->lock);
}

vv_status vv_agenda_add(vv_agenda *a, int step, int input, vv_index key, int64_t sequence)
{
    walk *w;
    VV_TRY(vv_new(&w, 1, sizeof *w));
    *w = (walk){.input = input, .key = key, .sequence = sequence};
    put(a, &a->line[step], w, false);
    return VV_OK;
}

/* fuzz: the list's first walk goes to its end, perhaps. */
static void rotate(vv_agenda *a, line *l)
{
    for (uint64_t n = draw(a) % 4; n > 0 && l->first->next; n--) {
        l->last->next = l->first;
        l->last = l->first;
        l->first = l->first->next;
        l->last->next = NULL;
    }
}

/* The walk that goes on next, taken out of its list; NULL when there is none that should go before units of `other`, or when a step that is watched has
 * a unit for *out. */
static walk *choose_walk(vv_agenda *a, const line *other, line **of, vv_task *out, bool *got)
{
    walk *w = NULL;
    bool blocked = false;
    bool fuzz = a->plan->fuzz != 0, anyway = !other || vv_store_full(a->store);
    if (atomic_load(&a->walks) == 0 || (fuzz && other && draw(a) % 2)) return NULL;
    pthread_mutex_lock(&a->lock);
    int skip = fuzz ? (int)(draw(a) % (uint64_t)a->n_walk) : 0;
    for (int i = 0; i < a->n_walk && !w && !*got; i++) {
        line *l = a->walking[(i + skip) % a->n_walk];
        if (!l->first) continue;
        if (!fuzz && !anyway && l->walk_rank > other->begin_rank) break;
        if (too_many_wait(l)) {
            *got = next_in_order(a, l, out);
            blocked = true;
            continue;
        }
        if (fuzz) rotate(a, l);
        w = l->first;
        l->first = w->next;
        *of = l;
        atomic_fetch_sub(&a->walks, 1);
    }
    a->blocked = blocked && !w && !*got ? atomic_load(&a->walks) : 0;
    pthread_mutex_unlock(&a->lock);
    return w;
}

/* Whether this chunk is the first of its unit that uses the walk's inbox: the others are the same unit again. */
static bool first_use(const vv_agenda *a, const line *l, const walk *w, vv_unit u, const vv_index coords[])
{
    const vv_step *s = &a->plan->step[l->step];
    const vv_edge *e = vv_store_edge(a->store, l->step, w->input);
    vv_index n = vv_unit_chunks(s, u), at[VV_MAX_DIMS];
    for (vv_index k = 0; k < n; k++) {
        vv_unit_coords(s, u, k, at);
        if (vv_edge_key(e, at) != w->key) continue;
        for (int d = 0; d < s->work.shape.nd; d++)
            if (at[d] != coords[d]) return false;
        return true;
    }
    return false;
}

/* Goes on to the next unit that this walk has to run; a walk that is at its end is gone. */
static vv_status go_on(vv_agenda *a, line *l, walk *w, vv_task *out, bool *got)
{
    vv_index coords[VV_MAX_DIMS];
    if (!w->at) {
        vv_status status = vv_new(&w->at, 1, sizeof *w->at);
        if (status != VV_OK) {
            walk_free(w);
            return status;
        }
        *w->at = (vv_waiting){vv_store_edge(a->store, l->step, w->input), w->key, a->rank, a->plan->ranks, false, {0}};
    }
    out->step = l->step;
    while (!*got && vv_waiting_next(w->at, &out->unit, coords)) {
        if (vv_spared_has(vv_store_spared(a->store), l->step, out->unit)) continue;
        if (l->repeated[w->input] && !first_use(a, l, w, out->unit, coords)) continue;
        *got = (l->single || vv_store_runs(a->store, l->step, out->unit, w->sequence)) && claim(a, l, out->unit);
    }
    if (*got)
        put(a, l, w, true);
    else
        walk_free(w);
    return VV_OK;
}

/* --- walks from the start --- */

static bool finished(const line *l)
{
    return atomic_load_explicit(&l->next, memory_order_relaxed) >= l->own;
}

static double share(const line *l)
{
    return (double)atomic_load_explicit(&l->next, memory_order_relaxed) / (double)l->own;
}

static line *choose_begin(vv_agenda *a)
{
    line *best = NULL;
    int first = atomic_load_explicit(&a->first, memory_order_relaxed);
    while (first < a->n_begin && finished(a->begin[first])) first++;
    atomic_store_explicit(&a->first, first, memory_order_relaxed);
    for (int i = first; i < a->n_begin; i++) {
        line *l = a->begin[i];
        if (l->act > atomic_load_explicit(&a->at_work, memory_order_relaxed)) break;
        if (finished(l)) continue;
        if (a->plan->fuzz && draw(a) % 3 == 0) return l;
        if (best && (l->phase != best->phase || l->component != best->component)) break;
        if (!best || share(l) < share(best)) best = l;
    }
    return best;
}

static bool draw_unit(vv_agenda *a, line *l, vv_task *out)
{
    vv_index p = atomic_fetch_add_explicit(&l->next, 1, memory_order_relaxed);
    if (p >= l->own) return false;
    if (a->plan->fuzz) p = (p * l->stride + l->shift) % l->own;
    out->step = l->step;
    out->unit = vv_place_unit(&a->plan->step[l->step], a->rank, a->plan->ranks, p);
    if (!l->waits) return true;
    bool free = vv_spared_has(vv_store_spared(a->store), l->step, out->unit);
    return (free || vv_store_runs(a->store, l->step, out->unit, 0)) && claim(a, l, out->unit);
}

/* --- choosing --- */

vv_status vv_agenda_take(vv_agenda *a, bool throttled, vv_task *out, bool *got)
{
    *got = false;
    while (!*got) {
        line *begin = throttled ? NULL : choose_begin(a), *of = NULL;
        walk *w = choose_walk(a, begin, &of, out, got);
        if (*got) break;
        if (w)
            VV_TRY(go_on(a, of, w, out, got));
        else if (begin)
            *got = draw_unit(a, begin, out);
        else
            break;
    }
    return VV_OK;
}

bool vv_agenda_ended(vv_agenda *a, int step)
{
    atomic_fetch_sub(&a->left_of_act[a->act[step]], 1);
    if (atomic_fetch_sub(&a->left, 1) > 1) return true;
    vv_agenda_wake(a);
    return false;
}

vv_index vv_agenda_left(const vv_agenda *a)
{
    return atomic_load(&a->left);
}

int vv_agenda_acts(const vv_agenda *a)
{
    return a->n_acts;
}

int vv_agenda_act_of(const vv_agenda *a, int step)
{
    return a->act[step];
}

int vv_agenda_acts_ended(const vv_agenda *a)
{
    int n = 0;
    while (n < a->n_acts && atomic_load(&a->left_of_act[n]) == 0) n++;
    return n;
}

void vv_agenda_begin_act(vv_agenda *a, int act)
{
    int now = atomic_load(&a->at_work);
    while (now < act && !atomic_compare_exchange_weak(&a->at_work, &now, act)) continue;
    vv_agenda_wake(a);
}

void vv_agenda_rest(vv_agenda *a, int64_t microseconds)
{
    enum { SECOND = 1000000000 };
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)microseconds * 1000;
    until.tv_sec += until.tv_nsec / SECOND;
    until.tv_nsec %= SECOND;
    pthread_mutex_lock(&a->lock);
    a->resting++;
    if (atomic_load(&a->walks) <= a->blocked && atomic_load(&a->left) > 0)
        pthread_cond_timedwait(&a->changed, &a->lock, &until);
    a->resting--;
    pthread_mutex_unlock(&a->lock);
}

void vv_agenda_wake(vv_agenda *a)
{
    pthread_mutex_lock(&a->lock);
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->lock);
}

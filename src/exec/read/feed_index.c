/* The coordinator collected the chunk indexes. It walks every other rank's units, marks in a bit map which stored chunks they touch, whatever step wants them,
 * and sends the entries of all sources in one message: stretches of consecutive chunks, usually few. It keeps its own indexes whole. */
#include "exec/read/feed_index.h"

#include <stdlib.h>
#include <string.h>

bool vv_feed_indexed(const vv_source *s)
{
    return s->raw && s->chunked && !s->generated && !s->held;
}

bool vv_feed_places_told(const vv_plan *p, int step)
{
    return vv_step_computes(&p->step[step]) && p->step[step].told_to;
}

/* Sources, then write steps: what has a chunk index. */
static int n_feeds(const vv_plan *p)
{
    return p->n_sources + p->n_steps;
}

static vv_feed *feed_of(const vv_feeds *f, int number)
{
    int step = number - f->plan->n_sources;
    return step < 0 ? &f->feed[number] : &f->places[step];
}

bool vv_feed_index_due(const vv_plan *p)
{
    for (int i = 0; i < p->n_sources; i++)
        if (vv_feed_indexed(&p->source[i])) return true;
    for (int i = 0; i < p->n_steps; i++)
        if (vv_feed_places_told(p, i)) return true;
    return false;
}

/* --- which chunks a rank needs --- */

/* A bit for each chunk of a source. */
typedef struct marks {
    vv_index chunks;
    uint64_t *bit;
    vv_index from, to; /* words in which any is set */
} marks;

typedef struct ledger {
    const vv_feeds *feeds;
    const vv_plan *plan;
    marks *source; /* and behind them write steps: n_feeds() */
} ledger;

static void mark(marks *m, vv_index chunk)
{
    vv_index word = chunk / 64;
    m->bit[word] |= (uint64_t)1 << chunk % 64;
    if (word < m->from) m->from = word;
    if (word >= m->to) m->to = word + 1;
}

/* All chunks of a source that a box of it touches. */
static void mark_box(marks *m, const vv_grid *g, const vv_box *box)
{
    vv_index first[VV_MAX_DIMS], n[VV_MAX_DIMS], at[VV_MAX_DIMS] = {0}, coords[VV_MAX_DIMS];
    for (int d = 0; d < box->nd; d++) {
        first[d] = vv_grid_at(g, d, box->lo[d]);
        n[d] = vv_grid_at(g, d, box->lo[d] + box->n[d] - 1) - first[d] + 1;
    }
    do {
        for (int d = 0; d < box->nd; d++) coords[d] = first[d] + at[d];
        mark(m, vv_grid_number(g, coords));
    } while (vv_odometer(box->nd, n, at));
}

/* How a direct input of a step finds the stored chunk of a work chunk: what each coordinate adds to its number. */
typedef struct direct {
    marks *source;
    vv_index *add[VV_MAX_DIMS]; /* by work dimension and coordinate */
    vv_index base;
} direct;

static void free_direct(direct *t)
{
    for (int d = 0; d < VV_MAX_DIMS; d++) free(t->add[d]);
}

static vv_status make_direct(const vv_step *s, const vv_part *p, const vv_grid *g, direct *t)
{
    vv_index step = 1;
    for (int d = 0; d < s->work.shape.nd; d++)
        VV_TRY(vv_new(&t->add[d], (size_t)vv_grid_count(&s->work, d) + 1, sizeof *t->add[d]));
    for (int k = p->nd - 1; k >= 0; k--) {
        int w = p->dim[k];
        if (w < 0) t->base += vv_grid_at(g, k, p->start[k]) * step;
        for (vv_index c = 0; w >= 0 && c < vv_grid_count(&s->work, w); c++)
            t->add[w][c] += vv_grid_at(g, k, vv_part_index(p, k, vv_grid_begin(&s->work, w, c))) * step;
        step *= vv_grid_count(g, k);
    }
    return VV_OK;
}

/* Calls back for the chunks of all of a rank's units of a step. */
typedef void chunk_visitor(void *context, const vv_index coords[]);

static void each_chunk(const vv_step *s, int rank, int ranks, chunk_visitor *visit, void *context)
{
    vv_index units = vv_place_count(s, rank, ranks), coords[VV_MAX_DIMS];
    for (vv_index p = 0; p < units; p++) {
        vv_unit u = vv_place_unit(s, rank, ranks, p);
        vv_index n = vv_unit_chunks(s, u);
        for (vv_index k = 0; k < n; k++) {
            vv_unit_coords(s, u, k, coords);
            visit(context, coords);
        }
    }
}

/* A step's inputs. */
typedef struct want {
    ledger *l;
    const vv_step *s;
    int n_direct, n_boxes;
    direct direct[VV_PROGRAM_INPUTS];
    vv_edge box[VV_PROGRAM_INPUTS];
    vv_index key[VV_PROGRAM_INPUTS]; /* the box looked at last */
    marks *places;                   /* places of the step's own chunks; NULL: none */
} want;

static void want_box(want *w, int i, const vv_index coords[])
{
    const vv_edge *e = &w->box[i];
    vv_index key = vv_edge_key(e, coords);
    vv_box box, source;
    if (key == w->key[i]) return;
    w->key[i] = key;
    int first, end;
    vv_edge_box(e, key, &box);
    vv_edge_near(e, &box, &first, &end);
    for (int j = first; j < end; j++) {
        const vv_source *stored = vv_part_stored(w->l->plan, &e->part[j]);
        if (!stored || !vv_feed_indexed(stored) || !vv_part_source(&e->part[j], &box, &source)) continue;
        mark_box(&w->l->source[stored - w->l->plan->source], &stored->stored, &source);
    }
}

static void want_chunk(void *context, const vv_index coords[])
{
    want *w = context;
    int nd = w->s->work.shape.nd;
    for (int i = 0; i < w->n_direct; i++) {
        const direct *t = &w->direct[i];
        vv_index number = t->base;
        for (int d = 0; d < nd; d++) number += t->add[d][coords[d]];
        mark(t->source, number);
    }
    for (int i = 0; i < w->n_boxes; i++) want_box(w, i, coords);
    if (w->places) mark(w->places, vv_grid_number(&w->s->work, coords));
}

static bool any_indexed(const vv_plan *p, const vv_input *in)
{
    for (int j = 0; j < in->n_parts; j++) {
        const vv_source *s = vv_part_stored(p, &in->part[j]);
        if (s && vv_feed_indexed(s)) return true;
    }
    return false;
}

static vv_status make_want(ledger *l, int step, want *w)
{
    w->l = l;
    w->s = &l->plan->step[step];
    if (vv_feed_places_told(l->plan, step)) w->places = &l->source[l->plan->n_sources + w->s->told_to];
    for (int i = 0; i < w->s->n_inputs; i++) {
        const vv_input *in = &w->s->input[i];
        if (in->access == VV_ACCESS_PUSH || !any_indexed(l->plan, in)) continue;
        if (vv_block_assembled(w->s, i)) {
            w->key[w->n_boxes] = -1;
            VV_TRY(vv_edge_make(l->plan, step, i, &w->box[w->n_boxes++]));
            continue;
        }
        const vv_source *s = vv_part_stored(l->plan, &in->part[0]);
        direct *t = &w->direct[w->n_direct++];
        t->source = &l->source[s - l->plan->source];
        VV_TRY(make_direct(w->s, &in->part[0], &s->stored, t));
    }
    return VV_OK;
}

static void free_want(want **w)
{
    for (int i = 0; *w && i < (*w)->n_direct; i++) free_direct(&(*w)->direct[i]);
    for (int i = 0; *w && i < (*w)->n_boxes; i++) vv_edge_free(&(*w)->box[i]);
    free(*w);
    *w = NULL;
}

static bool wants_any(const want *w)
{
    return w->n_direct + w->n_boxes > 0 || w->places;
}

/* --- the message: a head, then for each source a section: stretches, one more for the end, entries --- */

typedef struct section {
    int64_t source, n_stretches, n_entries, spare;
} section;

/* Bits of a word in stretches: `before` is the bit in front of it. */
static vv_index stretches_in(uint64_t word, uint64_t before)
{
    return __builtin_popcountll(word & ~(word << 1 | before));
}

static void count_marks(const marks *m, section *out)
{
    uint64_t before = 0;
    for (vv_index i = m->from; i < m->to; i++) {
        out->n_entries += __builtin_popcountll(m->bit[i]);
        out->n_stretches += stretches_in(m->bit[i], before);
        before = m->bit[i] >> 63;
    }
}

static vv_bytes section_bytes(const section *s)
{
    return (vv_bytes)sizeof *s + (s->n_stretches + 1) * (vv_bytes)sizeof(vv_stretch) +
           s->n_entries * (vv_bytes)sizeof(vv_chunk_at);
}

/* Writes the section, and forgets the marks. */
static void write_section(marks *m, const section *head, const vv_chunk_at all[], char *to)
{
    *(section *)(void *)to = *head;
    vv_stretch *stretch = (vv_stretch *)(void *)(to + sizeof *head);
    vv_chunk_at *entry = (vv_chunk_at *)(void *)(stretch + head->n_stretches + 1);
    vv_index n = 0, end = -1; /* of the stretch at work */
    for (vv_index i = m->from; i < m->to; i++) {
        for (uint64_t word = m->bit[i]; word;) {
            int first = __builtin_ctzll(word);
            uint64_t rest = ~(word >> first);
            int run = rest ? __builtin_ctzll(rest) : 64;
            vv_index chunk = i * 64 + first;
            if (chunk != end) *stretch++ = (vv_stretch){chunk, n};
            memcpy(entry + n, all + chunk, (size_t)run * sizeof *entry);
            n += run;
            end = chunk + run;
            word = first + run < 64 ? word >> (first + run) << (first + run) : 0;
        }
        m->bit[i] = 0;
    }
    *stretch = (vv_stretch){VV_INDEX_MAX, n};
    m->from = m->chunks / 64 + 1;
    m->to = 0;
}

static vv_status write_message(const ledger *l, void *block_address, vv_bytes *size)
{
    char **block = block_address, *to;
    *size = 0;
    for (int pass = 0; pass < 2; pass++) {
        if (pass) VV_TRY(vv_mem_get(block, vv_imax(64, *size), "a chunk index"));
        to = pass ? *block : NULL;
        for (int i = 0; i < n_feeds(l->plan); i++) {
            section head = {.source = i};
            if (l->source[i].to <= l->source[i].from) continue;
            count_marks(&l->source[i], &head);
            if (!pass) *size += section_bytes(&head);
            if (!pass) continue;
            write_section(&l->source[i], &head, feed_of(l->feeds, i)->all, to);
            to += section_bytes(&head);
        }
    }
    return VV_OK;
}

static vv_status send_to(ledger *l, vv_net *net, int rank, want *const wants[])
{
    void *block;
    vv_bytes size;
    for (int i = 0; i < l->plan->n_steps; i++) {
        if (!wants[i] || !wants_any(wants[i])) continue;
        for (int k = 0; k < wants[i]->n_boxes; k++) wants[i]->key[k] = -1;
        each_chunk(&l->plan->step[i], rank, net->size, want_chunk, wants[i]);
    }
    VV_TRY(write_message(l, &block, &size));
    return vv_net_send(net, rank, VV_TAG_INDEX, &block, size);
}

static vv_status make_marks(const vv_grid *g, marks *m)
{
    m->chunks = vv_grid_chunks(g);
    m->from = m->chunks / 64 + 1;
    return vv_new(&m->bit, (size_t)m->chunks / 64 + 1, sizeof *m->bit);
}

static vv_status make_ledger(const vv_feeds *f, ledger *l)
{
    *l = (ledger){.feeds = f, .plan = f->plan};
    VV_TRY(vv_new(&l->source, (size_t)n_feeds(f->plan) + 1, sizeof *l->source));
    for (int i = 0; i < f->plan->n_sources; i++)
        if (vv_feed_indexed(&f->plan->source[i])) VV_TRY(make_marks(&f->plan->source[i].stored, &l->source[i]));
    for (int i = 0; i < f->plan->n_steps; i++)
        if (vv_feed_places_told(f->plan, i))
            VV_TRY(make_marks(&f->plan->step[i].grid, &l->source[f->plan->n_sources + f->plan->step[i].told_to]));
    return VV_OK;
}

static void free_ledger(ledger *l)
{
    for (int i = 0; l->source && i < n_feeds(l->plan); i++) free(l->source[i].bit);
    free(l->source);
}

vv_status vv_feeds_send(const vv_feeds *f, vv_net *net)
{
    const vv_plan *p = f->plan;
    ledger l;
    want **wants = NULL;
    if (net->size == 1 || !vv_feed_index_due(p)) return VV_OK;
    vv_status status = make_ledger(f, &l);
    if (status == VV_OK) status = vv_new(&wants, (size_t)p->n_steps + 1, sizeof *wants);
    for (int i = 0; i < p->n_steps && status == VV_OK; i++) {
        if (!vv_step_computes(&p->step[i])) continue;
        status = vv_new(&wants[i], 1, sizeof **wants);
        if (status == VV_OK) status = make_want(&l, i, wants[i]);
    }
    for (int rank = 1; rank < net->size && status == VV_OK; rank++) status = send_to(&l, net, rank, wants);
    for (int i = 0; wants && i < p->n_steps; i++) free_want(&wants[i]);
    free(wants);
    free_ledger(&l);
    return status;
}

/* --- receiving --- */

static vv_status damaged(void)
{
    return vv_fail(VV_ERR_INTERNAL, "a damaged chunk index");
}

/* Takes one section at *at; moves behind it. */
static vv_status take_section(vv_feeds *f, char **at, vv_bytes left)
{
    section s;
    if (left < (vv_bytes)sizeof s) return damaged();
    memcpy(&s, *at, sizeof s);
    if (s.source < 0 || s.source >= n_feeds(f->plan) || s.n_stretches < 0 || s.n_entries < 0 || s.n_stretches > left ||
        s.n_entries > left || section_bytes(&s) > left)
        return damaged();
    vv_feed *feed = feed_of(f, (int)s.source);
    feed->n_stretches = s.n_stretches;
    feed->stretch = (vv_stretch *)(void *)(*at + sizeof s);
    feed->chunk = (const vv_chunk_at *)(const void *)(feed->stretch + s.n_stretches + 1);
    *at += section_bytes(&s);
    return VV_OK;
}

vv_status vv_feeds_receive(vv_feeds *f, vv_message *m)
{
    if (f->message || f->due == 0) return vv_fail(VV_ERR_INTERNAL, "a chunk index that nobody waits for");
    f->message = m->data;
    m->data = NULL;
    char *at = f->message, *end = at + m->size;
    while (at < end) VV_TRY(take_section(f, &at, end - at));
    f->due = 0;
    return VV_OK;
}

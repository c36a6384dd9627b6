#include "plan/fit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The reason of a choice; one more is appended, unless it was given before: a thousand files often have one reason. */
static vv_status VV_PRINTF(2, 3) note(vv_step *s, const char *format, ...)
{
    char text[200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (s->why && strstr(s->why, text)) return VV_OK;
    vv_buf b = {0};
    if (s->why) vv_buf_printf(&b, "%s; ", s->why);
    vv_buf_text(&b, text);
    VV_TRY(vv_buf_status(&b));
    free(s->why);
    s->why = b.data;
    return VV_OK;
}

/* Peak with the least store; or without spilling, which takes some memory itself, when that is less. */
static vv_status least_peak(vv_plan *p, vv_bytes baseline, vv_bytes *peak)
{
    vv_memory m;
    p->store = VV_INDEX_MAX;
    VV_TRY(vv_memory_of(p, &m));
    *peak = vv_memory_peak(&m, m.inboxes, baseline);
    p->store = 0;
    VV_TRY(vv_memory_of(p, &m));
    *peak = vv_imin(*peak, vv_memory_peak(&m, m.least, baseline));
    return VV_OK;
}

static bool grouped(const vv_step *s)
{
    return s->op == VV_STEP_REDUCE && s->groups.dim >= 0;
}

/* --- groups --- */

/* States of groups take so much where it costs nothing, and chunks are read so often then. */
enum { COMFORT = 160 << 20 };
static const double NEARLY_ONCE = 1.05;

/* The groups that occur in each work chunk along the groups' dimension, ascending. */
typedef struct occurrence {
    vv_index chunks, *first, *group;
} occurrence;

static int ascending(const void *a, const void *b)
{
    vv_index x = *(const vv_index *)a, y = *(const vv_index *)b;
    return (x > y) - (x < y);
}

static void occurrence_free(occurrence *o)
{
    free(o->first);
    free(o->group);
}

static vv_status occurrence_of(const vv_step *s, occurrence *o)
{
    const vv_groups *g = &s->groups;
    *o = (occurrence){.chunks = vv_grid_count(&s->work, g->dim)};
    VV_TRY(vv_new(&o->first, (size_t)o->chunks + 1, sizeof *o->first));
    vv_status status = vv_new(&o->group, (size_t)g->label->n + 1, sizeof *o->group);
    vv_index n = 0;
    for (vv_index c = 0; c < o->chunks && status == VV_OK; c++) {
        vv_index from = n, end = vv_grid_end(&s->work, g->dim, c);
        for (vv_index i = vv_grid_begin(&s->work, g->dim, c); i < end; i++)
            if (g->label->at[i] >= 0) o->group[n++] = g->label->at[i];
        qsort(o->group + from, (size_t)(n - from), sizeof *o->group, ascending);
        vv_index kept = from;
        for (vv_index i = from; i < n; i++)
            if (i == from || o->group[i] != o->group[kept - 1]) o->group[kept++] = o->group[i];
        n = kept;
        o->first[c + 1] = n;
    }
    if (status != VV_OK) occurrence_free(o);
    return status;
}

/* Visits of chunks over chunks visited. */
static double amplification(const occurrence *o, vv_index chunk)
{
    vv_index visits = 0, visited = 0;
    for (vv_index c = 0; c < o->chunks; c++) {
        vv_index last = -1;
        for (vv_index i = o->first[c]; i < o->first[c + 1]; i++) {
            vv_index block = o->group[i] / chunk;
            visits += block != last;
            last = block;
        }
        visited += o->first[c + 1] > o->first[c];
    }
    return visited ? (double)visits / (double)visited : 1;
}

vv_status vv_fit_amplification(const vv_step *s, vv_index chunk, double *out)
{
    occurrence o;
    VV_TRY(occurrence_of(s, &o));
    *out = amplification(&o, chunk);
    occurrence_free(&o);
    return VV_OK;
}

static vv_status set_groups(vv_step *s, vv_index chunk)
{
    if (s->groups.chunk == chunk && s->groups.first) return VV_OK;
    s->groups.chunk = chunk;
    return vv_step_complete(s);
}

/* Deliver steps have the grids of what they deliver. */
static void follow_grids(vv_plan *p)
{
    for (int i = 0; i < p->n_steps; i++)
        if (vv_step_delivers(&p->step[i])) p->step[i].grid = p->step[p->step[i].from].grid;
}

static vv_status peak_with(vv_plan *p, int step, vv_index chunk, vv_bytes baseline, vv_bytes *peak)
{
    VV_TRY(set_groups(&p->step[step], chunk));
    follow_grids(p);
    return least_peak(p, baseline, peak);
}

/* Candidates at and below `most`: multiples of small numbers, since groups often come in such rows, and equal parts. */
static vv_index least_amplified(const occurrence *o, vv_index n, vv_index most, double *out)
{
    enum { TRIED = 48 };
    vv_index best = most;
    *out = amplification(o, most);
    for (vv_index k = 2; k<2 * TRIED && * out> 1; k++) {
        vv_index c = k < TRIED ? most - most % k : vv_ceil_div(n, vv_ceil_div(n, most) + k - TRIED);
        if (c < 1 || c > most) continue;
        double a = amplification(o, c);
        if (a < *out || (a == *out && c > best)) {
            *out = a;
            best = c;
        }
    }
    return best;
}

/* About the largest number of groups whose memory stays under `limit`. Memory grows nearly in proportion to them, so a few looks are enough; each takes
 * a while where the groups' dimension is long. at_one: the peak with one group. */
static vv_status largest_groups(vv_plan *p, int step, vv_bytes limit, vv_bytes at_one, vv_bytes baseline, vv_index *out)
{
    enum { LOOKS = 6 };
    vv_index low = 1, high = p->step[step].groups.n + 1; /* low fits */
    vv_bytes low_peak = at_one, peak;
    double each = 0; /* bytes of a group, as far as is known */
    for (int look = 0; look < LOOKS && high - low > 1; look++) {
        vv_index guess = each > 0 ? low + (vv_index)((double)(limit - low_peak) / each) : 2 * low;
        guess = vv_imax(low + 1, vv_imin(guess, high - 1));
        VV_TRY(peak_with(p, step, guess, baseline, &peak));
        each = (double)(peak - at_one) / (double)(guess - 1);
        if (peak > limit) {
            high = guess;
            continue;
        }
        low = guess;
        low_peak = peak;
        if (each > 0 && (double)(limit - peak) < each * (1 + 0.05 * (double)low)) break; /* little more would fit */
    }
    *out = low;
    return VV_OK;
}

static vv_status choose_groups(vv_plan *p, int step, vv_bytes least, vv_bytes limit, vv_bytes baseline)
{
    vv_step *s = &p->step[step];
    vv_index n = s->groups.n, most, chunk;
    double read = 1;
    VV_TRY(largest_groups(p, step, limit, least, baseline, &most));
    chunk = most;
    if (most < n) {
        occurrence o;
        VV_TRY(occurrence_of(s, &o));
        chunk = least_amplified(&o, n, most, &read);
        vv_bytes peak;
        vv_status status = peak_with(p, step, chunk, baseline, &peak);
        if (status == VV_OK && peak > limit) { /* fewer groups, but more inboxes */
            chunk = most;
            read = amplification(&o, most);
        }
        occurrence_free(&o);
        VV_TRY(status);
        VV_TRY(note(s, "%lld of %lld groups at a time, so that their states fit; %.2f reads of a chunk",
                    (long long)chunk, (long long)n, read));
    }
    VV_TRY(set_groups(s, chunk));
    follow_grids(p);
    return VV_OK;
}

static vv_status all_groups(vv_plan *p, bool one)
{
    for (int i = 0; i < p->n_steps; i++)
        if (grouped(&p->step[i])) VV_TRY(set_groups(&p->step[i], one ? 1 : p->step[i].groups.n));
    follow_grids(p);
    return VV_OK;
}

/* A step whose groups follow each other in its input, as the days of a resampling do, reads nothing again with fewer of them at a time: then it takes no more
 * memory than that, however much there is. */
static vv_status spare_groups(vv_plan *p, int step, vv_bytes least, vv_bytes limit, vv_bytes baseline)
{
    vv_step *s = &p->step[step];
    double read;
    char *why = s->why;
    s->why = NULL;
    vv_status status = choose_groups(p, step, least, limit, baseline);
    if (status == VV_OK) status = vv_fit_amplification(s, s->groups.chunk, &read);
    free(s->why);
    s->why = why;
    if (status != VV_OK || read <= NEARLY_ONCE) return status;
    VV_TRY(set_groups(s, s->groups.n));
    follow_grids(p);
    return VV_OK;
}

static vv_status spare_memory(vv_plan *p, int n, vv_bytes baseline)
{
    vv_bytes least;
    VV_TRY(all_groups(p, true));
    VV_TRY(least_peak(p, baseline, &least));
    VV_TRY(all_groups(p, false));
    for (int i = 0; i < p->n_steps; i++)
        if (grouped(&p->step[i])) VV_TRY(spare_groups(p, i, least, least + COMFORT / n, baseline));
    return VV_OK;
}

/* All groups of all steps when they fit; else every step gets an equal share of the room. */
static vv_status fit_groups(vv_plan *p, vv_bytes least, vv_bytes room, vv_bytes baseline)
{
    vv_bytes peak;
    int n = 0;
    for (int i = 0; i < p->n_steps; i++) n += grouped(&p->step[i]);
    if (n == 0) return VV_OK;
    VV_TRY(all_groups(p, false));
    VV_TRY(least_peak(p, baseline, &peak));
    if (peak <= least + room) return peak <= least + COMFORT ? VV_OK : spare_memory(p, n, baseline);
    VV_TRY(all_groups(p, true));
    for (int i = 0; i < p->n_steps; i++) {
        if (!grouped(&p->step[i])) continue;
        vv_bytes limit = least + room / n;
        VV_TRY(choose_groups(p, i, least, limit, baseline));
        VV_TRY(least_peak(p, baseline, &least));
    }
    return VV_OK;
}

/* --- held or read again --- */

static bool reads_from(const vv_input *in, int read)
{
    for (int j = 0; j < in->n_parts; j++)
        if (in->part[j].from == read) return true;
    return false;
}

/* By step: the steps that use what it makes, ascending: user[first[i] .. first[i + 1]). */
typedef struct users {
    int *first, *user;
} users;

static void users_free(users *u)
{
    free(u->first);
    free(u->user);
    *u = (users){NULL, NULL};
}

/* Calls of a step on one before, each once. In the first pass they are counted, in the second one noted. */
static void note_users(const vv_plan *p, users *u, int *last, bool counting)
{
    for (int i = 0; i < p->n_steps; i++) last[i] = -1;
    for (int i = 0; i < p->n_steps; i++)
        for (int k = 0; k < p->step[i].n_inputs; k++)
            for (int j = 0; j < p->step[i].input[k].n_parts; j++) {
                int from = p->step[i].input[k].part[j].from;
                if (last[from] == i) continue;
                last[from] = i;
                if (counting)
                    u->first[from + 2]++;
                else
                    u->user[u->first[from + 1]++] = i;
            }
}

static vv_status users_of(const vv_plan *p, users *u)
{
    int *last;
    *u = (users){NULL, NULL};
    VV_TRY(vv_new(&last, (size_t)p->n_steps, sizeof *last));
    vv_status status = vv_new(&u->first, (size_t)p->n_steps + 2, sizeof *u->first);
    if (status == VV_OK) {
        note_users(p, u, last, true);
        for (int i = 0; i < p->n_steps; i++) u->first[i + 2] += u->first[i + 1];
        status = vv_new(&u->user, (size_t)u->first[p->n_steps + 1] + 1, sizeof *u->user);
    }
    if (status == VV_OK) note_users(p, u, last, false);
    free(last);
    if (status != VV_OK) users_free(u);
    return status;
}

/* Whether step `late` needs, over any number of steps, a result of `early`. */
static bool depends(const vv_plan *p, int late, int early)
{
    for (int k = 0; k < p->step[late].n_inputs; k++)
        for (int j = 0; j < p->step[late].input[k].n_parts; j++) {
            int from = p->step[late].input[k].part[j].from;
            if (from == early || (from > early && depends(p, from, early))) return true;
        }
    return false;
}

/* A step that uses what is read a second time, because it waits for a result of another one that does. -1: none. */
static int second_use(const vv_plan *p, const users *u, int read)
{
    for (int late = u->first[read]; late < u->first[read + 1]; late++)
        for (int early = u->first[read]; early < late; early++)
            if (depends(p, u->user[late], u->user[early])) return u->user[late];
    return -1;
}

/* Every use can take its elements from an inbox as well: *type gets the one type that all of them want. */
static bool can_be_held(const vv_plan *p, int read, vv_dtype *type)
{
    *type = VV_NONE;
    for (int i = read + 1; i < p->n_steps; i++)
        for (int k = 0; k < p->step[i].n_inputs; k++) {
            const vv_input *in = &p->step[i].input[k];
            if (!reads_from(in, read)) continue;
            if (in->n_parts != 1 || in->lookup || in->access == VV_ACCESS_STREAM) return false;
            if (*type != VV_NONE && *type != in->type) return false;
            *type = in->type;
        }
    return *type != VV_NONE;
}

static void set_access(vv_plan *p, int read, vv_access *saved, bool restore)
{
    int n = 0;
    for (int i = read + 1; i < p->n_steps; i++)
        for (int k = 0; k < p->step[i].n_inputs; k++) {
            vv_input *in = &p->step[i].input[k];
            if (!reads_from(in, read)) continue;
            if (!restore) saved[n] = in->access;
            in->access = restore ? saved[n] : VV_ACCESS_PUSH;
            n++;
        }
}

static int count_inputs(const vv_plan *p)
{
    int n = 0;
    for (int i = 0; i < p->n_steps; i++) n += p->step[i].n_inputs;
    return n;
}

/* Moves the step added last to `at`; everybody behind it gets a new number. */
static void move_last(vv_plan *p, int at)
{
    vv_step last = p->step[p->n_steps - 1];
    memmove(&p->step[at + 1], &p->step[at], sizeof *p->step * (size_t)(p->n_steps - 1 - at));
    p->step[at] = last;
    for (int i = 0; i < p->n_steps; i++) {
        vv_step *s = &p->step[i];
        if (i == at) continue;
        if (vv_step_delivers(s) && s->from >= at) s->from++;
        for (int k = 0; k < s->n_inputs; k++)
            for (int j = 0; j < s->input[k].n_parts; j++)
                if (s->input[k].part[j].from >= at) s->input[k].part[j].from++;
    }
}

static vv_status fill_load(const vv_plan *p, int read, vv_dtype type, vv_step *s)
{
    const vv_source *source = &p->source[p->step[read].source];
    vv_input *in;
    vv_part part;
    int reg;
    s->work = source->stored;
    s->placement = VV_PLACE_OUTPUTS;
    s->n_results = 1;
    s->result[0].type = type;
    VV_TRY(vv_strdup(&s->result[0].name, source->variable));
    VV_TRY(vv_new(&s->program, 1, sizeof *s->program));
    VV_TRY(vv_program_input(s->program, vv_working_type(type), &reg));
    vv_program_set_output(s->program, reg);
    VV_TRY(vv_step_add_input(s, &in));
    in->type = type;
    in->access = VV_ACCESS_CHUNK;
    vv_part_same(&source->stored.shape, &part);
    part.from = read;
    VV_TRY(vv_input_add_part(in, &part));
    return vv_step_complete(s);
}

/* A map step that reads and inflates, and hands the elements to everybody who read them before. */
static vv_status insert_load(vv_plan *p, int read, vv_dtype type)
{
    vv_step *s;
    VV_TRY(vv_plan_add_step(p, VV_STEP_MAP, p->step[read].name, &s));
    vv_status status = fill_load(p, read, type, s);
    move_last(p, read + 1);
    for (int i = read + 2; i < p->n_steps; i++)
        for (int k = 0; k < p->step[i].n_inputs; k++)
            if (reads_from(&p->step[i].input[k], read)) {
                p->step[i].input[k].part[0].from = read + 1;
                p->step[i].input[k].part[0].result = 0;
            }
    return status;
}

static vv_status hold(vv_plan *p, int read, int late, vv_dtype type, vv_bytes free_bytes, vv_bytes baseline)
{
    vv_memory before, after;
    vv_access *saved;
    char need[32], have[32];
    VV_TRY(vv_new(&saved, (size_t)count_inputs(p), sizeof *saved));
    p->store = VV_INDEX_MAX;
    vv_status status = vv_memory_of(p, &before);
    vv_bytes peak = 0;
    if (status == VV_OK) {
        set_access(p, read, saved, false);
        status = vv_memory_of(p, &after);
    }
    if (status == VV_OK) status = least_peak(p, baseline, &peak);
    vv_bytes bytes = status == VV_OK ? after.held - before.held : 0;
    bool fits = status == VV_OK && bytes <= free_bytes / 2 && (!p->budget || peak <= p->budget);
    if (status == VV_OK && !fits) {
        set_access(p, read, saved, true);
        status = note(&p->step[late],
                      "read again: holding it would take %s per rank, and half of what is free is %s; scratch "
                      "files take as long as inflating it again",
                      vv_bytes_text(bytes, need), vv_bytes_text(vv_imax(0, free_bytes / 2), have));
    }
    free(saved);
    if (!fits) return status;
    VV_TRY(insert_load(p, read, type));
    return note(&p->step[read + 1], "held: read once for %s, %s per rank", p->step[late + 1].name,
                vv_bytes_text(bytes, need));
}

static vv_status fit_second_read(vv_plan *p, int read, int late, vv_bytes baseline)
{
    const vv_source *source = &p->source[p->step[read].source];
    vv_dtype type;
    vv_bytes peak;
    if (source->held) return VV_OK;
    if (!source->raw || !source->chunked || !source->compressed)
        return note(&p->step[late], "read again: reading %s costs less than holding it", source->variable);
    if (!can_be_held(p, read, &type)) return note(&p->step[late], "read again: its parts come from several arrays");
    VV_TRY(least_peak(p, baseline, &peak));
    return hold(p, read, late, type, p->budget ? p->budget - peak : VV_INDEX_MAX, baseline);
}

/* Steps that have nothing to do with each other, and fold or cut the same in other ways: a mean, means by month, means of maps. A load that hands chunks to all of them was measured: its
 * inboxes go to the scratch file or to other ranks, which takes as long as inflating again, on two ranks longer. */
static vv_status explain_other_use(vv_plan *p, const int user[])
{
    const vv_step *first = &p->step[user[0]];
    if (!vv_step_computes(first) || !vv_step_computes(&p->step[user[1]]) || vv_step_streams(first)) return VV_OK;
    return note(&p->step[user[1]], "read again: folded or cut in another way than by the first of those that read it");
}

static vv_status fit_second_reads(vv_plan *p, vv_bytes baseline)
{
    users u;
    VV_TRY(users_of(p, &u));
    vv_status status = VV_OK;
    for (int read = 0; read < p->n_steps && status == VV_OK; read++) {
        int late = p->step[read].op == VV_STEP_READ ? second_use(p, &u, read) : -1, before = p->n_steps;
        if (late >= 0)
            status = fit_second_read(p, read, late, baseline);
        else if (p->step[read].op == VV_STEP_READ && u.first[read + 1] - u.first[read] > 1)
            status = explain_other_use(p, &u.user[u.first[read]]);
        if (p->n_steps == before || status != VV_OK) continue;
        users_free(&u); /* a step was inserted */
        status = users_of(p, &u);
    }
    users_free(&u);
    return status;
}

/* --- the store, and all together --- */

/* Inboxes that fill and empty as the work goes on need no more room than what is open at once, and some to breathe: a full store makes the engine use up
 * what is there before it makes more. So memory stays what was foretold even where the budget would allow ten times as much. */
static vv_bytes enough_store(const vv_plan *p, const vv_memory *m)
{
    enum { BREATH = 2 << 20 };
    return m->held + (p->threads - 1) * m->largest + BREATH;
}

/* The largest store that takes no more than `room` together with its share for spilling. */
static vv_bytes store_in(vv_bytes room)
{
    return vv_imax(room / (VV_SPILL_SHARE + 1) * VV_SPILL_SHARE, room - VV_SPILL_MOST);
}

vv_status vv_fit_store(vv_plan *p, vv_bytes baseline)
{
    enum { LITTLE = 8 << 20 };
    vv_memory m;
    vv_bytes least;
    VV_TRY(least_peak(p, baseline, &least));
    p->store = VV_INDEX_MAX;
    VV_TRY(vv_memory_of(p, &m));
    vv_bytes enough = enough_store(p, &m), all = vv_memory_peak(&m, m.inboxes, baseline);
    bool little_more = m.inboxes <= enough + m.held / 4 + 3 * p->threads * m.largest + LITTLE;
    if (all <= least || (little_more && (!p->budget || all <= p->budget))) return VV_OK;
    p->store = 0;
    VV_TRY(vv_memory_of(p, &m));
    vv_bytes room = enough;
    if (p->budget) room = store_in(p->budget - vv_memory_peak(&m, 0, baseline));
    p->store = vv_imax(m.least, vv_imin(enough, room));
    return VV_OK;
}

static bool any_waits(const vv_plan *p)
{
    for (int i = 0; i < p->n_steps; i++)
        if (vv_step_waits(&p->step[i])) return true;
    return false;
}

static vv_status note_single_groups(vv_plan *p)
{
    for (int i = 0; i < p->n_steps; i++)
        if (grouped(&p->step[i]) && p->step[i].groups.n > 1)
            VV_TRY(note(&p->step[i], "1 of %lld groups at a time: the budget is that small",
                        (long long)p->step[i].groups.n));
    return VV_OK;
}

vv_status vv_fit_least(vv_plan *p, vv_bytes baseline, vv_bytes *peak)
{
    VV_TRY(all_groups(p, true));
    return least_peak(p, baseline, peak);
}

vv_status vv_fit(vv_plan *p, vv_bytes baseline)
{
    vv_bytes least;
    VV_TRY(all_groups(p, true));
    VV_TRY(least_peak(p, baseline, &least));
    vv_bytes room = p->budget ? p->budget - least : VV_INDEX_MAX / 4;
    if (room > 0)
        VV_TRY(fit_groups(p, least, any_waits(p) ? room / 2 : room / 10 * 9, baseline));
    else
        VV_TRY(note_single_groups(p));
    VV_TRY(fit_second_reads(p, baseline));
    return vv_fit_store(p, baseline);
}

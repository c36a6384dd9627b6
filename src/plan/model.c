#include "plan/model.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define VV_MACHINE_RATE(name, value, help) {#name, help, offsetof(vv_machine, name), value},
const vv_machine_rate vv_machine_rates[] = {VV_MACHINE_LIST(VV_MACHINE_RATE)};
#undef VV_MACHINE_RATE
const int vv_n_machine_rates = sizeof vv_machine_rates / sizeof *vv_machine_rates;

/* --- the machine's file: one flat JSON object of numbers --- */

static double *rate(vv_machine *m, int i)
{
    return (double *)(void *)((char *)m + vv_machine_rates[i].offset);
}

void vv_machine_usual(vv_machine *out)
{
    for (int i = 0; i < vv_n_machine_rates; i++) *rate(out, i) = vv_machine_rates[i].usual;
}

char *vv_machine_path(void)
{
    const char *path = getenv("VARVE_MACHINE"), *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    vv_buf b = {0};
    if (path && *path)
        vv_buf_text(&b, path);
    else if (config && *config)
        vv_buf_printf(&b, "%s/varve/machine.json", config);
    else if (home && *home)
        vv_buf_printf(&b, "%s/.config/varve/machine.json", home);
    if (vv_buf_status(&b) != VV_OK) vv_buf_free(&b);
    return b.data;
}

static vv_status read_text(const char *path, vv_buf *b, bool *found)
{
    char piece[4096];
    size_t n;
    FILE *f = fopen(path, "r");
    *found = f != NULL;
    if (!f && errno == ENOENT) return VV_OK;
    if (!f) return vv_fail(VV_ERR_READ, "%s: %s", path, strerror(errno));
    while ((n = fread(piece, 1, sizeof piece, f)) > 0) vv_buf_bytes(b, piece, n);
    bool bad = ferror(f) != 0;
    fclose(f);
    if (bad) return vv_fail(VV_ERR_READ, "%s: cannot be read", path);
    return vv_buf_status(b);
}

/* The number behind "name": in a text; a name that is not there leaves *out alone. */
static vv_status find_rate(const char *path, const char *text, const char *name, double *out)
{
    char key[64];
    snprintf(key, sizeof key, "\"%s\"", name);
    const char *at = strstr(text, key);
    if (!at) return VV_OK;
    at += strlen(key);
    at += strspn(at, " \t\r\n");
    char *end = NULL;
    double value = *at == ':' ? strtod(at + 1, &end) : 0;
    if (!end || end == at + 1 || !isfinite(value) || value <= 0)
        return vv_fail(VV_ERR_FORMAT, "%s: '%s' is not a positive number; measure again with: varve bench machine",
                       path, name);
    *out = value;
    return VV_OK;
}

static vv_status load_from(const char *path, vv_machine *out, bool *found)
{
    vv_buf b = {0};
    vv_status status = read_text(path, &b, found);
    vv_buf_text(&b, "");
    for (int i = 0; i < vv_n_machine_rates && *found && status == VV_OK; i++)
        status = find_rate(path, b.data, vv_machine_rates[i].name, rate(out, i));
    vv_buf_free(&b);
    return status;
}

vv_status vv_machine_load(const char *path, vv_machine *out, bool *measured)
{
    vv_machine_usual(out);
    *measured = false;
    if (path) {
        VV_TRY(load_from(path, out, measured));
        return *measured ? VV_OK : vv_fail(VV_ERR_NOT_FOUND, "%s: %s", path, strerror(ENOENT));
    }
    char *usual = vv_machine_path();
    vv_status status = usual ? load_from(usual, out, measured) : VV_OK;
    free(usual);
    return status;
}

/* The folders above a file. */
static void make_folders(const char *path)
{
    char *copy = strdup(path);
    for (char *at = copy ? strchr(copy + 1, '/') : NULL; at; at = strchr(at + 1, '/')) {
        *at = 0;
        (void)mkdir(copy, 0777); /* whatever is wrong shows when the file is opened */
        *at = '/';
    }
    free(copy);
}

vv_status vv_machine_save(const char *path, const vv_machine *m)
{
    make_folders(path);
    FILE *f = fopen(path, "w");
    if (!f) return vv_fail(VV_ERR_WRITE, "%s: %s", path, strerror(errno));
    vv_machine copy = *m;
    fputs("{\n", f);
    for (int i = 0; i < vv_n_machine_rates; i++)
        fprintf(f, "  \"%s\": %.6g%s\n", vv_machine_rates[i].name, *rate(&copy, i),
                i + 1 < vv_n_machine_rates ? "," : "");
    fputs("}\n", f);
    bool bad = ferror(f) != 0;
    bad = fclose(f) != 0 || bad;
    return bad ? vv_fail(VV_ERR_WRITE, "%s: cannot be written", path) : VV_OK;
}

/* --- seconds of a rank --- */

/* Elements of a step that are made, not read. */
static bool generates(const vv_plan *p, const vv_step *s)
{
    for (int k = 0; k < s->n_inputs; k++)
        for (int j = 0; j < s->input[k].n_parts; j++) {
            const vv_source *source = vv_part_stored(p, &s->input[k].part[j]);
            if (source && source->generated) return true;
        }
    return false;
}

/* What nobody knows before the run, but everybody has to guess. */
typedef struct guesses {
    double packed;  /* what compressing leaves of an output: as much as of the inputs */
    double spilled; /* the part of what goes into inboxes for which there is no memory */
    double held;    /* bytes of inboxes that are there at once */
    double fresh;   /* the part of what goes into inboxes whose memory has not been used before */
    double file;    /* bytes per second of a rank into a file that others of its machine write too */
    double load;    /* a processor's second takes as long */
} guesses;

static double packed_part(const vv_plan *p)
{
    const double usual = 0.5;
    double stored = 0, raw = 0;
    for (int i = 0; i < p->n_sources; i++) {
        const vv_source *s = &p->source[i];
        if (!s->compressed || s->generated || s->held) continue;
        stored += (double)s->total;
        raw += (double)vv_shape_elements(&s->stored.shape) * (double)vv_dtype_size(s->decode.stored);
    }
    return raw > 0 ? stored / raw : usual;
}

static int ranks_of_machine(const vv_plan *p, const vv_elsewhere *e)
{
    int nodes = e->nodes > 0 ? e->nodes : 1, first = 0;
    if (!p->node) return (int)vv_ceil_div(p->ranks, nodes);
    while (first < p->ranks && p->node[first] == p->node[0]) first++;
    return first;
}

static vv_status guess(const vv_plan *p, const vv_machine *machine, const vv_elsewhere *e, guesses *out)
{
    vv_memory m;
    *out = (guesses){.packed = packed_part(p), .load = fmax(1, e->load)};
    out->file = machine->file / ranks_of_machine(p, e);
    VV_TRY(vv_memory_of(p, &m));
    if (vv_plan_spills(p) && m.held > p->store) out->spilled = (double)(m.held - p->store) / (double)m.held;
    out->held = (double)vv_imin(m.held, p->store);
    return VV_OK;
}

/* For one value. */
static double program_seconds(const vv_program *p, const vv_machine *m)
{
    double seconds = 0;
    for (int i = 0; i < p->n; i++)
        seconds += 1 / (p->code[i].op >= 0 && vv_op_is_smooth(p->code[i].op) ? m->function : m->operation);
    return seconds;
}

/* Multiplications of a piece: as if all of it were multiplied with a matrix as wide as itself. */
static double tile_work(const vv_step *s)
{
    double n = 1;
    for (int d = 0; d < s->tile.first; d++) n *= (double)vv_imin(s->work.chunk[d], vv_imax(1, s->work.shape.n[d]));
    int last = s->tile.first - 1;
    return last < 0 ? n : n * (double)vv_imin(s->work.chunk[last], vv_imax(1, s->work.shape.n[last]));
}

/* A unit's partial results, which begin empty: with groups they may be as large as what is folded into them. */
static double state_bytes(const vv_step *s)
{
    vv_index cells = 1, groups = 1;
    if (s->op != VV_STEP_REDUCE) return 0;
    if (s->groups.dim >= 0) groups = vv_imin(s->groups.chunk, s->groups.n);
    for (int d = 0; d < s->grid.shape.nd; d++) cells *= vv_imin(s->grid.chunk[d], vv_imax(1, s->grid.shape.n[d]));
    return (double)groups * (double)vv_state_bytes(s, cells / vv_step_length(s) / groups);
}

/* How often an operation on blocks goes over its elements: those of groups with windows have each in several groups, and every quantile is looked for anew once they are put in order for that. */
static double block_passes(const vv_block_call *c)
{
    if (c->groups < 1 || c->extent < 1) return 1;
    double members = (double)(c->n_weights - c->first - c->groups - 1) / (double)c->extent;
    return members * (1 + (double)vv_imax(1, c->first)) / 2;
}

/* Multiplications and additions: m x n x k for every triple of chunks is what the work space has as elements. */
static double compute_seconds(const vv_plan *p, const guesses *g, const vv_step *s, const vv_tally *t,
                              const vv_machine *m)
{
    double elements = (double)t->elements, seconds = (double)t->inflated / m->inflate;
    seconds += (double)t->stored / m->chunks + (double)t->tasks / m->tasks + (double)t->deflated / m->deflate;
    seconds += (double)t->pushed * (1 / m->inbox + g->fresh / m->pages) +
               ((double)t->packed + (double)t->tasks * state_bytes(s)) / m->copy;
    if (generates(p, s)) seconds += elements / m->random;
    if (s->product)
        return seconds + 2 * elements / m->flops * (double)vv_dtype_size(vv_working_type(s->input[0].type)) / 8;
    if (s->tiled) return seconds + 2 * tile_work(s) * (double)t->tasks / m->flops;
    if (s->block) return seconds + elements * block_passes(&s->call) / m->window;
    if (s->program) seconds += elements * program_seconds(s->program, m);
    return seconds + (double)t->values * s->n_results / m->fold;
}

/* What goes through the scratch directory: it is written, and read again. */
static double aside_seconds(double bytes, double disk_read, double disk_write)
{
    return bytes > 0 ? bytes / disk_write + bytes / disk_read : 0;
}

static void step_seconds(const vv_plan *p, const guesses *g, int i, const vv_tally *t, const vv_machine *m,
                         const vv_elsewhere *e, vv_seconds *out)
{
    const vv_step *s = &p->step[i];
    bool packed = s->op == VV_STEP_WRITE && (s->to.deflate > 0 || s->to.zstd > 0);
    double disk_read = e->disk > 0 ? e->disk : m->read * p->threads / g->load;
    double disk_write = e->disk > 0 ? e->disk : fmin(m->write / g->load, g->file);
    double network = e->network > 0 ? e->network : m->network / g->load;
    double latency = e->latency > 0 ? e->latency : g->load / m->messages;
    *out = (vv_seconds){0};
    if (s->op == VV_STEP_READ) return; /* counted where it is read */
    /* Computed data stands for files on a machine whose disk is told. */
    out->read = (double)(t->read - (e->disk > 0 ? 0 : t->computed)) / disk_read;
    double within = p->node ? (double)(t->moved - t->across) : 0;
    out->send = within / m->network * g->load + ((double)t->moved - within) / network + (double)t->messages * latency;
    double written = (double)t->written * (packed ? g->packed : 1);
    out->write = written / disk_write + aside_seconds((double)t->pushed * g->spilled, disk_read, disk_write);
    if (packed) out->write += aside_seconds(written - VV_PACKED_HELD, disk_read, disk_write);
    out->compute = vv_step_computes(s) ? compute_seconds(p, g, s, t, m) : (double)t->deflated / m->deflate;
    if (e->disk <= 0) out->compute += (double)t->made / m->element;
    out->compute *= g->load / p->threads;
}

/* What is the same for plans of any size. */
static void add_run_seconds(const vv_plan *p, const guesses *g, const vv_machine *m, vv_seconds *sum)
{
    if (p->output)
        sum->write += g->load / m->outputs;
    else if (p->ranks > 1)
        sum->send += g->load / m->plans;
}

/* --- all ranks, or some of them --- */

enum { SAMPLED = 32, UNITS = 2048, FEW_UNITS = 64, PIECES = 2000000 };

/* Along each dimension as many as both have ends. */
static vv_index pieces_of_part(const vv_plan *p, const vv_step *s, const vv_part *part)
{
    const vv_grid *from = &p->step[part->from].grid;
    vv_index n = 1;
    for (int d = 0; d < part->nd; d++) {
        vv_index chunks = vv_grid_count(from, d), boxes = part->dim[d] < 0 ? 1 : vv_grid_count(&s->work, part->dim[d]);
        n = vv_times(n, chunks == boxes ? chunks : chunks + boxes - 1);
    }
    return n;
}

vv_index vv_model_pieces(const vv_plan *p, const vv_step *s)
{
    vv_index n = 0;
    for (int k = 0; k < s->n_inputs; k++)
        for (int j = 0; s->input[k].access == VV_ACCESS_PUSH && j < s->input[k].n_parts; j++)
            n += pieces_of_part(p, s, &s->input[k].part[j]);
    return n;
}

/* Units of a step that are followed on each rank: fewer where their chunks go in many pieces. */
static vv_index units_followed(const vv_plan *p)
{
    vv_index pieces = 0, units = 0;
    for (int i = 0; i < p->n_steps; i++) {
        if (!vv_step_computes(&p->step[i])) continue;
        pieces += vv_model_pieces(p, &p->step[i]);
        units += vv_step_units(&p->step[i]);
    }
    if (pieces <= PIECES) return UNITS;
    return vv_imax(FEW_UNITS, vv_imin(UNITS, PIECES / SAMPLED / vv_imax(1, pieces / vv_imax(1, units))));
}

typedef struct sums {
    vv_seconds all;
    double messages, sent, across;
} sums;

static void add_seconds(vv_seconds *sum, const vv_seconds *s, double times)
{
    sum->read += s->read * times;
    sum->compute += s->compute * times;
    sum->send += s->send * times;
    sum->write += s->write * times;
}

/* Inboxes use the memory of earlier ones again: new is what is held at once. */
static double fresh_part(const vv_plan *p, const guesses *g, const vv_tally tally[])
{
    double pushed = 0;
    for (int i = 0; i < p->n_steps; i++) pushed += (double)tally[i].pushed;
    return pushed > g->held ? g->held / pushed : 1;
}

static void follow_rank(const vv_plan *p, guesses *g, const vv_tally tally[], const vv_machine *m,
                        const vv_elsewhere *e, sums *all, vv_model *out)
{
    sums mine = {0};
    vv_seconds s;
    g->fresh = fresh_part(p, g, tally);
    for (int i = 0; i < p->n_steps; i++) {
        step_seconds(p, g, i, &tally[i], m, e, &s);
        add_seconds(&mine.all, &s, 1);
        mine.messages += (double)tally[i].messages;
        mine.sent += (double)tally[i].moved;
        all->across += (double)tally[i].across;
    }
    add_run_seconds(p, g, m, &mine.all);
    add_seconds(&all->all, &mine.all, 1);
    all->messages += mine.messages;
    all->sent += mine.sent;
    out->messages_most = fmax(out->messages_most, mine.messages);
    out->sent_most = fmax(out->sent_most, mine.sent);
    if (out->sampled++ > 0 && vv_seconds_sum(&mine.all) <= vv_seconds_sum(&out->most)) return;
    out->most = mine.all;
    for (int i = 0; i < p->n_steps; i++) step_seconds(p, g, i, &tally[i], m, e, &out->step[i]);
}

static vv_status follow_ranks(const vv_plan *p, vv_counter *c, const vv_machine *m, const vv_elsewhere *e,
                              vv_model *out)
{
    vv_tally *tally;
    sums all = {0};
    guesses g;
    VV_TRY(guess(p, m, e, &g));
    int n = p->ranks < SAMPLED ? p->ranks : SAMPLED;
    vv_index units = units_followed(p);
    VV_TRY(vv_new(&tally, (size_t)p->n_steps + 1, sizeof *tally));
    vv_status status = VV_OK;
    for (int k = 0; k < n && status == VV_OK; k++) {
        int rank = n > 1 ? (int)((int64_t)k * (p->ranks - 1) / (n - 1)) : 0; /* the first and the last among them */
        memset(tally, 0, sizeof *tally * (size_t)p->n_steps);
        status = vv_tally_rank(c, rank, units, tally);
        if (status == VV_OK) follow_rank(p, &g, tally, m, e, &all, out);
    }
    free(tally);
    if (status != VV_OK) return status;
    add_seconds(&out->mean, &all.all, 1.0 / n);
    out->messages = all.messages / n;
    out->sent = all.sent / n;
    out->across = all.across / n;
    double mean = vv_seconds_sum(&out->mean);
    out->imbalance = mean > 0 ? vv_seconds_sum(&out->most) / mean : 1;
    return VV_OK;
}

vv_status vv_model_of(const vv_plan *p, const vv_chunk_at *const index[], const vv_machine *m, const vv_elsewhere *e,
                      vv_model *out)
{
    vv_plan there = *p; /* the same steps, on other ranks */
    vv_counter *c;
    if (e->ranks > 0) there.ranks = e->ranks;
    *out = (vv_model){.ranks = there.ranks};
    VV_TRY(vv_new(&out->step, (size_t)p->n_steps + 1, sizeof *out->step));
    vv_status status = vv_counter_new(&there, index, &c);
    if (status == VV_OK) {
        status = follow_ranks(&there, c, m, e, out);
        vv_counter_free(&c);
    }
    if (status != VV_OK) vv_model_free(out);
    return status;
}

void vv_model_free(vv_model *m)
{
    free(m->step);
    m->step = NULL;
}

/* Going on with a journal: what is in it, and its values. */
#include "exec/journal/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int by_node(const void *a, const void *b)
{
    const vv_saved *x = a, *y = b;
    if (x->step != y->step) return x->step < y->step ? -1 : 1;
    if (x->out != y->out) return x->out < y->out ? -1 : 1;
    if (x->level != y->level) return x->level < y->level ? -1 : 1;
    return x->i < y->i ? -1 : x->i > y->i;
}

static const vv_saved *node_at(const vv_plan *p, int step, vv_index out, vv_index level, vv_index i)
{
    vv_saved wanted = {.step = step, .out = out, .level = level, .i = i};
    return p->n_saved ? bsearch(&wanted, p->saved, (size_t)p->n_saved, sizeof wanted, by_node) : NULL;
}

/* The highest node at or above this one. */
static const vv_saved *cover(const vv_plan *p, int step, vv_index out, vv_index level, vv_index i)
{
    const vv_saved *best = NULL;
    int top = vv_tree_levels(vv_step_leaves(&p->step[step]));
    for (; level <= top; level++, i /= 2) {
        const vv_saved *found = node_at(p, step, out, level, i);
        if (found) best = found;
    }
    return best;
}

const vv_saved *vv_saved_find(const vv_plan *p, int step, vv_unit u)
{
    return p->n_saved ? cover(p, step, u.out, 0, u.leaf) : NULL;
}

const vv_saved *vv_saved_chunk(const vv_plan *p, int step, vv_index out)
{
    return node_at(p, step, out, 0, 0);
}

vv_status vv_journal_part(const char *directory, int run, char **out)
{
    char path[VV_JOURNAL_PATH];
    snprintf(path, sizeof path, "%s/%d.varve-part", directory, run);
    return vv_strdup(out, path);
}

bool vv_saved_has(const vv_plan *p, const vv_node_record *r)
{
    return node_at(p, r->step, r->out, r->level, r->i) != NULL;
}

bool vv_journal_whole(const char *directory, const vv_saved *record)
{
    enum { PIECE = 256 << 10 };
    char path[VV_JOURNAL_PATH], *room = malloc(PIECE);
    vv_checksum sum;
    vv_journal_path(directory, record->run, record->rank, vv_journal_kind(record->done), path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool there = room && fd >= 0;
    vv_checksum_begin(&sum);
    for (vv_bytes at = 0; there && at < record->size; at += PIECE) {
        vv_bytes some = vv_imin(PIECE, record->size - at);
        there = vv_journal_read_all(fd, room, some, record->at + at);
        if (there) vv_checksum_add(&sum, room, some);
    }
    if (fd >= 0) close(fd);
    free(room);
    return there && vv_checksum_end(&sum) == record->sum;
}

vv_status vv_saved_take(const vv_plan *p, const vv_saved *node, void *values)
{
    char path[VV_JOURNAL_PATH];
    vv_journal_path(p->journal, node->run, node->rank, vv_journal_kind(node->done), path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return vv_fail_errno(VV_ERR_READ, "cannot read the journal %s", path);
    bool good =
        vv_journal_read_all(fd, values, node->size, node->at) && vv_checksum_of(values, node->size) == node->sum;
    close(fd);
    if (good) return VV_OK;
    return vv_fail(VV_ERR_CORRUPT, "the journal %s is damaged: remove %s and begin anew", path, p->journal);
}

/* --- the coordinator's look at a directory --- */

typedef struct list {
    vv_index n, n_suspects;
    vv_saved *saved;
    vv_index *suspects; /* those whose values have to be verified */
    bool foreign;       /* some belong to no step */
} list;

static vv_status keep(list *l, const vv_saved *s)
{
    VV_TRY(vv_grow(&l->saved, l->n, sizeof *l->saved, "records of a journal"));
    l->saved[l->n++] = *s;
    return VV_OK;
}

static int step_of(const vv_plan *p, const uint64_t identity[], const vv_journal_head *h)
{
    for (int i = 0; i < p->n_steps; i++) {
        const vv_step *s = &p->step[i];
        if (identity[i] != h->identity) continue;
        if (s->op == VV_STEP_WRITE) return h->out >= 0 && h->out < vv_step_outs(&p->step[s->from]) ? i : -1;
        if (!vv_step_computes(s) || h->kind != VV_JOURNAL_VALUES) continue;
        bool fits = h->out >= 0 && h->out < vv_step_outs(s) && h->level >= 0 && h->i >= 0 &&
                    h->level <= vv_tree_levels(vv_step_leaves(s)) &&
                    h->i < vv_tree_nodes(vv_step_leaves(s), (int)h->level);
        return fits ? i : -1;
    }
    return -1;
}

static bool is_head(const vv_journal_head *h, vv_bytes left)
{
    return h->magic == VV_JOURNAL_MAGIC && h->own == vv_journal_head_sum(h) && h->size >= 0 &&
           (h->kind != VV_JOURNAL_VALUES || h->size <= left);
}

/* Of the records from `first` on, which are of one file. Chunks are many: those that were synced are only looked at when they are needed. */
static vv_status suspect(list *l, const vv_plan *p, vv_bytes synced, vv_index first)
{
    for (vv_index i = first; i < l->n; i++) {
        const vv_saved *s = &l->saved[i];
        bool chunk = p->step[s->step].op == VV_STEP_WRITE;
        if (s->placed || (chunk && s->at < synced)) continue;
        VV_TRY(vv_grow(&l->suspects, l->n_suspects, sizeof *l->suspects, "records of a journal"));
        l->suspects[l->n_suspects++] = i;
    }
    return VV_OK;
}

static vv_status look_into(int fd, const vv_saved *where, const vv_plan *p, const uint64_t identity[], list *l)
{
    struct stat s;
    vv_journal_head h;
    vv_bytes at = 0, synced = 0;
    vv_index first = l->n;
    if (fstat(fd, &s)) return VV_OK;
    while (at + (vv_bytes)sizeof h <= s.st_size && vv_journal_read_all(fd, &h, sizeof h, at) &&
           is_head(&h, s.st_size - at - (vv_bytes)sizeof h)) {
        vv_saved found = *where;
        at += (vv_bytes)sizeof h;
        if (h.kind == VV_JOURNAL_SYNCED) {
            synced = h.at;
            continue;
        }
        found.step = step_of(p, identity, &h);
        found.placed = h.kind == VV_JOURNAL_PLACED;
        found.out = h.out;
        found.level = h.level;
        found.i = h.i;
        found.at = found.placed ? h.at : at;
        found.size = h.size;
        found.sum = h.sum;
        l->foreign = l->foreign || found.step < 0;
        if (found.step >= 0 && (where->placed || !found.placed)) VV_TRY(keep(l, &found));
        if (!found.placed) at += h.size;
    }
    return suspect(l, p, synced, first);
}

static bool has_part(const char *directory, int run)
{
    char *path;
    if (vv_journal_part(directory, run, &path) != VV_OK) return false;
    bool has = !access(path, R_OK);
    free(path);
    return has;
}

static vv_status look_at_all(const char *directory, const vv_plan *p, const uint64_t identity[], list *l)
{
    DIR *d = opendir(directory);
    vv_status status = d ? VV_OK : vv_fail_errno(VV_ERR_READ, "cannot read the journal %s", directory);
    for (struct dirent *e; status == VV_OK && (e = readdir(d));) {
        vv_saved where = {0};
        char kind[8] = "";
        if (sscanf(e->d_name, "%d-%d.%5s", &where.run, &where.rank, kind) != 3) continue;
        where.done = !strcmp(kind, vv_journal_kind(true));
        where.placed = has_part(directory, where.run);
        if (!where.done && strcmp(kind, vv_journal_kind(false)) != 0) continue;
        int fd = openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC);
        if (fd < 0) continue;
        status = look_into(fd, &where, p, identity, l);
        close(fd);
    }
    if (d) closedir(d);
    return status;
}

/* Suspects that are not whole are left out. */
static vv_status verify(list *l, const char *directory, vv_journal_check *check, void *context)
{
    const vv_saved **record;
    bool *whole = NULL;
    vv_index n = 0;
    VV_TRY(vv_new(&record, (size_t)l->n_suspects + 1, sizeof *record));
    vv_status status = vv_new(&whole, (size_t)l->n_suspects + 1, sizeof *whole);
    for (vv_index k = 0; k < l->n_suspects; k++) record[k] = &l->saved[l->suspects[k]];
    if (status == VV_OK) status = check(context, directory, l->n_suspects, record, whole);
    for (vv_index i = 0, k = 0; i < l->n && status == VV_OK; i++) {
        bool suspected = k < l->n_suspects && l->suspects[k] == i;
        if (!suspected || whole[k]) l->saved[n++] = l->saved[i];
        k += suspected;
    }
    if (status == VV_OK) l->n = n;
    free(record);
    free(whole);
    return status;
}

/* Of the same one that of the last run first: then what earlier ones have left of their outputs is not needed any more. */
static int by_node_and_run(const void *a, const void *b)
{
    const vv_saved *x = a, *y = b;
    int order = by_node(a, b);
    return order ? order : (x->run < y->run) - (x->run > y->run);
}

/* The same node once, and none that lies below another. */
static void thin_out(vv_plan *p)
{
    vv_index n = 0;
    if (p->n_saved) qsort(p->saved, (size_t)p->n_saved, sizeof *p->saved, by_node_and_run);
    for (vv_index i = 0; i < p->n_saved; i++)
        if (n == 0 || by_node(&p->saved[n - 1], &p->saved[i]) != 0) p->saved[n++] = p->saved[i];
    p->n_saved = n;
    bool *covered = calloc((size_t)n + 1, 1);
    for (vv_index i = 0; i < n && covered; i++) {
        const vv_saved *s = &p->saved[i];
        covered[i] = p->step[s->step].op != VV_STEP_WRITE && cover(p, s->step, s->out, s->level, s->i) != s;
    }
    p->n_saved = 0;
    for (vv_index i = 0; i < n; i++)
        if (!covered || !covered[i]) p->saved[p->n_saved++] = p->saved[i];
    free(covered);
}

vv_status vv_journal_look(const char *directory, vv_plan *p, vv_journal_check *check, void *context, bool *foreign)
{
    uint64_t *identity;
    list l = {0};
    VV_TRY(vv_new(&identity, (size_t)p->n_steps, sizeof *identity));
    vv_status status = vv_plan_identities(p, identity);
    if (status == VV_OK) status = look_at_all(directory, p, identity, &l);
    if (status == VV_OK) status = verify(&l, directory, check, context);
    free(identity);
    free(l.suspects);
    if (status != VV_OK) {
        free(l.saved);
        return status;
    }
    free(p->saved);
    p->saved = l.saved;
    p->n_saved = l.n;
    *foreign = l.foreign;
    thin_out(p);
    return VV_OK;
}

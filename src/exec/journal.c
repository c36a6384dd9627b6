#include "exec/journal.h"

#include "base/fault.h"
#include "base/log.h"
#include "exec/spill.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATH_ROOM = 4096, MAGIC = 0x4c4a5656, BEFORE_END = 120 }; /* BEFORE_END: seconds */

typedef struct head {
    uint32_t magic, spare;
    uint64_t identity; /* of the step */
    int64_t out, level, i, size;
    uint64_t sum; /* of the values that follow */
    uint64_t own; /* of all before this */
} head;

/* A file that records go to, one behind the other. */
typedef struct records {
    int fd;
    vv_bytes end;
} records;

struct vv_journal {
    const vv_plan *plan;
    int rank;
    uint64_t *identity; /* by step */
    pthread_mutex_t lock;
    records done, open; /* done: guarded by the lock */
    bool broken;        /* a write failed: nothing more is written */
    int asked;
    bool near_end;
    int64_t last; /* milliseconds, of a clock that only goes forward */
};

static int64_t milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- files --- */

static void path_of(const char *directory, int run, int rank, const char *what, char out[PATH_ROOM])
{
    snprintf(out, PATH_ROOM, "%s/%d-%d.%s", directory, run, rank, what);
}

static const char *kind_of(bool done)
{
    return done ? "done" : "open";
}

static bool write_all(int fd, const void *data, vv_bytes size, vv_bytes at)
{
    for (vv_bytes n = 0; n < size;) {
        ssize_t k = pwrite(fd, (const char *)data + n, (size_t)(size - n), at + n);
        if (k > 0)
            n += k;
        else if (k == 0 || errno != EINTR)
            return false;
    }
    return true;
}

static bool read_all(int fd, void *data, vv_bytes size, vv_bytes at)
{
    for (vv_bytes n = 0; n < size;) {
        ssize_t k = pread(fd, (char *)data + n, (size_t)(size - n), at + n);
        if (k > 0)
            n += k;
        else if (k == 0 || errno != EINTR)
            return false;
    }
    return true;
}

/* The run goes on without: it is said once a rank. */
static void give_up(vv_journal *j)
{
    bool first = !__atomic_exchange_n(&j->broken, true, __ATOMIC_RELAXED);
    if (first)
        vv_say(VV_LOG_WARN, "the journal in %s cannot be written (%s): this run cannot be gone on with from here",
               j->plan->journal, strerror(errno));
}

static bool is_broken(const vv_journal *j)
{
    return __atomic_load_n(&j->broken, __ATOMIC_RELAXED);
}

static uint64_t own_sum(const head *h)
{
    return vv_spill_sum(h, (vv_bytes)offsetof(head, own));
}

static void append(vv_journal *j, records *f, const vv_record *r)
{
    head h = {.magic = MAGIC,
              .identity = j->identity[r->step],
              .out = r->out,
              .level = r->level,
              .i = r->i,
              .size = r->size,
              .sum = vv_spill_sum(r->values, r->size)};
    h.own = own_sum(&h);
    if (write_all(f->fd, &h, sizeof h, f->end) && write_all(f->fd, r->values, r->size, f->end + (vv_bytes)sizeof h))
        f->end += (vv_bytes)sizeof h + r->size;
    else
        give_up(j);
}

/* --- its life --- */

vv_status vv_journal_open(const vv_plan *p, int rank, vv_journal **out)
{
    vv_journal *j;
    char path[PATH_ROOM];
    *out = NULL;
    if (!p->journal) return VV_OK;
    VV_TRY(vv_new(&j, 1, sizeof *j));
    j->plan = p;
    j->rank = rank;
    j->open.fd = -1;
    j->last = milliseconds();
    pthread_mutex_init(&j->lock, NULL);
    path_of(p->journal, p->journal_run, rank, kind_of(true), path);
    j->done.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    vv_status status = j->done.fd >= 0 ? VV_OK : vv_fail_errno(VV_ERR_WRITE, "cannot write the journal %s", path);
    if (status == VV_OK) status = vv_new(&j->identity, (size_t)p->n_steps, sizeof *j->identity);
    if (status == VV_OK) status = vv_plan_identities(p, j->identity);
    *out = j;
    if (status != VV_OK) vv_journal_close(out);
    return status;
}

void vv_journal_close(vv_journal **out)
{
    vv_journal *j = *out;
    if (!j) return;
    if (j->done.fd >= 0) close(j->done.fd);
    if (j->open.fd >= 0) close(j->open.fd);
    pthread_mutex_destroy(&j->lock);
    free(j->identity);
    free(j);
    *out = NULL;
}

/* --- writing --- */

void vv_journal_done(vv_journal *j, const vv_record *r)
{
    pthread_mutex_lock(&j->lock);
    if (!is_broken(j)) append(j, &j->done, r);
    pthread_mutex_unlock(&j->lock);
}

bool vv_journal_due(vv_journal *j, int asked)
{
    time_t now = time(NULL);
    bool near = j->plan->journal_end > 0 && now >= j->plan->journal_end - BEFORE_END;
    bool due = asked != j->asked || (near && !j->near_end) || milliseconds() - j->last >= j->plan->journal_every;
    j->asked = asked;
    j->near_end = near;
    return due && !is_broken(j);
}

void vv_journal_begin(vv_journal *j)
{
    char path[PATH_ROOM];
    path_of(j->plan->journal, j->plan->journal_run, j->rank, "new", path);
    j->open = (records){.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
    if (j->open.fd < 0) give_up(j);
}

void vv_journal_put(vv_journal *j, const vv_record *r)
{
    if (!is_broken(j)) append(j, &j->open, r);
}

/* First what is finished, then what is open: a node that has moved from one to the other meanwhile is in both. */
void vv_journal_end(vv_journal *j)
{
    char fresh[PATH_ROOM], path[PATH_ROOM];
    path_of(j->plan->journal, j->plan->journal_run, j->rank, "new", fresh);
    path_of(j->plan->journal, j->plan->journal_run, j->rank, kind_of(false), path);
    if (!is_broken(j) && (fdatasync(j->done.fd) || fsync(j->open.fd) || rename(fresh, path))) give_up(j);
    if (j->open.fd >= 0) close(j->open.fd);
    j->open.fd = -1;
    if (is_broken(j)) unlink(fresh);
    int directory = open(j->plan->journal, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0) {
        (void)fsync(directory);
        close(directory);
    }
    j->last = milliseconds();
}

/* --- going on --- */

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

const vv_saved *vv_journal_find(const vv_journal *j, int step, vv_unit u)
{
    return j->plan->n_saved ? cover(j->plan, step, u.out, 0, u.leaf) : NULL;
}

bool vv_journal_has(const vv_journal *j, const vv_record *r)
{
    return node_at(j->plan, r->step, r->out, r->level, r->i) != NULL;
}

vv_status vv_journal_take(const vv_journal *j, const vv_saved *node, void *values)
{
    char path[PATH_ROOM];
    path_of(j->plan->journal, node->run, node->rank, kind_of(node->done), path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return vv_fail_errno(VV_ERR_READ, "cannot read the journal %s", path);
    bool good = read_all(fd, values, node->size, node->at) && vv_spill_sum(values, node->size) == node->sum;
    close(fd);
    if (good) return VV_OK;
    return vv_fail(VV_ERR_CORRUPT, "the journal %s is damaged: remove %s and begin anew", path, j->plan->journal);
}

/* --- the coordinator's look at a directory --- */

typedef struct list {
    vv_index n, room;
    vv_saved *saved;
} list;

static vv_status keep(list *l, const vv_saved *s)
{
    if (l->n == l->room) {
        vv_index room = 2 * l->room + 64;
        vv_saved *more = realloc(l->saved, (size_t)room * sizeof *more);
        if (!more) return vv_fail(VV_ERR_NOMEM, "no memory for a journal of %lld records", (long long)room);
        l->saved = more;
        l->room = room;
    }
    l->saved[l->n++] = *s;
    return VV_OK;
}

static int step_of(const vv_plan *p, const uint64_t identity[], const head *h)
{
    for (int i = 0; i < p->n_steps; i++) {
        const vv_step *s = &p->step[i];
        if (!vv_step_computes(s) || identity[i] != h->identity) continue;
        bool fits = h->out >= 0 && h->out < vv_step_outs(s) && h->level >= 0 && h->i >= 0 &&
                    h->level <= vv_tree_levels(vv_step_leaves(s)) &&
                    h->i < vv_tree_nodes(vv_step_leaves(s), (int)h->level);
        return fits ? i : -1;
    }
    return -1;
}

/* Whether all of a record is there; what a power cut has left of the last ones may be holes. */
static bool is_whole(int fd, const head *h, vv_bytes at, vv_bytes file)
{
    if (h->magic != MAGIC || h->own != own_sum(h) || h->size < 0 || h->size > file - at) return false;
    char *values = malloc((size_t)h->size + 1);
    bool whole = values && read_all(fd, values, h->size, at) && vv_spill_sum(values, h->size) == h->sum;
    free(values);
    return whole;
}

static vv_status look_into(int fd, const vv_saved *where, const vv_plan *p, const uint64_t identity[], list *l)
{
    struct stat s;
    head h;
    vv_bytes at = 0;
    if (fstat(fd, &s)) return VV_OK;
    while (at + (vv_bytes)sizeof h <= s.st_size && read_all(fd, &h, sizeof h, at) &&
           is_whole(fd, &h, at + (vv_bytes)sizeof h, s.st_size)) {
        vv_saved found = *where;
        found.step = step_of(p, identity, &h);
        found.out = h.out;
        found.level = h.level;
        found.i = h.i;
        found.at = at + (vv_bytes)sizeof h;
        found.size = h.size;
        found.sum = h.sum;
        if (found.step >= 0) VV_TRY(keep(l, &found));
        at = found.at + h.size;
    }
    return VV_OK;
}

static vv_status look_at_all(const char *directory, const vv_plan *p, const uint64_t identity[], list *l)
{
    DIR *d = opendir(directory);
    vv_status status = d ? VV_OK : vv_fail_errno(VV_ERR_READ, "cannot read the journal %s", directory);
    for (struct dirent *e; status == VV_OK && (e = readdir(d));) {
        vv_saved where = {0};
        char kind[8] = "";
        if (sscanf(e->d_name, "%d-%d.%5s", &where.run, &where.rank, kind) != 3) continue;
        where.done = !strcmp(kind, kind_of(true));
        if (!where.done && strcmp(kind, kind_of(false)) != 0) continue;
        int fd = openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC);
        if (fd < 0) continue;
        status = look_into(fd, &where, p, identity, l);
        close(fd);
    }
    if (d) closedir(d);
    return status;
}

/* The same node once, and none that lies below another. */
static void thin_out(vv_plan *p)
{
    vv_index n = 0;
    if (p->n_saved) qsort(p->saved, (size_t)p->n_saved, sizeof *p->saved, by_node);
    for (vv_index i = 0; i < p->n_saved; i++)
        if (n == 0 || by_node(&p->saved[n - 1], &p->saved[i]) != 0) p->saved[n++] = p->saved[i];
    p->n_saved = n;
    bool *covered = calloc((size_t)n + 1, 1);
    for (vv_index i = 0; i < n && covered; i++) {
        const vv_saved *s = &p->saved[i];
        covered[i] = cover(p, s->step, s->out, s->level, s->i) != s;
    }
    p->n_saved = 0;
    for (vv_index i = 0; i < n; i++)
        if (!covered || !covered[i]) p->saved[p->n_saved++] = p->saved[i];
    free(covered);
}

vv_status vv_journal_look(const char *directory, vv_plan *p)
{
    uint64_t *identity;
    list l = {0};
    VV_TRY(vv_new(&identity, (size_t)p->n_steps, sizeof *identity));
    vv_status status = vv_plan_identities(p, identity);
    if (status == VV_OK) status = look_at_all(directory, p, identity, &l);
    free(identity);
    if (status != VV_OK) {
        free(l.saved);
        return status;
    }
    free(p->saved);
    p->saved = l.saved;
    p->n_saved = l.n;
    thin_out(p);
    return VV_OK;
}

#include "exec/journal/journal.h"

#include "base/log.h"
#include "exec/journal/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BEFORE_END = 120 }; /* seconds */

/* A chunk that is in the output, and not noted yet. */
typedef struct placed {
    int step;
    vv_index out;
    vv_bytes at, size;
    uint64_t sum;
} placed;

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
    records done, open; /* done: guarded by the lock, and: */
    vv_index n_placed, room_placed;
    placed *placed;
    bool broken; /* a write failed: nothing more is written */
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

static vv_journal_head seal(vv_journal_head h)
{
    h.magic = VV_JOURNAL_MAGIC;
    h.own = vv_journal_head_sum(&h);
    return h;
}

static bool append_bytes(vv_journal *j, records *f, const void *data, vv_bytes size)
{
    bool written = write_all(f->fd, data, size, f->end);
    if (written)
        f->end += size;
    else
        give_up(j);
    return written;
}

static vv_journal_head head_of(const vv_journal *j, const vv_node_record *r)
{
    return seal((vv_journal_head){.kind = VV_JOURNAL_VALUES,
                                  .identity = j->identity[r->step],
                                  .out = r->out,
                                  .level = r->level,
                                  .i = r->i,
                                  .size = r->size,
                                  .sum = vv_checksum_of(r->values, r->size)});
}

static bool append(vv_journal *j, records *f, const vv_journal_head *h, const void *values)
{
    vv_bytes before = f->end;
    bool whole = append_bytes(j, f, h, sizeof *h) && append_bytes(j, f, values, h->size);
    if (!whole) f->end = before;
    return whole;
}

/* --- its life --- */

vv_status vv_journal_open(const vv_plan *p, int rank, vv_journal **out)
{
    vv_journal *j;
    char path[VV_JOURNAL_PATH];
    *out = NULL;
    if (!p->journal) return VV_OK;
    VV_TRY(vv_new(&j, 1, sizeof *j));
    j->plan = p;
    j->rank = rank;
    j->open.fd = -1;
    j->last = milliseconds();
    pthread_mutex_init(&j->lock, NULL);
    vv_journal_path(p->journal, p->journal_run, rank, vv_journal_kind(true), path);
    j->done.fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
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
    free(j->placed);
    free(j);
    *out = NULL;
}

/* --- writing --- */

void vv_journal_done(vv_journal *j, const vv_node_record *r)
{
    if (is_broken(j)) return;
    const vv_journal_head h = head_of(j, r);
    pthread_mutex_lock(&j->lock);
    if (!is_broken(j)) append(j, &j->done, &h, r->values);
    pthread_mutex_unlock(&j->lock);
}

bool vv_journal_chunk(vv_journal *j, const vv_node_record *r, vv_extent *out)
{
    if (is_broken(j)) return false;
    const vv_journal_head h = head_of(j, r);
    pthread_mutex_lock(&j->lock);
    bool kept = !is_broken(j) && append(j, &j->done, &h, r->values);
    if (kept) *out = (vv_extent){j->done.end - h.size, h.size, h.sum};
    pthread_mutex_unlock(&j->lock);
    return kept;
}

vv_status vv_journal_read(vv_journal *j, const vv_extent *e, void *out)
{
    if (!vv_journal_read_all(j->done.fd, out, e->size, e->at))
        return vv_fail_errno(VV_ERR_READ, "cannot read the journal in %s", j->plan->journal);
    if (vv_checksum_of(out, e->size) == e->sum) return VV_OK;
    return vv_fail(VV_ERR_CORRUPT, "what was written to the journal in %s reads back otherwise", j->plan->journal);
}

void vv_journal_placed(vv_journal *j, const vv_node_record *r, vv_bytes at, uint64_t sum)
{
    if (is_broken(j)) return;
    placed one = {r->step, r->out, at, r->size, sum};
    pthread_mutex_lock(&j->lock);
    if (j->n_placed == j->room_placed) {
        vv_index room = 2 * j->room_placed + 64;
        placed *more = realloc(j->placed, (size_t)room * sizeof *more);
        if (more) {
            j->placed = more;
            j->room_placed = room;
        }
    }
    if (j->n_placed < j->room_placed) j->placed[j->n_placed++] = one; /* no room: then it is not kept */
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
    char path[VV_JOURNAL_PATH];
    vv_journal_path(j->plan->journal, j->plan->journal_run, j->rank, "new", path);
    j->open = (records){.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
    if (j->open.fd < 0) give_up(j);
}

void vv_journal_put(vv_journal *j, const vv_node_record *r)
{
    if (is_broken(j)) return;
    const vv_journal_head h = head_of(j, r);
    append(j, &j->open, &h, r->values);
}

/* Chunks that were in the output before it was synced. Others may have joined them meanwhile. */
static void note_placed(vv_journal *j, vv_index n)
{
    enum { AT_ONCE = 64 };
    vv_journal_head heads[AT_ONCE];
    pthread_mutex_lock(&j->lock);
    for (vv_index k = 0; k < n && !is_broken(j);) {
        int some = 0;
        for (; some < AT_ONCE && k < n; some++, k++) {
            const placed *p = &j->placed[k];
            heads[some] = seal((vv_journal_head){.kind = VV_JOURNAL_PLACED,
                                                 .identity = j->identity[p->step],
                                                 .out = p->out,
                                                 .at = p->at,
                                                 .size = p->size,
                                                 .sum = p->sum});
        }
        append_bytes(j, &j->done, heads, some * (vv_bytes)sizeof *heads);
    }
    j->n_placed -= n;
    memmove(j->placed, j->placed + n, (size_t)j->n_placed * sizeof *j->placed);
    pthread_mutex_unlock(&j->lock);
}

/* The output, then the records that speak of it, then a word that they are on the disk. */
static void sync_done(vv_journal *j, const vv_raw_out *out)
{
    pthread_mutex_lock(&j->lock);
    vv_index n = j->n_placed;
    pthread_mutex_unlock(&j->lock);
    if (n > 0 && (!out || vv_raw_out_sync(out) != VV_OK)) give_up(j);
    if (n > 0) note_placed(j, n);
    pthread_mutex_lock(&j->lock);
    const vv_journal_head synced = seal((vv_journal_head){.kind = VV_JOURNAL_SYNCED, .at = j->done.end});
    pthread_mutex_unlock(&j->lock);
    if (!is_broken(j) && fdatasync(j->done.fd)) give_up(j);
    pthread_mutex_lock(&j->lock);
    if (!is_broken(j) && synced.at > 0) append_bytes(j, &j->done, &synced, sizeof synced);
    pthread_mutex_unlock(&j->lock);
}

/* First what is finished, then what is open: a node that has moved from one to the other meanwhile is in both. */
void vv_journal_end(vv_journal *j, const vv_raw_out *out)
{
    char fresh[VV_JOURNAL_PATH], path[VV_JOURNAL_PATH];
    vv_journal_path(j->plan->journal, j->plan->journal_run, j->rank, "new", fresh);
    vv_journal_path(j->plan->journal, j->plan->journal_run, j->rank, vv_journal_kind(false), path);
    sync_done(j, out);
    if (!is_broken(j) && (fsync(j->open.fd) || rename(fresh, path))) give_up(j);
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

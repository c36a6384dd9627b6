/* Feeds: opened sources. */
#include "base/fault.h"
#include "exec/read/feed_index.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* --- reading --- */

/* Files are opened one at a time; the formats' own reading happens on one thread at a time (the HDF5 library is not thread-safe). */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static vv_status open_slow(vv_feed *f)
{
    VV_TRY(vv_file_open(f->source->path, &f->slow));
    f->variable = vv_meta_find_var(f->slow->meta, f->source->variable);
    return f->variable < 0 ? vv_fail(VV_ERR_READ, "the variable is gone") : VV_OK;
}

/* What is open is the version of the file that the plan was made for. What was renamed over an open file is not it, but does no harm: raw files are looked
 * at, not their paths. */
static vv_status same_version(const vv_feed *f)
{
    if (f->source->stamp.changed == 0) return VV_OK;
    return f->source->raw ? vv_raw_check(&f->file, &f->source->stamp)
                          : vv_stamp_check(f->source->path, &f->source->stamp);
}

static void close_now(vv_feed *f)
{
    vv_raw_close(&f->file);
    vv_file_close(&f->slow);
}

static vv_status open_now(vv_feed *f)
{
    vv_status status = f->source->raw ? vv_raw_open(f->source->path, &f->file) : open_slow(f);
    if (status == VV_OK) status = same_version(f);
    if (status != VV_OK) close_now(f);
    return status;
}

/* Opens a file that stays open. */
static vv_status open_for_good(vv_feed *f)
{
    if (atomic_load_explicit(&f->open, memory_order_acquire)) return VV_OK;
    vv_status status = VV_OK;
    pthread_mutex_lock(&lock);
    if (!atomic_load(&f->open)) {
        status = open_now(f);
        if (status == VV_OK) atomic_store_explicit(&f->open, true, memory_order_release);
    }
    pthread_mutex_unlock(&lock);
    return status;
}

/* --- more files than may be open --- */

static void unlink_feed(vv_pool *p, vv_feed *f)
{
    *(f->newer ? &f->newer->older : &p->newest) = f->older;
    *(f->older ? &f->older->newer : &p->oldest) = f->newer;
}

static void link_feed(vv_pool *p, vv_feed *f)
{
    f->newer = NULL;
    f->older = p->newest;
    *(p->newest ? &p->newest->newer : &p->oldest) = f;
    p->newest = f;
}

/* Closes the file that was used longest ago and is not in use. Where all are in use - by as many threads - one more is opened. */
static vv_status close_oldest(vv_pool *p)
{
    vv_feed *f = p->oldest;
    while (f && f->users > 0) f = f->newer;
    if (!f) return VV_OK;
    vv_status status = same_version(f);
    unlink_feed(p, f);
    close_now(f);
    atomic_store(&f->open, false);
    p->open--;
    return status;
}

static vv_status open_in_turn(vv_pool *p, vv_feed *f)
{
    if (atomic_load(&f->open)) {
        unlink_feed(p, f);
    } else {
        if (p->open >= p->most) VV_TRY(close_oldest(p));
        VV_TRY(open_now(f));
        atomic_store(&f->open, true);
        p->open++;
    }
    link_feed(p, f);
    f->users++;
    return VV_OK;
}

vv_status vv_feed_hold(vv_feed *f)
{
    if (!f->pool) return open_for_good(f);
    pthread_mutex_lock(&lock);
    vv_status status = open_in_turn(f->pool, f);
    pthread_mutex_unlock(&lock);
    return status;
}

void vv_feed_release(vv_feed *f)
{
    if (!f->pool) return;
    pthread_mutex_lock(&lock);
    f->users--;
    pthread_mutex_unlock(&lock);
}

static vv_status read_elements(const vv_feed *f, vv_index first, vv_index n, void *out)
{
    const vv_source *s = f->source;
    vv_bytes size = vv_dtype_size(s->decode.stored);
    if (!s->pitch) return vv_raw_read(&f->file, s->address + first * size, n * size, out);
    vv_index row = vv_shape_elements(&s->stored.shape) / s->stored.shape.n[0];
    for (char *to = out; n > 0;) {
        vv_index in_row = first % row, some = vv_imin(n, row - in_row);
        VV_TRY(vv_raw_read(&f->file, s->address + first / row * s->pitch + in_row * size, some * size, to));
        to += some * size;
        first += some;
        n -= some;
    }
    return VV_OK;
}

vv_status vv_feed_elements(vv_feed *f, vv_index first, vv_index n, void *out)
{
    VV_TRY(vv_feed_hold(f));
    vv_status status = read_elements(f, first, n, out);
    vv_feed_release(f);
    return status;
}

vv_status vv_feed_raw(vv_feed *f, vv_bytes at, vv_bytes size, void *out)
{
    VV_TRY(vv_feed_hold(f));
    vv_status status = vv_raw_read(&f->file, at, size, out);
    vv_feed_release(f);
    return status;
}

static vv_status read_slowly(vv_feed *f, const vv_box *box, void *out)
{
    bool alone = !f->slow->format->concurrent;
    VV_TRY(vv_fault(VV_FAULT_READ_CHUNK));
    if (alone) pthread_mutex_lock(&lock);
    vv_status status = f->slow->format->read(f->slow, f->variable, box, out);
    if (alone) pthread_mutex_unlock(&lock);
    return status;
}

vv_status vv_feed_read(vv_feed *f, const vv_box *box, void *out)
{
    VV_TRY(vv_feed_hold(f));
    vv_status status = read_slowly(f, box, out);
    vv_feed_release(f);
    return status;
}

/* Files that may be open at once: the process has other uses for half of its descriptors, and files that HDF5 has open take memory. */
static int most_open(const vv_plan *p)
{
    enum { FEW = 16, MANY = 1024, SLOW = 32 };
    struct rlimit limit;
    vv_index most =
        getrlimit(RLIMIT_NOFILE, &limit) ? FEW : (vv_index)(limit.rlim_cur / 2 > MANY ? MANY : limit.rlim_cur / 2);
    for (int i = 0; i < p->n_sources; i++)
        if (!p->source[i].raw && !p->source[i].generated) most = vv_imin(most, SLOW);
    return (int)vv_imax(FEW, most);
}

static vv_status insert_bad(vv_feed *f, vv_index number, bool *news)
{
    vv_index i = 0;
    while (i < f->n_bad && f->bad[i] < number) i++;
    *news = i == f->n_bad || f->bad[i] != number;
    if (!*news) return VV_OK;
    VV_TRY(vv_grow(&f->bad, f->n_bad, sizeof *f->bad, "damaged chunks"));
    memmove(f->bad + i + 1, f->bad + i, sizeof *f->bad * (size_t)(f->n_bad - i));
    f->bad[i] = number;
    f->n_bad++;
    return VV_OK;
}

vv_status vv_feed_note_bad(vv_feed *f, vv_index number, bool *news)
{
    pthread_mutex_lock(&lock);
    vv_status status = insert_bad(f, number, news);
    pthread_mutex_unlock(&lock);
    return status;
}

vv_index vv_feeds_bad(const vv_feeds *f)
{
    vv_index n = 0;
    for (int i = 0; f->feed && i < f->plan->n_sources; i++) n += f->feed[i].n_bad;
    return n;
}

vv_status vv_feed_chunk(const vv_feed *f, vv_index number, vv_chunk_at *out)
{
    if (f->all) {
        *out = f->all[number];
        return VV_OK;
    }
    vv_index low = 0, high = f->n_stretches; /* the last stretch that begins at or before it */
    while (high - low > 1) {
        vv_index middle = low + (high - low) / 2;
        if (f->stretch[middle].first <= number)
            low = middle;
        else
            high = middle;
    }
    const vv_stretch *s = &f->stretch[low];
    if (low >= high || number < s->first || number - s->first >= s[1].at - s->at)
        return vv_fail(VV_ERR_INTERNAL, "chunk %lld is not in this rank's index", (long long)number);
    *out = f->chunk[s->at + number - s->first];
    return VV_OK;
}

/* --- opening --- */

static vv_status open_places(vv_feeds *f, int rank, vv_chunk_at *const places[])
{
    const vv_plan *p = f->plan;
    VV_TRY(vv_new(&f->places, (size_t)p->n_steps + 1, sizeof *f->places));
    for (int i = 0; i < p->n_steps; i++)
        if (vv_feed_places_told(p, i) && rank == 0) f->places[p->step[i].told_to].all = places[p->step[i].told_to];
    return VV_OK;
}

vv_status vv_feeds_open(const vv_plan *p, int rank, vv_chunk_at *const index[], vv_chunk_at *const places[],
                        vv_feeds *out)
{
    *out = (vv_feeds){.plan = p, .pool.most = most_open(p)};
    VV_TRY(vv_new(&out->feed, (size_t)p->n_sources + 1, sizeof *out->feed));
    VV_TRY(open_places(out, rank, places));
    out->due = rank != 0 && vv_feed_index_due(p);
    for (int i = 0; i < p->n_sources; i++) {
        vv_feed *f = &out->feed[i];
        f->source = &p->source[i];
        f->file.fd = -1;
        if (p->n_sources > out->pool.most) f->pool = &out->pool;
        if (!vv_feed_indexed(f->source)) continue;
        if (rank == 0) f->all = index[i];
    }
    return VV_OK;
}

vv_status vv_feeds_check(const vv_feeds *feeds)
{
    for (int i = 0; i < feeds->plan->n_sources; i++)
        if (atomic_load(&feeds->feed[i].open)) VV_TRY(same_version(&feeds->feed[i]));
    return VV_OK;
}

void vv_feeds_close(vv_feeds *feeds)
{
    for (int i = 0; feeds->feed && i < feeds->plan->n_sources; i++) {
        vv_feed *f = &feeds->feed[i];
        close_now(f);
        free(f->bad);
    }
    free(feeds->feed);
    free(feeds->places);
    feeds->feed = feeds->places = NULL;
    vv_mem_put(&feeds->message);
}

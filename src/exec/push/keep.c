#include "exec/push/keep.h"

#include "exec/push/spill.h"
#include "plan/place.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct item {
    void *data; /* NULL: in the scratch file, or not made */
    vv_extent at;
} item;

/* This rank's stretch of an array's chunks. */
typedef struct held {
    int array;
    vv_index first, n;
    item *item;
} held;

struct vv_keep {
    int n;
    held *held; /* in the order in which they were made */
    vv_spill *scratch;
    vv_bytes limit;
    pthread_mutex_t lock; /* guards the two sums */
    vv_bytes bytes, spilled;
};

vv_status vv_keep_new(vv_keep **out)
{
    VV_TRY(vv_new(out, 1, sizeof **out));
    pthread_mutex_init(&(*out)->lock, NULL);
    return VV_OK;
}

static held *find(const vv_keep *k, int array)
{
    for (int i = 0; i < k->n; i++)
        if (k->held[i].array == array) return &k->held[i];
    return NULL;
}

static item *item_of(const vv_keep *k, int array, vv_index chunk)
{
    held *h = find(k, array);
    return h && chunk >= h->first && chunk < h->first + h->n ? &h->item[chunk - h->first] : NULL;
}

/* --- memory --- */

/* Room for a chunk in memory; counted either way: a put that fails ends the run, and all of the array goes. */
static bool takes(vv_keep *k, vv_bytes size)
{
    pthread_mutex_lock(&k->lock);
    bool here = size <= k->limit - k->bytes;
    if (here)
        k->bytes += size;
    else
        k->spilled += size;
    pthread_mutex_unlock(&k->lock);
    return here;
}

static void forget(vv_keep *k, item *it)
{
    if (!it->data && it->at.size > 0) vv_spill_drop(k->scratch, &it->at);
    vv_mem_put(&it->data);
    *it = (item){0};
}

/* The sums again, from what there is. */
static void add_up(vv_keep *k)
{
    k->bytes = k->spilled = 0;
    for (int i = 0; i < k->n; i++)
        for (vv_index c = 0; c < k->held[i].n; c++) {
            const item *it = &k->held[i].item[c];
            *(it->data ? &k->bytes : &k->spilled) += it->at.size;
        }
}

/* The newest arrays' last chunks first: what was held longest stays. */
static vv_status shrink(vv_keep *k)
{
    for (int i = k->n - 1; i >= 0; i--)
        for (vv_index c = k->held[i].n - 1; c >= 0 && k->bytes > k->limit; c--) {
            item *it = &k->held[i].item[c];
            if (!it->data) continue;
            vv_bytes size = it->at.size;
            VV_TRY(vv_spill_write(k->scratch, it->data, size, &it->at));
            vv_mem_put(&it->data);
            k->bytes -= size;
            k->spilled += size;
        }
    return VV_OK;
}

/* --- arrays --- */

static vv_status add_held(vv_keep *k, int array, vv_index first, vv_index n)
{
    VV_TRY(vv_grow(&k->held, k->n, sizeof *k->held, "held arrays"));
    held *h = &k->held[k->n];
    *h = (held){.array = array, .first = first, .n = n};
    VV_TRY(vv_new(&h->item, (size_t)h->n + 1, sizeof *h->item));
    k->n++;
    return VV_OK;
}

static vv_status add(vv_keep *k, const vv_plan *p, const vv_step *s, int rank)
{
    vv_index first = vv_held_first(&s->grid, rank, p->ranks);
    return add_held(k, s->to.variable, first, vv_held_first(&s->grid, rank + 1, p->ranks) - first);
}

/* Where the plan says, unless there is something in another place. */
static vv_status open_scratch(vv_keep *k, const char *directory)
{
    bool same = k->scratch && (!directory || !strcmp(vv_spill_directory(k->scratch), directory));
    if (same || k->spilled > 0) return VV_OK;
    vv_spill_close(&k->scratch);
    return vv_spill_open(directory, &k->scratch);
}

vv_status vv_keep_begin(vv_keep *k, const vv_plan *p, int rank)
{
    k->limit = p->keep;
    for (int i = 0; i < p->n_drops; i++) vv_keep_drop(k, p->drop[i]);
    VV_TRY(open_scratch(k, p->scratch));
    VV_TRY(shrink(k));
    for (int i = 0; i < p->n_steps; i++)
        if (p->step[i].op == VV_STEP_KEEP) VV_TRY(add(k, p, &p->step[i], rank));
    return VV_OK;
}

vv_status vv_keep_add(vv_keep *k, int array, vv_index first, vv_index n, vv_bytes bytes)
{
    VV_TRY(open_scratch(k, NULL));
    vv_bytes spare = vv_mem_budget() ? vv_imax(0, (vv_mem_budget() - vv_mem_resident()) / 2) : bytes;
    k->limit = vv_imax(k->limit, k->bytes + vv_imin(bytes, spare));
    return add_held(k, array, first, n);
}

void vv_keep_drop(vv_keep *k, int array)
{
    held *h = find(k, array);
    if (!h) return;
    for (vv_index c = 0; c < h->n; c++) forget(k, &h->item[c]);
    free(h->item);
    k->n--;
    for (held *end = k->held + k->n; h < end; h++) h[0] = h[1];
    add_up(k);
}

void vv_keep_end(vv_keep *k, const vv_plan *p, bool succeeded)
{
    for (int i = 0; i < p->n_steps && !succeeded; i++)
        if (p->step[i].op == VV_STEP_KEEP) vv_keep_drop(k, p->step[i].to.variable);
}

void vv_keep_free(vv_keep **keep)
{
    vv_keep *k = *keep;
    if (!k) return;
    while (k->n > 0) vv_keep_drop(k, k->held[k->n - 1].array);
    vv_spill_close(&k->scratch);
    pthread_mutex_destroy(&k->lock);
    free(k->held);
    free(k);
    *keep = NULL;
}

/* --- chunks --- */

static vv_status place_for(const vv_keep *k, int array, vv_index chunk, item **out)
{
    item *it = *out = item_of(k, array, chunk);
    if (!it || it->at.size > 0) return vv_fail(VV_ERR_INTERNAL, "chunk %lld is not to be held here", (long long)chunk);
    return VV_OK;
}

vv_status vv_keep_take(vv_keep *k, int array, vv_index chunk, void **block, vv_bytes size)
{
    item *it;
    VV_TRY(place_for(k, array, chunk, &it));
    if (size == 0) return VV_OK;
    if (!takes(k, size)) return vv_spill_write(k->scratch, *block, size, &it->at);
    *it = (item){.data = *block, .at.size = size};
    *block = NULL;
    return VV_OK;
}

vv_status vv_keep_put(vv_keep *k, int array, vv_index chunk, const void *data, vv_bytes size)
{
    item *it;
    VV_TRY(place_for(k, array, chunk, &it));
    if (size == 0) return VV_OK;
    if (!takes(k, size)) return vv_spill_write(k->scratch, data, size, &it->at);
    VV_TRY(vv_mem_get(&it->data, size, "a held chunk"));
    memcpy(it->data, data, (size_t)size);
    it->at.size = size;
    return VV_OK;
}

const void *vv_keep_find(vv_keep *k, int array, vv_index chunk)
{
    const item *it = item_of(k, array, chunk);
    return it ? it->data : NULL;
}

vv_status vv_keep_read(vv_keep *k, int array, vv_index chunk, vv_bytes size, void *out)
{
    const item *it = item_of(k, array, chunk);
    if (!it || it->at.size != size) return vv_fail(VV_ERR_INTERNAL, "chunk %lld is not held here", (long long)chunk);
    return vv_spill_read(k->scratch, &it->at, out);
}

vv_bytes vv_keep_bytes(const vv_keep *k)
{
    return k->bytes;
}

vv_bytes vv_keep_spilled(const vv_keep *k)
{
    return k->spilled;
}

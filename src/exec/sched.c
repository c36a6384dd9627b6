#include "exec/sched.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static int64_t critical_path(vv_index task, int inputs)
{
    (void)inputs;
    return task;
}

/* Of tasks at the same place, one with inputs frees something. */
static int64_t memory(vv_index task, int inputs)
{
    return -2 * task - (inputs > 0);
}

static const vv_sched policy[] = {{"critical-path", critical_path}, {"memory", memory}};

const vv_sched *vv_sched_at(int i)
{
    return i >= 0 && i < (int)(sizeof policy / sizeof *policy) ? &policy[i] : NULL;
}

const vv_sched *vv_sched_find(const char *name)
{
    if (!name) return &policy[0];
    for (int i = 0; vv_sched_at(i); i++)
        if (!strcmp(policy[i].name, name)) return &policy[i];
    return NULL;
}

static vv_status grow(vv_heap *h)
{
    enum { FIRST = 64 };
    vv_index room = h->room ? 2 * h->room : FIRST;
    void *bigger = realloc(h->at, (size_t)room * sizeof *h->at);
    if (!bigger) return vv_fail(VV_ERR_NOMEM, "the system refused a queue of %lld entries", (long long)room);
    h->at = bigger;
    h->room = room;
    return VV_OK;
}

vv_status vv_heap_push(vv_heap *h, int64_t key, void *item)
{
    if (h->n == h->room) VV_TRY(grow(h));
    vv_index i = h->n++;
    for (vv_index up = (i - 1) / 2; i > 0 && h->at[up].key > key; i = up, up = (i - 1) / 2) h->at[i] = h->at[up];
    h->at[i] = (struct vv_heap_item){key, item};
    return VV_OK;
}

void *vv_heap_pop(vv_heap *h)
{
    if (h->n == 0) return NULL;
    void *first = h->at[0].item;
    struct vv_heap_item last = h->at[--h->n];
    vv_index i = 0;
    for (vv_index down = 1; down < h->n; i = down, down = 2 * i + 1) {
        if (down + 1 < h->n && h->at[down + 1].key < h->at[down].key) down++;
        if (h->at[down].key >= last.key) break;
        h->at[i] = h->at[down];
    }
    if (h->n) h->at[i] = last;
    return first;
}

void vv_heap_free(vv_heap *h)
{
    free(h->at);
    *h = (vv_heap){0};
}

#include "exec/tasks/value.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BITS = 6 };

static vv_kept **place(const vv_shelf *v, int64_t id)
{
    return &v->bucket[(uint64_t)id * 0x9e3779b97f4a7c15u >> (64 - v->bits)];
}

vv_status vv_shelf_open(vv_shelf *v, vv_bytes limit, const char *scratch)
{
    *v = (vv_shelf){.bits = FIRST_BITS, .limit = limit};
    VV_TRY(vv_new(&v->bucket, (size_t)1 << v->bits, sizeof(vv_kept *)));
    return vv_spill_open(scratch && *scratch ? scratch : NULL, &v->spill);
}

void vv_shelf_close(vv_shelf *v)
{
    for (size_t i = 0; v->bucket && i < (size_t)1 << v->bits; i++)
        for (vv_kept *k = v->bucket[i], *next; k; k = next) {
            next = k->chain;
            vv_mem_put(&k->block);
            free(k);
        }
    free(v->bucket);
    vv_spill_close(&v->spill);
    *v = (vv_shelf){0};
}

static vv_status grow(vv_shelf *v)
{
    vv_shelf bigger = *v;
    bigger.bits++;
    VV_TRY(vv_new(&bigger.bucket, (size_t)1 << bigger.bits, sizeof(vv_kept *)));
    for (size_t i = 0; i < (size_t)1 << v->bits; i++)
        for (vv_kept *k = v->bucket[i], *next; k; k = next) {
            vv_kept **to = place(&bigger, k->id);
            next = k->chain;
            k->chain = *to;
            *to = k;
        }
    free(v->bucket);
    *v = bigger;
    return VV_OK;
}

/* --- in memory, by age --- */

static void enter(vv_shelf *v, vv_kept *k)
{
    k->newer = NULL;
    k->older = v->newest;
    *(v->newest ? &v->newest->newer : &v->oldest) = k;
    v->newest = k;
    v->bytes += k->size;
}

static void leave(vv_shelf *v, vv_kept *k)
{
    *(k->older ? &k->older->newer : &v->oldest) = k->newer;
    *(k->newer ? &k->newer->older : &v->newest) = k->older;
    v->bytes -= k->size;
}

vv_status vv_shelf_make_room(vv_shelf *v, vv_bytes more)
{
    for (vv_kept *k = v->oldest, *next; v->limit > 0 && k && v->bytes + more > v->limit; k = next) {
        next = k->newer;
        if (k->users > 0) continue;
        VV_TRY(vv_spill_write(v->spill, k->data, k->size, &k->extent));
        leave(v, k);
        vv_mem_put(&k->block);
        k->data = NULL;
    }
    return VV_OK;
}

vv_kept *vv_shelf_find(const vv_shelf *v, int64_t id)
{
    vv_kept *k = *place(v, id);
    while (k && k->id != id) k = k->chain;
    return k;
}

vv_status vv_shelf_put(vv_shelf *v, int64_t id, int kind, void **block, vv_bytes offset, vv_bytes size)
{
    vv_kept *k;
    if (v->n >= (vv_index)1 << v->bits) VV_TRY(grow(v));
    VV_TRY(vv_shelf_make_room(v, size));
    VV_TRY(vv_new(&k, 1, sizeof *k));
    vv_kept **to = place(v, id);
    *k =
        (vv_kept){.id = id, .kind = kind, .size = size, .block = *block, .data = (char *)*block + offset, .chain = *to};
    *block = NULL;
    *to = k;
    v->n++;
    enter(v, k);
    return VV_OK;
}

vv_status vv_shelf_pin(vv_shelf *v, vv_kept *k)
{
    if (!k->block) {
        VV_TRY(vv_shelf_make_room(v, k->size));
        VV_TRY(vv_mem_get(&k->block, k->size, "a result of a task from the scratch file"));
        vv_status status = vv_spill_read(v->spill, &k->extent, k->block);
        if (status != VV_OK) {
            vv_mem_put(&k->block);
            return status;
        }
        vv_spill_drop(v->spill, &k->extent);
        k->data = k->block;
        enter(v, k);
    }
    k->users++;
    return VV_OK;
}

void vv_shelf_unpin(vv_kept *k)
{
    if (--k->users > 0 || !k->dropped) return;
    vv_mem_put(&k->block);
    free(k);
}

void vv_shelf_drop(vv_shelf *v, int64_t id)
{
    vv_kept **at = place(v, id);
    while (*at && (*at)->id != id) at = &(*at)->chain;
    vv_kept *k = *at;
    if (!k) return;
    *at = k->chain;
    v->n--;
    if (k->block)
        leave(v, k);
    else
        vv_spill_drop(v->spill, &k->extent);
    k->dropped = true;
    k->users++;
    vv_shelf_unpin(k);
}

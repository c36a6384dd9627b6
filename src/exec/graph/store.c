/* Nodes by task number: a chained hash table that grows with what is alive, and a pool that takes dropped nodes back. */
#include "exec/graph/run.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BITS = 8, SLAB = 64 };

struct vv_slab {
    struct vv_slab *next;
    vv_node node[SLAB];
};

static size_t bucket_of(const vv_graph_store *s, vv_index task)
{
    return (size_t)((uint64_t)task * 0x9e3779b97f4a7c15u >> (64 - s->bits));
}

vv_status vv_graph_store_open(vv_graph_store *s)
{
    *s = (vv_graph_store){.bits = FIRST_BITS};
    return vv_new(&s->bucket, (size_t)1 << s->bits, sizeof(vv_node *));
}

static void clear(vv_node *n)
{
    if (n->in != n->few) free(n->in);
    vv_mem_put(&n->block);
}

void vv_graph_store_close(vv_graph_store *s)
{
    for (size_t i = 0; s->bucket && i < (size_t)1 << s->bits; i++)
        for (vv_node *n = s->bucket[i]; n; n = n->chain) clear(n);
    while (s->slabs) {
        struct vv_slab *slab = s->slabs;
        s->slabs = slab->next;
        free(slab);
    }
    free(s->bucket);
    *s = (vv_graph_store){0};
}

vv_node *vv_graph_store_find(const vv_graph_store *s, vv_index task)
{
    vv_node *n = s->bucket[bucket_of(s, task)];
    while (n && n->task != task) n = n->chain;
    return n;
}

static vv_status grow(vv_graph_store *s)
{
    vv_graph_store bigger = *s;
    bigger.bits++;
    VV_TRY(vv_new(&bigger.bucket, (size_t)1 << bigger.bits, sizeof(vv_node *)));
    for (size_t i = 0; i < (size_t)1 << s->bits; i++)
        for (vv_node *n = s->bucket[i], *next; n; n = next) {
            vv_node **to = &bigger.bucket[bucket_of(&bigger, n->task)];
            next = n->chain;
            n->chain = *to;
            *to = n;
        }
    free(s->bucket);
    *s = bigger;
    return VV_OK;
}

static vv_status refill(vv_graph_store *s)
{
    struct vv_slab *slab;
    VV_TRY(vv_new(&slab, 1, sizeof *slab));
    slab->next = s->slabs;
    s->slabs = slab;
    for (int i = SLAB - 1; i >= 0; i--) {
        slab->node[i].chain = s->pool;
        s->pool = &slab->node[i];
    }
    return VV_OK;
}

vv_status vv_graph_store_add(vv_graph_store *s, vv_index task, vv_node **out)
{
    if (s->n >= (vv_index)1 << s->bits) VV_TRY(grow(s));
    if (!s->pool) VV_TRY(refill(s));
    vv_node *n = s->pool;
    s->pool = n->chain;
    memset(n, 0, offsetof(vv_node, few));
    vv_node **bucket = &s->bucket[bucket_of(s, task)];
    n->task = task;
    n->in = n->few;
    n->chain = *bucket;
    *bucket = n;
    if (++s->n > s->most) s->most = s->n;
    *out = n;
    return VV_OK;
}

void vv_graph_store_drop(vv_graph_store *s, vv_node *n)
{
    vv_node **at = &s->bucket[bucket_of(s, n->task)];
    while (*at != n) at = &(*at)->chain;
    *at = n->chain;
    clear(n);
    n->chain = s->pool;
    s->pool = n;
    s->n--;
}

vv_status vv_node_room(vv_node *n)
{
    n->data = n->small;
    if (n->size <= VV_NODE_SMALL) return VV_OK;
    VV_TRY(vv_mem_get(&n->block, VV_BLOCK_HEADER + n->size, "the result of a task"));
    n->data = n->block + VV_BLOCK_HEADER;
    return VV_OK;
}

vv_status vv_node_edges(vv_node *n, int inputs)
{
    if (inputs > VV_NODE_EDGES) {
        vv_graph_edge *many;
        VV_TRY(vv_new(&many, (size_t)inputs, sizeof *many));
        n->in = many;
    }
    n->n_in = inputs;
    return VV_OK;
}

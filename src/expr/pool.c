#include "expr/tree.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1 << 14 };

typedef struct vv_pool_block {
    struct vv_pool_block *before;
    size_t size, used;
    _Alignas(max_align_t) char data[];
} vv_pool_block;

vv_status vv_pool_get(vv_pool *p, size_t bytes, void *out)
{
    size_t align = _Alignof(max_align_t);
    bytes = (bytes + align - 1) / align * align;
    if (!p->last || p->last->size - p->last->used < bytes) {
        size_t size = bytes > BLOCK ? bytes : BLOCK;
        vv_pool_block *b = calloc(1, sizeof *b + size);
        if (!b) return vv_fail(VV_ERR_NOMEM, "no memory for an expression");
        *b = (vv_pool_block){.before = p->last, .size = size};
        p->last = b;
    }
    *(void **)out = p->last->data + p->last->used;
    p->last->used += bytes;
    return VV_OK;
}

vv_status vv_pool_text(vv_pool *p, const char *text, size_t n, char **out)
{
    VV_TRY(vv_pool_get(p, n + 1, out));
    if (n) memcpy(*out, text, n);
    (*out)[n] = 0;
    return VV_OK;
}

void vv_pool_free(vv_pool *p)
{
    while (p->last) {
        vv_pool_block *before = p->last->before;
        free(p->last);
        p->last = before;
    }
}

#include "exec/spare.h"

/* Smaller blocks do not go back to the system by themselves. */
enum { WORTH_KEEPING = 64 << 10 };

static void drop(vv_spares *s)
{
    while (s->n > 0) vv_mem_put(&s->block[--s->n]);
}

void vv_spares_open(vv_spares *s)
{
    *s = (vv_spares){.n = 0};
    pthread_mutex_init(&s->lock, NULL);
}

void vv_spares_close(vv_spares *s)
{
    drop(s);
    pthread_mutex_destroy(&s->lock);
}

vv_status vv_spares_get(vv_spares *s, vv_bytes bytes, void **out)
{
    *out = NULL;
    pthread_mutex_lock(&s->lock);
    if (s->n > 0 && s->bytes == bytes)
        *out = s->block[--s->n];
    else
        drop(s);
    pthread_mutex_unlock(&s->lock);
    return *out ? VV_OK : vv_mem_get(out, bytes, "an inbox");
}

void vv_spares_put(vv_spares *s, vv_bytes bytes, void *block)
{
    pthread_mutex_lock(&s->lock);
    if (s->bytes != bytes) drop(s);
    s->bytes = bytes;
    if (bytes >= WORTH_KEEPING && s->n < VV_SPARES) {
        s->block[s->n++] = block;
        block = NULL;
    }
    pthread_mutex_unlock(&s->lock);
    vv_mem_put(&block);
}

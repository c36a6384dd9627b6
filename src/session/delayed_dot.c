/* Delayed calls as a file for Graphviz. */
#include "session/delayed.h"

#include <stdlib.h>

static void put_call(vv_buf *b, const vv_delayed *d)
{
    char name[64];
    const char *at = NULL;
    vv_buf_printf(b, "    n%lld [label=\"%s\"%s];\n", (long long)d->number, vv_delayed_name(d, name, sizeof name),
                  d->impure ? ", style=dashed" : "");
    for (int64_t number; vv_delayed_next(d, &at, &number);)
        vv_buf_printf(b, "    n%lld -> n%lld;\n", (long long)number, (long long)d->number);
}

vv_status vv_delayed_visualise(vv_delayed *const d[], int n, const char *path)
{
    vv_delayed **order;
    int64_t count;
    vv_buf b = {0};
    VV_TRY(vv_delayed_order(d, n, &order, &count));
    vv_buf_text(&b, "digraph calls {\n    rankdir=BT;\n    node [shape=ellipse, fontname=\"sans-serif\"];\n");
    for (int64_t i = 0; i < count; i++) put_call(&b, order[i]);
    vv_buf_text(&b, "}\n");
    free(order);
    vv_status status = vv_buf_status(&b);
    if (status == VV_OK) status = vv_write_text(path, b.data);
    vv_buf_free(&b);
    return status;
}

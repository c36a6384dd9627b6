/* A file with chunks of another shape: 'time=-1,lat=16,lon=16'. */
#include "cli/move.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct chunk_list {
    vv_cli_words dims, lengths;
} chunk_list;

static vv_status take_chunk(chunk_list *x, const char *text)
{
    const char *equals = strchr(text, '=');
    char *end;
    long long n = equals ? strtoll(equals + 1, &end, 10) : 0;
    if (!equals || equals == text || end == equals + 1 || *end || n < -1 || n == 0)
        return vv_error(VV_ERR_USAGE,
                        "--chunk '%s': chunks are written time=-1,lat=16 with lengths above 0, or -1 for all", text);
    vv_status status = vv_cli_words_add(&x->dims, text, (size_t)(equals - text));
    return status == VV_OK ? vv_cli_words_add(&x->lengths, equals + 1, strlen(equals + 1)) : status;
}

/* "time:-1,lat:16", of the dimensions that the variable has; to be freed. */
static char *chunks_of(const vv_cli_move *m, const vv_var_info *v)
{
    const chunk_list *x = m->context;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    for (int i = 0; i < x->dims.n; i++)
        if (vv_cli_move_has_dim(m, v, x->dims.item[i]))
            fprintf(out, "%s%s:%s", ftell(out) > 0 ? "," : "", x->dims.item[i], x->lengths.item[i]);
    return fclose(out) ? NULL : text;
}

static vv_array *rechunked(const vv_cli_move *m, const vv_var_info *v, vv_array *const arrays[])
{
    char *text = chunks_of(m, v);
    vv_array *a = vv_rechunk(arrays[0], text ? text : "");
    free(text);
    return a;
}

vv_status vv_cli_rechunk(vv_session *s, const vv_cli_request *r)
{
    chunk_list x = {0};
    vv_cli_move m = {.dims = &x.dims, .stays = true, .context = &x, .make = rechunked, .results.rechunked = true};
    vv_status status =
        r->chunks.n > 0 ? VV_OK : vv_error(VV_ERR_USAGE, "rechunk needs chunks: -c time=-1,lat=16,lon=16");
    for (int i = 0; i < r->chunks.n && status == VV_OK; i++) status = take_chunk(&x, r->chunks.item[i]);
    if (status == VV_OK) status = vv_cli_move_all(s, r, 0, &m);
    vv_cli_words_free(&x.dims);
    vv_cli_words_free(&x.lengths);
    return status;
}

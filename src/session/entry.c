/* Public functions that need no more than a line of the layers below. */
#include "array/text.h"
#include "base/log.h"
#include "base/text.h"
#include "plan/place.h"
#include "session/session.h"
#include "varve/apply.h"
#include "varve/call.h"
#include "varve/create.h"
#include "varve/fft.h"
#include "varve/move.h"
#include "varve/version.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int vv_session_ranks(const vv_session *s)
{
    return s->net->size;
}

int vv_session_threads(const vv_session *s)
{
    return s->threads;
}

vv_bytes vv_session_memory(const vv_session *s)
{
    return s->memory;
}

vv_status vv_session_set_memory(vv_session *s, vv_bytes per_rank)
{
    if (per_rank <= 0) return vv_fail(VV_ERR_USAGE, "a memory budget must be positive");
    s->memory = per_rank;
    return VV_OK;
}

vv_status vv_session_set_threads(vv_session *s, int per_rank)
{
    enum { MOST = 1024 };
    if (per_rank < 1 || per_rank > MOST) return vv_fail(VV_ERR_USAGE, "threads must be between 1 and %d", MOST);
    s->threads = per_rank;
    return VV_OK;
}

void vv_session_set_progress(vv_session *s, vv_progress_mode mode)
{
    s->progress = mode;
}

vv_status vv_session_set_placement(vv_session *s, const char *name)
{
    if (!strcmp(name, "auto")) {
        s->placement = -1;
        return VV_OK;
    }
    for (int i = 0; i < VV_PLACEMENTS; i++)
        if (!strcmp(name, vv_placement_name[i])) {
            s->placement = i;
            return VV_OK;
        }
    return vv_fail(VV_ERR_USAGE, "there is no placement '%s'; use auto, outputs, leaves or cyclic", name);
}

void vv_session_stats(const vv_session *s, vv_run_stats *out)
{
    *out = s->stats;
}

vv_status vv_session_set_log(vv_session *s, const char *level)
{
    vv_log_level l;
    (void)s;
    VV_TRY(vv_log_parse(level, &l));
    vv_log_set(l);
    return VV_OK;
}

vv_status vv_error(vv_status code, const char *format, ...)
{
    char text[VV_ERROR_TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return vv_fail(code, "%s", text);
}

const char *vv_suggest(const char *word, const char *const candidates[], int n)
{
    return vv_nearest(word, candidates, n);
}

const char *vv_format_bytes(vv_bytes n, char out[32])
{
    return vv_bytes_text(n, out);
}

vv_status vv_parse_bytes(const char *text, vv_bytes *out)
{
    return vv_bytes_parse(text, out);
}

const char *vv_version(void)
{
    return VV_VERSION;
}

vv_index vv_mark(const vv_session *s)
{
    return s->context.made;
}

void vv_release_since(vv_session *s, vv_index mark, vv_array *const keep[], int n_keep)
{
    vv_context_release(&s->context, mark, keep, n_keep);
}

vv_array *vv_full(vv_session *s, const char *dims, const char *chunks, double value, vv_dtype dtype)
{
    return vv_node_full(&s->context, dims, chunks, value, dtype);
}

vv_array *vv_scalar(vv_session *s, double value)
{
    return vv_node_scalar(&s->context, value);
}

vv_array *vv_strings(vv_session *s, const char *dim, const char *const text[], vv_index n)
{
    return vv_node_strings(&s->context, dim, text, n);
}

vv_array *vv_failed(vv_session *s, vv_status why)
{
    (void)why;
    return vv_node_inert(&s->context);
}

vv_array *vv_complex_scalar(vv_session *s, double re, double im)
{
    return vv_node_complex_scalar(&s->context, re, im);
}

vv_array *vv_elementwise(vv_session *s, const char *op, vv_array *const operands[], int n)
{
    return vv_node_elementwise(&s->context, op, operands, n);
}

vv_array *vv_concat(vv_session *s, vv_array *const arrays[], int n, const char *dim)
{
    return vv_node_concat(&s->context, arrays, n, dim);
}

vv_array *vv_stack(vv_session *s, vv_array *const arrays[], int n, const char *new_dim)
{
    return vv_node_stack(&s->context, arrays, n, new_dim);
}

vv_array *vv_einsum(vv_session *s, const char *letters, vv_array *const arrays[], int n)
{
    return vv_node_einsum(&s->context, letters, arrays, n);
}

vv_array *vv_call(vv_session *s, const char *name, vv_array *const operands[], int n, const char *arguments)
{
    return vv_node_call(&s->context, name, operands, n, arguments);
}

vv_array *vv_block(vv_session *s, vv_array *const arrays[], const char *grid)
{
    return vv_node_block(&s->context, arrays, grid);
}

vv_array *vv_arange(vv_session *s, const char *dim, double start, double stop, double step, vv_dtype dtype)
{
    return vv_node_arange(&s->context, dim, start, stop, step, dtype);
}

vv_array *vv_linspace(vv_session *s, const char *dim, double start, double stop, vv_index n, bool open)
{
    return vv_node_linspace(&s->context, dim, start, stop, n, open);
}

vv_array *vv_fftfreq(vv_session *s, const char *dim, vv_index n, double distance)
{
    return vv_node_fftfreq(&s->context, dim, n, distance);
}

vv_array *vv_rfftfreq(vv_session *s, const char *dim, vv_index n, double distance)
{
    return vv_node_rfftfreq(&s->context, dim, n, distance);
}

vv_array *vv_eye(vv_session *s, const char *dims, vv_index k, vv_dtype dtype)
{
    return vv_node_eye(&s->context, dims, k, dtype);
}

vv_array *vv_tri(vv_session *s, const char *dims, vv_index k, vv_dtype dtype)
{
    return vv_node_tri(&s->context, dims, k, dtype);
}

vv_array *vv_indices(vv_session *s, const char *dims, const char *axis, vv_dtype dtype)
{
    return vv_node_indices(&s->context, dims, axis, dtype);
}

void vv_broadcast(vv_session *s, vv_array *const arrays[], int n, vv_array *out[])
{
    vv_node_broadcast(&s->context, arrays, n, out);
}

void vv_broadcast_by_position(vv_session *s, vv_array *const arrays[], int n, vv_array *out[])
{
    vv_node_broadcast_by_position(&s->context, arrays, n, out);
}

vv_array *vv_from_buffer(vv_session *s, const char *dims, const char *chunks, vv_dtype dtype, const void *buffer)
{
    return vv_node_given(&s->context, dims, chunks, dtype, buffer);
}

vv_array *vv_map(vv_session *s, vv_element_function *f, vv_array *const arrays[], int n,
                 const vv_apply_options *options)
{
    return vv_node_user_map(&s->context, f, arrays, n, options);
}

vv_array *vv_fromfunction(vv_session *s, vv_index_function *f, const char *dims, const char *chunks, vv_dtype dtype,
                          const void *data, vv_bytes data_size)
{
    return vv_node_fromfunction(&s->context, f, dims, chunks, dtype, data, data_size);
}

vv_array *vv_from_ranks(vv_session *s, vv_block_function *f, const char *dims, vv_dtype dtype, const void *data,
                        vv_bytes data_size)
{
    return vv_node_from_ranks(&s->context, f, s->net->size, dims, dtype, data, data_size);
}

vv_array *vv_map_blocks(vv_session *s, vv_block_function *f, vv_array *const arrays[], int n,
                        const vv_apply_options *options)
{
    return vv_node_map_blocks(&s->context, f, arrays, n, options);
}

vv_array *vv_blockwise(vv_session *s, vv_block_function *f, const char *letters, vv_array *const arrays[], int n,
                       const vv_apply_options *options)
{
    return vv_node_blockwise(&s->context, f, letters, arrays, n, options);
}

vv_array *vv_map_overlap(vv_session *s, vv_block_function *f, vv_array *const arrays[], int n, const char *depth,
                         const char *boundary, const vv_apply_options *options)
{
    return vv_node_map_overlap(&s->context, f, arrays, n, depth, boundary, options);
}

vv_array *vv_apply_gufunc(vv_session *s, vv_gufunc_function *f, const char *signature, vv_array *const arrays[], int n,
                          const vv_apply_options *options)
{
    return vv_node_gufunc(&s->context, f, signature, arrays, n, options);
}

void vv_apply_gufuncs(vv_session *s, vv_gufuncs_function *f, const char *signature, vv_array *const arrays[], int n,
                      const vv_dtype types[], vv_array *results[], int n_results, const vv_apply_options *options)
{
    vv_node_gufuncs(&s->context, f, signature, arrays, n, types, results, n_results, options);
}

vv_array *vv_random_array(vv_session *s, const char *kind, const char *dims, const char *chunks, uint64_t seed,
                          vv_dtype dtype)
{
    return vv_node_random(&s->context, kind, (double)NAN, (double)NAN, dims, chunks, seed, dtype);
}

vv_array *vv_random_array_of(vv_session *s, const char *kind, double first, double second, const char *dims,
                             const char *chunks, uint64_t seed, vv_dtype dtype)
{
    return vv_node_random(&s->context, kind, first, second, dims, chunks, seed, dtype);
}

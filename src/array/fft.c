/* Fourier transforms: operations on the lanes of one dimension (kernels/block/fft.c), one after the other where there are several. */
#include "array/build.h"

#include "varve/fft.h"
#include "varve/move.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What is to be transformed: along which dimensions, and to which lengths (0: as long as it is). */
typedef struct wanted {
    const char *what; /* "fft" */
    int n, dim[VV_MAX_DIMS];
    vv_index points[VV_MAX_DIMS];
    int norm; /* in the list below */
} wanted;

static const char *const norms[] = {"backward", "ortho", "forward"};
enum { BACKWARD, ORTHO, FORWARD, NORMS };

static vv_status read_norm(const char *norm, int *out)
{
    *out = BACKWARD;
    if (!norm) return VV_OK;
    for (*out = 0; *out < NORMS; ++*out)
        if (!strcmp(norms[*out], norm)) return VV_OK;
    return vv_fail(VV_ERR_USAGE, "there is no norm '%s' of a Fourier transform; use backward, ortho or forward", norm);
}

static vv_status add_dim(const vv_array *a, const vv_item_text *item, wanted *w)
{
    int d;
    VV_TRY(vv_node_find_dim(a, item->name, &d));
    for (int i = 0; i < w->n; i++)
        if (w->dim[i] == d) return vv_fail(VV_ERR_USAGE, "%s: dimension '%s' is named twice", w->what, item->name);
    if (*item->value) VV_TRY(vv_item_number(item, &w->points[w->n]));
    w->dim[w->n++] = d;
    return VV_OK;
}

static vv_status read_wanted(const vv_array *a, const char *what, const char *dims, const char *norm, wanted *w)
{
    *w = (wanted){.what = what};
    VV_TRY(vv_array_status(a));
    VV_TRY(read_norm(norm, &w->norm));
    for (bool any = dims && *dims; any;) {
        vv_item_text item;
        VV_TRY(vv_next_item(&dims, &item, &any));
        if (any) VV_TRY(add_dim(a, &item, w));
    }
    for (int d = 0; w->n == 0 && d < a->shape.nd; d++) w->dim[d] = d;
    if (w->n == 0) w->n = a->shape.nd;
    return w->n ? VV_OK : vv_fail(VV_ERR_SHAPE, "%s of '%s', which has no dimensions", what, a->name);
}

/* What a transform that is divided by its length when `forward` says so is multiplied by. */
static double factor(int norm, bool inverse, vv_index n)
{
    if (norm == ORTHO) return 1 / sqrt((double)n);
    return (norm == FORWARD) != inverse ? 1 / (double)n : 1;
}

/* Along the i-th of the wanted dimensions. Takes `in` over. */
static vv_array *along(vv_array *in, const char *op, bool inverse, const wanted *w, int i)
{
    char name[32];
    int d = w->dim[i];
    bool to_half = !strcmp(op, "rfft"), from_half = !strcmp(op, "irfft");
    if (in->status != VV_OK) return in;
    vv_index n = w->points[i] ? w->points[i] : from_half ? 2 * (in->shape.n[d] - 1) : in->shape.n[d];
    snprintf(name, sizeof name, "lanes_%s", op);
    vv_block_call c = {.op = vv_block_op_find(name), .points = n, .length = to_half ? n / 2 + 1 : n};
    c.scale = factor(w->norm, inverse, vv_imax(1, n));
    c.along[d] = true;
    vv_array *out;
    if (n < 1 || n > INT32_MAX / 2) {
        (void)vv_fail(VV_ERR_SHAPE, "%s of '%s' along '%s': %lld points", w->what, in->name, in->dim[d], (long long)n);
        out = vv_node_inert(in->context);
    } else {
        out = vv_node_lanes(in, &c);
    }
    vv_release(&in);
    return out;
}

static vv_array *failed(vv_array *a)
{
    return vv_node_inert(a->context);
}

static vv_array *complex_transform(vv_array *a, const char *op, const char *dims, const char *norm)
{
    wanted w;
    if (read_wanted(a, op, dims, norm, &w) != VV_OK) return failed(a);
    vv_array *out = vv_node_as_inexact(a);
    for (int i = w.n - 1; i >= 0; i--) out = along(out, op, *op == 'i', &w, i);
    return out;
}

vv_array *vv_fft(vv_array *a, const char *dims, const char *norm)
{
    return complex_transform(a, "fft", dims, norm);
}

vv_array *vv_ifft(vv_array *a, const char *dims, const char *norm)
{
    return complex_transform(a, "ifft", dims, norm);
}

vv_array *vv_rfft(vv_array *a, const char *dims, const char *norm)
{
    wanted w;
    if (read_wanted(a, "rfft", dims, norm, &w) != VV_OK) return failed(a);
    vv_array *out = along(vv_node_as_inexact(a), "rfft", false, &w, w.n - 1);
    for (int i = w.n - 2; i >= 0; i--) out = along(out, "fft", false, &w, i);
    return out;
}

static vv_array *to_reals(vv_array *a, const wanted *w)
{
    vv_array *out = vv_node_as_inexact(a);
    for (int i = 0; i < w->n - 1; i++) out = along(out, "ifft", true, w, i);
    return along(out, "irfft", true, w, w->n - 1);
}

vv_array *vv_irfft(vv_array *a, const char *dims, const char *norm)
{
    wanted w;
    return read_wanted(a, "irfft", dims, norm, &w) == VV_OK ? to_reals(a, &w) : failed(a);
}

/* --- of half a signal: the inverse's work, with the norm the other way round --- */

static vv_status read_half(const vv_array *a, const char *what, const char *dim, const char *norm, wanted *w)
{
    VV_TRY(read_wanted(a, what, dim, norm, w));
    w->norm = w->norm == ORTHO ? ORTHO : w->norm == FORWARD ? BACKWARD : FORWARD;
    if (w->n == 1) return VV_OK;
    return vv_fail(VV_ERR_USAGE, "%s of '%s' over %d dimensions: it is one of a single dimension", what, a->name, w->n);
}

vv_array *vv_hfft(vv_array *a, const char *dim, const char *norm)
{
    wanted w;
    if (read_half(a, "hfft", dim, norm, &w) != VV_OK) return failed(a);
    vv_array *mirrored = vv_conjugate(a), *out = to_reals(mirrored, &w);
    vv_release(&mirrored);
    return out;
}

vv_array *vv_ihfft(vv_array *a, const char *dim, const char *norm)
{
    wanted w;
    if (read_half(a, "ihfft", dim, norm, &w) != VV_OK) return failed(a);
    vv_array *half = along(vv_node_as_inexact(a), "rfft", false, &w, 0);
    return vv_node_then(half, vv_conjugate(half));
}

/* --- frequencies --- */

/* As NumPy rounds them: whole numbers, times one step. */
static vv_array *times_step(vv_array *whole, vv_index n, double distance)
{
    vv_array *step = vv_node_scalar(whole->context, 1 / ((double)n * distance)), *out = vv_mul(whole, step);
    vv_release(&step);
    vv_release(&whole);
    return out;
}

static vv_status check_frequencies(vv_index n, double distance)
{
    if (n >= 1 && n < VV_INDEX_MAX / 2 && isfinite(distance) && distance != 0) return VV_OK;
    return vv_fail(VV_ERR_USAGE, "there are no frequencies of %lld elements at a distance of %g", (long long)n,
                   distance);
}

vv_array *vv_node_fftfreq(vv_context *c, const char *dim, vv_index n, double distance)
{
    if (check_frequencies(n, distance) != VV_OK) return vv_node_inert(c);
    vv_array *half[] = {vv_node_arange(c, dim, 0, (double)((n - 1) / 2 + 1), 1, VV_F64),
                        vv_node_arange(c, dim, (double)-(n / 2), 0, 1, VV_F64)};
    vv_array *both = vv_node_concat(c, half, 2, dim);
    for (int i = 0; i < 2; i++) vv_release(&half[i]);
    return times_step(both, n, distance);
}

vv_array *vv_node_rfftfreq(vv_context *c, const char *dim, vv_index n, double distance)
{
    if (check_frequencies(n, distance) != VV_OK) return vv_node_inert(c);
    return times_step(vv_node_arange(c, dim, 0, (double)(n / 2 + 1), 1, VV_F64), n, distance);
}

/* --- zero frequency in the middle --- */

static vv_array *shifted(vv_array *a, const char *what, const char *dims, bool back)
{
    wanted w;
    if (read_wanted(a, what, dims, NULL, &w) != VV_OK) return failed(a);
    vv_array *out = vv_node_again(a);
    for (int i = 0; i < w.n; i++) {
        vv_index half = a->shape.n[w.dim[i]] / 2;
        out = vv_node_then(out, vv_roll(out, a->dim[w.dim[i]], back ? -half : half));
    }
    return out;
}

vv_array *vv_fftshift(vv_array *a, const char *dims)
{
    return shifted(a, "fftshift", dims, false);
}

vv_array *vv_ifftshift(vv_array *a, const char *dims)
{
    return shifted(a, "ifftshift", dims, true);
}

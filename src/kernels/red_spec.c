#include "kernels/red_spec.h"

#include "base/index.h"
#include "base/mem.h"
#include "kernels/codec/decode.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

vv_status vv_red_spec_new(vv_red_spec **out)
{
    VV_TRY(vv_new(out, 1, sizeof **out));
    (*out)->references = 1;
    return VV_OK;
}

static void free_own(vv_own *o)
{
    if (!o) return;
    for (int i = 0; i < VV_OWN_FUNCTIONS; i++) vv_symbol_free(&o->symbol[i]);
    free(o->name);
    free(o->data);
    free(o);
}

vv_red_spec *vv_red_spec_share(const vv_red_spec *s)
{
    vv_red_spec *shared = (vv_red_spec *)(uintptr_t)s;
    if (shared) shared->references++;
    return shared;
}

void vv_red_spec_free(vv_red_spec **s)
{
    if (*s && --(*s)->references == 0) {
        free((*s)->edge);
        free_own((*s)->own);
        free(*s);
    }
    *s = NULL;
}

static vv_index edges_of(const vv_red_spec *s)
{
    vv_index n = 0;
    for (int k = 0; k < s->n_axes; k++) n += s->n_bins[k] + 1;
    return n;
}

static bool same_own(const vv_own *a, const vv_own *b)
{
    if (!a || !b) return a == b;
    if (strcmp(a->name, b->name) != 0 || a->data_size != b->data_size) return false;
    for (int i = 0; i < VV_OWN_FUNCTIONS; i++)
        if (!vv_symbol_equal(&a->symbol[i], &b->symbol[i])) return false;
    return a->data_size == 0 || !memcmp(a->data, b->data, (size_t)a->data_size);
}

bool vv_red_spec_equal(const vv_red_spec *a, const vv_red_spec *b)
{
    if (a == b) return true;
    if (!a || !b || a->told != b->told || a->room != b->room || a->n_values != b->n_values || a->result != b->result ||
        a->length != b->length || a->state != b->state || a->n_axes != b->n_axes)
        return false;
    if (!same_own(a->own, b->own)) return false;
    for (int k = 0; k < a->n_values; k++)
        if (a->type[k] != b->type[k]) return false;
    for (int k = 0; k < a->n_axes; k++)
        if (a->n_bins[k] != b->n_bins[k]) return false;
    return a->n_axes == 0 || !memcmp(a->edge, b->edge, sizeof *a->edge * (size_t)edges_of(a));
}

/* Bytes of state for a bin: a count, a total of integers, or a sum of reals with what rounding lost from it. */
static vv_bytes bin_bytes(vv_dtype weight)
{
    return weight == VV_F64 ? 16 : 8;
}

static bool axes_ok(const vv_red_spec *s)
{
    vv_index bins = 1;
    const double *e = s->edge;
    if (s->n_axes < 1 || s->n_axes > s->n_values || !e) return false;
    for (int k = 0; k < s->n_axes; k++) {
        if (s->n_bins[k] < 1 || s->n_bins[k] > INT32_MAX - 1 || s->type[k] != VV_F64) return false;
        bins = vv_times(bins, s->n_bins[k]);
    }
    for (int k = 0; k < s->n_axes; e += s->n_bins[k++] + 1)
        for (vv_index i = 0; i < s->n_bins[k]; i++)
            if (!(e[i] <= e[i + 1])) return false;
    return bins == s->length;
}

static bool bins_ok(const vv_red_spec *s)
{
    if (s->told == VV_TOLD_BINS && !axes_ok(s)) return false;
    if (s->told == VV_TOLD_NUMBERS && (s->n_axes || s->type[0] != VV_I64)) return false;
    int first = s->n_axes > 0 ? s->n_axes : 1; /* of the weights */
    vv_dtype weight = s->n_values > first ? s->type[first] : VV_NONE;
    if (s->n_values > first + 1 || s->length < 1 || s->state != s->length * bin_bytes(weight)) return false;
    return weight == VV_NONE ? s->result == VV_I64 : s->result == weight && (weight == VV_I64 || weight == VV_F64);
}

static vv_bytes distinct_bytes(vv_index room)
{
    return 8 * (2 + 2 * room + 2 * vv_distinct_pile(room));
}

static bool room_ok(const vv_red_spec *s)
{
    bool type = s->type[0] == VV_F64 || s->type[0] == VV_I64 || s->type[0] == VV_U64;
    return type && s->n_values == 1 && s->n_axes == 0 && s->room >= 1 && s->room < INT32_MAX / 2 &&
           s->length == 1 + 2 * s->room && s->state == distinct_bytes(s->room) && s->result == VV_I64;
}

static bool own_ok(const vv_red_spec *s)
{
    if (s->n_axes || !s->own->name || s->state % 16 || s->own->data_size < 0) return false;
    if (s->own->data_size > 0 && !s->own->data) return false;
    for (int i = 0; i < VV_OWN_FUNCTIONS; i++)
        if (!s->own->function[i]) return false;
    for (int k = 1; k < s->n_values; k++)
        if (s->type[k] != s->type[0]) return false;
    return vv_working_type(s->result) == s->result && s->result != VV_NONE;
}

enum { PAIR_BYTES = 64 };

static bool pairs_ok(const vv_red_spec *s)
{
    for (int k = 0; k < s->n_values; k++)
        if (s->type[k] != VV_F64) return false;
    return (s->n_values == 2 || s->n_values == 3) && s->n_axes == 0 && s->length == VV_PAIR_MOMENTS &&
           s->state == PAIR_BYTES && s->result == VV_F64;
}

bool vv_red_spec_ok(const vv_red_spec *s)
{
    if (s->n_values < 1 || s->n_values > VV_RED_VALUES || s->length < 0 || s->state < 8 || s->state % 8) return false;
    if (s->length > INT32_MAX) return false;
    for (int k = 0; k < s->n_values; k++)
        if (vv_working_type(s->type[k]) == VV_NONE || vv_working_type(s->type[k]) != s->type[k]) return false;
    if ((s->own != NULL) != (s->told == VV_TOLD_OWN)) return false;
    switch (s->told) {
    case VV_TOLD_ROOM: return room_ok(s);
    case VV_TOLD_OWN: return own_ok(s);
    case VV_TOLD_PAIRS: return pairs_ok(s);
    case VV_TOLD_BINS:
    case VV_TOLD_NUMBERS: return bins_ok(s);
    default: return false;
    }
}

/* --- functions of the user's --- */

static vv_status fill_own(vv_own *o, const char *name, vv_function *const function[], const void *data,
                          vv_bytes data_size)
{
    VV_TRY(vv_strdup(&o->name, name));
    for (int i = 0; i < VV_OWN_FUNCTIONS; i++) {
        o->function[i] = function[i];
        VV_TRY(vv_symbol_find(function[i], &o->symbol[i]));
    }
    o->data_size = data_size;
    if (data_size == 0) return VV_OK;
    VV_TRY(vv_new(&o->data, (size_t)data_size, 1));
    memcpy(o->data, data, (size_t)data_size);
    return VV_OK;
}

vv_status vv_own_spec(const char *name, int n, vv_dtype in, vv_dtype result, vv_bytes state, vv_index length,
                      vv_function *const function[], const void *data, vv_bytes data_size, vv_red_spec **out)
{
    VV_TRY(vv_red_spec_new(out));
    vv_red_spec *s = *out;
    s->told = VV_TOLD_OWN;
    s->n_values = n;
    for (int k = 0; k < n; k++) s->type[k] = in;
    s->result = result;
    s->length = length;
    s->state = (state + 15) / 16 * 16;
    vv_status status = vv_new(&s->own, 1, sizeof *s->own);
    if (status == VV_OK) status = fill_own(s->own, name, function, data, data_size);
    if (status == VV_OK && !vv_red_spec_ok(s)) status = vv_fail(VV_ERR_USAGE, "reduction '%s' makes no sense", name);
    if (status != VV_OK) vv_red_spec_free(out);
    return status;
}

/* --- different elements --- */

vv_index vv_distinct_pile(vv_index room)
{
    return vv_imax(VV_TILE, room / 4);
}

vv_status vv_distinct_spec(vv_index room, vv_dtype type, vv_red_spec **out)
{
    VV_TRY(vv_red_spec_new(out));
    vv_red_spec *s = *out;
    s->told = VV_TOLD_ROOM;
    s->n_values = 1;
    s->type[0] = type;
    s->result = VV_I64;
    s->room = room;
    s->length = 1 + 2 * room;
    s->state = distinct_bytes(room);
    if (vv_red_spec_ok(s)) return VV_OK;
    vv_red_spec_free(out);
    return vv_fail(VV_ERR_UNSUPPORTED, "room for %lld different elements", (long long)room);
}

/* --- histograms --- */

void vv_even_edges(vv_index n, double lo, double hi, bool single, double edges[])
{
    if (lo == hi) {
        lo -= 0.5;
        hi += 0.5;
    }
    double step = (hi - lo) / (double)n;
    for (vv_index i = 0; i < n; i++) edges[i] = (step == 0 ? (double)i / (double)n * (hi - lo) : (double)i * step) + lo;
    edges[n] = hi;
    for (vv_index i = 0; single && i <= n; i++) edges[i] = (double)(float)edges[i];
}

/* Whether the place of an element between the first edge and the last one tells its bin but for one more or less: so it does if it does for the edges. */
static bool is_even(vv_index n, const double e[])
{
    double scale = (double)n / (e[n] - e[0]);
    if (!isfinite(scale) || scale <= 0) return false;
    for (vv_index i = 0; i < n; i++) {
        vv_index at = (vv_index)((e[i] - e[0]) * scale);
        if (at != i && at != i - 1) return false;
    }
    return true;
}

static void counts_or_weights(vv_red_spec *s, vv_dtype weight)
{
    if (weight != VV_NONE) s->type[s->n_values++] = weight;
    s->result = weight == VV_NONE ? VV_I64 : weight;
    s->state = vv_times(s->length, bin_bytes(weight));
}

vv_status vv_histogram_spec(int n_axes, const vv_index n_bins[], const double edges[], vv_dtype weight,
                            vv_red_spec **out)
{
    VV_TRY(vv_red_spec_new(out));
    vv_red_spec *s = *out;
    s->told = VV_TOLD_BINS;
    s->n_values = s->n_axes = n_axes;
    s->length = 1;
    for (int k = 0; k < n_axes; k++) {
        s->type[k] = VV_F64;
        s->n_bins[k] = n_bins[k];
        s->length = vv_times(s->length, n_bins[k]);
    }
    counts_or_weights(s, weight);
    vv_index n = edges_of(s);
    vv_status status = vv_new(&s->edge, (size_t)n, sizeof *edges);
    if (status == VV_OK) memcpy(s->edge, edges, sizeof *edges * (size_t)n);
    if (status == VV_OK && !vv_red_spec_ok(s))
        status = vv_fail(VV_ERR_USAGE, "edges of bins ascend; there are at most %d bins", INT32_MAX);
    if (status != VV_OK)
        vv_red_spec_free(out);
    else
        vv_red_spec_settle(s);
    return status;
}

void vv_red_spec_settle(vv_red_spec *s)
{
    const double *e = s->edge;
    for (int k = 0; k < s->n_axes; e += s->n_bins[k++] + 1) s->even[k] = is_even(s->n_bins[k], e);
}

vv_status vv_bincount_spec(vv_index length, vv_dtype weight, vv_red_spec **out)
{
    VV_TRY(vv_red_spec_new(out));
    vv_red_spec *s = *out;
    s->told = VV_TOLD_NUMBERS;
    s->n_values = 1;
    s->type[0] = VV_I64;
    s->length = length;
    counts_or_weights(s, weight);
    if (vv_red_spec_ok(s)) return VV_OK;
    vv_red_spec_free(out);
    return vv_fail(VV_ERR_USAGE, "bincount: %lld counts; there are 1 to %d", (long long)length, INT32_MAX);
}

/* --- pairs --- */

vv_status vv_pairs_spec(bool weighted, vv_red_spec **out)
{
    VV_TRY(vv_red_spec_new(out));
    vv_red_spec *s = *out;
    s->told = VV_TOLD_PAIRS;
    s->n_values = weighted ? 3 : 2;
    for (int k = 0; k < s->n_values; k++) s->type[k] = VV_F64;
    s->result = VV_F64;
    s->length = VV_PAIR_MOMENTS;
    s->state = PAIR_BYTES;
    return VV_OK;
}

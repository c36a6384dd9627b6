#include "base/reshape.h"

static bool countable(const vv_shape *s)
{
    vv_index n = vv_shape_elements(s);
    for (int d = 0; d < s->nd; d++)
        if (s->n[d] < 1) return false;
    return n < VV_INDEX_MAX;
}

int vv_reshape_pairs(const vv_shape *in, const vv_shape *out, vv_dims_pair pair[VV_MAX_DIMS])
{
    int n = 0, i = 0, k = 0;
    if (!countable(in) || vv_shape_elements(in) != vv_shape_elements(out)) return -1;
    while (i < in->nd && k < out->nd) {
        vv_dims_pair *p = &pair[n++];
        vv_index left = in->n[i], right = out->n[k];
        *p = (vv_dims_pair){i++, 1, k++, 1};
        while (left != right)
            if (left < right) {
                left *= in->n[i++];
                p->n_in++;
            } else {
                right *= out->n[k++];
                p->n_out++;
            }
    }
    if (n == 0) pair[n++] = (vv_dims_pair){0};
    pair[n - 1].n_in += in->nd - i; /* all of length 1 */
    pair[n - 1].n_out += out->nd - k;
    return n;
}

vv_index vv_reshape_stretch(const vv_index n[], int count, vv_index room)
{
    vv_index stretch = 1;
    int d = count - 1;
    while (d > 0 && vv_times(stretch, n[d]) <= room) stretch *= n[d--];
    if (d < 0) return stretch;
    vv_index some = vv_imax(1, vv_imin(n[d], room / stretch)), before = 1;
    for (int k = 0; k < d; k++) before = vv_times(before, n[k]);
    while (before > 1 && n[d] % some) some--; /* each of the dimension's rows is cut alike */
    return stretch * some;
}

bool vv_reshape_cut(const vv_index n[], int count, vv_index stretch, vv_index chunk[])
{
    vv_index before = 1;
    for (int d = count - 1; d >= 0; d--) {
        chunk[d] = vv_imin(stretch, n[d]);
        if (stretch % chunk[d]) return false;
        stretch /= chunk[d];
        if (chunk[d] == n[d]) continue;
        for (int k = 0; k < d; k++) before = vv_times(before, n[k]);
        if (stretch > 1 || (before > 1 && n[d] % chunk[d])) return false;
    }
    return stretch == 1;
}

static bool pair_grid(const vv_grid *in, const vv_dims_pair *p, vv_grid *out)
{
    vv_index stretch = 1, same[VV_MAX_DIMS];
    for (int d = p->in; d < p->in + p->n_in; d++) {
        stretch = vv_times(stretch, vv_imin(in->chunk[d], in->shape.n[d]));
        if (in->shift[d]) return false;
    }
    if (!vv_reshape_cut(in->shape.n + p->in, p->n_in, stretch, same)) return false;
    for (int d = 0; d < p->n_in; d++)
        if (same[d] != vv_imin(in->chunk[p->in + d], in->shape.n[p->in + d])) return false;
    return vv_reshape_cut(out->shape.n + p->out, p->n_out, stretch, out->chunk + p->out);
}

bool vv_reshape_grid(const vv_grid *in, const vv_shape *shape, vv_grid *out)
{
    vv_dims_pair pair[VV_MAX_DIMS];
    int n = vv_reshape_pairs(&in->shape, shape, pair);
    *out = (vv_grid){.shape = *shape};
    for (int d = 0; d < in->shape.nd; d++)
        if (in->chunk[d] < 1) return false;
    for (int i = 0; i < n; i++) {
        const vv_dims_pair *p = &pair[i];
        if (vv_pair_is_single(p)) {
            bool one = vv_grid_count(in, p->in) <= 1;
            out->chunk[p->out] = one ? in->shape.n[p->in] : in->chunk[p->in];
            out->shift[p->out] = one ? 0 : in->shift[p->in];
        } else if (!pair_grid(in, p, out)) {
            return false;
        }
    }
    return n > 0;
}

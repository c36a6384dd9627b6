/* In which order a load walks its data.
 *
 * A load passes elements on to inboxes, and an inbox is held until it has all of them. Where a series at every place is wanted of maps that follow each other in the file,
 * walking the file from its begin completes all inboxes at its end:
 *
 *     file  [time 2920, lat 361, lon 720]     wanted in chunks [2920, 16, 16]     held: everything
 *
 * So such a load walks in bands: first all that lies in the first row of wanted chunks, then in the second one. A band is read in runs that are still long
 * (here 16 x 720 elements of each map), and only one band is held at a time. The load's own result has the dimensions in the order of its walk - lat, time, lon -
 * because work is numbered, and divided among ranks, along it: so bands also stay with one rank, as the rows of wanted chunks do.
 *
 * Dimensions that are cut by who wants them come first, but for the innermost one: elements of a row stay together. Where data is stored in chunks, whole chunks are
 * walked in such an order, the innermost dimension like all others: pieces are cut from them as they lie (exec/push/pass.c). */
#include "plan/lower/build.h"

#include <string.h>

/* Bytes that are read together; elements of a handy chunk, and of the largest; bytes that may as well be held. */
enum { RUN = 16 << 10, UNIT = 256 << 10, LARGEST = 2 << 20, ENOUGH = 16 << 20 };

void vv_walk_note(const vv_step *s, const vv_input *in, const vv_part *part, bool apart, vv_walk *out)
{
    *out = (vv_walk){.apart = apart && part->table_dim < 0,
                     .banded = s->op == VV_STEP_MAP && (s->block || !vv_step_packs(s)) && part->table_dim < 0};
    for (int d = 0; d < part->nd; d++) out->summed[d] = apart && part->dim[d] >= 0 && s->reduced[part->dim[d]];
    for (int d = 0; d < part->nd; d++) {
        int w = part->dim[d];
        out->banded = out->banded && w >= 0 && part->stride[d] == 1 && !in->before[w] && !in->after[w];
        if (!out->banded) return;
        out->chunk[d] = s->work.chunk[w];
        out->origin[d] = part->start[d] - part->box.lo[w] - s->work.shift[w];
    }
}

void vv_walk_merge(const vv_walk *other, int nd, vv_walk *w)
{
    w->apart = w->apart && other->apart && !memcmp(w->summed, other->summed, sizeof w->summed);
    for (int d = 0; d < nd; d++)
        w->banded = w->banded && other->banded && w->chunk[d] == other->chunk[d] && w->origin[d] == other->origin[d];
}

/* What a chunk of the load has along each dimension, as far as runs and wanted chunks say; cut[d]: less than all. */
static void lengths(const vv_walk *w, const vv_box *box, vv_bytes size, vv_index chunk[], bool cut[])
{
    vv_bytes run = size;
    bool open = true;
    for (int d = box->nd - 1; d >= 0; d--) {
        vv_index n = vv_imax(1, box->n[d]), times = open ? vv_ceil_div(RUN, vv_times(run, w->chunk[d])) : 1;
        chunk[d] = vv_imin(n, vv_times(vv_imax(1, times), w->chunk[d]));
        cut[d] = chunk[d] < n;
        run = vv_times(run, chunk[d]);
        open = open && !cut[d];
    }
}

/* Elements that are held until the first wanted chunks are complete, when the file is walked from its begin, and when these dimensions are walked one after the
 * other. */
static vv_index held(const vv_walk *w, const vv_box *box, const int order[], const vv_index chunk[], int cuts)
{
    vv_index n = 1;
    bool complete = true; /* so far, one chunk of the walk is what is wanted */
    for (int k = 0; k < box->nd; k++) {
        int d = order ? order[k] : k;
        vv_index length = vv_imax(1, box->n[d]);
        n = vv_times(n, !complete ? length : k < cuts ? chunk[d] : vv_imin(length, w->chunk[d]));
        complete = complete && (k < cuts || length == 1);
    }
    return n;
}

/* Cut dimensions first, then the others; the innermost last. How many there are of the first kind. */
static int arrange(int nd, const bool cut[], int order[])
{
    int n = 0, cuts;
    for (int d = 0; d < nd - 1; d++)
        if (cut[d]) order[n++] = d;
    cuts = n;
    for (int d = 0; d < nd; d++)
        if (!cut[d] || d == nd - 1) order[n++] = d;
    return cuts;
}

/* Elements of a chunk, with as much of dimensions that nobody cuts as is handy. */
static vv_index cut_rest(const vv_box *box, const int order[], int cuts, vv_index chunk[])
{
    vv_index n = chunk[order[box->nd - 1]];
    for (int k = 0; k < cuts; k++) n = vv_times(n, chunk[order[k]]);
    for (int k = box->nd - 2; k >= cuts; k--) {
        vv_index room = vv_imax(1, UNIT / n), length = vv_imax(1, box->n[order[k]]);
        chunk[order[k]] = vv_ceil_div(length, vv_ceil_div(length, room));
        n = vv_times(n, chunk[order[k]]);
    }
    return n;
}

bool vv_walk_bands(const vv_walk *w, const vv_box *box, vv_bytes size, int order[], vv_grid *grid)
{
    vv_index chunk[VV_MAX_DIMS];
    bool cut[VV_MAX_DIMS];
    if (!w->banded || box->nd < 2) return false;
    lengths(w, box, size, chunk, cut);
    int cuts = arrange(box->nd, cut, order);
    vv_index natural = held(w, box, NULL, chunk, 0);
    if (cuts == 0 || vv_times(natural, size) <= ENOUGH || held(w, box, order, chunk, cuts) > natural / 2) return false;
    if (cut_rest(box, order, cuts, chunk) > LARGEST) return false;
    *grid = (vv_grid){.shape.nd = box->nd};
    for (int k = 0; k < box->nd; k++) {
        int d = order[k];
        grid->shape.n[k] = box->n[d];
        grid->chunk[k] = chunk[d];
        vv_index past = k < cuts ? (box->lo[d] - w->origin[d]) % chunk[d] : 0;
        grid->shift[k] = (past + chunk[d]) % chunk[d];
    }
    return true;
}

static bool is_whole(const vv_box *box, const vv_grid *stored)
{
    for (int d = 0; d < box->nd; d++)
        if (box->lo[d] != 0 || box->n[d] != stored->shape.n[d] || stored->shift[d] != 0) return false;
    return true;
}

static void permuted_grid(const vv_grid *stored, const int order[], vv_grid *out)
{
    *out = (vv_grid){.shape.nd = stored->shape.nd};
    for (int k = 0; k < stored->shape.nd; k++) {
        out->shape.n[k] = stored->shape.n[order[k]];
        out->chunk[k] = stored->chunk[order[k]];
    }
}

/* Whoever multiplies has all of one stretch of what is summed over, and then of the next. */
bool vv_walk_summed(const vv_walk *w, const vv_box *box, const vv_grid *stored, int order[], vv_grid *grid)
{
    int n = 0;
    bool turned = false;
    if (!w->apart || !is_whole(box, stored)) return false;
    for (int summed = 1; summed >= 0; summed--)
        for (int d = 0; d < box->nd; d++)
            if (w->summed[d] == summed) order[n++] = d;
    for (int k = 0, last = -1; k < n; k++) {
        if (vv_grid_count(stored, order[k]) <= 1) continue;
        turned = turned || order[k] < last;
        last = order[k];
    }
    if (!turned) return false;
    permuted_grid(stored, order, grid);
    return true;
}

/* Stored chunks, first those that the first wanted chunks lie in, then the next ones. Whole variables only, whose chunks begin where they do. */
bool vv_walk_chunks(const vv_walk *w, const vv_box *box, const vv_grid *stored, vv_bytes size, int order[],
                    vv_grid *grid)
{
    vv_index chunk[VV_MAX_DIMS];
    int n = 0, cuts, nd = box->nd;
    if (!w->banded || nd < 2 || !is_whole(box, stored)) return false;
    for (int d = 0; d < nd; d++) {
        chunk[d] = stored->chunk[d];
        if (w->chunk[d] < box->n[d]) order[n++] = d;
    }
    cuts = n;
    for (int d = 0; d < nd; d++)
        if (w->chunk[d] >= box->n[d]) order[n++] = d;
    vv_index natural = held(w, box, NULL, chunk, 0);
    if (cuts == 0 || vv_times(natural, size) <= ENOUGH || held(w, box, order, chunk, cuts) > natural / 2) return false;
    permuted_grid(stored, order, grid);
    return true;
}

void vv_walk_permute(const int order[], vv_part *part)
{
    vv_part old = *part;
    for (int k = 0; k < part->nd; k++) {
        int d = order[k];
        part->dim[k] = old.dim[d];
        part->start[k] = old.start[d];
        part->stride[k] = old.stride[d];
        if (old.table_dim == d) part->table_dim = k;
    }
}

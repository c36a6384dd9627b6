/* After the tasks, when the output is written by parallel HDF5: all chunks have waited, in memory or in the scratch file, and now the ranks write them in
 * collective calls.
 *
 * Such a call needs every rank at one place. So there are turns: before each, every rank tells the coordinator the variable (its write step) of its next chunk,
 * or that it has none left, or that it must stop; the lowest answer is what all do. A rank that has nothing for that variable takes part with
 * nothing. The chunk is in memory before its rank speaks: what can fail by itself has not failed then, and a rank that has spoken comes.
 *
 * Until the file is open a rank may leave when it hears that another one has failed. From then on all leave together, by a turn; only when a call
 * itself fails, or a rank is gone, is nobody left to ask: then this rank ends, and the launcher ends the others.
 *
 * At the end every rank reads back what it has written. Open MPI 4.1 returns success from a collective write for which the disk had no room (its component
 * ompio; it only prints a line), and a file with holes must not get its name. */
#include "base/fault.h"
#include "exec/run.h"
#include "kernels/codec/checksum.h"

enum { STOP = -1, NO_ANSWER = -2 };

/* Seconds of patience with other ranks once the user wants an end. */
static const double patience = 2;

/* --- turns --- */

vv_status vv_turn_receive(vv_run *r, const vv_message *m)
{
    if (m->size != sizeof(int)) return vv_fail(VV_ERR_INTERNAL, "a turn from rank %d does not fit", m->from);
    int word = *(const int *)m->data;
    if (r->net->rank != 0) {
        r->turn = word;
        return VV_OK;
    }
    r->turn = word < r->turn ? word : r->turn;
    r->turns_in++;
    return VV_OK;
}

/* Looks after messages without doing anything else: this rank has spoken. */
static vv_status listen(vv_run *r, double *since, vv_backoff *wait)
{
    vv_message m;
    bool got;
    VV_TRY(vv_net_receive(r->net, &m, &got));
    vv_status status = VV_OK;
    if (got) {
        if (m.tag == VV_TAG_TURN) status = vv_turn_receive(r, &m);
        if (m.tag == VV_TAG_CANCEL) status = vv_fail(VV_ERR_CANCELLED, "stopped");
        vv_mem_put(&m.data);
        vv_backoff_reset(wait);
        return status;
    }
    if (*since == 0 && vv_run_signal(r) != VV_OK) *since = vv_now();
    if (*since > 0 && vv_now() - *since > patience)
        return vv_fail(VV_ERR_TERMINATED, "terminated by a signal; another rank does not answer");
    vv_backoff_wait(wait);
    return VV_OK;
}

static vv_status coordinate(vv_run *r, int word, int *turn)
{
    double since = 0;
    vv_backoff wait = {0};
    while (r->turns_in < r->net->size - 1) VV_TRY(listen(r, &since, &wait));
    *turn = word < r->turn ? word : r->turn;
    r->turns_in = 0;
    r->turn = r->plan->n_steps;
    for (int rank = 1; rank < r->net->size; rank++)
        VV_TRY(vv_net_send_surely(r->net, rank, VV_TAG_TURN, turn, sizeof *turn));
    return VV_OK;
}

/* The write step that all ranks do next; n_steps: none is left. */
static vv_status agree(vv_run *r, int word, int *turn)
{
    if (r->net->rank == 0) return coordinate(r, word, turn);
    double since = 0;
    vv_backoff wait = {0};
    r->turn = NO_ANSWER;
    VV_TRY(vv_net_send_surely(r->net, 0, VV_TAG_TURN, &word, sizeof word));
    while (r->turn == NO_ANSWER) VV_TRY(listen(r, &since, &wait));
    *turn = r->turn;
    return VV_OK;
}

/* --- chunks --- */

/* Everything about the next chunk that can fail on this rank alone. */
static vv_status fetch(vv_run *r, vv_packed *k)
{
    VV_TRY(vv_run_signal(r));
    VV_TRY(vv_fault(VV_FAULT_WRITE));
    if (k->data) return VV_OK;
    VV_TRY(vv_mem_get(&k->data, k->at.size, "an output chunk"));
    VV_TRY(vv_packed_read(r, k, k->data));
    if (k->in == VV_PACKED_SCRATCH) vv_spill_drop(vv_store_scratch(r->store), &k->at);
    return VV_OK;
}

/* All ranks. k: what this one writes; NULL for nothing. */
static vv_status write_turn(vv_run *r, vv_collective *file, int step, vv_packed *k)
{
    const vv_step *s = &r->plan->step[step];
    vv_box box;
    int64_t begin = vv_ticks();
    if (k) vv_grid_box(&s->grid, k->chunk, &box);
    vv_status status = vv_collective_write(file, s->to.address, k ? &box : NULL, k ? k->data : NULL);
    if (status != VV_OK) return vv_error_prefix("output variable '%s', rank %d", s->name, vv_this_rank());
    if (!k) return VV_OK;
    vv_mem_put(&k->data);
    vv_note_written(r, step, k->at.size);
    vv_spend(&r->stage[step], VV_SPENT_WRITE, vv_ticks() - begin);
    return VV_OK;
}

/* A call of all ranks has failed here, or an answer does not come: others may wait for this rank for ever. */
static vv_status end_all(vv_run *r, vv_status status)
{
    if (r->net->size == 1) return status;
    vv_failure failure;
    vv_error_get(&failure);
    vv_output_path_discard(r->plan->output);
    vv_error_set(&failure);
    r->net->broken = true;
    return status;
}

typedef struct writing {
    vv_collective *file; /* NULL: not open yet */
    vv_packed *next, *end;
    vv_failure failure; /* of this rank alone; code VV_OK for none */
    bool stopped;       /* some rank has one */
} writing;

/* What this rank would do next. */
static int word_of(vv_run *r, writing *w)
{
    if (w->next < w->end && fetch(r, w->next) != VV_OK) {
        (void)!vv_error_prefix("output variable '%s', chunk %lld, rank %d", r->plan->step[w->next->step].name,
                               (long long)w->next->chunk, vv_this_rank());
        vv_error_get(&w->failure);
        return STOP;
    }
    return w->next < w->end ? w->next->step : r->plan->n_steps;
}

static vv_status take_turns(vv_run *r, writing *w)
{
    for (;;) {
        int turn;
        VV_TRY(agree(r, word_of(r, w), &turn));
        w->stopped = turn == STOP;
        if (turn == STOP || turn == r->plan->n_steps) return VV_OK;
        if (!w->file) VV_TRY(vv_collective_open(r->plan->output, r->net->communicator, &w->file));
        bool has = w->next < w->end && w->next->step == turn;
        VV_TRY(write_turn(r, w->file, turn, has ? w->next : NULL));
        w->next += has;
    }
}

/* --- looking at it --- */

static vv_status check_one(vv_run *r, vv_collective *file, const vv_packed *k, char *room)
{
    const vv_step *s = &r->plan->step[k->step];
    vv_box box;
    vv_grid_box(&s->grid, k->chunk, &box);
    VV_TRY(vv_run_signal(r));
    vv_status status = vv_collective_read(file, s->to.address, &box, room);
    if (status == VV_OK && vv_checksum_of(room, k->at.size) != k->at.sum)
        status =
            vv_fail(VV_ERR_WRITE, "%s gives back something else than was written: is the disk full?", r->plan->output);
    if (status == VV_OK) return VV_OK;
    return vv_error_prefix("output variable '%s', chunk %lld, rank %d", s->name, (long long)k->chunk, vv_this_rank());
}

static vv_status check_all(vv_run *r)
{
    vv_collective *file = NULL;
    char *room = NULL;
    vv_bytes most = 0;
    for (vv_index i = 0; i < r->n_packed; i++) most = vv_imax(most, r->packed[i].at.size);
    VV_TRY(vv_mem_get(&room, most, "an output chunk"));
    vv_status status = vv_collective_look(r->plan->output, &file);
    for (vv_index i = 0; i < r->n_packed && status == VV_OK; i++) status = check_one(r, file, &r->packed[i], room);
    vv_mem_put(&room);
    vv_failure first;
    vv_error_get(&first);
    vv_status closed = vv_collective_close(&file);
    if (status == VV_OK) return closed;
    vv_error_set(&first);
    return status;
}

vv_status vv_write_collectively(vv_run *r)
{
    writing w = {.next = r->packed, .end = r->packed + r->n_packed};
    vv_packed_sort(r);
    vv_status status = take_turns(r, &w);
    if (status == VV_ERR_CANCELLED && !w.file) return status;
    if (status == VV_OK) status = vv_collective_close(&w.file);
    if (status != VV_OK) return end_all(r, status);
    if (w.failure.code != VV_OK) {
        vv_error_set(&w.failure);
        return w.failure.code;
    }
    if (w.stopped) return vv_fail(VV_ERR_CANCELLED, "stopped");
    if (r->n_packed == 0) return VV_OK;
    VV_TRY(check_all(r));
    return vv_run_output(r); /* to be synced */
}

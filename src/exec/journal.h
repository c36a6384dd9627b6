/* The journal of a run: partial results on disk, so that a run that was ended - by its time limit, a signal, a lost node - can be gone on with.
 *
 * What is kept are nodes of the trees of partial results (plan/place.h): what a node holds depends on the expression and the data alone, whoever made it. So
 * any number of ranks can go on, any mixture of nodes is right, and the results have the same bits. A rank has two files in the journal's directory:
 *
 *   RUN-RANK.done   finished output chunks, appended one by one
 *   RUN-RANK.open   the nodes that wait for others: all of them, written anew each time, beside the old file and then in its place
 *
 * A record is a head with a checksum of its own, and its values. A file that ends in the middle of a record, as after a power cut, counts up to there. A node that
 * is in no file is only worked out again: nothing here can make a result wrong, and a disk that is full ends the journal, not the run.
 *
 * On the way back a unit (plan/place.h) that a node covers is not computed: the first leaf of the node brings the node instead, the others bring nothing. */
#ifndef VV_EXEC_JOURNAL_H
#define VV_EXEC_JOURNAL_H

#include "plan/place.h"

typedef struct vv_journal vv_journal;

/* Values of a node: what vv_journal_put writes. */
typedef struct vv_record {
    int step;
    vv_index out, level, i;
    const void *values;
    vv_bytes size;
} vv_record;

/* This rank's part of plan->journal; *out stays NULL when the plan has none. */
VV_WARN_UNUSED vv_status vv_journal_open(const vv_plan *p, int rank, vv_journal **out);
void vv_journal_close(vv_journal **j);

/* --- writing --- */

/* A finished output chunk. Any thread. */
void vv_journal_done(vv_journal *j, const vv_record *r);
/* All that is open, by the main thread: begin, each record, end. It is time for that; asked: how often it was asked for. */
bool vv_journal_due(vv_journal *j, int asked);
void vv_journal_begin(vv_journal *j);
void vv_journal_put(vv_journal *j, const vv_record *r);
void vv_journal_end(vv_journal *j);

/* --- going on --- */

/* The node that covers a unit, NULL for none. Any thread. */
const vv_saved *vv_journal_find(const vv_journal *j, int step, vv_unit u);
/* Whether this very node is there. */
bool vv_journal_has(const vv_journal *j, const vv_record *r);
/* Its values. */
VV_WARN_UNUSED vv_status vv_journal_take(const vv_journal *j, const vv_saved *node, void *values);

/* Coordinator: the nodes in a directory that steps of this plan can use, into p->saved; those that others cover are left out. */
VV_WARN_UNUSED vv_status vv_journal_look(const char *directory, vv_plan *p);

#endif

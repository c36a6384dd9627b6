/* The journal of a run: partial results on disk, so that a run that was ended - by its time limit, a signal, a lost node - can be gone on with.
 *
 * What is kept are nodes of the trees of partial results (plan/place.h), and finished chunks as they are stored: what these hold depends on the expression and the
 * data alone, whoever made it. So any number of ranks can go on, any mixture of them is right, and the results have the same bits. A rank has two files in the
 * journal's directory:
 *
 *   RUN-RANK.done   what is finished, appended one by one: roots of trees; chunks of the output that have no place in it yet, as they are compressed; and of chunks that
 *                   have one only that they are there. These are noted when the output has been synced (vv_journal_end): what a record speaks of is on the disk
 *   RUN-RANK.open   the nodes that wait for others: all of them, written anew each time, beside the old file and then in its place
 *   RUN.varve-part  the output as it was when the run ended
 *
 * A record is a head with a checksum of its own, and its values. A file that ends in the middle of a record, as after a power cut, counts up to there. What
 * is in no file is only worked out again: nothing here can make a result wrong, and a disk that is full ends the journal, not the run.
 *
 * On the way back a unit (plan/place.h) that a node covers is not computed: the first leaf of the node brings the node instead, the others bring nothing. Chunks go to the
 * new output (restore.c). What is not needed for anything else is not computed either (spared.h). */
#ifndef VV_EXEC_JOURNAL_H
#define VV_EXEC_JOURNAL_H

#include "exec/push/spill.h"
#include "plan/place.h"
#include "storage/storage.h"

typedef struct vv_journal vv_journal;

/* Values of a node: what vv_journal_put writes. */
typedef struct vv_node_record {
    int step;
    vv_index out, level, i;
    const void *values;
    vv_bytes size;
} vv_node_record;

/* This rank's part of plan->journal; *out stays NULL when the plan has none. */
VV_WARN_UNUSED vv_status vv_journal_open(const vv_plan *p, int rank, vv_journal **out);
void vv_journal_close(vv_journal **j);

/* --- writing --- */

/* A finished output chunk. Any thread. */
void vv_journal_done(vv_journal *j, const vv_node_record *r);
/* The same of a write step's chunk that will be read again: where it is; false when it could not be kept. */
bool vv_journal_chunk(vv_journal *j, const vv_node_record *r, vv_extent *out);
VV_WARN_UNUSED vv_status vv_journal_read(vv_journal *j, const vv_extent *e, void *out);
/* A chunk of a write step that has been written to the output, where it lies at `at`, with this checksum: it will be noted. r->values does not count. Any thread. */
void vv_journal_placed(vv_journal *j, const vv_node_record *r, vv_bytes at, uint64_t sum);
/* All that is open, by the main thread: begin, each record, end. It is time for that; asked: how often it was asked for. out: the output, as far as this rank has
 * written to it; NULL: it has not. */
bool vv_journal_due(vv_journal *j, int asked);
void vv_journal_begin(vv_journal *j);
void vv_journal_put(vv_journal *j, const vv_node_record *r);
void vv_journal_end(vv_journal *j, const vv_raw_out *out);

/* --- going on --- */

/* The node that covers a unit, NULL for none; a write step's chunk, likewise. Pure functions of the plan. */
const vv_saved *vv_saved_find(const vv_plan *p, int step, vv_unit u);
const vv_saved *vv_saved_chunk(const vv_plan *p, int step, vv_index out);
/* Whether this very node is there. */
bool vv_saved_has(const vv_plan *p, const vv_node_record *r);
/* Its values, unless they are placed. */
VV_WARN_UNUSED vv_status vv_saved_take(const vv_plan *p, const vv_saved *node, void *values);
/* The path of what a run has left of its output; freed with free(). */
VV_WARN_UNUSED vv_status vv_journal_part(const char *directory, int run, char **out);

/* Whether all of a record's values are there: a power cut may leave holes where they were not on the disk yet. */
bool vv_journal_whole(const char *directory, const vv_saved *record);
/* The same of many. */
typedef vv_status vv_journal_check(void *context, const char *directory, vv_index n, const vv_saved *const record[],
                                   bool whole[]);
/* Coordinator: the nodes in a directory that steps of this plan can use, into p->saved; those that others cover are left out. It reads heads only; `check` is given the records whose values
 * have to be looked at. *foreign: there are some of no step. */
VV_WARN_UNUSED vv_status vv_journal_look(const char *directory, vv_plan *p, vv_journal_check *check, void *context,
                                         bool *foreign);

#endif

/* Expected time: what a plan asks for, divided by what a machine does in a second.
 *
 * A machine is a row of rates, measured once (`varve bench machine`) and kept in a file; without one, figures of an ordinary server core stand in. The
 * model follows some ranks through their units (cost.h, vv_tally_rank), so that it needs neither the data nor the ranks: a run on thousands of ranks is modelled in
 * a moment. A rank's time is the sum of its reading, computing, sending and writing; threads share the work of a rank evenly; nothing is assumed to
 * overlap. So a model errs on the slow side.
 *
 * What ranks share is divided among them: the cores of a machine, where these are fewer than threads (vv_elsewhere.load), and the one file that all of them write, which takes
 * writers in turn. What a run costs besides its steps is counted once: making the output and bringing it safely to the disk, or else the agreement of ranks at the end. */
#ifndef VV_PLAN_MODEL_H
#define VV_PLAN_MODEL_H

#include "plan/cost/cost.h"

/* Rates of one thread, per second; they are what the file holds. X(FIELD, default, help) */
#define VV_MACHINE_LIST(X)                                                                                             \
    X(read, 7.0e9, "bytes read, file in the page cache")                                                               \
    X(inflate, 0.5e9, "bytes that come out of inflating")                                                              \
    X(chunks, 0.25e6, "stored chunks read and inflated, beside their bytes")                                           \
    X(deflate, 0.09e9, "bytes that go into deflating, level 1")                                                        \
    X(fold, 7.8e9, "bytes of values decoded and folded by a reduction")                                                \
    X(copy, 5.2e9, "bytes copied in memory")                                                                           \
    X(inbox, 1.5e9, "bytes put into inboxes")                                                                          \
    X(operation, 1.5e9, "values through one elementwise operation")                                                    \
    X(function, 0.4e9, "values through a transcendental function")                                                     \
    X(window, 0.2e9, "values through a window or a scan")                                                              \
    X(random, 0.2e9, "random values made")                                                                             \
    X(element, 0.1e9, "elements of virtual variables made")                                                            \
    X(flops, 60e9, "additions and multiplications of a product of f64; of f32 it has twice as many")                   \
    X(write, 1.0e9, "bytes written to a file by a rank that is alone with it")                                         \
    X(file, 1.5e9, "bytes written to a file by all ranks of a machine together")                                       \
    X(outputs, 100, "files made, brought to the disk and given their names")                                           \
    X(pages, 2.0e9, "bytes of memory that come from the system and go back")                                           \
    X(network, 5.0e9, "bytes between ranks")                                                                           \
    X(messages, 1.0e6, "messages between ranks")                                                                       \
    X(tasks, 1.0e6, "tasks without work")                                                                              \
    X(plans, 200, "plans without work, on several ranks")

typedef struct vv_machine {
#define VV_MACHINE_FIELD(name, value, help) double name;
    VV_MACHINE_LIST(VV_MACHINE_FIELD)
#undef VV_MACHINE_FIELD
} vv_machine;

typedef struct vv_machine_rate {
    const char *name, *help;
    size_t offset;
    double usual;
} vv_machine_rate;
extern const vv_machine_rate vv_machine_rates[];
extern const int vv_n_machine_rates;

void vv_machine_usual(vv_machine *out);
/* Where rates are kept: $VARVE_MACHINE, else machine.json in varve's folder of the user's configuration. NULL when there is no such place. */
char *vv_machine_path(void);
/* path NULL: that place, and the usual rates when there is no file; *measured tells. Rates that a file does not have are the usual ones. */
VV_WARN_UNUSED vv_status vv_machine_load(const char *path, vv_machine *out, bool *measured);
VV_WARN_UNUSED vv_status vv_machine_save(const char *path, const vv_machine *m);

/* --- the model --- */

/* Zero: as the plan has it, or as the machine has it. */
typedef struct vv_elsewhere {
    int ranks;
    double network; /* bytes per second and rank, between machines where these are told */
    double latency; /* seconds per message */
    double disk;    /* bytes per second and rank, reading and writing */
    int nodes;      /* machines, which share the ranks evenly */
    double load;    /* threads for each core */
} vv_elsewhere;

typedef struct vv_seconds {
    double read, compute, send, write;
} vv_seconds;
static inline double vv_seconds_sum(const vv_seconds *s)
{
    return s->read + s->compute + s->send + s->write;
}

typedef struct vv_model {
    int ranks, sampled;    /* how many of them were followed */
    vv_seconds mean;       /* of the ranks */
    vv_seconds most;       /* of the slowest one */
    double imbalance;      /* its time over the mean */
    double messages, sent; /* by a rank on average */
    double across;         /* of what it sends: to other machines */
    double messages_most, sent_most;
    vv_seconds *step; /* of the slowest rank, by step: n_steps */
} vv_model;

/* Pieces that chunks are cut into for the inboxes of a step, about. */
vv_index vv_model_pieces(const vv_plan *p, const vv_step *s);

/* index: as for counting; may be NULL. */
VV_WARN_UNUSED vv_status vv_model_of(const vv_plan *p, const vv_chunk_at *const index[], const vv_machine *m,
                                     const vv_elsewhere *e, vv_model *out);
void vv_model_free(vv_model *m);

#endif

/* Planted faults: VV_FAULT=site:n[+][@rank][!kill|!wait] makes the n-th visit of a site fail (with +, each one from there on; on one rank, or on every rank
 * that gets there), or kills the process there, or has it say so and wait for a signal: then a test can do things to a run that is known to be in the middle. Each place where the outside world can fail is a site; tests walk the list and demand that nothing hangs
 * and nothing is lost. A visit costs one relaxed load when no fault is planted.
 *
 *     VV_TRY(vv_fault(VV_FAULT_READ_CHUNK));
 */
#ifndef VV_BASE_FAULT_H
#define VV_BASE_FAULT_H

#include "base/status.h"

/* X(ENUM, name, what happens there) */
#define VV_FAULT_LIST(X)                                                                                               \
    X(OPEN_INPUT, "open", "an input file is opened")                                                                   \
    X(CHUNK_INDEX, "index", "a chunk index is collected")                                                              \
    X(READ_CHUNK, "read", "stored bytes are read")                                                                     \
    X(INFLATE, "inflate", "a chunk is decompressed")                                                                   \
    X(ALLOC, "alloc", "a block is allocated")                                                                          \
    X(PLAN_SEND, "plan-send", "the plan is sent to the ranks")                                                         \
    X(PLAN_DECODE, "plan-decode", "a rank decodes the plan")                                                           \
    X(START, "start", "a rank prepares its tasks")                                                                     \
    X(TASK, "task", "a task starts")                                                                                   \
    X(SEND, "send", "a block is sent to another rank")                                                                 \
    X(RECEIVE, "receive", "a block arrives from another rank")                                                         \
    X(FINISH, "finish", "a result chunk is finished")                                                                  \
    X(SPILL_WRITE, "spill", "bytes go to the scratch file")                                                            \
    X(SPILL_READ, "unspill", "bytes come back from the scratch file")                                                  \
    X(CREATE_OUTPUT, "create", "the output file is created")                                                           \
    X(COMPRESS, "compress", "an output chunk is compressed")                                                           \
    X(WRITE, "write", "output bytes are written")                                                                      \
    X(PLACE, "place", "output chunks are given their place")                                                           \
    X(SYNC, "sync", "the output is synced to disk")                                                                    \
    X(RENAME, "rename", "the output gets its final name")

typedef enum vv_fault_site {
#define VV_FAULT_ENUM(ENUM, name, what) VV_FAULT_##ENUM,
    VV_FAULT_LIST(VV_FAULT_ENUM)
#undef VV_FAULT_ENUM
        VV_FAULT_SITES
} vv_fault_site;

/* Reads VV_FAULT from the environment; a malformed value is an error. Call after vv_set_rank(). */
VV_WARN_UNUSED vv_status vv_fault_setup(void);
VV_WARN_UNUSED vv_status vv_fault(vv_fault_site site);
const char *vv_fault_name(vv_fault_site site);

#endif

/* What ranks say to each other about tasks: small records that wait for each other and go in one message for each rank and turn, and values.
 *
 * All messages from one rank to another are numbered, whatever they hold, and are taken in that order: transports may deliver them otherwise. So what was said first is
 * known first (a function before its call, a value before what was said behind it), and a message that is lost is missed: at the latest when the rank that waits for something asks (ping), and the answer
 * has a number that it cannot have yet.
 *
 * What a rank tells itself goes the same way without any message. One thread uses a wire. */
#ifndef VV_EXEC_TASKS_WIRE_H
#define VV_EXEC_TASKS_WIRE_H

#include "base/text.h"
#include "exec/net/net.h"

/* What a record is about; what else it has in brackets. */
typedef enum vv_saying {
    /* the desk to a host */
    VV_SAY_FUNCTION = 1, /* [id: its number; body: the symbol] */
    VV_SAY_RUN,          /* [id; body: vv_run_head and arguments] */
    VV_SAY_DROP,         /* [id] the value is not needed any more */
    VV_SAY_CANCEL,       /* [id] */
    VV_SAY_TAKE,         /* [a: how many] give tasks back that have not begun */
    VV_SAY_PAUSE,
    VV_SAY_RESUME,
    VV_SAY_END,
    /* a host to the desk */
    VV_SAY_DID,     /* [id, a: kind, x: seconds; body: a small value, else size in the body as an int64] */
    VV_SAY_FAILED,  /* [id, x: seconds; body: vv_failure up to the end of its text] */
    VV_SAY_BACK,    /* [id] not begun */
    VV_SAY_TOOK,    /* [a: how many came back] the answer to TAKE */
    VV_SAY_SUBMIT,  /* [id: its own number; body: vv_submit_head and arguments] by a task */
    VV_SAY_BECOMES, /* [id, x: seconds; body: int64, the number of a SUBMIT of the same task] */
    VV_SAY_STOPPED, /* the answer to PAUSE: nothing is under way here */
    VV_SAY_ENDED,   /* the answer to END */
    VV_SAY_BROKEN,  /* [body: vv_failure] this rank cannot go on */
    /* anyone to anyone */
    VV_SAY_WANT,  /* [id] */
    VV_SAY_VALUE, /* [id, a: kind; body: the value] the answer; the desk to a host: keep this, and say DID */
    VV_SAY_GONE,  /* [id] the answer when there is none */
    VV_SAY_PING,
    VV_SAY_PONG
} vv_saying;

typedef struct vv_record {
    int32_t say, a;
    int64_t id;
    double x;
    vv_bytes size; /* of the body, which follows and is padded to 16 bytes */
} vv_record;

/* body is aligned to 16 bytes and valid during the call; of a VALUE of its own message *block is that message, to be kept by setting it to NULL. */
typedef vv_status vv_wire_taker(void *context, int from, const vv_record *r, const void *body, void **block);

typedef struct vv_wire_peer {
    vv_buf out;           /* records to be sent */
    int64_t sent, taken;  /* messages */
    double heard, missed; /* when the last one came; since when one is missing, 0: none is */
    bool asked;           /* a ping is under way */
    struct vv_wire_early *early;
} vv_wire_peer;

typedef struct vv_wire {
    vv_net *net;
    vv_wire_peer *peer; /* by rank */
    vv_wire_taker *take;
    void *context;
    int64_t epoch;   /* messages of another one are what a failure has left behind */
    double patience; /* seconds until a missing message is an error */
    int64_t lose;    /* for tests: the message that is lost, 0: none */
    uint64_t fuzz;   /* for tests: messages wait at random */
} vv_wire;

VV_WARN_UNUSED vv_status vv_wire_open(vv_wire *w, vv_net *net, int64_t epoch, vv_wire_taker *take, void *context);
void vv_wire_close(vv_wire *w);

/* Adds a record to what goes to a rank; r->size bytes of body, in two parts if need be. */
void vv_wire_say(vv_wire *w, int to, const vv_record *r, const void *body);
/* A value, as a message of its own: copied. */
VV_WARN_UNUSED vv_status vv_wire_value(vv_wire *w, int to, int64_t id, int kind, const void *data, vv_bytes size);
/* Sends what waits; takes what this rank has told itself. */
VV_WARN_UNUSED vv_status vv_wire_flush(vv_wire *w, bool *moved);
/* Sends what waits for one rank. */
VV_WARN_UNUSED vv_status vv_wire_send(vv_wire *w, int to);
/* A message of VV_TAG_TASK or VV_TAG_VALUE; its data is taken if need be. */
VV_WARN_UNUSED vv_status vv_wire_receive(vv_wire *w, vv_message *m);
/* Something is expected from a rank, and nothing comes: asks it now and then. Fails when a message is lost. */
VV_WARN_UNUSED vv_status vv_wire_expect(vv_wire *w, int from);

static inline vv_bytes vv_wire_padded(vv_bytes size)
{
    return (size + 15) & ~(vv_bytes)15;
}

#endif

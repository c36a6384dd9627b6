/* Ranks that talk through MPI. The only file that includes mpi.h.
 *
 * Large messages are announced (VV_TAG_BIG) and follow in pieces on a second communicator, so that no MPI count reaches 2^31 and a probe
 * for any tag never meets a piece. VV_MPI_PIECE sets the bytes of a piece, for tests. For tests, too: VARVE_NODES, so many machines, to which
 * ranks are dealt out in turn; VARVE_NODE_ORDER=0, ranks keep the launcher's numbers, whatever machines they are on. */
#include "exec/net/bell.h"
#include "exec/net/net.h"
#include "plan/cost/cost.h"

#include <mpi.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 28 };

#ifdef __SANITIZE_ADDRESS__
/* Reports of leaks name the module that allocated: MPI must not unload its plug-ins before they are written. */
VV_API int dlclose(void *module);
int dlclose(void *module)
{
    return module == NULL;
}
#endif

/* A message on its way, in either direction. */
typedef struct flight {
    struct flight *next;
    int n; /* requests */
    MPI_Request *request;
    vv_message m;
    int64_t big[2]; /* of an announcement: tag and size */
} flight;

typedef struct mpi {
    vv_net net;
    MPI_Comm comm, pieces;
    vv_bytes piece;
    flight *out, *in;
    vv_bytes taken; /* by messages that are coming in: who sends more has to wait */
    vv_agreement *agreement, mine;
    int64_t lowest, my_lowest; /* failing rank, size when none */
    MPI_Request agree[3];
    enum {
        REDUCING,
        SPREADING,
        CLOSING
    } stage; /* of an agreement; closing: all have agreed, nobody receives until all know */
} mpi;

static vv_status check(int code, const char *what)
{
    if (code == MPI_SUCCESS) return VV_OK;
    char text[MPI_MAX_ERROR_STRING];
    int n = 0;
    MPI_Error_string(code, text, &n);
    return vv_fail(VV_ERR_MPI, "%s: %.*s", what, n, text);
}

static void flight_free(flight *f)
{
    vv_mem_put(&f->m.data);
    free(f->request);
    free(f);
}

static vv_status flight_new(int requests, flight **out)
{
    flight *f;
    VV_TRY(vv_new(&f, 1, sizeof *f));
    vv_status status = vv_new(&f->request, (size_t)requests, sizeof *f->request);
    if (status != VV_OK) {
        free(f);
        return status;
    }
    for (int i = 0; i < requests; i++) f->request[i] = MPI_REQUEST_NULL;
    *out = f;
    return VV_OK;
}

static int pieces_of(const mpi *p, vv_bytes size)
{
    return size <= p->piece ? 0 : (int)vv_ceil_div(size, p->piece);
}

static vv_bytes piece_size(const mpi *p, vv_bytes size, int i)
{
    return vv_imin(p->piece, size - p->piece * i);
}

static vv_status start_send(mpi *p, flight *f, int to)
{
    int n = pieces_of(p, f->m.size);
    if (n == 0)
        return check(MPI_Issend(f->m.data, (int)f->m.size, MPI_BYTE, to, f->m.tag, p->comm, &f->request[f->n++]),
                     "MPI_Issend");
    f->big[0] = f->m.tag;
    f->big[1] = f->m.size;
    VV_TRY(
        check(MPI_Issend(f->big, sizeof f->big, MPI_BYTE, to, VV_TAG_BIG, p->comm, &f->request[f->n++]), "MPI_Issend"));
    for (int i = 0; i < n; i++)
        VV_TRY(check(MPI_Issend((char *)f->m.data + p->piece * i, (int)piece_size(p, f->m.size, i), MPI_BYTE, to, 0,
                                p->pieces, &f->request[f->n++]),
                     "MPI_Issend"));
    return VV_OK;
}

static vv_status mpi_send(vv_net *net, int to, vv_tag tag, void *data, vv_bytes size)
{
    mpi *p = (mpi *)net;
    flight *f = NULL;
    vv_status status = flight_new(1 + pieces_of(p, size), &f);
    if (status != VV_OK) {
        vv_mem_put(&data);
        return status;
    }
    f->m = (vv_message){to, tag, size, data};
    f->next = p->out;
    p->out = f;
    net->sending++;
    net->sending_bytes += size;
    return start_send(p, f, to);
}

/* Frees the flights of a list that have landed; calls nothing else. */
static vv_status sweep_sends(mpi *p)
{
    for (flight **at = &p->out; *at;) {
        flight *f = *at;
        int done;
        VV_TRY(check(MPI_Testall(f->n, f->request, &done, MPI_STATUSES_IGNORE), "MPI_Testall"));
        if (!done) {
            at = &f->next;
            continue;
        }
        *at = f->next;
        p->net.sending--;
        p->net.sending_bytes -= f->m.size;
        flight_free(f);
    }
    return VV_OK;
}

/* Room for an incoming message. One that goes over the budget is received all the same - its sender cannot finish otherwise - and the
 * failure is returned in *over once it is under way. */
static vv_status room(const mpi *p, flight *f, vv_status *over)
{
    if (p->net.discarding) vv_mem_set_budget(0, 0);
    *over = vv_mem_get(&f->m.data, f->m.size, "a message from another rank");
    if (*over != VV_ERR_BUDGET) return *over;
    vv_mem_set_budget(0, 0);
    vv_failure first;
    vv_error_get(&first);
    VV_TRY(vv_mem_get(&f->m.data, f->m.size, "a message from another rank"));
    vv_error_set(&first);
    return VV_OK;
}

static vv_status start_receive(mpi *p, MPI_Message *message, const MPI_Status *s)
{
    int count;
    MPI_Get_count(s, MPI_BYTE, &count);
    int64_t big[2] = {s->MPI_TAG, count};
    bool announced = s->MPI_TAG == VV_TAG_BIG;
    if (announced) VV_TRY(check(MPI_Mrecv(big, sizeof big, MPI_BYTE, message, MPI_STATUS_IGNORE), "MPI_Mrecv"));
    flight *f;
    VV_TRY(flight_new(1 + pieces_of(p, big[1]), &f));
    f->m = (vv_message){.from = s->MPI_SOURCE, .tag = (vv_tag)big[0], .size = big[1]};
    vv_status over, status = room(p, f, &over);
    if (status != VV_OK) {
        flight_free(f);
        return status;
    }
    f->next = p->in;
    p->in = f;
    p->taken += f->m.size;
    if (!announced) VV_TRY(check(MPI_Imrecv(f->m.data, count, MPI_BYTE, message, &f->request[f->n++]), "MPI_Imrecv"));
    for (int i = 0; announced && i < pieces_of(p, f->m.size); i++)
        VV_TRY(check(MPI_Irecv((char *)f->m.data + p->piece * i, (int)piece_size(p, f->m.size, i), MPI_BYTE, f->m.from,
                               0, p->pieces, &f->request[f->n++]),
                     "MPI_Irecv"));
    return over;
}

static vv_status sweep_receives(mpi *p, vv_message *m, bool *got)
{
    for (flight **at = &p->in; *at; at = &(*at)->next) {
        flight *f = *at;
        int done;
        VV_TRY(check(MPI_Testall(f->n, f->request, &done, MPI_STATUSES_IGNORE), "MPI_Testall"));
        if (!done) continue;
        *at = f->next;
        *m = f->m;
        p->taken -= m->size;
        f->m.data = NULL;
        flight_free(f);
        *got = true;
        return VV_OK;
    }
    return VV_OK;
}

static vv_status mpi_receive(vv_net *net, vv_message *m, bool *got)
{
    mpi *p = (mpi *)net;
    VV_TRY(sweep_sends(p));
    int there = p->stage != CLOSING;
    while (there && p->taken < VV_TAKEN) {
        MPI_Message message;
        MPI_Status s;
        VV_TRY(check(MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, p->comm, &there, &message, &s), "MPI_Improbe"));
        if (there) VV_TRY(start_receive(p, &message, &s));
    }
    return sweep_receives(p, m, got);
}

static vv_status mpi_agree_begin(vv_net *net, vv_agreement *a)
{
    mpi *p = (mpi *)net;
    p->agreement = a;
    p->mine = *a;
    p->stage = REDUCING;
    p->my_lowest = a->failure.code == VV_OK ? net->size : net->rank;
    VV_TRY(check(MPI_Iallreduce(&p->my_lowest, &p->lowest, 1, MPI_INT64_T, MPI_MIN, p->comm, &p->agree[0]),
                 "MPI_Iallreduce"));
    VV_TRY(check(MPI_Iallreduce(p->mine.sum, a->sum, VV_AGREE_SUMS, MPI_INT64_T, MPI_SUM, p->comm, &p->agree[1]),
                 "MPI_Iallreduce"));
    return check(MPI_Iallreduce(p->mine.max, a->max, VV_AGREE_MAXES, MPI_INT64_T, MPI_MAX, p->comm, &p->agree[2]),
                 "MPI_Iallreduce");
}

/* Messages that were matched before the agreement but had not arrived whole. */
static vv_status drop_rest(mpi *p)
{
    bool got = true;
    while (got) {
        vv_message m;
        got = false;
        VV_TRY(sweep_receives(p, &m, &got));
        if (got) vv_mem_put(&m.data);
    }
    return VV_OK;
}

/* Reducing, then spreading the winning failure if there is one, then closing: the barrier keeps a rank that is through from sending
 * messages of the next phase to one that still throws messages away. */
static vv_status mpi_agree_test(vv_net *net, bool *done)
{
    mpi *p = (mpi *)net;
    int flag;
    *done = false;
    if (p->stage == CLOSING) VV_TRY(drop_rest(p));
    VV_TRY(check(MPI_Testall(3, p->agree, &flag, MPI_STATUSES_IGNORE), "MPI_Testall"));
    if (!flag) return VV_OK;
    if (p->stage == REDUCING && p->lowest < net->size) {
        p->stage = SPREADING;
        return check(MPI_Ibcast(&p->agreement->failure, sizeof p->agreement->failure, MPI_BYTE, (int)p->lowest, p->comm,
                                &p->agree[0]),
                     "MPI_Ibcast");
    }
    if (p->stage != CLOSING) {
        if (p->lowest < net->size && p->lowest != net->rank)
            p->agreement->failure.n_frames = 0; /* its pointers mean nothing here */
        p->stage = CLOSING;
        return check(MPI_Ibarrier(p->comm, &p->agree[0]), "MPI_Ibarrier");
    }
    *done = p->in == NULL;
    if (*done) p->stage = REDUCING;
    return VV_OK;
}

static void mpi_close(vv_net *net)
{
    mpi *p = (mpi *)net;
    MPI_Comm_free(&p->comm);
    MPI_Comm_free(&p->pieces);
    MPI_Finalize();
    vv_belfry_leave(net->bell, net->size);
    free(net->node);
    free(p);
}

/* --- machines --- */

/* The first of the launcher's ranks on this machine, how many are there, and their bells. */
static vv_status look_around(MPI_Comm world, int rank, int ranks, int *first, int *local, vv_belfry *bells)
{
    MPI_Comm machine;
    const char *told = getenv("VARVE_NODES");
    int dealt = told ? atoi(told) : 0;
    int code = dealt > 0 ? MPI_Comm_split(world, rank % dealt, 0, &machine)
                         : MPI_Comm_split_type(world, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
    VV_TRY(check(code, "MPI_Comm_split"));
    MPI_Comm_size(machine, local);
    int place;
    MPI_Comm_rank(machine, &place);
    *first = rank;
    *bells = (vv_belfry){0};
    if (place == 0 && *local > 1) vv_belfry_make(ranks, bells);
    VV_TRY(check(MPI_Bcast(first, 1, MPI_INT, 0, machine), "MPI_Bcast"));
    VV_TRY(check(MPI_Bcast(bells, sizeof *bells, MPI_BYTE, 0, machine), "MPI_Bcast"));
    return check(MPI_Comm_free(&machine), "MPI_Comm_free");
}

/* first: the launcher's number of the first rank on this machine. */
static vv_status number_nodes(mpi *p, int first)
{
    vv_net *n = &p->net;
    int *number;
    VV_TRY(vv_new(&n->node, (size_t)n->size, sizeof *n->node));
    VV_TRY(vv_new(&number, (size_t)n->size, sizeof *number));
    vv_status status = check(MPI_Allgather(&first, 1, MPI_INT, n->node, 1, MPI_INT, p->comm), "MPI_Allgather");
    for (int i = 0; i < n->size && status == VV_OK; i++) {
        int *of = &number[n->node[i]];
        if (!*of) *of = ++n->nodes;
        n->node[i] = *of - 1;
    }
    free(number);
    return status;
}

/* A communicator of our own, in which the ranks of a machine follow each other; the launcher's first rank stays the first. */
static vv_status join(mpi *p, MPI_Comm world)
{
    const char *order = getenv("VARVE_NODE_ORDER");
    int rank, ranks, first;
    vv_belfry bells;
    MPI_Comm_rank(world, &rank);
    MPI_Comm_size(world, &ranks);
    VV_TRY(look_around(world, rank, ranks, &first, &p->net.local, &bells));
    p->net.bell = vv_belfry_enter(&bells);
    int key = order && !strcmp(order, "0") ? rank : first; /* equal ones stay in the launcher's order */
    VV_TRY(check(MPI_Comm_split(world, 0, key, &p->comm), "MPI_Comm_split"));
    MPI_Comm_rank(p->comm, &p->net.rank);
    MPI_Comm_size(p->comm, &p->net.size);
    VV_TRY(check(MPI_Comm_dup(p->comm, &p->pieces), "MPI_Comm_dup"));
    return number_nodes(p, first);
}

static vv_status mpi_gather(vv_net *net, const void *mine, int size, void *all)
{
    mpi *p = (mpi *)net;
    return check(MPI_Gather(mine, size, MPI_BYTE, all, size, MPI_BYTE, 0, p->comm), "MPI_Gather");
}

static const vv_net_kind kind = {"mpi", mpi_send, mpi_receive, mpi_gather, mpi_agree_begin, mpi_agree_test, mpi_close};

vv_status vv_net_mpi_open(int *argc, char ***argv, vv_net **out)
{
    mpi *p;
    int provided;
    VV_TRY(vv_new(&p, 1, sizeof *p));
    vv_status status = check(MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided), "MPI_Init");
    if (status == VV_OK && provided < MPI_THREAD_FUNNELED)
        status = vv_fail(VV_ERR_MPI, "this MPI library does not allow threads (MPI_THREAD_FUNNELED)");
    if (status == VV_OK) status = join(p, MPI_COMM_WORLD);
    if (status != VV_OK) {
        free(p->net.node);
        free(p);
        return status;
    }
    MPI_Comm_set_errhandler(p->comm, MPI_ERRORS_RETURN);
    MPI_Comm_set_errhandler(p->pieces, MPI_ERRORS_RETURN);
    p->net.kind = &kind;
    p->net.communicator = &p->comm;
    const char *piece = getenv("VV_MPI_PIECE");
    p->piece = piece && atoll(piece) > 0 ? atoll(piece) : PIECE;
    for (int i = 0; i < 3; i++) p->agree[i] = MPI_REQUEST_NULL;
    *out = &p->net;
    return VV_OK;
}

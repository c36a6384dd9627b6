/* What threads did when, for pictures of a run (observe/trace.h).
 *
 * Every thread has a lane of its own, so that nothing is locked. A lane has room for so many events as the plan says, whatever the run is: when it is full, events are joined two by
 * two, so that a long run is told of in less detail instead of not to its end. At the end lanes travel to the coordinator, with times by the clock that machines share. */
#include "exec/run.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct vv_lane {
    vv_event *event;
    vv_index n, room;
} vv_lane;

/* As a rank's lanes travel: this, the number of events of each thread, all events. */
typedef struct head {
    int64_t threads;
    vv_bytes peak;
    char host[32];
} head;

vv_status vv_trace_begin(vv_run *r)
{
    const vv_plan *p = r->plan;
    if (p->trace <= 0) return VV_OK;
    VV_TRY(vv_new(&r->lane, (size_t)p->threads, sizeof *r->lane));
    for (int i = 0; i < p->threads; i++) {
        r->lane[i].room = vv_imax(2, p->trace / p->threads);
        VV_TRY(vv_mem_get(&r->lane[i].event, r->lane[i].room * (vv_bytes)sizeof(vv_event), "a trace"));
    }
    return VV_OK;
}

void vv_trace_end(vv_run *r)
{
    for (int i = 0; r->lane && i < r->plan->threads; i++) vv_mem_put(&r->lane[i].event);
    free(r->lane);
    r->lane = NULL;
}

static void join(vv_event *to, const vv_event *more)
{
    to->end = more->end;
    to->units += more->units;
    to->read += more->read;
    for (int k = 0; k < 3; k++) to->seconds[k] += more->seconds[k];
    if (to->step != more->step) to->step = VV_EVENT_SEVERAL;
}

/* Each two become one. */
static void halve(vv_lane *l)
{
    vv_index n = 0;
    for (vv_index i = 0; i < l->n; i += 2) {
        l->event[n] = l->event[i];
        if (i + 1 < l->n) join(&l->event[n], &l->event[i + 1]);
        n++;
    }
    l->n = n;
}

void vv_trace_add(vv_run *r, int thread, const vv_event *e)
{
    if (!r->lane) return;
    vv_lane *l = &r->lane[thread];
    if (l->n == l->room) halve(l);
    l->event[l->n++] = *e;
}

static int64_t since_1970(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static vv_status packed(const vv_run *r, char **out, vv_bytes *size)
{
    int threads = r->plan->threads;
    vv_index n = 0;
    int64_t clock = since_1970() - vv_ticks();
    for (int i = 0; i < threads; i++) n += r->lane[i].n;
    *size = (vv_bytes)sizeof(head) + threads * (vv_bytes)sizeof n + n * (vv_bytes)sizeof(vv_event);
    VV_TRY(vv_mem_get(out, *size, "a trace"));
    head *h = (head *)(void *)*out;
    vv_index *count = (vv_index *)(void *)(h + 1);
    vv_event *e = (vv_event *)(void *)(count + threads);
    *h = (head){.threads = threads, .peak = vv_mem_resident_peak()};
    (void)gethostname(h->host, sizeof h->host - 1);
    for (int i = 0; i < threads; i++) {
        count[i] = r->lane[i].n;
        for (vv_index k = 0; k < count[i]; k++, e++) {
            *e = r->lane[i].event[k];
            e->begin += clock;
            e->end += clock;
        }
    }
    return VV_OK;
}

/* Whether the parts add up to what came. */
static bool fits(const vv_run *r, const head *h, vv_bytes size)
{
    const vv_index *count = (const vv_index *)(const void *)(h + 1);
    vv_bytes rest = size - (vv_bytes)sizeof *h - r->plan->threads * (vv_bytes)sizeof *count;
    if (rest < 0 || h->threads != r->plan->threads) return false;
    for (int i = 0; i < r->plan->threads; i++) {
        if (count[i] < 0 || count[i] > rest / (vv_bytes)sizeof(vv_event)) return false;
        rest -= count[i] * (vv_bytes)sizeof(vv_event);
    }
    return rest == 0;
}

static vv_status tell(vv_run *r, int from, const char *data, vv_bytes size)
{
    const head *h = (const head *)(const void *)data;
    if (!fits(r, h, size)) return vv_fail(VV_ERR_INTERNAL, "a trace from rank %d does not fit", from);
    const vv_index *count = (const vv_index *)(const void *)(h + 1);
    vv_rank_trace t = {.rank = from,
                       .threads = r->plan->threads,
                       .peak = h->peak,
                       .n = count,
                       .event = (const vv_event *)(const void *)(count + r->plan->threads)};
    memcpy(t.host, h->host, sizeof t.host - 1);
    if (r->hooks->traced) r->hooks->traced(r->hooks->context, &t);
    return VV_OK;
}

vv_status vv_trace_receive(vv_run *r, const vv_message *m)
{
    r->traces_in++;
    return tell(r, m->from, m->data, m->size);
}

vv_status vv_trace_gather(vv_run *r)
{
    char *mine;
    vv_bytes size;
    vv_backoff wait = {0};
    if (!r->lane) return VV_OK;
    VV_TRY(packed(r, &mine, &size));
    if (r->net->rank != 0) return vv_net_send(r->net, 0, VV_TAG_TRACE, &mine, size);
    vv_status status = tell(r, 0, mine, size);
    vv_mem_put(&mine);
    while (status == VV_OK && r->traces_in < r->net->size - 1) status = vv_run_wait(r, &wait);
    return status;
}

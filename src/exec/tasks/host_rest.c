/* How a rank's main thread waits beside the threads that run tasks, which may keep all cores busy.
 *
 * What has ended is to be told within microseconds, and to look for it again and again would take the time from the tasks: so the main thread sleeps, and is woken (exec/net/bell.h) when a task ends here or another rank of
 * this machine has sent something. Messages from other machines are found by looking: after tens of microseconds at first, less and less often while nothing comes.
 *
 * - A thread that wakes on a core where another one computes gets it at once only if the system thinks that it should: Linux lets it wait for milliseconds otherwise. So the main thread asks for short stretches of time
 *   (as of Linux 6.12); a shorter stretch is not a larger share. Where there is no such thing, the thread that has ended a task makes way.
 * - Tasks that take less than that are told several at a time.
 * - While there are more cores than threads that are busy, it looks around for a moment before it sleeps, because being woken takes longer. Where others want the core, that would mean to stand at the end of its queue each
 *   time. */
#include "exec/tasks/host.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As the system has it. */
typedef struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
} attributes;

enum { ONLY_THIS_THREAD = 1, SHORT_NS = 100000, LOOK = 300 };

/* What the calling thread gets at a stretch; 0: what is usual. */
static bool set_stretch(uint64_t ns)
{
    attributes a = {.size = sizeof a, .flags = ONLY_THIS_THREAD, .runtime = ns}, now = {0};
    if (syscall(SYS_sched_getattr, 0, &now, sizeof now, 0) || now.policy != SCHED_OTHER) return false;
    a.nice = now.nice;
    if (syscall(SYS_sched_setattr, 0, &a, 0) || syscall(SYS_sched_getattr, 0, &now, sizeof now, 0)) return false;
    return now.runtime == ns; /* older systems say 0 */
}

void vv_rest_begin(vv_host *h)
{
    vv_rest *r = &h->rest;
    vv_net *net = h->wire.net;
    r->bell = net->bell ? &net->bell[net->rank] : &r->own;
    r->prompt = set_stretch(SHORT_NS);
    cpu_set_t mine;
    r->cores = sched_getaffinity(0, sizeof mine, &mine) ? 0 : CPU_COUNT(&mine);
    r->bound = r->cores < (int)sysconf(_SC_NPROCESSORS_ONLN);
}

void vv_rest_end(vv_host *h)
{
    if (h->rest.prompt) (void)set_stretch(0);
    if (h->rest.bell) vv_bell_rise(h->rest.bell);
}

/* Nobody else than the ranks of this machine has anything to say, and they ring; and MPI has nothing to finish. */
static bool all_ring(const vv_net *net)
{
    return net->sending == 0 && net->nodes <= 1 && (net->bell || net->size == 1);
}

/* Threads of this machine that run tasks, of which the desk knows all, another rank its own; of this rank if that has cores of its own. */
static int busy(vv_host *h)
{
    if (h->desk) return h->rest.busy;
    pthread_mutex_lock(&h->lock);
    vv_index own = h->running + h->ready.n;
    pthread_mutex_unlock(&h->lock);
    return (int)vv_imin(own, h->threads) * (h->rest.bound ? 1 : h->wire.net->local);
}

void vv_host_rest(vv_host *h, double limit)
{
    static const double longest = 2e-3, often = 20e-6, rarely = 200e-6;
    vv_rest *r = &h->rest;
    if (r->turns++ == 0) r->looks = busy(h) < r->cores;
    if (r->looks && r->turns <= LOOK) {
        sched_yield();
        return;
    }
    if (!r->laid) { /* and looks once more */
        vv_bell_lay(r->bell);
        r->laid = true;
        return;
    }
    double wait = (all_ring(h->wire.net) ? rarely : often) * (1 + r->turns / 10);
    if (wait > longest) wait = longest;
    vv_bell_sleep(r->bell, wait < limit ? wait : limit);
    r->laid = false;
}

void vv_host_wake(vv_host *h)
{
    vv_rest *r = &h->rest;
    r->turns = 0;
    if (r->laid) vv_bell_rise(r->bell);
    r->laid = false;
}

void vv_host_alert(vv_host *h, double seconds)
{
    static const double some = 10e-6;
    vv_rest *r = &h->rest;
    r->untold += seconds;
    if (!vv_bell_asleep(r->bell) || (r->untold < some && h->ready.n > 0)) return;
    r->untold = 0;
    pthread_mutex_unlock(&h->lock);
    vv_bell_ring(r->bell);
    if (!r->prompt) sched_yield();
    pthread_mutex_lock(&h->lock);
}

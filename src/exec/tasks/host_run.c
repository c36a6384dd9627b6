/* Threads that run tasks. */
#include "exec/tasks/host.h"

#include "base/fault.h"

#include <errno.h>
#if __has_include(<execinfo.h>)
#include <execinfo.h>
#else
#define backtrace(frames, n) ((void)(frames), 0 * (n)) /* then the place alone is told */
#endif
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

/* --- signals --- */

static const int caught[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
enum { CAUGHT = sizeof caught / sizeof *caught, STACK = 64 << 10 };
static struct sigaction before[CAUGHT];
static int users_of_signals;
static _Thread_local vv_hand *own;

static uintptr_t interrupted_at(const void *context)
{
#if defined __x86_64__
    return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#elif defined __aarch64__
    return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.pc;
#else
    (void)context;
    return 0;
#endif
}

static void say(const char *text)
{
    (void)!write(STDERR_FILENO, text, strlen(text));
}

/* Not to be caught: says whose fault it is, and lets the signal do what it does. */
static void give_in(int number)
{
    if (own && own->inside) {
        say("varve: the task '");
        say(own->function->name);
        say("' was ended by a signal (");
        say(sigabbrev_np(number) ? sigabbrev_np(number) : "?");
        say(") in a library that it called, after which nothing is certain: the job ends\n");
    }
    for (int i = 0; i < CAUGHT; i++)
        if (caught[i] == number) sigaction(number, &before[i], NULL);
    raise(number);
}

static bool is_own(uintptr_t at)
{
    return own && own->inside && at >= own->function->low && at < own->function->high;
}

/* Calls that led to the place, innermost first, as far as they are the task's own code. */
static void trace(uintptr_t at)
{
    enum { MOST = 32 };
    void *frame[MOST];
    own->fell[0] = at;
    own->n_fell = 1;
    own->tracing = 1;
    int n = backtrace(frame, MOST), i = 0;
    while (i < n && (uintptr_t)frame[i] != at) i++;
    for (i++; i < n && own->n_fell < VV_FALLS && is_own((uintptr_t)frame[i]); i++)
        own->fell[own->n_fell++] = (uintptr_t)frame[i] - 1; /* where a call returns to is behind it */
    own->tracing = 0;
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)info;
    uintptr_t at = interrupted_at(context);
    if (own && own->tracing) { /* the stack is in pieces */
        own->tracing = 0;
        siglongjmp(own->back, number);
    }
    if (is_own(at) && number != SIGABRT) {
        trace(at);
        siglongjmp(own->back, number);
    }
    give_in(number);
}

static void catch_signals(void)
{
    if (users_of_signals++ > 0) return;
    struct sigaction a = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
    sigemptyset(&a.sa_mask);
    for (int i = 0; i < CAUGHT; i++) sigaction(caught[i], &a, &before[i]);
}

static void release_signals(void)
{
    if (--users_of_signals > 0) return;
    for (int i = 0; i < CAUGHT; i++) sigaction(caught[i], &before[i], NULL);
}

/* --- one task --- */

/* In memory, and in the places of their numbers among the arguments. Under the lock. */
static vv_status pin(vv_job *j)
{
    if (j->n_inputs == 0) return VV_OK;
    VV_TRY(vv_new(&j->pinned, (size_t)j->n_inputs, sizeof(vv_kept *)));
    for (int i = 0; i < j->nodes; i++) {
        vv_arg *a = &j->arg[i];
        if (a->kind != VV_ARG_FUTURE) continue;
        vv_kept *k = vv_shelf_find(&j->host->values, a->i);
        if (!k) return vv_fail(VV_ERR_INTERNAL, "the value of task %lld is not there", (long long)a->i);
        VV_TRY(vv_shelf_pin(&j->host->values, k));
        j->pinned[j->n_pinned++] = k;
        *a = (vv_arg){.kind = VV_ARG_BYTES, .data = k->data, .size = k->size};
    }
    return VV_OK;
}

static void unpin(vv_job *j)
{
    for (int i = 0; i < j->n_pinned; i++) vv_shelf_unpin(j->pinned[i]);
    j->n_pinned = 0;
}

/* A code alone, without words. */
static vv_status returned(int code)
{
    vv_failure e;
    vv_error_get(&e);
    if (e.code == code && e.text[0]) return code;
    if (code > 0 && code < VV_STATUS_COUNT) return vv_fail(code, "%s", vv_status_text(code));
    return vv_fail(VV_ERR_RUN, "it returned %d", code);
}

/* Where, and called from where, so that addr2line finds the lines. */
static vv_status fell(const vv_hand *hand, int number)
{
    char text[400];
    int length = 0;
    for (int i = 0; i < hand->n_fell && length < (int)sizeof text; i++) {
        vv_function *address = (vv_function *)hand->fell[i]; /* NOLINT */
        vv_symbol place;
        char name[256] = "?";
        if (vv_symbol_find(address, &place) == VV_OK) vv_symbol_text(&place, address, name, sizeof name);
        vv_symbol_free(&place);
        length += snprintf(text + length, sizeof text - (size_t)length, "%s%s", i ? ", called from " : "", name);
    }
    return vv_fail(VV_ERR_RUN, "signal %d (%s) at %s", number, strsignal(number), text);
}

static vv_status call(vv_hand *hand, vv_job *j)
{
    const vv_host_function *f = hand->function;
    int number = sigsetjmp(hand->back, 0);
    if (number) {
        hand->inside = 0;
        return fell(hand, number);
    }
    hand->inside = 1;
    int code = f->call(&j->task);
    hand->inside = 0;
    if (code != VV_OK && !j->failure) return returned(code);
    return VV_OK;
}

static vv_status run(vv_hand *hand, vv_job *j)
{
    if (!hand->function->call) {
        vv_error_set(hand->function->missing);
        return hand->function->missing->code;
    }
    vv_error_clear();
    VV_TRY(vv_fault(VV_FAULT_TASK));
    VV_TRY(call(hand, j));
    VV_TRY(vv_job_check(j));
    if (!j->failure) return VV_OK;
    vv_error_set(j->failure); /* of a function that it called, and whose mistake it passed over */
    return j->failure->code;
}

static void fail(vv_hand *hand, vv_job *j)
{
    (void)vv_error_prefix("task '%s' on rank %d", hand->function->name, vv_this_rank());
    vv_job_fail(j);
}

void vv_host_ended(vv_host *h, vv_job *j)
{
    j->state = VV_JOB_ENDED;
    j->next = NULL;
    *h->ended_last = j;
    h->ended_last = &j->next;
}

/* For tests: some threads are slow now and then. */
static void dawdle(const vv_host *h, const vv_job *j)
{
    enum { ONE_IN = 16, LONGEST_US = 2000 };
    uint64_t draw = (h->fuzz + (uint64_t)j->id) * 0x9e3779b97f4a7c15u >> 40;
    if (h->fuzz && draw % ONE_IN == 0) usleep((useconds_t)(draw / ONE_IN % LONGEST_US));
}

/* Under the lock, which is free meanwhile. False when the job was given up. */
static bool run_job(vv_hand *hand, vv_job *j)
{
    vv_host *h = hand->host;
    vv_status status = pin(j);
    hand->function = h->function[j->function];
    hand->job = j;
    hand->since = vv_now();
    h->running++;
    pthread_mutex_unlock(&h->lock);
    dawdle(h, j);
    if (status == VV_OK) status = run(hand, j);
    if (status != VV_OK) fail(hand, j);
    pthread_mutex_lock(&h->lock);
    unpin(j);
    hand->job = NULL;
    if (hand->given_up) {
        vv_job_free(j);
        return false;
    }
    h->running--;
    j->seconds = vv_now() - hand->since;
    vv_host_ended(h, j);
    vv_host_alert(h, j->seconds);
    return true;
}

/* --- threads --- */

/* Looks around for a moment before it sleeps: the next task is often on its way. Under the lock. */
static void rest(vv_host *h, int *idle)
{
    enum { LOOK = 20 };
    if ((*idle)++ < LOOK) {
        pthread_mutex_unlock(&h->lock);
        sched_yield();
        pthread_mutex_lock(&h->lock);
        return;
    }
    h->idle++;
    pthread_cond_wait(&h->work, &h->lock);
    h->idle--;
    *idle = 0;
}

static void *work(void *argument)
{
    vv_hand *hand = argument;
    vv_host *h = hand->host;
    bool mine = true;
    int idle = 0;
    own = hand;
    void *first;
    (void)backtrace(&first, 1); /* loads what it needs, which a signal handler must not */
    stack_t usual;
    sigaltstack(&(stack_t){.ss_sp = hand->stack, .ss_size = STACK}, &usual);
    pthread_mutex_lock(&h->lock);
    while (!h->stop && mine) {
        vv_job *j = h->paused ? NULL : vv_heap_pop(&h->ready);
        if (j) {
            idle = 0;
            if (h->idle && h->ready.n) pthread_cond_signal(&h->work);
            mine = run_job(hand, j);
        } else {
            rest(h, &idle);
        }
    }
    if (!mine) h->given_up--;
    pthread_mutex_unlock(&h->lock);
    sigaltstack(&usual, NULL);
    if (!mine) {
        free(hand->stack);
        free(hand);
    }
    return NULL;
}

static vv_status start(vv_host *h, int i)
{
    vv_hand *hand;
    VV_TRY(vv_new(&hand, 1, sizeof *hand));
    hand->host = h;
    hand->stack = malloc(STACK);
    int code = hand->stack ? pthread_create(&hand->thread, NULL, work, hand) : ENOMEM;
    if (code) {
        free(hand->stack);
        free(hand);
        return vv_fail(VV_ERR_RUN, "cannot start a thread for tasks: %s", strerror(code));
    }
    h->hand[i] = hand;
    return VV_OK;
}

vv_status vv_hands_start(vv_host *h)
{
    VV_TRY(vv_new(&h->hand, (size_t)h->threads, sizeof *h->hand));
    catch_signals();
    for (int i = 0; i < h->threads; i++) VV_TRY(start(h, i));
    return VV_OK;
}

void vv_hands_stop(vv_host *h)
{
    if (!h->hand) return;
    pthread_mutex_lock(&h->lock);
    h->stop = true;
    pthread_cond_broadcast(&h->work);
    pthread_mutex_unlock(&h->lock);
    for (int i = 0; i < h->threads; i++) {
        if (!h->hand[i]) continue;
        pthread_join(h->hand[i]->thread, NULL);
        free(h->hand[i]->stack);
        free(h->hand[i]);
    }
    free(h->hand);
    h->hand = NULL;
    release_signals();
}

/* What is told of a task that was given up; the task itself stays with its thread. */
static vv_status tell(vv_host *h, const vv_job *late)
{
    vv_job *j;
    vv_run_head head = {.function = late->function, .attempt = late->task.attempt};
    VV_TRY(vv_job_new(h, late->id, &head, sizeof head, &j));
    (void)vv_fail(VV_ERR_RUN, "task '%s' on rank %d: it has taken more than the %g seconds that it may",
                  h->function[late->function]->name, vv_this_rank(), late->timeout);
    vv_job_fail(j);
    j->seconds = late->timeout;
    vv_host_ended(h, j);
    return VV_OK;
}

static vv_status check(vv_host *h, int i, double now)
{
    vv_hand *hand = h->hand[i];
    if (!hand || !hand->job || hand->job->timeout <= 0 || now - hand->since < hand->job->timeout) return VV_OK;
    hand->given_up = true; /* its memory stays as well: who knows what the thread does */
    h->given_up++;
    h->running--;
    pthread_detach(hand->thread);
    h->hand[i] = NULL;
    VV_TRY(tell(h, hand->job));
    return start(h, i);
}

vv_status vv_hands_check(vv_host *h)
{
    vv_status status = VV_OK;
    double now = vv_now();
    pthread_mutex_lock(&h->lock);
    for (int i = 0; i < h->threads && status == VV_OK; i++) status = check(h, i, now);
    pthread_mutex_unlock(&h->lock);
    return status;
}

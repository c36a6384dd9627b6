#include "exec/tasks/host.h"

#include "base/log.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DESK = 0 };

static void lock(vv_host *h)
{
    pthread_mutex_lock(&h->lock);
}

static void unlock(vv_host *h)
{
    pthread_mutex_unlock(&h->lock);
}

/* --- functions --- */

typedef struct code_search {
    uintptr_t at, low, high;
} code_search;

static int find_code(struct dl_phdr_info *m, size_t size, void *context)
{
    code_search *s = context;
    (void)size;
    for (int i = 0; i < m->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &m->dlpi_phdr[i];
        uintptr_t low = m->dlpi_addr + p->p_vaddr;
        if (p->p_type != PT_LOAD || !(p->p_flags & PF_X) || s->at < low || s->at - low >= p->p_memsz) continue;
        s->low = low;
        s->high = low + p->p_memsz;
        return 1;
    }
    return 0;
}

static vv_status load_function(vv_host_function *f, const void *body)
{
    vv_symbol symbol;
    vv_function *address = NULL;
    memcpy(&symbol, body, sizeof symbol);
    symbol.module = (char *)body + sizeof symbol;
    if (symbol.n_id == 0 && vv_this_rank() == 0)
        address = (vv_function *)(uintptr_t)symbol.offset; /* NOLINT: of this process */
    else if (vv_symbol_load(&symbol, &address) != VV_OK) {
        VV_TRY(vv_new(&f->missing, 1, sizeof *f->missing));
        vv_error_get(f->missing);
    }
    f->call = (vv_task_function *)address;
    vv_symbol_text(&symbol, address, f->name, sizeof f->name);
    code_search s = {.at = (uintptr_t)address};
    if (address) dl_iterate_phdr(find_code, &s);
    f->low = s.low;
    f->high = s.high;
    return VV_OK;
}

static vv_status take_function(vv_host *h, const vv_record *r, const void *body)
{
    vv_host_function *f;
    VV_TRY(vv_new(&f, 1, sizeof *f));
    vv_status status = load_function(f, body);
    lock(h);
    if (status == VV_OK) status = vv_grow(&h->function, h->n_functions, sizeof *h->function, "functions");
    if (status == VV_OK && r->id != h->n_functions)
        status = vv_fail(VV_ERR_INTERNAL, "functions are named out of turn");
    if (status == VV_OK) h->function[h->n_functions++] = f;
    unlock(h);
    if (status != VV_OK) free(f);
    return status;
}

int vv_host_number(vv_host *h, vv_task_function *f)
{
    int number = -1;
    lock(h);
    for (int i = 0; i < h->n_functions && number < 0; i++)
        if (h->function[i]->call == f) number = i;
    unlock(h);
    return number;
}

/* --- jobs --- */

static const vv_run_head *head_of(const vv_job *j)
{
    return (const vv_run_head *)(const void *)j->blob;
}

static vv_status make_ready(vv_host *h, vv_job *j)
{
    enum { ORDER_BITS = 32 };
    j->state = VV_JOB_READY;
    lock(h);
    int64_t class = -2 * (int64_t)head_of(j)->priority - head_of(j)->heir;
    vv_status status = vv_heap_push(&h->ready, class * ((int64_t)1 << ORDER_BITS) + h->order++, j);
    if (h->idle) pthread_cond_signal(&h->work);
    unlock(h);
    return status;
}

static vv_fetch *find_fetch(vv_host *h, int64_t id)
{
    vv_fetch *f = h->fetch;
    while (f && f->id != id) f = f->next;
    return f;
}

static vv_status begin_fetch(vv_host *h, const vv_arg *a, vv_fetch **out)
{
    VV_TRY(vv_new(out, 1, sizeof **out));
    **out = (vv_fetch){.next = h->fetch, .id = a->i, .from = (int)a->n};
    h->fetch = *out;
    vv_wire_say(&h->wire, (*out)->from, &(vv_record){.say = VV_SAY_WANT, .id = a->i}, NULL);
    return VV_OK;
}

static vv_status lack(vv_host *h, vv_job *j, const vv_arg *a)
{
    vv_fetch *f = find_fetch(h, a->i);
    if (!f) VV_TRY(begin_fetch(h, a, &f));
    VV_TRY(vv_grow(&f->job, f->n, sizeof *f->job, "waiting tasks"));
    f->job[f->n++] = j;
    j->lacking++;
    return VV_OK;
}

static vv_status take_run(vv_host *h, const vv_record *r, const void *body)
{
    vv_job *j;
    VV_TRY(vv_job_new(h, r->id, body, r->size, &j));
    for (int i = 0; i < j->nodes && j->n_inputs > 0; i++) {
        if (j->arg[i].kind != VV_ARG_FUTURE) continue;
        lock(h);
        bool here = vv_shelf_find(&h->values, j->arg[i].i) != NULL;
        unlock(h);
        if (!here) VV_TRY(lack(h, j, &j->arg[i]));
    }
    h->lacking += j->lacking > 0;
    return j->lacking > 0 ? VV_OK : make_ready(h, j);
}

static vv_status supplied(vv_host *h, vv_job *j)
{
    if (--j->lacking > 0) return VV_OK;
    h->lacking--;
    if (!j->cancelled) return make_ready(h, j);
    vv_job_free(j);
    return VV_OK;
}

/* What was asked for is here, or will never be. */
static vv_status end_fetch(vv_host *h, int64_t id)
{
    vv_fetch **at = &h->fetch;
    while (*at && (*at)->id != id) at = &(*at)->next;
    vv_fetch *f = *at;
    vv_status status = VV_OK;
    if (!f) return VV_OK;
    *at = f->next;
    for (int i = 0; i < f->n && status == VV_OK; i++) status = supplied(h, f->job[i]);
    free(f->job);
    free(f);
    return status;
}

/* Asked for, or given to keep by the desk, which wants to know that it is here. */
static vv_status take_value(vv_host *h, int from, const vv_record *r, const void *body, void **block)
{
    bool asked = find_fetch(h, r->id) != NULL;
    if (!*block) return vv_fail(VV_ERR_INTERNAL, "a value without a message of its own");
    vv_bytes offset = (const char *)body - (const char *)*block;
    lock(h);
    vv_status status =
        vv_shelf_find(&h->values, r->id) ? VV_OK : vv_shelf_put(&h->values, r->id, r->a, block, offset, r->size);
    unlock(h);
    VV_TRY(status);
    if (asked) return end_fetch(h, r->id);
    if (from == DESK)
        vv_wire_say(&h->wire, DESK,
                    &(vv_record){.say = VV_SAY_DID, .a = VV_ARG_KINDS + r->a, .id = r->id, .size = sizeof r->size},
                    &r->size);
    return VV_OK;
}

/* --- giving --- */

static vv_status give(vv_host *h, int to, int64_t id)
{
    vv_status status = VV_OK;
    lock(h);
    vv_kept *k = vv_shelf_find(&h->values, id);
    if (k) status = vv_shelf_pin(&h->values, k);
    unlock(h);
    VV_TRY(status);
    if (!k) {
        vv_wire_say(&h->wire, to, &(vv_record){.say = VV_SAY_GONE, .id = id}, NULL);
        return VV_OK;
    }
    status = vv_wire_value(&h->wire, to, id, k->kind, k->data, k->size);
    lock(h);
    vv_shelf_unpin(k);
    unlock(h);
    return status;
}

static void give_back(vv_host *h, vv_job *j)
{
    vv_wire_say(&h->wire, DESK, &(vv_record){.say = VV_SAY_BACK, .id = j->id}, NULL);
    vv_job_free(j);
}

/* Those that came last. What is at the end of a heap may go without harm to it. */
static void give_jobs_back(vv_host *h, int n)
{
    int given = 0;
    lock(h);
    for (; given < n && h->ready.n > 0; given++) {
        vv_job *j = h->ready.at[h->ready.n - 1].item;
        if (head_of(j)->pinned) break;
        h->ready.n--;
        give_back(h, j);
    }
    unlock(h);
    vv_wire_say(&h->wire, DESK, &(vv_record){.say = VV_SAY_TOOK, .a = given}, NULL);
}

/* The desk has done with a task: it is not begun if it has not. Nothing is told of it then; a value of it that is here already is dropped by the desk. */
static void cancel(vv_host *h, int64_t id)
{
    vv_job *j = NULL;
    lock(h);
    vv_heap rest = {0};
    for (vv_index i = 0; i < h->ready.n && !j; i++)
        if (((vv_job *)h->ready.at[i].item)->id == id) {
            j = h->ready.at[i].item;
            h->ready.at[i].item = NULL;
        }
    for (vv_index i = 0; i < h->ready.n && j; i++)
        if (h->ready.at[i].item && vv_heap_push(&rest, h->ready.at[i].key, h->ready.at[i].item) != VV_OK) break;
    if (j) {
        vv_heap_free(&h->ready);
        h->ready = rest;
    }
    unlock(h);
    if (j) give_back(h, j);
}

static void drop(vv_host *h, int64_t id)
{
    lock(h);
    vv_shelf_drop(&h->values, id);
    unlock(h);
}

static void set_paused(vv_host *h, bool paused)
{
    lock(h);
    h->paused = paused;
    pthread_cond_broadcast(&h->work);
    unlock(h);
    h->stopping = paused;
}

/* What is not begun is forgotten: the desk does not want it any more. */
static void forget_jobs(vv_host *h)
{
    lock(h);
    for (vv_job *j = vv_heap_pop(&h->ready); j; j = vv_heap_pop(&h->ready)) vv_job_free(j);
    unlock(h);
    for (vv_fetch *f = h->fetch; f; f = f->next)
        for (int i = 0; i < f->n; i++) f->job[i]->cancelled = true;
}

static vv_status take(void *context, int from, const vv_record *r, const void *body, void **block)
{
    vv_host *h = context;
    switch ((vv_saying)r->say) {
    case VV_SAY_FUNCTION: return take_function(h, r, body);
    case VV_SAY_RUN: return take_run(h, r, body);
    case VV_SAY_VALUE:
        if (h->desk && find_fetch(h, r->id) == NULL) break;
        return take_value(h, from, r, body, block);
    case VV_SAY_GONE:
        if (h->desk && find_fetch(h, r->id) == NULL) break;
        return end_fetch(h, r->id);
    case VV_SAY_WANT: return give(h, from, r->id);
    case VV_SAY_DROP: drop(h, r->id); return VV_OK;
    case VV_SAY_CANCEL: cancel(h, r->id); return VV_OK;
    case VV_SAY_TAKE: give_jobs_back(h, r->a); return VV_OK;
    case VV_SAY_PAUSE: set_paused(h, true); return VV_OK;
    case VV_SAY_RESUME: set_paused(h, false); return VV_OK;
    case VV_SAY_END:
        forget_jobs(h);
        h->ending = true;
        return VV_OK;
    default: break;
    }
    if (h->desk) return h->desk(h->desk_context, from, r, body);
    return vv_fail(VV_ERR_INTERNAL, "rank %d says %d, which is for rank 0", from, (int)r->say);
}

vv_status vv_host_ask(vv_host *h, int64_t id, int from)
{
    vv_fetch *f;
    return find_fetch(h, id) ? VV_OK : begin_fetch(h, &(vv_arg){.i = id, .n = from}, &f);
}

/* --- telling what has ended --- */

/* The result, in the message when it is small, else kept here. */
static vv_status tell_result(vv_host *h, vv_job *j)
{
    vv_record r = {.say = VV_SAY_DID, .a = j->kind, .id = j->id, .x = j->seconds, .size = sizeof j->size};
    if (j->becomes) {
        r.say = VV_SAY_BECOMES;
        vv_wire_say(&h->wire, DESK, &r, &j->becomes);
        return VV_OK;
    }
    if (j->kind == VV_ARG_BYTES) r.size = j->size;
    if (r.size <= VV_SMALL_VALUE) {
        vv_wire_say(&h->wire, DESK, &r, vv_job_result(j));
        return VV_OK;
    }
    lock(h);
    vv_status status = vv_shelf_put(&h->values, j->id, j->kind, &j->block, VV_GUARD, j->size);
    unlock(h);
    r.a += VV_ARG_KINDS;
    r.size = sizeof j->size;
    if (status == VV_OK) vv_wire_say(&h->wire, DESK, &r, &j->size);
    return status;
}

static void tell_failure(vv_host *h, const vv_job *j, const vv_failure *e)
{
    static const vv_failure none = {.code = VV_ERR_NOMEM, .text = "a task failed, and there was no memory to say why"};
    if (!e) e = &none;
    vv_bytes size = (vv_bytes)(offsetof(vv_failure, text) + strlen(e->text) + 1);
    vv_wire_say(&h->wire, DESK, &(vv_record){.say = VV_SAY_FAILED, .id = j->id, .x = j->seconds, .size = size}, e);
}

static void tell_submitted(vv_host *h, const vv_job *j)
{
    for (const char *at = j->submitted.data, *end = at + j->submitted.size; at && at < end;) {
        const vv_record *r = (const vv_record *)(const void *)at;
        vv_wire_say(&h->wire, DESK, r, at + sizeof *r);
        at += (vv_bytes)sizeof *r + vv_wire_padded(r->size);
    }
}

static vv_status tell_ended(vv_host *h, bool *moved)
{
    vv_status status = VV_OK;
    lock(h);
    vv_job *j = h->ended;
    h->ended = NULL;
    h->ended_last = &h->ended;
    unlock(h);
    *moved |= j != NULL;
    for (vv_job *next; j; j = next) {
        next = j->next;
        vv_failure *e = j->failure, late;
        if (status == VV_OK && !e) {
            tell_submitted(h, j);
            if (tell_result(h, j) != VV_OK) {
                vv_error_get(&late);
                e = &late;
            }
        }
        if (e) tell_failure(h, j, e);
        vv_job_free(j);
    }
    return status;
}

/* Nothing is under way here: the desk wanted to know. */
static void tell_rest(vv_host *h)
{
    if (!h->stopping && !h->ending) return;
    lock(h);
    bool quiet = h->running == 0 && !h->ended && (!h->ending || h->ready.n == 0);
    unlock(h);
    if (!quiet || h->fetch) return;
    if (h->stopping) vv_wire_say(&h->wire, DESK, &(vv_record){.say = VV_SAY_STOPPED}, NULL);
    if (h->ending) {
        vv_wire_say(&h->wire, DESK, &(vv_record){.say = VV_SAY_ENDED}, NULL);
        h->ended_all = true;
    }
    h->stopping = h->ending = false;
}

/* --- a turn --- */

vv_status vv_host_receive(vv_host *h, vv_message *m)
{
    vv_host_wake(h);
    return vv_wire_receive(&h->wire, m);
}

vv_status vv_host_turn(vv_host *h, bool *moved)
{
    static const double between = 5e-3;
    double now = h->rest.turns > 0 ? vv_now() : 0;
    VV_TRY(tell_ended(h, moved));
    tell_rest(h);
    h->looks = now - h->looked > between;
    if (h->looks) {
        h->looked = now;
        VV_TRY(vv_hands_check(h));
        for (vv_fetch *f = h->fetch; f; f = f->next) VV_TRY(vv_wire_expect(&h->wire, f->from));
    }
    VV_TRY(vv_wire_flush(&h->wire, moved));
    if (*moved) vv_host_wake(h);
    return VV_OK;
}

void vv_host_broken(vv_host *h)
{
    vv_failure e;
    vv_error_get(&e);
    e.n_frames = 0;
    h->broken = true;
    vv_bytes size = (vv_bytes)(offsetof(vv_failure, text) + strlen(e.text) + 1);
    vv_wire_say(&h->wire, DESK, &(vv_record){.say = VV_SAY_BROKEN, .size = size}, &e);
    if (h->wire.net->rank != DESK && vv_wire_send(&h->wire, DESK) != VV_OK && !h->wire.net->broken)
        vv_say(VV_LOG_WARN, "cannot tell rank 0: %s", e.text);
}

/* --- begin and end --- */

vv_status vv_host_open(vv_net *net, const vv_host_options *o, vv_host **out)
{
    vv_host *h;
    VV_TRY(vv_new(&h, 1, sizeof *h));
    h->threads = o->threads < 1 ? 1 : o->threads;
    h->ended_last = &h->ended;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->work, NULL);
    *out = h;
    vv_status status = vv_wire_open(&h->wire, net, o->epoch, take, h);
    h->fuzz = h->wire.fuzz;
    if (status == VV_OK) vv_rest_begin(h);
    if (status == VV_OK) status = vv_shelf_open(&h->values, o->results, o->scratch);
    if (status == VV_OK) status = vv_hands_start(h);
    if (status != VV_OK) {
        vv_failure e;
        vv_error_get(&e);
        vv_host_close(out);
        vv_error_set(&e);
    }
    return status;
}

static void free_jobs(vv_host *h)
{
    while (h->ended) {
        vv_job *j = h->ended;
        h->ended = j->next;
        vv_job_free(j);
    }
    for (vv_job *j = vv_heap_pop(&h->ready); j; j = vv_heap_pop(&h->ready)) vv_job_free(j);
    vv_heap_free(&h->ready);
    while (h->fetch) {
        vv_fetch *f = h->fetch;
        h->fetch = f->next;
        for (int i = 0; i < f->n; i++)
            if (--f->job[i]->lacking == 0) vv_job_free(f->job[i]);
        free(f->job);
        free(f);
    }
}

void vv_host_close(vv_host **host)
{
    vv_host *h = *host;
    *host = NULL;
    if (!h) return;
    vv_hands_stop(h);
    vv_rest_end(h);
    free_jobs(h);
    vv_wire_close(&h->wire);
    if (h->given_up > 0) return; /* a thread still goes on with a task of this host */
    vv_shelf_close(&h->values);
    for (int i = 0; i < h->n_functions; i++) {
        free(h->function[i]->missing);
        free(h->function[i]);
    }
    free(h->function);
    pthread_cond_destroy(&h->work);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

vv_status vv_host_make_room(vv_host *h, vv_bytes size)
{
    lock(h);
    vv_status status = vv_shelf_make_room(&h->values, size);
    unlock(h);
    return status;
}

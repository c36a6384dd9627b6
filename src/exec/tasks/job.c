#include "exec/tasks/job.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t guard_word = 0x5afe5afe0ddba11u;

/* --- arguments --- */

static vv_status pack_one(vv_buf *b, const vv_arg *a, vv_index *nodes, int depth);

static vv_status pack_list(vv_buf *b, const vv_arg args[], vv_index n, vv_index *nodes, int depth)
{
    enum { DEEPEST = 64 };
    if (depth > DEEPEST) return vv_fail(VV_ERR_USAGE, "lists of arguments are nested deeper than %d", DEEPEST);
    for (vv_index i = 0; i < n; i++) VV_TRY(pack_one(b, &args[i], nodes, depth));
    return VV_OK;
}

static vv_status pack_one(vv_buf *b, const vv_arg *a, vv_index *nodes, int depth)
{
    static const char zeros[16];
    vv_packed_arg p = {.kind = (int32_t)a->kind, .rank = -1};
    ++*nodes;
    switch (a->kind) {
    case VV_ARG_I64:
    case VV_ARG_FUTURE: p.x = a->i; break;
    case VV_ARG_F64: memcpy(&p.x, &a->f, sizeof p.x); break;
    case VV_ARG_BYTES: p.x = a->size; break;
    case VV_ARG_LIST: p.x = a->n; break;
    default: return vv_fail(VV_ERR_USAGE, "an argument of no kind (%d)", (int)a->kind);
    }
    if (p.x < 0 && (a->kind == VV_ARG_BYTES || a->kind == VV_ARG_LIST))
        return vv_fail(VV_ERR_USAGE, "an argument of %lld bytes or elements", (long long)p.x);
    vv_buf_bytes(b, &p, sizeof p);
    if (a->kind == VV_ARG_LIST) return pack_list(b, a->list, a->n, nodes, depth + 1);
    if (a->kind == VV_ARG_BYTES) {
        vv_buf_bytes(b, a->data, (size_t)a->size);
        vv_buf_bytes(b, zeros, (size_t)(vv_wire_padded(a->size) - a->size));
    }
    return VV_OK;
}

vv_status vv_args_pack(vv_buf *b, const vv_arg args[], vv_index n, vv_index *nodes)
{
    VV_TRY(pack_list(b, args, n, nodes, 0));
    return vv_buf_status(b);
}

/* Where unpacking is. */
typedef struct unpacking {
    vv_job *job;
    const char *at;
    vv_arg *next; /* free ones */
} unpacking;

/* n arguments into out; elements of lists go to free ones, so that each list lies together. */
static void unpack(unpacking *u, vv_arg out[], vv_index n)
{
    for (vv_index i = 0; i < n; i++) {
        vv_packed_arg p;
        memcpy(&p, u->at, sizeof p);
        u->at += sizeof p;
        out[i] = (vv_arg){.kind = (vv_arg_kind)p.kind, .i = p.x};
        if (p.kind == VV_ARG_F64) memcpy(&out[i].f, &p.x, sizeof p.x);
        if (p.kind == VV_ARG_FUTURE) {
            out[i].n = p.rank;
            u->job->n_inputs++;
        }
        if (p.kind == VV_ARG_BYTES) {
            out[i].data = u->at;
            out[i].size = p.x;
            u->at += vv_wire_padded(p.x);
        }
        if (p.kind == VV_ARG_LIST) {
            vv_arg *list = u->next;
            u->next += p.x;
            out[i].list = list;
            out[i].n = p.x;
            unpack(u, list, p.x);
        }
    }
}

vv_status vv_job_new(struct vv_host *host, int64_t id, const vv_run_head *head, vv_bytes size, vv_job **out)
{
    /* one block: the job, its arguments, the record with their bytes */
    size_t args = (sizeof(vv_job) + 15) & ~(size_t)15,
           blob = args + (((size_t)head->nodes * sizeof(vv_arg) + 15) & ~(size_t)15);
    vv_job *j = malloc(blob + (size_t)size);
    if (!j)
        return vv_fail(VV_ERR_NOMEM, "the system gave no memory for a task with arguments of %lld bytes",
                       (long long)size);
    memset(j, 0, offsetof(vv_job, few));
    j->arg = (vv_arg *)(void *)((char *)j + args);
    j->blob = (char *)j + blob;
    memcpy(j->blob, head, (size_t)size);
    j->host = host;
    j->id = id;
    j->function = head->function;
    j->timeout = head->timeout;
    j->nodes = head->nodes;
    j->kind = VV_ARG_BYTES;
    j->task = (vv_task){head->n, j->arg, vv_this_rank(), head->attempt};
    unpack(&(unpacking){j, j->blob + sizeof *head, j->arg + head->n}, j->arg, head->n);
    *out = j;
    return VV_OK;
}

/* --- results --- */

static char *room_of(vv_job *j)
{
    return j->block ? j->block : j->few;
}

const void *vv_job_result(const vv_job *j)
{
    switch (j->kind) {
    case VV_ARG_I64: return &j->i;
    case VV_ARG_F64: return &j->f;
    default: return (j->block ? (const char *)j->block : j->few) + VV_GUARD;
    }
}

static void set_guard(char *at)
{
    for (size_t i = 0; i < VV_GUARD; i += sizeof guard_word) memcpy(at + i, &guard_word, sizeof guard_word);
}

void *vv_job_room(vv_job *j, vv_bytes size)
{
    j->kind = VV_ARG_BYTES;
    j->becomes = 0;
    j->size = 0;
    vv_mem_put(&j->block);
    if (size > VV_SMALL_VALUE && vv_mem_get(&j->block, size + 2 * VV_GUARD, "the result of a task") != VV_OK)
        return NULL;
    j->size = size;
    set_guard(room_of(j));
    set_guard(room_of(j) + VV_GUARD + size);
    return room_of(j) + VV_GUARD;
}

static bool guard_broken(const char *at)
{
    bool whole = true;
    for (size_t i = 0; i < VV_GUARD; i += sizeof guard_word)
        whole &= memcmp(at + i, &guard_word, sizeof guard_word) == 0;
    return !whole;
}

vv_status vv_job_check(vv_job *j)
{
    if (j->kind != VV_ARG_BYTES || j->size == 0) return VV_OK;
    char *room = room_of(j);
    bool before = guard_broken(room), after = guard_broken(room + VV_GUARD + j->size);
    if (!before && !after) return VV_OK;
    vv_bytes size = j->size;
    const char *far = room + VV_GUARD + size + VV_GUARD - sizeof guard_word;
    bool beyond = memcmp(room, &guard_word, sizeof guard_word) != 0 || memcmp(far, &guard_word, sizeof guard_word) != 0;
    if (beyond) j->block = NULL; /* what lies beside it may be damaged, too: it is not given back */
    j->size = 0;
    return vv_fail(VV_ERR_RUN, "it has written %s its result of %lld bytes", after ? "past the end of" : "in front of",
                   (long long)size);
}

void vv_job_fail(vv_job *j)
{
    if (!j->failure) j->failure = malloc(sizeof *j->failure);
    if (j->failure) vv_error_get(j->failure);
}

void vv_job_free(vv_job *j)
{
    if (!j) return;
    vv_mem_put(&j->block);
    vv_buf_free(&j->submitted);
    free(j->pinned);
    free(j->failure);
    free(j);
}

int vv_return_i64(vv_task *t, int64_t i)
{
    vv_job *j = (vv_job *)t;
    j->kind = VV_ARG_I64;
    j->i = i;
    j->becomes = 0;
    return VV_OK;
}

int vv_return_f64(vv_task *t, double f)
{
    vv_job *j = (vv_job *)t;
    j->kind = VV_ARG_F64;
    j->f = f;
    j->becomes = 0;
    return VV_OK;
}

/* What a task function may call (varve/task.h). Mistakes are kept as the job's failure, which counts when the function returns. */
#include "exec/tasks/host.h"

#include <stdlib.h>
#include <string.h>

static const char *const kind_name[VV_ARG_KINDS] = {"an integer", "a real number", "bytes", "a list", "a future"};

static const vv_arg *argument(vv_task *t, int k, vv_arg_kind kind)
{
    vv_job *j = (vv_job *)t;
    if (k < 0 || k >= t->n) {
        (void)vv_fail(VV_ERR_USAGE, "it asks for argument %d of %d", k, t->n);
    } else if (t->arg[k].kind == kind || (kind == VV_ARG_F64 && t->arg[k].kind == VV_ARG_I64)) {
        return &t->arg[k];
    } else {
        (void)vv_fail(VV_ERR_TYPE, "it asks for argument %d as %s, and it is %s", k, kind_name[kind],
                      kind_name[t->arg[k].kind]);
    }
    vv_job_fail(j);
    return NULL;
}

int64_t vv_task_i64(vv_task *t, int k)
{
    const vv_arg *a = argument(t, k, VV_ARG_I64);
    return a ? a->i : 0;
}

double vv_task_f64(vv_task *t, int k)
{
    const vv_arg *a = argument(t, k, VV_ARG_F64);
    return !a ? 0 : a->kind == VV_ARG_I64 ? (double)a->i : a->f;
}

const void *vv_task_data(vv_task *t, int k, vv_bytes *size)
{
    const vv_arg *a = argument(t, k, VV_ARG_BYTES);
    if (size) *size = a ? a->size : 0;
    return a ? a->data : NULL;
}

const char *vv_task_string(vv_task *t, int k)
{
    vv_bytes size;
    const char *text = vv_task_data(t, k, &size);
    if (text && size > 0 && text[size - 1] == 0) return text;
    if (text) {
        (void)vv_fail(VV_ERR_TYPE, "it asks for argument %d as text, and it does not end in 0", k);
        vv_job_fail((vv_job *)t);
    }
    return "";
}

vv_index vv_task_length(vv_task *t, int k)
{
    const vv_arg *a = argument(t, k, VV_ARG_LIST);
    return a ? a->n : 0;
}

vv_arg vv_task_element(vv_task *t, int k, vv_index e)
{
    const vv_arg *a = argument(t, k, VV_ARG_LIST);
    if (a && e >= 0 && e < a->n) return a->list[e];
    if (a) {
        (void)vv_fail(VV_ERR_USAGE, "it asks for element %lld of %lld of argument %d", (long long)e, (long long)a->n,
                      k);
        vv_job_fail((vv_job *)t);
    }
    return vv_buffer(NULL, 0);
}

vv_arg vv_string(const char *text)
{
    return vv_buffer(text, (vv_bytes)strlen(text) + 1);
}

/* --- results --- */

void *vv_return_room(vv_task *t, vv_bytes size)
{
    vv_job *j = (vv_job *)t;
    void *room = NULL;
    if (size < 0)
        (void)vv_fail(VV_ERR_USAGE, "a result of %lld bytes", (long long)size);
    else if (size <= VV_SMALL_VALUE || vv_host_make_room(j->host, size) == VV_OK)
        room = vv_job_room(j, size);
    if (!room) vv_job_fail(j);
    return room;
}

int vv_return_bytes(vv_task *t, const void *data, vv_bytes size)
{
    void *room = vv_return_room(t, size);
    if (!room) return ((vv_job *)t)->failure ? ((vv_job *)t)->failure->code : VV_ERR_NOMEM;
    if (size) memcpy(room, data, (size_t)size);
    return VV_OK;
}

int vv_return_future(vv_task *t, vv_future f)
{
    vv_job *j = (vv_job *)t;
    if (f.id < 0 && -f.id <= j->made) {
        j->becomes = f.id;
        return VV_OK;
    }
    vv_status status = vv_fail(VV_ERR_USAGE, "it returns a future that it has not made");
    vv_job_fail(j);
    return status;
}

/* --- more tasks --- */

static vv_status check_futures(const vv_job *j, const vv_arg args[], vv_index n)
{
    for (vv_index i = 0; i < n; i++) {
        if (args[i].kind == VV_ARG_LIST) VV_TRY(check_futures(j, args[i].list, args[i].n));
        if (args[i].kind == VV_ARG_FUTURE && (args[i].i >= 0 || -args[i].i > j->made))
            return vv_fail(VV_ERR_USAGE, "it submits a task with a future that it has not made");
    }
    return VV_OK;
}

/* By its name for other ranks, where the desk has given it no number yet. */
static vv_status put_symbol(vv_task_function *f, vv_buf *b)
{
    vv_symbol s;
    vv_status status = vv_symbol_find((vv_function *)f, &s);
    if (status == VV_OK && s.n_id == 0) status = vv_fail(VV_ERR_USAGE, "a task is a function of no program or library");
    if (status == VV_OK) {
        vv_bytes path = (vv_bytes)strlen(s.module) + 1, all = (vv_bytes)sizeof s + path;
        vv_buf_bytes(b, &s, sizeof s);
        vv_buf_bytes(b, s.module, (size_t)path);
        vv_buf_bytes(b, (char[16]){0}, (size_t)(vv_wire_padded(all) - all));
    }
    vv_symbol_free(&s);
    return status;
}

static vv_status pack(vv_job *j, vv_task_function *f, const vv_arg args[], int n, vv_buf *b)
{
    vv_run_head head = {.function = vv_host_number(j->host, f), .n = n};
    vv_index nodes = 0;
    VV_TRY(check_futures(j, args, n));
    vv_buf_bytes(b, &head, sizeof head);
    if (head.function < 0) VV_TRY(put_symbol(f, b));
    VV_TRY(vv_args_pack(b, args, n, &nodes));
    if (b->size > VV_MOST_ARGS) return vv_fail(VV_ERR_USAGE, "it submits a task with arguments of more than 16 MiB");
    head.nodes = (int32_t)nodes;
    memcpy(b->data, &head, sizeof head);
    return VV_OK;
}

static vv_status submit(vv_job *j, vv_task_function *f, const vv_arg args[], int n)
{
    vv_buf b = {0};
    vv_status status = pack(j, f, args, n, &b);
    if (status == VV_OK) {
        vv_record r = {.say = VV_SAY_SUBMIT, .id = -(j->made + 1), .size = (vv_bytes)b.size};
        vv_buf_bytes(&j->submitted, &r, sizeof r);
        vv_buf_bytes(&j->submitted, b.data, b.size);
        vv_buf_bytes(&j->submitted, (char[16]){0}, (size_t)vv_wire_padded(r.size) - b.size);
        status = vv_buf_status(&j->submitted);
    }
    vv_buf_free(&b);
    return status;
}

vv_future vv_task_submit(vv_task *t, vv_task_function *f, const vv_arg args[], int n)
{
    vv_job *j = (vv_job *)t;
    if (submit(j, f, args, n) == VV_OK) return (vv_future){-++j->made};
    vv_job_fail(j);
    return (vv_future){0};
}

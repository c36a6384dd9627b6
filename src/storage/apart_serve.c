/* The reader's half: opens, indexes and reads as it is told. Whatever HDF5 does to this process, the other half stays whole. */
#include "base/log.h"
#include "base/mem.h"
#include "storage/apart.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

bool vv_apart_send(int socket, const void *data, size_t size)
{
    for (const char *p = data; size > 0;) {
        ssize_t n = send(socket, p, size, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        p += n;
        size -= (size_t)n;
    }
    return true;
}

bool vv_apart_take(int socket, void *out, size_t size)
{
    for (char *p = out; size > 0;) {
        ssize_t n = recv(socket, p, size, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        p += n;
        size -= (size_t)n;
    }
    return true;
}

/* --- open files --- */

static vv_file **open_files;
static int64_t n_files;

static vv_status keep(vv_file *f, int64_t *number)
{
    for (*number = 0; *number < n_files && open_files[*number]; ++*number) continue;
    if (*number == n_files) {
        vv_file **more = realloc(open_files, sizeof *more * (size_t)(n_files + 1));
        if (!more) return vv_fail(VV_ERR_NOMEM, "no memory for %lld open files", (long long)n_files);
        open_files = more;
        n_files++;
    }
    open_files[*number] = f;
    return VV_OK;
}

/* `where`: the owner's directory, then the path. */
static vv_status open_path(const vv_apart_request *q, const char *where, vv_file **out)
{
    const char *path = where + strlen(where) + 1;
    if (chdir(where)) vv_say(VV_LOG_DEBUG, "cannot enter %s: %s", where, strerror(errno));
    VV_TRY(vv_new(out, 1, sizeof **out));
    (*out)->format = vv_formats[q->format];
    vv_status status = vv_strdup(&(*out)->path, path);
    if (status == VV_OK) status = (*out)->format->open(*out);
    if (status != VV_OK) vv_file_close(out);
    return status;
}

static vv_status open_and_keep(const vv_apart_request *q, const char *where, int64_t *number, vv_buf *out)
{
    vv_file *f;
    VV_TRY(open_path(q, where, &f));
    vv_meta_pack(f->meta, out);
    vv_status status = vv_buf_status(out);
    if (status == VV_OK) status = keep(f, number);
    if (status != VV_OK) vv_file_close(&f);
    return status;
}

static vv_status whole_header(const vv_apart_request *q, const char *where, vv_buf *out)
{
    vv_file *f;
    vv_header *h;
    VV_TRY(open_path(q, where, &f));
    vv_status status = vv_header_of(f, &h);
    vv_file_close(&f);
    VV_TRY(status);
    vv_header_pack(h, out);
    vv_header_free(&h);
    return vv_buf_status(out);
}

static vv_status chunk_places(vv_file *f, int var, const vv_index *number, size_t n, vv_buf *out)
{
    vv_chunk_at *at;
    VV_TRY(vv_new(&at, n, sizeof *at));
    out->data = (char *)at;
    out->size = n * sizeof *at;
    return f->format->index(f, var, (vv_index)n, number, at);
}

static vv_status values(vv_file *f, const vv_apart_request *q, vv_buf *out)
{
    const vv_variable *v = &f->meta->var[q->var];
    size_t size = (size_t)vv_variable_element(v);
    out->size = (size_t)vv_box_elements(&q->box) * size;
    vv_status status = vv_new(&out->data, out->size, 1);
    return status == VV_OK ? f->format->read(f, (int)q->var, &q->box, out->data) : status;
}

static vv_status do_request(const vv_apart_request *q, const char *payload, int64_t *number, vv_buf *out)
{
    vv_bytes address;
    if (q->op == VV_APART_OPEN) return open_and_keep(q, payload, number, out);
    if (q->op == VV_APART_HEADER) return whole_header(q, payload, out);
    vv_file *f = open_files[q->file];
    switch (q->op) {
    case VV_APART_OFFSET:
        VV_TRY(f->format->offset(f, (int)q->var, &address));
        vv_buf_bytes(out, &address, sizeof address);
        return vv_buf_status(out);
    case VV_APART_INDEX: {
        const void *numbers = payload;
        return chunk_places(f, (int)q->var, numbers, (size_t)q->payload / sizeof(vv_index), out);
    }
    case VV_APART_READ: return values(f, q, out);
    case VV_APART_TEXT: return f->format->text(f, (int)q->var, out);
    default: vv_file_close(&open_files[q->file]); return VV_OK;
    }
}

static bool answer(int socket, vv_status status, int64_t number, const vv_buf *data)
{
    vv_failure failure;
    if (status != VV_OK) vv_error_get(&failure);
    vv_apart_answer a = {status, number, status == VV_OK ? (int64_t)data->size : (int64_t)sizeof failure};
    const void *payload = status == VV_OK ? (const void *)data->data : &failure;
    return vv_apart_send(socket, &a, sizeof a) && vv_apart_send(socket, payload, (size_t)a.payload);
}

/* Processor time that a request may take; the system ends a process that uses more. Files on slow disks wait, they do not compute. Larger ones have more to look at. */
static void limit_time(const vv_apart_request *q)
{
    struct rusage used;
    struct rlimit limit;
    const char *text = getenv("VARVE_PATIENCE");
    double seconds = text ? strtod(text, NULL) : 20;
    if (q->op == VV_APART_READ || q->op == VV_APART_TEXT) seconds *= 10;
    seconds += 1e-6 * (double)q->payload;
    getrusage(RUSAGE_SELF, &used);
    if (getrlimit(RLIMIT_CPU, &limit)) return;
    limit.rlim_cur = (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + 1 + (rlim_t)seconds;
    if (setrlimit(RLIMIT_CPU, &limit)) vv_say(VV_LOG_DEBUG, "no limit on processor time: %s", strerror(errno));
}

static bool serve_one(int socket)
{
    vv_apart_request q;
    char *payload;
    if (!vv_apart_take(socket, &q, sizeof q)) return false;
    vv_log_set((vv_log_level)q.log);
    vv_set_rank((int)q.rank, (int)q.ranks);
    vv_error_clear();
    limit_time(&q);
    if (vv_new(&payload, (size_t)q.payload + 1, 1) != VV_OK || !vv_apart_take(socket, payload, (size_t)q.payload))
        return false;
    vv_buf data = {0};
    int64_t number = -1;
    vv_status status = do_request(&q, payload, &number, &data);
    bool ok = q.op == VV_APART_CLOSE || answer(socket, status, number, &data);
    vv_buf_free(&data);
    free(payload);
    return ok;
}

void vv_apart_serve(int socket)
{
    while (serve_one(socket)) continue;
    _exit(0);
}

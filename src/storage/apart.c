/* The owner's half: starts the reader, asks it, notices when it dies or runs in circles. */
#include "storage/apart.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* One request at a time. A file belongs to the reader that opened it: `life` counts readers. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    bool wanted;
    pid_t process;
    int socket, life;
} reader = {.socket = -1};

typedef struct remote {
    int life;
    int64_t file;
    vv_format format; /* as the real one, with functions that ask */
} remote;

/* --- its life --- */

static _Noreturn void live(int socket)
{
    struct rlimit no_core = {0, 0};
    prctl(PR_SET_NAME, "varve-files");
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGINT, SIG_IGN); /* the owner decides when reading ends */
    signal(SIGTERM, SIG_IGN);
    vv_apart_serve(socket);
}

static vv_status start(void)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        return vv_fail_errno(VV_ERR_RUN, "no socket for the process that reads files");
    reader.process = fork();
    if (reader.process == 0) {
        close(pair[0]);
        live(pair[1]);
    }
    close(pair[1]);
    if (reader.process < 0) {
        close(pair[0]);
        return vv_fail_errno(VV_ERR_RUN, "cannot start the process that reads files");
    }
    reader.socket = pair[0];
    reader.life++;
    return VV_OK;
}

vv_status vv_apart_begin(void)
{
    const char *choice = getenv("VARVE_APART");
    reader.wanted = !choice || strcmp(choice, "0") != 0;
    return reader.wanted && reader.socket < 0 ? start() : VV_OK;
}

/* How it ended. */
static int stop(void)
{
    int how = 0;
    close(reader.socket);
    reader.socket = -1;
    while (waitpid(reader.process, &how, 0) < 0 && errno == EINTR) continue;
    return how;
}

void vv_apart_end(void)
{
    if (reader.socket >= 0) (void)stop();
    reader.wanted = false;
}

bool vv_apart_wanted(void)
{
    return reader.wanted;
}

/* --- asking --- */

static const char *what_happened(int how, char *out, size_t size)
{
    if (WIFSIGNALED(how) && WTERMSIG(how) == SIGXCPU)
        snprintf(out, size, "the file is damaged: the HDF5 library ran in circles reading it");
    else if (WIFSIGNALED(how))
        snprintf(out, size, "the file is damaged: the HDF5 library crashed reading it (%s)", strsignal(WTERMSIG(how)));
    else
        snprintf(out, size, "the file is damaged: the HDF5 library ended the process that reads it (status %d)",
                 WEXITSTATUS(how));
    return out;
}

/* As the formats do: who reads a box names the file, the others do not. */
static vv_status fail(const vv_file *f, const vv_apart_request *q, vv_status code, const char *what)
{
    bool named = q->op == VV_APART_READ || q->op == VV_APART_TEXT;
    return named ? vv_fail(VV_ERR_READ, "%s", what) : vv_fail(code, "%s: %s", f->path, what);
}

/* Sends a request and takes the head of the answer. */
static vv_status ask(const vv_file *f, vv_apart_request *q, const void *payload, vv_apart_answer *a)
{
    char text[160];
    q->log = vv_log_get();
    q->rank = vv_this_rank();
    q->ranks = vv_all_ranks();
    if (vv_apart_send(reader.socket, q, sizeof *q) && vv_apart_send(reader.socket, payload, (size_t)q->payload) &&
        vv_apart_take(reader.socket, a, sizeof *a))
        return VV_OK;
    int how = stop();
    return fail(f, q, VV_ERR_CORRUPT, what_happened(how, text, sizeof text));
}

/* The answer's data, or the reader's error as this process's own. */
static vv_status take(const vv_file *f, const vv_apart_request *q, const vv_apart_answer *a, void *out,
                      int64_t expected)
{
    vv_failure failure;
    bool ok = a->status == VV_OK;
    if (a->payload == (ok ? expected : (int64_t)sizeof failure) &&
        vv_apart_take(reader.socket, ok ? out : &failure, (size_t)a->payload)) {
        if (ok) return VV_OK;
        failure.text[sizeof failure.text - 1] = 0;
        vv_error_set(&failure);
        return (vv_status)a->status;
    }
    (void)stop();
    return fail(f, q, VV_ERR_CORRUPT, "the file is damaged: the process that reads it answers with nonsense");
}

static vv_status alive(const vv_file *f, const vv_apart_request *q)
{
    const remote *r = f->handle;
    if (r->life == reader.life && reader.socket >= 0) return VV_OK;
    return fail(f, q, VV_ERR_READ, "not open any more: another file made the HDF5 library crash");
}

/* One question about an open file whose answer has a known size. */
static vv_status question(vv_file *f, vv_apart_request *q, const void *payload, void *out, int64_t size)
{
    vv_apart_answer a;
    pthread_mutex_lock(&lock);
    vv_status status = alive(f, q);
    q->file = ((remote *)f->handle)->file;
    if (status == VV_OK) status = ask(f, q, payload, &a);
    if (status == VV_OK) status = take(f, q, &a, out, size);
    pthread_mutex_unlock(&lock);
    return status;
}

/* --- a format whose functions ask --- */

static vv_status offset(vv_file *f, int var, vv_bytes *address)
{
    vv_apart_request q = {.op = VV_APART_OFFSET, .var = var};
    return question(f, &q, NULL, address, sizeof *address);
}

static vv_status chunk_index(vv_file *f, int var, vv_index n, const vv_index *chunks, vv_chunk_at *out)
{
    vv_apart_request q = {.op = VV_APART_INDEX, .var = var, .payload = n * (int64_t)sizeof *chunks};
    VV_TRY(vv_fault(VV_FAULT_CHUNK_INDEX));
    return question(f, &q, chunks, out, n * (int64_t)sizeof *out);
}

static vv_status read_box(vv_file *f, int var, const vv_box *box, void *out)
{
    const vv_variable *v = &f->meta->var[var];
    int64_t size = vv_variable_element(v);
    vv_apart_request q = {.op = VV_APART_READ, .var = var, .box = *box};
    VV_TRY(vv_fault(VV_FAULT_READ_CHUNK));
    return question(f, &q, NULL, out, vv_box_elements(box) * size);
}

/* As question(), for as many bytes as come. */
static vv_status ask_text(vv_file *f, vv_apart_request *q, vv_buf *out)
{
    vv_apart_answer a;
    VV_TRY(alive(f, q));
    q->file = ((remote *)f->handle)->file;
    VV_TRY(ask(f, q, NULL, &a));
    int64_t size = a.payload < 0 || a.payload > VV_MOST_TEXT ? 0 : a.payload;
    VV_TRY(vv_new(&out->data, (size_t)size + 1, 1));
    out->size = (size_t)size;
    return take(f, q, &a, out->data, size);
}

static vv_status read_text(vv_file *f, int var, vv_buf *out)
{
    vv_apart_request q = {.op = VV_APART_TEXT, .var = var};
    VV_TRY(vv_fault(VV_FAULT_READ_CHUNK));
    pthread_mutex_lock(&lock);
    vv_status status = ask_text(f, &q, out);
    pthread_mutex_unlock(&lock);
    return status;
}

static void close_file(vv_file *f)
{
    remote *r = f->handle;
    if (!r) return;
    pthread_mutex_lock(&lock);
    vv_apart_request q = {.op = VV_APART_CLOSE, .file = r->file};
    if (r->life == reader.life && reader.socket >= 0) (void)vv_apart_send(reader.socket, &q, sizeof q);
    pthread_mutex_unlock(&lock);
    free(r);
    f->handle = NULL;
}

static int number_of(const vv_format *format)
{
    int i = 0;
    while (vv_formats[i] != format) i++;
    return i;
}

/* Asks for something about a path; the answer's data is `packed`, to be freed. */
static vv_status ask_path(const vv_file *f, vv_apart_op op, int64_t *file, char **packed, vv_reader *in)
{
    vv_apart_answer a = {0};
    vv_apart_request q = {.op = op, .format = number_of(f->format)};
    vv_buf where = {0}; /* a relative path is meant from here */
    char *here = getcwd(NULL, 0);
    vv_buf_bytes(&where, here ? here : "", here ? strlen(here) + 1 : 1);
    vv_buf_bytes(&where, f->path, strlen(f->path) + 1);
    free(here);
    q.payload = (int64_t)where.size;
    vv_status status = vv_buf_status(&where);
    if (status == VV_OK && reader.socket < 0) status = start();
    if (status == VV_OK) status = ask(f, &q, where.data, &a);
    vv_buf_free(&where);
    VV_TRY(status);
    if (a.status != VV_OK) return take(f, &q, &a, NULL, 0);
    VV_TRY(vv_new(packed, (size_t)a.payload + 1, 1));
    *in = (vv_reader){.data = *packed, .size = (size_t)a.payload};
    *file = a.file;
    return take(f, &q, &a, *packed, a.payload);
}

static vv_status open_remote(vv_file *f, remote *r)
{
    char *packed = NULL;
    vv_reader in;
    vv_status status = ask_path(f, VV_APART_OPEN, &r->file, &packed, &in);
    r->life = reader.life;
    if (status == VV_OK) status = vv_meta_unpack(&f->meta, &in);
    free(packed);
    return status;
}

vv_status vv_apart_header(const vv_file *f, vv_header **out)
{
    char *packed = NULL;
    vv_reader in;
    int64_t none;
    VV_TRY(vv_fault(VV_FAULT_CHUNK_INDEX)); /* faults are planted in this process only */
    VV_TRY(vv_fault(VV_FAULT_READ_CHUNK));
    pthread_mutex_lock(&lock);
    vv_status status = ask_path(f, VV_APART_HEADER, &none, &packed, &in);
    pthread_mutex_unlock(&lock);
    if (status == VV_OK) status = vv_header_unpack(&in, out);
    free(packed);
    return status;
}

vv_status vv_apart_open(vv_file *f)
{
    remote *r;
    VV_TRY(vv_new(&r, 1, sizeof *r));
    pthread_mutex_lock(&lock);
    vv_status status = open_remote(f, r);
    pthread_mutex_unlock(&lock);
    if (status != VV_OK) {
        free(r);
        return status;
    }
    r->format = *f->format;
    r->format.offset = offset;
    r->format.index = chunk_index;
    r->format.read = read_box;
    r->format.text = read_text;
    r->format.close = close_file;
    f->handle = r;
    f->format = &r->format;
    return VV_OK;
}

#include "storage/sidecar.h"

#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Changes with whatever changes in the layout of a header or of a sidecar; what is in a header is likely to change its structures' sizes, too. */
enum { VERSION = (1 << 16) + sizeof(vv_variable) + sizeof(vv_dim) + sizeof(vv_attr) + sizeof(vv_chunk_at) };
/* Two changes of a file within this time may leave the same time of change. */
enum { MOMENT = 50 * 1000 * 1000 };

typedef struct head {
    char magic[16];
    uint32_t version, order; /* order: 0x01020304 in the byte order of who wrote it */
    int64_t index_size;
    uint64_t index_hash;
} head;

static const head first_bytes = {.magic = "varve headers\r\n", .version = VERSION, .order = 0x01020304};

typedef struct entry {
    char *name; /* of the file in its directory */
    vv_stamp stamp;
    int64_t at, size; /* of its header, in the sidecar */
    uint64_t hash;
} entry;

typedef struct sidecar {
    char *path, *directory;
    int fd;
    int n;
    entry *entry; /* by name, ascending */
} sidecar;

/* --- names --- */

/* The directory of a path, resolved; NULL when there is none. */
static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup("."), *real = NULL;
    if (name) real = realpath(name, NULL);
    free(name);
    return real;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void close_sidecar(sidecar *s)
{
    if (s->fd >= 0) close(s->fd);
    for (int i = 0; i < s->n; i++) free(s->entry[i].name);
    free(s->entry);
    free(s->path);
    free(s->directory);
    *s = (sidecar){.fd = -1};
}

/* Takes the directory over. */
static vv_status name_sidecar(const char *cache, char *directory, sidecar *s)
{
    vv_buf b = {0};
    *s = (sidecar){.fd = -1, .directory = directory};
    vv_buf_printf(&b, "%s/%016llx.headers", cache, (unsigned long long)vv_hash(directory, strlen(directory)));
    s->path = b.data;
    return vv_buf_status(&b);
}

/* --- reading --- */

static bool read_all(int fd, void *to, int64_t size, int64_t at)
{
    for (int64_t done = 0; done < size;) {
        ssize_t n = pread(fd, (char *)to + done, (size_t)(size - done), at + done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        done += n;
    }
    return true;
}

static bool take_entry(vv_reader *in, int64_t file_size, entry *e)
{
    *e = (entry){.name = NULL};
    const char *name = vv_read_string(in);
    e->stamp.size = vv_read_i64(in);
    e->stamp.changed = vv_read_i64(in);
    e->at = vv_read_i64(in);
    e->size = vv_read_i64(in);
    e->hash = (uint64_t)vv_read_i64(in);
    if (in->failed || e->at < 0 || e->size < 0 || e->at > file_size || e->size > file_size - e->at) return false;
    e->name = strdup(name);
    return e->name != NULL;
}

/* What is wrong with it; NULL when it is fine. */
static const char *take_index(sidecar *s, const char *bytes, const head *h, int64_t file_size)
{
    vv_reader in = {.data = bytes, .size = (size_t)h->index_size};
    if (vv_hash(bytes, in.size) != h->index_hash) return "its index is damaged";
    if (strcmp(vv_read_string(&in), s->directory) != 0) return "it is of another directory";
    int64_t n = vv_read_i64(&in);
    if (n < 0 || n > h->index_size) return "its index is damaged";
    s->entry = calloc((size_t)n + 1, sizeof *s->entry);
    if (!s->entry) return "there is no memory for it";
    for (; s->n < n; s->n++) {
        if (!take_entry(&in, file_size, &s->entry[s->n])) return "its index is damaged";
        if (s->n && strcmp(s->entry[s->n - 1].name, s->entry[s->n].name) >= 0) {
            free(s->entry[s->n].name);
            return "its index is not in order";
        }
    }
    return NULL;
}

static const char *read_index(sidecar *s)
{
    head h;
    struct stat st;
    s->fd = open(s->path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0) return errno == ENOENT ? "there is none yet" : strerror(errno);
    if (fstat(s->fd, &st) || !S_ISREG(st.st_mode) || !read_all(s->fd, &h, sizeof h, 0)) return "it ends too early";
    if (memcmp(&h, &first_bytes, offsetof(head, index_size)) != 0) return "it is of another version or program";
    if (h.index_size < 0 || h.index_size > st.st_size - (int64_t)sizeof h) return "it ends too early";
    char *bytes = malloc((size_t)h.index_size + 1);
    const char *why = !bytes ? "there is no memory for it" : NULL;
    if (!why && !read_all(s->fd, bytes, h.index_size, sizeof h)) why = "it cannot be read";
    if (!why) why = take_index(s, bytes, &h, st.st_size);
    free(bytes);
    return why;
}

/* A sidecar without entries when there is no good one. */
static void open_sidecar(sidecar *s)
{
    const char *why = read_index(s);
    if (!why) return;
    vv_say(VV_LOG_DEBUG, "headers of %s in %s are not used: %s", s->directory, s->path, why);
    char *path = s->path, *directory = s->directory;
    s->path = s->directory = NULL;
    close_sidecar(s);
    s->path = path;
    s->directory = directory;
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->name, ((const entry *)b)->name);
}

static const entry *find_entry(const sidecar *s, const char *name)
{
    union {
        const char *in;
        char *out;
    } key = {name};
    entry e = {.name = key.out};
    return s->n ? bsearch(&e, s->entry, (size_t)s->n, sizeof e, compare_entries) : NULL;
}

static char *read_blob(const sidecar *s, const entry *e)
{
    char *bytes = malloc((size_t)e->size + 1);
    if (bytes && read_all(s->fd, bytes, e->size, e->at) && vv_hash(bytes, (size_t)e->size) == e->hash) return bytes;
    vv_say(VV_LOG_DEBUG, "%s: the header of %s is damaged", s->path, e->name);
    free(bytes);
    return NULL;
}

/* The same file may be called by another path than before. */
static vv_status rename_header(vv_header *h, const char *path)
{
    free(h->path);
    free(h->meta->path);
    h->path = h->meta->path = NULL;
    VV_TRY(vv_strdup(&h->path, path));
    return vv_strdup(&h->meta->path, path);
}

static vv_status find_one(const sidecar *s, const char *path, vv_header **out)
{
    vv_stamp now;
    const entry *e = find_entry(s, name_of(path));
    if (!e) return VV_OK;
    if (vv_stamp_of(path, &now) != VV_OK) {
        vv_error_clear(); /* whoever opens it will tell */
        return VV_OK;
    }
    if (now.size != e->stamp.size || now.changed != e->stamp.changed) {
        vv_say(VV_LOG_DEBUG, "%s has changed since its header was kept", path);
        return VV_OK;
    }
    char *bytes = read_blob(s, e);
    if (!bytes) return VV_OK;
    vv_reader in = {.data = bytes, .size = (size_t)e->size};
    vv_status status = vv_header_unpack(&in, out);
    if (status == VV_ERR_FORMAT) {
        vv_say(VV_LOG_DEBUG, "%s: the header of %s is damaged", s->path, e->name);
        vv_error_clear();
        status = VV_OK;
    }
    free(bytes);
    if (status == VV_OK && *out) status = rename_header(*out, path);
    return status;
}

/* Calls back once for each directory, with its files' numbers among the paths. */
typedef vv_status directory_visitor(sidecar *s, int n, const int which[], void *context);

static vv_status each_directory(const char *cache, int n, const char *const paths[], directory_visitor *visit,
                                void *context)
{
    int *which, *group;
    char **directory;
    vv_status status = VV_OK;
    VV_TRY(vv_new(&which, (size_t)n + 1, sizeof *which));
    VV_TRY(vv_new(&directory, (size_t)n + 1, sizeof *directory));
    VV_TRY(vv_new(&group, (size_t)n + 1, sizeof *group));
    for (int i = 0; i < n; i++) group[i] = i;
    for (int i = 0; i < n && status == VV_OK; i++) {
        /* Neighbours are in the same directory as a rule: then it need not be resolved again. */
        size_t length = (size_t)(name_of(paths[i]) - paths[i]);
        if (i && length == (size_t)(name_of(paths[i - 1]) - paths[i - 1]) && !strncmp(paths[i], paths[i - 1], length)) {
            group[i] = group[i - 1];
            continue;
        }
        directory[i] = directory_of(paths[i]);
        for (int k = 0; k < i && directory[i]; k++)
            if (directory[k] && !strcmp(directory[k], directory[i])) {
                group[i] = k;
                break;
            }
    }
    for (int i = 0; i < n && status == VV_OK; i++) {
        int some = 0;
        sidecar s;
        if (group[i] != i || !directory[i]) continue;
        for (int k = i; k < n; k++)
            if (group[k] == i) which[some++] = k;
        status = name_sidecar(cache, directory[i], &s);
        directory[i] = NULL;
        if (status == VV_OK) open_sidecar(&s);
        if (status == VV_OK) status = visit(&s, some, which, context);
        close_sidecar(&s);
    }
    for (int i = 0; i < n; i++) free(directory[i]);
    free(directory);
    free(group);
    free(which);
    return status;
}

typedef struct finding {
    const char *const *paths;
    vv_header **out;
} finding;

static vv_status find_all(sidecar *s, int n, const int which[], void *context)
{
    const finding *f = context;
    for (int i = 0; i < n; i++) VV_TRY(find_one(s, f->paths[which[i]], &f->out[which[i]]));
    return VV_OK;
}

vv_status vv_sidecar_find(const char *cache, int n, const char *const paths[], vv_header *out[])
{
    finding f = {paths, out};
    for (int i = 0; i < n; i++) out[i] = NULL;
    return each_directory(cache, n, paths, find_all, &f);
}

/* --- writing --- */

/* What a new sidecar is made of: entries old and new, and the bytes of all headers. */
typedef struct draft {
    int n;
    entry *entry; /* names borrowed */
    vv_buf blobs;
} draft;

static void draft_entry(draft *d, const char *name, vv_stamp stamp, size_t from)
{
    union {
        const char *in;
        char *out;
    } borrowed = {name};
    size_t size = d->blobs.size - from;
    uint64_t hash = d->blobs.failed || !size ? 0 : vv_hash(d->blobs.data + from, size);
    d->entry[d->n++] = (entry){borrowed.out, stamp, (int64_t)from, (int64_t)size, hash};
}

static bool settled(const vv_header *h)
{
    struct timespec now;
    if (!h || h->stamp.changed == 0) return false;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - h->stamp.changed > MOMENT;
}

/* Headers that are kept stay, but for those of files that are gone or are about to be kept again. */
static void draft_old(draft *d, const sidecar *s)
{
    struct stat st;
    int directory = open(s->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = d->n;
    for (int i = 0; i < s->n && directory >= 0; i++) {
        bool again = false;
        for (int lo = 0, hi = n; lo < hi && !again;) {
            int middle = (lo + hi) / 2, order = strcmp(s->entry[i].name, d->entry[middle].name);
            again = order == 0;
            if (order < 0) hi = middle;
            if (order > 0) lo = middle + 1;
        }
        if (again || fstatat(directory, s->entry[i].name, &st, 0)) continue;
        char *bytes = read_blob(s, &s->entry[i]);
        size_t from = d->blobs.size;
        if (!bytes) continue;
        vv_buf_bytes(&d->blobs, bytes, (size_t)s->entry[i].size);
        draft_entry(d, s->entry[i].name, s->entry[i].stamp, from);
        free(bytes);
    }
    if (directory >= 0) close(directory);
}

static vv_status pack_index(const sidecar *s, draft *d, vv_buf *out)
{
    /* The index says where headers lie, and has the same size wherever that is. */
    for (int64_t base = 0, pass = 0; pass < 2; pass++) {
        out->size = 0;
        vv_buf_put_string(out, s->directory);
        vv_buf_put_i64(out, d->n);
        for (int i = 0; i < d->n; i++) {
            const entry *e = &d->entry[i];
            vv_buf_put_string(out, e->name);
            vv_buf_put_i64(out, e->stamp.size);
            vv_buf_put_i64(out, e->stamp.changed);
            vv_buf_put_i64(out, base + e->at);
            vv_buf_put_i64(out, e->size);
            vv_buf_put_i64(out, (int64_t)e->hash);
        }
        base = (int64_t)(sizeof(head) + out->size);
    }
    return vv_buf_status(out);
}

static vv_status write_sidecar(const sidecar *s, draft *d)
{
    vv_buf index = {0}, name = {0};
    VV_TRY(vv_buf_status(&d->blobs));
    qsort(d->entry, (size_t)d->n, sizeof *d->entry, compare_entries);
    vv_status status = pack_index(s, d, &index);
    vv_buf_printf(&name, "%s.%ld.tmp", s->path, (long)getpid());
    if (status == VV_OK) status = vv_buf_status(&name);
    head h = first_bytes;
    h.index_size = (int64_t)index.size;
    h.index_hash = status == VV_OK ? vv_hash(index.data, index.size) : 0;
    vv_raw_out out = {.fd = -1, .path = name.data};
    if (status == VV_OK) {
        out.fd = open(name.data, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (out.fd < 0) status = vv_fail_errno(VV_ERR_WRITE, "cannot write %s", name.data);
    }
    bool made = out.fd >= 0;
    if (status == VV_OK) status = vv_raw_write(&out, 0, sizeof h, &h);
    if (status == VV_OK) status = vv_raw_write(&out, sizeof h, (vv_bytes)index.size, index.data);
    if (status == VV_OK)
        status = vv_raw_write(&out, (vv_bytes)(sizeof h + index.size), (vv_bytes)d->blobs.size, d->blobs.data);
    vv_raw_out_close(&out);
    if (status == VV_OK && rename(name.data, s->path)) status = vv_fail_errno(VV_ERR_WRITE, "cannot write %s", s->path);
    if (status != VV_OK && made) unlink(name.data);
    vv_buf_free(&index);
    vv_buf_free(&name);
    return status;
}

static int compare_headers(const void *a, const void *b)
{
    return strcmp(name_of((*(vv_header *const *)a)->path), name_of((*(vv_header *const *)b)->path));
}

/* The new headers of a directory, by name, each name once. */
static void draft_new(draft *d, int n, const vv_header *of[])
{
    qsort(of, (size_t)n, sizeof *of, compare_headers);
    for (int i = 0; i < n; i++) {
        size_t from = d->blobs.size;
        if (i && !strcmp(name_of(of[i]->path), name_of(of[i - 1]->path))) continue;
        vv_header_pack(of[i], &d->blobs);
        draft_entry(d, name_of(of[i]->path), of[i]->stamp, from);
    }
}

static vv_status keep_all(sidecar *s, int n, const int which[], void *context)
{
    vv_header *const *headers = context;
    const vv_header **new;
    draft d = {0};
    VV_TRY(vv_new(&new, (size_t)n, sizeof *new));
    for (int i = 0; i < n; i++) new[i] = headers[which[i]];
    vv_status status = vv_new(&d.entry, (size_t)(s->n + n), sizeof *d.entry);
    if (status == VV_OK) {
        draft_new(&d, n, new);
        draft_old(&d, s);
        status = write_sidecar(s, &d);
    }
    vv_buf_free(&d.blobs);
    free(d.entry);
    free(new);
    return status;
}

static vv_status make_directory(const char *cache)
{
    if (!mkdir(cache, 0777) || errno == EEXIST) return VV_OK;
    return vv_fail_errno(VV_ERR_WRITE, "cannot make the cache directory %s", cache);
}

static vv_status keep(const char *cache, int n, vv_header *const headers[], const char *paths[], vv_header *some[])
{
    int m = 0;
    for (int i = 0; i < n; i++) {
        if (!settled(headers[i])) continue;
        paths[m] = headers[i]->path;
        some[m++] = headers[i];
    }
    if (m == 0) return VV_OK;
    VV_TRY(make_directory(cache));
    return each_directory(cache, m, paths, keep_all, some);
}

void vv_sidecar_keep(const char *cache, int n, vv_header *const headers[])
{
    const char **paths = NULL;
    vv_header **some = NULL;
    vv_status status = vv_new(&paths, (size_t)n + 1, sizeof *paths);
    if (status == VV_OK) status = vv_new(&some, (size_t)n + 1, sizeof *some);
    if (status == VV_OK) status = keep(cache, n, headers, paths, some);
    free(paths);
    free(some);
    if (status == VV_OK) return;
    vv_say(VV_LOG_WARN, "headers are not kept: %s", vv_last_error());
    vv_error_clear();
}

/* Opening: one file, or many as one dataset.
 *
 * The coordinator takes what headers the cache has (storage/sidecar.h). Those of all other files are read by all ranks, each rank a share, and come back packed;
 * every header is read once. What comes out are files made of headers, none of which stays open, and a dataset that joins them (array/joined/joined.h). */
#include "array/joined/joined.h"
#include "base/log.h"
#include "session/tasks.h"
#include "storage/sidecar.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- lists of files --- */

typedef struct files {
    int n;
    char **path;
} files;

static void files_free(files *f)
{
    for (int i = 0; i < f->n; i++) free(f->path[i]);
    free(f->path);
}

static vv_status add_path(files *f, const char *path)
{
    VV_TRY(vv_grow(&f->path, f->n, sizeof *f->path, "names of files"));
    VV_TRY(vv_strdup(&f->path[f->n], path));
    f->n++;
    return VV_OK;
}

/* "virtual:x?shape=..." is an address of a format, not a pattern. */
static bool is_pattern(const char *text)
{
    size_t scheme = strspn(text, "abcdefghijklmnopqrstuvwxyz");
    bool address = scheme > 1 && text[scheme] == ':' && strchr(text + scheme, '?');
    return !address && strpbrk(text, "*?[") && access(text, F_OK);
}

/* A directory that may not be looked into ends the search: some of the files would be missing, and nobody would know. */
static int may_not(const char *path, int reason)
{
    (void)path;
    return reason == EACCES;
}

static vv_status add_matches(files *f, const char *pattern)
{
    glob_t found;
    int failed = glob(pattern, 0, may_not, &found);
    if (failed == GLOB_NOMATCH) return vv_fail(VV_ERR_NOT_FOUND, "no file matches '%s'", pattern);
    if (failed) return vv_fail_errno(VV_ERR_READ, "the files of '%s' cannot be listed", pattern);
    vv_status status = VV_OK;
    for (size_t i = 0; status == VV_OK && i < found.gl_pathc; i++) status = add_path(f, found.gl_pathv[i]);
    globfree(&found);
    return status;
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static vv_status all_different(const files *f)
{
    char **sorted;
    vv_status status = VV_OK;
    VV_TRY(vv_new(&sorted, (size_t)f->n + 1, sizeof *sorted));
    memcpy(sorted, f->path, sizeof *sorted * (size_t)f->n);
    qsort(sorted, (size_t)f->n, sizeof *sorted, compare_text);
    for (int i = 1; i < f->n && status == VV_OK; i++)
        if (!strcmp(sorted[i - 1], sorted[i])) status = vv_fail(VV_ERR_USAGE, "%s is given twice", sorted[i]);
    free(sorted);
    return status;
}

static vv_status find_files(const char *const paths[], int n, files *out)
{
    for (int i = 0; i < n; i++) VV_TRY(is_pattern(paths[i]) ? add_matches(out, paths[i]) : add_path(out, paths[i]));
    return all_different(out);
}

/* --- headers: who reads which --- */

/* The coordinator's view of one opening. Rank r reads every readers-th of the wanted headers, from r on. Errors: that of the first file in the list counts, whoever met it. */
typedef struct opening {
    vv_session *s;
    int n;
    char **path;
    vv_header **header;    /* by file */
    int *wanted, n_wanted; /* files whose headers have to be read */
    int readers;           /* ranks that do */
    int failed;            /* position among the wanted of the first failure; n_wanted: none */
    vv_failure failure;
} opening;

static void note_failure(opening *o, int at)
{
    if (at >= o->failed) return;
    o->failed = at;
    vv_error_get(&o->failure);
}

/* Before header `at` of a list is read: those that come later are fetched meanwhile. Disks and file servers are best at many things at once. */
static void expect(int n, const char *const path[], int at)
{
    enum { EARLY = 16 };
    for (int i = at ? at + EARLY : 1; i <= at + EARLY && i < n; i++) vv_header_expect(path[i]);
}

static vv_status read_own(opening *o)
{
    const char **path;
    int n = 0;
    VV_TRY(vv_new(&path, (size_t)o->n_wanted + 1, sizeof *path));
    for (int i = 0; i < o->n_wanted; i += o->readers) path[n++] = o->path[o->wanted[i]];
    for (int i = 0; i < n && o->failed > i * o->readers; i++) {
        expect(n, path, i);
        if (vv_header_read(path[i], &o->header[o->wanted[i * o->readers]]) != VV_OK) note_failure(o, i * o->readers);
    }
    free(path);
    return VV_OK;
}

static vv_status ask(opening *o, int rank)
{
    vv_buf b = {0};
    int n = 0;
    for (int i = rank; i < o->n_wanted; i += o->readers) n++;
    vv_buf_put_i64(&b, vv_log_get());
    vv_buf_put_i64(&b, n);
    for (int i = rank; i < o->n_wanted; i += o->readers) vv_buf_put_string(&b, o->path[o->wanted[i]]);
    vv_status status = vv_buf_status(&b);
    if (status == VV_OK) status = vv_net_send_copy(o->s->net, rank, VV_TAG_HEADERS, b.data, (vv_bytes)b.size);
    vv_buf_free(&b);
    return status;
}

static vv_status take_failure(opening *o, int rank, vv_reader *r, int at)
{
    vv_failure e = {.rank = rank};
    e.code = (vv_status)vv_read_i64(r);
    strncpy(e.text, vv_read_string(r), sizeof e.text - 1);
    vv_error_set(&e);
    note_failure(o, rank + at * o->readers);
    return VV_OK;
}

/* An answer: how many headers, the headers, and a failure when they are fewer than were asked for. */
static vv_status take_answer(void *context, const vv_message *m)
{
    opening *o = context;
    vv_reader r = {.data = m->data, .size = (size_t)m->size};
    int64_t n = vv_read_i64(&r);
    for (int64_t i = 0; i < n && !r.failed; i++) {
        int64_t at = m->from + i * o->readers;
        if (at >= o->n_wanted) return vv_fail(VV_ERR_INTERNAL, "headers of files that nobody wants");
        VV_TRY(vv_header_unpack(&r, &o->header[o->wanted[at]]));
    }
    if (r.failed) return vv_fail(VV_ERR_INTERNAL, "damaged headers");
    return r.at < r.size ? take_failure(o, m->from, &r, (int)n) : VV_OK;
}

static vv_status read_headers(opening *o)
{
    enum { WORTH_ASKING = 4 }; /* files for a rank */
    int asked = 0;
    vv_status status = vv_tasks_pause(o->s);
    o->readers = (int)vv_imax(1, vv_imin(o->s->net->size, o->n_wanted / WORTH_ASKING));
    o->failed = o->n_wanted;
    for (int rank = 1; rank < o->readers && status == VV_OK; rank++) {
        status = ask(o, rank);
        asked += status == VV_OK;
    }
    if (status == VV_OK) status = read_own(o);
    vv_failure before;
    vv_error_get(&before);
    vv_status heard = vv_answers_hear(o->s->net, VV_TAG_HEADERS, asked, take_answer, o);
    if (status != VV_OK) vv_error_set(&before);
    VV_TRY(status);
    VV_TRY(heard);
    if (o->failed < o->n_wanted) {
        vv_error_set(&o->failure);
        return o->failure.code;
    }
    return VV_OK;
}

/* --- the other ranks --- */

static vv_status pack_header(const char *path, vv_buf *out)
{
    vv_header *h;
    VV_TRY(vv_header_read(path, &h));
    vv_header_pack(h, out);
    vv_header_free(&h);
    return vv_buf_status(out);
}

/* The headers of a list, up to the first that cannot be read. */
static vv_status pack_headers(vv_reader *r, vv_buf *out, int64_t *done)
{
    const char **path;
    int64_t n = vv_read_i64(r);
    if (r->failed || n < 0 || (uint64_t)n > r->size) return vv_fail(VV_ERR_INTERNAL, "a damaged list of files");
    VV_TRY(vv_new(&path, (size_t)n + 1, sizeof *path));
    for (int64_t i = 0; i < n; i++) path[i] = vv_read_string(r);
    vv_status status = r->failed ? vv_fail(VV_ERR_INTERNAL, "a damaged list of files") : VV_OK;
    for (*done = 0; *done < n && status == VV_OK; *done += status == VV_OK) {
        expect((int)n, path, (int)*done);
        status = pack_header(path[*done], out);
    }
    free(path);
    return status;
}

static void answer(vv_reader *r, vv_buf *out)
{
    vv_buf headers = {0};
    int64_t done = 0;
    vv_log_set((vv_log_level)vv_read_i64(r));
    vv_status status = pack_headers(r, &headers, &done);
    vv_buf_put_i64(out, done);
    vv_buf_bytes(out, headers.data, headers.size);
    vv_buf_free(&headers);
    if (status == VV_OK) return;
    vv_failure e;
    vv_error_get(&e);
    vv_buf_put_i64(out, e.code);
    vv_buf_put_string(out, e.text);
}

vv_status vv_open_serve(vv_net *net, const vv_message *m)
{
    vv_reader r = {.data = m->data, .size = (size_t)m->size};
    vv_buf b = {0};
    answer(&r, &b);
    if (vv_buf_status(&b) != VV_OK) { /* too much for this rank's memory: the failure alone */
        vv_buf_free(&b);
        b = (vv_buf){0};
        vv_buf_put_i64(&b, 0);
        vv_buf_put_i64(&b, VV_ERR_NOMEM);
        vv_buf_put_string(&b, "no memory for the headers of files");
    }
    vv_status status = vv_net_send_surely(net, m->from, VV_TAG_HEADERS, b.data, (vv_bytes)b.size);
    vv_buf_free(&b);
    return status;
}

/* --- datasets --- */

static const char *cache_of(const vv_session *s)
{
    const char *cache = s->cache ? s->cache : getenv("VARVE_CACHE");
    return cache && *cache ? cache : NULL;
}

static vv_status find_headers(opening *o)
{
    const char *cache = cache_of(o->s);
    const char **paths;
    VV_TRY(vv_new(&o->header, (size_t)o->n + 1, sizeof *o->header));
    VV_TRY(vv_new(&o->wanted, (size_t)o->n + 1, sizeof *o->wanted));
    VV_TRY(vv_new(&paths, (size_t)o->n + 1, sizeof *paths));
    for (int i = 0; i < o->n; i++) paths[i] = o->path[i];
    vv_status status = cache ? vv_sidecar_find(cache, o->n, paths, o->header) : VV_OK;
    free(paths);
    VV_TRY(status);
    for (int i = 0; i < o->n; i++)
        if (!o->header[i]) o->wanted[o->n_wanted++] = i;
    if (cache) vv_say(VV_LOG_DEBUG, "headers of %d files, %d of them from %s", o->n, o->n - o->n_wanted, cache);
    if (o->n_wanted == 0) return VV_OK;
    VV_TRY(read_headers(o));
    if (cache) vv_sidecar_keep(cache, o->n, o->header);
    return VV_OK;
}

/* Opens those of the paths that are not open yet. */
static vv_status open_files(vv_session *s, const files *f)
{
    opening o = {.s = s};
    VV_TRY(vv_new(&o.path, (size_t)f->n + 1, sizeof *o.path));
    for (int i = 0; i < f->n; i++)
        if (!vv_dataset_find_in(&s->context, f->path[i])) o.path[o.n++] = f->path[i];
    vv_status status = o.n ? find_headers(&o) : VV_OK;
    for (int i = 0; i < o.n && status == VV_OK; i++) {
        vv_file *file;
        status = vv_header_file(&o.header[i], &file);
        if (status == VV_OK) status = vv_dataset_status(vv_dataset_of_file(&s->context, &file));
    }
    for (int i = 0; o.header && i < o.n; i++) vv_header_free(&o.header[i]);
    free(o.header);
    free(o.wanted);
    free(o.path);
    return status;
}

/* What a joined dataset is known by: all paths, and the dimension. */
static vv_status key_of(const files *f, const char *dim, char **out)
{
    vv_buf b = {0};
    for (int i = 0; i < f->n; i++) vv_buf_printf(&b, "%s\n", f->path[i]);
    vv_buf_text(&b, dim ? dim : "");
    *out = b.data;
    return vv_buf_status(&b);
}

static vv_dataset *join(vv_session *s, const char *name, const files *f, const char *dim)
{
    vv_dataset **part = NULL, *d = NULL;
    char *key = NULL;
    vv_status status = key_of(f, dim, &key);
    for (vv_dataset *k = s->context.datasets; k && status == VV_OK; k = k->next)
        if (k->key && !strcmp(k->key, key)) d = k;
    if (!d && status == VV_OK) status = open_files(s, f);
    if (!d && status == VV_OK) status = vv_new(&part, (size_t)f->n, sizeof *part);
    for (int i = 0; i < f->n && part; i++) part[i] = vv_dataset_find_in(&s->context, f->path[i]);
    if (!d && status == VV_OK) {
        d = vv_dataset_join_in(&s->context, name, part, f->n, dim);
        d->key = key;
        key = NULL;
    }
    if (!d) {
        d = vv_dataset_new(&s->context, name);
        vv_dataset_settle(d, status);
    }
    free(part);
    free(key);
    return d;
}

static vv_dataset *open_one(vv_session *s, const files *f)
{
    const char *path = f->path[0];
    vv_dataset *d = vv_dataset_find_in(&s->context, path);
    if (d || !cache_of(s)) return d ? d : vv_dataset_open_in(&s->context, path);
    vv_status status = open_files(s, f);
    d = vv_dataset_find_in(&s->context, path);
    if (!d) {
        d = vv_dataset_new(&s->context, path);
        vv_dataset_settle(d, status);
    }
    return d;
}

/* What messages call a list. */
static vv_status name_of(const char *const paths[], int n, const files *f, char **out)
{
    vv_buf b = {0};
    vv_buf_text(&b, n == 1 ? paths[0] : f->n ? f->path[0] : "");
    if (n > 1) vv_buf_printf(&b, " and %d more", f->n - 1);
    *out = b.data;
    return vv_buf_status(&b);
}

vv_dataset *vv_dataset_open_list(vv_session *s, const char *const paths[], int n, const char *dim)
{
    files f = {0};
    char *name = NULL;
    vv_dataset *d;
    vv_status status = n > 0 ? find_files(paths, n, &f) : vv_fail(VV_ERR_USAGE, "a dataset needs at least one file");
    if (status == VV_OK) status = name_of(paths, n, &f, &name);
    if (status != VV_OK) {
        d = vv_dataset_new(&s->context, n > 0 ? paths[0] : "");
        vv_dataset_settle(d, status);
    } else {
        d = f.n == 1 ? open_one(s, &f) : join(s, name, &f, dim);
    }
    free(name);
    files_free(&f);
    return d;
}

vv_dataset *vv_dataset_open(vv_session *s, const char *path)
{
    return vv_dataset_open_list(s, &path, 1, NULL);
}

vv_array *vv_open(vv_session *s, const char *path, const char *variable)
{
    return vv_dataset_array(vv_dataset_open(s, path), variable);
}

#include "observe/beat.h"

#include "base/mem.h"
#include "base/status.h"
#include "observe/job.h"
#include "storage/storage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Seconds between beats. The file grows with the ranks: large jobs write it less often. */
static const double every = 2, every_of_many = 10;
enum { MANY = 64 };

static struct {
    char *path, *fresh; /* NULL: no output is being made */
    vv_heartbeat now;
} state;

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* --- writing --- */

static void forget(void)
{
    free(state.path);
    free(state.fresh);
    free(state.now.output);
    free(state.now.command);
    memset(&state, 0, sizeof state);
}

vv_status vv_beat_path(const char *output, char **path)
{
    return vv_output_path_beside(output, "varve-status", path);
}

void vv_beat_begin(const char *output, const char *command, int ranks, int threads, vv_bytes memory)
{
    forget();
    vv_heartbeat *h = &state.now;
    *h = (vv_heartbeat){.ranks = ranks, .threads = threads, .memory = memory, .process = (long)getpid()};
    h->every = ranks > MANY ? every_of_many : every;
    h->started = h->planned = h->beat = seconds();
    h->output = realpath(".", NULL);
    char *full = malloc(strlen(output) + (h->output ? strlen(h->output) : 0) + 2);
    if (full && h->output) sprintf(full, "%s%s%s", *output == '/' ? "" : h->output, *output == '/' ? "" : "/", output);
    free(h->output);
    h->output = full;
    h->command = strdup(command ? command : "");
    if (h->command) h->command[strcspn(h->command, "\n")] = 0;
    (void)gethostname(h->host, sizeof h->host - 1);
    snprintf(h->job, sizeof h->job, "%s", vv_batch_job() ? vv_batch_job() : "");
    if (!h->output || !h->command || vv_beat_path(output, &state.path) != VV_OK ||
        vv_output_path_beside(output, "varve-status.new", &state.fresh) != VV_OK) {
        vv_error_clear();
        forget();
    }
}

void vv_beat_plan(vv_bytes bytes)
{
    state.now.bytes = bytes;
    state.now.planned = seconds();
}

static bool write_all(FILE *f, const vv_heartbeat *h, const vv_rank_report rank[])
{
    fprintf(f, "varve heartbeat 1\noutput %s\ncommand %s\nhost %s\nprocess %ld\njob %s\n", h->output, h->command,
            h->host, h->process, h->job);
    fprintf(f, "started %.3f\nplanned %.3f\nbeat %.3f\nevery %g\n", h->started, h->planned, h->beat, h->every);
    fprintf(f, "threads %d\nmemory %" PRId64 "\nbytes %" PRId64 "\nranks %d\n", h->threads, h->memory, h->bytes,
            h->ranks);
    for (int i = 0; i < h->ranks; i++)
        fprintf(f, "rank %d %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %s\n", i, rank[i].done, rank[i].units,
                rank[i].read, rank[i].resident, rank[i].host);
    bool good = !ferror(f);
    return !fclose(f) && good;
}

void vv_beat_update(const vv_rank_report rank[], int ranks)
{
    double now = seconds();
    if (!state.path || ranks != state.now.ranks || now - state.now.beat < state.now.every) return;
    state.now.beat = now;
    FILE *f = fopen(state.fresh, "we");
    if (!f) return;
    /* Readers see the last one or this one, whole. */
    if (!write_all(f, &state.now, rank) || rename(state.fresh, state.path)) unlink(state.fresh);
}

void vv_beat_end(void)
{
    if (state.path) unlink(state.path);
    forget();
}

/* --- reading --- */

/* What stands behind a word at the begin of a line; NULL: another word. */
static const char *after(const char *line, const char *word)
{
    size_t n = strlen(word);
    return !strncmp(line, word, n) && line[n] == ' ' ? line + n + 1 : NULL;
}

static bool keep_text(const char *value, char **out)
{
    if (!value) return false;
    free(*out);
    *out = strdup(value);
    return true;
}

static bool read_text(const char *line, vv_heartbeat *h)
{
    const char *host = after(line, "host"), *number = after(line, "job");
    if (host) snprintf(h->host, sizeof h->host, "%s", host);
    if (number) snprintf(h->job, sizeof h->job, "%s", number);
    return host || number || keep_text(after(line, "output"), &h->output) ||
           keep_text(after(line, "command"), &h->command);
}

static bool read_number(const char *line, vv_heartbeat *h)
{
    return sscanf(line, "process %ld", &h->process) == 1 || sscanf(line, "started %lf", &h->started) == 1 ||
           sscanf(line, "planned %lf", &h->planned) == 1 || sscanf(line, "beat %lf", &h->beat) == 1 ||
           sscanf(line, "every %lf", &h->every) == 1 || sscanf(line, "threads %d", &h->threads) == 1 ||
           sscanf(line, "memory %" SCNd64, &h->memory) == 1 || sscanf(line, "bytes %" SCNd64, &h->bytes) == 1;
}

/* The line that tells how many ranks there are, and theirs. */
static bool read_rank(const char *line, vv_heartbeat *h)
{
    int i;
    vv_heartbeat_rank r;
    if (!h->rank && sscanf(line, "ranks %d", &i) == 1 && i > 0 && i < 1 << 24) {
        h->rank = calloc((size_t)i, sizeof *h->rank);
        h->ranks = h->rank ? i : 0;
        return h->rank != NULL;
    }
    *r.host = 0;
    int n = sscanf(line, "rank %d %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %31s", &i, &r.done, &r.units, &r.read,
                   &r.memory, r.host);
    if (n < 5 || i < 0 || i >= h->ranks) return false;
    h->rank[i] = r;
    return true;
}

static vv_status read_all(FILE *f, const char *path, vv_heartbeat *h)
{
    char *line = NULL;
    size_t room = 0;
    bool good = getline(&line, &room, f) > 0 && !strcmp(line, "varve heartbeat 1\n");
    while (good && getline(&line, &room, f) > 0) {
        line[strcspn(line, "\n")] = 0;
        good = read_text(line, h) || read_number(line, h) || read_rank(line, h);
    }
    free(line);
    if (good && h->ranks > 0 && h->output && h->command) return VV_OK;
    return vv_fail(VV_ERR_CORRUPT, "%s is no heartbeat of this version of varve", path);
}

vv_status vv_heartbeat_read(const char *output, vv_heartbeat **out)
{
    char *path;
    *out = NULL;
    VV_TRY(vv_beat_path(output, &path));
    FILE *f = fopen(path, "re");
    vv_status status =
        f ? vv_new(out, 1, sizeof **out) : vv_fail_errno(VV_ERR_NOT_FOUND, "no sign of a run that writes %s", output);
    if (status == VV_OK) status = read_all(f, path, *out);
    if (status != VV_OK) vv_heartbeat_free(out);
    if (f) fclose(f);
    free(path);
    return status;
}

void vv_heartbeat_free(vv_heartbeat **h)
{
    if (!*h) return;
    free((*h)->output);
    free((*h)->command);
    free((*h)->rank);
    free(*h);
    *h = NULL;
}

double vv_heartbeat_patience(const vv_heartbeat *h)
{
    return 10 + 5 * h->every;
}

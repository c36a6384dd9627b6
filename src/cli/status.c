/* `varve status`: how a run is getting on, from the small file beside its output. No session: it works on a login node. */
#include "cli/format.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/units.h"
#include "varve/heartbeat.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { FEW = 16, SLOWEST = 5 }; /* ranks that are all shown; of many, so many */

static const char suffix[] = ".varve-status";

/* --- figures --- */

typedef struct figures {
    double fraction, elapsed, silent; /* of the computation at work; seconds */
    double rate, left;                /* bytes a second; seconds, negative when not known */
    vv_bytes read, most;              /* most: memory of the rank that has most */
    bool quiet;                       /* for longer than a living run would be */
} figures;

static double done_share(const vv_heartbeat_rank *r)
{
    return r->units > 0 ? (double)r->done / (double)r->units : 0;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static figures count(const vv_heartbeat *h)
{
    figures f = {.elapsed = h->beat - h->planned, .silent = now() - h->beat, .left = -1};
    vv_index done = 0, units = 0;
    for (int i = 0; i < h->ranks; i++) {
        const vv_heartbeat_rank *r = &h->rank[i];
        done += r->done;
        units += r->units;
        f.read += r->read;
        if (r->memory > f.most) f.most = r->memory;
    }
    f.fraction = h->bytes > 0 ? (double)f.read / (double)h->bytes : units > 0 ? (double)done / (double)units : 0;
    if (f.fraction > 1) f.fraction = 1;
    if (f.elapsed > 0) f.rate = (double)f.read / f.elapsed;
    if (f.fraction > 0) f.left = f.elapsed * (1 - f.fraction) / f.fraction;
    f.quiet = f.silent > vv_heartbeat_patience(h);
    return f;
}

static const char *duration(double s, char out[32])
{
    if (s < 0) s = 0;
    if (s < 99.5)
        snprintf(out, 32, "%.0f s", s);
    else if (s < 5970)
        snprintf(out, 32, "%.0f min", s / 60);
    else
        snprintf(out, 32, "%d h %02d min", (int)(s / 3600), (int)(s / 60) % 60);
    return out;
}

/* --- for people --- */

/* A line of the history without its date and version: what was typed. */
static void print_command(const char *line)
{
    const char *begin = strstr(line, ": varve "), *end = strstr(line, " # varve ");
    begin = begin ? begin + 2 : line;
    if (*begin) printf("  %.*s\n", end && end > begin ? (int)(end - begin) : (int)strlen(begin), begin);
}

static void print_head(const vv_heartbeat *h, const figures *f)
{
    char text[32], total[32], rate[32];
    printf("%s: ", h->output);
    if (f->quiet) printf("no sign of life for %s; it was at ", duration(f->silent, text));
    printf("%d %%", (int)(100 * f->fraction));
    if (h->bytes > 0)
        printf(" of %s, %s", vv_cli_rate((double)h->bytes, "B", total), vv_cli_rate(f->rate, "B/s", rate));
    if (f->left >= 0 && !f->quiet) printf(", %s left", duration(f->left, text));
    printf("\n  on %s, process %ld%s%s\n", h->host, h->process, *h->job ? ", job " : "", h->job);
    print_command(h->command);
    printf("  begun %s ago", duration(now() - h->started, text));
    if (!f->quiet) printf(", last sign of life %s ago", duration(f->silent, text));
    printf("; %d rank%s of %d thread%s", h->ranks, h->ranks == 1 ? "" : "s", h->threads, h->threads == 1 ? "" : "s");
    printf(", %s each at most, %s in use\n", vv_cli_rate((double)h->memory, "B", total),
           vv_cli_rate((double)f->most, "B", rate));
}

static int by_share(const void *a, const void *b)
{
    double x = done_share(*(const vv_heartbeat_rank *const *)a), y = done_share(*(const vv_heartbeat_rank *const *)b);
    return x < y ? -1 : x > y;
}

/* All ranks, or those of many that have most left to do. */
static vv_status print_ranks(const vv_heartbeat *h)
{
    const vv_heartbeat_rank **order = malloc(sizeof(void *) * (size_t)h->ranks);
    if (!order) return vv_error(VV_ERR_NOMEM, "no memory for %d ranks", h->ranks);
    for (int i = 0; i < h->ranks; i++) order[i] = &h->rank[i];
    bool all = h->ranks <= FEW;
    if (!all) qsort(order, (size_t)h->ranks, sizeof *order, by_share);
    if (!all) printf("  the slowest of them:\n");
    vv_cli_table t = {0};
    for (int i = 0; i < (all ? h->ranks : SLOWEST); i++) {
        char read[32], memory[32];
        vv_cli_table_row(&t);
        vv_cli_table_cell(&t, "  rank %d", (int)(order[i] - h->rank));
        vv_cli_table_cell(&t, "%s", order[i]->host);
        vv_cli_table_cell(&t, "%d %%", (int)(100 * done_share(order[i])));
        vv_cli_table_cell(&t, "%s read", vv_cli_rate((double)order[i]->read, "B", read));
        vv_cli_table_cell(&t, "%s in use", vv_cli_rate((double)order[i]->memory, "B", memory));
    }
    free(order);
    return vv_cli_table_print(&t, stdout, "llrrr");
}

static vv_status print_run(const vv_heartbeat *h)
{
    figures f = count(h);
    print_head(h, &f);
    return print_ranks(h);
}

/* --- for programs --- */

static void print_json(const vv_heartbeat *h)
{
    figures f = count(h);
    printf("{\"output\": ");
    vv_cli_json_text(stdout, h->output);
    printf(", \"state\": \"%s\", \"command\": ", f.quiet ? "silent" : "running");
    vv_cli_json_text(stdout, h->command);
    printf(", \"host\": ");
    vv_cli_json_text(stdout, h->host);
    printf(", \"process\": %ld, \"job\": ", h->process);
    vv_cli_json_text(stdout, h->job);
    printf(", \"started\": %.3f, \"beat\": %.3f, \"fraction\": %.6f, \"bytes\": %lld, \"read\": %lld, \"rate\": %.0f",
           h->started, h->beat, f.fraction, (long long)h->bytes, (long long)f.read, f.rate);
    if (f.left >= 0) printf(", \"left\": %.1f", f.left);
    printf(", \"threads\": %d, \"memory\": %lld, \"ranks\": [", h->threads, (long long)h->memory);
    for (int i = 0; i < h->ranks; i++) {
        const vv_heartbeat_rank *r = &h->rank[i];
        printf("%s{\"host\": ", i ? ", " : "");
        vv_cli_json_text(stdout, r->host);
        printf(", \"done\": %lld, \"units\": %lld, \"read\": %lld, \"memory\": %lld}", (long long)r->done,
               (long long)r->units, (long long)r->read, (long long)r->memory);
    }
    printf("]}\n");
}

/* --- which runs --- */

static vv_status show(const char *output, bool json)
{
    vv_heartbeat *h;
    vv_status status = vv_heartbeat_read(output, &h);
    if (status != VV_OK) return status;
    if (json)
        print_json(h);
    else
        status = print_run(h);
    vv_heartbeat_free(&h);
    return status;
}

/* An output of which nothing is heard: it is there, or it is not. */
static vv_status show_quiet(const char *output, bool json)
{
    struct stat s;
    char size[32], when[64];
    if (stat(output, &s))
        return vv_error(VV_ERR_NOT_FOUND, "%s: no such output, and no run that writes it (a run tells after 2 seconds)",
                        output);
    vv_cli_rate((double)s.st_size, "B", size);
    strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", localtime(&s.st_mtime));
    if (!json) {
        printf("%s: complete, %s, of %s\n", output, size, when);
        return VV_OK;
    }
    printf("{\"output\": ");
    vv_cli_json_text(stdout, output);
    printf(", \"state\": \"complete\", \"size\": %lld, \"modified\": %lld}\n", (long long)s.st_size,
           (long long)s.st_mtime);
    return VV_OK;
}

/* ".NAME.varve-status": the length of NAME; 0 for other files. */
static size_t tells_of(const char *entry)
{
    size_t n = strlen(entry), tail = sizeof suffix - 1;
    return *entry == '.' && n > tail + 1 && !strcmp(entry + n - tail, suffix) ? n - tail - 1 : 0;
}

static vv_status show_directory(const char *path, bool json)
{
    DIR *d = opendir(path);
    int n = 0;
    vv_status status = d ? VV_OK : vv_error(VV_ERR_NOT_FOUND, "cannot look into %s", path);
    for (struct dirent *e; status == VV_OK && (e = readdir(d));) {
        size_t length = tells_of(e->d_name);
        char name[4400];
        if (length == 0 || snprintf(name, sizeof name, "%s/%.*s", path, (int)length, e->d_name + 1) >= (int)sizeof name)
            continue;
        status = show(name, json);
        n++;
    }
    if (d) closedir(d);
    if (status == VV_OK && n == 0 && !json) printf("%s: no run writes anything here\n", path);
    return status;
}

vv_status vv_cli_status(vv_session *s, const vv_cli_request *r)
{
    (void)s;
    if (r->inputs.n == 0)
        return vv_error(VV_ERR_USAGE,
                        "status needs the name of an output, or of the directory that outputs are written to");
    vv_status status = VV_OK;
    for (int i = 0; i < r->inputs.n && status == VV_OK; i++) {
        struct stat is;
        const char *path = r->inputs.item[i];
        if (!stat(path, &is) && S_ISDIR(is.st_mode)) {
            status = show_directory(path, r->json);
            continue;
        }
        status = show(path, r->json);
        if (status == VV_ERR_NOT_FOUND) status = show_quiet(path, r->json);
    }
    return status;
}

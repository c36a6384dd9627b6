#include "cli/bench/peers.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_WORDS = 32, WORD = 4096 };

static const char xarray_script[] =
    "import sys, dask, xarray\n"
    "trial, source, target, threads, tile = sys.argv[1:]\n"
    "dask.config.set(scheduler='threads', num_workers=int(threads))\n"
    "with xarray.open_dataset(source, chunks={'time': 96}) as d:\n"
    "    how = {}\n"
    "    if trial == 'mean': r = d.mean('time')\n"
    "    if trial == 'std': r = d.std('time')\n"
    "    if trial == 'anom': r = d.groupby('time.month') - d.groupby('time.month').mean('time')\n"
    "    if trial == 'rechunk':\n"
    "        r = d.chunk({'time': -1, 'lat': int(tile), 'lon': int(tile)})\n"
    "        how = {'x': {'chunksizes': (d.sizes['time'], int(tile), int(tile))}}\n"
    "    for v in r.variables.values(): v.encoding = {}\n"
    "    r.to_netcdf(target, engine='netcdf4', encoding=how)\n";

static const char h5py_script[] =
    "import sys, h5py, numpy\n"
    "trial, source, target, threads, tile = sys.argv[1:]\n"
    "tile = int(tile)\n"
    "with h5py.File(source, 'r') as f, h5py.File(target, 'w') as g:\n"
    "    x = f['x']\n"
    "    n, ny, nx = x.shape\n"
    "    if trial == 'mean':\n"
    "        total = numpy.zeros((ny, nx))\n"
    "        for t in range(0, n, 24): total += x[t:t + 24].sum(axis=0, dtype='f8')\n"
    "        g['x'] = (total / n).astype('f4')\n"
    "    if trial == 'rechunk':\n"
    "        y = g.create_dataset('x', x.shape, 'f4', chunks=(n, min(tile, ny), min(tile, nx)))\n"
    "        for j in range(0, ny, tile): y[:, j:j + tile] = x[:, j:j + tile]\n";

#define PYTHON "python3"
const vv_cli_peer vv_cli_peers[VV_CLI_PEERS] = {
    {"varve", NULL, NULL, NULL},
    {"cdo", "cdo", NULL, NULL},
    {"nco", "ncwa", NULL, NULL},
    {"nccopy", "nccopy", NULL, NULL},
    {"xarray", PYTHON, "dask, netCDF4, xarray", xarray_script},
    {"h5py", PYTHON, "h5py, numpy", h5py_script},
};

const vv_cli_trial vv_cli_trials[VV_CLI_TRIALS] = {
    {"mean",
     "the mean over time",
     false,
     {"mean -q -d time {in} -o {out} --threads {threads}", "-s -O -P {threads} timmean {in} {out}",
      "-O -h -t {threads} -a time {in} {out}", NULL, "mean", "mean"}},
    {"mean-deflate",
     "the same of compressed chunks",
     true,
     {"mean -q -d time {in} -o {out} --threads {threads}", "-s -O -P {threads} timmean {in} {out}",
      "-O -h -t {threads} -a time {in} {out}", NULL, "mean", "mean"}},
    {"std",
     "the standard deviation over time",
     false,
     {"std -q -d time {in} -o {out} --threads {threads}", "-s -O -P {threads} timstd {in} {out}", NULL, NULL, "std",
      NULL}},
    {"anom",
     "all values less the mean of their month",
     false,
     {"anom -q -g month {in} -o {out} --threads {threads}", "-s -O -P {threads} -ymonsub {in} -ymonmean {in} {out}",
      NULL, NULL, "anom", NULL}},
    {"rechunk",
     "maps to chunks that have all times",
     false,
     {"rechunk -q -c time=-1,lat={tile},lon={tile} {in} -o {out} --threads {threads}", NULL, NULL,
      "-k nc4 -c time/{times},lat/{tile},lon/{tile} {in} {out}", "rechunk", "rechunk"}},
};

/* --- command lines --- */

typedef struct line {
    int n;
    char *word[MOST_WORDS + 1];
} line;

static void free_line(line *l)
{
    for (int i = 0; i < l->n; i++) free(l->word[i]);
    l->n = 0;
}

static vv_status add_word(line *l, const char *text)
{
    if (l->n == MOST_WORDS) return vv_error(VV_ERR_INTERNAL, "a peer's command line is too long");
    l->word[l->n] = strdup(text);
    if (!l->word[l->n]) return vv_error(VV_ERR_NOMEM, "no memory for a command line");
    l->word[++l->n] = NULL;
    return VV_OK;
}

/* What stands for the braces at `at`; the length of these is in *length. */
static bool filled(const char *at, const vv_cli_task *t, char value[WORD], size_t *length)
{
    const struct {
        const char *name, *text;
        int number;
    } all[] = {{"{in}", t->in, 0},
               {"{out}", t->out, 0},
               {"{threads}", NULL, t->threads},
               {"{times}", NULL, t->times},
               {"{tile}", NULL, t->tile}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        *length = strlen(all[i].name);
        if (strncmp(at, all[i].name, *length) != 0) continue;
        if (all[i].text)
            snprintf(value, WORD, "%s", all[i].text);
        else
            snprintf(value, WORD, "%d", all[i].number);
        return true;
    }
    return false;
}

/* Split first, filled then: names of files may have spaces. */
static vv_status add_words(line *l, const char *words, const vv_cli_task *t)
{
    for (const char *at = words; *at;) {
        char word[WORD] = "", value[WORD];
        size_t used = 0, length;
        for (; *at && *at != ' '; at += length) {
            if (!filled(at, t, value, &length)) {
                length = 1;
                snprintf(value, sizeof value, "%c", *at);
            }
            if (used + strlen(value) >= sizeof word) return vv_error(VV_ERR_USAGE, "a path is too long: %s", t->in);
            used += (size_t)snprintf(word + used, sizeof word - used, "%s", value);
        }
        vv_status status = add_word(l, word);
        if (status != VV_OK) return status;
        while (*at == ' ') at++;
    }
    return VV_OK;
}

static vv_status line_of(const vv_cli_peer *p, const char *words, const vv_cli_task *t, line *out)
{
    *out = (line){0};
    vv_status status = add_word(out, p->program ? p->program : "/proc/self/exe");
    if (status == VV_OK && p->script) status = add_word(out, "-c");
    if (status == VV_OK && p->script) status = add_word(out, p->script);
    if (status == VV_OK) status = add_words(out, words, t);
    if (status == VV_OK && p->script) status = add_words(out, "{in} {out} {threads} {tile}", t);
    if (status != VV_OK) free_line(out);
    return status;
}

/* --- processes --- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* In a group of its own, so that all of it can be ended. */
static pid_t start(char *const *words, const char *said)
{
    pid_t child = fork();
    if (child != 0) return child;
    int nothing = open("/dev/null", O_RDONLY), log = open(said, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    setpgid(0, 0);
    if (nothing < 0 || log < 0 || dup2(nothing, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) _exit(127);
    execvp(words[0], words);
    _exit(127);
}

/* What the process has had at most so far. Its rusage would count what this one had when it was forked. */
static double peak_of(pid_t process)
{
    char path[64], text[256];
    double peak = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)process);
    FILE *f = fopen(path, "re");
    while (f && fgets(text, sizeof text, f))
        if (!strncmp(text, "VmHWM:", 6)) peak = 1024 * strtod(text + 6, NULL);
    if (f) fclose(f);
    return peak;
}

/* Looks every millisecond. A signal that this program gets while it waits ends the child, too. */
static vv_cli_outcome wait_for(pid_t child, double limit, int *code, struct rusage *used, double *peak)
{
    enum { LOOKS = 10 };
    static const struct timespec pause = {0, 1000000};
    double end = now() + limit;
    bool late = false;
    *peak = 0;
    for (int look = 0;; look++) {
        pid_t ended = wait4(child, code, late ? 0 : WNOHANG, used);
        if (ended == child || (ended < 0 && errno != EINTR)) break;
        if (ended > 0 || late) continue;
        if (look % LOOKS == 0) *peak = fmax(*peak, peak_of(child)); /* 0 of one that ends */
        late = now() > end || (nanosleep(&pause, NULL) < 0 && errno == EINTR);
        if (late) kill(-child, SIGKILL);
    }
    if (late) return now() > end ? VV_CLI_LATE : VV_CLI_INTERRUPTED;
    return WIFEXITED(*code) && WEXITSTATUS(*code) == 0 ? VV_CLI_DONE : VV_CLI_FAILED;
}

static void run(char *const *words, const char *said, double limit, vv_cli_cost *out)
{
    struct rusage used;
    int code = 0;
    double begin = now();
    memset(&used, 0, sizeof used);
    *out = (vv_cli_cost){.outcome = VV_CLI_FAILED};
    pid_t child = start(words, said);
    if (child < 0) return;
    (void)setpgid(child, child); /* whichever of both comes first */
    out->outcome = wait_for(child, limit, &code, &used, &out->peak);
    out->seconds = now() - begin;
    out->processor = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                     1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

vv_status vv_cli_peer_run(const vv_cli_peer *p, const char *words, const vv_cli_task *t, const char *said, double limit,
                          vv_cli_cost *out)
{
    line l;
    vv_status status = line_of(p, words, t, &l);
    if (status != VV_OK) return status;
    run(l.word, said, limit, out);
    free_line(&l);
    return VV_OK;
}

static bool on_path(const char *program)
{
    const char *path = getenv("PATH");
    char file[WORD];
    for (const char *at = path; at && *at; at += strcspn(at, ":"), at += *at == ':') {
        snprintf(file, sizeof file, "%.*s/%s", (int)strcspn(at, ":"), at, program);
        if (!access(file, X_OK)) return true;
    }
    return false;
}

bool vv_cli_peer_installed(const vv_cli_peer *p)
{
    enum { PATIENCE = 60 };
    char imports[128];
    vv_cli_cost cost;
    if (!p->program) return true;
    if (!on_path(p->program)) return false;
    if (!p->imports) return true;
    snprintf(imports, sizeof imports, "import %s", p->imports);
    char program[] = PYTHON, option[] = "-c";
    char *const words[] = {program, option, imports, NULL};
    run(words, "/dev/null", PATIENCE, &cost);
    return cost.outcome == VV_CLI_DONE;
}

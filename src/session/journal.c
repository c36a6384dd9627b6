/* The journal of an output as the coordinator sees it: whether there is one, whether it fits, and its end (exec/journal/journal.h: what is in it).
 *
 * The directory ".NAME.varve-journal" beside the output has, besides the ranks' files:
 *
 *   head    text: version, command, and each input with its size and time
 *   N.run          one for each run that has worked at it
 *   N.varve-part   the output that it has left, as long as chunks are in it that no later run has taken over */
#include "exec/journal/journal.h"
#include "base/log.h"
#include "session/output/file.h"
#include "varve/version.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_ROOM = 4096 };

static const char first_line[] = "varve journal 3";
static const double usual_interval = 300;

static void path_in(const char *directory, const char *name, char out[PATH_ROOM])
{
    snprintf(out, PATH_ROOM, "%s/%s", directory, name);
}

static void remove_all(const char *directory)
{
    char path[PATH_ROOM];
    DIR *d = opendir(directory);
    for (struct dirent *e; d && (e = readdir(d));) {
        path_in(directory, e->d_name, path);
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) unlink(path);
    }
    if (d) closedir(d);
    rmdir(directory);
}

/* --- the head --- */

static void put_inputs(FILE *f, const vv_plan *p)
{
    for (int i = 0; i < p->n_sources; i++) {
        const vv_source *s = &p->source[i];
        struct stat is = {0};
        bool known = s->path && !stat(s->path, &is);
        if (known)
            fprintf(f, "input %lld %lld.%09ld %s\n", (long long)is.st_size, (long long)is.st_mtim.tv_sec,
                    is.st_mtim.tv_nsec, s->path);
    }
}

/* What stands in the head of a journal of this plan. */
static vv_status describe(const vv_output *o, const vv_plan *p, char **out)
{
    size_t size;
    FILE *f = open_memstream(out, &size);
    if (!f) return vv_fail(VV_ERR_NOMEM, "no memory for the head of a journal");
    const char *line = o->history ? o->history : "";
    fprintf(f, "%s\nversion %s\ncommand %.*s\n", first_line, VV_VERSION, (int)strcspn(line, "\n"), line);
    put_inputs(f, p);
    if (!fclose(f)) return VV_OK;
    return vv_fail(VV_ERR_NOMEM, "no memory for the head of a journal");
}

static vv_status write_text(const char *path, const char *text)
{
    char fresh[PATH_ROOM + 8];
    snprintf(fresh, sizeof fresh, "%s.new", path);
    FILE *f = fopen(fresh, "we");
    bool good = f && fputs(text, f) >= 0 && !fflush(f) && !fsync(fileno(f));
    if (f && fclose(f)) good = false;
    if (good && !rename(fresh, path)) return VV_OK;
    return vv_fail_errno(VV_ERR_WRITE, "cannot write the journal %s", path);
}

static vv_status read_text(const char *path, char **out)
{
    FILE *f = fopen(path, "re");
    size_t size = 0, room = 0;
    *out = NULL;
    if (!f) return vv_fail_errno(VV_ERR_READ, "cannot read the journal %s", path);
    ssize_t n = getdelim(out, &room, 0, f);
    size = n > 0 ? (size_t)n : 0;
    fclose(f);
    if (size > 0) return VV_OK;
    free(*out);
    *out = NULL;
    return vv_fail(VV_ERR_CORRUPT, "the journal %s is empty: remove it and begin anew", path);
}

/* The next line of a text, which is cut off there. */
static char *next_line(char **at)
{
    char *line = *at, *end = strchr(line, '\n');
    if (!*line) return NULL;
    if (end) *end = 0;
    *at = end ? end + 1 : line + strlen(line);
    return line;
}

static vv_status refuse(const vv_output *o, const char *why)
{
    return vv_fail(VV_ERR_CORRUPT, "cannot go on with %s: %s; -O without --resume begins anew", o->path, why);
}

/* The path behind "input SIZE TIME ". */
static const char *path_of(const char *line)
{
    for (int i = 0; line && i < 3; i++) line = (line = strchr(line, ' ')) ? line + 1 : NULL;
    return line ? line : "an input";
}

static vv_status compare(const vv_output *o, char *there, char *here)
{
    char why[PATH_ROOM + 256];
    for (;;) {
        char *a = next_line(&there), *b = next_line(&here);
        if (!a && !b) return VV_OK;
        if (a && b && (!strcmp(a, b) || (!strncmp(a, "command ", 8) && !strncmp(b, "command ", 8)))) continue;
        const char *one = a ? a : b;
        if (!strncmp(one, first_line, 8) && strncmp(one, first_line, sizeof first_line))
            snprintf(why, sizeof why, "its journal is none of this version");
        else if (!strncmp(one, "version ", 8))
            snprintf(why, sizeof why, "it was begun by varve %s, this is %s", one + 8, VV_VERSION);
        else if (a && b && !strcmp(path_of(a), path_of(b)))
            snprintf(why, sizeof why, "%s has changed since it was begun", path_of(a));
        else
            snprintf(why, sizeof why, "it was begun with other inputs (%s)", path_of(one));
        return refuse(o, why);
    }
}

static vv_status check_head(const vv_output *o, const vv_plan *p, const char *directory)
{
    char path[PATH_ROOM], *there, *here = NULL;
    path_in(directory, "head", path);
    VV_TRY(read_text(path, &there));
    vv_status status = describe(o, p, &here);
    if (status == VV_OK) status = compare(o, there, here);
    free(there);
    free(here);
    return status;
}

/* --- runs --- */

static bool is_used(const vv_plan *p, int run)
{
    bool used = false;
    for (vv_index i = 0; i < p->n_saved && !used; i++) used = p->saved[i].placed && p->saved[i].run == run;
    return used;
}

/* How many runs have been at it. What they have left of their outputs goes when it is of no use any more. */
static int earlier_runs(const char *directory, const vv_plan *p)
{
    DIR *d = opendir(directory);
    int last = 0;
    for (struct dirent *e; d && (e = readdir(d));) {
        int run, used = 0;
        char *part;
        if (sscanf(e->d_name, "%d.run%n", &run, &used) != 1 || e->d_name[used] || used == 0) continue;
        if (run > last) last = run;
        if (is_used(p, run)) continue;
        if (vv_journal_part(directory, run, &part) != VV_OK) {
            vv_error_clear();
            continue;
        }
        vv_output_path_discard(part);
        free(part);
    }
    if (d) closedir(d);
    return last;
}

/* The output is made in the journal's directory: it is of no use to anybody else until it is complete. */
static vv_status note_run(vv_output *o, vv_plan *p, const char *directory)
{
    char name[32], path[PATH_ROOM], *part;
    snprintf(name, sizeof name, "%d.run", p->journal_run);
    path_in(directory, name, path);
    VV_TRY(write_text(path, ""));
    VV_TRY(vv_journal_part(directory, p->journal_run, &part));
    free(o->temporary);
    o->temporary = part;
    free(p->output);
    return vv_strdup(&p->output, part);
}

static vv_status begin(const vv_output *o, const vv_plan *p, const char *directory)
{
    char path[PATH_ROOM], *text;
    if (mkdir(directory, 0777) && errno != EEXIST)
        return vv_fail_errno(VV_ERR_WRITE, "cannot make the journal %s", directory);
    VV_TRY(describe(o, p, &text));
    path_in(directory, "head", path);
    vv_status status = write_text(path, text);
    free(text);
    return status;
}

/* A map's chunk is one piece of work, in however many variables it is; it is told of by the first of them. */
static bool counts(const vv_plan *p, const vv_saved *s)
{
    int from = p->step[s->step].from, first = 0;
    while (p->step[first].op != VV_STEP_WRITE || p->step[first].from != from) first++;
    return first == s->step && !vv_saved_find(p, from, (vv_unit){s->out, 0});
}

static vv_index units_saved(const vv_plan *p)
{
    vv_index n = 0;
    for (vv_index i = 0; i < p->n_saved; i++) {
        if (p->step[p->saved[i].step].op == VV_STEP_WRITE) {
            n += counts(p, &p->saved[i]);
            continue;
        }
        vv_index leaves = vv_step_leaves(&p->step[p->saved[i].step]), first = p->saved[i].i << p->saved[i].level;
        n += vv_imin(leaves, first + ((vv_index)1 << p->saved[i].level)) - first;
    }
    return n;
}

static vv_index units_of(const vv_plan *p)
{
    vv_index n = 0;
    for (int i = 0; i < p->n_steps; i++)
        if (vv_step_computes(&p->step[i])) n += vv_step_units(&p->step[i]);
    return n;
}

static vv_status go_on(const vv_output *o, vv_plan *p, const char *directory)
{
    VV_TRY(check_head(o, p, directory));
    bool foreign;
    VV_TRY(vv_journal_look(directory, p, vv_verify_records, o->session, &foreign));
    if (p->n_saved == 0 && foreign) return refuse(o, "its journal is of another computation");
    vv_say(VV_LOG_WARN, "goes on with %s: %lld of %lld pieces of work are done", o->path, (long long)units_saved(p),
           (long long)units_of(p));
    return VV_OK;
}

static vv_status check_sources(const vv_plan *p)
{
    for (int i = 0; i < p->n_sources; i++)
        if (p->source[i].held || p->source[i].given)
            return vv_fail(VV_ERR_UNSUPPORTED, "no journal is kept of what comes from the program's memory");
    return VV_OK;
}

static vv_status prepare(vv_output *o, vv_plan *p, const char *directory, bool there)
{
    if (o->append)
        return vv_fail(VV_ERR_UNSUPPORTED, "a file that is appended to has no journal: leave --checkpoint out");
    VV_TRY(check_sources(p));
    if (there && !o->options.resume) remove_all(directory);
    bool goes_on = there && o->options.resume;
    VV_TRY(goes_on ? go_on(o, p, directory) : begin(o, p, directory));
    const char *end = getenv("SLURM_JOB_END_TIME");
    double every = o->options.checkpoint > 0 ? o->options.checkpoint : usual_interval;
    VV_TRY(vv_strdup(&p->journal, directory));
    p->journal_run = earlier_runs(directory, p) + 1;
    p->journal_every = every < 0.01 ? 10 : every > 1e6 ? 1000000000 : (int)(1000 * every);
    p->journal_end = end ? strtoll(end, NULL, 10) : 0;
    return note_run(o, p, directory);
}

vv_status vv_journal_prepare(vv_output *o, vv_plan *plan)
{
    struct stat is;
    char *directory, head[PATH_ROOM];
    VV_TRY(vv_output_path_beside(o->path, "varve-journal", &directory));
    path_in(directory, "head", head);
    bool there = !stat(head, &is), wanted = o->options.checkpoint > 0 || o->options.resume;
    vv_status status = VV_OK;
    if (there && !o->options.resume && !o->options.overwrite) {
        status = vv_fail(VV_ERR_EXISTS,
                         "a run that was to write %s has left a journal, %s: --resume goes on with it, -O begins anew",
                         o->path, directory);
    } else if (wanted) {
        status = prepare(o, plan, directory, there);
    } else if (there) {
        remove_all(directory);
    }
    free(directory);
    return status;
}

void vv_journal_finish(const vv_output *o)
{
    char *directory;
    if (vv_output_path_beside(o->path, "varve-journal", &directory) != VV_OK) {
        vv_error_clear();
        return;
    }
    remove_all(directory);
    free(directory);
}

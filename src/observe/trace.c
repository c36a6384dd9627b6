/* Records: kept in memory while plans run, written at the end; the trace is written here, the report in report.c. */
#include "observe/trace.h"

#include "base/mem.h"
#include "observe/record.h"
#include "plan/explain/explain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static vv_record *now;

/* --- keeping --- */

static void free_plan(vv_recorded_plan *p)
{
    for (int i = 0; p->step && i < p->n_steps; i++) free(p->step[i]);
    for (int i = 0; i < p->n_ranks; i++) {
        free(p->rank[i].n);
        free(p->rank[i].event);
    }
    free(p->step);
    free(p->rank);
    free(p->table);
    free(p->picture);
}

static void forget(void)
{
    if (!now) return;
    for (int i = 0; i < now->n_plans; i++) free_plan(&now->plan[i]);
    free(now->plan);
    free(now->trace);
    free(now->report);
    free(now->command);
    free(now->place);
    free(now);
    now = NULL;
}

static vv_status copy_of(const char *text, char **out)
{
    *out = NULL;
    return text ? vv_strdup(out, text) : VV_OK;
}

/* Before any work: the directory is there and takes files. */
static vv_status check_path(const char *path)
{
    char *directory;
    if (!path) return VV_OK;
    VV_TRY(vv_strdup(&directory, path));
    char *end = strrchr(directory, '/');
    if (end) end[end == directory] = 0;
    vv_status status =
        access(end ? directory : ".", W_OK | X_OK) ? vv_fail_errno(VV_ERR_WRITE, "cannot write %s", path) : VV_OK;
    free(directory);
    return status;
}

vv_status vv_record_begin(const vv_record_names *names)
{
    forget();
    VV_TRY(check_path(names->trace));
    VV_TRY(check_path(names->report));
    VV_TRY(vv_new(&now, 1, sizeof *now));
    VV_TRY(copy_of(names->trace, &now->trace));
    VV_TRY(copy_of(names->report, &now->report));
    VV_TRY(copy_of(names->command, &now->command));
    return copy_of(names->place, &now->place);
}

bool vv_record_on(void)
{
    return now != NULL;
}

int vv_record_room(int ranks)
{
    if (!now || now->events > VV_TRACE_EVENTS) return 0;
    return (int)vv_imin(VV_TRACE_MOST, vv_imax(VV_TRACE_LEAST, VV_TRACE_EVENTS / ranks));
}

vv_status vv_record_plan_begin(const vv_plan *p)
{
    if (!now) return VV_OK;
    now->left_out += p->trace == 0;
    if (p->trace == 0) return VV_OK;
    VV_TRY(vv_grow(&now->plan, now->n_plans, sizeof *now->plan, "a record"));
    vv_recorded_plan *x = &now->plan[now->n_plans++];
    *x = (vv_recorded_plan){.n_steps = p->n_steps, .threads = p->threads};
    VV_TRY(vv_new(&x->step, (size_t)p->n_steps + 1, sizeof *x->step));
    for (int i = 0; i < p->n_steps; i++) {
        vv_buf name = {0};
        vv_buf_printf(&name, "%d %s %s", i, vv_step_op_name[p->step[i].op], p->step[i].name);
        VV_TRY(vv_buf_status(&name));
        x->step[i] = name.data;
    }
    return VV_OK;
}

static vv_status keep_rank(vv_recorded_plan *p, const vv_rank_trace *t)
{
    vv_index n = 0;
    for (int i = 0; i < t->threads; i++) n += t->n[i];
    VV_TRY(vv_grow(&p->rank, p->n_ranks, sizeof *p->rank, "a record"));
    vv_recorded_rank *r = &p->rank[p->n_ranks++];
    *r = (vv_recorded_rank){.rank = t->rank, .threads = t->threads, .peak = t->peak};
    memcpy(r->host, t->host, sizeof r->host);
    VV_TRY(vv_new(&r->n, (size_t)t->threads + 1, sizeof *r->n));
    VV_TRY(vv_new(&r->event, (size_t)n + 1, sizeof *r->event));
    memcpy(r->n, t->n, (size_t)t->threads * sizeof *r->n);
    memcpy(r->event, t->event, (size_t)n * sizeof *r->event);
    for (vv_index i = 0; i < n; i++) {
        if (now->begin == 0 || r->event[i].begin < now->begin) now->begin = r->event[i].begin;
        if (r->event[i].end > now->end) now->end = r->event[i].end;
    }
    now->events += n;
    return VV_OK;
}

/* What cannot be kept is no reason for a run to fail. */
void vv_record_rank(const vv_rank_trace *t)
{
    if (!now || now->n_plans == 0 || keep_rank(&now->plan[now->n_plans - 1], t) == VV_OK) return;
    now->failed = true;
    vv_error_clear();
}

vv_status vv_record_plan_end(const vv_record_plan *p)
{
    if (!now || now->n_plans == 0) return VV_OK;
    vv_recorded_plan *x = &now->plan[now->n_plans - 1];
    x->figures = *p;
    x->figures.table = x->figures.picture = NULL;
    VV_TRY(copy_of(p->table, &x->table));
    return copy_of(p->picture, &x->picture);
}

/* --- the trace --- */

const char *vv_record_step(const vv_recorded_plan *p, const vv_event *e)
{
    if (e->step == VV_EVENT_COMMIT) return "write and sync";
    return e->step >= 0 && e->step < p->n_steps ? p->step[e->step] : "several steps";
}

static void json_text(FILE *f, const char *text)
{
    fputc('"', f);
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(f, "\\%c", *c);
        else if ((unsigned char)*c < 0x20)
            fprintf(f, "\\u%04x", *c);
        else
            fputc(*c, f);
    }
    fputc('"', f);
}

/* Times in microseconds since the first event of all. */
static void write_event(FILE *f, const vv_recorded_plan *p, int rank, int thread, const vv_event *e)
{
    fprintf(f, ",\n{\"ph\":\"X\",\"pid\":%d,\"tid\":%d,\"ts\":%.3f,\"dur\":%.3f,\"name\":", rank, thread,
            1e-3 * (double)(e->begin - now->begin), 1e-3 * (double)(e->end - e->begin));
    json_text(f, vv_record_step(p, e));
    if (e->step == VV_EVENT_COMMIT) {
        fputs("}", f);
        return;
    }
    fprintf(f, ",\"args\":{\"tasks\":%" PRId64 ",\"read\":%" PRId64, e->units, e->read);
    for (int k = 0; k < 3; k++) fprintf(f, ",\"%s_ms\":%.3f", vv_spending_name[k], 1e3 * (double)e->seconds[k]);
    fputs("}}", f);
}

static void write_rank(FILE *f, const vv_recorded_plan *p, const vv_recorded_rank *r, const char **comma)
{
    fprintf(f, "%s\n{\"ph\":\"M\",\"pid\":%d,\"name\":\"process_name\",\"args\":{\"name\":\"rank %d on %s\"}}", *comma,
            r->rank, r->rank, r->host);
    *comma = ",";
    fprintf(f, ",\n{\"ph\":\"M\",\"pid\":%d,\"name\":\"process_sort_index\",\"args\":{\"sort_index\":%d}}", r->rank,
            r->rank);
    const vv_event *e = r->event;
    for (int t = 0; t < r->threads; t++)
        for (vv_index i = 0; i < r->n[t]; i++) write_event(f, p, r->rank, t, e++);
}

static void write_trace(const vv_record *x, FILE *f)
{
    const char *comma = "";
    fputs("{\"displayTimeUnit\":\"ms\",\"otherData\":{\"command\":", f);
    json_text(f, x->command ? x->command : "");
    fprintf(f, ",\"plans_left_out\":%d},\n\"traceEvents\":[", x->left_out);
    for (int i = 0; i < x->n_plans; i++)
        for (int k = 0; k < x->plan[i].n_ranks; k++) write_rank(f, &x->plan[i], &x->plan[i].rank[k], &comma);
    fputs("\n]}\n", f);
}

/* --- files --- */

/* Beside, then renamed. */
static vv_status write_file(const char *path, void (*write)(const vv_record *x, FILE *f))
{
    vv_buf part = {0};
    if (!path) return VV_OK;
    vv_buf_printf(&part, "%s.part", path);
    VV_TRY(vv_buf_status(&part));
    FILE *f = fopen(part.data, "we");
    vv_status status = f ? VV_OK : vv_fail_errno(VV_ERR_WRITE, "cannot write %s", path);
    if (f) {
        write(now, f);
        bool good = !fflush(f) && !ferror(f);
        good = !fclose(f) && good;
        if (!good || rename(part.data, path)) status = vv_fail_errno(VV_ERR_WRITE, "cannot write %s", path);
        if (status != VV_OK) unlink(part.data);
    }
    vv_buf_free(&part);
    return status;
}

vv_status vv_record_end(bool ok)
{
    if (!now) return VV_OK;
    vv_status status = ok ? write_file(now->trace, write_trace) : VV_OK;
    if (status == VV_OK && ok) status = write_file(now->report, vv_record_write_report);
    forget();
    return status;
}

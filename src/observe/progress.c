#include "observe/progress.h"

#include "base/mem.h"
#include "observe/job.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { MIN_COLUMNS = 40, MAX_BAR = 40, LINE = 256 };

static const double shortest_shown = 0.5; /* seconds that nothing is shown for */
static const double redraw = 0.1;
static const double first_line = 2, first_in_log = 10;

typedef struct progress {
    bool active, drawn, line_printed;
    vv_progress_sink sink;
    double start, next; /* next: when something may be shown again */
    vv_index units, done_units;
    vv_bytes bytes, done_bytes;
} progress;

static progress state;
static vv_progress_sink replacement;
static bool replaced;

/* --- where to --- */

static double clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int terminal_columns(void)
{
    struct winsize w;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col >= MIN_COLUMNS ? w.ws_col : 80;
}

static vv_progress_sink standard_error(void)
{
    const char *term = getenv("TERM");
    bool terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb");
    return (vv_progress_sink){stderr, terminal, terminal ? terminal_columns() : 80, clock_now};
}

void vv_progress_set_sink(const vv_progress_sink *sink)
{
    replaced = sink != NULL;
    if (sink) replacement = *sink;
}

/* --- what to say --- */

static double fraction(const progress *p)
{
    double f = p->bytes > 0   ? (double)p->done_bytes / (double)p->bytes
               : p->units > 0 ? (double)p->done_units / (double)p->units
                              : 0;
    return f < 0 ? 0 : f > 1 ? 1 : f;
}

/* Seconds to go at the pace so far; negative when there is none yet. */
static double left(const progress *p, double elapsed)
{
    double f = fraction(p);
    return f > 0 ? elapsed * (1 - f) / f : -1;
}

static void duration_text(double s, char out[32])
{
    if (s < 9.95)
        snprintf(out, 32, "%.1f s", s);
    else if (s < 99.5)
        snprintf(out, 32, "%.0f s", s);
    else if (s < 5970)
        snprintf(out, 32, "%.0f min", s / 60);
    else
        snprintf(out, 32, "%.0f h %02d min", (s - (double)((int)s % 3600)) / 3600, (int)s % 3600 / 60);
}

static void amount(const progress *p, double elapsed, const char *gap, char *out, size_t size)
{
    char done[32], total[32], rate[32];
    if (p->bytes > 0)
        snprintf(out, size, "%s of %s%s%s/s", vv_bytes_text(p->done_bytes, done), vv_bytes_text(p->bytes, total), gap,
                 vv_bytes_text((vv_bytes)((double)p->done_bytes / elapsed), rate));
    else
        snprintf(out, size, "%lld of %lld", (long long)p->done_units, (long long)p->units);
}

/* "1.11 GB of 3.04 GB, 1.90 GB/s, 1.0 s left" */
static void figures(const progress *p, double elapsed, const char *gap, char *out, size_t size)
{
    char much[128], time[32];
    amount(p, elapsed, gap, much, sizeof much);
    double togo = left(p, elapsed);
    duration_text(togo, time);
    snprintf(out, size, "%s%s%s%s", much, togo < 0 ? "" : gap, togo < 0 ? "" : time, togo < 0 ? "" : " left");
}

/* 99.7 % is not yet 100. */
static int percent(const progress *p)
{
    return (int)(100 * fraction(p));
}

static void draw_bar(progress *p, double elapsed)
{
    char text[LINE], bar[MAX_BAR + 1];
    figures(p, elapsed, "  ", text, sizeof text);
    int room = p->sink.columns - 1 - (int)strlen(text) - (int)strlen("varve []  100 %  ");
    int width = room > MAX_BAR ? MAX_BAR : room;
    if (width >= 5) {
        int full = (int)(fraction(p) * width);
        memset(bar, '-', (size_t)width);
        memset(bar, '#', (size_t)full);
        bar[width] = 0;
        fprintf(p->sink.out, "\rvarve [%s]  %3d %%  %s\033[K", bar, percent(p), text);
    } else {
        fprintf(p->sink.out, "\rvarve %3d %%  %.*s\033[K", percent(p), p->sink.columns - 14, text);
    }
    fflush(p->sink.out);
    p->drawn = true;
}

static void print_line(progress *p, double elapsed)
{
    char text[LINE];
    figures(p, elapsed, ", ", text, sizeof text);
    fprintf(p->sink.out, "varve: %d %%, %s\n", percent(p), text);
    fflush(p->sink.out);
    p->line_printed = true;
}

/* Lines come every 10 seconds in the first minute, then every 30, after five minutes every minute. */
static double line_interval(double elapsed)
{
    return elapsed < 60 ? 10 : elapsed < 300 ? 30 : 60;
}

/* --- events --- */

void vv_progress_begin(vv_progress_mode mode, vv_index total_units, vv_bytes total_bytes)
{
    state = (progress){.sink = replaced ? replacement : standard_error(), .units = total_units, .bytes = total_bytes};
    bool log = mode == VV_PROGRESS_AUTO && !state.sink.terminal && vv_batch_job();
    state.active = mode == VV_PROGRESS_ON || (mode == VV_PROGRESS_AUTO && (state.sink.terminal || log));
    if (!state.active) return;
    state.start = state.sink.now();
    state.next = state.start + (state.sink.terminal ? shortest_shown : log ? first_in_log : first_line);
}

void vv_progress_update(vv_index done_units, vv_bytes done_bytes)
{
    progress *p = &state;
    if (!p->active) return;
    p->done_units = done_units;
    p->done_bytes = done_bytes;
    double now = p->sink.now();
    if (now < p->next) return;
    double elapsed = now - p->start, togo = left(p, elapsed);
    bool nearly_done = togo >= 0 && togo < shortest_shown;
    if (p->sink.terminal) {
        p->next = now + redraw;
        if (p->drawn || !nearly_done) draw_bar(p, elapsed);
    } else {
        p->next = now + line_interval(elapsed);
        if (!nearly_done) print_line(p, elapsed);
    }
}

void vv_progress_end(bool ok)
{
    progress *p = &state;
    if (!p->active) return;
    p->active = false;
    if (p->drawn) {
        fputs("\r\033[K", p->sink.out);
        fflush(p->sink.out);
    }
    if (!ok || !p->line_printed) return;
    char bytes[32], rate[32], time[32];
    double elapsed = p->sink.now() - p->start;
    duration_text(elapsed, time);
    if (p->bytes > 0)
        fprintf(p->sink.out, "varve: 100 %%, %s in %s, %s/s\n", vv_bytes_text(p->bytes, bytes), time,
                vv_bytes_text((vv_bytes)((double)p->bytes / elapsed), rate));
    else
        fprintf(p->sink.out, "varve: 100 %%, %lld in %s\n", (long long)p->units, time);
    fflush(p->sink.out);
}

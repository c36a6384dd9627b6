#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- reading explain's JSON --- */

/* Past a string that begins at p. */
static const char *past_string(const char *p)
{
    for (p++; *p && *p != '"'; p++)
        if (*p == '\\' && p[1]) p++;
    return *p ? p + 1 : p;
}

/* The value behind a key of the object at `json`; NULL when there is none. */
static const char *find(const char *json, const char *key)
{
    size_t n = strlen(key);
    int depth = 0;
    for (const char *p = json; p && *p && (p == json || depth > 0);) {
        if (*p == '"') {
            const char *end = past_string(p);
            bool found = depth == 1 && (size_t)(end - p) == n + 2 && !strncmp(p + 1, key, n);
            p = end + strspn(end, " \n");
            if (found && *p == ':') return p + 1 + strspn(p + 1, " \n");
            continue;
        }
        depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
        p++;
    }
    return NULL;
}

static double number(const char *json, const char *key)
{
    const char *value = find(json, key);
    return value ? strtod(value, NULL) : -1;
}

void wl_read_prediction(const char *json, wl_prediction *out)
{
    const char *model = find(json, "model");
    *out = (wl_prediction){.read = number(json, "read"),
                           .moved = number(json, "moved"),
                           .written = number(json, "written"),
                           .peak = number(json, "peak_per_rank"),
                           .seconds = number(find(model, "slowest"), "all")};
}

/* --- tables --- */

void wl_print_head(void)
{
    printf("%-20s %8s %8s %7s %7s %6s %9s %9s %8s %8s %8s %9s  %s\n", "workload", "input MB", "seconds", "plan s",
           "peak MB", "of", "amplified", "moved MB", "written", "peak", "seconds", "compared", "result");
    printf("%-20s %8s %8s %7s %7s %6s %9s %9s %8s %8s %8s\n", "", "", "", "", "", "budget", "", "", "MB", "foretold",
           "foretold");
}

static double amplification(const wl_figures *f)
{
    return f->stored > 0 ? (double)f->measured.read / (double)f->stored : 0;
}

static void print_row(const wl_run *r, const wl_figures *f)
{
    const vv_run_stats *m = &f->measured;
    char seconds[32] = "-", read[32] = "-";
    if (f->predicted.seconds >= 0) snprintf(seconds, sizeof seconds, "%.2f", f->predicted.seconds);
    if (f->stored > 0) snprintf(read, sizeof read, "%.2f", amplification(f));
    if (f->error) {
        printf("%-20s %8.0f failed: %s\n", r->what->name, (double)f->input / 1e6, f->error);
        return;
    }
    printf("%-20s %8.0f %8.2f %7.3f %7.0f %6.2f %9s %9.1f %8.1f %8.0f %8s %9lld  ok\n", r->what->name,
           (double)f->input / 1e6, m->seconds, m->plan_seconds, (double)m->peak / 1e6,
           (double)m->peak / (double)f->budget, read, (double)m->moved / 1e6, (double)m->written / 1e6,
           f->predicted.peak / 1e6, seconds, (long long)f->compared);
    fflush(stdout);
}

/* --- JSON --- */

static void print_text(const char *text)
{
    putchar('"');
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\')
            printf("\\%c", *c);
        else if (*c < 0x20)
            printf("\\u%04x", *c);
        else
            putchar(*c);
    }
    putchar('"');
}

static void print_key(const char *key, const char *text)
{
    printf("\"%s\": ", key);
    print_text(text);
    printf(", ");
}

static void print_object(const wl_run *r, const wl_figures *f)
{
    const vv_run_stats *m = &f->measured;
    const wl_prediction *p = &f->predicted;
    printf("{");
    print_key("name", r->what->name);
    if (f->error) print_key("error", f->error);
    printf("\"scale\": %.17g, \"ranks\": %d, \"threads\": %d, \"budget\": %lld, \"input\": %lld, \"stored\": %lld, ",
           f->scale, f->ranks, f->threads, (long long)f->budget, (long long)f->input, (long long)f->stored);
    printf("\"build_seconds\": %.6f, \"explain_seconds\": %.6f, \"seconds\": %.6f, \"plan_seconds\": %.6f, "
           "\"cpu_seconds\": %.6f, ",
           f->build, f->explain, m->seconds, m->plan_seconds, f->cpu);
    printf("\"peak\": %lld, \"tasks\": %lld, \"read\": %lld, \"moved\": %lld, \"written\": %lld, \"compared\": %lld, ",
           (long long)m->peak, (long long)m->tasks, (long long)m->read, (long long)m->moved, (long long)m->written,
           (long long)f->compared);
    printf("\"predicted\": {\"read\": %.0f, \"moved\": %.0f, \"written\": %.0f, \"peak\": %.0f, \"seconds\": %.6f}}\n",
           p->read, p->moved, p->written, p->peak, p->seconds);
    fflush(stdout);
}

void wl_print(const wl_run *r, const wl_figures *f, bool json)
{
    if (json)
        print_object(r, f);
    else
        print_row(r, f);
}

static void print_numbers(const char *key, const vv_index *value, int n)
{
    printf("\"%s\": [", key);
    for (int i = 0; i < n; i++) printf(i ? ", %lld" : "%lld", (long long)value[i]);
    printf("]");
}

static void print_input(const wl_field *f)
{
    printf("{");
    print_key("name", f->spec.name);
    print_key("path", f->path);
    print_key("dtype", vv_dtype_name(f->spec.dtype));
    printf("\"stored\": %s, \"seed\": %llu, \"hours\": %g, \"patterns\": %d, \"dims\": [",
           f->spec.stored ? "true" : "false", (unsigned long long)f->seed, f->spec.hours > 0 ? f->spec.hours : 24,
           WL_PATTERNS);
    for (int d = 0; d < f->nd; d++) {
        if (d) printf(", ");
        print_text(f->spec.dim[d].name);
    }
    printf("], ");
    print_numbers("shape", f->n, f->nd);
    printf(", ");
    print_numbers("chunk", f->chunk, f->nd);
    printf("}");
}

void wl_print_workload(const wl_run *r, bool json)
{
    const workload *w = r->what;
    vv_bytes bytes = 0;
    for (int i = 0; i < r->n_in; i++) bytes += wl_elements(&r->field[i]) * vv_dtype_size(r->field[i].spec.dtype);
    if (!json) {
        printf("%-20s %7.0f MB, %4.0f MB a rank  %s [%s]\n", w->name, (double)bytes / 1e6, (double)w->budget / 1e6,
               w->story, w->from);
        return;
    }
    printf("{");
    print_key("name", w->name);
    print_key("story", w->story);
    print_key("from", w->from);
    print_key("original", w->original);
    printf("\"budget\": %lld, \"bytes\": %lld, \"deflate\": %d, ", (long long)w->budget, (long long)bytes, w->deflate);
    print_numbers("target", r->target, r->field[0].nd);
    printf(", \"inputs\": [");
    for (int i = 0; i < r->n_in; i++) {
        if (i) printf(", ");
        print_input(&r->field[i]);
    }
    printf("]}\n");
}

#include "cli/results.h"

#include "cli/history.h"
#include "cli/picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_PRINTED = 20 };

vv_status vv_cli_results_add(vv_cli_results *x, const char *name, vv_array *a)
{
    vv_status status = vv_array_status(a);
    if (status != VV_OK) return status;
    vv_cli_result *item = realloc(x->item, (size_t)(x->n + 1) * sizeof *item);
    if (item) x->item = item;
    char *copy = strdup(name);
    if (!item || !copy) {
        free(copy);
        return vv_error(VV_ERR_NOMEM, "no memory for the list of results");
    }
    x->item[x->n++] = (vv_cli_result){copy, a};
    return VV_OK;
}

vv_status vv_cli_results_add_as(vv_cli_results *x, const char *variable, const char *suffix, vv_array *a)
{
    char *name = NULL;
    if (!suffix) return vv_cli_results_add(x, variable, a);
    if (asprintf(&name, "%s_%s", variable, suffix) < 0)
        return vv_error(VV_ERR_NOMEM, "no memory for the name of a result");
    vv_status status = vv_cli_results_add(x, name, a);
    free(name);
    return status;
}

void vv_cli_results_free(vv_cli_results *x)
{
    for (int i = 0; i < x->n; i++) free(x->item[i].name);
    free(x->item);
    free(x->touched);
    free(x->reports);
    *x = (vv_cli_results){0};
}

static void add_report(vv_cli_results *x)
{
    char *all = NULL;
    const char *before = x->reports ? x->reports : "";
    if (!x->request->stats || asprintf(&all, "%s%s", before, vv_session_report(x->session)) < 0) return;
    free(x->reports);
    x->reports = all;
}

void vv_cli_results_count(vv_cli_results *x)
{
    vv_run_stats now, *t = &x->total;
    vv_session_stats(x->session, &now);
    t->seconds += now.seconds;
    t->plan_seconds += now.plan_seconds;
    t->tasks += now.tasks;
    t->read += now.read;
    t->moved += now.moved;
    t->across += now.across;
    t->messages += now.messages;
    t->sends += now.sends;
    t->control += now.control;
    t->written += now.written;
    t->plan_bytes += now.plan_bytes;
    t->bad_chunks += now.bad_chunks;
    if (now.peak > t->peak) t->peak = now.peak;
    add_report(x);
}

/* --- afterwards --- */

static void print_stats(const vv_cli_results *x)
{
    const vv_run_stats *t = &x->total;
    fprintf(stderr,
            "varve: stats seconds=%.4f plan=%.4f tasks=%lld read=%lld moved=%lld written=%lld plan_bytes=%lld "
            "bad_chunks=%lld peak=%lld messages=%lld sends=%lld control=%lld across=%lld\n",
            t->seconds, t->plan_seconds, (long long)t->tasks, (long long)t->read, (long long)t->moved,
            (long long)t->written, (long long)t->plan_bytes, (long long)t->bad_chunks, (long long)t->peak,
            (long long)t->messages, (long long)t->sends, (long long)t->control, (long long)t->across);
    fputs(x->reports ? x->reports : "", stderr);
}

static void print_shape(const vv_array *a)
{
    int n = vv_array_n_dims(a);
    for (int d = 0; d < n; d++)
        fprintf(stderr, "%s%s: %lld", d ? ", " : " (", vv_array_dim(a, d), (long long)vv_array_length(a, d));
    if (n > 0) fputs(")", stderr);
}

/* "wrote out.nc: t2m (lat: 361, lon: 720) and 3 more, 0.52 s", for somebody who watches. */
static void print_summary(const vv_cli_results *x)
{
    if (x->request->quiet || !isatty(STDERR_FILENO)) return;
    fprintf(stderr, "wrote %s: %s", x->request->output, x->item[0].name);
    print_shape(x->item[0].array);
    if (x->n > 1) fprintf(stderr, " and %d more", x->n - 1);
    fprintf(stderr, ", %.2f s\n", x->total.seconds);
}

/* "out.nc: t2m (lat: 361, lon: 720) f32", a line each. */
static void print_results(const vv_cli_results *x, FILE *out)
{
    char text[300];
    for (int i = 0; i < x->n; i++)
        fprintf(out, "%s: %s = %s\n", x->request->output, x->item[i].name,
                vv_describe(x->item[i].array, text, sizeof text));
}

static vv_status print_explanation(vv_status status, char *text)
{
    if (status == VV_OK && text) fputs(text, stdout);
    free(text);
    return status;
}

/* --- to a file --- */

static vv_status fill(const vv_cli_results *x, vv_output *o)
{
    vv_status status = VV_OK;
    for (int i = 0; status == VV_OK && i < x->n; i++) status = vv_output_add(o, x->item[i].name, x->item[i].array);
    return status == VV_OK && !x->alone ? vv_output_carry(o, x->source, x->touched) : status;
}

vv_explain_options vv_cli_explain_options(const vv_cli_request *r)
{
    vv_explain_options options = VV_EXPLAIN_OPTIONS_INIT;
    options.form = r->explain == VV_CLI_DRY_RUN ? VV_EXPLAIN_BRIEF
                                                : (vv_explain_form)(r->explain - VV_CLI_EXPLAIN_TEXT + VV_EXPLAIN_TEXT);
    options.ranks = r->ranks;
    options.network = r->net.bandwidth;
    options.latency = r->net.latency;
    options.disk = r->disk;
    options.nodes = r->nodes;
    options.cores = r->cores;
    return options;
}

static vv_status explain_or_save(vv_cli_results *x, vv_output **o)
{
    if (x->request->explain != VV_CLI_EXPLAIN_NOT) {
        char *text = NULL;
        vv_explain_options options = vv_cli_explain_options(x->request);
        vv_status status = vv_output_explain(*o, &options, &text);
        if (status == VV_OK && x->request->explain == VV_CLI_DRY_RUN) print_results(x, stdout);
        return print_explanation(status, text);
    }
    vv_status status = vv_output_save(o);
    if (status != VV_OK) return status;
    vv_cli_results_count(x);
    print_summary(x);
    return VV_OK;
}

static void set_storage(const vv_cli_request *r, vv_save_options *options)
{
    size_t length = strlen(r->output);
    bool h5 = length > 3 && !strcmp(r->output + length - 3, ".h5");
    options->deflate = r->deflate;
    options->shuffle = r->shuffle;
    options->filter = r->filter;
    options->dtype = r->dtype;
    options->quantize = r->quantize;
    options->unlimited = r->unlimited;
    options->writer = r->writer;
    options->append = r->append;
    options->checkpoint = r->checkpoint;
    options->resume = r->resume;
    options->format = r->format ? r->format : h5 ? "hdf5" : NULL;
}

static vv_status to_file(vv_cli_results *x)
{
    const vv_cli_request *r = x->request;
    char *history = NULL, *chunks = NULL;
    vv_output *o = NULL;
    vv_status status = vv_cli_history(r->argc, r->argv, &history);
    vv_save_options options = VV_SAVE_OPTIONS_INIT;
    bool only_explained = r->explain != VV_CLI_EXPLAIN_NOT && r->explain != VV_CLI_DRY_RUN;
    options.overwrite = r->overwrite || (only_explained && !r->append);
    options.history = history;
    options.like_input = x->like_input;
    set_storage(r, &options);
    if (status == VV_OK && !x->rechunked && r->chunks.n > 0 && !(chunks = vv_cli_words_join(&r->chunks)))
        status = vv_error(VV_ERR_NOMEM, "no memory for the chunks");
    options.chunks = chunks;
    if (status == VV_OK) status = vv_output_new(x->session, r->output, &options, &o);
    if (status == VV_OK) status = fill(x, o);
    if (status == VV_OK) status = explain_or_save(x, &o);
    vv_output_free(&o);
    free(history);
    free(chunks);
    return status;
}

/* --- without a file --- */

static vv_index values(const vv_cli_results *x)
{
    vv_index total = 0;
    for (int i = 0; i < x->n; i++) {
        vv_index n = 1;
        for (int d = 0; d < vv_array_n_dims(x->item[i].array); d++) {
            vv_index length = vv_array_length(x->item[i].array, d);
            if (length > 0 && n > INT64_MAX / length) return INT64_MAX;
            n *= length;
        }
        if (n > INT64_MAX - total) return INT64_MAX;
        total += n;
    }
    return total;
}

/* Every array is computed, and so explained, by itself. */
static vv_status explain_each(vv_cli_results *x)
{
    if (x->n > 1 && (x->request->explain == VV_CLI_EXPLAIN_SVG || x->request->explain == VV_CLI_EXPLAIN_DOT))
        return vv_error(VV_ERR_USAGE,
                        "%d results without a file are %d plans, and a picture is of one; give -o OUTPUT or one -v",
                        x->n, x->n);
    bool list = x->n > 1 && x->request->explain == VV_CLI_EXPLAIN_JSON;
    vv_explain_options options = vv_cli_explain_options(x->request);
    vv_status status = VV_OK;
    for (int i = 0; status == VV_OK && i < x->n; i++) {
        if (list) fputs(i ? ",\n" : "[", stdout);
        char *text = NULL;
        status = vv_explain(x->item[i].array, &options, &text);
        status = print_explanation(status, text);
    }
    if (list) fputs("]\n", stdout);
    return status;
}

static vv_status to_terminal(vv_cli_results *x)
{
    if (x->request->explain != VV_CLI_EXPLAIN_NOT) return explain_each(x);
    vv_index n = values(x);
    if (n > MOST_PRINTED)
        return vv_error(VV_ERR_USAGE,
                        "the result has %lld values, too many to print; give a file for them with -o OUTPUT",
                        (long long)n);
    return vv_cli_values_print(x);
}

vv_status vv_cli_results_deliver(vv_cli_results *x)
{
    bool picture = vv_cli_picture_wanted(x->request);
    vv_status status = picture ? vv_cli_picture_draw(x) : x->request->output ? to_file(x) : to_terminal(x);
    if (status == VV_OK && x->request->stats && x->request->explain == VV_CLI_EXPLAIN_NOT) print_stats(x);
    return status;
}

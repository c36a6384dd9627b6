/* `varve bench`: how fast this machine is; what else is measured has files of its own. */
#include "cli/bench/bench.h"
#include "cli/units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A row as soon as it is known: measuring takes some seconds. */
static void print_rate(void *context, const vv_machine_figure *f)
{
    char rate[32];
    (void)context;
    const char *unit = strncmp(f->help, "bytes", 5) ? "/s" : "B/s";
    printf("  %-10s %10s  %s%s\n", f->name, vv_cli_rate(f->rate, unit, rate), f->help,
           f->measured ? "" : " (not measured here)");
    fflush(stdout);
}

static vv_status bench_machine(vv_session *s, const vv_cli_request *r)
{
    if (r->output && !r->overwrite && !access(r->output, F_OK))
        return vv_error(VV_ERR_EXISTS, "output %s exists; use -O to replace it", r->output);
    vv_status status = vv_machine_measure(s, r->output, print_rate, NULL);
    if (status != VV_OK) return status;
    char *usual = vv_machine_file();
    if (!r->quiet) printf("stored in %s\n", r->output ? r->output : usual);
    free(usual);
    return VV_OK;
}

vv_status vv_cli_bench_words(const vv_cli_request *r, const char *what, const char *const names[], int n,
                             vv_cli_words *out)
{
    vv_status status = r->inputs.n > 1 ? vv_cli_words_split(out, r->inputs.item[1], what) : VV_OK;
    for (int k = 0; k < out->n && status == VV_OK; k++) {
        bool known = false;
        for (int i = 0; i < n; i++) known = known || !strcmp(out->item[k], names[i]);
        if (!known) status = vv_cli_unknown(what, out->item[k], names, n);
    }
    return status;
}

vv_status vv_cli_bench(vv_session *s, const vv_cli_request *r)
{
    static const char *const what[] = {"machine", "scaling", "compare", "plot"};
    enum { N = sizeof what / sizeof *what };
    static const int most_words[N] = {1, 2, 2, 2};
    int i = 0;
    if (r->inputs.n == 0)
        return vv_error(VV_ERR_USAGE, "bench needs what to measure: 'varve bench machine' measures this machine, "
                                      "'varve bench scaling' programs on it, 'varve bench compare' others beside it");
    while (i < N && strcmp(r->inputs.item[0], what[i])) i++;
    if (i == N) return vv_cli_unknown("benchmark", r->inputs.item[0], what, N);
    if (r->inputs.n > most_words[i])
        return vv_error(VV_ERR_USAGE, "bench %s takes no '%s'", what[i], r->inputs.item[most_words[i]]);
    switch (i) {
    case 0: return bench_machine(s, r);
    case 1: return vv_cli_bench_scaling(s, r);
    case 2: return vv_cli_bench_compare(s, r);
    default: return vv_cli_bench_plot(r);
    }
}

/* The varve program: from a command line to calls of the library's public interface, and nothing else.
 *
 *     options.c   the table of options        parse.c    argv to a request
 *     commands.c  the table of commands       help.c, manual.c   texts made from both tables
 *     climate.c   along the time: clim, anom, resample, rolling      choose.c   which variables a command works on
 *     trend.c     straight lines along it     relate.c   two variables       eof.c   patterns
 *     reduce.c    reductions                  values.c   small results as text
 *     eval.c      expressions
 *     plot.c, picture.c    pictures
 *     info.c, info_json.c, range.c   what is in a file
 *     status.c    how a run is getting on
 *     jobscript.c batch scripts
 *     bench.c, bench_scaling.c, bench_field.c, bench_table.c, bench_plot.c   how fast this machine is, and how programs scale on it
 *     bench_compare.c, bench_peers.c   others beside it
 *     inputs.c, history.c, words.c, units.c, format.c, json.c, launcher.c    what they share
 *
 * Help and version are answered before a session starts: no MPI, no files, a few milliseconds. Everything else runs in
 * vv_run(), which calls the driver on rank 0 and prints the message of the error that it returns; that includes errors of the
 * command line itself. */
#include "cli/help.h"
#include "cli/history.h"
#include "cli/launcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static vv_status flush_output(vv_status status)
{
    if (status == VV_OK && (fflush(stdout) || ferror(stdout)))
        return vv_error(VV_ERR_WRITE, "standard output could not be written");
    return status;
}

static vv_status answer(const vv_cli_request *r)
{
    const vv_cli_command *command = r->has_command ? &r->command : NULL;
    if (r->version) return vv_cli_version(NULL, r);
    if (!r->help) return command->run(NULL, r);
    vv_cli_print_help(stdout, command);
    return VV_OK;
}

static bool wants_answer(const vv_cli_request *r)
{
    return r->help || r->version || (r->has_command && r->command.at_once);
}

/* True when the command line needs no session and has been dealt with. */
static bool answered(int argc, char **argv)
{
    vv_cli_request r = VV_CLI_REQUEST_INIT;
    bool done = vv_cli_parse(argc, argv, &r) == VV_OK && wants_answer(&r);
    if (done && vv_cli_first_process()) done = flush_output(answer(&r)) == VV_OK;
    vv_cli_request_free(&r);
    return done;
}

/* --- the driver --- */

/* Refused before any work: what has no plan to tell of, and files that are there. */
static vv_status check_record(const vv_cli_request *r)
{
    const char *const path[] = {r->report, r->trace}, *const option[] = {"report", "trace"};
    for (int i = 0; i < 2; i++) {
        if (!path[i]) continue;
        if (!r->command.plans || r->explain != VV_CLI_EXPLAIN_NOT)
            return vv_error(VV_ERR_USAGE, "--%s tells of a run; %s%s", option[i],
                            r->command.plans ? "here nothing runs" : r->command.name,
                            r->command.plans ? "" : " has none");
        if (!r->overwrite && access(path[i], F_OK) == 0)
            return vv_error(VV_ERR_WRITE, "%s exists; use -O to overwrite", path[i]);
    }
    return VV_OK;
}

static vv_status record(vv_session *s, const vv_cli_request *r)
{
    char *line = NULL;
    vv_status status = check_record(r);
    if (status != VV_OK || (!r->report && !r->trace)) return status;
    status = vv_cli_command_line(r->argc, r->argv, &line);
    if (status == VV_OK) status = vv_session_record(s, line, r->trace, r->report);
    free(line);
    return status;
}

static vv_status apply(vv_session *s, const vv_cli_request *r)
{
    vv_status status = VV_OK;
    const char *log = r->log ? r->log : r->quiet ? "error" : NULL;
    if (log) status = vv_session_set_log(s, log);
    if (status == VV_OK && r->placement) status = vv_session_set_placement(s, r->placement);
    if (status == VV_OK && r->policy) status = vv_session_set_policy(s, r->policy);
    if (status == VV_OK && r->cache) status = vv_session_set_cache(s, r->cache);
    if (status == VV_OK && r->scratch) status = vv_session_set_scratch(s, r->scratch);
    if (status == VV_OK && r->threads > 0) status = vv_session_set_threads(s, r->threads);
    if (status == VV_OK && r->memory > 0) status = vv_session_set_memory(s, r->memory);
    vv_session_fill_bad_chunks(s, r->bad_chunk == VV_CLI_BAD_FILL);
    vv_session_set_report(s, r->stats);
    bool silent = r->quiet && r->progress == VV_PROGRESS_AUTO;
    vv_session_set_progress(s, silent ? VV_PROGRESS_OFF : (vv_progress_mode)r->progress);
    return status == VV_OK ? record(s, r) : status;
}

/* What a command without a plan would do. */
static vv_status say_nothing_happens(const vv_cli_request *r)
{
    if (r->command.run == vv_cli_bench && r->inputs.n > 0 && strcmp(r->inputs.item[0], "machine")) {
        printf("would %s\n", strcmp(r->inputs.item[0], "plot") ? "measure and add rows to a table" : "draw a table");
        return VV_OK;
    }
    if (r->command.run == vv_cli_bench) {
        char *usual = vv_machine_file();
        printf("would measure this machine for some seconds and write %s\n", r->output ? r->output
                                                                             : usual   ? usual
                                                                                       : "");
        free(usual);
        return VV_OK;
    }
    printf("would read headers and coordinates only, and write nothing: %s\n", r->command.help);
    return VV_OK;
}

static vv_status perform(vv_session *s, const vv_cli_request *r)
{
    if (wants_answer(r)) return answer(r);
    vv_status status = apply(s, r);
    if (status == VV_OK && r->explain == VV_CLI_DRY_RUN && !r->command.plans) return say_nothing_happens(r);
    return status == VV_OK ? r->command.run(s, r) : status;
}

static int driver(vv_session *s, int argc, char **argv)
{
    vv_cli_request r = VV_CLI_REQUEST_INIT;
    vv_status status = vv_cli_parse(argc, argv, &r);
    if (status == VV_OK) status = flush_output(perform(s, &r));
    vv_cli_request_free(&r);
    return status;
}

int main(int argc, char **argv)
{
    return answered(argc, argv) ? 0 : vv_run(argc, argv, driver);
}

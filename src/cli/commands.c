/* The list of commands. */
#include "cli/commands.h"

#include "cli/options.h"
#include "varve/array.h"

#define EVERY_REDUCTION "Reductions"

enum { REDUCING = VV_CLI_SELECT | VV_CLI_REDUCE | VV_CLI_OUTPUT };

static const char reduction_about[] =
    "Every data variable of FILE that has the dimensions of -d (or those of -v) is reduced over them, in one pass over "
    "the "
    "data that is split among the ranks. Packed values are unpacked, missing ones left out.\n"
    "The other dimensions stay as they are. OUTPUT also gets what the command does not touch: coordinates, bounds, "
    "grid "
    "mappings, variables without these dimensions, attributes. Its history gets a line with this command.\n"
    "Without -o, results of up to 20 values are printed.";

static const char reduce_about[] = "As a single reduction does, but several at once: the input is read and inflated "
                                   "once. A result is called VAR_NAME, "
                                   "such as t2m_mean and t2m_std.";

static const char info_about[] = "Dimensions (* can grow), coordinates with their range and step, time in its "
                                 "calendar, variables with element type, "
                                 "chunks, filters, bytes in the file and in memory, attributes. With -v only these "
                                 "variables, with their attributes.\n"
                                 "No data but coordinates is read.";

static const char explain_about[] =
    "The same as --explain: the steps, tasks, bytes read, moved between ranks and written, the memory per rank and the "
    "expected time of a command, before it runs. Nothing is computed or written.\n"
    "With --ranks, --net and --disk it speaks of a machine that is not here. --explain=json and --explain=svg are for "
    "programs and as a picture.";

static const char bench_about[] =
    "Measures how fast a thread of this machine reads, inflates, computes and writes, which takes some seconds, and "
    "stores the rates: what --explain expects a run to take comes from them. The machine should have nothing else to "
    "do. The network is measured on two ranks or more, tasks on one; what these ranks cannot measure keeps its rate, "
    "so that two calls measure everything.\n"
    "Without -o the rates go to where --explain looks for them: $VARVE_MACHINE, else varve/machine.json in the user's "
    "configuration. --scratch names the directory, and with it the disk, that is written to.";

static const vv_cli_command before[] = {
    {"Look at files", "info", "what is in a file: dimensions, coordinates, variables, storage", "[-v VAR,...] FILE...",
     info_about, "varve info t2m.nc\nvarve info --json t2m.nc | jq .variables.t2m.chunk", VV_CLI_SELECT | VV_CLI_INFO,
     false, false, vv_cli_info},
};

/* Name and help of a reduction come from the registry. */
static const vv_cli_command any_reduction = {EVERY_REDUCTION,
                                             NULL,
                                             NULL,
                                             "[-d DIM,...] [-v VAR,...] FILE [-o OUTPUT]",
                                             reduction_about,
                                             NULL,
                                             REDUCING,
                                             true,
                                             false,
                                             vv_cli_reduction};

static const vv_cli_command after[] = {
    {EVERY_REDUCTION, "reduce", "several of these in one pass",
     "-m NAME,... [-d DIM,...] [-v VAR,...] FILE [-o OUTPUT]", reduce_about,
     "varve reduce -m mean,std,min,max -d time t2m.nc -o stats.nc", REDUCING | VV_CLI_METHODS, true, false,
     vv_cli_reduce},
    {"Find out more", "explain", "what a command would do, and what that costs", "COMMAND ...", explain_about,
     "varve explain mean -d time t2m.nc\nmpirun -n 16 varve explain mean -d time t2m.nc --memory 1G\n"
     "varve explain mean -d time t2m.nc --ranks 4096 --net 25GB/s,2us --disk 2GB/s",
     VV_CLI_MODEL, false, false, vv_cli_explain},
    {"Find out more", "bench", "how fast this machine is, for what explain expects", "machine [-o FILE]", bench_about,
     "varve bench machine\nmpirun -n 2 varve bench machine", VV_CLI_OUTPUT, false, false, vv_cli_bench},
    {"Find out more", "help", "help on a command, the same as 'varve COMMAND --help'", "[--man] [COMMAND]", NULL,
     "varve help mean\nvarve help --man mean | man -l -", VV_CLI_MANUAL, false, true, vv_cli_help},
    {"Find out more", "version", "the version of this program", "", NULL, NULL, 0, false, true, vv_cli_version},
};

enum { N_BEFORE = sizeof before / sizeof *before, N_AFTER = sizeof after / sizeof *after };

static int n_reductions(void)
{
    int n = 0;
    while (vv_reduction_name(n)) n++;
    return n;
}

bool vv_cli_command_at(int i, vv_cli_command *out)
{
    int n = n_reductions(), last = i - N_BEFORE - n;
    if (i < 0 || last >= N_AFTER) return false;
    if (i < N_BEFORE) {
        *out = before[i];
    } else if (last < 0) {
        *out = any_reduction;
        out->name = vv_reduction_name(i - N_BEFORE);
        out->help = vv_reduction_help(i - N_BEFORE);
    } else {
        *out = after[last];
    }
    return true;
}

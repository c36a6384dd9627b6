/* `varve jobscript`: a batch script for a command, sized by what its plan says that it needs.
 *
 * The plan comes from this very program, which is started with `explain` and the command: so a command line that is wrong is found here and not in the queue. */
#include "cli/history.h"
#include "cli/options.h"
#include "cli/units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Memory is asked for with so much more than is foretold, and never less than: bytes of a node for each rank, and for the system. */
static const double margin = 1.5;
enum { LEAST_OF_RANK = 256 << 20, OF_NODE = 512 << 20, CORES_OF_RANK = 4, BEFORE_END = 300 };

typedef struct job {
    const vv_cli_request *request;
    const char *system; /* "slurm", "pbs" */
    int nodes, ranks_per_node, cores_per_rank;
    vv_bytes peak, node_memory;
    double seconds; /* foretold */
    bool saves;     /* to a file: can be gone on with */
} job;

/* --- the plan --- */

static char **explain_command(const job *j, char ranks[32])
{
    const vv_cli_request *r = j->request;
    char **argv = calloc((size_t)r->inputs.n + 8, sizeof *argv);
    int n = 0;
    if (!argv) return NULL;
    argv[n++] = "varve";
    for (int i = 1; i < r->inputs.n; i++) argv[n++] = r->inputs.item[i];
    snprintf(ranks, 32, "--ranks=%d", j->nodes * j->ranks_per_node);
    argv[n++] = "--explain=json";
    argv[n++] = ranks;
    return argv;
}

/* What the program prints. When it fails, that is its message, which becomes ours. */
static vv_status ask(char *const argv[], char **out)
{
    int ends[2], how;
    size_t room = 0;
    if (pipe(ends)) return vv_error(VV_ERR_RUN, "no pipe for the plan");
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        execv("/proc/self/exe", argv);
        _exit(127);
    }
    close(ends[1]);
    FILE *f = child > 0 ? fdopen(ends[0], "r") : NULL;
    if (!f) {
        close(ends[0]);
        return vv_error(VV_ERR_RUN, "cannot ask for the plan");
    }
    *out = NULL;
    ssize_t n = getdelim(out, &room, 0, f);
    fclose(f);
    while (waitpid(child, &how, 0) < 0) continue;
    if (n > 0 && WIFEXITED(how) && WEXITSTATUS(how) == 0) return VV_OK;
    const char *said = n > 0 ? strstr(*out, "varve: ") : NULL;
    vv_status status = vv_error(VV_ERR_USAGE, "no script for a command that cannot be planned: %.*s",
                                said ? (int)strcspn(said + 7, "\n") : 0, said ? said + 7 : "");
    free(*out);
    *out = NULL;
    return status;
}

static double number_behind(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at ? strtod(at + strlen(name), NULL) : 0;
}

static vv_status foretell(job *j)
{
    char ranks[32], *plan, **argv = explain_command(j, ranks);
    if (!argv) return vv_error(VV_ERR_NOMEM, "no memory for a command");
    vv_status status = ask(argv, &plan);
    free(argv);
    if (status != VV_OK) return status;
    const char *slowest = strstr(plan, "\"slowest\": {");
    j->peak = (vv_bytes)number_behind(plan, "\"peak_per_rank\": ");
    j->seconds = slowest ? number_behind(slowest, "\"all\": ") : 0;
    free(plan);
    return VV_OK;
}

/* --- sizes --- */

static int or_else(int given, int otherwise)
{
    return given > 0 ? given : otherwise;
}

static vv_status size_up(job *j)
{
    const vv_cli_request *r = j->request;
    long here = sysconf(_SC_NPROCESSORS_ONLN);
    int cores = or_else(r->cores, here > 0 ? (int)here : 1);
    j->nodes = or_else(r->nodes, 1);
    j->ranks_per_node = or_else(r->ranks_per_node, cores >= CORES_OF_RANK ? cores / CORES_OF_RANK : 1);
    j->cores_per_rank = cores / j->ranks_per_node > 0 ? cores / j->ranks_per_node : 1;
    for (int i = 1; i < r->inputs.n; i++)
        j->saves = j->saves || !strcmp(r->inputs.item[i], "-o") || !strncmp(r->inputs.item[i], "--output", 8);
    vv_status status = foretell(j);
    double rank = margin * (double)j->peak;
    if (rank < LEAST_OF_RANK) rank = LEAST_OF_RANK;
    j->node_memory = (vv_bytes)(rank * j->ranks_per_node) + OF_NODE;
    return status;
}

/* --- the script --- */

static long megabytes(const job *j)
{
    return (long)((j->node_memory + (1 << 20) - 1) >> 20);
}

static void print_command(const job *j)
{
    const vv_cli_request *r = j->request;
    printf("command=(varve");
    for (int i = 1; i < r->inputs.n; i++) {
        putchar(' ');
        vv_cli_quote(stdout, r->inputs.item[i]);
    }
    if (j->saves) printf(" --checkpoint=5m --resume");
    printf(" --stats)\n");
}

static void print_head(const job *j)
{
    const char *time = j->request->wall_time ? j->request->wall_time : "01:00:00", *name = j->request->inputs.item[1];
    char memory[32];
    printf("#!/bin/bash\n# %d rank%s of %d thread%s on %d node%s. The plan foretells %s a rank and %.0f s on cores "
           "like these.\n",
           j->nodes * j->ranks_per_node, j->nodes * j->ranks_per_node == 1 ? "" : "s", j->cores_per_rank,
           j->cores_per_rank == 1 ? "" : "s", j->nodes, j->nodes == 1 ? "" : "s",
           vv_cli_rate((double)j->peak, "B", memory), j->seconds < 1 ? 1 : j->seconds);
    if (!strcmp(j->system, "slurm")) {
        printf("#SBATCH --job-name=varve-%s\n#SBATCH --nodes=%d\n#SBATCH --ntasks-per-node=%d\n#SBATCH "
               "--cpus-per-task=%d\n",
               name, j->nodes, j->ranks_per_node, j->cores_per_rank);
        printf("#SBATCH --mem=%ldM\n#SBATCH --time=%s\n#SBATCH --output=%%x-%%j.log\n#SBATCH --open-mode=append\n",
               megabytes(j), time);
        if (j->saves) printf("#SBATCH --requeue\n#SBATCH --signal=B:USR1@%d\n", BEFORE_END);
        printf("# SITE: #SBATCH --partition=... --account=...\n");
    } else {
        printf(
            "#PBS -N varve-%s\n#PBS -l select=%d:ncpus=%d:mpiprocs=%d:ompthreads=%d:mem=%ldmb\n#PBS -l walltime=%s\n",
            name, j->nodes, j->ranks_per_node * j->cores_per_rank, j->ranks_per_node, j->cores_per_rank, megabytes(j),
            time);
        printf("#PBS -j oe\n#PBS -r y\n# SITE: #PBS -q ... -A ...\ncd \"$PBS_O_WORKDIR\" || exit 1\n");
    }
    printf("\n# SITE: module load openmpi hdf5-parallel varve\n\n");
}

/* Shortly before the end of a Slurm job its script is told: it ends the run, whose ranks write their journal, and puts itself back into the queue. So it does when the launcher, not varve,
 * has ended with an error. */
static const char again[] = " &\n"
                            "run=$!\n"
                            "back() {\n"
                            "    scontrol requeue \"$SLURM_JOB_ID\" && sleep 600 # Slurm ends this script\n"
                            "}\n"
                            "again() {\n"
                            "    kill -USR2 \"$run\" # every rank writes its journal, and ends\n"
                            "    wait \"$run\"\n"
                            "    code=$?\n"
                            "    [ $code = 143 ] || exit $code\n"
                            "    back\n"
                            "}\n"
                            "trap again USR1\n"
                            "wait \"$run\"\n"
                            "code=$?\n"
                            "case $code in [0-5] | 130 | 143) exit $code ;; esac # varve's own\n"
                            "[ \"${SLURM_RESTART_COUNT:-0}\" -lt 10 ] || exit $code\n"
                            "back # a rank was killed, or a node is gone and the launcher has seen it first\n";

static void print_run(const job *j)
{
    bool goes_on = j->saves && !strcmp(j->system, "slurm");
    printf("mpirun --map-by \"ppr:%d:node:PE=%d\" \"${command[@]}\"%s", j->ranks_per_node, j->cores_per_rank,
           goes_on ? again : "\n");
}

vv_status vv_cli_jobscript(vv_session *s, const vv_cli_request *r)
{
    static const char *const systems[] = {"slurm", "pbs"};
    (void)s;
    job j = {.request = r};
    for (int i = 0; r->inputs.n > 0 && i < 2; i++)
        if (!strcmp(r->inputs.item[0], systems[i])) j.system = systems[i];
    if (r->inputs.n == 0 || (!j.system && r->inputs.n == 1))
        return vv_error(VV_ERR_USAGE, "jobscript needs a batch system and a command: "
                                      "'varve jobscript slurm --nodes 4 -- mean -d time t2m.nc -o mean.nc'");
    if (!j.system) return vv_cli_unknown("batch system", r->inputs.item[0], systems, 2);
    if (r->inputs.n == 1) return vv_error(VV_ERR_USAGE, "jobscript needs a command behind --");
    vv_status status = size_up(&j);
    if (status != VV_OK) return status;
    print_head(&j);
    print_command(&j);
    print_run(&j);
    return VV_OK;
}

#include "cli/launcher.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The inner launcher is asked first: mpirun inside a Slurm job inherits the job's rank. */
static const char *launcher_rank(void)
{
    static const char *const name[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"};
    const char *rank = NULL;
    for (size_t i = 0; !rank && i < sizeof name / sizeof *name; i++) rank = getenv(name[i]);
    return rank;
}

bool vv_cli_first_process(void)
{
    const char *rank = launcher_rank();
    return !rank || !strcmp(rank, "0");
}

bool vv_cli_on_terminal(void)
{
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") && !getenv("OMPI_COMM_WORLD_RANK");
}

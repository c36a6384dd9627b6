/* What the launcher (mpirun, srun) tells a process before MPI starts. */
#ifndef VV_CLI_LAUNCHER_H
#define VV_CLI_LAUNCHER_H

#include <stdbool.h>

/* This is rank 0, or there is no launcher. */
bool vv_cli_first_process(void);
/* Standard output is a terminal that somebody looks at. mpirun gives its processes pseudo terminals of which nothing is known. */
bool vv_cli_on_terminal(void);

#endif

#include "observe/job.h"

#include <stddef.h>
#include <stdlib.h>

const char *vv_batch_job(void)
{
    static const char *const name[] = {"SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID", "FLUX_JOB_ID"};
    const char *job = NULL;
    for (size_t i = 0; !job && i < sizeof name / sizeof *name; i++) job = getenv(name[i]);
    return job;
}

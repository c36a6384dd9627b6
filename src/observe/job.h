/* The batch job that this process belongs to. */
#ifndef VV_OBSERVE_JOB_H
#define VV_OBSERVE_JOB_H

/* Its number, as the batch system says it; NULL: there is none. Standard error is then the job's log, or a pipe to a launcher that writes it there. */
const char *vv_batch_job(void);

#endif

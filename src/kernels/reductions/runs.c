#define NAME              vv_reduction_of_runs
#define SHORT_NAME        "runs"
#define HELP              "number of runs of values other than 0"
#define START             0
#define TAKE(b, from, to) ((void)(from), (void)(to), (b) + 1)
#define MERGE(a, b)       ((a) + (b))
#define FINISH(b, first)  ((void)(first), (double)(b))
#include "kernels/reductions/runs.h"

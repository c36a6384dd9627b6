#define NAME              vv_reduction_of_run_total
#define SHORT_NAME        "run_total"
#define HELP              "values in runs of values other than 0"
#define START             0
#define TAKE(b, from, to) ((b) + (to) - (from))
#define MERGE(a, b)       ((a) + (b))
#define FINISH(b, first)  ((void)(first), (double)(b))
#include "kernels/reductions/runs.h"

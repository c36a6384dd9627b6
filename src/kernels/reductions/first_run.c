#define NAME              vv_reduction_of_first_run
#define SHORT_NAME        "first_run"
#define HELP              "where the first run of values other than 0 begins"
#define START             INT32_MAX
#define TAKE(b, from, to) ((void)(to), (from) < (b) ? (from) : (b))
#define MERGE(a, b)       ((a) < (b) ? (a) : (b))
#define FINISH(b, first)  ((b) < INT32_MAX ? (double)((b) - (first)) : (double)NAN)
#include "kernels/reductions/runs.h"

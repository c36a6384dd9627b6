#define NAME              vv_reduction_of_last_run
#define SHORT_NAME        "last_run"
#define HELP              "where the last run of values other than 0 ends"
#define START             -1
#define TAKE(b, from, to) ((void)(from), (to)-1 > (b) ? (to)-1 : (b))
#define MERGE(a, b)       ((a) > (b) ? (a) : (b))
#define FINISH(b, first)  ((b) >= 0 ? (double)((b) - (first)) : (double)NAN)
#include "kernels/reductions/runs.h"

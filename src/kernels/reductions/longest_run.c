#define NAME              vv_reduction_of_longest_run
#define SHORT_NAME        "longest_run"
#define HELP              "length of the longest run of values other than 0"
#define START             0
#define TAKE(b, from, to) ((to) - (from) > (b) ? (to) - (from) : (b))
#define MERGE(a, b)       ((a) > (b) ? (a) : (b))
#define FINISH(b, first)  ((void)(first), (double)(b))
#include "kernels/reductions/runs.h"

#define NAME        vv_reduction_of_max
#define SHORT_NAME  "max"
#define HELP        "greatest value"
#define METHOD      "maximum"
#define FIRST(a, b) ((a) > (b))
#define KEEPS(a, b) ((a) >= (b))
#define WORST_REAL  (-(double)INFINITY)
#define WORST_I64   INT64_MIN
#define WORST_U64   0
#include "kernels/reductions/extremum.h"

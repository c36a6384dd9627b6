#define NAME        vv_reduction_of_min
#define SHORT_NAME  "min"
#define HELP        "least value"
#define METHOD      "minimum"
#define FIRST(a, b) ((a) < (b))
#define KEEPS(a, b) ((a) <= (b))
#define WORST_REAL  ((double)INFINITY)
#define WORST_I64   INT64_MAX
#define WORST_U64   UINT64_MAX
#include "kernels/reductions/extremum.h"

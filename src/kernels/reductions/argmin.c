#define NAME        vv_reduction_of_argmin
#define SHORT_NAME  "argmin"
#define HELP        "position of the least value"
#define BEST        vv_reduction_of_min
#define FIRST(a, b) ((a) < (b))
#include "kernels/reductions/argextremum.h"

#define NAME        vv_reduction_of_argmax
#define SHORT_NAME  "argmax"
#define HELP        "position of the greatest value"
#define BEST        vv_reduction_of_max
#define FIRST(a, b) ((a) > (b))
#include "kernels/reductions/argextremum.h"

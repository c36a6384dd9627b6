/* Without vectors. */
#define TABLE                 vv_smooth_portable
#define LANES64               1
#define LANES32               1
#define LOAD64(p)             (*(p))
#define LOAD32(p)             (*(p))
#define STORE64(p, v)         (*(p) = (v))
#define STORE32(p, v)         (*(p) = (v))
#define CALL64(function, ulp) Sleef_cinz_##function##d1_##ulp##purec
#define CALL32(function, ulp) Sleef_cinz_##function##f1_##ulp##purec
#include "kernels/smooth/body.h"

/* Functions for `varve run`: your own C function over chunks or files, from the command line, without a driver.
 *
 *     static int smooth(const vv_block_task *t) { ... }          as for vv_map_overlap() in apply.h; or
 *     static int look(vv_task *t) { ... }                        as for futures in task.h: called for each file
 *
 *     VV_KERNEL smooth5 = {.size = sizeof smooth5, .chunk = smooth, .depth = "lat:1,lon:1", .boundary = "lat:nearest,lon:periodic"};
 *     VV_KERNEL sizes   = {.size = sizeof sizes, .file = look};
 *
 *     cc -shared -fPIC mine.c -o mine.so $(pkg-config --cflags varve)         (varve itself has the functions)
 *     mpirun -n 4 varve run ./mine.so:smooth5 t2m.nc --args 0.25 -o smooth.nc
 *     mpirun -n 4 varve run ./mine.so:sizes '*.txt'
 *
 * The text of --args comes as `data` (with a terminating 0) to a function of chunks, and as the second argument to one of files, whose first is the file's name; what that returns is printed, one line for
 * each file in their order: text (bytes that end in 0), a number, or how many bytes it is. */
#ifndef VARVE_KERNEL_H
#define VARVE_KERNEL_H

#include "varve/function.h"
#include "varve/task.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vv_kernel {
    size_t size;              /* of this struct, as the library was built */
    vv_block_function *chunk; /* one of the two */
    vv_task_function *file;
    /* Of chunks; NULL: nothing. As in vv_map_overlap() and vv_apply_options. */
    const char *depth, *boundary; /* what surrounds a chunk */
    const char *chunks;           /* how the input is cut */
    const char *dims, *results;   /* of the result, without depth; NULL: those of the input */
    const char *dtype;            /* of the result; NULL: that of the input */
} vv_kernel;
#define VV_KERNEL VV_API const vv_kernel

#ifdef __cplusplus
}
#endif
#endif

/* Functions by name: for tables, languages and tests. All functions: Driver only. */
#ifndef VARVE_CALL_H
#define VARVE_CALL_H

#include "varve/array.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Any function of the registry, elementwise operation or reduction; arguments as words: vv_call(s, "roll", (vv_array *[]){t}, 1, "dim=lon by=180"),
 * vv_call(s, "mean", &t, 1, "dims=lat,lon"). NULL: none. */
VV_API vv_array *vv_call(vv_session *s, const char *name, vv_array *const operands[], int n, const char *arguments);

/* The registry, for help texts and tests. */
typedef struct vv_function_info {
    const char *name, *family; /* "roll", "array"; "elementwise", "reduction" */
    const char *arguments;     /* "dim by"; with ? those that may be left out */
    const char *help;
    int operands; /* at least */
    int most;     /* at most; INT_MAX: as many as you like */
} vv_function_info;
/* Number i; false past the end. Local. */
VV_API bool vv_function_at(int i, vv_function_info *out);

#ifdef __cplusplus
}
#endif
#endif

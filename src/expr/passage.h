/* The text of expressions and places in it: errors are shown where they are.
 *
 *     there is no variable 'tmp'; did you mean 'temp'?
 *         wind = sqrt(tmp^2 + v10^2)
 *                     ^~~                                                                                                                       */
#ifndef VV_EXPR_PASSAGE_H
#define VV_EXPR_PASSAGE_H

#include "base/status.h"

typedef struct vv_passage {
    const char *text;
    size_t size;
    const char *name; /* of the file; NULL: given on a command line or by a program */
} vv_passage;

typedef struct vv_span {
    size_t at, end; /* bytes */
} vv_span;

/* From the begin of one to the end of the other. */
static inline vv_span vv_span_to(vv_span a, vv_span b)
{
    return (vv_span){a.at, b.end};
}

/* An error with its place; the same of the current error, which keeps its code. */
vv_status vv_passage_error(const vv_passage *s, vv_span place, vv_status code, const char *format, ...) VV_PRINTF(4, 5);
vv_status vv_passage_blame(const vv_passage *s, vv_span place);

#endif

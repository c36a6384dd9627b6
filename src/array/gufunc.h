/* Signatures of generalized ufuncs, "(m,n),(n)->(m)": what gufunc.c and gufunc_several.c share. */
#ifndef VV_ARRAY_GUFUNC_H
#define VV_ARRAY_GUFUNC_H

#include "array/apply.h"

enum { VV_LABEL = 64 };

/* "(m,n)": names, at most so many. */
typedef struct vv_labels {
    int n;
    char name[VV_MAX_DIMS][VV_LABEL];
} vv_labels;

typedef struct vv_signature {
    const char *text, *at;
    vv_labels core;         /* of one array, as they are read */
    vv_labels all;          /* in the order in which they are met */
    int dim[VV_MAX_DIMS];   /* of those: the work's dimension */
    bool loop[VV_MAX_DIMS]; /* dimensions of the work that are walked */
} vv_signature;

/* An error that shows the signature from s->at on. */
VV_WARN_UNUSED vv_status vv_signature_wrong(const vv_applying *b, const vv_signature *s);
/* Whether this comes next, which then is behind. */
bool vv_signature_take(vv_signature *s, const char *what);
/* The next brackets, to s->core. */
VV_WARN_UNUSED vv_status vv_signature_core(const vv_applying *b, vv_signature *s);
VV_WARN_UNUSED vv_status vv_signature_end(const vv_applying *b, vv_signature *s);
int vv_label_find(const vv_labels *l, const char *name); /* -1: none */
/* What options.dims says of a core dimension that no array has. */
VV_WARN_UNUSED vv_status vv_signature_length(const vv_applying *b, const char *label, vv_index *out);

/* The operands, up to "->": dimensions of the work. turned[]: the arrays with their core dimensions last, in the signature's order; the caller lets go of them. */
VV_WARN_UNUSED vv_status vv_signature_operands(vv_applying *b, vv_signature *s, vv_array *turned[]);

#endif

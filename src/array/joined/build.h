/* What the files of a joined dataset share: see joined.h for what joining is.
 *
 *     joined        the dataset and its arrays
 *     joined_order  along which dimension, in which order
 *     joined_vars   what its variables are, and what files disagree about
 *     joined_read   it is read like a file */
#ifndef VV_ARRAY_JOINED_BUILD_H
#define VV_ARRAY_JOINED_BUILD_H

#include "array/build.h"
#include "array/joined/joined.h"
#include "array/positions.h"
#include "base/calendar.h"

#include <string.h>

/* A variable of the joined file. */
typedef struct vv_member {
    bool along;   /* has the dimension: all files have a part of it */
    int axis;     /* which of its dimensions that is */
    int from;     /* not along: the file that it is taken from */
    int *var;     /* along: by file, its number there; else only that of `from` */
    bool decoded; /* packing or element types differ, or times are converted: elements are those that arrays see */
    bool times;   /* units of time differ */
} vv_member;

typedef struct vv_joined {
    int n;
    vv_dataset **file; /* in their order along the dimension; the context's */
    vv_index *first;   /* by file, and one more: where it begins along the dimension */
    int dim;           /* of the joined file */
    int n_members;
    vv_member *member; /* by variable */
} vv_joined;

static inline const vv_meta *vv_joined_meta(const vv_joined *j, int i)
{
    return j->file[i]->file->meta;
}

static inline const vv_variable *vv_joined_variable(const vv_joined *j, const vv_member *m, int i)
{
    return &vv_joined_meta(j, i)->var[m->var[i]];
}

/* Both, or neither. */
static inline bool vv_same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

/* --- joined_order.c --- */

/* dim NULL: the one along which the files differ. */
VV_WARN_UNUSED vv_status vv_joined_choose_dim(vv_joined *j, const char *dim);
VV_WARN_UNUSED vv_status vv_joined_check_dim(const vv_joined *j, const char *name);
/* Puts the files in their order along the dimension, and notes where each begins. */
VV_WARN_UNUSED vv_status vv_joined_order(vv_joined *j, const char *name);

/* --- joined_vars.c --- */

VV_WARN_UNUSED vv_status vv_joined_fill_meta(vv_joined *j, const char *dim, vv_meta *m);

/* --- joined_read.c --- */

extern const vv_format vv_joined_format;
void vv_joined_free(vv_joined *j);
VV_WARN_UNUSED vv_status vv_joined_axis(const vv_meta *m, int var, vv_time_axis *out);
/* Values of one axis become those of another one. */
VV_WARN_UNUSED vv_status vv_joined_convert(const vv_time_axis *from, const vv_time_axis *to, double at[], vv_index n);

#endif
